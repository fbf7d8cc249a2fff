//! Signed messages that other implementations made: tests/vectors/README.md says what each shows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::path::Path;

use aecm_core::certificate::Certificate;
use aecm_core::path::Anchors;
use aecm_core::time::Time;
use aecm_smime::cms::Form;
use aecm_smime::verify::{
    CheckResult, Checks, Missing, Policy, RevocationCheck, SignedReport, Verdict, Verifier,
};
use aecm_smime::{Error, Tolerance};

fn read(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name)).unwrap()
}

fn certificate(name: &str) -> Certificate {
    Certificate::from_pem(core::str::from_utf8(&read(&format!("keys/{name}.crt"))).unwrap()).unwrap()
}

fn anchors() -> Anchors {
    Anchors::new(["rsa-ca", "p256-ca", "sm2-ca"].map(certificate).to_vec())
}

fn now() -> Time {
    Time::from_rfc3339("2026-12-01T00:00:00Z").unwrap()
}

fn verify_with(octets: &[u8], policy: &Policy) -> Result<SignedReport, Error> {
    Verifier::new(&anchors(), policy)
        .at(now())
        .email(&"alice@example.test".parse().unwrap())
        .verify(octets, None)
}

fn verify(octets: &[u8]) -> Result<SignedReport, Error> {
    verify_with(octets, &Policy::modern())
}

/// All that is mandatory holds, and nothing else is claimed.
const GOOD: Checks = Checks {
    signature: CheckResult::Valid,
    digest: CheckResult::Valid,
    attributes: CheckResult::Valid,
    chain: CheckResult::Valid,
    usage: CheckResult::Valid,
    identity: CheckResult::Valid,
    revocation: RevocationCheck::Unknown,
    time: CheckResult::NotEvaluated,
    policy: CheckResult::Valid,
};

fn expect_valid(name: &str, leaf: &str, tolerances: &[Tolerance]) {
    let report = verify(&read(&format!("signed/{name}"))).unwrap();
    let signer = &report.signers[0];
    assert_eq!(report.verdict, Verdict::Valid, "{name}: {:?}", report.all_reasons());
    assert_eq!(report.signers.len(), 1, "{name}");
    assert_eq!(signer.checks, GOOD, "{name}");
    assert_eq!(report.all_reasons(), [], "{name}");
    assert_eq!(signer.certificate, Some(certificate(leaf)), "{name}");
    assert_eq!(signer.chain.len(), 2, "{name}");
    assert_eq!(signer.mailboxes[0].as_str(), "alice@example.test", "{name}");
    assert_eq!(report.content, Some(read("msg.txt")), "{name}");
    assert_eq!(report.form, Form::Rfc5652, "{name}");
    assert!(signer.time.claimed.is_some() && signer.time.proven.is_none(), "{name}");
    assert_eq!(report.tolerances, tolerances, "{name}");
    // Unknown revocation stays unknown, and the report says so (THREATS S15).
    assert!(matches!(report.missing.as_slice(), [Missing::Revocation { .. }]), "{name}");
}

#[test]
fn openssl40_sm2() {
    expect_valid("openssl40-sm2.der", "sm2-sig", &[Tolerance::DigestParametersNull]);
}

#[test]
fn bouncy_castle_sm2() {
    expect_valid("bc172-sm2.der", "sm2-sig", &[]);
}

#[test]
fn gmsm_sm2_with_the_other_oid() {
    let tolerances =
        [Tolerance::DigestParametersNull, Tolerance::SignatureParametersNull, Tolerance::Sm2SignOid];
    expect_valid("gmsm-sm2-sigalg301.1.der", "sm2-sig", &tolerances);
}

#[test]
fn openssl30_rsa_in_ber() {
    expect_valid("openssl30-rsa-pkcs1-ber.der", "rsa-sig", &[Tolerance::BerEncoding]);
}

#[test]
fn nss_rsa_in_ber() {
    let tolerances = [Tolerance::BerEncoding, Tolerance::DigestParametersNull];
    expect_valid("nss387-rsa.der", "rsa-sig", &tolerances);
}

