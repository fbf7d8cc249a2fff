//! Following certificates with new ones before they run out.

mod due;
mod plan;

use std::sync::Arc;

use aecm_acme::client::Observer;
use aecm_acme::machine::Outcome;
use aecm_acme::plan::{Plan as OrderPlan, PlanItem};
use aecm_acme::wire::{TransferSource, certificate_identifier};
use aecm_core::public_key::{KeyKind, PublicKey};
use aecm_core::software::KeySpec;
use aecm_core::suite::Purpose;
use aecm_core::time::Time;
use aecm_store::{Entry, EntryState, Slot};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::keyring::Keyring;
use crate::mailbox::Mailbox;
use crate::provision::{KeyChoice, KeyChoices};
use crate::record::{self, hex};
use crate::slots::{SlotReport, SlotState};
use crate::transfer::{Lacking, Progress, TransferError, Waiting};

pub use self::plan::RenewPlan;

/// What renewing came to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Renewed {
    /// The slots that were renewed; those of an interrupted call that this one finished are among them.
    pub slots: Vec<SlotReport>,
    /// Encrypting keys that are awaited, because another device has changed them.
    pub waiting: Option<Waiting>,
    /// When the next slot is due, where that was asked ([`Mailbox::renew_if_due`]).
    pub next: Option<Time>,
}

/// What is under way, so that an interrupted call is continued and nothing is renewed twice.
#[derive(Debug, Default, Serialize, Deserialize)]
struct UnderWay {
    items: Vec<Item>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Item {
    slot: Slot,
    rekey: bool,
    /// SHA-256 of the certificate that is to be followed, in hexadecimal.
    follows: String,
}

impl Item {
    /// Whether the certificate is still the one in use.
    fn is_open(&self, ring: &Keyring) -> bool {
        let certificate = ring.active_in(&self.slot).and_then(|entry| entry.certificate.as_ref());
        certificate.is_some_and(|certificate| hex(&certificate.sha256()) == self.follows)
    }
}

impl Mailbox {
    /// Obtains new certificates for slots that have one. Signing and timestamping slots get a new key. The
    /// encrypting key stays and is certified again, so that nobody's old copy of the certificate becomes useless;
    /// [`RenewPlan::rekey`] makes a new one, and the old key goes on opening old mail.
    ///
    /// It can be interrupted like [`Mailbox::provision`]; the next call, whatever it asks for, first finishes what
    /// was under way.
    ///
    /// # Errors
    /// [`Error::NothingThere`] for a named slot without a certificate; [`Error::Provision`];
    /// [`TransferError::NotIssuer`] when the encrypting key is to be replaced and another device's account obtained
    /// its certificate; [`Error::Busy`].
    ///
    /// # Cancel safety
    /// Dropping the future is an interruption like any other.
    pub async fn renew(&self, plan: RenewPlan) -> Result<Renewed, Error> {
        self.renew_observed(plan, None).await
    }

    /// As [`Mailbox::renew`], telling `observer` what happens.
    ///
    /// # Errors
    /// As [`Mailbox::renew`].
    pub async fn renew_observed(
        &self,
        plan: RenewPlan,
        observer: Option<Arc<dyn Observer>>,
    ) -> Result<Renewed, Error> {
        let _turn = self.turn().await?;
        self.renew_slots(&plan, observer).await
    }

    /// Without taking the turn.
    pub(crate) async fn renew_slots(
        &self,
        plan: &RenewPlan,
        observer: Option<Arc<dyn Observer>>,
    ) -> Result<Renewed, Error> {
        let ring = self.keyring().await?;
        let mut under_way = self.under_way().await?;
        for slot in self.to_renew(plan, &ring)? {
            if under_way.items.iter().any(|item| item.slot.same_place(&slot)) {
                continue;
            }
            let certificate = ring.active_in(&slot).and_then(|entry| entry.certificate.as_ref());
            let Some(certificate) = certificate else { continue };
            let rekey = plan.rekeys() && slot.purpose == Purpose::Encrypt;
            under_way.items.push(Item { slot, rekey, follows: hex(&certificate.sha256()) });
        }
        if under_way.items.is_empty() {
            return Ok(Renewed { slots: Vec::new(), waiting: None, next: None });
        }
        self.save_under_way(&under_way).await?;
        let open: Vec<Item> = under_way.items.iter().filter(|item| item.is_open(&ring)).cloned().collect();
        let lacking = self.order_again(plan, &open, &ring, observer).await?;
        let mut progress = Progress::Nothing;
        if !lacking.is_empty() {
            self.set_aside(&lacking).await?;
            self.forget_under_way().await?;
            if let Some(item) =
                open.iter().find(|item| item.rekey && lacking.iter().any(|one| one.suite == item.slot.suite))
            {
                return Err(TransferError::NotIssuer { suite: item.slot.suite }.into());
            }
            let ring = self.keyring().await?;
            progress = self.begin_transfer(&lacking, TransferSource::Device, &ring).await?;
            progress = self.await_transfer(progress, plan.wait(), &ring).await?;
        }
        let ring = self.keyring().await?;
        let slots = under_way.items.iter().map(|item| reported(item, &ring, &progress, &lacking)).collect();
        self.forget_under_way().await?;
        let waiting = match progress {
            Progress::Waiting(waiting) => Some(waiting),
            _ => None,
        };
        Ok(Renewed { slots, waiting, next: None })
    }

