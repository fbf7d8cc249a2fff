//! A second device: it waits, the owner compares the fingerprint, the keys come, old mail opens. And everything that
//! must not be believed on the way.

use std::sync::Arc;
use std::time::Duration;

use aecm::acme::wire::EventKind;
use aecm::core::mailbox::Mailbox as Address;
use aecm::core::suite::{Purpose, Suite};
use aecm::store::{EntryState, KeyStore};
use aecm::{Aecm, ClassicKeys, Error, Mailbox, Plan, RenewPlan, SlotState, TransferError, Waiting};

use crate::cut::{Cut, CutHttp, CutStore, How};
use crate::world::{Watch, World, letter, memory, run};

/// Another device of whoever has that address.
pub fn device(world: &World, address: &Address, http: Arc<Watch>, store: Arc<dyn KeyStore>) -> Mailbox {
    let aecm = world.builder(http, store).build().unwrap();
    aecm.mailbox(address.as_str()).unwrap()
}

pub fn second(world: &World, first: &Mailbox) -> Mailbox {
    device(world, first.address(), world.http(), memory())
}

pub fn ecc() -> Plan {
    Plan::dual().classic_keys(ClassicKeys::Ecc)
}

pub async fn waits(mailbox: &Mailbox, plan: Plan) -> Waiting {
    let report = mailbox.provision(plan).await.unwrap();
    assert!(!report.is_complete());
    report.waiting.unwrap()
}

/// The owner says yes on the device that holds the keys.
pub async fn approve(holder: &Mailbox, waiting: &Waiting) {
    let requests = holder.transfer_requests().await.unwrap();
    let request = requests.iter().find(|request| request.url == waiting.url).expect("the request is shown");
    assert_eq!(request.refused, None);
    assert_eq!(request.device, waiting.device);
    assert_eq!(request.fingerprint, waiting.fingerprint);
    holder.approve_transfer(request, &waiting.fingerprint).await.unwrap();
}

pub async fn note(from: &Mailbox) -> Vec<u8> {
    let own = from.address().to_string();
    let raw = letter(&own, &own);
    from.compose(&raw).to([own]).protect().await.unwrap().mail
}

pub async fn opens(mailbox: &Mailbox, mail: &[u8]) {
    let opened = mailbox.open(mail).await.unwrap();
    assert_eq!(opened.verdict.word(), "valid", "{:?}", opened.reasons);
}

pub async fn states(mailbox: &Mailbox, purpose: Purpose) -> Vec<SlotState> {
    let slots = mailbox.slots().await.unwrap();
    slots.iter().filter(|slot| slot.purpose == purpose).map(|slot| slot.state).collect()
}

