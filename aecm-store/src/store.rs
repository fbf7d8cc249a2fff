//! The joint between AECM and the place where keys live.

use std::sync::Arc;

use aecm_core::certificate::Certificate;
use aecm_core::embed::MaybeSendSync;
use aecm_core::key::{Decryptor, Signer};
use aecm_core::mailbox::Mailbox;
use aecm_core::software::KeySpec;
use aecm_core::suite::Suite;
use aecm_core::time::Time;
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::import::ImportedKey;
use crate::lease::Lease;
use crate::slot::{DeviceId, Entry, KeyId, Slot};

/// Where the keys of mailboxes live, with their certificates and history; and the durable memory of what is
/// under way at the ACME server.
///
/// Every method takes `&self`, may be called from many tasks at once, and either happens whole or not at all.
/// [`crate::conformance::run`] shows whether an implementation keeps the promises made here.
///
/// # Cancel safety
/// Dropping a future before it is ready leaves either the old or the new state, never a mixture.
#[cfg_attr(not(target_family = "wasm"), async_trait::async_trait)]
#[cfg_attr(target_family = "wasm", async_trait::async_trait(?Send))]
pub trait KeyStore: MaybeSendSync {
    /// Generates a key for `slot` of `mailbox`; its state is pending.
    ///
    /// When this returns, the key is durable: written, flushed to the medium, read back and compared
    /// (THREATS K6). Only then may its CSR be sent.
    ///
    /// # Errors
    /// [`StoreError::MalformedSlot`], [`StoreError::WrongKind`] (a kind of key outside the slot's suite),
    /// [`StoreError::TooLarge`] (a mailbox holds 1024 keys), and what the medium says. After an error the key
    /// may be there or not; it was not acknowledged.
    async fn generate(
        &self,
        mailbox: &Mailbox,
        slot: &Slot,
        spec: KeySpec,
        now: Time,
    ) -> Result<KeyId, StoreError>;

    /// All keys the mailbox has or had, in the order they were generated. Empty for an unknown mailbox.
    ///
    /// # Errors
    /// When the store cannot be read. Damage is an error, never an empty list.
    async fn entries(&self, mailbox: &Mailbox) -> Result<Vec<Entry>, StoreError>;

    /// The mailboxes that have keys here, sorted.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn mailboxes(&self) -> Result<Vec<Mailbox>, StoreError>;

    /// Installs a certificate and those above it (`chain`, the leaf first) for a key.
    ///
    /// The key becomes active; the key that was active in the same place ([`Slot::same_place`]) retires.
    /// A key that is already active gets the new certificate and keeps the former in [`Entry::former`];
    /// installing the same chain again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::CertificateMismatch`] unless the leaf holds exactly this key, names the mailbox and has
    /// the usage of the slot (THREATS K8); [`StoreError::WrongState`] for a retired or removed key;
    /// [`StoreError::TooLarge`] for more than 16 certificates; [`StoreError::NoSuchKey`].
    async fn install(&self, mailbox: &Mailbox, id: &KeyId, chain: Vec<Certificate>)
    -> Result<(), StoreError>;

    /// Takes over keys made elsewhere, all of them or none, also when the process dies midway (THREATS K6).
    /// Gives the names of the keys, in the order of `keys`.
    ///
    /// Chains are held to what [`KeyStore::install`] asks (THREATS K8), former ones too. A new key gets the
    /// state given; one that becomes active retires the active key of its place, and of several active ones
    /// for one place the last remains. Pending keys of the place stay pending: whether they are still wanted
    /// is for the caller to decide.
    ///
    /// A key that is here already, for the same purpose, is kept in its slot and gets the certificates it
    /// lacks; of its old current certificate and the last one given, that with the later notBefore becomes
    /// the current one. It keeps its state, except: pending and removed keys take the state given, and a
    /// retired one given as active becomes so where its place has no active key. Importing the same keys
    /// again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::BadKey`]; [`StoreError::WrongKind`] and [`StoreError::MalformedSlot`] as
    /// [`KeyStore::generate`]; [`StoreError::CertificateMismatch`] as [`KeyStore::install`], and for an active
    /// or retired key without chains; [`StoreError::WrongState`] for a pending key with chains, and for keys
    /// given as removed; [`StoreError::WrongPurpose`] for a key that is here for another purpose;
    /// [`StoreError::TooLarge`].
    async fn import(
        &self,
        mailbox: &Mailbox,
        keys: Vec<ImportedKey>,
        now: Time,
    ) -> Result<Vec<KeyId>, StoreError>;

