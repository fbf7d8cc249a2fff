//! Identifiers (RFC 8555 §9.7.7, RFC 8823 §7).

use aecm_core::mailbox::Mailbox;
use serde::{Deserialize, Serialize};

super::words! {
    /// What kind of name an identifier is.
    IdentifierType {
        /// A mailbox (RFC 8823).
        Email = "email",
        /// A domain name (RFC 8555); never asked for here.
        Dns = "dns",
    }
}

/// A name that is to be certified.
///
/// ```json
/// { "type": "email", "value": "alexey@example.com" }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identifier {
    /// The kind of name.
    #[serde(rename = "type")]
    pub kind: IdentifierType,
    /// The name.
    pub value: String,
}

impl Identifier {
    /// The identifier of a mailbox.
    #[must_use]
    pub fn email(mailbox: &Mailbox) -> Self {
        Self { kind: IdentifierType::Email, value: mailbox.as_str().to_owned() }
    }

    /// The mailbox, when this is one.
    #[must_use]
    pub fn mailbox(&self) -> Option<Mailbox> {
        if self.kind == IdentifierType::Email { self.value.parse().ok() } else { None }
    }

    /// Whether this names `mailbox` and nothing else (N6).
    #[must_use]
    pub fn names(&self, mailbox: &Mailbox) -> bool {
        self.mailbox().is_some_and(|named| named.matches(mailbox))
    }
}
