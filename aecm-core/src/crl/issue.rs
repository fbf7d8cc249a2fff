//! Issuing a CRL.

use alloc::vec::Vec;

use super::{Crl, CrlError, RevocationReason};
use crate::certificate::Certificate;
use crate::key::Signer;
use crate::limits::Limits;
use crate::oid::{self, ObjectIdentifier};
use crate::time::Time;
use crate::tlv::{Tag, write};

const MAX_SERIAL_OCTETS: usize = 64;

/// A certificate to be named in a CRL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokedEntry {
    /// The content octets of its serial number, as [`Certificate::serial`].
    pub serial: Vec<u8>,
    /// When it was revoked.
    pub date: Time,
    /// Why; unspecified is left out, as RFC 5280 §5.3.1 wants it.
    pub reason: RevocationReason,
}

/// Signs a complete CRL of version 2 (RFC 5280 §5.1) for all certificates of `issuer`, with cRLNumber and
/// authorityKeyIdentifier.
///
/// `signer` is the key of `issuer`; `number` grows from list to list.
///
/// # Errors
/// [`CrlError::NotIssuer`] where `issuer` is not a certificate of that key, or its keyUsage has no cRLSign;
/// [`CrlError::Dates`], [`CrlError::BadSerial`]; [`CrlError::Key`] where the key does not sign;
/// [`CrlError::TooLarge`] beyond the size that is read.
pub async fn issue(
    issuer: &Certificate,
    signer: &dyn Signer,
    number: u64,
    entries: &[RevokedEntry],
    this_update: Time,
    next_update: Time,
) -> Result<Crl, CrlError> {
    let allowed = issuer.key_usage().is_none_or(|usage| usage.crl_sign());
    if !allowed || issuer.public_key() != Some(signer.public_key()) || issuer.subject_der() == [0x30, 0x00] {
        return Err(CrlError::NotIssuer);
    }
    if next_update <= this_update {
        return Err(CrlError::Dates);
    }
    let revoked = entries.iter().map(entry).collect::<Result<Vec<_>, _>>()?.concat();
    // The list is absent, not empty, where nothing is revoked.
    let revoked = if revoked.is_empty() { revoked } else { write::sequence(&[&revoked]) };
    let key_identifier = match issuer.subject_key_identifier() {
        Some(identifier) => identifier.to_vec(),
        None => signer.public_key().key_identifier().to_vec(),
    };
    let key_identifier = write::sequence(&[&write::tlv(Tag::context_primitive(0), &key_identifier)]);
    let extensions = write::sequence(&[
        &extension(&oid::AUTHORITY_KEY_IDENTIFIER, &key_identifier),
        &extension(&oid::CRL_NUMBER, &write::small(number)),
    ]);
    let algorithm = signer.algorithm();
    let identifier = algorithm.identifier_der();
    let tbs = write::sequence(&[
        &write::small(1),
        &identifier,
        issuer.subject_der(),
        &write::time(this_update),
        &write::time(next_update),
        &revoked,
        &write::explicit(0, &extensions),
    ]);
    let signature = signer.sign(algorithm, &tbs).await?;
    let der = write::sequence(&[&tbs, &identifier, &write::bit_string(&signature)]);
    Crl::from_der(&der, &Limits::default())
}

fn entry(entry: &RevokedEntry) -> Result<Vec<u8>, CrlError> {
    let minimal = match entry.serial.as_slice() {
        [] => false,
        [0x00, second, ..] => *second >= 0x80,
        [first, ..] => *first < 0x80,
    };
    if !minimal || entry.serial.len() > MAX_SERIAL_OCTETS {
        return Err(CrlError::BadSerial);
    }
    let reason = match entry.reason {
        RevocationReason::Unspecified => Vec::new(),
        reason => {
            let code = write::tlv(Tag::ENUMERATED, &[reason.code()]);
            write::sequence(&[&extension(&oid::CRL_REASON, &code)])
        }
    };
    Ok(write::sequence(&[&write::tlv(Tag::INTEGER, &entry.serial), &write::time(entry.date), &reason]))
}

fn extension(oid: &ObjectIdentifier, value: &[u8]) -> Vec<u8> {
    write::sequence(&[&write::oid(oid), &write::octet_string(value)])
}
