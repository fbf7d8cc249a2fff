//! The journal and the snapshot it goes on from.

use std::fs::{self, File};
use std::io::{ErrorKind, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use aecm_core::digest::DigestAlgorithm;
use serde::{Deserialize, Serialize};

use super::error::StateError;
use super::{Change, files};
use crate::hex::hex;

/// A journal smaller than this is never folded into a snapshot, in octets.
const SNAPSHOT_AT: u64 = 4 << 20;
/// Octets of a line's digest and the blank after it.
const DIGEST: usize = 65;

/// The open journal.
pub(super) struct Journal {
    directory: PathBuf,
    generation: u64,
    path: PathBuf,
    file: File,
    /// The digest of the last line.
    last: String,
    /// How long it is, and how long the snapshot, in octets.
    length: u64,
    snapshot: u64,
    /// A write failed: what stands in the file is unknown, and nothing more may be acknowledged.
    broken: Option<StateError>,
}

#[derive(Serialize, Deserialize)]
struct Snapshot {
    generation: u64,
    rows: Vec<Change>,
}

impl Journal {
    /// Reads snapshot and journal; makes an empty journal in a folder that is `new`.
    pub(super) fn open(directory: &Path, new: bool) -> Result<(Self, Vec<Change>), StateError> {
        let at = directory.join("snapshot");
        let (generation, mut rows, size) = match files::read_sealed(&at, "snapshot")? {
            None => (0, Vec::new(), 0),
            Some(body) => {
                let read: Snapshot = serde_json::from_slice(&body)
                    .map_err(|error| StateError::damaged(&at, error.to_string()))?;
                (read.generation, read.rows, length(&body))
            }
        };
        let path = journal_path(directory, generation);
        let others = other_journals(directory, generation)?;
        if files::read(&path)?.is_none() {
            if !new {
                return Err(StateError::damaged(&path, "it is missing"));
            }
            create(&path, generation)?;
        }
        let content = files::read(&path)?.unwrap_or_default();
        let (named, lines) = files::read_header(&path, "journal", &content)?;
        if named != generation.to_string() {
            return Err(StateError::damaged(&path, "its first line names another generation"));
        }
        let mut last = first_digest(generation);
        let mut good = content.len().saturating_sub(lines.len());
        for line in lines.split_inclusive(|octet| *octet == b'\n') {
            // Cut short by the end of the process; nobody was told of it.
            let Some(text) = line.strip_suffix(b"\n") else { break };
            let offset = u64::try_from(good).unwrap_or(u64::MAX);
            let damaged = || StateError::damaged_at(&path, offset, "the line there is not what was written");
            let (digest, json) = text.split_at_checked(DIGEST).ok_or_else(damaged)?;
            let expected = chain(&last, json);
            if digest.strip_suffix(b" ") != Some(expected.as_bytes()) {
                return Err(damaged());
            }
            let changes: Vec<Change> = serde_json::from_slice(json).map_err(|_| damaged())?;
            rows.extend(changes);
            last = expected;
            good = good.saturating_add(line.len());
        }
        let good = u64::try_from(good).unwrap_or(u64::MAX);
        let failed = |error: std::io::Error| StateError::io("open", &path, &error);
        let mut file = files::private().open(&path).map_err(failed)?;
        if good < length(&content) {
            let (octets, file_name) = (length(&content).saturating_sub(good), path.display());
            tracing::warn!(file = %file_name, at = good, octets, "a line that was not finished is dropped");
            file.set_len(good).and_then(|()| file.sync_all()).map_err(failed)?;
        }
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        forget(&others)?;
        let journal = Self {
            directory: directory.to_owned(),
            generation,
            path,
            file,
            last,
            length: good,
            snapshot: size,
            broken: None,
        };
        Ok((journal, rows))
    }

    /// Writes elsewhere from now on: to a device that is full.
    #[cfg(test)]
    pub(super) fn redirect(&mut self, file: File) {
        self.file = file;
    }

    pub(super) fn append(&mut self, changes: &[Change]) -> Result<(), StateError> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        if changes.is_empty() {
            return Ok(());
        }
        let json = serde_json::to_vec(changes)
            .map_err(|error| StateError::damaged(&self.path, format!("a row cannot be written: {error}")))?;
        let digest = chain(&self.last, &json);
        let mut line = Vec::with_capacity(json.len().saturating_add(DIGEST).saturating_add(1));
        line.extend_from_slice(digest.as_bytes());
        line.push(b' ');
        line.extend_from_slice(&json);
        line.push(b'\n');
        if let Err(error) = self.file.write_all(&line).and_then(|()| self.file.sync_data()) {
            let error = StateError::io("write", &self.path, &error);
            self.broken = Some(error.clone());
            return Err(error);
        }
        self.last = digest;
        self.length = self.length.saturating_add(length(&line));
        Ok(())
    }

    pub(super) fn wants_snapshot(&self) -> bool {
        self.length > SNAPSHOT_AT.max(self.snapshot.saturating_mul(2))
    }

    /// The new journal is there before the snapshot that names it; the rename of the snapshot decides.
    pub(super) fn snapshot(&mut self, rows: &[Change]) -> Result<(), StateError> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        let generation = self.generation.saturating_add(1);
        let written = self.begin(generation, rows);
        if let Err(error) = &written {
            self.broken = Some(error.clone());
        }
        written
    }

    fn begin(&mut self, generation: u64, rows: &[Change]) -> Result<(), StateError> {
        let path = journal_path(&self.directory, generation);
        let file = create(&path, generation)?;
        let at = self.directory.join("snapshot");
        let body = serde_json::to_vec(&Snapshot { generation, rows: rows.to_vec() })
            .map_err(|error| StateError::damaged(&at, format!("a row cannot be written: {error}")))?;
        files::write_sealed(&at, "snapshot", &body)?;
        self.generation = generation;
        self.path = path;
        self.file = file;
        self.last = first_digest(generation);
        self.length = 0;
        self.snapshot = length(&body);
        forget(&other_journals(&self.directory, generation)?)
    }
}

