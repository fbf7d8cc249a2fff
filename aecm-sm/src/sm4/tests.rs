//! Every form against the `sm4` crate and against each other.

use alloc::vec::Vec;
use cbc::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit, array::Array};
use std::vec;

use super::{Backend, Sm4};

fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed ^ 0x9e37_79b9_7f4a_7c15;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_be_bytes()[3]
        })
        .collect()
}

/// The cipher in every form that runs here.
fn forms(key: &[u8; 16]) -> Vec<(&'static str, Sm4)> {
    Backend::ALL
        .into_iter()
        .filter_map(|backend| Some((backend.name(), Sm4::with_backend(key, backend)?)))
        .chain([("default", Sm4::new(&(*key).into()))])
        .collect()
}

#[test]
fn every_number_of_blocks_in_every_form() {
    for count in (0..140).chain([255, 256, 257]) {
        let key: [u8; 16] = noise(count, 16).try_into().unwrap();
        let plain: Vec<Array<u8, _>> = noise(count + 1000, usize::try_from(count).unwrap() * 16)
            .chunks(16)
            .map(|block| Array::try_from(block).unwrap())
            .collect();
        let mut expected = plain.clone();
        let oracle = ::sm4::Sm4::new(&key.into());
        expected.iter_mut().for_each(|block| oracle.encrypt_block(block));
        for (name, cipher) in forms(&key) {
            let mut blocks = plain.clone();
            cipher.encrypt_blocks(&mut blocks);
            assert_eq!(blocks, expected, "{name}, {count} blocks encrypted");
            cipher.decrypt_blocks(&mut blocks);
            assert_eq!(blocks, plain, "{name}, {count} blocks decrypted");
        }
    }
}

#[test]
fn single_blocks_and_chains() {
    for seed in 0..500 {
        let key: [u8; 16] = noise(seed, 16).try_into().unwrap();
        let block: [u8; 16] = noise(seed + 7777, 16).try_into().unwrap();
        let oracle = ::sm4::Sm4::new(&key.into());
        let mut expected = Array(block);
        oracle.encrypt_block(&mut expected);
        for (_, cipher) in forms(&key) {
            let mut own = Array(block);
            cipher.encrypt_block(&mut own);
            assert_eq!(own, expected);
            cipher.decrypt_block(&mut own);
            assert_eq!(own.0, block);
            let mut chain = vec![[0; 16], [1; 16], [2; 16]];
            cipher.encrypting().cbc_encrypt(&block, &mut chain);
            let mut last = block;
            for (link, plain) in chain.iter().zip(0_u8..) {
                let mut sum = Array(last.map(|octet| octet ^ plain));
                oracle.encrypt_block(&mut sum);
                assert_eq!(sum.0, *link);
                last = *link;
            }
        }
    }
}

/// Every length through every form of CTR and CBC, against the mode crates over the `sm4` crate.
#[test]
fn modes_at_every_length_in_every_form() {
    use cbc::cipher::{BlockModeDecrypt, KeyIvInit, StreamCipher};
    for length in (0..=300).chain([511, 1023, 1024, 1025, 2047, 4096, 5000]) {
        let key: [u8; 16] = noise(length, 16).try_into().unwrap();
        // Every other counter carries beyond 32, or beyond 128 bits.
        let mut iv: [u8; 16] = noise(length + 1, 16).try_into().unwrap();
        match length % 4 {
            0 => iv[12..].copy_from_slice(&(u32::MAX - 3).to_be_bytes()),
            2 => iv = (u128::MAX - 5).to_be_bytes(),
            _ => {}
        }
        let plain = noise(length + 2, usize::try_from(length).unwrap());
        let mut expected = plain.clone();
        ::ctr::Ctr128BE::<::sm4::Sm4>::new(&key.into(), &iv.into()).apply_keystream(&mut expected);
        for (name, cipher) in forms(&key) {
            let mut own = plain.clone();
            super::Ctr::with(cipher.clone(), &iv).apply(&mut own);
            assert_eq!(own, expected, "{name}, {length} octets of CTR");
            // In pieces that do not fit the blocks.
            let mut own = plain.clone();
            let mut ctr = super::Ctr::with(cipher.clone(), &iv);
            own.chunks_mut(7 + usize::try_from(length % 90).unwrap()).for_each(|piece| ctr.apply(piece));
            assert_eq!(own, expected, "{name}, {length} octets of CTR in pieces");
            // Through the trait, from buffer to buffer.
            let mut own = vec![0xff; plain.len()];
            super::Ctr::with(cipher.clone(), &iv).apply_keystream_b2b(&plain, &mut own);
            assert_eq!(own, expected, "{name}, {length} octets of CTR from buffer to buffer");

            let whole = plain.len() / 16 * 16;
            let mut own = plain[..whole].to_vec();
            cipher.decrypting().cbc_decrypt(&iv, plain.as_chunks().0, own.as_chunks_mut().0);
            let mut theirs = plain[..whole].to_vec();
            let blocks = Array::cast_slice_from_core_mut(theirs.as_chunks_mut().0);
            cbc::Decryptor::<::sm4::Sm4>::new(&key.into(), &iv.into()).decrypt_blocks(blocks);
            assert_eq!(own, theirs, "{name}, {whole} octets of CBC back");
            cipher.encrypting().cbc_encrypt(&iv, own.as_chunks_mut().0);
            assert_eq!(own, plain[..whole], "{name}, {whole} octets of CBC");
        }
    }
}