    /// The key as a signer. Signing and timestamping slots only, in any state but removed: a pending key
    /// signs its CSR, a retired one may have to sign its own revocation.
    ///
    /// # Errors
    /// [`StoreError::WrongPurpose`] for an encrypting key; [`StoreError::WrongState`] for a removed one;
    /// [`StoreError::NoSuchKey`].
    async fn signer(&self, mailbox: &Mailbox, id: &KeyId) -> Result<Arc<dyn Signer>, StoreError>;

    /// The key as a decryptor. Encrypting slots only, in any state but removed: retired keys go on opening
    /// the mail of their time (THREATS E8).
    ///
    /// # Errors
    /// [`StoreError::WrongPurpose`] for a signing or timestamping key; [`StoreError::WrongState`] for a
    /// removed one; [`StoreError::NoSuchKey`].
    async fn decryptor(&self, mailbox: &Mailbox, id: &KeyId) -> Result<Arc<dyn Decryptor>, StoreError>;

    /// Makes a key a tombstone: it is no longer handed out, but its octets stay until [`KeyStore::purge`].
    ///
    /// # Errors
    /// [`StoreError::NoSuchKey`]; and what the medium says.
    async fn remove(&self, mailbox: &Mailbox, id: &KeyId) -> Result<(), StoreError>;

    /// Destroys a removed key. For an encrypting key, the mail encrypted to it is lost with it (THREATS K6).
    ///
    /// # Errors
    /// [`StoreError::WrongState`] unless the key was removed first; [`StoreError::NoSuchKey`].
    async fn purge(&self, mailbox: &Mailbox, id: &KeyId) -> Result<(), StoreError>;

    /// The private key as PKCS#8 (RFC 5958), whatever its state: the only way in which key octets leave.
    ///
    /// # Errors
    /// [`StoreError::NoSuchKey`]; stores that cannot export say [`KeyError::Unsupported`].
    ///
    /// [`KeyError::Unsupported`]: aecm_core::key::KeyError::Unsupported
    async fn export(&self, mailbox: &Mailbox, id: &KeyId) -> Result<Zeroizing<Vec<u8>>, StoreError>;

    /// The ACME account key for the directory with that URL: P-256 with ES256, made at first use and durable
    /// when this returns, one per directory.
    ///
    /// It belongs to no mailbox and no slot, and it signs JWS signing inputs (RFC 7515 §5.1) and nothing
    /// else, so that it can never stand in a CSR or a certificate (THREATS N8).
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] for a URL longer than 1000 octets; and what the medium says.
    async fn account_key(&self, directory: &str, now: Time) -> Result<Arc<dyn Signer>, StoreError>;

    /// What was last saved under `name`, or `None`.
    ///
    /// # Errors
    /// When the store cannot be read; damage is an error, never `None`.
    async fn load_state(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError>;

    /// Saves `octets` under `name`, durable and confidential like a key. The last writer wins.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] for more than 4 MiB or a name of more than 1000 octets or none.
    async fn save_state(&self, name: &str, octets: &[u8]) -> Result<(), StoreError>;

    /// Forgets what was saved under `name`; nothing there is no error.
    ///
    /// # Errors
    /// What the medium says.
    async fn delete_state(&self, name: &str) -> Result<(), StoreError>;

    /// The name of this device, chosen at random at first use and kept.
    ///
    /// # Errors
    /// What the medium says.
    async fn device(&self) -> Result<DeviceId, StoreError>;

    /// The right to do alone what `name` stands for: shut out are all other tasks, handles and processes that
    /// ask this store for a lease of that name, and nothing else. It ends with the [`Lease`], or the process.
    ///
    /// # Errors
    /// [`StoreError::Busy`] at once, without waiting, while another holds it; [`StoreError::TooLarge`] for a
    /// name of more than 1000 octets or none.
    async fn lease(&self, name: &str) -> Result<Lease, StoreError>;

    /// The suite the owner of the mailbox prefers, if they chose one.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn default_suite(&self, mailbox: &Mailbox) -> Result<Option<Suite>, StoreError>;

    /// Sets or clears the preferred suite.
    ///
    /// # Errors
    /// What the medium says.
    async fn set_default_suite(&self, mailbox: &Mailbox, suite: Option<Suite>) -> Result<(), StoreError>;

    /// The slot with which the owner of the mailbox prefers to sign, if they chose one. A slot, not a key:
    /// the choice outlives the rotation of keys.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn default_signer(&self, mailbox: &Mailbox) -> Result<Option<Slot>, StoreError>;

    /// Sets or clears the preferred signing slot.
    ///
    /// # Errors
    /// [`StoreError::MalformedSlot`] unless it is a well-formed slot with the purpose of signing.
    async fn set_default_signer(&self, mailbox: &Mailbox, slot: Option<Slot>) -> Result<(), StoreError>;
}
