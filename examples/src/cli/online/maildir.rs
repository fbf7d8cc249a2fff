//! Reading a Maildir that holds the mail of several mailboxes.

use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use aecm::acme::mail::{Mail, MailError, MailSource};
use aecm::core::mailbox::Mailbox;
use aecm::core::time::Time;
use async_trait::async_trait;

/// The largest mail read, in octets: challenge mails are small.
const MAX_MAIL: u64 = 1 << 20;

pub(in crate::cli) struct Maildir(PathBuf);

impl Maildir {
    pub(in crate::cli) fn new(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    fn read(&self, since: Time) -> std::io::Result<Vec<Mail>> {
        let mut mails = Vec::new();
        for part in ["new", "cur"] {
            for file in std::fs::read_dir(self.0.join(part))? {
                let file = file?;
                let about = file.metadata()?;
                let age = about.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
                let received = Time::from_unix(i64::try_from(age.as_secs()).unwrap_or(i64::MAX));
                if !about.is_file() || about.len() > MAX_MAIL || received < since {
                    continue;
                }
                let name = file.file_name().to_string_lossy().into_owned();
                // Flags after the colon change; the name before it does not.
                let id = name.split(':').next().unwrap_or_default().to_owned();
                mails.push(Mail { id, received, raw: std::fs::read(file.path())? });
            }
        }
        mails.sort_by(|one, other| (one.received, &one.id).cmp(&(other.received, &other.id)));
        Ok(mails)
    }
}

#[async_trait]
impl MailSource for Maildir {
    async fn mails(&self, _mailbox: &Mailbox, since: Time) -> Result<Vec<Mail>, MailError> {
        let folder = self.0.display();
        self.read(since).map_err(|error| MailError::Transport(format!("{folder}: {error}")))
    }

    async fn wait(&self, _mailbox: &Mailbox, at_most: Duration) -> bool {
        tokio::time::sleep(at_most.min(Duration::from_millis(200))).await;
        true
    }
}
