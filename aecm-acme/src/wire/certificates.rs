//! What a service says of its own anchors and of its mailboxes' certificates (`meta.aecm.anchors`,
//! `meta.aecm.certificates`).

use aecm_core::certificate::Certificate;
use serde::{Deserialize, Serialize};

use super::BySuite;
use crate::jws;

/// Anchors in PEM, by what they vouch for.
///
/// ```json
/// { "smime": {"classic": "-----BEGIN CERTIFICATE-----…", "sm2": "…"}, "tsa": {…}, "mailbox_timestamp": {…} }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnchorList {
    /// Roots of certificates that sign and encrypt mail.
    pub smime: BySuite<String>,
    /// Roots of the timestamp authorities.
    pub tsa: BySuite<String>,
    /// Roots of the mailboxes' own timestamping certificates.
    pub mailbox_timestamp: BySuite<String>,
}

/// The certificates in use of one mailbox: those to encrypt to it and those it signs with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateList {
    /// base64url of the DER of each: a leaf, then those above it.
    pub certificates: Vec<Vec<String>>,
}

impl CertificateList {
    /// The chains, the leaf first. `None` where one of them is empty or no certificate.
    #[must_use]
    pub fn chains(&self) -> Option<Vec<Vec<Certificate>>> {
        let chain = |chain: &Vec<String>| {
            let chain: Option<Vec<_>> = chain.iter().map(|text| certificate(text)).collect();
            chain.filter(|chain| !chain.is_empty())
        };
        self.certificates.iter().map(chain).collect()
    }
}

/// A certificate from base64url of its DER.
pub(crate) fn certificate(text: &str) -> Option<Certificate> {
    Certificate::from_der(&jws::decode(text)?).ok()
}
