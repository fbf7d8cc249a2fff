//! The request, the certificate, and the check before it is stored (RFC 8555 §7.4, §7.4.2; N7).

use aecm_core::certificate::Certificate;
use aecm_core::embed::HttpResponse;
use aecm_core::signature::Sm2Id;
use aecm_core::time::Time;

use crate::check::{CheckError, Expected, check};
use crate::csr::CertificateRequest;
use crate::jws;
use crate::wire::{Finalize, OrderStatus, Problem};

use super::exchange::Request;
use super::state::StoredOutcome;
use super::{Error, Machine, Output, Step};

/// CSRs made for one order.
const MAX_CSRS: u32 = 3;

impl Machine {
    pub(super) fn wish_csr(&self) -> Result<Output, Error> {
        let item = self.state.current_item().cloned().ok_or(Error::Stuck { step: Step::Csr })?;
        Ok(Output::Csr { item, refused: self.order()?.csr_refused.clone() })
    }

    /// Holds the CSR against the item before it leaves (N8: the account key is never certified).
    pub(super) fn take_csr(&mut self, der: &[u8]) -> Result<(), Error> {
        let request = CertificateRequest::parse(der, &self.config.limits).map_err(Error::Csr)?;
        request.verify(Sm2Id::Default).map_err(Error::Csr)?;
        let item = self.state.current_item().ok_or(Error::Stuck { step: Step::Csr })?;
        let mismatch = |what| Err(Error::CsrMismatch { what });
        if *request.public_key() == self.account_key {
            return mismatch("key");
        }
        if request.public_key().suite() != item.suite {
            return mismatch("algorithm family");
        }
        if request.purpose() != Some(item.purpose) {
            return mismatch("purpose");
        }
        if !matches!(request.mailboxes(), [one] if one.matches(&self.state.mailbox)) {
            return mismatch("mailbox");
        }
        let order = self.order_mut()?;
        order.csr = Some(jws::encode(der));
        order.csr_refused = None;
        self.state.step = Step::Finalize;
        Ok(())
    }

    pub(super) fn request_finalize(&self) -> Result<Request, Error> {
        let order = self.order()?;
        let csr = order.csr.clone().ok_or(Error::Stuck { step: Step::Finalize })?;
        // The token goes along only where it is still needed: in the AECM way, on an order that is pending.
        let with_token = self.submits_with_csr() && order.status == OrderStatus::Pending;
        let (token, key_authorization_digest) = if with_token { self.submitted()? } else { (None, None) };
        let payload = self.payload(&Finalize { csr, token, key_authorization_digest })?;
        Ok(Request { url: order.finalize.clone(), payload })
    }

    /// The order stays ready after badCSR and badPublicKey: another CSR, by another key, may do.
    pub(super) fn bad_csr(&mut self, problem: Problem) -> Result<(), Error> {
        let order = self.order_mut()?;
        order.csr_refusals += 1;
        if order.csr_refusals >= MAX_CSRS {
            return Err(Error::Problem { step: Step::Finalize, problem: Box::new(problem) });
        }
        order.csr_refused = Some(problem);
        // The token may have been taken along with the refused CSR (A2): the order says so. The CSR stays until
        // there is another: should a certificate have been issued after all, it is for this one.
        self.state.step = Step::Order;
        Ok(())
    }

    pub(super) fn answer_download(&mut self, response: &HttpResponse) -> Result<(), Error> {
        let limits = &self.config.limits;
        if response.body.len() > limits.acme_chain_bytes {
            return Err(Error::Chain { why: "it is too large" });
        }
        let text =
            core::str::from_utf8(&response.body).map_err(|_| Error::Chain { why: "it is not text" })?;
        if text.matches("-----BEGIN ").count() > limits.acme_chain_certificates {
            return Err(Error::Chain { why: "it has too many certificates" });
        }
        // RFC 8555 §9.1: certificates and nothing else.
        if text.matches("-----BEGIN ").count() != text.matches("-----BEGIN CERTIFICATE-----").count() {
            return Err(Error::Chain { why: "it holds something else than certificates" });
        }
        let chain = Certificate::all_from_pem(text).map_err(|_| Error::Chain { why: "it is not PEM" })?;
        if chain.is_empty() {
            return Err(Error::Chain { why: "it is empty" });
        }
        let text = text.to_owned();
        self.order_mut()?.chain = Some(text);
        self.state.step = Step::Install;
        Ok(())
    }

    /// Checks the chain every time it is wished to be stored, so that a restored state is checked too.
    pub(super) fn wish_install(&mut self, now: Time) -> Result<Option<Output>, Error> {
        let item = self.state.current_item().cloned().ok_or(Error::Stuck { step: Step::Install })?;
        let order = self.order()?;
        let received = received(order.chain.as_deref())?;
        let csr = order.csr.as_deref().and_then(jws::decode).unwrap_or_default();
        let request = CertificateRequest::parse(&csr, &self.config.limits).map_err(Error::Csr)?;
        let expected = Expected {
            mailbox: &self.state.mailbox,
            suite: item.suite,
            purpose: item.purpose,
            key: request.public_key(),
            account_key: &self.account_key,
            anchors: self.config.anchors.of(item.suite, item.purpose),
            now,
            longest_validity: self.config.longest_validity,
        };
        let mut chain = match check(&received, &expected, &self.config.limits) {
            Ok(chain) => chain,
            // It expired while it waited to be fetched: between two calls nobody is to blame.
            Err(CheckError::NotValidNow { not_after, .. }) if not_after <= now && order.resumed => {
                self.reorder(None)?;
                return Ok(None);
            }
            Err(error) => return Err(Error::Certificate(error)),
        };
        if chain.len() > 1 {
            // The anchor is the reader's own matter.
            chain.pop();
        }
        Ok(Some(Output::Install { item, chain }))
    }

    pub(super) fn take_installed(&mut self) -> Result<(), Error> {
        let order = self.order()?;
        let order_url = order.url.clone();
        let certificate = received(order.chain.as_deref())?
            .into_iter()
            .next()
            .ok_or(Error::Chain { why: "it is empty" })?;
        self.state.finish_item(StoredOutcome::Issued { certificate, order_url });
        Ok(())
    }
}

fn received(chain: Option<&str>) -> Result<Vec<Certificate>, Error> {
    Certificate::all_from_pem(chain.unwrap_or_default()).map_err(|_| Error::Chain { why: "it is not PEM" })
}
