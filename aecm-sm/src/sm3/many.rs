//! Several messages together, one in each lane of a vector.

use alloc::{vec, vec::Vec};
use zeroize::Zeroize;

use super::{
    Form, OUTPUT_SIZE,
    compress::{START, compress, portable},
    hasher::octets_of,
};
#[cfg(target_arch = "x86_64")]
use crate::backend::sm3_lanes;

/// The SM3 hashes of several messages, each as [`hash`](super::hash) gives it, in the same order.
///
/// Where the CPU has AVX-512 sixteen messages are worked on together, where it has AVX2 eight: several times as fast as
/// one after the other. The messages may have any lengths; the more alike they are, the better the lanes are used.
///
/// ```
/// use aecm_sm::sm3::{hash, hash_many};
///
/// assert_eq!(hash_many(&[b"abc", b"", b"a longer one"]), [hash(b"abc"), hash(b""), hash(b"a longer one")]);
/// ```
#[must_use]
pub fn hash_many(messages: &[&[u8]]) -> Vec<[u8; OUTPUT_SIZE]> {
    many(Form::best(), &START, 0, messages)
}

/// The hashes of messages that all begin with the same whole blocks: `start` is the state after them, `before` their
/// number of octets.
pub(super) fn many(form: Form, start: &[u32; 8], before: u64, messages: &[&[u8]]) -> Vec<[u8; OUTPUT_SIZE]> {
    let mut hashes = vec![[0; OUTPUT_SIZE]; messages.len()];
    let queue = messages.iter().zip(&mut hashes).map(|(message, hash)| Job {
        message: Message::new(message, before),
        state: *start,
        hash,
    });
    match form {
        // Fewer than that many are as fast one after the other.
        #[cfg(target_arch = "x86_64")]
        Form::Lanes16 if messages.len() > 2 => lanes(queue, 2, sm3_lanes::compress_16),
        #[cfg(target_arch = "x86_64")]
        Form::Lanes8 if messages.len() > 2 => lanes(queue, 2, sm3_lanes::compress_8),
        Form::Portable => queue.for_each(|job| job.alone(portable)),
        _ => queue.for_each(|job| job.alone(compress)),
    }
    hashes
}

/// What is left of a message: its whole blocks, and one or two with the padding.
struct Message<'a> {
    blocks: &'a [[u8; 64]],
    last: [[u8; 64]; 2],
    /// How many of the last blocks have been taken.
    taken: usize,
}

impl Drop for Message<'_> {
    fn drop(&mut self) {
        self.last.as_flattened_mut().zeroize();
    }
}

impl<'a> Message<'a> {
    /// Pads (GB/T 32905 §5.2).
    fn new(message: &'a [u8], before: u64) -> Self {
        let (blocks, rest) = message.as_chunks::<64>();
        let mut last = [[0; 64]; 2];
        let octets = last.as_flattened_mut();
        for (slot, octet) in octets.iter_mut().zip(rest.iter().chain(&[0x80])) {
            *slot = *octet;
        }
        #[expect(clippy::as_conversions, reason = "the length counts modulo 2⁶⁴ bits")]
        let bits = before.wrapping_add(message.len() as u64).wrapping_mul(8);
        let short = rest.len() < 56;
        let end = if short { 64 } else { 128 };
        for (slot, octet) in octets.iter_mut().take(end).rev().zip(bits.to_be_bytes().iter().rev()) {
            *slot = *octet;
        }
        if short {
            // One is enough; it is the second.
            let [first, second] = &mut last;
            *second = *first;
        }
        Self { blocks, last, taken: usize::from(short) }
    }

    fn next(&mut self) -> Option<&[u8; 64]> {
        if let Some((block, blocks)) = self.blocks.split_first() {
            self.blocks = blocks;
            return Some(block);
        }
        let block = self.last.get(self.taken);
        self.taken += 1;
        block
    }

    const fn is_done(&self) -> bool {
        self.blocks.is_empty() && self.taken >= 2
    }
}

/// A message with its state and the place of its hash.
struct Job<'a> {
    message: Message<'a>,
    state: [u32; 8],
    hash: &'a mut [u8; OUTPUT_SIZE],
}

impl Drop for Job<'_> {
    fn drop(&mut self) {
        self.state.zeroize();
    }
}

impl Job<'_> {
    /// To the end, without others.
    fn alone(mut self, compress: impl Fn(&mut [u32; 8], &[[u8; 64]])) {
        compress(&mut self.state, self.message.blocks);
        self.message.blocks = &[];
        while let Some(block) = self.message.next() {
            compress(&mut self.state, &[*block]);
        }
        *self.hash = octets_of(&self.state);
    }
}

/// All messages through the lanes: where one ends, the next in the queue takes its place. When not more than `few` are
/// left, they go on alone.
#[cfg_attr(not(target_arch = "x86_64"), expect(dead_code, reason = "no lanes there"))]
fn lanes<'a, const LANES: usize>(
    mut queue: impl Iterator<Item = Job<'a>>,
    few: usize,
    compress_lanes: impl Fn(&mut [[u32; LANES]; 8], &[[u32; LANES]; 16]),
) {
    let mut jobs: [Option<Job<'a>>; LANES] = core::array::from_fn(|_| None);
    let mut state = [[0; LANES]; 8];
    let mut words = [[0; LANES]; 16];
    loop {
        let mut busy = 0;
        for (lane, slot) in jobs.iter_mut().enumerate() {
            if slot.is_none()
                && let Some(job) = queue.next()
            {
                put(&mut state, lane, &job.state);
                *slot = Some(job);
            }
            busy += usize::from(slot.is_some());
        }
        if busy <= few {
            break;
        }
        for (lane, slot) in jobs.iter_mut().enumerate() {
            if let Some(block) = slot.as_mut().and_then(|job| job.message.next()) {
                for (row, octets) in words.iter_mut().zip(block.as_chunks::<4>().0) {
                    if let Some(word) = row.get_mut(lane) {
                        *word = u32::from_be_bytes(*octets);
                    }
                }
            }
        }
        compress_lanes(&mut state, &words);
        for (lane, slot) in jobs.iter_mut().enumerate() {
            if let Some(mut job) = slot.take_if(|job| job.message.is_done()) {
                take(&state, lane, &mut job.state);
                *job.hash = octets_of(&job.state);
            }
        }
    }
    for (lane, slot) in jobs.iter_mut().enumerate() {
        if let Some(mut job) = slot.take() {
            take(&state, lane, &mut job.state);
            job.alone(compress);
        }
    }
    state.as_flattened_mut().zeroize();
    words.as_flattened_mut().zeroize();
}

fn put<const LANES: usize>(state: &mut [[u32; LANES]; 8], lane: usize, from: &[u32; 8]) {
    for (row, word) in state.iter_mut().zip(from) {
        if let Some(slot) = row.get_mut(lane) {
            *slot = *word;
        }
    }
}

fn take<const LANES: usize>(state: &[[u32; LANES]; 8], lane: usize, to: &mut [u32; 8]) {
    for (row, word) in state.iter().zip(to) {
        *word = row.get(lane).copied().unwrap_or(0);
    }
}
