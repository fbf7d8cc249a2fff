//! `aecm challenge-mail FILE`: whether a mail is the challenge mail of an order (RFC 8823 §3.1).

mod input;

use std::path::PathBuf;
use std::time::Duration;

use aecm_acme::dkim::VerifyOptions;
use aecm_acme::email::{DkimAuthenticator, SignedHeaders};
use aecm_acme::mail::{ChallengeAuthenticator as _, ExpectedChallenge, Mail};
use aecm_core::header::{Headers, parse_single_address};
use aecm_core::limits::Limits;
use aecm_core::mailbox::Mailbox;
use aecm_core::time::Time;
use clap::{Args, ValueEnum};

use crate::cli::args::LimitArgs;
use crate::cli::online::dns::Zone;
use crate::cli::{Failure, Io, Outcome, input as files, runtime};
use input::Asked;

/// Says whether a mail is the challenge mail of an order, and what its token is.
///
/// C.json: {"identifier": {"type": "email", "value": …}, "challenge": {"type", "url", "from", …}, "mailbox",
/// "order_created", "now"}, times in RFC 3339. What is absent is not checked: without order_created and now, no
/// time is; without challenge.url, the hint of another authorization is not noticed; without challenge.from, any
/// author will do whose domain signed the mail.
#[derive(Args)]
pub(in crate::cli) struct ChallengeMailCommand {
    /// The mail as it arrived
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The challenge it would have to belong to
    #[arg(long, value_name = "C.json")]
    challenge: PathBuf,
    /// The DNS: name → TXT record, or a list of them
    #[arg(long, value_name = "D.json")]
    dns: PathBuf,
    /// Which header fields the DKIM signature has to cover
    #[arg(long, value_enum, default_value_t, value_name = "SET")]
    signed_headers: Headings,
    #[command(flatten)]
    limits: LimitArgs,
}

/// `--signed-headers`
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Headings {
    /// All that RFC 8823 §3.1 names, present or not
    #[default]
    Rfc8823,
    /// From, To, Subject, Auto-Submitted, Date, Message-ID
    Relaxed,
}

impl ChallengeMailCommand {
    pub(in crate::cli) fn run(self, io: &mut Io) -> Result<Outcome, Failure> {
        let limits = self.limits.get();
        let asked = Asked::read(&self.challenge, &limits, io)?;
        let zone = Zone::read(&self.dns, &limits, io)?;
        let raw = files::read(&self.file, &limits, io)?.to_vec();

        let headers = match self.signed_headers {
            Headings::Rfc8823 => SignedHeaders::Rfc8823,
            Headings::Relaxed => SignedHeaders::Relaxed,
        };
        let mut options = VerifyOptions { limits: limits.clone(), ..VerifyOptions::default() };
        if asked.now.is_none() {
            // Nothing is in the future of a time without end, and nothing expires within such a difference.
            options.clock_skew = Duration::MAX;
        }
        let authenticator = DkimAuthenticator::new(zone.resolver()).signed_headers(headers);
        let authenticator = authenticator.verify_options(options);

        let nobody = nobody()?;
        let from = asked.from.or_else(|| own(&raw, "From", &limits)).unwrap_or_else(|| nobody.clone());
        // Both were named: To can match both only where they are the same.
        let mailbox = asked.mailboxes.first().cloned().or_else(|| own(&raw, "To", &limits));
        let mailbox = mailbox.unwrap_or_else(|| nobody.clone());
        let at_odds = asked.mailboxes.iter().any(|other| !other.matches(&mailbox));
        let order_created = asked.order_created.unwrap_or(Time::from_unix(i64::MIN));
        let expected = ExpectedChallenge {
            mailbox: if at_odds { &nobody } else { &mailbox },
            from: &from,
            challenge_url: asked.url.as_deref().unwrap_or_default(),
            order_created,
            now: asked.now.unwrap_or(Time::from_unix(i64::MAX)),
        };
        // When the mailbox received the file is not known.
        let mail = Mail { id: self.file.display().to_string(), received: order_created, raw };
        match runtime::block_on(authenticator.authenticate(&mail, &expected))? {
            Ok(challenge) => {
                let text = format!(
                    "The challenge mail of {from} for {mailbox}\n  token-part1  {}\n  reply to     {}\n",
                    challenge.token_part1.expose(),
                    challenge.reply_to,
                );
                Ok(Outcome::of("accept")
                    .with("token_part1", challenge.token_part1.expose())
                    .with("authz", challenge.authz_hint)
                    .with("message_id", challenge.message_id)
                    .with("reply_to", challenge.reply_to.to_string())
                    .saying(text))
            }
            Err(refusal) => {
                let message = refusal.to_string();
                Ok(Outcome::of("reject")
                    .because([refusal.word()])
                    .saying(format!("Not the challenge mail: {message}"))
                    .with("message", message))
            }
        }
    }
}

/// The one address of a field of the mail; where there is not exactly one, the mail is refused for that.
fn own(raw: &[u8], name: &str, limits: &Limits) -> Option<Mailbox> {
    let (headers, _) = Headers::parse(raw, limits).ok()?;
    let field = headers.single(name).ok()??;
    parse_single_address(field.value_raw).ok().map(|address| address.mailbox)
}

/// An address that no mail can be of or for (RFC 2606 §2).
fn nobody() -> Result<Mailbox, Failure> {
    Mailbox::from_parts("nobody", "aecm.invalid").map_err(|error| Failure::error("system", error.to_string()))
}
