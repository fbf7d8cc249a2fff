//! Why a call did not come to its end.

use core::fmt;

use aecm_core::embed::{HttpError, RngError};

use super::KeysError;
use crate::email::ComposeError;
use crate::jws::JwsError;
use crate::machine::{Error, StateError, StepName};
use crate::mail::MailError;
use crate::url::UrlError;
use crate::wire::Problem;

/// Why a call did not come to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientError {
    /// The deadline of the call passed. Calling again goes on.
    Deadline {
        /// Where.
        step: StepName,
    },
    /// The flow could not go on.
    Machine(Error),
    /// Keys, certificates or the state could not be made, read or stored.
    Keys(KeysError),
    /// The mailbox could not be read, or the reply not be sent.
    Mail(MailError),
    /// The reply could not be composed.
    Compose(ComposeError),
    /// A reply is to be sent and there is no mail sender.
    NoSender,
    /// The random source failed.
    Rng(RngError),
    /// The stored state cannot be taken up, and must not be overwritten.
    State(StateError),
    /// What was stored under that name is damaged. Nothing was sent: an order in it may have been finalized.
    Damaged {
        /// The name.
        name: String,
    },
    /// The state could not be written down.
    Unwritable,
    /// There is no account at this server yet.
    NoAccount,
    /// The server does not offer this.
    NotOffered {
        /// Its name in the directory.
        resource: &'static str,
    },
    /// A URL is not used.
    Url(UrlError),
    /// The service cannot be reached, or takes requests and does not answer: it was tried for a minute, or with two
    /// requests of a minute. Single requests are tried once. Calling again goes on.
    ServiceUnreachable {
        /// What happened at the last try.
        error: HttpError,
    },
    /// An answer that cannot be taken, or a request that cannot be made.
    Http(HttpError),
    /// An answer that is none of ACME's.
    Answer {
        /// The status code.
        status: u16,
    },
    /// The server reports a problem.
    Problem(Box<Problem>),
    /// A request could not be signed.
    Jws(JwsError),
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deadline { step } => write!(f, "{step}: the deadline passed; call again to go on"),
            Self::Machine(error) => write!(f, "{error}"),
            Self::Keys(error) => write!(f, "{error}"),
            Self::Mail(error) => write!(f, "{error}"),
            Self::Compose(error) => write!(f, "the reply could not be composed: {error}"),
            Self::NoSender => f.write_str("the CA wants a reply mail and no mail sender is configured"),
            Self::Rng(error) => write!(f, "{error}"),
            Self::State(error) => write!(f, "{error}; use the program that wrote it, or remove it"),
            Self::Damaged { name } => write!(
                f,
                "the record {name:?} in the key store is damaged; restore a backup, or delete that record to begin anew"
            ),
            Self::Unwritable => f.write_str("the state of the order could not be written down"),
            Self::NoAccount => f.write_str("there is no account at this CA yet; obtain a certificate first"),
            Self::NotOffered { resource } => write!(f, "the CA does not offer {resource}"),
            Self::Url(error) => write!(f, "{error}"),
            Self::ServiceUnreachable { error } => {
                write!(f, "the service cannot be reached; look at URL and network, and call again: {error}")
            }
            Self::Http(error) => write!(f, "{error}"),
            Self::Answer { status } => write!(f, "the CA answered with status {status} and nothing usable"),
            Self::Problem(problem) => write!(f, "the CA refuses: {problem}"),
            Self::Jws(error) => write!(f, "{error}"),
        }
    }
}

impl core::error::Error for ClientError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Machine(error) => Some(error),
            Self::Keys(error) => Some(error),
            Self::Mail(error) => Some(error),
            Self::Rng(error) => Some(error),
            Self::State(error) => Some(error),
            Self::Url(error) => Some(error),
            Self::ServiceUnreachable { error } | Self::Http(error) => Some(error),
            Self::Jws(error) => Some(error),
            _ => None,
        }
    }
}

impl From<Error> for ClientError {
    fn from(error: Error) -> Self {
        Self::Machine(error)
    }
}

impl From<KeysError> for ClientError {
    fn from(error: KeysError) -> Self {
        Self::Keys(error)
    }
}

impl From<RngError> for ClientError {
    fn from(error: RngError) -> Self {
        Self::Rng(error)
    }
}

impl From<UrlError> for ClientError {
    fn from(error: UrlError) -> Self {
        Self::Url(error)
    }
}

impl From<JwsError> for ClientError {
    fn from(error: JwsError) -> Self {
        Self::Jws(error)
    }
}
