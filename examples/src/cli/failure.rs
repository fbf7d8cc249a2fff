//! Why a command came to no verdict.

/// A command that could not be carried out: exit status 2.
#[derive(Clone, Debug)]
pub struct Failure {
    /// `error` or `limit`.
    pub(super) verdict: &'static str,
    /// The stable word.
    pub(super) reason: &'static str,
    /// What was wrong, where, and what to do.
    pub(super) message: String,
}

impl Failure {
    /// It could not be done.
    pub(super) fn error(reason: &'static str, message: impl Into<String>) -> Self {
        Self { verdict: "error", reason, message: message.into() }
    }

    /// It is more than is worked on.
    pub(super) fn limit(reason: &'static str, message: impl Into<String>) -> Self {
        Self { verdict: "limit", reason, message: message.into() }
    }

    /// The arguments make no command.
    pub(super) fn usage(error: &clap::Error) -> Self {
        Self::error("usage", error.to_string().trim_end())
    }
}