#[test]
fn openssl30_pss_keyid_cades_and_without_attributes() {
    expect_valid("openssl30-rsa-pss.der", "rsa-sig", &[]);
    expect_valid("openssl30-p256-keyid.der", "p256-sig", &[]);
    expect_valid("openssl30-rsa-cades.der", "rsa-sig", &[]);
    let report = verify(&read("signed/openssl30-rsa-noattr.der")).unwrap();
    assert_eq!(report.verdict, Verdict::Valid, "{:?}", report.all_reasons());
    assert_eq!(report.signers[0].checks, GOOD);
    assert_eq!(report.signers[0].time.claimed, None);
}

/// OpenSSL takes the longest salt that fits where nobody says how long it has to be (RFC 4055 §3.1).
#[test]
fn openssl30_pss_with_the_longest_salt() {
    expect_valid("openssl30-rsa-pss-longest-salt.der", "rsa-sig", &[Tolerance::PssSaltLength]);
}

/// A mask of another hash than the content's is not read, and nothing is said against the signer.
#[test]
fn openssl30_pss_with_a_mask_of_another_hash() {
    let report = verify(&read("signed/openssl30-rsa-pss-mask-sha1.der")).unwrap();
    assert_eq!(report.verdict, Verdict::Invalid);
    assert_eq!(report.signers[0].checks.signature, CheckResult::NotEvaluated);
    let words: Vec<_> = report.all_reasons().iter().map(|reason| reason.word()).collect();
    assert_eq!(words, ["unsupported-signature-algorithm"]);
}

/// S9: weakness is the policy's matter, of the message's digest, the signer's key, and a certificate's signature alike:
/// the mathematics and the path are what they are.
#[test]
fn weak_algorithms_are_a_matter_of_policy() {
    for (name, word, tolerance) in [
        ("openssl30-rsa-sha1.der", "weak-digest", Tolerance::WeakDigest),
        ("openssl30-p256-sha1.der", "weak-digest", Tolerance::WeakDigest),
        ("openssl30-rsa1024.der", "weak-key", Tolerance::WeakKey),
        ("openssl30-sha1-certificate.der", "weak-digest", Tolerance::WeakDigest),
    ] {
        let octets = read(&format!("signed/{name}"));
        let report = verify(&octets).unwrap();
        assert_eq!(report.verdict, Verdict::Policy, "{name}: {:?}", report.all_reasons());
        assert_eq!(report.signers[0].checks, Checks { policy: CheckResult::Invalid, ..GOOD }, "{name}");
        let words: Vec<_> = report.all_reasons().iter().map(|reason| reason.word()).collect();
        assert_eq!(words, [word], "{name}");
        assert!(!report.tolerances.contains(&tolerance), "{name}");
        let report = verify_with(&octets, &Policy::legacy()).unwrap();
        assert_eq!(report.verdict, Verdict::Valid, "{name}: {:?}", report.all_reasons());
        assert_eq!(report.signers[0].checks, GOOD, "{name}");
        assert_eq!(report.tolerances, [tolerance], "{name}");
    }
}

#[test]
fn openssl30_two_signers() {
    let report = verify(&read("signed/openssl30-two-signers.der")).unwrap();
    assert_eq!(report.verdict, Verdict::Valid, "{:?}", report.all_reasons());
    assert_eq!(report.signers.len(), 2);
    assert!(report.signers.iter().all(|signer| signer.checks == GOOD));
}

/// THREATS S14: the encrypting certificate does not sign.
#[test]
fn openssl30_signed_with_the_encrypting_certificate() {
    let report = verify(&read("signed/openssl30-rsa-encryption-certificate.der")).unwrap();
    assert_eq!(report.verdict, Verdict::Invalid);
    assert_eq!(report.signers[0].checks, Checks { usage: CheckResult::Invalid, ..GOOD });
    assert_eq!(report.all_reasons()[0].word(), "usage-not-allowed");
}

