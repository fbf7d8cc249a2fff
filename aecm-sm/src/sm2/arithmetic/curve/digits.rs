//! Numbers as digits with sign, for the multiplication of points.

use zeroize::Zeroize;

use super::limbs::Limbs;

/// A digit in −2^(w−1)..=2^(w−1): its size and a mask of ones where it is negative.
#[derive(Clone, Copy, Default)]
pub(super) struct Window {
    size: u64,
    negative: u64,
}

impl Zeroize for Window {
    fn zeroize(&mut self) {
        self.size.zeroize();
        self.negative.zeroize();
    }
}

impl Window {
    #[inline(always)]
    pub(super) const fn negative_mask(&self) -> u64 {
        self.negative
    }

    #[inline(always)]
    pub(super) const fn zero_mask(&self) -> u64 {
        equal_mask(self.size, 0)
    }

    #[inline(always)]
    pub(super) const fn size(&self) -> u64 {
        self.size
    }
}

/// All ones where two small numbers are equal.
#[inline(always)]
pub(super) const fn equal_mask(a: u64, b: u64) -> u64 {
    // Below zero only where the difference was none.
    ((a ^ b).wrapping_sub(1).cast_signed() >> 63).cast_unsigned()
}

/// `COUNT` digits of `WIDTH` bits, the lowest first, in constant time. COUNT·WIDTH is above 256.
#[inline(always)]
pub(super) fn signed<const WIDTH: u32, const COUNT: usize>(k: &Limbs) -> [Window; COUNT] {
    let mut digits = [Window::default(); COUNT];
    let (mut carry, mut place) = (0, 0);
    for digit in &mut digits {
        let value = bits::<WIDTH>(k, place) + carry;
        // Above half: 2^w less, and one more in the next place.
        carry = (value + (1 << (WIDTH - 1)) - 1) >> WIDTH;
        let negative = 0_u64.wrapping_sub(carry);
        let value = value.wrapping_sub(carry << WIDTH);
        *digit = Window { size: (value ^ negative).wrapping_sub(negative), negative };
        place += WIDTH;
    }
    digits
}

/// The `WIDTH` bits at `place`; zeros beyond the end. The place is no secret.
#[inline(always)]
fn bits<const WIDTH: u32>(k: &Limbs, place: u32) -> u64 {
    let (limb, shift) = (place / 64, place % 64);
    let at = |index: u32| usize::try_from(index).ok().and_then(|index| k.get(index)).copied().unwrap_or(0);
    let low = at(limb) >> shift;
    let high = if shift == 0 { 0 } else { at(limb + 1) << (64 - shift) };
    (low | high) & ((1 << WIDTH) - 1)
}

/// The form without neighbours (wNAF): odd digits below 2^(w−1) in size, zeros between. In variable time.
pub(super) fn non_adjacent<const WIDTH: u32>(k: &Limbs) -> [i16; 257] {
    let mut digits = [0; 257];
    let (mut carry, mut place) = (0_u64, 0_u32);
    while place < 257 {
        if bits::<1>(k, place) == carry {
            place += 1;
            continue;
        }
        let value = bits::<WIDTH>(k, place) + carry;
        carry = value >> (WIDTH - 1);
        let digit = i16::try_from(value).unwrap_or(0) - i16::try_from(carry << WIDTH).unwrap_or(0);
        if let Some(slot) = usize::try_from(place).ok().and_then(|place| digits.get_mut(place)) {
            *slot = digit;
        }
        place += WIDTH;
    }
    digits
}

/// Where an odd digit's size stands in a table of 1, 3, 5, …; nothing for zero.
#[inline(always)]
pub(super) fn odd_index(digit: i16) -> Option<usize> {
    (digit != 0).then(|| usize::from(digit.unsigned_abs() >> 1))
}
