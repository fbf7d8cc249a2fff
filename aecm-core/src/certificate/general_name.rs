//! subjectAltName (RFC 5280 §4.2.1.6).

use alloc::vec::Vec;

use crate::mailbox::Mailbox;
use crate::oid;
use crate::tlv::{Class, Reader, Tag, TlvError, TlvErrorKind};

/// The names of subjectAltName that mail looks at.
#[derive(Default)]
pub(super) struct AlternativeNames {
    /// Those that are the address of a mailbox.
    pub(super) mailboxes: Vec<Mailbox>,
    /// Whether there is any rfc822Name or SmtpUTF8Mailbox, an address or not.
    pub(super) has_mailboxes: bool,
}

/// ```text
/// GeneralName ::= CHOICE {
///     otherName                 [0] AnotherName,
///     rfc822Name                [1] IA5String,
///     dNSName                   [2] IA5String,
///     x400Address               [3] ORAddress,
///     directoryName             [4] Name,
///     ediPartyName              [5] EDIPartyName,
///     uniformResourceIdentifier [6] IA5String,
///     iPAddress                 [7] OCTET STRING,
///     registeredID              [8] OBJECT IDENTIFIER }
///
/// AnotherName ::= SEQUENCE {
///     type-id    OBJECT IDENTIFIER,
///     value      [0] EXPLICIT ANY DEFINED BY type-id }
/// ```
pub(super) fn read(reader: &mut Reader<'_>) -> Result<AlternativeNames, TlvError> {
    let mut names = AlternativeNames::default();
    let mut list = reader.sequence()?;
    loop {
        let name = list.any()?;
        let tag = name.tag();
        let constructed = matches!(tag.number, 0 | 3 | 4 | 5);
        if tag.class != Class::ContextSpecific || tag.number > 8 || tag.constructed != constructed {
            let kind = TlvErrorKind::Unexpected { expected: Tag::context_primitive(1), found: Some(tag) };
            return Err(name.fail(kind));
        }
        match tag.number {
            0 => {
                let mut other = name.reader()?;
                let kind = other.expect(Tag::OID)?;
                let mut value = other.expect(Tag::context(0))?.reader()?;
                other.finish()?;
                if kind.oid().is_ok_and(|kind| kind == oid::SMTP_UTF8_MAILBOX) {
                    let text = value.expect(Tag::UTF8_STRING)?;
                    value.finish()?;
                    names.has_mailboxes = true;
                    // RFC 9598 §3: only for local parts that no rfc822Name can hold.
                    let mailbox = text.text()?.parse::<Mailbox>().ok();
                    names.mailboxes.extend(mailbox.filter(|mailbox| !mailbox.local().is_ascii()));
                }
            }
            1 => {
                names.has_mailboxes = true;
                let text = core::str::from_utf8(name.content()).ok().filter(|text| text.is_ascii());
                names.mailboxes.extend(text.and_then(|text| text.parse::<Mailbox>().ok()));
            }
            _ => {}
        }
        if list.is_empty() {
            return Ok(names);
        }
    }
}
