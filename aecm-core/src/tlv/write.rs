//! Writing DER (X.690 §10, §11), value by value, from the inside out.
//!
//! ```
//! use aecm_core::{oid, tlv::write};
//!
//! let identifier = write::algorithm(&oid::SM2_WITH_SM3, None);
//! assert_eq!(identifier, b"\x30\x0a\x06\x08\x2a\x81\x1c\xcf\x55\x01\x83\x75");
//! ```

use alloc::vec::Vec;

use der::asn1::ObjectIdentifier;

use super::{Class, Tag};
use crate::time::{Civil, Time};

/// A value of any type around `content`.
#[must_use]
pub fn tlv(tag: Tag, content: &[u8]) -> Vec<u8> {
    tlv_of(tag, &[content])
}

/// A SEQUENCE or SEQUENCE OF of `parts`, each of them one or more whole values.
#[must_use]
pub fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv_of(Tag::SEQUENCE, parts)
}

/// A SET OF `values`, put in the order of DER (X.690 §11.6).
#[must_use]
pub fn set_of(values: Vec<Vec<u8>>) -> Vec<u8> {
    tlv(Tag::SET, &set_of_content(values))
}

/// The content of a SET OF, in the order of DER: for IMPLICIT tags around it.
#[must_use]
pub fn set_of_content(mut values: Vec<Vec<u8>>) -> Vec<u8> {
    // No value is a prefix of another, so plain comparison equals that with zero padding.
    values.sort_unstable();
    values.concat()
}

/// `[number] EXPLICIT` around whole values.
#[must_use]
pub fn explicit(number: u32, inner: &[u8]) -> Vec<u8> {
    tlv(Tag::context(number), inner)
}

/// An OCTET STRING.
#[must_use]
pub fn octet_string(content: &[u8]) -> Vec<u8> {
    tlv(Tag::OCTET_STRING, content)
}

/// A BIT STRING of whole octets.
#[must_use]
pub fn bit_string(octets: &[u8]) -> Vec<u8> {
    tlv_of(Tag::BIT_STRING, &[&[0], octets])
}

/// A BIT STRING of named bits (X.690 §11.2.2: without trailing zeros). Bit 0 of the type is the lowest bit of
/// `bits`, as RFC 5280 numbers KeyUsage.
#[must_use]
pub fn named_bits(bits: u16) -> Vec<u8> {
    let [high, low] = bits.reverse_bits().to_be_bytes();
    match (high, low) {
        (0, 0) => tlv(Tag::BIT_STRING, &[0]),
        (high, 0) => tlv(Tag::BIT_STRING, &[u8::try_from(high.trailing_zeros()).unwrap_or(0), high]),
        (high, low) => tlv(Tag::BIT_STRING, &[u8::try_from(low.trailing_zeros()).unwrap_or(0), high, low]),
    }
}

/// An INTEGER that is not negative, from its big-endian octets; leading zeros are dropped.
#[must_use]
pub fn integer_bytes(unsigned: &[u8]) -> Vec<u8> {
    let zeros = unsigned.iter().take_while(|octet| **octet == 0).count();
    let digits = unsigned.get(zeros..).unwrap_or_default();
    match digits.first() {
        Some(first) if *first < 0x80 => tlv(Tag::INTEGER, digits),
        _ => tlv_of(Tag::INTEGER, &[&[0], digits]),
    }
}

/// An INTEGER.
#[must_use]
pub fn small(value: u64) -> Vec<u8> {
    integer_bytes(&value.to_be_bytes())
}

/// An OBJECT IDENTIFIER.
#[must_use]
pub fn oid(oid: &ObjectIdentifier) -> Vec<u8> {
    tlv(Tag::OID, oid.as_bytes())
}

/// A NULL.
#[must_use]
pub fn null() -> Vec<u8> {
    tlv(Tag::NULL, &[])
}

