//! The encrypting keys in safe keeping at the service: only with the owner's consent, which is recorded.

mod offer;
mod recover;

use aecm_acme::client::ClientError;
use aecm_acme::jws;
use aecm_acme::wire::{self, Identifier, ProblemType};
use aecm_core::suite::Suite;
use aecm_core::time::Time;
use aecm_store::EntryState;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::mailbox::Mailbox;
use crate::proof::wants_proof;
use crate::record::{self, hex};
use crate::transfer::TransferError;

pub use self::offer::EscrowTerms;
pub(crate) use self::offer::is_of_escrow;
pub use self::recover::{Recovered, RecoveredSuite};

/// That the owner of a mailbox wants its encrypting keys kept by the service, having read under which terms. The
/// service can read all encrypted mail of the mailbox then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EscrowConsent {
    /// URL of the terms that the owner agreed to; it has to be the one the service names
    /// ([`Discovery::escrow_terms`](crate::Discovery::escrow_terms), [`Mailbox::escrow_terms`]).
    pub terms_url: String,
    /// When the owner agreed.
    pub agreed_at: Time,
    /// SHA-256 of the document that the owner saw; without it, of the one that is there when the keys are given.
    pub document_sha256: Option<[u8; 32]>,
}

/// What is in safe keeping, as this store remembers it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Escrowed {
    /// What the owner agreed to.
    pub consent: EscrowConsent,
    /// When the keys were last given. Where the answer of the service was lost, they may not have arrived.
    pub stored_at: Time,
    /// SHA-256 of the encryption certificates whose keys were given, in hexadecimal.
    pub certificates: Vec<String>,
    /// The keys that were given, the oldest of each suite first. What the service kept before it keeps on.
    pub keys: Vec<EscrowedKey>,
}

impl Escrowed {
    /// The suites whose key in use was among what was given. One that is missing here and in use on another device
    /// has to be given from there.
    #[must_use]
    pub fn suites(&self) -> Vec<Suite> {
        let in_use = |suite: &Suite| self.keys.iter().any(|key| key.suite == *suite && key.in_use);
        Suite::ALL.into_iter().filter(in_use).collect()
    }
}

/// A key that was given for safe keeping.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EscrowedKey {
    /// Its suite.
    pub suite: Suite,
    /// SHA-256 of its newest certificate, in hexadecimal.
    pub certificate: String,
    /// Whether it is the one in use on this device.
    pub in_use: bool,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    terms: String,
    agreed_at: i64,
    document: Option<String>,
    stored_at: i64,
    certificates: Vec<String>,
    /// None in records of earlier versions.
    #[serde(default)]
    keys: Vec<StoredKey>,
}

#[derive(Serialize, Deserialize)]
struct StoredKey {
    suite: String,
    certificate: String,
    in_use: bool,
}

impl Stored {
    fn new(escrowed: &Escrowed) -> Self {
        let key = |key: &EscrowedKey| StoredKey {
            suite: key.suite.word().to_owned(),
            certificate: key.certificate.clone(),
            in_use: key.in_use,
        };
        Self {
            terms: escrowed.consent.terms_url.clone(),
            agreed_at: escrowed.consent.agreed_at.unix(),
            document: escrowed.consent.document_sha256.map(|digest| hex(&digest)),
            stored_at: escrowed.stored_at.unix(),
            certificates: escrowed.certificates.clone(),
            keys: escrowed.keys.iter().map(key).collect(),
        }
    }

    fn read(self) -> Option<Escrowed> {
        let document_sha256 = match self.document.as_deref().map(record::unhex) {
            None => None,
            Some(digest) => Some(digest?),
        };
        let key = |key: StoredKey| {
            let suite = Suite::from_word(&key.suite)?;
            Some(EscrowedKey { suite, certificate: key.certificate, in_use: key.in_use })
        };
        let consent = EscrowConsent {
            terms_url: self.terms,
            agreed_at: Time::from_unix(self.agreed_at),
            document_sha256,
        };
        let stored_at = Time::from_unix(self.stored_at);
        let keys = self.keys.into_iter().map(key).collect::<Option<_>>()?;
        Some(Escrowed { consent, stored_at, certificates: self.certificates, keys })
    }
}

