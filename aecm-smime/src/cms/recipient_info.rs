//! RecipientInfo: how the content key travels to one recipient, or to several.

use std::borrow::Cow;

use aecm_core::limits::Limits;
use aecm_core::tlv::{AlgorithmId, Reader, Tag, Tlv, TlvErrorKind};

use crate::cms::attribute::sequence_of;
use crate::cms::elements;
use crate::cms::identifier::Identifier;
use crate::error::{At, Error};

/// One RecipientInfo (RFC 5652 §6.2). What is not known here is kept as received.
///
/// ```text
/// RecipientInfo ::= CHOICE {
///   ktri KeyTransRecipientInfo, kari [1] KeyAgreeRecipientInfo, kekri [2] KEKRecipientInfo,
///   pwri [3] PasswordRecipientInfo, ori [4] OtherRecipientInfo }
/// KeyTransRecipientInfo ::= SEQUENCE {
///   version CMSVersion, rid RecipientIdentifier, keyEncryptionAlgorithm AlgorithmIdentifier,
///   encryptedKey OCTET STRING }
/// KEKRecipientInfo ::= SEQUENCE {
///   version CMSVersion, kekid KEKIdentifier, keyEncryptionAlgorithm AlgorithmIdentifier,
///   encryptedKey OCTET STRING }
/// KEKIdentifier ::= SEQUENCE {
///   keyIdentifier OCTET STRING, date GeneralizedTime OPTIONAL, other OtherKeyAttribute OPTIONAL }
/// PasswordRecipientInfo ::= SEQUENCE {
///   version CMSVersion, keyDerivationAlgorithm [0] AlgorithmIdentifier OPTIONAL,
///   keyEncryptionAlgorithm AlgorithmIdentifier, encryptedKey OCTET STRING }
/// ```
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
    /// The content key is wrapped under a key that both sides agree on (ECDH).
    KeyAgreement(KeyAgreement<'a>),
    /// The content key is wrapped under a key that both sides have.
    KeyEncryptionKey {
        /// Which key that is: keyIdentifier.
        id: Cow<'a, [u8]>,
        /// The key wrap algorithm.
        algorithm: AlgorithmId<'a>,
        /// The wrapped content key.
        encrypted_key: Cow<'a, [u8]>,
    },
    /// The content key is encrypted under a key that is made of a password (RFC 3211).
    Password {
        /// How that key is made; where it is absent, both sides have it.
        derivation: Option<AlgorithmId<'a>>,
        /// How the content key is encrypted under it.
        algorithm: AlgorithmId<'a>,
        /// The encrypted content key.
        encrypted_key: Cow<'a, [u8]>,
    },
    /// `[4]`, what is not known, and what has an identifier that is too large to read.
    Other(&'a [u8]),
}

/// KeyAgreeRecipientInfo (RFC 5652 §6.2.2).
///
/// ```text
/// KeyAgreeRecipientInfo ::= SEQUENCE {
///   version CMSVersion,
///   originator [0] EXPLICIT OriginatorIdentifierOrKey,
///   ukm [1] EXPLICIT UserKeyingMaterial OPTIONAL,
///   keyEncryptionAlgorithm KeyEncryptionAlgorithmIdentifier,
///   recipientEncryptedKeys SEQUENCE OF RecipientEncryptedKey }
/// RecipientEncryptedKey ::= SEQUENCE { rid KeyAgreeRecipientIdentifier, encryptedKey OCTET STRING }
/// KeyAgreeRecipientIdentifier ::= CHOICE {
///   issuerAndSerialNumber IssuerAndSerialNumber, rKeyId [0] IMPLICIT RecipientKeyIdentifier }
/// RecipientKeyIdentifier ::= SEQUENCE {
///   subjectKeyIdentifier OCTET STRING, date GeneralizedTime OPTIONAL, other OtherKeyAttribute OPTIONAL }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct KeyAgreement<'a> {
    /// The sender's key.
    pub originator: Originator<'a>,
    /// User keying material, which goes into the key.
    pub ukm: Option<Cow<'a, [u8]>>,
    /// The key agreement scheme; its parameters are the key wrap algorithm.
    pub algorithm: AlgorithmId<'a>,
    /// The recipients: how the message names each, and the content key wrapped for it.
    pub keys: Vec<(Identifier<'a>, Cow<'a, [u8]>)>,
}

