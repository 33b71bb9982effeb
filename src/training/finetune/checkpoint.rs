//! Where a fit stands: numbers, the best ones so far, the optimizer's moments.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use candle_core::{Tensor, Var};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

use super::error::FinetuneError;
use crate::training::matcher_optimizer::AdamW;

/// Numbers of each part by name.
pub type Values = BTreeMap<String, Vec<f32>>;

/// How far a fit is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Progress {
    /// What is fitted: settings and log, in a form that any difference changes.
    pub run: String,
    /// Steps done.
    pub step: usize,
    /// Held-out loss of the best numbers, and the step that they are from.
    pub best: (f64, usize),
    /// The held-out losses so far.
    pub losses: Vec<f64>,
}

/// The state of a fit.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// How far it is.
    pub progress: Progress,
    /// The best numbers.
    pub best: Values,
    /// The optimizer.
    pub optimizer: AdamW,
}

/// The numbers of variables.
///
/// # Errors
/// Tensors cannot be read.
pub fn values(vars: &BTreeMap<String, Var>) -> Result<Values, FinetuneError> {
    vars.iter().map(|(name, var)| Ok((name.clone(), var.flatten_all()?.to_vec1()?))).collect()
}

/// Sets variables to these numbers.
///
/// # Errors
/// Sizes differ.
pub fn set(vars: &BTreeMap<String, Var>, values: &Values) -> Result<(), FinetuneError> {
    for (name, var) in vars {
        if let Some(values) = values.get(name) {
            var.set(&Tensor::from_vec(values.clone(), var.shape(), var.device())?)?;
        }
    }
    Ok(())
}

/// Writes a checkpoint: beside first, then renamed, so that a cut-off run leaves the old one.
///
/// # Errors
/// The file cannot be written.
pub fn save(path: &Path, state: &State, now: &Values) -> Result<(), FinetuneError> {
    let bytes = |values: &[f32]| values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
    let mut buffers: Vec<(String, Vec<u8>)> = Vec::new();
    for (kind, values) in [("now", now), ("best", &state.best)] {
        values.iter().for_each(|(name, values)| buffers.push((format!("{kind}.{name}"), bytes(values))));
    }
    for (name, (first, second)) in &state.optimizer.moments {
        buffers.push((format!("first.{name}"), bytes(first)));
        buffers.push((format!("second.{name}"), bytes(second)));
    }
    let mut views = Vec::with_capacity(buffers.len());
    for (name, bytes) in &buffers {
        views.push((name.clone(), TensorView::new(Dtype::F32, vec![bytes.len() / 4], bytes)?));
    }
    let progress = serde_json::to_string(&state.progress).expect("numbers and texts always have a JSON form");
    let file = safetensors::serialize(views, Some(HashMap::from([("progress".to_owned(), progress)])))?;
    let beside = path.with_extension("part");
    std::fs::write(&beside, file).and_then(|()| std::fs::rename(&beside, path)).map_err(FinetuneError::file(path))
}

/// Reads a checkpoint of this run and sets the variables; `None` if there is none, or one of another run.
///
/// # Errors
/// It is damaged.
pub fn load(path: &Path, run: &str, vars: &BTreeMap<String, Var>) -> Result<Option<State>, FinetuneError> {
    let bytes = match std::fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        read => read.map_err(FinetuneError::file(path))?,
    };
    let (_, header) = SafeTensors::read_metadata(&bytes)?;
    let progress = header.metadata().as_ref().and_then(|all| all.get("progress")).cloned().unwrap_or_default();
    let Ok(progress) = serde_json::from_str::<Progress>(&progress) else { return Ok(None) };
    if progress.run != run {
        return Ok(None);
    }
    let tensors = SafeTensors::deserialize(&bytes)?;
    let read = |name: String| -> Option<Vec<f32>> {
        let view = tensors.tensor(&name).ok()?;
        Some(view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
    };
    let mut state = State { optimizer: AdamW { step: progress.step as u64, ..AdamW::default() }, ..State::default() };
    let mut now = Values::new();
    for (name, var) in vars {
        let kept = |values: Option<Vec<f32>>| values.filter(|values| values.len() == var.elem_count());
        if let Some(values) = kept(read(format!("now.{name}"))) {
            now.insert(name.clone(), values);
        }
        if let Some(values) = kept(read(format!("best.{name}"))) {
            state.best.insert(name.clone(), values);
        }
        if let (Some(first), Some(second)) = (kept(read(format!("first.{name}"))), kept(read(format!("second.{name}"))))
        {
            state.optimizer.moments.insert(name.clone(), (first, second));
        }
    }
    if now.len() != vars.len() {
        return Ok(None);
    }
    set(vars, &now)?;
    state.progress = progress;
    Ok(Some(state))
}
