//! Keys in safe keeping: with consent only, under a certificate that is trusted, and taken out after a loss.

use std::sync::Arc;
use std::time::Duration;

use aecm::acme::client::ClientError;
use aecm::acme::wire::EventKind;
use aecm::core::digest::DigestAlgorithm;
use aecm::core::embed::{Clock, Http, HttpError, HttpRequest, HttpResponse};
use aecm::core::oid;
use aecm::core::software::KeySpec;
use aecm::core::suite::{Purpose, Suite};
use aecm::{Error, EscrowConsent, Mailbox, Plan, RenewPlan, TransferError, discover};
use aecm_service::EscrowOptions;

use crate::forge::{self, Relay};
use crate::transfer::{approve, ecc, note, opens, second, waits};
use crate::world::{World, memory, run};

pub async fn keeping(key: KeySpec) -> World {
    World::with(move |options| {
        let mut escrow = EscrowOptions::default();
        escrow.key = key;
        options.acme.escrow = Some(escrow);
    })
    .await
}

pub async fn consent(world: &World) -> EscrowConsent {
    let found = discover(&world.service.directory_url(), world.http()).await.unwrap();
    let terms_url = found.escrow_terms.expect("the service keeps keys");
    // The document that the owner saw.
    let text = EscrowOptions::default().terms;
    let digest = DigestAlgorithm::Sha256.digest(text.as_bytes());
    let document_sha256 = Some(digest.as_slice().try_into().unwrap());
    EscrowConsent { terms_url, agreed_at: world.dial.now(), document_sha256 }
}

async fn lost_and_recovered(key: KeySpec, plan: Plan) {
    let world = keeping(key).await;
    let first = world.person("loses", plan.clone()).await;
    let old = note(&first).await;
    let slot =
        first.slots().await.unwrap().into_iter().find(|slot| slot.purpose == Purpose::Encrypt).unwrap();
    first.renew(RenewPlan::slot(slot.slot()).rekey()).await.unwrap();
    let new = note(&first).await;
    assert_eq!(first.escrowed().await.unwrap(), None);
    let given = first.escrow(consent(&world).await).await.unwrap();
    assert_eq!(first.escrowed().await.unwrap(), Some(given.clone()));
    assert!(given.consent.document_sha256.is_some());

    // The first device is gone.
    let second = second(&world, &first);
    assert!(second.provision(plan.clone()).await.unwrap().waiting.is_some());
    let recovered = second.recover(plan.clone()).await.unwrap();
    assert!(recovered.is_complete() && !recovered.received().is_empty(), "{recovered:?}");
    assert!(recovered.suites.iter().all(|suite| suite.keys == 2), "{recovered:?}");
    for mail in [&old, &new] {
        opens(&second, mail).await;
    }
    assert!(second.provision(plan).await.unwrap().is_complete());
    let kinds: Vec<EventKind> = second.events().await.unwrap().into_iter().map(|event| event.kind).collect();
    assert!(kinds.contains(&EventKind::EscrowRecovered), "{kinds:?}");
}

#[test]
fn a_lost_device_is_recovered_from_escrow_under_rsa() {
    run(lost_and_recovered(KeySpec::Rsa(3_072), Plan::sm2()));
}

#[test]
fn a_lost_device_is_recovered_from_escrow_under_sm2() {
    run(lost_and_recovered(KeySpec::Sm2, Plan::classic()));
}

// The service wants a fresh proof of the mailbox: one more challenge mail.
#[test]
fn an_old_proof_is_renewed_for_the_recovery() {
    run(async {
        let world = keeping(KeySpec::Sm2).await;
        let first = world.person("later", Plan::sm2()).await;
        let mail = note(&first).await;
        first.escrow(consent(&world).await).await.unwrap();
        let second = second(&world, &first);
        second.provision(Plan::sm2()).await.unwrap();
        world.dial.forward(Duration::from_secs(2 * 3_600));
        let mails = async || {
            let source = world.service.mail_source();
            source.mails(first.address(), aecm::core::time::Time::from_unix(0)).await.unwrap().len()
        };
        let before = mails().await;
        assert!(second.recover(Plan::sm2()).await.unwrap().is_complete());
        assert!(mails().await > before, "a fresh challenge mail");
        opens(&second, &mail).await;
    });
}

