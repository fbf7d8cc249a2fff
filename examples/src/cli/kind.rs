//! What an ASN.1 value is.

use aecm_acme::csr::{CertificateRequest, CsrError};
use aecm_core::certificate::Certificate;
use aecm_core::crl::Crl;
use aecm_core::limits::Limits;
use aecm_core::ocsp::{OcspError, OcspResponse};
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::public_key::PublicKey;
use aecm_core::tlv::{Reader, Rules, Tag, TlvError};
use aecm_smime::cms::{SignedData, content_type};

/// A kind of ASN.1 value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    SignedData,
    TimestampToken,
    EnvelopedData,
    AuthEnvelopedData,
    EncryptedData,
    CompressedData,
    Cms,
    Certificate,
    Csr,
    Crl,
    OcspResponse,
    PrivateKey,
    EncryptedPrivateKey,
    PublicKey,
    Pkcs12,
    TimestampRequest,
    TimestampResponse,
    Asn1,
}

impl Kind {
    /// The stable word.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::SignedData => "signed-data",
            Self::TimestampToken => "timestamp-token",
            Self::EnvelopedData => "enveloped-data",
            Self::AuthEnvelopedData => "auth-enveloped-data",
            Self::EncryptedData => "encrypted-data",
            Self::CompressedData => "compressed-data",
            Self::Cms => "cms",
            Self::Certificate => "certificate",
            Self::Csr => "csr",
            Self::Crl => "crl",
            Self::OcspResponse => "ocsp-response",
            Self::PrivateKey => "private-key",
            Self::EncryptedPrivateKey => "encrypted-private-key",
            Self::PublicKey => "public-key",
            Self::Pkcs12 => "pkcs12",
            Self::TimestampRequest => "timestamp-request",
            Self::TimestampResponse => "timestamp-response",
            Self::Asn1 => "asn1",
        }
    }

    /// Whether it is a ContentInfo.
    pub(super) const fn is_cms(self) -> bool {
        matches!(
            self,
            Self::SignedData
                | Self::TimestampToken
                | Self::EnvelopedData
                | Self::AuthEnvelopedData
                | Self::EncryptedData
                | Self::CompressedData
                | Self::Cms
        )
    }

    /// Whether its octets are nobody's business.
    pub(super) const fn is_secret(self) -> bool {
        matches!(self, Self::PrivateKey)
    }
}

/// Finds out what `der` is.
pub(super) fn of(der: &[u8], limits: &Limits) -> Kind {
    if let Ok(content_type) = content_type(der, limits) {
        return cms(&content_type, der, limits);
    }
    if Certificate::from_der(der).is_ok() {
        return Kind::Certificate;
    }
    if Crl::from_der(der, limits).is_ok() {
        return Kind::Crl;
    }
    let private = |shape: Shape| shape == Shape::PrivateKey;
    match shape(der, limits) {
        Ok(shape) if private(shape) => Kind::PrivateKey,
        Ok(Shape::EncryptedPrivateKey) => Kind::EncryptedPrivateKey,
        Ok(Shape::Pkcs12) => Kind::Pkcs12,
        _ if PublicKey::from_spki_der(der).is_ok() => Kind::PublicKey,
        _ if is_csr(der, limits) => Kind::Csr,
        _ if aecm_timestamp::Request::from_der(der, limits).is_ok() => Kind::TimestampRequest,
        _ if aecm_timestamp::parse_response(der, limits).is_ok() => Kind::TimestampResponse,
        _ if !matches!(OcspResponse::from_der(der, limits), Err(OcspError::Encoding(_))) => {
            Kind::OcspResponse
        }
        _ => Kind::Asn1,
    }
}

