//! A mailbox of a vault, ready to be worked with.

use std::sync::Arc;

use aecm::Mailbox;
use aecm::acme::mail::MailSource;
use aecm::acme::mail::maildir::MaildirSource;
use aecm::core::directory::CertificateDirectory;
use aecm::core::embed::{Http, TxtResolver};
use aecm::core::mailbox::Mailbox as Address;
use aecm::store::KeyStore;

use super::dns::Zone;
use super::settings::Settings;
use super::stop::{Done, Stop};
use super::world::{Parts, builder, http};
use crate::cli::Io;

/// A mailbox of a vault with what the vault remembers of it.
pub(in crate::cli) struct Desk {
    pub(in crate::cli) mailbox: Mailbox,
    pub(in crate::cli) settings: Settings,
    pub(in crate::cli) http: Arc<dyn Http>,
}

impl Desk {
    /// For a mailbox that was provisioned. `reads_mail`: a challenge mail will
    /// have to be read; without it one is read where that can be done.
    pub(in crate::cli) async fn open(
        store: &Arc<dyn KeyStore>,
        address: &Address,
        reads_mail: bool,
        io: &Io,
    ) -> Done<Self> {
        let settings = Settings::known(store.as_ref(), address).await?;
        // The service may want the mailbox proven anew in any case; that is seen where it is wanted.
        let mail = if reads_mail { Some(source(&settings)?) } else { source(&settings).ok() };
        Self::of(store, address, settings, mail, None, io)
    }

    /// With everything given.
    pub(in crate::cli) fn of(
        store: &Arc<dyn KeyStore>,
        address: &Address,
        settings: Settings,
        mail: Option<(Arc<dyn MailSource>, Arc<dyn TxtResolver>)>,
        directory: Option<Arc<dyn CertificateDirectory>>,
        io: &Io,
    ) -> Done<Self> {
        let http = http(&settings.tls_ca)?;
        // Whoever was provisioned has agreed; what is new is asked for at the account.
        let parts =
            Parts { store: Arc::clone(store), http: Arc::clone(&http), mail, directory, agreed: true };
        let mailbox = builder(&settings, parts, io)?.build()?.mailbox(address.as_str())?;
        Ok(Self { mailbox, settings, http })
    }
}

/// Where challenge mails come in, and the keys of those who send them.
pub(in crate::cli) fn source(settings: &Settings) -> Done<(Arc<dyn MailSource>, Arc<dyn TxtResolver>)> {
    let folder = &settings.maildir;
    for part in ["new", "cur"] {
        if !folder.join(part).is_dir() {
            let message = format!("{} is no Maildir: it has no folder {part}", folder.display());
            return Err(Stop::error("no-maildir", message));
        }
    }
    let zone = Zone::parse(&settings.dkim_dns)
        .map_err(|why| Stop::error("malformed", format!("the DNS of --dkim-dns: {why}")))?;
    Ok((Arc::new(MaildirSource::new(folder)), zone.resolver()))
}
