//! One mailbox on several devices: each has its own signing key, all share one encrypting key for each suite.
//!
//! ```text
//! cargo run --release -p aecm-examples --example second_device
//! ```
//!
//! Alice writes to herself on her laptop; her phone asks the laptop for the keys, she compares a fingerprint, and
//! the phone opens the old mail. Then: two devices that start at the same moment, renewal, a rekey, keys recovered
//! from escrow after every device was lost, and the revocation of a stolen one. Everything happens in this process
//! and on 127.0.0.1.

use std::process::ExitCode;
use std::sync::Arc;

use aecm::acme::email::DkimAuthenticator;
use aecm::acme::hyper::HyperHttp;
use aecm::acme::wire::{EventKind, RevocationReason};
use aecm::core::embed::{Clock, Http, OsRng, SystemClock};
use aecm::core::suite::{Purpose, Suite};
use aecm::store::MemoryStore;
use aecm::{
    Aecm, ClassicKeys, Consent, Discovery, EscrowConsent, Mailbox, Plan, RenewPlan, SlotState, Waiting,
    discover,
};
use aecm_examples::table::Table;
use aecm_service::{EscrowOptions, Service, ServiceOptions};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const ALICE: &str = "alice@example.test";

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("second_device: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Outcome<()> {
    let world = World::start().await?;
    println!("Service  {}\n", world.service.directory_url());

    let (laptop, phone, old_mail) = a_second_device(&world).await?;
    two_at_once(&world).await?;
    renewed_and_rekeyed(&laptop, &phone, &old_mail).await?;
    stolen(&laptop, &phone).await?;
    all_lost(&world, &laptop, &old_mail).await?;
    println!("\nDone.");
    Ok(())
}

/// The laptop has mail that the phone is to read.
async fn a_second_device(world: &World) -> Outcome<(Mailbox, Mailbox, Vec<u8>)> {
    println!("1. A second device");
    let (laptop, phone) = (world.device(ALICE)?, world.device(ALICE)?);
    assert!(laptop.provision(plan()).await?.is_complete());
    let old_mail = note(&laptop).await?;

    // The phone obtains what is its own. The encrypting keys are on the laptop: it asks, and waits.
    let report = phone.provision(plan()).await?;
    assert_eq!(report.issued(), 4);
    let waiting = report.waiting.ok_or("the phone has to wait")?;
    println!("   phone {} shows   {}", waiting.device, grouped(&waiting.fingerprint));

    // The laptop shows who asks; Alice compares the two and types what the phone shows.
    let request = laptop.transfer_requests().await?.into_iter().next().ok_or("nobody asks")?;
    println!("   laptop shows                  {}", grouped(&request.fingerprint));
    let somebody_else = "0".repeat(64);
    assert!(
        laptop.approve_transfer(&request, &somebody_else).await.is_err(),
        "a wrong fingerprint gives nothing"
    );
    laptop.approve_transfer(&request, &grouped(&waiting.fingerprint)).await?;

    assert!(phone.provision(plan()).await?.is_complete());
    opens(&phone, &old_mail).await?;
    show(&[("laptop", &laptop), ("phone", &phone)]).await?;
    Ok((laptop, phone, old_mail))
}

/// Two devices of a new mailbox start at the same moment: one makes the encrypting key, the other receives it.
async fn two_at_once(world: &World) -> Outcome<()> {
    println!("2. Two devices at once");
    let address = "race@example.test";
    let (one, other) = (world.device(address)?, world.device(address)?);
    let (a, b) = tokio::join!(one.provision(Plan::sm2()), other.provision(Plan::sm2()));
    let (winner, loser, waiting) = match (a?.waiting, b?.waiting) {
        (None, Some(waiting)) => (&one, &other, waiting),
        (Some(waiting), None) => (&other, &one, waiting),
        _ => return Err("one of the two has to win".into()),
    };
    approve(winner, &waiting).await?;
    assert!(loser.provision(Plan::sm2()).await?.is_complete());
    opens(loser, &note(winner).await?).await?;
    show(&[("winner", winner), ("loser", loser)]).await?;
    let key = async |mailbox: &Mailbox| -> Outcome<_> {
        Ok(certificate(mailbox, Suite::Sm2, Purpose::Encrypt).await?.spki_der().to_vec())
    };
    assert_eq!(key(winner).await?, key(loser).await?, "one encrypting key in the end");
    Ok(())
}

