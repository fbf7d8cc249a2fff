//! Why a MIME entity was not read or written.

use core::fmt;

use aecm_core::header::HeaderError;

use super::CmsKind;

/// Why a MIME entity was not read or written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MimeError {
    /// The header cannot be read.
    Header(HeaderError),
    /// A header field that must stand once stands twice, or has a value that cannot be read.
    Field {
        /// The field name.
        name: String,
        /// What is wrong.
        why: &'static str,
    },
    /// The message has more octets than the limit.
    TooLarge {
        /// Octets found.
        found: usize,
        /// Octets allowed.
        limit: usize,
    },
    /// More parts than the limit.
    TooManyParts {
        /// Parts allowed in one message.
        limit: usize,
    },
    /// Parts nested deeper than the limit.
    TooDeep {
        /// Levels allowed.
        limit: usize,
    },
    /// A multipart whose boundary is absent, given twice, empty or longer than 70.
    Boundary {
        /// What is wrong.
        why: &'static str,
    },
    /// multipart/signed that is not two parts, the second one the signature (RFC 1847 §2.1, THREATS M4).
    MultipartSigned {
        /// What is wrong.
        why: &'static str,
    },
    /// The body is not what its Content-Transfer-Encoding says, or that is unknown.
    TransferEncoding {
        /// The encoding.
        encoding: &'static str,
    },
    /// The body of application/pkcs7-mime is no CMS.
    NotCms,
    /// A header has octets above 127 or control characters, which cannot be signed and sent safely.
    HeaderNotAscii {
        /// The field name, as far as it can be read.
        name: String,
    },
    /// A part is not 7-bit and may not be changed: it is signed by somebody, or of a type that forbids
    /// encodings.
    NotSevenBit {
        /// The type of the part.
        content_type: String,
    },
    /// The message to be protected already says `hp=`.
    AlreadyProtected,
    /// A kind of CMS that has no MIME form here.
    NoMimeForm {
        /// The kind.
        kind: CmsKind,
    },
    /// No boundary could be drawn: the random source failed or repeats itself.
    Rng,
}

impl MimeError {
    /// Whether there is more of something than [`Limits`](aecm_core::limits::Limits) allows.
    #[must_use]
    pub const fn is_limit(&self) -> bool {
        matches!(
            self,
            Self::TooLarge { .. }
                | Self::TooManyParts { .. }
                | Self::TooDeep { .. }
                | Self::Header(HeaderError::TooLarge { .. } | HeaderError::TooMany { .. })
        )
    }
}

impl fmt::Display for MimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(source) => write!(f, "the header cannot be read: {source}"),
            Self::Field { name, why } => write!(f, "header field {name}: {why}"),
            Self::TooLarge { found, limit } => {
                write!(f, "the message has {found} octets, the limit is {limit}; raise Limits::message_bytes")
            }
            Self::TooManyParts { limit } => write!(f, "the message has more than {limit} MIME parts"),
            Self::TooDeep { limit } => write!(f, "MIME parts are nested deeper than {limit}"),
            Self::Boundary { why } => write!(f, "a multipart cannot be divided: {why}"),
            Self::MultipartSigned { why } => write!(f, "multipart/signed is not as RFC 1847 has it: {why}"),
            Self::TransferEncoding { encoding } => {
                write!(f, "the body is not in the transfer encoding {encoding} it should be in")
            }
            Self::NotCms => f.write_str("the body of application/pkcs7-mime is not a CMS message"),
            Self::HeaderNotAscii { name } => {
                write!(
                    f,
                    "header field {name} has octets other than printable ASCII; encode it by RFC 2047 first"
                )
            }
            Self::NotSevenBit { content_type } => {
                write!(
                    f,
                    "a part of type {content_type} is not 7-bit and may not be re-encoded; attach it as base64"
                )
            }
            Self::AlreadyProtected => {
                f.write_str("the message already has protected headers (hp=); protect the original instead")
            }
            Self::NoMimeForm { kind } => write!(f, "{kind} has no MIME form here"),
            Self::Rng => f.write_str("the random number source failed; no MIME boundary could be drawn"),
        }
    }
}

impl core::error::Error for MimeError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Header(source) => Some(source),
            _ => None,
        }
    }
}

impl From<HeaderError> for MimeError {
    fn from(source: HeaderError) -> Self {
        Self::Header(source)
    }
}
