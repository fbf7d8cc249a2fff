//! SM4 with AES-NI and AVX2: 16 blocks at a time, or one chain of blocks.
//!
//! Words stay carried over into the field of AES (see [`sm4_field`](super::sm4_field)). AESENCLAST with a key of zeros
//! gives A'·z⁻¹ + 63 for every byte, in places moved by ShiftRows; the matrices behind it, with A' taken back, are two
//! look-ups of half a byte each in registers (PSHUFB: no address depends on the data), and the way back from ShiftRows
//! is one with the rotations. What L adds to a byte's own place is the sum of what it adds to the near and to the far
//! ones, so that two matrices are enough.

use core::{arch::x86_64::*, array};

/// A linear map of bytes by halves: the images of the low four bits, and of the high four.
pub(super) type Halves = ([u8; 16], [u8; 16]);

pub(super) const ENTER: Halves = (
    *b"\x00\x8c\x30\xbc\x85\x09\xb5\x39\x9f\x13\xaf\x23\x1a\x96\x2a\xa6",
    *b"\x00\xdc\x2e\xf2\xc5\x19\xeb\x37\x08\xd4\x26\xfa\xcd\x11\xe3\x3f",
);
pub(super) const LEAVE: Halves = (
    *b"\x00\x85\xd9\x5c\x2e\xab\xf7\x72\x80\x05\x59\xdc\xae\x2b\x77\xf2",
    *b"\x00\x55\x57\x02\x44\x11\x13\x46\xaf\xfa\xf8\xad\xeb\xbe\xbc\xe9",
);
/// What an inverse adds to the two bytes before, with every constant of the round: of the three places that take it,
/// two cancel each other's constant.
pub(super) const NEAR: Halves = (
    *b"\x76\xa5\x7b\xa8\xd6\x05\xdb\x08\x34\xe7\x39\xea\x94\x47\x99\x4a",
    *b"\x00\xb4\x49\xfd\x82\x36\xcb\x7f\xbc\x08\xf5\x41\x3e\x8a\x77\xc3",
);
/// What it adds to the third before.
pub(super) const FAR: Halves = (
    *b"\x00\x55\xde\x8b\xd8\x8d\x06\x53\x5e\x0b\x80\xd5\x86\xd3\x58\x0d",
    *b"\x00\x5f\x95\xca\x72\x2d\xe7\xb8\x71\x2e\xe4\xbb\x03\x5c\x96\xc9",
);

/// A set of blocks that goes through the rounds together; two sets at a time, so that one works while the other waits.
pub(crate) type Set = [[u8; 16]; 8];

cpufeatures::new!(cpu, "aes", "avx2");

/// Whether this CPU, and the system it runs, know all that is needed here.
pub(crate) fn available() -> bool {
    cpu::get()
}

/// The blocks through all rounds, with keys from [`carry_over`](super::sm4_field::carry_over) in the order of their use.
pub(crate) fn crypt(keys: &[u32; 32], sets: &mut [Set]) {
    assert!(available(), "called on a CPU without AES-NI and AVX2");
    // SAFETY: the CPU has every feature that the function enables.
    unsafe { crypt_wide(keys, sets) }
}

/// One block.
pub(crate) fn crypt_one(keys: &[u32; 32], block: &[u8; 16]) -> [u8; 16] {
    assert!(available(), "called on a CPU without AES-NI and AVX2");
    // SAFETY: the CPU has every feature that the function enables.
    unsafe { crypt_narrow(keys, block) }
}

/// CBC over all blocks in place; `chain` is the IV.
pub(crate) fn cbc_encrypt(keys: &[u32; 32], chain: &[u8; 16], blocks: &mut [[u8; 16]]) {
    assert!(available(), "called on a CPU without AES-NI and AVX2");
    // SAFETY: the CPU has every feature that the function enables.
    unsafe { cbc_encrypt_narrow(keys, chain, blocks) }
}

/// Where to take each byte of the words from to undo ShiftRows and rotate them by so many bytes.
const fn unshifted(by: usize) -> [u8; 16] {
    let mut from = [0; 16];
    let mut place = 0;
    while place < 16 {
        let (column, row) = (place / 4, (place % 4 + by) % 4);
        // ShiftRows moved row r left by r columns.
        #[expect(
            clippy::indexing_slicing,
            clippy::as_conversions,
            reason = "evaluated by the compiler; below 16"
        )]
        {
            from[place] = (4 * ((column + 4 - row) % 4) + row) as u8;
        }
        place += 1;
    }
    from
}

/// In both lanes.
#[inline]
#[target_feature(enable = "avx2")]
fn both(lane: &[u8; 16]) -> __m256i {
    // SAFETY: 16 octets, of which every pattern is a vector; no alignment is asked for.
    _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(lane.as_ptr().cast()) })
}

