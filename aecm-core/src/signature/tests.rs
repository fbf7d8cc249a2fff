use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::*;
use DigestAlgorithm::{Sha1, Sha256, Sha384, Sha512, Sm3};
use SignatureAlgorithm::{Ecdsa, RsaPkcs1, RsaPss, RsaPssSalt, Sm2Sm3};

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/openssl-keys/", $name))
    };
}

fn rsa() -> PublicKey {
    PublicKey::from_spki_der(fixture!("rsa.pub")).unwrap()
}

fn p256() -> PublicKey {
    PublicKey::from_spki_der(fixture!("p256.pub")).unwrap()
}

fn sm2() -> PublicKey {
    PublicKey::from_spki_der(fixture!("sm2.pub")).unwrap()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| alloc::format!("{octet:02x}")).collect()
}

fn read(
    der: &[u8],
    key: &PublicKey,
    hint: Option<DigestAlgorithm>,
) -> Result<SignatureAlgorithm, AlgorithmError> {
    let limits = Limits::default();
    let mut reader = Reader::new(der, Rules::Der, &limits);
    let identifier = reader.algorithm().unwrap();
    reader.finish().unwrap();
    SignatureAlgorithm::from_identifier(&identifier, key, hint)
}

fn identifier(oid: ObjectIdentifier, parameters: Option<&[u8]>) -> Vec<u8> {
    write::algorithm(&oid, parameters)
}

/// The octets of the CA/B Forum S/MIME BR §7.1.3.2 and of STANDARDS §3.2.
#[test]
fn identifiers_are_the_published_octets() {
    assert_eq!(hex(&RsaPkcs1(Sha256).identifier_der()), "300d06092a864886f70d01010b0500");
    assert_eq!(hex(&Ecdsa(Sha256).identifier_der()), "300a06082a8648ce3d040302");
    assert_eq!(hex(&Ecdsa(Sha384).identifier_der()), "300a06082a8648ce3d040303");
    assert_eq!(hex(&Sm2Sm3.identifier_der()), "300a06082a811ccf55018375");
    assert_eq!(
        hex(&RsaPss(Sha256).identifier_der()),
        "304106092a864886f70d01010a3034a00f300d0609608648016503040201\
         0500a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120"
    );
}

#[test]
fn what_we_write_leads_back() {
    let written = [
        (rsa(), vec![RsaPkcs1(Sha1), RsaPkcs1(Sha256), RsaPkcs1(Sha384), RsaPkcs1(Sha512)]),
        (rsa(), vec![RsaPss(Sha1), RsaPss(Sha256), RsaPss(Sha384), RsaPss(Sha512)]),
        (p256(), vec![Ecdsa(Sha256), Ecdsa(Sha384), Ecdsa(Sha512)]),
        (sm2(), vec![Sm2Sm3]),
    ];
    for (key, algorithms) in written {
        for algorithm in algorithms {
            let der = algorithm.identifier_der();
            assert_eq!(read(&der, &key, None), Ok(algorithm));
            assert_eq!(read(&der, &key, Some(algorithm.digest())), Ok(algorithm));
        }
    }
}

/// STANDARDS §4.8, §3.2: other forms that real messages have.
#[test]
fn tolerated_forms() {
    let null = write::null();
    let curve = write::oid(&oid::PRIME256V1);
    assert_eq!(
        read(&identifier(oid::RSA_ENCRYPTION, Some(&null)), &rsa(), Some(Sha256)),
        Ok(RsaPkcs1(Sha256))
    );
    assert_eq!(read(&identifier(oid::RSA_ENCRYPTION, None), &rsa(), Some(Sha1)), Ok(RsaPkcs1(Sha1)));
    assert_eq!(read(&identifier(oid::SHA256_WITH_RSA, None), &rsa(), None), Ok(RsaPkcs1(Sha256)));
    assert_eq!(read(&identifier(oid::EC_PUBLIC_KEY, None), &p256(), Some(Sha384)), Ok(Ecdsa(Sha384)));
    assert_eq!(read(&identifier(oid::EC_PUBLIC_KEY, Some(&curve)), &p256(), Some(Sha256)), Ok(Ecdsa(Sha256)));
    assert_eq!(read(&identifier(oid::EC_PUBLIC_KEY, None), &sm2(), Some(Sm3)), Ok(Sm2Sm3));
    for alias in [oid::SM2_WITH_SM3, oid::SM2_SIGN, oid::SM2_CURVE] {
        for parameters in [None, Some(null.as_slice())] {
            assert_eq!(read(&identifier(alias, parameters), &sm2(), Some(Sm3)), Ok(Sm2Sm3));
        }
    }
}

