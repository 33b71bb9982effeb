//! Check queries: tags and graded songs of some photos in a small file of the model folder (`checks.bin`), so that a team
//! without the photos can fine-tune against forgetting and judge what it got. No photo is in it, only tags and numbers of
//! songs.

use std::path::Path;

use rayon::prelude::*;

use super::bench::PhotoCase;
use super::bootstrap::mean;
use super::ranking::measure;
use crate::catalogue::load::Catalogue;
use crate::lyric::packed::{ColumnReader, ColumnWriter, Kind, PackedError};
use crate::matcher::ranker::SHORTLIST;
use crate::matcher::suggest::Matcher;
use crate::matcher::taste::Taste;
use crate::tagger::Tagging;

/// Name of the file in a model folder.
pub const FILE_NAME: &str = "checks.bin";

/// Most tags and songs of a query that are kept.
const MAX_TAGS: usize = 16;
const MAX_SONGS: usize = 20;

const KIND: Kind = Kind { magic: *b"I2SCHECK", version: 1 };

/// Why there are no check queries.
#[derive(Debug, thiserror::Error)]
pub enum ChecksError {
    /// The file is not there or cannot be read.
    #[error("cannot read {}; `image2song model checks --data DIR` makes it from a data folder", path.display())]
    Unreadable {
        /// The file.
        path: std::path::PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is damaged or of another kind.
    #[error("{}", path.display())]
    Damaged {
        /// The file.
        path: std::path::PathBuf,
        /// What is wrong.
        source: PackedError,
    },
    /// The file is for another catalogue or vocabulary.
    #[error("{} is for other {what} than the model has; make it anew with `image2song model checks --data DIR`", path.display())]
    Foreign {
        /// The file.
        path: std::path::PathBuf,
        /// What differs.
        what: &'static str,
    },
}

/// A photo's tags and the songs that fit it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckQuery {
    /// Tag and `255 sqrt(probability)`.
    pub tags: Vec<(u16, u8)>,
    /// Song and `255 x gain`.
    pub songs: Vec<(u32, u8)>,
}

impl CheckQuery {
    /// Of tag probabilities `[n_tags]` and songs with gains in [0, 1], best first.
    pub fn new(probs: &[f32], graded: impl Iterator<Item = (u32, f32)>) -> Self {
        let code = |x: f32| (255.0 * x.clamp(0.0, 1.0)).round() as u8;
        let mut tags: Vec<(u16, u8)> = probs.iter().enumerate().map(|(i, p)| (i as u16, code(p.sqrt()))).collect();
        tags.sort_by_key(|&(tag, code)| (std::cmp::Reverse(code), tag));
        tags.truncate(MAX_TAGS);
        tags.retain(|tag| tag.1 > 0);
        let songs = graded.filter(|g| g.1 > 0.0).take(MAX_SONGS).map(|(song, gain)| (song, code(gain)));
        Self { tags, songs: songs.collect() }
    }

    /// Tag probabilities, `[n_tags]`.
    pub fn probs(&self, n_tags: usize) -> Vec<f32> {
        let mut probs = vec![0.0; n_tags];
        self.tags.iter().for_each(|&(tag, code)| probs[usize::from(tag)] = (f32::from(code) / 255.0).powi(2));
        probs
    }

    /// Songs with gains in (0, 1].
    pub fn graded(&self) -> Vec<(u32, f32)> {
        self.songs.iter().map(|&(song, code)| (song, f32::from(code) / 255.0)).collect()
    }

    /// The same as a case of an evaluation.
    pub fn case(&self, n_tags: usize) -> PhotoCase {
        PhotoCase { probs: self.probs(n_tags), graded: self.graded() }
    }
}

/// The check queries of a model.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checks {
    /// Digest of the catalogue that the songs are numbered in.
    pub catalogue: String,
    /// Tags of the vocabulary.
    pub n_tags: usize,
    /// To judge by.
    pub val: Vec<CheckQuery>,
    /// To train with.
    pub train: Vec<CheckQuery>,
}

impl Checks {
    /// The bytes of the file; equal queries give equal bytes.
    ///
    /// # Errors
    /// There are more queries than the format holds.
    pub fn to_bytes(&self) -> Result<Vec<u8>, PackedError> {
        let mut writer = ColumnWriter::default();
        writer.bytes(self.catalogue.as_bytes())?;
        writer.number(self.n_tags as u32);
        writer.number(self.val.len() as u32);
        let all: Vec<&CheckQuery> = self.val.iter().chain(&self.train).collect();
        let (tags, songs) = (all.iter().flat_map(|q| &q.tags), all.iter().flat_map(|q| &q.songs));
        writer.bytes(&all.iter().map(|q| q.tags.len() as u8).collect::<Vec<u8>>())?;
        writer.bytes(&all.iter().map(|q| q.songs.len() as u8).collect::<Vec<u8>>())?;
        writer.numbers(&tags.clone().map(|tag| u32::from(tag.0)).collect::<Vec<u32>>())?;
        writer.bytes(&tags.map(|tag| tag.1).collect::<Vec<u8>>())?;
        writer.numbers(&songs.clone().map(|song| song.0).collect::<Vec<u32>>())?;
        writer.bytes(&songs.map(|song| song.1).collect::<Vec<u8>>())?;
        KIND.pack(&writer.finish())
    }

