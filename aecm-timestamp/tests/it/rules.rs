//! Every rule of RFC 3161 and of THREATS §6 has a token that breaks only it.

use aecm_core::crl::{RevocationReason, RevokedEntry, issue};
use aecm_core::digest::DigestAlgorithm;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::path::Anchors;
use aecm_core::time::Time;
use aecm_core::tlv::{Tag, write as w};
use aecm_smime::verify::{TimestampTrust, TokenFinding, TokenVerifier};
use aecm_timestamp::{Error, TimestampPolicy, Verifier};

use crate::maker::{CLASSIC, DATA, Draft, Holder, Info, NATIONAL, Names, Spec, noon, run, time};
use aecm_core::software::KeySpec;

fn judge(token: &[u8], policy: &TimestampPolicy) -> TokenFinding {
    Verifier::new(policy.clone()).verify_token(token, DATA)
}

fn word(token: &[u8], policy: &TimestampPolicy) -> &'static str {
    match judge(token, policy) {
        TokenFinding::Refused { word, detail } => {
            assert!(!detail.is_empty());
            word
        }
        other => panic!("not refused: {other:?}"),
    }
}

/// A token of a stranger proves nothing and spoils nothing.
fn undecided(token: &[u8], policy: &TimestampPolicy, expected: &str) {
    match judge(token, policy) {
        TokenFinding::NotEvaluated { word, .. } => assert_eq!(word, expected),
        other => panic!("not left open: {other:?}"),
    }
}

fn is_proven(token: &[u8], policy: &TimestampPolicy) -> bool {
    matches!(judge(token, policy), TokenFinding::Proven { trust: TimestampTrust::Tsa, .. })
}

fn draft() -> Draft {
    Draft::new(&CLASSIC.tsa, &Info::new(noon()))
}

fn with_info(change: impl FnOnce(&mut Info)) -> Vec<u8> {
    let mut info = Info::new(noon());
    change(&mut info);
    Draft::new(&CLASSIC.tsa, &info).der()
}

fn with(change: impl FnOnce(&mut Draft)) -> Vec<u8> {
    let mut draft = draft();
    change(&mut draft);
    draft.der()
}

fn refused(token: &[u8], expected: &str) {
    assert_eq!(word(token, &CLASSIC.policy()), expected);
}

#[test]
fn the_token_that_breaks_no_rule_is_proven() {
    let finding = judge(&draft().der(), &CLASSIC.policy());
    let TokenFinding::Proven { time, accuracy, authority, trust, .. } = finding else {
        panic!("{finding:?}")
    };
    assert_eq!((time, accuracy, trust), (noon(), None, TimestampTrust::Tsa));
    assert!(authority.contains("TSA 1"));
}

/// RFC 3161 §4: a unit that is revoked without a reason, or for a compromise, proves nothing any more, whatever time it
/// says; one that was retired goes on proving what it stamped before.
#[test]
fn t5_a_revoked_unit_proves_what_it_stamped_before_only_where_it_was_retired() {
    use RevocationReason::{CessationOfOperation, KeyCompromise, Superseded, Unspecified};
    // keyCertSign and cRLSign
    let root = Spec { key_usage: 0x60, ..Spec::root("TSA root", KeySpec::P256) }.self_signed();
    let unit = Spec::unit("TSA 1", KeySpec::P256).under(&root);
    let token = Draft::new(&unit, &Info::new(noon())).der();
    let day = |days: i64| Time::from_unix(noon().unix() + days * 86_400);
    for (reason, proven) in [
        (Superseded, true),
        (CessationOfOperation, true),
        // It is left out of the list, so that no reason is there.
        (Unspecified, false),
        (KeyCompromise, false),
    ] {
        let entry = RevokedEntry { serial: unit.certificate.serial().to_vec(), date: day(10), reason };
        let crl = run(issue(&root.certificate, root.signer.as_ref(), 1, &[entry], day(20), day(30))).unwrap();
        let mut policy = TimestampPolicy::new(root.anchors()).at(day(21));
        policy.revocation.crls = vec![crl];
        if proven {
            assert!(is_proven(&token, &policy), "{reason}");
        } else {
            assert_eq!(word(&token, &policy), "timestamp-revoked", "{reason}");
        }
    }
}

