//! Random numbers that anybody can compute again. For these vectors only: who knows the seed knows every key.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aecm_core::digest::DigestAlgorithm;
use aecm_core::embed::{Rng, RngError};

const SEED: &str = "AECM published vectors, version 1: ";

/// Block n is SHA-256(seed text, file name, n as 8 octets, big-endian), n from 0. Every call begins with a new
/// block and throws the rest of its last one away.
pub(crate) struct Seeded {
    seed: Vec<u8>,
    block: AtomicU64,
}

impl Seeded {
    /// The numbers for one file.
    pub(crate) fn new(file: &str) -> Arc<Self> {
        Arc::new(Self { seed: [SEED, file].concat().into_bytes(), block: AtomicU64::new(0) })
    }
}

impl Rng for Seeded {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RngError> {
        for chunk in buffer.chunks_mut(32) {
            let block = self.block.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            let octets = DigestAlgorithm::Sha256.digest(&[self.seed.as_slice(), &block].concat());
            for (to, from) in chunk.iter_mut().zip(octets) {
                *to = from;
            }
        }
        Ok(())
    }
}
