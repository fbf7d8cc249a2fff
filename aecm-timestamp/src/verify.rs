//! Verifying tokens: who may say what time it is, and whether a token says what was asked.

mod signer;
mod token;

use core::time::Duration;
use std::sync::Arc;

use aecm_core::certificate::Certificate;
use aecm_core::limits::Limits;
use aecm_core::oid::ObjectIdentifier;
use aecm_core::path::{Anchors, PolicySettings, Revocation};
use aecm_core::time::Time;
use aecm_smime::Tolerance;
use aecm_smime::verify::{RevocationCheck, TimestampTrust, TokenFinding, TokenVerifier};

use crate::error::Error;
use crate::request::Request;
use crate::response::{Status, parse_response};
use crate::tst_info::TstInfo;
use token::Refusal;
pub use token::Subject;
pub(crate) use token::concerns;

/// Who may say what time it is, as plain values.
///
/// ```
/// use aecm_core::path::Anchors;
/// use aecm_timestamp::TimestampPolicy;
///
/// let mut policy = TimestampPolicy::new(Anchors::new(Vec::new()));
/// assert!(!policy.accept_non_critical_eku);
/// policy.max_age = core::time::Duration::from_secs(60);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TimestampPolicy {
    /// The roots of time-stamping authorities.
    pub tsa_anchors: Anchors,
    /// The roots that issue timestamping certificates to mailboxes: never believed by themselves.
    pub mailbox_anchors: Anchors,
    /// Units under a mailbox root that are believed all the same (A10). Default: none.
    pub mailbox_bound: Vec<MailboxBound>,
    /// Times in which an anchor of `tsa_anchors` is believed; one that is not named is believed while it is
    /// valid (T5). Default: none.
    pub windows: Vec<TrustWindow>,
    /// More certificates to build paths with, untrusted: for tokens that carry none.
    pub intermediates: Vec<Certificate>,
    /// Whether the authority's extended key usage may stand in an extension that is not critical, as some GM
    /// authorities issue it; it has to be timeStamping alone all the same (A11). Default: no.
    pub accept_non_critical_eku: bool,
    /// Tokens whose genTime lies before this may name their certificate by signingCertificate (SHA-1) instead
    /// of signingCertificateV2 (RFC 5816). Default: 2017-01-01.
    pub sha1_certificate_id_before: Time,
    /// How far after `now` genTime may lie. Default: 5 minutes.
    pub max_future: Duration,
    /// How far before `now` the genTime of a fresh answer may lie. Default: 5 minutes.
    pub max_age: Duration,
    /// The present time for [`Verifier`]; without it no token is too far in the future. Default: `None`.
    pub now: Option<Time>,
    /// The accuracy of tokens that state none. Default: `None`, unknown.
    pub assumed_accuracy: Option<Duration>,
    /// Whether SHA-1 is accepted in old tokens: imprint, signature and certificates. Default: no.
    pub sha1: bool,
    /// Bits of the smallest RSA key that is accepted, of the authority and above. Default: 2,048.
    pub rsa_bits_min: usize,
    /// Certificate policies that the authority's path has to be valid for. Default: any.
    pub policies: PolicySettings,
    /// CRLs and OCSP responses about authorities, judged as [`Revocation::stamper`] says, fresh at [`Revocation::now`] or else at `now`. Default: none.
    pub revocation: Revocation,
    /// Bounds of the work on one token.
    pub limits: Limits,
}

/// A unit that the service holds for mailboxes, trusted by its issuer's key and its policy (A10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxBound {
    /// SubjectPublicKeyInfo of the unit's issuer, DER.
    pub issuer_spki: Vec<u8>,
    /// The certificate policy that the unit's certificate has to carry.
    pub policy: ObjectIdentifier,
}

/// When an anchor is believed (T5): one authority's time is not lent to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustWindow {
    /// SHA-256 of the anchor's certificate.
    pub anchor: [u8; 32],
    /// genTime may not lie before this.
    pub from: Option<Time>,
    /// genTime may not lie after this.
    pub until: Option<Time>,
}

