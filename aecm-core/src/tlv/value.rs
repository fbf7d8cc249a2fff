//! The content octets of the universal types (X.690 §8, RFC 5280 §4.1.2.5 for times).

use alloc::borrow::Cow;
use alloc::string::String;

use der::asn1::ObjectIdentifier;

use super::{Class, Rules, Tag, TlvErrorKind};
use crate::time::{Civil, Time};

// What THREATS calls A2 asks for at most 64 arcs and 128 octets; the type of identifiers holds fewer.
const MAX_OID_OCTETS: usize = 39;

pub(super) fn oid(content: &[u8]) -> Result<ObjectIdentifier, TlvErrorKind> {
    if content.len() > MAX_OID_OCTETS {
        return Err(TlvErrorKind::OidTooLarge);
    }
    let mut arc_starts = true;
    let mut arc = 0u64;
    for &octet in content {
        if arc_starts && octet == 0x80 {
            return Err(TlvErrorKind::BadOid);
        }
        // At most 39 octets, of which the ones beyond 2^32 are given up at once: no overflow.
        arc = if arc_starts { 0 } else { arc << 7 } | u64::from(octet & 0x7f);
        if arc > u64::from(u32::MAX) {
            return Err(TlvErrorKind::OidTooLarge);
        }
        arc_starts = octet & 0x80 == 0;
    }
    if content.is_empty() || !arc_starts {
        return Err(TlvErrorKind::BadOid);
    }
    ObjectIdentifier::from_bytes(content).map_err(|_| TlvErrorKind::OidTooLarge)
}

pub(super) fn integer(content: &[u8]) -> Result<(), TlvErrorKind> {
    match content {
        [] => Err(TlvErrorKind::BadInteger),
        [0x00, second, ..] if *second < 0x80 => Err(TlvErrorKind::BadInteger),
        [0xff, second, ..] if *second >= 0x80 => Err(TlvErrorKind::BadInteger),
        _ => Ok(()),
    }
}

pub(super) fn small(content: &[u8]) -> Result<u64, TlvErrorKind> {
    integer(content)?;
    if content.first().is_some_and(|first| *first >= 0x80) {
        return Err(TlvErrorKind::IntegerRange);
    }
    content.iter().try_fold(0u64, |sum, octet| {
        if sum > u64::MAX >> 8 { Err(TlvErrorKind::IntegerRange) } else { Ok(sum << 8 | u64::from(*octet)) }
    })
}

pub(super) fn boolean(content: &[u8], rules: Rules) -> Result<bool, TlvErrorKind> {
    match content {
        [0x00] => Ok(false),
        [0xff] => Ok(true),
        [_] if rules == Rules::Ber => Ok(true),
        _ => Err(TlvErrorKind::BadBoolean),
    }
}

pub(super) fn bits(content: &[u8], rules: Rules) -> Result<(u8, &[u8]), TlvErrorKind> {
    let (&unused, octets) = content.split_first().ok_or(TlvErrorKind::BadBitString)?;
    let last = octets.last().copied().unwrap_or(0);
    let set = last & !(u8::MAX.checked_shl(u32::from(unused)).unwrap_or(0));
    if unused > 7 || (unused > 0 && octets.is_empty()) || (set != 0 && rules == Rules::Der) {
        return Err(TlvErrorKind::BadBitString);
    }
    Ok((unused, octets))
}

