//! Word vectors: unit length, one byte a number, so that 40,000 words of 100 numbers take 4 MB.

use std::path::Path;

use half::f16;

use super::error::{self, LyricError};
use super::look_alikes::fold_look_alikes;
use super::packed::{ColumnReader, ColumnWriter, Kind, PackedError};
use super::string_table::StringTable;

/// The bundled form, `words.bin`.
const KIND: Kind = Kind { magic: *b"I2SWORDS", version: 1 };

/// Vectors of the words that are known, by number; the number follows frequency, most frequent first.
///
/// Training and serving see the same numbers: both forms are rounded to `i8` with one scale a row (a rounding error of
/// at most 0.4 % of the row's largest number), and the scale follows from the row being of unit length.
#[derive(Debug, Clone)]
pub struct WordVectors {
    dim: usize,
    words: StringTable,
    /// Place of each word in the frequency order of all words that the vectors were made with, rising.
    ranks: Vec<u32>,
    /// `[n_words, dim]`.
    rows: Vec<i8>,
    /// What a row is multiplied by to be of unit length, `[n_words]`.
    scales: Vec<f32>,
}

impl WordVectors {
    /// How many words have a vector.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether no word has a vector.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Numbers in a vector.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The number of a word, if it has a vector.
    pub fn id(&self, word: &str) -> Option<u32> {
        self.words.find(word)
    }

    /// The word of this number.
    ///
    /// # Panics
    /// If there is none.
    pub fn word(&self, id: u32) -> &str {
        self.words.get(id)
    }

    /// The vector of a word, `[dim]`, unit length.
    ///
    /// # Panics
    /// If there is none.
    pub fn vector(&self, id: u32) -> Vec<f32> {
        let mut vector = vec![0.0; self.dim];
        self.write_vector(id, &mut vector);
        vector
    }

    /// The same into a place of `dim` numbers.
    ///
    /// # Panics
    /// If there is none, or the place has another length.
    pub fn write_vector(&self, id: u32, place: &mut [f32]) {
        assert_eq!(place.len(), self.dim, "a place for a vector has its length");
        let start = id as usize * self.dim;
        let scale = self.scales[id as usize];
        for (value, &byte) in place.iter_mut().zip(&self.rows[start..start + self.dim]) {
            *value = f32::from(byte) * scale;
        }
    }

    /// How rare a word is, in `[0, 1]`: 0 for the most frequent word, towards 1 for the least. The logarithm of the
    /// frequency rank, which by Zipf's law falls with the logarithm of the frequency, so needs no counts.
    pub fn rarity(&self, id: u32) -> f32 {
        let last = self.ranks.last().map_or(1.0, |&rank| rank.max(1) as f32);
        ((1.0 + self.ranks[id as usize] as f32).ln() / (1.0 + last).ln()).min(1.0)
    }

