//! Intervals that hold at every moment, however often one looks: for the like rate of one arm and for the difference of
//! two.
//!
//! With `s` likes in `n` answers, `M(p) = B(s + ½, n - s + ½) / B(½, ½) / (p^s (1 - p)^(n - s))` is a martingale that begins
//! at 1 if `p` is the rate (a mixture of likelihood ratios: Robbins 1970; Howard, Ramdas, McAuliffe & Sekhon 2021, §3). By
//! Ville's inequality it ever reaches `1 / alpha` with a probability of at most `alpha`, so the rates at which it has not
//! are a confidence sequence. For two arms the product of both martingales is one, and the differences of all pairs of
//! rates at which it is small are a confidence sequence of the difference: exact, and narrower than the difference of two
//! intervals that each hold with half the error. Unlike bounds that need the order of the outcomes, these depend on
//! the counts alone, so a like that is taken back is one like less.

/// Outcomes of an arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outcomes {
    /// Answers.
    pub n: u64,
    /// Of them with a like, at most [`Self::n`].
    pub n_liked: u64,
}

/// Steps of each search for a bound: the last one is below 1e-9.
const N_STEPS: usize = 32;

impl Outcomes {
    /// Share of answers with a like; 0 without answers.
    pub fn rate(self) -> f64 {
        if self.n == 0 { 0.0 } else { self.n_liked as f64 / self.n as f64 }
    }

    /// Logarithm of the martingale at a rate; convex, least at [`Self::rate`].
    fn log_ratio(self, rate: f64) -> f64 {
        let (likes, others) = (self.n_liked as f64, (self.n - self.n_liked) as f64);
        // 0 · ln 0 is 0: where nobody liked, a rate of 0 is possible.
        let term = |count: f64, p: f64| if count == 0.0 { 0.0 } else { count * p.ln() };
        ln_beta(likes + 0.5, others + 0.5) - std::f64::consts::PI.ln() - term(likes, rate) - term(others, 1.0 - rate)
    }

    /// The like rates that the outcomes leave possible, lowest and highest; wrong at any moment ever with a probability of
    /// at most `alpha`.
    pub fn interval(self, alpha: f64) -> (f64, f64) {
        let (rate, limit) = (self.rate(), -alpha.ln());
        let excludes = |p: f64| self.log_ratio(p) >= limit;
        (edge(rate, 0.0, excludes), edge(rate, 1.0, excludes))
    }
}

/// Two arms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pair {
    /// What serves.
    pub current: Outcomes,
    /// What is on trial.
    pub trial: Outcomes,
}

impl Pair {
    /// Like rate on trial less the current one.
    pub fn difference(self) -> f64 {
        self.trial.rate() - self.current.rate()
    }

    /// Whether the outcomes rule a difference out; they do so wrongly at any moment ever with a probability of at most
    /// `alpha`.
    pub fn excludes(self, difference: f64, alpha: f64) -> bool {
        self.least_log_ratio(difference) >= -alpha.ln()
    }

    /// The differences that the outcomes leave possible, lowest and highest; wrong as [`Self::excludes`].
    pub fn interval(self, alpha: f64) -> (f64, f64) {
        let found = self.difference();
        let excludes = |difference: f64| self.excludes(difference, alpha);
        (edge(found, -1.0, excludes), edge(found, 1.0, excludes))
    }

    /// Logarithm of the product of both martingales at the rates of this difference that suit the outcomes best.
    fn least_log_ratio(self, difference: f64) -> f64 {
        let at = |rate: f64| self.current.log_ratio(rate) + self.trial.log_ratio(rate + difference);
        // Convex, so golden sections find the least value; the ends themselves may be infinite and are never asked.
        let golden = (5.0_f64.sqrt() - 1.0) / 2.0;
        let (mut low, mut high) = ((-difference).max(0.0), (1.0 - difference).min(1.0));
        let (mut left, mut right) = (high - golden * (high - low), low + golden * (high - low));
        let (mut at_left, mut at_right) = (at(left), at(right));
        let mut least = at_left.min(at_right);
        for _ in 0..2 * N_STEPS {
            if at_left <= at_right {
                (high, right, at_right) = (right, left, at_left);
                left = high - golden * (high - low);
                at_left = at(left);
                least = least.min(at_left);
            } else {
                (low, left, at_left) = (left, right, at_right);
                right = low + golden * (high - low);
                at_right = at(right);
                least = least.min(at_right);
            }
        }
        least
    }
}

/// The last value on the way from `inside` to `end` that is not excluded.
fn edge(inside: f64, end: f64, excludes: impl Fn(f64) -> bool) -> f64 {
    let (mut possible, mut beyond) = (inside, end);
    if !excludes(end) {
        return end;
    }
    for _ in 0..N_STEPS {
        let middle = (possible + beyond) / 2.0;
        if excludes(middle) { beyond = middle } else { possible = middle }
    }
    // The side that errs towards a wider interval.
    beyond
}

/// Logarithm of the beta function.
fn ln_beta(a: f64, b: f64) -> f64 {
    ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b)
}

