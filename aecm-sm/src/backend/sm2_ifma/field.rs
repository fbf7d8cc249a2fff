//! Eight elements of the prime field of SM2, p = 2²⁵⁶ − 2²²⁴ − 2⁹⁶ + 2⁶⁴ − 1.
//!
//! An element is a·2²⁶⁰ mod p in five limbs of 52 bits, not always below p: *bounds* are given in multiples of p. The
//! product of two with bounds α and β has the bound αβ/16 + 1, and 16 is the largest one that five limbs hold.
//! [`Lanes`] have limbs of 52 bits, fit for a product; [`Raw`] is a sum whose limbs may be longer and have a sign.

use core::arch::x86_64::*;

const BITS: u32 = 52;
const MASK: i64 = (1 << BITS) - 1;

/// p = −1 + 2⁵²·(2¹² − 2⁴⁴) + 2²⁰⁸·(2⁴⁸ − 2¹⁶): the second and the third part without their signs.
const MIDDLE: i64 = (1 << 44) - (1 << 12);
const TOP: i64 = (1 << 48) - (1 << 16);

/// Limbs of 52 bits.
#[derive(Clone, Copy)]
pub(super) struct Lanes(pub(super) [__m512i; 5]);

/// A sum before its carries.
#[derive(Clone, Copy)]
pub(super) struct Raw([__m512i; 5]);

/// A 256-bit number in limbs of 52 bits.
pub(super) const fn spread(number: &[u64; 4]) -> [u64; 5] {
    const LOW: u64 = (1 << BITS) - 1;
    let [a, b, c, d] = *number;
    [a & LOW, (a >> 52 | b << 12) & LOW, (b >> 40 | c << 24) & LOW, (c >> 28 | d << 36) & LOW, d >> 16]
}

/// The reverse, for a number below 2²⁵⁶.
const fn gather(limbs: &[u64; 5]) -> [u64; 4] {
    let [a, b, c, d, e] = *limbs;
    [a | b << 52, b >> 12 | c << 40, c >> 24 | d << 28, d >> 36 | e << 16]
}

