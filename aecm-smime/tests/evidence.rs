//! Revocation, certificate policies and dates, as they show in the report on a signer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

#[path = "support/maker.rs"]
#[allow(dead_code)] // what the other tests use of it
mod maker;

use aecm_core::certificate::{Certificate, KeyUsage};
use aecm_core::crl::{self, Crl, RevocationReason, RevokedEntry};
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::path::{Anchors, PolicySettings, Revocation};
use aecm_core::software::KeySpec;
use aecm_core::tlv::write;
use aecm_smime::Tolerance;
use aecm_smime::verify::{
    CheckResult, Missing, Policy, RevocationCheck, SignedReport, TimestampTrust, TokenFinding, TokenVerifier,
    Verdict, Verifier,
};
use maker::{Certified, Holder, MessageDraft, SignerDraft, attribute, extension, run, time};

const CONTENT: &[u8] = b"Content-Type: text/plain\r\n\r\nHello\r\n";
const NOW: &str = "2026-07-01T00:00:00Z";
const POLICY: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.23.140.1.5.1.2");

struct World {
    root_key: Holder,
    root: Certificate,
    alice: Certificate,
    message: Vec<u8>,
    stamped: Vec<u8>,
}

fn world(spec: KeySpec) -> World {
    let (root_key, alice_key) = (Holder::new(spec), Holder::new(spec));
    let usage = Some(KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN);
    let root = Certified { usage, ..Certified::root() }.issue(&root_key, &root_key);
    let policies = write::sequence(&[&write::sequence(&[&write::oid(&POLICY)])]);
    let extra = vec![extension(&oid::CERTIFICATE_POLICIES, false, &policies)];
    let alice = Certified { extra, ..Certified::alice() }.issue(&alice_key, &root_key);
    let signer = SignerDraft::new(&alice_key, &alice, CONTENT);
    let mut with_stamp = SignerDraft::new(&alice_key, &alice, CONTENT);
    with_stamp.unsigned = vec![attribute(&oid::TIME_STAMP_TOKEN, &[write::null()])];
    let build = |signer| MessageDraft::new(CONTENT, vec![signer], vec![alice.clone()]).build();
    let (message, stamped) = (build(signer), build(with_stamp));
    World { root_key, root, alice, message, stamped }
}

impl World {
    /// A CRL of the root that names `serial`, if any, and is fresh around [`NOW`].
    fn crl(&self, revoked: Option<(u8, &str, RevocationReason)>) -> Crl {
        let entries: Vec<RevokedEntry> = revoked
            .map(|(serial, date, reason)| RevokedEntry { serial: vec![serial], date: time(date), reason })
            .into_iter()
            .collect();
        let (from, until) = (time("2026-06-30T00:00:00Z"), time("2026-07-07T00:00:00Z"));
        run(crl::issue(&self.root, self.root_key.signer.as_ref(), 1, &entries, from, until)).unwrap()
    }

