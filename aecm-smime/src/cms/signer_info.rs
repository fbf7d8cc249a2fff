//! One signer of a SignedData.

use std::borrow::Cow;

use aecm_core::limits::Limits;
use aecm_core::oid::ObjectIdentifier;
use aecm_core::tlv::{AlgorithmId, Reader, Rules, Tlv, deviates_from_der};

use crate::cms::attribute::{Attribute, Attributes, sequence_of};
use crate::cms::identifier::Identifier;
use crate::error::{At, Error};

/// One SignerInfo (RFC 5652 §5.3; GB/T 35275 §8 has the same fields).
///
/// ```text
/// SignerInfo ::= SEQUENCE {
///   version CMSVersion,
///   sid SignerIdentifier,
///   digestAlgorithm DigestAlgorithmIdentifier,
///   signedAttrs [0] IMPLICIT SignedAttributes OPTIONAL,
///   signatureAlgorithm SignatureAlgorithmIdentifier,
///   signature SignatureValue,
///   unsignedAttrs [1] IMPLICIT UnsignedAttributes OPTIONAL }
/// ```
#[derive(Clone, Debug)]
pub struct SignerInfo<'a> {
    version: u64,
    sid: Identifier<'a>,
    digest_algorithm: AlgorithmId<'a>,
    signed: Option<SignedAttributes<'a>>,
    signature_algorithm: AlgorithmId<'a>,
    signature: Cow<'a, [u8]>,
    unsigned: Vec<Attribute<'a>>,
}

#[derive(Clone, Debug)]
struct SignedAttributes<'a> {
    received: &'a [u8],
    attributes: Attributes<'a>,
    der: bool,
}

impl<'a> SignerInfo<'a> {
    pub(crate) fn read(value: &Tlv<'a>, limits: &Limits) -> Result<Self, Error> {
        let mut fields = sequence_of(value, "SignerInfo")?;
        let version = fields.small().at("SignerInfo.version")?;
        if !matches!(version, 1 | 3) {
            return Err(Error::Structure { what: "SignerInfo.version", why: "it is neither 1 nor 3" });
        }
        let sid = Identifier::read(&mut fields, "SignerInfo.sid")?;
        let digest_algorithm = fields.algorithm().at("SignerInfo.digestAlgorithm")?;
        let signed = match fields.context(0).at("SignerInfo.signedAttrs")? {
            Some(value) => Some(SignedAttributes::read(&value, limits)?),
            None => None,
        };
        let signature_algorithm = fields.algorithm().at("SignerInfo.signatureAlgorithm")?;
        let signature = fields.octet_string().at("SignerInfo.signature")?;
        let unsigned = match fields.context(1).at("SignerInfo.unsignedAttrs")? {
            Some(value) => {
                let what = "SignerInfo.unsignedAttrs";
                if !value.tag().constructed {
                    return Err(Error::Structure { what, why: "it is not a SET" });
                }
                Attributes::read(value.reader().at(what)?, limits, what)?.list
            }
            None => Vec::new(),
        };
        fields.finish().at("SignerInfo")?;
        Ok(Self { version, sid, digest_algorithm, signed, signature_algorithm, signature, unsigned })
    }

    /// How the message names the signer's certificate.
    #[must_use]
    pub const fn sid(&self) -> &Identifier<'a> {
        &self.sid
    }

    /// The digest algorithm with its parameters.
    #[must_use]
    pub const fn digest_algorithm(&self) -> &AlgorithmId<'a> {
        &self.digest_algorithm
    }

    /// The signed attributes as received: tag `[0]`, length, content.
    #[must_use]
    pub fn signed_attributes(&self) -> Option<&'a [u8]> {
        self.signed.as_ref().map(|signed| signed.received)
    }

    /// The signed attributes one by one, in the order received; empty where there are none.
    #[must_use]
    pub fn attributes(&self) -> &[Attribute<'a>] {
        self.signed.as_ref().map_or(&[], |signed| signed.attributes.list.as_slice())
    }

    /// The first signed attribute of that type.
    #[must_use]
    pub fn attribute(&self, oid: &ObjectIdentifier) -> Option<&Attribute<'a>> {
        self.attributes().iter().find(|attribute| attribute.is(oid))
    }

    /// The signature algorithm with its parameters.
    #[must_use]
    pub const fn signature_algorithm(&self) -> &AlgorithmId<'a> {
        &self.signature_algorithm
    }

    /// The signature value: what a timestamp is made over (RFC 3161 appendix A).
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The unsigned attributes, in the order received.
    #[must_use]
    pub fn unsigned_attributes(&self) -> &[Attribute<'a>] {
        &self.unsigned
    }

    /// The octets the signature is over where there are signed attributes: as received, the tag `[0]` replaced
    /// by that of SET OF (RFC 5652 §5.4, THREATS S3).
    #[must_use]
    pub fn to_be_verified(&self) -> Option<Vec<u8>> {
        let mut octets = self.signed.as_ref()?.received.to_vec();
        *octets.first_mut()? = 0x31;
        Some(octets)
    }

    /// Whether the version is the one that RFC 5652 §5.3 computes: 1 for issuer and serial, 3 for a key identifier.
    pub(crate) const fn version_fits(&self) -> bool {
        match self.sid {
            Identifier::IssuerAndSerial { .. } => self.version == 1,
            Identifier::SubjectKeyIdentifier(_) => self.version == 3,
        }
    }

    /// Whether the version asks for version 3 of SignedData.
    pub(crate) const fn is_version_3(&self) -> bool {
        self.version == 3
    }

    /// Whether the signed attributes stand in DER order; true without any.
    pub(crate) fn attributes_sorted(&self) -> bool {
        self.signed.as_ref().is_none_or(|signed| signed.attributes.sorted)
    }

    /// Whether the signed attributes are DER but for their order; true without any (THREATS S13).
    pub(crate) fn attributes_der(&self) -> bool {
        self.signed.as_ref().is_none_or(|signed| signed.der)
    }
}

impl<'a> SignedAttributes<'a> {
    fn read(value: &Tlv<'a>, limits: &Limits) -> Result<Self, Error> {
        let what = "SignerInfo.signedAttrs";
        if !value.tag().constructed {
            return Err(Error::Structure { what, why: "it is not a SET" });
        }
        let received = value.bytes();
        let der = !deviates_from_der(received, limits);
        // DER where it is DER: the strict reader also looks at the values' lengths.
        let rules = if der { Rules::Der } else { Rules::Ber };
        let reader = Reader::new(received, rules, limits).any().at(what)?.reader().at(what)?;
        let attributes = Attributes::read(reader, limits, what)?;
        Ok(Self { received, attributes, der })
    }
}
