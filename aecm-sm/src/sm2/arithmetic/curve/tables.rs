//! Multiples of the base point, made once and kept in files; the test below computes them again.
//!
//! Each number is a coordinate in Montgomery form, four limbs of eight octets, all least significant first.

use super::{field::Field, limbs::Limbs, point::Affine};

/// The limbs of x and of y.
pub(super) type Entry = [u64; 8];

/// j·64^i·G for j in 1..=32 and the 43 places i: 88 KiB.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, where going wrong is an error")]
pub(super) static COMB: [[Entry; 32]; 43] = {
    let octets: &[u8; 43 * 32 * 64] = include_bytes!("comb.bin");
    let (rows, _) = octets.as_chunks::<{ 32 * 64 }>();
    let mut table = [[[0; 8]; 32]; 43];
    let mut place = 0;
    while place < 43 {
        table[place] = row(&rows[place]);
        place += 1;
    }
    table
};

/// G, 3G, 5G, … 127G: 4 KiB.
pub(super) static ODD: [Entry; 64] = row(include_bytes!("odd.bin"));

/// The point in an entry.
#[inline(always)]
pub(super) const fn affine(entry: &Entry) -> Affine {
    let [x0, x1, x2, x3, y0, y1, y2, y3] = *entry;
    Affine { x: Field::from_stored([x0, x1, x2, x3]), y: Field::from_stored([y0, y1, y2, y3]) }
}

/// x and y of an entry.
#[inline(always)]
pub(super) fn halves(entry: &Entry) -> [&Limbs; 2] {
    match entry.as_chunks() {
        ([x, y], []) => [x, y],
        _ => [&[0; 4]; 2],
    }
}

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, where going wrong is an error")]
const fn row<const OCTETS: usize, const COUNT: usize>(octets: &[u8; OCTETS]) -> [Entry; COUNT] {
    let (limbs, _) = octets.as_chunks::<8>();
    let mut row = [[0; 8]; COUNT];
    let mut at = 0;
    while at < 8 * COUNT {
        row[at / 8][at % 8] = u64::from_le_bytes(limbs[at]);
        at += 1;
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::sm2::arithmetic::curve::point::Jacobian;

    #[test]
    fn both_are_multiples_of_the_base_point() {
        let mut unit = Affine::GENERATOR;
        for (place, row) in COMB.iter().enumerate() {
            let mut sum = Jacobian::INFINITY;
            for (entry, size) in row.iter().zip(1..) {
                sum.add_affine_vartime(&unit);
                assert_eq!(sum.to_affine().unwrap(), affine(entry), "{size}·64^{place}·G");
            }
            unit = sum.doubled().to_affine().unwrap();
        }
        let two = Affine::GENERATOR.to_jacobian().doubled().to_affine().unwrap();
        let mut sum = Affine::GENERATOR.to_jacobian();
        for (entry, size) in ODD.iter().zip((1..).step_by(2)) {
            assert_eq!(sum.to_affine().unwrap(), affine(entry), "{size}·G");
            sum.add_affine_vartime(&two);
        }
    }
}
