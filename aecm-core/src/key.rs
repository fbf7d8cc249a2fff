//! Keys are handles: what a private key can be asked to do, wherever it lives (DESIGN, rule 2).

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use aecm_sm::sm2::CiphertextForm;
use zeroize::Zeroizing;

use crate::digest::DigestAlgorithm;
use crate::ecdh::KeyWrap;
use crate::embed::MaybeSendSync;
use crate::public_key::PublicKey;
use crate::signature::SignatureAlgorithm;

/// A private key that signs: mail, timestamps, CSRs of signing keys, ACME requests.
#[cfg_attr(not(target_family = "wasm"), async_trait::async_trait)]
#[cfg_attr(target_family = "wasm", async_trait::async_trait(?Send))]
pub trait Signer: MaybeSendSync {
    /// The public half.
    fn public_key(&self) -> &PublicKey;

    /// The algorithm this key prefers; [`Signer::sign`] accepts at least this one.
    fn algorithm(&self) -> SignatureAlgorithm;

    /// Signs `message` (not a digest of it).
    ///
    /// The form of the value is that of CMS and X.509: RSA the octets of RFC 8017, ECDSA and SM2 the DER
    /// SEQUENCE of two INTEGERs. SM2 signs with the default identifier (GB/T 35276).
    ///
    /// # Errors
    /// [`KeyError`] when the key cannot be used now or not with that algorithm.
    async fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Result<Vec<u8>, KeyError>;
}

/// How a content-encryption key was wrapped for a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecipientParameters<'a> {
    /// RSAES-OAEP (RFC 8017 §7.1, RFC 3560).
    RsaOaep {
        /// The hash of the label.
        digest: DigestAlgorithm,
        /// The hash of MGF1.
        mgf_digest: DigestAlgorithm,
        /// The label (pSpecified), mostly empty.
        label: &'a [u8],
    },
    /// RSAES-PKCS1-v1_5 (RFC 8017 §7.2): read only.
    RsaPkcs1,
    /// SM2 public-key encryption (GB/T 32918.4).
    Sm2 {
        /// The form of the ciphertext.
        form: CiphertextForm,
    },
    /// One-pass ECDH on the key's curve, P-256 or P-384, with the KDF of X9.63 and AES key wrap (RFC 5753 §3.1);
    /// the ciphertext is the wrapped key.
    Ecdh {
        /// The sender's public key, a point as SEC 1 §2.3.3 encodes it.
        originator: &'a [u8],
        /// The hash of the KDF.
        kdf: DigestAlgorithm,
        /// The key wrap.
        wrap: KeyWrap,
        /// SharedInfo of the KDF: ECC-CMS-SharedInfo in DER.
        shared_info: &'a [u8],
    },
}

/// A private key that opens what was encrypted to it, and signs nothing but its own CSR.
#[cfg_attr(not(target_family = "wasm"), async_trait::async_trait)]
#[cfg_attr(target_family = "wasm", async_trait::async_trait(?Send))]
pub trait Decryptor: MaybeSendSync {
    /// The public half.
    fn public_key(&self) -> &PublicKey;

    /// Unwraps a content-encryption key of `key_length` octets.
    ///
    /// Padding, length and integrity failures are *not* errors (THREATS E1): they give a key of that length
    /// which is a pseudo-random function of a secret of this key and the ciphertext, the same at every call,
    /// so that content decryption goes on and fails like any other.
    ///
    /// # Errors
    /// [`KeyError`] only when the key is absent, locked or out of reach, or cannot do `parameters` at all.
    async fn unwrap_key(
        &self,
        parameters: &RecipientParameters<'_>,
        ciphertext: &[u8],
        key_length: usize,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError>;

    /// The algorithm of [`Decryptor::prove_possession`].
    fn proof_algorithm(&self) -> SignatureAlgorithm;

    /// Signs a CertificationRequestInfo (RFC 2986 §4.1) that names this very key, and nothing else.
    ///
    /// # Errors
    /// [`KeyError::Refused`] for any other octets; else as [`Signer::sign`].
    async fn prove_possession(&self, certification_request_info: &[u8]) -> Result<Vec<u8>, KeyError>;
}

/// Why a key handle did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// There is no such key.
    Absent,
    /// The key is there and locked; unlock the store or token.
    Locked,
    /// The device or service that holds the key did not answer.
    Transport(String),
    /// The random source failed.
    Rng,
    /// This key cannot do that algorithm.
    Unsupported(&'static str),
    /// The key refuses what it was asked, by its rules.
    Refused(&'static str),
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("the private key is not here"),
            Self::Locked => f.write_str("the private key is locked; unlock its store first"),
            Self::Transport(detail) => write!(f, "the holder of the private key did not answer: {detail}"),
            Self::Rng => f.write_str("the random number source failed; nothing was signed or generated"),
            Self::Unsupported(what) => write!(f, "this private key cannot do {what}"),
            Self::Refused(why) => write!(f, "the private key refused: {why}"),
        }
    }
}

impl core::error::Error for KeyError {}

impl From<crate::embed::RngError> for KeyError {
    fn from(_: crate::embed::RngError) -> Self {
        Self::Rng
    }
}
