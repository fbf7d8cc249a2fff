//! What several layers, several signers and an inner header must not achieve (THREATS S1, S5, M1, M2).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(unreachable_pub, dead_code)]

#[path = "support/maker.rs"]
mod maker;
#[path = "support/people.rs"]
mod people;

use aecm_core::embed::OsRng;
use aecm_core::limits::Limits;
use aecm_core::oid;
use aecm_core::path::Anchors;
use aecm_core::software::KeySpec;
use aecm_core::tlv::{Tag, write};
use aecm_smime::decrypt::Recipient;
use aecm_smime::encrypt::{ContentCipher, Encryptor, Transport};
use aecm_smime::mime::{CmsKind, HeaderProtection, Outgoing, multipart_signed, pkcs7_mime};
use aecm_smime::open::{OpenOptions, Opened, open};
use aecm_smime::sign::{SignedMessage, SigningIdentity, sign};
use aecm_smime::verify::{Policy, Verdict, Verifier};
use maker::{Certified, Holder, MessageDraft, SignerDraft};
use people::{Authority, Profile, anchors, identity, now, recipient};

const CONTENT: &[u8] = b"Content-Type: text/plain\r\n\r\nAt five.\r\n";

fn outgoing(mail: &str) -> Outgoing {
    Outgoing::parse(mail.as_bytes(), &Limits::default()).unwrap()
}

async fn opened(mail: &[u8], keys: &[Recipient]) -> Opened {
    let (anchors, policy) = (anchors(), Policy::modern());
    open(mail, &OpenOptions::new(&anchors, &policy).at(now()).keys(keys)).await.unwrap()
}

fn words(opened: &Opened) -> Vec<&'static str> {
    opened.reasons.iter().map(|reason| reason.word()).collect()
}

async fn clear_signed(payload: &[u8], signer: &SigningIdentity) -> Vec<u8> {
    let cms = sign(SignedMessage::new(payload).detached(true), &[signer]).await.unwrap().to_der();
    multipart_signed(payload, &cms, &[signer.signer.algorithm().digest()], &OsRng).unwrap()
}

fn encrypted(payload: &[u8]) -> Vec<u8> {
    let encryptor = Encryptor::new(ContentCipher::Aes256Gcm)
        .recipient(&recipient("rsa").certificate, Transport::RsaOaepSha256);
    pkcs7_mime(CmsKind::AuthEnvelopedData, &encryptor.encrypt(payload, &OsRng).unwrap()).unwrap()
}

fn from_alice(entity: &[u8]) -> Vec<u8> {
    [b"From: alice@example.test\r\nMIME-Version: 1.0\r\n".as_slice(), entity].concat()
}

// M2: a stranger's wrapping that needs the retry with CRLF must not replace what Alice signed by what he did.
#[tokio::test]
async fn m2_an_outer_signature_does_not_replace_the_content() {
    let alice = identity("rsa");
    let mallory = Authority::new().identity(KeySpec::P256, &Profile::sign("mallory@example.test"));
    let inner = String::from_utf8(clear_signed(CONTENT, &alice).await).unwrap();
    let body = inner.find("\r\n\r\n").unwrap() + 4;
    let inner = format!("{}COVERT\r\n{}COVERT\r\n", &inner[..body], &inner[body..]);
    let mail = String::from_utf8(from_alice(&clear_signed(inner.as_bytes(), &mallory).await)).unwrap();
    for text in [mail.clone(), mail.replacen("COVERT\r\n", "COVERT\n", 1)] {
        let opened = opened(text.as_bytes(), &[]).await;
        assert_eq!(opened.verdict, Verdict::Valid, "{:?}", words(&opened));
        assert_eq!(opened.content.unwrap().as_slice(), CONTENT);
    }
}

// M1: anybody can encrypt; a From inside that nobody signed says nothing.
#[tokio::test]
async fn m1_an_unsigned_inner_from_is_not_the_sender() {
    let inner =
        outgoing("From: boss@corp.example\r\nTo: bob@example.org\r\nSubject: Pay\r\n\r\nPay now.\r\n");
    let payload = inner.payload(HeaderProtection::Cipher).unwrap();
    let outer = outgoing("From: mallory@evil.example\r\nTo: bob@example.org\r\nSubject: x\r\n\r\nx\r\n");
    let mail = outer.message(HeaderProtection::Cipher, &encrypted(&payload));
    let opened = opened(&mail, &[recipient("rsa")]).await;
    assert_eq!(opened.verdict, Verdict::NotSigned);
    assert_eq!(words(&opened), ["not-signed", "outer-from-differs"]);
    assert_eq!(opened.from.unwrap().as_str(), "mallory@evil.example");
}

