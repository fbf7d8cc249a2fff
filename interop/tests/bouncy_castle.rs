//! Bouncy Castle 1.72: SM2, RSA and ECDSA SignedData, SM2/SM3 and RSA timestamps, envelopes; both ways.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use aecm_core::digest::DigestAlgorithm;
use aecm_core::embed::{Clock, OsRng, SystemClock};
use aecm_core::limits::Limits;
use aecm_core::time::Time;
use aecm_interop::keys;
use aecm_interop::tools::{Answer, Desk};
use aecm_smime::Tolerance;
use aecm_smime::decrypt::{Content, DecryptError, decrypt};
use aecm_smime::encrypt::{ContentCipher, Encryptor, Transport};
use aecm_smime::sign::{SignedMessage, sign};
use aecm_smime::verify::{Policy, Verdict, Verifier};
use aecm_timestamp::{Request, TimestampPolicy, Unit, verify_response};

const CONTENT: &[u8] = b"hello peer world\r\n";

fn now() -> Time {
    Time::from_rfc3339("2026-12-01T00:00:00Z").expect("a time")
}

/// "OK" alone in the last line is its yes.
fn says_ok(answer: &Answer) -> bool {
    answer.ok && answer.text().ends_with("OK\n")
}

#[tokio::test]
async fn bouncy_castle_verifies_our_signatures() {
    for (name, ca, other) in
        [("sm2-sig", "sm2-ca", "p256-ca"), ("rsa-sig", "rsa-ca", "sm2-ca"), ("p256-sig", "p256-ca", "rsa-ca")]
    {
        let identity = keys::signer(name);
        let desk = Desk::new();
        for detached in [false, true] {
            let message = SignedMessage::new(CONTENT).detached(detached);
            desk.put("signed.der", sign(message, &[&identity]).await.unwrap().to_der());
            desk.put("content", CONTENT);
            let content = if detached { "content" } else { "" };
            let line = format!("verify {} signed.der {content}", keys::path(&format!("{ca}.crt")));
            let answer = desk.bouncy_castle(&line);
            assert!(says_ok(&answer), "{line}: {} {}", answer.text(), answer.err);
            if name == "sm2-sig" {
                assert!(
                    answer.text().contains("sigAlg=1.2.156.10197.1.501 dig=1.2.156.10197.1.401"),
                    "{}",
                    answer.text()
                );
            }
            if detached {
                desk.put("content", b"hello pear world\r\n");
                assert!(!says_ok(&desk.bouncy_castle(&line)), "{line}: other content");
            }
        }
        let line = format!("verify {} signed.der content", keys::path(&format!("{other}.crt")));
        assert!(!says_ok(&desk.bouncy_castle(&line)), "{line}: another CA");
    }
}

#[test]
fn we_verify_what_bouncy_castle_signs() {
    for (algorithm, name, family) in [
        ("SM3WITHSM2", "sm2-sig", "sm2"),
        ("SHA256WITHRSA", "rsa-sig", "rsa"),
        ("SHA256WITHECDSA", "p256-sig", "p256"),
    ] {
        for layout in ["", "stream"] {
            let desk = Desk::new();
            desk.put("content", CONTENT);
            let line = format!(
                "sign {algorithm} {} {} content signed.der {layout}",
                keys::path(&format!("{name}.crt")),
                keys::path(&format!("{name}.key"))
            );
            let answer = desk.bouncy_castle(&line);
            assert!(answer.ok, "{line}: {} {}", answer.text(), answer.err);
            let (anchors, policy) = (keys::anchors(&[family]), Policy::modern());
            let alice = "alice@example.test".parse().unwrap();
            let report = Verifier::new(&anchors, &policy)
                .at(now())
                .email(&alice)
                .verify(&desk.get("signed.der"), None)
                .unwrap();
            assert_eq!(report.verdict, Verdict::Valid, "{line}: {:?}", report.all_reasons());
            assert_eq!(report.tolerances.contains(&Tolerance::BerEncoding), layout == "stream", "{line}");

            let mut signed = desk.get("signed.der");
            let place = signed.windows(5).position(|window| window == b"hello").unwrap();
            signed[place] = b'H';
            let report = Verifier::new(&anchors, &policy).at(now()).verify(&signed, None).unwrap();
            assert_eq!(report.verdict, Verdict::Invalid, "{line}");
        }
    }
}

