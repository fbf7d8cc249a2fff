//! The way from [`crate::KeyStore`] to the operations: written once for every store that has records.

/// Implements [`crate::KeyStore`] for a type that has a `records()`.
macro_rules! key_store {
    ($type:ty) => {
        #[cfg_attr(not(target_family = "wasm"), async_trait::async_trait)]
        #[cfg_attr(target_family = "wasm", async_trait::async_trait(?Send))]
        impl $crate::KeyStore for $type {
            async fn generate(
                &self,
                mailbox: &Mailbox,
                slot: &Slot,
                spec: KeySpec,
                now: Time,
            ) -> Result<KeyId, StoreError> {
                $crate::ops::generate(self.records(), mailbox, slot, spec, now)
            }

            async fn entries(&self, mailbox: &Mailbox) -> Result<Vec<Entry>, StoreError> {
                $crate::ops::entries(self.records(), mailbox)
            }

            async fn mailboxes(&self) -> Result<Vec<Mailbox>, StoreError> {
                $crate::ops::mailboxes(self.records())
            }

            async fn install(
                &self,
                mailbox: &Mailbox,
                id: &KeyId,
                chain: Vec<Certificate>,
            ) -> Result<(), StoreError> {
                $crate::ops::install(self.records(), mailbox, id, &chain)
            }

            async fn import(
                &self,
                mailbox: &Mailbox,
                keys: Vec<$crate::ImportedKey>,
                now: Time,
            ) -> Result<Vec<KeyId>, StoreError> {
                $crate::ops::import(self.records(), mailbox, keys, now)
            }

            async fn signer(&self, mailbox: &Mailbox, id: &KeyId) -> Result<Arc<dyn Signer>, StoreError> {
                $crate::ops::signer(self.records(), mailbox, id)
            }

            async fn decryptor(
                &self,
                mailbox: &Mailbox,
                id: &KeyId,
            ) -> Result<Arc<dyn Decryptor>, StoreError> {
                $crate::ops::decryptor(self.records(), mailbox, id)
            }

            async fn remove(&self, mailbox: &Mailbox, id: &KeyId) -> Result<(), StoreError> {
                $crate::ops::remove(self.records(), mailbox, id)
            }

            async fn purge(&self, mailbox: &Mailbox, id: &KeyId) -> Result<(), StoreError> {
                $crate::ops::purge(self.records(), mailbox, id)
            }

            async fn export(&self, mailbox: &Mailbox, id: &KeyId) -> Result<Zeroizing<Vec<u8>>, StoreError> {
                $crate::ops::export(self.records(), mailbox, id)
            }

            // A software key needs no date; a store that leases or rotates account keys would use it.
            async fn account_key(&self, directory: &str, _now: Time) -> Result<Arc<dyn Signer>, StoreError> {
                $crate::ops::account_key(self.records(), directory)
            }

            async fn load_state(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
                $crate::ops::load_state(self.records(), name)
            }

            async fn save_state(&self, name: &str, octets: &[u8]) -> Result<(), StoreError> {
                $crate::ops::save_state(self.records(), name, octets)
            }

            async fn delete_state(&self, name: &str) -> Result<(), StoreError> {
                $crate::ops::delete_state(self.records(), name)
            }

            async fn device(&self) -> Result<DeviceId, StoreError> {
                $crate::ops::device(self.records())
            }

            async fn lease(&self, name: &str) -> Result<$crate::Lease, StoreError> {
                $crate::ops::lease(self.records(), name)
            }

            async fn default_suite(&self, mailbox: &Mailbox) -> Result<Option<Suite>, StoreError> {
                $crate::ops::default_suite(self.records(), mailbox)
            }

            async fn set_default_suite(
                &self,
                mailbox: &Mailbox,
                suite: Option<Suite>,
            ) -> Result<(), StoreError> {
                $crate::ops::set_default_suite(self.records(), mailbox, suite)
            }

            async fn default_signer(&self, mailbox: &Mailbox) -> Result<Option<Slot>, StoreError> {
                $crate::ops::default_signer(self.records(), mailbox)
            }

            async fn set_default_signer(
                &self,
                mailbox: &Mailbox,
                slot: Option<Slot>,
            ) -> Result<(), StoreError> {
                $crate::ops::set_default_signer(self.records(), mailbox, slot)
            }
        }
    };
}
pub(crate) use key_store;
