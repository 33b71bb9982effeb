//! What is known of each photo of a data folder: stated tags, unsure tags, what its source knows, soft tags, features.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::tagger::vocabulary::{TagId, Vocabulary, VocabularyError};

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A file is missing or cannot be read.
    #[error("cannot read {path}; a data folder needs it (docs/data-format.md)")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line of a JSON Lines file is not what it should be.
    #[error("{path} line {line}: {reason}")]
    Line {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What was found and what is allowed.
        reason: String,
    },
    /// A file as a whole is not what it should be.
    #[error("{path}: {reason}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What was found and what is allowed.
        reason: String,
    },
    /// The tag list is not usable.
    #[error("tags.txt cannot be used")]
    Tags(#[from] VocabularyError),
}

/// One photo of a data folder.
#[derive(Debug, Clone)]
pub struct Record {
    /// Name of the photo's file without its ending.
    pub id: String,
    /// `train`, `val` or another name that a team gives.
    pub split: String,
    /// Where it comes from; decides which tags an absence speaks of.
    pub source: String,
    /// True tags.
    pub tags: Vec<TagId>,
    /// Tags of which nobody knows whether they are true.
    pub unsure: Vec<TagId>,
    /// Sentences about the photo, if any.
    pub captions: Vec<String>,
}

/// The labels of a data folder.
pub struct Labels {
    /// The tag list.
    pub vocabulary: Vocabulary,
    /// Photos in the order of the file.
    pub records: Vec<Record>,
    /// Tags of which each source says whether they are true.
    pub knows: HashMap<String, Vec<TagId>>,
    /// Soft tags, if the folder has them: `[n_records, n_tags]`, probability `(byte / 255)^2`.
    pub soft: Option<Vec<u8>>,
    /// A teacher's features, if the folder has them.
    pub features: Option<Features>,
}

/// Features of a teacher network, one row a photo.
pub struct Features {
    /// Numbers a row.
    pub n: usize,
    values: Vec<i8>,
    scales: Vec<f32>,
}

impl Features {
    /// Row of one photo, divided by the root mean square of all values, so that a mean square is 1.
    pub fn row(&self, record_idx: usize) -> impl Iterator<Item = f32> {
        self.values[record_idx * self.n..][..self.n].iter().zip(&self.scales).map(|(&v, &s)| f32::from(v) * s)
    }

    fn normalize(&mut self) {
        let squares: f64 = self
            .values
            .chunks_exact(self.n)
            .flat_map(|row| row.iter().zip(&self.scales).map(|(&v, &s)| f64::from(f32::from(v) * s).powi(2)))
            .sum();
        let rms = (squares / self.values.len() as f64).sqrt().max(f64::MIN_POSITIVE) as f32;
        self.scales.iter_mut().for_each(|scale| *scale /= rms);
    }
}

#[derive(Deserialize)]
struct RecordLine {
    id: String,
    split: String,
    source: String,
    tags: Vec<String>,
    #[serde(default)]
    unsure: Vec<String>,
    #[serde(default)]
    captions: Vec<String>,
}

#[derive(Deserialize)]
struct SourceEntry {
    #[serde(default)]
    knows: Vec<String>,
}

#[derive(Deserialize)]
struct SoftHeader {
    soft: SoftTable,
    feat64: Option<FeatureTable>,
}

#[derive(Deserialize)]
struct SoftTable {
    file: String,
    shape: [usize; 2],
}

#[derive(Deserialize)]
struct FeatureTable {
    file: String,
    shape: [usize; 2],
    scale: Vec<f32>,
}

impl Labels {
    /// Reads `tags.txt`, `photos.jsonl` (or `.gz`), `sources.json` and, where present, `soft/` of a photo folder.
    ///
    /// # Errors
    /// A needed file is missing, or a file says something that does not fit the tag list; the message names the line.
    pub fn read(dir: &Path) -> Result<Self, DataError> {
        let vocabulary = Vocabulary::parse(&read_text(&dir.join("tags.txt"))?)?;
        let records = read_records(dir, &vocabulary)?;
        let knows = read_sources(&dir.join("sources.json"), &vocabulary)?;
        let mut labels = Self { vocabulary, records, knows, soft: None, features: None };
        if dir.join("soft/soft.json").exists() {
            labels.read_soft(&dir.join("soft"))?;
        }
        Ok(labels)
    }

    /// Tags of which a source says whether they are true; none for a source that the folder does not describe.
    pub fn known_to(&self, source: &str) -> &[TagId] {
        self.knows.get(source).map_or(&[], Vec::as_slice)
    }

