//! Looking into messages: what is there is shown, what is not known survives, nothing runs away.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::path::Path;

use aecm_core::limits::Limits;
use aecm_core::oid;
use aecm_core::tlv::{Tag, write};
use aecm_smime::inspect::{self, Node};

fn vectors(folder: &str) -> Vec<(String, Vec<u8>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(folder);
    let files = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.extension().is_some_and(|extension| extension == "der"))
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap()))
        .collect()
}

fn names(node: &Node) -> Vec<&str> {
    node.children.iter().map(|child| child.name.as_str()).collect()
}

#[test]
fn every_vector_is_shown() {
    let limits = Limits::default();
    for folder in ["signed", "enveloped", "kinds"] {
        for (name, octets) in vectors(folder) {
            let tree = inspect::cms(&octets, &limits).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(tree.size, octets.len(), "{name}");
            assert!(tree.oid_name().is_some() && tree.count() > 2, "{name}: {tree}");
            let kinds = names(&tree);
            match folder {
                "signed" => {
                    assert!(kinds.contains(&"SignerInfo") && kinds.contains(&"encapContentInfo"), "{name}")
                }
                _ => assert!(
                    kinds
                        .iter()
                        .any(|kind| kind.ends_with("ncryptedContent") || kind.ends_with("encapContentInfo")),
                    "{name}: {tree}"
                ),
            }
            let text = tree.to_string();
            assert_eq!(text.lines().count(), tree.count(), "{name}");
            assert!(inspect::asn1(&octets, &limits).unwrap().count() > 10, "{name}");
        }
    }
}

#[test]
fn recipients_and_signers_are_listed() {
    let limits = Limits::default();
    let read = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name);
        inspect::cms(&std::fs::read(path).unwrap(), &limits).unwrap()
    };
    let mut kinds = names(&read("kinds/openssl30-four-kinds.der"))
        .iter()
        .map(|name| (*name).to_owned())
        .collect::<Vec<_>>();
    kinds.sort();
    assert_eq!(
        kinds,
        [
            "KEKRecipientInfo",
            "KeyAgreeRecipientInfo",
            "KeyTransRecipientInfo",
            "PasswordRecipientInfo",
            "contentEncryptionAlgorithm",
            "encryptedContent"
        ]
    );
    let two = read("signed/openssl30-two-signers.der");
    let signers: Vec<&Node> = two.children.iter().filter(|node| node.name == "SignerInfo").collect();
    assert_eq!(signers.len(), 2);
    let attributes = signers[0].children.iter().find(|node| node.name == "signedAttrs").unwrap();
    assert!(attributes.children.iter().any(|node| node.oid == Some(oid::MESSAGE_DIGEST)));
    let text = two.to_string();
    assert!(text.contains("certificate") && text.contains("alice"), "{text}");
}

#[test]
fn certificates_and_keys_are_shown_by_their_tags() {
    let limits = Limits::default();
    let pem = include_str!("vectors/keys/rsa-sig.crt");
    let certificate = aecm_core::certificate::Certificate::from_pem(pem).unwrap();
    let tree = inspect::asn1(certificate.as_der(), &limits).unwrap();
    assert_eq!(
        (tree.name.as_str(), tree.children.len(), tree.size),
        ("SEQUENCE", 3, certificate.as_der().len())
    );
    let text = tree.to_string();
    // Extensions are octets that hold values, and identifiers have names.
    for part in [
        "rsaEncryption",
        "keyUsage",
        "extKeyUsage",
        "emailProtection",
        "sha256WithRSAEncryption",
        "BIT STRING",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn unknown_things_survive() {
    let limits = Limits::default();
    let unknown = write::oid(&oid::ObjectIdentifier::new_unwrap("1.2.3.4.5"));
    let message =
        write::sequence(&[&unknown, &write::explicit(0, &write::sequence(&[&write::utf8("x\u{7}y")]))]);
    let tree = inspect::cms(&message, &limits).unwrap();
    assert_eq!((tree.name.as_str(), tree.oid_name()), ("1.2.3.4.5", None));
    // No control character reaches a terminal.
    assert!(!tree.to_string().contains('\u{7}'));
    let huge = write::tlv(Tag::OID, &[&[0x2a][..], &[0xff; 60], &[0x7f]].concat());
    let value = inspect::asn1(&write::sequence(&[&huge]), &limits).unwrap();
    assert_eq!((value.children[0].name.as_str(), value.children[0].oid), ("OBJECT IDENTIFIER", None));
    // Several values in a row.
    assert_eq!(inspect::asn1(&[write::null(), write::small(7)].concat(), &limits).unwrap().children.len(), 2);
}

#[test]
fn what_cannot_be_shown_is_an_error() {
    let limits = Limits::default();
    for octets in [&b""[..], b"\x30", b"\x30\x05\x02\x01\x00", b"\x1f"] {
        assert!(inspect::asn1(octets, &limits).is_err(), "{octets:?}");
        assert!(inspect::cms(octets, &limits).is_err(), "{octets:?}");
    }
    // A1: as deep as the limit and no deeper, through strings too.
    let mut deep = write::null();
    for _ in 0..40 {
        deep = write::octet_string(&write::sequence(&[&deep]));
    }
    let shown = inspect::asn1(&deep, &limits).unwrap();
    assert!(shown.count() <= 2 * limits.asn1_depth + 2);
    let mut deep = write::null();
    for _ in 0..limits.asn1_depth + 1 {
        deep = write::sequence(&[&deep]);
    }
    assert!(inspect::asn1(&deep, &limits).is_err());
    // Many values: the rest is named, not shown.
    let many = write::sequence(&[&write::null().repeat(100_000)]);
    let tree = inspect::asn1(&many, &limits).unwrap();
    assert!(tree.count() < 70_000 && tree.to_string().contains("[not shown]"));
    let mut small = Limits::default();
    small.message_bytes = 10;
    assert!(inspect::asn1(&many, &small).is_err());
}

/// A message whose one signer carries `inner` as a timestamp.
fn stamped_with(inner: &[u8]) -> Vec<u8> {
    let digest = write::algorithm(&oid::SHA256, None);
    let signature = write::algorithm(&oid::ECDSA_WITH_SHA256, None);
    let attribute =
        write::sequence(&[&write::oid(&oid::TIME_STAMP_TOKEN), &write::set_of(vec![inner.to_vec()])]);
    let signer = write::sequence(&[
        &write::small(3),
        &write::tlv(Tag::context_primitive(0), &[1; 20]),
        &digest,
        &signature,
        &write::octet_string(&[]),
        &write::tlv(Tag::context(1), &attribute),
    ]);
    let signed = write::sequence(&[
        &write::small(3),
        &write::set_of(vec![digest]),
        &write::sequence(&[&write::oid(&oid::DATA)]),
        &write::set_of(vec![signer]),
    ]);
    write::sequence(&[&write::oid(&oid::SIGNED_DATA), &write::explicit(0, &signed)])
}

/// THREATS A1: a token in a token in a token … is shown as deep as layers go, on whatever stack.
#[test]
fn a1_tokens_in_tokens_end() {
    let mut message = stamped_with(&write::null());
    for _ in 0..1_500 {
        message = stamped_with(&message);
    }
    let shown = std::thread::Builder::new()
        .stack_size(256 << 10)
        .spawn(move || inspect::cms(&message, &Limits::default()).map(|tree| depth(&tree)))
        .unwrap()
        .join()
        .expect("the stack is not used up");
    assert!(shown.unwrap() < 200);
}

fn depth(node: &Node) -> usize {
    1 + node.children.iter().map(depth).max().unwrap_or(0)
}
