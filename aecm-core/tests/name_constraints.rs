//! Name constraints, form by form (RFC 5280 §4.2.1.10, RFC 9598 §6; THREATS S16, A6).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(missing_docs, unreachable_pub, dead_code)]

#[path = "support/maker.rs"]
mod maker;

use aecm_core::certificate::Certificate;
use aecm_core::limits::Limits;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::path::{Anchors, PathOptions, PathPurpose, PathReason, validate};
use aecm_core::software::KeySpec;
use aecm_core::tlv::{Tag, write};
use maker::{Authority, Template, extension, name, now};

fn general(number: u32, content: &[u8]) -> Vec<u8> {
    write::tlv(Tag::context_primitive(number), content)
}

fn mail(text: &str) -> Vec<u8> {
    general(1, text.as_bytes())
}

fn dns(text: &str) -> Vec<u8> {
    general(2, text.as_bytes())
}

fn uri(text: &str) -> Vec<u8> {
    general(6, text.as_bytes())
}

fn other(kind: &ObjectIdentifier, value: &[u8]) -> Vec<u8> {
    write::tlv(Tag::context(0), &[write::oid(kind), write::explicit(0, value)].concat())
}

fn utf8_mail(text: &str) -> Vec<u8> {
    other(&oid::SMTP_UTF8_MAILBOX, &write::utf8(text))
}

fn attributes(parts: &[(ObjectIdentifier, &str)]) -> Vec<u8> {
    let sets: Vec<Vec<u8>> = parts
        .iter()
        .map(|(kind, text)| write::set_of(vec![write::sequence(&[&write::oid(kind), &write::utf8(text)])]))
        .collect();
    write::sequence(&[&sets.concat()])
}

fn directory(name: &[u8]) -> Vec<u8> {
    write::explicit(4, name)
}

fn subtrees(number: u32, bases: &[Vec<u8>]) -> Vec<u8> {
    let list: Vec<u8> = bases.iter().flat_map(|base| write::sequence(&[base])).collect();
    if list.is_empty() { list } else { write::tlv(Tag::context(number), &list) }
}

fn constraints(permitted: &[Vec<u8>], excluded: &[Vec<u8>]) -> Vec<u8> {
    let value = write::sequence(&[&subtrees(0, permitted), &subtrees(1, excluded)]);
    extension(&oid::NAME_CONSTRAINTS, true, &value)
}

fn alternative(names: &[Vec<u8>]) -> Vec<u8> {
    extension(&oid::SUBJECT_ALT_NAME, false, &write::sequence(&[&names.concat()]))
}

struct World {
    root: Authority,
    middle: Authority,
    leaf_key: Vec<u8>,
}

impl World {
    fn new() -> Self {
        let key = |name| Authority::new(name, KeySpec::P256);
        Self { root: key("root"), middle: key("middle"), leaf_key: key("leaf").spki() }
    }

    fn judge(&self, root: Option<Vec<u8>>, middle: Option<Vec<u8>>, leaf: &Template) -> Option<PathReason> {
        let mut root_template = Template::ca("root");
        root_template.extensions.extend(root);
        let mut middle_template = Template::ca("middle");
        middle_template.extensions.extend(middle);
        let anchors = Anchors::new(vec![self.root.self_signed(&root_template)]);
        let middle: Certificate = self.root.issue(&middle_template, &self.middle.spki());
        let leaf = self.middle.issue(leaf, &self.leaf_key);
        let options = PathOptions::new(PathPurpose::Any, Some(now()), Limits::default());
        validate(&leaf, &[middle], &anchors, &options).err().map(|failure| failure.reason)
    }

