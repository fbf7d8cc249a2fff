//! PKCS#12 (RFC 7292): keys and certificates in one file under a password, as mail programs and browsers exchange
//! them.
//!
//! Read: PBES2 with PBKDF2 or scrypt, AES, SM4 or triple DES; the MAC of RFC 7292 with SHA-1, SHA-2 or SM3, and
//! PBMAC1 (RFC 9579); BER with indefinite lengths, as NSS and Java write it; shrouded and plain keys, safes in
//! safes. The schemes of 1996 (RC2-40 and triple DES under SHA-1) are refused by name.
//!
//! Written: PBES2 with PBKDF2-HMAC-SHA-256 of 600 000 iterations and AES-256-CBC, a MAC with SHA-256; or
//! [`Encryption::sm`]: SM4-CBC and a MAC with SM3, which OpenSSL and Tongsuo read.
//!
//! ```
//! use aecm_core::embed::OsRng;
//! use aecm_core::limits::Limits;
//! use aecm_core::password::Encryption;
//! use aecm_core::software::{KeySpec, SoftwareKey};
//! use aecm_store::p12::{Pkcs12, Pkcs12Error};
//!
//! let key = SoftwareKey::generate(KeySpec::P256, &OsRng)?;
//! let file = Pkcs12::builder()
//!     .key(&key, Some("alice"), None)
//!     .encryption(Encryption::default().iterations(1000))
//!     .to_der("secret", &OsRng)?;
//!
//! let read = Pkcs12::parse(&file, "secret", &Limits::default())?;
//! assert_eq!(read.keys()[0].key()?.public_key(), key.public_key());
//! assert_eq!(Pkcs12::parse(&file, "guess", &Limits::default()).unwrap_err(), Pkcs12Error::WrongPassword);
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! [`Encryption::sm`]: aecm_core::password::Encryption::sm

use core::fmt;

use aecm_core::certificate::{Certificate, CertificateError};
use aecm_core::limits::Limits;
use aecm_core::oid::ObjectIdentifier;
use aecm_core::software::{SoftwareKey, SoftwareKeyError};
use zeroize::Zeroizing;

use crate::ledger::same_key;

mod error;
mod mac;
mod read;
mod transfer;
mod write;

pub use error::Pkcs12Error;
pub use transfer::{Import, export, import};
pub use write::Pkcs12Builder;

/// The largest file, in octets: 16 MiB.
pub const MAX_OCTETS: usize = 16 << 20;
/// The most bags of a file, all safes together.
pub const MAX_BAGS: usize = 1024;
/// The deepest nesting of safes in safes.
pub const MAX_DEPTH: usize = 8;

/// What a PKCS#12 file holds, after its MAC was verified.
#[derive(Debug)]
pub struct Pkcs12 {
    keys: Vec<KeyBag>,
    certificates: Vec<CertificateBag>,
    crls: Vec<Vec<u8>>,
    skipped: Vec<Skipped>,
}

/// A private key of a file.
#[non_exhaustive]
pub struct KeyBag {
    /// PKCS#8 (RFC 5958), not encrypted, as it was in the file.
    pub pkcs8: Zeroizing<Vec<u8>>,
    /// friendlyName (RFC 2985 §5.5.1).
    pub friendly_name: Option<String>,
    /// localKeyId (RFC 2985 §5.5.2).
    pub local_key_id: Option<Vec<u8>>,
}

/// A certificate of a file.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CertificateBag {
    /// The certificate.
    pub certificate: Certificate,
    /// friendlyName (RFC 2985 §5.5.1).
    pub friendly_name: Option<String>,
    /// localKeyId (RFC 2985 §5.5.2).
    pub local_key_id: Option<Vec<u8>>,
}

/// What stands in a file and is not given out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Skipped {
    /// A bag of another kind: secretBag, for instance.
    Bag(ObjectIdentifier),
    /// A certificate or CRL that is not X.509.
    Type(ObjectIdentifier),
    /// A certificate that cannot be read.
    Certificate(CertificateError),
}

impl Pkcs12 {
    /// Reads a file. First the MAC is verified, in constant time; nothing of what it covers is looked at before.
    /// An empty password is tried in both ways in which such files are made: as an empty text and as none.
    ///
    /// # Errors
    /// [`Pkcs12Error::WrongPassword`] when the MAC does not verify; [`Pkcs12Error::NoMac`] when there is none; what
    /// else is wrong.
    pub fn parse(octets: &[u8], password: &str, limits: &Limits) -> Result<Self, Pkcs12Error> {
        read::file(octets, password, true, limits)
    }

    /// Reads a file that may have no MAC: nothing then shows that it is what its maker wrote (THREATS K1). A MAC
    /// that is there is verified all the same.
    ///
    /// # Errors
    /// As [`Pkcs12::parse`], [`Pkcs12Error::NoMac`] excepted.
    pub fn parse_unauthenticated(
        octets: &[u8],
        password: &str,
        limits: &Limits,
    ) -> Result<Self, Pkcs12Error> {
        read::file(octets, password, false, limits)
    }

    /// Starts a file.
    pub fn builder() -> Pkcs12Builder {
        Pkcs12Builder::default()
    }

    /// The private keys, in the order of the file.
    #[must_use]
    pub fn keys(&self) -> &[KeyBag] {
        &self.keys
    }

    /// The certificates, in the order of the file.
    #[must_use]
    pub fn certificates(&self) -> &[CertificateBag] {
        &self.certificates
    }

    /// The CRLs in DER, not parsed.
    #[must_use]
    pub fn crls(&self) -> &[Vec<u8>] {
        &self.crls
    }

    /// What was passed over.
    #[must_use]
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// The certificates that hold the public half of `key`, the oldest (by notBefore) first. By the key itself:
    /// localKeyId is what a writer says.
    #[must_use]
    pub fn certificates_of(&self, key: &SoftwareKey) -> Vec<&Certificate> {
        let mut own: Vec<&Certificate> = Vec::new();
        for bag in &self.certificates {
            let fits = bag.certificate.public_key().is_some_and(|public| same_key(public, key.public_key()));
            if fits && !own.contains(&&bag.certificate) {
                own.push(&bag.certificate);
            }
        }
        own.sort_by_key(|certificate| certificate.not_before());
        own
    }
}

impl KeyBag {
    /// The key, checked.
    ///
    /// # Errors
    /// [`SoftwareKeyError`] for keys that this library does not know or that are not whole.
    pub fn key(&self) -> Result<SoftwareKey, SoftwareKeyError> {
        SoftwareKey::from_pkcs8_der(&self.pkcs8)
    }
}

/// Without the private key.
impl fmt::Debug for KeyBag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyBag")
            .field("friendly_name", &self.friendly_name)
            .field("local_key_id", &self.local_key_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
