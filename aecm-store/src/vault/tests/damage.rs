//! THREATS K4: damage is said, never taken for emptiness.

use super::*;

/// A small vault: a key with certificate, and a state.
pub(super) fn filled(path: &Path) -> KeyId {
    block_on(async {
        let vault = create(path);
        let id = vault.generate(&alice(), &slot(Purpose::Encrypt), KeySpec::P256, NOW).await.unwrap();
        let leaf = leaf(&vault, &id, Purpose::Encrypt, 1).await;
        vault.install(&alice(), &id, vec![leaf]).await.unwrap();
        vault.save_state("order", b"state").await.unwrap();
        vault.device().await.unwrap();
        id
    })
}

/// Opens and reads all there is; the first error.
pub(super) fn read_all(path: &Path, id: &KeyId) -> Result<(), StoreError> {
    block_on(async {
        let vault = open(path)?;
        let entries = vault.entries(&alice()).await?;
        assert!(entries.len() == 1 && entries[0].state == EntryState::Active);
        assert_eq!(vault.decryptor(&alice(), id).await?.public_key(), &entries[0].public_key);
        assert_eq!(vault.load_state("order").await?.unwrap().as_slice(), b"state");
        vault.device().await.map(|_| ())
    })
}

fn is_damage(error: &StoreError) -> bool {
    matches!(error, StoreError::Corrupt { .. } | StoreError::Version { .. })
}

#[test]
fn every_cut_of_every_file_is_said() {
    let scratch = Scratch::new();
    let id = filled(&scratch.vault());
    assert_eq!(read_all(&scratch.vault(), &id), Ok(()));
    let mut cuts = 0;
    for name in names(&scratch.vault()).iter().filter(|name| *name != LOCK) {
        let file = scratch.vault().join(name);
        let whole = std::fs::read(&file).unwrap();
        for end in 0..whole.len() {
            std::fs::write(&file, &whole[..end]).unwrap();
            let error = read_all(&scratch.vault(), &id).expect_err("a cut was not noticed");
            assert!(is_damage(&error), "{name} cut at {end}: {error:?}");
            cuts += 1;
        }
        std::fs::write(&file, [whole.as_slice(), &[0]].concat()).unwrap();
        assert!(
            read_all(&scratch.vault(), &id).is_err_and(|error| is_damage(&error)),
            "{name} with one more"
        );
        std::fs::write(&file, &whole).unwrap();
    }
    assert!(cuts > 1500, "{cuts}");
    assert_eq!(read_all(&scratch.vault(), &id), Ok(()));
}

#[test]
fn a_flipped_bit_in_every_octet_of_every_file_is_said() {
    let scratch = Scratch::new();
    let id = filled(&scratch.vault());
    for name in names(&scratch.vault()).iter().filter(|name| *name != LOCK) {
        let file = scratch.vault().join(name);
        let whole = std::fs::read(&file).unwrap();
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << (at % 8);
            std::fs::write(&file, &flipped).unwrap();
            let error = read_all(&scratch.vault(), &id).expect_err("a flipped bit was not noticed");
            assert!(is_damage(&error), "{name} at {at}: {error:?}");
        }
        std::fs::write(&file, &whole).unwrap();
    }
}

#[test]
fn a_missing_file_is_said_at_opening() {
    let scratch = Scratch::new();
    let id = filled(&scratch.vault());
    for name in names(&scratch.vault()) {
        let (file, aside) = (scratch.vault().join(&name), scratch.0.join("aside"));
        std::fs::rename(&file, &aside).unwrap();
        match open(&scratch.vault()) {
            Ok(_) => assert_eq!(name, LOCK, "the lock holds nothing and is made again"),
            Err(error) => assert!(matches!(error, StoreError::Corrupt { .. }), "{name}: {error:?}"),
        }
        std::fs::rename(&aside, &file).unwrap();
    }
    assert_eq!(read_all(&scratch.vault(), &id), Ok(()));
}

