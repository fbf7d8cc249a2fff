//! `aecm compose FILE.eml`: from a plain mail to one that is signed, timestamped and encrypted for its readers.

mod plan;

use std::path::PathBuf;
use std::sync::Arc;

use aecm::core::directory::CertificateDirectory;
use aecm::core::mailbox::Mailbox as Address;
use aecm::core::suite::Suite;
use aecm::smime::cms::Form;
use aecm::store::KeyStore;
use clap::{Args, ValueEnum};
use zeroize::Zeroizing;

use crate::cli::args::{LimitArgs, OutArgs};
use crate::cli::online::desk::Desk;
use crate::cli::online::keyfolder::StoreArgs;
use crate::cli::online::mailboxes;
use crate::cli::online::people::People;
use crate::cli::online::settings::Settings;
use crate::cli::online::stop::{Done, settle};
use crate::cli::online::world::http;
use crate::cli::{Failure, Io, Outcome, input, runtime};

/// Signs, timestamps and encrypts a mail of a provisioned mailbox, with what all its readers can use.
///
/// The mailbox is the mail's From. Everybody in To and Cc has to be named with --to. Certificates of the readers
/// come from --recipient-cert, else from the service. A mail goes out without a timestamp when none is to be had in
/// time; the plan says so.
#[derive(Args)]
pub(in crate::cli) struct ComposeCommand {
    /// The mail, header and body
    #[arg(value_name = "FILE.eml")]
    file: PathBuf,
    #[command(flatten)]
    store: StoreArgs,
    /// Who is to read it
    #[arg(long, value_name = "ADDR", num_args = 1.., required = true)]
    to: Vec<Address>,
    /// Which algorithms: what everybody can, or one suite whatever they can
    #[arg(long, value_enum, default_value_t, value_name = "SUITE")]
    suite: Wanted,
    /// Sign and timestamp only
    #[arg(long)]
    no_encrypt: bool,
    /// The wire form
    #[arg(long, value_enum, default_value_t, value_name = "FORM")]
    form: WireForm,
    /// Add a stamp of the mailbox's own timestamping key, which is shown as self-asserted
    #[arg(long)]
    own_timestamp: bool,
    /// A reader's certificate, with its issuers behind it; may be given several times
    #[arg(long, value_name = "F")]
    recipient_cert: Vec<PathBuf>,
    #[command(flatten)]
    out: OutArgs,
    #[command(flatten)]
    limits: LimitArgs,
}

/// `--suite`
#[derive(Clone, Copy, Default, ValueEnum)]
enum Wanted {
    /// SM2 where everybody reads it, else the classic algorithms
    #[default]
    Auto,
    Sm2,
    Classic,
}

/// `--form`
#[derive(Clone, Copy, Default, ValueEnum)]
enum WireForm {
    #[default]
    Rfc5652,
    Gbt35275,
}

impl ComposeCommand {
    pub(in crate::cli) fn run(self, io: &mut Io) -> Result<Outcome, Failure> {
        let raw = input::read(&self.file, &self.limits.get(), io)?;
        let store = match self.store.open(io) {
            Ok(store) => store,
            Err(stop) => return Ok(settle(Err(stop))),
        };
        Ok(settle(runtime::block_on(self.compose(&raw, store, io))?))
    }

    async fn compose(self, raw: &[u8], store: Arc<dyn KeyStore>, io: &mut Io) -> Done<Outcome> {
        let author = mailboxes::author(raw, store.as_ref(), &self.limits.get()).await?;
        let settings = Settings::known(store.as_ref(), &author).await?;
        let http = http(&settings.tls_ca)?;
        let people = Arc::new(People::new(&self.recipient_cert, &settings, &http, io)?);
        let directory: Option<Arc<dyn CertificateDirectory>> = Some(people.clone());
        let Desk { mailbox, .. } = Desk::of(&store, &author, settings, None, directory, io)?;

        let mut readers: Vec<&Address> = Vec::new();
        for address in &self.to {
            if !readers.iter().any(|reader| reader.matches(address)) {
                readers.push(address);
            }
        }
        let mut mail = mailbox.compose(raw).to(readers.iter().map(ToString::to_string)).sign().timestamp();
        if !self.no_encrypt {
            mail = mail.encrypt();
        }
        if self.own_timestamp {
            mail = mail.own_timestamp();
        }
        mail = match self.suite {
            Wanted::Auto => mail,
            Wanted::Sm2 => mail.suite(Suite::Sm2),
            Wanted::Classic => mail.suite(Suite::Classic),
        };
        mail = mail.form(match self.form {
            WireForm::Rfc5652 => Form::Rfc5652,
            WireForm::Gbt35275 => Form::Gbt35275,
        });
        let composed = mail.await?;
        let told = plan::tell(&composed, &author, &people);
        let outcome = told
            .members
            .into_iter()
            .fold(Outcome::of("valid"), |outcome, (name, value)| outcome.with(name, value));
        let outcome = outcome.because(told.reasons);
        Ok(outcome.saying(told.text).giving(Zeroizing::new(composed.mail), self.out.out))
    }
}
