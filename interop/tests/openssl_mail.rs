//! Whole mails between us and OpenSSL 3.0's `cms` and `smime` commands, both ways.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use aecm_core::digest::DigestAlgorithm;
use aecm_core::embed::OsRng;
use aecm_core::limits::Limits;
use aecm_core::signature::SignatureAlgorithm;
use aecm_core::time::Time;
use aecm_interop::keys;
use aecm_interop::tools::Desk;
use aecm_smime::Tolerance;
use aecm_smime::decrypt::Recipient;
use aecm_smime::encrypt::{ContentCipher, Encryptor, Transport};
use aecm_smime::mime::{CmsKind, HeaderProtection, Outgoing, multipart_signed, pkcs7_mime};
use aecm_smime::open::{Layer, OpenError, OpenOptions, Opened, open};
use aecm_smime::sign::{SignedMessage, SignerAttributes, SigningIdentity, sign};
use aecm_smime::verify::{Policy, Verdict};

const MAIL: &[u8] = b"From: Alice <alice@example.test>\r\nTo: bob@example.test\r\nSubject: Tea\r\n\
    Date: Tue, 01 Dec 2026 00:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\n\
    --b\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nAt five o'clock.\r\n\
    --b\r\nContent-Type: application/octet-stream; name=\"leaf\"\r\nContent-Transfer-Encoding: base64\r\n\
    Content-Disposition: attachment; filename=\"leaf\"\r\n\r\nAAECAwQFBgc=\r\n--b--\r\n";

/// What OpenSSL is given to sign or encrypt.
const ENTITY: &[u8] = b"Content-Type: text/plain; charset=us-ascii\r\n\r\nAt five o'clock.\r\n";

fn now() -> Time {
    // Within the validity of the key folder's certificates, whenever the test runs.
    Time::from_rfc3339("2026-12-01T00:00:00Z").expect("a time")
}

fn outgoing() -> Outgoing {
    Outgoing::parse(MAIL, &Limits::default()).unwrap()
}

fn lf(octets: &[u8]) -> Vec<u8> {
    String::from_utf8(octets.to_vec()).unwrap().replace("\r\n", "\n").into_bytes()
}

fn crlf(octets: &[u8]) -> Vec<u8> {
    String::from_utf8(lf(octets)).unwrap().replace('\n', "\r\n").into_bytes()
}

fn changed(octets: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(octets.to_vec()).unwrap();
    assert!(text.contains("At five"), "{text}");
    text.replace("At five", "At nine").into_bytes()
}

/// Our signed entity: multipart/signed or application/pkcs7-mime.
async fn signed_entity(payload: &[u8], signers: &[&SigningIdentity], clear: bool) -> Vec<u8> {
    let attributes = SignerAttributes { signing_time: Some(now()), ..SignerAttributes::default() };
    let message = SignedMessage::new(payload).detached(clear).attributes(attributes);
    let cms = sign(message, signers).await.unwrap().to_der();
    let digests: Vec<DigestAlgorithm> =
        signers.iter().map(|signer| signer.signer.algorithm().digest()).collect();
    if clear {
        multipart_signed(payload, &cms, &digests, &OsRng).unwrap()
    } else {
        pkcs7_mime(CmsKind::SignedData, &cms).unwrap()
    }
}

fn verify_line(families: &[&str], desk: &Desk) -> String {
    let cas = families.iter().map(|family| std::fs::read(keys::path(&format!("{family}-ca.crt"))).unwrap());
    desk.put("cas", cas.collect::<Vec<_>>().concat());
    "cms -verify -in mail.eml -CAfile cas -purpose smimesign -signer who.crt -out out".to_owned()
}

