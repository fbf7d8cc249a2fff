//! Packages: written, read back, and everything that is refused.

use std::sync::Arc;

use aecm_core::embed::OsRng;
use aecm_core::software::KeySpec;
use aecm_core::suite::Level;
use aecm_core::time::Time;

use super::*;
use crate::conformance::certificate::{Wanted, issue};
use crate::{KeyId, MemoryStore};

const NOW: Time = Time::from_unix(1_795_420_800);

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn alice() -> Mailbox {
    "alice@example.test".parse().unwrap()
}

fn slot(suite: Suite) -> Slot {
    Slot { suite, purpose: Purpose::Encrypt, level: Level::Mailbox, device: None }
}

async fn leaf(spki: &[u8], serial: u64) -> Certificate {
    let issuer = SoftwareKey::generate(KeySpec::P256, &OsRng).unwrap().into_signer(Arc::new(OsRng));
    let wanted = Wanted { mailbox: &alice(), spki, purpose: Purpose::Encrypt, serial };
    issue(&wanted, &issuer).await.unwrap()
}

async fn install(store: &MemoryStore, id: &KeyId, serial: u64) -> Certificate {
    let entries = store.entries(&alice()).await.unwrap();
    let spki = entries.iter().find(|entry| entry.id == *id).unwrap().public_key.spki_der().to_vec();
    let leaf = leaf(&spki, serial).await;
    store.install(&alice(), id, vec![leaf.clone()]).await.unwrap();
    leaf
}

/// Two SM2 keys, one of them with two certificates; one classic key; a pending, a removed and a signing one.
async fn store() -> MemoryStore {
    let store = MemoryStore::new(Arc::new(OsRng));
    let generate = async |suite, spec| store.generate(&alice(), &slot(suite), spec, NOW).await.unwrap();
    let old = generate(Suite::Sm2, KeySpec::Sm2).await;
    install(&store, &old, 1).await;
    install(&store, &old, 2).await;
    let gone = generate(Suite::Sm2, KeySpec::Sm2).await;
    install(&store, &gone, 3).await;
    let new = generate(Suite::Sm2, KeySpec::Sm2).await;
    install(&store, &new, 4).await;
    store.remove(&alice(), &gone).await.unwrap();
    let classic = generate(Suite::Classic, KeySpec::P256).await;
    install(&store, &classic, 5).await;
    generate(Suite::Classic, KeySpec::P256).await;
    let device = store.device().await.unwrap();
    let sign = Slot::new(Suite::Sm2, Purpose::Sign, Level::Mailbox, &device);
    store.generate(&alice(), &sign, KeySpec::Sm2, NOW).await.unwrap();
    store
}

fn read(octets: &[u8]) -> Result<Vec<PackagedKey>, PackageError> {
    parse(octets, &Limits::default())
}

/// Packages of two devices united: what each knows of a key, and no key lost.
#[test]
fn packages_are_united_and_written_again() {
    block_on(async {
        let whole = write(&store().await, &alice(), &Suite::ALL).await.unwrap();
        let keys = read(&whole).unwrap();
        assert_eq!(encode(&keys).unwrap(), whole, "one form, whoever writes it");
        let mut part = read(&encode([&keys[1]]).unwrap()).unwrap();
        let newer = leaf(keys[1].public_key.spki_der(), 9).await;
        part[0].certificates.push(newer.clone());
        part[0].issuers.push(keys[0].certificates[0].clone());
        let mut united = keys;
        assert!(united[1].learn(&part[0]));
        assert!(!united[1].learn(&part[0]), "nothing twice");
        assert!(!united[0].learn(&part[0]), "it is another key");
        let again = read(&encode(&united).unwrap()).unwrap();
        let counts: Vec<usize> = again.iter().map(|key| key.certificates.len()).collect();
        assert_eq!(counts, [1, 3, 1]);
        assert!(again[1].certificates.contains(&newer));
        assert_eq!(again[1].issuers.len(), 1);
    });
}

#[test]
fn what_cannot_be_packed_again_is_refused() {
    block_on(async {
        assert!(matches!(encode([]), Err(PackageError::Empty)));
        let mut keys = read(&write(&store().await, &alice(), &[Suite::Classic]).await.unwrap()).unwrap();
        let many = std::iter::repeat_n(&keys[0], MAX_KEYS + 1);
        assert!(matches!(encode(many), Err(PackageError::TooManyKeys { .. })));
        let certificate = keys[0].certificates[0].clone();
        keys[0].issuers = vec![certificate; 1_000];
        assert!(matches!(encode(&keys), Err(PackageError::TooLarge { .. })));
        keys[0].pkcs8.truncate(9);
        assert!(matches!(encode(&keys), Err(PackageError::Key { index: 0, .. })));
    });
}

