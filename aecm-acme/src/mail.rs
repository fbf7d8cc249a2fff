//! The joints to the mailbox: where challenge mails come from, who says they are genuine, and who sends the
//! reply that plain RFC 8823 asks for.

#[cfg(feature = "maildir")]
pub mod maildir;

use core::fmt;
use core::time::Duration;

use aecm_core::embed::MaybeSendSync;
use aecm_core::mailbox::Mailbox;
use aecm_core::time::Time;
use async_trait::async_trait;

use crate::token::TokenPart1;

/// A received mail.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// The source's own name for it (IMAP UID with UIDVALIDITY, a file name): the same at every look, never
    /// reused. Mails are consumed once by this name (THREATS C4).
    pub id: String,
    /// When the mailbox received it.
    pub received: Time,
    /// Its octets, header and body, as received.
    pub raw: Vec<u8>,
}

/// Without the octets: a challenge mail holds a token (THREATS N9).
impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, received, raw } = self;
        f.debug_struct("Mail")
            .field("id", id)
            .field("received", received)
            .field("octets", &raw.len())
            .finish()
    }
}

/// Reads a mailbox.
#[cfg_attr(not(target_family = "wasm"), async_trait)]
#[cfg_attr(target_family = "wasm", async_trait(?Send))]
pub trait MailSource: MaybeSendSync {
    /// The mails of `mailbox` received at `since` or later, the oldest first. Nothing is changed or deleted.
    ///
    /// A source may leave out mails whose Subject cannot hold a challenge.
    ///
    /// # Errors
    /// [`MailError`] when the mailbox cannot be read now.
    async fn mails(&self, mailbox: &Mailbox, since: Time) -> Result<Vec<Mail>, MailError>;

    /// Waits until a mail arrives, at most for `at_most` (IMAP IDLE and the like).
    ///
    /// `false` says that this source cannot wait and returned at once: the driver then sleeps instead.
    async fn wait(&self, mailbox: &Mailbox, at_most: Duration) -> bool {
        let _ = (mailbox, at_most);
        false
    }
}

/// Sends mail.
#[cfg_attr(not(target_family = "wasm"), async_trait)]
#[cfg_attr(target_family = "wasm", async_trait(?Send))]
pub trait MailSender: MaybeSendSync {
    /// Hands `raw`, header and body with CRLF line ends, to the mail system of `from`, for `to` alone.
    ///
    /// # Errors
    /// [`MailError`] when it was not taken.
    async fn send(&self, from: &Mailbox, to: &Mailbox, raw: &[u8]) -> Result<(), MailError>;
}

/// Why a mailbox could not be read or a mail not be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MailError {
    /// The mail system has no such mailbox, or refuses it to us.
    NoMailbox(String),
    /// The mail system did not answer, or not now.
    Transport(String),
}

impl fmt::Display for MailError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoMailbox(mailbox) => write!(f, "the mail system refuses access to {mailbox}"),
            Self::Transport(detail) => write!(f, "the mail system did not answer: {detail}"),
        }
    }
}

impl core::error::Error for MailError {}

/// The challenge a mail would have to belong to.
#[derive(Clone, Copy, Debug)]
pub struct ExpectedChallenge<'a> {
    /// The mailbox that is being proven: the mail's only recipient.
    pub mailbox: &'a Mailbox,
    /// The `from` of the challenge object: the mail's only author.
    pub from: &'a Mailbox,
    /// The URL of the challenge; `authz=` in Auto-Submitted is base64url of its SHA-256 (STANDARDS A22).
    /// Empty where it is not known, as for somebody who looks into a mail: the hint is not compared then.
    pub challenge_url: &'a str,
    /// When the order was opened: no mail of it can be older.
    pub order_created: Time,
    /// The present time.
    pub now: Time,
}

/// What a genuine challenge mail said.
#[derive(Clone)]
pub struct ChallengeMail {
    /// token-part1.
    pub token_part1: TokenPart1,
    /// `authz=` of a signed Auto-Submitted header, where there is one.
    pub authz_hint: Option<String>,
    /// The Message-ID, with its angle brackets.
    pub message_id: Option<String>,
    /// Where a reply goes: Reply-To, else From.
    pub reply_to: Mailbox,
    /// The Subject, decoded and unfolded, for the reply's.
    pub subject: String,
}

