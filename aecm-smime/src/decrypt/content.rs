//! The content of an envelope: cipher, parameters, tag, all checked before any key is used (THREATS E2).

use std::borrow::Cow;

use aecm_core::limits::Limits;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::tlv::{AlgorithmId, Reader, Rules};
use zeroize::Zeroizing;

use crate::cipher::{ContentCipher, GCM_NONCE_SIZE, GCM_TAG_SIZE, GCM_TAG_SIZE_MIN, OpenError};
use crate::cms::{EncryptedData, Enveloped};
use crate::decrypt::{Content, DecryptError, DecryptOptions, UnauthenticatedContent};
use crate::error::{At, Error};
use crate::tolerance::Tolerance;

/// SM4 without a mode, which CFCA writes for CBC.
const BARE_SM4: ObjectIdentifier = oid::SM4;

/// How the content is opened once there is a key.
pub(super) struct Plan<'a> {
    pub(super) cipher: ContentCipher,
    pub(super) tolerances: Vec<Tolerance>,
    nonce: Vec<u8>,
    additional_data: Vec<u8>,
    ciphertext: &'a [u8],
    tag: &'a [u8],
}

impl<'a> Plan<'a> {
    pub(super) fn read(enveloped: &'a Enveloped<'_>, options: &DecryptOptions) -> Result<Self, DecryptError> {
        let under_tag = enveloped.is_authenticated().then_some(enveloped);
        Self::of(enveloped.cipher(), enveloped.ciphertext(), under_tag, options)
    }

    pub(super) fn of_encrypted_data(
        encrypted: &'a EncryptedData<'_>,
        options: &DecryptOptions,
    ) -> Result<Self, DecryptError> {
        Self::of(encrypted.cipher(), encrypted.ciphertext(), None, options)
    }

    /// `under_tag` is AuthEnvelopedData.
    fn of(
        identifier: &AlgorithmId<'_>,
        received: Option<&'a [u8]>,
        under_tag: Option<&'a Enveloped<'_>>,
        options: &DecryptOptions,
    ) -> Result<Self, DecryptError> {
        let mut tolerances = Vec::new();
        let cipher = if identifier.oid == BARE_SM4 {
            tolerances.push(Tolerance::BareSm4);
            ContentCipher::Sm4Cbc
        } else {
            ContentCipher::from_oid(&identifier.oid)
                .ok_or(DecryptError::Unsupported { what: "the content cipher", oid: Some(identifier.oid) })?
        };
        let limits = &options.limits;
        let parameters = identifier.parameters.unwrap_or_default();
        let received = received
            .ok_or(Error::Structure { what: "EncryptedContentInfo.encryptedContent", why: "it is absent" })?;
        let mut plan = Self {
            cipher,
            tolerances,
            nonce: Vec::new(),
            additional_data: Vec::new(),
            ciphertext: received,
            tag: &[],
        };
        if let Some(enveloped) = under_tag {
            if !cipher.is_authenticated() {
                return Err(DecryptError::Unsupported {
                    what: "in AuthEnvelopedData the cipher",
                    oid: Some(identifier.oid),
                });
            }
            check_attributes(enveloped, limits)?;
            plan.additional_data = enveloped.additional_data();
            plan.tag = enveloped.mac();
        } else if cipher.is_authenticated() {
            // gmsm: the tag stands behind the ciphertext.
            plan.tolerances.push(Tolerance::GcmInEnvelopedData);
            let at = received.len().checked_sub(GCM_TAG_SIZE).ok_or(DecryptError::Failed)?;
            (plan.ciphertext, plan.tag) = received.split_at(at);
        }
        if cipher.is_authenticated() {
            let (nonce, tag_size) = gcm_parameters(parameters, limits)?;
            if tag_size != plan.tag.len() {
                return Err(structure("GCMParameters.aes-ICVlen", "it is not the length of the tag"));
            }
            if tag_size < options.tag_octets_min.clamp(GCM_TAG_SIZE_MIN, GCM_TAG_SIZE) {
                return Err(DecryptError::ShortTag { octets: tag_size });
            }
            if tag_size < GCM_TAG_SIZE {
                plan.tolerances.push(Tolerance::ShortTag);
            }
            plan.nonce = nonce;
        } else {
            plan.nonce = initialisation_vector(parameters, cipher, limits)?;
        }
        Ok(plan)
    }

    /// Decrypts with one key.
    pub(super) fn open(&self, key: &Zeroizing<Vec<u8>>) -> Result<Content, OpenError> {
        let content = self.cipher.open(key, &self.nonce, &self.additional_data, self.ciphertext, self.tag)?;
        Ok(if self.cipher.is_authenticated() {
            Content::Authenticated(content)
        } else {
            Content::Unauthenticated(UnauthenticatedContent(content))
        })
    }
}

fn structure(what: &'static str, why: &'static str) -> DecryptError {
    DecryptError::Malformed(Error::Structure { what, why })
}

/// authAttrs: needed where the content is not data, and then with the content's type (RFC 5083 §2.1).
fn check_attributes(enveloped: &Enveloped<'_>, limits: &Limits) -> Result<(), DecryptError> {
    let what = "AuthEnvelopedData.authAttrs";
    let attributes = enveloped.attributes();
    if attributes.is_empty() {
        return if [oid::DATA, oid::GM_DATA].contains(&enveloped.content_type()) {
            Ok(())
        } else {
            Err(structure(what, "they are absent although the content is not data"))
        };
    }
    let mut types = attributes.iter().filter(|attribute| attribute.is(&oid::CONTENT_TYPE));
    let value = match (types.next(), types.next()) {
        (Some(attribute), None) => attribute.single(),
        _ => None,
    };
    let mut reader = Reader::new(value.unwrap_or_default(), Rules::Der, limits);
    let found = reader.oid().at(what)?;
    reader.finish().at(what)?;
    if found == enveloped.content_type() {
        Ok(())
    } else {
        Err(structure(what, "the content type is not that of the content"))
    }
}

/// ```text
/// GCMParameters ::= SEQUENCE { aes-nonce OCTET STRING, aes-ICVlen AES-GCM-ICVlen DEFAULT 12 }
/// ```
fn gcm_parameters(parameters: &[u8], limits: &Limits) -> Result<(Vec<u8>, usize), DecryptError> {
    let what = "GCMParameters";
    let mut reader = Reader::new(parameters, Rules::Ber, limits);
    let mut fields = reader.sequence().at(what)?;
    reader.finish().at(what)?;
    let nonce = fields.octet_string().at(what)?;
    let size = if fields.is_empty() { 12 } else { fields.small().at(what)? };
    fields.finish().at(what)?;
    if nonce.len() != GCM_NONCE_SIZE {
        return Err(structure("GCMParameters.aes-nonce", "it is not 12 octets"));
    }
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    if !(GCM_TAG_SIZE_MIN..=GCM_TAG_SIZE).contains(&size) {
        return Err(structure("GCMParameters.aes-ICVlen", "it is not 12 to 16"));
    }
    Ok((nonce.into_owned(), size))
}

fn initialisation_vector(
    parameters: &[u8],
    cipher: ContentCipher,
    limits: &Limits,
) -> Result<Vec<u8>, DecryptError> {
    let what = "contentEncryptionAlgorithm.parameters (IV)";
    let mut reader = Reader::new(parameters, Rules::Ber, limits);
    let iv: Cow<'_, [u8]> = reader.octet_string().at(what)?;
    reader.finish().at(what)?;
    if iv.len() == cipher.nonce_size() {
        Ok(iv.into_owned())
    } else {
        Err(structure(what, "it is not one block"))
    }
}
