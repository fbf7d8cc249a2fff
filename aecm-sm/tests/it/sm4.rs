//! SM4 and its modes.

use aecm_sm::{
    Error,
    sm4::{
        self, Sm4,
        cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit},
    },
};

use crate::support::{hex, one_bit_off};

const KEY: &str = "0123456789abcdeffedcba9876543210";

fn key() -> [u8; 16] {
    hex(KEY).try_into().unwrap()
}

/// One block, the block cipher alone.
fn encrypt_block(block: [u8; 16]) -> [u8; 16] {
    let mut block = block.into();
    Sm4::new(&key().into()).encrypt_block(&mut block);
    block.into()
}

#[test]
fn example_of_gb_t_32907() {
    let ciphertext: [u8; 16] = hex("681edf34d206965e86b3e94f536e4246").try_into().unwrap();
    assert_eq!(encrypt_block(key()), ciphertext);
    let mut block = ciphertext.into();
    Sm4::new(&key().into()).decrypt_block(&mut block);
    assert_eq!(<[u8; 16]>::from(block), key());
}

/// The second example: the first one a million times over.
#[test]
fn million_rounds_of_gb_t_32907() {
    let cipher = Sm4::new(&key().into());
    let mut block = key().into();
    for _ in 0..1_000_000 {
        cipher.encrypt_block(&mut block);
    }
    assert_eq!(<[u8; 16]>::from(block).to_vec(), hex("595298c7c6fd271f0402f804c33d3f66"));
}

/// draft-ribose-cfrg-sm4-10 annex A.2.2.1.
#[test]
fn cbc_example() {
    let iv: [u8; 16] = hex("000102030405060708090a0b0c0d0e0f").try_into().unwrap();
    let plaintext = hex("aaaaaaaabbbbbbbbccccccccddddddddeeeeeeeeffffffffaaaaaaaabbbbbbbb");
    let ciphertext = sm4::cbc_encrypt(&key(), &iv, &plaintext);
    let expected = hex("78ebb11cc40b0a48312aaeb2040244cb4cb7016951909226979b0d15dc6a8f6d");
    assert_eq!(ciphertext[..32], expected);
    assert_eq!(ciphertext.len(), 48, "a whole block of padding");
    assert_eq!(*sm4::cbc_decrypt(&key(), &iv, &ciphertext).unwrap(), plaintext);
}

#[test]
fn cbc_round_trips_at_all_lengths() {
    for length in (0..=64).chain([255, 256, 257, 1000]) {
        let plaintext: Vec<u8> = (0..=255).cycle().take(length).collect();
        let ciphertext = sm4::cbc_encrypt(&key(), &[7; 16], &plaintext);
        assert_eq!(ciphertext.len(), (length / 16 + 1) * 16);
        assert_eq!(*sm4::cbc_decrypt(&key(), &[7; 16], &ciphertext).unwrap(), plaintext);
    }
}

#[test]
fn cbc_of_wrong_length_fails() {
    let ciphertext = sm4::cbc_encrypt(&key(), &[7; 16], &[1; 40]);
    for length in (0..ciphertext.len()).filter(|length| length % 16 != 0 || *length == 0) {
        assert_eq!(sm4::cbc_decrypt(&key(), &[7; 16], &ciphertext[..length]), Err(Error::Decrypt));
    }
}

/// Every last block there can be with one run of padding and one octet in it wrong.
#[test]
fn cbc_padding_is_checked_whole() {
    let open = |block: [u8; 16]| sm4::cbc_decrypt(&key(), &[0; 16], &encrypt_block(block));
    for padding in 1..=16_u8 {
        let mut block = [0xa5; 16];
        block[16 - usize::from(padding)..].fill(padding);
        assert_eq!(open(block).unwrap().len(), 16 - usize::from(padding));
        for wrong in 16 - usize::from(padding)..15 {
            let mut block = block;
            block[wrong] ^= 0x40;
            assert_eq!(open(block), Err(Error::Decrypt), "padding {padding}, octet {wrong}");
        }
    }
    for last in (17..=255).chain([0]) {
        let mut block = [last; 16];
        assert_eq!(open(block), Err(Error::Decrypt), "{last}");
        block[..15].fill(0);
        assert_eq!(open(block), Err(Error::Decrypt), "{last}");
    }
}

