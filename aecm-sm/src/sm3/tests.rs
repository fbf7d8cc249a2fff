//! Every form against the `sm3` crate.

use alloc::vec::Vec;
use std::vec;

use super::*;

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

fn oracle(data: &[u8]) -> [u8; 32] {
    ::sm3::Sm3::digest(data).into()
}

#[test]
fn every_length_in_every_form() {
    for length in (0..=300).chain([1000, 1023, 1024, 4095, 4096, 65_537]) {
        let data = noise(7, length);
        let expected = oracle(&data);
        assert_eq!(hash(&data), expected, "{length} octets");
        for form in Form::ALL.into_iter().filter(|form| form.is_available()) {
            let all = form.hash_many(&[data.as_slice(); 3]).unwrap();
            assert_eq!(all, [expected; 3], "{length} octets, {}", form.name());
        }
    }
}

#[test]
fn compression_in_every_form() {
    for count in 0..40 {
        let blocks = noise(9, 64 * count);
        let blocks = blocks.as_chunks::<64>().0;
        let mut plain = compress::START;
        Form::Portable.compress(&mut plain, blocks);
        let mut fast = compress::START;
        Form::Alone.compress(&mut fast, blocks);
        assert_eq!(plain, fast, "{count} blocks");
    }
}

/// Any number of messages of all lengths mixed: lanes end at different times, and others take their places.
#[test]
fn messages_of_unequal_lengths_together() {
    for count in (0..40).chain([100, 333]) {
        let lengths = noise(count + 1, 2 * usize::try_from(count).unwrap());
        let messages: Vec<Vec<u8>> = lengths
            .as_chunks::<2>()
            .0
            .iter()
            .zip(0..)
            // Some of them long, some empty.
            .map(|([a, b], seed)| noise(seed, if *a < 40 { usize::from(*b) * 23 } else { usize::from(*a) }))
            .collect();
        let slices: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
        let expected: Vec<[u8; 32]> = messages.iter().map(|message| oracle(message)).collect();
        assert_eq!(hash_many(&slices), expected, "{count} messages");
        for form in Form::ALL.into_iter().filter(|form| form.is_available()) {
            assert_eq!(form.hash_many(&slices).unwrap(), expected, "{count} messages, {}", form.name());
        }
    }
}

#[test]
fn key_streams_of_all_lengths() {
    for (z, length) in (0..=200).flat_map(|z| [(z, 0), (z, 1), (z, 31 + z), (z, 64 * 32), (z, 5000 + z)]) {
        let z = noise(3, z);
        let expected: Vec<u8> = (1_u32..)
            .take(length.div_ceil(32))
            .flat_map(|counter| oracle(&[&z[..], &counter.to_be_bytes()].concat()))
            .take(length)
            .collect();
        let (left, right) = z.split_at(z.len() / 3);
        assert_eq!(*kdf(&[left, right], length).unwrap(), expected, "{} and {length} octets", z.len());
    }
}

#[test]
fn key_streams_have_a_longest_length() {
    if let Ok(octets) = usize::try_from((u64::from(u32::MAX) - 1) * 32 + 1) {
        assert_eq!(kdf(&[b"z"], octets), Err(crate::Error::TooLong { octets }));
        assert_eq!(pbkdf2(b"p", b"s", 1, octets), Err(crate::Error::TooLong { octets }));
    }
}

/// Against the pbkdf2 crate over the `sm3` crate.
#[test]
fn keys_from_passwords() {
    for (seed, length) in (0..70).map(|seed| (seed, usize::try_from(seed * 2).unwrap())) {
        let password = noise(seed, usize::try_from(seed * 3).unwrap());
        let salt = noise(seed + 1, usize::try_from(seed * 5 % 90).unwrap());
        let iterations = u32::try_from(seed % 7 + 1).unwrap();
        let mut expected = vec![0; length];
        ::pbkdf2::pbkdf2_hmac::<::sm3::Sm3>(&password, &salt, iterations, &mut expected);
        assert_eq!(*pbkdf2(&password, &salt, iterations, length).unwrap(), expected, "{seed}");
        let mut through_traits = vec![0; length];
        ::pbkdf2::pbkdf2_hmac::<Sm3>(&password, &salt, iterations, &mut through_traits);
        assert_eq!(through_traits, expected, "{seed}");
    }
    assert_eq!(pbkdf2(b"password", b"salt", 0, 16), Err(crate::Error::Iterations));
}

#[test]
fn reset_begins_anew_and_debug_shows_no_state() {
    let mut hasher = Sm3::new();
    hasher.update(noise(1, 200));
    assert_eq!(std::format!("{hasher:?}"), "Sm3 { ... }");
    assert_eq!(<[u8; 32]>::from(hasher.finalize_reset()), oracle(&noise(1, 200)));
    hasher.update(b"abc");
    assert_eq!(<[u8; 32]>::from(hasher.clone().finalize()), oracle(b"abc"));
    Digest::reset(&mut hasher);
    assert_eq!(<[u8; 32]>::from(hasher.finalize()), oracle(b""));
}
