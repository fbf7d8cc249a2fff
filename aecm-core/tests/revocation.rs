//! Revocation: CRLs and OCSP responses of OpenSSL, and for each rule evidence that breaks only that rule
//! (THREATS S15, T5, A6).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(missing_docs, unreachable_pub, dead_code)]

#[path = "support/evidence.rs"]
mod evidence;
#[path = "support/maker.rs"]
mod maker;

use aecm_core::certificate::{Certificate, KeyUsage};
use aecm_core::crl::{Crl, RevocationReason};
use aecm_core::digest::DigestAlgorithm;
use aecm_core::limits::Limits;
use aecm_core::ocsp::OcspResponse;
use aecm_core::oid;
use aecm_core::path::{
    Anchors, Budget, Path, PathFailure, PathOptions, PathPurpose, PathReason, RevocationStatus, validate,
    validate_within,
};
use aecm_core::software::KeySpec;
use aecm_core::time::Time;
use aecm_core::tlv::{Tag, write};
use evidence::{
    CrlTemplate, OcspTemplate, cdp, crl_number, delta_indicator, entry, flag, good, idp, invalidity,
    point_name, reason_flags, revoked, unknown,
};
use maker::{
    Authority, Template, at, basic_constraints, block_on, extended_key_usage, extension, key_usage, name, now,
};

use RevocationReason::{CaCompromise, CertificateHold, KeyCompromise, RemoveFromCrl, Superseded};

fn file(path: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/vectors/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn certificate(path: &str) -> Certificate {
    Certificate::from_pem(&String::from_utf8(file(&format!("keys/{path}.crt"))).unwrap()).unwrap()
}

fn options() -> PathOptions {
    PathOptions::new(PathPurpose::Any, Some(now()), Limits::default())
}

/// What comes out, in one word; of what holds, whether the status is good.
fn word(result: &Result<Path, PathFailure>) -> &'static str {
    match result {
        Ok(path) if path.revocation == RevocationStatus::Good => {
            assert!(path.revocation_unknown.is_empty());
            "good"
        }
        Ok(path) => {
            assert!(!path.revocation_unknown.is_empty());
            "unknown"
        }
        Err(failure) => failure.word(),
    }
}

/// A root that issues leaf 7, and signs CRLs.
struct Setup {
    root: Authority,
    root_certificate: Certificate,
    leaf: Certificate,
    hints: Vec<Certificate>,
    options: PathOptions,
}

impl Setup {
    fn new() -> Self {
        Self::with(KeySpec::P256, Vec::new())
    }

    fn with(spec: KeySpec, extensions: Vec<Vec<u8>>) -> Self {
        let root = Authority::new("root", spec);
        let usage = key_usage(KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN);
        let template = Template::new("root", vec![basic_constraints(true, None), usage]);
        let root_certificate = root.self_signed(&template);
        let mut leaf = Template::leaf();
        leaf.serial = 7;
        leaf.extensions.extend(extensions);
        let leaf = root.issue(&leaf, &Authority::new("leaf", spec).spki());
        Self { root, root_certificate, leaf, hints: Vec::new(), options: options() }
    }

    fn validate(&self) -> Result<Path, PathFailure> {
        validate(&self.leaf, &self.hints, &Anchors::new(vec![self.root_certificate.clone()]), &self.options)
    }

    fn crls(&mut self, crls: Vec<Crl>) -> &'static str {
        self.options.revocation.crls = crls;
        word(&self.validate())
    }

    /// By CRLs of the root.
    fn lists(&mut self, templates: &[CrlTemplate]) -> &'static str {
        self.crls(templates.iter().map(|template| self.root.crl(template)).collect())
    }

    fn list(&mut self, template: CrlTemplate) -> &'static str {
        self.lists(&[template])
    }

    fn entry(&mut self, date: &str, reason: Option<RevocationReason>, more: Vec<Vec<u8>>) -> &'static str {
        self.list(CrlTemplate::new(vec![entry(7, date, reason, more)]))
    }

    fn ocsp(&mut self, responses: Vec<OcspResponse>) -> &'static str {
        self.options.revocation.ocsp = responses;
        word(&self.validate())
    }

    fn answer(&mut self, template: &OcspTemplate) -> &'static str {
        self.ocsp(vec![self.root.ocsp(template, &self.leaf, &self.root)])
    }
}

const BEFORE: &str = "2027-01-05T00:00:00Z";
const AFTER: &str = "2027-01-20T00:00:00Z";

#[test]
fn crls_of_openssl() {
    for family in ["rsa", "p256", "sm2"] {
        let pem = String::from_utf8(file(&format!("revocation/{family}-ca.crl"))).unwrap();
        let crl = Crl::from_pem(&pem, &Limits::default()).unwrap();
        assert_eq!((crl.number(), crl.entries().len(), crl.is_indirect()), (Some(&[1][..]), 2, false));
        assert_eq!(crl.to_pem(), pem);
        let ca = certificate(&format!("{family}-ca"));
        assert_eq!(crl.authority_key_identifier(), ca.subject_key_identifier());
        let second = if family == "p256" { "agr" } else { "enc" };
        let judge = |leaf: &str, at_time: &str| {
            let mut options = options();
            options.at = Some(at(at_time));
            options.revocation.now = Some(now());
            options.revocation.crls = vec![crl.clone()];
            let anchors = Anchors::new(vec![ca.clone()]);
            word(&validate(&certificate(&format!("{family}-{leaf}")), &[], &anchors, &options))
        };
        // A compromised key is distrusted for the time before as well; a superseded certificate is not.
        assert_eq!(judge("sig", "2027-01-15T00:00:00Z"), "revoked");
        assert_eq!(judge("sig", "2026-11-23T23:59:59Z"), "revoked");
        assert_eq!(judge(second, "2027-01-15T00:00:00Z"), "revoked");
        assert_eq!(judge(second, "2026-11-25T00:00:00Z"), "revoked");
        assert_eq!(judge(second, "2026-11-24T23:59:59Z"), "good");
        assert_eq!(judge("tsa", "2027-01-15T00:00:00Z"), "good");
    }
}

