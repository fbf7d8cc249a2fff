//! Composing the challenge mail, for the server (RFC 8823 §3.1).

use std::fmt;

use aecm_core::mailbox::Mailbox;
use aecm_core::time::Time;

use super::authenticity::RFC8823_FIELDS;
use super::message::authz_hint;
use crate::dkim::SignOptions;
use crate::token::TokenPart1;

/// What may be in a line behind a fold (RFC 5322 §2.1.1: 78 without the line end).
const LINE: usize = 76;

/// Fields of §3.1's "SHOULD also" list, oversigned with the others.
const MORE_SIGNED_FIELDS: [&str; 15] = [
    "resent-date",
    "resent-from",
    "resent-sender",
    "resent-to",
    "resent-cc",
    "resent-message-id",
    "list-id",
    "list-help",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "list-subscribe",
    "list-post",
    "list-owner",
    "list-archive",
    "mime-version",
];

/// A challenge mail to be written.
#[allow(missing_debug_implementations)] // N9: it holds the token
#[derive(Clone)]
pub struct ChallengeDraft<'a> {
    /// From: the `from` of the challenge object.
    pub from: &'a Mailbox,
    /// To: the mailbox to be proven.
    pub to: &'a Mailbox,
    /// token-part1.
    pub token_part1: &'a TokenPart1,
    /// The challenge's URL; its digest goes into Auto-Submitted, so that the client knows which of several
    /// orders the mail belongs to (STANDARDS A22).
    pub challenge_url: Option<&'a str>,
    /// Date.
    pub date: Time,
    /// Message-ID with its angle brackets, unique.
    pub message_id: &'a str,
    /// Reply-To, where replies go elsewhere than to From.
    pub reply_to: Option<&'a Mailbox>,
    /// The text for a human reader, ASCII; a default where there is none.
    pub text: Option<&'a str>,
}

/// Why a mail was not composed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ComposeError {
    /// The Message-ID is not `<…@…>` in printable ASCII.
    MessageId,
    /// The text is not printable ASCII with line ends, or has lines over 998 octets.
    Text,
    /// The Subject has line ends or other control characters.
    Subject,
    /// The digest is not base64url.
    Digest,
}

impl fmt::Display for ComposeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MessageId => "the Message-ID is not <left@right> in printable ASCII",
            Self::Text => "the text of the mail is not ASCII with lines of at most 998 octets",
            Self::Subject => "the Subject has control characters",
            Self::Digest => "the digest of the key authorization is not base64url",
        })
    }
}

impl std::error::Error for ComposeError {}

impl ChallengeDraft<'_> {
    /// The mail, CRLF line ends, unsigned. Sign it with [`challenge_sign_options`].
    ///
    /// # Errors
    /// [`ComposeError`].
    pub fn compose(&self) -> Result<Vec<u8>, ComposeError> {
        let mut mail = String::new();
        address_fields(&mut mail, self.from, self.to, self.date, self.message_id)?;
        if let Some(reply_to) = self.reply_to {
            mail.push_str(&format!("Reply-To: {reply_to}\r\n"));
        }
        // White space inside the token is ignored by readers (§3.1 item 1), so that long ones can be folded.
        let token = self.token_part1.expose();
        if token.len() + "Subject: ACME: ".len() <= LINE {
            mail.push_str(&format!("Subject: ACME: {token}\r\n"));
        } else {
            mail.push_str("Subject: ACME:");
            for (at, char) in token.char_indices() {
                if at % LINE == 0 {
                    mail.push_str("\r\n ");
                }
                mail.push(char);
            }
            mail.push_str("\r\n");
        }
        mail.push_str("Auto-Submitted: auto-generated; type=acme");
        if let Some(url) = self.challenge_url {
            mail.push_str(&format!(";\r\n authz={}", authz_hint(url)));
        }
        mail.push_str("\r\n");
        let default = default_text(self.to);
        text_fields(&mut mail, self.text.unwrap_or(&default))?;
        Ok(mail.into_bytes())
    }
}

/// How a challenge mail is signed: relaxed/relaxed with `d=` the domain of `from`, every field of RFC 8823
/// §3.1 oversigned, the recommended ones too.
#[must_use]
pub fn challenge_sign_options(from: &Mailbox, selector: &str, now: Time) -> SignOptions {
    let fields: Vec<&str> = RFC8823_FIELDS.iter().chain(&MORE_SIGNED_FIELDS).copied().collect();
    SignOptions::new(&from.ascii_domain(), selector).oversigned_fields(&fields).signed_at(now)
}

/// From, To, Date and Message-ID.
pub(super) fn address_fields(
    mail: &mut String,
    from: &Mailbox,
    to: &Mailbox,
    date: Time,
    message_id: &str,
) -> Result<(), ComposeError> {
    check_message_id(message_id)?;
    mail.push_str(&format!(
        "From: {from}\r\nTo: {to}\r\nDate: {}\r\nMessage-ID: {message_id}\r\n",
        date_time(date)
    ));
    Ok(())
}

/// The MIME fields and the body.
pub(super) fn text_fields(mail: &mut String, text: &str) -> Result<(), ComposeError> {
    mail.push_str("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n");
    mail.push_str("Content-Transfer-Encoding: 7bit\r\n\r\n");
    for line in text.lines() {
        if line.len() > 998 || !line.bytes().all(|byte| byte == b'\t' || matches!(byte, 0x20..=0x7e)) {
            return Err(ComposeError::Text);
        }
        mail.push_str(line);
        mail.push_str("\r\n");
    }
    Ok(())
}

pub(super) fn check_message_id(id: &str) -> Result<(), ComposeError> {
    let inner =
        id.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).ok_or(ComposeError::MessageId)?;
    let well_formed = id.len() <= 250
        && inner.split_once('@').is_some_and(|(left, right)| !left.is_empty() && !right.is_empty())
        && inner.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>'));
    if well_formed { Ok(()) } else { Err(ComposeError::MessageId) }
}

/// RFC 5322 §3.3 in UTC: `Mon, 23 Nov 2026 17:43:06 +0000`.
pub(super) fn date_time(time: Time) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let civil = time.civil();
    // 1970-01-01 was a Thursday.
    let day = usize::try_from(time.unix().div_euclid(86_400).rem_euclid(7)).unwrap_or_default();
    format!(
        "{}, {} {} {:04} {:02}:{:02}:{:02} +0000",
        DAYS.get(day).unwrap_or(&"Thu"),
        civil.day,
        MONTHS.get(usize::from(civil.month).saturating_sub(1)).unwrap_or(&"Jan"),
        civil.year,
        civil.hour,
        civil.minute,
        civil.second
    )
}

fn default_text(to: &Mailbox) -> String {
    // The body is 7bit; a mailbox that is not ASCII is only named in To.
    let whom = if to.is_ascii() { format!("\n{to}") } else { String::new() };
    format!(
        "A certificate for secure e-mail was requested for your address{whom}.\n\
         \n\
         Your mail program answers by itself; there is nothing for you to do.\n\
         Do not pass this message on: its subject is half of the proof that the\n\
         address is yours.\n\
         \n\
         If you did not ask for a certificate, ignore this message.\n"
    )
}
