//! Inverses modulo p and modulo n in constant time: the division steps of Bernstein and Yang ("Fast
//! constant-time gcd computation and modular inversion", 2019) with half a step's start, 590 of them for 256 bits.
//!
//! Ten times 59 steps are gathered in a matrix of four small numbers from the lowest limbs alone, and then applied
//! to the whole. Numbers are five limbs of 62 bits in two's complement: the top one carries the sign.

use super::{field, limbs::Limbs, scalar};

/// A number of 310 bits with sign.
type Signed = [i64; 5];

const BITS: u32 = 62;
const LOW: i64 = (1 << BITS) - 1;

/// Steps a round, and rounds.
const STEPS: u32 = 59;
const ROUNDS: usize = 10;

pub(super) struct Modulus {
    value: Signed,
    /// 1/modulus mod 2⁶².
    inverse: i64,
}

pub(super) const P: Modulus = Modulus::new(&field::P);
pub(super) const N: Modulus = Modulus::new(&scalar::N);

impl Modulus {
    const fn new(value: &Limbs) -> Self {
        let value = spread(value);
        let [low, ..] = value;
        // Newton: an odd number is its own inverse mod 2³, and every turn doubles the bits.
        let mut inverse = low;
        let mut turn = 0;
        while turn < 5 {
            inverse = inverse.wrapping_mul(2_i64.wrapping_sub(low.wrapping_mul(inverse)));
            turn += 1;
        }
        Self { value, inverse: inverse & LOW }
    }
}

/// Sixty-two bits a limb.
const fn spread(limbs: &Limbs) -> Signed {
    let [a, b, c, d] = *limbs;
    [
        a.cast_signed() & LOW,
        (a >> 62 | b << 2).cast_signed() & LOW,
        (b >> 60 | c << 4).cast_signed() & LOW,
        (c >> 58 | d << 6).cast_signed() & LOW,
        (d >> 56).cast_signed(),
    ]
}

/// The reverse, for a number below 2²⁵⁶.
const fn gather(value: &Signed) -> Limbs {
    let [a, b, c, d, e] = *value;
    let (a, b, c, d, e) =
        (a.cast_unsigned(), b.cast_unsigned(), c.cast_unsigned(), d.cast_unsigned(), e.cast_unsigned());
    [a | b << 62, b >> 2 | c << 60, c >> 4 | d << 58, d >> 6 | e << 56]
}

/// What 59 steps do to (f, g), times 2⁶².
struct Matrix {
    u: i64,
    v: i64,
    q: i64,
    r: i64,
}

/// 1/value modulo the modulus; zero for zero.
pub(super) fn invert(value: &Limbs, modulus: &Modulus) -> Limbs {
    let (mut f, mut g) = (modulus.value, spread(value));
    // What f and g are times the value, modulo the modulus.
    let (mut d, mut e): (Signed, Signed) = ([0; 5], [1, 0, 0, 0, 0]);
    // −(δ + 1/2) of the paper's δ, which starts at 1/2.
    let mut zeta = -1;
    for _ in 0..ROUNDS {
        let [f0, ..] = f;
        let [g0, ..] = g;
        let matrix;
        (zeta, matrix) = steps(zeta, f0, g0);
        (d, e) = apply_modulo(&matrix, &d, &e, modulus);
        (f, g) = apply(&matrix, &f, &g);
    }
    // g is zero, f is ±1: d times that sign is the inverse.
    let [.., sign] = f;
    gather(&normal(&d, sign >> 63, modulus))
}

/// 59 division steps on the lowest bits.
#[inline(always)]
fn steps(mut zeta: i64, f0: i64, g0: i64) -> (i64, Matrix) {
    let (mut f, mut g) = (f0, g0);
    // 2³ and not 1: the product of 59 doublings then stands for 2⁶².
    let (mut u, mut v, mut q, mut r) = (8_i64, 0_i64, 0_i64, 8_i64);
    for _ in 0..STEPS {
        // Where zeta is negative, f and g change places; where g is odd, f (or −f) is added.
        let negative = zeta >> 63;
        let odd = (g & 1).wrapping_neg();
        let x = (f ^ negative).wrapping_sub(negative);
        let y = (u ^ negative).wrapping_sub(negative);
        let z = (v ^ negative).wrapping_sub(negative);
        g = g.wrapping_add(x & odd);
        q = q.wrapping_add(y & odd);
        r = r.wrapping_add(z & odd);
        let swap = negative & odd;
        zeta = (zeta ^ swap).wrapping_sub(1);
        f = f.wrapping_add(g & swap);
        u = u.wrapping_add(q & swap);
        v = v.wrapping_add(r & swap);
        g >>= 1;
        u <<= 1;
        v <<= 1;
    }
    (zeta, Matrix { u, v, q, r })
}