#[tokio::test]
async fn bouncy_castle_verifies_our_timestamps() {
    for (name, ca, digest) in
        [("sm2-tsa", "sm2-ca", DigestAlgorithm::Sm3), ("rsa-tsa", "rsa-ca", DigestAlgorithm::Sha256)]
    {
        let unit = Unit::new(keys::signer(name), "1.2.3.4.1".parse().unwrap());
        let request = Request::new(digest, &digest.digest(CONTENT), [7; 8]).unwrap();
        let answer = unit.answer(&request.to_der(), now(), &[0x11; 8]).await;
        let desk = Desk::new();
        desk.put("q.tsq", request.to_der());
        desk.put("a.tsr", answer);
        let line = format!("tsv {} q.tsq a.tsr", keys::path(&format!("{ca}.crt")));
        let said = desk.bouncy_castle(&line).expect_ok(name);
        assert!(said.text().starts_with("OK "), "{name}: {} {}", said.text(), said.err);
        // The answer to another question.
        let other = Request::new(digest, &digest.digest(b"other"), [7; 8]).unwrap();
        desk.put("q.tsq", other.to_der());
        desk.bouncy_castle(&line).expect_refusal("another imprint");
    }
}

#[test]
fn we_verify_the_timestamps_of_bouncy_castle() {
    for (algorithm, name, ca, digest) in [
        ("SM3WITHSM2", "sm2-tsa", "sm2-ca", DigestAlgorithm::Sm3),
        ("SHA256WITHRSA", "rsa-tsa", "rsa-ca", DigestAlgorithm::Sha256),
    ] {
        let request = Request::new(digest, &digest.digest(CONTENT), [9; 8]).unwrap();
        let desk = Desk::new();
        desk.put("q.tsq", request.to_der());
        let line = format!(
            "tsr {algorithm} {} {} {} q.tsq a.tsr",
            keys::path(&format!("{name}.crt")),
            keys::path(&format!("{name}.key")),
            keys::path(&format!("{ca}.crt"))
        );
        let said = desk.bouncy_castle(&line);
        assert!(said.text().starts_with("OK "), "{line}: {} {}", said.text(), said.err);
        let (answer, clock) = (desk.get("a.tsr"), SystemClock.now());
        let policy = TimestampPolicy::new(keys::anchors(&[ca.strip_suffix("-ca").unwrap()]));
        let token = verify_response(&request, &answer, &policy, clock)
            .unwrap_or_else(|error| panic!("{line}: {error}"));
        assert!(token.info.gen_time.unix().abs_diff(clock.unix()) < 300, "{line}");
        let other = Request::new(digest, &digest.digest(CONTENT), [8; 8]).unwrap();
        assert!(verify_response(&other, &answer, &policy, clock).is_err(), "{line}: another nonce (T1)");
        let policy = TimestampPolicy::new(keys::anchors(&["p256"]));
        assert!(verify_response(&request, &answer, &policy, clock).is_err(), "{line}: another CA");
    }
}

fn sealed(name: &str, cipher: ContentCipher, transport: Transport) -> Vec<u8> {
    Encryptor::new(cipher).recipient(&keys::certificate(name), transport).encrypt(CONTENT, &OsRng).unwrap()
}

