//! Whole mails: real peers', our own through every layer, and the tricks of THREATS §2.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(unreachable_pub, dead_code)]

#[path = "support/people.rs"]
mod people;

use aecm_core::digest::{DigestAlgorithm, sha256};
use aecm_core::embed::OsRng;
use aecm_core::limits::Limits;
use aecm_core::mailbox::Mailbox;
use aecm_core::software::KeySpec;
use aecm_smime::Tolerance;
use aecm_smime::cms::Form;
use aecm_smime::decrypt::{DecryptError, Password, Recipient};
use aecm_smime::encrypt::{ContentCipher, Encryptor, Transport};
use aecm_smime::mime::{CmsKind, HeaderProtection, Outgoing, multipart_signed, pkcs7_mime};
use aecm_smime::open::{Layer, OpenError, OpenOptions, Opened, open};
use aecm_smime::sign::{SignedMessage, SignerAttributes, SigningIdentity, sign};
use aecm_smime::verify::{Policy, Verdict};
use people::{Authority, Profile, anchors, identity, now, recipient, vector};

const MAIL: &str =
    "From: Alice <alice@example.test>\r\nTo: bob@example.org\r\nSubject: Tea\r\n\r\nAt five.\r\n";

fn outgoing(mail: &str) -> Outgoing {
    Outgoing::parse(mail.as_bytes(), &Limits::default()).unwrap()
}

async fn try_open(mail: &[u8], keys: &[Recipient]) -> Result<Opened, OpenError> {
    let (anchors, policy) = (anchors(), Policy::modern());
    open(mail, &OpenOptions::new(&anchors, &policy).at(now()).keys(keys)).await
}

async fn opened(mail: &[u8], keys: &[Recipient]) -> Opened {
    try_open(mail, keys).await.unwrap()
}

fn words(opened: &Opened) -> Vec<&'static str> {
    opened.reasons.iter().map(|reason| reason.word()).collect()
}

fn attributes() -> SignerAttributes {
    SignerAttributes { signing_time: Some(now()), ..SignerAttributes::default() }
}

async fn clear_signed(payload: &[u8], signer: &SigningIdentity) -> Vec<u8> {
    let message = SignedMessage::new(payload).detached(true).attributes(attributes());
    let cms = sign(message, &[signer]).await.unwrap().to_der();
    multipart_signed(payload, &cms, &[signer.signer.algorithm().digest()], &OsRng).unwrap()
}

async fn opaque_signed(payload: &[u8], signer: &SigningIdentity) -> Vec<u8> {
    let message = SignedMessage::new(payload).attributes(attributes());
    pkcs7_mime(CmsKind::SignedData, &sign(message, &[signer]).await.unwrap().to_der()).unwrap()
}

fn encrypted(payload: &[u8], cipher: ContentCipher, family: &str) -> Vec<u8> {
    let transport = if family == "sm2" { Transport::Sm2 } else { Transport::RsaOaepSha256 };
    let encryptor = Encryptor::new(cipher).recipient(&recipient(family).certificate, transport);
    let kind = if cipher.is_authenticated() { CmsKind::AuthEnvelopedData } else { CmsKind::EnvelopedData };
    pkcs7_mime(kind, &encryptor.encrypt(payload, &OsRng).unwrap()).unwrap()
}

/// Mails of OpenSSL and Tongsuo: valid, over CRLF although the files have bare LF, and said so.
#[tokio::test]
async fn mails_of_real_peers() {
    let tolerance = Tolerance::BareLineFeed;
    for name in ["openssl30-rsa-multipart.eml", "tongsuo85-sm2-multipart.eml"] {
        let mail = vector(name);
        let found = opened(&mail, &[]).await;
        assert_eq!(found.verdict, Verdict::Valid, "{name} {:?}", words(&found));
        assert!(found.reasons.iter().all(|reason| reason.word() != "digest-mismatch"));
        assert_eq!(found.from.as_ref().unwrap().as_str(), "alice@example.test");
        assert!(found.sent_at.claimed.is_some() && found.sent_at.proven.is_none());
        assert_eq!(found.protected_headers, None, "M3: no header was signed");
        assert!(found.content.as_ref().unwrap().ends_with(b"\r\nhello peer world\r\n"));
        assert!(!found.tolerances.contains(&Tolerance::MicalgMismatch), "{name}");
        let text = String::from_utf8(mail).unwrap();
        let bare = !text.contains("hello peer world\r\n");
        assert_eq!(found.tolerances.contains(&tolerance), bare, "{name}");

        // The same with LF throughout (saved by a tool) and with CRLF throughout (sent by SMTP).
        let lf = text.replace("\r\n", "\n");
        let found = opened(lf.as_bytes(), &[]).await;
        assert_eq!((found.verdict, found.tolerances.contains(&tolerance)), (Verdict::Valid, true));
        let found = opened(lf.replace('\n', "\r\n").as_bytes(), &[]).await;
        assert_eq!((found.verdict, found.tolerances.contains(&tolerance)), (Verdict::Valid, false));

        // One octet of the content, and one of the header that the signature does not cover.
        let found = opened(text.replace("peer world", "pear world").as_bytes(), &[]).await;
        assert_eq!((found.verdict, found.withheld), (Verdict::Invalid, true));
        assert!(found.content.is_none() && words(&found).contains(&"digest-mismatch"));
        let found = opened(text.replace("Subject: ", "Subject: not ").as_bytes(), &[]).await;
        assert_eq!((found.verdict, found.protected_headers), (Verdict::Valid, None));
    }
}

