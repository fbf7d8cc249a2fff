//! THREATS K4 and K6: stop after every operation, lose any part of what was not flushed, open again.

use std::collections::{BTreeMap, BTreeSet};

use super::simulated::{Simulated, Survives, Trouble};
use super::*;

const PATH: &str = "/home/vault";

/// What the store has acknowledged, and what it was about to do when it stopped.
#[derive(Default)]
struct Known {
    created: bool,
    device: Option<DeviceId>,
    /// The least state of each acknowledged key. `None`: its purge was begun.
    keys: BTreeMap<KeyId, Option<EntryState>>,
    /// The state saved last, and the one being saved.
    saved: Option<u8>,
    saving: Option<u8>,
    account: Option<Vec<u8>>,
    passwords: Vec<&'static [u8]>,
}

/// A life of a vault; returns at the first error, having written down what it knows.
async fn life(files: &Simulated, known: &mut Known) -> Result<(), StoreError> {
    let files: Arc<dyn Files> = Arc::new(files.clone());
    known.passwords = vec![PASSWORD];
    let vault = Vault::create_with(files.clone(), Path::new(PATH), PASSWORD, rng(), VaultOptions::weak())?;
    known.created = true;
    known.device = Some(vault.device().await?);

    let sign = generate(&vault, known, Purpose::Sign).await?;
    install(&vault, known, sign, Purpose::Sign, 1).await?;
    save(&vault, known, 1).await?;
    let old = generate(&vault, known, Purpose::Encrypt).await?;
    install(&vault, known, old, Purpose::Encrypt, 2).await?;
    let new = generate(&vault, known, Purpose::Encrypt).await?;
    install(&vault, known, new, Purpose::Encrypt, 3).await?;
    save(&vault, known, 2).await?;
    known.account =
        Some(vault.account_key("https://acme.test/", NOW).await?.public_key().spki_der().to_vec());

    // A second handle, as another process would have.
    let vault = Vault::open_with(files, Path::new(PATH), PASSWORD, rng())?;
    install(&vault, known, new, Purpose::Encrypt, 4).await?;
    known.passwords.push(b"new");
    vault.change_password(b"new", VaultOptions::weak())?;
    known.passwords = vec![b"new"];
    vault.remove(&alice(), &sign).await?;
    known.keys.insert(sign, Some(EntryState::Removed));
    known.keys.insert(sign, None);
    vault.purge(&alice(), &sign).await?;
    save(&vault, known, 3).await?;
    vault.set_default_suite(&alice(), Some(Suite::Classic)).await
}

async fn generate(vault: &Vault, known: &mut Known, purpose: Purpose) -> Result<KeyId, StoreError> {
    let id = vault.generate(&alice(), &slot(purpose), KeySpec::P256, NOW).await?;
    known.keys.insert(id, Some(EntryState::Pending));
    Ok(id)
}

async fn install(
    vault: &Vault,
    known: &mut Known,
    id: KeyId,
    purpose: Purpose,
    serial: u64,
) -> Result<(), StoreError> {
    // Reading fails once the machine has stopped.
    vault.entries(&alice()).await?;
    let leaf = leaf(vault, &id, purpose, serial).await;
    vault.install(&alice(), &id, vec![leaf]).await?;
    known.keys.insert(id, Some(EntryState::Active));
    Ok(())
}

async fn save(vault: &Vault, known: &mut Known, value: u8) -> Result<(), StoreError> {
    known.saving = Some(value);
    vault.save_state("order", &[value; 100]).await?;
    known.saved = known.saving.take();
    Ok(())
}

