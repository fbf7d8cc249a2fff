//! One scene: Alice provisions while the script runs, and what has to hold afterwards.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aecm::acme::email::DkimAuthenticator;
use aecm::acme::wire::TokenSubmission;
use aecm::core::certificate::{Certificate, KeyUsage};
use aecm::core::directory::{CertificateDirectory, DirectoryError, Found};
use aecm::core::embed::{Clock, Http, OsRng};
use aecm::core::mailbox::Mailbox as Address;
use aecm::core::time::Time;
use aecm::store::{EntryState, KeyStore, Vault, VaultOptions};
use aecm::{ClassicKeys, Error, Mailbox, Plan, Trust};
use aecm_service::ServiceOptions;

use crate::clock::{Skewed, VirtualClock};
use crate::forge::{Dns, Forger};
use crate::message::understandable;
use crate::post::{Deliver, Post, token};
use crate::script::{Interlude, Rule, Scripted, Seen};
use crate::world::{World, contains, letter, memory};

/// The scene is given up as hanging after that much real time.
const PATIENCE: Duration = Duration::from_secs(40);

pub enum Expect {
    Success,
    /// Done, but for slots that wait for another device.
    Waiting,
    Fails {
        /// For the report.
        kind: &'static str,
        fits: fn(&Error) -> bool,
        /// What the message has to say.
        words: &'static [&'static str],
    },
}

/// `fails!(ClientError pattern, "words" …)`
macro_rules! fails {
    ($pattern:pat $(, $word:literal)* $(,)?) => {
        crate::stage::Expect::Fails {
            kind: stringify!($pattern),
            fits: |error| matches!(error, aecm::Error::Provision($pattern)),
            words: &[$($word),*],
        }
    };
}
pub(crate) use fails;

/// A row of a table.
pub struct Scene {
    name: String,
    rules: Vec<Rule>,
    deliver: Option<Deliver>,
    submission: Option<TokenSubmission>,
    interlude: Option<Arc<dyn Interlude>>,
    expect: Expect,
    plan: Plan,
    within: u64,
    /// Certificates beyond one a slot that the service issued in the end.
    costs: usize,
    /// Keys that the service refused, put aside.
    tombstones: usize,
    after: Vec<Check>,
}

type Check = Box<dyn Fn(&Seen) -> Result<(), String> + Send + Sync>;

/// A scene that ends well, within a minute of virtual time.
pub fn scene(name: impl Into<String>) -> Scene {
    Scene {
        name: name.into(),
        rules: Vec::new(),
        deliver: None,
        submission: None,
        interlude: None,
        expect: Expect::Success,
        plan: Plan::sm2(),
        within: 60,
        costs: 0,
        tombstones: 0,
        after: Vec::new(),
    }
}

impl Scene {
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    pub fn mails(
        mut self,
        deliver: impl Fn(crate::post::Look) -> Result<Vec<aecm::acme::mail::Mail>, aecm::acme::mail::MailError>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.deliver = Some(Box::new(deliver));
        self
    }

    pub fn submission(mut self, submission: TokenSubmission) -> Self {
        self.submission = Some(submission);
        self
    }

    pub fn interlude(mut self, interlude: Arc<dyn Interlude>) -> Self {
        self.interlude = Some(interlude);
        self
    }

    pub fn six(mut self) -> Self {
        self.plan = six();
        self
    }

    /// The call's own deadline, in seconds.
    pub fn deadline(mut self, seconds: u64) -> Self {
        self.plan = self.plan.within(Duration::from_secs(seconds));
        self
    }

    /// The bound on virtual time, in seconds.
    pub fn within(mut self, seconds: u64) -> Self {
        self.within = seconds;
        self
    }

    pub fn costs(mut self, certificates: usize) -> Self {
        self.costs = certificates;
        self
    }

    /// How many keys are put aside because the service refused them.
    pub fn puts_aside(mut self, keys: usize) -> Self {
        self.tombstones = keys;
        self
    }

    pub fn ends(mut self, expect: Expect) -> Self {
        self.expect = expect;
        self
    }

    /// What has to hold of the requests.
    pub fn check(mut self, check: impl Fn(&Seen) -> Result<(), String> + Send + Sync + 'static) -> Self {
        self.after.push(Box::new(check));
        self
    }
}

