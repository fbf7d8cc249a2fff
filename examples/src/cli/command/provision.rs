//! `aecm provision MAILBOX`: the certificates of a mailbox, with nobody copying codes.

mod anchors;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aecm::core::mailbox::Mailbox as Address;
use aecm::core::suite::Level;
use aecm::{ClassicKeys, Event, Plan};
use aecm_core::limits::Limits;
use clap::{Args, ValueEnum};
use serde::Deserialize;

use crate::cli::online::desk::source;
use crate::cli::online::keyfolder::StoreArgs;
use crate::cli::online::progress::Teller;
use crate::cli::online::settings::Settings;
use crate::cli::online::stop::{Done, Stop, settle};
use crate::cli::online::time::duration;
use crate::cli::online::world::{Parts, builder, http};
use crate::cli::online::{conflicts, discover, slots, waits};
use crate::cli::password::first_line;
use crate::cli::{Failure, Io, Outcome, input, runtime};
use anchors::AnchorArgs;

/// Obtains the certificates of a mailbox: signing, encrypting and timestamping, in both suites.
///
/// It reads the challenge mail itself, verifies its DKIM signature, and proves control of the mailbox with it. A
/// call that was interrupted at any point is simply made again; when everything is in place nothing is asked for.
/// Whom to believe about the certificates is taken from the service at first use and pinned in the vault, unless
/// --trust says it.
#[derive(Args)]
pub(in crate::cli) struct Provision {
    /// The mail address
    #[arg(value_name = "MAILBOX")]
    mailbox: Address,
    /// What `aecm serve --ready` wrote, instead of --directory, --tls-ca and --dkim-dns
    #[arg(long, value_name = "F", conflicts_with_all = ["directory", "tls_ca", "dkim_dns"])]
    service: Option<PathBuf>,
    /// URL of the ACME directory; remembered
    #[arg(long, value_name = "URL")]
    directory: Option<String>,
    /// The CA of the service's TLS certificate, PEM; remembered
    #[arg(long, value_name = "F")]
    tls_ca: Option<PathBuf>,
    /// The Maildir in which the mailbox's mail arrives, alone or among others; remembered
    #[arg(long, value_name = "DIR")]
    maildir: Option<PathBuf>,
    /// The DNS for the DKIM keys, JSON: name → TXT record, or a list of them; remembered
    #[arg(long, value_name = "F")]
    dkim_dns: Option<PathBuf>,
    #[command(flatten)]
    store: StoreArgs,
    /// Agree to the terms of service
    #[arg(long)]
    agree_tos: bool,
    /// Which suites
    #[arg(long, value_enum, default_value_t, value_name = "PLAN")]
    plan: Suites,
    /// Which keys in the classic suite
    #[arg(long, value_enum, default_value_t, value_name = "KEYS")]
    classic: Classic,
    /// How long it may take (90s, 15m, 2h); a later call goes on
    #[arg(long, value_name = "TIME", default_value = "30m", value_parser = duration)]
    timeout: Duration,
    /// How well the holder of the signing certificates is checked; those above mv need --eab-kid
    #[arg(long, value_name = "mv|iv|ov|sv,…", value_delimiter = ',', value_parser = level)]
    level: Vec<LevelWord>,
    /// The name of the key that binds the account to a customer of the CA
    #[arg(long, value_name = "KID", requires = "eab_key_file")]
    eab_kid: Option<String>,
    /// A file whose first line is that key, base64url
    #[arg(long, value_name = "F", requires = "eab_kid")]
    eab_key_file: Option<PathBuf>,
    /// Where another device holds the encrypting keys: how long to wait for its owner to hand them over
    #[arg(long, value_name = "TIME", num_args = 0..=1, default_missing_value = "30m", value_parser = duration)]
    wait_for_transfer: Option<Duration>,
    #[command(flatten)]
    anchors: AnchorArgs,
}

/// `--plan`
#[derive(Clone, Copy, Default, ValueEnum)]
enum Suites {
    /// Both: six certificates
    #[default]
    Dual,
    /// RSA or ECC: three
    Classic,
    /// SM2: three
    Sm2,
}

/// `--classic`
#[derive(Clone, Copy, Default, ValueEnum)]
enum Classic {
    /// RSA of 3,072 bits
    #[default]
    Rsa,
    /// P-256 for signing and timestamping, RSA for encrypting
    Ecc,
}

