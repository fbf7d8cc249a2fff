//! Encrypted messages we write: exact DER, opened again, and every refusal.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(unreachable_pub, dead_code)]

#[path = "support/people.rs"]
mod people;

use aecm_core::certificate::{Certificate, KeyUsage};
use aecm_core::embed::{OsRng, Rng, RngError};
use aecm_core::limits::Limits;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::software::{KeySpec, SoftwareKey};
use aecm_core::tlv::{Reader, Rules, deviates_from_der};
use aecm_smime::cms::{Enveloped, Form};
use aecm_smime::decrypt::{Content, decrypt};
use aecm_smime::encrypt::{ContentCipher, EncryptError, Encryptor, Transport, UnusableCertificate};
use der::{Decode, Encode};
use people::{Authority, Profile, certificate, hex, issued, now, recipient, version};

const CONTENT: &[u8] = b"Content-Type: text/plain\r\n\r\nHello\r\n";

const CIPHERS: [ContentCipher; 6] = [
    ContentCipher::Aes128Gcm,
    ContentCipher::Aes256Gcm,
    ContentCipher::Aes128Cbc,
    ContentCipher::Aes256Cbc,
    ContentCipher::Sm4Gcm,
    ContentCipher::Sm4Cbc,
];

const TRANSPORTS: [(&str, Transport); 3] =
    [("rsa", Transport::RsaOaepSha256), ("rsa", Transport::RsaPkcs1), ("sm2", Transport::Sm2)];

fn assert_exact_enveloped(der: &[u8], authenticated: bool) {
    assert!(!deviates_from_der(der, &Limits::default()));
    let info = cms::content_info::ContentInfo::from_der(der).unwrap();
    assert_eq!(info.to_der().unwrap(), der);
    let inner = info.content.to_der().unwrap();
    if authenticated {
        let parsed: rasn_cms::AuthEnvelopedData = rasn::der::decode(&inner).unwrap();
        assert_eq!(rasn::der::encode(&parsed).unwrap(), inner);
    } else {
        let parsed = cms::enveloped_data::EnvelopedData::from_der(&inner).unwrap();
        assert_eq!(parsed.to_der().unwrap(), inner);
    }
}

#[tokio::test]
async fn every_cipher_with_every_transport() {
    for cipher in CIPHERS {
        for (family, transport) in TRANSPORTS {
            let keys = [recipient(family)];
            let encryptor = Encryptor::new(cipher).recipient(&keys[0].certificate, transport).at(now());
            for content in [CONTENT, b"", &[7; 16]] {
                let der = encryptor.encrypt(content, &OsRng).unwrap();
                assert_exact_enveloped(&der, cipher.is_authenticated());
                assert_eq!(version(&der), 0);
                let opened = decrypt(&der, &keys, &Limits::default()).await.unwrap();
                assert_eq!((opened.cipher, opened.form, opened.tolerances.len()), (cipher, Form::Rfc5652, 0));
                let octets = match opened.content {
                    Content::Authenticated(octets) if cipher.is_authenticated() => octets,
                    Content::Unauthenticated(octets) if !cipher.is_authenticated() => {
                        octets.into_unauthenticated()
                    }
                    _ => panic!("{cipher:?}"),
                };
                assert_eq!(*octets, content);
            }
            // Nothing repeats between two messages: key, nonce, ciphertext.
            assert_ne!(encryptor.encrypt(b"", &OsRng), encryptor.encrypt(b"", &OsRng));
        }
    }
}

#[tokio::test]
async fn gbt35275_form() {
    let keys = [recipient("sm2")];
    let encryptor = Encryptor::new(ContentCipher::Sm4Cbc).form(Form::Gbt35275);
    let der = encryptor.recipient(&keys[0].certificate, Transport::Sm2).encrypt(CONTENT, &OsRng).unwrap();
    assert!(!deviates_from_der(&der, &Limits::default()));
    assert_eq!(version(&der), 1);
    let parsed = Enveloped::parse(&der, &Limits::default()).unwrap();
    assert_eq!((parsed.form(), parsed.content_type()), (Form::Gbt35275, oid::GM_DATA));
    let opened = decrypt(&der, &keys, &Limits::default()).await.unwrap();
    assert_eq!((opened.form, opened.tolerances.len()), (Form::Gbt35275, 0));
    // RecipientInfo: SEQUENCE { version 1, issuerAndSerialNumber, .301.3 without parameters, OCTET STRING }
    assert!(contains(&der, &[0x30, 0x0b, 6, 9, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 1, 0x82, 0x2d, 3, 4]));
}

fn contains(octets: &[u8], wanted: &[u8]) -> bool {
    octets.windows(wanted.len()).any(|window| window == wanted)
}

