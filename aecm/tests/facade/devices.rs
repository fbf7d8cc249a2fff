//! Which devices there are and how one is revoked: as the service lists them, as events and transfers tell, and with
//! names that anybody can choose. Accounts that were closed, keys that come back, proofs that have to be fresh.

use std::sync::Arc;
use std::time::Duration;

use aecm::acme::client::ClientError;
use aecm::acme::jws;
use aecm::acme::machine::Error as MachineError;
use aecm::acme::wire::{EventKind, ProblemType, RevocationReason};
use aecm::core::suite::Purpose;
use aecm::store::{Entry, EntryState, KeyStore};
use aecm::{Error, Mailbox, Plan, RenewPlan, SlotState};
use serde_json::{Value, json};

use crate::cut::{Cut, CutStore, How};
use crate::meddler::{Meddler, answered, orders, problem};
use crate::transfer::{approve, device, note, opens, waits};
use crate::world::{Watch, World, memory, run};

const COMPROMISE: RevocationReason = RevocationReason::KeyCompromise;

async fn meddled(world: &World, name: &str) -> (Mailbox, Arc<Meddler>, Arc<Watch>) {
    let (watch, address) = (world.http(), world.address(name));
    let meddler = Meddler::new(watch.clone());
    let aecm = world.builder(meddler.clone(), memory()).build().unwrap();
    let mailbox = aecm.mailbox(address.as_str()).unwrap();
    assert!(mailbox.provision(Plan::sm2()).await.unwrap().is_complete());
    (mailbox, meddler, watch)
}

/// The directory without members of `meta.aecm`.
fn without(meddler: &Meddler, members: &'static [&'static str]) {
    meddler.edit(move |url, response| {
        if url.ends_with("/directory") {
            let mut directory: Value = serde_json::from_slice(&response.body).unwrap();
            for member in members {
                directory["meta"]["aecm"].as_object_mut().unwrap().remove(*member);
            }
            response.body = directory.to_string().into_bytes();
        }
    });
}

async fn second(world: &World, first: &Mailbox) -> Mailbox {
    let second = device(world, first.address(), world.http(), memory());
    second.provision(Plan::sm2()).await.unwrap();
    second
}

async fn signs(mailbox: &Mailbox) -> aecm::core::certificate::Certificate {
    let slots = mailbox.slots().await.unwrap();
    slots.iter().find(|slot| slot.purpose == Purpose::Sign).unwrap().certificate.clone().unwrap()
}

// A device that never asked this one for anything is listed by its name, and revoked whole.
#[test]
fn the_service_lists_devices_and_one_is_revoked() {
    run(async {
        let world = World::new().await;
        let (first, _, _) = meddled(&world, "lists").await;
        let second = second(&world, &first).await;
        second.renew(RenewPlan::slot(second.slots().await.unwrap()[0].slot())).await.unwrap();
        let name = second.owner().store().device().await.unwrap();
        let devices = first.devices().await.unwrap();
        assert_eq!(devices.len(), 2, "{devices:?}");
        assert!(devices[0].this && devices[0].account.is_some() && devices[0].certificates.len() == 2);
        assert_eq!(devices[1].id, name, "newOrder carried the name");
        assert!(devices[1].account.is_some() && devices[1].account != devices[0].account);
        assert!(devices[1].since.is_some());
        assert_eq!(devices[1].certificates.len(), 3, "the followed signing certificate holds, too");
        let report = first.revoke_device(&name, COMPROMISE).await.unwrap();
        assert_eq!(report.revoked.len(), 3, "{report:?}");
        assert!(report.unattributed.is_empty(), "{report:?}");
        assert_eq!(first.devices().await.unwrap().len(), 1, "it has no certificate any more");
        let error = first.revoke_device(&name, COMPROMISE).await.unwrap_err();
        assert!(matches!(error, Error::NothingThere { .. }), "{error:?}");
        // That device learns it.
        second.events().await.unwrap();
        let slots = second.slots().await.unwrap();
        let states: Vec<SlotState> =
            slots.iter().filter(|slot| slot.purpose != Purpose::Encrypt).map(|slot| slot.state).collect();
        assert_eq!(states, [SlotState::Revoked; 2]);
        let own = second.address().to_string();
        let raw = crate::world::letter(&own, &own);
        let error = second.compose(&raw).to([own]).sign().await.unwrap_err();
        assert!(matches!(error, Error::Revoked { .. }), "{error:?}");
    });
}

