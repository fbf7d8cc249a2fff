//! EnvelopedData and AuthEnvelopedData.

use std::borrow::Cow;

use aecm_core::limits::Limits;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::tlv::{AlgorithmId, Reader};

use crate::cms::attribute::{Attribute, read_attributes, sequence_of};
use crate::cms::encrypted_content::EncryptedContent;
use crate::cms::recipient_info::RecipientInfo;
use crate::cms::{Form, bounded, content_info, elements, encoding_tolerances};
use crate::error::{At, Error};
use crate::tolerance::Tolerance;

/// An EnvelopedData or AuthEnvelopedData, read (RFC 5652 §6.1, RFC 5083 §2.1; GB/T 35275 §9).
///
/// ```text
/// EnvelopedData ::= SEQUENCE {
///   version CMSVersion,
///   originatorInfo [0] IMPLICIT OriginatorInfo OPTIONAL,
///   recipientInfos RecipientInfos,
///   encryptedContentInfo EncryptedContentInfo,
///   unprotectedAttrs [1] IMPLICIT UnprotectedAttributes OPTIONAL }
/// AuthEnvelopedData ::= SEQUENCE {
///   version, originatorInfo, recipientInfos as above,
///   authEncryptedContentInfo EncryptedContentInfo,
///   authAttrs [1] IMPLICIT AuthAttributes OPTIONAL,
///   mac MessageAuthenticationCode,
///   unauthAttrs [2] IMPLICIT UnauthAttributes OPTIONAL }
/// EncryptedContentInfo ::= SEQUENCE {
///   contentType ContentType,
///   contentEncryptionAlgorithm ContentEncryptionAlgorithmIdentifier,
///   encryptedContent [0] IMPLICIT OCTET STRING OPTIONAL }   -- GB/T 35275 adds [1] and [2] sharedInfo
/// ```
#[derive(Clone, Debug)]
pub struct Enveloped<'a> {
    form: Form,
    authenticated: bool,
    recipients: Vec<RecipientInfo<'a>>,
    content: EncryptedContent<'a>,
    authenticated_attributes: Option<&'a [u8]>,
    attributes: Vec<Attribute<'a>>,
    mac: Cow<'a, [u8]>,
    tolerances: Vec<Tolerance>,
}

impl<'a> Enveloped<'a> {
    /// Reads a whole ContentInfo that holds EnvelopedData or AuthEnvelopedData, in BER or DER.
    ///
    /// # Errors
    /// [`Error::ContentType`] for another content type; [`Error::Tlv`], [`Error::Structure`] or
    /// [`Error::Limit`] for what cannot be read.
    pub fn parse(bytes: &'a [u8], limits: &Limits) -> Result<Self, Error> {
        let (outer, value) = content_info(bytes, limits)?;
        let (form, authenticated) = match outer {
            oid::ENVELOPED_DATA => (Form::Rfc5652, false),
            oid::AUTH_ENVELOPED_DATA => (Form::Rfc5652, true),
            oid::GM_ENVELOPED_DATA => (Form::Gbt35275, false),
            found => {
                return Err(Error::ContentType { found, expected: "envelopedData or authEnvelopedData" });
            }
        };
        let mut tolerances = encoding_tolerances(bytes, limits);
        let mut fields = sequence_of(&value, "EnvelopedData")?;
        version(&mut fields, authenticated)?;
        // originatorInfo: certificates for key agreement, not used.
        fields.context(0).at("EnvelopedData.originatorInfo")?;
        let infos = fields.set().at("EnvelopedData.recipientInfos")?;
        let mut recipients = Vec::new();
        let mut count = 0_usize;
        for info in elements(infos, limits.recipient_infos, "RecipientInfos")? {
            let info = RecipientInfo::read(&info, limits)?;
            count = count.saturating_add(info.count());
            bounded(count, limits.recipient_infos, "RecipientInfos")?;
            recipients.push(info);
        }
        let content = EncryptedContent::read(&mut fields, form, &mut tolerances)?;
        let mut this = Self {
            form,
            authenticated,
            recipients,
            content,
            authenticated_attributes: None,
            attributes: Vec::new(),
            mac: Cow::Borrowed(&[]),
            tolerances,
        };
        this.read_tail(&mut fields, limits)?;
        fields.finish().at("EnvelopedData")?;
        Ok(this)
    }

    fn read_tail(&mut self, fields: &mut Reader<'a>, limits: &Limits) -> Result<(), Error> {
        if !self.authenticated {
            if let Some(value) = fields.context(1).at("EnvelopedData.unprotectedAttrs")? {
                read_attributes(&value, limits, "EnvelopedData.unprotectedAttrs")?;
            }
            return Ok(());
        }
        if let Some(value) = fields.context(1).at("AuthEnvelopedData.authAttrs")? {
            self.attributes = read_attributes(&value, limits, "AuthEnvelopedData.authAttrs")?;
            self.authenticated_attributes = Some(value.bytes());
        }
        self.mac = fields.octet_string().at("AuthEnvelopedData.mac")?;
        if let Some(value) = fields.context(2).at("AuthEnvelopedData.unauthAttrs")? {
            read_attributes(&value, limits, "AuthEnvelopedData.unauthAttrs")?;
        }
        Ok(())
    }

    /// Which standard's content types the message uses.
    #[must_use]
    pub const fn form(&self) -> Form {
        self.form
    }

    /// Whether this is AuthEnvelopedData.
    #[must_use]
    pub const fn is_authenticated(&self) -> bool {
        self.authenticated
    }

    /// The recipients in the order received.
    #[must_use]
    pub fn recipients(&self) -> &[RecipientInfo<'a>] {
        &self.recipients
    }

    /// The type of what is encrypted: `data` for mail.
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

    /// The authenticated attributes, in the order received.
    #[must_use]
    pub fn attributes(&self) -> &[Attribute<'a>] {
        &self.attributes
    }

    /// The tag of AuthEnvelopedData, else empty.
    #[must_use]
    pub fn mac(&self) -> &[u8] {
        &self.mac
    }

    /// The additional data under the tag: the authenticated attributes as received, the tag `[1]` replaced by
    /// that of SET OF (RFC 5083 §2.2); empty without them.
    #[must_use]
    pub fn additional_data(&self) -> Vec<u8> {
        let mut octets = self.authenticated_attributes.map(<[u8]>::to_vec).unwrap_or_default();
        if let Some(tag) = octets.first_mut() {
            *tag = 0x31;
        }
        octets
    }

    /// What was forgiven in reading.
    #[must_use]
    pub fn tolerances(&self) -> &[Tolerance] {
        &self.tolerances
    }
}

fn version(fields: &mut Reader<'_>, authenticated: bool) -> Result<(), Error> {
    let version = fields.small().at("EnvelopedData.version")?;
    let known = if authenticated { version == 0 } else { version <= 4 };
    if known {
        Ok(())
    } else {
        Err(Error::Structure { what: "EnvelopedData.version", why: "it is larger than any that is defined" })
    }
}