#[test]
fn ocsp_responses_of_openssl() {
    for family in ["rsa", "p256", "sm2"] {
        let ca = certificate(&format!("{family}-ca"));
        let judge = |response: &str, leaf: &str, at_time: &str| {
            let mut options = options();
            options.at = Some(at(at_time));
            let octets = file(&format!("revocation/{family}-{response}.ocsp"));
            options.revocation.ocsp = vec![OcspResponse::from_der(&octets, &Limits::default()).unwrap()];
            let anchors = Anchors::new(vec![ca.clone()]);
            word(&validate(&certificate(&format!("{family}-{leaf}")), &[], &anchors, &options))
        };
        let time = "2027-01-15T00:00:00Z";
        let more: &[&str] = if family == "sm2" { &["sm3"] } else { &[] };
        for response in ["issuer", "responder"].iter().chain(more) {
            assert_eq!(judge(response, "sig", time), "revoked", "{family} {response}");
            assert_eq!(judge(response, "tsa", time), "good", "{family} {response}");
            assert_eq!(judge(response, "tsa", "2037-01-15T00:00:00Z"), "unknown", "stale");
            assert_eq!(judge(response, "sig", "2037-01-15T00:00:00Z"), "revoked", "stale, and for good");
        }
        // Without nextUpdate it is fresh for a day.
        assert_eq!(judge("no-next", "tsa", "2026-11-24T20:00:00Z"), "good");
        assert_eq!(judge("no-next", "tsa", "2026-11-25T00:00:00Z"), "unknown");
        for response in ["wrong", "leaf", "unknown"] {
            for leaf in ["sig", "tsa"] {
                assert_eq!(judge(response, leaf, time), "unknown", "{family} {response}");
            }
        }
    }
}

#[test]
fn good_revoked_and_unknown_by_crl_s15() {
    for spec in [KeySpec::P256, KeySpec::P384, KeySpec::Sm2] {
        let mut setup = Setup::with(spec, Vec::new());
        assert_eq!(word(&setup.validate()), "unknown");
        assert_eq!(setup.list(CrlTemplate::new(vec![])), "good");
        assert_eq!(setup.list(CrlTemplate::new(vec![entry(8, BEFORE, None, vec![])])), "good");
        assert_eq!(setup.entry(BEFORE, None, vec![]), "revoked");
        let failure = setup.validate().unwrap_err();
        assert_eq!(failure.reason, PathReason::Revoked { date: at(BEFORE), reason: None });
        assert_eq!(failure.at, Some(setup.leaf.clone()));
        setup.options.revocation.required = true;
        assert_eq!(setup.list(CrlTemplate::new(vec![])), "good");
        assert_eq!(setup.crls(vec![]), "revocation-unknown");
    }
}

#[test]
fn the_date_of_revocation_counts_t5() {
    let mut setup = Setup::new();
    for (date, reason, invalid, wanted) in [
        (BEFORE, Some(Superseded), None, "revoked"),
        (AFTER, Some(Superseded), None, "good"),
        (AFTER, None, None, "good"),
        ("2027-01-15T12:00:00Z", None, None, "revoked"),
        ("2027-01-15T12:00:01Z", None, None, "good"),
        (AFTER, Some(CertificateHold), None, "good"),
        (BEFORE, Some(CertificateHold), None, "revoked"),
        // A key in other hands signs whatever date it likes.
        (AFTER, Some(KeyCompromise), None, "revoked"),
        (AFTER, Some(CaCompromise), None, "revoked"),
        (AFTER, Some(RevocationReason::AaCompromise), None, "revoked"),
        (AFTER, Some(KeyCompromise), Some(AFTER), "good"),
        (AFTER, Some(KeyCompromise), Some(BEFORE), "revoked"),
        (BEFORE, Some(KeyCompromise), Some(AFTER), "revoked"),
        (AFTER, Some(Superseded), Some(BEFORE), "revoked"),
    ] {
        let more = || invalid.map(invalidity).into_iter().collect();
        assert_eq!(setup.entry(date, reason, more()), wanted, "CRL {date} {reason:?} {invalid:?}");
        setup.options.revocation.crls.clear();
        let mut template = OcspTemplate::new(revoked(date, reason));
        template.single_extensions = more();
        assert_eq!(setup.answer(&template), wanted, "OCSP {date} {reason:?} {invalid:?}");
        setup.options.revocation.ocsp.clear();
    }
    // A time from before the revocation, proven: judged then, with evidence of now.
    setup.options.revocation.now = Some(at("2027-01-30T00:00:00Z"));
    assert_eq!(setup.entry(AFTER, Some(Superseded), vec![]), "good");
}

/// RFC 3161 §4: earlier stamps stay where the stamper was retired for one of four reasons that are told.
#[test]
fn stampers_are_revoked_for_all_times_but_where_they_were_retired_t5() {
    use RevocationReason::{AffiliationChanged, CessationOfOperation, PrivilegeWithdrawn, Unspecified};
    let mut setup = Setup::new();
    for (reason, invalid, mail, stamps) in [
        (Some(Unspecified), None, "good", "good"),
        (Some(AffiliationChanged), None, "good", "good"),
        (Some(Superseded), None, "good", "good"),
        (Some(CessationOfOperation), None, "good", "good"),
        (None, None, "good", "revoked"),
        (Some(PrivilegeWithdrawn), None, "good", "revoked"),
        (Some(CertificateHold), None, "good", "revoked"),
        (Some(KeyCompromise), None, "revoked", "revoked"),
        // Since when the key is in other hands says nothing about the times that it stamps.
        (Some(KeyCompromise), Some(AFTER), "good", "revoked"),
        (Some(CaCompromise), Some(AFTER), "good", "revoked"),
        (Some(RevocationReason::AaCompromise), Some(AFTER), "good", "revoked"),
        (None, Some(AFTER), "good", "revoked"),
        (Some(Superseded), Some(BEFORE), "revoked", "revoked"),
    ] {
        for (stamper, wanted) in [(false, mail), (true, stamps)] {
            setup.options.revocation.stamper = stamper;
            let more = || invalid.map(invalidity).into_iter().collect();
            assert_eq!(setup.entry(AFTER, reason, more()), wanted, "CRL {reason:?} {invalid:?} {stamper}");
            setup.options.revocation.crls.clear();
            let mut template = OcspTemplate::new(revoked(AFTER, reason));
            template.single_extensions = more();
            assert_eq!(setup.answer(&template), wanted, "OCSP {reason:?} {invalid:?} {stamper}");
            setup.options.revocation.ocsp.clear();
        }
    }
}

