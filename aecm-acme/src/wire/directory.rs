//! The directory (RFC 8555 §7.1.1) with profiles (draft-ietf-acme-profiles), renewal information (RFC 9773)
//! and the AECM extension.

use std::collections::BTreeMap;

use aecm_core::suite::Suite;
use serde::{Deserialize, Serialize};

use crate::token::TokenJoin;

/// Where the resources of a server are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Directory {
    /// URL of newNonce.
    pub new_nonce: String,
    /// URL of newAccount.
    pub new_account: String,
    /// URL of newOrder.
    pub new_order: String,
    /// URL of newAuthz, where the server pre-authorizes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_authz: Option<String>,
    /// URL of revokeCert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoke_cert: Option<String>,
    /// URL of keyChange.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_change: Option<String>,
    /// URL of renewalInfo (RFC 9773 §3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewal_info: Option<String>,
    /// What the server says of itself.
    #[serde(default)]
    pub meta: Meta,
}

/// `meta` of the directory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Meta {
    /// URL of the terms of service in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms_of_service: Option<String>,
    /// URL of the operator's site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    /// Domains that CAA records may name (RFC 8659, RFC 9495).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub caa_identities: Vec<String>,
    /// Whether new accounts need an external account binding (RFC 8555 §7.3.4).
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub external_account_required: bool,
    /// The certificate profiles: name and a text or URL that describes it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub profiles: BTreeMap<String, String>,
    /// The AECM extension, where the server speaks it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aecm: Option<AecmMeta>,
}

/// `meta.aecm`: how the server takes the joined token (STANDARDS A1–A3), and what else it offers a mailbox.
///
/// ```json
/// { "version": 1, "tokenSubmission": ["with-csr", "challenge-response"], "tokenJoin": "text-unpadded" }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AecmMeta {
    /// Version of the extension; 1 today.
    #[serde(default = "one")]
    pub version: u32,
    /// The words of [`TokenSubmission`] in the order the server prefers; empty means `with-csr`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub token_submission: Vec<String>,
    /// The word of the [`TokenJoin`] the server computes; absent means the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_join: Option<String>,
    /// The word of the [`TokenForm`] the server expects; absent means the joined token itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_form: Option<String>,
    /// When the challenge mail goes out: `authorization` (with it, the default) or `challenge` (when that is
    /// asked for).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenge_mail: Option<String>,
    /// Where the trust anchors of the service are read, see [`AnchorList`](super::AnchorList).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchors: Option<String>,
    /// Prefix of the URLs where a mailbox's certificates are read, see
    /// [`CertificateList`](super::CertificateList).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificates: Option<String>,
    /// The timestamp authorities (RFC 3161 §3.4) of the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<BySuite<String>>,
    /// Where a device asks the mailbox's other devices for the encrypting keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_transfer: Option<String>,
    /// Where a device that holds the keys reads who asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfers: Option<String>,
    /// Where the account reads what happened to its mailboxes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<String>,
    /// Where the account reads which devices its mailboxes have, see [`DeviceList`](super::DeviceList).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub devices: Option<String>,
    /// The escrow of encrypting keys, where the service offers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escrow: Option<EscrowMeta>,
}

/// A value for each suite, where there is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BySuite<T> {
    /// For the classic suite.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub classic: Option<T>,
    /// For SM2.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub sm2: Option<T>,
}

const fn none<T>() -> Option<T> {
    None
}

impl<T> BySuite<T> {
    /// The value for a suite.
    #[must_use]
    pub const fn of(&self, suite: Suite) -> Option<&T> {
        match suite {
            Suite::Classic => self.classic.as_ref(),
            Suite::Sm2 => self.sm2.as_ref(),
        }
    }
}

/// `meta.aecm.escrow`: to whom and where encrypting keys can be given for safe keeping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EscrowMeta {
    /// Where packages are posted.
    pub url: String,
    /// base64url of the DER of the certificate that packages are encrypted to.
    pub certificate: String,
    /// base64url of the DER of each certificate above it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<String>,
    /// URL of the terms under which keys are kept.
    pub terms: String,
}

const fn one() -> u32 {
    1
}

impl Default for AecmMeta {
    fn default() -> Self {
        Self {
            version: one(),
            token_submission: Vec::new(),
            token_join: None,
            token_form: None,
            challenge_mail: None,
            anchors: None,
            certificates: None,
            timestamp: None,
            new_transfer: None,
            transfers: None,
            events: None,
            devices: None,
            escrow: None,
        }
    }
}

impl AecmMeta {
    /// The submissions the server takes that we know, in its order of preference; `WithCsr`, the published
    /// way, where it names none.
    #[must_use]
    pub fn submissions(&self) -> Vec<TokenSubmission> {
        if self.token_submission.is_empty() {
            return vec![TokenSubmission::WithCsr];
        }
        self.token_submission.iter().filter_map(|word| TokenSubmission::from_word(word)).collect()
    }

