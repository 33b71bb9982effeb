//! How the arms are liked: kept from answer to answer and press to press, so that nobody has to read the log for it.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::interval::{Outcomes, Pair};
use crate::feedback::event::UnixMs;
use crate::feedback::ids::ImpressionId;
use crate::feedback::log::Row;
use crate::feedback::opinion::Verdict;

/// What an operator decided about trials.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// Error that the intervals may have, over all time.
    pub alpha: f64,
    /// How much lower than the current like rate that of a trial may be before it is stopped.
    pub tolerance: f64,
    /// Whether a trial that harms is stopped.
    pub stops_harm: bool,
    /// Age at which an answer counts: until then its likes may still come. The same for both arms.
    pub settle_ms: u64,
}

/// An arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArmStanding {
    /// `current` or `trial`.
    pub arm: String,
    /// Name and version of its model.
    pub model: String,
    /// Share of the askers, in [0, 1].
    pub share: f64,
    /// Answers that count, since the arms are as they are.
    pub n_answers: u64,
    /// Of them with a like.
    pub n_liked: u64,
    /// Lowest and highest like rate that these leave possible.
    pub like_rate: (f64, f64),
}

/// How the arms stand.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Standing {
    /// The current model, then one on trial if there is one.
    pub arms: Vec<ArmStanding>,
    /// Lowest and highest difference of the like rates, that on trial less the current, that the answers leave possible.
    pub difference: Option<(f64, f64)>,
}

/// An arm as it is counted.
#[derive(Debug, Clone)]
struct Arm {
    version: String,
    share: f64,
    outcomes: Outcomes,
}

#[derive(Debug, Default)]
struct Inner {
    /// The current model, then that on trial.
    arms: Vec<Arm>,
    since: UnixMs,
    /// Answers that have a like now.
    liked: HashSet<ImpressionId>,
    /// Answers that are too young to count, and their arms.
    young: BTreeSet<(UnixMs, ImpressionId, usize)>,
    /// Answers from before this count.
    settled: UnixMs,
}

/// Counts answers and their likes by arm.
#[derive(Debug)]
pub struct Tally {
    rules: Rules,
    inner: Mutex<Inner>,
}

impl Tally {
    /// Of no arms yet.
    pub fn new(rules: Rules) -> Self {
        Self { rules, inner: Mutex::default() }
    }

    /// The rules.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Begins to count for these arms, versions with their shares, the current first; only answers from `since` on.
    pub fn begin(&self, arms: &[(&str, f64)], since: UnixMs) {
        let arm =
            |&(version, share): &(&str, f64)| Arm { version: version.to_owned(), share, outcomes: Outcomes::default() };
        *self.inner() = Inner { arms: arms.iter().map(arm).collect(), since, ..Inner::default() };
    }

    /// Counts anew from all that the log holds. Answers that are logged meanwhile wait.
    ///
    /// # Errors
    /// The first one of the rows; the counts then lack what came after it.
    pub fn recount<E>(&self, rows: impl Iterator<Item = Result<Row, E>>) -> Result<(), E> {
        let mut inner = self.inner();
        inner.clear();
        for row in rows {
            let row = row?;
            let (id, version, at) = (row.impression.id, &row.impression.model_version, row.impression.time);
            inner.show(id, version, at, self.rules.settle_ms);
            inner.judge(id, version, at, is_liked(&row), self.rules.settle_ms);
        }
        Ok(())
    }

    /// An answer was written down.
    pub fn shown(&self, id: ImpressionId, version: &str, at: UnixMs) {
        self.inner().show(id, version, at, self.rules.settle_ms);
    }

    /// Something was done with an answer; what is kept of it now.
    pub fn judged(&self, row: &Row) {
        let (version, at) = (&row.impression.model_version, row.impression.time);
        self.inner().judge(row.impression.id, version, at, is_liked(row), self.rules.settle_ms);
    }

    /// How the arms stand at a time.
    pub fn standing(&self, now: UnixMs) -> Standing {
        let mut inner = self.inner();
        inner.settle(now, self.rules.settle_ms);
        let arm = |(name, arm): (&str, &Arm)| ArmStanding {
            arm: name.to_owned(),
            model: arm.version.clone(),
            share: arm.share,
            n_answers: arm.outcomes.n,
            n_liked: arm.outcomes.n_liked,
            like_rate: arm.outcomes.interval(self.rules.alpha),
        };
        let arms = ["current", "trial"].into_iter().zip(&inner.arms).map(arm).collect();
        Standing { arms, difference: inner.pair().map(|pair| pair.interval(self.rules.alpha)) }
    }

