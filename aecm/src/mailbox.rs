//! A mailbox: what can be asked of it, and the keys it has.

use std::sync::Arc;

use aecm_core::mailbox::Mailbox as Address;
use aecm_core::suite::Purpose;
use aecm_core::time::Time;
use aecm_smime::decrypt::Recipient;
use aecm_smime::sign::SigningIdentity;
use aecm_store::{Entry, EntryState, StoreError};

use crate::builder::Aecm;
use crate::compose::Compose;
use crate::error::Error;

/// A mailbox of an [`Aecm`].
#[derive(Clone, Debug)]
pub struct Mailbox {
    aecm: Aecm,
    address: Address,
}

impl Mailbox {
    pub(crate) const fn new(aecm: Aecm, address: Address) -> Self {
        Self { aecm, address }
    }

    /// Its address.
    #[must_use]
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// The [`Aecm`] it belongs to, with its store.
    #[must_use]
    pub const fn owner(&self) -> &Aecm {
        &self.aecm
    }

    pub(crate) const fn aecm(&self) -> &Aecm {
        &self.aecm
    }

    /// All its keys and certificates, former ones included, in the order they were made.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn entries(&self) -> Result<Vec<Entry>, Error> {
        Ok(self.aecm.store().entries(&self.address).await?)
    }

    /// Sends `raw`, a whole RFC 5322 mail, protected: see [`Compose`].
    pub fn compose<'a>(&'a self, raw: &'a [u8]) -> Compose<'a> {
        Compose::new(self, raw)
    }

    /// A key for signing mail or stamps with its certificate, which has to be valid now: a signature that no
    /// reader can accept is not made.
    pub(crate) async fn signing_identity(&self, entry: &Entry, now: Time) -> Result<SigningIdentity, Error> {
        let none = || Error::NoSigningKey(self.address.clone());
        let certificate = entry.certificate.clone().ok_or_else(none)?;
        if !certificate.is_valid_at(now) {
            return Err(Error::CertificateNotValid {
                mailbox: self.address.clone(),
                from: certificate.not_before(),
                until: certificate.not_after(),
            });
        }
        let signer = self.aecm.store().signer(&self.address, &entry.id).await?;
        Ok(SigningIdentity { certificate, chain: entry.chain.clone(), signer })
    }

    /// Every encrypting key the mailbox has or had, with each certificate it went by (THREATS E8), and why one of
    /// them could not be loaded: a damaged record must not stop mail from opening that other keys open.
    pub(crate) async fn recipients(&self) -> Result<(Vec<Recipient>, Option<StoreError>), Error> {
        let mut recipients = Vec::new();
        let mut damaged = None;
        for entry in self.entries().await? {
            let mut certificates = entry.certificate.into_iter().chain(entry.former).peekable();
            let usable = entry.slot.purpose == Purpose::Encrypt && entry.state != EntryState::Removed;
            if !usable || certificates.peek().is_none() {
                continue;
            }
            match self.aecm.store().decryptor(&self.address, &entry.id).await {
                Ok(key) => recipients
                    .extend(certificates.map(|certificate| Recipient { certificate, key: Arc::clone(&key) })),
                Err(error) => damaged = Some(error),
            }
        }
        Ok((recipients, damaged))
    }
}
