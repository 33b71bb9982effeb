//! The tagger's file: named tensors in safetensors, the architecture as JSON in its metadata.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use half::f16;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::arch::{Arch, Layout};

/// Why a weights file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// It cannot be read or written.
    #[error("cannot open {path}; train one with `image2song train tagger`")]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is not a safetensors file, or cut off.
    #[error("{path} is not a whole safetensors file")]
    Format {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        source: safetensors::SafeTensorError,
    },
    /// It lacks something or holds something else than this version reads.
    #[error("{path}: {reason}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What was found and what is needed.
        reason: String,
    },
}

/// A trained tagger as plain numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    /// The network.
    pub arch: Arch,
    /// Parameters in the order of [`Arch::layout`].
    pub params: Vec<f32>,
    /// Running means and variances in the order of [`Arch::layout`].
    pub statistics: Vec<f32>,
}

/// Storage of the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// 4 bytes, exact.
    F32,
    /// 2 bytes, for release.
    F16,
}

/// Name, shape and place of a tensor; the place counts from the parameters' or the statistics' begin.
pub(super) struct Slot {
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    pub(super) offset: usize,
    pub(super) is_statistic: bool,
}

/// Every tensor of a network, units first, in the order of the parameters.
pub(super) fn slots(arch: &Arch, layout: &Layout) -> Vec<Slot> {
    let mut slots = Vec::new();
    for (i, unit) in layout.units.iter().enumerate() {
        let mut push = |what: &str, shape: Vec<usize>, offset, is_statistic| {
            slots.push(Slot { name: format!("units.{i}.{what}"), shape, offset, is_statistic });
        };
        let n = unit.n_out;
        push("weight", vec![unit.fan_in(), n], unit.offset, false);
        push("gamma", vec![n], unit.offset + unit.n_weights(), false);
        push("beta", vec![n], unit.offset + unit.n_weights() + n, false);
        push("mean", vec![n], unit.statistics, true);
        push("variance", vec![n], unit.statistics + n, true);
    }
    for (name, offset, n) in [("head", layout.head, arch.n_tags), ("embedding", layout.embedding, arch.n_embedding)] {
        if n > 0 {
            let bias = offset + arch.n_features * n;
            let weight = vec![arch.n_features, n];
            slots.push(Slot { name: format!("{name}.weight"), shape: weight, offset, is_statistic: false });
            slots.push(Slot { name: format!("{name}.bias"), shape: vec![n], offset: bias, is_statistic: false });
        }
    }
    slots
}

impl Weights {
    /// Reads a weights file.
    ///
    /// # Errors
    /// The file is missing, cut off, or its tensors do not fit the architecture that it names.
    pub fn read(path: &Path) -> Result<Self, WeightsError> {
        let bytes = std::fs::read(path).map_err(|source| WeightsError::Open { path: path.to_owned(), source })?;
        Self::parse(&bytes, path)
    }

    fn parse(bytes: &[u8], path: &Path) -> Result<Self, WeightsError> {
        let format = |source| WeightsError::Format { path: path.to_owned(), source };
        let content = |reason: String| WeightsError::Content { path: path.to_owned(), reason };
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(format)?;
        let tensors = SafeTensors::deserialize(bytes).map_err(format)?;
        let arch = metadata.metadata().as_ref().and_then(|entries| entries.get("arch"));
        let arch = arch.ok_or_else(|| content("its metadata lacks \"arch\"".to_owned()))?;
        let arch: Arch = serde_json::from_str(arch).map_err(|error| content(format!("metadata \"arch\": {error}")))?;
        arch.check().map_err(content)?;
        let layout = arch.layout();
        let mut weights = Self { params: vec![0.0; layout.n_params], statistics: vec![0.0; layout.n_statistics], arch };
        for slot in slots(&weights.arch, &layout) {
            let tensor = tensors.tensor(&slot.name).map_err(format)?;
            if tensor.shape() != slot.shape {
                return Err(content(format!(
                    "{} has the shape {:?}, needed is {:?}",
                    slot.name,
                    tensor.shape(),
                    slot.shape
                )));
            }
            let values = floats(&tensor).ok_or_else(|| {
                content(format!("{} is stored as {:?}; F16 and F32 are read", slot.name, tensor.dtype()))
            })?;
            if values.iter().any(|value| !value.is_finite()) {
                return Err(content(format!("{} holds a number that is not finite", slot.name)));
            }
            let to = if slot.is_statistic { &mut weights.statistics } else { &mut weights.params };
            to[slot.offset..slot.offset + values.len()].copy_from_slice(&values);
        }
        Ok(weights)
    }

