//! The adapter on candle's graph: scores of shown songs, and the loss.

use std::collections::{BTreeMap, HashMap};

use candle_core::{D, Device, Result, Tensor, Var};
use candle_nn::ops::{log_softmax, softmax};

use super::features::{Item, N_ANCHORED};
use crate::lyric::attention;
use crate::matcher::adapter::{Adapter, LowRank};
use crate::matcher::facts::Facts;
use crate::matcher::network::MAX_TAGS;
use crate::matcher::suggest::Matcher;

/// What is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Depth {
    /// The photo's place in the joint space, and the prior over facts and artists.
    Head,
    /// Also the attention's query, and how much each tag counts.
    Attention,
}

/// Rank of the low-rank changes: 4 kB of numbers. More did not help on simulated communities.
pub const RANK: usize = 4;

/// How strongly each part is drawn back to the base, as `1 / (2 sd^2)` of the change that is expected of it, in pairs:
/// scores of a pool lie within about 3 of each other, and a taste is worth a third of that.
fn pull(name: &str) -> f64 {
    match name {
        "facts" => 2.0,
        "artists" => 4.0,
        "song.bias" | "lyric.bias" => 3.0,
        "song.up" | "lyric.up" => 4.0,
        "attention.up" => 4.0,
        "tags.importance" => 4.0,
        "attention.worth" => 2.0,
        _ => 1.0,
    }
}

/// What does not change: the model, its songs and where they lie.
#[derive(Debug)]
pub struct Ground<'a> {
    /// The model.
    pub matcher: &'a Matcher,
    /// Facts of its songs.
    pub facts: &'a Facts,
    /// Column of each lead artist that has an offset of its own.
    pub artists: HashMap<u32, u32>,
    /// Where tensors lie.
    pub device: Device,
}

/// Items as tensors.
#[derive(Debug)]
pub struct Batch {
    n_items: usize,
    hidden: Tensor,
    /// Item of each song.
    rows: Tensor,
    song: Tensor,
    lyric: Tensor,
    base: Tensor,
    facts: Tensor,
    artists: Tensor,
    pairs: Option<[Tensor; 3]>,
    reading: Option<Reading>,
}

/// What attention reads anew.
#[derive(Debug)]
struct Reading {
    tags: Tensor,
    log_weights: Tensor,
    tag_vectors: Tensor,
    states: Tensor,
    keys: Tensor,
    /// Worth of each word to each of the item's tags, `[n_songs, n_words, MAX_TAGS]`.
    worths: Tensor,
    /// What each of the item's tags wakes in the song, `[n_songs, MAX_TAGS]`.
    woken: Tensor,
    lens: Vec<u32>,
}

/// The adapter's numbers as variables.
#[derive(Debug)]
pub struct Graph {
    /// By name.
    pub vars: BTreeMap<String, Var>,
    /// Where the inner sides of the low-rank changes start from, and are drawn to.
    starts: BTreeMap<String, Tensor>,
    depth: Depth,
    n_keys: usize,
    device: Device,
}

impl Graph {
    /// A graph that changes nothing yet: inner sides are random from `seed`, all else is zero.
    ///
    /// # Errors
    /// Tensors cannot be made.
    pub fn new(ground: &Ground<'_>, depth: Depth, seed: u64) -> Result<Self> {
        let sizes = ground.matcher.ranker().network.weights.sizes;
        let mut rng = fastrand::Rng::with_seed(seed);
        let (mut vars, mut starts) = (BTreeMap::new(), BTreeMap::new());
        let mut zeros = |name: &str, shape: &[usize]| -> Result<()> {
            vars.insert(name.to_owned(), Var::zeros(shape, candle_core::DType::F32, &ground.device)?);
            Ok(())
        };
        let n = sizes.n_joint;
        for part in ["song", "lyric"] {
            zeros(&format!("{part}.up"), &[RANK, n])?;
            zeros(&format!("{part}.bias"), &[n])?;
        }
        zeros("facts", &[ground.facts.names().len()])?;
        // The last one is for artists without an offset of their own, and is thrown away.
        zeros("artists", &[ground.artists.len() + 1])?;
        let mut inner = vec![("song", n), ("lyric", n)];
        if depth == Depth::Attention {
            zeros("attention.up", &[RANK, sizes.n_keys])?;
            zeros("tags.importance", &[sizes.n_tags])?;
            zeros("attention.worth", &[1])?;
            inner.push(("attention", sizes.n_vector));
        }
        for (part, n_in) in inner {
            // Inputs have unit length, so that each inner number has a spread of about 1.
            let values: Vec<f32> = (0..n_in * RANK).map(|_| (rng.f32() - 0.5) * 3.46).collect();
            let start = Tensor::from_vec(values, (n_in, RANK), &ground.device)?;
            vars.insert(format!("{part}.down"), Var::from_tensor(&start)?);
            starts.insert(format!("{part}.down"), start);
        }
        Ok(Self { vars, starts, depth, n_keys: sizes.n_keys, device: ground.device.clone() })
    }

