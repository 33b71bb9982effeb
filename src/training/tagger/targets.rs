//! Wanted probability and weight of every tag of a photo, from stated tags, what the source knows, and soft tags.

use crate::training::labels::Labels;

/// How labels become targets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Policy {
    /// Whether soft tags are used at all.
    pub uses_soft: bool,
    /// Share of the soft probability in the target of a stated or denied tag; the rest is the label.
    pub soft_share: f32,
    /// Weight of an unsure tag of a source that knows it, which counts as absent.
    pub unsure_weight: f32,
    /// Weight of the soft probability of a tag that the source says nothing of.
    pub silent_weight: f32,
}

impl Default for Policy {
    fn default() -> Self {
        Self { uses_soft: true, soft_share: 0.25, unsure_weight: 0.4, silent_weight: 0.5 }
    }
}

/// Targets of all photos, as bytes since 40,000 photos times 363 tags are many.
pub struct TargetTable {
    n_tags: usize,
    tags: Vec<u8>,
    weights: Vec<u8>,
}

impl TargetTable {
    /// Builds the table, `[n_records, n_tags]`.
    pub fn build(labels: &Labels, policy: &Policy) -> Self {
        let n_tags = labels.vocabulary.len();
        let soft = labels.soft.as_deref().filter(|_| policy.uses_soft);
        let mut table = Self {
            n_tags,
            tags: vec![0; labels.records.len() * n_tags],
            weights: vec![0; labels.records.len() * n_tags],
        };
        for (record_idx, record) in labels.records.iter().enumerate() {
            // Label and its weight; no weight: the source says nothing.
            let mut stated = vec![(0.0f32, 0.0f32); n_tags];
            for tag in labels.known_to(&record.source) {
                stated[usize::from(tag.0)] = (0.0, 1.0);
            }
            for tag in &record.unsure {
                stated[usize::from(tag.0)] = (0.0, policy.unsure_weight);
            }
            for tag in &record.tags {
                stated[usize::from(tag.0)] = (1.0, 1.0);
            }
            for (tag, &(label, label_weight)) in stated.iter().enumerate() {
                let at = record_idx * n_tags + tag;
                let (target, weight) = match soft {
                    None => (label, label_weight),
                    Some(soft) => {
                        let probability = (f32::from(soft[at]) / 255.0).powi(2);
                        let soft_weight =
                            if label_weight > 0.0 { policy.soft_share * label_weight } else { policy.silent_weight };
                        let label_weight = (1.0 - policy.soft_share) * label_weight;
                        let weight = label_weight + soft_weight;
                        ((label * label_weight + probability * soft_weight) / weight.max(1e-6), weight)
                    }
                };
                table.tags[at] = (target.sqrt() * 255.0).round() as u8;
                table.weights[at] = (weight * 255.0).round().min(255.0) as u8;
            }
        }
        table
    }

    /// Appends the row of one photo to the targets and weights of a batch.
    pub fn append(&self, record_idx: usize, tags: &mut Vec<f32>, weights: &mut Vec<f32>) {
        let rows = record_idx * self.n_tags..(record_idx + 1) * self.n_tags;
        tags.extend(self.tags[rows.clone()].iter().map(|&byte| (f32::from(byte) / 255.0).powi(2)));
        weights.extend(self.weights[rows].iter().map(|&byte| f32::from(byte) / 255.0));
    }

    /// Weighted mean target of each tag over some photos, kept away from 0 and 1: what a head should start from.
    pub fn priors(&self, record_idxs: &[usize]) -> Vec<f32> {
        let mut sums = vec![(0.0f64, 0.0f64); self.n_tags];
        let (mut tags, mut weights) = (Vec::new(), Vec::new());
        for &record_idx in record_idxs {
            tags.clear();
            weights.clear();
            self.append(record_idx, &mut tags, &mut weights);
            for ((sum, &tag), &weight) in sums.iter_mut().zip(&tags).zip(&weights) {
                sum.0 += f64::from(tag * weight);
                sum.1 += f64::from(weight);
            }
        }
        sums.iter().map(|&(sum, weight)| ((sum + 0.01) / (weight + 10.0)).clamp(1e-4, 0.5) as f32).collect()
    }
}
