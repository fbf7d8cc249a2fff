//! Every operation against code that is not ours: `crypto-bigint` for numbers, the `sm2` crate for points.
//!
//! A million cases of each operation on numbers and ten thousand on points; AECM_SM_CASES=10 makes it ten times as many.

use std::vec::Vec;

use ::sm2::elliptic_curve::bigint::{NonZero, Odd, U256};

use super::{
    Claim, Point, digits,
    field::{self, Field},
    multiply,
    scalar::{self, Scalar},
    tables,
};
use crate::sm2::arithmetic::foreign;

/// So many cases, or a multiple.
fn cases(count: usize) -> usize {
    let factor = std::env::var("AECM_SM_CASES").ok().map_or(1, |factor| factor.parse().expect("a number"));
    count * factor
}

/// Numbers of which every second has a limb, or all, where carries begin and end.
struct Numbers(u64);

impl Numbers {
    fn word(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn limb(&mut self) -> u64 {
        const EDGES: [u64; 8] = [
            0,
            1,
            u64::MAX,
            u64::MAX - 1,
            0xffff_ffff,
            0xffff_ffff_0000_0000,
            0xffff_fffe_ffff_ffff,
            0x8000_0000_0000_0000,
        ];
        let word = self.word();
        let choice = usize::try_from(word >> 60).unwrap();
        EDGES.get(choice).copied().unwrap_or_else(|| self.word())
    }

    /// Below the modulus; sometimes next to it, or next to zero.
    fn below(&mut self, modulus: &U256) -> U256 {
        let word = self.word();
        let near = U256::from_u64(word >> 62);
        match word % 16 {
            0 => near,
            1 => modulus.wrapping_sub(&near).wrapping_sub(&U256::ONE),
            choice => loop {
                let words = [0; 4].map(|_: u64| if choice < 6 { self.limb() } else { self.word() });
                let number = U256::from_words(words);
                if number < *modulus {
                    return number;
                }
            },
        }
    }
}

fn p() -> NonZero<U256> {
    NonZero::new(U256::from_words(field::P)).unwrap()
}

fn n() -> NonZero<U256> {
    NonZero::new(U256::from_words(scalar::N)).unwrap()
}

fn element(number: &U256) -> Field {
    Field::from_limbs(&number.to_words())
}

fn number(element: &Field) -> U256 {
    U256::from_words(element.to_limbs())
}

fn octets(number: &U256) -> [u8; 32] {
    number.to_be_bytes().into()
}

#[test]
fn sums_and_products_in_the_field() {
    let (p, mut numbers) = (p(), Numbers(0x5eed));
    for _ in 0..cases(1_000_000) {
        let (a, b) = (numbers.below(&p), numbers.below(&p));
        let (x, y) = (element(&a), element(&b));
        assert_eq!(number(&x.plus(&y)), a.add_mod(&b, &p), "{a} + {b}");
        assert_eq!(number(&x.minus(&y)), a.sub_mod(&b, &p), "{a} − {b}");
        assert_eq!(number(&x.times(&y)), a.mul_mod_vartime(&b, &p), "{a}·{b}");
        assert_eq!(number(&x.squared()), a.mul_mod_vartime(&a, &p), "{a}²");
        assert_eq!(number(&x.negative()), a.neg_mod(&p), "−{a}");
        assert_eq!(x.halved().doubled(), x, "{a}/2");
        assert_eq!(Field::from_octets(&octets(&a)), Some(x));
        assert_eq!(x.to_octets(), octets(&a));
    }
}

#[test]
fn inverses_and_roots_in_the_field() {
    let (p, mut numbers) = (p(), Numbers(0xcafe));
    let odd = Odd::new(*p).unwrap();
    let (mut squares, mut others) = (0, 0);
    for place in 0..cases(1_000_000) {
        let a = numbers.below(&p);
        let x = element(&a);
        let inverse = x.inverse();
        if a == U256::ZERO {
            assert_eq!(inverse, Field::ZERO);
            continue;
        }
        assert_eq!(x.times(&inverse), Field::ONE, "1/{a}");
        if place % 100 == 0 {
            assert_eq!(number(&inverse), a.invert_odd_mod_vartime(&odd).unwrap(), "1/{a}");
            match x.square_root() {
                Some(root) => {
                    squares += 1;
                    assert_eq!(root.squared(), x, "√{a}");
                }
                // Then −a is a square: p ≡ 3 mod 4.
                None => {
                    others += 1;
                    assert!(x.negative().square_root().is_some(), "√−{a}");
                }
            }
        }
    }
    assert!(squares > 1000 && others > 1000, "{squares} squares, {others} others");
}

#[test]
fn numbers_modulo_the_order() {
    let (n, mut numbers) = (n(), Numbers(0xbeef));
    let odd = Odd::new(*n).unwrap();
    let scalar = |number: &U256| Scalar::from_octets(&octets(number)).unwrap();
    for place in 0..cases(1_000_000) {
        let (a, b) = (numbers.below(&n), numbers.below(&n));
        let (x, y) = (scalar(&a), scalar(&b));
        assert_eq!(x.plus(&y).to_octets(), octets(&a.add_mod(&b, &n)), "{a} + {b}");
        assert_eq!(x.minus(&y).to_octets(), octets(&a.sub_mod(&b, &n)), "{a} − {b}");
        assert_eq!(x.times(&y).to_octets(), octets(&a.mul_mod_vartime(&b, &n)), "{a}·{b}");
        assert_eq!(x.is_zero(), a == U256::ZERO);
        let inverse = x.inverse();
        assert!(x.is_zero() || x.times(&inverse) == Scalar::ONE, "1/{a}");
        if place % 100 == 0 && !x.is_zero() {
            assert_eq!(inverse.to_octets(), octets(&a.invert_odd_mod_vartime(&odd).unwrap()), "1/{a}");
        }
        let any = U256::from_words([0; 4].map(|_: u64| numbers.limb()));
        assert_eq!(Scalar::reduced(&octets(&any)).to_octets(), octets(&any.rem_vartime(&n)), "{any} mod n");
        assert_eq!(Scalar::from_octets(&octets(&any)).is_some(), any < *n);
        assert_eq!(Field::from_octets(&octets(&any)).is_some(), any < *p());
    }
}

/// The same number for both.
fn pair(number: &U256) -> (Scalar, foreign::Scalar) {
    (Scalar::from_octets(&octets(number)).unwrap(), foreign::Scalar::from_octets(&octets(number)).unwrap())
}

fn coordinates(point: Option<&Point>) -> Option<[[u8; 32]; 2]> {
    point.map(|point| [point.x(), point.y()])
}

fn foreign_coordinates(point: Option<&foreign::Point>) -> Option<[[u8; 32]; 2]> {
    point.map(|point| [point.x(), point.y()])
}

#[test]
fn multiples_of_points() {
    let (n, mut numbers) = (n(), Numbers(0xf00d));
    let mut base = Point::generator_times(&Scalar::ONE).unwrap();
    for _ in 0..cases(10_000) {
        let k = numbers.below(&n);
        let (own, other) = pair(&k);
        let (of_g, of_p) = (Point::generator_times(&own), base.times(&own));
        let foreign_base = foreign::Point::from_coordinates(&base.x(), &base.y()).unwrap();
        assert_eq!(
            coordinates(of_g.as_deref()),
            foreign_coordinates(foreign::Point::generator_times(&other).as_deref()),
            "[{k}]G"
        );
        assert_eq!(
            coordinates(of_p.as_deref()),
            foreign_coordinates(foreign_base.times(&other).as_deref()),
            "[{k}]P"
        );
        let both = base.both_times(&own);
        assert_eq!(both.is_some(), of_g.is_some());
        if let (Some((first, second)), Some(of_g), Some(of_p)) = (both, of_g, of_p) {
            assert!(*first == *of_g && *second == *of_p, "[{k}]G and [{k}]P");
            let sum = base.plus_times_vartime(&own, &of_g);
            let foreign_g = foreign::Point::from_coordinates(&of_g.x(), &of_g.y()).unwrap();
            assert_eq!(
                coordinates(sum.as_ref()),
                foreign_coordinates(foreign_base.plus_times_vartime(&other, &foreign_g).as_ref()),
                "P + [{k}][{k}]G"
            );
            let y_is_odd = of_p.y().last().is_some_and(|last| last & 1 == 1);
            assert!(Point::from_x(&of_p.x(), y_is_odd) == Some(*of_p));
            base = of_p;
        }
    }
}

#[test]
fn sums_of_two_multiples() {
    let (n, mut numbers) = (n(), Numbers(0xd00d));
    let mut claims = Vec::new();
    let mut answers = Vec::new();
    let mut base = Point::generator_times(&Scalar::ONE).unwrap();
    for place in 0..cases(10_000) {
        let (s, t) = (numbers.below(&n), numbers.below(&n));
        let ((s, foreign_s), (t, foreign_t)) = (pair(&s), pair(&t));
        let foreign_base = foreign::Point::from_coordinates(&base.x(), &base.y()).unwrap();
        let of_g = foreign::Point::generator_times(&foreign_s);
        let sum = match of_g {
            Some(of_g) => of_g.plus_times_vartime(&foreign_t, &foreign_base),
            None => foreign_base.times(&foreign_t).map(|point| *point),
        };
        let x = sum.as_ref().map_or([1; 32], foreign::Point::x);
        let mut x = Scalar::reduced(&x);
        let right = place % 3 != 0;
        if !right {
            x = x.plus(&Scalar::ONE);
        }
        let answer = right && sum.is_some();
        assert_eq!(Point::sum_has_x(&s, &t, &base, &x), answer);
        claims.push(Claim { s, t, point: *base, x });
        answers.push(answer);
        // Sometimes G itself, so that both multiples are of one point.
        base = if place % 50 == 0 {
            Point::generator_times(&Scalar::ONE).unwrap()
        } else {
            base.times(&t).unwrap_or(base)
        };
    }
    assert!(Point::sums_have_x(&claims) == answers);
}

/// What this CPU passes over is tested too.
#[test]
fn the_twins_of_the_backend_find_the_same() {
    let (n, mut numbers) = (n(), Numbers(0xfeed));
    for _ in 0..cases(10_000) {
        let (k, _) = pair(&numbers.below(&n));
        let digits = digits::signed::<6, { tables::COMB.len() }>(k.limbs());
        let portable = multiply::comb(&digits).to_affine();
        assert!(portable == multiply::generator_times(&k).to_affine());
        for (digit, row) in digits.iter().zip(&tables::COMB) {
            let entries = || row.iter().map(tables::halves);
            let [x, y] = multiply::look_up_portable(entries(), digit.size());
            let expected =
                usize::try_from(digit.size()).unwrap().checked_sub(1).and_then(|place| row.get(place));
            assert_eq!([x, y], expected.map_or([[0; 4]; 2], |entry| tables::halves(entry).map(|half| *half)));
            #[cfg(target_arch = "x86_64")]
            if crate::backend::select_avx2::available() {
                assert_eq!(crate::backend::select_avx2::select(entries(), digit.size()), [x, y]);
            }
        }
    }
}
