//! The matcher as it is served: loads a model folder, turns tags into a query and a query into a slate.

use std::borrow::Cow;
use std::collections::HashSet;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::diversify::{diversify, lead_artist};
use super::error::MatcherError;
use super::explain::{Evidence, explain};
use super::network::Network;
use super::own_tags::with_own_tags;
use super::probe::Probe;
use super::query::Query;
use super::ranker::{Ranker, SHORTLIST};
use super::shortlist::Shortlist;
use super::songs::Songs;
use super::store::{FILE_NAME, StoredVectors};
use super::taste::Taste;
use super::weights::Weights;
use crate::catalogue::load::Catalogue;
use crate::catalogue::song::SongIdx;
use crate::lyric::own_tag::OwnTag;
use crate::lyric::tokenize::Tokenizer;
use crate::lyric::word_space::WordSpace;
use crate::tagger::Tagging;
use crate::tagger::vocabulary::{TagId, Vocabulary};

/// Which songs may be suggested.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Languages (ISO 639-1); all if empty.
    pub languages: Vec<String>,
    /// Whether explicit songs may be suggested.
    pub allows_explicit: bool,
    /// Songs that may not, such as those that were shown before.
    pub excluded: HashSet<SongIdx>,
    /// Artists of whom no song may, folded as [`super::diversify::lead_artist`] does.
    pub excluded_artists: HashSet<String>,
}

/// A song with its reasons.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestion {
    /// The song.
    pub song: SongIdx,
    /// How well it fits: higher is better; of the same matcher only. About 0 for a random song.
    pub score: f32,
    /// The words that speak for it, heaviest first.
    pub evidence: Vec<Evidence>,
}

/// A matcher ready to serve one catalogue.
#[derive(Debug)]
pub struct Matcher {
    ranker: Ranker,
    space: WordSpace,
    tokenizer: Tokenizer,
    digest: String,
}

/// Songs of a pool, from which a slate is drawn.
pub const POOL_SIZE: usize = 24;

/// Probability from which on a photo's best tag is believed.
const SURE_PROBABILITY: f32 = 0.35;

impl Matcher {
    /// The matcher of a model folder for this catalogue. The catalogue's stored song vectors are used if they were made by
    /// this matcher from this catalogue; else they are made (seconds for 25,000 songs).
    ///
    /// # Errors
    /// A file is missing, damaged, or of another model.
    pub fn load(dir: &Path, catalogue: &Catalogue) -> Result<Self, MatcherError> {
        Self::load_with(dir, catalogue, &[])
    }

    /// The same with a team's own tags behind those of the model. Songs are read as without them, so that a photo which
    /// shows none of them is answered as without them, to the bit.
    ///
    /// # Errors
    /// As [`Matcher::load`].
    pub fn load_with(dir: &Path, catalogue: &Catalogue, own: &[OwnTag]) -> Result<Self, MatcherError> {
        let text = |name: &str| {
            let path = dir.join(name);
            std::fs::read_to_string(&path).map_err(|source| MatcherError::Unreadable { path, source })
        };
        let vocabulary = Vocabulary::parse(&text("tags.txt")?).map_err(|source| MatcherError::Vocabulary { source })?;
        let mut space = WordSpace::load(dir, vocabulary.names())?;
        let tokenizer = Tokenizer::from_stopwords(&text("stopwords.txt")?);
        let path = dir.join("matcher.safetensors");
        let file = std::fs::read(&path).map_err(|source| MatcherError::Unreadable { path, source })?;
        let mut weights = Weights::from_bytes(&file)?;
        let n_tags = weights.sizes.n_tags;
        if (n_tags, weights.sizes.n_vector) != (vocabulary.len(), space.dim()) {
            let fault = format!(
                "it is for {n_tags} tags and vectors of {}, the folder has {} and {}",
                weights.sizes.n_vector,
                vocabulary.len(),
                space.dim()
            );
            return Err(MatcherError::NoMatcher { fault });
        }
        let songs = Songs::from_catalogue(catalogue, &space);
        let digest = digest(&file);
        if !own.is_empty() {
            space = space.with(own);
            weights = with_own_tags(weights, &space, &songs);
        }
        let stored = std::fs::read(dir.join("catalog").join(FILE_NAME)).ok();
        let stored = stored.and_then(|bytes| StoredVectors::from_bytes(&bytes).ok());
        let ranker = match stored {
            Some(stored)
                if (stored.matcher.as_str(), stored.catalogue.as_str()) == (digest.as_str(), catalogue.digest())
                    && stored.priors.len() == songs.len()
                    && stored.vectors.len() == songs.len() * weights.sizes.n_joint =>
            {
                let network = Network::new(weights, &songs);
                let shortlist = Shortlist::from_parts(&network, &songs, stored.vectors, stored.priors);
                Ranker { network, songs, shortlist }
            }
            _ => {
                tracing::warn!("the catalogue holds no song vectors of this matcher; they are made now");
                Ranker::new(weights, songs)
            }
        };
        Ok(Self { ranker, space, tokenizer, digest })
    }

    /// A matcher from its parts; in training and evaluation.
    pub fn new(ranker: Ranker, space: WordSpace, tokenizer: Tokenizer) -> Self {
        Self { ranker, space, tokenizer, digest: String::new() }
    }

    /// The digest of `matcher.safetensors`, which tastes name; empty for a matcher from parts.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// What scores the songs.
    pub fn ranker(&self) -> &Ranker {
        &self.ranker
    }

