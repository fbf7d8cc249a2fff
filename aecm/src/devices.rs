//! The devices of a mailbox's owner, and what happened to the mailbox elsewhere.

use std::collections::BTreeMap;

use aecm_acme::jws;
use aecm_acme::wire::{Event, EventAccount, EventKind};
use aecm_core::certificate::Certificate;
use aecm_core::time::Time;
use aecm_store::DeviceId;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::mailbox::Mailbox;
use crate::record::{self, hex};

/// Certificates remembered of one other device.
const MAX_CERTIFICATES: usize = 64;

/// A device of the mailbox's owner.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Device {
    /// The name that it gives itself.
    pub id: DeviceId,
    /// Whether it is this one.
    pub this: bool,
    /// When the service first saw it, where it says so.
    pub since: Option<Time>,
    /// Its signing and timestamping certificates, as far as they are known here: of this device those in use, of
    /// others what they showed when they asked for the keys.
    pub certificates: Vec<Certificate>,
}

/// base64url of the certificates of other devices, by name.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Book(BTreeMap<String, Vec<String>>);

impl Mailbox {
    /// What happened to this mailbox, the newest last: devices that were added, new encrypting keys, keys that
    /// travelled. An event that the owner did not cause is a reason to revoke.
    ///
    /// # Errors
    /// [`Error::Provision`] where the service refuses or tells no events.
    pub async fn events(&self) -> Result<Vec<Event>, Error> {
        let list = self.client().events(self.soon()).await?;
        let ours = |event: &Event| {
            event
                .mailbox
                .parse()
                .is_ok_and(|named: aecm_core::mailbox::Mailbox| named.matches(self.address()))
        };
        let events: Vec<Event> = list.events.into_iter().filter(ours).collect();
        self.learn(&events).await?;
        Ok(events)
    }

    /// The devices that are known: this one, those that asked it for keys, and those that the service names.
    ///
    /// # Errors
    /// [`Error::Provision`], [`Error::Store`].
    pub async fn devices(&self) -> Result<Vec<Device>, Error> {
        let ring = self.keyring().await?;
        let own = ring.entries.iter().filter(|entry| entry.slot.device.as_ref() == Some(&ring.device));
        let own = own.filter(|entry| entry.state == aecm_store::EntryState::Active);
        let certificates = own.filter_map(|entry| entry.certificate.clone()).collect();
        let this = Device { id: ring.device.clone(), this: true, since: None, certificates };
        let mut devices = vec![this];
        for (id, certificates) in self.known_devices().await? {
            devices.push(Device { id, this: false, since: None, certificates });
        }
        for event in self.events().await? {
            let Some(id) = event.device.as_deref().and_then(|name| name.parse::<DeviceId>().ok()) else {
                continue;
            };
            let known = devices.iter_mut().find(|device| device.id == id);
            match known {
                Some(device) if event.kind == EventKind::DeviceAdded => device.since = Some(event.time),
                Some(_) => {}
                None if event.account == EventAccount::Another => {
                    devices.push(Device {
                        id,
                        this: false,
                        since: Some(event.time),
                        certificates: Vec::new(),
                    });
                }
                None => {}
            }
        }
        Ok(devices)
    }

    /// The certificates that other devices showed.
    pub(crate) async fn known_devices(&self) -> Result<Vec<(DeviceId, Vec<Certificate>)>, Error> {
        let name = self.book_name();
        let book: Book = record::load(self.aecm().store().as_ref(), &name).await?.unwrap_or_default();
        let mut known = Vec::new();
        for (id, certificates) in book.0 {
            let damaged = || Error::Record { name: name.clone() };
            let read = |text: &String| jws::decode(text).and_then(|der| Certificate::from_der(&der).ok());
            let certificates: Option<Vec<_>> = certificates.iter().map(read).collect();
            let id = id.parse().map_err(|_| damaged())?;
            known.push((id, certificates.ok_or_else(damaged)?));
        }
        Ok(known)
    }

    /// Remembers which certificates are another device's; never one of this device's own.
    pub(crate) async fn remember_device(
        &self,
        device: &DeviceId,
        certificates: &[Certificate],
    ) -> Result<(), Error> {
        let name = self.book_name();
        let mut book: Book = record::load(self.aecm().store().as_ref(), &name).await?.unwrap_or_default();
        let ring = self.keyring().await?;
        if *device == ring.device {
            return Ok(());
        }
        let own = |certificate: &Certificate| {
            ring.entries
                .iter()
                .any(|entry| entry.certificate.iter().chain(&entry.former).any(|one| one == certificate))
        };
        let known = book.0.entry(device.as_str().to_owned()).or_default();
        for certificate in certificates.iter().filter(|certificate| !own(certificate)) {
            let text = jws::encode(certificate.as_der());
            if !known.contains(&text) && known.len() < MAX_CERTIFICATES {
                known.push(text);
            }
        }
        record::save(self.aecm().store().as_ref(), &name, &book).await
    }

    fn book_name(&self) -> String {
        format!("aecm-devices:{}", self.address())
    }
}

/// The name of a certificate in events.
pub(crate) fn event_name(certificate: &Certificate) -> String {
    hex(&certificate.sha256())
}
