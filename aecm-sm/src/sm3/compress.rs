//! The compression function (GB/T 32905 §5.3).

#[cfg(target_arch = "x86_64")]
use crate::backend::sm3_bmi;

/// IV.
pub(crate) const START: [u32; 8] =
    [0x7380_166f, 0x4914_b2b9, 0x1724_42d7, 0xda8a_0600, 0xa96f_30bc, 0x1631_38aa, 0xe38d_ee4d, 0xb0fb_0e4e];

/// T of each round, rotated as the round wants it.
pub(crate) const CONSTANTS: [u32; 64] = {
    let mut constants = [0; 64];
    let mut round: usize = 0;
    let mut by = 0;
    while round < 64 {
        let t: u32 = if round < 16 { 0x79cc_4519 } else { 0x7a87_9d8a };
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
        {
            constants[round] = t.rotate_left(by);
        }
        round += 1;
        by = (by + 1) % 32;
    }
    constants
};

/// Takes the blocks in, in the fastest form that the CPU can run.
pub(crate) fn compress(state: &mut [u32; 8], blocks: &[[u8; 64]]) {
    #[cfg(target_arch = "x86_64")]
    if sm3_bmi::available() {
        return sm3_bmi::compress(state, blocks);
    }
    portable(state, blocks);
}

/// Takes the blocks in, in plain Rust.
pub(super) fn portable(state: &mut [u32; 8], blocks: &[[u8; 64]]) {
    one_by_one::<u32>(state, blocks);
}

/// A message word: of one message, or of several side by side.
pub(crate) trait Word: Copy {
    fn plus(self, other: Self) -> Self;

    fn plus_constant(self, constant: u32) -> Self;

    fn xor(self, other: Self) -> Self;

    /// To the left by `BY`; `BACK` is 32 − `BY`.
    fn rotate<const BY: i32, const BACK: i32>(self) -> Self;

    /// Gives back what it is given. It may keep the compiler from reordering a sum: what comes last from the round
    /// before is to be added last.
    fn hold(self) -> Self {
        self
    }

    /// The sum of three without carry: FF and GG of the first sixteen rounds.
    fn xor3(self, b: Self, c: Self) -> Self {
        self.xor(b).xor(c)
    }

    /// FF of the later rounds: the bits that most have.
    fn majority(self, b: Self, c: Self) -> Self;

    /// GG of the later rounds: the bits of `b` where this one has a bit, else those of `c`.
    fn choice(self, b: Self, c: Self) -> Self;
}

impl Word for u32 {
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }

    #[inline(always)]
    fn plus_constant(self, constant: u32) -> Self {
        self.wrapping_add(constant)
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        self ^ other
    }

    #[inline(always)]
    fn rotate<const BY: i32, const BACK: i32>(self) -> Self {
        self.rotate_left(BY.cast_unsigned())
    }

    #[inline(always)]
    fn majority(self, b: Self, c: Self) -> Self {
        (self & (b | c)) | (b & c)
    }

    #[inline(always)]
    fn choice(self, b: Self, c: Self) -> Self {
        // No bit is in both.
        (self & b).wrapping_add(!self & c)
    }
}

/// The next message word in the place of the oldest.
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "modulo 16")]
fn expand<W: Word>(words: &mut [W; 16], place: usize) -> W {
    let at = |back: usize| words[(place + 16 - back) % 16];
    let inner = at(16).xor3(at(9), at(3).rotate::<15, 17>());
    let p1 = inner.xor3(inner.rotate::<15, 17>(), inner.rotate::<23, 9>());
    let word = p1.xor3(at(13).rotate::<7, 25>(), at(6));
    words[place % 16] = word;
    word
}

/// One round; `word` is W, `sum` W′.
#[inline(always)]
fn round<W: Word, const ROUND: usize>(state: [W; 8], word: W, sum: W) -> [W; 8] {
    let [a, b, c, d, e, f, g, h] = state;
    let rotated = a.rotate::<12, 20>();
    #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
    let early = rotated.plus_constant(const { CONSTANTS[ROUND] }).hold();
    let ss1 = early.plus(e).rotate::<7, 25>();
    let ss2 = ss1.xor(rotated);
    let (ff, gg) = if ROUND < 16 { (a.xor3(b, c), e.xor3(f, g)) } else { (a.majority(b, c), e.choice(f, g)) };
    let tt1 = d.plus(sum).plus(ff).plus(ss2);
    let tt2 = h.plus(word).plus(gg).plus(ss1);
    let p0 = tt2.xor3(tt2.rotate::<9, 23>(), tt2.rotate::<17, 15>());
    [tt1, a, b.rotate::<9, 23>(), c, p0, e, f.rotate::<19, 13>(), g]
}

/// All rounds of one block.
#[inline(always)]
pub(crate) fn rounds<W: Word>(state: [W; 8], words: [W; 16]) -> [W; 8] {
    let mut words = words;
    let mut next = state;
    macro_rules! rounds {
        ($($round:literal)*) => {$(
            let (now, ahead) = (words[$round % 16], words[($round + 4) % 16]);
            let ahead = if $round < 12 { ahead } else { expand(&mut words, $round + 4) };
            next = round::<W, $round>(next, now, now.xor(ahead));
        )*};
    }
    rounds! { 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 }
    rounds! { 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 }
    rounds! { 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 }
    rounds! { 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 }
    let [a, b, c, d, e, f, g, h] = state;
    let [i, j, k, l, m, n, o, p] = next;
    [a.xor(i), b.xor(j), c.xor(k), d.xor(l), e.xor(m), f.xor(n), g.xor(o), h.xor(p)]
}

/// The blocks of one message, one after the other.
#[inline(always)]
pub(crate) fn one_by_one<W: Word + From<u32> + Into<u32>>(state: &mut [u32; 8], blocks: &[[u8; 64]]) {
    let mut chain = state.map(W::from);
    for block in blocks {
        let mut words = [W::from(0); 16];
        for (word, octets) in words.iter_mut().zip(block.as_chunks::<4>().0) {
            *word = u32::from_be_bytes(*octets).into();
        }
        chain = rounds(chain, words);
    }
    *state = chain.map(W::into);
}
