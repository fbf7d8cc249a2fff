//! DER around secrets, in octets that are wiped.

use aecm_core::tlv::{Tag, write};
use zeroize::Zeroizing;

/// A value of any type of which `parts` are the content. Nothing of it is copied to where it is not wiped.
pub(crate) fn tlv(tag: Tag, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    // The head of a value of that length, made without the value: identifier, then length.
    let identifier = write::tlv(tag, &[]);
    let identifier = identifier.get(..identifier.len().saturating_sub(1)).unwrap_or_default();
    let mut octets = Zeroizing::new(Vec::with_capacity(identifier.len() + 9 + length));
    octets.extend_from_slice(identifier);
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => octets.push(short),
        _ => {
            let digits = length.to_be_bytes();
            let zeros = digits.iter().take_while(|digit| **digit == 0).count();
            let digits = digits.get(zeros..).unwrap_or_default();
            octets.push(0x80 | u8::try_from(digits.len()).unwrap_or(0));
            octets.extend_from_slice(digits);
        }
    }
    for part in parts {
        octets.extend_from_slice(part);
    }
    octets
}

/// A SEQUENCE of whole values.
pub(crate) fn sequence(parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    tlv(Tag::SEQUENCE, parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_writes_what_the_plain_writer_writes() {
        for length in [0, 1, 127, 128, 255, 256, 65_535, 65_536] {
            let content = vec![0x5a; length];
            for tag in [Tag::SEQUENCE, Tag::OCTET_STRING, Tag::context(1), Tag::context_primitive(40)] {
                let (one, other) = content.split_at(length / 2);
                let made = tlv(tag, &[one, other]);
                assert_eq!(*made, write::tlv(tag, &content));
                // It was never moved: moving would leave a copy.
                assert!(made.capacity() >= made.len());
            }
        }
    }
}
