//! Running asynchronous work, and the log.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Failure, Io};

/// Runs `work` to its end, with timers and sockets, on this thread.
pub(super) fn block_on<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::error("system", format!("no event loop can be made: {error}")))?;
    Ok(runtime.block_on(work))
}

/// Writes events up to `level` to stderr, once a process.
pub(super) fn start_log(level: Option<&str>, io: &Io) {
    let Some(level) = level else { return };
    let stderr = Arc::clone(&io.stderr);
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(level))
        .with_ansi(false)
        .with_writer(move || Line(Arc::clone(&stderr)));
    // A second command in the same process writes to the log of the first.
    let _ = subscriber.try_init();
}

struct Line(Arc<Mutex<dyn Write + Send>>);

impl Write for Line {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(octets)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).flush()
    }
}
