//! Why a plan could not go on.

use core::fmt;

use aecm_core::embed::HttpError;
use aecm_core::time::Time;
use serde::{Deserialize, Serialize};

use crate::brief::Brief;
use crate::check::CheckError;
use crate::csr::CsrError;
use crate::jws::JwsError;
use crate::token::TokenError;
use crate::url::UrlError;
use crate::wire::{JsonError, Problem, ProblemType};

/// The longest message, in characters, but for `…` where it was cut.
const LONGEST_MESSAGE: usize = 399;

/// Where in the flow a machine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
#[allow(missing_docs)] // the names are those of RFC 8555
pub enum Step {
    Directory,
    Consent,
    Account,
    NewOrder,
    Order,
    Authorization,
    AskMail,
    Mail,
    Reply,
    Respond,
    Csr,
    Finalize,
    Download,
    Install,
    Done,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Directory => "reading the directory",
            Self::Consent => "asking for consent",
            Self::Account => "opening the account",
            Self::NewOrder => "opening the order",
            Self::Order => "reading the order",
            Self::Authorization => "reading the authorization",
            Self::AskMail => "asking for the challenge mail",
            Self::Mail => "waiting for the challenge mail",
            Self::Reply => "replying to the challenge mail",
            Self::Respond => "answering the challenge",
            Self::Csr => "making the request",
            Self::Finalize => "submitting the request",
            Self::Download => "fetching the certificate",
            Self::Install => "storing the certificate",
            Self::Done => "done",
        })
    }
}

/// Why a plan could not go on. What was issued before is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The account key is not on P-256.
    AccountKey,
    /// A URL is not used (N2).
    Url(UrlError),
    /// The user did not agree to the terms of service.
    ConsentRefused {
        /// URL of the terms.
        terms_url: String,
    },
    /// No answer, again and again; or one that is too large.
    Http {
        /// Where.
        step: Step,
        /// What happened at the last try.
        error: HttpError,
    },
    /// The server redirects, which is never followed.
    Redirect {
        /// Where.
        step: Step,
        /// The status code.
        status: u16,
    },
    /// The server answers with that status and no problem document.
    Status {
        /// Where.
        step: Step,
        /// The status code.
        status: u16,
    },
    /// The server reports a problem.
    Problem {
        /// Where.
        step: Step,
        /// The problem.
        problem: Box<Problem>,
    },
    /// The user has to visit a page of the CA first.
    UserActionRequired {
        /// The page.
        instance: Option<String>,
        /// The terms of service in force.
        terms_url: Option<String>,
    },
    /// The server refuses every nonce (N1).
    Nonces {
        /// Where.
        step: Step,
    },
    /// An answer is not the JSON object that was expected (N4).
    Json {
        /// Where.
        step: Step,
        /// What is wrong.
        error: JsonError,
    },
    /// An answer lacks a header field it must have.
    HeaderMissing {
        /// Where.
        step: Step,
        /// Its name.
        name: &'static str,
    },
    /// An answer contradicts what was asked or what the server said before (N6, N11).
    Inconsistent {
        /// Where.
        step: Step,
        /// What differs.
        what: &'static str,
    },
    /// The account is deactivated or revoked.
    AccountStatus {
        /// Its status.
        status: String,
    },
    /// The server wants an external account binding and none was given.
    ExternalAccountRequired,
    /// The directory does not name the profile.
    ProfileNotOffered {
        /// The name that was looked for.
        profile: String,
    },
    /// There is no challenge that can be met.
    NoChallenge {
        /// The types offered.
        offered: Vec<String>,
    },
    /// The server wants a way of joining or submitting the token that is not known here, or not possible.
    NoSubmission {
        /// The words it names.
        offered: Vec<String>,
    },
    /// token-part2 is malformed.
    Token(TokenError),
    /// The challenge mail did not come in time.
    NoChallengeMail {
        /// When waiting ended.
        until: Time,
        /// Mails that looked like one, and why they were refused.
        refused: Vec<String>,
    },
    /// More mails were used than can be remembered, and none may be used twice (THREATS C4).
    TooManyMails {
        /// How many are remembered.
        limit: usize,
    },
    /// The server did not take the token of any mail.
    ChallengeFailed {
        /// How many orders were tried.
        orders: u32,
        /// What the server said.
        problem: Option<Box<Problem>>,
    },
    /// The order became invalid.
    OrderInvalid {
        /// What the server said.
        problem: Option<Box<Problem>>,
    },
    /// The order expired before it was done.
    OrderExpired,
    /// The server goes on answering and nothing moves.
    Stuck {
        /// Where.
        step: Step,
    },
    /// The CSR that was made is not for the item.
    Csr(CsrError),
    /// The CSR that was made has another key, mailbox or usage than the item.
    CsrMismatch {
        /// What differs.
        what: &'static str,
    },
    /// The issued chain is too large, has too many certificates or is not PEM.
    Chain {
        /// What is wrong.
        why: &'static str,
    },
    /// The issued certificate is not what was asked for (N7).
    Certificate(CheckError),
    /// A request could not be signed.
    Jws(JwsError),
    /// The driver gave an answer that was not asked for.
    UnexpectedInput {
        /// Its name.
        input: &'static str,
        /// Where.
        step: Step,
    },
}

