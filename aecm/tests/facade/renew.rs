//! Renewal: which key is kept, when it is due, whatever interrupts it; old mail keeps opening.

use std::sync::Arc;
use std::time::Duration;

use aecm::acme::wire::RevocationReason;
use aecm::core::embed::{Clock, Http, HttpError, HttpRequest, HttpResponse};
use aecm::core::mailbox::Mailbox as Address;
use aecm::core::public_key::KeyKind;
use aecm::core::suite::{Purpose, Suite};
use aecm::store::{EntryState, KeyStore, Slot};
use aecm::{Aecm, ClassicKeys, Error, Mailbox, Plan, RenewPlan, SlotState};

use crate::cut::{Cut, CutHttp, CutStore, How};
use crate::world::{Watch, World, letter, memory, run};

const DAY: Duration = Duration::from_secs(86_400);

async fn mailbox(world: &World, name: &str, plan: Plan) -> (Mailbox, Arc<Watch>) {
    let http = world.http();
    let address = world.address(name);
    let aecm = world.builder(http.clone(), memory()).build().unwrap();
    let mailbox = aecm.mailbox(address.as_str()).unwrap();
    assert!(mailbox.provision(plan).await.unwrap().is_complete());
    (mailbox, http)
}

async fn slot_of(mailbox: &Mailbox, suite: Suite, purpose: Purpose) -> Slot {
    let slots = mailbox.slots().await.unwrap();
    slots.iter().find(|slot| slot.suite == suite && slot.purpose == purpose).unwrap().slot()
}

async fn mail_to_oneself(mailbox: &Mailbox) -> Vec<u8> {
    let own = mailbox.address().to_string();
    let raw = letter(&own, &own);
    mailbox.compose(&raw).to([own]).sign().timestamp().encrypt().await.unwrap().mail
}

#[test]
fn signing_keys_change_and_the_encrypting_key_stays() {
    run(async {
        let world = World::new().await;
        let ecc = Plan::dual().classic_keys(ClassicKeys::Ecc);
        let (mailbox, http) = mailbox(&world, "renewed", ecc).await;
        let before = mailbox.slots().await.unwrap();
        let old = mail_to_oneself(&mailbox).await;
        world.dial.forward(DAY * 10);
        let renewed = mailbox.renew(RenewPlan::all()).await.unwrap();
        assert_eq!(renewed.slots.len(), 6);
        assert!(renewed.slots.iter().all(|slot| slot.state == SlotState::Renewed), "{renewed:?}");
        assert!(http.refusals().is_empty(), "{:?}", http.refusals());
        for (before, after) in before.iter().zip(mailbox.slots().await.unwrap()) {
            assert_eq!((before.suite, before.purpose), (after.suite, after.purpose));
            assert_eq!(after.state, SlotState::Present);
            assert_ne!(before.serial(), after.serial());
            assert!(before.not_after() < after.not_after());
            let key =
                |slot: &aecm::SlotReport| slot.certificate.clone().unwrap().public_key().unwrap().clone();
            let same = key(before) == key(&after);
            assert_eq!(same, after.purpose == Purpose::Encrypt, "{} {}", after.suite, after.purpose);
            // An ECC mailbox stays one.
            assert_eq!(key(before).kind(), key(&after).kind());
        }
        let opened = mailbox.open(&old).await.unwrap();
        assert_eq!(opened.verdict.word(), "valid", "{:?}", opened.reasons);
        let opened = mailbox.open(&mail_to_oneself(&mailbox).await).await.unwrap();
        assert_eq!(opened.verdict.word(), "valid", "{:?}", opened.reasons);
        assert_eq!(http.answers("/new-account", 201), 1);
    });
}

