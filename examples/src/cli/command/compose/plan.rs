//! What was decided about a mail, and why.

use aecm::core::certificate::Certificate;
use aecm::core::mailbox::Mailbox;
use aecm::smime::encrypt::Transport;
use aecm::{Composed, Stamp};
use serde_json::{Value, json};

use crate::cli::online::people::People;
use crate::cli::show::hex;

/// The plan as JSON members and as text.
pub(super) struct Told {
    pub(super) members: Vec<(&'static str, Value)>,
    /// What was asked for and is not there.
    pub(super) reasons: Vec<&'static str>,
    pub(super) text: String,
}

pub(super) fn tell(composed: &Composed, author: &Mailbox, people: &People) -> Told {
    let signature = composed.signature_algorithm.map(aecm::core::signature::SignatureAlgorithm::name);
    let why: Vec<Value> = composed
        .reasons
        .iter()
        .map(|reason| json!({ "reason": reason.word(), "text": reason.to_string() }))
        .collect();
    let reader = |mailbox: &Mailbox, certificate: &Certificate, transport: Transport| {
        // The sender's copy is encrypted to the vault's own certificate, the others to one that was found.
        let source = if mailbox == author {
            "own"
        } else if people.is_given(certificate) {
            "given"
        } else {
            "service"
        };
        json!({
            "mailbox": mailbox.to_string(),
            "serial": hex(certificate.serial()),
            "sha256": hex(&certificate.sha256()),
            "not_after": certificate.not_after().to_string(),
            "transport": transport_word(transport),
            "source": source,
        })
    };
    let recipients: Vec<Value> = composed
        .plan
        .iter()
        .flat_map(|plan| &plan.recipients)
        .map(|recipient| reader(&recipient.mailbox, &recipient.certificate, recipient.transport))
        .collect();
    let time = match &composed.stamp {
        Some(Stamp::Stamped) => json!({ "stamped": true, "reason": null }),
        Some(Stamp::Failed(error)) => {
            json!({ "stamped": false, "reason": error.word(), "text": error.to_string() })
        }
        None => json!({ "stamped": false, "reason": "not-asked-for" }),
    };
    let plan = json!({
        "suite": composed.plan.as_ref().map(|plan| plan.suite.word()),
        "cipher": composed.plan.as_ref().map(|plan| plan.cipher.word()),
        "form": composed.plan.as_ref().map(|plan| plan.form.word()),
        "signature": signature,
        "recipients": recipients,
        "time": time,
        "why": why,
    });
    let text = text(composed, &plan, signature);
    let reasons = match &composed.stamp {
        Some(Stamp::Failed(error)) => vec![error.word()],
        _ => Vec::new(),
    };
    Told { members: vec![("plan", plan)], reasons, text }
}

fn text(composed: &Composed, plan: &Value, signature: Option<&str>) -> String {
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let mut text = String::new();
    let encrypted = composed.plan.as_ref().map_or_else(
        || "not encrypted".to_owned(),
        |chosen| {
            format!("encrypted with {} in suite {}, {}", chosen.cipher.word(), chosen.suite, chosen.form)
        },
    );
    text.push_str(&format!("signed with {}; {encrypted}\n", signature.unwrap_or("nothing")));
    for recipient in plan["recipients"].as_array().into_iter().flatten() {
        let (mailbox, serial) = (word(&recipient["mailbox"]), word(&recipient["serial"]));
        let (transport, source) = (word(&recipient["transport"]), word(&recipient["source"]));
        text.push_str(&format!("  for {mailbox}, certificate {serial} ({source}), {transport}\n"));
    }
    match &composed.stamp {
        Some(Stamp::Stamped) => text.push_str("  timestamped\n"),
        Some(Stamp::Failed(error)) => text.push_str(&format!("  not timestamped: {error}\n")),
        None => {}
    }
    for reason in &composed.reasons {
        text.push_str(&format!("  because {reason}\n"));
    }
    text
}

const fn transport_word(transport: Transport) -> &'static str {
    match transport {
        Transport::RsaOaepSha256 => "rsa-oaep-sha256",
        Transport::RsaPkcs1 => "rsa-pkcs1",
        Transport::Sm2 => "sm2",
        _ => "unknown",
    }
}
