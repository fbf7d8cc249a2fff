//! Bodies of the fuzz targets: outside octets in, invariants asserted. Not part of the API.

use alloc::vec::Vec;

use crate::{
    Error,
    sm2::{CiphertextForm, DEFAULT_ID, PrivateKey, Signature},
};

/// The forms with a number that lets a target choose.
const FORMS: [CiphertextForm; 3] = [CiphertextForm::Der, CiphertextForm::C1C3C2, CiphertextForm::C1C2C3];

/// Any octets as an SM2 ciphertext, in every form.
///
/// Decryption never panics, fails only in the two ways it may, and what it accepts has one spelling: any octet
/// more or less is refused.
///
/// # Panics
///
/// Where an invariant does not hold.
pub fn sm2_ciphertext(data: &[u8]) {
    let key = PrivateKey::from_bytes(&[7; 32]);
    let Ok(key) = key else { return };
    for form in FORMS {
        match key.decrypt(data, form) {
            Ok(plaintext) => {
                assert!(!plaintext.is_empty(), "an empty plaintext has no ciphertext");
                assert!(plaintext.len() + 96 <= data.len(), "C2 is as long as the plaintext");
                let mut longer = data.to_vec();
                longer.push(0);
                assert!(key.decrypt(&longer, form).is_err(), "a trailing octet was taken");
                let shorter = data.split_last().map_or(data, |(_, rest)| rest);
                assert!(key.decrypt(shorter, form).is_err(), "a missing octet was not noticed");
            }
            Err(error) => assert!(
                matches!(error, Error::Decrypt | Error::Ciphertext { .. }),
                "decryption failed in another way: {error}"
            ),
        }
    }
}

/// Any octets as an SM2 signature, in DER and as r‖s.
///
/// What the DER reader accepts it writes again octet for octet, the two encodings agree, and no signature made
/// up like this verifies.
///
/// # Panics
///
/// Where an invariant does not hold.
pub fn sm2_signature(data: &[u8]) {
    if let Ok(signature) = Signature::from_der(data) {
        assert_eq!(signature.to_der(), data, "the DER form is not unique");
        check(&signature);
    }
    if let Some(bytes) = data.first_chunk::<64>()
        && let Ok(signature) = Signature::from_bytes(bytes)
    {
        assert_eq!(&signature.to_bytes(), bytes, "r‖s changed on the way");
        check(&signature);
    }
}

fn check(signature: &Signature) {
    assert_eq!(Signature::from_der(&signature.to_der()).as_ref(), Ok(signature));
    assert_eq!(Signature::from_bytes(&signature.to_bytes()).as_ref(), Ok(signature));
    let Ok(key) = PrivateKey::from_bytes(&[7; 32]) else { return };
    // The hash is bound to the signature, so that a fuzzer cannot work towards a match.
    let message: Vec<u8> = [b"fuzz".as_slice(), &signature.to_bytes()].concat();
    assert_eq!(key.public_key().verify(DEFAULT_ID, &message, signature), Err(Error::Signature));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_hold_for_true_and_odd_inputs() {
        let mut rng = getrandom::SysRng;
        let key = PrivateKey::from_bytes(&[7; 32]).unwrap();
        let ciphertext = key.public_key().encrypt_der(b"content key", &mut rng).unwrap();
        assert!(key.decrypt(&ciphertext, CiphertextForm::Der).is_ok());
        let signature = key.sign(DEFAULT_ID, b"m", &mut rng).unwrap();
        for data in [&ciphertext, &signature.to_der(), &signature.to_bytes().to_vec(), &Vec::new()] {
            for length in 0..=data.len() {
                sm2_ciphertext(&data[..length]);
                sm2_signature(&data[..length]);
            }
        }
    }
}
