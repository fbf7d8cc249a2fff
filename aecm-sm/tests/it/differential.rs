//! The same inputs to this crate and to the `sm2` crate's own signing, verification and encryption, of which
//! this crate uses only the arithmetic beneath.

use core::convert::Infallible;

use aecm_sm::sm2::{CiphertextForm, PrivateKey, PublicKey, Signature};
use getrandom::SysRng;
use proptest::prelude::*;
use rand_core::{TryCryptoRng, TryRng};

use crate::support::cases;
use sm2::{
    SecretKey,
    dsa::{
        Signature as OracleSignature, SigningKey, VerifyingKey,
        signature::{
            RandomizedSigner, Verifier,
            hazmat::{PrehashVerifier, RandomizedPrehashSigner},
        },
    },
    pke::{DecryptingKey, EncryptingKey, Mode},
};

/// A generator that always gives the same octet.
struct Constant(u8);

impl TryRng for Constant {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_be_bytes([self.0; 4]))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_be_bytes([self.0; 8]))
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Infallible> {
        to.fill(self.0);
        Ok(())
    }
}

impl TryCryptoRng for Constant {}

/// Any key that both crates take.
fn keys() -> impl Strategy<Value = (PrivateKey, SecretKey)> {
    any::<[u8; 32]>().prop_filter_map("out of range", |d| {
        Some((PrivateKey::from_bytes(&d).ok()?, SecretKey::from_slice(&d).ok()?))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(u32::try_from(cases(10_000)).unwrap()) })]

    #[test]
    fn public_keys_and_points_agree((ours, theirs) in keys(), sec1 in any::<[u8; 33]>(), tag in 0_u8..8) {
        prop_assert_eq!(ours.public_key().to_sec1_bytes().to_vec(), theirs.public_key().to_sec1_bytes().to_vec());
        let mut sec1 = sec1;
        sec1[0] = tag;
        let read = PublicKey::from_sec1_bytes(&sec1);
        match sm2::PublicKey::from_sec1_bytes(&sec1) {
            Ok(point) if tag == 2 || tag == 3 => {
                prop_assert_eq!(read.unwrap().to_sec1_bytes().to_vec(), point.to_sec1_bytes().to_vec());
            }
            _ => prop_assert!(read.is_err()),
        }
    }

    #[test]
    fn signatures_cross((ours, theirs) in keys(), id in "[ -~]{0,80}", message: Vec<u8>) {
        let signing = SigningKey::new(&id, &theirs).unwrap();
        let verifying = VerifyingKey::new(&id, theirs.public_key()).unwrap();

        let signature = ours.sign(id.as_bytes(), &message, &mut SysRng).unwrap();
        verifying.verify(&message, &OracleSignature::from_slice(&signature.to_bytes()).unwrap()).unwrap();
        prop_assert_eq!(OracleSignature::from_der(&signature.to_der()).unwrap().to_vec(), signature.to_bytes());

        let signature: OracleSignature = signing.sign_with_rng(&mut rand_core::UnwrapErr(SysRng), &message);
        let read = Signature::from_der(&signature.to_der().to_vec()).unwrap();
        ours.public_key().verify(id.as_bytes(), &message, &read).unwrap();
    }

    /// With the same noise both give the same octets: nonce, arithmetic and encoding are equal.
    #[test]
    fn hedged_nonces_agree((ours, theirs) in keys(), e: [u8; 32], noise: u8) {
        let signing = SigningKey::new("", &theirs).unwrap();
        let expected: OracleSignature =
            signing.sign_prehash_with_rng(&mut Constant(noise), &e).unwrap();
        prop_assert_eq!(ours.sign_e(&e, &mut Constant(noise)).unwrap().to_bytes().to_vec(), expected.to_vec());
    }

    /// Arbitrary r, s and e: the verdicts are the same.
    #[test]
    fn verdicts_agree((ours, theirs) in keys(), e: [u8; 32], bytes in any::<[[u8; 32]; 2]>(), flip in 0_usize..1024) {
        let verifying = VerifyingKey::new("", theirs.public_key()).unwrap();
        let mut candidates = vec![bytes.concat()];
        let mut near = ours.sign_e(&e, &mut SysRng).unwrap().to_bytes();
        candidates.push(near.to_vec());
        if let Some(octet) = near.get_mut(flip / 8) {
            *octet ^= 1 << (flip % 8);
        }
        candidates.push(near.to_vec());
        for candidate in candidates {
            let theirs = OracleSignature::from_slice(&candidate).map(|s| verifying.verify_prehash(&e, &s).is_ok());
            let ours = Signature::from_bytes(&candidate.try_into().unwrap())
                .map(|s| ours.public_key().verify_e(&e, &s).is_ok());
            prop_assert_eq!(ours.ok(), theirs.ok());
        }
    }

    /// Random octets, and octets that begin like DER: no panic, no success.
    #[test]
    fn noise_is_refused(data: Vec<u8>, key in keys()) {
        for data in [data.clone(), [&[0x30, 0x44, 0x02, 0x20][..], &data].concat(), [&[4][..], &data].concat()] {
            for form in [CiphertextForm::Der, CiphertextForm::C1C3C2, CiphertextForm::C1C2C3] {
                prop_assert!(key.0.decrypt(&data, form).is_err());
            }
            if let Ok(signature) = Signature::from_der(&data) {
                prop_assert_eq!(signature.to_der(), data.clone());
            }
            aecm_sm::fuzzing::sm2_ciphertext(&data);
            aecm_sm::fuzzing::sm2_signature(&data);
        }
    }
}

proptest! {
    // Four ciphertexts and nine decryptions a case.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(u32::try_from(cases(2_500)).unwrap()) })]

    #[test]
    fn ciphertexts_cross((ours, theirs) in keys(), plaintext in prop::collection::vec(any::<u8>(), 2..300)) {
        let scalar = theirs.to_nonzero_scalar();
        let ciphertext = ours.public_key().encrypt_der(&plaintext, &mut SysRng).unwrap();
        prop_assert_eq!(&DecryptingKey::new(theirs.clone()).decrypt_der(&ciphertext).unwrap(), &plaintext);

        let new = EncryptingKey::new_with_mode(theirs.public_key(), Mode::C1C3C2);
        let old = EncryptingKey::new_with_mode(theirs.public_key(), Mode::C1C2C3);
        let der = new.encrypt_der(&mut SysRng, &plaintext).unwrap();
        prop_assert_eq!(&*ours.decrypt(&der, CiphertextForm::Der).unwrap(), &plaintext);
        for (key, mode, form) in [
            (&new, Mode::C1C3C2, CiphertextForm::C1C3C2),
            (&old, Mode::C1C2C3, CiphertextForm::C1C2C3),
        ] {
            let raw = key.encrypt(&mut SysRng, &plaintext).unwrap();
            prop_assert_eq!(&*ours.decrypt(&raw, form).unwrap(), &plaintext);
            let bare = raw.strip_prefix(&[4]).unwrap_or(&raw);
            prop_assert_eq!(&*ours.decrypt(bare, form).unwrap(), &plaintext);
            // One bit off: both refuse.
            let mut changed = raw.clone();
            *changed.last_mut().unwrap() ^= 1;
            prop_assert!(ours.decrypt(&changed, form).is_err());
            prop_assert!(DecryptingKey::new_with_mode(scalar, mode).decrypt(&changed).is_err());
        }
    }
}
