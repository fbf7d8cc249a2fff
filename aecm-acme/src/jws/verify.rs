//! The server's side: a received JWS, read strictly.

use core::fmt;

use aecm_core::digest::DigestAlgorithm;
use aecm_core::limits::Limits;
use aecm_core::public_key::{KeyKind, PublicKey};
use aecm_core::signature::{SignatureAlgorithm, Sm2Id};
use zeroize::Zeroizing;

use super::signature::der_from_raw;
use super::{Algorithm, Flattened, JwsError, KeyReference, Protected, decode, signing_input};
use crate::wire;

/// A JWS whose header can be looked at, and whose payload cannot before its signature was verified.
pub struct Unverified {
    header: Protected,
    input: Vec<u8>,
    payload: Zeroizing<Vec<u8>>,
    signature: Vec<u8>,
}

/// Without the payload, which may hold a token (THREATS N9).
impl fmt::Debug for Unverified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unverified").field("header", &self.header).finish_non_exhaustive()
    }
}

impl Unverified {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// [`JwsError`] for every deviation from RFC 8555 §6.2; nothing has been verified then.
    pub fn parse(body: &[u8], limits: &Limits) -> Result<Self, JwsError> {
        Self::from_flattened(&wire::parse(body, limits).map_err(JwsError::Json)?, limits)
    }

    /// Reads an inner JWS.
    ///
    /// # Errors
    /// As [`Unverified::parse`].
    pub fn from_flattened(jws: &Flattened, limits: &Limits) -> Result<Self, JwsError> {
        let member = |text: &str, member| decode(text).ok_or(JwsError::Base64 { member });
        Ok(Self {
            header: Protected::decode(&jws.protected, limits)?,
            input: signing_input(&jws.protected, &jws.payload),
            payload: Zeroizing::new(member(&jws.payload, "payload")?),
            signature: member(&jws.signature, "signature")?,
        })
    }

    /// The protected header; not yet verified.
    #[must_use]
    pub const fn header(&self) -> &Protected {
        &self.header
    }

