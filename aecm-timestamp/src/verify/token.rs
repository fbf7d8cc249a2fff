//! What a token says, and whether it says it about the right thing.

use aecm_core::certificate::Certificate;
use aecm_core::digest::DigestAlgorithm;
use aecm_core::limits::Limits;
use aecm_core::oid;
use aecm_core::time::Time;
use aecm_core::tlv::{Tag, write};
use aecm_smime::Tolerance;
use aecm_smime::cms::SignedData;
use subtle::ConstantTimeEq;

use super::signer::{self, Signer};
use super::{TimestampPolicy, Token};
use crate::error::Error;
use crate::request::Request;
use crate::tst_info::{TstInfo, TstInfoError};

/// What a token should be about.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Subject<'a> {
    /// Octets whose digest is the imprint: a file, a signature value.
    Data(&'a [u8]),
    /// A digest made before.
    Digest {
        /// Its algorithm, which has to be that of the imprint.
        algorithm: DigestAlgorithm,
        /// Its value.
        value: &'a [u8],
    },
    /// The request that it answers: imprint, nonce, policy and certificates (RFC 3161 §2.4.2).
    Request(&'a Request),
}

/// Why a token is not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) word: &'static str,
    pub(super) detail: String,
    /// Whether nothing is wrong with the token but that its authority is not trusted here.
    pub(super) untrusted: bool,
}

impl Refusal {
    pub(super) fn new(word: &'static str, detail: impl Into<String>) -> Self {
        Self { word, detail: detail.into(), untrusted: false }
    }

    pub(super) fn untrusted(word: &'static str, detail: impl Into<String>) -> Self {
        Self { untrusted: true, ..Self::new(word, detail) }
    }
}

impl From<Refusal> for Error {
    fn from(Refusal { word, detail, .. }: Refusal) -> Self {
        Self::Token { word, detail }
    }
}

/// Verifies a token, all of it. `fresh` is when it was asked for just now.
pub(super) fn judge(
    token: &[u8],
    subjects: &[Subject<'_>],
    fresh: Option<Time>,
    policy: &TimestampPolicy,
) -> Result<Token, Refusal> {
    let (signed, content) = read(token, &policy.limits)?;
    let [info] = signed.signers() else {
        let count = signed.signers().len();
        return Err(Refusal::new(
            "timestamp-signer-count",
            format!("the token has {count} signers instead of one"),
        ));
    };
    strong_imprint(&content, policy.sha1)?;
    for subject in subjects {
        about(&content, subject)?;
        if let Subject::Request(request) = subject {
            answers(&content, &signed, request)?;
        }
    }
    if content.digest.is_some_and(|digest| digest.output_size() != content.imprint.len()) {
        return Err(Refusal::new("timestamp-malformed", "the imprint is not as long as its digest's values"));
    }
    if let Some(now) = fresh {
        is_fresh(&content, now, policy)?;
    }
    not_in_the_future(&content, fresh.or(policy.now), policy)?;
    let Signer { certificate, chain, trust, revocation, tolerances } =
        signer::identify(&signed, info, content.gen_time, policy)?;
    Ok(Token {
        der: token.to_vec(),
        info: content,
        trust,
        authority: certificate.subject_text(),
        certificate,
        chain,
        with_modifications: false,
        revocation,
        tolerances,
    })
}

/// What a token says, and the certificate it names where that is in it or among the hints: nothing is verified.
pub(super) fn claims(
    token: &[u8],
    policy: &TimestampPolicy,
) -> Result<(TstInfo, Option<Certificate>), Refusal> {
    let (signed, content) = read(token, &policy.limits)?;
    let own = signed.certificates();
    let certificate = match signed.signers() {
        [info] => own.iter().chain(&policy.intermediates).find(|one| info.sid().names(one)).cloned(),
        _ => None,
    };
    Ok((content, certificate))
}

/// Whether a token can be read and is about `subject`; who signed it is not looked at.
pub(crate) fn concerns(token: &[u8], subject: &Subject<'_>, limits: &Limits) -> Result<(), Error> {
    let (_, content) = read(token, limits)?;
    strong_imprint(&content, false)?;
    Ok(about(&content, subject)?)
}

fn read<'a>(token: &'a [u8], limits: &Limits) -> Result<(SignedData<'a>, TstInfo), Refusal> {
    let limit = limits.tsa_answer_bytes;
    if token.len() > limit {
        return Err(Refusal::new(
            "timestamp-too-large",
            format!("the token exceeds the limit of {limit} octets"),
        ));
    }
    let signed = SignedData::parse(token, limits).map_err(|error| {
        Refusal::new("timestamp-malformed", format!("the token is not SignedData: {error}"))
    })?;
    if signed.content_type() != oid::TST_INFO {
        let found = signed.content_type();
        return Err(Refusal::new(
            "timestamp-content-type",
            format!("the token's content is {found}, not TSTInfo"),
        ));
    }
    let content = read_content(&signed, limits)?;
    Ok((signed, content))
}

