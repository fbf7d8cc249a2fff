//! Who writes to whom: of each algorithm a root, a CA under it, and under that alice who signs and bob who reads.

use std::sync::Arc;

use aecm_core::certificate::{Certificate, KeyUsage};
use aecm_core::embed::OsRng;
use aecm_core::key::Signer;
use aecm_core::oid;
use aecm_core::path::Anchors;
use aecm_core::public_key::PublicKey;
use aecm_core::software::{KeySpec, SoftwareKey, SoftwareSigner};
use aecm_core::time::Time;
use aecm_core::tlv::{Tag, write};
use aecm_smime::decrypt::Recipient;
use aecm_smime::sign::SigningIdentity;

use crate::ready;

/// The sender.
pub const ALICE: &str = "alice@example.test";
/// The reader.
pub const BOB: &str = "bob@example.test";

/// The people of one algorithm.
pub struct Family {
    /// The root, trusted.
    pub anchors: Anchors,
    /// The CA between.
    pub authority: Certificate,
    /// Alice, with the CA to send along.
    pub alice: SigningIdentity,
    /// Bob's key, where the algorithm encrypts.
    pub bob: Vec<Recipient>,
}

/// When everybody's certificates are valid.
#[must_use]
pub fn now() -> Time {
    Time::from_unix(1_795_420_800)
}

impl Family {
    /// Makes new keys and certificates.
    #[must_use]
    pub fn new(spec: KeySpec) -> Self {
        let (root_key, authority_key, alice_key) = (signer(spec), signer(spec), signer(spec));
        let root = Named { name: "Root", signer: &root_key };
        let issuing = Named { name: "Issuing", signer: &authority_key };
        let ca = [
            extension(&oid::BASIC_CONSTRAINTS, &write::sequence(&[&write::boolean(true)])),
            extension(&oid::KEY_USAGE, &KeyUsage::KEY_CERT_SIGN.to_der()),
        ]
        .concat();
        let anchor = root.certify("Root", 1, root_key.public_key(), &ca);
        let authority = root.certify("Issuing", 2, authority_key.public_key(), &ca);
        let leaf = |mailbox, serial, usage: KeyUsage, key: &PublicKey| {
            issuing.certify(mailbox, serial, key, &leaf(mailbox, usage))
        };
        let alice = SigningIdentity {
            certificate: leaf(ALICE, 3, KeyUsage::DIGITAL_SIGNATURE, alice_key.public_key()),
            chain: vec![authority.clone()],
            signer: Arc::new(alice_key),
        };
        let encrypts = matches!(spec, KeySpec::Rsa(_) | KeySpec::Sm2);
        let bob = encrypts.then(|| {
            let key = SoftwareKey::generate(spec, &OsRng).expect("a key");
            let certificate = leaf(BOB, 4, KeyUsage::KEY_ENCIPHERMENT, key.public_key());
            Recipient { certificate, key: Arc::new(key.into_decryptor(Arc::new(OsRng))) }
        });
        Self { anchors: Anchors::new(vec![anchor]), authority, alice, bob: bob.into_iter().collect() }
    }
}

/// A new signing key.
#[must_use]
pub fn signer(spec: KeySpec) -> SoftwareSigner {
    SoftwareKey::generate(spec, &OsRng).expect("a key").into_signer(Arc::new(OsRng))
}

/// A CA by its name and key.
struct Named<'a> {
    name: &'a str,
    signer: &'a SoftwareSigner,
}

impl Named<'_> {
    fn certify(&self, subject: &str, serial: u64, key: &PublicKey, extensions: &[u8]) -> Certificate {
        let algorithm = self.signer.algorithm();
        let until = Time::from_unix(now().unix() + 365 * 86_400);
        let tbs = write::sequence(&[
            &write::explicit(0, &write::small(2)),
            &write::small(serial),
            &algorithm.identifier_der(),
            &name(self.name),
            &write::sequence(&[&write::time(Time::from_unix(now().unix() - 86_400)), &write::time(until)]),
            &name(subject),
            key.spki_der(),
            &write::explicit(3, &write::tlv(Tag::SEQUENCE, extensions)),
        ]);
        let signature = ready(self.signer.sign(algorithm, &tbs)).expect("a signature");
        let der = write::sequence(&[&tbs, &algorithm.identifier_der(), &write::bit_string(&signature)]);
        Certificate::from_der(&der).expect("a certificate")
    }
}

fn name(common: &str) -> Vec<u8> {
    let pair = write::sequence(&[&write::oid(&oid::COMMON_NAME), &write::utf8(common)]);
    write::sequence(&[&write::set_of(vec![pair])])
}

fn extension(oid: &oid::ObjectIdentifier, value: &[u8]) -> Vec<u8> {
    write::sequence(&[&write::oid(oid), &write::boolean(true), &write::octet_string(value)])
}

fn leaf(mailbox: &str, usage: KeyUsage) -> Vec<u8> {
    let address = write::tlv(Tag::context_primitive(1), mailbox.as_bytes());
    let extended = write::sequence(&[&write::oid(&oid::EMAIL_PROTECTION)]);
    [
        extension(&oid::KEY_USAGE, &usage.to_der()),
        write::sequence(&[&write::oid(&oid::EXT_KEY_USAGE), &write::octet_string(&extended)]),
        write::sequence(&[
            &write::oid(&oid::SUBJECT_ALT_NAME),
            &write::octet_string(&write::sequence(&[&address])),
        ]),
    ]
    .concat()
}
