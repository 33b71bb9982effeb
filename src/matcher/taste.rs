//! What a community likes, applied to a query: the photo's place in the joint space, its attention, the say of its tags
//! and a prior over songs move; the songs stay as they were read. No taste changes nothing, not a bit.

use std::borrow::Cow;
use std::sync::Arc;

use super::adapter::Adapter;
use super::facts::Facts;
use super::linear::normalize;
use super::network::Network;
use super::probe::Probe;
use super::query::Query;

/// An adapter with the prior that it comes to for the songs of a catalogue.
#[derive(Debug, Clone)]
pub struct Layer {
    /// The numbers.
    pub adapter: Adapter,
    /// What it adds to each song's score whatever the photo, `[n_songs]`.
    pub prior: Arc<Vec<f32>>,
}

impl Layer {
    /// The layer of an adapter; one pass over the songs.
    pub fn new(mut adapter: Adapter, facts: &Facts) -> Self {
        // Weights that are made to sum to 1 once more may differ in their last bit.
        if adapter.importance.iter().all(|&shift| shift == 0.0) {
            adapter.importance.clear();
        }
        let prior = Arc::new(facts.prior(&adapter.facts, &adapter.artists));
        Self { adapter, prior }
    }

    fn bend(&self, probe: &mut Probe, scales: (f32, f32)) {
        let mut hidden = probe.hidden.clone();
        normalize(&mut hidden);
        // The scores multiply by the scales; a taste is in units of score.
        self.adapter.song.add(&hidden, 1.0 / scales.0, &mut probe.song);
        self.adapter.lyric.add(&hidden, 1.0 / scales.1, &mut probe.lyric);
        let n_keys = probe.attention.len() / 2;
        self.adapter.attention.add(&probe.meaning, 1.0, &mut probe.attention[..n_keys]);
        probe.worth += self.adapter.worth;
        probe.priors.push(self.prior.clone());
    }
}

/// What is liked by all and by one community. A clone is cheap.
#[derive(Debug, Clone, Default)]
pub struct Taste {
    layers: Vec<Arc<Layer>>,
}

impl Taste {
    /// The taste of these layers together.
    pub fn of(layers: impl IntoIterator<Item = Arc<Layer>>) -> Self {
        Self { layers: layers.into_iter().collect() }
    }

    /// Whether it changes nothing.
    pub fn is_none(&self) -> bool {
        self.layers.is_empty()
    }

    /// Its layers: that of all, then that of the community.
    pub fn layers(&self) -> &[Arc<Layer>] {
        &self.layers
    }

    /// The query with the say of its tags as this taste has it: `exp(importance)` more, then weights that sum to 1 again,
    /// which is the shift before the network's softmax. A query with a hint stays: its asker has said what matters.
    pub fn query<'a>(&self, query: &'a Query) -> Cow<'a, Query> {
        let shifts: Vec<&[f32]> =
            self.layers.iter().map(|l| l.adapter.importance.as_slice()).filter(|shifts| !shifts.is_empty()).collect();
        if shifts.is_empty() || !query.hint.is_empty() || query.tags.is_empty() {
            return Cow::Borrowed(query);
        }
        let mut own = query.clone();
        for (tag, weight) in &mut own.tags {
            let shift: f32 = shifts.iter().map(|shift| shift.get(usize::from(tag.0)).copied().unwrap_or(0.0)).sum();
            *weight *= shift.exp();
        }
        let sum: f32 = own.tags.iter().map(|tag| tag.1).sum();
        own.tags.iter_mut().for_each(|tag| tag.1 /= sum.max(f32::MIN_POSITIVE));
        own.tags.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        Cow::Owned(own)
    }

    /// Moves a probe.
    pub fn bend(&self, network: &Network, probe: &mut Probe) {
        let scale = |name: &str| match network.weights.get(name)[0] {
            // A scale of zero would silence the term whatever is added to it.
            scale if scale.abs() < 1e-3 => 1e-3,
            scale => scale,
        };
        self.layers.iter().for_each(|layer| layer.bend(probe, (scale("song.scale"), scale("lyric.scale"))));
    }
}
