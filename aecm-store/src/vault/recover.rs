//! Finding the records of a vault again when its index is lost.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use super::record::{FileId, Index, Kind, MAX_INDEX_FILE, MAX_RECORD_FILE, Place, decode_body};
use super::record::{file_name, kept_id, kept_name, record_id};
use super::{INDEX, LOCK, Vault};
use crate::error::StoreError;

/// What [`Vault::recover`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovery {
    /// How many records the vault has now.
    pub records: usize,
    /// The files of records that cannot be read; they are left where they are.
    pub unreadable: Vec<String>,
    /// Versions that were not taken though nothing proves that they were replaced, of this recovery and of
    /// earlier ones, while their files are there.
    pub kept: Vec<Kept>,
}

/// A version of a record that [`Vault::recover`] did not take and did not give up either.
///
/// It is of the same generation as the version taken; or it is older, but the version taken may be of a change
/// that never came to its end. To have it after all, on a vault that nobody has open: move the file `taken`
/// away, rename `file` from `.kept` to `.rec`, and recover again. Who has decided otherwise removes `file`: no
/// method of the vault does, not even [`purge`](crate::KeyStore::purge), and a key in it stays.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Kept {
    /// The name of the record, as docs/vault-format.md gives them.
    pub record: String,
    /// The generation of this version.
    pub generation: u64,
    /// The file it is in now.
    pub file: String,
    /// The file that holds the version taken; `None` when the vault has no record of that name any more.
    pub taken: Option<String>,
}

/// The index as it was found: generation 0 and empty when it cannot be opened.
#[derive(Default)]
struct Former {
    generation: u64,
    index: Index,
}

impl Former {
    /// Whether this is the version that the former index names.
    fn names(&self, name: &str, place: &Place) -> bool {
        self.index.places.get(name) == Some(place)
    }

    /// The order of the versions of one record, the one to take last: what is later than the index, by
    /// generation; what the index names; the rest, by generation. The file's name only makes the choice the
    /// same every time.
    fn rank(&self, name: &str, place: &Place) -> (Option<u64>, bool, u64, FileId) {
        let later = (place.generation > self.generation).then_some(place.generation);
        (later, self.names(name, place), place.generation, place.file)
    }
}

impl Vault {
    /// Writes an index of the latest version of every record that can be read.
    pub(super) fn rebuild_index(&self) -> Result<Recovery, StoreError> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let _lock = self.files.lock(&self.directory.join(LOCK), true)?;
        let former = self.former_index();
        let mut versions: BTreeMap<String, Vec<Place>> = BTreeMap::new();
        let (mut unreadable, mut kept) = (Vec::new(), Vec::new());
        for file in self.names()? {
            let (id, versions) = match (record_id(&file), kept_id(&file)) {
                (Some(id), _) => (id, Some(&mut versions)),
                (None, Some(id)) => (id, None),
                (None, None) => continue,
            };
            match (self.read_any(&file, &id)?, versions) {
                (Some((name, generation)), Some(versions)) => {
                    versions.entry(name).or_default().push(Place { file: id, generation });
                }
                (Some(version), None) => kept.push((version, id)),
                (None, _) => unreadable.push(file),
            }
        }
        let latest = versions.values().flatten().map(|place| place.generation).max().unwrap_or(0);
        let next = latest.max(former.generation).checked_add(1);
        let next = next.ok_or_else(|| StoreError::corrupt(INDEX, "it is the last one"))?;

        let mut index = Index::default();
        for (name, mut places) in versions {
            places.sort_by_key(|place| former.rank(&name, place));
            let Some(taken) = places.pop() else { continue };
            // A change removes for good what a stopped one left before its own index is written. So what is
            // not of the very last generation is of a change that came to its end.
            let finished = taken.generation < latest || taken.generation <= former.generation;
            for place in places {
                let proven =
                    former.names(&name, &taken) || (finished && place.generation != taken.generation);
                if !proven {
                    self.keep(&place.file)?;
                    kept.push(((name.clone(), place.generation), place.file));
                }
            }
            index.places.insert(name, taken);
        }
        let octets = self.sealer().seal(Kind::Index, INDEX, next, &index.encode()?, self.rng.as_ref())?;
        // With the new index, what is not under its new name yet would be swept.
        self.sync()?;
        self.put(INDEX, &octets)?;
        self.sync()?;
        *seen = next;
        let records = index.places.len();
        Ok(Recovery { records, unreadable, kept: report(kept, &index) })
    }

    /// Renames the file of a record so that it is no longer one.
    fn keep(&self, file: &FileId) -> Result<(), StoreError> {
        let (from, to) = (self.directory.join(file_name(file)), self.directory.join(kept_name(file)));
        self.files.rename(&from, &to).map_err(|error| StoreError::io("rename", &from, &error))
    }

    /// What can be read of the index: whom it names, and a generation above which the new one must be.
    fn former_index(&self) -> Former {
        let octets = self.files.read(&self.directory.join(INDEX), MAX_INDEX_FILE).ok().flatten();
        let opened = octets.and_then(|octets| self.sealer().open(Kind::Index, INDEX, &octets).ok());
        opened.map_or_else(Former::default, |(generation, plain)| Former {
            generation,
            index: Index::decode(&plain, generation).unwrap_or_default(),
        })
    }

    /// The name and generation of the record in `file`, sealed as the one of that id; `None` when it is
    /// damaged.
    fn read_any(&self, file: &str, id: &FileId) -> Result<Option<(String, u64)>, StoreError> {
        let Some(octets) = self.files.read(&self.directory.join(file), MAX_RECORD_FILE)? else {
            return Ok(None);
        };
        let Ok((generation, body)) = self.sealer().open(Kind::Record, &file_name(id), &octets) else {
            return Ok(None);
        };
        Ok(decode_body(&body).map(|(name, _)| (name.to_owned(), generation)))
    }
}

/// What was kept, by record, the latest last.
fn report(mut kept: Vec<((String, u64), FileId)>, index: &Index) -> Vec<Kept> {
    kept.sort();
    kept.into_iter()
        .map(|((record, generation), file)| {
            let taken = index.places.get(&record).map(|place| file_name(&place.file));
            Kept { record, generation, file: kept_name(&file), taken }
        })
        .collect()
}
