//! What the service says of its escrow: the certificate to seal keys to, and the terms.

use aecm_acme::client::ClientError;
use aecm_acme::directory::FetchError;
use aecm_acme::jws;
use aecm_acme::url::Origin;
use aecm_acme::wire::EscrowMeta;
use aecm_core::certificate::Certificate;
use aecm_core::digest::DigestAlgorithm;
use aecm_core::embed::{HttpRequest, Method};
use aecm_core::oid;
use aecm_core::path::{PathOptions, PathPurpose, validate};
use aecm_core::time::Time;

use super::EscrowConsent;
use crate::error::Error;
use crate::mailbox::Mailbox;
use crate::transfer::TransferError;

/// The longest terms that are fetched, in octets: 1 MiB.
const MAX_TERMS: usize = 1 << 20;

/// The terms of an escrow, to be shown to the owner.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EscrowTerms {
    /// Where they are.
    pub url: String,
    /// The document as it was fetched, at most 1 MiB.
    pub document: Vec<u8>,
    /// Its SHA-256.
    pub sha256: [u8; 32],
}

impl EscrowTerms {
    /// The consent of an owner who has read this document.
    #[must_use]
    pub fn agreed(&self, at: Time) -> EscrowConsent {
        EscrowConsent { terms_url: self.url.clone(), agreed_at: at, document_sha256: Some(self.sha256) }
    }
}

impl Mailbox {
    /// Fetches the terms of the service's escrow.
    ///
    /// # Errors
    /// [`Error::Provision`] where the service has no escrow, [`Error::Discovery`] where the terms cannot be fetched.
    pub async fn escrow_terms(&self) -> Result<EscrowTerms, Error> {
        let offered = self.escrow_offer().await?;
        self.fetch_terms(&offered).await
    }

    async fn escrow_offer(&self) -> Result<EscrowMeta, Error> {
        let directory = self.client().directory(self.soon()).await?;
        let offered = directory.meta.aecm.and_then(|meta| meta.escrow);
        Ok(offered.ok_or(ClientError::NotOffered { resource: "escrow" })?)
    }

    pub(super) async fn fetch_terms(&self, offered: &EscrowMeta) -> Result<EscrowTerms, Error> {
        let url = offered.terms.clone();
        let origin = Origin::of_directory(self.aecm().directory_url(), false).map_err(FetchError::Url)?;
        origin.check(&url).map_err(FetchError::Url)?;
        let request = HttpRequest {
            method: Method::Get,
            url: url.clone(),
            headers: Vec::new(),
            body: Vec::new(),
            max_body: MAX_TERMS,
        };
        let response = self.aecm().parts().http.send(request).await.map_err(FetchError::Http)?;
        if response.status != 200 {
            return Err(FetchError::Status { url, status: response.status }.into());
        }
        let document = response.body;
        let mut sha256 = [0; 32];
        for (octet, digested) in sha256.iter_mut().zip(DigestAlgorithm::Sha256.digest(&document).iter()) {
            *octet = *digested;
        }
        Ok(EscrowTerms { url, document, sha256 })
    }

    /// The certificate to seal keys for the escrow to, held against the anchors, and what the service says of it.
    pub(crate) async fn escrow_certificate(&self) -> Result<(Certificate, EscrowMeta), Error> {
        let offered = self.escrow_offer().await?;
        let refuse = |why| TransferError::EscrowCertificate { why };
        let read = |text: &String| jws::decode(text).and_then(|der| Certificate::from_der(&der).ok());
        let certificate = read(&offered.certificate).ok_or(refuse("unreadable"))?;
        let chain: Option<Vec<Certificate>> = offered.chain.iter().take(10).map(read).collect();
        let chain = chain.ok_or(refuse("unreadable"))?;
        let encrypts = certificate.key_usage().is_some_and(|usage| {
            usage.key_encipherment() && !usage.digital_signature() && !usage.non_repudiation()
        });
        if !encrypts {
            return Err(refuse("usage-not-allowed").into());
        }
        if !is_of_escrow(&certificate) {
            return Err(refuse("not-the-escrow").into());
        }
        let trust = self.aecm().trust();
        let limits = trust.policy.limits.clone();
        let at = Some(self.aecm().clock().now());
        let options = PathOptions::new(PathPurpose::Any, at, limits);
        match validate(&certificate, &chain, &trust.smime, &options) {
            Ok(_) => Ok((certificate, offered)),
            Err(failure) => Err(refuse(failure.reason.word()).into()),
        }
    }
}

/// Whether a CA made the certificate for an escrow: the certificates of mailboxes lead to the same anchors, and a
/// service could name one of those as its escrow's.
pub(crate) fn is_of_escrow(certificate: &Certificate) -> bool {
    certificate.policy_oids().contains(&oid::AECM_ESCROW_POLICY) && certificate.mailboxes().is_empty()
}
