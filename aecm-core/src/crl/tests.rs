use alloc::string::ToString;
use alloc::vec;

use super::*;
use crate::oid;
use crate::tlv::{Tag, TlvErrorKind, write};

/// The parts of a CRL that nobody signed: only its shape matters to reading.
struct Parts {
    version: Vec<u8>,
    inner: Vec<u8>,
    outer: Vec<u8>,
    issuer: Vec<u8>,
    times: Vec<u8>,
    entries: Option<Vec<Vec<u8>>>,
    extensions: Vec<Vec<u8>>,
}

impl Default for Parts {
    fn default() -> Self {
        let time = write::time(Time::from_unix(1_795_420_800));
        Self {
            version: write::small(1),
            inner: write::algorithm(&oid::ECDSA_WITH_SHA256, None),
            outer: write::algorithm(&oid::ECDSA_WITH_SHA256, None),
            issuer: write::sequence(&[]),
            times: [time.clone(), time].concat(),
            entries: None,
            extensions: Vec::new(),
        }
    }
}

impl Parts {
    fn der(&self) -> Vec<u8> {
        let entries = self.entries.as_ref().map(|entries| write::sequence(&[&entries.concat()]));
        let extensions = match self.extensions.as_slice() {
            [] => Vec::new(),
            some => write::explicit(0, &write::sequence(&[&some.concat()])),
        };
        let tbs = write::sequence(&[
            &self.version,
            &self.inner,
            &self.issuer,
            &self.times,
            &entries.unwrap_or_default(),
            &extensions,
        ]);
        write::sequence(&[&tbs, &self.outer, &write::bit_string(&[0; 8])])
    }

    fn read(&self) -> Result<Crl, CrlError> {
        Crl::from_der(&self.der(), &Limits::default())
    }
}

fn extension(oid: &ObjectIdentifier, critical: bool, value: &[u8]) -> Vec<u8> {
    let flag = if critical { write::boolean(true) } else { Vec::new() };
    write::sequence(&[&write::oid(oid), &flag, &write::octet_string(value)])
}

fn entry(serial: &[u8], extensions: &[Vec<u8>]) -> Vec<u8> {
    let extensions =
        if extensions.is_empty() { Vec::new() } else { write::sequence(&[&extensions.concat()]) };
    let date = write::time(Time::from_unix(1_795_420_800));
    write::sequence(&[&write::tlv(Tag::INTEGER, serial), &date, &extensions])
}

fn with_entries(entries: Vec<Vec<u8>>) -> Result<Crl, CrlError> {
    Parts { entries: Some(entries), ..Parts::default() }.read()
}

fn with(oid: &ObjectIdentifier, value: &[u8]) -> Result<Crl, CrlError> {
    Parts { extensions: vec![extension(oid, true, value)], ..Parts::default() }.read()
}

#[test]
fn versions() {
    assert!(Parts { version: Vec::new(), ..Parts::default() }.read().is_ok());
    let three = Parts { version: write::small(2), ..Parts::default() }.read();
    assert_eq!(three, Err(CrlError::Version { value: 2 }));
    let number = extension(&oid::CRL_NUMBER, false, &write::small(1));
    let old = Parts { version: Vec::new(), extensions: vec![number.clone()], ..Parts::default() }.read();
    assert_eq!(old, Err(CrlError::ExtensionsInOldVersion));
    let old = Parts {
        version: Vec::new(),
        entries: Some(vec![entry(&[1], &[extension(&oid::CRL_REASON, false, &[10, 1, 1])])]),
        ..Parts::default()
    };
    assert_eq!(old.read(), Err(CrlError::ExtensionsInOldVersion));
}

#[test]
fn both_algorithm_identifiers_are_the_same_octets() {
    let outer = write::algorithm(&oid::ECDSA_WITH_SHA384, None);
    assert_eq!(Parts { outer, ..Parts::default() }.read(), Err(CrlError::AlgorithmsDiffer));
    let inner = write::algorithm(&oid::ECDSA_WITH_SHA256, Some(&write::null()));
    assert_eq!(Parts { inner, ..Parts::default() }.read(), Err(CrlError::AlgorithmsDiffer));
}

