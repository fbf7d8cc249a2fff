//! Sending: which suite, cipher, form and layout a mail goes out with, and what is refused (STANDARDS A24, A25).

use std::sync::Arc;

use aecm::core::directory::{CertificateDirectory, DirectoryError, Found};
use aecm::core::mailbox::Mailbox as Address;
use aecm::core::oid;
use aecm::core::signature::SignatureAlgorithm;
use aecm::core::suite::{Purpose, Suite};
use aecm::smime::choose::{ChooseError, Reason};
use aecm::smime::cms::Form;
use aecm::smime::decrypt::DecryptError;
use aecm::smime::encrypt::{ContentCipher, Transport};
use aecm::smime::open::OpenError;
use aecm::{Composed, Error, Mailbox, SignatureLayout};

use crate::world::{address, contains, family, letter, memory, run};

fn mail(from: &Mailbox, to: &[&Mailbox]) -> Vec<u8> {
    let to: Vec<String> = to.iter().map(|mailbox| address(mailbox)).collect();
    letter(from.address().as_str(), &to.join(", "))
}

fn words(composed: &Composed) -> Vec<&'static str> {
    composed.reasons.iter().map(Reason::word).collect()
}

async fn valid(reader: &Mailbox, composed: &Composed) {
    let opened = reader.open(&composed.mail).await.unwrap();
    assert_eq!(opened.verdict.word(), "valid", "{}: {:?}", reader.address(), opened.reasons);
    assert!(contains(opened.content.as_ref().unwrap(), b"the seal is red"));
}

// A24: SM2 by default when everybody can.
#[test]
fn sm2_is_the_default_where_everybody_can() {
    let family = family();
    run(async {
        let (alice, bob, dave) = (&family.alice, &family.bob, &family.dave);
        let raw = mail(alice, &[bob, dave]);
        let sent = alice.compose(&raw).to([address(bob), address(dave)]).protect().await.unwrap();
        let plan = sent.plan.as_ref().unwrap();
        assert_eq!((plan.suite, plan.cipher, plan.form), (Suite::Sm2, ContentCipher::Sm4Gcm, Form::Rfc5652));
        assert!(plan.recipients.iter().all(|recipient| recipient.transport == Transport::Sm2));
        assert_eq!(plan.recipients.len(), 3, "the own copy too");
        assert_eq!(sent.signature_algorithm, Some(SignatureAlgorithm::Sm2Sm3));
        assert_eq!(words(&sent), ["everybody-declares-sm4"]);
        assert!(sent.is_stamped());
        assert!(contains(&sent.mail, b"smime-type=authEnveloped-data"));
        for reader in [bob, dave, alice] {
            valid(reader, &sent).await;
        }
    });
}

// A25: one protection for all; one reader without SM2 makes it classic for everybody.
#[test]
fn one_reader_without_sm2_makes_it_classic_for_all() {
    let family = family();
    run(async {
        let (alice, bob, carol) = (&family.alice, &family.bob, &family.carol);
        let raw = mail(alice, &[bob, carol]);
        let sent = alice.compose(&raw).to([address(bob), address(carol)]).protect().await.unwrap();
        let plan = sent.plan.as_ref().unwrap();
        assert_eq!((plan.suite, plan.cipher), (Suite::Classic, ContentCipher::Aes256Gcm));
        assert!(plan.recipients.iter().all(|recipient| recipient.transport == Transport::RsaOaepSha256));
        assert!(
            matches!(&sent.reasons[0], Reason::NoSm2Certificate { mailbox } if mailbox == carol.address()),
            "the reason names who: {:?}",
            sent.reasons
        );
        assert!(matches!(sent.signature_algorithm, Some(SignatureAlgorithm::Ecdsa(_))));
        for reader in [bob, carol, alice] {
            valid(reader, &sent).await;
        }
    });
}

