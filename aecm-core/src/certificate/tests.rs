use alloc::string::ToString;
use alloc::vec;

use super::*;
use crate::limits::Limits;
use crate::public_key::{KeyKind, VerifyError};
use crate::suite::Suite;
use crate::tlv::{Tag, TlvErrorKind, write};

const RSA_CA: &str = include_str!("../../tests/vectors/keys/rsa-ca.crt");
const RSA_SIG: &str = include_str!("../../tests/vectors/keys/rsa-sig.crt");
const SM2_CA: &str = include_str!("../../tests/vectors/keys/sm2-ca.crt");
const SM2_SIG: &str = include_str!("../../tests/vectors/keys/sm2-sig.crt");
const SM2_ENC: &str = include_str!("../../tests/vectors/keys/sm2-enc.crt");
const SM2_TSA: &str = include_str!("../../tests/vectors/keys/sm2-tsa.crt");
const P256_AGR: &str = include_str!("../../tests/vectors/keys/p256-agr.crt");
const ED25519: &str = include_str!("../../tests/vectors/weak/ed25519.crt");
const EMAIL_DN: &str = include_str!("../../tests/vectors/weak/email-dn.crt");
const ALL: [&str; 9] = [RSA_CA, RSA_SIG, SM2_CA, SM2_SIG, SM2_ENC, SM2_TSA, P256_AGR, ED25519, EMAIL_DN];

fn read(pem: &str) -> Certificate {
    Certificate::from_pem(pem).unwrap()
}

/// The parts of a certificate that nobody signed: only its shape matters to reading.
struct Parts {
    version: Vec<u8>,
    serial: Vec<u8>,
    inner: Vec<u8>,
    outer: Vec<u8>,
    validity: Vec<u8>,
    unique: Vec<u8>,
    extensions: Vec<Vec<u8>>,
}

impl Default for Parts {
    fn default() -> Self {
        let time = write::time(Time::from_unix(1_795_420_800));
        Self {
            version: write::explicit(0, &write::small(2)),
            serial: write::small(7),
            inner: write::algorithm(&oid::ECDSA_WITH_SHA256, None),
            outer: write::algorithm(&oid::ECDSA_WITH_SHA256, None),
            validity: write::sequence(&[&time, &time]),
            unique: Vec::new(),
            extensions: Vec::new(),
        }
    }
}

impl Parts {
    fn der(&self) -> Vec<u8> {
        let name = write::sequence(&[]);
        let spki = write::sequence(&[&write::algorithm(&oid::ED25519, None), &write::bit_string(&[1; 32])]);
        let extensions = if self.extensions.is_empty() {
            Vec::new()
        } else {
            write::explicit(3, &write::sequence(&[&self.extensions.concat()]))
        };
        let tbs = write::sequence(&[
            &self.version,
            &self.serial,
            &self.inner,
            &name,
            &self.validity,
            &name,
            &spki,
            &self.unique,
            &extensions,
        ]);
        write::sequence(&[&tbs, &self.outer, &write::bit_string(&[0; 8])])
    }

    fn read(&self) -> Result<Certificate, CertificateError> {
        Certificate::from_der(&self.der())
    }
}

fn extension(oid: &ObjectIdentifier, value: &[u8]) -> Vec<u8> {
    write::sequence(&[&write::oid(oid), &write::octet_string(value)])
}

fn with(oid: ObjectIdentifier, value: &[u8]) -> Result<Certificate, CertificateError> {
    Parts { extensions: vec![extension(&oid, value)], ..Parts::default() }.read()
}

fn with_names(names: &[Vec<u8>]) -> Certificate {
    with(oid::SUBJECT_ALT_NAME, &write::sequence(&[&names.concat()])).unwrap()
}

fn rfc822(address: &[u8]) -> Vec<u8> {
    write::tlv(Tag::context_primitive(1), address)
}

