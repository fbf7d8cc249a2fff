//! What the verifying commands share: whom to trust, at what time, by which rules.

use std::path::PathBuf;

use aecm_core::certificate::Certificate;
use aecm_core::limits::Limits;
use aecm_core::path::{Anchors, PathOptions, PathPurpose, PolicySettings, Revocation};
use aecm_core::suite::Suite;
use aecm_core::time::Time;
use aecm_smime::verify::{Policy, SignerPolicy, TimestampRule};
use aecm_timestamp::TimestampPolicy;
use clap::{Args, ValueEnum};

use super::args::LimitArgs;
use super::chain::ChainArgs;
use super::recipients::Sm2OrderArgs;
use super::{Failure, Io, certificates};

/// The options of the verifying commands.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Trust")]
pub(super) struct VerifyArgs {
    /// Certificates to trust, PEM or DER; may be given several times
    #[arg(long, value_name = "F")]
    pub(super) trust: Vec<PathBuf>,
    /// Certificates to trust about time; may be given several times
    #[arg(long, value_name = "F")]
    pub(super) tsa_trust: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) judging: JudgingArgs,
}

/// The options that do not say whom to trust.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Trust")]
pub(super) struct JudgingArgs {
    /// Certificates in between, not trusted; may be given several times
    #[arg(long, value_name = "F")]
    certs: Vec<PathBuf>,
    /// When certificates have to be valid: a time, the timestamp's (gentime), or do not look (never)
    #[arg(long, value_name = "RFC3339|gentime|never", value_parser = at)]
    at: Option<At>,
    /// Which algorithms to accept; legacy also reads SHA-1 and RSA from 1024 bits
    #[arg(long, value_enum, default_value_t)]
    policy: PolicyName,
    /// Which signers have to be valid: any, all, suite:sm2 or suite:rsa
    #[arg(long, value_name = "RULE", default_value = "any", value_parser = signers)]
    signers: SignerPolicy,
    /// An SM2 identifier to try beside the usual one; '' is the empty one; may be given several times
    #[arg(long, value_name = "STRING")]
    sm2_id: Vec<String>,
    /// Accept SM2 signatures over the bare SM3 of the content
    #[arg(long)]
    sm2_raw_digest: bool,
    #[command(flatten)]
    pub(super) order: Sm2OrderArgs,
    #[command(flatten)]
    chain: ChainArgs,
    #[command(flatten)]
    limits: LimitArgs,
}

/// `--at`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// At that time.
    Time(Time),
    /// At the time that a timestamp proves.
    GenTime,
    /// Without looking at validity.
    Never,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum PolicyName {
    #[default]
    Modern,
    Legacy,
}

fn at(text: &str) -> Result<At, String> {
    match text {
        "gentime" => Ok(At::GenTime),
        "never" => Ok(At::Never),
        _ => Time::from_rfc3339(text)
            .map(At::Time)
            .ok_or_else(|| format!("{text:?} is neither gentime, never, nor like 2026-11-23T08:00:00Z")),
    }
}

fn signers(text: &str) -> Result<SignerPolicy, String> {
    match text {
        "any" => Ok(SignerPolicy::AnyValid),
        "all" => Ok(SignerPolicy::AllValid),
        "suite:sm2" => Ok(SignerPolicy::Suite(Suite::Sm2)),
        "suite:rsa" | "suite:classic" => Ok(SignerPolicy::Suite(Suite::Classic)),
        _ => Err(format!("{text:?} is none of any, all, suite:sm2, suite:rsa")),
    }
}

/// The options, with their files read.
#[derive(Debug)]
pub(super) struct Judge {
    /// Whom to trust about mail; none are the ground for `no-anchors-given`.
    pub(super) anchors: Anchors,
    /// The certificates in between.
    pub(super) intermediates: Vec<Certificate>,
    /// Which algorithms and signers count.
    pub(super) policy: Policy,
    /// When certificates have to be valid; nothing does not look.
    pub(super) at: Option<Time>,
    /// What was asked for.
    pub(super) asked: Option<At>,
    /// Whom to trust about time.
    pub(super) timestamps: aecm_timestamp::Verifier,
    /// Which certificate policies the path has to be valid for.
    pub(super) policies: PolicySettings,
    /// What is known about revocation.
    pub(super) revocation: Revocation,
}

