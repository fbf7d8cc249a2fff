//! Opening mail with what a vault holds: every encrypting key its mailboxes have or had, and whom they believe.

use std::path::PathBuf;
use std::sync::Arc;

use aecm::Trust;
use aecm::core::mailbox::Mailbox;
use aecm::core::path::Anchors;
use aecm::core::suite::Purpose;
use aecm::smime::decrypt::Recipient;
use aecm::store::{EntryState, KeyStore, StoreError};
use aecm::timestamp::Verifier;
use clap::Args;

use super::keyfolder::StoreArgs;
use super::mailboxes::MailboxArg;
use super::settings::Settings;
use super::stop::{Done, Stop};
use crate::cli::verifying::Judge;
use crate::cli::{Io, runtime};

/// `--store` where files will do as well.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Keys")]
pub(in crate::cli) struct VaultArgs {
    /// Open with the keys of this vault, and believe whom it believes
    #[arg(long = "store", value_name = "DIR", conflicts_with_all = ["key", "cert"])]
    folder: Option<PathBuf>,
    /// A file whose first line is the vault's password; asked for where it is missing
    #[arg(long, value_name = "F", requires = "folder")]
    store_password_file: Option<PathBuf>,
    #[command(flatten)]
    mailbox: MailboxArg,
}

/// What a vault holds for opening mail.
pub(in crate::cli) struct Holdings {
    pub(in crate::cli) recipients: Vec<Recipient>,
    /// Why a key could not be loaded: a damaged record must not stop mail that other keys open.
    pub(in crate::cli) damaged: Option<StoreError>,
    trust: Trust,
}

impl VaultArgs {
    /// What the vault holds; nothing where none is named.
    pub(in crate::cli) fn read(&self, io: &mut Io) -> Done<Option<Holdings>> {
        let Some(folder) = self.folder.clone() else { return Ok(None) };
        let store = StoreArgs::new(folder, self.store_password_file.clone()).open(io)?;
        runtime::block_on(self.hold(store.as_ref()))?.map(Some)
    }

    async fn hold(&self, store: &dyn KeyStore) -> Done<Holdings> {
        let mut held = Holdings {
            recipients: Vec::new(),
            damaged: None,
            trust: Trust::new(Vec::new(), Vec::new(), Vec::new()),
        };
        for mailbox in self.mailbox.several(store).await? {
            let trust = Settings::known(store, &mailbox).await?.anchors.trust()?;
            held.believe(&trust);
            held.take(store, &mailbox).await?;
        }
        Ok(held)
    }
}

impl Holdings {
    async fn take(&mut self, store: &dyn KeyStore, mailbox: &Mailbox) -> Done<()> {
        for entry in store.entries(mailbox).await? {
            let certificates: Vec<_> = entry.certificate.into_iter().chain(entry.former).collect();
            let usable = entry.slot.purpose == Purpose::Encrypt && entry.state != EntryState::Removed;
            if !usable || certificates.is_empty() {
                continue;
            }
            match store.decryptor(mailbox, &entry.id).await {
                Ok(key) => self.recipients.extend(
                    certificates
                        .into_iter()
                        .map(|certificate| Recipient { certificate, key: Arc::clone(&key) }),
                ),
                Err(error) => self.damaged = Some(error),
            }
        }
        Ok(())
    }

    fn believe(&mut self, trust: &Trust) {
        let both = |one: &Anchors, other: &Anchors| {
            let mut all = one.certificates().to_vec();
            for anchor in other.certificates() {
                if !all.contains(anchor) {
                    all.push(anchor.clone());
                }
            }
            Anchors::new(all)
        };
        self.trust.smime = both(&self.trust.smime, &trust.smime);
        self.trust.tsa = both(&self.trust.tsa, &trust.tsa);
        self.trust.mailbox_timestamp = both(&self.trust.mailbox_timestamp, &trust.mailbox_timestamp);
    }

    /// Judges by the vault's anchors, where the call names none of its own.
    pub(in crate::cli) fn instruct(&self, judge: &mut Judge, own_trust: bool, own_tsa: bool) {
        if !own_trust {
            judge.anchors = self.trust.smime.clone();
        }
        if !own_tsa {
            // All else as it was asked for: what is revoked, what is too weak, the time to judge at.
            let mut times = judge.timestamps.policy().clone();
            times.tsa_anchors = self.trust.tsa.clone();
            times.mailbox_anchors = self.trust.mailbox_timestamp.clone();
            judge.timestamps = Verifier::new(times);
        }
    }

    /// The failure to tell: perhaps the mail was for the key that could not be loaded.
    pub(in crate::cli) fn instead(&mut self) -> Option<Stop> {
        self.damaged.take().map(Stop::from)
    }
}

#[cfg(test)]
mod tests {
    use aecm::core::certificate::Certificate;
    use aecm::core::path::{PolicySettings, Revocation};
    use aecm::core::time::Time;
    use aecm::smime::verify::Policy;
    use aecm::timestamp::TimestampPolicy;

    use super::*;

    #[test]
    fn anchors_of_a_vault_leave_all_other_rules_about_time() {
        let anchor = |pem| Certificate::from_pem(pem).unwrap();
        let [tsa, own, other] = [
            anchor(include_str!("../../../../aecm-timestamp/tests/vectors/keys/rsa-ca.crt")),
            anchor(include_str!("../../../../aecm-timestamp/tests/vectors/keys/sm2-ca.crt")),
            anchor(include_str!("../../../../aecm-timestamp/tests/vectors/keys/p256-ca.crt")),
        ];
        let trust = Trust::new(Vec::new(), vec![tsa.clone()], vec![own.clone()]);
        let holdings = Holdings { recipients: Vec::new(), damaged: None, trust };
        let mut asked = TimestampPolicy::new(Anchors::new(vec![other.clone()]));
        asked.now = Some(Time::from_unix(1_795_420_800));
        asked.sha1 = true;
        asked.rsa_bits_min = 1_024;
        asked.revocation.required = true;
        asked.limits.signature_checks = 3;
        let mut judge = Judge {
            anchors: Anchors::default(),
            intermediates: Vec::new(),
            policy: Policy::modern(),
            at: None,
            asked: None,
            timestamps: Verifier::new(asked.clone()),
            policies: PolicySettings::default(),
            revocation: Revocation::default(),
        };
        holdings.instruct(&mut judge, true, true);
        assert_eq!(judge.timestamps.policy().tsa_anchors.certificates(), [other]);
        holdings.instruct(&mut judge, true, false);
        let found = judge.timestamps.policy();
        assert_eq!(found.tsa_anchors.certificates(), [tsa]);
        assert_eq!(found.mailbox_anchors.certificates(), [own]);
        assert!(found.revocation.required && found.sha1);
        assert_eq!((found.rsa_bits_min, found.limits.signature_checks), (1_024, 3));
        assert_eq!(found.now, asked.now);
    }
}
