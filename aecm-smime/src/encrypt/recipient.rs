//! One recipient: whether its certificate may be used, and its KeyTransRecipientInfo.

use core::fmt;

use aecm_core::certificate::Certificate;
use aecm_core::digest::DigestAlgorithm;
use aecm_core::embed::Rng;
use aecm_core::oid;
use aecm_core::public_key::KeyKind;
use aecm_core::time::Time;
use aecm_core::tlv::write;

use super::{EncryptError, UnusableCertificate};
use crate::cms::Form;
use crate::sign::issuer_and_serial;

/// Bits of the shortest RSA key that mail is encrypted to, whatever an old certificate says.
const MIN_RSA_BITS: usize = 2_048;

/// How the content key travels to a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Transport {
    /// RSAES-OAEP with SHA-256 for label and mask (RFC 3560): the default for RSA.
    RsaOaepSha256,
    /// RSAES-PKCS1-v1_5 (RFC 8017 §7.2): only for recipients who read nothing better.
    RsaPkcs1,
    /// SM2 public-key encryption (GB/T 32918.4), the ciphertext as DER SM2Cipher (GM/T 0009).
    Sm2,
}

impl Transport {
    /// The stable word: `rsa-oaep-sha256`, `rsa-pkcs1` or `sm2`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::RsaOaepSha256 => "rsa-oaep-sha256",
            Self::RsaPkcs1 => "rsa-pkcs1",
            Self::Sm2 => "sm2",
        }
    }

    /// The transport that is used for a certificate's key unless another is asked for; none for key
    /// agreement keys (ECDH is not written).
    #[must_use]
    pub fn for_certificate(certificate: &Certificate) -> Option<Self> {
        match certificate.public_key()?.kind() {
            KeyKind::Rsa { .. } => Some(Self::RsaOaepSha256),
            KeyKind::Sm2 => Some(Self::Sm2),
            _ => None,
        }
    }

    /// Whether the certificate's key is of the kind this transport needs.
    pub(super) fn fits(self, certificate: &Certificate) -> bool {
        match Self::for_certificate(certificate) {
            Some(Self::Sm2) => self == Self::Sm2,
            Some(_) => matches!(self, Self::RsaOaepSha256 | Self::RsaPkcs1),
            None => false,
        }
    }

    /// keyEncryptionAlgorithm.
    ///
    /// ```text
    /// RSAES-OAEP-params ::= SEQUENCE {
    ///   hashFunc [0] AlgorithmIdentifier, maskGenFunc [1] AlgorithmIdentifier }   -- pSourceFunc is its DEFAULT
    /// ```
    fn identifier_der(self) -> Vec<u8> {
        match self {
            Self::RsaOaepSha256 => {
                // RFC 4055 §2.1: SHA-2 identifiers inside OAEP parameters carry NULL.
                let sha256 = write::algorithm(&oid::SHA256, Some(&write::null()));
                let mgf1 = write::algorithm(&oid::MGF1, Some(&sha256));
                let parameters = write::sequence(&[&write::explicit(0, &sha256), &write::explicit(1, &mgf1)]);
                write::algorithm(&oid::RSAES_OAEP, Some(&parameters))
            }
            Self::RsaPkcs1 => write::algorithm(&oid::RSA_ENCRYPTION, Some(&write::null())),
            Self::Sm2 => write::algorithm(&oid::SM2_ENCRYPT, None),
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Whether mail may be encrypted to `certificate` (RFC 8550 §4.4, THREATS S14): its key can transport a key and is
/// not weak, it is no CA's, its keyUsage allows that, its extendedKeyUsage allows mail, and `at`, if given, lies in its validity.
///
/// Where the certificate has no keyUsage or extendedKeyUsage, RFC 5280 limits nothing. SM2 certificates of
/// Chinese authorities name dataEncipherment or keyAgreement beside or instead of keyEncipherment (A20).
///
/// # Errors
/// The [`UnusableCertificate`] that says why not.
pub fn usable_for_encryption(
    certificate: &Certificate,
    at: Option<Time>,
    single_usage: bool,
) -> Result<(), UnusableCertificate> {
    let kind = certificate.public_key().map(aecm_core::public_key::PublicKey::kind);
    let sm2 = match kind {
        None => return Err(UnusableCertificate::UnsupportedKey),
        Some(KeyKind::Sm2) => true,
        Some(KeyKind::Rsa { bits }) if bits < MIN_RSA_BITS => {
            return Err(UnusableCertificate::WeakKey { bits });
        }
        Some(KeyKind::Rsa { .. }) => false,
        Some(_) => return Err(UnusableCertificate::KeyAgreementOnly),
    };
    if certificate.basic_constraints().is_some_and(|constraints| constraints.ca) {
        return Err(UnusableCertificate::Authority);
    }
    if let Some(usage) = certificate.key_usage() {
        let encrypts =
            usage.key_encipherment() || (sm2 && (usage.data_encipherment() || usage.key_agreement()));
        if !encrypts {
            return Err(UnusableCertificate::KeyUsage);
        }
        if single_usage && (usage.digital_signature() || usage.non_repudiation()) {
            return Err(UnusableCertificate::NotSingleUsage);
        }
    }
    if let Some(extended) = certificate.extended_key_usage() {
        let mail = [oid::EMAIL_PROTECTION, oid::ANY_EXTENDED_KEY_USAGE];
        if !extended.oids.iter().any(|oid| mail.contains(oid)) {
            return Err(UnusableCertificate::ExtendedKeyUsage);
        }
    }
    match at {
        Some(at) if at > certificate.not_after() => {
            Err(UnusableCertificate::Expired { not_after: certificate.not_after() })
        }
        Some(at) if at < certificate.not_before() => {
            Err(UnusableCertificate::NotYetValid { not_before: certificate.not_before() })
        }
        _ => Ok(()),
    }
}

/// ```text
/// KeyTransRecipientInfo ::= SEQUENCE {
///   version 0, rid IssuerAndSerialNumber, keyEncryptionAlgorithm AlgorithmIdentifier,
///   encryptedKey OCTET STRING }
/// ```
/// RFC 5652 §6.2.1; version 1 in GB/T 35275 §9.
pub(super) fn info(
    index: usize,
    certificate: &Certificate,
    transport: Transport,
    form: Form,
    key: &[u8],
    rng: &dyn Rng,
) -> Result<Vec<u8>, EncryptError> {
    let unsupported = || EncryptError::Certificate { index, why: UnusableCertificate::UnsupportedKey };
    let public_key = certificate.public_key().ok_or_else(unsupported)?;
    let encrypted_key = match transport {
        Transport::RsaOaepSha256 => public_key.encrypt_rsa_oaep(DigestAlgorithm::Sha256, key, rng),
        Transport::RsaPkcs1 => public_key.encrypt_rsa_pkcs1(key, rng),
        Transport::Sm2 => public_key.encrypt_sm2_der(key, rng),
    }
    .map_err(|_| EncryptError::KeyTransport { index })?;
    Ok(write::sequence(&[
        &write::small(u64::from(form == Form::Gbt35275)),
        &issuer_and_serial(certificate),
        &transport.identifier_der(),
        &write::octet_string(&encrypted_key),
    ]))
}
