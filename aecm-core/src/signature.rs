//! Signature algorithms and the one table of what verifies what (THREATS S8).

use alloc::vec::Vec;
use core::fmt;

use crate::digest::DigestAlgorithm;
use crate::limits::Limits;
use crate::oid::{self, ObjectIdentifier};
use crate::public_key::{KeyKind, PublicKey};
use crate::tlv::{AlgorithmId, Reader, Rules, TlvError, write};

/// A signature algorithm with everything that decides how to verify: scheme and digest.
///
/// Not every pair that can be written down is used by anyone; [`SignatureAlgorithm::fits`] is the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5 (RFC 8017 §8.2).
    RsaPkcs1(DigestAlgorithm),
    /// RSASSA-PSS (RFC 8017 §8.1), MGF1 with the same hash, a salt of the hash's size (RFC 4056 §3).
    RsaPss(DigestAlgorithm),
    /// RSASSA-PSS with a salt of another length, in octets: OpenSSL takes the longest that fits unless told
    /// otherwise. RFC 4055 §3.1 recommends the hash's size and allows others. Verified, never made.
    RsaPssSalt(DigestAlgorithm, u16),
    /// ECDSA on P-256 or P-384 (FIPS 186-5; with SHA-1 read only), a DER SEQUENCE of r and s (RFC 3279 §2.2.3).
    Ecdsa(DigestAlgorithm),
    /// SM2 with SM3 (GB/T 32918.2), a DER SEQUENCE of r and s (GB/T 35276 §7.3).
    Sm2Sm3,
}

/// Which identity hash Z goes in front of a message that was signed with SM2 (GB/T 32918.2 §5.5).
///
/// A matter of agreement between signer and verifier, never of trying (THREATS G4, G5). Other algorithms know no
/// Z and ignore this.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sm2Id<'a> {
    /// `1234567812345678`: certificates, requests and CMS (GM/T 0009 §10). Signing always uses it.
    #[default]
    Default,
    /// Another identifier by agreement, also the empty one.
    Other(&'a [u8]),
    /// No Z at all: e = SM3(message), as OpenSSL signs CMS without signed attributes. Against the standard.
    RawDigestNoZ,
}

impl SignatureAlgorithm {
    /// The algorithm that an AlgorithmIdentifier names for a signature made with `key`.
    ///
    /// | identifier | key | parameters | digest |
    /// |---|---|---|---|
    /// | rsaEncryption | RSA | NULL, absent | `digest_hint`: SHA-1, SHA-2 |
    /// | sha1/256/384/512WithRSAEncryption | RSA | NULL, absent | its own |
    /// | id-RSASSA-PSS | RSA | RSASSA-PSS-params, MGF1 with the same hash, any salt | of the parameters: SHA-1, SHA-2 |
    /// | id-ecPublicKey | P-256, P-384 | absent, NULL, the key's curve | `digest_hint`: SHA-2 |
    /// | ecdsa-with-SHA1/256/384/512 | P-256, P-384 | absent | its own |
    /// | SM2-with-SM3 (.501), SM2 signature (.301.1), SM2 (.301) | SM2 | absent, NULL | SM3 |
    /// | id-ecPublicKey | SM2 | absent, NULL, the key's curve | `digest_hint`: SM3 |
    ///
    /// `digest_hint` is the digestAlgorithm beside the identifier (CMS SignerInfo), if there is one; where the
    /// identifier has a digest of its own, the two must agree.
    ///
    /// # Errors
    /// [`AlgorithmError`] for everything that is not a line of this table.
    pub fn from_identifier(
        identifier: &AlgorithmId<'_>,
        key: &PublicKey,
        digest_hint: Option<DigestAlgorithm>,
    ) -> Result<Self, AlgorithmError> {
        let oid = identifier.oid;
        let hint = digest_hint.ok_or(AlgorithmError::DigestMissing { oid });
        let (algorithm, parameters_fit) = match oid {
            oid::RSA_ENCRYPTION => (Self::RsaPkcs1(hint?), identifier.parameters_absent_or_null()),
            oid::RSASSA_PSS => (pss(identifier)?, true),
            oid::EC_PUBLIC_KEY => {
                let digest = hint?;
                let algorithm = if key.kind() == KeyKind::Sm2 { Self::Sm2Sm3 } else { Self::Ecdsa(digest) };
                (algorithm, names_nothing_but(identifier, key))
            }
            oid::SM2_WITH_SM3 | oid::SM2_SIGN | oid::SM2_CURVE => {
                (Self::Sm2Sm3, identifier.parameters_absent_or_null())
            }
            _ => {
                let algorithm = Self::with_own_identifier(&oid).ok_or(AlgorithmError::Unknown { oid })?;
                let fit = match algorithm {
                    Self::Ecdsa(_) => identifier.parameters.is_none(),
                    _ => identifier.parameters_absent_or_null(),
                };
                (algorithm, fit)
            }
        };
        if !parameters_fit {
            return Err(AlgorithmError::Parameters { oid, why: "not those of the algorithm" });
        }
        if let Some(stated) = digest_hint.filter(|stated| *stated != algorithm.digest()) {
            return Err(AlgorithmError::DigestMismatch { algorithm, stated });
        }
        if !algorithm.fits(key.kind()) {
            return Err(AlgorithmError::KeyMismatch { algorithm, key: key.kind() });
        }
        Ok(algorithm)
    }

