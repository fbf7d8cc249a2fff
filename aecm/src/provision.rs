//! Obtaining the certificates of a mailbox, with nobody copying codes.

mod held;
mod keys;
mod plan;
mod turn;

use std::sync::Arc;

use aecm_acme::client::Observer;
use aecm_acme::plan::{Plan as OrderPlan, PlanItem};
use aecm_acme::wire::TransferSource;
use aecm_core::suite::{Purpose, Suite};
use aecm_core::time::Time;
use aecm_store::Slot;

use crate::error::Error;
use crate::keyring::Keyring;
use crate::mailbox::Mailbox;
use crate::renew::lacks;
use crate::slots::{SlotReport, SlotState};
use crate::transfer::{Lacking, Progress, RekeyedElsewhere, TransferConflict, Waiting, rekeyed_elsewhere};

pub(crate) use self::keys::{KeyChoice, KeyChoices, StoreKeys};
pub use self::plan::{ClassicKeys, Plan};
pub use aecm_acme::client::Event;

/// What provisioning came to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Provisioned {
    /// The slots of the plan, in its order.
    pub slots: Vec<SlotReport>,
    /// Encrypting keys that are awaited from another device: show its fingerprint.
    pub waiting: Option<Waiting>,
    /// Encrypting keys that came and were not taken, because this device has others in use: the owner decides with
    /// [`Mailbox::accept_transfer`] or [`Mailbox::decline_transfer`].
    pub conflict: Option<TransferConflict>,
    /// Suites whose encrypting key was replaced elsewhere after this device had its own. Where that was not the
    /// owner, somebody else reads the mailbox.
    pub rekeyed: Vec<RekeyedElsewhere>,
}

impl Provisioned {
    /// Whether every slot of the plan has its certificate.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.slots.iter().all(|slot| slot.state.is_usable())
    }

    /// How many certificates this call obtained.
    #[must_use]
    pub fn issued(&self) -> usize {
        self.slots.iter().filter(|slot| slot.state == SlotState::Issued).count()
    }
}

impl Mailbox {
    /// Obtains the certificates of `plan` that the mailbox does not have yet: one challenge mail, read and
    /// verified by this client, serves all of them where the server reuses authorizations.
    ///
    /// Each key is durable in the store before its request leaves, and the state of the flow is saved before
    /// every request to the server: a call that was interrupted at any point is simply made again. When
    /// everything is in place it asks the server for nothing.
    ///
    /// Where the mailbox has an encrypting key on another device already, the call certifies it again when it is in
    /// the store too (restored from a backup), else asks that device for it and
    /// ends with [`SlotState::WaitingForTransfer`] and the fingerprint to compare; made again it looks whether the
    /// key has come, and takes it ([`Plan::wait_for_transfer`] makes it look by itself). A key that would take the
    /// place of one in use here is taken only on the owner's word ([`Provisioned::conflict`]).
    ///
    /// # Errors
    /// [`Error::Provision`] says at which step and why; what was issued by then is installed. [`Error::Busy`] while
    /// another call, in this process or another that uses the store, provisions this mailbox. [`Error::Transfer`]
    /// when what another device gave is not to be taken.
    ///
    /// # Cancel safety
    /// Dropping the future is an interruption like any other.
    pub async fn provision(&self, plan: Plan) -> Result<Provisioned, Error> {
        self.provision_observed(plan, None).await
    }

    /// As [`Mailbox::provision`], telling `observer` what happens, for a progress display.
    ///
    /// # Errors
    /// As [`Mailbox::provision`].
    pub async fn provision_observed(
        &self,
        plan: Plan,
        observer: Option<Arc<dyn Observer>>,
    ) -> Result<Provisioned, Error> {
        let _turn = self.turn().await?;
        let before = self.keyring().await?;
        let mut named = self.awaited().await?;
        let mut progress = self.resume_transfer(&before).await?;
        let mut received = progress.received();
        let mut ring = self.keyring().await?;
        let wanted = self.wanted(&plan, &ring, &progress);
        if !wanted.is_empty() {
            let lacking = self.order(&plan, &wanted, &ring, observer).await?;
            named.extend(lacking.iter().cloned());
            let until = self.aecm().clock().now().plus(plan.deadline());
            let lacking = self.certify_held(lacking, until).await?;
            ring = self.keyring().await?;
            progress = self.after_ordering(&wanted, lacking, progress, &ring).await?;
        }
        progress = self.await_transfer(progress, plan.wait(), &ring).await?;
        received.extend(progress.received());
        ring = self.keyring().await?;
        let now = self.aecm().clock().now();
        let report = |item: &PlanItem| reported(item, &wanted, &ring, (&progress, &received), now);
        let slots = plan.items().iter().map(report).collect();
        let rekeyed = rekeyed_elsewhere(&before, &named);
        let (waiting, conflict) = match progress {
            Progress::Waiting(waiting) => (Some(waiting), None),
            Progress::Conflict(conflict) => (None, Some(conflict)),
            _ => (None, None),
        };
        Ok(Provisioned { slots, waiting, conflict, rekeyed })
    }

