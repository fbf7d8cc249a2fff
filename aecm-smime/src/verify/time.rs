//! The joint where timestamps are verified; `aecm-timestamp` fills it.

use core::time::Duration;

use aecm_core::embed::MaybeSendSync;
use aecm_core::mailbox::Mailbox;
use aecm_core::time::Time;

/// Verifies one value of id-aa-timeStampToken (RFC 3161 appendix A).
pub trait TokenVerifier: MaybeSendSync {
    /// Says what `token`, a ContentInfo in BER or DER, shows about `signature_value`, the octets it should have
    /// been made over.
    fn verify_token(&self, token: &[u8], signature_value: &[u8]) -> TokenFinding;
}

/// What a timestamp token shows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenFinding {
    /// The signature existed at `time`, as an authority that the policy trusts says.
    Proven {
        /// genTime
        time: Time,
        /// How far genTime may be off.
        accuracy: Option<Duration>,
        /// The authority, as its certificate names it.
        authority: String,
        /// On what ground it is trusted.
        trust: TimestampTrust,
        /// The mailboxes that its certificate names: those whose mail a
        /// [`TimestampTrust::MailboxBoundTsu`] may stamp. Others name none.
        mailboxes: Vec<Mailbox>,
    },
    /// The owner of the mailbox says so. It proves nothing and never moves the proven time.
    SelfAsserted {
        /// genTime
        time: Time,
        /// Who says so, as its certificate names it.
        authority: String,
    },
    /// The token is wrong.
    Refused {
        /// A stable word that begins with `timestamp-`.
        word: &'static str,
        /// A sentence for people.
        detail: String,
    },
    /// The token shows nothing here, and is not wrong either: no anchors (`no-tsa-anchor`), or an authority that is
    /// not trusted.
    NotEvaluated {
        /// A stable word.
        word: &'static str,
        /// A sentence for people.
        detail: String,
    },
}

/// On what ground a timestamp is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimestampTrust {
    /// A time-stamping authority under a TSA root.
    Tsa,
    /// A unit that the service holds for this mailbox, which an explicit policy entry trusts.
    MailboxBoundTsu,
    /// The mailbox's own key: shown, never believed.
    SelfAsserted,
}

impl TimestampTrust {
    /// The stable word: `tsa`, `mailbox-bound` or `self-asserted`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Tsa => "tsa",
            Self::MailboxBoundTsu => "mailbox-bound",
            Self::SelfAsserted => "self-asserted",
        }
    }
}
