//! What the unit makes, and what it refuses.

use core::time::Duration;
use std::sync::Arc;

use aecm_core::certificate::Certificate;
use aecm_core::digest::DigestAlgorithm;
use aecm_core::embed::OsRng;
use aecm_core::limits::Limits;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::software::{KeySpec, SoftwareKey};
use aecm_core::tlv::{deviates_from_der, write as w};
use aecm_smime::cms::SignedData;
use aecm_smime::sign::SigningIdentity;
use aecm_smime::verify::TimestampTrust;
use aecm_timestamp::issue::random_serial;
use aecm_timestamp::response::{Failure, Status};
use aecm_timestamp::{Error, Request, RequestError, TimestampPolicy, Unit, parse_response, verify_response};

use crate::maker::{CLASSIC, DATA, NATIONAL, POLICY, Spec, noon, run, time};
use crate::vectors::anchors;

fn request(digest: DigestAlgorithm) -> Request {
    Request::new(digest, &digest.digest(DATA), [0x80, 2, 3, 4, 5, 6, 7, 8]).unwrap()
}

fn unit() -> Unit {
    Unit::new(CLASSIC.tsa.identity(), POLICY).with_accuracy(Duration::from_micros(1_002_003))
}

#[test]
fn every_suite_makes_tokens_that_verify() {
    for (world, digest) in [(&*CLASSIC, DigestAlgorithm::Sha256), (&*NATIONAL, DigestAlgorithm::Sm3)] {
        let unit = Unit::new(world.tsa.identity(), POLICY).with_accuracy(Duration::from_micros(1_002_003));
        let serial = random_serial(&OsRng).unwrap();
        let answer = run(unit.answer(&request(digest).to_der(), noon(), &serial));
        let token = verify_response(&request(digest), &answer, &world.policy(), noon()).unwrap();
        assert_eq!(token.trust, TimestampTrust::Tsa);
        assert_eq!(token.info.gen_time, noon());
        assert_eq!(token.info.serial, serial);
        assert_eq!(token.info.accuracy, Some(Duration::from_micros(1_002_003)));
        assert_eq!(token.info.policy, POLICY);
        assert!(!deviates_from_der(&answer, &Limits::default()));
        let signed = SignedData::parse(&token.der, &Limits::default()).unwrap();
        assert!(signed.signers()[0].attribute(&oid::SIGNING_CERTIFICATE_V2).is_some());
        assert_eq!(signed.signers()[0].digest_algorithm().oid, digest.oid());
    }
}

#[test]
fn rsa_and_the_keys_of_others() {
    let now = time("2026-11-24T00:00:00Z");
    for (ca, certificate, key) in [
        (
            include_str!("../vectors/keys/rsa-ca.crt"),
            include_str!("../vectors/keys/rsa-tsa.crt"),
            include_str!("../vectors/keys/rsa-tsa.key"),
        ),
        (
            include_str!("../vectors/keys/p256-ca.crt"),
            include_str!("../vectors/keys/p256-tsa.crt"),
            include_str!("../vectors/keys/p256-tsa.key"),
        ),
        (
            include_str!("../vectors/keys/sm2-ca.crt"),
            include_str!("../vectors/keys/sm2-tsa.crt"),
            include_str!("../vectors/keys/sm2-tsa.key"),
        ),
    ] {
        let identity = SigningIdentity {
            certificate: Certificate::from_pem(certificate).unwrap(),
            chain: Vec::new(),
            signer: Arc::new(SoftwareKey::from_pem(key).unwrap().into_signer(Arc::new(OsRng))),
        };
        let unit = Unit::new(identity, POLICY);
        let request = request(DigestAlgorithm::Sha512);
        let answer = run(unit.answer(&request.to_der(), now, &[1]));
        // For trying other programs on it by hand.
        if let Ok(folder) = std::env::var("AECM_TIMESTAMP_OUT") {
            let name = unit.identity.certificate.subject_text().replace(|c: char| !c.is_alphanumeric(), "-");
            std::fs::write(format!("{folder}/{name}.tsr"), &answer).unwrap();
            std::fs::write(format!("{folder}/{name}.tsq"), request.to_der()).unwrap();
        }
        let token = verify_response(&request, &answer, &TimestampPolicy::new(anchors(ca)), now).unwrap();
        assert_eq!(token.info.accuracy, None);
    }
}

