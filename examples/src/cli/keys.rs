//! Private keys in files, and the certificates that go with them.

use std::path::{Path, PathBuf};

use aecm_core::certificate::Certificate;
use aecm_core::limits::Limits;
use aecm_core::software::{SoftwareKey, SoftwareKeyError};
use aecm_store::p12::Pkcs12;
use clap::Args;
use zeroize::Zeroizing;

use super::kind::{self, Kind};
use super::password::PasswordArgs;
use super::sniff::{Form, sniff};
use super::{Failure, Io, certificates, errors, input};

/// `--key`, `--cert` and what opens them.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Keys")]
pub(super) struct KeyArgs {
    /// A private key: PKCS#8, SEC1 or PKCS#1, PEM or DER; may be given several times
    #[arg(long, value_name = "F")]
    pub(super) key: Vec<PathBuf>,
    /// The certificate of the key, its chain may follow; may be given several times
    #[arg(long, value_name = "F")]
    pub(super) cert: Vec<PathBuf>,
    /// A PKCS#12 file with keys and their certificates; may be given several times
    #[arg(long, value_name = "F")]
    pub(super) p12: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) password: PasswordArgs,
}

/// A private key with the certificates that name its public key.
pub(super) struct Owned {
    /// The file it came from.
    pub(super) name: String,
    pub(super) key: SoftwareKey,
    /// Those of the same public key; the first is the one to use.
    pub(super) certificates: Vec<Certificate>,
}

/// Keys, and the certificates that are left: of issuers, mostly.
#[derive(Default)]
pub(super) struct Keys {
    pub(super) owned: Vec<Owned>,
    pub(super) others: Vec<Certificate>,
}

impl KeyArgs {
    /// Reads the keys, and finds for each its certificates among those given and those in the keys' own files.
    pub(super) fn read(&self, limits: &Limits, io: &mut Io) -> Result<Keys, Failure> {
        let mut pool = certificates::read_all(&self.cert, limits, io)?;
        let mut read = Vec::new();
        for path in &self.key {
            let (key, beside) = private_key(path, &self.password, limits, io)?;
            read.push((path.display().to_string(), key));
            pool.extend(beside);
        }
        let mut keys = Keys::default();
        for (name, key) in read {
            let own = |certificate: &&Certificate| certificate.public_key() == Some(key.public_key());
            let certificates: Vec<Certificate> = pool.iter().filter(own).cloned().collect();
            if certificates.is_empty() && !pool.is_empty() {
                return Err(mismatch(&name));
            }
            keys.owned.push(Owned { name, key, certificates });
        }
        for path in &self.p12 {
            let name = path.display().to_string();
            let file = pkcs12(path, &self.password, limits, io)?;
            for bag in file.keys() {
                let key = bag.key().map_err(|error| errors::key(&name, &error))?;
                // The newest first: it is the one to sign with.
                let certificates = file.certificates_of(&key).into_iter().rev().cloned().collect();
                keys.owned.push(Owned { name: name.clone(), key, certificates });
            }
            pool.extend(file.certificates().iter().map(|bag| bag.certificate.clone()));
        }
        let is_own = |certificate: &Certificate| {
            keys.owned.iter().any(|owned| owned.certificates.contains(certificate))
        };
        keys.others = pool.into_iter().filter(|certificate| !is_own(certificate)).collect();
        Ok(keys)
    }
}

/// A PKCS#12 file, its MAC verified.
pub(super) fn pkcs12(
    path: &Path,
    password: &PasswordArgs,
    limits: &Limits,
    io: &mut Io,
) -> Result<Pkcs12, Failure> {
    let octets = input::read(path, limits, io)?;
    let name = path.display().to_string();
    let der = match sniff(&octets, limits) {
        Form::Asn1(der) => Zeroizing::new(der),
        Form::Pem(_) | Form::Mail | Form::Unknown => {
            return Err(Failure::error("wrong-kind", format!("{name} is no PKCS#12 file")));
        }
    };
    // A file of another kind needs no password to be refused.
    if kind::of(&der, limits) != Kind::Pkcs12 {
        return Err(Failure::error("wrong-kind", format!("{name} is no PKCS#12 file")));
    }
    let password = password.wanted(&name, io)?;
    Pkcs12::parse(&der, &password, limits).map_err(|error| errors::pkcs12(&name, &error))
}

/// The key does not belong to any of the certificates.
pub(super) fn mismatch(name: &str) -> Failure {
    let message = format!("{name} is not the key of any certificate given; name its certificate with --cert");
    Failure::error("key-mismatch", message)
}

/// The private key of a file, and the certificates that stand beside it. The password is asked for only where the
/// key is encrypted.
pub(super) fn private_key(
    path: &Path,
    password: &PasswordArgs,
    limits: &Limits,
    io: &mut Io,
) -> Result<(SoftwareKey, Vec<Certificate>), Failure> {
    let octets = input::read(path, limits, io)?;
    let name = path.display().to_string();
    let wrong = |error: SoftwareKeyError| errors::key(&name, &error);
    match sniff(&octets, limits) {
        Form::Pem(blocks) => {
            let text = core::str::from_utf8(&octets)
                .map_err(|_| Failure::error("malformed", format!("{name} is no text")))?;
            let key = match SoftwareKey::from_pem(text) {
                Err(SoftwareKeyError::Encrypted) => {
                    let password = password.wanted(&name, io)?;
                    SoftwareKey::from_pem_with_password(text, password.as_bytes(), limits)
                }
                other => other,
            };
            Ok((key.map_err(wrong)?, certificates::of_blocks(&blocks, &name, limits)?))
        }
        Form::Asn1(der) => {
            let der = Zeroizing::new(der);
            let key = if kind::of(&der, limits) == Kind::EncryptedPrivateKey {
                let password = password.wanted(&name, io)?;
                SoftwareKey::from_encrypted_der(&der, password.as_bytes(), limits)
            } else {
                SoftwareKey::from_pkcs8_der(&der)
            };
            Ok((key.map_err(wrong)?, Vec::new()))
        }
        Form::Mail | Form::Unknown => {
            Err(Failure::error("malformed", format!("{name} is no private key in PEM or DER")))
        }
    }
}
