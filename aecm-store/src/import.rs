//! What comes into a store from outside: keys with everything they went by.

use core::fmt;

use aecm_core::certificate::Certificate;
use zeroize::Zeroizing;

use crate::slot::{EntryState, Slot};

/// A key made elsewhere, for [`KeyStore::import`](crate::KeyStore::import).
pub struct ImportedKey {
    /// The slot it is to fill.
    pub slot: Slot,
    /// The private key: PKCS#8 in DER, not encrypted.
    pub pkcs8: Zeroizing<Vec<u8>>,
    /// Every chain the key had, the leaf first in each, the oldest chain first; the last is the current one.
    pub chains: Vec<Vec<Certificate>>,
    /// [`EntryState::Active`] or [`EntryState::Retired`] with chains, [`EntryState::Pending`] without.
    pub state: EntryState,
}

/// Without the private key.
impl fmt::Debug for ImportedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportedKey")
            .field("slot", &self.slot)
            .field("chains", &self.chains.len())
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}
