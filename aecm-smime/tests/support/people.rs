//! Keys and certificates for the tests: the stored ones of alice@example.test, and a small authority for others.

use std::path::Path;
use std::sync::Arc;

use aecm_core::certificate::{Certificate, KeyUsage};
use aecm_core::digest::DigestAlgorithm;
use aecm_core::embed::OsRng;
use aecm_core::key::Signer;
use aecm_core::limits::Limits;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::path::Anchors;
use aecm_core::public_key::PublicKey;
use aecm_core::signature::SignatureAlgorithm;
use aecm_core::software::{KeySpec, SoftwareKey};
use aecm_core::time::Time;
use aecm_core::tlv::{Reader, Rules, Tag, write};
use aecm_smime::decrypt::Recipient;
use aecm_smime::sign::SigningIdentity;

pub fn vector(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/eml").join(name)).unwrap()
}

fn text(name: &str) -> String {
    String::from_utf8(vector(&format!("keys/{name}"))).unwrap()
}

pub fn certificate(name: &str) -> Certificate {
    Certificate::from_pem(&text(&format!("{name}.crt"))).unwrap()
}

pub fn key(name: &str) -> SoftwareKey {
    SoftwareKey::from_pem(&text(&format!("{name}.key"))).unwrap()
}

/// A signing identity of the stored keys: `rsa`, `p256` or `sm2`.
pub fn identity(family: &str) -> SigningIdentity {
    let name = format!("{family}-sig");
    SigningIdentity {
        certificate: certificate(&name),
        chain: vec![certificate(&format!("{family}-ca"))],
        signer: Arc::new(key(&name).into_signer(Arc::new(OsRng))),
    }
}

/// A decryption key of the stored ones: `rsa` or `sm2`.
pub fn recipient(family: &str) -> Recipient {
    let name = format!("{family}-enc");
    Recipient { certificate: certificate(&name), key: Arc::new(key(&name).into_decryptor(Arc::new(OsRng))) }
}

pub fn anchors() -> Anchors {
    let mut roots: Vec<_> = ["rsa-ca", "p256-ca", "sm2-ca"].into_iter().map(certificate).collect();
    roots.push(Authority::new().certificate);
    Anchors::new(roots)
}

pub fn now() -> Time {
    Time::from_rfc3339("2026-12-01T00:00:00Z").unwrap()
}

/// Issues what a test needs, always with the same key (that of the stored P-256 authority's signer slot).
pub struct Authority {
    pub certificate: Certificate,
    key: SoftwareKey,
}

/// What a certificate says.
pub struct Profile {
    pub mailbox: String,
    pub usage: Option<KeyUsage>,
    pub extended: Vec<ObjectIdentifier>,
    pub capabilities: Option<Vec<u8>>,
    pub not_before: &'static str,
    pub not_after: &'static str,
}

impl Profile {
    pub fn sign(mailbox: &str) -> Self {
        Self {
            mailbox: mailbox.to_owned(),
            usage: Some(KeyUsage::DIGITAL_SIGNATURE),
            extended: vec![oid::EMAIL_PROTECTION],
            capabilities: None,
            not_before: "2026-01-01T00:00:00Z",
            not_after: "2030-01-01T00:00:00Z",
        }
    }

    pub fn encrypt(mailbox: &str) -> Self {
        Self { usage: Some(KeyUsage::KEY_ENCIPHERMENT), ..Self::sign(mailbox) }
    }
}

impl Authority {
    pub fn new() -> Self {
        let key = key("p256-agr");
        let name = name("test authority");
        let constraints =
            extension(&oid::BASIC_CONSTRAINTS, true, &write::sequence(&[&write::boolean(true)]));
        let usage = extension(&oid::KEY_USAGE, true, &KeyUsage::KEY_CERT_SIGN.to_der());
        let tbs = tbs(
            1,
            &name,
            ["2026-01-01T00:00:00Z", "2040-01-01T00:00:00Z"],
            &name,
            key.public_key(),
            &[constraints, usage].concat(),
        );
        // ECDSA draws fresh randomness; the stored key signs deterministically enough for an anchor, whose
        // own signature nobody checks.
        Self { certificate: signed(&tbs, &key), key }
    }

