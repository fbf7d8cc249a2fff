//! Certifying the encrypting key again that the service says is elsewhere, when it is here: restored from a backup,
//! or taken out of escrow.

use aecm_acme::plan::{Plan as OrderPlan, PlanItem};
use aecm_core::suite::{Level, Purpose};
use aecm_core::time::Time;
use aecm_store::{Entry, EntryState, ImportedKey, KeyId};

use super::{KeyChoice, KeyChoices};
use crate::error::Error;
use crate::keyring::Keyring;
use crate::mailbox::Mailbox;
use crate::transfer::{Lacking, not_given_up};

impl Mailbox {
    /// Puts keys that are in this store into use and has them certified for this account, which so becomes known as
    /// one that holds them; gives back what is not here. For whoever has the turn ([`Mailbox::turn`]).
    pub(crate) async fn certify_held(
        &self,
        lacking: Vec<Lacking>,
        until: Time,
    ) -> Result<Vec<Lacking>, Error> {
        let ring = self.keyring().await?;
        let now = self.aecm().clock().now();
        let mut elsewhere = Vec::new();
        let mut items = Vec::new();
        let mut choices: KeyChoices = Vec::new();
        for mut one in lacking {
            if one.certificate.is_none() {
                self.look_up(&mut one, &ring).await;
            }
            let Some(entry) = held(&ring, &one) else {
                elsewhere.push(one);
                continue;
            };
            if not_given_up(&ring, one.suite, now).is_some_and(|(active, _)| active.id != entry.id) {
                // Another one is in use here, or was until somebody else revoked it; whether this one takes its place
                // is for the owner to say.
                elsewhere.push(one);
                continue;
            }
            self.adopt(entry, &one).await?;
            // The request shows that the key is here: without a profile the service sees it before it can refuse.
            items.push(PlanItem::new(one.suite, Purpose::Encrypt).without_profile());
            choices.push(((one.suite, Purpose::Encrypt, Level::Mailbox), KeyChoice::Same(entry.id)));
        }
        if !items.is_empty() {
            let orders = OrderPlan { mailbox: self.address().clone(), items };
            self.ordering_client(Some(&ring.device), choices, None).provision(&orders, until).await?;
        }
        Ok(elsewhere)
    }

    /// The certificate of a key of this store that the service lists, where it names none.
    async fn look_up(&self, one: &mut Lacking, ring: &Keyring) {
        for (leaf, above) in self.named(one).await {
            let found = Lacking { suite: one.suite, certificate: Some(leaf), chain: above };
            if held(ring, &found).is_some() {
                *one = found;
                return;
            }
        }
    }

    /// Enters the certificate that the service names, makes its key the active one, and puts aside keys that were
    /// made before it was known that there is this one.
    async fn adopt(&self, entry: &Entry, one: &Lacking) -> Result<(), Error> {
        let Some(certificate) = &one.certificate else { return Ok(()) };
        let store = self.aecm().store();
        let chain = self.encryption_chain(certificate, &one.chain)?;
        if entry.state == EntryState::Retired {
            let mut chains: Vec<_> = entry.former.iter().map(|leaf| vec![leaf.clone()]).collect();
            if let Some(own) = &entry.certificate {
                chains.push(core::iter::once(own).chain(&entry.chain).cloned().collect());
            }
            chains.push(chain);
            let (slot, state) = (entry.slot.clone(), EntryState::Active);
            let pkcs8 = store.export(self.address(), &entry.id).await?;
            let key = ImportedKey { slot, pkcs8, chains, state };
            store.import(self.address(), vec![key], self.aecm().clock().now()).await?;
            self.promote(&entry.id).await?;
        } else if entry.certificate.as_ref() != Some(certificate) {
            store.install(self.address(), &entry.id, chain).await?;
        }
        for other in self.entries().await? {
            let made = other.state == EntryState::Pending && other.slot.same_place(&entry.slot);
            if made && other.id != entry.id {
                store.remove(self.address(), &other.id).await?;
            }
        }
        Ok(())
    }
}

impl Mailbox {
    /// Makes a key that retired the one in use again; that which is in use retires. A store does not do so by itself
    /// while the place is taken: it knows neither revocations nor the owner's word.
    pub(crate) async fn promote(&self, id: &KeyId) -> Result<(), Error> {
        let entries = self.entries().await?;
        let retired = |entry: &&Entry| entry.id == *id && entry.state == EntryState::Retired;
        let Some(entry) = entries.iter().find(retired) else { return Ok(()) };
        let Some(own) = &entry.certificate else { return Ok(()) };
        let store = self.aecm().store();
        let mut chains: Vec<_> = entry.former.iter().map(|leaf| vec![leaf.clone()]).collect();
        chains.push(core::iter::once(own).chain(&entry.chain).cloned().collect());
        let (slot, state) = (entry.slot.clone(), EntryState::Active);
        let pkcs8 = store.export(self.address(), id).await?;
        // A tombstone keeps its octets, and takes the state it is imported with.
        store.remove(self.address(), id).await?;
        let key = ImportedKey { slot, pkcs8, chains, state };
        store.import(self.address(), vec![key], self.aecm().clock().now()).await?;
        Ok(())
    }
}

/// The key of the certificate that the service names, where it is in this store.
fn held<'a>(ring: &'a Keyring, one: &Lacking) -> Option<&'a Entry> {
    let certificate = one.certificate.as_ref()?;
    ring.entries.iter().find(|entry| {
        entry.slot.purpose == Purpose::Encrypt
            && entry.slot.suite == one.suite
            && entry.state != EntryState::Removed
            && certificate.public_key() == Some(&entry.public_key)
    })
}
