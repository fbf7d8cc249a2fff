//! Where the secret k of a signature comes from.

use alloc::vec::Vec;
use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use crate::{Error, sm3::HmacKey};

use super::arithmetic::{Scalar, nonzero_scalar};

/// How often a generator may give an unusable number before it counts as broken. One try fails with a chance
/// of 2⁻³², so sixteen never fail by accident.
const MAX_TRIES: usize = 16;

/// HMAC_DRBG of RFC 6979 §3.2 with SM3 and the additional input of §3.6.
///
/// The nonce depends on key, hash *and* fresh noise: a generator that repeats itself does not repeat a nonce
/// for another message, and a fault in one signature does not meet the same nonce again.
pub(super) struct NonceGenerator {
    mac: HmacKey,
    value: Zeroizing<[u8; 32]>,
    /// Whether a candidate was given out, so that the state has to move on before the next.
    spent: bool,
}

impl NonceGenerator {
    /// `d` is the private key, `e` the hash modulo n, both canonical.
    pub(super) fn new(d: &[u8; 32], e: &[u8; 32], noise: &[u8; 32]) -> Self {
        let mac = HmacKey::new(&[0; 32]);
        let mut this = Self { mac, value: Zeroizing::new([1; 32]), spent: false };
        this.stir(&[&[0], d, e, noise]);
        this.stir(&[&[1], d, e, noise]);
        this
    }

    /// The next candidate in `1..=n-1`.
    pub(super) fn next(&mut self) -> Result<Zeroizing<Scalar>, Error> {
        for _ in 0..MAX_TRIES {
            if self.spent {
                self.stir(&[&[0]]);
            }
            *self.value = self.mac.of(&[&*self.value]);
            self.spent = true;
            if let Some(k) = nonzero_scalar(&self.value) {
                return Ok(k);
            }
        }
        Err(Error::Rng)
    }

    fn stir(&mut self, input: &[&[u8]]) {
        let mut parts: Vec<&[u8]> = alloc::vec![&*self.value];
        parts.extend_from_slice(input);
        let key = Zeroizing::new(self.mac.of(&parts));
        self.mac = HmacKey::new(&*key);
        *self.value = self.mac.of(&[&*self.value]);
    }
}

/// A number in `1..=n-1`, evenly distributed, straight from the generator.
pub(super) fn random_scalar<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Zeroizing<Scalar>, Error> {
    for _ in 0..MAX_TRIES {
        if let Some(scalar) = nonzero_scalar(&*random_octets(rng)?) {
            return Ok(scalar);
        }
    }
    Err(Error::Rng)
}

/// 32 octets from the generator; its failure is ours.
pub(super) fn random_octets<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Zeroizing<[u8; 32]>, Error> {
    let mut octets = Zeroizing::new([0; 32]);
    rng.try_fill_bytes(&mut *octets).map_err(|_| Error::Rng)?;
    Ok(octets)
}
