//! Timestamp answers (RFC 3161 §2.4.2).

use core::fmt;

use aecm_core::limits::Limits;
use aecm_core::tlv::{Reader, Rules, Tag, TlvError, write as w};

use crate::error::Error;

/// What the authority decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Status {
    /// A token as asked for.
    Granted,
    /// A token that differs from what was asked for.
    GrantedWithMods,
    /// No token.
    Rejection,
    /// Not yet; RFC 3161 has no way to ask again.
    Waiting,
    /// No token; a revocation of the unit is near.
    RevocationWarning,
    /// No token; the unit was revoked.
    RevocationNotification,
}

impl Status {
    const ALL: [Self; 6] = [
        Self::Granted,
        Self::GrantedWithMods,
        Self::Rejection,
        Self::Waiting,
        Self::RevocationWarning,
        Self::RevocationNotification,
    ];

    /// The number of PKIStatus.
    #[must_use]
    pub const fn number(self) -> u64 {
        match self {
            Self::Granted => 0,
            Self::GrantedWithMods => 1,
            Self::Rejection => 2,
            Self::Waiting => 3,
            Self::RevocationWarning => 4,
            Self::RevocationNotification => 5,
        }
    }

    /// The status of a number; nothing for numbers RFC 3161 does not define.
    #[must_use]
    pub fn from_number(number: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.number() == number)
    }

    /// Whether a token has to come with it.
    #[must_use]
    pub const fn is_granted(self) -> bool {
        matches!(self, Self::Granted | Self::GrantedWithMods)
    }
}

/// Why an authority refuses (PKIFailureInfo).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Failure {
    /// The digest algorithm is unknown or not supported.
    BadAlg,
    /// The request is not permitted or not supported.
    BadRequest,
    /// The request has the wrong format.
    BadDataFormat,
    /// The authority's time source is not available.
    TimeNotAvailable,
    /// The policy asked for is not supported.
    UnacceptedPolicy,
    /// An extension of the request is not supported.
    UnacceptedExtension,
    /// Additional information asked for is not understood or not available.
    AddInfoNotAvailable,
    /// The authority has a fault.
    SystemFailure,
    /// A bit that RFC 3161 does not define.
    Other(u8),
}

impl Failure {
    const KNOWN: [Self; 8] = [
        Self::BadAlg,
        Self::BadRequest,
        Self::BadDataFormat,
        Self::TimeNotAvailable,
        Self::UnacceptedPolicy,
        Self::UnacceptedExtension,
        Self::AddInfoNotAvailable,
        Self::SystemFailure,
    ];

    /// The number of the bit.
    #[must_use]
    pub const fn bit(self) -> u8 {
        match self {
            Self::BadAlg => 0,
            Self::BadRequest => 2,
            Self::BadDataFormat => 5,
            Self::TimeNotAvailable => 14,
            Self::UnacceptedPolicy => 15,
            Self::UnacceptedExtension => 16,
            Self::AddInfoNotAvailable => 17,
            Self::SystemFailure => 25,
            Self::Other(bit) => bit,
        }
    }

    /// The failure of a bit.
    #[must_use]
    pub fn from_bit(bit: u8) -> Self {
        Self::KNOWN.into_iter().find(|failure| failure.bit() == bit).unwrap_or(Self::Other(bit))
    }

    /// The name in RFC 3161.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::BadAlg => "badAlg",
            Self::BadRequest => "badRequest",
            Self::BadDataFormat => "badDataFormat",
            Self::TimeNotAvailable => "timeNotAvailable",
            Self::UnacceptedPolicy => "unacceptedPolicy",
            Self::UnacceptedExtension => "unacceptedExtension",
            Self::AddInfoNotAvailable => "addInfoNotAvailable",
            Self::SystemFailure => "systemFailure",
            Self::Other(_) => "unknown",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other(bit) => write!(f, "unknown ({bit})"),
            known => f.write_str(known.word()),
        }
    }
}

