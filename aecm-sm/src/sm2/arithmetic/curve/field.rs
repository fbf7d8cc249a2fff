//! The prime field of the curve, p = 2²⁵⁶ − 2²²⁴ − 2⁹⁶ + 2⁶⁴ − 1.
//!
//! Elements are kept as a·2²⁵⁶ mod p (Montgomery form), always below p. Because p ≡ −1 mod 2⁶⁴, the quotient
//! of a reduction step is the lowest limb itself, and its product with p is two shifts and four subtractions.

use zeroize::Zeroize;

#[cfg(target_arch = "x86_64")]
use crate::backend::{sm2_adx, sm2_x86};

use super::{
    inversion,
    limbs::{self, Limbs},
};

/// p.
pub(super) const P: Limbs =
    [0xffff_ffff_ffff_ffff, 0xffff_ffff_0000_0000, 0xffff_ffff_ffff_ffff, 0xffff_fffe_ffff_ffff];

/// 2⁵¹² mod p.
const R2: Limbs =
    [0x0000_0002_0000_0003, 0x0000_0002_ffff_ffff, 0x0000_0001_0000_0001, 0x0000_0004_0000_0002];

/// An element of the field.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Field(Limbs);

impl Zeroize for Field {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

impl Field {
    pub(super) const ZERO: Self = Self([0; 4]);
    /// 2²⁵⁶ mod p.
    pub(super) const ONE: Self =
        Self([0x0000_0000_0000_0001, 0x0000_0000_ffff_ffff, 0x0000_0000_0000_0000, 0x0000_0001_0000_0000]);

    /// A number below p, given as it is.
    pub(super) fn from_limbs(value: &Limbs) -> Self {
        Self(*value).times(&Self(R2))
    }

    /// Any number of 256 bits, modulo p.
    pub(super) fn settled(value: &Limbs) -> Self {
        // p > 2²⁵⁵: taken away once at most.
        Self::from_limbs(&limbs::settle(value, false, &P))
    }

    /// What [`stored`](Self::stored) gave: already in Montgomery form.
    pub(super) const fn from_stored(limbs: Limbs) -> Self {
        Self(limbs)
    }

    pub(super) const fn stored(&self) -> &Limbs {
        &self.0
    }

    /// 32 octets, big-endian; nothing where they are not below p.
    pub(super) fn from_octets(octets: &[u8; 32]) -> Option<Self> {
        let value = limbs::from_octets(octets);
        let (_, below) = limbs::sub(&value, &P);
        below.then(|| Self::from_limbs(&value))
    }

    /// The number itself, below p.
    pub(super) fn to_limbs(self) -> Limbs {
        let [a0, a1, a2, a3] = self.0;
        reduce(&[a0, a1, a2, a3, 0, 0, 0, 0])
    }

    pub(super) fn to_octets(self) -> [u8; 32] {
        limbs::to_octets(&self.to_limbs())
    }

    #[inline(always)]
    pub(super) fn plus(&self, other: &Self) -> Self {
        #[cfg(target_arch = "x86_64")]
        return Self(sm2_x86::add(&self.0, &other.0));
        #[cfg(not(target_arch = "x86_64"))]
        Self(add(&self.0, &other.0))
    }

    #[inline(always)]
    pub(super) fn minus(&self, other: &Self) -> Self {
        #[cfg(target_arch = "x86_64")]
        return Self(sm2_x86::subtract(&self.0, &other.0));
        #[cfg(not(target_arch = "x86_64"))]
        Self(subtract(&self.0, &other.0))
    }

    #[inline(always)]
    pub(super) fn negative(&self) -> Self {
        Self::ZERO.minus(self)
    }

    #[inline(always)]
    pub(super) fn doubled(&self) -> Self {
        self.plus(self)
    }

    #[inline(always)]
    pub(super) fn halved(&self) -> Self {
        #[cfg(target_arch = "x86_64")]
        return Self(sm2_x86::halve(&self.0));
        #[cfg(not(target_arch = "x86_64"))]
        Self(halve(&self.0))
    }

