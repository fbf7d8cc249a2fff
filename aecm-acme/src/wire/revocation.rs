//! Revocation (RFC 8555 §7.6).

use aecm_core::certificate::Certificate;
use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Serialize};

/// The payload of revokeCert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoke {
    /// base64url of the certificate's DER.
    pub certificate: String,
    /// The code of a [`RevocationReason`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<u8>,
}

impl Revoke {
    /// Asks to revoke `certificate`.
    #[must_use]
    pub fn new(certificate: &Certificate, reason: Option<RevocationReason>) -> Self {
        Self {
            certificate: Base64UrlUnpadded::encode_string(certificate.as_der()),
            reason: reason.map(RevocationReason::code),
        }
    }
}

/// Why a certificate is revoked (CRLReason, RFC 5280 §5.3.1): the reasons a subscriber may give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RevocationReason {
    /// No reason given.
    Unspecified,
    /// The private key was exposed.
    KeyCompromise,
    /// The mailbox changed hands or its name is wrong.
    AffiliationChanged,
    /// A newer certificate took its place.
    Superseded,
    /// The mailbox is no longer used.
    CessationOfOperation,
}

impl RevocationReason {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Unspecified,
        Self::KeyCompromise,
        Self::AffiliationChanged,
        Self::Superseded,
        Self::CessationOfOperation,
    ];

    /// The CRLReason code.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Unspecified => 0,
            Self::KeyCompromise => 1,
            Self::AffiliationChanged => 3,
            Self::Superseded => 4,
            Self::CessationOfOperation => 5,
        }
    }

    /// The inverse of [`RevocationReason::code`]; `None` for codes a subscriber may not give.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_inverse_and_closed() {
        assert!(RevocationReason::ALL.into_iter().all(|r| RevocationReason::from_code(r.code()) == Some(r)));
        for code in [2, 6, 7, 8, 9, 10, 255] {
            assert_eq!(RevocationReason::from_code(code), None);
        }
    }
}
