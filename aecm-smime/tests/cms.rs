//! Reading: the same octets as an independent reader finds, hard limits, and nothing but errors for broken input.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::path::{Path, PathBuf};

use aecm_core::limits::Limits;
use aecm_core::oid;
use aecm_core::tlv::{Tag, write};
use aecm_smime::cms::{self, Enveloped, Form, RecipientInfo, SignedData};
use aecm_smime::{Error, Tolerance, fuzzing};

fn files(folder: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(folder);
    let mut list: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "der"))
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect();
    list.sort();
    list
}

fn msg() -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/msg.txt")).unwrap()
}

/// An independent reader finds the same content octets, signers and certificates.
#[test]
fn signed_data_reads_as_rasn_reads_it() {
    let files = files("signed");
    assert_eq!(files.len(), 18);
    for (path, octets) in files {
        let ours = SignedData::parse(&octets, &Limits::default()).unwrap();
        let info: rasn_cms::ContentInfo = rasn::ber::decode(&octets).unwrap();
        let theirs: rasn_cms::SignedData = rasn::ber::decode(info.content.as_bytes()).unwrap();
        let content = theirs.encap_content_info.content.map(|content| content.to_vec());
        assert_eq!(ours.content().map(|content| content.into_owned()), content, "{path:?}");
        assert_eq!(ours.content().unwrap(), msg(), "{path:?}");
        assert_eq!(ours.signers().len(), theirs.signer_infos.to_vec().len(), "{path:?}");
        assert_eq!(ours.certificates().len(), theirs.certificates.map_or(0, |set| set.to_vec().len()));
        let signer = theirs.signer_infos.to_vec()[0].clone();
        assert_eq!(ours.signers()[0].signature(), &signer.signature[..], "{path:?}");
        assert_eq!(
            ours.signers()[0].attributes().len(),
            signer.signed_attrs.map_or(0, |set| set.to_vec().len())
        );
    }
}

#[test]
fn enveloped_data_reads_as_rasn_reads_it() {
    let files = files("enveloped");
    assert_eq!(files.len(), 9);
    for (path, octets) in files {
        let ours = Enveloped::parse(&octets, &Limits::default()).unwrap();
        let info: rasn_cms::ContentInfo = rasn::ber::decode(&octets).unwrap();
        let (recipients, encrypted) = if ours.is_authenticated() {
            let theirs: rasn_cms::AuthEnvelopedData = rasn::ber::decode(info.content.as_bytes()).unwrap();
            assert_eq!(ours.mac(), &theirs.mac[..], "{path:?}");
            (theirs.recipient_infos, theirs.auth_encrypted_content_info)
        } else {
            let theirs: rasn_cms::EnvelopedData = rasn::ber::decode(info.content.as_bytes()).unwrap();
            (theirs.recipient_infos, theirs.encrypted_content_info)
        };
        assert_eq!(ours.recipients().len(), recipients.to_vec().len(), "{path:?}");
        assert_eq!(ours.ciphertext(), encrypted.encrypted_content.as_deref(), "{path:?}");
    }
}

#[test]
fn forms_and_tolerances_are_told() {
    for (path, octets) in files("signed") {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let signed = SignedData::parse(&octets, &Limits::default()).unwrap();
        assert_eq!(signed.form(), Form::Rfc5652);
        let ber = signed.tolerances().contains(&Tolerance::BerEncoding);
        assert_eq!(ber, name.contains("ber") || name.starts_with("nss"), "{name}");
    }
    for (path, octets) in files("enveloped") {
        let gm = path.to_str().unwrap().contains("sm2gm");
        let form = Enveloped::parse(&octets, &Limits::default()).unwrap().form();
        assert_eq!(form == Form::Gbt35275, gm, "{path:?}");
    }
}

/// Truncation at every offset, and every octet followed by another: an error, never a panic (THREATS S13).
#[test]
fn every_truncation_and_every_tail_is_an_error() {
    let limits = Limits::default();
    for (path, octets) in files("signed").into_iter().chain(files("enveloped")) {
        for end in 0..octets.len() {
            let cut = &octets[..end];
            assert!(cms::content_type(cut, &limits).is_err(), "{path:?} cut at {end}");
            assert!(SignedData::parse(cut, &limits).is_err() && Enveloped::parse(cut, &limits).is_err());
        }
        for tail in [0_u8, b'\n', 0x30] {
            let mut longer = octets.clone();
            longer.push(tail);
            assert!(
                SignedData::parse(&longer, &limits).is_err() && Enveloped::parse(&longer, &limits).is_err()
            );
        }
    }
}

