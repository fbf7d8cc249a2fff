//! Renewal slot by slot: what holds up one slot holds up no other, what is asked for now is done, what other devices
//! did is learnt, and a service that is not there ends the call.

use std::sync::Arc;
use std::time::Duration;

use aecm::acme::client::ClientError;
use aecm::acme::machine::Error as MachineError;
use aecm::acme::wire::{ProblemType, RevocationReason};
use aecm::core::embed::{Clock, Http, HttpError, HttpRequest, HttpResponse};
use aecm::core::suite::{Purpose, Suite};
use aecm::store::{EntryState, Slot};
use aecm::{Error, Event, Mailbox, Plan, RenewPlan, Renewed, SlotState};

use crate::cut::{Cut, CutHttp, How};
use crate::meddler::{Meddler, orders, problem};
use crate::transfer::{approve, note, opens, second, waits};
use crate::world::{Watch, World, memory, run};

const DAY: Duration = Duration::from_secs(86_400);

struct Meddled {
    mailbox: Mailbox,
    meddler: Arc<Meddler>,
    watch: Arc<Watch>,
}

async fn meddled(world: &World, name: &str) -> Meddled {
    let (watch, address) = (world.http(), world.address(name));
    let meddler = Meddler::new(watch.clone());
    let aecm = world.builder(meddler.clone(), memory()).build().unwrap();
    let mailbox = aecm.mailbox(address.as_str()).unwrap();
    assert!(mailbox.provision(Plan::sm2()).await.unwrap().is_complete());
    Meddled { mailbox, meddler, watch }
}

fn state(renewed: &Renewed, purpose: Purpose) -> SlotState {
    renewed.slots.iter().find(|slot| slot.purpose == purpose).expect("the slot is reported").state
}

async fn slot(mailbox: &Mailbox, purpose: Purpose) -> Slot {
    mailbox.slots().await.unwrap().iter().find(|slot| slot.purpose == purpose).unwrap().slot()
}

async fn listed(world: &World, mailbox: &Mailbox) -> usize {
    world.service.certificate_directory().certificates(mailbox.address()).await.unwrap().len()
}

#[test]
fn one_slot_that_is_refused_holds_up_no_other() {
    run(async {
        let world = World::new().await;
        let Meddled { mailbox, meddler, watch } = meddled(&world, "each").await;
        meddler.answer(|request, payload| {
            orders(request, payload, "sm2-sign-mv").then(|| problem(403, "rejectedIdentifier", "not today"))
        });
        world.dial.forward(DAY);
        let renewed = mailbox.renew(RenewPlan::all()).await.unwrap();
        assert_eq!(renewed.slots.len(), 3);
        assert!(!renewed.is_complete());
        assert_eq!(state(&renewed, Purpose::Sign), SlotState::Failed);
        assert_eq!(state(&renewed, Purpose::Encrypt), SlotState::Renewed);
        assert_eq!(state(&renewed, Purpose::Timestamp), SlotState::Renewed);
        let failed = renewed.slots.iter().find(|slot| slot.state == SlotState::Failed).unwrap();
        let why = failed.failure.as_deref().unwrap();
        assert!(
            matches!(why, Error::Provision(ClientError::Machine(MachineError::Problem { problem, .. }))
                if problem.kind == ProblemType::RejectedIdentifier),
            "{why:?}"
        );
        assert!(failed.certificate.is_some(), "the old certificate stays");
        // The same call again goes on with what is left, and renews nothing twice.
        meddler.leave();
        let renewed = mailbox.renew(RenewPlan::all()).await.unwrap();
        assert!(renewed.slots.len() == 3 && renewed.is_complete(), "{renewed:?}");
        assert_eq!(listed(&world, &mailbox).await, 6);
        assert_eq!(watch.answers("/finalize", 200), 6);
        // Asked alone, its failure is that of the call.
        let sign = slot(&mailbox, Purpose::Sign).await;
        meddler.answer(|request, payload| {
            orders(request, payload, "sm2-sign-mv").then(|| problem(403, "rejectedIdentifier", "not today"))
        });
        let error = mailbox.renew(RenewPlan::slot(sign)).await.unwrap_err();
        assert!(matches!(error, Error::Provision(ClientError::Machine(_))), "{error:?}");
        // Due, it is reported beside the others.
        world.dial.forward(DAY * 350);
        let renewed = mailbox.renew_if_due(world.dial.now()).await.unwrap();
        assert_eq!(renewed.slots.len(), 3);
        assert_eq!(state(&renewed, Purpose::Sign), SlotState::Failed);
        assert_eq!(state(&renewed, Purpose::Timestamp), SlotState::Renewed);
    });
}

