//! Verifying the layers and summing up.

use aecm_core::mailbox::Mailbox;
use aecm_core::time::Time;
use zeroize::Zeroizing;

use super::identity::{Sender, sender};
use super::layers::{Found, Layer, SignedLayer, Walked};
use super::{OpenError, OpenOptions};
use crate::mime::{Entity, ProtectedHeaders, canonical_line_ends, covert_parts, micalg, protected_headers};
use crate::tolerance::{Tolerance, note};
use crate::verify::{CheckResult, Reason, SignedReport, TimestampTrust, Verdict, Verifier};

/// An opened mail.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Opened {
    /// The layers from the outside in; empty for a mail that S/MIME does not protect as a whole.
    pub layers: Vec<Layer>,
    /// The summary.
    pub verdict: Verdict,
    /// Why, each reason once.
    pub reasons: Vec<Reason>,
    /// The innermost entity, header and body, octet for octet as it was signed or encrypted; the mail itself
    /// where nothing protects it. None where it is withheld or there is none.
    pub content: Option<Zeroizing<Vec<u8>>>,
    /// Whether there is content that nothing vouches for, and it was not asked for.
    pub withheld: bool,
    /// The protected header fields: what may be shown instead of the outer ones (THREATS M3). None where the
    /// sender protected none: then no header field is signed.
    pub protected_headers: Option<ProtectedHeaders>,
    /// The mailbox the signer was compared with.
    pub from: Option<Mailbox>,
    /// When it was sent, as far as that is known.
    pub sent_at: SentAt,
    /// Part numbers of parts inside the content that are signed or encrypted by themselves and say nothing
    /// about the whole.
    pub inner_parts: Vec<String>,
    /// What was forgiven, in all layers.
    pub tolerances: Vec<Tolerance>,
}

/// When a mail was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SentAt {
    /// A trusted authority saw the signature at this time; the mail is at least that old.
    pub proven: Option<Time>,
    /// That authority.
    pub authority: Option<String>,
    /// On what ground it is trusted.
    pub trust: Option<TimestampTrust>,
    /// What the signer says.
    pub claimed: Option<Time>,
}

/// A layer verified, and where its content was taken from.
struct Verified {
    report: SignedReport,
    /// The canonical form under which the signature held, where that is not the content as received.
    canonical: Option<Zeroizing<Vec<u8>>>,
}

pub(super) fn judge(mail: &[u8], walked: Walked, options: &OpenOptions<'_>) -> Result<Opened, OpenError> {
    let limits = &options.policy.limits;
    let Walked { layers: found, mut content, broken, .. } = walked;
    let outer = Entity::parse(mail, limits)?;
    let mut protected = None;
    let mut reasons: Vec<Reason> = Vec::new();
    let mut inner_parts = Vec::new();
    if let Some(payload) = content.as_ref().and_then(|content| Entity::parse(content, limits).ok()) {
        inner_parts = covert_parts(&payload, limits)?;
        if !found.is_empty() {
            // A payload whose hp cannot be understood protects no header.
            protected = protected_headers(&payload, limits).unwrap_or(None);
        }
    }
    let Sender { expected, outer: outer_from, reason: from_reason } =
        sender(&outer, protected.as_ref(), options);

    let mut layers = Vec::with_capacity(found.len());
    let mut tolerances = Vec::new();
    let innermost = found.len().saturating_sub(1);
    for (index, layer) in found.into_iter().enumerate() {
        let layer = match layer {
            Found::Unsupported(kind) => Layer::Unsupported { kind },
            Found::Encrypted(layer) => Layer::Encrypted(layer),
            Found::Compressed(layer) => Layer::Compressed(layer),
            Found::Signed { cms, detached, micalg, tolerances } => {
                let clear = detached.is_some();
                let verified =
                    verify(&cms, detached.as_deref().map(Vec::as_slice), expected.as_ref(), options)?;
                let layer =
                    signed_layer(clear, verified.report, micalg, tolerances, verified.canonical.is_some());
                // What an outer signature was made over is not what the innermost one vouches for.
                if index == innermost && verified.canonical.is_some() {
                    content = verified.canonical;
                }
                Layer::Signed(layer)
            }
        };
        layers.push(layer);
    }

    each_tolerance(&layers, &mut tolerances);

    let mut verdict = summary(&layers, &mut reasons);
    if verdict == Verdict::Valid && signs_ciphertext(&layers) {
        verdict = Verdict::Partial;
        reasons.push(Reason::SignatureOverCiphertext);
    }
    if let Some(reason) = from_reason.filter(|_| !layers.is_empty()) {
        reasons.push(reason);
        if verdict == Verdict::Valid {
            verdict = Verdict::IdentityMismatch;
        }
    }
    if broken {
        verdict = Verdict::Invalid;
        reasons.push(Reason::MimeStructure);
    } else if verdict == Verdict::NotSigned && !inner_parts.is_empty() {
        verdict = Verdict::Partial;
        reasons.push(Reason::PartlySigned);
    }
    let unauthenticated = is_unauthenticated(&layers);
    if unauthenticated {
        verdict = Verdict::Unauthenticated;
        reasons.push(Reason::Unauthenticated);
    }
    let withheld =
        content.is_some() && !options.accept_unauthenticated && (unauthenticated || !is_vouched_for(&layers));
    if withheld {
        content = None;
        protected = None;
        inner_parts.clear();
    }
    // Also where there is no content to withhold.
    if unauthenticated && !options.accept_unauthenticated && hide_inside(&mut layers) {
        reasons = vec![Reason::Unauthenticated];
        tolerances.clear();
        each_tolerance(&layers, &mut tolerances);
    }
    let mut each: Vec<Reason> = Vec::with_capacity(reasons.len());
    for reason in reasons {
        if !each.contains(&reason) {
            each.push(reason);
        }
    }
    let sent_at = sent_at(&layers, expected.as_ref());
    // A From inside that nobody signed is worth no more than the one outside (THREATS M1): anybody can encrypt.
    let from = if has_signature(&layers) { expected } else { outer_from };
    Ok(Opened {
        layers,
        verdict,
        reasons: each,
        content,
        withheld,
        protected_headers: protected,
        from,
        sent_at,
        inner_parts,
        tolerances,
    })
}

