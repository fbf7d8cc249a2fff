//! Pieces of messages that other programs wrote; see tests/vectors/peers/README.md.

use aecm_sm::{
    Error,
    sm2::{CiphertextForm, DEFAULT_ID, PrivateKey, Signature},
    sm4::{
        self, Sm4,
        cipher::{BlockCipherDecrypt, KeyInit},
    },
};
use aes_gcm::{Aes256Gcm, aead::AeadInOut};

macro_rules! vector {
    ($name:literal) => {
        include_bytes!(concat!("../vectors/peers/", $name))
    };
}

const MESSAGE: &[u8] = vector!("msg.txt");

fn key(octets: &[u8; 32]) -> PrivateKey {
    PrivateKey::from_bytes(octets).unwrap()
}

fn encryption_key() -> PrivateKey {
    key(vector!("sm2-enc.key.bin"))
}

fn content_key(wrapped: &[u8], form: CiphertextForm) -> [u8; 16] {
    encryption_key().decrypt(wrapped, form).unwrap().as_slice().try_into().unwrap()
}

#[test]
fn gmsm_der_key_opens_its_content() {
    let key = content_key(vector!("gmsm-key.sm2cipher.der"), CiphertextForm::Der);
    let content = sm4::cbc_decrypt(&key, vector!("gmsm-iv.bin"), vector!("gmsm-content.sm4cbc.bin"));
    assert_eq!(*content.unwrap(), MESSAGE);
}

#[test]
fn bouncy_castle_186_c1c3c2_key_opens_its_content() {
    let key = content_key(vector!("bc186-key.c1c3c2.bin"), CiphertextForm::C1C3C2);
    let content = sm4::cbc_decrypt(&key, vector!("bc186-iv.bin"), vector!("bc186-content.sm4cbc.bin"));
    assert_eq!(*content.unwrap(), MESSAGE);
}

#[test]
fn bouncy_castle_172_c1c2c3_key_opens_its_content() {
    let wrapped = vector!("bc172-key.c1c2c3.bin");
    let key = encryption_key().decrypt(wrapped, CiphertextForm::C1C2C3).unwrap();
    let mut content = vector!("bc172-content.aes256gcm.bin").to_vec();
    Aes256Gcm::new_from_slice(&key)
        .unwrap()
        .decrypt_inout_detached(
            vector!("bc172-nonce.bin").into(),
            b"",
            content.as_mut_slice().into(),
            vector!("bc172-tag.bin").into(),
        )
        .unwrap();
    assert_eq!(content, MESSAGE);
}

/// G8: both wrote the same algorithm identifier, and the wrong order fails like a wrong key.
#[test]
fn g8_the_order_is_never_guessed() {
    let key = encryption_key();
    let (new, old) = (vector!("bc186-key.c1c3c2.bin"), vector!("bc172-key.c1c2c3.bin"));
    assert_eq!(key.decrypt(new, CiphertextForm::C1C2C3), Err(Error::Decrypt));
    assert_eq!(key.decrypt(old, CiphertextForm::C1C3C2), Err(Error::Decrypt));
    for octets in [&new[..], old] {
        assert!(matches!(key.decrypt(octets, CiphertextForm::Der), Err(Error::Ciphertext { .. })));
    }
}

#[test]
fn wrapped_keys_do_not_open_for_another() {
    let other = key(vector!("sm2-sig.key.bin"));
    for (octets, form) in [
        (&vector!("gmsm-key.sm2cipher.der")[..], CiphertextForm::Der),
        (vector!("bc186-key.c1c3c2.bin"), CiphertextForm::C1C3C2),
        (vector!("bc172-key.c1c2c3.bin"), CiphertextForm::C1C2C3),
    ] {
        assert_eq!(other.decrypt(octets, form), Err(Error::Decrypt));
    }
}

/// G9: the private key that comes out belongs to the encryption certificate.
#[test]
fn g9_gmsm_enveloped_key_gives_the_encryption_key() {
    let signing = key(vector!("sm2-sig.key.bin"));
    let kek = signing.decrypt(vector!("gmsm-enveloped-key.sm2cipher.der"), CiphertextForm::Der).unwrap();
    let cipher = Sm4::new_from_slice(&kek).unwrap();
    let mut d = [0; 32];
    let halves = vector!("gmsm-enveloped-key.sm4ecb.bin").as_chunks::<16>().0;
    for (to, half) in d.chunks_mut(16).zip(halves) {
        let mut block = (*half).into();
        cipher.decrypt_block(&mut block);
        to.copy_from_slice(&block);
    }
    assert_eq!(key(&d).public_key(), encryption_key().public_key());
    // Read with the wrong key there is nothing to compare.
    let wrapped = vector!("gmsm-enveloped-key.sm2cipher.der");
    assert_eq!(encryption_key().decrypt(wrapped, CiphertextForm::Der), Err(Error::Decrypt));
}

#[test]
fn openssl_40_signature_over_signed_attributes() {
    let key = key(vector!("sm2-sig.key.bin"));
    let attributes = vector!("openssl40-attributes.der");
    let signature = Signature::from_der(vector!("openssl40-signature.der")).unwrap();
    key.public_key().verify(DEFAULT_ID, attributes, &signature).unwrap();
    // As they stand in the message, with [0] for the tag of SET, they were not signed.
    let mut tagged = attributes.to_vec();
    tagged[0] = 0xa0;
    assert_eq!(key.public_key().verify(DEFAULT_ID, &tagged, &signature), Err(Error::Signature));
    assert_eq!(key.public_key().verify(b"", attributes, &signature), Err(Error::Signature));
}

#[test]
fn openssl_30_certificate_signature() {
    let ca = key(vector!("sm2-ca.key.bin"));
    let signature = Signature::from_der(vector!("certificate-signature.der")).unwrap();
    ca.public_key().verify(DEFAULT_ID, vector!("certificate-tbs.der"), &signature).unwrap();
    let subject = key(vector!("sm2-sig.key.bin"));
    assert_eq!(
        subject.public_key().verify(DEFAULT_ID, vector!("certificate-tbs.der"), &signature),
        Err(Error::Signature)
    );
}
