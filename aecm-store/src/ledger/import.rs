//! Entering a key that was made elsewhere.

use aecm_core::certificate::Certificate;
use aecm_core::mailbox::Mailbox;
use aecm_core::public_key::PublicKey;
use aecm_core::time::Time;

use super::{Key, Ledger, check_length, same_key, texts};
use crate::error::{Mismatch, StoreError};
use crate::slot::{EntryState, KeyId, Slot};

/// The most certificates one key can have gone by.
const MAX_CHAINS: usize = 256;

/// A key made elsewhere, without its private half.
pub(crate) struct Arrival {
    /// Its name, should it not be here yet.
    pub(crate) id: KeyId,
    pub(crate) slot: Slot,
    pub(crate) state: EntryState,
    pub(crate) public_key: PublicKey,
    /// The oldest first, each from its leaf upwards.
    pub(crate) chains: Vec<Vec<Certificate>>,
}

impl Ledger {
    /// Enters the key or adds to it. The name under which it is now, and whether anything changed.
    pub(crate) fn import(
        &mut self,
        mailbox: &Mailbox,
        arrival: &Arrival,
        now: Time,
    ) -> Result<(KeyId, bool), StoreError> {
        let Arrival { id, slot, state, public_key, chains } = arrival;
        let (id, state) = (*id, *state);
        let present = self.find(public_key)?;
        let name = present.as_ref().map_or(id, |key| key.id);
        match (state, chains.is_empty()) {
            (EntryState::Pending, true) | (EntryState::Active | EntryState::Retired, false) => {}
            (EntryState::Active | EntryState::Retired, true) => {
                return Err(StoreError::CertificateMismatch { id: name, why: Mismatch::EmptyChain });
            }
            (EntryState::Pending | EntryState::Removed, _) => {
                return Err(StoreError::WrongState { id: name, state, asked: "import it like this" });
            }
        }
        if chains.len() > MAX_CHAINS {
            return Err(StoreError::TooLarge {
                what: "the number of certificates of a key",
                limit: MAX_CHAINS,
            });
        }
        let mut key = match present {
            Some(key) if key.slot.purpose != slot.purpose => {
                return Err(StoreError::WrongPurpose {
                    id: key.id,
                    purpose: key.slot.purpose,
                    wanted: slot.purpose.word(),
                });
            }
            Some(key) => key,
            None => {
                self.add(id, slot, public_key, now)?;
                self.key(mailbox, &id)?.clone()
            }
        };
        let before = key.clone();
        for chain in chains {
            check_length(chain)?;
            key.accepts(mailbox, chain).map_err(|why| StoreError::CertificateMismatch { id: name, why })?;
        }
        key.take(chains)?;
        let vacant = || {
            !self.keys.iter().any(|other| {
                other.id != name && other.state == EntryState::Active && other.slot.same_place(&before.slot)
            })
        };
        key.state = match (before.state, state) {
            // A tombstone that had a certificate keeps it.
            (EntryState::Removed, EntryState::Pending) if !key.chain.is_empty() => EntryState::Retired,
            (EntryState::Pending | EntryState::Removed, given) => given,
            (EntryState::Retired, EntryState::Active) if vacant() => EntryState::Active,
            (kept, _) => kept,
        };
        if key.state == EntryState::Active && before.state != EntryState::Active {
            let place = key.slot.clone();
            self.retire_others(&name, &place);
        }
        let changed = name == id || key != before;
        *self.key_mut(mailbox, &name)? = key;
        Ok((name, changed))
    }

    /// The entry of that key, in whatever state.
    fn find(&self, public_key: &PublicKey) -> Result<Option<Key>, StoreError> {
        for key in &self.keys {
            let own = PublicKey::from_spki_der(&key.spki()?)
                .map_err(|_| key.corrupt("it holds what is not a public key"))?;
            if same_key(&own, public_key) {
                return Ok(Some(key.clone()));
            }
        }
        Ok(None)
    }
}

impl Key {
    /// Adds the certificates that it lacks. Each of `chains` was accepted.
    fn take(&mut self, chains: &[Vec<Certificate>]) -> Result<(), StoreError> {
        let mut leaves = self.certificates(&self.former)?;
        let mut current = self.certificates(&self.chain)?;
        leaves.extend(current.first().cloned());
        // Which of two of the same second came later is told by the order given, if it has both.
        let before_last: Vec<&Certificate> =
            chains.iter().rev().skip(1).filter_map(|chain| chain.first()).collect();
        for (place, chain) in chains.iter().enumerate() {
            let Some(leaf) = chain.first() else { continue };
            let last = place + 1 == chains.len();
            let newer = match current.first() {
                None => last,
                // The same certificate with more of the way to its anchor.
                Some(own) if own == leaf => chain.len() > current.len(),
                Some(own) if leaf.not_before() == own.not_before() => last && before_last.contains(&own),
                Some(own) => last && leaf.not_before() > own.not_before(),
            };
            if newer {
                current.clone_from(chain);
            }
            if !leaves.contains(leaf) {
                leaves.push(leaf.clone());
            }
        }
        leaves.retain(|leaf| current.first() != Some(leaf));
        if leaves.len() > MAX_CHAINS {
            return Err(StoreError::TooLarge {
                what: "the number of certificates of a key",
                limit: MAX_CHAINS,
            });
        }
        self.chain = texts(&current);
        if texts(&leaves) != self.former {
            // Stable, so that those of one second stay in the order given.
            leaves.sort_by_key(Certificate::not_before);
            self.former = texts(&leaves);
        }
        Ok(())
    }
}