/// Signing keys change, the encrypting key stays, unless a new one is asked for.
async fn renewed_and_rekeyed(laptop: &Mailbox, phone: &Mailbox, old_mail: &[u8]) -> Outcome<()> {
    println!("3. Renewal");
    let next = laptop.renew_if_due(SystemClock.now()).await?;
    assert!(next.slots.is_empty(), "nothing is due on the first day");
    println!("   the next certificate is due {}", next.next.ok_or("a date")?);
    let before = certificate(laptop, Suite::Sm2, Purpose::Encrypt).await?;
    let renewed = laptop.renew(RenewPlan::all()).await?;
    assert!(renewed.slots.iter().all(|slot| slot.state == SlotState::Renewed));
    let after = certificate(laptop, Suite::Sm2, Purpose::Encrypt).await?;
    assert!(before.serial() != after.serial() && before.spki_der() == after.spki_der());

    let encrypt = "sm2-encrypt-mv".parse()?;
    laptop.renew(RenewPlan::slot(encrypt).rekey()).await?;
    let new_mail = note(laptop).await?;
    assert!(phone.open(&new_mail).await.is_err(), "the phone does not have the new key yet");
    let renewed = phone.renew(RenewPlan::slot("sm2-encrypt-mv".parse()?)).await?;
    approve(laptop, &renewed.waiting.ok_or("the phone has to ask for the new key")?).await?;
    let report = phone.provision(plan()).await?;
    // The phone has another key in use: its owner, who replaced it on the laptop, says so here too.
    phone.accept_transfer(&report.conflict.ok_or("two keys to decide between")?).await?;
    for mail in [old_mail, &new_mail] {
        opens(phone, mail).await?;
        opens(laptop, mail).await?;
    }
    show(&[("laptop", laptop), ("phone", phone)]).await
}

/// The phone is stolen: its certificates are taken back from the laptop, and the shared key is replaced.
async fn stolen(laptop: &Mailbox, phone: &Mailbox) -> Outcome<()> {
    println!("4. A stolen device");
    let devices = laptop.devices().await?;
    let lost = devices.iter().find(|device| !device.this).ok_or("the laptop knows the phone")?;
    let report = laptop.revoke_device(&lost.id, RevocationReason::KeyCompromise).await?;
    println!("   {} certificates of {} revoked", report.revoked.len(), lost.id);
    assert!(!report.revoked.is_empty());
    let slots = laptop.slots().await?;
    for slot in slots.iter().filter(|slot| slot.purpose == Purpose::Encrypt) {
        laptop.renew(RenewPlan::slot(slot.slot()).rekey()).await?;
    }
    let secret = note(laptop).await?;
    assert!(phone.open(&secret).await.is_err(), "what is written now the thief cannot read");
    let kinds: Vec<EventKind> = laptop.events().await?.into_iter().map(|event| event.kind).collect();
    assert!(kinds.contains(&EventKind::Revoked) && kinds.contains(&EventKind::Rekeyed));
    show(&[("laptop", laptop)]).await
}

/// The laptop goes the same way. With her keys in escrow Alice reads her mail on a new machine.
async fn all_lost(world: &World, laptop: &Mailbox, old_mail: &[u8]) -> Outcome<()> {
    println!("5. Everything lost, and recovered from escrow");
    let terms_url = world.offered.escrow_terms.clone().ok_or("the service keeps keys")?;
    println!("   Alice agrees to {terms_url}");
    laptop.escrow(EscrowConsent { terms_url, agreed_at: SystemClock.now(), document_sha256: None }).await?;
    let new = world.device(ALICE)?;
    assert_eq!(new.recover(plan()).await?.received().len(), 2);
    opens(&new, old_mail).await?;
    opens(&new, &note(laptop).await?).await?;
    show(&[("new machine", &new)]).await?;
    new.withdraw_escrow().await?;
    Ok(())
}

