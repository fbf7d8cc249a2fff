//! Private keys in memory: made, read and written here, used through [`Signer`](crate::key::Signer) and
//! [`Decryptor`](crate::key::Decryptor).
//!
//! A [`SoftwareKey`] does nothing by itself. It becomes a [`SoftwareSigner`] or a [`SoftwareDecryptor`]; the type
//! then says what it is for, and a decryptor cannot sign a message by mistake.
//!
//! ```
//! use std::sync::Arc;
//! use aecm_core::embed::{Rng, RngError};
//! use aecm_core::key::Signer;
//! use aecm_core::signature::Sm2Id;
//! use aecm_core::software::{KeySpec, SoftwareKey};
//!
//! struct OsRng;
//! impl Rng for OsRng {
//!     fn fill(&self, buffer: &mut [u8]) -> Result<(), RngError> {
//!         getrandom::fill(buffer).map_err(|_| RngError)
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let signer = SoftwareKey::generate(KeySpec::Sm2, &OsRng)?.into_signer(Arc::new(OsRng));
//! let signature = signer.sign(signer.algorithm(), b"message").await?;
//! signer.public_key().verify(signer.algorithm(), Sm2Id::Default, b"message", &signature)?;
//! # Ok(())
//! # }
//! ```

mod decryptor;
mod encrypted;
mod error;
mod oaep;
mod pem;
mod possession;
mod read;
mod sign;
mod write;

#[cfg(test)]
mod tests;

pub use self::decryptor::SoftwareDecryptor;
pub use self::error::SoftwareKeyError;
pub use self::sign::SoftwareSigner;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use crate::embed::{RandCore, Rng};
use crate::key::KeyError;
use crate::public_key::{MAX_RSA_BITS, PublicKey};
use crate::suite::Suite;

/// The smallest RSA modulus that is generated, in bits (CA/B Forum S/MIME BR §6.1.5).
const MIN_GENERATED_RSA_BITS: usize = 2048;

/// How often a scalar is drawn. Of 2³² draws about one is not below the order of P-256; the other orders refuse
/// fewer. A source that fails 64 times gives no randomness.
const MAX_DRAWS: usize = 64;

/// What key to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KeySpec {
    /// RSA with a modulus of so many bits: 2048 to 8192, a multiple of 8; the exponent is 65537.
    Rsa(u32),
    /// ECC on NIST P-256.
    P256,
    /// ECC on NIST P-384.
    P384,
    /// SM2.
    Sm2,
}

impl KeySpec {
    /// The algorithm family of such a key.
    #[must_use]
    pub const fn suite(self) -> Suite {
        match self {
            Self::Sm2 => Suite::Sm2,
            Self::Rsa(_) | Self::P256 | Self::P384 => Suite::Classic,
        }
    }
}

/// A private key with its public key. Wiped when the last clone goes; `Debug` shows the public key only.
#[derive(Clone)]
pub struct SoftwareKey {
    secret: Arc<Secret>,
    public_key: PublicKey,
}

/// Each of these wipes itself.
enum Secret {
    Rsa(rsa::PrivateKey),
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    Sm2(aecm_sm::sm2::PrivateKey),
}

impl SoftwareKey {
    /// Makes a new key. RSA takes from a tenth of a second (2048 bits) to minutes (8192 bits).
    ///
    /// # Errors
    /// [`KeyError::Unsupported`] for an RSA size that is not offered; [`KeyError::Rng`] where the source fails.
    pub fn generate(spec: KeySpec, rng: &dyn Rng) -> Result<Self, KeyError> {
        let secret = match spec {
            KeySpec::Rsa(bits) => {
                let bits = usize::try_from(bits)
                    .ok()
                    .filter(|bits| (MIN_GENERATED_RSA_BITS..=MAX_RSA_BITS).contains(bits) && bits % 8 == 0)
                    .ok_or(KeyError::Unsupported("RSA of other than 2048 to 8192 bits, a multiple of 8"))?;
                rsa::PrivateKey::new(&mut RandCore(rng), bits).map(Secret::Rsa).map_err(|_| KeyError::Rng)?
            }
            KeySpec::P256 => draw::<32, _>(rng, |octets| {
                p256::SecretKey::from_slice(octets).ok().map(|key| Secret::P256((&key).into()))
            })?,
            KeySpec::P384 => draw::<48, _>(rng, |octets| {
                p384::SecretKey::from_slice(octets).ok().map(|key| Secret::P384((&key).into()))
            })?,
            KeySpec::Sm2 => aecm_sm::sm2::PrivateKey::generate(&mut RandCore(rng))
                .map(Secret::Sm2)
                .map_err(|_| KeyError::Rng)?,
        };
        Self::new(secret).map_err(|_| KeyError::Rng)
    }