    /// Vectors from words in order of frequency and their numbers, `[n_words, dim]`; rows are scaled to unit length.
    ///
    /// # Errors
    /// Names the word that stands twice, as a line from 1; or sizes do not fit.
    pub fn from_rows<'w>(words: impl IntoIterator<Item = &'w str>, values: &[f32]) -> Result<Self, LyricError> {
        let bad_line = |line, fault| LyricError::BadLine { file: "the vocabulary".to_owned(), line, fault };
        let mut table = StringTable::default();
        for (word_idx, word) in words.into_iter().enumerate() {
            if table.insert(word) != Some(word_idx as u32) {
                return Err(bad_line(word_idx + 1, format!("{word:?} stands twice; each word may stand once")));
            }
        }
        let dim = values.len().checked_div(table.len()).unwrap_or(0);
        if dim * table.len() != values.len() {
            return Err(bad_line(table.len(), format!("{} numbers cannot be shared out evenly", values.len())));
        }
        let rows: Vec<i8> = values.chunks(dim.max(1)).flat_map(quantize).collect();
        Ok(Self::from_parts(dim, table, None, rows))
    }

    fn from_parts(dim: usize, words: StringTable, ranks: Option<Vec<u32>>, rows: Vec<i8>) -> Self {
        let ranks = ranks.unwrap_or_else(|| (0..words.len() as u32).collect());
        let scales = rows.chunks(dim.max(1)).map(unit_scale).collect();
        Self { dim, words, ranks, rows, scales }
    }

    /// Reads the form for training: `vectors.f16` (little-endian, a row a word) and `vectors.vocab.txt` (a word a
    /// line, most frequent first) of a songs folder. Words with look-alike letters are left out, since the tokenizer
    /// gives their Latin form.
    ///
    /// # Errors
    /// A file is missing, a word stands twice, or the sizes do not fit.
    pub fn read_training(dir: &Path) -> Result<Self, LyricError> {
        let (vocabulary_path, vectors_path) = (dir.join("vectors.vocab.txt"), dir.join("vectors.f16"));
        let vocabulary = error::read_text(&vocabulary_path)?;
        let bytes = error::read(&vectors_path)?;
        let n_words = vocabulary.lines().count();
        let dim = bytes.len() / 2 / n_words.max(1);
        if n_words == 0 || dim == 0 || dim * n_words * 2 != bytes.len() {
            let fault = format!(
                "{} bytes are no whole number of f16 for each of the {n_words} words of vectors.vocab.txt",
                bytes.len()
            );
            return Err(LyricError::Misfit { path: vectors_path, fault });
        }
        let (mut words, mut ranks, mut rows) = (StringTable::default(), Vec::new(), Vec::new());
        for (line_idx, (word, row)) in vocabulary.lines().zip(bytes.chunks(dim * 2)).enumerate() {
            if fold_look_alikes(word) != word {
                continue;
            }
            if words.insert(word) != Some(ranks.len() as u32) {
                let fault = format!("{word:?} stands twice; each word may stand once");
                return Err(LyricError::BadLine {
                    file: vocabulary_path.display().to_string(),
                    line: line_idx + 1,
                    fault,
                });
            }
            ranks.push(line_idx as u32);
            let values: Vec<f32> = row.chunks(2).map(|two| f16::from_le_bytes([two[0], two[1]]).to_f32()).collect();
            rows.extend(quantize(&values));
        }
        Ok(Self::from_parts(dim, words, Some(ranks), rows))
    }

    /// The vectors of the words that are wanted; order, numbers and rarity stay.
    pub fn keep(&self, is_wanted: impl Fn(&str) -> bool) -> Self {
        let (mut words, mut ranks, mut rows) = (StringTable::default(), Vec::new(), Vec::new());
        for (word_idx, word) in self.words.iter().enumerate().filter(|(_, word)| is_wanted(word)) {
            words.insert(word);
            ranks.push(self.ranks[word_idx]);
            rows.extend_from_slice(&self.rows[word_idx * self.dim..(word_idx + 1) * self.dim]);
        }
        Self::from_parts(self.dim, words, Some(ranks), rows)
    }

    /// Reads the bundled form.
    ///
    /// # Errors
    /// The file is missing, of another kind or version, or damaged.
    pub fn load(path: &Path) -> Result<Self, LyricError> {
        let unusable = |source| LyricError::Unusable { file: path.display().to_string(), source };
        Self::from_bytes(&error::read(path)?).map_err(unusable)
    }

    /// Writes the bundled form.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), LyricError> {
        let unusable = |source| LyricError::Unusable { file: path.display().to_string(), source };
        error::write(path, &self.to_bytes().map_err(unusable)?)
    }

    /// The bundled form of these bytes.
    ///
    /// # Errors
    /// They are of another kind or version, or damaged.
    pub fn from_bytes(file: &[u8]) -> Result<Self, PackedError> {
        let payload = KIND.unpack(file)?;
        let mut reader = ColumnReader::new(&payload);
        let dim = reader.number()? as usize;
        let words =
            StringTable::from_lines(reader.text()?).ok_or(PackedError::Damaged { what: "a word stands twice" })?;
        let ranks = reader.numbers_exactly(words.len())?;
        let n_values = words.len().checked_mul(dim).ok_or(PackedError::Damaged { what: "too many numbers" })?;
        let rows = reader.bytes_exactly(n_values)?.iter().map(|&byte| byte.cast_signed()).collect();
        reader.finish()?;
        Ok(Self::from_parts(dim, words, Some(ranks), rows))
    }

    /// The bundled form.
    ///
    /// # Errors
    /// There is more than a file can hold (4 GiB).
    pub fn to_bytes(&self) -> Result<Vec<u8>, PackedError> {
        let mut writer = ColumnWriter::default();
        writer.number(self.dim as u32);
        writer.bytes(self.words.to_lines().as_bytes())?;
        writer.numbers(&self.ranks)?;
        writer.bytes(&self.rows.iter().map(|&value| value.cast_unsigned()).collect::<Vec<u8>>())?;
        KIND.pack(&writer.finish())
    }
}

