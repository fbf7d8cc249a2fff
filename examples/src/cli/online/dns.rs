//! The DNS as a JSON file: name → TXT record, or a list of them.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use aecm_acme::dkim::StaticTxt;
use aecm_core::embed::TxtResolver;
use aecm_core::limits::Limits;
use serde::Deserialize;

use crate::cli::{Failure, Io, input as files};

/// TXT records by name.
#[derive(Debug)]
pub(in crate::cli) struct Zone(StaticTxt);

#[derive(Deserialize)]
#[serde(untagged)]
enum Records {
    One(String),
    Several(Vec<Record>),
}

/// A record is one text, or the character-strings it is made of (RFC 1035 §3.3.14).
#[derive(Deserialize)]
#[serde(untagged)]
enum Record {
    Whole(String),
    Strings(Vec<String>),
}

impl Zone {
    pub(in crate::cli) fn read(path: &Path, limits: &Limits, io: &mut Io) -> Result<Self, Failure> {
        let text = files::read_text(path, limits, io)?;
        Self::parse(&text).map_err(|why| Failure::error("malformed", format!("{}: {why}", path.display())))
    }

    /// A name that stands twice is an error, and none of its records is dropped silently.
    pub(in crate::cli) fn parse(text: &str) -> Result<Self, String> {
        let Pairs(pairs) = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let (mut zone, mut names) = (StaticTxt::default(), BTreeSet::new());
        for (name, records) in pairs {
            let key = name.trim_end_matches('.').to_ascii_lowercase();
            if key.is_empty() {
                return Err("a name is empty".to_owned());
            }
            if !names.insert(key) {
                return Err(format!("{name} stands there twice; give a list of its records"));
            }
            let records = match records {
                Records::One(text) => vec![text.into_bytes()],
                Records::Several(several) => several.into_iter().map(Record::octets).collect(),
            };
            zone = records.into_iter().fold(zone, |zone, record| zone.with(&name, record));
        }
        Ok(Self(zone))
    }

    pub(in crate::cli) fn resolver(self) -> Arc<dyn TxtResolver> {
        Arc::new(self.0)
    }
}

impl Record {
    fn octets(self) -> Vec<u8> {
        match self {
            Self::Whole(text) => text.into_bytes(),
            Self::Strings(strings) => strings.concat().into_bytes(),
        }
    }
}

/// The members of an object as they stand: one that stands twice is not lost.
struct Pairs(Vec<(String, Records)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Pairs;

            fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str("an object of names and TXT records")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use aecm_core::embed::TxtError;

    use super::*;

    #[test]
    fn what_is_no_zone_is_told() {
        for wrong in [
            "",
            "[]",
            r#"{"a":1}"#,
            r#"{"a":[1]}"#,
            r#"{"a":"x","A.":"y"}"#,
            r#"{"":"x"}"#,
            r#"{"a":{"b":"c"}}"#,
        ] {
            assert!(Zone::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn names_are_found_in_any_case_and_with_a_dot() {
        let zone = Zone::parse(r#"{"S._domainkey.A.example.":"x","b":["y",["z","z"]],"c":[]}"#).unwrap();
        assert_eq!(zone.0.txt("s._DOMAINKEY.a.example").await.unwrap(), [b"x"]);
        assert_eq!(zone.0.txt("b").await.unwrap(), [b"y".to_vec(), b"zz".to_vec()]);
        assert_eq!(zone.0.txt("c").await, Err(TxtError::NoRecords));
        assert_eq!(zone.0.txt("d").await, Err(TxtError::NoRecords));
    }
}