/// STANDARDS A7: OpenSSL's SM2 over the bare digest is refused by name, and read only where a policy says so.
#[test]
fn raw_digest_is_refused_by_name_and_readable_by_policy() {
    let octets = read("signed/openssl40-sm2-noattr-rawdigest.der");
    let report = verify(&octets).unwrap();
    assert_eq!(report.verdict, Verdict::Invalid);
    assert_eq!(report.signers[0].checks.signature, CheckResult::Invalid);
    let words: Vec<_> = report.all_reasons().iter().map(|reason| reason.word()).collect();
    assert_eq!(words, ["sm2-raw-digest"]);
    assert_eq!(report.content, None, "content leaves only after its signature held");

    let mut policy = Policy::modern();
    policy.sm2_raw_digest = true;
    let report = verify_with(&octets, &policy).unwrap();
    assert_eq!(report.verdict, Verdict::Valid, "{:?}", report.all_reasons());
    assert!(report.tolerances.contains(&Tolerance::Sm2RawDigest));
    assert_eq!(report.content, Some(read("msg.txt")));

    policy.signed_attributes_required = true;
    let report = verify_with(&octets, &policy).unwrap();
    assert_eq!(report.verdict, Verdict::Invalid);
    assert_eq!(report.all_reasons()[0].word(), "signed-attributes-required");
}

#[test]
fn without_anchors_nothing_is_valid() {
    let (anchors, policy) = (Anchors::new(Vec::new()), Policy::modern());
    let report =
        Verifier::new(&anchors, &policy).at(now()).verify(&read("signed/bc172-sm2.der"), None).unwrap();
    assert_eq!(report.verdict, Verdict::Invalid);
    assert_eq!(report.signers[0].checks.chain, CheckResult::NotEvaluated);
    assert_eq!(report.all_reasons()[0].word(), "no-anchors-given");
}

#[test]
fn under_another_root_the_chain_fails_and_the_issuer_is_named_missing() {
    let (anchors, policy) = (Anchors::new(vec![certificate("rsa-ca")]), Policy::modern());
    let report =
        Verifier::new(&anchors, &policy).at(now()).verify(&read("signed/bc172-sm2.der"), None).unwrap();
    assert_eq!(report.verdict, Verdict::Invalid);
    assert_eq!(report.signers[0].checks.chain, CheckResult::Invalid);
    assert_eq!(report.signers[0].checks.signature, CheckResult::Valid);
    assert_eq!(report.all_reasons()[0].word(), "no-path-to-anchor");
    assert!(report.missing.iter().any(|missing| matches!(missing, Missing::Issuer { .. })));
}

#[test]
fn dates_are_looked_at_unless_told_not_to() {
    let octets = read("signed/openssl30-rsa-pkcs1-ber.der");
    let (anchors, policy) = (anchors(), Policy::modern());
    let at = |at: Option<Time>| Verifier::new(&anchors, &policy).at(at).verify(&octets, None).unwrap();
    let late = at(Time::from_rfc3339("2090-01-01T00:00:00Z"));
    assert_eq!((late.verdict, late.all_reasons()[0].word()), (Verdict::Invalid, "expired"));
    let early = at(Time::from_rfc3339("2001-01-01T00:00:00Z"));
    assert_eq!((early.verdict, early.all_reasons()[0].word()), (Verdict::Invalid, "not-yet-valid"));
    assert_eq!(at(None).verdict, Verdict::Valid);
}

/// THREATS M1.
#[test]
fn another_mailbox_is_a_mismatch_and_nothing_else() {
    let (anchors, policy) = (anchors(), Policy::modern());
    let octets = read("signed/bc172-sm2.der");
    for (mailbox, expected) in [
        ("alice@example.test", Verdict::Valid),
        ("alice@EXAMPLE.test", Verdict::Valid),
        ("Alice@example.test", Verdict::IdentityMismatch),
        ("bob@example.test", Verdict::IdentityMismatch),
        ("alice@example.test.evil.test", Verdict::IdentityMismatch),
    ] {
        let report = Verifier::new(&anchors, &policy)
            .at(now())
            .email(&mailbox.parse().unwrap())
            .verify(&octets, None)
            .unwrap();
        assert_eq!(report.verdict, expected, "{mailbox}");
        let identity = if expected == Verdict::Valid { CheckResult::Valid } else { CheckResult::Invalid };
        assert_eq!(report.signers[0].checks, Checks { identity, ..GOOD }, "{mailbox}");
    }
}

