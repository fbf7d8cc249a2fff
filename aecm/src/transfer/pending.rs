//! What a device remembers of the keys it asked for.

use core::time::Duration;

use aecm_acme::jws;
use aecm_acme::wire::TransferSource;
use aecm_core::certificate::Certificate;
use aecm_core::software::{KeySpec, SoftwareKey};
use aecm_core::suite::Suite;
use aecm_core::time::Time;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use super::conflict::ConflictRecord;
use crate::error::Error;
use crate::mailbox::Mailbox;
use crate::record;

/// The version of the stored form.
const VERSION: u32 = 1;

/// How long a request that was signed and not yet taken by the service may still be posted.
const FRESH: Duration = Duration::from_secs(300);

/// A request under way. It holds the transport key: stored confidentially, and before it is posted.
#[derive(Serialize, Deserialize)]
pub(super) struct Pending {
    version: u32,
    pub(super) lacking: Vec<LackingRecord>,
    pub(super) source: TransferSource,
    /// base64url of PKCS#8.
    transport_key: Secret,
    /// base64url of the request's CMS, once signed.
    request: Option<String>,
    /// When it was signed, in Unix seconds.
    signed: i64,
    /// Where it is, once the service took it.
    pub(super) url: Option<String>,
    /// When the service forgets it, in Unix seconds.
    pub(super) expires: Option<i64>,
    /// Whether the keys are in the store; the service is still to be told.
    pub(super) imported: bool,
    /// The suites whose keys came, once they are in the store; none in records of earlier versions, for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    received: Vec<String>,
    /// What came and would take the place of keys in use here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) conflict: Option<ConflictRecord>,
    /// SHA-256 of the certificates, in hexadecimal, whose keys the owner said may take the place of those in use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) accepted: Vec<String>,
}

/// A suite whose key is elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LackingRecord {
    suite: String,
    /// base64url of the DER of the certificate in use, as the service named it.
    certificate: Option<String>,
    chain: Vec<String>,
}

/// A text that is wiped and not shown.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Secret(String);

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// A suite whose encrypting key is elsewhere, and the certificate that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lacking {
    pub(crate) suite: Suite,
    pub(crate) certificate: Option<Certificate>,
    pub(crate) chain: Vec<Certificate>,
}

impl Lacking {
    fn record(&self) -> LackingRecord {
        let text = |certificate: &Certificate| jws::encode(certificate.as_der());
        LackingRecord {
            suite: self.suite.word().to_owned(),
            certificate: self.certificate.as_ref().map(text),
            chain: self.chain.iter().map(text).collect(),
        }
    }

    fn read(record: &LackingRecord) -> Option<Self> {
        let certificate = |text: &String| jws::decode(text).and_then(|der| Certificate::from_der(&der).ok());
        Some(Self {
            suite: Suite::from_word(&record.suite)?,
            certificate: match &record.certificate {
                Some(text) => Some(certificate(text)?),
                None => None,
            },
            chain: record.chain.iter().map(certificate).collect::<Option<_>>()?,
        })
    }
}

impl Pending {
    pub(super) fn new(
        lacking: &[Lacking],
        source: TransferSource,
        suite: Suite,
        mailbox: &Mailbox,
    ) -> Result<Self, Error> {
        let spec = match suite {
            Suite::Sm2 => KeySpec::Sm2,
            Suite::Classic => KeySpec::Rsa(3_072),
        };
        let key = SoftwareKey::generate(spec, mailbox.aecm().rng().as_ref())
            .map_err(aecm_store::StoreError::from)?;
        Ok(Self {
            version: VERSION,
            lacking: lacking.iter().map(Lacking::record).collect(),
            source,
            transport_key: Secret(jws::encode(&key.to_pkcs8_der())),
            request: None,
            signed: 0,
            url: None,
            expires: None,
            imported: false,
            received: Vec::new(),
            conflict: None,
            accepted: Vec::new(),
        })
    }

    pub(super) fn lacking(&self, mailbox: &Mailbox) -> Result<Vec<Lacking>, Error> {
        let read: Option<Vec<Lacking>> = self.lacking.iter().map(Lacking::read).collect();
        read.ok_or_else(|| damaged(mailbox))
    }

