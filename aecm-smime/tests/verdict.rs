//! Each rule of the verdict has a message that breaks it and nothing else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

#[path = "support/maker.rs"]
mod maker;

use std::sync::LazyLock;

use aecm_core::certificate::{Certificate, KeyUsage};
use aecm_core::digest::DigestAlgorithm;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::path::Anchors;
use aecm_core::software::KeySpec;
use aecm_core::suite::Suite;
use aecm_core::tlv::{Tag, write};
use aecm_smime::cms::Form;
use aecm_smime::verify::{
    CheckResult, Checks, Policy, RevocationCheck, SignedReport, SignerPolicy, TimestampRule, TimestampTrust,
    TokenFinding, TokenVerifier, Verdict, Verifier,
};
use aecm_smime::{Error, Tolerance};
use maker::{Certified, Holder, MessageDraft, SignerDraft, attribute, time};

const CONTENT: &[u8] = b"Content-Type: text/plain\r\n\r\nHello\r\n";

/// A root and Alice under it, in one suite.
struct World {
    root_key: Holder,
    root: Certificate,
    alice_key: Holder,
    alice: Certificate,
}

impl World {
    fn new(spec: KeySpec) -> Self {
        let (root_key, alice_key) = (Holder::new(spec), Holder::new(spec));
        let root = Certified::root().issue(&root_key, &root_key);
        let alice = Certified::alice().issue(&alice_key, &root_key);
        Self { root_key, root, alice_key, alice }
    }

    fn signer(&self) -> SignerDraft {
        SignerDraft::new(&self.alice_key, &self.alice, CONTENT)
    }

    fn message(&self) -> MessageDraft {
        MessageDraft::new(CONTENT, vec![self.signer()], vec![self.alice.clone()])
    }

    /// A message whose signer was changed before it signed.
    fn changed(&self, change: impl FnOnce(&mut SignerDraft)) -> MessageDraft {
        let mut message = self.message();
        change(&mut message.signers[0]);
        message
    }

    /// A message signed with another certificate of Alice's key.
    fn certified(&self, certified: &Certified) -> MessageDraft {
        let certificate = certified.issue(&self.alice_key, &self.root_key);
        let signer = SignerDraft::new(&self.alice_key, &certificate, CONTENT);
        MessageDraft::new(CONTENT, vec![signer], vec![certificate])
    }
}

static ECC: LazyLock<World> = LazyLock::new(|| World::new(KeySpec::P256));
static SM2: LazyLock<World> = LazyLock::new(|| World::new(KeySpec::Sm2));

fn anchors() -> Anchors {
    Anchors::new(vec![ECC.root.clone(), SM2.root.clone()])
}

fn check_with(message: &MessageDraft, policy: &Policy) -> SignedReport {
    Verifier::new(&anchors(), policy)
        .at(time("2026-07-01T00:00:00Z"))
        .email(&"alice@example.org".parse().unwrap())
        .verify(&message.build(), message.carried.is_none().then_some(CONTENT))
        .unwrap()
}

fn check(message: &MessageDraft) -> SignedReport {
    check_with(message, &Policy::modern())
}

fn words(report: &SignedReport) -> Vec<&'static str> {
    report.all_reasons().iter().map(|reason| reason.word()).collect()
}

const GOOD: Checks = Checks {
    signature: CheckResult::Valid,
    digest: CheckResult::Valid,
    attributes: CheckResult::Valid,
    chain: CheckResult::Valid,
    usage: CheckResult::Valid,
    identity: CheckResult::Valid,
    revocation: RevocationCheck::Unknown,
    time: CheckResult::NotEvaluated,
    policy: CheckResult::Valid,
};

const BAD: CheckResult = CheckResult::Invalid;

#[track_caller]
fn expect(message: &MessageDraft, verdict: Verdict, checks: Checks, reasons: &[&str]) {
    let report = check(message);
    assert_eq!(words(&report), reasons);
    assert_eq!(report.signers[0].checks, checks);
    assert_eq!(report.verdict, verdict);
    assert_eq!(report.signers[0].verdict, verdict);
    let leaves = verdict != Verdict::Invalid || !checks.cryptographic_failure();
    assert_eq!(report.content.is_some(), leaves, "content leaves only after its signature held");
}

#[track_caller]
fn attributes_invalid(message: &MessageDraft, reason: &str) {
    expect(message, Verdict::Invalid, Checks { attributes: BAD, ..GOOD }, &[reason]);
}

#[test]
fn the_good_messages_are_valid() {
    for world in [&*ECC, &*SM2] {
        expect(&world.message(), Verdict::Valid, GOOD, &[]);
        let report = check(&world.message());
        assert_eq!(report.content.as_deref(), Some(CONTENT));
        assert_eq!(report.tolerances, []);
        assert_eq!(report.signers[0].time.claimed, Some(time("2026-06-01T00:00:00Z")));
        let mut detached = world.message();
        detached.carried = None;
        let report = check(&detached);
        assert_eq!((report.verdict, report.content), (Verdict::Valid, None));
    }
}

// ----- one field each ---------------------------------------------------------------------------------------

#[test]
fn only_signature() {
    for world in [&*ECC, &*SM2] {
        let message = world.changed(|signer| signer.holder = Holder::new(KeySpec::P256));
        let other = if world.alice.public_key().unwrap().suite() == Suite::Sm2 {
            world.changed(|signer| signer.holder = Holder::new(KeySpec::Sm2))
        } else {
            message
        };
        expect(&other, Verdict::Invalid, Checks { signature: BAD, ..GOOD }, &["signature-mismatch"]);
        let spoilt = world.changed(|signer| {
            signer.spoil = |signature| {
                if let Some(last) = signature.last_mut() {
                    *last ^= 1;
                }
            };
        });
        expect(&spoilt, Verdict::Invalid, Checks { signature: BAD, ..GOOD }, &["signature-mismatch"]);
        let empty = world.changed(|signer| signer.spoil = Vec::clear);
        expect(&empty, Verdict::Invalid, Checks { signature: BAD, ..GOOD }, &["signature-mismatch"]);
    }
}

#[test]
fn only_digest() {
    for world in [&*ECC, &*SM2] {
        let mut message = world.message();
        message.carried = Some(b"something else".to_vec());
        expect(&message, Verdict::Invalid, Checks { digest: BAD, ..GOOD }, &["digest-mismatch"]);
    }
}

