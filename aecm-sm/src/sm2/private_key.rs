//! The private key: its range, signing, decryption.

use alloc::vec::Vec;
use core::fmt;
use rand_core::TryCryptoRng;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::Error;

use super::{
    arithmetic::{Point, Scalar, invert_successor, nonzero_scalar, scalar_bytes},
    encryption::{self, CiphertextForm},
    nonce::{NonceGenerator, random_octets, random_scalar},
    public_key::PublicKey,
    signature::Signature,
};

/// How many nonces a signature may try. One is unusable with a chance of about 2⁻²⁵⁵.
const MAX_NONCES: usize = 8;

/// An SM2 private key: a number d in `1..=n-2`, with its public key.
///
/// Wiped when dropped; `Debug` shows the public key only.
#[derive(Clone)]
pub struct PrivateKey {
    d: Zeroizing<Scalar>,
    /// 1/(1+d): every signature needs it, and that it exists excludes d = n−1.
    inverse: Zeroizing<Scalar>,
    public_key: PublicKey,
}

impl PrivateKey {
    /// Makes a new key, evenly distributed over `1..=n-2`.
    ///
    /// # Errors
    ///
    /// [`Error::Rng`] where the generator fails or gives nothing usable.
    pub fn generate<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, Error> {
        let d = random_scalar(rng)?;
        // Only d = n−1 is left to fail, with a chance of 2⁻²⁵⁶.
        Self::from_scalar(d).map_err(|_| Error::Rng)
    }

    /// Reads the 32 octets of d, big-endian (SM2PrivateKey of GB/T 35276 §7.1, padded on the left).
    ///
    /// # Errors
    ///
    /// [`Error::PrivateKey`] outside `1..=n-2`; d = n−1 has no 1/(1+d) and cannot sign.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, Error> {
        Self::from_scalar(nonzero_scalar(bytes).ok_or(Error::PrivateKey)?)
    }

    fn from_scalar(d: Zeroizing<Scalar>) -> Result<Self, Error> {
        let inverse = invert_successor(&d).ok_or(Error::PrivateKey)?;
        let point = Point::generator_times(&d).ok_or(Error::PrivateKey)?;
        Ok(Self { d, inverse, public_key: PublicKey::from_point(*point) })
    }

    /// The 32 octets of d, big-endian; for export only.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        scalar_bytes(&self.d)
    }

    /// The public key, \[d\]G.
    ///
    /// A key that came from elsewhere is checked by comparing this with the key of its certificate.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    pub(super) fn scalar(&self) -> &Scalar {
        &self.d
    }

    /// Signs `message` under the identifier `id` (GB/T 32918.2 §6.1).
    ///
    /// The nonce is made from the key, the message and 32 octets of `rng` (RFC 6979 §3.6), so that a weak
    /// generator alone does not give the key away.
    ///
    /// # Errors
    ///
    /// [`Error::Rng`] where the generator fails; [`Error::IdTooLong`].
    pub fn sign<R: TryCryptoRng + ?Sized>(
        &self,
        id: &[u8],
        message: &[u8],
        rng: &mut R,
    ) -> Result<Signature, Error> {
        self.sign_e(&self.public_key.e(id, message)?, rng)
    }

    /// Signs e = SM3(Z ‖ M), where the caller hashed; see [`PublicKey::e`].
    ///
    /// # Errors
    ///
    /// [`Error::Rng`] where the generator fails.
    pub fn sign_e<R: TryCryptoRng + ?Sized>(&self, e: &[u8; 32], rng: &mut R) -> Result<Signature, Error> {
        let noise = random_octets(rng)?;
        let reduced = scalar_bytes(&Scalar::reduced(e));
        let mut nonces = NonceGenerator::new(&self.to_bytes(), &reduced, &noise);
        for _ in 0..MAX_NONCES {
            if let Some(signature) = self.sign_with_nonce(e, &*nonces.next()?) {
                return Ok(signature);
            }
        }
        Err(Error::Rng)
    }

    /// Steps A4 to A7 with a given k; nothing where the standard asks for another k.
    pub(super) fn sign_with_nonce(&self, e: &[u8; 32], k: &Scalar) -> Option<Signature> {
        let point = Point::generator_times(k)?;
        let r = Scalar::reduced(e).plus(&Scalar::reduced(&point.x()));
        let sum = Zeroizing::new(r.plus(k));
        if sum.is_zero() {
            return None;
        }
        // (1+d)⁻¹(k − rd) = (1+d)⁻¹(k + r) − r
        let s = self.inverse.times(&sum).minus(&r);
        // Refuses r = 0 and s = 0.
        Signature::new(*scalar_bytes(&r), *scalar_bytes(&s)).ok()
    }

    /// Decrypts an SM2 ciphertext (GB/T 32918.4 §7.1) of the form the caller names.
    ///
    /// C3 is compared in constant time and a key stream of zeros is refused; nothing of an unverified plaintext
    /// stays in memory.
    ///
    /// # Errors
    ///
    /// [`Error::Ciphertext`] where the octets are not of the form, which everybody can see; [`Error::Decrypt`]
    /// for everything that depends on the key; [`Error::TooLong`].
    pub fn decrypt(&self, ciphertext: &[u8], form: CiphertextForm) -> Result<Zeroizing<Vec<u8>>, Error> {
        encryption::open(&self.d, &encryption::Ciphertext::parse(ciphertext, form)?)
    }
}

impl ZeroizeOnDrop for PrivateKey {}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey").field("public_key", &self.public_key).finish_non_exhaustive()
    }
}