/// Signed then encrypted, with protected headers, in every suite and form of signature.
#[tokio::test]
async fn signed_and_encrypted_round_trips() {
    let mail = outgoing(MAIL);
    for (family, key, cipher) in [
        ("rsa", "rsa", ContentCipher::Aes256Gcm),
        ("p256", "rsa", ContentCipher::Aes128Cbc),
        ("sm2", "sm2", ContentCipher::Sm4Gcm),
        ("sm2", "sm2", ContentCipher::Sm4Cbc),
    ] {
        for clear in [true, false] {
            let payload = mail.payload(HeaderProtection::Cipher).unwrap();
            let signer = identity(family);
            let inside = if clear {
                clear_signed(&payload, &signer).await
            } else {
                opaque_signed(&payload, &signer).await
            };
            let whole = mail.message(HeaderProtection::Cipher, &encrypted(&inside, cipher, key));
            // With its blank: three letters may stand in base64 by chance.
            assert!(!String::from_utf8(whole.clone()).unwrap().contains(" Tea"));
            let found = opened(&whole, &[recipient(key)]).await;
            assert_eq!(found.verdict, Verdict::Valid, "{family} {cipher:?} {:?}", words(&found));
            assert_eq!(**found.content.as_ref().unwrap(), payload);
            assert_eq!(found.tolerances, []);
            assert_eq!(found.sent_at.claimed, Some(now()));
            let headers = found.protected_headers.as_ref().unwrap();
            assert_eq!((headers.get("Subject"), headers.is_confidential("Subject")), (Some("Tea"), true));
            let [Layer::Encrypted(outer), Layer::Signed(inner)] = found.layers.as_slice() else { panic!() };
            assert_eq!((outer.cipher, outer.authenticated), (cipher, cipher.is_authenticated()));
            assert_eq!((inner.clear, inner.report.verdict), (clear, Verdict::Valid));
        }
    }
}

#[tokio::test]
async fn gbt35275_mail() {
    let mail = outgoing(MAIL);
    let payload = mail.payload(HeaderProtection::Cipher).unwrap();
    let message = SignedMessage::new(&payload).form(Form::Gbt35275);
    let cms = sign(message, &[&identity("sm2")]).await.unwrap().to_der();
    let inside = pkcs7_mime(CmsKind::SignedData, &cms).unwrap();
    let encryptor = Encryptor::new(ContentCipher::Sm4Cbc).form(Form::Gbt35275);
    let encryptor = encryptor.recipient(&recipient("sm2").certificate, Transport::Sm2);
    let cms = encryptor.encrypt(&inside, &OsRng).unwrap();
    let whole = mail.message(HeaderProtection::Cipher, &pkcs7_mime(CmsKind::EnvelopedData, &cms).unwrap());
    let found = opened(&whole, &[recipient("sm2")]).await;
    assert_eq!((found.verdict, found.tolerances.len()), (Verdict::Valid, 0), "{:?}", words(&found));
    let [Layer::Encrypted(outer), Layer::Signed(inner)] = found.layers.as_slice() else { panic!() };
    assert_eq!((outer.form, inner.report.form), (Form::Gbt35275, Form::Gbt35275));
}

