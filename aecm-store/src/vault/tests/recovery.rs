//! THREATS K4 and K6: what recovery takes when the index is lost, and what it does not dare to give up.

use super::damage::{filled, read_all};
use super::*;

/// Puts a version of a state into a file, as a change would.
fn put_version(vault: &Vault, file: u8, name: &str, generation: u64, content: &[u8]) -> String {
    let file = file_name(&[file; 16]);
    let body = record::encode_body(&format!("state/{name}"), content).unwrap();
    let octets = vault.sealer().seal(Kind::Record, &file, generation, &body, &OsRng).unwrap();
    vault.put(&file, &octets).unwrap();
    file
}

fn load(vault: &Vault, name: &str) -> Vec<u8> {
    block_on(vault.load_state(name)).unwrap().unwrap().to_vec()
}

fn save(vault: &Vault, name: &str, content: &[u8]) {
    block_on(vault.save_state(name, content)).unwrap();
}

fn recover(path: &Path) -> (Vault, Recovery) {
    Vault::recover(path, PASSWORD, rng()).unwrap()
}

fn lose_index(path: &Path) {
    std::fs::write(path.join(INDEX), b"damaged").unwrap();
}

fn seen(vault: &Vault) -> u64 {
    *vault.seen.lock().unwrap()
}

/// What is kept: record, generation, content read under its `.rec` name.
fn kept_contents(vault: &Vault, recovery: &Recovery) -> Vec<(String, u64, Vec<u8>)> {
    let contents = recovery.kept.iter().map(|kept| {
        let octets = std::fs::read(vault.directory.join(&kept.file)).unwrap();
        let name = kept.file.replace(".kept", ".rec");
        let (generation, body) = vault.sealer().open(Kind::Record, &name, &octets).unwrap();
        let (record, content) = decode_body(&body).unwrap();
        assert_eq!((record, generation), (kept.record.as_str(), kept.generation));
        (record.to_owned(), generation, content.to_vec())
    });
    contents.collect()
}

#[test]
fn a_lost_index_is_rebuilt_from_the_records() {
    let scratch = Scratch::new();
    let id = filled(&scratch.vault());
    let index = scratch.vault().join(INDEX);
    for damage in [Some(&b""[..]), Some(b"nonsense"), None] {
        match damage {
            Some(octets) => std::fs::write(&index, octets).unwrap(),
            None => std::fs::remove_file(&index).unwrap(),
        }
        assert!(matches!(open(&scratch.vault()), Err(StoreError::Corrupt { .. })));
        let wrong = Vault::recover(scratch.vault(), b"wrong", rng());
        assert_eq!(wrong.unwrap_err(), StoreError::WrongPassword);
        let (vault, recovery) = Vault::recover(scratch.vault(), PASSWORD, rng()).unwrap();
        assert_eq!((recovery.records, recovery.unreadable.len()), (4, 0));
        block_on(vault.save_state("order", b"state")).unwrap();
        assert_eq!(read_all(&scratch.vault(), &id), Ok(()));
    }
}

