//! The only place that knows which crate does the arithmetic.
//!
//! Numbers and coordinates cross this border as 32 octets, big-endian, always canonical.

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
pub(super) type Scalar = ::sm2::Scalar;

/// a, b and the coordinates of the base point G: the fixed middle of what Z hashes (GB/T 32918.5 §2).
pub(super) const A_B_GX_GY: [[u8; 32]; 4] = [
    octets([0xffff_fffe_ffff_ffff, 0xffff_ffff_ffff_ffff, 0xffff_ffff_0000_0000, 0xffff_ffff_ffff_fffc]),
    octets([0x28e9_fa9e_9d9f_5e34, 0x4d5a_9e4b_cf65_09a7, 0xf397_89f5_15ab_8f92, 0xddbc_bd41_4d94_0e93]),
    octets([0x32c4_ae2c_1f19_8119, 0x5f99_0446_6a39_c994, 0x8fe3_0bbf_f266_0be1, 0x715a_4589_334c_74c7]),
    octets([0xbc37_36a2_f4f6_779c, 0x59bd_cee3_6b69_2153, 0xd0a9_877c_c62a_4740, 0x02df_32e5_2139_f0a0]),
];

/// A point of the curve, never the one at infinity.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Point(AffinePoint);

impl Zeroize for Point {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

impl Point {
    /// The point with these coordinates, where both are below p and solve the curve's equation.
    pub(super) fn from_coordinates(x: &[u8; 32], y: &[u8; 32]) -> Option<Self> {
        AffinePoint::from_coordinates(&FieldBytes::from(*x), &FieldBytes::from(*y)).into_option().map(Self)
    }

    /// The point with this x and the parity of y, where there is one.
    pub(super) fn from_x(x: &[u8; 32], y_is_odd: bool) -> Option<Self> {
        AffinePoint::decompress(&FieldBytes::from(*x), Choice::from(u8::from(y_is_odd)))
            .into_option()
            .map(Self)
    }

    /// \[k\]G in constant time; nothing where k is zero.
    pub(super) fn generator_times(k: &Scalar) -> Option<Zeroizing<Self>> {
        Self::finite(&Zeroizing::new(ProjectivePoint::mul_by_generator(k)))
    }

    /// \[k\]P in constant time; nothing where k is zero.
    pub(super) fn times(&self, k: &Scalar) -> Option<Zeroizing<Self>> {
        Self::finite(&Zeroizing::new(ProjectivePoint::from(self.0) * k))
    }

    /// \[s\]G + \[t\]P in variable time, for public values only; nothing at infinity.
    pub(super) fn generator_times_plus_times(s: &Scalar, t: &Scalar, p: &Self) -> Option<Self> {
        let sum = ProjectivePoint::lincomb_vartime(&[
            (ProjectivePoint::generator(), *s),
            (ProjectivePoint::from(p.0), *t),
        ]);
        Self::finite(&sum).map(|point| *point)
    }

    fn finite(point: &ProjectivePoint) -> Option<Zeroizing<Self>> {
        (!bool::from(point.is_identity())).then(|| Zeroizing::new(Self(point.to_affine())))
    }

    pub(super) fn x(&self) -> [u8; 32] {
        self.0.x().into()
    }

    pub(super) fn y(&self) -> [u8; 32] {
        self.0.y().into()
    }
}

/// The number in these octets, where it is in `1..=n-1`.
pub(super) fn nonzero_scalar(bytes: &[u8; 32]) -> Option<Zeroizing<Scalar>> {
    let mut repr = FieldBytes::from(*bytes);
    let scalar = Scalar::from_repr(repr).into_option().map(Zeroizing::new);
    repr.as_mut_slice().zeroize();
    scalar.filter(|scalar| **scalar != Scalar::ZERO)
}

/// The number in these octets, modulo n.
pub(super) fn reduced_scalar(bytes: &[u8; 32]) -> Scalar {
    Scalar::reduce(&FieldBytes::from(*bytes))
}

/// 1/(1+d), which exists unless d = n−1.
pub(super) fn invert_successor(d: &Scalar) -> Option<Zeroizing<Scalar>> {
    Zeroizing::new(*d + Scalar::ONE).invert().into_option().map(Zeroizing::new)
}

/// The canonical octets of a number.
pub(super) fn scalar_bytes(scalar: &Scalar) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(scalar.to_repr().into())
}

/// Four words, big-endian.
const fn octets(words: [u64; 4]) -> [u8; 32] {
    let [w0, w1, w2, w3] = words;
    let [a0, a1, a2, a3, a4, a5, a6, a7] = w0.to_be_bytes();
    let [b0, b1, b2, b3, b4, b5, b6, b7] = w1.to_be_bytes();
    let [c0, c1, c2, c3, c4, c5, c6, c7] = w2.to_be_bytes();
    let [d0, d1, d2, d3, d4, d5, d6, d7] = w3.to_be_bytes();
    [
        a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3, c4, c5, c6, c7, d0,
        d1, d2, d3, d4, d5, d6, d7,
    ]
}
