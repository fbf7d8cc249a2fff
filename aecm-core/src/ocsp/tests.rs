use alloc::vec;

use super::*;
use crate::certificate::Certificate;
use crate::oid;
use crate::tlv::{Tag, write};

const RESPONSE: &[u8] = include_bytes!("../../tests/vectors/revocation/sm2-responder.ocsp");
const CA: &str = include_str!("../../tests/vectors/keys/sm2-ca.crt");
const SIG: &str = include_str!("../../tests/vectors/keys/sm2-sig.crt");

fn read(der: &[u8]) -> Result<OcspResponse, OcspError> {
    OcspResponse::from_der(der, &Limits::default())
}

fn time() -> Vec<u8> {
    write::generalized_time(Time::from_unix(1_795_420_800))
}

fn single(status: &[u8], rest: &[u8]) -> Vec<u8> {
    let algorithm = write::algorithm(&oid::SHA1, Some(&write::null()));
    let hash = write::octet_string(&[1; 20]);
    let id = write::sequence(&[&algorithm, &hash, &hash, &write::small(7)]);
    write::sequence(&[&id, status, &time(), rest])
}

/// A BasicOCSPResponse that nobody signed.
fn basic(responder: &[u8], before: &[u8], singles: &[Vec<u8>], after: &[u8]) -> Vec<u8> {
    let data = write::sequence(&[before, responder, &time(), &write::sequence(&[&singles.concat()]), after]);
    let algorithm = write::algorithm(&oid::ECDSA_WITH_SHA256, None);
    write::sequence(&[&data, &algorithm, &write::bit_string(&[0; 8])])
}

fn by_key() -> Vec<u8> {
    write::explicit(2, &write::octet_string(&[1; 20]))
}

fn wrapped(status: u8, kind: &ObjectIdentifier, basic: &[u8]) -> Vec<u8> {
    let bytes = write::sequence(&[&write::oid(kind), &write::octet_string(basic)]);
    write::sequence(&[&write::tlv(Tag::ENUMERATED, &[status]), &write::explicit(0, &bytes)])
}

const GOOD: &[u8] = &[0x80, 0];

#[test]
fn a_response_of_openssl() {
    let response = read(RESPONSE).unwrap();
    assert_eq!((response.len(), response.certificates().len()), (3, 1));
    assert!(!response.is_empty() && !response.has_unknown_critical_extension());
    let responder = response.certificates()[0].clone();
    assert!(response.is_responder(&responder));
    let (ca, leaf) = (Certificate::from_pem(CA).unwrap(), Certificate::from_pem(SIG).unwrap());
    assert!(!response.is_responder(&ca));
    response.verify_signature_by(responder.public_key().unwrap(), Sm2Id::Default).unwrap();
    let wrong = response.verify_signature_by(ca.public_key().unwrap(), Sm2Id::Default);
    assert!(matches!(wrong, Err(OcspError::Signature(_))));
    let of_issuer: Vec<_> = response.statuses(&leaf, ca.public_key().unwrap()).collect();
    let [status] = of_issuer.as_slice() else { panic!("{of_issuer:?}") };
    assert!(matches!(
        status.status,
        CertificateStatus::Revoked { reason: Some(RevocationReason::KeyCompromise), .. }
    ));
    assert_eq!(response.statuses(&leaf, leaf.public_key().unwrap()).count(), 0, "another issuer's key");
    assert_eq!(response.statuses(&ca, ca.public_key().unwrap()).count(), 0, "another serial number");
    for end in 0..RESPONSE.len() {
        assert!(read(&RESPONSE[..end]).is_err(), "cut at {end}");
    }
    let limits = Limits { crl_bytes: RESPONSE.len() - 1, ..Limits::default() };
    let large = OcspResponse::from_der(RESPONSE, &limits);
    assert!(matches!(large, Err(OcspError::TooLarge { .. })));
    let limits = Limits { certificates: 0, ..Limits::default() };
    let many = OcspResponse::from_der(RESPONSE, &limits);
    assert_eq!(many, Err(OcspError::TooManyCertificates { limit: 0 }));
}

#[test]
fn bare_and_wrapped() {
    let bare = basic(&by_key(), &[], &[single(GOOD, &[])], &[]);
    assert_eq!(read(&bare).unwrap().len(), 1);
    assert_eq!(read(&wrapped(0, &oid::OCSP_BASIC, &bare)).unwrap().len(), 1);
    assert_eq!(read(&wrapped(0, &oid::OCSP_NONCE, &bare)), Err(OcspError::Type(oid::OCSP_NONCE)));
    for code in [1, 2, 3, 5, 6] {
        let error = write::sequence(&[&write::tlv(Tag::ENUMERATED, &[code])]);
        assert_eq!(read(&error), Err(OcspError::Status { code: u64::from(code) }));
        // Also where something comes along.
        assert!(read(&wrapped(code, &oid::OCSP_BASIC, &bare)).is_err());
    }
    let nothing = write::sequence(&[&write::tlv(Tag::ENUMERATED, &[0])]);
    assert!(matches!(read(&nothing), Err(OcspError::Encoding(_))));
}

#[test]
fn what_is_not_a_response() {
    let version = |value| write::explicit(0, &write::small(value));
    assert!(read(&basic(&by_key(), &version(0), &[], &[])).is_ok());
    let two = read(&basic(&by_key(), &version(1), &[], &[]));
    assert_eq!(two, Err(OcspError::Version { value: 1 }));
    for responder in
        [write::explicit(3, &write::null()), write::null(), write::explicit(1, &write::null()), Vec::new()]
    {
        assert!(matches!(read(&basic(&responder, &[], &[], &[])), Err(OcspError::Encoding(_))));
    }
    let explicit_time = write::explicit(0, &time());
    assert!(read(&basic(&by_key(), &[], &[single(GOOD, &explicit_time)], &[])).is_ok());
    for bad in [
        single(&[0x80, 1, 0], &[]),
        single(&[0x83, 0], &[]),
        single(&[0xa1, 0], &[]),
        single(&write::null(), &[]),
        single(GOOD, &time()),
        single(GOOD, &write::explicit(0, &write::null())),
        single(GOOD, &[explicit_time.clone(), explicit_time].concat()),
    ] {
        assert!(matches!(read(&basic(&by_key(), &[], &[bad], &[])), Err(OcspError::Encoding(_))));
    }
    for code in [7, 11] {
        let reason = write::explicit(0, &write::tlv(Tag::ENUMERATED, &[code]));
        let revoked = write::tlv(Tag::context(1), &[time(), reason].concat());
        assert!(read(&basic(&by_key(), &[], &[single(&revoked, &[])], &[])).is_err());
    }
    let nonce = write::sequence(&[&write::oid(&oid::OCSP_NONCE), &write::octet_string(b"x")]);
    let list = |extensions: Vec<Vec<u8>>| write::explicit(1, &write::sequence(&[&extensions.concat()]));
    assert!(read(&basic(&by_key(), &[], &[], &list(vec![nonce.clone()]))).is_ok());
    let twice = read(&basic(&by_key(), &[], &[], &list(vec![nonce.clone(), nonce])));
    assert_eq!(twice, Err(OcspError::DuplicateExtension(oid::OCSP_NONCE)));
}
