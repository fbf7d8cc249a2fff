//! The key store as the ACME client sees it.

use std::sync::{Arc, Mutex, PoisonError};

use aecm_acme::client::{Keys, KeysError};
use aecm_acme::csr::Template;
use aecm_acme::plan::PlanItem;
use aecm_acme::wire::{Problem, ProblemType};
use aecm_core::certificate::Certificate;
use aecm_core::embed::Clock;
use aecm_core::key::Signer;
use aecm_core::mailbox::Mailbox;
use aecm_core::public_key::KeyKind;
use aecm_core::software::KeySpec;
use aecm_core::suite::{Level, Purpose, Suite};
use aecm_store::{Entry, EntryState, ImportedKey, KeyId, KeyStore, Slot, StoreError};
use zeroize::Zeroizing;

use crate::account;
use crate::renew::like;

/// Which key a certificate is to be for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyChoice {
    /// This one, which has a certificate already.
    Same(KeyId),
    /// One of that kind that has none yet: what an interrupted call left, else a new one.
    Fresh(KeySpec),
}

/// The choice for each item of a plan.
pub(crate) type KeyChoices = Vec<((Suite, Purpose, Level), KeyChoice)>;

/// A [`KeyStore`] behind the client's [`Keys`].
pub(crate) struct StoreKeys {
    store: Arc<dyn KeyStore>,
    clock: Arc<dyn Clock>,
    choices: KeyChoices,
    /// Keys that were to be certified again and are refused.
    given_up: Mutex<Vec<KeyId>>,
}

impl StoreKeys {
    pub(crate) fn new(store: Arc<dyn KeyStore>, clock: Arc<dyn Clock>, choices: KeyChoices) -> Self {
        Self { store, clock, choices, given_up: Mutex::default() }
    }

    async fn slot(&self, item: &PlanItem) -> Result<Slot, KeysError> {
        let device = self.store.device().await.map_err(failed)?;
        Ok(Slot::new(item.suite, item.purpose, item.level, &device))
    }

    fn choice(&self, item: &PlanItem) -> Result<KeyChoice, KeysError> {
        let kind = (item.suite, item.purpose, item.level);
        let found = self.choices.iter().find(|(of, _)| *of == kind).map(|(_, choice)| *choice);
        found.ok_or_else(|| KeysError::Store(format!("no key was chosen for {item}")))
    }

    /// The key of that kind that awaits a certificate in the slot: an interrupted call left it. One of another
    /// kind was made for another plan; it stays where it is.
    async fn pending(
        &self,
        mailbox: &Mailbox,
        slot: &Slot,
        spec: KeySpec,
    ) -> Result<Option<Entry>, KeysError> {
        let entries = self.store.entries(mailbox).await.map_err(failed)?;
        let mut own = entries.into_iter().rev().filter(|entry| entry.slot.same_place(slot));
        Ok(own.find(|entry| entry.state == EntryState::Pending && fits(spec, entry.public_key.kind())))
    }

    async fn key_for(
        &self,
        mailbox: &Mailbox,
        item: &PlanItem,
        refused: Option<&Problem>,
    ) -> Result<KeyId, KeysError> {
        let slot = self.slot(item).await?;
        let mut unusable = refused.is_some_and(|problem| problem.kind == ProblemType::BadPublicKey);
        let spec = match self.choice(item)? {
            KeyChoice::Same(id) if !unusable => return Ok(id),
            KeyChoice::Same(id) => {
                // The server certifies that key no more, because it was revoked as compromised: the next one takes
                // its place, and it goes on opening old mail. The first refusal is of that key, later ones are of
                // those made after it.
                let entries = self.store.entries(mailbox).await.map_err(failed)?;
                let entry = entries.iter().find(|entry| entry.id == id);
                let gone = || KeysError::Store("the key to be certified is not in the store".to_owned());
                let mut given_up = self.given_up.lock().unwrap_or_else(PoisonError::into_inner);
                unusable = given_up.contains(&id);
                if !unusable {
                    given_up.push(id);
                }
                like(&entry.ok_or_else(gone)?.public_key)
            }
            KeyChoice::Fresh(spec) => spec,
        };
        match self.pending(mailbox, &slot, spec).await? {
            Some(entry) if !unusable => return Ok(entry.id),
            // The server does not certify this very key: another one has to be made.
            Some(entry) => self.store.remove(mailbox, &entry.id).await.map_err(failed)?,
            None => {}
        }
        self.store.generate(mailbox, &slot, spec, self.clock.now()).await.map_err(failed)
    }
}

