//! The files of records and of the index. Their octets are described in docs/vault-format.md.

use std::collections::BTreeMap;

use aecm_core::embed::Rng;
use zeroize::Zeroizing;

use super::header::{VERSION, take};
use super::seal::{DataKey, NONCE, TAG};
use crate::error::StoreError;
use crate::records::{MAX_NAME, MAX_RECORD, Octets};
use crate::slot::{hex, unhex};

/// The longest file of a record.
pub(super) const MAX_RECORD_FILE: usize = MAX_RECORD + 2 + MAX_NAME + CLEAR + NONCE + TAG;
/// The longest index: about half a million records.
pub(super) const MAX_INDEX_FILE: usize = 64 << 20;

const RECORD: &str = ".rec";
const KEPT: &str = ".kept";
const MAGIC: &[u8; 8] = b"AECM-REC";
const CLEAR: usize = 8 + 2 + 1 + 1 + 8;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Index,
    Record,
}

impl Kind {
    const fn octet(self) -> u8 {
        match self {
            Self::Index => 1,
            Self::Record => 2,
        }
    }
}

/// The random name of a record's file, without `.rec`.
pub(super) type FileId = [u8; 16];

pub(super) fn file_name(id: &FileId) -> String {
    format!("{}{RECORD}", hex(id))
}

/// The inverse of [`file_name`]; `None` for other files.
pub(super) fn record_id(name: &str) -> Option<FileId> {
    name.strip_suffix(RECORD).and_then(unhex)
}

/// The name of the file of a version that recovery keeps aside. Its seal stays bound to [`file_name`].
pub(super) fn kept_name(id: &FileId) -> String {
    format!("{}{KEPT}", hex(id))
}

/// The inverse of [`kept_name`]; `None` for other files.
pub(super) fn kept_id(name: &str) -> Option<FileId> {
    name.strip_suffix(KEPT).and_then(unhex)
}

/// What the records and the index of one vault are sealed with.
pub(super) struct Sealer<'a> {
    pub(super) key: &'a DataKey,
    pub(super) vault: &'a [u8; 16],
}

impl Sealer<'_> {
    /// The octets of the file `file` of that kind and generation.
    pub(super) fn seal(
        &self,
        kind: Kind,
        file: &str,
        generation: u64,
        plain: &[u8],
        rng: &dyn Rng,
    ) -> Result<Vec<u8>, StoreError> {
        let mut octets = Vec::with_capacity(CLEAR + NONCE + plain.len() + TAG);
        octets.extend_from_slice(MAGIC);
        octets.extend_from_slice(&VERSION.to_be_bytes());
        octets.extend_from_slice(&[kind.octet(), 0]);
        octets.extend_from_slice(&generation.to_be_bytes());
        let sealed = self.key.seal(&self.context(&octets, file), plain, rng)?;
        octets.extend_from_slice(&sealed);
        Ok(octets)
    }

    /// The generation and the plain octets of the file `file`, which must be of that kind, whole and ours.
    pub(super) fn open(&self, kind: Kind, file: &str, octets: &[u8]) -> Result<(u64, Octets), StoreError> {
        let clear = Clear::parse(octets).map_err(|error| error.of(file))?;
        if clear.kind != kind.octet() {
            return Err(StoreError::corrupt(file, "it holds something else than its name says"));
        }
        let plain = self.key.open(&self.context(clear.octets, file), clear.sealed).ok_or_else(|| {
            StoreError::corrupt(file, "its seal is broken: changed, cut off, or of another vault")
        })?;
        Ok((clear.generation, plain))
    }

    /// What a file is bound to besides its content: its clear part, its vault, its name.
    fn context(&self, clear: &[u8], file: &str) -> Vec<u8> {
        [clear, self.vault.as_slice(), file.as_bytes()].concat()
    }
}

/// The part of a file that anyone can read, parsed.
#[derive(Debug)]
pub(crate) struct Clear<'a> {
    octets: &'a [u8],
    kind: u8,
    generation: u64,
    sealed: &'a [u8],
}

/// Why the clear part cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClearError {
    Form(&'static str),
    Version(u16),
}

impl ClearError {
    fn of(self, file: &str) -> StoreError {
        match self {
            Self::Form(why) => StoreError::corrupt(file, why),
            Self::Version(found) => StoreError::Version { found, known: VERSION },
        }
    }
}

