//! Numbers of four limbs of 64 bits, least significant first: what both fields are made of.
//!
//! Nothing here branches on a value or looks one up.

/// 256 bits.
pub(super) type Limbs = [u64; 4];

/// a + b, and the bit that leaves at the top.
#[inline(always)]
pub(super) fn add(a: &Limbs, b: &Limbs) -> (Limbs, bool) {
    let [a0, a1, a2, a3] = *a;
    let [b0, b1, b2, b3] = *b;
    let (r0, carry) = a0.carrying_add(b0, false);
    let (r1, carry) = a1.carrying_add(b1, carry);
    let (r2, carry) = a2.carrying_add(b2, carry);
    let (r3, carry) = a3.carrying_add(b3, carry);
    ([r0, r1, r2, r3], carry)
}

/// a − b, and whether that borrowed.
#[inline(always)]
pub(super) fn sub(a: &Limbs, b: &Limbs) -> (Limbs, bool) {
    let [a0, a1, a2, a3] = *a;
    let [b0, b1, b2, b3] = *b;
    let (r0, borrow) = a0.borrowing_sub(b0, false);
    let (r1, borrow) = a1.borrowing_sub(b1, borrow);
    let (r2, borrow) = a2.borrowing_sub(b2, borrow);
    let (r3, borrow) = a3.borrowing_sub(b3, borrow);
    ([r0, r1, r2, r3], borrow)
}

/// All ones or all zeros.
#[inline(always)]
pub(super) const fn mask(condition: bool) -> u64 {
    0_u64.wrapping_sub(if condition { 1 } else { 0 })
}

/// `a` where the mask is zeros, `b` where it is ones.
#[inline(always)]
pub(super) const fn select(a: &Limbs, b: &Limbs, mask: u64) -> Limbs {
    let [a0, a1, a2, a3] = *a;
    let [b0, b1, b2, b3] = *b;
    [a0 ^ (mask & (a0 ^ b0)), a1 ^ (mask & (a1 ^ b1)), a2 ^ (mask & (a2 ^ b2)), a3 ^ (mask & (a3 ^ b3))]
}

/// The value, of 257 bits, less the modulus where it is not below it.
#[inline(always)]
pub(super) fn settle(value: &Limbs, carry: bool, modulus: &Limbs) -> Limbs {
    let (less, borrow) = sub(value, modulus);
    // Kept where the subtraction took more than there was.
    let (_, below) = mask01(carry).borrowing_sub(0, borrow);
    select(&less, value, mask(below))
}

#[inline(always)]
const fn mask01(bit: bool) -> u64 {
    if bit { 1 } else { 0 }
}

/// a·b, 512 bits.
#[inline(always)]
pub(super) fn multiply(a: &Limbs, b: &Limbs) -> [u64; 8] {
    let [a0, a1, a2, a3] = *a;
    let [b0, b1, b2, b3] = *b;
    let (t0, c) = a0.carrying_mul(b0, 0);
    let (t1, c) = a0.carrying_mul(b1, c);
    let (t2, c) = a0.carrying_mul(b2, c);
    let (t3, t4) = a0.carrying_mul(b3, c);

    let (t1, c) = a1.carrying_mul_add(b0, t1, 0);
    let (t2, c) = a1.carrying_mul_add(b1, t2, c);
    let (t3, c) = a1.carrying_mul_add(b2, t3, c);
    let (t4, t5) = a1.carrying_mul_add(b3, t4, c);

    let (t2, c) = a2.carrying_mul_add(b0, t2, 0);
    let (t3, c) = a2.carrying_mul_add(b1, t3, c);
    let (t4, c) = a2.carrying_mul_add(b2, t4, c);
    let (t5, t6) = a2.carrying_mul_add(b3, t5, c);

    let (t3, c) = a3.carrying_mul_add(b0, t3, 0);
    let (t4, c) = a3.carrying_mul_add(b1, t4, c);
    let (t5, c) = a3.carrying_mul_add(b2, t5, c);
    let (t6, t7) = a3.carrying_mul_add(b3, t6, c);
    [t0, t1, t2, t3, t4, t5, t6, t7]
}

/// a², 512 bits: every mixed product once, doubled.
#[inline(always)]
pub(super) fn square(a: &Limbs) -> [u64; 8] {
    let [a0, a1, a2, a3] = *a;
    let (t1, c) = a0.carrying_mul(a1, 0);
    let (t2, c) = a0.carrying_mul(a2, c);
    let (t3, t4) = a0.carrying_mul(a3, c);
    let (t3, c) = a1.carrying_mul_add(a2, t3, 0);
    let (t4, t5) = a1.carrying_mul_add(a3, t4, c);
    let (t5, t6) = a2.carrying_mul(a3, t5);

    let t7 = t6 >> 63;
    let t6 = (t6 << 1) | (t5 >> 63);
    let t5 = (t5 << 1) | (t4 >> 63);
    let t4 = (t4 << 1) | (t3 >> 63);
    let t3 = (t3 << 1) | (t2 >> 63);
    let t2 = (t2 << 1) | (t1 >> 63);
    let t1 = t1 << 1;

    let (t0, h0) = a0.carrying_mul(a0, 0);
    let (l1, h1) = a1.carrying_mul(a1, 0);
    let (l2, h2) = a2.carrying_mul(a2, 0);
    let (l3, h3) = a3.carrying_mul(a3, 0);
    let (t1, c) = t1.carrying_add(h0, false);
    let (t2, c) = t2.carrying_add(l1, c);
    let (t3, c) = t3.carrying_add(h1, c);
    let (t4, c) = t4.carrying_add(l2, c);
    let (t5, c) = t5.carrying_add(h2, c);
    let (t6, c) = t6.carrying_add(l3, c);
    let (t7, _) = t7.carrying_add(h3, c);
    [t0, t1, t2, t3, t4, t5, t6, t7]
}

/// The number in 32 octets, big-endian.
#[inline]
pub(super) const fn from_octets(octets: &[u8; 32]) -> Limbs {
    let ([a, b, c, d], _) = octets.as_chunks::<8>() else { return [0; 4] };
    [u64::from_be_bytes(*d), u64::from_be_bytes(*c), u64::from_be_bytes(*b), u64::from_be_bytes(*a)]
}

/// The number as 32 octets, big-endian.
#[inline]
pub(super) fn to_octets(limbs: &Limbs) -> [u8; 32] {
    let mut octets = [0; 32];
    let (chunks, _) = octets.as_chunks_mut::<8>();
    for (chunk, limb) in chunks.iter_mut().zip(limbs.iter().rev()) {
        *chunk = limb.to_be_bytes();
    }
    octets
}

/// All ones where the number is zero.
#[inline(always)]
pub(super) const fn zero_mask(a: &Limbs) -> u64 {
    let [a0, a1, a2, a3] = *a;
    let any = a0 | a1 | a2 | a3;
    // The top bit of x | −x is set unless x = 0.
    ((any | any.wrapping_neg()) >> 63).wrapping_sub(1)
}