#[test]
fn t2_t7_imprint() {
    refused(&with_info(|info| info.imprint[0] ^= 1), "timestamp-imprint-mismatch");
    refused(
        &with_info(|info| info.imprint = DigestAlgorithm::Sha256.digest(b"the content")),
        "timestamp-imprint-mismatch",
    );
    refused(&with_info(|info| info.imprint.truncate(20)), "timestamp-imprint-mismatch");
    // The right octets under the name of another digest.
    refused(
        &with_info(|info| info.digest = DigestAlgorithm::Sm3.identifier_der()),
        "timestamp-imprint-mismatch",
    );
    let md5 = w::algorithm(&oid::MD5, None);
    refused(&with_info(|info| info.digest = md5), "timestamp-imprint-digest");
    // Parameters that no digest has.
    let odd = w::algorithm(&oid::SHA256, Some(&w::small(1)));
    refused(&with_info(|info| info.digest = odd), "timestamp-imprint-digest");
    let null = w::algorithm(&oid::SHA256, Some(&w::null()));
    assert!(is_proven(&with_info(|info| info.digest = null), &CLASSIC.policy()));
}

#[test]
fn s9_a_weak_imprint_proves_nothing() {
    let token = with_info(|info| {
        info.digest = DigestAlgorithm::Sha1.identifier_der();
        info.imprint = DigestAlgorithm::Sha1.digest(DATA);
    });
    refused(&token, "timestamp-weak-imprint");
}

#[test]
fn t3_content_type() {
    let other = |draft: &mut Draft| {
        draft.content_type = oid::DATA;
        draft.attribute_type = Some(oid::DATA);
    };
    refused(&with(other), "timestamp-content-type");
    refused(&with(|draft| draft.attribute_type = Some(oid::DATA)), "timestamp-content-type-attribute");
    refused(&with(|draft| draft.attribute_type = None), "timestamp-content-type-attribute");
    refused(&with(|draft| draft.content_type = oid::RECEIPT), "timestamp-content-type");
    refused(&with(|draft| draft.outer = oid::DATA), "timestamp-malformed");
}

#[test]
fn t3_message_digest_and_signature() {
    refused(&with(|draft| draft.digested = Some(b"other".to_vec())), "timestamp-digest-mismatch");
    refused(&with(|draft| draft.digested = Some(Vec::new())), "timestamp-message-digest-attribute");
    refused(&with(|draft| draft.break_signature = true), "timestamp-signature-mismatch");
    // Without signed attributes nothing names the certificate.
    refused(&with(|draft| draft.signed_attributes = false), "timestamp-signing-certificate-missing");
}

#[test]
fn t3_exactly_one_signer() {
    let twin = Spec::unit("TSA 2", KeySpec::P256).under(&CLASSIC.tsa_root);
    let two = with(|draft| {
        draft.signers.push(twin.clone());
        draft.bag.push(twin.certificate.clone());
    });
    refused(&two, "timestamp-signer-count");
    refused(&with(|draft| draft.signers.clear()), "timestamp-signer-count");
}

#[test]
fn t3_the_token_names_its_certificate() {
    refused(&with(|draft| draft.names = Names::Nothing), "timestamp-signing-certificate-missing");
    let other = Spec::unit("TSA 2", KeySpec::P256).under(&CLASSIC.tsa_root).certificate;
    for names in [Names::V2, Names::Both] {
        let named = other.clone();
        let token = with(|draft| (draft.names, draft.named) = (names, named));
        refused(&token, "timestamp-signing-certificate-mismatch");
    }
    assert!(is_proven(&with(|draft| draft.names = Names::Both), &CLASSIC.policy()));
}

// RFC 5816: SHA-1 (ESSCertID) in old tokens only.
#[test]
fn rfc5816_sha1_certificate_identifiers_are_for_old_tokens() {
    let token = with(|draft| draft.names = Names::V1);
    refused(&token, "timestamp-signing-certificate-weak");
    let mut policy = CLASSIC.policy();
    policy.sha1_certificate_id_before = time("2026-06-01T12:00:01Z");
    assert!(is_proven(&token, &policy));
    let other = Spec::unit("TSA 2", KeySpec::P256).under(&CLASSIC.tsa_root).certificate;
    let token = with(|draft| (draft.names, draft.named) = (Names::V1, other));
    assert_eq!(word(&token, &policy), "timestamp-signing-certificate-mismatch");
}