impl Mailbox {
    /// Gives all encrypting keys that the mailbox has or had on this device to the service for safe keeping, sealed to
    /// the escrow's certificate, which has to be one and to lead to the S/MIME anchors. What other devices gave stays
    /// there. To be called again after a rekey.
    ///
    /// The terms are fetched, and their digest goes into the consent.
    ///
    /// # Errors
    /// [`Error::Transfer`]: [`TransferError::OtherTerms`] when the consent is to other terms or another document,
    /// [`TransferError::EscrowCertificate`], [`TransferError::NothingToGive`]; [`Error::Provision`] where the
    /// service has no escrow or refuses, [`Error::Discovery`] where its terms cannot be fetched.
    pub async fn escrow(&self, mut consent: EscrowConsent) -> Result<Escrowed, Error> {
        let (certificate, offered) = self.escrow_certificate().await?;
        let terms = self.fetch_terms(&offered).await?;
        let other = consent.document_sha256.is_some_and(|seen| seen != terms.sha256);
        if consent.terms_url != terms.url || other {
            return Err(TransferError::OtherTerms { offered: offered.terms }.into());
        }
        consent.document_sha256 = Some(terms.sha256);
        let now = self.aecm().clock().now();
        let ring = self.keyring().await?;
        let key =
            certificate.public_key().ok_or(TransferError::EscrowCertificate { why: "unsupported-key" })?;
        let package = self.sealed(&ring, &Suite::ALL, key, None, now).await?;
        let given = Suite::ALL.iter().flat_map(|suite| ring.encrypting(*suite));
        let keys: Vec<EscrowedKey> = given
            .filter_map(|entry| {
                let certificate = hex(&entry.certificate.as_ref()?.sha256());
                Some(EscrowedKey {
                    suite: entry.slot.suite,
                    certificate,
                    in_use: entry.state == EntryState::Active,
                })
            })
            .collect();
        let certificates = keys.iter().map(|key| key.certificate.clone()).collect();
        let escrowed = Escrowed { consent, stored_at: now, certificates, keys };
        let payload = wire::Escrow {
            identifier: Identifier::email(self.address()),
            package: Some(jws::encode(&package)),
            consent: Some(wire::EscrowConsent {
                terms: escrowed.consent.terms_url.clone(),
                sha256: Some(hex(&terms.sha256)),
                agreed_at: escrowed.consent.agreed_at,
            }),
            delete: false,
        };
        // Consent is recorded before anything leaves, and unsaid where the service did not take the keys.
        let (store, name) = (self.aecm().store().as_ref(), self.escrow_name());
        let before: Option<Stored> = record::load(store, &name).await?;
        record::save(store, &name, &Stored::new(&escrowed)).await?;
        match self.client().escrow(&payload, self.soon()).await {
            Ok(()) => {}
            Err(error @ ClientError::Problem(_)) => {
                match before {
                    Some(before) => record::save(store, &name, &before).await?,
                    None => store.delete_state(&name).await?,
                }
                return Err(error.into());
            }
            Err(error) => return Err(error.into()),
        }
        Ok(escrowed)
    }

    /// What was given for safe keeping by this store, and under which consent.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Record`].
    pub async fn escrowed(&self) -> Result<Option<Escrowed>, Error> {
        let name = self.escrow_name();
        let stored: Option<Stored> = record::load(self.aecm().store().as_ref(), &name).await?;
        let Some(stored) = stored else { return Ok(None) };
        stored.read().map(Some).ok_or(Error::Record { name })
    }

    /// Has the service destroy what it keeps, and forgets the consent. Where the service wants a fresh proof that the
    /// owner reads the mailbox, it is given, which costs a challenge mail and a new signing certificate.
    ///
    /// # Errors
    /// [`Error::Provision`]; [`Error::Busy`] while another call is ordering, where a fresh proof is wanted.
    pub async fn withdraw_escrow(&self) -> Result<(), Error> {
        match self.post_withdrawal().await {
            Err(error) if wants_proof(&error) => {
                let _turn = self.turn().await?;
                self.prove_anew().await?;
                self.post_withdrawal().await?;
            }
            posted => posted?,
        }
        Ok(self.aecm().store().delete_state(&self.escrow_name()).await?)
    }

    async fn post_withdrawal(&self) -> Result<(), Error> {
        let payload = wire::Escrow {
            identifier: Identifier::email(self.address()),
            package: None,
            consent: None,
            delete: true,
        };
        match self.client().escrow(&payload, self.soon()).await {
            Err(ClientError::Problem(problem)) if problem.kind == ProblemType::NothingEscrowed => Ok(()),
            posted => Ok(posted?),
        }
    }

    fn escrow_name(&self) -> String {
        format!("aecm-escrow:{}:{}", self.aecm().directory_url(), self.address())
    }
}