#[test]
fn only_chain() {
    for world in [&*ECC, &*SM2] {
        let chain = Checks { chain: BAD, ..GOOD };
        let mut expired = Certified::alice();
        expired.not_after = time("2026-06-30T00:00:00Z");
        expect(&world.certified(&expired), Verdict::Invalid, chain, &["expired"]);
        let mut early = Certified::alice();
        early.not_before = time("2026-08-01T00:00:00Z");
        expect(&world.certified(&early), Verdict::Invalid, chain, &["not-yet-valid"]);
        let mut elsewhere = Certified::alice();
        elsewhere.issuer = "Nobody";
        expect(&world.certified(&elsewhere), Verdict::Invalid, chain, &["no-path-to-anchor"]);
        let mut critical = Certified::alice();
        let unknown = ObjectIdentifier::new_unwrap("1.2.3.4");
        critical.extra.push(maker::extension(&unknown, true, &write::null()));
        expect(&world.certified(&critical), Verdict::Invalid, chain, &["unknown-critical-extension"]);
    }
}

/// THREATS S14.
#[test]
fn only_usage() {
    for world in [&*ECC, &*SM2] {
        let usage = Checks { usage: BAD, ..GOOD };
        let mut encrypting = Certified::alice();
        encrypting.usage = Some(KeyUsage::KEY_ENCIPHERMENT);
        expect(&world.certified(&encrypting), Verdict::Invalid, usage, &["usage-not-allowed"]);
        let mut stamping = Certified::alice();
        stamping.extended = Some(vec![oid::TIME_STAMPING]);
        expect(&world.certified(&stamping), Verdict::Invalid, usage, &["usage-not-allowed"]);
        let mut free = Certified::alice();
        (free.usage, free.extended) = (None, None);
        expect(&world.certified(&free), Verdict::Valid, GOOD, &[]);
        let mut commitment = Certified::alice();
        commitment.usage = Some(KeyUsage::NON_REPUDIATION);
        expect(&world.certified(&commitment), Verdict::Valid, GOOD, &[]);
    }
}

#[test]
fn only_identity() {
    for world in [&*ECC, &*SM2] {
        let identity = Checks { identity: BAD, ..GOOD };
        for mailbox in [Some("bob@example.org"), None] {
            let mut other = Certified::alice();
            other.mailbox = mailbox;
            let message = world.certified(&other);
            expect(&message, Verdict::IdentityMismatch, identity, &["from-does-not-match"]);
        }
    }
}

#[test]
fn only_policy() {
    let octets = include_bytes!("vectors/signed/openssl30-rsa-sha1.der");
    let root = Certificate::from_pem(include_str!("vectors/keys/rsa-ca.crt")).unwrap();
    let anchors = Anchors::new(vec![root]);
    let verify = |policy: &Policy| {
        Verifier::new(&anchors, policy)
            .at(time("2026-12-01T00:00:00Z"))
            .email(&"alice@example.test".parse().unwrap())
            .verify(octets, None)
            .unwrap()
    };
    let report = verify(&Policy::modern());
    assert_eq!(report.signers[0].checks, Checks { policy: BAD, ..GOOD });
    assert_eq!((report.verdict, words(&report)), (Verdict::Policy, vec!["weak-digest"]));
    let report = verify(&Policy::legacy());
    assert_eq!((report.verdict, words(&report)), (Verdict::Valid, vec![]));
    assert!(report.tolerances.contains(&Tolerance::WeakDigest));
    let mut strict = Policy::legacy();
    strict.rsa_bits_min = 3_072;
    let report = verify(&strict);
    assert_eq!((report.verdict, words(&report)), (Verdict::Policy, vec!["weak-key"]));
}

// ----- attributes: THREATS S2, S4, S7, S13 -------------------------------------------------------------------

#[test]
fn only_attributes() {
    for world in [&*ECC, &*SM2] {
        let with = |oid: &ObjectIdentifier, others: &[Vec<u8>]| {
            world.changed(|signer| {
                signer.replace(oid, others);
            })
        };
        let data = write::oid(&oid::DATA);
        let one = attribute(&oid::CONTENT_TYPE, core::slice::from_ref(&data));
        attributes_invalid(&with(&oid::CONTENT_TYPE, &[]), "content-type-attribute-missing");
        let twice = with(&oid::CONTENT_TYPE, &[one.clone(), one]);
        attributes_invalid(&twice, "content-type-attribute-repeated");
        let two = attribute(&oid::CONTENT_TYPE, &[data.clone(), write::oid(&oid::TST_INFO)]);
        attributes_invalid(&with(&oid::CONTENT_TYPE, &[two]), "content-type-attribute-repeated");
        let none = attribute(&oid::CONTENT_TYPE, &[]);
        attributes_invalid(&with(&oid::CONTENT_TYPE, &[none]), "content-type-attribute-repeated");
        let wrong = attribute(&oid::CONTENT_TYPE, &[write::octet_string(&data)]);
        attributes_invalid(&with(&oid::CONTENT_TYPE, &[wrong]), "content-type-attribute-malformed");
        let other = attribute(&oid::CONTENT_TYPE, &[write::oid(&oid::GM_DATA)]);
        attributes_invalid(&with(&oid::CONTENT_TYPE, &[other]), "content-type-mismatch");

        let none = Checks { attributes: BAD, digest: CheckResult::NotEvaluated, ..GOOD };
        let digest = |others: &[Vec<u8>], word: &str| {
            let message = with(&oid::MESSAGE_DIGEST, others);
            expect(&message, Verdict::Invalid, none, &[word]);
        };
        let algorithm = world.alice_key.signer.algorithm().digest();
        let right = write::octet_string(&algorithm.digest(CONTENT));
        let one = attribute(&oid::MESSAGE_DIGEST, core::slice::from_ref(&right));
        digest(&[], "message-digest-attribute-missing");
        digest(&[one.clone(), one], "message-digest-attribute-repeated");
        let two = attribute(&oid::MESSAGE_DIGEST, &[right.clone(), write::octet_string(&[0; 32])]);
        digest(&[two], "message-digest-attribute-repeated");
        digest(&[attribute(&oid::MESSAGE_DIGEST, &[])], "message-digest-attribute-repeated");
        let malformed = "message-digest-attribute-malformed";
        digest(
            &[attribute(&oid::MESSAGE_DIGEST, &[write::bit_string(&algorithm.digest(CONTENT))])],
            malformed,
        );
        digest(&[attribute(&oid::MESSAGE_DIGEST, &[write::octet_string(b"")])], malformed);
        let prefix = write::octet_string(&algorithm.digest(CONTENT)[..31]);
        digest(&[attribute(&oid::MESSAGE_DIGEST, &[prefix])], malformed);
        let longer = write::octet_string(&[&algorithm.digest(CONTENT)[..], &[0]].concat());
        digest(&[attribute(&oid::MESSAGE_DIGEST, &[longer])], malformed);

        let twice = attribute(&oid::SIGNING_TIME, &[write::time(time("2026-06-01T00:00:00Z"))]);
        let bad = "signing-time-attribute-malformed";
        attributes_invalid(&with(&oid::SIGNING_TIME, &[twice.clone(), twice]), bad);
        let text = attribute(&oid::SIGNING_TIME, &[write::utf8("260601000000Z")]);
        attributes_invalid(&with(&oid::SIGNING_TIME, &[text]), bad);
        expect(&with(&oid::SIGNING_TIME, &[]), Verdict::Valid, GOOD, &[]);
    }
}

