//! A store that lives and dies with the process.

use core::fmt;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use aecm_core::certificate::Certificate;
use aecm_core::embed::Rng;
use aecm_core::key::{Decryptor, Signer};
use aecm_core::mailbox::Mailbox;
use aecm_core::software::KeySpec;
use aecm_core::suite::Suite;
use aecm_core::time::Time;
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::lease::Lease;
use crate::ops::key_store;
use crate::records::{Changes, Octets, Records, View};
use crate::slot::{DeviceId, Entry, KeyId, Slot};

/// Keeps everything in memory: for tests, for gateways that provision at every start, and as the smallest
/// example of a [`crate::KeyStore`]. "Durable" means here: until it is dropped, when all of it is wiped.
pub struct MemoryStore {
    rng: Arc<dyn Rng>,
    records: Mutex<BTreeMap<String, Octets>>,
    leases: Arc<Mutex<BTreeSet<String>>>,
}

/// A name in the set of those that are leased, until dropped.
struct Leased {
    name: String,
    leases: Arc<Mutex<BTreeSet<String>>>,
}

impl Drop for Leased {
    fn drop(&mut self) {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
    }
}

impl MemoryStore {
    /// An empty store. `rng` makes its keys and names.
    #[must_use]
    pub fn new(rng: Arc<dyn Rng>) -> Self {
        Self { rng, records: Mutex::default(), leases: Arc::default() }
    }

    fn records(&self) -> &dyn Records {
        self
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

impl View for BTreeMap<String, Octets> {
    fn get(&self, name: &str) -> Result<Option<Octets>, StoreError> {
        Ok(Self::get(self, name).cloned())
    }

    fn names(&self, prefix: &str) -> Vec<String> {
        self.keys().filter(|name| name.starts_with(prefix)).cloned().collect()
    }
}

// A transaction touches the map only after its closure has returned, so a panic inside one cannot leave
// half of it behind and poisoning carries no news.
impl Records for MemoryStore {
    fn rng(&self) -> &Arc<dyn Rng> {
        &self.rng
    }

    fn view(&self, read: &mut dyn FnMut(&dyn View) -> Result<(), StoreError>) -> Result<(), StoreError> {
        read(&*self.records.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn update(
        &self,
        change: &mut dyn FnMut(&mut Changes<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changes = Changes::new(&*records);
        change(&mut changes)?;
        for (name, written) in changes.into_writes() {
            match written {
                Some(octets) => records.insert(name, octets),
                None => records.remove(&name),
            };
        }
        Ok(())
    }

    fn try_lease(&self, name: &str) -> Result<Option<Lease>, StoreError> {
        let fresh = self.leases.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
        Ok(fresh.then(|| Lease::new(Leased { name: name.to_owned(), leases: self.leases.clone() })))
    }
}

key_store!(MemoryStore);

#[cfg(test)]
mod tests {
    use aecm_core::embed::OsRng;

    use super::*;
    use crate::{KeyStore, conformance};

    #[test]
    fn it_keeps_the_promises_of_a_store() {
        let store = Arc::new(MemoryStore::new(Arc::new(OsRng)));
        let open = || -> Result<Arc<dyn KeyStore>, StoreError> { Ok(store.clone()) };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(conformance::run(&open)).unwrap();
    }

    /// A transaction that fails midway leaves nothing behind.
    #[test]
    fn a_failed_change_changes_nothing() {
        let store = MemoryStore::new(Arc::new(OsRng));
        let octets = |text: &str| Zeroizing::new(text.as_bytes().to_vec());
        store.update(&mut |changes| changes.put("kept".to_owned(), octets("1"))).unwrap();
        let failed = store.update(&mut |changes| {
            changes.put("kept".to_owned(), octets("2"))?;
            changes.put("new".to_owned(), octets("3"))?;
            assert_eq!(changes.get("kept")?.unwrap().as_slice(), b"2", "a change sees itself");
            assert_eq!(changes.names(""), ["kept", "new"]);
            changes.delete("kept")?;
            assert_eq!(changes.names(""), ["new"]);
            Err(StoreError::Rng)
        });
        assert_eq!(failed, Err(StoreError::Rng));
        store
            .view(&mut |view| {
                assert_eq!(view.names(""), ["kept"]);
                assert_eq!(view.get("kept")?.unwrap().as_slice(), b"1");
                Ok(())
            })
            .unwrap();
    }
}
