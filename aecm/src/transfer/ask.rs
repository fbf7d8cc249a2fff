//! The device that lacks the keys: asking, waiting, taking. It can be stopped anywhere and goes on from there.

use core::time::Duration;

use aecm_acme::client::ClientError;
use aecm_acme::jws;
use aecm_acme::wire::{ProblemType, Transfer, TransferRequest as Text, TransferSource, TransferStatus};
use aecm_core::oid;
use aecm_core::suite::{Purpose, Suite};
use aecm_core::time::Time;
use aecm_store::DeviceId;

use super::conflict::TransferConflict;
use super::pending::Pending;
use super::request::fingerprint;
use super::signed::signed;
use super::take::Taken;
use crate::error::Error;
use crate::keyring::Keyring;
use crate::mailbox::Mailbox;

pub(crate) use super::pending::Lacking;

/// How often a transfer is looked at while a call waits for it.
const PAUSE: Duration = Duration::from_secs(5);

/// Encrypting keys that are awaited. Show device and fingerprint: the owner compares them with what the device
/// that holds the keys shows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Waiting {
    /// The name of this device.
    pub device: DeviceId,
    /// SHA-256 of this device's transport key, in hexadecimal.
    pub fingerprint: String,
    /// Whose keys are awaited.
    pub suites: Vec<Suite>,
    /// When the service forgets the request; a later call asks again then.
    pub expires: Time,
    /// URL of the transfer.
    pub url: String,
}

/// How far a transfer has come.
#[derive(Debug)]
pub(crate) enum Progress {
    /// There is none, or it came to nothing: the keys have to be asked for again.
    Nothing,
    /// The keys of these suites are in the store now.
    Received(Vec<Suite>),
    /// Nobody has answered yet.
    Waiting(Waiting),
    /// The holder of the keys of these suites refused.
    Refused(Vec<Suite>),
    /// The keys of these suites are elsewhere, and there is no way to ask for them.
    Elsewhere(Vec<Suite>),
    /// Keys came that would take the place of ones in use here: the owner decides.
    Conflict(TransferConflict),
}

impl Progress {
    /// The suites whose keys came.
    pub(crate) fn received(&self) -> Vec<Suite> {
        match self {
            Self::Received(suites) => suites.clone(),
            _ => Vec::new(),
        }
    }
}

impl Mailbox {
    /// Looks at the transfer under way, if there is one. A request that the service never took and does not take now
    /// is forgotten.
    pub(crate) async fn resume_transfer(&self, ring: &Keyring) -> Result<Progress, Error> {
        let Some(pending) = self.pending_transfer().await? else { return Ok(Progress::Nothing) };
        let posted = pending.url.is_some() || pending.imported;
        match self.go_on(pending, ring).await {
            Err(error) if !posted && is_refusal(&error) => Ok(Progress::Nothing),
            progress => progress,
        }
    }

    /// Asks for keys, in place of what was asked for before, unless that was the same: then it goes on.
    ///
    /// A request that the service refuses is not kept: the next call asks anew.
    pub(crate) async fn begin_transfer(
        &self,
        lacking: &[Lacking],
        source: TransferSource,
        ring: &Keyring,
    ) -> Result<Progress, Error> {
        if let Some(pending) = self.pending_transfer().await?
            && pending.asks_for(lacking, &source)
        {
            return self.go_on(pending, ring).await;
        }
        let signer = self.signing_suite(ring, lacking)?;
        let pending = Pending::new(lacking, source, signer, self)?;
        // The transport key is durable before anybody can encrypt to it.
        self.save_transfer(&pending).await?;
        self.go_on(pending, ring).await
    }

    /// Looks again and again, as long as nobody has answered.
    pub(crate) async fn await_transfer(
        &self,
        mut progress: Progress,
        wait: Duration,
        ring: &Keyring,
    ) -> Result<Progress, Error> {
        let clock = self.aecm().clock();
        let until = clock.now().plus(wait);
        while matches!(progress, Progress::Waiting(_)) && clock.now() < until {
            let pause = PAUSE.min(until.since(clock.now()));
            self.aecm().parts().sleep.sleep(pause).await;
            progress = self.resume_transfer(ring).await?;
        }
        Ok(progress)
    }

    async fn go_on(&self, mut pending: Pending, ring: &Keyring) -> Result<Progress, Error> {
        let suites = pending.suites(self)?;
        if pending.imported {
            return self.finish(&pending).await;
        }
        let now = self.aecm().clock().now();
        if pending.is_over(now) {
            self.forget_transfer().await?;
            return Ok(Progress::Nothing);
        }
        let transfer = match pending.url.clone() {
            None => match self.post(&mut pending, ring, now).await {
                // It was never there: what the service does not take now it will not take later.
                Err(error) if is_refusal(&error) => {
                    self.forget_transfer().await?;
                    return Err(error);
                }
                posted => posted?,
            },
            Some(url) => match self.client().transfer(&url, self.soon()).await {
                Ok(transfer) => transfer,
                // The service has forgotten it.
                Err(ClientError::Problem(problem)) if problem.status == Some(404) => {
                    self.forget_transfer().await?;
                    return Ok(Progress::Nothing);
                }
                Err(error) => return Err(error.into()),
            },
        };
        match &transfer.status {
            TransferStatus::Answered => {
                match self.take(&pending, &transfer, ring).await {
                    Ok(Taken::Imported(suites)) => {
                        pending.took(&suites);
                        self.save_transfer(&pending).await?;
                        self.finish(&pending).await
                    }
                    Ok(Taken::Conflict(conflict)) => {
                        pending.conflict = Some(conflict.record());
                        self.save_transfer(&pending).await?;
                        Ok(Progress::Conflict(conflict))
                    }
                    Err(error) => {
                        if matches!(error, Error::Transfer(_)) {
                            // Another answer will not come; the next call asks anew, with a new key.
                            self.forget_transfer().await?;
                        }
                        Err(error)
                    }
                }
            }
            TransferStatus::Refused => {
                self.forget_transfer().await?;
                Ok(Progress::Refused(suites))
            }
            TransferStatus::Expired | TransferStatus::Done => {
                self.forget_transfer().await?;
                Ok(Progress::Nothing)
            }
            _ => self.waiting(&pending, &transfer, suites, ring).map(Progress::Waiting),
        }
    }