/// Verifies one layer; where the digest does not fit and the clear text has bare line feeds, once more over
/// its canonical form (STANDARDS §4.8).
fn verify(
    cms: &[u8],
    detached: Option<&[u8]>,
    expected: Option<&Mailbox>,
    options: &OpenOptions<'_>,
) -> Result<Verified, OpenError> {
    let mut verifier = Verifier::new(options.anchors, options.policy)
        .at(options.at)
        .intermediates(options.intermediates)
        .path_policies(options.policies.clone())
        .revocation(options.revocation.clone());
    if let Some(mailbox) = expected {
        verifier = verifier.email(mailbox);
    }
    if let Some(timestamps) = options.timestamps {
        verifier = verifier.timestamps(timestamps);
    }
    let report = verifier.verify(cms, detached)?;
    let held =
        |report: &SignedReport| report.signers.iter().any(|signer| signer.checks.cryptographically_valid());
    let Some(received) = detached.filter(|_| !held(&report)) else {
        return Ok(Verified { report, canonical: None });
    };
    let digest_failed = report.signers.iter().any(|signer| {
        signer.checks.digest == CheckResult::Invalid || signer.checks.signature == CheckResult::Invalid
    });
    let canonical = canonical_line_ends(received);
    if !digest_failed || canonical.len() == received.len() {
        return Ok(Verified { report, canonical: None });
    }
    let retried = verifier.verify(cms, Some(&canonical))?;
    if held(&retried) {
        Ok(Verified { report: retried, canonical: Some(Zeroizing::new(canonical.into_owned())) })
    } else {
        Ok(Verified { report, canonical: None })
    }
}

fn signed_layer(
    clear: bool,
    mut report: SignedReport,
    named: Option<String>,
    mut tolerances: Vec<Tolerance>,
    canonicalised: bool,
) -> SignedLayer {
    report.content = None;
    if canonicalised {
        note(&mut tolerances, Tolerance::BareLineFeed);
    }
    if let Some(named) = named {
        let used: Vec<_> = report.signers.iter().filter_map(|signer| signer.digest).collect();
        let named = named.to_ascii_lowercase().replace(' ', "");
        // Old names without the hyphen (RFC 8551 §3.5.3.2) and "unknown" contradict nothing.
        let fits = micalg(&used).split(',').all(|word| {
            named.split(',').any(|name| name == word || name == word.replace('-', "") || name == "unknown")
        });
        if !fits {
            note(&mut tolerances, Tolerance::MicalgMismatch);
        }
    }
    report.tolerances.iter().for_each(|tolerance| note(&mut tolerances, *tolerance));
    SignedLayer { clear, report, tolerances }
}

fn signatures(layers: &[Layer]) -> impl DoubleEndedIterator<Item = &SignedReport> {
    layers.iter().filter_map(|layer| match layer {
        Layer::Signed(layer) => Some(&layer.report),
        _ => None,
    })
}

fn has_signature(layers: &[Layer]) -> bool {
    signatures(layers).any(|report| report.verdict != Verdict::NotSigned)
}

/// The innermost signature decides; one further out that is broken breaks the mail.
fn summary(layers: &[Layer], reasons: &mut Vec<Reason>) -> Verdict {
    let mut verdict = None;
    for report in signatures(layers).rev() {
        match verdict {
            None if report.verdict == Verdict::NotSigned => {}
            None => {
                verdict = Some(report.verdict);
                reasons.extend(report.all_reasons());
            }
            Some(_) => {
                let broken = report.signers.iter().any(|signer| signer.checks.cryptographic_failure());
                if broken && report.verdict == Verdict::Invalid {
                    verdict = Some(Verdict::Invalid);
                    reasons.extend(report.all_reasons());
                }
            }
        }
    }
    verdict.unwrap_or_else(|| {
        reasons.push(Reason::NotSigned);
        Verdict::NotSigned
    })
}

