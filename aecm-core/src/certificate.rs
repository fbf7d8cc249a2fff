//! X.509 certificates (RFC 5280 §4) with their octets kept.
//!
//! ```text
//! Certificate  ::=  SEQUENCE  {
//!     tbsCertificate       TBSCertificate,
//!     signatureAlgorithm   AlgorithmIdentifier,
//!     signature            BIT STRING  }
//! ```

pub(crate) mod error;
pub(crate) mod extension;
mod general_name;
pub(crate) mod name;
pub(crate) mod parse;
pub(crate) mod pem;

pub use error::CertificateError;
pub use extension::{BasicConstraints, ExtendedKeyUsage, Extension, KeyUsage};
pub use name::{names_match, text as name_text};

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::ops::Range;

use der::Decode;

use crate::digest::DigestAlgorithm;
use crate::mailbox::Mailbox;
use crate::oid::{self, ObjectIdentifier};
use crate::public_key::PublicKey;
use crate::signature::{SignatureAlgorithm, Sm2Id};
use crate::time::Time;
use crate::tlv::AlgorithmId;

/// A certificate as it was received. Cloning shares the octets.
///
/// Two are equal when their octets are. Keys, extensions and names that are not known here survive as octets;
/// extensions that are known are read when the certificate is, so that a malformed one is an error at once.
#[derive(Clone)]
pub struct Certificate(Arc<Inner>);

struct Inner {
    der: Vec<u8>,
    tbs: Range<usize>,
    serial: Range<usize>,
    issuer: Range<usize>,
    subject: Range<usize>,
    spki: Range<usize>,
    not_before: Time,
    not_after: Time,
    algorithm: ObjectIdentifier,
    algorithm_bytes: Range<usize>,
    algorithm_parameters: Option<Range<usize>>,
    signature: Range<usize>,
    extensions: extension::List,
    known: extension::Known,
    public_key: Option<PublicKey>,
    sha256: [u8; 32],
}

