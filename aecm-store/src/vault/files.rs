//! The file operations of a vault behind one trait, so that tests can stop after every one of them; and the
//! real ones.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::Path;

use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};
use rustix::io::Errno;

use crate::error::{Exposure, StoreError};

/// What a vault asks of a file system. Each method is one step at which a process or machine may stop.
pub(super) trait Files: Send + Sync {
    /// Refuses a directory that is not the owner's alone; false when there is none.
    fn check_directory(&self, path: &Path) -> Result<bool, StoreError>;
    /// Makes a directory, mode 0700, where there is nothing.
    fn make_directory(&self, path: &Path) -> io::Result<()>;
    fn remove_directory(&self, path: &Path) -> io::Result<()>;
    /// The names in a directory.
    fn list(&self, path: &Path) -> io::Result<Vec<String>>;
    /// Makes a file, mode 0600, where there is nothing.
    fn create(&self, path: &Path) -> io::Result<Box<dyn Output>>;
    /// The octets of a private file of at most `limit` octets; `None` when there is no such file.
    fn read(&self, path: &Path, limit: usize) -> Result<Option<Vec<u8>>, StoreError>;
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes the names in a directory durable.
    fn sync_directory(&self, path: &Path) -> io::Result<()>;
    /// Waits for the advisory lock, alone or shared with other readers, and holds it until dropped.
    fn lock(&self, path: &Path, alone: bool) -> Result<Box<dyn Lock>, StoreError>;
    /// The advisory lock for itself alone; `None`, without waiting, while another holds it.
    fn try_lock(&self, path: &Path) -> Result<Option<Box<dyn Lock>>, StoreError>;
}

/// A file being written.
pub(super) trait Output {
    fn write(&mut self, octets: &[u8]) -> io::Result<()>;
    /// Makes the octets durable.
    fn sync(&mut self) -> io::Result<()>;
}

/// A lock, held until dropped.
pub(super) trait Lock: Send + Sync {}

/// The real file system.
///
/// Links are never followed at the last component, and the directory must be private to the owner; who can
/// write the directories above it can of course put another one in its place.
pub(super) struct System;

const READ: OFlags = OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

impl Files for System {
    fn check_directory(&self, path: &Path) -> Result<bool, StoreError> {
        let exposed = |why| StoreError::NotPrivate { path: path.to_owned(), why };
        let directory = match open(path, READ | OFlags::DIRECTORY, Mode::empty()) {
            Ok(directory) => File::from(directory),
            Err(Errno::NOENT) => return Ok(false),
            Err(Errno::LOOP | Errno::NOTDIR) => return Err(exposed(Exposure::Kind)),
            Err(error) => return Err(StoreError::io("open", path, &error.into())),
        };
        check_private(&directory, path)?;
        Ok(true)
    }

    fn make_directory(&self, path: &Path) -> io::Result<()> {
        fs::DirBuilder::new().mode(0o700).create(path)
    }

    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        // Names that are not UTF-8 are not ours.
        fs::read_dir(path)?
            .filter_map(|entry| entry.map(|entry| entry.file_name().into_string().ok()).transpose())
            .collect()
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn Output>> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(Box::new(File::from(open(path, flags, Mode::RUSR | Mode::WUSR)?)))
    }

    fn read(&self, path: &Path, limit: usize) -> Result<Option<Vec<u8>>, StoreError> {
        // NONBLOCK: a pipe put in the place of a file must not hold us.
        let mut file = match open(path, READ | OFlags::NONBLOCK, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => {
                return Err(StoreError::NotPrivate { path: path.to_owned(), why: Exposure::Kind });
            }
            Err(error) => return Err(StoreError::io("open", path, &error.into())),
        };
        if !check_private(&file, path)?.is_file() {
            return Err(StoreError::NotPrivate { path: path.to_owned(), why: Exposure::Kind });
        }
        let most = u64::try_from(limit).unwrap_or(u64::MAX);
        let mut octets = Vec::new();
        (&mut file)
            .take(most.saturating_add(1))
            .read_to_end(&mut octets)
            .map_err(|error| StoreError::io("read", path, &error))?;
        if octets.len() > limit {
            return Err(StoreError::corrupt(
                path.display().to_string(),
                "it is larger than any file of a vault",
            ));
        }
        Ok(Some(octets))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        File::from(open(path, READ | OFlags::DIRECTORY, Mode::empty())?).sync_all()
    }

    fn lock(&self, path: &Path, alone: bool) -> Result<Box<dyn Lock>, StoreError> {
        let file = open_lock(path)?;
        let operation = if alone { FlockOperation::LockExclusive } else { FlockOperation::LockShared };
        loop {
            match flock(&file, operation) {
                Ok(()) => return Ok(Box::new(file)),
                Err(Errno::INTR) => {}
                Err(error) => return Err(StoreError::io("lock", path, &error.into())),
            }
        }
    }

    fn try_lock(&self, path: &Path) -> Result<Option<Box<dyn Lock>>, StoreError> {
        let file = open_lock(path)?;
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Some(Box::new(file))),
                Err(Errno::WOULDBLOCK) => return Ok(None),
                Err(Errno::INTR) => {}
                Err(error) => return Err(StoreError::io("lock", path, &error.into())),
            }
        }
    }
}

/// The file that carries a lock, made where it is missing.
fn open_lock(path: &Path) -> Result<File, StoreError> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = match open(path, flags, Mode::RUSR | Mode::WUSR) {
        Ok(file) => File::from(file),
        Err(Errno::LOOP) => {
            return Err(StoreError::NotPrivate { path: path.to_owned(), why: Exposure::Kind });
        }
        Err(error) => return Err(StoreError::io("open", path, &error.into())),
    };
    check_private(&file, path)?;
    Ok(file)
}

impl Output for File {
    fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        self.write_all(octets)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}

/// Closing the descriptor releases the lock; each lock has a descriptor of its own, so that handles of one
/// process shut each other out as well.
impl Lock for File {}

/// Refuses what others could read or write, or what another user could have made (THREATS K3).
fn check_private(file: &File, path: &Path) -> Result<fs::Metadata, StoreError> {
    let metadata = file.metadata().map_err(|error| StoreError::io("examine", path, &error))?;
    let why = if metadata.uid() != rustix::process::geteuid().as_raw() {
        Exposure::Owner
    } else if metadata.mode() & 0o077 != 0 {
        Exposure::Mode(metadata.mode() & 0o7777)
    } else {
        return Ok(metadata);
    };
    Err(StoreError::NotPrivate { path: path.to_owned(), why })
}
