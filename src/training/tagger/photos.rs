//! The photos of a data folder, decoded once by the same path that serves, kept as squares in memory.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::photo::{Decoded, Limits};
use crate::training::labels::{DataError, Record};

/// Decoded photos, `[n, side, side, 3]`, in the order of the records that were asked for.
pub struct Squares {
    /// Side in pixels.
    pub side: usize,
    rgb: Vec<u8>,
}

impl Squares {
    /// Decodes the photos of some records: from `<id>.<ending>` files in the folder or from its tar shards.
    ///
    /// # Errors
    /// A photo is missing or cannot be decoded; the message names it.
    pub fn read(dir: &Path, records: &[&Record], side: usize) -> Result<Self, DataError> {
        let mut wanted: HashMap<&str, usize> = HashMap::with_capacity(records.len());
        for (at, record) in records.iter().enumerate() {
            wanted.insert(&record.id, at);
        }
        let size = side * side * 3;
        let mut rgb = vec![0u8; records.len() * size];
        let mut found = vec![false; records.len()];
        for path in files(dir)? {
            if path.extension().is_some_and(|ending| ending == "tar") {
                let shard = read_shard(&path, &wanted)?;
                let squares: Vec<(usize, Vec<u8>)> = shard
                    .par_iter()
                    .map(|(at, bytes)| Ok((*at, square(&path, bytes, side)?)))
                    .collect::<Result<_, DataError>>()?;
                for (at, square) in squares {
                    rgb[at * size..(at + 1) * size].copy_from_slice(&square);
                    found[at] = true;
                }
            } else if let Some(&at) = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| wanted.get(stem))
            {
                let bytes = std::fs::read(&path).map_err(|source| DataError::Read { path: path.clone(), source })?;
                rgb[at * size..(at + 1) * size].copy_from_slice(&square(&path, &bytes, side)?);
                found[at] = true;
            }
        }
        if let Some(missing) = found.iter().position(|found| !found) {
            let n_missing = found.iter().filter(|found| !**found).count();
            let reason = format!(
                "{n_missing} photos of photos.jsonl are neither files nor in a tar here, {:?} first",
                records[missing].id
            );
            return Err(DataError::Content { path: dir.to_owned(), reason });
        }
        Ok(Self { side, rgb })
    }

    /// How many photos there are.
    #[allow(clippy::len_without_is_empty, reason = "a split without photos is refused before")]
    pub fn len(&self) -> usize {
        self.rgb.len() / (self.side * self.side * 3)
    }

    /// Pixels of one photo, `[side, side, 3]`.
    pub fn get(&self, at: usize) -> &[u8] {
        let size = self.side * self.side * 3;
        &self.rgb[at * size..(at + 1) * size]
    }
}

fn files(dir: &Path) -> Result<Vec<PathBuf>, DataError> {
    let error = |source| DataError::Read { path: dir.to_owned(), source };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(error)? {
        paths.push(entry.map_err(error)?.path());
    }
    paths.sort();
    Ok(paths)
}

fn read_shard(path: &Path, wanted: &HashMap<&str, usize>) -> Result<Vec<(usize, Vec<u8>)>, DataError> {
    let error = |source| DataError::Read { path: path.to_owned(), source };
    let mut archive = tar::Archive::new(std::fs::File::open(path).map_err(error)?);
    let mut shard = Vec::new();
    for entry in archive.entries().map_err(error)? {
        let entry = entry.map_err(error)?;
        let name = entry.path().map_err(error)?.into_owned();
        let Some(&at) = name.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| wanted.get(stem)) else {
            continue;
        };
        let bytes = crate::photo::read(entry, &Limits::default()).map_err(|fault| DataError::Content {
            path: path.to_owned(),
            reason: format!("{}: {fault}", name.display()),
        })?;
        shard.push((at, bytes));
    }
    Ok(shard)
}

fn square(path: &Path, bytes: &[u8], side: usize) -> Result<Vec<u8>, DataError> {
    let decoded = Decoded::from_bytes(bytes, &Limits::default())
        .map_err(|fault| DataError::Content { path: path.to_owned(), reason: fault.to_string() })?;
    Ok(decoded.square(side).rgb)
}
