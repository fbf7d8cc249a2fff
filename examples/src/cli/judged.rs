//! What a verification found, in JSON and in text; the same members for every signer, whatever was found.

use aecm_core::certificate::Certificate;
use aecm_core::oid;
use aecm_core::suite::Level;
use aecm_service::ca::{
    POLICY_MAILBOX_TIMESTAMP, POLICY_SM2_INDIVIDUAL, POLICY_SM2_MAILBOX, POLICY_SM2_ORGANIZATION,
    POLICY_SM2_SPONSOR,
};
use aecm_smime::Tolerance;
use aecm_smime::verify::{Checks, Reason, SignedReport, SignerReport, TimeReport};
use serde_json::{Value, json};

use super::show::hex;
use super::text::Text;

/// One signer.
pub(super) fn signer(signer: &SignerReport) -> Value {
    let certificate = signer.certificate.as_ref();
    let emails: Vec<String> = signer.mailboxes.iter().map(ToString::to_string).collect();
    json!({
        "subject": certificate.map(Certificate::subject_text),
        "emails": emails,
        "serial": certificate.map(|certificate| hex(certificate.serial())),
        "sha256": certificate.map(|certificate| hex(&certificate.sha256())),
        "algorithm": signer.algorithm.map(|algorithm| algorithm.name()),
        "digest": signer.digest.map(|digest| digest.name()),
        "level": certificate.and_then(level).map(Level::word),
        "verdict": signer.verdict.word(),
        "checks": checks(&signer.checks),
        "time": time(&signer.time),
        "reasons": words(&signer.reasons),
        "tolerances": tolerances(&signer.tolerances),
    })
}

fn checks(checks: &Checks) -> Value {
    json!({
        "signature": checks.signature.word(),
        "digest": checks.digest.word(),
        "attributes": checks.attributes.word(),
        "chain": checks.chain.word(),
        "usage": checks.usage.word(),
        "identity": checks.identity.word(),
        "revocation": checks.revocation.word(),
        "time": checks.time.word(),
        "policy": checks.policy.word(),
    })
}

/// When: what the signer says, what an authority says, and which.
pub(super) fn time(time: &TimeReport) -> Value {
    json!({
        "claimed": time.claimed.map(|time| time.to_string()),
        "proven": time.proven.map(|time| time.to_string()),
        "authority": time.authority,
        "trust": time.trust.map(|trust| trust.word()),
    })
}

/// The time of a message: that of the signer whose time is proven first, else what the first says whose
/// signature holds, else what the first says.
pub(super) fn time_of(report: &SignedReport) -> TimeReport {
    let holding = || report.signers.iter().filter(|signer| signer.checks.cryptographically_valid());
    let proven =
        holding().filter(|signer| signer.time.proven.is_some()).min_by_key(|signer| signer.time.proven);
    let chosen = proven.or_else(|| holding().next()).or_else(|| report.signers.first());
    chosen.map(|signer| signer.time.clone()).unwrap_or_default()
}

/// The words of reasons.
pub(super) fn words(reasons: &[Reason]) -> Vec<String> {
    reasons.iter().map(|reason| reason.word().to_owned()).collect()
}

/// The words of tolerances.
pub(super) fn tolerances(tolerances: &[Tolerance]) -> Vec<String> {
    tolerances.iter().map(|tolerance| tolerance.word().to_owned()).collect()
}

/// How far the holder was validated, by the policies of the CA/Browser Forum's S/MIME Baseline Requirements
/// (§7.1.6.1), which SM2 is no part of, and by those of aecm-service for it; nothing where the certificate names none
/// of them.
pub(super) fn level(certificate: &Certificate) -> Option<Level> {
    certificate.policy_oids().iter().find_map(|policy| match *policy {
        oid::SMIME_MAILBOX_LEGACY
        | oid::SMIME_MAILBOX_MULTIPURPOSE
        | oid::SMIME_MAILBOX_STRICT
        | POLICY_SM2_MAILBOX
        | POLICY_MAILBOX_TIMESTAMP => Some(Level::Mailbox),
        oid::SMIME_INDIVIDUAL_LEGACY
        | oid::SMIME_INDIVIDUAL_MULTIPURPOSE
        | oid::SMIME_INDIVIDUAL_STRICT
        | POLICY_SM2_INDIVIDUAL => Some(Level::Individual),
        oid::SMIME_ORGANIZATION_LEGACY
        | oid::SMIME_ORGANIZATION_MULTIPURPOSE
        | oid::SMIME_ORGANIZATION_STRICT
        | POLICY_SM2_ORGANIZATION => Some(Level::Organization),
        oid::SMIME_SPONSOR_LEGACY
        | oid::SMIME_SPONSOR_MULTIPURPOSE
        | oid::SMIME_SPONSOR_STRICT
        | POLICY_SM2_SPONSOR => Some(Level::Sponsor),
        _ => None,
    })
}

/// The level in words.
pub(super) const fn level_text(level: Level) -> &'static str {
    match level {
        Level::Mailbox => "mailbox validated (mv)",
        Level::Individual => "individual validated (iv)",
        Level::Organization => "organization validated (ov)",
        Level::Sponsor => "sponsor validated (sv)",
        _ => "another level",
    }
}

/// The rows of one signer.
pub(super) fn signer_text(text: &mut Text, number: usize, report: &SignerReport) {
    let emails: Vec<String> = report.mailboxes.iter().map(ToString::to_string).collect();
    text.heading(&format!("Signer {number}: {}", report.verdict));
    match &report.certificate {
        None => text.row("certificate", "not at hand"),
        Some(certificate) => {
            text.row("subject", certificate.subject_text());
            text.row("emails", emails.join(", "));
            text.row("serial", hex(certificate.serial()));
            text.row("sha256", hex(&certificate.sha256()));
            text.row("level", level(certificate).map_or("", level_text));
        }
    }
    text.row("algorithm", report.algorithm.map_or("unknown", |algorithm| algorithm.name()));
    if let Value::Object(checks) = checks(&report.checks) {
        for name in CHECKS {
            text.row(name, checks.get(name).and_then(Value::as_str).unwrap_or_default());
        }
    }
    time_text(text, &report.time);
}

/// The checks in the order in which they are made.
pub(super) const CHECKS: [&str; 9] =
    ["signature", "digest", "attributes", "chain", "usage", "identity", "revocation", "time", "policy"];

/// The rows of a time.
pub(super) fn time_text(text: &mut Text, time: &TimeReport) {
    text.row("signed", time.claimed.map_or(String::new(), |time| format!("{time} (the signer says)")));
    if let (Some(proven), Some(authority)) = (time.proven, &time.authority) {
        text.row("proven", format!("{proven} by {authority}"));
    }
    for (time, authority) in &time.self_asserted {
        text.row("self-asserted", format!("{time} by {authority}: proves nothing"));
    }
}
