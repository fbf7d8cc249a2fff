//! Certificates and signed messages with every part open to be spoilt. Independent of the crate's own writer.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    dead_code,
    unreachable_pub,
    missing_docs
)]

use std::sync::Arc;

use aecm_core::certificate::{Certificate, KeyUsage};
use aecm_core::digest::DigestAlgorithm;
use aecm_core::embed::OsRng;
use aecm_core::key::Signer;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::signature::SignatureAlgorithm;
use aecm_core::software::{KeySpec, SoftwareKey};
use aecm_core::time::Time;
use aecm_core::tlv::{Tag, write};

pub fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

pub fn time(text: &str) -> Time {
    Time::from_rfc3339(text).unwrap()
}

/// Who holds a key.
#[derive(Clone)]
pub struct Holder {
    pub key: SoftwareKey,
    pub signer: Arc<dyn Signer>,
}

impl Holder {
    pub fn new(spec: KeySpec) -> Self {
        let key = SoftwareKey::generate(spec, &OsRng).unwrap();
        Self { signer: Arc::new(key.clone().into_signer(Arc::new(OsRng))), key }
    }

    pub fn sign(&self, octets: &[u8]) -> Vec<u8> {
        run(self.signer.sign(self.signer.algorithm(), octets)).unwrap()
    }
}

/// What a certificate says.
#[derive(Clone)]
pub struct Certified {
    pub issuer: &'static str,
    pub subject: &'static str,
    pub serial: u64,
    pub not_before: Time,
    pub not_after: Time,
    pub ca: bool,
    pub usage: Option<KeyUsage>,
    pub extended: Option<Vec<ObjectIdentifier>>,
    pub mailbox: Option<&'static str>,
    pub extra: Vec<Vec<u8>>,
}

impl Certified {
    pub fn root() -> Self {
        Self {
            issuer: "Root",
            subject: "Root",
            serial: 1,
            not_before: time("2020-01-01T00:00:00Z"),
            not_after: time("2040-01-01T00:00:00Z"),
            ca: true,
            usage: Some(KeyUsage::KEY_CERT_SIGN),
            extended: None,
            mailbox: None,
            extra: Vec::new(),
        }
    }

    pub fn alice() -> Self {
        Self {
            issuer: "Root",
            subject: "Alice",
            serial: 7,
            not_before: time("2026-01-01T00:00:00Z"),
            not_after: time("2027-01-01T00:00:00Z"),
            ca: false,
            usage: Some(KeyUsage::DIGITAL_SIGNATURE),
            extended: Some(vec![oid::EMAIL_PROTECTION]),
            mailbox: Some("alice@example.org"),
            extra: Vec::new(),
        }
    }

    pub fn issue(&self, holder: &Holder, issuer: &Holder) -> Certificate {
        let algorithm = issuer.signer.algorithm().identifier_der();
        let mut extensions = vec![extension(
            &oid::BASIC_CONSTRAINTS,
            self.ca,
            &if self.ca { write::sequence(&[&write::boolean(true)]) } else { write::sequence(&[]) },
        )];
        if let Some(usage) = self.usage {
            extensions.push(extension(&oid::KEY_USAGE, true, &usage.to_der()));
        }
        if let Some(extended) = &self.extended {
            let oids: Vec<Vec<u8>> = extended.iter().map(write::oid).collect();
            extensions.push(extension(
                &oid::EXT_KEY_USAGE,
                false,
                &write::tlv(Tag::SEQUENCE, &oids.concat()),
            ));
        }
        if let Some(mailbox) = self.mailbox {
            let name = write::tlv(Tag::context_primitive(1), mailbox.as_bytes());
            extensions.push(extension(&oid::SUBJECT_ALT_NAME, false, &write::sequence(&[&name])));
        }
        extensions.extend(self.extra.iter().cloned());
        let validity = write::sequence(&[&write::time(self.not_before), &write::time(self.not_after)]);
        let tbs = write::sequence(&[
            &write::explicit(0, &write::small(2)),
            &write::small(self.serial),
            &algorithm,
            &name(self.issuer),
            &validity,
            &name(self.subject),
            holder.key.public_key().spki_der(),
            &write::explicit(3, &write::tlv(Tag::SEQUENCE, &extensions.concat())),
        ]);
        let signature = write::bit_string(&issuer.sign(&tbs));
        Certificate::from_der(&write::sequence(&[&tbs, &algorithm, &signature])).unwrap()
    }
}

pub fn name(common: &str) -> Vec<u8> {
    let pair = write::sequence(&[&write::oid(&oid::COMMON_NAME), &write::utf8(common)]);
    write::sequence(&[&write::tlv(Tag::SET, &pair)])
}

pub fn extension(oid: &ObjectIdentifier, critical: bool, value: &[u8]) -> Vec<u8> {
    let critical = if critical { write::boolean(true) } else { Vec::new() };
    write::sequence(&[&write::oid(oid), &critical, &write::octet_string(value)])
}

pub fn attribute(oid: &ObjectIdentifier, values: &[Vec<u8>]) -> Vec<u8> {
    write::sequence(&[&write::oid(oid), &write::set_of(values.to_vec())])
}

