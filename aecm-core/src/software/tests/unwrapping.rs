use alloc::vec::Vec;

use aecm_sm::sm2::CiphertextForm;

use super::*;
use crate::key::{Decryptor, RecipientParameters};
use crate::public_key::EncryptError;
use DigestAlgorithm::{Sha1, Sha256, Sha384, Sha512, Sm3};

const KEY: &[u8] = fixture!("key.bin");
const PKCS1: RecipientParameters<'_> = RecipientParameters::RsaPkcs1;
const SM2: RecipientParameters<'_> = RecipientParameters::Sm2 { form: CiphertextForm::Der };

fn oaep(digest: DigestAlgorithm) -> RecipientParameters<'static> {
    RecipientParameters::RsaOaep { digest, mgf_digest: digest, label: b"" }
}

fn rsa() -> SoftwareDecryptor {
    key(pem!("rsa.key")).into_decryptor(rng())
}

fn sm2() -> SoftwareDecryptor {
    key(pem!("sm2.key")).into_decryptor(rng())
}

async fn open(
    key: &SoftwareDecryptor,
    parameters: &RecipientParameters<'_>,
    ciphertext: &[u8],
    length: usize,
) -> Vec<u8> {
    // THREATS E1: never an error.
    let opened = key.unwrap_key(parameters, ciphertext, length).await.unwrap().to_vec();
    assert_eq!(opened.len(), length);
    opened
}

#[tokio::test]
async fn ciphertexts_of_openssl_are_opened() {
    let label = [1, 2, 3, 4];
    let made = [
        (oaep(Sha1), fixture!("oaep-sha1.bin")),
        (oaep(Sha256), fixture!("oaep-sha256.bin")),
        (oaep(Sha512), fixture!("oaep-sha512.bin")),
        (
            RecipientParameters::RsaOaep { digest: Sha256, mgf_digest: Sha1, label: b"" },
            fixture!("oaep-sha256-mgfsha1.bin"),
        ),
        (
            RecipientParameters::RsaOaep { digest: Sha256, mgf_digest: Sha256, label: &label },
            fixture!("oaep-label.bin"),
        ),
        (PKCS1, fixture!("pkcs1.bin")),
    ];
    for (parameters, ciphertext) in made {
        assert_eq!(open(&rsa(), &parameters, ciphertext, 16).await, KEY, "{parameters:?}");
        // Under the parameters of every other one: not the key, and no error.
        for (other, _) in made {
            if other != parameters {
                assert_ne!(open(&rsa(), &other, ciphertext, 16).await, KEY, "{parameters:?} as {other:?}");
            }
        }
    }
    assert_eq!(open(&sm2(), &SM2, fixture!("sm2-cipher.bin"), 16).await, KEY);
}

#[tokio::test]
async fn what_we_encrypt_is_opened() {
    for length in [16, 24, 32, 48, 64] {
        let content_key = &MESSAGE.repeat(2)[..length];
        for digest in [Sha256, Sha384, Sha512] {
            let wrapped = rsa().public_key().encrypt_rsa_oaep(digest, content_key, &*rng()).unwrap();
            assert_eq!(open(&rsa(), &oaep(digest), &wrapped, length).await, content_key);
        }
        let wrapped = rsa().public_key().encrypt_rsa_pkcs1(content_key, &*rng()).unwrap();
        assert_eq!(open(&rsa(), &PKCS1, &wrapped, length).await, content_key);
        let wrapped = sm2().public_key().encrypt_sm2_der(content_key, &*rng()).unwrap();
        assert_eq!(open(&sm2(), &SM2, &wrapped, length).await, content_key);
    }
}

