//! The envelope around a key package: AuthEnvelopedData (RFC 5083) to a bare public key.

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

use super::TransferError;
use crate::error::Error;

/// The content cipher for a key: SM4-GCM for SM2, AES-256-GCM for RSA; none for other keys.
const fn cipher_for(kind: KeyKind) -> Option<ContentCipher> {
    match kind {
        KeyKind::Sm2 => Some(ContentCipher::Sm4Gcm),
        KeyKind::Rsa { .. } => Some(ContentCipher::Aes256Gcm),
        _ => None,
    }
}

/// keyEncryptionAlgorithm for a key, in the one form that is written and read.
///
/// ```text
/// RSAES-OAEP-params ::= SEQUENCE { hashFunc [0] AlgorithmIdentifier, maskGenFunc [1] AlgorithmIdentifier }
/// ```
fn transport_algorithm(kind: KeyKind) -> Vec<u8> {
    if kind == KeyKind::Sm2 {
        return write::algorithm(&oid::SM2_ENCRYPT, None);
    }
    // RFC 4055 §2.1: SHA-2 identifiers inside OAEP parameters carry NULL.
    let sha256 = write::algorithm(&oid::SHA256, Some(&write::null()));
    let mgf1 = write::algorithm(&oid::MGF1, Some(&sha256));
    let parameters = write::sequence(&[&write::explicit(0, &sha256), &write::explicit(1, &mgf1)]);
    write::algorithm(&oid::RSAES_OAEP, Some(&parameters))
}

/// Encrypts a key package to `recipient`, SM2 or RSA.
///
/// ```text
/// AuthEnvelopedData ::= SEQUENCE {                        -- RFC 5083 §2.1
///   version 0,
///   recipientInfos SET OF KeyTransRecipientInfo,          -- one, version 2, rid [0] subjectKeyIdentifier
///   authEncryptedContentInfo EncryptedContentInfo,        -- id-ct-KP-aKeyPackage; SM4-GCM or AES-256-GCM
///   authAttrs [1] IMPLICIT SET OF Attribute,              -- contentType, because the content is not data
///   mac OCTET STRING }
/// ```
pub(super) fn seal(package: &[u8], recipient: &PublicKey, rng: &dyn Rng) -> Result<Vec<u8>, Error> {
    const UNSUPPORTED: TransferError =
        TransferError::Malformed { what: "the transport key is neither SM2 nor RSA" };
    let cipher = cipher_for(recipient.kind()).ok_or(UNSUPPORTED)?;
    let no_randomness = |_| aecm_store::StoreError::Rng;
    let mut key = Zeroizing::new(vec![0; cipher.key_size()]);
    let mut nonce = vec![0; cipher.nonce_size()];
    rng.fill(&mut key).map_err(no_randomness)?;
    rng.fill(&mut nonce).map_err(no_randomness)?;
    let encrypted_key = match recipient.kind() {
        KeyKind::Sm2 => recipient.encrypt_sm2_der(&key, rng),
        _ => recipient.encrypt_rsa_oaep(DigestAlgorithm::Sha256, &key, rng),
    }
    .map_err(|_| UNSUPPORTED)?;
    let info = write::sequence(&[
        &write::small(2),
        &write::tlv(Tag::context_primitive(0), &recipient.key_identifier()),
        &transport_algorithm(recipient.kind()),
        &write::octet_string(&encrypted_key),
    ]);
    let content_type = write::oid(&oid::ASYMMETRIC_KEY_PACKAGE);
    let attribute =
        write::sequence(&[&write::oid(&oid::CONTENT_TYPE), &write::set_of(vec![content_type.clone()])]);
    // RFC 5083 §2.2: under the tag with the tag of SET OF, on the wire with [1].
    let additional_data = write::set_of(vec![attribute.clone()]);
    let sealed = cipher
        .seal(&key, &nonce, &additional_data, package)
        .map_err(|_| TransferError::TooLarge { limit: package.len() })?;
    let encrypted = write::sequence(&[
        &content_type,
        &cipher.identifier_der(&nonce),
        &write::tlv(Tag::context_primitive(0), &sealed.ciphertext),
    ]);
    Ok(write::sequence(&[
        &write::small(0),
        &write::set_of(vec![info]),
        &encrypted,
        &write::tlv(Tag::context(1), &attribute),
        &write::octet_string(&sealed.tag),
    ]))
}

