//! SM4 with GFNI and AVX-512: 32 blocks at a time, or one chain of blocks with the shortest latency.
//!
//! Words stay carried over into the field of AES (see [`sm4_field`](super::sm4_field)), whose inversion GFNI
//! computes: a round is one exclusive or, three inversions with different matrices behind them, three byte rotations
//! and a sum. The matrices hold the return from the field, A, the linear layer L of GB/T 32907 §6.2 (split by how far
//! it moves bits between bytes), and E again.
//!
//! Words stay in memory order, so that no byte is ever swapped: rotating the value left by 8 moves each byte of
//! the little-endian register right by 8.

use core::arch::x86_64::*;

use super::sm4_field::{ENTER, LEAVE};

/// What an inverse adds to its own byte, to the two before, and to the third before.
pub(super) const OWN: i64 = 0x040d_b891_e9a4_81b7;
pub(super) const NEAR: i64 = 0x2c02_0425_1620_40ad;
pub(super) const FAR: i64 = 0x280f_bcb4_ff84_c11a;
/// E·L(c): what every byte gets besides.
pub(super) const CONSTANT: i32 = 0x63;

/// How many blocks [`crypt`] takes.
pub(crate) const BLOCKS: usize = 32;

cpufeatures::new!(cpu, "avx512f", "avx512bw", "avx512vl", "gfni");

/// Whether this CPU, and the system it runs, know all that is needed here.
pub(crate) fn available() -> bool {
    cpu::get()
}

/// The blocks through all rounds, with keys from [`carry_over`](super::sm4_field::carry_over) in the order of their use.
pub(crate) fn crypt(keys: &[u32; 32], blocks: &mut [[u8; 16]; BLOCKS]) {
    assert!(available(), "called on a CPU without GFNI and AVX-512");
    // SAFETY: the CPU has every feature that the function enables.
    unsafe { crypt_wide(keys, blocks) }
}

/// One block.
pub(crate) fn crypt_one(keys: &[u32; 32], block: &[u8; 16]) -> [u8; 16] {
    assert!(available(), "called on a CPU without GFNI and AVX-512");
    // SAFETY: the CPU has every feature that the function enables.
    unsafe { crypt_narrow(keys, block) }
}

/// CBC over all blocks in place; `chain` is the IV.
pub(crate) fn cbc_encrypt(keys: &[u32; 32], chain: &[u8; 16], blocks: &mut [[u8; 16]]) {
    assert!(available(), "called on a CPU without GFNI and AVX-512");
    // SAFETY: the CPU has every feature that the function enables.
    unsafe { cbc_encrypt_narrow(keys, chain, blocks) }
}