/// RFC 5280 §3.3: who expired may have left the list, revoked or not.
#[test]
fn who_expired_before_the_evidence_is_not_known_to_be_good_s15() {
    let mut setup = Setup::new();
    let expired = setup.leaf.not_after();
    setup.options.revocation.now = Some(Time::from_unix(expired.unix() + 2 * 86_400));
    let later = |seconds| Time::from_unix(expired.unix() + seconds);
    let list = |this_update, entries| CrlTemplate {
        this_update,
        next_update: Some(later(10 * 86_400)),
        ..CrlTemplate::new(entries)
    };
    let since = |time| extension(&oid::EXPIRED_CERTS_ON_CRL, false, &write::generalized_time(time));
    assert_eq!(setup.list(list(expired, vec![])), "good");
    assert_eq!(setup.list(list(later(1), vec![])), "unknown");
    assert_eq!(setup.list(list(later(1), vec![]).with(since(expired))), "good");
    assert_eq!(setup.list(list(later(1), vec![]).with(since(later(1)))), "unknown");
    assert_eq!(setup.list(list(later(1), vec![entry(7, BEFORE, None, vec![])])), "revoked");
    setup.options.revocation.crls.clear();
    let answer = |this_update, status| OcspTemplate {
        this_update,
        next_update: Some(later(10 * 86_400)),
        ..OcspTemplate::new(status)
    };
    let cutoff = |time| extension(&oid::OCSP_ARCHIVE_CUTOFF, false, &write::generalized_time(time));
    assert_eq!(setup.answer(&answer(expired, good())), "good");
    assert_eq!(setup.answer(&answer(later(1), good())), "unknown");
    let mut archived = answer(later(1), good());
    archived.single_extensions = vec![cutoff(expired)];
    assert_eq!(setup.answer(&archived), "good");
    archived.single_extensions = vec![cutoff(later(1))];
    assert_eq!(setup.answer(&archived), "unknown");
    assert_eq!(setup.answer(&answer(later(1), revoked(BEFORE, None))), "revoked");
}

#[test]
fn evidence_has_to_be_fresh_s15() {
    let stale = |entries: Vec<Vec<u8>>| {
        let mut template = CrlTemplate::new(entries);
        template.next_update = Some(at("2027-01-15T11:59:59Z"));
        template
    };
    let early = |entries: Vec<Vec<u8>>| {
        let mut template = CrlTemplate::new(entries);
        template.this_update = at("2027-01-15T12:05:01Z");
        template
    };
    let mut setup = Setup::new();
    let makes: [&dyn Fn(Vec<Vec<u8>>) -> CrlTemplate; 2] = [&stale, &early];
    for make in makes {
        assert_eq!(setup.list(make(vec![])), "unknown");
        // What is revoked for good stays so; what is on hold may have come back.
        assert_eq!(setup.list(make(vec![entry(7, BEFORE, None, vec![])])), "revoked");
        assert_eq!(setup.list(make(vec![entry(7, BEFORE, Some(CertificateHold), vec![])])), "unknown");
        assert_eq!(setup.list(make(vec![entry(7, AFTER, None, vec![])])), "unknown");
    }
    let mut skewed = early(vec![]);
    skewed.this_update = at("2027-01-15T12:05:00Z");
    assert_eq!(setup.list(skewed), "good");
    let mut open = CrlTemplate::new(vec![]);
    open.next_update = None;
    assert_eq!(setup.list(open.clone()), "unknown");
    open.this_update = at("2027-01-14T12:00:00Z");
    assert_eq!(setup.list(open), "good");
    // The time of the evidence is its own.
    setup.options.revocation.now = Some(at("2027-03-01T00:00:00Z"));
    assert_eq!(setup.list(CrlTemplate::new(vec![])), "unknown");
    // Without any time nothing is good.
    (setup.options.revocation.now, setup.options.at) = (None, None);
    assert_eq!(setup.list(CrlTemplate::new(vec![])), "unknown");
    assert_eq!(setup.entry(AFTER, None, vec![]), "revoked");
    assert_eq!(setup.entry(AFTER, Some(CertificateHold), vec![]), "unknown");
}

#[test]
fn crls_of_others_say_nothing_s15() {
    let mut setup = Setup::new();
    let bad = CrlTemplate::new(vec![entry(7, BEFORE, None, vec![])]);
    // Another key under the issuer's name; another name with the issuer's key.
    let impostor = Authority::new("root", KeySpec::P256);
    assert_eq!(setup.crls(vec![impostor.crl(&bad)]), "unknown");
    let stranger = Authority { name: name("stranger"), signer: setup.root.signer.clone() };
    assert_eq!(setup.crls(vec![stranger.crl(&bad)]), "unknown");
    // With a self-signed certificate along, which leads to no anchor.
    let usage = key_usage(KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN);
    let own =
        impostor.self_signed(&Template::new("root", vec![basic_constraints(true, None), usage.clone()]));
    setup.hints = vec![own];
    assert_eq!(setup.crls(vec![impostor.crl(&bad)]), "unknown");
    // A changed octet.
    let mut der = setup.root.crl_der(&CrlTemplate::new(vec![entry(6, BEFORE, None, vec![])]));
    let position = der.windows(3).position(|window| window == [2, 1, 6]).unwrap() + 2;
    der[position] = 7;
    assert_eq!(setup.crls(vec![Crl::from_der(&der, &Limits::default()).unwrap()]), "unknown");
    // A key certified by the root for CRLs is believed, if it may sign them and is not itself revoked.
    let delegate = Authority::new("root", KeySpec::P256);
    let issue = |serial: u64, usage: KeyUsage| {
        let mut template = Template::new("root", vec![key_usage(usage)]);
        template.serial = serial;
        setup.root.issue(&template, &delegate.spki())
    };
    let (allowed, not_allowed) = (issue(20, KeyUsage::CRL_SIGN), issue(21, KeyUsage::DIGITAL_SIGNATURE));
    setup.hints = vec![not_allowed];
    assert_eq!(setup.crls(vec![delegate.crl(&bad)]), "unknown");
    setup.hints = vec![allowed];
    assert_eq!(setup.crls(vec![delegate.crl(&bad)]), "revoked");
    let revoked_delegate = setup.root.crl(&{
        let mut template = CrlTemplate::new(vec![entry(20, BEFORE, None, vec![])]);
        template.next_update = Some(at("2027-01-14T00:00:00Z"));
        template
    });
    assert_eq!(setup.crls(vec![delegate.crl(&bad), revoked_delegate]), "unknown");
}

