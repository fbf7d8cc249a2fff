//! Tests that need a chosen k: the examples of the standard, the retries, the distribution.

use alloc::{vec, vec::Vec};
use getrandom::SysRng;
use rand_core::{TryCryptoRng, TryRng};

use crate::Error;

use super::{
    CiphertextForm, DEFAULT_ID, PrivateKey, Signature,
    arithmetic::{Point, Scalar, nonzero_scalar, scalar_bytes},
    encryption::seal_with_nonce,
    nonce::{NonceGenerator, random_scalar},
};

const D: &str = "3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8";
const K: &str = "59276e27d506861a16680f3ad9c02dccef3cc1fa3cdbe4ce6d54b80deac1bc21";
const N: &str = "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123";

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn hex32(text: &str) -> [u8; 32] {
    hex(text).try_into().unwrap()
}

fn example_key() -> PrivateKey {
    PrivateKey::from_bytes(&hex32(D)).unwrap()
}

fn recipient(key: &PrivateKey) -> Point {
    *Point::generator_times(&nonzero_scalar(&key.to_bytes()).unwrap()).unwrap()
}

/// Gives out what it was given and then fails.
struct Scripted(Vec<[u8; 32]>);

#[derive(Debug)]
struct Exhausted;

impl core::fmt::Display for Exhausted {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("exhausted")
    }
}

impl core::error::Error for Exhausted {}

impl TryRng for Scripted {
    type Error = Exhausted;

    fn try_next_u32(&mut self) -> Result<u32, Exhausted> {
        Err(Exhausted)
    }