/// Whether the innermost signature was made over something encrypted: its signer need not know the content.
fn signs_ciphertext(layers: &[Layer]) -> bool {
    let signature = layers.iter().rposition(
        |layer| matches!(layer, Layer::Signed(layer) if layer.report.verdict != Verdict::NotSigned),
    );
    signature.is_some_and(|at| {
        let inside = layers.get(at + 1..).unwrap_or_default();
        inside.iter().any(|layer| !matches!(layer, Layer::Signed(_) | Layer::Compressed(_)))
    })
}

fn each_tolerance(layers: &[Layer], tolerances: &mut Vec<Tolerance>) {
    for layer in layers {
        let used = match layer {
            Layer::Encrypted(layer) => layer.tolerances.as_slice(),
            Layer::Compressed(layer) => layer.tolerances.as_slice(),
            Layer::Signed(layer) => layer.tolerances.as_slice(),
            Layer::Unsupported { .. } => &[],
        };
        used.iter().for_each(|tolerance| note(tolerances, *tolerance));
    }
}

/// Takes away what was found inside the first layer that is not authenticated and has no signature of its own in it
/// that holds by its mathematics: an attacker who bends the ciphertext must not learn what came out (THREATS E1, M5).
/// A signature further out is over the ciphertext, and anybody can make one; one behind a further such layer is over
/// what that gave.
fn hide_inside(layers: &mut Vec<Layer>) -> bool {
    let bendable = |layer: &Layer| matches!(layer, Layer::Encrypted(layer) if !layer.authenticated);
    let is_held =
        |report: &SignedReport| report.signers.iter().any(|signer| signer.checks.cryptographically_valid());
    let is_open = |at: usize| {
        let inside = layers.get(at + 1..).unwrap_or_default();
        let own = inside.iter().position(bendable).and_then(|end| inside.get(..end)).unwrap_or(inside);
        !signatures(own).any(is_held)
    };
    let open = (0..layers.len()).find(|at| layers.get(*at).is_some_and(bendable) && is_open(*at));
    let Some(at) = open else { return false };
    layers.truncate(at + 1);
    if let Some(Layer::Encrypted(layer)) = layers.last_mut() {
        layer.content_sha256 = None;
    }
    true
}

/// Whether some layer was decrypted without authentication and no valid signature lies further in (M5).
fn is_unauthenticated(layers: &[Layer]) -> bool {
    layers.iter().enumerate().any(|(index, layer)| {
        let open = matches!(layer, Layer::Encrypted(layer) if !layer.authenticated);
        let inside = layers.get(index + 1..).unwrap_or_default();
        open && !signatures(inside).any(|report| report.verdict == Verdict::Valid)
    })
}

/// Whether a tag or a signature vouches for the content, or there is nothing to vouch for.
fn is_vouched_for(layers: &[Layer]) -> bool {
    layers.iter().all(|layer| matches!(layer, Layer::Compressed(_)))
        || layers.iter().any(|layer| match layer {
            Layer::Encrypted(layer) => layer.authenticated,
            Layer::Signed(layer) => {
                // certs-only: no signature was claimed.
                layer.report.signers.is_empty()
                    || layer.report.signers.iter().any(|signer| signer.checks.cryptographically_valid())
            }
            Layer::Compressed(_) | Layer::Unsupported { .. } => false,
        })
}

/// The times of the innermost signature, of its signer for `expected` where there is one.
fn sent_at(layers: &[Layer], expected: Option<&Mailbox>) -> SentAt {
    let Some(report) = signatures(layers).rev().find(|report| report.verdict != Verdict::NotSigned) else {
        return SentAt::default();
    };
    // A signer who was not needed for the verdict does not say when the mail was sent.
    let counts = |verdict: Verdict| report.verdict != Verdict::Valid || verdict == Verdict::Valid;
    let named =
        |mailboxes: &[Mailbox]| expected.is_none_or(|from| mailboxes.iter().any(|own| own.matches(from)));
    let signers = || {
        let held = report.signers.iter().filter(|signer| signer.checks.cryptographically_valid());
        held.filter(|signer| counts(signer.verdict) && named(&signer.mailboxes)).map(|signer| &signer.time)
    };
    let proven = signers().filter(|time| time.proven.is_some()).min_by_key(|time| time.proven);
    SentAt {
        proven: proven.and_then(|time| time.proven),
        authority: proven.and_then(|time| time.authority.clone()),
        trust: proven.and_then(|time| time.trust),
        claimed: proven.or_else(|| signers().next()).and_then(|time| time.claimed),
    }
}