/// THREATS G8: the orders of the parts by their name, and no guessing.
#[tokio::test]
async fn raw_sm2_forms_are_opened_by_their_name() {
    let cipher = fixture!("sm2-cipher.bin");
    let limits = crate::limits::Limits::default();
    let mut outer = crate::tlv::Reader::new(cipher, crate::tlv::Rules::Der, &limits);
    let mut fields = outer.sequence().unwrap();
    let number = |octets: &[u8]| {
        let mut padded = alloc::vec![0; 40 - octets.len()];
        padded.extend_from_slice(octets);
        padded[8..].to_vec()
    };
    let (x, y) = (number(fields.integer().unwrap()), number(fields.integer().unwrap()));
    let (c3, c2) = (fields.octet_string().unwrap().to_vec(), fields.octet_string().unwrap().to_vec());
    let new = [&[4][..], &x, &y, &c3, &c2].concat();
    let old = [&[4][..], &x, &y, &c2, &c3].concat();
    let form = |form| RecipientParameters::Sm2 { form };
    assert_eq!(open(&sm2(), &form(CiphertextForm::C1C3C2), &new, 16).await, KEY);
    assert_eq!(open(&sm2(), &form(CiphertextForm::C1C2C3), &old, 16).await, KEY);
    for (form, ciphertext) in [
        (form(CiphertextForm::C1C2C3), new.as_slice()),
        (form(CiphertextForm::C1C3C2), &old),
        (form(CiphertextForm::C1C3C2), cipher),
        (SM2, &new),
    ] {
        assert_ne!(open(&sm2(), &form, ciphertext, 16).await, KEY);
    }
}

/// THREATS E1: bad padding, bad length, bad C3, octets that are no ciphertext at all: a key of the asked length,
/// the same at every call, another for every ciphertext.
#[tokio::test]
async fn failures_give_a_stable_key_and_no_error() {
    let mut seen = Vec::new();
    for (own, parameters, good) in [
        (key(pem!("rsa.key")), oaep(Sha256), fixture!("oaep-sha256.bin")),
        (key(pem!("rsa.key")), PKCS1, fixture!("pkcs1.bin")),
        (key(pem!("sm2.key")), SM2, fixture!("sm2-cipher.bin")),
    ] {
        let again = SoftwareKey::from_pkcs8_der(&own.to_pkcs8_der()).unwrap();
        let (key, again) = (own.into_decryptor(rng()), again.into_decryptor(Arc::new(crate::embed::OsRng)));
        let flip = |at: usize| {
            let mut changed = good.to_vec();
            changed[at] ^= 1;
            changed
        };
        let bad = [
            flip(good.len() - 1),
            flip(good.len() / 2),
            flip(0),
            good[..good.len() - 1].to_vec(),
            good[1..].to_vec(),
            [good, &[0]].concat(),
            Vec::new(),
            alloc::vec![0; good.len()],
            alloc::vec![0xff; good.len()],
            alloc::vec![0xff; 5000],
        ];
        for ciphertext in bad {
            let first = open(&key, &parameters, &ciphertext, 32).await;
            assert_eq!(first, open(&key, &parameters, &ciphertext, 32).await);
            // The same key read again, with another random source: the same octets.
            assert_eq!(first, open(&again, &parameters, &ciphertext, 32).await);
            assert!(first.iter().any(|octet| *octet != 0));
            assert_ne!(first[..16], *KEY);
            seen.push((key.public_key().kind(), ciphertext, first));
        }
    }
    for (at, (kind, ciphertext, opened)) in seen.iter().enumerate() {
        for (other_kind, other_ciphertext, other) in &seen[at + 1..] {
            let same = kind == other_kind && ciphertext == other_ciphertext;
            assert_eq!(opened == other, same);
        }
    }
}

/// THREATS E1: a good ciphertext of a key of another length than the cipher's fails like any other.
#[tokio::test]
async fn keys_of_another_length_are_replaced() {
    for (key, parameters, good) in [
        (rsa(), oaep(Sha256), fixture!("oaep-sha256.bin")),
        (rsa(), PKCS1, fixture!("pkcs1.bin")),
        (sm2(), SM2, fixture!("sm2-cipher.bin")),
    ] {
        for length in [1, 8, 15, 17, 24, 32, 128] {
            let opened = open(&key, &parameters, good, length).await;
            let shared = length.min(16);
            if length >= 8 {
                assert_ne!(opened[..shared], KEY[..shared], "not the key cut or padded");
            }
            assert_eq!(opened, open(&key, &parameters, good, length).await);
        }
        // What is given instead depends on the length asked for.
        let (short, long) =
            (open(&key, &parameters, good, 15).await, open(&key, &parameters, good, 32).await);
        assert_ne!(short[..], long[..15]);
    }
}

