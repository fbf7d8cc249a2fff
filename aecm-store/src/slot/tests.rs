use super::*;

fn device() -> DeviceId {
    "0123456789abcdef".parse().unwrap()
}

#[test]
fn every_slot_round_trips_as_word_and_json() {
    let mut seen = std::collections::BTreeSet::new();
    for suite in Suite::ALL {
        for purpose in Purpose::ALL {
            for level in Level::ALL {
                let slot = Slot::new(suite, purpose, level, &device());
                assert!(slot.is_well_formed());
                assert_eq!(slot.to_string().parse(), Ok(slot.clone()));
                let json = serde_json::to_string(&slot).unwrap();
                assert_eq!(json, format!("\"{slot}\""));
                assert_eq!(serde_json::from_str::<Slot>(&json).unwrap(), slot);
                assert!(seen.insert(slot.to_string()));
            }
        }
    }
    assert_eq!(seen.len(), 24);
}

#[test]
fn other_words_are_refused() {
    for word in [
        "",
        "sm2",
        "sm2-sign",
        "sm2-sign-mv",
        "sm2-sign-mv@",
        "sm2-sign-mv@Laptop",
        "sm2-sign-mv@a@b",
        "sm2-sign-mv-x@a",
        "SM2-sign-mv@a",
        "rsa-sign-mv@a",
        "sm2-encrypt-mv@a",
        "sm2-encrypt-",
        " sm2-encrypt-mv",
        "sm2-timestamp-mv",
    ] {
        assert!(word.parse::<Slot>().is_err(), "{word}");
    }
    assert!(serde_json::from_str::<Slot>("\"sm2-encrypt-mv@a\"").is_err());
}

#[test]
fn devices_and_key_ids_have_one_form() {
    for wrong in ["", "A", "a b", "a_b", "é", &"a".repeat(65)] {
        assert!(wrong.parse::<DeviceId>().is_err(), "{wrong}");
    }
    assert!("a".repeat(64).parse::<DeviceId>().is_ok());

    let id: KeyId = "00112233445566778899aabbccddeeff".parse().unwrap();
    assert_eq!(id.to_string(), "00112233445566778899aabbccddeeff");
    assert_eq!(id.as_bytes()[..3], [0x00, 0x11, 0x22]);
    for wrong in [
        "",
        "00112233445566778899aabbccddeef",
        "00112233445566778899aabbccddeeff0",
        "00112233445566778899AABBCCDDEEFF",
    ] {
        assert!(wrong.parse::<KeyId>().is_err(), "{wrong}");
    }
    assert!("0011223344556677889 aabbccddeeff".parse::<KeyId>().is_err());
}

#[test]
fn encrypting_slots_share_a_place_across_levels_only_within_a_suite() {
    let slot = |word: &str| word.parse::<Slot>().unwrap();
    assert!(slot("sm2-encrypt-mv").same_place(&slot("sm2-encrypt-ov")));
    assert!(!slot("sm2-encrypt-mv").same_place(&slot("classic-encrypt-mv")));
    assert!(slot("sm2-sign-mv@a").same_place(&slot("sm2-sign-mv@a")));
    for other in
        ["sm2-sign-ov@a", "sm2-sign-mv@b", "sm2-timestamp-mv@a", "classic-sign-mv@a", "sm2-encrypt-mv"]
    {
        assert!(!slot("sm2-sign-mv@a").same_place(&slot(other)), "{other}");
    }
}

#[test]
fn states_are_words() {
    for state in EntryState::ALL {
        assert_eq!(state.to_string().parse(), Ok(state));
    }
    assert!("Active".parse::<EntryState>().is_err());
}

#[test]
fn random_names_differ() {
    let rng = aecm_core::embed::OsRng;
    assert_ne!(KeyId::random(&rng), KeyId::random(&rng));
    assert_ne!(DeviceId::random(&rng), DeviceId::random(&rng));
    assert!(DeviceId::random(&rng).unwrap().as_str().parse::<DeviceId>().is_ok());
}
