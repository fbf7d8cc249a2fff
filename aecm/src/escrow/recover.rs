//! Taking the keys out of safe keeping, after every device that held them was lost.

use aecm_acme::client::ClientError;
use aecm_acme::plan::PlanItem;
use aecm_acme::wire::{ProblemType, TransferSource};
use aecm_core::certificate::Certificate;
use aecm_core::suite::{Level, Purpose, Suite};

use crate::error::Error;
use crate::keyring::Keyring;
use crate::mailbox::Mailbox;
use crate::proof::wants_proof;
use crate::provision::{Plan, reported};
use crate::slots::{SlotReport, SlotState};
use crate::transfer::{
    Lacking, Progress, RekeyedElsewhere, TransferConflict, TransferError, Waiting, rekeyed_elsewhere,
};

/// What came of taking the keys out of safe keeping.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Recovered {
    /// The encrypting keys, one row for each suite of the plan.
    pub suites: Vec<RecoveredSuite>,
    /// The slots of the plan, in its order.
    pub slots: Vec<SlotReport>,
    /// The service has not answered yet: call again.
    pub waiting: Option<Waiting>,
    /// Keys that came and were not taken, because this device has others in use: the owner decides with
    /// [`Mailbox::accept_transfer`] or [`Mailbox::decline_transfer`].
    pub conflict: Option<TransferConflict>,
    /// Suites whose encrypting key in use was certified after the last one that is here, for another account.
    pub rekeyed: Vec<RekeyedElsewhere>,
}

impl Recovered {
    /// Whether every suite of the plan has its encrypting key.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.suites.iter().all(|suite| suite.state.is_usable())
    }

    /// The suites whose key in use came out of the escrow.
    #[must_use]
    pub fn received(&self) -> Vec<Suite> {
        let received = self.suites.iter().filter(|one| one.state == SlotState::Received);
        received.map(|one| one.suite).collect()
    }
}

/// What came of the encrypting keys of one suite.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecoveredSuite {
    /// The suite.
    pub suite: Suite,
    /// What the encrypting slot holds now:
    ///
    /// | state | meaning |
    /// |---|---|
    /// | [`SlotState::Received`] | the key in use came out of the escrow |
    /// | [`SlotState::Present`] | it was here before |
    /// | [`SlotState::Issued`] | no key of the suite was in use any more, and a new one was made |
    /// | [`SlotState::ActiveMissing`] | the mailbox uses another key, which the escrow does not have: `missing` |
    /// | [`SlotState::WaitingForTransfer`] | the escrow has not answered yet |
    /// | [`SlotState::TransferConflict`] | another key is in use here; the owner decides |
    pub state: SlotState,
    /// How many keys of the suite this call brought, those of old mail included.
    pub keys: usize,
    /// The certificate of the key in use, where that is not here. Another device has to give the key
    /// ([`Mailbox::provision`] asks for it); or, when there is none any more, revoke the certificate and provision.
    pub missing: Option<Certificate>,
}

impl Mailbox {
    /// Takes the encrypting keys of the plan's suites out of safe keeping, after every device that held them was lost.
    ///
    /// This device first obtains what it signs the request with. The escrow is asked before any encrypting key is
    /// made: keys that are still in use are used on here, older ones open old mail, and only a suite of which none is
    /// in use any more gets a new one. What the mailbox uses and the escrow does not have is reported.
    ///
    /// Where the service wants a fresh proof that the owner reads the mailbox, it is given, which costs a challenge
    /// mail and a new signing certificate. A call that was interrupted is made again.
    ///
    /// # Errors
    /// [`Error::Transfer`] with [`TransferError::NothingEscrowed`], when no new key was made either, or what is wrong
    /// with the keys; [`Error::Provision`]; [`Error::Busy`].
    pub async fn recover(&self, plan: Plan) -> Result<Recovered, Error> {
        let _turn = self.turn().await?;
        let before = self.keyring().await?;
        // What was asked of another device, or taken and not finished, is settled first.
        let resumed = self.resume_transfer(&before).await?;
        let ring = self.keyring().await?;
        let wanted = self.wanted(&plan, &ring, &Progress::Nothing);
        if let Progress::Conflict(_) = &resumed {
            return self.report(&plan, &wanted, (&before, &ring), &resumed, &[]).await;
        }
        let own = of_encryption(&wanted, false);
        if !own.is_empty() {
            self.order(&plan, &own, &ring, None).await?;
        }
        let progress = match self.ask_escrow(plan.suites()).await {
            Err(error) if wants_proof(&error) => {
                self.prove_anew().await?;
                self.ask_escrow(plan.suites()).await?
            }
            asked => asked?,
        };
        let ring = self.keyring().await?;
        let mut lacking = Vec::new();
        if let Progress::Received(_) = &progress {
            let missing = of_encryption(&self.wanted(&plan, &ring, &Progress::Nothing), true);
            if !missing.is_empty() {
                let exist = self.order(&plan, &missing, &ring, None).await?;
                let until = self.aecm().clock().now().plus(plan.deadline());
                lacking = self.certify_held(exist, until).await?;
            }
        }
        self.report(&plan, &wanted, (&before, &ring), &progress, &lacking).await
    }

