//! Identifier and length octets (X.690 §8.1.2, §8.1.3).

use super::{Class, Rules, Tag, TlvError, TlvErrorKind};

/// The identifier and length of a value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) tag: Tag,
    /// Octets of identifier and length together.
    pub(super) size: usize,
    /// Octets of content; `None` is the indefinite form.
    pub(super) length: Option<usize>,
}

/// The two octets that end a value of indefinite length.
pub(super) const END_OF_CONTENTS: [u8; 2] = [0, 0];

/// Reads the head at the start of `input`, which is not empty and not an end-of-contents mark.
///
/// A definite length never exceeds what `input` holds.
pub(super) fn read(input: &[u8], rules: Rules, offset: usize) -> Result<Head, TlvError> {
    let fail = |kind| TlvError::new(kind, offset);
    let mut octets = input.iter().copied();
    let mut next = || octets.next().ok_or(fail(TlvErrorKind::Truncated));

    let first = next()?;
    let class = match first >> 6 {
        0 => Class::Universal,
        1 => Class::Application,
        2 => Class::ContextSpecific,
        _ => Class::Private,
    };
    let constructed = first & 0x20 != 0;
    let mut size = 1;
    let mut number = u32::from(first & 0x1f);
    if number == 0x1f {
        number = 0;
        loop {
            let octet = next()?;
            size += 1;
            if size > 5 || (size == 2 && octet == 0x80) {
                return Err(fail(TlvErrorKind::BadTag));
            }
            number = number << 7 | u32::from(octet & 0x7f);
            if octet & 0x80 == 0 {
                break;
            }
        }
        if number < 0x1f {
            return Err(fail(TlvErrorKind::BadTag));
        }
    }
    let tag = Tag { class, constructed, number };

    let first = next()?;
    size += 1;
    let length = match first {
        0x00..=0x7f => Some(u64::from(first)),
        0x80 if rules == Rules::Der || !constructed => return Err(fail(TlvErrorKind::Indefinite)),
        0x80 => None,
        0xff => return Err(fail(TlvErrorKind::BadLength)),
        _ => {
            let count = first & 0x7f;
            let mut length = 0u64;
            let mut long_length = false;
            for index in 0..count {
                let octet = next()?;
                size += 1;
                long_length |= index == 0 && octet == 0;
                if length > u64::MAX >> 8 {
                    return Err(fail(TlvErrorKind::BadLength));
                }
                length = length << 8 | u64::from(octet);
            }
            long_length |= length < 0x80;
            if long_length && rules == Rules::Der {
                return Err(fail(TlvErrorKind::LengthNotMinimal));
            }
            Some(length)
        }
    };
    let length = match length {
        None => None,
        Some(length) => {
            let length = usize::try_from(length).map_err(|_| fail(TlvErrorKind::Truncated))?;
            if length > input.len().saturating_sub(size) {
                return Err(fail(TlvErrorKind::Truncated));
            }
            Some(length)
        }
    };
    check_construction(tag, rules).map_err(fail)?;
    Ok(Head { tag, size, length })
}

// X.690 §8.2–§8.23: which universal types are primitive, constructed, or either.
fn check_construction(tag: Tag, rules: Rules) -> Result<(), TlvErrorKind> {
    if tag.class != Class::Universal {
        return Ok(());
    }
    match tag.number {
        0 => Err(TlvErrorKind::StrayEndOfContents),
        1 | 2 | 5 | 6 | 9 | 10 | 13 | 14 if tag.constructed => Err(TlvErrorKind::BadConstruction(tag)),
        8 | 11 | 16 | 17 | 29 if !tag.constructed => Err(TlvErrorKind::BadConstruction(tag)),
        _ if is_string(tag) && tag.constructed && rules == Rules::Der => {
            Err(TlvErrorKind::StringInPieces(tag))
        }
        _ => Ok(()),
    }
}

/// Whether BER lets a value of this type come in pieces.
pub(super) const fn is_string(tag: Tag) -> bool {
    matches!(tag.class, Class::Universal) && matches!(tag.number, 3 | 4 | 7 | 12 | 18..=28 | 30)
}

/// Finds the end of content of indefinite length at the start of `content`: the octets before its
/// end-of-contents mark.
///
/// Without recursion, and each octet is looked at once: values of definite length are stepped over, and of
/// those of indefinite length inside only the number that are open is kept.
pub(super) fn indefinite_length(
    content: &[u8],
    offset: usize,
    depth_left: usize,
    depth_limit: usize,
    elements_limit: usize,
) -> Result<usize, TlvError> {
    let mut position = 0usize;
    let mut open = 1usize;
    let mut elements = 0usize;
    loop {
        let here = offset.saturating_add(position);
        let rest = content.get(position..).unwrap_or_default();
        if rest.starts_with(&END_OF_CONTENTS) {
            open -= 1;
            if open == 0 {
                return Ok(position);
            }
            position += END_OF_CONTENTS.len();
            continue;
        }
        elements += 1;
        if elements > elements_limit {
            return Err(TlvError::new(TlvErrorKind::Elements { limit: elements_limit }, here));
        }
        let head = read(rest, Rules::Ber, here)?;
        match head.length {
            Some(length) => position += head.size + length,
            None => {
                open += 1;
                if open > depth_left {
                    return Err(TlvError::new(TlvErrorKind::Depth { limit: depth_limit }, here));
                }
                position += head.size;
            }
        }
    }
}