/// Against the aes-gcm crate over the `sm4` crate: every length of the content, and of the additional data.
#[test]
fn gcm_at_every_length_in_every_form() {
    use aes_gcm::{AesGcm, aead::AeadInOut, aead::consts::U12};
    for length in (0..=300).chain([1023, 1024, 1025, 1040, 2048, 8191, 8192, 8193, 20_000]) {
        let key: [u8; 16] = noise(length, 16).try_into().unwrap();
        let nonce: [u8; 12] = noise(length + 1, 12).try_into().unwrap();
        let plain = noise(length + 2, usize::try_from(length).unwrap());
        let aad = noise(length + 3, usize::try_from(length * 31 % 301).unwrap());
        let mut expected = plain.clone();
        let oracle = AesGcm::<::sm4::Sm4, U12>::new(&key.into());
        let expected_tag: [u8; 16] = oracle
            .encrypt_inout_detached(&nonce.into(), &aad, expected.as_mut_slice().into())
            .unwrap()
            .into();
        for (name, cipher) in forms(&key) {
            let gcm = super::Gcm::with(cipher);
            let mut own = plain.clone();
            let tag = gcm.seal(&nonce, &aad, &mut own).unwrap();
            assert_eq!(own, expected, "{name}, {length} octets");
            assert_eq!(tag, expected_tag, "{name}, {length} octets: tag");

            let mut own = plain.clone();
            let mut sealing = gcm.sealing(&nonce, &aad).unwrap();
            for piece in own.chunks_mut(1 + usize::try_from(length % 70).unwrap()) {
                sealing.update(piece).unwrap();
            }
            assert_eq!((sealing.finish(), &own), (tag, &expected), "{name}, {length} octets in pieces");

            let mut wrong = tag;
            wrong[usize::try_from(length % 16).unwrap()] ^= 1;
            assert!(gcm.open(&nonce, &aad, &mut own, &wrong).is_err());
            assert_eq!(own, expected, "unverified octets were decrypted");
            gcm.open(&nonce, &aad, &mut own, &tag).unwrap();
            assert_eq!(own, plain);
        }
    }
}

#[test]
fn an_opened_message_is_no_longer_than_the_checked_one() {
    let gcm = super::Gcm::new(&[1; 16]);
    let mut data = *b"twelve octet";
    let tag = gcm.seal(&[2; 12], b"", &mut data).unwrap();
    let mut verifying = gcm.verifying(&[2; 12], b"").unwrap();
    verifying.update(&data).unwrap();
    let mut opening = verifying.finish(&tag).unwrap();
    opening.update(&mut data[..10]).unwrap();
    let mut more = [7; 3];
    assert!(opening.update(&mut more).is_err());
    assert_eq!(more, [7; 3], "a stream beyond the message came out");
    opening.update(&mut data[10..]).unwrap();
    assert_eq!(data, *b"twelve octet");
}
