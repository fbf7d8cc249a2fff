//! Bringing the encrypting keys of a mailbox to another device of its owner (`meta.aecm.newTransfer`).
//!
//! The service only carries: what stands in `request` and `response` is CMS between the devices, which each of
//! them verifies for itself.

use aecm_core::time::Time;
use serde::{Deserialize, Serialize};

use super::{Identifier, rfc3339};

super::words! {
    /// The state of a transfer.
    TransferStatus {
        /// No device has answered yet.
        Pending = "pending",
        /// The keys are there to be fetched.
        Answered = "answered",
        /// The requesting device has them.
        Done = "done",
        /// A device that holds the keys refused.
        Refused = "refused",
        /// Nobody answered in time.
        Expired = "expired",
    }
}

super::words! {
    /// Who is asked.
    TransferSource {
        /// Another device of the owner.
        Device = "device",
        /// The escrow of the service.
        Escrow = "escrow",
    }
}

/// The payload of newTransfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewTransfer {
    /// base64url of the CMS that holds a [`TransferRequest`].
    pub request: String,
}

/// A transfer object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// Its state.
    pub status: TransferStatus,
    /// The mailbox.
    pub identifier: Identifier,
    /// The name the requesting device gives itself.
    pub device: String,
    /// SHA-256 of the transport key's SubjectPublicKeyInfo, in hexadecimal: what the user compares.
    pub fingerprint: String,
    /// When the service took the request.
    #[serde(with = "rfc3339")]
    pub created: Time,
    /// When it ends.
    #[serde(with = "rfc3339")]
    pub expires: Time,
    /// base64url of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// base64url of the answer: only for the account that asked, only once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<String>,
    /// Its URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// The transfers that await an answer of this account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferList {
    /// The transfers, without responses.
    pub transfers: Vec<Transfer>,
}

/// A post to a transfer: `response` by a device that holds the keys, `status` `refused` by it or `done` by the
/// one that asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferAnswer {
    /// base64url of the CMS that holds the keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<String>,
    /// The new state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<TransferStatus>,
}

/// What a device signs to ask for the keys: the content of the request's SignedData, JSON in UTF-8.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TransferRequest {
    /// 1.
    pub version: u32,
    /// [`TransferRequest::KIND`].
    pub kind: String,
    /// URL of the ACME directory.
    pub directory: String,
    /// The mailbox.
    pub mailbox: String,
    /// The name of the device.
    pub device: String,
    /// base64url of the SubjectPublicKeyInfo that the keys are to be encrypted to, SM2 or RSA.
    pub transport_key: String,
    /// The words of the suites whose keys are asked for.
    pub suites: Vec<String>,
    /// base64url of 16 random octets: no two requests are equal.
    pub nonce: String,
    /// When the device wrote it.
    #[serde(with = "rfc3339")]
    pub created: Time,
    /// Who is asked.
    pub source: TransferSource,
}

impl TransferRequest {
    /// The value of [`kind`](Self::kind).
    pub const KIND: &'static str = "transfer-request";
    /// The value of [`version`](Self::version).
    pub const VERSION: u32 = 1;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transfer_is_read_and_unknown_states_survive() {
        let text = r#"{"status":"sleeping","identifier":{"type":"email","value":"alice@example.com"},
            "device":"laptop-1","fingerprint":"00ff","created":"2026-11-23T22:00:00Z",
            "expires":"2026-11-30T22:00:00Z","request":"AA","url":"https://a/t/1","more":[1]}"#;
        let transfer: Transfer = serde_json::from_str(text).unwrap();
        assert_eq!(transfer.status, TransferStatus::Other("sleeping".into()));
        assert_eq!(transfer.created, Time::from_rfc3339("2026-11-23T22:00:00Z").unwrap());
        assert_eq!(transfer.response, None);
        let again: Transfer = serde_json::from_str(&serde_json::to_string(&transfer).unwrap()).unwrap();
        assert_eq!(again, transfer);
        assert!(serde_json::from_str::<Transfer>(r#"{"status":"pending"}"#).is_err());
    }

    #[test]
    fn answers_carry_what_they_say_and_no_more() {
        let done = TransferAnswer { status: Some(TransferStatus::Done), ..TransferAnswer::default() };
        assert_eq!(serde_json::to_string(&done).unwrap(), r#"{"status":"done"}"#);
    }
}
