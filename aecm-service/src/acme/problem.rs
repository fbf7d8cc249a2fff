//! Problem documents (RFC 7807, RFC 8555 §6.7).

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::net::Answer;

/// The error types of RFC 8555 §6.7 and of the RFCs that add to them.
const ACME: &str = "urn:ietf:params:acme:error:";
/// The error types that only AECM has.
const AECM: &str = "urn:aecm:error:";

/// A refusal: an HTTP status and the document that explains it.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    status: u16,
    space: &'static str,
    kind: &'static str,
    detail: String,
    extra: Map<String, Value>,
    headers: Vec<(&'static str, String)>,
}

impl Problem {
    /// A problem of type `urn:ietf:params:acme:error:{kind}`.
    pub(super) fn new(status: u16, kind: &'static str, detail: impl Into<String>) -> Self {
        Self { status, space: ACME, kind, detail: detail.into(), extra: Map::new(), headers: Vec::new() }
    }

    /// A problem of AECM's own: `urn:aecm:error:{kind}`.
    pub(super) fn aecm(status: u16, kind: &'static str, detail: impl Into<String>) -> Self {
        Self { space: AECM, ..Self::new(status, kind, detail) }
    }

    pub(super) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(400, "malformed", detail)
    }

    pub(super) fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(403, "unauthorized", detail)
    }

    pub(super) fn not_found() -> Self {
        Self::new(404, "malformed", "there is no such resource, or it belongs to another account")
    }

    /// Too much of something; it may be there again after `wait`.
    pub(super) fn rate_limited(detail: impl Into<String>, wait: Duration) -> Self {
        Self::new(429, "rateLimited", detail).header("retry-after", wait.as_secs().max(1).to_string())
    }

    pub(super) fn internal(detail: impl Into<String>) -> Self {
        Self::new(500, "serverInternal", detail)
    }

    /// Adds a member beside `type`, `detail` and `status`.
    pub(super) fn with(mut self, member: &str, value: Value) -> Self {
        self.extra.insert(member.to_owned(), value);
        self
    }

    /// Adds a header field to the answer.
    pub(super) fn header(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The document.
    pub(super) fn to_json(&self) -> Value {
        let mut document = self.extra.clone();
        document.insert("type".to_owned(), json!(format!("{}{}", self.space, self.kind)));
        document.insert("detail".to_owned(), json!(self.detail));
        document.insert("status".to_owned(), json!(self.status));
        Value::Object(document)
    }

    /// The answer.
    pub(super) fn answer(&self) -> Answer {
        let mut headers = vec![("content-type", "application/problem+json".to_owned())];
        headers.extend(self.headers.iter().cloned());
        let body = self.to_json().to_string().into_bytes();
        Answer { status: self.status, headers, body, problem: Some(self.kind) }
    }
}

/// A JSON answer.
pub(super) fn json_answer(status: u16, body: &Value) -> Answer {
    Answer {
        status,
        headers: vec![("content-type", "application/json".to_owned())],
        body: body.to_string().into_bytes(),
        problem: None,
    }
}
