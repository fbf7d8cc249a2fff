//! The content key by ECDH: what to ask of a key handle (RFC 5753 §3.1, §7.2).

use aecm_core::digest::DigestAlgorithm;
use aecm_core::ecdh::{KeyWrap, kdf_of};
use aecm_core::key::RecipientParameters;
use aecm_core::limits::Limits;
use aecm_core::oid;
use aecm_core::public_key::KeyKind;
use aecm_core::tlv::{AlgorithmId, Reader, Rules, Tag, write};

use crate::cms::{KeyAgreement, Originator};
use crate::decrypt::DecryptError;
use crate::error::{At, Error};

/// A key agreement, read for a key of one kind.
pub(super) struct Agreement<'a> {
    originator: &'a [u8],
    kdf: DigestAlgorithm,
    wrap: KeyWrap,
    shared_info: Vec<u8>,
}

impl<'a> Agreement<'a> {
    pub(super) fn read(
        agreement: &KeyAgreement<'a>,
        kind: KeyKind,
        limits: &Limits,
    ) -> Result<Self, DecryptError> {
        let curve = match kind {
            KeyKind::P256 => oid::PRIME256V1,
            KeyKind::P384 => oid::SECP384R1,
            _ => {
                return Err(DecryptError::Unsupported {
                    what: "key agreement with a key of this kind",
                    oid: None,
                });
            }
        };
        let Originator::Key { algorithm, key: originator } = &agreement.originator else {
            let what = "key agreement with the key of a sender's certificate";
            return Err(DecryptError::Unsupported { what, oid: None });
        };
        if algorithm.oid != oid::EC_PUBLIC_KEY {
            let what = "key agreement with a sender's key of kind";
            return Err(DecryptError::Unsupported { what, oid: Some(algorithm.oid) });
        }
        if !algorithm.parameters_absent_or_null()
            && algorithm.parameters != Some(write::oid(&curve).as_slice())
        {
            let what = "OriginatorPublicKey.algorithm";
            return Err(
                Error::Structure { what, why: "it is not on the curve of the recipient's key" }.into()
            );
        }
        let scheme = agreement.algorithm;
        let kdf = kdf_of(&scheme.oid)
            .ok_or(DecryptError::Unsupported { what: "the key agreement scheme", oid: Some(scheme.oid) })?;
        let what = "KeyWrapAlgorithm";
        let mut reader = Reader::new(scheme.parameters.unwrap_or_default(), Rules::Ber, limits);
        let wrapping = reader.algorithm().at(what)?;
        reader.finish().at(what)?;
        let wrap = KeyWrap::from_oid(&wrapping.oid)
            .filter(|_| wrapping.parameters_absent_or_null())
            .ok_or(DecryptError::Unsupported { what: "the key wrap", oid: Some(wrapping.oid) })?;
        let shared_info = shared_info(&wrapping, wrap, agreement.ukm.as_deref());
        Ok(Self { originator, kdf, wrap, shared_info })
    }

    pub(super) fn parameters(&self) -> RecipientParameters<'_> {
        RecipientParameters::Ecdh {
            originator: self.originator,
            kdf: self.kdf,
            wrap: self.wrap,
            shared_info: &self.shared_info,
        }
    }
}

/// What the KDF takes beside the secret; keyInfo as it was received.
///
/// ```text
/// ECC-CMS-SharedInfo ::= SEQUENCE {
///   keyInfo AlgorithmIdentifier,
///   entityUInfo [0] EXPLICIT OCTET STRING OPTIONAL,
///   suppPubInfo [2] EXPLICIT OCTET STRING }   -- the size of the key-encryption key in bits, in 4 octets
/// ```
fn shared_info(wrapping: &AlgorithmId<'_>, wrap: KeyWrap, ukm: Option<&[u8]>) -> Vec<u8> {
    shared_info_of(wrapping.bytes, wrap, ukm)
}

/// As [`shared_info`], for an identifier in DER.
pub(crate) fn shared_info_of(key_info: &[u8], wrap: KeyWrap, ukm: Option<&[u8]>) -> Vec<u8> {
    let bits = u32::try_from(wrap.key_size() * 8).unwrap_or_default();
    let entity = ukm.map(|ukm| write::explicit(0, &write::octet_string(ukm))).unwrap_or_default();
    let size = write::tlv(Tag::context(2), &write::octet_string(&bits.to_be_bytes()));
    write::sequence(&[key_info, &entity, &size])
}
