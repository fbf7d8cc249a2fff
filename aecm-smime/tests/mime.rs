//! MIME in both directions: exact octets of what others sent, tolerances, refusals, and what we write.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(unreachable_pub, dead_code)]

#[path = "support/people.rs"]
mod people;

use aecm_core::digest::DigestAlgorithm;
use aecm_core::embed::OsRng;
use aecm_core::limits::Limits;
use aecm_core::oid;
use aecm_core::tlv::write;
use aecm_smime::Tolerance;
use aecm_smime::mime::{
    CmsKind, Entity, HeaderProtection, MimeError, Outgoing, Protection, ProtectionMode, covert_parts,
    multipart_signed, pkcs7_mime, protected_headers,
};
use people::vector;

fn limits() -> Limits {
    Limits::default()
}

fn protection(mail: &str) -> Result<Protection<'_>, MimeError> {
    Entity::parse(mail.as_bytes(), &limits()).unwrap().protection(&limits())
}

/// The signed part of real peers' mail, and of ours, is the one an independent parser finds.
#[test]
fn signed_octets_are_those_mail_parser_finds() {
    let ours = multipart_signed(b"Content-Type: text/plain\r\n\r\nx\r\n", b"sig", &[], &OsRng).unwrap();
    for mail in [vector("openssl30-rsa-multipart.eml"), vector("tongsuo85-sm2-multipart.eml"), ours] {
        let entity = Entity::parse(&mail, &limits()).unwrap();
        let Protection::ClearSigned { content, tolerances, .. } = entity.protection(&limits()).unwrap()
        else {
            panic!("not signed");
        };
        assert_eq!(tolerances, []);
        let theirs = mail_parser::MessageParser::default().parse(&mail).unwrap();
        let part = &theirs.parts[1];
        let range = usize::try_from(part.offset_header).unwrap()..usize::try_from(part.offset_end).unwrap();
        assert_eq!(content, &mail[range]);
    }
}

fn der(content_type: &oid::ObjectIdentifier) -> Vec<u8> {
    write::sequence(&[&write::oid(content_type), &write::explicit(0, &write::sequence(&[]))])
}

fn base64(octets: &[u8]) -> String {
    let entity = pkcs7_mime(CmsKind::SignedData, octets).unwrap();
    String::from_utf8(entity).unwrap().split_once("\r\n\r\n").unwrap().1.to_owned()
}

/// STANDARDS §4.8: old types, absent and wrong smime-type, octet-stream; the content says what it is.
#[test]
fn kinds_of_pkcs7_mime() {
    use Tolerance::{SmimeTypeSniffed, XPkcs7Type};
    for (content_type, oid, kind, tolerances) in [
        ("application/pkcs7-mime; smime-type=signed-data", oid::SIGNED_DATA, CmsKind::SignedData, vec![]),
        ("application/pkcs7-mime; smime-type=certs-only", oid::SIGNED_DATA, CmsKind::SignedData, vec![]),
        ("Application/PKCS7-MIME; SMIME-type=\"Signed-Data\"", oid::SIGNED_DATA, CmsKind::SignedData, vec![]),
        ("application/pkcs7-mime; smime-type=signed-data", oid::GM_SIGNED_DATA, CmsKind::SignedData, vec![]),
        (
            "application/pkcs7-mime; smime-type=enveloped-data",
            oid::ENVELOPED_DATA,
            CmsKind::EnvelopedData,
            vec![],
        ),
        (
            "application/pkcs7-mime; smime-type=enveloped-data",
            oid::GM_ENVELOPED_DATA,
            CmsKind::EnvelopedData,
            vec![],
        ),
        (
            "application/pkcs7-mime; smime-type=authEnveloped-data",
            oid::AUTH_ENVELOPED_DATA,
            CmsKind::AuthEnvelopedData,
            vec![],
        ),
        ("application/pkcs7-mime", oid::ENVELOPED_DATA, CmsKind::EnvelopedData, vec![SmimeTypeSniffed]),
        (
            "application/pkcs7-mime; smime-type=signed-data",
            oid::ENVELOPED_DATA,
            CmsKind::EnvelopedData,
            vec![SmimeTypeSniffed],
        ),
        (
            "application/x-pkcs7-mime; smime-type=signed-data",
            oid::SIGNED_DATA,
            CmsKind::SignedData,
            vec![XPkcs7Type],
        ),
        (
            "application/octet-stream; name=\"SMIME.P7M\"",
            oid::SIGNED_DATA,
            CmsKind::SignedData,
            vec![SmimeTypeSniffed],
        ),
        ("application/pkcs7-mime; smime-type=x", oid::TST_INFO, CmsKind::Other(oid::TST_INFO), vec![]),
    ] {
        let cms = der(&oid);
        let mail = format!(
            "Content-Type: {content_type}\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
            base64(&cms)
        );
        assert_eq!(protection(&mail), Ok(Protection::Cms { kind, cms, tolerances }), "{content_type}");
    }
    let cms = base64(&der(&oid::SIGNED_DATA));
    let named = format!(
        "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; filename=smime.p7m\r\n\r\n{cms}"
    );
    assert!(matches!(protection(&named), Ok(Protection::Cms { .. })));
    let unnamed =
        format!("Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n{cms}");
    assert_eq!(protection(&unnamed), Ok(Protection::None));
}