#[test]
fn an_issuer_without_crl_sign_signs_no_crls_s15() {
    let mut setup = Setup::new();
    setup.root_certificate = setup.root.self_signed(&Template::ca("root"));
    assert_eq!(setup.entry(BEFORE, None, vec![]), "unknown");
}

#[test]
fn unknown_critical_extensions_of_crls_a6() {
    let odd = |critical| extension(&oid::SUBJECT_KEY_IDENTIFIER, critical, b"\x04\x01x");
    let mut setup = Setup::new();
    for entries in [vec![], vec![entry(7, BEFORE, None, vec![])]] {
        assert_eq!(setup.list(CrlTemplate::new(entries.clone()).with(odd(true))), "unknown");
        let wanted = if entries.is_empty() { "good" } else { "revoked" };
        assert_eq!(setup.list(CrlTemplate::new(entries).with(odd(false))), wanted);
    }
    // In any entry, whomever it is about.
    assert_eq!(setup.list(CrlTemplate::new(vec![entry(9, BEFORE, None, vec![odd(true)])])), "unknown");
    assert_eq!(setup.list(CrlTemplate::new(vec![entry(9, BEFORE, None, vec![odd(false)])])), "good");
    let elsewhere = write::explicit(4, &name("other"));
    let issuer = extension(&oid::CERTIFICATE_ISSUER, true, &write::sequence(&[&elsewhere]));
    assert_eq!(setup.list(CrlTemplate::new(vec![entry(9, BEFORE, None, vec![issuer])])), "unknown");
}

#[test]
fn the_scope_of_a_crl_s15() {
    let url = "http://crl.example/1.crl";
    let list = |fields: &[&[u8]]| CrlTemplate::new(vec![]).with(idp(fields));
    // A certificate without distribution points, by fields of the list.
    let mut setup = Setup::new();
    assert_eq!(setup.list(list(&[&flag(1)])), "good");
    assert_eq!(setup.list(list(&[&flag(2)])), "unknown");
    assert_eq!(setup.list(list(&[&flag(5)])), "unknown");
    assert_eq!(setup.list(list(&[&flag(4)])), "good");
    assert_eq!(setup.list(list(&[&point_name(url)])), "unknown");
    // One with a distribution point.
    let mut setup = Setup::with(KeySpec::P256, vec![cdp(&[&point_name(url)])]);
    assert_eq!(setup.list(CrlTemplate::new(vec![])), "good");
    assert_eq!(setup.list(list(&[&point_name(url)])), "good");
    assert_eq!(setup.list(list(&[&point_name("http://crl.example/2.crl")])), "unknown");
    // Relative to the issuer's name, and the same as a whole.
    let attribute = write::sequence(&[&write::oid(&oid::COMMON_NAME), &write::utf8("part 1")]);
    let relative = write::explicit(0, &write::tlv(Tag::context(1), &attribute));
    let whole = {
        let parts = [name("root")[2..].to_vec(), write::set_of(vec![attribute])].concat();
        let directory = write::explicit(4, &write::sequence(&[&parts]));
        write::explicit(0, &write::tlv(Tag::context(0), &directory))
    };
    for (own, wanted) in [(&relative, &whole), (&whole, &relative), (&relative, &relative)] {
        let mut setup = Setup::with(KeySpec::P256, vec![cdp(&[wanted])]);
        assert_eq!(setup.list(list(&[own])), "good");
        assert_eq!(setup.list(list(&[&point_name(url)])), "unknown");
    }
}

#[test]
fn crls_of_some_reasons_s15() {
    let mut setup = Setup::new();
    let some = |bits| CrlTemplate::new(vec![]).with(idp(&[&reason_flags(3, bits)]));
    assert_eq!(setup.list(some(0x1fe)), "good");
    assert_eq!(setup.list(some(0x006)), "unknown");
    assert_eq!(setup.lists(&[some(0x006), some(0x1f8)]), "good");
    assert_eq!(setup.lists(&[some(0x006), some(0x0f8)]), "unknown");
    let mut hit = some(0x006);
    hit.entries.push(entry(7, BEFORE, Some(KeyCompromise), vec![]));
    assert_eq!(setup.lists(&[some(0x1f8), hit.clone()]), "revoked");
    assert_eq!(setup.lists(&[hit]), "revoked");
    // The certificate's distribution point names the reasons.
    let url = point_name("http://crl.example/1.crl");
    let mut setup = Setup::with(KeySpec::P256, vec![cdp(&[&url, &reason_flags(1, 0x006)])]);
    assert_eq!(setup.list(CrlTemplate::new(vec![]).with(idp(&[&url]))), "unknown");
    assert_eq!(setup.list(CrlTemplate::new(vec![])), "good", "the list is for all reasons all the same");
}

