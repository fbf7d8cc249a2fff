//! Key records (RFC 6376 §3.6.1): the TXT record under `selector._domainkey.domain`.

use std::fmt;

use aecm_core::oid;
use aecm_core::public_key::{KeyKind, PublicKey};
use aecm_core::tlv::write;

use super::tag_list::{TagList, base64, colon_list};

/// A usable key record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    /// The key, always RSA.
    pub key: PublicKey,
    /// The size of its modulus, in bits.
    pub bits: usize,
    /// `t=s`: the domain of `i=` must be `d=` itself.
    pub exact_domain: bool,
    /// `t=y`: the domain is only testing DKIM; its signatures prove nothing (THREATS C1).
    pub testing: bool,
}

/// Why a key record gives no key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyRecordError {
    /// The name has records, but none is a key record.
    NotAKeyRecord,
    /// The name has more than one key record; the RFC leaves open which one counts (§3.6.2.2).
    Ambiguous,
    /// `p=` is empty: the key was revoked.
    Revoked,
    /// `k=` is not rsa.
    KeyType {
        /// The value of `k=`.
        key_type: String,
    },
    /// `h=` does not allow SHA-256.
    HashNotAllowed,
    /// `s=` does not allow mail.
    ServiceNotAllowed,
    /// `p=` does not hold an RSA key of 1,024 to 8,192 bits.
    Key,
}

impl fmt::Display for KeyRecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAKeyRecord => f.write_str("no DKIM key record under the name"),
            Self::Ambiguous => f.write_str("more than one DKIM key record under the name"),
            Self::Revoked => f.write_str("the DKIM key is revoked"),
            Self::KeyType { key_type } => {
                write!(f, "the DKIM key is of type {key_type:?}, only rsa is known")
            }
            Self::HashNotAllowed => f.write_str("the DKIM key record does not allow sha256"),
            Self::ServiceNotAllowed => f.write_str("the DKIM key record is not for email"),
            Self::Key => f.write_str("the DKIM key record has no RSA key of 1,024 to 8,192 bits"),
        }
    }
}

impl std::error::Error for KeyRecordError {}

impl KeyRecordError {
    /// The reason as one kebab-case word.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::NotAKeyRecord => "dkim-no-key",
            Self::Ambiguous => "dkim-key-ambiguous",
            Self::Revoked => "dkim-key-revoked",
            Self::KeyType { .. } => "dkim-key-type-unsupported",
            Self::HashNotAllowed | Self::ServiceNotAllowed => "dkim-key-not-for-this",
            Self::Key => "dkim-key-malformed",
        }
    }
}

impl KeyRecord {
    /// Picks the one key record among the TXT records of a name and reads it.
    ///
    /// # Errors
    /// [`KeyRecordError`] when there is none, more than one, or it does not allow what is checked here.
    pub fn select(records: &[Vec<u8>]) -> Result<Self, KeyRecordError> {
        let mut found = None;
        for record in records {
            match Self::parse(record) {
                Err(KeyRecordError::NotAKeyRecord) => {}
                _ if found.is_some() => return Err(KeyRecordError::Ambiguous),
                parsed => found = Some(parsed),
            }
        }
        found.unwrap_or(Err(KeyRecordError::NotAKeyRecord))
    }

    /// Reads one TXT record, its character-strings joined.
    ///
    /// # Errors
    /// [`KeyRecordError`], [`NotAKeyRecord`](KeyRecordError::NotAKeyRecord) also for tag lists that break the
    /// grammar or have no `p=`.
    pub fn parse(record: &[u8]) -> Result<Self, KeyRecordError> {
        let tags = TagList::parse(record).map_err(|_| KeyRecordError::NotAKeyRecord)?;
        if let Some(version) = tags.get("v")
            && (version != "DKIM1" || tags.first_name() != Some("v"))
        {
            return Err(KeyRecordError::NotAKeyRecord);
        }
        let key = tags.get("p").ok_or(KeyRecordError::NotAKeyRecord)?;
        let key_type = tags.get("k").unwrap_or("rsa");
        if !key_type.eq_ignore_ascii_case("rsa") {
            return Err(KeyRecordError::KeyType { key_type: key_type.to_owned() });
        }
        if key.is_empty() {
            return Err(KeyRecordError::Revoked);
        }
        let lists = |tag: &str, wanted: &[&str]| {
            tags.get(tag).is_none_or(|value| {
                colon_list(value).any(|item| wanted.iter().any(|word| item.eq_ignore_ascii_case(word)))
            })
        };
        if !lists("h", &["sha256"]) {
            return Err(KeyRecordError::HashNotAllowed);
        }
        if !lists("s", &["*", "email"]) {
            return Err(KeyRecordError::ServiceNotAllowed);
        }
        let flag =
            |wanted: &str| tags.get("t").is_some_and(|value| colon_list(value).any(|flag| flag == wanted));
        let key = base64(key).and_then(|octets| rsa_key(&octets)).ok_or(KeyRecordError::Key)?;
        let KeyKind::Rsa { bits } = key.kind() else { return Err(KeyRecordError::Key) };
        Ok(Self { key, bits, exact_domain: flag("s"), testing: flag("y") })
    }

    /// The record a domain publishes for `key`: `v=DKIM1; k=rsa; p=…`.
    #[must_use]
    pub fn text(key: &PublicKey) -> String {
        use base64ct::Encoding;
        format!("v=DKIM1; k=rsa; p={}", base64ct::Base64::encode_string(key.spki_der()))
    }
}

/// `p=` holds a SubjectPublicKeyInfo in practice and an RSAPublicKey by the letter (§3.6.1 with its erratum).
fn rsa_key(octets: &[u8]) -> Option<PublicKey> {
    PublicKey::from_spki_der(octets).ok().or_else(|| {
        let null = write::null();
        let algorithm = write::algorithm(&oid::RSA_ENCRYPTION, Some(&null));
        PublicKey::from_spki_der(&write::sequence(&[&algorithm, &write::bit_string(octets)])).ok()
    })
}
