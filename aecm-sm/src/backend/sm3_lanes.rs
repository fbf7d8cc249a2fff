//! SM3 of several messages at a time, a message a lane: 16 with AVX-512, 8 with AVX2.

use core::arch::x86_64::*;

use crate::sm3::compress::{Word, rounds};

cpufeatures::new!(cpu_512, "avx512f");
cpufeatures::new!(cpu_256, "avx2");

/// Whether this CPU, and the system it runs, know what [`compress_16`] needs.
pub(crate) fn available_16() -> bool {
    cpu_512::get()
}

/// Whether this CPU, and the system it runs, know what [`compress_8`] needs.
pub(crate) fn available_8() -> bool {
    cpu_256::get()
}

/// Takes one block of each lane in, given as words.
pub(crate) fn compress_16(state: &mut [[u32; 16]; 8], words: &[[u32; 16]; 16]) {
    assert!(available_16(), "called on a CPU without AVX-512");
    // SAFETY: the CPU has every feature that the function enables.
    unsafe { compress_512(state, words) }
}

/// Takes one block of each lane in, given as words.
pub(crate) fn compress_8(state: &mut [[u32; 8]; 8], words: &[[u32; 8]; 16]) {
    assert!(available_8(), "called on a CPU without AVX2");
    // SAFETY: the CPU has every feature that the function enables.
    unsafe { compress_256(state, words) }
}

#[target_feature(enable = "avx512f")]
fn compress_512(state: &mut [[u32; 16]; 8], words: &[[u32; 16]; 16]) {
    // SAFETY: 64 octets, of which every pattern is a vector; no alignment is asked for.
    let load = |lanes: &[u32; 16]| Long(unsafe { _mm512_loadu_si512(lanes.as_ptr().cast()) });
    let next = rounds(state.each_ref().map(load), words.each_ref().map(load));
    for (lanes, Long(next)) in state.iter_mut().zip(next) {
        // SAFETY: 64 octets are written to 64 octets; no alignment is asked for.
        unsafe { _mm512_storeu_si512(lanes.as_mut_ptr().cast(), next) };
    }
}

#[target_feature(enable = "avx2")]
fn compress_256(state: &mut [[u32; 8]; 8], words: &[[u32; 8]; 16]) {
    // SAFETY: 32 octets, of which every pattern is a vector; no alignment is asked for.
    let load = |lanes: &[u32; 8]| Short(unsafe { _mm256_loadu_si256(lanes.as_ptr().cast()) });
    let next = rounds(state.each_ref().map(load), words.each_ref().map(load));
    for (lanes, Short(next)) in state.iter_mut().zip(next) {
        // SAFETY: 32 octets are written to 32 octets; no alignment is asked for.
        unsafe { _mm256_storeu_si256(lanes.as_mut_ptr().cast(), next) };
    }
}

/// Sixteen words. Made by [`compress_512`] alone, so that where there is one the CPU knows AVX-512.
#[derive(Clone, Copy)]
struct Long(__m512i);

/// Eight words. Made by [`compress_256`] alone, so that where there is one the CPU knows AVX2.
#[derive(Clone, Copy)]
struct Short(__m256i);

impl Word for Long {
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        // SAFETY: see the type.
        Self(unsafe { _mm512_add_epi32(self.0, other.0) })
    }

    #[inline(always)]
    fn plus_constant(self, constant: u32) -> Self {
        // SAFETY: see the type.
        Self(unsafe { _mm512_add_epi32(self.0, _mm512_set1_epi32(constant.cast_signed())) })
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: see the type.
        Self(unsafe { _mm512_xor_si512(self.0, other.0) })
    }

    #[inline(always)]
    fn rotate<const BY: i32, const BACK: i32>(self) -> Self {
        // SAFETY: see the type.
        Self(unsafe { _mm512_rol_epi32::<BY>(self.0) })
    }

    #[inline(always)]
    fn xor3(self, b: Self, c: Self) -> Self {
        // SAFETY: see the type.
        Self(unsafe { _mm512_ternarylogic_epi32::<0x96>(self.0, b.0, c.0) })
    }

    #[inline(always)]
    fn majority(self, b: Self, c: Self) -> Self {
        // SAFETY: see the type.
        Self(unsafe { _mm512_ternarylogic_epi32::<0xe8>(self.0, b.0, c.0) })
    }

    #[inline(always)]
    fn choice(self, b: Self, c: Self) -> Self {
        // SAFETY: see the type.
        Self(unsafe { _mm512_ternarylogic_epi32::<0xca>(self.0, b.0, c.0) })
    }
}

impl Word for Short {
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        // SAFETY: see the type.
        Self(unsafe { _mm256_add_epi32(self.0, other.0) })
    }

    #[inline(always)]
    fn plus_constant(self, constant: u32) -> Self {
        // SAFETY: see the type.
        Self(unsafe { _mm256_add_epi32(self.0, _mm256_set1_epi32(constant.cast_signed())) })
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: see the type.
        Self(unsafe { _mm256_xor_si256(self.0, other.0) })
    }

    #[inline(always)]
    fn rotate<const BY: i32, const BACK: i32>(self) -> Self {
        // SAFETY: see the type.
        Self(unsafe { _mm256_or_si256(_mm256_slli_epi32::<BY>(self.0), _mm256_srli_epi32::<BACK>(self.0)) })
    }

    #[inline(always)]
    fn majority(self, b: Self, c: Self) -> Self {
        // SAFETY: see the type.
        unsafe {
            let either = _mm256_and_si256(self.0, _mm256_or_si256(b.0, c.0));
            Self(_mm256_or_si256(either, _mm256_and_si256(b.0, c.0)))
        }
    }

    #[inline(always)]
    fn choice(self, b: Self, c: Self) -> Self {
        // SAFETY: see the type.
        unsafe {
            let difference = _mm256_and_si256(self.0, _mm256_xor_si256(b.0, c.0));
            Self(_mm256_xor_si256(difference, c.0))
        }
    }
}
