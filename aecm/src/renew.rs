//! Following certificates with new ones before they run out.

mod due;
mod order;
mod plan;
mod report;
mod under_way;

use std::sync::Arc;

use aecm_acme::client::Observer;
use aecm_acme::machine::Outcome;
use aecm_acme::plan::PlanItem;
use aecm_core::suite::{Purpose, Suite};
use aecm_core::time::Time;
use aecm_store::{Entry, EntryState, Slot};

use crate::error::Error;
use crate::keyring::Keyring;
use crate::mailbox::Mailbox;
use crate::slots::SlotReport;
use crate::transfer::{
    Lacking, Progress, RekeyedElsewhere, TransferConflict, TransferError, Waiting, rekeyed_elsewhere,
};

use self::order::Tried;
pub(crate) use self::order::like;
pub use self::plan::RenewPlan;
use self::report::{Taken, settled};
use self::under_way::Item;

/// What renewing came to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Renewed {
    /// The slots that were asked for, each with what came of it; those that an interrupted call with the same plan
    /// had renewed already are among them, and those whose key came from another device now.
    pub slots: Vec<SlotReport>,
    /// Encrypting keys that are awaited, because another device has changed them.
    pub waiting: Option<Waiting>,
    /// Encrypting keys that came and were not taken, because this device has others in use: the owner decides with
    /// [`Mailbox::accept_transfer`] or [`Mailbox::decline_transfer`].
    pub conflict: Option<TransferConflict>,
    /// Suites whose encrypting key was replaced elsewhere after this device had its own. Where that was not the
    /// owner, somebody else reads the mailbox.
    pub rekeyed: Vec<RekeyedElsewhere>,
    /// When the next slot is due, where that was asked ([`Mailbox::renew_if_due`]).
    pub next: Option<Time>,
}

impl Renewed {
    /// Whether every slot that was asked for can be used.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.slots.iter().all(|slot| slot.state.is_usable())
    }
}

/// What is renewed, and how failures are told.
pub(super) struct Asked {
    pub(super) slots: Vec<Slot>,
    /// Which call it is, for the one that goes on after an interruption.
    pub(super) call: String,
    pub(super) rekey: bool,
    /// Whether the failure of the only slot is that of the call.
    pub(super) strict: bool,
    /// Slots that are renewed again where the call that is gone on with had done so already.
    pub(super) anew: Vec<Slot>,
}