fn smtp_utf8(address: &str) -> Vec<u8> {
    let content = [write::oid(&oid::SMTP_UTF8_MAILBOX), write::explicit(0, &write::utf8(address))].concat();
    write::tlv(Tag::context(0), &content)
}

fn addresses(certificate: &Certificate) -> Vec<String> {
    certificate.mailboxes().iter().map(ToString::to_string).collect()
}

#[test]
fn fields_of_real_certificates() {
    let sig = read(SM2_SIG);
    let ca = read(SM2_CA);
    assert_eq!(sig.issuer_der(), ca.subject_der());
    assert_eq!(sig.authority_key_identifier(), ca.subject_key_identifier());
    assert_eq!(ca.subject_key_identifier(), Some(&ca.public_key().unwrap().key_identifier()[..]));
    assert_eq!(sig.not_before(), Time::from_rfc3339("2026-11-23T17:07:45Z").unwrap());
    assert_eq!(sig.not_after(), Time::from_rfc3339("2046-11-18T17:07:45Z").unwrap());
    assert_eq!(sig.signature_algorithm().oid, oid::SM2_WITH_SM3);
    assert!(sig.signature_algorithm().parameters_absent_or_null());
    assert_eq!(sig.public_key().map(PublicKey::suite), Some(Suite::Sm2));
    assert_eq!(sig.key_usage(), Some(KeyUsage::DIGITAL_SIGNATURE));
    assert_eq!(read(SM2_ENC).key_usage(), Some(KeyUsage::KEY_ENCIPHERMENT));
    assert_eq!(read(P256_AGR).key_usage(), Some(KeyUsage::KEY_AGREEMENT));
    assert_eq!(ca.key_usage(), Some(KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN));
    assert_eq!(ca.basic_constraints(), Some(BasicConstraints { ca: true, path_len: None }));
    assert_eq!(sig.basic_constraints(), Some(BasicConstraints { ca: false, path_len: None }));
    let tsa = read(SM2_TSA);
    let usage = tsa.extended_key_usage().unwrap();
    assert!(usage.critical && usage.is_only(&oid::TIME_STAMPING));
    assert!(!tsa.has_san_mailbox() && tsa.mailboxes().is_empty());
    assert_eq!(addresses(&sig), ["alice@example.test"]);
    assert_eq!(sig.subject_text(), "CN=alice sm2 sig,O=AECM peer test,C=CN");
    assert_eq!(sig.issuer_text(), "CN=sm2 test CA,O=AECM peer test,C=CN");
    assert!(ca.is_self_issued() && !sig.is_self_issued());
    assert_eq!(sig.extensions().count(), 6);
    assert!(matches!(read(RSA_SIG).public_key().unwrap().kind(), KeyKind::Rsa { bits: 2048 }));
}

#[test]
fn the_octets_are_those_of_x509_cert() {
    use der::Encode;
    for pem in ALL {
        let ours = read(pem);
        let theirs = ours.to_x509().unwrap();
        let tbs = theirs.tbs_certificate();
        assert_eq!(ours.as_der(), theirs.to_der().unwrap());
        assert_eq!(ours.tbs_der(), tbs.to_der().unwrap());
        assert_eq!(ours.issuer_der(), tbs.issuer().to_der().unwrap());
        assert_eq!(ours.subject_der(), tbs.subject().to_der().unwrap());
        assert_eq!(ours.spki_der(), tbs.subject_public_key_info().to_der().unwrap());
        assert_eq!(ours.serial(), tbs.serial_number().as_bytes());
        assert_eq!(ours.signature(), theirs.signature().raw_bytes());
        assert_eq!(ours.signature_algorithm().bytes, theirs.signature_algorithm().to_der().unwrap());
        let parameters = theirs.signature_algorithm().parameters.as_ref().map(|any| any.to_der().unwrap());
        assert_eq!(ours.signature_algorithm().parameters.map(<[u8]>::to_vec), parameters);
        // x509-cert has another short name for emailAddress (RFC 4514 §3 has none).
        assert_eq!(ours.subject_text(), tbs.subject().to_string().replace("EMAIL=", "emailAddress="));
        for (our, their) in ours.extensions().zip(tbs.extensions().unwrap()) {
            assert_eq!(
                (our.oid, our.critical, our.value),
                (their.extn_id, their.critical, their.extn_value.as_bytes())
            );
        }
    }
}