fn unreachable<T: std::fmt::Debug>(outcome: Result<T, Error>) {
    let error = outcome.unwrap_err();
    assert!(matches!(error, Error::Provision(ClientError::ServiceUnreachable { .. })), "{error:?}");
}

// N4: refused connections end a call within a minute, whatever its deadline, and are told meanwhile.
#[test]
fn a_service_that_is_not_there_ends_the_call() {
    run(async {
        let world = World::new().await;
        let Meddled { mailbox, meddler, .. } = meddled(&world, "gone").await;
        let sign = slot(&mailbox, Purpose::Sign).await;
        meddler.vanish(true);
        let within = async |what: &str, limit: u64, began: aecm::core::time::Time| {
            let took = world.dial.now().since(began).as_secs();
            assert!(took <= limit, "{what} took {took} s");
        };
        let told = Arc::new(std::sync::Mutex::new(0));
        let count = Arc::clone(&told);
        let observer = Arc::new(move |event: Event| {
            if matches!(event, Event::NoAnswer { .. }) {
                *count.lock().unwrap() += 1;
            }
        });
        let began = world.dial.now();
        unreachable(mailbox.renew_observed(RenewPlan::all(), Some(observer)).await);
        within("renew", 70, began).await;
        assert!(*told.lock().unwrap() >= 3);
        let began = world.dial.now();
        unreachable(mailbox.provision(Plan::dual()).await);
        within("provision", 70, began).await;
        let began = world.dial.now();
        unreachable(mailbox.revoke(sign, RevocationReason::Superseded).await);
        unreachable(mailbox.events().await);
        unreachable(mailbox.devices().await);
        unreachable(mailbox.transfer_requests().await);
        within("single requests", 10, began).await;
        // Nothing is due: the dates decide.
        let renewed = mailbox.renew_if_due(world.dial.now()).await.unwrap();
        assert!(renewed.slots.is_empty() && renewed.next.is_some());
        world.dial.forward(DAY * 350);
        let began = world.dial.now();
        unreachable(mailbox.renew_if_due(began).await);
        within("renew_if_due", 75, began).await;
        // It is there again.
        meddler.vanish(false);
        assert_eq!(mailbox.renew_if_due(world.dial.now()).await.unwrap().slots.len(), 3);
    });
}

#[test]
fn a_service_that_goes_away_midway_leaves_what_was_done() {
    run(async {
        let world = World::new().await;
        let Meddled { mailbox, meddler, .. } = meddled(&world, "midway").await;
        let gone = Arc::downgrade(&meddler);
        meddler.answer(move |request, payload| {
            if orders(request, payload, "sm2-encrypt-mv") {
                gone.upgrade().unwrap().vanish(true);
            }
            None
        });
        let renewed = mailbox.renew(RenewPlan::all()).await.unwrap();
        assert_eq!(state(&renewed, Purpose::Sign), SlotState::Renewed);
        for purpose in [Purpose::Encrypt, Purpose::Timestamp] {
            let report = renewed.slots.iter().find(|slot| slot.purpose == purpose).unwrap();
            assert_eq!(report.state, SlotState::Failed);
            let why = report.failure.as_deref().unwrap();
            assert!(matches!(why, Error::Provision(ClientError::ServiceUnreachable { .. })), "{why:?}");
        }
        meddler.leave();
        meddler.vanish(false);
        assert!(mailbox.renew(RenewPlan::all()).await.unwrap().is_complete());
        assert_eq!(listed(&world, &mailbox).await, 6, "nothing was renewed twice");
    });
}

/// The process dies at a finalize.
struct CutAtFinalize {
    inner: Arc<Watch>,
    cut_http: CutHttp,
}

#[async_trait::async_trait]
impl Http for CutAtFinalize {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        if request.url.ends_with("/finalize") {
            self.cut_http.send(request).await
        } else {
            self.inner.send(request).await
        }
    }
}

