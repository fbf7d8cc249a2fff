//! Giving encrypting keys to the service for safe keeping (`meta.aecm.escrow`): never without consent.

use aecm_core::time::Time;
use serde::{Deserialize, Serialize};

use super::{Identifier, rfc3339};

/// The payload of a post to the escrow.
///
/// ```json
/// { "identifier": {"type": "email", "value": "alice@example.com"}, "package": "<base64url of CMS>",
///   "consent": {"terms": "https://…", "sha256": null, "agreedAt": "2026-11-23T22:00:00Z"} }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escrow {
    /// The mailbox.
    pub identifier: Identifier,
    /// base64url of the CMS that holds the keys, encrypted to the escrow's certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// What the user agreed to; with every package.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<EscrowConsent>,
    /// Withdraws what is kept.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub delete: bool,
}

/// That the user agreed to the escrow of the mailbox's encrypting keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EscrowConsent {
    /// URL of the terms.
    pub terms: String,
    /// SHA-256 of the document that the user saw, in hexadecimal, where the embedder fetched it.
    pub sha256: Option<String>,
    /// When the user agreed.
    #[serde(with = "rfc3339")]
    pub agreed_at: Time,
}