/// The row in steps of its largest number / 127; not-numbers count as 0.
fn quantize(row: &[f32]) -> Vec<i8> {
    let largest = row.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
    let step = if largest > 0.0 && largest.is_finite() { largest / 127.0 } else { 1.0 };
    row.iter().map(|value| (value / step).round() as i8).collect()
}

fn unit_scale(row: &[i8]) -> f32 {
    let squares: f32 = row.iter().map(|&value| f32::from(value) * f32::from(value)).sum();
    if squares > 0.0 { 1.0 / squares.sqrt() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_data::data_dir;

    fn dot(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(x, y)| x * y).sum()
    }

    fn sample() -> WordVectors {
        let values = [3.0, 4.0, 0.0, -1.0, 0.5, 0.25, 0.0, 0.0, 0.0];
        WordVectors::from_rows(["sea", "sand", "nothing"], &values).unwrap()
    }

    #[test]
    fn rows_are_of_unit_length() {
        let vectors = sample();
        assert_eq!((vectors.len(), vectors.dim()), (3, 3));
        for (word, expected) in [("sea", [0.6, 0.8, 0.0]), ("sand", [-0.873, 0.436, 0.218]), ("nothing", [0.0; 3])] {
            let vector = vectors.vector(vectors.id(word).unwrap());
            for (found, expected) in vector.iter().zip(expected) {
                assert!((found - expected).abs() < 0.005, "{word} {vector:?}");
            }
        }
        assert_eq!(vectors.id("snow"), None);
    }

    #[test]
    fn the_bundled_form_is_the_same() {
        let vectors = sample().keep(|word| word != "sea");
        let file = vectors.to_bytes().unwrap();
        let again = WordVectors::from_bytes(&file).unwrap();
        assert_eq!(again.vector(0), sample().vector(1));
        assert_eq!(again.rarity(0), sample().rarity(1));
        assert_eq!(again.word(1), "nothing");
        for position in 0..file.len() {
            assert!(WordVectors::from_bytes(&file[..position]).is_err());
        }
    }

    #[test]
    fn a_word_that_stands_twice_is_refused() {
        let error = WordVectors::from_rows(["sea", "sea"], &[1.0, 2.0]).unwrap_err();
        assert_eq!(error.to_string(), "the vocabulary, line 2: \"sea\" stands twice; each word may stand once");
    }

    #[test]
    fn sizes_that_do_not_fit_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("vectors.vocab.txt"), "sea\nsand\n").unwrap();
        std::fs::write(dir.path().join("vectors.f16"), [0; 7]).unwrap();
        let error = WordVectors::read_training(dir.path()).unwrap_err();
        assert!(error.to_string().contains("7 bytes are no whole number"), "{error}");
    }

    #[test]
    fn near_words_of_the_data_folder_are_near() {
        let Some(songs) = data_dir("songs") else { return };
        let vectors = WordVectors::read_training(&songs).unwrap();
        assert_eq!(vectors.dim(), 100);
        assert!(vectors.id("lov\u{435}").is_none());
        let vector = |word| vectors.vector(vectors.id(word).unwrap());
        let (beach, sand, winter) = (vector("beach"), vector("sand"), vector("winter"));
        assert!((dot(&beach, &beach) - 1.0).abs() < 1e-5);
        assert!(dot(&beach, &sand) > dot(&beach, &winter) + 0.2);
    }
}