    /// Whether keys of that kind make such signatures: the table of everything that verifies.
    ///
    /// ```
    /// use aecm_core::{digest::DigestAlgorithm::*, public_key::KeyKind, signature::SignatureAlgorithm::*};
    ///
    /// assert!(RsaPss(Sha256).fits(KeyKind::Rsa { bits: 2048 }));
    /// assert!(!Ecdsa(Sm3).fits(KeyKind::P256));
    /// assert!(!Ecdsa(Sha256).fits(KeyKind::Sm2));
    /// ```
    #[must_use]
    pub const fn fits(self, key: KeyKind) -> bool {
        use DigestAlgorithm::{Sha1, Sha256, Sha384, Sha512};
        match self {
            Self::RsaPkcs1(Sha1 | Sha256 | Sha384 | Sha512)
            | Self::RsaPss(Sha1 | Sha256 | Sha384 | Sha512)
            | Self::RsaPssSalt(Sha1 | Sha256 | Sha384 | Sha512, _) => {
                matches!(key, KeyKind::Rsa { .. })
            }
            Self::Ecdsa(Sha1 | Sha256 | Sha384 | Sha512) => matches!(key, KeyKind::P256 | KeyKind::P384),
            Self::Sm2Sm3 => matches!(key, KeyKind::Sm2),
            Self::RsaPkcs1(_) | Self::RsaPss(_) | Self::RsaPssSalt(..) | Self::Ecdsa(_) => false,
        }
    }

    /// The digest of the message.
    #[must_use]
    pub const fn digest(self) -> DigestAlgorithm {
        match self {
            Self::RsaPkcs1(digest)
            | Self::RsaPss(digest)
            | Self::RsaPssSalt(digest, _)
            | Self::Ecdsa(digest) => digest,
            Self::Sm2Sm3 => DigestAlgorithm::Sm3,
        }
    }