/// THREATS E8: what one store packs, another one has afterwards, and opens the same mail with it.
#[test]
fn a_history_goes_from_one_store_to_another() {
    block_on(async {
        let (from, to) = (store().await, MemoryStore::new(Arc::new(OsRng)));
        let package = write(&from, &alice(), &Suite::ALL).await.unwrap();
        let keys = read(&package).unwrap();
        let kinds: Vec<(Suite, usize)> =
            keys.iter().map(|key| (key.public_key.suite(), key.certificates.len())).collect();
        assert_eq!(kinds, [(Suite::Classic, 1), (Suite::Sm2, 2), (Suite::Sm2, 1)]);
        let states = [EntryState::Active, EntryState::Retired, EntryState::Active];
        let imported: Vec<ImportedKey> =
            keys.into_iter().zip(states).map(|(key, state)| key.into_imported(state)).collect();
        let ids = to.import(&alice(), imported, NOW).await.unwrap();
        let mut before = from.entries(&alice()).await.unwrap();
        before.retain(|entry| entry.certificate.is_some() && entry.state != EntryState::Removed);
        let after = to.entries(&alice()).await.unwrap();
        assert_eq!(after.len(), 3);
        for entry in after {
            let same = before.iter().find(|other| other.public_key == entry.public_key).unwrap();
            assert_eq!(
                (entry.slot, entry.state, &entry.certificate, &entry.former),
                (same.slot.clone(), same.state, &same.certificate, &same.former)
            );
            let octets = to.export(&alice(), &entry.id).await.unwrap();
            assert_eq!(*octets, *from.export(&alice(), &same.id).await.unwrap());
            assert!(ids.contains(&entry.id));
        }
        // The last of a suite is the active one.
        let sm2 = read(&write(&from, &alice(), &[Suite::Sm2]).await.unwrap()).unwrap();
        let active =
            before.iter().find(|entry| entry.state == EntryState::Active && entry.slot.suite == Suite::Sm2);
        assert_eq!(sm2.len(), 2);
        assert_eq!(sm2.last().unwrap().public_key, active.unwrap().public_key);
    });
}

#[test]
fn a_mailbox_without_keys_gives_no_package() {
    block_on(async {
        let empty = MemoryStore::new(Arc::new(OsRng));
        assert_eq!(write(&empty, &alice(), &Suite::ALL).await.map(|_| ()), Err(PackageError::Empty));
        let full = store().await;
        assert_eq!(write(&full, &alice(), &[]).await.map(|_| ()), Err(PackageError::Empty));
        let other = "bob@example.test".parse().unwrap();
        assert_eq!(write(&full, &other, &Suite::ALL).await.map(|_| ()), Err(PackageError::Empty));
    });
}

/// Version 1 and version 2 of OneAsymmetricKey, made by Bouncy Castle.
#[test]
fn a_package_of_bouncy_castle_is_read() {
    let octets =
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/package/bc172-package.der"));
    let keys = read(octets).unwrap();
    let suites: Vec<Suite> = keys.iter().map(|key| key.public_key.suite()).collect();
    assert_eq!(suites, [Suite::Classic, Suite::Sm2]);
    for key in keys {
        assert_eq!(key.certificates.len(), 1);
        assert!(key.certificates[0].mailboxes().contains(&alice()));
    }
}

/// One OneAsymmetricKey with those attributes.
fn one(key: &SoftwareKey, attributes: &[Vec<u8>]) -> Vec<u8> {
    let plain = key.to_pkcs8_der();
    let fields = Reader::new(&plain, Rules::Der, &Limits::default()).sequence().unwrap();
    let attributes = write::tlv(Tag::context(0), &attributes.concat());
    write::sequence(&[fields.rest(), &attributes])
}

fn certificates(oid: &ObjectIdentifier, values: &[&[u8]]) -> Vec<u8> {
    write::sequence(&[&write::oid(oid), &write::tlv(Tag::SET, &values.concat())])
}

fn package(keys: &[Vec<u8>]) -> Vec<u8> {
    write::tlv(Tag::SEQUENCE, &keys.concat())
}

