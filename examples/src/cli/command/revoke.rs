//! `aecm revoke`: takes certificates back.

use std::path::PathBuf;
use std::sync::Arc;

use aecm::acme::client::Revoked;
use aecm::acme::wire::RevocationReason;
use aecm::core::limits::Limits;
use aecm::store::{DeviceId, KeyStore};
use aecm::{Revocation, RevokeTarget};
use aecm_core::certificate::Certificate;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::cli::online::desk::Desk;
use crate::cli::online::keyfolder::StoreArgs;
use crate::cli::online::mailboxes::MailboxArg;
use crate::cli::online::slots;
use crate::cli::online::stop::{Done, settle};
use crate::cli::show::hex;
use crate::cli::{Failure, Io, Outcome, certificates, runtime};

/// Revokes certificates. The keys stay in the vault: an encrypting key still opens old mail. The next provisioning
/// fills the empty slots with new keys.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["slot", "device", "certificate"]))]
pub(in crate::cli) struct Revoke {
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    mailbox: MailboxArg,
    /// The certificates of the key in use of this slot, as sm2-sign-mv
    #[arg(long, value_name = "S")]
    slot: Option<String>,
    /// All signing and timestamping certificates of a device of the owner (lost, sold, stolen)
    #[arg(long, value_name = "D")]
    device: Option<DeviceId>,
    /// This certificate of the mailbox, whoever obtained it
    #[arg(long, value_name = "F")]
    certificate: Option<PathBuf>,
    /// Why
    #[arg(long, value_enum, default_value_t, value_name = "REASON")]
    reason: Why,
}

/// `--reason` (RFC 5280 §5.3.1)
#[derive(Clone, Copy, Default, ValueEnum)]
enum Why {
    #[default]
    Unspecified,
    /// Somebody else may have the key
    KeyCompromise,
    /// The mailbox changed hands
    AffiliationChanged,
    /// There is a newer certificate
    Superseded,
    /// The mailbox is no longer used
    CessationOfOperation,
}

impl Revoke {
    pub(in crate::cli) fn run(self, io: &mut Io) -> Result<Outcome, Failure> {
        let named = match &self.certificate {
            Some(path) => Some(certificates::leaf(path, &Limits::default(), io)?),
            None => None,
        };
        let store = match self.store.open(io) {
            Ok(store) => store,
            Err(stop) => return Ok(settle(Err(stop))),
        };
        Ok(settle(runtime::block_on(self.revoke(named, store, io))?))
    }

    async fn revoke(self, named: Option<Certificate>, store: Arc<dyn KeyStore>, io: &Io) -> Done<Outcome> {
        let address = self.mailbox.one(store.as_ref()).await?;
        let Desk { mailbox, .. } = Desk::open(&store, &address, false, io).await?;
        let reason = match self.reason {
            Why::Unspecified => RevocationReason::Unspecified,
            Why::KeyCompromise => RevocationReason::KeyCompromise,
            Why::AffiliationChanged => RevocationReason::AffiliationChanged,
            Why::Superseded => RevocationReason::Superseded,
            Why::CessationOfOperation => RevocationReason::CessationOfOperation,
        };
        let (revoked, unattributed) = if let Some(device) = &self.device {
            let done = mailbox.revoke_device(device, reason).await?;
            (done.revoked, done.unattributed)
        } else {
            let target = match (named, &self.slot) {
                (Some(certificate), _) => RevokeTarget::from(certificate),
                (None, slot) => {
                    let device = store.device().await?;
                    slots::parse(slot.as_deref().unwrap_or_default(), &device)?.into()
                }
            };
            (mailbox.revoke(target, reason).await?, Vec::new())
        };
        let all = mailbox.slots().await?;
        let mut text = String::new();
        for one in &revoked {
            text.push_str(&format!("{}: revoked {}\n", hex(one.certificate.serial()), when(one)));
        }
        for one in &unattributed {
            text.push_str(&format!("{}: of an unknown device, left as it is\n", hex(one.serial())));
        }
        text.push_str(&slots::to_text(&all));
        Ok(Outcome::of("valid")
            .with("mailbox", address.to_string())
            .with("revoked", revoked.iter().map(revocation).collect::<Vec<_>>())
            .with("unattributed", unattributed.iter().map(identified).collect::<Vec<_>>())
            .with("slots", slots::to_json(&all))
            .saying(text))
    }
}

fn revocation(one: &Revocation) -> Value {
    let mut page = identified(&one.certificate);
    if let Some(page) = page.as_object_mut() {
        page.insert("outcome".to_owned(), when(one).into());
    }
    page
}

fn identified(certificate: &Certificate) -> Value {
    json!({ "serial": hex(certificate.serial()), "sha256": hex(&certificate.sha256()) })
}

const fn when(one: &Revocation) -> &'static str {
    match one.outcome {
        Revoked::Now => "now",
        Revoked::Before => "before",
    }
}