/// A linear map in registers.
#[derive(Clone, Copy)]
struct Map {
    low: __m256i,
    high: __m256i,
}

impl Map {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn new((low, high): &Halves) -> Self {
        Self { low: both(low), high: both(high) }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn of(self, low: __m256i, high: __m256i) -> __m256i {
        _mm256_xor_si256(_mm256_shuffle_epi8(self.low, low), _mm256_shuffle_epi8(self.high, high))
    }
}

/// The low and the high half of each byte.
#[inline]
#[target_feature(enable = "avx2")]
fn halves(bytes: __m256i) -> (__m256i, __m256i) {
    let mask = _mm256_set1_epi8(15);
    (_mm256_and_si256(bytes, mask), _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), mask))
}

/// Four vectors of blocks to four of words, and back.
#[inline]
#[target_feature(enable = "avx2")]
fn transpose(v: [__m256i; 4]) -> [__m256i; 4] {
    let [a, b, c, d] = v;
    let (t0, t1) = (_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b));
    let (t2, t3) = (_mm256_unpacklo_epi32(c, d), _mm256_unpackhi_epi32(c, d));
    [
        _mm256_unpacklo_epi64(t0, t2),
        _mm256_unpackhi_epi64(t0, t2),
        _mm256_unpacklo_epi64(t1, t3),
        _mm256_unpackhi_epi64(t1, t3),
    ]
}

#[target_feature(enable = "aes,avx2")]
fn crypt_wide(keys: &[u32; 32], sets: &mut [Set]) {
    let (two, rest) = sets.as_chunks_mut::<2>();
    for sets in two {
        crypt_sets(keys, sets);
    }
    for set in rest {
        crypt_sets(keys, array::from_mut(set));
    }
}

#[inline]
#[target_feature(enable = "aes,avx2")]
fn crypt_sets<const SETS: usize>(keys: &[u32; 32], sets: &mut [Set; SETS]) {
    let (enter, leave) = (Map::new(&ENTER), Map::new(&LEAVE));
    let (near, far) = (Map::new(&NEAR), Map::new(&FAR));
    let by_0 = both(&const { unshifted(0) });
    let by_1 = both(&const { unshifted(1) });
    let by_2 = both(&const { unshifted(2) });
    let by_3 = both(&const { unshifted(3) });
    let mapped = |map: Map, v: __m256i| {
        let (low, high) = halves(v);
        map.of(low, high)
    };
    let mut x = sets.each_ref().map(|set| {
        // SAFETY: 128 octets, of which every pattern is a vector; no alignment is asked for.
        let vectors: [__m256i; 4] = unsafe { core::ptr::read_unaligned(core::ptr::from_ref(set).cast()) };
        transpose(vectors).map(|v| mapped(enter, v))
    });
    for key in keys {
        let key = _mm256_set1_epi32(key.cast_signed());
        for x in &mut x {
            let [x0, x1, x2, x3] = *x;
            let t = _mm256_xor_si256(_mm256_xor_si256(_mm256_xor_si256(x1, x2), key), x3);
            let zero = _mm_setzero_si128();
            let inverses = _mm256_set_m128i(
                _mm_aesenclast_si128(_mm256_extracti128_si256::<1>(t), zero),
                _mm_aesenclast_si128(_mm256_castsi256_si128(t), zero),
            );
            let (low, high) = halves(inverses);
            let (near, far) = (near.of(low, high), far.of(low, high));
            let own = _mm256_shuffle_epi8(_mm256_xor_si256(near, far), by_0);
            let far = _mm256_shuffle_epi8(far, by_3);
            let near = _mm256_xor_si256(_mm256_shuffle_epi8(near, by_1), _mm256_shuffle_epi8(near, by_2));
            let sum = _mm256_xor_si256(_mm256_xor_si256(x0, own), _mm256_xor_si256(far, near));
            *x = [x1, x2, x3, sum];
        }
    }
    for (set, words) in sets.iter_mut().zip(x) {
        let [v0, v1, v2, v3] = words.map(|v| mapped(leave, v));
        // The last word comes first (GB/T 32907 §6.3).
        let vectors = transpose([v3, v2, v1, v0]);
        // SAFETY: 128 octets are written to 128 octets; no alignment is asked for.
        unsafe { core::ptr::write_unaligned(core::ptr::from_mut(set).cast(), vectors) }
    }
}

/// The maps in the short registers. A word stands in all four columns, so that ShiftRows moves nothing.
#[derive(Clone, Copy)]
struct Narrow {
    near: [__m128i; 2],
    far: [__m128i; 2],
    by_1: __m128i,
    by_2: __m128i,
    by_3: __m128i,
}

