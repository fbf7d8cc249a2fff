//! What a store keeps underneath: named records, changed in transactions. The logic of [`crate::KeyStore`]
//! stands once, above this, in [`crate::ops`].

use std::collections::BTreeMap;
use std::sync::Arc;

use aecm_core::embed::{MaybeSendSync, Rng};
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::lease::Lease;

/// The octets of a record; wiped when dropped, since most records hold keys.
pub(crate) type Octets = Zeroizing<Vec<u8>>;

/// The longest record, in octets.
pub(crate) const MAX_RECORD: usize = 16 << 20;
/// The longest record name, in octets.
pub(crate) const MAX_NAME: usize = 1024;

/// A consistent picture of the records.
pub(crate) trait View {
    fn get(&self, name: &str) -> Result<Option<Octets>, StoreError>;
    /// The names that begin with `prefix`, sorted.
    fn names(&self, prefix: &str) -> Vec<String>;
}

/// Named records under transactions: all changes of one [`Records::update`] happen or none.
pub(crate) trait Records: MaybeSendSync {
    fn rng(&self) -> &Arc<dyn Rng>;
    fn view(&self, read: &mut dyn FnMut(&dyn View) -> Result<(), StoreError>) -> Result<(), StoreError>;
    /// Runs `change` over fresh state with every other writer shut out, then makes its changes durable.
    fn update(
        &self,
        change: &mut dyn FnMut(&mut Changes<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;
    /// The lease of that name; `None` while another holds it.
    fn try_lease(&self, name: &str) -> Result<Option<Lease>, StoreError>;
}

/// The changes of a transaction, over the state it began with.
pub(crate) struct Changes<'a> {
    base: &'a dyn View,
    writes: BTreeMap<String, Option<Octets>>,
}

impl<'a> Changes<'a> {
    pub(crate) fn new(base: &'a dyn View) -> Self {
        Self { base, writes: BTreeMap::new() }
    }

    pub(crate) fn put(&mut self, name: String, octets: Octets) -> Result<(), StoreError> {
        if name.len() > MAX_NAME {
            return Err(StoreError::TooLarge { what: "the name of a record", limit: MAX_NAME });
        }
        if octets.len() > MAX_RECORD {
            return Err(StoreError::TooLarge { what: "a record", limit: MAX_RECORD });
        }
        self.writes.insert(name, Some(octets));
        Ok(())
    }

    pub(crate) fn delete(&mut self, name: &str) -> Result<(), StoreError> {
        if self.get(name)?.is_some() {
            self.writes.insert(name.to_owned(), None);
        }
        Ok(())
    }

    #[cfg_attr(not(unix), expect(dead_code, reason = "only the vault does file work"))]
    pub(crate) fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// What is to be written (`Some`) or deleted (`None`), by name.
    pub(crate) fn into_writes(self) -> BTreeMap<String, Option<Octets>> {
        self.writes
    }
}

impl View for Changes<'_> {
    fn get(&self, name: &str) -> Result<Option<Octets>, StoreError> {
        match self.writes.get(name) {
            Some(written) => Ok(written.clone()),
            None => self.base.get(name),
        }
    }

    fn names(&self, prefix: &str) -> Vec<String> {
        let mut names = self.base.names(prefix);
        names.retain(|name| self.writes.get(name).is_none_or(Option::is_some));
        for (name, written) in &self.writes {
            if written.is_some() && name.starts_with(prefix) && !names.contains(name) {
                names.push(name.clone());
            }
        }
        names.sort();
        names
    }
}
