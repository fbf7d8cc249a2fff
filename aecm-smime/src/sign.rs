//! Writing SignedData: one strict DER form of RFC 5652 and one of GB/T 35275, always with signed attributes.
//!
//! The private key stays outside: [`SignedMessage::prepare`] says which octets each signer has to sign,
//! [`Prepared::finish`] takes the signature values (and refuses one that does not verify), and the
//! [`SignedDraft`] takes unsigned attributes, such as a timestamp token over [`SignedDraft::signature`],
//! before [`SignedDraft::to_der`] writes the ContentInfo. [`sign`] does the three for handles that are at hand.
//!
//! ```
//! # use std::sync::Arc;
//! use aecm_core::{digest::DigestAlgorithm, signature::SignatureAlgorithm};
//! use aecm_smime::sign::{SignError, SignedMessage};
//!
//! // Nobody named to sign it: refused, never a SignedData without signers by accident.
//! assert!(matches!(SignedMessage::new(b"Hello\r\n").prepare(), Err(SignError::NoSigner)));
//! ```

mod attributes;
mod draft;
mod error;
mod prepare;
mod usage;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use aecm_core::certificate::Certificate;
use aecm_core::key::Signer;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::signature::SignatureAlgorithm;
use aecm_core::time::Time;

use crate::cms::Form;

pub(crate) use self::attributes::issuer_and_serial;
pub use self::attributes::smime_capabilities;
pub use self::draft::SignedDraft;
pub use self::error::SignError;
pub use self::prepare::Prepared;

/// A certificate with its path and the handle of its private key.
#[derive(Clone)]
pub struct SigningIdentity {
    /// The signer's certificate.
    pub certificate: Certificate,
    /// The issuing certificates to send along, without the anchor where it is known to be there.
    pub chain: Vec<Certificate>,
    /// The private key.
    pub signer: Arc<dyn Signer>,
}

impl fmt::Debug for SigningIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningIdentity")
            .field("certificate", &self.certificate)
            .field("chain", &self.chain.len())
            .finish_non_exhaustive()
    }
}

/// What a signer says beside the content.
///
/// contentType, messageDigest, CMSAlgorithmProtection and signingCertificateV2 are always written and need
/// no entry here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignerAttributes {
    /// signingTime (RFC 5652 §11.3): a claim, proven only by a timestamp. None leaves it out.
    pub signing_time: Option<Time>,
    /// The DER of an SMIMECapabilities value (RFC 8551 §2.5.2). None leaves the attribute out.
    pub smime_capabilities: Option<Vec<u8>>,
    /// More signed attributes: type and the DER of the values, at least one.
    pub extra: Vec<(ObjectIdentifier, Vec<Vec<u8>>)>,
}

/// Content that is going to be signed, by whom and in which form.
///
/// ```text
/// SignedData ::= SEQUENCE {
///   version          INTEGER,                        -- 1; 3 where eContentType is not data
///   digestAlgorithms SET OF DigestAlgorithmIdentifier,
///   encapContentInfo SEQUENCE { eContentType OBJECT IDENTIFIER, eContent [0] EXPLICIT OCTET STRING OPTIONAL },
///   certificates     [0] IMPLICIT SET OF Certificate,
///   signerInfos      SET OF SignerInfo }
/// ```
/// RFC 5652 §5.1; GB/T 35275 §8 has the same shape with version 1 and content types of its own.
#[derive(Clone, Debug)]
pub struct SignedMessage<'a> {
    content: Cow<'a, [u8]>,
    content_type: ObjectIdentifier,
    detached: bool,
    form: Form,
    single_usage: bool,
    signers: Vec<PlannedSigner>,
    attributes: SignerAttributes,
    certificates: Vec<Certificate>,
}

/// One SignerInfo to be.
#[derive(Clone, Debug)]
struct PlannedSigner {
    certificate: Certificate,
    chain: Vec<Certificate>,
    algorithm: SignatureAlgorithm,
    attributes: SignerAttributes,
}