// N6: what was asked before does not win over what is asked now, and is not lost either.
#[test]
fn what_is_asked_for_now_is_done() {
    run(async {
        let world = World::new().await;
        let (watch, address, store) = (world.http(), world.address("now"), memory());
        let whole = world.builder(watch.clone(), store.clone()).build().unwrap();
        let mailbox = whole.mailbox(address.as_str()).unwrap();
        mailbox.provision(Plan::sm2()).await.unwrap();
        // Cut where the second certificate is issued and not installed.
        let cut = Cut::new(2, How::EndAfter);
        let cut_http = CutHttp { inner: watch.clone(), cut: cut.clone() };
        let http = Arc::new(CutAtFinalize { inner: watch.clone(), cut_http });
        let aecm = world.builder(http, store.clone()).build().unwrap();
        let cut_mailbox = aecm.mailbox(address.as_str()).unwrap();
        assert!(cut.survive(cut_mailbox.renew(RenewPlan::all())).await.is_none());
        assert_eq!(watch.answers("/finalize", 200), 5);
        let before = mailbox.slots().await.unwrap();
        let stamp = slot(&mailbox, Purpose::Timestamp).await;
        let renewed = mailbox.renew(RenewPlan::slot(stamp)).await.unwrap();
        assert_eq!(renewed.slots.len(), 1);
        assert_eq!(state(&renewed, Purpose::Timestamp), SlotState::Renewed);
        let after = mailbox.slots().await.unwrap();
        for (before, after) in before.iter().zip(&after) {
            let changed = before.serial() != after.serial();
            assert_eq!(changed, before.purpose == Purpose::Timestamp, "{}", before.purpose);
        }
        // The interrupted order is finished by the call that asks for it.
        let encrypt = slot(&mailbox, Purpose::Encrypt).await;
        let orders = watch.answers("/new-order", 201);
        mailbox.renew(RenewPlan::slot(encrypt)).await.unwrap();
        assert_eq!(watch.answers("/new-order", 201), orders, "no other order");
        assert_eq!(watch.answers("/finalize", 200), 6, "no order is finalized twice");
        assert_eq!(listed(&world, &mailbox).await, 6);
    });
}

#[test]
fn an_answered_transfer_is_taken_before_anything_is_ordered() {
    run(async {
        let world = World::new().await;
        let first = world.person("answered", Plan::sm2()).await;
        let watch = world.http();
        let second = crate::transfer::device(&world, first.address(), watch.clone(), memory());
        let waiting = waits(&second, Plan::sm2()).await;
        approve(&first, &waiting).await;
        let renewed = second.renew_if_due(world.dial.now()).await.unwrap();
        assert_eq!(state(&renewed, Purpose::Encrypt), SlotState::Received);
        assert!(renewed.waiting.is_none());
        assert_eq!(watch.answers("/new-transfer", 201), 1, "nothing was asked for anew");
        opens(&second, &note(&first).await).await;
        // Received and renewed in one call, where that is asked for.
        let third = self::second(&world, &first);
        let waiting = waits(&third, Plan::sm2()).await;
        approve(&first, &waiting).await;
        let renewed = third.renew(RenewPlan::all()).await.unwrap();
        assert!(renewed.slots.len() == 3 && renewed.is_complete(), "{renewed:?}");
    });
}

async fn two_holders(world: &World, name: &str) -> (Mailbox, Mailbox, Arc<Watch>) {
    let first = world.person(name, Plan::sm2()).await;
    let watch = world.http();
    let second = crate::transfer::device(world, first.address(), watch.clone(), memory());
    let waiting = waits(&second, Plan::sm2()).await;
    approve(&first, &waiting).await;
    assert!(second.provision(Plan::sm2()).await.unwrap().is_complete());
    (first, second, watch)
}

