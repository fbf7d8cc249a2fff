//! Prints one table: every job with its median time and its ratio to the first of its group.
//!
//! `cargo run --release -p aecm-benches --bin jobs`
#![forbid(unsafe_code)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use aecm_benches::{Job, mail, sm};

/// A job is measured for so long, and at least so often.
const SPAN: Duration = Duration::from_millis(400);
const RUNS: usize = 15;

/// The calibration loop may vary by so much, in percent, before the table says so.
const STEADY_PERCENT: f64 = 5.0;

fn main() {
    let before = calibration();
    let mut jobs = sm::jobs();
    jobs.extend(mail::jobs());
    println!("{:<40} {:<24} {:>12} {:>9}", "job", "with", "median", "ratio");
    let mut group = "";
    let mut reference = Duration::ZERO;
    for job in &mut jobs {
        let median = median(job);
        let first = job.group != group;
        if first {
            (group, reference) = (job.group, median);
        }
        let ratio = median.as_secs_f64() / reference.as_secs_f64();
        let shown = if first { job.group } else { "" };
        println!("{shown:<40} {:<24} {:>12} {ratio:>8.2}x", job.name, time(median));
    }
    let after = calibration();
    println!();
    println!("{}", steadiness(before, after));
    println!("peak memory of the whole run: {}", peak_memory());
}

/// The median of many runs, after one to warm up.
fn median(job: &mut Job) -> Duration {
    (job.run)();
    let mut runs = Vec::new();
    let started = Instant::now();
    while runs.len() < RUNS || started.elapsed() < SPAN {
        let run = Instant::now();
        (job.run)();
        runs.push(run.elapsed());
    }
    runs.sort_unstable();
    runs.get(runs.len() / 2).copied().unwrap_or_default()
}

/// The time that a fixed piece of arithmetic takes: the best of some tries, so that it says how fast the machine
/// is and not how often it was interrupted.
fn calibration() -> Duration {
    let once = || {
        let started = Instant::now();
        let mut state = black_box(0x9e37_79b9_7f4a_7c15_u64);
        for _ in 0..20_000_000 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
        }
        black_box(state);
        started.elapsed()
    };
    (0..9).map(|_| once()).min().unwrap_or_default()
}

fn steadiness(before: Duration, after: Duration) -> String {
    let change = (after.as_secs_f64() / before.as_secs_f64() - 1.0) * 100.0;
    let found = format!("calibration loop: {} before, {} after ({change:+.1} %)", time(before), time(after));
    if change.abs() > STEADY_PERCENT {
        format!("{found}: VARIES BY MORE THAN {STEADY_PERCENT} %, do not compare these numbers")
    } else {
        found
    }
}

fn time(duration: Duration) -> String {
    let micros = duration.as_secs_f64() * 1e6;
    if micros < 1000.0 { format!("{micros:.1} µs") } else { format!("{:.2} ms", micros / 1000.0) }
}

/// VmHWM of this process (Linux), else `-`.
fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "-".to_owned(), |peak| peak.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_speed_is_said() {
        let (slow, fast) = (Duration::from_millis(20), Duration::from_millis(10));
        assert!(steadiness(fast, slow).contains("VARIES"));
        assert!(steadiness(slow, fast).contains("VARIES"));
        assert!(!steadiness(fast, fast).contains("VARIES"));
    }

    #[test]
    fn times_have_their_unit() {
        assert_eq!(time(Duration::from_micros(12)), "12.0 µs");
        assert_eq!(time(Duration::from_millis(12)), "12.00 ms");
    }
}