fn signed_by(holder: &Holder) -> Vec<u8> {
    Draft::new(holder, &Info::new(noon())).der()
}

#[test]
fn t3_extended_key_usage_is_critical_and_time_stamping_alone() {
    let unit = |extended| {
        let spec = Spec { extended, ..Spec::unit("TSA 3", KeySpec::P256) };
        signed_by(&spec.under(&CLASSIC.tsa_root))
    };
    let wrong = [
        None,
        Some((false, vec![oid::TIME_STAMPING])),
        Some((true, vec![oid::TIME_STAMPING, oid::EMAIL_PROTECTION])),
        Some((true, vec![oid::EMAIL_PROTECTION, oid::TIME_STAMPING])),
        Some((true, vec![oid::EMAIL_PROTECTION])),
        Some((true, vec![oid::ANY_EXTENDED_KEY_USAGE])),
        Some((true, vec![oid::TIME_STAMPING, oid::ANY_EXTENDED_KEY_USAGE])),
    ];
    for extended in wrong {
        refused(&unit(extended), "timestamp-usage-not-allowed");
    }
    let spec = Spec { key_usage: 1 << 2, ..Spec::unit("TSA 4", KeySpec::P256) };
    refused(&signed_by(&spec.under(&CLASSIC.tsa_root)), "timestamp-usage-not-allowed");
    let spec = Spec { key_usage: 1 << 1, ..Spec::unit("TSA 5", KeySpec::P256) };
    assert!(is_proven(&signed_by(&spec.under(&CLASSIC.tsa_root)), &CLASSIC.policy()), "nonRepudiation");
}

#[test]
fn a11_a_switch_takes_what_is_not_critical_and_nothing_else() {
    let mut policy = CLASSIC.policy();
    policy.accept_non_critical_eku = true;
    let unit = |extended| {
        let spec = Spec { extended: Some(extended), ..Spec::unit("TSA 3", KeySpec::P256) };
        spec.under(&CLASSIC.tsa_root)
    };
    assert!(is_proven(&signed_by(&unit((false, vec![oid::TIME_STAMPING]))), &policy));
    for wrong in [
        (false, vec![oid::TIME_STAMPING, oid::EMAIL_PROTECTION]),
        (false, vec![oid::ANY_EXTENDED_KEY_USAGE]),
        (true, vec![oid::EMAIL_PROTECTION]),
    ] {
        assert_eq!(word(&signed_by(&unit(wrong)), &policy), "timestamp-usage-not-allowed");
    }
    // A CA for mail does not make authorities, nor is a CA a unit.
    let mail =
        Spec { extended: Some((true, vec![oid::EMAIL_PROTECTION])), ..Spec::root("mail CA", KeySpec::P256) };
    let mail = mail.under(&CLASSIC.tsa_root);
    let below = Spec::unit("TSA 6", KeySpec::P256).under(&mail);
    let mut token = Draft::new(&below, &Info::new(noon()));
    token.bag.push(mail.certificate.clone());
    for accept in [false, true] {
        policy.accept_non_critical_eku = accept;
        assert_eq!(word(&token.der(), &policy), "timestamp-usage-not-allowed");
    }
    let ca = Spec { ca: true, key_usage: 1 | 1 << 5, ..Spec::unit("CA", KeySpec::P256) };
    assert_eq!(word(&signed_by(&ca.under(&CLASSIC.tsa_root)), &policy), "timestamp-usage-not-allowed");
}

#[test]
fn t4_the_leaf_is_the_one_the_signer_names() {
    let other = Spec::unit("TSA 2", KeySpec::P256).under(&CLASSIC.tsa_root).certificate;
    // Order of the bag does not matter.
    for bag in [
        vec![other.clone(), CLASSIC.tsa.certificate.clone()],
        vec![CLASSIC.tsa.certificate.clone(), other.clone()],
    ] {
        let finding = judge(&with(|draft| draft.bag = bag), &CLASSIC.policy());
        let TokenFinding::Proven { authority, .. } = finding else { panic!("{finding:?}") };
        assert!(authority.contains("TSA 1"));
    }
    // Another certificate is named: its key does not verify.
    let token = with(|draft| {
        draft.identifier = Some(other.clone());
        draft.bag = vec![CLASSIC.tsa.certificate.clone(), other.clone()];
    });
    refused(&token, "timestamp-signature-mismatch");
    undecided(&with(|draft| draft.bag.clear()), &CLASSIC.policy(), "timestamp-signer-certificate-missing");
    let mut policy = CLASSIC.policy();
    policy.intermediates = vec![CLASSIC.tsa.certificate.clone()];
    assert!(is_proven(&with(|draft| draft.bag.clear()), &policy), "from elsewhere");
}