#[test]
fn bouncy_castle_opens_our_envelopes() {
    let desk = Desk::new();
    let line = format!("dec {} sealed.der", keys::path("rsa-enc.key"));
    for (cipher, transport) in [
        (ContentCipher::Aes256Gcm, Transport::RsaOaepSha256),
        (ContentCipher::Aes256Cbc, Transport::RsaOaepSha256),
        (ContentCipher::Aes128Cbc, Transport::RsaPkcs1),
    ] {
        let mut cms = sealed("rsa-enc", cipher, transport);
        desk.put("sealed.der", &cms);
        let said = desk.bouncy_castle(&line).expect_ok(&format!("{cipher:?}")).text();
        assert!(said.starts_with("OK ") && said.contains("hello peer world"), "{cipher:?}: {said}");
        if cipher.is_authenticated() {
            let last = cms.len() - 1;
            cms[last] ^= 1;
            desk.put("sealed.der", cms);
            desk.bouncy_castle(&line).expect_refusal("another tag");
        }
    }
    // It does not know 1.2.156.10197.1.301.3, which everybody else writes; it refuses and guesses nothing.
    desk.put("sealed.der", sealed("sm2-enc", ContentCipher::Aes256Cbc, Transport::Sm2));
    let said =
        desk.bouncy_castle(&format!("dec {} sealed.der", keys::path("sm2-enc.key"))).expect_refusal("SM2");
    assert!(said.text().contains("1.2.156.10197.1.301.3"), "{}", said.text());
}

#[tokio::test]
async fn we_open_what_bouncy_castle_encrypts() {
    let raw = [Tolerance::Sm2RawCiphertext, Tolerance::Sm2OrderC1C2C3];
    for (transport, cipher, name, layout, wanted) in [
        ("oaep", "aes256gcm", "rsa-enc", "auth", &[][..]),
        ("rsa", "aes128gcm", "rsa-enc", "auth", &[]),
        ("oaep", "aes256cbc", "rsa-enc", "stream", &[]),
        ("rsa", "aes128cbc", "rsa-enc", "", &[]),
        // Its own dialect of SM2: 1.2.156.10197.1.301.3.2.1 over raw octets in the old order.
        ("sm2", "aes256gcm", "sm2-enc", "auth", &raw),
        ("sm2", "aes256cbc", "sm2-enc", "stream", &raw),
    ] {
        let desk = Desk::new();
        desk.put("content", CONTENT);
        let certificate = keys::path(&format!("{name}.crt"));
        let line = format!("enc {transport} {cipher} {certificate} content sealed.der {layout}");
        desk.bouncy_castle(&line).expect_ok(&line);
        let (own, other) =
            (keys::recipient(name), keys::recipient(if name == "rsa-enc" { "sm2-enc" } else { "rsa-enc" }));
        let opened = decrypt(&desk.get("sealed.der"), std::slice::from_ref(&own), &Limits::default())
            .await
            .unwrap_or_else(|error| panic!("{line}: {error}"));
        for tolerance in [Tolerance::Sm2RawCiphertext, Tolerance::Sm2OrderC1C2C3] {
            let used = opened.tolerances.contains(&tolerance);
            assert_eq!(used, wanted.contains(&tolerance), "{line}: {:?}", opened.tolerances);
        }
        match &opened.content {
            Content::Authenticated(content) => {
                assert_eq!((content.as_slice(), layout), (CONTENT, "auth"), "{line}")
            }
            Content::Unauthenticated(content) => {
                assert_eq!(content.as_unauthenticated(), CONTENT, "{line}");
                assert_ne!(layout, "auth", "{line}");
            }
        }
        let refused = decrypt(&desk.get("sealed.der"), &[other], &Limits::default()).await;
        assert!(refused.is_err(), "{line}: another key");
        if layout == "auth" {
            let mut changed = desk.get("sealed.der");
            let last = changed.len() - 1;
            changed[last] ^= 1;
            let refused = decrypt(&changed, &[own], &Limits::default()).await;
            assert!(matches!(refused, Err(DecryptError::Failed)), "{line}: another tag");
        }
    }
}