fn cms(content_type: &ObjectIdentifier, der: &[u8], limits: &Limits) -> Kind {
    match *content_type {
        oid::SIGNED_DATA | oid::GM_SIGNED_DATA => {
            let is_token =
                SignedData::parse(der, limits).is_ok_and(|signed| signed.content_type() == oid::TST_INFO);
            if is_token { Kind::TimestampToken } else { Kind::SignedData }
        }
        oid::ENVELOPED_DATA | oid::GM_ENVELOPED_DATA => Kind::EnvelopedData,
        oid::AUTH_ENVELOPED_DATA => Kind::AuthEnvelopedData,
        oid::ENCRYPTED_DATA | oid::GM_ENCRYPTED_DATA => Kind::EncryptedData,
        oid::COMPRESSED_DATA => Kind::CompressedData,
        _ => Kind::Cms,
    }
}

fn is_csr(der: &[u8], limits: &Limits) -> bool {
    // A request of an unknown key or with odd names is one all the same.
    !matches!(
        CertificateRequest::parse(der, limits),
        Err(CsrError::Malformed(_) | CsrError::Version | CsrError::TooLarge { .. })
    )
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    PrivateKey,
    EncryptedPrivateKey,
    Pkcs12,
    Other,
}

/// The shapes of keys, by their first fields alone, so that one of an unknown algorithm is kept private too.
///
/// ```text
/// PrivateKeyInfo          ::= SEQUENCE { INTEGER 0|1, AlgorithmIdentifier, OCTET STRING, … }
/// ECPrivateKey            ::= SEQUENCE { INTEGER 1, OCTET STRING, … }
/// RSAPrivateKey           ::= SEQUENCE { INTEGER 0|1, INTEGER, INTEGER, INTEGER, … }
/// EncryptedPrivateKeyInfo ::= SEQUENCE { AlgorithmIdentifier, OCTET STRING }
/// PFX                     ::= SEQUENCE { INTEGER 3, ContentInfo, MacData OPTIONAL }
/// ```
fn shape(der: &[u8], limits: &Limits) -> Result<Shape, TlvError> {
    let mut outer = Reader::new(der, Rules::Ber, limits);
    let mut fields = outer.sequence()?;
    if fields.peek()? == Some(Tag::SEQUENCE) {
        let algorithm = fields.algorithm();
        let encrypted = algorithm.is_ok() && fields.octet_string().is_ok() && fields.is_empty();
        return Ok(if encrypted { Shape::EncryptedPrivateKey } else { Shape::Other });
    }
    let version = fields.small()?;
    let next = fields.any()?;
    Ok(match (version, next.tag()) {
        (0 | 1, Tag::INTEGER) => Shape::PrivateKey,
        (1, Tag::OCTET_STRING) => Shape::PrivateKey,
        (0 | 1, Tag::SEQUENCE) if next.algorithm().is_ok() && fields.octet_string().is_ok() => {
            Shape::PrivateKey
        }
        (3, Tag::SEQUENCE) => Shape::Pkcs12,
        _ => Shape::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aecm_core::embed::OsRng;
    use aecm_core::software::{KeySpec, SoftwareKey};

    #[test]
    fn keys_are_known_whatever_their_algorithm() {
        let limits = Limits::default();
        let key = SoftwareKey::generate(KeySpec::P256, &OsRng).unwrap();
        assert_eq!(of(&key.to_pkcs8_der(), &limits), Kind::PrivateKey);
        assert_eq!(of(key.public_key().spki_der(), &limits), Kind::PublicKey);
        // An Ed25519 key, which nothing else here reads (RFC 8410 §10.3).
        let ed25519 = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20\xd4\xee\x72\xdb\xf9\x13\x58\x4a\xd5\xb6\xd8\xf1\xf7\x69\xf8\xad\x3a\xfe\x7c\x28\xcb\xf1\xd4\xfb\xe0\x97\xa8\x8f\x44\x75\x58\x42";
        assert_eq!(of(ed25519, &limits), Kind::PrivateKey);
        assert_eq!(of(b"\x30\x03\x02\x01\x05", &limits), Kind::Asn1);
    }
}
