//! The libraries' errors as failures of the command: one word each, one sentence each.

use aecm_core::certificate::CertificateError;
use aecm_core::password::PasswordError;
use aecm_core::software::SoftwareKeyError;
use aecm_core::tlv::{TlvError, TlvErrorKind};
use aecm_smime::Error;
use aecm_smime::decrypt::DecryptError;
use aecm_smime::encrypt::EncryptError;
use aecm_smime::mime::MimeError;
use aecm_smime::open::OpenError;
use aecm_smime::sign::SignError;
use aecm_store::p12::Pkcs12Error;

use super::Failure;

const LIMIT: &str = "limit-exceeded";

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match &error {
            _ if error.is_limit() => Self::limit(LIMIT, message),
            Error::ContentType { .. } => Self::error("wrong-kind", message),
            Error::DetachedContentMissing => Self::error("content-missing", message),
            Error::TwoContents => Self::error("two-contents", message),
            Error::Unsupported { .. } => Self::error("unsupported", message),
            Error::Argument { .. } => Self::error("usage", message),
            Error::Key(_) => Self::error("key-unusable", message),
            Error::Random => Self::error("rng", message),
            _ => Self::error("malformed", message),
        }
    }
}

impl From<DecryptError> for Failure {
    fn from(error: DecryptError) -> Self {
        let message = error.to_string();
        match error {
            DecryptError::Failed => Self { verdict: "invalid", ..Self::error("decrypt-failed", message) },
            DecryptError::NoMatchingKey => Self::error("no-matching-key", message),
            DecryptError::Malformed(source) => source.into(),
            error if error.is_limit() => Self::limit(LIMIT, message),
            DecryptError::ShortTag { .. } => Self::error("short-tag", message),
            DecryptError::Key(_) => Self::error("key-unusable", message),
            _ => Self::error("unsupported", message),
        }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        let message = error.to_string();
        match error {
            OpenError::Mime(source) => source.into(),
            OpenError::Cms(source) => source.into(),
            OpenError::Decrypt(source) => source.into(),
            error if error.is_limit() => Self::limit(LIMIT, message),
            _ => Self::error("malformed", message),
        }
    }
}

impl From<MimeError> for Failure {
    fn from(error: MimeError) -> Self {
        let message = format!("the mail cannot be used: {error}");
        match error {
            error if error.is_limit() => Self::limit(LIMIT, message),
            MimeError::Rng => Self::error("rng", message),
            _ => Self::error("malformed", message),
        }
    }
}

impl From<SignError> for Failure {
    fn from(error: SignError) -> Self {
        let word = match &error {
            SignError::CertificateUsage { .. } => "usage-not-allowed",
            SignError::IdentityMismatch { .. } | SignError::SignatureDoesNotVerify { .. } => "key-mismatch",
            SignError::Form { .. } => "form-not-possible",
            SignError::Key { .. } => "key-unusable",
            _ => "unsupported",
        };
        Self::error(word, error.to_string())
    }
}

impl From<EncryptError> for Failure {
    fn from(error: EncryptError) -> Self {
        let message = error.to_string();
        match &error {
            EncryptError::TooManyRecipients { .. } => Self::limit(LIMIT, message),
            EncryptError::Certificate { why, .. } => Self::error(why.word(), message),
            EncryptError::TransportMismatch { .. } => Self::error("transport-mismatch", message),
            EncryptError::Form { .. } => Self::error("form-not-possible", message),
            EncryptError::Rng => Self::error("rng", message),
            _ => Self::error("unsupported", message),
        }
    }
}

impl From<aecm_timestamp::Error> for Failure {
    fn from(error: aecm_timestamp::Error) -> Self {
        let (word, message) = (error.word(), error.to_string());
        match error {
            aecm_timestamp::Error::TooLarge { .. } => Self::limit(word, message),
            _ => Self::error(word, message),
        }
    }
}

/// What is wrong with a private key in a file.
pub(super) fn key(name: &str, error: &SoftwareKeyError) -> Failure {
    let message = format!("{name} is no private key that can be used: {error}");
    match error {
        SoftwareKeyError::Encrypted => Failure::error("password-missing", message),
        SoftwareKeyError::Password(error) => password(error, message),
        SoftwareKeyError::LegacyEncryption => Failure::error("unsupported", message),
        SoftwareKeyError::Malformed(source) => tlv(source, message),
        SoftwareKeyError::Algorithm { .. } | SoftwareKeyError::Curve { .. } => {
            Failure::error("unsupported", message)
        }
        _ => Failure::error("malformed", message),
    }
}

/// What is wrong with something under a password.
pub(super) fn password(error: &PasswordError, message: String) -> Failure {
    match error {
        PasswordError::WrongPassword => Failure::error("wrong-password", message),
        PasswordError::Malformed(source) => tlv(source, message),
        PasswordError::Algorithm { .. } => Failure::error("unsupported", message),
        PasswordError::Iterations { .. } | PasswordError::Memory { .. } => Failure::limit(LIMIT, message),
        PasswordError::Rng => Failure::error("rng", message),
        _ => Failure::error("malformed", message),
    }
}

/// What is wrong with a PKCS#12 file.
pub(super) fn pkcs12(name: &str, error: &Pkcs12Error) -> Failure {
    let message = format!("{name} is no PKCS#12 file that can be used: {error}");
    match error {
        Pkcs12Error::WrongPassword => Failure::error("wrong-password", message),
        Pkcs12Error::Password(error) => password(error, message),
        Pkcs12Error::Malformed(source) => tlv(source, message),
        Pkcs12Error::TooLarge { .. }
        | Pkcs12Error::TooManyBags { .. }
        | Pkcs12Error::Depth { .. }
        | Pkcs12Error::Work { .. } => Failure::limit(LIMIT, message),
        Pkcs12Error::NoMac => Failure::error("no-mac", message),
        Pkcs12Error::Mac { .. } | Pkcs12Error::Content { .. } => Failure::error("unsupported", message),
        Pkcs12Error::Key { why, .. } => key(name, why),
        _ => Failure::error("malformed", message),
    }
}

/// What is wrong with a certificate in a file.
pub(super) fn certificate(name: &str, error: &CertificateError) -> Failure {
    let message = format!("{name} holds no certificate that can be read: {error}");
    match error {
        CertificateError::TooLarge { .. } | CertificateError::TooManyExtensions { .. } => {
            Failure::limit(LIMIT, message)
        }
        CertificateError::Encoding(source) => tlv(source, message),
        _ => Failure::error("malformed", message),
    }
}

/// ASN.1 that cannot be read, or is more than is read.
pub(super) fn tlv(error: &TlvError, message: String) -> Failure {
    match error.kind() {
        TlvErrorKind::Depth { .. } | TlvErrorKind::Elements { .. } => Failure::limit(LIMIT, message),
        _ => Failure::error("malformed", message),
    }
}
