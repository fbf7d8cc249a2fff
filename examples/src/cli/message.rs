//! The message a command works on: a mail, or CMS in DER, BER or PEM.

use std::path::Path;

use aecm_core::limits::Limits;
use zeroize::Zeroizing;

use super::sniff::{Form, sniff};
use super::{Failure, Io, input};

/// A message, as far as its outer form says.
pub(super) enum Message {
    /// Header, empty line, body.
    Mail(Zeroizing<Vec<u8>>),
    /// A ContentInfo, or what should be one.
    Cms(Vec<u8>),
}

/// Reads `path` and finds out which of the two it is.
pub(super) fn read(path: &Path, limits: &Limits, io: &mut Io) -> Result<Message, Failure> {
    let octets = input::read(path, limits, io)?;
    match sniff(&octets, limits) {
        Form::Mail => Ok(Message::Mail(octets)),
        Form::Asn1(cms) => Ok(Message::Cms(cms)),
        Form::Pem(blocks) => pem(blocks, path),
        Form::Unknown => {
            let name = path.display();
            let message = format!("{name} is neither a mail nor CMS in DER, BER or PEM");
            Err(Failure::error("malformed", message))
        }
    }
}

fn pem(blocks: Vec<(String, Vec<u8>)>, path: &Path) -> Result<Message, Failure> {
    let labels: Vec<String> = blocks.iter().map(|(label, _)| label.clone()).collect();
    let is_cms = |label: &str| matches!(label, "CMS" | "PKCS7") || label.starts_with("PKCS #7");
    match blocks.into_iter().find(|(label, _)| is_cms(label)) {
        Some((_, cms)) => Ok(Message::Cms(cms)),
        None => {
            let (name, labels) = (path.display(), labels.join(", "));
            let message = format!("{name} is PEM of {labels}, and a message (CMS or PKCS7) is wanted");
            Err(Failure::error("wrong-kind", message))
        }
    }
}
