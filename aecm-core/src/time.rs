//! Points in time, as seconds since 1970-01-01T00:00:00Z, and the text and ASN.1 forms they travel in.
//!
//! Nothing here reads a clock: time is an argument everywhere ([`crate::embed::Clock`] is where it enters).

use core::fmt;
use core::time::Duration;

/// A point in time: whole seconds since 1970-01-01T00:00:00Z, without leap seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

impl Time {
    /// From seconds since the epoch; negative values lie before 1970.
    #[must_use]
    pub const fn from_unix(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since the epoch.
    #[must_use]
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// This time plus `duration` (whole seconds), saturating.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)))
    }

    /// This time minus `duration` (whole seconds), saturating.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; zero when it is not after.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// From a date and time of day in UTC (proleptic Gregorian calendar).
    ///
    /// `None` where a field is out of range; second 60 is refused, ASN.1 times have none in practice.
    #[must_use]
    pub fn from_civil(civil: Civil) -> Option<Self> {
        let Civil { year, month, day, hour, minute, second } = civil;
        if !(1..=12).contains(&month) || day == 0 || day > days_in_month(year, month) {
            return None;
        }
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let days = days_from_civil(i64::from(year), i64::from(month), i64::from(day));
        Some(Self(days * 86_400 + i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second)))
    }

    /// The date and time of day in UTC. Years outside 0..=9999 are clamped to those.
    #[must_use]
    pub fn civil(self) -> Civil {
        let clamped = self.0.clamp(MIN_CIVIL, MAX_CIVIL);
        let (year, month, day) = civil_from_days(clamped.div_euclid(86_400));
        let rest = clamped.rem_euclid(86_400);
        let small = |value: i64| u8::try_from(value).unwrap_or(0);
        Civil {
            year: u16::try_from(year).unwrap_or(0),
            month: small(month),
            day: small(day),
            hour: small(rest / 3_600),
            minute: small(rest / 60 % 60),
            second: small(rest % 60),
        }
    }

    /// Reads an RFC 3339 time (`2026-11-23T08:00:00Z`, fractions dropped, offsets applied).
    #[must_use]
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let number = |range: core::ops::Range<usize>| -> Option<u16> {
            let digits = bytes.get(range)?;
            if !digits.iter().all(u8::is_ascii_digit) {
                return None;
            }
            digits
                .iter()
                .try_fold(0u16, |sum, digit| sum.checked_mul(10)?.checked_add(u16::from(digit - b'0')))
        };
        let small = |range| number(range).and_then(|value| u8::try_from(value).ok());
        let at = |index: usize, wanted: &[u8]| bytes.get(index).is_some_and(|byte| wanted.contains(byte));
        if !(at(4, b"-") && at(7, b"-") && at(10, b"Tt ") && at(13, b":") && at(16, b":")) {
            return None;
        }
        let civil = Civil {
            year: number(0..4)?,
            month: small(5..7)?,
            day: small(8..10)?,
            hour: small(11..13)?,
            minute: small(14..16)?,
            second: small(17..19)?,
        };
        let mut end = 19;
        if at(19, b".") {
            end = 20;
            while bytes.get(end).is_some_and(u8::is_ascii_digit) {
                end += 1;
            }
            if end == 20 {
                return None;
            }
        }
        let time = Self::from_civil(civil)?;
        match bytes.get(end)? {
            b'Z' | b'z' if bytes.len() == end + 1 => Some(time),
            sign @ (b'+' | b'-') if bytes.len() == end + 6 && at(end + 3, b":") => {
                let (hours, minutes) = (number(end + 1..end + 3)?, number(end + 4..end + 6)?);
                if hours > 23 || minutes > 59 {
                    return None;
                }
                let offset = i64::from(hours) * 3_600 + i64::from(minutes) * 60;
                Some(Self(if *sign == b'+' { time.0 - offset } else { time.0 + offset }))
            }
            _ => None,
        }
    }
}

/// RFC 3339 in UTC: `2026-11-23T08:00:00Z`.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = self.civil();
        write!(f, "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", c.year, c.month, c.day, c.hour, c.minute, c.second)
    }
}

/// A date and time of day, always UTC here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// 0..=9999.
    pub year: u16,
    /// 1..=12.
    pub month: u8,
    /// 1..=31.
    pub day: u8,
    /// 0..=23.
    pub hour: u8,
    /// 0..=59.
    pub minute: u8,
    /// 0..=59.
    pub second: u8,
}

// 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z.
const MIN_CIVIL: i64 = -62_167_219_200;
const MAX_CIVIL: i64 = 253_402_300_799;

fn days_in_month(year: u16, month: u8) -> u8 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

// The year is taken to begin in March, so that the leap day is its last one.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn known_instants() {
        for (text, unix) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:00:00Z", 951_825_600),
            ("2026-11-23T08:00:00Z", 1_795_420_800),
            ("1969-12-31T23:59:59Z", -1),
            ("9999-12-31T23:59:59Z", MAX_CIVIL),
        ] {
            let time = Time::from_rfc3339(text).unwrap();
            assert_eq!(time.unix(), unix, "{text}");
            assert_eq!(time.to_string(), text);
            assert_eq!(Time::from_civil(time.civil()), Some(time));
        }
        assert_eq!(
            Time::from_rfc3339("2026-11-23T09:00:00.25+01:00"),
            Time::from_rfc3339("2026-11-23T08:00:00Z")
        );
    }

    #[test]
    fn impossible_instants_are_refused() {
        for text in [
            "2025-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-11-23T24:00:00Z",
            "2026-11-23T23:60:00Z",
            "2026-11-23T23:59:60Z",
            "2026-11-23T08:00:00",
            "2026-11-23T08:00:00.Z",
            "2026-11-23T08:00:00+1:00",
            "2026-11-23",
            "+026-11-23T08:00:00Z",
            "",
        ] {
            assert_eq!(Time::from_rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn every_day_of_four_centuries_round_trips() {
        for day in (-200_000..200_000).step_by(7) {
            let time = Time::from_unix(day * 86_400 + 3_661);
            assert_eq!(Time::from_civil(time.civil()), Some(time));
        }
    }
}
