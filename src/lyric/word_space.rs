//! One space for tags and song words of all languages: vectors of English words, of tags, and of foreign words that
//! mean a tag.

use std::path::Path;

use super::error::LyricError;
use super::lexicon::Lexicon;
use super::own_tag::OwnTag;
use super::vectors::WordVectors;

/// Vectors of words and tags. All are of unit length and `dim` long.
#[derive(Debug, Clone)]
pub struct WordSpace {
    /// Vectors of words by their spelling, whatever the language.
    pub vectors: WordVectors,
    /// Names and forms of the tags.
    pub lexicon: Lexicon,
    /// `[n_tags, dim]`.
    tag_vectors: Vec<f32>,
}

impl WordSpace {
    /// The space of these vectors and the tags of this lexicon.
    ///
    /// A tag's vector is composed of two directions, each of unit length. One is that of its name: the words of the
    /// name that have a vector, each weighted by its rarity, since the rarer word of `gas station` or `hot spring` says
    /// more than `hot`. The other is that of the words it evokes, each weighted by the lexicon. The name counts by the
    /// share of its words that have a vector, the evoked words by the rest: `beach` is all name, `tulip` and `bridge`
    /// (no vector) are all evoked, `parking lot` is half of each. A tag with neither has zeros.
    pub fn new(vectors: WordVectors, lexicon: Lexicon) -> Self {
        let mut tag_vectors = Vec::with_capacity(lexicon.len() * vectors.dim());
        for tag in 0..lexicon.len() as u16 {
            tag_vectors.extend(compose(&vectors, &lexicon, tag));
        }
        Self { vectors, lexicon, tag_vectors }
    }

    /// The space of a model folder: `words.bin` and `lexicon/`.
    ///
    /// # Errors
    /// A file is missing or unusable.
    pub fn load(model_dir: &Path, vocabulary: &[String]) -> Result<Self, LyricError> {
        let vectors = WordVectors::load(&model_dir.join("words.bin"))?;
        Ok(Self::new(vectors, Lexicon::load(&model_dir.join("lexicon"), vocabulary)?))
    }

    /// The space of a data folder: `songs/vectors.*` and `lexicon/`.
    ///
    /// # Errors
    /// A file is missing or unusable.
    pub fn read_training(data_dir: &Path, vocabulary: &[String]) -> Result<Self, LyricError> {
        let vectors = WordVectors::read_training(&data_dir.join("songs"))?;
        Ok(Self::new(vectors, Lexicon::load(&data_dir.join("lexicon"), vocabulary)?))
    }

    /// The same with a team's own tags behind those of the model, whose vectors stay as they are.
    pub fn with(mut self, tags: &[OwnTag]) -> Self {
        let n_before = self.lexicon.len();
        self.lexicon = self.lexicon.with(tags);
        for tag in n_before..self.lexicon.len() {
            self.tag_vectors.extend(compose(&self.vectors, &self.lexicon, tag as u16));
        }
        self
    }

    /// Numbers in a vector.
    pub fn dim(&self) -> usize {
        self.vectors.dim()
    }

    /// The vector of a tag, `[dim]`: unit length, or zeros if nothing is known of it.
    ///
    /// # Panics
    /// If the tag is not of this vocabulary.
    pub fn tag_vector(&self, tag: u16) -> &[f32] {
        let start = usize::from(tag) * self.dim();
        &self.tag_vectors[start..start + self.dim()]
    }

    /// The vector of a song word, `[dim]`, unit length, if there is one (see [`WordSpace::write_word_vector`]).
    pub fn word_vector(&self, language: &str, word: &str) -> Option<Vec<f32>> {
        let mut vector = vec![0.0; self.dim()];
        self.write_word_vector(language, word, &mut vector).then_some(vector)
    }

    /// Writes the vector of a song word into a place of `dim` numbers and says whether there is one; without one the
    /// place stays as it is.
    ///
    /// In another language than English a word that means a tag has the tag's vector, so that `plage` and `beach` are
    /// one thing; a word that does not has the vector of its spelling, which only its own language shaped. An English
    /// word has the vector of its spelling, else that of the tag whose form it is (`tulips`).
    ///
    /// # Panics
    /// If the place has another length.
    pub fn write_word_vector(&self, language: &str, word: &str, place: &mut [f32]) -> bool {
        let tag = self.lexicon.tag_of(language, word);
        let id = self.vectors.id(word);
        match (tag, id) {
            (Some(tag), None) => place.copy_from_slice(self.tag_vector(tag)),
            (Some(tag), Some(_)) if language != "en" => place.copy_from_slice(self.tag_vector(tag)),
            (_, Some(id)) => self.vectors.write_vector(id, place),
            (None, None) => return false,
        }
        true
    }

    /// Whether a song word of this language can matter for matching: it has a vector, or the lexicon knows it.
    pub fn knows(&self, language: &str, word: &str) -> bool {
        self.vectors.id(word).is_some() || self.lexicon.knows(language, word)
    }
}

