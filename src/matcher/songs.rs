//! What the network reads of each song: its terms with their marks and weights, and what the prior looks at.

use std::collections::HashMap;

use crate::catalogue::load::Catalogue;
use crate::lyric::lexicon::LANGUAGES;
use crate::lyric::word_space::WordSpace;

/// Number of [`Songs::features`] of a song.
pub const N_FEATURES: usize = 10;

/// Where a word of a song comes from; the number is its place among the marks of the network's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// A word of the title.
    Title = 0,
    /// A keyword of the catalogue.
    Keyword = 1,
    /// A word of the lyric, in its order; in training only.
    Lyric = 2,
}

/// Number of marks.
pub const N_MARKS: usize = 3;

/// A word at its place in a song.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Token {
    /// Index into [`Terms`].
    pub term: u32,
    /// Where it comes from.
    pub mark: Mark,
    /// Its weight as a share of the song's heaviest word, in (0, 1].
    pub weight: f32,
}

/// Index of a language's words: place in [`LANGUAGES`], then English, then all others as one.
pub fn language_code(language: &str) -> u8 {
    match LANGUAGES.iter().position(|&known| known == language) {
        Some(code) => code as u8,
        None if language == "en" => LANGUAGES.len() as u8,
        None => LANGUAGES.len() as u8 + 1,
    }
}

/// Words by language: a word is another term in another language, since it can mean another tag there.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    ids: Vec<HashMap<String, u32>>,
    vectors: Vec<f32>,
    rarity: Vec<f32>,
    texts: Vec<(u8, String)>,
    dim: usize,
}

impl Terms {
    /// No terms yet, in a space of `dim` numbers.
    pub fn new(dim: usize) -> Self {
        Self { ids: vec![HashMap::new(); LANGUAGES.len() + 2], dim, ..Self::default() }
    }

    /// The term of a word of a language, made at its first use; `None` for a word that means nothing to the space.
    pub fn add(&mut self, space: &WordSpace, language: &str, word: &str) -> Option<u32> {
        let code = language_code(language);
        if let Some(&id) = self.ids[usize::from(code)].get(word) {
            return Some(id);
        }
        if !space.knows(language, word) {
            return None;
        }
        let id = self.texts.len() as u32;
        let at = self.vectors.len();
        self.vectors.resize(at + self.dim, 0.0);
        space.write_word_vector(language, word, &mut self.vectors[at..]);
        self.rarity.push(space.vectors.id(word).map_or(UNKNOWN_RARITY, |id| space.vectors.rarity(id)));
        self.texts.push((code, word.to_owned()));
        self.ids[usize::from(code)].insert(word.to_owned(), id);
        Some(id)
    }

    /// The term of a word, if some song has it.
    pub fn find(&self, code: u8, word: &str) -> Option<u32> {
        self.ids.get(usize::from(code))?.get(word).copied()
    }

    /// Number of terms.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether there is no term.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// Numbers in a vector.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Vector of a term, `[dim]`, unit length or zeros.
    pub fn vector(&self, term: u32) -> &[f32] {
        &self.vectors[term as usize * self.dim..][..self.dim]
    }

    /// How rare the word is, in `[0, 1]`.
    pub fn rarity(&self, term: u32) -> f32 {
        self.rarity[term as usize]
    }

    /// Language code and spelling.
    pub fn text(&self, term: u32) -> (u8, &str) {
        let (code, word) = &self.texts[term as usize];
        (*code, word)
    }
}

/// Rarity of a word without a vector: a form that too few songs have to learn one.
const UNKNOWN_RARITY: f32 = 0.95;

/// Words of one song, as they come.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// Language (ISO 639-1).
    pub language: &'a str,
    /// Words of the title.
    pub title: &'a [String],
    /// Keywords with weights, heaviest first.
    pub keywords: &'a [(&'a str, f32)],
    /// Popularity in `[0, 1]`, where known.
    pub popularity: Option<f32>,
    /// Year, where known.
    pub year: Option<u16>,
    /// Whether the lyric is explicit.
    pub is_explicit: bool,
}

/// All songs as the network reads them.
#[derive(Debug, Clone)]
pub struct Songs {
    /// The words.
    pub terms: Terms,
    starts: Vec<u32>,
    tokens: Vec<Token>,
    features: Vec<f32>,
}

