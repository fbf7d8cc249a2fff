//! The encrypting keys in safe keeping at the service: only with the owner's consent, which is recorded.

use aecm_acme::client::ClientError;
use aecm_acme::jws;
use aecm_acme::wire::{self, EscrowMeta, Identifier, ProblemType, TransferSource};
use aecm_core::certificate::Certificate;
use aecm_core::path::{PathOptions, PathPurpose, validate};
use aecm_core::suite::{Level, Purpose, Suite};
use aecm_core::time::Time;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::mailbox::Mailbox;
use crate::provision::Plan;
use crate::record::{self, hex};
use crate::transfer::{Lacking, Progress, TransferError, Waiting};

/// That the owner of a mailbox wants its encrypting keys kept by the service, having read under which terms. The
/// service can read all encrypted mail of the mailbox then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EscrowConsent {
    /// URL of the terms that the owner agreed to; it has to be the one the service names
    /// ([`Discovery::escrow_terms`](crate::Discovery::escrow_terms)).
    pub terms_url: String,
    /// When the owner agreed.
    pub agreed_at: Time,
    /// SHA-256 of the document that the owner saw, where it was fetched.
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
}

#[derive(Serialize, Deserialize)]
struct Stored {
    terms: String,
    agreed_at: i64,
    document: Option<String>,
    stored_at: i64,
    certificates: Vec<String>,
}

/// What came of taking the keys out of safe keeping.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recovered {
    /// The keys of these suites are in the store.
    Keys(Vec<Suite>),
    /// The service has not answered yet; call again.
    Waiting(Waiting),
}

impl Mailbox {
    /// Gives all encrypting keys that the mailbox has or had to the service for safe keeping, sealed to the escrow's
    /// certificate, which has to lead to the S/MIME anchors. To be called again after a rekey.
    ///
    /// # Errors
    /// [`Error::Transfer`]: [`TransferError::OtherTerms`] when the consent is to other terms,
    /// [`TransferError::EscrowCertificate`], [`TransferError::NothingToGive`]; [`Error::Provision`] where the
    /// service has no escrow or refuses.
    pub async fn escrow(&self, consent: EscrowConsent) -> Result<Escrowed, Error> {
        let (certificate, offered) = self.escrow_certificate().await?;
        if consent.terms_url != offered.terms {
            return Err(TransferError::OtherTerms { offered: offered.terms }.into());
        }
        let now = self.aecm().clock().now();
        let ring = self.keyring().await?;
        let key =
            certificate.public_key().ok_or(TransferError::EscrowCertificate { why: "unsupported-key" })?;
        let package = self.sealed(&ring, &Suite::ALL, key, None, now).await?;
        let document = consent.document_sha256.map(|digest| hex(&digest));
        let payload = wire::Escrow {
            identifier: Identifier::email(self.address()),
            package: Some(jws::encode(&package)),
            consent: Some(wire::EscrowConsent {
                terms: consent.terms_url.clone(),
                sha256: document.clone(),
                agreed_at: consent.agreed_at,
            }),
            delete: false,
        };
        let given = Suite::ALL.iter().flat_map(|suite| ring.encrypting(*suite));
        let certificates: Vec<String> =
            given.filter_map(|entry| entry.certificate.as_ref()).map(|one| hex(&one.sha256())).collect();
        let stored = Stored {
            terms: consent.terms_url.clone(),
            agreed_at: consent.agreed_at.unix(),
            document,
            stored_at: now.unix(),
            certificates: certificates.clone(),
        };
        // Consent is recorded before anything leaves, and unsaid where the service did not take the keys.
        let (store, name) = (self.aecm().store().as_ref(), self.escrow_name());
        let before: Option<Stored> = record::load(store, &name).await?;
        record::save(store, &name, &stored).await?;
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
        Ok(Escrowed { consent, stored_at: now, certificates })
    }

    /// What was given for safe keeping by this store, and under which consent.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Record`].
    pub async fn escrowed(&self) -> Result<Option<Escrowed>, Error> {
        let name = self.escrow_name();
        let stored: Option<Stored> = record::load(self.aecm().store().as_ref(), &name).await?;
        let Some(stored) = stored else { return Ok(None) };
        let document_sha256 = match stored.document.as_deref().map(record::unhex) {
            None => None,
            Some(Some(digest)) => Some(digest),
            Some(None) => return Err(Error::Record { name }),
        };
        let consent = EscrowConsent {
            terms_url: stored.terms,
            agreed_at: Time::from_unix(stored.agreed_at),
            document_sha256,
        };
        let stored_at = Time::from_unix(stored.stored_at);
        Ok(Some(Escrowed { consent, stored_at, certificates: stored.certificates }))
    }