    /// Whether a leaf of no subject with that name is within `base`, by both lists; `None` where the lists
    /// disagree with that.
    fn is_within(&self, base: &[u8], name: &[u8]) -> Option<bool> {
        let mut leaf = Template::new("leaf", vec![alternative(&[name.to_vec()])]);
        leaf.subject = write::sequence(&[]);
        let base = [base.to_vec()];
        let permitted = self.judge(None, Some(constraints(&base, &[])), &leaf);
        let excluded = self.judge(None, Some(constraints(&[], &base)), &leaf);
        match (permitted, excluded) {
            (None, Some(PathReason::NameConstraints)) => Some(true),
            (Some(PathReason::NameConstraints), None) => Some(false),
            // Refused by both: what cannot be read is in no permitted subtree and may be in an excluded one.
            (Some(PathReason::NameConstraints), Some(PathReason::NameConstraints)) => None,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn mailboxes() {
    let world = World::new();
    for (base, address, wanted) in [
        ("example.org", "alice@example.org", true),
        ("EXAMPLE.org", "alice@example.ORG", true),
        ("example.org", "alice@mail.example.org", false),
        ("example.org", "alice@badexample.org", false),
        (".example.org", "alice@mail.example.org", true),
        (".example.org", "alice@a.b.example.org", true),
        (".example.org", "alice@example.org", false),
        (".example.org", "alice@badexample.org", false),
        ("alice@example.org", "alice@example.org", true),
        ("alice@example.org", "alice@EXAMPLE.org", true),
        ("alice@example.org", "Alice@example.org", false),
        ("alice@example.org", "bob@example.org", false),
        ("alice@example.org", "alice@mail.example.org", false),
        ("", "alice@example.org", true),
        ("org", "alice@example.org", false),
        (".org", "alice@example.org", true),
    ] {
        assert_eq!(world.is_within(&mail(base), &mail(address)), Some(wanted), "{base} {address}");
    }
    for broken in ["no mailbox", "alice@example.org, bob@example.org", "@example.org", ""] {
        assert_eq!(world.is_within(&mail("example.org"), &mail(broken)), None, "{broken}");
    }
}

#[test]
fn utf8_mailboxes_rfc9598() {
    let world = World::new();
    for (base, address, wanted) in [
        ("example.org", "用户@example.org", true),
        (".example.org", "用户@mail.example.org", true),
        ("example.org", "用户@mail.example.org", false),
        // The domain of the constraint is in A-labels, that of the name may not be.
        ("xn--fsqu00a.example", "用户@例子.example", true),
        (".example", "用户@例子.example", true),
        ("xn--fsqu00b.example", "用户@例子.example", false),
        // A constraint to one mailbox has an ASCII local part.
        ("alice@example.org", "用户@example.org", false),
        ("", "用户@example.org", true),
    ] {
        assert_eq!(world.is_within(&mail(base), &utf8_mail(address)), Some(wanted), "{base} {address}");
    }
    // An ASCII local part belongs in an rfc822Name.
    assert_eq!(world.is_within(&mail("example.org"), &utf8_mail("alice@example.org")), None);
}

#[test]
fn hosts() {
    let world = World::new();
    for (base, host, wanted) in [
        ("example.org", "example.org", true),
        ("example.org", "www.EXAMPLE.org", true),
        ("example.org", "badexample.org", false),
        ("www.example.org", "example.org", false),
        (".example.org", "www.example.org", true),
        (".example.org", "example.org", false),
        ("example.org", "*.example.org", true),
        ("", "example.org", true),
    ] {
        assert_eq!(world.is_within(&dns(base), &dns(host)), Some(wanted), "{base} {host}");
    }
    // A wildcard covers more than is permitted, and something that is excluded.
    assert_eq!(world.is_within(&dns("www.example.org"), &dns("*.example.org")), None);
    for broken in ["www..example.org", "example.org.", "", "a b", "www.*.org", "example.org\0.evil"] {
        assert_eq!(world.is_within(&dns("other.example"), &dns(broken)), None, "{broken}");
    }
}

#[test]
fn uris() {
    let world = World::new();
    for (base, address, wanted) in [
        ("host.example.org", "https://host.example.org/path", true),
        ("host.example.org", "ftp://user:word@HOST.example.org:21", true),
        ("host.example.org", "https://www.host.example.org/", false),
        ("host.example.org", "https://evil.example/?https://host.example.org", false),
        ("host.example.org", "https://host.example.org@evil.example/", false),
        ("host.example.org", "https://evil.example#@host.example.org/", false),
        (".example.org", "https://host.example.org/", true),
        (".example.org", "https://example.org/", false),
        ("", "https://example.org/", true),
    ] {
        assert_eq!(world.is_within(&uri(base), &uri(address)), Some(wanted), "{base} {address}");
    }
    for without_host in [
        "urn:example:org",
        "https:host.example.org",
        "https://192.0.2.1/",
        "https://[2001:db8::1]/",
        "https://host.example.org:x/",
        "https://evil.example\\@host.example.org/",
        "https:///path",
        "host.example.org",
        "",
    ] {
        assert_eq!(world.is_within(&uri("host.example.org"), &uri(without_host)), None, "{without_host}");
    }
}

#[test]
fn addresses() {
    let world = World::new();
    let ip = |octets: &[u8]| general(7, octets);
    let net = ip(&[192, 0, 2, 0, 255, 255, 255, 0]);
    assert_eq!(world.is_within(&net, &ip(&[192, 0, 2, 7])), Some(true));
    assert_eq!(world.is_within(&net, &ip(&[192, 0, 3, 7])), Some(false));
    assert_eq!(world.is_within(&net, &ip(&[0; 16])), Some(false));
    assert_eq!(world.is_within(&net, &ip(&[192, 0, 2])), None);
    assert_eq!(world.is_within(&ip(&[0; 8]), &ip(&[192, 0, 2, 7])), Some(true));
    let mut six = [0; 32];
    (six[0], six[1], six[16], six[17]) = (0x20, 0x01, 0xff, 0xfe);
    let mut inside = [7; 16];
    (inside[0], inside[1]) = (0x20, 0x00);
    assert_eq!(world.is_within(&ip(&six), &ip(&inside)), Some(true));
    inside[1] = 0x02;
    assert_eq!(world.is_within(&ip(&six), &ip(&inside)), Some(false));
}

#[test]
fn directory_names() {
    let world = World::new();
    let (country, organization, common) = (oid::COUNTRY, oid::ORGANIZATION, oid::COMMON_NAME);
    let base = attributes(&[(country, "CN"), (organization, "Test CA")]);
    for (inside, wanted) in [
        (attributes(&[(country, "CN"), (organization, "Test CA"), (common, "x")]), true),
        (attributes(&[(country, "cn"), (organization, " test  ca ")]), true),
        (attributes(&[(country, "CN")]), false),
        (attributes(&[(organization, "Test CA"), (country, "CN")]), false),
        (attributes(&[(common, "x"), (country, "CN"), (organization, "Test CA")]), false),
        (attributes(&[(country, "CN"), (organization, "Test CA2")]), false),
    ] {
        assert_eq!(world.is_within(&directory(&base), &directory(&inside)), Some(wanted));
        // As the subject.
        let leaf = Template { subject: inside, ..Template::new("", vec![]) };
        let lists = [constraints(&[directory(&base)], &[]), constraints(&[], &[directory(&base)])];
        let held = lists.map(|list| world.judge(None, Some(list), &leaf).is_none());
        assert_eq!(held, [wanted, !wanted]);
    }
    let all = directory(&attributes(&[]));
    assert_eq!(world.is_within(&all, &directory(&base)), Some(true));
    // Without subject there is nothing to constrain.
    let nobody = Template { subject: attributes(&[]), ..Template::new("", vec![]) };
    assert_eq!(world.judge(None, Some(constraints(&[], &[all])), &nobody), None);
}

#[test]
fn addresses_in_the_subject() {
    let world = World::new();
    let subject = |text: &str| {
        let kind = write::oid(&oid::EMAIL_ADDRESS);
        write::sequence(&[&write::set_of(vec![write::sequence(&[&kind, &write::ia5(text)])])])
    };
    let list = || constraints(&[mail("example.org")], &[]);
    let judge = |text, extensions| {
        let leaf = Template { subject: subject(text), ..Template::new("", extensions) };
        world.judge(None, Some(list()), &leaf)
    };
    let refused = Some(PathReason::NameConstraints);
    assert_eq!(judge("alice@example.org", vec![]), None);
    assert_eq!(judge("alice@evil.example", vec![]), refused);
    assert_eq!(judge("not a mailbox", vec![]), refused);
    // With mailboxes in subjectAltName those count; with other names only, the subject's do.
    assert_eq!(judge("alice@evil.example", vec![alternative(&[mail("alice@example.org")])]), None);
    assert_eq!(judge("alice@example.org", vec![alternative(&[mail("alice@evil.example")])]), refused);
    assert_eq!(judge("alice@evil.example", vec![alternative(&[dns("example.org")])]), refused);
}

#[test]
fn all_names_and_all_cas_count() {
    let world = World::new();
    let leaf = |names: &[Vec<u8>]| Template::new("leaf", vec![alternative(names)]);
    let refused = Some(PathReason::NameConstraints);
    let org = || constraints(&[mail("example.org"), mail(".example.org")], &[]);
    let not_evil = || constraints(&[], &[mail("evil.example.org")]);
    let two = [mail("alice@example.org"), mail("alice@evil.example.org")];
    assert_eq!(world.judge(None, Some(org()), &leaf(&two)), None);
    assert_eq!(world.judge(None, Some(not_evil()), &leaf(&two)), refused);
    assert_eq!(world.judge(Some(not_evil()), Some(org()), &leaf(&two)), refused);
    assert_eq!(world.judge(Some(not_evil()), Some(org()), &leaf(&two[..1])), None);
    // What one CA permits the other must permit too.
    let net = constraints(&[mail("example.net")], &[]);
    assert_eq!(world.judge(Some(net), Some(org()), &leaf(&two[..1])), refused);
    // Of a form that nobody constrains any name is allowed.
    assert_eq!(world.judge(None, Some(org()), &leaf(&[dns("evil.example")])), None);
    // Not marked critical is constrained all the same.
    let value = write::sequence(&[&subtrees(1, &[mail("example.org")])]);
    let soft = extension(&oid::NAME_CONSTRAINTS, false, &value);
    assert_eq!(world.judge(None, Some(soft), &leaf(&two[..1])), refused);
    // On a leaf it constrains nothing.
    let mut own = leaf(&two[..1]);
    own.extensions.push(constraints(&[], &[mail("example.org")]));
    assert_eq!(world.judge(None, None, &own), None);
    // The CA's own name counts too.
    let elsewhere = constraints(&[directory(&name("elsewhere"))], &[]);
    assert_eq!(
        world.judge(Some(elsewhere), None, &Template { subject: write::sequence(&[]), ..leaf(&two) }),
        refused
    );
}

#[test]
fn self_issued_cas_are_exempt() {
    let root = Authority::new("root", KeySpec::P256);
    let next = Authority::new("root", KeySpec::P256);
    let mut constrained = Template::ca("root");
    constrained.extensions.push(constraints(&[directory(&name("people"))], &[]));
    let anchors = Anchors::new(vec![root.self_signed(&constrained)]);
    let rolled = root.issue(&Template::ca("root"), &next.spki());
    let options = PathOptions::new(PathPurpose::Any, Some(now()), Limits::default());
    for (subject, wanted) in [("people", true), ("root", false), ("others", false)] {
        let leaf = next.issue(&Template::new(subject, vec![]), &Authority::new("x", KeySpec::P256).spki());
        let result = validate(&leaf, std::slice::from_ref(&rolled), &anchors, &options);
        assert_eq!(result.is_ok(), wanted, "{subject}");
    }
}

#[test]
fn forms_that_are_not_compared_are_refused_where_they_occur_a6() {
    let world = World::new();
    let kind = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.55555.1");
    let stranger = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.55555.2");
    let registered = |last| general(8, &[0x2a, last]);
    let leaf = |names: &[Vec<u8>]| Template::new("leaf", vec![alternative(names)]);
    for (base, hit, miss) in [
        (other(&kind, &write::null()), other(&kind, &write::utf8("x")), other(&stranger, &write::utf8("x"))),
        (registered(3), registered(4), other(&kind, &write::null())),
        (
            other(&oid::SMTP_UTF8_MAILBOX, &write::utf8("x")),
            utf8_mail("用户@example.org"),
            mail("a@example.org"),
        ),
        (write::tlv(Tag::context(5), b""), write::tlv(Tag::context(5), b""), registered(3)),
    ] {
        for list in
            [constraints(std::slice::from_ref(&base), &[]), constraints(&[], std::slice::from_ref(&base))]
        {
            assert_eq!(
                world.judge(None, Some(list.clone()), &leaf(std::slice::from_ref(&hit))),
                Some(PathReason::UnsupportedNameConstraints)
            );
            assert_eq!(world.judge(None, Some(list.clone()), &leaf(std::slice::from_ref(&miss))), None);
            assert_eq!(world.judge(None, Some(list), &Template::new("leaf", vec![])), None);
        }
    }
}

#[test]
fn base_distances_and_broken_bases_are_refused_a6() {
    let world = World::new();
    let leaf = Template::leaf();
    let list = |subtree: Vec<u8>| {
        let value = write::sequence(&[&write::tlv(Tag::context(1), &subtree)]);
        Some(extension(&oid::NAME_CONSTRAINTS, true, &value))
    };
    let base = mail("other.example");
    let distance = |number, value| write::tlv(Tag::context_primitive(number), &[value]);
    let judge = |subtree| world.judge(None, list(subtree), &leaf);
    assert_eq!(judge(write::sequence(&[&base, &distance(0, 0)])), None);
    for odd in [distance(0, 1), distance(1, 0), [distance(0, 0), distance(1, 5)].concat()] {
        assert_eq!(judge(write::sequence(&[&base, &odd])), Some(PathReason::UnsupportedNameConstraints));
    }
    for broken in [
        mail("a@b@c"),
        mail("two words"),
        mail("é.example"),
        dns("*.example.org"),
        uri("https://example.org"),
        general(7, &[192, 0, 2, 0]),
        general(7, &[192, 0, 2, 0, 255, 0, 255, 0]),
        directory(&write::null()),
        write::null(),
    ] {
        let reason = judge(write::sequence(&[&broken]));
        assert_eq!(reason, Some(PathReason::MalformedExtension(oid::NAME_CONSTRAINTS)), "{broken:02x?}");
    }
}

#[test]
fn comparisons_are_limited_a5() {
    let world = World::new();
    let many: Vec<Vec<u8>> = (0..600).map(|index| mail(&format!("u{index}@example.org"))).collect();
    let bases: Vec<Vec<u8>> = (0..600).map(|index| mail(&format!("h{index}.example"))).collect();
    let leaf = Template::new("leaf", vec![alternative(&many)]);
    let reason = world.judge(None, Some(constraints(&[], &bases)), &leaf);
    assert_eq!(reason, Some(PathReason::BudgetExceeded));
    assert_eq!(world.judge(None, Some(constraints(&[], &bases[..100])), &leaf), None);
}
