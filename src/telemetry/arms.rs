//! Metrics of the models that serve: few versions at a time, and those that serve no longer are not told.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::deployment::tally::Standing;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfArm {
    arm: String,
    model: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Bound {
    bound: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Change {
    kind: &'static str,
}

type Fraction = Gauge<f64, AtomicU64>;

/// What is told of the models.
#[derive(Default)]
pub(super) struct ArmMetrics {
    share: Family<OfArm, Fraction>,
    answers: Family<OfArm, Gauge>,
    liked: Family<OfArm, Gauge>,
    low: Family<OfArm, Fraction>,
    high: Family<OfArm, Fraction>,
    difference: Family<Bound, Fraction>,
    changes: Family<Change, Counter>,
}

impl ArmMetrics {
    /// Registered under their names.
    pub(super) fn new(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register("model_share", "Share of the askers whom a model answers", metrics.share.clone());
        let help = "Answers of a model that count, since the models are as they are";
        registry.register("model_answers", help, metrics.answers.clone());
        registry.register("model_liked", "Of them with a like", metrics.liked.clone());
        let help = "Lowest like rate that a model's answers leave possible, at any time";
        registry.register("model_like_rate_low", help, metrics.low.clone());
        let help = "Highest like rate that a model's answers leave possible, at any time";
        registry.register("model_like_rate_high", help, metrics.high.clone());
        let help = "Bounds of the like rate on trial less the current one, at any time";
        registry.register("model_difference", help, metrics.difference.clone());
        let help = "Models loaded, refused because they could not be, and trials stopped because they harmed";
        registry.register("model_changes", help, metrics.changes.clone());
        for kind in ["loaded", "refused", "stopped"] {
            // Told from the start: an alert needs a 0 before the 1.
            let _ = metrics.changes.get_or_create(&Change { kind });
        }
        metrics
    }

    /// The models were changed.
    pub(super) fn changed(&self, kind: &'static str) {
        self.changes.get_or_create(&Change { kind }).inc();
    }

    /// Tells how the models stand, and nothing of others.
    pub(super) fn set(&self, standing: &Standing) {
        [&self.share, &self.low, &self.high].into_iter().for_each(Family::clear);
        [&self.answers, &self.liked].into_iter().for_each(Family::clear);
        self.difference.clear();
        for arm in &standing.arms {
            let of = OfArm { arm: arm.arm.clone(), model: arm.model.clone() };
            self.share.get_or_create(&of).set(arm.share);
            // Counts stay far below 2^63.
            self.answers.get_or_create(&of).set(arm.n_answers as i64);
            self.liked.get_or_create(&of).set(arm.n_liked as i64);
            self.low.get_or_create(&of).set(arm.like_rate.0);
            self.high.get_or_create(&of).set(arm.like_rate.1);
        }
        if let Some((low, high)) = standing.difference {
            self.difference.get_or_create(&Bound { bound: "low" }).set(low);
            self.difference.get_or_create(&Bound { bound: "high" }).set(high);
        }
    }
}
