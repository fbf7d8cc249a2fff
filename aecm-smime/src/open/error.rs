//! Why a mail could not be opened.

use core::fmt;

use crate::decrypt::DecryptError;
use crate::error::Error;
use crate::mime::MimeError;

/// Why a mail could not be opened.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum OpenError {
    /// The mail cannot be read as MIME.
    Mime(MimeError),
    /// A CMS message inside cannot be evaluated.
    Cms(Error),
    /// A layer could not be decrypted. `DecryptError` tells no more than it may (THREATS E1).
    Decrypt(DecryptError),
    /// More layers of encryption and signature than the limit.
    TooManyLayers {
        /// Layers allowed.
        limit: usize,
    },
}

impl OpenError {
    /// Whether there is more of something than [`Limits`](aecm_core::limits::Limits) allows.
    #[must_use]
    pub const fn is_limit(&self) -> bool {
        match self {
            Self::Mime(source) => source.is_limit(),
            Self::Cms(source) => source.is_limit(),
            Self::Decrypt(source) => source.is_limit(),
            Self::TooManyLayers { .. } => true,
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mime(source) => write!(f, "the mail cannot be read: {source}"),
            Self::Cms(source) => write!(f, "the S/MIME message cannot be evaluated: {source}"),
            Self::Decrypt(source) => write!(f, "the mail cannot be decrypted: {source}"),
            Self::TooManyLayers { limit } => {
                write!(f, "the mail has more than {limit} layers of encryption and signature")
            }
        }
    }
}

impl core::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Mime(source) => Some(source),
            Self::Cms(source) => Some(source),
            Self::Decrypt(source) => Some(source),
            Self::TooManyLayers { .. } => None,
        }
    }
}

impl From<MimeError> for OpenError {
    fn from(source: MimeError) -> Self {
        Self::Mime(source)
    }
}

impl From<Error> for OpenError {
    fn from(source: Error) -> Self {
        Self::Cms(source)
    }
}

impl From<DecryptError> for OpenError {
    fn from(source: DecryptError) -> Self {
        Self::Decrypt(source)
    }
}
