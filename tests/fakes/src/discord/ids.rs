//! Ids as Discord makes them: 64-bit numbers that hold their birth time, decimal strings on the wire.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Serialize, Serializer};
use serde_json::Value;

/// Milliseconds between 1970 and 2015, where Discord's ids begin to count.
const EPOCH_MS: u64 = 1_420_070_400_000;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub struct $name(pub u64);

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    self.0.fmt(f)
                }
            }

            impl Serialize for $name {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.collect_str(self)
                }
            }

            impl From<$name> for Value {
                fn from(id: $name) -> Value {
                    Value::String(id.to_string())
                }
            }
        )*
    };
}

ids!(
    /// Somebody who writes, or the bot.
    User,
    /// A channel, be it of a server or a direct one.
    Channel,
    /// A message of anybody.
    MessageId,
    /// One use of a command or a button.
    InteractionId
);

/// Now, in whole and fractional seconds since 1970.
pub fn unix_now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// Hands out ids that rise.
#[derive(Default)]
pub struct Ids(u64);

impl Ids {
    /// A new id: its birth time in the upper 42 bits, a running number below.
    pub fn next_id(&mut self) -> u64 {
        self.0 += 1;
        let ms = (unix_now() * 1000.0) as u64;
        (ms.saturating_sub(EPOCH_MS) << 22) | (self.0 & 0x3f_ffff)
    }
}

/// When an id was handed out, in seconds since 1970.
pub fn born_s(id: u64) -> f64 {
    ((id >> 22) + EPOCH_MS) as f64 / 1000.0
}

/// A moment as Discord writes it, in UTC: `2026-11-24T17:32:34.000000+00:00`.
pub fn timestamp(unix_s: f64) -> String {
    let secs = unix_s as i64;
    let (days, second) = (secs.div_euclid(86_400), secs.rem_euclid(86_400));
    // Civil date from days since 1970: the months are counted from March, so that the leap day is the last of a year.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_idx = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_idx + 2) / 5 + 1;
    let month = if month_idx < 10 { month_idx + 3 } else { month_idx - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.000000+00:00")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_dates() {
        assert_eq!(timestamp(0.0), "1970-01-01T00:00:00.000000+00:00");
        assert_eq!(timestamp(951_827_696.0), "2000-02-29T12:34:56.000000+00:00");
        assert_eq!(timestamp(1_798_761_599.9), "2026-12-31T23:59:59.000000+00:00");
    }

    #[test]
    fn ids_rise_and_hold_their_birth() {
        let mut ids = Ids::default();
        let (first, second) = (ids.next_id(), ids.next_id());
        assert!(second > first);
        assert!((born_s(first) - unix_now()).abs() < 60.0);
    }
}
