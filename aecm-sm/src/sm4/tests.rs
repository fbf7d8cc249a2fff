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
            cipher.cbc_encrypt(&block, &mut chain);
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