#[test]
fn key_transport_identifiers_are_those_decided() {
    let oaep = "303c06092a864886f70d010107302fa00f300d06096086480165030402010500a11c301a06092a864886f70d010108300d06096086480165030402010500";
    for (family, transport, wanted) in [
        ("rsa", Transport::RsaOaepSha256, oaep),
        ("rsa", Transport::RsaPkcs1, "300d06092a864886f70d0101010500"),
        ("sm2", Transport::Sm2, "300b06092a811ccf5501822d03"),
    ] {
        let encryptor = Encryptor::new(ContentCipher::Aes256Gcm);
        let encryptor = encryptor.recipient(&certificate(&format!("{family}-enc")), transport);
        let der = encryptor.encrypt(CONTENT, &OsRng).unwrap();
        assert!(hex(&der).contains(wanted), "{transport}");
        // GCMParameters with ICVlen 16 in so many words (RFC 5084 §3.2, E2).
        assert!(contains(&der, &[2, 1, 16]));
    }
}

/// A25 and RFC 5652 §6.2: RSA and SM2 recipients of one message.
#[tokio::test]
async fn mixed_recipients_each_open_it() {
    let (rsa, sm2) = (recipient("rsa"), recipient("sm2"));
    let encryptor = Encryptor::new(ContentCipher::Aes256Gcm)
        .recipient(&rsa.certificate, Transport::RsaOaepSha256)
        .recipient(&sm2.certificate, Transport::Sm2)
        .recipient(&rsa.certificate, Transport::RsaOaepSha256);
    let der = encryptor.encrypt(CONTENT, &OsRng).unwrap();
    assert_exact_enveloped(&der, true);
    assert_eq!(
        Enveloped::parse(&der, &Limits::default()).unwrap().recipients().len(),
        2,
        "named twice, written once"
    );
    for keys in [[rsa], [sm2]] {
        let opened = decrypt(&der, &keys, &Limits::default()).await.unwrap();
        assert!(matches!(opened.content, Content::Authenticated(octets) if *octets == CONTENT));
    }
}

/// No message we write opens with an all-zero content key, and a source of zeros is refused.
#[test]
fn no_message_under_a_zero_key() {
    for cipher in CIPHERS {
        for (family, transport) in TRANSPORTS {
            let encryptor =
                Encryptor::new(cipher).recipient(&certificate(&format!("{family}-enc")), transport);
            let der = encryptor.encrypt(CONTENT, &OsRng).unwrap();
            let parsed = Enveloped::parse(&der, &Limits::default()).unwrap();
            let limits = Limits::default();
            let mut parameters = Reader::new(parsed.cipher().parameters.unwrap(), Rules::Der, &limits);
            let nonce = if cipher.is_authenticated() {
                parameters.sequence().unwrap().octet_string().unwrap().into_owned()
            } else {
                parameters.octet_string().unwrap().into_owned()
            };
            assert!(nonce.iter().any(|octet| *octet != 0));
            let key = vec![0; cipher.key_size()];
            let opened = cipher.open(&key, &nonce, &[], parsed.ciphertext().unwrap(), parsed.mac());
            assert!(opened.is_err() || *opened.unwrap() != CONTENT);
            assert_eq!(encryptor.encrypt(CONTENT, &Zeros), Err(EncryptError::Rng));
            assert_eq!(encryptor.encrypt(CONTENT, &Broken), Err(EncryptError::Rng));
        }
    }
}

struct Zeros;

impl Rng for Zeros {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RngError> {
        buffer.fill(0);
        Ok(())
    }
}

struct Broken;

impl Rng for Broken {
    fn fill(&self, _: &mut [u8]) -> Result<(), RngError> {
        Err(RngError)
    }
}

#[test]
fn encryptions_that_are_refused() {
    let (rsa, sm2) = (certificate("rsa-enc"), certificate("sm2-enc"));
    let (oaep, gcm) = (Transport::RsaOaepSha256, ContentCipher::Aes256Gcm);
    let refuse = |encryptor: Encryptor| encryptor.encrypt(CONTENT, &OsRng).unwrap_err();
    assert_eq!(refuse(Encryptor::new(gcm)), EncryptError::NoRecipient);
    let read_only = Encryptor::new(ContentCipher::Aes192Cbc).recipient(&rsa, oaep);
    assert_eq!(refuse(read_only), EncryptError::ReadOnlyCipher { cipher: ContentCipher::Aes192Cbc });
    for (certificate, transport) in [(&rsa, Transport::Sm2), (&sm2, oaep), (&sm2, Transport::RsaPkcs1)] {
        let encryptor = Encryptor::new(gcm).recipient(&rsa, oaep).recipient(certificate, transport);
        assert_eq!(refuse(encryptor), EncryptError::TransportMismatch { index: 1, transport });
    }
    let form = |cipher| Encryptor::new(cipher).form(Form::Gbt35275);
    assert!(matches!(
        refuse(form(ContentCipher::Sm4Gcm).recipient(&sm2, Transport::Sm2)),
        EncryptError::Form { .. }
    ));
    assert!(matches!(refuse(form(ContentCipher::Sm4Cbc).recipient(&rsa, oaep)), EncryptError::Form { .. }));
}

