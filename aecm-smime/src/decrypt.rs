//! Opening EnvelopedData and AuthEnvelopedData.
//!
//! Every cryptographic failure is the one [`DecryptError::Failed`] (THREATS E1): bad padding, bad length, bad
//! tag and bad C3 look the same, and content decryption always runs. What CBC gives is typed
//! [`Content::Unauthenticated`] and has to be asked for (DESIGN, rule 5).
//!
//! ```
//! use std::sync::Arc;
//! use aecm_core::{certificate::Certificate, embed::OsRng, limits::Limits, software::SoftwareKey};
//! use aecm_smime::decrypt::{Content, Recipient, decrypt};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let key = SoftwareKey::from_pem(include_str!("../tests/vectors/keys/rsa-enc.key"))?;
//! let recipient = Recipient {
//!     certificate: Certificate::from_pem(include_str!("../tests/vectors/keys/rsa-enc.crt"))?,
//!     key: Arc::new(key.into_decryptor(Arc::new(OsRng))),
//! };
//! let message = include_bytes!("../tests/vectors/enveloped/openssl30-oaep-gcm.der");
//! let opened = decrypt(message, &[recipient], &Limits::default()).await?;
//! assert!(matches!(opened.content, Content::Authenticated(text) if text.starts_with(b"Content-Type")));
//! # Ok(()) }
//! ```

mod content;
mod error;
mod transport;

pub use self::error::DecryptError;

use core::fmt;
use std::sync::Arc;

use aecm_core::certificate::Certificate;
use aecm_core::key::{Decryptor, KeyError};
use aecm_core::limits::Limits;
use aecm_core::oid::ObjectIdentifier;
use aecm_core::public_key::KeyKind;
use aecm_sm::sm2::CiphertextForm;
use zeroize::Zeroizing;

use crate::cipher::{ContentCipher, GCM_TAG_SIZE};
use crate::cms::{Enveloped, Form, Match, RecipientInfo};
use crate::tolerance::{Tolerance, note};
use content::Plan;

/// A key that may open the message, and the certificate by which senders name it. Expired and replaced
/// certificates belong here too (THREATS E8).
#[derive(Clone)]
pub struct Recipient {
    /// The certificate.
    pub certificate: Certificate,
    /// The key.
    pub key: Arc<dyn Decryptor>,
}

/// How to decrypt, where the defaults of [`decrypt`] do not suit.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DecryptOptions {
    /// Bounds of the work on one message.
    pub limits: Limits,
    /// The shortest GCM tag accepted, in octets, 12 to 16; default 16. A shorter one than 16 is named
    /// [`Tolerance::ShortTag`].
    pub tag_octets_min: usize,
    /// The form of SM2 ciphertexts, whatever the message says. Default: DER for 1.2.156.10197.1.301.3; for
    /// .301.3.2.1 C1C3C2 and then C1C2C3, C3 deciding.
    pub sm2_form: Option<CiphertextForm>,
}

impl Default for DecryptOptions {
    fn default() -> Self {
        Self { limits: Limits::default(), tag_octets_min: GCM_TAG_SIZE, sm2_form: None }
    }
}

/// A message that was opened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Decrypted {
    /// The content.
    pub content: Content,
    /// The type of the content: `data` for mail.
    pub content_type: ObjectIdentifier,
    /// The cipher of the content.
    pub cipher: ContentCipher,
    /// The certificate whose key opened the message.
    pub recipient: Certificate,
    /// Which standard's content types the message uses.
    pub form: Form,
    /// What was forgiven.
    pub tolerances: Vec<Tolerance>,
}

/// Decrypted content, by whether the cipher vouches for it.
#[derive(Clone)]
pub enum Content {
    /// GCM: the content is what the sender of this envelope encrypted. Who that was, only a signature says.
    Authenticated(Zeroizing<Vec<u8>>),
    /// CBC: anybody may have changed the content on its way (EFAIL, THREATS M5).
    Unauthenticated(UnauthenticatedContent),
}

/// Content that nothing authenticates. It has to be asked for, and must not be rendered, followed or loaded
/// from unless a valid signature inside vouches for it.
#[derive(Clone)]
pub struct UnauthenticatedContent(Zeroizing<Vec<u8>>);

impl UnauthenticatedContent {
    /// The octets, which anybody may have changed.
    #[must_use]
    pub fn into_unauthenticated(self) -> Zeroizing<Vec<u8>> {
        self.0
    }

    /// The octets, which anybody may have changed.
    #[must_use]
    pub fn as_unauthenticated(&self) -> &[u8] {
        &self.0
    }
}

impl Content {
    /// Whether the cipher vouches for the content.
    #[must_use]
    pub const fn is_authenticated(&self) -> bool {
        matches!(self, Self::Authenticated(_))
    }
}

