//! What opens messages, and what did.

use core::fmt;
use std::sync::Arc;

use aecm_core::certificate::Certificate;
use aecm_core::key::Decryptor;
use aecm_core::public_key::PublicKey;
use zeroize::Zeroizing;

/// A key that may open the message, and the certificate by which senders name it. Expired and replaced
/// certificates belong here too (THREATS E8).
#[derive(Clone)]
pub struct Recipient {
    /// The certificate.
    pub certificate: Certificate,
    /// The key.
    pub key: Arc<dyn Decryptor>,
}

/// A key that may open the message, without the certificate by which senders name it.
///
/// It is tried on every RecipientInfo that is for a key of its kind and size, those first that name it by its own
/// identifier (RFC 5280 §4.2.1.2, method 1), within [`Limits::private_key_operations`]. With the certificate at hand
/// use a [`Recipient`]: it knows which RecipientInfo is its own.
///
/// [`Limits::private_key_operations`]: aecm_core::limits::Limits::private_key_operations
#[derive(Clone)]
pub struct BareKey(Arc<dyn Decryptor>);

/// A symmetric key that both sides have: for EncryptedData the content key itself, for KEKRecipientInfo the key
/// that wraps it. Wiped when dropped; `Debug` shows the identifier only.
#[derive(Clone)]
pub struct SecretKey {
    id: Option<Vec<u8>>,
    key: Zeroizing<Vec<u8>>,
}

/// A password (RFC 3211). Wiped when dropped; `Debug` shows nothing of it.
#[derive(Clone)]
pub struct Password(Zeroizing<Vec<u8>>);

/// What opened a message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenedBy {
    /// The key of this certificate.
    Certificate(Certificate),
    /// The private half of this key, which came without a certificate.
    Key(PublicKey),
    /// A symmetric key.
    SecretKey {
        /// As the message names it; of EncryptedData, which names none, as the caller does.
        id: Option<Vec<u8>>,
    },
    /// A password.
    Password,
}

impl OpenedBy {
    /// The certificate, where the key of one opened the message.
    #[must_use]
    pub const fn certificate(&self) -> Option<&Certificate> {
        match self {
            Self::Certificate(certificate) => Some(certificate),
            _ => None,
        }
    }

    /// The stable word: `certificate`, `key`, `secret-key` or `password`.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Certificate(_) => "certificate",
            Self::Key(_) => "key",
            Self::SecretKey { .. } => "secret-key",
            Self::Password => "password",
        }
    }
}

impl BareKey {
    /// A key alone.
    #[must_use]
    pub const fn new(key: Arc<dyn Decryptor>) -> Self {
        Self(key)
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &dyn Decryptor {
        self.0.as_ref()
    }
}

impl SecretKey {
    /// A key of 16, 24 or 32 octets. Other sizes fit no message.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        Self { id: None, key: Zeroizing::new(key.to_vec()) }
    }

    /// The identifier by which KEKRecipientInfo names the key; without it every such recipient is tried.
    #[must_use]
    pub fn with_id(mut self, id: &[u8]) -> Self {
        self.id = Some(id.to_vec());
        self
    }

    /// The identifier.
    #[must_use]
    pub fn id(&self) -> Option<&[u8]> {
        self.id.as_deref()
    }

    pub(super) fn octets(&self) -> &[u8] {
        &self.key
    }

    /// Whether a KEKRecipientInfo may mean this key.
    pub(super) fn is_named(&self, id: &[u8]) -> bool {
        self.id.as_deref().is_none_or(|own| own == id)
    }
}

impl Password {
    /// Of a text, its UTF-8 (RFC 3211 §2.2).
    #[must_use]
    pub fn new(password: &[u8]) -> Self {
        Self(Zeroizing::new(password.to_vec()))
    }

    pub(super) fn octets(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recipient").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

impl fmt::Debug for BareKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BareKey").field(self.0.public_key()).finish()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretKey").field("id", &self.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Password").finish_non_exhaustive()
    }
}
