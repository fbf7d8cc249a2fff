//! How keys, usages and identifiers are called, in text and in JSON.

use aecm_core::certificate::KeyUsage;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::public_key::{KeyKind, PublicKey};
use serde_json::{Value, json};

/// A key, for people and for programs.
pub(super) struct KeyWords {
    /// `RSA, 3072 bits`
    pub(super) text: String,
    /// `{"algorithm": "RSA", "bits": 3072, "suite": "classic"}`
    pub(super) json: Value,
}

/// The words of a public key.
pub(super) fn key(key: &PublicKey) -> KeyWords {
    let (algorithm, bits) = algorithm(key.kind());
    KeyWords {
        text: format!("{algorithm}, {bits} bits"),
        json: json!({ "algorithm": algorithm, "bits": bits, "suite": key.suite().word() }),
    }
}

/// The name of a kind of key, and its size in bits.
pub(super) fn algorithm(kind: KeyKind) -> (&'static str, usize) {
    match kind {
        KeyKind::Rsa { bits } => ("RSA", bits),
        KeyKind::P256 => ("P-256", 256),
        KeyKind::P384 => ("P-384", 384),
        KeyKind::Sm2 => ("SM2", 256),
        _ => ("unknown", 0),
    }
}

/// The set bits of a key usage (RFC 5280 §4.2.1.3).
pub(super) fn key_usage(usage: KeyUsage) -> impl Iterator<Item = &'static str> {
    const BITS: [(KeyUsage, &str); 9] = [
        (KeyUsage::DIGITAL_SIGNATURE, "digitalSignature"),
        (KeyUsage::NON_REPUDIATION, "nonRepudiation"),
        (KeyUsage::KEY_ENCIPHERMENT, "keyEncipherment"),
        (KeyUsage::DATA_ENCIPHERMENT, "dataEncipherment"),
        (KeyUsage::KEY_AGREEMENT, "keyAgreement"),
        (KeyUsage::KEY_CERT_SIGN, "keyCertSign"),
        (KeyUsage::CRL_SIGN, "cRLSign"),
        (KeyUsage::ENCIPHER_ONLY, "encipherOnly"),
        (KeyUsage::DECIPHER_ONLY, "decipherOnly"),
    ];
    BITS.into_iter().filter(move |(bit, _)| usage.contains(*bit)).map(|(_, word)| word)
}

/// The name of an identifier where it has one here, else its dotted form.
pub(super) fn oid(identifier: &ObjectIdentifier) -> String {
    oid::name(identifier).map_or_else(|| identifier.to_string(), str::to_owned)
}