#[test]
fn unknown_keys_survive() {
    let certificate = read(ED25519);
    assert!(certificate.public_key().is_none());
    assert_eq!(addresses(&certificate), ["alice@example.test"]);
    assert!(!certificate.spki_der().is_empty());
}

#[test]
fn signatures() {
    for (ca, leaf) in [(RSA_CA, RSA_SIG), (SM2_CA, SM2_SIG)] {
        let (ca, leaf) = (read(ca), read(leaf));
        let key = ca.public_key().unwrap();
        leaf.verify_signature_by(key, Sm2Id::Default).unwrap();
        ca.verify_signature_by(key, Sm2Id::Default).unwrap();
        let own = leaf.verify_signature_by(leaf.public_key().unwrap(), Sm2Id::Default);
        assert_eq!(own, Err(CertificateError::Signature(VerifyError::Mismatch)));
    }
    let (ca, leaf) = (read(SM2_CA), read(SM2_SIG));
    let other = leaf.verify_signature_by(ca.public_key().unwrap(), Sm2Id::Other(b""));
    assert_eq!(other, Err(CertificateError::Signature(VerifyError::Mismatch)));
    let wrong_kind = leaf.verify_signature_by(read(RSA_CA).public_key().unwrap(), Sm2Id::Default);
    assert!(matches!(wrong_kind, Err(CertificateError::Algorithm(_))));
}

#[test]
fn pem() {
    let bundle = alloc::format!(
        "# a comment\n{SM2_CA}subject=x\n-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n{RSA_CA}"
    );
    let all = Certificate::all_from_pem(&bundle).unwrap();
    assert_eq!(all, [read(SM2_CA), read(RSA_CA)]);
    assert_eq!(read(&read(RSA_SIG).to_pem()), read(RSA_SIG));
    assert_eq!(read(RSA_SIG).to_pem(), RSA_SIG);
    assert_eq!(read(&RSA_SIG.replace('\n', "\r\n")), read(RSA_SIG));
    assert_eq!(Certificate::all_from_pem(""), Ok(vec![]));
    assert_eq!(Certificate::from_pem("no certificate"), Err(CertificateError::NoPem));
    for broken in [
        "-----BEGIN CERTIFICATE-----\nAAAA",
        "-----BEGIN CERTIFICATE-----\nA*AA\n-----END CERTIFICATE-----",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----BEGIN CERTIFICATE-----",
        "-----BEGIN CERTIFICATE-----\nAAA\n-----END CERTIFICATE-----",
    ] {
        assert_eq!(Certificate::from_pem(broken), Err(CertificateError::BadPem), "{broken}");
    }
    let empty = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----";
    assert!(matches!(Certificate::from_pem(empty), Err(CertificateError::Encoding(_))));
    assert_eq!(
        Certificate::all_from_pem(&alloc::format!("{RSA_CA}\n-----BEGIN CERTIFICATE-----\n")),
        Err(CertificateError::BadPem)
    );
}

#[test]
fn every_cut_and_every_lengthening_is_refused() {
    let der = read(SM2_SIG).as_der().to_vec();
    for end in 0..der.len() {
        assert!(Certificate::from_der(&der[..end]).is_err(), "cut at {end}");
    }
    let longer = [&der[..], &[0]].concat();
    assert!(matches!(Certificate::from_der(&longer), Err(CertificateError::Encoding(_))));
}