impl TimestampPolicy {
    /// Believes authorities under these roots, and nobody else.
    #[must_use]
    pub fn new(tsa_anchors: Anchors) -> Self {
        Self {
            tsa_anchors,
            mailbox_anchors: Anchors::new(Vec::new()),
            mailbox_bound: Vec::new(),
            windows: Vec::new(),
            intermediates: Vec::new(),
            accept_non_critical_eku: false,
            sha1_certificate_id_before: Time::from_unix(1_483_228_800),
            max_future: Duration::from_secs(300),
            max_age: Duration::from_secs(300),
            now: None,
            assumed_accuracy: None,
            sha1: false,
            rsa_bits_min: 2_048,
            policies: PolicySettings::default(),
            revocation: Revocation::default(),
            limits: Limits::default(),
        }
    }

    /// Recognises the mailboxes' own timestamps by these roots; they stay self-asserted.
    #[must_use]
    pub fn with_mailbox_anchors(mut self, anchors: Anchors) -> Self {
        self.mailbox_anchors = anchors;
        self
    }

    /// Judges tokens found in mail at this time.
    #[must_use]
    pub const fn at(mut self, now: Time) -> Self {
        self.now = Some(now);
        self
    }
}

/// A token whose signature, content and signer were verified.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Token {
    /// The token as received, a whole ContentInfo.
    pub der: Vec<u8>,
    /// What it says.
    pub info: TstInfo,
    /// On what ground its time is believed, if it is.
    pub trust: TimestampTrust,
    /// The signer as its certificate names it.
    pub authority: String,
    /// The signer's certificate.
    pub certificate: Certificate,
    /// Its chain, leaf first, anchor last.
    pub chain: Vec<Certificate>,
    /// Whether the authority granted something else than was asked (grantedWithMods).
    pub with_modifications: bool,
    /// What is known about revocation of its chain at genTime.
    pub revocation: RevocationCheck,
    /// What was forgiven.
    pub tolerances: Vec<Tolerance>,
}

/// What a token says of itself: **none of it is verified**. For showing a token that nobody here can judge.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Claims {
    /// What it says: time, policy, serial number.
    pub info: TstInfo,
    /// The certificate that it names as its signer's, where that is at hand.
    pub certificate: Option<Certificate>,
    /// Whether the authority granted something else than was asked (grantedWithMods).
    pub with_modifications: bool,
}

/// Verifies the answer to a request that was just sent: everything [`Verifier`] looks at, and that the answer is
/// for this very request and fresh (RFC 3161 §2.2, THREATS T1, T2, T5, T6).
///
/// A token by a mailbox's own key is given back with [`TimestampTrust::SelfAsserted`]: look at
/// [`Token::trust`].
///
/// # Errors
/// As [`parse_response`]; [`Error::Rejected`]; [`Error::Token`] with the word for what is wrong with the token.
pub fn verify_response(
    request: &Request,
    answer: &[u8],
    policy: &TimestampPolicy,
    now: Time,
) -> Result<Token, Error> {
    let (token, with_modifications) = granted_token(answer, &policy.limits)?;
    let mut token = token::judge(token, &[Subject::Request(request)], Some(now), policy)?;
    token.with_modifications = with_modifications;
    Ok(token)
}

/// The token of an answer that grants one, and whether with modifications.
fn granted_token<'a>(answer: &'a [u8], limits: &Limits) -> Result<(&'a [u8], bool), Error> {
    let response = parse_response(answer, limits)?;
    match response.token {
        Some(token) => Ok((token, response.status == Status::GrantedWithMods)),
        None => Err(Error::Rejected {
            status: response.status.number(),
            text: response.text,
            failures: response.failures.iter().map(|failure| failure.word()).collect(),
        }),
    }
}

/// Verifies the timestamps of signed mail for [`aecm_smime::verify::Verifier::timestamps`].
#[derive(Clone, Debug)]
pub struct Verifier {
    policy: Arc<TimestampPolicy>,
}

