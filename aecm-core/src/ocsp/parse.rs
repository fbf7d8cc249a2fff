//! Reading OCSPResponse.

use alloc::vec::Vec;

use super::{CertificateStatus, Inner, OcspError, Responder, Single};
use crate::certificate::Certificate;
use crate::certificate::extension::{self, List};
use crate::certificate::parse::{content, name, whole};
use crate::crl::parse::{generalized, reason_of};
use crate::digest::DigestAlgorithm;
use crate::limits::Limits;
use crate::oid;
use crate::tlv::{Reader, Rules, Tag, Tlv, TlvError, TlvErrorKind};

/// ```text
/// OCSPResponse ::= SEQUENCE {
///    responseStatus         OCSPResponseStatus,
///    responseBytes          [0] EXPLICIT ResponseBytes OPTIONAL }
///
/// ResponseBytes ::=       SEQUENCE {
///    responseType   OBJECT IDENTIFIER,
///    response       OCTET STRING }
/// ```
pub(super) fn response(der: &[u8], limits: &Limits) -> Result<Inner, OcspError> {
    if der.len() > limits.crl_bytes {
        return Err(OcspError::TooLarge { octets: der.len(), limit: limits.crl_bytes });
    }
    let mut outermost = Reader::new(der, Rules::Der, limits);
    let mut fields = outermost.sequence()?;
    outermost.finish()?;
    if fields.peek()? != Some(Tag::ENUMERATED) {
        return basic(der, der, limits);
    }
    let status = fields.any()?.small()?;
    if status != 0 {
        return Err(OcspError::Status { code: status });
    }
    let mut wrapper = fields.expect(Tag::context(0))?.reader()?;
    let mut bytes = wrapper.sequence()?;
    wrapper.finish()?;
    fields.finish()?;
    let kind = bytes.oid()?;
    if kind != oid::OCSP_BASIC {
        return Err(OcspError::Type(kind));
    }
    let octets = bytes.octet_string()?;
    bytes.finish()?;
    basic(der, &octets, limits)
}

/// ```text
/// BasicOCSPResponse       ::= SEQUENCE {
///    tbsResponseData      ResponseData,
///    signatureAlgorithm   AlgorithmIdentifier,
///    signature            BIT STRING,
///    certs            [0] EXPLICIT SEQUENCE OF Certificate OPTIONAL }
///
/// ResponseData ::= SEQUENCE {
///    version              [0] EXPLICIT Version DEFAULT v1,
///    responderID              ResponderID,
///    producedAt               GeneralizedTime,
///    responses                SEQUENCE OF SingleResponse,
///    responseExtensions   [1] EXPLICIT Extensions OPTIONAL }
///
/// ResponderID ::= CHOICE {
///    byName               [1] Name,
///    byKey                [2] KeyHash }
/// ```
fn basic(der: &[u8], octets: &[u8], limits: &Limits) -> Result<Inner, OcspError> {
    let mut outermost = Reader::new(octets, Rules::Der, limits);
    let mut basic = outermost.sequence()?;
    outermost.finish()?;
    let data = basic.expect(Tag::SEQUENCE)?;
    let algorithm_value = basic.expect(Tag::SEQUENCE)?;
    let algorithm = algorithm_value.algorithm()?;
    let signature_value = basic.expect(Tag::BIT_STRING)?;
    let (unused, signature) = signature_value.bits()?;
    if unused != 0 {
        return Err(signature_value.fail(TlvErrorKind::UnusedBits).into());
    }
    let certificates = certificates(basic.optional(Tag::context(0))?, limits)?;
    basic.finish()?;

    let mut fields = data.reader()?;
    if let Some(version) = fields.optional(Tag::context(0))? {
        let mut inner = version.reader()?;
        let value = inner.small()?;
        inner.finish()?;
        if value != 0 {
            return Err(OcspError::Version { value });
        }
    }
    let responder = responder(&fields.any()?)?;
    let produced_at = generalized(&mut fields)?;
    let mut list = fields.sequence()?;
    let mut responses = Vec::new();
    while !list.is_empty() {
        responses.push(single(&mut list.sequence()?, limits)?);
    }
    let extensions = extensions(fields.optional(Tag::context(1))?, limits)?;
    fields.finish()?;
    let known = [oid::OCSP_NONCE];
    let unknown_critical = extensions.unnamed_critical
        || extensions.spans.iter().any(|span| span.critical && !known.contains(&span.oid));

    Ok(Inner {
        data: whole(&data),
        responder,
        produced_at,
        algorithm: algorithm.oid,
        algorithm_bytes: whole(&algorithm_value),
        algorithm_parameters: algorithm.parameters.map(|parameters| {
            let range = whole(&algorithm_value);
            range.end - parameters.len()..range.end
        }),
        signature: {
            let range = whole(&signature_value);
            range.end - signature.len()..range.end
        },
        certificates,
        responses,
        unknown_critical,
        der: der.to_vec(),
        basic: octets.to_vec(),
    })
}

fn certificates(wrapper: Option<Tlv<'_>>, limits: &Limits) -> Result<Vec<Certificate>, OcspError> {
    let mut found = Vec::new();
    let Some(wrapper) = wrapper else { return Ok(found) };
    let mut inner = wrapper.reader()?;
    let mut list = inner.sequence()?;
    inner.finish()?;
    let mut count = 0usize;
    while !list.is_empty() {
        count += 1;
        if count > limits.certificates {
            return Err(OcspError::TooManyCertificates { limit: limits.certificates });
        }
        found.extend(Certificate::from_der(list.expect(Tag::SEQUENCE)?.bytes()));
    }
    Ok(found)
}

