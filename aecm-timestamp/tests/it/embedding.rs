//! Stamps in signed mail, and what the mail verifier makes of them.

use std::sync::Arc;

use aecm_core::digest::DigestAlgorithm;
use aecm_core::embed::OsRng;
use aecm_core::oid;
use aecm_core::signature::SignatureAlgorithm;
use aecm_core::software::KeySpec;
use aecm_core::time::Time;
use aecm_smime::sign::{SignedDraft, SignedMessage, sign};
use aecm_smime::verify::{
    CheckResult, Policy, SignedReport, TimestampTrust, Verdict, Verifier as MailVerifier,
};
use aecm_timestamp::{
    Error, LocalSource, TimestampPolicy, TimestampSource, Unit, Verifier, imprint_digest, stamp_signature,
};

use crate::maker::{CLASSIC, Holder, NATIONAL, POLICY, Spec, World, noon, run, time};

/// An authority at hand.
struct Near(Unit);

#[async_trait::async_trait]
impl TimestampSource for Near {
    async fn stamp(&self, digest: DigestAlgorithm, imprint: &[u8], now: Time) -> Result<Vec<u8>, Error> {
        self.0.token(&aecm_timestamp::Request::new(digest, imprint, [1; 8])?, now, &[9]).await
    }
}

/// A sender whose certificate ends at 13:00.
fn sender(key: KeySpec) -> (Holder, Holder) {
    let root = Spec::root("S/MIME root", key).self_signed();
    let spec = Spec {
        extended: Some((false, vec![oid::EMAIL_PROTECTION])),
        mailbox: Some("alice@example.test"),
        until: time("2026-06-01T13:00:00Z"),
        ..Spec::unit("Alice", key)
    };
    let alice = spec.under(&root);
    (root, alice)
}

fn signed(alice: &Holder) -> SignedDraft {
    run(sign(SignedMessage::new(b"Hello\r\n"), &[&alice.identity()])).unwrap()
}

fn verify(draft: &SignedDraft, root: &Holder, stamps: &TimestampPolicy, at: Time) -> SignedReport {
    let (policy, verifier) = (Policy::modern(), Verifier::new(stamps.clone()));
    MailVerifier::new(&root.anchors(), &policy)
        .at(at)
        .email(&"alice@example.test".parse().unwrap())
        .timestamps(&verifier)
        .verify(&draft.to_der(), None)
        .unwrap()
}

fn late() -> Time {
    time("2027-01-01T00:00:00Z")
}

#[test]
fn a12_a_stamp_keeps_a_signature_valid_beyond_its_certificate() {
    for (world, key) in [(&*CLASSIC, KeySpec::P256), (&*NATIONAL, KeySpec::Sm2)] {
        let (root, alice) = sender(key);
        let mut draft = signed(&alice);
        assert_eq!(verify(&draft, &root, &world.policy(), late()).verdict, Verdict::Invalid, "expired");
        let near = Near(Unit::new(world.tsa.identity(), POLICY));
        let digest = imprint_digest(alice.signer.algorithm());
        run(stamp_signature(&mut draft, 0, digest, &near, noon())).unwrap();
        let report = verify(&draft, &root, &world.policy(), late());
        assert_eq!(report.verdict, Verdict::Valid, "{:?}", report.all_reasons());
        let time = &report.signers[0].time;
        assert_eq!((time.proven, time.trust), (Some(noon()), Some(TimestampTrust::Tsa)));
    }
}

#[test]
fn a12_the_digest_follows_the_signer() {
    assert_eq!(imprint_digest(SignatureAlgorithm::Sm2Sm3), DigestAlgorithm::Sm3);
    for digest in [DigestAlgorithm::Sha256, DigestAlgorithm::Sha384] {
        assert_eq!(imprint_digest(SignatureAlgorithm::RsaPkcs1(digest)), DigestAlgorithm::Sha256);
        assert_eq!(imprint_digest(SignatureAlgorithm::Ecdsa(digest)), DigestAlgorithm::Sha256);
    }
}