#[tokio::test]
async fn openssl_verifies_our_signed_mails() {
    let signers: Vec<_> = ["rsa-sig", "p256-sig"].map(keys::signer).into_iter().collect();
    for (names, families) in
        [(&signers[..1], vec!["rsa"]), (&signers[1..], vec!["p256"]), (&signers[..], vec!["rsa", "p256"])]
    {
        let names: Vec<&SigningIdentity> = names.iter().collect();
        for clear in [true, false] {
            let payload = outgoing().payload(HeaderProtection::Clear).unwrap();
            let entity = signed_entity(&payload, &names, clear).await;
            let mail = outgoing().message(HeaderProtection::Clear, &entity);
            let desk = Desk::new();
            let line = verify_line(&families, &desk);
            // As sent, and as a tool keeps it with bare line feeds.
            for mail in [mail.clone(), lf(&mail)] {
                desk.put("mail.eml", &mail);
                desk.openssl(&line).expect_ok(&format!("{families:?} clear {clear}"));
                assert_eq!(crlf(&desk.get("out")), payload, "{families:?} clear {clear}");
                let who = desk.text("who.crt");
                assert_eq!(who.matches("BEGIN CERTIFICATE").count(), names.len());
            }
            if clear {
                desk.put("mail.eml", changed(&mail));
                desk.openssl(&line).expect_refusal("changed text");
            }
            // A CA is needed for each signer.
            desk.put("mail.eml", &mail);
            let line = verify_line(&["sm2"], &desk);
            desk.openssl(&line).expect_refusal("another CA");
        }
    }
}

/// RSASSA-PSS by choice.
#[tokio::test]
async fn openssl_verifies_our_pss_signature() {
    let identity = keys::signer("rsa-sig");
    let payload = outgoing().payload(HeaderProtection::Clear).unwrap();
    for digest in [DigestAlgorithm::Sha256, DigestAlgorithm::Sha384, DigestAlgorithm::Sha512] {
        let algorithm = SignatureAlgorithm::RsaPss(digest);
        let message = SignedMessage::new(&payload).detached(true).signer(
            &identity.certificate,
            Vec::new(),
            algorithm,
            SignerAttributes::default(),
        );
        let cms = sign(message, &[&identity]).await.unwrap().to_der();
        let entity = multipart_signed(&payload, &cms, &[digest], &OsRng).unwrap();
        let desk = Desk::new();
        let line = verify_line(&["rsa"], &desk);
        desk.put("mail.eml", outgoing().message(HeaderProtection::Clear, &entity));
        desk.openssl(&line).expect_ok(&format!("{algorithm:?}"));
        desk.put("cms.der", cms);
        let shown =
            desk.openssl("cms -cmsout -print -noout -inform DER -in cms.der").expect_ok("print").text();
        assert!(shown.contains("rsassaPss"), "{shown}");
        desk.put("mail.eml", changed(&outgoing().message(HeaderProtection::Clear, &entity)));
        desk.openssl(&line).expect_refusal("changed text");
    }
}

