//! Processes of the command, in a folder of their own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// A folder in which the processes of one test work.
pub(crate) struct Bench {
    pub(crate) folder: tempfile::TempDir,
}

/// What a process came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    fn of(output: Output) -> Self {
        Self {
            // A signal gives no code.
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The one JSON object on stdout, and nothing else.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.stdout.lines().count(), 1, "{self:?}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    #[track_caller]
    pub(crate) fn valid(&self) -> Value {
        let page = self.json();
        assert_eq!((self.status, page["verdict"].as_str()), (0, Some("valid")), "{page}\n{}", self.stderr);
        page
    }
}

impl Bench {
    pub(crate) fn new() -> Self {
        let bench = Self { folder: tempfile::tempdir().unwrap() };
        bench.write("password", format!("{PASSWORD}\n"));
        bench
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, octets: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, octets).unwrap();
        path
    }

    pub(crate) fn command<I: IntoIterator<Item: AsRef<str>>>(&self, words: I) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aecm"));
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        for word in words {
            command.arg(word.as_ref());
        }
        command
    }

    /// Runs to the end, with `--json`.
    pub(crate) fn run(&self, words: &str) -> Ran {
        self.run_words(&words.split_whitespace().chain(["--json"]).collect::<Vec<_>>())
    }

    pub(crate) fn run_words(&self, words: &[&str]) -> Ran {
        Ran::of(self.command(words).output().unwrap())
    }

    /// Starts the service with mail into `mail/` and everything about it in `ready.json`.
    pub(crate) fn serve(&self, more: &str) -> Served {
        Served::start(self, more)
    }

    /// The words of a provisioning with the options that always suffice.
    pub(crate) fn provision_words(
        &self,
        served: &Served,
        mailbox: &str,
        store: &str,
        more: &str,
    ) -> Vec<String> {
        let mut words: Vec<String> = vec!["provision".into(), mailbox.into(), "--directory".into()];
        words.push(served.ready["directory"].as_str().unwrap().into());
        let files = "--tls-ca tls-ca.pem --maildir mail --dkim-dns dns.json --store";
        words.extend(files.split_whitespace().map(str::to_owned));
        words.push(store.into());
        let rest = format!("--store-password-file password --agree-tos --json {more}");
        words.extend(rest.split_whitespace().map(str::to_owned));
        words
    }

    pub(crate) fn provision(&self, served: &Served, mailbox: &str, store: &str, more: &str) -> Ran {
        let words = self.provision_words(served, mailbox, store, more);
        Ran::of(self.command(words).output().unwrap())
    }

    /// All files below a folder, with their octets.
    pub(crate) fn contents(&self, name: &str) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        collect(&self.path(name), &mut files);
        files.sort();
        files
    }

    /// What decides what a vault holds: its header and its index, which names every record by its digest.
    pub(crate) fn vault(&self, name: &str) -> [Vec<u8>; 2] {
        ["vault.header", "index"].map(|file| std::fs::read(self.path(name).join(file)).unwrap())
    }
}

fn collect(folder: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            let octets = std::fs::read(&path).unwrap_or_default();
            files.push((path, octets));
        }
    }
}

/// The service as a process; it is stopped at the end.
pub(crate) struct Served {
    pub(crate) child: Child,
    pub(crate) ready: Value,
    pub(crate) log: PathBuf,
}

impl Served {
    fn start(bench: &Bench, more: &str) -> Self {
        let words = format!("serve --maildir mail --state service --ready ready.json --json {more}");
        let log = bench.path("service.log");
        let mut command = bench.command(words.split_whitespace());
        command.stderr(std::fs::File::create(&log).unwrap()).stdout(Stdio::piped());
        let _gone = std::fs::remove_file(bench.path("ready.json"));
        let mut child = command.spawn().unwrap();
        let ready = wait_for(&bench.path("ready.json"), &mut child, &log);
        bench.write("tls-ca.pem", ready["tls_ca"].as_str().unwrap());
        bench.write("dns.json", ready["dkim"].to_string());
        Self { child, ready, log }
    }

    /// Asks it to end; gives its one JSON object.
    pub(crate) fn stop(mut self) -> Value {
        signal(&self.child, rustix::process::Signal::TERM);
        let mut stdout = String::new();
        std::io::Read::read_to_string(&mut self.child.stdout.take().unwrap(), &mut stdout).unwrap();
        assert!(self.child.wait().unwrap().success(), "{}", std::fs::read_to_string(&self.log).unwrap());
        serde_json::from_str(&stdout).unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}

/// Waits for the file, which comes whole.
pub(crate) fn wait_for(path: &Path, child: &mut Child, log: &Path) -> Value {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        if let Ok(text) = std::fs::read_to_string(path) {
            return serde_json::from_str(&text).expect("the ready file is written whole");
        }
        let said = || std::fs::read_to_string(log).unwrap_or_default();
        assert!(child.try_wait().unwrap().is_none(), "the service ended: {}", said());
        assert!(Instant::now() < until, "the service is not ready: {}", said());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Sends a signal to a process of ours.
pub(crate) fn signal(child: &Child, signal: rustix::process::Signal) {
    let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}
