//! What a token says: TSTInfo (RFC 3161 §2.4.2).

use core::time::Duration;

use aecm_core::digest::DigestAlgorithm;
use aecm_core::limits::Limits;
use aecm_core::oid::ObjectIdentifier;
use aecm_core::time::Time;
use aecm_core::tlv::{Reader, Rules, Tag, TlvError, write as w};

use crate::request::{imprint_der, read_imprint, unsigned};

// RFC 3161 §2.4.2: users must be ready for 160 bits.
pub(crate) const MAX_SERIAL: usize = 20;

/// The content of a token.
///
/// ```text
/// TSTInfo ::= SEQUENCE {
///   version        INTEGER { v1(1) },
///   policy         TSAPolicyId,
///   messageImprint MessageImprint,
///   serialNumber   INTEGER,
///   genTime        GeneralizedTime,
///   accuracy       Accuracy OPTIONAL,
///   ordering       BOOLEAN DEFAULT FALSE,
///   nonce          INTEGER OPTIONAL,
///   tsa            [0] GeneralName OPTIONAL,
///   extensions     [1] IMPLICIT Extensions OPTIONAL }
///
/// Accuracy ::= SEQUENCE { seconds INTEGER OPTIONAL, millis [0] INTEGER (1..999) OPTIONAL,
///                         micros [1] INTEGER (1..999) OPTIONAL }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TstInfo {
    /// The authority's policy.
    pub policy: ObjectIdentifier,
    /// The digest algorithm of the imprint; `None` for one that is not known here.
    pub digest: Option<DigestAlgorithm>,
    /// The digest that was stamped.
    pub imprint: Vec<u8>,
    /// The token's serial number, unsigned big-endian.
    pub serial: Vec<u8>,
    /// When it was stamped, cut to the second.
    pub gen_time: Time,
    /// What genTime says beyond the second, in nanoseconds.
    pub nanoseconds: u32,
    /// How far `gen_time` may be off; `None` when the authority does not say.
    pub accuracy: Option<Duration>,
    /// Whether two tokens of this authority are ordered by `gen_time` alone.
    pub ordering: bool,
    /// The nonce of the request, unsigned big-endian.
    pub nonce: Option<Vec<u8>>,
}

/// What is wrong with a TSTInfo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TstInfoError {
    Malformed(TlvError),
    Version,
    Serial,
    Accuracy,
    Nonce,
    CriticalExtension(ObjectIdentifier),
}

impl core::fmt::Display for TstInfoError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Malformed(error) => write!(f, "TSTInfo is malformed: {error}"),
            Self::Version => f.write_str("TSTInfo is not of version 1"),
            Self::Serial => write!(f, "the serial number is negative or longer than {MAX_SERIAL} octets"),
            Self::Nonce => f.write_str("the nonce is negative"),
            Self::Accuracy => f.write_str("a part of accuracy is out of its range"),
            Self::CriticalExtension(oid) => write!(f, "TSTInfo has the unknown critical extension {oid}"),
        }
    }
}

impl From<TlvError> for TstInfoError {
    fn from(error: TlvError) -> Self {
        Self::Malformed(error)
    }
}

impl TstInfo {
    /// Reads the content of a token, strict DER (T8).
    pub(crate) fn parse(der: &[u8], limits: &Limits) -> Result<Self, TstInfoError> {
        let mut outer = Reader::new(der, Rules::Der, limits);
        let mut reader = outer.sequence()?;
        outer.finish()?;
        if reader.small()? != 1 {
            return Err(TstInfoError::Version);
        }
        let policy = reader.oid()?;
        let (digest, imprint) = read_imprint(&mut reader)?;
        let serial = unsigned(reader.integer()?).map_err(|_| TstInfoError::Serial)?;
        if serial.len() > MAX_SERIAL {
            return Err(TstInfoError::Serial);
        }
        let (gen_time, nanoseconds) = reader.generalized_time()?;
        let accuracy = match reader.optional(Tag::SEQUENCE)? {
            Some(found) => Some(accuracy(&mut found.reader()?)?),
            None => None,
        };
        let ordering = reader.peek()? == Some(Tag::BOOLEAN) && reader.boolean()?;
        let nonce = match reader.peek()? {
            Some(Tag::INTEGER) => Some(unsigned(reader.integer()?).map_err(|_| TstInfoError::Nonce)?),
            _ => None,
        };
        reader.context(0)?;
        if let Some(extensions) = reader.context(1)? {
            refuse_critical(&mut extensions.reader()?)?;
        }
        reader.finish()?;
        Ok(Self { policy, digest, imprint, serial, gen_time, nanoseconds, accuracy, ordering, nonce })
    }

