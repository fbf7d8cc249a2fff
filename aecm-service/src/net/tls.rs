//! The TLS identity of the loopback server: a CA made at start, and one certificate for localhost.

use std::sync::Arc;
use std::time::Duration;

use aecm_core::certificate::Certificate;
use aecm_core::embed::Rng;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::software::KeySpec;
use aecm_core::time::Time;
use aecm_core::tlv::{Tag, write as w};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::ca::{Authority, KeyPair, Template, new_key};
use crate::error::Error;

const SERVER_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");

/// How long before its end the server's certificate is made anew, at a start.
const RENEW_BEFORE: Duration = Duration::from_secs(7 * 86_400);

/// A CA and the server's key under it.
#[derive(Clone)]
pub(crate) struct TlsKeys {
    pub(crate) ca: KeyPair,
    pub(crate) server: KeyPair,
}

/// A server configuration and the CA a client has to trust for it.
pub(crate) struct LoopbackTls {
    pub(crate) config: Arc<rustls::ServerConfig>,
    pub(crate) ca: Certificate,
}

impl TlsKeys {
    /// Makes a CA and a certificate for `localhost`, `127.0.0.1` and `::1`.
    pub(crate) async fn generate(rng: &Arc<dyn Rng>, now: Time) -> Result<Self, Error> {
        let key = new_key(KeySpec::P256, rng)?;
        let ca = Authority::root_of("AECM Test TLS Root", key.clone(), rng, now).await?;
        let server = new_key(KeySpec::P256, rng)?;
        let certificate = ca.issue(&server_template(), server.public_key(), rng.as_ref(), now).await?;
        Ok(Self {
            ca: KeyPair { key, certificate: ca.certificate().clone() },
            server: KeyPair { key: server, certificate },
        })
    }

    /// The same key under the same CA with a new certificate, where the old one is about to end; whether it
    /// was.
    pub(crate) async fn renew(&mut self, rng: &Arc<dyn Rng>, now: Time) -> Result<bool, Error> {
        if now.plus(RENEW_BEFORE) < self.server.certificate.not_after() {
            return Ok(false);
        }
        let ca = Authority::restore(self.ca.clone(), None, rng);
        let key = self.server.key.public_key();
        self.server.certificate = ca.issue(&server_template(), key, rng.as_ref(), now).await?;
        Ok(true)
    }

    /// The configuration of the server.
    pub(crate) fn configure(&self) -> Result<LoopbackTls, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::Tls(error.to_string()))?
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from(self.server.certificate.as_der().to_vec())],
                PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.server.key.to_pkcs8_der().to_vec())),
            )
            .map_err(|error| Error::Tls(error.to_string()))?;
        Ok(LoopbackTls { config: Arc::new(config), ca: self.ca.certificate.clone() })
    }
}

fn server_template() -> Template {
    let usage = w::tlv(Tag::BIT_STRING, &[7, 0x80]);
    // GeneralName: dNSName [2], iPAddress [7].
    let names = w::sequence(&[
        &w::tlv(Tag::context_primitive(2), b"localhost"),
        &w::tlv(Tag::context_primitive(7), &[127, 0, 0, 1]),
        &w::tlv(Tag::context_primitive(7), &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
    ]);
    let extension = |id: ObjectIdentifier, critical: bool, value: &[u8]| {
        if critical {
            w::sequence(&[&w::oid(&id), &w::boolean(true), &w::octet_string(value)])
        } else {
            w::sequence(&[&w::oid(&id), &w::octet_string(value)])
        }
    };
    Template {
        common_name: Some("localhost".to_owned()),
        attributes: Vec::new(),
        lifetime: Duration::from_secs(30 * 86_400),
        extensions: vec![
            extension(oid::KEY_USAGE, true, &usage),
            extension(oid::EXT_KEY_USAGE, false, &w::sequence(&[&w::oid(&SERVER_AUTH)])),
            extension(oid::SUBJECT_ALT_NAME, false, &names),
        ],
    }
}
