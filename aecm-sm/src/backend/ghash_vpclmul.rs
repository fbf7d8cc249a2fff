//! GHASH (SP 800-38D §6.4) with VPCLMULQDQ and AVX-512: 64 blocks with one reduction.
//!
//! Blocks are taken with their octets reversed, as POLYVAL does (RFC 8452 annex A): GHASH under H is POLYVAL under
//! x·H of the reversed blocks, reversed. There a product comes with a factor x⁻¹²⁸, which makes its reduction two
//! multiplications by one constant of 64 bits.

use core::arch::x86_64::*;
use zeroize::Zeroize;

/// H⁶⁴ … H, each times x, with reversed octets.
pub(crate) struct Powers([[u8; 16]; 64]);

impl Drop for Powers {
    fn drop(&mut self) {
        self.0.as_flattened_mut().zeroize();
    }
}

cpufeatures::new!(cpu, "avx512f", "avx512bw", "vpclmulqdq");

/// Whether this CPU, and the system it runs, know all that is needed here.
pub(crate) fn available() -> bool {
    cpu::get()
}

impl Powers {
    pub(crate) fn new(h: &[u8; 16]) -> Self {
        assert!(available(), "called on a CPU without VPCLMULQDQ and AVX-512");
        // SAFETY: the CPU has every feature that the function enables.
        unsafe { powers(h) }
    }

    /// The sum after more blocks; neither side is reversed.
    pub(crate) fn update(&self, sum: &[u8; 16], blocks: &[[u8; 16]]) -> [u8; 16] {
        assert!(available(), "called on a CPU without VPCLMULQDQ and AVX-512");
        // SAFETY: the CPU has every feature that the function enables.
        unsafe { update(self, sum, blocks) }
    }
}

/// The three parts of products, before the reduction.
#[derive(Clone, Copy)]
struct Product {
    low: __m512i,
    middle: __m512i,
    high: __m512i,
}

