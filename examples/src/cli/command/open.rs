//! `aecm open FILE`: a mail through all its layers, with one verdict on the whole.

use std::path::PathBuf;

use aecm_core::digest::DigestAlgorithm;
use aecm_core::mailbox::Mailbox;
use aecm_smime::decrypt::DecryptError;
use aecm_smime::mime::{ProtectedHeaders, ProtectionMode};
use aecm_smime::open::{Layer, OpenError, OpenOptions, Opened, SignedLayer, open};
use aecm_smime::verify::{TimeReport, Verdict};
use clap::Args;
use serde_json::{Map, Value, json};

use super::decrypt::{opener, opener_text};
use super::verify::mailbox;
use crate::cli::args::OutArgs;
use crate::cli::keys::KeyArgs;
use crate::cli::message::{self, Message};
use crate::cli::online::stop::settle;
use crate::cli::online::vault::{Holdings, VaultArgs};
use crate::cli::recipients::Recipients;
use crate::cli::secrets::SecretArgs;
use crate::cli::show::hex;
use crate::cli::text::Text;
use crate::cli::verifying::VerifyArgs;
use crate::cli::{Failure, Io, Outcome, judged, recipients, runtime};

/// Opens a mail: decrypts and verifies every layer, from the outside in.
#[derive(Args)]
#[command(after_help = "\
Examples:
  aecm open letter.eml --key me.key --cert me.crt --trust ca.crt --out letter.txt
  aecm open letter.eml --key me.key --cert me.crt --trust ca.crt --tsa-trust tsa.crt --json
  aecm open letter.eml --store alice --store-password-file password --out letter.txt

--out gets the innermost entity, header and body. Content for which neither a tag nor a valid signature vouches is
held back unless --accept-unauthenticated asks for it.")]
pub(in crate::cli) struct Open {
    /// The mail
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The mailbox that should have signed, instead of the mail's From
    #[arg(long, value_name = "ADDR", value_parser = mailbox)]
    email: Option<Mailbox>,
    /// A mailing list that may stand in the outer From; may be given several times
    #[arg(long, value_name = "ADDR", value_parser = mailbox)]
    rewriter: Vec<Mailbox>,
    /// Hand out content that anybody may have changed
    #[arg(long)]
    accept_unauthenticated: bool,
    #[command(flatten)]
    keys: KeyArgs,
    #[command(flatten)]
    secrets: SecretArgs,
    #[command(flatten)]
    vault: VaultArgs,
    #[command(flatten)]
    out: OutArgs,
    #[command(flatten)]
    trust: VerifyArgs,
}

impl Open {
    pub(in crate::cli) fn run(self, io: &mut Io) -> Result<Outcome, Failure> {
        let mut judge = self.trust.read(io)?;
        let mut vault = match self.vault.read(io) {
            Ok(vault) => vault,
            Err(stop) => return Ok(settle(Err(stop))),
        };
        if let Some(vault) = &vault {
            let (own_trust, own_tsa) = (!self.trust.trust.is_empty(), !self.trust.tsa_trust.is_empty());
            vault.instruct(&mut judge, own_trust, own_tsa);
        }
        let limits = &judge.policy.limits;
        let keys = match &mut vault {
            Some(vault) => Recipients { named: core::mem::take(&mut vault.recipients), bare: Vec::new() },
            None => recipients::read(&self.keys, limits, io)?,
        };
        let (secret_keys, passwords) = (self.secrets.keys(), self.secrets.passwords(io)?);
        let Message::Mail(mail) = message::read(&self.file, limits, io)? else {
            let why = "a mail is wanted, and this is bare CMS: see aecm verify and aecm decrypt";
            return Err(Failure::error("wrong-kind", why));
        };
        let mut options = OpenOptions::new(&judge.anchors, &judge.policy)
            .keys(&keys.named)
            .bare_keys(&keys.bare)
            .decompress(true)
            .intermediates(&judge.intermediates)
            .at(judge.at)
            .path_policies(judge.policies.clone())
            .revocation(judge.revocation.clone())
            .secret_keys(&secret_keys)
            .passwords(&passwords)
            .sm2_form(self.trust.judging.order.form())
            .timestamps(&judge.timestamps)
            .rewriters(&self.rewriter)
            .accept_unauthenticated(self.accept_unauthenticated);
        if let Some(email) = &self.email {
            options = options.email(email);
        }
        let opened = runtime::block_on(open(&mail, &options))?;
        if let (Err(OpenError::Decrypt(DecryptError::NoMatchingKey)), Some(stop)) =
            (&opened, vault.as_mut().and_then(Holdings::instead))
        {
            return Ok(settle(Err(stop)));
        }
        let opened = opened?;
        Ok(outcome(opened, self.accept_unauthenticated, self.out.out))
    }
}

