//! The block cipher for the modes of RustCrypto: which backend, which direction.

use core::{array, fmt};

use cbc::cipher::{
    AlgorithmName, Block, BlockCipherDecBackend, BlockCipherDecClosure, BlockCipherDecrypt,
    BlockCipherEncBackend, BlockCipherEncClosure, BlockCipherEncrypt, BlockSizeUser, InOut, InOutBuf, Key,
    KeyInit, KeySizeUser, ParBlocks, ParBlocksSizeUser,
    consts::{U16, U32, U64},
};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{Backend, portable, schedule};
#[cfg(target_arch = "x86_64")]
use crate::backend::{sm4_aesni, sm4_field, sm4_gfni};

/// SM4 under one key (GB/T 32907), both directions: keys and blocks of 16 octets.
///
/// For the modes of RustCrypto (`cbc`, `ctr`, `aes-gcm`, `ccm`), which hand it as many blocks at a time as the CPU
/// likes best: 32 with GFNI and AVX-512, 16 with AES-NI and AVX2, else 64 in bit planes. None looks anything up by a
/// secret. Wiped when dropped.
#[derive(Clone)]
pub struct Sm4 {
    encrypting: Rounds,
    decrypting: Rounds,
}

/// The keys of one direction, as the backend wants them.
#[derive(Clone)]
enum Rounds {
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

impl ZeroizeOnDrop for Sm4 {}

impl Rounds {
    fn new(keys: &[u32; 32], backend: Backend) -> Self {
        match backend {
            #[cfg(target_arch = "x86_64")]
            Backend::Gfni => Self::Gfni(sm4_field::carry_over(keys)),
            #[cfg(target_arch = "x86_64")]
            Backend::AesNi => Self::AesNi(sm4_field::carry_over(keys)),
            // The others exist nowhere else, and Backend::is_available says so.
            _ => {
                let (keys, off) = portable::fold_constants(keys);
                Self::Portable { keys, off }
            }
        }
    }
}

impl Sm4 {
    fn with(key: &[u8; 16], backend: Backend) -> Self {
        let mut keys = schedule::round_keys(key);
        let encrypting = Rounds::new(&keys, backend);
        keys.reverse();
        let decrypting = Rounds::new(&keys, backend);
        keys.zeroize();
        Self { encrypting, decrypting }
    }

    /// The cipher in the form that is named, to compare and to measure; nothing where the CPU cannot run it.
    #[doc(hidden)]
    #[must_use]
    pub fn with_backend(key: &[u8; 16], backend: Backend) -> Option<Self> {
        backend.is_available().then(|| Self::with(key, backend))
    }

    /// The cipher in its portable form, whatever the CPU can do: to compare and to measure.
    #[doc(hidden)]
    #[must_use]
    pub fn portable(key: &[u8; 16]) -> Self {
        Self::with(key, Backend::Portable)
    }

    /// CBC over all blocks in place: one chain, each block waits for the one before.
    pub(super) fn cbc_encrypt(&self, iv: &[u8; 16], blocks: &mut [[u8; 16]]) {
        match &self.encrypting {
            #[cfg(target_arch = "x86_64")]
            Rounds::Gfni(keys) => sm4_gfni::cbc_encrypt(keys, iv, blocks),
            #[cfg(target_arch = "x86_64")]
            Rounds::AesNi(keys) => sm4_aesni::cbc_encrypt(keys, iv, blocks),
            Rounds::Portable { keys, off } => {
                let mut chain = *iv;
                for block in blocks {
                    let sum: [u8; 16] = {
                        let mut sum = chain;
                        sum.iter_mut().zip(block.iter()).for_each(|(to, from)| *to ^= from);
                        sum
                    };
                    chain = portable::crypt_one(keys, off, &sum);
                    *block = chain;
                }
            }
        }
    }
}

impl KeySizeUser for Sm4 {
    type KeySize = U16;
}

impl KeyInit for Sm4 {
    fn new(key: &Key<Self>) -> Self {
        Self::with(&key.0, Backend::best())
    }
}

impl BlockSizeUser for Sm4 {
    type BlockSize = U16;
}

impl AlgorithmName for Sm4 {
    fn write_alg_name(f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sm4")
    }
}

impl fmt::Debug for Sm4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sm4 { .. }")
    }
}

impl BlockCipherEncrypt for Sm4 {
    #[inline]
    fn encrypt_with_backend(&self, f: impl BlockCipherEncClosure<BlockSize = U16>) {
        match &self.encrypting {
            #[cfg(target_arch = "x86_64")]
            Rounds::Gfni(keys) => f.call(&Gfni(keys)),
            #[cfg(target_arch = "x86_64")]
            Rounds::AesNi(keys) => f.call(&AesNi(keys)),
            Rounds::Portable { keys, off } => f.call(&Planes { keys, off }),
        }
    }
}

impl BlockCipherDecrypt for Sm4 {
    #[inline]
    fn decrypt_with_backend(&self, f: impl BlockCipherDecClosure<BlockSize = U16>) {
        match &self.decrypting {
            #[cfg(target_arch = "x86_64")]
            Rounds::Gfni(keys) => f.call(&Gfni(keys)),
            #[cfg(target_arch = "x86_64")]
            Rounds::AesNi(keys) => f.call(&AesNi(keys)),
            Rounds::Portable { keys, off } => f.call(&Planes { keys, off }),
        }
    }
}

