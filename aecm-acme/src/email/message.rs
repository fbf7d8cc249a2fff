//! Reading a challenge mail (RFC 8823 §3.1): everything but the proof of its origin.

use std::time::Duration;

use aecm_core::header;
use aecm_core::limits::Limits;
use aecm_core::mailbox::Mailbox;
use aecm_core::time::Time;
use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};

use super::lexer::{Token, pairs, segments, tokens};
use crate::dkim::fields::{Field, Message, Octets};
use crate::mail::{ChallengeMail, ChallengeRefusal, ExpectedChallenge};
use crate::token::TokenPart1;

/// How far the clocks of the CA, the mail system and this machine may differ.
pub const CLOCK_SKEW: Duration = Duration::from_secs(300);

/// The `authz=` value of a challenge mail: base64url of SHA-256 of the challenge's URL (STANDARDS A22).
///
/// ```
/// let hint = aecm_acme::email::authz_hint("https://ca.example/acme/challenge/1");
/// assert_eq!(hint.len(), 43);
/// ```
#[must_use]
pub fn authz_hint(challenge_url: &str) -> String {
    Base64UrlUnpadded::encode_string(&Sha256::digest(challenge_url.as_bytes()))
}

/// Reads `raw` as the challenge mail of the open order `expected`; its origin is **not** proven by this.
///
/// For authenticators: prove the origin of exactly these octets (of the protected header, where a signature
/// has one) and return what this returns. `received` is when the mailbox received the mail.
///
/// # Errors
/// [`ChallengeRefusal`], [`NotAChallenge`](ChallengeRefusal::NotAChallenge) for every mail whose Subject does
/// not begin with `ACME:`.
pub fn read_challenge(
    raw: &[u8],
    received: Time,
    expected: &ExpectedChallenge<'_>,
    limits: &Limits,
) -> Result<ChallengeMail, ChallengeRefusal> {
    let octets =
        Octets::new(raw, limits).map_err(|error| ChallengeRefusal::Malformed { why: error.why() })?;
    let message =
        octets.take_apart(limits).map_err(|error| ChallengeRefusal::Malformed { why: error.why() })?;
    read(&message, received, expected)
}

pub(super) fn read(
    message: &Message<'_>,
    received: Time,
    expected: &ExpectedChallenge<'_>,
) -> Result<ChallengeMail, ChallengeRefusal> {
    let mut subjects: Vec<String> =
        message.named("subject").map(|field| header::decoded(field.value)).collect();
    if !subjects.iter().any(|subject| subject.starts_with("ACME:")) {
        return Err(ChallengeRefusal::NotAChallenge);
    }
    // C2: what stands twice is read one way here and another way there.
    for name in ["subject", "from", "to", "date"] {
        exactly_one(message, name)?;
    }
    for name in ["auto-submitted", "message-id", "reply-to", "sender"] {
        at_most_one(message, name)?;
    }
    let from = exactly_one(message, "from")?;
    if !is_alone(from, expected.from) {
        return Err(ChallengeRefusal::From);
    }
    let to = exactly_one(message, "to")?;
    if !is_alone(to, expected.mailbox) {
        return Err(ChallengeRefusal::To);
    }
    let authz_hint = match at_most_one(message, "auto-submitted")? {
        None => return Err(ChallengeRefusal::AutoSubmitted),
        Some(field) => auto_generated(field).ok_or(ChallengeRefusal::AutoSubmitted)?,
    };
    let date = header::parse_date(exactly_one(message, "date")?.value)
        .ok_or(ChallengeRefusal::Malformed { why: "Date cannot be read" })?;
    if !within(date, received, expected.order_created, expected.now) {
        return Err(ChallengeRefusal::Date);
    }
    let subject = subjects.pop().unwrap_or_default();
    let token_part1 = token_of(&subject)?;
    let other = |hint: &str| hint != self::authz_hint(expected.challenge_url);
    if !expected.challenge_url.is_empty() && authz_hint.as_deref().is_some_and(other) {
        return Err(ChallengeRefusal::OtherAuthorization);
    }
    let reply_to = match at_most_one(message, "reply-to")? {
        None => expected.from.clone(),
        Some(field) => {
            let address = header::parse_single_address(field.value);
            address.map_err(|_| ChallengeRefusal::Malformed { why: "Reply-To is not one address" })?.mailbox
        }
    };
    let message_id = at_most_one(message, "message-id")?.and_then(message_id);
    Ok(ChallengeMail { token_part1, authz_hint, message_id, reply_to, subject })
}