    pub fn issue(&self, public_key: &PublicKey, profile: &Profile) -> Certificate {
        let mut extensions = Vec::new();
        if let Some(usage) = profile.usage {
            extensions.extend(extension(&oid::KEY_USAGE, true, &usage.to_der()));
        }
        if !profile.extended.is_empty() {
            let purposes: Vec<Vec<u8>> = profile.extended.iter().map(write::oid).collect();
            extensions.extend(extension(&oid::EXT_KEY_USAGE, false, &write::sequence(&[&purposes.concat()])));
        }
        let mailbox = write::tlv(Tag::context_primitive(1), profile.mailbox.as_bytes());
        extensions.extend(extension(&oid::SUBJECT_ALT_NAME, false, &write::sequence(&[&mailbox])));
        if let Some(capabilities) = &profile.capabilities {
            extensions.extend(extension(&oid::SMIME_CAPABILITIES, false, capabilities));
        }
        let serial = u64::from_be_bytes(
            DigestAlgorithm::Sha256.digest(&[public_key.spki_der(), &extensions].concat())[..8]
                .try_into()
                .unwrap(),
        ) >> 1;
        let tbs = tbs(
            serial,
            &name("test authority"),
            [profile.not_before, profile.not_after],
            &name(&profile.mailbox),
            public_key,
            &extensions,
        );
        signed(&tbs, &self.key)
    }

    pub fn identity(&self, spec: KeySpec, profile: &Profile) -> SigningIdentity {
        let key = SoftwareKey::generate(spec, &OsRng).unwrap();
        let certificate = self.issue(key.public_key(), profile);
        SigningIdentity { certificate, chain: vec![], signer: Arc::new(key.into_signer(Arc::new(OsRng))) }
    }
}

fn name(common: &str) -> Vec<u8> {
    let attribute = write::sequence(&[&write::oid(&oid::COMMON_NAME), &write::utf8(common)]);
    write::sequence(&[&write::set_of(vec![attribute])])
}

fn extension(oid: &ObjectIdentifier, critical: bool, value: &[u8]) -> Vec<u8> {
    let critical = if critical { write::boolean(true) } else { Vec::new() };
    write::sequence(&[&write::oid(oid), &critical, &write::octet_string(value)])
}

fn tbs(
    serial: u64,
    issuer: &[u8],
    validity: [&str; 2],
    subject: &[u8],
    public_key: &PublicKey,
    extensions: &[u8],
) -> Vec<u8> {
    let [from, to] = validity.map(|time| write::time(Time::from_rfc3339(time).unwrap()));
    write::sequence(&[
        &write::explicit(0, &write::small(2)),
        &write::small(serial),
        &algorithm().identifier_der(),
        issuer,
        &write::sequence(&[&from, &to]),
        subject,
        public_key.spki_der(),
        &write::explicit(3, &write::sequence(&[extensions])),
    ])
}

const fn algorithm() -> SignatureAlgorithm {
    SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256)
}

fn signed(tbs: &[u8], key: &SoftwareKey) -> Certificate {
    let signer = key.clone().into_signer(Arc::new(OsRng));
    let runtime = std::thread::scope(|scope| {
        // A runtime of its own: the caller may already be inside one.
        let run = || {
            tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap()
                .block_on(signer.sign(algorithm(), tbs))
        };
        scope.spawn(run).join().unwrap()
    });
    let signature = runtime.unwrap();
    let der = write::sequence(&[tbs, &algorithm().identifier_der(), &write::bit_string(&signature)]);
    Certificate::from_der(&der).unwrap()
}

pub fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

pub fn version(der: &[u8]) -> u64 {
    let limits = Limits::default();
    let mut info = Reader::new(der, Rules::Der, &limits).sequence().unwrap();
    info.oid().unwrap();
    let tagged = info.context(0).unwrap().unwrap();
    tagged.reader().unwrap().sequence().unwrap().small().unwrap()
}

pub fn issued(family: &str, profile: &Profile) -> Certificate {
    let stored = certificate(&format!("{family}-enc"));
    Authority::new().issue(stored.public_key().unwrap(), profile)
}