#[test]
fn a_rekey_makes_a_new_encrypting_key_and_the_old_one_opens_old_mail() {
    run(async {
        let world = World::new().await;
        let (mailbox, http) = mailbox(&world, "rekeyed", Plan::sm2()).await;
        let old = mail_to_oneself(&mailbox).await;
        let slot = slot_of(&mailbox, Suite::Sm2, Purpose::Encrypt).await;
        let renewed = mailbox.renew(RenewPlan::slot(slot).rekey()).await.unwrap();
        assert_eq!(renewed.slots.len(), 1);
        assert_eq!(renewed.slots[0].state, SlotState::Renewed);
        let entries = mailbox.entries().await.unwrap();
        let encrypting: Vec<_> = entries.iter().filter(|one| one.slot.purpose == Purpose::Encrypt).collect();
        let states: Vec<EntryState> = encrypting.iter().map(|entry| entry.state).collect();
        assert_eq!(states, [EntryState::Retired, EntryState::Active]);
        assert_ne!(encrypting[0].public_key, encrypting[1].public_key);
        for mail in [old, mail_to_oneself(&mailbox).await] {
            let opened = mailbox.open(&mail).await.unwrap();
            assert_eq!(opened.verdict.word(), "valid", "{:?}", opened.reasons);
        }
        assert!(http.refusals().is_empty(), "{:?}", http.refusals());
    });
}

#[test]
fn what_is_not_there_cannot_be_renewed() {
    run(async {
        let world = World::new().await;
        let (mailbox, http) = mailbox(&world, "single", Plan::sm2()).await;
        let before = http.count();
        let absent: Slot = "classic-encrypt-mv".parse().unwrap();
        let error = mailbox.renew(RenewPlan::slot(absent)).await.unwrap_err();
        assert!(matches!(&error, Error::NothingThere { .. }), "{error:?}");
        assert_eq!(http.count(), before, "nothing was asked for");
        // One slot alone.
        let slot = slot_of(&mailbox, Suite::Sm2, Purpose::Timestamp).await;
        let renewed = mailbox.renew(RenewPlan::slot(slot)).await.unwrap();
        assert_eq!(renewed.slots.len(), 1);
        assert_eq!(mailbox.entries().await.unwrap().len(), 4);
    });
}

// RFC 9773: the server's window decides; it names the last third of the life.
#[test]
fn slots_are_renewed_when_they_are_due() {
    run(async {
        let world = World::new().await;
        let (mailbox, http) = mailbox(&world, "due", Plan::sm2()).await;
        let now = world.dial.now();
        let early = mailbox.renew_if_due(now).await.unwrap();
        assert!(early.slots.is_empty());
        assert!(http.answers("/renewal-info", 200) + http.answers("renewal", 200) >= 3);
        let next = early.next.unwrap();
        assert!(next > now.plus(DAY * 200) && next < now.plus(DAY * 365), "{next}");
        world.dial.forward(DAY * 350);
        let late = mailbox.renew_if_due(world.dial.now()).await.unwrap();
        assert_eq!(late.slots.len(), 3);
        assert!(late.slots.iter().all(|slot| slot.state == SlotState::Renewed));
        let again = mailbox.renew_if_due(world.dial.now()).await.unwrap();
        assert!(again.slots.is_empty(), "{again:?}");
    });
}

/// A server without renewal information.
struct NoAri(Arc<Watch>);

#[async_trait::async_trait]
impl Http for NoAri {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let directory = request.url.ends_with("/directory");
        let mut response = self.0.send(request).await?;
        if directory {
            let text = String::from_utf8(response.body).unwrap();
            response.body = text.replace("renewalInfo", "noRenewalInfo").into_bytes();
        }
        Ok(response)
    }
}

// RFC 9773 §5: no `replaces` where the server has no renewal information; the dates decide.
#[test]
fn without_renewal_information_the_last_third_decides() {
    run(async {
        let world = World::new().await;
        let http = world.http();
        let address = world.address("plain");
        let aecm = world.builder(Arc::new(NoAri(http.clone())), memory()).build().unwrap();
        let mailbox = aecm.mailbox(address.as_str()).unwrap();
        mailbox.provision(Plan::sm2()).await.unwrap();
        assert!(mailbox.renew_if_due(world.dial.now()).await.unwrap().slots.is_empty());
        world.dial.forward(DAY * 240);
        assert!(mailbox.renew_if_due(world.dial.now()).await.unwrap().slots.is_empty());
        world.dial.forward(DAY * 10);
        let late = mailbox.renew_if_due(world.dial.now()).await.unwrap();
        assert_eq!(late.slots.len(), 3);
        assert_eq!(http.answers("renewal-info/", 200), 0);
    });
}

