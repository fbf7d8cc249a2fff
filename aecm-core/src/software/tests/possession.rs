use alloc::vec::Vec;

use super::*;
use crate::key::Decryptor;
use crate::oid;
use crate::signature::{SignatureAlgorithm, Sm2Id};
use crate::tlv::{Tag, write as der};

fn name() -> Vec<u8> {
    let pair = der::sequence(&[&der::oid(&oid::COMMON_NAME), &der::utf8("alice@example.test")]);
    der::sequence(&[&der::set_of(alloc::vec![pair])])
}

fn attributes() -> Vec<u8> {
    let values = der::set_of(alloc::vec![der::sequence(&[])]);
    der::explicit(0, &der::sequence(&[&der::oid(&oid::EXTENSION_REQUEST), &values]))
}

fn info(parts: &[&[u8]]) -> Vec<u8> {
    der::sequence(parts)
}

#[tokio::test]
async fn the_request_of_the_own_key_is_signed() {
    for key in keys() {
        let key = key.into_decryptor(rng());
        let spki = key.public_key().spki_der();
        for attributes in [attributes(), der::explicit(0, &[])] {
            for name in [name(), der::sequence(&[])] {
                let request = info(&[&der::small(0), &name, spki, &attributes]);
                let signature = key.prove_possession(&request).await.unwrap();
                let verified =
                    key.public_key().verify(key.proof_algorithm(), Sm2Id::Default, &request, &signature);
                assert_eq!(verified, Ok(()));
            }
        }
    }
}

/// A real request: its first field is what was signed.
#[tokio::test]
async fn the_request_that_openssl_made_is_signed() {
    let request = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/keys/sm2-enc.csr"));
    let body: alloc::string::String = request.lines().filter(|line| !line.starts_with('-')).collect();
    let request = <base64ct::Base64 as base64ct::Encoding>::decode_vec(&body).unwrap();
    let limits = crate::limits::Limits::default();
    let mut outer = crate::tlv::Reader::new(&request, crate::tlv::Rules::Der, &limits);
    let mut fields = outer.sequence().unwrap();
    let info = fields.any().unwrap().bytes();
    fields.algorithm().unwrap();
    let signature = fields.bit_string().unwrap();

    let enc = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/keys/sm2-enc.key"));
    let own = key(enc).into_decryptor(rng());
    let verify = |signature: &[u8]| {
        own.public_key().verify(SignatureAlgorithm::Sm2Sm3, Sm2Id::Default, info, signature)
    };
    assert_eq!(verify(signature), Ok(()));
    assert_eq!(verify(&own.prove_possession(info).await.unwrap()), Ok(()));
    let stranger = key(pem!("sm2.key")).into_decryptor(rng());
    assert!(matches!(stranger.prove_possession(info).await, Err(KeyError::Refused(_))));
}

/// DESIGN, rule 2: nothing else is signed.
#[tokio::test]
async fn anything_else_is_refused() {
    let own = key(pem!("sm2.key")).into_decryptor(rng());
    let other = key(pem!("p256.key"));
    let spki = own.public_key().spki_der();
    let (zero, name, attributes) = (der::small(0), name(), attributes());
    let good = info(&[&zero, &name, spki, &attributes]);
    assert!(own.prove_possession(&good).await.is_ok());

    let pair = der::sequence(&[&der::oid(&oid::COMMON_NAME), &der::utf8("a")]);
    let empty_relative = der::sequence(&[&der::set_of(Vec::new())]);
    let long_pair = der::sequence(&[&der::oid(&oid::COMMON_NAME), &der::utf8("a"), &der::null()]);
    let long_name = der::sequence(&[&der::set_of(alloc::vec![long_pair])]);
    let flat_name = der::sequence(&[&pair]);
    let no_values =
        der::explicit(0, &der::sequence(&[&der::oid(&oid::EXTENSION_REQUEST), &der::set_of(Vec::new())]));
    let bare = der::explicit(0, &der::oid(&oid::EXTENSION_REQUEST));
    let mut long_form = alloc::vec![0x30, 0x82, 0];
    long_form.extend_from_slice(&good[1..]);
    let mut as_set = good.clone();
    as_set[0] = 0x31;
    let other_point = {
        let mut changed = spki.to_vec();
        *changed.last_mut().unwrap() ^= 1;
        changed
    };
    let wrong: [Vec<u8>; 22] = [
        Vec::new(),
        MESSAGE.to_vec(),
        spki.to_vec(),
        info(&[&der::small(1), &name, spki, &attributes]),
        info(&[&name, spki, &attributes]),
        info(&[&zero, spki, &attributes]),
        info(&[&zero, &name, spki]),
        info(&[&zero, &name, spki, &attributes, &der::null()]),
        info(&[&zero, &name, spki, &der::explicit(1, &[])]),
        info(&[&zero, &name, spki, &der::tlv(Tag::context_primitive(0), &[])]),
        info(&[&zero, &name, other.public_key().spki_der(), &attributes]),
        info(&[&zero, &name, &other_point, &attributes]),
        info(&[&zero, &empty_relative, spki, &attributes]),
        info(&[&zero, &long_name, spki, &attributes]),
        info(&[&zero, &flat_name, spki, &attributes]),
        info(&[&zero, &name, spki, &no_values]),
        info(&[&zero, &name, spki, &bare]),
        [good.as_slice(), &[0]].concat(),
        good[..good.len() - 1].to_vec(),
        long_form,
        as_set,
        // A TBSCertificate of version 1 begins alike: serial 0, an AlgorithmIdentifier, a Name.
        info(&[&zero, &SignatureAlgorithm::Sm2Sm3.identifier_der(), &name, &der::sequence(&[]), &name, spki]),
    ];
    for octets in wrong {
        let signed = own.prove_possession(&octets).await;
        assert!(matches!(signed, Err(KeyError::Refused(_))), "{octets:02x?}: {signed:?}");
    }
    // Only the mention of another key gets the other answer.
    let stranger = info(&[&zero, &name, other.public_key().spki_der(), &attributes]);
    let refused = own.prove_possession(&stranger).await.unwrap_err();
    assert_eq!(refused, KeyError::Refused("to sign a certification request of another key"));
}
