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
        let signer = new_signer(spec, rng)?;
        let template = Template::root(common_name);
        let names = Names { issuer: template.subject_der(), issuer_key: signer.public_key().clone() };
        let key = signer.public_key().clone();
        let certificate =
            sign_certificate(&template, &key, &names, signer.as_ref(), rng.as_ref(), now).await?;
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
        let signer = new_signer(spec, rng)?;
        let certificate = self.issue(template, signer.public_key(), rng.as_ref(), now).await?;
        Ok(Self { signer, certificate, chain: self.chain_below() })
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
        let names = Names {
            issuer: self.certificate.subject_der().to_vec(),
            issuer_key: self.signer.public_key().clone(),
        };
        sign_certificate(template, key, &names, self.signer.as_ref(), rng, now).await
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
        let signer = new_signer(spec, rng)?;
        let certificate = self.issue(template, signer.public_key(), rng.as_ref(), now).await?;
        Ok((certificate, signer))
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

fn new_signer(spec: KeySpec, rng: &Arc<dyn Rng>) -> Result<Arc<dyn Signer>, IssueError> {
    let key = SoftwareKey::generate(spec, rng.as_ref()).map_err(|_| IssueError::Key(KeyError::Rng))?;
    Ok(Arc::new(key.into_signer(Arc::clone(rng))))
}

/// `Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue }` (RFC 5280 §4.1).
async fn sign_certificate(
    template: &Template,
    key: &PublicKey,
    names: &Names,
    signer: &dyn Signer,
    rng: &dyn Rng,
    now: Time,
) -> Result<Certificate, IssueError> {
    // 127 random bits, positive, never zero (BR §7.1: at least 64 from a CSPRNG).
    let mut serial = [0u8; 16];
    rng.fill(&mut serial)?;
    if let Some(first) = serial.first_mut() {
        *first = *first & 0x7f | 0x40;
    }
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
        &w::integer_bytes(&serial),
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
