//! Private keys to PKCS#8 and their public halves to SubjectPublicKeyInfo.

use alloc::vec::Vec;

use rsa::pkcs8::EncodePrivateKey;
use rsa::traits::PublicKeyParts;
use zeroize::Zeroizing;

use crate::oid::{self, ObjectIdentifier};
use crate::public_key::PublicKey;
use crate::tlv::write;

use super::Secret;

/// SubjectPublicKeyInfo with the octets that RFC 3279, RFC 5480 and GB/T 35276 ask for.
pub(super) fn spki(secret: &Secret) -> Vec<u8> {
    let curve = |curve: &ObjectIdentifier, point: &[u8]| {
        write::sequence(&[
            &write::algorithm(&oid::EC_PUBLIC_KEY, Some(&write::oid(curve))),
            &write::bit_string(point),
        ])
    };
    match secret {
        Secret::Rsa(key) => write::sequence(&[
            &write::algorithm(&oid::RSA_ENCRYPTION, Some(&write::null())),
            &write::bit_string(&write::sequence(&[
                &write::integer_bytes(&key.n().to_be_bytes()),
                &write::integer_bytes(&key.e().to_be_bytes()),
            ])),
        ]),
        Secret::P256(key) => curve(&oid::PRIME256V1, key.verifying_key().to_sec1_point(false).as_bytes()),
        Secret::P384(key) => curve(&oid::SECP384R1, key.verifying_key().to_sec1_point(false).as_bytes()),
        Secret::Sm2(key) => curve(&oid::SM2_CURVE, &key.public_key().to_sec1_bytes()),
    }
}

/// RSAPublicKey of RFC 8017 §A.1.1, for RSA keys.
pub(super) fn rsa_public_key(key: &PublicKey) -> Option<Vec<u8>> {
    let (n, e) = key.rsa_parts()?;
    Some(write::sequence(&[&write::integer_bytes(&n), &write::integer_bytes(&e)]))
}

/// PKCS#8 v1. EC keys hold an ECPrivateKey with the public key and without a second naming of the curve, as
/// OpenSSL writes them.
pub(super) fn pkcs8(secret: &Secret, public_key: &PublicKey) -> Zeroizing<Vec<u8>> {
    let point = public_key.sec1_point().unwrap_or_default();
    match secret {
        // The numbers of a key with two primes encode; `SoftwareKey::new` refuses what does not.
        Secret::Rsa(key) => key
            .to_pkcs8_der()
            .map(|document| Zeroizing::new(document.as_bytes().to_vec()))
            .unwrap_or_default(),
        Secret::P256(key) => ec_pkcs8(&oid::PRIME256V1, &Zeroizing::new(key.to_bytes().into()), &point),
        Secret::P384(key) => ec_pkcs8::<48>(&oid::SECP384R1, &Zeroizing::new(key.to_bytes().into()), &point),
        Secret::Sm2(key) => ec_pkcs8(&oid::SM2_CURVE, &key.to_bytes(), &point),
    }
}

fn ec_pkcs8<const N: usize>(
    curve: &ObjectIdentifier,
    number: &Zeroizing<[u8; N]>,
    point: &[u8],
) -> Zeroizing<Vec<u8>> {
    let number = secret_tlv(0x04, &[number.as_slice()]);
    let stated = write::explicit(1, &write::bit_string(point));
    let key = secret_tlv(0x30, &[&write::small(1), &number, &stated]);
    let algorithm = write::algorithm(&oid::EC_PUBLIC_KEY, Some(&write::oid(curve)));
    secret_tlv(0x30, &[&write::small(0), &algorithm, &secret_tlv(0x04, &[&key])])
}

/// A value of fewer than 256 octets, in one allocation that is wiped.
fn secret_tlv(tag: u8, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut octets = Zeroizing::new(Vec::with_capacity(length.saturating_add(3)));
    octets.push(tag);
    let short = u8::try_from(length).unwrap_or(u8::MAX);
    if short >= 0x80 {
        octets.push(0x81);
    }
    octets.push(short);
    parts.iter().for_each(|part| octets.extend_from_slice(part));
    octets
}