    /// Why the trial should be stopped, if it should: its like rate is lower than may be, whatever chance did.
    pub fn harm(&self, now: UnixMs) -> Option<String> {
        let mut inner = self.inner();
        inner.settle(now, self.rules.settle_ms);
        let pair = inner.pair().filter(|_| self.rules.stops_harm)?;
        let least = -self.rules.tolerance;
        (pair.difference() < least && pair.excludes(least, self.rules.alpha)).then(|| {
            format!(
                "it harms: {} of {} answers liked, {} of {} with the current model",
                pair.trial.n_liked, pair.trial.n, pair.current.n_liked, pair.current.n
            )
        })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn clear(&mut self) {
        self.arms.iter_mut().for_each(|arm| arm.outcomes = Outcomes::default());
        self.liked.clear();
        self.young.clear();
    }

    fn arm_of(&self, version: &str, at: UnixMs) -> Option<usize> {
        self.arms.iter().position(|arm| arm.version == version).filter(|_| at >= self.since)
    }

    fn is_settled(&self, at: UnixMs, settle_ms: u64) -> bool {
        at.0.saturating_add(settle_ms) <= self.settled.0
    }

    fn show(&mut self, id: ImpressionId, version: &str, at: UnixMs, settle_ms: u64) {
        let Some(arm) = self.arm_of(version, at) else { return };
        if self.is_settled(at, settle_ms) {
            self.count(id, arm);
        } else {
            self.young.insert((at, id, arm));
        }
    }

    fn count(&mut self, id: ImpressionId, arm: usize) {
        let is_liked = self.liked.contains(&id);
        let outcomes = &mut self.arms[arm].outcomes;
        outcomes.n += 1;
        outcomes.n_liked += u64::from(is_liked);
    }

    fn judge(&mut self, id: ImpressionId, version: &str, at: UnixMs, is_liked: bool, settle_ms: u64) {
        let Some(arm) = self.arm_of(version, at) else { return };
        let has_changed = if is_liked { self.liked.insert(id) } else { self.liked.remove(&id) };
        if !has_changed || !self.is_settled(at, settle_ms) {
            return;
        }
        let outcomes = &mut self.arms[arm].outcomes;
        let n_liked = if is_liked { outcomes.n_liked + 1 } else { outcomes.n_liked.saturating_sub(1) };
        outcomes.n_liked = n_liked.min(outcomes.n);
    }

    fn settle(&mut self, now: UnixMs, settle_ms: u64) {
        self.settled = self.settled.max(now);
        while let Some(&(at, id, arm)) = self.young.first()
            && self.is_settled(at, settle_ms)
        {
            self.young.pop_first();
            self.count(id, arm);
        }
    }

    fn pair(&self) -> Option<Pair> {
        match self.arms.as_slice() {
            [current, trial] => Some(Pair { current: current.outcomes, trial: trial.outcomes }),
            _ => None,
        }
    }
}

/// Whether anybody likes any song of an answer, by what was last said.
fn is_liked(row: &Row) -> bool {
    row.state.songs.values().any(|song| song.opinion.verdict() == Some(Verdict::Up))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules { alpha: 0.05, tolerance: 0.0, stops_harm: true, settle_ms: 100 };

    fn id(n: u64) -> ImpressionId {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&n.to_le_bytes());
        ImpressionId::from_bytes(bytes)
    }

    fn judge(tally: &Tally, n: u64, version: &str, at: u64, is_liked: bool) {
        tally.inner().judge(id(n), version, UnixMs(at), is_liked, RULES.settle_ms);
    }

    fn counts(tally: &Tally, now: u64) -> Vec<(u64, u64)> {
        tally.standing(UnixMs(now)).arms.iter().map(|arm| (arm.n_answers, arm.n_liked)).collect()
    }

    #[test]
    fn answers_count_when_they_have_settled_and_likes_come_and_go() {
        let tally = Tally::new(RULES);
        tally.begin(&[("a", 0.9), ("b", 0.1)], UnixMs(1000));
        for (n, version, at) in [(1, "a", 1000), (2, "b", 1010), (3, "c", 1000), (4, "a", 999), (5, "a", 1005)] {
            tally.shown(id(n), version, UnixMs(at));
        }
        judge(&tally, 1, "a", 1000, true);
        assert_eq!(counts(&tally, 1099), [(0, 0), (0, 0)]);
        assert_eq!(counts(&tally, 1100), [(1, 1), (0, 0)]);
        assert_eq!(counts(&tally, 1200), [(2, 1), (1, 0)]);
        judge(&tally, 2, "b", 1010, true);
        judge(&tally, 2, "b", 1010, true);
        assert_eq!(counts(&tally, 1200), [(2, 1), (1, 1)]);
        judge(&tally, 1, "a", 1000, false);
        assert_eq!(counts(&tally, 1200), [(2, 0), (1, 1)]);
        // Another version, and an answer from before, count for nobody.
        judge(&tally, 3, "c", 1000, true);
        judge(&tally, 4, "a", 999, true);
        assert_eq!(counts(&tally, 9000), [(2, 0), (1, 1)]);
        // An answer whose note comes late counts at once.
        tally.shown(id(6), "a", UnixMs(1001));
        assert_eq!(counts(&tally, 9000), [(3, 0), (1, 1)]);
    }

    #[test]
    fn harm_is_told_only_where_there_is_a_trial_and_it_is_sure() {
        let tally = Tally::new(RULES);
        tally.begin(&[("a", 1.0)], UnixMs(0));
        assert_eq!(tally.harm(UnixMs(1)), None);
        assert_eq!(tally.standing(UnixMs(1)).difference, None);
        tally.begin(&[("a", 0.5), ("b", 0.5)], UnixMs(0));
        for n in 0..200 {
            tally.shown(id(n), if n % 2 == 0 { "a" } else { "b" }, UnixMs(1));
            judge(&tally, n, if n % 2 == 0 { "a" } else { "b" }, 1, n % 4 == 0);
        }
        assert_eq!(tally.harm(UnixMs(50)), None, "nothing has settled");
        let told = tally.harm(UnixMs(500)).unwrap();
        assert!(told.contains("0 of 100 answers liked, 50 of 100"), "{told}");
        let lenient = Tally::new(Rules { stops_harm: false, ..RULES });
        lenient.begin(&[("a", 0.5), ("b", 0.5)], UnixMs(0));
        assert_eq!(lenient.harm(UnixMs(500)), None);
    }
}