#[test]
fn a_mailbox_is_renewed_by_one_call_at_a_time() {
    run(async {
        let world = World::new().await;
        let (mailbox, _) = mailbox(&world, "twice", Plan::sm2()).await;
        let lease = mailbox.owner().store().lease(&format!("provision:{}", mailbox.address())).await.unwrap();
        let error = mailbox.renew(RenewPlan::all()).await.unwrap_err();
        assert!(matches!(error, Error::Busy(_)), "{error:?}");
        let error = mailbox.provision(Plan::dual()).await.unwrap_err();
        assert!(matches!(error, Error::Busy(_)), "{error:?}");
        drop(lease);
        assert_eq!(mailbox.renew(RenewPlan::all()).await.unwrap().slots.len(), 3);
    });
}

#[test]
fn a_revoked_slot_is_not_renewed_but_filled_anew() {
    run(async {
        let world = World::new().await;
        let (mailbox, _) = mailbox(&world, "taken-back", Plan::sm2()).await;
        let old = mail_to_oneself(&mailbox).await;
        let slot = slot_of(&mailbox, Suite::Sm2, Purpose::Encrypt).await;
        let revoked = mailbox.revoke(slot.clone(), RevocationReason::KeyCompromise).await.unwrap();
        assert_eq!(revoked.len(), 1);
        let error = mailbox.renew(RenewPlan::slot(slot)).await.unwrap_err();
        assert!(matches!(error, Error::NothingThere { .. }), "{error:?}");
        assert_eq!(mailbox.renew(RenewPlan::all()).await.unwrap().slots.len(), 2);
        let report = mailbox.provision(Plan::sm2()).await.unwrap();
        assert_eq!((report.issued(), report.is_complete()), (1, true));
        let entries = mailbox.entries().await.unwrap();
        assert_eq!(entries.iter().filter(|one| one.slot.purpose == Purpose::Encrypt).count(), 2, "a new key");
        assert!(mailbox.open(&old).await.is_ok(), "E8: the old key still opens");
    });
}

struct Case {
    address: Address,
    http: Arc<Watch>,
    store: Arc<dyn KeyStore>,
    rekey: bool,
}

impl Case {
    /// A mailbox with its three certificates.
    async fn new(world: &World, rekey: bool) -> Self {
        let case = Self { address: world.address("cut"), http: world.http(), store: memory(), rekey };
        let aecm = world.builder(case.http.clone(), case.store.clone()).build().unwrap();
        aecm.mailbox(case.address.as_str()).unwrap().provision(Plan::sm2()).await.unwrap();
        case
    }

    async fn renew(&self, aecm: Aecm) -> Result<usize, Error> {
        let plan = if self.rekey { RenewPlan::all().rekey() } else { RenewPlan::all() };
        let renewed = aecm.mailbox(self.address.as_str())?.renew(plan).await?;
        assert!(renewed.slots.iter().all(|slot| slot.state == SlotState::Renewed), "{renewed:?}");
        Ok(renewed.slots.len())
    }

    /// A fresh process over what is left: every slot renewed once, nothing lost, nothing twice.
    async fn go_on(&self, world: &World, what: &str) {
        let aecm = world.builder(self.http.clone(), self.store.clone()).build().unwrap();
        match self.renew(aecm).await {
            Ok(slots) => assert_eq!(slots, 3, "{what}"),
            Err(error) => panic!("{what}: {error}"),
        }
        let entries = self.store.entries(&self.address).await.unwrap();
        let count = |state| entries.iter().filter(|entry| entry.state == state).count();
        let retired = if self.rekey { 3 } else { 2 };
        assert_eq!(
            (count(EntryState::Active), count(EntryState::Retired)),
            (3, retired),
            "{what}: {entries:?}"
        );
        assert_eq!(entries.len(), 3 + retired, "{what}: {entries:?}");
        let found = world.service.certificate_directory().certificates(&self.address).await.unwrap();
        // An encrypting certificate whose key was replaced is not listed any more.
        assert_eq!(found.len(), 6 - usize::from(self.rekey), "{what}: three were followed once each");
        let encrypting = entries
            .iter()
            .find(|one| one.slot.purpose == Purpose::Encrypt && one.state == EntryState::Active);
        assert_eq!(encrypting.unwrap().former.len(), usize::from(!self.rekey), "{what}");
    }
}