    /// Queries from the bytes of a file.
    ///
    /// # Errors
    /// The bytes are of another kind or damaged.
    pub fn from_bytes(file: &[u8], n_songs: usize) -> Result<Self, PackedError> {
        let payload = KIND.unpack(file)?;
        let mut reader = ColumnReader::new(&payload);
        let catalogue = reader.text()?.to_owned();
        let (n_tags, n_val) = (reader.number()? as usize, reader.number()? as usize);
        let tags_of = reader.bytes()?;
        let songs_of = reader.bytes_exactly(tags_of.len())?;
        let tags = reader.numbers()?;
        let probs = reader.bytes_exactly(tags.len())?;
        let songs = reader.numbers()?;
        let gains = reader.bytes_exactly(songs.len())?;
        reader.finish()?;
        let sum = |lengths: &[u8]| lengths.iter().map(|&n| usize::from(n)).sum::<usize>();
        let is_inside = tags.iter().all(|&tag| (tag as usize) < n_tags && tag <= u32::from(u16::MAX))
            && songs.iter().all(|&song| (song as usize) < n_songs);
        if sum(tags_of) != tags.len() || sum(songs_of) != songs.len() || n_val > tags_of.len() || !is_inside {
            return Err(PackedError::Damaged { what: "its queries do not fit together" });
        }
        let (mut tags, mut songs) =
            (tags.iter().map(|&t| t as u16).zip(probs.iter().copied()), songs.into_iter().zip(gains.iter().copied()));
        let mut queries: Vec<CheckQuery> = Vec::with_capacity(tags_of.len());
        for (&n_tags, &n_songs) in tags_of.iter().zip(songs_of) {
            queries.push(CheckQuery {
                tags: tags.by_ref().take(usize::from(n_tags)).collect(),
                songs: songs.by_ref().take(usize::from(n_songs)).collect(),
            });
        }
        let train = queries.split_off(n_val);
        Ok(Self { catalogue, n_tags, val: queries, train })
    }

    /// The check queries of a model folder.
    ///
    /// # Errors
    /// The folder has none, or they are damaged or of another catalogue or vocabulary.
    pub fn open(dir: &Path, catalogue: &Catalogue, n_tags: usize) -> Result<Self, ChecksError> {
        let path = dir.join(FILE_NAME);
        let file = std::fs::read(&path).map_err(|source| ChecksError::Unreadable { path: path.clone(), source })?;
        let checks = Self::from_bytes(&file, catalogue.len());
        let checks = checks.map_err(|source| ChecksError::Damaged { path: path.clone(), source })?;
        match (checks.catalogue == catalogue.digest(), checks.n_tags == n_tags) {
            (true, true) => Ok(checks),
            (false, _) => Err(ChecksError::Foreign { path, what: "songs" }),
            (_, false) => Err(ChecksError::Foreign { path, what: "tags" }),
        }
    }
}

/// A photo's tags as the tagger gives them, for queries.
pub fn tagging(probs: Vec<f32>) -> Tagging {
    Tagging { region_idx: vec![0; probs.len()], probs, embedding: Vec::new() }
}

/// nDCG@10 of each query that has graded songs, as served to this taste, all songs allowed; at most `n` queries, evenly
/// chosen.
pub fn ndcg10(matcher: &Matcher, taste: &Taste, n_songs: usize, queries: &[CheckQuery], n: usize) -> Vec<f64> {
    let n_tags = matcher.ranker().network.weights.sizes.n_tags;
    let chosen: Vec<&CheckQuery> = queries.iter().step_by(queries.len().div_ceil(n.max(1)).max(1)).collect();
    let one = |query: &&CheckQuery| {
        let asked = matcher.query(&tagging(query.probs(n_tags)), "");
        let (_, probe) = matcher.bent(&asked, taste);
        let ranked: Vec<u32> = matcher.ranker().rank(&probe, SHORTLIST, |_| true).into_iter().map(|r| r.0).collect();
        measure(&ranked, &query.graded(), n_songs).map(|measures| measures.ndcg10)
    };
    chosen.par_iter().filter_map(one).collect()
}

/// Mean of [`ndcg10`]; 0 without queries.
pub fn mean_ndcg10(matcher: &Matcher, taste: &Taste, n_songs: usize, queries: &[CheckQuery], n: usize) -> f64 {
    let values = ndcg10(matcher, taste, n_songs, queries, n);
    if values.is_empty() { 0.0 } else { mean(&values) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checks() -> Checks {
        let query = |tag: u16| CheckQuery { tags: vec![(tag, 255), (3, 90)], songs: vec![(7, 200), (tag.into(), 9)] };
        Checks { catalogue: "ab".into(), n_tags: 9, val: vec![query(1)], train: vec![query(2), CheckQuery::default()] }
    }

    #[test]
    fn queries_come_back_and_damage_is_noticed() {
        let bytes = checks().to_bytes().unwrap();
        assert_eq!(Checks::from_bytes(&bytes, 8).unwrap(), checks());
        assert!(Checks::from_bytes(&bytes, 7).is_err(), "a song beyond the catalogue");
        for end in 0..bytes.len() {
            assert!(Checks::from_bytes(&bytes[..end], 8).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn the_most_probable_tags_and_the_best_songs_are_kept() {
        let probs: Vec<f32> = (0..40).map(|i| if i == 5 { 0.81 } else { 0.0001 * i as f32 }).collect();
        let query = CheckQuery::new(&probs, (0..30).map(|i| (i, 1.0 - i as f32 / 25.0)));
        assert_eq!((query.tags.len(), query.songs.len()), (MAX_TAGS, MAX_SONGS));
        assert_eq!(query.tags[0].0, 5);
        assert!((query.probs(40)[5] - 0.81).abs() < 0.01);
        assert_eq!(query.graded()[0], (0, 1.0));
    }
}
