//! A second authority that is trusted too and issues what nobody asked for, a third that is not trusted, and a
//! stranger's mail domain.

use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use aecm::Trust;
use aecm::acme::csr::CertificateRequest;
use aecm::acme::email::challenge_sign_options;
use aecm::core::certificate::Certificate;
use aecm::core::embed::{OsRng, Rng, TxtError, TxtResolver};
use aecm::core::key::Signer;
use aecm::core::limits::Limits;
use aecm::core::mailbox::Mailbox;
use aecm::core::oid::{self, ObjectIdentifier};
use aecm::core::public_key::PublicKey;
use aecm::core::software::{KeySpec, SoftwareKey, SoftwareSigner};
use aecm::core::suite::{Purpose, Suite};
use aecm::core::time::Time;
use aecm::core::tlv::{Tag, write as w};
use aecm_service::Service;
use aecm_service::ca::{Anchors, Pki, PkiAnchors, Realm, Template};

/// What is wrong with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: a certificate as it was asked for.
    None,
    OtherKey,
    OtherMailbox,
    TwoMailboxes,
    NoMailbox,
    OtherUsage,
    BothUsages,
    CertifyingUsage,
    StampingUsage,
    AnyUsage,
    Authority,
    Expired,
    NotYet,
    TooLong,
    OtherSuite,
    ForeignIssuer,
    OtherRealm,
    NoIssuer,
}

pub struct Forger {
    trusted: Pki,
    foreign: Pki,
    now: Time,
}

const DAY: Duration = Duration::from_secs(86_400);

fn extension(id: &ObjectIdentifier, critical: bool, value: &[u8]) -> Vec<u8> {
    let value = w::octet_string(value);
    if critical {
        w::sequence(&[&w::oid(id), &w::boolean(true), &value])
    } else {
        w::sequence(&[&w::oid(id), &value])
    }
}

fn usage(bits: u8) -> Vec<u8> {
    let unused = u8::try_from(bits.trailing_zeros()).unwrap();
    extension(&oid::KEY_USAGE, true, &w::tlv(Tag::BIT_STRING, &[unused, bits]))
}

fn extended(purpose: &ObjectIdentifier) -> Vec<u8> {
    extension(&oid::EXT_KEY_USAGE, true, &w::sequence(&[&w::oid(purpose)]))
}

/// What is ready at once: keys in software.
pub fn at_once<T>(future: impl Future<Output = T>) -> T {
    match core::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("not at once"),
    }
}

fn fresh(spec: KeySpec) -> PublicKey {
    SoftwareKey::generate(spec, &OsRng).unwrap().into_signer(Arc::new(OsRng)).public_key().clone()
}

impl Forger {
    pub async fn new(now: Time) -> Self {
        let rng: Arc<dyn Rng> = Arc::new(OsRng);
        let trusted = Pki::generate(KeySpec::P256, rng.clone(), now).await.unwrap();
        let foreign = Pki::generate(KeySpec::P256, rng, now).await.unwrap();
        Self { trusted, foreign, now }
    }

    /// The roots of the service and of the second authority.
    pub fn trusted_beside(&self, service: &Service) -> Trust {
        let second = self.trusted.all_anchors().unwrap();
        let both = |of: fn(&PkiAnchors) -> &Anchors| {
            let each = |anchors: &PkiAnchors| [of(anchors).classic.clone(), of(anchors).sm2.clone()];
            [each(service.anchors()), each(&second)].concat()
        };
        Trust::new(both(|a| &a.smime), both(|a| &a.tsa), both(|a| &a.mailbox_timestamp))
    }