#[test]
fn indirect_crls_s15() {
    let clerk = Authority::new("clerk", KeySpec::P256);
    let issuer = write::tlv(Tag::context(2), &write::explicit(4, &name("clerk")));
    let mut setup = Setup::with(KeySpec::P256, vec![cdp(&[&issuer])]);
    let template = Template::new("clerk", vec![key_usage(KeyUsage::CRL_SIGN)]);
    setup.hints = vec![setup.root.issue(&template, &clerk.spki())];
    let of = |issuer: &str| {
        let names = write::sequence(&[&write::explicit(4, &name(issuer))]);
        extension(&oid::CERTIFICATE_ISSUER, true, &names)
    };
    let indirect = |entries| CrlTemplate::new(entries).with(idp(&[&flag(4)]));
    let hit = |more| entry(7, BEFORE, None, more);
    assert_eq!(setup.crls(vec![clerk.crl(&indirect(vec![]))]), "good");
    assert_eq!(setup.crls(vec![clerk.crl(&indirect(vec![hit(vec![of("root")])]))]), "revoked");
    assert_eq!(setup.crls(vec![clerk.crl(&indirect(vec![hit(vec![of("other")])]))]), "good");
    // Without a name the entry is of the list's own issuer, or of that of the entry before.
    assert_eq!(setup.crls(vec![clerk.crl(&indirect(vec![hit(vec![])]))]), "good");
    let before = entry(3, BEFORE, None, vec![of("root")]);
    assert_eq!(setup.crls(vec![clerk.crl(&indirect(vec![before, hit(vec![])]))]), "revoked");
    // A name that is none, or several: nobody knows whose the entry is, nor those behind it.
    let url = write::tlv(Tag::context_primitive(6), b"http://ca.example.test/");
    let two = [write::explicit(4, &name("other")), write::explicit(4, &name("root"))].concat();
    for names in [url, two] {
        let odd = extension(&oid::CERTIFICATE_ISSUER, true, &write::sequence(&[&names]));
        let before = entry(3, BEFORE, None, vec![of("other")]);
        let list = indirect(vec![before, hit(vec![odd])]);
        assert_eq!(setup.crls(vec![clerk.crl(&list)]), "unknown");
    }
    // The list has to say that it is indirect.
    assert_eq!(setup.crls(vec![clerk.crl(&CrlTemplate::new(vec![]))]), "unknown");
    // And the certificate has to name the clerk.
    let mut plain = Setup::new();
    plain.hints = vec![plain.root.issue(&template, &clerk.spki())];
    assert_eq!(plain.crls(vec![clerk.crl(&indirect(vec![hit(vec![of("root")])]))]), "unknown");
    // The clerk needs a path to the same anchor.
    setup.hints.clear();
    assert_eq!(setup.crls(vec![clerk.crl(&indirect(vec![hit(vec![of("root")])]))]), "unknown");
}

/// A CA under the same anchor that takes another's name does not speak for it.
#[test]
fn a_crl_signer_beside_the_path_is_certified_by_those_above_s15() {
    let mut setup = Setup::new();
    let ca_extensions =
        || vec![basic_constraints(true, None), key_usage(KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN)];
    let ca = Authority::new("ca", KeySpec::P256);
    let ca_certificate = setup.root.issue(&Template::new("ca", ca_extensions()), &ca.spki());
    let mut leaf = Template::leaf();
    leaf.serial = 7;
    setup.leaf = ca.issue(&leaf, &Authority::new("leaf", KeySpec::P256).spki());
    // Of the leaf only: the CA itself stays unknown.
    let status = |setup: &mut Setup, crl: Crl| {
        setup.options.revocation.crls = vec![crl];
        match setup.validate() {
            Ok(path) if path.revocation_unknown.contains(&setup.leaf) => "unknown",
            Ok(_) => "good",
            Err(failure) => failure.word(),
        }
    };
    setup.hints = vec![ca_certificate.clone()];
    assert_eq!(status(&mut setup, ca.crl(&CrlTemplate::new(vec![]))), "good");
    // Another key of the CA, certified by the root as the CA is, or by the CA itself.
    let clerk = Authority::new("ca", KeySpec::P256);
    let template = Template::new("ca", vec![key_usage(KeyUsage::CRL_SIGN)]);
    for signer in [setup.root.issue(&template, &clerk.spki()), ca.issue(&template, &clerk.spki())] {
        setup.hints = vec![ca_certificate.clone(), signer];
        assert_eq!(status(&mut setup, clerk.crl(&CrlTemplate::new(vec![]))), "good");
        // The list names its key, and the signer has another name for its own.
        let other = write::tlv(Tag::context_primitive(0), b"other");
        let list = CrlTemplate::new(vec![]).with(extension(
            &oid::AUTHORITY_KEY_IDENTIFIER,
            false,
            &write::sequence(&[&other]),
        ));
        let named = Template::new(
            "ca",
            vec![
                key_usage(KeyUsage::CRL_SIGN),
                extension(&oid::SUBJECT_KEY_IDENTIFIER, false, &write::octet_string(b"this")),
            ],
        );
        setup.hints = vec![ca_certificate.clone(), setup.root.issue(&named, &clerk.spki())];
        assert_eq!(status(&mut setup, clerk.crl(&list)), "unknown");
    }
    // The same name, given by another CA under the same root.
    let mallory = Authority::new("mallory", KeySpec::P256);
    let mallory_certificate = setup.root.issue(&Template::new("mallory", ca_extensions()), &mallory.spki());
    let taken = mallory.issue(&template, &clerk.spki());
    setup.hints = vec![ca_certificate, mallory_certificate, taken];
    assert_eq!(status(&mut setup, clerk.crl(&CrlTemplate::new(vec![]))), "unknown");
    let hit = CrlTemplate::new(vec![entry(7, BEFORE, None, vec![])]);
    assert_eq!(status(&mut setup, clerk.crl(&hit)), "unknown");
}

