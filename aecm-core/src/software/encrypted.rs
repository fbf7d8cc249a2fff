//! Private keys under a password; and what a file holds, in words.

use alloc::string::String;
use alloc::vec::Vec;

use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

use crate::embed::Rng;
use crate::limits::Limits;
use crate::password::{self, Encryption, PasswordError};
use crate::public_key::KeyKind;
use crate::tlv::{Reader, Rules};

use super::pem::Label;
use super::{SoftwareKey, SoftwareKeyError, pem, read};

impl SoftwareKey {
    /// Reads an EncryptedPrivateKeyInfo (RFC 5958 §3) in DER: PBES2 with PBKDF2 or scrypt, and AES, SM4 or triple
    /// DES in CBC.
    ///
    /// # Errors
    /// [`SoftwareKeyError::Password`], which says when the password is wrong; what
    /// [`from_pkcs8_der`](Self::from_pkcs8_der) finds in what was decrypted.
    pub fn from_encrypted_der(
        der: &[u8],
        password: &[u8],
        limits: &Limits,
    ) -> Result<Self, SoftwareKeyError> {
        let plain = password::decrypt(der, password, limits)?;
        // The padding passes one wrong password in 256; what comes out is hardly ever one whole SEQUENCE.
        let mut outer = Reader::new(&plain, Rules::Der, limits);
        if outer.sequence().and_then(|_| outer.finish()).is_err() {
            return Err(SoftwareKeyError::Password(PasswordError::WrongPassword));
        }
        read::any(&plain)
    }

    /// Reads the one private key of a PEM text as [`from_pem`](Self::from_pem) does, and `ENCRYPTED PRIVATE KEY`
    /// too. For a key that is not encrypted the password is not looked at.
    ///
    /// ```
    /// use aecm_core::limits::Limits;
    /// use aecm_core::software::SoftwareKey;
    ///
    /// let text = include_str!("../../tests/vectors/password/sm2-sm4.pem");
    /// let key = SoftwareKey::from_pem_with_password(text, b"test", &Limits::default())?;
    /// assert_eq!((key.algorithm(), key.bits()), ("SM2", 256));
    /// # Ok::<(), aecm_core::software::SoftwareKeyError>(())
    /// ```
    ///
    /// # Errors
    /// As [`from_pem`](Self::from_pem) and [`from_encrypted_der`](Self::from_encrypted_der).
    pub fn from_pem_with_password(
        text: &str,
        password: &[u8],
        limits: &Limits,
    ) -> Result<Self, SoftwareKeyError> {
        match pem::private_key(text)? {
            (Label::Encrypted, der) => Self::from_encrypted_der(&der, password, limits),
            (label, der) => read::labelled(label, &der),
        }
    }

    /// The key as EncryptedPrivateKeyInfo in DER.
    ///
    /// # Errors
    /// [`PasswordError::Rng`]; [`PasswordError::Iterations`] for none.
    pub fn to_encrypted_der(
        &self,
        password: &[u8],
        encryption: Encryption,
        rng: &dyn Rng,
    ) -> Result<Vec<u8>, PasswordError> {
        password::encrypt(&self.to_pkcs8_der(), password, encryption, rng)
    }

    /// The same as a PEM text, `ENCRYPTED PRIVATE KEY` (RFC 7468 §11), with line feeds.
    ///
    /// # Errors
    /// As [`to_encrypted_der`](Self::to_encrypted_der).
    pub fn to_encrypted_pem(
        &self,
        password: &[u8],
        encryption: Encryption,
        rng: &dyn Rng,
    ) -> Result<String, PasswordError> {
        let der = self.to_encrypted_der(password, encryption, rng)?;
        Ok(pem_text("ENCRYPTED PRIVATE KEY", &der).as_str().into())
    }

    /// The key as a PEM text, `PRIVATE KEY` (RFC 7468 §10), not encrypted, with line feeds.
    #[must_use]
    pub fn to_pkcs8_pem(&self) -> Zeroizing<String> {
        pem_text("PRIVATE KEY", &self.to_pkcs8_der())
    }

    /// What kind of key it is, in a word: `RSA`, `P-256`, `P-384`, `SM2`.
    #[must_use]
    pub fn algorithm(&self) -> &'static str {
        match self.public_key.kind() {
            KeyKind::Rsa { .. } => "RSA",
            KeyKind::P256 => "P-256",
            KeyKind::P384 => "P-384",
            KeyKind::Sm2 => "SM2",
        }
    }

    /// The bits of the modulus or of the field of the curve.
    #[must_use]
    pub fn bits(&self) -> usize {
        match self.public_key.kind() {
            KeyKind::Rsa { bits } => bits,
            KeyKind::P256 | KeyKind::Sm2 => 256,
            KeyKind::P384 => 384,
        }
    }
}

/// Lines of 64 (RFC 7468 §2), in one allocation that is never moved.
fn pem_text(label: &str, der: &[u8]) -> Zeroizing<String> {
    let base64 = Zeroizing::new(Base64::encode_string(der));
    let mut text =
        Zeroizing::new(String::with_capacity(base64.len() / 64 + base64.len() + 2 * label.len() + 40));
    let boundary = |text: &mut String, word: &str| {
        for part in ["-----", word, " ", label, "-----\n"] {
            text.push_str(part);
        }
    };
    boundary(&mut text, "BEGIN");
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        // base64 is ASCII, so any place is between characters.
        let (line, after) = rest.split_at_checked(64).unwrap_or((rest, ""));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    boundary(&mut text, "END");
    text
}
