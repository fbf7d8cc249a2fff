//! The default store: an encrypted vault of plain files.

use core::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use aecm_core::certificate::Certificate;
use aecm_core::embed::Rng;
use aecm_core::key::{Decryptor, Signer};
use aecm_core::mailbox::Mailbox;
use aecm_core::software::KeySpec;
use aecm_core::suite::Suite;
use aecm_core::time::Time;
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::lease::Lease;
use crate::ops::key_store;
use crate::records::{Changes, Octets, Records, View};
use crate::slot::{DeviceId, Entry, KeyId, Slot, hex};

mod change;
mod files;
pub(crate) mod header;
pub(crate) mod record;
mod recover;
mod seal;

use files::{Files, System};
pub use header::Argon2Parameters;
use header::Header;
use record::{Index, Kind, MAX_INDEX_FILE, MAX_RECORD_FILE, Place, Sealer, decode_body, file_name};
pub use recover::{Kept, Recovery};
use seal::DataKey;

const HEADER: &str = "vault.header";
const INDEX: &str = "index";
const LOCK: &str = "lock";
const TEMPORARY: &str = "tmp-";
/// Ends the name of a file whose lock is a lease.
const LEASE: &str = ".lease";

/// How a vault is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct VaultOptions {
    /// The work of a guess at the password.
    pub argon2: Argon2Parameters,
}

impl VaultOptions {
    /// Next to no work a guess: for tests, and for passwords that are random keys of 128 bits or more.
    #[must_use]
    pub const fn weak() -> Self {
        Self { argon2: Argon2Parameters { memory_kib: 8, passes: 1, lanes: 1 } }
    }

    /// With that much work a guess.
    #[must_use]
    pub const fn argon2(self, argon2: Argon2Parameters) -> Self {
        Self { argon2 }
    }
}

/// A directory of encrypted files (format version 1, docs/vault-format.md) that holds the keys, certificates
/// and states of a store.
///
/// The password becomes a key by Argon2id; under it a random data key is wrapped; with that every record is
/// sealed by AES-256-GCM, bound to the vault, its file name and its generation. A change writes new files,
/// flushes them, reads them back, and then replaces the index in one atomic step: whenever a process or
/// machine stops, the vault holds the state before or after the change, and what was acknowledged is in it.
///
/// Several handles and processes may use a vault at once: each change happens under an advisory lock
/// (flock) on fresh state. Files are 0600 in a directory 0700; wider modes, other owners and symbolic links
/// are refused.
///
/// What it does not hide: the number, sizes and times of the records. What it cannot notice: that all of it
/// was replaced by an older copy while nobody had it open.
///
/// # Blocking
/// The async methods do their file work where they are called, a few milliseconds for a change with its
/// flushes, and wait there for the lock while another process writes. [`Vault::open`] computes Argon2id, a
/// fraction of a second. On a runtime that cannot spare its thread for that, call them where blocking is
/// allowed.
pub struct Vault {
    directory: PathBuf,
    files: Arc<dyn Files>,
    rng: Arc<dyn Rng>,
    id: [u8; 16],
    key: DataKey,
    /// The highest generation seen.
    seen: Mutex<u64>,
}

impl Vault {
    /// Makes a vault at `path`, where there is nothing or an empty directory, and opens it.
    ///
    /// It is made beside `path` and moved there whole: if the machine stops midway there is no vault.
    ///
    /// # Errors
    /// [`StoreError::Exists`]; [`StoreError::Parameters`]; [`StoreError::Rng`]; and what the file system says.
    pub fn create(
        path: impl AsRef<Path>,
        password: impl AsRef<[u8]>,
        rng: Arc<dyn Rng>,
        options: VaultOptions,
    ) -> Result<Self, StoreError> {
        Self::create_with(Arc::new(System), path.as_ref(), password.as_ref(), rng, options)
    }

    /// Opens the vault at `path`.
    ///
    /// # Errors
    /// [`StoreError::NoVault`]; [`StoreError::WrongPassword`]; [`StoreError::NotPrivate`] (THREATS K3);
    /// [`StoreError::Corrupt`] for damage of header or index (THREATS K4); [`StoreError::Parameters`] when
    /// the header asks for too much work (THREATS E6); [`StoreError::Version`].
    pub fn open(
        path: impl AsRef<Path>,
        password: impl AsRef<[u8]>,
        rng: Arc<dyn Rng>,
    ) -> Result<Self, StoreError> {
        Self::open_with(Arc::new(System), path.as_ref(), password.as_ref(), rng)
    }

    /// Rebuilds the index of a vault from its records: for a vault that [`Vault::open`] calls corrupt though
    /// its header is whole. Of every record the latest version that can be read is taken; what was deleted
    /// last or was being written when the machine stopped may come back. Where nothing proves that the version
    /// taken is the right one, the others are kept and named in [`Recovery::kept`]. Make a copy first.
    ///
    /// # Errors
    /// As [`Vault::open`], the state of the index excepted.
    pub fn recover(
        path: impl AsRef<Path>,
        password: impl AsRef<[u8]>,
        rng: Arc<dyn Rng>,
    ) -> Result<(Self, Recovery), StoreError> {
        Self::recover_with(Arc::new(System), path.as_ref(), password.as_ref(), rng)
    }

