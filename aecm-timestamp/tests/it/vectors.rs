//! What OpenSSL and Bouncy Castle made.

use aecm_core::certificate::Certificate;
use aecm_core::digest::DigestAlgorithm;
use aecm_core::limits::Limits;
use aecm_core::path::Anchors;
use aecm_core::time::Time;
use aecm_smime::verify::TimestampTrust;
use aecm_timestamp::{Error, Request, TimestampPolicy, parse_response, verify_response};
use core::time::Duration;

use crate::maker::time;

pub fn anchors(pem: &str) -> Anchors {
    Anchors::new(vec![Certificate::from_pem(pem).unwrap()])
}

const RSA_ANSWER: &[u8] = include_bytes!("../vectors/tsp/openssl30-rsa-sha256.tsr");
const SM2_ANSWER: &[u8] = include_bytes!("../vectors/tsp/bc186-sm2-sm3.tsr");
const REJECTION: &[u8] = include_bytes!("../vectors/tsp/openssl30-rejection-status.tsr");

fn rsa() -> (Request, TimestampPolicy) {
    let request = Request::from_der(include_bytes!("../vectors/tsp/sha256.tsq"), &Limits::default()).unwrap();
    (request, TimestampPolicy::new(anchors(include_str!("../vectors/keys/rsa-ca.crt"))))
}

fn sm2() -> (Request, TimestampPolicy) {
    let request = Request::from_der(include_bytes!("../vectors/tsp/sm3.tsq"), &Limits::default()).unwrap();
    (request, TimestampPolicy::new(anchors(include_str!("../vectors/keys/sm2-ca.crt"))))
}

fn then() -> Time {
    time("2026-11-23T17:13:00Z")
}

#[test]
fn the_requests_of_openssl_are_written_the_same() {
    for der in [&include_bytes!("../vectors/tsp/sha256.tsq")[..], include_bytes!("../vectors/tsp/sm3.tsq")] {
        let request = Request::from_der(der, &Limits::default()).unwrap();
        assert!(request.wants_certificates());
        // OpenSSL writes the digest's parameters as NULL, we leave them out (RFC 5754 §2).
        let again = Request::from_der(&request.to_der(), &Limits::default()).unwrap();
        assert_eq!(again, request);
        assert_eq!(request.nonce().unwrap().len(), 8);
    }
}

// The certificates SET of this one is not in DER order.
#[test]
fn openssl_rsa_token_with_unsorted_certificates() {
    let (request, policy) = rsa();
    let token = verify_response(&request, RSA_ANSWER, &policy, then()).unwrap();
    assert_eq!(token.trust, TimestampTrust::Tsa);
    assert_eq!(token.info.gen_time, time("2026-11-23T17:12:50Z"));
    assert_eq!(token.info.nanoseconds, 698_000_000);
    assert_eq!(token.info.accuracy, Some(Duration::from_micros(1_500_100)));
    assert!(token.info.ordering);
    assert_eq!(token.info.digest, Some(DigestAlgorithm::Sha256));
    assert!(token.authority.contains("alice rsa tsa"), "{}", token.authority);
    assert_eq!(token.chain.len(), 2);
    assert!(!token.with_modifications);
    let answer = parse_response(RSA_ANSWER, &policy.limits).unwrap();
    assert_eq!(answer.token, Some(&token.der[..]));
}

#[test]
fn bouncy_castle_sm2_token() {
    let (request, policy) = sm2();
    let token = verify_response(&request, SM2_ANSWER, &policy, then()).unwrap();
    assert_eq!(token.trust, TimestampTrust::Tsa);
    assert_eq!(token.info.gen_time, time("2026-11-23T17:12:56Z"));
    assert_eq!(token.info.digest, Some(DigestAlgorithm::Sm3));
    assert_eq!(token.info.accuracy, Some(Duration::from_secs(1)));
}

// Asked by us, answered by OpenSSL.
#[test]
fn openssl_answers_what_is_written_here() {
    let der = include_bytes!("../vectors/tsp/ours-sha512.tsq");
    let request = Request::from_der(der, &Limits::default()).unwrap();
    assert_eq!(request.to_der(), der, "octet for octet");
    let answer = include_bytes!("../vectors/tsp/openssl30-p256-sha512.tsr");
    let policy = TimestampPolicy::new(anchors(include_str!("../vectors/keys/p256-ca.crt")));
    let token = verify_response(&request, answer, &policy, time("2026-11-23T20:00:00Z")).unwrap();
    assert_eq!(token.trust, TimestampTrust::Tsa);
    assert_eq!(token.info.gen_time, time("2026-11-23T19:59:01Z"));
    assert_eq!(token.info.digest, Some(DigestAlgorithm::Sha512));
    assert_eq!(token.info.serial, [0x0b]);
}

#[test]
fn openssl_rejection_is_an_error_with_its_text() {
    let (request, policy) = rsa();
    let error = verify_response(&request, REJECTION, &policy, then()).unwrap_err();
    let Error::Rejected { status, text, failures } = &error else { panic!("{error}") };
    assert_eq!((*status, text.as_str()), (2, "Error during signature generation."));
    assert!(failures.is_empty());
    assert_eq!(error.word(), "timestamp-rejected");
}

