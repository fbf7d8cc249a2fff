//! Keys through the traits that the other crates use, and against certificates and requests of OpenSSL.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use aecm_core::digest::DigestAlgorithm;
use aecm_core::embed::OsRng;
use aecm_core::key::{Decryptor, KeyError, RecipientParameters, Signer};
use aecm_core::limits::Limits;
use aecm_core::public_key::{KeyKind, PublicKey, VerifyError};
use aecm_core::signature::{SignatureAlgorithm, Sm2Id};
use aecm_core::software::{KeySpec, SoftwareKey};
use aecm_core::tlv::{Reader, Rules, write};
use aecm_sm::sm2::CiphertextForm;
use base64ct::{Base64, Encoding};

const SPECS: [KeySpec; 4] = [KeySpec::Rsa(2048), KeySpec::P256, KeySpec::P384, KeySpec::Sm2];

/// The parts that a certificate and a request have in common.
struct Signed {
    content: Vec<u8>,
    algorithm: Vec<u8>,
    signature: Vec<u8>,
}

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/keys")
}

fn text(name: &str) -> String {
    std::fs::read_to_string(vectors().join(name)).unwrap()
}

fn signed(name: &str) -> Signed {
    let body: String = text(name).lines().filter(|line| !line.starts_with('-')).collect();
    let der = Base64::decode_vec(&body).unwrap();
    let limits = Limits::default();
    let mut outer = Reader::new(&der, Rules::Der, &limits);
    let mut fields = outer.sequence().unwrap();
    let content = fields.any().unwrap().bytes().to_vec();
    let algorithm = fields.algorithm().unwrap().bytes.to_vec();
    let signature = fields.bit_string().unwrap().to_vec();
    fields.finish().unwrap();
    Signed { content, algorithm, signature }
}

fn verify(signed: &Signed, key: &PublicKey) -> Result<SignatureAlgorithm, String> {
    let limits = Limits::default();
    let identifier = Reader::new(&signed.algorithm, Rules::Der, &limits).algorithm().unwrap();
    let algorithm =
        SignatureAlgorithm::from_identifier(&identifier, key, None).map_err(|error| error.to_string())?;
    key.verify(algorithm, Sm2Id::Default, &signed.content, &signed.signature)
        .map_err(|error| error.to_string())?;
    Ok(algorithm)
}

