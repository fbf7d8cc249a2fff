//! Account key rollover (RFC 8555 §7.3.5).

use aecm_acme::jws::{Jwk, verify_key_change};

use super::AcmeServer;
use super::account::refuse_certified;
use super::problem::Problem;
use super::request::{Signed, jwk_value, refused};
use crate::net::Answer;

impl AcmeServer {
    /// Moves the account to the key that signed the inner JWS.
    pub(super) fn key_change(&self, signed: &Signed, url: &str) -> Result<Answer, Problem> {
        let id = signed.account()?;
        let account_url = self.url(&format!("account/{id}"));
        let new_key = verify_key_change(&signed.payload, url, &account_url, signed.key(), &self.limits)
            .map_err(|error| refused(&error))?;
        let jwk = Jwk::from_public_key(&new_key)
            .ok_or_else(|| Problem::new(400, "badPublicKey", "account keys are P-256 or RSA"))?;
        let thumbprint = jwk.thumbprint();
        let mut state = self.state();
        if let Some(other) = state.account_by_thumbprint(&thumbprint) {
            let location = self.url(&format!("account/{}", other.id));
            return Err(
                Problem::new(409, "malformed", "another account has this key").header("location", location)
            );
        }
        refuse_certified(&state, &new_key)?;
        let account = state.accounts.get_mut(id).ok_or_else(Problem::not_found)?;
        account.jwk = jwk_value(&jwk)?;
        account.thumbprint = thumbprint;
        Ok(Answer { headers: vec![("location", account_url)], ..Answer::empty(200) })
    }
}
