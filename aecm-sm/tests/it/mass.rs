//! A million cases of SM3 and SM4, in every form that this CPU runs, against the crates `sm3` and `sm4`; ten thousand of
//! each mode against RustCrypto's. AECM_SM_CASES=10 makes it ten times as many.

use aecm_sm::sm3::{self, Form};
use aecm_sm::sm4::{
    Backend, Ctr, Gcm, Sm4, cbc_decrypt, cbc_encrypt,
    cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, BlockModeEncrypt, InnerIvInit, KeyInit},
};
use aes_gcm::aead::AeadInOut;
use ctr::cipher::{KeyIvInit, StreamCipher};

use crate::support::{Noise, cases};

type OracleGcm = aes_gcm::AesGcm<::sm4::Sm4, aes_gcm::aead::consts::U12>;

#[test]
fn a_million_hashes() {
    use ::sm3::Digest;
    let mut noise = Noise::new(3);
    let groups = cases(1_000_000) / 25;
    let mut checked = 0;
    for group in 0..groups {
        // Mostly about the edges of one block and two, sometimes far more.
        let longest = if group % 500 == 0 { 5000 } else { 200 };
        let messages: Vec<Vec<u8>> = (0..25)
            .map(|_| {
                let length = noise.below(longest);
                noise.octets(length)
            })
            .collect();
        let expected: Vec<[u8; 32]> =
            messages.iter().map(|message| ::sm3::Sm3::digest(message).into()).collect();
        let borrowed: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
        for form in Form::ALL.into_iter().filter(|form| form.is_available()) {
            assert_eq!(form.hash_many(&borrowed).unwrap(), expected, "{}", form.name());
        }
        for (message, expected) in messages.iter().zip(&expected) {
            assert_eq!(sm3::hash(message), *expected);
        }
        checked += expected.len();
    }
    assert!(checked >= 999_990, "{checked} messages");
}

#[test]
fn a_million_blocks() {
    let mut noise = Noise::new(4);
    for run in 0..cases(1_000_000) / 100 {
        let key: [u8; 16] = match run {
            0 => [0; 16],
            1 => [0xff; 16],
            _ => noise.octets(16).try_into().unwrap(),
        };
        let plain: Vec<Array<u8, _>> = match run {
            2 => vec![[0; 16].into(); 100],
            3 => vec![[0xff; 16].into(); 100],
            _ => noise.octets(1600).chunks(16).map(|block| Array::try_from(block).unwrap()).collect(),
        };
        let oracle = ::sm4::Sm4::new(&key.into());
        let mut expected = plain.clone();
        expected.iter_mut().for_each(|block| oracle.encrypt_block(block));
        for backend in Backend::ALL.into_iter().filter(|backend| backend.is_available()) {
            let cipher = Sm4::with_backend(&key, backend).unwrap();
            let mut blocks = plain.clone();
            // All at once, and some alone.
            cipher.encrypt_blocks(&mut blocks);
            assert!(blocks == expected, "{} with key {key:x?}", backend.name());
            let (alone, together) = blocks.split_at_mut(run % 20);
            alone.iter_mut().for_each(|block| cipher.decrypt_block(block));
            cipher.decrypt_blocks(together);
            assert!(blocks == plain, "{} with key {key:x?}", backend.name());
        }
    }
}

#[test]
fn ten_thousand_messages_in_each_mode() {
    let mut noise = Noise::new(5);
    for run in 0..cases(10_000) {
        let key: [u8; 16] = noise.octets(16).try_into().unwrap();
        let nonce: [u8; 12] = noise.octets(12).try_into().unwrap();
        let mut iv: [u8; 16] = noise.octets(16).try_into().unwrap();
        if run % 10 == 0 {
            // The counter runs over.
            iv[2..].fill(0xff);
        }
        let length = noise.below(if run % 20 == 0 { 20_000 } else { 700 });
        let (plain, aad_length) = (noise.octets(length), noise.below(70));
        let aad = noise.octets(aad_length);

        let mut ctr = plain.clone();
        ctr::Ctr128BE::<::sm4::Sm4>::new(&key.into(), &iv.into()).apply_keystream(&mut ctr);
        // PKCS #7: as many octets as are missing, each of that value.
        let missing = 16 - length % 16;
        let padded = [plain.clone(), vec![u8::try_from(missing).unwrap(); missing]].concat();
        let mut cbc: Vec<Array<u8, _>> =
            padded.chunks(16).map(|block| Array::try_from(block).unwrap()).collect();
        cbc::Encryptor::<::sm4::Sm4>::inner_iv_init(::sm4::Sm4::new(&key.into()), &iv.into())
            .encrypt_blocks(&mut cbc);
        let cbc: Vec<u8> = cbc.concat();
        let mut gcm = plain.clone();
        let tag = OracleGcm::new(&key.into())
            .encrypt_inout_detached(&nonce.into(), &aad, gcm.as_mut_slice().into())
            .unwrap();

        assert!(cbc_encrypt(&key, &iv, &plain) == cbc, "CBC, {length} octets");
        assert!(*cbc_decrypt(&key, &iv, &cbc).unwrap() == plain, "CBC, {length} octets");
        for backend in Backend::ALL.into_iter().filter(|backend| backend.is_available()) {
            let mut data = plain.clone();
            Ctr::with(Sm4::with_backend(&key, backend).unwrap(), &iv).apply(&mut data);
            assert!(data == ctr, "CTR, {length} octets, {}", backend.name());

            let own = Gcm::with(Sm4::with_backend(&key, backend).unwrap());
            let mut data = plain.clone();
            let own_tag = own.seal(&nonce, &aad, &mut data).unwrap();
            assert!(
                data == gcm && own_tag == <[u8; 16]>::from(tag),
                "GCM, {length} octets, {}",
                backend.name()
            );
            own.open(&nonce, &aad, &mut data, &own_tag).unwrap();
            assert!(data == plain, "GCM, {length} octets, {}", backend.name());
            let mut wrong = own_tag;
            wrong[noise.below(16)] ^= 1 << noise.below(8);
            assert!(own.open(&nonce, &aad, &mut data, &wrong).is_err());
            assert!(data == plain, "what a wrong tag stands behind is not decrypted");
        }
    }
}
