//! Wishes and answers.

use core::fmt;
use core::time::Duration;

use aecm_core::certificate::Certificate;
use aecm_core::embed::{HttpError, HttpRequest, HttpResponse};
use aecm_core::mailbox::Mailbox;
use aecm_core::time::Time;
use serde::{Deserialize, Serialize};

use crate::mail::{ChallengeMail, ChallengeRefusal, ReplyMail};
use crate::plan::PlanItem;
use crate::wire::{self, Problem};

use super::state::unix;

/// What a machine wishes.
#[allow(missing_debug_implementations)] // a request may hold a token
#[non_exhaustive]
pub enum Output {
    /// Ask the user to agree to these terms, once (STANDARDS A30); answer with [`Input::Consent`].
    Consent {
        /// URL of the terms of service.
        terms_url: String,
    },
    /// Sign with the account key, ES256; answer with [`Input::Signature`] in DER.
    Sign {
        /// The octets to sign.
        octets: Vec<u8>,
    },
    /// Send this request, follow no redirect; answer with [`Input::Response`].
    Send(HttpRequest),
    /// Look for the challenge mail; answer with [`Input::Mails`].
    WaitMail(WaitMail),
    /// Compose and send this reply; answer with [`Input::ReplySent`].
    SendReply(ReplyMail),
    /// Make the key of this item if it has none, and its CSR; answer with [`Input::Csr`].
    Csr {
        /// What is wanted.
        item: PlanItem,
        /// Why the server refused the CSR before.
        refused: Option<Problem>,
    },
    /// Store this certificate, which was checked; answer with [`Input::Installed`].
    Install {
        /// What it is.
        item: PlanItem,
        /// The certificate and its intermediates, without the anchor.
        chain: Vec<Certificate>,
    },
    /// Come back at that time; answer with [`Input::Woken`] or just poll.
    Sleep {
        /// When.
        until: Time,
    },
    /// Everything of the plan is there.
    Done(Report),
}

impl Output {
    /// Its name.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Consent { .. } => "Consent",
            Self::Sign { .. } => "Sign",
            Self::Send(_) => "Send",
            Self::WaitMail(_) => "WaitMail",
            Self::SendReply(_) => "SendReply",
            Self::Csr { .. } => "Csr",
            Self::Install { .. } => "Install",
            Self::Sleep { .. } => "Sleep",
            Self::Done(_) => "Done",
        }
    }
}

/// Which mail is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitMail {
    /// The mailbox to look into.
    pub mailbox: Mailbox,
    /// The address the mail comes from.
    pub from: Mailbox,
    /// The challenge it belongs to.
    pub challenge_url: String,
    /// Other challenges of the same authorization: its mail may name any of them.
    pub sibling_urls: Vec<String>,
    /// When the order was opened.
    pub order_created: Time,
    /// No older mails, a little skew of clocks allowed.
    pub since: Time,
    /// Wait so long before looking; zero at the first look.
    pub wait: Duration,
    /// Mails with these ids were used already (THREATS C4).
    pub consumed: Vec<String>,
}

/// What came of a wish.
#[allow(missing_debug_implementations)] // an answer may hold a token
#[non_exhaustive]
pub enum Input {
    /// The user agreed, or did not.
    Consent(Option<Consent>),
    /// The signature of the account key, in DER.
    Signature(Vec<u8>),
    /// The answer, or why there is none.
    Response(Result<HttpResponse, HttpError>),
    /// What was found in the mailbox.
    Mails {
        /// Genuine challenge mails, the oldest first.
        accepted: Vec<AcceptedMail>,
        /// Mails with the Subject of a challenge that are not genuine or not this order's.
        refused: Vec<RefusedMail>,
    },
    /// The reply was taken by the mail system.
    ReplySent,
    /// The CSR, in DER.
    Csr(Vec<u8>),
    /// The certificate is stored.
    Installed,
    /// The time has come.
    Woken,
}

impl Input {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Consent(_) => "Consent",
            Self::Signature(_) => "Signature",
            Self::Response(_) => "Response",
            Self::Mails { .. } => "Mails",
            Self::ReplySent => "ReplySent",
            Self::Csr(_) => "Csr",
            Self::Installed => "Installed",
            Self::Woken => "Woken",
        }
    }
}

/// A mail that the authenticator accepted.
#[derive(Clone, Debug)]
pub struct AcceptedMail {
    /// Its id in the mail source.
    pub id: String,
    /// What it says.
    pub challenge: ChallengeMail,
}

/// A mail that looked like a challenge and was left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedMail {
    /// Its id in the mail source.
    pub id: String,
    /// Why.
    pub reason: ChallengeRefusal,
}

/// That the user agreed to the terms of service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// URL of the terms.
    pub terms_url: String,
    /// SHA-256 of the document the user saw, in hexadecimal, where the embedder fetched it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_sha256: Option<String>,
    /// When.
    #[serde(with = "unix")]
    pub agreed_at: Time,
}

/// An account at a server, to be kept between plans.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRecord {
    /// URL of the directory.
    pub directory: String,
    /// URL of the account: the `kid`.
    pub url: String,
    /// The thumbprint of its key.
    pub thumbprint: String,
    /// What was agreed to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<Consent>,
}

/// What a plan came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The account.
    pub account: Option<AccountRecord>,
    /// The items of the plan and what came of each.
    pub outcomes: Vec<(PlanItem, Outcome)>,
}

/// What came of one item.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It was issued and installed.
    Issued(Issued),
    /// The mailbox has an encrypting key already; it is to be fetched from another device or the service.
    EncryptionKeyExists(KeyExists),
}

/// That the mailbox has an encrypting key of the suite already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyExists {
    /// What the server said; `instance` is where the key can be asked for.
    pub problem: Problem,
    /// The certificate in use, where the server sent it. It was not validated.
    pub certificate: Option<Certificate>,
    /// Those above it, as the server sent them.
    pub chain: Vec<Certificate>,
}

impl KeyExists {
    pub(super) fn new(problem: Problem) -> Self {
        let certificate = problem.certificate.as_deref().and_then(wire::certificates::certificate);
        let chain = problem
            .chain
            .iter()
            .filter_map(|text| wire::certificates::certificate(text))
            .take(MAX_CHAIN)
            .collect();
        Self { problem, certificate, chain }
    }
}

/// Certificates above the one in use that are looked at.
const MAX_CHAIN: usize = 10;

/// An issued certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// The certificate.
    pub certificate: Certificate,
    /// URL of its order.
    pub order_url: String,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Issued(issued) => write!(f, "issued, valid until {}", issued.certificate.not_after()),
            Self::EncryptionKeyExists(_) => f.write_str("the mailbox has an encrypting key already"),
        }
    }
}
