//! Makes certificates for tests: whatever the fields say, right or wrong.

use std::sync::Arc;

use aecm_core::certificate::{Certificate, KeyUsage};
use aecm_core::embed::OsRng;
use aecm_core::key::Signer;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::software::{KeySpec, SoftwareKey, SoftwareSigner};
use aecm_core::time::Time;
use aecm_core::tlv::write;

/// Who issues: a name and a key; its certificate, if it has one, is what `issue` gave.
#[derive(Clone)]
pub struct Authority {
    pub name: Vec<u8>,
    pub signer: Arc<SoftwareSigner>,
}

/// The fields of a certificate that differ from test to test.
#[derive(Clone)]
pub struct Template {
    pub serial: u64,
    pub subject: Vec<u8>,
    pub not_before: Time,
    pub not_after: Time,
    /// Whole Extension values.
    pub extensions: Vec<Vec<u8>>,
}

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

pub fn at(text: &str) -> Time {
    Time::from_rfc3339(text).unwrap()
}

/// The time at which all certificates are valid that do not say otherwise.
pub fn now() -> Time {
    at("2027-01-15T12:00:00Z")
}

pub fn name(common_name: &str) -> Vec<u8> {
    let attribute = write::sequence(&[&write::oid(&oid::COMMON_NAME), &write::utf8(common_name)]);
    write::sequence(&[&write::set_of(vec![attribute])])
}

pub fn extension(oid: &ObjectIdentifier, critical: bool, value: &[u8]) -> Vec<u8> {
    let flag = if critical { write::boolean(true) } else { Vec::new() };
    write::sequence(&[&write::oid(oid), &flag, &write::octet_string(value)])
}

pub fn key_usage(usage: KeyUsage) -> Vec<u8> {
    extension(&oid::KEY_USAGE, true, &usage.to_der())
}

pub fn extended_key_usage(critical: bool, purposes: &[ObjectIdentifier]) -> Vec<u8> {
    let purposes: Vec<Vec<u8>> = purposes.iter().map(write::oid).collect();
    extension(&oid::EXT_KEY_USAGE, critical, &write::sequence(&[&purposes.concat()]))
}

pub fn basic_constraints(ca: bool, path_len: Option<u64>) -> Vec<u8> {
    let ca = if ca { write::boolean(true) } else { Vec::new() };
    let path_len = path_len.map(write::small).unwrap_or_default();
    extension(&oid::BASIC_CONSTRAINTS, true, &write::sequence(&[&ca, &path_len]))
}

pub fn mailbox(address: &str) -> Vec<u8> {
    let rfc822 = write::tlv(aecm_core::tlv::Tag::context_primitive(1), address.as_bytes());
    extension(&oid::SUBJECT_ALT_NAME, false, &write::sequence(&[&rfc822]))
}

impl Template {
    pub fn new(common_name: &str, extensions: Vec<Vec<u8>>) -> Self {
        Self {
            serial: 1,
            subject: name(common_name),
            not_before: at("2026-01-01T00:00:00Z"),
            not_after: at("2036-01-01T00:00:00Z"),
            extensions,
        }
    }

    /// A CA as it should be.
    pub fn ca(common_name: &str) -> Self {
        Self::new(common_name, vec![basic_constraints(true, None), key_usage(KeyUsage::KEY_CERT_SIGN)])
    }

    /// A signing certificate as it should be.
    pub fn leaf() -> Self {
        Self::new(
            "leaf",
            vec![
                key_usage(KeyUsage::DIGITAL_SIGNATURE),
                extended_key_usage(false, &[oid::EMAIL_PROTECTION]),
                mailbox("alice@example.test"),
            ],
        )
    }
}

impl Authority {
    pub fn new(common_name: &str, spec: KeySpec) -> Self {
        let key = SoftwareKey::generate(spec, &OsRng).unwrap();
        Self { name: name(common_name), signer: Arc::new(key.into_signer(Arc::new(OsRng))) }
    }

    pub fn spki(&self) -> Vec<u8> {
        self.signer.public_key().spki_der().to_vec()
    }

    /// A certificate of `template` for `spki`, issued by this authority.
    pub fn issue(&self, template: &Template, spki: &[u8]) -> Certificate {
        Certificate::from_der(&self.issue_der(template, spki)).unwrap()
    }

    /// A certificate of `template` for the authority itself.
    pub fn self_signed(&self, template: &Template) -> Certificate {
        let template = Template { subject: self.name.clone(), ..template.clone() };
        self.issue(&template, &self.spki())
    }

    pub fn issue_der(&self, template: &Template, spki: &[u8]) -> Vec<u8> {
        let algorithm = self.signer.algorithm();
        let extensions = match template.extensions.as_slice() {
            [] => Vec::new(),
            some => write::explicit(3, &write::sequence(&[&some.concat()])),
        };
        let tbs = write::sequence(&[
            &write::explicit(0, &write::small(2)),
            &write::small(template.serial),
            &algorithm.identifier_der(),
            &self.name,
            &write::sequence(&[&write::time(template.not_before), &write::time(template.not_after)]),
            &template.subject,
            spki,
            &extensions,
        ]);
        self.signed(&tbs)
    }

    /// `tbs`, algorithm and signature.
    pub fn signed(&self, tbs: &[u8]) -> Vec<u8> {
        let algorithm = self.signer.algorithm();
        let signature = block_on(self.signer.sign(algorithm, tbs)).unwrap();
        write::sequence(&[tbs, &algorithm.identifier_der(), &write::bit_string(&signature)])
    }
}
