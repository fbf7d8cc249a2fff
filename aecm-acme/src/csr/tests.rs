use std::sync::Arc;

use aecm_core::certificate::KeyUsage;
use aecm_core::embed::OsRng;
use aecm_core::key::{Decryptor, Signer};
use aecm_core::limits::Limits;
use aecm_core::mailbox::Mailbox;
use aecm_core::oid;
use aecm_core::signature::Sm2Id;
use aecm_core::software::{KeySpec, SoftwareKey};
use aecm_core::suite::Purpose;
use aecm_core::tlv::write;

use super::*;

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn alice() -> Mailbox {
    "alice@example.com".parse().unwrap()
}

fn key(spec: KeySpec) -> SoftwareKey {
    SoftwareKey::generate(spec, &OsRng).unwrap()
}

fn made(spec: KeySpec, purpose: Purpose) -> Vec<u8> {
    let template = Template::new(&alice(), purpose);
    if purpose == Purpose::Encrypt {
        block_on(template.prove(&key(spec).into_decryptor(Arc::new(OsRng)))).unwrap()
    } else {
        block_on(template.sign(&key(spec).into_signer(Arc::new(OsRng)))).unwrap()
    }
}

// A20: one usage for each purpose and kind of key.
#[test]
fn every_slot_asks_for_its_one_usage() {
    let limits = Limits::default();
    for (spec, encrypting) in [
        (KeySpec::P256, KeyUsage::KEY_AGREEMENT),
        (KeySpec::Sm2, KeyUsage::KEY_ENCIPHERMENT),
        (KeySpec::Rsa(2048), KeyUsage::KEY_ENCIPHERMENT),
    ] {
        for purpose in Purpose::ALL {
            let request = CertificateRequest::parse(&made(spec, purpose), &limits).unwrap();
            request.verify(Sm2Id::Default).unwrap();
            assert_eq!(request.mailboxes(), [alice()]);
            assert_eq!(request.purpose(), Some(purpose), "{spec:?}");
            let usage = if purpose == Purpose::Encrypt { encrypting } else { KeyUsage::DIGITAL_SIGNATURE };
            assert_eq!(request.key_usage(), Some(usage));
            let extended =
                if purpose == Purpose::Timestamp { oid::TIME_STAMPING } else { oid::EMAIL_PROTECTION };
            assert_eq!(request.extended_key_usage(), [extended]);
            assert_eq!(request.subject_der(), [0x30, 0]);
        }
    }
}

#[test]
fn a_common_name_and_an_international_mailbox_are_read_back() {
    let mailbox: Mailbox = "用户@example.com".parse().unwrap();
    let signer = key(KeySpec::P256).into_signer(Arc::new(OsRng));
    let der = block_on(Template::new(&mailbox, Purpose::Sign).common_name(true).sign(&signer)).unwrap();
    let request = CertificateRequest::parse(&der, &Limits::default()).unwrap();
    assert_eq!(request.mailboxes(), core::slice::from_ref(&mailbox));
    assert_eq!(request.common_name(), Some(mailbox.as_str()));
    assert_eq!(request.public_key(), signer.public_key());
}

#[test]
fn an_encrypting_key_proves_nothing_but_an_encrypting_request() {
    let decryptor = key(KeySpec::P256).into_decryptor(Arc::new(OsRng));
    let error = block_on(Template::new(&alice(), Purpose::Sign).prove(&decryptor)).unwrap_err();
    assert_eq!(error, CsrError::UnsupportedKey);
    let other = key(KeySpec::P256);
    let foreign = Template::new(&alice(), Purpose::Encrypt).info(other.public_key());
    assert!(block_on(decryptor.prove_possession(&foreign)).is_err());
}