#[test]
fn attributes_in_the_wrong_place_or_form() {
    let unsigned = ECC.changed(|signer| {
        signer.unsigned = vec![attribute(&oid::CONTENT_TYPE, &[write::oid(&oid::DATA)])];
    });
    attributes_invalid(&unsigned, "attribute-must-be-signed");

    let empty = ECC.changed(|signer| signer.attributes = Some(Vec::new()));
    let report = check(&empty);
    assert_eq!(report.verdict, Verdict::Invalid);
    assert_eq!(
        words(&report),
        ["signed-attributes-empty", "content-type-attribute-missing", "message-digest-attribute-missing"]
    );

    // S13: a long length within the signed attributes.
    let digest = DigestAlgorithm::Sha256.digest(CONTENT);
    let long = [b"\x04\x81\x20", digest.as_slice()].concat();
    let body = [write::oid(&oid::MESSAGE_DIGEST), write::tlv(Tag::SET, &long)].concat();
    let lax = ECC.changed(|signer| {
        signer.replace(&oid::MESSAGE_DIGEST, &[write::tlv(Tag::SEQUENCE, &body)]);
    });
    let report = check(&lax);
    assert_eq!(report.verdict, Verdict::Invalid);
    assert_eq!(words(&report)[0], "signed-attributes-not-der");
}

/// S3: an unsorted set is verified as received, and named.
#[test]
fn unsorted_attributes_are_forgiven_and_named() {
    for world in [&*ECC, &*SM2] {
        let message = world.changed(|signer| signer.sorted = false);
        expect(&message, Verdict::Valid, GOOD, &[]);
        assert_eq!(check(&message).tolerances, [Tolerance::SignedAttributesUnsorted]);
    }
}

/// S7: CMSAlgorithmProtection, exact to absent or NULL parameters.
#[test]
fn algorithm_protection_must_match() {
    for world in [&*ECC, &*SM2] {
        let signer = world.signer();
        let protection = |digest: &[u8], signature: &[u8]| {
            let content = &signature[2..];
            let value = write::sequence(&[digest, &write::tlv(Tag::context(1), content)]);
            world.changed(|signer| {
                signer
                    .replace(&oid::ALGORITHM_PROTECTION, &[attribute(&oid::ALGORITHM_PROTECTION, &[value])]);
            })
        };
        expect(&protection(&signer.digest, &signer.algorithm), Verdict::Valid, GOOD, &[]);
        let word = "algorithm-protection-mismatch";
        let sha512 = write::algorithm(&oid::SHA512, None);
        attributes_invalid(&protection(&sha512, &signer.algorithm), word);
        let ecdsa = write::algorithm(&oid::ECDSA_WITH_SHA512, None);
        attributes_invalid(&protection(&signer.digest, &ecdsa), word);
        let digest = world.alice_key.signer.algorithm().digest();
        let with_null = write::algorithm(&digest.oid(), Some(&write::null()));
        attributes_invalid(&protection(&with_null, &signer.algorithm), word);
        let none = attribute(&oid::ALGORITHM_PROTECTION, &[write::null()]);
        let message = world.changed(|signer| {
            signer.replace(&oid::ALGORITHM_PROTECTION, &[none]);
        });
        attributes_invalid(&message, word);
    }
}

/// S7: signingCertificate and signingCertificateV2.
#[test]
fn signing_certificate_must_match() {
    for world in [&*ECC, &*SM2] {
        let with = |oid: &ObjectIdentifier, id: &[u8]| {
            let value = write::sequence(&[&write::sequence(&[&write::sequence(&[id])])]);
            world.changed(|signer| {
                signer.replace(oid, &[attribute(oid, &[value])]);
            })
        };
        let v2 = oid::SIGNING_CERTIFICATE_V2;
        let hash =
            |digest: DigestAlgorithm, one: &Certificate| write::octet_string(&digest.digest(one.as_der()));
        let (alice, root) = (&world.alice, &world.root);
        expect(&with(&v2, &hash(DigestAlgorithm::Sha256, alice)), Verdict::Valid, GOOD, &[]);
        let sm3 = [DigestAlgorithm::Sm3.identifier_der(), hash(DigestAlgorithm::Sm3, alice)].concat();
        expect(&with(&v2, &sm3), Verdict::Valid, GOOD, &[]);
        let v1 = with(&oid::SIGNING_CERTIFICATE, &hash(DigestAlgorithm::Sha1, alice));
        expect(&v1, Verdict::Valid, GOOD, &[]);
        let word = "signing-certificate-mismatch";
        attributes_invalid(&with(&v2, &hash(DigestAlgorithm::Sha256, root)), word);
        attributes_invalid(&with(&v2, &hash(DigestAlgorithm::Sha1, alice)), word);
        attributes_invalid(&with(&oid::SIGNING_CERTIFICATE, &hash(DigestAlgorithm::Sha1, root)), word);
        attributes_invalid(&with(&v2, &write::null()), word);
        let issuer_serial = |serial: u64| {
            let issuer = write::sequence(&[&write::explicit(4, alice.issuer_der())]);
            write::sequence(&[&issuer, &write::small(serial)])
        };
        let named = |serial| [hash(DigestAlgorithm::Sha256, alice), issuer_serial(serial)].concat();
        expect(&with(&v2, &named(7)), Verdict::Valid, GOOD, &[]);
        attributes_invalid(&with(&v2, &named(8)), word);
    }
}

// ----- without attributes: THREATS S1 ------------------------------------------------------------------------

#[test]
fn without_attributes_the_content_is_signed() {
    for world in [&*ECC, &*SM2] {
        let message = world.changed(|signer| signer.attributes = None);
        expect(&message, Verdict::Valid, GOOD, &[]);
        let mut policy = Policy::modern();
        policy.signed_attributes_required = true;
        assert_eq!(words(&check_with(&message, &policy)), ["signed-attributes-required"]);
        let mut changed = message.clone();
        changed.carried = Some(b"something else".to_vec());
        let report = check(&changed);
        assert_eq!(report.verdict, Verdict::Invalid);
        assert_eq!(report.signers[0].checks.signature, BAD);
        assert_eq!(report.content, None);
    }
}

/// S1: the signed attributes of a message, replayed as the content of one without.
#[test]
fn attributes_replayed_as_content_are_refused() {
    for world in [&*ECC, &*SM2] {
        let mut list = world.signer().attributes.unwrap();
        list.sort();
        let set = write::tlv(Tag::SET, &list.concat());
        let mut message = world.changed(|signer| signer.attributes = None);
        (message.signed, message.carried) = (set.clone(), Some(set));
        attributes_invalid(&message, "content-is-signed-attributes");
        // With attributes over it the same content is harmless.
        let content = message.carried.clone().unwrap();
        let signer = SignerDraft::new(&world.alice_key, &world.alice, &content);
        let wrapped = MessageDraft::new(&content, vec![signer], vec![world.alice.clone()]);
        expect(&wrapped, Verdict::Valid, GOOD, &[]);
    }
}

