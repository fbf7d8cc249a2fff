//! The arithmetic of the `sm2` crate: for targets without fast 64-bit multiplication, and as the oracle of ours.

use ::sm2::{
    AffinePoint, FieldBytes, ProjectivePoint,
    elliptic_curve::{
        Group, PrimeField,
        ops::{LinearCombination, Reduce},
        point::{AffineCoordinates, DecompressPoint},
        subtle::Choice,
    },
};
use zeroize::{Zeroize, Zeroizing};

/// A number modulo the group order n.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::sm2) struct Scalar(::sm2::Scalar);

impl Zeroize for Scalar {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

impl Scalar {
    pub(in crate::sm2) const ZERO: Self = Self(::sm2::Scalar::ZERO);
    pub(in crate::sm2) const ONE: Self = Self(::sm2::Scalar::ONE);

    /// 32 octets, big-endian; nothing where they are not below n.
    pub(in crate::sm2) fn from_octets(octets: &[u8; 32]) -> Option<Self> {
        let mut repr = FieldBytes::from(*octets);
        let scalar = ::sm2::Scalar::from_repr(repr).into_option().map(Self);
        repr.as_mut_slice().zeroize();
        scalar
    }

    /// 32 octets, big-endian, modulo n.
    pub(in crate::sm2) fn reduced(octets: &[u8; 32]) -> Self {
        Self(::sm2::Scalar::reduce(&FieldBytes::from(*octets)))
    }

    pub(in crate::sm2) fn to_octets(self) -> [u8; 32] {
        self.0.to_repr().into()
    }

    pub(in crate::sm2) fn plus(&self, other: &Self) -> Self {
        Self(self.0 + other.0)
    }

    pub(in crate::sm2) fn minus(&self, other: &Self) -> Self {
        Self(self.0 - other.0)
    }

    pub(in crate::sm2) fn times(&self, other: &Self) -> Self {
        Self(self.0 * other.0)
    }

    /// 1/a in constant time; zero for zero.
    pub(in crate::sm2) fn inverse(&self) -> Self {
        Self(self.0.invert().unwrap_or(::sm2::Scalar::ZERO))
    }

    pub(in crate::sm2) fn is_zero(&self) -> bool {
        bool::from(self.0.is_zero())
    }
}

/// A point of the curve, never the one at infinity.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::sm2) struct Point(AffinePoint);

impl Zeroize for Point {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

impl Point {
    /// The point with these coordinates, where both are below p and solve the curve's equation.
    pub(in crate::sm2) fn from_coordinates(x: &[u8; 32], y: &[u8; 32]) -> Option<Self> {
        AffinePoint::from_coordinates(&FieldBytes::from(*x), &FieldBytes::from(*y)).into_option().map(Self)
    }

    /// The point with this x and the parity of y, where there is one.
    pub(in crate::sm2) fn from_x(x: &[u8; 32], y_is_odd: bool) -> Option<Self> {
        AffinePoint::decompress(&FieldBytes::from(*x), Choice::from(u8::from(y_is_odd)))
            .into_option()
            .map(Self)
    }

    /// \[k\]G in constant time; nothing where k is zero.
    pub(in crate::sm2) fn generator_times(k: &Scalar) -> Option<Zeroizing<Self>> {
        finite(&Zeroizing::new(ProjectivePoint::mul_by_generator(&k.0)))
    }

    /// \[k\]P in constant time; nothing where k is zero.
    pub(in crate::sm2) fn times(&self, k: &Scalar) -> Option<Zeroizing<Self>> {
        finite(&Zeroizing::new(ProjectivePoint::from(self.0) * k.0))
    }

    /// \[k\]G and \[k\]P in constant time; nothing where k is zero.
    pub(in crate::sm2) fn both_times(&self, k: &Scalar) -> Option<(Zeroizing<Self>, Zeroizing<Self>)> {
        Some((Self::generator_times(k)?, self.times(k)?))
    }

    /// Whether \[s\]G + \[t\]P has an x that is `wanted` modulo n, in variable time, for public values.
    pub(in crate::sm2) fn sum_has_x(s: &Scalar, t: &Scalar, point: &Self, wanted: &Scalar) -> bool {
        let sum = ProjectivePoint::lincomb_vartime(&[
            (ProjectivePoint::generator(), s.0),
            (ProjectivePoint::from(point.0), t.0),
        ]);
        finite(&sum).is_some_and(|sum| Scalar::reduced(&sum.x()) == *wanted)
    }

    /// As [`sum_has_x`](Self::sum_has_x) for many sums.
    #[cfg(not(target_pointer_width = "64"))]
    pub(in crate::sm2) fn sums_have_x(claims: &[super::Claim]) -> alloc::vec::Vec<bool> {
        claims.iter().map(|claim| Self::sum_has_x(&claim.s, &claim.t, &claim.point, &claim.x)).collect()
    }

    /// P + \[k\]R in variable time, for public values; nothing at infinity.
    pub(in crate::sm2) fn plus_times_vartime(&self, k: &Scalar, other: &Self) -> Option<Self> {
        let (own, other) = (ProjectivePoint::from(self.0), ProjectivePoint::from(other.0));
        finite(&ProjectivePoint::lincomb_vartime(&[(own, ::sm2::Scalar::ONE), (other, k.0)]))
            .map(|point| *point)
    }

    pub(in crate::sm2) fn x(&self) -> [u8; 32] {
        self.0.x().into()
    }

    pub(in crate::sm2) fn y(&self) -> [u8; 32] {
        self.0.y().into()
    }
}

fn finite(point: &ProjectivePoint) -> Option<Zeroizing<Point>> {
    (!bool::from(point.is_identity())).then(|| Zeroizing::new(Point(point.to_affine())))
}
