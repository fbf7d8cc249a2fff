//! GHASH (SP 800-38D §6.4): wide where the CPU multiplies without carry in long vectors, else the `ghash` crate.

#[cfg(target_arch = "x86_64")]
use alloc::boxed::Box;
use ghash::universal_hash::UniversalHash;
use zeroize::Zeroize;

use super::Backend;
#[cfg(target_arch = "x86_64")]
use crate::backend::ghash_vpclmul::{self, Powers};

/// H, prepared.
pub(super) enum HashKey {
    Crate(ghash::GHash),
    #[cfg(target_arch = "x86_64")]
    Wide(Box<Powers>),
}

impl HashKey {
    /// The wide form goes with the widest form of the cipher.
    pub(super) fn new(h: &[u8; 16], backend: Backend) -> Self {
        #[cfg(target_arch = "x86_64")]
        if backend == Backend::Gfni && ghash_vpclmul::available() {
            return Self::Wide(Box::new(Powers::new(h)));
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = backend;
        Self::Crate(ghash::GHash::new(h.into()))
    }

    pub(super) fn start(&self) -> Sum<'_> {
        let state = match self {
            Self::Crate(hash) => State::Crate(hash.clone()),
            #[cfg(target_arch = "x86_64")]
            Self::Wide(powers) => State::Wide { powers, sum: [0; 16] },
        };
        Sum { state, open: [0; 16], filled: 0 }
    }
}

enum State<'a> {
    Crate(ghash::GHash),
    #[cfg(target_arch = "x86_64")]
    Wide {
        powers: &'a Powers,
        sum: [u8; 16],
    },
    #[cfg(not(target_arch = "x86_64"))]
    #[expect(dead_code, reason = "uses the lifetime")]
    Never(&'a core::convert::Infallible),
}

/// A hash under way.
pub(super) struct Sum<'a> {
    state: State<'a>,
    /// A block that is not full yet.
    open: [u8; 16],
    filled: usize,
}

impl Drop for Sum<'_> {
    fn drop(&mut self) {
        self.open.zeroize();
        #[cfg(target_arch = "x86_64")]
        if let State::Wide { sum, .. } = &mut self.state {
            sum.zeroize();
        }
    }
}

impl Sum<'_> {
    fn blocks(&mut self, blocks: &[[u8; 16]]) {
        match &mut self.state {
            State::Crate(hash) => hash.update(ghash::Block::cast_slice_from_core(blocks)),
            #[cfg(target_arch = "x86_64")]
            State::Wide { powers, sum } => *sum = powers.update(sum, blocks),
            #[cfg(not(target_arch = "x86_64"))]
            State::Never(never) => match **never {},
        }
    }

    pub(super) fn update(&mut self, data: &[u8]) {
        let mut data = data;
        if self.filled > 0 {
            let (_, free) = self.open.split_at_mut(self.filled);
            let (taken, rest) = data.split_at(free.len().min(data.len()));
            for (slot, octet) in free.iter_mut().zip(taken) {
                *slot = *octet;
            }
            self.filled += taken.len();
            data = rest;
            if self.filled == 16 {
                self.finish_block();
            }
        }
        let (blocks, rest) = data.as_chunks::<16>();
        if !blocks.is_empty() {
            self.blocks(blocks);
        }
        if !rest.is_empty() {
            for (slot, octet) in self.open.iter_mut().zip(rest) {
                *slot = *octet;
            }
            self.filled = rest.len();
        }
    }

    /// Fills the open block with zeros.
    pub(super) fn finish_block(&mut self) {
        if self.filled > 0 {
            let (_, free) = self.open.split_at_mut(self.filled);
            free.fill(0);
            let open = self.open;
            self.blocks(&[open]);
            self.filled = 0;
        }
    }

    /// With the two lengths in octets, which are within the limits of the mode.
    pub(super) fn finish(mut self, aad: u64, data: u64) -> [u8; 16] {
        self.finish_block();
        let lengths = u128::from(aad.wrapping_mul(8)) << 64 | u128::from(data.wrapping_mul(8));
        self.blocks(&[lengths.to_be_bytes()]);
        match &self.state {
            State::Crate(hash) => hash.clone().finalize().into(),
            #[cfg(target_arch = "x86_64")]
            State::Wide { sum, .. } => *sum,
            #[cfg(not(target_arch = "x86_64"))]
            State::Never(never) => match **never {},
        }
    }
}