    /// Asks the escrow for the keys of these suites, whatever is here: old mail needs the old ones.
    async fn ask_escrow(&self, suites: &[Suite]) -> Result<Progress, Error> {
        let ring = self.keyring().await?;
        let lacking: Vec<Lacking> = suites
            .iter()
            .map(|suite| Lacking { suite: *suite, certificate: None, chain: Vec::new() })
            .collect();
        match self.begin_transfer(&lacking, TransferSource::Escrow, &ring).await {
            Ok(Progress::Nothing | Progress::Refused(_) | Progress::Elsewhere(_)) => {
                Err(TransferError::NothingEscrowed.into())
            }
            Err(Error::Provision(ClientError::Problem(problem)))
                if problem.kind == ProblemType::NothingEscrowed =>
            {
                Err(TransferError::NothingEscrowed.into())
            }
            asked => asked,
        }
    }

    /// `before` is what was here when the call began, `taken` what was here when the escrow had answered.
    async fn report(
        &self,
        plan: &Plan,
        wanted: &[PlanItem],
        (before, taken): (&Keyring, &Keyring),
        progress: &Progress,
        lacking: &[Lacking],
    ) -> Result<Recovered, Error> {
        let ring = self.keyring().await?;
        let now = self.aecm().clock().now();
        let mut slots: Vec<SlotReport> =
            plan.items().iter().map(|item| reported(item, wanted, &ring, (progress, &[]), now)).collect();
        let mut suites = Vec::new();
        for suite in plan.suites() {
            let slot = ring.slot(*suite, Purpose::Encrypt, Level::Mailbox);
            let missing = lacking.iter().find(|one| one.suite == *suite);
            let active = ring.active_in(&slot).map(|entry| entry.id);
            let here = |of: &Keyring| of.encrypting(*suite).any(|entry| Some(entry.id) == active);
            let state = match progress {
                Progress::Conflict(conflict) if conflict.is_about(*suite) => SlotState::TransferConflict,
                Progress::Waiting(_) if !ring.holds(&slot, now) => SlotState::WaitingForTransfer,
                _ if missing.is_some() => SlotState::ActiveMissing,
                _ if !ring.holds(&slot, now) => SlotState::Missing,
                _ if here(before) => SlotState::Present,
                _ if here(taken) => SlotState::Received,
                _ => SlotState::Issued,
            };
            for report in slots.iter_mut().filter(|report| report.slot().same_place(&slot)) {
                report.state = state;
            }
            let old = |id| before.entries.iter().any(|entry| entry.id == id);
            let keys = taken.encrypting(*suite).filter(|entry| !old(entry.id)).count();
            let missing = missing.and_then(|one| one.certificate.clone());
            suites.push(RecoveredSuite { suite: *suite, state, keys, missing });
        }
        let (waiting, conflict) = match progress {
            Progress::Waiting(waiting) => (Some(waiting.clone()), None),
            Progress::Conflict(conflict) => (None, Some(conflict.clone())),
            _ => (None, None),
        };
        let rekeyed = rekeyed_elsewhere(&ring, lacking);
        Ok(Recovered { suites, slots, waiting, conflict, rekeyed })
    }
}

fn of_encryption(items: &[PlanItem], encrypts: bool) -> Vec<PlanItem> {
    items.iter().filter(|item| (item.purpose == Purpose::Encrypt) == encrypts).cloned().collect()
}
