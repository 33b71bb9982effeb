//! Parameters that a training starts from: random ones, or those of a trained network, of the same depth or shallower.

use fastrand::Rng;

use crate::tagger::arch::Arch;
use crate::tagger::weights::Weights;

/// Random parameters; the head's bias starts at the tags' `priors`.
pub(super) fn random(arch: &Arch, priors: &[f32], rng: &mut Rng) -> Vec<f32> {
    let layout = arch.layout();
    let mut params = vec![0.0; layout.n_params];
    let mut normal =
        |std: f32| std * (-2.0 * (1.0 - rng.f32()).ln()).sqrt() * (std::f32::consts::TAU * rng.f32()).cos();
    for unit in &layout.units {
        let std = (2.0 / unit.fan_in() as f32).sqrt();
        params[unit.offset..unit.offset + unit.n_weights()].fill_with(|| normal(std));
        // Residual branches start silent (Goyal et al. 2017), which lets the early steps be large.
        let gamma = if unit.adds_input_of.is_some() { 0.0 } else { 1.0 };
        params[unit.offset + unit.n_weights()..][..unit.n_out].fill(gamma);
    }
    let std = (1.0 / arch.n_features as f32).sqrt();
    params[layout.head..layout.head + arch.n_features * arch.n_tags].fill_with(|| normal(0.3 * std));
    for (bias, &prior) in params[layout.head + arch.n_features * arch.n_tags..].iter_mut().zip(priors) {
        *bias = (prior / (1.0 - prior)).ln();
    }
    params[layout.embedding..][..arch.n_features * arch.n_embedding].fill_with(|| normal(std));
    params
}

/// Copies a trained network into `params` of `arch`, which may have more blocks at the end of its stages: these keep
/// their random, silent start, so that the deeper network computes what the trained one did (after Net2Net, Chen et
/// al. 2016).
///
/// # Errors
/// `arch` differs in anything but added blocks; says so.
pub(super) fn graft(arch: &Arch, params: &mut [f32], trained: &Weights) -> Result<(), String> {
    let same_depth = Arch {
        stages: arch
            .stages
            .iter()
            .zip(&trained.arch.stages)
            .map(|(stage, old)| crate::tagger::arch::Stage { n_blocks: stage.n_blocks.min(old.n_blocks), ..*stage })
            .collect(),
        ..arch.clone()
    };
    if same_depth != trained.arch {
        return Err("it is of another tag list or a network that this training's does not extend".to_owned());
    }
    let (layout, old) = (arch.layout(), trained.arch.layout());
    let n_unit = |unit: &crate::tagger::arch::Unit| unit.n_weights() + 2 * unit.n_out;
    let mut copy = |to: usize, from: usize, n: usize| {
        params[to..to + n].copy_from_slice(&trained.params[from..from + n]);
    };
    let (mut units, mut old_units) = (layout.units.iter(), old.units.iter());
    let mut next_units = |n: usize, n_old: usize| {
        for i in 0..n {
            let unit = units.next();
            let old_unit = if i < n_old { old_units.next() } else { None };
            if let (Some(unit), Some(old_unit)) = (unit, old_unit) {
                copy(unit.offset, old_unit.offset, n_unit(unit));
            }
        }
    };
    next_units(arch.stem.len(), arch.stem.len());
    for (stage, old_stage) in arch.stages.iter().zip(&trained.arch.stages) {
        next_units(3 * stage.n_blocks, 3 * old_stage.n_blocks);
    }
    next_units(1, 1);
    copy(layout.head, old.head, old.n_params - old.head);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::isa::Isa;
    use crate::tagger::arch::Stage;
    use crate::training::tagger::network::Worker;
    use crate::training::tagger::oracle::tiny;

    fn deeper(arch: &Arch) -> Arch {
        let stages = arch.stages.iter().map(|stage| Stage { n_blocks: stage.n_blocks + 1, ..*stage }).collect();
        Arch { stages, ..arch.clone() }
    }

    #[test]
    fn a_deeper_network_starts_with_the_answers_of_the_trained_one() {
        let (small, mut rng) = (tiny(), Rng::with_seed(3));
        let priors = vec![0.1; small.n_tags];
        let mut params = random(&small, &priors, &mut rng);
        // A trained network's residual branches speak.
        for value in &mut params {
            *value += 0.1 * (rng.f32() - 0.5);
        }
        let trained = Weights { arch: small.clone(), params, statistics: Vec::new() };
        let large = deeper(&small);
        let mut grown = random(&large, &priors, &mut rng);
        graft(&large, &mut grown, &trained).unwrap();

        let images: Vec<f32> = (0..2 * 32 * 32 * 3).map(|_| rng.f32() * 2.0 - 1.0).collect();
        let (mut one, mut two) = (Worker::new(&small, Isa::best()), Worker::new(&large, Isa::best()));
        one.forward(&trained.params, &images, 2, 32);
        two.forward(&grown, &images, 2, 32);
        for (a, b) in one.logits.iter().zip(&two.logits) {
            assert!((a - b).abs() < 1e-5, "{a} and {b}");
        }
        assert!(one.logits.iter().any(|logit| (logit - one.logits[0]).abs() > 1e-3));
    }

    #[test]
    fn a_network_of_another_shape_is_refused() {
        let small = tiny();
        let trained = Weights { arch: deeper(&small), params: Vec::new(), statistics: Vec::new() };
        for arch in [small.clone(), Arch { n_tags: small.n_tags + 1, ..deeper(&small) }] {
            let n_params = arch.layout().n_params;
            assert!(graft(&arch, &mut vec![0.0; n_params], &trained).is_err());
        }
    }
}