#[test]
fn a_second_device_receives_every_encrypting_key() {
    run(async {
        let world = World::new().await;
        let first = world.person("devices", ecc()).await;
        // A history: mail of three keys.
        let mut mails = vec![note(&first).await];
        let slots = first.slots().await.unwrap();
        let sm2 = slots.iter().find(|slot| slot.suite == Suite::Sm2 && slot.purpose == Purpose::Encrypt);
        first.renew(RenewPlan::slot(sm2.unwrap().slot()).rekey()).await.unwrap();
        mails.push(note(&first).await);
        world.dial.forward(Duration::from_secs(86_400));
        first.renew(RenewPlan::all()).await.unwrap();
        mails.push(note(&first).await);

        let second = second(&world, &first);
        let report = second.provision(ecc()).await.unwrap();
        assert_eq!(report.issued(), 4, "its own signing and timestamping keys: {report:?}");
        let waiting = report.waiting.clone().unwrap();
        assert_eq!(waiting.suites.len(), 2);
        assert_eq!(waiting.fingerprint.len(), 64);
        let held: Vec<_> =
            report.slots.iter().filter(|slot| slot.state == SlotState::WaitingForTransfer).collect();
        assert!(held.len() == 2 && held.iter().all(|slot| slot.purpose == Purpose::Encrypt), "{report:?}");
        assert_eq!(states(&second, Purpose::Encrypt).await, [SlotState::WaitingForTransfer; 2]);
        // Again: the same request waits.
        assert_eq!(waits(&second, ecc()).await, waiting);

        approve(&first, &waiting).await;
        assert!(first.transfer_requests().await.unwrap().is_empty(), "answered");
        let report = second.provision(ecc()).await.unwrap();
        assert!(report.is_complete(), "{report:?}");
        let received = report.slots.iter().filter(|slot| slot.state == SlotState::Received).count();
        assert_eq!(received, 2);
        for mail in &mails {
            opens(&second, mail).await;
        }
        opens(&first, &note(&second).await).await;
        // The same keys with the same history, each device its own signing key.
        let keys = async |mailbox: &Mailbox, encrypts: bool| {
            let entries = mailbox.entries().await.unwrap();
            let of = entries.into_iter().filter(|one| (one.slot.purpose == Purpose::Encrypt) == encrypts);
            let mut keys: Vec<_> =
                of.map(|one| (one.public_key.spki_der().to_vec(), one.state, one.former)).collect();
            keys.sort_by(|a, b| a.0.cmp(&b.0));
            keys
        };
        assert_eq!(keys(&first, true).await, keys(&second, true).await);
        let own = keys(&second, false).await;
        assert!(keys(&first, false).await.iter().all(|(key, ..)| own.iter().all(|(other, ..)| other != key)));
        // In place: nothing more is asked.
        assert!(
            second.provision(ecc()).await.unwrap().slots.iter().all(|slot| slot.state == SlotState::Present)
        );
        // It holds the keys: it renews, and gives them on to a third.
        let renewed = second.renew(RenewPlan::all()).await.unwrap();
        assert!(renewed.slots.iter().all(|slot| slot.state == SlotState::Renewed), "{renewed:?}");
        let third = self::second(&world, &first);
        let waiting = waits(&third, ecc()).await;
        approve(&second, &waiting).await;
        assert!(third.provision(ecc()).await.unwrap().is_complete());
        for mail in &mails {
            opens(&third, mail).await;
        }
    });
}

#[test]
fn a_call_can_wait_for_the_answer() {
    run(async {
        let world = World::new().await;
        let first = world.person("patient", Plan::sm2()).await;
        let second = second(&world, &first);
        let waiting = waits(&second, Plan::sm2()).await;
        let (report, ()) = tokio::join!(
            second.provision(Plan::sm2().wait_for_transfer(Duration::from_secs(3_600))),
            async {
                tokio::time::sleep(Duration::from_millis(300)).await;
                approve(&first, &waiting).await;
            }
        );
        assert!(report.unwrap().is_complete());
        // Waiting ends where nobody answers.
        let third = self::second(&world, &first);
        let began = aecm::core::embed::Clock::now(world.dial.as_ref());
        let report = third.provision(Plan::sm2().wait_for_transfer(Duration::from_secs(20))).await.unwrap();
        assert!(report.waiting.is_some());
        assert!(aecm::core::embed::Clock::now(world.dial.as_ref()).since(began) >= Duration::from_secs(20));
    });
}

#[test]
fn the_holder_refuses() {
    run(async {
        let world = World::new().await;
        let first = world.person("refusing", Plan::sm2()).await;
        let second = second(&world, &first);
        let waiting = waits(&second, Plan::sm2()).await;
        let requests = first.transfer_requests().await.unwrap();
        first.refuse_transfer(&requests[0]).await.unwrap();
        let report = second.provision(Plan::sm2()).await.unwrap();
        let encrypt = report.slots.iter().find(|slot| slot.purpose == Purpose::Encrypt).unwrap();
        assert_eq!(encrypt.state.word(), "transfer-refused");
        assert!(report.waiting.is_none());
        // Called again it asks again, with another key.
        let again = waits(&second, Plan::sm2()).await;
        assert_ne!(again.fingerprint, waiting.fingerprint);
        approve(&first, &again).await;
        assert!(second.provision(Plan::sm2()).await.unwrap().is_complete());
    });
}

