//! `aecm timestamp verify FILE`: an answer or a token.

use std::path::PathBuf;

use aecm_core::digest::DigestAlgorithm;
use aecm_core::limits::Limits;
use aecm_core::path::{PathPurpose, PathReason, RevocationStatus, validate};
use aecm_smime::verify::TimestampTrust;
use aecm_timestamp::{Claims, Error, Request, Subject, TimestampPolicy, Token, TstInfo, Verifier};
use clap::Args;
use serde_json::{Value, json};

use super::sha256;
use crate::cli::args::OutArgs;
use crate::cli::show::hex;
use crate::cli::sniff::{Form, sniff};
use crate::cli::text::Text;
use crate::cli::verifying::{At, Judge, JudgingArgs};
use crate::cli::{Failure, Io, Outcome, input};

/// Verifies a timestamp: the answer of an authority, or the bare token.
#[derive(Args)]
#[command(after_help = "\
Examples:
  aecm timestamp verify report.tsr --data report.pdf --request report.tsq --trust tsa-root.crt
  aecm timestamp verify report.tst --data-sha256 9f86d081… --trust tsa-root.crt --at gentime

The authority's certificate has to be valid at the time the token says and at --at (now, unless it is named);
--at gentime asks for the first alone.")]
pub(super) struct Verify {
    /// The answer (TimeStampResp) or token, DER or PEM
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The request that it answers
    #[arg(long, value_name = "F")]
    request: Option<PathBuf>,
    /// What was stamped
    #[arg(long, value_name = "F", conflicts_with = "data_sha256")]
    data: Option<PathBuf>,
    /// The SHA-256 of what was stamped
    #[arg(long, value_name = "HEX", value_parser = sha256)]
    data_sha256: Option<[u8; 32]>,
    /// Certificates of time-stamping roots to trust, PEM or DER; may be given several times
    #[arg(long, value_name = "F", help_heading = "Trust")]
    trust: Vec<PathBuf>,
    #[command(flatten)]
    out: OutArgs,
    #[command(flatten)]
    judging: JudgingArgs,
}

impl Verify {
    pub(super) fn run(self, io: &mut Io) -> Result<Outcome, Failure> {
        let judge = self.judging.read(&self.trust, &[], io)?;
        let limits = judge.policy.limits.clone();
        let octets = input::read(&self.file, &limits, io)?;
        let Some(der) = der(&octets, &limits) else {
            let name = self.file.display();
            return Err(Failure::error("malformed", format!("{name} is no timestamp in DER or PEM")));
        };
        let request = self.request(&limits, io)?;
        let data = match &self.data {
            Some(path) => Some(input::read(path, &limits, io)?),
            None => None,
        };
        let mut subjects: Vec<Subject<'_>> = Vec::new();
        subjects.extend(request.as_ref().map(Subject::Request));
        subjects.extend(data.as_ref().map(|data| Subject::Data(data)));
        subjects.extend(
            self.data_sha256
                .as_ref()
                .map(|value| Subject::Digest { algorithm: DigestAlgorithm::Sha256, value }),
        );
        let verifier = Verifier::new(policy(&judge));
        let claimed = || verifier.claims(&der).ok().map(|claims| Told::claimed(&claims));
        match verifier.examine(&der, &subjects) {
            Ok(token) => Ok(self.found(token, &judge, !subjects.is_empty())),
            Err(Error::Malformed(source)) => {
                Err(crate::cli::errors::tlv(&source, format!("this is no timestamp: {source}")))
            }
            Err(error @ Error::TooLarge { .. }) => Err(Failure::limit(error.word(), error.to_string())),
            Err(Error::Token { word: "no-tsa-anchor", detail }) => {
                Ok(refused(&judge, "no-anchors-given", &detail, claimed().as_ref()))
            }
            Err(error) => Ok(refused(&judge, error.word(), &error.to_string(), claimed().as_ref())),
        }
    }

    /// The request that it should answer.
    fn request(&self, limits: &Limits, io: &mut Io) -> Result<Option<Request>, Failure> {
        let Some(path) = &self.request else { return Ok(None) };
        let octets = input::read(path, limits, io)?;
        let request = Request::from_der(&der(&octets, limits).unwrap_or_default(), limits);
        request.map(Some).map_err(|error| {
            Failure::error("malformed", format!("{} is no timestamp request: {error}", path.display()))
        })
    }

