//! Finding the private key in a PEM text (RFC 7468, RFC 1421 headers of OpenSSL's older forms).

use alloc::vec::Vec;

use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

use super::SoftwareKeyError;

/// What a block holds, by its label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label {
    Pkcs8,
    Sec1,
    Pkcs1,
    /// EncryptedPrivateKeyInfo.
    Encrypted,
}

enum Block {
    Key(Label),
    Other,
}

/// The label and the octets of the only private key.
pub(super) fn private_key(text: &str) -> Result<(Label, Zeroizing<Vec<u8>>), SoftwareKeyError> {
    let mut found = None;
    let mut lines = text.lines().map(str::trim).zip(1_usize..);
    while let Some((line, number)) = lines.next() {
        let Some(label) = between(line, "-----BEGIN ") else { continue };
        let block = classify(label);
        // Room for everything at once, so that no shorter copy is left behind in memory.
        let capacity = if matches!(block, Block::Key(_)) { text.len() } else { 0 };
        let mut base64 = Zeroizing::new(Vec::with_capacity(capacity));
        let mut encrypted = false;
        loop {
            let (line, at) = lines
                .next()
                .ok_or(SoftwareKeyError::Pem { line: number, why: "this block has no END line" })?;
            if let Some(end) = between(line, "-----END ") {
                if end != label {
                    return Err(SoftwareKeyError::Pem { line: at, why: "END does not match BEGIN" });
                }
                break;
            }
            if line.starts_with("-----") {
                return Err(SoftwareKeyError::Pem { line: at, why: "a block begins inside another" });
            }
            match line.split_once(':') {
                Some((name, value)) => encrypted |= name == "Proc-Type" && value.contains("ENCRYPTED"),
                None if capacity > 0 => base64.extend_from_slice(line.as_bytes()),
                None => {}
            }
        }
        let label = match block {
            Block::Other => continue,
            // RFC 1421 as OpenSSL's oldest forms have it: one MD5 between the password and the key.
            Block::Key(_) if encrypted => return Err(SoftwareKeyError::LegacyEncryption),
            Block::Key(label) => label,
        };
        if found.is_some() {
            return Err(SoftwareKeyError::SeveralPrivateKeys);
        }
        let mut der = Zeroizing::new(alloc::vec![0; base64.len()]);
        let length = Base64::decode(&*base64, &mut der)
            .map_err(|_| SoftwareKeyError::Pem { line: number, why: "this block is not base64" })?
            .len();
        der.truncate(length);
        found = Some((label, der));
    }
    found.ok_or(SoftwareKeyError::NoPrivateKey)
}

/// The label of a boundary line.
fn between<'a>(line: &'a str, start: &str) -> Option<&'a str> {
    line.strip_prefix(start)?.strip_suffix("-----")
}

fn classify(label: &str) -> Block {
    match label {
        "PRIVATE KEY" => Block::Key(Label::Pkcs8),
        "EC PRIVATE KEY" | "SM2 PRIVATE KEY" => Block::Key(Label::Sec1),
        "RSA PRIVATE KEY" => Block::Key(Label::Pkcs1),
        "ENCRYPTED PRIVATE KEY" => Block::Key(Label::Encrypted),
        _ => Block::Other,
    }
}
