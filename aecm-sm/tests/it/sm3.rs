//! SM3 and HMAC-SM3.

use aecm_sm::sm3::{self, Digest, Sm3};

use crate::support::{hex, hex32};

#[test]
fn examples_of_gb_t_32905() {
    let expected = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0";
    assert_eq!(sm3::hash(b"abc"), hex32(expected));
    let expected = "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732";
    assert_eq!(sm3::hash(&b"abcd".repeat(16)), hex32(expected));
}

#[test]
fn pieces_give_the_hash_of_the_whole() {
    let data: Vec<u8> = (0..=255).cycle().take(300).collect();
    for cut in [0, 1, 55, 56, 63, 64, 65, 119, 128, 299, 300] {
        let (left, right) = data.split_at(cut);
        let pieces: [u8; 32] = Sm3::new().chain_update(left).chain_update(right).finalize().into();
        assert_eq!(pieces, sm3::hash(&data));
    }
}

/// Values of OpenSSL 3.0 and of Python's hmac.
#[test]
fn hmac_with_keys_of_all_lengths() {
    let expected = "88a5a14b0fcf4a8a7b0c5084b8ee36e70efca4e8467fa264c3231bf16463b425";
    assert_eq!(sm3::hmac(b"key", b"data"), hex32(expected));
    let expected = "bc57f496747db83415b22960ff9bcfda46898d7b80f12871c024cf426d5434e2";
    assert_eq!(sm3::hmac(&[b'k'; 100], b"message"), hex32(expected));
    let expected = "0d23f72ba15e9c189a879aefc70996b06091de6e64d31b7a84004356dd915261";
    assert_eq!(sm3::hmac(b"", b""), hex32(expected));
}

#[test]
fn hmac_follows_its_definition_around_the_block_size() {
    for length in [0, 1, 31, 32, 33, 63, 64, 65, 66, 128, 129] {
        let key: Vec<u8> = (1..=255).cycle().take(length).collect();
        let mut block = if length > 64 { sm3::hash(&key).to_vec() } else { key.clone() };
        block.resize(64, 0);
        let pad = |value: u8| block.iter().map(|octet| octet ^ value).collect::<Vec<u8>>();
        let inner = sm3::hash(&[&pad(0x36)[..], b"data"].concat());
        assert_eq!(sm3::hmac(&key, b"data"), sm3::hash(&[&pad(0x5c)[..], &inner].concat()), "{length}");
    }
}

/// Values of Python's hashlib.pbkdf2_hmac over OpenSSL 3.0.22.
#[test]
fn keys_from_passwords_as_openssl_has_them() {
    for (password, salt, iterations, key) in [
        (
            &b"password"[..],
            &b"salt"[..],
            1,
            "4612f922a1fdcefaf4312fc6f8f3322b489cbf24f2ea361b44c2bd8fa2c6dcb0",
        ),
        (
            b"password",
            b"saltSALTsaltSALTsalt",
            1000,
            "7515c4041c94a06e9c078a2300cf4242ce8ee7e0857297ce91e1755993dc7f4e7d5bc966fe13de24",
        ),
        (
            &[b'p'; 100],
            b"",
            3,
            "7558877342713741a44cd4692ec57dde07100e577ce33851fac733525efc47eb
             5621a960aee194dce9c3e4da1387a73a99b03fa86b5784e8a2c606dbbdc4817a",
        ),
    ] {
        let key = hex(key);
        assert_eq!(*sm3::pbkdf2(password, salt, iterations, key.len()).unwrap(), key);
    }
}

#[test]
fn together_is_one_by_one() {
    let messages: Vec<Vec<u8>> = (0..=300).map(|length| vec![b'x'; length]).collect();
    let slices: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    let hashes = sm3::hash_many(&slices);
    assert_eq!(hashes, messages.iter().map(|message| sm3::hash(message)).collect::<Vec<_>>());
    assert_eq!(sm3::hash_many(&[]), Vec::<[u8; 32]>::new());
    assert_eq!(sm3::hash_many(&[&b"abc"[..]; 20])[19], sm3::hash(b"abc"));
}
