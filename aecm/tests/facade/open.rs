//! Receiving: the verdict, one field at a time, each by one mail that differs from a good one in that alone.

use aecm::core::digest::DigestAlgorithm;
use aecm::core::embed::{Clock as _, OsRng, SystemClock};
use aecm::core::limits::Limits;
use aecm::core::suite::{Purpose, Suite};
use aecm::smime::mime::{HeaderProtection, Outgoing, multipart_signed};
use aecm::smime::open::{Layer, Opened};
use aecm::smime::sign::{SignedMessage, SignerAttributes, SigningIdentity, sign};
use aecm::smime::verify::{CheckResult, Checks, RevocationCheck, SignerReport};
use aecm::timestamp::stamp_signature;
use aecm::{Composed, Mailbox};

use crate::world::{World, address, contains, family, letter, run};

pub fn signer(opened: &Opened) -> &SignerReport {
    opened
        .layers
        .iter()
        .find_map(|layer| match layer {
            Layer::Signed(layer) => layer.report.signers.first(),
            _ => None,
        })
        .expect("a signer")
}

pub fn words(opened: &Opened) -> Vec<&'static str> {
    opened.reasons.iter().map(aecm::smime::verify::Reason::word).collect()
}

/// What all checks come to in a good, stamped mail.
pub const GOOD: Checks = Checks {
    signature: CheckResult::Valid,
    digest: CheckResult::Valid,
    attributes: CheckResult::Valid,
    chain: CheckResult::Valid,
    usage: CheckResult::Valid,
    identity: CheckResult::Valid,
    revocation: RevocationCheck::Unknown,
    time: CheckResult::Valid,
    policy: CheckResult::Valid,
};

/// A clear-signed mail put together again from another entity or signature.
pub fn rebuilt(raw: &[u8], entity: &[u8], der: &[u8], signed: &Composed) -> Vec<u8> {
    let digest = signed.signature_algorithm.unwrap().digest();
    let wrapped = multipart_signed(entity, der, &[digest], &OsRng).unwrap();
    Outgoing::parse(raw, &Limits::default()).unwrap().message(HeaderProtection::Clear, &wrapped)
}

#[test]
fn a_good_mail_says_everything() {
    let family = family();
    run(async {
        let (alice, bob) = (&family.alice, &family.bob);
        let raw = letter(alice.address().as_str(), bob.address().as_str());
        for suite in Suite::ALL {
            let sent = alice.compose(&raw).to([address(bob)]).suite(suite).protect().await.unwrap();
            let opened = bob.open(&sent.mail).await.unwrap();
            assert_eq!(opened.verdict.word(), "valid");
            assert!(
                opened.reasons.is_empty() && opened.tolerances.is_empty(),
                "{:?} {:?}",
                opened.reasons,
                opened.tolerances
            );
            let signer = signer(&opened);
            assert_eq!(signer.checks, GOOD);
            assert_eq!(signer.mailboxes, [alice.address().clone()]);
            assert_eq!(signer.chain.len(), 3, "leaf, issuer, root");
            assert_eq!(signer.algorithm, sent.signature_algorithm);
            assert!(opened.sent_at.proven.is_some() && opened.sent_at.claimed.is_some());
            assert!(opened.sent_at.authority.as_ref().unwrap().contains("TSA"));
            assert_eq!(opened.from.as_ref(), Some(alice.address()));
            assert!(
                matches!(&opened.layers[..], [Layer::Encrypted(layer), Layer::Signed(_)] if layer.authenticated)
            );
        }
    });
}

// The own copy: what was sent can be read again by the sender.
#[test]
fn the_sender_opens_the_own_copy() {
    let family = family();
    run(async {
        for (from, to) in
            [(&family.alice, &family.bob), (&family.alice, &family.carol), (&family.dave, &family.bob)]
        {
            let raw = letter(from.address().as_str(), to.address().as_str());
            let sent = from.compose(&raw).to([address(to)]).protect().await.unwrap();
            let opened = from.open(&sent.mail).await.unwrap();
            assert_eq!(opened.verdict.word(), "valid");
        }
        // To oneself alone: one recipient, not two.
        let raw = letter(family.alice.address().as_str(), family.alice.address().as_str());
        let note = family.alice.compose(&raw).to([address(&family.alice)]).protect().await.unwrap();
        assert_eq!(family.alice.open(&note.mail).await.unwrap().verdict.word(), "valid");
    });
}

