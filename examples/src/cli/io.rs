//! The streams, the clock and the randomness a command works with.

use std::io::{IsTerminal as _, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use aecm_core::embed::{Clock, OsRng, Rng, SystemClock};

/// What a command reads from and writes to.
#[allow(missing_debug_implementations)] // streams have none
#[non_exhaustive]
pub struct Io {
    /// Read where a file is named `-`.
    pub stdin: Box<dyn Read + Send>,
    /// The result, and nothing else.
    pub stdout: Box<dyn Write + Send>,
    /// Progress, hints, questions. Shared, because progress comes from below.
    pub stderr: Arc<Mutex<dyn Write + Send>>,
    /// Says what time it is.
    pub clock: Arc<dyn Clock>,
    /// Gives randomness.
    pub rng: Arc<dyn Rng>,
    /// Whether a person is there to be asked for a password.
    pub interactive: bool,
    /// Whether hints and progress are left out.
    pub(super) quiet: bool,
}

impl Io {
    /// The process's own.
    #[must_use]
    pub fn system() -> Self {
        Self {
            stdin: Box::new(std::io::stdin()),
            stdout: Box::new(std::io::stdout()),
            stderr: Arc::new(Mutex::new(std::io::stderr())),
            clock: Arc::new(SystemClock),
            rng: Arc::new(OsRng),
            interactive: std::io::stdin().is_terminal() && std::io::stderr().is_terminal(),
            quiet: false,
        }
    }

    /// Nobody there: `stdin` is given, what is written is kept.
    #[must_use]
    pub fn captured(stdin: Vec<u8>, stdout: &Sink, stderr: &Sink) -> Self {
        Self {
            stdin: Box::new(std::io::Cursor::new(stdin)),
            stdout: Box::new(stdout.clone()),
            stderr: Arc::new(Mutex::new(stderr.clone())),
            clock: Arc::new(SystemClock),
            rng: Arc::new(OsRng),
            interactive: false,
            quiet: false,
        }
    }

    /// Says something on the side. A closed stderr is no reason to fail.
    pub(super) fn hint(&self, text: &str) {
        if !self.quiet {
            let mut stderr = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = writeln!(stderr, "{text}");
        }
    }
}

/// Keeps what is written to it; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    /// What was written so far.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The same as text; what is no UTF-8 is replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }
}

impl Write for Sink {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
