//! The encrypting keys of a mailbox, with every certificate they went by, as one value: what a device gives to
//! another device of the same owner. The value is secret; it travels only enveloped.
//!
//! ```text
//! AsymmetricKeyPackage ::= SEQUENCE SIZE (1..MAX) OF OneAsymmetricKey   -- RFC 5958 §2
//!
//! OneAsymmetricKey ::= SEQUENCE {
//!     version              INTEGER { v1(0), v2(1) },
//!     privateKeyAlgorithm  AlgorithmIdentifier,
//!     privateKey           OCTET STRING,
//!     attributes           [0] IMPLICIT SET OF Attribute OPTIONAL,
//!     publicKey            [1] IMPLICIT BIT STRING OPTIONAL }
//! ```
//!
//! | attribute | values |
//! |---|---|
//! | userCertificate, 2.5.4.36 (RFC 4523) | the certificates of this key |
//! | cACertificate, 2.5.4.37 (RFC 4523) | certificates above them |
//!
//! Of each suite the keys stand in the order of time; the last one is the active one where there is one.

use core::fmt;

use aecm_core::certificate::Certificate;
use aecm_core::limits::Limits;
use aecm_core::mailbox::Mailbox;
use aecm_core::oid::ObjectIdentifier;
use aecm_core::public_key::PublicKey;
use aecm_core::software::{SoftwareKey, SoftwareKeyError};
use aecm_core::suite::{Purpose, Suite};
use aecm_core::tlv::{Reader, Rules, Tag, Tlv, write};
use zeroize::Zeroizing;

use crate::import::ImportedKey;
use crate::ledger::same_key;
use crate::slot::{Entry, EntryState, Slot};
use crate::store::KeyStore;
use crate::{recognise, wipe};

mod error;

pub use error::PackageError;

/// The most keys of a package.
pub const MAX_KEYS: usize = 256;
/// The largest package, in octets: 256 KiB.
pub const MAX_OCTETS: usize = 256 << 10;

const USER_CERTIFICATE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.36");
const CA_CERTIFICATE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.37");

/// A key of a package, held against its certificates.
#[non_exhaustive]
pub struct PackagedKey {
    /// The private key: PKCS#8 in DER, without attributes.
    pub pkcs8: Zeroizing<Vec<u8>>,
    /// Its public half.
    pub public_key: PublicKey,
    /// The certificates of this key, at least one, the oldest (by notBefore) first.
    pub certificates: Vec<Certificate>,
    /// Certificates above them, in no order.
    pub issuers: Vec<Certificate>,
}

/// Without the private key.
impl fmt::Debug for PackagedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PackagedKey")
            .field("public_key", &self.public_key)
            .field("certificates", &self.certificates)
            .finish_non_exhaustive()
    }
}

impl PackagedKey {
    /// The chain of each certificate, in the order of [`PackagedKey::certificates`], as far as `issuers` lead.
    #[must_use]
    pub fn chains(&self) -> Vec<Vec<Certificate>> {
        self.certificates.iter().map(|leaf| recognise::chain(leaf, &self.issuers)).collect()
    }

    /// Adds the certificates that another package has of the same key; whether there were any. What is of another key
    /// is passed over.
    pub fn learn(&mut self, other: &Self) -> bool {
        if !same_key(&self.public_key, &other.public_key) {
            return false;
        }
        let before = (self.certificates.len(), self.issuers.len());
        for (to, from) in [(&mut self.certificates, &other.certificates), (&mut self.issuers, &other.issuers)]
        {
            for certificate in from {
                if !to.contains(certificate) {
                    to.push(certificate.clone());
                }
            }
        }
        self.certificates.sort_by_key(Certificate::not_before);
        before != (self.certificates.len(), self.issuers.len())
    }

    fn to_der(&self) -> Result<Zeroizing<Vec<u8>>, SoftwareKeyError> {
        one_key(&self.pkcs8, self.certificates.iter().collect(), self.issuers.iter().collect())
    }

