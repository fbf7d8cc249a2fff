//! EncryptedContentInfo, which EnvelopedData, AuthEnvelopedData and EncryptedData share; and EncryptedData.

use std::borrow::Cow;

use aecm_core::limits::Limits;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::tlv::{AlgorithmId, Reader};

use crate::cms::attribute::{read_attributes, sequence_of};
use crate::cms::{Form, content_info, encoding_tolerances};
use crate::error::{At, Error};
use crate::tolerance::{Tolerance, note};

/// ```text
/// EncryptedContentInfo ::= SEQUENCE {
///   contentType ContentType,
///   contentEncryptionAlgorithm ContentEncryptionAlgorithmIdentifier,
///   encryptedContent [0] IMPLICIT OCTET STRING OPTIONAL }   -- GB/T 35275 adds [1] and [2] sharedInfo
/// ```
#[derive(Clone, Debug)]
pub(crate) struct EncryptedContent<'a> {
    pub(crate) content_type: ObjectIdentifier,
    pub(crate) cipher: AlgorithmId<'a>,
    pub(crate) ciphertext: Option<Cow<'a, [u8]>>,
}

impl<'a> EncryptedContent<'a> {
    pub(crate) fn read(
        fields: &mut Reader<'a>,
        form: Form,
        tolerances: &mut Vec<Tolerance>,
    ) -> Result<Self, Error> {
        let mut encrypted = fields.sequence().at("EncryptedContentInfo")?;
        let content_type = encrypted.oid().at("EncryptedContentInfo.contentType")?;
        let cipher = encrypted.algorithm().at("EncryptedContentInfo.contentEncryptionAlgorithm")?;
        let ciphertext = match encrypted.context(0).at("EncryptedContentInfo.encryptedContent")? {
            Some(value) => Some(value.octet_string().at("EncryptedContentInfo.encryptedContent")?),
            None => None,
        };
        if form == Form::Gbt35275 {
            encrypted.context(1).at("EncryptedContentInfo.sharedInfo1")?;
            encrypted.context(2).at("EncryptedContentInfo.sharedInfo2")?;
        }
        encrypted.finish().at("EncryptedContentInfo")?;
        if content_type == (if form == Form::Rfc5652 { oid::GM_DATA } else { oid::DATA }) {
            note(tolerances, Tolerance::MixedContentTypes);
        }
        Ok(Self { content_type, cipher, ciphertext })
    }
}

/// An EncryptedData, read (RFC 5652 §8; GB/T 35275 §11): content under a key that both sides have.
///
/// ```text
/// EncryptedData ::= SEQUENCE {
///   version CMSVersion,
///   encryptedContentInfo EncryptedContentInfo,
///   unprotectedAttrs [1] IMPLICIT UnprotectedAttributes OPTIONAL }
/// ```
#[derive(Clone, Debug)]
pub struct EncryptedData<'a> {
    pub(crate) form: Form,
    pub(crate) content: EncryptedContent<'a>,
    pub(crate) tolerances: Vec<Tolerance>,
}

impl<'a> EncryptedData<'a> {
    /// Reads a whole ContentInfo that holds EncryptedData, in BER or DER.
    ///
    /// # Errors
    /// [`Error::ContentType`] for another content type; [`Error::Tlv`], [`Error::Structure`] or
    /// [`Error::Limit`] for what cannot be read.
    pub fn parse(bytes: &'a [u8], limits: &Limits) -> Result<Self, Error> {
        let (outer, value) = content_info(bytes, limits)?;
        let form = match outer {
            oid::ENCRYPTED_DATA => Form::Rfc5652,
            oid::GM_ENCRYPTED_DATA => Form::Gbt35275,
            found => return Err(Error::ContentType { found, expected: "encryptedData" }),
        };
        let mut tolerances = encoding_tolerances(bytes, limits);
        let mut fields = sequence_of(&value, "EncryptedData")?;
        if fields.small().at("EncryptedData.version")? > 2 {
            let why = "it is larger than any that is defined";
            return Err(Error::Structure { what: "EncryptedData.version", why });
        }
        let content = EncryptedContent::read(&mut fields, form, &mut tolerances)?;
        if let Some(value) = fields.context(1).at("EncryptedData.unprotectedAttrs")? {
            read_attributes(&value, limits, "EncryptedData.unprotectedAttrs")?;
        }
        fields.finish().at("EncryptedData")?;
        Ok(Self { form, content, tolerances })
    }

    /// Which standard's content types the message uses.
    #[must_use]
    pub const fn form(&self) -> Form {
        self.form
    }

    /// The type of what is encrypted.
    #[must_use]
    pub const fn content_type(&self) -> ObjectIdentifier {
        self.content.content_type
    }

    /// The content cipher with its parameters.
    #[must_use]
    pub const fn cipher(&self) -> &AlgorithmId<'a> {
        &self.content.cipher
    }

    /// The encrypted content; `None` where it is kept elsewhere.
    #[must_use]
    pub fn ciphertext(&self) -> Option<&[u8]> {
        self.content.ciphertext.as_deref()
    }

    /// What was forgiven in reading.
    #[must_use]
    pub fn tolerances(&self) -> &[Tolerance] {
        &self.tolerances
    }
}
