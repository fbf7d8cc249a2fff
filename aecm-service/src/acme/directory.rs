//! The directory, newNonce and the terms (RFC 8555 §7.1.1, §7.2).

use aecm_core::suite::Level;
use serde_json::{Map, Value, json};

use super::AcmeServer;
use super::problem::{Problem, json_answer};
use super::state::Profile;
use crate::net::Answer;
use crate::options::TokenSubmission;

impl AcmeServer {
    /// The directory object, with profiles (draft-ietf-acme-profiles), renewal information (RFC 9773) and what
    /// AECM adds in `meta.aecm`.
    pub(super) fn directory(&self) -> Answer {
        let profiles: Map<String, Value> =
            self.profiles().map(|profile| (profile.name(), json!(profile.describe()))).collect();
        let mut meta = json!({
            "termsOfService": self.url("terms"),
            "website": self.base,
            "externalAccountRequired": self.options.external_account_required,
            "profiles": profiles,
        });
        if let (Some(members), Some(aecm)) = (meta.as_object_mut(), self.meta_aecm()) {
            members.insert("aecm".to_owned(), aecm);
        }
        json_answer(
            200,
            &json!({
                "newNonce": self.url("new-nonce"),
                "newAccount": self.url("new-account"),
                "newOrder": self.url("new-order"),
                "revokeCert": self.url("revoke-cert"),
                "keyChange": self.url("key-change"),
                "renewalInfo": self.url("renewal-info"),
                "meta": meta,
            }),
        )
    }

    /// What can be ordered: the levels above the mailbox's where a customer was checked for them.
    pub(super) fn profiles(&self) -> impl Iterator<Item = Profile> {
        let customers = &self.options.external_accounts;
        Profile::all().filter(|profile| {
            profile.level == Level::Mailbox
                || customers.values().any(|customer| customer.subject().permits(profile.level))
        })
    }

    /// A server of reply mails alone is a plain RFC 8823 one and says nothing of AECM.
    fn meta_aecm(&self) -> Option<Value> {
        let submissions: Vec<&str> =
            self.options.submissions.iter().map(|submission| submission.word()).collect();
        submissions.iter().find(|word| **word != TokenSubmission::ReplyMail.word())?;
        let mut aecm = json!({
            "version": 1,
            "tokenSubmission": submissions,
            "tokenJoin": "text-unpadded",
            "challengeMail": self.options.challenge_mail.word(),
            "anchors": format!("{}/aecm/anchors", self.base),
            "certificates": format!("{}/aecm/certificates/", self.base),
            "newTransfer": self.url("new-transfer"),
            "transfers": self.url("transfers"),
            "events": self.url("events"),
            "devices": self.url("devices"),
            "timestamp": {
                "classic": format!("{}/tsa/classic", self.base),
                "sm2": format!("{}/tsa/sm2", self.base),
            },
        });
        if let (Some(members), Some(escrow)) = (aecm.as_object_mut(), self.meta_escrow()) {
            members.insert("escrow".to_owned(), escrow);
        }
        Some(aecm)
    }

    /// HEAD answers 200, GET 204 (§7.2).
    pub(super) fn new_nonce(&self, head: bool) -> Result<Answer, Problem> {
        let nonce = self
            .state()
            .nonces
            .issue(self.rng.as_ref())
            .map_err(|_| Problem::internal("the random number source failed"))?;
        Ok(Answer {
            headers: vec![("replay-nonce", nonce), ("cache-control", "no-store".to_owned())],
            ..Answer::empty(if head { 200 } else { 204 })
        })
    }

    pub(super) fn terms(&self) -> Answer {
        let text = b"A service to develop and test against. Its certificates are worth nothing outside.\n";
        Answer::content("text/plain; charset=utf-8", text.to_vec())
    }
}
