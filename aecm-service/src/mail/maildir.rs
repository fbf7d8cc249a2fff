//! A Maildir: one file a mail, whole or not there, no locks.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aecm_core::embed::Rng;
use aecm_core::time::Time;

use crate::hex::hex;

/// A Maildir that mail is delivered to.
pub(super) struct Maildir {
    directory: PathBuf,
    rng: Arc<dyn Rng>,
    delivered: AtomicU64,
}

impl Maildir {
    /// Makes `tmp`, `new` and `cur` where they are missing.
    pub(super) fn open(directory: &Path, rng: Arc<dyn Rng>) -> Result<Self, String> {
        for part in ["tmp", "new", "cur"] {
            let path = directory.join(part);
            let mut builder = DirBuilder::new();
            builder.recursive(true);
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            builder.create(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(Self { directory: directory.to_owned(), rng, delivered: AtomicU64::new(0) })
    }

    /// Writes the mail to `tmp`, syncs it, and moves it to `new` under a name that no mail had before: the
    /// time, this process, its count of mails, and 64 random bits.
    pub(super) fn deliver(&self, raw: &[u8], now: Time) -> Result<(), String> {
        let mut random = [0u8; 8];
        self.rng.fill(&mut random).map_err(|_| "the random number source failed".to_owned())?;
        let number = self.delivered.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}.P{}Q{number}R{}.aecm", now.unix(), std::process::id(), hex(&random));
        let (temporary, place) =
            (self.directory.join("tmp").join(&name), self.directory.join("new").join(&name));
        let written = write(&temporary, raw)
            // A name is never taken twice; if it were, a mail would be lost under another.
            .and_then(|()| fs::hard_link(&temporary, &place))
            .and_then(|()| sync(&self.directory.join("new")));
        let _left_for_the_next_reader_to_clean = fs::remove_file(&temporary);
        written.map_err(|error| format!("{}: {error}", place.display()))
    }
}

fn write(path: &Path, raw: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(raw)?;
    file.sync_all()
}

fn sync(directory: &Path) -> std::io::Result<()> {
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}
