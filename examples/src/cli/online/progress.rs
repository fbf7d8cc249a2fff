//! Progress on stderr: what is done, and what is waited for since when.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aecm::Event;
use aecm::acme::machine::StepName;
use aecm::core::embed::Clock;
use aecm::core::time::Time;

use crate::cli::{Io, show};

/// How often a wait is told again.
const AGAIN: Duration = Duration::from_secs(10);

/// Tells what happens; clones share it.
#[derive(Clone)]
pub(in crate::cli) struct Teller {
    stderr: Option<Arc<Mutex<dyn Write + Send>>>,
    clock: Arc<dyn Clock>,
    /// What was said last, without the time.
    last: Arc<Mutex<String>>,
    /// What is waited for, and since when.
    waiting: Arc<Mutex<Option<(String, Time)>>>,
}

impl Teller {
    pub(in crate::cli) fn new(io: &Io) -> Self {
        Self {
            stderr: (!io.quiet).then(|| Arc::clone(&io.stderr)),
            clock: Arc::clone(&io.clock),
            last: Arc::default(),
            waiting: Arc::default(),
        }
    }

    /// One line, with the time.
    pub(in crate::cli) fn say(&self, text: &str) {
        let Some(stderr) = &self.stderr else { return };
        let now = self.clock.now().to_string();
        let mut stderr = stderr.lock().unwrap_or_else(PoisonError::into_inner);
        // A closed stderr is no reason to fail.
        let _ = writeln!(stderr, "{now} {}", show::plain(text));
    }

    /// Notes what is waited for from now on.
    pub(in crate::cli) fn wait_for(&self, what: Option<String>) {
        let now = self.clock.now();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        *waiting = what.map(|what| (what, now));
    }

    /// One line, which is also what goes on until the next.
    fn step(&self, text: &str) {
        text.clone_into(&mut self.last.lock().unwrap_or_else(PoisonError::into_inner));
        self.say(text);
    }

    /// An event of the client.
    pub(in crate::cli) fn event(&self, event: &Event) {
        match event {
            Event::Step { step, item } => {
                let item = item.as_ref().map_or_else(String::new, |item| format!("{item}: "));
                self.step(&format!("{item}{step}"));
                self.wait_for((*step == StepName::Mail).then(|| format!("{item}the challenge mail")));
            }
            Event::MailRefused { id, reason } => self.say(&format!("mail {id} was left alone: {reason}")),
            Event::NoAnswer { error, again } => {
                self.say(&format!("{error}; trying again in {} s", again.as_secs()));
            }
            Event::Issued { item, certificate } => {
                self.say(&format!("{item}: issued, valid until {}", certificate.not_after()));
            }
            _ => {}
        }
    }

    /// Runs `work`; says from time to time what is waited for.
    pub(in crate::cli) async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = core::pin::pin!(work);
        let began = self.clock.now();
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = tokio::time::sleep(AGAIN) => {
                    let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).clone();
                    let seconds = |since| self.clock.now().since(since).as_secs();
                    match waiting {
                        Some((what, since)) => {
                            self.say(&format!("still waiting for {what}, since {since} ({} s)", seconds(since)));
                        }
                        None => {
                            let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
                            let colon = if last.is_empty() { "" } else { ": " };
                            self.say(&format!("still at work after {} s{colon}{last}", seconds(began)));
                        }
                    }
                }
            }
        }
    }
}
