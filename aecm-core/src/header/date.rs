//! Dates (RFC 5322 §3.3, §4.3).

use super::scan::Scanner;
use super::unfold;
use crate::time::{Civil, Time};

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// The time that a Date field names; `None` where it does not follow the grammar or the calendar.
///
/// Obsolete years of two and three digits and obsolete zone names are read (RFC 5322 §4.3; military zones count
/// as UTC). The name of the day is not compared with the date. A leap second is read as the second before.
///
/// ```text
/// date-time = [day-name ","] day month year hour ":" minute [":" second] zone
/// ```
#[must_use]
pub fn parse_date(value: &[u8]) -> Option<Time> {
    let text = unfold(value);
    let mut scanner = Scanner::new(&text);
    scanner.skip().ok()?;
    if scanner.peek()?.is_ascii_alphabetic() {
        let day = scanner.take(|c| c.is_ascii_alphabetic()).to_ascii_lowercase();
        scanner.skip().ok()?;
        if !DAYS.contains(&day.as_str()) || !scanner.eat(',') {
            return None;
        }
    }
    let (day, _) = number(&mut scanner, 2)?;
    scanner.skip().ok()?;
    let month = scanner.take(|c| c.is_ascii_alphabetic()).to_ascii_lowercase();
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let year = match number(&mut scanner, 4)? {
        (year, 2) if year < 50 => 2_000 + year,
        (year, 2 | 3) => 1_900 + year,
        (year, 4) if year >= 1_900 => year,
        _ => return None,
    };
    let (hour, _) = number(&mut scanner, 2)?;
    scanner.skip().ok()?;
    if !scanner.eat(':') {
        return None;
    }
    let (minute, _) = number(&mut scanner, 2)?;
    scanner.skip().ok()?;
    let second = if scanner.eat(':') { number(&mut scanner, 2)?.0 } else { 0 };
    scanner.skip().ok()?;
    let offset = zone(&mut scanner)?;
    scanner.skip().ok()?;
    if scanner.peek().is_some() || second > 60 {
        return None;
    }
    let small = |value: u16| u8::try_from(value).ok();
    let civil = Civil {
        year,
        month: u8::try_from(month).ok()?,
        day: small(day)?,
        hour: small(hour)?,
        minute: small(minute)?,
        second: small(second.min(59))?,
    };
    let local = Time::from_civil(civil)?;
    Some(Time::from_unix(local.unix() - offset))
}

// A number of one to `max_digits` digits, and how many it has.
fn number(scanner: &mut Scanner<'_>, max_digits: usize) -> Option<(u16, usize)> {
    scanner.skip().ok()?;
    let digits = scanner.take(|c| c.is_ascii_digit());
    if digits.len() > max_digits {
        return None;
    }
    Some((digits.parse().ok()?, digits.len()))
}

// Seconds east of UTC.
fn zone(scanner: &mut Scanner<'_>) -> Option<i64> {
    let sign = match scanner.peek()? {
        '+' => 1,
        '-' => -1,
        _ => {
            let name = scanner.take(|c| c.is_ascii_alphabetic()).to_ascii_uppercase();
            let hours = match name.as_str() {
                "UT" | "GMT" | "UTC" => 0,
                "EDT" => -4,
                "EST" | "CDT" => -5,
                "CST" | "MDT" => -6,
                "MST" | "PDT" => -7,
                "PST" => -8,
                // RFC 5322 §4.3: their signs were mixed up, so they mean nothing.
                military if military.len() == 1 && military != "J" => 0,
                _ => return None,
            };
            return Some(hours * 3_600);
        }
    };
    scanner.next();
    let digits = scanner.take(|c| c.is_ascii_digit());
    let (hours, minutes) = digits.split_at_checked(2).filter(|_| digits.len() == 4)?;
    let (hours, minutes) = (hours.parse::<i64>().ok()?, minutes.parse::<i64>().ok()?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}