#[test]
fn other_content_types_need_attributes_and_asking() {
    let mut message = ECC.changed(|signer| signer.attributes = None);
    message.content_type = oid::TST_INFO;
    message.version = 3;
    let report = check(&message);
    assert_eq!(words(&report), ["unexpected-content-type", "signed-attributes-required"]);
    assert_eq!(report.verdict, Verdict::Invalid);
    let mut message = ECC.changed(|signer| {
        signer.replace(&oid::CONTENT_TYPE, &[attribute(&oid::CONTENT_TYPE, &[write::oid(&oid::TST_INFO)])]);
    });
    message.content_type = oid::TST_INFO;
    message.version = 3;
    attributes_invalid(&message, "unexpected-content-type");
    let (anchors, policy) = (anchors(), Policy::modern());
    let asked = Verifier::new(&anchors, &policy).content_type(oid::TST_INFO).verify(&message.build(), None);
    assert_eq!(asked.unwrap().verdict, Verdict::Valid);
}

// ----- algorithms: THREATS S4, S8 ----------------------------------------------------------------------------

#[test]
fn algorithms_outside_the_table_are_never_skipped() {
    for world in [&*ECC, &*SM2] {
        let sm2 = world.alice.public_key().unwrap().suite() == Suite::Sm2;
        let confused = if sm2 { oid::ECDSA_WITH_SHA256 } else { oid::SM2_WITH_SM3 };
        let message = world.changed(|signer| signer.algorithm = write::algorithm(&confused, None));
        let report = check(&message);
        assert_eq!((report.verdict, words(&report)), (Verdict::Invalid, vec!["algorithm-mismatch"]));

        let unknown = ObjectIdentifier::new_unwrap("1.2.3.4");
        let message = world.changed(|signer| signer.algorithm = write::algorithm(&unknown, None));
        let report = check(&message);
        assert_eq!(words(&report), ["unsupported-signature-algorithm"]);
        assert_eq!(report.signers[0].checks.signature, CheckResult::NotEvaluated);
        assert_eq!(report.verdict, Verdict::Invalid);

        let message = world.changed(|signer| signer.digest = write::algorithm(&unknown, None));
        let report = check(&message);
        assert_eq!((report.verdict, words(&report)), (Verdict::Invalid, vec!["unsupported-digest"]));

        let mut message = world.message();
        message.digests.clear();
        let report = check(&message);
        assert_eq!((report.verdict, words(&report)), (Verdict::Invalid, vec!["digest-algorithm-undeclared"]));

        let digest = world.alice_key.signer.algorithm().digest().oid();
        let message =
            world.changed(|signer| signer.digest = write::algorithm(&digest, Some(&write::small(1))));
        let report = check(&message);
        assert_eq!((report.verdict, words(&report)), (Verdict::Invalid, vec!["digest-parameters"]));
    }
}

// ----- the leaf: THREATS S6 ----------------------------------------------------------------------------------

/// A twin with the same issuer and serial but another key does not become the signer.
#[test]
fn twins_are_told_apart_by_the_key() {
    for world in [&*ECC, &*SM2] {
        let mallory_key = Holder::new(KeySpec::P256);
        let twin = Certified::alice().issue(&mallory_key, &mallory_key);
        for order in [vec![twin.clone(), world.alice.clone()], vec![world.alice.clone(), twin.clone()]] {
            let mut message = world.message();
            message.certificates = order;
            expect(&message, Verdict::Valid, GOOD, &[]);
            assert_eq!(check(&message).signers[0].certificate.as_ref(), Some(&world.alice));
        }
        // Only the twin: whoever it names did not sign.
        let mut message = world.message();
        message.certificates = vec![twin];
        assert_eq!(check(&message).verdict, Verdict::Invalid);
    }
}

/// Of two certificates for one key, the one that holds is taken, wherever it stands.
#[test]
fn of_certificates_with_one_key_the_good_one_is_taken() {
    let mut expired = Certified::alice();
    expired.not_after = time("2026-02-01T00:00:00Z");
    let old = expired.issue(&ECC.alice_key, &ECC.root_key);
    for order in [vec![old.clone(), ECC.alice.clone()], vec![ECC.alice.clone(), old.clone()]] {
        let mut message = ECC.message();
        message.certificates = order;
        expect(&message, Verdict::Valid, GOOD, &[]);
    }
    // signingCertificateV2 decides before the dates do.
    let id = write::octet_string(&DigestAlgorithm::Sha256.digest(old.as_der()));
    let value = write::sequence(&[&write::sequence(&[&write::sequence(&[&id])])]);
    let mut message = ECC.changed(|signer| {
        signer.replace(&oid::SIGNING_CERTIFICATE_V2, &[attribute(&oid::SIGNING_CERTIFICATE_V2, &[value])]);
    });
    message.certificates = vec![ECC.alice.clone(), old];
    expect(&message, Verdict::Invalid, Checks { chain: BAD, ..GOOD }, &["expired"]);
}

#[test]
fn the_signers_certificate_may_come_from_elsewhere() {
    let mut message = ECC.message();
    message.certificates.clear();
    let report = check(&message);
    assert_eq!((report.verdict, words(&report)), (Verdict::Invalid, vec!["signer-certificate-missing"]));
    assert_eq!(report.missing.len(), 1);
    let (anchors, policy) = (anchors(), Policy::modern());
    let with = Verifier::new(&anchors, &policy)
        .at(time("2026-07-01T00:00:00Z"))
        .intermediates(core::slice::from_ref(&ECC.alice))
        .verify(&message.build(), None);
    assert_eq!(with.unwrap().verdict, Verdict::Valid);
}

#[test]
fn key_identifiers_select_too() {
    for world in [&*ECC, &*SM2] {
        let id = world.alice.public_key().unwrap().key_identifier();
        let mut message = world.changed(|signer| {
            signer.sid = write::tlv(Tag::context_primitive(0), &id);
            signer.version = 3;
        });
        message.version = 3;
        expect(&message, Verdict::Valid, GOOD, &[]);
        message.signers[0].sid = write::tlv(Tag::context_primitive(0), &[0; 20]);
        assert_eq!(words(&check(&message)), ["signer-certificate-missing"]);
    }
}

// ----- several signers: THREATS S5, DESIGN §5 ----------------------------------------------------------------

fn both(change: impl FnOnce(&mut SignerDraft, &mut SignerDraft)) -> MessageDraft {
    let (mut ecc, mut sm2) = (ECC.signer(), SM2.signer());
    change(&mut ecc, &mut sm2);
    MessageDraft::new(CONTENT, vec![ecc, sm2], vec![ECC.alice.clone(), SM2.alice.clone()])
}

