//! Which key for what: the slots of a mailbox, devices, and the keys that filled a slot over time.

use core::fmt;
use core::str::FromStr;

use aecm_core::certificate::Certificate;
use aecm_core::embed::Rng;
use aecm_core::public_key::PublicKey;
use aecm_core::suite::{Level, Purpose, Suite};
use aecm_core::time::Time;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::error::StoreError;

/// A place of a mailbox that one key and its certificate fill at a time.
///
/// Signing and timestamping keys belong to one device each. The encrypting key is one per mailbox and
/// suite, shared by all devices, so an encrypting slot names no device, and its level only says which
/// certificate is asked for (see [`Slot::same_place`]).
///
/// ```
/// use aecm_core::suite::{Level, Purpose, Suite};
/// use aecm_store::{DeviceId, Slot};
///
/// let device: DeviceId = "laptop-1".parse()?;
/// let sign = Slot::new(Suite::Sm2, Purpose::Sign, Level::Mailbox, &device);
/// assert_eq!(sign.to_string(), "sm2-sign-mv@laptop-1");
/// let encrypt = Slot::new(Suite::Classic, Purpose::Encrypt, Level::Mailbox, &device);
/// assert_eq!(encrypt.to_string(), "classic-encrypt-mv");
/// assert_eq!("sm2-sign-mv@laptop-1".parse::<Slot>()?, sign);
/// # Ok::<(), aecm_store::WordError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    /// The algorithm family.
    pub suite: Suite,
    /// What the key is for.
    pub purpose: Purpose,
    /// How well the holder of the certificate is validated.
    pub level: Level,
    /// The device whose key it is; `None` exactly when the purpose is [`Purpose::Encrypt`].
    pub device: Option<DeviceId>,
}

impl Slot {
    /// The slot of that suite, purpose and level on `device`; an encrypting slot forgets the device.
    #[must_use]
    pub fn new(suite: Suite, purpose: Purpose, level: Level, device: &DeviceId) -> Self {
        Self { suite, purpose, level, device: (purpose != Purpose::Encrypt).then(|| device.clone()) }
    }

    /// Whether a certificate installed in one retires the active one of the other.
    ///
    /// Signing and timestamping slots: when they are equal. Encrypting slots: when the suite is equal, since
    /// a mailbox has one encrypting key a suite whatever the level of its certificate.
    #[must_use]
    pub fn same_place(&self, other: &Self) -> bool {
        match (self.purpose, other.purpose) {
            (Purpose::Encrypt, Purpose::Encrypt) => self.suite == other.suite,
            _ => self == other,
        }
    }

    /// Whether the device is there exactly when the purpose wants one.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        self.device.is_some() == (self.purpose != Purpose::Encrypt)
    }
}

/// The word form: suite, purpose and level joined by `-`, then `@` and the device where there is one.
impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.suite, self.purpose, self.level)?;
        self.device.as_ref().map_or(Ok(()), |device| write!(f, "@{device}"))
    }
}

impl FromStr for Slot {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        let wrong = WordError { what: "slot", form: "suite-purpose-level@device, as sm2-sign-mv@laptop-1" };
        let (words, device) = match text.split_once('@') {
            Some((words, device)) => (words, Some(device.parse()?)),
            None => (text, None),
        };
        let mut parts = words.split('-');
        let mut next = || parts.next().unwrap_or_default();
        let suite = Suite::from_word(next()).ok_or(wrong)?;
        let purpose = Purpose::from_word(next()).ok_or(wrong)?;
        let level = Level::from_word(next()).ok_or(wrong)?;
        let slot = Self { suite, purpose, level, device };
        if parts.next().is_some() || !slot.is_well_formed() {
            return Err(wrong);
        }
        Ok(slot)
    }
}

/// The name of a device of the mailbox's owner: 1 to 64 of `a`–`z`, `0`–`9` and `-`.
///
/// A store chooses one at random at first use and keeps it; it is a name, not a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceId(String);

impl DeviceId {
    /// A random name of 16 hexadecimal digits.
    ///
    /// # Errors
    /// [`StoreError::Rng`] when the random source fails.
    pub fn random(rng: &dyn Rng) -> Result<Self, StoreError> {
        let mut octets = [0; 8];
        rng.fill(&mut octets)?;
        Ok(Self(hex(&octets)))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for DeviceId {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if (1..=64).contains(&text.len()) && text.bytes().all(fits) {
            return Ok(Self(text.to_owned()));
        }
        Err(WordError { what: "device", form: "1 to 64 of a-z, 0-9 and -" })
    }
}

/// The name of one key in a store: 128 random bits, as text 32 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 16]);

impl KeyId {
    /// A fresh name.
    ///
    /// # Errors
    /// [`StoreError::Rng`] when the random source fails.
    pub fn random(rng: &dyn Rng) -> Result<Self, StoreError> {
        let mut octets = [0; 16];
        rng.fill(&mut octets)?;
        Ok(Self(octets))
    }

    /// The 16 octets.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&hex(&self.0))
    }
}

impl FromStr for KeyId {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        let wrong = WordError { what: "key id", form: "32 lower-case hexadecimal digits" };
        unhex(text).map(Self).ok_or(wrong)
    }
}

/// What has become of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum EntryState {
    /// Generated; no certificate yet.
    Pending,
    /// Has the certificate that its slot uses now.
    Active,
    /// Replaced. An encrypting key still opens old mail (THREATS E8).
    Retired,
    /// A tombstone: no longer handed out, still exported when asked, until it is purged.
    Removed,
}

impl EntryState {
    /// All four, in the order of a key's life.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Active, Self::Retired, Self::Removed];

    /// The stable word: `pending`, `active`, `retired` or `removed`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Removed => "removed",
        }
    }

    /// The inverse of [`EntryState::word`].
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

impl fmt::Display for EntryState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for EntryState {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        Self::from_word(text).ok_or(WordError { what: "state", form: "pending, active, retired or removed" })
    }
}

/// One key of a mailbox, as the store shows it: everything but the private key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// Its name in the store.
    pub id: KeyId,
    /// The slot it was made for.
    pub slot: Slot,
    /// What has become of it.
    pub state: EntryState,
    /// Its public key.
    pub public_key: PublicKey,
    /// Its certificate, once installed.
    pub certificate: Option<Certificate>,
    /// The certificates above `certificate`, as the authority sent them.
    pub chain: Vec<Certificate>,
    /// Certificates that this same key had before `certificate`, the oldest first: old mail names them as
    /// its recipient.
    pub former: Vec<Certificate>,
    /// When the key was generated.
    pub created: Time,
}

/// A word form that could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WordError {
    what: &'static str,
    form: &'static str,
}

impl fmt::Display for WordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a {}: wanted {}", self.what, self.form)
    }
}

impl core::error::Error for WordError {}

macro_rules! serde_as_word {
    ($($type:ty),*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    )*};
}

serde_as_word!(Slot, DeviceId, KeyId, EntryState);

pub(crate) fn hex(octets: &[u8]) -> String {
    octets
        .iter()
        .flat_map(|octet| [octet >> 4, octet & 15])
        .map(|digit| char::from_digit(u32::from(digit), 16).unwrap_or('0'))
        .collect()
}

/// Exactly 32 lower-case digits, so that a name has one text form.
pub(crate) fn unhex(text: &str) -> Option<[u8; 16]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != 16 || !rest.is_empty() {
        return None;
    }
    let mut octets = [0; 16];
    for (octet, [high, low]) in octets.iter_mut().zip(pairs) {
        *octet = digit(*high)? << 4 | digit(*low)?;
    }
    Some(octets)
}

#[cfg(test)]
mod tests;