impl Verifier {
    /// A verifier that judges by `policy`.
    #[must_use]
    pub fn new(policy: impl Into<Arc<TimestampPolicy>>) -> Self {
        Self { policy: policy.into() }
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &TimestampPolicy {
        &self.policy
    }

    /// Verifies a token over `data`, such as a signature value: what [`TokenVerifier::verify_token`] does, with
    /// the whole token as the result.
    ///
    /// # Errors
    /// [`Error::Token`] with the word for what is wrong; `no-tsa-anchor` where nothing could tell.
    pub fn verify(&self, token: &[u8], data: &[u8]) -> Result<Token, Error> {
        Ok(token::judge(token, &[Subject::Data(data)], None, &self.policy)?)
    }

    /// Verifies a TimeStampResp or a bare token, of any age, and that it is about every one of `subjects`. Without a
    /// subject it is only said who signed which time, and not for what.
    ///
    /// ```
    /// use aecm_core::{certificate::Certificate, limits::Limits, path::Anchors};
    /// use aecm_timestamp::{Request, Subject, TimestampPolicy, Verifier};
    ///
    /// let root = Certificate::from_pem(include_str!("../tests/vectors/keys/rsa-ca.crt"))?;
    /// let verifier = Verifier::new(TimestampPolicy::new(Anchors::new(vec![root])));
    /// let request = Request::from_der(include_bytes!("../tests/vectors/tsp/sha256.tsq"), &Limits::default())?;
    /// let answer = include_bytes!("../tests/vectors/tsp/openssl30-rsa-sha256.tsr");
    /// let token = verifier.examine(answer, &[Subject::Request(&request)])?;
    /// assert_eq!(token.trust.word(), "tsa");
    /// assert!(verifier.examine(answer, &[Subject::Data(b"something else")]).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`parse_response`]; [`Error::Rejected`]; [`Error::Token`] with the word for what is wrong.
    pub fn examine(&self, message: &[u8], subjects: &[Subject<'_>]) -> Result<Token, Error> {
        let (token, with_modifications) = self.token_of(message)?;
        let mut token = token::judge(token, subjects, None, &self.policy)?;
        token.with_modifications = with_modifications;
        Ok(token)
    }

    /// What a TimeStampResp or a bare token says of itself, whoever signed it: what [`Verifier::examine`] refuses, for
    /// want of trust or for another reason, can be shown by it.
    ///
    /// # Errors
    /// As [`parse_response`]; [`Error::Rejected`]; [`Error::Token`] where it cannot be read.
    pub fn claims(&self, message: &[u8]) -> Result<Claims, Error> {
        let (token, with_modifications) = self.token_of(message)?;
        let (info, certificate) = token::claims(token, &self.policy)?;
        Ok(Claims { info, certificate, with_modifications })
    }

    /// The token of a TimeStampResp, or the message itself where it is one; whether granted with modifications.
    fn token_of<'m>(&self, message: &'m [u8]) -> Result<(&'m [u8], bool), Error> {
        let limits = &self.policy.limits;
        if message.len() > limits.tsa_answer_bytes {
            return Err(Error::TooLarge { limit: limits.tsa_answer_bytes });
        }
        // A token is a ContentInfo, which begins with its type; an answer begins with its status.
        if aecm_smime::cms::content_type(message, limits).is_ok() {
            Ok((message, false))
        } else {
            granted_token(message, limits)
        }
    }
}

impl TokenVerifier for Verifier {
    fn verify_token(&self, token: &[u8], signature_value: &[u8]) -> TokenFinding {
        match token::judge(token, &[Subject::Data(signature_value)], None, &self.policy) {
            Ok(Token { trust: TimestampTrust::SelfAsserted, info, authority, .. }) => {
                TokenFinding::SelfAsserted { time: info.gen_time, authority }
            }
            Ok(Token { trust, info, authority, certificate, .. }) => TokenFinding::Proven {
                time: info.gen_time,
                accuracy: spread(&info, self.policy.assumed_accuracy),
                authority,
                trust,
                mailboxes: certificate.mailboxes(),
            },
            Err(Refusal { word, detail, untrusted: true }) => TokenFinding::NotEvaluated { word, detail },
            Err(Refusal { word, detail, .. }) => TokenFinding::Refused { word, detail },
        }
    }
}

/// How far the time, which is cut to the second, may be off.
fn spread(info: &TstInfo, assumed: Option<Duration>) -> Option<Duration> {
    let beyond = Duration::from_nanos(u64::from(info.nanoseconds));
    match info.accuracy.or(assumed) {
        Some(accuracy) => Some(accuracy.saturating_add(beyond)),
        None => (!beyond.is_zero()).then_some(beyond),
    }
}

/// There are no anchors to tell whether the signer is an authority.
const NO_TSA_ANCHOR: &str = "no-tsa-anchor";
