//! Bodies of fuzz targets: parsers of what a vault reads before and after it is authenticated, and of what keys come
//! in from elsewhere.

use aecm_core::certificate::Certificate;
use aecm_core::limits::Limits;
use aecm_core::mailbox::Mailbox;
use aecm_core::software::SoftwareKey;

use crate::ledger::Ledger;
use crate::{EntryState, package};

/// The octets of any file of a vault, as an attacker with the disk would give them; and what is sealed
/// inside, as a broken writer would.
///
/// # Panics
/// When an invariant does not hold.
#[cfg(unix)]
pub fn vault_file(input: &[u8]) {
    use crate::vault::header::Header;
    use crate::vault::record::{Clear, Index, decode_body};

    if let Ok(header) = Header::parse(input) {
        assert_eq!(header.as_bytes().as_slice(), input, "a header has one form");
    }
    if let Ok(clear) = Clear::parse(input) {
        assert!(clear.sealed_length() < input.len(), "what is sealed lies behind the clear part");
    }
    if let Some(index) = Index::decode(input, u64::MAX) {
        assert_eq!(index.encode().ok().as_deref(), Some(input), "an index has one form");
    }
    if let Some((name, content)) = decode_body(input) {
        assert_eq!(2 + name.len() + content.len(), input.len(), "a record is its name and content");
    }
}

/// The record of a mailbox.
///
/// # Panics
/// When an invariant does not hold.
pub fn ledger(input: &[u8]) {
    let Ok(mailbox) = "a@example.test".parse::<Mailbox>() else { return };
    let Ok(ledger) = Ledger::from_json(input, &mailbox) else { return };
    // Certificates and keys inside may be damaged, which is an error and no panic.
    let _ = ledger.entries();
    let written = ledger.to_json().ok();
    let again = written.as_ref().and_then(|octets| Ledger::from_json(octets, &mailbox).ok());
    assert!(again.is_some_and(|again| again.to_json().ok() == written), "what is written reads back");
}

/// Bounds so low that no input costs more than a moment.
fn low() -> Limits {
    let mut limits = Limits::default();
    limits.pbkdf2_iterations = 20;
    limits.scrypt_memory = 1 << 16;
    limits
}

/// A PKCS#12 file, with and without its MAC; the password of the seeds is `p`.
///
/// # Panics
/// When an invariant does not hold.
#[cfg(feature = "pkcs12")]
pub fn pkcs12(input: &[u8]) {
    use crate::p12::Pkcs12;

    let strict = Pkcs12::parse(input, "p", &low());
    let Ok(loose) = Pkcs12::parse_unauthenticated(input, "p", &low()) else {
        assert!(strict.is_err(), "what a MAC vouches for is read without it too");
        return;
    };
    if let Ok(strict) = &strict {
        assert_eq!(strict.keys().len(), loose.keys().len(), "a MAC changes nothing in what it covers");
    }
    for key in loose.keys().iter().filter_map(|bag| bag.key().ok()) {
        for own in loose.certificates_of(&key) {
            assert!(own.public_key() == Some(key.public_key()), "a certificate is that of its key");
        }
    }
}

/// A package of keys.
///
/// # Panics
/// When an invariant does not hold.
pub fn key_package(input: &[u8]) {
    let Ok(keys) = package::parse(input, &low()) else { return };
    assert!(!keys.is_empty() && keys.len() <= package::MAX_KEYS, "a package has keys, and not too many");
    for key in keys {
        let private = SoftwareKey::from_pkcs8_der(&key.pkcs8);
        assert!(private.is_ok_and(|private| *private.public_key() == key.public_key), "its halves fit");
        let own = |leaf: &Certificate| leaf.public_key() == Some(&key.public_key);
        assert!(!key.certificates.is_empty() && key.certificates.iter().all(own), "and its certificates");
        assert_eq!(key.chains().len(), key.certificates.len(), "each has a chain");
        assert!(key.into_imported(EntryState::Retired).slot.is_well_formed(), "it fills a slot");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The files of the vector, cut and changed everywhere, hold the invariants too.
    #[cfg(unix)]
    #[test]
    fn the_vector_and_its_neighbours_hold_the_invariants() {
        let vector = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/vault-v1");
        let mut seen = 0;
        for entry in std::fs::read_dir(vector).unwrap() {
            let octets = std::fs::read(entry.unwrap().path()).unwrap();
            vault_file(&octets);
            for at in 0..octets.len().min(700) {
                vault_file(&octets[..at]);
                vault_file(&octets[at..]);
                let mut changed = octets.clone();
                changed[at] = changed[at].wrapping_add(1);
                vault_file(&changed);
                seen += 3;
            }
        }
        assert!(seen > 3000, "{seen}");
        vault_file(b"\x00\x00\x00\x01\x00\x01n0123456789abcdef01234567");
    }

    #[test]
    fn ledgers_hold_the_invariants() {
        let good = r#"{"mailbox":"a@example.test","default_suite":"sm2","default_signer":"sm2-sign-mv@d","keys":[{"id":"00112233445566778899aabbccddeeff","slot":"sm2-encrypt-mv","state":"pending","created":-1,"public_key":"AAAA"}]}"#;
        assert!(Ledger::from_json(good.as_bytes(), &"a@example.test".parse().unwrap()).is_ok());
        ledger(good.as_bytes());
        for at in 0..good.len() {
            ledger(&good.as_bytes()[..at]);
            for octet in [b'0', b'"', b'}', 0xff, b'-'] {
                let mut changed = good.as_bytes().to_vec();
                changed[at] = octet;
                ledger(&changed);
            }
        }
    }
}
