//! Reading files and standard input, with a bound.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use aecm_core::limits::Limits;
use zeroize::Zeroizing;

use super::{Failure, Io};

/// The octets of `path`, or of standard input for `-`; at most [`Limits::message_bytes`] of them.
pub(super) fn read(path: &Path, limits: &Limits, io: &mut Io) -> Result<Zeroizing<Vec<u8>>, Failure> {
    if path.as_os_str() == "-" {
        return bounded(&mut io.stdin, "standard input", limits.message_bytes);
    }
    let name = path.display().to_string();
    let wrong =
        |error: std::io::Error| Failure::error("file-unreadable", format!("{name} cannot be read: {error}"));
    let file = File::open(path).map_err(wrong)?;
    if file.metadata().map_err(wrong)?.is_dir() {
        return Err(Failure::error("file-unreadable", format!("{name} is a folder; a file is wanted")));
    }
    bounded(&mut { file }, &name, limits.message_bytes)
}

/// The same as text.
pub(super) fn read_text(path: &Path, limits: &Limits, io: &mut Io) -> Result<Zeroizing<String>, Failure> {
    let octets = read(path, limits, io)?;
    let name = path.display();
    match core::str::from_utf8(&octets) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(Failure::error("malformed", format!("{name} is no UTF-8 text"))),
    }
}

fn bounded(source: &mut dyn Read, name: &str, limit: usize) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut octets = Zeroizing::new(Vec::new());
    let at_most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    source
        .take(at_most)
        .read_to_end(&mut octets)
        .map_err(|error| Failure::error("file-unreadable", format!("{name} cannot be read: {error}")))?;
    if octets.len() > limit {
        let message =
            format!("{name} is larger than {limit} octets; --limits message_bytes=… sets another bound");
        return Err(Failure::limit("too-large", message));
    }
    Ok(octets)
}