#[test]
fn changed_octets_never_verify() {
    let (ca, leaf) = (read(SM2_CA), read(SM2_SIG));
    let tbs_end = leaf.0.tbs.end;
    let mut read_anyway = 0;
    for position in (0..tbs_end).step_by(3) {
        let mut changed = leaf.as_der().to_vec();
        changed[position] ^= 1;
        if let Ok(changed) = Certificate::from_der(&changed) {
            read_anyway += 1;
            assert!(changed.verify_signature_by(ca.public_key().unwrap(), Sm2Id::Default).is_err());
        }
    }
    assert!(read_anyway > 20);
}

#[test]
fn serial_numbers_a2() {
    let serial =
        |octets: usize| Parts { serial: write::tlv(Tag::INTEGER, &vec![0x11; octets]), ..Parts::default() };
    for octets in [1, 20, 21, 64] {
        assert_eq!(serial(octets).read().unwrap().serial().len(), octets);
    }
    assert_eq!(serial(65).read(), Err(CertificateError::SerialTooLong { octets: 65 }));
    assert!(matches!(serial(0).read(), Err(CertificateError::Encoding(_))));
    assert!(matches!(serial(64).read().unwrap().to_x509(), Err(CertificateError::X509Cert)));
    let padded = Parts { serial: vec![2, 2, 0, 1], ..Parts::default() }.read();
    assert!(
        matches!(padded, Err(CertificateError::Encoding(error)) if error.kind() == TlvErrorKind::BadInteger)
    );
    let negative = Parts { serial: vec![2, 1, 0xff], ..Parts::default() }.read().unwrap();
    assert_eq!(negative.serial(), [0xff]);
}

#[test]
fn versions() {
    let version = |version: Vec<u8>| Parts { version, ..Parts::default() };
    assert!(version(Vec::new()).read().is_ok());
    assert!(version(write::explicit(0, &write::small(1))).read().is_ok());
    let four = version(write::explicit(0, &write::small(3))).read();
    assert_eq!(four, Err(CertificateError::Version { value: 3 }));
    let old = Parts {
        version: Vec::new(),
        extensions: vec![extension(&oid::KEY_USAGE, &KeyUsage::CRL_SIGN.to_der())],
        ..Parts::default()
    };
    assert_eq!(old.read(), Err(CertificateError::ExtensionsInOldVersion));
    let unique = write::tlv(Tag::context_primitive(1), &[0, 1]);
    assert!(Parts { unique, ..Parts::default() }.read().is_ok());
    let unique = write::tlv(Tag::context_primitive(4), &[0, 1]);
    assert!(matches!(Parts { unique, ..Parts::default() }.read(), Err(CertificateError::Encoding(_))));
}

#[test]
fn both_algorithm_identifiers_are_the_same_octets() {
    for outer in [
        write::algorithm(&oid::ECDSA_WITH_SHA384, None),
        write::algorithm(&oid::ECDSA_WITH_SHA256, Some(&write::null())),
    ] {
        assert_eq!(Parts { outer, ..Parts::default() }.read(), Err(CertificateError::AlgorithmsDiffer));
    }
}

#[test]
fn times() {
    let times =
        |one: &[u8], two: &[u8]| Parts { validity: write::sequence(&[one, two]), ..Parts::default() }.read();
    let far = write::generalized_time(Time::from_rfc3339("9999-12-31T23:59:59Z").unwrap());
    let near = write::time(Time::from_rfc3339("2049-12-31T23:59:59Z").unwrap());
    let certificate = times(&near, &far).unwrap();
    assert_eq!(certificate.not_after().to_string(), "9999-12-31T23:59:59Z");
    assert!(
        certificate.is_valid_at(certificate.not_before()) && certificate.is_valid_at(certificate.not_after())
    );
    assert!(!certificate.is_valid_at(Time::from_unix(certificate.not_before().unix() - 1)));
    for bad in [&b"\x17\x0b4912312359Z"[..], b"\x18\x1120500101000000.5Z", b"\x16\x0d491231235959Z"] {
        assert!(matches!(times(&near, bad), Err(CertificateError::Encoding(_))));
    }
}

