//! The test keys and certificates, copied beside the vectors so that these stand alone.

use std::sync::Arc;

use aecm_core::certificate::Certificate;
use aecm_core::embed::Rng;
use aecm_core::software::SoftwareKey;
use aecm_smime::sign::SigningIdentity;

use super::{Outcome, Set};

macro_rules! files {
    ($($name:literal)*) => {
        /// Name and PEM.
        const FILES: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../../../aecm-smime/tests/vectors/keys/", $name))),)*
        ];
    };
}

files! {
    "rsa-ca.crt" "rsa-sig.crt" "rsa-sig.key" "rsa-enc.crt" "rsa-enc.key" "rsa-tsa.crt" "rsa-tsa.key"
    "p256-ca.crt" "p256-sig.crt" "p256-sig.key"
    "sm2-ca.crt" "sm2-sig.crt" "sm2-sig.key" "sm2-enc.crt" "sm2-enc.key" "sm2-tsa.crt" "sm2-tsa.key"
}

pub(super) fn add(set: &mut Set) {
    for (name, pem) in FILES {
        set.file(&format!("keys/{name}"), *pem);
    }
}

fn pem(name: &str, kind: &str) -> Outcome<&'static str> {
    let file = format!("{name}.{kind}");
    let found = FILES.iter().find(|(known, _)| *known == file);
    Ok(found.ok_or_else(|| format!("no test key {file}"))?.1)
}

/// The certificate of this name, such as `sm2-ca`.
pub(crate) fn certificate(name: &str) -> Outcome<Certificate> {
    Ok(Certificate::from_pem(pem(name, "crt")?)?)
}

pub(crate) fn key(name: &str) -> Outcome<SoftwareKey> {
    Ok(SoftwareKey::from_pem(pem(name, "key")?)?)
}

/// Certificate and key of this name, without the anchor: who judges has it.
pub(super) fn identity(name: &str, rng: Arc<dyn Rng>) -> Outcome<SigningIdentity> {
    Ok(SigningIdentity {
        certificate: certificate(name)?,
        chain: Vec::new(),
        signer: Arc::new(key(name)?.into_signer(rng)),
    })
}
