//! Multiples of points: of the base point and of any, in constant time; their sum in variable time.

use zeroize::Zeroizing;

#[cfg(target_arch = "x86_64")]
use crate::backend::select_avx2;

use super::{
    digits::{self, Window},
    field::Field,
    point::{Affine, Jacobian, Powered},
    scalar::Scalar,
    tables,
};

/// \[k\]G in constant time: one table entry for each six bits of k, no doubling.
#[inline(always)]
pub(super) fn generator_times(k: &Scalar) -> Jacobian {
    let digits = Zeroizing::new(digits::signed::<6, 43>(k.limbs()));
    let mut sum = Jacobian::INFINITY;
    for (digit, multiples) in digits.iter().zip(&tables::COMB) {
        let term = look_up(multiples, digit);
        // Never P = ±Q for 0 < k < n: what is summed so far is smaller than half of this place's unit, and only
        // k = n could make the last two terms meet.
        sum = sum.plus_unless(&term, digit.zero_mask());
    }
    sum
}

/// \[k\]P in constant time: five bits at a time.
#[inline(always)]
pub(super) fn times(point: &Affine, k: &Scalar) -> Jacobian {
    let table = Zeroizing::new(multiples(point));
    let digits = Zeroizing::new(digits::signed::<5, 52>(k.limbs()));
    let mut sum = Jacobian::INFINITY;
    let mut rest = digits.iter().rev().peekable();
    while let Some(digit) = rest.next() {
        let term = look_up(&*table, digit);
        // Only at the last place can 32·sum = ±term be, and only for k within 32 of n.
        sum = if rest.peek().is_some() {
            let mut sum = sum.plus_unless(&term, digit.zero_mask());
            for _ in 0..5 {
                sum = sum.doubled();
            }
            sum
        } else {
            sum.plus_any_unless(&term, digit.zero_mask())
        };
    }
    sum
}

/// \[s\]G + \[t\]P in variable time, for public values.
#[inline(always)]
pub(super) fn sum_vartime(s: &Scalar, t: &Scalar, point: &Affine) -> Jacobian {
    let table = odd_multiples(point);
    let s = digits::non_adjacent::<8>(s.limbs());
    let t = digits::non_adjacent::<5>(t.limbs());
    let mut sum = Jacobian::INFINITY;
    for (s, t) in s.iter().zip(&t).rev() {
        sum = sum.doubled();
        if let Some(entry) = digits::odd_index(*t).and_then(|index| table.get(index)) {
            let term = if *t < 0 { entry.negative() } else { *entry };
            sum = sum.plus_vartime(&term);
        }
        if let Some(entry) = digits::odd_index(*s).and_then(|index| tables::ODD.get(index)) {
            let term = if *s < 0 { entry.negative_if(u64::MAX) } else { *entry };
            sum = sum.plus_affine_vartime(&term);
        }
    }
    sum
}

/// The entry for the digit's size, with its sign; every entry is read. Anything where the digit is zero.
#[inline(always)]
fn look_up(multiples: &[Affine], digit: &Window) -> Affine {
    #[cfg(target_arch = "x86_64")]
    if select_avx2::available() {
        let entries = multiples.iter().map(|entry| [entry.x.stored(), entry.y.stored()]);
        let [x, y] = select_avx2::select(entries, digit.size()).map(Field::from_stored);
        return Affine { x, y }.negative_if(digit.negative_mask());
    }
    look_up_portable(multiples, digit.size()).negative_if(digit.negative_mask())
}

/// The twin of the backend's.
#[cfg_attr(target_arch = "x86_64", inline(never))]
#[cfg_attr(not(target_arch = "x86_64"), inline(always))]
fn look_up_portable(multiples: &[Affine], wanted: u64) -> Affine {
    let mut found = Affine::default();
    for (entry, size) in multiples.iter().zip(1_u64..) {
        found = Affine::select(&found, entry, digits::equal_mask(wanted, size));
    }
    found
}

/// P, 2P, … 16P.
#[inline(always)]
fn multiples(point: &Affine) -> [Affine; 16] {
    let mut all = [point.to_jacobian(); 16];
    for place in 1..16 {
        // Counted from zero, place p holds (p+1)P: doubled from half, or one more than the one before. No
        // multiple below 17 meets P or infinity, the order being prime.
        let (half, odd) = (place / 2, place % 2 == 0);
        let base = if odd { all.get(place - 1) } else { all.get(half) };
        let next =
            base.map_or(
                Jacobian::INFINITY,
                |base| {
                    if odd { base.plus_different(point).0 } else { base.doubled() }
                },
            );
        if let Some(slot) = all.get_mut(place) {
            *slot = next;
        }
    }
    affine(&all)
}

/// All of them affine, with one inversion (Montgomery's trick). None may be at infinity.
pub(super) fn affine<const COUNT: usize>(points: &[Jacobian; COUNT]) -> [Affine; COUNT] {
    let mut products = Zeroizing::new([Field::ONE; COUNT]);
    let mut product = Field::ONE;
    for (slot, point) in products.iter_mut().zip(points) {
        *slot = product;
        product = product.times(&point.z);
    }
    let mut inverse = product.inverse();
    let mut all = [Affine::default(); COUNT];
    for ((slot, point), before) in all.iter_mut().zip(points).zip(products.iter()).rev() {
        *slot = point.scaled(&inverse.times(before));
        inverse = inverse.times(&point.z);
    }
    all
}

/// P, 3P, … 15P.
#[inline(always)]
fn odd_multiples(point: &Affine) -> [Powered; 8] {
    let one = point.to_jacobian();
    let two = Powered::new(one.doubled());
    let mut all = [Powered::new(one); 8];
    let mut last = one;
    for slot in all.iter_mut().skip(1) {
        last = last.plus_vartime(&two);
        *slot = Powered::new(last);
    }
    all
}
