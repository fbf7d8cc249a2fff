//! Everything lost but the escrow: what comes out of it, what is in use, and what is missing (THREATS E8).

use aecm::acme::wire::RevocationReason;
use aecm::core::suite::{Purpose, Suite};
use aecm::store::{EntryState, Slot};
use aecm::{Plan, RenewPlan, SlotState};

use crate::escrow::{consent, keeping};
use crate::transfer::{approve, ecc, note, opens, second, waits};
use crate::world::run;
use aecm::core::software::KeySpec;

fn encrypt() -> Slot {
    "sm2-encrypt-mv".parse().unwrap()
}

async fn keys_of(mailbox: &aecm::Mailbox) -> Vec<EntryState> {
    let entries = mailbox.entries().await.unwrap();
    entries.iter().filter(|entry| entry.slot.purpose == Purpose::Encrypt).map(|entry| entry.state).collect()
}

// The certificate was revoked before the recovery: the old key still opens old mail, and only then comes a new one.
#[test]
fn old_keys_come_back_before_a_new_one_is_made() {
    run(async {
        let world = keeping(KeySpec::Sm2).await;
        let first = world.person("revoked", Plan::sm2()).await;
        let mail = note(&first).await;
        first.escrow(consent(&world).await).await.unwrap();
        first.revoke(encrypt(), RevocationReason::CessationOfOperation).await.unwrap();

        let second = second(&world, &first);
        let recovered = second.recover(Plan::sm2()).await.unwrap();
        opens(&second, &mail).await;
        assert_eq!(keys_of(&second).await, [EntryState::Retired, EntryState::Active]);
        let [suite] = recovered.suites.as_slice() else { panic!("{recovered:?}") };
        assert_eq!((suite.state, suite.keys, &suite.missing), (SlotState::Issued, 1, &None), "{recovered:?}");
        assert!(recovered.is_complete() && recovered.rekeyed.is_empty());
        opens(&second, &note(&second).await).await;
        // In place: recovering again takes the same keys and makes none.
        let again = second.recover(Plan::sm2()).await.unwrap();
        assert_eq!((again.suites[0].state, again.suites[0].keys), (SlotState::Present, 0), "{again:?}");
        assert_eq!(keys_of(&second).await, [EntryState::Retired, EntryState::Active]);
    });
}

// What was given before the last rekey lacks the key in use: what there is comes, and the rest is named.
#[test]
fn an_old_escrow_gives_what_it_has_and_the_missing_key_is_named() {
    run(async {
        let world = keeping(KeySpec::Sm2).await;
        let first = world.person("stale", Plan::sm2()).await;
        let old = note(&first).await;
        first.escrow(consent(&world).await).await.unwrap();
        first.renew(RenewPlan::slot(encrypt()).rekey()).await.unwrap();
        let new = note(&first).await;
        let used = first.slots().await.unwrap().into_iter().find(|slot| slot.slot() == encrypt()).unwrap();

        let second = second(&world, &first);
        let recovered = second.recover(Plan::sm2()).await.unwrap();
        opens(&second, &old).await;
        assert!(second.open(&new).await.is_err());
        assert_eq!(keys_of(&second).await, [EntryState::Retired], "nothing is made in its place");
        let suite = &recovered.suites[0];
        assert_eq!((suite.state, suite.keys), (SlotState::ActiveMissing, 1), "{recovered:?}");
        assert_eq!(suite.missing, used.certificate);
        assert!(!recovered.is_complete() && recovered.waiting.is_none());
        assert_eq!(recovered.rekeyed.len(), 1, "{recovered:?}");
        assert_eq!(Some(&recovered.rekeyed[0].certificate), used.certificate.as_ref());
        // The device that has it gives it.
        approve(&first, &waits(&second, Plan::sm2()).await).await;
        assert!(second.provision(Plan::sm2()).await.unwrap().is_complete());
        opens(&second, &new).await;
        opens(&second, &old).await;
    });
}

// One suite was escrowed, the other never existed.
#[test]
fn each_suite_is_told_apart() {
    run(async {
        let world = keeping(KeySpec::Rsa(3_072)).await;
        let first = world.person("half", Plan::sm2()).await;
        let mail = note(&first).await;
        let given = first.escrow(consent(&world).await).await.unwrap();
        assert_eq!(given.suites(), [Suite::Sm2]);
        assert_eq!(given.keys.len(), 1);
        assert!(given.keys[0].in_use);
        assert_eq!(first.escrowed().await.unwrap(), Some(given));
        let second = second(&world, &first);
        let recovered = second.recover(ecc()).await.unwrap();
        let state = |suite| recovered.suites.iter().find(|one| one.suite == suite).map(|one| one.state);
        assert_eq!(state(Suite::Sm2), Some(SlotState::Received), "{recovered:?}");
        assert_eq!(state(Suite::Classic), Some(SlotState::Issued), "{recovered:?}");
        assert_eq!(recovered.received(), [Suite::Sm2]);
        assert!(recovered.is_complete());
        opens(&second, &mail).await;
        assert!(second.provision(ecc()).await.unwrap().is_complete());
    });
}

// Nothing there: no key is made either, so that nothing is decided without the owner.
#[test]
fn without_anything_in_escrow_nothing_is_made() {
    run(async {
        let world = keeping(KeySpec::Sm2).await;
        let first = world.person("never", Plan::sm2()).await;
        first.revoke(encrypt(), RevocationReason::CessationOfOperation).await.unwrap();
        let second = second(&world, &first);
        let error = second.recover(Plan::sm2()).await.unwrap_err();
        assert_eq!(error.to_string(), aecm::TransferError::NothingEscrowed.to_string());
        assert_eq!(keys_of(&second).await, []);
        assert!(second.provision(Plan::sm2()).await.unwrap().is_complete());
    });
}