    /// The slots that the plan means.
    fn to_renew(&self, plan: &RenewPlan, ring: &Keyring) -> Result<Vec<Slot>, Error> {
        if let Some(slots) = plan.slots() {
            for slot in slots {
                if ring.in_slot(slot).is_none() {
                    let what = format!("certificate in the slot {slot}");
                    return Err(Error::NothingThere { mailbox: self.address().clone(), what });
                }
            }
            return Ok(slots.to_vec());
        }
        Ok(renewable(ring).map(|entry| entry.slot.clone()).collect())
    }

    /// Orders certificates for what is open. The suites whose encrypting key is no longer the one in use.
    async fn order_again(
        &self,
        plan: &RenewPlan,
        open: &[Item],
        ring: &Keyring,
        observer: Option<Arc<dyn Observer>>,
    ) -> Result<Vec<Lacking>, Error> {
        let mut items = Vec::new();
        let mut choices: KeyChoices = Vec::new();
        for item in open {
            let Some(entry) = ring.active_in(&item.slot) else { continue };
            let Slot { suite, purpose, level, .. } = item.slot;
            let choice = if purpose == Purpose::Encrypt && !item.rekey {
                KeyChoice::Same(entry.id)
            } else {
                KeyChoice::Fresh(like(&entry.public_key))
            };
            let replaces = entry.certificate.as_ref().and_then(certificate_identifier);
            items.push(PlanItem { level, replaces, ..PlanItem::new(suite, purpose) });
            choices.push(((suite, purpose, level), choice));
        }
        if items.is_empty() {
            return Ok(Vec::new());
        }
        let orders = OrderPlan { mailbox: self.address().clone(), items };
        let deadline = self.aecm().clock().now().plus(plan.deadline());
        let report =
            self.ordering_client(Some(&ring.device), choices, observer).provision(&orders, deadline).await?;
        Ok(report.outcomes.into_iter().filter_map(|(item, outcome)| lacks(&item, outcome)).collect())
    }

    /// Puts keys aside that were made for a certificate which is not to be had.
    async fn set_aside(&self, lacking: &[Lacking]) -> Result<(), Error> {
        for entry in self.entries().await? {
            let made = entry.state == EntryState::Pending && entry.slot.purpose == Purpose::Encrypt;
            if made && lacking.iter().any(|one| one.suite == entry.slot.suite) {
                self.aecm().store().remove(self.address(), &entry.id).await?;
            }
        }
        Ok(())
    }

    async fn under_way(&self) -> Result<UnderWay, Error> {
        let saved = record::load(self.aecm().store().as_ref(), &self.under_way_name()).await?;
        Ok(saved.unwrap_or_default())
    }

    async fn save_under_way(&self, under_way: &UnderWay) -> Result<(), Error> {
        record::save(self.aecm().store().as_ref(), &self.under_way_name(), under_way).await
    }

    async fn forget_under_way(&self) -> Result<(), Error> {
        Ok(self.aecm().store().delete_state(&self.under_way_name()).await?)
    }

    fn under_way_name(&self) -> String {
        format!("aecm-renewal:{}:{}", self.aecm().directory_url(), self.address())
    }
}

/// The entries that can be renewed: in use, of this device or shared.
fn renewable(ring: &Keyring) -> impl Iterator<Item = &Entry> {
    ring.entries.iter().filter(|entry| {
        let own = entry.slot.device.as_ref().is_none_or(|device| *device == ring.device);
        own && ring.in_slot(&entry.slot).is_some_and(|active| active.id == entry.id)
    })
}

/// What an outcome says of a suite whose key is elsewhere.
pub(crate) fn lacks(item: &PlanItem, outcome: Outcome) -> Option<Lacking> {
    match outcome {
        Outcome::EncryptionKeyExists(exists) => {
            Some(Lacking { suite: item.suite, certificate: exists.certificate, chain: exists.chain })
        }
        _ => None,
    }
}

fn reported(item: &Item, ring: &Keyring, progress: &Progress, lacking: &[Lacking]) -> SlotReport {
    let entry = ring.active_in(&item.slot);
    let suite = item.slot.suite;
    let elsewhere = item.slot.purpose == Purpose::Encrypt && lacking.iter().any(|one| one.suite == suite);
    let state = match progress {
        Progress::Received(suites) if elsewhere && suites.contains(&suite) => SlotState::Received,
        Progress::Refused(_) if elsewhere => SlotState::TransferRefused,
        _ if elsewhere => SlotState::WaitingForTransfer,
        _ if item.is_open(ring) => SlotState::Missing,
        _ => SlotState::Renewed,
    };
    let slot = entry.map_or(&item.slot, |entry| &entry.slot);
    SlotReport::new(slot, state, entry.and_then(|entry| entry.certificate.clone()))
}

/// A new key of the same kind.
fn like(key: &PublicKey) -> KeySpec {
    match key.kind() {
        KeyKind::P256 => KeySpec::P256,
        KeyKind::P384 => KeySpec::P384,
        KeyKind::Sm2 => KeySpec::Sm2,
        KeyKind::Rsa { bits } => KeySpec::Rsa(u32::try_from(bits).unwrap_or(3_072).max(3_072)),
        _ => KeySpec::Rsa(3_072),
    }
}