    /// Verifies the signature with `key` and gives the payload. The algorithm must fit the kind of the key.
    ///
    /// # Errors
    /// [`JwsError::Key`], [`JwsError::SignatureForm`], [`JwsError::Signature`].
    pub fn verify(self, key: &PublicKey) -> Result<Zeroizing<Vec<u8>>, JwsError> {
        let (algorithm, signature) = match (self.header.algorithm, key.kind()) {
            (Algorithm::Es256, KeyKind::P256) => {
                (SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256), der_from_raw(&self.signature)?)
            }
            (Algorithm::Rs256, KeyKind::Rsa { bits: 2048.. }) => {
                (SignatureAlgorithm::RsaPkcs1(DigestAlgorithm::Sha256), self.signature)
            }
            _ => return Err(JwsError::Key),
        };
        key.verify(algorithm, Sm2Id::Default, &self.input, &signature).map_err(|_| JwsError::Signature)?;
        Ok(self.payload)
    }

    /// Verifies with the key of the header's own `jwk` (newAccount) and gives key and payload.
    ///
    /// # Errors
    /// [`JwsError::KeyReference`] when the header has a `kid`; else as [`Unverified::verify`].
    pub fn verify_own(self) -> Result<(PublicKey, Zeroizing<Vec<u8>>), JwsError> {
        let KeyReference::Jwk(jwk) = &self.header.key else { return Err(JwsError::KeyReference) };
        let key = jwk.to_public_key()?;
        let payload = self.verify(&key)?;
        Ok((key, payload))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use aecm_core::embed::OsRng;
    use aecm_core::key::Signer;
    use aecm_core::software::{KeySpec, SoftwareKey};

    use super::super::{Jwk, encode, sign};
    use super::*;

    const URL: &str = "https://ca.example/acme/new-order";

    fn block_on<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    fn made() -> (PublicKey, Flattened) {
        let signer = SoftwareKey::generate(KeySpec::P256, &OsRng).unwrap().into_signer(Arc::new(OsRng));
        let header =
            Protected::new(URL, Some("n-1"), KeyReference::Kid("https://ca.example/acme/acct/1".into()));
        let jws = block_on(sign(&signer, &header, br#"{"a":1}"#)).unwrap();
        (signer.public_key().clone(), jws)
    }

    fn with_header(header: &serde_json::Value) -> Result<Unverified, JwsError> {
        let jws = Flattened {
            protected: encode(header.to_string().as_bytes()),
            payload: String::new(),
            signature: encode(&[1; 64]),
        };
        Unverified::from_flattened(&jws, &Limits::default())
    }

    #[test]
    fn what_is_signed_verifies_and_nothing_else() {
        let (key, jws) = made();
        let read = |jws: &Flattened| Unverified::from_flattened(jws, &Limits::default());
        assert_eq!(read(&jws).unwrap().verify(&key).unwrap().as_slice(), br#"{"a":1}"#);

        let other_payload = Flattened { payload: encode(br#"{"a":2}"#), ..jws.clone() };
        assert_eq!(read(&other_payload).unwrap().verify(&key).err(), Some(JwsError::Signature));
        let other_url = Protected::new("https://ca.example/x", Some("n-1"), KeyReference::Kid("k".into()));
        let other_header = Flattened { protected: other_url.encoded(), ..jws.clone() };
        assert_eq!(read(&other_header).unwrap().verify(&key).err(), Some(JwsError::Signature));
        let short = Flattened { signature: encode(&[1; 63]), ..jws.clone() };
        assert_eq!(read(&short).unwrap().verify(&key).err(), Some(JwsError::SignatureForm));
        let (stranger, _) = made();
        assert_eq!(read(&jws).unwrap().verify(&stranger).err(), Some(JwsError::Signature));
        assert_eq!(read(&jws).unwrap().verify_own().err(), Some(JwsError::KeyReference));
    }

    // RFC 8555 §7.6: the key of an RSA certificate signs its own revocation, under RS256 and nothing else.
    #[test]
    fn an_rsa_key_signs_rs256() {
        let signer = SoftwareKey::generate(KeySpec::Rsa(2_048), &OsRng).unwrap().into_signer(Arc::new(OsRng));
        let header = Protected::by_key(URL, Some("n-1"), signer.public_key()).unwrap();
        let jws = block_on(sign(&signer, &header, b"{}")).unwrap();
        let read = || Unverified::from_flattened(&jws, &Limits::default()).unwrap();
        assert_eq!(read().verify_own().unwrap().1.as_slice(), b"{}");
        let es256 = Protected::new(URL, Some("n-1"), header.key.clone());
        assert_eq!(block_on(sign(&signer, &es256, b"{}")).err(), Some(JwsError::Key));
        let (key, _) = made();
        assert_eq!(read().verify(&key).err(), Some(JwsError::Key));
    }

    // N12: alg none, MACs, and algorithms that do not fit the key.
    #[test]
    fn algorithms_outside_the_list_are_refused() {
        for alg in ["none", "HS256", "PBES2-HS256+A128KW", "ES384", "es256", "EdDSA", "SM2SM3", ""] {
            let error =
                with_header(&serde_json::json!({"alg":alg,"kid":"k","nonce":"n","url":URL})).unwrap_err();
            assert_eq!(error, JwsError::Algorithm { algorithm: alg.into() });
        }
        let (key, _) = made();
        let rs256 = with_header(&serde_json::json!({"alg":"RS256","kid":"k","nonce":"n","url":URL})).unwrap();
        assert_eq!(rs256.verify(&key).err(), Some(JwsError::Key));
    }

    #[test]
    fn headers_that_are_not_acme_are_refused() {
        let (key, _) = made();
        let jwk = serde_json::to_value(Jwk::from_public_key(&key).unwrap()).unwrap();
        for (header, error) in [
            (
                serde_json::json!({"alg":"ES256","kid":"k","jwk":jwk,"nonce":"n","url":URL}),
                JwsError::KeyReference,
            ),
            (serde_json::json!({"alg":"ES256","nonce":"n","url":URL}), JwsError::KeyReference),
            (serde_json::json!({"alg":"ES256","kid":"k","nonce":"n"}), JwsError::Url),
            (serde_json::json!({"alg":"ES256","kid":"k","nonce":"n=","url":URL}), JwsError::Nonce),
            (serde_json::json!({"alg":"ES256","kid":"k","nonce":"","url":URL}), JwsError::Nonce),
            (
                serde_json::json!({"alg":"ES256","kid":"k","nonce":"n","url":URL,"crit":["b64"]}),
                JwsError::Extension { member: "crit" },
            ),
            (
                serde_json::json!({"alg":"ES256","kid":"k","nonce":"n","url":URL,"b64":false}),
                JwsError::Extension { member: "b64" },
            ),
            (
                serde_json::json!({"alg":"ES256","kid":"k","nonce":"n","url":URL,"zip":"DEF"}),
                JwsError::Extension { member: "zip" },
            ),
        ] {
            assert_eq!(with_header(&header).err(), Some(error), "{header}");
        }
        let twice = r#"{"alg":"ES256","alg":"ES256","kid":"k","nonce":"n","url":"https://a/"}"#;
        let jws = Flattened {
            protected: encode(twice.as_bytes()),
            payload: String::new(),
            signature: String::new(),
        };
        assert!(matches!(Unverified::from_flattened(&jws, &Limits::default()), Err(JwsError::Json(_))));
    }

    #[test]
    fn other_serializations_are_refused() {
        let limits = Limits::default();
        for body in [
            "e30.e30.AA",
            r#"{"payload":"","signatures":[{"protected":"","signature":""}]}"#,
            r#"{"protected":"","payload":"","signature":"","header":{"alg":"none"}}"#,
            r#"{"protected":"","payload":""}"#,
        ] {
            assert!(matches!(Unverified::parse(body.as_bytes(), &limits), Err(JwsError::Json(_))), "{body}");
        }
        let (_, jws) = made();
        for (bad, member) in [
            (Flattened { payload: format!("{}=", jws.payload), ..jws.clone() }, "payload"),
            (
                Flattened { signature: jws.signature.replace(['-', '_'], "/") + "\n", ..jws.clone() },
                "signature",
            ),
            (Flattened { protected: format!(" {}", jws.protected), ..jws.clone() }, "protected"),
        ] {
            assert_eq!(Unverified::from_flattened(&bad, &limits).err(), Some(JwsError::Base64 { member }));
        }
    }
}
