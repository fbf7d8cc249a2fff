//! What the server remembers, in memory: accounts, orders, authorizations, certificates.

use std::collections::BTreeMap;
use std::time::Duration;

use aecm_core::certificate::Certificate;
use aecm_core::mailbox::Mailbox;
use aecm_core::public_key::PublicKey;
use aecm_core::suite::{Purpose, Suite};
use aecm_core::time::Time;
use serde_json::Value;

use super::nonce::Nonces;

/// An order and its challenge mail live this long (S/MIME BR §3.2.2.2: a random value at most 24 hours).
pub(super) const PENDING_LIFETIME: Duration = Duration::from_secs(86_400);
/// A valid authorization may be used again this long (S/MIME BR §4.2.1: 30 days by mail).
pub(super) const VALID_LIFETIME: Duration = Duration::from_secs(30 * 86_400);
/// How many wrong tokens an authorization bears (STANDARDS A2).
pub(super) const WRONG_TOKENS: u8 = 5;
/// How many pending authorizations an account has for one mailbox, each with a challenge mail. Not counted over
/// all accounts: a stranger could lock the owner out.
pub(super) const PENDING_PER_MAILBOX: usize = 20;

/// An account (RFC 8555 §7.1.2).
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) id: String,
    /// The account key as canonical JWK and its RFC 7638 thumbprint.
    pub(super) jwk: Value,
    pub(super) thumbprint: String,
    pub(super) contact: Vec<String>,
    pub(super) deactivated: bool,
}

/// The states of an authorization (RFC 8555 §7.1.6); `expired` follows from the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AuthorizationState {
    Pending,
    Valid,
    Invalid,
    Deactivated,
}

/// An authorization and its one secret, shared by its challenges.
#[derive(Clone)]
pub(super) struct Authorization {
    pub(super) id: String,
    pub(super) account: String,
    pub(super) mailbox: Mailbox,
    pub(super) state: AuthorizationState,
    pub(super) created: Time,
    pub(super) expires: Time,
    /// token-part1, which went out by mail, and token-part2, which the challenges show.
    pub(super) token_part1: String,
    pub(super) token_part2: String,
    /// The address the challenge mail came from, one for each authorization.
    pub(super) from: Mailbox,
    pub(super) wrong_tokens: u8,
    pub(super) validated: Option<Time>,
    /// The client said that the reply mail is on its way.
    pub(super) reply_awaited: bool,
    /// The type of the challenge that the client chose, once it has.
    pub(super) answered: Option<&'static str>,
    /// The problem that made it invalid.
    pub(super) error: Option<Value>,
}

impl core::fmt::Debug for Authorization {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // token-part1 proves control of the mailbox: never printed (N9).
        f.debug_struct("Authorization")
            .field("id", &self.id)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Authorization {
    /// The state's word at `now`.
    pub(super) fn status(&self, now: Time) -> &'static str {
        match self.state {
            AuthorizationState::Pending if now > self.expires => "invalid",
            AuthorizationState::Pending => "pending",
            AuthorizationState::Valid if now > self.expires => "expired",
            AuthorizationState::Valid => "valid",
            AuthorizationState::Invalid => "invalid",
            AuthorizationState::Deactivated => "deactivated",
        }
    }
}

/// A kind of certificate that can be ordered: `{suite}-{purpose}-mv`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Profile {
    pub(super) suite: Suite,
    pub(super) purpose: Purpose,
}

impl Profile {
    pub(super) fn all() -> impl Iterator<Item = Self> {
        Suite::ALL
            .into_iter()
            .flat_map(|suite| Purpose::ALL.into_iter().map(move |purpose| Self { suite, purpose }))
    }

    pub(super) fn name(self) -> String {
        format!("{}-{}-mv", self.suite.word(), self.purpose.word())
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|profile| profile.name() == name)
    }
}

