//! A message that is going out: its header and its entity taken apart and put together again around CMS,
//! with header protection (RFC 9788).

use aecm_core::limits::Limits;

use super::MimeError;
use super::binary::canonical;
use super::entity::Entity;
use super::seven_bit::{clean_field, seven_bit};

/// Whether and how header fields are copied into what is signed or encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HeaderProtection {
    /// Not at all.
    None,
    /// Signed only: `hp="clear"`, the header outside stays as it is.
    Clear,
    /// Encrypted: `hp="cipher"`; outside the Subject is `[...]`, Comments and Keywords are gone
    /// (RFC 9788 §3.2, hcp_baseline), and `HP-Outer` says inside what was left outside.
    Cipher,
}

/// A real message, taken apart.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Fields that are not Content-*, in order, canonical.
    fields: Vec<Field>,
    /// Content-* fields and body, canonical line ends.
    entity: Vec<u8>,
    limits: Limits,
}

#[derive(Clone, Debug)]
struct Field {
    name: String,
    raw: Vec<u8>,
}

impl Outgoing {
    /// Takes a message (RFC 5322) with its attachments apart. Line ends become CRLF, but for parts whose transfer
    /// encoding is binary: those become base64 with their octets as they are. Bcc and MIME-Version
    /// are dropped (the first never travels, the second is written anew).
    ///
    /// # Errors
    /// [`MimeError`] for a header that cannot be read, is not ASCII, has From not exactly once or another
    /// field twice that may stand once (RFC 5322 §3.6), or already has `hp=`; limits.
    pub fn parse(message: &[u8], limits: &Limits) -> Result<Self, MimeError> {
        if message.len() > limits.message_bytes {
            return Err(MimeError::TooLarge { found: message.len(), limit: limits.message_bytes });
        }
        let message = canonical(message, limits)?;
        let parsed = Entity::parse(&message, limits)?;
        parsed.readable_type()?;
        if parsed.parameter("hp").is_some() {
            return Err(MimeError::AlreadyProtected);
        }
        let mut fields: Vec<Field> = Vec::new();
        let mut entity = Vec::new();
        for field in parsed.fields() {
            let raw = clean_field(field.name, field.raw)?;
            let name = field.name.to_ascii_lowercase();
            if name.starts_with("content-") {
                entity.extend_from_slice(&raw);
            } else if !DROPPED.contains(&name.as_str()) {
                if ONCE.contains(&name.as_str()) && fields.iter().any(|known| known.is(&name)) {
                    return Err(MimeError::Field { name: field.name.to_owned(), why: "it stands twice" });
                }
                fields.push(Field { name: field.name.to_owned(), raw });
            }
        }
        if !fields.iter().any(|field| field.is("from")) {
            return Err(MimeError::Field { name: "From".to_owned(), why: "it is absent" });
        }
        if parsed.field("content-type")?.is_none() {
            let charset = if parsed.body().is_ascii() { "us-ascii" } else { "utf-8" };
            if core::str::from_utf8(parsed.body()).is_err() {
                let why = "it is absent and the body is not UTF-8";
                return Err(MimeError::Field { name: "Content-Type".to_owned(), why });
            }
            let field = format!("Content-Type: text/plain; charset={charset}\r\n");
            entity.extend_from_slice(field.as_bytes());
        }
        entity.extend_from_slice(b"\r\n");
        entity.extend_from_slice(parsed.body());
        Ok(Self { fields, entity, limits: limits.clone() })
    }

    /// The entity that is to be signed or encrypted: canonical, 7-bit ([`super::seven_bit`]), with the header
    /// fields `protection` asks for at its root.
    ///
    /// # Errors
    /// As [`super::seven_bit`].
    pub fn payload(&self, protection: HeaderProtection) -> Result<Vec<u8>, MimeError> {
        let entity = seven_bit(&self.entity, &self.limits)?;
        let mode = match protection {
            HeaderProtection::None => return Ok(entity),
            HeaderProtection::Clear => "clear",
            HeaderProtection::Cipher => "cipher",
        };
        let parsed = Entity::parse(&entity, &self.limits)?;
        let mut payload = Vec::with_capacity(entity.len() + 1024);
        let inner = self.fields.iter().filter(|field| field.is_protected());
        inner.for_each(|field| payload.extend_from_slice(&field.raw));
        if protection == HeaderProtection::Cipher {
            for field in self.fields.iter().filter(|field| field.is_protected()) {
                if let Some(outer) = field.outside(protection) {
                    payload.extend_from_slice(b"HP-Outer: ");
                    payload.extend_from_slice(&outer);
                }
            }
        }
        for field in parsed.fields() {
            let mut raw = field.raw.to_vec();
            if field.name.eq_ignore_ascii_case("content-type") {
                let end = raw.iter().rposition(|octet| !matches!(octet, b'\r' | b'\n' | b' ' | b';'));
                raw.truncate(end.map_or(0, |last| last + 1));
                raw.extend_from_slice(format!(";\r\n hp=\"{mode}\"\r\n").as_bytes());
            }
            payload.extend_from_slice(&raw);
        }
        payload.extend_from_slice(b"\r\n");
        payload.extend_from_slice(parsed.body());
        Ok(payload)
    }

    /// The whole message: the header that stays outside under `protection`, MIME-Version, and `entity`
    /// (its Content-* fields and body), which is the payload wrapped in S/MIME.
    #[must_use]
    pub fn message(&self, protection: HeaderProtection, entity: &[u8]) -> Vec<u8> {
        let mut message = Vec::with_capacity(entity.len() + 1024);
        for field in &self.fields {
            message.extend_from_slice(&field.outside(protection).unwrap_or_default());
        }
        message.extend_from_slice(b"MIME-Version: 1.0\r\n");
        message.extend_from_slice(entity);
        message
    }
}