/// RFC 2634 §1.1: signed, encrypted, signed again by a gateway. The inner signature decides.
#[tokio::test]
async fn triple_wrapped() {
    let mail = outgoing(MAIL);
    let payload = mail.payload(HeaderProtection::Cipher).unwrap();
    let inner = encrypted(&opaque_signed(&payload, &identity("rsa")).await, ContentCipher::Aes256Gcm, "rsa");
    let gateway = Authority::new().identity(KeySpec::P256, &Profile::sign("gateway@example.test"));
    let outer = clear_signed(&inner, &gateway).await;
    let whole = mail.message(HeaderProtection::Cipher, &outer);
    let found = opened(&whole, &[recipient("rsa")]).await;
    assert_eq!((found.verdict, found.layers.len()), (Verdict::Valid, 3), "{:?}", words(&found));
    let Layer::Signed(layer) = &found.layers[0] else { panic!() };
    assert_eq!(layer.report.verdict, Verdict::IdentityMismatch);

    // Broken further out: the mail is broken.
    let text = String::from_utf8(whole).unwrap().replacen(
        "name=\"smime.p7m\"\r\nContent-T",
        "name=\"smime.p7M\"\r\nContent-T",
        1,
    );
    let found = opened(text.as_bytes(), &[recipient("rsa")]).await;
    assert_eq!(found.verdict, Verdict::Invalid, "{:?}", words(&found));
}

#[tokio::test]
async fn layers_are_limited() {
    let mut entity = b"Content-Type: text/plain\r\n\r\nx\r\n".to_vec();
    let signer = identity("p256");
    for depth in 1..=9 {
        entity = opaque_signed(&entity, &signer).await;
        let mail = [b"From: alice@example.test\r\nMIME-Version: 1.0\r\n".as_slice(), &entity].concat();
        match try_open(&mail, &[]).await {
            Ok(found) => assert_eq!((found.verdict, found.layers.len()), (Verdict::Valid, depth.min(8))),
            Err(error) => assert_eq!((error, depth), (OpenError::TooManyLayers { limit: 8 }, 9)),
        }
    }
}

/// M5, DESIGN rule 5: CBC content leaves only under a valid signature inside, or when it is asked for.
#[tokio::test]
async fn unauthenticated_content_is_withheld() {
    let mail = outgoing(MAIL);
    let payload = mail.payload(HeaderProtection::Cipher).unwrap();
    let stranger = Authority::new().identity(KeySpec::P256, &Profile::sign("mallory@example.test"));
    let keys = [recipient("rsa")];
    for (inside, signature) in [
        (payload.clone(), None),
        (opaque_signed(&payload, &stranger).await, Some("from-does-not-match")),
        (
            String::from_utf8(clear_signed(&payload, &identity("rsa")).await)
                .unwrap()
                .replace("five", "nine")
                .into(),
            Some("digest-mismatch"),
        ),
    ] {
        let whole =
            mail.message(HeaderProtection::Cipher, &encrypted(&inside, ContentCipher::Aes256Cbc, "rsa"));
        let found = opened(&whole, &keys).await;
        assert_eq!(found.verdict, Verdict::Unauthenticated);
        assert!(found.withheld && found.content.is_none() && found.protected_headers.is_none());
        // E1: what somebody bent does not show, unless a signature inside holds.
        let kept = signature == Some("from-does-not-match");
        assert_eq!((words(&found).len() > 1, found.layers.len() > 1), (kept, kept), "{:?}", words(&found));
        assert!(words(&found).contains(&"unauthenticated"));
        let (anchors, policy) = (anchors(), Policy::modern());
        let options = OpenOptions::new(&anchors, &policy).at(now()).keys(&keys).accept_unauthenticated(true);
        let asked = open(&whole, &options).await.unwrap();
        assert_eq!((asked.verdict, asked.withheld), (Verdict::Unauthenticated, false));
        assert!(asked.content.is_some());
        if let Some(word) = signature {
            assert!(words(&asked).contains(&word), "{:?}", words(&asked));
        }
    }
    // Signed outside only, around CBC: the signer may never have seen the content.
    let inside = encrypted(&payload, ContentCipher::Aes256Cbc, "rsa");
    let whole = mail.message(HeaderProtection::Cipher, &clear_signed(&inside, &identity("rsa")).await);
    let found = opened(&whole, &keys).await;
    assert_eq!((found.verdict, found.withheld), (Verdict::Unauthenticated, true));
    // GCM without a signature: what the envelope vouches for, from nobody in particular.
    let whole = mail.message(HeaderProtection::Cipher, &encrypted(&payload, ContentCipher::Aes256Gcm, "rsa"));
    let found = opened(&whole, &keys).await;
    assert_eq!((found.verdict, words(&found)), (Verdict::NotSigned, vec!["not-signed"]));
    assert_eq!(**found.content.as_ref().unwrap(), payload);
}

