//! The matcher's network on candle's graph: the same equations as [`crate::matcher::network`], with gradients.

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::{D, Device, Result, Tensor, Var};
use candle_nn::ops::{log_softmax, softmax};

use super::matcher_batch::{Batch, highest_tags};
use crate::kernels::gru::Order;
use crate::lyric::affinity::{self, Places};
use crate::lyric::{attention, birnn};
use crate::matcher::songs::N_MARKS;
use crate::matcher::weights::{Pooling, Sizes, Weights};

/// Parameters as variables.
#[derive(Debug)]
pub struct Net {
    sizes: Sizes,
    pooling: Pooling,
    /// By name, as in [`Weights`].
    pub vars: BTreeMap<String, Var>,
    places: Arc<Places>,
}

/// Scores of a batch, `[n_photos, n_songs]`.
#[derive(Debug)]
pub struct Scores {
    /// With attention: what ranks.
    pub full: Tensor,
    /// Without: what makes the shortlist.
    pub quick: Tensor,
}

impl Net {
    /// Variables with these values.
    ///
    /// # Errors
    /// Tensors cannot be made.
    pub fn new(weights: &Weights, device: &Device) -> Result<Self> {
        let mut vars = BTreeMap::new();
        for (name, array) in &weights.arrays {
            let tensor = Tensor::from_vec(array.values.clone(), array.shape.clone(), device)?;
            vars.insert(name.clone(), Var::from_tensor(&tensor)?);
        }
        let places = Arc::new(weights.places.clone());
        Ok(Self { sizes: weights.sizes, pooling: weights.pooling, vars, places })
    }

    fn get(&self, name: &str) -> &Tensor {
        self.vars.get(name).expect("every parameter has a variable").as_tensor()
    }

    /// Weights of the tags that count, `[n_photos, n_tags]`, rows summing to 1.
    fn tag_weights(&self, log_probs: &Tensor) -> Result<Tensor> {
        let logits = log_probs.broadcast_mul(self.get("tags.exponent"))?.broadcast_add(self.get("tags.importance"))?;
        let mask = highest_tags(&logits.to_vec2::<f32>()?);
        let mask = Tensor::from_vec(mask, logits.shape(), logits.device())?;
        softmax(&(logits + mask)?, D::Minus1)
    }

    fn layer(&self, x: &Tensor, name: &str) -> Result<Tensor> {
        x.matmul(self.get(name))?.broadcast_add(self.get(&format!("{name}_bias")))?.relu()
    }

    fn direction(&self, batch: &Batch, order: Order) -> Result<Tensor> {
        let name = if order == Order::Forward { "forward" } else { "backward" };
        let part = |what: &str| self.get(&format!("gru.{name}.{what}"));
        let (n_songs, n_words, n_inputs) = batch.inputs.dims3()?;
        let gates = batch.inputs.reshape((n_songs * n_words, n_inputs))?.matmul(part("input"))?;
        let gates = gates.broadcast_add(part("bias"))?.reshape((n_songs, n_words, ()))?;
        birnn::states(&gates, part("recurrent"), &batch.lens, order)
    }

    /// States pooled by what knows no tag, `[n_songs, 2 n_hidden]`.
    fn pooled(&self, states: &Tensor, batch: &Batch, pooling: Pooling) -> Result<Tensor> {
        let (n_songs, n_words, d) = states.dims3()?;
        let energies = match pooling {
            Pooling::Attention | Pooling::Woken => {
                let query = self.get("song.pool").reshape((d, 1))?;
                let energies = states.reshape((n_songs * n_words, d))?.matmul(&query)?;
                (energies.reshape((n_songs, n_words))? + &batch.padding)?
            }
            Pooling::Mean => batch.padding.clone(),
        };
        softmax(&energies, D::Minus1)?.unsqueeze(1)?.matmul(states)?.squeeze(1)
    }

    /// Scores of each song of the batch for each photo.
    ///
    /// # Errors
    /// Tensors do not fit.
    pub fn scores(&self, batch: &Batch) -> Result<Scores> {
        let tags = self.tag_weights(&batch.log_probs)?;
        let v = tags.matmul(self.get("tags.vectors"))?;
        let hidden = self.layer(&v, "photo.hidden")?;
        let photo_lyric = unit(&hidden.matmul(self.get("photo.lyric"))?)?;
        let photo_song = unit(&hidden.matmul(self.get("photo.song"))?)?;
        let states = [self.direction(batch, Order::Forward)?, self.direction(batch, Order::Backward)?];
        let states = Tensor::cat(&states, D::Minus1)?;
        let pooled = self.pooled(&states, batch, self.pooling)?;
        let song_hidden = self.layer(&pooled, "song.hidden")?;
        let song = unit(&song_hidden.matmul(self.get("song.out"))?)?;
        let prior = (song_hidden.matmul(&self.get("prior.hidden").unsqueeze(1)?)?
            + batch.features.matmul(&self.get("prior.features").unsqueeze(1)?)?)?;
        let by_song = song.matmul(&photo_song.t()?)?.broadcast_mul(self.get("song.scale"))?;
        let mut quick = by_song.broadcast_add(&prior)?;
        let worths = || affinity::worths(self.get("affinity"), &tags, &self.places, &batch.rows, batch.n_words);
        let worths = self.pooling.has_woken().then(worths).transpose()?;
        if let Some(worths) = &worths {
            quick = (quick + self.woken(worths, batch)?)?;
        }
        let lyric = match (self.pooling, &worths) {
            (Pooling::Attention, Some(worths)) => self.by_attention(&states, &v, worths, &photo_lyric, batch)?,
            _ => {
                let pooled = self.pooled(&states, batch, Pooling::Mean)?;
                let lyric = unit(&self.layer(&pooled, "lyric.hidden")?.matmul(self.get("lyric.out"))?)?;
                lyric.matmul(&photo_lyric.t()?)?
            }
        };
        let full = (&quick + lyric.broadcast_mul(self.get("lyric.scale"))?)?;
        Ok(Scores { full: full.t()?, quick: quick.t()? })
    }