#[inline(always)]
fn product(a: i64, b: i64) -> i128 {
    i128::from(a) * i128::from(b)
}

/// The lowest 62 bits.
#[inline(always)]
#[expect(clippy::as_conversions, reason = "cuts on purpose")]
const fn low(value: i128) -> i64 {
    (value.cast_unsigned() as u64).cast_signed() & LOW
}

/// (u·f + v·g, q·f + r·g) / 2⁶².
#[inline(always)]
fn apply(matrix: &Matrix, f: &Signed, g: &Signed) -> (Signed, Signed) {
    let row = |a: i64, b: i64| {
        let mut out = [0; 5];
        let mut carry = 0_i128;
        let mut before: Option<&mut i64> = None;
        let mut slots = out.iter_mut();
        for (f, g) in f.iter().zip(g) {
            carry += product(a, *f) + product(b, *g);
            // The lowest limb is zero and drops out.
            if let Some(slot) = before.take() {
                *slot = low(carry);
            }
            carry >>= BITS;
            before = slots.next();
        }
        if let Some(slot) = before {
            *slot = top(carry);
        }
        out
    };
    (row(matrix.u, matrix.v), row(matrix.q, matrix.r))
}

/// What is left for the highest limb, sign and all.
#[inline(always)]
#[expect(clippy::as_conversions, reason = "cuts on purpose")]
const fn top(value: i128) -> i64 {
    (value.cast_unsigned() as u64).cast_signed()
}

/// (u·d + v·e, q·d + r·e) / 2⁶² modulo the modulus, both kept in (−2·modulus, modulus).
#[inline(always)]
fn apply_modulo(matrix: &Matrix, d: &Signed, e: &Signed, modulus: &Modulus) -> (Signed, Signed) {
    let [d0, .., d4] = *d;
    let [e0, .., e4] = *e;
    let (d_sign, e_sign) = (d4 >> 63, e4 >> 63);
    let row = |a: i64, b: i64| {
        // The modulus once for each negative input, and as often as clears the lowest limb.
        let mut times = (a & d_sign).wrapping_add(b & e_sign);
        let lowest = low(product(a, d0) + product(b, e0));
        let wanted = modulus.inverse.wrapping_mul(lowest).wrapping_add(times) & LOW;
        times = times.wrapping_sub(wanted);
        let mut out = [0; 5];
        let mut carry = 0_i128;
        let mut before: Option<&mut i64> = None;
        let mut slots = out.iter_mut();
        for ((d, e), m) in d.iter().zip(e).zip(&modulus.value) {
            carry += product(a, *d) + product(b, *e) + product(times, *m);
            if let Some(slot) = before.take() {
                *slot = low(carry);
            }
            carry >>= BITS;
            before = slots.next();
        }
        if let Some(slot) = before {
            *slot = top(carry);
        }
        out
    };
    (row(matrix.u, matrix.v), row(matrix.q, matrix.r))
}

/// From (−2·modulus, modulus), times the sign, to 0..modulus with limbs of 62 bits.
fn normal(value: &Signed, sign: i64, modulus: &Modulus) -> Signed {
    let add_if_negative = |value: &Signed| {
        let [.., top] = *value;
        let mask = top >> 63;
        let mut sum = *value;
        for (limb, m) in sum.iter_mut().zip(&modulus.value) {
            *limb = limb.wrapping_add(m & mask);
        }
        sum
    };
    let mut sum = add_if_negative(value);
    for limb in &mut sum {
        *limb = (*limb ^ sign).wrapping_sub(sign);
    }
    carried(&add_if_negative(&carried(&sum)))
}

/// Every limb but the highest in 0..2⁶².
fn carried(value: &Signed) -> Signed {
    let mut out = *value;
    let mut carry = 0;
    let last = out.len() - 1;
    for (limb, place) in out.iter_mut().zip(0..) {
        *limb = limb.wrapping_add(carry);
        if place < last {
            carry = *limb >> BITS;
            *limb &= LOW;
        }
    }
    out
}