    /// Song vectors to be stored beside the catalogue, given the bytes of `matcher.safetensors`.
    pub fn stored_vectors(&self, matcher_file: &[u8], catalogue: &Catalogue) -> StoredVectors {
        let (vectors, priors) = self.ranker.shortlist.parts();
        StoredVectors {
            matcher: digest(matcher_file),
            catalogue: catalogue.digest().to_owned(),
            vectors: vectors.to_vec(),
            priors: priors.to_vec(),
        }
    }

    /// What a photo's tags and a hint (free text, may be empty) ask for.
    pub fn query(&self, tagging: &Tagging, hint: &str) -> Query {
        Query::new(&self.ranker, &self.space, &tagging.probs, self.tokenizer.tokens("en", hint))
    }

    /// The best `n` songs that the filter lets pass with their reasons, by nobody's taste: [`Self::pool`] and
    /// [`Self::suggestions`].
    pub fn suggest(&self, catalogue: &Catalogue, query: &Query, filter: &Filter, n: usize) -> Vec<Suggestion> {
        let taste = Taste::default();
        self.suggestions(query, &taste, &self.pool(catalogue, query, filter, n, &taste))
    }

    /// The best `n` songs that the filter lets pass with their scores, best first, no artist and no title twice; fewer if
    /// there are no more. What a slate is drawn from.
    ///
    /// With languages other than English asked for, songs with a word that means a tag of the photo come before those that
    /// only lie near: word vectors of different languages are not aligned, so a distance alone proves little.
    pub fn pool(
        &self,
        catalogue: &Catalogue,
        query: &Query,
        filter: &Filter,
        n: usize,
        taste: &Taste,
    ) -> Vec<(SongIdx, f32)> {
        if query.is_empty() || n == 0 {
            return Vec::new();
        }
        let (query, probe) = self.bent(query, taste);
        let is_allowed = |song: u32| {
            let song = SongIdx(song);
            let is_asked = filter.languages.is_empty()
                || filter.languages.iter().any(|language| language == catalogue.language(song));
            is_asked
                && (filter.allows_explicit || !catalogue.is_explicit(song))
                && !filter.excluded.contains(&song)
                && !is_of(catalogue.artist(song), &filter.excluded_artists)
        };
        let mut ranked = self.ranker.rank(&probe, SHORTLIST.max(4 * n), is_allowed);
        if filter.languages.iter().any(|language| language != "en") {
            // Stable, so that within a tier the score decides.
            ranked.sort_by_key(|(song, _)| self.tier(catalogue.language(SongIdx(*song)), &query, *song));
        }
        let slate = diversify(&ranked, n, |(song, _)| {
            let song = SongIdx(song);
            (catalogue.artist(song), catalogue.title(song))
        });
        slate.into_iter().map(|(song, score)| (SongIdx(song), score)).collect()
    }

    /// Songs with their scores as suggestions, each with the words that speak for it; `taste` is the one that the scores
    /// were made with.
    pub fn suggestions(&self, query: &Query, taste: &Taste, songs: &[(SongIdx, f32)]) -> Vec<Suggestion> {
        let (query, probe) = self.bent(query, taste);
        let reasons = |song: SongIdx| explain(&self.ranker, &self.space, &query, &probe, song.0);
        songs.iter().map(|&(song, score)| Suggestion { song, score, evidence: reasons(song) }).collect()
    }

    /// A query and its probe as a taste has them.
    pub fn bent<'a>(&self, query: &'a Query, taste: &Taste) -> (Cow<'a, Query>, Probe) {
        let query = taste.query(query);
        let mut probe = query.probe(&self.ranker, &self.space);
        taste.bend(&self.ranker.network, &mut probe);
        (query, probe)
    }

    /// How well a song's words name what the photo shows: 0 for a tag that counts and is sure, 1 for any sure tag, 2 for a
    /// tag that counts, 3 for none.
    fn tier(&self, language: &str, query: &Query, song: u32) -> u8 {
        let best = self.ranker.songs.tokens(song).iter().filter_map(|token| {
            let (_, word) = self.ranker.songs.terms.text(token.term);
            let meant = self.space.lexicon.tags_of(language, word);
            meant.iter().map(|&tag| tier_of(query, TagId(tag))).min()
        });
        best.min().unwrap_or(3)
    }

    /// Score and reasons of one song, whatever its rank.
    pub fn explain_song(&self, query: &Query, song: SongIdx, taste: &Taste) -> (f32, Vec<Evidence>) {
        let (query, probe) = self.bent(query, taste);
        let score = self.ranker.score(&probe, song.0);
        (score, explain(&self.ranker, &self.space, &query, &probe, song.0))
    }

    /// Whether the slate rests on something: the photo's best tag is believed, and a word speaks for the first song.
    pub fn is_sure(&self, query: &Query, suggestions: &[Suggestion]) -> bool {
        query.confidence >= SURE_PROBABILITY && suggestions.first().is_some_and(|first| !first.evidence.is_empty())
    }
}

fn is_of(credit: &str, artists: &HashSet<String>) -> bool {
    !artists.is_empty() && artists.contains(&lead_artist(credit))
}

fn tier_of(query: &Query, tag: TagId) -> u8 {
    match (query.sure.contains(&tag), query.tags.iter().any(|t| t.0 == tag)) {
        (true, true) => 0,
        (true, false) => 1,
        (false, true) => 2,
        (false, false) => 3,
    }
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
