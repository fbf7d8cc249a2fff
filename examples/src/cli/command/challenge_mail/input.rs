//! The two JSON files: what is asked for, and the DNS.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use aecm_core::embed::{TxtError, TxtResolver};
use aecm_core::limits::Limits;
use aecm_core::mailbox::Mailbox;
use aecm_core::time::Time;
use async_trait::async_trait;
use serde::Deserialize;

use crate::cli::{Failure, Io, input as files};

/// What a mail is compared with; `None` is not compared.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// Of `identifier` and of `mailbox`.
    pub(super) mailboxes: Vec<Mailbox>,
    pub(super) from: Option<Mailbox>,
    pub(super) url: Option<String>,
    pub(super) order_created: Option<Time>,
    pub(super) now: Option<Time>,
}

#[derive(Deserialize)]
struct Page {
    identifier: Option<Identifier>,
    challenge: Option<Challenge>,
    mailbox: Option<String>,
    order_created: Option<Moment>,
    now: Option<Moment>,
}

#[derive(Deserialize)]
struct Identifier {
    #[serde(rename = "type")]
    kind: Option<String>,
    value: Option<String>,
}

#[derive(Deserialize)]
struct Challenge {
    #[serde(rename = "type")]
    kind: Option<String>,
    url: Option<String>,
    from: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Moment {
    Text(String),
    Seconds(i64),
}

impl Asked {
    pub(super) fn read(path: &Path, limits: &Limits, io: &mut Io) -> Result<Self, Failure> {
        let text = files::read_text(path, limits, io)?;
        Self::parse(&text).map_err(|why| malformed(path, &why))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let Page { identifier, challenge, mailbox, order_created, now } =
            serde_json::from_str(text).map_err(|error| error.to_string())?;
        let mut asked = Self::default();
        if let Some(Identifier { kind, value }) = identifier {
            if let Some(other) = kind.filter(|kind| kind != "email") {
                return Err(format!(
                    "identifier.type is {other:?}; challenge mails prove identifiers of type email"
                ));
            }
            asked.mailboxes.extend(value.map(|value| address("identifier.value", &value)).transpose()?);
        }
        asked.mailboxes.extend(mailbox.map(|value| address("mailbox", &value)).transpose()?);
        if let Some(Challenge { kind, url, from }) = challenge {
            if let Some(other) = kind.filter(|kind| !kind.starts_with("email-")) {
                return Err(format!("challenge.type is {other:?}, which has no challenge mail"));
            }
            asked.from = from.map(|value| address("challenge.from", &value)).transpose()?;
            asked.url = url.filter(|url| !url.is_empty());
        }
        asked.order_created = order_created.map(|value| moment("order_created", value)).transpose()?;
        asked.now = now.map(|value| moment("now", value)).transpose()?;
        Ok(asked)
    }
}

fn address(member: &str, value: &str) -> Result<Mailbox, String> {
    value.parse().map_err(|error| format!("{member} is no mail address: {error}"))
}

fn moment(member: &str, value: Moment) -> Result<Time, String> {
    match value {
        Moment::Seconds(seconds) => Ok(Time::from_unix(seconds)),
        Moment::Text(text) => Time::from_rfc3339(&text)
            .ok_or_else(|| format!("{member} is no RFC 3339 time like 2026-11-23T08:00:00Z: {text:?}")),
    }
}

fn malformed(path: &Path, why: &str) -> Failure {
    Failure::error("malformed", format!("{}: {why}", path.display()))
}

/// TXT records by name: lower case, without the last dot.
#[derive(Debug)]
pub(super) struct Zone(BTreeMap<String, Vec<Vec<u8>>>);

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
    pub(super) fn read(path: &Path, limits: &Limits, io: &mut Io) -> Result<Self, Failure> {
        let text = files::read_text(path, limits, io)?;
        Self::parse(&text).map_err(|why| malformed(path, &why))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let Pairs(pairs) = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let mut zone = BTreeMap::new();
        for (name, records) in pairs {
            let records = match records {
                Records::One(text) => vec![text.into_bytes()],
                Records::Several(several) => several.into_iter().map(Record::octets).collect(),
            };
            let key = canonical(&name);
            if key.is_empty() {
                return Err("a name is empty".to_owned());
            }
            if zone.insert(key, records).is_some() {
                return Err(format!("{name} stands there twice; give a list of its records"));
            }
        }
        Ok(Self(zone))
    }

    pub(super) fn resolver(self) -> Arc<dyn TxtResolver> {
        Arc::new(self)
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

fn canonical(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

#[async_trait]
impl TxtResolver for Zone {
    async fn txt(&self, name: &str) -> Result<Vec<Vec<u8>>, TxtError> {
        self.0.get(&canonical(name)).filter(|records| !records.is_empty()).cloned().ok_or(TxtError::NoRecords)
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
    use super::*;

    #[test]
    fn what_is_absent_is_not_compared() {
        let asked = Asked::parse("{}").unwrap();
        assert!(asked.mailboxes.is_empty() && asked.from.is_none() && asked.url.is_none());
        assert!(asked.order_created.is_none() && asked.now.is_none());
        let asked = Asked::parse(
            r#"{"identifier":{"type":"email","value":"a@b.example"},"mailbox":"a@b.example","more":1,
                "challenge":{"type":"email-reply-00","url":"https://ca.example/1","from":"c@ca.example","token":"x"},
                "order_created":"2026-11-23T08:00:00Z","now":1795420800}"#,
        )
        .unwrap();
        assert_eq!((asked.mailboxes.len(), asked.now.unwrap().unix()), (2, 1_795_420_800));
    }

    #[test]
    fn wrong_pages_are_told() {
        for wrong in [
            "",
            "[]",
            "{",
            r#"{"identifier":"a@b.example"}"#,
            r#"{"identifier":{"type":"dns","value":"b.example"}}"#,
            r#"{"identifier":{"type":"email","value":"b.example"}}"#,
            r#"{"challenge":{"type":"dns-01"}}"#,
            r#"{"challenge":{"from":"nobody"}}"#,
            r#"{"challenge":{"url":7}}"#,
            r#"{"order_created":"yesterday"}"#,
            r#"{"now":"2026-11-23"}"#,
            r#"{"now":1,"now":2}"#,
            "{} {}",
        ] {
            assert!(Asked::parse(wrong).is_err(), "{wrong}");
        }
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
        assert_eq!(zone.txt("s._DOMAINKEY.a.example").await.unwrap(), [b"x"]);
        assert_eq!(zone.txt("b").await.unwrap(), [b"y".to_vec(), b"zz".to_vec()]);
        assert_eq!(zone.txt("c").await, Err(TxtError::NoRecords));
        assert_eq!(zone.txt("d").await, Err(TxtError::NoRecords));
    }
}
