//! The signature around a mail.

use aecm_core::mailbox::Mailbox;
use aecm_smime::mime::{CmsKind, Entity, MimeError, Protection, canonical_line_ends, covert_parts};
use aecm_smime::open::{Layer, OpenOptions, open};
use aecm_smime::verify::{Reason, SignedReport, Verdict};
use aecm_smime::{Tolerance, cms::SignedData};
use zeroize::Zeroizing;

use super::{Found, verifier};
use crate::cli::verifying::Judge;
use crate::cli::{Failure, runtime};

/// Verified by whoever signed it, or by `email`; the mail's own From is not looked at.
pub(super) fn alone(mail: &[u8], judge: &Judge, email: Option<&Mailbox>) -> Result<Found, Failure> {
    let limits = &judge.policy.limits;
    let entity = Entity::parse(mail, limits)?;
    let (cms, detached, mut tolerances) = match protection(&entity, judge)? {
        None => return Ok(broken()),
        Some(Protection::ClearSigned { content, signature, tolerances, .. }) => {
            (signature, Some(content), tolerances)
        }
        Some(Protection::Cms { kind: CmsKind::SignedData, cms, tolerances }) => (cms, None, tolerances),
        Some(Protection::Cms { kind, .. }) => return Err(encrypted(kind)),
        Some(_) => return unsigned(&entity, judge),
    };
    let verifier = verifier(judge, email);
    let signed = SignedData::parse(&cms, limits)?;
    let mut report = verifier.verify_signed(&signed, detached)?;
    let mut content = match (signed.content(), detached) {
        (Some(embedded), _) => Some(embedded.into_owned()),
        (None, detached) => detached.map(<[u8]>::to_vec),
    };
    // Transports change line ends; what was signed had CRLF (RFC 8551 §3.1.1).
    if let Some(received) = detached.filter(|_| !holds(&report)) {
        let canonical = canonical_line_ends(received);
        if canonical.len() != received.len() {
            let retried = verifier.verify_signed(&signed, Some(&canonical))?;
            if holds(&retried) {
                report = retried;
                content = Some(canonical.into_owned());
                tolerances.push(Tolerance::BareLineFeed);
            }
        }
    }
    tolerances.extend(&report.tolerances);
    Ok(Found {
        verdict: report.verdict,
        reasons: report.all_reasons(),
        tolerances,
        report: Some(report),
        content: content.map(Zeroizing::new),
    })
}

/// Verified against the mail's From.
pub(super) fn with_sender(mail: &[u8], judge: &Judge) -> Result<Found, Failure> {
    let entity = Entity::parse(mail, &judge.policy.limits)?;
    if let Some(Protection::Cms { kind, .. }) = protection(&entity, judge)?
        && kind != CmsKind::SignedData
    {
        return Err(encrypted(kind));
    }
    let options = OpenOptions::new(&judge.anchors, &judge.policy)
        .intermediates(&judge.intermediates)
        .at(judge.at)
        .path_policies(judge.policies.clone())
        .revocation(judge.revocation.clone())
        .timestamps(&judge.timestamps);
    let opened = runtime::block_on(open(mail, &options))??;
    // The innermost signature is the one over the content.
    let report = opened.layers.into_iter().rev().find_map(|layer| match layer {
        Layer::Signed(layer) if layer.report.verdict != Verdict::NotSigned => Some(layer.report),
        _ => None,
    });
    let signed = report.is_some();
    Ok(Found {
        verdict: opened.verdict,
        reasons: opened.reasons,
        tolerances: opened.tolerances,
        report,
        content: opened.content.filter(|_| signed),
    })
}

/// What protects the mail; nothing where its structure says so and it cannot be.
fn protection<'a>(entity: &Entity<'a>, judge: &Judge) -> Result<Option<Protection<'a>>, Failure> {
    match entity.protection(&judge.policy.limits) {
        Ok(protection) => Ok(Some(protection)),
        Err(error @ (MimeError::TooManyParts { .. } | MimeError::TooDeep { .. })) => Err(error.into()),
        Err(_) => Ok(None),
    }
}

fn holds(report: &SignedReport) -> bool {
    report.signers.iter().any(|signer| signer.checks.cryptographically_valid())
}

fn broken() -> Found {
    Found {
        verdict: Verdict::Invalid,
        reasons: vec![Reason::MimeStructure],
        tolerances: Vec::new(),
        report: None,
        content: None,
    }
}

fn unsigned(entity: &Entity<'_>, judge: &Judge) -> Result<Found, Failure> {
    let parts = covert_parts(entity, &judge.policy.limits)?;
    let (verdict, reasons) = if parts.is_empty() {
        (Verdict::NotSigned, vec![Reason::NotSigned])
    } else {
        (Verdict::Partial, vec![Reason::NotSigned, Reason::PartlySigned])
    };
    Ok(Found { verdict, reasons, tolerances: Vec::new(), report: None, content: None })
}

fn encrypted(kind: CmsKind) -> Failure {
    let message = format!("the mail is {kind}: what it holds is read with aecm open or aecm decrypt");
    Failure::error("wrong-kind", message)
}