    fn get(&self, name: &str) -> &Tensor {
        self.vars.get(name).expect("every part of the depth has a variable").as_tensor()
    }

    /// Scores of the batch's songs, `[n_songs]`.
    ///
    /// # Errors
    /// Tensors do not fit.
    pub fn scores(&self, batch: &Batch, ground: &Ground<'_>) -> Result<Tensor> {
        let prior = (batch.facts.matmul(&self.get("facts").unsqueeze(1)?)?.squeeze(1)?
            + self.get("artists").index_select(&batch.artists, 0)?)?;
        let moved = |part: &str, hidden: &Tensor, vectors: &Tensor| -> Result<Tensor> {
            let shift = hidden.matmul(self.get(&format!("{part}.down")))?.matmul(self.get(&format!("{part}.up")))?;
            let shift = shift.broadcast_add(self.get(&format!("{part}.bias")))?;
            (vectors * shift.index_select(&batch.rows, 0)?)?.sum(1)
        };
        match &batch.reading {
            None => {
                let song = moved("song", &batch.hidden, &batch.song)?;
                let lyric = moved("lyric", &batch.hidden, &batch.lyric)?;
                ((&batch.base + prior)? + song)? + lyric
            }
            Some(reading) => {
                let (base, hidden, lyric) = self.read(batch, reading, ground)?;
                let song = moved("song", &hidden, &batch.song)?;
                let lyric = moved("lyric", &hidden, &lyric)?;
                ((base + prior)? + song)? + lyric
            }
        }
    }

    /// Scores, unit hidden vectors and attended lyrics as the attention's part has them now. What the scores of the base
    /// hold beyond the network's terms (a taste that it had before) stays as it is.
    fn read(&self, batch: &Batch, reading: &Reading, ground: &Ground<'_>) -> Result<(Tensor, Tensor, Tensor)> {
        let own = self.terms(batch, reading, ground, true)?;
        let before = self.terms(batch, reading, ground, false)?;
        let change = (&own.0 - before.0.detach())?;
        Ok(((&batch.base + change)?, own.1, own.2))
    }

