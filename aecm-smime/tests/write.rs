//! What we write: exact DER in the forms that were decided, read back by others' parsers and by ours, and every
//! refusal.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(unreachable_pub, dead_code)]

#[path = "support/people.rs"]
mod people;

use aecm_core::certificate::KeyUsage;
use aecm_core::digest::DigestAlgorithm;
use aecm_core::key::KeyError;
use aecm_core::limits::Limits;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::public_key::PublicKey;
use aecm_core::signature::SignatureAlgorithm;
use aecm_core::software::KeySpec;
use aecm_core::time::Time;
use aecm_core::tlv::{Reader, Rules, deviates_from_der, write};
use aecm_smime::cms::{Form, SignedData};
use aecm_smime::encrypt::{ContentCipher, EncryptError, UnusableCertificate};
use aecm_smime::sign::{
    SignError, SignedMessage, SignerAttributes, SigningIdentity, sign, smime_capabilities,
};
use aecm_smime::verify::{Policy, Verdict, Verifier};
use der::{Decode, Encode};
use people::{Authority, Profile, anchors, certificate, hex, identity, issued, now, version};

const CONTENT: &[u8] = b"Content-Type: text/plain\r\n\r\nHello\r\n";

fn attributes() -> SignerAttributes {
    SignerAttributes {
        signing_time: Some(now()),
        smime_capabilities: Some(smime_capabilities(&[ContentCipher::Sm4Gcm, ContentCipher::Aes256Gcm])),
        extra: vec![],
    }
}

/// Strict DER by our reader, and the same octets when independent codecs decode and encode them.
fn assert_exact_signed(der: &[u8]) {
    assert!(!deviates_from_der(der, &Limits::default()));
    let info = cms::content_info::ContentInfo::from_der(der).unwrap();
    assert!(info.to_der().unwrap() == der);
    let inner = info.content.to_der().unwrap();
    let signed = cms::signed_data::SignedData::from_der(&inner).unwrap();
    // `cms` sorts certificates by their fields, not by their octets: it decides where there are at most two.
    if signed.certificates.as_ref().is_some_and(|certificates| certificates.0.len() <= 2) {
        assert!(signed.to_der().unwrap() == inner);
    }
    let info: rasn_cms::ContentInfo = rasn::der::decode(der).unwrap();
    let signed: rasn_cms::SignedData = rasn::der::decode(info.content.as_bytes()).unwrap();
    assert!(rasn::der::encode(&signed).unwrap() == inner);
}

async fn signed(family: &str, form: Form, detached: bool) -> Vec<u8> {
    let message = SignedMessage::new(CONTENT).form(form).detached(detached).attributes(attributes());
    sign(message, &[&identity(family)]).await.unwrap().to_der()
}

#[tokio::test]
async fn signed_forms_are_exact_der_and_valid() {
    let (anchors, policy) = (anchors(), Policy::modern());
    let alice = "alice@example.test".parse().unwrap();
    for (family, form) in
        [("rsa", Form::Rfc5652), ("p256", Form::Rfc5652), ("sm2", Form::Rfc5652), ("sm2", Form::Gbt35275)]
    {
        for detached in [false, true] {
            let der = signed(family, form, detached).await;
            assert_exact_signed(&der);
            let verifier = Verifier::new(&anchors, &policy).at(now()).email(&alice);
            let report = verifier.verify(&der, detached.then_some(CONTENT)).unwrap();
            assert_eq!(report.verdict, Verdict::Valid, "{family} {form} {:?}", report.all_reasons());
            assert_eq!(report.form, form);
            assert_eq!(report.tolerances, [], "{family} {form}");
            assert_eq!(report.signers[0].time.claimed, Some(now()));
            let other = verifier.verify(&der, Some(b"Content-Type: text/plain\r\n\r\nHallo\r\n"));
            if detached {
                assert_eq!(other.unwrap().verdict, Verdict::Invalid);
            } else {
                assert!(other.is_err(), "two contents");
            }
        }
    }
}

