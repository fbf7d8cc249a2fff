//! THREATS K6: an import happens whole or not at all, wherever the process or the machine stops.

use super::simulated::{Simulated, Survives, Trouble};
use super::*;
use crate::ImportedKey;

const PATH: &str = "/home/vault";

/// Three encrypting keys with two certificates each, of another store.
async fn history() -> Vec<ImportedKey> {
    let issuer =
        aecm_core::software::SoftwareKey::generate(KeySpec::P256, &OsRng).unwrap().into_signer(rng());
    let mut keys = Vec::new();
    for round in 0..3 {
        let key = aecm_core::software::SoftwareKey::generate(KeySpec::P256, &OsRng).unwrap();
        let mut chains = Vec::new();
        // Both of one second.
        for serial in [round, round] {
            let spki = key.public_key().spki_der();
            let wanted = Wanted { mailbox: &alice(), spki, purpose: Purpose::Encrypt, serial };
            chains.push(vec![issue(&wanted, &issuer).await.unwrap()]);
        }
        let state = if round == 2 { EntryState::Active } else { EntryState::Retired };
        keys.push(ImportedKey { slot: slot(Purpose::Encrypt), pkcs8: key.to_pkcs8_der(), chains, state });
    }
    keys
}

fn copy(keys: &[ImportedKey]) -> Vec<ImportedKey> {
    keys.iter()
        .map(|key| ImportedKey {
            slot: key.slot.clone(),
            pkcs8: key.pkcs8.clone(),
            chains: key.chains.clone(),
            state: key.state,
        })
        .collect()
}

async fn life(files: &Simulated, keys: &[ImportedKey]) -> Result<Option<usize>, StoreError> {
    let files: Arc<dyn Files> = Arc::new(files.clone());
    let vault = Vault::create_with(files.clone(), Path::new(PATH), PASSWORD, rng(), VaultOptions::weak())?;
    vault.generate(&alice(), &slot(Purpose::Encrypt), KeySpec::P256, NOW).await?;
    vault.import(&alice(), copy(keys), NOW).await?;
    Ok(Some(vault.entries(&alice()).await?.len()))
}

#[test]
fn k6_an_import_is_whole_or_absent_after_any_stop() {
    block_on(async {
        let keys = history().await;
        let whole = Simulated::new(Trouble::Never);
        assert_eq!(life(&whole, &keys).await, Ok(Some(4)));
        let (mut absent, mut present) = (0, 0);
        for at in 1..=whole.steps() {
            let files = Simulated::new(Trouble::StopAt(at));
            let acknowledged = life(&files, &keys).await.is_ok();
            for survives in [Survives::All, Survives::Nothing, Survives::Some(u64::try_from(at).unwrap())] {
                let shared: Arc<dyn Files> = Arc::new(files.after(survives));
                let Ok(vault) = Vault::open_with(shared, Path::new(PATH), PASSWORD, rng()) else {
                    assert!(!acknowledged);
                    continue;
                };
                let entries = vault.entries(&alice()).await.unwrap();
                match entries.len() {
                    0 | 1 => {
                        assert!(!acknowledged, "operation {at}, {survives:?}");
                        absent += 1;
                    }
                    4 => present += 1,
                    some => panic!("operation {at}, {survives:?}: {some} keys"),
                }
                for entry in &entries {
                    vault.decryptor(&alice(), &entry.id).await.unwrap();
                }
                // Again, and it is whole.
                vault.import(&alice(), copy(&keys), NOW).await.unwrap();
                let entries = vault.entries(&alice()).await.unwrap();
                assert!((3..=4).contains(&entries.len()));
                let imported: Vec<_> =
                    entries.iter().filter(|entry| entry.state != EntryState::Pending).collect();
                assert_eq!(imported.len(), 3);
                assert!(imported.iter().all(|entry| entry.former.len() == 1));
                let states: Vec<EntryState> = imported.iter().map(|entry| entry.state).collect();
                assert_eq!(states, [EntryState::Retired, EntryState::Retired, EntryState::Active]);
            }
        }
        assert!(absent > 30 && present > 3, "{absent} {present}");
    });
}

/// Two certificates of the same second: the order in which they are given decides.
#[test]
fn the_last_chain_given_becomes_the_current_one() {
    let scratch = Scratch::new();
    let vault = create(&scratch.vault());
    block_on(async {
        let key = history().await.remove(2);
        let (older, newer) = (key.chains[0].clone(), key.chains[1].clone());
        let one = |chains: Vec<Vec<Certificate>>| {
            let mut key = copy(std::slice::from_ref(&key)).remove(0);
            key.chains = chains;
            vec![key]
        };
        vault.import(&alice(), one(vec![older.clone()]), NOW).await.unwrap();
        vault.import(&alice(), one(vec![older.clone(), newer.clone()]), NOW).await.unwrap();
        let entry = vault.entries(&alice()).await.unwrap().remove(0);
        assert_eq!((entry.certificate.as_ref(), entry.former.as_slice()), (newer.first(), older.as_slice()));
        // An older copy takes nothing back.
        vault.import(&alice(), one(vec![older.clone()]), NOW).await.unwrap();
        assert_eq!(vault.entries(&alice()).await.unwrap(), std::slice::from_ref(&entry));
        // More of the way upwards is taken.
        let longer = vec![newer[0].clone(), older[0].clone()];
        vault.import(&alice(), one(vec![longer]), NOW).await.unwrap();
        let entry = vault.entries(&alice()).await.unwrap().remove(0);
        assert_eq!((entry.certificate.as_ref(), entry.chain.as_slice()), (newer.first(), older.as_slice()));
        let many = vec![newer.clone(); 257];
        let refused = vault.import(&alice(), one(many), NOW).await;
        assert!(matches!(refused, Err(StoreError::TooLarge { limit: 256, .. })), "{refused:?}");
    });
}