#[test]
fn bodies_that_are_no_cms() {
    for (encoding, body) in [("base64", "aGVsbG8="), ("base64", ""), ("7bit", "hello")] {
        let head = |kind: &str| {
            format!("Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}")
        };
        assert_eq!(protection(&head("application/pkcs7-mime")), Err(MimeError::NotCms));
        assert_eq!(protection(&head("application/octet-stream; name=a.p7m")), Ok(Protection::None));
    }
    let wrong = "Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\n!!";
    assert_eq!(protection(wrong), Err(MimeError::TransferEncoding { encoding: "base64" }));
    let unknown = "Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\n!!";
    assert!(matches!(protection(unknown), Err(MimeError::TransferEncoding { .. })));
    let twice = "Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: 7bit\r\n\r\n";
    assert!(matches!(protection(twice), Err(MimeError::Field { .. })));
}

const SIGNATURE: &str =
    "Content-Type: application/pkcs7-signature\r\nContent-Transfer-Encoding: base64\r\n\r\nMAA=\r\n";

fn clear(content_type: &str, body: &str) -> String {
    format!("Content-Type: multipart/signed; {content_type}\r\n\r\n{body}")
}

/// M4: what two parsers could divide differently is refused.
#[test]
fn multipart_signed_is_read_strictly() {
    let protocol = "protocol=\"application/pkcs7-signature\"";
    let good = format!("--b\r\n\r\nx\r\n--b\r\n{SIGNATURE}\r\n--b--\r\n");
    assert!(matches!(
        protection(&clear(&format!("{protocol}; boundary=b"), &good)),
        Ok(Protection::ClearSigned { content: b"\r\nx", .. })
    ));
    for body in [
        format!("--b\r\n\r\nx\r\n--b\r\n{SIGNATURE}\r\n--b\r\n\r\ny\r\n--b--\r\n"), // three parts
        format!("--b\r\n{SIGNATURE}\r\n--b--\r\n"),                                 // one
        format!("--b\r\n\r\nx\r\n--b\r\n{SIGNATURE}"),                              // not closed
        "--b\r\n\r\nx\r\n--b\r\n\r\ny\r\n--b--\r\n".to_owned(),                     // no signature
        "no boundary at all".to_owned(),
    ] {
        let mail = clear(&format!("{protocol}; boundary=b"), &body);
        assert!(matches!(protection(&mail), Err(MimeError::MultipartSigned { .. })), "{body}");
    }
    for parameters in ["", "; boundary=\"\"", "; boundary=\"b \"", &format!("; boundary={}", "b".repeat(71))]
    {
        let mail = clear(&format!("{protocol}{parameters}"), &good);
        assert!(matches!(protection(&mail), Err(MimeError::Boundary { .. })), "{parameters}");
    }
    // The boundary twice, and the field twice: one parser takes the first, another the last.
    let twice = clear(&format!("{protocol}; boundary=b; boundary=c"), &good);
    assert!(matches!(protection(&twice), Err(MimeError::Field { .. })));
    let fields = format!("Content-Type: text/plain\r\n{}", clear(&format!("{protocol}; boundary=b"), &good));
    assert!(matches!(protection(&fields), Err(MimeError::Field { .. })));
    let harmless = "Content-Type: text/plain; charset=a; charset=b\r\n\r\nx";
    assert_eq!(protection(harmless), Ok(Protection::None));
}

