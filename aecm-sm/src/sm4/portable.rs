//! SM4 without tables and without CPU features: 64 blocks at a time in bit planes, or one block with its four
//! bytes side by side.
//!
//! The constants of the S-box are in the round keys (see [`fold_constants`]).

use core::array;
use zeroize::Zeroize;

use super::{
    circuit::{AFTER, BEFORE, circuit},
    schedule::tau_without_constants,
};

/// How many blocks [`crypt`] takes.
pub(super) const BLOCKS: usize = 64;

/// The 32 bits of one word of all blocks, a block a bit.
type Planes = [u64; 32];

/// The round keys with the constants of the S-box folded in, for both directions alike.
///
/// A round whose S-box leaves its constant out gives a word that is off by L(c), for every key and block alike: what
/// each word is off is taken back in the keys of the rounds that read it, and at the end.
pub(super) fn fold_constants(keys: &[u32; 32]) -> ([u32; 32], [u32; 4]) {
    // How much each of the four words is off from what it should be.
    let mut off = [0_u32; 4];
    let folded = keys.map(|key| {
        let [o0, o1, o2, o3] = off;
        off = [o1, o2, o3, o0 ^ linear(AFTER)];
        key ^ BEFORE ^ o1 ^ o2 ^ o3
    });
    (folded, off)
}

/// L of GB/T 32907 §6.2.
#[inline(always)]
const fn linear(word: u32) -> u32 {
    word ^ word.rotate_left(2) ^ word.rotate_left(10) ^ word.rotate_left(18) ^ word.rotate_left(24)
}

/// One block, with keys from [`fold_constants`].
pub(super) fn crypt_one(keys: &[u32; 32], off: &[u32; 4], block: &[u8; 16]) -> [u8; 16] {
    let (words, _) = block.as_chunks::<4>();
    let mut state = [0_u32; 4];
    for (slot, word) in state.iter_mut().zip(words) {
        *slot = u32::from_be_bytes(*word);
    }
    for key in keys {
        let [x0, x1, x2, x3] = state;
        state = [x1, x2, x3, x0 ^ linear(tau_without_constants(x1 ^ x2 ^ x3 ^ key))];
    }
    let mut out = [0; 16];
    let (chunks, _) = out.as_chunks_mut::<4>();
    for ((chunk, word), off) in chunks.iter_mut().zip(state.iter().rev()).zip(off.iter().rev()) {
        *chunk = (word ^ off).to_be_bytes();
    }
    state.zeroize();
    out
}

/// All blocks, with keys from [`fold_constants`].
pub(super) fn crypt(keys: &[u32; 32], off: &[u32; 4], blocks: &mut [[u8; 16]; BLOCKS]) {
    let mut state = gather(blocks);
    for round in keys.as_chunks::<4>().0 {
        let [k0, k1, k2, k3] = *round;
        let [x0, x1, x2, x3] = &mut state;
        add_round(x0, x1, x2, x3, k0);
        add_round(x1, x2, x3, x0, k1);
        add_round(x2, x3, x0, x1, k2);
        add_round(x3, x0, x1, x2, k3);
    }
    for (planes, off) in state.iter_mut().zip(off) {
        for (plane, bit) in planes.iter_mut().zip(0..) {
            *plane ^= spread(*off, bit);
        }
    }
    state.reverse();
    scatter(&mut state, blocks);
    state.zeroize();
}

/// The bit as a plane.
#[inline(always)]
fn spread(word: u32, bit: usize) -> u64 {
    0_u64.wrapping_sub(u64::from((word >> bit) & 1))
}

/// x0 ^= L(S(x1 ^ x2 ^ x3 ^ key)).
#[inline(always)]
fn add_round(x0: &mut Planes, x1: &Planes, x2: &Planes, x3: &Planes, key: u32) {
    let mut s: Planes = [0; 32];
    for (byte, slots) in s.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        *slots = circuit(array::from_fn(|bit| {
            let bit = 8 * byte + bit;
            at(x1, bit) ^ at(x2, bit) ^ at(x3, bit) ^ spread(key, bit)
        }));
    }
    for (bit, plane) in x0.iter_mut().enumerate() {
        // A rotation by r brings bit b − r to b.
        *plane ^= at(&s, bit) ^ at(&s, bit + 30) ^ at(&s, bit + 22) ^ at(&s, bit + 14) ^ at(&s, bit + 8);
    }
}

#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "the index is below 32")]
const fn at(planes: &Planes, bit: usize) -> u64 {
    planes[bit % 32]
}

/// The words of the blocks as planes.
#[inline(always)]
fn gather(blocks: &[[u8; 16]; BLOCKS]) -> [Planes; 4] {
    let (low, high) = blocks.split_at(BLOCKS / 2);
    let mut state = [[0; 32]; 4];
    for (place, (low, high)) in low.iter().zip(high).enumerate() {
        let (low, high) = (low.as_chunks::<4>().0, high.as_chunks::<4>().0);
        for (planes, (low, high)) in state.iter_mut().zip(low.iter().zip(high)) {
            if let Some(slot) = planes.get_mut(place) {
                *slot = u64::from(u32::from_be_bytes(*low)) | u64::from(u32::from_be_bytes(*high)) << 32;
            }
        }
    }
    state.iter_mut().for_each(transpose);
    state
}

/// The planes as words of the blocks.
#[inline(always)]
fn scatter(state: &mut [Planes; 4], blocks: &mut [[u8; 16]; BLOCKS]) {
    state.iter_mut().for_each(transpose);
    let (low, high) = blocks.split_at_mut(BLOCKS / 2);
    for (place, (low, high)) in low.iter_mut().zip(high).enumerate() {
        let (low, high) = (low.as_chunks_mut::<4>().0, high.as_chunks_mut::<4>().0);
        for (planes, (low, high)) in state.iter().zip(low.iter_mut().zip(high)) {
            let [_, _, _, _, a, b, c, d] = at(planes, place).to_be_bytes();
            *low = [a, b, c, d];
            let [a, b, c, d, ..] = at(planes, place).to_be_bytes();
            *high = [a, b, c, d];
        }
    }
}

/// Two squares of 32 by 32 bits, one in each half of the words: rows and columns change places.
#[inline(always)]
fn transpose(rows: &mut Planes) {
    step::<16>(rows, 0x0000_ffff_0000_ffff);
    step::<8>(rows, 0x00ff_00ff_00ff_00ff);
    step::<4>(rows, 0x0f0f_0f0f_0f0f_0f0f);
    step::<2>(rows, 0x3333_3333_3333_3333);
    step::<1>(rows, 0x5555_5555_5555_5555);
}

/// In squares of twice `SIZE`, the upper right and the lower left quarter change places.
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "both indices are below 32")]
fn step<const SIZE: usize>(rows: &mut Planes, mask: u64) {
    for pair in 0..16 {
        let upper = pair / SIZE * 2 * SIZE + pair % SIZE;
        let lower = upper + SIZE;
        let change = ((rows[upper] >> SIZE) ^ rows[lower]) & mask;
        rows[upper] ^= change << SIZE;
        rows[lower] ^= change;
    }
}
