//! How the types of other crates stand in the state: times as seconds, addresses as text, octets as base64url.

use aecm_acme::jws::{decode, encode};
use aecm_core::certificate::Certificate;
use aecm_core::mailbox::Mailbox;
use aecm_core::time::Time;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// For rows of before the time was kept.
pub(super) fn begin() -> Time {
    Time::from_unix(0)
}

pub(super) mod time {
    use super::*;

    pub(in super::super) fn serialize<S: Serializer>(time: &Time, serializer: S) -> Result<S::Ok, S::Error> {
        time.unix().serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Time, D::Error> {
        i64::deserialize(deserializer).map(Time::from_unix)
    }
}

pub(super) mod maybe_time {
    use super::*;

    pub(in super::super) fn serialize<S: Serializer>(
        time: &Option<Time>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        time.map(Time::unix).serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Time>, D::Error> {
        Ok(Option::<i64>::deserialize(deserializer)?.map(Time::from_unix))
    }
}

pub(super) mod mailbox {
    use super::*;

    pub(in super::super) fn serialize<S: Serializer>(
        mailbox: &Mailbox,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        mailbox.as_str().serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Mailbox, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

pub(super) mod octets {
    use super::*;

    pub(in super::super) fn serialize<S: Serializer>(
        octets: &[u8],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        encode(octets).serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        decode(&text).ok_or_else(|| D::Error::custom("not base64url"))
    }
}

pub(super) mod maybe_octets {
    use super::*;

    pub(in super::super) fn serialize<S: Serializer>(
        octets: &Option<Vec<u8>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        octets.as_deref().map(encode).serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Vec<u8>>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| decode(&text).ok_or_else(|| D::Error::custom("not base64url"))).transpose()
    }
}

pub(super) mod certificates {
    use super::*;

    pub(in super::super) fn serialize<S: Serializer>(
        chain: &[Certificate],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let texts: Vec<String> = chain.iter().map(|certificate| encode(certificate.as_der())).collect();
        texts.serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Certificate>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        let read = |text: &String| {
            let der = decode(text).ok_or_else(|| D::Error::custom("not base64url"))?;
            Certificate::from_der(&der).map_err(D::Error::custom)
        };
        texts.iter().map(read).collect()
    }
}