#[test]
fn extensions_twice_or_too_many_are_refused() {
    let unknown = |number: usize| {
        let oid = ObjectIdentifier::new(&alloc::format!("1.3.6.1.4.1.55555.{number}")).unwrap();
        extension(&oid, b"anything at all")
    };
    let limit = Limits::default().extensions;
    let at_limit = Parts { extensions: (0..limit).map(unknown).collect(), ..Parts::default() };
    assert_eq!(at_limit.read().unwrap().extensions().count(), limit);
    let beyond = Parts { extensions: (0..=limit).map(unknown).collect(), ..Parts::default() };
    assert_eq!(beyond.read(), Err(CertificateError::TooManyExtensions { limit }));
    let twice = Parts { extensions: vec![unknown(1), unknown(2), unknown(1)], ..Parts::default() };
    assert!(matches!(twice.read(), Err(CertificateError::DuplicateExtension(_))));
    let large =
        Parts { extensions: vec![extension(&oid::EXTENSION_REQUEST, &vec![0; 70_000])], ..Parts::default() };
    assert!(matches!(large.read(), Err(CertificateError::TooLarge { limit: 65_536, .. })));
}

#[test]
fn malformed_known_extensions_are_refused() {
    for (oid, value) in [
        (oid::KEY_USAGE, &[0x03, 0x01, 0x00][..]),
        (oid::KEY_USAGE, &[0x03, 0x02, 0x07, 0x00]),
        (oid::KEY_USAGE, &[0x03, 0x04, 0x00, 0x80, 0x00, 0x80]),
        (oid::KEY_USAGE, &[0x03, 0x02, 0x06, 0xff]),
        (oid::KEY_USAGE, &[0x03, 0x02, 0x07, 0x80, 0x00]),
        (oid::EXT_KEY_USAGE, &[0x30, 0x00]),
        (oid::EXT_KEY_USAGE, &[0x30, 0x02, 0x05, 0x00]),
        (oid::BASIC_CONSTRAINTS, &[0x30, 0x03, 0x01, 0x01, 0x01]),
        (oid::BASIC_CONSTRAINTS, &[0x30, 0x03, 0x02, 0x01, 0xff]),
        (oid::BASIC_CONSTRAINTS, &[0x30, 0x00, 0x00]),
        (oid::SUBJECT_KEY_IDENTIFIER, &[0x05, 0x00]),
        (oid::AUTHORITY_KEY_IDENTIFIER, &[0x30, 0x02, 0x05, 0x00]),
        (oid::SUBJECT_ALT_NAME, &[0x30, 0x00]),
        (oid::SUBJECT_ALT_NAME, &[0x30, 0x02, 0x05, 0x00]),
        (oid::SUBJECT_ALT_NAME, &[0x30, 0x02, 0x89, 0x00]),
        (oid::SUBJECT_ALT_NAME, &[0x30, 0x02, 0xa1, 0x00]),
        (oid::CERTIFICATE_POLICIES, &[0x30, 0x00]),
        (oid::AUTHORITY_INFO_ACCESS, &[0x30, 0x02, 0x30, 0x00]),
        (oid::CRL_DISTRIBUTION_POINTS, &[0x30, 0x02, 0x05, 0x00]),
    ] {
        let result = with(oid, value);
        assert!(
            matches!(&result, Err(CertificateError::Extension { oid: at, .. }) if *at == oid),
            "{oid} {result:?}"
        );
    }
}

