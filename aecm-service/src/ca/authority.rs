//! One certification authority: a key handle, its certificate, and issuing.

use std::sync::Arc;
use std::time::Duration;

use aecm_core::certificate::Certificate;
use aecm_core::embed::{Rng, RngError};
use aecm_core::key::{KeyError, Signer};
use aecm_core::oid;
use aecm_core::public_key::PublicKey;
use aecm_core::software::{KeySpec, SoftwareKey};
use aecm_core::time::Time;
use aecm_core::tlv::{Tag, write as w};

use super::template::{Template, extension};

// A verifier's clock may be a little behind ours.
const BACKDATING: Duration = Duration::from_secs(300);

/// A certification authority that can issue.
#[derive(Clone)]
pub struct Authority {
    signer: Arc<dyn Signer>,
    certificate: Certificate,
    chain: Vec<Certificate>,
}

impl core::fmt::Debug for Authority {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Authority").field("subject", &self.certificate.subject_text()).finish_non_exhaustive()
    }
}

/// Why nothing was issued.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IssueError {
    /// The authority's key could not sign, or the random source failed.
    Key(KeyError),
    /// What was made does not read back as a certificate: a defect here, shown rather than hidden.
    Malformed(String),
}

impl core::fmt::Display for IssueError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Key(error) => write!(f, "the authority cannot sign: {error}"),
            Self::Malformed(detail) => write!(f, "the certificate made does not read back: {detail}"),
        }
    }
}

impl core::error::Error for IssueError {}

impl From<KeyError> for IssueError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

impl From<RngError> for IssueError {
    fn from(_: RngError) -> Self {
        Self::Key(KeyError::Rng)
    }
}

impl Authority {
    /// Makes a self-signed root with a fresh key.
    ///
    /// # Errors
    /// [`IssueError`] when no key could be made or it could not sign.
    pub async fn root(
        common_name: &str,
        spec: KeySpec,
        rng: &Arc<dyn Rng>,
        now: Time,
    ) -> Result<Self, IssueError> {
        Self::root_of(common_name, new_key(spec, rng)?, rng, now).await
    }

    /// A self-signed root with that key.
    pub(crate) async fn root_of(
        common_name: &str,
        key: SoftwareKey,
        rng: &Arc<dyn Rng>,
        now: Time,
    ) -> Result<Self, IssueError> {
        let signer: Arc<dyn Signer> = Arc::new(key.into_signer(Arc::clone(rng)));
        let template = Template::root(common_name);
        let names = Names { issuer: template.subject_der(), issuer_key: signer.public_key().clone() };
        let key = signer.public_key().clone();
        let certificate =
            sign_certificate(&template, &key, &names, signer.as_ref(), &serial_number(rng.as_ref())?, now)
                .await?;
        Ok(Self { signer, certificate, chain: Vec::new() })
    }

    /// Makes an authority below this one, with a fresh key.
    ///
    /// # Errors
    /// As [`Authority::root`].
    pub async fn subordinate(
        &self,
        template: &Template,
        spec: KeySpec,
        rng: &Arc<dyn Rng>,
        now: Time,
    ) -> Result<Self, IssueError> {
        self.subordinate_of(template, new_key(spec, rng)?, rng, now).await
    }

    /// An authority below this one with that key.
    pub(crate) async fn subordinate_of(
        &self,
        template: &Template,
        key: SoftwareKey,
        rng: &Arc<dyn Rng>,
        now: Time,
    ) -> Result<Self, IssueError> {
        let signer: Arc<dyn Signer> = Arc::new(key.into_signer(Arc::clone(rng)));
        let certificate = self.issue(template, signer.public_key(), rng.as_ref(), now).await?;
        Ok(Self { signer, certificate, chain: self.chain_below() })
    }

    /// An authority that was made before.
    pub(crate) fn restore(pair: KeyPair, above: Option<&Self>, rng: &Arc<dyn Rng>) -> Self {
        Self {
            signer: Arc::new(pair.key.into_signer(Arc::clone(rng))),
            certificate: pair.certificate,
            chain: above.map(Self::chain_below).unwrap_or_default(),
        }
    }

    /// The authority's key.
    pub(crate) fn signer(&self) -> &Arc<dyn Signer> {
        &self.signer
    }

    /// Issues a certificate for `key`.
    ///
    /// # Errors
    /// [`IssueError`] when the authority's key cannot sign.
    pub async fn issue(
        &self,
        template: &Template,
        key: &PublicKey,
        rng: &dyn Rng,
        now: Time,
    ) -> Result<Certificate, IssueError> {
        self.issue_numbered(template, key, &serial_number(rng)?, now).await
    }

