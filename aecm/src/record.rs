//! What the facade remembers in the key store beside the keys: JSON under a name, confidential like a key.

use aecm_store::KeyStore;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::error::Error;

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
