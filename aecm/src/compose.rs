//! Sending: from a plain mail to one that is signed, timestamped and encrypted for its readers.

mod header;
mod outcome;
mod patience;
mod people;
mod signer;

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;

use aecm_core::mailbox::Mailbox as Address;
use aecm_core::suite::{Purpose, Suite};
use aecm_core::time::Time;
use aecm_smime::choose::Plan;
use aecm_smime::cms::Form;
use aecm_smime::encrypt::ContentCipher;
use aecm_smime::mime::{CmsKind, HeaderProtection, Outgoing, multipart_signed, pkcs7_mime};
use aecm_smime::sign::{SignedDraft, SignedMessage, SignerAttributes, SigningIdentity, sign};
use aecm_timestamp::{LocalSource, TimestampSource, imprint_digest, stamp_signature};

use crate::error::Error;
use crate::keyring::Keyring;
use crate::mailbox::Mailbox;

pub use self::outcome::{Composed, Stamp};

/// How a signed mail carries its signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignatureLayout {
    /// multipart/signed: every mail program shows the text, transports must not change it.
    #[default]
    Clear,
    /// application/pkcs7-mime: nothing on the way can change it unseen, older programs show an attachment.
    Opaque,
}

/// A mail on its way out; nothing happens before it is awaited.
///
/// What is not asked for is not done: `sign`, `timestamp` and `encrypt` each add a protection, `protect` all.
#[must_use = "a mail is composed when this is awaited"]
#[derive(Clone)]
pub struct Compose<'a> {
    mailbox: &'a Mailbox,
    raw: &'a [u8],
    to: Vec<String>,
    suite: Option<Suite>,
    cipher: Option<ContentCipher>,
    form: Form,
    layout: SignatureLayout,
    sign: bool,
    timestamp: bool,
    own_stamp: bool,
    encrypt: bool,
    only_named: bool,
}

impl<'a> Compose<'a> {
    pub(crate) fn new(mailbox: &'a Mailbox, raw: &'a [u8]) -> Self {
        Self {
            mailbox,
            raw,
            to: Vec::new(),
            suite: None,
            cipher: None,
            form: Form::Rfc5652,
            layout: SignatureLayout::default(),
            sign: false,
            timestamp: false,
            own_stamp: false,
            encrypt: false,
            only_named: false,
        }
    }

    /// The recipients: whoever is not named cannot read an encrypted mail, and who stands in its To or Cc has to
    /// be named.
    ///
    /// The recipients of one mail can see each other in it: an encrypted mail for a Bcc reader has to be composed
    /// for that reader alone.
    pub fn to<I: IntoIterator<Item: Into<String>>>(mut self, recipients: I) -> Self {
        self.to.extend(recipients.into_iter().map(Into::into));
        self
    }

    /// Encrypts for the named recipients although the mail shows others in To or Cc, who cannot read it then.
    pub fn only_named(mut self) -> Self {
        self.only_named = true;
        self
    }

    /// This suite, whatever the recipients can; their certificates of it are needed to encrypt.
    pub fn suite(mut self, suite: Suite) -> Self {
        self.suite = Some(suite);
        self
    }

    /// This content cipher, whatever the recipients declare.
    pub fn cipher(mut self, cipher: ContentCipher) -> Self {
        self.cipher = Some(cipher);
        self
    }

    /// The wire form: RFC 5652, or GB/T 35275 for readers that want it.
    pub fn form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    /// How the signature is carried.
    pub fn layout(mut self, layout: SignatureLayout) -> Self {
        self.layout = layout;
        self
    }

    /// Signs.
    pub fn sign(mut self) -> Self {
        self.sign = true;
        self
    }

    /// Has the signature stamped by the timestamp authority of its suite. A mail goes out without a stamp when
    /// there is none to be had in time; [`Composed::stamp`] says so.
    pub fn timestamp(mut self) -> Self {
        self.timestamp = true;
        self
    }

