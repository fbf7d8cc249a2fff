//! Certificate policies: what a path is valid for, and that it costs little (RFC 5280 §6.1, RFC 9618; THREATS A5).
//! The rules one by one are those of PKITS (`pkits.rs`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(missing_docs, unreachable_pub, dead_code)]

#[path = "support/maker.rs"]
mod maker;

use std::time::{Duration, Instant};

use aecm_core::certificate::Certificate;
use aecm_core::limits::Limits;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::path::{Anchors, PathFailure, PathOptions, PathPurpose, PathReason, PolicySettings, validate};
use aecm_core::software::KeySpec;
use aecm_core::tlv::{Tag, write};
use maker::{Authority, Template, extension, now};

const ANY: ObjectIdentifier = oid::ANY_POLICY;

fn policy(number: u32) -> ObjectIdentifier {
    ObjectIdentifier::new(&format!("1.3.6.1.4.1.55555.{number}")).unwrap()
}

fn policies(list: &[ObjectIdentifier]) -> Vec<u8> {
    let list: Vec<u8> = list.iter().flat_map(|policy| write::sequence(&[&write::oid(policy)])).collect();
    extension(&oid::CERTIFICATE_POLICIES, false, &write::sequence(&[&list]))
}

fn mappings(list: &[(ObjectIdentifier, ObjectIdentifier)]) -> Vec<u8> {
    let pairs = list
        .iter()
        .flat_map(|(issuer, subject)| write::sequence(&[&write::oid(issuer), &write::oid(subject)]));
    extension(&oid::POLICY_MAPPINGS, true, &write::sequence(&[&pairs.collect::<Vec<u8>>()]))
}

fn constraints(explicit: Option<u8>, mapping: Option<u8>) -> Vec<u8> {
    let field = |number, value: Option<u8>| {
        value.map(|value| write::tlv(Tag::context_primitive(number), &[value])).unwrap_or_default()
    };
    let value = write::sequence(&[&field(0, explicit), &field(1, mapping)]);
    extension(&oid::POLICY_CONSTRAINTS, true, &value)
}

fn inhibit_any(skip: u64) -> Vec<u8> {
    extension(&oid::INHIBIT_ANY_POLICY, true, &write::small(skip))
}

/// The policies for which a chain of CAs with those extensions, the last one a leaf's, is valid. The first are
/// the anchor's.
fn judge(levels: &[Vec<Vec<u8>>], settings: PolicySettings) -> Result<Vec<ObjectIdentifier>, PathFailure> {
    let (leaf, anchor, hints) = chain(levels);
    let mut options = PathOptions::new(PathPurpose::Any, Some(now()), Limits::default());
    options.policies = settings;
    validate(&leaf, &hints, &Anchors::new(vec![anchor]), &options).map(|path| path.valid_policies)
}

fn chain(levels: &[Vec<Vec<u8>>]) -> (Certificate, Certificate, Vec<Certificate>) {
    let mut issuer = Authority::new("ca 0", KeySpec::P256);
    let template = |place: usize| {
        let name = format!("ca {place}");
        let mut template =
            if place + 1 == levels.len() { Template::new(&name, vec![]) } else { Template::ca(&name) };
        template.extensions.extend(levels[place].iter().cloned());
        template
    };
    let anchor = issuer.self_signed(&template(0));
    let mut hints = Vec::new();
    for place in 1..levels.len() {
        let holder = Authority::new(&format!("ca {place}"), KeySpec::P256);
        hints.push(issuer.issue(&template(place), &holder.spki()));
        issuer = holder;
    }
    (hints.pop().unwrap(), anchor, hints)
}

fn explicit(initial: &[ObjectIdentifier]) -> PolicySettings {
    PolicySettings { initial: initial.to_vec(), explicit: true, ..PolicySettings::default() }
}

fn reason(result: Result<Vec<ObjectIdentifier>, PathFailure>) -> PathReason {
    result.unwrap_err().reason
}

#[test]
fn what_a_path_is_valid_for() {
    let none = PolicySettings::default;
    let (one, two, three) = (policy(1), policy(2), policy(3));
    assert_eq!(judge(&[vec![], vec![]], none()).unwrap(), []);
    assert_eq!(judge(&[vec![], vec![policies(&[one, two])]], none()).unwrap(), [one, two]);
    assert_eq!(judge(&[vec![], vec![policies(&[ANY])]], none()).unwrap(), [ANY]);
    let under = |above: &[_], below: &[_]| vec![vec![], vec![policies(above)], vec![policies(below)]];
    assert_eq!(judge(&under(&[one, two], &[two, three]), none()).unwrap(), [two]);
    assert_eq!(judge(&under(&[ANY], &[two]), none()).unwrap(), [two]);
    assert_eq!(judge(&under(&[one], &[ANY]), none()).unwrap(), [one]);
    assert_eq!(judge(&under(&[one], &[two]), none()).unwrap(), []);
    assert_eq!(judge(&[vec![], vec![], vec![policies(&[one])]], none()).unwrap(), []);
    // In the words of the CA nearest to the anchor.
    let mapped = vec![vec![], vec![policies(&[one]), mappings(&[(one, two)])], vec![policies(&[two])]];
    assert_eq!(judge(&mapped, none()).unwrap(), [one]);
    let from_any = vec![vec![], vec![policies(&[ANY]), mappings(&[(one, two)])], vec![policies(&[two])]];
    assert_eq!(judge(&from_any, none()).unwrap(), [one]);
    // Of those asked for.
    let asked = |list: &[_]| PolicySettings { initial: list.to_vec(), ..none() };
    assert_eq!(judge(&under(&[one, two], &[one, two]), asked(&[two, three])).unwrap(), [two]);
    assert_eq!(judge(&under(&[ANY], &[ANY]), asked(&[two, three])).unwrap(), [two, three]);
    assert_eq!(judge(&under(&[one], &[one]), asked(&[ANY])).unwrap(), [one]);
    assert_eq!(judge(&under(&[one], &[one]), asked(&[two])).unwrap(), []);
}

