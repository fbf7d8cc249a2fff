//! `aecm sign FILE`: a signature over a file, or a signed mail.

use std::path::PathBuf;
use std::sync::Arc;

use aecm_core::certificate::Certificate;
use aecm_core::limits::Limits;
use aecm_core::time::Time;
use aecm_smime::cms::Form;
use aecm_smime::mime::{CmsKind, HeaderProtection, multipart_signed, pkcs7_mime};
use aecm_smime::sign::{SignedDraft, SignedMessage, SignerAttributes, SigningIdentity, sign};
use aecm_smime::verify::TimeReport;
use aecm_timestamp::{imprint_digest, stamp_signature};
use clap::Args;
use serde_json::{Value, json};

use super::decrypt::holder;
use crate::cli::args::LimitArgs;
use crate::cli::authority::AuthorityArgs;
use crate::cli::keys::{self, KeyArgs};
use crate::cli::outgoing::Letter;
use crate::cli::text::Text;
use crate::cli::{Failure, Io, Outcome, certificates, input, judged, runtime};

/// Signs a file, or makes a signed mail.
#[derive(Args)]
#[command(after_help = "\
Examples:
  aecm sign letter.eml --mail --key me.key --cert me.crt --certs issuer.crt --out signed.eml
  aecm sign report.pdf --detached --key me.key --cert me.crt --out report.pdf.p7s
  aecm sign report.pdf --key me.key --cert me.crt --timestamp http://tsa.example/ --tsa-trust tsa.crt --out r.p7m

Without --mail and --detached the result is CMS that carries the file (DER). Several keys sign side by side.")]
pub(in crate::cli) struct Sign {
    /// The file or mail
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Make an S/MIME mail: multipart/signed, which every program can read
    #[arg(long, conflicts_with = "detached")]
    mail: bool,
    /// With --mail: application/pkcs7-mime, which survives gateways that touch text
    #[arg(long, requires = "mail")]
    opaque: bool,
    /// Leave the content out of the signature
    #[arg(long)]
    detached: bool,
    /// The standard to write by; gbt35275 takes SM2 keys only
    #[arg(long, value_name = "rfc5652|gbt35275", default_value = "rfc5652", value_parser = form)]
    form: Form,
    /// Certificates of issuers to send along; may be given several times
    #[arg(long, value_name = "F")]
    certs: Vec<PathBuf>,
    /// Have the signature stamped by the authority at this http or https URL
    #[arg(long, value_name = "URL", value_parser = url)]
    timestamp: Option<String>,
    /// Write the result to this file, whole or not at all; - for standard output
    #[arg(long, short, value_name = "F", required = true)]
    out: Option<PathBuf>,
    #[command(flatten)]
    keys: KeyArgs,
    #[command(flatten)]
    authority: AuthorityArgs,
    #[command(flatten)]
    limits: LimitArgs,
}

/// A wire form on the command line.
pub(in crate::cli) fn form(text: &str) -> Result<Form, String> {
    Form::from_word(text).ok_or_else(|| format!("{text:?} is neither rfc5652 nor gbt35275"))
}

/// The address of an authority on the command line.
pub(in crate::cli) fn url(text: &str) -> Result<String, String> {
    if text.starts_with("http://") || text.starts_with("https://") {
        Ok(text.to_owned())
    } else {
        Err(format!("{text:?} is no http or https URL"))
    }
}