    fn waiting(
        &self,
        pending: &Pending,
        transfer: &Transfer,
        suites: Vec<Suite>,
        ring: &Keyring,
    ) -> Result<Waiting, Error> {
        Ok(Waiting {
            device: ring.device.clone(),
            fingerprint: fingerprint(pending.key(self)?.public_key()),
            suites,
            expires: transfer.expires,
            url: pending.url.clone().unwrap_or_default(),
        })
    }

    /// Tells the service that the keys are here, so that it forgets the package and counts this account as one
    /// that holds them; and clears away keys that were made before it was known that there are others.
    async fn finish(&self, pending: &Pending) -> Result<Progress, Error> {
        let suites = pending.received(self)?;
        for entry in self.entries().await? {
            let ours = entry.slot.purpose == Purpose::Encrypt && suites.contains(&entry.slot.suite);
            if ours && entry.state == aecm_store::EntryState::Pending {
                self.aecm().store().remove(self.address(), &entry.id).await?;
            }
        }
        if let Some(url) = &pending.url {
            match self.client().finish_transfer(url, self.soon()).await {
                // Told before, or forgotten: the keys are here all the same.
                Ok(()) | Err(ClientError::Problem(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.forget_transfer().await?;
        Ok(Progress::Received(suites))
    }

    /// Signs the request where that is still to be done, and posts it. The same octets are posted again when an
    /// answer was lost.
    async fn post(&self, pending: &mut Pending, ring: &Keyring, now: Time) -> Result<Transfer, Error> {
        if !pending.is_fresh(now) {
            let request = self.sign_request(pending, ring, now).await?;
            pending.signed(&request, now);
            self.save_transfer(pending).await?;
        }
        let request = pending.request(self)?;
        let (url, transfer) = self.client().new_transfer(&request, self.soon()).await?;
        pending.url = Some(url);
        pending.expires = Some(transfer.expires.unix());
        self.save_transfer(pending).await?;
        Ok(transfer)
    }

    async fn sign_request(&self, pending: &Pending, ring: &Keyring, now: Time) -> Result<Vec<u8>, Error> {
        let key = pending.key(self)?;
        let mut nonce = [0; 16];
        self.aecm().rng().fill(&mut nonce).map_err(|_| aecm_store::StoreError::Rng)?;
        let text = Text {
            version: Text::VERSION,
            kind: Text::KIND.to_owned(),
            directory: self.aecm().directory_url().to_owned(),
            mailbox: self.address().as_str().to_owned(),
            device: ring.device.as_str().to_owned(),
            transport_key: jws::encode(key.public_key().spki_der()),
            suites: pending.suites(self)?.iter().map(|suite| suite.word().to_owned()).collect(),
            nonce: jws::encode(&nonce),
            created: now,
            source: pending.source.clone(),
        };
        let content =
            serde_json::to_vec(&text).map_err(|_| Error::Record { name: "transfer-request".to_owned() })?;
        let suite = key.public_key().suite();
        let entry = ring.active(suite, Purpose::Sign);
        let entry = entry.ok_or_else(|| Error::NoSigningKey(self.address().clone()))?;
        let identity = self.signing_identity(entry, now).await?;
        // So that the device that gives the keys can tell later which certificates are this device's.
        let own = [Purpose::Sign, Purpose::Timestamp]
            .into_iter()
            .flat_map(|purpose| Suite::ALL.into_iter().filter_map(move |suite| ring.active(suite, purpose)));
        let along = own.flat_map(|entry| entry.certificate.iter().chain(&entry.chain).cloned()).collect();
        signed(&content, oid::DATA, &identity, along, None, now).await
    }

    /// The suite to ask in: one this device can sign in, SM2 before classic where keys of both are lacking.
    fn signing_suite(&self, ring: &Keyring, lacking: &[Lacking]) -> Result<Suite, Error> {
        let now = self.aecm().clock().now();
        let signs = |suite: &Suite| {
            let certificate = ring.active(*suite, Purpose::Sign).and_then(|entry| entry.certificate.as_ref());
            certificate.is_some_and(|certificate| certificate.is_valid_at(now))
        };
        let asked = Suite::ALL.into_iter().filter(|suite| lacking.iter().any(|one| one.suite == *suite));
        asked.chain(Suite::ALL).find(signs).ok_or_else(|| Error::NoSigningKey(self.address().clone()))
    }
}

/// Whether asking the same again comes to the same: the service said no, offers no such thing or answers what cannot
/// be used, or this device cannot sign. A connection that broke and a service in trouble may have taken the request.
fn is_refusal(error: &Error) -> bool {
    let final_status = |status: u16| (400..500).contains(&status) && status != 408;
    match error {
        Error::Provision(ClientError::Problem(problem)) => {
            problem.status.map_or(problem.kind != ProblemType::ServerInternal, final_status)
        }
        Error::Provision(ClientError::Answer { status }) => final_status(*status),
        Error::Provision(
            ClientError::NotOffered { .. }
            | ClientError::NoAccount
            | ClientError::Url(_)
            | ClientError::Jws(_),
        )
        | Error::Transfer(_)
        | Error::NoSigningKey(_)
        | Error::CertificateNotValid { .. } => true,
        _ => false,
    }
}