    /// Adds a stamp of the mailbox's own timestamping key. It is shown as self-asserted and proves nothing.
    pub fn own_timestamp(mut self) -> Self {
        self.own_stamp = true;
        self
    }

    /// Encrypts for the recipients and for the sender's own copy.
    pub fn encrypt(mut self) -> Self {
        self.encrypt = true;
        self
    }

    /// Signs, timestamps and encrypts.
    pub fn protect(self) -> Self {
        self.sign().timestamp().encrypt()
    }

    async fn run(self) -> Result<Composed, Error> {
        if (self.timestamp || self.own_stamp) && !self.sign {
            return Err(Error::NothingToStamp);
        }
        let now = self.mailbox.aecm().clock().now();
        let limits = &self.mailbox.aecm().trust().policy.limits;
        let mail = Outgoing::parse(self.raw, limits)?;
        if self.sign {
            self.check_author(limits)?;
        }
        if self.encrypt {
            self.check_readers(&self.addresses()?, limits)?;
        }
        let ring = self.mailbox.keyring().await?;
        let signer = if self.sign { self.default_signer(&ring, now).await? } else { None };
        let choice = self.choice(&ring, signer.as_ref(), now).await?;
        let recipients = self.people(&ring, now).await?;
        let (plan, signing_suite, reasons) = if self.encrypt {
            let own = self.mailbox.correspondent(&ring, now);
            let plan = choice.plan(&own, &recipients)?;
            let (suite, reasons) = (plan.signature_suite, plan.reasons.clone());
            (Some(plan), suite, reasons)
        } else {
            let (suite, reasons) = choice.signature_suite(&recipients);
            (None, suite, reasons)
        };
        if plan.as_ref().is_some_and(|plan| plan.signature_required) && !self.sign {
            return Err(Error::SignatureRequired);
        }
        let protection = match (self.encrypt, self.sign) {
            (true, _) => HeaderProtection::Cipher,
            (false, true) => HeaderProtection::Clear,
            (false, false) => HeaderProtection::None,
        };
        let payload = mail.payload(protection)?;
        let mut composed = Composed::new(plan, reasons);
        let mut entity = payload;
        if self.sign {
            let suite = signing_suite.ok_or_else(|| self.no_key(&ring, self.suite, Purpose::Sign))?;
            let form = if suite == Suite::Sm2 { self.form } else { Form::Rfc5652 };
            let entry = self.signing_entry(&ring, signer.as_ref(), suite)?;
            composed.signer = Some(entry.slot.clone());
            let identity = self.mailbox.signing_identity(entry, now).await?;
            entity = self.signed(entity, &identity, form, &ring, now, &mut composed).await?;
        }
        if let Some(plan) = composed.plan.clone() {
            entity = self.encrypted(&entity, &plan, now, &mut composed)?;
        }
        composed.mail = mail.message(protection, &entity);
        Ok(composed)
    }

    async fn signed(
        &self,
        entity: Vec<u8>,
        identity: &SigningIdentity,
        form: Form,
        ring: &Keyring,
        now: Time,
        composed: &mut Composed,
    ) -> Result<Vec<u8>, Error> {
        let clear = self.layout == SignatureLayout::Clear;
        let attributes = SignerAttributes { signing_time: Some(now), ..SignerAttributes::default() };
        // The sender's encryption certificates travel along, so that answers can be encrypted (RFC 8551 §2.5.3).
        let mut along = Vec::new();
        for suite in Suite::ALL {
            let entry = ring.active(suite, Purpose::Encrypt);
            along.extend(entry.and_then(|entry| entry.certificate.clone()));
        }
        if form == Form::Gbt35275 {
            along.retain(|certificate| certificate.public_key().is_some_and(|key| key.suite() == Suite::Sm2));
        }
        let message = SignedMessage::new(&entity)
            .detached(clear)
            .form(form)
            .single_usage(true)
            .attributes(attributes)
            .certificates(along);
        let mut draft = sign(message, &[identity]).await?;
        self.stamp(&mut draft, identity, ring, now, composed).await?;
        let der = draft.to_der();
        composed.signature_algorithm = Some(identity.signer.algorithm());
        composed.signed_entity = Some(entity.clone());
        composed.signed_data = Some(der.clone());
        if clear {
            let digest = identity.signer.algorithm().digest();
            Ok(multipart_signed(&entity, &der, &[digest], self.mailbox.aecm().rng().as_ref())?)
        } else {
            Ok(pkcs7_mime(CmsKind::SignedData, &der)?)
        }
    }

