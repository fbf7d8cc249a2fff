use alloc::vec;
use alloc::vec::Vec;

use der::{Decode, Encode};

use super::*;
use crate::limits::Limits;
use crate::time::Time;

fn ber(input: &[u8]) -> Reader<'_> {
    Reader::new(input, Rules::Ber, &Limits::default())
}

fn der(input: &[u8]) -> Reader<'_> {
    Reader::new(input, Rules::Der, &Limits::default())
}

fn kind<T: fmt::Debug>(result: Result<T, TlvError>) -> TlvErrorKind {
    result.unwrap_err().kind()
}

// Runs on the stack that THREATS A1 asks for.
fn on_small_stack(body: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(256 << 10).spawn(body).unwrap().join().unwrap();
}

#[test]
fn spans_are_those_of_the_input() {
    let input = [0x30, 0x06, 0x02, 0x01, 0x05, 0x04, 0x01, 0xaa, 0x05, 0x00];
    let mut reader = der(&input);
    let sequence = reader.any().unwrap();
    assert_eq!(
        (sequence.tag(), sequence.bytes(), sequence.content()),
        (Tag::SEQUENCE, &input[..8], &input[2..8])
    );
    let mut fields = sequence.reader().unwrap();
    assert_eq!(fields.integer().unwrap(), &[5]);
    let octets = fields.any().unwrap();
    assert_eq!((octets.offset(), octets.content()), (5, &[0xaa][..]));
    fields.finish().unwrap();
    assert_eq!(reader.finish().unwrap_err(), TlvError::new(TlvErrorKind::TrailingBytes, 8));
    reader.null().unwrap();
    assert!(reader.is_empty());
}

#[test]
fn failing_leaves_the_reader_in_place() {
    let input = [0x02, 0x02, 0x00, 0x01, 0x05, 0x00];
    let mut reader = der(&input);
    assert_eq!(kind(reader.integer()), TlvErrorKind::BadInteger);
    assert!(matches!(kind(reader.oid()), TlvErrorKind::Unexpected { expected: Tag::OID, .. }));
    assert_eq!(reader.optional(Tag::OID).unwrap().map(|tlv| tlv.tag()), None);
    assert!(reader.context(0).unwrap().is_none());
    assert_eq!(reader.any().unwrap().bytes(), &input[..4]);
    reader.null().unwrap();
}