/// TSTInfo as an OCTET STRING; in GB/T 35275 form also bare, as PKCS#7 allows.
fn read_content(signed: &SignedData<'_>, limits: &Limits) -> Result<TstInfo, Refusal> {
    let content = signed
        .content()
        .ok_or_else(|| Refusal::new("timestamp-malformed", "the token carries no TSTInfo"))?;
    let parsed = if signed.tolerances().contains(&Tolerance::BareContent) {
        TstInfo::parse(&write::tlv(Tag::SEQUENCE, &content), limits)
    } else {
        TstInfo::parse(&content, limits)
    };
    parsed.map_err(|error| {
        let word = match &error {
            TstInfoError::CriticalExtension(_) => "timestamp-critical-extension",
            TstInfoError::Version => "timestamp-version",
            _ => "timestamp-malformed",
        };
        Refusal::new(word, error.to_string())
    })
}

/// The imprint's digest has to be known and strong (T2).
fn strong_imprint(content: &TstInfo, sha1: bool) -> Result<(), Refusal> {
    let Some(digest) = content.digest else {
        return Err(Refusal::new(
            "timestamp-imprint-digest",
            "the digest algorithm of the imprint is not supported",
        ));
    };
    if digest.is_weak() && !sha1 {
        let detail = format!("the imprint is a {} digest, which proves nothing any more", digest.name());
        return Err(Refusal::new("timestamp-weak-imprint", detail));
    }
    Ok(())
}

/// Digest and imprint (T2, T7).
fn about(content: &TstInfo, subject: &Subject<'_>) -> Result<(), Refusal> {
    let Some(digest) = content.digest else { return Ok(()) };
    let of = |algorithm: DigestAlgorithm| {
        if algorithm == digest {
            return Ok(());
        }
        let detail = format!("the imprint is a {} digest, {} was given", digest.name(), algorithm.name());
        Err(Refusal::new("timestamp-imprint-mismatch", detail))
    };
    let same = match subject {
        Subject::Data(data) => digest.digest(data).ct_eq(&content.imprint),
        Subject::Digest { algorithm, value } => {
            of(*algorithm)?;
            value.ct_eq(content.imprint.as_slice())
        }
        Subject::Request(request) => {
            of(request.digest())?;
            request.imprint().ct_eq(&content.imprint)
        }
    };
    if bool::from(same) {
        Ok(())
    } else {
        Err(Refusal::new("timestamp-imprint-mismatch", "the token is for something else"))
    }
}

/// Nonce, policy and certificates as in the request (T1, T2).
fn answers(content: &TstInfo, signed: &SignedData<'_>, request: &Request) -> Result<(), Refusal> {
    match (request.nonce(), content.nonce.as_deref()) {
        (Some(sent), Some(found)) if sent == found => {}
        (None, None) => {}
        (Some(_), None) => return Err(Refusal::new("timestamp-nonce-missing", "the nonce was not echoed")),
        (None, Some(_)) => {
            return Err(Refusal::new("timestamp-nonce-not-asked", "the token has a nonce and none was sent"));
        }
        (Some(_), Some(_)) => {
            let detail = "the nonce is another one; the answer belongs to another request";
            return Err(Refusal::new("timestamp-nonce-mismatch", detail));
        }
    }
    if let Some(wanted) = request.policy().filter(|wanted| **wanted != content.policy) {
        let detail = format!("the token is under policy {}, asked for was {wanted}", content.policy);
        return Err(Refusal::new("timestamp-policy-mismatch", detail));
    }
    let carried = !signed.certificates().is_empty();
    match (request.wants_certificates(), carried) {
        (true, false) => Err(Refusal::new(
            "timestamp-certificates-missing",
            "certificates were asked for and did not come",
        )),
        (false, true) => Err(Refusal::new(
            "timestamp-certificates-not-asked",
            "certificates came that were not asked for (RFC 3161 §2.4.1)",
        )),
        _ => Ok(()),
    }
}

fn is_fresh(content: &TstInfo, now: Time, policy: &TimestampPolicy) -> Result<(), Refusal> {
    if now.since(content.gen_time) > policy.max_age {
        let detail = format!("the answer says {}, which is long before {now}", content.gen_time);
        return Err(Refusal::new("timestamp-not-fresh", detail));
    }
    Ok(())
}

/// T5. What genTime says beyond the second does not matter beside minutes.
fn not_in_the_future(content: &TstInfo, now: Option<Time>, policy: &TimestampPolicy) -> Result<(), Refusal> {
    match now {
        Some(now) if content.gen_time.since(now) > policy.max_future => {
            let detail = format!("the token says {}, which is after {now}", content.gen_time);
            Err(Refusal::new("timestamp-in-the-future", detail))
        }
        _ => Ok(()),
    }
}
