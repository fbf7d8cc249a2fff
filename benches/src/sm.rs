//! "What does SM2 cost me": the same jobs with SM2, SM3, SM4 and with what they replace.

use std::sync::Arc;

use aecm_core::digest::DigestAlgorithm;
use aecm_core::embed::{OsRng, RandCore};
use aecm_core::key::{Decryptor, RecipientParameters, Signer};
use aecm_core::public_key::KeyKind;
use aecm_core::signature::Sm2Id;
use aecm_core::software::{KeySpec, SoftwareKey};
use aecm_sm::sm2::{CiphertextForm, DEFAULT_ID, PrivateKey};
use aecm_smime::cipher::ContentCipher;
use signature::{RandomizedSigner, Verifier};

use crate::people::signer;
use crate::{Job, ready};

/// What is signed and encrypted: as long as a digest or a content key.
const MESSAGE: [u8; 32] = [0x5a; 32];

/// What is hashed and enciphered, in octets.
const LONG: usize = 64 << 10;

const SPECS: [(KeySpec, &str); 4] = [
    (KeySpec::Rsa(3072), "RSA-3072"),
    (KeySpec::Rsa(2048), "RSA-2048"),
    (KeySpec::P256, "ECDSA P-256"),
    (KeySpec::Sm2, "SM2"),
];

/// All jobs, the keys made.
#[must_use]
pub fn jobs() -> Vec<Job> {
    let mut jobs = signatures();
    jobs.extend(key_transport());
    for (digest, name) in [
        (DigestAlgorithm::Sha256, "SHA-256"),
        (DigestAlgorithm::Sha512, "SHA-512"),
        (DigestAlgorithm::Sm3, "SM3"),
    ] {
        let data = vec![0x5a; LONG];
        jobs.push(Job::new("hash 64 KiB", name, move || digest.digest(&data)));
    }
    jobs.extend(ciphers());
    jobs.sort_by_key(|job| GROUPS.iter().position(|group| *group == job.group));
    jobs
}

const GROUPS: [&str; 7] = [
    "sign 32 octets",
    "verify a signature",
    "encrypt a content key",
    "decrypt a content key",
    "hash 64 KiB",
    "encrypt 64 KiB",
    "decrypt 64 KiB",
];

fn signatures() -> Vec<Job> {
    let mut jobs = Vec::new();
    for (spec, name) in SPECS {
        let signer = signer(spec);
        let algorithm = signer.algorithm();
        let key = signer.public_key().clone();
        let value = ready(signer.sign(algorithm, &MESSAGE)).expect("a signature");
        jobs.push(Job::new("sign 32 octets", name, move || {
            ready(signer.sign(algorithm, &MESSAGE)).expect("a signature")
        }));
        jobs.push(Job::new("verify a signature", name, move || {
            key.verify(algorithm, Sm2Id::Default, &MESSAGE, &value).expect("a good signature");
        }));
    }
    // The crate whose arithmetic is under ours, used directly.
    let ours = PrivateKey::generate(&mut RandCore(&OsRng)).expect("a key");
    let id = core::str::from_utf8(DEFAULT_ID).expect("the default identifier is text");
    let peer = sm2::dsa::SigningKey::from_slice(id, &*ours.to_bytes()).expect("a key");
    let key = peer.verifying_key().clone();
    let value = sign_with(&peer);
    jobs.push(Job::new("sign 32 octets", "SM2, crate sm2", move || sign_with(&peer)));
    jobs.push(Job::new("verify a signature", "SM2, crate sm2", move || {
        key.verify(&MESSAGE, &value).expect("a good signature");
    }));
    jobs
}

fn sign_with(peer: &sm2::dsa::SigningKey) -> sm2::dsa::Signature {
    peer.try_sign_with_rng(&mut RandCore(&OsRng), &MESSAGE).expect("a signature")
}

fn key_transport() -> Vec<Job> {
    let mut jobs = Vec::new();
    for (spec, name) in
        [(KeySpec::Rsa(3072), "RSA-3072 OAEP"), (KeySpec::Rsa(2048), "RSA-2048 OAEP"), (KeySpec::Sm2, "SM2")]
    {
        let decryptor = SoftwareKey::generate(spec, &OsRng).expect("a key").into_decryptor(Arc::new(OsRng));
        let key = decryptor.public_key().clone();
        let encrypt = move || match key.kind() {
            KeyKind::Sm2 => key.encrypt_sm2_der(&MESSAGE, &OsRng),
            _ => key.encrypt_rsa_oaep(DigestAlgorithm::Sha256, &MESSAGE, &OsRng),
        };
        let wrapped = encrypt().expect("a ciphertext");
        let parameters = match spec {
            KeySpec::Sm2 => RecipientParameters::Sm2 { form: CiphertextForm::Der },
            _ => RecipientParameters::RsaOaep {
                digest: DigestAlgorithm::Sha256,
                mgf_digest: DigestAlgorithm::Sha256,
                label: &[],
            },
        };
        jobs.push(Job::new("encrypt a content key", name, move || encrypt().expect("a ciphertext")));
        jobs.push(Job::new("decrypt a content key", name, move || {
            let key = ready(decryptor.unwrap_key(&parameters, &wrapped, MESSAGE.len())).expect("a key");
            assert_eq!(key.as_slice(), MESSAGE);
        }));
    }
    jobs
}

fn ciphers() -> Vec<Job> {
    let mut jobs = Vec::new();
    for (cipher, name) in [
        (ContentCipher::Aes256Gcm, "AES-256-GCM"),
        (ContentCipher::Aes256Cbc, "AES-256-CBC"),
        (ContentCipher::Sm4Gcm, "SM4-GCM"),
        (ContentCipher::Sm4Cbc, "SM4-CBC"),
    ] {
        let (key, nonce, data) = (vec![1; cipher.key_size()], vec![2; cipher.nonce_size()], vec![0x5a; LONG]);
        let sealed = cipher.seal(&key, &nonce, &[], &data).expect("a ciphertext");
        let (other_key, other_nonce) = (key.clone(), nonce.clone());
        jobs.push(Job::new("encrypt 64 KiB", name, move || {
            cipher.seal(&key, &nonce, &[], &data).expect("a ciphertext")
        }));
        jobs.push(Job::new("decrypt 64 KiB", name, move || {
            cipher.open(&other_key, &other_nonce, &[], &sealed.ciphertext, &sealed.tag).expect("the content")
        }));
    }
    jobs
}
