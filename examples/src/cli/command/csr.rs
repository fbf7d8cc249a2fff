//! `aecm csr FILE`: a PKCS#10 certification request (RFC 2986).

use std::path::PathBuf;

use aecm_acme::csr::{CertificateRequest, CsrError};
use aecm_core::signature::Sm2Id;
use clap::Args;
use serde_json::json;

use crate::cli::args::LimitArgs;
use crate::cli::sniff::{Form, sniff};
use crate::cli::{Failure, Io, Outcome, input, words};

/// Shows a certification request and checks that its key signed it.
#[derive(Args)]
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
        let request = CertificateRequest::parse(&der, &limits).map_err(|error| wrong(&error.to_string()))?;
        let (subject, usage) = (request.common_name().unwrap_or_default(), usage(&request));
        let emails: Vec<String> = request.mailboxes().iter().map(ToString::to_string).collect();
        let key = words::key(request.public_key());
        let text = format!(
            "Certification request\n  subject  {}\n  emails   {}\n  key      {}\n  usage    {}\n",
            if subject.is_empty() { "(empty)" } else { subject },
            emails.join(", "),
            key.text,
            if usage.is_empty() { "(none asked for)".to_owned() } else { usage.join(", ") },
        );
        let outcome = match request.verify(Sm2Id::Default) {
            Ok(()) => Outcome::of("valid").saying(format!("{text}  signed   by its key\n")),
            Err(CsrError::Signature) => Outcome::of("invalid").because(["signature-mismatch"]).saying(
                format!("{text}  signed   NOT by its key: it was changed, or somebody else signed it\n"),
            ),
            Err(error) => return Err(wrong(&error.to_string())),
        };
        Ok(outcome
            .with("subject", subject)
            .with("emails", emails)
            .with("key", key.json)
            .with("usage", json!(usage)))
    }
}

fn wrong(why: &str) -> Failure {
    Failure::error("malformed", format!("this is no certification request: {why}"))
}

/// The usages asked for, in the words of RFC 5280.
fn usage(request: &CertificateRequest) -> Vec<String> {
    let bits = request.key_usage().into_iter().flat_map(words::key_usage);
    let extended = request.extended_key_usage().iter().map(words::oid);
    bits.map(str::to_owned).chain(extended).collect()
}