fn outcome(opened: Opened, accept_unauthenticated: bool, out: Option<PathBuf>) -> Outcome {
    let reasons = judged::words(&opened.reasons);
    let tolerances = judged::tolerances(&opened.tolerances);
    let digest = opened.content.as_ref().map(|content| hex(&DigestAlgorithm::Sha256.digest(content)));
    let time = TimeReport {
        claimed: opened.sent_at.claimed,
        proven: opened.sent_at.proven,
        authority: opened.sent_at.authority.clone(),
        trust: opened.sent_at.trust,
        self_asserted: Vec::new(),
    };
    let layers: Vec<Value> = opened.layers.iter().map(layer_json).collect();
    let text = text(&opened, &time, &reasons, &tolerances);
    let mut outcome = Outcome::of(opened.verdict.word())
        .with("layers", layers)
        .with("protected_headers", opened.protected_headers.as_ref().map_or(Value::Null, headers))
        .with(
            "header_protection",
            opened.protected_headers.as_ref().map_or(Value::Null, |headers| mode(headers.mode).into()),
        )
        .with("from", json!(opened.from.as_ref().map(ToString::to_string)))
        .with("time", judged::time(&time))
        .with("inner_parts", opened.inner_parts)
        .with("content_sha256", json!(digest))
        .because(reasons)
        .tolerating(tolerances)
        .saying(text);
    outcome.accepted |= opened.verdict == Verdict::Unauthenticated && accept_unauthenticated;
    match (out, opened.content) {
        (Some(out), Some(content)) => outcome.giving(content, Some(out)),
        _ => outcome,
    }
}

/// A layer with the members of the command that reads one such layer. The digest is that of what lies inside.
fn layer_json(layer: &Layer) -> Value {
    match layer {
        Layer::Encrypted(layer) => json!({
            "kind": "encrypted",
            "verdict": layer.verdict().word(),
            "reasons": judged::words(layer.reasons()),
            "recipient": opener(&layer.opened_by),
            "cipher": layer.cipher.word(),
            "authenticated": layer.authenticated,
            "form": layer.form.word(),
            "content_sha256": layer.content_sha256.map(|digest| hex(&digest)),
            "tolerances": judged::tolerances(&layer.tolerances),
        }),
        Layer::Signed(SignedLayer { clear, report, tolerances, .. }) => json!({
            "kind": "signed",
            "clear": clear,
            "verdict": report.verdict.word(),
            "reasons": judged::words(&report.all_reasons()),
            "signers": report.signers.iter().map(judged::signer).collect::<Vec<Value>>(),
            "time": judged::time(&judged::time_of(report)),
            "form": report.form.word(),
            "content_sha256": report.content_sha256.map(|digest| hex(&digest)),
            "tolerances": judged::tolerances(tolerances),
        }),
        Layer::Compressed(layer) => json!({
            "kind": "compressed",
            "octets": { "before": layer.octets.0, "after": layer.octets.1 },
            "content_sha256": hex(&layer.content_sha256),
            "tolerances": judged::tolerances(&layer.tolerances),
        }),
        Layer::Unsupported { kind } => json!({ "kind": "unsupported", "name": kind.to_string() }),
        _ => json!({ "kind": "unsupported", "name": Value::Null }),
    }
}

/// Name to value; a field that stands several times has a list.
fn headers(headers: &ProtectedHeaders) -> Value {
    let mut map: Map<String, Value> = Map::new();
    for (name, value) in &headers.fields {
        let value = Value::from(value.clone());
        match map.get_mut(name) {
            None => {
                map.insert(name.clone(), value);
            }
            Some(Value::Array(list)) => list.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    Value::Object(map)
}

const fn mode(mode: ProtectionMode) -> &'static str {
    match mode {
        ProtectionMode::Clear => "clear",
        ProtectionMode::Cipher => "cipher",
        ProtectionMode::Wrapped => "wrapped",
        _ => "unknown",
    }
}

fn text(opened: &Opened, time: &TimeReport, reasons: &[String], tolerances: &[String]) -> String {
    let mut text = Text::explained(opened.verdict.word());
    text.row("from", opened.from.as_ref().map_or(String::new(), ToString::to_string));
    judged::time_text(&mut text, time);
    let size = |content: &[u8]| format!("{} octets", content.len());
    let held_back =
        if opened.withheld { "held back: nothing vouches for it".to_owned() } else { String::new() };
    text.row("content", opened.content.as_ref().map_or(held_back, |content| size(content)));
    for (number, layer) in (1..).zip(&opened.layers) {
        match layer {
            Layer::Encrypted(layer) => {
                text.heading(&format!("Layer {number}: encrypted"));
                text.row("recipient", opener_text(&layer.opened_by));
                text.row("cipher", layer.cipher.word());
                text.row("form", layer.form.word());
            }
            Layer::Signed(layer) => {
                text.heading(&format!("Layer {number}: signed, {}", layer.report.verdict));
                text.row("form", layer.report.form.word());
                for (number, signer) in (1..).zip(&layer.report.signers) {
                    judged::signer_text(&mut text, number, signer);
                }
            }
            Layer::Compressed(layer) => {
                text.heading(&format!("Layer {number}: compressed, which protects nothing"));
                text.row("octets", format!("{}, before {}", layer.octets.1, layer.octets.0));
            }
            Layer::Unsupported { kind } => text.heading(&format!("Layer {number}: {kind}, not opened here")),
            _ => text.heading(&format!("Layer {number}: of an unknown kind")),
        }
    }
    if let Some(headers) = &opened.protected_headers {
        text.heading("Protected header fields");
        headers.fields.iter().for_each(|(name, value)| text.row(name, value));
    }
    text.because(reasons, tolerances);
    text.finish()
}