    /// Puts another password in the place of the present one. The data key stays: copies of the vault made
    /// before still open with the old password.
    ///
    /// # Errors
    /// As [`Vault::create`].
    pub fn change_password(
        &self,
        password: impl AsRef<[u8]>,
        options: VaultOptions,
    ) -> Result<(), StoreError> {
        let header = Header::new(self.id, &self.key, password.as_ref(), options.argon2, self.rng.as_ref())?;
        let _seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let _lock = self.files.lock(&self.directory.join(LOCK), true)?;
        self.put(HEADER, header.as_bytes())?;
        self.sync()
    }

    /// The work a guess at the password of the vault at `path` costs; it needs no password.
    ///
    /// # Errors
    /// As [`Vault::open`].
    pub fn argon2_parameters(path: impl AsRef<Path>) -> Result<Argon2Parameters, StoreError> {
        read_header(&System, path.as_ref()).map(|header| header.parameters())
    }

    fn create_with(
        files: Arc<dyn Files>,
        path: &Path,
        password: &[u8],
        rng: Arc<dyn Rng>,
        options: VaultOptions,
    ) -> Result<Self, StoreError> {
        options.argon2.check()?;
        let exists = || StoreError::Exists { path: path.to_owned() };
        let (parent, name) = match (path.parent(), path.file_name()) {
            (Some(parent), Some(name)) if parent.as_os_str().is_empty() => (Path::new("."), name),
            (Some(parent), Some(name)) => (parent, name),
            _ => return Err(exists()),
        };
        match files.list(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Ok(names) if names.is_empty() => {}
            Ok(_) | Err(_) => return Err(exists()),
        }
        let (mut id, mut suffix) = ([0; 16], [0; 8]);
        rng.fill(&mut id)?;
        rng.fill(&mut suffix)?;
        let key = DataKey::random(rng.as_ref())?;
        let header = Header::new(id, &key, password, options.argon2, rng.as_ref())?;
        let index = Index::default().encode()?;
        let index = Sealer { key: &key, vault: &id }.seal(Kind::Index, INDEX, 1, &index, rng.as_ref())?;

        let directory = parent.join(format!(".{}.new-{}", name.to_string_lossy(), hex(&suffix)));
        files.make_directory(&directory).map_err(|error| StoreError::io("make", &directory, &error))?;
        let contents: [(&str, &[u8]); 3] = [(HEADER, header.as_bytes()), (LOCK, &[]), (INDEX, &index)];
        let built = contents
            .into_iter()
            .try_for_each(|(name, octets)| write_file(files.as_ref(), &directory.join(name), octets))
            .and_then(|()| sync_directory(files.as_ref(), &directory))
            .and_then(|()| {
                files.rename(&directory, path).map_err(|error| match error.kind() {
                    io::ErrorKind::DirectoryNotEmpty
                    | io::ErrorKind::NotADirectory
                    | io::ErrorKind::AlreadyExists => exists(),
                    _ => StoreError::io("make", path, &error),
                })
            });
        if let Err(error) = built {
            // Best effort: the error that matters is the first one.
            for (name, _) in contents {
                let _ = files.remove(&directory.join(name));
            }
            let _ = files.remove_directory(&directory);
            return Err(error);
        }
        sync_directory(files.as_ref(), parent)?;
        Ok(Self { directory: path.to_owned(), files, rng, id, key, seen: Mutex::new(1) })
    }

    fn open_with(
        files: Arc<dyn Files>,
        path: &Path,
        password: &[u8],
        rng: Arc<dyn Rng>,
    ) -> Result<Self, StoreError> {
        let vault = Self::unlock(files, path, password, rng)?;
        vault.sweep()?;
        Ok(vault)
    }

    fn recover_with(
        files: Arc<dyn Files>,
        path: &Path,
        password: &[u8],
        rng: Arc<dyn Rng>,
    ) -> Result<(Self, Recovery), StoreError> {
        let vault = Self::unlock(files, path, password, rng)?;
        let recovery = vault.rebuild_index()?;
        Ok((vault, recovery))
    }

    fn unlock(
        files: Arc<dyn Files>,
        path: &Path,
        password: &[u8],
        rng: Arc<dyn Rng>,
    ) -> Result<Self, StoreError> {
        let header = read_header(files.as_ref(), path)?;
        let key = header.unwrap(password)?;
        Ok(Self { directory: path.to_owned(), files, rng, id: *header.id(), key, seen: Mutex::new(0) })
    }

    fn records(&self) -> &dyn Records {
        self
    }

