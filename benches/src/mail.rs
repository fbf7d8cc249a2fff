//! A mail of 10 kB on its way: signed, verified, encrypted, opened; and the steps inside.

use std::rc::Rc;

use aecm_core::certificate::Certificate;
use aecm_core::embed::OsRng;
use aecm_core::limits::Limits;
use aecm_core::path::{PathOptions, PathPurpose, validate};
use aecm_core::software::KeySpec;
use aecm_smime::cms::SignedData;
use aecm_smime::encrypt::{ContentCipher, Encryptor, Transport};
use aecm_smime::mime::{CmsKind, HeaderProtection, Outgoing, multipart_signed, pkcs7_mime};
use aecm_smime::open::{OpenOptions, Opened, open};
use aecm_smime::sign::{SignedMessage, SignerAttributes, sign};
use aecm_smime::verify::{Policy, Verdict};
use der::Decode;

use crate::people::{ALICE, BOB, Family, now};
use crate::{Job, ready};

/// All jobs, keys and mails made.
#[must_use]
pub fn jobs() -> Vec<Job> {
    let rsa = Rc::new(Family::new(KeySpec::Rsa(3072)));
    let p256 = Rc::new(Family::new(KeySpec::P256));
    let sm2 = Rc::new(Family::new(KeySpec::Sm2));
    let signing = [("RSA-3072", &rsa), ("ECDSA P-256", &p256), ("SM2", &sm2)];
    let encrypting = [
        ("RSA-OAEP, AES-256-GCM", &rsa, ContentCipher::Aes256Gcm),
        ("SM2, SM4-GCM", &sm2, ContentCipher::Sm4Gcm),
        ("SM2, SM4-CBC", &sm2, ContentCipher::Sm4Cbc),
    ];
    let mut jobs = Vec::new();
    for (name, family) in signing {
        let family = Rc::clone(family);
        let mail = mail();
        jobs.push(Job::new("sign a 10 kB mail", name, move || signed(&family, &mail)));
    }
    for (name, family) in signing {
        let (family, mail) = (Rc::clone(family), signed(family, &mail()));
        jobs.push(Job::new("verify a signed 10 kB mail", name, move || {
            assert_eq!(opened(&family, &mail).verdict, Verdict::Valid);
        }));
    }
    for (name, family, cipher) in encrypting {
        let family = Rc::clone(family);
        let mail = mail();
        jobs.push(Job::new("encrypt a 10 kB mail", name, move || encrypted(&family, &mail, cipher)));
    }
    for (name, family, cipher) in encrypting {
        let (family, mail) = (Rc::clone(family), encrypted(family, &mail(), cipher));
        jobs.push(Job::new("open an encrypted 10 kB mail", name, move || {
            assert!(opened(&family, &mail).content.is_some());
        }));
    }
    for (name, family, cipher) in encrypting {
        let family = Rc::clone(family);
        let mail = mail();
        jobs.push(Job::new("sign and encrypt a 10 kB mail", name, move || protected(&family, &mail, cipher)));
    }
    for (name, family, cipher) in encrypting {
        let (family, mail) = (Rc::clone(family), protected(family, &mail(), cipher));
        jobs.push(Job::new("open a signed and encrypted 10 kB mail", name, move || {
            assert_eq!(opened(&family, &mail).verdict, Verdict::Valid);
        }));
    }
    jobs.extend(parsing(&rsa));
    for (name, family) in signing {
        let family = Rc::clone(family);
        let options = PathOptions::new(PathPurpose::SignMail, Some(now()), Limits::default());
        let leaf = family.alice.certificate.as_der().to_vec();
        jobs.push(Job::new("read and validate a chain of 3", name, move || {
            let leaf = Certificate::from_der(&leaf).expect("a certificate");
            let authority = Certificate::from_der(family.authority.as_der()).expect("a certificate");
            validate(&leaf, &[authority], &family.anchors, &options).expect("a path")
        }));
    }
    jobs
}

