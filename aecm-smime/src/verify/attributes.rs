//! The rules on signed attributes: RFC 5652 §11, RFC 5035, RFC 6211; THREATS S1, S2, S4, S7.

use aecm_core::certificate::Certificate;
use aecm_core::digest::DigestAlgorithm;
use aecm_core::limits::Limits;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::time::Time;
use aecm_core::tlv::{AlgorithmId, Reader, Rules, Tag};
use subtle::ConstantTimeEq;

use crate::cms::{Attribute, Identifier, SignerInfo};
use crate::verify::reason::Reason;

/// How many attributes of a type there are, and the one value where there is one of each.
enum Found<'a> {
    None,
    One(&'a [u8]),
    Several,
}

fn find<'a>(list: &[Attribute<'a>], oid: &ObjectIdentifier) -> Found<'a> {
    let mut those = list.iter().filter(|attribute| attribute.is(oid));
    match (those.next(), those.next()) {
        (None, _) => Found::None,
        (Some(attribute), None) => attribute.single().map_or(Found::Several, Found::One),
        (Some(_), Some(_)) => Found::Several,
    }
}

/// One value of an attribute, strict, with nothing behind it.
fn whole<'a, T>(
    value: &'a [u8],
    limits: &Limits,
    read: impl FnOnce(&mut Reader<'a>) -> Option<T>,
) -> Option<T> {
    let mut reader = Reader::new(value, Rules::Der, limits);
    let found = read(&mut reader)?;
    reader.finish().ok()?;
    Some(found)
}

/// contentType and the general rules; gives the reasons against them.
pub(super) fn check_form(
    info: &SignerInfo<'_>,
    content_type: &ObjectIdentifier,
    limits: &Limits,
) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let must_be_signed = [oid::CONTENT_TYPE, oid::MESSAGE_DIGEST, oid::SIGNING_TIME];
    if info.unsigned_attributes().iter().any(|one| must_be_signed.iter().any(|oid| one.is(oid))) {
        reasons.push(Reason::AttributeNotSigned);
    }
    if info.signed_attributes().is_none() {
        return reasons;
    }
    let list = info.attributes();
    if list.is_empty() {
        reasons.push(Reason::SignedAttributesEmpty);
    }
    if !info.attributes_der() {
        reasons.push(Reason::SignedAttributesNotDer);
    }
    match find(list, &oid::CONTENT_TYPE) {
        Found::None => reasons.push(Reason::ContentTypeMissing),
        Found::Several => reasons.push(Reason::ContentTypeRepeated),
        Found::One(value) => match whole(value, limits, |reader| reader.oid().ok()) {
            None => reasons.push(Reason::ContentTypeMalformed),
            Some(found) if found != *content_type => reasons.push(Reason::ContentTypeMismatch),
            Some(_) => {}
        },
    }
    if signing_time(info, limits).is_err() {
        reasons.push(Reason::SigningTimeMalformed);
    }
    if !algorithm_protection_holds(info, limits) {
        reasons.push(Reason::AlgorithmProtectionMismatch);
    }
    reasons
}

/// signingTime where there is one (RFC 5652 §11.3).
pub(super) fn signing_time(info: &SignerInfo<'_>, limits: &Limits) -> Result<Option<Time>, ()> {
    match find(info.attributes(), &oid::SIGNING_TIME) {
        Found::None => Ok(None),
        Found::Several => Err(()),
        Found::One(value) => whole(value, limits, |reader| reader.time().ok()).map(Some).ok_or(()),
    }
}

/// What messageDigest says about the content, whose digest is `of_content` (RFC 5652 §11.2).
pub(super) fn check_digest(
    info: &SignerInfo<'_>,
    digest: DigestAlgorithm,
    of_content: &[u8],
    limits: &Limits,
) -> Result<(), Reason> {
    let value = match find(info.attributes(), &oid::MESSAGE_DIGEST) {
        Found::None => return Err(Reason::MessageDigestMissing),
        Found::Several => return Err(Reason::MessageDigestRepeated),
        Found::One(value) => value,
    };
    let signed = whole(value, limits, |reader| Some(reader.expect(Tag::OCTET_STRING).ok()?.content()))
        .filter(|signed| signed.len() == digest.output_size())
        .ok_or(Reason::MessageDigestMalformed)?;
    let same = of_content.ct_eq(signed);
    if bool::from(same) { Ok(()) } else { Err(Reason::DigestMismatch) }
}

