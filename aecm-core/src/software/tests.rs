//! Keys in memory, against keys, signatures and ciphertexts of OpenSSL.

mod encrypted;
mod files;
mod possession;
mod signing;
mod unwrapping;

use alloc::sync::Arc;
use std::sync::Mutex;

use super::*;
use crate::digest::DigestAlgorithm;
use crate::embed::RngError;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/openssl-keys/", $name)).as_slice()
    };
}
macro_rules! pem {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/openssl-keys/", $name))
    };
}
use {fixture, pem};

const MESSAGE: &[u8] = fixture!("message.bin");

/// Octets that are the same in every run: SHA-256 over a counter.
struct TestRng(Mutex<u64>);

impl Rng for TestRng {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RngError> {
        let mut counter = self.0.lock().map_err(|_| RngError)?;
        for chunk in buffer.chunks_mut(32) {
            *counter += 1;
            chunk.copy_from_slice(&DigestAlgorithm::Sha256.digest(&counter.to_be_bytes())[..chunk.len()]);
        }
        Ok(())
    }
}

/// A source that fails.
struct Broken;

impl Rng for Broken {
    fn fill(&self, _: &mut [u8]) -> Result<(), RngError> {
        Err(RngError)
    }
}

/// A source that always gives the same octet.
struct Stuck(u8);

impl Rng for Stuck {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RngError> {
        buffer.fill(self.0);
        Ok(())
    }
}

fn rng() -> Arc<dyn Rng> {
    Arc::new(TestRng(Mutex::new(0)))
}

fn key(text: &str) -> SoftwareKey {
    SoftwareKey::from_pem(text).unwrap()
}

/// One key of every kind.
fn keys() -> [SoftwareKey; 4] {
    [key(pem!("rsa.key")), key(pem!("p256.key")), key(pem!("p384.key")), key(pem!("sm2.key"))]
}
