//! All vectors, made in memory. Shared by the program that writes them and the test that compares them.

mod csr;
mod edit;
mod enveloped;
pub(crate) mod keys;
mod mail;
mod manifest;
mod seeded;
mod signed;
mod signed_broken;
mod timestamp;
mod token;

use std::collections::BTreeMap;

pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// The mailbox that every certificate names.
pub(crate) const MAILBOX: &str = "alice@example.test";
/// When everything is signed and stamped.
pub(crate) const MADE_AT: &str = "2026-12-01T00:00:00Z";
/// When everything is judged.
pub(crate) const JUDGED_AT: &str = "2026-12-01T00:01:00Z";
/// The content of every signed and enveloped message, a MIME entity.
pub(crate) const CONTENT: &[u8] =
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\nTea at five?\r\n";

/// The files, by their path, and what to find in them.
#[derive(Debug, Default)]
pub(crate) struct Set {
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    pub(crate) cases: Vec<Case>,
}

/// One file, judged in one way.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) file: String,
    pub(crate) check: Check,
    /// The file of which this is a changed copy.
    pub(crate) derived_from: Option<&'static str>,
    pub(crate) algorithm: &'static str,
    pub(crate) shows: &'static str,
    /// A verdict word; for envelopes, timestamps and requests a word of the README.
    pub(crate) expect: &'static str,
    pub(crate) reasons: &'static [&'static str],
    pub(crate) tolerances: &'static [&'static str],
    /// The time that a timestamp proves.
    pub(crate) proven: Option<&'static str>,
}

/// How a file is judged, and what it needs beside the anchors.
#[derive(Clone, Debug)]
pub(crate) enum Check {
    /// SignedData: the file of the detached content, the mailbox expected.
    Signed { content: Option<&'static str>, mailbox: &'static str },
    /// EnvelopedData or AuthEnvelopedData, with the key of this name.
    Enveloped { key: &'static str },
    /// A mail, with the keys of these names.
    Mail { keys: &'static [&'static str] },
    /// An answer of a time-stamping authority to the request in this file, judged at this time.
    Timestamp { request: &'static str, at: &'static str },
    /// A certification request for this purpose.
    Csr { purpose: &'static str },
}

impl Set {
    /// Adds a file.
    fn file(&mut self, name: &str, octets: impl Into<Vec<u8>>) {
        let earlier = self.files.insert(name.to_owned(), octets.into());
        assert!(earlier.is_none(), "{name} is made twice");
    }

    /// The octets of a file that was added before.
    fn read(&self, name: &str) -> Outcome<&[u8]> {
        Ok(self.files.get(name).ok_or_else(|| format!("{name} is not made yet"))?)
    }
}

impl Case {
    /// A file that is as it should be.
    fn good(
        file: &str,
        check: Check,
        algorithm: &'static str,
        shows: &'static str,
        expect: &'static str,
    ) -> Self {
        Self {
            file: file.to_owned(),
            check,
            derived_from: None,
            algorithm,
            shows,
            expect,
            reasons: &[],
            tolerances: &[],
            proven: None,
        }
    }

    /// The same kind of file, changed.
    fn derived(mut self, from: &'static str) -> Self {
        self.derived_from = Some(from);
        self
    }

    fn reasons(mut self, reasons: &'static [&'static str]) -> Self {
        self.reasons = reasons;
        self
    }

    fn tolerances(mut self, tolerances: &'static [&'static str]) -> Self {
        self.tolerances = tolerances;
        self
    }

    fn proven(mut self, time: &'static str) -> Self {
        self.proven = Some(time);
        self
    }
}

/// Makes everything.
pub(crate) async fn all() -> Outcome<Set> {
    let mut set = Set::default();
    keys::add(&mut set);
    set.file("content.txt", CONTENT);
    token::add(&mut set)?;
    signed::add(&mut set).await?;
    signed_broken::add(&mut set).await?;
    enveloped::add(&mut set)?;
    timestamp::add(&mut set).await?;
    mail::add(&mut set).await?;
    csr::add(&mut set).await?;
    let manifest = manifest::json(&set);
    set.file("manifest.json", manifest);
    Ok(set)
}
