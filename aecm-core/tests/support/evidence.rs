//! Makes CRLs and OCSP responses for tests: whatever the fields say, right or wrong.

use aecm_core::certificate::Certificate;
use aecm_core::crl::{Crl, RevocationReason};
use aecm_core::digest::DigestAlgorithm;
use aecm_core::limits::Limits;
use aecm_core::ocsp::OcspResponse;
use aecm_core::oid;
use aecm_core::time::Time;
use aecm_core::tlv::{Reader, Rules, Tag, write};

use super::maker::{Authority, at, extension};

#[derive(Clone)]
pub struct CrlTemplate {
    pub this_update: Time,
    pub next_update: Option<Time>,
    /// Whole entries.
    pub entries: Vec<Vec<u8>>,
    /// Whole Extension values.
    pub extensions: Vec<Vec<u8>>,
}

impl CrlTemplate {
    /// A complete list around the time at which tests judge, with number 5.
    pub fn new(entries: Vec<Vec<u8>>) -> Self {
        Self {
            this_update: at("2027-01-10T00:00:00Z"),
            next_update: Some(at("2027-02-10T00:00:00Z")),
            entries,
            extensions: vec![crl_number(5)],
        }
    }

    pub fn with(mut self, extension: Vec<u8>) -> Self {
        self.extensions.push(extension);
        self
    }
}

pub fn crl_number(number: u64) -> Vec<u8> {
    extension(&oid::CRL_NUMBER, false, &write::small(number))
}

pub fn delta_indicator(base: u64) -> Vec<u8> {
    extension(&oid::DELTA_CRL_INDICATOR, true, &write::small(base))
}

/// An issuingDistributionPoint of whole fields.
pub fn idp(fields: &[&[u8]]) -> Vec<u8> {
    extension(&oid::ISSUING_DISTRIBUTION_POINT, true, &write::sequence(fields))
}

pub fn flag(number: u32) -> Vec<u8> {
    write::tlv(Tag::context_primitive(number), &[0xff])
}

pub fn reason_flags(number: u32, bits: u16) -> Vec<u8> {
    let bits = write::named_bits(bits);
    write::tlv(Tag::context_primitive(number), &bits[2..])
}

/// `[0]` DistributionPointName with one URL.
pub fn point_name(url: &str) -> Vec<u8> {
    let full = write::tlv(Tag::context(0), &write::tlv(Tag::context_primitive(6), url.as_bytes()));
    write::explicit(0, &full)
}

/// cRLDistributionPoints of one point with whole fields.
pub fn cdp(fields: &[&[u8]]) -> Vec<u8> {
    extension(&oid::CRL_DISTRIBUTION_POINTS, false, &write::sequence(&[&write::sequence(fields)]))
}

pub fn entry(serial: u64, date: &str, reason: Option<RevocationReason>, more: Vec<Vec<u8>>) -> Vec<u8> {
    let mut extensions = more;
    extensions
        .extend(reason.map(|reason| {
            extension(&oid::CRL_REASON, false, &write::tlv(Tag::ENUMERATED, &[reason.code()]))
        }));
    let extensions = match extensions.as_slice() {
        [] => Vec::new(),
        some => write::sequence(&[&some.concat()]),
    };
    write::sequence(&[&write::small(serial), &write::time(at(date)), &extensions])
}

pub fn invalidity(date: &str) -> Vec<u8> {
    extension(&oid::INVALIDITY_DATE, false, &write::generalized_time(at(date)))
}

impl Authority {
    pub fn crl(&self, template: &CrlTemplate) -> Crl {
        Crl::from_der(&self.crl_der(template), &Limits::default()).unwrap()
    }

    pub fn crl_der(&self, template: &CrlTemplate) -> Vec<u8> {
        use aecm_core::key::Signer as _;
        let next = template.next_update.map(write::time).unwrap_or_default();
        let entries = match template.entries.as_slice() {
            [] => Vec::new(),
            some => write::sequence(&[&some.concat()]),
        };
        let extensions = match template.extensions.as_slice() {
            [] => Vec::new(),
            some => write::explicit(0, &write::sequence(&[&some.concat()])),
        };
        self.signed(&write::sequence(&[
            &write::small(1),
            &self.signer.algorithm().identifier_der(),
            &self.name,
            &write::time(template.this_update),
            &next,
            &entries,
            &extensions,
        ]))
    }
}

