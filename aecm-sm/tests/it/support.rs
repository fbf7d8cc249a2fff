//! Helpers of several tests.

use aecm_sm::sm2::PrivateKey;

/// The order of the group.
pub(crate) const N: &str = "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123";
/// The prime of the field.
pub(crate) const P: &str = "fffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffff";
/// The private key of the examples of GB/T 32918.5.
pub(crate) const D: &str = "3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8";
/// Its public key.
pub(crate) const X: &str = "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020";
pub(crate) const Y: &str = "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13";

pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

pub(crate) fn hex32(text: &str) -> [u8; 32] {
    hex(text).try_into().unwrap()
}

/// `number` + `addend`, big-endian.
pub(crate) fn plus(number: [u8; 32], addend: i16) -> [u8; 32] {
    let mut sum = number;
    let mut carry = i32::from(addend);
    for octet in sum.iter_mut().rev() {
        carry += i32::from(*octet);
        *octet = u8::try_from(carry.rem_euclid(256)).unwrap();
        carry = carry.div_euclid(256);
    }
    assert_eq!(carry, 0, "the sum has more than 256 bits");
    sum
}

pub(crate) fn example_key() -> PrivateKey {
    PrivateKey::from_bytes(&hex32(D)).unwrap()
}

/// One TLV with a short or minimal long length.
pub(crate) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match content.len() {
        length @ 0..=127 => out.push(u8::try_from(length).unwrap()),
        length @ 128..=255 => out.extend([0x81, u8::try_from(length).unwrap()]),
        length => {
            out.push(0x82);
            out.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
    }
    out.extend_from_slice(content);
    out
}

/// A minimal positive INTEGER.
pub(crate) fn integer(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|octet| **octet == 0).count().min(number.len() - 1);
    let digits = &number[zeros..];
    if digits[0] < 0x80 { tlv(2, digits) } else { tlv(2, &[&[0], digits].concat()) }
}

/// The content of a TLV.
pub(crate) fn content(der: &[u8]) -> &[u8] {
    match der[1] {
        0..=127 => &der[2..],
        0x81 => &der[3..],
        _ => &der[4..],
    }
}

/// Every copy of `octets` with one bit turned.
pub(crate) fn one_bit_off(octets: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    (0..octets.len() * 8).map(|bit| {
        let mut copy = octets.to_vec();
        copy[bit / 8] ^= 1 << (bit % 8);
        copy
    })
}

/// So many cases, or the multiple that AECM_SM_CASES asks for.
pub(crate) fn cases(count: usize) -> usize {
    let factor = std::env::var("AECM_SM_CASES").ok().map_or(1, |factor| factor.parse().expect("a number"));
    count * factor
}

/// Octets that look random and are the same in every run.
pub(crate) struct Noise(u64);

impl Noise {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    fn word(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.word() >> 33).unwrap() % end
    }

    pub(crate) fn octets(&mut self, length: usize) -> Vec<u8> {
        let mut octets = Vec::with_capacity(length + 8);
        while octets.len() < length {
            octets.extend(self.word().to_le_bytes());
        }
        octets.truncate(length);
        octets
    }
}
