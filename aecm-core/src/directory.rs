//! The joint where other people's certificates are found: a directory server, an address book, a cache.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::certificate::Certificate;
use crate::embed::MaybeSendSync;
use crate::mailbox::Mailbox;

/// Finds the certificates of a mailbox.
///
/// What is found is a candidate and nothing more: whoever uses it checks path, usage, validity and address.
#[cfg_attr(not(target_family = "wasm"), async_trait::async_trait)]
#[cfg_attr(target_family = "wasm", async_trait::async_trait(?Send))]
pub trait CertificateDirectory: MaybeSendSync {
    /// The certificates known for `mailbox`, of any suite and purpose, each with those that issued it where
    /// they are known; empty when there are none.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory could not be asked; that is never the same as having none.
    async fn certificates(&self, mailbox: &Mailbox) -> Result<Vec<Found>, DirectoryError>;
}

/// A certificate from a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The mailbox's certificate.
    pub certificate: Certificate,
    /// Certificates that may lead from it to an anchor.
    pub chain: Vec<Certificate>,
}

/// The directory could not be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryError {
    /// What it said.
    pub detail: String,
}

impl fmt::Display for DirectoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the certificate directory gave no answer: {}", self.detail)
    }
}

impl core::error::Error for DirectoryError {}
