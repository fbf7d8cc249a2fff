//! `aecm encrypt FILE --to CERT…`: a file or mail for the holders of certificates.

use std::path::PathBuf;

use aecm_core::certificate::Certificate;
use aecm_core::limits::Limits;
use aecm_core::suite::Suite;
use aecm_smime::capabilities::Capabilities;
use aecm_smime::cipher::ContentCipher;
use aecm_smime::cms::Form;
use aecm_smime::encrypt::{Encryptor, Transport};
use aecm_smime::mime::{CmsKind, HeaderProtection, pkcs7_mime};
use clap::{Args, ValueEnum};
use serde_json::Value;

use super::decrypt::holder;
use super::sign::form;
use crate::cli::args::LimitArgs;
use crate::cli::outgoing::{Letter, is_mail};
use crate::cli::text::Text;
use crate::cli::{Failure, Io, Outcome, certificates, input};

/// Encrypts a file or mail to the holders of certificates.
#[derive(Args)]
#[command(after_help = "\
Examples:
  aecm encrypt letter.eml --to bob.crt --to me.crt --out encrypted.eml
  aecm encrypt report.pdf --to bob.crt --cipher aes-256-gcm --out report.p7m

A mail (with From) becomes an S/MIME mail, its Subject hidden; any other file becomes CMS in DER. --cms and --mail
decide otherwise. Encryption proves no sender: sign first.")]
pub(in crate::cli) struct Encrypt {
    /// The file or mail
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The certificate of a reader, PEM or DER; may be given several times
    #[arg(long, value_name = "CERT", required = true, num_args = 1..)]
    to: Vec<PathBuf>,
    /// The cipher of the content; chosen by the readers' certificates unless named
    #[arg(long, value_name = "aes-256-gcm|aes-256-cbc|sm4-gcm|sm4-cbc", value_parser = cipher)]
    cipher: Option<ContentCipher>,
    /// How the content key travels to RSA readers
    #[arg(long, value_enum, default_value_t)]
    transport: RsaTransport,
    /// The standard to write by; gbt35275 takes SM2 readers and sm4-cbc only
    #[arg(long, value_name = "rfc5652|gbt35275", default_value = "rfc5652", value_parser = form)]
    form: Form,
    /// Make an S/MIME mail of whatever FILE is
    #[arg(long, conflicts_with = "cms")]
    mail: bool,
    /// Make bare CMS of whatever FILE is
    #[arg(long)]
    cms: bool,
    /// Write the result to this file, whole or not at all; - for standard output
    #[arg(long, short, value_name = "F", required = true)]
    out: Option<PathBuf>,
    #[command(flatten)]
    limits: LimitArgs,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum RsaTransport {
    /// RSAES-OAEP with SHA-256
    #[default]
    Oaep,
    /// RSAES-PKCS1-v1_5, for readers who know nothing better
    Pkcs1,
}

fn cipher(text: &str) -> Result<ContentCipher, String> {
    let written = |cipher: &ContentCipher| *cipher != ContentCipher::Aes192Cbc;
    ContentCipher::from_word(text).filter(written).ok_or_else(|| {
        let all: Vec<&str> =
            ContentCipher::ALL.iter().filter(|one| written(one)).map(|one| one.word()).collect();
        format!("{text:?} is none of {}", all.join(", "))
    })
}

/// A reader, and how the key travels to them.
struct Reader {
    certificate: Certificate,
    transport: Transport,
    why: &'static str,
}

impl Encrypt {
    pub(in crate::cli) fn run(self, io: &mut Io) -> Result<Outcome, Failure> {
        let limits = self.limits.get();
        let readers = self.readers(&limits, io)?;
        let octets = input::read(&self.file, &limits, io)?;
        let (cipher, why) = self.choose(&readers, &limits);
        let mut encryptor = Encryptor::new(cipher).form(self.form).at(io.clock.now());
        for reader in &readers {
            encryptor = encryptor.recipient(&reader.certificate, reader.transport);
        }
        let as_mail = self.mail || (!self.cms && is_mail(&octets, &limits));
        let letter = if as_mail { Some(Letter::read(&octets, &limits)?) } else { None };
        let payload = match &letter {
            Some(letter) => zeroize::Zeroizing::new(letter.payload(HeaderProtection::Cipher)?),
            None => octets,
        };
        let encrypted = encryptor.encrypt(&payload, io.rng.as_ref())?;
        let product = match &letter {
            None => encrypted,
            Some(letter) => {
                let kind = if cipher.is_authenticated() {
                    CmsKind::AuthEnvelopedData
                } else {
                    CmsKind::EnvelopedData
                };
                letter.message(HeaderProtection::Cipher, &pkcs7_mime(kind, &encrypted)?)
            }
        };
        let mut text = Text::verdict("valid", "encrypted");
        text.row("cipher", format!("{}: {why}", cipher.word()));
        text.row("form", self.form.word());
        for reader in &readers {
            text.row("reader", reader.certificate.subject_text());
            text.row("transport", format!("{}: {}", reader.transport.word(), reader.why));
        }
        if !cipher.is_authenticated() {
            text.row("note", "this cipher authenticates nothing: sign what you encrypt with it");
        }
        Ok(Outcome::of("valid")
            .with("recipients", readers.iter().map(Reader::json).collect::<Vec<Value>>())
            .with("cipher", cipher.word())
            .with("cipher_why", why)
            .with("authenticated", cipher.is_authenticated())
            .with("form", self.form.word())
            .saying(text.finish())
            .giving(product, self.out))
    }