#[derive(Clone)]
pub struct OcspTemplate {
    pub digest: DigestAlgorithm,
    /// A whole CertStatus.
    pub status: Vec<u8>,
    pub this_update: Time,
    pub next_update: Option<Time>,
    pub single_extensions: Vec<Vec<u8>>,
    pub extensions: Vec<Vec<u8>>,
    pub certificates: Vec<Certificate>,
    pub by_key: bool,
}

pub fn good() -> Vec<u8> {
    write::tlv(Tag::context_primitive(0), &[])
}

pub fn unknown() -> Vec<u8> {
    write::tlv(Tag::context_primitive(2), &[])
}

pub fn revoked(date: &str, reason: Option<RevocationReason>) -> Vec<u8> {
    let reason = reason.map(|reason| write::explicit(0, &write::tlv(Tag::ENUMERATED, &[reason.code()])));
    let fields = [write::generalized_time(at(date)), reason.unwrap_or_default()].concat();
    write::tlv(Tag::context(1), &fields)
}

impl OcspTemplate {
    pub fn new(status: Vec<u8>) -> Self {
        Self {
            digest: DigestAlgorithm::Sha256,
            status,
            this_update: at("2027-01-10T00:00:00Z"),
            next_update: Some(at("2027-02-10T00:00:00Z")),
            single_extensions: Vec::new(),
            extensions: Vec::new(),
            certificates: Vec::new(),
            by_key: false,
        }
    }
}

fn key_bits(spki: &[u8]) -> Vec<u8> {
    let mut outer = Reader::new(spki, Rules::Der, &Limits::default());
    let mut fields = outer.sequence().unwrap();
    fields.algorithm().unwrap();
    fields.bit_string().unwrap().to_vec()
}

impl Authority {
    /// A response of this authority about `certificate`, issued by `issuer`.
    pub fn ocsp(&self, template: &OcspTemplate, certificate: &Certificate, issuer: &Self) -> OcspResponse {
        let der = self.ocsp_der(template, certificate, issuer);
        OcspResponse::from_der(&der, &Limits::default()).unwrap()
    }

    pub fn ocsp_der(&self, template: &OcspTemplate, certificate: &Certificate, issuer: &Self) -> Vec<u8> {
        use aecm_core::key::Signer as _;
        let digest = template.digest;
        let list = |number, extensions: &[Vec<u8>]| match extensions {
            [] => Vec::new(),
            some => write::explicit(number, &write::sequence(&[&some.concat()])),
        };
        let id = write::sequence(&[
            &digest.identifier_der(),
            &write::octet_string(&digest.digest(certificate.issuer_der())),
            &write::octet_string(&digest.digest(&key_bits(&issuer.spki()))),
            &write::tlv(Tag::INTEGER, certificate.serial()),
        ]);
        let next = template.next_update.map(|next| write::explicit(0, &write::generalized_time(next)));
        let single = write::sequence(&[
            &id,
            &template.status,
            &write::generalized_time(template.this_update),
            &next.unwrap_or_default(),
            &list(1, &template.single_extensions),
        ]);
        let responder = if template.by_key {
            write::explicit(2, &write::octet_string(&self.signer.public_key().key_identifier()))
        } else {
            write::explicit(1, &self.name)
        };
        let data = write::sequence(&[
            &responder,
            &write::generalized_time(template.this_update),
            &write::sequence(&[&single]),
            &list(1, &template.extensions),
        ]);
        let signed = self.signed(&data);
        let mut reader = Reader::new(&signed, Rules::Der, &Limits::default());
        let fields = reader.sequence().unwrap();
        let certificates: Vec<u8> =
            template.certificates.iter().flat_map(|certificate| certificate.as_der().to_vec()).collect();
        let certificates = match certificates.as_slice() {
            [] => Vec::new(),
            some => write::explicit(0, &write::sequence(&[some])),
        };
        let basic = write::sequence(&[fields.rest(), &certificates]);
        let bytes = write::sequence(&[&write::oid(&oid::OCSP_BASIC), &write::octet_string(&basic)]);
        write::sequence(&[&write::tlv(Tag::ENUMERATED, &[0]), &write::explicit(0, &bytes)])
    }
}
