//! Keys, certificates and tokens for the tests, every part of a token open to being wrong.

use std::sync::{Arc, LazyLock};

use aecm_core::certificate::Certificate;
use aecm_core::digest::DigestAlgorithm;
use aecm_core::embed::OsRng;
use aecm_core::key::Signer;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::path::Anchors;
use aecm_core::software::{KeySpec, SoftwareKey};
use aecm_core::time::Time;
use aecm_core::tlv::{Tag, write as w};
use aecm_smime::sign::SigningIdentity;
use aecm_timestamp::TimestampPolicy;

pub const POLICY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.3.4.1");
pub const BOUND: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.3.4.9");
pub const DATA: &[u8] = b"the octets of a signature value";

pub fn time(text: &str) -> Time {
    Time::from_rfc3339(text).unwrap()
}

pub fn noon() -> Time {
    time("2026-06-01T12:00:00Z")
}

/// Runs a future that never waits for anything outside.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

#[derive(Clone)]
pub struct Holder {
    pub certificate: Certificate,
    pub signer: Arc<dyn Signer>,
}

impl Holder {
    pub fn identity(&self) -> SigningIdentity {
        SigningIdentity {
            certificate: self.certificate.clone(),
            chain: Vec::new(),
            signer: self.signer.clone(),
        }
    }

    pub fn anchors(&self) -> Anchors {
        Anchors::new(vec![self.certificate.clone()])
    }
}

#[derive(Clone)]
pub struct Spec {
    pub name: &'static str,
    pub key: KeySpec,
    pub from: Time,
    pub until: Time,
    pub ca: bool,
    /// Whether critical, and which.
    pub extended: Option<(bool, Vec<ObjectIdentifier>)>,
    pub key_usage: u16,
    pub mailbox: Option<&'static str>,
    pub policy: Option<ObjectIdentifier>,
}

impl Spec {
    pub fn root(name: &'static str, key: KeySpec) -> Self {
        Self {
            name,
            key,
            from: time("2026-01-01T00:00:00Z"),
            until: time("2036-01-01T00:00:00Z"),
            ca: true,
            extended: None,
            // keyCertSign
            key_usage: 1 << 5,
            mailbox: None,
            policy: None,
        }
    }

    pub fn unit(name: &'static str, key: KeySpec) -> Self {
        Self {
            ca: false,
            extended: Some((true, vec![oid::TIME_STAMPING])),
            // digitalSignature
            key_usage: 1,
            ..Self::root(name, key)
        }
    }

    pub fn self_signed(self) -> Holder {
        let signer = signer(self.key);
        self.certify(signer.clone(), None, signer)
    }

    pub fn under(self, issuer: &Holder) -> Holder {
        let signer = signer(self.key);
        self.certify(signer, Some(&issuer.certificate), issuer.signer.clone())
    }

    fn certify(self, own: Arc<dyn Signer>, issuer: Option<&Certificate>, by: Arc<dyn Signer>) -> Holder {
        let algorithm = by.algorithm();
        let name =
            w::sequence(&[&w::set_of(vec![w::sequence(&[&w::oid(&oid::COMMON_NAME), &w::utf8(self.name)])])]);
        let issuer_name = issuer.map_or_else(|| name.clone(), |issuer| issuer.subject_der().to_vec());
        let extension = |id: &ObjectIdentifier, critical: bool, value: &[u8]| {
            let critical = if critical { w::boolean(true) } else { Vec::new() };
            w::sequence(&[&w::oid(id), &critical, &w::octet_string(value)])
        };
        let mut extensions = vec![extension(&oid::KEY_USAGE, true, &w::named_bits(self.key_usage))];
        if self.ca {
            extensions.push(extension(&oid::BASIC_CONSTRAINTS, true, &w::sequence(&[&w::boolean(true)])));
        }
        if let Some((critical, purposes)) = &self.extended {
            let purposes: Vec<_> = purposes.iter().map(w::oid).collect();
            extensions.push(extension(&oid::EXT_KEY_USAGE, *critical, &w::sequence(&[&purposes.concat()])));
        }
        if let Some(mailbox) = self.mailbox {
            let names = w::sequence(&[&w::tlv(Tag::context_primitive(1), mailbox.as_bytes())]);
            extensions.push(extension(&oid::SUBJECT_ALT_NAME, false, &names));
        }
        if let Some(policy) = &self.policy {
            let policies = w::sequence(&[&w::sequence(&[&w::oid(policy)])]);
            extensions.push(extension(&oid::CERTIFICATE_POLICIES, false, &policies));
        }
        let mut serial = [0; 8];
        aecm_core::embed::Rng::fill(&OsRng, &mut serial).unwrap();
        let tbs = w::sequence(&[
            &w::explicit(0, &w::small(2)),
            &w::integer_bytes(&serial),
            &algorithm.identifier_der(),
            &issuer_name,
            &w::sequence(&[&w::time(self.from), &w::time(self.until)]),
            &name,
            own.public_key().spki_der(),
            &w::explicit(3, &w::sequence(&[&extensions.concat()])),
        ]);
        let signature = run(by.sign(algorithm, &tbs)).unwrap();
        let der = w::sequence(&[&tbs, &algorithm.identifier_der(), &w::bit_string(&signature)]);
        Holder { certificate: Certificate::from_der(&der).unwrap(), signer: own }
    }
}

