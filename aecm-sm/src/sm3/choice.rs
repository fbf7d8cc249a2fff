//! Which form of the hash runs.

use alloc::vec::Vec;

use super::{
    OUTPUT_SIZE,
    compress::{START, compress, portable},
    many::many,
};
#[cfg(target_arch = "x86_64")]
use crate::backend::sm3_lanes;

/// How several messages are hashed together. For tests and measurements; not part of the API.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Form {
    /// Sixteen lanes of AVX-512.
    Lanes16,
    /// Eight lanes of AVX2.
    Lanes8,
    /// One after the other, with what the CPU has for one stream.
    Alone,
    /// One after the other, in plain Rust.
    Portable,
}

impl Form {
    /// All, the fastest first.
    pub const ALL: [Self; 4] = [Self::Lanes16, Self::Lanes8, Self::Alone, Self::Portable];

    /// Whether this CPU, and the system it runs, know what the form needs.
    #[must_use]
    pub fn is_available(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Lanes16 => sm3_lanes::available_16(),
            #[cfg(target_arch = "x86_64")]
            Self::Lanes8 => sm3_lanes::available_8(),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Lanes16 | Self::Lanes8 => false,
            Self::Alone | Self::Portable => true,
        }
    }

    /// The fastest that is available.
    #[must_use]
    pub fn best() -> Self {
        Self::ALL.into_iter().find(|form| form.is_available()).unwrap_or(Self::Portable)
    }

    /// A name for tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lanes16 => "avx-512",
            Self::Lanes8 => "avx2",
            Self::Alone => "alone",
            Self::Portable => "portable",
        }
    }

    /// [`hash_many`](super::hash_many) in this form; nothing where the CPU cannot run it.
    #[must_use]
    pub fn hash_many(self, messages: &[&[u8]]) -> Option<Vec<[u8; OUTPUT_SIZE]>> {
        self.is_available().then(|| many(self, &START, 0, messages))
    }

    /// The compression function alone, of the form for one stream ([`Self::Alone`]) or of the plain one.
    pub fn compress(self, state: &mut [u32; 8], blocks: &[[u8; 64]]) {
        match self {
            Self::Portable => portable(state, blocks),
            _ => compress(state, blocks),
        }
    }
}