// The key elsewhere was given up while this device waited: it makes the mailbox's next one.
#[test]
fn a_key_that_is_given_up_is_not_waited_for() {
    run(async {
        let world = World::new().await;
        let first = world.person("gone", Plan::sm2()).await;
        let second = second(&world, &first);
        waits(&second, Plan::sm2()).await;
        let encrypt: aecm::store::Slot = "sm2-encrypt-mv".parse().unwrap();
        let reason = aecm::acme::wire::RevocationReason::CessationOfOperation;
        first.revoke(encrypt, reason).await.unwrap();
        let report = second.provision(Plan::sm2()).await.unwrap();
        assert_eq!((report.is_complete(), report.issued()), (true, 1), "{report:?}");
        assert!(report.waiting.is_none());
        assert!(second.provision(Plan::sm2()).await.unwrap().waiting.is_none());
        opens(&second, &note(&second).await).await;
    });
}

#[test]
fn a_wrong_fingerprint_gives_nothing() {
    run(async {
        let world = World::new().await;
        let first = world.person("careful", Plan::sm2()).await;
        let second = second(&world, &first);
        let waiting = waits(&second, Plan::sm2()).await;
        let request = first.transfer_requests().await.unwrap().remove(0);
        let mut other = waiting.fingerprint.clone();
        other.replace_range(..1, if other.starts_with('0') { "1" } else { "0" });
        for wrong in ["", "00", other.as_str(), &waiting.fingerprint[1..]] {
            let error = first.approve_transfer(&request, wrong).await.unwrap_err();
            assert!(matches!(error, Error::Transfer(TransferError::Fingerprint)), "{wrong}: {error:?}");
        }
        assert_eq!(waits(&second, Plan::sm2()).await, waiting, "nothing was given");
        // As people write it.
        let grouped: Vec<String> = waiting
            .fingerprint
            .to_uppercase()
            .as_bytes()
            .chunks(4)
            .map(|part| String::from_utf8(part.to_vec()).unwrap())
            .collect();
        first.approve_transfer(&request, &grouped.join(":")).await.unwrap();
        assert!(second.provision(Plan::sm2()).await.unwrap().is_complete());
        // The same request does not get a second answer.
        let error = first.approve_transfer(&request, &waiting.fingerprint).await.unwrap_err();
        assert!(matches!(error, Error::Transfer(TransferError::Replayed)), "{error:?}");
    });
}

#[test]
fn an_old_request_is_not_approved_and_asked_anew() {
    run(async {
        let world = World::new().await;
        let first = world.person("late", Plan::sm2()).await;
        let second = second(&world, &first);
        let waiting = waits(&second, Plan::sm2()).await;
        let request = first.transfer_requests().await.unwrap().remove(0);
        world.dial.forward(Duration::from_secs(8 * 86_400));
        let error = first.approve_transfer(&request, &waiting.fingerprint).await.unwrap_err();
        assert!(matches!(error, Error::Transfer(TransferError::Expired)), "{error:?}");
        let again = waits(&second, Plan::sm2()).await;
        assert_ne!(again, waiting);
        approve(&first, &again).await;
        assert!(second.provision(Plan::sm2()).await.unwrap().is_complete());
    });
}

// The transport key was lost with the store's state: what was given to it cannot be opened, and a new request goes out.
#[test]
fn a_lost_transport_key_is_asked_for_anew() {
    run(async {
        let world = World::new().await;
        let first = world.person("forgetful", Plan::sm2()).await;
        let second = second(&world, &first);
        let waiting = waits(&second, Plan::sm2()).await;
        let record = format!("aecm-transfer:{}:{}", world.service.directory_url(), second.address());
        approve(&first, &waiting).await;
        second.owner().store().delete_state(&record).await.unwrap();
        let again = waits(&second, Plan::sm2()).await;
        assert_ne!(again.fingerprint, waiting.fingerprint);
        approve(&first, &again).await;
        assert!(second.provision(Plan::sm2()).await.unwrap().is_complete());
        // A damaged record is an error, never a silent new start.
        let third = self::second(&world, &first);
        waits(&third, Plan::sm2()).await;
        third.owner().store().save_state(&record, b"{}").await.unwrap();
        assert!(matches!(third.provision(Plan::sm2()).await, Err(Error::Record { .. })));
    });
}