impl Judge {
    /// Whether CRLs or OCSP responses were given.
    pub(super) const fn has_evidence(&self) -> bool {
        !(self.revocation.crls.is_empty() && self.revocation.ocsp.is_empty())
    }

    /// The rules for a path, at `at`.
    pub(super) fn path_options(&self, purpose: PathPurpose, at: Option<Time>) -> PathOptions {
        let mut options = PathOptions::new(purpose, at, self.policy.limits.clone());
        options.sha1 = self.policy.sha1;
        options.rsa_bits_min = self.policy.rsa_bits_min;
        options.policies = self.policies.clone();
        options.revocation = self.revocation.clone();
        options.revocation.stamper =
            matches!(purpose, PathPurpose::TimestampAuthority | PathPurpose::MailboxTimestamp);
        options
    }
}

impl VerifyArgs {
    /// Reads the files.
    pub(super) fn read(&self, io: &mut Io) -> Result<Judge, Failure> {
        self.judging.read(&self.trust, &self.tsa_trust, io)
    }
}

impl JudgingArgs {
    /// The bounds to keep.
    pub(super) fn limits(&self) -> Limits {
        self.limits.get()
    }

    /// Reads the files, those of the anchors too.
    pub(super) fn read(
        &self,
        trust: &[PathBuf],
        tsa_trust: &[PathBuf],
        io: &mut Io,
    ) -> Result<Judge, Failure> {
        let limits = self.limits();
        let anchors = Anchors::new(certificates::read_all(trust, &limits, io)?);
        let tsa = Anchors::new(certificates::read_all(tsa_trust, &limits, io)?);
        let intermediates = certificates::read_all(&self.certs, &limits, io)?;
        let now = io.clock.now();
        let at = match self.at {
            None | Some(At::GenTime) => Some(now),
            Some(At::Time(time)) => Some(time),
            Some(At::Never) => None,
        };
        let mut times = TimestampPolicy::new(tsa);
        times.now = at;
        times.intermediates.clone_from(&intermediates);
        times.limits = limits.clone();
        let policy = self.policy(limits);
        times.sha1 = policy.sha1;
        times.rsa_bits_min = policy.rsa_bits_min;
        let revocation = self.chain.revocation(&policy.limits, io)?;
        times.revocation = revocation.clone();
        let timestamps = aecm_timestamp::Verifier::new(times);
        let policies = self.chain.policies();
        Ok(Judge { anchors, intermediates, policy, at, asked: self.at, timestamps, policies, revocation })
    }

    fn policy(&self, limits: Limits) -> Policy {
        let mut policy = match self.policy {
            PolicyName::Modern => Policy::modern(),
            PolicyName::Legacy => Policy::legacy(),
        };
        policy.limits = limits;
        policy.signers = self.signers;
        policy.sm2_ids = self.sm2_id.iter().map(|id| id.clone().into_bytes()).collect();
        policy.sm2_raw_digest = self.sm2_raw_digest;
        if self.at == Some(At::GenTime) {
            // Without a proven time there is none to judge at.
            policy.timestamps = TimestampRule::Required;
        }
        policy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_rules_are_read_strictly() {
        assert_eq!(at("never"), Ok(At::Never));
        assert_eq!(at("gentime"), Ok(At::GenTime));
        assert!(matches!(at("2026-11-23T08:00:00Z"), Ok(At::Time(_))));
        for wrong in ["", "now", "Never", "2026-11-23", "2026-13-01T00:00:00Z", "1795420800"] {
            assert!(at(wrong).is_err(), "{wrong}");
        }
        assert_eq!(signers("suite:rsa"), Ok(SignerPolicy::Suite(Suite::Classic)));
        for wrong in ["", "Any", "suite:", "suite:ecc", "one"] {
            assert!(signers(wrong).is_err(), "{wrong}");
        }
    }
}
