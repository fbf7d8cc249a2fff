//! Who answers with another key than the one in use: nothing takes its place without the owner's word (THREATS K8).

use aecm::acme::wire::RevocationReason;
use aecm::core::suite::{Purpose, Suite};
use aecm::store::{EntryState, Slot};
use aecm::{Error, Mailbox, Plan, RenewPlan, SlotState, TransferConflict, TransferError};

use crate::transfer::{approve, note, opens, second, waits};
use crate::world::{World, run};

fn encrypt() -> Slot {
    "sm2-encrypt-mv".parse().unwrap()
}

async fn active(mailbox: &Mailbox) -> Vec<u8> {
    let entries = mailbox.entries().await.unwrap();
    let mut of =
        entries.iter().filter(|one| one.slot.purpose == Purpose::Encrypt && one.state == EntryState::Active);
    let key = of.next().unwrap().public_key.spki_der().to_vec();
    assert!(of.next().is_none());
    key
}

/// Somebody who reads the owner's mailbox revokes the owner's encrypting certificate, obtains one, and gives its key
/// when the owner's device asks for the key in use.
async fn answered_by_a_stranger(world: &World, owner: &Mailbox) -> (Mailbox, TransferConflict) {
    let stranger = second(world, owner);
    let held = owner.slots().await.unwrap().into_iter().find(|slot| slot.slot() == encrypt()).unwrap();
    waits(&stranger, Plan::sm2()).await;
    stranger.revoke(held.certificate.unwrap(), RevocationReason::Superseded).await.unwrap();
    assert!(stranger.provision(Plan::sm2()).await.unwrap().is_complete());
    let waiting = owner.renew(RenewPlan::slot(encrypt())).await.unwrap().waiting.unwrap();
    approve(&stranger, &waiting).await;
    let before = owner.entries().await.unwrap();
    let report = owner.provision(Plan::sm2()).await.unwrap();
    assert_eq!(owner.entries().await.unwrap(), before, "nothing is taken");
    let conflict = report.conflict.clone().expect("the owner is asked");
    assert!(!report.is_complete() && report.waiting.is_none());
    let slot = report.slots.iter().find(|slot| slot.purpose == Purpose::Encrypt).unwrap();
    assert_eq!(slot.state, SlotState::TransferConflict);
    // And it is said that the key was replaced by another account.
    assert_eq!(report.rekeyed.len(), 1, "{report:?}");
    assert_eq!(report.rekeyed[0].suite, Suite::Sm2);
    assert_eq!(report.rekeyed[0].certificate, conflict.keys[0].offered);
    (stranger, conflict)
}

#[test]
fn a_stranger_s_key_does_not_take_the_place_of_the_owner_s() {
    run(async {
        let world = World::new().await;
        let owner = world.person("robbed", Plan::sm2()).await;
        let own = active(&owner).await;
        let (stranger, conflict) = answered_by_a_stranger(&world, &owner).await;
        assert_eq!(conflict.keys.len(), 1);
        let signer = stranger.slots().await.unwrap();
        let signer = signer.into_iter().find(|slot| slot.purpose == Purpose::Sign).unwrap();
        assert_eq!(Some(&conflict.giver), signer.certificate.as_ref(), "who gave it");
        // However often it is looked at, and whatever asks again.
        assert_eq!(owner.provision(Plan::sm2()).await.unwrap().conflict, Some(conflict.clone()));
        assert_eq!(owner.transfer_conflict().await.unwrap(), Some(conflict.clone()));
        owner.renew(RenewPlan::slot(encrypt())).await.unwrap();
        assert_eq!(owner.transfer_conflict().await.unwrap(), Some(conflict.clone()));
        assert_eq!(active(&owner).await, own);
        // No.
        owner.decline_transfer(&conflict).await.unwrap();
        assert_eq!(owner.transfer_conflict().await.unwrap(), None);
        let report = owner.provision(Plan::sm2()).await.unwrap();
        assert!(report.is_complete() && report.conflict.is_none(), "{report:?}");
        assert_eq!(active(&owner).await, own);
        let error = owner.accept_transfer(&conflict).await.unwrap_err();
        assert!(matches!(error, Error::Transfer(TransferError::ConflictChanged)), "{error:?}");
        assert_eq!(active(&owner).await, own);
    });
}

