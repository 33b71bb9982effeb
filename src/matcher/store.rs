//! The tag-free song vectors of a catalogue, `catalog/vectors.i8`, made once by a matcher and tied to it.

use std::path::Path;

use super::error::MatcherError;
use crate::lyric::packed::{ColumnReader, ColumnWriter, Kind, PackedError};

/// Name of the file in the catalogue's folder.
pub const FILE_NAME: &str = "vectors.i8";

const KIND: Kind = Kind { magic: *b"I2SVECTR", version: 1 };

/// Vectors and priors with what they were made from.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredVectors {
    /// Digest of `matcher.safetensors`.
    pub matcher: String,
    /// Digest of the catalogue.
    pub catalogue: String,
    /// Unit vectors times 127, `[n_songs, n_joint]`.
    pub vectors: Vec<i8>,
    /// `[n_songs]`.
    pub priors: Vec<f32>,
}

impl StoredVectors {
    /// The bytes of the file.
    ///
    /// # Errors
    /// There are too many songs for the format.
    pub fn to_bytes(&self) -> Result<Vec<u8>, PackedError> {
        let mut writer = ColumnWriter::default();
        writer.bytes(self.matcher.as_bytes())?;
        writer.bytes(self.catalogue.as_bytes())?;
        writer.bytes(&self.priors.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>())?;
        writer.bytes(&self.vectors.iter().map(|x| x.to_le_bytes()[0]).collect::<Vec<u8>>())?;
        KIND.pack(&writer.finish())
    }

    /// Vectors from the bytes of a file.
    ///
    /// # Errors
    /// The bytes are of another kind or damaged.
    pub fn from_bytes(file: &[u8]) -> Result<Self, PackedError> {
        let payload = KIND.unpack(file)?;
        let mut reader = ColumnReader::new(&payload);
        let matcher = reader.text()?.to_owned();
        let catalogue = reader.text()?.to_owned();
        let priors = reader.bytes()?.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        let vectors = reader.bytes()?.iter().map(|&b| i8::from_le_bytes([b])).collect();
        reader.finish()?;
        Ok(Self { matcher, catalogue, vectors, priors })
    }

    /// Writes the file into a catalogue's folder.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save(&self, dir: &Path) -> Result<(), MatcherError> {
        let path = dir.join(FILE_NAME);
        let bytes = self.to_bytes().map_err(|source| MatcherError::Vectors { source })?;
        std::fs::write(&path, bytes).map_err(|source| MatcherError::Unwritable { path, source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_damage_is_noticed() {
        let stored = StoredVectors {
            matcher: "ab".into(),
            catalogue: "cd".into(),
            vectors: vec![-127, 0, 5, 127],
            priors: vec![0.5, -2.0],
        };
        let bytes = stored.to_bytes().unwrap();
        assert_eq!(StoredVectors::from_bytes(&bytes).unwrap(), stored);
        for end in 0..bytes.len() {
            assert!(StoredVectors::from_bytes(&bytes[..end]).is_err(), "cut at {end}");
        }
    }
}
