//! The ACME account key as a signer that can never stand behind a certificate (THREATS N8).

use std::sync::Arc;

use aecm_core::digest::DigestAlgorithm;
use aecm_core::embed::Rng;
use aecm_core::key::{KeyError, Signer};
use aecm_core::public_key::{KeyKind, PublicKey};
use aecm_core::signature::SignatureAlgorithm;
use aecm_core::software::{SoftwareKey, SoftwareSigner};

/// Signs JWS signing inputs with ES256 (RFC 7518 §3.4) and nothing else.
pub(crate) struct AccountSigner(SoftwareSigner);

impl AccountSigner {
    /// `None` unless it is a P-256 key.
    pub(crate) fn new(key: SoftwareKey, rng: Arc<dyn Rng>) -> Option<Self> {
        (key.public_key().kind() == KeyKind::P256).then(|| Self(key.into_signer(rng)))
    }
}

#[cfg_attr(not(target_family = "wasm"), async_trait::async_trait)]
#[cfg_attr(target_family = "wasm", async_trait::async_trait(?Send))]
impl Signer for AccountSigner {
    fn public_key(&self) -> &PublicKey {
        self.0.public_key()
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256)
    }

    async fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        if algorithm != self.algorithm() {
            return Err(KeyError::Unsupported("anything but ES256 (it is an ACME account key)"));
        }
        if !is_signing_input(message) {
            return Err(KeyError::Refused("an ACME account key signs JWS signing inputs and nothing else"));
        }
        self.0.sign(algorithm, message).await
    }
}

/// `BASE64URL(header) || '.' || BASE64URL(payload)` (RFC 7515 §5.1); the payload may be empty (POST-as-GET).
///
/// The header is a JSON object, so its first digit is `e` (0x65): what a certificate or a CSR signs is a DER
/// SEQUENCE, which begins with 0x30 and can never pass.
fn is_signing_input(message: &[u8]) -> bool {
    let digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let mut parts = message.split(|byte| *byte == b'.');
    let (header, payload, more) = (parts.next(), parts.next(), parts.next());
    header.is_some_and(|header| header.first() == Some(&b'e') && header.iter().all(digit))
        && payload.is_some_and(|payload| payload.iter().all(digit))
        && more.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_signing_inputs_pass() {
        for good in ["eyJh.eyJi", "eyJh.", "e-_Z.0"] {
            assert!(is_signing_input(good.as_bytes()), "{good}");
        }
        for bad in ["", ".", ".e", "e", "e.b.c", "e.b=", "e b.c", "e+.b", "e\n.b", "a.b", "0.e"] {
            assert!(!is_signing_input(bad.as_bytes()), "{bad}");
        }
        // The beginnings of a CertificationRequestInfo and of a TBSCertificate, every length form.
        for der in
            [&[0x30, 0x30, 0x02, 0x01, 0x00, b'.', b'a'][..], &[0x30, 0x82, 0x01, 0x00, 0xA0], &[0x30, 0x2E]]
        {
            assert!(!is_signing_input(der));
        }
    }
}