    fn check(&self, message: &[u8], change: impl FnOnce(Verifier<'_>) -> Verifier<'_>) -> SignedReport {
        let (anchors, policy) = (Anchors::new(vec![self.root.clone()]), Policy::modern());
        change(Verifier::new(&anchors, &policy).at(time(NOW))).verify(message, None).unwrap()
    }
}

fn evidence(crls: Vec<Crl>) -> Revocation {
    Revocation { crls, ..Revocation::default() }
}

/// Verdict, chain, revocation, reasons.
type Found = (Verdict, CheckResult, RevocationCheck, Vec<&'static str>);

fn found(report: &SignedReport) -> Found {
    let words = report.all_reasons().iter().map(|reason| reason.word()).collect();
    let checks = report.signers[0].checks;
    (report.verdict, checks.chain, checks.revocation, words)
}

const VALID: Verdict = Verdict::Valid;
const INVALID: Verdict = Verdict::Invalid;

#[test]
fn revocation_is_good_revoked_or_unknown() {
    let compromise = RevocationReason::KeyCompromise;
    let superseded = RevocationReason::Superseded;
    let (ok, bad) = (CheckResult::Valid, CheckResult::Invalid);
    for world in [world(KeySpec::P256), world(KeySpec::Sm2)] {
        let other = self::world(KeySpec::P256);
        let judge =
            |revocation| found(&world.check(&world.message, |verifier| verifier.revocation(revocation)));
        let good = world.crl(None);
        assert_eq!(judge(evidence(vec![])), (VALID, ok, RevocationCheck::Unknown, vec![]));
        assert_eq!(judge(evidence(vec![good.clone()])), (VALID, ok, RevocationCheck::Good, vec![]));
        let neighbour = world.crl(Some((8, "2026-06-01T00:00:00Z", compromise)));
        assert_eq!(judge(evidence(vec![neighbour])), (VALID, ok, RevocationCheck::Good, vec![]));
        let revoked = world.crl(Some((7, "2026-06-01T00:00:00Z", superseded)));
        let expected = (INVALID, bad, RevocationCheck::Revoked, vec!["revoked"]);
        assert_eq!(judge(evidence(vec![revoked.clone()])), expected);
        assert_eq!(judge(evidence(vec![good.clone(), revoked])), expected, "in whatever order");
        let strangers = other.crl(Some((7, "2026-06-01T00:00:00Z", compromise)));
        let unknown = (VALID, ok, RevocationCheck::Unknown, vec!["revocation-unknown"]);
        assert_eq!(judge(evidence(vec![strangers.clone()])), unknown, "signed by another root of that name");
        let required = Revocation { required: true, ..evidence(vec![strangers]) };
        assert_eq!(judge(required), (INVALID, bad, RevocationCheck::Unknown, vec!["revocation-unknown"]));
        let stale = Revocation { now: Some(time("2026-08-01T00:00:00Z")), ..evidence(vec![good]) };
        assert_eq!(judge(stale), unknown, "a list that has run out says nothing good");
    }
}

#[test]
fn what_is_missing_is_what_is_not_known() {
    let world = world(KeySpec::P256);
    let missing = |crls| world.check(&world.message, |verifier| verifier.revocation(evidence(crls))).missing;
    let open = |list: &[Missing]| match list {
        [] => None,
        [Missing::Revocation { certificate, .. }] => Some(*certificate),
        other => panic!("{other:?}"),
    };
    assert_eq!(open(&missing(vec![])), Some(world.alice.sha256()));
    assert_eq!(open(&missing(vec![world.crl(None)])), None);
    let revoked = world.crl(Some((7, "2026-06-01T00:00:00Z", RevocationReason::Superseded)));
    assert_eq!(open(&missing(vec![revoked])), None, "nothing would decide more");
}

struct Stamper;

impl TokenVerifier for Stamper {
    fn verify_token(&self, _: &[u8], _: &[u8]) -> TokenFinding {
        TokenFinding::Proven {
            time: time("2026-05-01T00:00:00Z"),
            accuracy: None,
            authority: "TSA".to_owned(),
            trust: TimestampTrust::Tsa,
            mailboxes: Vec::new(),
        }
    }
}

/// A timestamp that is older than the revocation keeps the signature, unless the key was stolen.
#[test]
fn a_proven_time_outlives_a_revocation() {
    let world = world(KeySpec::P256);
    let judge = |reason, stamped: bool| {
        let crl = world.crl(Some((7, "2026-06-01T00:00:00Z", reason)));
        let message = if stamped { &world.stamped } else { &world.message };
        world.check(message, |verifier| verifier.timestamps(&Stamper).revocation(evidence(vec![crl]))).verdict
    };
    assert_eq!(judge(RevocationReason::Superseded, true), VALID);
    assert_eq!(judge(RevocationReason::Superseded, false), INVALID);
    assert_eq!(judge(RevocationReason::KeyCompromise, true), INVALID, "who has the key can choose the date");
}

#[test]
fn policies_are_asked_for() {
    let world = world(KeySpec::Sm2);
    let judge = |initial: Vec<ObjectIdentifier>, explicit| {
        let policies = PolicySettings { initial, explicit, ..PolicySettings::default() };
        found(&world.check(&world.message, |verifier| verifier.path_policies(policies)))
    };
    let strange = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.1");
    let valid = (VALID, CheckResult::Valid, RevocationCheck::Unknown, vec![]);
    let none = (INVALID, CheckResult::Invalid, RevocationCheck::Unknown, vec!["no-valid-policy"]);
    assert_eq!(judge(vec![POLICY], true), valid);
    assert_eq!(judge(vec![strange], false), valid, "asked for, and not required");
    assert_eq!(judge(vec![strange], true), none);
}

#[test]
fn dates_that_were_not_looked_at_are_named() {
    let world = world(KeySpec::P256);
    let at = |at: Option<&str>| {
        let report = world.check(&world.message, |verifier| verifier.at(at.map(time)));
        (report.verdict, report.tolerances)
    };
    assert_eq!(at(None), (VALID, vec![Tolerance::ValidityNotChecked]));
    assert_eq!(at(Some(NOW)), (VALID, vec![]));
    assert_eq!(at(Some("2028-01-01T00:00:00Z")).0, INVALID);
    let nobody = Anchors::new(Vec::new());
    let report = Verifier::new(&nobody, &Policy::modern()).verify(&world.message, None).unwrap();
    assert_eq!(report.tolerances, [], "no chain, no dates");
}

/// A5: SM2 hashes content anew for each key, with Z; long content costs what that costs.
#[test]
fn a5_long_content_counts_against_the_budget() {
    let (key, root_key) = (Holder::new(KeySpec::Sm2), Holder::new(KeySpec::Sm2));
    let root = Certified::root().issue(&root_key, &root_key);
    let alice = Certified::alice().issue(&key, &root_key);
    let content = vec![b'x'; 17 << 20];
    let mut signer = SignerDraft::new(&key, &alice, &content);
    signer.attributes = None;
    let mut message = MessageDraft::new(&content, vec![signer], vec![alice]);
    message.carried = None;
    let message = message.build();
    let mut policy = Policy::modern();
    let anchors = Anchors::new(vec![root]);
    let mut check = |checks| {
        policy.limits.signature_checks = checks;
        let report = Verifier::new(&anchors, &policy).at(time(NOW)).verify(&message, Some(&content)).unwrap();
        report.signers[0].reasons.iter().map(|reason| reason.word()).collect::<Vec<_>>()
    };
    assert!(check(2).contains(&"too-many-signature-checks"));
    assert!(!check(3).contains(&"too-many-signature-checks"));
}
