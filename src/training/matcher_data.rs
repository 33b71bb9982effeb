//! What the matcher learns from: songs as catalogue and as word sequences, tag probabilities of photos, graded pairs.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::matcher_error::MatcherTrainError;
use crate::catalogue::build;
use crate::catalogue::load::Catalogue;
use crate::catalogue::source::{SongSource, SongWords};
use crate::lyric::tokenize::Tokenizer;
use crate::lyric::word_space::WordSpace;
use crate::matcher::songs::Songs;

/// Photos with their tags.
#[derive(Debug, Clone)]
pub struct Photos {
    /// Tag probabilities as bytes, probability = (byte / 255)^2, `[n_photos, n_tags]`.
    pub tags: Vec<u8>,
    /// Tags of the vocabulary.
    pub n_tags: usize,
    /// Whether a photo is of the val split.
    pub is_val: Vec<bool>,
    /// Tags that the photo's source states.
    pub stated: Vec<Vec<u16>>,
}

impl Photos {
    /// Number of photos.
    pub fn len(&self) -> usize {
        self.is_val.len()
    }

    /// Whether there is no photo.
    pub fn is_empty(&self) -> bool {
        self.is_val.is_empty()
    }

    /// Tag probabilities of a photo, `[n_tags]`.
    pub fn probs(&self, photo: usize) -> Vec<f32> {
        self.tags[photo * self.n_tags..][..self.n_tags].iter().map(|&b| (f32::from(b) / 255.0).powi(2)).collect()
    }

    /// Photos of a split.
    pub fn of_split(&self, is_val: bool) -> Vec<usize> {
        (0..self.len()).filter(|&i| self.is_val[i] == is_val).collect()
    }
}

/// Graded songs of each photo.
#[derive(Debug, Clone)]
pub struct Pairs {
    /// Songs of a photo.
    pub per_photo: usize,
    /// `[n_photos, per_photo]`, best first.
    pub songs: Vec<u32>,
    /// `[n_photos, per_photo]`.
    pub grades: Vec<u8>,
}

impl Pairs {
    /// The songs of a photo with their gains, grade / 255.
    pub fn of(&self, photo: usize) -> impl Iterator<Item = (u32, f32)> + Clone + '_ {
        let range = photo * self.per_photo..(photo + 1) * self.per_photo;
        self.songs[range.clone()].iter().copied().zip(self.grades[range].iter().map(|&g| f32::from(g) / 255.0))
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

#[derive(Deserialize)]
struct PhotoLine {
    split: String,
    #[serde(default)]
    tags: Vec<String>,
}

#[derive(Deserialize)]
struct PairsHeader {
    photos: usize,
    songs: usize,
    per_photo: usize,
}

impl MatcherData {
    /// Reads a data folder (`docs/data-format.md`); `tags` names a file of tag probabilities, else the soft tags serve.
    ///
    /// # Errors
    /// A file is missing, unusable, or does not fit the others.
    pub fn read(dir: &Path, tags: Option<&Path>) -> Result<Self, MatcherTrainError> {
        let text = read_text(&dir.join("photos/tags.txt"))?;
        let vocabulary: Vec<String> = text.lines().filter(|l| !l.trim().is_empty()).map(str::to_owned).collect();
        let space = WordSpace::read_training(dir, &vocabulary)?;
        let tokenizer = Tokenizer::from_stopwords(&read_text(&dir.join("songs/stopwords.txt"))?);
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
        let photos = read_photos(dir, tags, &vocabulary)?;
        let pairs = read_pairs(dir, photos.len(), songs.len())?;
        Ok(Self { vocabulary, space, catalogue, songs, sequences, photos, pairs })
    }
}

fn content(path: &Path, fault: String) -> MatcherTrainError {
    MatcherTrainError::Content(format!("{}: {fault}", path.display()))
}

fn read_text(path: &Path) -> Result<String, MatcherTrainError> {
    std::fs::read_to_string(path).map_err(MatcherTrainError::open(path))
}

fn read_zstd(path: &Path) -> Result<Vec<u8>, MatcherTrainError> {
    let file = std::fs::File::open(path).map_err(MatcherTrainError::open(path))?;
    let mut bytes = Vec::new();
    let read = zstd::Decoder::new(file).and_then(|mut decoder| decoder.read_to_end(&mut bytes));
    read.map_err(MatcherTrainError::open(path))?;
    Ok(bytes)
}

fn read_photos(dir: &Path, tags: Option<&Path>, vocabulary: &[String]) -> Result<Photos, MatcherTrainError> {
    let path = dir.join("photos/photos.jsonl.gz");
    let file = std::fs::File::open(&path).map_err(MatcherTrainError::open(&path))?;
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).map_err(MatcherTrainError::open(&path))?;
    let n_tags = vocabulary.len();
    let ids: HashMap<&str, u16> = vocabulary.iter().enumerate().map(|(id, tag)| (tag.as_str(), id as u16)).collect();
    let (mut is_val, mut stated) = (Vec::new(), Vec::new());
    for (i, line) in text.lines().enumerate() {
        let line: PhotoLine =
            serde_json::from_str(line).map_err(|fault| content(&path, format!("line {}: {fault}", i + 1)))?;
        is_val.push(line.split == "val");
        stated.push(line.tags.iter().filter_map(|tag| ids.get(tag.as_str()).copied()).collect());
    }
    let tags_path = tags.map_or_else(|| dir.join("photos/soft/soft.u8.zst"), PathBuf::from);
    let tags = read_zstd(&tags_path)?;
    if tags.len() != is_val.len() * n_tags {
        let text = format!("holds {} bytes, needed are {} photos x {n_tags} tags", tags.len(), is_val.len());
        return Err(content(&tags_path, text));
    }
    Ok(Photos { tags, n_tags, is_val, stated })
}

fn read_pairs(dir: &Path, n_photos: usize, n_songs: usize) -> Result<Pairs, MatcherTrainError> {
    let path = dir.join("pairs/pairs.json");
    let header: PairsHeader =
        serde_json::from_str(&read_text(&path)?).map_err(|fault| content(&path, fault.to_string()))?;
    if (header.photos, header.songs) != (n_photos, n_songs) {
        let PairsHeader { photos, songs, .. } = header;
        return Err(content(
            &path,
            format!("is for {photos} photos and {songs} songs, the folder has {n_photos} and {n_songs}"),
        ));
    }
    let path = dir.join("pairs/pairs.bin.zst");
    let bytes = read_zstd(&path)?;
    let n = header.photos * header.per_photo;
    if bytes.len() != n * 5 {
        return Err(content(&path, format!("holds {} bytes, needed are {}", bytes.len(), n * 5)));
    }
    let songs: Vec<u32> =
        bytes[..n * 4].chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    if let Some(song) = songs.iter().find(|&&song| song as usize >= n_songs) {
        return Err(content(&path, format!("names song {song}, there are {n_songs}")));
    }
    Ok(Pairs { per_photo: header.per_photo, songs, grades: bytes[n * 4..].to_vec() })
}
