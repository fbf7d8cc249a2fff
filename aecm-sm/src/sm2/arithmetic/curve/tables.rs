//! Multiples of the base point, made once and kept in files; the test below computes them again.
//!
//! Each number is a coordinate in Montgomery form, four limbs of eight octets, all least significant first.

use super::{field::Field, point::Affine};

/// j·64^i·G for j in 1..=32 and the 43 places i: 88 KiB.
pub(super) static COMB: [[Affine; 32]; 43] = {
    let octets: &[u8; 43 * 32 * 64] = include_bytes!("comb.bin");
    let (rows, _) = octets.as_chunks::<{ 32 * 64 }>();
    let mut table = [[Affine { x: Field::ZERO, y: Field::ZERO }; 32]; 43];
    let mut place = 0;
    while place < 43 {
        table[place] = row(&rows[place]);
        place += 1;
    }
    table
};

/// G, 3G, 5G, … 127G: 4 KiB.
pub(super) static ODD: [Affine; 64] = row(include_bytes!("odd.bin"));

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, where going wrong is an error")]
const fn row<const OCTETS: usize, const COUNT: usize>(octets: &[u8; OCTETS]) -> [Affine; COUNT] {
    let (limbs, _) = octets.as_chunks::<8>();
    let mut row = [Affine { x: Field::ZERO, y: Field::ZERO }; COUNT];
    let mut place = 0;
    while place < COUNT {
        row[place] = Affine { x: field(limbs, 8 * place), y: field(limbs, 8 * place + 4) };
        place += 1;
    }
    row
}

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, where going wrong is an error")]
const fn field(limbs: &[[u8; 8]], at: usize) -> Field {
    Field::from_stored([
        u64::from_le_bytes(limbs[at]),
        u64::from_le_bytes(limbs[at + 1]),
        u64::from_le_bytes(limbs[at + 2]),
        u64::from_le_bytes(limbs[at + 3]),
    ])
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
                sum = sum.plus_affine_vartime(&unit);
                assert_eq!(sum.to_affine().unwrap(), *entry, "{size}·64^{place}·G");
            }
            unit = sum.doubled().to_affine().unwrap();
        }
        let two = Affine::GENERATOR.to_jacobian().doubled().to_affine().unwrap();
        let mut sum = Affine::GENERATOR.to_jacobian();
        for (entry, size) in ODD.iter().zip((1..).step_by(2)) {
            assert_eq!(sum.to_affine().unwrap(), *entry, "{size}·G");
            sum = sum.plus_affine_vartime(&two);
        }
    }
}