/// CMSAlgorithmProtection (RFC 6211): where it is present it must repeat both identifiers exactly, absent and
/// NULL parameters being different.
///
/// ```text
/// CMSAlgorithmProtection ::= SEQUENCE {
///   digestAlgorithm DigestAlgorithmIdentifier,
///   signatureAlgorithm [1] SignatureAlgorithmIdentifier OPTIONAL,
///   macAlgorithm [2] MessageAuthenticationCodeAlgorithm OPTIONAL }
/// ```
fn algorithm_protection_holds(info: &SignerInfo<'_>, limits: &Limits) -> bool {
    let value = match find(info.attributes(), &oid::ALGORITHM_PROTECTION) {
        Found::None => return true,
        Found::Several => return false,
        Found::One(value) => value,
    };
    whole(value, limits, |reader| {
        let mut fields = reader.sequence().ok()?;
        let digest = fields.algorithm().ok()?;
        let signature = fields.context(1).ok()??;
        fields.finish().ok()?;
        let same_digest = digest.bytes == info.digest_algorithm().bytes;
        let same_signature = content_of(info.signature_algorithm(), limits)? == signature.content();
        Some(same_digest && same_signature && signature.tag().constructed)
    })
    .unwrap_or(false)
}

fn content_of<'a>(algorithm: &AlgorithmId<'a>, limits: &Limits) -> Option<&'a [u8]> {
    Some(Reader::new(algorithm.bytes, Rules::Ber, limits).any().ok()?.content())
}

/// Whether signingCertificateV2 and signingCertificate, where present, name `leaf` first (RFC 5035 §3, §4).
///
/// ```text
/// SigningCertificateV2 ::= SEQUENCE { certs SEQUENCE OF ESSCertIDv2, policies SEQUENCE OF PolicyInformation OPTIONAL }
/// ESSCertIDv2 ::= SEQUENCE {
///   hashAlgorithm AlgorithmIdentifier DEFAULT {algorithm id-sha256},
///   certHash OCTET STRING,
///   issuerSerial IssuerSerial OPTIONAL }
/// IssuerSerial ::= SEQUENCE { issuer GeneralNames, serialNumber CertificateSerialNumber }
/// ```
pub(super) fn signing_certificate_holds(info: &SignerInfo<'_>, leaf: &Certificate, limits: &Limits) -> bool {
    [(oid::SIGNING_CERTIFICATE_V2, true), (oid::SIGNING_CERTIFICATE, false)].iter().all(|(oid, second)| {
        match find(info.attributes(), oid) {
            Found::None => true,
            Found::Several => false,
            Found::One(value) => names(value, *second, leaf, limits).unwrap_or(false),
        }
    })
}

fn names(value: &[u8], second: bool, leaf: &Certificate, limits: &Limits) -> Option<bool> {
    whole(value, limits, |reader| {
        let mut fields = reader.sequence().ok()?;
        let mut ids = fields.sequence().ok()?.sequence().ok()?;
        fields.optional(Tag::SEQUENCE).ok()?;
        fields.finish().ok()?;
        let digest = if !second {
            DigestAlgorithm::Sha1
        } else if ids.peek().ok()? == Some(Tag::SEQUENCE) {
            DigestAlgorithm::from_oid(&ids.algorithm().ok()?.oid)?
        } else {
            DigestAlgorithm::Sha256
        };
        let hash = ids.expect(Tag::OCTET_STRING).ok()?.content();
        let mut same = digest.digest(leaf.as_der()).as_slice() == hash;
        if let Some(issuer_serial) = ids.optional(Tag::SEQUENCE).ok()? {
            let mut pair = issuer_serial.reader().ok()?;
            let mut names = pair.sequence().ok()?;
            let serial = pair.integer().ok()?;
            pair.finish().ok()?;
            let mut directory = names.context(4).ok()??.reader().ok()?;
            names.finish().ok()?;
            let issuer = directory.any().ok()?.bytes();
            directory.finish().ok()?;
            same &= Identifier::IssuerAndSerial { issuer, serial }.matches(leaf).is_some();
        }
        ids.finish().ok()?;
        Some(same)
    })
}
