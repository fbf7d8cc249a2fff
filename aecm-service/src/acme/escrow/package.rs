//! The keys of a package, each with its octets: what was stored is given out as it came.

use aecm_core::limits::Limits;
use aecm_core::mailbox::Mailbox;
use aecm_core::suite::{Purpose, Suite};
use aecm_core::tlv::{Reader, Rules, Tag};
use aecm_store::package::{PackagedKey, parse};
use zeroize::Zeroizing;

use super::super::state::{State, key_name};

/// A key with the octets of its OneAsymmetricKey.
pub(super) struct Key {
    octets: Zeroizing<Vec<u8>>,
    key: PackagedKey,
}

impl Key {
    pub(super) fn suite(&self) -> Suite {
        self.key.public_key.suite()
    }

    /// SHA-256 of the SPKI in hex.
    pub(super) fn name(&self) -> String {
        key_name(self.key.public_key.spki_der())
    }

    /// Whether one of its certificates is an encrypting one that was issued here for that mailbox.
    pub(super) fn was_issued(&self, state: &State, mailbox: &Mailbox) -> bool {
        self.key.certificates.iter().any(|certificate| {
            state.certificates.values().any(|issued| {
                issued.leaf() == Some(certificate)
                    && issued.profile.purpose == Purpose::Encrypt
                    && issued.mailbox.matches(mailbox)
            })
        })
    }
}

/// Reads a package: every private key checked against its certificates.
pub(super) fn read(package: &[u8], limits: &Limits) -> Result<Vec<Key>, String> {
    let keys = parse(package, limits).map_err(|error| error.to_string())?;
    let malformed = |error: aecm_core::tlv::TlvError| error.to_string();
    let mut list = Reader::new(package, Rules::Der, limits).sequence().map_err(malformed)?;
    let mut read = Vec::with_capacity(keys.len());
    for key in keys {
        let octets = list.expect(Tag::SEQUENCE).map_err(malformed)?.bytes().to_vec();
        read.push(Key { octets: Zeroizing::new(octets), key });
    }
    Ok(read)
}

/// `AsymmetricKeyPackage ::= SEQUENCE OF OneAsymmetricKey` of these keys, in their order.
pub(super) fn write(keys: &[&Key]) -> Zeroizing<Vec<u8>> {
    let parts: Vec<&[u8]> = keys.iter().map(|key| key.octets.as_slice()).collect();
    Zeroizing::new(aecm_core::tlv::write::sequence(&parts))
}
