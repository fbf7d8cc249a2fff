//! From a plan to the octets that have to be signed.

use aecm_core::certificate::Certificate;
use aecm_core::digest::DigestAlgorithm;
use aecm_core::limits::Limits;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::public_key::PublicKey;
use aecm_core::signature::{SignatureAlgorithm, Sm2Id};
use aecm_core::tlv::write;

use super::attributes::{self, Parts, issuer_and_serial, retag};
use super::draft::{DraftSigner, SignedDraft};
use super::{PlannedSigner, SignError, SignedMessage, usage};
use crate::cms::Form;

/// A message whose signed attributes are fixed; only the signature values are missing.
#[derive(Clone, Debug)]
pub struct Prepared {
    form: Form,
    version: u64,
    content_type: ObjectIdentifier,
    content: Option<Vec<u8>>,
    certificates: Vec<Vec<u8>>,
    signers: Vec<PreparedSigner>,
}

#[derive(Clone, Debug)]
struct PreparedSigner {
    public_key: PublicKey,
    algorithm: SignatureAlgorithm,
    identifier: Vec<u8>,
    digest_identifier: Vec<u8>,
    signature_identifier: Vec<u8>,
    /// The SET OF that is signed.
    signed_attributes: Vec<u8>,
}

impl SignedMessage<'_> {
    /// Fixes everything but the signature values.
    ///
    /// # Errors
    /// [`SignError`] for a message without signers or with too many, a certificate that may not sign this,
    /// an algorithm that is not its key's, a form that cannot hold the signer, an attribute that may not be
    /// added.
    pub fn prepare(self) -> Result<Prepared, SignError> {
        let limit = Limits::default().signer_infos;
        match self.signers.len() {
            0 => return Err(SignError::NoSigner),
            found if found > limit => return Err(SignError::TooManySigners { found, limit }),
            _ => {}
        }
        let content_type = written_content_type(self.form, self.content_type)?;
        let mut digests: Vec<(DigestAlgorithm, Vec<u8>)> = Vec::new();
        let mut signers = Vec::with_capacity(self.signers.len());
        let mut certificates: Vec<&Certificate> = self.certificates.iter().collect();
        for (index, planned) in self.signers.iter().enumerate() {
            let public_key = self.admit(index, planned)?;
            let digest = planned.algorithm.digest();
            let content_digest = match digests.iter().find(|(known, _)| *known == digest) {
                Some((_, value)) => value.clone(),
                None => {
                    let value = digest.digest(&self.content);
                    digests.push((digest, value.clone()));
                    value
                }
            };
            let digest_identifier = digest.identifier_der();
            let signature_identifier = signature_identifier(self.form, planned.algorithm);
            let signed_attributes = attributes::signed_attributes(&Parts {
                index,
                content_type: &content_type,
                content_digest: &content_digest,
                certificate: &planned.certificate,
                algorithm: planned.algorithm,
                digest_identifier: &digest_identifier,
                signature_identifier: &signature_identifier,
                attributes: &planned.attributes,
            })?;
            certificates.push(&planned.certificate);
            certificates.extend(&planned.chain);
            signers.push(PreparedSigner {
                public_key,
                algorithm: planned.algorithm,
                identifier: issuer_and_serial(&planned.certificate),
                digest_identifier,
                signature_identifier,
                signed_attributes,
            });
        }
        let mut certificates: Vec<Vec<u8>> =
            certificates.into_iter().map(|certificate| certificate.as_der().to_vec()).collect();
        certificates.sort();
        certificates.dedup();
        Ok(Prepared {
            form: self.form,
            version: if self.form == Form::Rfc5652 && content_type != oid::DATA { 3 } else { 1 },
            content_type,
            content: (!self.detached).then(|| self.content.into_owned()),
            certificates,
            signers,
        })
    }

    /// The signer's public key, when the signer may sign this message.
    fn admit(&self, index: usize, planned: &PlannedSigner) -> Result<PublicKey, SignError> {
        let Some(public_key) = planned.certificate.public_key() else {
            return Err(SignError::UnsupportedKey { index });
        };
        // SHA-1 is read at most, never written.
        let weak = planned.algorithm.digest().is_weak();
        if weak || !planned.algorithm.fits(public_key.kind()) {
            return Err(SignError::AlgorithmMismatch { index });
        }
        if self.form == Form::Gbt35275 && planned.algorithm != SignatureAlgorithm::Sm2Sm3 {
            return Err(SignError::Form { why: "only SM2 signers have a place in it" });
        }
        match usage::refusal(&planned.certificate, &self.content_type, self.single_usage) {
            Some(why) => Err(SignError::CertificateUsage { index, why }),
            None => Ok(public_key.clone()),
        }
    }
}

