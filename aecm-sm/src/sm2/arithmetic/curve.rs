//! The curve of GB/T 32918.5 in our own arithmetic, for targets with fast 64-bit multiplication.
//!
//! Secrets pass through [`generator_times`](Point::generator_times), [`times`](Point::times) and the scalars in
//! constant time: no branch and no address depends on them. What is for public values says so.

mod batch;
mod digits;
mod field;
mod inversion;
mod limbs;
mod multiply;
mod point;
mod scalar;
mod tables;

use alloc::vec::Vec;
use zeroize::{Zeroize, Zeroizing};

pub(in crate::sm2) use self::scalar::Scalar;

use super::Claim;

use self::{
    field::Field,
    point::{Affine, Jacobian},
};

/// A point of the curve, never the one at infinity.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::sm2) struct Point(Affine);

impl Zeroize for Point {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

impl Point {
    /// The point with these coordinates, where both are below p and solve the curve's equation.
    pub(in crate::sm2) fn from_coordinates(x: &[u8; 32], y: &[u8; 32]) -> Option<Self> {
        Affine::new(Field::from_octets(x)?, Field::from_octets(y)?).map(Self)
    }

    /// The point with this x and the parity of y, where there is one.
    pub(in crate::sm2) fn from_x(x: &[u8; 32], y_is_odd: bool) -> Option<Self> {
        Affine::from_x(Field::from_octets(x)?, y_is_odd).map(Self)
    }

    /// \[k\]G in constant time; nothing where k is zero.
    pub(in crate::sm2) fn generator_times(k: &Scalar) -> Option<Zeroizing<Self>> {
        finite(multiply::generator_times(k))
    }

    /// \[k\]P in constant time; nothing where k is zero.
    pub(in crate::sm2) fn times(&self, k: &Scalar) -> Option<Zeroizing<Self>> {
        finite(multiply::times(&self.0, k))
    }

    /// \[k\]G and \[k\]P in constant time, with one division for both; nothing where k is zero.
    pub(in crate::sm2) fn both_times(&self, k: &Scalar) -> Option<(Zeroizing<Self>, Zeroizing<Self>)> {
        if k.is_zero() {
            return None;
        }
        let both = Zeroizing::new([multiply::generator_times(k), multiply::times(&self.0, k)]);
        let [first, second] = *Zeroizing::new(multiply::affine(&both));
        Some((Zeroizing::new(Self(first)), Zeroizing::new(Self(second))))
    }

    /// Whether \[s\]G + \[t\]P has an x that is `wanted` modulo n, in variable time, for public values.
    pub(in crate::sm2) fn sum_has_x(s: &Scalar, t: &Scalar, point: &Self, wanted: &Scalar) -> bool {
        let sum = multiply::sum_vartime(s, t, &point.0);
        if sum.z == Field::ZERO {
            return false;
        }
        // x = X/Z² is compared as X = x·Z²: no division. n < p, so that x may be `wanted` or `wanted` + n.
        let zz = sum.z.squared();
        wanted.lifts().any(|x| x.times(&zz) == sum.x)
    }

    /// As [`sum_has_x`](Self::sum_has_x) for many sums: on some CPUs much faster together.
    pub(in crate::sm2) fn sums_have_x(claims: &[Claim]) -> Vec<bool> {
        batch::sums_have_x(claims)
    }

    /// P + \[k\]R in variable time, for public values; nothing at infinity.
    pub(in crate::sm2) fn plus_times_vartime(&self, k: &Scalar, other: &Self) -> Option<Self> {
        let mut sum = multiply::sum_vartime(&Scalar::ZERO, k, &other.0);
        sum.add_affine_vartime(&self.0);
        sum.to_affine().map(Self)
    }

    pub(in crate::sm2) fn x(&self) -> [u8; 32] {
        self.0.x.to_octets()
    }

    pub(in crate::sm2) fn y(&self) -> [u8; 32] {
        self.0.y.to_octets()
    }
}

fn finite(point: Jacobian) -> Option<Zeroizing<Point>> {
    Zeroizing::new(point).to_affine().map(|point| Zeroizing::new(Point(point)))
}

#[cfg(test)]
mod tests;
