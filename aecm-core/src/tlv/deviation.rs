//! Telling DER from what is only BER.

use alloc::vec::Vec;

use super::{Class, Reader, Rules, Tag, Tlv, TlvError};
use crate::limits::Limits;

/// Whether `bytes` is anything but DER: an indefinite or long length, a string in pieces, a SET out of order,
/// a BOOLEAN or BIT STRING in another form, trailing octets, or values that cannot be read within `limits`.
///
/// OCTET STRINGs are not looked into, and behind an IMPLICIT tag a SET cannot be told from a SEQUENCE.
#[must_use]
pub fn deviates_from_der(bytes: &[u8], limits: &Limits) -> bool {
    !matches!(is_der(bytes, limits), Ok(true))
}

fn is_der(bytes: &[u8], limits: &Limits) -> Result<bool, TlvError> {
    let mut outermost = Reader::new(bytes, Rules::Der, limits);
    let value = outermost.any()?;
    outermost.finish()?;
    // Readers from the outermost to the one being read: as many as values nest, which the limit bounds.
    let mut open = Vec::new();
    if !enter(&value, &mut open)? {
        return Ok(false);
    }
    while let Some(reader) = open.last_mut() {
        if reader.is_empty() {
            open.pop();
            continue;
        }
        let value = reader.any()?;
        if !enter(&value, &mut open)? {
            return Ok(false);
        }
    }
    Ok(true)
}

// Looks at one value, and opens it where it has values inside.
fn enter<'a>(value: &Tlv<'a>, open: &mut Vec<Reader<'a>>) -> Result<bool, TlvError> {
    match value.tag() {
        Tag::SET if !is_ordered(value.reader()?)? => return Ok(false),
        Tag::BOOLEAN => {
            value.boolean()?;
        }
        Tag::INTEGER | Tag::ENUMERATED => {
            value.integer()?;
        }
        Tag::BIT_STRING => {
            value.bits()?;
        }
        _ => {}
    }
    if value.tag().constructed {
        open.push(value.reader()?);
    }
    Ok(true)
}

// A SET OF is in the order of its octets, a SET in that of its tags (X.690 §10.3, §11.6).
fn is_ordered(mut reader: Reader<'_>) -> Result<bool, TlvError> {
    let mut previous: Option<Tlv<'_>> = None;
    while !reader.is_empty() {
        let value = reader.any()?;
        if let Some(previous) = previous {
            let (before, here) = (order(previous.tag()), order(value.tag()));
            if before > here || (before == here && previous.bytes() > value.bytes()) {
                return Ok(false);
            }
        }
        previous = Some(value);
    }
    Ok(true)
}

fn order(tag: Tag) -> (Class, u32) {
    (tag.class, tag.number)
}
