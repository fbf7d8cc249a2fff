//! Which request a step makes, and where its answer goes.

use aecm_core::embed::HttpResponse;
use aecm_core::time::Time;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::wire::{self, Directory, Problem, ProblemType};

use super::exchange::Request;
use super::state::{ChallengeState, OrderState};
use super::{Error, Machine, Step};

/// Waits for an order that the server does not find ready.
const MAX_NOT_READY: u32 = 10;

impl Machine {
    /// The request of the present step.
    pub(super) fn request(&self) -> Result<Request, Error> {
        match self.state.step {
            Step::Account => self.request_account(),
            Step::NewOrder => self.request_new_order(),
            Step::Order => Ok(Request::read(&self.order()?.url)),
            Step::Authorization => Ok(Request::read(&self.order()?.authorization)),
            Step::AskMail => self.request_mail(),
            Step::Respond => self.request_respond(),
            Step::Finalize => self.request_finalize(),
            Step::Download => {
                let url = self.order()?.certificate.as_deref();
                url.map(Request::read).ok_or(Error::Inconsistent { step: Step::Download, what: "the order" })
            }
            step => Err(Error::Stuck { step }),
        }
    }

    /// A successful answer to the present step.
    pub(super) fn answer(&mut self, response: &HttpResponse, now: Time) -> Result<(), Error> {
        match self.state.step {
            Step::Account => self.answer_account(response, now),
            Step::NewOrder => self.answer_new_order(response, now),
            Step::Order | Step::Finalize => self.answer_order(response, now),
            Step::Authorization => self.answer_authorization(response, now),
            Step::AskMail => self.answer_mail(response),
            Step::Respond => self.answer_respond(response),
            Step::Download => self.answer_download(response),
            step => Err(Error::Stuck { step }),
        }
    }

    /// A problem that is no matter of trying again later.
    pub(super) fn refused(&mut self, problem: Problem, now: Time) -> Result<(), Error> {
        let step = self.state.step;
        let fatal = |problem| Err(Error::Problem { step, problem: Box::new(problem) });
        match (step, &problem.kind) {
            (Step::Account, ProblemType::ExternalAccountRequired)
                if self.config.external_account.is_none() =>
            {
                Err(Error::ExternalAccountRequired)
            }
            (Step::Account, _) => fatal(problem),
            (_, ProblemType::AccountDoesNotExist) => {
                // The server forgot the account: register once more; the try after an error may do so again.
                let before = core::mem::replace(&mut self.state.registered, true);
                self.state.account = None;
                if self.order().is_ok_and(|order| order.submitted) {
                    // It may be the account's again once that is known again.
                    self.state.take_up_again();
                } else {
                    self.state.order = None;
                }
                self.enter_account();
                if before {
                    self.state.registered = false;
                    return fatal(problem);
                }
                Ok(())
            }
            (Step::NewOrder | Step::Finalize, ProblemType::EncryptionKeyExists) => self.key_exists(problem),
            // Also where another account obtained what is to be replaced: that is a matter of the order alone.
            (Step::NewOrder, ProblemType::AlreadyReplaced | ProblemType::Unauthorized) => {
                self.without_replaces(problem)
            }
            // Of a key, too: the one in the CSR is not certified (any more).
            (Step::Finalize, ProblemType::BadCsr | ProblemType::BadPublicKey) => self.bad_csr(problem),
            (Step::Finalize, ProblemType::OrderNotReady) => {
                let order = self.order_mut()?;
                order.polls += 1;
                if order.polls > MAX_NOT_READY {
                    return fatal(problem);
                }
                let wait = super::retry::backoff(order.polls, &mut self.state.jitter);
                self.state.wake_at = Some(now.plus(wait));
                self.state.step = Step::Order;
                Ok(())
            }
            (Step::Finalize | Step::Respond, ProblemType::IncorrectResponse | ProblemType::TooManyTokens) => {
                self.wrong_token(problem)
            }
            (Step::Finalize | Step::Respond, ProblemType::Unauthorized) if self.has_token() => {
                self.wrong_token(problem)
            }
            _ => fatal(problem),
        }
    }

    pub(super) fn directory(&self) -> Result<&Directory, Error> {
        self.state.directory.as_ref().ok_or(Error::Stuck { step: self.state.step })
    }

    pub(super) fn order(&self) -> Result<&OrderState, Error> {
        self.state.order.as_ref().ok_or(Error::Stuck { step: self.state.step })
    }

    pub(super) fn order_mut(&mut self) -> Result<&mut OrderState, Error> {
        let step = self.state.step;
        self.state.order.as_mut().ok_or(Error::Stuck { step })
    }

    pub(super) fn challenge(&self) -> Result<&ChallengeState, Error> {
        self.order()?.challenge.as_ref().ok_or(Error::Stuck { step: self.state.step })
    }

    pub(super) fn challenge_mut(&mut self) -> Result<&mut ChallengeState, Error> {
        let step = self.state.step;
        self.order_mut()?.challenge.as_mut().ok_or(Error::Stuck { step })
    }

    /// Parses the body of an answer.
    pub(super) fn read<T: DeserializeOwned>(&self, response: &HttpResponse) -> Result<T, Error> {
        wire::parse(&response.body, &self.config.limits)
            .map_err(|error| Error::Json { step: self.state.step, error })
    }

    /// The JSON of a payload.
    pub(super) fn payload<T: Serialize>(&self, payload: &T) -> Result<Zeroizing<Vec<u8>>, Error> {
        let step = self.state.step;
        serde_json::to_vec(payload).map(Zeroizing::new).map_err(|_| Error::Stuck { step })
    }

    /// The Location of a new resource.
    pub(super) fn location(&self, response: &HttpResponse) -> Result<String, Error> {
        let step = self.state.step;
        let url = response.header("location").ok_or(Error::HeaderMissing { step, name: "Location" })?;
        self.origin.check(url)?;
        Ok(url.to_owned())
    }

    pub(super) fn inconsistent<T>(&self, what: &'static str) -> Result<T, Error> {
        Err(Error::Inconsistent { step: self.state.step, what })
    }
}
