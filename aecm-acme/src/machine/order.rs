//! Orders (RFC 8555 §7.4): opened one after the other, so that the authorization of the first can serve the
//! others (STANDARDS A5).

use core::time::Duration;

use aecm_core::embed::HttpResponse;
use aecm_core::suite::Purpose;
use aecm_core::time::Time;

use crate::wire::{Directory, Identifier, NewOrder, NewOrderAecm, Order, OrderStatus, Problem, ProblemType};

use super::challenge::MAIL_SKEW;
use super::exchange::Request;
use super::state::{OrderState, StoredOutcome};
use super::{Error, Machine, Step};

/// Orders opened for one certificate after the first.
const MAX_REORDERS: u32 = 4;
/// Answers without news that are taken for one order (an hour and more, at a minute each).
const MAX_POLLS: u32 = 200;
/// How long an order lives where the server does not say: token-part1 is good for a day (STANDARDS A4).
pub(super) const ORDER_LIFE: Duration = Duration::from_secs(86_400);

impl Machine {
    pub(super) fn request_new_order(&self) -> Result<Request, Error> {
        let directory = self.directory()?;
        let item = self.state.current_item().ok_or(Error::Stuck { step: Step::NewOrder })?;
        let profile = self.profile()?;
        // RFC 9773 §5: only where the server has renewal information.
        let replaces = item.replaces.clone().filter(|_| directory.renewal_info.is_some());
        let payload = NewOrder {
            identifiers: vec![Identifier::email(&self.state.mailbox)],
            profile,
            replaces,
            aecm: self.named_device(directory),
            ..NewOrder::default()
        };
        Ok(Request { url: directory.new_order.clone(), payload: self.payload(&payload)? })
    }

    /// The name of this device, for a service that speaks the extension.
    fn named_device(&self, directory: &Directory) -> Option<NewOrderAecm> {
        directory.meta.aecm.as_ref()?;
        let device = self.config.device.clone()?;
        Some(NewOrderAecm { device: Some(device) })
    }

    /// The profile to ask for.
    fn profile(&self) -> Result<Option<String>, Error> {
        let item = self.state.current_item().ok_or(Error::Stuck { step: Step::NewOrder })?;
        let profiles = &self.directory()?.meta.profiles;
        let name = self.config.profiles.name(item);
        if profiles.is_empty() || name.is_empty() {
            // Nothing advertised, or none wanted: the usage in the CSR chooses (draft-ietf-acme-profiles: SHOULD NOT ask).
            Ok(None)
        } else if profiles.contains_key(&name) {
            Ok(Some(name))
        } else {
            Err(Error::ProfileNotOffered { profile: name })
        }
    }

    pub(super) fn answer_new_order(&mut self, response: &HttpResponse, now: Time) -> Result<(), Error> {
        let url = self.location(response)?;
        let order: Order = self.read(response)?;
        let item = self.state.current().ok_or(Error::Stuck { step: Step::NewOrder })?;
        let profile = self.profile()?;
        self.check_names(&order, profile.as_ref())?;
        let [authorization] = order.authorizations.as_slice() else {
            return self.inconsistent("the number of authorizations");
        };
        self.origin.check(authorization)?;
        self.origin.check(&order.finalize)?;
        self.state.order = Some(OrderState {
            url,
            item,
            profile,
            resumed: false,
            submitted: false,
            opened: now,
            expires: order.expires,
            status: OrderStatus::Pending,
            authorization: authorization.clone(),
            authorized: false,
            finalize: order.finalize.clone(),
            certificate: None,
            challenge: None,
            csr: None,
            csr_refused: None,
            csr_refusals: 0,
            chain: None,
            polls: 0,
            requests: 0,
        });
        self.follow(&order, response, now)
    }

    pub(super) fn answer_order(&mut self, response: &HttpResponse, now: Time) -> Result<(), Error> {
        let order: Order = self.read(response)?;
        let known = self.order()?;
        if known.resumed && !known.submitted && known.opened > now.plus(MAIL_SKEW) {
            // The clock was wrong when it was opened: no mail of it would seem to be of its time.
            return self.reorder(None);
        }
        self.check_names(&order, known.profile.as_ref())?;
        if order.authorizations.as_slice() != core::slice::from_ref(&known.authorization) {
            return self.inconsistent("the list of authorizations");
        }
        if order.finalize != known.finalize {
            return self.inconsistent("the finalize URL");
        }
        let went_back = match known.status {
            OrderStatus::Valid => order.status != OrderStatus::Valid,
            OrderStatus::Ready | OrderStatus::Processing => order.status == OrderStatus::Pending,
            _ => false,
        };
        if went_back {
            return self.inconsistent("the status of the order");
        }
        self.follow(&order, response, now)
    }

    /// The order names the mailbox alone, and the profile that was asked for where it names one (N6).
    fn check_names(&self, order: &Order, asked: Option<&String>) -> Result<(), Error> {
        if !matches!(order.identifiers.as_slice(), [one] if one.names(&self.state.mailbox)) {
            return self.inconsistent("the identifier");
        }
        // Where none was asked for the server may name its default.
        if asked.is_some_and(|asked| order.profile.as_ref().is_some_and(|profile| profile != asked)) {
            return self.inconsistent("the profile");
        }
        Ok(())
    }