    /// A chain for a request.
    pub fn chain(&self, csr: &[u8], fault: Fault) -> Vec<Certificate> {
        let request = CertificateRequest::parse(csr, &Limits::default()).unwrap();
        let (mut key, mut mailbox) = (request.public_key().clone(), request.mailboxes()[0].clone());
        let purpose = request.purpose().unwrap();
        let (mut suite, mut now, mut realm) = (key.suite(), self.now, Realm::of(purpose));
        let mut pki = &self.trusted;
        match fault {
            Fault::OtherKey => key = fresh(KeySpec::Sm2),
            Fault::OtherMailbox => mailbox = "mallory@evil.example".parse().unwrap(),
            Fault::OtherSuite => (key, suite) = (fresh(KeySpec::P256), Suite::Classic),
            Fault::Expired => now = now.minus(DAY * 400),
            Fault::NotYet => now = now.plus(DAY),
            Fault::ForeignIssuer => pki = &self.foreign,
            Fault::OtherRealm => realm = Realm::Tsa,
            _ => {}
        }
        let mut template = Template::mailbox(&mailbox, suite, purpose, &key);
        match fault {
            Fault::OtherUsage if purpose == Purpose::Encrypt => template.extensions[0] = usage(0x80),
            Fault::OtherUsage => template.extensions[0] = usage(0x20),
            Fault::BothUsages => template.extensions[0] = usage(0xa0),
            Fault::CertifyingUsage => template.extensions[0] = usage(0x84),
            Fault::StampingUsage => template.extensions[1] = extended(&oid::TIME_STAMPING),
            Fault::AnyUsage => template.extensions[1] = extended(&oid::ANY_EXTENDED_KEY_USAGE),
            Fault::TwoMailboxes => {
                let name = |text: &str| w::tlv(Tag::context_primitive(1), text.as_bytes());
                let names = [name(mailbox.as_str()), name("mallory@evil.example")].concat();
                template.extensions[3] = extension(&oid::SUBJECT_ALT_NAME, false, &w::sequence(&[&names]));
            }
            Fault::NoMailbox => drop(template.extensions.remove(3)),
            Fault::Authority => template.extensions.push(extension(
                &oid::BASIC_CONSTRAINTS,
                true,
                &w::sequence(&[&w::boolean(true)]),
            )),
            Fault::TooLong => template.lifetime = DAY * 4_000,
            _ => {}
        }
        let issuer = pki.issuer(realm, suite).unwrap();
        let leaf = at_once(issuer.issue(&template, &key, &OsRng, now)).unwrap();
        let above = if fault == Fault::NoIssuer { Vec::new() } else { issuer.chain_below() };
        [vec![leaf], above].concat()
    }

    pub fn pem(&self, csr: &[u8], fault: Fault) -> String {
        self.chain(csr, fault).iter().map(Certificate::to_pem).collect()
    }
}

/// RSA, because DKIM signing here takes nothing else.
static EVIL: LazyLock<SoftwareSigner> = LazyLock::new(|| {
    SoftwareKey::generate(KeySpec::Rsa(2_048), &OsRng).unwrap().into_signer(Arc::new(OsRng))
});

/// Signs a mail in the name of evil.example, whose key stands in the DNS.
pub fn signed_by_evil(mail: &str, now: Time) -> Vec<u8> {
    let evil: Mailbox = "mallory@evil.example".parse().unwrap();
    let options = challenge_sign_options(&evil, "evil", now);
    at_once(options.sign_mail(mail.as_bytes(), &*EVIL)).unwrap()
}

/// The DNS of the service, and evil.example in it.
pub struct Dns(Arc<dyn TxtResolver>);

impl Dns {
    pub fn new(service: &Service) -> Self {
        Self(service.txt_resolver())
    }
}

#[async_trait::async_trait]
impl TxtResolver for Dns {
    async fn txt(&self, name: &str) -> Result<Vec<Vec<u8>>, TxtError> {
        if name != "evil._domainkey.evil.example" {
            return self.0.txt(name).await;
        }
        let key = base64(EVIL.public_key().spki_der());
        Ok(vec![format!("v=DKIM1; k=rsa; p={key}").into_bytes()])
    }
}

/// Base64 (RFC 4648 §4) from the base64url that ACME has.
fn base64(octets: &[u8]) -> String {
    let text = aecm::acme::jws::encode(octets).replace('-', "+").replace('_', "/");
    let padding = (4 - text.len() % 4) % 4;
    text + &"=".repeat(padding)
}