// M2: who signs a ciphertext need not know what is in it.
#[tokio::test]
async fn m2_a_signature_over_ciphertext_is_partial() {
    let mail = from_alice(&clear_signed(&encrypted(CONTENT), &identity("rsa")).await);
    let opened = opened(&mail, &[recipient("rsa")]).await;
    assert_eq!(opened.verdict, Verdict::Partial);
    assert_eq!(words(&opened), ["signature-over-ciphertext"]);
}

// S5: a second signer who is not trusted does not say when a valid mail was sent.
#[test]
fn s5_an_untrusted_signer_does_not_set_the_time() {
    let root = Holder::new(KeySpec::P256);
    let root_certificate = Certified::root().issue(&root, &root);
    let alice = Holder::new(KeySpec::P256);
    let alice_certificate = Certified::alice().issue(&alice, &root);
    let (fake, fake_ca) = (Holder::new(KeySpec::P256), Holder::new(KeySpec::P256));
    let fake_certificate = Certified { issuer: "Nobody", ..Certified::alice() }.issue(&fake, &fake_ca);
    let mut first = SignerDraft::new(&fake, &fake_certificate, CONTENT);
    let long_ago = write::time(maker::time("1999-01-01T00:00:00Z"));
    first.replace(&oid::SIGNING_TIME, &[maker::attribute(&oid::SIGNING_TIME, &[long_ago])]);
    let second = SignerDraft::new(&alice, &alice_certificate, CONTENT);
    let der =
        MessageDraft::new(CONTENT, vec![first, second], vec![fake_certificate, alice_certificate]).build();
    let entity = pkcs7_mime(CmsKind::SignedData, &der).unwrap();
    let mail = [b"From: alice@example.org\r\nMIME-Version: 1.0\r\n".as_slice(), &entity].concat();
    let (anchors, policy) = (Anchors::new(vec![root_certificate]), Policy::modern());
    let options = OpenOptions::new(&anchors, &policy).at(maker::time("2026-06-02T00:00:00Z"));
    let opened = maker::run(open(&mail, &options)).unwrap();
    assert_eq!(opened.verdict, Verdict::Valid);
    assert_ne!(opened.sent_at.claimed, Some(maker::time("1999-01-01T00:00:00Z")));
}

// S1: attributes shown as content are refused, also where one has a type that cannot be read.
#[test]
fn s1_attributes_are_no_content_whatever_their_types() {
    let root = Holder::new(KeySpec::P256);
    let root_certificate = Certified::root().issue(&root, &root);
    let alice = Holder::new(KeySpec::P256);
    let alice_certificate = Certified::alice().issue(&alice, &root);
    // An arc of 128 bits, as those under 2.25 have.
    let large = [
        0x69, 0x81, 0xf0, 0xb5, 0xa0, 0x9e, 0x84, 0xa1, 0x93, 0xd5, 0xc2, 0xe7, 0x91, 0xb0, 0xd0, 0x88, 0x92,
        0xf1, 0x5b,
    ];
    for with_large in [false, true] {
        let mut list = vec![
            maker::attribute(&oid::CONTENT_TYPE, &[write::oid(&oid::DATA)]),
            maker::attribute(&oid::MESSAGE_DIGEST, &[write::octet_string(&[7; 32])]),
        ];
        if with_large {
            list.push(write::sequence(&[
                &write::tlv(Tag::OID, &large),
                &write::tlv(Tag::SET, &write::small(1)),
            ]));
        }
        list.sort();
        let content = write::tlv(Tag::SET, &list.concat());
        let mut signer = SignerDraft::new(&alice, &alice_certificate, &content);
        signer.attributes = None;
        let der = MessageDraft::new(&content, vec![signer], vec![alice_certificate.clone()]).build();
        let (anchors, policy) = (Anchors::new(vec![root_certificate.clone()]), Policy::modern());
        let at = maker::time("2026-06-02T00:00:00Z");
        let report = Verifier::new(&anchors, &policy).at(at).verify(&der, None).unwrap();
        assert_eq!(report.verdict, Verdict::Invalid, "large {with_large}");
        assert!(report.all_reasons().iter().any(|reason| reason.word() == "content-is-signed-attributes"));
    }
}