async fn signed(from: &Mailbox, to: &Mailbox) -> (Vec<u8>, Composed) {
    let raw = letter(from.address().as_str(), to.address().as_str());
    let sent = from.compose(&raw).to([address(to)]).sign().timestamp().await.unwrap();
    (raw, sent)
}

/// Signed and stamped with the default key of `signer`, whoever the mail says it is from.
async fn signed_by(world: &World, signer: &Mailbox, raw: &[u8]) -> Vec<u8> {
    let store = signer.owner().store();
    let entries = signer.entries().await.unwrap();
    let of =
        |entry: &&aecm::store::Entry| (entry.slot.suite, entry.slot.purpose) == (Suite::Sm2, Purpose::Sign);
    let entry = entries.iter().find(of).unwrap();
    let identity = SigningIdentity {
        certificate: entry.certificate.clone().unwrap(),
        chain: entry.chain.clone(),
        signer: store.signer(signer.address(), &entry.id).await.unwrap(),
    };
    let outgoing = Outgoing::parse(raw, &Limits::default()).unwrap();
    let payload = outgoing.payload(HeaderProtection::Clear).unwrap();
    let now = SystemClock.now();
    let attributes = SignerAttributes { signing_time: Some(now), ..SignerAttributes::default() };
    let message = SignedMessage::new(&payload).detached(true).attributes(attributes);
    let mut draft = sign(message, &[&identity]).await.unwrap();
    let authority = world.authority(Suite::Sm2, world.http());
    stamp_signature(&mut draft, 0, DigestAlgorithm::Sm3, authority.as_ref(), now).await.unwrap();
    let entity = multipart_signed(&payload, &draft.to_der(), &[DigestAlgorithm::Sm3], &OsRng).unwrap();
    outgoing.message(HeaderProtection::Clear, &entity)
}

// identity: the same signature under another From.
#[test]
fn only_identity() {
    let family = family();
    run(async {
        let (alice, bob) = (&family.alice, &family.bob);
        // A mail in Carol's name with Alice's key: composing refuses it, another program would not.
        let raw = letter(family.carol.address().as_str(), bob.address().as_str());
        let mail = signed_by(&family.world, alice, &raw).await;
        let opened = bob.open(&mail).await.unwrap();
        assert_eq!(opened.verdict.word(), "identity-mismatch");
        assert_eq!(words(&opened), ["from-does-not-match"]);
        assert_eq!(signer(&opened).checks, Checks { identity: CheckResult::Invalid, ..GOOD });
    });
}

// M1: the outer From exchanged on the way; the protected one is another.
#[test]
fn m1_the_outer_from_differs() {
    let family = family();
    run(async {
        let (alice, bob, carol) = (&family.alice, &family.bob, &family.carol);
        let raw = letter(alice.address().as_str(), bob.address().as_str());
        for encrypt in [false, true] {
            let compose = alice.compose(&raw).to([address(bob)]).sign().timestamp();
            let sent = if encrypt { compose.encrypt().await } else { compose.await }.unwrap();
            let text = String::from_utf8(sent.mail).unwrap();
            let (own, other) = (address(alice), address(carol));
            // The first one is the outer one.
            let changed = text.replacen(&format!("<{own}>"), &format!("<{other}>"), 1);
            assert_ne!(text, changed);
            let opened = bob.open(changed.as_bytes()).await.unwrap();
            assert_eq!(opened.verdict.word(), "identity-mismatch", "encrypted: {encrypt}");
            assert_eq!(words(&opened), ["outer-from-differs"]);
            assert_eq!(signer(&opened).checks, GOOD);
            // Without an outer From there is still the protected one; with two of them there is none.
            let line = text.lines().find(|line| line.starts_with("From: ")).unwrap();
            let doubled = text.replacen(line, &format!("{line}\r\nFrom: Carol <{other}>"), 1);
            let opened = bob.open(doubled.as_bytes()).await.unwrap();
            assert_ne!(opened.verdict.word(), "valid");
            assert!(words(&opened).contains(&"from-ambiguous"), "{:?}", words(&opened));
        }
    });
}

// time: the same mail without a stamp.
#[test]
fn only_time() {
    let family = family();
    run(async {
        let (alice, bob) = (&family.alice, &family.bob);
        let raw = letter(alice.address().as_str(), bob.address().as_str());
        let sent = alice.compose(&raw).to([address(bob)]).sign().await.unwrap();
        let opened = bob.open(&sent.mail).await.unwrap();
        assert_eq!(opened.verdict.word(), "valid");
        assert_eq!(signer(&opened).checks, Checks { time: CheckResult::NotEvaluated, ..GOOD });
        assert_eq!((opened.sent_at.proven, opened.sent_at.authority.clone()), (None, None));
        assert!(opened.sent_at.claimed.is_some());
    });
}

