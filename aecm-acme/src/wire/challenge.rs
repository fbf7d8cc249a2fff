//! Challenges (RFC 8555 §7.1.5, RFC 8823 §3) and their responses.

use aecm_core::time::Time;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Problem, rfc3339, secret};

super::words! {
    /// The kind of proof.
    ChallengeType {
        /// token-part1 by mail, answered by a reply mail (RFC 8823).
        EmailReply00 = "email-reply-00",
        /// token-part1 by mail, the joined token answered over the API (STANDARDS A2).
        EmailToken00 = "email-token-00",
    }
}

super::words! {
    /// The state of a challenge (RFC 8555 §7.1.6).
    ChallengeStatus {
        /// Waits for the client.
        Pending = "pending",
        /// Is being checked.
        Processing = "processing",
        /// Proven.
        Valid = "valid",
        /// Failed; final.
        Invalid = "invalid",
    }
}

/// A challenge object.
///
/// ```json
/// { "type": "email-reply-00", "url": "https://example.com/acme/chall/ABprV_B7yEyA4f",
///   "from": "acme-challenge+2i211oi1204310@example.com", "token": "DGyRejmCefe7v4NfDGDKfA" }
/// ```
///
/// token-part2 alone proves nothing, so it may be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Challenge {
    /// The kind of proof.
    #[serde(rename = "type")]
    pub kind: ChallengeType,
    /// Where the response goes.
    pub url: String,
    /// Its state; RFC 8823's example leaves it out.
    #[serde(default = "pending")]
    pub status: ChallengeStatus,
    /// When it was found valid.
    #[serde(default, with = "rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub validated: Option<Time>,
    /// What went wrong at the last try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Problem>,
    /// token-part2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The address the challenge mail comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

const fn pending() -> ChallengeStatus {
    ChallengeStatus::Pending
}

/// The response object of a challenge: empty for `email-reply-00`, with the joined token (or its digest, A3)
/// in the direct way. It may hold a token and so has no `Debug` (THREATS N9).
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_debug_implementations)]
pub struct ChallengeResponse {
    /// The joined token.
    #[serde(default, with = "secret::option", skip_serializing_if = "Option::is_none")]
    pub token: Option<Zeroizing<String>>,
    /// base64url(SHA-256(key authorization)) instead of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_authorization_digest: Option<String>,
}
