//! Taking certificates back: by the account that obtained them, by another of the same owner, by their own key.

use std::sync::Arc;
use std::time::Duration;

use aecm::acme::client::{ClientError, Revoked};
use aecm::acme::jws::JwsError;
use aecm::acme::wire::{ProblemType, RevocationReason};
use aecm::core::certificate::Certificate;
use aecm::core::suite::{Purpose, Suite};
use aecm::{ClassicKeys, Error, Mailbox, Plan, SlotState};

use crate::world::{World, letter, memory, run};

const COMPROMISE: RevocationReason = RevocationReason::KeyCompromise;

/// A device of whoever has that address.
async fn device(world: &World, address: &str) -> Mailbox {
    world.builder(world.http(), memory()).build().unwrap().mailbox(address).unwrap()
}

async fn certificate(mailbox: &Mailbox, purpose: Purpose) -> Certificate {
    let slots = mailbox.slots().await.unwrap();
    slots.iter().find(|slot| slot.purpose == purpose).unwrap().certificate.clone().unwrap()
}

#[test]
fn a_slot_is_revoked_and_says_so() {
    run(async {
        let world = World::new().await;
        let mailbox = world.person("owner", Plan::sm2()).await;
        let own = mailbox.address().to_string();
        let raw = letter(&own, &own);
        let slots = mailbox.slots().await.unwrap();
        let sign = slots.iter().find(|slot| slot.purpose == Purpose::Sign).unwrap().slot();
        let revoked = mailbox.revoke(sign.clone(), RevocationReason::Superseded).await.unwrap();
        assert_eq!(revoked.len(), 1);
        assert_eq!(revoked[0].outcome, Revoked::Now);
        let after = mailbox.slots().await.unwrap();
        let state = |purpose| after.iter().find(|slot| slot.purpose == purpose).unwrap().state;
        assert_eq!(state(Purpose::Sign), SlotState::Revoked);
        assert_eq!(state(Purpose::Encrypt), SlotState::Present);
        // It does not sign any more.
        let error = mailbox.compose(&raw).to([&own]).sign().await.unwrap_err();
        assert!(matches!(error, Error::Revoked { suite: Suite::Sm2, .. }), "{error:?}");
        // Again: known.
        let again = mailbox.revoke(sign, RevocationReason::Superseded).await.unwrap();
        assert_eq!(again[0].outcome, Revoked::Before);
        // Provisioning fills the slot with a new key.
        assert_eq!(mailbox.provision(Plan::sm2()).await.unwrap().issued(), 1);
        assert!(mailbox.compose(&raw).to([&own]).sign().await.is_ok());
    });
}

#[test]
fn what_is_not_there_cannot_be_revoked() {
    run(async {
        let world = World::new().await;
        let mailbox = world.person("empty", Plan::sm2()).await;
        let absent: aecm::store::Slot = "classic-encrypt-mv".parse().unwrap();
        assert!(matches!(mailbox.revoke(absent, COMPROMISE).await, Err(Error::NothingThere { .. })));
        let unknown: aecm::store::KeyId = "00000000000000000000000000000000".parse().unwrap();
        assert!(matches!(mailbox.revoke(unknown, COMPROMISE).await, Err(Error::NothingThere { .. })));
        let nobody = "nobody".parse().unwrap();
        assert!(matches!(mailbox.revoke_device(&nobody, COMPROMISE).await, Err(Error::NothingThere { .. })));
        // What has run out needs no revocation.
        let slot = mailbox.slots().await.unwrap()[0].slot();
        world.dial.forward(Duration::from_secs(500 * 86_400));
        assert!(matches!(mailbox.revoke(slot, COMPROMISE).await, Err(Error::NothingThere { .. })));
    });
}

