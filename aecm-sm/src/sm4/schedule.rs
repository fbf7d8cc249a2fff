//! The round keys (GB/T 32907 §7.3), without a table.

use super::circuit::{AFTER, BEFORE, circuit};

/// FK.
const SYSTEM: [u32; 4] = [0xa3b1_bac6, 0x56aa_3350, 0x677d_9197, 0xb270_22dc];

/// CK: byte j of word i is (4i + j)·7 mod 256, the highest byte first.
const FIXED: [u32; 32] = {
    let mut words = [0_u32; 32];
    let (mut place, mut byte) = (0, 0_u8);
    while place < 32 {
        let bytes = [byte, byte.wrapping_add(7), byte.wrapping_add(14), byte.wrapping_add(21)];
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
        {
            words[place] = u32::from_be_bytes(bytes);
        }
        byte = byte.wrapping_add(28);
        place += 1;
    }
    words
};

/// The S-box on each of the four bytes.
#[inline(always)]
pub(super) fn tau(word: u32) -> u32 {
    tau_without_constants(word ^ BEFORE) ^ AFTER
}

#[inline(always)]
pub(super) fn tau_without_constants(word: u32) -> u32 {
    // Plane b holds bit b of each byte, at the bottom of the byte.
    let plane = |bit: u32| (word >> bit) & 0x0101_0101;
    let planes = circuit([plane(0), plane(1), plane(2), plane(3), plane(4), plane(5), plane(6), plane(7)]);
    planes.iter().zip(0..).fold(0, |word, (plane, bit)| word | plane << bit)
}

/// The round keys of an encryption in the order of their use.
pub(super) fn round_keys(key: &[u8; 16]) -> [u32; 32] {
    let (words, _) = key.as_chunks::<4>();
    let mut state = [0; 4];
    for ((slot, word), fixed) in state.iter_mut().zip(words).zip(SYSTEM) {
        *slot = u32::from_be_bytes(*word) ^ fixed;
    }
    FIXED.map(|fixed| {
        let [k0, k1, k2, k3] = state;
        let t = tau(k1 ^ k2 ^ k3 ^ fixed);
        let next = k0 ^ t ^ t.rotate_left(13) ^ t.rotate_left(23);
        state = [k1, k2, k3, next];
        next
    })
}
