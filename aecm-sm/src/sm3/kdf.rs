//! Keys from shared secrets and from passwords.

use alloc::{vec, vec::Vec};
use digest::block_api::UpdateCore;
use zeroize::{Zeroize, Zeroizing};

use super::{
    BLOCK_SIZE, Form, OUTPUT_SIZE, Sm3Core,
    compress::{START, compress},
    hasher::octets_of,
    mac::{HmacKey, key_block},
    many::many,
};
use crate::Error;

/// KDF of GB/T 32918.4 §5.4.3: SM3(Z ‖ 1) ‖ SM3(Z ‖ 2) ‖ …, cut to `length` octets. Z is the concatenation of
/// `parts`.
///
/// # Errors
///
/// [`Error::TooLong`] from 2³²−1 blocks of 32 octets on, where the counter of 32 bits would wrap.
pub fn kdf(parts: &[&[u8]], length: usize) -> Result<Zeroizing<Vec<u8>>, Error> {
    check_kdf_length(length)?;
    let mut stream = Zeroizing::new(vec![0; length]);
    let z = Zeroizing::new(parts.concat());
    // What all blocks begin with is hashed once.
    let (whole, rest) = z.as_chunks::<BLOCK_SIZE>();
    let mut state = START;
    compress(&mut state, whole);
    #[expect(clippy::as_conversions, reason = "the length counts modulo 2⁶⁴ bits")]
    let before = whole.as_flattened().len() as u64;

    let form = Form::best();
    let size = rest.len().saturating_add(4);
    for (chunks, first) in stream.chunks_mut(AT_ONCE * OUTPUT_SIZE).zip((1_u32..).step_by(AT_ONCE)) {
        let mut tails = Zeroizing::new(Vec::with_capacity(AT_ONCE * (BLOCK_SIZE + 4)));
        for counter in (first..).take(chunks.len().div_ceil(OUTPUT_SIZE)) {
            tails.extend_from_slice(rest);
            tails.extend_from_slice(&counter.to_be_bytes());
        }
        let messages: Vec<&[u8]> = tails.chunks(size).collect();
        let hashes = Zeroizing::new(many(form, &state, before, &messages));
        for (to, from) in chunks.iter_mut().zip(hashes.as_flattened()) {
            *to = *from;
        }
    }
    state.zeroize();
    Ok(stream)
}

/// How many blocks of a key stream are hashed together.
const AT_ONCE: usize = 64;

pub(crate) fn check_kdf_length(octets: usize) -> Result<(), Error> {
    match u32::try_from(octets.div_ceil(OUTPUT_SIZE)) {
        Ok(blocks) if blocks < u32::MAX => Ok(()),
        _ => Err(Error::TooLong { octets }),
    }
}

/// PBKDF2 with HMAC-SM3 (RFC 8018 §5.2): a key of `length` octets from a password.
///
/// One iteration takes about half a microsecond for every 32 octets of the key. The number of iterations is what an
/// attacker has to pay for each guess: at least 600 000 where the caller chooses; where a file says it, the caller
/// bounds it first, since this function does as many as it is told.
///
/// ```
/// let key = aecm_sm::sm3::pbkdf2(b"password", b"at least 16 octets", 1000, 16)?;
/// assert_eq!(key.len(), 16);
/// # Ok::<(), aecm_sm::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Iterations`] for none; [`Error::TooLong`] for a key from 2³²−1 blocks of 32 octets on.
pub fn pbkdf2(
    password: &[u8],
    salt: &[u8],
    iterations: u32,
    length: usize,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    if iterations == 0 {
        return Err(Error::Iterations);
    }
    check_kdf_length(length)?;
    let mut key = Zeroizing::new(vec![0; length]);
    let mac = HmacKey::new(password);
    let pads = Pads::new(password);
    for (chunk, number) in key.chunks_mut(OUTPUT_SIZE).zip(1_u32..) {
        let mut last = Zeroizing::new(mac.of(&[salt, &number.to_be_bytes()]));
        let mut sum = last.clone();
        for _ in 1..iterations {
            pads.next(&mut last);
            for (to, from) in sum.iter_mut().zip(last.iter()) {
                *to ^= from;
            }
        }
        for (to, from) in chunk.iter_mut().zip(sum.iter()) {
            *to = *from;
        }
    }
    Ok(key)
}

/// The states after the padded key: each HMAC of 32 octets is one block more on either side.
struct Pads {
    inner: Sm3Core,
    outer: Sm3Core,
}

impl Pads {
    fn new(key: &[u8]) -> Self {
        let block = key_block(key);
        let after = |pad: u8| {
            let mut core = Sm3Core::default();
            let padded = Zeroizing::new(block.map(|octet| octet ^ pad));
            core.update_blocks(&[(*padded).into()]);
            core
        };
        Self { inner: after(0x36), outer: after(0x5c) }
    }

    /// HMAC of the value, in its place.
    fn next(&self, value: &mut [u8; OUTPUT_SIZE]) {
        for core in [&self.inner, &self.outer] {
            let mut block = [0; BLOCK_SIZE];
            for (to, from) in block.iter_mut().zip(value.iter().chain(&[0x80])) {
                *to = *from;
            }
            // 96 octets, in bits.
            let [.., high, low] = &mut block;
            (*high, *low) = (3, 0);
            let mut state = *core.state();
            compress(&mut state, &[block]);
            *value = octets_of(&state);
        }
    }
}
