//! The devices of a mailbox's owner, and what happened to the mailbox elsewhere.

mod book;

use aecm_acme::client::ClientError;
use aecm_acme::wire::{self, Event, EventAccount, EventKind};
use aecm_core::certificate::Certificate;
use aecm_core::time::Time;
use aecm_store::{DeviceId, EntryState};

use crate::error::Error;
use crate::keyring::Keyring;
use crate::mailbox::Mailbox;
use crate::record::hex;

/// How much of the service's name of an account stands in the name of a device.
const SHORT: usize = 16;

/// A device of the mailbox's owner.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Device {
    /// The name that it gives itself. Anybody can choose a name: a device that has none, that of this device, or one
    /// that several have, goes by `account-` and the beginning of [`account`](Self::account).
    pub id: DeviceId,
    /// The service's name of its account, where the service lists devices.
    pub account: Option<String>,
    /// Whether it is this one.
    pub this: bool,
    /// When it obtained its first certificate, where the service says so.
    pub since: Option<Time>,
    /// Its signing and timestamping certificates. Where the service lists devices, those that have neither run out
    /// nor been revoked; else what is known here: of this device those in use, of others what they showed when they
    /// asked for the keys.
    pub certificates: Vec<Certificate>,
}

impl Mailbox {
    /// What happened to this mailbox, the newest last: devices that were added, new encrypting keys, keys that
    /// travelled. An event that the owner did not cause is a reason to revoke.
    ///
    /// What other devices revoked or replaced is noted: a certificate of this store that was revoked elsewhere is not
    /// used any more, and [`Mailbox::renew_if_due`] asks for keys that were replaced.
    ///
    /// # Errors
    /// [`Error::Provision`] where the service refuses or tells no events.
    pub async fn events(&self) -> Result<Vec<Event>, Error> {
        let list = self.client().events(self.soon()).await?;
        let events: Vec<Event> =
            list.events.into_iter().filter(|event| self.is_named(&event.mailbox)).collect();
        self.learn(&events).await?;
        Ok(events)
    }

    /// The devices of the owner, this one first: every account with a certificate of this mailbox that has neither
    /// run out nor been revoked, as the service lists them. Of a service that does not, those that are known here:
    /// those that asked this device for keys, and those that its events name, if it tells any.
    ///
    /// # Errors
    /// [`Error::Provision`], [`Error::Store`].
    pub async fn devices(&self) -> Result<Vec<Device>, Error> {
        let ring = self.keyring().await?;
        match self.listed_devices(&ring).await? {
            Some(devices) => Ok(devices),
            None => self.remembered_devices(&ring).await,
        }
    }

    /// The devices that the service lists; `None` where it lists none at all.
    pub(crate) async fn listed_devices(&self, ring: &Keyring) -> Result<Option<Vec<Device>>, Error> {
        let list = match self.client().devices(self.soon()).await {
            Err(ClientError::NotOffered { .. }) => return Ok(None),
            list => list?,
        };
        let listed: Vec<wire::Device> =
            list.devices.into_iter().filter(|device| self.is_named(&device.mailbox)).collect();
        let is_own = |device: &wire::Device| device.account == EventAccount::Own;
        let named = |device: &wire::Device| device.name().and_then(|name| name.parse::<DeviceId>().ok());
        let mut devices = vec![this_device(ring)];
        for device in &listed {
            let certificates = device.certificates().ok_or(ClientError::Answer { status: 200 })?;
            let certificates = certificates.into_iter().filter(|one| !encrypts(one)).collect();
            let (account, since) = (Some(device.id.clone()), Some(device.added));
            if let (true, Some(this)) = (is_own(device), devices.first_mut()) {
                *this = Device { account, since, certificates, ..this.clone() };
                continue;
            }
            let name = named(device).filter(|name| {
                let others = listed.iter().filter(|other| !is_own(other));
                *name != ring.device
                    && others.filter(|other| named(other).as_ref() == Some(name)).count() == 1
            });
            let Some(id) = name.or_else(|| by_account(&device.id)) else { continue };
            devices.push(Device { id, account, this: false, since, certificates });
        }
        Ok(Some(devices))
    }

    async fn remembered_devices(&self, ring: &Keyring) -> Result<Vec<Device>, Error> {
        let mut devices = vec![this_device(ring)];
        for (id, certificates) in self.known_devices().await? {
            devices.push(Device { id, account: None, this: false, since: None, certificates });
        }
        for event in self.events_if_told().await? {
            let Some(id) = event.device.as_deref().and_then(|name| name.parse::<DeviceId>().ok()) else {
                continue;
            };
            let known = devices.iter_mut().find(|device| device.id == id);
            match known {
                Some(device) if event.kind == EventKind::DeviceAdded => device.since = Some(event.time),
                Some(_) => {}
                None if event.account == EventAccount::Another => {
                    let (account, since) = (None, Some(event.time));
                    devices.push(Device { id, account, this: false, since, certificates: Vec::new() });
                }
                None => {}
            }
        }
        Ok(devices)
    }

    /// The events; none of a service that tells none.
    pub(crate) async fn events_if_told(&self) -> Result<Vec<Event>, Error> {
        match self.events().await {
            Err(Error::Provision(ClientError::NotOffered { .. })) => Ok(Vec::new()),
            events => events,
        }
    }

    fn is_named(&self, mailbox: &str) -> bool {
        mailbox.parse().is_ok_and(|named: aecm_core::mailbox::Mailbox| named.matches(self.address()))
    }
}

fn this_device(ring: &Keyring) -> Device {
    let own = ring.entries.iter().filter(|entry| entry.slot.device.as_ref() == Some(&ring.device));
    let own = own.filter(|entry| entry.state == EntryState::Active);
    let certificates = own.filter_map(|entry| entry.certificate.clone()).collect();
    Device { id: ring.device.clone(), account: None, this: true, since: None, certificates }
}

/// The name of a device by its account.
fn by_account(account: &str) -> Option<DeviceId> {
    let plain = account.chars().filter(char::is_ascii_alphanumeric).take(SHORT);
    format!("account-{}", plain.collect::<String>().to_ascii_lowercase()).parse().ok()
}

/// Whether a certificate is for the shared encrypting key.
pub(crate) fn encrypts(certificate: &Certificate) -> bool {
    certificate
        .key_usage()
        .is_some_and(|usage| usage.key_encipherment() || usage.data_encipherment() || usage.key_agreement())
}

/// The name of a certificate in events.
pub(crate) fn event_name(certificate: &Certificate) -> String {
    hex(&certificate.sha256())
}
