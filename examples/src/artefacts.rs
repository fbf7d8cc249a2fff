//! A folder in which an example leaves what it made, so that other tools can look at it.

use std::io;
use std::path::{Path, PathBuf};

/// The folder and the names written so far.
#[derive(Debug)]
pub struct Artefacts {
    folder: PathBuf,
    names: Vec<String>,
}

impl Artefacts {
    /// Makes the folder anew: what an earlier run left there is removed.
    ///
    /// # Errors
    /// As the file system's.
    pub fn new(folder: impl Into<PathBuf>) -> io::Result<Self> {
        let folder = folder.into();
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        std::fs::create_dir_all(&folder)?;
        Ok(Self { folder, names: Vec::new() })
    }

    /// Writes one file.
    ///
    /// # Errors
    /// As the file system's.
    pub fn write(&mut self, name: &str, octets: impl AsRef<[u8]>) -> io::Result<()> {
        std::fs::write(self.folder.join(name), octets)?;
        self.names.push(name.to_owned());
        Ok(())
    }

    /// Writes a file that only its owner may read.
    ///
    /// # Errors
    /// As the file system's.
    pub fn write_private(&mut self, name: &str, octets: &[u8]) -> io::Result<()> {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        io::Write::write_all(&mut options.open(self.folder.join(name))?, octets)?;
        self.names.push(name.to_owned());
        Ok(())
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What was written, in order.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }
}
