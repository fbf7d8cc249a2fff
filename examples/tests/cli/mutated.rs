//! Changed, cut and mixed inputs: no command panics, hangs, or says valid of what it did not verify.
//!
//! 1,000 inputs a line by default; `AECM_MUTATIONS=6000` asks for as many as that, more than 100,000 in all
//! (CONTRIBUTING.md).

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::support::{World, file};

/// A small generator (xorshift64*), so that a failure can be made again from its number.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let value = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(value).unwrap() % below.max(1)
    }
}

fn mutate(octets: &[u8], others: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut changed = octets.to_vec();
    for _ in 0..=dice.roll(3) {
        if changed.is_empty() {
            break;
        }
        let place = dice.roll(changed.len());
        match dice.roll(7) {
            0 => changed[place] ^= 1 << dice.roll(8),
            1 => changed[place] = u8::try_from(dice.roll(256)).unwrap(),
            2 => changed.truncate(place),
            3 => {
                let end = (place + 1 + dice.roll(16)).min(changed.len());
                changed.drain(place..end);
            }
            4 => {
                let end = (place + 1 + dice.roll(64)).min(changed.len());
                let piece = changed[place..end].to_vec();
                changed.splice(place..place, piece);
            }
            // The first octets of a value: tag and length.
            5 => changed[place] = [0x00, 0x1f, 0x30, 0x31, 0x7f, 0x80, 0x81, 0x84, 0xa0, 0xff][dice.roll(10)],
            _ => {
                let other = &others[dice.roll(others.len())];
                let from = dice.roll(other.len());
                let to = (from + dice.roll(64)).min(other.len());
                changed.splice(place..place, other[from..to].iter().copied());
            }
        }
    }
    changed
}

/// How many inputs for each line.
fn rounds() -> usize {
    std::env::var("AECM_MUTATIONS").ok().map_or(1_000, |text| text.parse().unwrap())
}

/// `line` names its changed file as `$m`. What it may exit with when nothing was changed is left to it.
fn run(line: &str, seeds: &[&str]) {
    run_in(&World::in_memory(), line, seeds, &[]);
}

/// The same. What is found good says of `facts` (JSON pointers) what is said of a seed: nobody's change came through.
fn run_for(line: &str, seeds: &[&str], facts: &[&str]) {
    run_in(&World::in_memory(), line, seeds, facts);
}

fn run_in(world: &World, line: &str, seeds: &[&str], facts: &[&str]) {
    let seeds: Vec<Vec<u8>> = seeds.iter().map(|name| file(name)).collect();
    let told = |page: &Value| -> Vec<Value> {
        facts.iter().map(|fact| page.pointer(fact).cloned().unwrap_or_default()).collect()
    };
    let known: BTreeSet<String> = seeds
        .iter()
        .map(|seed| {
            world.write("m", seed);
            format!("{:?}", told(&world.json(line).json))
        })
        .collect();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for round in 0..rounds() {
        let seed = &seeds[dice.roll(seeds.len())];
        let changed = mutate(seed, &seeds, &mut dice);
        world.write("m", &changed);
        let start = Instant::now();
        let ran = world.json(line);
        let context = || format!("round {round} of {line}: {}", ran.json);
        assert!(start.elapsed() < Duration::from_secs(20), "slow: {}", context());
        assert!(ran.status <= 2, "{}", context());
        // Reasons go with every verdict against.
        assert!(ran.status == 0 || !ran.reasons().is_empty(), "{}", context());
        if matches!(ran.verdict(), "valid" | "accept") && !facts.is_empty() {
            assert!(
                known.contains(&format!("{:?}", told(&ran.json))),
                "a change came through: {}",
                context()
            );
        }
    }
}

const CMS: &[&str] = &[
    "peers/signed/bc172-sm2.der",
    "peers/signed/openssl30-rsa-pkcs1-ber.der",
    "peers/signed/nss387-rsa.der",
    "openssl/attached.pem",
    "peers/eml/openssl30-rsa-multipart.eml",
    "openssl/opaque.eml",
];
const ENVELOPES: &[&str] = &[
    "peers/enveloped/openssl30-oaep-gcm.der",
    "peers/enveloped/gmsm-sm2-sm4cbc.der",
    "peers/enveloped/bc186-sm2-sm4cbc.der",
    "peers/enveloped/nss387-rsa-ber.der",
    "openssl/gcm-signed.eml",
    "openssl/cbc-signed.eml",
];
const RSA: &str = "--key @keys/rsa-enc.key --cert @keys/rsa-enc.crt";
const SM2: &str = "--key @keys/sm2-enc.key --cert @keys/sm2-enc.crt";

#[test]
fn verify() {
    let line = "verify $m --trust @keys/rsa-ca.crt --trust @keys/sm2-ca.crt";
    run_for(line, CMS, &["/content_sha256"]);
}

#[test]
fn decrypt() {
    run_for(&format!("decrypt $m {RSA} {SM2}"), ENVELOPES, &["/content_sha256"]);
}

#[test]
fn decrypt_with_secrets() {
    let key = "000102030405060708090a0b0c0d0e0f";
    let seeds = [
        "openssl/encrypted-data.der",
        "openssl/shared-key.der",
        "openssl/compressed.der",
        "peers/enveloped/openssl30-ecdh-cbc.der",
    ];
    run(&format!("decrypt $m --secret-key {key} --secret-key-id c0fefe --key @keys/p256-agr.key"), &seeds);
}

