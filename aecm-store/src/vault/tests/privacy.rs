//! THREATS K2 and K3: who can read what.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use base64ct::Encoding;

use super::*;
use crate::MemoryStore;
use crate::error::Exposure;

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().mode() & 0o7777
}

fn chmod(path: &Path, mode: u32) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

fn not_private(path: &Path, why: Exposure) -> StoreError {
    StoreError::NotPrivate { path: path.to_owned(), why }
}

/// Opens and reads one state.
fn read(path: &Path) -> Result<(), StoreError> {
    block_on(open(path)?.load_state("s")).map(|_| ())
}

#[test]
fn k3_files_are_0600_in_a_0700_directory_and_wider_ones_are_refused() {
    let scratch = Scratch::new();
    let path = scratch.vault();
    block_on(create(&path).save_state("s", b"state")).unwrap();
    assert_eq!(mode(&path), 0o700);
    assert_eq!(names(&path).len(), 4);
    for name in names(&path) {
        let file = path.join(&name);
        assert_eq!(mode(&file), 0o600, "{name}");
        for wide in [0o640, 0o604, 0o610, 0o601, 0o666, 0o4620] {
            chmod(&file, wide);
            assert_eq!(read(&path), Err(not_private(&file, Exposure::Mode(wide))), "{name}");
        }
        chmod(&file, 0o600);
    }
    for wide in [0o750, 0o705, 0o710, 0o777] {
        chmod(&path, wide);
        assert_eq!(read(&path), Err(not_private(&path, Exposure::Mode(wide))));
    }
    chmod(&path, 0o700);
    assert_eq!(read(&path), Ok(()));
}

#[test]
fn k3_no_link_and_no_other_kind_is_followed() {
    let scratch = Scratch::new();
    let path = scratch.vault();
    block_on(create(&path).save_state("s", b"state")).unwrap();
    for name in names(&path) {
        let (file, aside) = (path.join(&name), scratch.0.join("aside"));
        std::fs::rename(&file, &aside).unwrap();
        symlink(&aside, &file).unwrap();
        assert_eq!(read(&path), Err(not_private(&file, Exposure::Kind)), "{name}");
        std::fs::remove_file(&file).unwrap();
        if name != LOCK {
            std::fs::create_dir(&file).unwrap();
            chmod(&file, 0o700);
            assert_eq!(read(&path), Err(not_private(&file, Exposure::Kind)), "{name}");
            std::fs::remove_dir(&file).unwrap();
        }
        std::fs::rename(&aside, &file).unwrap();
    }
    let link = scratch.0.join("link");
    symlink(&path, &link).unwrap();
    assert_eq!(read(&link), Err(not_private(&link, Exposure::Kind)));
    let file = scratch.0.join("file");
    std::fs::write(&file, b"").unwrap();
    assert_eq!(read(&file), Err(not_private(&file, Exposure::Kind)));
    assert_eq!(read(&path), Ok(()));
}

/// A link put in the way of a new file is not written through.
#[test]
fn k3_a_new_file_is_new() {
    let scratch = Scratch::new();
    let target = scratch.0.join("target");
    std::fs::write(&target, b"precious").unwrap();
    symlink(&target, scratch.0.join("link")).unwrap();
    for name in ["target", "link"] {
        let error = System.create(&scratch.0.join(name)).map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    }
    assert_eq!(std::fs::read(&target).unwrap(), b"precious");
}

/// Only root can give files away, so elsewhere there is nothing to show here.
#[test]
fn k3_another_owner_is_refused() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let scratch = Scratch::new();
    let path = scratch.vault();
    block_on(create(&path).save_state("s", b"state")).unwrap();
    for file in names(&path).into_iter().map(|name| path.join(name)).chain([path.clone()]) {
        std::os::unix::fs::chown(&file, Some(1), None).unwrap();
        assert_eq!(read(&path), Err(not_private(&file, Exposure::Owner)));
        std::os::unix::fs::chown(&file, Some(0), None).unwrap();
    }
    assert_eq!(read(&path), Ok(()));
}