#[test]
fn explicit_policies() {
    let (one, two) = (policy(1), policy(2));
    let chain = |list: &[_]| vec![vec![], vec![policies(list)], vec![policies(list)]];
    assert_eq!(judge(&chain(&[one]), explicit(&[])).unwrap(), [one]);
    assert_eq!(judge(&chain(&[one]), explicit(&[one])).unwrap(), [one]);
    assert_eq!(reason(judge(&chain(&[one]), explicit(&[two]))), PathReason::NoValidPolicy);
    assert_eq!(reason(judge(&[vec![], vec![]], explicit(&[]))), PathReason::NoValidPolicy);
    assert_eq!(judge(&[vec![], vec![]], explicit(&[])).unwrap_err().word(), "no-valid-policy");
    // A CA asks for it; the anchor too (RFC 5937).
    let require = |anchor: Vec<Vec<u8>>, skip| {
        let middle = vec![policies(&[one]), constraints(Some(skip), None)];
        judge(&[anchor, middle, vec![]], PolicySettings::default())
    };
    assert_eq!(reason(require(vec![], 0)), PathReason::NoValidPolicy);
    assert_eq!(require(vec![], 2).unwrap(), []);
    assert_eq!(reason(require(vec![constraints(Some(0), None)], 9)), PathReason::NoValidPolicy);
    // What the anchor's own certificate says about its policies does not count.
    let anchors_own = vec![vec![policies(&[two])], vec![policies(&[one])]];
    assert_eq!(judge(&anchors_own, explicit(&[])).unwrap(), [one]);
}

#[test]
fn mapping_and_any_policy_can_be_forbidden() {
    let (one, two) = (policy(1), policy(2));
    let mapped = |anchor: Vec<Vec<u8>>| {
        vec![anchor, vec![policies(&[one]), mappings(&[(one, two)])], vec![policies(&[two])]]
    };
    assert!(judge(&mapped(vec![]), explicit(&[])).is_ok());
    let forbidden = PolicySettings { inhibit_mapping: true, ..explicit(&[]) };
    assert_eq!(reason(judge(&mapped(vec![]), forbidden)), PathReason::NoValidPolicy);
    let by_anchor = mapped(vec![constraints(None, Some(0))]);
    assert_eq!(reason(judge(&by_anchor, explicit(&[]))), PathReason::NoValidPolicy);
    let any = |anchor: Vec<Vec<u8>>| vec![anchor, vec![policies(&[ANY])], vec![policies(&[one])]];
    assert!(judge(&any(vec![]), explicit(&[])).is_ok());
    let forbidden = PolicySettings { inhibit_any: true, ..explicit(&[]) };
    assert_eq!(reason(judge(&any(vec![]), forbidden)), PathReason::NoValidPolicy);
    assert_eq!(reason(judge(&any(vec![inhibit_any(0)]), explicit(&[]))), PathReason::NoValidPolicy);
    assert!(judge(&any(vec![inhibit_any(1)]), explicit(&[])).is_ok());
    for bad in [mappings(&[(ANY, one)]), mappings(&[(one, ANY)])] {
        let levels = vec![vec![], vec![policies(&[one]), bad], vec![policies(&[one])]];
        let found = reason(judge(&levels, PolicySettings::default()));
        assert_eq!(found, PathReason::MalformedExtension(oid::POLICY_MAPPINGS));
    }
}

#[test]
fn policies_that_cannot_be_named_are_no_others() {
    // 1.2.2^32: larger than the type of identifiers.
    let large = write::sequence(&[&write::tlv(Tag::OID, &[0x2a, 0x90, 0x80, 0x80, 0x80, 0x00])]);
    let listed = write::sequence(&[&[large, write::sequence(&[&write::oid(&policy(1))])].concat()]);
    let both = extension(&oid::CERTIFICATE_POLICIES, true, &listed);
    assert_eq!(judge(&[vec![], vec![both]], PolicySettings::default()).unwrap(), [policy(1)]);
}

/// CVE-2023-0464: the tree of RFC 5280 has a node for each way through the mappings, 50 to the power of 8 here.
#[test]
fn the_graph_does_not_grow_with_the_ways_through_it_a5() {
    let all: Vec<_> = (0..50).map(policy).collect();
    let pairs: Vec<_> = all.iter().flat_map(|one| all.iter().map(move |other| (*one, *other))).collect();
    let mut levels = vec![vec![]];
    levels.extend((0..8).map(|_| vec![policies(&all), mappings(&pairs)]));
    levels.push(vec![policies(&[policy(60)])]);
    let (leaf, anchor, hints) = chain(&levels);
    let mut options = PathOptions::new(PathPurpose::Any, Some(now()), Limits::default());
    options.policies.explicit = true;
    let start = Instant::now();
    let failure = validate(&leaf, &hints, &Anchors::new(vec![anchor]), &options).unwrap_err();
    assert_eq!(failure.reason, PathReason::NoValidPolicy);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}