#[test]
fn nothing_is_given_without_consent_to_these_terms() {
    run(async {
        let world = keeping(KeySpec::Sm2).await;
        let mailbox = world.person("careful", Plan::sm2()).await;
        let mut other = consent(&world).await;
        other.terms_url.push_str("-of-yesterday");
        let error = mailbox.escrow(other).await.unwrap_err();
        assert!(matches!(error, Error::Transfer(TransferError::OtherTerms { .. })), "{error:?}");
        assert_eq!(mailbox.escrowed().await.unwrap(), None);
        // Another document than the one at that URL: nothing leaves, and nothing is remembered.
        let mut other = consent(&world).await;
        other.document_sha256 = Some([7; 32]);
        let error = mailbox.escrow(other).await.unwrap_err();
        assert!(matches!(error, Error::Transfer(TransferError::OtherTerms { .. })), "{error:?}");
        assert_eq!(mailbox.escrowed().await.unwrap(), None);
        let second = second(&world, &mailbox);
        let error = second.recover(Plan::sm2()).await.unwrap_err();
        assert!(matches!(error, Error::Transfer(TransferError::NothingEscrowed)), "{error:?}");
        // The document is fetched, and what the owner saw is what counts.
        let terms = mailbox.escrow_terms().await.unwrap();
        assert_eq!(terms.document, EscrowOptions::default().terms.as_bytes());
        assert_eq!(terms.agreed(world.dial.now()).document_sha256, consent(&world).await.document_sha256);
        // Nothing to give is said before anything is sent.
        let empty = world.builder(world.http(), memory()).build().unwrap();
        let empty = empty.mailbox(world.address("empty").as_str()).unwrap();
        let error = empty.escrow(consent(&world).await).await.unwrap_err();
        assert!(matches!(error, Error::Transfer(TransferError::NothingToGive)), "{error:?}");
    });
}

#[test]
fn what_is_withdrawn_is_gone() {
    run(async {
        let world = keeping(KeySpec::Sm2).await;
        let mailbox = world.person("regrets", Plan::sm2()).await;
        mailbox.escrow(consent(&world).await).await.unwrap();
        mailbox.withdraw_escrow().await.unwrap();
        mailbox.withdraw_escrow().await.unwrap();
        assert_eq!(mailbox.escrowed().await.unwrap(), None);
        let error = second(&world, &mailbox).recover(Plan::sm2()).await.unwrap_err();
        assert!(matches!(error, Error::Transfer(TransferError::NothingEscrowed)), "{error:?}");
    });
}

// Destroying what is kept takes a fresh proof too: one more challenge mail.
#[test]
fn an_old_proof_is_renewed_for_the_withdrawal() {
    run(async {
        let world = keeping(KeySpec::Sm2).await;
        let mailbox = world.person("leaves", Plan::sm2()).await;
        mailbox.escrow(consent(&world).await).await.unwrap();
        world.dial.forward(Duration::from_secs(2 * 3_600));
        let mails = async || {
            let source = world.service.mail_source();
            source.mails(mailbox.address(), aecm::core::time::Time::from_unix(0)).await.unwrap().len()
        };
        let before = mails().await;
        mailbox.withdraw_escrow().await.unwrap();
        assert!(mails().await > before, "a fresh challenge mail");
        assert_eq!(mailbox.escrowed().await.unwrap(), None);
        let error = second(&world, &mailbox).recover(Plan::sm2()).await.unwrap_err();
        assert!(matches!(error, Error::Transfer(TransferError::NothingEscrowed)), "{error:?}");
        let kinds: Vec<String> =
            mailbox.events().await.unwrap().into_iter().map(|event| event.kind.to_string()).collect();
        assert!(kinds.contains(&"escrow-withdrawn".to_owned()), "{kinds:?}");
    });
}

// A device that holds less adds to what is kept and takes nothing from it.
#[test]
fn a_partial_escrow_replaces_nothing() {
    run(async {
        let world = keeping(KeySpec::Sm2).await;
        let first = world.person("whole", ecc()).await;
        let given = first.escrow(consent(&world).await).await.unwrap();
        assert_eq!(given.suites(), [Suite::Sm2, Suite::Classic]);
        let second = second(&world, &first);
        approve(&first, &waits(&second, Plan::sm2()).await).await;
        assert!(second.provision(Plan::sm2()).await.unwrap().is_complete());
        let given = second.escrow(consent(&world).await).await.unwrap();
        assert_eq!((given.suites(), given.keys.len()), (vec![Suite::Sm2], 1));
        let third = self::second(&world, &first);
        let recovered = third.recover(ecc()).await.unwrap();
        assert_eq!(recovered.received(), [Suite::Sm2, Suite::Classic], "{recovered:?}");
    });
}

