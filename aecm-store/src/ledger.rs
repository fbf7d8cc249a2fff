//! The record of a mailbox: its keys without their private halves, and the choices of its owner.
//!
//! It is JSON; docs/vault-format.md describes it. Members we do not know are an error and not dropped: to
//! write the record back without them would lose what a later version stored.

use aecm_core::certificate::Certificate;
use aecm_core::mailbox::Mailbox;
use aecm_core::public_key::PublicKey;
use aecm_core::suite::{Purpose, Suite};
use aecm_core::time::Time;
use base64ct::{Base64, Encoding};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::error::{Mismatch, StoreError};
use crate::records::Octets;
use crate::slot::{Entry, EntryState, KeyId, Slot};

/// The most keys of one mailbox, removed ones included until they are purged.
pub(crate) const MAX_ENTRIES: usize = 1024;
/// The most certificates of one chain.
const MAX_CHAIN: usize = 16;

pub(crate) mod import;

#[derive(Serialize, Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ledger {
    mailbox: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default_suite: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default_signer: Option<Slot>,
    keys: Vec<Key>,
}

/// One key. DER in base64 with padding (RFC 4648 §4).
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(deny_unknown_fields)]
pub(crate) struct Key {
    pub(crate) id: KeyId,
    pub(crate) slot: Slot,
    pub(crate) state: EntryState,
    /// Seconds since 1970.
    created: i64,
    /// SubjectPublicKeyInfo.
    public_key: String,
    /// The leaf first; empty while pending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    chain: Vec<String>,
    /// Former leaves, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    former: Vec<String>,
}

impl Ledger {
    pub(crate) fn new(mailbox: &Mailbox) -> Self {
        Self {
            mailbox: mailbox.as_str().to_owned(),
            default_suite: None,
            default_signer: None,
            keys: Vec::new(),
        }
    }

    /// Reads the record of `mailbox`, refusing what this library would not have written.
    pub(crate) fn from_json(octets: &[u8], mailbox: &Mailbox) -> Result<Self, StoreError> {
        let corrupt = |why| StoreError::corrupt(format!("the record of {mailbox}"), why);
        let ledger: Self =
            serde_json::from_slice(octets).map_err(|_| corrupt("it is not of the form of this version"))?;
        if !ledger.mailbox.parse().is_ok_and(|named: Mailbox| named.matches(mailbox)) {
            return Err(corrupt("it is the record of another mailbox"));
        }
        ledger.check().map_err(corrupt)?;
        Ok(ledger)
    }

