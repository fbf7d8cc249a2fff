//! `aecm decrypt FILE`: one layer of encryption, without asking who signed what.

use std::path::PathBuf;

use aecm_core::certificate::Certificate;
use aecm_core::digest::DigestAlgorithm;
use aecm_core::limits::Limits;
use aecm_core::oid;
use aecm_smime::Tolerance;
use aecm_smime::cipher::ContentCipher;
use aecm_smime::cms::{CompressedData, Form, content_type};
use aecm_smime::decrypt::{Content, DecryptOptions, Decrypted, OpenedBy, decrypt_with};
use aecm_smime::mime::{Entity, Protection};
use clap::Args;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::cli::args::{LimitArgs, OutArgs};
use crate::cli::keys::KeyArgs;
use crate::cli::message::{self, Message};
use crate::cli::recipients::{self, Recipients, Sm2OrderArgs};
use crate::cli::secrets::SecretArgs;
use crate::cli::show::hex;
use crate::cli::text::Text;
use crate::cli::{Failure, Io, Outcome, judged, runtime};

/// Decrypts a mail or CMS message; see open for a verdict on the whole mail.
#[derive(Args)]
#[command(after_help = "\
Examples:
  aecm decrypt letter.eml --key me.key --cert me.crt --out letter.txt
  aecm decrypt message.p7m --key me.key > content
  aecm decrypt message.p7m --p12 me.p12 --password-file secret.txt --out content
  aecm decrypt message.p7m --recipient-password-file secret.txt --out content

Without --out and --json the content goes to standard output. Content without authentication (CBC) is given out
and called so: anybody may have changed it on its way.")]
pub(in crate::cli) struct Decrypt {
    /// The mail, or CMS in DER, BER or PEM
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    keys: KeyArgs,
    #[command(flatten)]
    secrets: SecretArgs,
    #[command(flatten)]
    order: Sm2OrderArgs,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    out: OutArgs,
}

impl Decrypt {
    pub(in crate::cli) fn run(self, io: &mut Io) -> Result<Outcome, Failure> {
        let limits = self.limits.get();
        let (cms, mut tolerances) = match message::read(&self.file, &limits, io)? {
            Message::Cms(cms) => (cms, Vec::new()),
            Message::Mail(mail) => match Entity::parse(&mail, &limits)?.protection(&limits)? {
                Protection::Cms { cms, tolerances, .. } => (cms, tolerances),
                _ => {
                    return Err(Failure::error("wrong-kind", "the mail is not encrypted"));
                }
            },
        };
        if content_type(&cms, &limits)? == oid::COMPRESSED_DATA {
            return self.decompressed(&cms, tolerances, &limits);
        }
        let Recipients { named: keys, bare } = recipients::read(&self.keys, &limits, io)?;
        let mut options = DecryptOptions::default();
        options.bare_keys = bare;
        options.secret_keys = self.secrets.keys();
        options.passwords = self.secrets.passwords(io)?;
        options.limits = limits;
        options.sm2_form = self.order.form();
        let Decrypted { content, cipher, opened_by, form, tolerances: used, .. } =
            runtime::block_on(decrypt_with(&cms, &keys, &options))??;
        tolerances.extend(used);
        let (authenticated, octets) = match content {
            Content::Authenticated(octets) => (true, octets),
            Content::Unauthenticated(octets) => (false, octets.into_unauthenticated()),
        };
        Ok(Plain {
            authenticated,
            octets,
            opened_by: Some(opened_by),
            cipher: Some(cipher),
            form,
            tolerances,
        }
        .outcome(self.out.out))
    }

    /// CompressedData needs no key, and protects nothing (RFC 3274).
    fn decompressed(
        self,
        cms: &[u8],
        mut tolerances: Vec<Tolerance>,
        limits: &Limits,
    ) -> Result<Outcome, Failure> {
        let compressed = CompressedData::parse(cms, limits)?;
        tolerances.extend(compressed.tolerances());
        let octets = compressed.decompress(limits)?;
        let form = Form::Rfc5652;
        Ok(Plain { authenticated: false, octets, opened_by: None, cipher: None, form, tolerances }
            .outcome(self.out.out))
    }
}

/// What came out.
struct Plain {
    authenticated: bool,
    octets: Zeroizing<Vec<u8>>,
    opened_by: Option<OpenedBy>,
    /// Nothing where it was only compressed.
    cipher: Option<ContentCipher>,
    form: Form,
    tolerances: Vec<Tolerance>,
}

impl Plain {
    fn outcome(self, out: Option<PathBuf>) -> Outcome {
        let Self { authenticated, octets, opened_by, cipher, form, tolerances } = self;
        let verdict = if authenticated { "valid" } else { "unauthenticated" };
        let reasons: &[&str] = if authenticated { &[] } else { &["unauthenticated"] };
        let tolerances = judged::tolerances(&tolerances);
        let digest = hex(&DigestAlgorithm::Sha256.digest(&octets));
        let mut text = Text::verdict(
            verdict,
            match (authenticated, cipher) {
                (true, _) => {
                    "decrypted, and nobody changed it after it was encrypted; who that was is not known"
                }
                (false, Some(_)) => "decrypted; anybody may have changed it on its way",
                (false, None) => "decompressed; nothing protected it",
            },
        );
        text.row("recipient", opened_by.as_ref().map_or(String::new(), opener_text));
        text.row("cipher", cipher.map_or("", ContentCipher::word));
        text.row("form", form.word());
        text.row("content", format!("{} octets, sha256 {digest}", octets.len()));
        text.because(reasons, &tolerances);
        let mut outcome = Outcome::of(verdict)
            .with("recipient", opened_by.as_ref().map_or(Value::Null, opener))
            .with("cipher", json!(cipher.map(ContentCipher::word)))
            .with("authenticated", authenticated)
            .with("content_sha256", digest)
            .with("form", form.word())
            .because(reasons.iter().copied())
            .tolerating(tolerances)
            .saying(text.finish())
            .giving(octets, out);
        // Decrypting was all that was asked for.
        outcome.accepted = true;
        outcome
    }
}

/// What opened it: the holder of a certificate, or the kind of secret; nothing where a key came without one, because
/// nobody knows then whose it is.
pub(in crate::cli) fn opener(opened_by: &OpenedBy) -> Value {
    match opened_by {
        OpenedBy::Certificate(certificate) => holder(certificate),
        OpenedBy::Key(_) => Value::Null,
        OpenedBy::SecretKey { id } => json!({ "kind": opened_by.word(), "id": id.as_deref().map(hex) }),
        _ => json!({ "kind": opened_by.word() }),
    }
}

/// The same for people.
pub(in crate::cli) fn opener_text(opened_by: &OpenedBy) -> String {
    match opened_by.certificate() {
        Some(certificate) => certificate.subject_text(),
        None if matches!(opened_by, OpenedBy::Key(_)) => {
            "not known: the key came without its certificate".to_owned()
        }
        None => format!("whoever knows the {}", opened_by.word().replace('-', " ")),
    }
}

/// The holder of a certificate.
pub(in crate::cli) fn holder(certificate: &Certificate) -> Value {
    let emails: Vec<String> = certificate.mailboxes().iter().map(ToString::to_string).collect();
    json!({
        "subject": certificate.subject_text(),
        "emails": emails,
        "serial": hex(certificate.serial()),
        "sha256": hex(&certificate.sha256()),
    })
}
