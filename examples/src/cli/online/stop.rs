//! A command that ends early, with everything its JSON object has to say.

use serde_json::Value;

use crate::cli::{Failure, Outcome};

/// Ends a command with `error` (or `limit`), its reasons and what else is known.
pub(in crate::cli) struct Stop(Box<Outcome>);

/// What the parts of a command give.
pub(in crate::cli) type Done<T> = Result<T, Stop>;

impl Stop {
    /// It could not be done.
    pub(in crate::cli) fn error(reason: &'static str, message: impl Into<String>) -> Self {
        Failure::error(reason, message).into()
    }

    /// A further member of the JSON object.
    pub(in crate::cli) fn with(self, member: &str, value: impl Into<Value>) -> Self {
        Self(Box::new(self.0.with(member, value)))
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self(Box::new(failure.into()))
    }
}

/// What the command as a whole came to.
pub(in crate::cli) fn settle(done: Done<Outcome>) -> Outcome {
    done.unwrap_or_else(|Stop(outcome)| *outcome)
}