// The key is not due by its dates: that it was replaced is a reason to ask for the new one.
#[test]
fn a_rekey_of_another_device_is_learnt() {
    run(async {
        let world = World::new().await;
        let (first, second, watch) = two_holders(&world, "learns").await;
        assert!(second.renew_if_due(world.dial.now()).await.unwrap().slots.is_empty());
        let encrypt = slot(&first, Purpose::Encrypt).await;
        world.dial.forward(DAY);
        first.renew(RenewPlan::slot(encrypt).rekey()).await.unwrap();
        let renewed = second.renew_if_due(world.dial.now()).await.unwrap();
        assert_eq!(renewed.slots.len(), 1, "{renewed:?}");
        assert_eq!(state(&renewed, Purpose::Encrypt), SlotState::WaitingForTransfer);
        let waiting = renewed.waiting.unwrap();
        // Waiting, it is not asked for again and again.
        let again = second.renew_if_due(world.dial.now()).await.unwrap();
        assert_eq!(again.waiting.as_ref().map(|waiting| &waiting.url), Some(&waiting.url));
        assert_eq!(watch.answers("/new-transfer", 201), 2);
        approve(&first, &waiting).await;
        // It holds another that can be used: the owner decides.
        let renewed = second.renew_if_due(world.dial.now()).await.unwrap();
        assert!(renewed.waiting.is_none());
        let conflict = renewed.conflict.unwrap();
        assert_eq!(second.accept_transfer(&conflict).await.unwrap(), [Suite::Sm2]);
        opens(&second, &note(&first).await).await;
        assert!(second.renew_if_due(world.dial.now()).await.unwrap().slots.is_empty());
    });
}

#[test]
fn a_revocation_by_another_device_is_learnt() {
    run(async {
        let world = World::new().await;
        let (first, second, _) = two_holders(&world, "warned").await;
        let old = note(&first).await;
        let encrypt = slot(&first, Purpose::Encrypt).await;
        first.revoke(encrypt, RevocationReason::KeyCompromise).await.unwrap();
        second.events().await.unwrap();
        let after = second.slots().await.unwrap();
        let report = after.iter().find(|slot| slot.purpose == Purpose::Encrypt).unwrap();
        assert_eq!(report.state, SlotState::Revoked);
        let renewed = second.renew_if_due(world.dial.now()).await.unwrap();
        assert_eq!(state(&renewed, Purpose::Encrypt), SlotState::Rekeyed);
        let entries = second.entries().await.unwrap();
        let states: Vec<EntryState> = entries
            .iter()
            .filter(|entry| entry.slot.purpose == Purpose::Encrypt)
            .map(|entry| entry.state)
            .collect();
        assert_eq!(states, [EntryState::Retired, EntryState::Active]);
        opens(&second, &old).await;
        // The device that revoked it on purpose fills its slot by provisioning, with the key that there is now.
        assert!(first.renew_if_due(world.dial.now()).await.unwrap().slots.is_empty());
        let waiting = waits(&first, Plan::sm2()).await;
        approve(&second, &waiting).await;
        assert!(first.provision(Plan::sm2()).await.unwrap().is_complete());
    });
}

// RFC 8555 §6.7 badPublicKey at finalize: a key revoked as compromised is never certified again.
#[test]
fn a_key_that_is_not_certified_any_more_is_followed_by_a_new_one() {
    run(async {
        let world = World::new().await;
        let Meddled { mailbox, meddler, .. } = meddled(&world, "compromised").await;
        let old = note(&mailbox).await;
        let encrypt = slot(&mailbox, Purpose::Encrypt).await;
        let mut refusals = 0;
        meddler.answer(move |request, _| {
            let refuse = request.url.ends_with("/finalize") && refusals == 0;
            refusals += u32::from(refuse);
            refuse.then(|| problem(400, "badPublicKey", "this key was revoked as compromised"))
        });
        let renewed = mailbox.renew(RenewPlan::slot(encrypt)).await.unwrap();
        assert_eq!(state(&renewed, Purpose::Encrypt), SlotState::Rekeyed);
        assert!(renewed.is_complete());
        let entries = mailbox.entries().await.unwrap();
        let keys: Vec<_> = entries.iter().filter(|one| one.slot.purpose == Purpose::Encrypt).collect();
        let states: Vec<EntryState> = keys.iter().map(|entry| entry.state).collect();
        assert_eq!(states, [EntryState::Retired, EntryState::Active]);
        assert_eq!(keys[0].public_key.suite(), Suite::Sm2);
        opens(&mailbox, &old).await;
        opens(&mailbox, &note(&mailbox).await).await;
    });
}