impl Lanes {
    /// The same number in each lane.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn all(limbs: &[u64; 5]) -> Self {
        Self(limbs.map(|limb| _mm512_set1_epi64(limb.cast_signed())))
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) fn zero() -> Self {
        Self([_mm512_setzero_si512(); 5])
    }

    /// 2²⁶⁰ mod p, what stands for 1.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) fn one() -> Self {
        const ONE: [u64; 5] = spread(&[0x10, 0xf_ffff_fff0, 0, 0x10_0000_0000]);
        Self::all(&ONE)
    }

    /// Numbers below 2²⁵⁶, one a lane, made elements.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn enter(numbers: &[[u64; 4]; 8]) -> Self {
        /// 2⁵²⁰ mod p.
        const R2: [u64; 5] = spread(&[0x200_0000_0300, 0x2ff_ffff_ff00, 0x100_0000_0100, 0x400_0000_0200]);
        let spread = numbers.map(|number| spread(&number));
        let mut limbs = [_mm512_setzero_si512(); 5];
        for (place, limb) in limbs.iter_mut().enumerate() {
            let lanes = spread.map(|number| number.get(place).copied().unwrap_or(0));
            *limb = load(&lanes);
        }
        Self(limbs).times(&Self::all(&R2))
    }

    /// From a·2²⁵⁶ mod p in four limbs of 64 bits.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn from_stored([a, b, c, d]: [__m512i; 4]) -> Self {
        let mask = _mm512_set1_epi64(MASK);
        let low = |limb| _mm512_and_si512(limb, mask);
        let or = |a, b| _mm512_or_si512(a, b);
        // Four bits up, for 2²⁶⁰, while the limbs are cut to 52 bits: a bound of 16.
        Raw([
            low(_mm512_slli_epi64::<4>(a)),
            low(or(_mm512_srli_epi64::<48>(a), _mm512_slli_epi64::<16>(b))),
            low(or(_mm512_srli_epi64::<36>(b), _mm512_slli_epi64::<28>(c))),
            low(or(_mm512_srli_epi64::<24>(c), _mm512_slli_epi64::<40>(d))),
            _mm512_srli_epi64::<12>(d),
        ])
        .folded()
    }

    /// The numbers that the elements are, below 2²⁵⁶ and at most p.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn leave(&self) -> [[u64; 4]; 8] {
        let Self(limbs) = self.times(&Self::all(&[1, 0, 0, 0, 0]));
        let limbs = limbs.map(|limb| store(limb));
        let mut numbers = [[0; 4]; 8];
        for (lane, number) in numbers.iter_mut().enumerate() {
            *number = gather(&limbs.map(|limb| limb.get(lane).copied().unwrap_or(0)));
        }
        numbers
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) fn raw(&self) -> Raw {
        Raw(self.0)
    }

    /// Lane by lane: `other` where the mask says so.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) fn or(&self, mask: __mmask8, other: &Self) -> Self {
        let mut limbs = self.0;
        for (limb, other) in limbs.iter_mut().zip(&other.0) {
            *limb = _mm512_mask_mov_epi64(*limb, mask, *other);
        }
        Self(limbs)
    }

    /// The product.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn times(&self, other: &Self) -> Self {
        let [a0, a1, a2, a3, a4] = self.0;
        let [b0, b1, b2, b3, b4] = other.0;
        let zero = _mm512_setzero_si512();
        let lo = |sum, a, b| _mm512_madd52lo_epu64(sum, a, b);
        let hi = |sum, a, b| _mm512_madd52hi_epu64(sum, a, b);
        // Low and high halves of the products in chains of their own: half as long to wait for.
        let l0 = lo(zero, a0, b0);
        let l1 = lo(lo(zero, a0, b1), a1, b0);
        let h1 = hi(zero, a0, b0);
        let l2 = lo(lo(lo(zero, a0, b2), a1, b1), a2, b0);
        let h2 = hi(hi(zero, a0, b1), a1, b0);
        let l3 = lo(lo(lo(lo(zero, a0, b3), a1, b2), a2, b1), a3, b0);
        let h3 = hi(hi(hi(zero, a0, b2), a1, b1), a2, b0);
        let l4 = lo(lo(lo(lo(lo(zero, a0, b4), a1, b3), a2, b2), a3, b1), a4, b0);
        let h4 = hi(hi(hi(hi(zero, a0, b3), a1, b2), a2, b1), a3, b0);
        let l5 = lo(lo(lo(lo(zero, a1, b4), a2, b3), a3, b2), a4, b1);
        let h5 = hi(hi(hi(hi(hi(zero, a0, b4), a1, b3), a2, b2), a3, b1), a4, b0);
        let l6 = lo(lo(lo(zero, a2, b4), a3, b3), a4, b2);
        let h6 = hi(hi(hi(hi(zero, a1, b4), a2, b3), a3, b2), a4, b1);
        let l7 = lo(lo(zero, a3, b4), a4, b3);
        let h7 = hi(hi(hi(zero, a2, b4), a3, b3), a4, b2);
        let l8 = lo(zero, a4, b4);
        let h8 = hi(hi(zero, a3, b4), a4, b3);
        let h9 = hi(zero, a4, b4);
        let add = |a, b| _mm512_add_epi64(a, b);
        reduce([
            l0,
            add(l1, h1),
            add(l2, h2),
            add(l3, h3),
            add(l4, h4),
            add(l5, h5),
            add(l6, h6),
            add(l7, h7),
            add(l8, h8),
            h9,
        ])
    }

    /// The square.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn squared(&self) -> Self {
        let [a0, a1, a2, a3, a4] = self.0;
        let zero = _mm512_setzero_si512();
        let lo = |sum, a, b| _mm512_madd52lo_epu64(sum, a, b);
        let hi = |sum, a, b| _mm512_madd52hi_epu64(sum, a, b);
        // The products of different limbs, to be doubled.
        let l1 = lo(zero, a0, a1);
        let l2 = lo(zero, a0, a2);
        let h2 = hi(zero, a0, a1);
        let l3 = lo(lo(zero, a0, a3), a1, a2);
        let h3 = hi(zero, a0, a2);
        let l4 = lo(lo(zero, a0, a4), a1, a3);
        let h4 = hi(hi(zero, a0, a3), a1, a2);
        let l5 = lo(lo(zero, a1, a4), a2, a3);
        let h5 = hi(hi(zero, a0, a4), a1, a3);
        let l6 = lo(zero, a2, a4);
        let h6 = hi(hi(zero, a1, a4), a2, a3);
        let l7 = lo(zero, a3, a4);
        let h7 = hi(zero, a2, a4);
        let h8 = hi(zero, a3, a4);
        let twice = |a, b| {
            let sum = _mm512_add_epi64(a, b);
            _mm512_add_epi64(sum, sum)
        };
        reduce([
            lo(zero, a0, a0),
            hi(twice(l1, zero), a0, a0),
            lo(twice(l2, h2), a1, a1),
            hi(twice(l3, h3), a1, a1),
            lo(twice(l4, h4), a2, a2),
            hi(twice(l5, h5), a2, a2),
            lo(twice(l6, h6), a3, a3),
            hi(twice(l7, h7), a3, a3),
            lo(twice(h8, zero), a4, a4),
            hi(zero, a4, a4),
        ])
    }
}

