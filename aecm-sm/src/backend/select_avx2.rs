//! Reads one entry of a table without telling which: every entry is loaded and masked (AVX2).

use core::arch::x86_64::*;

cpufeatures::new!(cpu, "avx2");

/// Whether this CPU, and the system it runs, know AVX2.
#[inline(always)]
pub(crate) fn available() -> bool {
    cpu::get()
}

/// The entry at `wanted`, counted from 1; zeros where there is none.
#[inline(always)]
pub(crate) fn select<'a>(entries: impl Iterator<Item = [&'a [u64; 4]; 2]>, wanted: u64) -> [[u64; 4]; 2] {
    assert!(available(), "called on a CPU without AVX2");
    // SAFETY: the CPU has the feature that the function enables.
    unsafe { select_wide(entries, wanted) }
}

#[target_feature(enable = "avx2")]
fn select_wide<'a>(entries: impl Iterator<Item = [&'a [u64; 4]; 2]>, wanted: u64) -> [[u64; 4]; 2] {
    let load = |limbs: &[u64; 4]| {
        // SAFETY: 32 octets, of which every pattern is a vector; no alignment is asked for.
        unsafe { _mm256_loadu_si256(limbs.as_ptr().cast()) }
    };
    let wanted = _mm256_set1_epi64x(wanted.cast_signed());
    let one = _mm256_set1_epi64x(1);
    let (mut place, mut x, mut y) = (one, _mm256_setzero_si256(), _mm256_setzero_si256());
    for [first, second] in entries {
        let mask = _mm256_cmpeq_epi64(place, wanted);
        x = _mm256_or_si256(x, _mm256_and_si256(mask, load(first)));
        y = _mm256_or_si256(y, _mm256_and_si256(mask, load(second)));
        place = _mm256_add_epi64(place, one);
    }
    let store = |vector: __m256i| {
        let mut limbs = [0; 4];
        // SAFETY: as above.
        unsafe { _mm256_storeu_si256(limbs.as_mut_ptr().cast(), vector) };
        limbs
    };
    [store(x), store(y)]
}