/// The service, and what it says of itself over TLS.
struct World {
    service: Service,
    http: Arc<dyn Http>,
    offered: Discovery,
}

impl World {
    async fn start() -> Outcome<Self> {
        let mut options = ServiceOptions::default();
        options.acme.escrow = Some(EscrowOptions::default());
        let service = Service::start(options).await?;
        for address in [ALICE, "race@example.test"] {
            service.post_office().open(&address.parse()?);
        }
        let http: Arc<dyn Http> = Arc::new(HyperHttp::new(&service.tls_ca_pem())?);
        let offered = discover(&service.directory_url(), Arc::clone(&http)).await?;
        Ok(Self { service, http, offered })
    }

    /// A new device: nothing in its store.
    fn device(&self, address: &str) -> Outcome<Mailbox> {
        let aecm = Aecm::builder(self.service.directory_url())
            .store(Arc::new(MemoryStore::new(Arc::new(OsRng))))
            .mail(self.service.mail_source())
            .authenticator(Arc::new(DkimAuthenticator::new(self.service.txt_resolver())))
            .http(Arc::clone(&self.http))
            .trust(self.offered.trust.clone().ok_or("the service names its anchors")?)
            .consent(Consent::agreed())
            .build()?;
        Ok(aecm.mailbox(address)?)
    }
}

fn plan() -> Plan {
    Plan::dual().classic_keys(ClassicKeys::Ecc)
}

/// Yes, on the device that holds the keys.
async fn approve(holder: &Mailbox, waiting: &Waiting) -> Outcome<()> {
    let requests = holder.transfer_requests().await?;
    let request = requests.iter().find(|request| request.url == waiting.url).ok_or("nobody asks")?;
    holder.approve_transfer(request, &waiting.fingerprint).await?;
    Ok(())
}

/// A signed and encrypted mail to oneself.
async fn note(from: &Mailbox) -> Outcome<Vec<u8>> {
    let own = from.address().to_string();
    let raw = format!("From: {own}\r\nTo: {own}\r\nSubject: Note\r\n\r\nThe seal is red.\r\n");
    Ok(from.compose(raw.as_bytes()).to([own]).sign().encrypt().await?.mail)
}

async fn opens(mailbox: &Mailbox, mail: &[u8]) -> Outcome<()> {
    let opened = mailbox.open(mail).await?;
    assert_eq!(opened.verdict.word(), "valid");
    Ok(())
}

async fn certificate(
    mailbox: &Mailbox,
    suite: Suite,
    purpose: Purpose,
) -> Outcome<aecm::core::certificate::Certificate> {
    let slots = mailbox.slots().await?;
    let slot = slots.into_iter().find(|slot| slot.suite == suite && slot.purpose == purpose);
    Ok(slot.and_then(|slot| slot.certificate).ok_or("a certificate")?)
}

/// What each device has. Rows with the same key are the shared ones.
async fn show(devices: &[(&str, &Mailbox)]) -> Outcome<()> {
    let mut table = Table::new(["device", "slot", "state", "serial", "key", "former keys"]);
    for (name, mailbox) in devices {
        let entries = mailbox.entries().await?;
        for slot in mailbox.slots().await? {
            let key =
                slot.certificate.as_ref().and_then(|one| one.public_key()).map(|key| key.key_identifier());
            let key: String = key.iter().flatten().take(4).map(|octet| format!("{octet:02x}")).collect();
            let former = entries.iter().filter(|entry| {
                entry.slot.same_place(&slot.slot()) && entry.state == aecm::store::EntryState::Retired
            });
            let serial: String = slot.serial().unwrap_or_default().chars().take(8).collect();
            let place = format!("{} {} {}", slot.suite, slot.purpose, slot.level);
            let state = slot.state.to_string();
            table.row([(*name).to_owned(), place, state, serial, key, former.count().to_string()]);
        }
    }
    println!("{table}");
    Ok(())
}

/// In groups of four, as people read it out.
fn grouped(fingerprint: &str) -> String {
    let digits: Vec<char> = fingerprint.chars().collect();
    digits.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}
