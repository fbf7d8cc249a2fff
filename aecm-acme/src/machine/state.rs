//! What a machine remembers, and its stored form: JSON with a version.

use aecm_core::certificate::Certificate;
use aecm_core::mailbox::Mailbox;
use aecm_core::time::Time;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use crate::jws;
use crate::plan::{Plan, PlanItem};
use crate::wire::{Directory, OrderStatus, Problem};

use super::error::Step;
use super::{AccountRecord, Consent, Issued, KeyExists, Outcome, StateError};

/// The version of the stored form.
pub(super) const VERSION: u32 = 1;

/// Orders that are kept for later: more than there are kinds of certificates.
const MAX_PARKED: usize = 16;

/// How far a request of the step has got.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Phase {
    /// Not begun.
    Idle,
    /// The directory was asked for.
    Get,
    /// A nonce was asked for.
    Nonce,
    /// The signature was asked for.
    Sign { url: String, protected: String, payload: Secret },
    /// The request is ready; `sent` once it was wished.
    Send { url: String, body: Secret, sent: bool },
}

/// A text that is wiped and not shown.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Secret(pub(super) String);

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct State {
    pub(super) version: u32,
    pub(super) directory_url: String,
    /// The orders belong to this account key (N6).
    pub(super) thumbprint: String,
    #[serde(with = "text")]
    pub(super) mailbox: Mailbox,
    pub(super) items: Vec<ItemState>,
    /// State of the jitter generator.
    pub(super) jitter: u64,
    pub(super) directory: Option<Directory>,
    pub(super) consent: Option<Consent>,
    pub(super) account: Option<AccountRecord>,
    /// The authorization that proved the mailbox last.
    #[serde(default)]
    pub(super) proof: Option<String>,
    /// The server said that the account may not do something, in a way that a closed account is told, too: where
    /// that was, and what it said. Whether the account is closed is being asked.
    #[serde(default)]
    pub(super) suspect: Option<Box<(Step, Problem)>>,
    /// Whether the account was made anew, because the server had forgotten it.
    pub(super) registered: bool,
    /// Whether the answer to a finalize or a challenge response was lost, and what became of it is being read.
    #[serde(default)]
    pub(super) unsettled: bool,
    pub(super) nonce: Option<String>,
    pub(super) step: Step,
    pub(super) phase: Phase,
    #[serde(with = "unix::option")]
    pub(super) wake_at: Option<Time>,
    /// Transient failures in a row.
    pub(super) failures: u32,
    /// badNonce answers in a row.
    pub(super) bad_nonces: u32,
    /// Orders opened for the present item.
    pub(super) reorders: u32,
    pub(super) order: Option<OrderState>,
    /// Open orders of earlier calls for what is not wanted now, one a kind of certificate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) parked: Vec<Parked>,
    /// Ids of mails whose token was used (C4).
    pub(super) consumed: Vec<String>,
    /// SHA-256 of each token-part1 that was used, base64url: a copy of its mail has another id.
    pub(super) used_tokens: Vec<String>,
}

/// An order that waits until its certificate is wanted again.
#[derive(Serialize, Deserialize)]
pub(super) struct Parked {
    pub(super) item: PlanItem,
    pub(super) order: OrderState,
}

#[derive(Serialize, Deserialize)]
pub(super) struct ItemState {
    pub(super) item: PlanItem,
    pub(super) outcome: Option<StoredOutcome>,
}

#[derive(Serialize, Deserialize)]
pub(super) enum StoredOutcome {
    Issued {
        #[serde(with = "der")]
        certificate: Certificate,
        order_url: String,
    },
    EncryptionKeyExists(Problem),
}

impl StoredOutcome {
    pub(super) fn open(&self) -> Outcome {
        match self {
            Self::Issued { certificate, order_url } => {
                Outcome::Issued(Issued { certificate: certificate.clone(), order_url: order_url.clone() })
            }
            Self::EncryptionKeyExists(problem) => {
                Outcome::EncryptionKeyExists(KeyExists::new(problem.clone()))
            }
        }
    }
}