fn entry(mailbox: &Mailbox, id: &str, device: Option<&str>, certificates: &[&str]) -> Value {
    json!({ "mailbox": mailbox.address().as_str(), "id": id, "device": device, "account": "other",
            "added": "2026-11-23T22:00:00Z", "certificates": certificates })
}

// Names are chosen by whoever asks: nobody hides behind another's.
#[test]
fn names_that_are_not_one_devices_are_told_apart() {
    run(async {
        let world = World::new().await;
        let (first, meddler, _) = meddled(&world, "names").await;
        let own = first.owner().store().device().await.unwrap();
        let certificate = jws::encode(signs(&first).await.as_der());
        let list = json!({ "devices": [
            entry(&first, "aaaa1111aaaa1111aaaa", Some("laptop"), &[&certificate]),
            entry(&first, "bbbb2222bbbb2222bbbb", Some("laptop"), &[]),
            entry(&first, "cccc3333cccc3333cccc", Some(own.as_str()), &[]),
            entry(&first, "dddd4444dddd4444dddd", Some("\u{1b}[2J"), &[]),
            entry(&first, "eeee5555eeee5555eeee", None, &[]),
            entry(&first, "ffff6666ffff6666ffff", Some("phone"), &[]),
            json!({ "mailbox": "somebody@else.example", "id": "x", "account": "other",
                    "added": "2026-11-23T22:00:00Z" }),
        ] });
        meddler.answer(move |request, _| request.url.ends_with("/devices").then(|| answered(200, &list)));
        let devices = first.devices().await.unwrap();
        let names: Vec<&str> = devices.iter().map(|device| device.id.as_str()).collect();
        assert_eq!(
            names,
            [
                own.as_str(),
                "account-aaaa1111aaaa1111",
                "account-bbbb2222bbbb2222",
                "account-cccc3333cccc3333",
                "account-dddd4444dddd4444",
                "account-eeee5555eeee5555",
                "phone"
            ]
        );
        assert!(devices.iter().skip(1).all(|device| !device.this));
        let error = first.revoke_device(&"laptop".parse().unwrap(), COMPROMISE).await.unwrap_err();
        assert!(matches!(error, Error::NothingThere { .. }), "not one device: {error:?}");
    });
}

// N4: what a service says of devices is held against bounds, and an unreadable certificate is an error.
#[test]
fn lists_that_cannot_be_taken() {
    run(async {
        let world = World::new().await;
        let (first, meddler, _) = meddled(&world, "lies").await;
        let many = vec![entry(&first, "a", None, &[]); 2_000];
        for list in [
            json!({ "devices": [entry(&first, "", None, &[])] }),
            json!({ "devices": [entry(&first, "a\n", None, &[])] }),
            json!({ "devices": [entry(&first, "a", None, &["AAAA"])] }),
            json!({ "devices": many }),
            json!({ "devices": 7 }),
            json!({}),
        ] {
            meddler.answer(move |request, _| request.url.ends_with("/devices").then(|| answered(200, &list)));
            let error = first.devices().await.unwrap_err();
            assert!(
                matches!(error, Error::Provision(ClientError::Answer { .. } | ClientError::Http(_))),
                "{error:?}"
            );
        }
    });
}

