//! `Mailbox::provision`: how many certificates, mails and requests, in every way the token can be handed in.

use std::sync::Arc;
use std::time::Duration;

use aecm::acme::client::ClientError;
use aecm::acme::machine;
use aecm::acme::wire::TokenSubmission;
use aecm::core::embed::{Clock, OsRng};
use aecm::core::public_key::KeyKind;
use aecm::core::suite::{Purpose, Suite};
use aecm::store::{EntryState, KeyStore, Vault, VaultOptions};
use aecm::{ClassicKeys, Consent, Error, Plan, SlotState};

use crate::world::{World, memory, run};

fn ecc() -> Plan {
    Plan::dual().classic_keys(ClassicKeys::Ecc)
}

/// Six certificates in that way; the number of challenge mails.
async fn six(world: &World, submission: TokenSubmission) -> usize {
    let http = world.http();
    let address = world.address("six");
    let aecm = world.builder(http.clone(), memory()).submission(submission).build().unwrap();
    let mailbox = aecm.mailbox(address.as_str()).unwrap();
    let report = mailbox.provision(ecc()).await.unwrap();
    assert_eq!((report.issued(), report.is_complete()), (6, true), "{submission:?}");
    assert!(http.refusals().is_empty(), "{submission:?}: {:?}", http.refusals());
    assert_eq!(http.answers("/new-account", 201), 1);
    assert_eq!(http.answers("/finalize", 200), 6);
    let entries = mailbox.entries().await.unwrap();
    assert!(entries.len() == 6 && entries.iter().all(|entry| entry.state == EntryState::Active));

    // Again: nothing to do, nothing asked.
    let before = http.count();
    let again = mailbox.provision(ecc()).await.unwrap();
    assert_eq!((again.issued(), again.is_complete()), (0, true));
    assert!(again.slots.iter().all(|slot| slot.state == SlotState::Present));
    assert_eq!(http.count(), before, "{submission:?}: a second call asks for nothing");
    world.service.mail_source().mails(&address, aecm::core::time::Time::from_unix(0)).await.unwrap().len()
}

// STANDARDS A5: one mail serves the six.
#[test]
fn one_mail_serves_six_certificates_with_the_csr() {
    run(async { assert_eq!(six(&World::new().await, TokenSubmission::WithCsr).await, 1) });
}

#[test]
fn one_mail_serves_six_certificates_by_challenge_response() {
    run(async { assert_eq!(six(&World::new().await, TokenSubmission::ChallengeResponse).await, 1) });
}

#[test]
fn one_mail_serves_six_certificates_by_reply_mail() {
    run(async { assert_eq!(six(&World::new().await, TokenSubmission::ReplyMail).await, 1) });
}

// The mail goes out only when the challenge is asked for, once.
#[test]
fn a_server_that_mails_on_request_is_asked() {
    run(async {
        let world = World::with(|options| {
            options.acme.challenge_mail = aecm_service::ChallengeMailTime::AtChallenge;
        })
        .await;
        for submission in
            [TokenSubmission::WithCsr, TokenSubmission::ChallengeResponse, TokenSubmission::ReplyMail]
        {
            assert_eq!(six(&world, submission).await, 1, "{submission:?}");
        }
    });
}

#[test]
fn without_reuse_each_certificate_has_its_mail() {
    run(async {
        let world = World::with(|options| options.acme.reuse_authorizations = false).await;
        for submission in
            [TokenSubmission::WithCsr, TokenSubmission::ChallengeResponse, TokenSubmission::ReplyMail]
        {
            assert_eq!(six(&world, submission).await, 6, "{submission:?}");
        }
    });
}

// A plain RFC 8823 server, without meta.aecm.
#[test]
fn a_plain_server_gets_its_reply_mail() {
    run(async {
        let world = World::with(|options| options.acme.submissions = vec![TokenSubmission::ReplyMail]).await;
        let mailbox = world.person("plain", Plan::sm2()).await;
        assert_eq!(mailbox.entries().await.unwrap().len(), 3);
        // Without a way to send mail it says so.
        let address = world.address("mute");
        let aecm = aecm::Aecm::builder(world.service.directory_url())
            .store(memory())
            .mail(world.service.mail_source())
            .authenticator(Arc::new(aecm::acme::email::DkimAuthenticator::new(world.service.txt_resolver())))
            .http(world.http())
            .trust(world.trust.clone())
            .consent(Consent::agreed())
            .build()
            .unwrap();
        let error = aecm.mailbox(address.as_str()).unwrap().provision(Plan::sm2()).await.unwrap_err();
        assert!(
            matches!(&error, Error::Provision(ClientError::Machine(machine::Error::NoSubmission { .. }))),
            "{error:?}"
        );
    });
}