/// The sender's side of a key agreement.
///
/// ```text
/// OriginatorIdentifierOrKey ::= CHOICE {
///   issuerAndSerialNumber IssuerAndSerialNumber,
///   subjectKeyIdentifier [0] SubjectKeyIdentifier,
///   originatorKey [1] OriginatorPublicKey }
/// OriginatorPublicKey ::= SEQUENCE { algorithm AlgorithmIdentifier, publicKey BIT STRING }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Originator<'a> {
    /// A key made for this message.
    Key {
        /// The kind of key; RFC 5753 §3.1.1 leaves the parameters out, or has the curve.
        algorithm: AlgorithmId<'a>,
        /// The key, without the count of unused bits.
        key: &'a [u8],
    },
    /// The key of a certificate.
    Certificate(Identifier<'a>),
}

impl<'a> RecipientInfo<'a> {
    pub(crate) fn read(value: &Tlv<'a>, limits: &Limits) -> Result<Self, Error> {
        match Self::read_known(value, limits) {
            Err(Error::Tlv { source, .. }) if source.kind() == TlvErrorKind::OidTooLarge => {
                Ok(Self::Other(value.bytes()))
            }
            read => read,
        }
    }

    fn read_known(value: &Tlv<'a>, limits: &Limits) -> Result<Self, Error> {
        let tag = value.tag();
        if tag == Tag::SEQUENCE {
            return key_transport(value);
        }
        let is = |number: u32| tag.same_type(Tag::context(number));
        if is(1) {
            key_agreement(value, limits).map(Self::KeyAgreement)
        } else if is(2) {
            key_encryption_key(value)
        } else if is(3) {
            password(value)
        } else {
            Ok(Self::Other(value.bytes()))
        }
    }

    /// How many recipients it is for.
    pub(crate) fn count(&self) -> usize {
        match self {
            Self::KeyAgreement(agreement) => agreement.keys.len(),
            _ => 1,
        }
    }
}

fn version(fields: &mut Reader<'_>, what: &'static str) -> Result<(), Error> {
    if fields.small().at(what)? > 4 {
        return Err(Error::Structure { what, why: "it is larger than any that is defined" });
    }
    Ok(())
}

fn key_transport<'a>(value: &Tlv<'a>) -> Result<RecipientInfo<'a>, Error> {
    let mut fields = value.reader().at("KeyTransRecipientInfo")?;
    version(&mut fields, "KeyTransRecipientInfo.version")?;
    let rid = Identifier::read(&mut fields, "KeyTransRecipientInfo.rid")?;
    let algorithm = fields.algorithm().at("KeyTransRecipientInfo.keyEncryptionAlgorithm")?;
    let encrypted_key = fields.octet_string().at("KeyTransRecipientInfo.encryptedKey")?;
    fields.finish().at("KeyTransRecipientInfo")?;
    Ok(RecipientInfo::KeyTransport { rid, algorithm, encrypted_key })
}

/// Octets of the longest user keying material that is read (THREATS E6): it is hashed once for each key.
const MAX_UKM: usize = 1024;