// A service that lists no devices: what events and transfers told is used; one that tells no events is no error.
#[test]
fn without_a_list_what_was_told_is_used() {
    run(async {
        let world = World::new().await;
        let (first, meddler, _) = meddled(&world, "told").await;
        without(&meddler, &["devices"]);
        let second = second(&world, &first).await;
        let name = second.owner().store().device().await.unwrap();
        let devices = first.devices().await.unwrap();
        assert_eq!(devices.len(), 2, "{devices:?}");
        assert!(devices[1].id == name && devices[1].account.is_none());
        // Its request was an event with its signing certificate; it never asked this device by a transfer yet.
        let report = first.revoke_device(&name, COMPROMISE).await.unwrap();
        assert!(!report.revoked.is_empty(), "{report:?}");
        assert!(report.revoked.iter().any(|one| one.certificate.san_mailboxes().len() == 1));
        without(&meddler, &["devices", "events"]);
        assert_eq!(first.devices().await.unwrap().len(), 1, "this one");
        let error = first.events().await.unwrap_err();
        assert!(
            matches!(&error, Error::Provision(ClientError::NotOffered { resource: "events" })),
            "{error:?}"
        );
    });
}

#[test]
fn unknown_kinds_of_events_survive() {
    run(async {
        let world = World::new().await;
        let (first, meddler, _) = meddled(&world, "kinds").await;
        let event = |kind: &str, account: &str| {
            json!({ "time": "2026-11-23T22:00:00Z", "kind": kind, "mailbox": first.address().as_str(),
                    "device": null, "account": account, "certificate": "00" })
        };
        let list = json!({ "events": [event("escrow-withdrawn", "this"), event("moon-landed", "martian")] });
        meddler.answer(move |request, _| request.url.ends_with("/events").then(|| answered(200, &list)));
        let kinds: Vec<EventKind> =
            first.events().await.unwrap().into_iter().map(|event| event.kind).collect();
        assert_eq!(kinds, [EventKind::EscrowWithdrawn, EventKind::Other("moon-landed".into())]);
        assert!(first.renew_if_due(aecm::core::embed::Clock::now(world.dial.as_ref())).await.is_ok());
    });
}

// Whoever only holds an old proof of the mailbox does not take another device's encrypting certificate back: a fresh
// proof is made, with one challenge mail and one order.
#[test]
fn an_encrypting_certificate_of_another_account_wants_a_fresh_proof() {
    run(async {
        let world = World::new().await;
        let (first, _, _) = meddled(&world, "fresh").await;
        let watch = world.http();
        let second = device(&world, first.address(), watch.clone(), memory());
        second.provision(Plan::sm2()).await.unwrap();
        let slots = first.slots().await.unwrap();
        let encrypt = slots.iter().find(|slot| slot.purpose == Purpose::Encrypt).unwrap();
        let certificate = encrypt.certificate.clone().unwrap();
        world.dial.forward(Duration::from_secs(2 * 3_600));
        let mails = async || {
            let source = world.service.mail_source();
            source.mails(first.address(), aecm::core::time::Time::from_unix(0)).await.unwrap().len()
        };
        let (orders, before) = (watch.answers("/new-order", 201), mails().await);
        let revoked = second.revoke(certificate, COMPROMISE).await.unwrap();
        assert_eq!(revoked.len(), 1);
        assert_eq!(watch.answers("/revoke-cert", 403), 1);
        assert_eq!(
            watch.answers("/new-order", 201),
            orders + 1,
            "no order but that of the signing certificate"
        );
        assert!(mails().await > before, "a fresh challenge mail");
    });
}

#[test]
fn a_refusal_that_stays_is_told() {
    run(async {
        let world = World::new().await;
        let (first, meddler, _) = meddled(&world, "stays").await;
        let stolen = signs(&first).await;
        meddler.answer(|request, _| {
            request.url.ends_with("/revoke-cert").then(|| problem(403, "userActionRequired", "prove it"))
        });
        let error = first.revoke(stolen, COMPROMISE).await.unwrap_err();
        assert!(
            matches!(&error, Error::Provision(ClientError::Problem(problem))
                if problem.kind == ProblemType::UserActionRequired),
            "{error:?}"
        );
    });
}

