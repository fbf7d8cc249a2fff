//! Replays the seeds of a fuzz target in plain `cargo test`, and a bounded number of inputs made from them: the
//! same ones on every run. Included by `tests/fuzz_seeds.rs` of each crate.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

/// THREATS A1: what is nested, however deep, is refused before it takes this stack.
const STACK: usize = 256 << 10;

/// No input is longer than this, in octets.
const LONGEST: usize = 64 << 10;

/// Runs `body` over every seed of `target`, inputs that nest deeply, and `rounds` changed seeds, on a small stack.
///
/// # Panics
/// When `body` does; the input is printed in hexadecimal.
pub fn replay(target: &str, body: fn(&[u8]), rounds: usize) {
    let seeds = seeds(target);
    let current: Arc<Mutex<Vec<u8>>> = Arc::default();
    let running = Arc::clone(&current);
    // A stack overflow ends the process and names the thread.
    let worker = thread::Builder::new().name(target.to_owned()).stack_size(STACK);
    let outcome = worker.spawn(move || {
        let run = |input: &[u8]| {
            input.clone_into(&mut running.lock().unwrap());
            body(input);
        };
        seeds.iter().for_each(|seed| run(seed));
        nested().iter().for_each(|input| run(input));
        let mut random = XorShift(0x9e37_79b9_7f4a_7c15);
        for _ in 0..rounds {
            run(&changed(&seeds, &mut random));
        }
    });
    if outcome.unwrap().join().is_err() {
        let input = current.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let hex: String = input.iter().map(|octet| format!("{octet:02x}")).collect();
        panic!("{target}: the target panicked (message above) for {} octets: {hex}", input.len());
    }
}

/// The seeds in the order of their names.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds").join(target);
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} holds no seeds", folder.display());
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Inputs that nest as deeply as their size allows, for every syntax that is read here.
fn nested() -> Vec<Vec<u8>> {
    let mut inputs: Vec<Vec<u8>> = vec![Vec::new()];
    // SEQUENCE, SET, OCTET STRING in pieces, [0], each of indefinite length.
    for tag in [0x30, 0x31, 0x24, 0xa0] {
        inputs.push([tag, 0x80].repeat(LONGEST / 2));
    }
    // The same with true lengths.
    let mut definite: Vec<u8> = Vec::new();
    while definite.len() < LONGEST / 8 {
        let length = u16::try_from(definite.len()).unwrap().to_be_bytes();
        let head = [0x30, 0x82, length[0], length[1]];
        definite.splice(0..0, head);
    }
    inputs.push(definite);
    for octets in ["(", "[", "{\"a\":", "[{\"a\":", "<", "\"", "a:", "=?utf-8?q?", "@", ",", "\r\n\t", "----"]
    {
        inputs.push(octets.repeat(LONGEST / octets.len()).into_bytes());
    }
    let comments = format!("From: {}a@example.test\r\n\r\n", "(".repeat(30_000));
    let mut parts = String::from("From: a@example.test\r\nMIME-Version: 1.0\r\n");
    for level in 0..600 {
        parts.push_str(&format!("Content-Type: multipart/mixed; boundary=\"{level}\"\r\n\r\n--{level}\r\n"));
    }
    inputs.push(comments.into_bytes());
    inputs.push(parts.into_bytes());
    inputs
}

/// One seed with one to four changes.
fn changed(seeds: &[Vec<u8>], random: &mut XorShift) -> Vec<u8> {
    let mut input = seeds[random.below(seeds.len())].clone();
    for _ in 0..=random.below(4) {
        let at = random.below(input.len() + 1);
        let end = (at + random.below(32)).min(input.len());
        match random.below(10) {
            0 if at < input.len() => input[at] ^= 1 << random.below(8),
            // Values at which lengths, tags and characters change their meaning.
            1 if at < input.len() => {
                input[at] =
                    [0, 1, 0x7f, 0x80, 0x81, 0x82, 0x84, 0xff, 0x30, 0xa0, b'\r', b'\n'][random.below(12)];
            }
            2 if at < input.len() => input[at] = random.octet(),
            3 => input.truncate(at),
            4 => drop(input.drain(at..end)),
            5 => input.insert(at, random.octet()),
            6 => {
                let piece = input[at..end].to_vec();
                input.splice(at..at, piece);
            }
            7 => {
                let other = &seeds[random.below(seeds.len())];
                let from = random.below(other.len() + 1);
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            8 => input[at..end].fill(0),
            _ => {
                let from = random.below(input.len() + 1);
                let piece = input[from..(from + 16).min(input.len())].to_vec();
                input.splice(at..end, piece);
            }
        }
    }
    input.truncate(LONGEST);
    input
}

/// Marsaglia's xorshift64: the same inputs everywhere, without a dependency.
struct XorShift(u64);

impl XorShift {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound.max(1)).unwrap();
        usize::try_from(self.next() % bound).unwrap()
    }

    fn octet(&mut self) -> u8 {
        self.next().to_be_bytes()[0]
    }
}