/// Opens EnvelopedData or AuthEnvelopedData, in BER or DER, in both forms, with whichever of `keys` it names.
///
/// # Errors
/// [`DecryptError`]; of what the private key does only [`DecryptError::Failed`] and
/// [`DecryptError::Key`] tell.
pub async fn decrypt(cms: &[u8], keys: &[Recipient], limits: &Limits) -> Result<Decrypted, DecryptError> {
    decrypt_with(cms, keys, &DecryptOptions { limits: limits.clone(), ..DecryptOptions::default() }).await
}

/// As [`decrypt`], with options.
///
/// # Errors
/// As [`decrypt`].
pub async fn decrypt_with(
    cms: &[u8],
    keys: &[Recipient],
    options: &DecryptOptions,
) -> Result<Decrypted, DecryptError> {
    let enveloped = Enveloped::parse(cms, &options.limits)?;
    let plan = Plan::read(&enveloped, options)?;
    let mut operations = options.limits.private_key_operations;
    let mut key_error: Option<KeyError> = None;
    let mut matched = false;
    let mut unreadable: Option<DecryptError> = None;
    for (info, recipient, by_name) in matches(&enveloped, keys, &options.limits) {
        let RecipientInfo::KeyTransport { algorithm, encrypted_key, .. } = info else { continue };
        let kind = recipient.key.public_key().kind();
        let attempts = match transport::attempts(algorithm, encrypted_key, kind, options) {
            Ok(attempts) => attempts,
            Err(error) => {
                // Visible without a key; another RecipientInfo may still open the message.
                unreadable.get_or_insert(error);
                continue;
            }
        };
        matched = true;
        let keys = attempts.unwrap(recipient.key.as_ref(), encrypted_key, plan.cipher, &mut operations).await;
        let keys = match keys {
            Ok(keys) => keys,
            Err(error) => {
                key_error.get_or_insert(error);
                continue;
            }
        };
        for (key, forgiven) in keys {
            let Ok(content) = plan.open(&key) else { continue };
            let mut tolerances = enveloped.tolerances().to_vec();
            let named = by_name.then_some(Tolerance::NameEncoding);
            for tolerance in plan.tolerances.iter().copied().chain(forgiven).chain(named) {
                note(&mut tolerances, tolerance);
            }
            return Ok(Decrypted {
                content,
                content_type: enveloped.content_type(),
                cipher: plan.cipher,
                recipient: recipient.certificate.clone(),
                form: enveloped.form(),
                tolerances,
            });
        }
    }
    match key_error {
        Some(error) => Err(DecryptError::Key(error)),
        None if matched => Err(DecryptError::Failed),
        None => Err(unreadable.unwrap_or_else(|| no_match(&enveloped, keys))),
    }
}

/// The RecipientInfos that name one of the keys, in the order of the message.
fn matches<'e, 'a, 'k>(
    enveloped: &'e Enveloped<'a>,
    keys: &'k [Recipient],
    limits: &Limits,
) -> Vec<(&'e RecipientInfo<'a>, &'k Recipient, bool)> {
    let mut list = Vec::new();
    for info in enveloped.recipients() {
        let RecipientInfo::KeyTransport { rid, .. } = info else { continue };
        for recipient in keys {
            let how = rid.matches(&recipient.certificate);
            if let (Some(how), false) = (how, list.len() >= limits.private_key_operations) {
                list.push((info, recipient, how == Match::Name));
            }
        }
    }
    list
}

/// Why no key was even tried: another kind of recipient, or another recipient.
fn no_match(enveloped: &Enveloped<'_>, keys: &[Recipient]) -> DecryptError {
    let any = |wanted: fn(&RecipientInfo<'_>) -> bool| enveloped.recipients().iter().any(wanted);
    let transports = any(|info| matches!(info, RecipientInfo::KeyTransport { .. }));
    let agrees = any(|info| matches!(info, RecipientInfo::KeyAgreement(_)));
    let elliptic =
        keys.iter().any(|one| matches!(one.key.public_key().kind(), KeyKind::P256 | KeyKind::P384));
    if agrees && (elliptic || !transports) {
        return DecryptError::Unsupported { what: "key agreement (ECDH, RFC 5753)", oid: None };
    }
    if !transports && any(|info| matches!(info, RecipientInfo::Password(_))) {
        return DecryptError::Unsupported { what: "encryption under a password (RFC 3211)", oid: None };
    }
    if !transports && any(|info| matches!(info, RecipientInfo::KeyEncryptionKey(_))) {
        return DecryptError::Unsupported { what: "encryption under a shared key", oid: None };
    }
    DecryptError::NoMatchingKey
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recipient").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authenticated(content) => write!(f, "Authenticated({} octets)", content.len()),
            Self::Unauthenticated(content) => content.fmt(f),
        }
    }
}

impl fmt::Debug for UnauthenticatedContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unauthenticated({} octets)", self.0.len())
    }
}
