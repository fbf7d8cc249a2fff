//! SM4 with GFNI and AVX-512: 64 blocks at a time, or one chain of blocks with the shortest latency.
//!
//! Words stay carried over into the field of AES (see [`sm4_field`](super::sm4_field)), whose inversion GFNI
//! computes: a round is one exclusive or, inversions with different matrices behind them, three byte rotations and a
//! sum. The matrices hold the return from the field, A, the linear layer L of GB/T 32907 §6.2 (split by how far
//! it moves bits between bytes), and E again.
//!
//! Words stay in memory order, so that no byte is ever swapped: rotating the value left by 8 moves each byte of
//! the little-endian register right by 8.

use core::{arch::x86_64::*, array};

use super::sm4_field::{ENTER, LEAVE};

/// What an inverse adds to its own byte, to the two before, and to the third before.
pub(super) const OWN: i64 = 0x040d_b891_e9a4_81b7;
pub(super) const NEAR: i64 = 0x2c02_0425_1620_40ad;
pub(super) const FAR: i64 = 0x280f_bcb4_ff84_c11a;
/// E·L(c): what every byte gets besides.
pub(super) const CONSTANT: i32 = 0x63;

/// A set of blocks that goes through the rounds together; several sets at a time, so that one works while the others
/// wait.
pub(crate) type Set = [[u8; 16]; 16];

cpufeatures::new!(cpu, "avx512f", "avx512bw", "avx512vl", "gfni");

/// Whether this CPU, and the system it runs, know all that is needed here.
pub(crate) fn available() -> bool {
    cpu::get()
}

/// The blocks through all rounds, with keys from [`carry_over`](super::sm4_field::carry_over) in the order of their
/// use.
pub(crate) fn crypt(keys: &[u32; 32], sets: &mut [Set]) {
    assert!(available(), "called on a CPU without GFNI and AVX-512");
    // SAFETY: the CPU has every feature that the function enables.
    unsafe { crypt_wide(keys, sets) }
}