#[test]
fn a_strangers_authority_is_left_open_and_its_forgery_refused() {
    let mut policy = CLASSIC.policy();
    policy.tsa_anchors = NATIONAL.policy().tsa_anchors;
    policy.mailbox_anchors = Anchors::new(Vec::new());
    // The root of the other world has the same name.
    undecided(&draft().der(), &policy, "timestamp-chain");
    policy.tsa_anchors = Anchors::new(vec![CLASSIC.mailbox_root.certificate.clone()]);
    undecided(&draft().der(), &policy, "timestamp-no-path-to-anchor");
    let verifier = Verifier::new(policy);
    let Err(Error::Token { word, .. }) = verifier.verify(&draft().der(), b"something else") else {
        panic!("a token for something else is taken")
    };
    assert_eq!(word, "timestamp-imprint-mismatch");
    let finding = verifier.verify_token(&draft().der(), b"something else");
    assert!(matches!(finding, TokenFinding::Refused { .. }), "{finding:?}");
}

#[test]
fn t5_validity_is_judged_at_gen_time() {
    let spec = Spec { until: time("2026-03-01T00:00:00Z"), ..Spec::unit("short", KeySpec::P256) };
    let short = spec.under(&CLASSIC.tsa_root);
    let at = |text: &str| Draft::new(&short, &Info::new(time(text))).der();
    let mut policy = CLASSIC.policy();
    policy.now = Some(noon());
    assert!(is_proven(&at("2026-02-01T00:00:00Z"), &policy), "expired now, valid then");
    assert_eq!(word(&at("2026-03-01T00:00:01Z"), &policy), "timestamp-expired");
    assert_eq!(word(&at("2025-12-31T23:59:59Z"), &policy), "timestamp-not-yet-valid");
}

#[test]
fn t5_the_future_is_refused() {
    let mut policy = CLASSIC.policy();
    policy.now = Some(time("2026-06-01T11:55:00Z"));
    assert!(is_proven(&draft().der(), &policy), "five minutes");
    policy.now = Some(time("2026-06-01T11:54:59Z"));
    assert_eq!(word(&draft().der(), &policy), "timestamp-in-the-future");
    policy.now = None;
    assert!(is_proven(&draft().der(), &policy));
}

#[test]
fn t5_a_root_is_believed_in_its_window_only() {
    use aecm_timestamp::TrustWindow;
    let mut policy = CLASSIC.policy();
    let anchor = CLASSIC.tsa_root.certificate.sha256();
    let mut window = TrustWindow { anchor, from: None, until: Some(time("2026-06-01T11:59:59Z")) };
    policy.windows = vec![window.clone()];
    undecided(&draft().der(), &policy, "timestamp-outside-trust-window");
    window.until = Some(noon());
    policy.windows = vec![window.clone()];
    assert!(is_proven(&draft().der(), &policy));
    window.from = Some(time("2026-06-01T12:00:01Z"));
    policy.windows = vec![window.clone()];
    undecided(&draft().der(), &policy, "timestamp-outside-trust-window");
    // The window of another authority's root is not this one's.
    window.anchor = NATIONAL.tsa_root.certificate.sha256();
    policy.windows = vec![window];
    assert!(is_proven(&draft().der(), &policy));
}

fn extension(critical: bool) -> Vec<u8> {
    let critical = if critical { w::boolean(true) } else { Vec::new() };
    let unknown = ObjectIdentifier::new_unwrap("1.2.3.4.5");
    let one = w::sequence(&[&w::oid(&unknown), &critical, &w::octet_string(b"x")]);
    w::explicit(1, &one)
}

#[test]
fn t8_unknown_critical_extensions_are_refused() {
    refused(&with_info(|info| info.rest = vec![extension(true)]), "timestamp-critical-extension");
    assert!(is_proven(&with_info(|info| info.rest = vec![extension(false)]), &CLASSIC.policy()));
}