    /// What [`KeyStore::import`] takes, for the encrypting slot of the key's suite at the level its last
    /// certificate states. Whether the certificates are trusted is for the caller to have found out.
    #[must_use]
    pub fn into_imported(self, state: EntryState) -> ImportedKey {
        let level = self.certificates.last().map_or(aecm_core::suite::Level::Mailbox, recognise::level);
        let slot = Slot { suite: self.public_key.suite(), purpose: Purpose::Encrypt, level, device: None };
        let chains = self.chains();
        ImportedKey { slot, pkcs8: self.pkcs8, chains, state }
    }
}

/// Packs every encrypting key of `mailbox` in `suites` that has a certificate and was not removed, the whole
/// history. The result is secret.
///
/// # Errors
/// [`PackageError::Empty`] when there is none; [`PackageError::TooManyKeys`], [`PackageError::TooLarge`];
/// [`PackageError::Store`], also from a store that does not export.
pub async fn write(
    store: &dyn KeyStore,
    mailbox: &Mailbox,
    suites: &[Suite],
) -> Result<Zeroizing<Vec<u8>>, PackageError> {
    let mut entries: Vec<Entry> = store.entries(mailbox).await?;
    entries.retain(|entry| {
        entry.slot.purpose == Purpose::Encrypt
            && suites.contains(&entry.slot.suite)
            && matches!(entry.state, EntryState::Active | EntryState::Retired)
    });
    if entries.is_empty() {
        return Err(PackageError::Empty);
    }
    if entries.len() > MAX_KEYS {
        return Err(PackageError::TooManyKeys { limit: MAX_KEYS });
    }
    entries.sort_by_key(|entry| {
        let first = entry.former.first().or(entry.certificate.as_ref()).map(Certificate::not_before);
        (entry.slot.suite, entry.state == EntryState::Active, first)
    });
    let mut keys = Vec::with_capacity(entries.len());
    for entry in &entries {
        let octets = store.export(mailbox, &entry.id).await?;
        let own = entry.former.iter().chain(&entry.certificate).collect();
        let key = one_key(&octets, own, entry.chain.iter().collect());
        let key = key.map_err(|why| PackageError::Key { index: keys.len(), why })?;
        keys.push(key);
    }
    sequence_of(&keys)
}

/// Packs keys that were read from packages, in their order. The result is secret.
///
/// # Errors
/// [`PackageError::Empty`], [`PackageError::TooManyKeys`], [`PackageError::TooLarge`]; [`PackageError::Key`] for what
/// is not a private key.
pub fn encode<'a>(
    keys: impl IntoIterator<Item = &'a PackagedKey>,
) -> Result<Zeroizing<Vec<u8>>, PackageError> {
    let mut written = Vec::new();
    for (index, key) in keys.into_iter().enumerate() {
        if index == MAX_KEYS {
            return Err(PackageError::TooManyKeys { limit: MAX_KEYS });
        }
        written.push(key.to_der().map_err(|why| PackageError::Key { index, why })?);
    }
    if written.is_empty() { Err(PackageError::Empty) } else { sequence_of(&written) }
}

fn sequence_of(keys: &[Zeroizing<Vec<u8>>]) -> Result<Zeroizing<Vec<u8>>, PackageError> {
    let total: usize = keys.iter().map(|key| key.len()).sum();
    // Head and length of the SEQUENCE around them take 4 octets at that size.
    if total + 4 > MAX_OCTETS {
        return Err(PackageError::TooLarge { limit: MAX_OCTETS });
    }
    Ok(wipe::sequence(&keys.iter().map(|key| key.as_slice()).collect::<Vec<_>>()))
}

