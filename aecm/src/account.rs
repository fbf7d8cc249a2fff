//! The ACME account of a store, and another one where the service has closed it.

use aecm_store::KeyStore;
use serde::{Deserialize, Serialize};

use crate::builder::Aecm;
use crate::error::Error;
use crate::record;

/// How often an account was replaced.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Generation {
    generation: u32,
}

impl Aecm {
    /// Leaves the ACME account of this store at the service for another one, which the next
    /// [`Mailbox::provision`](crate::Mailbox::provision) or renewal opens, with a key of its own. For an account that
    /// the service has closed: its calls end with
    /// [`AccountStatus`](aecm_acme::machine::Error::AccountStatus), and nothing is ordered for it any more.
    ///
    /// All keys and certificates stay, and what is open at the old account is left. The new account has proven no
    /// mailbox yet: the next order costs a challenge mail.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Record`].
    pub async fn replace_account(&self) -> Result<(), Error> {
        let store = self.store().as_ref();
        let name = name(self.directory_url());
        let _lease = store.lease(&format!("record:{name}")).await?;
        let known: Generation = record::load(store, &name).await?.unwrap_or_default();
        let next = Generation { generation: known.generation.saturating_add(1) };
        record::save(store, &name, &next).await?;
        Ok(store.delete_state(&format!("acme-account:{}", self.directory_url())).await?)
    }
}

/// Under which name the store keeps the key of the account in use.
pub(crate) async fn key_name(store: &dyn KeyStore, directory: &str) -> Result<String, Error> {
    let known: Generation = record::load(store, &name(directory)).await?.unwrap_or_default();
    Ok(match known.generation {
        0 => directory.to_owned(),
        generation => format!("{directory}#account-{generation}"),
    })
}

fn name(directory: &str) -> String {
    format!("aecm-account:{directory}")
}
