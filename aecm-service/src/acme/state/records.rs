//! The rows: accounts, orders, authorizations, certificates.

use aecm_core::certificate::Certificate;
use aecm_core::digest::DigestAlgorithm;
use aecm_core::mailbox::Mailbox;
use aecm_core::public_key::PublicKey;
use aecm_core::suite::Purpose;
use aecm_core::time::Time;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::codec;
use super::profile::Profile;
use crate::hex::hex;

/// An account (RFC 8555 §7.1.2).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::acme) struct Account {
    pub(in crate::acme) id: String,
    /// The account key as canonical JWK and its RFC 7638 thumbprint.
    pub(in crate::acme) jwk: Value,
    pub(in crate::acme) thumbprint: String,
    pub(in crate::acme) contact: Vec<String>,
    pub(in crate::acme) deactivated: bool,
    #[serde(with = "codec::time", default = "codec::begin")]
    pub(in crate::acme) created: Time,
    /// The external account it is bound to.
    pub(in crate::acme) external: Option<String>,
    /// The encrypting keys that came to it by a transfer: SHA-256 of their SPKI in hex.
    pub(in crate::acme) held: Vec<String>,
}

/// The states of an authorization (RFC 8555 §7.1.6); `expired` follows from the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::acme) enum AuthorizationState {
    Pending,
    Valid,
    Invalid,
    Deactivated,
    /// By another device of the mailbox's owner.
    Revoked,
}

/// How the mailbox is proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::acme) enum ChallengeKind {
    /// `email-token-00`: the joined token goes to the server.
    Token,
    /// `email-reply-00` (RFC 8823).
    Reply,
}

impl ChallengeKind {
    /// The challenge's type.
    pub(in crate::acme) const fn word(self) -> &'static str {
        match self {
            Self::Token => "email-token-00",
            Self::Reply => "email-reply-00",
        }
    }

    /// The last part of the challenge's URL.
    pub(in crate::acme) const fn path(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Reply => "reply",
        }
    }

    pub(in crate::acme) fn from_path(path: &str) -> Option<Self> {
        [Self::Token, Self::Reply].into_iter().find(|kind| kind.path() == path)
    }
}

/// An authorization and its one secret, shared by its challenges.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::acme) struct Authorization {
    pub(in crate::acme) id: String,
    pub(in crate::acme) account: String,
    #[serde(with = "codec::mailbox")]
    pub(in crate::acme) mailbox: Mailbox,
    pub(in crate::acme) state: AuthorizationState,
    #[serde(with = "codec::time")]
    pub(in crate::acme) created: Time,
    #[serde(with = "codec::time")]
    pub(in crate::acme) expires: Time,
    /// token-part1, which goes out by mail, and token-part2, which the challenges show.
    pub(in crate::acme) token_part1: String,
    pub(in crate::acme) token_part2: String,
    /// The address the challenge mail comes from, one for each authorization.
    #[serde(with = "codec::mailbox")]
    pub(in crate::acme) from: Mailbox,
    /// The challenge mail went out, or is about to.
    pub(in crate::acme) mailed: bool,
    pub(in crate::acme) wrong_tokens: u8,
    #[serde(with = "codec::maybe_time")]
    pub(in crate::acme) validated: Option<Time>,
    /// The client said that the reply mail is on its way.
    pub(in crate::acme) reply_awaited: bool,
    /// The challenge that the client chose, once it has.
    pub(in crate::acme) answered: Option<ChallengeKind>,
    /// The problem that made it invalid.
    pub(in crate::acme) error: Option<Value>,
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
    pub(in crate::acme) fn status(&self, now: Time) -> &'static str {
        match self.state {
            AuthorizationState::Pending if now > self.expires => "invalid",
            AuthorizationState::Pending => "pending",
            AuthorizationState::Valid if now > self.expires => "expired",
            AuthorizationState::Valid => "valid",
            AuthorizationState::Invalid => "invalid",
            AuthorizationState::Deactivated => "deactivated",
            AuthorizationState::Revoked => "revoked",
        }
    }
}