// chain: the same mail for a reader who trusts other roots.
#[test]
fn only_chain() {
    let family = family();
    run(async {
        let (_, sent) = signed(&family.alice, &family.bob).await;
        let world = &family.world;
        let other = World::new().await;
        // Roots of other names, and roots of the same names with other keys.
        for (anchors, word) in
            [(&world.trust.tsa, "no-path-to-anchor"), (&other.trust.smime, "certificate-signature-invalid")]
        {
            let mut trust = world.trust.clone();
            trust.smime = anchors.clone();
            let aecm = world.builder(world.http(), crate::world::memory()).trust(trust).build().unwrap();
            let reader = aecm.mailbox("reader@example.test").unwrap();
            let opened = reader.open(&sent.mail).await.unwrap();
            assert_eq!((opened.verdict.word(), words(&opened)), ("invalid", vec![word]));
            assert_eq!(signer(&opened).checks, Checks { chain: CheckResult::Invalid, ..GOOD });
        }
    });
}

// policy: the same mail for a reader whose rule wants SM2 (SignerPolicy) or a stamp.
#[test]
fn only_the_reader_s_rules() {
    let family = family();
    run(async {
        let (alice, bob) = (&family.alice, &family.bob);
        let raw = letter(alice.address().as_str(), bob.address().as_str());
        let classic = alice.compose(&raw).to([address(bob)]).suite(Suite::Classic).sign().await.unwrap();
        let world = &family.world;
        let reader = |change: &dyn Fn(&mut aecm::smime::verify::Policy)| {
            let mut trust = world.trust.clone();
            change(&mut trust.policy);
            let aecm = world.builder(world.http(), crate::world::memory()).trust(trust).build().unwrap();
            aecm.mailbox("reader@example.test").unwrap()
        };
        use aecm::smime::verify::{SignerPolicy, TimestampRule};
        let wants_sm2 = reader(&|policy| policy.signers = SignerPolicy::Suite(Suite::Sm2));
        let opened = wants_sm2.open(&classic.mail).await.unwrap();
        assert_ne!(opened.verdict.word(), "valid");
        assert!(words(&opened).contains(&"suite-missing"), "{:?}", words(&opened));
        let wants_stamp = reader(&|policy| policy.timestamps = TimestampRule::Required);
        let opened = wants_stamp.open(&classic.mail).await.unwrap();
        assert_ne!(opened.verdict.word(), "valid");
        assert!(words(&opened).contains(&"no-timestamp"), "{:?}", words(&opened));
    });
}

// policy: the same mail for a reader to whom its key is too short.
#[test]
fn only_policy() {
    let family = family();
    run(async {
        let world = &family.world;
        let frank = world.person("frank", aecm::Plan::classic()).await;
        let (_, sent) = signed(&frank, &family.bob).await;
        let opened = family.bob.open(&sent.mail).await.unwrap();
        assert_eq!((opened.verdict.word(), signer(&opened).checks), ("valid", GOOD));
        let mut trust = world.trust.clone();
        trust.policy.rsa_bits_min = 4_096;
        let aecm = world.builder(world.http(), crate::world::memory()).trust(trust).build().unwrap();
        let opened = aecm.mailbox("reader@example.test").unwrap().open(&sent.mail).await.unwrap();
        assert_eq!((opened.verdict.word(), words(&opened)), ("policy", vec!["weak-key"]));
        assert_eq!(signer(&opened).checks, Checks { policy: CheckResult::Invalid, ..GOOD });
    });
}

// usage: a timestamping key signs no mail; already the signing side refuses, so that such a mail is not made.
#[test]
fn a_key_signs_only_what_it_is_for() {
    use aecm::core::suite::{Purpose, Suite};
    use aecm::smime::sign::{SignError, SignedMessage, SigningIdentity, sign};
    let family = family();
    run(async {
        let alice = &family.alice;
        for entry in alice.entries().await.unwrap() {
            if entry.slot.suite != Suite::Sm2 || entry.slot.purpose == Purpose::Sign {
                continue;
            }
            let signer = alice.owner().store().signer(alice.address(), &entry.id).await;
            if entry.slot.purpose == Purpose::Encrypt {
                assert!(signer.is_err(), "an encrypting key signs nothing");
                continue;
            }
            let certificate = entry.certificate.clone().unwrap();
            let identity =
                SigningIdentity { certificate, chain: entry.chain.clone(), signer: signer.unwrap() };
            let error = sign(SignedMessage::new(b"text"), &[&identity]).await.err();
            assert!(matches!(error, Some(SignError::CertificateUsage { .. })), "{error:?}");
        }
    });
}

