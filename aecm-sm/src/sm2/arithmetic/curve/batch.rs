//! Many sums \[s\]G + \[t\]P at a time, for public values: what the verification of many signatures asks.

use alloc::vec::Vec;

use crate::sm2::arithmetic::Claim;

use super::Point;

/// Whether each sum has the x that is claimed.
pub(super) fn sums_have_x(claims: &[Claim]) -> Vec<bool> {
    #[cfg(target_arch = "x86_64")]
    if claims.len() >= wide::WORTHWHILE && crate::backend::sm2_ifma::available() {
        return wide::sums_have_x(claims);
    }
    claims.iter().map(one).collect()
}

fn one(claim: &Claim) -> bool {
    Point::sum_has_x(&claim.s, &claim.t, &claim.point, &claim.x)
}

#[cfg(target_arch = "x86_64")]
mod wide {
    use super::*;

    use crate::backend::sm2_ifma::{LANES, Sum, Task, WINDOWS_G, WINDOWS_P, sums};
    use crate::sm2::arithmetic::curve::{
        digits::{self, Window},
        field::Field,
        limbs::Limbs,
        scalar::Scalar,
        tables,
    };

    /// Eight lanes take less time than two single sums.
    pub(super) const WORTHWHILE: usize = 2;

    pub(super) fn sums_have_x(claims: &[Claim]) -> Vec<bool> {
        let base = base();
        let mut answers = Vec::with_capacity(claims.len());
        for group in claims.chunks(LANES) {
            if group.len() < WORTHWHILE {
                answers.extend(group.iter().map(one));
            } else {
                answers.extend(
                    group.iter().zip(sums(&base, &tasks(group))).map(|(claim, sum)| answer(claim, &sum)),
                );
            }
        }
        answers
    }

    /// How many sums the lanes do not find themselves.
    #[cfg(test)]
    pub(super) fn given_up(claims: &[Claim]) -> usize {
        let zero = |sum: &Sum| Field::settled(&sum.z) == Field::ZERO;
        let groups = claims.chunks(LANES).map(|group| (group.len(), sums(&base(), &tasks(group))));
        groups.map(|(length, sums)| sums.iter().take(length).filter(|sum| zero(sum)).count()).sum()
    }

    /// 1·G to 32·G.
    fn base() -> [[Limbs; 2]; 32] {
        let [base, ..] = &tables::COMB;
        base.each_ref().map(|entry| {
            let point = tables::affine(entry);
            [point.x.to_limbs(), point.y.to_limbs()]
        })
    }

    /// Up to eight; the lanes left over compute 0.
    fn tasks(claims: &[Claim]) -> [Task; LANES] {
        let mut tasks = [Task { s: [0; WINDOWS_G], t: [0; WINDOWS_P], point: [[0; 4]; 2] }; LANES];
        for (task, claim) in tasks.iter_mut().zip(claims) {
            *task = Task {
                s: plain(&digits::signed::<6, WINDOWS_G>(claim.s.limbs())),
                t: plain(&digits::signed::<5, WINDOWS_P>(claim.t.limbs())),
                point: [claim.point.0.x.to_limbs(), claim.point.0.y.to_limbs()],
            };
        }
        tasks
    }

    fn answer(claim: &Claim, sum: &Sum) -> bool {
        let (x, z) = (Field::settled(&sum.x), Field::settled(&sum.z));
        if z == Field::ZERO {
            // Infinity, or points met that the lanes do not look for.
            return one(claim);
        }
        has_x(&x, &z, &claim.x)
    }

    fn plain<const COUNT: usize>(windows: &[Window; COUNT]) -> [i8; COUNT] {
        windows.map(|window| {
            let size = i8::try_from(window.size()).unwrap_or(0);
            if window.negative_mask() == 0 { size } else { -size }
        })
    }

    /// Whether the point with these coordinates has an x that is `wanted` modulo n.
    fn has_x(x: &Field, z: &Field, wanted: &Scalar) -> bool {
        let zz = z.squared();
        wanted.lifts().any(|candidate| candidate.times(&zz) == *x)
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    use crate::sm2::arithmetic::curve::{Scalar, field::Field};

    fn scalar(seed: u64) -> Scalar {
        Scalar::reduced(&crate::sm3::hash(&seed.to_be_bytes()))
    }

    /// The lanes find what one sum at a time finds, and find it themselves: Z is not zero.
    #[test]
    fn the_lanes_and_their_twin_agree() {
        let edges = [Scalar::ZERO, Scalar::ONE, Scalar::ZERO.minus(&Scalar::ONE)];
        let point = Point::generator_times(&scalar(1)).unwrap();
        let generator = Point::generator_times(&Scalar::ONE).unwrap();
        let mut claims = Vec::new();
        let edges = edges.iter().flat_map(|s| edges.iter().map(|t| (*s, *t)));
        let random = (1..52).map(|seed| (scalar(2 * seed), scalar(2 * seed + 1)));
        for (seed, (s, t)) in edges.chain(random).enumerate() {
            let point = if seed % 4 == 3 { *generator } else { *point };
            let sum = super::super::multiply::sum_vartime(&s, &t, &point.0);
            let x = sum.to_affine().map_or(Scalar::ZERO, |sum| Scalar::reduced(&sum.x.to_octets()));
            let x = if seed % 7 == 6 { x.plus(&Scalar::ONE) } else { x };
            claims.push((Claim { s, t, point, x }, sum.z != Field::ZERO));
        }
        let alone: Vec<_> = claims.iter().map(|(claim, _)| one(claim)).collect();
        for (place, ((_, finite), alone)) in claims.iter().zip(&alone).enumerate() {
            assert_eq!(*alone, *finite && place % 7 != 6, "sum {place}");
        }
        let (claims, _): (Vec<_>, Vec<_>) = claims.into_iter().unzip();
        assert_eq!(sums_have_x(&claims), alone);
        if crate::backend::sm2_ifma::available() {
            let given_up = wide::given_up(&claims);
            // Two equal or opposite points meet where both are multiples of G by small numbers only.
            assert!(given_up < 9, "{given_up} sums were left to the single form");
        }
    }
}
