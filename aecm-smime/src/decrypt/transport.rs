//! The content key: which unwrapping to ask of a key handle.
//!
//! The recipient's key decides, the algorithm identifier is a hint: gmsm writes rsaEncryption for an SM2 key
//! that an RSA CA certified (STANDARDS §3.6), GmSSL writes 1.2.156.10197.1.301.2.

use aecm_core::digest::DigestAlgorithm;
use aecm_core::key::{Decryptor, KeyError, RecipientParameters};
use aecm_core::limits::Limits;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::public_key::KeyKind;
use aecm_core::tlv::{AlgorithmId, Reader, Rules, Tag};
use aecm_sm::sm2::CiphertextForm;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::cipher::ContentCipher;
use crate::decrypt::{DecryptError, DecryptOptions};
use crate::error::{At, Error};
use crate::tolerance::Tolerance;

/// A content key, and what had to be forgiven to get it.
pub(super) type ContentKey = (Zeroizing<Vec<u8>>, Vec<Tolerance>);

/// What to ask of a key.
pub(super) enum Attempts<'a> {
    /// One unwrapping.
    One(RecipientParameters<'a>, Vec<Tolerance>),
    /// Raw SM2 octets in either order.
    RawSm2(Vec<Tolerance>),
}

/// Reads the algorithm identifier for a key of that kind.
pub(super) fn attempts<'a>(
    algorithm: &AlgorithmId<'a>,
    ciphertext: &[u8],
    kind: KeyKind,
    options: &DecryptOptions,
) -> Result<Attempts<'a>, DecryptError> {
    let unusual = vec![Tolerance::KeyTransportOid];
    match kind {
        KeyKind::Rsa { .. } if algorithm.oid == oid::RSAES_OAEP => {
            let (parameters, tolerances) = oaep(algorithm, &options.limits)?;
            Ok(Attempts::One(parameters, tolerances))
        }
        KeyKind::Rsa { .. }
            if algorithm.oid == oid::RSA_ENCRYPTION && algorithm.parameters_absent_or_null() =>
        {
            Ok(Attempts::One(RecipientParameters::RsaPkcs1, Vec::new()))
        }
        // gmsm names the transport by the certificate's signature algorithm (STANDARDS §3.6), GmSSL by .301.2.
        KeyKind::Sm2 if SM2_TRANSPORTS.contains(&algorithm.oid) => {
            let tolerances = if is_standard_sm2(&algorithm.oid) { Vec::new() } else { unusual };
            Ok(sm2(algorithm, ciphertext, options, tolerances))
        }
        _ => Err(DecryptError::Unsupported {
            what: "key transport to a key of this kind by",
            oid: Some(algorithm.oid),
        }),
    }
}

/// The algorithms under which SM2 encryption travels in the field, the first the standard one.
pub(super) const SM2_TRANSPORTS: [ObjectIdentifier; 7] = [
    oid::SM2_ENCRYPT,
    oid::SM2_ENCRYPT_WITH_SM3,
    oid::SM2_CURVE,
    oid::SM2_SIGN,
    oid::SM2_EXCHANGE,
    oid::RSA_ENCRYPTION,
    oid::EC_PUBLIC_KEY,
];

/// Whether the algorithm is one that the standards have for SM2 encryption.
pub(super) fn is_standard_sm2(oid: &ObjectIdentifier) -> bool {
    [oid::SM2_ENCRYPT, oid::SM2_ENCRYPT_WITH_SM3].contains(oid)
}

fn sm2<'a>(
    algorithm: &AlgorithmId<'a>,
    ciphertext: &[u8],
    options: &DecryptOptions,
    mut tolerances: Vec<Tolerance>,
) -> Attempts<'a> {
    let raw = algorithm.oid == oid::SM2_ENCRYPT_WITH_SM3 && ciphertext.first() != Some(&0x30);
    let form = match options.sm2_form {
        Some(form) => form,
        None if raw => {
            tolerances.push(Tolerance::Sm2RawCiphertext);
            return Attempts::RawSm2(tolerances);
        }
        None => CiphertextForm::Der,
    };
    match form {
        CiphertextForm::Der => {}
        CiphertextForm::C1C2C3 => {
            tolerances.extend([Tolerance::Sm2RawCiphertext, Tolerance::Sm2OrderC1C2C3]);
        }
        _ => tolerances.push(Tolerance::Sm2RawCiphertext),
    }
    Attempts::One(RecipientParameters::Sm2 { form }, tolerances)
}

