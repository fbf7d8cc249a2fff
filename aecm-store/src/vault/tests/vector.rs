//! A vault of format version 1 as files in the repository: every later version must read it.

use std::os::unix::fs::PermissionsExt;

use super::*;

const VECTOR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/vault-v1");
const VECTOR_PASSWORD: &str = "vector password, f\u{fc}r alle";
const STATE: &[u8] = b"{\"order\":\"https://acme.example.test/order/1\"}";

/// Set to write a new vector instead of reading the one that is there.
const WRITE: &str = "AECM_WRITE_VECTOR";

/// The files of the vector, in a directory as private as a vault must be (version control keeps no modes).
fn copy(scratch: &Scratch) -> PathBuf {
    let path = scratch.vault();
    std::fs::create_dir(&path).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o700)).unwrap();
    for name in names(Path::new(VECTOR)) {
        if name != "README.md" && name != "expected.txt" {
            let file = path.join(&name);
            std::fs::copy(Path::new(VECTOR).join(&name), &file).unwrap();
            std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
        }
    }
    path
}

/// What the vault holds, one fact a line.
async fn describe(vault: &Vault) -> String {
    let mut lines = vec![format!("device {}", vault.device().await.unwrap())];
    let account = vault.account_key("https://acme.example.test/directory", NOW).await.unwrap();
    lines.push(format!("account {}", hex(account.public_key().spki_der())));
    lines.push(format!("state {}", hex(&vault.load_state("order").await.unwrap().unwrap())));
    for mailbox in vault.mailboxes().await.unwrap() {
        lines.push(format!("mailbox {mailbox}"));
        lines.push(format!("suite {:?}", vault.default_suite(&mailbox).await.unwrap()));
        lines.push(format!(
            "signer {:?}",
            vault.default_signer(&mailbox).await.unwrap().map(|slot| slot.to_string())
        ));
        for entry in vault.entries(&mailbox).await.unwrap() {
            lines.push(format!("key {} {} {} {}", entry.id, entry.slot, entry.state, entry.created));
            lines.push(format!("public {}", hex(entry.public_key.spki_der())));
            for certificate in entry.certificate.iter().chain(&entry.chain).chain(&entry.former) {
                lines.push(format!("certificate {}", hex(&certificate.sha256())));
            }
            lines.push(format!("private {}", hex(&vault.export(&mailbox, &entry.id).await.unwrap())));
        }
    }
    lines.join("\n") + "\n"
}

async fn fill(vault: &Vault) {
    let device = vault.device().await.unwrap();
    let sign = Slot::new(Suite::Sm2, Purpose::Sign, Level::Mailbox, &device);
    for (slot, spec, serials) in [
        (sign.clone(), KeySpec::Sm2, 1..2u64),
        (slot(Purpose::Encrypt), KeySpec::P256, 2..3),
        (slot(Purpose::Encrypt), KeySpec::P256, 3..5),
        (slot(Purpose::Timestamp), KeySpec::P384, 5..5),
        (slot(Purpose::Sign), KeySpec::Rsa(2048), 6..7),
    ] {
        let id = vault.generate(&alice(), &slot, spec, NOW).await.unwrap();
        for serial in serials {
            let leaf = leaf(vault, &id, slot.purpose, serial).await;
            vault.install(&alice(), &id, vec![leaf]).await.unwrap();
        }
        if spec == KeySpec::Rsa(2048) {
            vault.remove(&alice(), &id).await.unwrap();
        }
    }
    vault.account_key("https://acme.example.test/directory", NOW).await.unwrap();
    vault.save_state("order", STATE).await.unwrap();
    vault.set_default_suite(&alice(), Some(Suite::Sm2)).await.unwrap();
    vault.set_default_signer(&alice(), Some(sign)).await.unwrap();
}

fn write() {
    let scratch = Scratch::new();
    let vault = Vault::create(scratch.vault(), VECTOR_PASSWORD, rng(), VaultOptions::weak()).unwrap();
    block_on(fill(&vault));
    std::fs::create_dir_all(VECTOR).unwrap();
    for name in names(Path::new(VECTOR)).iter().filter(|name| *name != "README.md") {
        std::fs::remove_file(Path::new(VECTOR).join(name)).unwrap();
    }
    for name in names(&scratch.vault()) {
        std::fs::copy(scratch.vault().join(&name), Path::new(VECTOR).join(&name)).unwrap();
    }
    std::fs::write(Path::new(VECTOR).join("expected.txt"), block_on(describe(&vault))).unwrap();
}

#[test]
fn a_vault_of_version_1_is_read() {
    if std::env::var_os(WRITE).is_some() {
        write();
    }
    let scratch = Scratch::new();
    let path = copy(&scratch);
    let vault = Vault::open(&path, VECTOR_PASSWORD, rng()).unwrap();
    let expected = std::fs::read_to_string(Path::new(VECTOR).join("expected.txt")).unwrap();
    assert_eq!(block_on(describe(&vault)), expected);
    assert_eq!(expected.matches("\nkey ").count(), 5);
    // And written on, without losing any of it.
    block_on(vault.save_state("another", b"state")).unwrap();
    let vault = Vault::open(&path, VECTOR_PASSWORD, rng()).unwrap();
    assert_eq!(block_on(describe(&vault)), expected);
}

#[test]
fn the_vector_needs_its_password_and_its_lock_may_be_lost() {
    let scratch = Scratch::new();
    let path = copy(&scratch);
    let wrong = Vault::open(&path, "vector password, fur alle", rng());
    assert_eq!(wrong.unwrap_err(), StoreError::WrongPassword);
    std::fs::remove_file(path.join(LOCK)).unwrap();
    Vault::open(&path, VECTOR_PASSWORD, rng()).unwrap();
}
