//! Numbers modulo the order n of the group.

use zeroize::Zeroize;

use super::{
    field::{self, Field},
    inversion,
    limbs::{self, Limbs},
};

/// n.
pub(super) const N: Limbs =
    [0x53bb_f409_39d5_4123, 0x7203_df6b_21c6_052b, 0xffff_ffff_ffff_ffff, 0xffff_fffe_ffff_ffff];

/// −1/n mod 2⁶⁴.
const QUOTIENT: u64 = 0x327f_9e88_7235_0975;

/// 2⁵¹² mod n.
const R2: Limbs =
    [0x9011_92af_7c11_4f20, 0x3464_504a_de6f_a2fa, 0x620f_c84c_3aff_e0d4, 0x1eb5_e412_a22b_3d3b];

/// A number modulo n, always below n.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::sm2) struct Scalar(Limbs);

impl Zeroize for Scalar {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

impl Scalar {
    pub(in crate::sm2) const ZERO: Self = Self([0; 4]);
    pub(in crate::sm2) const ONE: Self = Self([1, 0, 0, 0]);

    /// 32 octets, big-endian; nothing where they are not below n.
    pub(in crate::sm2) fn from_octets(octets: &[u8; 32]) -> Option<Self> {
        let value = limbs::from_octets(octets);
        let (_, below) = limbs::sub(&value, &N);
        below.then_some(Self(value))
    }

    /// 32 octets, big-endian, modulo n.
    pub(in crate::sm2) fn reduced(octets: &[u8; 32]) -> Self {
        // n > 2²⁵⁵: taken away once at most.
        Self(limbs::settle(&limbs::from_octets(octets), false, &N))
    }

    pub(in crate::sm2) fn to_octets(self) -> [u8; 32] {
        limbs::to_octets(&self.0)
    }

    pub(super) const fn limbs(&self) -> &Limbs {
        &self.0
    }

    pub(in crate::sm2) fn plus(&self, other: &Self) -> Self {
        let (sum, carry) = limbs::add(&self.0, &other.0);
        Self(limbs::settle(&sum, carry, &N))
    }

    pub(in crate::sm2) fn minus(&self, other: &Self) -> Self {
        let (difference, borrow) = limbs::sub(&self.0, &other.0);
        let mask = limbs::mask(borrow);
        let (right, _) = limbs::add(&difference, &N.map(|limb| limb & mask));
        Self(right)
    }

    pub(in crate::sm2) fn times(&self, other: &Self) -> Self {
        let once = reduce(&limbs::multiply(&self.0, &other.0));
        Self(reduce(&limbs::multiply(&once, &R2)))
    }

    /// 1/a in constant time; zero for zero.
    pub(in crate::sm2) fn inverse(&self) -> Self {
        Self(inversion::invert(&self.0, &inversion::N))
    }

    pub(in crate::sm2) fn is_zero(&self) -> bool {
        limbs::zero_mask(&self.0) != 0
    }
}

/// t / 2²⁵⁶ mod n, where t < n·2²⁵⁶ (Montgomery reduction).
fn reduce(t: &[u64; 8]) -> Limbs {
    let [t0, t1, t2, t3, t4, t5, t6, t7] = *t;
    let low = fold(fold(fold(fold([t0, t1, t2, t3]))));
    let (sum, carry) = limbs::add(&low, &[t4, t5, t6, t7]);
    limbs::settle(&sum, carry, &N)
}

/// (t + m·n) / 2⁶⁴ for the m that clears the lowest limb.
fn fold(t: Limbs) -> Limbs {
    let [t0, t1, t2, t3] = t;
    let [n0, n1, n2, n3] = N;
    let m = t0.wrapping_mul(QUOTIENT);
    let (_, c) = m.carrying_mul_add(n0, t0, 0);
    let (r0, c) = m.carrying_mul_add(n1, t1, c);
    let (r1, c) = m.carrying_mul_add(n2, t2, c);
    let (r2, r3) = m.carrying_mul_add(n3, t3, c);
    [r0, r1, r2, r3]
}

impl Scalar {
    /// The elements of the field that are this number modulo n: itself, and where that is below p, n more.
    pub(super) fn lifts(&self) -> impl Iterator<Item = Field> {
        let (more, carry) = limbs::add(&self.0, &N);
        let (_, below) = limbs::sub(&more, &field::P);
        let more = (!carry && below).then(|| Field::from_limbs(&more));
        core::iter::once(Field::from_limbs(&self.0)).chain(more)
    }
}