/// The Subject after decoding: `ACME:`, white space, the token, in which white space is ignored (§3.1 item 1).
fn token_of(subject: &str) -> Result<TokenPart1, ChallengeRefusal> {
    let rest = subject.strip_prefix("ACME:").ok_or(ChallengeRefusal::NotAChallenge)?;
    if !rest.is_empty() && !rest.starts_with([' ', '\t']) {
        return Err(ChallengeRefusal::Malformed { why: "no white space after ACME:" });
    }
    TokenPart1::parse(&without_blanks(rest)).map_err(ChallengeRefusal::Token)
}

pub(super) fn without_blanks(text: &str) -> String {
    text.chars().filter(|char| !matches!(char, ' ' | '\t')).collect()
}

/// Whether the field holds that one address and no other.
pub(super) fn is_alone(field: &Field<'_>, wanted: &Mailbox) -> bool {
    header::parse_single_address(field.value).is_ok_and(|address| address.mailbox.matches(wanted))
}

/// C4: written and received no earlier than the order, and not later than now.
pub(super) fn within(date: Time, received: Time, from: Time, now: Time) -> bool {
    let earliest = from.minus(CLOCK_SKEW);
    date >= earliest && received >= earliest && date <= now.plus(CLOCK_SKEW)
}

pub(super) fn message_id(field: &Field<'_>) -> Option<String> {
    let text = header::unfold(field.value);
    let id = text.trim_ascii();
    let well_formed = id.len() <= 998
        && id.starts_with('<')
        && id.ends_with('>')
        && id.len() > 2
        && id.bytes().all(|byte| byte.is_ascii_graphic())
        && id.matches(['<', '>']).count() == 2;
    well_formed.then(|| id.to_owned())
}

/// `auto-generated` with parameters (RFC 3834 §5, RFC 8823 §3.1 item 5). `Some` carries the `authz=` hint. A
/// `type=` must be `acme`; it may be absent, for the RFC only recommends it.
fn auto_generated(field: &Field<'_>) -> Option<Option<String>> {
    let tokens = tokens(&header::unfold(field.value))?;
    let mut segments = segments(&tokens);
    match segments.next()? {
        [Token::Word(keyword)] if keyword.eq_ignore_ascii_case("auto-generated") => {}
        _ => return None,
    }
    let mut seen: Vec<(String, String)> = Vec::new();
    for segment in segments {
        // One `name=value` each; the empty one after a last semicolon is let through.
        let mut read = pairs(segment)?;
        match (read.pop(), read.is_empty()) {
            (None, _) => {}
            (Some((name, _)), _) if seen.iter().any(|(known, _)| *known == name) => return None,
            (Some(pair), true) => seen.push(pair),
            (Some(_), false) => return None,
        }
    }
    let value = |wanted: &str| seen.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
    match value("type") {
        Some(kind) if !kind.eq_ignore_ascii_case("acme") => None,
        _ => Some(value("authz")),
    }
}

fn exactly_one<'m, 'a>(
    message: &'m Message<'a>,
    name: &'static str,
) -> Result<&'m Field<'a>, ChallengeRefusal> {
    at_most_one(message, name)?.ok_or(ChallengeRefusal::HeaderCount { name, count: 0 })
}

fn at_most_one<'m, 'a>(
    message: &'m Message<'a>,
    name: &'static str,
) -> Result<Option<&'m Field<'a>>, ChallengeRefusal> {
    match message.named(name).count() {
        0 | 1 => Ok(message.named(name).next()),
        count => Err(ChallengeRefusal::HeaderCount { name, count }),
    }
}