pub fn signer(spec: KeySpec) -> Arc<dyn Signer> {
    Arc::new(SoftwareKey::generate(spec, &OsRng).unwrap().into_signer(Arc::new(OsRng)))
}

/// A TSTInfo, part by part.
#[derive(Clone)]
pub struct Info {
    pub version: u64,
    pub policy: ObjectIdentifier,
    pub digest: Vec<u8>,
    pub imprint: Vec<u8>,
    pub serial: Vec<u8>,
    pub gen_time: Vec<u8>,
    /// Whatever follows genTime.
    pub rest: Vec<Vec<u8>>,
}

impl Info {
    pub fn new(at: Time) -> Self {
        Self {
            version: 1,
            policy: POLICY,
            digest: DigestAlgorithm::Sha256.identifier_der(),
            imprint: DigestAlgorithm::Sha256.digest(DATA),
            serial: w::small(7),
            gen_time: w::generalized_time(at),
            rest: Vec::new(),
        }
    }

    pub fn der(&self) -> Vec<u8> {
        w::sequence(&[
            &w::small(self.version),
            &w::oid(&self.policy),
            &w::sequence(&[&self.digest, &w::octet_string(&self.imprint)]),
            &self.serial,
            &self.gen_time,
            &self.rest.concat(),
        ])
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Names {
    Nothing,
    V1,
    V2,
    Both,
}

/// A token, part by part. What is not changed is right.
#[derive(Clone)]
pub struct Draft {
    pub outer: ObjectIdentifier,
    pub content_type: ObjectIdentifier,
    pub content: Vec<u8>,
    /// TSTInfo stands bare, not in an OCTET STRING.
    pub bare: bool,
    /// The contentType attribute; none leaves it out.
    pub attribute_type: Option<ObjectIdentifier>,
    /// What messageDigest is the digest of; none leaves it out.
    pub digested: Option<Vec<u8>>,
    pub names: Names,
    /// The certificate that signingCertificate(V2) names.
    pub named: Certificate,
    pub signers: Vec<Holder>,
    /// The certificate whose issuer and serial number the signer is named by.
    pub identifier: Option<Certificate>,
    pub bag: Vec<Certificate>,
    pub signed_attributes: bool,
    pub break_signature: bool,
}

impl Draft {
    pub fn new(signer: &Holder, info: &Info) -> Self {
        Self {
            outer: oid::SIGNED_DATA,
            content_type: oid::TST_INFO,
            content: info.der(),
            bare: false,
            attribute_type: Some(oid::TST_INFO),
            digested: None,
            names: Names::V2,
            named: signer.certificate.clone(),
            signers: vec![signer.clone()],
            identifier: None,
            bag: vec![signer.certificate.clone()],
            signed_attributes: true,
            break_signature: false,
        }
    }

    pub fn der(&self) -> Vec<u8> {
        let digests = self.signers.iter().map(|holder| holder.signer.algorithm().digest().identifier_der());
        let mut digests: Vec<_> = digests.collect();
        digests.dedup();
        let content = if self.bare { self.content.clone() } else { w::octet_string(&self.content) };
        let bag: Vec<_> = self.bag.iter().map(|one| one.as_der().to_vec()).collect();
        let infos = self.signers.iter().map(|holder| self.signer_info(holder)).collect();
        let signed = w::sequence(&[
            &w::small(3),
            &w::set_of(digests),
            &w::sequence(&[&w::oid(&self.content_type), &w::explicit(0, &content)]),
            &if bag.is_empty() { Vec::new() } else { w::explicit(0, &bag.concat()) },
            &w::set_of(infos),
        ]);
        w::sequence(&[&w::oid(&self.outer), &w::explicit(0, &signed)])
    }

    fn signer_info(&self, holder: &Holder) -> Vec<u8> {
        let algorithm = holder.signer.algorithm();
        let digest = algorithm.digest();
        // PKCS#7 §9.3: a bare content is digested without identifier and length.
        let octets = if self.bare { inside(&self.content) } else { &self.content };
        let digested = self.digested.as_deref().unwrap_or(octets);
        let attribute =
            |id: &ObjectIdentifier, value: Vec<u8>| w::sequence(&[&w::oid(id), &w::set_of(vec![value])]);
        let mut attributes = Vec::new();
        if let Some(content_type) = &self.attribute_type {
            attributes.push(attribute(&oid::CONTENT_TYPE, w::oid(content_type)));
        }
        if self.digested != Some(Vec::new()) {
            attributes.push(attribute(&oid::MESSAGE_DIGEST, w::octet_string(&digest.digest(digested))));
        }
        if matches!(self.names, Names::V1 | Names::Both) {
            let hash = DigestAlgorithm::Sha1.digest(self.named.as_der());
            let value = w::sequence(&[&w::sequence(&[&w::sequence(&[&w::octet_string(&hash)])])]);
            attributes.push(attribute(&oid::SIGNING_CERTIFICATE, value));
        }
        if matches!(self.names, Names::V2 | Names::Both) {
            let hash = DigestAlgorithm::Sha256.digest(self.named.as_der());
            let value = w::sequence(&[&w::sequence(&[&w::sequence(&[&w::octet_string(&hash)])])]);
            attributes.push(attribute(&oid::SIGNING_CERTIFICATE_V2, value));
        }
        let set = w::set_of(attributes);
        let message = if self.signed_attributes { &set } else { &self.content };
        let mut signature = run(holder.signer.sign(algorithm, message)).unwrap();
        if self.break_signature {
            *signature.last_mut().unwrap() ^= 1;
        }
        let named = self.identifier.as_ref().unwrap_or(&holder.certificate);
        let mut implicit = set.clone();
        implicit[0] = 0xa0;
        w::sequence(&[
            &w::small(1),
            &w::sequence(&[named.issuer_der(), &w::tlv(Tag::INTEGER, named.serial())]),
            &digest.identifier_der(),
            if self.signed_attributes { &implicit } else { &[] },
            &algorithm.identifier_der(),
            &w::octet_string(&signature),
        ])
    }
}

fn inside(der: &[u8]) -> &[u8] {
    let long = usize::from(der[1].saturating_sub(0x80).min(4));
    &der[2 + if der[1] & 0x80 == 0 { 0 } else { long }..]
}

/// One family: a TSA root with a unit, and a mailbox-timestamping root with a mailbox's unit.
pub struct World {
    pub tsa_root: Holder,
    pub tsa: Holder,
    pub mailbox_root: Holder,
    pub mailbox: Holder,
}

impl World {
    fn new(key: KeySpec) -> Self {
        let tsa_root = Spec::root("TSA root", key).self_signed();
        let tsa = Spec::unit("TSA 1", key).under(&tsa_root);
        let mailbox_root = Spec::root("mailbox timestamping root", key).self_signed();
        let spec =
            Spec { mailbox: Some("alice@example.test"), policy: Some(POLICY), ..Spec::unit("alice", key) };
        let mailbox = spec.under(&mailbox_root);
        Self { tsa_root, tsa, mailbox_root, mailbox }
    }

    pub fn policy(&self) -> TimestampPolicy {
        TimestampPolicy::new(self.tsa_root.anchors()).with_mailbox_anchors(self.mailbox_root.anchors())
    }
}

pub static CLASSIC: LazyLock<World> = LazyLock::new(|| World::new(KeySpec::P256));
pub static NATIONAL: LazyLock<World> = LazyLock::new(|| World::new(KeySpec::Sm2));
