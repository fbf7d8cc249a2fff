//! Durations on the command line.

use std::time::Duration;

/// `90`, `90s`, `15m`, `2h`: seconds where no unit is named.
pub(in crate::cli) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no time like 90s, 15m or 2h");
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..).unwrap_or_default() {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => return Err(wrong()),
    };
    let count: u32 = digits.parse().map_err(|_| wrong())?;
    Ok(Duration::from_secs(u64::from(count) * unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_known() {
        let seconds = |text: &str| duration(text).map(|time| time.as_secs());
        assert_eq!(
            ["90", "90s", "15m", "2h", "0"].map(|text| seconds(text).unwrap()),
            [90, 90, 900, 7_200, 0]
        );
        for wrong in ["", "s", "-1", "1d", "1.5h", "1 m", "99999999999"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
