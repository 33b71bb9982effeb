//! The matcher's parameters by name, as training makes and serving reads them: `matcher.safetensors`.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use half::f16;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::error::MatcherError;
use super::songs::{N_FEATURES, N_MARKS, language_code};
use crate::lyric::affinity::Places;
use crate::lyric::lexicon::LANGUAGES;

/// Sizes of a matcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Numbers in a word vector.
    pub n_vector: usize,
    /// Numbers in the state of one direction.
    pub n_hidden: usize,
    /// Numbers in an attention key.
    pub n_keys: usize,
    /// Numbers in a vector of the joint space.
    pub n_joint: usize,
    /// Tags of the vocabulary.
    pub n_tags: usize,
}

impl Sizes {
    /// Numbers of a word's input: vector, marks, rarity, weight.
    pub fn n_inputs(&self) -> usize {
        self.n_vector + N_MARKS + 2
    }
}

/// How a song's states become one lyric vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooling {
    /// Tag attention.
    Attention,
    /// The mean of the states, while the worth of words to tags still counts by itself: what attention alone adds is the
    /// difference.
    Woken,
    /// The mean of the states, and no worth of words to tags: the bare network, for comparison.
    Mean,
}

impl Pooling {
    const NAMED: [(Self, &'static str); 3] =
        [(Self::Attention, "attention"), (Self::Woken, "woken"), (Self::Mean, "mean")];

    /// Whether what the tags wake in a song is part of its score.
    pub fn has_woken(self) -> bool {
        self != Self::Mean
    }

    fn name(self) -> &'static str {
        Self::NAMED.iter().find(|(pooling, _)| *pooling == self).map_or("attention", |(_, name)| name)
    }
}

/// Numbers with their shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// Sizes, outermost first.
    pub shape: Vec<usize>,
    /// The numbers, row-major.
    pub values: Vec<f32>,
}

/// A word of a language to which the affinity table gives a worth.
pub type TableTerm = (u8, String);

/// All parameters, and the words of the affinity table.
#[derive(Debug, Clone)]
pub struct Weights {
    /// Sizes of the arrays.
    pub sizes: Sizes,
    /// How states are pooled.
    pub pooling: Pooling,
    /// By name.
    pub arrays: BTreeMap<String, Array>,
    /// Words of the affinity table, in the order of its rows.
    pub table_terms: Vec<TableTerm>,
    /// The table's places; the values are the array `affinity`.
    pub places: Places,
}

/// Where a new matcher starts from.
#[derive(Debug, Clone)]
pub struct Start {
    /// Tag vectors `[n_tags, n_vector]`.
    pub tag_vectors: Vec<f32>,
    /// Logarithm of how telling each tag is, `[n_tags]`.
    pub importance: Vec<f32>,
    /// Words of the affinity table.
    pub table_terms: Vec<TableTerm>,
    /// Its places.
    pub places: Places,
    /// Its values.
    pub worths: Vec<f32>,
}

