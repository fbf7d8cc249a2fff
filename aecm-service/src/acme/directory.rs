//! The directory, newNonce and the terms (RFC 8555 §7.1.1, §7.2).

use serde_json::{Map, Value, json};

use super::AcmeServer;
use super::problem::{Problem, json_answer};
use super::state::Profile;
use crate::net::Answer;
use crate::options::TokenSubmission;

impl AcmeServer {
    /// The directory object, with profiles (draft-ietf-acme-profiles) and what AECM adds in `meta.aecm`.
    pub(super) fn directory(&self) -> Answer {
        let profiles: Map<String, Value> = Profile::all()
            .map(|profile| {
                let text = format!("{} {}, mailbox-validated, 365 days", profile.suite, profile.purpose);
                (profile.name(), json!(text))
            })
            .collect();
        let mut meta = json!({
            "termsOfService": self.url("terms"),
            "website": self.base,
            "externalAccountRequired": false,
            "profiles": profiles,
        });
        let submissions: Vec<&str> =
            self.options.submissions.iter().map(|submission| submission.word()).collect();
        // A server of reply mails alone is a plain RFC 8823 one and says nothing of AECM.
        let direct = submissions.iter().any(|word| *word != TokenSubmission::ReplyMail.word());
        if let Some(members) = meta.as_object_mut().filter(|_| direct) {
            members.insert(
                "aecm".to_owned(),
                json!({ "version": 1, "tokenSubmission": submissions, "tokenJoin": "text-unpadded" }),
            );
        }
        json_answer(
            200,
            &json!({
                "newNonce": self.url("new-nonce"),
                "newAccount": self.url("new-account"),
                "newOrder": self.url("new-order"),
                "revokeCert": self.url("revoke-cert"),
                "keyChange": self.url("key-change"),
                "meta": meta,
            }),
        )
    }

    /// HEAD answers 200, GET 204 (§7.2).
    pub(super) fn new_nonce(&self, head: bool) -> Result<Answer, Problem> {
        let nonce = self
            .state()
            .nonces
            .issue(self.rng.as_ref())
            .map_err(|_| Problem::internal("the random number source failed"))?;
        Ok(Answer {
            status: if head { 200 } else { 204 },
            headers: vec![("replay-nonce", nonce), ("cache-control", "no-store".to_owned())],
            body: Vec::new(),
        })
    }

    pub(super) fn terms(&self) -> Answer {
        Answer {
            status: 200,
            headers: vec![("content-type", "text/plain; charset=utf-8".to_owned())],
            body: b"A service to develop and test against. Its certificates are worth nothing outside.\n"
                .to_vec(),
        }
    }
}
