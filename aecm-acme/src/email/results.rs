//! The word of the mailbox's own border server: Authentication-Results (RFC 8601).

use aecm_core::header;
use async_trait::async_trait;

use super::authenticity::{SignedHeaders, is_of};
use super::lexer::{Token, pairs, segments, tokens};
use super::message::read;
use super::refusal::Unproven;
use crate::dkim::fields::{Message, Octets};
use crate::dkim::{Covered, Pending, Signature, VerifyOptions};
use crate::mail::{ChallengeAuthenticator, ChallengeMail, ChallengeRefusal, ExpectedChallenge, Mail};

/// Believes the mailbox's own border server, by the name it gives itself in Authentication-Results
/// (RFC 8601 §2.2): only the topmost field of that name, never one of another.
///
/// For mailboxes whose server is known to remove fields of that name from what arrives (RFC 8601 §5). Where it
/// is not known, a sender can write the field; use [`DkimAuthenticator`](super::DkimAuthenticator).
///
/// The server says who signed, not what was signed: the signature of that domain is read here too (without
/// its key), and has to cover the same header fields as for [`DkimAuthenticator`](super::DkimAuthenticator), and the whole body.
#[derive(Clone, Debug)]
pub struct AuthenticationResultsAuthenticator {
    authserv_id: String,
    headers: SignedHeaders,
    options: VerifyOptions,
}

impl AuthenticationResultsAuthenticator {
    /// Trusts the server that calls itself `authserv_id`.
    #[must_use]
    pub fn new(authserv_id: &str) -> Self {
        Self {
            authserv_id: authserv_id.to_owned(),
            headers: SignedHeaders::default(),
            options: VerifyOptions::default(),
        }
    }

    /// Which header fields have to be covered.
    #[must_use]
    pub const fn signed_headers(mut self, headers: SignedHeaders) -> Self {
        self.headers = headers;
        self
    }

    /// The verdict; nothing is looked up.
    ///
    /// # Errors
    /// [`ChallengeRefusal`].
    pub fn check(
        &self,
        mail: &Mail,
        expected: &ExpectedChallenge<'_>,
    ) -> Result<ChallengeMail, ChallengeRefusal> {
        let malformed = |error: crate::dkim::MessageError| ChallengeRefusal::Malformed { why: error.why() };
        let octets = Octets::new(&mail.raw, &self.options.limits).map_err(malformed)?;
        let message = octets.take_apart(&self.options.limits).map_err(malformed)?;
        let mut challenge = read(&message, mail.received, expected)?;
        let domain = expected.from.ascii_domain();
        let passed = self.passed(&message, &domain)?;
        // Bodies, times and tags are checked as ever; only the key is the border server's business.
        let pending = Pending::new(&message, octets.bare_lf, expected.now, &self.options);
        let mut covered: Option<Vec<Covered>> = None;
        for (signature, fields) in pending.alive() {
            if is_of(signature, &domain) && passed.iter().any(|result| result.is_of(signature)) {
                let missing: Vec<String> = self
                    .headers
                    .names()
                    .iter()
                    .filter(|name| !fields.iter().any(|field| field.name == **name && field.uncovered == 0))
                    .map(|name| (*name).to_owned())
                    .collect();
                // Which of several passed is not said, so all of them have to cover.
                if !missing.is_empty() {
                    return Err(Unproven::NotCovered { names: missing }.into());
                }
                covered = Some(fields.to_vec());
            }
        }
        let covered = covered.ok_or(Unproven::NotPassed { wanted: domain.into_owned() })?;
        if !covered.iter().any(|field| field.name == "reply-to" && field.uncovered == 0) {
            challenge.reply_to = expected.from.clone();
        }
        Ok(challenge)
    }

    /// The passing DKIM results for `domain` in the topmost field of the trusted server.
    fn passed(&self, message: &Message<'_>, domain: &str) -> Result<Vec<PassedResult>, Unproven> {
        for field in message.named("authentication-results") {
            let Some(tokens) = tokens(&header::unfold(field.value)) else {
                // Nobody's, as far as can be told: another server's broken field does not hide ours.
                continue;
            };
            let mut segments = segments(&tokens);
            let id = match segments.next() {
                Some([Token::Word(id) | Token::Quoted(id)]) => id,
                Some([Token::Word(id) | Token::Quoted(id), Token::Word(version)]) if version == "1" => id,
                _ => continue,
            };
            if !id.eq_ignore_ascii_case(&self.authserv_id) {
                continue;
            }
            let mut passed = Vec::new();
            for segment in segments {
                if segment.is_empty()
                    || matches!(segment, [Token::Word(none)] if none.eq_ignore_ascii_case("none"))
                {
                    continue;
                }
                let result = pairs(segment).ok_or(Unproven::ResultsMalformed)?;
                passed.extend(PassedResult::of(&result, domain));
            }
            if passed.is_empty() {
                return Err(Unproven::NotPassed { wanted: domain.to_owned() });
            }
            return Ok(passed);
        }
        Err(Unproven::NoResults)
    }
}

/// One `dkim=pass` of the domain in question.
struct PassedResult {
    /// `header.s`.
    selector: Option<String>,
    /// `header.b`: the first characters of the signature (RFC 6008).
    value: Option<String>,
}

impl PassedResult {
    fn of(result: &[(String, String)], domain: &str) -> Option<Self> {
        let ((method, outcome), properties) = result.split_first()?;
        let passes = matches!(method.as_str(), "dkim" | "dkim/1") && outcome.eq_ignore_ascii_case("pass");
        let property = |wanted: &str| {
            let mut found =
                properties.iter().filter(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
            // Twice is no answer.
            found.next().filter(|_| found.next().is_none())
        };
        // Some servers (Gmail) name only the agent, `header.i=@domain`. A domain above could have signed for
        // it, so the signature's first characters have to tell which one it was.
        let signer = match property("header.d") {
            Some(domain) => domain,
            None => property("header.b").and(property("header.i"))?.rsplit_once('@')?.1,
        };
        (passes && signer.eq_ignore_ascii_case(domain)).then(|| Self {
            selector: property("header.s").map(str::to_owned),
            value: property("header.b").map(str::to_owned),
        })
    }

    fn is_of(&self, signature: &Signature) -> bool {
        use base64ct::{Base64, Encoding};
        self.selector.as_ref().is_none_or(|selector| selector.eq_ignore_ascii_case(&signature.selector))
            && self
                .value
                .as_ref()
                .is_none_or(|start| Base64::encode_string(&signature.value).starts_with(start.as_str()))
    }
}

#[cfg_attr(not(target_family = "wasm"), async_trait)]
#[cfg_attr(target_family = "wasm", async_trait(?Send))]
impl ChallengeAuthenticator for AuthenticationResultsAuthenticator {
    async fn authenticate(
        &self,
        mail: &Mail,
        expected: &ExpectedChallenge<'_>,
    ) -> Result<ChallengeMail, ChallengeRefusal> {
        self.check(mail, expected)
    }
}