impl Certificate {
    /// Reads a certificate by the rules of DER, whole and with nothing behind it.
    ///
    /// # Errors
    /// [`CertificateError`] for what is not DER, malformed known extensions, an extension that occurs twice, a
    /// serial number of more than 64 octets, more than 64 KiB, more than 64 extensions.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        parse::certificate(der).map(|inner| Self(Arc::new(inner)))
    }

    /// Reads the first certificate of a text in the form of RFC 7468 §5.
    ///
    /// # Errors
    /// [`CertificateError::NoPem`] where there is none; as [`Certificate::from_der`].
    pub fn from_pem(text: &str) -> Result<Self, CertificateError> {
        let der = pem::blocks(text, pem::CERTIFICATE).next().ok_or(CertificateError::NoPem)??;
        Self::from_der(&der)
    }

    /// Reads all certificates of a text in the form of RFC 7468 §5, in order. Other blocks and text between are
    /// stepped over; a text without certificates gives none.
    ///
    /// # Errors
    /// As [`Certificate::from_pem`] for any of them.
    pub fn all_from_pem(text: &str) -> Result<Vec<Self>, CertificateError> {
        pem::blocks(text, pem::CERTIFICATE).map(|der| Self::from_der(&der?)).collect()
    }

    /// The whole certificate as received.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.0.der
    }

    /// The form of RFC 7468 §5, ending in a line feed.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::write("CERTIFICATE", &self.0.der)
    }

    /// `tbsCertificate`, whole: what is signed.
    #[must_use]
    pub fn tbs_der(&self) -> &[u8] {
        self.span(&self.0.tbs)
    }

    /// `issuer`, the whole Name.
    #[must_use]
    pub fn issuer_der(&self) -> &[u8] {
        self.span(&self.0.issuer)
    }

    /// `subject`, the whole Name.
    #[must_use]
    pub fn subject_der(&self) -> &[u8] {
        self.span(&self.0.subject)
    }

    /// The content octets of `serialNumber`: two's complement, big-endian, minimal; 1 to 64 octets.
    #[must_use]
    pub fn serial(&self) -> &[u8] {
        self.span(&self.0.serial)
    }

    /// `subjectPublicKeyInfo`, whole.
    #[must_use]
    pub fn spki_der(&self) -> &[u8] {
        self.span(&self.0.spki)
    }

    /// The subject's key; `None` for kinds of key that are not known here, or a malformed one.
    #[must_use]
    pub fn public_key(&self) -> Option<&PublicKey> {
        self.0.public_key.as_ref()
    }

    /// The first second of validity.
    #[must_use]
    pub fn not_before(&self) -> Time {
        self.0.not_before
    }

    /// The last second of validity.
    #[must_use]
    pub fn not_after(&self) -> Time {
        self.0.not_after
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

    /// All extensions, in order. No identifier occurs twice. Those whose identifier is too large for
    /// [`ObjectIdentifier`] are left out; their octets stay in [`Certificate::as_der`].
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

    /// Whether a critical extension is left out of [`Certificate::extensions`]: nobody can process it, so that
    /// the certificate must not be used (RFC 5280 §4.2).
    #[must_use]
    pub fn has_unnamed_critical_extension(&self) -> bool {
        self.0.extensions.unnamed_critical
    }

    /// keyUsage (RFC 5280 §4.2.1.3).
    #[must_use]
    pub fn key_usage(&self) -> Option<KeyUsage> {
        self.0.known.key_usage
    }

    /// extKeyUsage (RFC 5280 §4.2.1.12).
    #[must_use]
    pub fn extended_key_usage(&self) -> Option<&ExtendedKeyUsage> {
        self.0.known.extended_key_usage.as_ref()
    }

    /// basicConstraints (RFC 5280 §4.2.1.9).
    #[must_use]
    pub fn basic_constraints(&self) -> Option<BasicConstraints> {
        self.0.known.basic_constraints
    }

    /// subjectKeyIdentifier (RFC 5280 §4.2.1.2).
    #[must_use]
    pub fn subject_key_identifier(&self) -> Option<&[u8]> {
        self.0.known.subject_key_identifier.as_ref().map(|range| self.span(range))
    }

    /// The keyIdentifier of authorityKeyIdentifier (RFC 5280 §4.2.1.1).
    #[must_use]
    pub fn authority_key_identifier(&self) -> Option<&[u8]> {
        self.0.known.authority_key_identifier.as_ref().map(|range| self.span(range))
    }

    /// The mailboxes of the holder: those of subjectAltName, or where that names none at all, the legacy
    /// emailAddress attributes of the subject (RFC 8550 §3).
    #[must_use]
    pub fn mailboxes(&self) -> Vec<Mailbox> {
        if self.0.known.alternative_names.has_mailboxes {
            return self.san_mailboxes();
        }
        name::email_addresses(self.subject_der())
    }

    /// The mailboxes of subjectAltName: rfc822Name (RFC 5280 §4.2.1.6) and SmtpUTF8Mailbox (RFC 9598 §3).
    ///
    /// Entries that are no mailbox address are left out; they match nobody.
    #[must_use]
    pub fn san_mailboxes(&self) -> Vec<Mailbox> {
        self.0.known.alternative_names.mailboxes.clone()
    }

    /// Whether subjectAltName has any rfc822Name or SmtpUTF8Mailbox, well-formed address or not.
    #[must_use]
    pub fn has_san_mailbox(&self) -> bool {
        self.0.known.alternative_names.has_mailboxes
    }

    /// The value of the smimeCapabilities extension (RFC 4262): a whole SMIMECapabilities.
    #[must_use]
    pub fn smime_capabilities_der(&self) -> Option<&[u8]> {
        self.extension(&oid::SMIME_CAPABILITIES).map(|extension| extension.value)
    }

    /// The policy identifiers of certificatePolicies (RFC 5280 §4.2.1.4), in order.
    #[must_use]
    pub fn policy_oids(&self) -> &[ObjectIdentifier] {
        &self.0.known.policies
    }

    /// The http URLs of cRLDistributionPoints (RFC 5280 §4.2.1.13), in order.
    #[must_use]
    pub fn crl_urls(&self) -> &[String] {
        &self.0.known.crl_urls
    }

    /// The URLs of OCSP responders in authorityInfoAccess (RFC 5280 §4.2.2.1), in order.
    #[must_use]
    pub fn ocsp_urls(&self) -> &[String] {
        &self.0.known.ocsp_urls
    }

    /// The URLs of the issuer's certificate in authorityInfoAccess (RFC 5280 §4.2.2.1), in order.
    #[must_use]
    pub fn issuer_urls(&self) -> &[String] {
        &self.0.known.issuer_urls
    }

    /// SHA-256 of the whole certificate.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        self.0.sha256
    }

    /// The subject in the form of RFC 4514, for people.
    #[must_use]
    pub fn subject_text(&self) -> String {
        name::text(self.subject_der())
    }

    /// The issuer in the form of RFC 4514, for people.
    #[must_use]
    pub fn issuer_text(&self) -> String {
        name::text(self.issuer_der())
    }

    /// Whether issuer and subject are the same octets (RFC 5280 §3.2, self-issued).
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        self.issuer_der() == self.subject_der()
    }

    /// Whether `time` lies within the validity, both ends included.
    #[must_use]
    pub fn is_valid_at(&self, time: Time) -> bool {
        self.not_before() <= time && time <= self.not_after()
    }

    /// The signature algorithm as seen from the key that should have made the signature.
    ///
    /// # Errors
    /// [`CertificateError::Algorithm`] where key and identifier do not go together.
    pub fn signature_algorithm_by(&self, issuer: &PublicKey) -> Result<SignatureAlgorithm, CertificateError> {
        SignatureAlgorithm::from_identifier(&self.signature_algorithm(), issuer, None)
            .map_err(CertificateError::Algorithm)
    }

    /// Checks the issuer's signature over `tbsCertificate`, and nothing else.
    ///
    /// # Errors
    /// [`CertificateError::Algorithm`] where key and algorithm do not go together,
    /// [`CertificateError::Signature`] where the signature does not verify.
    pub fn verify_signature_by(&self, issuer: &PublicKey, id: Sm2Id<'_>) -> Result<(), CertificateError> {
        let algorithm = self.signature_algorithm_by(issuer)?;
        issuer.verify(algorithm, id, self.tbs_der(), self.signature()).map_err(CertificateError::Signature)
    }

    /// The certificate as the type of x509-cert, for code that wants that one.
    ///
    /// # Errors
    /// [`CertificateError::X509Cert`] for what that crate refuses and this one reads, such as a serial number
    /// of more than 21 octets.
    pub fn to_x509(&self) -> Result<x509_cert::Certificate, CertificateError> {
        x509_cert::Certificate::from_der(self.as_der()).map_err(|_| CertificateError::X509Cert)
    }

    fn span(&self, range: &Range<usize>) -> &[u8] {
        // The ranges were made from spans of these octets.
        self.0.der.get(range.clone()).unwrap_or_default()
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.der == other.0.der
    }
}

impl Eq for Certificate {}

impl Hash for Certificate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.sha256.hash(state);
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({}, serial ", self.subject_text())?;
        for octet in self.serial() {
            write!(f, "{octet:02x}")?;
        }
        f.write_str(")")
    }
}

fn sha256(der: &[u8]) -> [u8; 32] {
    // SHA-256 always gives 32 octets.
    DigestAlgorithm::Sha256.digest(der).try_into().unwrap_or([0; 32])
}

#[cfg(test)]
mod tests;
