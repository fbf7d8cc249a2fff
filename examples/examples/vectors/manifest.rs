//! manifest.json.

use std::fmt::Write as _;

use super::{Check, JUDGED_AT, MADE_AT, MAILBOX, Set};

/// One case on a line, so that changes are easy to see.
pub(super) fn json(set: &Set) -> String {
    let mut out = format!(
        "{{\n \"version\": 1,\n \"licence\": \"MIT OR Apache-2.0\",\n \"mailbox\": {},\n \"madeAt\": {},\n \
         \"judgedAt\": {},\n \"anchors\": [\"keys/rsa-ca.crt\", \"keys/p256-ca.crt\", \"keys/sm2-ca.crt\"],\n \
         \"timestampAnchors\": [\"keys/rsa-ca.crt\", \"keys/sm2-ca.crt\"],\n \"cases\": [\n",
        quoted(MAILBOX),
        quoted(MADE_AT),
        quoted(JUDGED_AT),
    );
    for (index, case) in set.cases.iter().enumerate() {
        let mut fields: Vec<(&str, String)> = vec![("file", quoted(&case.file))];
        let check = match &case.check {
            Check::Signed { content, mailbox } => {
                fields.extend(content.map(|content| ("content", quoted(content))));
                if *mailbox != MAILBOX {
                    fields.push(("mailbox", quoted(mailbox)));
                }
                "signed"
            }
            Check::Enveloped { key } => {
                fields.push(("key", quoted(key)));
                "enveloped"
            }
            Check::Mail { keys } => {
                fields.push(("keys", list(keys)));
                "mail"
            }
            Check::Timestamp { request, at } => {
                fields.push(("request", quoted(request)));
                if *at != JUDGED_AT {
                    fields.push(("at", quoted(at)));
                }
                "timestamp"
            }
            Check::Csr { purpose } => {
                fields.push(("purpose", quoted(purpose)));
                "csr"
            }
        };
        fields.insert(1, ("check", quoted(check)));
        fields.push(("algorithm", quoted(case.algorithm)));
        fields.extend(case.derived_from.map(|from| ("derivedFrom", quoted(from))));
        fields.push(("shows", quoted(case.shows)));
        fields.push(("expect", quoted(case.expect)));
        fields.push(("reasons", list(case.reasons)));
        fields.push(("tolerances", list(case.tolerances)));
        fields.extend(case.proven.map(|time| ("provenTime", quoted(time))));
        let fields: Vec<String> =
            fields.iter().map(|(name, value)| format!("{}: {value}", quoted(name))).collect();
        let comma = if index + 1 == set.cases.len() { "" } else { "," };
        // Writing to a String cannot fail.
        let _ = writeln!(out, "  {{{}}}{comma}", fields.join(", "));
    }
    out.push_str(" ]\n}\n");
    out
}

fn list(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    format!("[{}]", words.join(", "))
}

/// A JSON string (RFC 8259 §7).
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            control if control < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}