/// Divides by 2²⁶⁰ modulo p.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn reduce(t: [__m512i; 10]) -> Lanes {
    let [t0, t1, t2, t3, t4, t5, t6, t7, t8, t9] = t;
    let zero = _mm512_setzero_si512();
    let (mask, middle, top) = (_mm512_set1_epi64(MASK), _mm512_set1_epi64(MIDDLE), _mm512_set1_epi64(TOP));
    let lo = |sum, q, b| _mm512_madd52lo_epu64(sum, q, b);
    let hi = |sum, q, b| _mm512_madd52hi_epu64(sum, q, b);
    let add = |a, b| _mm512_add_epi64(a, b);
    let sub = |a, b| _mm512_sub_epi64(a, b);
    let low = |a| _mm512_and_si512(a, mask);
    let carry = |a| _mm512_srai_epi64::<52>(a);
    // p ≡ −1 mod 2⁵²: the lowest limb is itself the multiple of p that clears it.
    let q0 = low(t0);
    let t1 = sub(add(t1, carry(t0)), lo(zero, q0, middle));
    let q1 = low(t1);
    let t2 = sub(add(t2, carry(t1)), lo(hi(zero, q0, middle), q1, middle));
    let q2 = low(t2);
    let t3 = sub(add(t3, carry(t2)), lo(hi(zero, q1, middle), q2, middle));
    let q3 = low(t3);
    let t4 = sub(add(lo(t4, q0, top), carry(t3)), lo(hi(zero, q2, middle), q3, middle));
    let q4 = low(t4);
    let t5 = sub(add(lo(hi(t5, q0, top), q1, top), carry(t4)), lo(hi(zero, q3, middle), q4, middle));
    let t6 = sub(lo(hi(t6, q1, top), q2, top), hi(zero, q4, middle));
    let t7 = lo(hi(t7, q2, top), q3, top);
    let t8 = lo(hi(t8, q3, top), q4, top);
    let t9 = hi(t9, q4, top);
    Raw([t5, t6, t7, t8, t9]).carried()
}

impl Raw {
    /// The sum.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) fn plus(&self, other: &Lanes) -> Self {
        let mut limbs = self.0;
        for (limb, other) in limbs.iter_mut().zip(&other.0) {
            *limb = _mm512_add_epi64(*limb, *other);
        }
        Self(limbs)
    }

    /// The difference; [`plus_p`](Self::plus_p) has to keep it above zero.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) fn minus(&self, other: &Lanes) -> Self {
        self.minus_times::<0>(other)
    }

    /// `other`·2^`SHIFT` less.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) fn minus_times<const SHIFT: u32>(&self, other: &Lanes) -> Self {
        let mut limbs = self.0;
        for (limb, other) in limbs.iter_mut().zip(&other.0) {
            *limb = _mm512_sub_epi64(*limb, _mm512_slli_epi64::<SHIFT>(*other));
        }
        Self(limbs)
    }

    /// This times 2^`SHIFT`.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) fn shifted<const SHIFT: u32>(&self) -> Self {
        Self(self.0.map(|limb| _mm512_slli_epi64::<SHIFT>(limb)))
    }

    /// p times `COUNT` more.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) fn plus_p<const COUNT: i64>(&self) -> Self {
        let [a, b, c, d, e] = self.0;
        let add = |limb, number: i64| _mm512_add_epi64(limb, _mm512_set1_epi64(number * COUNT));
        Self([add(a, -1), add(b, -MIDDLE), c, d, add(e, TOP)])
    }

    /// Limbs of 52 bits again. For a sum with a bound of 16.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) fn carried(&self) -> Lanes {
        let [a, b, c, d, e] = self.0;
        let mask = _mm512_set1_epi64(MASK);
        let low = |a| _mm512_and_si512(a, mask);
        let step = |a, below| _mm512_add_epi64(a, _mm512_srai_epi64::<52>(below));
        let b = step(b, a);
        let c = step(c, b);
        let d = step(d, c);
        let e = step(e, d);
        Lanes([low(a), low(b), low(c), low(d), e])
    }

    /// As [`carried`](Self::carried), with a bound of 1 and a little: less than 2²⁵⁶ + 2²³⁰.
    ///
    /// What stands above 2²⁵⁶ comes back at the bottom, 2²⁵⁶ being 2²²⁴ + 2⁹⁶ − 2⁶⁴ + 1 modulo p. The sum must be
    /// above 2²³⁰.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn folded(&self) -> Lanes {
        let [a, b, c, d, e] = self.0;
        // May be one too many or too few for what the carries below still bring: no harm in either.
        let above = _mm512_srai_epi64::<48>(_mm512_add_epi64(e, _mm512_srai_epi64::<52>(d)));
        let a = _mm512_add_epi64(a, above);
        let b = _mm512_madd52lo_epu64(b, above, _mm512_set1_epi64(MIDDLE));
        let less = _mm512_madd52lo_epu64(_mm512_setzero_si512(), above, _mm512_set1_epi64(TOP));
        Self([a, b, c, d, _mm512_sub_epi64(e, less)]).carried()
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn load(lanes: &[u64; 8]) -> __m512i {
    // SAFETY: 64 octets, of which every pattern is a vector; no alignment is asked for.
    unsafe { _mm512_loadu_si512(lanes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn store(vector: __m512i) -> [u64; 8] {
    let mut lanes = [0; 8];
    // SAFETY: as above.
    unsafe { _mm512_storeu_si512(lanes.as_mut_ptr().cast(), vector) };
    lanes
}
