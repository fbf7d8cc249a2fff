//! Single requests outside a plan: revocation (RFC 8555 §7.6), renewal information (RFC 9773), giving the account
//! or an authorization up (§7.3.6, §7.5.2).

use aecm_core::certificate::Certificate;
use aecm_core::embed::{HttpError, HttpRequest, HttpResponse, Method};
use aecm_core::key::Signer;
use aecm_core::mailbox::Mailbox;
use aecm_core::time::Time;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::reach::unanswered;
use super::{Client, ClientError, account_name, proof_name};
use crate::jws::{JwsError, KeyReference, Protected, is_nonce, sign};
use crate::url::Origin;
use crate::wire::{
    self, Account, AccountStatus, Authorization, AuthorizationStatus, Directory, Identifier, NewAccount,
    NewOrder, Order, OrderStatus, Problem, ProblemType, RenewalInfo, RevocationReason, Revoke,
    certificate_identifier,
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

/// By which key a request is signed.
pub(super) enum By<'a> {
    /// The account's.
    Account,
    /// That of a certificate.
    Certificate(&'a dyn Signer),
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
        self.revoke_by(By::Account, certificate, reason, deadline).await
    }

    /// Revokes a certificate by its own key, whoever obtained it (RFC 8555 §7.6); no account is needed. The key is
    /// P-256 or RSA: JOSE has no registered algorithm for SM2.
    ///
    /// # Errors
    /// [`ClientError`]; [`JwsError::Key`] in it for another kind of key.
    pub async fn revoke_with_key(
        &self,
        certificate: &Certificate,
        key: &dyn Signer,
        reason: Option<RevocationReason>,
        deadline: Time,
    ) -> Result<Revoked, ClientError> {
        self.revoke_by(By::Certificate(key), certificate, reason, deadline).await
    }

    async fn revoke_by(
        &self,
        by: By<'_>,
        certificate: &Certificate,
        reason: Option<RevocationReason>,
        deadline: Time,
    ) -> Result<Revoked, ClientError> {
        let directory = self.directory(deadline).await?;
        let url =
            directory.revoke_cert.as_deref().ok_or(ClientError::NotOffered { resource: "revokeCert" })?;
        match self.post(&directory, url, by, Some(&Revoke::new(certificate, reason)), deadline).await {
            Ok(_) => Ok(Revoked::Now),
            Err(ClientError::Problem(problem)) if problem.kind == ProblemType::AlreadyRevoked => {
                Ok(Revoked::Before)
            }
            Err(error) => Err(error),
        }
    }

    /// When the server would like `certificate` to be renewed (RFC 9773 §4.1), with the time after which to ask
    /// again; `None` where it gives no such information.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn renewal_info(
        &self,
        certificate: &Certificate,
        deadline: Time,
    ) -> Result<Option<RenewalInfo>, ClientError> {
        let directory = self.directory(deadline).await?;
        let (Some(base), Some(identifier)) = (&directory.renewal_info, certificate_identifier(certificate))
        else {
            return Ok(None);
        };
        let url = format!("{}/{identifier}", base.trim_end_matches('/'));
        match self.get(&url, deadline).await {
            Ok(info) => Ok(Some(info)),
            // Not one of this server's, or forgotten: it has no wish.
            Err(ClientError::Answer { status: 404 }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Gives the account up for good; its certificates stay valid.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn deactivate_account(&self, deadline: Time) -> Result<(), ClientError> {
        let account = self.account().await?.ok_or(ClientError::NoAccount)?;
        let directory = self.directory(deadline).await?;
        let payload = NewAccount { status: Some(AccountStatus::Deactivated), ..NewAccount::default() };
        let answer = self.post(&directory, &account.url, By::Account, Some(&payload), deadline).await?;
        let status = answer.status;
        match wire::parse::<Account>(&answer.body, &self.config.limits) {
            Ok(account) if account.status == AccountStatus::Deactivated => {}
            _ => return Err(ClientError::Answer { status }),
        }
        Ok(self.joints.keys.delete(&account_name(&self.config.directory_url)).await?)
    }

    /// Gives up the proof that the account controls `mailbox` (RFC 8555 §7.5.2), where it has one, so that the
    /// next order proves it anew: the authorization that [`Client::provision`] saw last is deactivated. Where it is
    /// not known any more, for example in a store that an earlier version wrote, an order is opened to find it and
    /// left to expire.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn drop_authorization(&self, mailbox: &Mailbox, deadline: Time) -> Result<(), ClientError> {
        let directory = self.directory(deadline).await?;
        let name = proof_name(&self.config.directory_url, mailbox);
        if let Some(known) = self.joints.keys.load(&name).await? {
            let damaged = |_| ClientError::Damaged { name: name.clone() };
            let url = core::str::from_utf8(&known).map_err(damaged)?;
            match self.deactivate_authorization(&directory, url, deadline).await {
                // Given up before, run out, or of an account that is left.
                Err(ClientError::Problem(problem)) => {
                    tracing::debug!(url, %problem, "the authorization is no more");
                }
                outcome => outcome?,
            }
            return Ok(self.joints.keys.delete(&name).await?);
        }
        let order = NewOrder { identifiers: vec![Identifier::email(mailbox)], ..NewOrder::default() };
        let answer = self.post(&directory, &directory.new_order, By::Account, Some(&order), deadline).await?;
        let order: Order = self.read(&answer)?;
        // A pending order has just asked for a new proof: there is none to give up.
        let proven = order.status == OrderStatus::Ready;
        for url in order.authorizations.iter().take(1).filter(|_| proven) {
            self.deactivate_authorization(&directory, url, deadline).await?;
        }
        Ok(())
    }

    async fn deactivate_authorization(
        &self,
        directory: &Directory,
        url: &str,
        deadline: Time,
    ) -> Result<(), ClientError> {
        #[derive(Serialize)]
        struct Deactivate {
            status: AuthorizationStatus,
        }
        let payload = Deactivate { status: AuthorizationStatus::Deactivated };
        let answer = self.post(directory, url, By::Account, Some(&payload), deadline).await?;
        let _deactivated: Authorization = self.read(&answer)?;
        Ok(())
    }

    pub(super) fn origin(&self) -> Result<Origin, ClientError> {
        Ok(Origin::of_directory(&self.config.directory_url, self.config.allow_loopback_http)?)
    }

    /// The directory, read anew.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn directory(&self, deadline: Time) -> Result<Directory, ClientError> {
        self.get(&self.config.directory_url, deadline).await
    }

    /// Reads a resource of the directory's origin that needs no signature.
    pub(super) async fn get<T: DeserializeOwned>(&self, url: &str, deadline: Time) -> Result<T, ClientError> {
        self.origin()?.check(url)?;
        let request = self.bare(Method::Get, url);
        let response = self.send(request, deadline).await.map_err(unanswered)?;
        if response.status != 200 {
            return Err(ClientError::Answer { status: response.status });
        }
        self.read(&response)
    }

    /// The object in an answer; those with key packages are larger than others.
    pub(super) fn read<T: DeserializeOwned>(&self, response: &HttpResponse) -> Result<T, ClientError> {
        let limits = wire::package_limits(&self.config.limits);
        wire::parse(&response.body, &limits).map_err(|_| ClientError::Answer { status: response.status })
    }

    fn bare(&self, method: Method, url: &str) -> HttpRequest {
        let max_body = wire::package_limits(&self.config.limits).acme_json_bytes;
        HttpRequest { method, url: url.to_owned(), headers: Vec::new(), body: Vec::new(), max_body }
    }

    async fn fetch_nonce(&self, directory: &Directory, deadline: Time) -> Result<String, ClientError> {
        self.origin()?.check(&directory.new_nonce)?;
        let request = self.bare(Method::Head, &directory.new_nonce);
        let response = self.send(request, deadline).await.map_err(unanswered)?;
        nonce(&response).ok_or(ClientError::Answer { status: response.status })
    }

    /// One signed request with a fresh nonce; no payload makes it a POST-as-GET.
    pub(super) async fn post<T: Serialize>(
        &self,
        directory: &Directory,
        url: &str,
        by: By<'_>,
        payload: Option<&T>,
        deadline: Time,
    ) -> Result<HttpResponse, ClientError> {
        self.origin()?.check(url)?;
        let payload = match payload {
            Some(payload) => serde_json::to_vec(payload).map_err(|_| ClientError::Unwritable)?,
            None => Vec::new(),
        };
        let account = match by {
            By::Account => Some((
                self.account().await?.ok_or(ClientError::NoAccount)?,
                self.joints.keys.account(&self.config.directory_url).await?,
            )),
            By::Certificate(_) => None,
        };
        let mut fresh = None;
        let mut tries = 0;
        loop {
            if self.joints.clock.now() >= deadline {
                return Err(unanswered(HttpError::Timeout { url: url.to_owned() }));
            }
            let nonce_value = match fresh.take() {
                Some(nonce) => nonce,
                None => self.fetch_nonce(directory, deadline).await?,
            };
            let jws = match (&account, &by) {
                (Some((account, key)), _) => {
                    let kid = KeyReference::Kid(account.url.clone());
                    sign(key.as_ref(), &Protected::new(url, Some(&nonce_value), kid), &payload).await?
                }
                (None, By::Certificate(key)) => {
                    let header = Protected::by_key(url, Some(&nonce_value), key.public_key());
                    sign(*key, &header.ok_or(JwsError::Key)?, &payload).await?
                }
                (None, By::Account) => return Err(ClientError::NoAccount),
            };
            let mut request = self.bare(Method::Post, url);
            request.headers.push(("Content-Type".to_owned(), "application/jose+json".to_owned()));
            request.body = serde_json::to_vec(&jws).map_err(|_| ClientError::Unwritable)?;
            let response = self.send(request, deadline).await.map_err(unanswered)?;
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
            tracing::debug!(url, tries, "the nonce was refused; trying again");
            fresh = nonce(&response);
        }
    }
}

fn nonce(response: &HttpResponse) -> Option<String> {
    response.header("replay-nonce").filter(|nonce| is_nonce(nonce)).map(str::to_owned)
}
