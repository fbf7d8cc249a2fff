//! What other devices showed of themselves when they asked for keys.

use std::collections::BTreeMap;

use aecm_acme::jws;
use aecm_core::certificate::Certificate;
use aecm_store::DeviceId;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::mailbox::Mailbox;

/// Certificates remembered of one other device.
const MAX_CERTIFICATES: usize = 64;

/// base64url of the certificates of other devices, by name.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Book(BTreeMap<String, Vec<String>>);

impl Mailbox {
    /// The certificates that other devices showed.
    pub(crate) async fn known_devices(&self) -> Result<Vec<(DeviceId, Vec<Certificate>)>, Error> {
        let name = self.book_name();
        let book: Book = self.recorded(&name).await?.unwrap_or_default();
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
        let ring = self.keyring().await?;
        if *device == ring.device {
            return Ok(());
        }
        let own = |certificate: &Certificate| {
            ring.entries
                .iter()
                .any(|entry| entry.certificate.iter().chain(&entry.former).any(|one| one == certificate))
        };
        let note = |book: &mut Book| {
            let known = book.0.entry(device.as_str().to_owned()).or_default();
            for certificate in certificates.iter().filter(|certificate| !own(certificate)) {
                let text = jws::encode(certificate.as_der());
                if !known.contains(&text) && known.len() < MAX_CERTIFICATES {
                    known.push(text);
                }
            }
        };
        self.change(&self.book_name(), note).await
    }

    fn book_name(&self) -> String {
        format!("aecm-devices:{}", self.address())
    }
}
