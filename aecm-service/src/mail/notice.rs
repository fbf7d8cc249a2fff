//! Mails that tell a mailbox what happened to it.

use aecm_acme::email::challenge_sign_options;
use aecm_core::mailbox::Mailbox;
use aecm_core::time::Time;

use super::{PostOffice, SELECTOR};
use crate::error::Error;

/// What a notice says.
pub(crate) struct Notice<'a> {
    pub(crate) to: &'a Mailbox,
    pub(crate) what: &'static str,
    /// What the device calls itself.
    pub(crate) device: Option<&'a str>,
    pub(crate) now: Time,
}

impl PostOffice {
    /// Composes, signs and sends a notice. Its subject is never that of a challenge.
    pub(crate) async fn send_notice(&self, notice: &Notice<'_>) -> Result<(), Error> {
        let failed = |error: &dyn core::fmt::Display| Error::Mail(error.to_string());
        let address = format!("notices@{}", self.ca_domain);
        let from: Mailbox = address.parse().map_err(|error| failed(&error))?;
        let mut random = [0u8; 12];
        self.rng.fill(&mut random).map_err(|error| failed(&error))?;
        let id = crate::hex::hex(&random);
        // What a device calls itself is shown in plain ASCII, or not at all.
        let plain = |name: &&str| {
            name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
        };
        let device = notice.device.filter(plain).map(|name| format!("It calls itself: {name}\r\n"));
        let mail = format!(
            "From: {from}\r\nTo: {}\r\nDate: {}\r\nMessage-ID: <{id}@{}>\r\n\
             Subject: Security notice for your e-mail certificates\r\nAuto-Submitted: auto-generated\r\n\
             MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\
             Content-Transfer-Encoding: 7bit\r\n\r\n{}\r\n{}\r\n\
             If this was you, there is nothing to do. If it was not, somebody else reads your mail:\r\n\
             change the password of your mailbox, and revoke the certificates you do not know.\r\n",
            notice.to,
            date(notice.now),
            self.ca_domain,
            notice.what,
            device.unwrap_or_default(),
        );
        let options = challenge_sign_options(&from, SELECTOR, notice.now);
        let signed =
            options.sign_mail(mail.as_bytes(), self.dkim.as_ref()).await.map_err(|error| failed(&error))?;
        self.transmit(&from, notice.to, signed).await
    }
}

/// RFC 5322 §3.3, in UTC. The day of the week is optional there and left out.
fn date(time: Time) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let civil = time.civil();
    let month = MONTHS.get(usize::from(civil.month).saturating_sub(1)).unwrap_or(&"Jan");
    format!(
        "{} {month} {:04} {:02}:{:02}:{:02} +0000",
        civil.day, civil.year, civil.hour, civil.minute, civil.second
    )
}
