//! Why a store did not do what it was asked.

use core::fmt;
use std::io;
use std::path::{Path, PathBuf};

use aecm_core::embed::RngError;
use aecm_core::key::KeyError;
use aecm_core::mailbox::Mailbox;
use aecm_core::software::SoftwareKeyError;
use aecm_core::suite::{Purpose, Suite};

use crate::slot::{EntryState, KeyId, Slot};

/// Why a store did not do what it was asked. No variant carries key octets, passwords or record contents.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreError {
    /// The mailbox has no such key.
    NoSuchKey {
        /// The mailbox asked about.
        mailbox: Mailbox,
        /// The key asked for.
        id: KeyId,
    },
    /// The slot names a device where it must not, or none where it must.
    MalformedSlot {
        /// The slot.
        slot: Slot,
    },
    /// A key of that kind does not belong to the suite of the slot.
    WrongKind {
        /// The suite of the slot.
        suite: Suite,
    },
    /// The key is for something else.
    WrongPurpose {
        /// The key.
        id: KeyId,
        /// What it is for.
        purpose: Purpose,
        /// What it was to be used for.
        wanted: &'static str,
    },
    /// The state of the key forbids what was asked.
    WrongState {
        /// The key.
        id: KeyId,
        /// Its state.
        state: EntryState,
        /// What was asked.
        asked: &'static str,
    },
    /// The certificate does not fit the key it was to be installed for (THREATS K8); nothing was changed.
    CertificateMismatch {
        /// The key.
        id: KeyId,
        /// What does not fit.
        why: Mismatch,
    },
    /// A name, a record or a list is longer than the store takes; nothing was changed.
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// The limit, in octets or elements.
        limit: usize,
    },
    /// A key could not be generated, read or used.
    Key(KeyError),
    /// What was to be imported is not a private key; nothing was changed.
    BadKey {
        /// Which of the keys given, counted from 0.
        index: usize,
        /// What is wrong with it.
        why: SoftwareKeyError,
    },
    /// Somebody else, in this process or another, is doing what may be done by one at a time.
    Busy {
        /// What is being done: the name of the lease.
        name: String,
    },
    /// The random source failed; nothing was changed.
    Rng,
    /// There is no vault at that path.
    NoVault {
        /// The path.
        path: PathBuf,
    },
    /// There is something at that path already; a vault is never written over it.
    Exists {
        /// The path.
        path: PathBuf,
    },
    /// The password is not that of the vault. The header itself is intact.
    WrongPassword,
    /// The header asks for more work or memory than is allowed; nothing was computed (THREATS E6).
    Parameters {
        /// Which parameter.
        what: &'static str,
        /// Its value.
        value: u32,
        /// The largest or smallest value allowed.
        limit: u32,
    },
    /// The vault was written by a later version of this library.
    Version {
        /// The format version found.
        found: u16,
        /// The latest format version this library reads.
        known: u16,
    },
    /// The file, directory or owner is not as private as a vault must be (THREATS K3); nothing was read.
    NotPrivate {
        /// The file or directory.
        path: PathBuf,
        /// What is wrong with it.
        why: Exposure,
    },
    /// A file of the vault is damaged or missing. Nothing is taken for empty (THREATS K4).
    Corrupt {
        /// The file, or the record by its name.
        what: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The vault on disk is older than what this handle has seen: a backup was put back under it.
    RolledBack {
        /// The generation seen before.
        seen: u64,
        /// The generation found now.
        found: u64,
    },
    /// The file system refused.
    Io {
        /// What was to be done.
        operation: &'static str,
        /// With which file or directory.
        path: PathBuf,
        /// What kind of failure.
        kind: io::ErrorKind,
        /// The error number of the operating system, where there is one.
        code: Option<i32>,
    },
}

/// What does not fit between a certificate and the key it was to be installed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mismatch {
    /// The chain has no certificate.
    EmptyChain,
    /// The certificate holds another public key.
    PublicKey,
    /// The certificate does not name the mailbox.
    Mailbox,
    /// The key usage of the certificate is not that of the slot.
    KeyUsage,
    /// The extended key usage of the certificate is not that of the slot.
    ExtendedKeyUsage,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EmptyChain => "there is no certificate in the chain",
            Self::PublicKey => "it holds another public key",
            Self::Mailbox => "it does not name the mailbox",
            Self::KeyUsage => "its key usage is not that of the slot",
            Self::ExtendedKeyUsage => "its extended key usage is not that of the slot",
        })
    }
}

