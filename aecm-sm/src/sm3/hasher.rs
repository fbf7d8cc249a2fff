//! The hasher for the traits of RustCrypto.

use core::fmt;
use digest::{
    HashMarker, Output,
    array::Array,
    block_api::{
        AlgorithmName, Block, BlockSizeUser, Buffer, BufferKindUser, Eager, FixedOutputCore, OutputSizeUser,
        Reset, UpdateCore,
    },
    typenum::{U32, U64},
};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::compress::{START, compress};

digest::buffer_fixed!(
    /// SM3 of data that comes in pieces (GB/T 32905), with the traits of the `digest` crate: [`Digest`](super::Digest)
    /// brings `new`, `update` and `finalize`.
    ///
    /// Wiped when dropped, because what is hashed may be a key; `Debug` shows no state.
    ///
    /// ```
    /// use aecm_sm::sm3::{self, Digest, Sm3};
    ///
    /// let mut hasher = Sm3::new();
    /// hasher.update(b"a");
    /// hasher.update(b"bc");
    /// assert_eq!(hasher.finalize()[..], sm3::hash(b"abc"));
    /// ```
    pub struct Sm3(Sm3Core);
    impl: BaseFixedTraits AlgorithmName Default Clone HashMarker Reset FixedOutputReset;
);

impl ZeroizeOnDrop for Sm3 {}

/// The hasher without its buffer, for constructions that work on whole blocks.
#[derive(Clone)]
pub struct Sm3Core {
    state: [u32; 8],
    blocks: u64,
}

impl Sm3Core {
    pub(super) const fn state(&self) -> &[u32; 8] {
        &self.state
    }
}

impl Drop for Sm3Core {
    fn drop(&mut self) {
        self.state.zeroize();
    }
}

impl ZeroizeOnDrop for Sm3Core {}

impl HashMarker for Sm3Core {}

impl BlockSizeUser for Sm3Core {
    type BlockSize = U64;
}

impl BufferKindUser for Sm3Core {
    type BufferKind = Eager;
}

impl OutputSizeUser for Sm3Core {
    type OutputSize = U32;
}

impl Default for Sm3Core {
    fn default() -> Self {
        Self { state: START, blocks: 0 }
    }
}

impl Reset for Sm3Core {
    fn reset(&mut self) {
        *self = Self::default();
    }
}

impl AlgorithmName for Sm3Core {
    fn write_alg_name(f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sm3")
    }
}

impl fmt::Debug for Sm3Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sm3Core { .. }")
    }
}

impl UpdateCore for Sm3Core {
    #[inline]
    fn update_blocks(&mut self, blocks: &[Block<Self>]) {
        // The length of the message counts modulo 2⁶⁴ bits.
        self.blocks = blocks.iter().fold(self.blocks, |sum, _| sum.wrapping_add(1));
        compress(&mut self.state, Array::cast_slice_to_core(blocks));
    }
}

impl FixedOutputCore for Sm3Core {
    #[inline]
    fn finalize_fixed_core(&mut self, buffer: &mut Buffer<Self>, out: &mut Output<Self>) {
        let mut octets = self.blocks.wrapping_mul(64);
        octets = buffer.get_data().iter().fold(octets, |sum, _| sum.wrapping_add(1));
        buffer.len64_padding_be(octets.wrapping_mul(8), |block| compress(&mut self.state, &[block.0]));
        out.0 = octets_of(&self.state);
    }
}

/// The words of a state as octets.
pub(super) fn octets_of(state: &[u32; 8]) -> [u8; 32] {
    let mut out = [0; 32];
    for (octets, word) in out.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *octets = word.to_be_bytes();
    }
    out
}
