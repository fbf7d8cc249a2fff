//! `aecm p12 FILE`: the keys and certificates of a PKCS#12 file, and the same in other forms.

use std::path::PathBuf;

use aecm_core::certificate::Certificate;
use aecm_store::p12::Pkcs12;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::cert;
use super::key::{key_row, pem};
use crate::cli::args::{LimitArgs, OutArgs};
use crate::cli::keys;
use crate::cli::password::{NewPasswordArgs, PasswordArgs};
use crate::cli::text::Text;
use crate::cli::{Failure, Io, Outcome, errors};

/// Shows the keys and certificates of a PKCS#12 file, and converts it; private octets are never printed.
#[derive(Args)]
#[command(after_help = "\
Examples:
  aecm p12 me.p12 --password-file secret.txt
  aecm p12 me.p12 --password-file secret.txt --out me.pem
  aecm p12 old.p12 --password-file secret.txt --to p12 --encrypt --new-password-file new.txt --out me.p12")]
pub(in crate::cli) struct P12 {
    /// The PKCS#12 file (.p12, .pfx)
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    password: PasswordArgs,
    /// The form in which --out gets keys and certificates
    #[arg(long, value_enum, default_value_t, requires = "out")]
    to: To,
    #[command(flatten)]
    new_password: NewPasswordArgs,
    #[command(flatten)]
    out: OutArgs,
    #[command(flatten)]
    limits: LimitArgs,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum To {
    /// Keys and certificates in PEM, one after the other
    #[default]
    Pem,
    /// PKCS#12 anew, under --new-password
    P12,
}

impl P12 {
    pub(in crate::cli) fn run(self, io: &mut Io) -> Result<Outcome, Failure> {
        let limits = self.limits.get();
        let file = keys::pkcs12(&self.file, &self.password, &limits, io)?;
        let name = self.file.display().to_string();
        let certificates: Vec<&Certificate> =
            file.certificates().iter().map(|bag| &bag.certificate).collect();
        let mut text = Text::verdict("valid", "a PKCS#12 file, opened under its password");
        let mut rows = Vec::new();
        for bag in file.keys() {
            text.heading("Key");
            text.row("name", bag.friendly_name.as_deref().unwrap_or_default());
            let mut row = match bag.key() {
                Ok(key) => key_row(&mut text, &key, &certificates),
                // Of a kind that is not known here; the rest of the file is no worse for it.
                Err(_) => {
                    text.row("key", "of a kind that is not known here");
                    json!({ "algorithm": Value::Null, "bits": Value::Null, "suite": Value::Null, "matches": Value::Null })
                }
            };
            if let Value::Object(members) = &mut row {
                members.insert("name".to_owned(), json!(bag.friendly_name));
            }
            rows.push(row);
        }
        for certificate in &certificates {
            text.heading("Certificate");
            cert::describe(&mut text, certificate);
        }
        let described: Vec<Value> = certificates.iter().map(|one| cert::certificate(one)).collect();
        let outcome = Outcome::of("valid")
            .with("keys", rows)
            .with("certificates", described)
            .with("skipped", file.skipped().len())
            .saying(text.finish());
        match self.out.out.clone() {
            None => Ok(outcome),
            Some(out) => Ok(outcome.giving(self.write(&file, &name, io)?, Some(out)).privately()),
        }
    }

    fn write(&self, file: &Pkcs12, name: &str, io: &mut Io) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let password = self.new_password.given(io)?;
        let mut keys = Vec::new();
        for bag in file.keys() {
            keys.push((bag.key().map_err(|error| errors::key(name, &error))?, bag.friendly_name.as_deref()));
        }
        match (self.to, password) {
            (To::P12, None) => {
                let why =
                    "a PKCS#12 file is written under a password: give --encrypt and --new-password-file";
                Err(Failure::error("usage", why))
            }
            (To::P12, Some(password)) => {
                let mut builder = Pkcs12::builder();
                for (key, friendly_name) in &keys {
                    let own = file.certificates_of(key).last().copied();
                    builder = builder.key(key, *friendly_name, own);
                }
                for bag in file.certificates() {
                    builder = builder.certificate(&bag.certificate, bag.friendly_name.as_deref());
                }
                let der = builder.to_der(&password, io.rng.as_ref());
                der.map(Zeroizing::new).map_err(|error| errors::pkcs12(name, &error))
            }
            (To::Pem, password) => {
                let password = password.as_deref().map(String::as_str);
                let mut parts = Vec::new();
                for (key, _) in &keys {
                    parts.push(super::key::written(key, super::key::To::Pem, password, io)?);
                }
                parts.extend(certificates_pem(file));
                // Room for all at once, so that no shorter copy of a key is left behind.
                let mut all = Zeroizing::new(Vec::with_capacity(parts.iter().map(|part| part.len()).sum()));
                parts.iter().for_each(|part| all.extend_from_slice(part));
                Ok(all)
            }
        }
    }
}

fn certificates_pem(file: &Pkcs12) -> impl Iterator<Item = Zeroizing<Vec<u8>>> {
    file.certificates().iter().map(|bag| pem("CERTIFICATE", bag.certificate.as_der()))
}
