//! Eight sums \[s\]G + \[t\]P at a time, one in each lane of AVX-512 (IFMA). For public values only.
//!
//! Every lane does the same steps: fixed windows with sign, table entries gathered by digit. Two points that turn
//! out equal or opposite in an addition are not looked for; they make Z = 0, and Z stays zero from there: the caller
//! computes a sum with Z = 0 in another way.

mod field;
mod point;
mod sums;

pub(crate) use self::sums::{LANES, Sum, Task, WINDOWS_G, WINDOWS_P, sums};

cpufeatures::new!(cpu, "avx512f", "avx512ifma");

/// Whether this CPU, and the system it runs, know all that is needed here.
pub(crate) fn available() -> bool {
    cpu::get()
}
