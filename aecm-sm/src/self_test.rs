//! Known answers, checked in the program that uses them.

use crate::{
    Error,
    sm2::{CiphertextForm, DEFAULT_ID, PrivateKey, Signature},
    sm3, sm4,
};

/// SM3("abc"), GB/T 32905 annex A.1.
const SM3_ABC: &[u8; 32] = b"\x66\xc7\xf0\xf4\x62\xee\xed\xd9\xd1\xf2\xd4\x6b\xdc\x10\xe4\xe2\
    \x41\x67\xc4\x87\x5c\xf2\xf7\xa2\x29\x7d\xa0\x2b\x8f\x4b\xa8\xe0";

/// Key and plaintext of GB/T 32907 annex A.1.
const SM4_KEY: &[u8; 16] = b"\x01\x23\x45\x67\x89\xab\xcd\xef\xfe\xdc\xba\x98\x76\x54\x32\x10";

/// The ciphertext of GB/T 32907 annex A.1: the first block of CBC with an IV of zeros.
const SM4_BLOCK: &[u8; 16] = b"\x68\x1e\xdf\x34\xd2\x06\x96\x5e\x86\xb3\xe9\x4f\x53\x6e\x42\x46";

/// The key of the examples of GB/T 32918.5.
const SM2_D: &[u8; 32] = b"\x39\x45\x20\x8f\x7b\x21\x44\xb1\x3f\x36\xe3\x8a\xc6\xd3\x9f\x95\
    \x88\x93\x93\x69\x28\x60\xb5\x1a\x42\xfb\x81\xef\x4d\xf7\xc5\xb8";

/// r‖s over "message digest", GB/T 32918.5 annex A.
const SM2_SIGNATURE: &[u8; 64] = b"\xf5\xa0\x3b\x06\x48\xd2\xc4\x63\x0e\xea\xc5\x13\xe1\xbb\x81\xa1\
    \x59\x44\xda\x38\x27\xd5\xb7\x41\x43\xac\x7e\xac\xee\xe7\x20\xb3\
    \xb1\xb6\xaa\x29\xdf\x21\x2f\xd8\x76\x31\x82\xbc\x0d\x42\x1c\xa1\
    \xbb\x90\x38\xfd\x1f\x7f\x42\xd4\x84\x0b\x69\xc4\x85\xbb\xc1\xaa";

/// "encryption standard" as DER SM2Cipher, GB/T 32918.5 annex C.
const SM2_CIPHER: &[u8] = b"\x30\x7c\x02\x20\x04\xeb\xfc\x71\x8e\x8d\x17\x98\x62\x04\x32\x26\
    \x8e\x77\xfe\xb6\x41\x5e\x2e\xde\x0e\x07\x3c\x0f\x4f\x64\x0e\xcd\x2e\x14\x9a\x73\x02\x21\x00\
    \xe8\x58\xf9\xd8\x1e\x54\x30\xa5\x7b\x36\xda\xab\x8f\x95\x0a\x3c\x64\xe6\xee\x6a\x63\x09\x4d\x99\
    \x28\x3a\xff\x76\x7e\x12\x4d\xf0\x04\x20\x59\x98\x3c\x18\xf8\x09\xe2\x62\x92\x3c\x53\xae\xc2\x95\
    \xd3\x03\x83\xb5\x4e\x39\xd6\x09\xd1\x60\xaf\xcb\x19\x08\xd0\xbd\x87\x66\x04\x13\x21\x88\x6c\xa9\
    \x89\xca\x9c\x7d\x58\x08\x73\x07\xca\x93\x09\x2d\x65\x1e\xfa";

/// Runs the known-answer tests of SM3, SM4, SM2 verification and SM2 decryption; about a millisecond.
///
/// For programs that must show at start that the code they run gives the answers of the standards.
///
/// # Errors
///
/// [`Error::SelfTest`] names the first algorithm that gave a wrong answer.
pub fn self_test() -> Result<(), Error> {
    check("SM3", sm3::hash(b"abc") == *SM3_ABC)?;
    check("SM4", sm4::cbc_encrypt(SM4_KEY, &[0; 16], SM4_KEY).starts_with(SM4_BLOCK))?;
    let block = sm4::cbc_decrypt(SM4_KEY, &[0; 16], &sm4::cbc_encrypt(SM4_KEY, &[0; 16], SM4_KEY));
    check("SM4", block.is_ok_and(|block| block.as_slice() == SM4_KEY))?;

    const SIGNATURE: &str = "SM2 signature";
    let key = named(SIGNATURE, PrivateKey::from_bytes(SM2_D))?;
    let signature = named(SIGNATURE, Signature::from_bytes(SM2_SIGNATURE))?;
    named(SIGNATURE, key.public_key().verify(DEFAULT_ID, b"message digest", &signature))?;
    check(SIGNATURE, key.public_key().verify(DEFAULT_ID, b"Message digest", &signature).is_err())?;

    const DECRYPTION: &str = "SM2 decryption";
    let plaintext = named(DECRYPTION, key.decrypt(SM2_CIPHER, CiphertextForm::Der))?;
    check(DECRYPTION, plaintext.as_slice() == b"encryption standard")
}

fn check(algorithm: &'static str, right: bool) -> Result<(), Error> {
    if right { Ok(()) } else { Err(Error::SelfTest { algorithm }) }
}

fn named<T>(algorithm: &'static str, result: Result<T, Error>) -> Result<T, Error> {
    result.map_err(|_| Error::SelfTest { algorithm })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_those_of_the_standards() {
        self_test().unwrap();
    }

    #[test]
    fn a_wrong_answer_names_its_algorithm() {
        assert_eq!(check("SM4", false), Err(Error::SelfTest { algorithm: "SM4" }));
        assert_eq!(named::<()>("SM3", Err(Error::Decrypt)), Err(Error::SelfTest { algorithm: "SM3" }));
    }
}