// The same of the service itself, and a device that has heard nothing of the revocation.
#[test]
fn a_compromised_key_is_never_certified_again() {
    run(async {
        let world = World::new().await;
        let (first, second, _) = two_holders(&world, "unheard").await;
        let old = note(&first).await;
        let encrypt = slot(&first, Purpose::Encrypt).await;
        first.revoke(encrypt.clone(), RevocationReason::KeyCompromise).await.unwrap();
        let renewed = second.renew(RenewPlan::slot(encrypt)).await.unwrap();
        assert_eq!(state(&renewed, Purpose::Encrypt), SlotState::Rekeyed, "{renewed:?}");
        opens(&second, &old).await;
        opens(&second, &note(&second).await).await;
    });
}

// A service that refuses every key is no reason to fill the store with keys.
#[test]
fn a_service_that_refuses_every_key_ends_it() {
    run(async {
        let world = World::new().await;
        let Meddled { mailbox, meddler, .. } = meddled(&world, "picky").await;
        let encrypt = slot(&mailbox, Purpose::Encrypt).await;
        meddler.answer(|request, _| {
            request.url.ends_with("/finalize").then(|| problem(400, "badPublicKey", "no"))
        });
        let error = mailbox.renew(RenewPlan::slot(encrypt)).await.unwrap_err();
        assert!(
            matches!(&error, Error::Provision(ClientError::Machine(MachineError::Problem { problem, .. }))
                if problem.kind == ProblemType::BadPublicKey),
            "{error:?}"
        );
        let entries = mailbox.entries().await.unwrap();
        let active: Vec<_> = entries.iter().filter(|entry| entry.state == EntryState::Active).collect();
        assert_eq!(active.len(), 3, "the old key stays in use");
        let pending = entries.iter().filter(|entry| entry.state == EntryState::Pending).count();
        assert!(pending <= 1, "{entries:?}");
    });
}

// K6: a damaged record is told by its name, and never taken for none.
#[test]
fn damaged_records_are_named() {
    run(async {
        let world = World::new().await;
        let Meddled { mailbox, watch, .. } = meddled(&world, "damaged").await;
        let store = Arc::clone(mailbox.owner().store());
        let directory = world.service.directory_url();
        let before = watch.answers("/new-order", 201);
        for name in
            [format!("acme-plan:{directory}:{}", mailbox.address()), format!("acme-account:{directory}")]
        {
            let good = store.load_state(&name).await.unwrap();
            store.save_state(&name, b"{\"version\":1,").await.unwrap();
            let error = mailbox.renew(RenewPlan::all()).await.unwrap_err();
            assert!(
                matches!(&error, Error::Provision(ClientError::Damaged { name: told }) if *told == name),
                "{error:?}"
            );
            assert!(error.to_string().contains("restore a backup"), "{error}");
            assert_eq!(watch.answers("/new-order", 201), before, "nothing was ordered");
            match good {
                Some(good) => store.save_state(&name, &good).await.unwrap(),
                None => store.delete_state(&name).await.unwrap(),
            }
        }
        assert!(mailbox.renew(RenewPlan::all()).await.unwrap().is_complete());
        let name = format!("aecm-revoked:{}", mailbox.address());
        store.save_state(&name, b"[").await.unwrap();
        let error = mailbox.slots().await.unwrap_err();
        assert!(matches!(&error, Error::Record { name: told } if *told == name), "{error:?}");
    });
}

// Two calls that note something in one record do not undo each other.
#[test]
fn records_are_changed_one_call_at_a_time() {
    run(async {
        let world = World::new().await;
        let mailbox = world.person("at-once", Plan::sm2()).await;
        let sign = slot(&mailbox, Purpose::Sign).await;
        let stamp = slot(&mailbox, Purpose::Timestamp).await;
        let reason = RevocationReason::Superseded;
        let (one, two) = tokio::join!(mailbox.revoke(sign, reason), mailbox.revoke(stamp, reason));
        one.unwrap();
        two.unwrap();
        let revoked = mailbox.slots().await.unwrap();
        assert_eq!(revoked.iter().filter(|slot| slot.state == SlotState::Revoked).count(), 2);
        // Another process that is at it for good is told, not overtaken.
        let lease = format!("record:aecm-revoked:{}", mailbox.address());
        let held = mailbox.owner().store().lease(&lease).await.unwrap();
        let encrypt = slot(&mailbox, Purpose::Encrypt).await;
        let error = mailbox.revoke(encrypt.clone(), reason).await.unwrap_err();
        assert!(matches!(error, Error::Busy(_)), "{error:?}");
        drop(held);
        mailbox.revoke(encrypt, reason).await.unwrap();
    });
}