impl Weights {
    /// Parameters before training: small random numbers from `seed`, tags and table from `start`.
    pub fn initial(sizes: Sizes, pooling: Pooling, start: Start, seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut arrays = BTreeMap::new();
        let (h, d, joint) = (sizes.n_hidden, 2 * sizes.n_hidden, sizes.n_joint);
        let mut add = |name: &str, shape: &[usize], scale: f32, offset: f32| {
            let n = shape.iter().product();
            let values = (0..n).map(|_| offset + (rng.f32() * 2.0 - 1.0) * scale).collect();
            arrays.insert(name.to_owned(), Array { shape: shape.to_vec(), values });
        };
        let uniform = |fan_in: usize| (3.0 / fan_in as f32).sqrt();
        for direction in ["forward", "backward"] {
            add(&format!("gru.{direction}.input"), &[sizes.n_inputs(), 3 * h], 1.0, 0.0);
            add(&format!("gru.{direction}.bias"), &[3 * h], 0.0, 0.0);
            add(&format!("gru.{direction}.recurrent"), &[h, 3 * h], uniform(h) * 0.6, 0.0);
        }
        add("attention.keys", &[d, sizes.n_keys], uniform(d), 0.0);
        add("attention.queries", &[sizes.n_vector, sizes.n_keys], 1.0, 0.0);
        add("attention.w", &[sizes.n_keys], uniform(sizes.n_keys), 0.0);
        add("attention.worth", &[1], 0.0, 3.0);
        add("tags.exponent", &[1], 0.0, 1.5);
        add("woken.marks", &[N_MARKS], 0.0, 0.0);
        add("woken.exponent", &[1], 0.0, 0.5);
        add("woken.scales", &[2], 0.0, 2.0);
        for side in ["lyric", "song"] {
            add(&format!("{side}.hidden"), &[d, joint], uniform(d), 0.0);
            add(&format!("{side}.hidden_bias"), &[joint], 0.0, 0.0);
            add(&format!("{side}.out"), &[joint, joint], uniform(joint), 0.0);
            add(&format!("photo.{side}"), &[joint, joint], uniform(joint), 0.0);
            add(&format!("{side}.scale"), &[1], 0.0, 8.0);
        }
        add("song.pool", &[d], 0.1, 0.0);
        add("photo.hidden", &[sizes.n_vector, joint], 1.5, 0.0);
        add("photo.hidden_bias", &[joint], 0.0, 0.0);
        add("prior.features", &[N_FEATURES], 0.0, 0.0);
        add("prior.hidden", &[joint], 0.0, 0.0);
        let mut put = |name: &str, shape: Vec<usize>, values: Vec<f32>| {
            arrays.insert(name.to_owned(), Array { shape, values });
        };
        put("tags.vectors", vec![sizes.n_tags, sizes.n_vector], start.tag_vectors);
        put("tags.importance", vec![sizes.n_tags], start.importance);
        put("affinity", vec![start.worths.len()], start.worths);
        Self { sizes, pooling, arrays, table_terms: start.table_terms, places: start.places }
    }

    /// The numbers of a parameter.
    ///
    /// # Panics
    /// If there is none of that name: names are fixed, and loading checks that all are there.
    pub fn get(&self, name: &str) -> &[f32] {
        &self.arrays.get(name).expect("every parameter is there, loading checks it").values
    }