#[test]
fn events_and_devices_are_told() {
    run(async {
        let world = World::new().await;
        let first = world.person("watched", Plan::sm2()).await;
        let second = second(&world, &first);
        let waiting = waits(&second, Plan::sm2()).await;
        approve(&first, &waiting).await;
        second.provision(Plan::sm2()).await.unwrap();
        let kinds: Vec<EventKind> =
            first.events().await.unwrap().into_iter().map(|event| event.kind).collect();
        for kind in [
            EventKind::DeviceAdded,
            EventKind::TransferRequested,
            EventKind::TransferAnswered,
            EventKind::TransferDone,
        ] {
            assert!(kinds.contains(&kind), "{kind} in {kinds:?}");
        }
        let devices = first.devices().await.unwrap();
        assert_eq!(devices.len(), 2, "{devices:?}");
        assert!(devices[0].this && !devices[1].this);
        assert_eq!(devices[1].id, waiting.device);
        assert_eq!(devices[1].certificates.len(), 2, "what it showed: {devices:?}");
        // The owner of the first revokes the second, which was stolen.
        let report = first
            .revoke_device(&waiting.device, aecm::acme::wire::RevocationReason::KeyCompromise)
            .await
            .unwrap();
        assert_eq!(report.revoked.len(), 2, "{report:?}");
        assert!(report.unattributed.is_empty(), "{report:?}");
        let serials: Vec<Option<String>> = second
            .slots()
            .await
            .unwrap()
            .iter()
            .filter(|slot| slot.purpose != Purpose::Encrypt)
            .map(aecm::SlotReport::serial)
            .collect();
        assert_eq!(serials.len(), 2);
        let found = world.service.certificate_directory().certificates(first.address()).await.unwrap();
        let second_signs = second.slots().await.unwrap().remove(0).certificate.unwrap();
        assert!(found.iter().all(|one| one.certificate != second_signs), "the service lists it no more");
    });
}

// Two fresh devices race: the mailbox has one encrypting key in the end, and the loser's is put aside.
#[test]
fn two_fresh_devices_end_with_one_encrypting_key() {
    run(async {
        for round in 0..6 {
            let world = World::new().await;
            let address = world.address("race");
            let (one, other) = (memory(), memory());
            let (first, second) = (
                device(&world, &address, world.http(), one.clone()),
                device(&world, &address, world.http(), other.clone()),
            );
            // Different head starts, so that the loser is caught at different steps.
            let (a, b) = tokio::join!(first.provision(Plan::sm2()), async {
                tokio::time::sleep(Duration::from_millis(round * 15)).await;
                second.provision(Plan::sm2()).await
            });
            let (a, b) = (a.unwrap(), b.unwrap());
            let (winner, loser, waiting) = match (&a.waiting, &b.waiting) {
                (None, Some(waiting)) => (&first, &second, waiting.clone()),
                (Some(waiting), None) => (&second, &first, waiting.clone()),
                _ => panic!("one wins: {a:?} {b:?}"),
            };
            let mail = note(winner).await;
            approve(winner, &waiting).await;
            assert!(loser.provision(Plan::sm2()).await.unwrap().is_complete());
            opens(loser, &mail).await;
            let active = async |mailbox: &Mailbox| {
                let entries = mailbox.entries().await.unwrap();
                assert!(entries.iter().all(|entry| entry.state != EntryState::Pending), "{entries:?}");
                let mut of = entries
                    .into_iter()
                    .filter(|one| one.slot.purpose == Purpose::Encrypt && one.state == EntryState::Active);
                let key = of.next().unwrap().public_key;
                assert!(of.next().is_none());
                key
            };
            assert_eq!(active(winner).await, active(loser).await, "round {round}");
        }
    });
}

