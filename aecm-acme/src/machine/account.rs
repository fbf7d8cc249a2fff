//! Directory, consent and account (RFC 8555 §7.1.1, §7.3; STANDARDS A30).

use aecm_core::embed::HttpResponse;
use aecm_core::time::Time;

use crate::wire::{Account, AccountStatus, Directory, NewAccount, Problem};

use super::exchange::Request;
use super::{AccountRecord, Consent, Error, Machine, Output, Step};

impl Machine {
    pub(super) fn answer_directory(&mut self, response: &HttpResponse) -> Result<(), Error> {
        let directory: Directory = self.read(response)?;
        for url in [&directory.new_nonce, &directory.new_account, &directory.new_order] {
            self.origin.check(url)?;
        }
        let offered = &directory.meta.profiles;
        if !offered.is_empty() {
            let missing = self
                .state
                .items
                .iter()
                .filter(|item| item.outcome.is_none())
                .map(|item| self.config.profiles.name(&item.item))
                .find(|name| !name.is_empty() && !offered.contains_key(name));
            if let Some(profile) = missing {
                return Err(Error::ProfileNotOffered { profile });
            }
        }
        self.state.directory = Some(directory);
        self.enter_account();
        Ok(())
    }

    /// The terms in force, where the server has any.
    fn terms(&self) -> Option<String> {
        self.state.directory.as_ref().and_then(|directory| directory.meta.terms_of_service.clone())
    }

    fn agreed(&self, terms: &str) -> bool {
        self.state.consent.as_ref().is_some_and(|consent| consent.terms_url == terms)
    }

    /// On to the first order, the account, or the consent it needs.
    pub(super) fn enter_account(&mut self) {
        let agreed = self.terms().is_none_or(|terms| self.agreed(&terms));
        self.state.step = match (agreed, &self.state.account) {
            (false, _) => Step::Consent,
            (true, None) => Step::Account,
            (true, Some(_)) => self.first_of_order(),
        };
    }

    /// An order of an earlier call is read first.
    const fn first_of_order(&self) -> Step {
        if self.state.order.is_some() { Step::Order } else { Step::NewOrder }
    }

    pub(super) fn wish_consent(&mut self) -> Result<Output, Error> {
        self.terms()
            .map(|terms_url| Output::Consent { terms_url })
            .ok_or(Error::Stuck { step: Step::Consent })
    }

    pub(super) fn take_consent(&mut self, consent: Option<Consent>) -> Result<(), Error> {
        let terms_url = self.terms().ok_or(Error::Stuck { step: Step::Consent })?;
        match consent {
            Some(consent) if consent.terms_url == terms_url => {
                self.state.consent = Some(consent);
                // Also where the account exists: the server is told of the new agreement.
                self.state.step = Step::Account;
                Ok(())
            }
            _ => Err(Error::ConsentRefused { terms_url }),
        }
    }

    pub(super) fn request_account(&self) -> Result<Request, Error> {
        let directory = self.directory()?;
        let url = directory.new_account.clone();
        if directory.meta.external_account_required && self.config.external_account.is_none() {
            return Err(Error::ExternalAccountRequired);
        }
        let payload = NewAccount {
            contact: self.config.contact.clone(),
            terms_of_service_agreed: self.terms().is_some_and(|terms| self.agreed(&terms)).then_some(true),
            external_account_binding: self
                .config
                .external_account
                .as_ref()
                .map(|eab| eab.bind(&self.jwk, &url)),
            ..NewAccount::default()
        };
        Ok(Request { payload: self.payload(&payload)?, url })
    }

    pub(super) fn answer_account(&mut self, response: &HttpResponse, now: Time) -> Result<(), Error> {
        let url = self.location(response)?;
        let account: Account = self.read(response)?;
        if account.status != AccountStatus::Valid {
            return Err(Error::AccountStatus { status: account.status.to_string() });
        }
        self.state.account = Some(AccountRecord {
            directory: self.state.directory_url.clone(),
            url,
            thumbprint: self.state.thumbprint.clone(),
            consent: self.state.consent.clone(),
        });
        if let Some(suspect) = self.state.suspect.take() {
            // It is open: what was said is meant as it stands.
            let (step, problem) = *suspect;
            self.state.step = step;
            return self.refused(problem, now);
        }
        self.state.step = self.first_of_order();
        Ok(())
    }

    /// RFC 8555 §7.3.6: a closed account is answered with 401 and `unauthorized`, and so are other things. Asked for
    /// once more, an account that is open is given back. Whether that is asked now.
    pub(super) fn may_be_closed(&mut self, problem: &Problem) -> Result<bool, Error> {
        let step = self.state.step;
        if step == Step::Account {
            return if self.state.suspect.take().is_some() {
                Err(Error::AccountStatus { status: AccountStatus::Deactivated.to_string() })
            } else {
                Ok(false)
            };
        }
        if self.state.account.is_none() || self.state.suspect.is_some() {
            return Ok(false);
        }
        self.state.suspect = Some(Box::new((step, problem.clone())));
        self.state.step = Step::Account;
        Ok(true)
    }
}