#[test]
fn a_changed_request_does_not_verify() {
    let der = made(KeySpec::Sm2, Purpose::Sign);
    let limits = Limits::default();
    let request = CertificateRequest::parse(&der, &limits).unwrap();
    // G4: another identifier is another message.
    assert_eq!(request.verify(Sm2Id::Other(b"")), Err(CsrError::Signature));
    let place = der.windows(5).position(|window| window == b"alice").unwrap();
    let mut forged = der.clone();
    forged[place..place + 5].copy_from_slice(b"mally");
    let forged = CertificateRequest::parse(&forged, &limits).unwrap();
    assert_eq!(forged.mailboxes(), ["mally@example.com".parse::<Mailbox>().unwrap()]);
    assert_eq!(forged.verify(Sm2Id::Default), Err(CsrError::Signature));
}

/// A request by a P-256 key over any attributes.
fn with_attributes(attributes: &[u8]) -> Vec<u8> {
    let signer = key(KeySpec::P256).into_signer(Arc::new(OsRng));
    let info = write::sequence(&[
        &write::small(0),
        &write::sequence(&[]),
        signer.public_key().spki_der(),
        &write::tlv(aecm_core::tlv::Tag::context(0), attributes),
    ]);
    let signature = block_on(signer.sign(signer.algorithm(), &info)).unwrap();
    write::sequence(&[&info, &signer.algorithm().identifier_der(), &write::bit_string(&signature)])
}

fn request_of(extensions: &[&[u8]]) -> Vec<u8> {
    let value = write::sequence(extensions);
    write::sequence(&[&write::oid(&oid::EXTENSION_REQUEST), &write::set_of(vec![value])])
}

#[test]
fn odd_requests_are_refused() {
    let limits = Limits::default();
    let usage = write::sequence(&[&write::oid(&oid::KEY_USAGE), &write::octet_string(&write::named_bits(1))]);
    let san = |name: &[u8]| {
        write::sequence(&[
            &write::oid(&oid::SUBJECT_ALT_NAME),
            &write::octet_string(&write::sequence(&[name])),
        ])
    };
    let dns = san(&write::tlv(aecm_core::tlv::Tag::context_primitive(2), b"example.com"));
    let no_address = san(&write::tlv(aecm_core::tlv::Tag::context_primitive(1), b"example.com"));
    let twice = [request_of(&[&usage]), request_of(&[&usage])].concat();
    for (attributes, error) in [
        (request_of(&[&usage, &usage]), CsrError::Duplicate(oid::KEY_USAGE)),
        (request_of(&[&dns]), CsrError::Name),
        (request_of(&[&no_address]), CsrError::Name),
        (twice, CsrError::ExtensionRequest),
    ] {
        assert_eq!(CertificateRequest::parse(&with_attributes(&attributes), &limits).err(), Some(error));
    }
    let mut trailing = made(KeySpec::P256, Purpose::Sign);
    trailing.push(0);
    assert!(matches!(CertificateRequest::parse(&trailing, &limits), Err(CsrError::Malformed(_))));
    let large = vec![0; limits.certificate_bytes + 1];
    assert!(matches!(CertificateRequest::parse(&large, &limits), Err(CsrError::TooLarge { .. })));
}

// RFC 8823 §3: both sets of bits, or none, ask for a dual-use certificate.
#[test]
fn mixed_usages_are_no_single_purpose() {
    for bits in [0b101, 0b10001, 0b10100, 0b1000] {
        let usage =
            write::sequence(&[&write::oid(&oid::KEY_USAGE), &write::octet_string(&write::named_bits(bits))]);
        let der = with_attributes(&request_of(&[&usage]));
        let request = CertificateRequest::parse(&der, &Limits::default()).unwrap();
        request.verify(Sm2Id::Default).unwrap();
        assert_eq!(request.purpose(), None, "{bits:b}");
    }
    let bare = CertificateRequest::parse(&with_attributes(&[]), &Limits::default()).unwrap();
    assert_eq!(bare.purpose(), None);
    assert!(bare.mailboxes().is_empty());
}

#[test]
fn every_truncation_is_an_error() {
    let der = made(KeySpec::P256, Purpose::Encrypt);
    for length in 0..der.len() {
        assert!(CertificateRequest::parse(&der[..length], &Limits::default()).is_err(), "{length}");
    }
}