    /// The content of a token in DER. `digest` has to be known: `None` gives `None`.
    pub(crate) fn to_der(&self) -> Option<Vec<u8>> {
        let mut parts = vec![
            w::small(1),
            w::oid(&self.policy),
            imprint_der(self.digest?, &self.imprint),
            w::integer_bytes(&self.serial),
            gen_time_der(self.gen_time, self.nanoseconds),
        ];
        parts.extend(self.accuracy.map(accuracy_der));
        if self.ordering {
            parts.push(w::boolean(true));
        }
        parts.extend(self.nonce.as_deref().map(w::integer_bytes));
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        Some(w::sequence(&parts))
    }
}

/// A GeneralizedTime whose fraction has no trailing zeros (RFC 3161 §2.4.2).
fn gen_time_der(time: Time, nanoseconds: u32) -> Vec<u8> {
    let whole = w::generalized_time(time);
    // Identifier, length, 14 digits, Z.
    let (Some(digits), 1..=999_999_999) = (whole.get(2..16), nanoseconds) else { return whole };
    let fraction = format!("{nanoseconds:09}");
    let fraction = fraction.trim_end_matches('0');
    w::tlv(Tag::GENERALIZED_TIME, &[digits, b".", fraction.as_bytes(), b"Z"].concat())
}

/// Parts that are zero are left out; what is finer than a microsecond is rounded up.
fn accuracy_der(accuracy: Duration) -> Vec<u8> {
    let micros = accuracy.as_nanos().div_ceil(1_000);
    let part = |unit: u128, modulus: u128| u64::try_from(micros / unit % modulus).unwrap_or(0);
    let (seconds, millis, micros) = (part(1_000_000, u128::MAX), part(1_000, 1_000), part(1, 1_000));
    let mut parts = Vec::new();
    if seconds > 0 || (millis == 0 && micros == 0) {
        parts.push(w::small(seconds));
    }
    for (number, value) in [(0, millis), (1, micros)] {
        if value > 0 {
            let integer = w::small(value);
            // Both are at most 999: identifier and length are one octet each.
            parts.push(w::tlv(Tag::context_primitive(number), integer.get(2..).unwrap_or_default()));
        }
    }
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    w::sequence(&parts)
}

fn accuracy(reader: &mut Reader<'_>) -> Result<Duration, TstInfoError> {
    let seconds = if reader.peek()? == Some(Tag::INTEGER) { reader.small()? } else { 0 };
    let mut part = |number: u32| -> Result<u64, TstInfoError> {
        match reader.context(number)? {
            None => Ok(0),
            Some(found) => match found.content() {
                [octet @ 1..=0x7f] => Ok(u64::from(*octet)),
                [0, octet @ 0x80..=0xff] => Ok(u64::from(*octet)),
                [high @ 1..=3, low] => Some(u64::from(*high) << 8 | u64::from(*low))
                    .filter(|value| *value <= 999)
                    .ok_or(TstInfoError::Accuracy),
                _ => Err(TstInfoError::Accuracy),
            },
        }
    };
    let (millis, micros) = (part(0)?, part(1)?);
    reader.finish()?;
    Duration::from_secs(seconds)
        .checked_add(Duration::from_millis(millis) + Duration::from_micros(micros))
        .ok_or(TstInfoError::Accuracy)
}

fn refuse_critical(reader: &mut Reader<'_>) -> Result<(), TstInfoError> {
    while !reader.is_empty() {
        let mut extension = reader.sequence()?;
        let oid = extension.oid()?;
        if extension.peek()? == Some(Tag::BOOLEAN) && extension.boolean()? {
            return Err(TstInfoError::CriticalExtension(oid));
        }
        extension.octet_string()?;
        extension.finish()?;
    }
    Ok(())
}