/// An answer, read: the token is a span of the received octets and is **not verified**
/// ([`verify_response`](crate::verify::verify_response) does that).
///
/// ```text
/// TimeStampResp ::= SEQUENCE { status PKIStatusInfo, timeStampToken ContentInfo OPTIONAL }
/// PKIStatusInfo ::= SEQUENCE {
///   status       INTEGER,
///   statusString SEQUENCE OF UTF8String OPTIONAL,
///   failInfo     BIT STRING OPTIONAL }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Response<'a> {
    /// What the authority decided.
    pub status: Status,
    /// statusString, joined by `"; "`, control characters replaced by U+FFFD.
    pub text: String,
    /// failInfo, lowest bit first.
    pub failures: Vec<Failure>,
    /// The token, a whole ContentInfo as received; present exactly where the status is granted (T6).
    pub token: Option<&'a [u8]>,
}

/// Reads an answer.
///
/// # Errors
/// [`Error::TooLarge`] over [`Limits::tsa_answer_bytes`]; [`Error::Malformed`]; [`Error::UnknownStatus`];
/// [`Error::StatusAndTokenDisagree`] for a grant without token and for a refusal with one (THREATS T6).
pub fn parse_response<'a>(answer: &'a [u8], limits: &Limits) -> Result<Response<'a>, Error> {
    let limit = limits.tsa_answer_bytes;
    if answer.len() > limit {
        return Err(Error::TooLarge { limit });
    }
    let mut outer = Reader::new(answer, Rules::Ber, limits);
    let mut fields = outer.sequence()?;
    outer.finish()?;
    let mut info = fields.sequence()?;
    let number = info.small()?;
    let text = match info.optional(Tag::SEQUENCE)? {
        Some(strings) => text(&mut strings.reader()?)?,
        None => String::new(),
    };
    let failures = match info.optional(Tag::BIT_STRING)? {
        Some(bits) => failures(bits.bits()?),
        None => Vec::new(),
    };
    info.finish()?;
    let token = fields.optional(Tag::SEQUENCE)?.map(|token| token.bytes());
    fields.finish()?;
    let status = Status::from_number(number).ok_or(Error::UnknownStatus { status: number })?;
    if status.is_granted() != token.is_some() {
        return Err(Error::StatusAndTokenDisagree);
    }
    Ok(Response { status, text, failures, token })
}

/// An answer that carries a token. `token` is a whole ContentInfo.
#[must_use]
pub fn granted(token: &[u8]) -> Vec<u8> {
    w::sequence(&[&w::sequence(&[&w::small(Status::Granted.number())]), token])
}

/// An answer that refuses, with the reason in words and as a bit.
#[must_use]
pub fn rejected(failure: Failure, text: &str) -> Vec<u8> {
    let strings = if text.is_empty() { Vec::new() } else { w::sequence(&[&w::utf8(text)]) };
    let mut bits = [0u8; 32];
    let bit = usize::from(failure.bit());
    if let Some(octet) = bits.get_mut(bit / 8) {
        *octet |= 0x80 >> (bit % 8);
    }
    // X.690 §11.2.2: named bits end with the last one that is set.
    let mut content = vec![7 - failure.bit() % 8];
    content.extend(bits.iter().take(bit / 8 + 1));
    let fail_info = w::tlv(Tag::BIT_STRING, &content);
    w::sequence(&[&w::sequence(&[&w::small(Status::Rejection.number()), &strings, &fail_info])])
}

// Enough for every authority seen, too little to fill a log.
const MAX_TEXT: usize = 1_024;

fn text(strings: &mut Reader<'_>) -> Result<String, TlvError> {
    let mut joined = String::new();
    while !strings.is_empty() {
        let string = strings.expect(Tag::UTF8_STRING)?.text()?;
        if !joined.is_empty() {
            joined.push_str("; ");
        }
        let plain = string.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c });
        joined.extend(plain.take(MAX_TEXT.saturating_sub(joined.len())));
    }
    Ok(joined)
}

