//! The jobs that users have, in groups: what `cargo bench` measures with criterion and `--bin jobs` prints as a
//! table. Keys and certificates are made anew by each run.
#![forbid(unsafe_code)]
// A benchmark whose job fails has nothing to measure: it stops.
#![allow(clippy::expect_used, clippy::missing_panics_doc, missing_debug_implementations)]

pub mod mail;
pub mod people;
pub mod sm;

use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// Something to measure again and again.
pub struct Job {
    /// What the user does; jobs of one group are compared with its first one.
    pub group: &'static str,
    /// With what.
    pub name: &'static str,
    /// Does it once. The first run checks the outcome too.
    pub run: Box<dyn FnMut()>,
}

impl Job {
    /// A job whose result is only looked at by the compiler.
    pub fn new<T>(group: &'static str, name: &'static str, mut run: impl FnMut() -> T + 'static) -> Self {
        Self { group, name, run: Box::new(move || drop(std::hint::black_box(run()))) }
    }
}

/// The output of a future that never waits, such as everything with software keys; no runtime is measured.
///
/// # Panics
/// When it waits.
pub fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("software keys never wait"),
    }
}
