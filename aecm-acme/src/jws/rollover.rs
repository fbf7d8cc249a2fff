//! Key rollover (RFC 8555 §7.3.5): a JWS by the new key within a JWS by the old one.

use aecm_core::key::Signer;
use aecm_core::limits::Limits;
use aecm_core::public_key::PublicKey;
use serde::{Deserialize, Serialize};

use super::{Flattened, Jwk, JwsError, KeyReference, Protected, Unverified, sign};
use crate::wire;

/// The payload of the inner JWS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyChange {
    /// URL of the account.
    pub account: String,
    /// The JWK in use until now.
    pub old_key: serde_json::Value,
}

/// The inner JWS that moves `account` to `new_key`; it is the payload of a request to `url` (keyChange), which
/// the old key signs. Store the new key before that request is sent.
///
/// # Errors
/// [`JwsError`] when a key is not on P-256 or does not sign.
pub async fn key_change(
    new_key: &dyn Signer,
    old_key: &PublicKey,
    account: &str,
    url: &str,
) -> Result<Flattened, JwsError> {
    let jwk = Jwk::from_public_key(new_key.public_key()).ok_or(JwsError::Key)?;
    let old = Jwk::from_public_key(old_key).ok_or(JwsError::Key)?;
    let old_key = serde_json::to_value(&old).map_err(|_| JwsError::Key)?;
    let payload =
        serde_json::to_vec(&KeyChange { account: account.to_owned(), old_key }).map_err(|_| JwsError::Key)?;
    sign(new_key, &Protected::new(url, None, KeyReference::Jwk(jwk)), &payload).await
}

/// Checks the inner JWS on the server; `url`, `account` and `old_key` are those of the outer one. Gives the
/// new key.
///
/// # Errors
/// [`JwsError`] for each rule of RFC 8555 §7.3.5 that is broken.
pub fn verify_key_change(
    inner: &[u8],
    url: &str,
    account: &str,
    old_key: &PublicKey,
    limits: &Limits,
) -> Result<PublicKey, JwsError> {
    let inner = Unverified::parse(inner, limits)?;
    if inner.header().nonce.is_some() {
        return Err(JwsError::NoncePresence);
    }
    if inner.header().url != url {
        return Err(JwsError::Url);
    }
    let (new_key, payload) = inner.verify_own()?;
    let change: KeyChange = wire::parse(&payload, limits).map_err(JwsError::Json)?;
    let named = Jwk::from_value(&change.old_key)?;
    if change.account != account || Jwk::from_public_key(old_key) != Some(named) {
        return Err(JwsError::KeyReference);
    }
    Ok(new_key)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use aecm_core::embed::OsRng;
    use aecm_core::software::{KeySpec, SoftwareKey};

    use super::*;

    // RFC 8555 §7.3.5: both keys, the account and the url are bound together.
    #[test]
    fn a_key_change_is_bound_to_both_keys() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let make = |spec| SoftwareKey::generate(spec, &OsRng).unwrap().into_signer(Arc::new(OsRng));
        let (old, new, third) = (make(KeySpec::P256), make(KeySpec::P256), make(KeySpec::P256));
        let (account, url) = ("https://ca.example/acct/1", "https://ca.example/key-change");
        let inner = runtime.block_on(key_change(&new, old.public_key(), account, url)).unwrap();
        let body = serde_json::to_vec(&inner).unwrap();
        let limits = Limits::default();
        assert_eq!(
            verify_key_change(&body, url, account, old.public_key(), &limits).as_ref(),
            Ok(new.public_key())
        );
        for (url, account, old, error) in [
            ("https://ca.example/other", account, &old, JwsError::Url),
            (url, "https://ca.example/acct/2", &old, JwsError::KeyReference),
            (url, account, &third, JwsError::KeyReference),
        ] {
            assert_eq!(verify_key_change(&body, url, account, old.public_key(), &limits).err(), Some(error));
        }
        let sm2 = make(KeySpec::Sm2);
        assert_eq!(
            runtime.block_on(key_change(&sm2, old.public_key(), account, url)).err(),
            Some(JwsError::Key)
        );
    }
}