/// One lane.
#[inline]
#[target_feature(enable = "avx2")]
fn load(octets: &[u8; 16]) -> __m128i {
    // SAFETY: 16 octets, of which every pattern is a vector; no alignment is asked for.
    unsafe { _mm_loadu_si128(octets.as_ptr().cast()) }
}

/// A linear map of one lane.
#[inline]
#[target_feature(enable = "avx2")]
fn mapped([low, high]: [__m128i; 2], bytes: __m128i) -> __m128i {
    let mask = _mm_set1_epi8(15);
    let halves = (_mm_and_si128(bytes, mask), _mm_and_si128(_mm_srli_epi16::<4>(bytes), mask));
    _mm_xor_si128(_mm_shuffle_epi8(low, halves.0), _mm_shuffle_epi8(high, halves.1))
}

impl Narrow {
    #[inline]
    #[target_feature(enable = "aes,avx2")]
    fn new() -> Self {
        Self {
            near: [load(&NEAR.0), load(&NEAR.1)],
            far: [load(&FAR.0), load(&FAR.1)],
            by_1: _mm_set_epi32(0x0c0f_0e0d, 0x080b_0a09, 0x0407_0605, 0x0003_0201),
            by_2: _mm_set_epi32(0x0d0c_0f0e, 0x0908_0b0a, 0x0504_0706, 0x0100_0302),
            by_3: _mm_set_epi32(0x0e0d_0c0f, 0x0a09_080b, 0x0605_0407, 0x0201_0003),
        }
    }

    /// All rounds for one block.
    #[inline]
    #[target_feature(enable = "aes,avx2")]
    fn rounds(self, keys: &[u32; 32], words: [__m128i; 4]) -> [__m128i; 4] {
        let [mut x0, mut x1, mut x2, mut x3] = words;
        for key in keys {
            let key = _mm_set1_epi32(key.cast_signed());
            // The newest word comes last: what is known earlier is summed earlier.
            let t = _mm_xor_si128(_mm_xor_si128(_mm_xor_si128(x1, x2), key), x3);
            let inverses = _mm_aesenclast_si128(t, _mm_setzero_si128());
            let (near, far) = (mapped(self.near, inverses), mapped(self.far, inverses));
            let moved = _mm_xor_si128(_mm_shuffle_epi8(near, self.by_1), _mm_shuffle_epi8(near, self.by_2));
            let own = _mm_xor_si128(_mm_xor_si128(x0, near), far);
            let sum = _mm_xor_si128(_mm_xor_si128(own, _mm_shuffle_epi8(far, self.by_3)), moved);
            (x0, x1, x2, x3) = (x1, x2, x3, sum);
        }
        [x3, x2, x1, x0]
    }

    /// A block, carried over, as words.
    #[inline]
    #[target_feature(enable = "aes,avx2")]
    fn enter(self, block: &[u8; 16]) -> [__m128i; 4] {
        let block = mapped([load(&ENTER.0), load(&ENTER.1)], load(block));
        [
            _mm_shuffle_epi32::<0x00>(block),
            _mm_shuffle_epi32::<0x55>(block),
            _mm_shuffle_epi32::<0xaa>(block),
            _mm_shuffle_epi32::<0xff>(block),
        ]
    }

    #[inline]
    #[target_feature(enable = "aes,avx2")]
    fn leave(self, words: [__m128i; 4]) -> [u8; 16] {
        let [a, b, c, d] = words;
        let block = _mm_unpacklo_epi64(_mm_unpacklo_epi32(a, b), _mm_unpacklo_epi32(c, d));
        let block = mapped([load(&LEAVE.0), load(&LEAVE.1)], block);
        let mut octets = [0; 16];
        // SAFETY: 16 octets are written to 16 octets; no alignment is asked for.
        unsafe { _mm_storeu_si128(octets.as_mut_ptr().cast(), block) };
        octets
    }
}

#[target_feature(enable = "aes,avx2")]
fn crypt_narrow(keys: &[u32; 32], block: &[u8; 16]) -> [u8; 16] {
    let narrow = Narrow::new();
    narrow.leave(narrow.rounds(keys, narrow.enter(block)))
}

#[target_feature(enable = "aes,avx2")]
fn cbc_encrypt_narrow(keys: &[u32; 32], chain: &[u8; 16], blocks: &mut [[u8; 16]]) {
    let narrow = Narrow::new();
    // The chain stays carried over: the way in is linear, so that the sum of two images is the image of the sum.
    let mut chain = narrow.enter(chain);
    for block in blocks {
        let [a, b, c, d] = narrow.enter(block);
        let [w, x, y, z] = chain;
        let sum = [_mm_xor_si128(a, w), _mm_xor_si128(b, x), _mm_xor_si128(c, y), _mm_xor_si128(d, z)];
        chain = narrow.rounds(keys, sum);
        *block = narrow.leave(chain);
    }
}
