//! Downloading and revoking certificates (RFC 8555 §7.4.2, §7.6).

use aecm_core::certificate::Certificate;
use aecm_core::directory::{CertificateDirectory, DirectoryError, Found};
use aecm_core::mailbox::Mailbox;
use aecm_core::suite::Purpose;
use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde_json::Value;

use super::events::Happened;
use super::problem::Problem;
use super::request::Signed;
use super::state::{Compromised, EventKind, KEY_COMPROMISE, Revocation};
use super::{AcmeServer, object, post_as_get};
use crate::hex::hex;
use crate::net::Answer;

/// A mailbox that is to be told of a revocation, and the device whose certificate it was.
struct Told {
    mailbox: Mailbox,
    device: Option<String>,
}

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
    ///
    /// A device that proved the mailbox may revoke what is another device's. An encrypting certificate of a key that
    /// it does not hold, only with a proof of now. With a signing one goes what the other device was trusted with.
    pub(super) async fn revoke(&self, signed: &Signed) -> Result<Answer, Problem> {
        let (answer, announced) = self.revoke_now(signed)?;
        if let Some(Told { mailbox, device }) = announced {
            self.notify(EventKind::Revoked, &mailbox, device.as_deref()).await;
        }
        Ok(answer)
    }

    /// The answer, and who is to be told.
    fn revoke_now(&self, signed: &Signed) -> Result<(Answer, Option<Told>), Problem> {
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
        let by_other = signed.account().ok().filter(|account| *account != found.account);
        if let Some(account) = by_other
            && found.profile.purpose == Purpose::Encrypt
            && !state.holds(account, &found)
        {
            let what = "an encrypting certificate of another device is revoked";
            self.require_fresh_proof(&state, account, &found.mailbox, what)?;
        }
        // What is said of the key holds for all its certificates.
        let mut ids = vec![found.id.clone()];
        if reason == KEY_COMPROMISE {
            let same = state.certificates.values().filter(|other| {
                other.id != found.id && other.revoked.is_none() && other.key_name() == found.key_name()
            });
            ids.extend(same.map(|other| other.id.clone()));
        }
        let revoker = signed.account().unwrap_or(&found.account);
        for id in ids {
            let Some(issued) = state.certificates.get_mut(&id) else { continue };
            issued.revoked = Some(Revocation { at: now, reason });
            let certificate = issued.leaf().map(|leaf| hex(&leaf.sha256()));
            tracing::info!(reason, sha256 = certificate, "revoked");
            let (kind, device) = (EventKind::Revoked, found.device.as_deref());
            let happened = Happened { kind, mailbox: &found.mailbox, device, account: revoker, certificate };
            self.happened(&mut state, happened);
        }
        if reason == KEY_COMPROMISE
            && let Some(key) = found.key_name()
        {
            state.compromised.insert(key, Compromised { at: now });
        }
        if by_other.is_some() && found.profile.purpose == Purpose::Sign {
            state.disown(&found.account, &found.mailbox, now);
        }
        let announced =
            by_other.map(|_| Told { mailbox: found.mailbox.clone(), device: found.device.clone() });
        Ok((Answer::empty(200), announced))
    }
}

#[async_trait::async_trait]
impl CertificateDirectory for AcmeServer {
    async fn certificates(&self, mailbox: &Mailbox) -> Result<Vec<Found>, DirectoryError> {
        Ok(self.certificates_of(mailbox))
    }
}