/// RFC 5280 §4.2: a critical extension that cannot be read is not processed.
#[test]
fn critical_distribution_points_have_to_be_read() {
    for (critical, wanted) in [(true, "malformed-extension"), (false, "good")] {
        let junk = write::tlv(Tag::context_primitive(1), &[9, 0]);
        let points = write::sequence(&[&write::sequence(&[&junk])]);
        let junk = extension(&oid::CRL_DISTRIBUTION_POINTS, critical, &points);
        let mut setup = Setup::with(KeySpec::P256, vec![junk]);
        assert_eq!(setup.list(CrlTemplate::new(vec![])), wanted);
    }
}

#[test]
fn delta_crls_s15() {
    let mut setup = Setup::new();
    let base = || CrlTemplate::new(vec![]);
    let held = || CrlTemplate::new(vec![entry(7, BEFORE, Some(CertificateHold), vec![])]);
    let delta = |from, number, entries| {
        let mut template = CrlTemplate::new(entries);
        template.extensions = vec![crl_number(number), delta_indicator(from)];
        template
    };
    let hit = || vec![entry(7, BEFORE, None, vec![])];
    let back = || vec![entry(7, BEFORE, Some(RemoveFromCrl), vec![])];
    assert_eq!(setup.lists(&[delta(5, 6, hit())]), "unknown", "without its base");
    assert_eq!(setup.lists(&[base(), delta(5, 6, hit())]), "revoked");
    assert_eq!(setup.lists(&[base(), delta(4, 6, hit())]), "revoked");
    assert_eq!(setup.lists(&[delta(5, 6, vec![]), base()]), "good");
    assert_eq!(setup.lists(&[held(), delta(5, 6, vec![])]), "revoked");
    assert_eq!(setup.lists(&[held(), delta(5, 6, back())]), "good");
    // What was revoked for good does not come back.
    for reason in [None, Some(Superseded), Some(KeyCompromise)] {
        let revoked = CrlTemplate::new(vec![entry(7, BEFORE, reason, vec![])]);
        assert_eq!(setup.lists(&[revoked, delta(5, 6, back())]), "revoked", "{reason:?}");
    }
    // Of several the newest.
    assert_eq!(setup.lists(&[held(), delta(5, 6, hit()), delta(5, 7, back())]), "good");
    // Not for this base, not newer, of another scope, stale: as if it were not there.
    assert_eq!(setup.lists(&[held(), delta(6, 7, back())]), "revoked");
    assert_eq!(setup.lists(&[held(), delta(5, 5, back())]), "revoked");
    assert_eq!(setup.lists(&[held(), delta(5, 6, back()).with(idp(&[&flag(1)]))]), "revoked");
    let mut stale = delta(5, 6, back());
    stale.next_update = Some(at("2027-01-14T00:00:00Z"));
    assert_eq!(setup.lists(&[held(), stale]), "revoked");
    // A fresh delta makes up for a base that is not.
    let mut old = base();
    old.next_update = Some(at("2027-01-14T00:00:00Z"));
    assert_eq!(setup.lists(&[old.clone()]), "unknown");
    assert_eq!(setup.lists(&[old, delta(5, 6, vec![])]), "good");
    // Nor need a newer complete list say that something came back.
    let mut newer = base();
    newer.extensions = vec![crl_number(6)];
    assert_eq!(setup.lists(&[held(), newer.clone()]), "good");
    assert_eq!(setup.lists(&[newer, held()]), "good");
    assert_eq!(setup.lists(&[held(), base()]), "revoked");
    // In a complete list nothing comes back.
    assert_eq!(setup.list(CrlTemplate::new(back())), "unknown");
}

#[test]
fn every_certificate_of_the_path_counts_s15() {
    let root = Authority::new("root", KeySpec::P256);
    let middle = Authority::new("middle", KeySpec::P256);
    let ca = |name: &str, serial| {
        let usage = key_usage(KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN);
        let mut template = Template::new(name, vec![basic_constraints(true, None), usage]);
        template.serial = serial;
        template
    };
    let anchors = Anchors::new(vec![root.self_signed(&ca("root", 1))]);
    let middle_certificate = root.issue(&ca("middle", 2), &middle.spki());
    let leaf = middle.issue(&Template::leaf(), &Authority::new("leaf", KeySpec::P256).spki());
    let judge = |crls: Vec<Crl>| {
        let mut options = options();
        options.revocation.crls = crls;
        let result = validate(&leaf, std::slice::from_ref(&middle_certificate), &anchors, &options);
        (word(&result), result)
    };
    let clean = CrlTemplate::new(vec![]);
    let (only_leaf, result) = judge(vec![middle.crl(&clean)]);
    assert_eq!(
        (only_leaf, result.unwrap().revocation_unknown),
        ("unknown", vec![middle_certificate.clone()])
    );
    assert_eq!(judge(vec![root.crl(&clean)]).1.unwrap().revocation_unknown, std::slice::from_ref(&leaf));
    assert_eq!(judge(vec![middle.crl(&clean), root.crl(&clean)]).0, "good");
    let hit = CrlTemplate::new(vec![entry(2, BEFORE, Some(CaCompromise), vec![])]);
    let (found, result) = judge(vec![middle.crl(&clean), root.crl(&hit)]);
    assert_eq!((found, result.unwrap_err().at), ("revoked", Some(middle_certificate)));
}

/// A CA appoints who signs the CRLs of what it issued, and not by that those of itself.
#[test]
fn who_signs_for_a_leaf_does_not_sign_for_its_ca_s15() {
    let root = Authority::new("root", KeySpec::P256);
    let middle = Authority::new("middle", KeySpec::P256);
    let ca = |name: &str| {
        let usage = key_usage(KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN);
        Template::new(name, vec![basic_constraints(true, None), usage])
    };
    let anchors = Anchors::new(vec![root.self_signed(&ca("root"))]);
    let middle_certificate = root.issue(&ca("middle"), &middle.spki());
    // Of the name of the root, certified by the CA in the middle, and named by the leaf.
    let clerk = Authority::new("root", KeySpec::P256);
    let appointed = Template::new("root", vec![key_usage(KeyUsage::CRL_SIGN)]);
    let appointed = middle.issue(&appointed, &clerk.spki());
    let mut leaf = Template::leaf();
    leaf.extensions.push(cdp(&[&write::tlv(Tag::context(2), &write::explicit(4, &name("root")))]));
    let leaf = middle.issue(&leaf, &Authority::new("leaf", KeySpec::P256).spki());
    let mut options = options();
    options.revocation.crls = vec![clerk.crl(&CrlTemplate::new(vec![]).with(idp(&[&flag(4)])))];
    let path = validate(&leaf, &[middle_certificate.clone(), appointed], &anchors, &options).unwrap();
    assert_eq!(path.revocation_unknown, [middle_certificate]);
}

