//! How a message names a signer's or recipient's certificate.

use core::fmt;

use aecm_core::certificate::{Certificate, names_match};
use aecm_core::tlv::{Reader, Tag};

use crate::error::{At, Error};

/// SignerIdentifier and RecipientIdentifier (RFC 5652 §5.3, §6.2.1).
///
/// It only selects candidates; whether a candidate is the signer is for its key to show (THREATS S6).
///
/// ```text
/// CHOICE {
///   issuerAndSerialNumber IssuerAndSerialNumber,
///   subjectKeyIdentifier [0] SubjectKeyIdentifier }
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Identifier<'a> {
    /// The issuer's name in DER, and the serial number's content octets.
    IssuerAndSerial {
        /// Name
        issuer: &'a [u8],
        /// INTEGER, content octets
        serial: &'a [u8],
    },
    /// The subject key identifier, content octets.
    SubjectKeyIdentifier(std::borrow::Cow<'a, [u8]>),
}

/// How well an [`Identifier`] fits a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Match {
    /// Octet for octet.
    Exact,
    /// The name is the same after RFC 5280 §7.1, in other octets.
    Name,
}

impl<'a> Identifier<'a> {
    pub(crate) fn read(reader: &mut Reader<'a>, what: &'static str) -> Result<Self, Error> {
        if let Some(id) = reader.context(0).at(what)? {
            return Ok(Self::SubjectKeyIdentifier(id.octet_string().at(what)?));
        }
        let mut fields = reader.sequence().at(what)?;
        let issuer = fields.expect(Tag::SEQUENCE).at(what)?.bytes();
        let serial = fields.integer().at(what)?;
        fields.finish().at(what)?;
        Ok(Self::IssuerAndSerial { issuer, serial })
    }

    /// Whether it names this certificate: a candidate, no more.
    #[must_use]
    pub fn names(&self, certificate: &Certificate) -> bool {
        self.matches(certificate).is_some()
    }

    /// Whether the certificate is a candidate.
    pub(crate) fn matches(&self, certificate: &Certificate) -> Option<Match> {
        match self {
            Self::IssuerAndSerial { issuer, serial } => {
                if certificate.serial() != *serial {
                    None
                } else if certificate.issuer_der() == *issuer {
                    Some(Match::Exact)
                } else {
                    names_match(certificate.issuer_der(), issuer).then_some(Match::Name)
                }
            }
            Self::SubjectKeyIdentifier(id) => {
                let certified = certificate.subject_key_identifier();
                let same = match certified {
                    Some(found) => found == id.as_ref(),
                    // RFC 5652 §6.2.1 wants the extension; without it the usual method (1) is what a sender means.
                    None => certificate
                        .public_key()
                        .is_some_and(|key| key.key_identifier().as_slice() == id.as_ref()),
                };
                same.then_some(Match::Exact)
            }
        }
    }
}

impl fmt::Debug for Identifier<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = |octets: &[u8]| octets.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
        match self {
            Self::IssuerAndSerial { serial, .. } => write!(f, "IssuerAndSerial({})", hex(serial)),
            Self::SubjectKeyIdentifier(id) => write!(f, "SubjectKeyIdentifier({})", hex(id)),
        }
    }
}
