//! Certificate revocation lists (RFC 5280 §5): reading them with their octets kept, and issuing simple ones.
//!
//! Reading says what a list holds. Whether the list may be believed, and what it says about one certificate, is
//! for [`crate::path`]: give the lists in [`PathOptions::revocation`](crate::path::PathOptions::revocation).
//!
//! ```
//! use aecm_core::{certificate::Certificate, crl::{Crl, RevocationReason}, limits::Limits, signature::Sm2Id};
//!
//! let crl = Crl::from_pem(include_str!("../tests/vectors/revocation/sm2-ca.crl"), &Limits::default())?;
//! let ca = Certificate::from_pem(include_str!("../tests/vectors/keys/sm2-ca.crt"))?;
//! crl.verify_signature_by(ca.public_key().ok_or("no key")?, Sm2Id::Default)?;
//! let entry = crl.entries().next().ok_or("nothing revoked")?;
//! assert_eq!(entry.reason, Some(RevocationReason::KeyCompromise));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod distribution;
mod error;
mod issue;
pub(crate) mod parse;
mod reason;

pub(crate) use self::distribution::{
    ALL_REASONS, DistributionPoint, IssuingDistributionPoint, directory, same_general_name,
};
pub use self::error::CrlError;
pub use self::issue::{RevokedEntry, issue};
pub use self::reason::RevocationReason;

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use crate::certificate::Extension;
use crate::certificate::extension::List;
use crate::certificate::{name, pem};
use crate::limits::Limits;
use crate::oid::ObjectIdentifier;
use crate::public_key::PublicKey;
use crate::signature::{SignatureAlgorithm, Sm2Id};
use crate::time::Time;
use crate::tlv::AlgorithmId;

/// Labels of a CRL (RFC 7468 §6).
const LABELS: &[&str] = &["X509 CRL", "CRL"];

/// A certificate revocation list as it was received. Cloning shares the octets; two are equal when their octets
/// are.
#[derive(Clone)]
pub struct Crl(Arc<Inner>);

struct Inner {
    der: Vec<u8>,
    tbs: Range<usize>,
    issuer: Range<usize>,
    this_update: Time,
    next_update: Option<Time>,
    algorithm: ObjectIdentifier,
    algorithm_bytes: Range<usize>,
    algorithm_parameters: Option<Range<usize>>,
    signature: Range<usize>,
    /// Sorted by serial number; of one serial number in the order of the list.
    entries: Vec<Entry>,
    extensions: List,
    known: Known,
    /// A critical extension of the list or of an entry that is not processed here.
    unknown_critical: bool,
}

struct Entry {
    serial: Range<usize>,
    date: Time,
    reason: Option<RevocationReason>,
    invalidity: Option<Time>,
    /// The Name of certificateIssuer, where it is not the issuer of the list.
    issuer: Option<Range<usize>>,
}

/// The extensions of a list that are known here, read.
#[derive(Default)]
struct Known {
    number: Option<Range<usize>>,
    delta_base: Option<Range<usize>>,
    authority_key_identifier: Option<Range<usize>>,
    distribution_point: Option<IssuingDistributionPoint>,
    expired_since: Option<Time>,
}

/// One revoked certificate of a list.
///
/// ```text
/// SEQUENCE  {
///     userCertificate         CertificateSerialNumber,
///     revocationDate          Time,
///     crlEntryExtensions      Extensions OPTIONAL }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CrlEntry<'a> {
    /// The content octets of the serial number, as [`Certificate::serial`](crate::certificate::Certificate::serial).
    pub serial: &'a [u8],
    /// When the CA revoked it.
    pub date: Time,
    /// Why (RFC 5280 §5.3.1).
    pub reason: Option<RevocationReason>,
    /// Since when the key is known or suspected to be compromised (RFC 5280 §5.3.2).
    pub invalidity_date: Option<Time>,
    /// The issuer of the certificate (a whole Name): that of the list, but for indirect lists (RFC 5280 §5.3.3).
    pub certificate_issuer: &'a [u8],
}

impl Crl {
    /// Reads a CRL by the rules of DER, whole and with nothing behind it, within [`Limits::crl_bytes`].
    ///
    /// # Errors
    /// [`CrlError`] for what is not DER, malformed known extensions, an extension that occurs twice, too much of
    /// anything.
    pub fn from_der(der: &[u8], limits: &Limits) -> Result<Self, CrlError> {
        parse::crl(der, limits).map(|inner| Self(Arc::new(inner)))
    }

    /// Reads the first CRL of a text in the form of RFC 7468 §6.
    ///
    /// # Errors
    /// [`CrlError::NoPem`] where there is none; as [`Crl::from_der`].
    pub fn from_pem(text: &str, limits: &Limits) -> Result<Self, CrlError> {
        let der = pem::blocks(text, LABELS).next().ok_or(CrlError::NoPem)??;
        Self::from_der(&der, limits)
    }

    /// Reads all CRLs of a text in the form of RFC 7468 §6, in order; other blocks are stepped over.
    ///
    /// # Errors
    /// As [`Crl::from_pem`] for any of them.
    pub fn all_from_pem(text: &str, limits: &Limits) -> Result<Vec<Self>, CrlError> {
        pem::blocks(text, LABELS).map(|der| Self::from_der(&der?, limits)).collect()
    }

