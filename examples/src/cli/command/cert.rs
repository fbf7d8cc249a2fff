//! `aecm cert verify FILE`: a certificate and its chain.

mod lint;

use std::path::PathBuf;

use aecm_core::certificate::Certificate;
use aecm_core::mailbox::Mailbox;
use aecm_core::oid::ObjectIdentifier;
use aecm_core::path::{
    Budget, Path, PathFailure, PathPurpose, PathReason, RevocationStatus, validate_within,
};
use aecm_core::public_key::MIN_RSA_BITS;
use aecm_smime::verify::{CheckResult, RevocationCheck};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::verify::mailbox;
use crate::cli::show::hex;
use crate::cli::text::Text;
use crate::cli::verifying::{At, Judge, VerifyArgs};
use crate::cli::{Failure, Io, Outcome, certificates, judged, words};

/// Looks at certificates.
#[derive(Args)]
#[command(arg_required_else_help = true)]
pub(in crate::cli) struct Cert {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Verify a certificate and its chain
    Verify(Box<Verify>),
}

/// Verifies a certificate and its chain (RFC 5280 §6), and says what is unusual about it.
#[derive(Args)]
#[command(after_help = "\
Examples:
  aecm cert verify alice.crt --trust ca.crt --email alice@example.com --purpose sign
  aecm cert verify chain.pem --trust root.crt --at 2026-01-01T00:00:00Z --json")]
struct Verify {
    /// The certificate, PEM or DER; its issuers may follow
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The mailbox that it should be for
    #[arg(long, value_name = "ADDR", value_parser = mailbox)]
    email: Option<Mailbox>,
    /// What it is to be used for
    #[arg(long, value_enum, default_value_t)]
    purpose: Purpose,
    #[command(flatten)]
    trust: VerifyArgs,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Purpose {
    /// Signs mail
    Sign,
    /// Receives encrypted mail
    Encrypt,
    /// Signs timestamps as an authority
    Timestamp,
    /// Nothing in particular
    #[default]
    Any,
}

impl Purpose {
    const fn path(self) -> PathPurpose {
        match self {
            Self::Sign => PathPurpose::SignMail,
            Self::Encrypt => PathPurpose::EncryptMail,
            Self::Timestamp => PathPurpose::TimestampAuthority,
            Self::Any => PathPurpose::Any,
        }
    }
}

impl Cert {
    pub(in crate::cli) fn run(self, io: &mut Io) -> Result<Outcome, Failure> {
        let What::Verify(command) = self.what;
        command.run(io)
    }
}

/// What was found.
struct Found {
    chain: Vec<Certificate>,
    checks: Checks,
    policies: Vec<ObjectIdentifier>,
    reasons: Vec<String>,
    tolerances: Vec<String>,
    /// A sentence about what is wrong with the chain.
    why: Option<String>,
}

struct Checks {
    chain: CheckResult,
    usage: CheckResult,
    identity: CheckResult,
    revocation: RevocationCheck,
    policy: CheckResult,
}

impl Verify {
    fn run(self, io: &mut Io) -> Result<Outcome, Failure> {
        let judge = self.trust.read(io)?;
        if judge.asked == Some(At::GenTime) {
            let why = "a certificate has no timestamp: give --at a time, or never";
            return Err(Failure::error("usage", why));
        }
        let mut all = certificates::read(&self.file, &judge.policy.limits, io)?.into_iter();
        let Some(leaf) = all.next() else {
            return Err(Failure::error("wrong-kind", "there is no certificate"));
        };
        let between: Vec<Certificate> = all.chain(judge.intermediates.iter().cloned()).collect();
        let found = self.judge(&leaf, &between, &judge);
        let lint = lint::lint(&leaf);
        let verdict = found.verdict();
        let mut text = Text::explained(verdict);
        describe(&mut text, &leaf);
        text.row("chain", found.checks.chain.word());
        text.row("usage", found.checks.usage.word());
        text.row("identity", found.checks.identity.word());
        text.row("revocation", found.checks.revocation.word());
        text.row("policy", found.checks.policy.word());
        for (number, certificate) in (1..).zip(found.chain.iter().skip(1)) {
            text.row(&format!("issuer {number}"), certificate.subject_text());
        }
        let policies: Vec<String> = found.policies.iter().map(words::oid).collect();
        text.row("policies", policies.join(", "));
        text.row("why", found.why.as_deref().unwrap_or_default());
        text.because(&found.reasons, &found.tolerances);
        text.unusual(&lint);
        Ok(Outcome::of(verdict)
            .with("chain", found.chain.iter().map(certificate).collect::<Vec<Value>>())
            .with("checks", found.checks.json())
            .with("level", json!(judged::level(&leaf).map(aecm_core::suite::Level::word)))
            .with("valid_policies", found.policies.iter().map(ToString::to_string).collect::<Vec<_>>())
            .with("lint", lint)
            .with("certificate", certificate(&leaf))
            .because(found.reasons)
            .tolerating(found.tolerances)
            .saying(text.finish()))
    }

