//! What a word is worth to a tag: a sparse learned table that starts from the lexicon.
//!
//! An entry exists for a tag and a word where the lexicon or the word vectors see a reason: the tag's own forms, what the
//! tag evokes, and the words nearest to it. Training moves the values, so that misleading forms (a *club* that is no
//! golf club) lose and telling words gain; nothing is learned for words without a reason, which keeps evidence readable.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::birnn::slice;

/// A tag and a word with what the word is worth to the tag.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entry {
    /// Row of the word table.
    pub word: u32,
    /// Index of the tag.
    pub tag: u16,
    /// Worth; 1 is that of a telling word of the tag.
    pub worth: f32,
}

/// The table's places by word; the values are kept beside it, in the same order, since training changes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    starts: Vec<u32>,
    tags: Vec<u16>,
    n_tags: usize,
}

impl Places {
    /// Places and values of entries over `n_words` words and `n_tags` tags; of repeated places the highest worth stays.
    ///
    /// # Panics
    /// If an entry's word or tag is out of range.
    pub fn from_entries(mut entries: Vec<Entry>, n_words: usize, n_tags: usize) -> (Self, Vec<f32>) {
        entries.sort_by(|a, b| (a.word, a.tag).cmp(&(b.word, b.tag)).then(b.worth.total_cmp(&a.worth)));
        entries.dedup_by_key(|e| (e.word, e.tag));
        let mut starts = vec![0u32; n_words + 1];
        for entry in &entries {
            assert!(usize::from(entry.tag) < n_tags, "tag in range");
            starts[entry.word as usize + 1] += 1;
        }
        for i in 0..n_words {
            starts[i + 1] += starts[i];
        }
        let tags = entries.iter().map(|e| e.tag).collect();
        (Self { starts, tags, n_tags }, entries.iter().map(|e| e.worth).collect())
    }

    /// Places from their stored form: the end of each word's entries and the tags of all entries; `None` if they do not fit.
    pub fn from_parts(starts: Vec<u32>, tags: Vec<u16>, n_tags: usize) -> Option<Self> {
        let is_ordered = starts.first() == Some(&0) && starts.windows(2).all(|w| w[0] <= w[1]);
        let fits = starts.last().copied() == Some(tags.len() as u32) && tags.iter().all(|&t| usize::from(t) < n_tags);
        (is_ordered && fits).then_some(Self { starts, tags, n_tags })
    }

    /// Number of entries.
    pub fn n_entries(&self) -> usize {
        self.tags.len()
    }

    /// Number of words.
    pub fn n_words(&self) -> usize {
        self.starts.len() - 1
    }

    /// Start of each word's entries and, last, their number: the stored form, with [`Places::tags`].
    pub fn starts(&self) -> &[u32] {
        &self.starts
    }

    /// Tag of each entry.
    pub fn tags(&self) -> &[u16] {
        &self.tags
    }

    /// Entries of a word: their tags, and the range of their values.
    pub fn of_word(&self, word: u32) -> (&[u16], std::ops::Range<usize>) {
        let range = self.starts[word as usize] as usize..self.starts[word as usize + 1] as usize;
        (&self.tags[range.clone()], range)
    }
}

/// What each word of each song is worth to each query, `[n_songs, n_queries, n_words]`: the sum over the query's tags of
/// tag weight times worth. Takes the values `[n_entries]`, tag weights `[n_queries, n_tags]`, and the word of each
/// place, `[n_songs * n_words]`, `u32::MAX` for none. Values and tag weights get gradients.
///
/// # Errors
/// Shapes do not fit, or the tensors are not on the CPU (there [`composed`] helps).
pub fn worths(values: &Tensor, tags: &Tensor, places: &Arc<Places>, words: &[u32], n_words: usize) -> Result<Tensor> {
    let op = Worth { places: Arc::clone(places), words: words.to_vec(), n_words };
    if !values.device().is_cpu() {
        return composed(values, tags, &op);
    }
    values.contiguous()?.apply_op2(&tags.contiguous()?, op)
}

/// The same as the operation from plain tensors: a dense table of the batch's words, for devices without it.
fn composed(values: &Tensor, tags: &Tensor, op: &Worth) -> Result<Tensor> {
    let n_places = op.words.len();
    let n_tags = op.places.n_tags;
    let zero = values.dim(0)? as u32;
    let padded = Tensor::cat(&[values, &values.zeros_like()?.narrow(0, 0, 1)?], 0)?;
    let mut dense = vec![zero; n_places * n_tags];
    for (i, &word) in op.words.iter().enumerate().filter(|(_, w)| **w != u32::MAX) {
        let (tags, range) = op.places.of_word(word);
        tags.iter().zip(range).for_each(|(&tag, at)| dense[i * n_tags + usize::from(tag)] = at as u32);
    }
    let index = Tensor::from_vec(dense, n_places * n_tags, values.device())?;
    let table = padded.index_select(&index, 0)?.reshape((n_places, n_tags))?;
    let n_songs = n_places / op.n_words;
    tags.matmul(&table.t()?)?.reshape((tags.dim(0)?, n_songs, op.n_words))?.transpose(0, 1)
}

