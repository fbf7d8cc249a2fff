//! The keys on their way: AsymmetricKeyPackage (RFC 5958).

use aecm_core::certificate::Certificate;
use aecm_core::limits::Limits;
use aecm_core::oid;
use aecm_core::tlv::{Reader, Rules, Tag, TlvError, write};
use zeroize::Zeroizing;

use super::TransferError;

/// Keys in one package.
const MAX_KEYS: usize = 64;
/// Certificates of one key.
const MAX_CERTIFICATES: usize = 64;

/// A private key with every certificate it went by.
pub(super) struct PackedKey {
    /// PKCS#8 in DER, without attributes.
    pub(super) pkcs8: Zeroizing<Vec<u8>>,
    /// The oldest first.
    pub(super) certificates: Vec<Certificate>,
}

/// Writes a package, the keys in their order.
///
/// ```text
/// AsymmetricKeyPackage ::= SEQUENCE SIZE (1..MAX) OF OneAsymmetricKey     -- RFC 5958 §2
/// OneAsymmetricKey ::= SEQUENCE {
///   version             INTEGER { v1(0) },
///   privateKeyAlgorithm AlgorithmIdentifier,
///   privateKey          OCTET STRING,
///   attributes          [0] IMPLICIT SET OF Attribute }   -- userCertificate (X.520), all certificates of the key
/// ```
pub(super) fn write(keys: &[PackedKey]) -> Result<Zeroizing<Vec<u8>>, TransferError> {
    let mut all = Zeroizing::new(Vec::new());
    for key in keys {
        let fields = fields(&key.pkcs8, &Limits::default()).map_err(|_| MALFORMED_KEY)?;
        let certificates = key.certificates.iter().map(|one| one.as_der().to_vec()).collect();
        let attribute = write::sequence(&[&write::oid(&oid::USER_CERTIFICATE), &write::set_of(certificates)]);
        let attributes = write::tlv(Tag::context(0), &attribute);
        let one = Zeroizing::new(write::sequence(&[
            &write::small(0),
            fields.algorithm,
            fields.private_key,
            &attributes,
        ]));
        all.extend_from_slice(&one);
    }
    Ok(Zeroizing::new(write::sequence(&[&all])))
}

/// Reads a package: the inverse of [`write`], with hard bounds.
pub(super) fn read(der: &[u8], limits: &Limits) -> Result<Vec<PackedKey>, TransferError> {
    let mut outer = Reader::new(der, Rules::Der, limits);
    let mut list = outer.sequence().map_err(malformed)?;
    outer.finish().map_err(malformed)?;
    let mut keys = Vec::new();
    while !list.is_empty() {
        if keys.len() == MAX_KEYS {
            return Err(TransferError::Malformed { what: "it has more keys than one mailbox can have" });
        }
        let one = list.expect(Tag::SEQUENCE).map_err(malformed)?;
        keys.push(read_one(one.bytes(), limits)?);
    }
    if keys.is_empty() {
        return Err(TransferError::Malformed { what: "it has no key" });
    }
    Ok(keys)
}

const MALFORMED_KEY: TransferError = TransferError::Malformed { what: "a private key is not PKCS#8" };

fn malformed(_: TlvError) -> TransferError {
    TransferError::Malformed { what: "it is not an AsymmetricKeyPackage" }
}

/// The parts of a OneAsymmetricKey, each as a whole value.
struct Fields<'a> {
    algorithm: &'a [u8],
    private_key: &'a [u8],
    attributes: Option<Reader<'a>>,
}

fn fields<'a>(der: &'a [u8], limits: &Limits) -> Result<Fields<'a>, TlvError> {
    let mut outer = Reader::new(der, Rules::Der, limits);
    let mut fields = outer.sequence()?;
    outer.finish()?;
    fields.small()?;
    let algorithm = fields.expect(Tag::SEQUENCE)?.bytes();
    let private_key = fields.expect(Tag::OCTET_STRING)?.bytes();
    let attributes = fields.context(0)?.map(|tagged| tagged.reader()).transpose()?;
    // publicKey [1]: what the private key says counts.
    fields.context(1)?;
    fields.finish()?;
    Ok(Fields { algorithm, private_key, attributes })
}

fn read_one(der: &[u8], limits: &Limits) -> Result<PackedKey, TransferError> {
    let Fields { algorithm, private_key, attributes } = fields(der, limits).map_err(malformed)?;
    let pkcs8 = Zeroizing::new(write::sequence(&[&write::small(0), algorithm, private_key]));
    let mut certificates = Vec::new();
    let mut attributes = attributes.ok_or(TransferError::Malformed { what: "a key has no certificate" })?;
    while !attributes.is_empty() {
        let mut attribute = attributes.sequence().map_err(malformed)?;
        let kind = attribute.oid().map_err(malformed)?;
        let mut values = attribute.set().map_err(malformed)?;
        attribute.finish().map_err(malformed)?;
        if kind != oid::USER_CERTIFICATE {
            continue;
        }
        while !values.is_empty() {
            let value = values.expect(Tag::SEQUENCE).map_err(malformed)?;
            if certificates.len() == MAX_CERTIFICATES || value.bytes().len() > limits.certificate_bytes {
                return Err(TransferError::Malformed {
                    what: "a key has too many or too large certificates",
                });
            }
            let certificate = Certificate::from_der(value.bytes())
                .map_err(|_| TransferError::Malformed { what: "a certificate cannot be read" })?;
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() {
        return Err(TransferError::Malformed { what: "a key has no certificate" });
    }
    // A SET has no order of its own.
    certificates.sort_by_key(|one| (one.not_before(), one.not_after()));
    Ok(PackedKey { pkcs8, certificates })
}

#[cfg(test)]
mod tests;