    #[inline(always)]
    pub(super) fn times(&self, other: &Self) -> Self {
        #[cfg(target_arch = "x86_64")]
        if sm2_adx::available() {
            return Self(sm2_adx::multiply(&self.0, &other.0));
        }
        Self(multiply(&self.0, &other.0))
    }

    #[inline(always)]
    pub(super) fn squared(&self) -> Self {
        #[cfg(target_arch = "x86_64")]
        if sm2_adx::available() {
            return Self(sm2_adx::square(&self.0));
        }
        Self(square(&self.0))
    }

    /// The value squared `count` times.
    fn squared_times(&self, count: u32) -> Self {
        let mut value = *self;
        let mut done = 0;
        while done < count {
            value = value.squared();
            done += 1;
        }
        value
    }

    /// 1/a; zero for zero. In constant time.
    pub(super) fn inverse(&self) -> Self {
        /// 2⁷⁶⁸ mod p: what brings the inverse of a·2²⁵⁶ to a⁻¹·2²⁵⁶.
        const R3: Field = Field([
            0x0000_0012_0000_0016,
            0x0000_000e_ffff_fff8,
            0x0000_000a_0000_000c,
            0x0000_001b_0000_0009,
        ]);
        Self(inversion::invert(&self.0, &inversion::P)).times(&R3)
    }

    /// A number whose square is a, where there is one. p ≡ 3 mod 4, so that it is a^((p+1)/4).
    pub(super) fn square_root(&self) -> Option<Self> {
        // (p+1)/4 = 2²⁵⁴ − 2²²² − 2⁹⁴ + 2⁶² = ((2³¹ − 1)·2¹²⁹ + 2¹²⁸ − 1)·2⁹⁴ + 2⁶²
        //         = ((2³² − 2)·2¹²⁸ + 2¹²⁸ − 1)·2⁹⁴ + 2⁶².
        let e1 = *self;
        let e2 = e1.squared().times(&e1);
        let e4 = e2.squared_times(2).times(&e2);
        let e8 = e4.squared_times(4).times(&e4);
        let e16 = e8.squared_times(8).times(&e8);
        let e31 = e16
            .squared_times(8)
            .times(&e8)
            .squared_times(4)
            .times(&e4)
            .squared_times(2)
            .times(&e2)
            .squared()
            .times(&e1);
        let e32 = e31.squared().times(&e1);
        let e64 = e32.squared_times(32).times(&e32);
        let e128 = e64.squared_times(64).times(&e64);
        let root = e31.squared_times(129).times(&e128).squared_times(32).times(&e1).squared_times(62);
        (root.squared() == *self).then_some(root)
    }

    /// `a` where the mask is zeros, `b` where it is ones.
    #[inline(always)]
    pub(super) const fn select(a: &Self, b: &Self, mask: u64) -> Self {
        Self(limbs::select(&a.0, &b.0, mask))
    }

    /// All ones where the element is zero.
    #[inline(always)]
    pub(super) const fn zero_mask(&self) -> u64 {
        limbs::zero_mask(&self.0)
    }