/// Blocks under way: both directions are the same work with other keys.
trait Crypt: ParBlocksSizeUser<BlockSize = U16> {
    fn one(&self, block: &[u8; 16]) -> [u8; 16];

    /// Exactly as many as fit.
    fn full(&self, blocks: InOut<'_, '_, ParBlocks<Self>>);

    /// Fewer.
    fn tail(&self, blocks: InOutBuf<'_, '_, Block<Self>>);
}

macro_rules! both_directions {
    ($($type:ident)*) => {$(
        impl BlockSizeUser for $type<'_> {
            type BlockSize = U16;
        }

        impl BlockCipherEncBackend for $type<'_> {
            #[inline(always)]
            fn encrypt_block(&self, mut block: InOut<'_, '_, Block<Self>>) {
                let done = self.one(&block.get_in().0);
                block.get_out().0 = done;
            }

            #[inline(always)]
            fn encrypt_par_blocks(&self, blocks: InOut<'_, '_, ParBlocks<Self>>) {
                self.full(blocks);
            }

            #[inline(always)]
            fn encrypt_tail_blocks(&self, blocks: InOutBuf<'_, '_, Block<Self>>) {
                self.tail(blocks);
            }
        }

        impl BlockCipherDecBackend for $type<'_> {
            #[inline(always)]
            fn decrypt_block(&self, mut block: InOut<'_, '_, Block<Self>>) {
                let done = self.one(&block.get_in().0);
                block.get_out().0 = done;
            }

            #[inline(always)]
            fn decrypt_par_blocks(&self, blocks: InOut<'_, '_, ParBlocks<Self>>) {
                self.full(blocks);
            }

            #[inline(always)]
            fn decrypt_tail_blocks(&self, blocks: InOutBuf<'_, '_, Block<Self>>) {
                self.tail(blocks);
            }
        }
    )*};
}

both_directions! { Planes }
#[cfg(target_arch = "x86_64")]
both_directions! { AesNi Gfni }

/// The tail in one piece, the rest of it zeros, where that is quicker than block by block.
fn padded<const BLOCKS: usize>(
    mut blocks: InOutBuf<'_, '_, cbc::cipher::array::Array<u8, U16>>,
    all: impl FnOnce(&mut [[u8; 16]; BLOCKS]),
) {
    let mut buffer = [[0; 16]; BLOCKS];
    for (slot, block) in buffer.iter_mut().zip(blocks.get_in()) {
        *slot = block.0;
    }
    all(&mut buffer);
    for (block, done) in blocks.get_out().iter_mut().zip(&buffer) {
        block.0 = *done;
    }
    buffer.as_flattened_mut().zeroize();
}

struct Planes<'a> {
    keys: &'a [u32; 32],
    off: &'a [u32; 4],
}

impl ParBlocksSizeUser for Planes<'_> {
    type ParBlocksSize = U64;
}

impl Crypt for Planes<'_> {
    fn one(&self, block: &[u8; 16]) -> [u8; 16] {
        portable::crypt_one(self.keys, self.off, block)
    }

    fn full(&self, mut blocks: InOut<'_, '_, ParBlocks<Self>>) {
        let input = blocks.get_in();
        let mut buffer: [[u8; 16]; portable::BLOCKS] =
            array::from_fn(|place| input.get(place).map_or([0; 16], |block| block.0));
        portable::crypt(self.keys, self.off, &mut buffer);
        for (block, done) in blocks.get_out().iter_mut().zip(&buffer) {
            block.0 = *done;
        }
    }

    fn tail(&self, blocks: InOutBuf<'_, '_, Block<Self>>) {
        // All the planes cost as much as about six single blocks.
        if blocks.len() > 6 {
            padded(blocks, |all| portable::crypt(self.keys, self.off, all));
        } else {
            for mut block in blocks {
                let done = self.one(&block.get_in().0);
                block.get_out().0 = done;
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
macro_rules! wide {
    ($type:ident, $backend:ident, $blocks:ident) => {
        struct $type<'a>(&'a [u32; 32]);

        impl ParBlocksSizeUser for $type<'_> {
            type ParBlocksSize = $blocks;
        }

        impl Crypt for $type<'_> {
            #[inline(always)]
            fn one(&self, block: &[u8; 16]) -> [u8; 16] {
                $backend::crypt_one(self.0, block)
            }

            #[inline(always)]
            fn full(&self, mut blocks: InOut<'_, '_, ParBlocks<Self>>) {
                let input = blocks.get_in();
                let mut buffer: [[u8; 16]; $backend::BLOCKS] =
                    array::from_fn(|place| input.get(place).map_or([0; 16], |block| block.0));
                $backend::crypt(self.0, &mut buffer);
                for (block, done) in blocks.get_out().iter_mut().zip(&buffer) {
                    block.0 = *done;
                }
            }

            #[inline(always)]
            fn tail(&self, blocks: InOutBuf<'_, '_, Block<Self>>) {
                if blocks.len() > 2 {
                    padded(blocks, |all| $backend::crypt(self.0, all));
                } else {
                    for mut block in blocks {
                        let done = self.one(&block.get_in().0);
                        block.get_out().0 = done;
                    }
                }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
wide!(AesNi, sm4_aesni, U16);
#[cfg(target_arch = "x86_64")]
wide!(Gfni, sm4_gfni, U32);