/// THREATS S8: a digest that is not the algorithm's, or none where one is needed.
#[test]
fn wrong_and_missing_digests_are_refused() {
    let mismatch = |algorithm, stated| Err(AlgorithmError::DigestMismatch { algorithm, stated });
    assert_eq!(
        read(&RsaPkcs1(Sha256).identifier_der(), &rsa(), Some(Sha512)),
        mismatch(RsaPkcs1(Sha256), Sha512)
    );
    assert_eq!(
        read(&RsaPkcs1(Sha256).identifier_der(), &rsa(), Some(Sha1)),
        mismatch(RsaPkcs1(Sha256), Sha1)
    );
    assert_eq!(
        read(&RsaPss(Sha256).identifier_der(), &rsa(), Some(Sha384)),
        mismatch(RsaPss(Sha256), Sha384)
    );
    assert_eq!(read(&Ecdsa(Sha256).identifier_der(), &p256(), Some(Sm3)), mismatch(Ecdsa(Sha256), Sm3));
    assert_eq!(read(&Sm2Sm3.identifier_der(), &sm2(), Some(Sha256)), mismatch(Sm2Sm3, Sha256));
    assert_eq!(read(&identifier(oid::EC_PUBLIC_KEY, None), &sm2(), Some(Sha256)), mismatch(Sm2Sm3, Sha256));
    for (oid, key) in
        [(oid::RSA_ENCRYPTION, rsa()), (oid::EC_PUBLIC_KEY, p256()), (oid::EC_PUBLIC_KEY, sm2())]
    {
        assert_eq!(read(&identifier(oid, None), &key, None), Err(AlgorithmError::DigestMissing { oid }));
    }
}

/// THREATS S8: every identifier with a key of another kind.
#[test]
fn keys_of_another_kind_are_refused() {
    let wrong = [
        (RsaPkcs1(Sha256), [p256(), sm2()]),
        (RsaPss(Sha256), [p256(), sm2()]),
        (Ecdsa(Sha256), [rsa(), sm2()]),
        (Sm2Sm3, [rsa(), p256()]),
    ];
    for (algorithm, keys) in wrong {
        for key in keys {
            let refused = Err(AlgorithmError::KeyMismatch { algorithm, key: key.kind() });
            assert_eq!(read(&algorithm.identifier_der(), &key, None), refused);
        }
    }
    // No ECDSA with SM3, no RSA with SM3, by way of a hint.
    for (oid, key, hint) in [(oid::EC_PUBLIC_KEY, p256(), Sm3), (oid::RSA_ENCRYPTION, rsa(), Sm3)] {
        let refused = read(&identifier(oid, None), &key, Some(hint));
        assert!(matches!(refused, Err(AlgorithmError::KeyMismatch { .. })), "{refused:?}");
    }
}

#[test]
fn parameters_of_another_algorithm_are_refused() {
    let curve = write::oid(&oid::SECP384R1);
    let empty = write::sequence(&[]);
    let null = write::null();
    let wrong: [(ObjectIdentifier, Option<&[u8]>, PublicKey); 8] = [
        (oid::RSA_ENCRYPTION, Some(&empty), rsa()),
        (oid::SHA256_WITH_RSA, Some(&empty), rsa()),
        (oid::ECDSA_WITH_SHA256, Some(&null), p256()),
        (oid::ECDSA_WITH_SHA256, Some(&curve), p256()),
        (oid::EC_PUBLIC_KEY, Some(&curve), p256()),
        (oid::SM2_WITH_SM3, Some(&empty), sm2()),
        (oid::SM2_SIGN, Some(&curve), sm2()),
        (oid::RSASSA_PSS, None, rsa()),
    ];
    for (oid, parameters, key) in wrong {
        let hint = match key.kind() {
            KeyKind::Sm2 => Sm3,
            _ => Sha256,
        };
        let refused = read(&identifier(oid, parameters), &key, Some(hint));
        assert!(
            matches!(refused, Err(AlgorithmError::Parameters { oid: named, .. }) if named == oid),
            "{refused:?}"
        );
    }
}

#[test]
fn unknown_identifiers_are_refused() {
    for oid in [oid::ED25519, oid::MD5_WITH_RSA, oid::SM2_ENCRYPT, oid::SHA256] {
        for key in [rsa(), p256(), sm2()] {
            assert_eq!(
                read(&identifier(oid, None), &key, Some(Sha256)),
                Err(AlgorithmError::Unknown { oid })
            );
        }
    }
}