    /// Writes a weights file, in one step: a reader never sees half of it.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write(&self, path: &Path, precision: Precision) -> Result<(), WeightsError> {
        let open = |source| WeightsError::Open { path: path.to_owned(), source };
        let layout = self.arch.layout();
        let slots = slots(&self.arch, &layout);
        let stored: Vec<Vec<u8>> = slots
            .iter()
            .map(|slot| {
                let from = if slot.is_statistic { &self.statistics } else { &self.params };
                let values = &from[slot.offset..slot.offset + slot.shape.iter().product::<usize>()];
                match precision {
                    Precision::F32 => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
                    Precision::F16 => values.iter().flat_map(|&v| f16::from_f32(v).to_le_bytes()).collect(),
                }
            })
            .collect();
        let dtype = if precision == Precision::F32 { Dtype::F32 } else { Dtype::F16 };
        let views: Vec<(&str, TensorView)> = slots
            .iter()
            .zip(&stored)
            .map(|(slot, bytes)| {
                let view = TensorView::new(dtype, slot.shape.clone(), bytes).expect("bytes were made for the shape");
                (slot.name.as_str(), view)
            })
            .collect();
        let arch = serde_json::to_string(&self.arch).expect("an architecture is plain numbers");
        let metadata = Some(HashMap::from([("arch".to_owned(), arch)]));
        let bytes = safetensors::serialize(views, metadata).expect("names are unique and shapes fit");
        let draft = path.with_extension("draft");
        std::fs::write(&draft, bytes).and_then(|()| std::fs::rename(&draft, path)).map_err(open)
    }
}

/// Numbers of a stored tensor; `None` if it holds neither F16 nor F32.
pub fn floats(tensor: &TensorView) -> Option<Vec<f32>> {
    let bytes = tensor.data();
    match tensor.dtype() {
        Dtype::F32 => Some(bytes.as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect()),
        Dtype::F16 => Some(bytes.as_chunks::<2>().0.iter().map(|&b| f16::from_le_bytes(b).to_f32()).collect()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weights() -> Weights {
        let arch = Arch::base(7, 4);
        let layout = arch.layout();
        let mut rng = fastrand::Rng::with_seed(8);
        let mut random = |n: usize| (0..n).map(|_| f16::from_f32(rng.f32()).to_f32()).collect::<Vec<f32>>();
        Weights { params: random(layout.n_params), statistics: random(layout.n_statistics), arch }
    }

    #[test]
    fn what_is_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        for precision in [Precision::F32, Precision::F16] {
            let path = dir.path().join("tagger.safetensors");
            let weights = weights();
            weights.write(&path, precision).unwrap();
            assert_eq!(Weights::read(&path).unwrap(), weights);
        }
    }

    #[test]
    fn damaged_files_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tagger.safetensors");
        assert!(matches!(Weights::read(&path), Err(WeightsError::Open { .. })));
        weights().write(&path, Precision::F16).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        for n in [0, 7, 8, 100, bytes.len() / 2, bytes.len() - 1] {
            std::fs::write(&path, &bytes[..n]).unwrap();
            assert!(Weights::read(&path).is_err(), "cut at {n}");
        }
    }
}
