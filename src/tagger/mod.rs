//! A square photo in, tags with probabilities and the region that spoke loudest out. Knows nothing of songs.

pub mod regions;
pub mod vocabulary;

use vocabulary::TagId;

/// What the tagger says of one photo.
#[derive(Debug, Clone, PartialEq)]
pub struct Tagging {
    /// Probability in `[0, 1]` of each tag of the vocabulary, `[n_tags]`.
    pub probs: Vec<f32>,
    /// Index into [`regions::regions`] of the region that spoke loudest for each tag, `[n_tags]`.
    pub region_idx: Vec<u8>,
    /// Pooled features of the whole photo, `[n_features]`.
    pub embedding: Vec<f32>,
}

impl Tagging {
    /// The `n` most probable tags, most probable first; ties go to the lower id.
    pub fn top(&self, n: usize) -> Vec<(TagId, f32)> {
        let mut ranked: Vec<(TagId, f32)> = self.probs.iter().enumerate().map(|(i, &p)| (TagId(i as u16), p)).collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        ranked.truncate(n);
        ranked
    }
}