fn with_signers(message: &MessageDraft, signers: SignerPolicy, email: Option<&str>) -> SignedReport {
    let mut policy = Policy::modern();
    policy.signers = signers;
    let anchors = anchors();
    let mut verifier = Verifier::new(&anchors, &policy).at(time("2026-07-01T00:00:00Z"));
    if let Some(email) = email {
        verifier = verifier.email(&email.parse().unwrap());
    }
    verifier.verify(&message.build(), None).unwrap()
}

const ALL_RULES: [SignerPolicy; 4] = [
    SignerPolicy::AnyValid,
    SignerPolicy::AllValid,
    SignerPolicy::Suite(Suite::Sm2),
    SignerPolicy::Suite(Suite::Classic),
];

#[test]
fn two_good_signers_are_valid_under_every_rule() {
    for rule in ALL_RULES {
        for email in [None, Some("alice@example.org")] {
            let report = with_signers(&both(|_, _| {}), rule, email);
            assert_eq!(report.verdict, Verdict::Valid);
            assert_eq!(report.signers.len(), 2);
        }
    }
}

/// S5: one broken signature among good ones makes the message invalid, in either place and under every rule.
#[test]
fn one_broken_signer_breaks_the_message() {
    let spoil = |signature: &mut Vec<u8>| {
        if let Some(last) = signature.last_mut() {
            *last ^= 1;
        }
    };
    for rule in ALL_RULES {
        for email in [None, Some("alice@example.org")] {
            for first in [true, false] {
                let message = both(|ecc, sm2| if first { ecc.spoil = spoil } else { sm2.spoil = spoil });
                let report = with_signers(&message, rule, email);
                assert_eq!(report.verdict, Verdict::Invalid, "{rule:?} {email:?} {first}");
                assert_eq!(report.content, None);
            }
        }
    }
}

#[test]
fn an_untrusted_second_signer_is_listed() {
    let stranger_key = Holder::new(KeySpec::P256);
    let stranger_root = Certified::root().issue(&stranger_key, &stranger_key);
    drop(stranger_root);
    let mut certified = Certified::alice();
    certified.issuer = "Stranger";
    let stranger = certified.issue(&stranger_key, &stranger_key);
    let signers = vec![SignerDraft::new(&stranger_key, &stranger, CONTENT), SM2.signer()];
    let message = MessageDraft::new(CONTENT, signers, vec![stranger, SM2.alice.clone()]);
    let email = Some("alice@example.org");
    let verdict = |rule, email| with_signers(&message, rule, email).verdict;
    assert_eq!(
        verdict(SignerPolicy::AnyValid, email),
        Verdict::Valid,
        "one that is only untrusted is listed"
    );
    assert_eq!(verdict(SignerPolicy::AllValid, email), Verdict::Invalid);
    assert_eq!(verdict(SignerPolicy::Suite(Suite::Sm2), email), Verdict::Valid);
    assert_eq!(verdict(SignerPolicy::Suite(Suite::Classic), email), Verdict::Invalid);
    assert_eq!(verdict(SignerPolicy::AnyValid, None), Verdict::Invalid, "without From all must be valid");
}

/// Signers for other mailboxes neither help nor harm.
#[test]
fn only_signers_for_the_mailbox_count() {
    let mut bob = Certified::alice();
    (bob.mailbox, bob.serial) = (Some("bob@example.org"), 8);
    let bob_key = Holder::new(KeySpec::P256);
    let bob = bob.issue(&bob_key, &ECC.root_key);
    let mut bobs = SignerDraft::new(&bob_key, &bob, CONTENT);
    let alone = MessageDraft::new(CONTENT, vec![bobs.clone()], vec![bob.clone()]);
    let email = Some("alice@example.org");
    assert_eq!(with_signers(&alone, SignerPolicy::AnyValid, email).verdict, Verdict::IdentityMismatch);
    let certificates = vec![bob, SM2.alice.clone()];
    let message = MessageDraft::new(CONTENT, vec![bobs.clone(), SM2.signer()], certificates.clone());
    assert_eq!(with_signers(&message, SignerPolicy::AllValid, email).verdict, Verdict::Valid);
    // Bob's broken signature says nothing about Alice's.
    bobs.spoil = Vec::clear;
    let message = MessageDraft::new(CONTENT, vec![bobs, SM2.signer()], certificates);
    assert_eq!(with_signers(&message, SignerPolicy::AnyValid, email).verdict, Verdict::Valid);
    assert_eq!(with_signers(&message, SignerPolicy::AnyValid, None).verdict, Verdict::Invalid);
}

#[test]
fn a_missing_suite_is_a_matter_of_policy() {
    let report = with_signers(&ECC.message(), SignerPolicy::Suite(Suite::Sm2), None);
    assert_eq!((report.verdict, words(&report)), (Verdict::Policy, vec!["suite-missing"]));
}

#[test]
fn no_signer_is_not_signed() {
    let mut message = ECC.message();
    message.signers.clear();
    message.digests.clear();
    for carried in [None, Some(CONTENT.to_vec())] {
        message.carried = carried;
        let report = check(&message);
        assert_eq!((report.verdict, words(&report)), (Verdict::NotSigned, vec!["not-signed"]));
        assert_eq!(report.content, None);
    }
}

#[test]
fn detached_without_content_is_an_error() {
    let mut message = ECC.message();
    message.carried = None;
    let (anchors, policy) = (anchors(), Policy::modern());
    let verifier = Verifier::new(&anchors, &policy);
    assert_eq!(verifier.verify(&message.build(), None).unwrap_err(), Error::DetachedContentMissing);
    assert_eq!(verifier.verify(&message.build(), Some(b"")).unwrap().verdict, Verdict::Invalid);
}

// ----- SM2: STANDARDS A7, A9 ---------------------------------------------------------------------------------

#[test]
fn the_sm2_algorithm_identifiers_are_read() {
    for (oid, tolerance) in [
        (oid::SM2_WITH_SM3, None),
        (oid::SM2_SIGN, Some(Tolerance::Sm2SignOid)),
        (oid::SM2_CURVE, Some(Tolerance::SignatureAlgorithmIsKeyType)),
    ] {
        for null in [false, true] {
            let parameters = write::null();
            let algorithm = write::algorithm(&oid, null.then_some(parameters.as_slice()));
            let message = SM2.changed(|signer| signer.algorithm = algorithm);
            let report = check(&message);
            assert_eq!(report.verdict, Verdict::Valid, "{oid} {null}");
            let mut expected = Vec::new();
            if null {
                expected.push(Tolerance::SignatureParametersNull);
            }
            expected.extend(tolerance);
            assert_eq!(report.tolerances, expected, "{oid} {null}");
        }
    }
}

