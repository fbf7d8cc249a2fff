//! Obtaining the certificates of a mailbox, with nobody copying codes.

mod keys;
mod plan;
mod turn;

use std::sync::Arc;

use aecm_acme::client::{AgreedBeforehand, Client, ConsentSource, Joints, Observer};
use aecm_acme::machine::{Config, IssuerAnchors, Outcome};
use aecm_acme::plan::{Plan as OrderPlan, PlanItem};
use aecm_core::certificate::Certificate;
use aecm_core::path::Anchors;
use aecm_core::suite::{Purpose, Suite};
use aecm_core::time::Time;
use aecm_store::{Entry, EntryState};

use self::keys::StoreKeys;
use self::turn::Turn;
use crate::error::Error;
use crate::mailbox::Mailbox;

pub use self::plan::{ClassicKeys, Plan};
pub use aecm_acme::client::Event;

/// What provisioning came to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Provisioned {
    /// The slots of the plan, in its order.
    pub slots: Vec<SlotReport>,
}

impl Provisioned {
    /// Whether every slot of the plan has its certificate.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.slots.iter().all(|slot| matches!(slot.state, SlotState::Issued | SlotState::Present))
    }

    /// How many certificates this call obtained.
    #[must_use]
    pub fn issued(&self) -> usize {
        self.slots.iter().filter(|slot| slot.state == SlotState::Issued).count()
    }
}

/// One slot of a plan.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SlotReport {
    /// The algorithm family.
    pub suite: Suite,
    /// What it is for.
    pub purpose: Purpose,
    /// What came of it.
    pub state: SlotState,
    /// The certificate in use.
    pub certificate: Option<Certificate>,
}

/// What came of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SlotState {
    /// Its certificate was obtained now.
    Issued,
    /// It had its certificate already; nothing was asked for.
    Present,
    /// The mailbox has an encrypting key on another device, from which it has to come.
    WaitingForTransfer,
    /// It has no certificate; the call ended early.
    Missing,
}

impl SlotState {
    /// The stable word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Present => "present",
            Self::WaitingForTransfer => "waiting-for-transfer",
            Self::Missing => "missing",
        }
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
    /// # Errors
    /// [`Error::Provision`] says at which step and why; what was issued by then is installed. [`Error::Busy`] while
    /// another call through the same [`Aecm`](crate::Aecm) provisions this mailbox; processes that share a store
    /// have to see to that themselves.
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
        let _turn = Turn::take(self)?;
        let now = self.aecm().clock().now();
        let wanted = self.wanted(&plan, now).await?;
        let mut waiting = Vec::new();
        if !wanted.is_empty() {
            let config = self.config();
            let orders = OrderPlan { mailbox: self.address().clone(), items: wanted.clone() };
            let client = self.client(config, &plan, observer);
            let report = client.provision(&orders, now.plus(plan.deadline())).await?;
            let held = |outcome: &Outcome| matches!(outcome, Outcome::EncryptionKeyExists(_));
            waiting.extend(
                report.outcomes.into_iter().filter(|(_, outcome)| held(outcome)).map(|(item, _)| item),
            );
        }
        let mut slots = Vec::new();
        for item in plan.items() {
            let entry = self.active(item.suite, item.purpose).await?;
            let state = match &entry {
                _ if waiting.contains(&item) => SlotState::WaitingForTransfer,
                None => SlotState::Missing,
                Some(entry) if !holds(entry, self.aecm().clock().now()) => SlotState::Missing,
                Some(_) if wanted.contains(&item) => SlotState::Issued,
                Some(_) => SlotState::Present,
            };
            let certificate = entry.and_then(|entry| entry.certificate);
            slots.push(SlotReport { suite: item.suite, purpose: item.purpose, state, certificate });
        }
        Ok(Provisioned { slots })
    }

    /// The items of the plan without a certificate that is valid now.
    async fn wanted(&self, plan: &Plan, now: Time) -> Result<Vec<PlanItem>, Error> {
        let mut wanted = Vec::new();
        for item in plan.items() {
            let present = self.active(item.suite, item.purpose).await?;
            if !present.is_some_and(|entry| holds(&entry, now)) {
                wanted.push(item);
            }
        }
        Ok(wanted)
    }

    fn config(&self) -> Config {
        let parts = self.aecm().parts();
        let trust = &parts.trust;
        let anchors = IssuerAnchors {
            smime_classic: of_suite(&trust.smime, Suite::Classic),
            smime_sm2: of_suite(&trust.smime, Suite::Sm2),
            timestamp_classic: of_suite(&trust.mailbox_timestamp, Suite::Classic),
            timestamp_sm2: of_suite(&trust.mailbox_timestamp, Suite::Sm2),
        };
        let mut config = Config::new(&parts.directory_url, anchors);
        config.submission = parts.submission;
        config.limits = trust.policy.limits.clone();
        config
    }

    fn client(&self, config: Config, plan: &Plan, observer: Option<Arc<dyn Observer>>) -> Client {
        let parts = self.aecm().parts();
        let agreed = parts.consent.terms_of_service;
        let joints = Joints {
            http: Arc::clone(&parts.http),
            clock: Arc::clone(&parts.clock),
            sleep: Arc::clone(&parts.sleep),
            rng: Arc::clone(&parts.rng),
            mail: Arc::clone(&parts.mail),
            authenticator: Arc::clone(&parts.authenticator),
            sender: parts.sender.clone(),
            keys: Arc::new(StoreKeys::new(Arc::clone(&parts.store), Arc::clone(&parts.clock), plan.clone())),
            consent: agreed.then(agreed_beforehand),
            observer,
        };
        Client::new(config, joints)
    }
}

fn agreed_beforehand() -> Arc<dyn ConsentSource> {
    Arc::new(AgreedBeforehand)
}

fn holds(entry: &Entry, now: Time) -> bool {
    entry.state == EntryState::Active
        && entry.certificate.as_ref().is_some_and(|certificate| now <= certificate.not_after())
}

fn of_suite(anchors: &Anchors, suite: Suite) -> Anchors {
    let fits = |anchor: &&Certificate| anchor.public_key().is_some_and(|key| key.suite() == suite);
    Anchors::new(anchors.certificates().iter().filter(fits).cloned().collect())
}
