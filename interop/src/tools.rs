//! Peers as child processes.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// What a peer answered.
#[derive(Debug)]
pub struct Answer {
    /// Whether it exited with 0.
    pub ok: bool,
    /// Standard output.
    pub out: Vec<u8>,
    /// Standard error.
    pub err: String,
}

impl Answer {
    /// Standard output as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.out).into_owned()
    }

    /// Panics with everything the peer said unless it exited with 0.
    #[track_caller]
    pub fn expect_ok(self, what: &str) -> Self {
        assert!(self.ok, "{what}: the peer refused\nout: {}\nerr: {}", self.text(), self.err);
        self
    }

    /// Panics with everything the peer said unless it exited with something else than 0.
    #[track_caller]
    pub fn expect_refusal(self, what: &str) -> Self {
        assert!(!self.ok, "{what}: the peer accepted\nout: {}\nerr: {}", self.text(), self.err);
        self
    }
}

/// What `interop/run` says about a peer that it prepares.
///
/// # Panics
/// Where it is not set.
pub fn prepared(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; run the tests by interop/run"))
}

/// A folder for one exchange.
#[derive(Debug)]
pub struct Desk(TempDir);

impl Default for Desk {
    fn default() -> Self {
        Self::new()
    }
}

impl Desk {
    /// A fresh folder, removed when dropped.
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file and gives its path.
    pub fn put(&self, name: &str, octets: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, octets).expect("write");
        path
    }

    /// Reads a file a peer wrote.
    pub fn get(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.0.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Reads a text a peer wrote.
    pub fn text(&self, name: &str) -> String {
        String::from_utf8(self.get(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Runs a program here.
    pub fn run<S: AsRef<OsStr>>(&self, program: &str, arguments: &[S]) -> Answer {
        self.run_with(program, arguments, &[])
    }

    /// Runs a program here with more environment.
    pub fn run_with<S: AsRef<OsStr>>(
        &self,
        program: &str,
        arguments: &[S],
        environment: &[(&str, &str)],
    ) -> Answer {
        let output = Command::new(program)
            .args(arguments)
            .envs(environment.iter().copied())
            .current_dir(self.path())
            .output()
            .unwrap_or_else(|error| panic!("{program} cannot be started ({error}); see docs/interop.md"));
        Answer {
            ok: output.status.success(),
            out: output.stdout,
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Debian's `openssl`.
    pub fn openssl(&self, line: &str) -> Answer {
        self.run("openssl", &line.split_whitespace().collect::<Vec<_>>())
    }

    /// Bouncy Castle 1.72 through `peers/BcPeer.java`, compiled by `interop/run`.
    pub fn bouncy_castle(&self, line: &str) -> Answer {
        let classes = prepared("AECM_BC_CLASSES");
        let jars = ["bcprov", "bcpkix", "bcutil", "bcmail"]
            .map(|jar| format!("/usr/share/java/{jar}.jar"))
            .join(":");
        let class_path = format!("{classes}:{jars}");
        // A short life: no time for a second compiler.
        let mut arguments =
            vec!["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", class_path.as_str(), "BcPeer"];
        arguments.extend(line.split_whitespace());
        self.run("java", &arguments)
    }
}

/// The folder of the drivers that are not Rust.
pub fn driver(name: &str) -> String {
    format!("{}/peers/{name}", env!("CARGO_MANIFEST_DIR"))
}