    /// Names the submissions the server takes, the preferred one first.
    #[must_use]
    pub fn with_submissions(mut self, submissions: &[TokenSubmission]) -> Self {
        self.token_submission = submissions.iter().map(|submission| submission.word().to_owned()).collect();
        self
    }

    /// The join the server names; `None` for a word we do not know.
    #[must_use]
    pub fn join(&self) -> Option<TokenJoin> {
        self.token_join.as_deref().map_or(Some(TokenJoin::default()), TokenJoin::from_word)
    }

    /// The form the server names; `None` for a word we do not know.
    #[must_use]
    pub fn form(&self) -> Option<TokenForm> {
        self.token_form.as_deref().map_or(Some(TokenForm::default()), TokenForm::from_word)
    }
}

/// Where the joined token goes (STANDARDS A2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TokenSubmission {
    /// Into finalize, beside the CSR, while the order is still pending: AECM as published.
    WithCsr,
    /// Into the response object of the challenge (RFC 8555 erratum 5729).
    ChallengeResponse,
    /// Its digest into a reply mail: plain RFC 8823.
    ReplyMail,
}

impl TokenSubmission {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::WithCsr, Self::ChallengeResponse, Self::ReplyMail];

    /// The word in `meta.aecm.tokenSubmission`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::WithCsr => "with-csr",
            Self::ChallengeResponse => "challenge-response",
            Self::ReplyMail => "reply-mail",
        }
    }

    /// The inverse of [`TokenSubmission::word`].
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|submission| submission.word() == word)
    }
}

/// What the direct submissions carry (STANDARDS A3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenForm {
    /// The joined token, as `token`.
    #[default]
    Token,
    /// base64url(SHA-256(key authorization)), as `keyAuthorizationDigest`, for servers that keep RFC 8823's
    /// check.
    KeyAuthorizationDigest,
}

impl TokenForm {
    /// The word in `meta.aecm.tokenForm`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::KeyAuthorizationDigest => "key-authorization-digest",
        }
    }

    /// The inverse of [`TokenForm::word`].
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Token, Self::KeyAuthorizationDigest].into_iter().find(|form| form.word() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 8555 §7.1.1's example, with the additions of later documents.
    #[test]
    fn the_example_is_read_and_written_back() {
        let text = r#"{
            "newNonce": "https://example.com/acme/new-nonce",
            "newAccount": "https://example.com/acme/new-account",
            "newOrder": "https://example.com/acme/new-order",
            "newAuthz": "https://example.com/acme/new-authz",
            "revokeCert": "https://example.com/acme/revoke-cert",
            "keyChange": "https://example.com/acme/key-change",
            "renewalInfo": "https://example.com/acme/renewal-info",
            "a random member": {"deep": [1, 2]},
            "meta": {
                "termsOfService": "https://example.com/acme/terms/2017-5-30",
                "website": "https://www.example.com/",
                "caaIdentities": ["example.com"],
                "externalAccountRequired": false,
                "profiles": {"sm2-sign-mv": "one"},
                "aecm": {"tokenSubmission": ["carrier-pigeon", "reply-mail", "with-csr"]}
            }
        }"#;
        let directory: Directory = serde_json::from_str(text).unwrap();
        assert_eq!(
            directory.meta.terms_of_service.as_deref(),
            Some("https://example.com/acme/terms/2017-5-30")
        );
        assert_eq!(directory.meta.caa_identities, ["example.com"]);
        let aecm = directory.meta.aecm.clone().unwrap();
        assert_eq!(aecm.version, 1);
        assert_eq!(aecm.submissions(), [TokenSubmission::ReplyMail, TokenSubmission::WithCsr]);
        assert_eq!(aecm.join(), Some(TokenJoin::TextUnpadded));
        let again: Directory = serde_json::from_str(&serde_json::to_string(&directory).unwrap()).unwrap();
        assert_eq!(again, directory);
    }

    // A2: with meta.aecm and no preference named, the published way.
    #[test]
    fn an_empty_extension_means_with_csr() {
        let aecm: AecmMeta = serde_json::from_str("{}").unwrap();
        assert_eq!(aecm.submissions(), [TokenSubmission::WithCsr]);
        assert_eq!(aecm, AecmMeta::default());
        let unknown: AecmMeta =
            serde_json::from_str(r#"{"tokenJoin":"xor","tokenSubmission":["fax"]}"#).unwrap();
        assert_eq!(unknown.join(), None);
        assert!(unknown.submissions().is_empty());
    }

    #[test]
    fn a_directory_without_a_required_url_is_refused() {
        assert!(
            serde_json::from_str::<Directory>(r#"{"newNonce":"https://a/","newAccount":"https://a/"}"#)
                .is_err()
        );
    }
}
