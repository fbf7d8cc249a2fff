//! A Maildir as the place where challenge mails arrive.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use aecm_core::header::{self, Headers, parse_address_list};
use aecm_core::limits::Limits;
use aecm_core::mailbox::Mailbox;
use aecm_core::time::Time;
use async_trait::async_trait;

use super::{Mail, MailError, MailSource};

/// Names that are looked at in one folder.
const MAX_NAMES: usize = 100_000;
/// Files whose header is read at one look, the newest first.
const MAX_HEADERS: usize = 2_000;
/// Mails that are given out at one look.
const MAX_MAILS: usize = 200;

/// Reads challenge mails from a Maildir; nothing in it is moved, renamed or deleted.
///
/// `new` and `cur` are read, what has been delivered last first. A mail goes by its base name (before `:2,`), which
/// stays when a mail program moves or marks it. Only mails that could be challenges are given out: a plain file
/// within the limits whose Subject begins with `ACME:` and whose To names the mailbox or cannot be read; so several
/// mailboxes can share one Maildir. When a mail was received is told by the time of its file.
///
/// Reading blocks the calling task, for some thousand small reads at most; where that matters, look from a thread
/// of its own.
#[derive(Clone, Debug)]
pub struct MaildirSource {
    folder: PathBuf,
    limits: Limits,
}

impl MaildirSource {
    /// The Maildir at `folder`: it holds `new` and `cur`.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), limits: Limits::default() }
    }

    /// Other bounds: [`Limits::message_bytes`], [`Limits::header_bytes`].
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Plain files that were delivered at `since` or later, by base name.
    fn delivered(&self, since: Time) -> Result<Vec<(String, PathBuf, Time)>, MailError> {
        let mut found = BTreeMap::new();
        // A mail that is moved meanwhile is seen in one of the two.
        for part in ["new", "cur"] {
            let folder = self.folder.join(part);
            let entries = fs::read_dir(&folder).map_err(|error| self.failed(&folder, &error))?;
            for entry in entries.take(MAX_NAMES) {
                let entry = entry.map_err(|error| self.failed(&folder, &error))?;
                let name = entry.file_name();
                let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else { continue };
                let id = name.split(':').next().unwrap_or(name).to_owned();
                // Not followed: a link is no mail.
                let Ok(metadata) = entry.metadata() else { continue };
                let received = metadata.modified().ok().and_then(time);
                let small =
                    usize::try_from(metadata.len()).is_ok_and(|size| size <= self.limits.message_bytes);
                if let Some(received) = received.filter(|at| metadata.is_file() && small && *at >= since) {
                    found.entry(id).or_insert((entry.path(), received));
                }
            }
        }
        let mut list: Vec<_> = found.into_iter().map(|(id, (path, received))| (id, path, received)).collect();
        list.sort_by(|(a, _, earlier), (b, _, later)| later.cmp(earlier).then_with(|| a.cmp(b)));
        list.truncate(MAX_HEADERS);
        Ok(list)
    }

    /// The octets of a mail that could be a challenge for `mailbox`.
    fn candidate(&self, path: &Path, mailbox: &Mailbox) -> io::Result<Option<Vec<u8>>> {
        let mut file = File::open(path)?;
        let mut raw = Vec::new();
        // A little more than a header section: what is longer is refused by whoever reads it.
        let beginning = u64::try_from(self.limits.header_bytes).unwrap_or(u64::MAX).saturating_add(4);
        file.by_ref().take(beginning).read_to_end(&mut raw)?;
        if !self.could_be(&raw, mailbox) {
            return Ok(None);
        }
        let limit = self.limits.message_bytes;
        let rest = limit.saturating_sub(raw.len()).saturating_add(1);
        file.take(u64::try_from(rest).unwrap_or(u64::MAX)).read_to_end(&mut raw)?;
        Ok((raw.len() <= limit).then_some(raw))
    }

    fn could_be(&self, beginning: &[u8], mailbox: &Mailbox) -> bool {
        let Ok((headers, _)) = Headers::parse(beginning, &self.limits) else { return false };
        let subject =
            headers.get_all("Subject").any(|field| header::decoded(field.value_raw).starts_with("ACME:"));
        let to = headers.get_all("To").any(|field| match parse_address_list(field.value_raw) {
            Ok(list) => list.iter().any(|named| named.matches(mailbox)),
            // Whoever authenticates says what is wrong with it.
            Err(_) => true,
        });
        subject && to
    }

    fn failed(&self, folder: &Path, error: &io::Error) -> MailError {
        if error.kind() == ErrorKind::NotFound {
            MailError::NoMailbox(format!(
                "the Maildir {}, which has no folder 'new' and 'cur'",
                self.folder.display()
            ))
        } else {
            MailError::Transport(format!("cannot read {}: {error}", folder.display()))
        }
    }
}

fn time(at: std::time::SystemTime) -> Option<Time> {
    let since = at.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok().map(Time::from_unix)
}

#[cfg_attr(not(target_family = "wasm"), async_trait)]
#[cfg_attr(target_family = "wasm", async_trait(?Send))]
impl MailSource for MaildirSource {
    async fn mails(&self, mailbox: &Mailbox, since: Time) -> Result<Vec<Mail>, MailError> {
        let mut mails = Vec::new();
        for (id, path, received) in self.delivered(since)? {
            match self.candidate(&path, mailbox) {
                Ok(Some(raw)) => mails.push(Mail { id, received, raw }),
                Ok(None) => {}
                // Moved or deleted since it was listed; the next look finds it where it is then.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(self.failed(&path, &error)),
            }
            if mails.len() == MAX_MAILS {
                break;
            }
        }
        mails.reverse();
        Ok(mails)
    }
}
