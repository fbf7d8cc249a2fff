//! \[k\]G in constant time, the places of k shared out among the lanes.

use core::arch::x86_64::*;

use super::{
    field::Lanes,
    point::{Points, Powered},
};

/// One affine point: x and y in four limbs of 64 bits each, times 2²⁵⁶ mod p.
pub(crate) type Entry = [u64; 8];

/// One digit of six bits with sign: its size, and ones where it is negative.
pub(crate) type Digit = [u64; 2];

/// Σ digit·64^place·G over the places, X, Y and Z as numbers up to p, from the table that holds 1 to 32 times 64^place·G.
///
/// Right but where Z is 0 or p: then the sum is the point at infinity, or two equal or opposite points met in between.
pub(crate) fn sum<const PLACES: usize>(
    table: &[[Entry; 32]; PLACES],
    digits: &[Digit; PLACES],
) -> [[u64; 4]; 3] {
    assert!(super::available(), "called on a CPU without AVX-512 IFMA");
    // SAFETY: the CPU has every feature that the function enables.
    unsafe { sum_wide(table, digits) }
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn sum_wide(table: &[[Entry; 32]], digits: &[Digit]) -> [[u64; 4]; 3] {
    let mut sum = Points { x: Lanes::one(), y: Lanes::one(), z: Lanes::zero() };
    // The lanes that are still at infinity.
    let mut empty: __mmask8 = !0;
    for (rows, digits) in table.chunks(8).zip(digits.chunks(8)) {
        let (term, present) = terms(rows, digits);
        // In no lane are the points equal or opposite: what is summed so far is smaller than half of this place's unit.
        let next = sum.plus_affine(&term.x, &term.y).or(empty, &term);
        sum = sum.or(present, &next);
        empty &= !present;
    }
    sum = met::<4>(&sum, &mut empty);
    sum = met::<2>(&sum, &mut empty);
    sum = met::<1>(&sum, &mut empty);
    [sum.x, sum.y, sum.z].map(|coordinate| {
        let [first, ..] = coordinate.leave();
        first
    })
}

/// In each lane what it has, and what the lane `BY` further on has.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn met<const BY: i32>(sum: &Points, empty: &mut __mmask8) -> Points {
    let own = Powered::new(*sum);
    let turn = |lanes: &Lanes| Lanes(lanes.0.map(|limb| _mm512_alignr_epi64::<BY>(limb, limb)));
    let other = Powered {
        point: Points { x: turn(&own.point.x), y: turn(&own.point.y), z: turn(&own.point.z) },
        zz: turn(&own.zz),
        zzz: turn(&own.zzz),
    };
    let other_empty = empty.rotate_right(BY.unsigned_abs());
    let both = own.plus(&other).or(*empty, &other.point).or(other_empty, sum);
    *empty &= other_empty;
    both
}

/// The entries for the digits, one a lane, with their signs, and the lanes whose digit is not zero.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn terms(rows: &[[Entry; 32]], digits: &[Digit]) -> (Points, __mmask8) {
    let (mut entries, mut sizes, mut signs) = ([_mm512_setzero_si512(); 8], [0; 8], [0; 8]);
    let lanes = entries.iter_mut().zip(&mut sizes).zip(&mut signs);
    for (((entry, size), sign), (row, digit)) in lanes.zip(rows.iter().zip(digits)) {
        [*size, *sign] = *digit;
        *entry = select(row, *size);
    }
    let (sizes, signs) = (super::field::load(&sizes), super::field::load(&signs));
    let present = _mm512_test_epi64_mask(sizes, sizes);
    let negative = _mm512_test_epi64_mask(signs, signs);
    let [x0, x1, x2, x3, y0, y1, y2, y3] = transpose(entries);
    let term = Points::affine(Lanes::from_stored([x0, x1, x2, x3]), Lanes::from_stored([y0, y1, y2, y3]));
    (term.negative_if(negative), present)
}

/// The entry for the size, zeros for none; every entry is read.
#[inline]
#[target_feature(enable = "avx512f")]
fn select(row: &[Entry; 32], size: u64) -> __m512i {
    let (wanted, one) = (_mm512_set1_epi64(size.cast_signed()), _mm512_set1_epi64(1));
    let (mut place, mut found) = (one, _mm512_setzero_si512());
    for entry in row {
        found =
            _mm512_mask_mov_epi64(found, _mm512_cmpeq_epi64_mask(place, wanted), super::field::load(entry));
        place = _mm512_add_epi64(place, one);
    }
    found
}

/// Eight rows of eight to eight columns.
#[inline]
#[target_feature(enable = "avx512f")]
fn transpose(rows: [__m512i; 8]) -> [__m512i; 8] {
    let [a, b, c, d, e, f, g, h] = rows;
    let pairs = |a, b| (_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
    let ((a0, a1), (c0, c1), (e0, e1), (g0, g1)) = (pairs(a, b), pairs(c, d), pairs(e, f), pairs(g, h));
    // Two limbs of two lanes stand together: columns 0, 2, 4, 6 in the first of each pair, 1, 3, 5, 7 in the second.
    let fours = |a, c, e, g| {
        let (low, high) = (_mm512_shuffle_i64x2::<0x44>(a, c), _mm512_shuffle_i64x2::<0xee>(a, c));
        let (low2, high2) = (_mm512_shuffle_i64x2::<0x44>(e, g), _mm512_shuffle_i64x2::<0xee>(e, g));
        (
            _mm512_shuffle_i64x2::<0x88>(low, low2),
            _mm512_shuffle_i64x2::<0xdd>(low, low2),
            _mm512_shuffle_i64x2::<0x88>(high, high2),
            _mm512_shuffle_i64x2::<0xdd>(high, high2),
        )
    };
    let (c0_, c2_, c4_, c6_) = fours(a0, c0, e0, g0);
    let (c1_, c3_, c5_, c7_) = fours(a1, c1, e1, g1);
    [c0_, c1_, c2_, c3_, c4_, c5_, c6_, c7_]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_become_rows() {
        if !super::super::available() {
            return;
        }
        #[target_feature(enable = "avx512f")]
        fn through(rows: [[u64; 8]; 8]) -> [[u64; 8]; 8] {
            transpose(rows.map(|row| super::super::field::load(&row)))
                .map(|column| super::super::field::store(column))
        }
        let rows =
            [0, 1, 2, 3, 4, 5, 6, 7].map(|row| [0, 1, 2, 3, 4, 5, 6, 7].map(|column| 8 * row + column));
        // SAFETY: the CPU was asked above.
        let columns = unsafe { through(rows) };
        for (row, values) in rows.iter().enumerate() {
            for (column, value) in values.iter().enumerate() {
                assert_eq!(columns[column][row], *value);
            }
        }
    }
}
