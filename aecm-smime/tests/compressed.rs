//! CompressedData: Bouncy Castle's, ours, and bombs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(unreachable_pub)]

#[allow(dead_code)] // what the other tests use of it
#[path = "support/people.rs"]
mod people;

use aecm_core::certificate::Certificate;
use aecm_core::limits::Limits;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::path::Anchors;
use aecm_core::tlv::write;
use aecm_smime::cipher::ContentCipher;
use aecm_smime::cms::CompressedData;
use aecm_smime::encrypt::{Encryptor, Transport};
use aecm_smime::mime::{CmsKind, pkcs7_mime};
use aecm_smime::open::{Layer, OpenError, OpenOptions, open};
use aecm_smime::verify::{Policy, Verdict};
use aecm_smime::{Error, inspect};
use miniz_oxide::deflate::compress_to_vec_zlib;
use people::{now, recipient};

fn vector(name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name);
    std::fs::read(path).unwrap()
}

fn message(version: u64, algorithm: ObjectIdentifier, compressed: &[u8]) -> Vec<u8> {
    let content =
        write::sequence(&[&write::oid(&oid::DATA), &write::explicit(0, &write::octet_string(compressed))]);
    let data = write::sequence(&[&write::small(version), &write::algorithm(&algorithm, None), &content]);
    write::sequence(&[&write::oid(&oid::COMPRESSED_DATA), &write::explicit(0, &data)])
}

fn zlib(content: &[u8]) -> Vec<u8> {
    message(0, oid::ZLIB_COMPRESS, &compress_to_vec_zlib(content, 6))
}

fn decompress(message: &[u8], limits: &Limits) -> Result<Vec<u8>, Error> {
    Ok(CompressedData::parse(message, limits)?.decompress(limits)?.to_vec())
}

#[test]
fn what_bouncy_castle_compressed() {
    let octets = vector("kinds/bc172-compressed.der");
    assert_eq!(decompress(&octets, &Limits::default()).unwrap(), vector("msg.txt"));
    for end in 0..octets.len() {
        assert!(decompress(&octets[..end], &Limits::default()).is_err(), "cut at {end}");
    }
    // Adler-32 finds a change of the content; nothing here is protected.
    let mut changed = 0;
    for bit in 0..octets.len() * 8 {
        let mut flipped = octets.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        changed += usize::from(
            decompress(&flipped, &Limits::default()).is_ok_and(|content| content != vector("msg.txt")),
        );
    }
    assert_eq!(changed, 0);
}