#[test]
fn the_owner_s_word_takes_the_key() {
    run(async {
        let world = World::new().await;
        let owner = world.person("agrees", Plan::sm2()).await;
        let old = note(&owner).await;
        let own = active(&owner).await;
        let (other, conflict) = answered_by_a_stranger(&world, &owner).await;
        assert_eq!(owner.accept_transfer(&conflict).await.unwrap(), [Suite::Sm2]);
        assert_eq!(active(&owner).await, active(&other).await);
        assert_ne!(active(&owner).await, own);
        opens(&owner, &old).await;
        opens(&owner, &note(&other).await).await;
        let report = owner.provision(Plan::sm2()).await.unwrap();
        assert!(report.is_complete() && report.rekeyed.is_empty(), "{report:?}");
        let error = owner.decline_transfer(&conflict).await.unwrap_err();
        assert!(matches!(error, Error::Transfer(TransferError::ConflictChanged)), "{error:?}");
    });
}

// That the certificate was revoked is what the stranger did: learning of it leaves the decision with the owner.
#[test]
fn a_revocation_that_was_only_heard_of_makes_no_room() {
    run(async {
        let world = World::new().await;
        let owner = world.person("warned", Plan::sm2()).await;
        let own = active(&owner).await;
        let stranger = second(&world, &owner);
        let held = owner.slots().await.unwrap().into_iter().find(|slot| slot.slot() == encrypt()).unwrap();
        waits(&stranger, Plan::sm2()).await;
        stranger.revoke(held.certificate.unwrap(), RevocationReason::Superseded).await.unwrap();
        assert!(stranger.provision(Plan::sm2()).await.unwrap().is_complete());
        owner.events().await.unwrap();
        let report = owner.provision(Plan::sm2()).await.unwrap();
        assert_eq!(report.rekeyed.len(), 1, "{report:?}");
        approve(&stranger, &report.waiting.unwrap()).await;
        let report = owner.provision(Plan::sm2()).await.unwrap();
        let conflict = report.conflict.clone().expect("the owner is asked");
        assert!(!report.is_complete(), "{report:?}");
        assert_eq!(active(&owner).await, own);
        assert_eq!(owner.accept_transfer(&conflict).await.unwrap(), [Suite::Sm2]);
        assert_eq!(active(&owner).await, active(&stranger).await);
    });
}

// A key that this device revoked itself holds no place; that somebody made another is told all the same.
#[test]
fn a_vacant_slot_takes_the_key_and_the_rekey_is_told() {
    run(async {
        let world = World::new().await;
        let owner = world.person("vacant", Plan::sm2()).await;
        let other = second(&world, &owner);
        waits(&other, Plan::sm2()).await;
        owner.revoke(encrypt(), RevocationReason::CessationOfOperation).await.unwrap();
        assert!(other.provision(Plan::sm2()).await.unwrap().is_complete());
        let report = owner.provision(Plan::sm2()).await.unwrap();
        assert_eq!(report.rekeyed.len(), 1, "{report:?}");
        approve(&other, &report.waiting.unwrap()).await;
        let report = owner.provision(Plan::sm2()).await.unwrap();
        assert!(report.is_complete() && report.conflict.is_none(), "{report:?}");
        assert_eq!(report.rekeyed.len(), 1, "{report:?}");
        assert_eq!(active(&owner).await, active(&other).await);
        assert!(owner.provision(Plan::sm2()).await.unwrap().rekeyed.is_empty(), "told once");
    });
}