/// A9, S7: the algorithm identifiers of each form, and the attributes that bind them.
#[tokio::test]
async fn identifiers_and_attributes_are_those_decided() {
    for (family, form, signature, digest) in [
        ("rsa", Form::Rfc5652, "300d06092a864886f70d01010b0500", "300b0609608648016503040201"),
        ("p256", Form::Rfc5652, "300a06082a8648ce3d040302", "300b0609608648016503040201"),
        ("sm2", Form::Rfc5652, "300a06082a811ccf55018375", "300a06082a811ccf55018311"),
        ("sm2", Form::Gbt35275, "300b06092a811ccf5501822d01", "300a06082a811ccf55018311"),
    ] {
        let der = signed(family, form, false).await;
        let parsed = SignedData::parse(&der, &Limits::default()).unwrap();
        let signer = &parsed.signers()[0];
        assert_eq!(hex(signer.signature_algorithm().bytes), signature);
        assert_eq!(hex(signer.digest_algorithm().bytes), digest);
        assert_eq!(parsed.content_type(), form.data());
        assert_eq!(signer.attribute(&oid::CONTENT_TYPE).unwrap().single().unwrap(), write::oid(&form.data()));

        let protection = signer.attribute(&oid::ALGORITHM_PROTECTION).unwrap().single().unwrap();
        assert_eq!(hex(&protection[2..]), format!("{digest}a1{}", &signature[2..]));

        let bound = signer.attribute(&oid::SIGNING_CERTIFICATE_V2).unwrap().single().unwrap();
        let leaf = certificate(&format!("{family}-sig"));
        let limits = Limits::default();
        let mut id = Reader::new(bound, Rules::Der, &limits)
            .sequence()
            .unwrap()
            .sequence()
            .unwrap()
            .sequence()
            .unwrap();
        let hash = if family == "sm2" {
            assert_eq!(id.algorithm().unwrap().oid, oid::SM3);
            DigestAlgorithm::Sm3
        } else {
            DigestAlgorithm::Sha256
        };
        assert_eq!(id.octet_string().unwrap(), hash.digest(leaf.as_der()));
        let mut names = vec![];
        for attribute in signer.attributes() {
            names.push(attribute.oid.unwrap());
        }
        for wanted in [oid::MESSAGE_DIGEST, oid::SIGNING_TIME, oid::SMIME_CAPABILITIES] {
            assert!(names.contains(&wanted), "{wanted}");
        }
        assert_eq!(names.len(), 6);
    }
}

/// A13: one message, an RSA and an SM2 signature in parallel, unsigned attributes added later.
#[tokio::test]
async fn several_signers_and_unsigned_attributes() {
    let (rsa, sm2) = (identity("rsa"), identity("sm2"));
    let message = SignedMessage::new(CONTENT)
        .certificates([certificate("rsa-enc"), certificate("sm2-enc"), certificate("rsa-sig")])
        .attributes(attributes());
    let mut draft = sign(message, &[&sm2, &rsa, &identity("p256")]).await.unwrap();
    let token = write::sequence(&[&write::octet_string(b"token")]);
    draft.add_unsigned_attribute(0, oid::TIME_STAMP_TOKEN, token.clone()).unwrap();
    draft.add_unsigned_attribute(0, oid::TIME_STAMP_TOKEN, write::sequence(&[&write::small(1)])).unwrap();
    draft.add_unsigned_attribute(1, oid::TIME_STAMP_TOKEN, token).unwrap();
    assert_eq!((draft.signers(), draft.signature(3)), (3, &[][..]));
    let der = draft.to_der();
    assert_exact_signed(&der);
    let parsed = SignedData::parse(&der, &Limits::default()).unwrap();
    assert_eq!(parsed.digest_algorithms().len(), 2, "SHA-256 named once");
    assert_eq!(parsed.certificates().len(), 8, "each certificate once");
    let signer = parsed.signers().iter().find(|signer| signer.signature() == draft.signature(0)).unwrap();
    assert_eq!(signer.unsigned_attributes().len(), 1);
    assert_eq!(signer.unsigned_attributes()[0].values.len(), 2);
    let (anchors, policy) = (anchors(), Policy::modern());
    let report = Verifier::new(&anchors, &policy).at(now()).verify(&der, None).unwrap();
    assert_eq!(report.signers.len(), 3);
    assert!(report.signers.iter().all(|signer| signer.checks.cryptographically_valid()));
}

