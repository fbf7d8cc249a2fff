//! SMIMECapabilities: what a correspondent says they can read (RFC 8551 §2.5.2, RFC 4262).
//!
//! ```text
//! SMIMECapabilities ::= SEQUENCE OF SMIMECapability
//! SMIMECapability ::= SEQUENCE {
//!   capabilityID OBJECT IDENTIFIER,
//!   parameters ANY DEFINED BY capabilityID OPTIONAL }
//! ```
//!
//! Take capabilities only from certificates and from messages whose verdict is valid (THREATS K9).

use aecm_core::limits::Limits;
use aecm_core::oid::ObjectIdentifier;
use aecm_core::tlv::{Reader, Rules};

use crate::cipher::ContentCipher;
use crate::error::{At, Error};

/// Capabilities in the order of preference in which they were stated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    list: Vec<Capability>,
}

/// One capability; unknown ones are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capability {
    /// capabilityID
    pub oid: ObjectIdentifier,
    /// The parameters with tag and length, as received.
    pub parameters: Option<Vec<u8>>,
}

impl Capabilities {
    /// Reads the DER of an SMIMECapabilities: the value of the signed attribute, or of the certificate
    /// extension.
    ///
    /// # Errors
    /// [`Error::Tlv`] for other octets, [`Error::Limit`] for more than
    /// [`Limits::attributes`](aecm_core::limits::Limits) capabilities.
    ///
    /// ```
    /// use aecm_core::{limits::Limits, oid};
    /// use aecm_smime::{capabilities::Capabilities, cipher::ContentCipher, cms::SignedData};
    ///
    /// let message = include_bytes!("../tests/vectors/signed/openssl40-sm2.der");
    /// let signed = SignedData::parse(message, &Limits::default())?;
    /// let attribute = signed.signers()[0].attribute(&oid::SMIME_CAPABILITIES).and_then(|found| found.single());
    /// let capabilities = Capabilities::parse(attribute.unwrap_or_default(), &Limits::default())?;
    /// assert!(capabilities.reads(ContentCipher::Aes256Cbc));
    /// assert!(!capabilities.reads(ContentCipher::Sm4Gcm));
    /// # Ok::<(), aecm_smime::Error>(())
    /// ```
    pub fn parse(der: &[u8], limits: &Limits) -> Result<Self, Error> {
        let what = "SMIMECapabilities";
        let mut outer = Reader::new(der, Rules::Der, limits);
        let mut items = outer.sequence().at(what)?;
        outer.finish().at(what)?;
        let mut list = Vec::new();
        while !items.is_empty() {
            if list.len() >= limits.attributes {
                return Err(Error::Limit { what: "S/MIME capabilities", limit: limits.attributes });
            }
            let mut fields = items.sequence().at(what)?;
            let oid = fields.oid().at(what)?;
            let parameters =
                if fields.is_empty() { None } else { Some(fields.any().at(what)?.bytes().to_vec()) };
            fields.finish().at(what)?;
            list.push(Capability { oid, parameters });
        }
        Ok(Self { list })
    }

    /// All of them, in order.
    #[must_use]
    pub fn as_slice(&self) -> &[Capability] {
        &self.list
    }

    /// Whether that capability is stated, with whatever parameters.
    #[must_use]
    pub fn contains(&self, oid: &ObjectIdentifier) -> bool {
        self.list.iter().any(|capability| capability.oid == *oid)
    }

    /// Whether the correspondent says they can read that content cipher.
    #[must_use]
    pub fn reads(&self, cipher: ContentCipher) -> bool {
        self.contains(&cipher.oid())
    }

    /// The content ciphers that both sides know, in the correspondent's order.
    #[must_use]
    pub fn ciphers(&self) -> Vec<ContentCipher> {
        self.list.iter().filter_map(|capability| ContentCipher::from_oid(&capability.oid)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aecm_core::oid;
    use aecm_core::tlv::write;

    fn one(oid: &ObjectIdentifier) -> Vec<u8> {
        write::sequence(&[&write::oid(oid)])
    }

    #[test]
    fn order_and_unknown_ones_are_kept() {
        let unknown = ObjectIdentifier::new_unwrap("1.2.3.4");
        let with = write::sequence(&[&write::oid(&unknown), &write::small(128)]);
        let der = write::sequence(&[&one(&oid::SM4_GCM), &with, &one(&oid::AES256_GCM)]);
        let capabilities = Capabilities::parse(&der, &Limits::default()).unwrap();
        assert_eq!(capabilities.ciphers(), [ContentCipher::Sm4Gcm, ContentCipher::Aes256Gcm]);
        assert_eq!(capabilities.as_slice()[1].parameters, Some(write::small(128)));
        assert!(!capabilities.reads(ContentCipher::Aes128Cbc));
    }

    #[test]
    fn what_is_no_capabilities_is_refused() {
        let limits = Limits::default();
        for bad in [&b""[..], b"\x30", b"\x31\x00", b"\x30\x02\x05\x00", b"\x30\x80\x00\x00", b"\x30\x00\x00"]
        {
            assert!(Capabilities::parse(bad, &limits).is_err(), "{bad:02x?}");
        }
    }

    #[test]
    fn the_limit_holds() {
        let limits = Limits::default();
        let make = |count: usize| write::sequence(&vec![one(&oid::AES128_GCM).as_slice(); count]);
        assert!(Capabilities::parse(&make(64), &limits).is_ok());
        assert!(matches!(Capabilities::parse(&make(65), &limits), Err(Error::Limit { limit: 64, .. })));
    }
}