impl Prepared {
    /// How many signers there are.
    #[must_use]
    pub fn signers(&self) -> usize {
        self.signers.len()
    }

    /// The octets signer `index` (from 0) has to sign: the DER of its signed attributes as SET OF. Empty
    /// where there is no such signer; [`Prepared::finish`] takes no signature over that.
    #[must_use]
    pub fn octets(&self, index: usize) -> &[u8] {
        self.signers.get(index).map_or(&[], |signer| signer.signed_attributes.as_slice())
    }

    /// The algorithm signer `index` has to sign with.
    #[must_use]
    pub fn algorithm(&self, index: usize) -> Option<SignatureAlgorithm> {
        self.signers.get(index).map(|signer| signer.algorithm)
    }

    /// Takes the signature values, one for each signer in order: RSA the octets of RFC 8017, ECDSA and SM2
    /// the DER SEQUENCE of two INTEGERs.
    ///
    /// # Errors
    /// [`SignError::SignatureCount`], and [`SignError::SignatureDoesNotVerify`] for a value that does not
    /// verify under the signer's certificate: a wrong key or a fault is caught here, not by the reader.
    pub fn finish(self, signatures: Vec<Vec<u8>>) -> Result<SignedDraft, SignError> {
        if signatures.len() != self.signers.len() {
            return Err(SignError::SignatureCount { expected: self.signers.len(), found: signatures.len() });
        }
        let mut signers = Vec::with_capacity(signatures.len());
        for (index, (signer, signature)) in self.signers.into_iter().zip(signatures).enumerate() {
            let octets = &signer.signed_attributes;
            let verified = signer.public_key.verify(signer.algorithm, Sm2Id::Default, octets, &signature);
            verified.map_err(|_| SignError::SignatureDoesNotVerify { index })?;
            signers.push(DraftSigner {
                identifier: signer.identifier,
                digest_identifier: signer.digest_identifier,
                // RFC 5652 §5.3: [0] IMPLICIT on the wire, SET OF under the signature.
                signed_attributes: retag(&signer.signed_attributes, 0xa0),
                signature_identifier: signer.signature_identifier,
                signature,
                unsigned_attributes: Vec::new(),
            });
        }
        Ok(SignedDraft {
            form: self.form,
            version: self.version,
            content_type: self.content_type,
            content: self.content,
            certificates: self.certificates,
            signers,
        })
    }
}

/// The eContentType as the form writes it.
fn written_content_type(form: Form, asked: ObjectIdentifier) -> Result<ObjectIdentifier, SignError> {
    match form {
        Form::Gbt35275 if asked == oid::DATA || asked == oid::GM_DATA => Ok(oid::GM_DATA),
        Form::Gbt35275 => Err(SignError::Form { why: "its content has to be data" }),
        _ => Ok(asked),
    }
}

/// A9: SM2 is .501 in RFC 5652 form and .301.1 in GB/T 35275 form, both without parameters.
fn signature_identifier(form: Form, algorithm: SignatureAlgorithm) -> Vec<u8> {
    if form == Form::Gbt35275 { write::algorithm(&oid::SM2_SIGN, None) } else { algorithm.identifier_der() }
}
