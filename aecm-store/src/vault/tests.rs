//! Behaviour of vaults, by the requirements of THREATS §9.

mod concurrency;
mod crash;
mod damage;
mod import;
mod lease;
mod privacy;
mod recovery;
mod simulated;
mod vector;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use aecm_core::embed::OsRng;
use aecm_core::suite::{Level, Purpose};

use super::*;
use crate::conformance::certificate::{Wanted, issue};
use crate::{EntryState, KeyStore, conformance};

const PASSWORD: &[u8] = b"correct horse battery staple";
const NOW: Time = Time::from_unix(1_795_420_800);

/// A directory that goes when dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        let mut suffix = [0; 8];
        OsRng.fill(&mut suffix).unwrap();
        let path = std::env::temp_dir().join(format!("aecm-store-{}", hex(&suffix)));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn vault(&self) -> PathBuf {
        self.0.join("vault")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn rng() -> Arc<dyn Rng> {
    Arc::new(OsRng)
}

fn create(path: &Path) -> Vault {
    Vault::create(path, PASSWORD, rng(), VaultOptions::weak()).unwrap()
}

fn open(path: &Path) -> Result<Vault, StoreError> {
    Vault::open(path, PASSWORD, rng())
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn alice() -> Mailbox {
    "alice@example.test".parse().unwrap()
}

fn slot(purpose: Purpose) -> Slot {
    Slot::new(Suite::Classic, purpose, Level::Mailbox, &"device".parse().unwrap())
}

/// A certificate for the key `id` of `mailbox`, issued by itself or, for an encrypting key, by a key made up.
async fn leaf(store: &dyn KeyStore, id: &KeyId, purpose: Purpose, serial: u64) -> Certificate {
    let entries = store.entries(&alice()).await.unwrap();
    let spki = entries.iter().find(|entry| entry.id == *id).unwrap().public_key.spki_der().to_vec();
    let issuer =
        aecm_core::software::SoftwareKey::generate(KeySpec::P256, &OsRng).unwrap().into_signer(rng());
    issue(&Wanted { mailbox: &alice(), spki: &spki, purpose, serial }, &issuer).await.unwrap()
}

/// The names of the files of a vault, sorted.
fn names(path: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn it_keeps_the_promises_of_a_store() {
    let scratch = Scratch::new();
    create(&scratch.vault());
    let path = scratch.vault();
    let again = || -> Result<Arc<dyn KeyStore>, StoreError> { Ok(Arc::new(open(&path)?)) };
    block_on(conformance::run(&again)).unwrap();
    // Nothing is left beside what the index names.
    assert!(names(&path).iter().all(|name| !name.starts_with(TEMPORARY)));
}

#[test]
fn only_the_password_opens() {
    let scratch = Scratch::new();
    let vault = create(&scratch.vault());
    for wrong in [&b""[..], b"correct horse battery stapl", b"Correct horse battery staple"] {
        let result = Vault::open(scratch.vault(), wrong, rng());
        assert_eq!(result.unwrap_err(), StoreError::WrongPassword);
    }
    block_on(vault.save_state("s", b"kept")).unwrap();
    vault.change_password(b"another", VaultOptions::weak()).unwrap();
    assert_eq!(open(&scratch.vault()).unwrap_err(), StoreError::WrongPassword);
    let again = Vault::open(scratch.vault(), b"another", rng()).unwrap();
    assert_eq!(**block_on(again.load_state("s")).unwrap().unwrap(), *b"kept");
    // The handle that was open goes on.
    block_on(vault.save_state("s", b"more")).unwrap();
    assert_eq!(**block_on(again.load_state("s")).unwrap().unwrap(), *b"more");
}

#[test]
fn nothing_is_written_over() {
    let scratch = Scratch::new();
    let make = |path: &Path| Vault::create(path, PASSWORD, rng(), VaultOptions::weak()).map(|_| ());
    assert_eq!(make(&scratch.vault()), Ok(()));
    let exists = |path: &Path| Err(StoreError::Exists { path: path.to_owned() });
    assert_eq!(make(&scratch.vault()), exists(&scratch.vault()));
    let file = scratch.0.join("file");
    std::fs::write(&file, b"precious").unwrap();
    assert_eq!(make(&file), exists(&file));
    assert_eq!(std::fs::read(&file).unwrap(), b"precious");
    let full = scratch.0.join("full");
    std::fs::create_dir(&full).unwrap();
    std::fs::write(full.join("precious"), b"").unwrap();
    assert_eq!(make(&full), exists(&full));
    let link = scratch.0.join("link");
    std::fs::create_dir(scratch.0.join("empty")).unwrap();
    std::os::unix::fs::symlink(scratch.0.join("empty"), &link).unwrap();
    assert_eq!(make(&link), exists(&link));
    assert_eq!(make(&scratch.0.join("empty")), Ok(()), "an empty directory is taken");
    assert_eq!(make(Path::new("/")), exists(Path::new("/")));
    assert_eq!(
        names(&scratch.0),
        ["empty", "file", "full", "link", "vault"],
        "attempts leave nothing behind"
    );
}

#[test]
fn where_there_is_none() {
    let scratch = Scratch::new();
    let absent = |path: PathBuf| assert_eq!(open(&path).unwrap_err(), StoreError::NoVault { path });
    absent(scratch.vault());
    std::fs::create_dir(scratch.vault()).unwrap();
    std::fs::set_permissions(scratch.vault(), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    absent(scratch.vault());
    // Anything in it, and it is a vault that lost its header.
    std::fs::write(scratch.vault().join("index"), b"").unwrap();
    assert!(matches!(open(&scratch.vault()), Err(StoreError::Corrupt { .. })));
    assert!(matches!(
        Vault::create(scratch.0.join("a/b"), PASSWORD, rng(), VaultOptions::weak()),
        Err(StoreError::Io { operation: "make", .. })
    ));
}

/// A random source that fails is an error, and what was there stays.
#[test]
fn a_failing_random_source_changes_nothing() {
    struct Broken;
    impl Rng for Broken {
        fn fill(&self, _: &mut [u8]) -> Result<(), aecm_core::embed::RngError> {
            Err(aecm_core::embed::RngError)
        }
    }
    let scratch = Scratch::new();
    let broken: Arc<dyn Rng> = Arc::new(Broken);
    let result = Vault::create(scratch.vault(), PASSWORD, broken.clone(), VaultOptions::weak());
    assert_eq!(result.unwrap_err(), StoreError::Rng);
    assert!(names(&scratch.0).is_empty());
    block_on(create(&scratch.vault()).save_state("s", b"kept")).unwrap();
    let vault = Vault::open(scratch.vault(), PASSWORD, broken).unwrap();
    let before = names(&scratch.vault());
    assert_eq!(block_on(vault.save_state("s", b"lost")), Err(StoreError::Rng));
    assert_eq!(block_on(vault.device()).unwrap_err(), StoreError::Rng);
    let generated = block_on(vault.generate(&alice(), &slot(Purpose::Sign), KeySpec::P256, NOW));
    assert_eq!(generated.unwrap_err(), StoreError::Rng);
    assert_eq!(names(&scratch.vault()), before);
    assert_eq!(**block_on(vault.load_state("s")).unwrap().unwrap(), *b"kept");
}