impl Sign {
    pub(in crate::cli) fn run(self, io: &mut Io) -> Result<Outcome, Failure> {
        let limits = self.limits.get();
        let now = io.clock.now();
        let identities = self.identities(&limits, now, io)?;
        let octets = input::read(&self.file, &limits, io)?;
        let letter = if self.mail { Some(Letter::read(&octets, &limits)?) } else { None };
        let payload = match &letter {
            Some(letter) => letter.payload(HeaderProtection::Clear)?,
            None => octets.to_vec(),
        };
        let attributes = SignerAttributes { signing_time: Some(now), ..SignerAttributes::default() };
        let message = SignedMessage::new(&payload)
            .detached(self.detached || (self.mail && !self.opaque))
            .form(self.form)
            .attributes(attributes);
        let borrowed: Vec<&SigningIdentity> = identities.iter().collect();
        let mut draft = runtime::block_on(sign(message, &borrowed))??;
        let (time, reasons) = self.stamp(&mut draft, &identities, &limits, now, io)?;
        let cms = draft.to_der();
        let product = match letter {
            None => cms,
            Some(letter) => {
                let digests: Vec<_> =
                    identities.iter().map(|identity| identity.signer.algorithm().digest()).collect();
                let entity = if self.opaque {
                    pkcs7_mime(CmsKind::SignedData, &cms)?
                } else {
                    multipart_signed(&payload, &cms, &digests, io.rng.as_ref())?
                };
                letter.message(HeaderProtection::Clear, &entity)
            }
        };
        let names: Vec<&str> = identities.iter().map(|one| one.signer.algorithm().name()).collect();
        let mut text = Text::verdict("valid", "signed");
        identities.iter().for_each(|one| text.row("signer", one.certificate.subject_text()));
        text.row("algorithm", names.join(", "));
        text.row("form", self.form.word());
        judged::time_text(&mut text, &time);
        text.because(&reasons, &[]);
        let signers: Vec<Value> = identities.iter().map(|one| holder(&one.certificate)).collect();
        Ok(Outcome::of("valid")
            .with("algorithm", names.join(", "))
            .with("form", self.form.word())
            .with("time", judged::time(&time))
            .with("signers", json!(signers))
            .because(reasons)
            .saying(text.finish())
            .giving(product, self.out))
    }

    /// The keys with their certificates and chains.
    fn identities(&self, limits: &Limits, now: Time, io: &mut Io) -> Result<Vec<SigningIdentity>, Failure> {
        let keys = self.keys.read(limits, io)?;
        if keys.owned.is_empty() {
            return Err(Failure::error("usage", "a key is needed to sign with: give --key and --cert"));
        }
        let mut chain = keys.others;
        chain.extend(certificates::read_all(&self.certs, limits, io)?);
        let mut identities = Vec::new();
        for owned in keys.owned {
            let Some(certificate) = owned.certificates.into_iter().next() else {
                return Err(keys::mismatch(&owned.name));
            };
            check_validity(&certificate, now)?;
            let signer = Arc::new(owned.key.into_signer(Arc::clone(&io.rng)));
            identities.push(SigningIdentity { certificate, chain: chain.clone(), signer });
        }
        Ok(identities)
    }

    /// Has every signature stamped; says what time that proves.
    fn stamp(
        &self,
        draft: &mut SignedDraft,
        identities: &[SigningIdentity],
        limits: &Limits,
        now: Time,
        io: &mut Io,
    ) -> Result<(TimeReport, Vec<String>), Failure> {
        let mut time = TimeReport { claimed: Some(now), ..TimeReport::default() };
        let Some(url) = &self.timestamp else { return Ok((time, Vec::new())) };
        let authority = self.authority.at(url, limits, io)?;
        io.hint(&format!("asking {url} for a timestamp"));
        for (index, identity) in identities.iter().enumerate() {
            let digest = imprint_digest(identity.signer.algorithm());
            let token = runtime::block_on(stamp_signature(draft, index, digest, &authority, now))?;
            token?;
        }
        if !authority.is_trusted() {
            return Ok((time, vec!["no-tsa-anchor".to_owned()]));
        }
        let last = identities.len().saturating_sub(1);
        if let Some((proven, name, trust)) = authority.proven(draft.signature(last)) {
            (time.proven, time.authority, time.trust) = (Some(proven), Some(name), Some(trust));
        }
        Ok((time, Vec::new()))
    }
}

/// Nobody could verify what an expired certificate signs.
fn check_validity(certificate: &Certificate, now: Time) -> Result<(), Failure> {
    let (name, from, to) = (certificate.subject_text(), certificate.not_before(), certificate.not_after());
    if now > to {
        return Err(Failure::error("expired", format!("the certificate of {name} expired at {to}")));
    }
    if now < from {
        return Err(Failure::error(
            "not-yet-valid",
            format!("the certificate of {name} is valid from {from}"),
        ));
    }
    Ok(())
}