    /// The network's own terms, with the adapter's attention and importance or without.
    fn terms(
        &self,
        batch: &Batch,
        r: &Reading,
        ground: &Ground<'_>,
        is_bent: bool,
    ) -> Result<(Tensor, Tensor, Tensor)> {
        let weights = &ground.matcher.ranker().network.weights;
        let array = |name: &str| {
            let array = weights.arrays.get(name).expect("every parameter is there");
            Tensor::from_vec(array.values.clone(), array.shape.clone(), &self.device)
        };
        let logits = match is_bent {
            true => {
                let shifts = self.get("tags.importance").index_select(&r.tags.flatten_all()?, 0)?;
                (&r.log_weights + shifts.reshape(r.log_weights.shape())?)?
            }
            false => r.log_weights.clone(),
        };
        let tags = softmax(&logits, D::Minus1)?;
        let meaning = tags.unsqueeze(1)?.matmul(&r.tag_vectors)?.squeeze(1)?;
        let hidden = meaning.matmul(&array("photo.hidden")?)?.broadcast_add(&array("photo.hidden_bias")?)?.relu()?;
        let (photo_song, photo_lyric) =
            (unit(&hidden.matmul(&array("photo.song")?)?)?, unit(&hidden.matmul(&array("photo.lyric")?)?)?);
        let mut queries = meaning.matmul(&array("attention.queries")?)?;
        let mut worth = array("attention.worth")?;
        if is_bent {
            queries = (queries + meaning.matmul(self.get("attention.down"))?.matmul(self.get("attention.up"))?)?;
            worth = (worth + self.get("attention.worth"))?;
        }
        let own_tags = tags.index_select(&batch.rows, 0)?.unsqueeze(2)?;
        let extra = r.worths.matmul(&own_tags)?.squeeze(2)?.broadcast_mul(&worth)?;
        // Each song has its own query: added to its keys, so that one query of zeros serves all.
        let keys = r.keys.broadcast_add(&queries.index_select(&batch.rows, 0)?.unsqueeze(1)?)?;
        let zeros = Tensor::zeros((1, self.n_keys), candle_core::DType::F32, &self.device)?;
        let w = array("attention.w")?;
        let attended = attention::attend(&keys, &r.states, &zeros, &w, &extra.unsqueeze(1)?, &r.lens)?.squeeze(1)?;
        let lyric = attended.matmul(&array("lyric.hidden")?)?.broadcast_add(&array("lyric.hidden_bias")?)?.relu()?;
        let lyric = unit(&lyric.matmul(&array("lyric.out")?)?)?;
        let at = |photo: &Tensor, vectors: &Tensor| (vectors * photo.index_select(&batch.rows, 0)?)?.sum(1);
        let song = at(&photo_song, &batch.song)?.broadcast_mul(&array("song.scale")?)?;
        let by_lyric = at(&photo_lyric, &lyric)?.broadcast_mul(&array("lyric.scale")?)?;
        let sum = r.woken.unsqueeze(1)?.matmul(&own_tags)?.squeeze(2)?.squeeze(1)?;
        let scales = array("woken.scales")?;
        let curved = (sum.relu()? + 1.0)?.log()?.broadcast_mul(&scales.narrow(0, 1, 1)?)?;
        let woken = (sum.broadcast_mul(&scales.narrow(0, 0, 1)?)? + curved)?;
        Ok((((song + by_lyric)? + woken)?, unit(&hidden)?, lyric))
    }

    /// Weighted loss of the batch's pairs, summed: `w ln(1 + exp(loser - winner))`.
    ///
    /// # Errors
    /// Tensors do not fit.
    pub fn pair_loss(&self, batch: &Batch, ground: &Ground<'_>) -> Result<Tensor> {
        let Some([winners, losers, weights]) = &batch.pairs else {
            return Tensor::zeros((), candle_core::DType::F32, &self.device);
        };
        let scores = self.scores(batch, ground)?;
        let behind = (scores.index_select(losers, 0)? - scores.index_select(winners, 0)?)?;
        // ln(1 + e^x) = max(x, 0) + ln(1 + e^-|x|).
        let soft = (behind.relu()? + (behind.abs()?.neg()?.exp()? + 1.0)?.log()?)?;
        (soft * weights)?.sum_all()
    }

    /// How far the order of the check queries' songs has moved: mean of `KL(base, now)` over them.
    ///
    /// # Errors
    /// Tensors do not fit.
    pub fn anchor(&self, batch: &Batch, ground: &Ground<'_>) -> Result<Tensor> {
        let shape = (batch.n_items, N_ANCHORED);
        let (now, base) = (self.scores(batch, ground)?.reshape(shape)?, batch.base.reshape(shape)?);
        let (now, base) = (log_softmax(&now, 1)?, log_softmax(&base, 1)?);
        ((base.exp()? * (base - now)?)?.sum_all()? * (1.0 / batch.n_items.max(1) as f64))?.reshape(())
    }