/// RFC 4056 §3: hash = MGF hash = digest, trailer 1.
#[test]
fn pss_parameters_must_agree() {
    let null = write::null();
    let hash = |digest: DigestAlgorithm| write::algorithm(&digest.oid(), Some(&null));
    let mask = |digest| write::explicit(1, &write::algorithm(&oid::MGF1, Some(&hash(digest))));
    let sha256 = write::explicit(0, &hash(Sha256));
    let salt = |size| write::explicit(2, &write::small(size));
    let trailer = |value| write::explicit(3, &write::small(value));
    let check =
        |fields: &[&[u8]]| read(&identifier(oid::RSASSA_PSS, Some(&write::sequence(fields))), &rsa(), None);

    assert_eq!(check(&[&sha256, &mask(Sha256), &salt(32)]), Ok(RsaPss(Sha256)));
    assert_eq!(check(&[&sha256, &mask(Sha256), &salt(32), &trailer(1)]), Ok(RsaPss(Sha256)));
    assert_eq!(check(&[]), Ok(RsaPss(Sha1)));
    let absent = write::explicit(0, &Sha256.identifier_der());
    assert_eq!(check(&[&absent, &mask(Sha256), &salt(32)]), Ok(RsaPss(Sha256)));

    // RFC 4055 §3.1 recommends a salt of the hash's size, and its own default is another.
    for size in [0, 33, 222] {
        let fields: [&[u8]; 3] = [&sha256, &mask(Sha256), &salt(size)];
        assert_eq!(check(&fields), Ok(RsaPssSalt(Sha256, u16::try_from(size).unwrap())));
    }
    assert_eq!(check(&[&sha256, &mask(Sha256)]), Ok(RsaPssSalt(Sha256, 20)));
    for algorithm in [RsaPssSalt(Sha256, 20), RsaPssSalt(Sha512, 190), RsaPssSalt(Sha1, 8)] {
        assert_eq!(read(&algorithm.identifier_der(), &rsa(), None), Ok(algorithm));
    }

    let other_mask = write::explicit(1, &write::algorithm(&oid::SHA256, None));
    let bare_mask = write::explicit(1, &write::algorithm(&oid::MGF1, None));
    let sm3 = write::explicit(0, &hash(Sm3));
    let md5 = write::explicit(0, &write::algorithm(&oid::MD5, Some(&null)));
    let wrong: [&[&[u8]]; 8] = [
        &[&sha256, &mask(Sha1), &salt(32)],
        &[&sha256, &mask(Sha512), &salt(32)],
        &[&sha256, &salt(32)],
        &[&sha256, &mask(Sha256), &salt(0x1_0000)],
        &[&sha256, &mask(Sha256), &salt(32), &trailer(2)],
        &[&sha256, &other_mask, &salt(32)],
        &[&sha256, &bare_mask, &salt(32)],
        &[&md5, &mask(Sha256), &salt(32)],
    ];
    for fields in wrong {
        let refused = check(fields);
        let expected = matches!(
            refused,
            Err(AlgorithmError::Parameters { .. } | AlgorithmError::UnsupportedParameters { .. })
        );
        assert!(expected, "{refused:?}");
    }
    // What somebody may well write is told from what nobody may.
    let other = check(&[&sha256, &mask(Sha512), &salt(32)]);
    assert!(matches!(other, Err(AlgorithmError::UnsupportedParameters { .. })), "{other:?}");
    let trailing = check(&[&sha256, &mask(Sha256), &salt(32), &trailer(2)]);
    assert!(matches!(trailing, Err(AlgorithmError::Parameters { .. })), "{trailing:?}");
    let of_sm3 = check(&[&sm3, &mask(Sm3), &salt(32)]);
    assert!(matches!(of_sm3, Err(AlgorithmError::KeyMismatch { .. })), "{of_sm3:?}");
    // Fields out of order, a field twice, something behind.
    for fields in [
        &[mask(Sha256), sha256.clone(), salt(32)],
        &[sha256.clone(), sha256.clone(), mask(Sha256)],
        &[sha256.clone(), mask(Sha256), write::null()],
    ] {
        let fields: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
        assert!(matches!(check(&fields), Err(AlgorithmError::Malformed(_))));
    }
}

/// The whole table, so that a new line is a decision: 2 × 4 for RSA, 2 × 4 for the curves, 1 for SM2.
#[test]
fn the_table_has_these_lines_and_no_other() {
    let kinds = [KeyKind::Rsa { bits: 2048 }, KeyKind::P256, KeyKind::P384, KeyKind::Sm2];
    let mut algorithms = vec![Sm2Sm3];
    for digest in DigestAlgorithm::ALL {
        algorithms.extend([RsaPkcs1(digest), RsaPss(digest), Ecdsa(digest)]);
    }
    let lines = algorithms.iter().flat_map(|algorithm| kinds.map(|kind| algorithm.fits(kind)));
    assert_eq!(lines.filter(|fits| *fits).count(), 2 * 4 + 2 * 4 + 1);
}

#[test]
fn errors_say_what_to_look_at() {
    let error = read(&Sm2Sm3.identifier_der(), &sm2(), Some(Sha256)).unwrap_err();
    assert_eq!(
        alloc::format!("{error}"),
        "signature algorithm SM2 with SM3, but the digest beside it is SHA-256"
    );
    let error = read(&Sm2Sm3.identifier_der(), &rsa(), None).unwrap_err();
    assert!(alloc::format!("{error}").contains("RSA 2048"));
}
