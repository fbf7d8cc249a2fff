//! Writing.

use aecm_core::certificate::Certificate;
use aecm_core::digest::DigestAlgorithm;
use aecm_core::embed::Rng;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::password::{self, Cipher, Encryption, PasswordError, Pbes2};
use aecm_core::software::SoftwareKey;
use aecm_core::tlv::{Tag, write};
use zeroize::Zeroizing;

use super::{Pkcs12Error, mac};

/// Octets of the salt of the MAC.
const SALT: usize = 16;

/// Puts a file together; see [`Pkcs12::builder`](super::Pkcs12::builder).
#[derive(Default)]
#[must_use]
pub struct Pkcs12Builder {
    keys: Vec<Key>,
    certificates: Vec<CertificateEntry>,
    crls: Vec<Vec<u8>>,
    encryption: Encryption,
}

struct Key {
    pkcs8: Zeroizing<Vec<u8>>,
    attributes: Vec<u8>,
}

struct CertificateEntry {
    der: Vec<u8>,
    attributes: Vec<u8>,
}

impl Pkcs12Builder {
    /// Adds a private key, with its certificate where it has one: both then carry the SHA-1 of the certificate as
    /// localKeyId, by which other programs find them.
    pub fn key(
        mut self,
        key: &SoftwareKey,
        friendly_name: Option<&str>,
        certificate: Option<&Certificate>,
    ) -> Self {
        let id = certificate.map(|certificate| DigestAlgorithm::Sha1.digest(certificate.as_der()));
        let attributes = attributes(friendly_name, id.as_deref());
        self.keys.push(Key { pkcs8: key.to_pkcs8_der(), attributes: attributes.clone() });
        if let Some(certificate) = certificate {
            let der = certificate.as_der().to_vec();
            self.certificates.retain(|entry| entry.der != der);
            self.certificates.push(CertificateEntry { der, attributes });
        }
        self
    }

    /// Adds a certificate without key: a former one of a key, or one of an authority. Once, if it is there already.
    pub fn certificate(mut self, certificate: &Certificate, friendly_name: Option<&str>) -> Self {
        let der = certificate.as_der().to_vec();
        if self.certificates.iter().all(|entry| entry.der != der) {
            self.certificates.push(CertificateEntry { der, attributes: attributes(friendly_name, None) });
        }
        self
    }

    /// Adds a CRL in DER.
    pub fn crl(mut self, der: &[u8]) -> Self {
        self.crls.push(der.to_vec());
        self
    }

    /// How keys and certificates are encrypted, and with as many iterations the MAC made: with SM3 where the
    /// cipher is SM4, with SHA-256 else.
    pub fn encryption(self, encryption: Encryption) -> Self {
        Self { encryption, ..self }
    }

    /// The file: certificates and CRLs in an encrypted safe, each key shrouded, a MAC over all.
    ///
    /// # Errors
    /// [`Pkcs12Error::Password`] when the random source fails or there are to be no iterations.
    pub fn to_der(&self, password: &str, rng: &dyn Rng) -> Result<Vec<u8>, Pkcs12Error> {
        let mut infos = Vec::new();
        let public: Vec<Vec<u8>> = self
            .certificates
            .iter()
            .map(|entry| typed_bag(&oid::CERT_BAG, &oid::X509_CERTIFICATE, &entry.der, &entry.attributes))
            .chain(self.crls.iter().map(|crl| typed_bag(&oid::CRL_BAG, &oid::X509_CRL, crl, &[])))
            .collect();
        if !public.is_empty() {
            let safe = write::tlv(Tag::SEQUENCE, &public.concat());
            infos.push(self.encrypted_safe(&safe, password, rng)?);
        }
        let mut shrouded = Vec::new();
        for key in &self.keys {
            let value = password::encrypt(&key.pkcs8, password.as_bytes(), self.encryption, rng)?;
            shrouded.push(bag(&oid::SHROUDED_KEY_BAG, &value, &key.attributes));
        }
        if !shrouded.is_empty() {
            infos.push(data(&write::tlv(Tag::SEQUENCE, &shrouded.concat())));
        }
        let safes = write::tlv(Tag::SEQUENCE, &infos.concat());
        let mut salt = [0; SALT];
        rng.fill(&mut salt).map_err(PasswordError::from)?;
        let digest = match self.encryption.cipher() {
            Cipher::Sm4Cbc => DigestAlgorithm::Sm3,
            _ => DigestAlgorithm::Sha256,
        };
        let mac = mac::make(digest, &safes, password, &salt, self.encryption.iteration_count())?;
        Ok(write::sequence(&[&write::small(3), &data(&safes), &mac]))
    }

    fn encrypted_safe(&self, safe: &[u8], password: &str, rng: &dyn Rng) -> Result<Vec<u8>, Pkcs12Error> {
        let scheme = Pbes2::generate(self.encryption, rng)?;
        let octets = scheme.encrypt(password.as_bytes(), safe)?;
        let encrypted = write::sequence(&[
            &write::oid(&oid::DATA),
            &scheme.algorithm_der(),
            &write::tlv(Tag::context_primitive(0), &octets),
        ]);
        let encrypted = write::sequence(&[&write::small(0), &encrypted]);
        Ok(write::sequence(&[&write::oid(&oid::ENCRYPTED_DATA), &write::explicit(0, &encrypted)]))
    }
}

/// What is in it, counted.
impl core::fmt::Debug for Pkcs12Builder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Pkcs12Builder")
            .field("keys", &self.keys.len())
            .field("certificates", &self.certificates.len())
            .finish_non_exhaustive()
    }
}

/// ContentInfo of id-data.
fn data(octets: &[u8]) -> Vec<u8> {
    write::sequence(&[&write::oid(&oid::DATA), &write::explicit(0, &write::octet_string(octets))])
}

fn bag(kind: &ObjectIdentifier, value: &[u8], attributes: &[u8]) -> Vec<u8> {
    write::sequence(&[&write::oid(kind), &write::explicit(0, value), attributes])
}

fn typed_bag(kind: &ObjectIdentifier, form: &ObjectIdentifier, der: &[u8], attributes: &[u8]) -> Vec<u8> {
    let octets = write::explicit(0, &write::octet_string(der));
    bag(kind, &write::sequence(&[&write::oid(form), &octets]), attributes)
}

/// The SET of attributes, or nothing where there are none.
fn attributes(friendly_name: Option<&str>, local_key_id: Option<&[u8]>) -> Vec<u8> {
    let attribute = |oid: &ObjectIdentifier, value: Vec<u8>| {
        write::sequence(&[&write::oid(oid), &write::set_of(vec![value])])
    };
    let mut all = Vec::new();
    if let Some(name) = friendly_name {
        let text: Vec<u8> = name.encode_utf16().flat_map(u16::to_be_bytes).collect();
        all.push(attribute(&oid::FRIENDLY_NAME, write::tlv(Tag::BMP_STRING, &text)));
    }
    if let Some(id) = local_key_id {
        all.push(attribute(&oid::LOCAL_KEY_ID, write::octet_string(id)));
    }
    if all.is_empty() { Vec::new() } else { write::set_of(all) }
}