#[test]
fn ocsp_by_issuer_s15() {
    for spec in [KeySpec::P256, KeySpec::Sm2] {
        let mut setup = Setup::with(spec, Vec::new());
        for by_key in [false, true] {
            for digest in DigestAlgorithm::ALL {
                let judge = |setup: &mut Setup, status| {
                    setup.answer(&OcspTemplate { digest, by_key, ..OcspTemplate::new(status) })
                };
                assert_eq!(judge(&mut setup, good()), "good");
                assert_eq!(judge(&mut setup, revoked(BEFORE, None)), "revoked");
                assert_eq!(judge(&mut setup, unknown()), "unknown");
            }
        }
    }
    let mut setup = Setup::new();
    let mut stale = OcspTemplate::new(good());
    stale.next_update = Some(at("2027-01-15T00:00:00Z"));
    assert_eq!(setup.answer(&stale), "unknown");
    let mut early = OcspTemplate::new(good());
    early.this_update = at("2027-01-16T00:00:00Z");
    assert_eq!(setup.answer(&early), "unknown");
    let odd = |critical| extension(&oid::SUBJECT_KEY_IDENTIFIER, critical, b"\x04\x01x");
    for (critical, wanted) in [(true, "unknown"), (false, "good")] {
        let mut template = OcspTemplate::new(good());
        template.extensions.push(odd(critical));
        assert_eq!(setup.answer(&template), wanted);
        let mut template = OcspTemplate::new(good());
        template.single_extensions.push(odd(critical));
        assert_eq!(setup.answer(&template), wanted);
    }
    // About another certificate, or another issuer of the same name.
    let other = Setup::new();
    let about_other = other.root.ocsp(&OcspTemplate::new(good()), &other.leaf, &other.root);
    assert_eq!(setup.ocsp(vec![about_other]), "unknown");
    let mut template = Template::leaf();
    template.serial = 8;
    let sibling = setup.root.issue(&template, &Authority::new("leaf", KeySpec::P256).spki());
    let response = setup.root.ocsp(&OcspTemplate::new(good()), &sibling, &setup.root);
    assert_eq!(setup.ocsp(vec![response]), "unknown");
    // Signed by another key of the issuer's name; and what is revoked goes before what is good.
    let impostor = Authority::new("root", KeySpec::P256);
    let forged = impostor.ocsp(&OcspTemplate::new(good()), &setup.leaf, &setup.root);
    assert_eq!(setup.ocsp(vec![forged]), "unknown");
    let of = |status| setup.root.ocsp(&OcspTemplate::new(status), &setup.leaf, &setup.root);
    let (yes, no) = (of(good()), of(revoked(BEFORE, None)));
    assert_eq!(setup.ocsp(vec![yes.clone(), no]), "revoked");
    setup.options.revocation.crls =
        vec![setup.root.crl(&CrlTemplate::new(vec![entry(7, BEFORE, None, vec![])]))];
    assert_eq!(setup.ocsp(vec![yes]), "revoked");
}

#[test]
fn ocsp_by_appointed_responder_s15() {
    let mut setup = Setup::new();
    let clerk = Authority::new("responder", KeySpec::P256);
    let nocheck = || extension(&oid::OCSP_NOCHECK, false, &write::null());
    let signing = || extended_key_usage(false, &[oid::OCSP_SIGNING]);
    let judge = |setup: &mut Setup, issuer: &Authority, template: &Template| {
        let certificate = issuer.issue(template, &clerk.spki());
        let answer = OcspTemplate { certificates: vec![certificate], ..OcspTemplate::new(good()) };
        let response = clerk.ocsp(&answer, &setup.leaf, &setup.root);
        setup.ocsp(vec![response])
    };
    let root = setup.root.clone();
    let mut right = Template::new("responder", vec![signing(), nocheck()]);
    right.serial = 30;
    assert_eq!(judge(&mut setup, &root, &right), "good");
    // Without the purpose, with one that only stands for it, with a usage that does not sign.
    for extensions in [
        vec![nocheck()],
        vec![nocheck(), extended_key_usage(false, &[oid::ANY_EXTENDED_KEY_USAGE])],
        vec![nocheck(), extended_key_usage(false, &[oid::EMAIL_PROTECTION])],
        vec![nocheck(), signing(), key_usage(KeyUsage::KEY_AGREEMENT)],
        vec![nocheck(), signing(), extension(&oid::FRESHEST_CRL, true, &write::null())],
    ] {
        assert_eq!(judge(&mut setup, &root, &Template::new("responder", extensions)), "unknown");
    }
    let mut expired = right.clone();
    expired.not_after = at("2027-01-14T00:00:00Z");
    assert_eq!(judge(&mut setup, &root, &expired), "unknown");
    // Appointed by somebody else, under any name.
    for stranger in ["root", "stranger"] {
        assert_eq!(judge(&mut setup, &Authority::new(stranger, KeySpec::P256), &right), "unknown");
    }
    // By a CA below the issuer: not directly.
    let below = Authority::new("below", KeySpec::P256);
    setup.hints = vec![setup.root.issue(&Template::ca("below"), &below.spki())];
    assert_eq!(judge(&mut setup, &below, &right), "unknown");
    // The responder's own certificate may be revoked, unless it says that nobody looks.
    setup.options.revocation.crls = vec![setup.root.crl(&{
        // A list that says nothing about the leaf: it is stale.
        let mut template = CrlTemplate::new(vec![entry(30, BEFORE, None, vec![])]);
        template.next_update = Some(at("2027-01-14T00:00:00Z"));
        template
    })];
    assert_eq!(judge(&mut setup, &root, &right), "good");
    right.extensions.pop();
    assert_eq!(judge(&mut setup, &root, &right), "unknown");
    setup.options.revocation.crls.clear();
    assert_eq!(judge(&mut setup, &root, &right), "good");
}

