//! Authorizations (RFC 8555 §7.1.4).

use aecm_core::time::Time;
use serde::{Deserialize, Serialize};

use super::{Challenge, Identifier, rfc3339};

super::words! {
    /// The state of an authorization (RFC 8555 §7.1.6).
    AuthorizationStatus {
        /// A challenge is outstanding.
        Pending = "pending",
        /// Proven.
        Valid = "valid",
        /// A challenge failed; final.
        Invalid = "invalid",
        /// Given up by the client; final.
        Deactivated = "deactivated",
        /// Out of date; final.
        Expired = "expired",
        /// Withdrawn by the server; final.
        Revoked = "revoked",
    }
}

/// An authorization object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Authorization {
    /// What is being proven.
    pub identifier: Identifier,
    /// Its state.
    pub status: AuthorizationStatus,
    /// Until when it counts.
    #[serde(default, with = "rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub expires: Option<Time>,
    /// The ways to prove it.
    pub challenges: Vec<Challenge>,
    /// Whether it is for a wildcard; never for a mailbox.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub wildcard: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{ChallengeStatus, ChallengeType};

    // RFC 8555 §7.1.4's example, with a challenge type of the future.
    #[test]
    fn the_example_is_read_and_unknown_challenges_survive() {
        let authorization: Authorization = serde_json::from_str(
            r#"{"status":"valid","expires":"2015-03-01T14:09:07.99Z",
                "identifier":{"type":"dns","value":"www.example.org"},
                "challenges":[
                  {"url":"https://example.com/acme/chall/prV_B7yEyA4","type":"http-01","status":"valid",
                   "token":"DGyRejmCefe7v4NfDGDKfA","validated":"2014-12-01T12:05:58.16Z"},
                  {"url":"https://example.com/acme/chall/2","type":"telepathy-07","status":"dreaming"}],
                "wildcard":false}"#,
        )
        .unwrap();
        assert_eq!(authorization.status, AuthorizationStatus::Valid);
        assert_eq!(authorization.challenges.len(), 2);
        assert_eq!(authorization.challenges[1].kind, ChallengeType::Other("telepathy-07".into()));
        assert_eq!(authorization.challenges[1].status, ChallengeStatus::Other("dreaming".into()));
        assert!(serde_json::to_string(&authorization).unwrap().contains("telepathy-07"));
    }

    // RFC 8823 §3.1's challenge object.
    #[test]
    fn the_mail_challenge_is_read() {
        let challenge: Challenge = serde_json::from_str(
            r#"{"type":"email-reply-00","url":"https://example.com/acme/chall/ABprV_B7yEyA4f",
                "status":"pending","from":"acme-challenge+2i211oi1204310@example.com",
                "token":"DGyRejmCefe7v4NfDGDKfA"}"#,
        )
        .unwrap();
        assert_eq!(challenge.kind, ChallengeType::EmailReply00);
        assert_eq!(challenge.from.as_deref(), Some("acme-challenge+2i211oi1204310@example.com"));
        assert_eq!(challenge.token.as_deref(), Some("DGyRejmCefe7v4NfDGDKfA"));
    }
}