impl Songs {
    /// No songs yet.
    pub fn new(dim: usize) -> Self {
        Self { terms: Terms::new(dim), starts: vec![0], tokens: Vec::new(), features: Vec::new() }
    }

    /// The songs of a catalogue, by their places there.
    pub fn from_catalogue(catalogue: &Catalogue, space: &WordSpace) -> Self {
        let mut songs = Self::new(space.dim());
        for idx in catalogue.songs() {
            let song = catalogue.song(idx);
            let title: Vec<String> =
                catalogue.title_words(idx).iter().map(|&word| catalogue.word(word).to_owned()).collect();
            let keywords: Vec<(&str, f32)> =
                catalogue.keywords(idx).iter().map(|k| (catalogue.word(k.word), k.weight)).collect();
            songs.push(
                space,
                &Reading {
                    language: song.language,
                    title: &title,
                    keywords: &keywords,
                    popularity: song.popularity,
                    year: song.year,
                    is_explicit: song.explicit,
                },
            );
        }
        songs
    }

    /// Adds a song: words of the title first, then the keywords that are not in it. Words without meaning are left out.
    pub fn push(&mut self, space: &WordSpace, song: &Reading) {
        let start = self.tokens.len();
        for word in song.title.iter().take(MAX_TITLE) {
            let term = self.terms.add(space, song.language, word);
            let is_new = term.is_some_and(|term| self.tokens[start..].iter().all(|t| t.term != term));
            if let (Some(term), true) = (term, is_new) {
                self.tokens.push(Token { term, mark: Mark::Title, weight: 1.0 });
            }
        }
        let n_title = self.tokens.len() - start;
        let heaviest = song.keywords.iter().map(|k| k.1).fold(f32::MIN_POSITIVE, f32::max);
        for &(word, weight) in song.keywords {
            let Some(term) = self.terms.add(space, song.language, word) else { continue };
            let weight = (weight / heaviest).clamp(MIN_WEIGHT, 1.0);
            // A keyword that is in the title stands twice, once with each mark: the title says that it matters, the
            // keyword how much of the lyric it is.
            self.tokens.push(Token { term, mark: Mark::Keyword, weight });
        }
        if self.tokens.len() == start {
            // Nothing is known of its words; one empty token keeps the shapes whole.
            if let Some(term) = self.terms.add(space, "en", "song") {
                self.tokens.push(Token { term, mark: Mark::Lyric, weight: MIN_WEIGHT });
            }
        }
        debug_assert!(n_title <= MAX_TITLE);
        self.starts.push(self.tokens.len() as u32);
        self.features.extend(features(song));
    }

    /// Number of songs.
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Whether there is no song.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The song's words: those of the title, then keywords, heaviest first.
    pub fn tokens(&self, song: u32) -> &[Token] {
        &self.tokens[self.starts[song as usize] as usize..self.starts[song as usize + 1] as usize]
    }

    /// What the prior looks at, `[N_FEATURES]`: popularity, whether it is unknown, explicit, year, and the language.
    pub fn features(&self, song: u32) -> &[f32] {
        &self.features[song as usize * N_FEATURES..][..N_FEATURES]
    }
}

/// Title words that are read; longer titles are cut.
const MAX_TITLE: usize = 8;

/// Smallest relative weight, so that its logarithm stays tame.
pub const MIN_WEIGHT: f32 = 0.02;

/// Popularity of a song of which it is unknown: the middle of the known ones.
const UNKNOWN_POPULARITY: f32 = 0.35;

fn features(song: &Reading) -> [f32; N_FEATURES] {
    let mut features = [0f32; N_FEATURES];
    features[0] = song.popularity.unwrap_or(UNKNOWN_POPULARITY);
    features[1] = f32::from(u8::from(song.popularity.is_none()));
    features[2] = f32::from(u8::from(song.is_explicit));
    features[3] = song.year.map_or(0.0, |year| (f32::from(year) - 1990.0) / 30.0);
    let place = ["en", "es", "pt", "fr", "ja"].iter().position(|&known| known == song.language).unwrap_or(5);
    features[4 + place] = 1.0;
    features
}
