//! Opening EnvelopedData, AuthEnvelopedData and EncryptedData.
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

mod agreement;
mod bare;
mod content;
mod error;
mod keys;
mod shared;
mod transport;
mod ways;

pub(crate) use self::agreement::shared_info_of;
pub use self::error::DecryptError;
pub use self::keys::{BareKey, OpenedBy, Password, Recipient, SecretKey};

use core::fmt;

use aecm_core::limits::Limits;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_sm::sm2::CiphertextForm;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::cipher::{ContentCipher, GCM_TAG_SIZE};
use crate::cms::{EncryptedData, Enveloped, Form, content_type};
use crate::tolerance::{Tolerance, note};
use content::Plan;

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
    /// Keys without a certificate, tried after those that have one. In CBC, where nothing tells a wrong key,
    /// [`DecryptError::AmbiguousKey`] where the message names none of them and several open it. Default: none.
    pub bare_keys: Vec<BareKey>,
    /// Symmetric keys, for EncryptedData and for recipients that have one. Default: none.
    pub secret_keys: Vec<SecretKey>,
    /// Passwords, each tried on every recipient under a password, within [`Limits::private_key_operations`] and
    /// together [`Limits::pbkdf2_iterations`], in [`open`](crate::open::open) those of all layers. Default: none.
    pub passwords: Vec<Password>,
}

impl Default for DecryptOptions {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            tag_octets_min: GCM_TAG_SIZE,
            sm2_form: None,
            bare_keys: Vec::new(),
            secret_keys: Vec::new(),
            passwords: Vec::new(),
        }
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
    /// What opened the message.
    pub opened_by: OpenedBy,
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

/// Opens EnvelopedData, AuthEnvelopedData or EncryptedData, in BER or DER, in both forms, with whichever of
/// `keys` it names.
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
    decrypt_within(cms, keys, options, &mut options.limits.pbkdf2_iterations.clone()).await
}

/// As [`decrypt_with`], on iterations of PBKDF2 that may serve several messages: what it costs is taken off.
pub(crate) async fn decrypt_within(
    cms: &[u8],
    keys: &[Recipient],
    options: &DecryptOptions,
    iterations: &mut u64,
) -> Result<Decrypted, DecryptError> {
    let content_type = content_type(cms, &options.limits)?;
    if [oid::ENCRYPTED_DATA, oid::GM_ENCRYPTED_DATA].contains(&content_type) {
        return encrypted_data(&EncryptedData::parse(cms, &options.limits)?, options);
    }
    let enveloped = Enveloped::parse(cms, &options.limits)?;
    let plan = Plan::read(&enveloped, options)?;
    ways::open(&enveloped, &plan, keys, options, iterations).await
}

/// EncryptedData: every key of the cipher's size may be the one, and only one of them.
fn encrypted_data(
    encrypted: &EncryptedData<'_>,
    options: &DecryptOptions,
) -> Result<Decrypted, DecryptError> {
    let plan = Plan::of_encrypted_data(encrypted, options)?;
    let fits = |secret: &&SecretKey| secret.octets().len() == plan.cipher.key_size();
    let mut matched: Vec<&SecretKey> = Vec::new();
    let mut opened: Option<(Content, &SecretKey)> = None;
    for secret in options.secret_keys.iter().filter(fits).take(options.limits.private_key_operations) {
        if matched.iter().any(|known| bool::from(known.octets().ct_eq(secret.octets()))) {
            continue;
        }
        matched.push(secret);
        let key = Zeroizing::new(secret.octets().to_vec());
        let Ok(content) = plan.open(&key) else { continue };
        // The padding of CBC lets one wrong key in 256 pass, and nothing else tells which is right.
        if opened.replace((content, secret)).is_some() {
            return Err(DecryptError::AmbiguousKey);
        }
        if plan.cipher.is_authenticated() {
            break;
        }
    }
    let Some((content, secret)) = opened else {
        return Err(if matched.is_empty() { DecryptError::NoMatchingKey } else { DecryptError::Failed });
    };
    let mut tolerances = encrypted.tolerances().to_vec();
    plan.tolerances.iter().for_each(|tolerance| note(&mut tolerances, *tolerance));
    Ok(Decrypted {
        content,
        content_type: encrypted.content_type(),
        cipher: plan.cipher,
        opened_by: OpenedBy::SecretKey { id: secret.id().map(<[u8]>::to_vec) },
        form: encrypted.form(),
        tolerances,
    })
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