    fn readers(&self, limits: &Limits, io: &mut Io) -> Result<Vec<Reader>, Failure> {
        let mut readers: Vec<Reader> = Vec::new();
        for path in &self.to {
            let certificate = certificates::leaf(path, limits, io)?;
            if readers.iter().any(|reader| reader.certificate == certificate) {
                continue;
            }
            let Some(default) = Transport::for_certificate(&certificate) else {
                let name = path.display();
                let why = "has a key that nothing is encrypted to here; RSA, P-256, P-384 and SM2 keys are";
                return Err(Failure::error("unsupported-key", format!("the certificate in {name} {why}")));
            };
            let (transport, why) = match (default, self.transport) {
                (Transport::RsaOaepSha256, RsaTransport::Pkcs1) => {
                    (Transport::RsaPkcs1, "it was asked for, for readers who know nothing better")
                }
                (Transport::RsaOaepSha256, RsaTransport::Oaep) => {
                    (default, "an RSA key; OAEP tells an attacker nothing about its padding")
                }
                (Transport::Sm2, _) => (default, "an SM2 key"),
                (Transport::Ecdh, _) => (default, "an ECC key, which agrees on a key with a fresh one"),
                _ => (default, "the only transport for this key"),
            };
            readers.push(Reader { certificate, transport, why });
        }
        Ok(readers)
    }

    /// The cipher, and why this one.
    fn choose(&self, readers: &[Reader], limits: &Limits) -> (ContentCipher, &'static str) {
        if let Some(cipher) = self.cipher {
            return (cipher, "it was asked for");
        }
        if self.form == Form::Gbt35275 {
            return (ContentCipher::Sm4Cbc, "GB/T 35275 has no other");
        }
        let of_sm2 =
            |certificate: &Certificate| certificate.public_key().is_some_and(|key| key.suite() == Suite::Sm2);
        if !readers.iter().all(|reader| of_sm2(&reader.certificate)) {
            return (ContentCipher::Aes256Gcm, "not every reader has an SM2 key; GCM shows every change");
        }
        let reads_gcm = |certificate: &Certificate| {
            let declared = certificate.smime_capabilities_der();
            declared
                .and_then(|der| Capabilities::parse(der, limits).ok())
                .is_some_and(|capabilities| capabilities.reads(ContentCipher::Sm4Gcm))
        };
        if readers.iter().all(|reader| reads_gcm(&reader.certificate)) {
            (ContentCipher::Sm4Gcm, "every reader's certificate declares it")
        } else {
            (ContentCipher::Sm4Cbc, "every SM2 reader knows it; not every certificate declares sm4-gcm")
        }
    }
}

impl Reader {
    fn json(&self) -> Value {
        let mut json = holder(&self.certificate);
        if let Value::Object(members) = &mut json {
            members.insert("transport".to_owned(), self.transport.word().into());
            members.insert("why".to_owned(), self.why.into());
        }
        json
    }
}