#[test]
fn a_plain_mail_is_not_signed_and_shown() {
    let family = family();
    run(async {
        let raw = letter(family.alice.address().as_str(), family.bob.address().as_str());
        let opened = family.bob.open(&raw).await.unwrap();
        assert_eq!((opened.verdict.word(), words(&opened)), ("not-signed", vec!["not-signed"]));
        assert!(contains(opened.content.as_ref().unwrap(), b"the seal is red"));
        assert!(!opened.withheld && opened.layers.is_empty());
    });
}

// M2: a signed part among others says nothing about the whole.
#[test]
fn m2_a_signed_part_is_partial() {
    let family = family();
    run(async {
        let (raw, sent) = signed(&family.alice, &family.bob).await;
        let text = String::from_utf8(sent.mail).unwrap();
        let (_, part) = text.split_once("Content-Type: multipart/signed").unwrap();
        let from = String::from_utf8(raw).unwrap().lines().next().unwrap().to_owned();
        let mixed = format!(
            "{from}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"outer\"\r\n\r\n--outer\r\n\
             Content-Type: text/plain\r\n\r\nPay this instead.\r\n--outer\r\nContent-Type: multipart/signed{part}\r\n--outer--\r\n"
        );
        let opened = family.bob.open(mixed.as_bytes()).await.unwrap();
        assert_eq!(opened.verdict.word(), "partial", "{:?}", words(&opened));
        assert!(!opened.inner_parts.is_empty());
    });
}

// M5: CBC with nothing valid inside is withheld; only asking for it by name gives it out.
#[test]
fn m5_unauthenticated_content_is_withheld() {
    use aecm::core::suite::Suite;
    use aecm::smime::encrypt::{ContentCipher, Encryptor, Transport};
    use aecm::smime::mime::{CmsKind, pkcs7_mime};
    let family = family();
    run(async {
        let (alice, bob) = (&family.alice, &family.bob);
        let raw = letter(alice.address().as_str(), bob.address().as_str());
        let found = family.world.service.certificate_directory().certificates(bob.address()).await.unwrap();
        for (suite, cipher, transport) in [
            (Suite::Sm2, ContentCipher::Sm4Cbc, Transport::Sm2),
            (Suite::Classic, ContentCipher::Aes256Cbc, Transport::RsaOaepSha256),
        ] {
            let certificate = found
                .iter()
                .map(|found| &found.certificate)
                .find(|one| {
                    one.smime_capabilities_der().is_some() && one.public_key().unwrap().suite() == suite
                })
                .unwrap();
            let mail = Outgoing::parse(&raw, &Limits::default()).unwrap();
            let payload = mail.payload(HeaderProtection::Cipher).unwrap();
            let cms =
                Encryptor::new(cipher).recipient(certificate, transport).encrypt(&payload, &OsRng).unwrap();
            let wrapped = pkcs7_mime(CmsKind::EnvelopedData, &cms).unwrap();
            let opened = bob.open(&mail.message(HeaderProtection::Cipher, &wrapped)).await.unwrap();
            assert_eq!(
                (opened.verdict.word(), words(&opened).contains(&"unauthenticated")),
                ("unauthenticated", true)
            );
            assert!(opened.withheld && opened.content.is_none() && opened.protected_headers.is_none());
        }
    });
}

#[test]
fn octets_that_are_no_mail_are_an_error_or_not_signed() {
    let family = family();
    run(async {
        for raw in [
            &b""[..],
            b"\r\n",
            b"\0\xff\xfe",
            b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n\r\nAAAA",
        ] {
            if let Ok(opened) = family.bob.open(raw).await {
                assert!(["not-signed", "invalid"].contains(&opened.verdict.word()), "{}", opened.verdict);
            }
        }
        let cms = b"From: a@example.test\r\nMIME-Version: 1.0\r\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\r\nContent-Transfer-Encoding: base64\r\n\r\nMIAGCSqGSIb3\r\n";
        let opened = family.bob.open(cms).await.unwrap();
        assert_eq!((opened.verdict.word(), words(&opened)[0]), ("invalid", "not-signed"));
        assert!(opened.content.is_none());
    });
}
