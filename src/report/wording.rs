//! Numbers as people read them, the same in the terminal and on the page.

use super::kpi::{Kpi, Unit};
use crate::evaluation::bootstrap::Estimate;

/// A number of a KPI.
pub fn value(unit: Unit, value: f64) -> String {
    match unit {
        Unit::PerAnswer => format!("{value:.2}"),
        Unit::Share => percent(value),
        Unit::Ms => milliseconds(value),
    }
}

/// A share in percent, with a digit after the point below 10 %.
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent.abs() < 9.95 && percent != 0.0 { format!("{percent:.1} %") } else { format!("{percent:.0} %") }
}

/// A time: milliseconds, or seconds from one on.
pub fn milliseconds(value: f64) -> String {
    if value.abs() < 999.5 { format!("{value:.0} ms") } else { format!("{:.1} s", value / 1000.0) }
}

/// An interval: `0.40 to 0.44`.
pub fn interval(unit: Unit, estimate: Estimate) -> String {
    format!("{} to {}", value(unit, estimate.low), value(unit, estimate.high))
}

/// A change with its sign.
pub fn signed(unit: Unit, change: f64) -> String {
    let text = value(unit, change.abs());
    let is_zero = text.chars().all(|c| !c.is_ascii_digit() || c == '0');
    let sign = if is_zero {
        "±"
    } else if change < 0.0 {
        "−"
    } else {
        "+"
    };
    format!("{sign}{text}")
}

/// A whole number with its thousands apart.
pub fn whole(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (idx, digit) in digits.chars().enumerate() {
        if idx > 0 && (digits.len() - idx).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Whether a change is for the better; `None` if its interval holds 0, or if more of it is neither good nor bad.
pub fn is_better(kpi: Kpi, change: Estimate) -> Option<bool> {
    let rises = match change {
        Estimate { low, .. } if low > 0.0 => true,
        Estimate { high, .. } if high < 0.0 => false,
        _ => return None,
    };
    kpi.is_good().map(|is_good| is_good == rises)
}

/// What a grouping is by.
pub fn grouping(by: &str) -> &str {
    match by {
        "model_version" => "model version",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(["0 %", "0.4 %", "9.9 %", "10 %", "63 %"], [0.0, 0.004, 0.099, 0.0996, 0.63].map(percent));
        assert_eq!(["240 ms", "1.0 s", "12.3 s"], [240.4, 999.6, 12_340.0].map(milliseconds));
        assert_eq!(["0", "999", "1,000", "1,234,567"], [0, 999, 1000, 1_234_567].map(whole));
        assert_eq!(["+0.10", "−0.20", "±0.00"], [0.1, -0.2, -0.001].map(|change| signed(Unit::PerAnswer, change)));
    }

    #[test]
    fn only_a_change_that_is_sure_is_better_or_worse() {
        let change = |low, high| Estimate { value: 0.5 * (low + high), low, high };
        assert_eq!(is_better(Kpi::Likes, change(0.1, 0.3)), Some(true));
        assert_eq!(is_better(Kpi::SlowTime, change(0.1, 0.3)), Some(false));
        assert_eq!(is_better(Kpi::Unsure, change(-0.3, -0.1)), Some(true));
        assert_eq!(is_better(Kpi::Likes, change(-0.1, 0.3)), None);
        assert_eq!(is_better(Kpi::More, change(0.1, 0.3)), None);
    }
}
