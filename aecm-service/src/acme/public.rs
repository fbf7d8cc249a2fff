//! What anybody may read with GET beside the directory: anchors, certificates of a mailbox.

use aecm_acme::jws::encode;
use aecm_core::mailbox::Mailbox;
use aecm_core::suite::{Purpose, Suite};
use serde_json::{Value, json};

use super::AcmeServer;
use super::problem::{Problem, json_answer};
use super::state::Issued;
use super::turns::by_turns;
use crate::ca::Anchors;
use crate::net::{Answer, Ask};

/// The longest percent-encoded address looked at, in octets: three for each of the longest address.
const MAX_ENCODED: usize = 3 * 512;
/// How many signing certificates of an account are given, and how many certificates in all.
const MAX_SIGNING: usize = 4;
const MAX_STANDING: usize = 64;

impl AcmeServer {
    /// Answers a request whose path begins with `/aecm/`.
    pub(crate) fn answer_public(&self, ask: &Ask) -> Answer {
        let answer = self.public(ask).unwrap_or_else(|problem| problem.answer());
        Answer { body: if ask.method == "HEAD" { Vec::new() } else { answer.body }, ..answer }
    }

    fn public(&self, ask: &Ask) -> Result<Answer, Problem> {
        let path = ask.path.strip_prefix("/aecm/").unwrap_or_default();
        if !matches!(ask.method.as_str(), "GET" | "HEAD") {
            return Err(Problem::new(405, "malformed", "this resource is read with GET")
                .header("allow", "GET, HEAD".to_owned()));
        }
        match path.strip_prefix("certificates/") {
            Some(mailbox) => self.standing_certificates(mailbox),
            None if path == "anchors" => self.anchors_answer(),
            None => Err(not_here("there is nothing here")),
        }
    }

    /// The six roots.
    pub(super) fn anchors_answer(&self) -> Result<Answer, Problem> {
        let anchors = self.pki.all_anchors().map_err(|error| Problem::internal(error.to_string()))?;
        Ok(json_answer(
            200,
            &json!({
                "smime": pem(&anchors.smime),
                "tsa": pem(&anchors.tsa),
                "mailbox_timestamp": pem(&anchors.mailbox_timestamp),
            }),
        ))
    }

    /// The certificates that mail to a mailbox is encrypted with and that its signatures name, each with its
    /// issuers: what stands now, the encrypting first, of each account the newest few.
    fn standing_certificates(&self, encoded: &str) -> Result<Answer, Problem> {
        let mailbox = decode_address(encoded).ok_or_else(|| {
            Problem::malformed("what follows certificates/ is not a percent-encoded address")
        })?;
        let now = self.now();
        let state = self.state();
        let mut signing: Vec<&Issued> = state
            .certificates
            .values()
            .filter(|issued| {
                issued.profile.purpose == Purpose::Sign
                    && issued.mailbox.matches(&mailbox)
                    && issued.is_active(now)
            })
            .collect();
        signing.sort_by_key(|issued| core::cmp::Reverse(issued.number));
        let signing = by_turns(signing, |issued| &issued.account)
            .into_iter()
            .filter_map(|(turn, issued)| (turn < MAX_SIGNING).then_some(issued));
        let encrypting =
            Suite::ALL.into_iter().filter_map(|suite| state.active_encryption(&mailbox, suite, now));
        let chains: Vec<Value> = encrypting.chain(signing).take(MAX_STANDING).map(chain).collect();
        if chains.is_empty() {
            return Err(not_here("no certificate stands for that mailbox"));
        }
        Ok(json_answer(200, &json!({ "certificates": chains })))
    }
}

fn not_here(detail: &str) -> Problem {
    Problem::new(404, "malformed", detail)
}

fn pem(anchors: &Anchors) -> Value {
    json!({ "classic": anchors.classic.to_pem(), "sm2": anchors.sm2.to_pem() })
}

fn chain(issued: &Issued) -> Value {
    issued.chain.iter().map(|certificate| encode(certificate.as_der())).collect()
}

/// One path segment, percent-decoded (RFC 3986 §2.1), as an address.
fn decode_address(encoded: &str) -> Option<Mailbox> {
    if encoded.is_empty() || encoded.len() > MAX_ENCODED {
        return None;
    }
    let mut octets = Vec::with_capacity(encoded.len());
    let mut rest = encoded.bytes();
    while let Some(octet) = rest.next() {
        match octet {
            b'%' => {
                let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
                let value = digit()? << 4 | digit()?;
                octets.push(u8::try_from(value).ok()?);
            }
            b'/' => return None,
            other => octets.push(other),
        }
    }
    String::from_utf8(octets).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::decode_address;

    #[test]
    fn addresses_are_percent_decoded_once() {
        for (encoded, address) in [
            ("alice@example.test", "alice@example.test"),
            ("alice%40example.test", "alice@example.test"),
            ("%61lice%40example%2Etest", "alice@example.test"),
            ("al%2Fice%40example.test", "al/ice@example.test"),
            ("a%2Bb%40example.test", "a+b@example.test"),
            ("%E7%8E%8B%40example.test", "王@example.test"),
            ("100%25%40example.test", "100%@example.test"),
        ] {
            assert_eq!(decode_address(encoded).unwrap().as_str(), address, "{encoded}");
        }
        for bad in [
            "",
            "%",
            "%4",
            "%zz",
            "alice",
            "alice%40",
            "%40example.test",
            "a/b@example.test",
            "alice%2540example.test",
            "%ff%40example.test",
            "a%00%40example.test",
            "a%0D%0A%40example.test",
            "%+4%40example.test",
        ] {
            assert!(decode_address(bad).is_none(), "{bad:?}");
        }
        assert!(decode_address(&"a".repeat(5_000)).is_none());
    }
}