pub(super) fn text(tag: Tag, content: &[u8]) -> Result<Cow<'_, str>, TlvErrorKind> {
    let bad = TlvErrorKind::BadString(tag);
    if tag.class != Class::Universal || tag.constructed {
        return Err(TlvErrorKind::Unexpected { expected: Tag::UTF8_STRING, found: Some(tag) });
    }
    match tag {
        Tag::UTF8_STRING => core::str::from_utf8(content).map(Cow::Borrowed).map_err(|_| bad),
        // PrintableString is read with the whole of ASCII: `@`, `_` and `*` stand in real certificates.
        Tag::NUMERIC_STRING | Tag::PRINTABLE_STRING | Tag::IA5_STRING | Tag::VISIBLE_STRING => {
            if !content.is_ascii() {
                return Err(bad);
            }
            core::str::from_utf8(content).map(Cow::Borrowed).map_err(|_| bad)
        }
        Tag::TELETEX_STRING => Ok(Cow::Owned(content.iter().map(|octet| char::from(*octet)).collect())),
        Tag::BMP_STRING => {
            let (units, odd) = content.as_chunks::<2>();
            if !odd.is_empty() {
                return Err(bad);
            }
            let units = units.iter().map(|unit| u16::from_be_bytes(*unit));
            char::decode_utf16(units).collect::<Result<String, _>>().map(Cow::Owned).map_err(|_| bad)
        }
        Tag::UNIVERSAL_STRING => {
            let (units, odd) = content.as_chunks::<4>();
            if !odd.is_empty() {
                return Err(bad);
            }
            let text: Option<String> =
                units.iter().map(|unit| char::from_u32(u32::from_be_bytes(*unit))).collect();
            text.map(Cow::Owned).ok_or(bad)
        }
        _ => Err(TlvErrorKind::Unexpected { expected: Tag::UTF8_STRING, found: Some(tag) }),
    }
}

/// `YYMMDDhhmmssZ`; years 50..=99 are 1950..=1999 (RFC 5280 §4.1.2.5.1).
pub(super) fn utc_time(content: &[u8]) -> Result<Time, TlvErrorKind> {
    let [pairs @ .., b'Z'] = content else { return Err(TlvErrorKind::BadTime) };
    let [year, rest @ ..] = two_digit_numbers::<6>(pairs)?;
    let year = u16::from(year);
    civil(if year >= 50 { 1_900 + year } else { 2_000 + year }, rest)
}

/// `YYYYMMDDhhmmss[.f+]Z`: the time, and nanoseconds where there is a fraction (without trailing zero).
pub(super) fn generalized_time(content: &[u8]) -> Result<(Time, Option<u32>), TlvErrorKind> {
    let [text @ .., b'Z'] = content else { return Err(TlvErrorKind::BadTime) };
    let (seconds, fraction) = text.split_at_checked(14).ok_or(TlvErrorKind::BadTime)?;
    let [century, year, rest @ ..] = two_digit_numbers::<7>(seconds)?;
    let time = civil(u16::from(century) * 100 + u16::from(year), rest)?;
    let nanoseconds = match fraction {
        [] => None,
        [b'.', digits @ ..] => {
            let well_formed =
                digits.iter().all(u8::is_ascii_digit) && digits.last().is_some_and(|d| *d != b'0');
            if !well_formed {
                return Err(TlvErrorKind::BadTime);
            }
            let padded = digits.iter().copied().chain(core::iter::repeat(b'0')).take(9);
            Some(padded.fold(0u32, |sum, digit| sum * 10 + u32::from(digit - b'0')))
        }
        _ => return Err(TlvErrorKind::BadTime),
    };
    Ok((time, nanoseconds))
}

fn two_digit_numbers<const N: usize>(digits: &[u8]) -> Result<[u8; N], TlvErrorKind> {
    let (pairs, odd) = digits.as_chunks::<2>();
    if pairs.len() != N || !odd.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(TlvErrorKind::BadTime);
    }
    let mut numbers = [0; N];
    for (number, [tens, units]) in numbers.iter_mut().zip(pairs) {
        *number = (tens - b'0') * 10 + (units - b'0');
    }
    Ok(numbers)
}

fn civil(year: u16, [month, day, hour, minute, second]: [u8; 5]) -> Result<Time, TlvErrorKind> {
    Time::from_civil(Civil { year, month, day, hour, minute, second }).ok_or(TlvErrorKind::BadTime)
}