/// How a file or directory is open to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exposure {
    /// Its permission bits let the group or others in.
    Mode(u32),
    /// It belongs to another user.
    Owner,
    /// It is a symbolic link, or not a plain file or directory.
    Kind,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchKey { mailbox, id } => write!(f, "{mailbox} has no key {id} in this store"),
            Self::MalformedSlot { slot } => write!(
                f,
                "the slot {slot} is malformed: signing and timestamping slots name a device, encrypting slots none"
            ),
            Self::WrongKind { suite } => {
                write!(f, "a key of that kind does not belong to a slot of the suite {suite}")
            }
            Self::WrongPurpose { id, purpose, wanted } => {
                write!(f, "the key {id} has the purpose {purpose} and does not {wanted}")
            }
            Self::WrongState { id, state, asked } => {
                write!(f, "the key {id} is {state}: cannot {asked}")
            }
            Self::CertificateMismatch { id, why } => {
                write!(f, "the certificate is not for the key {id}: {why}; nothing was installed")
            }
            Self::TooLarge { what, limit } => write!(f, "{what} exceeds the store's limit of {limit}"),
            Self::Key(error) => write!(f, "private key: {error}"),
            Self::BadKey { index, why } => {
                write!(f, "the key at place {index} of those to be imported: {why}; nothing was imported")
            }
            Self::Busy { name } => {
                write!(
                    f,
                    "{name:?} is being done already, here or in another process; wait until it has ended"
                )
            }
            Self::Rng => f.write_str("the random number source failed; nothing was stored"),
            Self::NoVault { path } => write!(f, "there is no vault at {}; create one first", path.display()),
            Self::Exists { path } => {
                write!(f, "{} exists; open it or choose another path", path.display())
            }
            Self::WrongPassword => f.write_str("this is not the password of the vault"),
            Self::Parameters { what, value, limit } => {
                write!(
                    f,
                    "the vault's {what} of {value} is beyond the limit of {limit}; refused before any work"
                )
            }
            Self::Version { found, known } => write!(
                f,
                "the vault has format version {found}, this library reads up to {known}; use a later release"
            ),
            Self::NotPrivate { path, why: Exposure::Mode(mode) } => write!(
                f,
                "{} has mode {mode:04o}; a vault is for its owner alone: chmod go= it, and see who has read it",
                path.display()
            ),
            Self::NotPrivate { path, why: Exposure::Owner } => {
                write!(f, "{} belongs to another user; refused", path.display())
            }
            Self::NotPrivate { path, why: Exposure::Kind } => {
                write!(f, "{} is a symbolic link or not of the kind expected; refused", path.display())
            }
            Self::Corrupt { what, why } => {
                write!(f, "the store is damaged at {what}: {why}; restore a backup or run Vault::recover")
            }
            Self::RolledBack { seen, found } => write!(
                f,
                "the vault went back from generation {seen} to {found} while open; close it and look who restored it"
            ),
            Self::Io { operation, path, kind, code } => {
                write!(f, "cannot {operation} {}: {kind}", path.display())?;
                code.map_or(Ok(()), |code| write!(f, " (error {code})"))
            }
        }
    }
}

impl core::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Key(error) => Some(error),
            Self::BadKey { why, .. } => Some(why),
            _ => None,
        }
    }
}

impl From<RngError> for StoreError {
    fn from(_: RngError) -> Self {
        Self::Rng
    }
}

impl From<KeyError> for StoreError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Rng => Self::Rng,
            other => Self::Key(other),
        }
    }
}

impl StoreError {
    pub(crate) fn corrupt(what: impl Into<String>, why: &'static str) -> Self {
        Self::Corrupt { what: what.into(), why }
    }

    #[cfg_attr(not(unix), expect(dead_code, reason = "only the vault does file work"))]
    pub(crate) fn io(operation: &'static str, path: &Path, error: &io::Error) -> Self {
        Self::Io { operation, path: path.to_owned(), kind: error.kind(), code: error.raw_os_error() }
    }
}
