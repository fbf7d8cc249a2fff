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
    /// A device that proved the mailbox just now may revoke what is another device's. With a signing certificate,
    /// or the last of any, goes what the other device was trusted with, and accounts that nobody sees. A device that is not
    /// trusted any more has its own certificates of a shared encrypting key only so, too.
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
        // None: by the certificate's own key.
        let account = signed.account().ok();
        let allowed = match account {
            Some(account) => {
                found.account == account || state.reusable(account, &found.mailbox, now).is_some()
            }
            None => {
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
        let by_other = account.filter(|account| *account != found.account);
        let trusted = account.is_none_or(|account| state.trusts(account, &found, now));
        let shared = state.is_shared(&found);
        if let Some(account) = account
            && (by_other.is_some() || (shared && !trusted))
        {
            let what = match by_other {
                Some(_) => "a certificate of another device is revoked",
                None => "a certificate of a key that other devices hold is revoked",
            };
            self.require_fresh_proof(&state, account, &found.mailbox, what)?;
        }
        // What is said of the key holds for all its certificates; for those of others, where it can be believed.
        let mut ids = vec![found.id.clone()];
        if reason == KEY_COMPROMISE {
            let believed =
                trusted || account.is_some_and(|by| self.proved_lately(&state, by, &found.mailbox));
            let same = state.certificates.values().filter(|other| {
                other.id != found.id
                    && other.revoked.is_none()
                    && other.key_name() == found.key_name()
                    && (believed || other.account == found.account)
            });
            ids.extend(same.map(|other| other.id.clone()));
        }
        // Whoever has the shared key may be any of the devices.
        let revoker = account.unwrap_or(if shared { "" } else { &found.account });
        let mut of_others = false;
        for id in ids {
            let Some(issued) = state.certificates.get_mut(&id) else { continue };
            of_others |= issued.account != revoker;
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
        if let Some(account) = by_other
            && (found.profile.purpose == Purpose::Sign || !state.stands(&found.account, &found.mailbox, now))
        {
            state.disown(&found.account, &found.mailbox, now);
            state.disown_unseen(account, &found.mailbox, now);
        }
        let announced =
            of_others.then(|| Told { mailbox: found.mailbox.clone(), device: found.device.clone() });
        Ok((Answer::empty(200), announced))
    }
}

#[async_trait::async_trait]
impl CertificateDirectory for AcmeServer {
    async fn certificates(&self, mailbox: &Mailbox) -> Result<Vec<Found>, DirectoryError> {
        Ok(self.certificates_of(mailbox))
    }
}
