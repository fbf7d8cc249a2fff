use super::*;
use crate::key::Signer;
use crate::signature::{SignatureAlgorithm, Sm2Id};
use DigestAlgorithm::{Sha1, Sha256, Sha384, Sha512, Sm3};
use SignatureAlgorithm::{Ecdsa, RsaPkcs1, RsaPss, Sm2Sm3};

fn algorithms() -> impl Iterator<Item = SignatureAlgorithm> {
    DigestAlgorithm::ALL
        .into_iter()
        .flat_map(|digest| [RsaPkcs1(digest), RsaPss(digest), Ecdsa(digest)])
        .chain([Sm2Sm3])
}

/// Every key with every algorithm: it signs what it verifies, without SHA-1, and nothing else.
#[tokio::test]
async fn a_key_signs_what_fits_it() {
    let mut made = 0;
    for key in keys() {
        let signer = key.into_signer(rng());
        for algorithm in algorithms() {
            let signed = signer.sign(algorithm, MESSAGE).await;
            let key = signer.public_key();
            if !algorithm.fits(key.kind()) {
                assert_eq!(signed, Err(KeyError::Unsupported(algorithm.name())));
            } else if algorithm.digest() == Sha1 {
                assert!(matches!(signed, Err(KeyError::Refused(_))), "THREATS S9: {signed:?}");
            } else {
                let signature = signed.unwrap();
                assert_eq!(key.verify(algorithm, Sm2Id::Default, MESSAGE, &signature), Ok(()), "{algorithm}");
                assert!(key.verify(algorithm, Sm2Id::Default, b"another", &signature).is_err());
                made += 1;
            }
        }
    }
    assert_eq!(made, 6 + 3 + 3 + 1);
}

#[tokio::test]
async fn preferred_algorithms() {
    let preferred = keys().map(|key| key.into_signer(rng()).algorithm());
    assert_eq!(preferred, [RsaPkcs1(Sha256), Ecdsa(Sha256), Ecdsa(Sha384), Sm2Sm3]);
    assert_ne!(preferred[3].digest(), Sha512);
    assert_eq!(preferred[3].digest(), Sm3);
}

/// PKCS#1 v1.5 is deterministic: ours are the octets of OpenSSL, and blinding does not show.
#[tokio::test]
async fn rsa_signatures_are_those_of_openssl() {
    let signer = key(pem!("rsa.key")).into_signer(rng());
    let expected = [
        (Sha256, fixture!("rsa-sha256.sig")),
        (Sha384, fixture!("rsa-sha384.sig")),
        (Sha512, fixture!("rsa-sha512.sig")),
    ];
    for (digest, signature) in expected {
        assert_eq!(signer.sign(RsaPkcs1(digest), MESSAGE).await.unwrap(), signature);
        assert_eq!(signer.sign(RsaPkcs1(digest), MESSAGE).await.unwrap(), signature);
    }
}

/// Nonces are hedged: two signatures over one message differ, and with a stuck source two messages do not share
/// a nonce (the r of ECDSA, the r − e of SM2 would be equal).
#[tokio::test]
async fn nonces_differ() {
    for (text, algorithm) in
        [(pem!("p256.key"), Ecdsa(Sha256)), (pem!("p384.key"), Ecdsa(Sha384)), (pem!("sm2.key"), Sm2Sm3)]
    {
        let signer = key(text).into_signer(rng());
        let first = signer.sign(algorithm, MESSAGE).await.unwrap();
        assert_ne!(first, signer.sign(algorithm, MESSAGE).await.unwrap());
        let stuck = key(text).into_signer(Arc::new(Stuck(0)));
        let one = stuck.sign(algorithm, b"one").await.unwrap();
        let two = stuck.sign(algorithm, b"two").await.unwrap();
        if algorithm != Sm2Sm3 {
            assert_ne!(one[..20], two[..20]);
        }
        assert_eq!(one, stuck.sign(algorithm, b"one").await.unwrap());
        assert_eq!(stuck.public_key().verify(algorithm, Sm2Id::Default, b"two", &two), Ok(()));
    }
}

/// THREATS G10: without randomness nothing is signed, whatever the algorithm.
#[tokio::test]
async fn a_failing_source_signs_nothing() {
    for key in keys() {
        let signer = key.into_signer(Arc::new(Broken));
        for algorithm in algorithms() {
            if algorithm.fits(signer.public_key().kind()) && algorithm.digest() != Sha1 {
                assert_eq!(signer.sign(algorithm, MESSAGE).await, Err(KeyError::Rng), "{algorithm}");
            }
        }
    }
}

/// GB/T 35276: signing has no other identifier than the default one (THREATS G4).
#[tokio::test]
async fn sm2_signs_with_the_default_identifier() {
    let signer = key(pem!("sm2.key")).into_signer(rng());
    let signature = signer.sign(Sm2Sm3, MESSAGE).await.unwrap();
    let verify = |id| signer.public_key().verify(Sm2Sm3, id, MESSAGE, &signature);
    assert_eq!(verify(Sm2Id::Default), Ok(()));
    assert!(verify(Sm2Id::Other(b"")).is_err());
    assert!(verify(Sm2Id::RawDigestNoZ).is_err());
}

#[tokio::test]
async fn the_empty_message_and_a_large_one_are_signed() {
    let large = alloc::vec![0x5a; 1 << 20];
    for key in keys() {
        let signer = key.into_signer(rng());
        for message in [&[][..], &large] {
            let signature = signer.sign(signer.algorithm(), message).await.unwrap();
            let verified =
                signer.public_key().verify(signer.algorithm(), Sm2Id::Default, message, &signature);
            assert_eq!(verified, Ok(()));
        }
    }
}
