//! Bodies of fuzz targets: parsers of what a vault reads before and after it is authenticated.

use aecm_core::mailbox::Mailbox;

use crate::ledger::Ledger;

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