    async fn stamp(
        &self,
        draft: &mut SignedDraft,
        identity: &SigningIdentity,
        ring: &Keyring,
        now: Time,
        composed: &mut Composed,
    ) -> Result<(), Error> {
        let suite = identity.signer.public_key().suite();
        let digest = imprint_digest(identity.signer.algorithm());
        if self.timestamp {
            // A mail is never held back silently for want of a stamp (THREATS T9): the result says so.
            let stamp = match self.mailbox.aecm().authority(suite) {
                None => Stamp::Failed(aecm_timestamp::Error::NoAuthority),
                Some(source) => {
                    let stamping = stamp_signature(draft, 0, digest, source.as_ref(), now);
                    match self.within_patience(stamping).await {
                        Some(Ok(())) => Stamp::Stamped,
                        Some(Err(error)) => Stamp::Failed(error),
                        None => Stamp::Failed(aecm_timestamp::Error::Deadline {
                            url: format!("the timestamp authority of suite {suite}"),
                        }),
                    }
                }
            };
            composed.stamp = Some(stamp);
        }
        if self.own_stamp {
            let entry = ring.active(suite, Purpose::Timestamp);
            let entry = entry.ok_or_else(|| self.no_key(ring, Some(suite), Purpose::Timestamp))?;
            let own = self.mailbox.signing_identity(entry, now).await?;
            let policy = own
                .certificate
                .policy_oids()
                .first()
                .copied()
                .ok_or_else(|| Error::NoTimestampPolicy(self.mailbox.address().clone()))?;
            let source: Arc<dyn TimestampSource> =
                Arc::new(LocalSource::new(own, policy, Arc::clone(self.mailbox.aecm().rng())));
            stamp_signature(draft, 0, digest, source.as_ref(), now).await?;
        }
        Ok(())
    }

    fn encrypted(
        &self,
        entity: &[u8],
        plan: &Plan,
        now: Time,
        composed: &mut Composed,
    ) -> Result<Vec<u8>, Error> {
        let cms = plan.encryptor().at(now).encrypt(entity, self.mailbox.aecm().rng().as_ref())?;
        let kind =
            if plan.cipher.is_authenticated() { CmsKind::AuthEnvelopedData } else { CmsKind::EnvelopedData };
        let wrapped = pkcs7_mime(kind, &cms)?;
        composed.enveloped_data = Some(cms);
        Ok(wrapped)
    }
}

impl core::fmt::Debug for Compose<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Compose")
            .field("from", self.mailbox.address())
            .field("to", &self.to)
            .field("sign", &self.sign)
            .field("timestamp", &self.timestamp)
            .field("encrypt", &self.encrypt)
            .finish_non_exhaustive()
    }
}

impl<'a> IntoFuture for Compose<'a> {
    type Output = Result<Composed, Error>;
    #[cfg(not(target_family = "wasm"))]
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;
    #[cfg(target_family = "wasm")]
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl Compose<'_> {
    fn addresses(&self) -> Result<Vec<Address>, Error> {
        let parse = |text: &String| {
            text.parse().map_err(|error| Error::Address { address: text.clone(), detail: format!("{error}") })
        };
        self.to.iter().map(parse).collect()
    }
}
