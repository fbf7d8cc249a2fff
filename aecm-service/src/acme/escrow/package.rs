//! The keys of a package, each with its octets: what was stored is given out as it came.

use aecm_core::certificate::Certificate;
use aecm_core::limits::Limits;
use aecm_core::mailbox::Mailbox;
use aecm_core::oid::ObjectIdentifier;
use aecm_core::suite::{Purpose, Suite};
use aecm_core::time::Time;
use aecm_core::tlv::{Reader, Rules, Tag, write};
use aecm_store::package::{PackagedKey, parse};
use zeroize::Zeroizing;

use super::super::state::{State, key_name};

/// RFC 4523: the attributes of a key that hold its certificates, and those above them.
const USER_CERTIFICATE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.36");
const CA_CERTIFICATE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.37");

/// How many certificates a key goes by, the newest.
const MAX_CERTIFICATES: usize = 32;

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

    /// Adds the certificates of the same key in another package.
    fn learn(&mut self, other: &Self) -> Result<(), String> {
        let known = (self.key.certificates.clone(), self.key.issuers.len());
        let add = |to: &mut Vec<Certificate>, from: &[Certificate]| {
            for certificate in from {
                if !to.contains(certificate) {
                    to.push(certificate.clone());
                }
            }
        };
        add(&mut self.key.certificates, &other.key.certificates);
        add(&mut self.key.issuers, &other.key.issuers);
        self.bound();
        if self.key.certificates != known.0 || self.key.issuers.len() != known.1 {
            self.octets = self.written()?;
        }
        Ok(())
    }

    /// OneAsymmetricKey with all certificates: the three fields of PKCS#8, then the attributes.
    fn written(&self) -> Result<Zeroizing<Vec<u8>>, String> {
        let set = |certificates: &[Certificate]| {
            write::set_of(certificates.iter().map(|certificate| certificate.as_der().to_vec()).collect())
        };
        let attribute = |id: &ObjectIdentifier, certificates: &[Certificate]| {
            write::sequence(&[&write::oid(id), &set(certificates)])
        };
        let mut attributes = vec![attribute(&USER_CERTIFICATE, &self.key.certificates)];
        if !self.key.issuers.is_empty() {
            attributes.push(attribute(&CA_CERTIFICATE, &self.key.issuers));
        }
        let attributes = write::tlv(Tag::context(0), &write::set_of_content(attributes));
        let limits = Limits::default();
        let fields = Reader::new(&self.key.pkcs8, Rules::Der, &limits)
            .sequence()
            .map_err(|error| format!("a kept key does not read back: {error}"))?;
        Ok(Zeroizing::new(write::sequence(&[fields.rest(), &attributes])))
    }

    /// Drops every certificate that is not an encrypting one issued here for that mailbox, and every issuer that
    /// is not of these; whether any certificate is left.
    pub(super) fn keep_issued(&mut self, state: &State, mailbox: &Mailbox) -> Result<bool, String> {
        let chains: Vec<&[Certificate]> = state
            .certificates
            .values()
            .filter(|issued| issued.profile.purpose == Purpose::Encrypt && issued.mailbox.matches(mailbox))
            .map(|issued| issued.chain.as_slice())
            .collect();
        let known = (self.key.certificates.len(), self.key.issuers.len());
        self.key
            .certificates
            .retain(|certificate| chains.iter().any(|chain| chain.first() == Some(certificate)));
        self.key
            .issuers
            .retain(|issuer| chains.iter().any(|chain| chain.iter().skip(1).any(|above| above == issuer)));
        self.bound();
        if self.key.certificates.is_empty() {
            return Ok(false);
        }
        if (self.key.certificates.len(), self.key.issuers.len()) != known {
            self.octets = self.written()?;
        }
        Ok(true)
    }

    /// The newest certificates only.
    fn bound(&mut self) {
        if self.key.certificates.len() > MAX_CERTIFICATES {
            self.key.certificates.sort_by_key(|certificate| core::cmp::Reverse(certificate.not_before()));
            self.key.certificates.truncate(MAX_CERTIFICATES);
        }
    }
}

/// The kept keys and the new ones, each once; nothing of what is kept is taken away. A key that is in both goes by
/// the certificates of both.
pub(super) fn unite(kept: Vec<Key>, new: Vec<Key>) -> Result<Vec<Key>, String> {
    let mut all = kept;
    for key in new {
        match all.iter_mut().find(|known| known.name() == key.name()) {
            Some(known) => known.learn(&key)?,
            None => all.push(key),
        }
    }
    Ok(all)
}

/// The keys in the order in which the service first certified them, the ones in use last.
pub(super) fn in_order<'a>(keys: &'a [Key], state: &State, mailbox: &Mailbox, now: Time) -> Vec<&'a Key> {
    let active: Vec<String> = Suite::ALL
        .into_iter()
        .filter_map(|suite| state.active_encryption(mailbox, suite, now)?.key_name())
        .collect();
    let mut ordered: Vec<&Key> = keys.iter().collect();
    ordered.sort_by_cached_key(|key| {
        let name = key.name();
        let first = state
            .certificates
            .values()
            .filter(|issued| issued.key_name().as_ref() == Some(&name))
            .map(|issued| issued.number)
            .min();
        (active.contains(&name), first)
    });
    ordered
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
    Zeroizing::new(write::sequence(&parts))
}
