//! The device that holds the keys: who asks, and giving or refusing.

use std::collections::BTreeMap;

use aecm_acme::jws;
use aecm_acme::wire::Transfer;
use aecm_core::digest::DigestAlgorithm;
use aecm_core::oid;
use aecm_core::public_key::PublicKey;
use aecm_core::suite::{Purpose, Suite};
use aecm_core::time::Time;
use aecm_store::DeviceId;
use aecm_store::package::{self, PackageError};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::conflict::in_use;
use super::request::{Asked, LIFE, fingerprint};
use super::{TransferError, envelope, signed};
use crate::error::Error;
use crate::keyring::Keyring;
use crate::mailbox::Mailbox;
use crate::record::{self, hex};

/// Requests whose answers are remembered.
const MAX_ANSWERED: usize = 256;

/// Another device of the owner asks for the encrypting keys.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TransferRequest {
    /// URL of the transfer.
    pub url: String,
    /// The name that the device gives itself.
    pub device: DeviceId,
    /// SHA-256 of its transport key, in hexadecimal, computed here: the same has to be shown on that device.
    pub fingerprint: String,
    /// When the device asked.
    pub created: Time,
    /// Whose keys it asks for.
    pub suites: Vec<Suite>,
    /// Those of them whose key this device has in use: what it would give.
    pub held: Vec<Suite>,
    /// Why it cannot be approved; `None` for a request that was verified.
    pub refused: Option<TransferError>,
    /// The request as it came.
    cms: Vec<u8>,
}

/// What was given to another device.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Given {
    /// The suites whose keys it has now.
    pub suites: Vec<Suite>,
    /// Those that it asked for as well and that this device does not have: it asks another device for them.
    pub remaining: Vec<Suite>,
}

/// What was answered, so that nothing is answered twice: when each request was made, by its SHA-256.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Answered(BTreeMap<String, i64>);

impl Mailbox {
    /// Who asks for this mailbox's encrypting keys. Each request was verified: signed by a device with a
    /// certificate of this mailbox. Show device and fingerprint to the owner, who compares them with what the new
    /// device shows and says yes or no: [`Mailbox::approve_transfer`], [`Mailbox::refuse_transfer`].
    ///
    /// Requests that do not verify are there too, with the reason in
    /// [`refused`](TransferRequest::refused): somebody may be trying. Of several with one transport key only the
    /// newest is there: the device signed it again, and looks at that one.
    ///
    /// # Errors
    /// [`Error::Provision`] where the service refuses or has no transfers; [`Error::Store`].
    pub async fn transfer_requests(&self) -> Result<Vec<TransferRequest>, Error> {
        let list = self.client().transfers(self.soon()).await?;
        let now = self.aecm().clock().now();
        let answered = self.answered().await?;
        let ring = self.keyring().await?;
        let own = list.transfers.into_iter().filter(|transfer| transfer.identifier.names(self.address()));
        let asked = own.filter_map(|transfer| self.asked(&transfer, &answered, &ring, now));
        let mut requests: Vec<TransferRequest> = Vec::new();
        for request in asked {
            let same = |known: &&mut TransferRequest| {
                known.refused.is_none()
                    && request.refused.is_none()
                    && known.fingerprint == request.fingerprint
            };
            match requests.iter_mut().find(same) {
                Some(known) if request.created > known.created => *known = request,
                Some(_) => {}
                None => requests.push(request),
            }
        }
        Ok(requests)
    }

    /// One request as it is shown; none where there is nothing that could be shown.
    fn asked(
        &self,
        transfer: &Transfer,
        answered: &Answered,
        ring: &Keyring,
        now: Time,
    ) -> Option<TransferRequest> {
        let url = transfer.url.clone()?;
        let cms = transfer.request.as_deref().and_then(jws::decode)?;
        let read = self.verified(&cms, answered, now);
        let (refused, device, fingerprint, created, suites) = match read {
            Ok(asked) => {
                let told = fingerprint(&asked.key);
                let differs = told != transfer.fingerprint || asked.device.as_str() != transfer.device;
                let refused = differs.then_some(TransferError::Request { member: "fingerprint" });
                (refused, asked.device, told, asked.created, asked.suites)
            }
            // What the service says of a request that does not verify, to name it by.
            Err(why) => {
                let device = transfer.device.parse().ok()?;
                (Some(why), device, transfer.fingerprint.clone(), transfer.created, Vec::new())
            }
        };
        let held = held(ring, &suites, now);
        Some(TransferRequest { url, device, fingerprint, created, suites, held, refused, cms })
    }

    fn verified(&self, cms: &[u8], answered: &Answered, now: Time) -> Result<Asked, TransferError> {
        if answered.0.contains_key(&hex(&DigestAlgorithm::Sha256.digest(cms))) {
            return Err(TransferError::Replayed);
        }
        self.read_request(cms, now)
    }

