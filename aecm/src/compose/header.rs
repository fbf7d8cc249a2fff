//! What the mail's own header says of author and readers, compared with what was asked for.

use aecm_core::header::{Headers, parse_address_list, parse_single_address};
use aecm_core::limits::Limits;
use aecm_core::mailbox::Mailbox as Address;

use super::Compose;
use crate::error::Error;

impl Compose<'_> {
    /// A signed mail has to be from this mailbox, or every reader would be told that the signer is somebody
    /// else (THREATS M1).
    pub(super) fn check_author(&self, limits: &Limits) -> Result<(), Error> {
        let (headers, _) = Headers::parse(self.raw, limits)?;
        let from = headers.single("From")?.map(|field| parse_single_address(field.value_raw)).transpose()?;
        match from {
            Some(from) if from.mailbox.matches(self.mailbox.address()) => Ok(()),
            found => Err(Error::NotFrom {
                mailbox: self.mailbox.address().clone(),
                found: found.map(|address| address.mailbox),
            }),
        }
    }

    /// Whoever stands in To or Cc of an encrypted mail and is not among the recipients could not read it.
    pub(super) fn check_readers(&self, named: &[Address], limits: &Limits) -> Result<(), Error> {
        if self.only_named {
            return Ok(());
        }
        let (headers, _) = Headers::parse(self.raw, limits)?;
        for field in ["To", "Cc"].into_iter().flat_map(|name| headers.get_all(name)) {
            for shown in parse_address_list(field.value_raw)? {
                let known = named.iter().chain([self.mailbox.address()]).any(|reader| reader.matches(&shown));
                if !known {
                    return Err(Error::NotNamed { mailbox: shown });
                }
            }
        }
        Ok(())
    }
}
