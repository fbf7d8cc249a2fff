//! The options about certificate policies and revocation: inputs of RFC 5280 §6.

use std::path::{Path, PathBuf};

use aecm_core::crl::{Crl, CrlError};
use aecm_core::limits::Limits;
use aecm_core::ocsp::{OcspError, OcspResponse};
use aecm_core::oid::ObjectIdentifier;
use aecm_core::path::{PolicySettings, Revocation};
use clap::Args;

use super::sniff::{Form, sniff};
use super::{Failure, Io, errors, input};

/// `--crl`, `--ocsp` and the initial settings of RFC 5280 §6.1.1.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Trust")]
pub(super) struct ChainArgs {
    /// CRLs, PEM or DER; may be given several times
    #[arg(long, value_name = "F")]
    crl: Vec<PathBuf>,
    /// OCSP responses in DER; may be given several times
    #[arg(long, value_name = "F")]
    ocsp: Vec<PathBuf>,
    /// Certificate policies that the path may be valid for
    #[arg(long, value_name = "OID", value_parser = oid, num_args = 1..)]
    policy_oid: Vec<ObjectIdentifier>,
    /// The path has to be valid for a certificate policy
    #[arg(long)]
    explicit_policy: bool,
    /// No policy of one CA stands for that of another
    #[arg(long)]
    inhibit_mapping: bool,
    /// anyPolicy in a certificate stands for nothing
    #[arg(long)]
    inhibit_any: bool,
}

/// An object identifier on the command line.
pub(super) fn oid(text: &str) -> Result<ObjectIdentifier, String> {
    ObjectIdentifier::new(text).map_err(|_| format!("{text:?} is no object identifier like 1.2.3.4"))
}

impl ChainArgs {
    /// The settings about certificate policies.
    pub(super) fn policies(&self) -> PolicySettings {
        PolicySettings {
            initial: self.policy_oid.clone(),
            explicit: self.explicit_policy,
            inhibit_mapping: self.inhibit_mapping,
            inhibit_any: self.inhibit_any,
        }
    }

    /// The evidence about revocation.
    pub(super) fn revocation(&self, limits: &Limits, io: &mut Io) -> Result<Revocation, Failure> {
        let mut revocation = Revocation::default();
        for path in &self.crl {
            revocation.crls.extend(crls(path, limits, io)?);
        }
        for path in &self.ocsp {
            revocation.ocsp.push(ocsp(path, limits, io)?);
        }
        Ok(revocation)
    }
}

fn crls(path: &Path, limits: &Limits, io: &mut Io) -> Result<Vec<Crl>, Failure> {
    let octets = input::read(path, limits, io)?;
    let name = path.display();
    let wrong = |error: CrlError| {
        let message = format!("{name} holds no CRL that can be read: {error}");
        match error {
            CrlError::TooLarge { .. } | CrlError::TooManyExtensions { .. } => {
                Failure::limit("limit-exceeded", message)
            }
            CrlError::Encoding(source) => errors::tlv(&source, message),
            _ => Failure::error("malformed", message),
        }
    };
    let found = match sniff(&octets, limits) {
        Form::Asn1(der) => vec![Crl::from_der(&der, limits).map_err(wrong)?],
        Form::Pem(_) => {
            let text = core::str::from_utf8(&octets).unwrap_or_default();
            Crl::all_from_pem(text, limits).map_err(wrong)?
        }
        Form::Mail | Form::Unknown => Vec::new(),
    };
    if found.is_empty() {
        return Err(Failure::error("wrong-kind", format!("{name} holds no CRL; PEM or DER is wanted")));
    }
    Ok(found)
}

fn ocsp(path: &Path, limits: &Limits, io: &mut Io) -> Result<OcspResponse, Failure> {
    let octets = input::read(path, limits, io)?;
    let name = path.display();
    let wrong = |error: OcspError| {
        let message = format!("{name} holds no OCSP response that can be read: {error}");
        match error {
            OcspError::TooLarge { .. }
            | OcspError::TooManyCertificates { .. }
            | OcspError::TooManyExtensions { .. } => Failure::limit("limit-exceeded", message),
            OcspError::Encoding(source) => errors::tlv(&source, message),
            _ => Failure::error("malformed", message),
        }
    };
    match sniff(&octets, limits) {
        Form::Asn1(der) => OcspResponse::from_der(&der, limits).map_err(wrong),
        Form::Pem(blocks) => match blocks.into_iter().find(|(label, _)| label == "OCSP RESPONSE") {
            Some((_, der)) => OcspResponse::from_der(&der, limits).map_err(wrong),
            None => Err(Failure::error("wrong-kind", format!("{name} is PEM without an OCSP RESPONSE"))),
        },
        Form::Mail | Form::Unknown => {
            Err(Failure::error("malformed", format!("{name} is no OCSP response in DER or PEM")))
        }
    }
}
