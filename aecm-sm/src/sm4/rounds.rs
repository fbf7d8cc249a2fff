//! All rounds under the keys of one direction, in the form that was chosen.

use zeroize::Zeroize;

use super::{Backend, portable};
#[cfg(target_arch = "x86_64")]
use crate::backend::{sm4_aesni, sm4_field, sm4_gfni};

/// The keys of one direction, as the form wants them.
#[derive(Clone)]
pub(super) enum Rounds {
    Portable {
        keys: [u32; 32],
        off: [u32; 4],
    },
    #[cfg(target_arch = "x86_64")]
    AesNi([u32; 32]),
    #[cfg(target_arch = "x86_64")]
    Gfni([u32; 32]),
}

impl Drop for Rounds {
    fn drop(&mut self) {
        match self {
            Self::Portable { keys, .. } => keys.zeroize(),
            #[cfg(target_arch = "x86_64")]
            Self::AesNi(keys) | Self::Gfni(keys) => keys.zeroize(),
        }
    }
}

impl Rounds {
    pub(super) fn new(keys: &[u32; 32], backend: Backend) -> Self {
        match backend {
            #[cfg(target_arch = "x86_64")]
            Backend::Gfni => Self::Gfni(sm4_field::carry_over(keys)),
            #[cfg(target_arch = "x86_64")]
            Backend::AesNi => Self::AesNi(sm4_field::carry_over(keys)),
            // Elsewhere the others do not exist, and Backend::is_available says so.
            _ => {
                let (keys, off) = portable::fold_constants(keys);
                Self::Portable { keys, off }
            }
        }
    }

    /// One block.
    pub(super) fn one(&self, block: &[u8; 16]) -> [u8; 16] {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Gfni(keys) => sm4_gfni::crypt_one(keys, block),
            #[cfg(target_arch = "x86_64")]
            Self::AesNi(keys) => sm4_aesni::crypt_one(keys, block),
            Self::Portable { keys, off } => portable::crypt_one(keys, off, block),
        }
    }

    /// Any number of blocks in place.
    fn all(&self, blocks: &mut [[u8; 16]]) {
        let one = |block: &[u8; 16]| self.one(block);
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Gfni(keys) => whole_sets(blocks, |sets| sm4_gfni::crypt(keys, sets), one),
            #[cfg(target_arch = "x86_64")]
            Self::AesNi(keys) => whole_sets(blocks, |sets| sm4_aesni::crypt(keys, sets), one),
            Self::Portable { keys, off } => {
                let crypt = |sets: &mut [_]| sets.iter_mut().for_each(|set| portable::crypt(keys, off, set));
                whole_sets(blocks, crypt, one);
            }
        }
    }

    /// CBC over all blocks in place: one chain, each block waits for the one before.
    pub(super) fn cbc_encrypt(&self, iv: &[u8; 16], blocks: &mut [[u8; 16]]) {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Gfni(keys) => sm4_gfni::cbc_encrypt(keys, iv, blocks),
            #[cfg(target_arch = "x86_64")]
            Self::AesNi(keys) => sm4_aesni::cbc_encrypt(keys, iv, blocks),
            Self::Portable { keys, off } => {
                let mut chain = *iv;
                for block in blocks {
                    add(&mut chain, block.as_slice());
                    chain = portable::crypt_one(keys, off, &chain);
                    *block = chain;
                }
            }
        }
    }

    /// CBC back: `blocks` holds a copy of `ciphertext`.
    pub(super) fn cbc_decrypt(&self, iv: &[u8; 16], ciphertext: &[[u8; 16]], blocks: &mut [[u8; 16]]) {
        let mut chain = iv;
        for (blocks, ciphertext) in blocks.chunks_mut(AT_ONCE).zip(ciphertext.chunks(AT_ONCE)) {
            self.all(blocks);
            if let ([first, others @ ..], [before @ .., last]) = (blocks, ciphertext) {
                add(first, chain.as_slice());
                add(others.as_flattened_mut(), before.as_flattened());
                chain = last;
            }
        }
    }

    /// Counter mode in place: adds the key stream of `nonce` with the counters from `counter` on, modulo 2³². What of
    /// the last block of the key stream is left over is lost.
    pub(super) fn ctr(&self, nonce: &[u8; 12], counter: u32, data: &mut [u8]) {
        #[cfg(target_arch = "x86_64")]
        if let Self::Gfni(keys) = self {
            let (blocks, last) = data.as_chunks_mut::<16>();
            let (sets, rest) = blocks.as_chunks_mut::<16>();
            sm4_gfni::ctr(keys, nonce, counter, sets);
            // Modulo 2³², as it is meant.
            #[expect(clippy::as_conversions, reason = "the high bits do not matter")]
            let counter = (sets.len() as u32).wrapping_mul(16).wrapping_add(counter);
            if rest.is_empty() && last.is_empty() {
                return;
            }
            let mut stream = [[0; 16]; 16];
            sm4_gfni::ctr(keys, nonce, counter, core::array::from_mut(&mut stream));
            add(rest.as_flattened_mut(), stream.as_flattened());
            add(last, stream.get(rest.len()).map_or(&[], <[u8; 16]>::as_slice));
            stream.as_flattened_mut().zeroize();
            return;
        }
        let mut stream = [[0; 16]; AT_ONCE];
        let mut counter = counter;
        for data in data.chunks_mut(16 * AT_ONCE) {
            let [a, b, c, d, e, f, g, h, i, j, k, l] = *nonce;
            let (needed, _) = stream.split_at_mut(data.len().div_ceil(16));
            for block in needed.iter_mut() {
                let [w, x, y, z] = counter.to_be_bytes();
                *block = [a, b, c, d, e, f, g, h, i, j, k, l, w, x, y, z];
                counter = counter.wrapping_add(1);
            }
            self.all(needed);
            add(data, needed.as_flattened());
        }
        stream.as_flattened_mut().zeroize();
    }
}

/// How many blocks the modes here hand over at a time: what the widest form takes.
const AT_ONCE: usize = 64;

#[inline]
fn add(to: &mut [u8], from: &[u8]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to ^= from;
    }
}

/// Any number of blocks by a function that takes them in sets: a few that are left over go one by one, more of them in
/// a set of their own, the rest of it zeros.
#[inline]
pub(super) fn whole_sets<const SET: usize>(
    blocks: &mut [[u8; 16]],
    crypt: impl Fn(&mut [[[u8; 16]; SET]]),
    one: impl Fn(&[u8; 16]) -> [u8; 16],
) {
    let (sets, rest) = blocks.as_chunks_mut::<SET>();
    crypt(sets);
    // A set costs about as much as one single block in the vector forms, as seven in planes.
    if rest.len() <= SET.div_ceil(10) {
        for block in rest {
            *block = one(block);
        }
        return;
    }
    let mut set = [[0; 16]; SET];
    for (slot, block) in set.iter_mut().zip(rest.iter()) {
        *slot = *block;
    }
    crypt(core::array::from_mut(&mut set));
    for (block, done) in rest.iter_mut().zip(&set) {
        *block = *done;
    }
    set.as_flattened_mut().zeroize();
}
