//! Who may say what time it is (DESIGN §5, A10).

use aecm_core::certificate::Certificate;
use aecm_core::oid;
use aecm_core::path::Anchors;
use aecm_core::software::KeySpec;
use aecm_smime::verify::{TimestampTrust, TokenFinding, TokenVerifier};
use aecm_timestamp::{MailboxBound, TimestampPolicy, Verifier};

use crate::maker::{BOUND, CLASSIC, DATA, Draft, Holder, Info, NATIONAL, POLICY, Spec, World, noon};

fn judge(holder: &Holder, policy: &TimestampPolicy) -> TokenFinding {
    let token = Draft::new(holder, &Info::new(noon())).der();
    Verifier::new(policy.clone()).verify_token(&token, DATA)
}

fn word(finding: &TokenFinding) -> &'static str {
    match finding {
        TokenFinding::Refused { word, .. } | TokenFinding::NotEvaluated { word, .. } => word,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a10_a_mailbox_says_something_about_itself() {
    for world in [&*CLASSIC, &*NATIONAL] {
        let finding = judge(&world.mailbox, &world.policy());
        let TokenFinding::SelfAsserted { time, authority } = finding else { panic!("{finding:?}") };
        assert_eq!(time, noon());
        assert!(authority.contains("alice"), "{authority}");
    }
}

#[test]
fn a10_a_mailbox_certificate_under_a_tsa_root_is_no_authority() {
    let spec = Spec { mailbox: Some("alice@example.test"), ..Spec::unit("alice", KeySpec::P256) };
    let alice = spec.under(&CLASSIC.tsa_root);
    let mut policy = CLASSIC.policy();
    for accept in [false, true] {
        policy.accept_non_critical_eku = accept;
        let finding = judge(&alice, &policy);
        assert!(matches!(finding, TokenFinding::Refused { .. }), "{finding:?}");
        assert_eq!(word(&finding), "timestamp-mailbox-certificate");
    }
    // The same root in both sets: self-asserted, never more.
    let both =
        TimestampPolicy::new(CLASSIC.tsa_root.anchors()).with_mailbox_anchors(CLASSIC.tsa_root.anchors());
    assert!(matches!(judge(&alice, &both), TokenFinding::SelfAsserted { .. }));
}

#[test]
fn a10_mailbox_roots_are_no_tsa_roots() {
    // A unit without a mailbox under the mailbox root is no authority either.
    let anonymous = Spec::unit("no name", KeySpec::P256).under(&CLASSIC.mailbox_root);
    assert!(matches!(judge(&anonymous, &CLASSIC.policy()), TokenFinding::SelfAsserted { .. }));
    let without = TimestampPolicy::new(CLASSIC.tsa_root.anchors());
    assert_eq!(word(&judge(&anonymous, &without)), "timestamp-no-path-to-anchor");
    assert_eq!(word(&judge(&CLASSIC.mailbox, &without)), "timestamp-mailbox-certificate");
}

fn unit_for_mailbox(world: &World, policy: Option<oid::ObjectIdentifier>) -> Holder {
    let spec =
        Spec { mailbox: Some("alice@example.test"), policy, ..Spec::unit("unit of alice", KeySpec::P256) };
    spec.under(&world.mailbox_root)
}

#[test]
fn a10_a_bound_unit_needs_issuer_and_policy() {
    let bound = unit_for_mailbox(&CLASSIC, Some(BOUND));
    let issuer_spki = CLASSIC.mailbox_root.certificate.spki_der().to_vec();
    let mut policy = CLASSIC.policy();
    assert!(matches!(judge(&bound, &policy), TokenFinding::SelfAsserted { .. }), "no entry");

    policy.mailbox_bound = vec![MailboxBound { issuer_spki: issuer_spki.clone(), policy: BOUND }];
    let finding = judge(&bound, &policy);
    assert!(
        matches!(finding, TokenFinding::Proven { trust: TimestampTrust::MailboxBoundTsu, .. }),
        "{finding:?}"
    );
    // The mailbox's own certificate, of another policy or none, stays what it is.
    assert!(matches!(judge(&CLASSIC.mailbox, &policy), TokenFinding::SelfAsserted { .. }));
    let none = unit_for_mailbox(&CLASSIC, None);
    assert!(matches!(judge(&none, &policy), TokenFinding::SelfAsserted { .. }));

    let other_key = NATIONAL.mailbox_root.certificate.spki_der().to_vec();
    policy.mailbox_bound = vec![MailboxBound { issuer_spki: other_key, policy: BOUND }];
    assert!(matches!(judge(&bound, &policy), TokenFinding::SelfAsserted { .. }), "another issuer");
    policy.mailbox_bound = vec![MailboxBound { issuer_spki: issuer_spki.clone(), policy: POLICY }];
    assert!(matches!(judge(&bound, &policy), TokenFinding::SelfAsserted { .. }), "another policy");

    // An entry is no anchor.
    let mut policy = TimestampPolicy::new(CLASSIC.tsa_root.anchors());
    policy.mailbox_bound = vec![MailboxBound { issuer_spki, policy: BOUND }];
    assert!(matches!(judge(&bound, &policy), TokenFinding::Refused { .. }));
}

#[test]
fn nothing_is_known_without_roots() {
    let nobody = TimestampPolicy::new(Anchors::new(Vec::new()));
    for holder in [&CLASSIC.tsa, &CLASSIC.mailbox] {
        let finding = judge(holder, &nobody);
        assert!(matches!(&finding, TokenFinding::NotEvaluated { word: "no-tsa-anchor", .. }), "{finding:?}");
    }
    // A token that is wrong in itself is refused all the same.
    let mut draft = Draft::new(&CLASSIC.tsa, &Info::new(noon()));
    draft.break_signature = true;
    let finding = Verifier::new(nobody).verify_token(&draft.der(), DATA);
    assert_eq!(word(&finding), "timestamp-signature-mismatch");
}

/// What a token says can be shown where nobody is trusted, and it is called a claim.
#[test]
fn claims_need_no_trust() {
    let nobody = Verifier::new(TimestampPolicy::new(Anchors::new(Vec::new())));
    let answer = include_bytes!("../vectors/tsp/openssl30-rsa-sha256.tsr");
    assert_eq!(nobody.examine(answer, &[]).unwrap_err().word(), "no-tsa-anchor");
    let claims = nobody.claims(answer).unwrap();
    let root = Certificate::from_pem(include_str!("../vectors/keys/rsa-ca.crt"))
        .map(|root| Anchors::new(vec![root]));
    let token = Verifier::new(TimestampPolicy::new(root.unwrap())).examine(answer, &[]).unwrap();
    assert_eq!(claims.info, token.info);
    assert_eq!(claims.certificate, Some(token.certificate));
    // Also of what is broken, and of what nothing names; not of what is no token.
    let mut draft = Draft::new(&CLASSIC.tsa, &Info::new(noon()));
    draft.break_signature = true;
    assert_eq!(nobody.claims(&draft.der()).unwrap().info.gen_time, noon());
    assert!(nobody.claims(&answer[..answer.len() - 1]).is_err());
    assert!(nobody.claims(&vec![0; (64 << 10) + 1]).is_err());
}

#[test]
fn a_stranger_is_left_open() {
    let root = Spec::root("TSA root", KeySpec::P256).self_signed();
    let stranger = Spec::unit("TSA 1", KeySpec::P256).under(&root);
    let finding = judge(&stranger, &CLASSIC.policy());
    assert!(matches!(finding, TokenFinding::NotEvaluated { .. }), "{finding:?}");
    // The root of the same name did not sign it.
    assert!(["timestamp-chain", "timestamp-no-path-to-anchor"].contains(&word(&finding)), "{finding:?}");
}

#[test]
fn a_mailbox_certificate_out_of_its_time_is_refused_with_that_reason() {
    let spec = Spec {
        mailbox: Some("alice@example.test"),
        until: crate::maker::time("2026-02-01T00:00:00Z"),
        ..Spec::unit("old", KeySpec::P256)
    };
    let old = spec.under(&CLASSIC.mailbox_root);
    assert!(matches!(judge(&old, &CLASSIC.policy()), TokenFinding::Refused { .. }));
}