#[tokio::test]
async fn versions_of_signed_data() {
    assert_eq!(version(&signed("rsa", Form::Rfc5652, false).await), 1);
    assert_eq!(version(&signed("sm2", Form::Gbt35275, false).await), 1);
    let stamper = Authority::new().identity(
        KeySpec::P256,
        &Profile { extended: vec![oid::TIME_STAMPING], ..Profile::sign("tsa@example.test") },
    );
    let message = SignedMessage::new(CONTENT).content_type(oid::TST_INFO);
    let der = sign(message, &[&stamper]).await.unwrap().to_der();
    assert_exact_signed(&der);
    assert_eq!(version(&der), 3);
}

/// The same message prepared for an HSM: octets out, signature in.
#[test]
fn prepared_for_a_key_elsewhere() {
    let leaf = certificate("rsa-sig");
    let algorithm = SignatureAlgorithm::RsaPkcs1(DigestAlgorithm::Sha256);
    let message = SignedMessage::new(CONTENT).signer(&leaf, vec![], algorithm, SignerAttributes::default());
    let prepared = message.prepare().unwrap();
    assert_eq!(
        (prepared.signers(), prepared.algorithm(0), prepared.algorithm(1)),
        (1, Some(algorithm), None)
    );
    assert_eq!(prepared.octets(0)[0], 0x31);
    assert!(prepared.octets(1).is_empty());
    assert_eq!(
        prepared.clone().finish(vec![]).err(),
        Some(SignError::SignatureCount { expected: 1, found: 0 })
    );
    assert_eq!(
        prepared.finish(vec![vec![1; 256]]).err(),
        Some(SignError::SignatureDoesNotVerify { index: 0 })
    );
}

#[test]
fn signers_that_are_refused() {
    let rsa = SignatureAlgorithm::RsaPkcs1(DigestAlgorithm::Sha256);
    let sm2 = SignatureAlgorithm::Sm2Sm3;
    let plain = SignerAttributes::default;
    let refuse = |message: SignedMessage<'_>| message.prepare().err().unwrap();
    let message = || SignedMessage::new(CONTENT);
    let leaf = certificate("rsa-sig");
    assert_eq!(refuse(message()), SignError::NoSigner);
    let many = (0..17).fold(message(), |message, _| message.signer(&leaf, vec![], rsa, plain()));
    assert_eq!(refuse(many), SignError::TooManySigners { found: 17, limit: 16 });
    for algorithm in [
        sm2,
        SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256),
        SignatureAlgorithm::RsaPkcs1(DigestAlgorithm::Sha1),
        SignatureAlgorithm::RsaPkcs1(DigestAlgorithm::Sm3),
    ] {
        let message = message().signer(&leaf, vec![], algorithm, plain());
        assert_eq!(refuse(message), SignError::AlgorithmMismatch { index: 0 }, "{algorithm:?}");
    }
    // S14: the encryption certificate does not sign, nor a mail certificate a timestamp, nor any other a mail.
    for (certificate, content_type) in [
        (certificate("rsa-enc"), oid::DATA),
        (certificate("rsa-sig"), oid::TST_INFO),
        (
            issued("rsa", &Profile { extended: vec![oid::TIME_STAMPING], ..Profile::sign("a@b.test") }),
            oid::DATA,
        ),
    ] {
        let message = message().content_type(content_type).signer(&certificate, vec![], rsa, plain());
        assert!(matches!(refuse(message), SignError::CertificateUsage { index: 0, .. }));
    }
    let both = KeyUsage::from_bits(KeyUsage::DIGITAL_SIGNATURE.bits() | KeyUsage::KEY_ENCIPHERMENT.bits());
    let dual = issued("rsa", &Profile { usage: Some(both), ..Profile::sign("a@b.test") });
    assert!(message().signer(&dual, vec![], rsa, plain()).prepare().is_ok());
    let strict = message().single_usage(true).signer(&dual, vec![], rsa, plain());
    assert!(matches!(refuse(strict), SignError::CertificateUsage { .. }));
    // GB/T 35275 holds SM2 signers and data.
    let form = message().form(Form::Gbt35275).signer(&leaf, vec![], rsa, plain());
    assert!(matches!(refuse(form), SignError::Form { .. }));
    let form = message().form(Form::Gbt35275).content_type(oid::TST_INFO);
    let form = form.signer(&certificate("sm2-sig"), vec![], sm2, plain());
    assert!(matches!(refuse(form), SignError::Form { .. }));
}

