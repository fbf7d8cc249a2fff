//! The keys of the exchanges: three families made by OpenSSL, for alice@example.test.

use std::path::PathBuf;
use std::sync::Arc;

use aecm_core::certificate::Certificate;
use aecm_core::embed::OsRng;
use aecm_core::path::Anchors;
use aecm_core::software::SoftwareKey;
use aecm_smime::decrypt::Recipient;
use aecm_smime::sign::SigningIdentity;

/// A file of the key folder: `rsa-sig.crt`, `sm2-enc.key`, …
pub fn path(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../aecm-smime/tests/vectors/keys");
    PathBuf::from(folder).join(name).display().to_string()
}

fn text(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// `{name}.crt`
pub fn certificate(name: &str) -> Certificate {
    Certificate::from_pem(&text(&format!("{name}.crt"))).expect("a certificate")
}

/// The CAs of these families as the only anchors.
pub fn anchors(families: &[&str]) -> Anchors {
    Anchors::new(families.iter().map(|family| certificate(&format!("{family}-ca"))).collect())
}

/// `{name}.crt` with its key, to sign.
pub fn signer(name: &str) -> SigningIdentity {
    let key = SoftwareKey::from_pem(&text(&format!("{name}.key"))).expect("a key");
    SigningIdentity {
        certificate: certificate(name),
        chain: Vec::new(),
        signer: Arc::new(key.into_signer(Arc::new(OsRng))),
    }
}

/// `{name}.crt` with its key, to decrypt.
pub fn recipient(name: &str) -> Recipient {
    let key = SoftwareKey::from_pem(&text(&format!("{name}.key"))).expect("a key");
    Recipient { certificate: certificate(name), key: Arc::new(key.into_decryptor(Arc::new(OsRng))) }
}