// One key, several certificates: the device that has an older one opens what is written to the newest.
#[test]
fn what_is_written_to_a_certificate_of_another_device_opens() {
    run(async {
        let world = World::new().await;
        let first = world.person("renewing", ecc()).await;
        let second = second(&world, &first);
        let waiting = waits(&second, ecc()).await;
        approve(&first, &waiting).await;
        second.provision(ecc()).await.unwrap();
        first.renew(RenewPlan::all()).await.unwrap();
        opens(&second, &note(&first).await).await;
        // What is for neither of them stays so.
        let other = world.person("other", Plan::sm2()).await;
        let error = second.open(&note(&other).await).await.unwrap_err();
        let none = aecm::smime::decrypt::DecryptError::NoMatchingKey;
        assert!(
            matches!(&error, Error::Open(aecm::smime::open::OpenError::Decrypt(found)) if *found == none),
            "{error:?}"
        );
    });
}

// A rekey elsewhere is noticed when the key is to be renewed, and the new key comes the same way.
#[test]
fn a_rekey_on_one_device_reaches_the_other() {
    run(async {
        let world = World::new().await;
        let first = world.person("rekeying", Plan::sm2()).await;
        let second = second(&world, &first);
        approve(&first, &waits(&second, Plan::sm2()).await).await;
        second.provision(Plan::sm2()).await.unwrap();
        let encrypt: aecm::store::Slot = "sm2-encrypt-mv".parse().unwrap();
        // The second device's account did not obtain the certificate: it may not replace the key.
        let error = second.renew(RenewPlan::slot(encrypt.clone()).rekey()).await.unwrap_err();
        assert!(
            matches!(error, Error::Transfer(TransferError::NotIssuer { suite: Suite::Sm2 })),
            "{error:?}"
        );
        assert!(second.entries().await.unwrap().iter().all(|entry| entry.state != EntryState::Pending));

        first.renew(RenewPlan::slot(encrypt.clone()).rekey()).await.unwrap();
        let mail = note(&first).await;
        assert!(second.open(&mail).await.is_err());
        let renewed = second.renew(RenewPlan::slot(encrypt)).await.unwrap();
        assert_eq!(renewed.slots[0].state, SlotState::WaitingForTransfer, "{renewed:?}");
        approve(&first, &renewed.waiting.unwrap()).await;
        // It has a key in use: the owner says on this device too that it was them.
        let report = second.provision(Plan::sm2()).await.unwrap();
        assert!(second.open(&mail).await.is_err());
        second.accept_transfer(&report.conflict.unwrap()).await.unwrap();
        assert!(second.provision(Plan::sm2()).await.unwrap().is_complete());
        opens(&second, &mail).await;
        let kinds: Vec<EventKind> =
            second.events().await.unwrap().into_iter().map(|event| event.kind).collect();
        assert!(kinds.contains(&EventKind::Rekeyed), "{kinds:?}");
    });
}

// A device that holds one of the suites answers for that one; the other is asked of the next device.
#[test]
fn a_device_answers_for_the_suites_it_holds() {
    run(async {
        let world = World::new().await;
        let first = world.person("parts", ecc()).await;
        let second = second(&world, &first);
        approve(&first, &waits(&second, Plan::sm2()).await).await;
        assert!(second.provision(Plan::sm2()).await.unwrap().is_complete());
        let third = self::second(&world, &first);
        let waiting = waits(&third, ecc()).await;
        assert_eq!(waiting.suites, [Suite::Sm2, Suite::Classic]);
        let request = second.transfer_requests().await.unwrap().remove(0);
        assert_eq!((request.suites.len(), request.held.clone()), (2, vec![Suite::Sm2]));
        let given = second.approve_transfer(&request, &waiting.fingerprint).await.unwrap();
        assert_eq!((given.suites, given.remaining), (vec![Suite::Sm2], vec![Suite::Classic]));
        let report = third.provision(ecc()).await.unwrap();
        let state = |suite| {
            let of = |slot: &&aecm::SlotReport| slot.purpose == Purpose::Encrypt && slot.suite == suite;
            report.slots.iter().find(of).map(|slot| slot.state)
        };
        assert_eq!(state(Suite::Sm2), Some(SlotState::Received), "{report:?}");
        assert_eq!(state(Suite::Classic), Some(SlotState::WaitingForTransfer), "{report:?}");
        let waiting = report.waiting.clone().unwrap();
        assert_eq!(waiting.suites, [Suite::Classic]);
        assert!(second.transfer_requests().await.unwrap().is_empty(), "not to be answered there");
        approve(&first, &waiting).await;
        assert!(third.provision(ecc()).await.unwrap().is_complete());
    });
}