/// Opens what is there and holds it against what was acknowledged.
async fn check(files: &Simulated, known: &Known, about: &str) {
    let shared: Arc<dyn Files> = Arc::new(files.clone());
    let opened: Vec<Vault> = known
        .passwords
        .iter()
        .filter_map(|password| match Vault::open_with(shared.clone(), Path::new(PATH), password, rng()) {
            Ok(vault) => Some(vault),
            Err(StoreError::WrongPassword) if known.passwords.len() > 1 => None,
            Err(StoreError::NoVault { .. }) if !known.created => None,
            Err(error) => panic!("{about}: {error:?}"),
        })
        .collect();
    let Some(vault) = opened.into_iter().next() else {
        assert!(!known.created, "{about}: no password opens");
        // Half made is not made at all, and does not stand in the way.
        Vault::create_with(shared, Path::new(PATH), PASSWORD, rng(), VaultOptions::weak()).unwrap();
        return;
    };
    if let Some(device) = &known.device {
        assert_eq!(vault.device().await.as_ref(), Ok(device), "{about}");
    }
    let entries = vault.entries(&alice()).await.unwrap_or_else(|error| panic!("{about}: {error:?}"));
    for (id, least) in &known.keys {
        let found = entries.iter().find(|entry| entry.id == *id).map(|entry| entry.state);
        assert!(found >= *least, "{about}: {id} is {found:?}, acknowledged was {least:?}");
    }
    // No certificate without key, no key that cannot be read, acknowledged or not.
    for entry in &entries {
        let octets =
            vault.export(&alice(), &entry.id).await.unwrap_or_else(|error| panic!("{about}: {error:?}"));
        let key = aecm_core::software::SoftwareKey::from_pkcs8_der(&octets).unwrap();
        assert_eq!(*key.public_key(), entry.public_key, "{about}");
        assert!(
            entry.certificate.is_some() || matches!(entry.state, EntryState::Pending | EntryState::Removed),
            "{about}"
        );
    }
    let active = |purpose| {
        entries
            .iter()
            .filter(|entry| entry.state == EntryState::Active && entry.slot.purpose == purpose)
            .count()
    };
    assert!(active(Purpose::Encrypt) <= 1, "{about}: two active encrypting keys");
    let loaded = vault.load_state("order").await.unwrap_or_else(|error| panic!("{about}: {error:?}"));
    let loaded = loaded.map(|octets| {
        assert!(octets.len() == 100 && octets.iter().all(|octet| *octet == octets[0]), "{about}: torn state");
        octets[0]
    });
    assert!(
        loaded == known.saved || (known.saving.is_some() && loaded == known.saving),
        "{about}: {loaded:?}"
    );
    let account = vault.account_key("https://acme.test/", NOW).await.unwrap();
    if let Some(spki) = &known.account {
        assert_eq!(account.public_key().spki_der(), spki, "{about}");
    }
    // Life goes on, and nothing is lost by it. No opening in between: it would sweep what the stop left.
    let password = vault_password(&vault, known);
    let id = vault.generate(&alice(), &slot(Purpose::Sign), KeySpec::P256, NOW).await.unwrap();
    let after = vault.entries(&alice()).await.unwrap();
    assert_eq!(after[..entries.len()], entries[..], "{about}");
    assert_eq!(after.last().map(|entry| entry.id), Some(id), "{about}");
    // Nor when the index is lost later: what the stop left is not taken for what came after it.
    shared.remove(&Path::new(PATH).join(INDEX)).unwrap();
    let (found, recovery) = Vault::recover_with(shared.clone(), Path::new(PATH), &password, rng()).unwrap();
    assert!(recovery.kept.is_empty() && recovery.unreadable.is_empty(), "{about}: {recovery:?}");
    assert_eq!(found.entries(&alice()).await.unwrap(), after, "{about}");
    for entry in &after {
        assert!(found.export(&alice(), &entry.id).await.is_ok(), "{about}: {}", entry.id);
    }
    let order = found.load_state("order").await.unwrap().map(|octets| octets[0]);
    assert_eq!(order, loaded, "{about}");
    assert_eq!(found.device().await, vault.device().await, "{about}");
    let same = found.account_key("https://acme.test/", NOW).await.unwrap();
    assert_eq!(same.public_key(), account.public_key(), "{about}");
    let again = Vault::open_with(shared, Path::new(PATH), &password, rng()).unwrap();
    assert_eq!(again.entries(&alice()).await.unwrap(), after, "{about}");
}

