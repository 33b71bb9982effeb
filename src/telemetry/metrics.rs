//! Metrics in the text form of OpenMetrics. Labels are few fixed words; no user, no song, no place is ever one.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64};

use image2song_contract::health::{Health, State};
use image2song_contract::place::Platform;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::arms::ArmMetrics;
use crate::deployment::tally::Standing;
use crate::engine::handle::EngineCounts;
use crate::engine::question::Steps;
use crate::feedback::log::LogCounters;

/// Upper bounds of the latency buckets, in seconds.
const BUCKETS: [f64; 12] = [0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1.2, 2.5, 5.0, 10.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    platform: &'static str,
    kind: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Step {
    step: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfPlatform {
    platform: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfAdapter {
    platform: &'static str,
    what: &'static str,
    kind: &'static str,
}

/// Counts what happens.
pub struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    errors: Family<Kind, Counter>,
    feedback: Family<Kind, Counter>,
    steps: Family<Step, Histogram>,
    cached: Counter,
    engine: Family<Kind, Gauge>,
    log: Family<Kind, Gauge>,
    up: Family<OfPlatform, Gauge>,
    silent: Family<OfPlatform, Gauge<i64, AtomicI64>>,
    restarts: Family<OfPlatform, Gauge<u64, AtomicU64>>,
    panics: Family<OfPlatform, Gauge<u64, AtomicU64>>,
    adapters: Family<OfAdapter, Gauge<u64, AtomicU64>>,
    arms: ArmMetrics,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("image2song");
        let metrics = Self {
            requests: Family::default(),
            errors: Family::default(),
            feedback: Family::default(),
            steps: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            cached: Counter::default(),
            engine: Family::default(),
            log: Family::default(),
            up: Family::default(),
            silent: Family::default(),
            restarts: Family::default(),
            panics: Family::default(),
            adapters: Family::default(),
            arms: ArmMetrics::new(&mut registry),
            registry: Registry::default(),
        };
        registry.register("requests", "Questions and presses by outcome", metrics.requests.clone());
        registry.register("errors", "Faults of ours by kind", metrics.errors.clone());
        registry.register("feedback", "Answers and presses written down, by kind", metrics.feedback.clone());
        let help = "Time of the steps of an answer";
        registry.register_with_unit("step", help, Unit::Seconds, metrics.steps.clone());
        registry.register("photos_known", "Photos that were tagged before", metrics.cached.clone());
        registry.register("engine", "Questions inside now; batches, refusals, panics so far", metrics.engine.clone());
        registry.register("feedback_log", "The feedback log since the start", metrics.log.clone());
        registry.register("adapter_up", "1 if the adapter hears its platform", metrics.up.clone());
        let help = "Time since the platform was heard";
        registry.register_with_unit("adapter_silent", help, Unit::Seconds, metrics.silent.clone());
        registry.register("adapter_restarts", "Restarts of the adapter so far", metrics.restarts.clone());
        registry.register("adapter_panics", "Panics caught in the adapter so far", metrics.panics.clone());
        registry.register("adapter_events", "What the adapter counted so far", metrics.adapters.clone());
        Self { registry, ..metrics }
    }
}

impl Metrics {
    /// A question or press was answered, or refused for a reason of this name.
    pub fn request(&self, platform: Platform, kind: &'static str, refusal: Option<&'static str>) {
        let labels = Request { platform: platform.name(), kind, outcome: refusal.unwrap_or("answered") };
        self.requests.get_or_create(&labels).inc();
    }

    /// A fault of ours.
    pub fn error(&self, kind: &'static str) {
        self.errors.get_or_create(&Kind { kind }).inc();
    }

    /// Something was written down.
    pub fn feedback(&self, kind: &'static str) {
        self.feedback.get_or_create(&Kind { kind }).inc();
    }

    /// A photo was known.
    pub fn cached(&self) {
        self.cached.inc();
    }

    /// The models that serve were changed: `loaded`, `refused` or `stopped`.
    pub fn model_changed(&self, kind: &'static str) {
        self.arms.changed(kind);
    }

    /// The times of an answer.
    pub fn steps(&self, steps: &Steps) {
        for (step, time) in [
            ("decode", steps.decode),
            ("queue", steps.queue),
            ("tag", steps.tag),
            ("match", steps.matching),
            ("total", steps.total),
        ] {
            self.steps.get_or_create(&Step { step }).observe(time.as_secs_f64());
        }
    }

    /// All metrics as text.
    pub fn text(
        &self,
        engine: &EngineCounts,
        log: &LogCounters,
        healths: &[Arc<Health>],
        standing: &Standing,
    ) -> String {
        use std::sync::atomic::Ordering::Relaxed;
        self.arms.set(standing);
        let gauge = |family: &Family<Kind, Gauge>, kind, value: u64| {
            // Counts stay far below 2^63.
            family.get_or_create(&Kind { kind }).set(value as i64);
        };
        gauge(&self.engine, "inside", engine.n_inside.load(Relaxed) as u64);
        gauge(&self.engine, "refused", engine.n_refused.load(Relaxed));
        gauge(&self.engine, "late", engine.n_late.load(Relaxed));
        gauge(&self.engine, "panics", engine.n_panics.load(Relaxed));
        gauge(&self.engine, "batches", engine.n_batches.load(Relaxed));
        gauge(&self.engine, "tagged", engine.n_tagged.load(Relaxed));
        gauge(&self.log, "stored", log.n_stored);
        gauge(&self.log, "duplicates", log.n_duplicates);
        gauge(&self.log, "not_kept", log.n_not_kept);
        gauge(&self.log, "failed", log.n_failed);
        gauge(&self.log, "rebuilt", log.n_rebuilt);
        gauge(&self.log, "damaged", log.n_damaged);
        for health in healths {
            let platform = health.platform().name();
            let labels = OfPlatform { platform };
            self.up.get_or_create(&labels).set(i64::from(health.state() == State::Up));
            self.silent.get_or_create(&labels).set(health.silent_s().map_or(-1, |s| s as i64));
            self.restarts.get_or_create(&labels).set(health.n_restarts());
            self.panics.get_or_create(&labels).set(health.n_panics());
            for ((what, kind), n) in health.counts() {
                self.adapters.get_or_create(&OfAdapter { platform, what, kind }).set(n);
            }
        }
        let mut text = String::new();
        if let Err(error) = encode(&mut text, &self.registry) {
            text.clear();
            let _ = write!(text, "# metrics cannot be written: {error}\n# EOF\n");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployment::tally::ArmStanding;

    #[test]
    fn all_that_is_counted_is_told() {
        let metrics = Metrics::default();
        metrics.request(Platform::Telegram, "suggest", Some("busy"));
        metrics.feedback("up");
        metrics.error("store");
        metrics.steps(&Steps::default());
        let health = Health::new(Platform::Discord);
        health.count("error", "429");
        health.live();
        metrics.model_changed("stopped");
        let arm = |arm: &str, model: &str, share| ArmStanding {
            arm: arm.to_owned(),
            model: model.to_owned(),
            share,
            n_answers: 8,
            n_liked: 2,
            like_rate: (0.125, 0.5),
        };
        let arms = vec![arm("current", "base 1", 0.75), arm("trial", "ours 2", 0.25)];
        let standing = Standing { arms, difference: Some((-0.5, 0.25)) };
        metrics.text(&EngineCounts::default(), &LogCounters::default(), &[], &standing);
        let standing = Standing { arms: vec![arm("current", "ours 2", 1.0)], difference: standing.difference };
        let text = metrics.text(&EngineCounts::default(), &LogCounters::default(), &[health], &standing);
        assert!(!text.contains("base 1"), "a model that serves no longer is told: {text}");
        for line in [
            "image2song_requests_total{platform=\"telegram\",kind=\"suggest\",outcome=\"busy\"} 1",
            "image2song_feedback_total{kind=\"up\"} 1",
            "image2song_errors_total{kind=\"store\"} 1",
            "image2song_adapter_up{platform=\"discord\"} 1",
            "image2song_adapter_events{platform=\"discord\",what=\"error\",kind=\"429\"} 1",
            "image2song_step_seconds_count{step=\"total\"} 1",
            "image2song_model_share{arm=\"current\",model=\"ours 2\"} 1.0",
            "image2song_model_answers{arm=\"current\",model=\"ours 2\"} 8",
            "image2song_model_like_rate_high{arm=\"current\",model=\"ours 2\"} 0.5",
            "image2song_model_difference{bound=\"low\"} -0.5",
            "image2song_model_changes_total{kind=\"stopped\"} 1",
            "image2song_model_changes_total{kind=\"refused\"} 0",
            "# EOF",
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
    }
}