#[test]
fn multipart_signed_of_others_and_of_old_types() {
    let body = format!("--b\r\n\r\nx\r\n--b\r\n{SIGNATURE}\r\n--b--\r\n");
    let old = body.replace("pkcs7-signature", "x-pkcs7-signature");
    let mail = clear("protocol=\"application/x-pkcs7-signature\"; boundary=b", &old);
    let Ok(Protection::ClearSigned { tolerances, .. }) = protection(&mail) else { panic!() };
    assert_eq!(tolerances, [Tolerance::XPkcs7Type]);
    assert!(matches!(protection(&clear("boundary=b", &body)), Ok(Protection::ClearSigned { .. })));
    assert_eq!(
        protection(&clear("protocol=\"application/pgp-signature\"; boundary=b", &body)),
        Ok(Protection::None)
    );
    let pgp = body.replace("pkcs7-signature", "pgp-signature");
    assert_eq!(protection(&clear("boundary=b", &pgp)), Ok(Protection::None));
}

/// M2: signed and encrypted parts inside are found by number, and only found.
#[test]
fn covert_parts_are_listed() {
    let signed = format!(
        "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=s\r\n\r\n\
         --s\r\n\r\nx\r\n--s\r\n{SIGNATURE}\r\n--s--"
    );
    let encrypted =
        String::from_utf8(pkcs7_mime(CmsKind::EnvelopedData, &der(&oid::ENVELOPED_DATA)).unwrap()).unwrap();
    let inner = format!(
        "Content-Type: multipart/alternative; boundary=i\r\n\r\n--i\r\n\r\ny\r\n--i\r\n{encrypted}\r\n--i--"
    );
    let forwarded = format!("Content-Type: message/rfc822\r\n\r\nFrom: x@example.org\r\n{signed}");
    let mail = format!(
        "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n\r\nz\r\n--o\r\n{signed}\r\n--o\r\n{inner}\r\n--o\r\n{forwarded}\r\n--o--\r\n"
    );
    let entity = Entity::parse(mail.as_bytes(), &limits()).unwrap();
    assert_eq!(entity.protection(&limits()), Ok(Protection::None));
    assert_eq!(covert_parts(&entity, &limits()).unwrap(), ["2", "3.2", "4.1"]);
    let mut few = limits();
    few.mime_parts = 3;
    assert_eq!(covert_parts(&entity, &few), Err(MimeError::TooManyParts { limit: 3 }));
    let mut flat = limits();
    flat.mime_depth = 1;
    assert_eq!(covert_parts(&entity, &flat), Err(MimeError::TooDeep { limit: 1 }));
}

/// A mail with attachments, written and read again: the payload comes back octet for octet.
#[test]
fn what_is_written_is_read_back() {
    let mail = "From: Alice <alice@example.test>\r\nTo: Bob <bob@example.org>\r\nCc: carol@example.org\r\n\
        Subject: =?utf-8?B?5L2g5aW9?=\r\nDate: Tue, 01 Dec 2026 08:00:00 +0800\r\nMessage-ID: <1@example.test>\r\n\
        MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"m\"\r\n\r\n--m\r\n\
        Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGrüße,\r\nFrom me \r\n\
        --m\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n\
        Content-Transfer-Encoding: base64\r\n\r\nAAECAwQ=\r\n--m--\r\n";
    let outgoing = Outgoing::parse(mail.as_bytes(), &limits()).unwrap();
    let payload = outgoing.payload(HeaderProtection::Clear).unwrap();
    assert!(payload.is_ascii());
    let digests = [DigestAlgorithm::Sha256, DigestAlgorithm::Sm3];
    let entity = multipart_signed(&payload, &[0x30; 3000], &digests, &OsRng).unwrap();
    let whole = outgoing.message(HeaderProtection::Clear, &entity);
    assert!(whole.split(|octet| *octet == b'\n').all(|line| line.len() <= 999));

    let read = Entity::parse(&whole, &limits()).unwrap();
    let Ok(Protection::ClearSigned { content, signature, micalg, tolerances }) = read.protection(&limits())
    else {
        panic!("not signed");
    };
    assert_eq!((content, signature, tolerances), (payload.as_slice(), vec![0x30; 3000], vec![]));
    assert_eq!(micalg.as_deref(), Some("sha-256,sm3"));

    let inner = Entity::parse(content, &limits()).unwrap();
    let headers = protected_headers(&inner, &limits()).unwrap().unwrap();
    assert_eq!((headers.mode, headers.get("subject")), (ProtectionMode::Clear, Some("你好")));
    assert_eq!(headers.fields.len(), 6);
    let parts = inner.parts(&limits()).unwrap();
    let text = Entity::parse(parts[0], &limits()).unwrap();
    assert_eq!(*text.decoded().unwrap(), *"Grüße,\r\nFrom me ".as_bytes());
    let pdf = Entity::parse(parts[1], &limits()).unwrap();
    assert_eq!(*pdf.decoded().unwrap(), [0, 1, 2, 3, 4]);
}