// DESIGN §5: the provisioned user stamps her own expired signature with her own timestamping key.
#[test]
fn a10_a_mailbox_key_never_moves_proven_time() {
    for (world, key) in [(&*CLASSIC, KeySpec::P256), (&*NATIONAL, KeySpec::Sm2)] {
        let (root, alice) = sender(key);
        let mut draft = signed(&alice);
        let own = LocalSource::new(world.mailbox.identity(), POLICY, Arc::new(OsRng));
        let digest = imprint_digest(alice.signer.algorithm());
        run(stamp_signature(&mut draft, 0, digest, &own, noon())).unwrap();

        let report = verify(&draft, &root, &world.policy(), late());
        assert_ne!(report.verdict, Verdict::Valid);
        let signer = &report.signers[0];
        assert_eq!(signer.time.proven, None);
        assert_ne!(signer.checks.time, CheckResult::Valid);
        assert_eq!(signer.time.self_asserted.len(), 1);
        assert_eq!(signer.time.self_asserted[0].0, noon());

        // Beside a stamp of an authority it is shown, and the authority's time counts, even though it is later.
        let near = Near(Unit::new(world.tsa.identity(), POLICY));
        let later = time("2026-06-01T12:30:00Z");
        run(stamp_signature(&mut draft, 0, digest, &near, later)).unwrap();
        let report = verify(&draft, &root, &world.policy(), late());
        assert_eq!(report.verdict, Verdict::Valid, "{:?}", report.all_reasons());
        assert_eq!(report.signers[0].time.proven, Some(later));
        assert_eq!(report.signers[0].time.self_asserted.len(), 1);
    }
}

#[test]
fn t7_a_token_of_another_signature_is_refused() {
    let world: &World = &CLASSIC;
    let (root, alice) = sender(KeySpec::P256);
    let mut draft = signed(&alice);
    let unit = Unit::new(world.tsa.identity(), POLICY);
    for wrong in [&b"Hello\r\n"[..], b"", b"another signature"] {
        let imprint = DigestAlgorithm::Sha256.digest(wrong);
        let token = run(Near(unit.clone()).stamp(DigestAlgorithm::Sha256, &imprint, noon())).unwrap();
        let mut stamped = draft.clone();
        stamped.add_unsigned_attribute(0, oid::TIME_STAMP_TOKEN, token).unwrap();
        let report = verify(&stamped, &root, &world.policy(), noon());
        assert_eq!(report.signers[0].time.proven, None);
        assert_eq!(report.signers[0].checks.time, CheckResult::Invalid);
        assert!(report.all_reasons().iter().any(|reason| reason.word() == "timestamp-imprint-mismatch"));
        assert_eq!(report.verdict, Verdict::Invalid);
    }
    assert!(run(stamp_signature(&mut draft, 1, DigestAlgorithm::Sha256, &Near(unit), noon())).is_err());
}

#[test]
fn a_failed_source_leaves_the_draft_as_it_was() {
    let (_, alice) = sender(KeySpec::P256);
    let mut draft = signed(&alice);
    let before = draft.to_der();
    let nobody = aecm_timestamp::Failover::default();
    let error = run(stamp_signature(&mut draft, 0, DigestAlgorithm::Sha256, &nobody, noon())).unwrap_err();
    assert!(matches!(error, Error::NoAuthority));
    assert_eq!(draft.to_der(), before);
}

/// A source that gives whatever it was made with.
struct Fixed(Vec<u8>);

#[async_trait::async_trait]
impl TimestampSource for Fixed {
    async fn stamp(&self, _: DigestAlgorithm, _: &[u8], _: Time) -> Result<Vec<u8>, Error> {
        Ok(self.0.clone())
    }
}

/// T7: what is no token, or one for something else, never reaches the mail.
#[test]
fn t7_a_token_for_something_else_is_not_embedded() {
    let (_, alice) = sender(KeySpec::P256);
    let unit = Unit::new(CLASSIC.tsa.identity(), POLICY);
    let other = aecm_timestamp::Request::for_data(DigestAlgorithm::Sha256, b"another signature", [1; 8]);
    let other = run(unit.token(&other, noon(), &[9])).unwrap();
    let mut draft = signed(&alice);
    let sm3 = aecm_timestamp::Request::for_data(DigestAlgorithm::Sm3, draft.signature(0), [1; 8]);
    let sm3 = run(unit.token(&sm3, noon(), &[9])).unwrap();
    let before = draft.to_der();
    for (token, word) in [
        (Vec::new(), "timestamp-malformed"),
        (b"no token".to_vec(), "timestamp-malformed"),
        (other[..other.len() - 1].to_vec(), "timestamp-malformed"),
        (other, "timestamp-imprint-mismatch"),
        (sm3, "timestamp-imprint-mismatch"),
        (before.clone(), "timestamp-content-type"),
        (vec![0x30; 70_000], "timestamp-too-large"),
    ] {
        let error = run(stamp_signature(&mut draft, 0, DigestAlgorithm::Sha256, &Fixed(token), noon()));
        assert_eq!(error.unwrap_err().word(), word);
        assert_eq!(draft.to_der(), before, "the draft is as it was");
    }
}
