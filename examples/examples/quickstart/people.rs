//! Alice and Bob with both suites, Carol with the classic one: each with an empty vault at first.

use std::sync::Arc;
use std::time::Instant;

use aecm::acme::email::DkimAuthenticator;
use aecm::core::embed::OsRng;
use aecm::store::{KeyStore, Vault, VaultOptions};
use aecm::{Aecm, ClassicKeys, Consent, Event, Mailbox, Plan};
use aecm_examples::progress::Progress;
use aecm_examples::table::Table;

use crate::Outcome;
use crate::world::World;

/// Somebody with a mailbox.
pub(crate) struct Person {
    pub(crate) name: &'static str,
    pub(crate) mailbox: Mailbox,
    pub(crate) store: Arc<dyn KeyStore>,
}

/// The three.
pub(crate) struct People {
    pub(crate) alice: Person,
    pub(crate) bob: Person,
    pub(crate) carol: Person,
    /// The vaults; removed when dropped.
    _folder: Folder,
}

impl People {
    pub(crate) fn all(&self) -> [&Person; 3] {
        [&self.alice, &self.bob, &self.carol]
    }
}

struct Folder(std::path::PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // Left-over vaults in the temporary folder are encrypted; the system clears them at some time.
        let _left = std::fs::remove_dir_all(&self.0);
    }
}

/// Opens the mailboxes and obtains their certificates.
pub(crate) async fn provision(world: &World, progress: &Progress) -> Outcome<People> {
    let folder = Folder(std::env::temp_dir().join(format!("aecm-quickstart-{}", std::process::id())));
    std::fs::create_dir_all(&folder.0)?;
    let alice = person(world, &folder, "alice", Plan::dual(), progress).await?;
    let bob = person(world, &folder, "bob", Plan::dual(), progress).await?;
    let plan = Plan::classic().classic_keys(ClassicKeys::Ecc);
    let carol = person(world, &folder, "carol", plan, progress).await?;

    let before = world.http.requests();
    let again = alice.mailbox.provision(Plan::dual()).await?;
    let asked = world.http.requests() - before;
    println!("  alice again: {} certificates issued, {asked} requests\n", again.issued());
    Ok(People { alice, bob, carol, _folder: folder })
}

async fn person(
    world: &World,
    folder: &Folder,
    name: &'static str,
    plan: Plan,
    progress: &Progress,
) -> Outcome<Person> {
    let started = Instant::now();
    let address = format!("{name}@example.test");
    world.service.post_office().open(&address.parse()?);
    progress.say(&format!("{address}: making the vault"));
    let store: Arc<dyn KeyStore> = Arc::new(Vault::create(
        folder.0.join(name),
        format!("password of {name}"),
        Arc::new(OsRng),
        VaultOptions::default(),
    )?);
    let mut builder = Aecm::builder(world.service.directory_url())
        .store(Arc::clone(&store))
        .mail(world.service.mail_source())
        .authenticator(Arc::new(DkimAuthenticator::new(world.service.txt_resolver())))
        .http(world.http.clone())
        .directory(world.service.certificate_directory())
        .trust(world.trust.clone())
        .consent(Consent::agreed());
    for (suite, source) in &world.authorities {
        builder = builder.authority(*suite, source.clone());
    }
    let mailbox = builder.build()?.mailbox(&address)?;

    let (requests, mails) = (world.http.requests(), world.service.post_office().delivered());
    let shown = address.clone();
    let line = Progress::new();
    let observer = move |event: Event| match event {
        Event::Step { step, item: Some(item) } => line.say(&format!("{shown}: {item}: {step}")),
        Event::Step { step, item: None } => line.say(&format!("{shown}: {step}")),
        _ => {}
    };
    let provisioned = mailbox.provision_observed(plan, Some(Arc::new(observer))).await?;
    progress.clear();
    let (requests, mails) =
        (world.http.requests() - requests, world.service.post_office().delivered() - mails);
    println!(
        "{address}: {} certificates, {mails} challenge mail, {requests} requests, {:.1} s",
        provisioned.issued(),
        started.elapsed().as_secs_f64()
    );
    let mut table = Table::new(["suite", "purpose", "key", "serial", "valid until"]);
    for slot in &provisioned.slots {
        let certificate = slot.certificate.as_ref().ok_or("a slot has no certificate")?;
        let key = certificate.public_key().ok_or("a certificate has a key of an unknown kind")?;
        let serial: String =
            certificate.serial().iter().take(6).map(|octet| format!("{octet:02x}")).collect();
        table.row([
            slot.suite.to_string(),
            slot.purpose.to_string(),
            key.kind().to_string(),
            format!("{serial}…"),
            certificate.not_after().to_string(),
        ]);
    }
    println!("{table}");
    Ok(Person { name, mailbox, store })
}
