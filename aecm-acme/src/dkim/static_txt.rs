//! TXT records from a file instead of the DNS: for tests, and for machines without a resolver.

use std::collections::BTreeMap;

use aecm_core::embed::{TxtError, TxtResolver};
use serde::Deserialize;

/// TXT records that are known beforehand, by name.
///
/// Whoever writes them decides which challenge mails are genuine: they come from the operator, never from mail.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use aecm_acme::dkim::StaticTxt;
/// use aecm_core::embed::TxtResolver;
///
/// let records = StaticTxt::from_json(br#"{"s._domainkey.ca.example": "v=DKIM1; p=AAAA"}"#)?;
/// assert_eq!(records.txt("S._domainkey.CA.example.").await.unwrap(), [b"v=DKIM1; p=AAAA"]);
/// assert!(records.txt("other.example").await.is_err());
/// # Ok::<(), aecm_acme::dkim::StaticTxtError>(()) }).unwrap();
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StaticTxt {
    records: BTreeMap<String, Vec<Vec<u8>>>,
}

/// Not a JSON object from names to a text or a list of texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaticTxtError {
    detail: String,
}

impl core::fmt::Display for StaticTxtError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            f,
            "not TXT records as JSON, an object from names to a text or a list of texts: {}",
            self.detail
        )
    }
}

impl core::error::Error for StaticTxtError {}

/// One record, or several of one name.
#[derive(Deserialize)]
#[serde(untagged)]
enum Texts {
    One(String),
    Several(Vec<String>),
}

impl StaticTxt {
    /// Reads an object from names to a text or a list of texts. Each text is one record, its character-strings
    /// joined.
    ///
    /// # Errors
    /// [`StaticTxtError`].
    pub fn from_json(json: &[u8]) -> Result<Self, StaticTxtError> {
        let read: BTreeMap<String, Texts> =
            serde_json::from_slice(json).map_err(|error| StaticTxtError { detail: error.to_string() })?;
        let mut records = Self::default();
        for (name, texts) in read {
            match texts {
                Texts::One(text) => records = records.with(&name, text),
                Texts::Several(texts) => {
                    records = texts.into_iter().fold(records, |records, text| records.with(&name, text));
                }
            }
        }
        Ok(records)
    }

    /// Adds a record.
    #[must_use]
    pub fn with(mut self, name: &str, text: impl Into<Vec<u8>>) -> Self {
        self.records.entry(canonical(name)).or_default().push(text.into());
        self
    }
}

/// Names are compared without case (RFC 4343) and with or without the final dot.
fn canonical(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

#[cfg_attr(not(target_family = "wasm"), async_trait::async_trait)]
#[cfg_attr(target_family = "wasm", async_trait::async_trait(?Send))]
impl TxtResolver for StaticTxt {
    async fn txt(&self, name: &str) -> Result<Vec<Vec<u8>>, TxtError> {
        self.records.get(&canonical(name)).cloned().ok_or(TxtError::NoRecords)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_lists_are_read_and_nothing_else() {
        let read = StaticTxt::from_json(br#"{"a.example": ["one", "two"], "B.example.": "three"}"#).unwrap();
        let expected =
            StaticTxt::default().with("a.example", "one").with("A.example", "two").with("b.example", "three");
        assert_eq!(read, expected);
        for wrong in ["", "[]", r#"{"a": 1}"#, r#"{"a": [["x"]]}"#, r#"{"a": null}"#, r#"{"a": "x"} more"#] {
            assert!(StaticTxt::from_json(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