#[test]
fn content_of_every_size_comes_back() {
    for size in [0, 1, 511, 512, 513, 65_535, 65_536, 65_537, 300_000] {
        let content: Vec<u8> =
            (0..size).map(|at: u32| at.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
        assert_eq!(decompress(&zlib(&content), &Limits::default()).unwrap(), content, "{size}");
    }
}

/// A3: neither the ratio nor the size of what comes out goes beyond its limit, and exactly the limit is taken.
#[test]
fn a3_bombs_are_refused() {
    let content = vec![0; 10 << 20];
    let bomb = zlib(&content);
    let limit = Limits::default();
    let found = decompress(&bomb, &limit);
    let ratio = Error::Limit { what: "times the size of compressed content", limit: 200 };
    assert_eq!(found.unwrap_err(), ratio);
    let mut limits = Limits::default();
    limits.decompression_ratio = usize::MAX;
    assert_eq!(decompress(&bomb, &limits).unwrap().len(), content.len());
    limits.decompressed_bytes = content.len();
    assert_eq!(decompress(&bomb, &limits).unwrap().len(), content.len());
    limits.decompressed_bytes = content.len() - 1;
    let bytes = Error::Limit { what: "octets of decompressed content", limit: content.len() - 1 };
    assert_eq!(decompress(&bomb, &limits).unwrap_err(), bytes);
    // What is small may be of any ratio.
    assert!(decompress(&zlib(&vec![0; 64 << 10]), &Limits::default()).is_ok());
    assert!(decompress(&zlib(&vec![0; (64 << 10) + 1]), &Limits::default()).is_err());
}

#[test]
fn what_is_no_compressed_data() {
    let good = compress_to_vec_zlib(b"content", 6);
    let limits = Limits::default();
    let wrong = |message: &[u8]| decompress(message, &limits).unwrap_err();
    assert!(matches!(wrong(&message(1, oid::ZLIB_COMPRESS, &good)), Error::Structure { .. }));
    assert!(matches!(wrong(&message(0, oid::SHA256, &good)), Error::Unsupported { .. }));
    assert!(matches!(
        wrong(&message(0, oid::ZLIB_COMPRESS, &[&good[..], b"x"].concat())),
        Error::Structure { .. }
    ));
    for end in 0..good.len() {
        assert!(
            matches!(wrong(&message(0, oid::ZLIB_COMPRESS, &good[..end])), Error::Structure { .. }),
            "{end}"
        );
    }
    let signed = vector("signed/bc172-sm2.der");
    assert!(matches!(wrong(&signed), Error::ContentType { .. }));
}

fn mail(entity: &[u8]) -> Vec<u8> {
    [b"From: alice@example.test\r\nMIME-Version: 1.0\r\n".as_slice(), entity].concat()
}

#[tokio::test]
async fn compressed_layers_of_a_mail() {
    let root = String::from_utf8(vector("keys/rsa-ca.crt")).unwrap();
    let anchors = Anchors::new(vec![Certificate::from_pem(&root).unwrap()]);
    let policy = Policy::modern();
    let unasked = OpenOptions::new(&anchors, &policy).at(now());
    let options = unasked.clone().decompress(true);
    // Compressed around signed.
    let signed = pkcs7_mime(CmsKind::SignedData, &vector("signed/openssl30-rsa-pss.der")).unwrap();
    let entity = pkcs7_mime(CmsKind::CompressedData, &zlib(&signed)).unwrap();
    assert!(entity.windows(15).any(|window| window == b"compressed-data"));
    let opened = open(&mail(&entity), &options).await.unwrap();
    assert_eq!(opened.verdict, Verdict::Valid, "{:?}", opened.reasons);
    let [Layer::Compressed(layer), Layer::Signed(_)] = opened.layers.as_slice() else { panic!() };
    assert_eq!(layer.octets.1, signed.len());
    // E7: only where it is asked for.
    let opened = open(&mail(&entity), &unasked).await.unwrap();
    assert!(matches!(opened.layers.as_slice(), [Layer::Unsupported { kind: CmsKind::CompressedData }]));
    assert_eq!(
        (opened.verdict, opened.withheld, opened.content.is_none()),
        (Verdict::NotSigned, false, true)
    );
    // Compressed alone protects nothing and hides nothing.
    let plain = b"Content-Type: text/plain\r\n\r\nhello\r\n";
    let entity = pkcs7_mime(CmsKind::CompressedData, &zlib(plain)).unwrap();
    let opened = open(&mail(&entity), &options).await.unwrap();
    assert_eq!((opened.verdict, opened.withheld), (Verdict::NotSigned, false));
    assert_eq!(opened.content.as_ref().map(|content| content.as_slice()), Some(&plain[..]));
    // Layers are bounded.
    let mut entity = plain.to_vec();
    for depth in 1..=6 {
        entity = pkcs7_mime(CmsKind::CompressedData, &zlib(&entity)).unwrap();
        let opened = open(&mail(&entity), &options).await;
        if depth <= 4 {
            assert_eq!(opened.unwrap().layers.len(), depth);
        } else {
            assert_eq!(opened.unwrap_err(), OpenError::TooManyLayers { limit: 4 });
        }
    }
    // A bomb is too much wherever it lies.
    let entity = pkcs7_mime(CmsKind::CompressedData, &zlib(&vec![0; 10 << 20])).unwrap();
    assert!(matches!(open(&mail(&entity), &options).await, Err(OpenError::Cms(Error::Limit { .. }))));
    let rsa = recipient("rsa");
    let encryptor =
        Encryptor::new(ContentCipher::Aes256Cbc).recipient(&rsa.certificate, Transport::RsaOaepSha256);
    let envelope = encryptor.encrypt(&entity, &aecm_core::embed::OsRng).unwrap();
    let keys = [rsa];
    let outer = pkcs7_mime(CmsKind::EnvelopedData, &envelope).unwrap();
    let error = open(&mail(&outer), &options.clone().keys(&keys)).await.unwrap_err();
    assert!(matches!(error, OpenError::Cms(Error::Limit { .. })), "{error}");
}

#[test]
fn inspection_looks_inside_and_no_further_than_the_limits() {
    let limits = Limits::default();
    let tree = inspect::cms(&zlib(&vector("signed/bc172-sm2.der")), &limits).unwrap();
    assert_eq!(tree.name, "id-ct-compressedData");
    let inner = tree.children.last().unwrap();
    assert_eq!(inner.children[0].name, "id-signedData");
    let bomb = inspect::cms(&zlib(&vec![0; 10 << 20]), &limits).unwrap();
    assert!(bomb.to_string().contains("more than 200"), "{bomb}");
}
