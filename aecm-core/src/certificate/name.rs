//! Distinguished names: as text (RFC 4514), and whether two are the same (RFC 5280 §7.1).

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

use crate::limits::Limits;
use crate::mailbox::Mailbox;
use crate::oid::{self, ObjectIdentifier};
use crate::tlv::{Reader, Rules, Tlv, TlvError};

// Of one relative name; more do not occur, and comparing is quadratic in it.
const MAX_ATTRIBUTES: usize = 8;

struct Attribute<'a> {
    oid: Option<ObjectIdentifier>,
    kind: &'a [u8],
    value: Tlv<'a>,
}

/// ```text
/// Name ::= CHOICE { rdnSequence  RDNSequence }
/// RDNSequence ::= SEQUENCE OF RelativeDistinguishedName
/// RelativeDistinguishedName ::= SET SIZE (1..MAX) OF AttributeTypeAndValue
/// AttributeTypeAndValue ::= SEQUENCE { type OBJECT IDENTIFIER, value ANY DEFINED BY type }
/// ```
fn relative_names(name: &[u8]) -> Result<Vec<Vec<Attribute<'_>>>, TlvError> {
    let mut reader = Reader::new(name, Rules::Der, &Limits::default());
    let mut sequence = reader.sequence()?;
    reader.finish()?;
    let mut names = Vec::new();
    while !sequence.is_empty() {
        let mut set = sequence.set()?;
        let mut attributes = Vec::new();
        while !set.is_empty() {
            let mut fields = set.sequence()?;
            let kind = fields.expect(crate::tlv::Tag::OID)?;
            let value = fields.any()?;
            fields.finish()?;
            attributes.push(Attribute { oid: kind.oid().ok(), kind: kind.content(), value });
        }
        names.push(attributes);
    }
    Ok(names)
}

/// Whether two Names (whole values in DER) are the same: octet for octet, or else attribute by attribute with
/// character strings compared without regard to their type, to case and to repeated white space (RFC 5280
/// §7.1, without Unicode normalisation). Names that cannot be read are the same only octet for octet.
#[must_use]
pub fn names_match(one: &[u8], other: &[u8]) -> bool {
    if one == other {
        return true;
    }
    // Folding changes the length of no string by more than this.
    if one.len() > 4 * other.len() || other.len() > 4 * one.len() {
        return false;
    }
    let (Ok(one), Ok(other)) = (relative_names(one), relative_names(other)) else { return false };
    one.len() == other.len() && one.iter().zip(&other).all(|(one, other)| same_attributes(one, other))
}

fn same_attributes(one: &[Attribute<'_>], other: &[Attribute<'_>]) -> bool {
    let covered = |one: &[Attribute<'_>], other: &[Attribute<'_>]| {
        one.iter().all(|attribute| other.iter().any(|candidate| same_attribute(attribute, candidate)))
    };
    one.len() == other.len() && one.len() <= MAX_ATTRIBUTES && covered(one, other) && covered(other, one)
}

fn same_attribute(one: &Attribute<'_>, other: &Attribute<'_>) -> bool {
    if one.kind != other.kind {
        return false;
    }
    if one.value.bytes() == other.value.bytes() {
        return true;
    }
    match (one.value.text(), other.value.text()) {
        (Ok(one), Ok(other)) => folded(&one).eq(folded(&other)),
        _ => false,
    }
}

// Lower case, runs of white space as one space, none at the ends.
fn folded(text: &str) -> impl Iterator<Item = char> {
    text.split_whitespace()
        .enumerate()
        .flat_map(|(index, word)| (index > 0).then_some(' ').into_iter().chain(word.chars()))
        .flat_map(char::to_lowercase)
}

/// A whole Name in DER for people: the last relative name first, separated by commas (RFC 4514 §2).
#[must_use]
pub fn text(name: &[u8]) -> String {
    let mut out = String::new();
    // Names of a certificate have been read before.
    let names = relative_names(name).unwrap_or_default();
    for (index, attributes) in names.iter().rev().enumerate() {
        if index > 0 {
            out.push(',');
        }
        for (index, attribute) in attributes.iter().enumerate() {
            if index > 0 {
                out.push('+');
            }
            push_attribute(&mut out, attribute);
        }
    }
    out
}

fn push_attribute(out: &mut String, attribute: &Attribute<'_>) {
    let known = attribute.oid.and_then(|oid| oid::name(&oid));
    match (known, attribute.oid) {
        (Some(name), _) => out.push_str(name),
        // Writing to a String does not fail.
        (None, Some(oid)) => _ = write!(out, "{oid}"),
        (None, None) => out.push('?'),
    }
    out.push('=');
    let Ok(text) = attribute.value.text() else {
        out.push('#');
        for octet in attribute.value.bytes() {
            _ = write!(out, "{octet:02x}");
        }
        return;
    };
    let last = text.chars().count().saturating_sub(1);
    for (index, character) in text.chars().enumerate() {
        match character {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => out.extend(['\\', character]),
            ' ' if index == 0 || index == last => out.push_str("\\ "),
            '#' if index == 0 => out.push_str("\\#"),
            control if control.is_control() => {
                let mut octets = [0; 4];
                for octet in control.encode_utf8(&mut octets).bytes() {
                    _ = write!(out, "\\{octet:02x}");
                }
            }
            other => out.push(other),
        }
    }
}

/// The emailAddress attributes (RFC 2985 §5.2.1) that are the address of a mailbox.
pub(super) fn email_addresses(name: &[u8]) -> Vec<Mailbox> {
    email_attributes(name).into_iter().flatten().collect()
}

/// The emailAddress attributes; `None` for those that are not the address of a mailbox.
pub(crate) fn email_attributes(name: &[u8]) -> Vec<Option<Mailbox>> {
    let names = relative_names(name).unwrap_or_default();
    let attributes = names.iter().flatten().filter(|attribute| attribute.oid == Some(oid::EMAIL_ADDRESS));
    attributes.map(|attribute| attribute.value.text().ok()?.parse().ok()).collect()
}

/// Whether a Name can be read and compared.
pub(crate) fn is_readable(name: &[u8]) -> bool {
    relative_names(name).is_ok_and(|names| names.iter().all(|set| set.len() <= MAX_ATTRIBUTES))
}

/// Whether `name` lies in the subtree of `base`: its first relative names match those of `base` (RFC 5280
/// §4.2.1.10, §7.1).
pub(crate) fn is_within(name: &[u8], base: &[u8]) -> bool {
    let (Ok(name), Ok(base)) = (relative_names(name), relative_names(base)) else { return false };
    name.len() >= base.len() && base.iter().zip(&name).all(|(base, name)| same_attributes(base, name))
}
