//! Problem documents (RFC 7807, RFC 8555 §6.7).

use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Identifier;
use crate::brief::Brief;

const ACME: &str = "urn:ietf:params:acme:error:";
const AECM: &str = "urn:aecm:error:";

macro_rules! problem_types {
    ($($(#[$doc:meta])* $variant:ident = $prefix:ident $word:literal,)*) => {
        /// What kind of problem a server reports.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ProblemType {
            $($(#[$doc])* $variant,)*
            /// Any other URI, as it came; `about:blank` where there was none.
            Other(String),
        }

        impl ProblemType {
            /// The URI.
            #[must_use]
            pub fn uri(&self) -> String {
                match self {
                    $(Self::$variant => format!("{}{}", $prefix, $word),)*
                    Self::Other(uri) => uri.clone(),
                }
            }

            /// The inverse of [`ProblemType::uri`].
            #[must_use]
            pub fn from_uri(uri: &str) -> Self {
                $(if uri.strip_prefix($prefix) == Some($word) { return Self::$variant; })*
                Self::Other(uri.to_owned())
            }
        }

        #[cfg(test)]
        const ALL: &[ProblemType] = &[$(ProblemType::$variant,)*];
    };
}

problem_types! {
    /// The account is not known.
    AccountDoesNotExist = ACME "accountDoesNotExist",
    /// The certificate that is to be replaced was replaced already (RFC 9773).
    AlreadyReplaced = ACME "alreadyReplaced",
    /// The certificate was revoked already.
    AlreadyRevoked = ACME "alreadyRevoked",
    /// The CSR is not acceptable.
    BadCsr = ACME "badCSR",
    /// The nonce was not acceptable.
    BadNonce = ACME "badNonce",
    /// A key the server does not take: of a JWS, or the one that is to be certified.
    BadPublicKey = ACME "badPublicKey",
    /// The revocation reason is not allowed.
    BadRevocationReason = ACME "badRevocationReason",
    /// The JWS algorithm is not supported.
    BadSignatureAlgorithm = ACME "badSignatureAlgorithm",
    /// CAA records forbid the issue.
    Caa = ACME "caa",
    /// See the subproblems.
    Compound = ACME "compound",
    /// The server could not connect to what it validates.
    Connection = ACME "connection",
    /// A DNS query failed.
    Dns = ACME "dns",
    /// The account must name an external account.
    ExternalAccountRequired = ACME "externalAccountRequired",
    /// The response to the challenge is wrong.
    IncorrectResponse = ACME "incorrectResponse",
    /// A contact URL is invalid.
    InvalidContact = ACME "invalidContact",
    /// The profile is not offered (draft-ietf-acme-profiles).
    InvalidProfile = ACME "invalidProfile",
    /// The request is malformed.
    Malformed = ACME "malformed",
    /// The order is not ready to be finalized.
    OrderNotReady = ACME "orderNotReady",
    /// Too many requests.
    RateLimited = ACME "rateLimited",
    /// The server will not certify that identifier.
    RejectedIdentifier = ACME "rejectedIdentifier",
    /// The server failed.
    ServerInternal = ACME "serverInternal",
    /// TLS failed during validation.
    Tls = ACME "tls",
    /// The client lacks authorization.
    Unauthorized = ACME "unauthorized",
    /// The contact URL has an unsupported scheme.
    UnsupportedContact = ACME "unsupportedContact",
    /// The identifier type is not supported.
    UnsupportedIdentifier = ACME "unsupportedIdentifier",
    /// The user must visit `instance` first.
    UserActionRequired = ACME "userActionRequired",
    /// The mailbox already has an active encrypting key; `instance` says where it can be asked for.
    EncryptionKeyExists = AECM "encryptionKeyExists",
    /// Nothing is kept in escrow for that mailbox.
    NothingEscrowed = AECM "nothingEscrowed",
    /// The authorization took five wrong tokens and is dead.
    TooManyTokens = AECM "tooManyTokens",
}

impl fmt::Display for ProblemType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.uri())
    }
}

impl Serialize for ProblemType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.uri())
    }
}

impl<'de> Deserialize<'de> for ProblemType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from_uri(&String::deserialize(deserializer)?))
    }
}

fn blank() -> ProblemType {
    ProblemType::Other("about:blank".to_owned())
}

