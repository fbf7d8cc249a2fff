//! What can be wrong with requests, answers and tokens.

use core::fmt;

use aecm_core::embed::{HttpError, RngError};
use aecm_core::tlv::TlvError;
use aecm_smime::sign::SignError;

/// What is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestError {
    /// Not the ASN.1 of RFC 3161 §2.4.1.
    Malformed(TlvError),
    /// Another version than 1.
    Version,
    /// A digest that is not known here.
    UnknownDigest,
    /// The imprint is not as long as the digest's values are, in octets.
    ImprintLength {
        /// As long as it has to be.
        expected: usize,
        /// As long as it is.
        found: usize,
    },
    /// The nonce is negative.
    Nonce,
    /// The request has an extension that the unit does not know; it knows none.
    Extension,
    /// The request asks for another policy than the unit's.
    Policy,
    /// The serial number for the token has more than 160 bits.
    Serial,
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => write!(f, "not a timestamp request: {error}"),
            Self::Version => f.write_str("the timestamp request is not of version 1"),
            Self::UnknownDigest => f.write_str("the digest algorithm of the imprint is not supported"),
            Self::ImprintLength { expected, found } => {
                write!(f, "the imprint has {found} octets, its digest algorithm gives {expected}")
            }
            Self::Nonce => f.write_str("the nonce is a negative number"),
            Self::Extension => f.write_str("an extension of the request is not supported; send none"),
            Self::Policy => f.write_str("the policy asked for is not offered here; ask without one"),
            Self::Serial => f.write_str("the serial number for the token has more than 160 bits"),
        }
    }
}

impl core::error::Error for RequestError {}

impl From<TlvError> for RequestError {
    fn from(error: TlvError) -> Self {
        Self::Malformed(error)
    }
}

/// Why no timestamp was obtained.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The request could not be made.
    Request(RequestError),
    /// The random source failed.
    Rng(RngError),
    /// The authority was not reached.
    Http(HttpError),
    /// The authority answered with another HTTP status than 200.
    HttpStatus {
        /// The authority.
        url: String,
        /// The status code.
        status: u16,
    },
    /// The answer is not `application/timestamp-reply`.
    ContentType {
        /// The authority.
        url: String,
        /// What it said.
        found: String,
    },
    /// No answer came before the deadline.
    Deadline {
        /// The authority.
        url: String,
    },
    /// The answer is larger than [`Limits::tsa_answer_bytes`](aecm_core::limits::Limits::tsa_answer_bytes).
    TooLarge {
        /// How large it may be, in octets.
        limit: usize,
    },
    /// The answer is not the ASN.1 of RFC 3161 §2.4.2.
    Malformed(TlvError),
    /// The answer has a PKIStatus that RFC 3161 does not define.
    UnknownStatus {
        /// The number.
        status: u64,
    },
    /// The authority refused.
    Rejected {
        /// PKIStatus, 2 to 5.
        status: u64,
        /// Its text, control characters replaced.
        text: String,
        /// The words of PKIFailureInfo.
        failures: Vec<&'static str>,
    },
    /// The answer is granted and carries no token, or refused and carries one.
    StatusAndTokenDisagree,
    /// The token does not show what was asked.
    Token {
        /// A stable word that begins with `timestamp-`.
        word: &'static str,
        /// A sentence.
        detail: String,
    },
    /// The local key could not sign.
    Sign(SignError),
    /// No authority is configured.
    NoAuthority,
    /// None of several authorities gave a stamp; each with its reason, in the order asked.
    AllFailed(Vec<Self>),
}

impl Error {
    /// The stable word: for what is wrong with a token the word of the verifier, which begins with
    /// `timestamp-` or is `no-tsa-anchor`.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Request(_) => "timestamp-request",
            Self::Rng(_) => "rng",
            Self::Http(_) => "timestamp-http",
            Self::HttpStatus { .. } => "timestamp-http-status",
            Self::ContentType { .. } => "timestamp-http-content-type",
            Self::Deadline { .. } => "timestamp-deadline",
            Self::TooLarge { .. } => "timestamp-too-large",
            Self::Malformed(_) => "timestamp-malformed",
            Self::UnknownStatus { .. } => "timestamp-unknown-status",
            Self::Rejected { .. } => "timestamp-rejected",
            Self::StatusAndTokenDisagree => "timestamp-status-and-token-disagree",
            Self::Token { word, .. } => word,
            Self::Sign(_) => "timestamp-sign",
            Self::NoAuthority => "no-timestamp-authority",
            Self::AllFailed(_) => "timestamp-all-failed",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(error) => write!(f, "{error}"),
            Self::Rng(error) => write!(f, "{error}"),
            Self::Http(error) => write!(f, "the timestamp authority was not reached: {error}"),
            Self::HttpStatus { url, status } => {
                write!(f, "the timestamp authority {url} answered HTTP {status}")
            }
            Self::ContentType { url, found } => {
                write!(f, "the timestamp authority {url} answered {found:?}, not application/timestamp-reply")
            }
            Self::Deadline { url } => {
                write!(f, "the timestamp authority {url} did not answer in time; nothing was stamped")
            }
            Self::TooLarge { limit } => write!(f, "the timestamp answer exceeds the limit of {limit} octets"),
            Self::Malformed(error) => write!(f, "not a timestamp answer: {error}"),
            Self::UnknownStatus { status } => {
                write!(f, "the timestamp answer has the unknown status {status}")
            }
            Self::Rejected { status, text, failures } => {
                write!(f, "the timestamp authority refused (status {status}")?;
                if !failures.is_empty() {
                    write!(f, ", {}", failures.join(", "))?;
                }
                write!(f, ")")?;
                if !text.is_empty() {
                    write!(f, ": {text}")?;
                }
                Ok(())
            }
            Self::StatusAndTokenDisagree => {
                f.write_str("the answer's status and the presence of a token contradict each other")
            }
            Self::Token { word, detail } => {
                write!(f, "the timestamp token is not acceptable ({word}): {detail}")
            }
            Self::Sign(error) => write!(f, "the timestamping key did not sign: {error}"),
            Self::NoAuthority => f.write_str("no timestamp authority is configured; name at least one"),
            Self::AllFailed(errors) => {
                write!(f, "none of {} timestamp authorities gave a stamp", errors.len())?;
                errors.iter().try_for_each(|error| write!(f, "; {error}"))
            }
        }
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Request(error) => Some(error),
            Self::Rng(error) => Some(error),
            Self::Http(error) => Some(error),
            Self::Malformed(error) => Some(error),
            Self::Sign(error) => Some(error),
            // All of them stand in the sentence; the last is the one nearest to now.
            Self::AllFailed(errors) => match errors.last() {
                Some(error) => Some(error),
                None => None,
            },
            _ => None,
        }
    }
}

impl From<RequestError> for Error {
    fn from(error: RequestError) -> Self {
        Self::Request(error)
    }
}

impl From<RngError> for Error {
    fn from(error: RngError) -> Self {
        Self::Rng(error)
    }
}

impl From<HttpError> for Error {
    fn from(error: HttpError) -> Self {
        Self::Http(error)
    }
}

impl From<TlvError> for Error {
    fn from(error: TlvError) -> Self {
        Self::Malformed(error)
    }
}

impl From<SignError> for Error {
    fn from(error: SignError) -> Self {
        Self::Sign(error)
    }
}
