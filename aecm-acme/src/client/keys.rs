//! What the driver needs of a key store.

use core::fmt;
use std::sync::Arc;

use aecm_core::certificate::Certificate;
use aecm_core::embed::MaybeSendSync;
use aecm_core::key::{KeyError, Signer};
use aecm_core::mailbox::Mailbox;
use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::csr::CsrError;
use crate::plan::PlanItem;
use crate::wire::Problem;

/// Keys, CSRs, certificates, and a place for the state of the machine.
///
/// Everything is durable when a call returns. Calls may be repeated with the same arguments after a crash.
#[cfg_attr(not(target_family = "wasm"), async_trait)]
#[cfg_attr(target_family = "wasm", async_trait(?Send))]
pub trait Keys: MaybeSendSync {
    /// The account key for a directory: P-256, made at first use, used for nothing else (THREATS N8).
    ///
    /// # Errors
    /// [`KeysError`].
    async fn account(&self, directory: &str) -> Result<Arc<dyn Signer>, KeysError>;

    /// A CSR in DER for `item`, by the key of its slot that awaits a certificate; the key is made where there is
    /// none. [`crate::csr::Template`] makes the CSR. `refused` is why the server did not take the one before.
    ///
    /// # Errors
    /// [`KeysError`].
    async fn request(
        &self,
        mailbox: &Mailbox,
        item: &PlanItem,
        refused: Option<&Problem>,
    ) -> Result<Vec<u8>, KeysError>;

    /// Stores the certificate (first in `chain`) for the key of its CSR. It was checked.
    ///
    /// # Errors
    /// [`KeysError`].
    async fn install(
        &self,
        mailbox: &Mailbox,
        item: &PlanItem,
        chain: &[Certificate],
    ) -> Result<(), KeysError>;

    /// What was stored under `name`. Names hold URLs and addresses; they are no file names.
    ///
    /// # Errors
    /// [`KeysError`].
    async fn load(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeysError>;

    /// Stores octets that may hold a secret.
    ///
    /// # Errors
    /// [`KeysError`].
    async fn save(&self, name: &str, octets: &[u8]) -> Result<(), KeysError>;

    /// Forgets what was stored under `name`; nothing stored is no error.
    ///
    /// # Errors
    /// [`KeysError`].
    async fn delete(&self, name: &str) -> Result<(), KeysError>;
}

/// Why keys, certificates or state could not be had.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeysError {
    /// A key handle failed.
    Key(KeyError),
    /// The CSR could not be made.
    Csr(CsrError),
    /// The store failed.
    Store(String),
}

impl fmt::Display for KeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(error) => write!(f, "{error}"),
            Self::Csr(error) => write!(f, "{error}"),
            Self::Store(detail) => write!(f, "the key store failed: {detail}"),
        }
    }
}

impl core::error::Error for KeysError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Key(error) => Some(error),
            Self::Csr(error) => Some(error),
            Self::Store(_) => None,
        }
    }
}

impl From<KeyError> for KeysError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

impl From<CsrError> for KeysError {
    fn from(error: CsrError) -> Self {
        Self::Csr(error)
    }
}
