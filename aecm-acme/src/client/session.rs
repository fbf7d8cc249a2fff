//! Single requests outside a plan: revocation (RFC 8555 §7.6), giving the account up (§7.3.6).

use aecm_core::certificate::Certificate;
use aecm_core::embed::{HttpError, HttpRequest, HttpResponse, Method};
use aecm_core::time::Time;
use serde::Serialize;

use super::{Client, ClientError, account_name};
use crate::jws::{KeyReference, Protected, is_nonce, sign};
use crate::url::Origin;
use crate::wire::{
    self, Account, AccountStatus, Directory, NewAccount, Problem, ProblemType, RevocationReason, Revoke,
};

/// Retries after badNonce (N1).
const MAX_BAD_NONCES: u32 = 3;

/// What came of a revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// It is revoked now.
    Now,
    /// It was revoked before.
    Before,
}

impl Client {
    /// Revokes a certificate that this account obtained, or whose mailbox it has proven.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn revoke(
        &self,
        certificate: &Certificate,
        reason: Option<RevocationReason>,
        deadline: Time,
    ) -> Result<Revoked, ClientError> {
        let directory = self.fetch_directory(deadline).await?;
        let url =
            directory.revoke_cert.as_deref().ok_or(ClientError::NotOffered { resource: "revokeCert" })?;
        match self.post(&directory, url, &Revoke::new(certificate, reason), deadline).await {
            Ok(_) => Ok(Revoked::Now),
            Err(ClientError::Problem(problem)) if problem.kind == ProblemType::AlreadyRevoked => {
                Ok(Revoked::Before)
            }
            Err(error) => Err(error),
        }
    }

    /// Gives the account up for good; its certificates stay valid.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn deactivate_account(&self, deadline: Time) -> Result<(), ClientError> {
        let account = self.account().await?.ok_or(ClientError::NoAccount)?;
        let directory = self.fetch_directory(deadline).await?;
        let payload = NewAccount { status: Some(AccountStatus::Deactivated), ..NewAccount::default() };
        let answer = self.post(&directory, &account.url, &payload, deadline).await?;
        let status = answer.status;
        match wire::parse::<Account>(&answer.body, &self.config.limits) {
            Ok(account) if account.status == AccountStatus::Deactivated => {}
            _ => return Err(ClientError::Answer { status }),
        }
        Ok(self.joints.keys.delete(&account_name(&self.config.directory_url)).await?)
    }

    fn origin(&self) -> Result<Origin, ClientError> {
        Ok(Origin::of_directory(&self.config.directory_url, self.config.allow_loopback_http)?)
    }

    async fn fetch_directory(&self, deadline: Time) -> Result<Directory, ClientError> {
        self.origin()?;
        let request = self.bare(Method::Get, &self.config.directory_url);
        let response = self.send(request, deadline).await.map_err(ClientError::Http)?;
        let status = response.status;
        if status != 200 {
            return Err(ClientError::Answer { status });
        }
        wire::parse(&response.body, &self.config.limits).map_err(|_| ClientError::Answer { status })
    }

    fn bare(&self, method: Method, url: &str) -> HttpRequest {
        let max_body = self.config.limits.acme_json_bytes;
        HttpRequest { method, url: url.to_owned(), headers: Vec::new(), body: Vec::new(), max_body }
    }

    async fn fetch_nonce(&self, directory: &Directory, deadline: Time) -> Result<String, ClientError> {
        self.origin()?.check(&directory.new_nonce)?;
        let request = self.bare(Method::Head, &directory.new_nonce);
        let response = self.send(request, deadline).await.map_err(ClientError::Http)?;
        nonce(&response).ok_or(ClientError::Answer { status: response.status })
    }

    /// One signed request by the account's key, with a fresh nonce.
    async fn post<T: Serialize>(
        &self,
        directory: &Directory,
        url: &str,
        payload: &T,
        deadline: Time,
    ) -> Result<HttpResponse, ClientError> {
        self.origin()?.check(url)?;
        let account = self.account().await?.ok_or(ClientError::NoAccount)?;
        let signer = self.joints.keys.account(&self.config.directory_url).await?;
        let payload = serde_json::to_vec(payload).map_err(|_| ClientError::Unwritable)?;
        let mut fresh = None;
        let mut tries = 0;
        loop {
            if self.joints.clock.now() >= deadline {
                return Err(ClientError::Http(HttpError::Timeout { url: url.to_owned() }));
            }
            let nonce_value = match fresh.take() {
                Some(nonce) => nonce,
                None => self.fetch_nonce(directory, deadline).await?,
            };
            let header = Protected::new(url, Some(&nonce_value), KeyReference::Kid(account.url.clone()));
            let jws = sign(signer.as_ref(), &header, &payload).await?;
            let mut request = self.bare(Method::Post, url);
            request.headers.push(("Content-Type".to_owned(), "application/jose+json".to_owned()));
            request.body = serde_json::to_vec(&jws).map_err(|_| ClientError::Unwritable)?;
            let response = self.send(request, deadline).await.map_err(ClientError::Http)?;
            if (200..300).contains(&response.status) {
                return Ok(response);
            }
            let status = response.status;
            if status < 400 {
                return Err(ClientError::Answer { status });
            }
            let problem: Problem = wire::parse(&response.body, &self.config.limits)
                .map_err(|_| ClientError::Answer { status })?;
            tries += 1;
            if problem.kind != ProblemType::BadNonce || tries > MAX_BAD_NONCES {
                return Err(ClientError::Problem(Box::new(problem)));
            }
            fresh = nonce(&response);
        }
    }
}

fn nonce(response: &HttpResponse) -> Option<String> {
    response.header("replay-nonce").filter(|nonce| is_nonce(nonce)).map(str::to_owned)
}
