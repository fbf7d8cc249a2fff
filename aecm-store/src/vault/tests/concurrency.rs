//! THREATS K5: several handles and processes at once, no update lost.

use std::process::Command;

use super::*;

const WHERE: &str = "AECM_STORE_TEST_VAULT";

/// Adds keys and states through a handle of its own.
fn work(path: &Path, worker: usize, rounds: usize) {
    let vault = open(path).unwrap();
    block_on(async {
        for round in 0..rounds {
            vault.generate(&alice(), &slot(Purpose::Sign), KeySpec::P256, NOW).await.unwrap();
            vault.save_state(&format!("worker/{worker}/{round}"), b"done").await.unwrap();
            vault.save_state("shared", format!("{worker}/{round}").as_bytes()).await.unwrap();
        }
    });
}

fn check(path: &Path, workers: usize, rounds: usize) {
    let vault = open(path).unwrap();
    block_on(async {
        let entries = vault.entries(&alice()).await.unwrap();
        assert_eq!(entries.len(), workers * rounds);
        for entry in entries {
            vault.signer(&alice(), &entry.id).await.unwrap();
        }
        for (worker, round) in (0..workers).flat_map(|worker| (0..rounds).map(move |round| (worker, round))) {
            assert!(vault.load_state(&format!("worker/{worker}/{round}")).await.unwrap().is_some());
        }
        let last = vault.load_state("shared").await.unwrap().unwrap();
        assert!(last.ends_with(format!("/{}", rounds - 1).as_bytes()));
    });
}

#[test]
fn k5_handles_of_one_process_lose_nothing() {
    let scratch = Scratch::new();
    create(&scratch.vault());
    let path = scratch.vault();
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let path = &path;
            scope.spawn(move || work(path, worker, 10));
        }
    });
    check(&path, 4, 10);
}

/// One handle, many threads; and everybody gets the same device name and account key, made once.
#[test]
fn k5_one_handle_is_shared_by_threads() {
    let scratch = Scratch::new();
    let vault = create(&scratch.vault());
    let other = open(&scratch.vault()).unwrap();
    let names: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = [&vault, &other, &vault, &other]
            .map(|vault| {
                scope.spawn(move || {
                    block_on(async {
                        let account = vault.account_key("https://acme.test/", NOW).await.unwrap();
                        (vault.device().await.unwrap(), account.public_key().spki_der().to_vec())
                    })
                })
            })
            .into();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(names.iter().all(|name| *name == names[0]));
}

#[test]
fn k5_processes_lose_nothing() {
    let scratch = Scratch::new();
    create(&scratch.vault());
    let children: Vec<_> = (0..3)
        .map(|worker| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "vault::tests::concurrency::a_process_of_its_own"])
                .env(WHERE, format!("{worker}:{}", scratch.vault().display()))
                .stdout(std::process::Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    check(&scratch.vault(), 3, 10);
}

/// What [`k5_processes_lose_nothing`] runs in other processes; by itself it has nothing to do.
#[test]
fn a_process_of_its_own() {
    if let Ok(told) = std::env::var(WHERE) {
        let (worker, path) = told.split_once(':').unwrap();
        work(Path::new(path), worker.parse().unwrap(), 10);
    }
}

/// A reader never sees half of a change: key and ledger, old and new active key change in one step.
#[test]
fn k5_readers_see_whole_changes() {
    let scratch = Scratch::new();
    let vault = create(&scratch.vault());
    let path = scratch.vault();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let vault = open(&path).unwrap();
            let mut read = 0;
            while !done.load(std::sync::atomic::Ordering::Relaxed) || read < 3 {
                let entries = block_on(vault.entries(&alice())).unwrap();
                let active = entries.iter().filter(|entry| entry.state == EntryState::Active).count();
                assert!(active <= 1 && (active == 1 || entries.len() <= 1), "{entries:?}");
                for entry in entries {
                    block_on(vault.export(&alice(), &entry.id)).unwrap();
                }
                read += 1;
            }
            read
        });
        block_on(async {
            for serial in 1..=10 {
                let id = vault.generate(&alice(), &slot(Purpose::Encrypt), KeySpec::P256, NOW).await.unwrap();
                let leaf = leaf(&vault, &id, Purpose::Encrypt, serial).await;
                vault.install(&alice(), &id, vec![leaf]).await.unwrap();
            }
        });
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(reader.join().unwrap() > 0);
    });
}