/// M3, RFC 9788 §4.3: what was outside and what was not.
#[test]
fn protected_headers_say_what_was_confidential() {
    let mail = b"From: a@example.test\r\nTo: b@example.org\r\nSubject: Secret\r\nKeywords: x\r\n\r\nhi\r\n";
    let outgoing = Outgoing::parse(mail, &limits()).unwrap();
    let payload = outgoing.payload(HeaderProtection::Cipher).unwrap();
    let headers =
        protected_headers(&Entity::parse(&payload, &limits()).unwrap(), &limits()).unwrap().unwrap();
    assert_eq!(headers.mode, ProtectionMode::Cipher);
    assert_eq!(headers.outer.len(), 3);
    for (name, confidential) in
        [("Subject", true), ("Keywords", true), ("From", false), ("To", false), ("Cc", false)]
    {
        assert_eq!(headers.is_confidential(name), confidential, "{name}");
    }
}

#[test]
fn headers_that_are_not_protected() {
    let headers = |entity: &'static str| {
        protected_headers(&Entity::parse(entity.as_bytes(), &limits()).unwrap(), &limits())
    };
    assert_eq!(headers("Subject: x\r\nContent-Type: text/plain\r\n\r\n"), Ok(None));
    assert_eq!(headers("Subject: x\r\n\r\n"), Ok(None));
    assert!(matches!(
        headers("Subject: x\r\nContent-Type: text/plain; hp=both\r\n\r\n"),
        Err(MimeError::Field { .. })
    ));
    // RFC 8551 §3.1: only forwarded=no makes a message/rfc822 the wrapper of the header.
    assert_eq!(headers("Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\n"), Ok(None));
    let wrapped =
        headers("Content-Type: message/rfc822; forwarded=no\r\n\r\nSubject: x\r\n\r\n").unwrap().unwrap();
    assert_eq!((wrapped.mode, wrapped.get("subject")), (ProtectionMode::Wrapped, Some("x")));
}

/// M4: a multipart/signed in base64 or quoted-printable is no multipart/signed (RFC 2045 §6.4).
#[test]
fn a_signed_multipart_has_no_transfer_encoding() {
    for (encoding, refused) in
        [("base64", true), ("Quoted-Printable", true), ("7bit", false), ("binary", false)]
    {
        let mail = format!(
            "Content-Type: multipart/signed; boundary=b; protocol=\"application/pkcs7-signature\"\r\n\
             Content-Transfer-Encoding: {encoding}\r\n\r\n--b\r\n\r\nx\r\n--b\r\n\
             Content-Type: application/pkcs7-signature\r\n\r\ny\r\n--b--\r\n"
        );
        let entity = Entity::parse(mail.as_bytes(), &Limits::default()).unwrap();
        let found = entity.protection(&Limits::default());
        assert_eq!(matches!(found, Err(MimeError::MultipartSigned { .. })), refused, "{encoding}: {found:?}");
    }
}

/// What a binary attachment holds is signed as it is.
#[test]
fn binary_attachments_keep_their_octets() {
    let mail = b"From: alice@example.test\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhi\n--b\r\n\
                 Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\na\nb\rc\x00\xff\r\n--b--\r\n";
    let limits = Limits::default();
    let payload = Outgoing::parse(mail, &limits).unwrap().payload(HeaderProtection::Clear).unwrap();
    let entity = Entity::parse(&payload, &limits).unwrap();
    let parts = entity.parts(&limits).unwrap();
    let part = Entity::parse(parts[1], &limits).unwrap();
    assert_eq!(&*part.decoded().unwrap(), b"a\nb\rc\x00\xff");
}
