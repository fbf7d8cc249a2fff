use aecm_core::embed::OsRng;

use super::*;

const WEAK: Argon2Parameters = Argon2Parameters { memory_kib: 8, passes: 1, lanes: 1 };

fn header() -> (Header, DataKey) {
    let key = DataKey::random(&OsRng).unwrap();
    (Header::new([7; ID], &key, b"password", WEAK, &OsRng).unwrap(), key)
}

/// `octets` with `change` applied and the checksum made right again, as an attacker would.
fn forged(octets: &[u8; LENGTH], change: impl Fn(&mut [u8; LENGTH])) -> Vec<u8> {
    let mut forged = *octets;
    change(&mut forged);
    let checksum = DigestAlgorithm::Sha256.digest(&forged[..CHECKED]);
    forged[CHECKED..].copy_from_slice(&checksum);
    forged.to_vec()
}

#[test]
fn the_layout_is_that_of_the_document() {
    let (header, _) = header();
    let octets = header.as_bytes();
    assert_eq!(octets.len(), 164);
    assert_eq!(octets[..12], *b"AECM-VLT\x00\x01\x01\x01");
    assert_eq!(octets[12..24], [0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 1]);
    assert_eq!(octets[24..40], [7; 16]);
    assert_eq!((CLEAR, CHECKED), (72, 132));
    assert_eq!(octets[132..], *DigestAlgorithm::Sha256.digest(&octets[..132]));
}

#[test]
fn the_password_and_no_other_unwraps() {
    let (header, key) = header();
    assert_eq!(header.unwrap(b"password").unwrap().expose(), key.expose());
    for wrong in [&b""[..], b"Password", b"password ", b"passwor"] {
        assert_eq!(header.unwrap(wrong).unwrap_err(), StoreError::WrongPassword);
    }
    let long = vec![b'a'; MAX_PASSWORD + 1];
    assert!(matches!(header.unwrap(&long), Err(StoreError::TooLarge { .. })));
}

/// Damage is never taken for a wrong password (THREATS K4).
#[test]
fn every_cut_and_every_flipped_bit_is_damage() {
    let octets = *header().0.as_bytes();
    for end in 0..LENGTH {
        assert!(matches!(Header::parse(&octets[..end]), Err(StoreError::Corrupt { .. })), "cut at {end}");
    }
    for bit in 0..LENGTH * 8 {
        let mut flipped = octets;
        flipped[bit / 8] ^= 1 << (bit % 8);
        match Header::parse(&flipped) {
            Err(StoreError::Corrupt { .. }) => {}
            Err(StoreError::Version { found, .. }) => assert!((64..80).contains(&bit) && found > VERSION),
            other => panic!("bit {bit}: {other:?}"),
        }
    }
    let longer = [octets.as_slice(), &[0]].concat();
    assert!(matches!(Header::parse(&longer), Err(StoreError::Corrupt { .. })));
}

/// THREATS E6: a header that asks for the moon is refused before any work. 4 TiB would not be there to try.
#[test]
fn absurd_parameters_are_refused_before_work() {
    let octets = *header().0.as_bytes();
    let with = |at: usize, value: u32| {
        Header::parse(&forged(&octets, |octets| octets[at..at + 4].copy_from_slice(&value.to_be_bytes())))
    };
    for (at, value) in [
        (12, u32::MAX),
        (12, 1_048_577),
        (12, 7),
        (12, 0),
        (16, u32::MAX),
        (16, 65),
        (16, 0),
        (20, u32::MAX),
        (20, 17),
        (20, 0),
        (20, 2),
    ] {
        match with(at, value) {
            Err(StoreError::Parameters { .. }) => {}
            other => panic!("{value} at {at}: {other:?}"),
        }
    }
    let both =
        |memory: u32, passes: u32| Argon2Parameters { memory_kib: memory, passes, lanes: 1 }.check().is_ok();
    assert!(both(1 << 20, 16) && !both(1 << 20, 17));
    assert!(both(1 << 18, 64) && !both((1 << 18) + 1, 64));
    assert!(Argon2Parameters::default().check().is_ok());
}

#[test]
fn a_forged_header_does_not_unwrap() {
    let octets = *header().0.as_bytes();
    for at in 12..CHECKED {
        let forged = forged(&octets, |octets| octets[at] ^= 1);
        if let Ok(header) = Header::parse(&forged) {
            assert_eq!(header.unwrap(b"password").unwrap_err(), StoreError::WrongPassword, "octet {at}");
        }
    }
    for at in [10, 11] {
        let forged = forged(&octets, |octets| octets[at] = 2);
        assert!(matches!(Header::parse(&forged), Err(StoreError::Corrupt { .. })), "octet {at}");
    }
    let zero = forged(&octets, |octets| octets[9] = 0);
    assert!(matches!(Header::parse(&zero), Err(StoreError::Corrupt { .. })));
    let later = forged(&octets, |octets| octets[9] = 2);
    assert_eq!(Header::parse(&later).unwrap_err(), StoreError::Version { found: 2, known: 1 });
}

/// The octets are those of the reference implementation (argon2-cffi):
/// `hash_secret_raw(b'password', b'\x53' * 32, 2, 64, 2, 32, Type.ID, 0x13)`.
#[test]
fn the_derivation_is_argon2id() {
    let parameters = Argon2Parameters { memory_kib: 64, passes: 2, lanes: 2 };
    let key = parameters.derive(b"password", &[0x53; SALT]).unwrap();
    assert_eq!(crate::slot::hex(key.expose()), EXPECTED);
}

const EXPECTED: &str = "66233ce99b6a8d72480536dca4bc132d3febf4528b12b4bc76feedc9c3c5bda9";
