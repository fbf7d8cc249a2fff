//! The JSON file of `--challenge`: what is asked for.

use std::path::Path;

use aecm_core::limits::Limits;
use aecm_core::mailbox::Mailbox;
use aecm_core::time::Time;
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
    }
}