#[tokio::test]
async fn openssl_decrypts_our_mails() {
    for (name, cipher, transport) in [
        ("rsa-enc", ContentCipher::Aes256Gcm, Transport::RsaOaepSha256),
        ("rsa-enc", ContentCipher::Aes256Cbc, Transport::RsaOaepSha256),
        ("rsa-enc", ContentCipher::Aes128Cbc, Transport::RsaPkcs1),
        ("sm2-enc", ContentCipher::Sm4Cbc, Transport::Sm2),
        ("sm2-enc", ContentCipher::Aes256Gcm, Transport::Sm2),
    ] {
        let payload = outgoing().payload(HeaderProtection::Cipher).unwrap();
        let inside = signed_entity(&payload, &[&keys::signer("p256-sig")], true).await;
        let cms = Encryptor::new(cipher)
            .recipient(&keys::certificate(name), transport)
            .encrypt(&inside, &OsRng)
            .unwrap();
        let kind =
            if cipher.is_authenticated() { CmsKind::AuthEnvelopedData } else { CmsKind::EnvelopedData };
        let mail = outgoing().message(HeaderProtection::Cipher, &pkcs7_mime(kind, &cms).unwrap());
        assert!(!String::from_utf8(mail.clone()).unwrap().contains("Tea"), "the Subject stays inside");
        let desk = Desk::new();
        let decrypt = |input: &str, key: &str, out: &str| {
            let (certificate, key) = (keys::path(&format!("{key}.crt")), keys::path(&format!("{key}.key")));
            desk.openssl(&format!("cms -decrypt {input} -recip {certificate} -inkey {key} -out {out}"))
        };
        for mail in [mail.clone(), lf(&mail)] {
            desk.put("sealed.eml", &mail);
            decrypt("-in sealed.eml", name, "mail.eml").expect_ok(&format!("{name} {cipher:?}"));
            assert_eq!(crlf(&desk.get("mail.eml")), inside, "{name} {cipher:?}");
        }
        // What came out is a signed mail again.
        let line = verify_line(&["p256"], &desk);
        desk.openssl(&line).expect_ok("the signature inside");
        assert_eq!(crlf(&desk.get("out")), payload);

        let other = if name == "rsa-enc" { "sm2-enc" } else { "rsa-enc" };
        decrypt("-in sealed.eml", other, "other").expect_refusal("another key");
        if cipher.is_authenticated() {
            // OpenSSL 3.0 writes the text before it looks at the tag; only its exit status tells.
            let mut cut = cms.clone();
            let last = cut.len() - 1;
            cut[last] ^= 1;
            desk.put("cut.der", cut);
            decrypt("-inform DER -in cut.der", name, "cut").expect_refusal("another tag");
        }
    }
}

async fn try_open(mail: &[u8], keys: &[Recipient]) -> Result<Opened, OpenError> {
    let (anchors, policy) = (keys::anchors(&["rsa", "p256"]), Policy::modern());
    open(mail, &OpenOptions::new(&anchors, &policy).at(now()).keys(keys)).await
}

fn words(opened: &Opened) -> Vec<&'static str> {
    opened.reasons.iter().map(|reason| reason.word()).collect()
}

const HEADER: &str = "-from alice@example.test -to bob@example.test -subject Tea";

fn who(name: &str) -> String {
    format!("-signer {} -inkey {}", keys::path(&format!("{name}.crt")), keys::path(&format!("{name}.key")))
}

#[tokio::test]
async fn we_open_what_openssl_signs() {
    let pss = "-keyopt rsa_padding_mode:pss -keyopt rsa_pss_saltlen:32";
    let (rsa, p256) = (who("rsa-sig"), who("p256-sig"));
    let variants = [
        ("cms", rsa.clone(), 1),
        ("cms", format!("{rsa} {pss}"), 1),
        ("cms", format!("-md sha512 {rsa}"), 1),
        ("cms", format!("-keyid {rsa}"), 1),
        ("cms", p256.clone(), 1),
        ("cms", format!("-md sha384 {p256}"), 1),
        ("cms", format!("-noattr {p256}"), 1),
        ("cms", format!("{rsa} {p256}"), 2),
        ("smime", rsa.clone(), 1),
        ("smime", format!("{rsa} {p256}"), 2),
    ];
    for (command, options, signers) in variants {
        for layout in ["", "-nodetach", "-stream", "-nodetach -stream", "-crlfeol"] {
            if layout.contains("-stream") && options.contains("-keyopt") {
                // OpenSSL 3.0 cannot: "illegal zero content".
                continue;
            }
            let desk = Desk::new();
            desk.put("entity", ENTITY);
            let line = format!("{command} -sign -in entity {layout} {options} {HEADER} -out mail.eml");
            desk.openssl(&line).expect_ok(&line);
            let mail = desk.get("mail.eml");
            let clear = !layout.contains("-nodetach");
            let bare = !String::from_utf8(mail.clone()).unwrap().contains("o'clock.\r\n");
            for (mail, bare) in [(mail.clone(), bare), (lf(&mail), true), (crlf(&mail), false)] {
                let opened = try_open(&mail, &[]).await.unwrap_or_else(|error| panic!("{line}: {error}"));
                assert_eq!(opened.verdict, Verdict::Valid, "{line}: {:?}", words(&opened));
                assert_eq!(crlf(opened.content.as_ref().unwrap()), ENTITY, "{line}");
                let [Layer::Signed(layer)] = opened.layers.as_slice() else { panic!("{line}") };
                assert_eq!((layer.clear, layer.report.signers.len()), (clear, signers), "{line}");
                assert_eq!(opened.tolerances.contains(&Tolerance::BareLineFeed), clear && bare, "{line}");
                let old = opened.tolerances.contains(&Tolerance::XPkcs7Type);
                assert_eq!(old, command == "smime", "{line}: {:?}", opened.tolerances);
                assert!(!opened.tolerances.contains(&Tolerance::MicalgMismatch), "{line}");
                assert!(opened.protected_headers.is_none(), "OpenSSL protects no header");
            }
            if clear {
                let opened = try_open(&changed(&mail), &[]).await.unwrap();
                assert_eq!(opened.verdict, Verdict::Invalid, "{line}");
                assert!(words(&opened).contains(&"digest-mismatch") || options.contains("-noattr"), "{line}");
                assert!(opened.withheld && opened.content.is_none());
            }
            let other = String::from_utf8(mail).unwrap().replace("From: alice@", "From: mallory@");
            let opened = try_open(other.as_bytes(), &[]).await.unwrap();
            assert_eq!(opened.verdict, Verdict::IdentityMismatch, "{line}: {:?}", words(&opened));
        }
    }
}