/// Logarithm of the gamma function for arguments of at least ½, to 1e-12: Stirling's series, after the argument has been
/// raised to where four terms suffice.
fn ln_gamma(x: f64) -> f64 {
    let (mut x, mut shift) = (x, 0.0);
    while x < 10.0 {
        shift -= x.ln();
        x += 1.0;
    }
    let inverse = 1.0 / (x * x);
    let series = (1.0 / 12.0 - inverse * (1.0 / 360.0 - inverse * (1.0 / 1260.0 - inverse / 1680.0))) / x;
    shift + (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gamma_function_is_that_of_the_tables() {
        let mut factorial = 1.0_f64;
        for n in 1..20 {
            assert!((ln_gamma(f64::from(n)) - factorial.ln()).abs() < 1e-11, "{n}");
            factorial *= f64::from(n);
        }
        assert!((ln_gamma(0.5) - std::f64::consts::PI.sqrt().ln()).abs() < 1e-11);
        assert!((ln_beta(0.5, 0.5) - std::f64::consts::PI.ln()).abs() < 1e-11);
    }

    #[test]
    fn intervals_hold_their_rate_and_shrink() {
        assert_eq!(Outcomes::default().interval(0.05), (0.0, 1.0));
        assert_eq!(Pair::default().interval(0.05), (-1.0, 1.0));
        let mut last = 1.0;
        for n in [10, 100, 1000, 100_000] {
            let outcomes = Outcomes { n, n_liked: n / 5 };
            let (low, high) = outcomes.interval(0.05);
            assert!(low < 0.2 && 0.2 < high && high - low < last, "{n}: {low} {high}");
            last = high - low;
            let pair = Pair { current: outcomes, trial: Outcomes { n, n_liked: n / 10 } };
            let (low, high) = pair.interval(0.05);
            assert!(low < -0.1 && -0.1 < high, "{n}: {low} {high}");
            let apart = outcomes.interval(0.025);
            let other = pair.trial.interval(0.025);
            assert!(high - low < (apart.1 - apart.0) + (other.1 - other.0), "{n}: no gain over two intervals");
        }
        assert!(Outcomes { n: 50, n_liked: 0 }.interval(0.05).0 == 0.0);
        assert!(Outcomes { n: 50, n_liked: 50 }.interval(0.05).1 == 1.0);
    }

    #[test]
    fn bounds_are_where_exclusion_begins() {
        let pair = Pair { current: Outcomes { n: 400, n_liked: 90 }, trial: Outcomes { n: 60, n_liked: 6 } };
        let (low, high) = pair.interval(0.05);
        for (inside, outside) in [(low + 1e-6, low - 1e-6), (high - 1e-6, high + 1e-6)] {
            assert!(!pair.excludes(inside, 0.05) && pair.excludes(outside, 0.05), "{low} {high}");
        }
    }

    /// Share of runs in which one who looks after every answer is ever misled.
    fn misled(n_runs: u64, n_answers: u64, mut run: impl FnMut(&mut fastrand::Rng, u64) -> bool) -> f64 {
        let is_misled = |seed: &u64| run(&mut fastrand::Rng::with_seed(*seed), n_answers);
        (0..n_runs).filter(is_misled).count() as f64 / n_runs as f64
    }

    #[test]
    fn looking_after_every_answer_misleads_no_more_often_than_alpha() {
        let alpha = 0.1;
        for rate in [0.03, 0.3] {
            let ever = misled(400, 600, |rng, n_answers| {
                let mut seen = Outcomes::default();
                (0..n_answers).any(|_| {
                    seen.n += 1;
                    seen.n_liked += u64::from(rng.f64() < rate);
                    let (low, high) = seen.interval(alpha);
                    !(low..=high).contains(&rate)
                })
            });
            // Four deviations of 400 runs above alpha would be 0.16; a bound for one look is passed in far more of them.
            assert!(ever <= alpha, "rate {rate}: misled in {ever}");
        }
        let ever = misled(400, 1500, |rng, n_answers| {
            let mut pair = Pair::default();
            (0..n_answers).any(|_| {
                let arm = if rng.f64() < 0.3 { &mut pair.trial } else { &mut pair.current };
                arm.n += 1;
                arm.n_liked += u64::from(rng.f64() < 0.2);
                pair.difference() < 0.0 && pair.excludes(0.0, alpha)
            })
        });
        assert!(ever <= alpha, "no difference: stopped in {ever}");
    }

    #[test]
    fn a_bound_for_one_look_would_mislead() {
        let ever = misled(200, 600, |rng, n_answers| {
            let mut seen = Outcomes::default();
            (0..n_answers).any(|n| {
                seen.n += 1;
                seen.n_liked += u64::from(rng.f64() < 0.3);
                let deviation = (0.3 * 0.7 / seen.n as f64).sqrt();
                n > 30 && (seen.rate() - 0.3).abs() > 1.645 * deviation
            })
        });
        assert!(ever > 0.2, "the test above could not fail: {ever}");
    }

    #[test]
    fn a_harmful_arm_is_found_out() {
        let found = misled(40, 4000, |rng, n_answers| {
            let mut pair = Pair::default();
            (0..n_answers).any(|_| {
                let is_trial = rng.f64() < 0.5;
                let (arm, rate) = if is_trial { (&mut pair.trial, 0.15) } else { (&mut pair.current, 0.3) };
                arm.n += 1;
                arm.n_liked += u64::from(rng.f64() < rate);
                pair.difference() < 0.0 && pair.excludes(0.0, 0.05)
            })
        });
        assert!(found > 0.95, "{found}");
    }
}