    /// The whole list as received.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.0.der
    }

    /// The form of RFC 7468 §6, ending in a line feed.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::write("X509 CRL", &self.0.der)
    }

    /// `tbsCertList`, whole: what is signed.
    #[must_use]
    pub fn tbs_der(&self) -> &[u8] {
        self.span(&self.0.tbs)
    }

    /// `issuer`, the whole Name: of who signed the list.
    #[must_use]
    pub fn issuer_der(&self) -> &[u8] {
        self.span(&self.0.issuer)
    }

    /// The issuer in the form of RFC 4514, for people.
    #[must_use]
    pub fn issuer_text(&self) -> String {
        name::text(self.issuer_der())
    }

    /// When the list was made.
    #[must_use]
    pub fn this_update(&self) -> Time {
        self.0.this_update
    }

    /// When the next one is due at the latest.
    #[must_use]
    pub fn next_update(&self) -> Option<Time> {
        self.0.next_update
    }

    /// cRLNumber (RFC 5280 §5.2.3): the content octets of an INTEGER that is not negative.
    #[must_use]
    pub fn number(&self) -> Option<&[u8]> {
        self.0.known.number.as_ref().map(|range| self.span(range))
    }

    /// BaseCRLNumber of deltaCRLIndicator (RFC 5280 §5.2.4): there only in a list of changes.
    #[must_use]
    pub fn delta_base(&self) -> Option<&[u8]> {
        self.0.known.delta_base.as_ref().map(|range| self.span(range))
    }

    /// The keyIdentifier of authorityKeyIdentifier (RFC 5280 §5.2.1).
    #[must_use]
    pub fn authority_key_identifier(&self) -> Option<&[u8]> {
        self.0.known.authority_key_identifier.as_ref().map(|range| self.span(range))
    }

    /// expiredCertsOnCRL (X.509 §9.5.2.8): certificates that expired at this time or later stay on the list. Without
    /// it they may leave the list once they expired (RFC 5280 §3.3).
    #[must_use]
    pub fn expired_certificates_since(&self) -> Option<Time> {
        self.0.known.expired_since
    }

    /// Whether the list may name certificates of other issuers than its own (RFC 5280 §5.2.5).
    #[must_use]
    pub fn is_indirect(&self) -> bool {
        self.0.known.distribution_point.as_ref().is_some_and(|point| point.indirect)
    }

    /// Whether the list, or an entry of it, has a critical extension that is not processed here: it must not be
    /// used then (RFC 5280 §5.2, §5.3).
    #[must_use]
    pub fn has_unknown_critical_extension(&self) -> bool {
        self.0.unknown_critical
    }

    /// The extensions of the list, in order. No identifier occurs twice.
    pub fn extensions(&self) -> impl Iterator<Item = Extension<'_>> {
        self.0.extensions.spans.iter().map(|span| Extension {
            oid: span.oid,
            critical: span.critical,
            value: self.span(&span.value),
        })
    }

    /// The extension of that identifier.
    #[must_use]
    pub fn extension(&self, oid: &ObjectIdentifier) -> Option<Extension<'_>> {
        self.extensions().find(|extension| extension.oid == *oid)
    }

    /// What is revoked, sorted by the octets of the serial numbers.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = CrlEntry<'_>> {
        self.0.entries.iter().map(|entry| self.entry(entry))
    }

    /// The entries of one serial number; of several issuers, where the list is indirect.
    pub fn entries_of<'a>(&'a self, serial: &'a [u8]) -> impl Iterator<Item = CrlEntry<'a>> {
        let start = self.0.entries.partition_point(|entry| self.span(&entry.serial) < serial);
        let rest = self.0.entries.get(start..).unwrap_or_default();
        rest.iter().map(|entry| self.entry(entry)).take_while(move |entry| entry.serial == serial)
    }

    /// The algorithm that the issuer signed with.
    #[must_use]
    pub fn signature_algorithm(&self) -> AlgorithmId<'_> {
        AlgorithmId {
            oid: self.0.algorithm,
            parameters: self.0.algorithm_parameters.as_ref().map(|range| self.span(range)),
            bytes: self.span(&self.0.algorithm_bytes),
        }
    }

    /// The issuer's signature value.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        self.span(&self.0.signature)
    }

    /// Checks the issuer's signature over `tbsCertList`, and nothing else.
    ///
    /// # Errors
    /// [`CrlError::Algorithm`] where key and algorithm do not go together, [`CrlError::Signature`] where the
    /// signature does not verify.
    pub fn verify_signature_by(&self, issuer: &PublicKey, id: Sm2Id<'_>) -> Result<(), CrlError> {
        let algorithm = SignatureAlgorithm::from_identifier(&self.signature_algorithm(), issuer, None)
            .map_err(CrlError::Algorithm)?;
        issuer.verify(algorithm, id, self.tbs_der(), self.signature()).map_err(CrlError::Signature)
    }

    pub(crate) fn distribution_point(&self) -> Option<&IssuingDistributionPoint> {
        self.0.known.distribution_point.as_ref()
    }

    fn entry(&self, entry: &Entry) -> CrlEntry<'_> {
        CrlEntry {
            serial: self.span(&entry.serial),
            date: entry.date,
            reason: entry.reason,
            invalidity_date: entry.invalidity,
            certificate_issuer: self.span(entry.issuer.as_ref().unwrap_or(&self.0.issuer)),
        }
    }

    fn span(&self, range: &Range<usize>) -> &[u8] {
        // The ranges were made from spans of these octets.
        self.0.der.get(range.clone()).unwrap_or_default()
    }
}

impl PartialEq for Crl {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.der == other.0.der
    }
}

impl Eq for Crl {}

impl fmt::Debug for Crl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Crl({}, {}, {} revoked)", self.issuer_text(), self.this_update(), self.0.entries.len())
    }
}

#[cfg(test)]
mod tests;
