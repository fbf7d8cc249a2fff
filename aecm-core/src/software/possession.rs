//! The one thing that an encrypting key signs: a certification request of its own.

use crate::key::KeyError;
use crate::limits::Limits;
use crate::public_key::PublicKey;
use crate::tlv::{Reader, Rules, Tag, TlvError, deviates_from_der};

/// ```text
/// CertificationRequestInfo ::= SEQUENCE {            -- RFC 2986 §4.1
///     version        INTEGER { v1(0) },
///     subject        Name,
///     subjectPKInfo  SubjectPublicKeyInfo,
///     attributes     [0] IMPLICIT SET OF Attribute }
/// ```
///
/// Everything is looked at, so that the octets cannot be anything else as well: not a certificate, not the
/// signed attributes of a message.
pub(super) fn check(info: &[u8], own: &PublicKey) -> Result<(), KeyError> {
    const SHAPE: KeyError = KeyError::Refused("to sign anything but a CertificationRequestInfo in DER");
    let limits = Limits::default();
    if deviates_from_der(info, &limits) {
        return Err(SHAPE);
    }
    let spki = read(info, &limits).map_err(|_| SHAPE)?.ok_or(SHAPE)?;
    if spki != own.spki_der() {
        return Err(KeyError::Refused("to sign a certification request of another key"));
    }
    Ok(())
}

/// The subjectPKInfo; nothing where a value is not what it must be.
fn read<'a>(info: &'a [u8], limits: &Limits) -> Result<Option<&'a [u8]>, TlvError> {
    let mut outer = Reader::new(info, Rules::Der, limits);
    let mut fields = outer.sequence()?;
    outer.finish()?;
    let version = fields.small()?;
    let mut subject = fields.sequence()?;
    while !subject.is_empty() {
        let mut relative = subject.set()?;
        if relative.is_empty() {
            return Ok(None);
        }
        while !relative.is_empty() {
            let mut pair = relative.sequence()?;
            pair.oid()?;
            pair.any()?;
            pair.finish()?;
        }
    }
    let spki = fields.expect(Tag::SEQUENCE)?.bytes();
    let mut attributes = fields.expect(Tag::context(0))?.reader()?;
    fields.finish()?;
    while !attributes.is_empty() {
        let mut attribute = attributes.sequence()?;
        attribute.oid()?;
        if attribute.set()?.is_empty() {
            return Ok(None);
        }
        attribute.finish()?;
    }
    Ok((version == 0).then_some(spki))
}