#[test]
fn the_gbt_form_is_read() {
    let mut message = SM2.changed(|signer| {
        signer.replace(&oid::CONTENT_TYPE, &[attribute(&oid::CONTENT_TYPE, &[write::oid(&oid::GM_DATA)])]);
        signer.algorithm = write::algorithm(&oid::SM2_SIGN, None);
    });
    (message.outer, message.content_type) = (oid::GM_SIGNED_DATA, oid::GM_DATA);
    expect(&message, Verdict::Valid, GOOD, &[]);
    let report = check(&message);
    assert_eq!((report.form, report.tolerances), (Form::Gbt35275, vec![]));
}

// ----- time --------------------------------------------------------------------------------------------------

type Stamp = fn(&[u8], &[u8]) -> TokenFinding;

struct Stamper(Stamp);

impl TokenVerifier for Stamper {
    fn verify_token(&self, token: &[u8], signature_value: &[u8]) -> TokenFinding {
        (self.0)(token, signature_value)
    }
}

fn stamped(tokens: usize) -> MessageDraft {
    let values: Vec<Vec<u8>> = (0..tokens).map(|at| write::small(u64::try_from(at).unwrap())).collect();
    ECC.changed(|signer| signer.unsigned = vec![attribute(&oid::TIME_STAMP_TOKEN, &values)])
}

fn check_stamps(
    message: &MessageDraft,
    at: &str,
    rule: TimestampRule,
    stamper: Option<Stamp>,
) -> SignedReport {
    let mut policy = Policy::modern();
    policy.timestamps = rule;
    let anchors = anchors();
    let stamper = stamper.map(Stamper);
    let mut verifier = Verifier::new(&anchors, &policy).at(time(at));
    if let Some(stamper) = &stamper {
        verifier = verifier.timestamps(stamper);
    }
    verifier.verify(&message.build(), None).unwrap()
}

fn proven(day: &str, trust: TimestampTrust) -> TokenFinding {
    TokenFinding::Proven {
        time: time(day),
        accuracy: None,
        authority: "TSA".into(),
        trust,
        mailboxes: vec!["alice@example.org".parse().unwrap()],
    }
}

fn refused() -> TokenFinding {
    TokenFinding::Refused { word: "timestamp-imprint-mismatch", detail: "it is for another signature".into() }
}

/// T5: a time is proven no better than its authority's clock is.
#[test]
fn the_accuracy_of_a_stamp_counts_against_it() {
    let finding = |at: &str, accuracy| TokenFinding::Proven {
        time: time(at),
        accuracy: Some(core::time::Duration::from_millis(accuracy)),
        authority: "TSA".into(),
        trust: TimestampTrust::Tsa,
        mailboxes: vec![],
    };
    let rule = TimestampRule::RefusedIsInvalid;
    // Alice's certificate ends with the year.
    let end = |accuracy| finding("2026-12-31T23:59:30Z", accuracy);
    for (accuracy, wanted) in [
        (0, Verdict::Valid),
        (30_000, Verdict::Valid),
        (30_001, Verdict::Invalid),
        (u64::MAX, Verdict::Invalid),
    ] {
        let stamper = move |_: &[u8], _: &[u8]| end(accuracy);
        let anchors = anchors();
        let (policy, stamper) = (Policy::modern(), Clocked(stamper));
        let verifier = Verifier::new(&anchors, &policy).at(time("2030-01-01T00:00:00Z")).timestamps(&stamper);
        let report = verifier.verify(&stamped(1).build(), None).unwrap();
        assert_eq!(report.verdict, wanted, "{accuracy}: {:?}", words(&report));
        assert_eq!(report.signers[0].time.proven, Some(time("2026-12-31T23:59:30Z")));
    }
    // Of two the one that proves the earlier time: a later genTime of a better clock.
    let report = check_stamps(
        &stamped(2),
        "2030-01-01T00:00:00Z",
        rule,
        Some(|token, _| {
            let (at, accuracy) = match token.last() {
                Some(0) => ("2026-12-31T23:00:00Z", 3_600_000_000),
                _ => ("2026-12-31T23:30:00Z", 1_000),
            };
            TokenFinding::Proven {
                time: time(at),
                accuracy: Some(core::time::Duration::from_millis(accuracy)),
                authority: "TSA".into(),
                trust: TimestampTrust::Tsa,
                mailboxes: vec![],
            }
        }),
    );
    assert_eq!(report.verdict, Verdict::Valid, "{:?}", words(&report));
    assert_eq!(report.signers[0].time.proven, Some(time("2026-12-31T23:30:00Z")));
}

struct Clocked<F>(F);

impl<F: Fn(&[u8], &[u8]) -> TokenFinding + Send + Sync> TokenVerifier for Clocked<F> {
    fn verify_token(&self, token: &[u8], signature_value: &[u8]) -> TokenFinding {
        (self.0)(token, signature_value)
    }
}

/// A proven time within the certificate's validity holds the signature valid after it ended; nothing else does.
#[test]
fn only_a_proven_time_moves_the_time_of_evaluation() {
    let late = "2030-01-01T00:00:00Z";
    let rule = TimestampRule::RefusedIsInvalid;
    let verdict = |stamper| {
        let report = check_stamps(&stamped(1), late, rule, stamper);
        (report.verdict, report.signers[0].time.proven, report.signers[0].checks.time, words(&report))
    };
    let good = verdict(Some(|_, _| proven("2026-06-01T00:00:00Z", TimestampTrust::Tsa)));
    let when = Some(time("2026-06-01T00:00:00Z"));
    assert_eq!(good, (Verdict::Valid, when, CheckResult::Valid, vec![]));
    let own = verdict(Some(|_, _| TokenFinding::SelfAsserted {
        time: time("2026-06-01T00:00:00Z"),
        authority: "Alice".into(),
    }));
    assert_eq!(own, (Verdict::Invalid, None, CheckResult::NotEvaluated, vec!["expired"]));
    // Not even where a verifier calls it proven.
    let own = verdict(Some(|_, _| proven("2026-06-01T00:00:00Z", TimestampTrust::SelfAsserted)));
    assert_eq!(own, (Verdict::Invalid, None, CheckResult::NotEvaluated, vec!["expired"]));
    let wrong = verdict(Some(|_, _| refused()));
    assert_eq!(wrong, (Verdict::Invalid, None, BAD, vec!["timestamp-imprint-mismatch", "expired"]));
    let none = verdict(None);
    assert_eq!(none, (Verdict::Invalid, None, CheckResult::NotEvaluated, vec!["no-tsa-anchor", "expired"]));
}

