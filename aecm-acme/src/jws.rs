//! JSON Web Signatures as ACME uses them (RFC 8555 §6.2, RFC 7515): flattened JSON, one signature, ES256.
//!
//! The client side makes them with any [`Signer`]; [`Unverified`] is the server's
//! strict reader. Nothing here decides by a name in the message which kind of key to use: HMAC exists only in
//! [`ExternalAccount`], RS256 only for verification with an RSA key, and `none` nowhere (THREATS N12).
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! use std::sync::Arc;
//! use aecm_acme::jws::{self, Jwk, KeyReference, Protected, Unverified};
//! use aecm_core::{embed::OsRng, limits::Limits, software::{KeySpec, SoftwareKey}};
//!
//! let key = SoftwareKey::generate(KeySpec::P256, &OsRng)?;
//! let signer = key.into_signer(Arc::new(OsRng));
//! let header = Protected::new("https://ca.example/new-order", Some("nonce-1"), KeyReference::Kid("https://ca.example/a/1".into()));
//! let jws = jws::sign(&signer, &header, b"{}").await?;
//!
//! let received = Unverified::parse(&serde_json::to_vec(&jws)?, &Limits::default())?;
//! assert_eq!(received.header().url, "https://ca.example/new-order");
//! let payload = received.verify(aecm_core::key::Signer::public_key(&signer))?;
//! assert_eq!(payload.as_slice(), b"{}");
//! # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
//! ```

mod eab;
mod header;
mod jwk;
mod rollover;
mod signature;
mod verify;

use core::fmt;

use aecm_core::digest::DigestAlgorithm;
use aecm_core::key::{KeyError, Signer};
use aecm_core::public_key::KeyKind;
use aecm_core::signature::SignatureAlgorithm;
use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Serialize};

use crate::wire::JsonError;

pub use eab::{EabError, ExternalAccount, verify_binding};
pub(crate) use header::is_nonce;
pub use header::{Algorithm, KeyReference, Protected};
pub use jwk::{Jwk, JwkError};
pub use rollover::{KeyChange, key_change, verify_key_change};
pub use signature::raw_from_der;
pub use verify::Unverified;

/// A JWS in flattened JSON serialization (RFC 7515 §7.2.2). Other members, an unprotected header among them,
/// are refused.
///
/// ```json
/// { "protected": "...", "payload": "...", "signature": "..." }
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flattened {
    /// base64url of the protected header.
    pub protected: String,
    /// base64url of the payload; empty in a POST-as-GET.
    pub payload: String,
    /// base64url of the signature.
    pub signature: String,
}

/// Without the payload, which may hold a token (THREATS N9).
impl fmt::Debug for Flattened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flattened").field("protected", &self.protected).finish_non_exhaustive()
    }
}

/// What is wrong with a JWS, or why one could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JwsError {
    /// Not one flattened JWS, or its header is not a JSON object of the known kind.
    Json(JsonError),
    /// A member is not canonical base64url without padding.
    Base64 {
        /// Which one.
        member: &'static str,
    },
    /// The header has an algorithm that is not accepted.
    Algorithm {
        /// Its name, as it came.
        algorithm: String,
    },
    /// The header has both `jwk` and `kid`, or neither.
    KeyReference,
    /// The header has a member that changes how the JWS is to be read (`crit`, `b64`, `zip`).
    Extension {
        /// Its name.
        member: &'static str,
    },
    /// The nonce is not `[A-Za-z0-9_-]+`.
    Nonce,
    /// A nonce is missing, or stands where none may.
    NoncePresence,
    /// The header's `url` is missing or not the one that was asked.
    Url,
    /// The JWK cannot be used.
    Jwk(JwkError),
    /// The key cannot make that algorithm.
    Key,
    /// The signature has a wrong length or form.
    SignatureForm,
    /// The signature does not match.
    Signature,
    /// The key handle failed.
    Signer(KeyError),
}

impl fmt::Display for JwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => write!(f, "not a flattened JWS: {error}"),
            Self::Base64 { member } => write!(f, "'{member}' of a JWS is not base64url without padding"),
            Self::Algorithm { algorithm } => {
                write!(f, "the JWS algorithm {:?} is not accepted; use ES256", algorithm)
            }
            Self::KeyReference => f.write_str("a JWS header needs either 'jwk' or 'kid', not both"),
            Self::Extension { member } => write!(f, "the JWS header member '{member}' is not accepted"),
            Self::Nonce => f.write_str("the nonce of a JWS is not base64url"),
            Self::NoncePresence => f.write_str("a nonce is missing in a JWS, or stands where none may"),
            Self::Url => f.write_str("'url' of a JWS is missing or not the URL that was asked"),
            Self::Jwk(error) => write!(f, "'jwk' of a JWS cannot be used: {error}"),
            Self::Key => f.write_str("the key does not fit the JWS algorithm; account keys are P-256"),
            Self::SignatureForm => f.write_str("the signature of a JWS has the wrong form"),
            Self::Signature => f.write_str("the signature of a JWS does not match"),
            Self::Signer(error) => write!(f, "the account key did not sign: {error}"),
        }
    }
}

impl core::error::Error for JwsError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Json(error) => Some(error),
            Self::Jwk(error) => Some(error),
            Self::Signer(error) => Some(error),
            _ => None,
        }
    }
}

impl From<JwkError> for JwsError {
    fn from(error: JwkError) -> Self {
        Self::Jwk(error)
    }
}

/// base64url without padding (RFC 7515 §2).
#[must_use]
pub fn encode(octets: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(octets)
}

/// The strict inverse of [`encode`]: no padding, no white space, no stray bits. `None` for anything else.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    Base64UrlUnpadded::decode_vec(text).ok()
}

/// The octets that a JWS signs: protected header and payload, both in base64url, joined by a dot
/// (RFC 7515 §5.1).
#[must_use]
pub fn signing_input(protected: &str, payload: &str) -> Vec<u8> {
    let mut input = Vec::with_capacity(protected.len() + payload.len() + 1);
    input.extend_from_slice(protected.as_bytes());
    input.push(b'.');
    input.extend_from_slice(payload.as_bytes());
    input
}

/// Signs `payload` under `header` with ES256, or with RS256 where the header says so and the key is RSA: the key
/// of a certificate that is to be revoked (RFC 8555 §7.6).
///
/// # Errors
/// [`JwsError::Key`] when the signer is no key for the header's algorithm, [`JwsError::Signer`] when it fails.
pub async fn sign(signer: &dyn Signer, header: &Protected, payload: &[u8]) -> Result<Flattened, JwsError> {
    let sha256 = DigestAlgorithm::Sha256;
    let algorithm = match (header.algorithm, signer.public_key().kind()) {
        (Algorithm::Es256, KeyKind::P256) => SignatureAlgorithm::Ecdsa(sha256),
        (Algorithm::Rs256, KeyKind::Rsa { .. }) => SignatureAlgorithm::RsaPkcs1(sha256),
        _ => return Err(JwsError::Key),
    };
    let (protected, payload) = (header.encoded(), encode(payload));
    let input = signing_input(&protected, &payload);
    let value = signer.sign(algorithm, &input).await.map_err(JwsError::Signer)?;
    let signature = match header.algorithm {
        Algorithm::Es256 => encode(&raw_from_der(&value)?),
        Algorithm::Rs256 => encode(&value),
    };
    Ok(Flattened { protected, payload, signature })
}