// The default: RSA of 3,072 bits, processing orders, the vault closed and opened in between.
#[test]
fn the_default_plan_survives_the_closing_of_the_vault() {
    run(async {
        let world = World::with(|options| options.acme.processing = Some(Duration::from_secs(2))).await;
        let folder = std::env::temp_dir().join(format!("aecm-facade-{}", std::process::id()));
        let _left_over = std::fs::remove_dir_all(&folder);
        let address = world.address("vault");
        let http = world.http();
        let vault = Vault::create(&folder, "secret", Arc::new(OsRng), VaultOptions::weak()).unwrap();
        let aecm = world.builder(http.clone(), Arc::new(vault)).build().unwrap();
        let first = aecm.mailbox(address.as_str()).unwrap().provision(Plan::dual()).await.unwrap();
        assert_eq!(first.issued(), 6);
        drop(aecm);

        let store: Arc<dyn KeyStore> = Arc::new(Vault::open(&folder, "secret", Arc::new(OsRng)).unwrap());
        let aecm = world.builder(http.clone(), store.clone()).build().unwrap();
        let mailbox = aecm.mailbox(address.as_str()).unwrap();
        let before = http.count();
        let again = mailbox.provision(Plan::dual()).await.unwrap();
        assert_eq!((again.issued(), http.count()), (0, before));
        let now = world.dial.now();
        for (one, other) in first.slots.iter().zip(&again.slots) {
            assert_eq!(
                (one.suite, one.purpose, &one.certificate),
                (other.suite, other.purpose, &other.certificate)
            );
            let certificate = one.certificate.as_ref().unwrap();
            let kind = certificate.public_key().unwrap().kind();
            let wanted = if one.suite == Suite::Sm2 { KeyKind::Sm2 } else { KeyKind::Rsa { bits: 3_072 } };
            assert_eq!(kind, wanted);
            assert!(certificate.is_valid_at(now));
        }
        // What was stored is usable: a mail to oneself in both suites.
        let raw = crate::world::letter(address.as_str(), address.as_str());
        for suite in Suite::ALL {
            let sent = mailbox.compose(&raw).to([address.as_str()]).suite(suite).protect().await.unwrap();
            let opened = mailbox.open(&sent.mail).await.unwrap();
            assert_eq!(opened.verdict.word(), "valid", "{suite} {:?}", opened.reasons);
        }
        // K8, K1: one key a slot, all different.
        let keys: std::collections::BTreeSet<_> = mailbox
            .entries()
            .await
            .unwrap()
            .iter()
            .map(|entry| entry.public_key.spki_der().to_vec())
            .collect();
        assert_eq!(keys.len(), 6);
        std::fs::remove_dir_all(&folder).unwrap();
    });
}

#[test]
fn a_larger_plan_asks_for_what_is_missing_alone() {
    run(async {
        let world = World::new().await;
        let (http, address) = (world.http(), world.address("grown"));
        let mailbox =
            world.builder(http.clone(), memory()).build().unwrap().mailbox(address.as_str()).unwrap();
        assert_eq!(mailbox.provision(Plan::sm2()).await.unwrap().issued(), 3);
        let report = mailbox.provision(ecc()).await.unwrap();
        assert_eq!((report.issued(), report.is_complete()), (3, true));
        assert_eq!(http.answers("/new-account", 201), 1, "the same account");
        assert_eq!(http.answers("/finalize", 200), 6);
        let mails =
            world.service.mail_source().mails(&address, aecm::core::time::Time::from_unix(0)).await.unwrap();
        assert_eq!(mails.len(), 1, "the first proof still serves");
    });
}

// A30: nothing is agreed to on the user's behalf.
#[test]
fn without_consent_no_account_is_opened() {
    run(async {
        let world = World::new().await;
        let (http, address) = (world.http(), world.address("unasked"));
        let aecm = world.builder(http.clone(), memory()).consent(Consent::default()).build().unwrap();
        let error = aecm.mailbox(address.as_str()).unwrap().provision(Plan::sm2()).await.unwrap_err();
        let Error::Provision(ClientError::Machine(machine::Error::ConsentRefused { terms_url })) = &error
        else {
            panic!("{error:?}");
        };
        assert!(terms_url.ends_with("/terms"));
        assert_eq!(http.answers("/new-account", 200) + http.answers("/new-account", 201), 0);
        assert_eq!(world.service.post_office().delivered(), 0);
    });
}

// N7 at the facade: certificates under roots that are not trusted are not installed.
#[test]
fn certificates_of_strangers_are_not_installed() {
    run(async {
        let (world, other) = tokio::join!(World::new(), World::new());
        let (http, address) = (world.http(), world.address("strange"));
        let store = memory();
        let aecm = world.builder(http, store.clone()).trust(other.trust.clone()).build().unwrap();
        let mailbox = aecm.mailbox(address.as_str()).unwrap();
        let error = mailbox.provision(Plan::sm2()).await.unwrap_err();
        assert!(
            matches!(&error, Error::Provision(ClientError::Machine(machine::Error::Certificate(_)))),
            "{error:?}"
        );
        assert!(mailbox.entries().await.unwrap().iter().all(|entry| entry.certificate.is_none()));
        // TLS that is not trusted is not spoken at all (N13).
        let aecm = world.builder(other.http(), store).build().unwrap();
        let error = aecm
            .mailbox(address.as_str())
            .unwrap()
            .provision(Plan::sm2().within(Duration::from_secs(20)))
            .await;
        assert!(matches!(error, Err(Error::Provision(_))), "{error:?}");
    });
}

