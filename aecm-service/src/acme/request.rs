//! What every request has to show before its resource sees it (RFC 8555 §6.2–§6.5): media type, one strict
//! JWS, a living nonce, the URL it was sent to, and the key that fits the resource.

use aecm_acme::jws::{Jwk, JwsError, KeyReference, Unverified};
use aecm_core::limits::Limits;
use aecm_core::public_key::PublicKey;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::AcmeServer;
use super::problem::Problem;
use super::transfer::MAX_PACKAGE;
use crate::net::{Ask, takes_packages};

/// How a resource wants the key named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyRule {
    /// The key itself: newAccount.
    Jwk,
    /// The account's URL.
    Kid,
    /// Either: revokeCert.
    Either,
}

/// A request that passed.
pub(super) struct Signed {
    pub(super) payload: Zeroizing<Vec<u8>>,
    key: PublicKey,
    /// The account's id where the key was named by `kid`.
    account: Option<String>,
    jwk: Option<(Value, String)>,
}

impl Signed {
    /// The account that asks.
    pub(super) fn account(&self) -> Result<&str, Problem> {
        self.account
            .as_deref()
            .ok_or_else(|| Problem::malformed("this resource wants the account's URL as kid"))
    }

    /// The request has to come from this very account.
    pub(super) fn require_account(&self, id: &str) -> Result<(), Problem> {
        if self.account()? == id {
            Ok(())
        } else {
            Err(Problem::unauthorized("this is another account's resource"))
        }
    }

    /// The key as canonical JWK, with its thumbprint (RFC 7638).
    pub(super) fn jwk(&self) -> Result<(&Value, &str), Problem> {
        let (jwk, thumbprint) = self
            .jwk
            .as_ref()
            .ok_or_else(|| Problem::malformed("this resource wants the key itself as jwk"))?;
        Ok((jwk, thumbprint))
    }

    /// Whether `key` signed the request.
    pub(super) fn signed_by(&self, key: &PublicKey) -> bool {
        self.key == *key
    }

    /// The key that signed.
    pub(super) fn key(&self) -> &PublicKey {
        &self.key
    }
}

impl AcmeServer {
    /// Checks a POST to `url`.
    pub(super) fn check(&self, ask: &Ask, url: &str, rule: KeyRule) -> Result<Signed, Problem> {
        if ask.content_type.as_deref() != Some("application/jose+json") {
            return Err(Problem::new(415, "malformed", "the content type has to be application/jose+json"));
        }
        let body = ask
            .body
            .as_ref()
            .map_err(|unread| Problem::new(unread.status(), "malformed", unread.to_string()))?;
        let limits =
            if takes_packages(&ask.path) { package_limits(&self.limits) } else { self.limits.clone() };
        let jws = Unverified::parse(body, &limits).map_err(|error| refused(&error))?;
        let header = jws.header().clone();
        // The nonce is spent as soon as it can be read, before URL, key and signature are looked at (§6.5).
        // What is no JWS, or of the wrong media type, was refused above and spends none.
        let nonce = header.nonce.as_deref().unwrap_or_default();
        if !self.state().nonces.redeem(nonce) {
            return Err(Problem::new(400, "badNonce", "this nonce was not handed out, or was used already"));
        }
        if header.url != url {
            return Err(Problem::unauthorized(format!(
                "the JWS names {:?}, the request went to {url:?}",
                header.url
            )));
        }
        match (&header.key, rule) {
            (KeyReference::Jwk(jwk), KeyRule::Jwk | KeyRule::Either) => {
                let named = jwk_value(jwk)?;
                let (key, payload) = jws.verify_own().map_err(|error| refused(&error))?;
                Ok(Signed { payload, key, account: None, jwk: Some((named, jwk.thumbprint())) })
            }
            (KeyReference::Kid(kid), KeyRule::Kid | KeyRule::Either) => {
                let (id, key) = self.account_key(kid)?;
                let payload = jws.verify(&key).map_err(|error| refused(&error))?;
                Ok(Signed { payload, key, account: Some(id), jwk: None })
            }
            (KeyReference::Jwk(_), KeyRule::Kid) => {
                Err(Problem::malformed("this resource wants the account's URL as kid, not a jwk"))
            }
            (KeyReference::Kid(_), KeyRule::Jwk) => {
                Err(Problem::malformed("newAccount wants the key itself as jwk, not a kid"))
            }
        }
    }

    fn account_key(&self, kid: &str) -> Result<(String, PublicKey), Problem> {
        let prefix = self.url("account/");
        let state = self.state();
        let account = kid.strip_prefix(&prefix).and_then(|id| state.accounts.get(id)).ok_or_else(|| {
            Problem::new(400, "accountDoesNotExist", format!("no account has the URL {kid:?}"))
        })?;
        if account.deactivated {
            return Err(Problem::new(401, "unauthorized", "this account is deactivated"));
        }
        let key = Jwk::from_value(&account.jwk)
            .and_then(|jwk| jwk.to_public_key())
            .map_err(|error| Problem::internal(format!("the account's key does not read back: {error}")))?;
        Ok((account.id.clone(), key))
    }
}

/// A JWS whose payload holds a package in base64url is base64url once more.
fn package_limits(limits: &Limits) -> Limits {
    let mut wider = limits.clone();
    wider.acme_json_bytes = wider.acme_json_bytes.saturating_add(MAX_PACKAGE.saturating_mul(2));
    wider
}

/// The canonical JWK as JSON.
pub(super) fn jwk_value(jwk: &Jwk) -> Result<Value, Problem> {
    serde_json::from_str(&jwk.canonical())
        .map_err(|error| Problem::internal(format!("a JWK does not read back: {error}")))
}

/// The problem for a JWS that was not accepted.
pub(super) fn refused(error: &JwsError) -> Problem {
    match error {
        JwsError::Algorithm { .. } => Problem::new(400, "badSignatureAlgorithm", error.to_string())
            .with("algorithms", json!(["ES256", "RS256"])),
        JwsError::Jwk(_) | JwsError::Key => Problem::new(400, "badPublicKey", error.to_string()),
        // §6.5.1: a nonce that is not base64url makes the JWS malformed.
        JwsError::NoncePresence => Problem::new(400, "badNonce", error.to_string()),
        JwsError::Signature => Problem::new(401, "unauthorized", error.to_string()),
        _ => Problem::malformed(error.to_string()),
    }
}