#[test]
fn cbc_in_pieces_is_cbc() {
    for length in (0..=100).chain([1000, 5000]) {
        let plaintext: Vec<u8> = (0..=250).cycle().take(length).collect();
        let expected = sm4::cbc_encrypt(&key(), &[7; 16], &plaintext);
        for size in [1, 3, 15, 16, 17, 32, 33, 700, 6000] {
            let mut encryptor = sm4::CbcEncryptor::new(&key(), &[7; 16]);
            let mut ciphertext = b"before".to_vec();
            plaintext.chunks(size).for_each(|piece| encryptor.update(piece, &mut ciphertext));
            encryptor.finish(&mut ciphertext);
            assert_eq!(ciphertext[6..], expected, "{length} octets by {size}");

            let mut decryptor = sm4::CbcDecryptor::new(&key(), &[7; 16]);
            let mut back = b"before".to_vec();
            expected.chunks(size).for_each(|piece| decryptor.update(piece, &mut back));
            decryptor.finish(&mut back).unwrap();
            assert_eq!(back[6..], plaintext, "{length} octets by {size}, back");
        }
    }
}

#[test]
fn cbc_in_pieces_refuses_what_cbc_refuses() {
    let ciphertext = sm4::cbc_encrypt(&key(), &[7; 16], &[0xa5; 40]);
    let open = |ciphertext: &[u8], size: usize| {
        let mut decryptor = sm4::CbcDecryptor::new(&key(), &[7; 16]);
        let mut out = Vec::new();
        ciphertext.chunks(size).for_each(|piece| decryptor.update(piece, &mut out));
        decryptor.finish(&mut out).map(|()| out)
    };
    for size in [1, 16, 100] {
        // Cut anywhere, even between blocks: what ends there is no padding.
        for length in 0..ciphertext.len() {
            assert_eq!(open(&ciphertext[..length], size), Err(Error::Decrypt), "{length} by {size}");
        }
        for last in (17..=255).chain([0]) {
            let mut chain = [last; 16];
            chain.iter_mut().for_each(|octet| *octet ^= 7);
            let block = encrypt_block(chain);
            assert_eq!(open(&block, size), Err(Error::Decrypt), "{last} by {size}");
        }
        assert_eq!(open(&ciphertext, size).unwrap(), [0xa5; 40]);
    }
}

/// Values of OpenSSL 3.0.22, `openssl enc -sm4-ctr`: the plaintext of the CBC example, and 100 zeros from a counter
/// whose third block carries through all 128 bits.
#[test]
fn ctr_as_openssl_has_it() {
    let mut data = hex("aaaaaaaabbbbbbbbccccccccddddddddeeeeeeeeffffffffaaaaaaaabbbbbbbb");
    let iv: [u8; 16] = hex("000102030405060708090a0b0c0d0e0f").try_into().unwrap();
    sm4::ctr(&key(), &iv, &mut data);
    assert_eq!(data, hex("ac3236cb861dd316e6413b4e3c7524b781e9e3a5bf5c03fe703bb94f3abb16a1"));
    let mut data = [0; 100];
    let iv: [u8; 16] = hex("fffffffffffffffffffffffffffffffd").try_into().unwrap();
    sm4::ctr(&key(), &iv, &mut data);
    let expected = "73ef8e87e1112045b3b7a40b550c8bea661214b1c928238e9f7c18fb838ff8586811af7e097364e786fb45ce5d9a60f0
                    2677f46b09c122cc975533105bd4a22a4e595bf03f23bd10329baf5698e898ecb3136c044e95482d4f652e694f2741cd
                    a1251255";
    assert_eq!(data.to_vec(), hex(expected));
}