#[test]
fn t8_only_one_form_of_gen_time() {
    let form = |text: &str| with_info(|info| info.gen_time = w::tlv(Tag::GENERALIZED_TIME, text.as_bytes()));
    for text in [
        "20260601120000",
        "20260601120000+0000",
        "20260601120000+0100",
        "202606011200Z",
        "2026060112Z",
        "20260601120000.Z",
        "20260601120000.0Z",
        "20260601120000.50Z",
        "20260601120000,5Z",
        "20260601126000Z",
        "20260631120000Z",
        "20260601240000Z",
        "20260601120000z",
        " 20260601120000Z",
        "2026060112000 Z",
        "",
    ] {
        refused(&form(text), "timestamp-malformed");
    }
    refused(
        &with_info(|info| info.gen_time = w::tlv(Tag::UTC_TIME, b"260601120000Z")),
        "timestamp-malformed",
    );
    refused(&with_info(|info| info.gen_time = w::utf8("20260601120000Z")), "timestamp-malformed");
    for text in ["20260601120000.5Z", "20260601120000.000001Z"] {
        assert!(is_proven(&form(text), &CLASSIC.policy()), "{text}");
    }
}

#[test]
fn t8_typed_decoding() {
    refused(&with_info(|info| info.version = 2), "timestamp-version");
    refused(&with_info(|info| info.serial = w::tlv(Tag::INTEGER, &[0x80])), "timestamp-malformed");
    refused(&with_info(|info| info.serial = w::integer_bytes(&[1; 21])), "timestamp-malformed");
    refused(&with_info(|info| info.serial = w::tlv(Tag::INTEGER, &[0, 1])), "timestamp-malformed");
    refused(&with_info(|info| info.serial = w::octet_string(&[1])), "timestamp-malformed");
    refused(&with_info(|info| info.rest = vec![w::utf8("x")]), "timestamp-malformed");
    refused(&with_info(|info| info.rest = vec![w::small(1), w::boolean(true)]), "timestamp-malformed");
    // BER inside what has to be DER.
    refused(&with_info(|info| info.rest = vec![w::tlv(Tag::BOOLEAN, &[1])]), "timestamp-malformed");
    for (number, value) in [(0, &[0][..]), (0, &[0x03, 0xe8]), (1, &[0x80]), (1, &[0x04, 0])] {
        let accuracy = w::sequence(&[&w::tlv(Tag::context_primitive(number), value)]);
        refused(&with_info(|info| info.rest = vec![accuracy]), "timestamp-malformed");
    }
    let huge = w::sequence(&[&w::small(u64::MAX), &w::tlv(Tag::context_primitive(0), &[0x03, 0xe7])]);
    let _ = judge(&with_info(|info| info.rest = vec![huge]), &CLASSIC.policy());
    let trailing = with(|draft| draft.content.push(0));
    refused(&trailing, "timestamp-malformed");
    let mut longer = draft().der();
    longer.push(0);
    refused(&longer, "timestamp-malformed");
}

#[test]
fn t9_the_size_is_bounded() {
    let mut policy = CLASSIC.policy();
    policy.limits.tsa_answer_bytes = draft().der().len() - 3;
    assert_eq!(word(&draft().der(), &policy), "timestamp-too-large");
}

#[test]
fn gm_t_0033_outer_content_type_and_bare_content_are_read() {
    let national = |change: fn(&mut Draft)| {
        let mut info = Info::new(noon());
        info.digest = DigestAlgorithm::Sm3.identifier_der();
        info.imprint = DigestAlgorithm::Sm3.digest(DATA);
        let mut draft = Draft::new(&NATIONAL.tsa, &info);
        change(&mut draft);
        draft.der()
    };
    assert!(is_proven(&national(|_| {}), &NATIONAL.policy()));
    assert!(is_proven(&national(|draft| draft.outer = oid::GM_SIGNED_DATA), &NATIONAL.policy()));
    let bare = national(|draft| {
        draft.outer = oid::GM_SIGNED_DATA;
        draft.bare = true;
    });
    assert!(is_proven(&bare, &NATIONAL.policy()));
    // RFC 5652 knows no bare content.
    assert_eq!(word(&national(|draft| draft.bare = true), &NATIONAL.policy()), "timestamp-malformed");
    // The other family's roots have the same names here, and did not sign it.
    undecided(&national(|_| {}), &CLASSIC.policy(), "timestamp-chain");
}
