//! Anti-replay nonces (RFC 8555 §6.5): random, single use, the oldest forgotten first.

use std::collections::{HashSet, VecDeque};

use aecm_core::embed::{Rng, RngError};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use zeroize::Zeroizing;

// A client holds a handful; beyond this the oldest die, and their holder gets badNonce with a fresh one.
const CAPACITY: usize = 10_000;

/// The nonces handed out and not yet seen again.
#[derive(Debug, Default)]
pub(super) struct Nonces {
    alive: HashSet<String>,
    order: VecDeque<String>,
}

impl Nonces {
    /// Hands out a new one: 128 random bits, base64url.
    pub(super) fn issue(&mut self, rng: &dyn Rng) -> Result<String, RngError> {
        let nonce = random_text::<16>(rng)?;
        self.alive.insert(nonce.clone());
        self.order.push_back(nonce.clone());
        while self.order.len() > CAPACITY {
            if let Some(oldest) = self.order.pop_front() {
                self.alive.remove(&oldest);
            }
        }
        Ok(nonce)
    }

    /// Whether `nonce` was alive. It is dead from now on.
    pub(super) fn redeem(&mut self, nonce: &str) -> bool {
        self.alive.remove(nonce)
    }
}

/// `N` random octets in base64url without padding.
pub(super) fn random_text<const N: usize>(rng: &dyn Rng) -> Result<String, RngError> {
    let mut octets = [0u8; N];
    rng.fill(&mut octets)?;
    Ok(Base64UrlUnpadded::encode_string(&octets))
}

/// As many random octets as asked for, in base64url without padding.
pub(super) fn random_token(rng: &dyn Rng, bytes: usize) -> Result<String, RngError> {
    let mut octets = Zeroizing::new(vec![0u8; bytes]);
    rng.fill(&mut octets)?;
    Ok(Base64UrlUnpadded::encode_string(&octets))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aecm_core::embed::OsRng;

    #[test]
    fn n1_a_nonce_works_once() {
        let mut nonces = Nonces::default();
        let nonce = nonces.issue(&OsRng).unwrap();
        assert!(!nonces.redeem("never-issued"));
        assert!(nonces.redeem(&nonce));
        assert!(!nonces.redeem(&nonce));
    }

    #[test]
    fn the_oldest_die_first() {
        let mut nonces = Nonces::default();
        let first = nonces.issue(&OsRng).unwrap();
        for _ in 0..CAPACITY {
            nonces.issue(&OsRng).unwrap();
        }
        assert!(!nonces.redeem(&first));
        assert_eq!(nonces.alive.len(), nonces.order.len());
    }
}
