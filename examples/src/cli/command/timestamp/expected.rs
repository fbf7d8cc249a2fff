//! What a token has to be about: the request, the data or its digest; by itself where none was given.

use aecm_core::digest::DigestAlgorithm;
use aecm_core::limits::Limits;
use aecm_core::oid::ObjectIdentifier;
use aecm_core::tlv::{Reader, Rules, Tag, TlvError, write};
use aecm_smime::cms::SignedData;
use aecm_timestamp::Request;

/// The question that the token is taken to answer.
pub(super) struct Expected {
    pub(super) question: Request,
    /// Whether the imprint was compared with anything.
    pub(super) compared: bool,
}

const OTHER: (&str, &str) = ("timestamp-imprint-mismatch", "the token is for something else");

/// The question, or why the token cannot be its answer.
pub(super) fn of(
    token: &[u8],
    asked: Option<Request>,
    data: Option<&[u8]>,
    sha256: Option<[u8; 32]>,
    limits: &Limits,
) -> Result<Expected, (&'static str, &'static str)> {
    let compared = asked.is_some() || data.is_some() || sha256.is_some();
    // Without the request, the one that this token would answer; the verifier then finds what is wrong with it.
    let question = match asked {
        Some(request) => request,
        None => imagined(token, limits)
            .ok_or(("timestamp-malformed", "the token carries no TSTInfo that can be read"))?,
    };
    if data.is_some_and(|data| question.digest().digest(data) != question.imprint()) {
        return Err(OTHER);
    }
    if let Some(sha256) = sha256 {
        if question.digest() != DigestAlgorithm::Sha256 {
            return Err(("timestamp-imprint-mismatch", "the imprint is no SHA-256: give --data instead"));
        }
        if question.imprint() != sha256 {
            return Err(OTHER);
        }
    }
    Ok(Expected { question, compared })
}

/// A request with the token's own imprint, policy, nonce and certificates.
fn imagined(token: &[u8], limits: &Limits) -> Option<Request> {
    let signed = SignedData::parse(token, limits).ok()?;
    let content = signed.content()?;
    let told = told(&content, limits).ok()?;
    let certificates = if signed.certificates().is_empty() { Vec::new() } else { write::boolean(true) };
    let der = write::sequence(&[
        &write::small(1),
        &told.imprint,
        &write::oid(&told.policy),
        &told.nonce,
        &certificates,
    ]);
    Request::from_der(&der, limits).ok()
}

struct ToldInfo {
    policy: ObjectIdentifier,
    imprint: Vec<u8>,
    nonce: Vec<u8>,
}

/// The fields of TSTInfo (RFC 3161 §2.4.2) that a request has too, as they stand there.
fn told(content: &[u8], limits: &Limits) -> Result<ToldInfo, TlvError> {
    let mut outer = Reader::new(content, Rules::Der, limits);
    let mut fields = outer.sequence()?;
    fields.small()?;
    let policy = fields.oid()?;
    let imprint = fields.expect(Tag::SEQUENCE)?.bytes().to_vec();
    fields.integer()?;
    fields.expect(Tag::GENERALIZED_TIME)?;
    fields.optional(Tag::SEQUENCE)?;
    fields.optional(Tag::BOOLEAN)?;
    let nonce = fields.optional(Tag::INTEGER)?.map(|nonce| nonce.bytes().to_vec());
    Ok(ToldInfo { policy, imprint, nonce: nonce.unwrap_or_default() })
}
