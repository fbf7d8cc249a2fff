//! THREATS K4 and K6: stop after every operation, lose any part of what was not flushed, open again.

use std::collections::BTreeMap;

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
    // Life goes on, and nothing is lost by it.
    let id = vault.generate(&alice(), &slot(Purpose::Sign), KeySpec::P256, NOW).await.unwrap();
    let again = Vault::open_with(shared, Path::new(PATH), &vault_password(&vault, known), rng()).unwrap();
    let after = again.entries(&alice()).await.unwrap();
    assert_eq!(after[..entries.len()], entries[..], "{about}");
    assert_eq!(after.last().map(|entry| entry.id), Some(id), "{about}");
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
