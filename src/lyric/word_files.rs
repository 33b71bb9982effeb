//! The files by which a model reads words: where they lie in a data folder, where in a model folder, and the way from
//! the one to the other.

use std::io::ErrorKind;
use std::path::Path;

use super::error::{self, LyricError};
use super::lexicon::Lexicon;
use super::tokenize::Tokenizer;
use super::vectors::WordVectors;
use super::word_space::WordSpace;

/// Stop words, word vectors and lexicon, read and ready, with the texts that they were read from.
#[derive(Debug, Clone)]
pub struct WordFiles {
    /// Cuts texts into words.
    pub tokenizer: Tokenizer,
    /// Vectors of words and tags.
    pub space: WordSpace,
    stop_words: String,
    tags_tsv: String,
    evokes_tsv: String,
}

impl WordFiles {
    /// Reads `songs/stopwords.txt`, `songs/vectors.*` and, if it is there, `lexicon/` of a data folder.
    ///
    /// # Errors
    /// A file is missing, or a line is not as it should be.
    pub fn read_training(data_dir: &Path, vocabulary: &[String]) -> Result<Self, LyricError> {
        let songs = data_dir.join("songs");
        let vectors = WordVectors::read_training(&songs)?;
        Self::new(&songs.join("stopwords.txt"), vectors, &data_dir.join("lexicon"), vocabulary)
    }

    /// Reads `stopwords.txt`, `words.bin` and, if it is there, `lexicon/` of a model folder.
    ///
    /// # Errors
    /// A file is missing or damaged, or a line is not as it should be.
    pub fn load(model_dir: &Path, vocabulary: &[String]) -> Result<Self, LyricError> {
        let vectors = WordVectors::load(&model_dir.join("words.bin"))?;
        Self::new(&model_dir.join("stopwords.txt"), vectors, &model_dir.join("lexicon"), vocabulary)
    }

    fn new(
        stop_words: &Path,
        vectors: WordVectors,
        lexicon_dir: &Path,
        vocabulary: &[String],
    ) -> Result<Self, LyricError> {
        let stop_words = error::read_text(stop_words)?;
        let tags_tsv = text_or_empty(&lexicon_dir.join("tags.tsv"))?;
        let evokes_tsv = text_or_empty(&lexicon_dir.join("evokes.tsv"))?;
        let lexicon = Lexicon::parse(&tags_tsv, &evokes_tsv, vocabulary)?;
        let tokenizer = Tokenizer::from_stopwords(&stop_words);
        Ok(Self { tokenizer, space: WordSpace::new(vectors, lexicon), stop_words, tags_tsv, evokes_tsv })
    }

    /// Writes `stopwords.txt`, `words.bin` and `lexicon/` into a model folder, which is made if it is missing. All
    /// words keep their vectors, also those that no song of a catalogue has: another catalogue or a user's hint can.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn write(&self, model_dir: &Path) -> Result<(), LyricError> {
        let lexicon_dir = model_dir.join("lexicon");
        std::fs::create_dir_all(&lexicon_dir)
            .map_err(|source| LyricError::Unwritable { path: lexicon_dir.clone(), source })?;
        self.space.vectors.save(&model_dir.join("words.bin"))?;
        error::write(&model_dir.join("stopwords.txt"), self.stop_words.as_bytes())?;
        error::write(&lexicon_dir.join("tags.tsv"), self.tags_tsv.as_bytes())?;
        error::write(&lexicon_dir.join("evokes.tsv"), self.evokes_tsv.as_bytes())
    }
}

/// The text of a file that need not be there.
pub(super) fn text_or_empty(path: &Path) -> Result<String, LyricError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(source) if source.kind() == ErrorKind::NotFound => Ok(String::new()),
        Err(source) => Err(LyricError::Unreadable { path: path.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_folder_reads_words_as_the_data_folder_does() {
        let (data, model) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let songs = data.path().join("songs");
        std::fs::create_dir(&songs).unwrap();
        std::fs::write(songs.join("stopwords.txt"), "[en]\nthe\n").unwrap();
        std::fs::write(songs.join("vectors.vocab.txt"), "sea\nsand\n").unwrap();
        let values = [0.6_f32, 0.8, -1.0, 0.0].map(half::f16::from_f32);
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        std::fs::write(songs.join("vectors.f16"), bytes).unwrap();
        let vocabulary = ["sea".to_owned()];
        let read = WordFiles::read_training(data.path(), &vocabulary).unwrap();
        read.write(&model.path().join("new")).unwrap();
        let loaded = WordFiles::load(&model.path().join("new"), &vocabulary).unwrap();
        assert_eq!(loaded.tokenizer.tokens("en", "the sea"), ["sea"]);
        assert_eq!(loaded.space.word_vector("en", "sand"), read.space.word_vector("en", "sand"));
        assert_eq!(loaded.space.tag_vector(0), read.space.tag_vector(0));
        let error = WordFiles::load(data.path(), &vocabulary).unwrap_err().to_string();
        assert!(error.ends_with("words.bin"), "{error}");
    }
}
