//! Writing EnvelopedData and AuthEnvelopedData: a fresh content key for each message, transported to every
//! recipient by RSA-OAEP, RSA PKCS#1 v1.5, SM2 or ECDH.
//!
//! ```
//! use aecm_smime::encrypt::{ContentCipher, EncryptError, Encryptor};
//! # struct Zeros;
//! # impl aecm_core::embed::Rng for Zeros {
//! #     fn fill(&self, buffer: &mut [u8]) -> Result<(), aecm_core::embed::RngError> { buffer.fill(0); Ok(()) }
//! # }
//!
//! // Nobody to read it: refused before anything is drawn or encrypted.
//! let nobody = Encryptor::new(ContentCipher::Aes256Gcm).encrypt(b"Hello\r\n", &Zeros);
//! assert_eq!(nobody, Err(EncryptError::NoRecipient));
//! ```
//!
//! CBC protects the content against nobody who can change the message (THREATS M5): sign inside.

mod error;
mod recipient;

use aecm_core::certificate::Certificate;
use aecm_core::embed::Rng;
use aecm_core::limits::Limits;
use aecm_core::oid;
use aecm_core::time::Time;
use aecm_core::tlv::{Tag, write};
use zeroize::Zeroizing;

use crate::cms::Form;

pub use self::error::{EncryptError, UnusableCertificate};
pub use self::recipient::{Transport, usable_for_encryption};
pub use crate::cipher::ContentCipher;

/// Content that is going to be encrypted: with which cipher, to whom, in which form.
///
/// ```text
/// EnvelopedData ::= SEQUENCE {
///   version CMSVersion,   -- 0, with ECDH 2
///   recipientInfos SET OF RecipientInfo, encryptedContentInfo EncryptedContentInfo }
/// AuthEnvelopedData ::= SEQUENCE {
///   version 0, recipientInfos SET OF RecipientInfo, authEncryptedContentInfo EncryptedContentInfo,
///   mac OCTET STRING }
/// EncryptedContentInfo ::= SEQUENCE {
///   contentType OBJECT IDENTIFIER, contentEncryptionAlgorithm AlgorithmIdentifier,
///   encryptedContent [0] IMPLICIT OCTET STRING }
/// ```
/// RFC 5652 §6.1 (CBC) and RFC 5083 §2.1 (GCM). In GB/T 35275 form (§9) EnvelopedData and RecipientInfo have
/// version 1 and content types of their own, and hold SM2 recipients and SM4-CBC only.
#[derive(Clone, Debug)]
pub struct Encryptor {
    cipher: ContentCipher,
    form: Form,
    at: Option<Time>,
    single_usage: bool,
    recipients: Vec<(Certificate, Transport)>,
}

impl Encryptor {
    /// For content of type `data`, in the form of RFC 5652, with no recipients yet.
    #[must_use]
    pub const fn new(cipher: ContentCipher) -> Self {
        Self { cipher, form: Form::Rfc5652, at: None, single_usage: false, recipients: Vec::new() }
    }

    /// The wire form.
    #[must_use]
    pub const fn form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    /// The time at which every recipient's certificate has to be valid. Without it validity is not looked at.
    #[must_use]
    pub const fn at(mut self, at: Time) -> Self {
        self.at = Some(at);
        self
    }

    /// Whether to refuse a certificate whose key usage also allows signing (AECM's rule of one usage for a
    /// certificate). Off by default: certificates of others often have both.
    #[must_use]
    pub const fn single_usage(mut self, single_usage: bool) -> Self {
        self.single_usage = single_usage;
        self
    }

    /// Adds a recipient. RSA, SM2 and ECDH recipients may be mixed in RFC 5652 form.
    #[must_use]
    pub fn recipient(mut self, certificate: &Certificate, transport: Transport) -> Self {
        self.recipients.push((certificate.clone(), transport));
        self
    }