fn record_name(world: &World, address: &Address) -> String {
    format!("aecm-renewal:{}:{address}", world.service.directory_url())
}

async fn sweep(world: &World, how: How, rekey: bool, build: impl Fn(&Case, Arc<Cut>) -> Aecm) -> usize {
    for at in 1.. {
        let case = Case::new(world, rekey).await;
        let cut = Cut::new(at, how);
        let outcome = cut.survive(case.renew(build(&case, cut.clone()))).await;
        if !cut.reached() {
            assert!(matches!(outcome, Some(Ok(3))));
            return at - 1;
        }
        // A call that had come to its end has nothing under way any more: another one is another renewal.
        let done =
            world.service.certificate_directory().certificates(&case.address).await.unwrap().len() >= 5;
        let forgotten = case.store.load_state(&record_name(world, &case.address)).await.unwrap().is_none();
        let ended = matches!(outcome, Some(Ok(_))) || (done && forgotten);
        if !ended {
            case.go_on(world, &format!("{how:?} at call {at}")).await;
        }
    }
    unreachable!()
}

// N6, N11: the process dies at every request.
#[test]
fn the_process_ends_after_each_request_of_a_renewal() {
    let cuts = run(async {
        let world = World::new().await;
        sweep(&world, How::EndAfter, false, |case, cut| {
            let http = Arc::new(CutHttp { inner: case.http.clone(), cut });
            world.builder(http, case.store.clone()).build().unwrap()
        })
        .await
    });
    assert!(cuts >= 10, "{cuts}");
}

#[test]
fn each_request_of_a_rekey_fails_once_with_its_answer_lost() {
    run(async {
        let world = World::new().await;
        sweep(&world, How::FailAfter, true, |case, cut| {
            let http = Arc::new(CutHttp { inner: case.http.clone(), cut });
            world.builder(http, case.store.clone()).build().unwrap()
        })
        .await
    });
}

#[test]
fn the_process_ends_before_each_operation_of_the_store_in_a_rekey() {
    let cuts = run(async {
        let world = World::new().await;
        sweep(&world, How::EndBefore, true, |case, cut| {
            let store = Arc::new(CutStore { inner: case.store.clone(), cut, reading: false, view: None });
            world.builder(case.http.clone(), store).build().unwrap()
        })
        .await
    });
    assert!(cuts >= 20, "{cuts}");
}

#[test]
fn each_writing_of_the_store_fails_once_in_a_renewal() {
    run(async {
        let world = World::new().await;
        sweep(&world, How::FailAfter, false, |case, cut| {
            let store = Arc::new(CutStore { inner: case.store.clone(), cut, reading: false, view: None });
            world.builder(case.http.clone(), store).build().unwrap()
        })
        .await
    });
}

// The kinds are kept: nobody's mailbox becomes RSA by renewal.
#[test]
fn the_kind_of_key_is_kept() {
    run(async {
        let world = World::new().await;
        let (mailbox, _) = mailbox(&world, "kind", Plan::classic()).await;
        let slot = slot_of(&mailbox, Suite::Classic, Purpose::Sign).await;
        mailbox.renew(RenewPlan::slot(slot)).await.unwrap();
        let entries = mailbox.entries().await.unwrap();
        let kinds: Vec<KeyKind> = entries.iter().map(|entry| entry.public_key.kind()).collect();
        assert!(kinds.iter().all(|kind| *kind == KeyKind::Rsa { bits: 3_072 }), "{kinds:?}");
    });
}