    fn check(&self) -> Result<(), &'static str> {
        if self.default_suite.as_deref().is_some_and(|word| Suite::from_word(word).is_none()) {
            return Err("the preferred suite is not known");
        }
        for (index, key) in self.keys.iter().enumerate() {
            let earlier = self.keys.iter().take(index);
            if earlier.clone().any(|other| other.id == key.id) {
                return Err("two keys have the same name");
            }
            if key.state == EntryState::Active
                && earlier
                    .clone()
                    .any(|other| other.state == EntryState::Active && other.slot.same_place(&key.slot))
            {
                return Err("two keys are active in one place");
            }
            if matches!(key.state, EntryState::Active | EntryState::Retired) && key.chain.is_empty() {
                return Err("a key is active or retired without a certificate");
            }
        }
        Ok(())
    }

    pub(crate) fn to_json(&self) -> Result<Octets, StoreError> {
        let octets = serde_json::to_vec(self).map_err(|_| {
            StoreError::corrupt(format!("the record of {}", self.mailbox), "it cannot be written")
        })?;
        Ok(Zeroizing::new(octets))
    }

    pub(crate) fn entries(&self) -> Result<Vec<Entry>, StoreError> {
        self.keys.iter().map(Key::entry).collect()
    }

    pub(crate) fn key(&self, mailbox: &Mailbox, id: &KeyId) -> Result<&Key, StoreError> {
        self.keys
            .iter()
            .find(|key| key.id == *id)
            .ok_or_else(|| StoreError::NoSuchKey { mailbox: mailbox.clone(), id: *id })
    }

    fn key_mut(&mut self, mailbox: &Mailbox, id: &KeyId) -> Result<&mut Key, StoreError> {
        self.keys
            .iter_mut()
            .find(|key| key.id == *id)
            .ok_or_else(|| StoreError::NoSuchKey { mailbox: mailbox.clone(), id: *id })
    }

    pub(crate) fn add(
        &mut self,
        id: KeyId,
        slot: &Slot,
        public_key: &PublicKey,
        created: Time,
    ) -> Result<(), StoreError> {
        if self.keys.len() >= MAX_ENTRIES {
            return Err(StoreError::TooLarge { what: "the number of keys of a mailbox", limit: MAX_ENTRIES });
        }
        self.keys.push(Key {
            id,
            slot: slot.clone(),
            state: EntryState::Pending,
            created: created.unix(),
            public_key: Base64::encode_string(public_key.spki_der()),
            chain: Vec::new(),
            former: Vec::new(),
        });
        Ok(())
    }

    /// Installs `chain`; false when it was installed already.
    pub(crate) fn install(
        &mut self,
        mailbox: &Mailbox,
        id: &KeyId,
        chain: &[Certificate],
    ) -> Result<bool, StoreError> {
        check_length(chain)?;
        let key = self.key(mailbox, id)?;
        if !matches!(key.state, EntryState::Pending | EntryState::Active) {
            return Err(StoreError::WrongState { id: *id, state: key.state, asked: "install a certificate" });
        }
        key.accepts(mailbox, chain).map_err(|why| StoreError::CertificateMismatch { id: *id, why })?;
        let chain = texts(chain);
        if key.state == EntryState::Active && key.chain == chain {
            return Ok(false);
        }
        let slot = key.slot.clone();
        self.retire_others(id, &slot);
        let key = self.key_mut(mailbox, id)?;
        key.state = EntryState::Active;
        let leaf = chain.first().cloned();
        if let Some(former) = core::mem::replace(&mut key.chain, chain).into_iter().next()
            && Some(&former) != leaf.as_ref()
            && !key.former.contains(&former)
        {
            key.former.push(former);
        }
        Ok(true)
    }

    /// Makes room for the key `id` in the place of `slot`.
    fn retire_others(&mut self, id: &KeyId, slot: &Slot) {
        for other in &mut self.keys {
            if other.id != *id && other.state == EntryState::Active && other.slot.same_place(slot) {
                other.state = EntryState::Retired;
            }
        }
    }

    /// Makes a tombstone; false when it was one already.
    pub(crate) fn remove(&mut self, mailbox: &Mailbox, id: &KeyId) -> Result<bool, StoreError> {
        let key = self.key_mut(mailbox, id)?;
        Ok(core::mem::replace(&mut key.state, EntryState::Removed) != EntryState::Removed)
    }

    pub(crate) fn purge(&mut self, mailbox: &Mailbox, id: &KeyId) -> Result<(), StoreError> {
        let state = self.key(mailbox, id)?.state;
        if state != EntryState::Removed {
            return Err(StoreError::WrongState { id: *id, state, asked: "purge it before it is removed" });
        }
        self.keys.retain(|key| key.id != *id);
        Ok(())
    }

    pub(crate) fn default_suite(&self) -> Option<Suite> {
        self.default_suite.as_deref().and_then(Suite::from_word)
    }

    pub(crate) fn set_default_suite(&mut self, suite: Option<Suite>) {
        self.default_suite = suite.map(|suite| suite.word().to_owned());
    }

    pub(crate) fn default_signer(&self) -> Option<Slot> {
        self.default_signer.clone()
    }

    pub(crate) fn set_default_signer(&mut self, slot: Option<Slot>) {
        self.default_signer = slot;
    }
}

