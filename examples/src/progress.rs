//! One line that says what is happening, rewritten in place on a terminal and left out elsewhere.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Mutex;

/// A progress line on standard error.
#[derive(Debug)]
pub struct Progress {
    shown: Option<Mutex<usize>>,
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

impl Progress {
    /// Shows nothing where standard error is not a terminal.
    #[must_use]
    pub fn new() -> Self {
        Self { shown: std::io::stderr().is_terminal().then(|| Mutex::new(0)) }
    }

    /// Replaces the line.
    pub fn say(&self, text: &str) {
        let Some(shown) = &self.shown else { return };
        let Ok(mut shown) = shown.lock() else { return };
        let width = text.chars().count();
        let blanks = " ".repeat(shown.saturating_sub(width));
        let mut error = std::io::stderr().lock();
        // A progress line that cannot be shown is not worth an error.
        let _unshown = write!(error, "\r  {text}{blanks}");
        let _unflushed = error.flush();
        *shown = width;
    }

    /// Removes the line.
    pub fn clear(&self) {
        self.say("");
        if self.shown.is_some() {
            eprint!("\r");
        }
    }
}