#[test]
fn entries_are_found_by_serial_number() {
    let serials: [&[u8]; 5] = [&[9], &[1, 0], &[0xff], &[9], &[2]];
    let crl = with_entries(serials.iter().map(|serial| entry(serial, &[])).collect()).unwrap();
    assert_eq!(crl.entries().len(), 5);
    for (serial, count) in
        [(&[9][..], 2), (&[1, 0], 1), (&[0xff], 1), (&[2], 1), (&[1], 0), (&[], 0), (&[9, 0], 0)]
    {
        assert_eq!(crl.entries_of(serial).count(), count, "{serial:?}");
    }
    assert_eq!(with_entries(vec![]).unwrap().entries().len(), 0);
    for bad in [&[][..], &[0, 1], &[0xff, 0x80]] {
        assert!(matches!(with_entries(vec![entry(bad, &[])]), Err(CrlError::Encoding(_))), "{bad:?}");
    }
}

#[test]
fn extensions_of_entries() {
    let date = Time::from_unix(1_700_000_000);
    let invalidity = extension(&oid::INVALIDITY_DATE, false, &write::generalized_time(date));
    for reason in RevocationReason::ALL {
        assert_eq!(RevocationReason::from_code(u64::from(reason.code())), Some(reason));
        let value = extension(&oid::CRL_REASON, false, &[10, 1, reason.code()]);
        let crl = with_entries(vec![entry(&[1], &[value, invalidity.clone()])]).unwrap();
        let found = crl.entries().next().unwrap();
        assert_eq!((found.reason, found.invalidity_date), (Some(reason), Some(date)));
    }
    for (oid, value) in [
        (oid::CRL_REASON, &[10, 1, 7][..]),
        (oid::CRL_REASON, &[10, 1, 11]),
        (oid::CRL_REASON, &[2, 1, 1]),
        (oid::CRL_REASON, &[10, 1, 1, 0]),
        (oid::INVALIDITY_DATE, b"\x17\x0d261123080000Z"),
        (oid::INVALIDITY_DATE, b"\x05\x00"),
    ] {
        let result = with_entries(vec![entry(&[1], &[extension(&oid, false, value)])]);
        assert!(matches!(result, Err(CrlError::Extension { oid: at, .. }) if at == oid), "{result:?}");
    }
    let twice = vec![invalidity.clone(), invalidity];
    assert_eq!(
        with_entries(vec![entry(&[1], &twice)]),
        Err(CrlError::DuplicateExtension(oid::INVALIDITY_DATE))
    );
}

