//! What the SM4 forms share that compute in the field of AES: the way into it, and the round keys carried over.
//!
//! The S-box of SM4 is x ↦ A·(A·x + c)⁻¹ + c in a field of its own; that field is isomorphic to the one of AES,
//! whose inversion the CPU computes. Let z = E·x + e be a byte carried over (E is A, then the isomorphism). Because
//! E acts on each byte and is linear, whole words stay carried over from the first round to the last. The tests
//! derive every constant of the forms from the S-box.

/// E; its bytes are rows, the highest byte the row of bit 0 (as GF2P8AFFINEQB wants it).
pub(super) const ENTER: i64 = 0x4c28_7db9_1a22_505d;
/// E⁻¹.
pub(super) const LEAVE: i64 = 0xb3a4_f586_3284_728b_u64.cast_signed();

/// The columns of E and e, for the round keys.
const COLUMNS: [u32; 8] = columns(ENTER);
const OFFSET: u32 = 0x3e3e_3e3e;

/// The bytes with one bit set in the image of each bit.
const fn columns(matrix: i64) -> [u32; 8] {
    let rows = matrix.to_be_bytes();
    let mut columns = [0; 8];
    let (mut bit, mut mask) = (0, 1_u8);
    while bit < 8 {
        let (mut row, mut column) = (0, 0);
        while row < 8 {
            #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
            if rows[row] & mask != 0 {
                column |= 1 << row;
            }
            row += 1;
        }
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
        {
            columns[bit] = column;
        }
        mask = mask.wrapping_shl(1);
        bit += 1;
    }
    columns
}