impl Key {
    pub(crate) fn spki(&self) -> Result<Vec<u8>, StoreError> {
        self.decode(&self.public_key)
    }

    fn decode(&self, text: &str) -> Result<Vec<u8>, StoreError> {
        Base64::decode_vec(text).map_err(|_| self.corrupt("it holds what is not base64"))
    }

    fn corrupt(&self, why: &'static str) -> StoreError {
        StoreError::corrupt(format!("the record of the key {}", self.id), why)
    }

    fn certificates(&self, texts: &[String]) -> Result<Vec<Certificate>, StoreError> {
        texts
            .iter()
            .map(|text| {
                Certificate::from_der(&self.decode(text)?)
                    .map_err(|_| self.corrupt("it holds what is not a certificate"))
            })
            .collect()
    }

    fn entry(&self) -> Result<Entry, StoreError> {
        let mut chain = self.certificates(&self.chain)?.into_iter();
        Ok(Entry {
            id: self.id,
            slot: self.slot.clone(),
            state: self.state,
            public_key: PublicKey::from_spki_der(&self.spki()?)
                .map_err(|_| self.corrupt("it holds what is not a public key"))?,
            certificate: chain.next(),
            chain: chain.collect(),
            former: self.certificates(&self.former)?,
            created: Time::from_unix(self.created),
        })
    }

    /// Whether the leaf of `chain` is for this key, this mailbox and this slot (THREATS K8). What the
    /// certificate does not say (no key usage extension at all) is the business of path validation.
    fn accepts(&self, mailbox: &Mailbox, chain: &[Certificate]) -> Result<(), Mismatch> {
        let leaf = chain.first().ok_or(Mismatch::EmptyChain)?;
        let spki = self.spki().map_err(|_| Mismatch::PublicKey)?;
        let own = PublicKey::from_spki_der(&spki).map_err(|_| Mismatch::PublicKey)?;
        if !leaf.public_key().is_some_and(|key| same_key(key, &own)) {
            return Err(Mismatch::PublicKey);
        }
        if !leaf.mailboxes().iter().any(|named| named.matches(mailbox)) {
            return Err(Mismatch::Mailbox);
        }
        let usage_fits = leaf.key_usage().is_none_or(|usage| match self.slot.purpose {
            Purpose::Sign | Purpose::Timestamp => usage.digital_signature(),
            Purpose::Encrypt => usage.key_encipherment() || usage.key_agreement(),
        });
        if !usage_fits {
            return Err(Mismatch::KeyUsage);
        }
        let wanted = match self.slot.purpose {
            Purpose::Sign | Purpose::Encrypt => aecm_core::oid::EMAIL_PROTECTION,
            Purpose::Timestamp => aecm_core::oid::TIME_STAMPING,
        };
        if leaf.extended_key_usage().is_some_and(|usage| !usage.oids.contains(&wanted)) {
            return Err(Mismatch::ExtendedKeyUsage);
        }
        Ok(())
    }
}

fn check_length(chain: &[Certificate]) -> Result<(), StoreError> {
    if chain.len() > MAX_CHAIN {
        return Err(StoreError::TooLarge { what: "the number of certificates of a chain", limit: MAX_CHAIN });
    }
    Ok(())
}

fn texts(chain: &[Certificate]) -> Vec<String> {
    chain.iter().map(|certificate| Base64::encode_string(certificate.as_der())).collect()
}

/// Whether both are the same key, whatever the encoding of the algorithm's parameters around it.
pub(crate) fn same_key(one: &PublicKey, other: &PublicKey) -> bool {
    let same_point = || one.sec1_point().is_some() && one.sec1_point() == other.sec1_point();
    let same_modulus = || one.rsa_parts().is_some() && one.rsa_parts() == other.rsa_parts();
    one.kind() == other.kind() && (one.spki_der() == other.spki_der() || same_point() || same_modulus())
}