// A damaged record is an error, never no conflict.
#[test]
fn a_damaged_conflict_is_an_error() {
    run(async {
        let world = World::new().await;
        let owner = world.person("damaged", Plan::sm2()).await;
        let (_, conflict) = answered_by_a_stranger(&world, &owner).await;
        let record = format!("aecm-transfer:{}:{}", world.service.directory_url(), owner.address());
        let store = owner.owner().store();
        let octets = store.load_state(&record).await.unwrap().unwrap();
        let text = String::from_utf8(octets.to_vec()).unwrap();
        for (from, to) in [("\"suite\":\"sm2\"", "\"suite\":\"rot13\""), ("\"giver\":\"M", "\"giver\":\"*")] {
            assert!(text.contains(from), "{from}");
            store.save_state(&record, text.replace(from, to).as_bytes()).await.unwrap();
            let error = owner.accept_transfer(&conflict).await.unwrap_err();
            assert!(matches!(error, Error::Record { .. }), "{error:?}");
        }
    });
}

/// The owner's two devices with one key; the first has made another one since.
async fn rekeyed_here(world: &World, name: &str) -> (Mailbox, Mailbox, Vec<u8>, Vec<u8>) {
    let owner = world.person(name, Plan::sm2()).await;
    let old = active(&owner).await;
    let mail = note(&owner).await;
    let other = second(world, &owner);
    approve(&owner, &waits(&other, Plan::sm2()).await).await;
    assert!(other.provision(Plan::sm2()).await.unwrap().is_complete());
    owner.renew(RenewPlan::slot(encrypt()).rekey()).await.unwrap();
    assert_ne!(active(&owner).await, old);
    (owner, other, old, mail)
}

async fn certificate(mailbox: &Mailbox) -> aecm::core::certificate::Certificate {
    let slots = mailbox.slots().await.unwrap();
    slots.into_iter().find(|slot| slot.slot() == encrypt()).unwrap().certificate.unwrap()
}

// The former key is the mailbox's key again: not without the owner's word where somebody else made room for it.
#[test]
fn a_retired_key_comes_back_on_the_owner_s_word() {
    run(async {
        let world = World::new().await;
        let (owner, other, old, mail) = rekeyed_here(&world, "back").await;
        let own = active(&owner).await;
        other.revoke(certificate(&owner).await, RevocationReason::Superseded).await.unwrap();
        other.renew(RenewPlan::slot(encrypt())).await.unwrap();
        owner.events().await.unwrap();
        for _ in 0..2 {
            let report = owner.provision(Plan::sm2()).await.unwrap();
            assert!(!report.is_complete(), "{report:?}");
            assert_eq!(active(&owner).await, own);
        }
        let waiting = owner.provision(Plan::sm2()).await.unwrap().waiting.unwrap();
        approve(&other, &waiting).await;
        let conflict = owner.provision(Plan::sm2()).await.unwrap().conflict.expect("the owner is asked");
        assert_eq!(owner.accept_transfer(&conflict).await.unwrap(), [Suite::Sm2]);
        assert_eq!(active(&owner).await, old);
        opens(&owner, &mail).await;
        assert!(owner.provision(Plan::sm2()).await.unwrap().is_complete());
        let renewed = owner.renew(RenewPlan::slot(encrypt())).await.unwrap();
        assert_eq!(renewed.slots[0].state, SlotState::Renewed, "{renewed:?}");
        assert_eq!(active(&owner).await, old);
    });
}

#[test]
fn a_retired_key_comes_back_where_the_owner_revoked_the_next() {
    run(async {
        let world = World::new().await;
        let (owner, other, old, mail) = rekeyed_here(&world, "own").await;
        owner.revoke(encrypt(), RevocationReason::Superseded).await.unwrap();
        other.renew(RenewPlan::slot(encrypt())).await.unwrap();
        let report = owner.provision(Plan::sm2()).await.unwrap();
        assert!(report.is_complete() && report.waiting.is_none(), "{report:?}");
        assert_eq!(active(&owner).await, old);
        opens(&owner, &mail).await;
        assert!(owner.renew(RenewPlan::all()).await.unwrap().is_complete());
    });
}
