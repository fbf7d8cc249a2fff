//! `aecm timestamp request`: the question, and the answer where an authority is asked.

use std::path::PathBuf;

use aecm_core::digest::DigestAlgorithm;
use aecm_core::oid::ObjectIdentifier;
use aecm_timestamp::Request as TimeStampReq;
use clap::Args;
use serde_json::json;

use super::sha256;
use super::verify::{Told, members};
use crate::cli::args::LimitArgs;
use crate::cli::authority::AuthorityArgs;
use crate::cli::chain::oid;
use crate::cli::command::sign::url;
use crate::cli::show::hex;
use crate::cli::text::Text;
use crate::cli::{Failure, Io, Outcome, input, runtime};

/// Makes a timestamp request (RFC 3161 TimeStampReq, DER).
#[derive(Args)]
#[command(after_help = "\
Examples:
  aecm timestamp request --data report.pdf --out report.tsq
  aecm timestamp request --data report.pdf --url http://tsa.example/ --tsa-trust tsa.crt --out report.tsr

With --url the request is sent, and --out gets the answer that comes back (TimeStampResp, DER).")]
pub(super) struct Request {
    /// What is to be stamped
    #[arg(value_name = "FILE", conflicts_with_all = ["data", "data_sha256"])]
    file: Option<PathBuf>,
    /// What is to be stamped
    #[arg(long, value_name = "F", conflicts_with = "data_sha256")]
    data: Option<PathBuf>,
    /// The SHA-256 of what is to be stamped
    #[arg(long, value_name = "HEX", value_parser = sha256)]
    data_sha256: Option<[u8; 32]>,
    /// The digest of FILE to send
    #[arg(long, value_name = "sha256|sha384|sha512|sm3", default_value = "sha256", value_parser = digest)]
    digest: DigestAlgorithm,
    /// Ask for this policy of the authority and no other
    #[arg(long, value_name = "OID", value_parser = oid)]
    tsa_policy: Option<ObjectIdentifier>,
    /// Ask for a token without certificates
    #[arg(long, conflicts_with = "url")]
    no_certificates: bool,
    /// Send the request to the authority at this http or https URL
    #[arg(long, value_name = "URL", value_parser = url)]
    url: Option<String>,
    #[command(flatten)]
    authority: AuthorityArgs,
    #[command(flatten)]
    limits: LimitArgs,
    /// Write the request or answer to this file, whole or not at all; - for standard output
    #[arg(long, short, value_name = "F", required = true)]
    out: Option<PathBuf>,
}

fn digest(text: &str) -> Result<DigestAlgorithm, String> {
    match text {
        "sha256" => Ok(DigestAlgorithm::Sha256),
        "sha384" => Ok(DigestAlgorithm::Sha384),
        "sha512" => Ok(DigestAlgorithm::Sha512),
        "sm3" => Ok(DigestAlgorithm::Sm3),
        _ => Err(format!("{text:?} is none of sha256, sha384, sha512, sm3")),
    }
}

impl Request {
    pub(super) fn run(self, io: &mut Io) -> Result<Outcome, Failure> {
        let limits = self.limits.get();
        let (digest, imprint) = match (self.data_sha256, self.data.as_ref().or(self.file.as_ref())) {
            (Some(sha256), _) if self.digest == DigestAlgorithm::Sha256 => (self.digest, sha256.to_vec()),
            (Some(_), _) => {
                return Err(Failure::error("usage", "--data-sha256 is a SHA-256: leave --digest out"));
            }
            (None, Some(path)) => (self.digest, self.digest.digest(&input::read(path, &limits, io)?)),
            (None, None) => {
                let why = "there is nothing to stamp: give --data or --data-sha256";
                return Err(Failure::error("usage", why));
            }
        };
        let mut text = Text::verdict("valid", if self.url.is_some() { "stamped" } else { "a request" });
        text.row("imprint", format!("{} {}", digest.name(), hex(&imprint)));
        let imprint_json = json!({ "algorithm": digest.name(), "value": hex(&imprint) });
        if let Some(url) = &self.url {
            let authority = self.authority.at(url, &limits, io)?;
            let authority = match self.tsa_policy {
                Some(policy) => authority.with_tsa_policy(policy),
                None => authority,
            };
            io.hint(&format!("asking {url} for a timestamp"));
            let now = io.clock.now();
            let (asked, told) = runtime::block_on(authority.ask(digest, &imprint, now))??;
            let nonce = asked.request.nonce().map(hex);
            text.row("nonce", nonce.clone().unwrap_or_default());
            told.rows(&mut text);
            let reasons: &[&str] = if authority.is_trusted() { &[] } else { &["no-tsa-anchor"] };
            text.because(reasons, &[]);
            let outcome = Outcome::of("valid").with("imprint", imprint_json).with("nonce", json!(nonce));
            return Ok(members(outcome, Some(&told))
                .because(reasons.iter().copied())
                .saying(text.finish())
                .giving(asked.response, self.out));
        }
        let mut nonce = [0; 8];
        io.rng.fill(&mut nonce).map_err(|error| Failure::error("rng", error.to_string()))?;
        let mut request = TimeStampReq::new(digest, &imprint, nonce)
            .map_err(|error| Failure::error("malformed", error.to_string()))?;
        if let Some(policy) = self.tsa_policy {
            request = request.with_policy(policy);
        }
        if self.no_certificates {
            request = request.without_certificates();
        }
        let nonce = request.nonce().map(hex);
        text.row("nonce", nonce.clone().unwrap_or_default());
        let outcome = Outcome::of("valid").with("imprint", imprint_json).with("nonce", json!(nonce));
        Ok(members(outcome, None::<&Told>).saying(text.finish()).giving(request.to_der(), self.out))
    }
}
