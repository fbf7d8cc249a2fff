//! Reading TBSCertificate.

use core::ops::Range;

use super::extension::{self, Span};
use super::{CertificateError, Inner, sha256};
use crate::limits::Limits;
use crate::public_key::PublicKey;
use crate::tlv::{Reader, Rules, Tag, Tlv, TlvError, TlvErrorKind};

const MAX_SERIAL_OCTETS: usize = 64;

/// ```text
/// TBSCertificate  ::=  SEQUENCE  {
///     version         [0]  Version DEFAULT v1,
///     serialNumber         CertificateSerialNumber,
///     signature            AlgorithmIdentifier,
///     issuer               Name,
///     validity             Validity,
///     subject              Name,
///     subjectPublicKeyInfo SubjectPublicKeyInfo,
///     issuerUniqueID  [1]  IMPLICIT UniqueIdentifier OPTIONAL,
///     subjectUniqueID [2]  IMPLICIT UniqueIdentifier OPTIONAL,
///     extensions      [3]  Extensions OPTIONAL }
/// ```
pub(super) fn certificate(der: &[u8]) -> Result<Inner, CertificateError> {
    let limits = Limits::default();
    if der.len() > limits.certificate_bytes {
        return Err(CertificateError::TooLarge { octets: der.len(), limit: limits.certificate_bytes });
    }
    let mut outermost = Reader::new(der, Rules::Der, &limits);
    let mut certificate = outermost.sequence()?;
    outermost.finish()?;
    let tbs = certificate.expect(Tag::SEQUENCE)?;
    let algorithm_value = certificate.expect(Tag::SEQUENCE)?;
    let algorithm = algorithm_value.algorithm()?;
    let signature_value = certificate.expect(Tag::BIT_STRING)?;
    let (unused, signature) = signature_value.bits()?;
    if unused != 0 {
        return Err(signature_value.fail(TlvErrorKind::UnusedBits).into());
    }
    certificate.finish()?;

    let mut fields = tbs.reader()?;
    let version = match fields.optional(Tag::context(0))? {
        None => 0,
        Some(version) => {
            let mut inner = version.reader()?;
            let value = inner.small()?;
            inner.finish()?;
            value
        }
    };
    if version > 2 {
        return Err(CertificateError::Version { value: version });
    }
    let serial = fields.expect(Tag::INTEGER)?;
    let serial_octets = serial.integer()?.len();
    if serial_octets > MAX_SERIAL_OCTETS {
        return Err(CertificateError::SerialTooLong { octets: serial_octets });
    }
    if fields.algorithm()?.bytes != algorithm.bytes {
        return Err(CertificateError::AlgorithmsDiffer);
    }
    let issuer = name(&mut fields)?;
    let mut validity = fields.sequence()?;
    let not_before = validity.time()?;
    let not_after = validity.time()?;
    validity.finish()?;
    let subject = name(&mut fields)?;
    let spki = fields.expect(Tag::SEQUENCE)?;
    // Its shape, whatever the kind of key.
    let mut spki_fields = spki.reader()?;
    spki_fields.algorithm()?;
    spki_fields.expect(Tag::BIT_STRING)?.bits()?;
    spki_fields.finish()?;
    for number in 1..=2 {
        if let Some(unique) = fields.optional(Tag::context_primitive(number))? {
            unique.bits()?;
        }
    }
    let extensions = match fields.optional(Tag::context(3))? {
        None => extension::List::default(),
        Some(_) if version != 2 => return Err(CertificateError::ExtensionsInOldVersion),
        Some(wrapper) => {
            let mut inner = wrapper.reader()?;
            let list = inner.sequence()?;
            inner.finish()?;
            extension::list(list, &limits)?
        }
    };
    fields.finish()?;
    let known = extension::known(der, &extensions.spans, &limits)?;

    Ok(Inner {
        tbs: whole(&tbs),
        serial: content(&serial),
        issuer: whole(&issuer),
        subject: whole(&subject),
        spki: whole(&spki),
        not_before,
        not_after,
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
        extensions,
        known,
        public_key: PublicKey::from_spki_der(spki.bytes()).ok(),
        sha256: sha256(der),
        der: der.to_vec(),
    })
}

// A Name: the shape of RDNSequence is checked, its values are not.
pub(crate) fn name<'a>(fields: &mut Reader<'a>) -> Result<Tlv<'a>, TlvError> {
    let name = fields.expect(Tag::SEQUENCE)?;
    let mut sequence = name.reader()?;
    while !sequence.is_empty() {
        let mut set = sequence.set()?;
        while !set.is_empty() {
            let mut attribute = set.sequence()?;
            attribute.expect(Tag::OID)?;
            attribute.any()?;
            attribute.finish()?;
        }
    }
    Ok(name)
}

pub(crate) fn whole(value: &Tlv<'_>) -> Range<usize> {
    value.offset()..value.offset() + value.bytes().len()
}

/// Where the content of a value of definite length stands.
pub(crate) fn content(value: &Tlv<'_>) -> Range<usize> {
    let end = value.offset() + value.bytes().len();
    end - value.content().len()..end
}

pub(crate) fn span(value: &Tlv<'_>, oid: crate::oid::ObjectIdentifier, critical: bool) -> Span {
    Span { oid, critical, value: content(value) }
}
