//! The envelope around a key package: AuthEnvelopedData (RFC 5083) for one bare public key.
//!
//! ```text
//! AuthEnvelopedData ::= SEQUENCE {
//!   version 0,
//!   recipientInfos SET OF KeyTransRecipientInfo,     -- one, version 2, rid [0] subjectKeyIdentifier
//!   authEncryptedContentInfo EncryptedContentInfo,   -- id-ct-KP-aKeyPackage; SM4-GCM or AES-256-GCM
//!   authAttrs [1] IMPLICIT SET OF Attribute,         -- contentType, for the content is not data
//!   mac OCTET STRING }
//! ```

use aecm_core::digest::DigestAlgorithm;
use aecm_core::embed::Rng;
use aecm_core::key::{Decryptor, RecipientParameters};
use aecm_core::limits::Limits;
use aecm_core::oid;
use aecm_core::public_key::{KeyKind, PublicKey};
use aecm_core::tlv::{Reader, Rules, Tag, write};
use aecm_sm::sm2::CiphertextForm;
use aecm_smime::cipher::{ContentCipher, GCM_TAG_SIZE};
use aecm_smime::cms::{Enveloped, Identifier, RecipientInfo};
use zeroize::Zeroizing;

/// Why an envelope was not made or opened. All that a private key does wrong is one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EnvelopeError {
    /// The key is neither SM2 nor RSA.
    Key,
    /// The random source failed.
    Rng,
    /// It is not built as it has to be.
    Malformed(&'static str),
    /// It does not open.
    Decrypt,
}

impl core::fmt::Display for EnvelopeError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Key => f.write_str("keys are sent to SM2 and RSA keys only"),
            Self::Rng => f.write_str("the random number source failed"),
            Self::Malformed(what) => {
                write!(f, "the envelope is not AuthEnvelopedData as it has to be: {what}")
            }
            Self::Decrypt => f.write_str("the envelope does not open with the escrow's key"),
        }
    }
}

const fn cipher_for(kind: KeyKind) -> Option<ContentCipher> {
    match kind {
        KeyKind::Sm2 => Some(ContentCipher::Sm4Gcm),
        KeyKind::Rsa { .. } => Some(ContentCipher::Aes256Gcm),
        _ => None,
    }
}

/// keyEncryptionAlgorithm: OAEP with SHA-256 twice (RFC 4055 §2.1: with NULL), or SM2.
fn transport(kind: KeyKind) -> Vec<u8> {
    if kind == KeyKind::Sm2 {
        return write::algorithm(&oid::SM2_ENCRYPT, None);
    }
    let sha256 = write::algorithm(&oid::SHA256, Some(&write::null()));
    let mask = write::algorithm(&oid::MGF1, Some(&sha256));
    let parameters = write::sequence(&[&write::explicit(0, &sha256), &write::explicit(1, &mask)]);
    write::algorithm(&oid::RSAES_OAEP, Some(&parameters))
}

/// Encrypts a key package to a key.
pub(crate) fn seal(package: &[u8], to: &PublicKey, rng: &dyn Rng) -> Result<Vec<u8>, EnvelopeError> {
    let cipher = cipher_for(to.kind()).ok_or(EnvelopeError::Key)?;
    let mut key = Zeroizing::new(vec![0; cipher.key_size()]);
    let mut nonce = vec![0; cipher.nonce_size()];
    rng.fill(&mut key).map_err(|_| EnvelopeError::Rng)?;
    rng.fill(&mut nonce).map_err(|_| EnvelopeError::Rng)?;
    let wrapped = match to.kind() {
        KeyKind::Sm2 => to.encrypt_sm2_der(&key, rng),
        _ => to.encrypt_rsa_oaep(DigestAlgorithm::Sha256, &key, rng),
    };
    let wrapped = wrapped.map_err(|_| EnvelopeError::Key)?;
    let recipient = write::sequence(&[
        &write::small(2),
        &write::tlv(Tag::context_primitive(0), &to.key_identifier()),
        &transport(to.kind()),
        &write::octet_string(&wrapped),
    ]);
    let content_type = write::oid(&oid::ASYMMETRIC_KEY_PACKAGE);
    let attribute =
        write::sequence(&[&write::oid(&oid::CONTENT_TYPE), &write::set_of(vec![content_type.clone()])]);
    // Authenticated with the tag of SET OF, written with [1] (RFC 5083 §2.2).
    let authenticated = write::set_of(vec![attribute.clone()]);
    let sealed = cipher
        .seal(&key, &nonce, &authenticated, package)
        .map_err(|_| EnvelopeError::Malformed("the package is too long"))?;
    let content = write::sequence(&[
        &content_type,
        &cipher.identifier_der(&nonce),
        &write::tlv(Tag::context_primitive(0), &sealed.ciphertext),
    ]);
    Ok(write::sequence(&[
        &write::small(0),
        &write::set_of(vec![recipient]),
        &content,
        &write::tlv(Tag::context(1), &attribute),
        &write::octet_string(&sealed.tag),
    ]))
}

