//! OpenSSL 3.0's `cms` command, both ways: RSA, PSS and ECDSA signatures, RSA and SM2 envelopes, streamed BER.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use aecm_core::embed::OsRng;
use aecm_core::limits::Limits;
use aecm_core::time::Time;
use aecm_interop::keys;
use aecm_interop::tools::Desk;
use aecm_smime::Error;
use aecm_smime::decrypt::{Content, decrypt};
use aecm_smime::encrypt::{ContentCipher, Encryptor, Transport};
use aecm_smime::sign::{SignedMessage, sign};
use aecm_smime::verify::{Policy, Verdict, Verifier};

const CONTENT: &[u8] = b"Content-Type: text/plain\r\n\r\nhello peer world\r\n";

fn now() -> Time {
    // Within the validity of the key folder's certificates, whenever the test runs.
    Time::from_rfc3339("2026-12-01T00:00:00Z").expect("a time")
}

#[tokio::test]
async fn openssl_verifies_our_rsa_and_ecdsa_signatures() {
    for (name, family) in [("rsa-sig", "rsa"), ("p256-sig", "p256")] {
        for detached in [false, true] {
            let identity = keys::signer(name);
            let draft = sign(SignedMessage::new(CONTENT).detached(detached), &[&identity]).await.unwrap();
            let desk = Desk::new();
            desk.put("signed.der", draft.to_der());
            desk.put("content", CONTENT);
            let given = if detached { "-content content" } else { "" };
            let line = format!(
                "cms -verify -binary -inform DER -in signed.der {given} -CAfile {} -purpose smimesign -out out",
                keys::path(&format!("{family}-ca.crt"))
            );
            desk.openssl(&line).expect_ok(&line);
            assert_eq!(desk.get("out"), CONTENT, "{name} detached {detached}");
            let other = line.replace(&format!("{family}-ca.crt"), "sm2-ca.crt");
            desk.openssl(&other).expect_refusal("another CA");
            if detached {
                desk.put("content", [CONTENT, b"x"].concat());
                desk.openssl(&line).expect_refusal("other content");
            }
        }
    }
}

#[test]
fn we_verify_what_openssl_signs() {
    let variants = [
        ("rsa-sig", "rsa", ""),
        ("rsa-sig", "rsa", "-stream"),
        ("rsa-sig", "rsa", "-keyid"),
        ("rsa-sig", "rsa", "-md sha512"),
        ("rsa-sig", "rsa", "-cades"),
        ("rsa-sig", "rsa", "-keyopt rsa_padding_mode:pss -keyopt rsa_pss_saltlen:32"),
        ("p256-sig", "p256", ""),
        ("p256-sig", "p256", "-stream"),
        ("p256-sig", "p256", "-noattr"),
    ];
    for (name, family, options) in variants {
        for layout in ["-nodetach", ""] {
            let desk = Desk::new();
            desk.put("content", CONTENT);
            let line = format!(
                "cms -sign -binary -in content -outform DER -out signed.der -signer {} -inkey {} {options} {layout}",
                keys::path(&format!("{name}.crt")),
                keys::path(&format!("{name}.key"))
            );
            desk.openssl(&line).expect_ok(&line);
            let detached = layout.is_empty().then_some(CONTENT);
            let (anchors, policy) = (keys::anchors(&[family]), Policy::modern());
            let alice = "alice@example.test".parse().unwrap();
            let report = Verifier::new(&anchors, &policy)
                .at(now())
                .email(&alice)
                .verify(&desk.get("signed.der"), detached)
                .unwrap_or_else(|error| panic!("{line}: {error}"));
            assert_eq!(report.verdict, Verdict::Valid, "{line}: {:?}", report.all_reasons());
            // And other content is refused: detached, or changed inside.
            let (mut other, mut signed) = (CONTENT.to_vec(), desk.get("signed.der"));
            other[40] ^= 1;
            let place = signed.windows(CONTENT.len()).position(|window| window == CONTENT);
            if let Some(place) = place {
                signed[place + 40] ^= 1;
            }
            let again = Verifier::new(&anchors, &policy).at(now());
            let report = again.verify(&signed, place.is_none().then_some(&other)).unwrap();
            assert_eq!(report.verdict, Verdict::Invalid, "{line}");
            assert!(report.content.is_none(), "{line}");
            // With -stream and DER, OpenSSL puts the content inside although it was asked for a detached
            // signature; a second content that differs is not silently passed over (S12).
            let inside = layout == "-nodetach" || options == "-stream";
            assert_eq!(place.is_some(), inside, "{line}");
            if inside {
                let two = again.verify(&desk.get("signed.der"), Some(&other));
                assert_eq!(two.err(), Some(Error::TwoContents), "{line}");
            }
        }
    }
}