fn responder(value: &Tlv<'_>) -> Result<Responder, TlvError> {
    let mut inner = value.reader()?;
    let responder = match value.tag() {
        tag if tag == Tag::context(1) => Responder::Name(whole(&name(&mut inner)?)),
        tag if tag == Tag::context(2) => Responder::Key(content(&inner.expect(Tag::OCTET_STRING)?)),
        found => {
            let kind = TlvErrorKind::Unexpected { expected: Tag::context(1), found: Some(found) };
            return Err(value.fail(kind));
        }
    };
    inner.finish()?;
    Ok(responder)
}

/// ```text
/// SingleResponse ::= SEQUENCE {
///    certID                       CertID,
///    certStatus                   CertStatus,
///    thisUpdate                   GeneralizedTime,
///    nextUpdate         [0]       EXPLICIT GeneralizedTime OPTIONAL,
///    singleExtensions   [1]       EXPLICIT Extensions OPTIONAL }
///
/// CertID          ::=     SEQUENCE {
///    hashAlgorithm       AlgorithmIdentifier,
///    issuerNameHash      OCTET STRING,
///    issuerKeyHash       OCTET STRING,
///    serialNumber        CertificateSerialNumber }
/// ```
fn single(fields: &mut Reader<'_>, limits: &Limits) -> Result<Single, OcspError> {
    let mut id = fields.sequence()?;
    let algorithm = id.algorithm()?;
    let digest = DigestAlgorithm::from_oid(&algorithm.oid).filter(|_| algorithm.parameters_absent_or_null());
    let name_hash = content(&id.expect(Tag::OCTET_STRING)?);
    let key_hash = content(&id.expect(Tag::OCTET_STRING)?);
    let serial = id.expect(Tag::INTEGER)?;
    serial.integer()?;
    id.finish()?;
    let mut status = status(&fields.any()?)?;
    let this_update = generalized(fields)?;
    let next_update = match fields.optional(Tag::context(0))? {
        None => None,
        Some(wrapper) => Some(only(&wrapper, generalized)?),
    };
    let list = fields.optional(Tag::context(1))?;
    let extensions = extensions(list, limits)?;
    fields.finish()?;
    let mut unknown_critical = extensions.unnamed_critical;
    let mut archive_cutoff = None;
    // Both of the extensions that are known are times.
    let time = |span: &extension::Span| {
        let value = list.and_then(|list| {
            let start = span.value.start.checked_sub(list.offset())?;
            list.bytes().get(start..start + span.value.len())
        });
        let mut reader = Reader::new(value.unwrap_or_default(), Rules::Der, limits);
        let time = generalized(&mut reader)?;
        reader.finish()?;
        Ok::<_, TlvError>(time)
    };
    for span in &extensions.spans {
        match (span.oid, &mut status) {
            (oid::INVALIDITY_DATE, CertificateStatus::Revoked { invalidity_date, .. }) => {
                *invalidity_date = Some(time(span)?);
            }
            (oid::OCSP_ARCHIVE_CUTOFF, _) => archive_cutoff = Some(time(span)?),
            _ => unknown_critical |= span.critical,
        }
    }
    let serial = content(&serial);
    Ok(Single {
        digest,
        name_hash,
        key_hash,
        serial,
        status,
        this_update,
        next_update,
        archive_cutoff,
        unknown_critical,
    })
}

/// ```text
/// CertStatus ::= CHOICE {
///     good        [0]     IMPLICIT NULL,
///     revoked     [1]     IMPLICIT RevokedInfo,
///     unknown     [2]     IMPLICIT UnknownInfo }
///
/// RevokedInfo ::= SEQUENCE {
///     revocationTime              GeneralizedTime,
///     revocationReason    [0]     EXPLICIT CRLReason OPTIONAL }
/// ```
fn status(value: &Tlv<'_>) -> Result<CertificateStatus, TlvError> {
    let empty = || {
        let null = value.content().is_empty();
        if null { Ok(()) } else { Err(value.fail(TlvErrorKind::BadNull)) }
    };
    match value.tag() {
        tag if tag == Tag::context_primitive(0) => empty().map(|()| CertificateStatus::Good),
        tag if tag == Tag::context_primitive(2) => empty().map(|()| CertificateStatus::Unknown),
        tag if tag == Tag::context(1) => {
            let mut fields = value.reader()?;
            let date = generalized(&mut fields)?;
            let reason = match fields.optional(Tag::context(0))? {
                None => None,
                Some(wrapper) => Some(only(&wrapper, |inner| reason_of(&inner.expect(Tag::ENUMERATED)?))?),
            };
            fields.finish()?;
            Ok(CertificateStatus::Revoked { date, reason, invalidity_date: None })
        }
        found => {
            let expected = Tag::context_primitive(0);
            Err(value.fail(TlvErrorKind::Unexpected { expected, found: Some(found) }))
        }
    }
}

fn extensions(wrapper: Option<Tlv<'_>>, limits: &Limits) -> Result<List, OcspError> {
    let Some(wrapper) = wrapper else { return Ok(List::default()) };
    let mut inner = wrapper.reader()?;
    let list = inner.sequence()?;
    inner.finish()?;
    Ok(extension::list(list, limits)?)
}

// What is inside an EXPLICIT tag, alone.
fn only<T>(
    wrapper: &Tlv<'_>,
    read: impl FnOnce(&mut Reader<'_>) -> Result<T, TlvError>,
) -> Result<T, TlvError> {
    let mut inner = wrapper.reader()?;
    let value = read(&mut inner)?;
    inner.finish()?;
    Ok(value)
}