impl<'a> Clear<'a> {
    /// How many octets are sealed behind the clear part.
    pub(crate) const fn sealed_length(&self) -> usize {
        self.sealed.len()
    }

    pub(crate) fn parse(input: &'a [u8]) -> Result<Self, ClearError> {
        let short = ClearError::Form("it is cut off");
        let mut rest = input;
        if take(&mut rest) != Some(*MAGIC) {
            return Err(ClearError::Form("it does not begin as a file of a vault"));
        }
        let version = u16::from_be_bytes(take(&mut rest).ok_or(short)?);
        if version > VERSION {
            return Err(ClearError::Version(version));
        }
        let [kind, reserved] = take(&mut rest).ok_or(short)?;
        if version == 0 || reserved != 0 {
            return Err(ClearError::Form("it is not of the form of version 1"));
        }
        let generation = u64::from_be_bytes(take(&mut rest).ok_or(short)?);
        if rest.len() < NONCE + TAG {
            return Err(short);
        }
        let octets = input.get(..CLEAR).ok_or(short)?;
        Ok(Self { octets, kind, generation, sealed: rest })
    }
}

/// The plain octets of a record: its name, then its content.
pub(super) fn encode_body(name: &str, content: &[u8]) -> Result<Octets, StoreError> {
    let mut body = Zeroizing::new(Vec::with_capacity(2 + name.len() + content.len()));
    push_name(&mut body, name)?;
    body.extend_from_slice(content);
    Ok(body)
}

/// The inverse of [`encode_body`]: the name and the content.
pub(crate) fn decode_body(body: &[u8]) -> Option<(&str, &[u8])> {
    let mut rest = body;
    let name = take_name(&mut rest)?;
    Some((name, rest))
}

/// Where the present version of a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(super) file: FileId,
    pub(super) generation: u64,
}

/// All records of a vault by name. Writing a new index is what makes changes happen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Index {
    pub(super) places: BTreeMap<String, Place>,
}

impl Index {
    pub(crate) fn encode(&self) -> Result<Vec<u8>, StoreError> {
        let limit = StoreError::TooLarge { what: "the number of records", limit: MAX_INDEX_FILE / 64 };
        let count = u32::try_from(self.places.len()).map_err(|_| limit.clone())?;
        let mut octets = count.to_be_bytes().to_vec();
        for (name, place) in &self.places {
            push_name(&mut octets, name)?;
            octets.extend_from_slice(&place.file);
            octets.extend_from_slice(&place.generation.to_be_bytes());
        }
        if octets.len() > MAX_INDEX_FILE - CLEAR - NONCE - TAG {
            return Err(limit);
        }
        Ok(octets)
    }

    /// Reads what [`Index::encode`] writes and nothing else: names strictly ascending, no record of a later
    /// generation than the index itself, nothing behind the last one.
    pub(crate) fn decode(octets: &[u8], generation: u64) -> Option<Self> {
        let mut rest = octets;
        let count = u32::from_be_bytes(take(&mut rest)?);
        let mut places = BTreeMap::new();
        let mut last: Option<&str> = None;
        for _ in 0..count {
            let name = take_name(&mut rest)?;
            let place = Place { file: take(&mut rest)?, generation: u64::from_be_bytes(take(&mut rest)?) };
            if last.is_some_and(|last| last >= name) || place.generation > generation {
                return None;
            }
            last = Some(name);
            places.insert(name.to_owned(), place);
        }
        rest.is_empty().then_some(Self { places })
    }
}

fn push_name(octets: &mut Vec<u8>, name: &str) -> Result<(), StoreError> {
    let length = u16::try_from(name.len()).ok().filter(|length| usize::from(*length) <= MAX_NAME);
    let length = length.ok_or(StoreError::TooLarge { what: "the name of a record", limit: MAX_NAME })?;
    octets.extend_from_slice(&length.to_be_bytes());
    octets.extend_from_slice(name.as_bytes());
    Ok(())
}

fn take_name<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let length = usize::from(u16::from_be_bytes(take(rest)?));
    if length == 0 || length > MAX_NAME {
        return None;
    }
    let (name, after) = rest.split_at_checked(length)?;
    *rest = after;
    core::str::from_utf8(name).ok()
}

#[cfg(test)]
mod tests;