fn length(octets: &[u8]) -> u64 {
    u64::try_from(octets.len()).unwrap_or(u64::MAX)
}

fn journal_path(directory: &Path, generation: u64) -> PathBuf {
    directory.join(format!("journal-{generation}"))
}

/// An empty journal, durable.
fn create(path: &Path, generation: u64) -> Result<File, StateError> {
    files::write(path, files::header("journal", &generation.to_string()).as_bytes())?;
    let failed = |error: std::io::Error| StateError::io("open", path, &error);
    let mut file = files::private().open(path).map_err(failed)?;
    file.seek(SeekFrom::End(0)).map_err(failed)?;
    Ok(file)
}

/// Before the first line.
fn first_digest(generation: u64) -> String {
    hex(&DigestAlgorithm::Sha256.digest(generation.to_string().as_bytes()))
}

/// SHA-256 over the digest before and the text, in hex.
fn chain(last: &str, json: &[u8]) -> String {
    hex(&DigestAlgorithm::Sha256.digest(&[last.as_bytes(), json].concat()))
}

/// The journals of other generations: folded into the snapshot, or begun and never named by one. One that is
/// later than the snapshot and has lines says that the snapshot is not the last.
fn other_journals(directory: &Path, generation: u64) -> Result<Vec<PathBuf>, StateError> {
    let failed = |error: std::io::Error| StateError::io("read", directory, &error);
    let mut others = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix("journal-")?.parse::<u64>().ok());
        let Some(number) = number.filter(|number| *number != generation) else { continue };
        let path = entry.path();
        if number > generation {
            let content = files::read(&path)?.unwrap_or_default();
            if !files::read_header(&path, "journal", &content)?.1.is_empty() {
                return Err(StateError::damaged(
                    &directory.join("snapshot"),
                    format!("it is missing or older than journal-{number}"),
                ));
            }
        }
        others.push(path);
    }
    Ok(others)
}

fn forget(journals: &[PathBuf]) -> Result<(), StateError> {
    for path in journals {
        match fs::remove_file(path) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(StateError::io("remove", path, &error)),
        }
    }
    Ok(())
}
