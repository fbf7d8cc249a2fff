//! What became of the signatures of a mail.

use std::fmt;

use super::key_record::KeyRecordError;
use super::signature::{Signature, SignatureError};

/// The modulus below which a key is called weak, in bits (RFC 8301 §3.2).
pub const STRONG_KEY_BITS: usize = 2048;

/// A header field name that a signature covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Covered {
    /// The name, lower case.
    pub name: String,
    /// How many fields of that name the mail has that this signature covers.
    pub fields: usize,
    /// How many fields of that name the mail has that this signature does not cover.
    pub uncovered: usize,
    /// Whether one more field of that name would break the signature (oversigning, §8.15).
    pub oversigned: bool,
}

/// What became of every signature of a mail.
#[derive(Clone, Debug)]
pub struct Report {
    /// The signatures from the top, at most [`MAX_SIGNATURES`](super::MAX_SIGNATURES).
    pub signatures: Vec<SignatureReport>,
    /// How many more DKIM-Signature fields there were.
    pub ignored: usize,
    /// Whether the mail had bare LF line ends, which were taken for CRLF.
    pub bare_lf: bool,
}

/// What became of one signature.
#[derive(Clone, Debug)]
pub struct SignatureReport {
    /// What the signature says; absent where it could not be read.
    pub signature: Option<Signature>,
    /// The header fields it covers, each name once.
    pub covered: Vec<Covered>,
    /// The verdict.
    pub outcome: Result<Pass, Failure>,
}

/// A signature that is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pass {
    /// The size of the key, in bits.
    pub key_bits: usize,
    /// Whether that is below [`STRONG_KEY_BITS`].
    pub weak_key: bool,
}

/// Why a signature does not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// The DKIM-Signature field itself is void.
    Signature(SignatureError),
    /// `t=` lies in the future.
    SignedInTheFuture,
    /// `x=` is past.
    Expired,
    /// `l=` is not the length of the canonical body: something could be, or was, appended (THREATS C2).
    BodyLength,
    /// `bh=` is not the hash of the body: the body was changed.
    BodyHash,
    /// The name of the key has no TXT records.
    NoKey {
        /// The name.
        name: String,
    },
    /// The resolver did not answer; the mail may be tried again.
    Resolver {
        /// The name.
        name: String,
        /// What the resolver said.
        detail: String,
    },
    /// The key record gives no key.
    KeyRecord(KeyRecordError),
    /// The domain is testing DKIM (`t=y`): nothing is proven (THREATS C1).
    Testing,
    /// The key record wants `i=` to be of `d=` itself (`t=s`), and it is of a name under it.
    AgentDomain,
    /// The key is shorter than the policy allows.
    ShortKey {
        /// Its size, in bits.
        bits: usize,
    },
    /// The signature value is not right: a covered header field was changed, or another key signed.
    Value,
}

impl Failure {
    /// The reason as one kebab-case word.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Signature(error) => error.word(),
            Self::SignedInTheFuture => "dkim-signed-in-the-future",
            Self::Expired => "dkim-expired",
            Self::BodyLength => "dkim-body-length",
            Self::BodyHash => "dkim-body-changed",
            Self::NoKey { .. } => "dkim-no-key",
            Self::Resolver { .. } => "dkim-resolver",
            Self::KeyRecord(error) => error.word(),
            Self::Testing => "dkim-testing",
            Self::AgentDomain => "dkim-agent-outside-domain",
            Self::ShortKey { .. } => "dkim-key-too-short",
            Self::Value => "dkim-signature-wrong",
        }
    }

    /// Whether another try may end otherwise.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::Resolver { .. })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signature(error) => error.fmt(f),
            Self::SignedInTheFuture => {
                f.write_str("the DKIM signature was made in the future; check the clock")
            }
            Self::Expired => f.write_str("the DKIM signature has expired"),
            Self::BodyLength => {
                f.write_str("the DKIM signature covers another length than the body has (l=)")
            }
            Self::BodyHash => f.write_str("the body is not the one that was signed"),
            Self::NoKey { name } => write!(f, "there is no DKIM key at {name}"),
            Self::Resolver { name, detail } => {
                write!(f, "the DKIM key at {name} could not be looked up: {detail}")
            }
            Self::KeyRecord(error) => error.fmt(f),
            Self::Testing => f.write_str("the domain is only testing DKIM (t=y)"),
            Self::AgentDomain => f.write_str("the DKIM key is not for names under its domain (t=s)"),
            Self::ShortKey { bits } => write!(f, "the DKIM key has only {bits} bits"),
            Self::Value => f.write_str("a signed header field was changed, or another key signed"),
        }
    }
}

impl std::error::Error for Failure {}

impl Report {
    /// The first signature that passes and that `wanted` likes.
    #[must_use]
    pub fn passing(&self, wanted: impl Fn(&Signature) -> bool) -> Option<&SignatureReport> {
        self.signatures
            .iter()
            .find(|report| report.outcome.is_ok() && report.signature.as_ref().is_some_and(&wanted))
    }
}

impl SignatureReport {
    /// Whether every field of that (lower-case) name is covered: it is in `h=`, as often as the mail has it.
    /// A name the mail does not have is covered where `h=` names it all the same.
    #[must_use]
    pub fn covers(&self, name: &str) -> bool {
        self.covered.iter().any(|covered| covered.name == name && covered.uncovered == 0)
    }
}
