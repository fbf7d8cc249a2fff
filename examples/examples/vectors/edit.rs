//! Changing one field of a DER message and leaving every other octet as it was, but for lengths.

use aecm_core::limits::Limits;
use aecm_core::oid::ObjectIdentifier;
use aecm_core::tlv::{Reader, Rules, write};

use super::Outcome;

/// The values inside a constructed one.
pub(super) fn children(der: &[u8]) -> Outcome<Vec<Vec<u8>>> {
    let limits = Limits::default();
    let mut inside = Reader::new(der, Rules::Der, &limits).any()?.reader()?;
    let mut list = Vec::new();
    while !inside.is_empty() {
        list.push(inside.any()?.bytes().to_vec());
    }
    Ok(list)
}

/// The value at the end of `path`: the place of each child, from 0.
pub(super) fn at(der: &[u8], path: &[usize]) -> Outcome<Vec<u8>> {
    let mut value = der.to_vec();
    for place in path {
        value = children(&value)?.into_iter().nth(*place).ok_or("no such field")?;
    }
    Ok(value)
}

/// The same with the value at `path` replaced; an empty replacement removes it.
pub(super) fn replace(der: &[u8], path: &[usize], by: &[u8]) -> Outcome<Vec<u8>> {
    let Some((place, rest)) = path.split_first() else { return Ok(by.to_vec()) };
    let limits = Limits::default();
    let tag = Reader::new(der, Rules::Der, &limits).any()?.tag();
    let mut list = children(der)?;
    let child = list.get_mut(*place).ok_or("no such field")?;
    *child = replace(child, rest, by)?;
    Ok(write::tlv(tag, &list.concat()))
}

/// The same with the last bit of the value at `path` turned over.
pub(super) fn flip(der: &[u8], path: &[usize]) -> Outcome<Vec<u8>> {
    let mut value = at(der, path)?;
    *value.last_mut().ok_or("an empty value")? ^= 1;
    replace(der, path, &value)
}

/// The octets of the value at `path`, without identifier and length.
pub(super) fn content(der: &[u8], path: &[usize]) -> Outcome<Vec<u8>> {
    let value = at(der, path)?;
    Ok(Reader::new(&value, Rules::Der, &Limits::default()).any()?.content().to_vec())
}

/// Whether the SEQUENCE begins with this identifier, as attributes do.
pub(super) fn is_type(der: &[u8], oid: &ObjectIdentifier) -> bool {
    children(der).is_ok_and(|list| list.first().is_some_and(|first| *first == write::oid(oid)))
}

/// Whether the octets of `needle` stand somewhere in `octets`.
pub(super) fn contains(octets: &[u8], needle: &[u8]) -> bool {
    octets.windows(needle.len()).any(|window| window == needle)
}

/// Text in a mail replaced, once.
pub(super) fn text(octets: &[u8], from: &str, to: &str) -> Outcome<Vec<u8>> {
    let text = core::str::from_utf8(octets)?;
    let (before, after) = text.split_once(from).ok_or_else(|| format!("{from:?} is not there"))?;
    Ok([before, to, after].concat().into_bytes())
}
