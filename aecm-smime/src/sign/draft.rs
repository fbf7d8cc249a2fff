//! The signed message, open for unsigned attributes, and its DER.

use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::tlv::{Tag, write};

use super::SignError;
use super::attributes::{attribute, retag};
use crate::cms::Form;

/// A signed message that can still take unsigned attributes.
#[derive(Clone, Debug)]
pub struct SignedDraft {
    pub(super) form: Form,
    pub(super) version: u64,
    pub(super) content_type: ObjectIdentifier,
    pub(super) content: Option<Vec<u8>>,
    /// DER of each certificate, in DER SET order, each once.
    pub(super) certificates: Vec<Vec<u8>>,
    pub(super) signers: Vec<DraftSigner>,
}

#[derive(Clone, Debug)]
pub(super) struct DraftSigner {
    pub(super) identifier: Vec<u8>,
    pub(super) digest_identifier: Vec<u8>,
    /// [0] IMPLICIT.
    pub(super) signed_attributes: Vec<u8>,
    pub(super) signature_identifier: Vec<u8>,
    pub(super) signature: Vec<u8>,
    pub(super) unsigned_attributes: Vec<(ObjectIdentifier, Vec<Vec<u8>>)>,
}

impl SignedDraft {
    /// How many signers there are.
    #[must_use]
    pub fn signers(&self) -> usize {
        self.signers.len()
    }

    /// The signature value of signer `index` (from 0), whose digest is the imprint of a timestamp (A12).
    /// Empty where there is no such signer.
    #[must_use]
    pub fn signature(&self, index: usize) -> &[u8] {
        self.signers.get(index).map_or(&[], |signer| signer.signature.as_slice())
    }

    /// Adds one value of an unsigned attribute to signer `index`; `value` is DER. A second value of the same
    /// type joins the first in one attribute, as RFC 5652 §5.3 wants each type once.
    ///
    /// # Errors
    /// [`SignError::NoSuchSigner`]; [`SignError::Attribute`] for an attribute that must be signed.
    pub fn add_unsigned_attribute(
        &mut self,
        index: usize,
        attribute: ObjectIdentifier,
        value: Vec<u8>,
    ) -> Result<(), SignError> {
        if SIGNED_ONLY.contains(&attribute) {
            return Err(SignError::Attribute { index, attribute, why: "it must be signed" });
        }
        let signer = self.signers.get_mut(index).ok_or(SignError::NoSuchSigner { index })?;
        match signer.unsigned_attributes.iter_mut().find(|(known, _)| *known == attribute) {
            Some((_, values)) => values.push(value),
            None => signer.unsigned_attributes.push((attribute, vec![value])),
        }
        Ok(())
    }

    /// The ContentInfo in DER.
    ///
    /// ```text
    /// ContentInfo ::= SEQUENCE { contentType OBJECT IDENTIFIER, content [0] EXPLICIT SignedData }
    /// ```
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let mut digests: Vec<Vec<u8>> =
            self.signers.iter().map(|signer| signer.digest_identifier.clone()).collect();
        digests.sort();
        digests.dedup();
        let content_type = write::oid(&self.content_type);
        let encapsulated = match &self.content {
            Some(content) => {
                write::sequence(&[&content_type, &write::explicit(0, &write::octet_string(content))])
            }
            None => write::sequence(&[&content_type]),
        };
        let signer_infos = self.signers.iter().map(DraftSigner::to_der).collect();
        let signed_data = write::sequence(&[
            &write::small(self.version),
            &write::set_of(digests),
            &encapsulated,
            &write::tlv(Tag::context(0), &self.certificates.concat()),
            &write::set_of(signer_infos),
        ]);
        let outer = if self.form == Form::Gbt35275 { oid::GM_SIGNED_DATA } else { oid::SIGNED_DATA };
        write::sequence(&[&write::oid(&outer), &write::explicit(0, &signed_data)])
    }
}

impl DraftSigner {
    /// ```text
    /// SignerInfo ::= SEQUENCE {
    ///   version 1, sid IssuerAndSerialNumber, digestAlgorithm, signedAttrs [0] IMPLICIT SET OF Attribute,
    ///   signatureAlgorithm, signature OCTET STRING, unsignedAttrs [1] IMPLICIT SET OF Attribute OPTIONAL }
    /// ```
    fn to_der(&self) -> Vec<u8> {
        let unsigned = if self.unsigned_attributes.is_empty() {
            Vec::new()
        } else {
            let attributes = self.unsigned_attributes.iter();
            let attributes = attributes.map(|(kind, values)| attribute(kind, values.clone())).collect();
            retag(&write::set_of(attributes), 0xa1)
        };
        write::sequence(&[
            &write::small(1),
            &self.identifier,
            &self.digest_identifier,
            &self.signed_attributes,
            &self.signature_identifier,
            &write::octet_string(&self.signature),
            &unsigned,
        ])
    }
}

// RFC 5652 §11.1–11.3, RFC 8551 §2.5.2, RFC 6211 §2, RFC 5035 §3: signed attributes by definition.
const SIGNED_ONLY: [ObjectIdentifier; 6] = [
    oid::CONTENT_TYPE,
    oid::MESSAGE_DIGEST,
    oid::SIGNING_TIME,
    oid::SMIME_CAPABILITIES,
    oid::ALGORITHM_PROTECTION,
    oid::SIGNING_CERTIFICATE_V2,
];
