//! The response mail of plain RFC 8823 (§3.2): composed by the client, checked by the server.

use std::fmt;

use aecm_core::embed::TxtResolver;
use aecm_core::header;
use aecm_core::limits::Limits;
use aecm_core::mailbox::Mailbox;
use aecm_core::time::Time;
use subtle::ConstantTimeEq;

use super::authenticity::{RELAXED_FIELDS, RFC8823_FIELDS, SignedHeaders, proven};
use super::compose::{ComposeError, address_fields, check_message_id, text_fields};
use super::message::{is_alone, message_id, within, without_blanks};
use super::refusal::Unproven;
use super::text_part::plain_text;
use crate::dkim::fields::{Field, Message, Octets};
use crate::dkim::{MessageError, Pending, Records, VerifyOptions};
use crate::mail::{Mail, ReplyMail};
use crate::token::TokenPart1;

const BEGIN: &str = "-----BEGIN ACME RESPONSE-----";
const END: &str = "-----END ACME RESPONSE-----";
// A reply prefix and a list tag; more is no reply prefix.
const LONGEST_PREFIX: usize = 64;

impl ReplyMail {
    /// The mail, CRLF line ends, unsigned: the user's mail system signs it. `message_id` has angle brackets.
    ///
    /// # Errors
    /// [`ComposeError`].
    pub fn compose(&self, date: Time, message_id: &str) -> Result<Vec<u8>, ComposeError> {
        if self.subject.chars().any(char::is_control) || !self.subject.is_ascii() {
            return Err(ComposeError::Subject);
        }
        let base64url = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if self.digest.is_empty() || self.digest.len() > 128 || !self.digest.bytes().all(base64url) {
            return Err(ComposeError::Digest);
        }
        let mut mail = String::new();
        address_fields(&mut mail, &self.from, &self.to, date, message_id)?;
        if let Some(id) = &self.in_reply_to {
            check_message_id(id)?;
            mail.push_str(&format!("In-Reply-To: {id}\r\nReferences: {id}\r\n"));
        }
        push_subject(&self.subject, &mut mail);
        text_fields(&mut mail, &format!("{BEGIN}\n{}\n{END}\n", self.digest))?;
        Ok(mail.into_bytes())
    }
}

/// Folds before words; a word that is longer than a line is left whole.
fn push_subject(subject: &str, mail: &mut String) {
    mail.push_str("Subject: Re:");
    let mut line = "Subject: Re:".len();
    for word in subject.split_ascii_whitespace() {
        if line + 1 + word.len() > 76 && line > 1 {
            mail.push_str("\r\n");
            line = 0;
        }
        mail.push(' ');
        mail.push_str(word);
        line += 1 + word.len();
    }
    mail.push_str("\r\n");
}

/// The reply a server waits for.
#[allow(missing_debug_implementations)] // N9: it holds the token and the digest
#[derive(Clone, Copy)]
pub struct ExpectedReply<'a> {
    /// The mailbox that is being proven: the reply's only author.
    pub mailbox: &'a Mailbox,
    /// Where the challenge mail asked replies to go: the reply's only recipient.
    pub to: &'a Mailbox,
    /// token-part1 of the challenge mail.
    pub token_part1: &'a TokenPart1,
    /// base64url(SHA-256(key authorization)).
    pub digest: &'a str,
    /// When the challenge mail was sent.
    pub sent: Time,
    /// The present time.
    pub now: Time,
}

/// Why a mail is not the reply that is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplyRefusal {
    /// The Subject is not a reply to an ACME challenge.
    NotAReply,
    /// The mail cannot be taken apart.
    Message(MessageError),
    /// A header field that must stand exactly once is missing or repeated.
    HeaderCount {
        /// Its name.
        name: &'static str,
        /// How often it stands there.
        count: usize,
    },
    /// The token in the Subject is another one.
    OtherToken,
    /// From is not the mailbox.
    From,
    /// To is not where the reply was to go.
    To,
    /// Date or receipt lies before the challenge mail or in the future, or cannot be read.
    Date,
    /// It has List-* header fields: it came through a mailing list.
    MailingList,
    /// There is no plain text in it.
    NoText,
    /// The text does not have exactly one ACME RESPONSE block.
    NoResponse,
    /// The response is not the digest of the key authorization.
    Digest,
    /// The sender is not proven.
    NotAuthentic(Unproven),
}