impl Product {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,vpclmulqdq")]
    fn of(a: __m512i, b: __m512i) -> Self {
        Self {
            low: _mm512_clmulepi64_epi128::<0x00>(a, b),
            middle: _mm512_xor_si512(
                _mm512_clmulepi64_epi128::<0x01>(a, b),
                _mm512_clmulepi64_epi128::<0x10>(a, b),
            ),
            high: _mm512_clmulepi64_epi128::<0x11>(a, b),
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,vpclmulqdq")]
    fn plus(self, a: __m512i, b: __m512i) -> Self {
        let middle = _mm512_clmulepi64_epi128::<0x01>(a, b);
        Self {
            low: _mm512_xor_si512(self.low, _mm512_clmulepi64_epi128::<0x00>(a, b)),
            middle: _mm512_ternarylogic_epi64::<0x96>(
                self.middle,
                middle,
                _mm512_clmulepi64_epi128::<0x10>(a, b),
            ),
            high: _mm512_xor_si512(self.high, _mm512_clmulepi64_epi128::<0x11>(a, b)),
        }
    }

    /// The four products, each reduced.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,vpclmulqdq")]
    fn reduced(self) -> __m512i {
        let low = _mm512_xor_si512(self.low, _mm512_bslli_epi128::<8>(self.middle));
        let high = _mm512_xor_si512(self.high, _mm512_bsrli_epi128::<8>(self.middle));
        let low = halved(halved(low));
        _mm512_xor_si512(low, high)
    }
}

/// Times x⁻⁶⁴: the lower half goes, as a multiple of the polynomial.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,vpclmulqdq")]
fn halved(v: __m512i) -> __m512i {
    // x¹²⁷ + x¹²⁶ + x¹²¹, divided by x⁶⁴.
    let polynomial = _mm512_set1_epi64(0xc200_0000_0000_0000_u64.cast_signed());
    let carried = _mm512_clmulepi64_epi128::<0x00>(v, polynomial);
    _mm512_xor_si512(_mm512_shuffle_epi32::<0x4e>(v), carried)
}

/// The sum of the four lanes.
#[inline]
#[target_feature(enable = "avx512f")]
fn folded(v: __m512i) -> __m128i {
    let half = _mm256_xor_si256(_mm512_castsi512_si256(v), _mm512_extracti64x4_epi64::<1>(v));
    _mm_xor_si128(_mm256_castsi256_si128(half), _mm256_extracti128_si256::<1>(half))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load(blocks: &[[u8; 16]; 4]) -> __m512i {
    // SAFETY: 64 octets, of which every pattern is a vector; no alignment is asked for.
    unsafe { _mm512_loadu_si512(blocks.as_ptr().cast()) }
}

/// Four blocks with their octets reversed.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn reversed(blocks: &[[u8; 16]; 4]) -> __m512i {
    let swap = _mm512_set4_epi32(0x0001_0203, 0x0405_0607, 0x0809_0a0b, 0x0c0d_0e0f);
    _mm512_shuffle_epi8(load(blocks), swap)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn octets(v: __m128i) -> [u8; 16] {
    let mut octets = [0; 16];
    // SAFETY: 16 octets are written to 16 octets; no alignment is asked for.
    unsafe { _mm_storeu_si128(octets.as_mut_ptr().cast(), v) };
    octets
}

#[target_feature(enable = "avx512f,avx512bw,vpclmulqdq")]
fn powers(h: &[u8; 16]) -> Powers {
    // x·H modulo x¹²⁸ + x¹²⁷ + x¹²⁶ + x¹²¹ + 1.
    let h = u128::from_be_bytes(*h);
    let carry = 0_u128.wrapping_sub(h >> 127);
    let h = ((h << 1) ^ (carry & ((0xc2 << 120) | 1))).to_le_bytes();
    // SAFETY: 16 octets, of which every pattern is a vector; no alignment is asked for.
    let one = _mm512_broadcast_i32x4(unsafe { _mm_loadu_si128(h.as_ptr().cast()) });
    let two = Product::of(one, one).reduced();
    let three = Product::of(two, one).reduced();
    let four = Product::of(two, two).reduced();
    // Ascending places have descending powers.
    let mut next = _mm512_mask_blend_epi64(0b0000_0011, one, four);
    next = _mm512_mask_blend_epi64(0b0000_1100, next, three);
    next = _mm512_mask_blend_epi64(0b0011_0000, next, two);
    let mut all = Powers([[0; 16]; 64]);
    for slots in all.0.as_chunks_mut::<4>().0.iter_mut().rev() {
        // SAFETY: 64 octets are written to 64 octets; no alignment is asked for.
        unsafe { _mm512_storeu_si512(slots.as_mut_ptr().cast(), next) };
        next = Product::of(next, four).reduced();
    }
    all
}

#[target_feature(enable = "avx512f,avx512bw,vpclmulqdq")]
fn update(powers: &Powers, sum: &[u8; 16], blocks: &[[u8; 16]]) -> [u8; 16] {
    let (powers, _) = powers.0.as_chunks::<4>();
    let mut reversed_sum = *sum;
    reversed_sum.reverse();
    // SAFETY: 16 octets, of which every pattern is a vector; no alignment is asked for.
    let mut sum = unsafe { _mm_loadu_si128(reversed_sum.as_ptr().cast()) };
    for blocks in blocks.chunks(64) {
        // Blocks of zeros before the first change nothing; with them there are whole vectors.
        let (odd, fours) = blocks.as_rchunks::<4>();
        let missing = 4 - odd.len();
        let mut first = [[0; 16]; 4];
        for (slot, block) in first.iter_mut().skip(missing).zip(odd) {
            *slot = *block;
        }
        let used = fours.len() + usize::from(!odd.is_empty());
        let mut powers = powers.iter().skip(16 - used);
        let mut fours = fours.iter();
        let (first, place) = match (odd, fours.as_slice()) {
            ([], [whole, ..]) => {
                fours.next();
                (whole, 0)
            }
            _ => (&first, missing),
        };
        let Some(power) = powers.next() else { continue };
        let wide = _mm512_zextsi128_si512(sum);
        let wide = match place {
            0 => wide,
            1 => _mm512_shuffle_i64x2::<0b01_01_00_01>(wide, wide),
            2 => _mm512_shuffle_i64x2::<0b01_00_01_01>(wide, wide),
            _ => _mm512_shuffle_i64x2::<0b00_01_01_01>(wide, wide),
        };
        let mut product = Product::of(_mm512_xor_si512(reversed(first), wide), load(power));
        for (blocks, power) in fours.zip(powers) {
            product = product.plus(reversed(blocks), load(power));
        }
        // The sum of the lanes first: one reduction for all.
        let part = |v: __m512i| _mm512_zextsi128_si512(folded(v));
        let product =
            Product { low: part(product.low), middle: part(product.middle), high: part(product.high) };
        sum = _mm512_castsi512_si128(product.reduced());
    }
    let mut sum = octets(sum);
    sum.reverse();
    sum
}
