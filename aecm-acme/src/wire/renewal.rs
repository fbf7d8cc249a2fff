//! Renewal information (RFC 9773).

use aecm_core::certificate::Certificate;
use aecm_core::time::Time;
use serde::{Deserialize, Serialize};

use super::rfc3339;
use crate::jws;

/// When the server would like a certificate to be renewed (RFC 9773 §4.2).
///
/// ```json
/// { "suggestedWindow": {"start": "2026-11-23T00:00:00Z", "end": "2026-11-25T00:00:00Z"},
///   "explanationURL": "https://ca.example/why" }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RenewalInfo {
    /// The window, in which a moment is chosen at random.
    pub suggested_window: RenewalWindow,
    /// A page that says why.
    #[serde(default, rename = "explanationURL", skip_serializing_if = "Option::is_none")]
    pub explanation_url: Option<String>,
}

/// The suggested window; `end` lies after `start`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenewalWindow {
    /// Its start.
    #[serde(with = "rfc3339")]
    pub start: Time,
    /// Its end.
    #[serde(with = "rfc3339")]
    pub end: Time,
}

/// The identifier of a certificate in renewalInfo URLs and in `replaces` (RFC 9773 §4.1): base64url of the
/// authority key identifier, a dot, base64url of the content octets of the serial number. `None` where the
/// certificate has no authority key identifier.
#[must_use]
pub fn certificate_identifier(certificate: &Certificate) -> Option<String> {
    let authority = certificate.authority_key_identifier()?;
    Some(format!("{}.{}", jws::encode(authority), jws::encode(certificate.serial())))
}