impl Attempts<'_> {
    /// Asks the key, within the operations that are left; the keys are in the order in which to try them.
    pub(super) async fn unwrap(
        self,
        key: &dyn Decryptor,
        ciphertext: &[u8],
        cipher: ContentCipher,
        operations: &mut usize,
    ) -> Result<Vec<ContentKey>, KeyError> {
        let size = cipher.key_size();
        let wanted = match &self {
            Self::One(..) => 1,
            Self::RawSm2(_) if cipher.is_authenticated() => 2,
            Self::RawSm2(_) => 3,
        };
        let Some(left) = operations.checked_sub(wanted) else { return Ok(Vec::new()) };
        *operations = left;
        match self {
            Self::One(parameters, tolerances) => {
                Ok(vec![(key.unwrap_key(&parameters, ciphertext, size).await?, tolerances)])
            }
            Self::RawSm2(tolerances) => {
                let form = |form| RecipientParameters::Sm2 { form };
                let new = key.unwrap_key(&form(CiphertextForm::C1C3C2), ciphertext, size).await?;
                let old = key.unwrap_key(&form(CiphertextForm::C1C2C3), ciphertext, size).await?;
                // The tag tells which of the two is right. CBC padding lets one wrong key in 256 pass, so C3
                // has to tell: what is certainly no DER gives the key of rejection, and the order that gives the
                // same one failed.
                let new_failed = if cipher.is_authenticated() {
                    false
                } else {
                    let rejected = key.unwrap_key(&form(CiphertextForm::Der), ciphertext, size).await?;
                    bool::from(rejected.as_slice().ct_eq(&new))
                };
                let mut old_tolerances = tolerances.clone();
                old_tolerances.push(Tolerance::Sm2OrderC1C2C3);
                let (new, old) = ((new, tolerances), (old, old_tolerances));
                Ok(if new_failed { vec![old, new] } else { vec![new, old] })
            }
        }
    }
}

/// The parameters of RSAES-OAEP (RFC 4055 §4.1).
///
/// ```text
/// RSAES-OAEP-params ::= SEQUENCE {
///   hashFunc [0] AlgorithmIdentifier DEFAULT sha1Identifier,
///   maskGenFunc [1] AlgorithmIdentifier DEFAULT mgf1SHA1Identifier,
///   pSourceFunc [2] AlgorithmIdentifier DEFAULT pSpecifiedEmptyIdentifier }
/// ```
fn oaep<'a>(
    algorithm: &AlgorithmId<'a>,
    limits: &Limits,
) -> Result<(RecipientParameters<'a>, Vec<Tolerance>), DecryptError> {
    let what = "RSAES-OAEP-params";
    let mut reader = Reader::new(algorithm.parameters.unwrap_or_default(), Rules::Der, limits);
    let mut fields = reader.sequence().at(what)?;
    reader.finish().at(what)?;
    let mut digest = DigestAlgorithm::Sha1;
    let mut mgf_digest = DigestAlgorithm::Sha1;
    let mut label: &[u8] = &[];
    if let Some(hash) = inner(&mut fields, 0, what)? {
        digest = hash_of(&hash)?;
    }
    if let Some(mask) = inner(&mut fields, 1, what)? {
        if mask.oid != oid::MGF1 {
            return Err(DecryptError::Unsupported { what: "the mask generation", oid: Some(mask.oid) });
        }
        let mut reader = Reader::new(mask.parameters.unwrap_or_default(), Rules::Der, limits);
        let hash = reader.algorithm().at(what)?;
        reader.finish().at(what)?;
        mgf_digest = hash_of(&hash)?;
    }
    if let Some(source) = inner(&mut fields, 2, what)? {
        if source.oid != oid::P_SPECIFIED {
            return Err(DecryptError::Unsupported { what: "the label source", oid: Some(source.oid) });
        }
        let mut reader = Reader::new(source.parameters.unwrap_or_default(), Rules::Der, limits);
        label = reader.expect(Tag::OCTET_STRING).at(what)?.content();
        reader.finish().at(what)?;
    }
    fields.finish().at(what)?;
    let weak = digest == DigestAlgorithm::Sha1 || mgf_digest == DigestAlgorithm::Sha1;
    let tolerances = if weak { vec![Tolerance::OaepSha1] } else { Vec::new() };
    Ok((RecipientParameters::RsaOaep { digest, mgf_digest, label }, tolerances))
}

fn inner<'a>(
    fields: &mut Reader<'a>,
    number: u32,
    what: &'static str,
) -> Result<Option<AlgorithmId<'a>>, DecryptError> {
    let Some(tagged) = fields.context(number).at(what)? else { return Ok(None) };
    let mut reader = tagged.reader().at(what)?;
    let algorithm = reader.algorithm().at(what)?;
    reader.finish().at(what)?;
    Ok(Some(algorithm))
}

fn hash_of(identifier: &AlgorithmId<'_>) -> Result<DigestAlgorithm, DecryptError> {
    if !identifier.parameters_absent_or_null() {
        let why = "the digest carries parameters";
        return Err(Error::Structure { what: "RSAES-OAEP-params", why }.into());
    }
    DigestAlgorithm::from_oid(&identifier.oid)
        .ok_or(DecryptError::Unsupported { what: "the digest of RSAES-OAEP", oid: Some(identifier.oid) })
}
