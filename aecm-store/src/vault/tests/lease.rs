//! Leases between handles and processes; and that writers and readers do not wait long for each other.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::*;

const WHERE: &str = "AECM_STORE_TEST_LEASE";

fn leases(path: &Path) -> usize {
    names(path).iter().filter(|name| name.ends_with(LEASE)).count()
}

#[test]
fn a_lease_ends_when_its_process_dies() {
    let scratch = Scratch::new();
    let vault = create(&scratch.vault());
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "vault::tests::lease::a_process_that_holds_a_lease"])
        .env(WHERE, scratch.vault())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    assert!(output.lines().any(|line| line.unwrap().ends_with("held")));
    assert_eq!(
        block_on(vault.lease("provision")).unwrap_err(),
        StoreError::Busy { name: "provision".to_owned() }
    );
    // Opening sweeps, and leaves the lease that is held.
    drop(open(&scratch.vault()).unwrap());
    assert_eq!(leases(&scratch.vault()), 1);
    assert!(block_on(vault.lease("provision")).is_err());
    child.kill().unwrap();
    child.wait().unwrap();
    drop(block_on(vault.lease("provision")).unwrap());
    drop(open(&scratch.vault()).unwrap());
    assert_eq!(leases(&scratch.vault()), 0, "what has ended is swept");
}

/// What [`a_lease_ends_when_its_process_dies`] runs in another process; by itself it has nothing to do.
#[test]
fn a_process_that_holds_a_lease() {
    if let Ok(path) = std::env::var(WHERE) {
        let vault = open(Path::new(&path)).unwrap();
        let _lease = block_on(vault.lease("provision")).unwrap();
        println!("held");
        // Until it is killed, or whoever started it is gone.
        let _ = io::stdin().read_line(&mut String::new());
    }
}

/// Taking, dropping and opening at once: never two holders.
#[test]
fn a_lease_has_one_holder_at_a_time() {
    let scratch = Scratch::new();
    create(&scratch.vault());
    let path = scratch.vault();
    let (held, rounds) = (AtomicBool::new(false), 200);
    let taken: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut taken = 0;
                    let mut vault = open(&path).unwrap();
                    for round in 0..rounds {
                        if round % 10 == 0 {
                            vault = open(&path).unwrap();
                        }
                        if let Ok(lease) = block_on(vault.lease("name")) {
                            assert!(!held.swap(true, Ordering::SeqCst), "two hold it");
                            std::thread::yield_now();
                            held.store(false, Ordering::SeqCst);
                            drop(lease);
                            taken += 1;
                        }
                    }
                    taken
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert!(taken > 0);
}

/// The names of leases are not told by the files.
#[test]
fn k2_a_lease_file_does_not_name_what_is_leased() {
    let scratch = Scratch::new();
    let vault = create(&scratch.vault());
    let _lease = block_on(vault.lease("provision/alice@example.test")).unwrap();
    let all = names(&scratch.vault());
    assert!(all.iter().all(|name| !name.contains("alice")), "{all:?}");
    // Another vault gives it another name, so that guesses cannot be tried.
    let other = Scratch::new();
    let second = create(&other.vault());
    let _other = block_on(second.lease("provision/alice@example.test")).unwrap();
    assert!(
        names(&other.vault()).iter().filter(|name| name.ends_with(LEASE)).all(|name| !all.contains(name))
    );
    // A link in the place of the file is not followed.
    drop(_lease);
    let file = all.iter().find(|name| name.ends_with(LEASE)).unwrap();
    std::fs::remove_file(scratch.vault().join(file)).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", scratch.vault().join(file)).unwrap();
    let refused = block_on(vault.lease("provision/alice@example.test"));
    assert!(matches!(refused, Err(StoreError::NotPrivate { .. })), "{refused:?}");
}

/// While one process provisions, others open the vault and read; and readers do not keep a writer out.
#[test]
fn k5_readers_and_writers_wait_for_moments_only() {
    let scratch = Scratch::new();
    create(&scratch.vault());
    let path = scratch.vault();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let (mut longest, mut vault) = (Duration::ZERO, open(&path).unwrap());
                    let mut count = 0_u32;
                    while !done.load(Ordering::Relaxed) {
                        let start = Instant::now();
                        if count.is_multiple_of(50) {
                            vault = open(&path).unwrap();
                        }
                        block_on(vault.entries(&alice())).unwrap();
                        longest = longest.max(start.elapsed());
                        count += 1;
                    }
                    longest
                })
            })
            .collect();
        let vault = open(&path).unwrap();
        let _provisioning = block_on(vault.lease("provision")).unwrap();
        let mut longest = Duration::ZERO;
        for _ in 0..25 {
            let start = Instant::now();
            block_on(vault.generate(&alice(), &slot(Purpose::Sign), KeySpec::P256, NOW)).unwrap();
            longest = longest.max(start.elapsed());
        }
        done.store(true, Ordering::Relaxed);
        // A loaded machine gets room; minutes would be a fault.
        assert!(longest < Duration::from_secs(20), "a writer waited {longest:?}");
        for reader in readers {
            let longest = reader.join().unwrap();
            assert!(longest < Duration::from_secs(20), "a reader waited {longest:?}");
        }
        println!("writer {longest:?}");
    });
}