// Restored from a backup, the key is here: it is certified for this account, and nobody is asked for it.
#[test]
fn a_restored_key_is_certified_and_not_asked_for() {
    run(async {
        let world = World::new().await;
        let first = world.person("restored", Plan::sm2()).await;
        let mail = note(&first).await;
        let entries = first.entries().await.unwrap();
        let entry = entries.into_iter().find(|one| one.slot.purpose == Purpose::Encrypt).unwrap();
        let pkcs8 = first.owner().store().export(first.address(), &entry.id).await.unwrap();
        let ends = entry.certificate.as_ref().unwrap().not_after();
        let chain = entry.certificate.into_iter().chain(entry.chain).collect();
        let state = EntryState::Active;
        let key = aecm::store::ImportedKey { slot: entry.slot, pkcs8, chains: vec![chain], state };
        let store = memory();
        let now = aecm::core::embed::Clock::now(world.dial.as_ref());
        store.import(first.address(), vec![key], now).await.unwrap();
        // The certificate of the backup runs out; on the first device it was followed in time.
        world.dial.forward(ends.since(now) - Duration::from_secs(3_600));
        first.renew(RenewPlan::all()).await.unwrap();
        world.dial.forward(Duration::from_secs(2 * 3_600));
        let second = device(&world, first.address(), world.http(), store);
        let report = second.provision(Plan::sm2()).await.unwrap();
        assert!(report.is_complete() && report.waiting.is_none(), "{report:?}");
        assert!(report.rekeyed.is_empty(), "it is the same key");
        opens(&second, &mail).await;
        // It is known to hold the key: it gives it on, and renews.
        let third = self::second(&world, &first);
        let waiting = waits(&third, Plan::sm2()).await;
        approve(&second, &waiting).await;
        assert!(third.provision(Plan::sm2()).await.unwrap().is_complete());
        let renewed = second.renew(RenewPlan::slot("sm2-encrypt-mv".parse().unwrap())).await.unwrap();
        assert_eq!(renewed.slots[0].state, SlotState::Renewed);
    });
}

// The backup is of today: nothing is lacking until the key is renewed, and then it is certified for this account too.
#[test]
fn a_restored_key_is_renewed_and_not_asked_for() {
    run(async {
        let world = World::new().await;
        let first = world.person("backup", Plan::sm2()).await;
        let entries = first.entries().await.unwrap();
        let entry = entries.into_iter().find(|one| one.slot.purpose == Purpose::Encrypt).unwrap();
        let pkcs8 = first.owner().store().export(first.address(), &entry.id).await.unwrap();
        let chain = entry.certificate.into_iter().chain(entry.chain).collect();
        let state = EntryState::Active;
        let key = aecm::store::ImportedKey { slot: entry.slot, pkcs8, chains: vec![chain], state };
        let store = memory();
        let now = aecm::core::embed::Clock::now(world.dial.as_ref());
        store.import(first.address(), vec![key], now).await.unwrap();
        let second = device(&world, first.address(), world.http(), store);
        assert!(second.provision(Plan::sm2()).await.unwrap().is_complete());
        let encrypt: aecm::store::Slot = "sm2-encrypt-mv".parse().unwrap();
        let renewed = second.renew(RenewPlan::slot(encrypt)).await.unwrap();
        assert!(renewed.waiting.is_none(), "{renewed:?}");
        assert_eq!(renewed.slots[0].state, SlotState::Renewed, "{renewed:?}");
        // From now on it is asked, too.
        let waiting = waits(&self::second(&world, &first), Plan::sm2()).await;
        assert!(second.transfer_requests().await.unwrap().iter().any(|one| one.url == waiting.url));
    });
}

