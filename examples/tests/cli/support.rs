//! Running the command, with its files named briefly.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use aecm_core::embed::Clock;
use aecm_core::time::Time;
use aecm_examples::cli::{Io, Sink, run};
use serde_json::Value;

/// The content of every file of `peers/`.
pub(crate) const CONTENT_SHA256: &str = "db29d95a2f59dd0eec2722f8d1c7d663e713a6833f9eb1bda64c3887a7197902";

/// A folder for what is written, and a clock that stands.
pub(crate) struct World {
    folder: tempfile::TempDir,
    now: Time,
    pub(crate) stdin: Vec<u8>,
}

/// What a run left.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: u8,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
    /// Null without `--json`.
    pub(crate) json: Value,
}

struct Standing(Time);

impl Clock for Standing {
    fn now(&self) -> Time {
        self.0
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let now = Time::from_rfc3339("2026-12-01T00:00:00Z").unwrap();
        Self { folder: tempfile::tempdir().unwrap(), now, stdin: Vec::new() }
    }

    /// Where nothing has to reach a disk: for runs by the thousand.
    pub(crate) fn in_memory() -> Self {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        Self { folder: folder.unwrap(), ..Self::new() }
    }

    pub(crate) fn at(now: &str) -> Self {
        Self { now: Time::from_rfc3339(now).unwrap(), ..Self::new() }
    }

    /// Runs `line` with `--json`. Words are separated by spaces; `@` stands for the folder of the peers' files, `%`
    /// for that of OpenSSL's, `^` for the vectors of aecm-smime, `$` for a folder of this test; `''` is an empty word.
    pub(crate) fn json(&self, line: &str) -> Ran {
        let mut ran = self.text(&format!("{line} --json"));
        let text = std::str::from_utf8(&ran.stdout).unwrap();
        assert_eq!(text.lines().count(), 1, "{line}: one object, one line: {text}");
        ran.json = serde_json::from_str(text).unwrap_or_else(|error| panic!("{line}: {error}: {text}"));
        for member in ["verdict", "reasons", "tolerances"] {
            assert!(ran.json.get(member).is_some(), "{line}: {member} is missing");
        }
        ran
    }

    /// Runs `line` as it is.
    pub(crate) fn text(&self, line: &str) -> Ran {
        self.words(
            &line.split(' ').filter(|word| !word.is_empty()).map(|word| self.word(word)).collect::<Vec<_>>(),
        )
    }

    /// Runs words as they are.
    pub(crate) fn words(&self, words: &[String]) -> Ran {
        let (stdout, stderr) = (Sink::default(), Sink::default());
        let mut io = Io::captured(self.stdin.clone(), &stdout, &stderr);
        io.clock = Arc::new(Standing(self.now));
        let arguments = std::iter::once("aecm".to_owned()).chain(words.iter().cloned());
        let status = run(arguments, &mut io);
        Ran { status, stdout: stdout.bytes(), stderr: stderr.text(), json: Value::Null }
    }

    fn word(&self, word: &str) -> String {
        match word.split_at(1) {
            ("@", rest) => data("peers").join(rest).display().to_string(),
            ("%", rest) => data("openssl").join(rest).display().to_string(),
            ("^", rest) => data("../../../aecm-smime/tests/vectors").join(rest).display().to_string(),
            ("$", rest) => self.path(rest).display().to_string(),
            _ if word == "''" => String::new(),
            _ => word.to_owned(),
        }
    }

    /// A path in the folder of this test.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, octets: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), octets).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    /// The names in the folder of this test, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Ran {
    pub(crate) fn verdict(&self) -> &str {
        self.json["verdict"].as_str().unwrap()
    }

    pub(crate) fn reasons(&self) -> Vec<&str> {
        words(&self.json["reasons"])
    }

    pub(crate) fn tolerances(&self) -> Vec<&str> {
        words(&self.json["tolerances"])
    }

    /// Status, verdict and reasons at once.
    #[track_caller]
    pub(crate) fn is(&self, status: u8, verdict: &str, reasons: &[&str]) -> &Self {
        assert_eq!(
            (self.status, self.verdict(), self.reasons()),
            (status, verdict, reasons.to_vec()),
            "{}",
            self.json
        );
        self
    }

    /// All these members are there, whatever their values.
    #[track_caller]
    pub(crate) fn has(&self, members: &[&str]) -> &Self {
        for member in members {
            assert!(self.json.get(member).is_some(), "{member} is missing: {}", self.json);
        }
        self
    }

    pub(crate) fn out(&self) -> String {
        String::from_utf8(self.stdout.clone()).unwrap()
    }
}

pub(crate) fn words(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect()
}

/// A folder of checked-in files.
pub(crate) fn data(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(folder)
}

/// The octets of a checked-in file.
pub(crate) fn file(name: &str) -> Vec<u8> {
    std::fs::read(data(name)).unwrap()
}
