//! What a community's likes changed in a matcher, as a file of a few kB: `taste.safetensors` for all,
//! `communities/KEY.safetensors` for one community. Only the query's side and a prior over songs change, so that no song
//! has to be read anew.

use std::collections::HashMap;

use half::f16;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::error::MatcherError;
use super::weights::Sizes;

/// A change of low rank: `x down up + bias`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LowRank {
    /// `[n_in, rank]`; empty for no change that depends on the input.
    pub down: Vec<f32>,
    /// `[rank, n_out]`.
    pub up: Vec<f32>,
    /// `[n_out]`; empty for none.
    pub bias: Vec<f32>,
}

impl LowRank {
    /// Adds the change for `x` `[n_in]`, times `scale`, to `out` `[n_out]`.
    pub fn add(&self, x: &[f32], scale: f32, out: &mut [f32]) {
        let rank = self.down.len() / x.len().max(1);
        for r in 0..rank {
            let inner: f32 = x.iter().enumerate().map(|(i, x)| x * self.down[i * rank + r]).sum();
            let row = &self.up[r * out.len()..][..out.len()];
            out.iter_mut().zip(row).for_each(|(out, up)| *out += scale * inner * up);
        }
        out.iter_mut().zip(&self.bias).for_each(|(out, bias)| *out += scale * bias);
    }

    fn fits(&self, n_in: usize, n_out: usize) -> bool {
        let rank = self.down.len() / n_in;
        self.down.len() == n_in * rank && self.up.len() == rank * n_out && [0, n_out].contains(&self.bias.len())
    }

    fn scale(&mut self, by: f32) {
        // The inner side stays: the product is what counts.
        self.up.iter_mut().chain(&mut self.bias).for_each(|x| *x *= by);
    }
}

/// A number by the name of a fact or an artist.
pub type Named = (String, f32);

/// The numbers of a fine-tuned matcher beside its base. A part that was not trained is empty.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Adapter {
    /// Added to the photo's place among the songs' vectors, in units of score, from the photo's unit hidden vector.
    pub song: LowRank,
    /// The same among lyric vectors.
    pub lyric: LowRank,
    /// Added to the attention's query, from the weighted tag vectors.
    pub attention: LowRank,
    /// Added to `attention.worth`.
    pub worth: f32,
    /// Added to the tags' importance, `[n_tags]`; empty for none.
    pub importance: Vec<f32>,
    /// Scores of facts by name (see [`super::facts`]).
    pub facts: Vec<Named>,
    /// Scores of lead artists by folded name.
    pub artists: Vec<Named>,
}

/// Kind and version in the header, before the digest of the base.
const KIND: &str = "image2song-taste-1";

/// The one entry of the header's metadata: more than one would come out in any order, and equal adapters must have equal
/// bytes.
const HEADER: &str = "taste";

/// Largest file that is read; real ones have a few kB.
pub const MAX_BYTES: u64 = 4 << 20;

/// Names of the arrays of the three low-rank parts.
const PARTS: [[&str; 3]; 3] = [
    ["song.down", "song.up", "song.bias"],
    ["lyric.down", "lyric.up", "lyric.bias"],
    ["attention.down", "attention.up", "attention.bias"],
];

impl Adapter {
    /// The bytes of a file, numbers as f16; `base` is the digest of the `matcher.safetensors` that it was trained on.
    ///
    /// # Errors
    /// safetensors cannot hold it, which it can for every adapter of less than 4 GiB.
    pub fn to_bytes(&self, base: &str) -> Result<Vec<u8>, MatcherError> {
        let mut buffers: Vec<(&str, Dtype, Vec<u8>)> = Vec::new();
        let half = |values: &[f32]| values.iter().flat_map(|&x| f16::from_f32(x).to_le_bytes()).collect::<Vec<u8>>();
        for (names, part) in PARTS.iter().zip([&self.song, &self.lyric, &self.attention]) {
            for (name, values) in names.iter().zip([&part.down, &part.up, &part.bias]) {
                buffers.push((name, Dtype::F16, half(values)));
            }
        }
        buffers.push(("attention.worth", Dtype::F16, half(&[self.worth])));
        buffers.push(("tags.importance", Dtype::F16, half(&self.importance)));
        for (name, list, pairs) in [("facts", "facts.names", &self.facts), ("artists", "artists.names", &self.artists)]
        {
            let text: String = pairs.iter().map(|(name, _)| format!("{}\n", name.replace('\n', " "))).collect();
            buffers.push((name, Dtype::F16, half(&pairs.iter().map(|pair| pair.1).collect::<Vec<f32>>())));
            buffers.push((list, Dtype::U8, text.into_bytes()));
        }
        let mut views = Vec::with_capacity(buffers.len());
        for (name, dtype, bytes) in buffers.iter().filter(|(_, _, bytes)| !bytes.is_empty()) {
            let n = if *dtype == Dtype::U8 { bytes.len() } else { bytes.len() / 2 };
            views.push((*name, TensorView::new(*dtype, vec![n], bytes).map_err(MatcherError::format)?));
        }
        let metadata = HashMap::from([(HEADER.to_owned(), format!("{KIND} {base}"))]);
        safetensors::serialize(views, Some(metadata)).map_err(MatcherError::format)
    }

