//! How a change becomes durable, and what is left of one that was stopped midway.
//!
//! Invariant: when an index of generation g is in its place, no file of a record that it does not name has
//! generation g or above and is still there for a reader of the medium. [`Vault::recover`] relies on it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use super::record::{Index, Kind, MAX_RECORD_FILE, Place, encode_body, file_name, record_id};
use super::{INDEX, LEASE, LOCK, TEMPORARY, Vault, write_file};
use crate::error::StoreError;
use crate::records::Changes;
use crate::slot::hex;

/// A whole file of a record that the index does not name.
struct Stray {
    path: PathBuf,
    generation: u64,
}

impl Vault {
    /// Makes `changes` durable: new files, then the new index, then the old files go. The lock is held.
    pub(super) fn commit(
        &self,
        generation: u64,
        mut index: Index,
        changes: Changes<'_>,
    ) -> Result<u64, StoreError> {
        let next =
            generation.checked_add(1).ok_or_else(|| StoreError::corrupt(INDEX, "it is the last one"))?;
        self.remove_strays(generation, &index)?;
        let (mut written, mut replaced) = (Vec::new(), Vec::new());
        let staged = self
            .write_records(next, &mut index, changes, &mut written, &mut replaced)
            .and_then(|()| self.stage_index(next, &index));
        let staged = match staged {
            Ok(staged) => staged,
            Err(error) => {
                // Nothing names them. What cannot be removed now goes before the next change.
                for path in written {
                    let _ = self.files.remove(&path);
                }
                return Err(error);
            }
        };
        // A rename that fails may have happened all the same (network file systems), so the new files stay
        // then; the next change reads the index and knows.
        self.place(&staged, INDEX)?;
        self.sync()?;
        // From here on the change has happened. What cannot be removed now goes before the next change.
        for place in replaced {
            let _ = self.files.remove(&self.directory.join(file_name(&place.file)));
        }
        Ok(next)
    }

    /// Writes the new versions, of generation `next`, and enters them into the index. `written` gets the path
    /// of every file made, whatever happens, `replaced` the places that the index named before.
    fn write_records(
        &self,
        next: u64,
        index: &mut Index,
        changes: Changes<'_>,
        written: &mut Vec<PathBuf>,
        replaced: &mut Vec<Place>,
    ) -> Result<(), StoreError> {
        for (name, content) in changes.into_writes() {
            let former = match content {
                Some(content) => {
                    let mut file = [0; 16];
                    self.rng.fill(&mut file)?;
                    let body = encode_body(&name, &content)?;
                    let path = file_name(&file);
                    let octets = self.sealer().seal(Kind::Record, &path, next, &body, self.rng.as_ref())?;
                    written.push(self.directory.join(&path));
                    self.put(&path, &octets)?;
                    index.places.insert(name, Place { file, generation: next })
                }
                None => index.places.remove(&name),
            };
            replaced.extend(former);
        }
        Ok(())
    }

    fn stage_index(&self, next: u64, index: &Index) -> Result<PathBuf, StoreError> {
        let octets = self.sealer().seal(Kind::Index, INDEX, next, &index.encode()?, self.rng.as_ref())?;
        // The names of the new files must be durable before the index that points to them; and strays must
        // be gone for good before an index that has passed them.
        self.sync()?;
        self.stage(&octets)
    }

    /// Puts a file in its place, whole or not at all. Durable after [`Vault::sync`].
    pub(super) fn put(&self, name: &str, octets: &[u8]) -> Result<(), StoreError> {
        let staged = self.stage(octets)?;
        self.place(&staged, name)
    }

    /// Writes a file under a temporary name, flushes it, reads it back and compares (THREATS K6).
    fn stage(&self, octets: &[u8]) -> Result<PathBuf, StoreError> {
        let mut suffix = [0; 16];
        self.rng.fill(&mut suffix)?;
        let temporary = self.directory.join(format!("{TEMPORARY}{}", hex(&suffix)));
        match write_file(self.files.as_ref(), &temporary, octets) {
            Ok(()) => Ok(temporary),
            Err(error) => {
                let _ = self.files.remove(&temporary);
                Err(error)
            }
        }
    }

    /// Renames a staged file to its own name.
    fn place(&self, staged: &Path, name: &str) -> Result<(), StoreError> {
        let path = self.directory.join(name);
        self.files.rename(staged, &path).map_err(|error| {
            let _ = self.files.remove(staged);
            StoreError::io("replace", &path, &error)
        })
    }