impl Error {
    /// Whether the order cannot go on; otherwise it can be taken up again later.
    pub(super) fn ends_order(&self) -> bool {
        use ProblemType::{RateLimited, ServerInternal};
        if let Self::Problem { problem, .. } = self {
            return !matches!(problem.kind, RateLimited | ServerInternal);
        }
        !matches!(
            self,
            Self::Http { error: HttpError::Connection { .. } | HttpError::Timeout { .. }, .. }
                | Self::Status { status: 429 | 500..=599, .. }
                | Self::ConsentRefused { .. }
                | Self::UserActionRequired { .. }
                | Self::UnexpectedInput { .. }
                | Self::Csr(_)
                | Self::CsrMismatch { .. }
                | Self::Jws(_)
                | Self::Nonces { .. }
        )
    }

    /// Whether the server itself says that the order is over.
    pub(super) const fn is_over(&self) -> bool {
        matches!(self, Self::OrderInvalid { .. } | Self::OrderExpired | Self::ChallengeFailed { .. })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Brief(Message(self), LONGEST_MESSAGE).fmt(f)
    }
}

/// The whole message, however long the server's texts in it are.
struct Message<'a>(&'a Error);

impl fmt::Display for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.message(f)
    }
}

impl Error {
    fn message(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problem = |f: &mut fmt::Formatter<'_>, problem: &Option<Box<Problem>>| match problem {
            Some(problem) => write!(f, ": {problem}"),
            None => Ok(()),
        };
        match self {
            Self::AccountKey => f.write_str("the ACME account key must be a P-256 key"),
            Self::Url(error) => write!(f, "{error}"),
            Self::ConsentRefused { terms_url } => {
                write!(f, "the terms of service at {terms_url} were not agreed to; nothing was ordered")
            }
            Self::Http { step, error } => write!(f, "{step}: {error}"),
            Self::Redirect { step, status } => {
                write!(f, "{step}: the server redirects (status {status}), which is not followed")
            }
            Self::Status { step, status } => write!(f, "{step}: the server answers with status {status}"),
            Self::Problem { step, problem } => write!(f, "{step}: the CA refuses: {problem}"),
            Self::UserActionRequired { instance, .. } => {
                f.write_str("the CA wants something of you first")?;
                let visit = |url: &String| write!(f, ": visit {}", Brief(url.escape_debug(), 300));
                instance.as_ref().map_or(Ok(()), visit)
            }
            Self::Nonces { step } => write!(f, "{step}: the server refuses every nonce it gives"),
            Self::Json { step, error } => write!(f, "{step}: the server's answer cannot be used: {error}"),
            Self::HeaderMissing { step, name } => {
                write!(f, "{step}: the server's answer has no usable {name}")
            }
            Self::Inconsistent { step, what } => {
                write!(
                    f,
                    "{step}: {what} in the server's answer is not what was asked for or said before; call again to try anew"
                )
            }
            Self::AccountStatus { status } => {
                let status = Brief(status.escape_debug(), 40);
                write!(
                    f,
                    "the CA says that the ACME account is {status}; it issues nothing for it; another account can be opened, and the keys stay"
                )
            }
            Self::ExternalAccountRequired => {
                f.write_str("the CA wants an external account binding; give its key name and key")
            }
            Self::ProfileNotOffered { profile } => write!(f, "the CA does not offer the profile {profile}"),
            Self::NoChallenge { offered } => {
                write!(f, "the CA offers no challenge by mail, only: {}", offered.join(" ").escape_debug())
            }
            Self::NoSubmission { offered } => write!(
                f,
                "the CA wants the token in a way that is not possible here: {}",
                offered.join(" ").escape_debug()
            ),
            Self::Token(error) => write!(f, "the token of the CA's challenge is malformed: {error}"),
            Self::NoChallengeMail { until, refused } => {
                write!(f, "no challenge mail of the CA came until {until}; call again to go on")?;
                let told = Brief(refused.join("; "), 250);
                if refused.is_empty() { Ok(()) } else { write!(f, "; refused mails: {told}") }
            }
            Self::TooManyMails { limit } => {
                write!(
                    f,
                    "more than {limit} challenge mails came and none had the right token; look who sends them"
                )
            }
            Self::ChallengeFailed { orders, problem: said } => {
                write!(f, "the CA did not accept the token, in {orders} orders")?;
                problem(f, said)
            }
            Self::OrderInvalid { problem: said } => {
                f.write_str("the CA declared the order invalid")?;
                problem(f, said)
            }
            Self::OrderExpired => {
                f.write_str("the order expired at the CA before it was done; call again to open another")
            }
            Self::Stuck { step } => write!(f, "{step}: the server goes on answering and nothing moves"),
            Self::Csr(error) => write!(f, "{error}"),
            Self::CsrMismatch { what } => {
                write!(f, "the request that was made has another {what} than was asked for")
            }
            Self::Chain { why } => write!(f, "the certificate chain that the CA sent was not taken: {why}"),
            Self::Certificate(error) => write!(f, "{error}"),
            Self::Jws(error) => write!(f, "{error}"),
            Self::UnexpectedInput { input, step } => {
                write!(f, "{step}: the answer {input} was not asked for")
            }
        }
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Url(error) => Some(error),
            Self::Http { error, .. } => Some(error),
            Self::Json { error, .. } => Some(error),
            Self::Token(error) => Some(error),
            Self::Csr(error) => Some(error),
            Self::Certificate(error) => Some(error),
            Self::Jws(error) => Some(error),
            _ => None,
        }
    }
}

impl From<UrlError> for Error {
    fn from(error: UrlError) -> Self {
        Self::Url(error)
    }
}

impl From<JwsError> for Error {
    fn from(error: JwsError) -> Self {
        Self::Jws(error)
    }
}

/// Why a saved state cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StateError {
    /// Not a saved state, or a damaged one.
    Malformed,
    /// Written by another version.
    Version {
        /// Its version.
        found: u32,
    },
    /// It belongs to another directory or account key.
    Other,
    /// The configuration itself cannot be used.
    Config,
    /// It could not be written.
    Unwritable,
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("the saved state is damaged"),
            Self::Version { found } => write!(f, "the saved state is of version {found}, which is not known"),
            Self::Other => f.write_str("the saved state belongs to another directory or account"),
            Self::Config => f.write_str("the directory URL or the account key cannot be used"),
            Self::Unwritable => f.write_str("the state could not be written"),
        }
    }
}

impl core::error::Error for StateError {}