    /// The adapter in the bytes of a file, for a matcher of these sizes whose file has the digest `base`.
    ///
    /// # Errors
    /// The bytes are no adapter, one of another matcher, or damaged.
    pub fn from_bytes(bytes: &[u8], sizes: Sizes, base: &str) -> Result<Self, MatcherError> {
        let misfit = |fault: String| MatcherError::NoTaste { fault };
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(MatcherError::format)?;
        let header = header.metadata().as_ref().and_then(|all| all.get(HEADER)).cloned().unwrap_or_default();
        match header.split_once(' ') {
            Some((KIND, own)) if own == base => {}
            Some((KIND, own)) => {
                let short = |digest: &str| digest.chars().take(12).collect::<String>();
                let (own, base) = (short(own), short(base));
                return Err(misfit(format!("it was fine-tuned on the matcher {own}, the folder's matcher is {base}")));
            }
            _ => return Err(misfit("its header does not say that it is a taste of this version".to_owned())),
        }
        let tensors = SafeTensors::deserialize(bytes).map_err(MatcherError::format)?;
        let numbers = |name: &str| match tensors.tensor(name) {
            Ok(view) if view.dtype() == Dtype::F16 => {
                view.data().chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32()).collect()
            }
            _ => Vec::new(),
        };
        let named = |name: &str, list: &str| -> Result<Vec<Named>, MatcherError> {
            let text = tensors.tensor(list).map(|view| view.data().to_vec()).unwrap_or_default();
            let text = String::from_utf8(text).map_err(|_| misfit(format!("{list} is not UTF-8")))?;
            let (names, values): (Vec<&str>, Vec<f32>) = (text.lines().collect(), numbers(name));
            if names.len() != values.len() {
                return Err(misfit(format!("it names {} {name} and weighs {}", names.len(), values.len())));
            }
            Ok(names.into_iter().map(str::to_owned).zip(values).collect())
        };
        let part =
            |names: [&str; 3]| LowRank { down: numbers(names[0]), up: numbers(names[1]), bias: numbers(names[2]) };
        let [song, lyric, attention] = PARTS.map(part);
        let adapter = Self {
            song,
            lyric,
            attention,
            worth: numbers("attention.worth").first().copied().unwrap_or_default(),
            importance: numbers("tags.importance"),
            facts: named("facts", "facts.names")?,
            artists: named("artists", "artists.names")?,
        };
        adapter.check(sizes)?;
        Ok(adapter)
    }

    fn check(&self, sizes: Sizes) -> Result<(), MatcherError> {
        let n = sizes.n_joint;
        let fits = self.song.fits(n, n)
            && self.lyric.fits(n, n)
            && self.attention.fits(sizes.n_vector, sizes.n_keys)
            // A team's own tags stand behind those that the adapter knows.
            && self.importance.len() <= sizes.n_tags;
        let all = [&self.song, &self.lyric, &self.attention];
        let mut numbers = all.iter().flat_map(|p| p.down.iter().chain(&p.up).chain(&p.bias)).chain(&self.importance);
        let mut named = self.facts.iter().chain(&self.artists).map(|pair| pair.1);
        let is_finite = numbers.all(|x| x.is_finite()) && named.all(f32::is_finite) && self.worth.is_finite();
        match (fits, is_finite) {
            (true, true) => Ok(()),
            (false, _) => Err(MatcherError::NoTaste { fault: "its sizes are not the matcher's".to_owned() }),
            (_, false) => Err(MatcherError::NoTaste { fault: "it holds numbers that are not finite".to_owned() }),
        }
    }

    /// The adapter with a part of its effect: none for 0, all for 1.
    pub fn scaled(&self, by: f32) -> Self {
        let mut scaled = self.clone();
        [&mut scaled.song, &mut scaled.lyric, &mut scaled.attention].into_iter().for_each(|part| part.scale(by));
        scaled.worth *= by;
        scaled.importance.iter_mut().for_each(|x| *x *= by);
        scaled.facts.iter_mut().chain(&mut scaled.artists).for_each(|pair| pair.1 *= by);
        scaled
    }

    /// The adapter as a file would hold it: each number rounded to f16.
    pub fn rounded(&self) -> Self {
        let mut rounded = self.clone();
        let round = |x: &mut f32| *x = f16::from_f32(*x).to_f32();
        for part in [&mut rounded.song, &mut rounded.lyric, &mut rounded.attention] {
            part.down.iter_mut().chain(&mut part.up).chain(&mut part.bias).for_each(round);
        }
        round(&mut rounded.worth);
        rounded.importance.iter_mut().for_each(round);
        rounded.facts.iter_mut().chain(&mut rounded.artists).for_each(|pair| round(&mut pair.1));
        rounded
    }
}