/// Counter mode in place: adds the key stream of `nonce` with the counters from `counter` on, modulo 2³².
pub(crate) fn ctr(keys: &[u32; 32], nonce: &[u8; 12], counter: u32, sets: &mut [Set]) {
    assert!(available(), "called on a CPU without GFNI and AVX-512");
    // SAFETY: the CPU has every feature that the function enables.
    unsafe { ctr_wide(keys, nonce, counter, sets) }
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

/// The matrices and rotations in the long registers.
#[derive(Clone, Copy)]
struct Wide {
    enter: __m512i,
    leave: __m512i,
    near: __m512i,
    far: __m512i,
    by_1: __m512i,
    by_2: __m512i,
    by_3: __m512i,
}

impl Wide {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,gfni")]
    fn new() -> Self {
        Self {
            enter: _mm512_set1_epi64(ENTER),
            leave: _mm512_set1_epi64(LEAVE),
            near: _mm512_set1_epi64(NEAR),
            far: _mm512_set1_epi64(FAR),
            by_1: _mm512_set4_epi32(0x0c0f_0e0d, 0x080b_0a09, 0x0407_0605, 0x0003_0201),
            by_2: _mm512_set4_epi32(0x0d0c_0f0e, 0x0908_0b0a, 0x0504_0706, 0x0100_0302),
            by_3: _mm512_set4_epi32(0x0e0d_0c0f, 0x0a09_080b, 0x0605_0407, 0x0201_0003),
        }
    }

    /// Into the field.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,gfni")]
    fn enter(self, v: __m512i) -> __m512i {
        _mm512_gf2p8affine_epi64_epi8::<0>(v, self.enter)
    }

    /// All rounds; words to vectors of blocks.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,gfni")]
    fn rounds<const SETS: usize>(
        self,
        keys: &[u32; 32],
        mut x: [[__m512i; 4]; SETS],
    ) -> [[__m512i; 4]; SETS] {
        for key in keys {
            let key = _mm512_set1_epi32(key.cast_signed());
            for x in &mut x {
                let [x0, x1, x2, x3] = *x;
                let t = _mm512_xor_si512(_mm512_ternarylogic_epi32::<0x96>(x1, x2, x3), key);
                let near = _mm512_gf2p8affineinv_epi64_epi8::<CONSTANT>(t, self.near);
                let far = _mm512_gf2p8affineinv_epi64_epi8::<0>(t, self.far);
                // What stays in its place is the sum of both.
                let own = _mm512_ternarylogic_epi32::<0x96>(x0, near, far);
                let far = _mm512_shuffle_epi8(far, self.by_3);
                let sum = _mm512_ternarylogic_epi32::<0x96>(own, far, _mm512_shuffle_epi8(near, self.by_1));
                *x = [x1, x2, x3, _mm512_xor_si512(sum, _mm512_shuffle_epi8(near, self.by_2))];
            }
        }
        x.map(|x| {
            let [v0, v1, v2, v3] = x.map(|v| _mm512_gf2p8affine_epi64_epi8::<0>(v, self.leave));
            // The last word comes first (GB/T 32907 §6.3).
            transpose([v3, v2, v1, v0])
        })
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load(set: &Set) -> [__m512i; 4] {
    // SAFETY: 256 octets, of which every pattern is a vector; no alignment is asked for.
    unsafe { core::ptr::read_unaligned(core::ptr::from_ref(set).cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store(set: &mut Set, vectors: [__m512i; 4]) {
    // SAFETY: 256 octets are written to 256 octets; no alignment is asked for.
    unsafe { core::ptr::write_unaligned(core::ptr::from_mut(set).cast(), vectors) }
}

#[target_feature(enable = "avx512f,avx512bw,gfni")]
fn crypt_wide(keys: &[u32; 32], sets: &mut [Set]) {
    let wide = Wide::new();
    let (four, rest) = sets.as_chunks_mut::<4>();
    for sets in four {
        crypt_sets(wide, keys, sets);
    }
    let (three, rest) = rest.as_chunks_mut::<3>();
    for sets in three {
        crypt_sets(wide, keys, sets);
    }
    let (two, rest) = rest.as_chunks_mut::<2>();
    for sets in two {
        crypt_sets(wide, keys, sets);
    }
    for set in rest {
        crypt_sets(wide, keys, array::from_mut(set));
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,gfni")]
fn crypt_sets<const SETS: usize>(wide: Wide, keys: &[u32; 32], sets: &mut [Set; SETS]) {
    let words = sets.each_ref().map(|set| transpose(load(set).map(|v| wide.enter(v))));
    for (set, done) in sets.iter_mut().zip(wide.rounds(keys, words)) {
        store(set, done);
    }
}

#[target_feature(enable = "avx512f,avx512bw,gfni")]
fn ctr_wide(keys: &[u32; 32], nonce: &[u8; 12], counter: u32, sets: &mut [Set]) {
    let wide = Wide::new();
    let mut counters = Counters::new(wide, nonce, counter);
    let (four, rest) = sets.as_chunks_mut::<4>();
    for sets in four {
        ctr_sets(wide, keys, &mut counters, sets);
    }
    let (three, rest) = rest.as_chunks_mut::<3>();
    for sets in three {
        ctr_sets(wide, keys, &mut counters, sets);
    }
    let (two, rest) = rest.as_chunks_mut::<2>();
    for sets in two {
        ctr_sets(wide, keys, &mut counters, sets);
    }
    for set in rest {
        ctr_sets(wide, keys, &mut counters, array::from_mut(set));
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,gfni")]
fn ctr_sets<const SETS: usize>(
    wide: Wide,
    keys: &[u32; 32],
    counters: &mut Counters,
    sets: &mut [Set; SETS],
) {
    let words = [(); SETS].map(|()| counters.next(wide));
    for (set, stream) in sets.iter_mut().zip(wide.rounds(keys, words)) {
        let ([a, b, c, d], [e, f, g, h]) = (load(set), stream);
        let sum =
            [_mm512_xor_si512(a, e), _mm512_xor_si512(b, f), _mm512_xor_si512(c, g), _mm512_xor_si512(d, h)];
        store(set, sum);
    }
}

/// Counter blocks as words: the nonce is the same in all, so that nothing has to change places.
struct Counters {
    nonce: [__m512i; 3],
    next: __m512i,
    swap: __m512i,
}

impl Counters {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,gfni")]
    fn new(wide: Wide, nonce: &[u8; 12], counter: u32) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l] = *nonce;
        let words = [[a, b, c, d], [e, f, g, h], [i, j, k, l]];
        // Lane i of the four vectors of a set holds its blocks i, 4 + i, 8 + i and 12 + i.
        let places = _mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
        Self {
            nonce: words.map(|word| wide.enter(_mm512_set1_epi32(i32::from_le_bytes(word)))),
            next: _mm512_add_epi32(_mm512_set1_epi32(counter.cast_signed()), places),
            swap: _mm512_set4_epi32(0x0c0d_0e0f, 0x0809_0a0b, 0x0405_0607, 0x0001_0203),
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,gfni")]
    fn next(&mut self, wide: Wide) -> [__m512i; 4] {
        let last = wide.enter(_mm512_shuffle_epi8(self.next, self.swap));
        self.next = _mm512_add_epi32(self.next, _mm512_set1_epi32(16));
        let [a, b, c] = self.nonce;
        [a, b, c, last]
    }
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
