//! A Maildir on disk: what is given out as a challenge mail, and what is left alone.
#![cfg(feature = "maildir")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use aecm_acme::mail::maildir::MaildirSource;
use aecm_acme::mail::{Mail, MailError, MailSource};
use aecm_core::limits::Limits;
use aecm_core::mailbox::Mailbox;
use aecm_core::time::Time;

static NUMBER: AtomicU32 = AtomicU32::new(0);

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let folder = std::env::temp_dir().join(format!("aecm-maildir-{}-{number}", std::process::id()));
        for part in ["new", "cur", "tmp"] {
            fs::create_dir_all(folder.join(part)).unwrap();
        }
        Self(folder)
    }

    fn put(&self, name: &str, mail: &str) {
        fs::write(self.0.join(name), mail.replace('\n', "\r\n")).unwrap();
    }

    fn mails_of(&self, source: &MaildirSource, mailbox: &str, since: i64) -> Result<Vec<Mail>, MailError> {
        let mailbox: Mailbox = mailbox.parse().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(source.mails(&mailbox, Time::from_unix(since)))
    }

    fn ids(&self, mailbox: &str) -> Vec<String> {
        let source = MaildirSource::new(&self.0);
        self.mails_of(&source, mailbox, 0).unwrap().into_iter().map(|mail| mail.id).collect()
    }

    /// Sets when a file was delivered, in Unix seconds.
    fn delivered(&self, name: &str, at: u64) {
        let file = fs::File::options().write(true).open(self.0.join(name)).unwrap();
        file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(at)).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _left = fs::remove_dir_all(&self.0);
    }
}

fn challenge(to: &str) -> String {
    format!(
        "From: acme-1@ca.example\nTo: {to}\nSubject: ACME: dG9rZW4\nDate: Mon, 23 Nov 2026 08:00:00 +0000\n\nHello\n"
    )
}

#[test]
fn new_and_cur_are_read_in_the_order_of_delivery() {
    let folder = Folder::new();
    folder.put("cur/2.host:2,S", &challenge("alice@example.test"));
    folder.put("new/3.host", &challenge("alice@example.test"));
    folder.put("new/1.host", &challenge("Alice <alice@example.test>"));
    folder.put("tmp/4.host", &challenge("alice@example.test"));
    for (name, at) in [("new/1.host", 100), ("cur/2.host:2,S", 200), ("new/3.host", 300)] {
        folder.delivered(name, at);
    }
    assert_eq!(folder.ids("alice@example.test"), ["1.host", "2.host", "3.host"]);
    let source = MaildirSource::new(&folder.0);
    let late = folder.mails_of(&source, "alice@example.test", 200).unwrap();
    assert_eq!(late.iter().map(|mail| mail.id.as_str()).collect::<Vec<_>>(), ["2.host", "3.host"]);
    assert_eq!(late[0].received, Time::from_unix(200));
    assert!(late[0].raw.ends_with(b"Hello\r\n"), "the whole mail");
}

// A mail program moves and marks mails: the same mail keeps its name (C4).
#[test]
fn a_mail_keeps_its_id_when_it_is_read_elsewhere() {
    let folder = Folder::new();
    folder.put("new/7.host", &challenge("alice@example.test"));
    assert_eq!(folder.ids("alice@example.test"), ["7.host"]);
    fs::rename(folder.0.join("new/7.host"), folder.0.join("cur/7.host:2,FS")).unwrap();
    assert_eq!(folder.ids("alice@example.test"), ["7.host"]);
    // Caught between the two folders it is still one mail.
    folder.put("new/7.host", &challenge("alice@example.test"));
    assert_eq!(folder.ids("alice@example.test"), ["7.host"]);
    assert!(folder.0.join("cur/7.host:2,FS").exists(), "nothing is moved back");
}

#[test]
fn mails_of_others_and_other_mails_are_left_alone() {
    let folder = Folder::new();
    folder.put("new/other", &challenge("bob@example.test"));
    folder.put("new/plain", "From: a@b.example\nTo: alice@example.test\nSubject: Lunch\n\nACME: no\n");
    folder.put("new/reply", "From: a@b.example\nTo: alice@example.test\nSubject: Re: ACME: dG9rZW4\n\n\n");
    folder.put("new/.hidden", &challenge("alice@example.test"));
    folder.put("new/no-to", "From: a@b.example\nSubject: ACME: dG9rZW4\n\n\n");
    folder.put("new/junk", "\u{0}\u{1}not a mail at all");
    folder.put("new/empty", "");
    fs::create_dir(folder.0.join("new/folder")).unwrap();
    assert!(folder.ids("alice@example.test").is_empty());
    assert_eq!(folder.ids("bob@example.test"), ["other"]);
    // A To that cannot be read is for the authenticator to refuse, with a reason.
    folder.put("new/odd", &challenge("<<alice@example.test"));
    assert_eq!(folder.ids("alice@example.test"), ["odd"]);
}

#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    let folder = Folder::new();
    folder.put("tmp/outside", &challenge("alice@example.test"));
    std::os::unix::fs::symlink(folder.0.join("tmp/outside"), folder.0.join("new/link")).unwrap();
    assert!(folder.ids("alice@example.test").is_empty());
}

// N4: nothing is read beyond the limits.
#[test]
fn large_mails_and_headers_are_left_alone() {
    let folder = Folder::new();
    let mut limits = Limits::default();
    limits.message_bytes = 2_000;
    limits.header_bytes = 1_000;
    let large = format!("{}{}", challenge("alice@example.test"), "x".repeat(2_000));
    folder.put("new/large", &large);
    let long = challenge("alice@example.test")
        .replace("Subject", &format!("X-Long: {}\nSubject", "y".repeat(1_200)));
    folder.put("new/long-header", &long);
    folder.put("new/fits", &format!("{}{}", challenge("alice@example.test"), "x".repeat(1_500)));
    let source = MaildirSource::new(&folder.0).limits(limits);
    let mails = folder.mails_of(&source, "alice@example.test", 0).unwrap();
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert_eq!(mails[0].id, "fits");
    assert!(mails[0].raw.len() > 1_500);
}

#[test]
fn what_is_no_maildir_is_an_error() {
    let folder = Folder::new();
    let source = MaildirSource::new(folder.0.join("tmp"));
    let error = folder.mails_of(&source, "alice@example.test", 0).unwrap_err();
    assert!(matches!(&error, MailError::NoMailbox(what) if what.contains("tmp")), "{error}");
}