#[test]
fn one_budget_serves_many_paths_a5() {
    let mut setup = Setup::new();
    setup.options.revocation.crls = vec![setup.root.crl(&CrlTemplate::new(vec![]))];
    let anchors = Anchors::new(vec![setup.root_certificate.clone()]);
    let mut budget = Budget::new(&setup.options.limits);
    let before = budget.clone();
    assert!(validate_within(&setup.leaf, &[], &anchors, &setup.options, &mut budget).is_ok());
    // One signature of the certificate, one of the CRL.
    assert_eq!(before.signature_checks() - budget.signature_checks(), 2);
    assert!(budget.name_comparisons() < before.name_comparisons());
    let mut count = 1;
    let failure = loop {
        match validate_within(&setup.leaf, &[], &anchors, &setup.options, &mut budget) {
            Ok(_) => count += 1,
            Err(failure) => break failure,
        }
    };
    assert_eq!((count, failure.word()), (50, "budget-exceeded"));
    // CRLs that are not to be believed cost too.
    let mut limits = Limits::default();
    limits.signature_checks = 10;
    let impostor = Authority::new("root", KeySpec::P256);
    let forged = |number| impostor.crl(&CrlTemplate::new(vec![entry(number, BEFORE, None, vec![])]));
    setup.options.limits = limits;
    assert_eq!(setup.crls((1..10).map(forged).collect()), "unknown");
    assert_eq!(setup.crls((1..11).map(forged).collect()), "budget-exceeded");
}

#[test]
fn crls_that_are_issued_are_believed() {
    use aecm_core::crl::{CrlError, RevokedEntry, issue};
    for spec in [KeySpec::P256, KeySpec::Sm2] {
        let mut setup = Setup::with(spec, Vec::new());
        let (this, next) = (at("2027-01-10T00:00:00Z"), at("2027-02-10T00:00:00Z"));
        let revoked =
            |serial: &[u8], reason| RevokedEntry { serial: serial.to_vec(), date: at(BEFORE), reason };
        let make = |setup: &Setup, entries: &[RevokedEntry]| {
            block_on(issue(&setup.root_certificate, setup.root.signer.as_ref(), 300, entries, this, next))
        };
        let empty = make(&setup, &[]).unwrap();
        assert_eq!((empty.number(), empty.entries().len()), (Some(&[1, 44][..]), 0));
        let key = setup.root.signer.clone();
        let identifier = aecm_core::key::Signer::public_key(key.as_ref()).key_identifier();
        assert_eq!(empty.authority_key_identifier(), Some(&identifier[..]));
        assert_eq!(setup.crls(vec![empty]), "good");
        let entries = [revoked(&[0], RevocationReason::Unspecified), revoked(&[7], Superseded)];
        let list = make(&setup, &entries).unwrap();
        let read: Vec<_> =
            list.entries().map(|entry| (entry.serial.to_vec(), entry.date, entry.reason)).collect();
        assert_eq!(read, [(vec![0], at(BEFORE), None), (vec![7], at(BEFORE), Some(Superseded))]);
        assert_eq!(setup.crls(vec![list]), "revoked");
        for bad in [&[][..], &[0x80], &[0, 7], &[1; 65]] {
            assert_eq!(make(&setup, &[revoked(bad, Superseded)]), Err(CrlError::BadSerial));
        }
        let root = &setup.root_certificate;
        let signer = setup.root.signer.as_ref();
        assert_eq!(block_on(issue(root, signer, 1, &[], next, next)), Err(CrlError::Dates));
        assert_eq!(block_on(issue(&setup.leaf, signer, 1, &[], this, next)), Err(CrlError::NotIssuer));
        let other = Authority::new("root", spec);
        let result = block_on(issue(root, other.signer.as_ref(), 1, &[], this, next));
        assert_eq!(result, Err(CrlError::NotIssuer));
        let no_usage = setup.root.self_signed(&Template::ca("root"));
        assert_eq!(block_on(issue(&no_usage, signer, 1, &[], this, next)), Err(CrlError::NotIssuer));
    }
}

#[test]
fn no_octet_of_evidence_can_be_changed_s15() {
    let mut setup = Setup::new();
    let crl = setup.root.crl_der(&CrlTemplate::new(vec![entry(7, AFTER, None, vec![])]));
    assert_eq!(setup.crls(vec![Crl::from_der(&crl, &Limits::default()).unwrap()]), "good");
    for position in 0..crl.len() {
        let mut changed = crl.clone();
        changed[position] ^= 1;
        if let Ok(changed) = Crl::from_der(&changed, &Limits::default()) {
            assert_eq!(setup.crls(vec![changed]), "unknown", "{position}");
        }
    }
    setup.options.revocation.crls.clear();
    let response = setup.root.ocsp_der(&OcspTemplate::new(good()), &setup.leaf, &setup.root);
    for position in 0..response.len() {
        let mut changed = response.clone();
        changed[position] ^= 1;
        if let Ok(changed) = OcspResponse::from_der(&changed, &Limits::default()) {
            assert_eq!(setup.ocsp(vec![changed]), "unknown", "{position}");
        }
        assert!(OcspResponse::from_der(&response[..position], &Limits::default()).is_err());
    }
}

#[test]
fn time_is_what_the_caller_says() {
    // The same evidence, judged at two times.
    let mut setup = Setup::new();
    assert_eq!(setup.entry("2027-01-15T12:00:00Z", None, vec![]), "revoked");
    setup.options.at = Some(Time::from_unix(now().unix() - 1));
    assert_eq!(word(&setup.validate()), "good");
}
