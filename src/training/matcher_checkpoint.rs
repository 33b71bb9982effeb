//! Where a training run of the matcher stands: parameters, the optimizer's moments and the number of rounds done.

use std::collections::HashMap;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::matcher_error::MatcherTrainError;
use super::matcher_optimizer::AdamW;
use crate::matcher::weights::Weights;

/// Writes a checkpoint: beside first, then renamed, so that a cut-off run leaves the old one.
///
/// # Errors
/// The file cannot be written.
pub fn save(path: &Path, round: usize, weights: &Weights, optimizer: &AdamW) -> Result<(), MatcherTrainError> {
    let mut buffers: Vec<(String, Vec<u8>)> = Vec::new();
    let bytes = |values: &[f32]| values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
    for (name, array) in &weights.arrays {
        buffers.push((format!("value.{name}"), bytes(&array.values)));
    }
    for (name, (first, second)) in &optimizer.moments {
        buffers.push((format!("first.{name}"), bytes(first)));
        buffers.push((format!("second.{name}"), bytes(second)));
    }
    let mut views = Vec::with_capacity(buffers.len());
    for (name, bytes) in &buffers {
        views.push((name.clone(), TensorView::new(Dtype::F32, vec![bytes.len() / 4], bytes)?));
    }
    let metadata =
        HashMap::from([("round".to_owned(), round.to_string()), ("step".to_owned(), optimizer.step.to_string())]);
    let beside = path.with_extension("part");
    std::fs::write(&beside, safetensors::serialize(views, Some(metadata))?)
        .and_then(|()| std::fs::rename(&beside, path))
        .map_err(MatcherTrainError::open(path))
}

/// Reads a checkpoint into parameters of the same sizes; returns the rounds done and the optimizer.
///
/// # Errors
/// The file cannot be read or is of a run with other sizes.
pub fn load(path: &Path, weights: &mut Weights) -> Result<(usize, AdamW), MatcherTrainError> {
    let bytes = std::fs::read(path).map_err(MatcherTrainError::open(path))?;
    let (_, header) = SafeTensors::read_metadata(&bytes)?;
    let metadata = header.metadata().clone().unwrap_or_default();
    let number = |key: &str| metadata.get(key).and_then(|x| x.parse::<u64>().ok());
    let tensors = SafeTensors::deserialize(&bytes)?;
    let read = |name: &str, n: usize| -> Result<Vec<f32>, MatcherTrainError> {
        let view = tensors.tensor(name)?;
        let values: Vec<f32> =
            view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        if values.len() != n {
            let found = values.len();
            let text = format!(
                "{} holds {found} numbers of {name}, this run needs {n}; give the options it began with",
                path.display()
            );
            return Err(MatcherTrainError::Content(text));
        }
        Ok(values)
    };
    let mut optimizer = AdamW { step: number("step").unwrap_or(0), ..AdamW::default() };
    for (name, array) in &mut weights.arrays {
        let n = array.values.len();
        array.values = read(&format!("value.{name}"), n)?;
        if let (Ok(first), Ok(second)) = (read(&format!("first.{name}"), n), read(&format!("second.{name}"), n)) {
            optimizer.moments.insert(name.clone(), (first, second));
        }
    }
    Ok((number("round").unwrap_or(0) as usize, optimizer))
}
