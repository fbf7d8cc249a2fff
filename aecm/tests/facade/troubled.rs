//! A service in trouble: lists that cannot be read or are too long, answers that were lost, and nobody there.

use std::sync::Arc;
use std::time::Duration;

use aecm::acme::directory::HttpDirectory;
use aecm::acme::jws;
use aecm::acme::wire::RevocationReason;
use aecm::core::directory::CertificateDirectory as _;
use aecm::core::limits::Limits;
use aecm::core::mailbox::Mailbox as Address;
use aecm::core::software::KeySpec;
use aecm::core::suite::{Purpose, Suite};
use aecm::store::{EntryState, Slot};
use aecm::{Mailbox, Plan, RenewPlan, SlotState};
use serde_json::{Value, json};

use crate::escrow::{consent, keeping};
use crate::meddler::{Meddler, answered, orders, problem};
use crate::transfer::{note, opens, second, waits};
use crate::world::{World, memory, run};

fn encrypt() -> Slot {
    "sm2-encrypt-mv".parse().unwrap()
}

fn meddled(world: &World, address: &Address) -> (Mailbox, Arc<Meddler>) {
    let meddler = Meddler::new(world.http());
    let aecm = world.builder(meddler.clone(), memory()).build().unwrap();
    (aecm.mailbox(address.as_str()).unwrap(), meddler)
}

// The call that looks whether keys came has nothing else to do: the dates decide.
#[test]
fn nothing_is_due_and_nobody_is_there() {
    run(async {
        let world = World::new().await;
        let first = world.person("away", Plan::sm2()).await;
        let (second, meddler) = meddled(&world, first.address());
        let waiting = waits(&second, Plan::sm2()).await;
        meddler.vanish(true);
        let now = aecm::core::embed::Clock::now(world.dial.as_ref());
        let renewed = second.renew_if_due(now).await.unwrap();
        assert!(renewed.slots.is_empty() && renewed.next.is_some(), "{renewed:?}");
        meddler.vanish(false);
        assert_eq!(waits(&second, Plan::sm2()).await.url, waiting.url, "the request is not lost");
    });
}

// A new key was certified and its answer lost: that the service names it is no reason to put it aside.
#[test]
fn a_rekey_whose_answer_was_lost_is_taken_up() {
    run(async {
        let world = World::new().await;
        for names_certificate in [true, false] {
            let address = world.address("lost-rekey");
            let (mailbox, meddler) = meddled(&world, &address);
            assert!(mailbox.provision(Plan::sm2()).await.unwrap().is_complete());
            world.dial.forward(Duration::from_secs(86_400));
            meddler.answer(|request, _| {
                request.url.contains("/certificate/").then(|| problem(403, "malformed", "not today"))
            });
            mailbox.renew(RenewPlan::slot(encrypt()).rekey()).await.unwrap_err();
            let store = mailbox.owner().store();
            let directory = world.service.directory_url();
            store.delete_state(&format!("acme-plan:{directory}:{address}")).await.unwrap();
            let entries = mailbox.entries().await.unwrap();
            let made = entries.iter().find(|entry| entry.state == EntryState::Pending).unwrap();
            let found = world.service.certificate_directory().certificates(&address).await.unwrap();
            let of_key = |found: &&aecm::core::directory::Found| {
                found.certificate.public_key() == Some(&made.public_key)
            };
            let found = found.iter().find(of_key).expect("it was certified").clone();
            let leaf = jws::encode(found.certificate.as_der());
            let above: Vec<String> = found.chain.iter().map(|one| jws::encode(one.as_der())).collect();
            meddler.answer(move |request, payload| {
                orders(request, payload, "sm2-encrypt-mv").then(|| {
                    let mut body = json!({ "type": "urn:aecm:error:encryptionKeyExists", "status": 409 });
                    if names_certificate {
                        body["certificate"] = json!(leaf);
                        body["chain"] = json!(above);
                    }
                    answered(409, &body)
                })
            });
            let renewed = mailbox.renew(RenewPlan::slot(encrypt()).rekey()).await.unwrap();
            assert!(renewed.is_complete(), "{renewed:?}");
            let entries = mailbox.entries().await.unwrap();
            let active = entries.iter().find(|one| one.slot == encrypt() && one.state == EntryState::Active);
            assert_eq!(active.unwrap().certificate.as_ref(), Some(&found.certificate));
        }
    });
}

fn is_list(url: &str) -> bool {
    url.contains("/aecm/certificates/")
}

// What is known of a device is revoked though nobody can say what else there is.
#[test]
fn a_list_that_cannot_be_read_ends_no_call() {
    run(async {
        let world = World::new().await;
        let address = world.address("unlisted");
        let (mailbox, meddler) = meddled(&world, &address);
        mailbox.provision(Plan::sm2()).await.unwrap();
        let other = second(&world, &mailbox);
        other.provision(Plan::sm2()).await.unwrap();
        let name = other.owner().store().device().await.unwrap();
        meddler
            .answer(|request, _| is_list(&request.url).then(|| problem(500, "serverInternal", "in trouble")));
        let report = mailbox.revoke_device(&name, RevocationReason::KeyCompromise).await.unwrap();
        assert_eq!(report.revoked.len(), 2, "{report:?}");
        assert!(report.unattributed.is_empty());
    });
}