impl Field {
    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// Whether the field belongs to the message and not to its way (RFC 9788 §2.1.1).
    fn is_protected(&self) -> bool {
        let name = self.name.to_ascii_lowercase();
        !TRACE.contains(&name.as_str()) && !name.starts_with("arc-") && !name.starts_with("resent-")
    }

    /// The field as it stands outside; none where it is left out.
    fn outside(&self, protection: HeaderProtection) -> Option<Vec<u8>> {
        if protection != HeaderProtection::Cipher {
            return Some(self.raw.clone());
        }
        match self.name.to_ascii_lowercase().as_str() {
            "subject" => Some(b"Subject: [...]\r\n".to_vec()),
            "comments" | "keywords" => None,
            _ => Some(self.raw.clone()),
        }
    }
}

const DROPPED: [&str; 4] = ["bcc", "resent-bcc", "mime-version", "hp-outer"];

const TRACE: [&str; 5] =
    ["return-path", "received", "delivered-to", "dkim-signature", "authentication-results"];

// RFC 5322 §3.6.
const ONCE: [&str; 10] =
    ["from", "sender", "reply-to", "to", "cc", "date", "message-id", "in-reply-to", "references", "subject"];

#[cfg(test)]
mod tests {
    use super::*;

    fn outgoing(mail: &str) -> Result<Outgoing, MimeError> {
        Outgoing::parse(mail.as_bytes(), &Limits::default())
    }

    const MAIL: &str = "Received: by x\r\nFrom: Alice <alice@example.test>\nTo: bob@example.org\r\nBcc: eve@example.org\r\n\
                        Subject: A long\r\n  subject \r\nKeywords: tea\r\nMIME-Version: 1.0\r\n\
                        Content-Type: text/plain; charset=utf-8;\r\nContent-Transfer-Encoding: 7bit\r\n\r\nhi\r\n";

    #[test]
    fn clear_copies_the_header_and_leaves_it_outside() {
        let mail = outgoing(MAIL).unwrap();
        let payload = String::from_utf8(mail.payload(HeaderProtection::Clear).unwrap()).unwrap();
        assert_eq!(
            payload,
            "From: Alice <alice@example.test>\r\nTo: bob@example.org\r\nSubject: A long\r\n  subject\r\nKeywords: tea\r\n\
             Content-Type: text/plain; charset=utf-8;\r\n hp=\"clear\"\r\nContent-Transfer-Encoding: 7bit\r\n\r\nhi\r\n"
        );
        let whole =
            String::from_utf8(mail.message(HeaderProtection::Clear, b"Content-Type: x/y\r\n\r\nz")).unwrap();
        assert_eq!(
            whole,
            "Received: by x\r\nFrom: Alice <alice@example.test>\r\nTo: bob@example.org\r\nSubject: A long\r\n  subject\r\n\
             Keywords: tea\r\nMIME-Version: 1.0\r\nContent-Type: x/y\r\n\r\nz"
        );
    }

    #[test]
    fn cipher_hides_the_subject_and_says_what_is_outside() {
        let mail = outgoing(MAIL).unwrap();
        let payload = String::from_utf8(mail.payload(HeaderProtection::Cipher).unwrap()).unwrap();
        assert!(payload.contains("\r\nSubject: A long\r\n  subject\r\nKeywords: tea\r\n"));
        assert!(payload.contains(
            "HP-Outer: From: Alice <alice@example.test>\r\nHP-Outer: To: bob@example.org\r\nHP-Outer: Subject: [...]\r\nContent-Type:"
        ));
        let whole = String::from_utf8(mail.message(HeaderProtection::Cipher, b"\r\n")).unwrap();
        assert!(!whole.contains("long") && !whole.contains("tea") && !whole.contains("eve"));
    }

    #[test]
    fn without_protection_only_the_entity() {
        let payload = outgoing(MAIL).unwrap().payload(HeaderProtection::None).unwrap();
        assert_eq!(
            payload,
            b"Content-Type: text/plain; charset=utf-8;\r\nContent-Transfer-Encoding: 7bit\r\n\r\nhi\r\n"
        );
    }

    #[test]
    fn messages_that_are_refused() {
        for mail in [
            "To: b@example.org\r\n\r\nx",
            "From: a@example.test\r\nFrom: b@example.test\r\n\r\nx",
            "From: a@example.test\r\nSubject: a\r\nsubject: b\r\n\r\nx",
        ] {
            assert!(matches!(outgoing(mail), Err(MimeError::Field { .. })), "{mail}");
        }
        assert!(matches!(
            outgoing("From: \u{e9}@example.test\r\n\r\nx"),
            Err(MimeError::HeaderNotAscii { .. })
        ));
        assert!(matches!(
            outgoing("From: a@example.test\r\nContent-Type: text/plain; hp=clear\r\n\r\nx"),
            Err(MimeError::AlreadyProtected)
        ));
        assert!(matches!(
            Outgoing::parse(b"From: a@example.test\r\n\r\n\xff", &Limits::default()),
            Err(MimeError::Field { .. })
        ));
        let mut limits = Limits::default();
        limits.message_bytes = 10;
        assert!(matches!(Outgoing::parse(MAIL.as_bytes(), &limits), Err(MimeError::TooLarge { .. })));
    }
}
