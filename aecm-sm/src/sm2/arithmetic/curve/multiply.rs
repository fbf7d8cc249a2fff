//! Multiples of points: of the base point and of any, in constant time; their sum in variable time.

use zeroize::Zeroizing;

#[cfg(target_arch = "x86_64")]
use crate::backend::{select_avx2, sm2_ifma};

use super::{
    digits::{self, Window},
    field::Field,
    limbs::{self, Limbs},
    point::{Affine, Jacobian, Powered},
    scalar::Scalar,
    tables,
};

/// \[k\]G in constant time.
#[inline(always)]
pub(super) fn generator_times(k: &Scalar) -> Jacobian {
    let digits = Zeroizing::new(digits::signed::<6, { tables::COMB.len() }>(k.limbs()));
    #[cfg(target_arch = "x86_64")]
    if sm2_ifma::available() {
        let digits = Zeroizing::new(digits.each_ref().map(|digit| [digit.size(), digit.negative_mask()]));
        let [x, y, z] = sm2_ifma::comb::sum(&tables::COMB, &digits).map(|number| Field::settled(&number));
        // Zero for k = 0, and where points met that the lanes do not look for: for single k that nobody draws.
        if z != Field::ZERO {
            return Jacobian { x, y, z };
        }
    }
    comb(&digits)
}

/// The twin of the backend's: one table entry for each six bits, no doubling.
#[cfg_attr(target_arch = "x86_64", inline(never))]
#[cfg_attr(not(target_arch = "x86_64"), inline(always))]
pub(super) fn comb(digits: &[Window; tables::COMB.len()]) -> Jacobian {
    let mut sum = Jacobian::INFINITY;
    for (digit, multiples) in digits.iter().zip(&tables::COMB) {
        let term = look_up(multiples.iter().map(tables::halves), digit);
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
        let term = look_up(table.iter().map(|entry| [entry.x.stored(), entry.y.stored()]), digit);
        // Only at the last place can 32·sum = ±term be, and only for k within 32 of n.
        sum = if rest.peek().is_some() {
            let mut sum = sum.plus_unless(&term, digit.zero_mask());
            for _ in 0..5 {
                sum.double();
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
    // Above the highest digits there is nothing to double.
    let digits = s.iter().zip(&t).rev().skip_while(|(s, t)| **s == 0 && **t == 0);
    for (s, t) in digits {
        sum.double();
        if let Some(entry) = digits::odd_index(*t).and_then(|index| table.get(index)) {
            let term = if *t < 0 { entry.negative() } else { *entry };
            sum.add_vartime(&term);
        }
        if let Some(entry) = digits::odd_index(*s).and_then(|index| tables::ODD.get(index)) {
            let entry = tables::affine(entry);
            let term = if *s < 0 { entry.negative_if(u64::MAX) } else { entry };
            sum.add_affine_vartime(&term);
        }
    }
    sum
}

/// The entry for the digit's size, counted from 1, with its sign; every entry is read. Anything where the digit is zero.
#[inline(always)]
fn look_up<'a>(entries: impl Iterator<Item = [&'a Limbs; 2]>, digit: &Window) -> Affine {
    #[cfg(target_arch = "x86_64")]
    let [x, y] = if select_avx2::available() {
        select_avx2::select(entries, digit.size())
    } else {
        look_up_portable(entries, digit.size())
    };
    #[cfg(not(target_arch = "x86_64"))]
    let [x, y] = look_up_portable(entries, digit.size());
    Affine { x: Field::from_stored(x), y: Field::from_stored(y) }.negative_if(digit.negative_mask())
}

/// The twin of the backend's.
pub(super) fn look_up_portable<'a>(entries: impl Iterator<Item = [&'a Limbs; 2]>, wanted: u64) -> [Limbs; 2] {
    let mut found = [[0; 4]; 2];
    for (entry, size) in entries.zip(1_u64..) {
        let mask = digits::equal_mask(wanted, size);
        let [x, y] = found;
        let [entry_x, entry_y] = entry;
        found = [limbs::select(&x, entry_x, mask), limbs::select(&y, entry_y, mask)];
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
        last.add_vartime(&two);
        *slot = Powered::new(last);
    }
    all
}