/// S14: what is not for encryption, and what is not valid now.
#[test]
fn certificates_that_are_not_encrypted_to() {
    let why = |certificate: &Certificate, transport, strict| {
        let encryptor = Encryptor::new(ContentCipher::Aes256Gcm).at(now()).single_usage(strict);
        match encryptor.recipient(certificate, transport).encrypt(CONTENT, &OsRng) {
            Err(EncryptError::Certificate { index: 0, why }) => Some(why.word()),
            Ok(_) => None,
            other => panic!("{other:?}"),
        }
    };
    let oaep = Transport::RsaOaepSha256;
    let profile = || Profile::encrypt("bob@example.org");
    let usages =
        |bits: &[KeyUsage]| Some(KeyUsage::from_bits(bits.iter().fold(0, |sum, usage| sum | usage.bits())));
    assert_eq!(why(&certificate("rsa-sig"), oaep, false), Some("usage-not-allowed"));
    assert_eq!(why(&certificate("sm2-sig"), Transport::Sm2, false), Some("usage-not-allowed"));
    assert_eq!(why(&certificate("p256-agr"), Transport::Ecdh, true), None);
    assert_eq!(why(&certificate("p256-sig"), Transport::Ecdh, false), Some("usage-not-allowed"));
    assert_eq!(why(&certificate("rsa-ca"), oaep, false), Some("not-a-leaf"));
    assert_eq!(why(&certificate("sm2-ca"), Transport::Sm2, false), Some("not-a-leaf"));
    let weak = Certificate::from_pem(include_str!("../../aecm-core/tests/vectors/weak/rsa1024.crt")).unwrap();
    assert_eq!(why(&weak, oaep, false), Some("weak-key"));
    assert_eq!(why(&issued("rsa", &profile()), oaep, true), None);
    assert_eq!(why(&issued("rsa", &Profile { usage: None, ..profile() }), oaep, true), None);
    let agreement = usages(&[KeyUsage::KEY_AGREEMENT]);
    assert_eq!(
        why(&issued("rsa", &Profile { usage: agreement, ..profile() }), oaep, false),
        Some("usage-not-allowed")
    );
    // A20: authorities of SM2 certificates name other encryption usages.
    let gm = usages(&[KeyUsage::DATA_ENCIPHERMENT, KeyUsage::KEY_AGREEMENT]);
    assert_eq!(why(&issued("sm2", &Profile { usage: gm, ..profile() }), Transport::Sm2, true), None);
    let dual = issued(
        "rsa",
        &Profile { usage: usages(&[KeyUsage::DIGITAL_SIGNATURE, KeyUsage::KEY_ENCIPHERMENT]), ..profile() },
    );
    assert_eq!(why(&dual, oaep, false), None);
    assert_eq!(why(&dual, oaep, true), Some("not-single-usage"));
    let tls = Profile { extended: vec![ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1")], ..profile() };
    assert_eq!(why(&issued("rsa", &tls), oaep, false), Some("usage-not-allowed"));
    let any = Profile { extended: vec![oid::ANY_EXTENDED_KEY_USAGE], ..profile() };
    assert_eq!(why(&issued("rsa", &any), oaep, false), None);
    let old = issued("rsa", &Profile { not_after: "2026-11-30T23:59:59Z", ..profile() });
    assert_eq!(why(&old, oaep, false), Some("expired"));
    let new = issued("rsa", &Profile { not_before: "2026-12-01T00:00:01Z", ..profile() });
    assert_eq!(why(&new, oaep, false), Some("not-yet-valid"));
    let last = issued("rsa", &Profile { not_after: "2026-12-01T00:00:00Z", ..profile() });
    assert_eq!(why(&last, oaep, false), None);
    let p384 = SoftwareKey::generate(KeySpec::P384, &OsRng).unwrap();
    let certificate = Authority::new().issue(p384.public_key(), &profile());
    // keyEncipherment is no usage of a key that agrees.
    assert_eq!(why(&certificate, Transport::Ecdh, false), Some(UnusableCertificate::KeyUsage.word()));
}