// A reader of one suite only and one of the other: no protection fits both, and the mailbox is named.
#[test]
fn a_missing_certificate_names_its_mailbox() {
    let family = family();
    run(async {
        let (alice, carol, dave) = (&family.alice, &family.carol, &family.dave);
        let named = |error: Error| match error {
            Error::Choose(ChooseError::MissingCertificate { mailbox, suite, .. }) => {
                (mailbox.to_string(), suite)
            }
            other => panic!("{other:?}"),
        };
        let raw = mail(alice, &[carol, dave]);
        let both = alice.compose(&raw).to([address(carol), address(dave)]).protect().await.unwrap_err();
        assert_eq!(named(both), (address(dave), Suite::Classic));
        let forced = alice
            .compose(&raw)
            .to([address(carol)])
            .only_named()
            .suite(Suite::Sm2)
            .protect()
            .await
            .unwrap_err();
        assert_eq!(named(forced), (address(carol), Suite::Sm2));
        let nobody =
            alice.compose(&raw).to(["nobody@example.test"]).only_named().protect().await.unwrap_err();
        assert!(nobody.to_string().contains("nobody@example.test"));
        assert_eq!(named(nobody).0, "nobody@example.test");
        // The sender's own copy needs one too.
        let raw = mail(dave, &[carol]);
        let own = dave.compose(&raw).to([address(carol)]).protect().await.unwrap_err();
        assert_eq!(named(own).0, address(dave));
        let none: [String; 0] = [];
        let raw = mail(alice, &[carol]);
        let error = alice.compose(&raw).to(none).only_named().protect().await.unwrap_err();
        assert!(matches!(error, Error::Choose(ChooseError::NoRecipient)), "{error:?}");
        let error = alice.compose(&raw).to(["not an address"]).protect().await.unwrap_err();
        assert!(matches!(error, Error::Address { .. }), "{error:?}");
    });
}

#[test]
fn the_user_s_choice_goes_before_the_default() {
    let family = family();
    run(async {
        let (alice, bob) = (&family.alice, &family.bob);
        let raw = mail(alice, &[bob]);
        let classic = alice.compose(&raw).to([address(bob)]).suite(Suite::Classic).protect().await.unwrap();
        assert_eq!(classic.plan.as_ref().unwrap().cipher, ContentCipher::Aes256Gcm);
        assert!(words(&classic).contains(&"suite-asked-for"));
        valid(bob, &classic).await;
        for cipher in [ContentCipher::Aes128Gcm, ContentCipher::Aes128Cbc, ContentCipher::Aes256Cbc] {
            let sent = alice
                .compose(&raw)
                .to([address(bob)])
                .suite(Suite::Classic)
                .cipher(cipher)
                .protect()
                .await
                .unwrap();
            assert_eq!(sent.plan.as_ref().unwrap().cipher, cipher);
            valid(bob, &sent).await;
        }
        let cbc =
            alice.compose(&raw).to([address(bob)]).cipher(ContentCipher::Sm4Cbc).protect().await.unwrap();
        assert_eq!(cbc.plan.as_ref().unwrap().suite, Suite::Sm2);
        valid(bob, &cbc).await;
        let read_only =
            alice.compose(&raw).to([address(bob)]).cipher(ContentCipher::Aes192Cbc).protect().await;
        assert!(matches!(read_only, Err(Error::Choose(ChooseError::ReadOnlyCipher { .. }))));
    });
}

// The owner's standing choice is the default of every mail.
#[test]
fn the_standing_choice_of_classic_holds_until_it_is_taken_back() {
    let family = family();
    run(async {
        let erin = family.world.person("erin", aecm::Plan::dual().classic_keys(aecm::ClassicKeys::Ecc)).await;
        let raw = mail(&erin, &[&family.bob]);
        let suite = async |wanted: Option<Suite>| {
            let compose = erin.compose(&raw).to([address(&family.bob)]);
            let compose = wanted.map_or(compose.clone(), |suite| compose.suite(suite));
            compose.protect().await.unwrap().plan.unwrap().suite
        };
        assert_eq!(suite(None).await, Suite::Sm2);
        let owner = aecm_of(&erin);
        owner.store().set_default_suite(erin.address(), Some(Suite::Classic)).await.unwrap();
        assert_eq!(suite(None).await, Suite::Classic);
        assert_eq!(suite(Some(Suite::Sm2)).await, Suite::Sm2, "one mail's choice goes before");
        owner.store().set_default_suite(erin.address(), None).await.unwrap();
        assert_eq!(suite(None).await, Suite::Sm2);
    });
}

fn aecm_of(mailbox: &Mailbox) -> &aecm::Aecm {
    mailbox.owner()
}

// M5: CBC without a signature inside is not written.
#[test]
fn m5_cbc_without_a_signature_is_refused() {
    let family = family();
    run(async {
        let (alice, bob) = (&family.alice, &family.bob);
        let raw = mail(alice, &[bob]);
        for cipher in [ContentCipher::Sm4Cbc, ContentCipher::Aes256Cbc] {
            let suite = if cipher == ContentCipher::Sm4Cbc { Suite::Sm2 } else { Suite::Classic };
            let unsigned = alice.compose(&raw).to([address(bob)]).suite(suite).cipher(cipher).encrypt().await;
            assert!(matches!(unsigned, Err(Error::SignatureRequired)), "{cipher:?}");
        }
        let form = alice.compose(&raw).to([address(bob)]).form(Form::Gbt35275).encrypt().await;
        assert!(matches!(form, Err(Error::SignatureRequired)));
        // GCM vouches for itself, for nobody's authorship.
        let sent = alice.compose(&raw).to([address(bob)]).encrypt().await.unwrap();
        let opened = bob.open(&sent.mail).await.unwrap();
        assert_eq!(opened.verdict.word(), "not-signed");
        assert!(contains(opened.content.as_ref().unwrap(), b"the seal is red"));
    });
}

