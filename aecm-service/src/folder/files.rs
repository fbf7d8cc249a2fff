//! Files that are whole or not there: written beside, synced, renamed; for the owner's eyes only.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use aecm_core::digest::DigestAlgorithm;

use super::error::StateError;
use crate::hex::hex;

/// The format version of everything in the folder.
pub(super) const VERSION: u32 = 1;
/// The largest file read, in octets.
const MAX_FILE: u64 = 1 << 30;

pub(super) fn make_directory(path: &Path) -> Result<(), StateError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| StateError::io("make", path, &error))?;
    let found = fs::symlink_metadata(path).map_err(|error| StateError::io("read", path, &error))?;
    if !found.is_dir() {
        return Err(StateError::damaged(path, "it is a symbolic link; name the folder itself"));
    }
    // Whoever may write there could put another file in the place of ours.
    require_private(path)
}

pub(super) fn open_lock(path: &Path) -> Result<File, StateError> {
    is_there(path)?;
    let mut options = private();
    options.create(true).truncate(false);
    options.open(path).map_err(|error| StateError::io("open", path, &error))
}

/// Owner only, from the first octet on.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Refuses a file that others may read.
pub(super) fn require_private(path: &Path) -> Result<(), StateError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let metadata = fs::symlink_metadata(path).map_err(|error| StateError::io("read", path, &error))?;
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(StateError::Permissions { path: path.to_owned(), mode });
        }
    }
    Ok(())
}

/// Whether there is such a file: a plain one, the owner's alone, not too large.
fn is_there(path: &Path) -> Result<bool, StateError> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => Err(StateError::damaged(path, "it is a symbolic link")),
        Ok(found) if !found.is_file() => Err(StateError::damaged(path, "it is no plain file")),
        Ok(found) if found.len() > MAX_FILE => {
            Err(StateError::damaged(path, format!("it is larger than {MAX_FILE} octets")))
        }
        Ok(_) => require_private(path).map(|()| true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(StateError::io("read", path, &error)),
    }
}

/// All octets of a file; `None` where there is none.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, StateError> {
    if !is_there(path)? {
        return Ok(None);
    }
    fs::read(path).map(Some).map_err(|error| StateError::io("read", path, &error))
}

/// Writes a file so that it is there whole, or as it was before.
pub(super) fn write(path: &Path, content: &[u8]) -> Result<(), StateError> {
    let beside = path.with_extension("new");
    match fs::remove_file(&beside) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(StateError::io("remove", &beside, &error)),
    }
    let mut file =
        private().create_new(true).open(&beside).map_err(|error| StateError::io("make", &beside, &error))?;
    file.write_all(content)
        .and_then(|()| file.sync_all())
        .map_err(|error| StateError::io("write", &beside, &error))?;
    fs::rename(&beside, path).map_err(|error| StateError::io("rename", &beside, &error))?;
    sync_directory_of(path)
}

/// Makes the name of a file durable.
pub(super) fn sync_directory_of(path: &Path) -> Result<(), StateError> {
    let Some(directory) = path.parent() else { return Ok(()) };
    if cfg!(unix) {
        let opened = File::open(directory).and_then(|directory| directory.sync_all());
        opened.map_err(|error| StateError::io("sync", directory, &error))?;
    }
    Ok(())
}

/// The first line of every file: `aecm-service KIND VERSION REST`.
pub(super) fn header(kind: &str, rest: &str) -> String {
    format!("aecm-service {kind} {VERSION} {rest}\n")
}

/// Takes the first line off: what stands after the version, and the rest of the file.
pub(super) fn read_header<'a>(
    path: &Path,
    kind: &str,
    content: &'a [u8],
) -> Result<(&'a str, &'a [u8]), StateError> {
    let damaged = |detail: &str| StateError::damaged(path, detail);
    let end = content
        .iter()
        .position(|octet| *octet == b'\n')
        .ok_or_else(|| damaged("its first line has no end"))?;
    let (line, rest) = content.split_at_checked(end).unwrap_or((content, &[]));
    let line = core::str::from_utf8(line).map_err(|_| damaged("its first line is no text"))?;
    let mut words = line.splitn(4, ' ');
    if (words.next(), words.next()) != (Some("aecm-service"), Some(kind)) {
        return Err(StateError::damaged(path, format!("its first line does not say aecm-service {kind}")));
    }
    let version: u32 = words
        .next()
        .and_then(|word| word.parse().ok())
        .ok_or_else(|| damaged("its first line has no version"))?;
    if version > VERSION {
        return Err(StateError::Newer { path: path.to_owned(), version, known: VERSION });
    }
    if version == 0 {
        return Err(damaged("its version is 0"));
    }
    let more = words.next().ok_or_else(|| damaged("its first line is cut short"))?;
    Ok((more, rest.get(1..).unwrap_or_default()))
}

pub(super) fn write_sealed(path: &Path, kind: &str, body: &[u8]) -> Result<(), StateError> {
    let mut content = header(kind, &hex(&DigestAlgorithm::Sha256.digest(body))).into_bytes();
    content.extend_from_slice(body);
    let written = write(path, &content);
    zeroize::Zeroize::zeroize(&mut content);
    written
}

pub(super) fn read_sealed(path: &Path, kind: &str) -> Result<Option<Vec<u8>>, StateError> {
    let Some(content) = read(path)?.map(zeroize::Zeroizing::new) else { return Ok(None) };
    let (digest, body) = read_header(path, kind, &content)?;
    if digest != hex(&DigestAlgorithm::Sha256.digest(body)) {
        return Err(StateError::damaged(path, "its content does not fit the digest in its first line"));
    }
    Ok(Some(body.to_vec()))
}
