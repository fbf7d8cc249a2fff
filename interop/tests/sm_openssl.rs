//! Debian's `openssl` and aecm-sm do SM2, SM3 and SM4 alike, in both directions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use aecm_interop::tools::Desk;
use aecm_sm::sm2::{CiphertextForm, PrivateKey, PublicKey, Signature};
use aecm_sm::{sm3, sm4};
use getrandom::SysRng;

const IDS: [&str; 2] = ["1234567812345678", "alice@example.test"];

fn noise(length: usize) -> Vec<u8> {
    let mut noise = vec![0; length];
    getrandom::fill(&mut noise).unwrap();
    noise
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// A key that openssl made, in its files and in ours.
fn key(desk: &Desk) -> PrivateKey {
    desk.openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:SM2 -out key").expect_ok("a key");
    desk.openssl("pkey -in key -pubout -out pub").expect_ok("its public half");
    // What it prints is d and the point, the octets in pairs.
    let text = desk.openssl("pkey -in key -noout -text").expect_ok("its numbers").text();
    let number = |name: &str| -> Vec<u8> {
        let (_, rest) = text.split_once(name).unwrap();
        let lines = rest.lines().skip(1).take_while(|line| line.starts_with(' '));
        let pairs: String = lines.collect();
        pairs
            .split([':', ' '])
            .filter(|pair| !pair.is_empty())
            .map(|pair| u8::from_str_radix(pair, 16).unwrap())
            .collect()
    };
    let d = number("priv:");
    let mut padded = [0; 32];
    let start = d.len().saturating_sub(32);
    let short = &d[start..];
    padded[32 - short.len()..].copy_from_slice(short);
    let key = PrivateKey::from_bytes(&padded).unwrap();
    assert_eq!(*key.public_key(), PublicKey::from_sec1_bytes(&number("pub:")).unwrap());
    key
}

#[test]
fn openssl_takes_our_sm2() {
    for id in IDS {
        let desk = Desk::new();
        let key = key(&desk);
        let message = noise(200);
        desk.put("message", &message);
        desk.put("signature", key.sign(id.as_bytes(), &message, &mut SysRng).unwrap().to_der());
        let verify = |id: &str| {
            desk.openssl(&format!(
                "pkeyutl -verify -pubin -inkey pub -rawin -digest sm3 -in message -sigfile signature -pkeyopt distid:{id}"
            ))
        };
        verify(id).expect_ok("our signature");
        verify("mallory@example.test").expect_refusal("another identifier");
        desk.put("message", &message[1..]);
        verify(id).expect_refusal("another message");

        for length in [1, 32, 33, 255, 1000] {
            let plain = noise(length);
            let mut der = key.public_key().encrypt_der(&plain, &mut SysRng).unwrap();
            desk.put("ciphertext", &der);
            let decrypt = || desk.openssl("pkeyutl -decrypt -inkey key -in ciphertext -out plain");
            decrypt().expect_ok("our ciphertext");
            assert_eq!(desk.get("plain"), plain);
            *der.last_mut().unwrap() ^= 1;
            desk.put("ciphertext", &der);
            decrypt().expect_refusal("one bit off");
        }
    }
}

#[test]
fn we_take_the_sm2_of_openssl() {
    for id in IDS {
        let desk = Desk::new();
        let key = key(&desk);
        let message = noise(200);
        desk.put("message", &message);
        desk.openssl(&format!(
            "pkeyutl -sign -inkey key -rawin -digest sm3 -in message -out signature -pkeyopt distid:{id}"
        ))
        .expect_ok("a signature");
        let signature = Signature::from_der(&desk.get("signature")).unwrap();
        key.public_key().verify(id.as_bytes(), &message, &signature).unwrap();
        key.public_key().verify(b"mallory@example.test", &message, &signature).unwrap_err();
        key.public_key().verify(id.as_bytes(), &message[1..], &signature).unwrap_err();

        for length in [1, 32, 33, 255, 1000] {
            let plain = desk.put("plain", noise(length));
            desk.openssl("pkeyutl -encrypt -pubin -inkey pub -in plain -out ciphertext")
                .expect_ok("a ciphertext");
            let mut der = desk.get("ciphertext");
            assert_eq!(*key.decrypt(&der, CiphertextForm::Der).unwrap(), std::fs::read(plain).unwrap());
            *der.last_mut().unwrap() ^= 1;
            key.decrypt(&der, CiphertextForm::Der).unwrap_err();
        }
    }
}

#[test]
fn sm3_and_sm4_of_openssl_are_ours() {
    let desk = Desk::new();
    let (key, iv): ([u8; 16], [u8; 16]) = (noise(16).try_into().unwrap(), noise(16).try_into().unwrap());
    for length in [0, 1, 15, 16, 17, 55, 56, 64, 119, 1000, 100_000] {
        let plain = noise(length);
        desk.put("plain", &plain);
        let hash = desk.openssl("dgst -sm3 -r plain").expect_ok("SM3").text();
        assert_eq!(hash.split_whitespace().next().unwrap(), hex(&sm3::hash(&plain)));
        let mac = desk.openssl(&format!("dgst -sm3 -mac HMAC -macopt hexkey:{} -r plain", hex(&key)));
        assert_eq!(
            mac.expect_ok("HMAC").text().split_whitespace().next().unwrap(),
            hex(&sm3::hmac(&key, &plain))
        );

        let run = |mode: &str, what: &str, from: &str| {
            let (key, iv) = (hex(&key), hex(&iv));
            desk.openssl(&format!("enc -sm4-{mode} {what} -K {key} -iv {iv} -in {from} -out out"))
                .expect_ok(mode);
            desk.get("out")
        };
        let cbc = run("cbc", "-e", "plain");
        assert_eq!(sm4::cbc_encrypt(&key, &iv, &plain), cbc);
        assert_eq!(*sm4::cbc_decrypt(&key, &iv, &cbc).unwrap(), plain);
        desk.put("own", sm4::cbc_encrypt(&key, &iv, &plain));
        assert_eq!(run("cbc", "-d", "own"), plain);
        let mut ctr = plain.clone();
        sm4::ctr(&key, &iv, &mut ctr);
        assert_eq!(run("ctr", "-e", "plain"), ctr);
    }
}