#[cfg_attr(not(target_family = "wasm"), async_trait::async_trait)]
#[cfg_attr(target_family = "wasm", async_trait::async_trait(?Send))]
impl Keys for StoreKeys {
    async fn account(&self, directory: &str) -> Result<Arc<dyn Signer>, KeysError> {
        let name = account::key_name(self.store.as_ref(), directory).await;
        let name = name.map_err(|error| KeysError::Store(error.to_string()))?;
        self.store.account_key(&name, self.clock.now()).await.map_err(failed)
    }

    async fn request(
        &self,
        mailbox: &Mailbox,
        item: &PlanItem,
        refused: Option<&Problem>,
    ) -> Result<Vec<u8>, KeysError> {
        let id = self.key_for(mailbox, item, refused).await?;
        // A CA that does not take an empty subject says badCSR; the second try names the mailbox there.
        let template = Template::new(mailbox, item.purpose)
            .common_name(refused.is_some_and(|problem| problem.kind == ProblemType::BadCsr));
        Ok(if item.purpose == Purpose::Encrypt {
            let key = self.store.decryptor(mailbox, &id).await.map_err(failed)?;
            template.prove(key.as_ref()).await?
        } else {
            let key = self.store.signer(mailbox, &id).await.map_err(failed)?;
            template.sign(key.as_ref()).await?
        })
    }

    async fn install(
        &self,
        mailbox: &Mailbox,
        item: &PlanItem,
        chain: &[Certificate],
    ) -> Result<(), KeysError> {
        let leaf_key = chain.first().and_then(Certificate::public_key);
        let slot = self.slot(item).await?;
        let entries = self.store.entries(mailbox).await.map_err(failed)?;
        let entry = entries
            .iter()
            .find(|entry| entry.slot.same_place(&slot) && Some(&entry.public_key) == leaf_key)
            .ok_or_else(|| KeysError::Store("the certificate's key is not in its slot".to_owned()))?;
        if matches!(entry.state, EntryState::Pending | EntryState::Active) {
            return self.store.install(mailbox, &entry.id, chain.to_vec()).await.map_err(failed);
        }
        // Given up while its certificate was on the way: another key took its place, which it does not take back.
        // Mail that is encrypted to this certificate opens all the same.
        let pkcs8 = self.store.export(mailbox, &entry.id).await.map_err(failed)?;
        let (slot, state) = (entry.slot.clone(), EntryState::Retired);
        let key = ImportedKey { slot, pkcs8, chains: vec![chain.to_vec()], state };
        self.store.import(mailbox, vec![key], self.clock.now()).await.map(|_| ()).map_err(failed)
    }

    async fn load(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeysError> {
        self.store.load_state(name).await.map_err(failed)
    }

    async fn save(&self, name: &str, octets: &[u8]) -> Result<(), KeysError> {
        self.store.save_state(name, octets).await.map_err(failed)
    }

    async fn delete(&self, name: &str) -> Result<(), KeysError> {
        self.store.delete_state(name).await.map_err(failed)
    }
}

fn fits(wanted: KeySpec, found: KeyKind) -> bool {
    match (wanted, found) {
        (KeySpec::Rsa(wanted), KeyKind::Rsa { bits }) => {
            usize::try_from(wanted).is_ok_and(|wanted| wanted == bits)
        }
        (KeySpec::P256, KeyKind::P256) | (KeySpec::P384, KeyKind::P384) | (KeySpec::Sm2, KeyKind::Sm2) => {
            true
        }
        _ => false,
    }
}

fn failed(error: StoreError) -> KeysError {
    KeysError::Store(error.to_string())
}
