//! How long to wait (RFC 8555 §6.6, RFC 9110 §10.2.3, THREATS N10).

use core::time::Duration;

use aecm_core::time::{Civil, Time};

/// The shortest wait that a server can ask for.
const SHORTEST: u64 = 1;
/// The longest wait that a server can ask for: one hour.
const LONGEST: u64 = 3_600;
/// The longest wait of our own.
const LONGEST_BACKOFF: u64 = 60;

/// The wait that a Retry-After field asks for, in seconds or as a date, clamped to one second and one hour.
/// `None` where it is neither.
#[must_use]
pub fn retry_after(value: &str, now: Time) -> Option<Duration> {
    let value = value.trim();
    let seconds = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        value.parse().unwrap_or(u64::MAX)
    } else {
        http_date(value)?.since(now).as_secs()
    };
    Some(Duration::from_secs(seconds.clamp(SHORTEST, LONGEST)))
}

/// 1, 2, 4 … 60 seconds for the nth try, the longer ones with up to a quarter more.
pub(super) fn backoff(tries: u32, jitter: &mut u64) -> Duration {
    let base = 1u64.checked_shl(tries.min(16)).unwrap_or(LONGEST_BACKOFF).min(LONGEST_BACKOFF);
    // xorshift64: it spreads clients over time, nothing depends on its quality.
    *jitter ^= *jitter << 13;
    *jitter ^= *jitter >> 7;
    *jitter ^= *jitter << 17;
    Duration::from_secs(base + *jitter % (base / 4 + 1))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7, the form that is sent today).
fn http_date(value: &str) -> Option<Time> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_, rest) = value.split_once(", ")?;
    let mut parts = rest.split(' ');
    let mut part = || parts.next();
    let day = part()?.parse().ok()?;
    let month = part()?;
    let month = MONTHS.iter().zip(1u8..).find(|(name, _)| **name == month).map(|(_, number)| number)?;
    let year = part()?.parse().ok()?;
    let mut time = part()?.split(':').map(|number| number.parse::<u8>().ok());
    let mut field = || time.next().flatten();
    let (hour, minute, second) = (field()?, field()?, field()?);
    if part()? != "GMT" || part().is_some() {
        return None;
    }
    Time::from_civil(Civil { year, month, day, hour, minute, second })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::from_unix(784_111_777); // Sun, 06 Nov 1994 08:49:37 GMT

    fn seconds(value: &str) -> Option<u64> {
        retry_after(value, NOW).map(|wait| wait.as_secs())
    }

    // N10: both forms, clamped.
    #[test]
    fn both_forms_are_clamped() {
        for (value, wait) in [
            ("5", 5),
            (" 120 ", 120),
            ("0", 1),
            ("1000000000", 3_600),
            ("99999999999999999999999999", 3_600),
            ("Sun, 06 Nov 1994 08:50:07 GMT", 30),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 1),
            ("Thu, 01 Jan 1970 00:00:00 GMT", 1),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 3_600),
        ] {
            assert_eq!(seconds(value), Some(wait), "{value}");
        }
    }

    #[test]
    fn other_values_are_ignored() {
        for value in [
            "",
            "-5",
            "1.5",
            "soon",
            "Sun, 06 Nov 1994",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 32 Nov 1994 08:49:37 GMT",
            "5, 6",
        ] {
            assert_eq!(seconds(value), None, "{value}");
        }
    }

    #[test]
    fn waits_grow_and_are_bounded() {
        let mut jitter = 1;
        let waits: Vec<u64> = (0..40).map(|tries| backoff(tries, &mut jitter).as_secs()).collect();
        assert_eq!(waits[0], 1);
        assert!(waits.iter().all(|wait| (1..=75).contains(wait)), "{waits:?}");
        assert!(waits[39] >= 60);
    }
}
