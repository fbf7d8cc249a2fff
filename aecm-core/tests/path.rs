//! Paths: real ones, and for each rule a chain that breaks only that rule (THREATS S14, S16, A5, A6).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(missing_docs, unreachable_pub)]

#[path = "support/maker.rs"]
mod maker;

use aecm_core::certificate::{Certificate, KeyUsage};
use aecm_core::limits::Limits;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::path::{Anchors, Path, PathFailure, PathOptions, PathPurpose, PathReason, validate};
use aecm_core::software::KeySpec;
use aecm_core::time::Time;
use aecm_core::tlv::{Tag, write};
use maker::{
    Authority, Template, at, basic_constraints, extended_key_usage, extension, key_usage, mailbox, name, now,
};

fn vector(path: &str) -> Certificate {
    let path = format!("{}/tests/vectors/{path}.crt", env!("CARGO_MANIFEST_DIR"));
    Certificate::from_pem(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn options(purpose: PathPurpose) -> PathOptions {
    PathOptions::new(purpose, Some(now()), Limits::default())
}

fn reason(result: Result<Path, PathFailure>) -> PathReason {
    result.unwrap_err().reason
}

/// Root, one intermediate CA and a leaf, of which a test changes one thing.
struct Chain {
    root: Authority,
    middle: Authority,
    root_template: Template,
    middle_template: Template,
    leaf_template: Template,
    leaf_spki: Vec<u8>,
}

impl Chain {
    fn new() -> Self {
        Self::of(KeySpec::P256)
    }

    fn of(spec: KeySpec) -> Self {
        Self {
            root: Authority::new("root", spec),
            middle: Authority::new("middle", spec),
            root_template: Template::ca("root"),
            middle_template: Template::ca("middle"),
            leaf_template: Template::leaf(),
            leaf_spki: Authority::new("leaf", spec).spki(),
        }
    }

    fn certificates(&self) -> [Certificate; 3] {
        let leaf = self.middle.issue(&self.leaf_template, &self.leaf_spki);
        let middle = self.root.issue(&self.middle_template, &self.middle.spki());
        [leaf, middle, self.root.self_signed(&self.root_template)]
    }

    fn validate_with(&self, options: &PathOptions) -> Result<Path, PathFailure> {
        let [leaf, middle, root] = self.certificates();
        validate(&leaf, &[middle], &Anchors::new(vec![root]), options)
    }

    fn validate(&self, purpose: PathPurpose) -> Result<Path, PathFailure> {
        self.validate_with(&options(purpose))
    }

    fn sign_mail(&self) -> Result<Path, PathFailure> {
        self.validate(PathPurpose::SignMail)
    }
}

#[test]
fn real_certificates() {
    use PathPurpose::{Any, EncryptMail, SignMail, TimestampAuthority};
    for (family, encrypting) in [("rsa", "rsa-enc"), ("p256", "p256-agr"), ("sm2", "sm2-enc")] {
        let root = vector(&format!("keys/{family}-ca"));
        let anchors = Anchors::new(vec![root.clone()]);
        let leafs = [
            (vector(&format!("keys/{family}-sig")), SignMail),
            (vector(&format!("keys/{encrypting}")), EncryptMail),
            (vector(&format!("keys/{family}-tsa")), TimestampAuthority),
        ];
        for (leaf, fits) in &leafs {
            for purpose in [SignMail, EncryptMail, TimestampAuthority] {
                let result = validate(leaf, &[], &anchors, &options(purpose));
                if purpose == *fits {
                    assert_eq!(result.unwrap().chain, [leaf.clone(), root.clone()]);
                } else {
                    let failure = result.unwrap_err();
                    assert_eq!(failure.word(), "usage-not-allowed", "{family} {purpose:?}");
                    assert_eq!(failure.at.as_ref(), Some(leaf));
                }
            }
            assert!(validate(leaf, &[], &anchors, &options(Any)).is_ok());
            // The root that came along with the message is no anchor.
            let alone = validate(leaf, std::slice::from_ref(&root), &Anchors::default(), &options(*fits));
            assert_eq!(reason(alone), PathReason::NoPathToAnchor);
        }
    }
}

#[test]
fn another_familys_root_is_no_path() {
    let anchors = Anchors::new(vec![vector("keys/p256-ca"), vector("keys/sm2-ca")]);
    let failure =
        validate(&vector("keys/rsa-sig"), &[], &anchors, &options(PathPurpose::SignMail)).unwrap_err();
    assert_eq!((failure.reason, failure.word()), (PathReason::NoPathToAnchor, "no-path-to-anchor"));
    assert_eq!(failure.at, Some(vector("keys/rsa-sig")));
}

#[test]
fn weak_and_unknown_algorithms_of_real_certificates_s16() {
    let anchors = Anchors::new(vec![vector("weak/ca")]);
    for (leaf, wanted) in [
        ("sha1", PathReason::WeakAlgorithm),
        ("pss-sha1", PathReason::WeakAlgorithm),
        ("rsa1024", PathReason::WeakAlgorithm),
        ("ed25519", PathReason::UnsupportedAlgorithm),
    ] {
        let leaf = vector(&format!("weak/{leaf}"));
        let failure = validate(&leaf, &[], &anchors, &options(PathPurpose::SignMail)).unwrap_err();
        assert_eq!((failure.reason, failure.at), (wanted, Some(leaf)));
    }
    for leaf in ["pss", "email-dn"] {
        let leaf = vector(&format!("weak/{leaf}"));
        assert!(validate(&leaf, &[], &anchors, &options(PathPurpose::SignMail)).is_ok());
    }
}

#[test]
fn weak_algorithms_are_read_where_asked_and_named() {
    let anchors = Anchors::new(vec![vector("weak/ca")]);
    let judge = |leaf: &str, bits: usize, sha1: bool| {
        let mut options = options(PathPurpose::SignMail);
        (options.rsa_bits_min, options.sha1) = (bits, sha1);
        validate(&vector(&format!("weak/{leaf}")), &[], &anchors, &options)
            .map(|path| path.tolerances.iter().map(|tolerance| tolerance.word()).collect::<Vec<_>>())
            .map_err(|failure| failure.word())
    };
    assert_eq!(judge("rsa1024", 1024, false), Ok(vec!["weak-key"]));
    assert_eq!(judge("rsa1024", 1025, true), Err("weak-algorithm"));
    for leaf in ["sha1", "pss-sha1"] {
        assert_eq!(judge(leaf, 2048, true), Ok(vec!["weak-digest"]));
        assert_eq!(judge(leaf, 1024, false), Err("weak-algorithm"));
    }
    assert_eq!(judge("pss", 1024, true), Ok(vec![]));
    // Stricter than the default, and what is not known stays unknown.
    assert_eq!(judge("pss", 4096, false), Err("weak-algorithm"));
    assert_eq!(judge("ed25519", 1024, true), Err("unsupported-algorithm"));
}

#[test]
fn three_levels_of_each_family() {
    for spec in [KeySpec::P256, KeySpec::P384, KeySpec::Sm2] {
        let chain = Chain::of(spec);
        let [leaf, middle, root] = chain.certificates();
        assert_eq!(chain.sign_mail().unwrap().chain.len(), 3);
        // Hints in any order, more than once, with junk between.
        let hints = [vector("keys/rsa-ca"), root.clone(), leaf.clone(), middle.clone(), middle];
        let anchors = Anchors::new(vec![vector("keys/sm2-ca"), root.clone()]);
        let path = validate(&leaf, &hints, &anchors, &options(PathPurpose::SignMail)).unwrap();
        assert_eq!((path.chain.first(), path.chain.last()), (Some(&leaf), Some(&root)));
        // Without the intermediate.
        let failure = validate(&leaf, &[], &anchors, &options(PathPurpose::SignMail)).unwrap_err();
        assert_eq!((failure.reason, failure.at), (PathReason::NoPathToAnchor, Some(leaf)));
    }
}

#[test]
fn an_intermediate_may_itself_be_the_anchor() {
    let [leaf, middle, root] = Chain::new().certificates();
    let anchors = Anchors::new(vec![middle.clone()]);
    let path = validate(&leaf, &[root, middle.clone()], &anchors, &options(PathPurpose::SignMail)).unwrap();
    assert_eq!(path.chain, [leaf, middle]);
}

#[test]
fn validity_of_each_certificate() {
    let (start, end) = (at("2027-01-10T00:00:00Z"), at("2027-01-20T00:00:00Z"));
    for level in 0..3 {
        let mut chain = Chain::new();
        let template = match level {
            0 => &mut chain.leaf_template,
            1 => &mut chain.middle_template,
            _ => &mut chain.root_template,
        };
        (template.not_before, template.not_after) = (start, end);
        let certificates = chain.certificates();
        let judge = |at: Option<Time>| {
            let [leaf, middle, root] = certificates.clone();
            let options = PathOptions::new(PathPurpose::SignMail, at, Limits::default());
            validate(&leaf, &[middle], &Anchors::new(vec![root]), &options)
        };
        for inside in [start, end, now()] {
            assert!(judge(Some(inside)).is_ok());
        }
        assert!(judge(None).is_ok());
        let late = Time::from_unix(end.unix() + 1);
        let failure = judge(Some(late)).unwrap_err();
        assert_eq!(failure.reason, PathReason::Expired { at: late, not_after: end });
        assert_eq!((failure.word(), failure.at.as_ref()), ("expired", Some(&certificates[level])));
        let early = Time::from_unix(start.unix() - 1);
        let failure = judge(Some(early)).unwrap_err();
        assert_eq!(failure.reason, PathReason::NotYetValid { at: early, not_before: start });
        assert_eq!((failure.word(), failure.at.as_ref()), ("not-yet-valid", Some(&certificates[level])));
    }
}

#[test]
fn a_changed_octet_breaks_the_signature_s16() {
    let [leaf, middle, root] = Chain::new().certificates();
    let anchors = Anchors::new(vec![root.clone()]);
    let text = b"alice@example.test";
    let position = leaf.as_der().windows(text.len()).position(|window| window == text).unwrap();
    let mut forged = leaf.as_der().to_vec();
    forged[position] = b'm';
    let forged = Certificate::from_der(&forged).unwrap();
    let failure = validate(&forged, std::slice::from_ref(&middle), &anchors, &options(PathPurpose::SignMail))
        .unwrap_err();
    assert_eq!((failure.reason, failure.at), (PathReason::BadSignature, Some(forged)));
    // A root of the same name with another key.
    let other = Authority::new("root", KeySpec::P256).self_signed(&Template::ca("root"));
    let result = validate(&leaf, &[middle], &Anchors::new(vec![other]), &options(PathPurpose::SignMail));
    let failure = result.unwrap_err();
    assert_eq!((failure.reason, failure.word()), (PathReason::BadSignature, "certificate-signature-invalid"));
}

#[test]
fn issuers_that_are_no_cas_s16() {
    for level in 0..2 {
        for constraints in [vec![], vec![basic_constraints(false, None)]] {
            let mut chain = Chain::new();
            let template = if level == 0 { &mut chain.middle_template } else { &mut chain.root_template };
            template.extensions = [constraints, vec![key_usage(KeyUsage::KEY_CERT_SIGN)]].concat();
            let failure = chain.sign_mail().unwrap_err();
            assert_eq!((failure.reason, failure.word()), (PathReason::NotCa, "issuer-not-ca"));
            let subject = chain.certificates()[level + 1].subject_der().to_vec();
            assert_eq!(failure.at.map(|at| at.subject_der().to_vec()), Some(subject));
        }
    }
}

#[test]
fn a_leaf_cannot_issue_s16() {
    let chain = Chain::new();
    let [leaf, middle, root] = chain.certificates();
    let holder = Authority::new("leaf", KeySpec::P256);
    let holders = chain.middle.issue(&chain.leaf_template, &holder.spki());
    let forged = holder.issue(&Template::leaf(), &Authority::new("x", KeySpec::P256).spki());
    assert_eq!(leaf.subject_der(), holders.subject_der());
    let result =
        validate(&forged, &[holders, middle], &Anchors::new(vec![root]), &options(PathPurpose::SignMail));
    assert_eq!(reason(result), PathReason::NotCa);
}

#[test]
fn a_root_without_extensions_is_a_ca() {
    let mut chain = Chain::new();
    chain.root_template.extensions.clear();
    assert!(chain.sign_mail().is_ok());
    // An intermediate without them is not.
    let mut chain = Chain::new();
    chain.middle_template.extensions.clear();
    assert_eq!(reason(chain.sign_mail()), PathReason::NotCa);
}

#[test]
fn path_length_s16() {
    let ca = |path_len| vec![basic_constraints(true, path_len), key_usage(KeyUsage::KEY_CERT_SIGN)];
    let mut chain = Chain::new();
    chain.middle_template.extensions = ca(Some(0));
    chain.root_template.extensions = ca(Some(1));
    assert!(chain.sign_mail().is_ok());
    chain.root_template.extensions = ca(Some(0));
    let failure = chain.sign_mail().unwrap_err();
    assert_eq!((failure.reason, failure.word()), (PathReason::PathLength { allowed: 0 }, "path-length"));
    chain.root_template.extensions = ca(Some(u64::MAX));
    assert!(chain.sign_mail().is_ok());
}

#[test]
fn key_usage_of_cas_s16() {
    for level in 0..2 {
        let mut chain = Chain::new();
        let template = if level == 0 { &mut chain.middle_template } else { &mut chain.root_template };
        template.extensions =
            vec![basic_constraints(true, None), key_usage(KeyUsage::DIGITAL_SIGNATURE | KeyUsage::CRL_SIGN)];
        assert_eq!(reason(chain.sign_mail()), PathReason::KeyUsage);
        // An absent keyUsage restricts nothing.
        let template = if level == 0 { &mut chain.middle_template } else { &mut chain.root_template };
        template.extensions.truncate(1);
        assert!(chain.sign_mail().is_ok());
    }
}

#[test]
fn extended_key_usage_of_cas_constrains_s16() {
    for (purposes, allowed) in [
        (&[oid::EMAIL_PROTECTION][..], true),
        (&[oid::CLIENT_AUTH, oid::EMAIL_PROTECTION], true),
        (&[oid::ANY_EXTENDED_KEY_USAGE], true),
        (&[oid::SERVER_AUTH, oid::CLIENT_AUTH], false),
        (&[oid::TIME_STAMPING], false),
    ] {
        for critical in [false, true] {
            let mut chain = Chain::new();
            chain.middle_template.extensions.push(extended_key_usage(critical, purposes));
            match chain.sign_mail() {
                Ok(_) => assert!(allowed, "{purposes:?}"),
                Err(failure) => {
                    assert_eq!(failure.reason, PathReason::ExtendedKeyUsage);
                    assert!(!allowed, "{purposes:?}");
                }
            }
            assert!(chain.validate(PathPurpose::Any).is_ok());
        }
    }
}

#[test]
fn usage_of_the_leaf_s14() {
    use PathPurpose::{EncryptMail, SignMail};
    let judge = |spec, usage: Option<KeyUsage>, purposes: Option<&[ObjectIdentifier]>, purpose| {
        let mut chain = Chain::of(spec);
        chain.leaf_template.extensions = vec![mailbox("alice@example.test")];
        chain.leaf_template.extensions.extend(usage.map(key_usage));
        chain.leaf_template.extensions.extend(purposes.map(|list| extended_key_usage(false, list)));
        chain.validate(purpose).map(|_| ()).map_err(|failure| failure.reason)
    };
    let mail: Option<&[ObjectIdentifier]> = Some(&[oid::EMAIL_PROTECTION]);
    let refused = Err(PathReason::KeyUsage);
    for (spec, usage, purpose, wanted) in [
        (KeySpec::P256, KeyUsage::DIGITAL_SIGNATURE, SignMail, Ok(())),
        (KeySpec::P256, KeyUsage::NON_REPUDIATION, SignMail, Ok(())),
        (KeySpec::P256, KeyUsage::KEY_AGREEMENT, SignMail, refused),
        (KeySpec::P256, KeyUsage::KEY_CERT_SIGN, SignMail, refused),
        (KeySpec::P256, KeyUsage::KEY_AGREEMENT, EncryptMail, Ok(())),
        (KeySpec::P256, KeyUsage::KEY_ENCIPHERMENT, EncryptMail, refused),
        (KeySpec::P256, KeyUsage::DIGITAL_SIGNATURE, EncryptMail, refused),
        (KeySpec::Sm2, KeyUsage::DIGITAL_SIGNATURE, SignMail, Ok(())),
        (KeySpec::Sm2, KeyUsage::KEY_ENCIPHERMENT, SignMail, refused),
        (KeySpec::Sm2, KeyUsage::KEY_ENCIPHERMENT, EncryptMail, Ok(())),
        (KeySpec::Sm2, KeyUsage::KEY_AGREEMENT, EncryptMail, Ok(())),
        (KeySpec::Sm2, KeyUsage::DATA_ENCIPHERMENT, EncryptMail, refused),
    ] {
        assert_eq!(judge(spec, Some(usage), mail, purpose), wanted, "{spec:?} {usage:?} {purpose:?}");
    }
    // RSA: the real certificates stand in, so that no RSA key need be made.
    assert_eq!(judge(KeySpec::P256, None, mail, SignMail), Ok(()));
    assert_eq!(judge(KeySpec::P256, None, mail, EncryptMail), Ok(()));
    let signs = Some(KeyUsage::DIGITAL_SIGNATURE);
    assert_eq!(judge(KeySpec::P256, signs, None, SignMail), Ok(()));
    assert_eq!(judge(KeySpec::P256, signs, Some(&[oid::ANY_EXTENDED_KEY_USAGE]), SignMail), Ok(()));
    for tls in [&[oid::SERVER_AUTH][..], &[oid::CLIENT_AUTH, oid::SERVER_AUTH], &[oid::TIME_STAMPING]] {
        assert_eq!(judge(KeySpec::P256, signs, Some(tls), SignMail), Err(PathReason::ExtendedKeyUsage));
    }
}

#[test]
fn time_stamping_certificates_a10() {
    use PathPurpose::{MailboxTimestamp, TimestampAuthority};
    let judge = |extensions: Vec<Vec<u8>>, purpose| {
        let mut chain = Chain::new();
        chain.leaf_template.extensions = extensions;
        chain.validate(purpose).map(|_| ()).map_err(|failure| failure.reason)
    };
    let signs = || key_usage(KeyUsage::DIGITAL_SIGNATURE);
    let sole = || extended_key_usage(true, &[oid::TIME_STAMPING]);
    for purpose in [TimestampAuthority, MailboxTimestamp] {
        assert_eq!(judge(vec![signs(), sole()], purpose), Ok(()));
        assert_eq!(judge(vec![sole()], purpose), Ok(()));
        let not_critical = extended_key_usage(false, &[oid::TIME_STAMPING]);
        assert_eq!(judge(vec![signs(), not_critical], purpose), Err(PathReason::ExtendedKeyUsageNotSole));
        let two = extended_key_usage(true, &[oid::TIME_STAMPING, oid::EMAIL_PROTECTION]);
        assert_eq!(judge(vec![signs(), two], purpose), Err(PathReason::ExtendedKeyUsageNotSole));
        assert_eq!(judge(vec![signs()], purpose), Err(PathReason::ExtendedKeyUsage));
        let mail = extended_key_usage(true, &[oid::EMAIL_PROTECTION]);
        assert_eq!(judge(vec![signs(), mail], purpose), Err(PathReason::ExtendedKeyUsage));
        let any = extended_key_usage(true, &[oid::ANY_EXTENDED_KEY_USAGE]);
        assert_eq!(judge(vec![signs(), any], purpose), Err(PathReason::ExtendedKeyUsage));
        let wrong = key_usage(KeyUsage::KEY_AGREEMENT);
        assert_eq!(judge(vec![wrong, sole()], purpose), Err(PathReason::KeyUsage));
    }
    // A mailbox's own unit is never an authority, whatever the mailbox looks like.
    for address in ["alice@example.test", "no mailbox at all"] {
        let own = || vec![signs(), sole(), mailbox(address)];
        assert_eq!(judge(own(), TimestampAuthority), Err(PathReason::MailboxInAuthority));
        assert_eq!(judge(own(), MailboxTimestamp), Ok(()));
    }
}

#[test]
fn unknown_critical_extensions_s16_a6() {
    let unknown = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.55555.1");
    // An identifier with an arc beyond 2^32, which no type here can name.
    let unnamed = |critical: bool| {
        let flag = if critical { write::boolean(true) } else { Vec::new() };
        let oid = write::tlv(Tag::OID, &[0x2a, 0x90, 0x80, 0x80, 0x80, 0x80, 0x00]);
        write::sequence(&[&oid, &flag, &write::octet_string(b"x")])
    };
    for level in 0..3 {
        for critical in [false, true] {
            for (added, wanted) in [
                (
                    extension(&unknown, critical, &write::null()),
                    PathReason::UnknownCriticalExtension(unknown),
                ),
                (
                    extension(&oid::FRESHEST_CRL, critical, &write::null()),
                    PathReason::UnknownCriticalExtension(oid::FRESHEST_CRL),
                ),
                (unnamed(critical), PathReason::UnnamedCriticalExtension),
            ] {
                let mut chain = Chain::new();
                let template = match level {
                    0 => &mut chain.leaf_template,
                    1 => &mut chain.middle_template,
                    _ => &mut chain.root_template,
                };
                template.extensions.push(added);
                let result = chain.validate(PathPurpose::Any);
                if critical {
                    let failure = result.unwrap_err();
                    assert_eq!((failure.reason, failure.word()), (wanted, "unknown-critical-extension"));
                } else {
                    assert!(result.is_ok(), "{wanted:?} at {level}");
                }
            }
        }
    }
}

#[test]
fn malformed_constraints_are_never_ignored_a6() {
    let empty = write::sequence(&[]);
    let list = |inner: &[u8]| write::sequence(&[inner]);
    for (oid, value) in [
        (oid::NAME_CONSTRAINTS, empty.clone()),
        (oid::NAME_CONSTRAINTS, list(&write::tlv(Tag::context(0), &[]))),
        (oid::NAME_CONSTRAINTS, write::null()),
        (oid::POLICY_CONSTRAINTS, empty.clone()),
        (oid::POLICY_CONSTRAINTS, list(&write::tlv(Tag::context_primitive(0), &[0xff]))),
        (oid::INHIBIT_ANY_POLICY, empty.clone()),
        (oid::INHIBIT_ANY_POLICY, write::tlv(Tag::INTEGER, &[0x80])),
        (oid::POLICY_MAPPINGS, empty.clone()),
        (oid::POLICY_MAPPINGS, list(&list(&write::oid(&oid::ANY_POLICY)))),
    ] {
        for critical in [false, true] {
            for level in 1..3 {
                let mut chain = Chain::new();
                let template = if level == 1 { &mut chain.middle_template } else { &mut chain.root_template };
                template.extensions.push(extension(&oid, critical, &value));
                let failure = chain.validate(PathPurpose::Any).unwrap_err();
                assert_eq!(failure.reason, PathReason::MalformedExtension(oid), "{level}");
                assert_eq!(failure.word(), "malformed-extension");
            }
        }
    }
}

#[test]
fn cas_and_anchors_are_no_leafs() {
    let mut chain = Chain::new();
    chain.leaf_template.extensions.push(basic_constraints(true, None));
    assert_eq!(reason(chain.sign_mail()), PathReason::NotLeaf);
    let mut chain = Chain::new();
    chain.leaf_template.extensions.push(basic_constraints(false, None));
    assert!(chain.sign_mail().is_ok());
    let [leaf, middle, root] = chain.certificates();
    let anchors = Anchors::new(vec![leaf.clone(), root]);
    for purpose in [PathPurpose::SignMail, PathPurpose::Any] {
        let failure =
            validate(&leaf, std::slice::from_ref(&middle), &anchors, &options(purpose)).unwrap_err();
        assert_eq!((failure.reason, failure.word()), (PathReason::NotLeaf, "not-a-leaf"));
    }
    // A CA as such can be judged where no usage is asked for.
    let [_, middle, root] = chain.certificates();
    assert!(validate(&middle, &[], &Anchors::new(vec![root]), &options(PathPurpose::Any)).is_ok());
}

#[test]
fn families_do_not_mix() {
    let root = Authority::new("root", KeySpec::P256);
    let anchors = Anchors::new(vec![root.self_signed(&Template::ca("root"))]);
    let leaf = root.issue(&Template::leaf(), &Authority::new("leaf", KeySpec::Sm2).spki());
    let failure = validate(&leaf, &[], &anchors, &options(PathPurpose::SignMail)).unwrap_err();
    assert_eq!((failure.reason, failure.word()), (PathReason::MixedSuites, "mixed-suites"));
    assert_eq!(failure.at, Some(leaf));
    // Nor one level up; P-256 and P-384 are of one family.
    let middle = Authority::new("middle", KeySpec::Sm2);
    let middle_certificate = root.issue(&Template::ca("middle"), &middle.spki());
    let leaf = middle.issue(&Template::leaf(), &Authority::new("leaf", KeySpec::Sm2).spki());
    let result =
        validate(&leaf, std::slice::from_ref(&middle_certificate), &anchors, &options(PathPurpose::SignMail));
    let failure = result.unwrap_err();
    assert_eq!((failure.reason, failure.at), (PathReason::MixedSuites, Some(middle_certificate)));
    let leaf = root.issue(&Template::leaf(), &Authority::new("leaf", KeySpec::P384).spki());
    assert!(validate(&leaf, &[], &anchors, &options(PathPurpose::SignMail)).is_ok());
}

#[test]
fn names_chain_s16() {
    let chain = Chain::new();
    let [_, middle, root] = chain.certificates();
    let anchors = Anchors::new(vec![root]);
    // The same key under another name.
    let stranger = Authority { name: name("stranger"), signer: chain.middle.signer.clone() };
    let leaf = stranger.issue(&chain.leaf_template, &chain.leaf_spki);
    let result = validate(&leaf, std::slice::from_ref(&middle), &anchors, &options(PathPurpose::SignMail));
    assert_eq!(reason(result), PathReason::NoPathToAnchor);
    // Another case, other white space and another string type are the same name (RFC 5280 §7.1).
    let attribute = write::sequence(&[&write::oid(&oid::COMMON_NAME), &write::printable(" MIDDLE ")]);
    let alike = Authority {
        name: write::sequence(&[&write::set_of(vec![attribute])]),
        signer: chain.middle.signer.clone(),
    };
    let leaf = alike.issue(&chain.leaf_template, &chain.leaf_spki);
    assert!(
        validate(&leaf, std::slice::from_ref(&middle), &anchors, &options(PathPurpose::SignMail)).is_ok()
    );
    // No name at all.
    let nameless = Authority { name: write::sequence(&[]), signer: chain.middle.signer.clone() };
    let leaf = nameless.issue(&chain.leaf_template, &chain.leaf_spki);
    let result = validate(&leaf, &[middle], &anchors, &options(PathPurpose::SignMail));
    assert_eq!(reason(result), PathReason::NameChaining);
}

#[test]
fn the_number_of_intermediates_is_limited_a5() {
    let root = Authority::new("root", KeySpec::P256);
    let anchors = Anchors::new(vec![root.self_signed(&Template::ca("root"))]);
    let build = |count: usize| {
        let mut issuer = root.clone();
        let mut hints = Vec::new();
        for index in 0..count {
            let ca = Authority::new(&format!("ca {index}"), KeySpec::P256);
            hints.push(issuer.issue(&Template::ca(&format!("ca {index}")), &ca.spki()));
            issuer = ca;
        }
        let leaf = issuer.issue(&Template::leaf(), &Authority::new("leaf", KeySpec::P256).spki());
        validate(&leaf, &hints, &anchors, &options(PathPurpose::SignMail))
    };
    assert_eq!(build(8).unwrap().chain.len(), 10);
    let failure = build(9).unwrap_err();
    assert_eq!((failure.reason, failure.word()), (PathReason::BudgetExceeded, "budget-exceeded"));
}

#[test]
fn signature_checks_are_limited_a5() {
    // Many CAs of the same name, none of which signed the leaf: one more than the limit gives up.
    let leaf = Authority::new("many", KeySpec::P256)
        .issue(&Template::leaf(), &Authority::new("x", KeySpec::P256).spki());
    let root = Authority::new("root", KeySpec::P256);
    let hints: Vec<Certificate> = (0..101)
        .map(|_| root.issue(&Template::ca("many"), &Authority::new("many", KeySpec::P256).spki()))
        .collect();
    let anchors = Anchors::new(vec![root.self_signed(&Template::ca("root"))]);
    let judge = |count| reason(validate(&leaf, &hints[..count], &anchors, &options(PathPurpose::SignMail)));
    assert_eq!(judge(100), PathReason::BadSignature);
    assert_eq!(judge(101), PathReason::BudgetExceeded);
    let mut few = options(PathPurpose::SignMail);
    few.limits.name_comparisons = 20;
    assert_eq!(reason(validate(&leaf, &hints[..30], &anchors, &few)), PathReason::BudgetExceeded);
}

#[test]
fn cross_certificates_that_lead_in_circles_a5() {
    // Every CA certified by every other: without a budget and without memory this never ends.
    let cas: Vec<Authority> =
        (0..6).map(|index| Authority::new(&format!("ca {index}"), KeySpec::P256)).collect();
    let mut hints = Vec::new();
    for issuer in &cas {
        for (index, subject) in cas.iter().enumerate() {
            hints.push(issuer.issue(&Template::ca(&format!("ca {index}")), &subject.spki()));
        }
    }
    let leaf = cas[0].issue(&Template::leaf(), &Authority::new("leaf", KeySpec::P256).spki());
    let root = Authority::new("root", KeySpec::P256);
    let anchors = Anchors::new(vec![root.self_signed(&Template::ca("root"))]);
    let result = validate(&leaf, &hints, &anchors, &options(PathPurpose::SignMail));
    assert_eq!(reason(result), PathReason::BudgetExceeded);
    // With a way out near the leaf it is found.
    hints.push(root.issue(&Template::ca("ca 0"), &cas[0].spki()));
    let mut found = hints.clone();
    found.rotate_right(1);
    let path = validate(&leaf, &found, &anchors, &options(PathPurpose::SignMail)).unwrap();
    assert_eq!(path.chain.len(), 3);
}

#[test]
fn of_two_ways_the_one_that_holds_is_taken() {
    let chain = Chain::new();
    let [leaf, middle, root] = chain.certificates();
    let mut old = chain.middle_template.clone();
    old.not_after = at("2026-06-01T00:00:00Z");
    let expired = chain.root.issue(&old, &chain.middle.spki());
    let anchors = Anchors::new(vec![root]);
    for hints in [[expired.clone(), middle.clone()], [middle.clone(), expired.clone()]] {
        assert!(validate(&leaf, &hints, &anchors, &options(PathPurpose::SignMail)).is_ok());
    }
    // Where none holds, the reason that says most is told: expired, not that a namesake did not sign.
    let namesake = chain.root.issue(&chain.middle_template, &Authority::new("middle", KeySpec::P256).spki());
    for hints in [[expired.clone(), namesake.clone()], [namesake, expired.clone()]] {
        let failure = validate(&leaf, &hints, &anchors, &options(PathPurpose::SignMail)).unwrap_err();
        assert_eq!((failure.word(), failure.at), ("expired", Some(expired.clone())));
    }
}

#[test]
fn failures_say_what_and_where() {
    let failure = {
        let mut chain = Chain::new();
        chain.middle_template.not_after = at("2026-06-01T00:00:00Z");
        chain.sign_mail().unwrap_err()
    };
    assert_eq!(
        failure.to_string(),
        "certificate CN=middle: it expired at 2026-06-01T00:00:00Z (judged at 2027-01-15T12:00:00Z)"
    );
}