/// `--level`
#[derive(Clone, Copy)]
struct LevelWord(Level);

fn level(text: &str) -> Result<LevelWord, String> {
    Level::from_word(text).map(LevelWord).ok_or_else(|| "mv, iv, ov and sv are known".to_owned())
}

/// Where the service is, as far as the options say it.
struct Given {
    directory: Option<String>,
    tls_ca: Option<String>,
    dkim_dns: Option<String>,
}

/// What `aecm serve --ready` writes, as far as it is wanted here.
#[derive(Deserialize)]
struct Page {
    directory: String,
    tls_ca: String,
    dkim: serde_json::Map<String, serde_json::Value>,
}

impl Provision {
    pub(in crate::cli) fn run(self, io: &mut Io) -> Result<Outcome, Failure> {
        let checked = if self.store.exists() { self.store.check() } else { Ok(()) };
        let password = match checked.and_then(|()| self.store.password(io)) {
            Ok(password) => password,
            Err(stop) => return Ok(settle(Err(stop))),
        };
        Ok(settle(runtime::block_on(self.provision(&password, io))?))
    }

    async fn provision(self, password: &str, io: &mut Io) -> Done<Outcome> {
        let teller = Teller::new(io);
        // What is wrong with the options is told before anything is made.
        let known = match self.store.exists() {
            true => Some(self.store.open_with(password, io)?),
            false => None,
        };
        let remembered = match &known {
            Some(store) => Settings::load(store.as_ref(), &self.mailbox).await?,
            None => None,
        };
        let mut settings = self.settings(remembered.as_ref(), io)?;
        let mail = source(&settings)?;
        let given = self.anchors.read(io)?;
        let http = http(&settings.tls_ca)?;
        teller.say(&format!("asking {}", settings.directory));
        let discovered = discover::discover(Arc::clone(&http), &settings.directory).await?;
        let from = anchors::settle(&mut settings, remembered.as_ref(), given, &discovered)?;
        teller.say(from.sentence());
        self.agree(&mut settings, discovered.terms)?;
        settings.timestamp = discovered.timestamp;
        settings.certificates = discovered.certificates;

        let store = match known {
            Some(store) => store,
            None => self.store.create_with(password, io)?,
        };
        if remembered.as_ref() != Some(&settings) {
            settings.save(store.as_ref(), &self.mailbox).await?;
        }
        let parts =
            Parts { store, http, mail: Some(mail), directory: None, agreed: settings.agreed.is_some() };
        let outcome = self.obtain(&settings, parts, &teller, io).await;
        outcome.map(|outcome| outcome.with("anchors", from.word()))
    }

    /// Nothing is made, and nobody asked for anything, without the user's word on the terms of service.
    fn agree(&self, settings: &mut Settings, terms: Option<String>) -> Done<()> {
        match terms {
            Some(terms) if !self.agree_tos && settings.agreed.as_ref() != Some(&terms) => {
                let message = format!(
                    "the terms of service at {terms} were not agreed to: read them, and give --agree-tos"
                );
                Err(Stop::error("terms-not-agreed", message).with("terms", terms).with("step", "consent"))
            }
            // A service without terms has nothing to agree to; its account is opened with the option's word.
            None if !self.agree_tos => Ok(()),
            terms => {
                settings.agreed = Some(terms.unwrap_or_default());
                Ok(())
            }
        }
    }

    /// What the vault remembered, and what the options say now.
    fn settings(&self, remembered: Option<&Settings>, io: &mut Io) -> Done<Settings> {
        let Given { directory, tls_ca, dkim_dns } = self.given(io)?;
        let maildir = self.maildir.as_ref();
        let maildir = maildir.map(|path| std::path::absolute(path).unwrap_or_else(|_| path.clone()));
        let missing = |option: &str| {
            let message = format!("{option} is wanted: the vault does not know {} yet", self.mailbox);
            Stop::error("option-missing", message)
        };
        let Some(remembered) = remembered else {
            return Ok(Settings::new(
                directory.ok_or_else(|| missing("--directory"))?,
                tls_ca.ok_or_else(|| missing("--tls-ca"))?,
                maildir.ok_or_else(|| missing("--maildir"))?,
                dkim_dns.ok_or_else(|| missing("--dkim-dns"))?,
            ));
        };
        if let Some(other) = directory.filter(|directory| *directory != remembered.directory) {
            let message = format!(
                "the vault has {} at {}, not at {other}: use another --store for another service",
                self.mailbox, remembered.directory
            );
            return Err(Stop::error("other-service", message));
        }
        let mut settings = remembered.clone();
        settings.tls_ca = tls_ca.unwrap_or(settings.tls_ca);
        settings.maildir = maildir.unwrap_or(settings.maildir);
        settings.dkim_dns = dkim_dns.unwrap_or(settings.dkim_dns);
        Ok(settings)
    }