// Each device adds certificates to sign with; mail to the mailbox is encrypted all the same.
#[test]
fn a_list_that_is_too_long_still_names_the_encrypting_key() {
    run(async {
        let world = World::new().await;
        let address = world.address("crowded");
        let (mailbox, meddler) = meddled(&world, &address);
        mailbox.provision(Plan::sm2()).await.unwrap();
        let slots = mailbox.slots().await.unwrap();
        assert!(slots.iter().all(|slot| slot.state == SlotState::Present));
        let of = |purpose| {
            let slot = slots.iter().find(|slot| slot.purpose == purpose).unwrap();
            slot.certificate.clone().unwrap()
        };
        let (encrypts, signs) = (of(Purpose::Encrypt), of(Purpose::Sign));
        let (named, crowd) = (jws::encode(encrypts.as_der()), jws::encode(signs.as_der()));
        meddler.edit(move |url, response| {
            if is_list(url) {
                let mut list: Vec<Value> = vec![json!([crowd]); 100];
                list.push(json!([named]));
                response.body = json!({ "certificates": list }).to_string().into_bytes();
            }
        });
        let url = world.service.directory_url();
        let prefix = format!("{}/aecm/certificates/", url.strip_suffix("/acme/directory").unwrap());
        let directory = HttpDirectory::new(&url, &prefix, meddler, Limits::default()).unwrap();
        let found = directory.certificates(&address).await.unwrap();
        assert_eq!(found.len(), 64);
        assert_eq!(found[0].certificate, encrypts);
        assert!(found[1..].iter().all(|found| found.certificate == signs));
    });
}

// Which of the keys is in use is what the list would say; an order says it too.
#[test]
fn keys_come_out_of_escrow_without_the_list() {
    run(async {
        let world = keeping(KeySpec::Sm2).await;
        let first = world.person("unlisted-escrow", Plan::sm2()).await;
        let mail = note(&first).await;
        first.escrow(consent(&world).await).await.unwrap();
        let (second, meddler) = meddled(&world, first.address());
        meddler
            .answer(|request, _| is_list(&request.url).then(|| problem(500, "serverInternal", "in trouble")));
        let recovered = second.recover(Plan::sm2()).await.unwrap();
        assert!(recovered.is_complete(), "{recovered:?}");
        assert_eq!(recovered.received(), [Suite::Sm2]);
        opens(&second, &mail).await;
        let key = async |mailbox: &Mailbox| {
            let entries = mailbox.entries().await.unwrap();
            let active = |one: &&aecm::store::Entry| one.slot == encrypt() && one.state == EntryState::Active;
            entries.iter().find(active).unwrap().public_key.spki_der().to_vec()
        };
        assert_eq!(key(&second).await, key(&first).await, "no new one was made");
    });
}

// Renewed by a call that is gone on with, and revoked by another device since: that is not called renewed.
#[test]
fn what_was_renewed_and_revoked_since_is_followed() {
    run(async {
        let world = World::new().await;
        let address = world.address("followed");
        let (mailbox, meddler) = meddled(&world, &address);
        assert!(mailbox.provision(Plan::sm2()).await.unwrap().is_complete());
        let other = second(&world, &mailbox);
        other.provision(Plan::sm2()).await.unwrap();
        world.dial.forward(Duration::from_secs(350 * 86_400));
        meddler.answer(|request, payload| {
            orders(request, payload, "sm2-sign-mv").then(|| problem(403, "rejectedIdentifier", "not today"))
        });
        let now = || aecm::core::embed::Clock::now(world.dial.as_ref());
        let state = |renewed: &aecm::Renewed, purpose| {
            renewed.slots.iter().find(|slot| slot.purpose == purpose).map(|slot| slot.state)
        };
        let renewed = mailbox.renew_if_due(now()).await.unwrap();
        assert_eq!(state(&renewed, Purpose::Encrypt), Some(SlotState::Renewed), "{renewed:?}");
        assert_eq!(state(&renewed, Purpose::Sign), Some(SlotState::Failed), "{renewed:?}");
        let certificate = async || {
            let slots = mailbox.slots().await.unwrap();
            slots.into_iter().find(|slot| slot.purpose == Purpose::Encrypt).unwrap()
        };
        let revoked = certificate().await.certificate.unwrap();
        let own = other.slots().await.unwrap();
        let own = own.iter().find(|slot| slot.purpose == Purpose::Sign).unwrap();
        other.renew(RenewPlan::slot(own.slot())).await.unwrap();
        other.revoke(revoked.clone(), RevocationReason::KeyCompromise).await.unwrap();
        world.dial.forward(Duration::from_secs(3_600));
        let renewed = mailbox.renew_if_due(now()).await.unwrap();
        assert_eq!(state(&renewed, Purpose::Encrypt), Some(SlotState::Rekeyed), "{renewed:?}");
        let slot = certificate().await;
        assert_eq!(slot.state, SlotState::Present);
        assert_ne!(slot.certificate, Some(revoked));
    });
}