fn key_agreement<'a>(value: &Tlv<'a>, limits: &Limits) -> Result<KeyAgreement<'a>, Error> {
    let mut fields = value.reader().at("KeyAgreeRecipientInfo")?;
    version(&mut fields, "KeyAgreeRecipientInfo.version")?;
    let what = "KeyAgreeRecipientInfo.originator";
    let tagged = fields
        .context(0)
        .at(what)?
        .ok_or(Error::Structure { what, why: "it is absent" })?
        .reader()
        .at(what)?;
    let originator = originator(tagged)?;
    let what = "KeyAgreeRecipientInfo.ukm";
    let ukm = match fields.context(1).at(what)? {
        Some(tagged) => {
            let mut inner = tagged.reader().at(what)?;
            let ukm = inner.octet_string().at(what)?;
            inner.finish().at(what)?;
            if ukm.len() > MAX_UKM {
                return Err(Error::Limit { what: "octets of user keying material", limit: MAX_UKM });
            }
            Some(ukm)
        }
        None => None,
    };
    let algorithm = fields.algorithm().at("KeyAgreeRecipientInfo.keyEncryptionAlgorithm")?;
    let what = "KeyAgreeRecipientInfo.recipientEncryptedKeys";
    let list = fields.sequence().at(what)?;
    fields.finish().at("KeyAgreeRecipientInfo")?;
    let mut keys = Vec::new();
    for item in elements(list, limits.recipient_infos, "RecipientInfos")? {
        let mut pair = sequence_of(&item, what)?;
        let rid = agreed_recipient(&mut pair, what)?;
        let encrypted_key = pair.octet_string().at(what)?;
        pair.finish().at(what)?;
        keys.push((rid, encrypted_key));
    }
    Ok(KeyAgreement { originator, ukm, algorithm, keys })
}

fn originator(mut inner: Reader<'_>) -> Result<Originator<'_>, Error> {
    let what = "KeyAgreeRecipientInfo.originator";
    let originator = if let Some(key) = inner.context(1).at(what)? {
        let mut fields = key.reader().at(what)?;
        let algorithm = fields.algorithm().at(what)?;
        let key = fields.bit_string().at(what)?;
        fields.finish().at(what)?;
        Originator::Key { algorithm, key }
    } else {
        Originator::Certificate(Identifier::read(&mut inner, what)?)
    };
    inner.finish().at(what)?;
    Ok(originator)
}

fn agreed_recipient<'a>(pair: &mut Reader<'a>, what: &'static str) -> Result<Identifier<'a>, Error> {
    let Some(tagged) = pair.context(0).at(what)? else { return Identifier::read(pair, what) };
    let mut fields = tagged.reader().at(what)?;
    let id = fields.octet_string().at(what)?;
    fields.optional(Tag::GENERALIZED_TIME).at(what)?;
    fields.optional(Tag::SEQUENCE).at(what)?;
    fields.finish().at(what)?;
    Ok(Identifier::SubjectKeyIdentifier(id))
}

fn key_encryption_key<'a>(value: &Tlv<'a>) -> Result<RecipientInfo<'a>, Error> {
    let mut fields = value.reader().at("KEKRecipientInfo")?;
    version(&mut fields, "KEKRecipientInfo.version")?;
    let what = "KEKRecipientInfo.kekid";
    let mut kekid = fields.sequence().at(what)?;
    let id = kekid.octet_string().at(what)?;
    kekid.optional(Tag::GENERALIZED_TIME).at(what)?;
    kekid.optional(Tag::SEQUENCE).at(what)?;
    kekid.finish().at(what)?;
    let algorithm = fields.algorithm().at("KEKRecipientInfo.keyEncryptionAlgorithm")?;
    let encrypted_key = fields.octet_string().at("KEKRecipientInfo.encryptedKey")?;
    fields.finish().at("KEKRecipientInfo")?;
    Ok(RecipientInfo::KeyEncryptionKey { id, algorithm, encrypted_key })
}

fn password<'a>(value: &Tlv<'a>) -> Result<RecipientInfo<'a>, Error> {
    let mut fields = value.reader().at("PasswordRecipientInfo")?;
    version(&mut fields, "PasswordRecipientInfo.version")?;
    let what = "PasswordRecipientInfo.keyDerivationAlgorithm";
    let derivation = match fields.context(0).at(what)? {
        Some(tagged) => Some(tagged.algorithm().at(what)?),
        None => None,
    };
    let algorithm = fields.algorithm().at("PasswordRecipientInfo.keyEncryptionAlgorithm")?;
    let encrypted_key = fields.octet_string().at("PasswordRecipientInfo.encryptedKey")?;
    fields.finish().at("PasswordRecipientInfo")?;
    Ok(RecipientInfo::Password { derivation, algorithm, encrypted_key })
}