/// One SignerInfo to be.
#[derive(Clone)]
pub struct SignerDraft {
    pub holder: Holder,
    pub version: u64,
    pub sid: Vec<u8>,
    pub digest: Vec<u8>,
    pub algorithm: Vec<u8>,
    /// `None`: no signed attributes.
    pub attributes: Option<Vec<Vec<u8>>>,
    pub sorted: bool,
    /// A change of the signature value after signing.
    pub spoil: fn(&mut Vec<u8>),
    pub unsigned: Vec<Vec<u8>>,
}

/// A SignedData to be.
#[derive(Clone)]
pub struct MessageDraft {
    pub outer: ObjectIdentifier,
    pub version: u64,
    pub digests: Vec<Vec<u8>>,
    pub content_type: ObjectIdentifier,
    /// What is signed.
    pub signed: Vec<u8>,
    /// What is carried; `None`: detached.
    pub carried: Option<Vec<u8>>,
    pub certificates: Vec<Certificate>,
    pub signers: Vec<SignerDraft>,
}

pub fn issuer_and_serial(certificate: &Certificate) -> Vec<u8> {
    let serial = write::tlv(Tag::INTEGER, certificate.serial());
    write::sequence(&[certificate.issuer_der(), &serial])
}

impl SignerDraft {
    pub fn new(holder: &Holder, certificate: &Certificate, content: &[u8]) -> Self {
        let algorithm: SignatureAlgorithm = holder.signer.algorithm();
        let digest: DigestAlgorithm = algorithm.digest();
        Self {
            holder: holder.clone(),
            version: 1,
            sid: issuer_and_serial(certificate),
            digest: digest.identifier_der(),
            algorithm: algorithm.identifier_der(),
            attributes: Some(vec![
                attribute(&oid::CONTENT_TYPE, &[write::oid(&oid::DATA)]),
                attribute(&oid::SIGNING_TIME, &[write::time(time("2026-06-01T00:00:00Z"))]),
                attribute(&oid::MESSAGE_DIGEST, &[write::octet_string(&digest.digest(content))]),
            ]),
            sorted: true,
            spoil: |_| {},
            unsigned: Vec::new(),
        }
    }

    /// Replaces the attribute of that type by others; none removes it.
    pub fn replace(&mut self, oid: &ObjectIdentifier, others: &[Vec<u8>]) -> &mut Self {
        let prefix = write::oid(oid);
        let list = self.attributes.as_mut().unwrap();
        list.retain(|attribute| !attribute[2..].starts_with(&prefix) && !attribute[3..].starts_with(&prefix));
        list.extend(others.iter().cloned());
        self
    }

    fn build(&self, content: &[u8]) -> Vec<u8> {
        let (signed, octets) = match &self.attributes {
            None => (Vec::new(), content.to_vec()),
            Some(list) => {
                let mut list = list.clone();
                if self.sorted {
                    list.sort();
                } else {
                    list.sort();
                    list.reverse();
                }
                (write::tlv(Tag::context(0), &list.concat()), write::tlv(Tag::SET, &list.concat()))
            }
        };
        let mut signature = self.holder.sign(&octets);
        (self.spoil)(&mut signature);
        let unsigned = if self.unsigned.is_empty() {
            Vec::new()
        } else {
            write::tlv(Tag::context(1), &self.unsigned.concat())
        };
        write::sequence(&[
            &write::small(self.version),
            &self.sid,
            &self.digest,
            &signed,
            &self.algorithm,
            &write::octet_string(&signature),
            &unsigned,
        ])
    }
}

impl MessageDraft {
    pub fn new(content: &[u8], signers: Vec<SignerDraft>, certificates: Vec<Certificate>) -> Self {
        let mut digests: Vec<Vec<u8>> = signers.iter().map(|signer| signer.digest.clone()).collect();
        digests.sort();
        digests.dedup();
        Self {
            outer: oid::SIGNED_DATA,
            version: 1,
            digests,
            content_type: oid::DATA,
            signed: content.to_vec(),
            carried: Some(content.to_vec()),
            certificates,
            signers,
        }
    }

    pub fn build(&self) -> Vec<u8> {
        let carried = self
            .carried
            .as_ref()
            .map(|content| write::explicit(0, &write::octet_string(content)))
            .unwrap_or_default();
        let bag: Vec<u8> = self.certificates.iter().flat_map(|one| one.as_der().to_vec()).collect();
        let bag = if bag.is_empty() { bag } else { write::tlv(Tag::context(0), &bag) };
        let signers: Vec<u8> = self.signers.iter().flat_map(|signer| signer.build(&self.signed)).collect();
        let body = write::sequence(&[
            &write::small(self.version),
            &write::tlv(Tag::SET, &self.digests.concat()),
            &write::sequence(&[&write::oid(&self.content_type), &carried]),
            &bag,
            &write::tlv(Tag::SET, &signers),
        ]);
        write::sequence(&[&write::oid(&self.outer), &write::explicit(0, &body)])
    }
}