#[test]
fn records_exchanged_or_put_back_are_said() {
    let scratch = Scratch::new();
    let id = filled(&scratch.vault());
    let records: Vec<PathBuf> = names(&scratch.vault())
        .iter()
        .filter(|name| name.ends_with(".rec"))
        .map(|name| scratch.vault().join(name))
        .collect();
    assert_eq!(records.len(), 4);
    let (one, other) = (std::fs::read(&records[0]).unwrap(), std::fs::read(&records[1]).unwrap());
    std::fs::write(&records[0], &other).unwrap();
    assert!(read_all(&scratch.vault(), &id).is_err_and(|error| is_damage(&error)));
    std::fs::write(&records[0], &one).unwrap();
    assert_eq!(read_all(&scratch.vault(), &id), Ok(()));

    // A record of a second vault with the same password.
    let second = scratch.0.join("second");
    filled(&second);
    let foreign = names(&second).into_iter().find(|name| name.ends_with(".rec")).unwrap();
    std::fs::copy(second.join(foreign), &records[0]).unwrap();
    assert!(read_all(&scratch.vault(), &id).is_err_and(|error| is_damage(&error)));
}

/// A record must be the one the index means, though it is sealed well and lies in the right file.
#[test]
fn a_record_of_another_name_or_generation_in_the_right_file_is_said() {
    let scratch = Scratch::new();
    filled(&scratch.vault());
    let vault = open(&scratch.vault()).unwrap();
    let mut seen = 0;
    let place = vault.index(&mut seen).unwrap().1.places["state/order"];
    let file = file_name(&place.file);
    let load = |name: &str, generation: u64| {
        let body = record::encode_body(name, b"state").unwrap();
        let octets = vault.sealer().seal(Kind::Record, &file, generation, &body, &OsRng).unwrap();
        vault.put(&file, &octets).unwrap();
        block_on(vault.load_state("order")).map(|octets| octets.is_some())
    };
    assert_eq!(load("state/order", place.generation), Ok(true), "the control");
    for (name, generation) in [
        ("state/order", place.generation - 1),
        ("state/order", place.generation + 1),
        ("state/other", place.generation),
    ] {
        assert!(matches!(load(name, generation), Err(StoreError::Corrupt { .. })), "{name} of {generation}");
    }
}

#[test]
fn an_older_copy_is_noticed_while_open_and_where_records_are_later() {
    let scratch = Scratch::new();
    filled(&scratch.vault());
    let index = scratch.vault().join(INDEX);
    let vault = open(&scratch.vault()).unwrap();
    let older = std::fs::read(&index).unwrap();
    block_on(vault.save_state("other", b"1")).unwrap();
    block_on(vault.save_state("another", b"2")).unwrap();
    let newer = std::fs::read(&index).unwrap();
    std::fs::write(&index, &older).unwrap();
    let error = block_on(vault.load_state("other")).unwrap_err();
    assert!(matches!(error, StoreError::RolledBack { seen, found } if seen == found + 2), "{error:?}");
    assert!(matches!(block_on(vault.save_state("x", b"")), Err(StoreError::RolledBack { .. })));
    // Opened anew, the records beside it tell; nothing of them is swept away.
    let before = names(&scratch.vault());
    assert!(matches!(open(&scratch.vault()), Err(StoreError::Corrupt { .. })));
    assert_eq!(names(&scratch.vault()), before);
    std::fs::write(&index, &newer).unwrap();
    assert_eq!(**block_on(vault.load_state("another")).unwrap().unwrap(), *b"2");
}

#[test]
fn what_a_stopped_process_left_is_swept() {
    let scratch = Scratch::new();
    filled(&scratch.vault());
    let vault = open(&scratch.vault()).unwrap();
    let record = |name: &str, generation: u64| {
        let body = record::encode_body("state/left", b"over").unwrap();
        let octets = vault.sealer().seal(Kind::Record, name, generation, &body, &OsRng).unwrap();
        vault.put(name, &octets).unwrap();
    };
    let (replaced, undone) = (file_name(&[1; 16]), file_name(&[2; 16]));
    let generation = *vault.seen.lock().unwrap();
    record(&replaced, generation);
    record(&undone, generation + 1);
    vault.put("tmp-00", b"half").unwrap();
    vault.put("notes.txt", b"not ours").unwrap();
    vault.put("damaged.rec", b"not ours either").unwrap();
    open(&scratch.vault()).unwrap();
    let left = names(&scratch.vault());
    assert!(!left.contains(&replaced) && !left.contains(&"tmp-00".to_owned()));
    assert!(left.contains(&undone), "a change that did not happen is passed before it is swept");
    assert!(left.contains(&"notes.txt".to_owned()) && left.contains(&"damaged.rec".to_owned()));
    block_on(vault.save_state("next", b"")).unwrap();
    open(&scratch.vault()).unwrap();
    assert!(!names(&scratch.vault()).contains(&undone));
}