fn close_account(meddler: &Meddler) {
    meddler.answer(|request, _| {
        let closed = ["/new-order", "/new-account"].iter().any(|part| request.url.ends_with(part));
        closed.then(|| problem(401, "unauthorized", "this account is deactivated"))
    });
}

// RFC 8555 §7.3.6: a closed account is told as such; another is opened when that is asked for, and the keys stay.
#[test]
fn a_closed_account_is_replaced_when_that_is_asked_for() {
    run(async {
        let world = World::new().await;
        let (mailbox, meddler, watch) = meddled(&world, "closed").await;
        let old = note(&mailbox).await;
        close_account(&meddler);
        for _ in 0..2 {
            let error = mailbox.renew(RenewPlan::all()).await.unwrap_err();
            assert!(
                matches!(error, Error::Provision(ClientError::Machine(MachineError::AccountStatus { .. }))),
                "{error:?}"
            );
        }
        meddler.leave();
        let accounts = watch.answers("/new-account", 201);
        mailbox.owner().replace_account().await.unwrap();
        assert_eq!(mailbox.entries().await.unwrap().len(), 3);
        let renewed = mailbox.renew(RenewPlan::all()).await.unwrap();
        assert_eq!(watch.answers("/new-account", 201), accounts + 1, "another account");
        let state = |purpose| renewed.slots.iter().find(|slot| slot.purpose == purpose).unwrap().state;
        assert_eq!(
            (state(Purpose::Sign), state(Purpose::Timestamp)),
            (SlotState::Renewed, SlotState::Renewed)
        );
        assert_eq!(state(Purpose::Encrypt), SlotState::Renewed, "it shows that it has the key");
        opens(&mailbox, &old).await;
    });
}

// 401 is said of other things, too: an account that is open is not called closed.
#[test]
fn an_open_account_is_not_called_closed() {
    run(async {
        let world = World::new().await;
        let (mailbox, meddler, watch) = meddled(&world, "open").await;
        meddler.answer(|request, payload| {
            orders(request, payload, "sm2-sign-mv").then(|| problem(401, "unauthorized", "not this one"))
        });
        let renewed = mailbox.renew(RenewPlan::all()).await.unwrap();
        let failed = renewed.slots.iter().find(|slot| slot.purpose == Purpose::Sign).unwrap();
        assert_eq!(failed.state, SlotState::Failed);
        assert!(
            matches!(failed.failure.as_deref(), Some(Error::Provision(ClientError::Machine(
                MachineError::Problem { problem, .. }))) if problem.kind == ProblemType::Unauthorized),
            "{failed:?}"
        );
        assert_eq!(watch.answers("/new-account", 201), 1);
    });
}

