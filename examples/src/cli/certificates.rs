//! Certificates in files: PEM with one or many, DER, or CMS that carries nothing else (certs-only).

use std::path::{Path, PathBuf};

use aecm_core::certificate::Certificate;
use aecm_core::limits::Limits;
use aecm_smime::cms::SignedData;

use super::sniff::{Form, sniff};
use super::{Failure, Io, errors, input};

/// All certificates of a file, in order, at least one.
pub(super) fn read(path: &Path, limits: &Limits, io: &mut Io) -> Result<Vec<Certificate>, Failure> {
    let octets = input::read(path, limits, io)?;
    parse(&octets, &path.display().to_string(), limits)
}

/// All certificates of several files.
pub(super) fn read_all(paths: &[PathBuf], limits: &Limits, io: &mut Io) -> Result<Vec<Certificate>, Failure> {
    let mut all = Vec::new();
    for path in paths {
        all.extend(read(path, limits, io)?);
    }
    Ok(all)
}

/// The first certificate of a file: the leaf.
pub(super) fn leaf(path: &Path, limits: &Limits, io: &mut Io) -> Result<Certificate, Failure> {
    let all = read(path, limits, io)?;
    all.into_iter().next().ok_or_else(|| none(&path.display().to_string()))
}

pub(super) fn parse(octets: &[u8], name: &str, limits: &Limits) -> Result<Vec<Certificate>, Failure> {
    let found = match sniff(octets, limits) {
        Form::Asn1(der) => one(&der, name, limits)?,
        Form::Pem(blocks) => of_blocks(&blocks, name, limits)?,
        Form::Mail | Form::Unknown => Vec::new(),
    };
    if found.is_empty() {
        return Err(none(name));
    }
    if found.len() > limits.certificates {
        let message = format!("{name} has more than {} certificates", limits.certificates);
        return Err(Failure::limit("limit-exceeded", message));
    }
    Ok(found)
}

/// The certificates among PEM blocks; none is fine here.
pub(super) fn of_blocks(
    blocks: &[(String, Vec<u8>)],
    name: &str,
    limits: &Limits,
) -> Result<Vec<Certificate>, Failure> {
    let mut all = Vec::new();
    for (label, der) in blocks {
        match label.as_str() {
            "CERTIFICATE" | "X509 CERTIFICATE" => {
                all.push(Certificate::from_der(der).map_err(|error| errors::certificate(name, &error))?);
            }
            "PKCS7" | "CMS" => all.extend(one(der, name, limits)?),
            _ => {}
        }
    }
    Ok(all)
}

fn one(der: &[u8], name: &str, limits: &Limits) -> Result<Vec<Certificate>, Failure> {
    match Certificate::from_der(der) {
        Ok(certificate) => Ok(vec![certificate]),
        Err(error) => match SignedData::parse(der, limits) {
            Ok(signed) => Ok(signed.certificates()),
            Err(_) => Err(errors::certificate(name, &error)),
        },
    }
}

fn none(name: &str) -> Failure {
    Failure::error("wrong-kind", format!("{name} holds no certificate; PEM, DER or a .p7b is wanted"))
}