/// The order that is open.
#[derive(Serialize, Deserialize)]
pub(super) struct OrderState {
    pub(super) url: String,
    /// The index of the item it is for.
    pub(super) item: usize,
    /// The profile that was asked for.
    pub(super) profile: Option<String>,
    /// Whether it was opened in an earlier call and may have expired since.
    pub(super) resumed: bool,
    /// Whether a CSR has left for it: the server may have issued.
    #[serde(default)]
    pub(super) submitted: bool,
    #[serde(with = "unix")]
    pub(super) opened: Time,
    #[serde(with = "unix::option")]
    pub(super) expires: Option<Time>,
    pub(super) status: OrderStatus,
    pub(super) authorization: String,
    pub(super) authorized: bool,
    pub(super) finalize: String,
    pub(super) certificate: Option<String>,
    pub(super) challenge: Option<ChallengeState>,
    /// DER of the CSR, base64url.
    pub(super) csr: Option<String>,
    pub(super) csr_refused: Option<Problem>,
    pub(super) csr_refusals: u32,
    /// The received chain in PEM.
    pub(super) chain: Option<String>,
    /// Answers that brought nothing new, in a row.
    pub(super) polls: u32,
    /// All requests of this order.
    pub(super) requests: u32,
}

impl OrderState {
    /// Whether there is a CSR that can be submitted.
    pub(super) const fn has_csr(&self) -> bool {
        self.csr.is_some() && self.csr_refused.is_none()
    }
}

/// The challenge that was chosen, as first seen (N6).
#[derive(Serialize, Deserialize)]
pub(super) struct ChallengeState {
    pub(super) url: String,
    pub(super) kind: String,
    /// The URLs of all challenges of the authorization: its one mail may hint at any of them.
    #[serde(default)]
    pub(super) siblings: Vec<String>,
    /// Whether the mail has to be asked for, and was not yet.
    #[serde(default)]
    pub(super) to_ask: bool,
    pub(super) part2: Secret,
    #[serde(with = "text")]
    pub(super) from: Mailbox,
    pub(super) submission: String,
    pub(super) join: String,
    pub(super) form: String,
    /// The joined token of the mail that is being tried.
    pub(super) token: Option<Secret>,
    pub(super) reply: Option<ReplyState>,
    pub(super) reply_wished: bool,
    pub(super) responded: bool,
    /// Tokens that were tried (at most five, A22).
    pub(super) tried: u32,
    pub(super) looks: u32,
    /// Whether its mail was waited for in an earlier call already.
    #[serde(default)]
    pub(super) resumed: bool,
    pub(super) refused: Vec<String>,
    pub(super) problem: Option<Problem>,
}

/// What a reply needs of the challenge mail.
#[derive(Serialize, Deserialize)]
pub(super) struct ReplyState {
    #[serde(with = "text")]
    pub(super) to: Mailbox,
    /// It holds token-part1.
    pub(super) subject: Secret,
    pub(super) message_id: Option<String>,
}

impl State {
    pub(super) fn new(
        directory_url: &str,
        thumbprint: &str,
        plan: &Plan,
        account: Option<AccountRecord>,
        seed: u64,
    ) -> Self {
        let items = plan.items.iter().map(|item| ItemState { item: item.clone(), outcome: None }).collect();
        Self {
            version: VERSION,
            directory_url: directory_url.to_owned(),
            thumbprint: thumbprint.to_owned(),
            mailbox: plan.mailbox.clone(),
            items,
            jitter: seed | 1,
            directory: None,
            consent: account.as_ref().and_then(|account| account.consent.clone()),
            account,
            proof: None,
            suspect: None,
            registered: false,
            unsettled: false,
            nonce: None,
            step: Step::Directory,
            phase: Phase::Idle,
            wake_at: None,
            failures: 0,
            bad_nonces: 0,
            reorders: 0,
            order: None,
            parked: Vec::new(),
            consumed: Vec::new(),
            used_tokens: Vec::new(),
        }
    }