#[test]
fn only_time() {
    let now = "2026-07-01T00:00:00Z";
    let run = |rule| check_stamps(&stamped(1), now, rule, Some(|_, _| refused()));
    let report = run(TimestampRule::RefusedIsInvalid);
    let identity = CheckResult::NotEvaluated;
    assert_eq!(report.signers[0].checks, Checks { time: BAD, identity, ..GOOD });
    assert_eq!((report.verdict, words(&report)), (Verdict::Invalid, vec!["timestamp-imprint-mismatch"]));
    assert_eq!(run(TimestampRule::Report).verdict, Verdict::Valid);
    let required = check_stamps(&ECC.message(), now, TimestampRule::Required, None);
    assert_eq!((required.verdict, words(&required)), (Verdict::Invalid, vec!["no-timestamp"]));
    let good: fn(&[u8], &[u8]) -> TokenFinding = |_, _| proven("2026-06-01T00:00:00Z", TimestampTrust::Tsa);
    let kept = check_stamps(&stamped(1), now, TimestampRule::Required, Some(good));
    assert_eq!(kept.verdict, Verdict::Valid);
}

/// One good token is enough; a TSA goes before a mailbox-bound unit, and the earlier before the later.
#[test]
fn the_best_token_counts() {
    let report = check_stamps(
        &stamped(4),
        "2026-07-01T00:00:00Z",
        TimestampRule::default(),
        Some(|token, _| match token {
            [2, 1, 0] => refused(),
            [2, 1, 1] => proven("2026-03-01T00:00:00Z", TimestampTrust::MailboxBoundTsu),
            [2, 1, 2] => proven("2026-05-01T00:00:00Z", TimestampTrust::Tsa),
            _ => proven("2026-04-01T00:00:00Z", TimestampTrust::Tsa),
        }),
    );
    assert_eq!(report.verdict, Verdict::Valid);
    let when = &report.signers[0].time;
    assert_eq!(when.proven, Some(time("2026-04-01T00:00:00Z")));
    assert_eq!((when.trust, when.authority.as_deref()), (Some(TimestampTrust::Tsa), Some("TSA")));
    assert_eq!(words(&report), ["timestamp-imprint-mismatch"]);
}

/// A10: a unit that is held for one mailbox says nothing about the mail of another.
#[test]
fn a_unit_of_another_mailbox_proves_nothing() {
    let now = "2026-07-01T00:00:00Z";
    let report = check_stamps(
        &stamped(1),
        now,
        TimestampRule::default(),
        Some(|_, _| TokenFinding::Proven {
            time: time("2026-06-01T00:00:00Z"),
            accuracy: None,
            authority: "Unit of Bob".into(),
            trust: TimestampTrust::MailboxBoundTsu,
            mailboxes: vec!["bob@example.org".parse().unwrap()],
        }),
    );
    assert_eq!((report.verdict, words(&report)), (Verdict::Valid, vec!["timestamp-other-mailbox"]));
    assert_eq!(
        (report.signers[0].time.proven, report.signers[0].checks.time),
        (None, CheckResult::NotEvaluated)
    );
    let own = check_stamps(
        &stamped(1),
        now,
        TimestampRule::default(),
        Some(|_, _| proven("2026-06-01T00:00:00Z", TimestampTrust::MailboxBoundTsu)),
    );
    assert_eq!(own.signers[0].time.trust, Some(TimestampTrust::MailboxBoundTsu));
}

/// A stamp of an authority that is not trusted here spoils nothing and proves nothing.
#[test]
fn a_strangers_stamp_is_left_open() {
    let now = "2026-07-01T00:00:00Z";
    for word in ["no-tsa-anchor", "timestamp-no-path-to-anchor"] {
        let finding: fn(&[u8], &[u8]) -> TokenFinding = if word == "no-tsa-anchor" {
            |_, _| TokenFinding::NotEvaluated { word: "no-tsa-anchor", detail: "x".into() }
        } else {
            |_, _| TokenFinding::NotEvaluated { word: "timestamp-no-path-to-anchor", detail: "x".into() }
        };
        let report = check_stamps(&stamped(1), now, TimestampRule::default(), Some(finding));
        assert_eq!((report.verdict, words(&report)), (Verdict::Valid, vec![word]));
        assert_eq!(report.signers[0].checks.time, CheckResult::NotEvaluated);
        assert_eq!(report.signers[0].time.proven, None);
        let report = check_stamps(&stamped(1), now, TimestampRule::Required, Some(finding));
        assert_eq!(report.verdict, Verdict::Invalid);
    }
}

#[test]
fn tokens_get_the_signature_value_and_are_counted() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static SEEN: AtomicUsize = AtomicUsize::new(0);
    let report = check_stamps(
        &stamped(12),
        "2026-07-01T00:00:00Z",
        TimestampRule::default(),
        Some(|_, value| {
            SEEN.fetch_add(1, Ordering::SeqCst);
            assert_eq!(value[0], 0x30, "the ECDSA signature value");
            proven("2026-06-01T00:00:00Z", TimestampTrust::Tsa)
        }),
    );
    assert_eq!(SEEN.load(Ordering::SeqCst), 8);
    assert_eq!((report.verdict, words(&report)), (Verdict::Valid, vec!["timestamp-too-many"]));
}

// ----- bounds ------------------------------------------------------------------------------------------------

/// Sixteen signers times sixty-four twins cost no more signature checks than the limit.
#[test]
fn signature_checks_are_bounded() {
    let twins: Vec<Certificate> = (0..32)
        .map(|_| {
            let key = Holder::new(KeySpec::P256);
            Certified::alice().issue(&key, &key)
        })
        .collect();
    let message = MessageDraft::new(CONTENT, vec![ECC.signer(); 16], twins);
    let report = check(&message);
    assert_eq!(report.verdict, Verdict::Invalid);
    assert!(words(&report).contains(&"too-many-signature-checks"), "{:?}", words(&report));
}

/// Every single bit of messages with all the attributes: never valid, but where it is named or harmless.
#[test]
fn no_flipped_bit_is_valid() {
    for world in [&*ECC, &*SM2] {
        let message = world.message();
        let octets = message.build();
        let content = Some(CONTENT.to_vec());
        for bit in 0..octets.len() * 8 {
            let mut flipped = octets.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let (anchors, policy) = (anchors(), Policy::modern());
            let verifier = Verifier::new(&anchors, &policy).at(time("2026-07-01T00:00:00Z"));
            let Ok(report) = verifier.verify(&flipped, None) else { continue };
            if report.verdict == Verdict::Valid {
                assert!(!report.tolerances.is_empty(), "bit {bit} is forgiven and not named");
                assert_eq!(report.content, content, "bit {bit}");
                assert_eq!(report.signers[0].certificate.as_ref(), Some(&world.alice), "bit {bit}");
            }
        }
    }
}

// ----- other SM2 identifiers ---------------------------------------------------------------------------------

/// Signs as some OpenSSL versions do: with another identifier than the default.
struct WithId {
    key: aecm_sm::sm2::PrivateKey,
    public: aecm_core::public_key::PublicKey,
    id: &'static [u8],
}

#[async_trait::async_trait]
impl aecm_core::key::Signer for WithId {
    fn public_key(&self) -> &aecm_core::public_key::PublicKey {
        &self.public
    }

