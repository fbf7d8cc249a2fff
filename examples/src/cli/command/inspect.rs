//! `aecm inspect FILE`: what a file is, and what is inside, verified or not.

mod mail;
mod tree;

use std::path::PathBuf;

use aecm_core::limits::Limits;
use clap::Args;
use serde_json::Value;

use crate::cli::args::LimitArgs;
use crate::cli::sniff::{Form, sniff};
use crate::cli::text::Text;
use crate::cli::{Failure, Io, Outcome, input, kind};
use kind::Kind;
use tree::Node;

/// Shows what is inside any file of this world; nothing is verified, and no private octet is shown.
#[derive(Args)]
#[command(after_help = "\
Examples:
  aecm inspect letter.eml
  aecm inspect signature.p7s --json | jq .kind

It reads CMS, certificates, certification requests, CRLs, OCSP responses, keys, PKCS#12, timestamps and mail.")]
pub(in crate::cli) struct Inspect {
    /// Any file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    limits: LimitArgs,
}

impl Inspect {
    pub(in crate::cli) fn run(self, io: &mut Io) -> Result<Outcome, Failure> {
        let limits = self.limits.get();
        let octets = input::read(&self.file, &limits, io)?;
        let mut budget = tree::Budget::new(&limits);
        let (kind, nodes) = match sniff(&octets, &limits) {
            Form::Mail => ("mail".to_owned(), vec![mail::tree(&octets, &limits, &mut budget)?]),
            Form::Asn1(der) => one(&der, &limits, &mut budget)?,
            Form::Pem(blocks) => pem(blocks, &limits, &mut budget)?,
            Form::Unknown => {
                let name = self.file.display();
                let message = format!("{name} is neither mail, PEM, DER nor BER");
                return Err(Failure::error("malformed", message));
            }
        };
        let mut text =
            Text::verdict("valid", &format!("{kind}, as far as it can be read; nothing was verified"));
        nodes.iter().for_each(|node| node.rows(&mut text, 0));
        if budget.is_spent() {
            text.heading("There is more than is shown");
        }
        Ok(Outcome::of("valid")
            .with("kind", kind)
            .with("tree", nodes.into_iter().map(Node::into_json).collect::<Vec<Value>>())
            .with("truncated", budget.is_spent())
            .saying(text.finish()))
    }
}

fn one(der: &[u8], limits: &Limits, budget: &mut tree::Budget) -> Result<(String, Vec<Node>), Failure> {
    let kind = kind::of(der, limits);
    Ok((kind.word().to_owned(), vec![node(der, kind, limits, budget)?]))
}

/// CMS by the fields of its standard, everything else by its tags.
fn node(der: &[u8], kind: Kind, limits: &Limits, budget: &mut tree::Budget) -> Result<Node, Failure> {
    match tree::cms(der, limits, budget) {
        Some(node) if kind.is_cms() => Ok(node),
        _ => tree::asn1(der, limits, kind.is_secret(), budget),
    }
}

/// Every block; the kind is that of the first.
fn pem(
    blocks: Vec<(String, Vec<u8>)>,
    limits: &Limits,
    budget: &mut tree::Budget,
) -> Result<(String, Vec<Node>), Failure> {
    let mut first = None;
    let mut nodes = Vec::new();
    for (label, der) in blocks {
        let der = zeroize::Zeroizing::new(der);
        let kind = kind::of(&der, limits);
        // A label may say more than the octets; what says that it is private is kept private.
        let secret = kind.is_secret() || label.contains("PRIVATE") || label.contains("SECRET");
        let mut node =
            if secret { tree::asn1(&der, limits, true, budget)? } else { node(&der, kind, limits, budget)? };
        node.label = Some(format!("{} ({label})", kind.word()));
        nodes.push(node);
        first.get_or_insert(kind);
    }
    Ok((first.map_or("pem", Kind::word).to_owned(), nodes))
}
