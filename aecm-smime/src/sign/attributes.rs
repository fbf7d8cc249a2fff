//! The signed attributes, each in its one DER form.

use aecm_core::certificate::Certificate;
use aecm_core::digest::DigestAlgorithm;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::signature::SignatureAlgorithm;
use aecm_core::tlv::{Tag, write};

use super::{SignError, SignerAttributes};
use crate::cipher::ContentCipher;

/// What the attributes of one signer are made of.
pub(super) struct Parts<'a> {
    pub(super) index: usize,
    pub(super) content_type: &'a ObjectIdentifier,
    pub(super) content_digest: &'a [u8],
    pub(super) certificate: &'a Certificate,
    pub(super) algorithm: SignatureAlgorithm,
    pub(super) digest_identifier: &'a [u8],
    pub(super) signature_identifier: &'a [u8],
    pub(super) attributes: &'a SignerAttributes,
}

/// The signed attributes as the SET OF that is signed (tag 0x31, RFC 5652 §5.4).
pub(super) fn signed_attributes(parts: &Parts<'_>) -> Result<Vec<u8>, SignError> {
    let mut all = vec![
        attribute(&oid::CONTENT_TYPE, vec![write::oid(parts.content_type)]),
        attribute(&oid::MESSAGE_DIGEST, vec![write::octet_string(parts.content_digest)]),
        attribute(&oid::ALGORITHM_PROTECTION, vec![algorithm_protection(parts)]),
        attribute(&oid::SIGNING_CERTIFICATE_V2, vec![signing_certificate(parts)]),
    ];
    if let Some(time) = parts.attributes.signing_time {
        all.push(attribute(&oid::SIGNING_TIME, vec![write::time(time)]));
    }
    if let Some(capabilities) = &parts.attributes.smime_capabilities {
        all.push(attribute(&oid::SMIME_CAPABILITIES, vec![capabilities.clone()]));
    }
    let mut seen: Vec<&ObjectIdentifier> = Vec::new();
    for (attribute_type, values) in &parts.attributes.extra {
        let refuse = |why| Err(SignError::Attribute { index: parts.index, attribute: *attribute_type, why });
        if OWN.contains(attribute_type) {
            return refuse("it is written by itself, or has a field of its own");
        }
        if UNSIGNED.contains(attribute_type) {
            return refuse("it must be unsigned");
        }
        if values.is_empty() {
            return refuse("it has no value");
        }
        if seen.contains(&attribute_type) {
            return refuse("it is given twice");
        }
        seen.push(attribute_type);
        all.push(attribute(attribute_type, values.clone()));
    }
    Ok(write::set_of(all))
}

/// ```text
/// Attribute ::= SEQUENCE { attrType OBJECT IDENTIFIER, attrValues SET OF AttributeValue }
/// ```
pub(super) fn attribute(attribute_type: &ObjectIdentifier, values: Vec<Vec<u8>>) -> Vec<u8> {
    write::sequence(&[&write::oid(attribute_type), &write::set_of(values)])
}

/// IssuerAndSerialNumber (RFC 5652 §10.2.4), the octets of both as the certificate has them.
pub(crate) fn issuer_and_serial(certificate: &Certificate) -> Vec<u8> {
    write::sequence(&[certificate.issuer_der(), &write::tlv(Tag::INTEGER, certificate.serial())])
}

/// CMSAlgorithmProtection repeats the exact identifiers of the SignerInfo (RFC 6211 §2):
/// ```text
/// CMSAlgorithmProtection ::= SEQUENCE {
///   digestAlgorithm DigestAlgorithmIdentifier, signatureAlgorithm [1] IMPLICIT SignatureAlgorithmIdentifier }
/// ```
fn algorithm_protection(parts: &Parts<'_>) -> Vec<u8> {
    write::sequence(&[parts.digest_identifier, &retag(parts.signature_identifier, 0xa1)])
}

/// Binds the signer's certificate (RFC 5035 §3); SHA-256 is the DEFAULT and left out, SM2 signers use SM3.
/// ```text
/// SigningCertificateV2 ::= SEQUENCE { certs SEQUENCE OF ESSCertIDv2 }
/// ESSCertIDv2 ::= SEQUENCE {
///   hashAlgorithm AlgorithmIdentifier DEFAULT {id-sha256}, certHash OCTET STRING,
///   issuerSerial SEQUENCE { issuer GeneralNames, serialNumber INTEGER } }
/// ```
fn signing_certificate(parts: &Parts<'_>) -> Vec<u8> {
    let certificate = parts.certificate;
    let hash = match parts.algorithm {
        SignatureAlgorithm::Sm2Sm3 => DigestAlgorithm::Sm3,
        _ => DigestAlgorithm::Sha256,
    };
    let identifier = if hash == DigestAlgorithm::Sha256 { Vec::new() } else { hash.identifier_der() };
    let general_names = write::sequence(&[&write::explicit(4, certificate.issuer_der())]);
    let issuer_serial = write::sequence(&[&general_names, &write::tlv(Tag::INTEGER, certificate.serial())]);
    let cert_hash = write::octet_string(&hash.digest(certificate.as_der()));
    write::sequence(&[&write::sequence(&[&write::sequence(&[&identifier, &cert_hash, &issuer_serial])])])
}

/// The DER of an SMIMECapabilities value that names these ciphers in order of preference (RFC 8551 §2.5.2):
/// for [`SignerAttributes::smime_capabilities`] and for the certificate extension of RFC 4262.
///
/// ```
/// use aecm_smime::{cipher::ContentCipher, sign::smime_capabilities};
///
/// let der = smime_capabilities(&[ContentCipher::Sm4Gcm]);
/// assert_eq!(der, *b"\x30\x0c\x30\x0a\x06\x08\x2a\x81\x1c\xcf\x55\x01\x68\x08");
/// ```
#[must_use]
pub fn smime_capabilities(ciphers: &[ContentCipher]) -> Vec<u8> {
    // Nothing to differentiate, so no parameters, and never NULL.
    let each: Vec<Vec<u8>> =
        ciphers.iter().map(|cipher| write::sequence(&[&write::oid(&cipher.oid())])).collect();
    write::sequence(&[&each.concat()])
}

/// The same TLV under another one-octet identifier: the IMPLICIT tagging of a constructed type.
pub(super) fn retag(der: &[u8], identifier: u8) -> Vec<u8> {
    let mut retagged = der.to_vec();
    if let Some(first) = retagged.first_mut() {
        *first = identifier;
    }
    retagged
}

const OWN: [ObjectIdentifier; 6] = [
    oid::CONTENT_TYPE,
    oid::MESSAGE_DIGEST,
    oid::ALGORITHM_PROTECTION,
    oid::SIGNING_CERTIFICATE_V2,
    oid::SIGNING_TIME,
    oid::SMIME_CAPABILITIES,
];

// RFC 5652 §11.4 and RFC 3161 appendix A.
const UNSIGNED: [ObjectIdentifier; 2] = [oid::COUNTER_SIGNATURE, oid::TIME_STAMP_TOKEN];
