//! Certification requests (PKCS#10, RFC 2986) for a mailbox: built by the client, read and verified by the
//! server.
//!
//! ```text
//! CertificationRequest ::= SEQUENCE {
//!     certificationRequestInfo  CertificationRequestInfo,
//!     signatureAlgorithm        AlgorithmIdentifier,
//!     signature                 BIT STRING }
//! CertificationRequestInfo ::= SEQUENCE {
//!     version        INTEGER { v1(0) },
//!     subject        Name,
//!     subjectPKInfo  SubjectPublicKeyInfo,
//!     attributes     [0] IMPLICIT SET OF Attribute }
//! ```
//!
//! The one attribute is extensionRequest with the mailbox as rfc822Name, the key usage of RFC 8823 §3 for the
//! purpose (STANDARDS A20: RSA and SM2 keyEncipherment, EC keyAgreement), and the extended key usage.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! use std::sync::Arc;
//! use aecm_acme::csr::{CertificateRequest, Template};
//! use aecm_core::{embed::OsRng, limits::Limits, signature::Sm2Id, software::{KeySpec, SoftwareKey}, suite::Purpose};
//!
//! let mailbox = "alice@example.com".parse()?;
//! let key = SoftwareKey::generate(KeySpec::Sm2, &OsRng)?.into_decryptor(Arc::new(OsRng));
//! let der = Template::new(&mailbox, Purpose::Encrypt).prove(&key).await?;
//!
//! let request = CertificateRequest::parse(&der, &Limits::default())?;
//! request.verify(Sm2Id::Default)?;
//! assert_eq!(request.mailboxes(), [mailbox]);
//! assert_eq!(request.purpose(), Some(Purpose::Encrypt));
//! # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
//! ```

mod build;
mod error;
mod read;
mod usage;

pub use build::Template;
pub use error::CsrError;
pub use read::CertificateRequest;
pub use usage::asked_usage;
pub(crate) use usage::exceeds;

#[cfg(test)]
mod tests;