    /// Whether the number itself, not its form, is odd.
    pub(super) fn is_odd(self) -> bool {
        let [low, ..] = self.to_limbs();
        low & 1 == 1
    }
}

/// a + b mod p, the twin of the backend's.
#[cfg(any(not(target_arch = "x86_64"), test))]
#[inline(always)]
fn add(a: &Limbs, b: &Limbs) -> Limbs {
    let (sum, carry) = limbs::add(a, b);
    limbs::settle(&sum, carry, &P)
}

/// a − b mod p, the twin of the backend's.
#[cfg(any(not(target_arch = "x86_64"), test))]
#[inline(always)]
fn subtract(a: &Limbs, b: &Limbs) -> Limbs {
    let (difference, borrow) = limbs::sub(a, b);
    let (right, _) = limbs::add(&difference, &P.map(|limb| limb & limbs::mask(borrow)));
    right
}

/// a/2 mod p, the twin of the backend's: a + p where a is odd, shifted.
#[cfg(any(not(target_arch = "x86_64"), test))]
#[inline(always)]
fn halve(a: &Limbs) -> Limbs {
    let [lowest, ..] = *a;
    let mask = 0_u64.wrapping_sub(lowest & 1);
    let ([s0, s1, s2, s3], carry) = limbs::add(a, &P.map(|limb| limb & mask));
    let top = limbs::mask(carry) << 63;
    [(s0 >> 1) | (s1 << 63), (s1 >> 1) | (s2 << 63), (s2 >> 1) | (s3 << 63), (s3 >> 1) | top]
}

/// a·b/2²⁵⁶ mod p, the twin of the backend's.
// Not worth its size in every place where the backend has taken over.
#[cfg_attr(target_arch = "x86_64", inline(never))]
#[cfg_attr(not(target_arch = "x86_64"), inline(always))]
fn multiply(a: &Limbs, b: &Limbs) -> Limbs {
    reduce(&limbs::multiply(a, b))
}

/// a²/2²⁵⁶ mod p, the twin of the backend's.
#[cfg_attr(target_arch = "x86_64", inline(never))]
#[cfg_attr(not(target_arch = "x86_64"), inline(always))]
fn square(a: &Limbs) -> Limbs {
    reduce(&limbs::square(a))
}

/// t / 2²⁵⁶ mod p, where t < p·2²⁵⁶.
#[inline(always)]
fn reduce(t: &[u64; 8]) -> Limbs {
    let [t0, t1, t2, t3, t4, t5, t6, t7] = *t;
    // Four times the lowest limb is cleared by adding its multiple of p, and drops out.
    let low = fold(fold(fold(fold([t0, t1, t2, t3]))));
    let (sum, carry) = limbs::add(&low, &[t4, t5, t6, t7]);
    limbs::settle(&sum, carry, &P)
}

/// (t + m·p) / 2⁶⁴ for m = t mod 2⁶⁴; m·p/2⁶⁴ = m·(2¹⁹² − 2¹⁶⁰ − 2³² + 1), once t0 − m is gone.
#[inline(always)]
fn fold(t: Limbs) -> Limbs {
    let [m, t1, t2, t3] = t;
    let (low, high) = (m << 32, m >> 32);
    let (u0, borrow) = m.borrowing_sub(low, false);
    let (u1, borrow) = 0_u64.borrowing_sub(high, borrow);
    let (u2, borrow) = 0_u64.borrowing_sub(low, borrow);
    let (u3, _) = m.borrowing_sub(high, borrow);
    // No carry leaves: t < 2²⁵⁶ and m·p < 2⁶⁴·p, so that the sum is below 2³²⁰.
    let (sum, _) = limbs::add(&[t1, t2, t3, 0], &[u0, u1, u2, u3]);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers below p at whose limbs carries begin and end.
    fn edges() -> impl Iterator<Item = Limbs> + Clone {
        const LIMBS: [u64; 6] = [0, 1, 1 << 32, 0xffff_fffe_ffff_ffff, u64::MAX - 1, u64::MAX];
        (0..6_usize.pow(4))
            .map(|place| [1, 6, 36, 216].map(|unit| LIMBS[place / unit % 6]))
            .filter(|value| limbs::sub(value, &P).1)
    }

    #[test]
    fn the_backend_and_its_twins_agree() {
        for a in edges() {
            let fast = Field(a);
            assert_eq!(fast.squared().0, square(&a), "{a:x?}²");
            assert_eq!(fast.halved().0, halve(&a), "{a:x?}/2");
            for b in edges().step_by(7) {
                assert_eq!(fast.times(&Field(b)).0, multiply(&a, &b), "{a:x?}·{b:x?}");
                assert_eq!(fast.plus(&Field(b)).0, add(&a, &b), "{a:x?} + {b:x?}");
                assert_eq!(fast.minus(&Field(b)).0, subtract(&a, &b), "{a:x?} − {b:x?}");
            }
        }
    }
}
