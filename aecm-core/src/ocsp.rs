//! OCSP responses (RFC 6960 §4.2), as they come along with messages or from a responder.
//!
//! Reading says what a response holds. Whether it may be believed, and what it says about one certificate, is for
//! [`crate::path`]: give the responses in [`PathOptions::revocation`](crate::path::PathOptions::revocation).

mod error;
mod parse;

pub use self::error::OcspError;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use crate::certificate::{Certificate, names_match};
use crate::crl::RevocationReason;
use crate::digest::DigestAlgorithm;
use crate::limits::Limits;
use crate::oid::ObjectIdentifier;
use crate::public_key::PublicKey;
use crate::signature::{SignatureAlgorithm, Sm2Id};
use crate::time::Time;
use crate::tlv::AlgorithmId;

/// A response of the basic type as it was received. Cloning shares the octets; two are equal when their octets
/// are.
#[derive(Clone)]
pub struct OcspResponse(Arc<Inner>);

struct Inner {
    der: Vec<u8>,
    /// The BasicOCSPResponse; all ranges lie in it.
    basic: Vec<u8>,
    data: Range<usize>,
    responder: Responder,
    produced_at: Time,
    algorithm: ObjectIdentifier,
    algorithm_bytes: Range<usize>,
    algorithm_parameters: Option<Range<usize>>,
    signature: Range<usize>,
    certificates: Vec<Certificate>,
    responses: Vec<Single>,
    unknown_critical: bool,
}

enum Responder {
    Name(Range<usize>),
    Key(Range<usize>),
}

struct Single {
    /// `None` for a hash that is not known here: it matches nothing.
    digest: Option<DigestAlgorithm>,
    name_hash: Range<usize>,
    key_hash: Range<usize>,
    serial: Range<usize>,
    status: CertificateStatus,
    this_update: Time,
    next_update: Option<Time>,
    archive_cutoff: Option<Time>,
    unknown_critical: bool,
}

/// What a responder says about one certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateStatus {
    /// Not revoked; it need not even exist.
    Good,
    /// Revoked.
    Revoked {
        /// When.
        date: Time,
        /// Why.
        reason: Option<RevocationReason>,
        /// Since when the key is known or suspected to be compromised (RFC 5280 §5.3.2, as an extension).
        invalidity_date: Option<Time>,
    },
    /// The responder does not know.
    Unknown,
}

/// The status of one certificate, with the time it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SingleStatus {
    /// What the responder says.
    pub status: CertificateStatus,
    /// When that was known to be so.
    pub this_update: Time,
    /// When newer information is due at the latest.
    pub next_update: Option<Time>,
    /// Certificates that expired at this time or later are still known of (RFC 6960 §4.4.4).
    pub archive_cutoff: Option<Time>,
}

impl OcspResponse {
    /// Reads an OCSPResponse with status successful and type basic, or a bare BasicOCSPResponse, by the rules of
    /// DER, whole and with nothing behind it, within [`Limits::crl_bytes`].
    ///
    /// # Errors
    /// [`OcspError`]: what is wrong with the octets, [`OcspError::Status`] for a responder's error,
    /// [`OcspError::Type`] for another type of response.
    pub fn from_der(der: &[u8], limits: &Limits) -> Result<Self, OcspError> {
        parse::response(der, limits).map(|inner| Self(Arc::new(inner)))
    }

    /// The whole response as received.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.0.der
    }

    /// When the responder signed it.
    #[must_use]
    pub fn produced_at(&self) -> Time {
        self.0.produced_at
    }

    /// The certificates that came along, for the signer's; those that cannot be read are left out.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.0.certificates
    }

    /// How many certificates it speaks of.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.responses.len()
    }

    /// Whether it speaks of no certificate.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.responses.is_empty()
    }

    /// Whether the responder is named as the holder of `certificate`: by its subject, or the SHA-1 of its key.
    #[must_use]
    pub fn is_responder(&self, certificate: &Certificate) -> bool {
        match &self.0.responder {
            Responder::Name(name) => names_match(self.span(name), certificate.subject_der()),
            Responder::Key(hash) => {
                certificate.public_key().is_some_and(|key| key.key_identifier() == self.span(hash))
            }
        }
    }

    /// What it says about the certificates with the serial number of `certificate` under `issuer`, in order
    /// (RFC 6960 §4.1.1: hashes of the issuer's name and key by SHA-1, SHA-2 or SM3). Entries with a critical
    /// extension that is not known are left out.
    pub fn statuses<'a>(
        &'a self,
        certificate: &'a Certificate,
        issuer: &'a PublicKey,
    ) -> impl Iterator<Item = SingleStatus> + 'a {
        let matches = move |single: &Single| {
            let Some(digest) = single.digest else { return false };
            self.span(&single.serial) == certificate.serial()
                && self.span(&single.name_hash) == digest.digest(certificate.issuer_der())
                && self.span(&single.key_hash) == digest.digest(issuer.bits())
        };
        let of = move |single: &&Single| !single.unknown_critical && matches(single);
        self.0.responses.iter().filter(of).map(|single| SingleStatus {
            status: single.status,
            this_update: single.this_update,
            next_update: single.next_update,
            archive_cutoff: single.archive_cutoff,
        })
    }

    /// Whether the response as a whole has a critical extension that is not processed here.
    #[must_use]
    pub fn has_unknown_critical_extension(&self) -> bool {
        self.0.unknown_critical
    }

    /// The algorithm that the responder signed with.
    #[must_use]
    pub fn signature_algorithm(&self) -> AlgorithmId<'_> {
        AlgorithmId {
            oid: self.0.algorithm,
            parameters: self.0.algorithm_parameters.as_ref().map(|range| self.span(range)),
            bytes: self.span(&self.0.algorithm_bytes),
        }
    }

    /// Checks the responder's signature over `tbsResponseData`, and nothing else.
    ///
    /// # Errors
    /// [`OcspError::Algorithm`] where key and algorithm do not go together, [`OcspError::Signature`] where the
    /// signature does not verify.
    pub fn verify_signature_by(&self, responder: &PublicKey, id: Sm2Id<'_>) -> Result<(), OcspError> {
        let algorithm = SignatureAlgorithm::from_identifier(&self.signature_algorithm(), responder, None)
            .map_err(OcspError::Algorithm)?;
        let (data, signature) = (self.span(&self.0.data), self.span(&self.0.signature));
        responder.verify(algorithm, id, data, signature).map_err(OcspError::Signature)
    }

    fn span(&self, range: &Range<usize>) -> &[u8] {
        // The ranges were made from spans of these octets.
        self.0.basic.get(range.clone()).unwrap_or_default()
    }
}

impl PartialEq for OcspResponse {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.der == other.0.der
    }
}

impl Eq for OcspResponse {}

impl fmt::Debug for OcspResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OcspResponse({}, {} statuses)", self.produced_at(), self.len())
    }
}

#[cfg(test)]
mod tests;