impl Mailbox {
    /// Obtains new certificates for slots that have one. Signing and timestamping slots get a new key. The
    /// encrypting key stays and is certified again, so that nobody's old copy of the certificate becomes useless;
    /// [`RenewPlan::rekey`] makes a new one, and the old key goes on opening old mail.
    ///
    /// Each slot is renewed on its own: one that cannot be is reported as
    /// [`Failed`](crate::SlotState::Failed), with the reason, and holds up no other. Keys that another device has
    /// given meanwhile are taken first. A key that the service does not certify any more, because it was revoked
    /// as compromised, is followed by a new one ([`Rekeyed`](crate::SlotState::Rekeyed)).
    ///
    /// It can be interrupted like [`Mailbox::provision`]. The same call made again within a day goes on, and renews
    /// nothing twice; another call does what it is asked for. An order that an interruption left open is finished
    /// when its slot is asked for again.
    ///
    /// # Errors
    /// [`Error::NothingThere`] for a named slot without a certificate. What stands in the way of all slots: the
    /// service cannot be reached
    /// ([`ServiceUnreachable`](aecm_acme::client::ClientError::ServiceUnreachable)) or has closed the account, terms
    /// are not agreed to, the store fails; where slots were renewed before, those that were not carry the reason
    /// instead. The failure of a plan's only slot: [`Error::Provision`]; [`TransferError::NotIssuer`] when the
    /// encrypting key is to be replaced and another device's account obtained its certificate. [`Error::Busy`].
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
        let taken = self.take_given().await?;
        self.renew_plan(&plan, taken, observer).await
    }

    /// A new certificate for a slot, whatever an earlier call had come to, and without looking at transfers. For
    /// whoever has the turn.
    pub(crate) async fn renew_afresh(&self, slot: Slot) -> Result<(), Error> {
        let call = format!("proof {slot}");
        self.end(&call).await?;
        let plan = RenewPlan::slot(slot.clone());
        let asked = Asked { slots: vec![slot], call, rekey: false, strict: true, anew: Vec::new() };
        self.renew_asked(&plan, asked, Taken::default(), None).await.map(|_| ())
    }

    async fn renew_plan(
        &self,
        plan: &RenewPlan,
        taken: Taken,
        observer: Option<Arc<dyn Observer>>,
    ) -> Result<Renewed, Error> {
        let ring = self.keyring().await?;
        let slots = self.to_renew(plan, &ring)?;
        let strict = matches!(plan.slots(), Some([_]));
        let asked = Asked { slots, call: plan.call(), rekey: plan.rekeys(), strict, anew: Vec::new() };
        self.renew_asked(plan, asked, taken, observer).await
    }

    async fn renew_asked(
        &self,
        plan: &RenewPlan,
        asked: Asked,
        mut taken: Taken,
        observer: Option<Arc<dyn Observer>>,
    ) -> Result<Renewed, Error> {
        let before = self.keyring().await?;
        let mut ring = self.keyring().await?;
        let items = self.begin(&asked, &ring).await?;
        let open: Vec<Item> =
            items.iter().filter(|item| item.is_open(&ring) && !taken.settles(item)).cloned().collect();
        let mut tried = self.order_each(plan, &open, &mut ring, observer).await?;
        self.refuse_rekeys(&open, &mut tried);
        if !tried.refused_keys.is_empty() {
            self.set_aside(&tried.refused_keys).await?;
        }
        let came = taken.received();
        let mut progress = core::mem::replace(&mut taken.progress, Progress::Nothing);
        if !tried.lacking.is_empty() {
            self.set_aside(&tried.lacking).await?;
            let wanted: Vec<PlanItem> = open.iter().map(Item::plan_item).collect();
            match self.after_ordering(&wanted, tried.lacking.clone(), progress, &ring).await {
                Ok(now) => progress = self.await_transfer(now, plan.wait(), &ring).await?,
                Err(error) if order::is_general(&error) => return Err(error),
                Err(error) => {
                    progress = Progress::Nothing;
                    tried.fail_lacking(error);
                }
            }
            ring = self.keyring().await?;
        }
        let failed = items.iter().any(|item| tried.failure(&item.slot).is_some());
        if let ([only], true, true) = (items.as_slice(), asked.strict, failed) {
            let slot = only.slot.clone();
            self.end(&asked.call).await?;
            if let Some(error) = tried.take_failure(&slot) {
                return Err(error);
            }
        }
        let mut slots: Vec<SlotReport> =
            items.iter().map(|item| settled(item, &ring, &progress, &tried)).collect();
        slots.extend(report::received(&came, &items, &ring));
        slots.extend(taken.failures(&items, &ring));
        if !failed {
            self.end(&asked.call).await?;
        }
        let (waiting, conflict) = match progress {
            Progress::Waiting(waiting) => (Some(waiting), None),
            Progress::Conflict(conflict) => (None, Some(conflict)),
            _ => (None, None),
        };
        let rekeyed = rekeyed_elsewhere(&before, &tried.lacking);
        Ok(Renewed { slots, waiting, conflict, rekeyed, next: None })
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

    /// Only the issuing account may replace a key: where the new key was refused there is nothing to wait for.
    fn refuse_rekeys(&self, open: &[Item], tried: &mut Tried) {
        for item in open.iter().filter(|item| item.rekey) {
            let suite = item.slot.suite;
            let found = tried.lacking.iter().position(|one| one.suite == suite);
            if let (Purpose::Encrypt, Some(place)) = (item.slot.purpose, found) {
                let refused = tried.lacking.remove(place);
                tried.refused_keys.push(refused);
                tried.fail(&item.slot, TransferError::NotIssuer { suite }.into());
            }
        }
    }

    /// Puts keys aside that were made for a certificate which is not to be had; never one that the service says is in
    /// use.
    async fn set_aside(&self, refused: &[Lacking]) -> Result<(), Error> {
        let mut named = Vec::new();
        for one in refused {
            named.extend(self.named(one).await.into_iter().map(|(leaf, _)| leaf));
        }
        for entry in self.entries().await? {
            let made = entry.state == EntryState::Pending && entry.slot.purpose == Purpose::Encrypt;
            let in_use = named.iter().any(|leaf| leaf.public_key() == Some(&entry.public_key));
            if made && !in_use && refused.iter().any(|one| one.suite == entry.slot.suite) {
                self.aecm().store().remove(self.address(), &entry.id).await?;
            }
        }
        Ok(())
    }

    /// What another device gave meanwhile, taken before anything is ordered: an order would only say again that the
    /// key is elsewhere, and asking anew would throw the answer away.
    async fn take_given(&self) -> Result<Taken, Error> {
        let suites: Vec<Suite> = self.waiting_for().await?;
        let ring = self.keyring().await?;
        match self.resume_transfer(&ring).await {
            Ok(progress) => Ok(Taken { progress, ..Taken::default() }),
            Err(error) if order::is_general(&error) => Err(error),
            Err(error) => Ok(Taken { failed: Some((suites, Arc::new(error))), ..Taken::default() }),
        }
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