/// THREATS S12.
#[test]
fn embedded_and_detached_content_must_not_differ() {
    let (anchors, policy) = (anchors(), Policy::modern());
    let octets = read("signed/bc172-sm2.der");
    let verifier = Verifier::new(&anchors, &policy).at(now());
    assert_eq!(verifier.verify(&octets, Some(b"other")).unwrap_err(), Error::TwoContents);
    assert_eq!(verifier.verify(&octets, Some(&read("msg.txt"))).unwrap().verdict, Verdict::Valid);
}

/// THREATS S1: only the content type that the caller asks for.
#[test]
fn another_content_type_than_asked_for_is_refused() {
    let (anchors, policy) = (anchors(), Policy::modern());
    let report = Verifier::new(&anchors, &policy)
        .at(now())
        .content_type(aecm_core::oid::TST_INFO)
        .verify(&read("signed/bc172-sm2.der"), None)
        .unwrap();
    assert_eq!(report.verdict, Verdict::Invalid);
    assert_eq!(report.all_reasons()[0].word(), "unexpected-content-type");
}

/// Every single bit, flipped: an error or not valid. A few bits that nothing signs (version numbers, the case of
/// letters in the signer's identifier) are forgiven, and then named and without effect.
fn no_flipped_bit_is_valid(name: &str) {
    let octets = read(&format!("signed/{name}"));
    let (anchors, policy) = (anchors(), Policy::modern());
    let alice = "alice@example.test".parse().unwrap();
    let verifier = Verifier::new(&anchors, &policy).at(now()).email(&alice);
    let original = verifier.verify(&octets, None).unwrap();
    let mut forgiven = 0;
    for bit in 0..octets.len() * 8 {
        let mut flipped = octets.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let Ok(report) = verifier.verify(&flipped, None) else { continue };
        if report.verdict == Verdict::Valid {
            let (now, then) = (&report.signers[0], &original.signers[0]);
            assert_eq!(report.content, original.content, "{name} bit {bit}");
            assert_eq!(now.certificate, then.certificate, "{name} bit {bit}");
            assert_eq!(now.time, then.time, "{name} bit {bit}");
            let named = [Tolerance::VersionMismatch, Tolerance::NameEncoding];
            let new = named.iter().any(|tolerance| report.tolerances.contains(tolerance));
            assert!(new, "{name} bit {bit}: {:?}", report.tolerances);
            forgiven += 1;
        }
    }
    assert!(forgiven <= 40, "{name}: {forgiven}");
}

#[test]
fn no_flipped_bit_is_valid_bouncy_castle() {
    no_flipped_bit_is_valid("bc172-sm2.der");
}

#[test]
fn no_flipped_bit_is_valid_openssl() {
    no_flipped_bit_is_valid("openssl40-sm2.der");
}

#[test]
fn no_flipped_bit_is_valid_gmsm() {
    no_flipped_bit_is_valid("gmsm-sm2-sigalg301.1.der");
}

#[test]
fn no_flipped_bit_is_valid_nss() {
    no_flipped_bit_is_valid("nss387-rsa.der");
}

/// Truncated at every octet: an error.
#[test]
fn no_truncated_message_is_evaluated() {
    for name in ["bc172-sm2.der", "openssl30-rsa-pkcs1-ber.der"] {
        let octets = read(&format!("signed/{name}"));
        for end in 0..octets.len() {
            assert!(verify(&octets[..end]).is_err(), "{name} cut at {end}");
        }
    }
}
