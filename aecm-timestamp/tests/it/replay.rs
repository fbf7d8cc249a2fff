//! Answers that do not belong to the request (T1, T2, T5, T6), by an authority that signs whatever it likes.

use aecm_core::digest::DigestAlgorithm;
use aecm_core::oid::ObjectIdentifier;
use aecm_core::time::Time;
use aecm_core::tlv::write as w;
use aecm_timestamp::response::{Failure, granted, rejected};
use aecm_timestamp::{Error, Request, Token, verify_response};

use crate::maker::{CLASSIC, DATA, Draft, Info, POLICY, noon, time};

fn request() -> Request {
    Request::new(DigestAlgorithm::Sha256, &DigestAlgorithm::Sha256.digest(DATA), [7; 8]).unwrap()
}

/// What the authority says to it.
fn info() -> Info {
    let mut info = Info::new(noon());
    info.rest = vec![w::integer_bytes(&[7; 8])];
    info
}

fn token(info: &Info) -> Vec<u8> {
    Draft::new(&CLASSIC.tsa, info).der()
}

fn ask(request: &Request, answer: &[u8], now: Time) -> Result<Token, Error> {
    verify_response(request, answer, &CLASSIC.policy(), now)
}

fn word(request: &Request, token: &[u8]) -> &'static str {
    ask(request, &granted(token), noon()).unwrap_err().word()
}

#[test]
fn the_right_answer_is_taken() {
    let answer = granted(&token(&info()));
    let token = ask(&request(), &answer, noon()).unwrap();
    assert!(!token.with_modifications);
    assert!(ask(&request().with_policy(POLICY), &answer, noon()).is_ok());
}

#[test]
fn t1_the_nonce_is_echoed() {
    for other in [&[8; 8][..], &[7; 7], &[0]] {
        let mut info = info();
        info.rest = vec![w::integer_bytes(other)];
        assert_eq!(word(&request(), &token(&info)), "timestamp-nonce-mismatch");
    }
    let mut without = info();
    without.rest.clear();
    assert_eq!(word(&request(), &token(&without)), "timestamp-nonce-missing");
    // A request by someone else without nonce, and an answer with one.
    let plain = w::sequence(&[
        &w::small(1),
        &w::sequence(&[
            &DigestAlgorithm::Sha256.identifier_der(),
            &w::octet_string(&DigestAlgorithm::Sha256.digest(DATA)),
        ]),
        &w::boolean(true),
    ]);
    let plain = Request::from_der(&plain, &aecm_core::limits::Limits::default()).unwrap();
    assert_eq!(word(&plain, &token(&info())), "timestamp-nonce-not-asked");
    assert!(ask(&plain, &granted(&token(&without)), noon()).is_ok());
}

#[test]
fn t2_imprint_and_policy_are_those_asked_for() {
    let mut other = info();
    other.imprint = DigestAlgorithm::Sha256.digest(b"other");
    assert_eq!(word(&request(), &token(&other)), "timestamp-imprint-mismatch");
    let mut other = info();
    other.digest = DigestAlgorithm::Sm3.identifier_der();
    assert_eq!(word(&request(), &token(&other)), "timestamp-imprint-mismatch");
    let wanted = ObjectIdentifier::new_unwrap("1.2.3.4.2");
    assert_eq!(word(&request().with_policy(wanted), &token(&info())), "timestamp-policy-mismatch");
}

#[test]
fn certificates_as_asked() {
    let mut bare = Draft::new(&CLASSIC.tsa, &info());
    bare.bag.clear();
    assert_eq!(word(&request(), &bare.der()), "timestamp-certificates-missing");
    let quiet = request().without_certificates();
    assert_eq!(word(&quiet, &token(&info())), "timestamp-certificates-not-asked");
    let mut policy = CLASSIC.policy();
    policy.intermediates.push(CLASSIC.tsa.certificate.clone());
    assert!(verify_response(&quiet, &granted(&bare.der()), &policy, noon()).is_ok());
}

#[test]
fn t5_an_old_answer_is_a_replay() {
    let answer = granted(&token(&info()));
    assert!(ask(&request(), &answer, time("2026-06-01T12:05:00Z")).is_ok());
    let error = ask(&request(), &answer, time("2026-06-01T12:05:01Z")).unwrap_err();
    assert_eq!(error.word(), "timestamp-not-fresh");
    assert!(ask(&request(), &answer, time("2026-06-01T11:55:00Z")).is_ok());
    let error = ask(&request(), &answer, time("2026-06-01T11:54:59Z")).unwrap_err();
    assert_eq!(error.word(), "timestamp-in-the-future");
    let mut patient = CLASSIC.policy();
    patient.max_age = core::time::Duration::from_secs(86_400);
    assert!(verify_response(&request(), &answer, &patient, time("2026-06-02T11:00:00Z")).is_ok());
}

#[test]
fn t6_status_decides() {
    let answer = |status: u64, token: &[u8]| w::sequence(&[&w::sequence(&[&w::small(status)]), token]);
    let good = token(&info());
    assert!(ask(&request(), &answer(1, &good), noon()).unwrap().with_modifications, "reported");
    for status in 2..=5 {
        let error = ask(&request(), &answer(status, &good), noon()).unwrap_err();
        assert!(matches!(error, Error::StatusAndTokenDisagree), "{error}");
        let error = ask(&request(), &answer(status, &[]), noon()).unwrap_err();
        assert!(matches!(error, Error::Rejected { status: found, .. } if found == status), "{error}");
    }
    for status in 0..=1 {
        let error = ask(&request(), &answer(status, &[]), noon()).unwrap_err();
        assert!(matches!(error, Error::StatusAndTokenDisagree), "{error}");
    }
    let error = ask(&request(), &rejected(Failure::BadAlg, "no"), noon()).unwrap_err();
    let Error::Rejected { failures, text, .. } = &error else { panic!("{error}") };
    assert_eq!((failures.as_slice(), text.as_str()), (&["badAlg"][..], "no"));
    assert!(error.to_string().contains("badAlg"));
}

// T5: the answer is right about everything, and its signer was not valid when it says.
#[test]
fn t3_the_signer_is_looked_at_in_answers_too() {
    let mut draft = Draft::new(&CLASSIC.tsa, &info());
    draft.break_signature = true;
    assert_eq!(word(&request(), &draft.der()), "timestamp-signature-mismatch");
    draft = Draft::new(&CLASSIC.tsa, &info());
    draft.content_type = aecm_core::oid::DATA;
    assert_eq!(word(&request(), &draft.der()), "timestamp-content-type");
}