#[test]
fn clear_and_opaque_layouts() {
    let family = family();
    run(async {
        let (alice, bob) = (&family.alice, &family.bob);
        let raw = mail(alice, &[bob]);
        for suite in Suite::ALL {
            let compose = || alice.compose(&raw).to([address(bob)]).suite(suite).sign();
            let clear = compose().await.unwrap();
            assert!(contains(&clear.mail, b"multipart/signed"));
            assert!(contains(&clear.mail, b"the seal is red"));
            let opaque = compose().layout(SignatureLayout::Opaque).await.unwrap();
            assert!(contains(&opaque.mail, b"smime-type=signed-data"));
            assert!(!contains(&opaque.mail, b"the seal is red"));
            for sent in [&clear, &opaque] {
                assert!(sent.plan.is_none() && sent.enveloped_data.is_none() && sent.stamp.is_none());
                valid(bob, sent).await;
            }
            // Inside encryption both do.
            let hidden = compose().layout(SignatureLayout::Opaque).encrypt().await.unwrap();
            assert!(!contains(&hidden.mail, b"the seal is red"));
            valid(bob, &hidden).await;
        }
    });
}

// A9, A24: the GB/T 35275 form by wish, SM2 and SM4-CBC with the signature inside.
#[test]
fn the_gbt_form_by_wish() {
    let family = family();
    run(async {
        let (alice, bob, carol) = (&family.alice, &family.bob, &family.carol);
        let raw = mail(alice, &[bob]);
        let sent = alice.compose(&raw).to([address(bob)]).form(Form::Gbt35275).protect().await.unwrap();
        let plan = sent.plan.as_ref().unwrap();
        assert_eq!((plan.form, plan.cipher), (Form::Gbt35275, ContentCipher::Sm4Cbc));
        let starts = |der: &[u8], of: &oid::ObjectIdentifier| contains(&der[..32], of.as_bytes());
        assert!(starts(sent.enveloped_data.as_ref().unwrap(), &oid::GM_ENVELOPED_DATA));
        assert!(starts(sent.signed_data.as_ref().unwrap(), &oid::GM_SIGNED_DATA));
        valid(bob, &sent).await;
        valid(alice, &sent).await;
        let classic =
            alice.compose(&raw).to([address(bob)]).form(Form::Gbt35275).suite(Suite::Classic).protect().await;
        assert!(matches!(classic, Err(Error::Choose(ChooseError::Form { .. }))));
        let without =
            alice.compose(&raw).to([address(carol)]).only_named().form(Form::Gbt35275).protect().await;
        assert!(matches!(without, Err(Error::Choose(ChooseError::MissingCertificate { .. }))));
    });
}

// Whoever is not named cannot read it, and is told nothing but that.
#[test]
fn who_is_not_a_recipient_cannot_open() {
    let family = family();
    run(async {
        let (alice, bob, carol, dave) = (&family.alice, &family.bob, &family.carol, &family.dave);
        let raw = mail(alice, &[bob]);
        for suite in Suite::ALL {
            let sent = alice.compose(&raw).to([address(bob)]).suite(suite).protect().await.unwrap();
            for stranger in [carol, dave] {
                let error = stranger.open(&sent.mail).await.unwrap_err();
                assert!(
                    matches!(error, Error::Open(OpenError::Decrypt(DecryptError::NoMatchingKey))),
                    "{suite}: {error:?}"
                );
            }
            assert!(!contains(&sent.mail, b"The contract"), "the Subject is inside");
            assert!(contains(&sent.mail, b"[...]"));
            let opened = bob.open(&sent.mail).await.unwrap();
            assert_eq!(
                opened.protected_headers.as_ref().and_then(|headers| headers.get("Subject")),
                Some("The contract")
            );
        }
    });
}

#[test]
fn a_stamp_needs_a_signature() {
    let family = family();
    run(async {
        let raw = mail(&family.alice, &[&family.bob]);
        let compose = || family.alice.compose(&raw).to([address(&family.bob)]);
        for asked in [compose().timestamp(), compose().timestamp().encrypt(), compose().own_timestamp()] {
            assert!(matches!(asked.await, Err(Error::NothingToStamp)));
        }
    });
}