impl ReplyRefusal {
    /// The reason as one kebab-case word.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::NotAReply => "not-a-reply",
            Self::Message(error) => error.word(),
            Self::HeaderCount { .. } => "header-count",
            Self::OtherToken => "other-token",
            Self::From => "from-not-expected",
            Self::To => "to-not-expected",
            Self::Date => "date-outside-order",
            Self::MailingList => "mailing-list",
            Self::NoText => "no-text",
            Self::NoResponse => "no-acme-response",
            Self::Digest => "digest-wrong",
            Self::NotAuthentic(unproven) => unproven.word(),
        }
    }

    /// Whether the same mail may pass at another try.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::NotAuthentic(unproven) if unproven.is_temporary())
    }
}

impl fmt::Display for ReplyRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAReply => f.write_str("the Subject is not that of a reply to an ACME challenge"),
            Self::Message(error) => error.fmt(f),
            Self::HeaderCount { name, count } => {
                write!(f, "the header field {name} stands {count} times, once is needed")
            }
            Self::OtherToken => f.write_str("the token in the Subject is not that of the challenge"),
            Self::From => f.write_str("From is not the mailbox that is being proven, alone"),
            Self::To => f.write_str("To is not where the challenge mail asked replies to go, alone"),
            Self::Date => f.write_str("the mail was not sent after the challenge"),
            Self::MailingList => f.write_str("the mail came through a mailing list"),
            Self::NoText => f.write_str("the mail has no plain text"),
            Self::NoResponse => f.write_str("the text does not have exactly one ACME RESPONSE block"),
            Self::Digest => f.write_str("the response is not the digest of the key authorization"),
            Self::NotAuthentic(unproven) => write!(f, "the sender is not proven: {unproven}"),
        }
    }
}

impl std::error::Error for ReplyRefusal {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Message(error) => Some(error),
            Self::NotAuthentic(unproven) => Some(unproven),
            _ => None,
        }
    }
}

/// What a genuine reply says beyond that it is one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reply {
    /// Its Message-ID, with angle brackets.
    pub message_id: Option<String>,
}

/// A reply that reads well; the keys of its signatures are missing.
#[derive(Clone, Debug)]
pub struct PendingReply {
    reply: Reply,
    domain: String,
    headers: SignedHeaders,
    dkim: Pending,
}

impl PendingReply {
    /// Reads the mail, compares the digest, and reads the signatures.
    ///
    /// # Errors
    /// [`ReplyRefusal`] for whatever can be said without keys.
    pub fn prepare(
        mail: &Mail,
        expected: &ExpectedReply<'_>,
        headers: SignedHeaders,
        options: &VerifyOptions,
    ) -> Result<Self, ReplyRefusal> {
        let octets = Octets::new(&mail.raw, &options.limits).map_err(ReplyRefusal::Message)?;
        let message = octets.take_apart(&options.limits).map_err(ReplyRefusal::Message)?;
        let reply = read(&message, mail.received, expected, &options.limits)?;
        let dkim = Pending::new(&message, octets.bare_lf, expected.now, options)
            .only(&expected.mailbox.ascii_domain());
        Ok(Self { reply, domain: expected.mailbox.ascii_domain().into_owned(), headers, dkim })
    }

    /// The signatures; [`Pending::names`] says which TXT records decide.
    #[must_use]
    pub const fn dkim(&self) -> &Pending {
        &self.dkim
    }

    /// The verdict.
    ///
    /// # Errors
    /// [`ReplyRefusal::NotAuthentic`].
    pub fn check(&self, records: &Records) -> Result<Reply, ReplyRefusal> {
        let fields: &[&str] = match self.headers {
            SignedHeaders::Rfc8823 => &RFC8823_FIELDS,
            SignedHeaders::Relaxed => &RELAXED_FIELDS,
        };
        // §3.2: the same list less Auto-Submitted, which no person's mail has.
        let fields: Vec<&str> = fields.iter().copied().filter(|name| *name != "auto-submitted").collect();
        proven(&self.dkim.check(records), &self.domain, &fields).map_err(ReplyRefusal::NotAuthentic)?;
        Ok(self.reply.clone())
    }
}

