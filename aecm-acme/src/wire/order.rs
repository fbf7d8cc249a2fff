//! Orders (RFC 8555 §7.1.3, §7.4).

use aecm_core::time::Time;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Identifier, Problem, rfc3339, secret};

super::words! {
    /// The state of an order (RFC 8555 §7.1.6).
    OrderStatus {
        /// Authorizations are outstanding.
        Pending = "pending",
        /// Authorized; the CSR is awaited.
        Ready = "ready",
        /// The certificate is being issued.
        Processing = "processing",
        /// Issued.
        Valid = "valid",
        /// Failed; final.
        Invalid = "invalid",
    }
}

/// An order object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// Its state.
    pub status: OrderStatus,
    /// When the server drops it.
    #[serde(default, with = "rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub expires: Option<Time>,
    /// What is to be certified.
    pub identifiers: Vec<Identifier>,
    /// Asked start of validity.
    #[serde(default, with = "rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Time>,
    /// Asked end of validity.
    #[serde(default, with = "rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Time>,
    /// The profile (draft-ietf-acme-profiles).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The certificate this one follows (RFC 9773 §5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// Why it became invalid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Problem>,
    /// URLs of the authorizations; they never change.
    pub authorizations: Vec<String>,
    /// Where the CSR goes.
    pub finalize: String,
    /// Where the certificate is, once valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
}

/// The payload of newOrder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewOrder {
    /// What is to be certified.
    pub identifiers: Vec<Identifier>,
    /// Asked start of validity.
    #[serde(default, with = "rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Time>,
    /// Asked end of validity.
    #[serde(default, with = "rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Time>,
    /// The profile, one the directory names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The certificate this one follows (RFC 9773 §5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// What AECM adds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aecm: Option<NewOrderAecm>,
}

/// `aecm` in newOrder.
///
/// ```json
/// { "device": "laptop-1" }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewOrderAecm {
    /// The name that the device gives itself: at most 64 octets of printable ASCII. The service remembers it for
    /// the account and the mailbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

/// The payload of finalize: a CSR, and in the AECM way the joined token beside it (STANDARDS A2, A3).
///
/// It may hold a token and so has no `Debug` (THREATS N9).
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_debug_implementations)]
pub struct Finalize {
    /// base64url of the DER of a PKCS#10 request.
    pub csr: String,
    /// The joined token.
    #[serde(default, with = "secret::option", skip_serializing_if = "Option::is_none")]
    pub token: Option<Zeroizing<String>>,
    /// base64url(SHA-256(key authorization)) instead of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_authorization_digest: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::IdentifierType;

    // RFC 8555 §7.1.3's example.
    #[test]
    fn the_example_is_read() {
        let order: Order = serde_json::from_str(
            r#"{"status":"valid","expires":"2016-01-20T14:09:07.99Z",
                "identifiers":[{"type":"dns","value":"www.example.org"},{"type":"dns","value":"example.org"}],
                "notBefore":"2016-01-01T00:00:00Z","notAfter":"2016-01-08T00:00:00Z",
                "authorizations":["https://example.com/acme/authz/PAniVnsZcis","https://example.com/acme/authz/r4HqLzrSrpI"],
                "finalize":"https://example.com/acme/order/TOlocE8rfgo/finalize",
                "certificate":"https://example.com/acme/cert/jWCdfHVGY2M"}"#,
        )
        .unwrap();
        assert_eq!(order.status, OrderStatus::Valid);
        assert_eq!(order.identifiers[1].kind, IdentifierType::Dns);
        assert_eq!(order.expires, Time::from_rfc3339("2016-01-20T14:09:07Z"));
        assert!(order.identifiers[0].mailbox().is_none());
        let again: Order = serde_json::from_str(&serde_json::to_string(&order).unwrap()).unwrap();
        assert_eq!(again, order);
    }

    #[test]
    fn broken_orders_are_refused() {
        for text in [
            r#"{"status":"valid"}"#,
            r#"{"status":"valid","identifiers":[],"authorizations":[]}"#,
            r#"{"status":1,"identifiers":[],"authorizations":[],"finalize":"https://a/"}"#,
            r#"{"status":"valid","expires":"soon","identifiers":[],"authorizations":[],"finalize":"https://a/"}"#,
        ] {
            assert!(serde_json::from_str::<Order>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn finalize_carries_a_token_only_when_there_is_one() {
        let plain = Finalize { csr: "AA".into(), ..Finalize::default() };
        assert_eq!(serde_json::to_string(&plain).unwrap(), r#"{"csr":"AA"}"#);
        let aecm =
            Finalize { csr: "AA".into(), token: Some(Zeroizing::new("T".into())), ..Finalize::default() };
        assert_eq!(serde_json::to_string(&aecm).unwrap(), r#"{"csr":"AA","token":"T"}"#);
    }
}