// The certificate was issued to this account and the answer lost with the state: it is fetched, not waited for.
#[test]
fn a_certificate_for_a_key_of_this_store_is_not_waited_for() {
    run(async {
        let world = World::new().await;
        let (watch, address, store) = (world.http(), world.address("lost"), memory());
        let meddler = Meddler::new(watch.clone());
        let aecm = world.builder(meddler.clone(), store.clone()).build().unwrap();
        let mailbox = aecm.mailbox(address.as_str()).unwrap();
        // The certificate is issued; its download fails for good, and the state is lost.
        meddler.answer(|request, _| {
            request.url.contains("/certificate/").then(|| problem(403, "malformed", "not today"))
        });
        mailbox.provision(Plan::sm2()).await.unwrap_err();
        meddler.leave();
        let directory = world.service.directory_url();
        store.delete_state(&format!("acme-plan:{directory}:{address}")).await.unwrap();
        mailbox.provision(Plan::sm2()).await.unwrap();
        let entries = store.entries(&address).await.unwrap();
        let encrypt = entries.iter().find(|entry| entry.slot.purpose == Purpose::Encrypt).unwrap();
        let issued = encrypt.certificate.clone().unwrap();
        // The same key in a store that does not know of the certificate.
        let other = memory();
        let key = store.export(&address, &encrypt.id).await.unwrap();
        let pending = aecm::store::ImportedKey {
            slot: encrypt.slot.clone(),
            pkcs8: key,
            chains: Vec::new(),
            state: EntryState::Pending,
        };
        let now = aecm::core::embed::Clock::now(world.dial.as_ref());
        other.import(&address, vec![pending], now).await.unwrap();
        for names_certificate in [true, false] {
            let meddler = Meddler::new(world.http());
            let named = jws::encode(issued.as_der());
            let above: Vec<String> = encrypt.chain.iter().map(|one| jws::encode(one.as_der())).collect();
            meddler.answer(move |request, payload| {
                orders(request, payload, "sm2-encrypt-mv").then(|| {
                    let mut body = json!({ "type": "urn:aecm:error:encryptionKeyExists", "status": 409 });
                    if names_certificate {
                        body["certificate"] = json!(named);
                        body["chain"] = json!(above);
                    }
                    answered(409, &body)
                })
            });
            let store: Arc<dyn KeyStore> = other.clone();
            let aecm = world.builder(meddler.clone(), store).build().unwrap();
            let report = aecm.mailbox(address.as_str()).unwrap().provision(Plan::sm2()).await.unwrap();
            assert!(report.waiting.is_none() && report.is_complete(), "{report:?}");
        }
        let found = other.entries(&address).await.unwrap();
        let found = found.iter().find(|entry| entry.slot.purpose == Purpose::Encrypt).unwrap();
        assert_eq!(found.certificate.as_ref(), Some(&issued));
    });
}

// The key in use is that of the newest certificate, in whatever order keys came into the store.
#[test]
fn the_newest_certificate_decides_which_key_is_in_use() {
    run(async {
        let world = World::new().await;
        let (mailbox, _, _) = meddled(&world, "newest").await;
        let slot = mailbox.slots().await.unwrap()[0].slot();
        world.dial.forward(Duration::from_secs(86_400));
        mailbox.renew(RenewPlan::slot(slot.clone())).await.unwrap();
        let store = mailbox.owner().store();
        let entries = store.entries(mailbox.address()).await.unwrap();
        let of_slot: Vec<_> = entries.iter().filter(|entry| entry.slot.same_place(&slot)).collect();
        assert_eq!(of_slot.len(), 2);
        // A store that gives both as active, the newer first.
        let cut = Cut::new(usize::MAX, How::EndBefore);
        let other = CutStore { inner: Arc::clone(store), cut, reading: false, view: Some(backwards) };
        let aecm = world.builder(world.http(), Arc::new(other)).build().unwrap();
        let again = aecm.mailbox(mailbox.address().as_str()).unwrap();
        let newest = of_slot[1].certificate.clone();
        let found =
            again.slots().await.unwrap().into_iter().find(|one| one.slot().same_place(&slot)).unwrap();
        assert_eq!(found.certificate, newest);
        // Revoked, it gives way to the one that still holds.
        again.revoke(newest.unwrap(), RevocationReason::Superseded).await.unwrap();
        let found =
            again.slots().await.unwrap().into_iter().find(|one| one.slot().same_place(&slot)).unwrap();
        assert_eq!(found.certificate, of_slot[0].certificate);
    });
}

/// All entries as active, the last first.
fn backwards(entries: Vec<Entry>) -> Vec<Entry> {
    let active = |mut entry: Entry| {
        if entry.state == EntryState::Retired {
            entry.state = EntryState::Active;
        }
        entry
    };
    entries.into_iter().rev().map(active).collect()
}

#[test]
fn a_transfer_still_names_the_device() {
    run(async {
        let world = World::new().await;
        let (first, _, _) = meddled(&world, "named").await;
        let second = device(&world, first.address(), world.http(), memory());
        let waiting = waits(&second, Plan::sm2()).await;
        approve(&first, &waiting).await;
        second.provision(Plan::sm2()).await.unwrap();
        let devices = first.devices().await.unwrap();
        assert_eq!(devices[1].id, waiting.device);
    });
}