/// Opens what was written to this key in that form, and no other.
pub(crate) async fn open(
    envelope: &[u8],
    key: &dyn Decryptor,
    limits: &Limits,
) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
    use EnvelopeError::Malformed;
    let whole = write::sequence(&[&write::oid(&oid::AUTH_ENVELOPED_DATA), &write::explicit(0, envelope)]);
    let message = Enveloped::parse(&whole, limits).map_err(|_| Malformed("it does not parse"))?;
    if message.content_type() != oid::ASYMMETRIC_KEY_PACKAGE {
        return Err(Malformed("its content is no key package"));
    }
    content_type_attribute(&message, limits)
        .ok_or(Malformed("its contentType attribute is missing or wrong"))?;
    let [RecipientInfo::KeyTransport { rid, algorithm, encrypted_key }] = message.recipients() else {
        return Err(Malformed("it has not exactly one recipient of key transport"));
    };
    let own = key.public_key();
    if !matches!(rid, Identifier::SubjectKeyIdentifier(id) if **id == own.key_identifier()) {
        return Err(EnvelopeError::Decrypt);
    }
    let cipher = cipher_for(own.kind()).ok_or(EnvelopeError::Key)?;
    if message.cipher().oid != cipher.oid() {
        return Err(Malformed("its cipher is not SM4-GCM for SM2, AES-256-GCM for RSA"));
    }
    if write::algorithm(&algorithm.oid, algorithm.parameters) != transport(own.kind()) {
        return Err(Malformed("its key transport is not OAEP with SHA-256, or SM2"));
    }
    let nonce = nonce(message.cipher().parameters, limits).ok_or(Malformed("its nonce or tag length"))?;
    let ciphertext = message.ciphertext().ok_or(Malformed("it is empty"))?;
    if message.mac().len() != GCM_TAG_SIZE {
        return Err(Malformed("its tag has not 16 octets"));
    }
    let parameters = match own.kind() {
        KeyKind::Sm2 => RecipientParameters::Sm2 { form: CiphertextForm::Der },
        _ => RecipientParameters::RsaOaep {
            digest: DigestAlgorithm::Sha256,
            mgf_digest: DigestAlgorithm::Sha256,
            label: &[],
        },
    };
    let unwrapped = key.unwrap_key(&parameters, encrypted_key, cipher.key_size()).await;
    let unwrapped = unwrapped.map_err(|_| EnvelopeError::Decrypt)?;
    let additional = message.additional_data();
    cipher
        .open(&unwrapped, &nonce, &additional, ciphertext, message.mac())
        .map_err(|_| EnvelopeError::Decrypt)
}

/// contentType is there once, and that of the content (RFC 5083 §2.1).
fn content_type_attribute(message: &Enveloped<'_>, limits: &Limits) -> Option<()> {
    let mut all = message.attributes().iter().filter(|attribute| attribute.oid == Some(oid::CONTENT_TYPE));
    let mut reader = Reader::new(all.next()?.single()?, Rules::Der, limits);
    let named = reader.oid().ok()?;
    reader.finish().ok()?;
    (named == message.content_type() && all.next().is_none()).then_some(())
}

/// `GCMParameters ::= SEQUENCE { aes-nonce OCTET STRING (SIZE (12)), aes-ICVlen INTEGER (16) }` (RFC 5084 §3.2).
fn nonce(parameters: Option<&[u8]>, limits: &Limits) -> Option<Vec<u8>> {
    let mut outer = Reader::new(parameters?, Rules::Der, limits);
    let mut fields = outer.sequence().ok()?;
    outer.finish().ok()?;
    let nonce = fields.octet_string().ok()?.into_owned();
    let tag = fields.small().ok()?;
    fields.finish().ok()?;
    (tag == 16 && nonce.len() == 12).then_some(nonce)
}