/// Without the token and the Subject, which holds it.
impl fmt::Debug for ChallengeMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChallengeMail")
            .field("authz_hint", &self.authz_hint)
            .field("message_id", &self.message_id)
            .field("reply_to", &self.reply_to)
            .finish_non_exhaustive()
    }
}

/// Decides whether a mail is the challenge mail of an open order (RFC 8823 §3.1, THREATS C1–C6).
#[cfg_attr(not(target_family = "wasm"), async_trait)]
#[cfg_attr(target_family = "wasm", async_trait(?Send))]
pub trait ChallengeAuthenticator: MaybeSendSync {
    /// Reads `mail` and proves its origin.
    ///
    /// # Errors
    /// [`ChallengeRefusal`] for any other mail; it is then left alone.
    async fn authenticate(
        &self,
        mail: &Mail,
        expected: &ExpectedChallenge<'_>,
    ) -> Result<ChallengeMail, ChallengeRefusal>;
}

/// Why a mail is not the challenge mail that is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChallengeRefusal {
    /// The Subject does not begin with `ACME:` (a reply prefix included): any other mail.
    NotAChallenge,
    /// The mail cannot be read.
    Malformed {
        /// What is wrong.
        why: &'static str,
    },
    /// A header field that must stand exactly once is missing or repeated (C2).
    HeaderCount {
        /// Its name.
        name: &'static str,
        /// How often it stands there.
        count: usize,
    },
    /// From is not the challenge's `from`.
    From,
    /// To is not the mailbox alone.
    To,
    /// Date or receipt lies outside the order's time (C4).
    Date,
    /// Auto-Submitted is not `auto-generated` (RFC 8823 §3.1 item 5).
    AutoSubmitted,
    /// The text after `ACME:` is no token (C3).
    Token(crate::token::TokenError),
    /// The hint names another authorization (A22).
    OtherAuthorization,
    /// The origin is not proven (C1).
    NotAuthentic {
        /// What failed: no signature, a wrong domain, a header that is not covered.
        why: String,
    },
    /// The proof could not be looked up now; the mail may be tried again.
    Temporary {
        /// What did not answer.
        why: String,
    },
}

impl ChallengeRefusal {
    /// Whether the same mail may be accepted at a later try.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::Temporary { .. })
    }
}

impl fmt::Display for ChallengeRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAChallenge => f.write_str("the Subject is not that of a challenge mail"),
            Self::Malformed { why } => write!(f, "the mail cannot be read: {why}"),
            Self::HeaderCount { name, count } => {
                write!(f, "the header field {name} stands {count} times, once is needed")
            }
            Self::From => f.write_str("From is not the address the challenge names"),
            Self::To => f.write_str("To is not the mailbox that is being proven, alone"),
            Self::Date => f.write_str("the mail was not sent within the time of the order"),
            Self::AutoSubmitted => f.write_str("Auto-Submitted is not auto-generated"),
            Self::Token(error) => write!(f, "the Subject has no token: {error}"),
            Self::OtherAuthorization => f.write_str("the mail belongs to another authorization"),
            Self::NotAuthentic { why } => write!(f, "the sender is not proven: {why}"),
            Self::Temporary { why } => write!(f, "the sender could not be checked now: {why}"),
        }
    }
}

impl core::error::Error for ChallengeRefusal {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Token(error) => Some(error),
            _ => None,
        }
    }
}

/// The reply that plain RFC 8823 asks for (§3.2): what the machine wishes to be composed and sent.
#[derive(Clone, PartialEq, Eq)]
pub struct ReplyMail {
    /// From: the mailbox that is being proven.
    pub from: Mailbox,
    /// To: Reply-To of the challenge mail, else its From.
    pub to: Mailbox,
    /// The Subject of the challenge mail, decoded and unfolded, without a reply prefix.
    pub subject: String,
    /// The Message-ID of the challenge mail, for In-Reply-To.
    pub in_reply_to: Option<String>,
    /// base64url(SHA-256(key authorization)), the text between the BEGIN and END lines.
    pub digest: String,
}

/// Without Subject and digest (THREATS N9).
impl fmt::Debug for ReplyMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplyMail").field("from", &self.from).field("to", &self.to).finish_non_exhaustive()
    }
}
