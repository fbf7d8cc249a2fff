//! Points: y² = x³ − 3x + b, in affine and in Jacobian coordinates (x = X/Z², y = Y/Z³).
//!
//! Nothing here branches on a coordinate but what says so in its name.

use zeroize::Zeroize;

use super::field::Field;

// The constants in Montgomery form; a test compares them with the numbers of GB/T 32918.5 §2.

/// b.
const B: Field = Field::from_stored([
    0x90d2_3063_2bc0_dd42,
    0x71cf_379a_e9b5_37ab,
    0x5279_8150_5ea5_1c3c,
    0x240f_e188_ba20_e2c8,
]);

const THREE: Field = Field::from_stored([
    0x0000_0000_0000_0003,
    0x0000_0002_ffff_fffd,
    0x0000_0000_0000_0000,
    0x0000_0003_0000_0000,
]);

/// A point that is not the one at infinity.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Affine {
    pub(super) x: Field,
    pub(super) y: Field,
}

impl Zeroize for Affine {
    fn zeroize(&mut self) {
        self.x.zeroize();
        self.y.zeroize();
    }
}

/// A point; at infinity where Z = 0.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Jacobian {
    pub(super) x: Field,
    pub(super) y: Field,
    pub(super) z: Field,
}

impl Zeroize for Jacobian {
    fn zeroize(&mut self) {
        self.x.zeroize();
        self.y.zeroize();
        self.z.zeroize();
    }
}

impl Affine {
    /// The base point G of GB/T 32918.5 §2.
    #[cfg(test)]
    pub(super) const GENERATOR: Self = Self {
        x: Field::from_stored([
            0x6132_8990_f418_029e,
            0x3e79_81ed_dca6_c050,
            0xd6a1_ed99_ac24_c3c3,
            0x9116_7a5e_e1c1_3b05,
        ]),
        y: Field::from_stored([
            0xc135_4e59_3c2d_0ddd,
            0xc1f5_e578_8d32_95fa,
            0x8d4c_fb06_6e2a_48f8,
            0x63cd_65d4_81d7_35bd,
        ]),
    };

    /// x³ − 3x + b.
    fn right_side(x: &Field) -> Field {
        x.squared().minus(&THREE).times(x).plus(&B)
    }

    /// The point with these coordinates, where it is on the curve.
    pub(super) fn new(x: Field, y: Field) -> Option<Self> {
        (y.squared() == Self::right_side(&x)).then_some(Self { x, y })
    }

    /// The point with this x and the parity of y, where there is one. (No point has y = 0: the order is odd.)
    pub(super) fn from_x(x: Field, y_is_odd: bool) -> Option<Self> {
        let root = Self::right_side(&x).square_root()?;
        let y = if root.is_odd() == y_is_odd { root } else { root.negative() };
        Some(Self { x, y })
    }

    #[inline(always)]
    pub(super) fn to_jacobian(self) -> Jacobian {
        Jacobian { x: self.x, y: self.y, z: Field::ONE }
    }

    /// The negative where the mask is ones.
    #[inline(always)]
    pub(super) fn negative_if(&self, mask: u64) -> Self {
        Self { x: self.x, y: Field::select(&self.y, &self.y.negative(), mask) }
    }
}

impl Jacobian {
    pub(super) const INFINITY: Self = Self { x: Field::ONE, y: Field::ONE, z: Field::ZERO };

    #[inline(always)]
    pub(super) const fn select(a: &Self, b: &Self, mask: u64) -> Self {
        Self {
            x: Field::select(&a.x, &b.x, mask),
            y: Field::select(&a.y, &b.y, mask),
            z: Field::select(&a.z, &b.z, mask),
        }
    }

    #[inline(always)]
    pub(super) fn negative(&self) -> Self {
        Self { x: self.x, y: self.y.negative(), z: self.z }
    }

    /// 2P. Right for the point at infinity too.
    // In place: copies of what was just written a limb at a time are slow. The products stand in an order in which
    // neighbours do not wait for each other.
    #[inline(never)]
    pub(super) fn double(&mut self) {
        let zz = self.z.squared();
        let y2 = self.y.doubled();
        let yy4 = y2.squared();
        let m = self.x.minus(&zz).times(&self.x.plus(&zz));
        let s = yy4.times(&self.x);
        self.z = y2.times(&self.z);
        let m = m.doubled().plus(&m);
        let mm = m.squared();
        let yyyy8 = yy4.squared().halved();
        self.x = mm.minus(&s.doubled());
        self.y = m.times(&s.minus(&self.x)).minus(&yyyy8);
    }

    #[inline(always)]
    pub(super) fn doubled(&self) -> Self {
        let mut twice = *self;
        twice.double();
        twice
    }

