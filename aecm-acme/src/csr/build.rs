//! Making requests.

use aecm_core::key::{Decryptor, Signer};
use aecm_core::mailbox::Mailbox;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::public_key::PublicKey;
use aecm_core::signature::SignatureAlgorithm;
use aecm_core::suite::Purpose;
use aecm_core::tlv::{Tag, write};

use super::{CsrError, asked_usage};

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    mailbox: Mailbox,
    purpose: Purpose,
    common_name: bool,
}

impl Template {
    /// A certificate of that one purpose for `mailbox`, the subject left empty.
    #[must_use]
    pub fn new(mailbox: &Mailbox, purpose: Purpose) -> Self {
        Self { mailbox: mailbox.clone(), purpose, common_name: false }
    }

    /// Puts the mailbox into the subject's common name too, for CAs that do not take an empty subject.
    #[must_use]
    pub const fn common_name(mut self, wanted: bool) -> Self {
        self.common_name = wanted;
        self
    }

    /// The CertificationRequestInfo for `key`: the octets to be signed.
    #[must_use]
    pub fn info(&self, key: &PublicKey) -> Vec<u8> {
        let usage = asked_usage(self.purpose, key.kind());
        let extended = match self.purpose {
            Purpose::Sign | Purpose::Encrypt => oid::EMAIL_PROTECTION,
            Purpose::Timestamp => oid::TIME_STAMPING,
        };
        let extensions = write::sequence(&[
            // RFC 5280 §4.2.1.6: critical where the subject is empty.
            &extension(&oid::SUBJECT_ALT_NAME, !self.common_name, &write::sequence(&[&self.name()])),
            &extension(&oid::KEY_USAGE, true, &usage.to_der()),
            &extension(&oid::EXT_KEY_USAGE, false, &write::sequence(&[&write::oid(&extended)])),
        ]);
        let request =
            write::sequence(&[&write::oid(&oid::EXTENSION_REQUEST), &write::set_of(vec![extensions])]);
        write::sequence(&[
            &write::small(0),
            &self.subject(),
            key.spki_der(),
            &write::tlv(Tag::context(0), &request),
        ])
    }

    /// Signs the request with a signing or timestamping key.
    ///
    /// # Errors
    /// [`CsrError::Signer`] when the key does not sign.
    pub async fn sign(&self, key: &dyn Signer) -> Result<Vec<u8>, CsrError> {
        let info = self.info(key.public_key());
        let algorithm = key.algorithm();
        let signature = key.sign(algorithm, &info).await.map_err(CsrError::Signer)?;
        Ok(assemble(&info, algorithm, &signature))
    }

    /// Proves possession of an encrypting key, which signs nothing else (STANDARDS A18).
    ///
    /// # Errors
    /// [`CsrError::UnsupportedKey`] when the purpose is not to encrypt, [`CsrError::Signer`] when the key fails.
    pub async fn prove(&self, key: &dyn Decryptor) -> Result<Vec<u8>, CsrError> {
        if self.purpose != Purpose::Encrypt {
            return Err(CsrError::UnsupportedKey);
        }
        let info = self.info(key.public_key());
        let signature = key.prove_possession(&info).await.map_err(CsrError::Signer)?;
        Ok(assemble(&info, key.proof_algorithm(), &signature))
    }

    fn subject(&self) -> Vec<u8> {
        if !self.common_name {
            return write::sequence(&[]);
        }
        let attribute =
            write::sequence(&[&write::oid(&oid::COMMON_NAME), &write::utf8(self.mailbox.as_str())]);
        write::sequence(&[&write::set_of(vec![attribute])])
    }

    /// rfc822Name with an ASCII domain; SmtpUTF8Mailbox where the local part is not ASCII (RFC 9598 §3).
    fn name(&self) -> Vec<u8> {
        let text = self.mailbox.as_str();
        if self.mailbox.local().is_ascii() {
            let local = text.strip_suffix(self.mailbox.domain()).unwrap_or_default();
            let name = format!("{local}{}", self.mailbox.ascii_domain());
            write::tlv(Tag::context_primitive(1), name.as_bytes())
        } else {
            let value = write::explicit(0, &write::utf8(text));
            write::tlv(Tag::context(0), &[write::oid(&oid::SMTP_UTF8_MAILBOX), value].concat())
        }
    }
}

fn assemble(info: &[u8], algorithm: SignatureAlgorithm, signature: &[u8]) -> Vec<u8> {
    write::sequence(&[info, &algorithm.identifier_der(), &write::bit_string(signature)])
}

fn extension(oid: &ObjectIdentifier, critical: bool, value: &[u8]) -> Vec<u8> {
    let (oid, value) = (write::oid(oid), write::octet_string(value));
    if critical {
        write::sequence(&[&oid, &write::boolean(true), &value])
    } else {
        write::sequence(&[&oid, &value])
    }
}