/// E1: whatever lies in CBC content, anybody can have put there by bending the ciphertext: what is wrong with it
/// looks like a wrong key, in the error and in its words.
#[tokio::test]
async fn failures_inside_unauthenticated_content_are_those_of_a_wrong_key() {
    let mail = outgoing(MAIL);
    let keys = [recipient("rsa")];
    let gcm = encrypted(b"x", ContentCipher::Aes256Gcm, "sm2");
    let cut = clear_signed(b"Content-Type: text/plain\r\n\r\nx\r\n", &identity("rsa")).await;
    let inside: [&[u8]; 6] = [
        b"Content-Type: application/pkcs7-mime\r\n\r\nno CMS",
        b"Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\n!",
        b"Content-Type: multipart/signed; boundary=b; protocol=\"application/pkcs7-signature\"\r\n\r\n--b--",
        b"Content-Type: text/plain\r\nContent-Type: application/pkcs7-mime\r\n\r\nx",
        &gcm,
        &cut[..cut.len() / 2],
    ];
    for inside in inside {
        let whole =
            mail.message(HeaderProtection::Cipher, &encrypted(inside, ContentCipher::Aes256Cbc, "rsa"));
        let error = try_open(&whole, &keys).await.unwrap_err();
        assert_eq!(error, OpenError::Decrypt(DecryptError::Failed), "{}", String::from_utf8_lossy(inside));
        // A tag vouches for it: then what is wrong may be told.
        let whole =
            mail.message(HeaderProtection::Cipher, &encrypted(inside, ContentCipher::Aes256Gcm, "rsa"));
        let told = try_open(&whole, &keys).await;
        assert_ne!(told.err(), Some(OpenError::Decrypt(DecryptError::Failed)));
    }
}

#[tokio::test]
async fn what_cannot_be_decrypted() {
    let mail = outgoing(MAIL);
    let payload = mail.payload(HeaderProtection::Cipher).unwrap();
    let entity = encrypted(&payload, ContentCipher::Aes256Gcm, "rsa");
    let whole = mail.message(HeaderProtection::Cipher, &entity);
    for keys in [vec![], vec![recipient("sm2")]] {
        let error = try_open(&whole, &keys).await.unwrap_err();
        assert!(matches!(error, OpenError::Decrypt(DecryptError::NoMatchingKey)), "{error}");
    }
    // E1: another content key, and a broken tag, fail alike.
    let rsa = recipient("rsa");
    let encryptor =
        Encryptor::new(ContentCipher::Aes256Gcm).recipient(&rsa.certificate, Transport::RsaOaepSha256);
    let mut cms = encryptor.encrypt(&payload, &OsRng).unwrap();
    *cms.last_mut().unwrap() ^= 1;
    let broken =
        mail.message(HeaderProtection::Cipher, &pkcs7_mime(CmsKind::AuthEnvelopedData, &cms).unwrap());
    let error = try_open(&broken, &[rsa]).await.unwrap_err();
    assert!(matches!(error, OpenError::Decrypt(DecryptError::Failed)), "{error}");
}

/// E6: the passwords of all layers together cost no more than one may.
#[tokio::test]
async fn passwords_of_all_layers_have_one_budget() {
    let mail = vector("openssl30-pwri-twice.eml");
    let (anchors, mut policy) = (anchors(), Policy::modern());
    let passwords = [Password::new(b"test")];
    // The key of AES-256 needs two outputs of HMAC-SHA-1.
    policy.limits.pbkdf2_iterations = 2 * 2 * 2_048;
    let options = OpenOptions::new(&anchors, &policy).passwords(&passwords).accept_unauthenticated(true);
    assert_eq!(open(&mail, &options).await.unwrap().layers.len(), 2);
    policy.limits.pbkdf2_iterations = 2 * 2 * 2_048 - 1;
    let error = open(&mail, &OpenOptions::new(&anchors, &policy).passwords(&passwords)).await.unwrap_err();
    assert!(error.is_limit(), "{error}");
}

/// What is too much is said, also where it lies in CBC.
#[tokio::test]
async fn layers_of_cbc_are_limited() {
    let keys = [recipient("rsa")];
    let mut entity = b"Content-Type: text/plain\r\n\r\nx\r\n".to_vec();
    for depth in 1..=9 {
        entity = encrypted(&entity, ContentCipher::Aes256Cbc, "rsa");
        let mail = [b"From: alice@example.test\r\nMIME-Version: 1.0\r\n".as_slice(), &entity].concat();
        match try_open(&mail, &keys).await {
            Ok(found) => assert_eq!((found.verdict, depth <= 8), (Verdict::Unauthenticated, true)),
            Err(error) => {
                assert!(error.is_limit());
                assert_eq!((error, depth), (OpenError::TooManyLayers { limit: 8 }, 9));
            }
        }
    }
}