    fn try_next_u64(&mut self) -> Result<u64, Exhausted> {
        Err(Exhausted)
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Exhausted> {
        if self.0.is_empty() {
            return Err(Exhausted);
        }
        to.copy_from_slice(&self.0.remove(0));
        Ok(())
    }
}

impl TryCryptoRng for Scripted {}

#[test]
fn signature_example_of_gb_t_32918_5() {
    let key = example_key();
    let e = key.public_key().e(DEFAULT_ID, b"message digest").unwrap();
    let k = nonzero_scalar(&hex32(K)).unwrap();
    let signature = key.sign_with_nonce(&e, &k).unwrap();
    let expected = "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3\
                    b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa";
    assert_eq!(signature.to_bytes().to_vec(), hex(expected));
}

#[test]
fn encryption_example_of_gb_t_32918_5() {
    let key = example_key();
    let k = nonzero_scalar(&hex32(K)).unwrap();
    let der = seal_with_nonce(&recipient(&key), b"encryption standard", &k).unwrap().to_der().unwrap();
    let expected = "307c022004ebfc718e8d1798620432268e77feb6415e2ede0e073c0f4f640ecd2e149a73\
                    022100e858f9d81e5430a57b36daab8f950a3c64e6ee6a63094d99283aff767e124df0\
                    042059983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd8766\
                    041321886ca989ca9c7d58087307ca93092d651efa";
    assert_eq!(der, hex(expected));
    assert_eq!(*key.decrypt(&der, CiphertextForm::Der).unwrap(), b"encryption standard");
}

#[test]
fn a_nonce_with_r_plus_k_zero_is_refused() {
    // e = −k − x1 (mod n) makes r = −k, so that r + k = 0.
    let key = example_key();
    let k = nonzero_scalar(&hex32(K)).unwrap();
    let x1 = Scalar::reduced(&Point::generator_times(&k).unwrap().x());
    let e = scalar_bytes(&Scalar::ZERO.minus(&k.plus(&x1)));
    assert_eq!(key.sign_with_nonce(&e, &k), None);
    // e = −x1 makes r = 0.
    assert_eq!(key.sign_with_nonce(&scalar_bytes(&Scalar::ZERO.minus(&x1)), &k), None);
    // r = k/d makes s = 0.
    let d = nonzero_scalar(&key.to_bytes()).unwrap();
    let e = scalar_bytes(&k.times(&d.inverse()).minus(&x1));
    assert_eq!(key.sign_with_nonce(&e, &k), None);
}

/// G7: a k for which the key stream of one octet is zero.
fn zero_stream_nonce(recipient: &Point) -> [u8; 32] {
    (1..20_000_u32)
        .map(|number| crate::sm3::hash(&number.to_be_bytes()))
        .find(|k| nonzero_scalar(k).is_some_and(|k| seal_with_nonce(recipient, b"M", &k).is_none()))
        .unwrap()
}

#[test]
fn g7_encryption_takes_another_k_where_the_key_stream_is_zero() {
    let key = example_key();
    let bad = zero_stream_nonce(&recipient(&key));
    let ciphertext = key.public_key().encrypt_der(b"M", &mut Scripted(vec![bad, hex32(K)])).unwrap();
    let k = nonzero_scalar(&hex32(K)).unwrap();
    let with_second = seal_with_nonce(&recipient(&key), b"M", &k).unwrap().to_der().unwrap();
    assert_eq!(ciphertext, with_second);
    assert_eq!(*key.decrypt(&ciphertext, CiphertextForm::Der).unwrap(), b"M");
    // With two octets the same k is good: the rule asks for the whole stream.
    assert!(seal_with_nonce(&recipient(&key), b"MM", &nonzero_scalar(&bad).unwrap()).is_some());
}

#[test]
fn g10_a_generator_that_sticks_to_a_bad_k_is_an_error() {
    let key = example_key();
    let bad = zero_stream_nonce(&recipient(&key));
    assert_eq!(key.public_key().encrypt_der(b"M", &mut Scripted(vec![bad; 100])), Err(Error::Rng));
    assert_eq!(PrivateKey::generate(&mut Scripted(vec![[0xff; 32]; 100])).unwrap_err(), Error::Rng);
    assert_eq!(PrivateKey::generate(&mut Scripted(vec![[0; 32]; 100])).unwrap_err(), Error::Rng);
}

#[test]
fn g10_a_failing_generator_is_an_error_everywhere() {
    let key = example_key();
    let mut empty = Scripted(Vec::new());
    assert_eq!(PrivateKey::generate(&mut empty).unwrap_err(), Error::Rng);
    assert_eq!(key.sign(DEFAULT_ID, b"m", &mut empty), Err(Error::Rng));
    assert_eq!(key.sign_e(&[1; 32], &mut empty), Err(Error::Rng));
    assert_eq!(key.public_key().encrypt_der(b"m", &mut empty), Err(Error::Rng));
}

#[test]
fn generation_skips_numbers_out_of_range() {
    let script = vec![[0; 32], hex32(N), [0xff; 32], hex32(D)];
    assert_eq!(*PrivateKey::generate(&mut Scripted(script)).unwrap().to_bytes(), hex32(D));
}

#[test]
fn g1_one_noise_never_gives_one_nonce_for_two_messages() {
    let key = example_key();
    let sign = |message: &[u8], noise: u8| {
        key.sign(DEFAULT_ID, message, &mut Scripted(vec![[noise; 32]])).unwrap().to_bytes()
    };
    assert_eq!(sign(b"a", 1), sign(b"a", 1));
    assert_ne!(sign(b"a", 1), sign(b"a", 2));
    let nonce = |d: u8, e: u8, noise: u8| {
        *scalar_bytes(&NonceGenerator::new(&[d; 32], &[e; 32], &[noise; 32]).next().unwrap())
    };
    let all = [nonce(1, 1, 1), nonce(2, 1, 1), nonce(1, 2, 1), nonce(1, 1, 2)];
    for (at, left) in all.iter().enumerate() {
        assert!(all[at + 1..].iter().all(|right| right != left));
    }
    let mut generator = NonceGenerator::new(&[1; 32], &[1; 32], &[1; 32]);
    assert!(*generator.next().unwrap() != *generator.next().unwrap());
}

/// G1: the fault of GHSA-w3g8-fp6j-wvqw, a k of 32 bits, would leave most bits at zero.
fn assert_every_bit_moves(draws: u32, mut draw: impl FnMut() -> [u8; 32]) {
    let mut ones = [0_u32; 256];
    for _ in 0..draws {
        let octets = draw();
        for (bit, count) in ones.iter_mut().enumerate() {
            *count += u32::from(octets[bit / 8] >> (7 - bit % 8) & 1);
        }
    }
    for (bit, count) in ones.into_iter().enumerate() {
        // n begins with 31 ones, so every bit is one half of the time; 8 standard deviations.
        let distance = count.abs_diff(draws / 2);
        assert!(u64::from(distance).pow(2) < 16 * u64::from(draws), "bit {bit} was set {count} times");
    }
}

#[test]
fn g1_nonces_are_spread_over_all_bits() {
    assert_every_bit_moves(20_000, || *scalar_bytes(&random_scalar(&mut SysRng).unwrap()));
    let mut message = 0_u32;
    assert_every_bit_moves(5_000, || {
        message += 1;
        let e = crate::sm3::hash(&message.to_be_bytes());
        *scalar_bytes(&NonceGenerator::new(&[9; 32], &e, &[9; 32]).next().unwrap())
    });
}

#[test]
fn g1_c1_is_spread_over_all_bits_and_never_repeats() {
    let key = example_key();
    let mut seen = std::collections::HashSet::new();
    assert_every_bit_moves(1_000, || {
        let der = key.public_key().encrypt_der(b"content", &mut SysRng).unwrap();
        let length = usize::from(der[3]);
        let mut x = [0; 32];
        let integer = &der[4..4 + length];
        let digits = &integer[usize::from(length == 33)..];
        x[32 - digits.len()..].copy_from_slice(digits);
        assert!(seen.insert(x), "C1 came twice");
        x
    });
}

#[test]
fn der_of_extreme_numbers_round_trips() {
    let mut one = [0; 32];
    one[31] = 1;
    let mut high = [0; 32];
    high[31] = 0x80;
    let mut largest = hex32(N);
    largest[31] -= 1;
    for r in [one, high, largest] {
        for s in [one, high, largest] {
            let signature = Signature::new(r, s).unwrap();
            let der = signature.to_der();
            assert_eq!(Signature::from_der(&der).unwrap(), signature);
        }
    }
    assert_eq!(
        Signature::new(one, high).unwrap().to_der(),
        hex("3007020101 02020080".replace(' ', "").as_str())
    );
    assert_eq!(Signature::new(largest, largest).unwrap().to_der().len(), 72);
}
