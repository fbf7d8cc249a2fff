//! A mailbox with its encryption certificates and what is known of its abilities.

use aecm_core::certificate::Certificate;
use aecm_core::limits::Limits;
use aecm_core::mailbox::Mailbox;
use aecm_core::suite::Suite;
use aecm_core::time::Time;

use super::reason::Reason;
use crate::capabilities::Capabilities;
use crate::cipher::ContentCipher;
use crate::encrypt::{UnusableCertificate, usable_for_encryption};

/// A mailbox with its encryption certificates and what is known of its abilities.
#[derive(Clone, Debug)]
pub struct Correspondent {
    mailbox: Mailbox,
    certificates: Vec<Certificate>,
    declared: Option<Capabilities>,
}

impl Correspondent {
    /// A mailbox with its encryption certificates, of both suites and any age. One that does not name the mailbox is
    /// not used; where several of a suite are usable the one that began last is taken.
    #[must_use]
    pub const fn new(mailbox: Mailbox, certificates: Vec<Certificate>) -> Self {
        Self { mailbox, certificates, declared: None }
    }

    /// Capabilities from a signed message of this mailbox that was found valid. They go before those in its
    /// certificates. Nothing unsigned may come here (THREATS K9).
    #[must_use]
    pub fn declared(mut self, capabilities: Capabilities) -> Self {
        self.declared = Some(capabilities);
        self
    }

    /// The mailbox.
    #[must_use]
    pub const fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    /// The usable certificate of a suite. The error says why the newest one is not usable, or `None` where
    /// there is no certificate of that suite at all.
    pub(super) fn usable(
        &self,
        suite: Suite,
        at: Option<Time>,
    ) -> Result<&Certificate, Option<UnusableCertificate>> {
        let of_suite =
            |certificate: &&Certificate| certificate.public_key().is_some_and(|key| key.suite() == suite);
        let mut candidates: Vec<&Certificate> = self.certificates.iter().filter(of_suite).collect();
        candidates.sort_by_key(|certificate| core::cmp::Reverse(certificate.not_before()));
        let mut first = None;
        for certificate in candidates {
            let named = certificate.mailboxes().iter().any(|own| own.matches(&self.mailbox));
            let usable = usable_for_encryption(certificate, at, false);
            match if named { usable } else { Err(UnusableCertificate::OtherMailbox) } {
                Ok(()) => return Ok(certificate),
                Err(why) => first = first.or(Some(why)),
            }
        }
        Err(first)
    }

    /// Whether the mailbox says it reads `cipher`, by a signed message or by `certificate`.
    pub(super) fn declares(&self, certificate: &Certificate, cipher: ContentCipher) -> bool {
        if let Some(declared) = &self.declared {
            return declared.contains(&cipher.oid());
        }
        let der = certificate.smime_capabilities_der();
        let parsed = der.and_then(|der| Capabilities::parse(der, &Limits::default()).ok());
        parsed.is_some_and(|capabilities| capabilities.contains(&cipher.oid()))
    }

    /// What keeps this mailbox from SM2, or the SM4 modes it declares as (GCM, CBC).
    pub(super) fn sm2(&self, at: Option<Time>) -> Result<(&Certificate, bool, bool), Reason> {
        let mailbox = || self.mailbox.clone();
        let certificate = self.usable(Suite::Sm2, at).map_err(|why| match why {
            None => Reason::NoSm2Certificate { mailbox: mailbox() },
            Some(why) => Reason::Sm2CertificateUnusable { mailbox: mailbox(), why },
        })?;
        let gcm = self.declares(certificate, ContentCipher::Sm4Gcm);
        let cbc = self.declares(certificate, ContentCipher::Sm4Cbc);
        if gcm || cbc {
            Ok((certificate, gcm, cbc))
        } else {
            Err(Reason::Sm4NotDeclared { mailbox: mailbox() })
        }
    }
}