#[test]
fn certificates_and_requests_of_openssl_verify_with_their_keys_and_no_other() {
    let key = |name: &str| SoftwareKey::from_pem(&text(name)).unwrap().public_key().clone();
    let families = [
        ("rsa", "enc", SignatureAlgorithm::RsaPkcs1(DigestAlgorithm::Sha256)),
        ("p256", "agr", SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256)),
        ("sm2", "enc", SignatureAlgorithm::Sm2Sm3),
    ];
    for (family, encrypting, algorithm) in families {
        let authority = key(&format!("{family}-ca.key"));
        assert_eq!(verify(&signed(&format!("{family}-ca.crt")), &authority), Ok(algorithm));
        for role in ["sig", encrypting, "tsa"] {
            let own = key(&format!("{family}-{role}.key"));
            let (certificate, request) =
                (signed(&format!("{family}-{role}.crt")), signed(&format!("{family}-{role}.csr")));
            assert_eq!(verify(&certificate, &authority), Ok(algorithm));
            assert_eq!(verify(&request, &own), Ok(algorithm));
            assert_eq!(verify(&certificate, &own), Err(VerifyError::Mismatch.to_string()));
            assert_eq!(verify(&request, &authority), Err(VerifyError::Mismatch.to_string()));
            for (other, _, _) in families.iter().filter(|(other, _, _)| *other != family) {
                let error = verify(&request, &key(&format!("{other}-ca.key"))).unwrap_err();
                assert!(error.contains("does not go with a key of kind"), "{error}");
            }
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn signers_of_every_kind_are_objects() {
    let signers: Vec<Arc<dyn Signer>> = SPECS
        .iter()
        .map(|spec| -> Arc<dyn Signer> {
            Arc::new(SoftwareKey::generate(*spec, &OsRng).unwrap().into_signer(Arc::new(OsRng)))
        })
        .collect();
    for signer in &signers {
        let signature = signer.sign(signer.algorithm(), b"message").await.unwrap();
        for other in &signers {
            let verified =
                other.public_key().verify(signer.algorithm(), Sm2Id::Default, b"message", &signature);
            assert_eq!(verified.is_ok(), Arc::ptr_eq(signer, other));
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn many_tasks_share_one_key() {
    let key = SoftwareKey::generate(KeySpec::Sm2, &OsRng).unwrap();
    let signer: Arc<dyn Signer> = Arc::new(key.into_signer(Arc::new(OsRng)));
    let tasks: Vec<_> = (0..8_u8)
        .map(|number| {
            let signer = Arc::clone(&signer);
            tokio::spawn(async move { (number, signer.sign(signer.algorithm(), &[number]).await.unwrap()) })
        })
        .collect();
    for task in tasks {
        let (number, signature) = task.await.unwrap();
        let verify = |message: &[u8]| {
            signer.public_key().verify(signer.algorithm(), Sm2Id::Default, message, &signature)
        };
        assert_eq!(verify(&[number]), Ok(()));
        assert_eq!(verify(&[number + 1]), Err(VerifyError::Mismatch));
    }
}

/// What a sender does and a receiver does, with another receiver's key, and with one octet changed (THREATS E1).
#[tokio::test(flavor = "current_thread")]
async fn a_content_key_reaches_its_recipient_only() {
    let content_key = [0x42; 32];
    for spec in [KeySpec::Rsa(2048), KeySpec::Sm2] {
        let make = || -> Arc<dyn Decryptor> {
            Arc::new(SoftwareKey::generate(spec, &OsRng).unwrap().into_decryptor(Arc::new(OsRng)))
        };
        let (recipient, stranger) = (make(), make());
        let key = recipient.public_key();
        let (parameters, mut wrapped) = match key.kind() {
            KeyKind::Rsa { .. } => (
                RecipientParameters::RsaOaep {
                    digest: DigestAlgorithm::Sha256,
                    mgf_digest: DigestAlgorithm::Sha256,
                    label: b"",
                },
                key.encrypt_rsa_oaep(DigestAlgorithm::Sha256, &content_key, &OsRng).unwrap(),
            ),
            _ => (
                RecipientParameters::Sm2 { form: CiphertextForm::Der },
                key.encrypt_sm2_der(&content_key, &OsRng).unwrap(),
            ),
        };
        assert_eq!(recipient.unwrap_key(&parameters, &wrapped, 32).await.unwrap().as_slice(), content_key);
        assert_ne!(stranger.unwrap_key(&parameters, &wrapped, 32).await.unwrap().as_slice(), content_key);
        *wrapped.last_mut().unwrap() ^= 1;
        let replaced = recipient.unwrap_key(&parameters, &wrapped, 32).await.unwrap();
        assert_ne!(replaced.as_slice(), content_key);
        assert_eq!(replaced, recipient.unwrap_key(&parameters, &wrapped, 32).await.unwrap());
    }
}

/// THREATS E1, many times over: PKCS#1 v1.5 ciphertexts at random give keys of the asked length, each stable, none
/// an error, whatever length the implicit rejection below chose.
#[tokio::test(flavor = "current_thread")]
async fn random_pkcs1_ciphertexts_never_fail() {
    let key = SoftwareKey::from_pem(&text("rsa-enc.key")).unwrap().into_decryptor(Arc::new(OsRng));
    let mut seen = std::collections::HashSet::new();
    for number in 0..64_u8 {
        let mut ciphertext = DigestAlgorithm::Sha512.digest(&[number]).repeat(4);
        ciphertext[0] &= 0x7f;
        let first = key.unwrap_key(&RecipientParameters::RsaPkcs1, &ciphertext, 16).await.unwrap();
        let second = key.unwrap_key(&RecipientParameters::RsaPkcs1, &ciphertext, 16).await.unwrap();
        assert_eq!(first, second);
        assert!(seen.insert(first.to_vec()));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_decryptor_proves_possession_and_signs_nothing_else() {
    for spec in SPECS {
        let key: Arc<dyn Decryptor> =
            Arc::new(SoftwareKey::generate(spec, &OsRng).unwrap().into_decryptor(Arc::new(OsRng)));
        let request = write::sequence(&[
            &write::small(0),
            &write::sequence(&[]),
            key.public_key().spki_der(),
            &write::explicit(0, &[]),
        ]);
        let signature = key.prove_possession(&request).await.unwrap();
        let verified = key.public_key().verify(key.proof_algorithm(), Sm2Id::Default, &request, &signature);
        assert_eq!(verified, Ok(()));
        for octets in [b"message".as_slice(), &request[1..], &[], key.public_key().spki_der()] {
            let refused = key.prove_possession(octets).await;
            assert!(matches!(refused, Err(KeyError::Refused(_))), "{refused:?}");
        }
    }
}