fn word(result: Result<aecm_timestamp::Token, Error>) -> &'static str {
    result.unwrap_err().word()
}

#[test]
fn t1_an_answer_does_not_fit_another_request() {
    let (rsa_request, rsa_policy) = rsa();
    let (sm2_request, sm2_policy) = sm2();
    assert_eq!(
        word(verify_response(&sm2_request, RSA_ANSWER, &rsa_policy, then())),
        "timestamp-imprint-mismatch"
    );
    assert_eq!(
        word(verify_response(&rsa_request, SM2_ANSWER, &sm2_policy, then())),
        "timestamp-imprint-mismatch"
    );
    let other = Request::new(rsa_request.digest(), rsa_request.imprint(), [9; 8]).unwrap();
    assert_eq!(word(verify_response(&other, RSA_ANSWER, &rsa_policy, then())), "timestamp-nonce-mismatch");
}

#[test]
fn roots_are_not_lent() {
    let (rsa_request, rsa_policy) = rsa();
    let (sm2_request, sm2_policy) = sm2();
    for (request, answer, policy) in
        [(&rsa_request, RSA_ANSWER, &sm2_policy), (&sm2_request, SM2_ANSWER, &rsa_policy)]
    {
        assert_eq!(word(verify_response(request, answer, policy, then())), "timestamp-no-path-to-anchor");
        let nobody = TimestampPolicy::new(Anchors::new(Vec::new()));
        assert_eq!(word(verify_response(request, answer, &nobody, then())), "no-tsa-anchor");
    }
}

#[test]
fn every_changed_octet_of_a_token_is_noticed_or_harmless() {
    let (request, policy) = sm2();
    let good = verify_response(&request, SM2_ANSWER, &policy, then()).unwrap();
    for place in (0..SM2_ANSWER.len()).step_by(7) {
        let mut changed = SM2_ANSWER.to_vec();
        changed[place] ^= 0x41;
        // What is not under the signature (text, order, other certificates) may change; what it says may not.
        if let Ok(token) = verify_response(&request, &changed, &policy, then()) {
            assert_eq!(token.info, good.info, "octet {place}");
            assert_eq!(token.certificate, good.certificate, "octet {place}");
        }
    }
}

/// Tokens and answers of any age, against data, digest and request.
#[test]
fn examined_against_every_kind_of_subject() {
    use aecm_timestamp::{Subject, Verifier};

    let limits = Limits::default();
    let answer = RSA_ANSWER;
    let token = parse_response(answer, &limits).unwrap().token.unwrap().to_vec();
    let (request, policy) = rsa();
    let verifier = Verifier::new(policy.clone());
    let digest = |algorithm| Subject::Digest { algorithm, value: request.imprint() };
    let sha256 = digest(DigestAlgorithm::Sha256);
    for message in [answer, &token] {
        for subjects in
            [vec![], vec![sha256], vec![Subject::Request(&request)], vec![sha256, Subject::Request(&request)]]
        {
            let token = verifier.examine(message, &subjects).unwrap();
            assert_eq!((token.trust.word(), token.revocation.word()), ("tsa", "unknown"));
            assert!(token.tolerances.iter().all(|tolerance| tolerance.word() != "validity-not-checked"));
        }
        let word = |subject: Subject<'_>| match verifier.examine(message, &[sha256, subject]) {
            Err(Error::Token { word, .. }) => word,
            other => panic!("{other:?}"),
        };
        assert_eq!(word(Subject::Data(b"something else")), "timestamp-imprint-mismatch");
        assert_eq!(word(digest(DigestAlgorithm::Sm3)), "timestamp-imprint-mismatch");
        assert_eq!(
            word(Subject::Digest { algorithm: DigestAlgorithm::Sha256, value: &[] }),
            "timestamp-imprint-mismatch"
        );
        let other = Request::new(DigestAlgorithm::Sha256, request.imprint(), [0x55; 8]).unwrap();
        assert_eq!(word(Subject::Request(&other)), "timestamp-nonce-mismatch");
        assert_eq!(word(Subject::Request(&other.clone().without_nonce())), "timestamp-nonce-not-asked");
        let asked = request.clone().with_policy(aecm_core::oid::ObjectIdentifier::new_unwrap("1.2.3.4.99"));
        assert_eq!(word(Subject::Request(&asked)), "timestamp-policy-mismatch");
        for end in 0..message.len() {
            assert!(verifier.examine(&message[..end], &[]).is_err(), "cut at {end}");
        }
    }
    assert!(matches!(verifier.examine(REJECTION, &[]), Err(Error::Rejected { .. })));
    let mut small = policy;
    small.limits.tsa_answer_bytes = answer.len() - 1;
    assert!(matches!(Verifier::new(small).examine(answer, &[]), Err(Error::TooLarge { .. })));
}
