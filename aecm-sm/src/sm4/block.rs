//! The block cipher for the modes of RustCrypto: which backend, which direction.

use core::fmt;

use cbc::cipher::{
    AlgorithmName, Block, BlockCipherDecBackend, BlockCipherDecClosure, BlockCipherDecrypt,
    BlockCipherEncBackend, BlockCipherEncClosure, BlockCipherEncrypt, BlockSizeUser, InOut, InOutBuf, Key,
    KeyInit, KeySizeUser, ParBlocks, ParBlocksSizeUser,
    array::Array,
    consts::{U16, U64},
};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{
    Backend, portable,
    rounds::{Rounds, whole_sets},
    schedule,
};
#[cfg(target_arch = "x86_64")]
use crate::backend::{sm4_aesni, sm4_gfni};

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

impl ZeroizeOnDrop for Sm4 {}

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

    /// The form that runs.
    pub(super) const fn backend(&self) -> Backend {
        match &self.encrypting {
            Rounds::Portable { .. } => Backend::Portable,
            #[cfg(target_arch = "x86_64")]
            Rounds::AesNi(_) => Backend::AesNi,
            #[cfg(target_arch = "x86_64")]
            Rounds::Gfni(_) => Backend::Gfni,
        }
    }

    /// The direction of encryption, for the modes here.
    pub(super) const fn encrypting(&self) -> &Rounds {
        &self.encrypting
    }

    /// The direction of decryption.
    pub(super) const fn decrypting(&self) -> &Rounds {
        &self.decrypting
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

macro_rules! backend {
    ($type:ident, $blocks:ident, |$this:ident, $sets:ident| $crypt:expr, |$block:ident| $single:expr) => {
        impl BlockSizeUser for $type<'_> {
            type BlockSize = U16;
        }

        impl ParBlocksSizeUser for $type<'_> {
            type ParBlocksSize = $blocks;
        }

        // Both directions are the same work with other keys.
        impl $type<'_> {
            #[inline(always)]
            fn one(&self, mut block: InOut<'_, '_, Block<Self>>) {
                let ($this, $block) = (self, &block.get_in().0);
                let done = $single;
                block.get_out().0 = done;
            }

            #[inline(always)]
            fn full(&self, mut blocks: InOut<'_, '_, ParBlocks<Self>>) {
                let mut buffer = blocks.clone_in();
                let $this = self;
                let ($sets, _) = Array::cast_slice_to_core_mut(&mut buffer).as_chunks_mut();
                $crypt;
                *blocks.get_out() = buffer;
            }

            #[inline(always)]
            fn tail(&self, mut blocks: InOutBuf<'_, '_, Block<Self>>) {
                let mut buffer = ParBlocks::<Self>::default();
                for (slot, block) in buffer.iter_mut().zip(blocks.get_in()) {
                    *slot = *block;
                }
                let $this = self;
                let (all, _) = Array::cast_slice_to_core_mut(&mut buffer).split_at_mut(blocks.len());
                whole_sets(all, |$sets| $crypt, |$block| $single);
                for (block, done) in blocks.get_out().iter_mut().zip(&buffer) {
                    *block = *done;
                }
                buffer.iter_mut().for_each(|block| block.0.zeroize());
            }
        }

        impl BlockCipherEncBackend for $type<'_> {
            #[inline(always)]
            fn encrypt_block(&self, block: InOut<'_, '_, Block<Self>>) {
                self.one(block);
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
            fn decrypt_block(&self, block: InOut<'_, '_, Block<Self>>) {
                self.one(block);
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
    };
}

struct Planes<'a> {
    keys: &'a [u32; 32],
    off: &'a [u32; 4],
}

backend! {
    Planes,
    U64,
    |this, sets| for set in sets { portable::crypt(this.keys, this.off, set) },
    |block| portable::crypt_one(this.keys, this.off, block)
}

#[cfg(target_arch = "x86_64")]
struct AesNi<'a>(&'a [u32; 32]);

#[cfg(target_arch = "x86_64")]
backend! {
    AesNi,
    U16,
    |this, sets| sm4_aesni::crypt(this.0, sets),
    |block| sm4_aesni::crypt_one(this.0, block)
}

#[cfg(target_arch = "x86_64")]
struct Gfni<'a>(&'a [u32; 32]);

#[cfg(target_arch = "x86_64")]
backend! {
    Gfni,
    U64,
    |this, sets| sm4_gfni::crypt(this.0, sets),
    |block| sm4_gfni::crypt_one(this.0, block)
}