/// The invariants of the fuzz bodies hold on the vectors and on cheap mutations of them.
#[test]
fn fuzz_bodies_hold_on_mutated_vectors() {
    for (_, octets) in files("signed").into_iter().chain(files("enveloped")) {
        fuzzing::cms(&octets);
        for at in (0..octets.len()).step_by(7) {
            for value in [0x00, 0x80, 0xFF, octets[at] ^ 0x20] {
                let mut mutated = octets.clone();
                mutated[at] = value;
                fuzzing::cms(&mutated);
            }
        }
    }
    fuzzing::capabilities(b"\x30\x03\x30\x01\x00");
}

fn content_info(oid: &oid::ObjectIdentifier, body: &[u8]) -> Vec<u8> {
    write::sequence(&[&write::oid(oid), &write::explicit(0, body)])
}

fn implicit_set(number: u32, items: &[Vec<u8>]) -> Vec<u8> {
    write::tlv(Tag::context(number), &items.concat())
}

fn signed_data(digests: &[Vec<u8>], content: &[u8], bags: &[u8], signers: &[Vec<u8>]) -> Vec<u8> {
    let encapsulated = write::sequence(&[&write::oid(&oid::DATA), content]);
    let digests = write::tlv(Tag::SET, &digests.concat());
    let signers = write::tlv(Tag::SET, &signers.concat());
    let body = write::sequence(&[&write::small(1), &digests, &encapsulated, bags, &signers]);
    content_info(&oid::SIGNED_DATA, &body)
}

fn signer_info(version: u64, signed: Option<Vec<u8>>, unsigned: Option<Vec<u8>>) -> Vec<u8> {
    let name = write::sequence(&[]);
    let sid = write::sequence(&[&name, &write::small(7)]);
    let digest = write::algorithm(&oid::SHA256, None);
    let algorithm = write::algorithm(&oid::SHA256_WITH_RSA, Some(&write::null()));
    write::sequence(&[
        &write::small(version),
        &sid,
        &digest,
        &signed.unwrap_or_default(),
        &algorithm,
        &write::octet_string(b"signature"),
        &unsigned.unwrap_or_default(),
    ])
}

fn attribute(values: usize) -> Vec<u8> {
    let values = write::tlv(Tag::SET, &write::null().repeat(values));
    write::sequence(&[&write::oid(&oid::SIGNING_TIME), &values])
}

fn sha256() -> Vec<u8> {
    write::algorithm(&oid::SHA256, None)
}

fn limit_of(result: Result<SignedData<'_>, Error>) -> Option<usize> {
    match result {
        Ok(_) => None,
        Err(Error::Limit { limit, .. }) => Some(limit),
        Err(other) => panic!("{other}"),
    }
}

/// Every count is accepted at the limit and refused one above it (THREATS §9).
#[test]
fn limits_hold_at_the_limit_and_one_above() {
    let limits = Limits::default();
    let content = write::explicit(0, &write::octet_string(b"x"));
    for (count, expected) in [(16, None), (17, Some(16))] {
        let octets = signed_data(&[sha256()], &content, &[], &vec![signer_info(1, None, None); count]);
        assert_eq!(limit_of(SignedData::parse(&octets, &limits)), expected, "SignerInfos");
    }
    for (count, expected) in [(64, None), (65, Some(64))] {
        let bags = implicit_set(0, &vec![write::sequence(&[]); count]);
        let octets = signed_data(&[sha256()], &content, &bags, &[]);
        assert_eq!(limit_of(SignedData::parse(&octets, &limits)), expected, "certificates");
        let info = signer_info(1, Some(implicit_set(0, &vec![attribute(1); count])), None);
        let octets = signed_data(&[sha256()], &content, &[], &[info]);
        assert_eq!(limit_of(SignedData::parse(&octets, &limits)), expected, "signed attributes");
        let info = signer_info(1, None, Some(implicit_set(1, &vec![attribute(1); count])));
        let octets = signed_data(&[sha256()], &content, &[], &[info]);
        assert_eq!(limit_of(SignedData::parse(&octets, &limits)), expected, "unsigned attributes");
    }
    for (count, expected) in [(32, None), (33, Some(32))] {
        let info = signer_info(1, Some(implicit_set(0, &[attribute(count)])), None);
        let octets = signed_data(&[sha256()], &content, &[], &[info]);
        assert_eq!(limit_of(SignedData::parse(&octets, &limits)), expected, "attribute values");
    }
    let octets = signed_data(&[sha256()], &content, &[], &[]);
    let mut small = Limits::default();
    small.message_bytes = octets.len();
    assert!(SignedData::parse(&octets, &small).is_ok());
    small.message_bytes -= 1;
    assert!(matches!(SignedData::parse(&octets, &small), Err(Error::Limit { .. })));
}

