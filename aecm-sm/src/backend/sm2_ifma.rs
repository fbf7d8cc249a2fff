//! The curve of SM2 in the eight lanes of AVX-512 (IFMA): eight sums \[s\]G + \[t\]P at a time, for public values, and
//! one \[k\]G in constant time, its places shared out among the lanes.
//!
//! Every lane does the same steps: fixed windows with sign. Two points that turn out equal or opposite in an addition
//! are not looked for; they make Z = 0, and Z stays zero from there: the caller computes a sum with Z = 0 in another way.

pub(crate) mod comb;
mod field;
mod point;
mod sums;

pub(crate) use self::sums::{LANES, Sum, Task, WINDOWS_G, WINDOWS_P, sums};

cpufeatures::new!(cpu, "avx512f", "avx512ifma");

/// Whether this CPU, and the system it runs, know all that is needed here.
pub(crate) fn available() -> bool {
    cpu::get()
}