// N4: the deadline ends the call, and the next one goes on.
#[test]
fn a_deadline_ends_the_call_and_the_next_goes_on() {
    run(async {
        let world = World::new().await;
        let address: aecm::core::mailbox::Mailbox = "late@example.test".parse().unwrap();
        let http = world.http();
        let store = memory();
        let aecm = world.builder(http.clone(), store).mail(Arc::new(Empty)).build().unwrap();
        let mailbox = aecm.mailbox(address.as_str()).unwrap();
        let plan = Plan::sm2().within(Duration::from_secs(40));
        let error = mailbox.provision(plan.clone()).await.unwrap_err();
        assert!(matches!(&error, Error::Provision(ClientError::Deadline { .. })), "{error:?}");
        let (orders, requests) = (http.answers("/new-order", 201), http.count());
        let error = mailbox.provision(plan).await.unwrap_err();
        assert!(matches!(&error, Error::Provision(ClientError::Deadline { .. })), "{error:?}");
        assert_eq!(http.answers("/new-order", 201), orders, "the same order goes on");
        // A call begins with the directory, a nonce and the state of what is open; waiting asks nothing.
        assert!(http.count() - requests <= 3, "{} requests", http.count() - requests);
    });
}

struct Empty;

#[async_trait::async_trait]
impl aecm::acme::mail::MailSource for Empty {
    async fn mails(
        &self,
        _: &aecm::core::mailbox::Mailbox,
        _: aecm::core::time::Time,
    ) -> Result<Vec<aecm::acme::mail::Mail>, aecm::acme::mail::MailError> {
        Ok(Vec::new())
    }
}

#[test]
fn the_builder_names_what_is_missing() {
    let error = aecm::Aecm::builder("https://ca.example/directory").build().unwrap_err();
    assert!(matches!(error, Error::Missing { part: "store" }));
    let error = aecm::Aecm::builder("https://ca.example/directory").store(memory()).build().unwrap_err();
    assert!(matches!(error, Error::Missing { part: "http" }));
    assert!(error.to_string().contains("AecmBuilder::http"));
}

#[test]
fn only_addresses_are_mailboxes() {
    run(async {
        let world = World::new().await;
        let aecm = world.builder(world.http(), memory()).build().unwrap();
        for text in ["", "alice", "alice@", "@example.test", "Alice <alice@example.test>", "a@b, c@d"] {
            assert!(matches!(aecm.mailbox(text), Err(Error::Address { .. })), "{text}");
        }
        // Nothing happens by naming one.
        let nobody = aecm.mailbox("nobody@example.test").unwrap();
        assert!(nobody.entries().await.unwrap().is_empty());
        let raw = crate::world::letter("nobody@example.test", "nobody@example.test");
        let error = nobody.compose(&raw).to(["nobody@example.test"]).sign().await.unwrap_err();
        assert!(matches!(error, Error::NoSigningKey(_)), "{error:?}");
    });
}

// E8: an encrypting key whose certificate ran out is certified again, because old mail needs it.
#[test]
fn an_encrypting_key_is_certified_again() {
    run(async {
        let world = World::new().await;
        let (http, address) = (world.http(), world.address("renewed"));
        let mailbox = world.builder(http, memory()).build().unwrap().mailbox(address.as_str()).unwrap();
        mailbox.provision(Plan::sm2()).await.unwrap();
        let raw = crate::world::letter(address.as_str(), address.as_str());
        let old = mailbox.compose(&raw).to([address.as_str()]).sign().timestamp().encrypt().await.unwrap();
        world.dial.forward(Duration::from_secs(400 * 86_400));
        let report = mailbox.provision(Plan::sm2()).await.unwrap();
        assert_eq!(report.issued(), 3);
        let entries = mailbox.entries().await.unwrap();
        let of = |purpose| entries.iter().filter(move |entry| entry.slot.purpose == purpose);
        assert_eq!(of(Purpose::Encrypt).count(), 1, "the same key");
        assert_eq!(of(Purpose::Encrypt).next().unwrap().former.len(), 1);
        assert_eq!(of(Purpose::Sign).count(), 2, "a new key");
        let opened = mailbox.open(&old.mail).await.unwrap();
        assert_eq!(opened.verdict.word(), "valid", "{:?}", opened.reasons);
    });
}
