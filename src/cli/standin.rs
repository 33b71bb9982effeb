//! Stand-ins until the parts they stand for are merged.
#![allow(missing_docs, dead_code, clippy::new_without_default, clippy::len_without_is_empty)]

use crate::photo::Square;
use crate::tagger::Tagging;
use crate::tagger::vocabulary::Vocabulary;
use std::path::Path;

#[derive(Debug, thiserror::Error)]
#[error("stand-in")]
pub struct Missing;

pub struct Tagger(Vocabulary);
impl Tagger {
    pub fn load(dir: &Path, _: &candle_core::Device) -> anyhow::Result<Tagger> {
        Ok(Tagger(Vocabulary::parse(&std::fs::read_to_string(dir.join("tags.txt"))?)?))
    }
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.0
    }
    pub fn side(&self) -> usize {
        96
    }
    pub fn tag(&self, square: &Square) -> Result<Tagging, Missing> {
        let n = self.0.len();
        let sum: usize = square.rgb.iter().map(|&b| b as usize).sum();
        let probs = (0..n).map(|i| if (i + sum) % 37 == 0 { 0.3 + (i % 7) as f32 * 0.1 } else { 0.01 }).collect();
        Ok(Tagging { probs, region_idx: (0..n).map(|i| ((i + sum) % 14) as u8).collect(), embedding: vec![] })
    }
}
