//! Keys that are known to be weak (S/MIME BR §6.1.1.3, §6.1.6): no CA certifies them.

use aecm_core::public_key::PublicKey;

/// The smallest RSA exponent certified (§6.1.6).
const MIN_EXPONENT: u64 = 65_537;
/// An RSA modulus has no factor below this (§6.1.6, NIST SP 800-89 §5.3.3).
const MAX_SMALL_FACTOR: u32 = 752;
/// The primes that the fingerprint of CVE-2017-15361 looks at: up to this one.
const MAX_ROCA: u32 = 167;

/// What is wrong with the key, if anything is known to be.
pub(super) fn weakness(key: &PublicKey) -> Option<&'static str> {
    let (modulus, exponent) = key.rsa_parts()?;
    rsa_weakness(&modulus, &exponent)
}

fn rsa_weakness(modulus: &[u8], exponent: &[u8]) -> Option<&'static str> {
    let exponent =
        exponent.iter().try_fold(0_u64, |sum, octet| Some(sum.checked_mul(256)? | u64::from(*octet)));
    if exponent.is_some_and(|exponent| exponent < MIN_EXPONENT || exponent % 2 == 0) {
        return Some("its exponent is below 65537");
    }
    let mut infineon = true;
    for prime in primes() {
        let residue = modulus.iter().fold(0_u32, |residue, octet| {
            ((residue << 8) | u32::from(*octet)).checked_rem(prime).unwrap_or(0)
        });
        if residue == 0 {
            return Some("its modulus has a small factor");
        }
        if prime > 2 && prime <= MAX_ROCA {
            infineon &= is_power(residue, prime);
        }
    }
    infineon.then_some("its primes are of the form of CVE-2017-15361 (ROCA) and can be found")
}

/// Whether `residue` is a power of 65537 modulo `prime`. A modulus of that form is one for every prime; of others
/// one in 2^27 is.
fn is_power(residue: u32, prime: u32) -> bool {
    let modulo = |value: u32| value.checked_rem(prime).unwrap_or(0);
    let mut power = 1;
    for _ in 0..prime {
        if power == residue {
            return true;
        }
        power = modulo(power * modulo(65_537));
    }
    false
}

fn primes() -> impl Iterator<Item = u32> {
    (2..MAX_SMALL_FACTOR)
        .filter(|number| (2..*number).take_while(|of| of * of <= *number).all(|of| number % of != 0))
}

#[cfg(test)]
mod tests {
    use aecm_core::embed::OsRng;
    use aecm_core::software::{KeySpec, SoftwareKey};

    use super::*;

    #[test]
    fn the_primes_are_those_below_752() {
        assert_eq!(primes().take(5).collect::<Vec<_>>(), [2, 3, 5, 7, 11]);
        assert_eq!((primes().count(), primes().last()), (133, Some(751)));
    }

    #[test]
    fn good_keys_have_no_weakness() {
        for spec in [KeySpec::Rsa(2_048), KeySpec::P256, KeySpec::Sm2] {
            let key = SoftwareKey::generate(spec, &OsRng).unwrap();
            assert_eq!(weakness(key.public_key()), None);
        }
        let (modulus, _) =
            SoftwareKey::generate(KeySpec::Rsa(2_048), &OsRng).unwrap().public_key().rsa_parts().unwrap();
        assert_eq!(rsa_weakness(&modulus, &[1, 0, 1]), None);
        assert_eq!(rsa_weakness(&modulus, &[1, 0, 0, 0, 0, 0, 0, 0, 1]), None, "more than 64 bits");
        for exponent in [&[3][..], &[1, 0, 0], &[0xff, 0xff], &[1, 0, 2]] {
            assert!(rsa_weakness(&modulus, exponent).is_some(), "{exponent:?}");
        }
    }
}