fn rejection(unit: &Unit, request: &[u8]) -> Failure {
    let answer = run(unit.answer(request, noon(), &[1]));
    let read = parse_response(&answer, &Limits::default()).unwrap();
    assert_eq!(read.status, Status::Rejection);
    assert!(!read.text.is_empty());
    let [failure] = read.failures[..] else { panic!("{:?}", read.failures) };
    failure
}

fn raw(version: u64, digest: &ObjectIdentifier, imprint: &[u8], rest: &[Vec<u8>]) -> Vec<u8> {
    let imprint = w::sequence(&[&w::algorithm(digest, None), &w::octet_string(imprint)]);
    w::sequence(&[&w::small(version), &imprint, &rest.concat()])
}

#[test]
fn refusals_say_why() {
    let unit = unit();
    assert_eq!(rejection(&unit, b"GET / HTTP/1.1"), Failure::BadDataFormat);
    assert_eq!(rejection(&unit, &[]), Failure::BadDataFormat);
    assert_eq!(rejection(&unit, &raw(2, &oid::SHA256, &[0; 32], &[])), Failure::BadRequest);
    assert_eq!(rejection(&unit, &raw(1, &oid::MD5, &[0; 16], &[])), Failure::BadAlg);
    assert_eq!(rejection(&unit, &raw(1, &oid::SHA1, &[0; 20], &[])), Failure::BadAlg);
    assert_eq!(rejection(&unit, &raw(1, &oid::SHA256, &[0; 31], &[])), Failure::BadDataFormat);
    let other = w::oid(&ObjectIdentifier::new_unwrap("1.2.3.4.2"));
    assert_eq!(rejection(&unit, &raw(1, &oid::SHA256, &[0; 32], &[other])), Failure::UnacceptedPolicy);
    let extension = w::explicit(0, &w::sequence(&[&w::oid(&POLICY), &w::octet_string(b"x")]));
    assert_eq!(rejection(&unit, &raw(1, &oid::SHA256, &[0; 32], &[extension])), Failure::UnacceptedExtension);
    let mut national = Unit::new(NATIONAL.tsa.identity(), POLICY);
    national.digests = vec![DigestAlgorithm::Sm3];
    assert_eq!(rejection(&national, &raw(1, &oid::SHA256, &[0; 32], &[])), Failure::BadAlg);
}

#[test]
fn a_certificate_that_is_not_for_timestamps_signs_none() {
    let spec =
        Spec { extended: Some((true, vec![oid::EMAIL_PROTECTION])), ..Spec::unit("mail", KeySpec::P256) };
    let unit = Unit::new(spec.under(&CLASSIC.tsa_root).identity(), POLICY);
    let error = run(unit.token(&request(DigestAlgorithm::Sha256), noon(), &[1])).unwrap_err();
    assert!(matches!(error, Error::Sign(_)), "{error}");
    assert_eq!(rejection(&unit, &request(DigestAlgorithm::Sha256).to_der()), Failure::SystemFailure);
}

#[test]
fn certificates_only_when_asked() {
    let asked = request(DigestAlgorithm::Sha256);
    let quiet = asked.clone().without_certificates();
    let with = run(unit().token(&asked, noon(), &[1])).unwrap();
    let without = run(unit().token(&quiet, noon(), &[1])).unwrap();
    let limits = Limits::default();
    assert_eq!(SignedData::parse(&with, &limits).unwrap().certificates().len(), 1);
    assert!(SignedData::parse(&without, &limits).unwrap().certificates().is_empty());
    assert!(!deviates_from_der(&without, &limits));
    let mut policy = CLASSIC.policy();
    policy.intermediates = vec![CLASSIC.tsa.certificate.clone()];
    let answer = aecm_timestamp::response::granted(&without);
    assert!(verify_response(&quiet, &answer, &policy, noon()).is_ok());
}

#[test]
fn serial_numbers_are_bounded() {
    let asked = request(DigestAlgorithm::Sha256);
    let error = run(unit().token(&asked, noon(), &[1; 21])).unwrap_err();
    assert!(matches!(error, Error::Request(RequestError::Serial)), "{error}");
    for serial in [&[0; 30][..], &[0xff; 20], &[1; 20], &[]] {
        let token = run(unit().token(&asked, noon(), serial)).unwrap();
        let answer = aecm_timestamp::response::granted(&token);
        assert!(verify_response(&asked, &answer, &CLASSIC.policy(), noon()).is_ok(), "{serial:?}");
    }
    let (one, two) = (random_serial(&OsRng).unwrap(), random_serial(&OsRng).unwrap());
    assert_ne!(one, two);
    assert!(one[0] & 0x80 == 0 && one[0] != 0);
}
