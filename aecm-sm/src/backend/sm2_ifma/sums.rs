//! The eight sums.

use core::arch::x86_64::*;

use super::{
    field::{Lanes, load, store},
    point::{Points, Powered},
};

/// How many sums at a time.
pub(crate) const LANES: usize = 8;

/// Digits of s, of six bits with sign, and of t, of five: the lowest first.
pub(crate) const WINDOWS_G: usize = 43;
pub(crate) const WINDOWS_P: usize = 52;

/// \[s\]G + \[t\]P.
#[derive(Clone, Copy)]
pub(crate) struct Task {
    /// s, digits in −32..=32.
    pub(crate) s: [i8; WINDOWS_G],
    /// t, digits in −16..=16.
    pub(crate) t: [i8; WINDOWS_P],
    /// The affine coordinates of P, below p.
    pub(crate) point: [[u64; 4]; 2],
}

/// X and Z of a sum, with x = X/Z²; numbers up to p. Where Z is 0 or p the sum was not found.
#[derive(Clone, Copy)]
pub(crate) struct Sum {
    pub(crate) x: [u64; 4],
    pub(crate) z: [u64; 4],
}

/// Multiples 1 to 16 of the eight points: 25 limbs (X, Y, Z, Z², Z³) for each lane.
struct Table([[[u64; LANES]; 25]; 16]);

/// Multiples 1 to 32 of G, x and y.
struct Base([[u64; 10]; 32]);

/// All of them. `base` is 1·G to 32·G in affine coordinates below p.
pub(crate) fn sums(base: &[[[u64; 4]; 2]; 32], tasks: &[Task; LANES]) -> [Sum; LANES] {
    assert!(super::available(), "called on a CPU without AVX-512 IFMA");
    // SAFETY: the CPU has every feature that the function enables.
    unsafe { sums_wide(base, tasks) }
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn sums_wide(base: &[[[u64; 4]; 2]; 32], tasks: &[Task; LANES]) -> [Sum; LANES] {
    let base = Base::new(base);
    let table = Table::new(&tasks.each_ref().map(|task| task.point));
    let mut sum = Points { x: Lanes::one(), y: Lanes::one(), z: Lanes::zero() };
    // The lanes that are still at infinity.
    let mut empty: __mmask8 = !0;
    // The highest digit of t stands at bit 255, that of s at bit 252.
    for bit in (0..256_usize).rev() {
        if bit < 255 {
            sum = sum.doubled();
        }
        if bit % 5 == 0 {
            let digits =
                Digits::new(&tasks.each_ref().map(|task| task.t.get(bit / 5).copied().unwrap_or(0)), 16);
            let term = table.entry(&digits);
            let next = Powered::new(sum).plus(&term).or(empty, &term.point);
            sum = sum.or(digits.present, &next);
            empty &= !digits.present;
        }
        if bit % 6 == 0 {
            let digits =
                Digits::new(&tasks.each_ref().map(|task| task.s.get(bit / 6).copied().unwrap_or(0)), 32);
            let term = base.entry(&digits);
            let next = sum.plus_affine(&term.x, &term.y).or(empty, &term);
            sum = sum.or(digits.present, &next);
            empty &= !digits.present;
        }
    }
    let (xs, zs) = (sum.x.leave(), sum.z.leave());
    let mut sums = [Sum { x: [0; 4], z: [0; 4] }; LANES];
    for ((sum, x), z) in sums.iter_mut().zip(xs).zip(zs) {
        *sum = Sum { x, z };
    }
    sums
}

/// One digit a lane.
struct Digits {
    /// Its size less one; zero for none.
    places: __m512i,
    present: __mmask8,
    negative: __mmask8,
}

impl Digits {
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn new(digits: &[i8; LANES], highest: i8) -> Self {
        // The table ends at the highest digit, whatever the caller gave.
        let lanes = load(&digits.map(|digit| i64::from(digit.clamp(-highest, highest)).cast_unsigned()));
        let (zero, one) = (_mm512_setzero_si512(), _mm512_set1_epi64(1));
        let sizes = _mm512_abs_epi64(lanes);
        Self {
            places: _mm512_max_epi64(_mm512_sub_epi64(sizes, one), zero),
            present: _mm512_cmpneq_epi64_mask(lanes, zero),
            negative: _mm512_cmplt_epi64_mask(lanes, zero),
        }
    }
}

/// Limb number `LIMB` of one entry a lane.
///
/// # Safety
///
/// Each offset, in limbs, and LIMB limbs behind it, has to be inside the table.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn gather(table: *const u64, offsets: __m512i) -> __m512i {
    // SAFETY: the caller's promise.
    unsafe { _mm512_i64gather_epi64::<8>(offsets, table.cast()) }
}

