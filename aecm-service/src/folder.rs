//! The folder that the service keeps its state in, and starts again from.
//!
//! ```text
//! DIR/lock          held by the process that serves from the folder
//! DIR/identity      private keys and certificates of the CAs, the timestamp units, TLS, DKIM, escrow
//! DIR/port          where the service last listened
//! DIR/snapshot      all rows of all tables at one moment; absent until the first journal has grown
//! DIR/journal-N     what changed since snapshot N, one line a transaction
//! ```
//!
//! `identity`, `port` and `snapshot` begin with a line of kind, format version and SHA-256 of the rest; they are written
//! beside, synced and renamed. A journal line holds SHA-256 over the digest of the line before and its own
//! text, so that a line changed, lost or moved is found; it is synced before the answer that it belongs to
//! leaves. What a line without its end was, nobody was told: it is cut off, with a warning. Everything else that does not read
//! back is an error that names the file: nothing is guessed and nothing dropped.

mod error;
mod files;
mod journal;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use zeroize::Zeroizing;

pub use error::StateError;
use journal::Journal;

/// How long to wait for a process, or a service of this process, that is just ending.
const LOCK_PATIENCE: Duration = Duration::from_secs(3);
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// One changed row: table, id, and what it is now; `Null` removes it.
pub(crate) type Change = (String, String, Value);

/// An open folder.
pub(crate) struct Folder {
    directory: PathBuf,
    journal: Mutex<Journal>,
    /// The lock goes when it is closed.
    _lock: File,
}

/// What stood in the folder.
pub(crate) struct Found {
    pub(crate) folder: Folder,
    /// The identity; `None` in a new folder.
    pub(crate) identity: Option<Zeroizing<Vec<u8>>>,
    /// The rows in the order they were written, later ones in place of earlier ones.
    pub(crate) rows: Vec<Change>,
}

impl core::fmt::Debug for Folder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Folder").field("directory", &self.directory).finish_non_exhaustive()
    }
}

impl Folder {
    /// Opens a folder, or makes it.
    pub(crate) fn open(directory: &Path) -> Result<Found, StateError> {
        files::make_directory(directory)?;
        let lock = lock(&directory.join("lock"))?;
        let identity = files::read_sealed(&directory.join("identity"), "identity")?.map(Zeroizing::new);
        let (journal, rows) = Journal::open(directory, identity.is_none())?;
        if identity.is_none() && !rows.is_empty() {
            return Err(StateError::damaged(
                &directory.join("identity"),
                "it is missing while there is a journal or a snapshot",
            ));
        }
        let folder = Self { directory: directory.to_owned(), journal: Mutex::new(journal), _lock: lock };
        Ok(Found { folder, identity, rows })
    }

    /// Where it is.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The port that the service had when it was last started from here.
    pub(crate) fn port(&self) -> Result<Option<u16>, StateError> {
        let path = self.directory.join("port");
        let Some(text) = files::read_sealed(&path, "port")? else { return Ok(None) };
        let port = core::str::from_utf8(&text).ok().and_then(|text| text.parse().ok());
        port.map(Some).ok_or_else(|| StateError::damaged(&path, "it is no port"))
    }

    /// Keeps the port for the next start.
    pub(crate) fn keep_port(&self, port: u16) -> Result<(), StateError> {
        files::write_sealed(&self.directory.join("port"), "port", port.to_string().as_bytes())
    }

    /// Writes the identity in place of the one there.
    pub(crate) fn write_identity(&self, body: &[u8]) -> Result<(), StateError> {
        files::write_sealed(&self.directory.join("identity"), "identity", body)
    }

    /// The journal, for one transaction: whoever holds it takes the changes and appends them, so that the
    /// lines have the order of what happened.
    pub(crate) fn transaction(&self) -> Transaction<'_> {
        Transaction(self.journal.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The right to write.
pub(crate) struct Transaction<'a>(MutexGuard<'a, Journal>);

impl Transaction<'_> {
    /// Makes the changes durable, all or none.
    pub(crate) fn append(&mut self, changes: &[Change]) -> Result<(), StateError> {
        self.0.append(changes)
    }

    /// Whether the journal has grown so much that a snapshot is due.
    pub(crate) fn wants_snapshot(&self) -> bool {
        self.0.wants_snapshot()
    }

    /// Writes all rows and begins a new journal.
    pub(crate) fn snapshot(&mut self, rows: &[Change]) -> Result<(), StateError> {
        self.0.snapshot(rows)
    }
}

#[cfg(test)]
mod tests;

fn lock(path: &Path) -> Result<File, StateError> {
    let file = files::open_lock(path)?;
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(std::fs::TryLockError::WouldBlock) if begun.elapsed() < LOCK_PATIENCE => {
                std::thread::sleep(LOCK_PAUSE);
            }
            Err(std::fs::TryLockError::WouldBlock) => {
                return Err(StateError::Locked { path: path.to_owned() });
            }
            Err(std::fs::TryLockError::Error(error)) => return Err(StateError::io("lock", path, &error)),
        }
    }
}