    /// The object identifier we write. A pair outside the table has that of its scheme, which no verifier takes.
    #[must_use]
    pub const fn oid(self) -> ObjectIdentifier {
        use DigestAlgorithm::{Sha1, Sha256, Sha384, Sha512, Sm3};
        match self {
            Self::RsaPkcs1(Sha1) => oid::SHA1_WITH_RSA,
            Self::RsaPkcs1(Sha256) => oid::SHA256_WITH_RSA,
            Self::RsaPkcs1(Sha384) => oid::SHA384_WITH_RSA,
            Self::RsaPkcs1(Sha512) => oid::SHA512_WITH_RSA,
            Self::RsaPkcs1(Sm3) => oid::RSA_ENCRYPTION,
            Self::RsaPss(_) | Self::RsaPssSalt(..) => oid::RSASSA_PSS,
            Self::Ecdsa(Sha256) => oid::ECDSA_WITH_SHA256,
            Self::Ecdsa(Sha384) => oid::ECDSA_WITH_SHA384,
            Self::Ecdsa(Sha512) => oid::ECDSA_WITH_SHA512,
            Self::Ecdsa(Sha1) => oid::ECDSA_WITH_SHA1,
            Self::Ecdsa(Sm3) => oid::EC_PUBLIC_KEY,
            Self::Sm2Sm3 => oid::SM2_WITH_SM3,
        }
    }

    /// The AlgorithmIdentifier as we write it: RSA with NULL (RFC 4055 §5), ECDSA and SM2 without parameters
    /// (RFC 5758 §3.2; GB/T 35276 as OpenSSL and Bouncy Castle write it), PSS with all that is not default.
    ///
    /// ```text
    /// RSASSA-PSS-params ::= SEQUENCE {                              -- RFC 4055 §3.1
    ///     hashAlgorithm     [0] HashAlgorithm     DEFAULT sha1Identifier,
    ///     maskGenAlgorithm  [1] MaskGenAlgorithm  DEFAULT mgf1SHA1Identifier,
    ///     saltLength        [2] INTEGER           DEFAULT 20,
    ///     trailerField      [3] INTEGER           DEFAULT 1 }
    /// ```
    #[must_use]
    pub fn identifier_der(self) -> Vec<u8> {
        match self {
            Self::RsaPkcs1(_) => write::algorithm(&self.oid(), Some(&write::null())),
            Self::RsaPss(digest) => {
                let salt = u64::try_from(digest.output_size()).unwrap_or_default();
                write::algorithm(&self.oid(), Some(&pss_parameters(digest, salt)))
            }
            Self::RsaPssSalt(digest, salt) => {
                write::algorithm(&self.oid(), Some(&pss_parameters(digest, u64::from(salt))))
            }
            Self::Ecdsa(_) | Self::Sm2Sm3 => write::algorithm(&self.oid(), None),
        }
    }

    /// The name people use, such as `RSA-PSS with SHA-256` or `SM2 with SM3`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        use DigestAlgorithm::{Sha1, Sha256, Sha384, Sha512, Sm3};
        match self {
            Self::RsaPkcs1(Sha1) => "RSA PKCS#1 v1.5 with SHA-1",
            Self::RsaPkcs1(Sha256) => "RSA PKCS#1 v1.5 with SHA-256",
            Self::RsaPkcs1(Sha384) => "RSA PKCS#1 v1.5 with SHA-384",
            Self::RsaPkcs1(Sha512) => "RSA PKCS#1 v1.5 with SHA-512",
            Self::RsaPkcs1(Sm3) => "RSA PKCS#1 v1.5 with SM3",
            Self::RsaPss(Sha1) | Self::RsaPssSalt(Sha1, _) => "RSA-PSS with SHA-1",
            Self::RsaPss(Sha256) | Self::RsaPssSalt(Sha256, _) => "RSA-PSS with SHA-256",
            Self::RsaPss(Sha384) | Self::RsaPssSalt(Sha384, _) => "RSA-PSS with SHA-384",
            Self::RsaPss(Sha512) | Self::RsaPssSalt(Sha512, _) => "RSA-PSS with SHA-512",
            Self::RsaPss(Sm3) | Self::RsaPssSalt(Sm3, _) => "RSA-PSS with SM3",
            Self::Ecdsa(Sha1) => "ECDSA with SHA-1",
            Self::Ecdsa(Sha256) => "ECDSA with SHA-256",
            Self::Ecdsa(Sha384) => "ECDSA with SHA-384",
            Self::Ecdsa(Sha512) => "ECDSA with SHA-512",
            Self::Ecdsa(Sm3) => "ECDSA with SM3",
            Self::Sm2Sm3 => "SM2 with SM3",
        }
    }

    /// The algorithms whose identifier names scheme and digest, other than PSS and SM2.
    fn with_own_identifier(oid: &ObjectIdentifier) -> Option<Self> {
        Some(match *oid {
            oid::SHA1_WITH_RSA => Self::RsaPkcs1(DigestAlgorithm::Sha1),
            oid::SHA256_WITH_RSA => Self::RsaPkcs1(DigestAlgorithm::Sha256),
            oid::SHA384_WITH_RSA => Self::RsaPkcs1(DigestAlgorithm::Sha384),
            oid::SHA512_WITH_RSA => Self::RsaPkcs1(DigestAlgorithm::Sha512),
            oid::ECDSA_WITH_SHA1 => Self::Ecdsa(DigestAlgorithm::Sha1),
            oid::ECDSA_WITH_SHA256 => Self::Ecdsa(DigestAlgorithm::Sha256),
            oid::ECDSA_WITH_SHA384 => Self::Ecdsa(DigestAlgorithm::Sha384),
            oid::ECDSA_WITH_SHA512 => Self::Ecdsa(DigestAlgorithm::Sha512),
            _ => return None,
        })
    }
}