/// Nothing that holds a key or a state shows it.
#[test]
fn debug_shows_nothing() {
    let gcm = sm4::Gcm::new(&key());
    let verifying = gcm.verifying(&[0; 12], b"").unwrap();
    let shown = format!(
        "{:?} {:?} {:?} {:?} {:?} {gcm:?} {verifying:?}",
        Sm4::new(&key().into()),
        sm4::Ctr::new(&key(), &[0; 16]),
        sm4::CbcEncryptor::new(&key(), &[0; 16]),
        sm4::CbcDecryptor::new(&key(), &[0; 16]),
        gcm.sealing(&[0; 12], b"").unwrap(),
    );
    assert_eq!(
        shown,
        "Sm4 { .. } Ctr { .. } CbcEncryptor { .. } CbcDecryptor { .. } GcmSealing { .. } Gcm { .. } GcmVerifying { .. }"
    );
}

struct Gcm {
    nonce: [u8; 12],
    aad: Vec<u8>,
    plaintext: Vec<u8>,
    ciphertext: Vec<u8>,
    tag: [u8; 16],
}

/// RFC 8998 annex A.1.
fn gcm_example() -> Gcm {
    Gcm {
        nonce: hex("00001234567800000000abcd").try_into().unwrap(),
        aad: hex("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
        plaintext: hex("aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd
             eeeeeeeeeeeeeeeeffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa"),
        ciphertext: hex("17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735
             d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"),
        tag: hex("83de3541e4c2b58177e065a9bf7b62ec").try_into().unwrap(),
    }
}

#[test]
fn gcm_example_of_rfc_8998() {
    let example = gcm_example();
    let (ciphertext, tag) = sm4::gcm_seal(&key(), &example.nonce, &example.aad, &example.plaintext).unwrap();
    assert_eq!((ciphertext, tag), (example.ciphertext.clone(), example.tag));
    let plaintext = sm4::gcm_open(&key(), &example.nonce, &example.aad, &example.ciphertext, &example.tag);
    assert_eq!(*plaintext.unwrap(), example.plaintext);
}

#[test]
fn gcm_refuses_every_change() {
    let Gcm { nonce, aad, ciphertext, tag, .. } = gcm_example();
    let fails = |key: &[u8; 16], nonce: &[u8; 12], aad: &[u8], ciphertext: &[u8], tag: &[u8; 16]| {
        assert_eq!(sm4::gcm_open(key, nonce, aad, ciphertext, tag), Err(Error::Decrypt));
    };
    for changed in one_bit_off(&tag) {
        fails(&key(), &nonce, &aad, &ciphertext, &changed.try_into().unwrap());
    }
    for changed in one_bit_off(&ciphertext) {
        fails(&key(), &nonce, &aad, &changed, &tag);
    }
    for changed in one_bit_off(&aad) {
        fails(&key(), &nonce, &changed, &ciphertext, &tag);
    }
    for changed in one_bit_off(&nonce) {
        fails(&key(), &changed.try_into().unwrap(), &aad, &ciphertext, &tag);
    }
    for changed in one_bit_off(&key()) {
        fails(&changed.try_into().unwrap(), &nonce, &aad, &ciphertext, &tag);
    }
    for length in 0..ciphertext.len() {
        fails(&key(), &nonce, &aad, &ciphertext[..length], &tag);
    }
    fails(&key(), &nonce, b"", &ciphertext, &tag);
    fails(&key(), &nonce, &aad, &[&ciphertext[..], &[0]].concat(), &tag);
    fails(&key(), &nonce, &aad, &ciphertext, &[0; 16]);
}

#[test]
fn gcm_of_nothing_authenticates_the_rest() {
    let (ciphertext, tag) = sm4::gcm_seal(&key(), &[1; 12], b"header", b"").unwrap();
    assert!(ciphertext.is_empty());
    assert!(sm4::gcm_open(&key(), &[1; 12], b"header", b"", &tag).unwrap().is_empty());
    assert_eq!(sm4::gcm_open(&key(), &[1; 12], b"Header", b"", &tag), Err(Error::Decrypt));
}
