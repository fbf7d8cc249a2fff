//! A CA of four roots that issues what it is told to, right or wrong.

use std::sync::{Arc, OnceLock};

use aecm_acme::csr::CertificateRequest;
use aecm_acme::machine::IssuerAnchors;
use aecm_core::certificate::{Certificate, KeyUsage};
use aecm_core::embed::OsRng;
use aecm_core::key::Signer;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::path::Anchors;
use aecm_core::public_key::PublicKey;
use aecm_core::software::{KeySpec, SoftwareKey, SoftwareSigner};
use aecm_core::suite::{Purpose, Suite};
use aecm_core::time::Time;
use aecm_core::tlv::{Tag, write};

/// Software keys and virtual clocks are always ready soon: polling is enough, and it nests.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
}

struct Root {
    key: SoftwareSigner,
    name: Vec<u8>,
    certificate: Certificate,
}

/// What is wrong with the certificates (THREATS N7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    None,
    OtherKey,
    AccountKey,
    OtherMailbox,
    TwoMailboxes,
    DualUsage,
    NoUsage,
    WrongExtendedUsage,
    Authority,
    Expired,
    NotYet,
    TooLong,
    ForeignIssuer,
    WrongRoot,
}

struct Roots {
    smime: [Root; 2],
    timestamp: [Root; 2],
    foreign: Root,
    other: PublicKey,
}

// Made once: hundreds of runs need them.
static ROOTS: OnceLock<Arc<Roots>> = OnceLock::new();

pub struct Ca {
    roots: Arc<Roots>,
    pub fault: Fault,
    serial: u64,
}

fn key(spec: KeySpec) -> SoftwareSigner {
    SoftwareKey::generate(spec, &OsRng).unwrap().into_signer(Arc::new(OsRng))
}

fn name(common_name: &str) -> Vec<u8> {
    let attribute = write::sequence(&[&write::oid(&oid::COMMON_NAME), &write::utf8(common_name)]);
    write::sequence(&[&write::set_of(vec![attribute])])
}

fn extension(oid: &ObjectIdentifier, critical: bool, value: &[u8]) -> Vec<u8> {
    let (oid, value) = (write::oid(oid), write::octet_string(value));
    if critical {
        write::sequence(&[&oid, &write::boolean(true), &value])
    } else {
        write::sequence(&[&oid, &value])
    }
}

struct Tbs<'a> {
    serial: u64,
    issuer: &'a [u8],
    subject: &'a [u8],
    spki: &'a [u8],
    validity: (Time, Time),
    extensions: Vec<Vec<u8>>,
}

fn sign(tbs: &Tbs<'_>, signer: &SoftwareSigner) -> Certificate {
    let algorithm = signer.algorithm().identifier_der();
    let extensions: Vec<&[u8]> = tbs.extensions.iter().map(Vec::as_slice).collect();
    let tbs = write::sequence(&[
        &write::explicit(0, &write::small(2)),
        &write::small(tbs.serial),
        &algorithm,
        tbs.issuer,
        &write::sequence(&[&write::time(tbs.validity.0), &write::time(tbs.validity.1)]),
        tbs.subject,
        tbs.spki,
        &write::explicit(3, &write::sequence(&extensions)),
    ]);
    let signature = block_on(signer.sign(signer.algorithm(), &tbs)).unwrap();
    Certificate::from_der(&write::sequence(&[&tbs, &algorithm, &write::bit_string(&signature)])).unwrap()
}

fn root(spec: KeySpec, common_name: &str, now: Time) -> Root {
    let (key, name) = (key(spec), name(common_name));
    let ca = write::sequence(&[&write::boolean(true)]);
    let certificate = sign(
        &Tbs {
            serial: 1,
            issuer: &name,
            subject: &name,
            spki: key.public_key().spki_der(),
            validity: (now.minus(DAY), now.plus(DAY * 3650)),
            extensions: vec![
                extension(&oid::BASIC_CONSTRAINTS, true, &ca),
                extension(&oid::KEY_USAGE, true, &(KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN).to_der()),
            ],
        },
        &key,
    );
    Root { key, name, certificate }
}

pub const DAY: core::time::Duration = core::time::Duration::from_secs(86_400);