struct Worth {
    places: Arc<Places>,
    words: Vec<u32>,
    n_words: usize,
}

impl CustomOp2 for Worth {
    fn name(&self) -> &'static str {
        "worth"
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let (values, tags) = (slice(s1, l1)?, slice(s2, l2)?);
        let (n_queries, n_tags) = l2.shape().dims2()?;
        if values.len() != self.places.n_entries() || n_tags != self.places.n_tags {
            bail!("worth: {} values, {n_tags} tags for {} entries", values.len(), self.places.n_entries());
        }
        let n_songs = self.words.len() / self.n_words;
        let mut out = vec![0f32; n_songs * n_queries * self.n_words];
        let jobs = out.par_chunks_mut((n_queries * self.n_words).max(1)).zip(self.words.par_chunks(self.n_words));
        jobs.for_each(|(out, words)| {
            for (t, &word) in words.iter().enumerate().filter(|(_, w)| **w != u32::MAX) {
                let (entry_tags, range) = self.places.of_word(word);
                for (&tag, &value) in entry_tags.iter().zip(&values[range]) {
                    for b in 0..n_queries {
                        out[b * self.n_words + t] += value * tags[b * n_tags + usize::from(tag)];
                    }
                }
            }
        });
        Ok((CpuStorage::F32(out), Shape::from((n_songs, n_queries, self.n_words))))
    }

    fn bwd(
        &self,
        arg1: &Tensor,
        arg2: &Tensor,
        _res: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let flat = |t: &Tensor| t.flatten_all()?.to_vec1::<f32>();
        let (values, tags, grad) = (flat(arg1)?, flat(arg2)?, flat(grad)?);
        let (n_queries, n_tags) = arg2.dims2()?;
        let (mut d_values, mut d_tags) = (vec![0f32; values.len()], vec![0f32; tags.len()]);
        for (i, &word) in self.words.iter().enumerate().filter(|(_, w)| **w != u32::MAX) {
            let (song, t) = (i / self.n_words, i % self.n_words);
            let (entry_tags, range) = self.places.of_word(word);
            for (&tag, at) in entry_tags.iter().zip(range) {
                for b in 0..n_queries {
                    let d = grad[(song * n_queries + b) * self.n_words + t];
                    let place = b * n_tags + usize::from(tag);
                    d_values[at] += d * tags[place];
                    d_tags[place] += d * values[at];
                }
            }
        }
        let device = arg1.device();
        Ok((
            Some(Tensor::from_vec(d_values, arg1.shape(), device)?),
            Some(Tensor::from_vec(d_tags, arg2.shape(), device)?),
        ))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};

    use super::*;

    #[test]
    fn operation_equals_composed_tensors() {
        let mut rng = fastrand::Rng::with_seed(9);
        let entries = (0..60).map(|_| Entry { word: rng.u32(0..20), tag: rng.u16(0..6), worth: rng.f32() }).collect();
        let (places, values) = Places::from_entries(entries, 20, 6);
        let places = Arc::new(places);
        let n_entries = values.len();
        let values = Var::from_tensor(&Tensor::from_vec(values, n_entries, &Device::Cpu).unwrap()).unwrap();
        let weights: Vec<f32> = (0..3 * 6).map(|_| rng.f32()).collect();
        let tags = Var::from_tensor(&Tensor::from_vec(weights, (3, 6), &Device::Cpu).unwrap()).unwrap();
        let words: Vec<u32> = (0..4 * 5).map(|i| if i % 7 == 6 { u32::MAX } else { rng.u32(0..20) }).collect();
        let a = worths(&values, &tags, &places, &words, 5).unwrap();
        let b = composed(&values, &tags, &Worth { places, words, n_words: 5 }).unwrap();
        let (ga, gb) = (a.sqr().unwrap().backward().unwrap(), b.sqr().unwrap().backward().unwrap());
        let pairs = [
            (&a, &b),
            (ga.get(&values).unwrap(), gb.get(&values).unwrap()),
            (ga.get(&tags).unwrap(), gb.get(&tags).unwrap()),
        ];
        for (got, expected) in pairs {
            let worst = (got - expected).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
            assert!(worst < 1e-5, "{worst}");
        }
    }
}