/// Every layer says by itself what came of it and which content it had.
#[tokio::test]
async fn layers_speak_for_themselves() {
    let payload = b"Content-Type: text/plain\r\n\r\nAt five.\r\n";
    let signed = clear_signed(payload, &identity("rsa")).await;
    let gcm = encrypted(&signed, ContentCipher::Aes256Gcm, "rsa");
    let cbc = encrypted(&gcm, ContentCipher::Aes256Cbc, "rsa");
    let mail = [b"From: alice@example.test\r\nMIME-Version: 1.0\r\n".as_slice(), &cbc].concat();
    let found = opened(&mail, &[recipient("rsa")]).await;
    assert_eq!(found.verdict, Verdict::Valid, "{:?}", words(&found));
    let [Layer::Encrypted(outer), Layer::Encrypted(inner), Layer::Signed(innermost)] =
        found.layers.as_slice()
    else {
        panic!("{:?}", found.layers)
    };
    assert_eq!((outer.verdict(), outer.content_sha256), (Verdict::Unauthenticated, Some(sha256(&gcm))));
    assert_eq!(outer.reasons()[0].word(), "unauthenticated");
    assert_eq!((inner.verdict(), inner.content_sha256), (Verdict::Valid, Some(sha256(&signed))));
    assert!(inner.reasons().is_empty());
    assert_eq!(innermost.report.content_sha256, Some(sha256(payload)));
    // E1: what is withheld has no digest either.
    let cbc = encrypted(payload, ContentCipher::Aes256Cbc, "rsa");
    let mail = [b"From: alice@example.test\r\nMIME-Version: 1.0\r\n".as_slice(), &cbc].concat();
    let found = opened(&mail, &[recipient("rsa")]).await;
    let [Layer::Encrypted(layer)] = found.layers.as_slice() else { panic!("{:?}", found.layers) };
    assert_eq!((found.withheld, layer.content_sha256), (true, None));
}

/// E1: a signature that anybody can put around bent ciphertext does not show what came out of it.
#[tokio::test]
async fn a_signature_over_bendable_content_does_not_show_it() {
    let payload = b"Content-Type: text/plain\r\n\r\nAt five.\r\n";
    let stranger = Authority::new().identity(KeySpec::P256, &Profile::sign("mallory@example.test"));
    let broken = String::from_utf8(clear_signed(payload, &identity("rsa")).await).unwrap();
    for bent in [payload.to_vec(), broken.replace("five", "nine").into_bytes()] {
        let cbc = encrypted(&bent, ContentCipher::Aes256Cbc, "rsa");
        let signed = opaque_signed(&cbc, &stranger).await;
        let outer = encrypted(&signed, ContentCipher::Aes256Cbc, "rsa");
        let mail = [b"From: alice@example.test\r\nMIME-Version: 1.0\r\n".as_slice(), &outer].concat();
        let found = opened(&mail, &[recipient("rsa")]).await;
        let [Layer::Encrypted(outer), Layer::Signed(_), Layer::Encrypted(inner)] = found.layers.as_slice()
        else {
            panic!("{:?}", found.layers)
        };
        assert_eq!((outer.content_sha256, inner.content_sha256), (Some(sha256(&signed)), None));
        assert_eq!((found.verdict, words(&found)), (Verdict::Unauthenticated, vec!["unauthenticated"]));
        assert!(found.withheld && found.content.is_none());
    }
    // One that holds over the innermost content does not speak for the layer around the other.
    let cbc = encrypted(&opaque_signed(payload, &stranger).await, ContentCipher::Aes256Cbc, "rsa");
    let twice = encrypted(&cbc, ContentCipher::Aes256Cbc, "rsa");
    let mail = [b"From: alice@example.test\r\nMIME-Version: 1.0\r\n".as_slice(), &twice].concat();
    let found = opened(&mail, &[recipient("rsa")]).await;
    let [Layer::Encrypted(layer)] = found.layers.as_slice() else { panic!("{:?}", found.layers) };
    assert_eq!((found.verdict, layer.content_sha256), (Verdict::Unauthenticated, None));
}