    /// As [`Authority::issue`], with a serial number that the caller knows to be new.
    pub(crate) async fn issue_numbered(
        &self,
        template: &Template,
        key: &PublicKey,
        serial: &[u8; SERIAL],
        now: Time,
    ) -> Result<Certificate, IssueError> {
        let names = Names {
            issuer: self.certificate.subject_der().to_vec(),
            issuer_key: self.signer.public_key().clone(),
        };
        sign_certificate(template, key, &names, self.signer.as_ref(), serial, now).await
    }

    /// Makes a key and a certificate for it that issues nothing itself: a timestamp unit.
    ///
    /// # Errors
    /// As [`Authority::root`].
    pub async fn end_entity(
        &self,
        template: &Template,
        spec: KeySpec,
        rng: &Arc<dyn Rng>,
        now: Time,
    ) -> Result<(Certificate, Arc<dyn Signer>), IssueError> {
        let signer = new_key(spec, rng)?.into_signer(Arc::clone(rng));
        let certificate = self.issue(template, signer.public_key(), rng.as_ref(), now).await?;
        Ok((certificate, Arc::new(signer)))
    }

    /// The authority's own certificate.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// What accompanies a certificate issued here: this authority and those above it, without the root.
    #[must_use]
    pub fn chain_below(&self) -> Vec<Certificate> {
        if self.certificate.subject_der() == self.certificate.issuer_der() {
            return Vec::new();
        }
        let mut chain = vec![self.certificate.clone()];
        chain.extend(self.chain.iter().cloned());
        chain
    }
}

struct Names {
    issuer: Vec<u8>,
    issuer_key: PublicKey,
}

/// A private key and the certificate of its public half.
#[derive(Clone)]
pub(crate) struct KeyPair {
    pub(crate) key: SoftwareKey,
    pub(crate) certificate: Certificate,
}

/// A fresh key.
pub(crate) fn new_key(spec: KeySpec, rng: &Arc<dyn Rng>) -> Result<SoftwareKey, IssueError> {
    SoftwareKey::generate(spec, rng.as_ref()).map_err(IssueError::Key)
}

/// Octets of a serial number.
pub(crate) const SERIAL: usize = 16;

/// 126 random bits, positive, never zero (BR §7.1: at least 64 from a CSPRNG).
pub(crate) fn serial_number(rng: &dyn Rng) -> Result<[u8; SERIAL], IssueError> {
    let mut serial = [0u8; SERIAL];
    rng.fill(&mut serial)?;
    if let Some(first) = serial.first_mut() {
        *first = *first & 0x7f | 0x40;
    }
    Ok(serial)
}

/// `Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue }` (RFC 5280 §4.1).
async fn sign_certificate(
    template: &Template,
    key: &PublicKey,
    names: &Names,
    signer: &dyn Signer,
    serial: &[u8; SERIAL],
    now: Time,
) -> Result<Certificate, IssueError> {
    let not_before = now.minus(BACKDATING);
    let validity = w::sequence(&[&w::time(not_before), &w::time(not_before.plus(template.lifetime))]);
    let mut extensions = template.extensions.clone();
    extensions.push(extension(oid::SUBJECT_KEY_IDENTIFIER, false, &w::octet_string(&key.key_identifier())));
    // AuthorityKeyIdentifier with keyIdentifier [0] only (RFC 5280 §4.2.1.1).
    let authority = w::tlv(Tag::context_primitive(0), &names.issuer_key.key_identifier());
    extensions.push(extension(oid::AUTHORITY_KEY_IDENTIFIER, false, &w::sequence(&[&authority])));
    let extensions: Vec<&[u8]> = extensions.iter().map(Vec::as_slice).collect();
    let algorithm = signer.algorithm();
    let tbs = w::sequence(&[
        &w::explicit(0, &w::small(2)),
        &w::integer_bytes(serial),
        &algorithm.identifier_der(),
        &names.issuer,
        &validity,
        &template.subject_der(),
        key.spki_der(),
        &w::explicit(3, &w::sequence(&extensions)),
    ]);
    let signature = signer.sign(algorithm, &tbs).await?;
    let der = w::sequence(&[&tbs, &algorithm.identifier_der(), &w::bit_string(&signature)]);
    Certificate::from_der(&der).map_err(|error| IssueError::Malformed(error.to_string()))
}
