//! One recipient: whether its certificate may be used, and its RecipientInfo.

use core::fmt;

use aecm_core::certificate::Certificate;
use aecm_core::digest::DigestAlgorithm;
use aecm_core::ecdh::KeyWrap;
use aecm_core::embed::Rng;
use aecm_core::oid;
use aecm_core::public_key::{KeyKind, PublicKey};
use aecm_core::time::Time;
use aecm_core::tlv::{Tag, write};

use super::{EncryptError, UnusableCertificate};
use crate::cms::Form;
use crate::decrypt::shared_info_of;
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
    /// One-pass ECDH with a fresh key and AES-256 key wrap (RFC 5753 §3.1): for keys on P-256 with the KDF of
    /// SHA-256, on P-384 with that of SHA-384.
    Ecdh,
}

impl Transport {
    /// Every transport.
    pub const ALL: [Self; 4] = [Self::RsaOaepSha256, Self::RsaPkcs1, Self::Sm2, Self::Ecdh];

    /// The stable word: `rsa-oaep-sha256`, `rsa-pkcs1`, `sm2` or `ecdh`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::RsaOaepSha256 => "rsa-oaep-sha256",
            Self::RsaPkcs1 => "rsa-pkcs1",
            Self::Sm2 => "sm2",
            Self::Ecdh => "ecdh",
        }
    }

    /// The transport that is used for a certificate's key unless another is asked for; none for keys of unknown
    /// kinds.
    #[must_use]
    pub fn for_certificate(certificate: &Certificate) -> Option<Self> {
        match certificate.public_key()?.kind() {
            KeyKind::Rsa { .. } => Some(Self::RsaOaepSha256),
            KeyKind::Sm2 => Some(Self::Sm2),
            KeyKind::P256 | KeyKind::P384 => Some(Self::Ecdh),
            _ => None,
        }
    }

    /// Whether the certificate's key is of the kind this transport needs.
    pub(super) fn fits(self, certificate: &Certificate) -> bool {
        let usual = Self::for_certificate(certificate);
        usual == Some(self) || (self == Self::RsaPkcs1 && usual == Some(Self::RsaOaepSha256))
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Whether mail may be encrypted to `certificate` (RFC 8550 §4.4, THREATS S14): its key is strong enough and can
/// carry a key, it is no CA's, its keyUsage allows that, its extendedKeyUsage allows mail, and `at`, if given, lies
/// in its validity. Whose it is, is for the caller to look at.
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
    let kind = certificate.public_key().map(PublicKey::kind);
    let kind = kind.ok_or(UnusableCertificate::UnsupportedKey)?;
    if let KeyKind::Rsa { bits } = kind
        && bits < MIN_RSA_BITS
    {
        return Err(UnusableCertificate::WeakKey { bits });
    }
    if certificate.basic_constraints().is_some_and(|constraints| constraints.ca) {
        return Err(UnusableCertificate::Authority);
    }
    if let Some(usage) = certificate.key_usage() {
        let encrypts = match kind {
            KeyKind::Rsa { .. } => usage.key_encipherment(),
            KeyKind::Sm2 => usage.key_encipherment() || usage.data_encipherment() || usage.key_agreement(),
            KeyKind::P256 | KeyKind::P384 => usage.key_agreement(),
            _ => return Err(UnusableCertificate::UnsupportedKey),
        };
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

/// The RecipientInfo, of version 3 for key agreement.
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
    let failed = |_| EncryptError::KeyTransport { index };
    let (algorithm, encrypted_key) = match transport {
        Transport::RsaOaepSha256 => {
            let encrypted = public_key.encrypt_rsa_oaep(DigestAlgorithm::Sha256, key, rng).map_err(failed)?;
            (oaep_sha256(), encrypted)
        }
        Transport::RsaPkcs1 => {
            let encrypted = public_key.encrypt_rsa_pkcs1(key, rng).map_err(failed)?;
            (write::algorithm(&oid::RSA_ENCRYPTION, Some(&write::null())), encrypted)
        }
        Transport::Sm2 => {
            let encrypted = public_key.encrypt_sm2_der(key, rng).map_err(failed)?;
            (write::algorithm(&oid::SM2_ENCRYPT, None), encrypted)
        }
        Transport::Ecdh => return agreement(certificate, public_key, key, rng).map_err(failed),
    };
    Ok(write::sequence(&[
        &write::small(u64::from(form == Form::Gbt35275)),
        &issuer_and_serial(certificate),
        &algorithm,
        &write::octet_string(&encrypted_key),
    ]))
}

/// ```text
/// RSAES-OAEP-params ::= SEQUENCE {
///   hashFunc [0] AlgorithmIdentifier, maskGenFunc [1] AlgorithmIdentifier }   -- pSourceFunc is its DEFAULT
/// ```
fn oaep_sha256() -> Vec<u8> {
    // RFC 4055 §2.1: SHA-2 identifiers inside OAEP parameters carry NULL.
    let sha256 = write::algorithm(&oid::SHA256, Some(&write::null()));
    let mgf1 = write::algorithm(&oid::MGF1, Some(&sha256));
    let parameters = write::sequence(&[&write::explicit(0, &sha256), &write::explicit(1, &mgf1)]);
    write::algorithm(&oid::RSAES_OAEP, Some(&parameters))
}

/// KeyAgreeRecipientInfo with a fresh key for this one recipient (RFC 5753 §3.1.1); no user keying material.
fn agreement(
    certificate: &Certificate,
    public_key: &PublicKey,
    key: &[u8],
    rng: &dyn Rng,
) -> Result<Vec<u8>, aecm_core::public_key::EncryptError> {
    let (scheme, kdf) = match public_key.kind() {
        KeyKind::P384 => (oid::DH_STD_SHA384_KDF, DigestAlgorithm::Sha384),
        _ => (oid::DH_STD_SHA256_KDF, DigestAlgorithm::Sha256),
    };
    let wrap = KeyWrap::Aes256;
    // RFC 3565 §2.3.2: without parameters.
    let key_info = write::algorithm(&wrap.oid(), None);
    let shared_info = shared_info_of(&key_info, wrap, None);
    let made = public_key.encrypt_ecdh(kdf, wrap, &shared_info, key, rng)?;
    let fields = [write::algorithm(&oid::EC_PUBLIC_KEY, None), write::bit_string(&made.originator)];
    let originator = write::tlv(Tag::context(1), &fields.concat());
    let encrypted_key =
        write::sequence(&[&issuer_and_serial(certificate), &write::octet_string(&made.wrapped)]);
    let fields = [
        write::small(3),
        write::explicit(0, &originator),
        write::algorithm(&scheme, Some(&key_info)),
        write::sequence(&[&encrypted_key]),
    ];
    Ok(write::tlv(Tag::context(1), &fields.concat()))
}
