//! Levels above the mailbox, the bound account they need, and the slot that the owner chose to sign with.

use std::time::Duration;

use aecm::acme::client::ClientError;
use aecm::acme::jws::EabError;
use aecm::acme::machine;
use aecm::acme::wire::{ProblemType, RevocationReason};
use aecm::core::suite::{Level, Purpose, Suite};
use aecm::store::Slot;
use aecm::{Error, Mailbox, Plan, RenewPlan, SlotState};
use aecm_service::{ExternalAccount, ExternalSubject};

use crate::world::{World, letter, memory, run};

const KEY: &str = "bWFjLWtleS1vZi0yNC1vY3RldHMtISE";

async fn bound_world() -> World {
    World::with(|options| {
        let mut subject = ExternalSubject::default();
        subject.organization = Some("Example Ltd".to_owned());
        subject.organization_identifier = Some("VATDE-123456789".to_owned());
        subject.country = Some("DE".to_owned());
        let account = ExternalAccount::new(KEY, subject).unwrap();
        options.acme.external_accounts.insert("customer-1".to_owned(), account);
    })
    .await
}

fn leveled() -> Plan {
    Plan::sm2().signing_levels(&[Level::Mailbox, Level::Organization])
}

async fn bound(world: &World) -> Mailbox {
    let address = world.address("customer");
    let aecm = world
        .builder(world.http(), memory())
        .external_account("customer-1", KEY)
        .contact("owner@example.test")
        .build()
        .unwrap();
    let mailbox = aecm.mailbox(address.as_str()).unwrap();
    let report = mailbox.provision(leveled()).await.unwrap();
    assert_eq!((report.issued(), report.is_complete()), (4, true), "{report:?}");
    mailbox
}

fn signing(slots: &[aecm::SlotReport], level: Level) -> Slot {
    slots.iter().find(|slot| slot.purpose == Purpose::Sign && slot.level == level).unwrap().slot()
}

#[test]
fn a_bound_account_obtains_more_than_the_mailbox() {
    run(async {
        let world = bound_world().await;
        let mailbox = bound(&world).await;
        let slots = mailbox.slots().await.unwrap();
        assert_eq!(slots.len(), 4);
        assert!(slots.iter().all(|slot| slot.state == SlotState::Present && slot.serial().is_some()));
        let of =
            |level| slots.iter().find(|slot| slot.purpose == Purpose::Sign && slot.level == level).unwrap();
        let subject = |level| of(level).certificate.as_ref().unwrap().subject_text();
        assert!(subject(Level::Organization).contains("Example Ltd"), "{}", subject(Level::Organization));
        assert!(!subject(Level::Mailbox).contains("Example"), "{}", subject(Level::Mailbox));
        // Again: nothing is missing.
        assert_eq!(mailbox.provision(leveled()).await.unwrap().issued(), 0);
    });
}

#[test]
fn an_account_that_is_not_bound_is_refused() {
    run(async {
        let world = bound_world().await;
        let address = world.address("stranger");
        let aecm = world.builder(world.http(), memory()).build().unwrap();
        let error = aecm.mailbox(address.as_str()).unwrap().provision(leveled()).await.unwrap_err();
        let Error::Provision(ClientError::Machine(machine::Error::Problem { problem, .. })) = &error else {
            panic!("{error:?}")
        };
        assert_eq!(problem.kind, ProblemType::Unauthorized, "{problem}");
        // What needs no binding was obtained, and goes on.
        let mailbox = aecm.mailbox(address.as_str()).unwrap();
        assert_eq!(mailbox.provision(Plan::sm2()).await.unwrap().slots.len(), 3);
    });
}

#[test]
fn a_wrong_key_and_an_unknown_customer_are_refused() {
    run(async {
        let world = bound_world().await;
        for (kid, key) in [("customer-1", "YW5vdGhlci1rZXktb2YtMjQtb2N0ZXRzISE"), ("customer-2", KEY)] {
            let address = world.address("impostor");
            let aecm = world.builder(world.http(), memory()).external_account(kid, key).build().unwrap();
            let error = aecm.mailbox(address.as_str()).unwrap().provision(Plan::sm2()).await.unwrap_err();
            assert!(
                matches!(&error, Error::Provision(ClientError::Machine(machine::Error::Problem { problem, .. }))
                    if problem.kind == ProblemType::Unauthorized),
                "{kid}: {error:?}"
            );
        }
        let error = world.builder(world.http(), memory()).external_account("customer-1", "short").build();
        assert!(matches!(error, Err(Error::ExternalAccount(EabError::Key))));
    });
}