    pub(super) fn suites(&self, mailbox: &Mailbox) -> Result<Vec<Suite>, Error> {
        words(self.lacking.iter().map(|lacking| &lacking.suite), mailbox)
    }

    /// The suites whose keys came.
    pub(super) fn received(&self, mailbox: &Mailbox) -> Result<Vec<Suite>, Error> {
        if self.received.is_empty() { self.suites(mailbox) } else { words(self.received.iter(), mailbox) }
    }

    /// Notes that the keys of these suites are in the store.
    pub(super) fn took(&mut self, suites: &[Suite]) {
        self.imported = true;
        self.conflict = None;
        self.received = suites.iter().map(|suite| suite.word().to_owned()).collect();
    }

    /// Whether what is asked for here is all that `lacking` asks of `source`, under the same certificates, and the
    /// service has it.
    pub(super) fn asks_for(&self, lacking: &[Lacking], source: &TransferSource) -> bool {
        let asked = |one: &Lacking| self.lacking.contains(&one.record());
        self.url.is_some() && !self.imported && self.source == *source && lacking.iter().all(asked)
    }

    pub(super) fn key(&self, mailbox: &Mailbox) -> Result<SoftwareKey, Error> {
        let der = jws::decode(&self.transport_key.0).map(Zeroizing::new);
        der.and_then(|der| SoftwareKey::from_pkcs8_der(&der).ok()).ok_or_else(|| damaged(mailbox))
    }

    /// The request, as it was signed.
    pub(super) fn request(&self, mailbox: &Mailbox) -> Result<Vec<u8>, Error> {
        self.request.as_deref().and_then(jws::decode).ok_or_else(|| damaged(mailbox))
    }

    /// Whether the request can still be posted as it is.
    pub(super) fn is_fresh(&self, now: Time) -> bool {
        let signed = Time::from_unix(self.signed);
        self.request.is_some() && now <= signed.plus(FRESH) && signed <= now.plus(FRESH)
    }

    pub(super) fn signed(&mut self, request: &[u8], now: Time) {
        self.request = Some(jws::encode(request));
        self.signed = now.unix();
        self.url = None;
    }

    pub(super) fn is_over(&self, now: Time) -> bool {
        self.expires.is_some_and(|expires| now > Time::from_unix(expires))
    }
}

pub(super) fn damaged(mailbox: &Mailbox) -> Error {
    Error::Record { name: name(mailbox) }
}

fn words<'a>(words: impl Iterator<Item = &'a String>, mailbox: &Mailbox) -> Result<Vec<Suite>, Error> {
    let read: Option<Vec<Suite>> = words.map(|word| Suite::from_word(word)).collect();
    read.ok_or_else(|| damaged(mailbox))
}

fn name(mailbox: &Mailbox) -> String {
    format!("aecm-transfer:{}:{}", mailbox.aecm().directory_url(), mailbox.address())
}

impl Mailbox {
    pub(super) async fn pending_transfer(&self) -> Result<Option<Pending>, Error> {
        let found: Option<Pending> = record::load(self.aecm().store().as_ref(), &name(self)).await?;
        match found {
            Some(pending) if pending.version != VERSION => Err(damaged(self)),
            found => Ok(found),
        }
    }

    pub(super) async fn save_transfer(&self, pending: &Pending) -> Result<(), Error> {
        record::save(self.aecm().store().as_ref(), &name(self), pending).await
    }

    /// What was asked for and has not come yet.
    pub(crate) async fn awaited(&self) -> Result<Vec<Lacking>, Error> {
        match self.pending_transfer().await? {
            Some(pending) if !pending.imported => pending.lacking(self),
            _ => Ok(Vec::new()),
        }
    }

    pub(crate) async fn forget_transfer(&self) -> Result<(), Error> {
        Ok(self.aecm().store().delete_state(&name(self)).await?)
    }

    /// The suites whose encrypting key was asked for and has not come yet.
    pub(crate) async fn waiting_for(&self) -> Result<Vec<Suite>, Error> {
        match self.pending_transfer().await? {
            Some(pending) if !pending.imported => pending.suites(self),
            _ => Ok(Vec::new()),
        }
    }
}
