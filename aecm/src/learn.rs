//! What other devices of the owner did to this mailbox's keys, learnt from the service's events.

use std::collections::BTreeMap;

use aecm_acme::client::ClientError;
use aecm_acme::wire::{Event, EventAccount, EventKind};
use aecm_core::certificate::Certificate;
use aecm_core::suite::{Purpose, Suite};
use aecm_store::{Entry, EntryState, Slot};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::keyring::{Keyring, Mark};
use crate::mailbox::Mailbox;
use crate::record::hex;
use crate::renew::Renewed;
use crate::slots::SlotState;

/// Rekeys of other devices that are remembered.
const MAX_REKEYS: usize = 512;

/// By SHA-256 of the new certificate, in hexadecimal: whether this device has asked for its key.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Rekeys(BTreeMap<String, bool>);

impl Mailbox {
    /// Reads the events and takes note of them. Whether the service could be reached.
    pub(crate) async fn hear(&self) -> Result<bool, Error> {
        match self.events().await {
            Err(Error::Provision(ClientError::ServiceUnreachable { .. })) => Ok(false),
            // One that tells no events, or not to this account: the orders will show what there is to see.
            Ok(_) | Err(Error::Provision(_)) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Takes note of certificates of this store that were revoked elsewhere, and of encrypting keys that another
    /// device made.
    pub(crate) async fn learn(&self, events: &[Event]) -> Result<(), Error> {
        let ring = self.keyring().await?;
        let named = |name: &str| {
            let mut all = ring.entries.iter().flat_map(|entry| entry.certificate.iter().chain(&entry.former));
            all.find(|certificate| hex(&certificate.sha256()) == name).cloned()
        };
        let mut rekeyed = Vec::new();
        for event in events {
            let Some(name) = event.certificate.as_deref().map(str::to_ascii_lowercase) else { continue };
            match (&event.kind, named(&name)) {
                (EventKind::Revoked, Some(certificate)) if !ring.is_revoked(&certificate) => {
                    let mark = Mark { at: event.time.unix(), reason: 0, learnt: true };
                    self.mark(core::slice::from_ref(&certificate), &mark).await?;
                }
                (EventKind::Rekeyed, None) if event.account == EventAccount::Another => rekeyed.push(name),
                _ => {}
            }
        }
        if rekeyed.is_empty() {
            return Ok(());
        }
        let note = |rekeys: &mut Rekeys| {
            for name in rekeyed {
                if rekeys.0.len() < MAX_REKEYS {
                    rekeys.0.entry(name).or_insert(false);
                }
            }
        };
        self.change(&self.rekeys_name(), note).await
    }

    /// The encrypting slots whose key another device replaced or revoked, which this one does not know the next of.
    pub(crate) async fn lost_elsewhere(&self, ring: &Keyring) -> Result<Vec<Slot>, Error> {
        let mut lost: Vec<Slot> = Vec::new();
        for suite in Suite::ALL {
            let entry = ring.encrypting(suite).filter(|entry| entry.state == EntryState::Active).last();
            let learnt = |certificate: &Certificate| {
                ring.marks.get(&hex(&certificate.sha256())).is_some_and(|mark| mark.learnt)
            };
            lost.extend(
                entry
                    .filter(|entry| entry.certificate.as_ref().is_some_and(learnt))
                    .map(|entry| entry.slot.clone()),
            );
        }
        let open = self.open_rekeys().await?;
        if open.is_empty() {
            return Ok(lost);
        }
        let listed = self.listed_by_service().await;
        let new: Option<Vec<Certificate>> = listed.map(|found| {
            let named = |one: &Certificate| open.contains(&hex(&one.sha256()));
            found.into_iter().map(|found| found.certificate).filter(named).collect()
        });
        for entry in Suite::ALL.into_iter().filter_map(|suite| ring.active(suite, Purpose::Encrypt)) {
            let replaced = match &new {
                // There is no way to see whose: each is asked for.
                None => true,
                Some(new) => new.iter().any(|one| is_next(one, entry)),
            };
            if replaced && !lost.iter().any(|slot| slot.same_place(&entry.slot)) {
                lost.push(entry.slot.clone());
            }
        }
        Ok(lost)
    }

    /// What was to be asked for was asked for, unless something failed.
    pub(crate) async fn heeded(&self, renewed: &Renewed) -> Result<(), Error> {
        let failed = renewed
            .slots
            .iter()
            .any(|slot| slot.purpose == Purpose::Encrypt && slot.state == SlotState::Failed);
        let open = self.open_rekeys().await?;
        if failed || open.is_empty() {
            return Ok(());
        }
        let note = |rekeys: &mut Rekeys| {
            for name in open {
                rekeys.0.insert(name, true);
            }
        };
        self.change(&self.rekeys_name(), note).await
    }

    async fn open_rekeys(&self) -> Result<Vec<String>, Error> {
        let rekeys: Rekeys = self.recorded(&self.rekeys_name()).await?.unwrap_or_default();
        Ok(rekeys.0.into_iter().filter(|(_, asked)| !asked).map(|(name, _)| name).collect())
    }

    fn rekeys_name(&self) -> String {
        format!("aecm-rekeys:{}:{}", self.aecm().directory_url(), self.address())
    }
}

/// Whether a certificate is for another key of the suite of `entry`.
fn is_next(certificate: &Certificate, entry: &Entry) -> bool {
    certificate.public_key().is_some_and(|key| key.suite() == entry.slot.suite && *key != entry.public_key)
}