fn one_key(
    pkcs8: &[u8],
    own: Vec<&Certificate>,
    issuers: Vec<&Certificate>,
) -> Result<Zeroizing<Vec<u8>>, SoftwareKeyError> {
    // Stores may give PKCS#8 with attributes or a public key; in our form there are three fields.
    let plain = SoftwareKey::from_pkcs8_der(pkcs8)?.to_pkcs8_der();
    let fields = Reader::new(&plain, Rules::Der, &Limits::default()).sequence()?;
    let set = |certificates: Vec<&Certificate>| {
        write::set_of(certificates.into_iter().map(|certificate| certificate.as_der().to_vec()).collect())
    };
    let attribute = |oid: &ObjectIdentifier, certificates: Vec<&Certificate>| {
        write::sequence(&[&write::oid(oid), &set(certificates)])
    };
    let mut attributes = vec![attribute(&USER_CERTIFICATE, own)];
    if !issuers.is_empty() {
        attributes.push(attribute(&CA_CERTIFICATE, issuers));
    }
    let attributes = write::tlv(Tag::context(0), &write::set_of_content(attributes));
    Ok(wipe::sequence(&[fields.rest(), &attributes]))
}

/// Reads a package: every key checked, and matched against the certificates beside it. Other attributes are
/// passed over.
///
/// # Errors
/// [`PackageError`]; nothing is given out unless every key is whole.
pub fn parse(octets: &[u8], limits: &Limits) -> Result<Vec<PackagedKey>, PackageError> {
    if octets.len() > MAX_OCTETS {
        return Err(PackageError::TooLarge { limit: MAX_OCTETS });
    }
    let mut outer = Reader::new(octets, Rules::Der, limits);
    let mut list = outer.sequence()?;
    outer.finish()?;
    let mut keys: Vec<PackagedKey> = Vec::new();
    while !list.is_empty() {
        let index = keys.len();
        if index == MAX_KEYS {
            return Err(PackageError::TooManyKeys { limit: MAX_KEYS });
        }
        let key = packaged(index, &list.expect(Tag::SEQUENCE)?)?;
        if keys.iter().any(|other| same_key(&other.public_key, &key.public_key)) {
            return Err(PackageError::Duplicate { index });
        }
        keys.push(key);
    }
    if keys.is_empty() { Err(PackageError::Empty) } else { Ok(keys) }
}

fn packaged(index: usize, value: &Tlv<'_>) -> Result<PackagedKey, PackageError> {
    let mut fields = value.reader()?;
    let version = fields.small()?;
    if version > 1 {
        return Err(PackageError::Version { index, version });
    }
    fields.algorithm()?;
    fields.expect(Tag::OCTET_STRING)?;
    let attributes = fields.context(0)?;
    let private =
        SoftwareKey::from_pkcs8_der(value.bytes()).map_err(|why| PackageError::Key { index, why })?;
    let (mut certificates, mut issuers) = (Vec::new(), Vec::new());
    if let Some(attributes) = attributes {
        let mut attributes = attributes.reader()?;
        while !attributes.is_empty() {
            let mut attribute = attributes.sequence()?;
            let found = match attribute.oid()? {
                USER_CERTIFICATE => &mut certificates,
                CA_CERTIFICATE => &mut issuers,
                _ => continue,
            };
            let mut values = attribute.set()?;
            attribute.finish()?;
            while !values.is_empty() {
                let value = values.any()?;
                let certificate = Certificate::from_der(value.bytes())
                    .map_err(|why| PackageError::Certificate { index, why })?;
                if !found.contains(&certificate) {
                    found.push(certificate);
                }
            }
        }
    }
    let public_key = private.public_key().clone();
    if certificates.is_empty() {
        return Err(PackageError::NoCertificate { index });
    }
    let fits = |leaf: &Certificate| leaf.public_key().is_some_and(|key| same_key(key, &public_key));
    if !certificates.iter().all(fits) {
        return Err(PackageError::Mismatch { index });
    }
    certificates.sort_by_key(Certificate::not_before);
    Ok(PackagedKey { pkcs8: private.to_pkcs8_der(), public_key, certificates, issuers })
}

#[cfg(test)]
mod tests;