    /// What an order's status asks for.
    fn follow(&mut self, order: &Order, response: &HttpResponse, now: Time) -> Result<(), Error> {
        let has_token = self.has_token();
        let with_csr = self.submits_with_csr();
        if let Some(url) = &order.certificate {
            self.origin.check(url)?;
        }
        let step = self.state.step;
        let known = self.order_mut()?;
        known.certificate.clone_from(&order.certificate);
        if order.expires.is_some() {
            known.expires = order.expires;
        }
        if known.status != order.status {
            known.polls = 0;
        }
        known.status = order.status.clone();
        let deadline = known.expires.unwrap_or_else(|| known.opened.plus(ORDER_LIFE));
        // Servers call an order invalid that expired (RFC 8555 §7.1.6).
        let done = match order.status {
            OrderStatus::Valid => true,
            OrderStatus::Invalid => !known.resumed,
            _ => false,
        };
        if !done && now >= deadline {
            return self.expired();
        }
        if matches!(order.status, OrderStatus::Ready | OrderStatus::Processing | OrderStatus::Valid) {
            self.note_proof()?;
        }
        let known = self.order_mut()?;
        match &order.status {
            OrderStatus::Pending if has_token && with_csr => self.enter_finalize(),
            OrderStatus::Pending if !known.authorized => {
                self.state.step = Step::Authorization;
                Ok(())
            }
            OrderStatus::Ready => {
                known.authorized = true;
                if let Some(challenge) = &mut known.challenge {
                    // It has done its work; only the CSR is still to be submitted.
                    challenge.token = None;
                }
                self.enter_finalize()
            }
            OrderStatus::Valid if known.csr.is_none() => {
                // Nothing was submitted that a certificate could be for.
                self.inconsistent("the status of the order")
            }
            OrderStatus::Valid if known.certificate.is_some() => {
                self.state.step = Step::Download;
                Ok(())
            }
            OrderStatus::Invalid => {
                let failed_by_token = known.challenge.as_ref().is_some_and(|challenge| challenge.tried > 0);
                match &order.error {
                    Some(problem) if problem.kind == ProblemType::IncorrectResponse && failed_by_token => {
                        self.reorder(Some(problem.clone()))
                    }
                    _ => Err(Error::OrderInvalid { problem: order.error.clone().map(Box::new) }),
                }
            }
            // Processing, valid without a certificate yet, pending with a valid authorization, or a status
            // that is not known: look again later.
            _ => {
                known.polls += 1;
                let polls = known.polls;
                if polls > MAX_POLLS {
                    return Err(Error::Stuck { step });
                }
                self.sleep(response, polls.saturating_sub(1), now);
                self.state.step = Step::Order;
                Ok(())
            }
        }
    }

    /// The authorization of the order has proven the mailbox.
    pub(super) fn note_proof(&mut self) -> Result<(), Error> {
        let authorization = self.order()?.authorization.clone();
        self.state.proof = Some(authorization);
        Ok(())
    }

    fn enter_finalize(&mut self) -> Result<(), Error> {
        self.state.step = if self.order()?.has_csr() { Step::Finalize } else { Step::Csr };
        Ok(())
    }

    /// The order is too old: an error, unless it became so between two calls.
    pub(super) fn expired(&mut self) -> Result<(), Error> {
        if self.order()?.resumed { self.reorder(None) } else { Err(Error::OrderExpired) }
    }

    /// Gives the order up and opens another for the same certificate.
    pub(super) fn reorder(&mut self, problem: Option<Problem>) -> Result<(), Error> {
        self.state.reorders += 1;
        if self.state.reorders > MAX_REORDERS {
            let orders = self.state.reorders;
            return Err(Error::ChallengeFailed { orders, problem: problem.map(Box::new) });
        }
        self.state.order = None;
        self.state.step = Step::NewOrder;
        Ok(())
    }

    /// The mailbox has its one encrypting key already.
    pub(super) fn key_exists(&mut self, problem: Problem) -> Result<(), Error> {
        let encrypts = self.state.current_item().is_some_and(|item| item.purpose == Purpose::Encrypt);
        if !encrypts {
            return Err(Error::Problem { step: self.state.step, problem: Box::new(problem) });
        }
        self.state.finish_item(StoredOutcome::EncryptionKeyExists(problem));
        Ok(())
    }

    /// RFC 9773 §5: another certificate took the place already; order without the reference.
    pub(super) fn without_replaces(&mut self, problem: Problem) -> Result<(), Error> {
        let step = self.state.step;
        let item = self.state.current().and_then(|current| self.state.items.get_mut(current));
        match item.and_then(|item| item.item.replaces.take()) {
            Some(_) => Ok(()),
            None => Err(Error::Problem { step, problem: Box::new(problem) }),
        }
    }
}