    const fn sealer(&self) -> Sealer<'_> {
        Sealer { key: &self.key, vault: &self.id }
    }

    /// The index as it is now. The lock is held.
    fn index(&self, seen: &mut u64) -> Result<(u64, Index), StoreError> {
        let octets = self
            .files
            .read(&self.directory.join(INDEX), MAX_INDEX_FILE)?
            .ok_or_else(|| StoreError::corrupt(INDEX, "it is missing"))?;
        let (generation, plain) = self.sealer().open(Kind::Index, INDEX, &octets)?;
        let index = Index::decode(&plain, generation)
            .ok_or_else(|| StoreError::corrupt(INDEX, "it is not of the form of version 1"))?;
        if generation < *seen {
            return Err(StoreError::RolledBack { seen: *seen, found: generation });
        }
        *seen = generation;
        Ok((generation, index))
    }

    /// The content of the record at `place`, which must be that of `name`.
    fn record(&self, name: &str, place: &Place) -> Result<Octets, StoreError> {
        let file = file_name(&place.file);
        let octets = self
            .files
            .read(&self.directory.join(&file), MAX_RECORD_FILE)?
            .ok_or_else(|| StoreError::corrupt(file.as_str(), "it is missing"))?;
        let (generation, body) = self.sealer().open(Kind::Record, &file, &octets)?;
        match decode_body(&body) {
            Some((own, content)) if own == name && generation == place.generation => {
                Ok(Zeroizing::new(content.to_vec()))
            }
            _ => Err(StoreError::corrupt(file, "it is not the record that the index names")),
        }
    }

    fn sync(&self) -> Result<(), StoreError> {
        sync_directory(self.files.as_ref(), &self.directory)
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("directory", &self.directory).finish_non_exhaustive()
    }
}

/// A consistent picture of a vault; the lock is held while it lives.
struct Snapshot<'a> {
    vault: &'a Vault,
    index: &'a Index,
}

impl View for Snapshot<'_> {
    fn get(&self, name: &str) -> Result<Option<Octets>, StoreError> {
        self.index.places.get(name).map(|place| self.vault.record(name, place)).transpose()
    }

    fn names(&self, prefix: &str) -> Vec<String> {
        self.index.places.keys().filter(|name| name.starts_with(prefix)).cloned().collect()
    }
}

impl Records for Vault {
    fn rng(&self) -> &Arc<dyn Rng> {
        &self.rng
    }

    fn view(&self, read: &mut dyn FnMut(&dyn View) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let _lock = self.files.lock(&self.directory.join(LOCK), false)?;
        let (_, index) = self.index(&mut seen)?;
        read(&Snapshot { vault: self, index: &index })
    }

    fn update(
        &self,
        change: &mut dyn FnMut(&mut Changes<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let _lock = self.files.lock(&self.directory.join(LOCK), true)?;
        let (generation, index) = self.index(&mut seen)?;
        let snapshot = Snapshot { vault: self, index: &index };
        let mut changes = Changes::new(&snapshot);
        change(&mut changes)?;
        if changes.is_empty() {
            return Ok(());
        }
        *seen = self.commit(generation, index.clone(), changes)?;
        Ok(())
    }

    fn try_lease(&self, name: &str) -> Result<Option<Lease>, StoreError> {
        let alias =
            self.key.alias(name).ok_or_else(|| StoreError::corrupt(HEADER, "its key has no octets"))?;
        // Shared with readers and other leases, and against `sweep`, which removes the files of leases that
        // have ended: between the making of this one and its lock it cannot go.
        let _lock = self.files.lock(&self.directory.join(LOCK), false)?;
        let held = self.files.try_lock(&self.directory.join(format!("{}{LEASE}", hex(&alias))))?;
        Ok(held.map(Lease::new))
    }
}

key_store!(Vault);

fn read_header(files: &dyn Files, path: &Path) -> Result<Header, StoreError> {
    if !files.check_directory(path)? {
        return Err(StoreError::NoVault { path: path.to_owned() });
    }
    // A longer file is read one octet too far, and refused for its length.
    match files.read(&path.join(HEADER), header::LENGTH + 1)? {
        Some(octets) => Header::parse(&octets),
        None => {
            let names = files.list(path).map_err(|error| StoreError::io("list", path, &error))?;
            Err(if names.is_empty() {
                StoreError::NoVault { path: path.to_owned() }
            } else {
                StoreError::corrupt(HEADER, "it is missing")
            })
        }
    }
}

/// Writes a new file, flushes it, reads it back and compares.
fn write_file(files: &dyn Files, path: &Path, octets: &[u8]) -> Result<(), StoreError> {
    let failed = |operation| move |error: io::Error| StoreError::io(operation, path, &error);
    let mut output = files.create(path).map_err(failed("create"))?;
    output.write(octets).map_err(failed("write"))?;
    output.sync().map_err(failed("flush"))?;
    drop(output);
    match files.read(path, octets.len())? {
        Some(back) if back == octets => Ok(()),
        _ => Err(StoreError::corrupt(
            path.display().to_string(),
            "it reads back differently than it was written",
        )),
    }
}

fn sync_directory(files: &dyn Files, path: &Path) -> Result<(), StoreError> {
    files.sync_directory(path).map_err(|error| StoreError::io("flush", path, &error))
}

#[cfg(test)]
mod tests;
