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
        if !self.folder.exists() {
            return Err(StoreError::NoVault { path: self.folder.clone() }.into());
        }
        let password = self.password(io)?;
        self.open_with(&password, io)
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
