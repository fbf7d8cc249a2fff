//! The JSON objects of ACME, for clients and servers: RFC 8555 §7, RFC 8823 §4, the profiles draft, and the
//! `aecm` object of our own in the directory's `meta`.
//!
//! Unknown members are dropped, unknown words survive as `Other(String)`, and nothing is parsed before the
//! text was held against [`Limits`] (THREATS N4).

pub mod account;
pub mod authorization;
pub mod certificates;
pub mod challenge;
pub mod device;
pub mod directory;
pub mod escrow;
pub mod event;
pub mod identifier;
pub mod order;
pub mod problem;
pub mod renewal;
pub mod revocation;
pub mod transfer;

use core::fmt;

use aecm_core::limits::Limits;
use aecm_core::time::Time;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serializer};

pub use account::{Account, AccountStatus, NewAccount};
pub use authorization::{Authorization, AuthorizationStatus};
pub use certificates::{AnchorList, CertificateList};
pub use challenge::{Challenge, ChallengeResponse, ChallengeStatus, ChallengeType};
pub use device::{Device, DeviceList};
pub use directory::{AecmMeta, BySuite, Directory, EscrowMeta, Meta, TokenForm, TokenSubmission};
pub use escrow::{Escrow, EscrowConsent};
pub use event::{Event, EventAccount, EventKind, EventList};
pub use identifier::{Identifier, IdentifierType};
pub use order::{Finalize, NewOrder, NewOrderAecm, Order, OrderStatus};
pub use problem::{Problem, ProblemType, Subproblem};
pub use renewal::{RenewalInfo, RenewalWindow, certificate_identifier};
pub use revocation::{RevocationReason, Revoke};
pub use transfer::{
    NewTransfer, Transfer, TransferAnswer, TransferList, TransferRequest, TransferSource, TransferStatus,
};

/// An enumeration of words, with room for words we do not know (DESIGN rule 7).
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
            /// A word this version does not know, as it came.
            Other(String),
        }

        impl $name {
            /// The word on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Other(word) => word,
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                match word {
                    $($word => Self::$variant,)*
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                Ok(Self::from(word.as_ref()))
            }
        }
    };
}
pub(crate) use words;

/// Why a text is not the JSON object that was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JsonError {
    /// More octets than the limit (N4).
    TooLarge {
        /// How many came.
        octets: usize,
        /// How many are accepted.
        limit: usize,
    },
    /// Nested deeper than the limit (N4).
    TooDeep {
        /// How deep is accepted.
        limit: usize,
    },
    /// Not JSON, or not that object.
    Syntax {
        /// What the parser said; it names the member and the place, never the value.
        detail: String,
    },
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { octets, limit } => {
                write!(f, "a JSON text of {octets} octets exceeds the limit of {limit}")
            }
            Self::TooDeep { limit } => write!(f, "a JSON text is nested deeper than {limit} levels"),
            Self::Syntax { detail } => write!(f, "not the expected JSON object: {detail}"),
        }
    }
}

impl core::error::Error for JsonError {}

/// Parses one JSON text after holding its size and depth against `limits` (`acme_json_bytes`,
/// `acme_json_depth`).
///
/// # Errors
/// [`JsonError`] when a limit is passed or the text is not a `T`.
pub fn parse<T: DeserializeOwned>(text: &[u8], limits: &Limits) -> Result<T, JsonError> {
    if text.len() > limits.acme_json_bytes {
        return Err(JsonError::TooLarge { octets: text.len(), limit: limits.acme_json_bytes });
    }
    if depth(text) > limits.acme_json_depth {
        return Err(JsonError::TooDeep { limit: limits.acme_json_depth });
    }
    serde_json::from_slice(text).map_err(|error| JsonError::Syntax {
        // serde_json quotes the offending value in some messages; only place and kind are kept.
        detail: format!("{:?} error at line {} column {}", error.classify(), error.line(), error.column()),
    })
}

/// How deep objects and arrays are nested, strings left out of account. No recursion.
fn depth(text: &[u8]) -> usize {
    let (mut now, mut most) = (0usize, 0usize);
    let (mut in_string, mut escaped) = (false, false);
    for &byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => {
                now += 1;
                most = most.max(now);
            }
            b'}' | b']' => now = now.saturating_sub(1),
            _ => {}
        }
    }
    most
}

/// The bounds for an answer that carries key packages: one CMS object has at most [`PACKAGE_BYTES`] octets.
#[must_use]
pub fn package_limits(limits: &Limits) -> Limits {
    let mut wider = limits.clone();
    // base64url takes 4 octets for 3; a list of requests is bounded like one package.
    wider.acme_json_bytes = limits.acme_json_bytes.saturating_add(PACKAGE_BYTES / 3 * 4 + 4);
    wider
}

/// Octets of one CMS object of a transfer or of escrow: 256 KiB.
pub const PACKAGE_BYTES: usize = 256 << 10;

/// RFC 3339 times in JSON.
pub(crate) mod rfc3339 {
    use super::{Deserialize, Deserializer, Serializer, Time};

    pub(crate) fn serialize<S: Serializer>(time: &Time, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(time)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
        let text = String::deserialize(deserializer)?;
        Time::from_rfc3339(&text).ok_or_else(|| serde::de::Error::custom("not an RFC 3339 time"))
    }

    pub(crate) mod option {
        use super::{Deserialize, Deserializer, Serializer, Time};

        pub(crate) fn serialize<S: Serializer>(
            time: &Option<Time>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            match time {
                Some(time) => serializer.collect_str(time),
                None => serializer.serialize_none(),
            }
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<Time>, D::Error> {
            let text = Option::<String>::deserialize(deserializer)?;
            text.map(|text| {
                Time::from_rfc3339(&text).ok_or_else(|| serde::de::Error::custom("not an RFC 3339 time"))
            })
            .transpose()
        }
    }
}

/// Texts that are wiped when dropped.
pub(crate) mod secret {
    pub(crate) mod option {
        use serde::{Deserialize, Deserializer, Serialize, Serializer};
        use zeroize::Zeroizing;

        pub(crate) fn serialize<S: Serializer>(
            text: &Option<Zeroizing<String>>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            text.as_ref().map(|text| text.as_str()).serialize(serializer)
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<Zeroizing<String>>, D::Error> {
            Ok(Option::<String>::deserialize(deserializer)?.map(Zeroizing::new))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // N4: size and depth are checked before anything is built.
    #[test]
    fn caps_come_before_parsing() {
        let limits = Limits::default();
        let large = vec![b' '; limits.acme_json_bytes + 1];
        assert!(matches!(parse::<serde_json::Value>(&large, &limits), Err(JsonError::TooLarge { .. })));
        let deep = "[".repeat(limits.acme_json_depth + 1);
        assert!(matches!(
            parse::<serde_json::Value>(deep.as_bytes(), &limits),
            Err(JsonError::TooDeep { .. })
        ));
        let just = format!("{}{}", "[".repeat(limits.acme_json_depth), "]".repeat(limits.acme_json_depth));
        assert!(parse::<serde_json::Value>(just.as_bytes(), &limits).is_ok());
        let brackets_in_a_string = format!(r#"{{"a":"{}\"{}"}}"#, "[".repeat(40), "{".repeat(40));
        assert!(parse::<serde_json::Value>(brackets_in_a_string.as_bytes(), &limits).is_ok());
    }

    // N9: a parse error repeats nothing of what it read.
    #[test]
    fn errors_do_not_quote_values() {
        let error = parse::<Order>(br#"{"status":{"secret-value":1}}"#, &Limits::default()).unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