/// The vector of a tag, `[dim]`.
fn compose(vectors: &WordVectors, lexicon: &Lexicon, tag: u16) -> Vec<f32> {
    let name_words: Vec<&str> = lexicon.name(tag, "en").split_whitespace().collect();
    let known: Vec<(u32, f32)> =
        name_words.iter().filter_map(|word| vectors.id(word)).map(|id| (id, vectors.rarity(id).max(0.05))).collect();
    let evoked: Vec<(u32, f32)> =
        lexicon.evokes(tag).iter().filter_map(|(word, weight)| Some((vectors.id(word)?, *weight))).collect();
    let name_share = match (known.is_empty(), evoked.is_empty()) {
        (true, _) => 0.0,
        (false, true) => 1.0,
        (false, false) => known.len() as f32 / name_words.len() as f32,
    };
    let (name, evoked) = (direction(vectors, &known), direction(vectors, &evoked));
    let blended = name.iter().zip(&evoked).map(|(n, e)| n * name_share + e * (1.0 - name_share)).collect();
    unit(blended)
}

/// The weighted sum of the words' vectors, scaled to unit length.
fn direction(vectors: &WordVectors, words: &[(u32, f32)]) -> Vec<f32> {
    let mut sum = vec![0.0; vectors.dim()];
    for &(id, weight) in words {
        for (total, value) in sum.iter_mut().zip(vectors.vector(id)) {
            *total += weight * value;
        }
    }
    unit(sum)
}

fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|value| *value /= length);
    }
    vector
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_data::data_dir;

    fn dot(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(x, y)| x * y).sum()
    }

    fn sample() -> WordSpace {
        let words = ["hot", "beach", "spring", "flower", "garden", "playa"];
        let values = [1.0, 0.0, 0.0, 1.0, 0.0, -1.0, 0.6, 0.8, -0.6, 0.8, 0.5, 0.5];
        let tags: Vec<String> = ["beach", "tulip", "hot spring", "unheard", "bridge"].map(str::to_owned).into();
        let cells = "\tplaya | playa".to_owned() + &"\tx | x".repeat(8);
        let tags_tsv = format!("beach{cells}\n");
        let lexicon = Lexicon::parse(&tags_tsv, "tulip\tflower:0.9,garden:0.3\nbeach\tflower:0.9\n", &tags).unwrap();
        WordSpace::new(WordVectors::from_rows(words, &values).unwrap(), lexicon)
    }

    #[test]
    fn tags_are_composed() {
        let space = sample();
        let near = |tag, expected: [f32; 2]| {
            let vector = space.tag_vector(tag);
            assert!(dot(vector, &expected) > 0.99, "{tag}: {vector:?}");
        };
        near(0, [0.0, 1.0]);
        near(1, unit(vec![0.9 * 0.6 - 0.3 * 0.6, 0.9 * 0.8 + 0.3 * 0.8]).try_into().unwrap());
        // `hot` is the most frequent word, so nearly all of the tag is `spring`.
        near(2, [0.08, -1.0]);
        assert_eq!(space.tag_vector(3), [0.0, 0.0]);
    }

    #[test]
    fn foreign_words_take_the_vector_of_their_tag() {
        let space = sample();
        assert_eq!(space.word_vector("es", "playa").unwrap(), space.tag_vector(0));
        assert_ne!(space.word_vector("en", "playa").unwrap(), space.tag_vector(0));
        assert_eq!(space.word_vector("en", "tulips").unwrap(), space.tag_vector(1));
        assert_eq!(space.word_vector("es", "tulips"), None);
        assert!(space.knows("en", "tulips") && space.knows("es", "flower") && !space.knows("fr", "tulips"));
    }

    #[test]
    fn own_tags_get_vectors_of_their_words() {
        let own = |name: &str, words: &[&str]| OwnTag {
            name: name.to_owned(),
            words: words.iter().map(|word| ((*word).to_owned(), 1.0)).collect(),
            ..OwnTag::default()
        };
        let before = sample();
        let space = before.clone().with(&[own("garden", &[]), own("blorp", &["flower"]), own("blarp", &["blurp"])]);
        assert_eq!(space.tag_vector(0), before.tag_vector(0));
        assert!(dot(space.tag_vector(5), &[-0.6, 0.8]) > 0.99);
        assert!(dot(space.tag_vector(6), &[0.6, 0.8]) > 0.99);
        assert_eq!(space.tag_vector(7), [0.0, 0.0]);
    }

    #[test]
    fn every_tag_of_the_data_folder_has_a_vector() {
        let (Some(dir), Some(photos)) = (data_dir(""), data_dir("photos")) else { return };
        let tags: Vec<String> =
            std::fs::read_to_string(photos.join("tags.txt")).unwrap().lines().map(str::to_owned).collect();
        let space = WordSpace::read_training(&dir, &tags).unwrap();
        for tag in 0..tags.len() as u16 {
            let vector = space.tag_vector(tag);
            assert!((dot(vector, vector) - 1.0).abs() < 1e-4, "{}", tags[usize::from(tag)]);
        }
        let id = |name| tags.iter().position(|tag| tag == name).unwrap() as u16;
        let (bridge, river) = (space.tag_vector(id("bridge")), space.tag_vector(id("river")));
        assert!(dot(bridge, river) > 0.5, "bridge is composed of river, crossing and water");
        assert_eq!(space.word_vector("fr", "plage").unwrap(), space.tag_vector(id("beach")));
    }
}
