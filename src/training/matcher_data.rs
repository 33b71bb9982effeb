//! What the matcher learns from: songs as catalogue and as word sequences, tag probabilities of photos, graded pairs.

use std::path::Path;

use super::labels::{Labels, read_zstd};
use super::matcher_error::MatcherTrainError;
use super::pairs::Pairs;
use crate::catalogue::build;
use crate::catalogue::load::Catalogue;
use crate::catalogue::source::{SongSource, SongWords};
use crate::lyric::tokenize::Tokenizer;
use crate::lyric::word_space::WordSpace;
use crate::matcher::songs::Songs;

/// What a photo is for; photos of any other split are for neither, above all not for training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// To learn from.
    Train,
    /// To judge by.
    Val,
}

impl Split {
    fn of(name: &str) -> Option<Self> {
        match name {
            "train" => Some(Self::Train),
            "val" => Some(Self::Val),
            _ => None,
        }
    }
}

/// Photos with their tags.
#[derive(Debug, Clone)]
pub struct Photos {
    /// Tag probabilities as bytes, probability = (byte / 255)^2, `[n_photos, n_tags]`.
    pub tags: Vec<u8>,
    /// Tags of the vocabulary.
    pub n_tags: usize,
    /// What each photo is for.
    pub splits: Vec<Option<Split>>,
    /// Tags that the photo's source states.
    pub stated: Vec<Vec<u16>>,
}

impl Photos {
    /// Number of photos.
    pub fn len(&self) -> usize {
        self.splits.len()
    }

    /// Whether there is no photo.
    pub fn is_empty(&self) -> bool {
        self.splits.is_empty()
    }

    /// Tag probabilities of a photo, `[n_tags]`.
    pub fn probs(&self, photo: usize) -> Vec<f32> {
        self.tags[photo * self.n_tags..][..self.n_tags].iter().map(|&b| (f32::from(b) / 255.0).powi(2)).collect()
    }

    /// Photos of a split.
    pub fn of_split(&self, split: Split) -> Vec<usize> {
        (0..self.len()).filter(|&i| self.splits[i] == Some(split)).collect()
    }
}

/// All that the matcher learns from.
#[derive(Debug)]
pub struct MatcherData {
    /// Names of the tags.
    pub vocabulary: Vec<String>,
    /// Word vectors, lexicon, tag vectors.
    pub space: WordSpace,
    /// The songs as they will be served.
    pub catalogue: Catalogue,
    /// The same as the network reads them; its terms include those of `sequences`.
    pub songs: Songs,
    /// Terms of each lyric in its order, without words that mean nothing to the space.
    pub sequences: Vec<Vec<u32>>,
    /// The photos.
    pub photos: Photos,
    /// The pairs.
    pub pairs: Pairs,
}

impl MatcherData {
    /// Reads a data folder (`docs/data-format.md`); `tags` names a file of tag probabilities, else the soft tags serve.
    ///
    /// # Errors
    /// A file is missing, unusable, or does not fit the others.
    pub fn read(dir: &Path, tags: Option<&Path>) -> Result<Self, MatcherTrainError> {
        let labels = Labels::read(&dir.join("photos"))?;
        let vocabulary = labels.vocabulary.names().to_vec();
        let space = WordSpace::read_training(dir, &vocabulary)?;
        let stop_words = dir.join("songs/stopwords.txt");
        let stop_words = std::fs::read_to_string(&stop_words).map_err(MatcherTrainError::open(&stop_words))?;
        let tokenizer = Tokenizer::from_stopwords(&stop_words);
        let source = SongSource::read(&dir.join("songs/songs.jsonl.gz"), &tokenizer)?;
        let catalogue = Catalogue::from_bytes(&build::build(&source, &space, &tokenizer)?)?;
        let mut songs = Songs::from_catalogue(&catalogue, &space);
        let sequences = source.songs.iter().map(|song| match &song.words {
            SongWords::Lyric(words) => {
                let text = |&word: &u32| songs.terms.add(&space, &song.language, source.words.get(word));
                words.iter().filter_map(text).collect()
            }
            SongWords::Bag(_) => Vec::new(),
        });
        let sequences = sequences.collect();
        let photos = photos(labels, tags)?;
        let pairs = Pairs::read(&dir.join("pairs"), photos.len(), songs.len())?;
        Ok(Self { vocabulary, space, catalogue, songs, sequences, photos, pairs })
    }

    /// The songs of a photo with their gains in [0, 1], best first.
    pub fn graded(&self, photo: usize) -> impl Iterator<Item = (u32, f32)> + Clone + '_ {
        self.pairs.of(photo).map(|(song, gain)| (song.0, gain))
    }
}

fn photos(labels: Labels, tags: Option<&Path>) -> Result<Photos, MatcherTrainError> {
    let n_tags = labels.vocabulary.len();
    let tags = match (tags, labels.soft) {
        (Some(path), _) => read_zstd(path, labels.records.len() * n_tags)?,
        (None, Some(soft)) => soft,
        (None, None) => {
            let text = "the data folder has no soft tags; name the tags of your tagger with --tags (`image2song eval \
                        tagger --write-tags` makes them)";
            return Err(MatcherTrainError::Content(text.to_owned()));
        }
    };
    let splits = labels.records.iter().map(|record| Split::of(&record.split)).collect();
    let stated = labels.records.iter().map(|record| record.tags.iter().map(|tag| tag.0).collect()).collect();
    Ok(Photos { tags, n_tags, splits, stated })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tagger::vocabulary::Vocabulary;
    use crate::training::labels::Record;

    #[test]
    fn photos_of_other_splits_are_neither_learned_from_nor_judged_by() {
        let record = |split: &str| Record {
            id: split.to_owned(),
            split: split.to_owned(),
            source: "ours".to_owned(),
            tags: Vec::new(),
            unsure: Vec::new(),
            captions: Vec::new(),
        };
        let labels = Labels {
            vocabulary: Vocabulary::parse("sea\nsand").unwrap(),
            records: ["test", "val", "train", "kept"].map(record).to_vec(),
            knows: Default::default(),
            soft: Some(vec![0; 8]),
            features: None,
        };
        let photos = photos(labels, None).unwrap();
        assert_eq!(photos.of_split(Split::Train), [2]);
        assert_eq!(photos.of_split(Split::Val), [1]);
    }
}
