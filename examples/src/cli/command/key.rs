//! `aecm key FILE`: what a private key is, whose it is, and the same key in another form.

use std::path::PathBuf;

use aecm_core::certificate::Certificate;
use aecm_core::password::Encryption;
use aecm_core::software::SoftwareKey;
use base64ct::{Base64, Encoding as _};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::cert;
use crate::cli::args::{LimitArgs, OutArgs};
use crate::cli::password::{NewPasswordArgs, PasswordArgs};
use crate::cli::show::hex;
use crate::cli::text::Text;
use crate::cli::{Failure, Io, Outcome, certificates, errors, keys, words};

/// Shows what a private key is, and converts it; the private octets are never printed.
#[derive(Args)]
#[command(after_help = "\
Examples:
  aecm key me.key --cert me.crt
  aecm key old.pem --out me.key --to der
  aecm key plain.key --out me.key --encrypt --new-password-file secret.txt
  aecm key me.key --password-file secret.txt --out plain.key")]
pub(in crate::cli) struct Key {
    /// The key: PKCS#8, SEC1 or PKCS#1, PEM or DER
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// A certificate that may be the key's; may be given several times
    #[arg(long, value_name = "F")]
    cert: Vec<PathBuf>,
    #[command(flatten)]
    password: PasswordArgs,
    /// The form in which --out gets the key: PKCS#8 in PEM or DER
    #[arg(long, value_enum, default_value_t, requires = "out")]
    to: To,
    #[command(flatten)]
    new_password: NewPasswordArgs,
    #[command(flatten)]
    out: OutArgs,
    #[command(flatten)]
    limits: LimitArgs,
}

/// The outer form of a key that is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum To {
    /// Text (RFC 7468)
    #[default]
    Pem,
    /// Octets
    Der,
}

impl Key {
    pub(in crate::cli) fn run(self, io: &mut Io) -> Result<Outcome, Failure> {
        let limits = self.limits.get();
        let (key, beside) = keys::private_key(&self.file, &self.password, &limits, io)?;
        let given = certificates::read_all(&self.cert, &limits, io)?;
        let mut text = Text::verdict("valid", "a private key");
        let pool: Vec<&Certificate> = given.iter().chain(&beside).collect();
        let row = key_row(&mut text, &key, &pool);
        let mut reasons = Vec::new();
        if !given.is_empty() && row.get("matches").is_none_or(Value::is_null) {
            reasons.push("key-mismatch");
        }
        text.because(&reasons, &[]);
        let outcome = Outcome::of("valid")
            .with("keys", json!([row]))
            .with("certificates", beside.iter().map(cert::certificate).collect::<Vec<Value>>())
            .because(reasons)
            .saying(text.finish());
        Ok(match self.out.out {
            Some(out) => {
                let password = self.new_password.given(io)?;
                let written = written(&key, self.to, password.as_deref().map(String::as_str), io)?;
                outcome.giving(written, Some(out)).privately()
            }
            None => outcome,
        })
    }
}

/// What a key is, and which certificate is its.
pub(in crate::cli) fn key_row(text: &mut Text, key: &SoftwareKey, certificates: &[&Certificate]) -> Value {
    let named = words::key(key.public_key());
    let own = certificates.iter().find(|certificate| certificate.public_key() == Some(key.public_key()));
    text.row("key", named.text);
    text.row("certificate", own.map_or("none that was given".to_owned(), |own| own.subject_text()));
    let mut row = named.json;
    if let Value::Object(members) = &mut row {
        members.insert("matches".to_owned(), json!(own.map(|own| hex(&own.sha256()))));
    }
    row
}

/// The key as PKCS#8, under a password where there is one.
pub(in crate::cli) fn written(
    key: &SoftwareKey,
    to: To,
    password: Option<&str>,
    io: &Io,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    match password {
        None => Ok(write(key, to)),
        Some(password) => encrypted(key, to, password, io),
    }
}

/// The key as PKCS#8 under a password: PBES2 with PBKDF2 and AES-256-CBC.
fn encrypted(key: &SoftwareKey, to: To, password: &str, io: &Io) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let der = key
        .to_encrypted_der(password.as_bytes(), Encryption::default(), io.rng.as_ref())
        .map_err(|error| errors::password(&error, format!("the key cannot be encrypted: {error}")))?;
    Ok(match to {
        To::Der => der.into(),
        To::Pem => pem("ENCRYPTED PRIVATE KEY", &der),
    })
}

/// The key as PKCS#8.
fn write(key: &SoftwareKey, to: To) -> Zeroizing<Vec<u8>> {
    let der = key.to_pkcs8_der();
    match to {
        To::Der => der,
        To::Pem => pem("PRIVATE KEY", &der),
    }
}

/// A PEM block (RFC 7468) whose octets are wiped.
pub(in crate::cli) fn pem(label: &str, der: &[u8]) -> Zeroizing<Vec<u8>> {
    let text = Zeroizing::new(Base64::encode_string(der));
    // Room for all at once, so that no shorter copy is left behind.
    let mut out = Zeroizing::new(Vec::with_capacity(text.len() + text.len() / 64 + 2 * label.len() + 64));
    out.extend_from_slice(format!("-----BEGIN {label}-----\n").as_bytes());
    for line in text.as_bytes().chunks(64) {
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    out.extend_from_slice(format!("-----END {label}-----\n").as_bytes());
    out
}