#[test]
fn openssl_decrypts_our_rsa_and_sm2_envelopes() {
    let variants = [
        ("rsa-enc", ContentCipher::Aes256Gcm, Transport::RsaOaepSha256),
        ("rsa-enc", ContentCipher::Aes128Gcm, Transport::RsaOaepSha256),
        ("rsa-enc", ContentCipher::Aes256Cbc, Transport::RsaOaepSha256),
        ("rsa-enc", ContentCipher::Aes128Cbc, Transport::RsaPkcs1),
        ("rsa-enc", ContentCipher::Sm4Cbc, Transport::RsaOaepSha256),
        ("sm2-enc", ContentCipher::Sm4Cbc, Transport::Sm2),
        ("sm2-enc", ContentCipher::Aes256Cbc, Transport::Sm2),
        ("sm2-enc", ContentCipher::Aes256Gcm, Transport::Sm2),
    ];
    for (name, cipher, transport) in variants {
        for length in [1, 15, 16, 17, 4_096] {
            let content = vec![0x61; length];
            let cms = Encryptor::new(cipher)
                .recipient(&keys::certificate(name), transport)
                .encrypt(&content, &OsRng)
                .unwrap();
            let desk = Desk::new();
            desk.put("sealed.der", cms);
            let line = format!(
                "cms -decrypt -binary -inform DER -in sealed.der -recip {} -inkey {} -out out",
                keys::path(&format!("{name}.crt")),
                keys::path(&format!("{name}.key"))
            );
            desk.openssl(&line).expect_ok(&format!("{name} {cipher:?} {length}"));
            assert_eq!(desk.get("out"), content, "{name} {cipher:?} {length}");
        }
    }
}

#[tokio::test]
async fn we_decrypt_what_openssl_encrypts() {
    let oaep = "-keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256 -keyopt rsa_mgf1_md:sha256";
    let variants = [
        ("-aes-256-gcm", oaep, true),
        ("-aes-128-gcm", "", true),
        ("-aes-256-gcm", "-keyopt rsa_padding_mode:oaep", true),
        ("-aes-256-cbc", oaep, false),
        ("-aes-128-cbc", "", false),
        ("-sm4-cbc", oaep, false),
    ];
    for (cipher, padding, authenticated) in variants {
        for stream in ["", "-stream"] {
            for keyid in ["", "-keyid"] {
                let desk = Desk::new();
                desk.put("content", CONTENT);
                // The options of a recipient follow it.
                let line = format!(
                    "cms -encrypt -binary -in content {cipher} {stream} {keyid} -outform DER -out sealed.der -recip {} {padding}",
                    keys::path("rsa-enc.crt")
                );
                desk.openssl(&line).expect_ok(&line);
                let recipients = [keys::recipient("rsa-enc")];
                let opened = decrypt(&desk.get("sealed.der"), &recipients, &Limits::default())
                    .await
                    .unwrap_or_else(|error| panic!("{line}: {error}"));
                match opened.content {
                    Content::Authenticated(content) => {
                        assert!(authenticated, "{line}");
                        assert_eq!(content.as_slice(), CONTENT, "{line}");
                    }
                    Content::Unauthenticated(content) => {
                        assert!(!authenticated, "{line}");
                        assert_eq!(content.as_unauthenticated(), CONTENT, "{line}");
                    }
                }
                // Another key of the same family opens nothing.
                let stranger = [keys::recipient("sm2-enc")];
                assert!(decrypt(&desk.get("sealed.der"), &stranger, &Limits::default()).await.is_err());
            }
        }
    }
}
