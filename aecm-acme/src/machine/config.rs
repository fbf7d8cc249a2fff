//! What the embedder decides; it is given anew at every start and not stored with the state.

use core::time::Duration;

use aecm_core::limits::Limits;
use aecm_core::path::Anchors;
use aecm_core::suite::{Purpose, Suite};

use crate::check::LONGEST_VALIDITY;
use crate::jws::ExternalAccount;
use crate::plan::ProfileNames;
use crate::token::TokenJoin;
use crate::wire::{TokenForm, TokenSubmission};

/// Settings of a machine.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// URL of the directory; every other URL must have its origin.
    pub directory_url: String,
    /// Takes http where the directory is on loopback: for tests.
    pub allow_loopback_http: bool,
    /// `mailto:` URLs for the CA's notices.
    pub contact: Vec<String>,
    /// The name of this device, told with each order to a service that speaks `meta.aecm`: at most 64 octets of
    /// printable ASCII.
    pub device: Option<String>,
    /// The binding to an account elsewhere, where the CA asks for one.
    pub external_account: Option<ExternalAccount>,
    /// How to submit the token, where the choice is not left to what the server offers.
    pub submission: Option<TokenSubmission>,
    /// How to join the token, where the server does not say.
    pub token_join: TokenJoin,
    /// What to submit directly, where the server does not say.
    pub token_form: TokenForm,
    /// Whether mail can be sent, which [`TokenSubmission::ReplyMail`] needs.
    pub can_reply: bool,
    /// The names of the profiles.
    pub profiles: ProfileNames,
    /// Who may issue which kind.
    pub anchors: IssuerAnchors,
    /// The longest validity of a certificate that is taken.
    pub longest_validity: Duration,
    /// Bounds on what the server sends.
    pub limits: Limits,
}

impl Config {
    /// Defaults for a directory; `anchors` say whom to trust.
    #[must_use]
    pub fn new(directory_url: &str, anchors: IssuerAnchors) -> Self {
        Self {
            directory_url: directory_url.to_owned(),
            allow_loopback_http: false,
            contact: Vec::new(),
            device: None,
            external_account: None,
            submission: None,
            token_join: TokenJoin::default(),
            token_form: TokenForm::default(),
            can_reply: false,
            profiles: ProfileNames::default(),
            anchors,
            longest_validity: LONGEST_VALIDITY,
            limits: Limits::default(),
        }
    }
}

/// Trust anchors by kind: S/MIME and mailbox timestamping have separate roots, in each suite.
#[derive(Clone, Debug)]
pub struct IssuerAnchors {
    /// Issuers of signing and encrypting certificates: classic.
    pub smime_classic: Anchors,
    /// Issuers of signing and encrypting certificates: SM2.
    pub smime_sm2: Anchors,
    /// Issuers of mailbox timestamping certificates: classic.
    pub timestamp_classic: Anchors,
    /// Issuers of mailbox timestamping certificates: SM2.
    pub timestamp_sm2: Anchors,
}

impl IssuerAnchors {
    /// The anchors of one kind.
    #[must_use]
    pub const fn of(&self, suite: Suite, purpose: Purpose) -> &Anchors {
        match (suite, purpose) {
            (Suite::Classic, Purpose::Sign | Purpose::Encrypt) => &self.smime_classic,
            (Suite::Sm2, Purpose::Sign | Purpose::Encrypt) => &self.smime_sm2,
            (Suite::Classic, Purpose::Timestamp) => &self.timestamp_classic,
            (Suite::Sm2, Purpose::Timestamp) => &self.timestamp_sm2,
        }
    }
}