    /// Encrypts, with a fresh content key and nonce, and writes the ContentInfo in DER.
    ///
    /// A certificate named twice is written once.
    ///
    /// # Errors
    /// [`EncryptError`] when there is nobody to encrypt to, a certificate is not for encryption or not valid
    /// at the time given, a transport does not fit its key, the form cannot hold it, or randomness failed.
    pub fn encrypt(&self, content: &[u8], rng: &dyn Rng) -> Result<Vec<u8>, EncryptError> {
        self.admit()?;
        let key = fresh_key(self.cipher.key_size(), rng)?;
        let mut nonce = vec![0; self.cipher.nonce_size()];
        rng.fill(&mut nonce).map_err(|_| EncryptError::Rng)?;

        let mut infos = Vec::with_capacity(self.recipients.len());
        for (index, (certificate, transport)) in self.recipients.iter().enumerate() {
            let earlier = self.recipients.get(..index).unwrap_or_default();
            if !earlier.iter().any(|(known, _)| known == certificate) {
                infos.push(recipient::info(index, certificate, *transport, self.form, &key, rng)?);
            }
        }
        let sealed = self
            .cipher
            .seal(&key, &nonce, &[], content)
            .map_err(|_| EncryptError::ContentTooLong { octets: content.len() })?;

        let gbt = self.form == Form::Gbt35275;
        let agreed = self.recipients.iter().any(|(_, transport)| *transport == Transport::Ecdh);
        // RFC 5652 §6.1: 2 where a RecipientInfo has another version than 0; RFC 5083 §2.1: always 0.
        let version = match (self.cipher.is_authenticated(), gbt) {
            (true, _) => 0,
            (false, true) => 1,
            (false, false) if agreed => 2,
            (false, false) => 0,
        };
        let version = write::small(version);
        let content_type = write::oid(&if gbt { oid::GM_DATA } else { oid::DATA });
        let encrypted_content_info = write::sequence(&[
            &content_type,
            &self.cipher.identifier_der(&nonce),
            &write::tlv(Tag::context_primitive(0), &sealed.ciphertext),
        ]);
        let infos = write::set_of(infos);
        let (outer, enveloped) = if self.cipher.is_authenticated() {
            let mac = write::octet_string(&sealed.tag);
            (oid::AUTH_ENVELOPED_DATA, write::sequence(&[&version, &infos, &encrypted_content_info, &mac]))
        } else {
            let outer = if gbt { oid::GM_ENVELOPED_DATA } else { oid::ENVELOPED_DATA };
            (outer, write::sequence(&[&version, &infos, &encrypted_content_info]))
        };
        Ok(write::sequence(&[&write::oid(&outer), &write::explicit(0, &enveloped)]))
    }

    fn admit(&self) -> Result<(), EncryptError> {
        let limit = Limits::default().recipient_infos;
        match self.recipients.len() {
            0 => return Err(EncryptError::NoRecipient),
            found if found > limit => return Err(EncryptError::TooManyRecipients { found, limit }),
            _ => {}
        }
        if self.cipher == ContentCipher::Aes192Cbc {
            return Err(EncryptError::ReadOnlyCipher { cipher: self.cipher });
        }
        if self.form == Form::Gbt35275 {
            if self.cipher != ContentCipher::Sm4Cbc {
                return Err(EncryptError::Form { why: "its content cipher has to be SM4-CBC" });
            }
            if self.recipients.iter().any(|(_, transport)| *transport != Transport::Sm2) {
                return Err(EncryptError::Form { why: "only SM2 recipients have a place in it" });
            }
        }
        for (index, (certificate, transport)) in self.recipients.iter().enumerate() {
            usable_for_encryption(certificate, self.at, self.single_usage)
                .map_err(|why| EncryptError::Certificate { index, why })?;
            if !transport.fits(certificate) {
                return Err(EncryptError::TransportMismatch { index, transport: *transport });
            }
        }
        Ok(())
    }
}

/// A content key that no defective source made all zero.
fn fresh_key(size: usize, rng: &dyn Rng) -> Result<Zeroizing<Vec<u8>>, EncryptError> {
    let mut key = Zeroizing::new(vec![0; size]);
    rng.fill(&mut key).map_err(|_| EncryptError::Rng)?;
    if key.iter().fold(0, |sum, octet| sum | octet) == 0 {
        return Err(EncryptError::Rng);
    }
    Ok(key)
}
