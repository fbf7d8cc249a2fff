//! One word for every refusal, for reports and logs that programs read.

use std::fmt;

use crate::dkim::Failure;
use crate::mail::ChallengeRefusal;

impl ChallengeRefusal {
    /// The reason as one kebab-case word; for [`NotAuthentic`](Self::NotAuthentic) that of the failed check.
    #[must_use]
    pub fn word(&self) -> &str {
        match self {
            Self::NotAChallenge => "not-a-challenge",
            Self::Malformed { .. } => "mail-malformed",
            Self::HeaderCount { .. } => "header-count",
            Self::From => "from-not-expected",
            Self::To => "to-not-expected",
            Self::Date => "date-outside-order",
            Self::AutoSubmitted => "not-auto-generated",
            Self::Token(_) => "token-malformed",
            Self::OtherAuthorization => "other-authorization",
            Self::NotAuthentic { why } => why.split_once(':').map_or("not-authentic", |(word, _)| word),
            Self::Temporary { .. } => "temporarily-unknown",
        }
    }
}

/// Why the origin of a mail is not proven.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unproven {
    /// The mail bears no DKIM signature.
    NoSignature,
    /// None of its signatures is of the domain in From.
    OtherDomain {
        /// The domain in From.
        wanted: String,
    },
    /// The signature of that domain failed.
    Failed(Failure),
    /// The signature is right and leaves header fields out that it must cover.
    NotCovered {
        /// Their names.
        names: Vec<String>,
    },
    /// No Authentication-Results field of the trusted server.
    NoResults,
    /// The topmost Authentication-Results field of the trusted server cannot be read.
    ResultsMalformed,
    /// The trusted server did not find a passing DKIM signature of the domain in From.
    NotPassed {
        /// The domain in From.
        wanted: String,
    },
}

impl Unproven {
    /// The reason as one kebab-case word.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::NoSignature => "dkim-no-signature",
            Self::OtherDomain { .. } => "dkim-other-domain",
            Self::Failed(failure) => failure.word(),
            Self::NotCovered { .. } => "dkim-header-not-covered",
            Self::NoResults => "authentication-results-missing",
            Self::ResultsMalformed => "authentication-results-malformed",
            Self::NotPassed { .. } => "authentication-results-not-pass",
        }
    }

    /// Whether the same mail may pass at another try.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::Failed(failure) if failure.is_temporary())
    }
}

impl fmt::Display for Unproven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSignature => f.write_str("the mail has no DKIM signature"),
            Self::OtherDomain { wanted } => write!(f, "no DKIM signature of the mail is of {wanted}"),
            Self::Failed(failure) => failure.fmt(f),
            Self::NotCovered { names } => write!(f, "the DKIM signature does not cover {}", names.join(", ")),
            Self::NoResults => f.write_str("no Authentication-Results of the trusted server"),
            Self::ResultsMalformed => {
                f.write_str("the Authentication-Results of the trusted server cannot be read")
            }
            Self::NotPassed { wanted } => {
                write!(f, "the trusted server found no passing DKIM signature of {wanted}")
            }
        }
    }
}

impl std::error::Error for Unproven {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Failed(failure) => Some(failure),
            _ => None,
        }
    }
}

/// The word, a colon, the sentence; [`ChallengeRefusal::word`] finds the word again.
impl From<Unproven> for ChallengeRefusal {
    fn from(unproven: Unproven) -> Self {
        let why = format!("{}: {unproven}", unproven.word());
        if unproven.is_temporary() { Self::Temporary { why } } else { Self::NotAuthentic { why } }
    }
}
