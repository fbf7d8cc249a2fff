//! Finding the records of a vault again when its index is lost.

use std::sync::PoisonError;

use super::record::{Index, Kind, MAX_INDEX_FILE, MAX_RECORD_FILE, Place, decode_body};
use super::{INDEX, LOCK, Vault};
use crate::error::StoreError;
use crate::slot::unhex;

/// What [`Vault::recover`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovery {
    /// How many records the vault has now.
    pub records: usize,
    /// The files of records that cannot be read; they are left where they are.
    pub unreadable: Vec<String>,
}

impl Vault {
    /// Writes an index of the latest version of every record that can be read.
    pub(super) fn rebuild_index(&self) -> Result<Recovery, StoreError> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let _lock = self.files.lock(&self.directory.join(LOCK), true)?;
        let names = self
            .files
            .list(&self.directory)
            .map_err(|error| StoreError::io("list", &self.directory, &error))?;
        let mut index = Index::default();
        let mut highest = self.generation_of_index();
        let mut unreadable = Vec::new();
        for file in names {
            let Some(id) = file.strip_suffix(".rec").and_then(unhex) else { continue };
            match self.read_any(&file)? {
                Some((name, generation)) => {
                    highest = highest.max(generation);
                    insert_latest(&mut index, name, Place { file: id, generation });
                }
                None => unreadable.push(file),
            }
        }
        let next = highest.checked_add(1).ok_or_else(|| StoreError::corrupt(INDEX, "it is the last one"))?;
        let octets = self.sealer().seal(Kind::Index, INDEX, next, &index.encode()?, self.rng.as_ref())?;
        self.put(INDEX, &octets)?;
        self.sync()?;
        *seen = next;
        unreadable.sort();
        Ok(Recovery { records: index.places.len(), unreadable })
    }

    /// The generation of the index where it can be read, so that the new one is later.
    fn generation_of_index(&self) -> u64 {
        let octets = self.files.read(&self.directory.join(INDEX), MAX_INDEX_FILE).ok().flatten();
        octets
            .and_then(|octets| self.sealer().open(Kind::Index, INDEX, &octets).ok())
            .map_or(0, |(generation, _)| generation)
    }

    /// The name and generation of the record in `file`; `None` when it is damaged.
    fn read_any(&self, file: &str) -> Result<Option<(String, u64)>, StoreError> {
        let Some(octets) = self.files.read(&self.directory.join(file), MAX_RECORD_FILE)? else {
            return Ok(None);
        };
        let Ok((generation, body)) = self.sealer().open(Kind::Record, file, &octets) else { return Ok(None) };
        Ok(decode_body(&body).map(|(name, _)| (name.to_owned(), generation)))
    }
}

fn insert_latest(index: &mut Index, name: String, place: Place) {
    let slot = index.places.entry(name).or_insert(place);
    if slot.generation < place.generation {
        *slot = place;
    }
}
