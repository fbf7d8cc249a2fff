//! Proving where a challenge mail comes from (RFC 8823 §3.1 item 6, STANDARDS A21): DKIM checked here, or the
//! word of the mailbox's own border server. S/MIME proofs join through the same trait from outside.

use std::sync::Arc;

use aecm_core::embed::TxtResolver;
use async_trait::async_trait;

use super::message::read;
use super::refusal::Unproven;
use crate::dkim::fields::Octets;
use crate::dkim::{Pending, Records, Report, Signature, VerifyOptions};
use crate::mail::{ChallengeAuthenticator, ChallengeMail, ChallengeRefusal, ExpectedChallenge, Mail};

/// The header fields that RFC 8823 §3.1 wants in `h=`, present or not.
pub const RFC8823_FIELDS: [&str; 13] = [
    "from",
    "sender",
    "reply-to",
    "to",
    "cc",
    "subject",
    "date",
    "in-reply-to",
    "references",
    "message-id",
    "auto-submitted",
    "content-type",
    "content-transfer-encoding",
];

/// The fewest that can be asked for (STANDARDS A21).
pub const RELAXED_FIELDS: [&str; 6] = ["from", "to", "subject", "auto-submitted", "date", "message-id"];

/// Which header fields a DKIM signature has to cover.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignedHeaders {
    /// All of [`RFC8823_FIELDS`].
    #[default]
    Rfc8823,
    /// Only [`RELAXED_FIELDS`]: for CAs whose mail system does not oversign.
    Relaxed,
}

impl SignedHeaders {
    /// The names, lower case.
    #[must_use]
    pub const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Rfc8823 => &RFC8823_FIELDS,
            Self::Relaxed => &RELAXED_FIELDS,
        }
    }
}

/// Checks the DKIM signature itself, with keys from the DNS.
///
/// The signature's `d=` is the domain in From, and it covers all of [`RFC8823_FIELDS`] unless
/// [`signed_headers`](Self::signed_headers) says less.
#[allow(missing_debug_implementations)] // a resolver has no Debug
#[derive(Clone)]
pub struct DkimAuthenticator {
    resolver: Arc<dyn TxtResolver>,
    headers: SignedHeaders,
    options: VerifyOptions,
}

impl DkimAuthenticator {
    /// Looks keys up with `resolver`; the answers decide who is believed, so it should be one that validates
    /// or that is reached over a trusted path.
    #[must_use]
    pub fn new(resolver: Arc<dyn TxtResolver>) -> Self {
        Self { resolver, headers: SignedHeaders::default(), options: VerifyOptions::default() }
    }

    /// Which header fields have to be covered.
    #[must_use]
    pub const fn signed_headers(mut self, headers: SignedHeaders) -> Self {
        self.headers = headers;
        self
    }

    /// Bounds, clock skew, smallest key.
    #[must_use]
    pub fn verify_options(mut self, options: VerifyOptions) -> Self {
        self.options = options;
        self
    }
}

#[cfg_attr(not(target_family = "wasm"), async_trait)]
#[cfg_attr(target_family = "wasm", async_trait(?Send))]
impl ChallengeAuthenticator for DkimAuthenticator {
    async fn authenticate(
        &self,
        mail: &Mail,
        expected: &ExpectedChallenge<'_>,
    ) -> Result<ChallengeMail, ChallengeRefusal> {
        let pending = PendingChallenge::prepare(mail, expected, self.headers, &self.options)?;
        pending.check(&pending.dkim().look_up(self.resolver.as_ref()).await)
    }
}

/// A challenge mail that reads well; the keys of its signatures are missing. The form without I/O of
/// [`DkimAuthenticator`].
#[derive(Clone, Debug)]
pub struct PendingChallenge {
    mail: ChallengeMail,
    from: aecm_core::mailbox::Mailbox,
    headers: SignedHeaders,
    dkim: Pending,
}

impl PendingChallenge {
    /// Reads the mail and its signatures.
    ///
    /// # Errors
    /// [`ChallengeRefusal`] for whatever can be said without keys.
    pub fn prepare(
        mail: &Mail,
        expected: &ExpectedChallenge<'_>,
        headers: SignedHeaders,
        options: &VerifyOptions,
    ) -> Result<Self, ChallengeRefusal> {
        let malformed = |error: crate::dkim::MessageError| ChallengeRefusal::Malformed { why: error.why() };
        let octets = Octets::new(&mail.raw, &options.limits).map_err(malformed)?;
        let message = octets.take_apart(&options.limits).map_err(malformed)?;
        let challenge = read(&message, mail.received, expected)?;
        let dkim =
            Pending::new(&message, octets.bare_lf, expected.now, options).only(&expected.from.ascii_domain());
        Ok(Self { mail: challenge, from: expected.from.clone(), headers, dkim })
    }

    /// The signatures; [`Pending::names`] says which TXT records decide.
    #[must_use]
    pub const fn dkim(&self) -> &Pending {
        &self.dkim
    }

    /// The verdict.
    ///
    /// # Errors
    /// [`ChallengeRefusal::NotAuthentic`], or [`Temporary`](ChallengeRefusal::Temporary) where a resolver that
    /// did not answer may change it.
    pub fn check(&self, records: &Records) -> Result<ChallengeMail, ChallengeRefusal> {
        let report = self.dkim.check(records);
        let proof = proven(&report, &self.from.ascii_domain(), self.headers.names())?;
        let mut mail = self.mail.clone();
        // A Reply-To that anyone could add is nobody's wish.
        if !proof.covers("reply-to") {
            mail.reply_to = self.from.clone();
        }
        Ok(mail)
    }
}

/// The signature that proves the mail to be of `domain`.
pub(super) fn proven<'r>(
    report: &'r Report,
    domain: &str,
    fields: &[&str],
) -> Result<&'r crate::dkim::SignatureReport, Unproven> {
    let uncovered = |report: &crate::dkim::SignatureReport| {
        fields.iter().filter(|name| !report.covers(name)).map(|name| (*name).to_owned()).collect::<Vec<_>>()
    };
    let mut worst: Option<Unproven> = None;
    let mut unreadable = None;
    for candidate in &report.signatures {
        let of_domain = candidate.signature.as_ref().map(|signature| is_of(signature, domain));
        match (&candidate.outcome, of_domain) {
            (Ok(_), Some(true)) => {
                let names = uncovered(candidate);
                if names.is_empty() {
                    return Ok(candidate);
                }
                worst = Some(Unproven::NotCovered { names });
            }
            (Err(failure), Some(true)) => {
                // What may change, and what is nearly right, says more than the first failure.
                let tells_more = match &worst {
                    None => true,
                    Some(Unproven::Failed(known)) => failure.is_temporary() && !known.is_temporary(),
                    Some(_) => failure.is_temporary(),
                };
                if tells_more {
                    worst = Some(Unproven::Failed(failure.clone()));
                }
            }
            (Err(failure), None) => unreadable = unreadable.or(Some(failure)),
            _ => {}
        }
    }
    Err(match (worst, unreadable) {
        (Some(worst), _) => worst,
        (None, Some(failure)) => Unproven::Failed(failure.clone()),
        (None, None) if report.signatures.is_empty() => Unproven::NoSignature,
        (None, None) => Unproven::OtherDomain { wanted: domain.to_owned() },
    })
}

pub(super) fn is_of(signature: &Signature, domain: &str) -> bool {
    signature.domain.eq_ignore_ascii_case(domain)
}