fn six() -> Plan {
    Plan::dual().classic_keys(ClassicKeys::Ecc)
}

/// A directory that knows one certificate.
struct Only(Found);

#[async_trait::async_trait]
impl CertificateDirectory for Only {
    async fn certificates(&self, mailbox: &Address) -> Result<Vec<Found>, DirectoryError> {
        let fits = self.0.certificate.san_mailboxes().iter().any(|name| name.matches(mailbox));
        Ok(fits.then(|| self.0.clone()).into_iter().collect())
    }
}

/// A service, everything that watches it, and Bob who writes to Alice.
pub struct Stage {
    pub world: World,
    pub clock: Arc<VirtualClock>,
    pub http: Arc<dyn Http>,
    /// The service's roots, and those of a second authority that the scripts can issue from.
    pub trust: Trust,
    pub forger: Arc<Forger>,
    bob: Address,
    letters: Arc<dyn KeyStore>,
}

static FOLDERS: AtomicUsize = AtomicUsize::new(0);

/// A folder that goes when the scene is over.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let number = FOLDERS.fetch_add(1, Ordering::SeqCst);
        let name = format!("aecm-misbehaving-{}-{number}", std::process::id());
        // The vault flushes every change, which costs most of the time on a real disk.
        let memory = PathBuf::from("/dev/shm");
        let path = if memory.is_dir() { memory } else { std::env::temp_dir() }.join(name);
        let _left_over = std::fs::remove_dir_all(&path);
        Self(path)
    }

    fn open(&self) -> Result<Arc<dyn KeyStore>, String> {
        let vault = Vault::open(&self.0, "secret", Arc::new(OsRng));
        Ok(Arc::new(vault.map_err(|error| format!("the vault does not open: {error}"))?))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

impl Stage {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut ServiceOptions)) -> Self {
        Self::start(Plan::sm2(), change).await
    }

    /// For scenes of six certificates.
    pub async fn for_six(change: impl FnOnce(&mut ServiceOptions)) -> Self {
        Self::start(six(), change).await
    }

    async fn start(bobs: Plan, change: impl FnOnce(&mut ServiceOptions)) -> Self {
        let clock = VirtualClock::new();
        let world = World::with(|options| {
            options.clock = clock.clone();
            change(options);
        })
        .await;
        let forger = Arc::new(Forger::new(clock.now()).await);
        let trust = forger.trusted_beside(&world.service);
        let stage = Self {
            http: world.http(),
            bob: world.address("bob"),
            letters: memory(),
            world,
            clock,
            trust,
            forger,
        };
        let bob = stage.mailbox(stage.builder(stage.letters.clone()).build().unwrap(), &stage.bob);
        assert!(bob.provision(bobs).await.unwrap().is_complete());
        stage
    }

    /// Everything joined to the service as it is.
    pub fn builder(&self, store: Arc<dyn KeyStore>) -> aecm::AecmBuilder {
        let http = self.scripted(Vec::new(), None, Arc::default());
        self.world
            .builder(http, store)
            .authenticator(Arc::new(DkimAuthenticator::new(Arc::new(Dns::new(&self.world.service)))))
            .trust(self.trust.clone())
            .clock(self.clock.clone())
            .sleep(self.clock.clone())
            .mail(self.post(None))
    }

    fn scripted(
        &self,
        rules: Vec<Rule>,
        interlude: Option<Arc<dyn Interlude>>,
        seen: Arc<Mutex<Seen>>,
    ) -> Arc<Scripted> {
        let (inner, clock, origin) = (self.http.clone(), self.clock.clone(), self.origin());
        Arc::new(Scripted { inner, clock, origin, rules, interlude, seen })
    }

    fn post(&self, deliver: Option<Deliver>) -> Arc<Post> {
        let (inner, clock) = (self.world.service.mail_source(), self.clock.clone());
        Arc::new(Post { inner, clock, deliver, looks: AtomicUsize::new(0), began: Mutex::default() })
    }

    fn mailbox(&self, aecm: aecm::Aecm, address: &Address) -> Mailbox {
        aecm.mailbox(address.as_str()).unwrap()
    }

    pub fn origin(&self) -> String {
        self.world.service.directory_url().strip_suffix("/acme/directory").unwrap().to_owned()
    }

    /// Every certificate that the service issued for the mailbox.
    pub async fn issued(&self, address: &Address) -> Vec<Found> {
        self.world.service.certificate_directory().certificates(address).await.unwrap()
    }

    /// Plays all; says at the end which went wrong.
    pub async fn play(&self, scenes: Vec<Scene>) {
        let count = scenes.len();
        let mut wrong = Vec::new();
        let talkative = std::env::var_os("AECM_SCENES").is_some();
        for scene in scenes {
            let name = scene.name.clone();
            let began = std::time::Instant::now();
            let outcome = match tokio::time::timeout(PATIENCE, self.scene(scene)).await {
                Ok(outcome) => outcome,
                Err(_) => Err("hangs".to_owned()),
            };
            match outcome {
                Ok(said) if talkative => println!("{name}: {said} [{:?}]", began.elapsed()),
                Ok(_) => {}
                Err(why) => wrong.push(format!("{name}: {why}")),
            }
        }
        assert!(wrong.is_empty(), "{} of {count} scenes:\n{}", wrong.len(), wrong.join("\n"));
    }

    /// What the call said.
    pub async fn scene(&self, scene: Scene) -> Result<String, String> {
        let folder = Folder::new();
        let address = self.world.address("alice");
        let vault = Vault::create(&folder.0, "secret", Arc::new(OsRng), VaultOptions::weak()).unwrap();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let http = self.scripted(scene.rules, scene.interlude, seen.clone());
        let jump = seen.lock().unwrap().jump.clone();
        let mut builder = self
            .builder(Arc::new(vault))
            .http(http)
            .clock(Arc::new(Skewed { clock: self.clock.clone(), jump }))
            .mail(self.post(scene.deliver));
        if let Some(submission) = scene.submission {
            builder = builder.submission(submission);
        }
        let began = self.clock.now();
        let alice = self.mailbox(builder.build().unwrap(), &address);
        let outcome = alice.provision(scene.plan.clone()).await;
        drop(alice);
        let took = self.clock.now().since(began).as_secs();

        let mut tokens = seen.lock().unwrap().tokens.clone();
        let mails = self.world.service.mail_source().mails(&address, Time::from_unix(0)).await.unwrap();
        tokens.extend(mails.iter().map(|mail| token(&String::from_utf8_lossy(&mail.raw))));
        let said = judge(&scene.expect, &outcome, scene.plan.len(), &tokens)?;
        ensure(took <= scene.within, || format!("took {took} s; {said}"))?;
        {
            let seen = seen.lock().unwrap();
            ensure(seen.strayed.is_empty(), || format!("asked {:?}", seen.strayed))?;
            scene.after.iter().try_for_each(|check| check(&seen))?;
        }
        // Also where the key was said to be elsewhere: asked again, the service knows of none, and the slot is filled.
        let after = self.aftermath(&folder, &address, &scene.plan, (scene.costs, scene.tombstones)).await;
        after.map_err(|why| format!("afterwards: {why} (the call said: {said})"))?;
        Ok(format!("{took} s, {said}"))
    }

    /// The vault is opened anew and the service behaves.
    async fn aftermath(
        &self,
        folder: &Folder,
        address: &Address,
        plan: &Plan,
        (costs, tombstones): (usize, usize),
    ) -> Result<(), String> {
        let store = folder.open()?;
        let failed = |what: &str, error: &dyn core::fmt::Display| format!("{what}: {error}");
        let before = store.entries(address).await.map_err(|error| failed("entries", &error))?;
        let removed = |entries: &[aecm::store::Entry]| {
            entries.iter().filter(|entry| entry.state == EntryState::Removed).count()
        };
        let aside = removed(&before);
        ensure(aside == tombstones, || format!("{aside} keys are put aside, not {tombstones}"))?;
        for entry in before.iter().filter(|entry| entry.state != EntryState::Removed) {
            let live = matches!(entry.state, EntryState::Pending | EntryState::Active);
            ensure(live && entry.former.is_empty(), || format!("an entry is {:?}", entry.state))?;
        }
        let alice = self.mailbox(self.builder(store.clone()).build().unwrap(), address);
        let report = alice.provision(plan.clone()).await.map_err(|error| failed("provision", &error))?;
        ensure(report.is_complete(), || "the plan is not complete".to_owned())?;

        // One active key a slot, all different, none lost and none left over.
        let entries = store.entries(address).await.map_err(|error| failed("entries", &error))?;
        let active = entries.iter().filter(|entry| entry.state == EntryState::Active);
        let slots: BTreeSet<_> = active.map(|entry| format!("{:?}", entry.slot)).collect();
        let live = entries.len() - removed(&entries);
        ensure(slots.len() == plan.len() && live == plan.len(), || format!("entries {entries:?}"))?;
        ensure(removed(&entries) == tombstones, || format!("entries {entries:?}"))?;
        let keys: BTreeSet<_> = entries.iter().map(|entry| entry.public_key.spki_der()).collect();
        ensure(keys.len() == entries.len(), || "a key is in two slots".to_owned())?;
        for entry in before {
            let kept = entries.iter().any(|now| now.id == entry.id && now.public_key == entry.public_key);
            ensure(kept, || format!("the key {:?} is lost", entry.slot))?;
        }
        let issued = self.issued(address).await;
        let wanted = plan.len() + costs;
        ensure(issued.len() == wanted, || format!("{} certificates, not {wanted}", issued.len()))?;
        for found in issued.into_iter().filter(|found| !signs(&found.certificate)) {
            self.opens(&alice, found).await?;
        }
        let again = alice.provision(plan.clone()).await.map_err(|error| failed("once more", &error))?;
        ensure(again.issued() == 0, || "issued once more".to_owned())
    }

    /// Bob writes to that certificate, and Alice reads.
    async fn opens(&self, alice: &Mailbox, found: Found) -> Result<(), String> {
        let failed = |what: &str, error: Error| format!("{what}: {error}");
        let suite = found.certificate.public_key().unwrap().suite();
        let directory = Arc::new(Only(found));
        let aecm = self.builder(self.letters.clone()).directory(directory).build().unwrap();
        let bob = self.mailbox(aecm, &self.bob);
        let raw = letter(self.bob.as_str(), alice.address().as_str());
        let sent = bob.compose(&raw).to([alice.address().as_str()]).suite(suite).encrypt().await;
        let sent = sent.map_err(|error| failed("nobody can write to her", error))?;
        let opened = alice.open(&sent.mail).await.map_err(|error| failed("she cannot read", error))?;
        let content = opened.content.unwrap_or_default();
        ensure(contains(&content, b"the seal is red"), || "she reads something else".to_owned())
    }
}

