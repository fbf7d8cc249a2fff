//! What the facade remembers in the key store beside the keys: JSON under a name, confidential like a key.

use core::time::Duration;

use aecm_store::{KeyStore, StoreError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::error::Error;
use crate::mailbox::Mailbox;

/// What was saved under `name`. Damage is an error, never nothing.
pub(crate) async fn load<T: DeserializeOwned>(store: &dyn KeyStore, name: &str) -> Result<Option<T>, Error> {
    let Some(octets) = store.load_state(name).await? else { return Ok(None) };
    serde_json::from_slice(&octets).map(Some).map_err(|_| Error::Record { name: name.to_owned() })
}

pub(crate) async fn save<T: Serialize>(store: &dyn KeyStore, name: &str, value: &T) -> Result<(), Error> {
    let octets =
        serde_json::to_vec(value).map(Zeroizing::new).map_err(|_| Error::Record { name: name.to_owned() })?;
    Ok(store.save_state(name, &octets).await?)
}

/// How often a record that another call changes at this moment is asked for again.
const TRIES: u32 = 60;
/// The pause between.
const PAUSE: Duration = Duration::from_millis(50);

impl Mailbox {
    /// What was saved under `name`.
    pub(crate) async fn recorded<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        load(self.aecm().store().as_ref(), name).await
    }

    /// Changes a record under the store's lease of its name, so that two calls, in whichever processes, do not undo
    /// each other's changes. Waits for a call that is at it, three seconds at most.
    pub(crate) async fn change<T, R>(&self, name: &str, change: impl FnOnce(&mut T) -> R) -> Result<R, Error>
    where
        T: Default + Serialize + DeserializeOwned,
    {
        let store = self.aecm().store();
        let mut tries = 0;
        let _lease = loop {
            match store.lease(&format!("record:{name}")).await {
                Err(StoreError::Busy { .. }) if tries < TRIES => {
                    tries += 1;
                    self.aecm().parts().sleep.sleep(PAUSE).await;
                }
                Err(StoreError::Busy { .. }) => return Err(Error::Busy(self.address().clone())),
                lease => break lease?,
            }
        };
        let mut value: T = load(store.as_ref(), name).await?.unwrap_or_default();
        let result = change(&mut value);
        save(store.as_ref(), name, &value).await?;
        Ok(result)
    }
}

pub(crate) fn hex(octets: &[u8]) -> String {
    octets
        .iter()
        .flat_map(|octet| [octet >> 4, octet & 15])
        .map(|digit| char::from_digit(u32::from(digit), 16).unwrap_or('0'))
        .collect()
}

/// The inverse of [`hex`] for 32 octets.
pub(crate) fn unhex(text: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != 32 || !rest.is_empty() {
        return None;
    }
    let mut octets = [0; 32];
    for (octet, [high, low]) in octets.iter_mut().zip(pairs) {
        *octet = digit(*high)? << 4 | digit(*low)?;
    }
    Some(octets)
}
