//! SM3 with BMI: rotations that leave their operand alone, and "and not".

use crate::sm3::compress::{Word, one_by_one};

cpufeatures::new!(cpu, "bmi1", "bmi2");

/// Whether this CPU knows all that is needed here.
pub(crate) fn available() -> bool {
    cpu::get()
}

/// Takes the blocks in.
pub(crate) fn compress(state: &mut [u32; 8], blocks: &[[u8; 64]]) {
    assert!(available(), "called on a CPU without BMI");
    // SAFETY: the CPU has every feature that the function enables.
    unsafe { compress_bmi(state, blocks) }
}

#[target_feature(enable = "bmi1,bmi2")]
fn compress_bmi(state: &mut [u32; 8], blocks: &[[u8; 64]]) {
    one_by_one::<Held>(state, blocks);
}

/// A word whose sums stay in the order they are written in.
#[derive(Clone, Copy)]
struct Held(u32);

impl From<u32> for Held {
    #[inline(always)]
    fn from(word: u32) -> Self {
        Self(word)
    }
}

impl From<Held> for u32 {
    #[inline(always)]
    fn from(word: Held) -> Self {
        word.0
    }
}

impl Word for Held {
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        Self(self.0.plus(other.0))
    }

    #[inline(always)]
    fn plus_constant(self, constant: u32) -> Self {
        Self(self.0.plus_constant(constant))
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        Self(self.0.xor(other.0))
    }

    #[inline(always)]
    fn rotate<const BY: i32, const BACK: i32>(self) -> Self {
        Self(self.0.rotate::<BY, BACK>())
    }

    /// By a way through which the compiler does not look.
    #[inline(always)]
    fn hold(self) -> Self {
        let mut word = self.0;
        // SAFETY: no instruction at all.
        unsafe {
            core::arch::asm!("/* {0:e} */", inout(reg) word, options(pure, nomem, nostack, preserves_flags));
        }
        Self(word)
    }

    #[inline(always)]
    fn majority(self, b: Self, c: Self) -> Self {
        Self(self.0.majority(b.0, c.0))
    }

    #[inline(always)]
    fn choice(self, b: Self, c: Self) -> Self {
        Self(self.0.choice(b.0, c.0))
    }
}