#[test]
fn lengths_never_reach_beyond_the_input_a2() {
    for input in [
        &[0x04][..],
        &[0x04, 0x01],
        &[0x04, 0x81],
        &[0x04, 0x82, 0x01],
        &[0x04, 0x84, 0xff, 0xff, 0xff, 0xff],
        &[0x04, 0x84, 0x80, 0x00, 0x00, 0x00, 0x00],
        &[0x04, 0x88, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        &[0x04, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00],
        &[0x30, 0x80],
        &[0x30, 0x80, 0x00],
        &[0x1f],
        &[0x1f, 0xff],
        &[],
    ] {
        assert_eq!(kind(ber(input).any()), TlvErrorKind::Truncated, "{input:02x?}");
    }
    let nine = [0x04, 0x89, 0x01, 0, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(kind(ber(&nine).any()), TlvErrorKind::BadLength);
    assert_eq!(kind(ber(&[0x04, 0xff]).any()), TlvErrorKind::BadLength);
}

#[test]
fn tags_in_high_form() {
    let input = [0xbf, 0x81, 0x00, 0x00];
    assert_eq!(der(&input).any().unwrap().tag(), Tag::context(128));
    for bad in
        [&[0x1f, 0x80, 0x01, 0x00][..], &[0x9f, 0x1e, 0x00], &[0x9f, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x00]]
    {
        assert_eq!(kind(ber(bad).any()), TlvErrorKind::BadTag, "{bad:02x?}");
    }
    for number in [0, 30, 31, 127, 128, 0x3fff, 0x4000, (1 << 28) - 1] {
        let written = write::tlv(Tag::context_primitive(number), b"x");
        assert_eq!(der(&written).any().unwrap().tag(), Tag::context_primitive(number));
    }
}

#[test]
fn der_refuses_what_only_ber_allows() {
    for (input, wanted) in [
        (&[0x04, 0x81, 0x01, 0xaa][..], TlvErrorKind::LengthNotMinimal),
        (&[0x04, 0x82, 0x00, 0x01, 0xaa], TlvErrorKind::LengthNotMinimal),
        (&[0x30, 0x80, 0x00, 0x00], TlvErrorKind::Indefinite),
        (
            &[0x24, 0x03, 0x04, 0x01, 0xaa],
            TlvErrorKind::StringInPieces(Tag { constructed: true, ..Tag::OCTET_STRING }),
        ),
        (
            &[0x2c, 0x03, 0x0c, 0x01, 0x61],
            TlvErrorKind::StringInPieces(Tag { constructed: true, ..Tag::UTF8_STRING }),
        ),
    ] {
        assert_eq!(kind(der(input).any()), wanted, "{input:02x?}");
        assert!(ber(input).any().is_ok(), "{input:02x?}");
        assert!(deviates_from_der(input, &Limits::default()), "{input:02x?}");
    }
    assert_eq!(kind(der(&[0x01, 0x01, 0x01]).boolean()), TlvErrorKind::BadBoolean);
    assert!(ber(&[0x01, 0x01, 0x01]).boolean().unwrap());
    assert_eq!(kind(der(&[0x03, 0x02, 0x01, 0xff]).any().unwrap().bits()), TlvErrorKind::BadBitString);
    assert_eq!(ber(&[0x03, 0x02, 0x01, 0xff]).any().unwrap().bits().unwrap(), (1, &[0xff][..]));
}

#[test]
fn what_both_rules_refuse() {
    for input in [&[0x30 & !0x20, 0x00][..], &[0x11, 0x00], &[0x22, 0x03, 0x02, 0x01, 0x01], &[0x26, 0x00]] {
        assert!(matches!(kind(ber(input).any()), TlvErrorKind::BadConstruction(_)), "{input:02x?}");
    }
    assert_eq!(kind(ber(&[0x00, 0x00]).any()), TlvErrorKind::StrayEndOfContents);
    assert_eq!(kind(ber(&[0x04, 0x80, 0x00, 0x00]).any()), TlvErrorKind::Indefinite);
    assert_eq!(kind(ber(&[0x30, 0x80, 0x04, 0x80, 0x00, 0x00]).any()), TlvErrorKind::Indefinite);
    for content in [&[][..], &[0x00, 0x7f], &[0xff, 0x80], &[0x00, 0x00]] {
        assert_eq!(kind(ber(&write::tlv(Tag::INTEGER, content)).integer()), TlvErrorKind::BadInteger);
    }
    for content in [&[0xff][..], &[0x80], &[0x01, 0, 0, 0, 0, 0, 0, 0, 0]] {
        assert_eq!(kind(ber(&write::tlv(Tag::INTEGER, content)).small()), TlvErrorKind::IntegerRange);
    }
    assert_eq!(ber(&write::small(u64::MAX)).small().unwrap(), u64::MAX);
    assert_eq!(kind(ber(&[0x05, 0x01, 0x00]).null()), TlvErrorKind::BadNull);
    assert_eq!(kind(ber(&[0x01, 0x00]).boolean()), TlvErrorKind::BadBoolean);
    assert_eq!(kind(ber(&[0x01, 0x02, 0xff, 0xff]).boolean()), TlvErrorKind::BadBoolean);
    assert_eq!(kind(ber(&[0x03, 0x00]).bit_string()), TlvErrorKind::BadBitString);
    assert_eq!(kind(ber(&[0x03, 0x01, 0x01]).bit_string()), TlvErrorKind::BadBitString);
    assert_eq!(kind(ber(&[0x03, 0x02, 0x08, 0x00]).bit_string()), TlvErrorKind::BadBitString);
    assert_eq!(kind(ber(&[0x03, 0x02, 0x07, 0x80]).bit_string()), TlvErrorKind::UnusedBits);
}

#[test]
fn identifiers_are_bounded_a2() {
    for content in [&[][..], &[0x2a, 0x80, 0x01], &[0x80, 0x01], &[0x2a, 0x86], &[0x86]] {
        assert_eq!(kind(ber(&write::tlv(Tag::OID, content)).oid()), TlvErrorKind::BadOid, "{content:02x?}");
    }
    let mut large = vec![0x2a];
    large.resize(39, 0x01);
    assert!(ber(&write::tlv(Tag::OID, &large)).oid().is_ok());
    large.push(0x01);
    assert_eq!(kind(ber(&write::tlv(Tag::OID, &large)).oid()), TlvErrorKind::OidTooLarge);
    assert!(ber(&write::tlv(Tag::OID, &[0x2a, 0x8f, 0xff, 0xff, 0xff, 0x7f])).oid().is_ok());
    let beyond = write::tlv(Tag::OID, &[0x2a, 0x90, 0x80, 0x80, 0x80, 0x00]);
    assert_eq!(kind(ber(&beyond).oid()), TlvErrorKind::OidTooLarge);
    assert_eq!(kind(ber(&write::tlv(Tag::OID, &[0xff; 39])).oid()), TlvErrorKind::OidTooLarge);
}

#[test]
fn strings_in_pieces_are_put_together() {
    let input = [
        0x24, 0x80, 0x04, 0x02, 0x01, 0x02, 0x24, 0x04, 0x04, 0x02, 0x03, 0x04, 0x24, 0x80, 0x04, 0x01, 0x05,
        0x00, 0x00, 0x00, 0x00,
    ];
    let mut reader = ber(&input);
    assert_eq!(*reader.octet_string().unwrap(), [1, 2, 3, 4, 5]);
    reader.finish().unwrap();
    // The same under [0] IMPLICIT, as encryptedContent comes.
    let mut implicit = input;
    implicit[0] = 0xa0;
    let value = ber(&implicit).context(0).unwrap().unwrap();
    assert!(value.is_indefinite());
    assert_eq!((value.bytes().len(), value.content().len()), (input.len(), input.len() - 4));
    assert_eq!(*value.octet_string().unwrap(), [1, 2, 3, 4, 5]);
    // A piece of another type.
    assert!(matches!(
        kind(ber(&[0x24, 0x03, 0x02, 0x01, 0x00]).octet_string()),
        TlvErrorKind::Unexpected { expected: Tag::OCTET_STRING, .. }
    ));
}

#[test]
fn depth_is_limited_before_recursion_a1() {
    on_small_stack(|| {
        let limits = Limits::default();
        let nested = |levels: usize, open: &[u8], close: &[u8]| {
            let mut input: Vec<u8> = open.repeat(levels);
            input.extend(close.repeat(levels));
            input
        };
        let descend = |input: &[u8]| -> (usize, Result<(), TlvError>) {
            let mut reader = Reader::new(input, Rules::Ber, &limits);
            let mut levels = 0;
            loop {
                match reader.any().and_then(|value| value.reader()) {
                    Ok(inner) => reader = inner,
                    Err(error) => return (levels, Err(error)),
                }
                levels += 1;
                if reader.is_empty() {
                    return (levels, Ok(()));
                }
            }
        };
        assert_eq!(descend(&nested(32, &[0x30, 0x80], &[0, 0])), (32, Ok(())));
        assert_eq!(
            descend(&nested(33, &[0x30, 0x80], &[0, 0])).1.map_err(|e| e.kind()),
            Err(TlvErrorKind::Depth { limit: 32 })
        );
        // Far deeper, and in constructed strings.
        let deep = nested(200_000, &[0x30, 0x80], &[0, 0]);
        assert_eq!(kind(ber(&deep).any()), TlvErrorKind::Depth { limit: 32 });
        let deep = nested(200_000, &[0x24, 0x80], &[0, 0]);
        assert_eq!(kind(ber(&deep).octet_string()), TlvErrorKind::Depth { limit: 32 });
        assert!(deviates_from_der(&deep, &limits));
        let mut definite = Vec::new();
        for _ in 0..33 {
            definite = write::sequence(&[&definite]);
        }
        let (levels, result) = descend(&definite);
        assert_eq!((levels, kind(result)), (32, TlvErrorKind::Depth { limit: 32 }));
        assert!(deviates_from_der(&definite, &limits));
        assert!(!deviates_from_der(&definite[2..], &limits));
    });
}

#[test]
fn elements_are_limited_a3() {
    let limits = Limits { asn1_elements: 3, ..Limits::default() };
    let three = write::sequence(&[&write::null(), &write::null(), &write::null()]);
    let four = write::sequence(&[&write::null(), &write::null(), &write::null(), &write::null()]);
    let count = |input: &[u8]| -> Result<usize, TlvErrorKind> {
        let mut reader = Reader::new(input, Rules::Ber, &limits).sequence().map_err(|e| e.kind())?;
        let mut count = 0;
        while !reader.is_empty() {
            reader.any().map_err(|e| e.kind())?;
            count += 1;
        }
        Ok(count)
    };
    assert_eq!(count(&three), Ok(3));
    assert_eq!(count(&four), Err(TlvErrorKind::Elements { limit: 3 }));
    let indefinite = [0x30, 0x80, 5, 0, 5, 0, 5, 0, 5, 0, 0, 0];
    assert_eq!(count(&indefinite), Err(TlvErrorKind::Elements { limit: 3 }));
}

#[test]
fn the_end_of_a_large_indefinite_value_is_found_in_linear_time_a3() {
    let mut input = vec![0x24, 0x80];
    for _ in 0..200_000 {
        input.extend([0x04, 0x01, 0x55]);
    }
    input.extend([0, 0]);
    let whole = ber(&input).octet_string().unwrap();
    assert_eq!(whole.len(), 200_000);
}

#[test]
fn times() {
    let at = |text| Time::from_rfc3339(text).unwrap();
    for (input, wanted) in [
        (&b"\x17\x0d500101000000Z"[..], "1950-01-01T00:00:00Z"),
        (b"\x17\x0d491231235959Z", "2049-12-31T23:59:59Z"),
        (b"\x18\x0f20500101000000Z", "2050-01-01T00:00:00Z"),
        (b"\x18\x0f99991231235959Z", "9999-12-31T23:59:59Z"),
    ] {
        assert_eq!(der(input).time().unwrap(), at(wanted));
        assert_eq!(write::time(at(wanted)), input);
    }
    for text in [
        "4912312359Z",
        "491231235959",
        "491231235959+0000",
        "491331235959Z",
        "490230000000Z",
        "49123123595aZ",
        "491231235960Z",
        "20491231235959Z",
        "",
        "Z",
    ] {
        let input = write::tlv(Tag::UTC_TIME, text.as_bytes());
        assert_eq!(kind(der(&input).time()), TlvErrorKind::BadTime, "{text}");
    }
    for text in
        ["20500101000000", "20500101000000.5Z", "205001010000Z", "20500101000000+0100", "20500101000000.Z"]
    {
        let input = write::tlv(Tag::GENERALIZED_TIME, text.as_bytes());
        assert_eq!(kind(der(&input).time()), TlvErrorKind::BadTime, "{text}");
    }
    let fraction = |text: &str| {
        der(&write::tlv(Tag::GENERALIZED_TIME, text.as_bytes())).generalized_time().map_err(|e| e.kind())
    };
    assert_eq!(fraction("20261123080000.05Z"), Ok((at("2026-11-23T08:00:00Z"), 50_000_000)));
    assert_eq!(fraction("20261123080000.1234567891Z"), Ok((at("2026-11-23T08:00:00Z"), 123_456_789)));
    for text in ["20261123080000.50Z", "20261123080000.Z", "20261123080000,5Z", "20261123080000.0Z"] {
        assert_eq!(fraction(text), Err(TlvErrorKind::BadTime), "{text}");
    }
    assert!(matches!(kind(der(&[0x05, 0x00]).time()), TlvErrorKind::Unexpected { .. }));
    assert!(matches!(kind(der(&[]).time()), TlvErrorKind::Unexpected { found: None, .. }));
}

#[test]
fn texts() {
    let text = |tag, content: &[u8]| {
        der(&write::tlv(tag, content))
            .any()
            .unwrap()
            .text()
            .map(|text| text.into_owned())
            .map_err(|e| e.kind())
    };
    assert_eq!(text(Tag::UTF8_STRING, "中文".as_bytes()).unwrap(), "中文");
    assert_eq!(text(Tag::BMP_STRING, &[0x4e, 0x2d, 0x65, 0x87]).unwrap(), "中文");
    assert_eq!(text(Tag::UNIVERSAL_STRING, &[0, 0, 0x4e, 0x2d]).unwrap(), "中");
    assert_eq!(text(Tag::TELETEX_STRING, &[0x4d, 0xfc]).unwrap(), "Mü");
    assert_eq!(text(Tag::PRINTABLE_STRING, b"a@b").unwrap(), "a@b");
    for (tag, content) in [
        (Tag::UTF8_STRING, &[0xff][..]),
        (Tag::BMP_STRING, &[0x4e]),
        (Tag::BMP_STRING, &[0xd8, 0x00]),
        (Tag::UNIVERSAL_STRING, &[0, 0x11, 0, 0]),
        (Tag::UNIVERSAL_STRING, &[0, 0, 0]),
        (Tag::IA5_STRING, &[0x80]),
        (Tag::PRINTABLE_STRING, &[0xe4]),
    ] {
        assert_eq!(text(tag, content), Err(TlvErrorKind::BadString(tag)));
    }
    assert!(matches!(text(Tag::OCTET_STRING, b"a"), Err(TlvErrorKind::Unexpected { .. })));
}

#[test]
fn algorithm_identifiers_keep_their_octets() {
    let absent = write::algorithm(&crate::oid::SM2_WITH_SM3, None);
    let null = write::algorithm(&crate::oid::SM2_WITH_SM3, Some(&write::null()));
    let curve = write::algorithm(&crate::oid::EC_PUBLIC_KEY, Some(&write::oid(&crate::oid::SM2_CURVE)));
    for (input, parameters, plain) in
        [(&absent, None, true), (&null, Some(&[5u8, 0][..]), true), (&curve, Some(&curve[11..]), false)]
    {
        let read = der(input).algorithm().unwrap();
        assert_eq!((read.parameters, read.bytes), (parameters, &input[..]));
        assert_eq!(read.parameters_absent_or_null(), plain);
    }
    let two = write::sequence(&[&write::oid(&crate::oid::SM3), &write::null(), &write::null()]);
    assert_eq!(kind(der(&two).algorithm()), TlvErrorKind::TrailingBytes);
    assert!(matches!(kind(der(&[0x30, 0x00]).algorithm()), TlvErrorKind::Unexpected { found: None, .. }));
}

#[test]
fn sets_in_order() {
    let set =
        write::set_of(vec![write::small(300), write::small(2), write::octet_string(b"a"), write::small(1)]);
    assert_eq!(set, [0x31, 13, 2, 1, 1, 2, 1, 2, 2, 2, 1, 44, 4, 1, b'a']);
    assert!(!deviates_from_der(&set, &Limits::default()));
    let unordered = [0x31, 6, 2, 1, 2, 2, 1, 1];
    assert!(deviates_from_der(&unordered, &Limits::default()));
    assert!(deviates_from_der(&write::sequence(&[&unordered]), &Limits::default()));
    assert!(deviates_from_der(&[0x05, 0x00, 0x00], &Limits::default()));
    assert!(deviates_from_der(&[], &Limits::default()));
}

#[test]
fn named_bits_drop_trailing_zeros() {
    for (bits, wanted) in [
        (0b1, &[0x03, 2, 7, 0x80][..]),
        (0b11, &[0x03, 2, 6, 0xc0]),
        (0b110_0000, &[0x03, 2, 1, 0x06]),
        (0b1_0000_0000, &[0x03, 3, 7, 0x00, 0x80]),
        (0, &[0x03, 1, 0]),
    ] {
        assert_eq!(write::named_bits(bits), wanted);
    }
}

// The `der` crate wrote these, and reads what we write.
#[test]
fn differential_with_der() {
    for value in [0u64, 1, 127, 128, 255, 256, 65_535, 65_536, u64::MAX >> 1, u64::MAX] {
        let theirs = value.to_der().unwrap();
        assert_eq!(write::small(value), theirs);
        assert_eq!(der(&theirs).small().unwrap(), value);
    }
    for length in [0usize, 1, 127, 128, 255, 256, 65_535, 65_536] {
        let content = vec![0x5a; length];
        let theirs = ::der::asn1::OctetString::new(content.clone()).unwrap().to_der().unwrap();
        assert_eq!(write::octet_string(&content), theirs);
        assert_eq!(*der(&theirs).octet_string().unwrap(), *content);
        let bits = ::der::asn1::BitString::from_bytes(&content).unwrap().to_der().unwrap();
        assert_eq!(write::bit_string(&content), bits);
        assert_eq!(der(&bits).bit_string().unwrap(), content);
    }
    for seconds in [0u64, 951_825_600, 1_795_420_800, 2_524_607_999] {
        let duration = core::time::Duration::from_secs(seconds);
        let theirs = ::der::asn1::UtcTime::from_unix_duration(duration).unwrap().to_der().unwrap();
        let time = Time::from_unix(i64::try_from(seconds).unwrap());
        assert_eq!(write::time(time), theirs);
        assert_eq!(der(&theirs).time().unwrap(), time);
        let theirs = ::der::asn1::GeneralizedTime::from_unix_duration(duration).unwrap().to_der().unwrap();
        assert_eq!(write::generalized_time(time), theirs);
        assert_eq!(der(&theirs).time().unwrap(), time);
    }
    let set = ::der::asn1::SetOfVec::try_from(vec![300u64, 2, 1, 70_000]).unwrap().to_der().unwrap();
    assert_eq!(write::set_of([300, 2, 1, 70_000].map(write::small).to_vec()), set);
}

// Whatever `der` accepts as one value we accept too, and what it refuses of all one-byte changes we refuse,
// for a value whose types both check.
#[test]
fn differential_with_der_on_changed_octets() {
    #[derive(::der::Sequence)]
    struct Sample {
        number: u64,
        flag: bool,
        oid: ::der::asn1::ObjectIdentifier,
        octets: ::der::asn1::OctetString,
    }
    fn ours(input: &[u8]) -> Result<(), TlvError> {
        let mut reader = der(input);
        let mut fields = reader.sequence()?;
        fields.small()?;
        fields.boolean()?;
        fields.oid()?;
        fields.octet_string()?;
        fields.finish()?;
        reader.finish()
    }
    let sample = Sample {
        number: 300,
        flag: true,
        oid: crate::oid::SM2_WITH_SM3,
        octets: ::der::asn1::OctetString::new(*b"content").unwrap(),
    };
    let input = sample.to_der().unwrap();
    ours(&input).unwrap();
    let mut refused = 0;
    for position in 0..input.len() {
        for octet in 0..=255 {
            let mut changed = input.clone();
            changed[position] = octet;
            let theirs = Sample::from_der(&changed).is_ok();
            refused += usize::from(!theirs);
            // An arc may begin with 80 in `der`; X.690 §8.19.2 forbids it and so do we.
            let padded_arc = (11..=18).contains(&position) && octet == 0x80;
            assert!(ours(&changed).is_ok() == theirs || padded_arc, "octet {position} = {octet:02x}");
        }
    }
    assert!(refused > 2_000);
}