/// Round keys carried over, in memory order; no table, no branch.
pub(crate) fn carry_over(keys: &[u32; 32]) -> [u32; 32] {
    keys.map(|key| {
        let mut image = OFFSET;
        for (column, bit) in COLUMNS.iter().zip(0..) {
            image ^= ((key >> bit) & 0x0101_0101).wrapping_mul(*column);
        }
        image.swap_bytes()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::{
        sm4_aesni,
        sm4_gfni::{CONSTANT, FAR, NEAR, OWN},
    };

    /// The fields of SM4 and of AES.
    const SM4_FIELD: u16 = 0x1f5;
    const AES_FIELD: u16 = 0x11b;

    /// A linear map of bytes: the image of each bit.
    type Linear = [u8; 8];

    fn product(a: u8, b: u8, field: u16) -> u8 {
        let (mut sum, mut a) = (0_u16, u16::from(a));
        for bit in 0..8 {
            if b >> bit & 1 == 1 {
                sum ^= a;
            }
            a <<= 1;
            if a & 0x100 != 0 {
                a ^= field;
            }
        }
        u8::try_from(sum).unwrap()
    }

    fn inverse(a: u8, field: u16) -> u8 {
        (0..254).fold(1, |power, _| product(power, a, field))
    }

    fn apply(map: &Linear, byte: u8) -> u8 {
        map.iter().zip(0..).filter(|(_, bit)| byte >> bit & 1 == 1).fold(0, |sum, (image, _)| sum ^ image)
    }

    fn linear(f: impl Fn(u8) -> u8) -> Linear {
        core::array::from_fn(|bit| f(1 << bit))
    }

    fn then(first: &Linear, second: &Linear) -> Linear {
        linear(|byte| apply(second, apply(first, byte)))
    }

    fn inverted(map: &Linear) -> Linear {
        linear(|byte| (0..=255).find(|from| apply(map, *from) == byte).unwrap())
    }

    /// As GF2P8AFFINEQB wants it: the row of bit 0 is the highest byte.
    fn operand(map: &Linear) -> i64 {
        let row = |bit: usize| (0..8).fold(0_u8, |row, from| row | (map[from] >> bit & 1) << from);
        i64::from_be_bytes(core::array::from_fn(row))
    }

    // GB/T 32907 gives the S-box as a table; as S(x) = A·(A·x + c)⁻¹ + c with A circulant it was published by
    // Liu and others ("Analysis of the SMS4 Block Cipher", 2007). The first line of the table is compared.
    #[test]
    fn the_constants_follow_from_the_s_box() {
        let a = linear(|byte| {
            (0..8).fold(0, |sum, bit| {
                let row = 0xa7_u8.rotate_left(bit);
                sum | u8::try_from((row & byte).count_ones() & 1).unwrap() << bit
            })
        });
        let s_box = |x: u8| apply(&a, inverse(apply(&a, x) ^ 0xd3, SM4_FIELD)) ^ 0xd3;
        assert_eq!(
            core::array::from_fn::<u8, 16, _>(|x| s_box(u8::try_from(x).unwrap())),
            *b"\xd6\x90\xe9\xfe\xcc\xe1\x3d\xb7\x16\xb6\x14\xc2\x28\xfb\x2c\x05"
        );
        // A root of one field's polynomial in the other gives the isomorphism.
        let powers =
            |root: u8| (0..9).map(move |power| (0..power).fold(1, |p, _| product(p, root, AES_FIELD)));
        let is_root = |root: &u8| {
            powers(*root).zip(0..).filter(|(_, bit)| SM4_FIELD >> bit & 1 == 1).fold(0, |s, (p, _)| s ^ p)
                == 0
        };
        let root = (2..=255).find(is_root).unwrap();
        let isomorphism: Linear = core::array::from_fn(|bit| powers(root).nth(bit).unwrap());

        let enter = then(&a, &isomorphism);
        assert_eq!(operand(&enter), ENTER);
        assert_eq!(operand(&inverted(&enter)), LEAVE);
        assert_eq!(u32::from(apply(&isomorphism, 0xd3)) * 0x0101_0101, OFFSET);
        assert_eq!(COLUMNS, core::array::from_fn(|bit| u32::from(enter[bit])));

        // L by how many bytes a bit moves: x itself and rotated by 2, 10, 18 and 24 bits.
        let back = then(&inverted(&isomorphism), &a);
        let around = |own: fn(u8) -> u8| operand(&then(&then(&back, &linear(own)), &enter));
        assert_eq!(around(|x| x ^ x << 2), OWN);
        assert_eq!(around(|x| x << 2 ^ x >> 6), NEAR);
        assert_eq!(around(|x| x ^ x >> 6), FAR);
        // L(c) = c rotated by 2 within the byte, c being the same in all bytes.
        assert_eq!(i32::from(apply(&enter, 0xd3_u8.rotate_left(2))), CONSTANT);

        // AESENCLAST gives A'·z⁻¹ + 63 (FIPS 197 §5.1.1).
        let aes = linear(|x| (0..5).fold(0, |sum, by| sum ^ x.rotate_left(by)));
        let behind = then(&inverted(&aes), &back);
        let around = |own: fn(u8) -> u8| then(&then(&behind, &linear(own)), &enter);
        let (near, far) = (around(|x| x << 2 ^ x >> 6), around(|x| x ^ x >> 6));
        let own = around(|x| x ^ x << 2);
        assert_eq!(own, core::array::from_fn(|bit| near[bit] ^ far[bit]));
        let constant = apply(&own, 0x63) ^ apply(&far, 0x63) ^ apply(&enter, 0xd3_u8.rotate_left(2));
        let halves = |map: &Linear, constant: u8| -> sm4_aesni::Halves {
            let image = |byte: usize| apply(map, u8::try_from(byte).unwrap());
            (core::array::from_fn(|low| image(low) ^ constant), core::array::from_fn(|high| image(high << 4)))
        };
        assert_eq!(halves(&near, constant), sm4_aesni::NEAR);
        assert_eq!(halves(&far, 0), sm4_aesni::FAR);
        assert_eq!(halves(&enter, 0), sm4_aesni::ENTER);
        assert_eq!(halves(&inverted(&enter), 0), sm4_aesni::LEAVE);
    }
}