#[tokio::test]
async fn attributes_that_are_refused() {
    let leaf = certificate("rsa-sig");
    let rsa = SignatureAlgorithm::RsaPkcs1(DigestAlgorithm::Sha256);
    let value = vec![write::null()];
    let receipt = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.1");
    let with = |extra| {
        let attributes = SignerAttributes { extra, ..SignerAttributes::default() };
        SignedMessage::new(CONTENT).signer(&leaf, vec![], rsa, attributes).prepare().err()
    };
    assert_eq!(with(vec![(receipt, value.clone())]), None);
    for extra in [
        vec![(oid::MESSAGE_DIGEST, value.clone())],
        vec![(oid::SIGNING_TIME, value.clone())],
        vec![(oid::COUNTER_SIGNATURE, value.clone())],
        vec![(oid::TIME_STAMP_TOKEN, value.clone())],
        vec![(receipt, vec![])],
        vec![(receipt, value.clone()), (receipt, value.clone())],
    ] {
        assert!(matches!(with(extra), Some(SignError::Attribute { index: 0, .. })));
    }
    let mut draft = sign(SignedMessage::new(CONTENT), &[&identity("rsa")]).await.unwrap();
    for attribute in [oid::CONTENT_TYPE, oid::MESSAGE_DIGEST, oid::SIGNING_TIME, oid::SIGNING_CERTIFICATE_V2]
    {
        let refused = draft.add_unsigned_attribute(0, attribute, write::null());
        assert!(matches!(refused, Err(SignError::Attribute { .. })));
    }
    let absent = draft.add_unsigned_attribute(1, oid::TIME_STAMP_TOKEN, write::null());
    assert_eq!(absent, Err(SignError::NoSuchSigner { index: 1 }));
}

/// K8: a key that is not its certificate's, and keys that fail.
#[tokio::test]
async fn identities_that_are_refused() {
    let (rsa, sm2) = (identity("rsa"), identity("sm2"));
    let mixed = SigningIdentity { signer: sm2.signer.clone(), ..rsa.clone() };
    let refused = sign(SignedMessage::new(CONTENT), &[&mixed]).await.err();
    assert_eq!(refused, Some(SignError::IdentityMismatch { index: 0 }));
    let algorithm = rsa.signer.algorithm();
    let named =
        SignedMessage::new(CONTENT).signer(&rsa.certificate, vec![], algorithm, SignerAttributes::default());
    assert_eq!(sign(named.clone(), &[&sm2]).await.err(), Some(SignError::IdentityMismatch { index: 0 }));
    assert_eq!(
        sign(named.clone(), &[&rsa, &sm2]).await.err(),
        Some(SignError::IdentityMismatch { index: 1 })
    );
    assert!(sign(named, &[&rsa]).await.is_ok());

    let locked =
        SigningIdentity { signer: std::sync::Arc::new(Locked(rsa.signer.public_key().clone())), ..rsa };
    let refused = sign(SignedMessage::new(CONTENT), &[&locked]).await.err();
    assert_eq!(refused, Some(SignError::Key { index: 0, source: KeyError::Locked }));
}

struct Locked(PublicKey);

#[async_trait::async_trait]
impl aecm_core::key::Signer for Locked {
    fn public_key(&self) -> &PublicKey {
        &self.0
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::RsaPkcs1(DigestAlgorithm::Sha256)
    }

    async fn sign(&self, _: SignatureAlgorithm, _: &[u8]) -> Result<Vec<u8>, KeyError> {
        Err(KeyError::Locked)
    }
}

/// Every error says what was wrong and what to do, in one line.
#[test]
fn errors_are_sentences() {
    let errors: Vec<Box<dyn std::error::Error>> = vec![
        Box::new(SignError::NoSigner),
        Box::new(SignError::Key { index: 2, source: KeyError::Absent }),
        Box::new(SignError::Attribute { index: 0, attribute: oid::CONTENT_TYPE, why: "it must be signed" }),
        Box::new(EncryptError::NoRecipient),
        Box::new(EncryptError::Certificate {
            index: 1,
            why: UnusableCertificate::Expired { not_after: Time::from_unix(0) },
        }),
    ];
    for error in errors {
        let text = error.to_string();
        assert!(text.len() > 20 && !text.contains('\n') && !text.contains("{"), "{text}");
    }
}
