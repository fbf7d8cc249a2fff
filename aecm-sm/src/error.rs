//! What can go wrong.

use core::fmt;

/// Why an operation of this crate failed.
///
/// Everything that depends on a secret is [`Error::Decrypt`], and it carries nothing: a wrong key, a wrong C3,
/// a wrong tag, a wrong padding and a key stream of zeros look the same. The other variants depend only on
/// octets that an attacker knows anyway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// An SM2 ciphertext is not of the form that was named: bad DER, too short, an empty C2, or a C1 that is
    /// not a point of the curve. Decided before the private key is used.
    Ciphertext {
        /// The rule that was broken.
        reason: &'static str,
    },
    /// Decryption failed; on purpose without a reason.
    Decrypt,
    /// An SM2 plaintext has no octets. GB/T 32918.4 has no ciphertext for it: the key stream of length 0 cannot
    /// be told from an all-zero one.
    EmptyPlaintext,
    /// An SM2 identifier is longer than 8191 octets, so that its length in bits does not fit ENTL.
    IdTooLong {
        /// The length given, in octets.
        octets: usize,
    },
    /// A password-based key was asked for with no iteration at all.
    Iterations,
    /// The two sides of a key exchange do not come to one key: the confirmation value is wrong, or the other side's
    /// keys cancel each other.
    KeyExchange,
    /// Octets are not an SM2 private key: the number is not in `1..=n-2`.
    PrivateKey,
    /// Octets are not an SM2 public key.
    PublicKey {
        /// The rule that was broken.
        reason: &'static str,
    },
    /// The random number generator failed, or gave nothing usable in many attempts. There is no fallback.
    Rng,
    /// A known-answer test of [`self_test`](crate::self_test()) failed: do not use this build.
    SelfTest {
        /// The algorithm that gave a wrong answer.
        algorithm: &'static str,
    },
    /// The signature is well formed and does not fit key, identifier and message.
    Signature,
    /// Octets are not an SM2 signature: bad DER, or r or s outside `1..=n-1`.
    SignatureEncoding {
        /// The rule that was broken.
        reason: &'static str,
    },
    /// The input is longer than the algorithm allows (SM2: 2³²−1 blocks of 32 octets; GCM: 2³⁶−32 octets).
    TooLong {
        /// The length given, in octets.
        octets: usize,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ciphertext { reason } => write!(f, "malformed SM2 ciphertext: {reason}"),
            Self::Decrypt => f.write_str("decryption failed"),
            Self::EmptyPlaintext => {
                f.write_str("SM2 cannot encrypt an empty plaintext: give at least one octet")
            }
            Self::IdTooLong { octets } => {
                write!(f, "SM2 identifier of {octets} octets: at most 8191 octets fit the ENTL field")
            }
            Self::Iterations => f.write_str("PBKDF2 with no iterations: at least one is needed, better 600000"),
            Self::KeyExchange => f.write_str(
                "the SM2 key exchange was not confirmed: the other side has another key, identifier or message",
            ),
            Self::PrivateKey => f.write_str("SM2 private key out of range: it must be from 1 to n-2"),
            Self::PublicKey { reason } => write!(f, "invalid SM2 public key: {reason}"),
            Self::Rng => f.write_str("the random number generator failed: check the system's entropy source"),
            Self::SelfTest { algorithm } => {
                write!(f, "self-test of {algorithm} gave a wrong answer: do not use this build")
            }
            Self::Signature => f.write_str("SM2 signature does not match key, identifier and message"),
            Self::SignatureEncoding { reason } => write!(f, "malformed SM2 signature: {reason}"),
            Self::TooLong { octets } => {
                write!(f, "input of {octets} octets is longer than the algorithm allows")
            }
        }
    }
}

impl core::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn words_say_what_was_wrong_and_decryption_says_nothing() {
        let shown = |error: Error| error.to_string();
        assert_eq!(shown(Error::Decrypt), "decryption failed");
        assert!(shown(Error::IdTooLong { octets: 9000 }).contains("9000 octets: at most 8191"));
        assert!(shown(Error::PublicKey { reason: "empty" }).ends_with("public key: empty"));
        assert!(shown(Error::Ciphertext { reason: "C2 is empty" }).contains("C2 is empty"));
        assert!(shown(Error::SelfTest { algorithm: "SM4" }).contains("SM4"));
        assert!(shown(Error::TooLong { octets: 5 }).contains('5'));
    }
}