    pub(super) fn read(saved: &[u8]) -> Result<Self, StateError> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let Version { version } = serde_json::from_slice(saved).map_err(|_| StateError::Malformed)?;
        if version != VERSION {
            return Err(StateError::Version { found: version });
        }
        serde_json::from_slice(saved).map_err(|_| StateError::Malformed)
    }

    pub(super) fn write(&self) -> Result<Zeroizing<Vec<u8>>, StateError> {
        serde_json::to_vec(self).map(Zeroizing::new).map_err(|_| StateError::Unwritable)
    }

    /// The index of the item that is being worked at: that of the open order, else the first without outcome.
    pub(super) fn current(&self) -> Option<usize> {
        match &self.order {
            Some(order) => Some(order.item),
            None => self.items.iter().position(|item| item.outcome.is_none()),
        }
    }

    pub(super) fn current_item(&self) -> Option<&PlanItem> {
        self.items.get(self.current()?).map(|item| &item.item)
    }

    /// Takes up `plan` instead; see [`Machine::retarget`](super::Machine::retarget).
    pub(super) fn retarget(&mut self, plan: &Plan) {
        let open = self.current_item().cloned();
        if let Some((item, order)) = open.zip(self.order.take()) {
            self.parked.retain(|parked| !parked.item.is_same_kind(&item));
            let spare = self.parked.len().saturating_sub(MAX_PARKED - 1);
            self.parked.drain(..spare);
            self.parked.push(Parked { item, order });
        }
        self.items = plan.items.iter().map(|item| ItemState { item: item.clone(), outcome: None }).collect();
        self.unpark();
        self.step = Step::Directory;
        self.phase = Phase::Idle;
        self.wake_at = None;
        self.failures = 0;
        self.bad_nonces = 0;
        self.reorders = 0;
        self.registered = false;
        self.suspect = None;
    }

    /// The place of an order of an earlier call whose certificate is wanted now, and the index of its item.
    pub(super) fn wanted_parked(&self) -> Option<(usize, usize)> {
        let wanted = |parked: &Parked| {
            let open = |item: &ItemState| item.outcome.is_none() && item.item.is_same_kind(&parked.item);
            self.items.iter().position(open)
        };
        let mut latest = self.parked.iter().enumerate().rev().filter(|_| self.order.is_none());
        latest.find_map(|(place, parked)| wanted(parked).map(|item| (place, item)))
    }

    /// Goes on with an order of an earlier call whose certificate is wanted now, the latest first. Whether there is
    /// one.
    pub(super) fn unpark(&mut self) -> bool {
        let Some((place, item)) = self.wanted_parked() else { return false };
        let mut order = self.parked.remove(place).order;
        order.item = item;
        if !order.submitted {
            // Which key it is to be for is decided anew: nobody has seen the old request.
            order.csr = None;
            order.csr_refused = None;
        }
        self.order = Some(order);
        self.take_up_again();
        self.order.is_some()
    }

    /// The open order is gone on with by another try: what the server said of its state is read anew. An order
    /// whose mail carried a wrong token is given up, for that mail is used up and no other will come.
    pub(super) fn take_up_again(&mut self) {
        let hopeless = |order: &mut OrderState| {
            !order.authorized
                && order.challenge.as_ref().is_some_and(|known| known.tried > 0 && known.token.is_none())
        };
        let _given_up = self.order.take_if(hopeless);
        if let Some(order) = &mut self.order {
            order.resumed = true;
            order.status = OrderStatus::Pending;
            order.authorized = false;
            order.certificate = None;
            order.chain = None;
            order.polls = 0;
        }
        self.unsettled = false;
    }

    /// Closes the present item and goes on to the next.
    pub(super) fn finish_item(&mut self, outcome: StoredOutcome) {
        if let Some(item) = self.current().and_then(|current| self.items.get_mut(current)) {
            item.outcome = Some(outcome);
        }
        self.order = None;
        self.reorders = 0;
        self.step = Step::NewOrder;
    }
}

/// Times as seconds.
pub(super) mod unix {
    use super::{Deserialize, Serialize, Time};
    use serde::{Deserializer, Serializer};

    pub(in crate::machine) fn serialize<S: Serializer>(
        time: &Time,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        time.unix().serialize(serializer)
    }

    pub(in crate::machine) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Time, D::Error> {
        i64::deserialize(deserializer).map(Time::from_unix)
    }

    pub(super) mod option {
        use super::{Deserialize, Deserializer, Serialize, Serializer, Time};

        pub(in crate::machine) fn serialize<S: Serializer>(
            time: &Option<Time>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            time.map(Time::unix).serialize(serializer)
        }

        pub(in crate::machine) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<Time>, D::Error> {
            Ok(Option::<i64>::deserialize(deserializer)?.map(Time::from_unix))
        }
    }
}

/// Mailboxes as text.
mod text {
    use super::{Deserialize, Mailbox};
    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(mailbox: &Mailbox, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(mailbox.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Mailbox, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Certificates as base64url of their DER.
mod der {
    use super::{Certificate, Deserialize, jws};
    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        certificate: &Certificate,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&jws::encode(certificate.as_der()))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Certificate, D::Error> {
        let text = String::deserialize(deserializer)?;
        let der = jws::decode(&text).ok_or_else(|| serde::de::Error::custom("not base64url"))?;
        Certificate::from_der(&der).map_err(serde::de::Error::custom)
    }
}
