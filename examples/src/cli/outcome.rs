//! What a command found.

use std::path::PathBuf;

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::failure::Failure;
use super::terminal;

/// What a command found, before it is printed.
#[allow(missing_debug_implementations)] // the content may be a private key
#[derive(Default)]
pub struct Outcome {
    /// The stable word of the verdict.
    pub(super) verdict: &'static str,
    /// Whether the exit status is 0.
    pub(super) accepted: bool,
    /// Stable words: why.
    pub(super) reasons: Vec<String>,
    /// Stable words: what was forgiven.
    pub(super) tolerances: Vec<String>,
    /// Further members of the JSON object.
    pub(super) members: Map<String, Value>,
    /// The same for people.
    pub(super) text: String,
    /// What `--out` or stdout gets.
    pub(super) content: Option<Content>,
}

/// The product of a command.
pub(super) struct Content {
    /// Its octets; wiped, because keys and plaintexts are among them.
    pub(super) octets: Zeroizing<Vec<u8>>,
    /// Where it goes; stdout where nothing is named.
    pub(super) out: Option<PathBuf>,
    /// Whether the file is to be readable by its owner alone.
    pub(super) private: bool,
}

impl Outcome {
    /// An outcome of that verdict; `valid` and `accept` exit with 0.
    pub(super) fn of(verdict: &'static str) -> Self {
        Self { verdict, accepted: matches!(verdict, "valid" | "accept"), ..Self::default() }
    }

    /// Adds a JSON member.
    pub(super) fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.members.insert(member.to_owned(), value.into());
        self
    }

    /// Adds reasons, each once.
    pub(super) fn because<W: Into<String>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        add_once(&mut self.reasons, words);
        self
    }

    /// Adds tolerances, each once.
    pub(super) fn tolerating<W: Into<String>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        add_once(&mut self.tolerances, words);
        self
    }

    /// Says it to people.
    pub(super) fn saying(mut self, text: impl Into<String>) -> Self {
        self.text = text.into();
        self
    }

    /// Hands out a product.
    pub(super) fn giving(mut self, octets: impl Into<Zeroizing<Vec<u8>>>, out: Option<PathBuf>) -> Self {
        self.content = Some(Content { octets: octets.into(), out, private: false });
        self
    }

    /// The product is a secret: its file is its owner's alone.
    pub(super) fn privately(mut self) -> Self {
        if let Some(content) = &mut self.content {
            content.private = true;
        }
        self
    }

    /// The exit status.
    pub(super) fn status(&self) -> u8 {
        match self.verdict {
            "error" | "limit" => 2,
            _ if self.accepted => 0,
            _ => 1,
        }
    }

    /// The JSON object.
    pub(super) fn json(&self) -> Value {
        let mut object = self.members.clone();
        object.insert("verdict".to_owned(), self.verdict.into());
        object.insert("reasons".to_owned(), self.reasons.clone().into());
        object.insert("tolerances".to_owned(), self.tolerances.clone().into());
        Value::Object(object)
    }
}

impl From<Failure> for Outcome {
    fn from(failure: Failure) -> Self {
        let Failure { verdict, reason, message } = failure;
        let message = terminal::words(&message);
        Self::of(verdict).because([reason]).with("message", message.clone()).saying(message)
    }
}

fn add_once<W: Into<String>>(to: &mut Vec<String>, words: impl IntoIterator<Item = W>) {
    for word in words {
        let word = word.into();
        if !to.contains(&word) {
            to.push(word);
        }
    }
}