fn signs(certificate: &Certificate) -> bool {
    certificate.key_usage().is_some_and(|usage| usage.contains(KeyUsage::DIGITAL_SIGNATURE))
}

fn judge(
    expect: &Expect,
    outcome: &Result<aecm::Provisioned, Error>,
    slots: usize,
    tokens: &[String],
) -> Result<String, String> {
    match (expect, outcome) {
        (Expect::Success, Ok(report)) => {
            ensure(report.is_complete() && report.issued() == slots, || "not complete".to_owned())?;
            Ok("success".to_owned())
        }
        (Expect::Waiting, Ok(report)) => {
            let waits = |slot: &aecm::SlotReport| slot.state == aecm::SlotState::WaitingForTransfer;
            ensure(report.slots.iter().any(waits), || "no slot waits".to_owned())?;
            Ok("waiting".to_owned())
        }
        (Expect::Success | Expect::Waiting, Err(error)) => {
            Err(format!("no success but: {error} ({error:?})"))
        }
        (Expect::Fails { kind, .. }, Ok(_)) => Err(format!("success, not {kind}")),
        (Expect::Fails { kind, fits, words }, Err(error)) => {
            let said = error.to_string();
            ensure(fits(error), || format!("not {kind} but {error:?}"))?;
            for word in *words {
                ensure(said.contains(word), || format!("{said:?} does not say {word:?}"))?;
            }
            understandable(&said, tokens)?;
            Ok(said)
        }
    }
}

pub fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}
