//! Between a store and a file.

use std::sync::Arc;

use aecm_core::mailbox::Mailbox;
use aecm_core::suite::{Level, Purpose, Suite};
use aecm_core::time::Time;

use super::*;
use crate::conformance::certificate::{Wanted, issue};
use crate::{EntryState, KeyId, KeyStore, MemoryStore, Slot};

const NOW: Time = Time::from_unix(1_795_420_800);

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn alice() -> Mailbox {
    "alice@example.test".parse().unwrap()
}

fn memory() -> MemoryStore {
    MemoryStore::new(Arc::new(OsRng))
}

async fn leaf(spki: &[u8], purpose: Purpose, serial: u64, mailbox: &Mailbox) -> Certificate {
    let issuer = SoftwareKey::generate(KeySpec::P256, &OsRng).unwrap().into_signer(Arc::new(OsRng));
    issue(&Wanted { mailbox, spki, purpose, serial }, &issuer).await.unwrap()
}

/// A key of that purpose with certificates of those numbers.
async fn key(store: &MemoryStore, suite: Suite, purpose: Purpose, serials: &[u64]) -> KeyId {
    let device = store.device().await.unwrap();
    let slot = Slot::new(suite, purpose, Level::Mailbox, &device);
    let spec = if suite == Suite::Sm2 { KeySpec::Sm2 } else { KeySpec::P256 };
    let id = store.generate(&alice(), &slot, spec, NOW).await.unwrap();
    for serial in serials {
        let entries = store.entries(&alice()).await.unwrap();
        let entry = entries.iter().find(|entry| entry.id == id).unwrap();
        let leaf = leaf(entry.public_key.spki_der(), purpose, *serial, &alice()).await;
        store.install(&alice(), &id, vec![leaf]).await.unwrap();
    }
    id
}

/// THREATS E8: keys and history go through a file from one store to another.
#[test]
fn a_mailbox_moves() {
    block_on(async {
        let from = memory();
        key(&from, Suite::Sm2, Purpose::Encrypt, &[1, 2]).await;
        key(&from, Suite::Sm2, Purpose::Encrypt, &[3]).await;
        key(&from, Suite::Classic, Purpose::Encrypt, &[4]).await;
        key(&from, Suite::Sm2, Purpose::Sign, &[5]).await;
        key(&from, Suite::Sm2, Purpose::Sign, &[6]).await;
        key(&from, Suite::Classic, Purpose::Timestamp, &[7]).await;
        key(&from, Suite::Classic, Purpose::Sign, &[]).await;
        let octets = export(&from, &alice(), "p", quick(), &OsRng).await.unwrap();
        let file = read(&octets, "p").unwrap();
        // The former signing key and the pending one stay.
        assert_eq!((file.keys().len(), file.certificates().len()), (5, 6));
        let to = memory();
        let done = import(&to, &alice(), &file, NOW).await.unwrap();
        assert_eq!((done.ids.len(), done.passed_over.len()), (5, 0));
        let (before, after) = (from.entries(&alice()).await.unwrap(), to.entries(&alice()).await.unwrap());
        let device = to.device().await.unwrap();
        for entry in &after {
            let same = before.iter().find(|other| other.public_key == entry.public_key).unwrap();
            assert_eq!(
                (entry.state, &entry.certificate, &entry.former),
                (same.state, &same.certificate, &same.former)
            );
            let Slot { suite, purpose, level, .. } = same.slot;
            assert_eq!(entry.slot, Slot::new(suite, purpose, level, &device), "a slot of this device");
        }
        let active = after.iter().filter(|entry| entry.state == EntryState::Active).count();
        assert_eq!((after.len(), active), (5, 4));
        let again = import(&to, &alice(), &file, NOW).await.unwrap();
        assert_eq!(again, done);
        assert_eq!(to.entries(&alice()).await.unwrap(), after);
    });
}