/// Opens what [`seal`] wrote, with the key it was written to. Every cryptographic failure is the one
/// [`TransferError::Decrypt`].
pub(super) async fn open(
    enveloped: &[u8],
    key: &dyn Decryptor,
    limits: &Limits,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let malformed = |what| TransferError::Malformed { what };
    let info = write::sequence(&[&write::oid(&oid::AUTH_ENVELOPED_DATA), &write::explicit(0, enveloped)]);
    let message = Enveloped::parse(&info, limits).map_err(|_| malformed("it is not AuthEnvelopedData"))?;
    if message.content_type() != oid::ASYMMETRIC_KEY_PACKAGE {
        return Err(malformed("the envelope does not hold a key package").into());
    }
    check_attributes(&message, limits)
        .ok_or(malformed("the envelope's authenticated attributes are wrong"))?;
    let [RecipientInfo::KeyTransport { rid, algorithm, encrypted_key }] = message.recipients() else {
        return Err(malformed("the envelope has not exactly one recipient").into());
    };
    let own = key.public_key();
    let named = matches!(rid, Identifier::SubjectKeyIdentifier(id) if **id == own.key_identifier());
    let cipher = ContentCipher::from_oid(&message.cipher().oid);
    let (Some(cipher), true) = (cipher.filter(|_| cipher == cipher_for(own.kind())), named) else {
        return Err(TransferError::Decrypt.into());
    };
    let written = write::algorithm(&algorithm.oid, algorithm.parameters);
    if written != transport_algorithm(own.kind()) {
        return Err(malformed("the key transport is not OAEP with SHA-256, or SM2").into());
    }
    let parameters = match own.kind() {
        KeyKind::Sm2 => RecipientParameters::Sm2 { form: CiphertextForm::Der },
        _ => RecipientParameters::RsaOaep {
            digest: DigestAlgorithm::Sha256,
            mgf_digest: DigestAlgorithm::Sha256,
            label: &[],
        },
    };
    let nonce =
        nonce(message.cipher().parameters, limits).ok_or(malformed("the nonce or tag length is wrong"))?;
    if message.mac().len() != GCM_TAG_SIZE {
        return Err(malformed("the nonce or tag length is wrong").into());
    }
    let ciphertext = message.ciphertext().ok_or(malformed("the envelope is empty"))?;
    let content_key = key
        .unwrap_key(&parameters, encrypted_key, cipher.key_size())
        .await
        .map_err(aecm_store::StoreError::from)?;
    let opened = cipher.open(&content_key, &nonce, &message.additional_data(), ciphertext, message.mac());
    Ok(opened.map_err(|_| TransferError::Decrypt)?)
}

/// contentType is there once and is that of the content (RFC 5083 §2.1).
fn check_attributes(message: &Enveloped<'_>, limits: &Limits) -> Option<()> {
    let mut types = message.attributes().iter().filter(|attribute| attribute.is(&oid::CONTENT_TYPE));
    let value = types.next()?.single()?;
    let mut reader = Reader::new(value, Rules::Der, limits);
    let same = reader.oid().ok()? == message.content_type();
    reader.finish().ok()?;
    (same && types.next().is_none()).then_some(())
}

/// ```text
/// GCMParameters ::= SEQUENCE { aes-nonce OCTET STRING (SIZE (12)), aes-ICVlen INTEGER (16) }
/// ```
fn nonce(parameters: Option<&[u8]>, limits: &Limits) -> Option<Vec<u8>> {
    let mut reader = Reader::new(parameters?, Rules::Der, limits);
    let mut fields = reader.sequence().ok()?;
    reader.finish().ok()?;
    let nonce = fields.octet_string().ok()?.into_owned();
    let tag = fields.small().ok()?;
    fields.finish().ok()?;
    (tag == 16).then_some(nonce)
}