#[test]
fn mailboxes_of_alternative_names_m1() {
    let certificate = with_names(&[
        write::tlv(Tag::context_primitive(2), b"example.org"),
        rfc822(b"alice@EXAMPLE.org"),
        smtp_utf8("用户@例子.example"),
        write::tlv(Tag::context_primitive(7), &[192, 0, 2, 1]),
        rfc822(b"bob@example.org"),
    ]);
    assert_eq!(addresses(&certificate), ["alice@example.org", "用户@例子.example", "bob@example.org"]);
    for nobody in [
        rfc822(b"alice@example.org\0.evil.example"),
        rfc822("alicé@example.org".as_bytes()),
        rfc822(b""),
        rfc822(b"Alice <alice@example.org>"),
        rfc822(b"alice@example.org,bob@example.org"),
        rfc822(b"@example.org"),
        rfc822(b".example.org"),
        // RFC 9598 §3: an ASCII local part belongs in an rfc822Name, where name constraints look for it.
        smtp_utf8("alice@example.org"),
        smtp_utf8("\"alice\"@example.org"),
        smtp_utf8("ali\u{202e}cé@example.org"),
    ] {
        let certificate = with_names(&[nobody]);
        assert_eq!(addresses(&certificate), [""; 0]);
        assert!(certificate.has_san_mailbox());
    }
    let wrong_type =
        [write::oid(&oid::SMTP_UTF8_MAILBOX), write::explicit(0, &write::ia5("é@example.org"))].concat();
    let names = write::sequence(&[&write::tlv(Tag::context(0), &wrong_type)]);
    assert!(matches!(with(oid::SUBJECT_ALT_NAME, &names), Err(CertificateError::Extension { .. })));
}

#[test]
fn the_legacy_address_counts_only_without_alternative_names() {
    let legacy = read(EMAIL_DN);
    assert!(!legacy.has_san_mailbox() && legacy.san_mailboxes().is_empty());
    assert_eq!(addresses(&legacy), ["legacy@example.test"]);
    assert_eq!(
        legacy.subject_text(),
        "emailAddress=legacy@example.test,CN=Alice \\+ Bob,O=Test+OU=Unit,C=CN"
    );
}

#[test]
fn usages() {
    for bits in 1..0x200 {
        let usage = KeyUsage::from_bits(bits);
        assert_eq!(KeyUsage::from_der(&usage.to_der()), Ok(usage));
    }
    assert_eq!(KeyUsage::from_bits(0xffff).bits(), 0x1ff);
    assert!(KeyUsage::from_bits(0x1ff).contains(KeyUsage::DECIPHER_ONLY | KeyUsage::CRL_SIGN));
    assert!(!KeyUsage::CRL_SIGN.contains(KeyUsage::DECIPHER_ONLY | KeyUsage::CRL_SIGN));
    // An identifier too large to hold is not lost sight of: the purpose is then not the only one.
    let mut large = vec![0x2a];
    large.resize(60, 1);
    let list = write::sequence(&[&write::oid(&oid::TIME_STAMPING), &write::tlv(Tag::OID, &large)]);
    let certificate = with(oid::EXT_KEY_USAGE, &list).unwrap();
    let usage = certificate.extended_key_usage().unwrap();
    assert_eq!((usage.oids.len(), usage.count), (1, 2));
    assert!(usage.has(&oid::TIME_STAMPING) && !usage.is_only(&oid::TIME_STAMPING));
}