/// M1: everything a From can do to look like the signer.
#[tokio::test]
async fn from_tricks() {
    let payload = b"Content-Type: text/plain\r\n\r\nAt five.\r\n";
    let entity = clear_signed(payload, &identity("rsa")).await;
    for (header, verdict, word) in [
        ("From: alice@example.test", Verdict::Valid, None),
        ("From: \"Bob\" <alice@EXAMPLE.test>", Verdict::Valid, None),
        ("From: (bob@example.org) alice@example.test (comment)", Verdict::Valid, None),
        ("From: Alice@example.test", Verdict::IdentityMismatch, Some("from-does-not-match")),
        ("From: bob@example.org", Verdict::IdentityMismatch, Some("from-does-not-match")),
        (
            "From: \"alice@example.test\" <bob@example.org>",
            Verdict::IdentityMismatch,
            Some("from-does-not-match"),
        ),
        (
            "From: bob@example.org (alice@example.test)",
            Verdict::IdentityMismatch,
            Some("from-does-not-match"),
        ),
        ("From: alice@example.test.evil.example", Verdict::IdentityMismatch, Some("from-does-not-match")),
        ("From: xalice@example.test", Verdict::IdentityMismatch, Some("from-does-not-match")),
        (
            "From: bob@example.org\r\nSender: alice@example.test",
            Verdict::IdentityMismatch,
            Some("from-does-not-match"),
        ),
        (
            "From: bob@example.org\r\nReply-To: alice@example.test",
            Verdict::IdentityMismatch,
            Some("from-does-not-match"),
        ),
        ("From: \u{430}lice@example.test", Verdict::IdentityMismatch, Some("from-does-not-match")),
        ("From: alice@example.test, bob@example.org", Verdict::IdentityMismatch, Some("from-ambiguous")),
        (
            "From: bob@example.org\r\nFrom: alice@example.test",
            Verdict::IdentityMismatch,
            Some("from-ambiguous"),
        ),
        (
            "From: alice@example.test\r\nfrom: bob@example.org",
            Verdict::IdentityMismatch,
            Some("from-ambiguous"),
        ),
        ("From: friends: alice@example.test;", Verdict::IdentityMismatch, Some("from-ambiguous")),
        ("From: undisclosed:;", Verdict::IdentityMismatch, Some("from-ambiguous")),
        ("From:", Verdict::IdentityMismatch, Some("from-ambiguous")),
        ("From: <alice@example.test", Verdict::IdentityMismatch, Some("from-ambiguous")),
        ("From: alice@example.test bob@example.org", Verdict::IdentityMismatch, Some("from-ambiguous")),
        ("From: <bob@example.org> <alice@example.test>", Verdict::IdentityMismatch, Some("from-ambiguous")),
        ("Sender: alice@example.test", Verdict::IdentityMismatch, Some("from-missing")),
        ("Subject: nobody", Verdict::IdentityMismatch, Some("from-missing")),
    ] {
        let mail = [header.as_bytes(), b"\r\nMIME-Version: 1.0\r\n", &entity].concat();
        let found = opened(&mail, &[]).await;
        assert_eq!(found.verdict, verdict, "{header} {:?}", words(&found));
        match word {
            Some(word) => assert!(words(&found).contains(&word), "{header} {:?}", words(&found)),
            None => assert_eq!(words(&found), Vec::<&str>::new(), "{header}"),
        }
    }
    // A control octet in From: not read as a mail, or not bound to the signer, but never valid.
    let nul = [b"From: alice@example.test\0@evil.example\r\n".as_slice(), &entity].concat();
    assert!(!matches!(try_open(&nul, &[]).await, Ok(found) if found.verdict == Verdict::Valid));
    // A bare entity names nobody; the caller may.
    assert_eq!(opened(&entity, &[]).await.verdict, Verdict::Valid);
    let (anchors, policy) = (anchors(), Policy::modern());
    for (email, verdict) in
        [("alice@example.test", Verdict::Valid), ("bob@example.org", Verdict::IdentityMismatch)]
    {
        let email: Mailbox = email.parse().unwrap();
        let options = OpenOptions::new(&anchors, &policy).at(now()).email(&email);
        assert_eq!(open(&entity, &options).await.unwrap().verdict, verdict);
    }
}

