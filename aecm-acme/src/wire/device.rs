//! The devices of a mailbox's owner, as the service knows them (`meta.aecm.devices`): each is an ACME account.

use aecm_core::certificate::Certificate;
use aecm_core::time::Time;
use serde::{Deserialize, Serialize};

use super::{EventAccount, rfc3339};
use crate::jws;

/// The longest name of a device, in octets.
const MAX_NAME: usize = 64;
/// The longest `id`, in octets.
const MAX_ID: usize = 128;

/// One account with certificates of a mailbox that have neither run out nor been revoked.
///
/// ```json
/// { "mailbox": "alice@example.com", "id": "5f1c…", "device": "laptop-1", "account": "other",
///   "added": "2026-11-23T22:00:00Z", "certificates": ["MIIB…"] }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// The mailbox.
    pub mailbox: String,
    /// The account under a name that stays the same and says nothing else.
    pub id: String,
    /// The name that the device gave itself in newOrder, where it gave one.
    #[serde(default)]
    pub device: Option<String>,
    /// Whose account it is.
    pub account: EventAccount,
    /// When the account obtained its first certificate of the mailbox.
    #[serde(with = "rfc3339")]
    pub added: Time,
    /// base64url of the DER of its certificates for the mailbox, of all purposes.
    #[serde(default)]
    pub certificates: Vec<String>,
}

impl Device {
    /// The certificates. `None` where one of them cannot be read.
    #[must_use]
    pub fn certificates(&self) -> Option<Vec<Certificate>> {
        let read = |text: &String| jws::decode(text).and_then(|der| Certificate::from_der(&der).ok());
        self.certificates.iter().map(read).collect()
    }

    /// The name that the device gives itself, where it has one of at most 64 printable ASCII characters.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.device.as_deref().filter(|name| (1..=MAX_NAME).contains(&name.len()) && is_printable(name))
    }

    /// Whether its id and numbers are within what is taken.
    fn is_bounded(&self) -> bool {
        (1..=MAX_ID).contains(&self.id.len())
            && is_printable(&self.id)
            && self.certificates.len() <= DeviceList::MAX_CERTIFICATES
    }
}

fn is_printable(text: &str) -> bool {
    text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}

/// The answer: the devices of every mailbox of which the account has a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceList {
    /// The devices.
    pub devices: Vec<Device>,
}

impl DeviceList {
    /// The most devices that are taken in one answer.
    pub const MAX_DEVICES: usize = 1_024;
    /// The most certificates that are taken of one device.
    pub const MAX_CERTIFICATES: usize = 1_024;

    /// Whether it stays within what is taken: numbers, and ids of printable ASCII.
    #[must_use]
    pub fn is_bounded(&self) -> bool {
        self.devices.len() <= Self::MAX_DEVICES && self.devices.iter().all(Device::is_bounded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device() -> Device {
        serde_json::from_str(
            r#"{"mailbox":"alice@example.com","id":"5f1c","device":"laptop-1","account":"other",
                "added":"2026-11-23T22:00:00Z","certificates":["AAAA"],"more":[1]}"#,
        )
        .unwrap()
    }

    #[test]
    fn a_device_is_read_and_an_unreadable_certificate_is_none() {
        let device = device();
        assert_eq!(device.account, EventAccount::Another);
        assert_eq!(device.certificates(), None);
        assert!(DeviceList { devices: vec![device] }.is_bounded());
        let nameless: Device = serde_json::from_str(
            r#"{"mailbox":"a@b.example","id":"x","account":"this","added":"2026-11-23T22:00:00Z"}"#,
        )
        .unwrap();
        assert_eq!((nameless.device.as_deref(), nameless.certificates().unwrap().len()), (None, 0));
    }

    // THREATS N4: what a service says of devices is bounded and holds no control characters.
    #[test]
    fn names_and_numbers_are_bounded() {
        for id in ["", "x\n", "\u{e9}"] {
            let one = Device { id: id.into(), ..device() };
            assert!(!DeviceList { devices: vec![one] }.is_bounded(), "{id:?}");
        }
        // A name that a stranger chose hides nobody: the device has none.
        for name in ["", "\u{1b}[2J", "\u{e9}", &"n".repeat(65)] {
            let one = Device { device: Some(name.into()), ..device() };
            assert_eq!(one.name(), None, "{name:?}");
            assert!(DeviceList { devices: vec![one] }.is_bounded());
        }
        let many = Device { certificates: vec!["AA".into(); 1_025], ..device() };
        assert!(!DeviceList { devices: vec![many] }.is_bounded());
        assert!(!DeviceList { devices: vec![device(); 1_025] }.is_bounded());
    }
}