    /// Writes `matcher.safetensors`, numbers as f16.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), MatcherError> {
        let mut buffers: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = Vec::new();
        for (name, array) in &self.arrays {
            let bytes = array.values.iter().flat_map(|&x| f16::from_f32(x).to_le_bytes()).collect();
            buffers.push((name.clone(), Dtype::F16, array.shape.clone(), bytes));
        }
        let text: Vec<u8> = self.table_terms.iter().flat_map(|(code, word)| line(*code, word)).collect();
        buffers.push(("table.terms".into(), Dtype::U8, vec![text.len()], text));
        let starts: Vec<u8> = self.places.starts().iter().flat_map(|x| x.to_le_bytes()).collect();
        buffers.push(("table.starts".into(), Dtype::U32, vec![self.places.starts().len()], starts));
        let tags: Vec<u8> = self.places.tags().iter().flat_map(|x| x.to_le_bytes()).collect();
        buffers.push(("table.tags".into(), Dtype::U16, vec![self.places.tags().len()], tags));
        let mut views = Vec::with_capacity(buffers.len());
        for (name, dtype, shape, bytes) in &buffers {
            views.push((name.clone(), TensorView::new(*dtype, shape.clone(), bytes).map_err(MatcherError::format)?));
        }
        let file = safetensors::serialize(views, Some(self.metadata())).map_err(MatcherError::format)?;
        std::fs::write(path, file).map_err(|source| MatcherError::Unwritable { path: path.to_owned(), source })
    }

    fn metadata(&self) -> HashMap<String, String> {
        let Sizes { n_vector, n_hidden, n_keys, n_joint, n_tags } = self.sizes;
        let sizes = [n_vector, n_hidden, n_keys, n_joint, n_tags].map(|x| x.to_string()).join(",");
        HashMap::from([
            ("kind".to_owned(), KIND.to_owned()),
            ("pooling".to_owned(), self.pooling.name().to_owned()),
            ("sizes".to_owned(), sizes),
        ])
    }

    /// Reads `matcher.safetensors`.
    ///
    /// # Errors
    /// The file is missing, is no matcher, or its arrays do not have the stated sizes.
    pub fn load(path: &Path) -> Result<Self, MatcherError> {
        let bytes = std::fs::read(path).map_err(|source| MatcherError::Unreadable { path: path.to_owned(), source })?;
        Self::from_bytes(&bytes)
    }

    /// Parameters from the bytes of a `matcher.safetensors`.
    ///
    /// # Errors
    /// The bytes are no matcher, or its arrays do not have the stated sizes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MatcherError> {
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(MatcherError::format)?;
        let metadata = header.metadata().clone().unwrap_or_default();
        let misfit = |what: &str| MatcherError::NoMatcher { fault: what.to_owned() };
        if metadata.get("kind").map(String::as_str) != Some(KIND) {
            return Err(misfit("its header does not say that it is a matcher of this version"));
        }
        let sizes: Vec<usize> =
            metadata.get("sizes").into_iter().flat_map(|s| s.split(',')).filter_map(|x| x.parse().ok()).collect();
        let [n_vector, n_hidden, n_keys, n_joint, n_tags] = sizes[..] else {
            return Err(misfit("its header states no sizes"));
        };
        let is_tame = sizes.iter().all(|&x| (1..=8192).contains(&x));
        let sizes = Sizes { n_vector, n_hidden, n_keys, n_joint, n_tags };
        if !is_tame {
            return Err(misfit("its sizes are not between 1 and 8192"));
        }
        let tensors = SafeTensors::deserialize(bytes).map_err(MatcherError::format)?;
        let raw = |name: &str, dtype: Dtype| match tensors.tensor(name) {
            Ok(view) if view.dtype() == dtype => Ok(view),
            _ => Err(misfit(&format!("{name} is missing or of another type"))),
        };
        let text = String::from_utf8_lossy(raw("table.terms", Dtype::U8)?.data()).into_owned();
        let table_terms: Vec<TableTerm> = text.lines().filter_map(parse_line).collect();
        let starts = raw("table.starts", Dtype::U32)?;
        let starts = starts.data().chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        let tags = raw("table.tags", Dtype::U16)?;
        let tags: Vec<u16> = tags.data().chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]])).collect();
        let n_entries = tags.len();
        let places = Places::from_parts(starts, tags, n_tags)
            .filter(|places| places.n_words() == table_terms.len())
            .ok_or_else(|| misfit("its affinity table does not fit its words"))?;
        let start = Start {
            tag_vectors: vec![0.0; n_tags * n_vector],
            importance: vec![0.0; n_tags],
            table_terms,
            places,
            worths: vec![0.0; n_entries],
        };
        let pooling = metadata.get("pooling").and_then(|p| Pooling::NAMED.iter().find(|(_, name)| p == name));
        let pooling = pooling.map(|(pooling, _)| *pooling).ok_or_else(|| misfit("its way of pooling is unknown"))?;
        let mut weights = Self::initial(sizes, pooling, start, 0);
        for (name, array) in &mut weights.arrays {
            let view = raw(name, Dtype::F16)?;
            if view.shape() != array.shape {
                return Err(misfit(&format!("{name} is {:?}, not {:?}", view.shape(), array.shape)));
            }
            array.values = view.data().chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32()).collect();
        }
        Ok(weights)
    }
}

/// Kind and version in the header.
const KIND: &str = "image2song-matcher-1";

fn line(code: u8, word: &str) -> Vec<u8> {
    let language = match usize::from(code) {
        code if code < LANGUAGES.len() => LANGUAGES[code],
        code if code == LANGUAGES.len() => "en",
        _ => "-",
    };
    format!("{language} {word}\n").into_bytes()
}

fn parse_line(line: &str) -> Option<TableTerm> {
    let (language, word) = line.split_once(' ')?;
    Some((language_code(language), word.to_owned()))
}
