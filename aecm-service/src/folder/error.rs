//! Why the state could not be read or written.

use std::path::{Path, PathBuf};

/// Why the state folder cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StateError {
    /// The system refused.
    Io {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
    /// A file is not what was written. Put the folder back from a backup; nothing was changed in it.
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
        /// Where the first thing that is wrong begins, in octets from the file's begin, where that is known.
        offset: Option<u64>,
    },
    /// A file was written by a later version of this service.
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its format version.
        version: u32,
        /// The latest one that is known here.
        known: u32,
    },
    /// Another process serves from this folder.
    Locked {
        /// The lock.
        path: PathBuf,
    },
    /// Others than the owner may read private keys.
    Permissions {
        /// Which file or folder.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
}

impl StateError {
    pub(crate) fn io(what: &'static str, path: &Path, error: &std::io::Error) -> Self {
        Self::Io { what, path: path.to_owned(), detail: error.to_string() }
    }

    pub(crate) fn damaged(path: &Path, detail: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), detail: detail.into(), offset: None }
    }

    pub(crate) fn damaged_at(path: &Path, offset: u64, detail: &str) -> Self {
        Self::Damaged { path: path.to_owned(), detail: detail.to_owned(), offset: Some(offset) }
    }
}

impl core::fmt::Display for StateError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Io { what, path, detail } => write!(f, "cannot {what} {}: {detail}", path.display()),
            Self::Damaged { path, detail, offset } => {
                write!(f, "{} is damaged", path.display())?;
                if let Some(offset) = offset {
                    write!(f, " at octet {offset}")?;
                }
                write!(f, ": {detail}; put the folder back from a backup")
            }
            Self::Newer { path, version, known } => write!(
                f,
                "{} has format version {version}, this service knows up to {known}; use the later one",
                path.display()
            ),
            Self::Locked { path } => {
                write!(f, "another process serves from this folder; {} is locked", path.display())
            }
            Self::Permissions { path, mode } => write!(
                f,
                "{} has mode {mode:03o}: others than its owner may use private keys; take their rights away \
                 (chmod go= {0})",
                path.display()
            ),
        }
    }
}

impl core::error::Error for StateError {}
