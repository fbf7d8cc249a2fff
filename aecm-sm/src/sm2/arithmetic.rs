//! Which arithmetic the algorithms stand on: our own where 64-bit multiplication is fast, else that of the `sm2`
//! crate. Both sides of this border speak octets, big-endian and canonical.

#[cfg(any(target_pointer_width = "64", test))]
#[cfg_attr(not(target_pointer_width = "64"), expect(dead_code, reason = "tested, not used"))]
mod curve;
#[cfg(any(not(target_pointer_width = "64"), test))]
#[cfg_attr(target_pointer_width = "64", allow(dead_code, reason = "the oracle of the tests"))]
mod foreign;

use zeroize::Zeroizing;

#[cfg(target_pointer_width = "64")]
pub(super) use self::curve::{Point, Scalar};
#[cfg(not(target_pointer_width = "64"))]
pub(super) use self::foreign::{Point, Scalar};

/// That \[s\]G + \[t\]P has an x that is `x` modulo n. Everything here is public.
pub(super) struct Claim {
    pub(super) s: Scalar,
    pub(super) t: Scalar,
    pub(super) point: Point,
    pub(super) x: Scalar,
}

/// a, b and the coordinates of the base point G: the fixed middle of what Z hashes (GB/T 32918.5 §2).
pub(super) const A_B_GX_GY: [[u8; 32]; 4] = [
    octets([0xffff_fffe_ffff_ffff, 0xffff_ffff_ffff_ffff, 0xffff_ffff_0000_0000, 0xffff_ffff_ffff_fffc]),
    octets([0x28e9_fa9e_9d9f_5e34, 0x4d5a_9e4b_cf65_09a7, 0xf397_89f5_15ab_8f92, 0xddbc_bd41_4d94_0e93]),
    octets([0x32c4_ae2c_1f19_8119, 0x5f99_0446_6a39_c994, 0x8fe3_0bbf_f266_0be1, 0x715a_4589_334c_74c7]),
    octets([0xbc37_36a2_f4f6_779c, 0x59bd_cee3_6b69_2153, 0xd0a9_877c_c62a_4740, 0x02df_32e5_2139_f0a0]),
];

/// The number in these octets, where it is in `1..=n-1`.
pub(super) fn nonzero_scalar(bytes: &[u8; 32]) -> Option<Zeroizing<Scalar>> {
    Scalar::from_octets(bytes).map(Zeroizing::new).filter(|scalar| !scalar.is_zero())
}

/// 1/(1+d), which exists unless d = n−1.
pub(super) fn invert_successor(d: &Scalar) -> Option<Zeroizing<Scalar>> {
    let successor = Zeroizing::new(d.plus(&Scalar::ONE));
    (!successor.is_zero()).then(|| Zeroizing::new(successor.inverse()))
}

/// The canonical octets of a number.
pub(super) fn scalar_bytes(scalar: &Scalar) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(scalar.to_octets())
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
