//! `--store DIR` and its password.

use std::path::PathBuf;
use std::sync::Arc;

use aecm_store::{KeyStore, StoreError, Vault, VaultOptions};
use clap::Args;
use zeroize::Zeroizing;

use super::stop::{Done, Stop};
use crate::cli::{Io, password};

/// The vault with the keys of one or more mailboxes.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct StoreArgs {
    /// The folder of the vault, an encrypted store of keys
    #[arg(long = "store", value_name = "DIR")]
    pub(in crate::cli) folder: PathBuf,
    /// A file whose first line is the vault's password; asked for where it is missing
    #[arg(long, value_name = "F")]
    store_password_file: Option<PathBuf>,
}

impl StoreArgs {
    /// For commands whose options differ.
    pub(in crate::cli) const fn new(folder: PathBuf, store_password_file: Option<PathBuf>) -> Self {
        Self { folder, store_password_file }
    }

    /// The vault that is there.
    pub(in crate::cli) fn open(&self, io: &mut Io) -> Done<Arc<dyn KeyStore>> {
        // Said before a password is asked for.
        self.check()?;
        let password = self.password(io)?;
        self.open_with(&password, io)
    }

    /// What can be said about the folder without its password: that it holds a vault that can be read.
    pub(in crate::cli) fn check(&self) -> Done<()> {
        let absent = || StoreError::NoVault { path: self.folder.clone() }.into();
        let other = |what: &str| {
            let message = format!("{} is {what}, no vault; nothing was done to it", self.folder.display());
            Err(Stop::error("not-a-vault", message))
        };
        match std::fs::metadata(&self.folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(absent()),
            Ok(found) if !found.is_dir() => return other("a file"),
            _ => {}
        }
        // The names of docs/vault-format.md. A folder with one of them was a vault, whatever became of it.
        if !["vault.header", "index"].iter().any(|name| self.folder.join(name).exists())
            && let Ok(mut entries) = std::fs::read_dir(&self.folder)
        {
            return if entries.next().is_some() {
                other("a folder with something else in it")
            } else {
                Err(absent())
            };
        }
        Vault::argon2_parameters(&self.folder)?;
        Ok(())
    }

    /// Whether there is something at its place.
    pub(in crate::cli) fn exists(&self) -> bool {
        std::fs::read_dir(&self.folder)
            .map_or_else(|_| self.folder.exists(), |mut files| files.next().is_some())
    }

    /// The vault that is there, with a password that is known already.
    pub(in crate::cli) fn open_with(&self, password: &str, io: &Io) -> Done<Arc<dyn KeyStore>> {
        Ok(Arc::new(Vault::open(&self.folder, password.as_bytes(), Arc::clone(&io.rng))?))
    }

    /// A new vault.
    pub(in crate::cli) fn create_with(&self, password: &str, io: &Io) -> Done<Arc<dyn KeyStore>> {
        let (rng, options) = (Arc::clone(&io.rng), VaultOptions::default());
        match Vault::create(&self.folder, password.as_bytes(), rng, options) {
            Ok(vault) => Ok(Arc::new(vault)),
            // Another process was faster.
            Err(StoreError::Exists { .. }) => self.open_with(password, io),
            Err(error) => Err(error.into()),
        }
    }

    /// The password.
    pub(in crate::cli) fn password(&self, io: &mut Io) -> Done<Zeroizing<String>> {
        let name = format!("the vault {}", self.folder.display());
        let password = match &self.store_password_file {
            Some(path) => password::first_line(path, io)?,
            None => password::ask(&name, "--store-password-file", io)?,
        };
        if password.is_empty() {
            return Err(Stop::error(
                "password-missing",
                format!("the password of {name} is empty: one is wanted"),
            ));
        }
        Ok(password)
    }
}
