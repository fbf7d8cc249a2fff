//! Why the service did not start or could not do its part.

use std::net::SocketAddr;

use crate::ca::IssueError;
use crate::folder::StateError;

/// Why the service could not start or work.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The address is not a loopback one; this service is for development and never listens elsewhere.
    NotLoopback {
        /// What was asked for.
        address: SocketAddr,
    },
    /// The base URL is no origin: `https://host` or `https://host:port`, without anything behind it.
    BaseUrl {
        /// What was asked for.
        url: String,
    },
    /// The address could not be listened on.
    Listen {
        /// What was asked for.
        address: SocketAddr,
        /// What the system said.
        detail: String,
    },
    /// The port of the state folder, which its clients know, could not be listened on. Free it, or name another one:
    /// the URLs change with it.
    KeptPort {
        /// What was listened on before.
        address: SocketAddr,
        /// What the system said.
        detail: String,
    },
    /// The TLS identity could not be made.
    Tls(String),
    /// A certificate could not be issued.
    Issue(IssueError),
    /// The state folder could not be used.
    State(StateError),
    /// A mail could not be composed or signed.
    Mail(String),
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::NotLoopback { address } => {
                write!(
                    f,
                    "{address} is not a loopback address; the service listens on 127.0.0.0/8 or ::1 only"
                )
            }
            Self::Listen { address, detail } => write!(f, "cannot listen on {address}: {detail}"),
            Self::BaseUrl { url } => write!(
                f,
                "{url:?} is no base URL; it has to be https://HOST or https://HOST:PORT with nothing behind it"
            ),
            Self::KeptPort { address, detail } => write!(
                f,
                "cannot listen on {address} again, where the state folder's clients know the service: {detail}; \
                 free the port, or pass --listen (ServiceOptions::listen) with another one"
            ),
            Self::Tls(detail) => write!(f, "the loopback TLS identity could not be made: {detail}"),
            Self::Issue(error) => write!(f, "{error}"),
            Self::State(error) => write!(f, "{error}"),
            Self::Mail(detail) => write!(f, "the mail could not be made: {detail}"),
        }
    }
}

impl core::error::Error for Error {}

impl From<StateError> for Error {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}

impl From<IssueError> for Error {
    fn from(error: IssueError) -> Self {
        Self::Issue(error)
    }
}