/// The password the vault has now: of two, the one whose header is there.
fn vault_password(vault: &Vault, known: &Known) -> Vec<u8> {
    let fits =
        |password: &&&[u8]| Vault::open_with(vault.files.clone(), Path::new(PATH), password, rng()).is_ok();
    known.passwords.iter().find(fits).unwrap().to_vec()
}

#[test]
fn k4_k6_a_stop_after_any_operation_loses_nothing_acknowledged() {
    block_on(async {
        let whole = Simulated::new(Trouble::Never);
        life(&whole, &mut Known::default()).await.unwrap();
        let steps = whole.steps();
        assert!(steps > 150, "{steps}");
        let mut points = 0;
        for at in 1..=steps {
            let files = Simulated::new(Trouble::StopAt(at));
            let mut known = Known::default();
            let result = life(&files, &mut known).await;
            assert!(files.stopped());
            // Only removing what was replaced may fail unheard.
            assert!(result.is_err() || at > steps - 4, "operation {at}");
            let seed = u64::try_from(at).unwrap();
            for survives in
                [Survives::All, Survives::Nothing, Survives::Some(seed), Survives::Some(seed ^ 0xa5a5_5a5a)]
            {
                check(&files.after(survives), &known, &format!("operation {at} of {steps}, {survives:?}"))
                    .await;
                points += 1;
            }
        }
        assert!(points >= 400, "{points}");
    });
}

/// The process is killed, another one opens the vault and goes on, then the power fails: what the first one did
/// is still not flushed when the second one sweeps.
#[test]
fn k4_k6_a_stop_after_a_sweep_loses_nothing_acknowledged() {
    block_on(async {
        let whole = Simulated::new(Trouble::Never);
        life(&whole, &mut Known::default()).await.unwrap();
        for at in 1..=whole.steps() {
            let files = Simulated::new(Trouble::StopAt(at));
            let mut known = Known::default();
            let _ = life(&files, &mut known).await;
            files.restart();
            let shared: Arc<dyn Files> = Arc::new(files.clone());
            let opened = known
                .passwords
                .iter()
                .find_map(|password| Vault::open_with(shared.clone(), Path::new(PATH), password, rng()).ok());
            let Some(vault) = opened else { continue };
            let seed = Survives::Some(u64::try_from(at).unwrap());
            for survives in [Survives::Nothing, seed] {
                check(&files.after(survives), &known, &format!("swept after {at}, {survives:?}")).await;
            }
            save(&vault, &mut known, 9).await.unwrap();
            check(&files.after(seed), &known, &format!("saved after {at}, {seed:?}")).await;
        }
    });
}

/// A full disk or a failing medium is an error of that call; the handle and the vault go on.
#[test]
fn k4_k6_a_failure_of_any_operation_loses_nothing_acknowledged() {
    block_on(async {
        let whole = Simulated::new(Trouble::Never);
        life(&whole, &mut Known::default()).await.unwrap();
        for at in 1..=whole.steps() {
            let files = Simulated::new(Trouble::FailAt(at));
            let mut known = Known::default();
            // The call that met the failure ends the life, unless it could do without.
            let _ = life(&files, &mut known).await;
            for survives in [Survives::All, Survives::Nothing] {
                check(&files.after(survives), &known, &format!("failure of {at}, {survives:?}")).await;
            }
        }
    });
}