    /// What the options say.
    fn given(&self, io: &mut Io) -> Done<Given> {
        let limits = Limits::default();
        let mut text = |path: &Option<PathBuf>| -> Done<Option<String>> {
            let text = path.as_ref().map(|path| input::read_text(path, &limits, io)).transpose()?;
            Ok(text.map(|text| text.to_string()))
        };
        if let Some(path) = &self.service {
            let wrong = |why: String| Stop::error("malformed", format!("{}: {why}", path.display()));
            let page = text(&self.service)?.unwrap_or_default();
            let page: Page = serde_json::from_str(&page).map_err(|error| wrong(error.to_string()))?;
            let Page { directory, tls_ca, dkim } = page;
            return Ok(Given {
                directory: Some(directory),
                tls_ca: Some(tls_ca),
                dkim_dns: Some(serde_json::Value::Object(dkim).to_string()),
            });
        }
        Ok(Given {
            directory: self.directory.clone(),
            tls_ca: text(&self.tls_ca)?,
            dkim_dns: text(&self.dkim_dns)?,
        })
    }

    fn plan(&self) -> Plan {
        let plan = match self.plan {
            Suites::Dual => Plan::dual(),
            Suites::Classic => Plan::classic(),
            Suites::Sm2 => Plan::sm2(),
        };
        let classic = match self.classic {
            Classic::Rsa => ClassicKeys::Rsa,
            Classic::Ecc => ClassicKeys::Ecc,
        };
        let levels: Vec<Level> = self.level.iter().map(|level| level.0).collect();
        let plan = if levels.is_empty() { plan } else { plan.signing_levels(&levels) };
        let wait = self.wait_for_transfer.unwrap_or_default();
        plan.classic_keys(classic).within(self.timeout).wait_for_transfer(wait)
    }

    async fn obtain(&self, settings: &Settings, parts: Parts, teller: &Teller, io: &mut Io) -> Done<Outcome> {
        let mut builder = builder(settings, parts, io)?;
        if let (Some(kid), Some(path)) = (&self.eab_kid, &self.eab_key_file) {
            builder = builder.external_account(kid, first_line(path, io)?.trim());
        }
        let mailbox = builder.build()?.mailbox(self.mailbox.as_str())?;
        let told = teller.clone();
        let observer = Arc::new(move |event: Event| told.event(&event));
        let provisioned = teller.during(mailbox.provision_observed(self.plan(), Some(observer))).await;
        let all = mailbox.slots().await?;
        let provisioned = match provisioned {
            Ok(provisioned) => provisioned,
            Err(error) => return Err(Stop::from(error).with("slots", slots::to_json(&all))),
        };
        let all = slots::with(all, &provisioned.slots);
        let mut text = format!("{}\n{}", self.mailbox, slots::to_text(&all));
        let mut outcome = if provisioned.is_complete() {
            Outcome::of("valid")
        } else {
            Outcome::of("partial").because(slots::reasons(&provisioned.slots))
        };
        if let Some(waiting) = &provisioned.waiting {
            text.push_str(&waits::text(waiting));
            outcome = outcome.with("waiting", waits::json(waiting));
        }
        if let Some(conflict) = &provisioned.conflict {
            text.push_str(&conflicts::text(conflict));
            outcome = outcome.with("conflict", conflicts::json(conflict));
        }
        for rekeyed in &provisioned.rekeyed {
            text.push_str(&conflicts::rekeyed_text(rekeyed));
        }
        outcome = outcome.with("rekeyed", conflicts::rekeyed_json(&provisioned.rekeyed));
        Ok(outcome
            .with("mailbox", self.mailbox.to_string())
            .with("directory", settings.directory.as_str())
            .with("slots", slots::to_json(&all))
            .saying(text))
    }
}