#[test]
fn extensions_of_lists() {
    assert_eq!(with(&oid::CRL_NUMBER, &write::small(300)).unwrap().number(), Some(&[1, 44][..]));
    assert_eq!(with(&oid::DELTA_CRL_INDICATOR, &write::small(5)).unwrap().delta_base(), Some(&[5][..]));
    for (oid, value) in [
        (oid::CRL_NUMBER, &[2, 1, 0xff][..]),
        (oid::CRL_NUMBER, &[2, 0]),
        (oid::CRL_NUMBER, &[4, 1, 1]),
        (oid::DELTA_CRL_INDICATOR, &[5, 0]),
        (oid::AUTHORITY_KEY_IDENTIFIER, &[5, 0]),
        (oid::ISSUING_DISTRIBUTION_POINT, &[5, 0]),
        (oid::ISSUING_DISTRIBUTION_POINT, &[0x30, 3, 0x81, 1, 1]),
        (oid::ISSUING_DISTRIBUTION_POINT, &[0x30, 2, 0xa0, 0]),
        (oid::ISSUING_DISTRIBUTION_POINT, &[0x30, 4, 0xa0, 2, 0xa0, 0]),
        (oid::ISSUING_DISTRIBUTION_POINT, &[0x30, 4, 0xa0, 2, 0x05, 0]),
        (oid::ISSUING_DISTRIBUTION_POINT, &[0x30, 2, 0x86, 0]),
        (oid::ISSUING_DISTRIBUTION_POINT, &[0x30, 2, 0x83, 0]),
    ] {
        let result = with(&oid, value);
        assert!(matches!(result, Err(CrlError::Extension { oid: at, .. }) if at == oid), "{oid} {value:?}");
    }
    assert!(with(&oid::ISSUING_DISTRIBUTION_POINT, &[0x30, 3, 0x84, 1, 0xff]).unwrap().is_indirect());
    assert!(!with(&oid::ISSUING_DISTRIBUTION_POINT, &[0x30, 0]).unwrap().is_indirect());
    let unknown = with(&oid::SUBJECT_KEY_IDENTIFIER, b"anything").unwrap();
    assert!(unknown.has_unknown_critical_extension() && unknown.extensions().count() == 1);
    // An identifier that cannot be named, critical and not.
    for critical in [true, false] {
        let flag = if critical { write::boolean(true) } else { Vec::new() };
        let large = write::tlv(Tag::OID, &[0x2a, 0x90, 0x80, 0x80, 0x80, 0x00]);
        let unnamed = write::sequence(&[&large, &flag, &write::octet_string(b"x")]);
        let list = Parts { extensions: vec![unnamed.clone()], ..Parts::default() }.read().unwrap();
        assert_eq!(list.has_unknown_critical_extension(), critical);
        let list = with_entries(vec![entry(&[1], &[unnamed])]).unwrap();
        assert_eq!(list.has_unknown_critical_extension(), critical);
    }
}

#[test]
fn limits_a2() {
    let der = with_entries((0..100).map(|serial| entry(&[serial], &[])).collect()).unwrap().as_der().to_vec();
    let mut limits = Limits { crl_bytes: der.len(), ..Limits::default() };
    assert!(Crl::from_der(&der, &limits).is_ok());
    limits.crl_bytes -= 1;
    let large = Crl::from_der(&der, &limits);
    assert_eq!(large, Err(CrlError::TooLarge { octets: der.len(), limit: der.len() - 1 }));
    let limits = Limits { asn1_elements: 99, ..Limits::default() };
    let kind = |result| match result {
        Err(CrlError::Encoding(error)) => error.kind(),
        other => panic!("{other:?}"),
    };
    assert_eq!(kind(Crl::from_der(&der, &limits)), TlvErrorKind::Elements { limit: 99 });
    let unknown = |number: usize| {
        let oid = ObjectIdentifier::new(&alloc::format!("1.3.6.1.4.1.55555.{number}")).unwrap();
        extension(&oid, false, b"x")
    };
    let extensions: Vec<Vec<u8>> = (0..65).map(unknown).collect();
    assert_eq!(
        Parts { extensions: extensions.clone(), ..Parts::default() }.read(),
        Err(CrlError::TooManyExtensions { limit: 64 })
    );
    assert_eq!(with_entries(vec![entry(&[1], &extensions)]), Err(CrlError::TooManyExtensions { limit: 64 }));
    for end in 0..der.len() {
        assert!(Crl::from_der(&der[..end], &Limits::default()).is_err(), "cut at {end}");
    }
}

#[test]
fn pem() {
    let limits = Limits::default();
    let text = include_str!("../../tests/vectors/revocation/rsa-ca.crl");
    let certificate = include_str!("../../tests/vectors/keys/rsa-ca.crt");
    let both = alloc::format!("{certificate}{text}{text}");
    let all = Crl::all_from_pem(&both, &limits).unwrap();
    assert_eq!((all.len(), all[0].to_pem()), (2, text.to_string()));
    assert_eq!(Crl::from_pem(certificate, &limits), Err(CrlError::NoPem));
    assert_eq!(Crl::from_pem("-----BEGIN X509 CRL-----\nAA", &limits), Err(CrlError::BadPem));
    assert!(alloc::format!("{:?}", all[0]).contains("2 revoked"));
}