    /// The token holds at the time it says; now at the time that was chosen.
    fn found(&self, token: Token, judge: &Judge, compared: bool) -> Outcome {
        let told = Told::of(&token);
        let mut reasons: Vec<String> = Vec::new();
        let mut verdict = "valid";
        if token.trust == TimestampTrust::SelfAsserted {
            reasons.push("timestamp-self-asserted".to_owned());
        }
        if !compared {
            reasons.push("imprint-not-compared".to_owned());
        }
        if token.with_modifications {
            reasons.push("timestamp-granted-with-mods".to_owned());
        }
        let mut tolerances: Vec<String> = token.tolerances.iter().map(|one| one.word().to_owned()).collect();
        // The verifier judged the chain at the time the token says; here it is judged at the time chosen, with
        // what is known about revocation.
        let at = if judge.asked == Some(At::GenTime) { Some(token.info.gen_time) } else { judge.at };
        let purpose = match token.trust {
            TimestampTrust::Tsa => PathPurpose::TimestampAuthority,
            _ => PathPurpose::MailboxTimestamp,
        };
        let between: Vec<_> = token.chain.iter().skip(1).chain(&judge.intermediates).cloned().collect();
        let mut options = judge.path_options(purpose, at);
        // genTime lies in the past; evidence is of today.
        options.revocation.now = options.revocation.now.or(judge.at);
        match validate(&token.certificate, &between, &judge.anchors, &options) {
            Ok(path) => {
                for word in path.tolerances.iter().map(|one| one.word().to_owned()) {
                    if !tolerances.contains(&word) {
                        tolerances.push(word);
                    }
                }
                if path.revocation == RevocationStatus::Unknown && judge.has_evidence() {
                    reasons.push(PathReason::RevocationUnknown.word().to_owned());
                }
            }
            Err(failure) => {
                verdict = "invalid";
                reasons.push(failure.word().to_owned());
            }
        }
        let mut text = Text::verdict(
            verdict,
            match (verdict, token.trust) {
                ("valid", TimestampTrust::SelfAsserted) => "the mailbox itself says so, which proves nothing",
                ("valid", _) => "stamped by an authority that is trusted here",
                _ => "the stamp held when it was made, and its certificates do not hold at the time chosen",
            },
        );
        told.rows(&mut text);
        text.because(&reasons, &tolerances);
        let outcome = members(Outcome::of(verdict), Some(&told))
            .because(reasons)
            .tolerating(tolerances)
            .saying(text.finish());
        match &self.out.out {
            Some(out) if verdict == "valid" => outcome.giving(token.der, Some(out.clone())),
            _ => outcome,
        }
    }
}

/// The rules: those of the judge, a mailbox's own unit recognised under the same roots, at the time chosen.
fn policy(judge: &Judge) -> TimestampPolicy {
    let mut policy = judge.timestamps.policy().clone();
    policy.tsa_anchors = judge.anchors.clone();
    policy.mailbox_anchors = judge.anchors.clone();
    policy
}

fn der(octets: &[u8], limits: &Limits) -> Option<Vec<u8>> {
    match sniff(octets, limits) {
        Form::Asn1(der) => Some(der),
        Form::Pem(blocks) => blocks.into_iter().next().map(|(_, der)| der),
        Form::Mail | Form::Unknown => None,
    }
}

/// What a token says.
pub(in crate::cli) struct Told {
    gen_time: String,
    policy: String,
    serial: String,
    /// Subject and SHA-256; nothing where the certificate is not at hand.
    signer: Option<(String, String)>,
    /// Nothing where nobody vouches for it: then it is a claim.
    trust: Option<&'static str>,
    accuracy: Option<f64>,
}

impl Told {
    /// Of a token that was verified.
    pub(in crate::cli) fn of(token: &Token) -> Self {
        let signer = (token.authority.clone(), hex(&token.certificate.sha256()));
        Self { trust: Some(token.trust.word()), ..Self::said(&token.info, Some(signer)) }
    }

    /// Of one that was not, or was refused.
    pub(in crate::cli) fn claimed(claims: &Claims) -> Self {
        let certificate = claims.certificate.as_ref();
        let signer = certificate.map(|one| (one.subject_text(), hex(&one.sha256())));
        Self::said(&claims.info, signer)
    }

    fn said(info: &TstInfo, signer: Option<(String, String)>) -> Self {
        Self {
            gen_time: info.gen_time.to_string(),
            policy: info.policy.to_string(),
            serial: hex(&info.serial),
            signer,
            trust: None,
            accuracy: info.accuracy.map(|accuracy| accuracy.as_secs_f64()),
        }
    }

    pub(in crate::cli) fn rows(&self, text: &mut Text) {
        let says =
            if self.trust.is_some() { "" } else { " (it says; nobody who is trusted here vouches for it)" };
        text.row("time", format!("{}{says}", self.gen_time));
        text.row("signer", self.signer.as_ref().map_or("", |(subject, _)| subject));
        text.row("trust", self.trust.unwrap_or_default());
        text.row("policy", &self.policy);
        text.row("serial", &self.serial);
        text.row("accuracy", self.accuracy.map_or(String::new(), |seconds| format!("{seconds} s")));
    }
}

/// The members that every timestamp command has.
pub(super) fn members(outcome: Outcome, told: Option<&Told>) -> Outcome {
    let or_null = |get: fn(&Told) -> &String| told.map_or(Value::Null, |told| get(told).as_str().into());
    outcome
        .with("gen_time", or_null(|told| &told.gen_time))
        .with("policy", or_null(|told| &told.policy))
        .with("serial", or_null(|told| &told.serial))
        .with("accuracy", json!(told.and_then(|told| told.accuracy)))
        .with(
            "signer",
            told.and_then(|told| told.signer.as_ref())
                .map_or(Value::Null, |(subject, sha256)| json!({ "subject": subject, "sha256": sha256 })),
        )
        .with("trust", json!(told.and_then(|told| told.trust)))
}

/// A token that shows nothing: what it claims is called that.
fn refused(judge: &Judge, word: &str, why: &str, claimed: Option<&Told>) -> Outcome {
    let mut text = Text::verdict("invalid", why);
    if let Some(claimed) = claimed {
        claimed.rows(&mut text);
    }
    let mut words = vec![word];
    if judge.anchors.certificates().is_empty() && word != "no-anchors-given" {
        words.push("no-anchors-given");
    }
    text.because(&words, &[]);
    members(Outcome::of("invalid"), claimed).because(words).saying(text.finish())
}