    /// The items of the plan without a certificate that is valid now. A key that is awaited is asked for again: the
    /// one elsewhere may have been given up meanwhile. One that was just refused is not.
    pub(crate) fn wanted(&self, plan: &Plan, ring: &Keyring, progress: &Progress) -> Vec<PlanItem> {
        let now = self.aecm().clock().now();
        let refused: &[Suite] = match progress {
            Progress::Refused(suites) => suites,
            _ => &[],
        };
        let wants = |item: &PlanItem| {
            let settled = item.purpose == Purpose::Encrypt && refused.contains(&item.suite);
            !settled && !ring.holds(&slot(item, ring), now)
        };
        plan.items().into_iter().filter(wants).collect()
    }

    /// Orders certificates. The suites whose encrypting key is on another device.
    pub(crate) async fn order(
        &self,
        plan: &Plan,
        wanted: &[PlanItem],
        ring: &Keyring,
        observer: Option<Arc<dyn Observer>>,
    ) -> Result<Vec<Lacking>, Error> {
        let choice = |item: &PlanItem| {
            // An encrypting key whose certificate ran out is certified again, because old mail needs it (THREATS
            // E8); one whose certificate was revoked never is.
            let again = ring.in_slot(&slot(item, ring)).filter(|_| item.purpose == Purpose::Encrypt);
            let fresh = || KeyChoice::Fresh(plan.key(item.suite, item.purpose));
            let choice = again.map_or_else(fresh, |entry| KeyChoice::Same(entry.id));
            ((item.suite, item.purpose, item.level), choice)
        };
        let choices = wanted.iter().map(choice).collect();
        let orders = OrderPlan { mailbox: self.address().clone(), items: wanted.to_vec() };
        let deadline = self.aecm().clock().now().plus(plan.deadline());
        let report =
            self.ordering_client(Some(&ring.device), choices, observer).provision(&orders, deadline).await?;
        let lacking = report.outcomes.into_iter().filter_map(|(item, outcome)| lacks(&item, outcome));
        self.reclaim(lacking.collect()).await
    }

    /// Asks the owner's other devices for the keys that were not to be had. A request that is under way stays where
    /// it asks for the right ones.
    pub(crate) async fn after_ordering(
        &self,
        wanted: &[PlanItem],
        mut lacking: Vec<Lacking>,
        before: Progress,
        ring: &Keyring,
    ) -> Result<Progress, Error> {
        if let Progress::Conflict(_) = &before {
            // The owner decides before anything else is asked for: the answer must not be lost.
            return Ok(before);
        }
        if let Progress::Waiting(waiting) = &before {
            let elsewhere = |suite: Suite| lacking.iter().any(|one| one.suite == suite);
            let ordered = |suite: Suite| {
                wanted.iter().any(|item| item.purpose == Purpose::Encrypt && item.suite == suite)
            };
            let still: Vec<Suite> = waiting
                .suites
                .iter()
                .copied()
                .filter(|suite| elsewhere(*suite) || !ordered(*suite))
                .collect();
            let more = lacking.iter().any(|one| !waiting.suites.contains(&one.suite));
            if still.len() == waiting.suites.len() && !more {
                return Ok(before);
            }
            for one in self.awaited().await? {
                if still.contains(&one.suite) && !lacking.iter().any(|known| known.suite == one.suite) {
                    lacking.push(one);
                }
            }
            if lacking.is_empty() {
                self.forget_transfer().await?;
                return Ok(Progress::Nothing);
            }
        }
        if lacking.is_empty() {
            return Ok(before);
        }
        let asked = self.begin_transfer(&lacking, TransferSource::Device, ring).await;
        match asked {
            // A server that has no transfers of ours: the key has to come by some other way.
            Err(Error::Provision(aecm_acme::client::ClientError::NotOffered { .. })) => {
                self.forget_transfer().await?;
                Ok(Progress::Elsewhere(lacking.iter().map(|one| one.suite).collect()))
            }
            asked => asked,
        }
    }
}

fn slot(item: &PlanItem, ring: &Keyring) -> Slot {
    ring.slot(item.suite, item.purpose, item.level)
}

pub(crate) fn reported(
    item: &PlanItem,
    wanted: &[PlanItem],
    ring: &Keyring,
    (progress, received): (&Progress, &[Suite]),
    now: Time,
) -> SlotReport {
    let slot = slot(item, ring);
    let encrypts = item.purpose == Purpose::Encrypt;
    let state = match progress {
        Progress::Conflict(conflict) if encrypts && conflict.is_about(item.suite) => {
            SlotState::TransferConflict
        }
        _ if encrypts && received.contains(&item.suite) && ring.holds(&slot, now) => SlotState::Received,
        Progress::Refused(suites) if encrypts && suites.contains(&item.suite) => SlotState::TransferRefused,
        Progress::Waiting(waiting) if encrypts && waiting.suites.contains(&item.suite) => {
            SlotState::WaitingForTransfer
        }
        Progress::Elsewhere(suites) if encrypts && suites.contains(&item.suite) => {
            SlotState::WaitingForTransfer
        }
        _ if !ring.holds(&slot, now) => SlotState::Missing,
        _ if wanted.contains(item) => SlotState::Issued,
        _ => SlotState::Present,
    };
    let entry = ring.active_in(&slot);
    SlotReport::new(
        entry.map_or(&slot, |entry| &entry.slot),
        state,
        entry.and_then(|entry| entry.certificate.clone()),
    )
}