// RFC 8555 §7.6: an account that has proven the mailbox may revoke what another account obtained for it.
#[test]
fn another_account_of_the_owner_revokes() {
    run(async {
        let world = World::new().await;
        let first = world.person("two-accounts", Plan::sm2()).await;
        let second = device(&world, first.address().as_str()).await;
        let lost = certificate(&first, Purpose::Sign).await;
        // Without a proof of its own it may not.
        let error = second.revoke(lost.clone(), COMPROMISE).await.unwrap_err();
        assert!(matches!(error, Error::Provision(ClientError::NoAccount)), "{error:?}");
        second.provision(Plan::sm2()).await.unwrap();
        let revoked = second.revoke(lost.clone(), COMPROMISE).await.unwrap();
        assert_eq!(revoked[0].outcome, Revoked::Now);
        assert_eq!(revoked[0].certificate, lost);
    });
}

#[test]
fn somebody_else_may_not_revoke() {
    run(async {
        let world = World::new().await;
        let alice = world.person("alice", Plan::sm2()).await;
        let mallory = world.person("mallory", Plan::sm2()).await;
        let stolen = certificate(&alice, Purpose::Sign).await;
        let error = mallory.revoke(stolen, COMPROMISE).await.unwrap_err();
        assert!(
            matches!(&error, Error::Provision(ClientError::Problem(problem))
                if problem.kind == ProblemType::Unauthorized),
            "{error:?}"
        );
        assert!(alice.slots().await.unwrap().iter().all(|slot| slot.state == SlotState::Present));
    });
}

// RFC 8555 §7.6: by the certificate's own key, when the account is gone. JOSE has no algorithm for SM2.
#[test]
fn the_certificate_s_own_key_revokes() {
    run(async {
        let world = World::new().await;
        for (plan, suite) in
            [(Plan::classic().classic_keys(ClassicKeys::Ecc), Suite::Classic), (Plan::sm2(), Suite::Sm2)]
        {
            let mailbox = world.person("keyed", plan).await;
            let store = mailbox.owner().store();
            // The account is lost; only the certificate's key is left.
            let name = format!("acme-account:{}", world.service.directory_url());
            store.delete_state(&name).await.unwrap();
            let slots = mailbox.slots().await.unwrap();
            let sign = slots.iter().find(|slot| slot.purpose == Purpose::Sign).unwrap();
            let outcome = mailbox.revoke(sign.slot(), COMPROMISE).await;
            match suite {
                Suite::Classic => assert_eq!(outcome.unwrap()[0].outcome, Revoked::Now),
                Suite::Sm2 => assert!(matches!(outcome, Err(Error::Provision(ClientError::NoAccount)))),
            }
        }
    });
}

#[test]
fn sm2_keys_sign_no_jws() {
    use aecm::acme::jws::{KeyReference, Protected, sign};
    use aecm::core::embed::OsRng;
    use aecm::core::software::{KeySpec, SoftwareKey};
    run(async {
        let key = SoftwareKey::generate(KeySpec::Sm2, &OsRng).unwrap();
        assert!(Protected::by_key("https://ca.example/revoke", Some("n"), key.public_key()).is_none());
        let signer = key.into_signer(Arc::new(OsRng));
        let header = Protected::new("https://ca.example/revoke", Some("n"), KeyReference::Kid("k".into()));
        assert!(matches!(sign(&signer, &header, b"{}").await, Err(JwsError::Key)));
    });
}

#[test]
fn this_device_is_revoked_whole() {
    run(async {
        let world = World::new().await;
        let mailbox = world.person("device", Plan::sm2()).await;
        let this = mailbox.owner().store().device().await.unwrap();
        let report = mailbox.revoke_device(&this, COMPROMISE).await.unwrap();
        assert_eq!(report.revoked.len(), 2, "signing and timestamping, not the shared key: {report:?}");
        assert!(report.unattributed.is_empty());
        let states: Vec<_> =
            mailbox.slots().await.unwrap().iter().map(|slot| (slot.purpose, slot.state)).collect();
        assert_eq!(
            states,
            [
                (Purpose::Sign, SlotState::Revoked),
                (Purpose::Encrypt, SlotState::Present),
                (Purpose::Timestamp, SlotState::Revoked)
            ]
        );
    });
}