/// A change that fails before its index takes its files away again, and can be made anew through the same handle.
#[test]
fn k4_k6_a_change_that_failed_leaves_no_record() {
    block_on(async {
        let (mut failures, mut outlasted) = (0, false);
        for at in 1.. {
            let files = Simulated::new(Trouble::Never);
            let shared: Arc<dyn Files> = Arc::new(files.clone());
            let path = Path::new(PATH);
            let vault =
                Vault::create_with(shared.clone(), path, PASSWORD, rng(), VaultOptions::weak()).unwrap();
            vault.save_state("order", b"first").await.unwrap();
            let before = shared.list(path).unwrap();
            files.fail_at(files.steps() + at);
            let result = vault.save_state("order", b"second").await;
            if files.steps_to_trouble() > 0 {
                outlasted = true;
                break;
            }
            let happened = vault.load_state("order").await.unwrap().unwrap().as_slice() == b"second";
            assert!(happened || result.is_err(), "failure of {at}");
            if !happened {
                failures += 1;
                // Where the index could not be renamed the record waits for the next change, since on a network
                // that may have happened all the same.
                let renaming = matches!(&result, Err(StoreError::Io { operation: "replace", path, .. })
                    if path.ends_with(INDEX));
                let left = shared.list(path).unwrap().len() - before.len();
                assert_eq!(left, usize::from(renaming), "failure of {at}: {result:?}");
            }
            vault.save_state("order", b"third").await.unwrap();
            assert_eq!(shared.list(path).unwrap().len(), before.len(), "failure of {at}");
            shared.remove(&path.join(INDEX)).unwrap();
            let (vault, recovery) = Vault::recover_with(shared, path, PASSWORD, rng()).unwrap();
            assert_eq!((recovery.records, recovery.kept.len()), (1, 0), "failure of {at}");
            assert_eq!(vault.load_state("order").await.unwrap().unwrap().as_slice(), b"third");
        }
        assert!(outlasted && failures >= 9, "{failures}");
    });
}

/// What a stopped change left and cannot be removed stops the next change: acknowledged beside it, a value could
/// be taken for the older one.
#[test]
fn k4_a_stray_that_stays_stops_the_change() {
    block_on(async {
        let files = Simulated::new(Trouble::Never);
        let shared: Arc<dyn Files> = Arc::new(files.clone());
        let path = Path::new(PATH);
        let vault = Vault::create_with(shared.clone(), path, PASSWORD, rng(), VaultOptions::weak()).unwrap();
        vault.save_state("order", b"first").await.unwrap();
        let stray = file_name(&[7; 16]);
        let body = record::encode_body("state/order", b"never").unwrap();
        let generation = *vault.seen.lock().unwrap() + 1;
        let octets = vault.sealer().seal(Kind::Record, &stray, generation, &body, &OsRng).unwrap();
        vault.put(&stray, &octets).unwrap();
        // The flush comes first, then the removal.
        files.fail_at(files.steps() + 2);
        let refused = vault.save_state("order", b"second").await;
        assert!(matches!(refused, Err(StoreError::Io { operation: "remove", .. })), "{refused:?}");
        assert_eq!(vault.load_state("order").await.unwrap().unwrap().as_slice(), b"first");
        vault.save_state("order", b"second").await.unwrap();
        assert!(!shared.list(path).unwrap().contains(&stray));
    });
}

/// The test of the test: without the flush of the directory, a stop would lose an acknowledged key.
#[test]
fn the_simulation_does_lose_what_is_not_flushed() {
    let files = Simulated::new(Trouble::Never);
    let mut output = files.create(Path::new("/home/file")).unwrap();
    output.write(b"octets").unwrap();
    let read = |survives| files.after(survives).read(Path::new("/home/file"), 10).unwrap();
    assert_eq!(read(Survives::All), Some(b"octets".to_vec()));
    assert_eq!(read(Survives::Nothing), None);
    files.sync_directory(Path::new("/home")).unwrap();
    assert_eq!(read(Survives::Nothing), Some(Vec::new()));
    output.sync().unwrap();
    assert_eq!(read(Survives::Nothing), Some(b"octets".to_vec()));
    files.rename(Path::new("/home/file"), Path::new("/home/other")).unwrap();
    assert_eq!(read(Survives::Nothing), Some(b"octets".to_vec()));
    assert_eq!(read(Survives::All), None);
    let outcomes: BTreeSet<_> = (0..32).map(|seed| read(Survives::Some(seed))).collect();
    assert_eq!(outcomes.len(), 2);
}