    /// Gives the device all encrypting keys that this mailbox has or had in those of the suites it asks for whose key
    /// this device has in use, sealed to its transport key and signed by this device. `shown` is the fingerprint that the owner read off the new device;
    /// spaces, colons and case do not matter.
    ///
    /// # Errors
    /// [`Error::Transfer`]: [`TransferError::Fingerprint`] when it is another one, [`TransferError::Expired`],
    /// [`TransferError::Replayed`], what is wrong with the request, or [`TransferError::NothingToGive`]. Nothing
    /// leaves then. [`Error::NoSigningKey`] without a certificate to sign with.
    pub async fn approve_transfer(&self, request: &TransferRequest, shown: &str) -> Result<Given, Error> {
        let now = self.aecm().clock().now();
        let answered = self.answered().await?;
        let asked = self.verified(&request.cms, &answered, now)?;
        if let Some(refused) = &request.refused {
            return Err(refused.clone().into());
        }
        if !same_fingerprint(&asked.key, shown) {
            return Err(TransferError::Fingerprint.into());
        }
        let ring = self.keyring().await?;
        let suites = held(&ring, &asked.suites, now);
        if suites.is_empty() {
            return Err(TransferError::NothingToGive.into());
        }
        let response = self.sealed(&ring, &suites, &asked.key, Some(&request.cms), now).await?;
        let digest = hex(&DigestAlgorithm::Sha256.digest(&request.cms));
        if answered.0.values().filter(|created| is_young(**created, now)).count() >= MAX_ANSWERED {
            return Err(TransferError::Replayed.into());
        }
        self.client().answer_transfer(&request.url, &response, self.soon()).await?;
        // Only now: what did not arrive may be sent again.
        self.change(&self.answered_name(), |answered: &mut Answered| {
            answered.0.retain(|_, created| is_young(*created, now));
            answered.0.insert(digest, asked.created.unix());
        })
        .await?;
        self.remember_device(&asked.device, &asked.certificates).await?;
        let remaining = asked.suites.into_iter().filter(|suite| !suites.contains(suite)).collect();
        Ok(Given { suites, remaining })
    }

    /// Refuses a request; the device that asked is told.
    ///
    /// # Errors
    /// [`Error::Provision`].
    pub async fn refuse_transfer(&self, request: &TransferRequest) -> Result<(), Error> {
        Ok(self.client().refuse_transfer(&request.url, self.soon()).await?)
    }

    /// The keys of `suites` sealed to `recipient` and signed by this device.
    pub(crate) async fn sealed(
        &self,
        ring: &Keyring,
        suites: &[Suite],
        recipient: &PublicKey,
        answers: Option<&[u8]>,
        now: Time,
    ) -> Result<Vec<u8>, Error> {
        let mut along = Vec::new();
        for entry in suites.iter().flat_map(|suite| ring.encrypting(*suite)) {
            along.extend(entry.chain.iter().cloned());
        }
        let package = match package::write(self.aecm().store().as_ref(), self.address(), suites).await {
            Ok(package) => package,
            Err(PackageError::Empty) => return Err(TransferError::NothingToGive.into()),
            Err(PackageError::Store(error)) => return Err(error.into()),
            Err(error) => return Err(TransferError::from(error).into()),
        };
        let content = envelope::seal(&package, recipient, self.aecm().rng().as_ref())?;
        let preferred = [recipient.suite(), Suite::Sm2, Suite::Classic];
        let signer = preferred.into_iter().find_map(|suite| {
            let valid = |entry: &&aecm_store::Entry| {
                entry.certificate.as_ref().is_some_and(|certificate| certificate.is_valid_at(now))
            };
            ring.active(suite, Purpose::Sign).filter(valid)
        });
        let signer = signer.ok_or_else(|| Error::NoSigningKey(self.address().clone()))?;
        let identity = self.signing_identity(signer, now).await?;
        signed::signed(&content, oid::AUTH_ENVELOPED_DATA, &identity, along, answers, now).await
    }

    async fn answered(&self) -> Result<Answered, Error> {
        let saved = record::load(self.aecm().store().as_ref(), &self.answered_name()).await?;
        Ok(saved.unwrap_or_default())
    }

    fn answered_name(&self) -> String {
        format!("aecm-answered:{}", self.address())
    }
}

/// Whether a request made then has still to be remembered: an older one is refused for its age.
fn is_young(created: i64, now: Time) -> bool {
    now <= Time::from_unix(created).plus(LIFE)
}

/// Those of `suites` whose key in use is here.
fn held(ring: &Keyring, suites: &[Suite], now: Time) -> Vec<Suite> {
    suites.iter().copied().filter(|suite| in_use(ring, *suite, now).is_some()).collect()
}

/// Compared in constant time, though it is no secret: it is the one thing that a user confirms.
fn same_fingerprint(key: &PublicKey, shown: &str) -> bool {
    let digits: Zeroizing<String> = Zeroizing::new(
        shown.chars().filter(|c| !c.is_whitespace() && *c != ':').map(|c| c.to_ascii_lowercase()).collect(),
    );
    fingerprint(key).as_bytes().ct_eq(digits.as_bytes()).into()
}