    /// What draws the parts back to the base, in pairs.
    ///
    /// # Errors
    /// Tensors cannot be read.
    pub fn pull(&self) -> Result<Tensor> {
        let mut total = Tensor::zeros((), candle_core::DType::F32, &self.device)?;
        for (name, var) in &self.vars {
            let away = match self.starts.get(name) {
                Some(start) => (var.as_tensor() - start)?,
                None => var.as_tensor().clone(),
            };
            total = (total + (away.sqr()?.sum_all()? * pull(name))?)?;
        }
        Ok(total)
    }

    /// The values as an adapter.
    ///
    /// # Errors
    /// Tensors cannot be read.
    pub fn adapter(&self, ground: &Ground<'_>) -> Result<Adapter> {
        let values = |name: &str| match self.vars.get(name) {
            Some(var) => var.flatten_all()?.to_vec1::<f32>(),
            None => Ok(Vec::new()),
        };
        let low_rank = |part: &str| -> Result<LowRank> {
            let [down, up, bias] = ["down", "up", "bias"].map(|side| values(&format!("{part}.{side}")));
            Ok(LowRank { down: down?, up: up?, bias: bias? })
        };
        let names = ground.facts.names().iter().cloned();
        let mut facts: Vec<(String, f32)> = names.zip(values("facts")?).collect();
        facts.retain(|pair| pair.1.abs() >= LEAST);
        let offsets = values("artists")?;
        let mut artists: Vec<(String, f32)> = ground
            .artists
            .iter()
            .map(|(&artist, &column)| (ground.facts.artists()[artist as usize].clone(), offsets[column as usize]))
            .filter(|pair| pair.1.abs() >= LEAST)
            .collect();
        artists.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then_with(|| a.0.cmp(&b.0)));
        artists.truncate(MAX_ARTISTS);
        artists.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(Adapter {
            song: low_rank("song")?,
            lyric: low_rank("lyric")?,
            attention: low_rank("attention")?,
            worth: values("attention.worth")?.first().copied().unwrap_or_default(),
            importance: values("tags.importance")?,
            facts,
            artists,
        })
    }

    /// Items as tensors, with what attention reads if that is trained.
    ///
    /// # Errors
    /// Tensors cannot be made.
    pub fn batch(&self, items: &[&Item], ground: &Ground<'_>) -> Result<Batch> {
        let n = ground.matcher.ranker().network.weights.sizes.n_joint;
        let shortlist = &ground.matcher.ranker().shortlist;
        let n_facts = ground.facts.names().len();
        let (mut rows, mut songs) = (Vec::new(), Vec::new());
        let (mut winners, mut losers, mut weights) = (Vec::new(), Vec::new(), Vec::new());
        for (row, item) in items.iter().enumerate() {
            let first = songs.len() as u32;
            for pair in &item.pairs {
                winners.push(first + u32::from(pair.winner));
                losers.push(first + u32::from(pair.loser));
                weights.push(pair.weight);
            }
            rows.resize(rows.len() + item.songs.len(), row as u32);
            songs.extend_from_slice(&item.songs);
        }
        let mut facts = vec![0f32; songs.len() * n_facts];
        for (row, &song) in facts.chunks_mut(n_facts).zip(&songs) {
            ground.facts.marks(song).iter().for_each(|&mark| row[usize::from(mark)] = 1.0);
            row[0] = ground.facts.popularity(song);
        }
        let none = ground.artists.len() as u32;
        let artist = |&song: &u32| ground.artists.get(&ground.facts.artist(song)).copied().unwrap_or(none);
        let artists: Vec<u32> = songs.iter().map(artist).collect();
        let vectors: Vec<f32> = songs.iter().flat_map(|&song| shortlist.vector(song)).collect();
        let lyric: Vec<f32> = items.iter().flat_map(|item| item.lyric.iter().map(|x| x.to_f32())).collect();
        let base: Vec<f32> = items.iter().flat_map(|item| item.base.iter().copied()).collect();
        let hidden: Vec<f32> = items.iter().flat_map(|item| item.hidden.iter().copied()).collect();
        let device = &self.device;
        let n_songs = songs.len();
        let pairs = match winners.is_empty() {
            true => None,
            false => {
                let n = winners.len();
                let list = |ids: Vec<u32>| Tensor::from_vec(ids, n, device);
                Some([list(winners)?, list(losers)?, Tensor::from_vec(weights, n, device)?])
            }
        };
        let reading = match self.depth {
            Depth::Head => None,
            Depth::Attention => Some(self.reading(items, &rows, &songs, ground)?),
        };
        Ok(Batch {
            n_items: items.len(),
            hidden: Tensor::from_vec(hidden, (items.len(), n), device)?,
            rows: Tensor::from_vec(rows, n_songs, device)?,
            song: Tensor::from_vec(vectors, (n_songs, n), device)?,
            lyric: Tensor::from_vec(lyric, (n_songs, n), device)?,
            base: Tensor::from_vec(base, n_songs, device)?,
            facts: Tensor::from_vec(facts, (n_songs, n_facts), device)?,
            artists: Tensor::from_vec(artists, n_songs, device)?,
            pairs,
            reading,
        })
    }

    fn reading(&self, items: &[&Item], rows: &[u32], songs: &[u32], ground: &Ground<'_>) -> Result<Reading> {
        let ranker = ground.matcher.ranker();
        let (network, sizes) = (&ranker.network, ranker.network.weights.sizes);
        let vectors = network.weights.get("tags.vectors");
        let (mut tags, mut log_weights, mut tag_vectors) = (Vec::new(), Vec::new(), Vec::new());
        for item in items {
            for place in 0..MAX_TAGS {
                let (tag, weight) = item.tags.get(place).copied().unwrap_or((0, 0.0));
                tags.push(u32::from(tag));
                log_weights.push(if weight > 0.0 { weight.ln() } else { -1e9 });
                tag_vectors.extend_from_slice(&vectors[usize::from(tag) * sizes.n_vector..][..sizes.n_vector]);
            }
        }
        let states = network.states(&ranker.songs, songs);
        let (d, n_words) = (2 * sizes.n_hidden, states.n_words);
        let mut worths = vec![0f32; songs.len() * n_words * MAX_TAGS];
        let mut woken = vec![0f32; songs.len() * MAX_TAGS];
        for (at, (&song, &row)) in songs.iter().zip(rows).enumerate() {
            let own = &items[row as usize].tags;
            for (t, token) in ranker.songs.tokens(song).iter().enumerate() {
                let gain = network.token_gain(token);
                for (tag, worth) in network.worths(token.term) {
                    let Some(k) = own.iter().take(MAX_TAGS).position(|known| known.0 == tag) else { continue };
                    worths[(at * n_words + t) * MAX_TAGS + k] = worth;
                    woken[at * MAX_TAGS + k] += gain * worth;
                }
            }
        }
        let words = network.attention_words(&states);
        let keys: Vec<f32> = words.chunks(sizes.n_keys + d).flat_map(|word| word[..sizes.n_keys].to_vec()).collect();
        let (n_items, n_songs, device) = (items.len(), songs.len(), &self.device);
        Ok(Reading {
            tags: Tensor::from_vec(tags, (n_items, MAX_TAGS), device)?,
            log_weights: Tensor::from_vec(log_weights, (n_items, MAX_TAGS), device)?,
            tag_vectors: Tensor::from_vec(tag_vectors, (n_items, MAX_TAGS, sizes.n_vector), device)?,
            states: Tensor::from_vec(states.values, (n_songs, n_words, d), device)?,
            keys: Tensor::from_vec(keys, (n_songs, n_words, sizes.n_keys), device)?,
            worths: Tensor::from_vec(worths, (n_songs, n_words, MAX_TAGS), device)?,
            woken: Tensor::from_vec(woken, (n_songs, MAX_TAGS), device)?,
            lens: states.lens,
        })
    }
}

/// Least number that is kept, and most artists with an offset: an adapter has a few kB.
const LEAST: f32 = 0.005;
const MAX_ARTISTS: usize = 256;

/// Rows scaled to unit length.
fn unit(rows: &Tensor) -> Result<Tensor> {
    rows.broadcast_div(&(rows.sqr()?.sum_keepdim(D::Minus1)? + 1e-8)?.sqrt()?)
}
