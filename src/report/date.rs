//! Days of the calendar, in UTC.

use crate::calendar::{DAY_MS, civil};
use crate::feedback::event::UnixMs;

/// The date of a time, such as `2026-11-24`.
pub fn date(time: UnixMs) -> String {
    let (year, month, day) = civil((time.0 / DAY_MS) as i64);
    format!("{year:04}-{month:02}-{day:02}")
}

/// The first moment of a date; `None` if the text is none, or one before 1970.
pub fn parse(text: &str) -> Option<UnixMs> {
    let mut parts = text.splitn(3, '-').map(|part| part.bytes().all(|byte| byte.is_ascii_digit()).then_some(part));
    let mut number = || parts.next()??.parse::<i64>().ok();
    let (year, month, day) = (number()?, number()?, number()?);
    let day_no = (1970..=9999).contains(&year).then(|| day_no(year, month, day))?;
    let time = UnixMs(u64::try_from(day_no).ok()? * DAY_MS);
    (date(time) == format!("{year:04}-{month:02}-{day:02}")).then_some(time)
}

/// The first moment of the day of a time.
pub fn start_of_day(time: UnixMs) -> UnixMs {
    UnixMs(time.0 / DAY_MS * DAY_MS)
}

fn day_no(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_are_one_to_one() {
        for day in 0..200_000 {
            let time = UnixMs(day * DAY_MS + 77);
            assert_eq!(parse(&date(time)), Some(start_of_day(time)));
        }
        assert_eq!(date(UnixMs(1_800_000_000_000)), "2027-01-15");
        assert_eq!(date(UnixMs(951_782_400_000)), "2000-02-29");
        for text in ["", "2026", "2026-02-29", "2026-13-01", "2026-1-1x", "-1-01-01", "2026-00-10", "1969-12-31"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