impl<'a> SignedMessage<'a> {
    /// Content of type `data`, carried inside (attached), in the form of RFC 5652, with nobody signing yet.
    ///
    /// The octets are signed as they stand: a MIME entity has to be canonical already
    /// ([`crate::mime`] writes it so).
    #[must_use]
    pub fn new(content: &'a [u8]) -> Self {
        Self {
            content: Cow::Borrowed(content),
            content_type: oid::DATA,
            detached: false,
            form: Form::Rfc5652,
            single_usage: false,
            signers: Vec::new(),
            attributes: SignerAttributes::default(),
            certificates: Vec::new(),
        }
    }

    /// The eContentType, `data` unless set. In GB/T 35275 form `data` is written as 1.2.156.10197.6.1.4.2.1.
    #[must_use]
    pub const fn content_type(mut self, content_type: ObjectIdentifier) -> Self {
        self.content_type = content_type;
        self
    }

    /// Whether the content stays outside (multipart/signed) instead of inside.
    #[must_use]
    pub const fn detached(mut self, detached: bool) -> Self {
        self.detached = detached;
        self
    }

    /// The wire form. GB/T 35275 takes SM2 signers only.
    #[must_use]
    pub const fn form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    /// Whether to refuse a certificate whose key usage also allows encryption (AECM's rule of one usage for
    /// a certificate). Off by default: certificates bought elsewhere often have both.
    #[must_use]
    pub const fn single_usage(mut self, single_usage: bool) -> Self {
        self.single_usage = single_usage;
        self
    }

    /// Adds a signer. Several sign in parallel, each the same content.
    #[must_use]
    pub fn signer(
        mut self,
        certificate: &Certificate,
        chain: Vec<Certificate>,
        algorithm: SignatureAlgorithm,
        attributes: SignerAttributes,
    ) -> Self {
        let certificate = certificate.clone();
        self.signers.push(PlannedSigner { certificate, chain, algorithm, attributes });
        self
    }

    /// The attributes of the signers that [`sign`] adds.
    #[must_use]
    pub fn attributes(mut self, attributes: SignerAttributes) -> Self {
        self.attributes = attributes;
        self
    }

    /// Certificates to send along beside those of the signers, such as the sender's encryption certificates.
    #[must_use]
    pub fn certificates(mut self, certificates: impl IntoIterator<Item = Certificate>) -> Self {
        self.certificates.extend(certificates);
        self
    }
}

/// Signs with handles that are at hand.
///
/// Where the message names no signers yet, every identity is added with its key's preferred algorithm and
/// the message's [`SignedMessage::attributes`]; where it does, the identities must be theirs, in that order.
///
/// # Errors
/// As [`SignedMessage::prepare`] and [`Prepared::finish`]; [`SignError::Key`] when a key does not sign,
/// [`SignError::IdentityMismatch`] when the identities are not those of the named signers.
///
/// # Cancel safety
/// Dropping the future loses nothing but the signatures made so far.
pub async fn sign(
    mut message: SignedMessage<'_>,
    identities: &[&SigningIdentity],
) -> Result<SignedDraft, SignError> {
    if message.signers.is_empty() {
        for identity in identities {
            let attributes = message.attributes.clone();
            let algorithm = identity.signer.algorithm();
            message = message.signer(&identity.certificate, identity.chain.clone(), algorithm, attributes);
        }
    }
    if message.signers.len() != identities.len() {
        return Err(SignError::IdentityMismatch { index: message.signers.len().min(identities.len()) });
    }
    let algorithms: Vec<_> = message.signers.iter().map(|signer| signer.algorithm).collect();
    for (index, (planned, identity)) in message.signers.iter().zip(identities).enumerate() {
        let key_fits = identity.certificate.public_key() == Some(identity.signer.public_key());
        if planned.certificate != identity.certificate || !key_fits {
            return Err(SignError::IdentityMismatch { index });
        }
    }
    let prepared = message.prepare()?;
    let mut signatures = Vec::with_capacity(identities.len());
    for (index, (identity, algorithm)) in identities.iter().zip(algorithms).enumerate() {
        let signature = identity.signer.sign(algorithm, prepared.octets(index)).await;
        signatures.push(signature.map_err(|source| SignError::Key { index, source })?);
    }
    prepared.finish(signatures)
}