/// A writer stops between its record and the index; the next change is acknowledged; the index is lost.
#[test]
fn k4_what_a_stopped_writer_left_never_stands_for_what_was_acknowledged_later() {
    // The names of files are random, so an order of the directory that hides the fault is, too.
    for reopened in [false, true].repeat(10) {
        let scratch = Scratch::new();
        let (path, other) = (scratch.vault(), scratch.0.join("other"));
        let vault = create(&path);
        save(&vault, "order", b"first");
        save(&vault, "beside", b"acknowledged");
        std::fs::create_dir(&other).unwrap();
        std::fs::set_permissions(&other, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        for name in names(&path) {
            std::fs::copy(path.join(&name), other.join(&name)).unwrap();
        }
        let stopped = open(&other).unwrap();
        stopped
            .update(&mut |changes| {
                changes.put("state/order".to_owned(), Zeroizing::new(b"not committed".to_vec()))?;
                changes.put("state/beside".to_owned(), Zeroizing::new(b"not committed".to_vec()))
            })
            .unwrap();
        let left: Vec<String> = names(&other).into_iter().filter(|name| !path.join(name).exists()).collect();
        assert_eq!(left.len(), 2);
        for name in &left {
            std::fs::copy(other.join(name), path.join(name)).unwrap();
        }
        let vault = if reopened { open(&path).unwrap() } else { vault };
        assert!(left.iter().all(|name| path.join(name).exists()), "no change has passed them yet");
        save(&vault, "order", b"acknowledged");
        assert!(left.iter().all(|name| !path.join(name).exists()));
        lose_index(&path);
        let (vault, recovery) = recover(&path);
        assert_eq!((recovery.records, &recovery.kept), (2, &vec![]));
        assert_eq!(load(&vault, "order"), b"acknowledged");
        assert_eq!(load(&vault, "beside"), b"acknowledged", "which no later change touched");
    }
}

#[test]
fn of_two_versions_the_later_one_is_taken_and_the_damaged_is_named() {
    let scratch = Scratch::new();
    filled(&scratch.vault());
    let vault = open(&scratch.vault()).unwrap();
    let generation = seen(&vault);
    put_version(&vault, 1, "order", generation + 1, b"later");
    put_version(&vault, 2, "order", 1, b"old");
    // A still later one, so that the change that wrote "later" is known to have come to its end.
    put_version(&vault, 4, "other", generation + 2, b"last");
    let damaged = file_name(&[3; 16]);
    vault.put(&damaged, b"damaged").unwrap();
    vault.put("damaged.rec", b"not ours").unwrap();
    lose_index(&scratch.vault());
    let (vault, recovery) = recover(&scratch.vault());
    assert_eq!((recovery.records, recovery.unreadable, recovery.kept), (5, vec![damaged], vec![]));
    assert_eq!(load(&vault, "order"), b"later");
    assert!(seen(&vault) > generation + 2);
    open(&scratch.vault()).unwrap();
}

/// Of the last generation nobody can tell whether it was acknowledged: what it would replace is kept.
#[test]
fn k6_what_an_unfinished_change_would_have_replaced_is_kept() {
    let scratch = Scratch::new();
    let vault = create(&scratch.vault());
    save(&vault, "order", b"acknowledged");
    let generation = seen(&vault);
    let taken = put_version(&vault, 1, "order", generation + 1, b"perhaps");
    lose_index(&scratch.vault());
    let (vault, recovery) = recover(&scratch.vault());
    assert_eq!(load(&vault, "order"), b"perhaps");
    let expected = ("state/order".to_owned(), generation, b"acknowledged".to_vec());
    assert_eq!(kept_contents(&vault, &recovery), [expected]);
    assert_eq!(recovery.kept[0].taken, Some(taken.clone()));
    // Neither an opening nor a change takes it away, and the next recovery names it again.
    let vault = {
        drop(vault);
        open(&scratch.vault()).unwrap()
    };
    save(&vault, "other", b"1");
    save(&vault, "another", b"2");
    assert_eq!(recover(&scratch.vault()).1.kept, recovery.kept);
    // And it can be had after all, as described at `Kept`.
    std::fs::rename(scratch.vault().join(taken), scratch.0.join("aside")).unwrap();
    let kept = scratch.vault().join(&recovery.kept[0].file);
    std::fs::rename(&kept, kept.with_extension("rec")).unwrap();
    assert!(matches!(open(&scratch.vault()), Err(StoreError::Corrupt { .. })));
    let (vault, recovery) = recover(&scratch.vault());
    assert_eq!((recovery.records, recovery.kept), (3, vec![]));
    assert_eq!(load(&vault, "order"), b"acknowledged");
    open(&scratch.vault()).unwrap();
}

/// Two versions of one generation: only earlier versions of this library left such.
#[test]
fn k4_between_equals_nothing_is_chosen_in_silence() {
    let scratch = Scratch::new();
    let vault = create(&scratch.vault());
    save(&vault, "order", b"one");
    let generation = seen(&vault);
    put_version(&vault, 1, "order", generation, b"other");
    put_version(&vault, 2, "order", generation - 1, b"replaced");
    put_version(&vault, 3, "later", generation + 3, b"later");
    lose_index(&scratch.vault());
    let (vault, recovery) = recover(&scratch.vault());
    let kept = kept_contents(&vault, &recovery);
    assert_eq!(kept.len(), 1, "{kept:?}");
    let mut both = [load(&vault, "order"), kept[0].2.clone()];
    both.sort();
    assert_eq!(both, [b"one".to_vec(), b"other".to_vec()]);
    assert_eq!((kept[0].0.as_str(), kept[0].1), ("state/order", generation));
}

/// Where the index can be read, what it names is proven.
#[test]
fn k4_between_equals_the_index_decides_where_it_can_be_read() {
    for file in [0, 255] {
        let scratch = Scratch::new();
        let vault = create(&scratch.vault());
        save(&vault, "order", b"acknowledged");
        save(&vault, "lost", b"lost");
        save(&vault, "other", b"1");
        let generation = seen(&vault);
        let mut fresh = 0;
        let index = vault.index(&mut fresh).unwrap().1;
        let of_order = index.places["state/order"].generation;
        for (file, generation) in [(file, of_order), (file ^ 1, of_order + 1), (file ^ 2, generation)] {
            put_version(&vault, file, "order", generation, b"never acknowledged");
        }
        // Why recovery is needed: a record is missing.
        std::fs::remove_file(scratch.vault().join(file_name(&index.places["state/lost"].file))).unwrap();
        assert!(matches!(open(&scratch.vault()), Err(StoreError::Corrupt { .. })));
        let (vault, recovery) = recover(&scratch.vault());
        assert_eq!((recovery.records, recovery.kept), (2, vec![]));
        assert_eq!(load(&vault, "order"), b"acknowledged");
    }
}

/// An older index was put back: what is later than it counts, and what it names is kept where that is not sure.
#[test]
fn k4_records_later_than_the_index_count() {
    let scratch = Scratch::new();
    let vault = create(&scratch.vault());
    save(&vault, "order", b"old");
    let generation = seen(&vault);
    put_version(&vault, 1, "order", generation + 1, b"newer");
    put_version(&vault, 2, "order", generation + 2, b"newest");
    assert!(matches!(open(&scratch.vault()), Err(StoreError::Corrupt { .. })));
    assert!(matches!(block_on(vault.save_state("x", b"")), Err(StoreError::Corrupt { .. })));
    let (vault, recovery) = recover(&scratch.vault());
    assert_eq!(load(&vault, "order"), b"newest");
    let kept: Vec<_> = kept_contents(&vault, &recovery).into_iter().map(|kept| kept.2).collect();
    assert_eq!(kept, [b"old".to_vec(), b"newer".to_vec()]);
}
