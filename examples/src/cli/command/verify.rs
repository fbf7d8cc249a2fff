//! `aecm verify FILE`: the signature of a mail or of CMS.

mod mail;

use std::path::PathBuf;

use aecm_core::digest::DigestAlgorithm;
use aecm_core::mailbox::Mailbox;
use aecm_smime::Tolerance;
use aecm_smime::cms::{Form, SignedData};
use aecm_smime::verify::{Reason, SignedReport, Verdict, Verifier};
use clap::Args;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::cli::args::OutArgs;
use crate::cli::message::{self, Message};
use crate::cli::show::hex;
use crate::cli::text::Text;
use crate::cli::verifying::{Judge, VerifyArgs};
use crate::cli::{Failure, Io, Outcome, input, judged};

/// Verifies the signature of a mail or of a CMS message.
#[derive(Args)]
#[command(after_help = "\
Examples:
  aecm verify letter.eml --mail --trust ca.crt
  aecm verify signature.p7s --content report.pdf --trust ca.crt --email alice@example.com
  aecm verify old.eml --trust ca.crt --tsa-trust tsa.crt --at gentime --json")]
pub(in crate::cli) struct Verify {
    /// The mail, or CMS in DER, BER or PEM
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The content of a detached signature, octet for octet
    #[arg(long, value_name = "F")]
    content: Option<PathBuf>,
    /// The mailbox that should have signed
    #[arg(long, value_name = "ADDR", value_parser = mailbox, conflicts_with = "mail")]
    email: Option<Mailbox>,
    /// The mail's From should have signed
    #[arg(long)]
    mail: bool,
    #[command(flatten)]
    out: OutArgs,
    #[command(flatten)]
    trust: VerifyArgs,
}

/// A mailbox address on the command line.
pub(in crate::cli) fn mailbox(text: &str) -> Result<Mailbox, String> {
    text.parse().map_err(|error| format!("{text:?} is no mailbox address: {error}"))
}

/// What was found, for a mail and for CMS alike.
struct Found {
    verdict: Verdict,
    reasons: Vec<Reason>,
    tolerances: Vec<Tolerance>,
    /// Nothing where there is no signature at all.
    report: Option<SignedReport>,
    content: Option<Zeroizing<Vec<u8>>>,
}

impl Verify {
    pub(in crate::cli) fn run(self, io: &mut Io) -> Result<Outcome, Failure> {
        let judge = self.trust.read(io)?;
        let limits = &judge.policy.limits;
        let message = message::read(&self.file, limits, io)?;
        let content = match &self.content {
            Some(path) => Some(input::read(path, limits, io)?),
            None => None,
        };
        let found = match message {
            Message::Cms(_) if self.mail => {
                return Err(Failure::error("wrong-kind", "--mail wants a mail, and this is bare CMS"));
            }
            Message::Cms(cms) => self.cms(&cms, content, &judge)?,
            Message::Mail(_) if content.is_some() => {
                let why = "--content belongs to a detached CMS signature; a mail carries its content";
                return Err(Failure::error("two-contents", why));
            }
            Message::Mail(mail) if self.mail => mail::with_sender(&mail, &judge)?,
            Message::Mail(mail) => mail::alone(&mail, &judge, self.email.as_ref())?,
        };
        Ok(found.outcome(self.out.out))
    }

    fn cms(&self, cms: &[u8], detached: Option<Zeroizing<Vec<u8>>>, judge: &Judge) -> Result<Found, Failure> {
        let signed = SignedData::parse(cms, &judge.policy.limits)?;
        let report = verifier(judge, self.email.as_ref())
            .verify_signed(&signed, detached.as_deref().map(Vec::as_slice))?;
        let content = signed.content().map(|content| Zeroizing::new(content.into_owned())).or(detached);
        Ok(Found {
            verdict: report.verdict,
            reasons: report.all_reasons(),
            tolerances: report.tolerances.clone(),
            report: Some(report),
            content,
        })
    }
}

/// A verifier of the library that judges as asked.
fn verifier<'a>(judge: &'a Judge, email: Option<&Mailbox>) -> Verifier<'a> {
    let verifier = Verifier::new(&judge.anchors, &judge.policy)
        .at(judge.at)
        .intermediates(&judge.intermediates)
        .path_policies(judge.policies.clone())
        .revocation(judge.revocation.clone())
        .timestamps(&judge.timestamps);
    match email {
        Some(email) => verifier.email(email),
        None => verifier,
    }
}

impl Found {
    fn outcome(self, out: Option<PathBuf>) -> Outcome {
        let reasons = judged::words(&self.reasons);
        let tolerances = judged::tolerances(&self.tolerances);
        let signers = self.report.as_ref().map_or(&[][..], |report| &report.signers);
        let time = self.report.as_ref().map(judged::time_of).unwrap_or_default();
        // What was compared, also where it is not what was signed.
        let digest = match (&self.content, &self.report) {
            (Some(content), _) => Some(hex(&DigestAlgorithm::Sha256.digest(content))),
            (None, Some(report)) => report.content_sha256.map(|digest| hex(&digest)),
            (None, None) => None,
        };
        let mut text = Text::explained(self.verdict.word());
        text.row("form", self.report.as_ref().map_or("", |report| report.form.word()));
        text.row("content", digest.as_ref().map_or(String::new(), |digest| format!("sha256 {digest}")));
        for (number, signer) in (1..).zip(signers) {
            judged::signer_text(&mut text, number, signer);
        }
        text.because(&reasons, &tolerances);
        let form = self.report.as_ref().map(|report| report.form).map(Form::word);
        let outcome = Outcome::of(self.verdict.word())
            .with("signers", signers.iter().map(judged::signer).collect::<Vec<Value>>())
            .with("time", judged::time(&time))
            .with("content_sha256", json!(digest))
            .with("form", json!(form))
            .because(reasons)
            .tolerating(tolerances)
            .saying(text.finish());
        match (out, self.content) {
            (Some(out), Some(content)) if self.verdict == Verdict::Valid => {
                outcome.giving(content, Some(out))
            }
            _ => outcome,
        }
    }
}