/// Four vectors of blocks to four of words, and back: columns and rows of four words change places in each lane.
#[inline]
#[target_feature(enable = "avx512f")]
fn transpose(v: [__m512i; 4]) -> [__m512i; 4] {
    let [a, b, c, d] = v;
    let (t0, t1) = (_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
    let (t2, t3) = (_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
    [
        _mm512_unpacklo_epi64(t0, t2),
        _mm512_unpackhi_epi64(t0, t2),
        _mm512_unpacklo_epi64(t1, t3),
        _mm512_unpackhi_epi64(t1, t3),
    ]
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,gfni")]
fn crypt_wide(keys: &[u32; 32], blocks: &mut [[u8; 16]; BLOCKS]) {
    let enter = _mm512_set1_epi64(ENTER);
    let leave = _mm512_set1_epi64(LEAVE);
    let own = _mm512_set1_epi64(OWN);
    let near = _mm512_set1_epi64(NEAR);
    let far = _mm512_set1_epi64(FAR);
    let by_1 = _mm512_set4_epi32(0x0c0f_0e0d, 0x080b_0a09, 0x0407_0605, 0x0003_0201);
    let by_2 = _mm512_set4_epi32(0x0d0c_0f0e, 0x0908_0b0a, 0x0504_0706, 0x0100_0302);
    let by_3 = _mm512_set4_epi32(0x0e0d_0c0f, 0x0a09_080b, 0x0605_0407, 0x0201_0003);
    // SAFETY: 512 octets, of which every pattern is a vector; neither side asks for alignment.
    let [a, b, c, d, e, f, g, h]: [__m512i; 8] =
        unsafe { core::ptr::read_unaligned(core::ptr::from_ref(blocks).cast()) };
    let carry = |v: [__m512i; 4]| v.map(|v| _mm512_gf2p8affine_epi64_epi8::<0>(v, enter));
    // Two sets of sixteen, so that one works while the other waits.
    let mut x = carry(transpose([a, b, c, d]));
    let mut y = carry(transpose([e, f, g, h]));
    let round = |x: [__m512i; 4], key: __m512i| {
        let [x0, x1, x2, x3] = x;
        let t = _mm512_xor_si512(_mm512_ternarylogic_epi32::<0x96>(x1, x2, x3), key);
        let own = _mm512_gf2p8affineinv_epi64_epi8::<CONSTANT>(t, own);
        let near = _mm512_gf2p8affineinv_epi64_epi8::<0>(t, near);
        let far = _mm512_gf2p8affineinv_epi64_epi8::<0>(t, far);
        let sum = _mm512_ternarylogic_epi32::<0x96>(x0, own, _mm512_shuffle_epi8(far, by_3));
        let near = (_mm512_shuffle_epi8(near, by_1), _mm512_shuffle_epi8(near, by_2));
        [x1, x2, x3, _mm512_ternarylogic_epi32::<0x96>(sum, near.0, near.1)]
    };
    for key in keys {
        let key = _mm512_set1_epi32(key.cast_signed());
        x = round(x, key);
        y = round(y, key);
    }
    let back = |v: [__m512i; 4]| {
        let [v0, v1, v2, v3] = v.map(|v| _mm512_gf2p8affine_epi64_epi8::<0>(v, leave));
        // The last word comes first (GB/T 32907 §6.3).
        transpose([v3, v2, v1, v0])
    };
    let ([a, b, c, d], [e, f, g, h]) = (back(x), back(y));
    // SAFETY: as above.
    unsafe { core::ptr::write_unaligned(core::ptr::from_mut(blocks).cast(), [a, b, c, d, e, f, g, h]) }
}

/// The matrices in the short registers.
#[derive(Clone, Copy)]
struct Narrow {
    enter: __m128i,
    leave: __m128i,
    own: __m128i,
    near: __m128i,
    far: __m128i,
}

impl Narrow {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,gfni")]
    fn new() -> Self {
        Self {
            enter: _mm_set1_epi64x(ENTER),
            leave: _mm_set1_epi64x(LEAVE),
            own: _mm_set1_epi64x(OWN),
            near: _mm_set1_epi64x(NEAR),
            far: _mm_set1_epi64x(FAR),
        }
    }

    /// All rounds for one block whose four words stand, carried over, at the bottom of a register each.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,gfni")]
    fn rounds(self, keys: &[u32; 32], words: [__m128i; 4]) -> [__m128i; 4] {
        let [mut x0, mut x1, mut x2, mut x3] = words;
        for key in keys {
            let key = _mm_cvtsi32_si128(key.cast_signed());
            // The newest word comes last: what is known earlier is summed earlier.
            let t = _mm_xor_si128(_mm_ternarylogic_epi32::<0x96>(x1, x2, key), x3);
            let own = _mm_gf2p8affineinv_epi64_epi8::<CONSTANT>(t, self.own);
            let near = _mm_gf2p8affineinv_epi64_epi8::<0>(t, self.near);
            let far = _mm_gf2p8affineinv_epi64_epi8::<0>(t, self.far);
            let sum = _mm_ternarylogic_epi32::<0x96>(x0, own, _mm_ror_epi32::<24>(far));
            let near =
                _mm_ternarylogic_epi32::<0x96>(sum, _mm_ror_epi32::<8>(near), _mm_ror_epi32::<16>(near));
            (x0, x1, x2, x3) = (x1, x2, x3, near);
        }
        [x3, x2, x1, x0]
    }

    /// A block, carried over, as words.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,gfni")]
    fn enter(self, block: &[u8; 16]) -> [__m128i; 4] {
        // SAFETY: 16 octets, of which every pattern is a vector; no alignment is asked for.
        let block = unsafe { _mm_loadu_si128(block.as_ptr().cast()) };
        let block = _mm_gf2p8affine_epi64_epi8::<0>(block, self.enter);
        [
            block,
            _mm_shuffle_epi32::<0x55>(block),
            _mm_shuffle_epi32::<0xaa>(block),
            _mm_shuffle_epi32::<0xff>(block),
        ]
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,gfni")]
    fn leave(self, words: [__m128i; 4]) -> [u8; 16] {
        let [a, b, c, d] = words;
        let block = _mm_unpacklo_epi64(_mm_unpacklo_epi32(a, b), _mm_unpacklo_epi32(c, d));
        let block = _mm_gf2p8affine_epi64_epi8::<0>(block, self.leave);
        let mut octets = [0; 16];
        // SAFETY: 16 octets are written to 16 octets; no alignment is asked for.
        unsafe { _mm_storeu_si128(octets.as_mut_ptr().cast(), block) };
        octets
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,gfni")]
fn crypt_narrow(keys: &[u32; 32], block: &[u8; 16]) -> [u8; 16] {
    let narrow = Narrow::new();
    narrow.leave(narrow.rounds(keys, narrow.enter(block)))
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,gfni")]
fn cbc_encrypt_narrow(keys: &[u32; 32], chain: &[u8; 16], blocks: &mut [[u8; 16]]) {
    let narrow = Narrow::new();
    // The chain stays carried over: E is linear, so that the sum of two images is the image of the sum.
    let mut chain = narrow.enter(chain);
    for block in blocks {
        let [a, b, c, d] = narrow.enter(block);
        let [w, x, y, z] = chain;
        let sum = [_mm_xor_si128(a, w), _mm_xor_si128(b, x), _mm_xor_si128(c, y), _mm_xor_si128(d, z)];
        chain = narrow.rounds(keys, sum);
        *block = narrow.leave(chain);
    }
}