#[test]
fn a_service_without_escrow_says_so() {
    run(async {
        let world = World::new().await;
        let mailbox = world.person("nowhere", Plan::sm2()).await;
        let consent = EscrowConsent {
            terms_url: "https://ca.example/terms".to_owned(),
            agreed_at: world.dial.now(),
            document_sha256: None,
        };
        let error = mailbox.escrow(consent).await.unwrap_err();
        assert!(
            matches!(&error, Error::Provision(ClientError::NotOffered { resource: "escrow" })),
            "{error:?}"
        );
    });
}

/// Names another certificate as the escrow's.
struct OtherEscrow {
    inner: Arc<dyn Http>,
    certificate: String,
}

#[async_trait::async_trait]
impl Http for OtherEscrow {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let directory = request.url.ends_with("/directory");
        let mut response = self.inner.send(request).await?;
        if directory {
            let mut value: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
            value["meta"]["aecm"]["escrow"]["certificate"] = serde_json::json!(self.certificate);
            response.body = value.to_string().into_bytes();
        }
        Ok(response)
    }
}

// Keys are sealed to nobody but an escrow certificate under the S/MIME roots.
#[test]
fn keys_are_not_sealed_to_strangers() {
    run(async {
        let world = keeping(KeySpec::Sm2).await;
        let strange = World::new().await;
        let stranger = strange.person("stranger", Plan::sm2()).await;
        let owner = world.person("owner", Plan::sm2()).await;
        let der = async |mailbox: &Mailbox, purpose| {
            let slots = mailbox.slots().await.unwrap();
            let slot =
                slots.into_iter().find(|slot| slot.purpose == purpose && slot.suite == Suite::Sm2).unwrap();
            aecm::acme::jws::encode(slot.certificate.unwrap().as_der())
        };
        // One of the very service that is a mailbox's, its own included, is no escrow's.
        let neighbour = world.person("neighbour", Plan::sm2()).await;
        for certificate in [
            der(&stranger, Purpose::Encrypt).await,
            der(&owner, Purpose::Sign).await,
            der(&owner, Purpose::Encrypt).await,
            der(&neighbour, Purpose::Encrypt).await,
            "AAAA".to_owned(),
        ] {
            let http = Arc::new(OtherEscrow { inner: world.http(), certificate });
            let aecm = world.builder(http, owner.owner().store().clone()).build().unwrap();
            let mailbox = aecm.mailbox(owner.address().as_str()).unwrap();
            let error = mailbox.escrow(consent(&world).await).await.unwrap_err();
            assert!(matches!(error, Error::Transfer(TransferError::EscrowCertificate { .. })), "{error:?}");
            assert_eq!(mailbox.escrowed().await.unwrap(), None);
        }
    });
}

// What comes out of escrow is signed by the escrow: no device, nor anybody else, answers in its place.
#[test]
fn an_answer_in_the_escrow_s_place_is_refused() {
    run(async {
        let world = keeping(KeySpec::Sm2).await;
        let first = world.person("kept", Plan::sm2()).await;
        first.escrow(consent(&world).await).await.unwrap();
        let relay = Relay::new(world.http(), &world.service.directory_url());
        let store = memory();
        let aecm = world.builder(relay.clone(), store.clone()).build().unwrap();
        let second = aecm.mailbox(first.address().as_str()).unwrap();
        second.provision(Plan::sm2()).await.unwrap();
        let recovered = second.recover(Plan::sm2()).await.unwrap();
        assert!(recovered.waiting.is_some() && !recovered.is_complete(), "{recovered:?}");
        let request = relay.request();
        assert_eq!(forge::content_of(&request)["source"], "escrow");
        let before = store.entries(first.address()).await.unwrap();
        let package = forge::package(&forge::keys(&first, Purpose::Encrypt).await);
        let enveloped = forge::envelope(&package, &forge::transport_key(&request), |_, _| ());
        let signer = forge::identity(&first, Suite::Sm2, Purpose::Sign).await;
        let answer = forge::signed(&enveloped, oid::AUTH_ENVELOPED_DATA, &signer, Some(&request)).await;
        relay.answer(answer);
        let error = second.provision(Plan::sm2()).await.unwrap_err();
        assert!(
            matches!(&error, Error::Transfer(TransferError::Signer { reasons }) if reasons == "not-the-escrow"),
            "{error:?}"
        );
        assert_eq!(store.entries(first.address()).await.unwrap(), before, "nothing is imported");
    });
}