struct Case {
    world: World,
    first: Mailbox,
    http: Arc<Watch>,
    store: Arc<dyn KeyStore>,
}

impl Case {
    async fn new() -> Self {
        let world = World::new().await;
        let first = world.person("cut", Plan::sm2()).await;
        let (http, store) = (world.http(), memory());
        Self { world, first, http, store }
    }

    fn plain(&self) -> Mailbox {
        device(&self.world, self.first.address(), self.http.clone(), self.store.clone())
    }

    /// The second device's whole way, however often it has to be called.
    async fn way(&self, second: &Mailbox, approved: &mut bool) -> Result<(), Error> {
        loop {
            let report = second.provision(Plan::sm2()).await?;
            if report.is_complete() {
                return Ok(());
            }
            assert!(!*approved, "{report:?}");
            let waiting = report.waiting.unwrap();
            *approved = true;
            approve(&self.first, &waiting).await;
        }
    }
}

async fn sweep(how: How, build: impl Fn(&Case, Arc<Cut>) -> Aecm) -> usize {
    let mut at = 1;
    loop {
        let case = Case::new().await;
        let mail = note(&case.first).await;
        let cut = Cut::new(at, how);
        let second = build(&case, cut.clone()).mailbox(case.first.address().as_str()).unwrap();
        let mut approved = false;
        let outcome = cut.survive(case.way(&second, &mut approved)).await;
        if !cut.reached() {
            assert!(matches!(outcome, Some(Ok(()))));
            return at - 1;
        }
        // A fresh process over what is left. An answer whose request was lost may have to be given again.
        let second = case.plain();
        let what = format!("{how:?} at call {at}");
        for _ in 0..3 {
            let report =
                second.provision(Plan::sm2()).await.unwrap_or_else(|error| panic!("{what}: {error}"));
            if let Some(waiting) = report.waiting {
                approve(&case.first, &waiting).await;
            }
        }
        let entries = case.store.entries(case.first.address()).await.unwrap();
        assert_eq!(entries.len(), 3, "{what}: no key twice, none lost: {entries:?}");
        assert!(entries.iter().all(|entry| entry.state == EntryState::Active), "{what}: {entries:?}");
        opens(&second, &mail).await;
        let record = format!("aecm-transfer:{}:{}", case.world.service.directory_url(), second.address());
        assert!(case.store.load_state(&record).await.unwrap().is_none(), "{what}: nothing is left over");
        // The service counts it as a device that holds the key.
        let encrypt = RenewPlan::slot("sm2-encrypt-mv".parse().unwrap());
        let renewed = second.renew(encrypt).await.unwrap();
        assert_eq!(renewed.slots[0].state, SlotState::Renewed, "{what}");
        at += 1;
    }
}

fn cut_requests(case: &Case, cut: Arc<Cut>) -> Aecm {
    let http = Arc::new(CutHttp { inner: case.http.clone(), cut });
    case.world.builder(http, case.store.clone()).build().unwrap()
}

fn cut_writes(case: &Case, cut: Arc<Cut>) -> Aecm {
    let store = Arc::new(CutStore { inner: case.store.clone(), cut, reading: false, view: None });
    case.world.builder(case.http.clone(), store).build().unwrap()
}

// N6, N11 for the second device: the process dies at every request and every writing of the store.
#[test]
fn the_process_ends_after_each_request_of_a_transfer() {
    assert!(run(sweep(How::EndAfter, cut_requests)) >= 20);
}

#[test]
fn each_request_of_a_transfer_fails_before_it_arrives() {
    run(sweep(How::FailBefore, cut_requests));
}

#[test]
fn the_process_ends_before_each_writing_of_a_transfer() {
    assert!(run(sweep(How::EndBefore, cut_writes)) >= 30);
}

#[test]
fn each_writing_of_a_transfer_is_done_and_reported_failed() {
    run(sweep(How::FailAfter, cut_writes));
}