fn failures((unused, octets): (u8, &[u8])) -> Vec<Failure> {
    let count = (octets.len() * 8).saturating_sub(usize::from(unused));
    let set = |bit: &u8| {
        let place = usize::from(*bit);
        place < count && octets.get(place / 8).is_some_and(|octet| octet & (0x80 >> (place % 8)) != 0)
    };
    (0..=u8::MAX).filter(set).map(Failure::from_bit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits::default()
    }

    fn token() -> Vec<u8> {
        w::sequence(&[&w::null()])
    }

    #[test]
    fn what_is_written_is_read() {
        let answer = granted(&token());
        let read = parse_response(&answer, &limits()).unwrap();
        assert_eq!((read.status, read.token), (Status::Granted, Some(&token()[..])));
        for failure in Failure::KNOWN {
            let answer = rejected(failure, "no\nthanks");
            let read = parse_response(&answer, &limits()).unwrap();
            assert_eq!((read.status, read.failures), (Status::Rejection, vec![failure]));
            assert_eq!(read.text, "no\u{fffd}thanks");
            assert_eq!(read.token, None);
        }
    }

    // The bits as RFC 3161 §2.4.2 numbers them, written by hand.
    #[test]
    fn failure_bits_are_those_of_rfc_3161() {
        let tail = |failure| {
            let answer = rejected(failure, "");
            answer[answer.len() - 4..].to_vec()
        };
        assert_eq!(tail(Failure::BadAlg), [0x03, 0x02, 0x07, 0x80]);
        assert_eq!(tail(Failure::BadRequest), [0x03, 0x02, 0x05, 0x20]);
        assert_eq!(tail(Failure::BadDataFormat), [0x03, 0x02, 0x02, 0x04]);
        assert!(rejected(Failure::UnacceptedPolicy, "").ends_with(&[0x03, 0x03, 0x00, 0x00, 0x01]));
        assert!(rejected(Failure::UnacceptedExtension, "").ends_with(&[0x03, 0x04, 0x07, 0, 0, 0x80]));
        assert!(rejected(Failure::SystemFailure, "").ends_with(&[0x03, 0x05, 0x06, 0, 0, 0, 0x40]));
    }

    fn answer(status: u64, with_token: bool) -> Vec<u8> {
        let token = if with_token { token() } else { Vec::new() };
        w::sequence(&[&w::sequence(&[&w::small(status)]), &token])
    }

    #[test]
    fn t6_status_and_token_must_agree() {
        for status in 0..=5 {
            let granted = status < 2;
            assert!(parse_response(&answer(status, granted), &limits()).is_ok(), "{status}");
            assert!(
                matches!(
                    parse_response(&answer(status, !granted), &limits()),
                    Err(Error::StatusAndTokenDisagree)
                ),
                "{status}"
            );
        }
        for status in [6, 7, 255, u64::MAX] {
            for with_token in [true, false] {
                let answer = answer(status, with_token);
                let read = parse_response(&answer, &limits());
                assert!(matches!(read, Err(Error::UnknownStatus { status: found }) if found == status));
            }
        }
    }

    #[test]
    fn malformed_answers_are_refused() {
        let good = granted(&token());
        for end in 0..good.len() {
            assert!(parse_response(&good[..end], &limits()).is_err(), "cut at {end}");
        }
        let mut longer = good;
        longer.push(0);
        assert!(parse_response(&longer, &limits()).is_err());
        let not_utf8 = w::sequence(&[&w::tlv(Tag::UTF8_STRING, &[0xff])]);
        let text = w::sequence(&[&w::sequence(&[&w::small(2), &not_utf8])]);
        assert!(parse_response(&text, &limits()).is_err());
        let negative = w::sequence(&[&w::sequence(&[&w::tlv(Tag::INTEGER, &[0x80])])]);
        assert!(parse_response(&negative, &limits()).is_err());
    }

    #[test]
    fn t9_the_size_is_bounded() {
        let room = limits().tsa_answer_bytes;
        let big = granted(&w::sequence(&[&w::octet_string(&vec![0; room])]));
        assert!(matches!(parse_response(&big, &limits()), Err(Error::TooLarge { limit }) if limit == room));
    }

    #[test]
    fn text_is_bounded_and_unknown_bits_are_kept() {
        let long = "x".repeat(5_000);
        let strings = w::sequence(&[&w::utf8(&long), &w::utf8(&long)]);
        let bits = w::tlv(Tag::BIT_STRING, &[0, 0x40]);
        let answer = w::sequence(&[&w::sequence(&[&w::small(2), &strings, &bits])]);
        let read = parse_response(&answer, &limits()).unwrap();
        assert!(read.text.chars().count() <= MAX_TEXT + 2);
        assert_eq!(read.failures, [Failure::Other(1)]);
    }
}