/// An order (RFC 8555 §7.1.3). Its state follows from its authorization but for the last steps.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) id: String,
    pub(super) account: String,
    pub(super) mailbox: Mailbox,
    pub(super) profile: Option<Profile>,
    pub(super) authorization: String,
    pub(super) expires: Time,
    /// What is being certified right now; `processing` meanwhile.
    pub(super) finalizing: Option<(PublicKey, Purpose)>,
    pub(super) certificate: Option<String>,
    /// The certificate is made and shown from then on; `processing` until then.
    pub(super) ready_at: Option<Time>,
    /// The problem that ended it.
    pub(super) error: Option<Value>,
}

/// An issued certificate.
#[derive(Clone, Debug)]
pub(super) struct Issued {
    pub(super) id: String,
    pub(super) account: String,
    pub(super) mailbox: Mailbox,
    pub(super) purpose: Purpose,
    pub(super) chain: Vec<Certificate>,
    /// When and with which RFC 5280 reason it was revoked.
    pub(super) revoked: Option<(Time, u64)>,
}

/// Everything.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) nonces: Nonces,
    pub(super) accounts: BTreeMap<String, Account>,
    pub(super) orders: BTreeMap<String, Order>,
    pub(super) authorizations: BTreeMap<String, Authorization>,
    pub(super) certificates: BTreeMap<String, Issued>,
}

impl State {
    /// The order's state word at `now` (RFC 8555 §7.1.6).
    pub(super) fn order_status(&self, order: &Order, now: Time) -> &'static str {
        if order.error.is_some() {
            return "invalid";
        }
        if order.finalizing.is_some() {
            return "processing";
        }
        if order.certificate.is_some() {
            return if order.ready_at.is_some_and(|ready| now < ready) { "processing" } else { "valid" };
        }
        let authorization = self.authorizations.get(&order.authorization).map(|found| found.status(now));
        match authorization {
            _ if now > order.expires => "invalid",
            Some("pending") => "pending",
            Some("valid") => "ready",
            _ => "invalid",
        }
    }

    /// A valid authorization of that account for that mailbox that can be used again.
    pub(super) fn reusable(&self, account: &str, mailbox: &Mailbox, now: Time) -> Option<&Authorization> {
        self.authorizations.values().find(|authorization| {
            authorization.account == account
                && authorization.mailbox.matches(mailbox)
                && authorization.status(now) == "valid"
        })
    }

    /// When the pending authorizations of that account for that mailbox end.
    pub(super) fn pending(&self, account: &str, mailbox: &Mailbox, now: Time) -> impl Iterator<Item = Time> {
        let pending = self.authorizations.values().filter(move |authorization| {
            authorization.account == account
                && authorization.mailbox.matches(mailbox)
                && authorization.status(now) == "pending"
        });
        pending.map(|authorization| authorization.expires)
    }

    /// Whether `key` is certified, or about to be, for another purpose or another mailbox.
    pub(super) fn certified_otherwise(&self, key: &PublicKey, purpose: Purpose, mailbox: &Mailbox) -> bool {
        let issued = self.certificates.values().filter_map(|issued| {
            let leaf = issued.chain.first().and_then(Certificate::public_key)?;
            Some((leaf, issued.purpose, &issued.mailbox))
        });
        let under_way = self.orders.values().filter_map(|order| {
            let (key, purpose) = order.finalizing.as_ref()?;
            Some((key, *purpose, &order.mailbox))
        });
        issued
            .chain(under_way)
            .any(|(other, used_for, of)| other == key && (used_for != purpose || !of.matches(mailbox)))
    }

    /// Forgets the orders that came to nothing and the authorizations that are over; gives the addresses whose
    /// challenge mails nobody need answer any more.
    pub(super) fn forget_expired(&mut self, now: Time) -> Vec<Mailbox> {
        self.orders.retain(|_, order| {
            now <= order.expires || order.certificate.is_some() || order.finalizing.is_some()
        });
        let over = self.authorizations.extract_if(.., |_, authorization| now > authorization.expires);
        over.map(|(_, authorization)| authorization.from).collect()
    }

    /// The account with that key.
    pub(super) fn account_by_thumbprint(&self, thumbprint: &str) -> Option<&Account> {
        self.accounts.values().find(|account| account.thumbprint == thumbprint)
    }
}
