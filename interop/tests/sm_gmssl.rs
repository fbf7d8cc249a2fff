//! GmSSL's library (PyPI `gmssl-pyx`) and aecm-sm do SM2, SM3 and SM4 alike, in both directions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use aecm_interop::tools::{Desk, driver, prepared};
use aecm_sm::sm2::{CiphertextForm, DEFAULT_ID, PrivateKey, PublicKey, Signature};
use aecm_sm::sm3::{self, kdf};
use aecm_sm::sm4::{self, Gcm, cbc_decrypt, cbc_encrypt, gcm_open};
use getrandom::SysRng;

fn hex(octets: &[u8]) -> String {
    octets.iter().fold("0x".to_owned(), |text, octet| format!("{text}{octet:02x}"))
}

fn octets(text: &str) -> Vec<u8> {
    let digits = text.strip_prefix("0x").unwrap_or_else(|| panic!("not octets: {text}"));
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

/// The answers of GmSSL, one for each line.
fn gmssl(calls: &[String]) -> Vec<String> {
    let desk = Desk::new();
    let input = desk.put("calls", calls.join("\n") + "\n");
    let answer = desk
        .run(
            "sh",
            &[
                "-c",
                &format!(
                    "exec '{}' '{}' < '{}'",
                    prepared("AECM_PYTHON"),
                    driver("gmssl_peer.py"),
                    input.display()
                ),
            ],
        )
        .expect_ok("gmssl-pyx");
    let answers: Vec<String> = answer.text().lines().map(str::to_owned).collect();
    assert_eq!(answers.len(), calls.len(), "{answers:?}");
    answers
}

fn keys(count: usize) -> Vec<PrivateKey> {
    (0..count).map(|_| PrivateKey::generate(&mut SysRng).unwrap()).collect()
}

/// X‖Y, as GmSSL wants it.
fn point(key: &PublicKey) -> String {
    hex(&key.to_sec1_bytes()[1..])
}

fn noise(length: usize) -> Vec<u8> {
    let mut noise = vec![0; length];
    getrandom::fill(&mut noise).unwrap();
    noise
}

#[test]
fn gmssl_verifies_our_sm2_signatures() {
    let mut calls = Vec::new();
    for key in keys(20) {
        for id in [DEFAULT_ID, b"alice@example.test"] {
            let message = noise(77);
            let signature = key.sign(id, &message, &mut SysRng).unwrap().to_der();
            let call = |message: &[u8], id: &[u8]| {
                let (key, id) = (point(key.public_key()), hex(id));
                format!("sm2_verify {key} {} {} {id}", hex(message), hex(&signature))
            };
            calls.extend([
                call(&message, id),
                call(&message[1..], id),
                call(&message, b"mallory@example.test"),
            ]);
        }
    }
    for answers in gmssl(&calls).chunks(3) {
        assert_eq!(answers, ["true", "false", "false"]);
    }
}

#[test]
fn we_verify_the_sm2_signatures_of_gmssl() {
    let keys = keys(20);
    let ids = [DEFAULT_ID, b"alice@example.test"];
    let signed: Vec<_> = keys.iter().flat_map(|key| ids.map(|id| (key, id, noise(77)))).collect();
    let calls: Vec<_> = signed
        .iter()
        .map(|(key, id, message)| {
            let (d, point) = (hex(&*key.to_bytes()), point(key.public_key()));
            format!("sm2_sign {d} {point} {} {}", hex(message), hex(id))
        })
        .collect();
    for ((key, id, message), answer) in signed.iter().zip(gmssl(&calls)) {
        let signature = Signature::from_der(&octets(&answer)).unwrap();
        key.public_key().verify(id, message, &signature).unwrap();
        key.public_key().verify(id, &message[1..], &signature).unwrap_err();
        key.public_key().verify(b"mallory@example.test", message, &signature).unwrap_err();
    }
}

#[test]
fn sm2_ciphertexts_cross_to_and_from_gmssl() {
    let keys = keys(20);
    let plain: Vec<_> = (0..keys.len()).map(|place| noise(1 + 13 * place)).collect();
    let mut calls = Vec::new();
    for (key, plain) in keys.iter().zip(&plain) {
        calls.push(format!("sm2_encrypt {} {}", point(key.public_key()), hex(plain)));
        let mut der = key.public_key().encrypt_der(plain, &mut SysRng).unwrap();
        calls.push(format!("sm2_decrypt {} {}", hex(&*key.to_bytes()), hex(&der)));
        *der.last_mut().unwrap() ^= 1;
        calls.push(format!("sm2_decrypt {} {}", hex(&*key.to_bytes()), hex(&der)));
    }
    for ((key, plain), answers) in keys.iter().zip(&plain).zip(gmssl(&calls).chunks(3)) {
        let der = octets(&answers[0]);
        assert_eq!(*key.decrypt(&der, CiphertextForm::Der).unwrap(), *plain);
        assert_eq!(octets(&answers[1]), *plain);
        assert_eq!(answers[2], "refused", "one bit off");
    }
}

#[test]
fn sm3_of_gmssl_is_ours() {
    let inputs: Vec<_> =
        (0..130).chain([1000, 4096]).map(|length| (noise(1 + length % 70), noise(length))).collect();
    let mut calls = Vec::new();
    for (key, data) in inputs.iter().filter(|(_, data)| !data.is_empty()) {
        calls.push(format!("sm3_hash {}", hex(data)));
        calls.push(format!("sm3_hmac {} {}", hex(key), hex(data)));
        calls.push(format!("sm3_kdf {} {}", hex(data), key.len()));
    }
    let inputs = inputs.iter().filter(|(_, data)| !data.is_empty());
    for ((key, data), answers) in inputs.zip(gmssl(&calls).chunks(3)) {
        assert_eq!(octets(&answers[0]), sm3::hash(data));
        // It takes keys of 16 to 64 octets only.
        if answers[1] == "refused" {
            assert!(!(16..=64).contains(&key.len()), "{} octets", key.len());
        } else {
            assert_eq!(octets(&answers[1]), sm3::hmac(key, data));
        }
        assert_eq!(octets(&answers[2]), *kdf(&[data], key.len()).unwrap());
    }
}

#[test]
fn sm4_crosses_to_and_from_gmssl() {
    let (key, iv): ([u8; 16], [u8; 16]) = (noise(16).try_into().unwrap(), noise(16).try_into().unwrap());
    let (nonce, aad): ([u8; 12], _) = (noise(12).try_into().unwrap(), noise(20));
    let inputs: Vec<_> = [1, 15, 16, 17, 100, 1024, 5000].map(noise).into();
    let mut calls = Vec::new();
    for plain in &inputs {
        let (key, iv, nonce, aad) = (hex(&key), hex(&iv), hex(&nonce), hex(&aad));
        calls.push(format!("sm4_cbc_padding_encrypt {key} {iv} {}", hex(plain)));
        calls.push(format!("sm4_ctr_encrypt {key} {iv} {}", hex(plain)));
        calls.push(format!("sm4_gcm_encrypt {key} {nonce} {aad} {}", hex(plain)));
    }
    for (plain, answers) in inputs.iter().zip(gmssl(&calls).chunks(3)) {
        let cbc = octets(&answers[0]);
        assert_eq!(cbc_encrypt(&key, &iv, plain), cbc);
        assert_eq!(*cbc_decrypt(&key, &iv, &cbc).unwrap(), *plain);
        let mut ctr = plain.clone();
        sm4::ctr(&key, &iv, &mut ctr);
        assert_eq!(octets(&answers[1]), ctr);
        let (data, tag) = answers[2].split_once(' ').unwrap();
        let (data, tag): (_, [u8; 16]) = (octets(data), octets(tag).try_into().unwrap());
        let mut own = plain.clone();
        assert_eq!(Gcm::new(&key).seal(&nonce, &aad, &mut own).unwrap(), tag);
        assert_eq!(own, data);
        assert_eq!(*gcm_open(&key, &nonce, &aad, &data, &tag).unwrap(), *plain);
        gcm_open(&key, &nonce, &aad[1..], &data, &tag).unwrap_err();
    }
    // Theirs reads ours.
    let calls: Vec<_> = inputs
        .iter()
        .flat_map(|plain| {
            let mut data = plain.clone();
            let tag = Gcm::new(&key).seal(&nonce, &aad, &mut data).unwrap();
            let cbc = cbc_encrypt(&key, &iv, plain);
            let (key, iv, nonce, aad) = (hex(&key), hex(&iv), hex(&nonce), hex(&aad));
            [
                format!("sm4_cbc_padding_decrypt {key} {iv} {}", hex(&cbc)),
                format!("sm4_gcm_decrypt {key} {nonce} {aad} {} {}", hex(&data), hex(&tag)),
            ]
        })
        .collect();
    for (plain, answers) in inputs.iter().zip(gmssl(&calls).chunks(2)) {
        assert_eq!(octets(&answers[0]), *plain);
        assert_eq!(octets(&answers[1]), *plain);
    }
}