/// THREATS K2: neither files nor messages show what is secret.
#[test]
fn k2_no_secret_in_files_or_messages() {
    block_on(async {
        let scratch = Scratch::new();
        let vault = create(&scratch.vault());
        let memory = MemoryStore::new(rng());
        let mut shown = String::new();
        let mut secrets = vec![PASSWORD.to_vec()];
        let stores: [&dyn KeyStore; 2] = [&vault, &memory];
        for store in stores {
            for (slot, spec) in
                [(slot(Purpose::Sign), KeySpec::P256), ("sm2-encrypt-mv".parse().unwrap(), KeySpec::Sm2)]
            {
                let id = store.generate(&alice(), &slot, spec, NOW).await.unwrap();
                secrets.push(store.export(&alice(), &id).await.unwrap().to_vec());
            }
            store.save_state("order", b"a state that nobody else may read").await.unwrap();
            store.account_key("https://acme.test/", NOW).await.unwrap();
            let entries = store.entries(&alice()).await.unwrap();
            shown.push_str(&format!("{entries:?}"));
            let id = entries[0].id;
            for error in [
                store.decryptor(&alice(), &id).await.map(|_| ()).unwrap_err(),
                store.purge(&alice(), &id).await.unwrap_err(),
                store.install(&alice(), &id, Vec::new()).await.unwrap_err(),
            ] {
                shown.push_str(&format!("{error} {error:?}"));
            }
        }
        shown.push_str(&format!("{vault:?} {memory:?} {:?}", vault.key));
        shown.push_str(&format!("{:?}", Vault::open(scratch.vault(), b"wrong guess", rng())));
        let mut files = Vec::new();
        for name in names(&scratch.vault()) {
            files.extend_from_slice(name.as_bytes());
            files.extend(std::fs::read(scratch.vault().join(name)).unwrap());
        }
        // The messages may show public keys, so there only the private half counts: in PKCS#8 it comes first.
        for secret in &secrets {
            let private = &secret[secret.len().min(36)..secret.len().min(68)];
            for window in if private.is_empty() { secret.windows(16) } else { private.windows(16) } {
                assert!(!found(shown.as_bytes(), window), "a message shows a secret");
            }
        }
        secrets.push(vault.key.expose().to_vec());
        secrets.push(b"a state that nobody else may read".to_vec());
        secrets.push(b"alice@example.test".to_vec());
        for window in secrets.iter().flat_map(|secret| secret.windows(16)) {
            assert!(!found(&files, window), "a file shows a secret");
        }
        // The control: what is looked for would be found.
        let control = [b"...", &secrets[1][40..56], b"..."].concat();
        assert!(found(&control, &secrets[1][40..56]));
        assert!(found(hex(&control).as_bytes(), &secrets[1][40..56]));
        assert!(found(base64ct::Base64::encode_string(&control[1..]).as_bytes(), &secrets[1][40..56]));
    });
}

/// Whether `secret` stands in `octets`, raw, in hexadecimal, as a list of numbers or in base64 at any offset.
fn found(octets: &[u8], secret: &[u8]) -> bool {
    let contains = |needle: &[u8]| octets.windows(needle.len()).any(|window| window == needle);
    let list: Vec<String> = secret.iter().map(u8::to_string).collect();
    let in_base64 = (0..3).any(|shift| {
        let text = base64ct::Base64Unpadded::encode_string(&[&vec![0; shift], secret].concat());
        // Without the characters that the neighbours take part in.
        let (skip, end) = ((shift * 8).div_ceil(6), (shift + secret.len()) * 8 / 6);
        contains(&text.as_bytes()[skip..end])
    });
    contains(secret)
        || contains(hex(secret).as_bytes())
        || contains(hex(secret).to_uppercase().as_bytes())
        || contains(list.join(", ").as_bytes())
        || in_base64
}