/// How much is shown of a text for people, of a type or an identifier, and of subproblems.
const SHOWN_DETAIL: usize = 200;
const SHOWN_TYPE: usize = 80;
const SHOWN_SUBPROBLEMS: usize = 3;

/// A problem document. `detail` is a foreign text: show it to the operator as plain text, never as markup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// What kind of problem.
    #[serde(rename = "type", default = "blank")]
    pub kind: ProblemType,
    /// Its name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What happened this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The HTTP status, repeated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// A URL about this occurrence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// With badSignatureAlgorithm: what the server takes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub algorithms: Vec<String>,
    /// With encryptionKeyExists: base64url of the DER of the certificate in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// With encryptionKeyExists: base64url of the DER of each certificate above it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<String>,
    /// The single problems (RFC 8555 §6.7.1).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subproblems: Vec<Subproblem>,
}

/// One of several problems.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subproblem {
    /// What kind of problem.
    #[serde(rename = "type", default = "blank")]
    pub kind: ProblemType,
    /// What happened this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The identifier it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifier: Option<Identifier>,
}

impl Problem {
    /// A problem of that kind with a text for people.
    #[must_use]
    pub fn new(kind: ProblemType, detail: impl Into<String>) -> Self {
        Self {
            kind,
            title: None,
            detail: Some(detail.into()),
            status: None,
            instance: None,
            algorithms: Vec::new(),
            certificate: None,
            chain: Vec::new(),
            subproblems: Vec::new(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = |kind: &ProblemType| Brief(kind.uri().escape_debug().to_string(), SHOWN_TYPE);
        write!(f, "{}", kind(&self.kind))?;
        if let Some(detail) = self.detail.as_ref().or(self.title.as_ref()) {
            write!(f, ": {}", Brief(detail.escape_debug(), SHOWN_DETAIL))?;
        }
        for sub in self.subproblems.iter().take(SHOWN_SUBPROBLEMS) {
            write!(f, "; {}", kind(&sub.kind))?;
            if let Some(identifier) = &sub.identifier {
                write!(f, " for {}", Brief(identifier.value.escape_debug(), SHOWN_TYPE))?;
            }
            if let Some(detail) = &sub.detail {
                write!(f, ": {}", Brief(detail.escape_debug(), SHOWN_TYPE))?;
            }
        }
        match self.subproblems.len().saturating_sub(SHOWN_SUBPROBLEMS) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_its_uri() {
        for kind in ALL {
            assert_eq!(&ProblemType::from_uri(&kind.uri()), kind);
        }
        assert_eq!(ProblemType::BadCsr.uri(), "urn:ietf:params:acme:error:badCSR");
        assert_eq!(ProblemType::EncryptionKeyExists.uri(), "urn:aecm:error:encryptionKeyExists");
    }

    // RFC 8555 §6.7.1's example; N5: subproblems and unknown types are kept.
    #[test]
    fn the_compound_example_is_read() {
        let problem: Problem = serde_json::from_str(
            r#"{"type":"urn:ietf:params:acme:error:malformed","detail":"Some of the identifiers requested were rejected",
              "subproblems":[
                {"type":"urn:ietf:params:acme:error:malformed","detail":"Invalid underscore in DNS name \"_example.org\"",
                 "identifier":{"type":"dns","value":"_example.org"}},
                {"type":"urn:example:new","detail":"This CA will not issue for \"example.net\"",
                 "identifier":{"type":"dns","value":"example.net"}}]}"#,
        )
        .unwrap();
        assert_eq!(problem.kind, ProblemType::Malformed);
        assert_eq!(problem.subproblems.len(), 2);
        assert_eq!(problem.subproblems[1].kind, ProblemType::Other("urn:example:new".into()));
        assert!(problem.to_string().contains("urn:example:new for example.net"));
        let again: Problem = serde_json::from_str(&serde_json::to_string(&problem).unwrap()).unwrap();
        assert_eq!(again, problem);
    }

    // N5: control characters of a foreign text do not reach a terminal.
    #[test]
    fn details_are_escaped() {
        let problem = Problem::new(ProblemType::Malformed, "\u{1b}[31mred\r\nINFO forged");
        let shown = problem.to_string();
        assert!(!shown.contains('\u{1b}') && !shown.contains('\n'), "{shown:?}");
    }

    #[test]
    fn a_problem_without_type_is_blank() {
        let problem: Problem = serde_json::from_str("{}").unwrap();
        assert_eq!(problem.kind, ProblemType::Other("about:blank".into()));
    }
}