/// One secret for a key: what OAEP and PKCS#1 v1.5 put in place of a ciphertext of wrong size is the same.
#[tokio::test]
async fn the_replacement_depends_on_key_and_ciphertext_only() {
    let bad = &fixture!("oaep-sha256.bin")[..255];
    let of_oaep = open(&rsa(), &oaep(Sha256), bad, 16).await;
    assert_eq!(of_oaep, open(&rsa(), &oaep(Sha1), bad, 16).await);
    assert_eq!(of_oaep, open(&rsa(), &PKCS1, bad, 16).await);
    assert_ne!(of_oaep, open(&sm2(), &SM2, bad, 16).await);
    let other = SoftwareKey::generate(KeySpec::Rsa(2048), &*rng()).unwrap().into_decryptor(rng());
    assert_ne!(of_oaep, open(&other, &oaep(Sha256), bad, 16).await);
}

/// An error is only what everybody can see: the kind of the key, the algorithm, the length, a dead source.
#[tokio::test]
async fn what_a_key_cannot_do_is_an_error() {
    let unsupported = |opened: Result<Zeroizing<Vec<u8>>, KeyError>| {
        assert!(matches!(opened, Err(KeyError::Unsupported(_))), "{opened:?}");
    };
    let p256 = key(pem!("p256.key")).into_decryptor(rng());
    for parameters in [oaep(Sha256), PKCS1, SM2] {
        unsupported(p256.unwrap_key(&parameters, fixture!("pkcs1.bin"), 16).await);
    }
    unsupported(rsa().unwrap_key(&SM2, fixture!("sm2-cipher.bin"), 16).await);
    unsupported(sm2().unwrap_key(&PKCS1, fixture!("pkcs1.bin"), 16).await);
    unsupported(rsa().unwrap_key(&oaep(Sm3), fixture!("oaep-sha256.bin"), 16).await);
    let mgf = RecipientParameters::RsaOaep { digest: Sha256, mgf_digest: Sm3, label: b"" };
    unsupported(rsa().unwrap_key(&mgf, fixture!("oaep-sha256.bin"), 16).await);
    for length in [0, 129, 1 << 20, usize::MAX] {
        unsupported(rsa().unwrap_key(&PKCS1, fixture!("pkcs1.bin"), length).await);
    }
    let broken = key(pem!("rsa.key")).into_decryptor(Arc::new(Broken));
    let opened = broken.unwrap_key(&PKCS1, fixture!("pkcs1.bin"), 16).await;
    assert_eq!(opened.unwrap_err(), KeyError::Rng);
}

#[test]
fn encryption_is_refused_where_it_makes_no_sense() {
    let (rsa, sm2) = (rsa(), sm2());
    let (rsa, sm2) = (rsa.public_key(), sm2.public_key());
    let unsupported = |made: Result<Vec<u8>, EncryptError>| {
        assert!(matches!(made, Err(EncryptError::Unsupported { .. })), "{made:?}");
    };
    unsupported(rsa.encrypt_rsa_oaep(Sha1, KEY, &*rng()));
    unsupported(rsa.encrypt_rsa_oaep(Sm3, KEY, &*rng()));
    unsupported(rsa.encrypt_sm2_der(KEY, &*rng()));
    unsupported(sm2.encrypt_rsa_oaep(Sha256, KEY, &*rng()));
    unsupported(sm2.encrypt_rsa_pkcs1(KEY, &*rng()));

    assert_eq!(rsa.encrypt_rsa_oaep(Sha256, &[], &*rng()), Err(EncryptError::Empty));
    assert_eq!(rsa.encrypt_rsa_pkcs1(&[], &*rng()), Err(EncryptError::Empty));
    assert_eq!(sm2.encrypt_sm2_der(&[], &*rng()), Err(EncryptError::Empty));
    assert!(rsa.encrypt_rsa_oaep(Sha256, &[7; 190], &*rng()).is_ok());
    assert_eq!(rsa.encrypt_rsa_oaep(Sha256, &[7; 191], &*rng()), Err(EncryptError::TooLong { octets: 191 }));
    assert!(rsa.encrypt_rsa_pkcs1(&[7; 245], &*rng()).is_ok());
    assert_eq!(rsa.encrypt_rsa_pkcs1(&[7; 246], &*rng()), Err(EncryptError::TooLong { octets: 246 }));
    assert_eq!(rsa.encrypt_rsa_oaep(Sha256, KEY, &Broken), Err(EncryptError::Rng));
    assert_eq!(rsa.encrypt_rsa_pkcs1(KEY, &Broken), Err(EncryptError::Rng));
    assert_eq!(sm2.encrypt_sm2_der(KEY, &Broken), Err(EncryptError::Rng));
}