// The sender's encryption certificates travel along, so that an answer can be encrypted (RFC 8551 §2.5.3).
#[test]
fn a_signed_mail_brings_the_sender_s_encryption_certificates() {
    let family = family();
    run(async {
        let raw = mail(&family.alice, &[&family.bob]);
        let sent = family.alice.compose(&raw).to([address(&family.bob)]).sign().await.unwrap();
        let der = sent.signed_data.as_ref().unwrap();
        for entry in family.alice.entries().await.unwrap() {
            let certificate = entry.certificate.unwrap();
            let expected = entry.slot.purpose == Purpose::Encrypt
                || (entry.slot.purpose == Purpose::Sign && entry.slot.suite == Suite::Sm2);
            assert_eq!(contains(der, certificate.as_der()), expected, "{:?}", entry.slot);
        }
    });
}

/// Answers with what it was given, whoever is asked for.
struct Lying(Vec<Found>);

#[async_trait::async_trait]
impl CertificateDirectory for Lying {
    async fn certificates(&self, _: &Address) -> Result<Vec<Found>, DirectoryError> {
        Ok(self.0.clone())
    }
}

struct Down;

#[async_trait::async_trait]
impl CertificateDirectory for Down {
    async fn certificates(&self, _: &Address) -> Result<Vec<Found>, DirectoryError> {
        Err(DirectoryError { detail: "no route".to_owned() })
    }
}

// K9, S14: what a directory says is a candidate and nothing more.
#[test]
fn k9_a_directory_is_not_believed() {
    let family = family();
    run(async {
        let world = &family.world;
        let alice_address = family.alice.address();
        let found = |mailbox: &Address| {
            let (directory, mailbox) = (world.service.certificate_directory(), mailbox.clone());
            async move { directory.certificates(&mailbox).await.unwrap() }
        };
        let carol = found(family.carol.address()).await;
        let bob = found(family.bob.address()).await;
        let other = crate::world::World::new().await;
        let forged = {
            // Bob's address certified under roots nobody here trusts.
            other.service.post_office().open(family.bob.address());
            let aecm = other.builder(other.http(), memory()).build().unwrap();
            let twin = aecm.mailbox(family.bob.address().as_str()).unwrap();
            twin.provision(aecm::Plan::sm2()).await.unwrap();
            other.service.certificate_directory().certificates(family.bob.address()).await.unwrap()
        };
        let without_chain: Vec<Found> =
            bob.iter().map(|one| Found { chain: Vec::new(), ..one.clone() }).collect();
        let signing_only: Vec<Found> = bob
            .iter()
            .filter(|one| one.certificate.key_usage().unwrap().digital_signature())
            .cloned()
            .collect();
        let raw = mail(&family.alice, &[&family.bob]);
        for (what, lies) in [
            ("another mailbox's certificates", carol),
            ("certificates of strangers", forged.clone()),
            ("no path to an anchor", without_chain),
            ("certificates that do not encrypt", signing_only),
        ] {
            let aecm = world
                .builder(world.http(), aecm_of(&family.alice).store().clone())
                .directory(Arc::new(Lying(lies)))
                .build()
                .unwrap();
            let alice = aecm.mailbox(alice_address.as_str()).unwrap();
            let error = alice.compose(&raw).to([address(&family.bob)]).protect().await.unwrap_err();
            assert!(
                matches!(error, Error::Choose(ChooseError::MissingCertificate { .. })),
                "{what}: {error:?}"
            );
        }
        // Among good ones the bad are passed over.
        let mixed = Lying(forged.into_iter().chain(bob).collect());
        let aecm = world
            .builder(world.http(), aecm_of(&family.alice).store().clone())
            .directory(Arc::new(mixed))
            .build()
            .unwrap();
        let alice = aecm.mailbox(alice_address.as_str()).unwrap();
        let sent = alice.compose(&raw).to([address(&family.bob)]).protect().await.unwrap();
        valid(&family.bob, &sent).await;
        // Not to be reached is not the same as having none.
        let aecm = world
            .builder(world.http(), aecm_of(&family.alice).store().clone())
            .directory(Arc::new(Down))
            .build()
            .unwrap();
        let alice = aecm.mailbox(alice_address.as_str()).unwrap();
        let error = alice.compose(&raw).to([address(&family.bob)]).protect().await.unwrap_err();
        assert!(matches!(error, Error::Directory(_)), "{error:?}");
    });
}