/// A BOOLEAN.
#[must_use]
pub fn boolean(value: bool) -> Vec<u8> {
    tlv(Tag::BOOLEAN, &[if value { 0xff } else { 0x00 }])
}

/// A UTF8String.
#[must_use]
pub fn utf8(text: &str) -> Vec<u8> {
    tlv(Tag::UTF8_STRING, text.as_bytes())
}

/// An IA5String. The caller sees to it that `text` is ASCII.
#[must_use]
pub fn ia5(text: &str) -> Vec<u8> {
    tlv(Tag::IA5_STRING, text.as_bytes())
}

/// A PrintableString. The caller sees to it that `text` keeps to its repertoire.
#[must_use]
pub fn printable(text: &str) -> Vec<u8> {
    tlv(Tag::PRINTABLE_STRING, text.as_bytes())
}

/// A UTCTime from 1950 through 2049, a GeneralizedTime for other years (RFC 5280 §4.1.2.5, RFC 5652 §11.3).
#[must_use]
pub fn time(time: Time) -> Vec<u8> {
    let civil = time.civil();
    if (1_950..2_050).contains(&civil.year) {
        let mut text = digits(civil.year % 100, 2);
        push_rest(&mut text, civil);
        tlv(Tag::UTC_TIME, &text)
    } else {
        generalized_time(time)
    }
}

/// A GeneralizedTime without fraction.
#[must_use]
pub fn generalized_time(time: Time) -> Vec<u8> {
    let civil = time.civil();
    let mut text = digits(civil.year, 4);
    push_rest(&mut text, civil);
    tlv(Tag::GENERALIZED_TIME, &text)
}

/// An AlgorithmIdentifier; `parameters` is a whole value, `None` where they are absent.
#[must_use]
pub fn algorithm(algorithm: &ObjectIdentifier, parameters: Option<&[u8]>) -> Vec<u8> {
    sequence(&[&oid(algorithm), parameters.unwrap_or_default()])
}

fn tlv_of(tag: Tag, parts: &[&[u8]]) -> Vec<u8> {
    let length = parts.iter().map(|part| part.len()).sum();
    let mut out = Vec::with_capacity(length + 8);
    push_tag(&mut out, tag);
    push_length(&mut out, length);
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

fn push_tag(out: &mut Vec<u8>, tag: Tag) {
    let class = match tag.class {
        Class::Universal => 0x00,
        Class::Application => 0x40,
        Class::ContextSpecific => 0x80,
        Class::Private => 0xc0,
    };
    let first = class | if tag.constructed { 0x20 } else { 0 };
    match u8::try_from(tag.number) {
        Ok(number) if number < 0x1f => out.push(first | number),
        _ => {
            out.push(first | 0x1f);
            let bits = u32::BITS - tag.number.leading_zeros();
            for group in (0..bits.div_ceil(7)).rev() {
                let octet = (tag.number >> (7 * group)) & 0x7f;
                let more = if group == 0 { 0 } else { 0x80 };
                out.push(u8::try_from(octet).unwrap_or(0) | more);
            }
        }
    }
}

fn push_length(out: &mut Vec<u8>, length: usize) {
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let octets = length.to_be_bytes();
            let zeros = octets.iter().take_while(|octet| **octet == 0).count();
            let significant = octets.get(zeros..).unwrap_or_default();
            out.push(0x80 | u8::try_from(significant.len()).unwrap_or(0));
            out.extend_from_slice(significant);
        }
    }
}

fn digits(value: u16, count: u32) -> Vec<u8> {
    (0..count).rev().map(|place| b'0' + u8::try_from(value / 10u16.pow(place) % 10).unwrap_or(0)).collect()
}

fn push_rest(text: &mut Vec<u8>, civil: Civil) {
    for part in [civil.month, civil.day, civil.hour, civil.minute, civil.second] {
        text.extend_from_slice(&digits(u16::from(part), 2));
    }
    text.push(b'Z');
}
