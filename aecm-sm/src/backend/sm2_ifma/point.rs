//! Eight points, y² = x³ − 3x + b: x = X/Z², y = Y/Z³.
//!
//! The numbers behind the lines are bounds (see [`field`](super::field)); those of X and Y are 1.1, of Z 2.4, of
//! affine coordinates 1.1 too.

use core::arch::x86_64::*;

use super::field::Lanes;

#[derive(Clone, Copy)]
pub(super) struct Points {
    pub(super) x: Lanes,
    pub(super) y: Lanes,
    pub(super) z: Lanes,
}

/// With Z² and Z³, which every addition needs.
#[derive(Clone, Copy)]
pub(super) struct Powered {
    pub(super) point: Points,
    pub(super) zz: Lanes,
    pub(super) zzz: Lanes,
}

impl Points {
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) fn affine(x: Lanes, y: Lanes) -> Self {
        Self { x, y, z: Lanes::one() }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) fn or(&self, mask: __mmask8, other: &Self) -> Self {
        Self { x: self.x.or(mask, &other.x), y: self.y.or(mask, &other.y), z: self.z.or(mask, &other.z) }
    }

    /// −P where the mask says so.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn negative_if(&self, mask: __mmask8) -> Self {
        let negative = Lanes::zero().raw().minus(&self.y).plus_p::<2>().folded(); // 1.1
        Self { y: self.y.or(mask, &negative), ..*self }
    }

    /// 2P.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn doubled(&self) -> Self {
        let zz = self.z.squared(); // 1.4
        let yy = self.y.squared(); // 1.1
        let less = self.x.raw().minus(&zz).plus_p::<2>(); // 3.1
        let less = less.shifted::<1>().plus(&less.carried()).carried(); // 9.3
        let more = self.x.raw().plus(&zz).carried(); // 2.5
        let m = less.times(&more); // 2.5
        let xyy = self.x.times(&yy); // 1.1
        let yz = self.y.times(&self.z); // 1.2
        let mm = m.squared(); // 1.4
        let yyyy = yy.squared(); // 1.1
        let x = mm.raw().minus_times::<3>(&xyy).plus_p::<9>().folded(); // 0.2 to 10.4
        let t = xyy.raw().shifted::<2>().minus(&x).plus_p::<2>().carried(); // 6.4
        let y = m.times(&t).raw().minus_times::<3>(&yyyy).plus_p::<9>().folded(); // 0.2 to 11
        let z = yz.raw().shifted::<1>().carried(); // 2.4
        Self { x, y, z }
    }

    /// P + Q, Q affine: wrong where P = ±Q or P is at infinity.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn plus_affine(&self, x: &Lanes, y: &Lanes) -> Self {
        let zz = self.z.squared(); // 1.4
        let yz = y.times(&self.z); // 1.2
        let u = x.times(&zz); // 1.1
        let s = yz.times(&zz); // 1.2
        Self::plus_equalised(&self.x, &self.y, &u, &s, &self.z)
    }

    /// The second half of both: the coordinates brought to one Z, the product of both.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn plus_equalised(u1: &Lanes, s1: &Lanes, u2: &Lanes, s2: &Lanes, z: &Lanes) -> Self {
        let h = u2.raw().minus(u1).plus_p::<2>().carried(); // 3.1
        let r = s2.raw().minus(s1).plus_p::<2>().carried(); // 3.2
        let hh = h.squared(); // 1.7
        let rr = r.squared(); // 1.7
        let v = u1.times(&hh); // 1.2
        let hhh = hh.times(&h); // 1.4
        let z = z.times(&h); // 1.5
        let x = rr.raw().minus(&hhh).minus_times::<1>(&v).plus_p::<5>().folded(); // 1.2 to 6.7
        let t = v.raw().minus(&x).plus_p::<2>().carried(); // 3.2
        let sh = s1.times(&hhh); // 1.1
        let y = r.times(&t).raw().minus(&sh).plus_p::<2>().folded(); // 0.9 to 3.7
        Self { x, y, z }
    }
}

impl Powered {
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn new(point: Points) -> Self {
        let zz = point.z.squared();
        Self { point, zz, zzz: zz.times(&point.z) }
    }

    /// P + Q: wrong where P = ±Q or one is at infinity.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn plus(&self, other: &Self) -> Points {
        let (p, q) = (&self.point, &other.point);
        let u1 = p.x.times(&other.zz); // 1.1
        let s1 = p.y.times(&other.zzz); // 1.1
        let u2 = q.x.times(&self.zz); // 1.1
        let s2 = q.y.times(&self.zzz); // 1.1
        let z = p.z.times(&q.z); // 1.4
        Points::plus_equalised(&u1, &s1, &u2, &s2, &z)
    }
}