const fn index(suite: Suite) -> usize {
    match suite {
        Suite::Classic => 0,
        Suite::Sm2 => 1,
    }
}

impl Ca {
    pub fn new(now: Time) -> Self {
        let make = || Roots {
            smime: [root(KeySpec::P256, "S/MIME classic", now), root(KeySpec::Sm2, "S/MIME SM2", now)],
            timestamp: [
                root(KeySpec::P256, "Timestamp classic", now),
                root(KeySpec::Sm2, "Timestamp SM2", now),
            ],
            foreign: root(KeySpec::P256, "S/MIME classic", now),
            other: key(KeySpec::P256).public_key().clone(),
        };
        Self { roots: Arc::clone(ROOTS.get_or_init(|| Arc::new(make()))), fault: Fault::None, serial: 1 }
    }

    pub fn anchors(&self) -> IssuerAnchors {
        let of = |root: &Root| Anchors::new(vec![root.certificate.clone()]);
        let ([smime_classic, smime_sm2], [timestamp_classic, timestamp_sm2]) =
            (&self.roots.smime, &self.roots.timestamp);
        IssuerAnchors {
            smime_classic: of(smime_classic),
            smime_sm2: of(smime_sm2),
            timestamp_classic: of(timestamp_classic),
            timestamp_sm2: of(timestamp_sm2),
        }
    }

    pub fn issue(&mut self, request: &CertificateRequest, account: &PublicKey, now: Time) -> String {
        self.serial += 1;
        let purpose = request.purpose().unwrap();
        let mut usage = request.key_usage().unwrap();
        let mut extended = request.extended_key_usage()[0];
        let mut spki = request.public_key().spki_der();
        let mut mailboxes = vec![request.mailboxes()[0].as_str()];
        let mut validity = (now, now.plus(DAY * 90));
        let mut extensions = Vec::new();
        let suite = request.public_key().suite();
        let all = Arc::clone(&self.roots);
        let roots = if purpose == Purpose::Timestamp { &all.timestamp } else { &all.smime };
        let mut root = &roots[index(suite)];
        match self.fault {
            Fault::None => {}
            Fault::OtherKey => spki = all.other.spki_der(),
            Fault::AccountKey => spki = account.spki_der(),
            Fault::OtherMailbox => mailboxes = vec!["mallory@example.com"],
            Fault::TwoMailboxes => mailboxes.push("mallory@example.com"),
            Fault::DualUsage => usage = KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_ENCIPHERMENT,
            Fault::NoUsage => {}
            Fault::WrongExtendedUsage => extended = oid::TIME_STAMPING,
            Fault::Authority => extensions.push(extension(
                &oid::BASIC_CONSTRAINTS,
                true,
                &write::sequence(&[&write::boolean(true)]),
            )),
            Fault::Expired => validity = (now.minus(DAY * 2), now.minus(DAY)),
            Fault::NotYet => validity = (now.plus(DAY), now.plus(DAY * 90)),
            Fault::TooLong => validity = (now, now.plus(DAY * 4_000)),
            Fault::ForeignIssuer => root = &all.foreign,
            Fault::WrongRoot => root = &all.timestamp[index(suite)],
        }
        let names: Vec<Vec<u8>> =
            mailboxes.iter().map(|name| write::tlv(Tag::context_primitive(1), name.as_bytes())).collect();
        let names: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
        extensions.push(extension(&oid::SUBJECT_ALT_NAME, true, &write::sequence(&names)));
        if self.fault != Fault::NoUsage {
            extensions.push(extension(&oid::KEY_USAGE, true, &usage.to_der()));
        }
        let critical = extended == oid::TIME_STAMPING;
        extensions.push(extension(
            &oid::EXT_KEY_USAGE,
            critical,
            &write::sequence(&[&write::oid(&extended)]),
        ));
        let tbs = Tbs {
            serial: self.serial,
            issuer: &root.name,
            subject: &write::sequence(&[]),
            spki,
            validity,
            extensions,
        };
        let leaf = sign(&tbs, &root.key);
        format!("{}{}", leaf.to_pem(), root.certificate.to_pem())
    }
}
