//! `aecm provision` killed at any point, and run again until it is done: six certificates, one account, no key lost,
//! nothing certified twice (THREATS N6, K6).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use crate::support::{Bench, Served};

/// When a run is killed.
#[derive(Clone, Copy, Debug)]
enum At {
    /// When the vault was changed that many times: the client saves its state before everything it does outside.
    Change(u32),
    /// When the service has written that many transactions down: the answers are on their way.
    Transaction(u32),
    /// After so long.
    After(Duration),
}

/// The rows of the service's state by table and id, as its journal has them.
fn rows(bench: &Bench) -> BTreeMap<(String, String), Value> {
    let text = std::fs::read_to_string(bench.path("service/journal-0")).unwrap();
    let mut rows = BTreeMap::new();
    // Digest, blank, one transaction.
    for line in text.lines().filter(|line| line.len() > 65 && line.as_bytes()[64] == b' ') {
        let changes: Vec<(String, String, Value)> = serde_json::from_str(&line[65..]).unwrap();
        for (table, id, row) in changes {
            if row.is_null() {
                rows.remove(&(table, id));
            } else {
                rows.insert((table, id), row);
            }
        }
    }
    rows
}

/// The rows of a table that are about a mailbox.
fn of<'a>(rows: &'a BTreeMap<(String, String), Value>, table: &str, mailbox: &str) -> Vec<&'a Value> {
    let about = |row: &&Value| row["mailbox"].as_str() == Some(mailbox);
    rows.iter().filter(|((name, _), _)| name == table).map(|(_, row)| row).filter(about).collect()
}

/// Something that changes: an index that is replaced, a journal that grows.
fn mark(path: &Path) -> Option<(SystemTime, u64)> {
    let about = std::fs::metadata(path).ok()?;
    use std::os::unix::fs::MetadataExt as _;
    Some((about.modified().ok()?, about.len() ^ about.ino().rotate_left(32)))
}

/// Kills the child at that point; true where it had ended before.
fn kill_at(child: &mut Child, at: At, vault: &Path, journal: &Path) -> bool {
    let began = Instant::now();
    let (path, wanted) = match at {
        At::Change(wanted) => (vault, wanted),
        At::Transaction(wanted) => (journal, wanted),
        At::After(_) => (vault, u32::MAX),
    };
    let (mut last, mut seen) = (mark(path), 0);
    loop {
        if child.try_wait().unwrap().is_some() {
            return true;
        }
        let now = mark(path);
        if now != last {
            (last, seen) = (now, seen + 1);
        }
        let over = matches!(at, At::After(time) if began.elapsed() >= time);
        if seen >= wanted || over {
            // SIGKILL: nothing is flushed, nothing said.
            child.kill().unwrap();
            child.wait().unwrap();
            return false;
        }
        assert!(began.elapsed() < Duration::from_secs(120), "{at:?}: the run neither ends nor moves");
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// Runs and kills until a run ends by itself; gives how many were killed.
fn until_done(bench: &Bench, served: &Served, name: &str, mut at: impl FnMut(u32) -> At) -> u32 {
    let mailbox = format!("{name}@example.test");
    let words = bench.provision_words(served, &mailbox, name, "--classic ecc --timeout 2m");
    let (vault, journal) = (bench.path(name).join("index"), bench.path("service/journal-0"));
    for killed in 0..120 {
        let out = std::fs::File::create(bench.path("out.json")).unwrap();
        let log = std::fs::File::create(bench.path("log.txt")).unwrap();
        let mut child =
            bench.command(&words).stdout(Stdio::from(out)).stderr(Stdio::from(log)).spawn().unwrap();
        if kill_at(&mut child, at(killed), &vault, &journal) {
            let said = std::fs::read_to_string(bench.path("out.json")).unwrap();
            let page: Value = serde_json::from_str(&said).unwrap();
            assert_eq!(page["verdict"], "valid", "{name} after {killed} kills: {page}");
            return killed;
        }
    }
    panic!("{name}: 120 kills and no end");
}

/// What has to hold in the end, whatever happened on the way.
fn check(bench: &Bench, served: &Served, name: &str) {
    let mailbox = format!("{name}@example.test");
    let again = bench.provision(served, &mailbox, name, "--classic ecc").valid();
    let slots = again["slots"].as_array().unwrap();
    assert_eq!(slots.len(), 6, "{name}: {again}");
    assert!(slots.iter().all(|slot| slot["state"] == "present"), "{name}: {again}");

    let rows = rows(bench);
    let issued = of(&rows, "certificate", &mailbox);
    assert_eq!(issued.len(), 6, "{name}: nothing is certified twice");
    let accounts: BTreeSet<&str> = issued.iter().map(|row| row["account"].as_str().unwrap()).collect();
    assert_eq!(accounts.len(), 1, "{name}: one account");
    let orders = of(&rows, "order", &mailbox);
    let by: BTreeSet<&str> = orders.iter().map(|row| row["account"].as_str().unwrap()).collect();
    assert_eq!(by, accounts, "{name}: no orders by another account");
    let finalized: Vec<&str> = orders.iter().filter_map(|row| row["certificate"].as_str()).collect();
    let distinct: BTreeSet<&str> = finalized.iter().copied().collect();
    assert_eq!((finalized.len(), distinct.len()), (6, 6), "{name}: each certificate is of one order");

    // Every certificate of the service is in the vault, so its key is.
    let serials: BTreeSet<&str> = slots.iter().map(|slot| slot["serial"].as_str().unwrap()).collect();
    assert_eq!(serials.len(), 6, "{name}: {again}");
}

/// A generator for the test's own choices.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

/// How many mailboxes are tried: `AECM_KILLED_SOAK` names more for a longer run (CONTRIBUTING).
fn rounds() -> u64 {
    std::env::var("AECM_KILLED_SOAK").map_or(1, |number| number.parse().expect("a number of rounds"))
}

#[test]
fn provisioning_survives_being_killed_anywhere() {
    let bench = Bench::new();
    let served = bench.serve("");
    let mut killed = 0;
    for round in 0..rounds() {
        let mut dice = Dice(0x5eed + round);
        // Before each thing that is done outside: run k gets past change k of the vault.
        let name = format!("saved{round}");
        let offset = u32::try_from(dice.roll(3)).unwrap();
        killed += until_done(&bench, &served, &name, |run| At::Change(run % 7 + 2 + offset));
        check(&bench, &served, &name);
        // After the service has done its part, before or while the answer arrives.
        let name = format!("answered{round}");
        killed += until_done(&bench, &served, &name, |run| At::Transaction(run % 4 + 1));
        check(&bench, &served, &name);
        // Anywhere.
        let name = format!("anywhere{round}");
        // Later with every run: a busy machine may get nowhere in the first moments.
        let some = move |run| At::After(Duration::from_millis(500 + dice.roll(1_500) + 100 * u64::from(run)));
        killed += until_done(&bench, &served, &name, some);
        check(&bench, &served, &name);
    }
    assert!(killed >= 20, "{killed} runs were killed");
    // Nobody but the three of each round has an account.
    let accounts = rows(&bench).into_keys().filter(|(table, _)| table == "account").count();
    assert_eq!(u64::try_from(accounts).unwrap(), 3 * rounds());
}