    fn algorithm(&self) -> aecm_core::signature::SignatureAlgorithm {
        aecm_core::signature::SignatureAlgorithm::Sm2Sm3
    }

    async fn sign(
        &self,
        _: aecm_core::signature::SignatureAlgorithm,
        message: &[u8],
    ) -> Result<Vec<u8>, aecm_core::key::KeyError> {
        let mut rng = aecm_core::embed::RandCore(&aecm_core::embed::OsRng);
        Ok(self.key.sign(self.id, message, &mut rng).unwrap().to_der())
    }
}

/// STANDARDS A7: the default identifier, another one only by policy, and never silently.
#[test]
fn other_sm2_identifiers_only_by_policy() {
    let mut rng = aecm_core::embed::RandCore(&aecm_core::embed::OsRng);
    let key = aecm_sm::sm2::PrivateKey::generate(&mut rng).unwrap();
    let ec = write::sequence(&[&write::small(1), &write::octet_string(&*key.to_bytes())]);
    let curve = write::oid(&oid::SM2_CURVE);
    let algorithm = write::algorithm(&oid::EC_PUBLIC_KEY, Some(&curve));
    let pkcs8 = write::sequence(&[&write::small(0), &algorithm, &write::octet_string(&ec)]);
    let software = aecm_core::software::SoftwareKey::from_pkcs8_der(&pkcs8).unwrap();
    let public = software.public_key().clone();
    for (id, word) in [(&b""[..], "sm2-empty-id"), (b"ALICE123@YAHOO.COM", "signature-mismatch")] {
        let signer = std::sync::Arc::new(WithId { key: key.clone(), public: public.clone(), id });
        let holder = Holder { key: software.clone(), signer };
        let alice = Certified::alice().issue(&holder, &SM2.root_key);
        for attributes in [true, false] {
            let mut signer = SignerDraft::new(&holder, &alice, CONTENT);
            if !attributes {
                signer.attributes = None;
            }
            let message = MessageDraft::new(CONTENT, vec![signer], vec![alice.clone()]);
            let report = check(&message);
            assert_eq!((report.verdict, words(&report)), (Verdict::Invalid, vec![word]));
            assert_eq!(report.signers[0].checks.signature, BAD);
            let mut policy = Policy::modern();
            policy.sm2_ids = vec![b"1".to_vec(), id.to_vec()];
            let report = check_with(&message, &policy);
            assert_eq!((report.verdict, words(&report)), (Verdict::Valid, vec![]));
            assert_eq!(report.tolerances, [Tolerance::Sm2OtherId]);
        }
    }
}

/// A5: paths of one message share one budget: sixteen signers with twins, each under junk CAs of the right name, cost
/// no more signature checks than one.
#[test]
fn paths_of_one_message_share_a_budget() {
    let junk: Vec<Certificate> = (0..24)
        .map(|serial| {
            let key = Holder::new(KeySpec::P256);
            Certified { serial: 100 + serial, ..Certified::root() }.issue(&key, &key)
        })
        .collect();
    let message =
        MessageDraft::new(CONTENT, vec![ECC.signer(); 16], [vec![ECC.alice.clone()], junk].concat());
    // Without the true root every junk CA is tried, for each signer: the first few spend what there is.
    let stranger = Holder::new(KeySpec::P256);
    let anchors = Anchors::new(vec![Certified::root().issue(&stranger, &stranger)]);
    let policy = Policy::modern();
    let report = Verifier::new(&anchors, &policy).at(time("2026-07-01T00:00:00Z"));
    let report = report.verify(&message.build(), None).unwrap();
    let spent = |word: &str| {
        let has = |signer: &&aecm_smime::verify::SignerReport| {
            signer.reasons.iter().any(|reason| reason.word() == word)
        };
        report.signers.iter().filter(has).count()
    };
    assert!(spent("budget-exceeded") >= 12, "{}", spent("budget-exceeded"));
    assert!(spent("certificate-signature-invalid") <= 4);
}

/// Where the default identifier is not wanted, a signature under it is a reason, and the others are tried alone.
#[test]
fn the_default_identifier_may_be_unwanted() {
    let mut policy = Policy::modern();
    policy.sm2_default_id = false;
    policy.sm2_ids = vec![Vec::new()];
    let report = check_with(&SM2.message(), &policy);
    assert_eq!((report.verdict, words(&report)), (Verdict::Invalid, vec!["sm2-default-id"]));
    // It concerns SM2 alone.
    assert_eq!(check_with(&ECC.message(), &policy).verdict, Verdict::Valid);
}

/// Rule 7: an attribute type with arcs that nobody can hold is one that is not known, signed or not.
#[test]
fn attribute_types_that_are_too_large_survive() {
    let huge = |last: u8| {
        let oid = write::tlv(Tag::OID, &[&[0x2a][..], &[0xff; 60], &[last]].concat());
        write::sequence(&[&oid, &write::set_of(vec![write::null()])])
    };
    let mut signer = ECC.signer();
    signer.attributes.as_mut().unwrap().push(huge(1));
    signer.unsigned = vec![huge(2), huge(3)];
    let message = MessageDraft::new(CONTENT, vec![signer], vec![ECC.alice.clone()]);
    let report = check(&message);
    assert_eq!((report.verdict, words(&report)), (Verdict::Valid, vec![]));
    let octets = message.build();
    let signed = aecm_smime::cms::SignedData::parse(&octets, &aecm_core::limits::Limits::default()).unwrap();
    let unsigned = signed.signers()[0].unsigned_attributes();
    assert!(unsigned.iter().all(|one| one.oid.is_none() && one.oid_octets.len() == 62));
    assert_ne!(unsigned[0].oid_octets, unsigned[1].oid_octets);
    // One that is no identifier at all is an error still.
    let mut signer = ECC.signer();
    signer.unsigned = vec![write::sequence(&[&write::tlv(Tag::OID, &[0x80, 1]), &write::set_of(vec![])])];
    let message = MessageDraft::new(CONTENT, vec![signer], vec![ECC.alice.clone()]).build();
    assert!(Verifier::new(&Anchors::new(vec![]), &Policy::modern()).verify(&message, None).is_err());
}

/// The digest of the content is right for every signer, however many share it.
#[test]
fn one_digest_serves_all_signers() {
    let mut wrong = ECC.signer();
    let digest = write::octet_string(&[7; 32]);
    wrong.replace(&oid::MESSAGE_DIGEST, &[attribute(&oid::MESSAGE_DIGEST, &[digest])]);
    let mut bare = ECC.signer();
    bare.attributes = None;
    let message =
        MessageDraft::new(CONTENT, vec![ECC.signer(), wrong, bare, ECC.signer()], vec![ECC.alice.clone()]);
    let report = check(&message);
    let digests: Vec<CheckResult> = report.signers.iter().map(|signer| signer.checks.digest).collect();
    assert_eq!(digests, [CheckResult::Valid, BAD, CheckResult::Valid, CheckResult::Valid]);
}
