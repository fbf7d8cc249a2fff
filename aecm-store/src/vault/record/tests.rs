use aecm_core::embed::OsRng;

use super::*;

const FILE: &str = "00112233445566778899aabbccddeeff.rec";

fn sealed(key: &DataKey) -> Vec<u8> {
    Sealer { key, vault: &[1; 16] }.seal(Kind::Record, FILE, 5, b"plain", &OsRng).unwrap()
}

#[test]
fn a_file_opens_only_in_its_place() {
    let (key, other) = (DataKey::random(&OsRng).unwrap(), DataKey::random(&OsRng).unwrap());
    let octets = sealed(&key);
    let sealer = Sealer { key: &key, vault: &[1; 16] };
    assert_eq!(octets[..12], *b"AECM-REC\x00\x01\x02\x00");
    assert_eq!(octets[12..20], 5u64.to_be_bytes());
    let (generation, plain) = sealer.open(Kind::Record, FILE, &octets).unwrap();
    assert_eq!((generation, plain.as_slice()), (5, &b"plain"[..]));

    let refused =
        |result: Result<(u64, Octets), StoreError>| matches!(result, Err(StoreError::Corrupt { .. }));
    assert!(refused(sealer.open(Kind::Index, FILE, &octets)));
    assert!(refused(sealer.open(Kind::Record, "index", &octets)));
    assert!(refused(Sealer { key: &key, vault: &[2; 16] }.open(Kind::Record, FILE, &octets)));
    assert!(refused(Sealer { key: &other, vault: &[1; 16] }.open(Kind::Record, FILE, &octets)));
}

#[test]
fn every_cut_and_every_flipped_bit_is_damage() {
    let key = DataKey::random(&OsRng).unwrap();
    let octets = sealed(&key);
    let sealer = Sealer { key: &key, vault: &[1; 16] };
    for end in 0..octets.len() {
        let result = sealer.open(Kind::Record, FILE, &octets[..end]);
        assert!(matches!(result, Err(StoreError::Corrupt { .. })), "cut at {end}");
    }
    for bit in 0..octets.len() * 8 {
        let mut flipped = octets.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        match sealer.open(Kind::Record, FILE, &flipped) {
            Err(StoreError::Corrupt { .. }) => {}
            Err(StoreError::Version { .. }) => assert!((64..80).contains(&bit)),
            other => panic!("bit {bit}: {:?}", other.map(|(generation, _)| generation)),
        }
    }
}

#[test]
fn an_index_has_one_form() {
    let mut index = Index::default();
    for (name, file) in [("device", 1), ("key/a", 2), ("mailbox/é@example.test", 3)] {
        index.places.insert(name.to_owned(), Place { file: [file; 16], generation: u64::from(file) });
    }
    let octets = index.encode().unwrap();
    assert_eq!(octets[..12], *b"\x00\x00\x00\x03\x00\x06device");
    assert_eq!(Index::decode(&octets, 3), Some(index));
    assert_eq!(Index::decode(&octets, 2), None, "a record from the future");
    for end in 0..octets.len() {
        assert_eq!(Index::decode(&octets[..end], 3), None, "cut at {end}");
    }
    assert_eq!(Index::decode(&[octets.as_slice(), &[0]].concat(), 3), None);
    let entry = |name: &[u8]| {
        let length = u16::try_from(name.len()).unwrap().to_be_bytes();
        [length.as_slice(), name, &[0; 24]].concat()
    };
    let two = |one: &[u8], other: &[u8]| [&[0, 0, 0, 2][..], &entry(one), &entry(other)].concat();
    assert!(Index::decode(&two(b"a", b"b"), 0).is_some());
    assert_eq!(Index::decode(&two(b"b", b"a"), 0), None, "not ascending");
    assert_eq!(Index::decode(&two(b"a", b"a"), 0), None, "twice the same");
    assert_eq!(Index::decode(&two(b"", b"a"), 0), None, "no name");
    assert_eq!(Index::decode(&two(b"a", b"\xff"), 0), None, "not UTF-8");
    // A count of four thousand million with nothing behind it asks for no memory.
    assert_eq!(Index::decode(&[0xff; 4], 0), None);
    assert_eq!(Index::decode(&Index::default().encode().unwrap(), 0), Some(Index::default()));
}

#[test]
fn a_body_is_its_name_and_content() {
    let body = encode_body("state/x", b"content").unwrap();
    assert_eq!(decode_body(&body), Some(("state/x", &b"content"[..])));
    assert_eq!(decode_body(&encode_body("n", b"").unwrap()), Some(("n", &b""[..])));
    for wrong in [&b""[..], b"\x00", b"\x00\x00", b"\x00\x02a", b"\x00\x01\xff", b"\xff\xffa"] {
        assert_eq!(decode_body(wrong), None, "{wrong:02x?}");
    }
    assert!(encode_body(&"n".repeat(MAX_NAME), b"").is_ok());
    assert!(encode_body(&"n".repeat(MAX_NAME + 1), b"").is_err());
}