    fn judge(&self, leaf: &Certificate, between: &[Certificate], judge: &Judge) -> Found {
        let mut found = Found {
            chain: Vec::new(),
            checks: Checks {
                chain: CheckResult::NotEvaluated,
                usage: CheckResult::Valid,
                identity: CheckResult::NotEvaluated,
                revocation: RevocationCheck::Unknown,
                policy: CheckResult::NotEvaluated,
            },
            policies: Vec::new(),
            reasons: Vec::new(),
            tolerances: Vec::new(),
            why: None,
        };
        if judge.anchors.certificates().is_empty() {
            found.reasons.push("no-anchors-given".to_owned());
        } else {
            // One for all attempts, so that several do not multiply the work.
            let mut budget = Budget::new(&judge.policy.limits);
            let mut path = |purpose| strong_or_weak(leaf, between, judge, purpose, &mut budget);
            let mut result = path(self.purpose.path());
            // Usage apart from the chain, so that it is seen which of the two it was.
            if let Err(failure) = &result
                && failure.word() == "usage-not-allowed"
            {
                found.checks.usage = CheckResult::Invalid;
                found.reasons.push(failure.word().to_owned());
                result = path(PathPurpose::Any);
            }
            match result {
                Ok((path, is_weak)) => {
                    found.checks.chain = CheckResult::Valid;
                    let weak = path.tolerances.iter().map(|one| one.word().to_owned());
                    if is_weak {
                        found.checks.policy = CheckResult::Invalid;
                        found.reasons.extend(weak);
                    } else {
                        found.checks.policy = CheckResult::Valid;
                        found.tolerances.extend(weak);
                    }
                    if path.revocation == RevocationStatus::Good {
                        found.checks.revocation = RevocationCheck::Good;
                    } else if judge.has_evidence() {
                        found.reasons.push(PathReason::RevocationUnknown.word().to_owned());
                    }
                    found.policies = path.valid_policies;
                    found.chain = path.chain;
                }
                Err(failure) => {
                    found.checks.chain = CheckResult::Invalid;
                    if matches!(failure.reason, PathReason::Revoked { .. }) {
                        found.checks.revocation = RevocationCheck::Revoked;
                    }
                    found.reasons.push(failure.word().to_owned());
                    found.why = Some(failure.to_string());
                }
            }
        }
        if let Some(email) = &self.email {
            let named = leaf.mailboxes().iter().any(|mailbox| mailbox.matches(email));
            found.checks.identity = if named { CheckResult::Valid } else { CheckResult::Invalid };
            if !named {
                found.reasons.push("from-does-not-match".to_owned());
            }
        }
        found
    }
}

/// A path of algorithms that the policy takes, else one that is weak and holds all the same: whether it holds is one
/// question, what the policy says to it another.
fn strong_or_weak(
    leaf: &Certificate,
    between: &[Certificate],
    judge: &Judge,
    purpose: PathPurpose,
    budget: &mut Budget,
) -> Result<(Path, bool), PathFailure> {
    let mut options = judge.path_options(purpose, judge.at);
    match validate_within(leaf, between, &judge.anchors, &options, budget) {
        Err(failure) if failure.reason == PathReason::WeakAlgorithm => {
            (options.sha1, options.rsa_bits_min) = (true, MIN_RSA_BITS);
            validate_within(leaf, between, &judge.anchors, &options, budget).map(|path| (path, true))
        }
        other => other.map(|path| (path, false)),
    }
}

impl Found {
    fn verdict(&self) -> &'static str {
        let Checks { chain, usage, identity, revocation, policy } = self.checks;
        let trusted = chain == CheckResult::Valid
            && usage == CheckResult::Valid
            && revocation != RevocationCheck::Revoked;
        match (trusted, policy, identity) {
            (false, ..) => "invalid",
            (true, CheckResult::Invalid, _) => "policy",
            (true, _, CheckResult::Invalid) => "identity-mismatch",
            (true, ..) => "valid",
        }
    }
}

impl Checks {
    fn json(&self) -> Value {
        json!({
            "chain": self.chain.word(),
            "usage": self.usage.word(),
            "identity": self.identity.word(),
            "revocation": self.revocation.word(),
            "policy": self.policy.word(),
        })
    }
}

/// A certificate in JSON.
pub(in crate::cli) fn certificate(certificate: &Certificate) -> Value {
    let emails: Vec<String> = certificate.mailboxes().iter().map(ToString::to_string).collect();
    json!({
        "subject": certificate.subject_text(),
        "issuer": certificate.issuer_text(),
        "emails": emails,
        "serial": hex(certificate.serial()),
        "sha256": hex(&certificate.sha256()),
        "not_before": certificate.not_before().to_string(),
        "not_after": certificate.not_after().to_string(),
        "key": certificate.public_key().map(|key| words::key(key).json),
        "level": judged::level(certificate).map(aecm_core::suite::Level::word),
    })
}

/// A certificate in rows.
pub(in crate::cli) fn describe(text: &mut Text, certificate: &Certificate) {
    let emails: Vec<String> = certificate.mailboxes().iter().map(ToString::to_string).collect();
    text.row("subject", certificate.subject_text());
    text.row("emails", emails.join(", "));
    text.row("issuer", certificate.issuer_text());
    text.row("serial", hex(certificate.serial()));
    text.row("sha256", hex(&certificate.sha256()));
    text.row("valid", format!("{} to {}", certificate.not_before(), certificate.not_after()));
    text.row(
        "key",
        certificate.public_key().map_or("of an unknown kind".to_owned(), |key| words::key(key).text),
    );
    text.row("level", judged::level(certificate).map_or("", judged::level_text));
}