    /// P + Q, *wrong* where P is at infinity or P = ±Q: the callers know where that cannot be, or select.
    ///
    /// Gives with it the difference of the x, which is zero where P = ±Q.
    #[inline(never)]
    pub(super) fn add_different(&mut self, other: &Affine) -> (Field, Field) {
        let zz = self.z.squared();
        let yz = other.y.times(&self.z);
        let h = other.x.times(&zz).minus(&self.x);
        let r = yz.times(&zz).minus(&self.y);
        let hh = h.squared();
        let rr = r.squared();
        let v = self.x.times(&hh);
        let hhh = hh.times(&h);
        self.z = self.z.times(&h);
        self.x = rr.minus(&hhh).minus(&v.doubled());
        let yh = self.y.times(&hhh);
        self.y = r.times(&v.minus(&self.x)).minus(&yh);
        (h, r)
    }

    #[inline(always)]
    pub(super) fn plus_different(&self, other: &Affine) -> (Self, Field, Field) {
        let mut sum = *self;
        let (h, r) = sum.add_different(other);
        (sum, h, r)
    }

    /// P + Q where P ≠ ±Q, or P is at infinity; P itself where the mask is ones.
    #[inline(always)]
    pub(super) fn plus_unless(&self, other: &Affine, skip: u64) -> Self {
        let (sum, _, _) = self.plus_different(other);
        let sum = Self::select(&sum, &other.to_jacobian(), self.z.zero_mask());
        Self::select(&sum, self, skip)
    }

    /// As [`plus_unless`](Self::plus_unless), for every P and Q.
    #[inline(always)]
    pub(super) fn plus_any_unless(&self, other: &Affine, skip: u64) -> Self {
        let (sum, h, r) = self.plus_different(other);
        // P = Q: doubled. P = −Q: h = 0 has made Z = 0.
        let sum = Self::select(&sum, &self.doubled(), h.zero_mask() & r.zero_mask());
        let sum = Self::select(&sum, &other.to_jacobian(), self.z.zero_mask());
        Self::select(&sum, self, skip)
    }

    /// P + Q for every P and Q, in variable time.
    #[inline(always)]
    pub(super) fn add_affine_vartime(&mut self, other: &Affine) {
        if self.z == Field::ZERO {
            *self = other.to_jacobian();
            return;
        }
        let (h, r) = self.add_different(other);
        if h == Field::ZERO {
            *self = if r == Field::ZERO { other.to_jacobian().doubled() } else { Self::INFINITY };
        }
    }

    /// P + Q for every P and Q, in variable time; Q with its powers of Z.
    #[inline(never)]
    pub(super) fn add_vartime(&mut self, other: &Powered) {
        if self.z == Field::ZERO {
            *self = other.point;
            return;
        }
        if other.point.z == Field::ZERO {
            return;
        }
        let zz = self.z.squared();
        let u = self.x.times(&other.zz);
        let yz = other.point.y.times(&self.z);
        let s = self.y.times(&other.zzz);
        let h = other.point.x.times(&zz).minus(&u);
        let r = yz.times(&zz).minus(&s);
        if h == Field::ZERO {
            if r == Field::ZERO {
                self.double();
            } else {
                *self = Self::INFINITY;
            }
            return;
        }
        let hh = h.squared();
        let rr = r.squared();
        let z = self.z.times(&other.point.z);
        let v = u.times(&hh);
        let hhh = hh.times(&h);
        self.z = z.times(&h);
        self.x = rr.minus(&hhh).minus(&v.doubled());
        let sh = s.times(&hhh);
        self.y = r.times(&v.minus(&self.x)).minus(&sh);
    }

    /// The affine point, nothing at infinity. Constant time but for that answer.
    pub(super) fn to_affine(self) -> Option<Affine> {
        if self.z == Field::ZERO {
            return None;
        }
        Some(self.scaled(&self.z.inverse()))
    }

    /// The affine point for 1/Z.
    #[inline(always)]
    pub(super) fn scaled(&self, inverse: &Field) -> Affine {
        let square = inverse.squared();
        Affine { x: self.x.times(&square), y: self.y.times(&square.times(inverse)) }
    }
}

/// A point with Z² and Z³, which every addition to it needs.
#[derive(Clone, Copy)]
pub(super) struct Powered {
    pub(super) point: Jacobian,
    zz: Field,
    zzz: Field,
}

impl Powered {
    #[inline(always)]
    pub(super) fn new(point: Jacobian) -> Self {
        let zz = point.z.squared();
        Self { point, zz, zzz: zz.times(&point.z) }
    }

    #[inline(always)]
    pub(super) fn negative(&self) -> Self {
        Self { point: self.point.negative(), ..*self }
    }
}
