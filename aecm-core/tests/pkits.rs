//! NIST's Public Key Interoperability Test Suite: every case of its sections 4.1 to 4.16 (THREATS S16), each
//! with all certificates and CRLs of the suite at hand, revocation required.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::collections::BTreeMap;

use aecm_core::certificate::Certificate;
use aecm_core::crl::Crl;
use aecm_core::limits::Limits;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::path::{Anchors, Path, PathFailure, PathOptions, PathPurpose, RevocationStatus, validate};
use aecm_core::time::Time;
use aecm_core::tlv::{Reader, Rules};

struct Suite {
    certificates: BTreeMap<String, Certificate>,
    hints: Vec<Certificate>,
    crls: Vec<Crl>,
    anchors: Anchors,
}

fn suite() -> Suite {
    let limits = Limits::default();
    let mut reader = Reader::new(include_bytes!("vectors/pkits/pkits.der"), Rules::Der, &limits);
    let (mut certificates, mut crls) = (BTreeMap::new(), Vec::new());
    while !reader.is_empty() {
        let mut file = reader.sequence().unwrap();
        let name = file.any().unwrap().text().unwrap().into_owned();
        let der = file.octet_string().unwrap();
        file.finish().unwrap();
        // Three whose signature NIST made unreadable (a BIT STRING with unused bits) are left out: BadSignedCACert,
        // InvalidDSASignatureTest6EE, BadCRLSignatureCACRL.
        if let Some(name) = name.strip_suffix(".crt") {
            certificates.extend(Certificate::from_der(&der).ok().map(|read| (name.to_owned(), read)));
        } else {
            crls.extend(Crl::from_der(&der, &limits));
        }
    }
    assert_eq!((certificates.len(), crls.len()), (403, 172));
    let anchors = Anchors::new(vec![certificates["TrustAnchorRootCertificate"].clone()]);
    let hints = certificates.values().cloned().collect();
    Suite { certificates, hints, crls, anchors }
}

impl Suite {
    fn judge(&self, leaf: &str, settings: &[&str]) -> Result<Path, PathFailure> {
        let at = Time::from_rfc3339("2026-11-23T00:00:00Z");
        let mut options = PathOptions::new(PathPurpose::Any, at, Limits::default());
        options.revocation.crls.clone_from(&self.crls);
        options.revocation.required = true;
        for setting in settings {
            match *setting {
                "explicit" => options.policies.explicit = true,
                "inhibit-mapping" => options.policies.inhibit_mapping = true,
                "inhibit-any" => options.policies.inhibit_any = true,
                "policy=any" => options.policies.initial.push(oid::ANY_POLICY),
                other => {
                    let number = other.strip_prefix("policy=").unwrap();
                    let policy = format!("2.16.840.1.101.3.2.1.48.{number}");
                    options.policies.initial.push(ObjectIdentifier::new(&policy).unwrap());
                }
            }
        }
        let leaf = &self.certificates[leaf];
        validate(leaf, &self.hints, &self.anchors, &options)
    }
}

fn word(result: &Result<Path, PathFailure>) -> &'static str {
    match result {
        Ok(path) => {
            assert_eq!(path.revocation, RevocationStatus::Good);
            "valid"
        }
        Err(failure) => failure.word(),
    }
}

/// Leaf, expected word and settings of each case.
fn cases() -> Vec<(&'static str, &'static str, Vec<&'static str>)> {
    let lines = include_str!("vectors/pkits/cases.txt").lines().filter(|line| !line.starts_with('#'));
    let case = |line: &'static str| {
        let mut words = line.split_whitespace().skip(1);
        (words.next().unwrap(), words.next().unwrap(), words.collect())
    };
    lines.map(case).collect()
}

#[test]
fn every_case() {
    let suite = suite();
    let mut wrong = Vec::new();
    let cases = cases();
    assert_eq!(cases.len(), 246);
    for (leaf, expected, settings) in cases {
        if expected == "unreadable" {
            assert!(!suite.certificates.contains_key(leaf));
            continue;
        }
        let result = suite.judge(leaf, &settings);
        if word(&result) != expected {
            let why = result.err().map(|failure| failure.to_string()).unwrap_or_default();
            wrong.push(format!("{leaf} {settings:?}: {expected} expected, {why}"));
        }
    }
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
}

/// The verdict does not hang on the order in which certificates and CRLs come.
#[test]
fn every_case_the_other_way_round() {
    let mut suite = suite();
    suite.crls.reverse();
    suite.hints.reverse();
    for (leaf, expected, settings) in cases().into_iter().filter(|case| case.1 != "unreadable") {
        assert_eq!(word(&suite.judge(leaf, &settings)), expected, "{leaf} {settings:?}");
    }
}

/// Without CRLs, the cases that are about them hold, with the status unknown.
#[test]
fn without_evidence_nothing_is_good() {
    let mut suite = suite();
    suite.crls.clear();
    for (leaf, expected, settings) in cases() {
        if matches!(expected, "revoked" | "revocation-unknown" | "valid") {
            let failure = suite.judge(leaf, &settings).unwrap_err();
            assert_eq!(failure.word(), "revocation-unknown", "{leaf}");
        }
    }
}