/// SignedData with the content inside and two certificates, in DER: read by us and by the crates beside us.
fn parsing(family: &Family) -> Vec<Job> {
    const GROUP: &str = "read SignedData with 10 kB";
    let mail = mail();
    let message = SignedMessage::new(&mail).attributes(attributes());
    let cms = ready(sign(message, &[&family.alice])).expect("a signature").to_der();
    let (for_cms, for_rasn) = (cms.clone(), cms.clone());
    let limits = Limits::default();
    vec![
        Job::new(GROUP, "aecm-smime", move || {
            SignedData::parse(&cms, &limits).expect("SignedData").signers().len()
        }),
        Job::new(GROUP, "crate cms", move || {
            let info = cms::content_info::ContentInfo::from_der(&for_cms).expect("ContentInfo");
            info.content.decode_as::<cms::signed_data::SignedData>().expect("SignedData").signer_infos.0.len()
        }),
        Job::new(GROUP, "crate rasn-cms", move || {
            let info: rasn_cms::ContentInfo = rasn::der::decode(&for_rasn).expect("ContentInfo");
            let signed: rasn_cms::SignedData =
                rasn::der::decode(info.content.as_bytes()).expect("SignedData");
            signed.signer_infos.len()
        }),
    ]
}

/// A mail of ten thousand octets of text.
fn mail() -> Vec<u8> {
    let line = "All work and no play makes mail a rather dull thing to read on a Monday morning.\r\n";
    let mut mail = format!(
        "From: Alice <{ALICE}>\r\nTo: Bob <{BOB}>\r\nSubject: Ten thousand octets\r\n\
         Date: Mon, 23 Nov 2026 08:00:00 +0000\r\nMessage-ID: <1@example.test>\r\n\
         Content-Type: text/plain; charset=us-ascii\r\n\r\n"
    );
    while mail.len() + line.len() <= 10_000 {
        mail.push_str(line);
    }
    mail.into_bytes()
}

fn attributes() -> SignerAttributes {
    SignerAttributes { signing_time: Some(now()), ..SignerAttributes::default() }
}

/// multipart/signed around the mail, as it is sent.
fn signed(family: &Family, mail: &[u8]) -> Vec<u8> {
    let outgoing = Outgoing::parse(mail, &Limits::default()).expect("a mail");
    let payload = outgoing.payload(HeaderProtection::Clear).expect("a payload");
    outgoing.message(HeaderProtection::Clear, &signed_entity(family, &payload))
}

fn signed_entity(family: &Family, payload: &[u8]) -> Vec<u8> {
    let message = SignedMessage::new(payload).detached(true).attributes(attributes());
    let signature = ready(sign(message, &[&family.alice])).expect("a signature").to_der();
    let digest = family.alice.signer.algorithm().digest();
    multipart_signed(payload, &signature, &[digest], &OsRng).expect("an entity")
}

/// application/pkcs7-mime around the mail, to Bob, as it is sent.
fn encrypted(family: &Family, mail: &[u8], cipher: ContentCipher) -> Vec<u8> {
    let outgoing = Outgoing::parse(mail, &Limits::default()).expect("a mail");
    let payload = outgoing.payload(HeaderProtection::Cipher).expect("a payload");
    outgoing.message(HeaderProtection::Cipher, &encrypted_entity(family, &payload, cipher))
}

/// Signed inside, encrypted outside.
fn protected(family: &Family, mail: &[u8], cipher: ContentCipher) -> Vec<u8> {
    let outgoing = Outgoing::parse(mail, &Limits::default()).expect("a mail");
    let payload = outgoing.payload(HeaderProtection::Cipher).expect("a payload");
    let inner = signed_entity(family, &payload);
    outgoing.message(HeaderProtection::Cipher, &encrypted_entity(family, &inner, cipher))
}

fn encrypted_entity(family: &Family, payload: &[u8], cipher: ContentCipher) -> Vec<u8> {
    let mut encryptor = Encryptor::new(cipher).at(now());
    for bob in &family.bob {
        let transport = Transport::for_certificate(&bob.certificate).expect("a transport");
        encryptor = encryptor.recipient(&bob.certificate, transport);
    }
    let cms = encryptor.encrypt(payload, &OsRng).expect("a ciphertext");
    let kind = if cipher.is_authenticated() { CmsKind::AuthEnvelopedData } else { CmsKind::EnvelopedData };
    pkcs7_mime(kind, &cms).expect("an entity")
}

fn opened(family: &Family, mail: &[u8]) -> Opened {
    let policy = Policy::modern();
    let options =
        OpenOptions::new(&family.anchors, &policy).keys(&family.bob).at(now()).accept_unauthenticated(true);
    ready(open(mail, &options)).expect("a mail that opens")
}
