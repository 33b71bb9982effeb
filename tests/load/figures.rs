//! What came of the questions, in numbers.

use std::time::Duration;

/// What somebody got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// Songs.
    Songs,
    /// "Busy, try again".
    Busy,
    /// Another sentence: no photo, broken.
    Sentence,
    /// Nothing at all.
    Nothing,
}

/// What came of one question.
#[derive(Debug, Clone, Copy)]
pub struct Outcome {
    pub came: Came,
    /// From the message to the answer.
    pub took: Duration,
    pub n_answers: usize,
}

impl Outcome {
    /// Nothing came.
    pub const NOTHING: Outcome = Outcome { came: Came::Nothing, took: Duration::ZERO, n_answers: 0 };
}

/// What came of many.
pub struct Figures(pub Vec<Outcome>);

impl Figures {
    /// How many got this.
    pub fn n(&self, came: Came) -> usize {
        self.0.iter().filter(|outcome| outcome.came == came).count()
    }

    /// How many were answered more than once.
    pub fn n_doubled(&self) -> usize {
        self.0.iter().filter(|outcome| outcome.n_answers > 1).count()
    }

    /// Times in ms, shortest first, of those who got one of these.
    pub fn times_ms(&self, came: &[Came]) -> Vec<f64> {
        let wanted = self.0.iter().filter(|outcome| came.contains(&outcome.came));
        let mut times: Vec<f64> = wanted.map(|outcome| outcome.took.as_secs_f64() * 1000.0).collect();
        times.sort_by(f64::total_cmp);
        times
    }
}

/// The value below which so much of a sorted list lies; 0 for none.
pub fn quantile(sorted: &[f64], part: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * part).round() as usize).copied().unwrap_or_default()
}

/// A histogram, a line for each doubling.
pub fn print_histogram(times_ms: &[f64]) {
    const WIDTH: f64 = 50.0;
    let bounds: Vec<f64> = (0..13).map(|exponent| 5.0 * 2.0_f64.powi(exponent) / 2.0).collect();
    let mut low = 0.0;
    for high in bounds {
        let n = times_ms.iter().filter(|ms| (low..high).contains(*ms)).count();
        if n > 0 {
            let bar = "#".repeat((WIDTH * n as f64 / times_ms.len() as f64).ceil() as usize);
            println!("    {low:>7.1} to {high:>7.1} ms {n:>6} {bar}");
        }
        low = high;
    }
}
