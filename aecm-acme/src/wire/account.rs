//! Accounts (RFC 8555 §7.1.2, §7.3).

use serde::{Deserialize, Serialize};

use crate::jws::Flattened;

super::words! {
    /// The state of an account (RFC 8555 §7.1.6).
    AccountStatus {
        /// In use.
        Valid = "valid",
        /// Given up by its owner; final.
        Deactivated = "deactivated",
        /// Shut by the server; final.
        Revoked = "revoked",
    }
}

/// An account object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// Its state.
    pub status: AccountStatus,
    /// `mailto:` URLs of its owner.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contact: Vec<String>,
    /// Whether its owner agreed to the terms of service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms_of_service_agreed: Option<bool>,
    /// The binding, reflected only where the server verified it; its form is the server's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_account_binding: Option<serde_json::Value>,
    /// URL of its list of orders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orders: Option<String>,
}

/// The payload of newAccount, and of a change to an account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewAccount {
    /// `mailto:` URLs: no header fields, one address each (RFC 8555 §7.3).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contact: Vec<String>,
    /// Agreement to the terms of service: only with the consent of the user (STANDARDS A30).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms_of_service_agreed: Option<bool>,
    /// Asks for an account that exists already, makes none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_return_existing: Option<bool>,
    /// Binding to an account elsewhere (RFC 8555 §7.3.4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_account_binding: Option<Flattened>,
    /// `deactivated` to give the account up (RFC 8555 §7.3.6).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<AccountStatus>,
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 8555 §7.1.2's example.
    #[test]
    fn the_example_is_read() {
        let account: Account = serde_json::from_str(
            r#"{"status":"valid","contact":["mailto:cert-admin@example.org","mailto:admin@example.org"],
                "termsOfServiceAgreed":true,"orders":"https://example.com/acme/orders/rzGoeA"}"#,
        )
        .unwrap();
        assert_eq!(account.status, AccountStatus::Valid);
        assert_eq!(account.contact.len(), 2);
        assert_eq!(account.orders.as_deref(), Some("https://example.com/acme/orders/rzGoeA"));
        let odd: Account = serde_json::from_str(r#"{"status":"on-holiday"}"#).unwrap();
        assert_eq!(odd.status, AccountStatus::Other("on-holiday".into()));
        assert_eq!(serde_json::to_string(&odd).unwrap(), r#"{"status":"on-holiday"}"#);
    }
}
