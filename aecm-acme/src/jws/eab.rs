//! External account binding (RFC 8555 §7.3.4): an inner JWS with HMAC-SHA256.

use core::fmt;

use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::Sha256;
use zeroize::Zeroizing;

use aecm_core::limits::Limits;

use super::{Flattened, Jwk, decode, encode, signing_input};
use crate::wire;

/// What a CA hands out to bind an ACME account to one of its customers.
#[derive(Clone)]
pub struct ExternalAccount {
    /// The key's name, ASCII.
    kid: String,
    key: Zeroizing<Vec<u8>>,
}

/// Without the key.
impl fmt::Debug for ExternalAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExternalAccount").field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// What is wrong with a binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EabError {
    /// The key is not base64url, or shorter than 128 bits.
    Key,
    /// The name of the key is empty or not printable ASCII.
    KeyName,
    /// Not a flattened JWS with `alg` HS256, a `kid`, a `url` and no nonce.
    Form,
    /// The server knows no key of that name.
    UnknownKey,
    /// `url` is not that of the outer JWS.
    Url,
    /// The payload is not the account key of the outer JWS.
    AccountKey,
    /// The MAC does not match.
    Mac,
}

impl fmt::Display for EabError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key => "the MAC key of the external account is not base64url of 16 octets or more",
            Self::KeyName => "the key name of the external account is not printable ASCII",
            Self::Form => {
                "the external account binding is not an HS256 JWS with kid and url and without nonce"
            }
            Self::UnknownKey => "the external account is not known",
            Self::Url => "the url of the external account binding is not that of the request",
            Self::AccountKey => "the external account binding is for another account key",
            Self::Mac => "the MAC of the external account binding does not match",
        })
    }
}

impl core::error::Error for EabError {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    kid: String,
    url: String,
}

impl ExternalAccount {
    /// Takes the name and the key (base64url, with or without padding) that the CA gave.
    ///
    /// # Errors
    /// [`EabError::Key`], [`EabError::KeyName`].
    pub fn new(kid: &str, key_base64url: &str) -> Result<Self, EabError> {
        if kid.is_empty() || !kid.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
            return Err(EabError::KeyName);
        }
        let key =
            decode(key_base64url.trim().trim_end_matches('=')).map(Zeroizing::new).ok_or(EabError::Key)?;
        if key.len() < 16 {
            return Err(EabError::Key);
        }
        Ok(Self { kid: kid.to_owned(), key })
    }

    /// The name of the key.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The binding of `account_key`, for a newAccount request to `url`.
    #[must_use]
    pub fn bind(&self, account_key: &Jwk, url: &str) -> Flattened {
        let header = serde_json::json!({ "alg": "HS256", "kid": self.kid, "url": url });
        let (protected, payload) =
            (encode(header.to_string().as_bytes()), encode(account_key.canonical().as_bytes()));
        let tag = mac(&self.key, &protected, &payload).map(|mac| mac.finalize().into_bytes());
        let signature = encode(&tag.unwrap_or_default());
        Flattened { protected, payload, signature }
    }
}

/// `None` is of the trait alone: HMAC takes keys of any length.
fn mac(key: &[u8], protected: &str, payload: &str) -> Option<Hmac<Sha256>> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).ok()?;
    mac.update(&signing_input(protected, payload));
    Some(mac)
}

/// Verifies a binding on the server: `keys` gives the MAC key of a name. Returns the name.
///
/// # Errors
/// [`EabError`] when the binding is not for `account_key` and `url` under a known key.
pub fn verify_binding(
    binding: &Flattened,
    account_key: &Jwk,
    url: &str,
    keys: impl Fn(&str) -> Option<Zeroizing<Vec<u8>>>,
    limits: &Limits,
) -> Result<String, EabError> {
    let header = decode(&binding.protected).ok_or(EabError::Form)?;
    let header: Header = wire::parse(&header, limits).map_err(|_| EabError::Form)?;
    if header.alg != "HS256" {
        return Err(EabError::Form);
    }
    let key = keys(&header.kid).ok_or(EabError::UnknownKey)?;
    let tag = decode(&binding.signature).ok_or(EabError::Form)?;
    // verify_slice compares in constant time.
    let mac = mac(&key, &binding.protected, &binding.payload).ok_or(EabError::Mac)?;
    mac.verify_slice(&tag).map_err(|_| EabError::Mac)?;
    if header.url != url {
        return Err(EabError::Url);
    }
    let payload = decode(&binding.payload).ok_or(EabError::Form)?;
    let bound: serde_json::Value = wire::parse(&payload, limits).map_err(|_| EabError::Form)?;
    if Jwk::from_value(&bound).ok().as_ref() == Some(account_key) {
        Ok(header.kid)
    } else {
        Err(EabError::AccountKey)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://ca.example/acme/new-account";
    const KEY: &str = "bWFjLWtleS1vZi0yNC1vY3RldHMtISE";

    fn jwk(x: u8) -> Jwk {
        Jwk::P256 { x: [x; 32], y: [2; 32] }
    }

    fn known(kid: &str) -> Option<Zeroizing<Vec<u8>>> {
        (kid == "kid-1").then(|| Zeroizing::new(decode(KEY).unwrap()))
    }

    #[test]
    fn a_binding_verifies_for_its_key_and_url_only() {
        let limits = Limits::default();
        let binding = ExternalAccount::new("kid-1", KEY).unwrap().bind(&jwk(1), URL);
        assert_eq!(verify_binding(&binding, &jwk(1), URL, known, &limits).as_deref(), Ok("kid-1"));
        assert_eq!(verify_binding(&binding, &jwk(3), URL, known, &limits), Err(EabError::AccountKey));
        assert_eq!(
            verify_binding(&binding, &jwk(1), "https://ca.example/x", known, &limits),
            Err(EabError::Url)
        );
        assert_eq!(verify_binding(&binding, &jwk(1), URL, |_| None, &limits), Err(EabError::UnknownKey));
        let wrong = |_: &str| Some(Zeroizing::new(vec![9; 32]));
        assert_eq!(verify_binding(&binding, &jwk(1), URL, wrong, &limits), Err(EabError::Mac));
        let cut =
            Flattened { signature: encode(&decode(&binding.signature).unwrap()[..31]), ..binding.clone() };
        assert_eq!(verify_binding(&cut, &jwk(1), URL, known, &limits), Err(EabError::Mac));
        for header in [
            r#"{"alg":"none","kid":"kid-1","url":"u"}"#,
            r#"{"alg":"HS256","kid":"kid-1","url":"u","nonce":"n"}"#,
            r#"{"alg":"HS256","url":"u"}"#,
        ] {
            let other = Flattened { protected: encode(header.as_bytes()), ..binding.clone() };
            assert_eq!(verify_binding(&other, &jwk(1), URL, known, &limits), Err(EabError::Form), "{header}");
        }
    }

    #[test]
    fn unusable_secrets_are_refused() {
        assert_eq!(ExternalAccount::new("", KEY).err(), Some(EabError::KeyName));
        assert_eq!(ExternalAccount::new("a\nb", KEY).err(), Some(EabError::KeyName));
        assert_eq!(ExternalAccount::new("a", "not base64!").err(), Some(EabError::Key));
        assert_eq!(ExternalAccount::new("a", "c2hvcnQ").err(), Some(EabError::Key));
        assert!(!format!("{:?}", ExternalAccount::new("a", KEY).unwrap()).contains("mac"));
    }
}