    /// Has the service destroy what it keeps, and forgets the consent.
    ///
    /// # Errors
    /// [`Error::Provision`].
    pub async fn withdraw_escrow(&self) -> Result<(), Error> {
        let payload = wire::Escrow {
            identifier: Identifier::email(self.address()),
            package: None,
            consent: None,
            delete: true,
        };
        match self.client().escrow(&payload, self.soon()).await {
            Ok(()) => {}
            Err(ClientError::Problem(problem)) if problem.kind == ProblemType::NothingEscrowed => {}
            Err(error) => return Err(error.into()),
        }
        Ok(self.aecm().store().delete_state(&self.escrow_name()).await?)
    }

    /// Takes the encrypting keys out of safe keeping, after every device that held them was lost. This device first
    /// obtains what certificates of its own it lacks (`plan`); where the service wants a fresh proof that the owner
    /// reads the mailbox, it gives one, which costs a challenge mail and a new signing certificate.
    ///
    /// # Errors
    /// [`Error::Transfer`] with [`TransferError::NothingEscrowed`], or what is wrong with the keys;
    /// [`Error::Provision`].
    pub async fn recover(&self, plan: Plan) -> Result<Recovered, Error> {
        self.provision(plan).await?;
        let _turn = self.turn().await?;
        match self.ask_escrow().await {
            Err(Error::Provision(ClientError::Problem(problem))) if problem.status == Some(403) => {}
            Err(Error::Provision(ClientError::Problem(problem)))
                if problem.kind == ProblemType::NothingEscrowed =>
            {
                self.forget_transfer().await?;
                return Err(TransferError::NothingEscrowed.into());
            }
            other => return other,
        }
        self.refresh_authorization().await?;
        self.ask_escrow().await
    }

    async fn ask_escrow(&self) -> Result<Recovered, Error> {
        let ring = self.keyring().await?;
        let now = self.aecm().clock().now();
        let here = |suite: &Suite| ring.holds(&ring.slot(*suite, Purpose::Encrypt, Level::Mailbox), now);
        let signs = |suite: &Suite| ring.active(*suite, Purpose::Sign).is_some();
        let suites: Vec<Suite> =
            Suite::ALL.into_iter().filter(|suite| signs(suite) && !here(suite)).collect();
        if suites.is_empty() {
            return Ok(Recovered::Keys(Vec::new()));
        }
        let known = self.awaited().await?;
        let lacking: Vec<Lacking> = suites
            .into_iter()
            .map(|suite| {
                let known = known.iter().find(|one| one.suite == suite).cloned();
                known.unwrap_or(Lacking { suite, certificate: None, chain: Vec::new() })
            })
            .collect();
        match self.begin_transfer(&lacking, TransferSource::Escrow, &ring).await? {
            Progress::Received(suites) => Ok(Recovered::Keys(suites)),
            Progress::Waiting(waiting) => Ok(Recovered::Waiting(waiting)),
            Progress::Nothing | Progress::Refused(_) | Progress::Elsewhere(_) => {
                Err(TransferError::NothingEscrowed.into())
            }
        }
    }

    /// The certificate to seal keys for the escrow to, held against the anchors, and what the service says of it.
    pub(crate) async fn escrow_certificate(&self) -> Result<(Certificate, EscrowMeta), Error> {
        let directory = self.client().directory(self.soon()).await?;
        let offered = directory.meta.aecm.and_then(|meta| meta.escrow);
        let offered = offered.ok_or(ClientError::NotOffered { resource: "escrow" })?;
        let refuse = |why| TransferError::EscrowCertificate { why };
        let read = |text: &String| jws::decode(text).and_then(|der| Certificate::from_der(&der).ok());
        let certificate = read(&offered.certificate).ok_or(refuse("unreadable"))?;
        let chain: Option<Vec<Certificate>> = offered.chain.iter().take(10).map(read).collect();
        let chain = chain.ok_or(refuse("unreadable"))?;
        let encrypts = certificate.key_usage().is_some_and(|usage| {
            usage.key_encipherment() && !usage.digital_signature() && !usage.non_repudiation()
        });
        if !encrypts {
            return Err(refuse("usage-not-allowed").into());
        }
        let trust = self.aecm().trust();
        let limits = trust.policy.limits.clone();
        let at = Some(self.aecm().clock().now());
        let options = PathOptions::new(PathPurpose::Any, at, limits);
        match validate(&certificate, &chain, &trust.smime, &options) {
            Ok(_) => Ok((certificate, offered)),
            Err(failure) => Err(refuse(failure.reason.word()).into()),
        }
    }

    fn escrow_name(&self) -> String {
        format!("aecm-escrow:{}:{}", self.aecm().directory_url(), self.address())
    }
}
