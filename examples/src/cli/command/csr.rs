//! `aecm csr FILE`: a PKCS#10 certification request (RFC 2986).

use std::path::PathBuf;

use aecm_acme::csr::{CertificateRequest, CsrError};
use aecm_core::certificate::name_text;
use aecm_core::signature::Sm2Id;
use clap::Args;
use serde_json::json;

use crate::cli::args::LimitArgs;
use crate::cli::sniff::{Form, sniff};
use crate::cli::text::Text;
use crate::cli::{Failure, Io, Outcome, errors, input, words};

/// Shows a certification request and checks that its key signed it.
#[derive(Args)]
#[command(after_help = "\
Example:
  aecm csr request.pem --json")]
pub(in crate::cli) struct Csr {
    /// The request, DER or PEM
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    limits: LimitArgs,
}

impl Csr {
    pub(in crate::cli) fn run(self, io: &mut Io) -> Result<Outcome, Failure> {
        let limits = self.limits.get();
        let octets = input::read(&self.file, &limits, io)?;
        let der = match sniff(&octets, &limits) {
            Form::Asn1(der) => der,
            Form::Pem(blocks) => blocks
                .into_iter()
                .find(|(label, _)| label.ends_with("CERTIFICATE REQUEST"))
                .map(|(_, der)| der)
                .ok_or_else(|| wrong("the PEM holds no CERTIFICATE REQUEST"))?,
            Form::Mail | Form::Unknown => return Err(wrong("it is neither DER nor PEM")),
        };
        let request = CertificateRequest::parse_any(&der, &limits).map_err(|error| unreadable(&error))?;
        let (subject, usage) = (name_text(request.subject_der()), usage(&request));
        let emails: Vec<String> = request.mailboxes().iter().map(ToString::to_string).collect();
        let others = request.other_names().to_vec();
        let key = words::key(request.public_key());
        let describe = |verdict: &str, sentence: &str, reasons: &[&str]| {
            let mut text = Text::verdict(verdict, sentence);
            text.row("subject", if subject.is_empty() { "(empty)" } else { &subject });
            text.row("emails", emails.join(", "));
            text.row("other names", others.join(", "));
            text.row("key", &key.text);
            text.row(
                "usage",
                if usage.is_empty() { "(none asked for)".to_owned() } else { usage.join(", ") },
            );
            text.because(reasons, &[]);
            text.finish()
        };
        let outcome = match request.verify(Sm2Id::Default) {
            Ok(()) => Outcome::of("valid").saying(describe(
                "valid",
                "a certification request, signed by its key",
                &[],
            )),
            Err(CsrError::Signature) => {
                let reasons = ["signature-mismatch"];
                let why = "its key did not sign it: it was changed, or somebody else signed it";
                Outcome::of("invalid").because(reasons).saying(describe("invalid", why, &reasons))
            }
            Err(CsrError::Algorithm(_)) => {
                let reasons = ["weak-digest"];
                let why = "it is signed with an algorithm that proves nothing any more";
                Outcome::of("invalid").because(reasons).saying(describe("invalid", why, &reasons))
            }
            Err(error) => return Err(unreadable(&error)),
        };
        Ok(outcome
            .with("subject", subject)
            .with("emails", emails)
            .with("other_names", others)
            .with("key", key.json)
            .with("usage", json!(usage)))
    }
}

fn wrong(why: &str) -> Failure {
    Failure::error("malformed", format!("this is no certification request: {why}"))
}

/// Keys and algorithms that are not known are no fault of the request.
fn unreadable(error: &CsrError) -> Failure {
    match error {
        CsrError::Key(_) | CsrError::Algorithm(_) => {
            Failure::error("unsupported", format!("this certification request cannot be judged: {error}"))
        }
        CsrError::TooLarge { .. } => Failure::limit("limit-exceeded", error.to_string()),
        CsrError::Malformed(source) => {
            errors::tlv(source, format!("this is no certification request: {error}"))
        }
        _ => wrong(&error.to_string()),
    }
}

/// The usages asked for, in the words of RFC 5280.
fn usage(request: &CertificateRequest) -> Vec<String> {
    let bits = request.key_usage().into_iter().flat_map(words::key_usage);
    let extended = request.extended_key_usage().iter().map(words::oid);
    bits.map(str::to_owned).chain(extended).collect()
}
