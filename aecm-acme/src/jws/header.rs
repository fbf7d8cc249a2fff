//! The protected header (RFC 8555 §6.2).

use core::fmt;

use aecm_core::limits::Limits;
use aecm_core::public_key::PublicKey;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::{Jwk, JwsError, decode, encode};
use crate::wire;

/// A signature algorithm that is accepted in requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256 (RFC 7518 §3.4): what our clients write.
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 §3.3): written by the key of an RSA certificate that revokes it.
    Rs256,
}

impl Algorithm {
    /// The name in `alg`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Es256, Self::Rs256].into_iter().find(|algorithm| algorithm.name() == name)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Whose key signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyReference {
    /// The key itself: newAccount, the inner JWS of keyChange, revocation by a certificate's key.
    Jwk(Jwk),
    /// The URL of the account: everything else.
    Kid(String),
}

/// A protected header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protected {
    /// `alg`
    pub algorithm: Algorithm,
    /// `nonce`; absent only in inner JWS.
    pub nonce: Option<String>,
    /// `url`, byte for byte the URL of the request.
    pub url: String,
    /// `jwk` or `kid`
    pub key: KeyReference,
}

#[derive(Serialize)]
struct Written<'a> {
    alg: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwk: Option<&'a Jwk>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    url: &'a str,
}

#[derive(Deserialize)]
struct Read {
    alg: String,
    jwk: Option<serde_json::Value>,
    kid: Option<String>,
    nonce: Option<String>,
    url: Option<String>,
    crit: Option<IgnoredAny>,
    b64: Option<IgnoredAny>,
    zip: Option<IgnoredAny>,
}

impl Protected {
    /// The header of an ES256 request.
    #[must_use]
    pub fn new(url: &str, nonce: Option<&str>, key: KeyReference) -> Self {
        Self { algorithm: Algorithm::Es256, nonce: nonce.map(str::to_owned), url: url.to_owned(), key }
    }

    /// The header of a request by the key itself, under the algorithm of that key; `None` for keys that JOSE has
    /// no registered algorithm for (SM2) or that are not accepted here.
    #[must_use]
    pub fn by_key(url: &str, nonce: Option<&str>, key: &PublicKey) -> Option<Self> {
        let jwk = Jwk::from_public_key(key)?;
        let algorithm = match jwk {
            Jwk::P256 { .. } => Algorithm::Es256,
            Jwk::Rsa { .. } => Algorithm::Rs256,
        };
        Some(Self { algorithm, ..Self::new(url, nonce, KeyReference::Jwk(jwk)) })
    }

    /// base64url of the JSON text.
    #[must_use]
    pub fn encoded(&self) -> String {
        let (jwk, kid) = match &self.key {
            KeyReference::Jwk(jwk) => (Some(jwk), None),
            KeyReference::Kid(kid) => (None, Some(kid.as_str())),
        };
        let written =
            Written { alg: self.algorithm.name(), jwk, kid, nonce: self.nonce.as_deref(), url: &self.url };
        // Strings and options of strings: the serializer has nothing to refuse.
        encode(&serde_json::to_vec(&written).unwrap_or_default())
    }

    /// Reads a header strictly: an accepted algorithm, exactly one of `jwk` and `kid`, no member that changes
    /// the meaning of the rest.
    pub(super) fn decode(text: &str, limits: &Limits) -> Result<Self, JwsError> {
        let octets = decode(text).ok_or(JwsError::Base64 { member: "protected" })?;
        let read: Read = wire::parse(&octets, limits).map_err(JwsError::Json)?;
        for (member, present) in
            [("crit", read.crit.is_some()), ("b64", read.b64.is_some()), ("zip", read.zip.is_some())]
        {
            if present {
                return Err(JwsError::Extension { member });
            }
        }
        let Some(algorithm) = Algorithm::from_name(&read.alg) else {
            return Err(JwsError::Algorithm { algorithm: read.alg });
        };
        let key = match (read.jwk, read.kid) {
            (Some(jwk), None) => KeyReference::Jwk(Jwk::from_value(&jwk)?),
            (None, Some(kid)) => KeyReference::Kid(kid),
            _ => return Err(JwsError::KeyReference),
        };
        if read.nonce.as_deref().is_some_and(|nonce| !is_nonce(nonce)) {
            return Err(JwsError::Nonce);
        }
        Ok(Self { algorithm, nonce: read.nonce, url: read.url.ok_or(JwsError::Url)?, key })
    }
}

/// `1*(ALPHA / DIGIT / "-" / "_")`, at most 512 characters (RFC 8555 §6.5.1).
pub(crate) fn is_nonce(text: &str) -> bool {
    (1..=512).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}