#[tokio::test]
async fn we_open_what_openssl_encrypts() {
    let oaep = "-keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256 -keyopt rsa_mgf1_md:sha256";
    let own = [keys::recipient("rsa-enc")];
    let to = keys::path("rsa-enc.crt");
    for (command, cipher, recipient) in [
        ("cms", "-aes-256-gcm", format!("-recip {to} {oaep}")),
        ("cms", "-aes-128-gcm -stream", format!("-recip {to}")),
        ("cms", "-aes-256-cbc", format!("-recip {to} {oaep}")),
        ("cms", "-aes-128-cbc -stream", format!("-recip {to}")),
        ("smime", "-aes-256-cbc", to.clone()),
    ] {
        for signed in [false, true] {
            let desk = Desk::new();
            desk.put("entity", ENTITY);
            if signed {
                desk.openssl(&format!("cms -sign -in entity {} -out signed", who("rsa-sig")))
                    .expect_ok("sign");
                desk.put("entity", crlf(&desk.get("signed")));
            }
            let line =
                format!("{command} -encrypt -in entity -binary {cipher} {HEADER} -out mail.eml {recipient}");
            desk.openssl(&line).expect_ok(&line);
            let authenticated = cipher.contains("gcm");
            let mail = desk.get("mail.eml");
            for mail in [mail.clone(), lf(&mail), crlf(&mail)] {
                let opened = try_open(&mail, &own).await.unwrap_or_else(|error| panic!("{line}: {error}"));
                let wanted = match (signed, authenticated) {
                    (true, _) => Verdict::Valid,
                    (false, true) => Verdict::NotSigned,
                    (false, false) => Verdict::Unauthenticated,
                };
                assert_eq!(opened.verdict, wanted, "{line} signed {signed}: {:?}", words(&opened));
                // CBC without a signature inside is withheld.
                assert_eq!(opened.content.is_some(), signed || authenticated, "{line} signed {signed}");
                if let Some(content) = &opened.content {
                    assert_eq!(crlf(content), ENTITY, "{line} signed {signed}");
                }
                let Some(Layer::Encrypted(layer)) = opened.layers.first() else { panic!("{line}") };
                assert_eq!(layer.authenticated, authenticated);
                let old = layer.tolerances.contains(&Tolerance::XPkcs7Type);
                assert_eq!(old, command == "smime", "{line}: {:?}", layer.tolerances);
            }
            let stranger = [keys::recipient("sm2-enc")];
            assert!(matches!(try_open(&mail, &stranger).await, Err(OpenError::Decrypt(_))), "{line}");
        }
    }
}
