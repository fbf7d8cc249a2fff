//! The directory (RFC 8555 §7.1.1) with profiles (draft-ietf-acme-profiles), renewal information (RFC 9773)
//! and the AECM extension.

use std::collections::BTreeMap;

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

/// `meta.aecm`: how the server takes the joined token (STANDARDS A1–A3).
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
}

const fn one() -> u32 {
    1
}

impl Default for AecmMeta {
    fn default() -> Self {
        Self { version: one(), token_submission: Vec::new(), token_join: None, token_form: None }
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