/// M1 with header protection: the leaf matches the inner From, and the outer From agrees with it.
#[tokio::test]
async fn inner_and_outer_from() {
    let (alice, bob) = ("From: alice@example.test", "From: bob@example.org");
    for (inner, outer, verdict, word) in [
        (alice, alice, Verdict::Valid, None),
        (alice, "From: Other Name <alice@Example.Test>", Verdict::Valid, None),
        (alice, bob, Verdict::IdentityMismatch, Some("outer-from-differs")),
        (bob, bob, Verdict::IdentityMismatch, Some("from-does-not-match")),
        (bob, alice, Verdict::IdentityMismatch, Some("from-does-not-match")),
        (
            "From: alice@example.test\r\nFrom: bob@example.org",
            alice,
            Verdict::IdentityMismatch,
            Some("from-ambiguous"),
        ),
        ("From: a@b.test, alice@example.test", alice, Verdict::IdentityMismatch, Some("from-ambiguous")),
        ("X-Other: no inner From", alice, Verdict::Valid, None),
        (alice, "X-Other: no outer From", Verdict::Valid, None),
        (
            alice,
            "From: alice@example.test, bob@example.org",
            Verdict::IdentityMismatch,
            Some("from-ambiguous"),
        ),
    ] {
        let payload = format!("{inner}\r\nContent-Type: text/plain; hp=\"clear\"\r\n\r\nAt five.\r\n");
        let entity = clear_signed(payload.as_bytes(), &identity("rsa")).await;
        let mail = [outer.as_bytes(), b"\r\nMIME-Version: 1.0\r\n", &entity].concat();
        let found = opened(&mail, &[]).await;
        assert_eq!(found.verdict, verdict, "{inner} {outer} {:?}", words(&found));
        assert!(word.is_none_or(|word| words(&found).contains(&word)), "{inner} {outer} {:?}", words(&found));
        if word == Some("outer-from-differs") {
            let (anchors, policy) = (anchors(), Policy::modern());
            let list: Mailbox = "bob@example.org".parse().unwrap();
            let options = OpenOptions::new(&anchors, &policy).at(now()).rewriters(&[list]);
            assert_eq!(open(&mail, &options).await.unwrap().verdict, Verdict::Valid);
        }
    }
    // hp outside any protection is nobody's word.
    let mail = "From: bob@example.org\r\nContent-Type: text/plain; hp=\"clear\"\r\n\r\nx";
    let found = opened(mail.as_bytes(), &[]).await;
    assert_eq!((found.verdict, found.protected_headers), (Verdict::NotSigned, None));
}

/// M2: a signature over a part is not one over the mail, wherever the part stands.
#[tokio::test]
async fn signed_parts_do_not_sign_the_mail() {
    let entity = clear_signed(b"Content-Type: text/plain\r\n\r\nAt five.\r\n", &identity("rsa")).await;
    let signed = String::from_utf8(entity).unwrap();
    let opaque = String::from_utf8(opaque_signed(b"\r\nAt five.\r\n", &identity("rsa")).await).unwrap();
    let with = |kind: &str, parts: &[&str]| {
        let body: String = parts.iter().map(|part| format!("--o\r\n{part}\r\n")).collect();
        format!(
            "From: alice@example.test\r\nContent-Type: multipart/{kind}; boundary=o\r\n\r\nPreamble\r\n{body}--o--\r\n"
        )
    };
    let html = "Content-Type: text/html\r\n\r\n<b>At nine.</b>";
    for mail in [
        with("mixed", &[&signed]),
        with("mixed", &[html, &signed]),
        with("mixed", &[&signed, html]),
        with("alternative", &[&signed, html]),
        with("mixed", &[&opaque]),
        with("related", &["Content-Type: text/plain\r\n\r\nlist footer", &with("mixed", &[&signed])[26..]]),
    ] {
        let found = opened(mail.as_bytes(), &[]).await;
        assert_eq!(found.verdict, Verdict::Partial, "{mail}");
        assert_eq!((words(&found), found.layers.len()), (vec!["not-signed", "partly-signed"], 0));
        assert_eq!(found.inner_parts.len(), 1);
    }
    let plain = opened(with("mixed", &[html]).as_bytes(), &[]).await;
    assert_eq!((plain.verdict, plain.withheld), (Verdict::NotSigned, false));

    // Text before, between and after the two parts is not the signed content.
    let boundary = signed.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let open_line = format!("\r\n\r\n--{boundary}\r\n");
    let covert = signed.replacen(&open_line, &format!("\r\n\r\nPay 1000 to Eve\r\n--{boundary}\r\n"), 1)
        + "Pay Eve\r\n";
    let found = opened(format!("From: alice@example.test\r\n{covert}").as_bytes(), &[]).await;
    assert_eq!(found.verdict, Verdict::Valid);
    assert!(!String::from_utf8_lossy(found.content.as_ref().unwrap()).contains("Eve"));
}

