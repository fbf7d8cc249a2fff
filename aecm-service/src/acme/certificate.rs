//! Downloading and revoking certificates (RFC 8555 §7.4.2, §7.6).

use aecm_core::certificate::Certificate;
use aecm_core::directory::{CertificateDirectory, DirectoryError, Found};
use aecm_core::mailbox::Mailbox;
use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde_json::Value;

use super::events::Happened;
use super::problem::Problem;
use super::request::Signed;
use super::state::{EventKind, Revocation};
use super::{AcmeServer, object, post_as_get};
use crate::hex::hex;
use crate::net::Answer;

impl AcmeServer {
    /// What stands certified for a mailbox, the newest first, each with its issuers.
    fn certificates_of(&self, mailbox: &Mailbox) -> Vec<Found> {
        let state = self.state();
        let standing = state.certificates.values().filter(|issued| {
            issued.mailbox.matches(mailbox) && issued.revoked.is_none() && !issued.superseded
        });
        let mut found: Vec<Found> = standing
            .filter_map(|issued| {
                let (leaf, chain) = issued.chain.split_first()?;
                Some(Found { certificate: leaf.clone(), chain: chain.to_vec() })
            })
            .collect();
        found.sort_by_key(|found| core::cmp::Reverse(found.certificate.not_before()));
        found
    }

    /// The chain in PEM, the leaf first, without the root.
    pub(super) fn certificate(&self, signed: &Signed, id: &str) -> Result<Answer, Problem> {
        post_as_get(signed)?;
        let account = signed.account()?;
        let state = self.state();
        let issued = state
            .certificates
            .get(id)
            .filter(|issued| issued.account == account)
            .ok_or_else(Problem::not_found)?;
        let pem: String = issued.chain.iter().map(Certificate::to_pem).collect();
        Ok(Answer::content("application/pem-certificate-chain", pem.into_bytes()))
    }

    /// Revokes for the account that ordered, an account that controls the mailbox, or the certificate's key.
    pub(super) fn revoke(&self, signed: &Signed) -> Result<Answer, Problem> {
        let members = object(signed)?;
        let der = members
            .get("certificate")
            .and_then(Value::as_str)
            .and_then(|text| Base64UrlUnpadded::decode_vec(text).ok())
            .ok_or_else(|| Problem::malformed("certificate is not base64url of a certificate's DER"))?;
        let reason = match members.get("reason") {
            None => 0,
            // RFC 5280 §5.3.1; 7 is unused, 6 (hold) and 8 (delta CRLs only) do not fit here.
            Some(value) => {
                value.as_u64().filter(|reason| matches!(reason, 0..=5 | 9 | 10)).ok_or_else(|| {
                    Problem::new(400, "badRevocationReason", format!("reason {value} is not accepted"))
                })?
            }
        };
        let now = self.now();
        let mut state = self.state();
        let found = state
            .certificates
            .values()
            .find(|issued| issued.chain.first().is_some_and(|leaf| leaf.as_der() == der.as_slice()))
            .cloned()
            .ok_or_else(|| Problem::new(404, "malformed", "this certificate was not issued here"))?;
        let allowed = match signed.account() {
            Ok(account) => found.account == account || state.reusable(account, &found.mailbox, now).is_some(),
            Err(_) => {
                let leaf_key = found.chain.first().and_then(Certificate::public_key);
                leaf_key.is_some_and(|key| signed.signed_by(key))
            }
        };
        if !allowed {
            return Err(Problem::unauthorized("this key may not revoke that certificate"));
        }
        if found.revoked.is_some() {
            return Err(Problem::new(400, "alreadyRevoked", "the certificate is revoked already"));
        }
        if let Some(issued) = state.certificates.get_mut(&found.id) {
            issued.revoked = Some(Revocation { at: now, reason });
            tracing::info!(reason, sha256 = issued.leaf().map(|leaf| hex(&leaf.sha256())), "revoked");
        }
        let leaf = found.leaf();
        let revoker = signed.account().unwrap_or(&found.account);
        let happened = Happened {
            kind: EventKind::Revoked,
            mailbox: &found.mailbox,
            device: None,
            account: revoker,
            certificate: leaf.map(|leaf| hex(&leaf.sha256())),
        };
        self.happened(&mut state, happened);
        Ok(Answer::empty(200))
    }
}

#[async_trait::async_trait]
impl CertificateDirectory for AcmeServer {
    async fn certificates(&self, mailbox: &Mailbox) -> Result<Vec<Found>, DirectoryError> {
        Ok(self.certificates_of(mailbox))
    }
}