    fn read_soft(&mut self, dir: &Path) -> Result<(), DataError> {
        let path = dir.join("soft.json");
        let header: SoftHeader = serde_json::from_str(&read_text(&path)?)
            .map_err(|error| DataError::Content { path: path.clone(), reason: error.to_string() })?;
        let named = [Some(&header.soft.file), header.feat64.as_ref().map(|table| &table.file)];
        if let Some(file) = named.into_iter().flatten().find(|file| !is_plain_name(file)) {
            let reason = format!("names the file {file:?}; write the name of a file beside it");
            return Err(DataError::Content { path, reason });
        }
        let wanted = [self.records.len(), self.vocabulary.len()];
        if header.soft.shape != wanted {
            let reason = format!("soft tags have the shape {:?}, photos and tags need {wanted:?}", header.soft.shape);
            return Err(DataError::Content { path, reason });
        }
        self.soft = Some(read_zstd(&dir.join(&header.soft.file), wanted[0] * wanted[1])?);
        if let Some(table) = header.feat64 {
            let [rows, n] = table.shape;
            if rows != wanted[0] || table.scale.len() != n || n == 0 {
                let reason = format!("features have the shape {:?} and {} scales", table.shape, table.scale.len());
                return Err(DataError::Content { path, reason });
            }
            let bytes = read_zstd(&dir.join(&table.file), rows * n)?;
            let values = bytes.into_iter().map(|byte| byte as i8).collect();
            let mut features = Features { n, values, scales: table.scale };
            features.normalize();
            self.features = Some(features);
        }
        Ok(())
    }
}

/// Whether it names a file beside the one that says it: data folders come from others.
fn is_plain_name(file: &str) -> bool {
    Path::new(file).file_name().is_some_and(|name| name == file)
}

fn read_text(path: &Path) -> Result<String, DataError> {
    std::fs::read_to_string(path).map_err(|source| DataError::Read { path: path.to_owned(), source })
}

/// The content of a zstd file that must hold so many bytes; never reads much more.
pub(super) fn read_zstd(path: &Path, n_bytes: usize) -> Result<Vec<u8>, DataError> {
    let error = |source| DataError::Read { path: path.to_owned(), source };
    let decoder = zstd::Decoder::new(File::open(path).map_err(error)?).map_err(error)?;
    let mut bytes = Vec::with_capacity(n_bytes);
    decoder.take(n_bytes as u64 + 1).read_to_end(&mut bytes).map_err(error)?;
    if bytes.len() != n_bytes {
        let reason = format!("holds {} bytes or more, its header promises {n_bytes}", bytes.len());
        return Err(DataError::Content { path: path.to_owned(), reason });
    }
    Ok(bytes)
}

fn read_records(dir: &Path, vocabulary: &Vocabulary) -> Result<Vec<Record>, DataError> {
    let (plain, packed) = (dir.join("photos.jsonl"), dir.join("photos.jsonl.gz"));
    let path = if plain.exists() { plain } else { packed };
    let read = |source| DataError::Read { path: path.clone(), source };
    let file = File::open(&path).map_err(read)?;
    let reader: Box<dyn Read> = if path.extension().is_some_and(|e| e == "gz") {
        Box::new(flate2::read::MultiGzDecoder::new(file))
    } else {
        Box::new(file)
    };
    let mut records = Vec::new();
    let mut id_lines = HashMap::new();
    for (line_idx, line) in BufReader::new(reader).lines().enumerate() {
        let line = line.map_err(read)?;
        if line.trim().is_empty() {
            continue;
        }
        let fault = |reason| DataError::Line { path: path.clone(), line: line_idx + 1, reason };
        let parsed: RecordLine = serde_json::from_str(&line).map_err(|error| fault(error.to_string()))?;
        if let Some(first) = id_lines.insert(parsed.id.clone(), line_idx + 1) {
            return Err(fault(format!("id {:?} stands on line {first} too; each photo needs its own", parsed.id)));
        }
        let ids = |names: &[String]| tag_ids(names, vocabulary).map_err(fault);
        records.push(Record {
            tags: ids(&parsed.tags)?,
            unsure: ids(&parsed.unsure)?,
            id: parsed.id,
            split: parsed.split,
            source: parsed.source,
            captions: parsed.captions,
        });
    }
    Ok(records)
}

fn read_sources(path: &Path, vocabulary: &Vocabulary) -> Result<HashMap<String, Vec<TagId>>, DataError> {
    let fault = |reason| DataError::Content { path: path.to_owned(), reason };
    let sources: HashMap<String, SourceEntry> =
        serde_json::from_str(&read_text(path)?).map_err(|error| fault(error.to_string()))?;
    sources.into_iter().map(|(name, entry)| Ok((name, tag_ids(&entry.knows, vocabulary).map_err(fault)?))).collect()
}

fn tag_ids(names: &[String], vocabulary: &Vocabulary) -> Result<Vec<TagId>, String> {
    names
        .iter()
        .map(|name| {
            vocabulary.id(name).ok_or_else(|| format!("tag {name:?} is not in tags.txt; add it there or mend it"))
        })
        .collect()
}

#[cfg(test)]
#[path = "labels_tests.rs"]
mod tests;