/// M4: structures that parsers could read differently are evaluated and not trusted.
#[tokio::test]
async fn ambiguous_structures_are_invalid() {
    let entity = clear_signed(b"Content-Type: text/plain\r\n\r\nAt five.\r\n", &identity("rsa")).await;
    let signed = format!("From: alice@example.test\r\n{}", String::from_utf8(entity).unwrap());
    let boundary = signed.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let close = format!("\r\n--{boundary}--\r\n");
    for mail in [
        signed.replacen("boundary=", "boundary=\"x\"; boundary=", 1),
        signed.replacen("Content-Type: multipart", "Content-Type: text/plain\r\nContent-Type: multipart", 1),
        signed.replacen(&close, "", 1),
        signed.replacen(&close, &format!("\r\n--{boundary}\r\n\r\nmore\r\n--{boundary}--\r\n"), 1),
        signed.replacen("application/pkcs7-signature; name", "text/plain; name", 1),
    ] {
        assert_ne!(mail, signed);
        let found = opened(mail.as_bytes(), &[]).await;
        assert_eq!((found.verdict, found.content.is_none()), (Verdict::Invalid, true), "{mail}");
        assert!(words(&found).contains(&"mime-structure"));
    }
    let mismatch = signed.replacen("micalg=\"sha-256\"", "micalg=\"sha-512\"", 1);
    let found = opened(mismatch.as_bytes(), &[]).await;
    assert_eq!(
        (found.verdict, found.tolerances.as_slice()),
        (Verdict::Valid, &[Tolerance::MicalgMismatch][..])
    );
}

/// S5: certificates only, and a kind of CMS that is not opened, are not signatures.
#[tokio::test]
async fn other_cms_is_not_a_signature() {
    use aecm_core::oid;
    use aecm_core::tlv::write;
    let data = write::sequence(&[&write::oid(&oid::DATA)]);
    let set = write::set_of(vec![]);
    let signed_data = write::sequence(&[&write::small(1), &set, &data, &set]);
    let certs_only = write::sequence(&[&write::oid(&oid::SIGNED_DATA), &write::explicit(0, &signed_data)]);
    let entity = pkcs7_mime(CmsKind::SignedData, &certs_only).unwrap();
    let found = opened(&[b"From: alice@example.test\r\n".as_slice(), &entity].concat(), &[]).await;
    assert_eq!((found.verdict, found.content.is_none()), (Verdict::NotSigned, true), "{:?}", words(&found));

    let digested = oid::DIGESTED_DATA;
    let cms = write::sequence(&[&write::oid(&digested), &write::explicit(0, &set)]);
    let entity = pkcs7_mime(CmsKind::SignedData, &cms).unwrap();
    let found = opened(&[b"From: alice@example.test\r\n".as_slice(), &entity].concat(), &[]).await;
    assert_eq!(found.verdict, Verdict::NotSigned);
    assert!(
        matches!(found.layers.as_slice(), [Layer::Unsupported { kind: CmsKind::Other(kind) }] if *kind == digested)
    );
}

/// A13: two signers on one mail, and micalg names both.
#[tokio::test]
async fn two_signers() {
    let payload = b"Content-Type: text/plain\r\n\r\nAt five.\r\n";
    let message = SignedMessage::new(payload).detached(true);
    let cms = sign(message, &[&identity("rsa"), &identity("sm2")]).await.unwrap().to_der();
    let digests = [DigestAlgorithm::Sha256, DigestAlgorithm::Sm3];
    let entity = multipart_signed(payload, &cms, &digests, &OsRng).unwrap();
    let mail = [b"From: alice@example.test\r\nMIME-Version: 1.0\r\n".as_slice(), &entity].concat();
    let found = opened(&mail, &[]).await;
    assert_eq!((found.verdict, found.tolerances.len()), (Verdict::Valid, 0), "{:?}", words(&found));
    let [Layer::Signed(layer)] = found.layers.as_slice() else { panic!() };
    assert_eq!(layer.report.signers.len(), 2);
}

/// Anything may come; nothing panics.
#[tokio::test]
async fn truncated_and_changed_mails_never_panic() {
    let mail = outgoing(MAIL);
    let payload = mail.payload(HeaderProtection::Cipher).unwrap();
    let whole = mail.message(HeaderProtection::Clear, &opaque_signed(&payload, &identity("p256")).await);
    for end in (0..whole.len()).step_by(61) {
        if let Ok(found) = try_open(&whole[..end], &[]).await {
            assert_ne!(found.verdict, Verdict::Valid);
        }
    }
    for at in (0..whole.len()).step_by(97) {
        let mut changed = whole.clone();
        changed[at] ^= 0x15;
        let _ = try_open(&changed, &[]).await;
    }
    for mail in [&b""[..], b"\r\n", b"\n", b"From: a@b.test", b"\xff\xfe"] {
        let _ = try_open(mail, &[]).await;
    }
}