#[test]
fn policies_and_urls() {
    let policy = |oid: &ObjectIdentifier| write::sequence(&[&write::oid(oid)]);
    let list = write::sequence(&[&policy(&oid::SMIME_MAILBOX_STRICT), &policy(&oid::ANY_POLICY)]);
    let certificate = with(oid::CERTIFICATE_POLICIES, &list).unwrap();
    assert_eq!(certificate.policy_oids(), [oid::SMIME_MAILBOX_STRICT, oid::ANY_POLICY]);

    let url = |text: &str| write::tlv(Tag::context_primitive(6), text.as_bytes());
    let access = |method, text: &str| write::sequence(&[&write::oid(&method), &url(text)]);
    let list = write::sequence(&[
        &access(oid::ACCESS_OCSP, "http://ocsp.example/"),
        &access(oid::ACCESS_CA_ISSUERS, "HTTP://ca.example/ca.crt"),
        &access(oid::ACCESS_CA_ISSUERS, "ldap://ca.example/"),
        &access(oid::ACCESS_OCSP, "http://ocsp.example/\r\nX: y"),
        &access(oid::OCSP_NOCHECK, "http://other.example/"),
    ]);
    let certificate = with(oid::AUTHORITY_INFO_ACCESS, &list).unwrap();
    assert_eq!(certificate.ocsp_urls(), ["http://ocsp.example/"]);
    assert_eq!(certificate.issuer_urls(), ["HTTP://ca.example/ca.crt"]);

    let names = [url("http://crl.example/1.crl"), url("ldap:///cn=x")].concat();
    let point = write::sequence(&[&write::explicit(0, &write::tlv(Tag::context(0), &names))]);
    let certificate = with(oid::CRL_DISTRIBUTION_POINTS, &write::sequence(&[&point])).unwrap();
    assert_eq!(certificate.crl_urls(), ["http://crl.example/1.crl"]);
    let capabilities = write::sequence(&[&write::sequence(&[&write::oid(&oid::SM4_GCM)])]);
    let certificate = with(oid::SMIME_CAPABILITIES, &capabilities).unwrap();
    assert_eq!(certificate.smime_capabilities_der(), Some(&capabilities[..]));
}

#[test]
fn names_that_match_and_names_that_do_not() {
    let attribute = |oid: &ObjectIdentifier, value: Vec<u8>| write::sequence(&[&write::oid(oid), &value]);
    let name = |sets: &[Vec<Vec<u8>>]| {
        let sets: Vec<Vec<u8>> = sets.iter().cloned().map(write::set_of).collect();
        write::sequence(&[&sets.concat()])
    };
    let base = name(&[vec![attribute(&oid::COMMON_NAME, write::utf8("Test CA"))]]);
    for same in [
        attribute(&oid::COMMON_NAME, write::printable("test ca")),
        attribute(&oid::COMMON_NAME, write::utf8("  Test   CA ")),
        attribute(&oid::COMMON_NAME, write::tlv(Tag::BMP_STRING, b"\0T\0e\0s\0t\0 \0C\0A")),
    ] {
        assert!(names_match(&base, &name(&[vec![same]])));
    }
    for other in [
        name(&[vec![attribute(&oid::COMMON_NAME, write::utf8("TestCA"))]]),
        name(&[vec![attribute(&oid::ORGANIZATION, write::utf8("Test CA"))]]),
        name(&[vec![attribute(&oid::COMMON_NAME, write::octet_string(b"Test CA"))]]),
        name(&[vec![attribute(&oid::COMMON_NAME, write::utf8("Test CA"))], vec![]]),
        name(&[]),
        b"\x30".to_vec(),
        Vec::new(),
    ] {
        assert!(!names_match(&base, &other) && !names_match(&other, &base));
    }
    let (one, two) =
        (attribute(&oid::COMMON_NAME, write::utf8("a")), attribute(&oid::ORGANIZATION, write::utf8("b")));
    let three = attribute(&oid::ORGANIZATION, write::utf8("B"));
    assert!(names_match(&name(&[vec![one.clone(), two.clone()]]), &name(&[vec![three, one.clone()]])));
    assert!(!names_match(&name(&[vec![one.clone()], vec![two.clone()]]), &name(&[vec![two], vec![one]])));
}

#[test]
fn texts_of_names_are_escaped() {
    let value = " #a,b\"\\\n<é> ";
    let attribute = write::sequence(&[&write::oid(&oid::COMMON_NAME), &write::utf8(value)]);
    let unknown = write::sequence(&[&write::oid(&ObjectIdentifier::new_unwrap("1.2.3.4")), &write::null()]);
    let name = write::sequence(&[&write::set_of(vec![unknown]), &write::set_of(vec![attribute])]);
    assert_eq!(name::text(&name), "CN=\\ #a\\,b\\\"\\\\\\0a\\<é\\>\\ ,1.2.3.4=#0500");
}