#[test]
fn recipients_are_counted() {
    let rid = write::sequence(&[&write::sequence(&[]), &write::small(7)]);
    let algorithm = write::algorithm(&oid::RSA_ENCRYPTION, Some(&write::null()));
    let info = write::sequence(&[&write::small(0), &rid, &algorithm, &write::octet_string(b"key")]);
    let iv = write::octet_string(&[0; 16]);
    let encrypted = write::sequence(&[
        &write::oid(&oid::DATA),
        &write::algorithm(&oid::AES256_CBC, Some(&iv)),
        &write::tlv(Tag::context_primitive(0), &[0; 16]),
    ]);
    for (count, good) in [(2_000, true), (2_001, false)] {
        let set = write::tlv(Tag::SET, &info.repeat(count));
        let body = write::sequence(&[&write::small(0), &set, &encrypted]);
        let octets = content_info(&oid::ENVELOPED_DATA, &body);
        let result = Enveloped::parse(&octets, &Limits::default());
        assert_eq!(result.is_ok(), good);
        if let Ok(enveloped) = result {
            assert!(
                enveloped.recipients().iter().all(|one| matches!(one, RecipientInfo::KeyTransport { .. }))
            );
        }
    }
}

/// Unknown kinds of recipients and unknown attributes do not break the rest (DESIGN, rule 7).
#[test]
fn unknown_values_survive() {
    let strange = write::tlv(Tag::context(9), &write::null());
    let iv = write::octet_string(&[0; 16]);
    let encrypted = write::sequence(&[
        &write::oid(&oid::DATA),
        &write::algorithm(&oid::AES256_CBC, Some(&iv)),
        &write::tlv(Tag::context_primitive(0), &[0; 16]),
    ]);
    let body = write::sequence(&[&write::small(2), &write::tlv(Tag::SET, &strange), &encrypted]);
    let octets = content_info(&oid::ENVELOPED_DATA, &body);
    let enveloped = Enveloped::parse(&octets, &Limits::default()).unwrap();
    assert!(matches!(enveloped.recipients(), [RecipientInfo::Other(octets)] if *octets == strange));
}

/// Structures that break a rule of RFC 5652 are typed errors (THREATS S4).
#[test]
fn broken_structures_are_refused() {
    let limits = Limits::default();
    let content = write::explicit(0, &write::octet_string(b"x"));
    let bare = write::explicit(0, &write::sequence(&[&write::small(1)]));
    let cases = [
        ("a version of SignerInfo", signed_data(&[sha256()], &content, &[], &[signer_info(2, None, None)])),
        ("content that is no OCTET STRING", signed_data(&[sha256()], &bare, &[], &[])),
        ("a signer that is a SET", signed_data(&[sha256()], &content, &[], &[write::tlv(Tag::SET, b"")])),
        ("primitive signed attributes", {
            let primitive = write::tlv(Tag::context_primitive(0), &attribute(1));
            signed_data(&[sha256()], &content, &[], &[signer_info(1, Some(primitive), None)])
        }),
        (
            "a primitive bag",
            signed_data(&[sha256()], &content, &write::tlv(Tag::context_primitive(0), b""), &[]),
        ),
        ("no content at all", write::sequence(&[&write::oid(&oid::SIGNED_DATA)])),
        ("two contents", {
            let one = write::explicit(0, &write::sequence(&[]));
            write::sequence(&[&write::oid(&oid::SIGNED_DATA), &one, &one])
        }),
        ("another content type", content_info(&oid::DATA, &write::octet_string(b"x"))),
    ];
    for (what, octets) in cases {
        assert!(SignedData::parse(&octets, &limits).is_err(), "{what}");
    }
}

/// GB/T 35275 content need not be wrapped (STANDARDS §3.6); that is named.
#[test]
fn bare_content_is_read_in_the_gbt_form_only() {
    let inner = write::sequence(&[&write::small(1)]);
    let encapsulated = write::sequence(&[&write::oid(&oid::GM_DATA), &write::explicit(0, &inner)]);
    let digests = write::tlv(Tag::SET, &write::algorithm(&oid::SM3, None));
    let body = write::sequence(&[&write::small(1), &digests, &encapsulated, &write::tlv(Tag::SET, b"")]);
    let octets = content_info(&oid::GM_SIGNED_DATA, &body);
    let signed = SignedData::parse(&octets, &Limits::default()).unwrap();
    assert_eq!(signed.content().unwrap(), write::small(1));
    assert!(signed.tolerances().contains(&Tolerance::BareContent));
    assert_eq!(signed.form(), Form::Gbt35275);
}

/// The bombs of DEPENDENCIES: deep nesting and long lengths in few octets.
#[test]
fn bombs_are_errors() {
    let limits = Limits::default();
    for bomb in [b"\x30\x80".repeat(100_000), b"\x24\x80".repeat(100_000), {
        let mut long = b"\x30\x84\xFF\xFF\xFF\xF0".to_vec();
        long.extend([0; 17]);
        long
    }] {
        assert!(SignedData::parse(&bomb, &limits).is_err());
        assert!(Enveloped::parse(&bomb, &limits).is_err());
        fuzzing::cms(&bomb);
    }
}
