//! The mails of RFC 8823: the challenge mail read, its origin proven, and both mails composed.
//!
//! A client gives every new mail to a [`ChallengeAuthenticator`](crate::mail::ChallengeAuthenticator):
//! [`DkimAuthenticator`] checks the DKIM signature itself, [`AuthenticationResultsAuthenticator`] believes the
//! mailbox's own border server. Others (S/MIME) implement the trait over [`read_challenge`]. A server composes
//! with [`ChallengeDraft`], signs with [`challenge_sign_options`], and checks replies with
//! [`authenticate_reply`].
//!
//! ```
//! use aecm_acme::email::ChallengeDraft;
//! use aecm_acme::mail::ExpectedChallenge;
//! use aecm_acme::token::TokenPart1;
//! use aecm_core::{limits::Limits, mailbox::Mailbox, time::Time};
//!
//! let (ca, alice): (Mailbox, Mailbox) = ("acme@ca.example".parse()?, "alice@example.org".parse()?);
//! let (token, url, now) = (TokenPart1::parse("MZfj3Md0g5JsI2VSj7OgwINIx2NzBd9W")?, "https://ca.example/c/1", Time::from_unix(1_795_420_800));
//! let draft = ChallengeDraft {
//!     from: &ca, to: &alice, token_part1: &token, challenge_url: Some(url), date: now,
//!     message_id: "<1@ca.example>", reply_to: None, text: None,
//! };
//! let mail = draft.compose()?;
//!
//! let expected = ExpectedChallenge { mailbox: &alice, from: &ca, challenge_url: url, order_created: now, now };
//! let read = aecm_acme::email::read_challenge(&mail, now, &expected, &Limits::default())?;
//! assert!(read.token_part1 == token);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod authenticity;
mod compose;
#[doc(hidden)]
pub mod fuzzing;
mod lexer;
mod message;
mod refusal;
mod reply;
mod results;
mod text_part;

pub use self::authenticity::{
    DkimAuthenticator, PendingChallenge, RELAXED_FIELDS, RFC8823_FIELDS, SignedHeaders,
};
pub use self::compose::{ChallengeDraft, ComposeError, challenge_sign_options};
pub use self::message::{CLOCK_SKEW, authz_hint, read_challenge};
pub use self::refusal::Unproven;
pub use self::reply::{ExpectedReply, PendingReply, Reply, ReplyRefusal, authenticate_reply};
pub use self::results::AuthenticationResultsAuthenticator;

#[cfg(test)]
mod tests;