/// THREATS K8: a key without its own certificate does not come in.
#[test]
fn k8_keys_and_certificates_belong_together() {
    block_on(async {
        let key = SoftwareKey::generate(KeySpec::P256, &OsRng).unwrap();
        let other = SoftwareKey::generate(KeySpec::P256, &OsRng).unwrap();
        let own = leaf(key.public_key().spki_der(), 1).await;
        let theirs = leaf(other.public_key().spki_der(), 2).await;
        let user = |values: &[&[u8]]| certificates(&USER_CERTIFICATE, values);
        let good = one(&key, &[user(&[own.as_der()])]);
        let found = read(&package(std::slice::from_ref(&good))).unwrap();
        assert_eq!(found[0].certificates, std::slice::from_ref(&own));
        let reason = |keys: &[Vec<u8>]| read(&package(keys)).map(|_| ()).unwrap_err();
        assert_eq!(reason(&[one(&key, &[user(&[theirs.as_der()])])]), PackageError::Mismatch { index: 0 });
        assert_eq!(
            reason(&[good.clone(), one(&other, &[user(&[theirs.as_der(), own.as_der()])])]),
            PackageError::Mismatch { index: 1 }
        );
        assert_eq!(reason(&[one(&key, &[])]), PackageError::NoCertificate { index: 0 });
        assert_eq!(reason(&[one(&key, &[user(&[])])]), PackageError::NoCertificate { index: 0 });
        // Above it is not its own.
        let above = certificates(&CA_CERTIFICATE, &[own.as_der()]);
        assert_eq!(
            reason(&[one(&key, std::slice::from_ref(&above))]),
            PackageError::NoCertificate { index: 0 }
        );
        let plain = key.to_pkcs8_der().to_vec();
        assert_eq!(reason(&[plain]), PackageError::NoCertificate { index: 0 });
        assert_eq!(reason(&[good.clone(), good.clone()]), PackageError::Duplicate { index: 1 });
        assert_eq!(reason(&[]), PackageError::Empty);
        assert!(matches!(
            reason(&[one(&key, &[user(&[b"\x30\x00"])])]),
            PackageError::Certificate { index: 0, .. }
        ));
        let mut version = good.clone();
        let at = version.windows(3).position(|window| window == [2, 1, 0]).unwrap();
        version[at + 2] = 2;
        assert_eq!(reason(&[version]), PackageError::Version { index: 0, version: 2 });
        assert!(matches!(reason(&[b"\x30\x03\x02\x01\x00".to_vec()]), PackageError::Malformed(_)));
        // Attributes of other kinds are passed over, and the same certificate twice is once.
        let unknown = certificates(&aecm_core::oid::FRIENDLY_NAME, &[&write::utf8("phone")]);
        let double = user(&[own.as_der(), own.as_der()]);
        let keys = read(&package(&[one(&key, &[unknown, double, above])])).unwrap();
        assert_eq!((keys[0].certificates.len(), keys[0].issuers.len()), (1, 1));
        assert!(!format!("{:?}", keys[0]).contains("pkcs8"));
    });
}

#[test]
fn limits_hold() {
    let huge = write::tlv(Tag::SEQUENCE, &vec![0; MAX_OCTETS]);
    assert_eq!(read(&huge).map(|_| ()), Err(PackageError::TooLarge { limit: MAX_OCTETS }));
    block_on(async {
        let mut keys = Vec::new();
        for serial in 0..=256 {
            let key = SoftwareKey::generate(KeySpec::P256, &OsRng).unwrap();
            let own = leaf(key.public_key().spki_der(), serial).await;
            keys.push(one(&key, &[certificates(&USER_CERTIFICATE, &[own.as_der()])]));
        }
        assert_eq!(read(&package(&keys[..256])).unwrap().len(), 256);
        assert_eq!(read(&package(&keys)).map(|_| ()), Err(PackageError::TooManyKeys { limit: 256 }));
    });
}

/// Cut and changed anywhere: an error or a key that is still the one of its certificate; no panic.
#[test]
fn damage_gives_no_wrong_key() {
    block_on(async {
        let octets = write(&store().await, &alice(), &Suite::ALL).await.unwrap();
        for end in 0..octets.len() {
            assert!(read(&octets[..end]).is_err(), "cut at {end}");
        }
        let mut longer = octets.to_vec();
        longer.push(0);
        assert!(read(&longer).is_err());
        let mut refused = 0;
        for at in (0..octets.len()).step_by(3) {
            let mut changed = octets.to_vec();
            changed[at] ^= 1 << (at % 8);
            match read(&changed) {
                Ok(keys) => {
                    for key in keys {
                        let private = SoftwareKey::from_pkcs8_der(&key.pkcs8).unwrap();
                        assert_eq!(*private.public_key(), key.public_key);
                        for leaf in &key.certificates {
                            assert_eq!(leaf.public_key(), Some(&key.public_key), "change at {at}");
                        }
                    }
                }
                Err(_) => refused += 1,
            }
        }
        assert!(refused > octets.len() / 9, "{refused} of {}", octets.len());
    });
}