/// What a user brings from another program does not push the present key aside when that is the younger one.
#[test]
fn an_old_file_does_not_replace_a_newer_key() {
    block_on(async {
        let old = memory();
        key(&old, Suite::Classic, Purpose::Encrypt, &[10]).await;
        let octets = export(&old, &alice(), "p", quick(), &OsRng).await.unwrap();
        let file = read(&octets, "p").unwrap();
        for (serial, expected) in [(20, EntryState::Retired), (5, EntryState::Active)] {
            let store = memory();
            key(&store, Suite::Classic, Purpose::Encrypt, &[serial]).await;
            let done = import(&store, &alice(), &file, NOW).await.unwrap();
            let entries = store.entries(&alice()).await.unwrap();
            let imported = entries.iter().find(|entry| entry.id == done.ids[0]).unwrap();
            assert_eq!(imported.state, expected);
            assert_eq!(entries.iter().filter(|entry| entry.state == EntryState::Active).count(), 1);
        }
    });
}

#[test]
fn files_of_others_fill_their_slots() {
    block_on(async {
        for (octets, suite) in [
            (vector!("openssl-default.p12"), Suite::Classic),
            (vector!("openssl-aes-sha512.p12"), Suite::Classic),
            (vector!("openssl-sm4-sm3.p12"), Suite::Sm2),
            (vector!("bc172-ber.p12"), Suite::Sm2),
        ] {
            let store = memory();
            let file = read(octets, "test").unwrap();
            import(&store, &alice(), &file, NOW).await.unwrap();
            let entries = store.entries(&alice()).await.unwrap();
            assert_eq!(entries.len(), 1);
            assert_eq!((entries[0].slot.suite, entries[0].slot.purpose), (suite, Purpose::Encrypt));
            // The CA beside it is its own anchor, and no part of the chain.
            assert!(entries[0].chain.is_empty());
            store.decryptor(&alice(), &entries[0].id).await.unwrap();
        }
    });
}

/// THREATS K8: keys of other mailboxes, without certificate, or of other uses stay outside.
#[test]
fn k8_what_does_not_fit_is_passed_over() {
    block_on(async {
        let (good, stranger, bare) = (keys().remove(0), keys().remove(0), keys().remove(1));
        let bob = "bob@example.test".parse().unwrap();
        let own = leaf(good.public_key().spki_der(), Purpose::Sign, 1, &alice()).await;
        let other = leaf(stranger.public_key().spki_der(), Purpose::Sign, 2, &bob).await;
        let octets = Pkcs12::builder()
            .encryption(quick())
            .key(&bare, None, None)
            .key(&stranger, None, Some(&other))
            .key(&good, None, Some(&own))
            .to_der("p", &OsRng)
            .unwrap();
        let file = read(&octets, "p").unwrap();
        let store = memory();
        let done = import(&store, &alice(), &file, NOW).await.unwrap();
        assert_eq!((done.ids.len(), done.passed_over), (1, vec![0, 1]));
        assert_eq!(store.entries(&alice()).await.unwrap()[0].slot.purpose, Purpose::Sign);
        let nobody = "carol@example.test".parse().unwrap();
        assert_eq!(import(&memory(), &nobody, &file, NOW).await, Err(Pkcs12Error::Nothing));
        // An identifier that lies: the key is matched by itself.
        let lying = Pkcs12::builder()
            .encryption(quick())
            .key(&stranger, None, Some(&own))
            .to_der("p", &OsRng)
            .unwrap();
        let lying = read(&lying, "p").unwrap();
        assert_eq!(lying.keys()[0].local_key_id, lying.certificates()[0].local_key_id);
        assert_eq!(import(&memory(), &alice(), &lying, NOW).await, Err(Pkcs12Error::Nothing));
        let empty = export(&memory(), &alice(), "p", quick(), &OsRng).await;
        assert_eq!(empty, Err(Pkcs12Error::Nothing));
    });
}