#[test]
fn the_default_signer_signs_and_nothing_in_its_place() {
    run(async {
        let world = bound_world().await;
        let mailbox = bound(&world).await;
        let own = mailbox.address().to_string();
        let raw = letter(&own, &own);
        let slots = mailbox.slots().await.unwrap();
        let (mv, ov) = (signing(&slots, Level::Mailbox), signing(&slots, Level::Organization));

        // Without a choice no more is shown than the address.
        let plain = mailbox.compose(&raw).to([&own]).protect().await.unwrap();
        assert_eq!(plain.signer, Some(mv.clone()));
        mailbox.set_default_signer(Some(ov.clone())).await.unwrap();
        assert_eq!(mailbox.default_signer().await.unwrap(), Some(ov.clone()));
        let chosen = mailbox.compose(&raw).to([&own]).protect().await.unwrap();
        assert_eq!(chosen.signer, Some(ov.clone()));
        let opened = mailbox.open(&chosen.mail).await.unwrap();
        assert_eq!(opened.verdict.word(), "valid", "{:?}", opened.reasons);
        // A mail that is only signed goes out in the chosen suite too.
        let signed = mailbox.compose(&raw).to(["nobody@example.test"]).sign().only_named().await.unwrap();
        assert_eq!(signed.signer, Some(ov.clone()));

        // It survives renewal, and a new key signs.
        mailbox.renew(RenewPlan::slot(ov.clone())).await.unwrap();
        let renewed = mailbox.compose(&raw).to([&own]).protect().await.unwrap();
        assert_eq!(renewed.signer, Some(ov.clone()));

        // Revoked: an error, not the other slot.
        mailbox.revoke(ov.clone(), RevocationReason::AffiliationChanged).await.unwrap();
        let error = mailbox.compose(&raw).to([&own]).protect().await.unwrap_err();
        assert!(matches!(&error, Error::DefaultSigner { slot, .. } if *slot == ov), "{error:?}");
        assert!(error.to_string().contains("revoked"), "{error}");
        mailbox.set_default_signer(None).await.unwrap();
        assert_eq!(mailbox.compose(&raw).to([&own]).protect().await.unwrap().signer, Some(mv.clone()));

        // Run out: likewise.
        mailbox.set_default_signer(Some(mv)).await.unwrap();
        world.dial.forward(Duration::from_secs(500 * 86_400));
        let error = mailbox.compose(&raw).to([&own]).sign().await.unwrap_err();
        assert!(error.to_string().contains("run out"), "{error}");
    });
}

#[test]
fn only_an_own_signing_slot_can_be_the_default() {
    run(async {
        let world = World::new().await;
        let mailbox = world.person("chooser", Plan::sm2()).await;
        let slots = mailbox.slots().await.unwrap();
        let of = |purpose| slots.iter().find(|slot| slot.purpose == purpose).unwrap().slot();
        for purpose in [Purpose::Encrypt, Purpose::Timestamp] {
            let error = mailbox.set_default_signer(Some(of(purpose))).await.unwrap_err();
            assert!(matches!(error, Error::DefaultSigner { .. }), "{error:?}");
        }
        let elsewhere = Slot { device: Some("other-device".parse().unwrap()), ..of(Purpose::Sign) };
        assert!(matches!(
            mailbox.set_default_signer(Some(elsewhere)).await,
            Err(Error::DefaultSigner { .. })
        ));
        // A slot that has nothing: chosen, and then said.
        let empty = Slot { suite: Suite::Classic, ..of(Purpose::Sign) };
        mailbox.set_default_signer(Some(empty)).await.unwrap();
        let own = mailbox.address().to_string();
        let raw = letter(&own, &own);
        let error = mailbox.compose(&raw).to([&own]).protect().await.unwrap_err();
        assert!(matches!(error, Error::DefaultSigner { .. }), "{error:?}");
        // A mail that asks for the other suite goes before it.
        let sm2 = mailbox.compose(&raw).to([&own]).suite(Suite::Sm2).protect().await.unwrap();
        assert_eq!(sm2.signer, Some(of(Purpose::Sign)));
    });
}

#[test]
fn the_default_suite_decides_a_mail_that_is_only_signed() {
    run(async {
        let world = World::new().await;
        let plan = Plan::dual().classic_keys(aecm::ClassicKeys::Ecc);
        let mailbox = world.person("suited", plan).await;
        let own = mailbox.address().to_string();
        let raw = letter(&own, "nobody@example.test");
        let signed = async |suite| {
            mailbox.set_default_suite(suite).await.unwrap();
            mailbox.compose(&raw).to(["nobody@example.test"]).sign().await.unwrap().signer.unwrap().suite
        };
        assert_eq!(signed(None).await, Suite::Classic, "who is not known is taken to read classic");
        assert_eq!(signed(Some(Suite::Sm2)).await, Suite::Sm2);
        assert_eq!(signed(Some(Suite::Classic)).await, Suite::Classic);
    });
}