impl Table {
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn new(points: &[[[u64; 4]; 2]; LANES]) -> Self {
        let one =
            Points::affine(Lanes::enter(&points.map(|[x, _]| x)), Lanes::enter(&points.map(|[_, y]| y)));
        let mut all = [one; 16];
        for place in 1..all.len() {
            // Place p holds p + 1 times the point: twice that of half the number, or one more than the last. No
            // multiple below 17 meets another or infinity, the order being prime.
            let (half, last) = (all.get(place / 2).copied(), all.get(place - 1).copied());
            let next = match (place % 2, half, last) {
                (1, Some(half), _) => half.doubled(),
                (_, _, Some(last)) => last.plus_affine(&one.x, &one.y),
                _ => one,
            };
            if let Some(slot) = all.get_mut(place) {
                *slot = next;
            }
        }
        let mut table = Self([[[0; LANES]; 25]; 16]);
        for (entry, point) in table.0.iter_mut().zip(&all) {
            let Powered { point, zz, zzz } = Powered::new(*point);
            let limbs = [point.x, point.y, point.z, zz, zzz].into_iter().flat_map(|Lanes(limbs)| limbs);
            for (slot, limb) in entry.iter_mut().zip(limbs) {
                *slot = store(limb);
            }
        }
        table
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn entry(&self, digits: &Digits) -> Powered {
        // 200 limbs an entry, 8 a limb's row.
        let lanes = _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0);
        let places = digits.places;
        let times_200 = _mm512_add_epi64(
            _mm512_add_epi64(_mm512_slli_epi64::<7>(places), _mm512_slli_epi64::<6>(places)),
            _mm512_slli_epi64::<3>(places),
        );
        let offsets = _mm512_add_epi64(times_200, lanes);
        let start: *const u64 = self.0.as_ptr().cast();
        let coordinate = |number: usize| {
            let limb = |limb: usize| {
                // SAFETY: a place is below 16 as no digit is above 16 (see [`Digits::new`]), 5·number + limb below 25.
                unsafe { gather(start.add((5 * number + limb) * LANES), offsets) }
            };
            Lanes([limb(0), limb(1), limb(2), limb(3), limb(4)])
        };
        let point = Points { x: coordinate(0), y: coordinate(1), z: coordinate(2) };
        let (zz, zzz) = (coordinate(3), coordinate(4));
        Powered { point: point.negative_if(digits.negative), zz, zzz }
    }
}

impl Base {
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn new(multiples: &[[[u64; 4]; 2]; 32]) -> Self {
        let mut base = Self([[0; 10]; 32]);
        let (chunks, _) = multiples.as_chunks::<LANES>();
        let (slots, _) = base.0.as_chunks_mut::<LANES>();
        for (slots, chunk) in slots.iter_mut().zip(chunks) {
            let x = Lanes::enter(&chunk.map(|[x, _]| x)).0.map(|limb| store(limb));
            let y = Lanes::enter(&chunk.map(|[_, y]| y)).0.map(|limb| store(limb));
            for (lane, slot) in slots.iter_mut().enumerate() {
                for (to, limb) in slot.iter_mut().zip(x.iter().chain(&y)) {
                    *to = limb.get(lane).copied().unwrap_or(0);
                }
            }
        }
        base
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn entry(&self, digits: &Digits) -> Points {
        // 10 limbs an entry.
        let places = digits.places;
        let offsets = _mm512_add_epi64(_mm512_slli_epi64::<3>(places), _mm512_slli_epi64::<1>(places));
        let start: *const u64 = self.0.as_ptr().cast();
        let limb = |limb: usize| {
            // SAFETY: a place is below 32 as no digit is above 32 (see [`Digits::new`]), and the limb below 10.
            unsafe { gather(start.add(limb), offsets) }
        };
        let x = Lanes([limb(0), limb(1), limb(2), limb(3), limb(4)]);
        let y = Lanes([limb(5), limb(6), limb(7), limb(8), limb(9)]);
        Points::affine(x, y).negative_if(digits.negative)
    }
}