    /// Reads a private key in DER: PKCS#8 (RFC 5208; RFC 5958 with its public key), or a bare ECPrivateKey
    /// (RFC 5915) that names its curve, or a bare RSAPrivateKey (RFC 8017 §A.1.2).
    ///
    /// The key is checked: numbers in range, a public key beside it equal to \[d\]G, RSA primes and exponents
    /// consistent (THREATS K8).
    ///
    /// # Errors
    /// [`SoftwareKeyError`].
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, SoftwareKeyError> {
        read::any(der)
    }

    /// Reads the one private key of a PEM text: `PRIVATE KEY`, `EC PRIVATE KEY`, `SM2 PRIVATE KEY`,
    /// `RSA PRIVATE KEY`. Other blocks (parameters, certificates) and text between blocks are passed over.
    ///
    /// # Errors
    /// [`SoftwareKeyError::Encrypted`] for keys under a password (see [`from_pem_with_password`]), and
    /// [`SoftwareKeyError::LegacyEncryption`]; [`SoftwareKeyError::NoPrivateKey`],
    /// [`SoftwareKeyError::SeveralPrivateKeys`]; what [`from_pkcs8_der`](Self::from_pkcs8_der) finds.
    ///
    /// [`from_pem_with_password`]: Self::from_pem_with_password
    pub fn from_pem(text: &str) -> Result<Self, SoftwareKeyError> {
        let (label, der) = pem::private_key(text)?;
        read::labelled(label, &der)
    }

    /// The key as PKCS#8 v1 in DER (RFC 5208 §5), for export only.
    #[must_use]
    pub fn to_pkcs8_der(&self) -> Zeroizing<Vec<u8>> {
        write::pkcs8(&self.secret, &self.public_key)
    }

    /// The public key.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// Makes it a signing key. `rng` is used at every signature: blinding, salts, nonces.
    #[must_use]
    pub fn into_signer(self, rng: Arc<dyn Rng>) -> SoftwareSigner {
        SoftwareSigner::new(self, rng)
    }

    /// Makes it a decrypting key, which signs nothing but its own certification request. `rng` is used for
    /// blinding and for that signature.
    #[must_use]
    pub fn into_decryptor(self, rng: Arc<dyn Rng>) -> SoftwareDecryptor {
        SoftwareDecryptor::new(self, rng)
    }

    fn new(secret: Secret) -> Result<Self, SoftwareKeyError> {
        let public_key =
            PublicKey::from_spki_der(&write::spki(&secret)).map_err(SoftwareKeyError::PublicKey)?;
        if write::pkcs8(&secret, &public_key).is_empty() {
            return Err(SoftwareKeyError::RsaInconsistent);
        }
        Ok(Self { secret: Arc::new(secret), public_key })
    }
}

impl fmt::Debug for SoftwareKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SoftwareKey").field("public_key", &self.public_key).finish_non_exhaustive()
    }
}

/// Draws octets until `make` takes them: even distribution below any order.
pub(crate) fn draw<const N: usize, T>(
    rng: &dyn Rng,
    make: impl Fn(&[u8]) -> Option<T>,
) -> Result<T, KeyError> {
    let mut octets = Zeroizing::new([0; N]);
    for _ in 0..MAX_DRAWS {
        rng.fill(&mut *octets)?;
        if let Some(made) = make(&*octets) {
            return Ok(made);
        }
    }
    Err(KeyError::Rng)
}
