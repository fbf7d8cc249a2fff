//! Making tokens: the unit of a time-stamping authority, and of a mailbox's own timestamping key.
//!
//! The caller says what time it is and which serial number is next; a [`Unit`] reads no clock.

use core::fmt;
use core::time::Duration;

use aecm_core::digest::DigestAlgorithm;
use aecm_core::embed::{Rng, RngError};
use aecm_core::limits::Limits;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::time::Time;
use aecm_core::tlv::{Reader, Rules, Tag, TlvError, write as w};
use aecm_smime::sign::{SignedMessage, SigningIdentity, sign};

use crate::error::{Error, RequestError};
use crate::request::Request;
use crate::response::{Failure, granted, rejected};
use crate::tst_info::TstInfo;

/// A time-stamping unit (RFC 3161 §2.3): a key with a certificate for nothing but timestamps, and a policy.
#[derive(Clone)]
#[non_exhaustive]
pub struct Unit {
    /// The unit's certificate, path and key.
    pub identity: SigningIdentity,
    /// The policy that tokens are made under, and the only one that may be asked for.
    pub policy: ObjectIdentifier,
    /// How far genTime may be off, as tokens say; `None` says nothing. Microseconds count.
    pub accuracy: Option<Duration>,
    /// Whether tokens are ordered by genTime alone. Only a unit that never stamps twice at one time may say so.
    pub ordering: bool,
    /// The digests of imprints it stamps: at first all but the weak one. GM/T 0033 §7 wants SM3 alone for an
    /// authority that serves only the national suite.
    pub digests: Vec<DigestAlgorithm>,
    /// Bounds on requests.
    pub limits: Limits,
}

impl Unit {
    /// A unit without stated accuracy.
    #[must_use]
    pub fn new(identity: SigningIdentity, policy: ObjectIdentifier) -> Self {
        Self {
            identity,
            policy,
            accuracy: None,
            ordering: false,
            digests: DigestAlgorithm::ALL.into_iter().filter(|digest| !digest.is_weak()).collect(),
            limits: Limits::default(),
        }
    }

    /// States how far genTime may be off.
    #[must_use]
    pub const fn with_accuracy(mut self, accuracy: Duration) -> Self {
        self.accuracy = Some(accuracy);
        self
    }

    /// The token that stamps `request` at `now`, a whole ContentInfo in DER.
    ///
    /// The serial number is unsigned big-endian and at most 160 bits; the caller sees to it that no two tokens
    /// of the unit have the same ([`random_serial`] is enough).
    ///
    /// # Errors
    /// [`Error::Request`] for what the unit does not stamp: [`RequestError::UnknownDigest`],
    /// [`RequestError::Extension`], [`RequestError::Policy`], [`RequestError::Serial`]; [`Error::Sign`] when
    /// the key does not sign or its certificate is not for timestamps.
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind but an unused serial number.
    pub async fn token(&self, request: &Request, now: Time, serial: &[u8]) -> Result<Vec<u8>, Error> {
        if request.has_extensions() {
            return Err(RequestError::Extension.into());
        }
        if request.policy().is_some_and(|policy| *policy != self.policy) {
            return Err(RequestError::Policy.into());
        }
        if !self.digests.contains(&request.digest()) {
            return Err(RequestError::UnknownDigest.into());
        }
        let zeros = serial.iter().take_while(|octet| **octet == 0).count();
        let serial = serial.get(zeros..).unwrap_or_default();
        if serial.len() > crate::tst_info::MAX_SERIAL {
            return Err(RequestError::Serial.into());
        }
        let info = TstInfo {
            policy: self.policy,
            digest: Some(request.digest()),
            imprint: request.imprint().to_vec(),
            serial: serial.to_vec(),
            gen_time: now,
            nanoseconds: 0,
            accuracy: self.accuracy,
            ordering: self.ordering,
            nonce: request.nonce().map(<[u8]>::to_vec),
        };
        let content = info.to_der().ok_or(RequestError::UnknownDigest)?;
        self.sign(&content, request.wants_certificates()).await
    }

    /// Signs the DER of a TSTInfo.
    async fn sign(&self, tst_info: &[u8], certificates: bool) -> Result<Vec<u8>, Error> {
        let message = SignedMessage::new(tst_info).content_type(oid::TST_INFO);
        let token = sign(message, &[&self.identity]).await?.to_der();
        if certificates { Ok(token) } else { Ok(without_certificates(&token, &self.limits)?) }
    }

    /// The whole answer to a whole request: a token, or a rejection that says why (RFC 3161 §2.4.2).
    ///
    /// # Cancel safety
    /// As [`Unit::token`].
    pub async fn answer(&self, request_der: &[u8], now: Time, serial: &[u8]) -> Vec<u8> {
        let token = match Request::from_der(request_der, &self.limits) {
            Ok(request) => self.token(&request, now, serial).await,
            Err(error) => Err(error.into()),
        };
        match token {
            Ok(token) => granted(&token),
            Err(Error::Request(error)) => rejected(failure(&error), &error.to_string()),
            // What went wrong inside is not the client's to know.
            Err(_) => rejected(Failure::SystemFailure, "the timestamp could not be signed"),
        }
    }
}

impl fmt::Debug for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unit")
            .field("identity", &self.identity)
            .field("policy", &self.policy)
            .field("accuracy", &self.accuracy)
            .finish_non_exhaustive()
    }
}

/// A serial number of 159 random bits, never zero.
///
/// # Errors
/// [`RngError`] when the random source fails.
pub fn random_serial(rng: &dyn Rng) -> Result<[u8; 20], RngError> {
    let mut serial = [0; 20];
    rng.fill(&mut serial)?;
    // Positive in 20 octets, and of one length.
    serial[0] = serial[0] & 0x3f | 0x40;
    Ok(serial)
}

const fn failure(error: &RequestError) -> Failure {
    match error {
        RequestError::Version => Failure::BadRequest,
        RequestError::UnknownDigest => Failure::BadAlg,
        RequestError::Policy => Failure::UnacceptedPolicy,
        RequestError::Extension => Failure::UnacceptedExtension,
        RequestError::Serial => Failure::SystemFailure,
        RequestError::Malformed(_) | RequestError::ImprintLength { .. } | RequestError::Nonce => {
            Failure::BadDataFormat
        }
    }
}

/// The same token without its certificates: RFC 3161 §2.4.1 wants none where none were asked for, and they are
/// not covered by the signature.
fn without_certificates(token: &[u8], limits: &Limits) -> Result<Vec<u8>, TlvError> {
    let mut outer = Reader::new(token, Rules::Der, limits);
    let mut content_info = outer.sequence()?;
    let content_type = content_info.any()?;
    let mut signed_data = content_info.expect(Tag::context(0))?.reader()?.sequence()?;
    let mut kept = Vec::new();
    while let Some(tag) = signed_data.peek()? {
        let field = signed_data.any()?;
        if tag != Tag::context(0) {
            kept.push(field.bytes());
        }
    }
    Ok(w::sequence(&[content_type.bytes(), &w::explicit(0, &w::sequence(&kept))]))
}