/// THREATS K8: a private key beside another public key is damage, though both are sealed well.
#[test]
fn a_private_key_that_is_not_the_half_of_its_public_key_is_said() {
    let scratch = Scratch::new();
    let id = filled(&scratch.vault());
    let vault = open(&scratch.vault()).unwrap();
    let other = aecm_core::software::SoftwareKey::generate(KeySpec::P256, &OsRng).unwrap();
    let replace = |octets: Octets| {
        vault.update(&mut |changes| changes.put(format!("key/{id}"), octets.clone())).unwrap();
        block_on(vault.decryptor(&alice(), &id)).map(|_| ())
    };
    assert!(matches!(replace(other.to_pkcs8_der()), Err(StoreError::Corrupt { .. })));
    assert!(matches!(replace(Zeroizing::new(b"no key".to_vec())), Err(StoreError::Corrupt { .. })));
}

/// What a ledger says is checked, sealed or not: a later or a broken writer must not be guessed at.
#[test]
fn a_ledger_that_we_would_not_write_is_said() {
    let scratch = Scratch::new();
    filled(&scratch.vault());
    let vault = open(&scratch.vault()).unwrap();
    let name = "mailbox/alice@example.test";
    let mut good = String::new();
    vault
        .view(&mut |view| {
            good = String::from_utf8(view.get(name)?.unwrap().to_vec()).unwrap();
            Ok(())
        })
        .unwrap();
    let key = good[good.find("{\"id\"").unwrap()..good.len() - 2].to_owned();
    let entries = |text: &str| {
        let octets = Zeroizing::new(text.as_bytes().to_vec());
        vault.update(&mut |changes| changes.put(name.to_owned(), octets.clone())).unwrap();
        block_on(vault.entries(&alice())).map(|entries| entries.len())
    };
    let twin = key.replacen(&key[7..39], "00000000000000000000000000000000", 1);
    let pending_twin = format!(
        "{{\"mailbox\":\"alice@example.test\",\"keys\":[{key},{}]}}",
        twin.replace("active", "retired")
    );
    assert_eq!(entries(&pending_twin), Ok(2), "the control: two keys, one active");
    for wrong in [
        String::new(),
        "{}".to_owned(),
        "[".repeat(100_000),
        good.replace("alice@", "mallory@"),
        good.replace("active", "dormant"),
        good.replace("classic-encrypt-mv", "classic-encrypt-mv@device"),
        good.replacen("{", "{\"later\":1,", 1),
        good.replacen("{\"id\"", "{\"later\":1,\"id\"", 1),
        good.replacen("\"keys\"", "\"default_suite\":\"rsa\",\"keys\"", 1),
        good.replacen("\"public_key\":\"", "\"public_key\":\"AAAA", 1),
        good.replacen("\"public_key\":\"", "\"public_key\":\"*", 1),
        good.replacen("\"chain\":[\"", "\"chain\":[\"AAAA\",\"", 1),
        format!("{{\"mailbox\":\"alice@example.test\",\"keys\":[{key},{key}]}}"),
        format!("{{\"mailbox\":\"alice@example.test\",\"keys\":[{key},{twin}]}}"),
        format!(
            "{{\"mailbox\":\"alice@example.test\",\"keys\":[{}]}}",
            key.split(",\"chain\"").next().unwrap().to_owned() + "}"
        ),
    ] {
        assert!(
            matches!(entries(&wrong), Err(StoreError::Corrupt { .. })),
            "{}",
            &wrong[..wrong.len().min(200)]
        );
    }
    assert_eq!(entries(&good), Ok(1));
}