/// Decides whether `mail` is the reply to an open challenge, genuine and right.
///
/// # Errors
/// [`ReplyRefusal`].
pub async fn authenticate_reply(
    mail: &Mail,
    expected: &ExpectedReply<'_>,
    headers: SignedHeaders,
    options: &VerifyOptions,
    resolver: &dyn TxtResolver,
) -> Result<Reply, ReplyRefusal> {
    let pending = PendingReply::prepare(mail, expected, headers, options)?;
    let records = pending.dkim().look_up(resolver).await;
    pending.check(&records)
}

fn read(
    message: &Message<'_>,
    received: Time,
    expected: &ExpectedReply<'_>,
    limits: &Limits,
) -> Result<Reply, ReplyRefusal> {
    let subjects: Vec<String> = message.named("subject").map(|field| header::decoded(field.value)).collect();
    let token = subjects.iter().find_map(|subject| replied_token(subject)).ok_or(ReplyRefusal::NotAReply)?;
    one(message, "subject")?;
    if !is_alone(one(message, "from")?, expected.mailbox) {
        return Err(ReplyRefusal::From);
    }
    if !is_alone(one(message, "to")?, expected.to) {
        return Err(ReplyRefusal::To);
    }
    let date = header::parse_date(one(message, "date")?.value).ok_or(ReplyRefusal::Date)?;
    if !within(date, received, expected.sent, expected.now) {
        return Err(ReplyRefusal::Date);
    }
    if message.fields.iter().any(|field| field.name.starts_with("list-")) {
        return Err(ReplyRefusal::MailingList);
    }
    if !equal(&token, expected.token_part1.expose()) {
        return Err(ReplyRefusal::OtherToken);
    }
    let text = plain_text(message, limits).ok_or(ReplyRefusal::NoText)?;
    let response = response(&text).ok_or(ReplyRefusal::NoResponse)?;
    if !equal(&response, expected.digest) {
        return Err(ReplyRefusal::Digest);
    }
    let mut ids = message.named("message-id");
    let message_id = ids.next().filter(|_| ids.next().is_none()).and_then(message_id);
    Ok(Reply { message_id })
}

/// In the same time wherever they differ.
fn equal(left: &str, right: &str) -> bool {
    left.as_bytes().ct_eq(right.as_bytes()).into()
}

fn one<'m, 'a>(message: &'m Message<'a>, name: &'static str) -> Result<&'m Field<'a>, ReplyRefusal> {
    let mut fields = message.named(name);
    match (fields.next(), fields.next()) {
        (Some(field), None) => Ok(field),
        _ => Err(ReplyRefusal::HeaderCount { name, count: message.named(name).count() }),
    }
}

/// The token of `Re: ACME: token`. Mail programs write the prefix in their user's language, so any short one
/// that ends in a colon will do.
fn replied_token(subject: &str) -> Option<String> {
    let at = subject.find("ACME:")?;
    let (prefix, rest) = subject.split_at(at);
    let prefix = prefix.trim_end();
    let is_prefix = prefix.len() <= LONGEST_PREFIX && (prefix.ends_with(':') || prefix.ends_with('：'));
    let token = rest.strip_prefix("ACME:")?;
    (is_prefix && token.starts_with([' ', '\t'])).then(|| without_blanks(token))
}

/// What stands between the BEGIN and END lines, line ends and blanks removed; `None` unless there is exactly
/// one such block.
fn response(text: &str) -> Option<String> {
    let mut lines = text.lines().map(str::trim_end);
    lines.find(|line| *line == BEGIN)?;
    let mut response = String::new();
    loop {
        match lines.next()? {
            END => break,
            line if line.starts_with("-----") => return None,
            line => response.push_str(&without_blanks(line)),
        }
    }
    lines.all(|line| line != BEGIN && line != END).then_some(response)
}