    /// Cosines of photos and attended lyrics, `[n_songs, n_photos]`.
    fn by_attention(
        &self,
        states: &Tensor,
        v: &Tensor,
        worths: &Tensor,
        photo: &Tensor,
        batch: &Batch,
    ) -> Result<Tensor> {
        let (n_songs, n_words, d) = states.dims3()?;
        let keys = states.reshape((n_songs * n_words, d))?.matmul(self.get("attention.keys"))?;
        let keys = keys.reshape((n_songs, n_words, ()))?;
        let queries = v.matmul(self.get("attention.queries"))?;
        let extra = worths.broadcast_mul(self.get("attention.worth"))?;
        let attended = attention::attend(&keys, states, &queries, self.get("attention.w"), &extra, &batch.lens)?;
        let n_photos = photo.dim(0)?;
        let lyric = self.layer(&attended.reshape((n_songs * n_photos, d))?, "lyric.hidden")?;
        let lyric = unit(&lyric.matmul(self.get("lyric.out"))?)?.reshape((n_songs, n_photos, self.sizes.n_joint))?;
        lyric.broadcast_mul(&photo.unsqueeze(0)?)?.sum(D::Minus1)
    }

    /// What the tags wake in the songs, as a score, `[n_songs, n_photos]`.
    fn woken(&self, worths: &Tensor, batch: &Batch) -> Result<Tensor> {
        let (n_songs, n_words, n_inputs) = batch.inputs.dims3()?;
        let marks = batch.inputs.narrow(D::Minus1, n_inputs - N_MARKS - 2, N_MARKS)?.contiguous()?;
        let marks = marks.reshape((n_songs * n_words, N_MARKS))?.matmul(&self.get("woken.marks").unsqueeze(1)?)?;
        let weights = batch.log_weights.broadcast_mul(self.get("woken.exponent"))?;
        let gains = (marks.reshape((n_songs, n_words))? + weights)?.exp()?;
        let sum = worths.matmul(&gains.unsqueeze(2)?)?.squeeze(2)?;
        let scales = self.get("woken.scales");
        let curved = (sum.relu()? + 1.0)?.log()?.broadcast_mul(&scales.narrow(0, 1, 1)?)?;
        sum.broadcast_mul(&scales.narrow(0, 0, 1)?)? + curved
    }

    /// The values as parameters.
    ///
    /// # Errors
    /// Tensors cannot be read.
    pub fn write_to(&self, weights: &mut Weights) -> Result<()> {
        for (name, array) in &mut weights.arrays {
            array.values = self.get(name).flatten_all()?.to_vec1()?;
        }
        Ok(())
    }
}

/// Rows scaled to unit length.
fn unit(rows: &Tensor) -> Result<Tensor> {
    rows.broadcast_div(&(rows.sqr()?.sum_keepdim(D::Minus1)? + 1e-8)?.sqrt()?)
}

/// How sharply better grades are preferred: targets are gains to this power.
const TARGET_POWER: f64 = 2.0;

/// Weights of the shortlist's loss and of the songs' direction beside that of the full scores for photos.
const QUICK_WEIGHT: f64 = 0.4;
const SONG_WEIGHT: f64 = 0.15;

/// Soft-target contrastive loss: cross entropy of the gains' distribution over the batch's songs, for full and quick
/// scores, corrected for how likely each song was drawn; and over the batch's photos for each graded song.
///
/// # Errors
/// Tensors do not fit.
pub fn loss(scores: &Scores, batch: &Batch) -> Result<Tensor> {
    let gains = batch.gains.powf(TARGET_POWER)?;
    let by_photo = gains.broadcast_div(&(gains.sum_keepdim(1)? + 1e-6)?)?;
    let n_photos = batch.gains.dim(0)? as f64;
    let over_songs = |scores: &Tensor| -> Result<Tensor> {
        let logits = scores.broadcast_sub(&batch.log_drawn)?;
        ((&by_photo * log_softmax(&logits, 1)?)?.sum_all()? * (-1.0 / n_photos))?.reshape(())
    };
    let by_song = gains.broadcast_div(&(gains.sum_keepdim(0)? + 1e-6)?)?;
    let n_graded = (by_song.sum_all()?.to_scalar::<f32>()? as f64).max(1.0);
    let over_photos = ((by_song * log_softmax(&scores.full, 0)?)?.sum_all()? * (-1.0 / n_graded))?;
    over_songs(&scores.full)? + (over_songs(&scores.quick)? * QUICK_WEIGHT)? + (over_photos * SONG_WEIGHT)?
}