#[test]
fn open() {
    let seeds: Vec<&str> =
        CMS.iter().chain(ENVELOPES).copied().filter(|name| name.ends_with(".eml")).collect();
    run_for(&format!("open $m {RSA} {SM2} --trust @keys/rsa-ca.crt"), &seeds, &["/content_sha256"]);
}

#[test]
fn inspect() {
    let mut seeds = [CMS, ENVELOPES].concat();
    seeds.extend([
        "peers/keys/sm2-sig.key",
        "peers/p12/bc186-rsa.p12",
        "openssl/good.crl",
        "openssl/ocsp-good.der",
        "peers/tsp/sha256.tsq",
    ]);
    run("inspect $m", &seeds);
}

#[test]
fn timestamp_verify() {
    let seeds = [
        "peers/tsp/openssl30-rsa-sha256.tsr",
        "peers/tsp/bc186-sm2-sm3.tsr",
        "peers/tsp/openssl30-rejection-status.tsr",
    ];
    let line = "timestamp verify $m --data @msg.txt --trust @keys/rsa-ca.crt --trust @keys/sm2-ca.crt";
    run_for(line, &seeds, &["/gen_time", "/serial", "/signer/sha256"]);
}

#[test]
fn timestamp_verify_of_a_request() {
    let seeds = ["peers/tsp/sha256.tsq", "peers/tsp/sm3.tsq"];
    run("timestamp verify @tsp/openssl30-rsa-sha256.tsr --request $m --trust @keys/rsa-ca.crt", &seeds);
}

#[test]
fn cert_verify() {
    let seeds = [
        "peers/keys/rsa-sig.crt",
        "peers/keys/sm2-sig.crt",
        "openssl/level-mv.crt",
        "openssl/odd.crt",
        "openssl/certs-only.der",
    ];
    let line = "cert verify $m --trust @keys/rsa-ca.crt --trust @keys/sm2-ca.crt --trust @keys/p256-ca.crt";
    run_for(line, &seeds, &["/certificate/sha256"]);
}

#[test]
fn revocation() {
    run(
        "cert verify @keys/rsa-sig.crt --trust @keys/rsa-ca.crt --crl $m",
        &["openssl/good.crl", "openssl/revoked.crl"],
    );
    run(
        "cert verify @keys/rsa-sig.crt --trust @keys/rsa-ca.crt --ocsp $m",
        &["openssl/ocsp-good.der", "openssl/ocsp-revoked.der"],
    );
}

#[test]
fn csr() {
    let seeds = ["openssl/csr-dns.pem", "peers/keys/sm2-sig.csr", "peers/keys/rsa-sig.csr"];
    run_for("csr $m", &seeds, &["/subject", "/emails", "/key"]);
}

#[test]
fn key() {
    run(
        "key $m",
        &["peers/keys/p256-sig.key", "openssl/sec1.key", "openssl/sm2-sig.der", "openssl/encrypted.key"],
    );
}

/// The work that a changed count of iterations asks for is bounded, here to what the seeds ask for.
const DERIVATION: &str = "--limits pbkdf2_iterations=5000";

#[test]
fn key_under_a_password() {
    run(&format!("key $m --password test {DERIVATION}"), &["openssl/encrypted.key"]);
}

#[test]
fn p12() {
    let seeds = ["openssl/rsa-sig.p12", "peers/p12/bc186-rsa.p12", "peers/p12/openssl30-sm2.p12"];
    run(&format!("p12 $m --password test {DERIVATION}"), &seeds);
}

#[test]
fn challenge_mail() {
    const MAIL: &str = "../../../aecm-acme/tests/vectors/mail";
    let world = World::in_memory();
    world.write("c.json", r#"{"identifier":{"type":"email","value":"bob@example.test"}}"#);
    let zone = String::from_utf8(file(&format!("{MAIL}/dkim-dns.txt"))).unwrap();
    let record = zone.split('"').nth(1).unwrap();
    world.write("d.json", serde_json::json!({ "sel._domainkey.ca.example.test": record }).to_string());
    let seed = format!("{MAIL}/acme2certifier-challenge.eml");
    for set in ["rfc8823", "relaxed"] {
        let line = format!("challenge-mail $m --challenge $c.json --dns $d.json --signed-headers {set}");
        run_in(&world, &line, &[&seed], &["/token_part1"]);
    }
}

#[test]
fn sign_and_encrypt_mail() {
    let seeds = ["openssl/opaque.eml", "peers/eml/openssl30-rsa-multipart.eml", "peers/msg.txt"];
    run("sign $m --mail --key @keys/p256-sig.key --cert @keys/p256-sig.crt --out $o", &seeds);
    run("encrypt $m --mail --to @keys/sm2-enc.crt --out $o", &seeds);
    run("encrypt @msg.txt --to $m --out $o", &["peers/keys/sm2-enc.crt", "peers/keys/rsa-enc.crt"]);
}

/// The generator gives the same inputs again, and changes them.
#[test]
fn mutations_repeat() {
    let seeds = [file("peers/msg.txt")];
    let make = || {
        let mut dice = Dice(7);
        (0..50).map(|_| mutate(&seeds[0], &seeds, &mut dice)).collect::<Vec<_>>()
    };
    assert_eq!(make(), make());
    assert!(make().iter().filter(|changed| **changed != seeds[0]).count() > 40);
}