/// An order (RFC 8555 §7.1.3). Its state follows from its authorization but for the last steps.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::acme) struct Order {
    pub(in crate::acme) id: String,
    pub(in crate::acme) account: String,
    #[serde(with = "codec::mailbox")]
    pub(in crate::acme) mailbox: Mailbox,
    pub(in crate::acme) profile: Option<Profile>,
    pub(in crate::acme) authorization: String,
    #[serde(with = "codec::time")]
    pub(in crate::acme) expires: Time,
    /// The certificate it replaces (RFC 9773 §5), by id.
    pub(in crate::acme) replaces: Option<String>,
    /// What the device calls itself that orders.
    #[serde(default)]
    pub(in crate::acme) device: Option<String>,
    /// What is being certified right now; `processing` meanwhile. A restart ends it.
    #[serde(skip)]
    pub(in crate::acme) finalizing: Option<(PublicKey, Purpose)>,
    pub(in crate::acme) certificate: Option<String>,
    /// The certificate is made and shown from then on; `processing` until then.
    #[serde(with = "codec::maybe_time")]
    pub(in crate::acme) ready_at: Option<Time>,
    /// The problem that ended it.
    pub(in crate::acme) error: Option<Value>,
}

/// When and why a certificate was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::acme) struct Revocation {
    #[serde(with = "codec::time")]
    pub(in crate::acme) at: Time,
    /// RFC 5280 §5.3.1.
    pub(in crate::acme) reason: u64,
}

/// A key that is certified no more.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(in crate::acme) struct Compromised {
    /// When that was said.
    #[serde(with = "codec::time")]
    pub(in crate::acme) at: Time,
}

/// An issued certificate.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::acme) struct Issued {
    pub(in crate::acme) id: String,
    /// Certificates are counted; the later of two has the greater number.
    pub(in crate::acme) number: u64,
    pub(in crate::acme) account: String,
    #[serde(with = "codec::mailbox")]
    pub(in crate::acme) mailbox: Mailbox,
    pub(in crate::acme) profile: Profile,
    #[serde(with = "codec::certificates")]
    pub(in crate::acme) chain: Vec<Certificate>,
    pub(in crate::acme) revoked: Option<Revocation>,
    /// The certificate that replaced it (RFC 9773 §5).
    pub(in crate::acme) replaced_by: Option<String>,
    /// An encrypting one whose key gave way to another.
    pub(in crate::acme) superseded: bool,
    /// Another device removed its account from the mailbox: what it was trusted with ended, and where this is an
    /// encrypting one, it does not count as holding the key.
    #[serde(default)]
    pub(in crate::acme) disowned: bool,
    /// What the device calls itself that it was issued to.
    #[serde(default)]
    pub(in crate::acme) device: Option<String>,
}

impl Issued {
    /// The certificate itself.
    pub(in crate::acme) fn leaf(&self) -> Option<&Certificate> {
        self.chain.first()
    }

    /// Neither revoked nor expired, and no key that gave way to another.
    pub(in crate::acme) fn is_active(&self, now: Time) -> bool {
        self.revoked.is_none() && !self.superseded && !self.is_over(now)
    }

    /// Its time is over.
    pub(in crate::acme) fn is_over(&self, now: Time) -> bool {
        self.leaf().is_none_or(|leaf| now > leaf.not_after())
    }

    /// The key's name: SHA-256 of its SPKI in hex.
    pub(in crate::acme) fn key_name(&self) -> Option<String> {
        self.leaf().map(|leaf| key_name(leaf.spki_der()))
    }
}

/// The mailbox, however its domain is written.
pub(in crate::acme) fn address(mailbox: &Mailbox) -> String {
    format!("{}@{}", mailbox.local(), mailbox.ascii_domain())
}

/// SHA-256 in hex.
pub(in crate::acme) fn key_name(spki: &[u8]) -> String {
    hex(&DigestAlgorithm::Sha256.digest(spki))
}
