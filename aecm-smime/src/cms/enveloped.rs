//! EnvelopedData and AuthEnvelopedData.

use std::borrow::Cow;

use aecm_core::limits::Limits;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::tlv::{AlgorithmId, Reader, Tag, Tlv};

use crate::cms::attribute::{Attribute, Attributes, sequence_of};
use crate::cms::identifier::Identifier;
use crate::cms::{Form, content_info, elements, encoding_tolerances};
use crate::error::{At, Error};
use crate::tolerance::{Tolerance, note};

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
    content_type: ObjectIdentifier,
    cipher: AlgorithmId<'a>,
    ciphertext: Option<Cow<'a, [u8]>>,
    authenticated_attributes: Option<&'a [u8]>,
    attributes: Vec<Attribute<'a>>,
    mac: Cow<'a, [u8]>,
    tolerances: Vec<Tolerance>,
}

/// One recipient (RFC 5652 §6.2). Kinds that are not opened here are kept as received.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RecipientInfo<'a> {
    /// The content key is encrypted with the recipient's public key (RSA, SM2).
    KeyTransport {
        /// How the message names the recipient's certificate.
        rid: Identifier<'a>,
        /// The key transport algorithm with its parameters.
        algorithm: AlgorithmId<'a>,
        /// The encrypted content key.
        encrypted_key: Cow<'a, [u8]>,
    },
    /// `[1]`: key agreement.
    KeyAgreement(&'a [u8]),
    /// `[2]`: a key-encryption key that both sides have.
    KeyEncryptionKey(&'a [u8]),
    /// `[3]`: a password.
    Password(&'a [u8]),
    /// `[4]` and what is not known.
    Other(&'a [u8]),
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
        for info in elements(infos, limits.recipient_infos, "RecipientInfos")? {
            recipients.push(RecipientInfo::read(&info)?);
        }
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
            note(&mut tolerances, Tolerance::MixedContentTypes);
        }
        let mut this = Self {
            form,
            authenticated,
            recipients,
            content_type,
            cipher,
            ciphertext,
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
        self.content_type
    }

    /// The content cipher with its parameters.
    #[must_use]
    pub const fn cipher(&self) -> &AlgorithmId<'a> {
        &self.cipher
    }

    /// The encrypted content; `None` where it is kept elsewhere.
    #[must_use]
    pub fn ciphertext(&self) -> Option<&[u8]> {
        self.ciphertext.as_deref()
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

impl<'a> RecipientInfo<'a> {
    fn read(value: &Tlv<'a>) -> Result<Self, Error> {
        let tag = value.tag();
        if tag == Tag::SEQUENCE {
            let mut fields = value.reader().at("KeyTransRecipientInfo")?;
            if fields.small().at("KeyTransRecipientInfo.version")? > 4 {
                return Err(Error::Structure {
                    what: "KeyTransRecipientInfo.version",
                    why: "it is larger than any that is defined",
                });
            }
            let rid = Identifier::read(&mut fields, "KeyTransRecipientInfo.rid")?;
            let algorithm = fields.algorithm().at("KeyTransRecipientInfo.keyEncryptionAlgorithm")?;
            let encrypted_key = fields.octet_string().at("KeyTransRecipientInfo.encryptedKey")?;
            fields.finish().at("KeyTransRecipientInfo")?;
            return Ok(Self::KeyTransport { rid, algorithm, encrypted_key });
        }
        Ok(match tag {
            tag if tag.same_type(Tag::context(1)) => Self::KeyAgreement(value.bytes()),
            tag if tag.same_type(Tag::context(2)) => Self::KeyEncryptionKey(value.bytes()),
            tag if tag.same_type(Tag::context(3)) => Self::Password(value.bytes()),
            _ => Self::Other(value.bytes()),
        })
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

fn read_attributes<'a>(
    value: &Tlv<'a>,
    limits: &Limits,
    what: &'static str,
) -> Result<Vec<Attribute<'a>>, Error> {
    if !value.tag().constructed {
        return Err(Error::Structure { what, why: "it is not a SET" });
    }
    Ok(Attributes::read(value.reader().at(what)?, limits, what)?.list)
}