impl fmt::Display for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Why an AlgorithmIdentifier names no signature algorithm that fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AlgorithmError {
    /// The identifier is not in the table.
    Unknown {
        /// The identifier.
        oid: ObjectIdentifier,
    },
    /// The parameters are not those the algorithm has.
    Parameters {
        /// The identifier of the algorithm.
        oid: ObjectIdentifier,
        /// What is wrong with them.
        why: &'static str,
    },
    /// The parameters are ones that the algorithm has, and that are not supported.
    UnsupportedParameters {
        /// The identifier of the algorithm.
        oid: ObjectIdentifier,
        /// Which.
        why: &'static str,
    },
    /// The parameters cannot be read.
    Malformed(TlvError),
    /// The identifier has no digest of its own and none was stated beside it.
    DigestMissing {
        /// The identifier.
        oid: ObjectIdentifier,
    },
    /// The digest stated beside the identifier is not the algorithm's.
    DigestMismatch {
        /// What the identifier names.
        algorithm: SignatureAlgorithm,
        /// What was stated beside it.
        stated: DigestAlgorithm,
    },
    /// Keys of that kind make no such signatures.
    KeyMismatch {
        /// What the identifier names.
        algorithm: SignatureAlgorithm,
        /// The kind of the key.
        key: KeyKind,
    },
}

impl fmt::Display for AlgorithmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { oid } => write!(f, "unknown signature algorithm {oid}"),
            Self::Parameters { oid, why } => {
                write!(f, "the parameters of signature algorithm {oid} are {why}")
            }
            Self::UnsupportedParameters { oid, why } => {
                write!(f, "the parameters of signature algorithm {oid} have {why}, which is not supported")
            }
            Self::Malformed(error) => {
                write!(f, "cannot read the parameters of a signature algorithm: {error}")
            }
            Self::DigestMissing { oid } => {
                write!(f, "signature algorithm {oid} names no digest, and none is stated beside it")
            }
            Self::DigestMismatch { algorithm, stated } => {
                write!(f, "signature algorithm {algorithm}, but the digest beside it is {stated}")
            }
            Self::KeyMismatch { algorithm, key } => {
                write!(f, "signature algorithm {algorithm} does not go with a key of kind {key}")
            }
        }
    }
}

impl core::error::Error for AlgorithmError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Malformed(error) => Some(error),
            _ => None,
        }
    }
}

impl From<TlvError> for AlgorithmError {
    fn from(error: TlvError) -> Self {
        Self::Malformed(error)
    }
}