    /// The names in the directory.
    pub(super) fn names(&self) -> Result<BTreeSet<String>, StoreError> {
        let names = self.files.list(&self.directory);
        let names = names.map_err(|error| StoreError::io("list", &self.directory, &error))?;
        Ok(names.into_iter().collect())
    }

    /// Removes, at opening, what a process that stopped midway left: temporary files, and records replaced or
    /// deleted by a change that happened. Records of a change that did not happen stay until the next change:
    /// should the index be an older copy, they are keys.
    pub(super) fn sweep(&self) -> Result<(), StoreError> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let _lock = self.files.lock(&self.directory.join(LOCK), true)?;
        let (generation, index) = self.index(&mut seen)?;
        let names = self.names()?;
        let mut files = index.places.values().map(|place| file_name(&place.file));
        if let Some(missing) = files.find(|file| !names.contains(file)) {
            return Err(StoreError::corrupt(missing, "it is missing"));
        }
        let mut strays = Vec::new();
        for stray in self.strays(generation, &index, &names) {
            match stray {
                Ok(stray) if stray.generation <= generation => strays.push(stray),
                Ok(_) => {}
                Err(error @ StoreError::Corrupt { .. }) => return Err(error),
                // What cannot be read does not keep anybody from the rest.
                Err(_) => {}
            }
        }
        if !strays.is_empty() {
            // Who replaced them may have stopped before the index that did was durable.
            self.sync()?;
        }
        let temporary = names.iter().filter(|name| name.starts_with(TEMPORARY));
        let temporary = temporary.map(|name| self.directory.join(name));
        for path in strays.into_iter().map(|stray| stray.path).chain(temporary) {
            // What cannot be removed now goes at another time.
            let _ = self.files.remove(&path);
        }
        for name in names.iter().filter(|name| name.ends_with(LEASE)) {
            let path = self.directory.join(name);
            // Who holds it, or is about to, holds it or the lock of the vault: one that is free is left over.
            if let Ok(Some(_held)) = self.files.try_lock(&path) {
                let _ = self.files.remove(&path);
            }
        }
        Ok(())
    }

    /// Removes, before a change, every record that the index does not name. If one of a change that did not
    /// happen stayed, it would have the generation of this change, or, once the index is lost, stand for a
    /// later version than the acknowledged one. The lock is held.
    fn remove_strays(&self, generation: u64, index: &Index) -> Result<(), StoreError> {
        let strays =
            self.strays(generation, index, &self.names()?).collect::<Result<Vec<Stray>, StoreError>>()?;
        if strays.is_empty() {
            return Ok(());
        }
        // As in `sweep`: first the index that passed them, then they.
        self.sync()?;
        for stray in strays {
            if let Err(error) = self.files.remove(&stray.path)
                && stray.generation > generation
            {
                return Err(StoreError::io("remove", &stray.path, &error));
            }
        }
        Ok(())
    }

    /// The strays among `names`. Files that do not open are none: nothing could be lost or found in them, so
    /// they are left to be looked at. An error for one that cannot be read, and [`StoreError::Corrupt`] for
    /// one that the index cannot have before it.
    fn strays<'a>(
        &'a self,
        generation: u64,
        index: &Index,
        names: &'a BTreeSet<String>,
    ) -> impl Iterator<Item = Result<Stray, StoreError>> + 'a {
        let named: BTreeSet<String> = index.places.values().map(|place| file_name(&place.file)).collect();
        let unnamed = names.iter().filter(move |name| record_id(name).is_some() && !named.contains(*name));
        unnamed.filter_map(move |name| {
            let path = self.directory.join(name);
            let octets = match self.files.read(&path, MAX_RECORD_FILE) {
                Ok(octets) => octets?,
                // Larger than any record.
                Err(StoreError::Corrupt { .. }) => return None,
                Err(error) => return Some(Err(error)),
            };
            let (own, _) = self.sealer().open(Kind::Record, name, &octets).ok()?;
            Some(if own > generation.saturating_add(1) {
                Err(StoreError::corrupt(INDEX, "it is older than the records: an old copy was put back"))
            } else {
                Ok(Stray { path, generation: own })
            })
        })
    }
}
