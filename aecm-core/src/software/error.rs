//! What can be wrong with a private key in a file.

use core::fmt;

use crate::oid::ObjectIdentifier;
use crate::password::PasswordError;
use crate::public_key::PublicKeyError;
use crate::tlv::TlvError;

/// Why octets or text are not a private key that can be used. Carries nothing of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SoftwareKeyError {
    /// The octets are not one PKCS#8, SEC1 or PKCS#1 private key in DER.
    Malformed(TlvError),
    /// The text is not PEM (RFC 7468).
    Pem {
        /// The line, counted from 1, where it stops being PEM.
        line: usize,
        /// What is wrong there.
        why: &'static str,
    },
    /// The text has no private key.
    NoPrivateKey,
    /// The text has more than one private key.
    SeveralPrivateKeys,
    /// The key is encrypted under a password, and none was given.
    Encrypted,
    /// The PEM text is encrypted in the old way (`Proc-Type` and `DEK-Info`, RFC 1421), which is not read.
    LegacyEncryption,
    /// The key could not be decrypted or encrypted.
    Password(PasswordError),
    /// A version number that is not known.
    Version {
        /// The number.
        version: u64,
    },
    /// A key algorithm that is not known here.
    Algorithm {
        /// Its identifier.
        algorithm: ObjectIdentifier,
    },
    /// The parameters of the key algorithm are not those it has.
    Parameters,
    /// A curve that is not known here.
    Curve {
        /// Its identifier.
        curve: ObjectIdentifier,
    },
    /// The curve is not named, or spelt out.
    CurveNotNamed,
    /// The inner key names another curve than the outer one.
    CurveMismatch,
    /// The private number is of another size than its curve wants, or out of range.
    OutOfRange,
    /// The public key in the file is not that of the private key.
    PublicKeyMismatch,
    /// The RSA numbers do not belong together, or have more than two primes.
    RsaInconsistent,
    /// The public key of the private key is refused.
    PublicKey(PublicKeyError),
}

impl fmt::Display for SoftwareKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => write!(f, "not a private key in DER: {error}"),
            Self::Pem { line, why } => write!(f, "not PEM at line {line}: {why}"),
            Self::NoPrivateKey => f.write_str("no private key in this PEM text"),
            Self::SeveralPrivateKeys => {
                f.write_str("more than one private key in this PEM text; give each in a file of its own")
            }
            Self::Encrypted => f.write_str("the private key is encrypted; give its password"),
            Self::LegacyEncryption => f.write_str(
                "the private key is encrypted with DEK-Info, which is too weak to be read; \
                 write it anew: openssl pkcs8 -topk8 -v2 aes-256-cbc",
            ),
            Self::Password(error) => write!(f, "encrypted private key: {error}"),
            Self::Version { version } => write!(f, "private key of unknown version {version}"),
            Self::Algorithm { algorithm } => {
                write!(f, "private key of unknown algorithm {algorithm}; known are RSA, P-256, P-384 and SM2")
            }
            Self::Parameters => {
                f.write_str("private key with parameters that do not belong to its algorithm")
            }
            Self::Curve { curve } => {
                write!(f, "private key on unknown curve {curve}; known are P-256, P-384 and SM2")
            }
            Self::CurveNotNamed => f.write_str("private key that does not name its curve"),
            Self::CurveMismatch => f.write_str("private key that names two different curves"),
            Self::OutOfRange => f.write_str("private key whose number does not fit its curve"),
            Self::PublicKeyMismatch => {
                f.write_str("the public key in the file is not that of the private key")
            }
            Self::RsaInconsistent => f.write_str("RSA private key whose numbers do not belong together"),
            Self::PublicKey(error) => write!(f, "private key with a public key that is refused: {error}"),
        }
    }
}

impl core::error::Error for SoftwareKeyError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Malformed(error) => Some(error),
            Self::PublicKey(error) => Some(error),
            Self::Password(error) => Some(error),
            _ => None,
        }
    }
}

impl From<PasswordError> for SoftwareKeyError {
    fn from(error: PasswordError) -> Self {
        Self::Password(error)
    }
}

impl From<TlvError> for SoftwareKeyError {
    fn from(error: TlvError) -> Self {
        Self::Malformed(error)
    }
}