/// Whether the parameters of id-ecPublicKey are absent, NULL or the curve of `key`.
fn names_nothing_but(identifier: &AlgorithmId<'_>, key: &PublicKey) -> bool {
    let curve = match key.kind() {
        KeyKind::P256 => oid::PRIME256V1,
        KeyKind::P384 => oid::SECP384R1,
        KeyKind::Sm2 => oid::SM2_CURVE,
        KeyKind::Rsa { .. } => return identifier.parameters_absent_or_null(),
    };
    identifier.parameters_absent_or_null() || identifier.parameters == Some(write::oid(&curve).as_slice())
}

fn pss_parameters(digest: DigestAlgorithm, salt: u64) -> Vec<u8> {
    // RFC 4055 §2.1: the digests of PSS and MGF1 have NULL, not absent, parameters.
    let hash = write::algorithm(&digest.oid(), Some(&write::null()));
    let mask = write::algorithm(&oid::MGF1, Some(&hash));
    let salt = if salt == 20 { Vec::new() } else { write::explicit(2, &write::small(salt)) };
    if digest == DigestAlgorithm::Sha1 {
        return write::sequence(&[&salt]);
    }
    write::sequence(&[&write::explicit(0, &hash), &write::explicit(1, &mask), &salt])
}

/// What RSASSA-PSS-params say, where MGF1 has the same hash (RFC 4056 §3).
fn pss(identifier: &AlgorithmId<'_>) -> Result<SignatureAlgorithm, AlgorithmError> {
    let wrong = |why| AlgorithmError::Parameters { oid: oid::RSASSA_PSS, why };
    let unsupported = |why| AlgorithmError::UnsupportedParameters { oid: oid::RSASSA_PSS, why };
    let octets = identifier.parameters.ok_or(wrong("absent"))?;
    let limits = Limits::default();
    let mut outer = Reader::new(octets, Rules::Ber, &limits);
    let mut fields = outer.sequence()?;
    outer.finish()?;

    let mut hash = DigestAlgorithm::Sha1;
    if let Some(field) = fields.context(0)? {
        hash = only_digest(&mut field.reader()?)?.ok_or(unsupported("a hash that is not supported"))?;
    }
    let mut mask_hash = Some(DigestAlgorithm::Sha1);
    if let Some(field) = fields.context(1)? {
        let mut reader = field.reader()?;
        let mask = reader.algorithm()?;
        reader.finish()?;
        if mask.oid != oid::MGF1 {
            return Err(unsupported("a mask generation function that is not MGF1"));
        }
        let octets = mask.parameters.ok_or(wrong("an MGF1 without its hash"))?;
        mask_hash = only_digest(&mut Reader::new(octets, Rules::Ber, &limits))?;
    }
    let mut salt = 20;
    if let Some(field) = fields.context(2)? {
        salt = only_small(&mut field.reader()?)?;
    }
    let mut trailer = 1;
    if let Some(field) = fields.context(3)? {
        trailer = only_small(&mut field.reader()?)?;
    }
    fields.finish()?;

    if mask_hash != Some(hash) {
        return Err(unsupported("an MGF1 hash that differs from the hash"));
    }
    if trailer != 1 {
        return Err(wrong("a trailer field other than 1"));
    }
    if usize::try_from(salt) == Ok(hash.output_size()) {
        return Ok(SignatureAlgorithm::RsaPss(hash));
    }
    let salt = u16::try_from(salt).map_err(|_| wrong("a salt that fits into no signature"))?;
    Ok(SignatureAlgorithm::RsaPssSalt(hash, salt))
}

/// The digest of the one AlgorithmIdentifier in `reader`, if we know it; its parameters NULL or absent.
fn only_digest(reader: &mut Reader<'_>) -> Result<Option<DigestAlgorithm>, TlvError> {
    let identifier = reader.algorithm()?;
    reader.finish()?;
    Ok(DigestAlgorithm::from_oid(&identifier.oid).filter(|_| identifier.parameters_absent_or_null()))
}

fn only_small(reader: &mut Reader<'_>) -> Result<u64, TlvError> {
    let value = reader.small()?;
    reader.finish()?;
    Ok(value)
}

#[cfg(test)]
mod tests;
