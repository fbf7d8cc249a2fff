//! One DKIM-Signature field, read (RFC 6376 §3.5).

use std::fmt;
use std::ops::Range;

use aecm_core::time::Time;

use super::canonical::Canonicalization;
use super::name;
use super::tag_list::{TagList, TagListError, base64, colon_list};

// The fields a mail may have (`Limits::header_count`); a longer `h=` names nothing more.
const MAX_SIGNED_FIELDS: usize = 1_024;

/// A DKIM-Signature field whose tags are well formed. Nothing in it is verified yet.
#[derive(Clone, Debug)]
pub struct Signature {
    /// `d=`: the domain that signed, lower case.
    pub domain: String,
    /// `s=`: the selector, lower case.
    pub selector: String,
    /// The domain of `i=`, lower case; `d=` where there is no `i=`. Always `d=` or under it.
    pub agent_domain: String,
    /// `c=`, first half.
    pub header_canonicalization: Canonicalization,
    /// `c=`, second half.
    pub body_canonicalization: Canonicalization,
    /// `h=`: the names of the signed fields in order, lower case, repetitions kept.
    pub fields: Vec<String>,
    /// `bh=`: SHA-256 of the canonical body.
    pub body_hash: Vec<u8>,
    /// `b=`: the signature's octets.
    pub value: Vec<u8>,
    /// `l=`: how many octets of the canonical body are hashed.
    pub body_length: Option<u64>,
    /// `t=`: when it was signed.
    pub signed_at: Option<Time>,
    /// `x=`: when it ends.
    pub expires: Option<Time>,
    // Where the value of b= stands in the whole field.
    pub(super) value_span: Range<usize>,
}

/// Why a DKIM-Signature field is void.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureError {
    /// Its value is no tag list.
    TagList(TagListError),
    /// A required tag is missing.
    Missing {
        /// The tag.
        tag: &'static str,
    },
    /// A tag's value breaks the tag's grammar or rules.
    Invalid {
        /// The tag.
        tag: &'static str,
    },
    /// `v=` is not 1.
    Version,
    /// `a=` is not rsa-sha256: rsa-sha1 is refused (RFC 8301), others are not known here.
    Algorithm {
        /// The value of `a=`.
        algorithm: String,
    },
    /// `q=` names no query method known here.
    Query,
    /// `h=` does not cover From (§5.4).
    FromNotSigned,
    /// `i=` is not within `d=` (§3.5).
    AgentOutsideDomain,
}

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TagList(error) => write!(f, "the DKIM-Signature is not readable: {error}"),
            Self::Missing { tag } => write!(f, "the DKIM-Signature lacks {tag}="),
            Self::Invalid { tag } => write!(f, "the value of {tag}= in the DKIM-Signature is not valid"),
            Self::Version => f.write_str("the DKIM-Signature is not of version 1"),
            Self::Algorithm { algorithm } => {
                write!(f, "the DKIM algorithm {algorithm:?} is not accepted, only rsa-sha256 is")
            }
            Self::Query => f.write_str("the DKIM key cannot be looked up: q= does not name dns/txt"),
            Self::FromNotSigned => f.write_str("the DKIM-Signature does not cover From"),
            Self::AgentOutsideDomain => f.write_str("i= of the DKIM-Signature is not within d="),
        }
    }
}

impl std::error::Error for SignatureError {}

impl SignatureError {
    /// The reason as one kebab-case word.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::TagList(_) | Self::Missing { .. } | Self::Invalid { .. } => "dkim-signature-malformed",
            Self::Version => "dkim-version-unknown",
            Self::Algorithm { .. } => "dkim-algorithm-unsupported",
            Self::Query => "dkim-query-unsupported",
            Self::FromNotSigned => "dkim-from-not-signed",
            Self::AgentOutsideDomain => "dkim-agent-outside-domain",
        }
    }
}

impl Signature {
    /// Reads a whole DKIM-Signature field, name and folding included.
    ///
    /// # Errors
    /// [`SignatureError`] for whatever makes the signature void before any key is looked up.
    pub fn parse(field: &[u8]) -> Result<Self, SignatureError> {
        let colon = field
            .iter()
            .position(|byte| *byte == b':')
            .ok_or(SignatureError::TagList(TagListError::Malformed { offset: 0 }))?;
        let start = colon + 1;
        let tags = TagList::parse(field.get(start..).unwrap_or(&[])).map_err(SignatureError::TagList)?;
        let required = |tag: &'static str| tags.get(tag).ok_or(SignatureError::Missing { tag });
        let invalid = |tag: &'static str| SignatureError::Invalid { tag };

        if required("v")? != "1" {
            return Err(SignatureError::Version);
        }
        let algorithm = required("a")?;
        if !algorithm.eq_ignore_ascii_case("rsa-sha256") {
            return Err(SignatureError::Algorithm { algorithm: algorithm.to_owned() });
        }
        if !colon_list(tags.get("q").unwrap_or("dns/txt"))
            .any(|method| method.eq_ignore_ascii_case("dns/txt"))
        {
            return Err(SignatureError::Query);
        }
        let domain = name::domain(required("d")?).ok_or(invalid("d"))?;
        let selector = name::selector(required("s")?).ok_or(invalid("s"))?;
        let agent_domain = match tags.get("i") {
            None => domain.clone(),
            Some(agent) => {
                let (_, agent_domain) = agent.rsplit_once('@').ok_or(invalid("i"))?;
                name::domain(agent_domain.trim_ascii()).ok_or(invalid("i"))?
            }
        };
        if !name::is_within(&agent_domain, &domain) {
            return Err(SignatureError::AgentOutsideDomain);
        }
        let (header_canonicalization, body_canonicalization) =
            canonicalizations(tags.get("c").unwrap_or("simple/simple")).ok_or(invalid("c"))?;
        let fields = signed_fields(required("h")?).ok_or(invalid("h"))?;
        if !fields.iter().any(|field| field == "from") {
            return Err(SignatureError::FromNotSigned);
        }
        let body_hash = base64(required("bh")?).filter(|hash| hash.len() == 32).ok_or(invalid("bh"))?;
        let value = base64(required("b")?).filter(|value| !value.is_empty()).ok_or(invalid("b"))?;
        let span = tags.span("b").ok_or(invalid("b"))?;

        let number = |tag: &'static str, digits: usize| match tags.get(tag) {
            None => Ok(None),
            Some(text) => decimal(text, digits).map(Some).ok_or(invalid(tag)),
        };
        let time = |tag| {
            number(tag, 12).map(|seconds| {
                seconds.map(|seconds| Time::from_unix(i64::try_from(seconds).unwrap_or(i64::MAX)))
            })
        };
        let (signed_at, expires) = (time("t")?, time("x")?);
        if let (Some(signed_at), Some(expires)) = (signed_at, expires)
            && expires <= signed_at
        {
            return Err(invalid("x"));
        }
        Ok(Self {
            domain,
            selector,
            agent_domain,
            header_canonicalization,
            body_canonicalization,
            fields,
            body_hash,
            value,
            // 76 digits in the grammar; what does not fit 19 is longer than any body.
            body_length: number("l", 19)?,
            signed_at,
            expires,
            value_span: start + span.start..start + span.end,
        })
    }

    /// The name of the key record: `selector._domainkey.domain` (§3.6.2.1).
    #[must_use]
    pub fn key_name(&self) -> String {
        format!("{}._domainkey.{}", self.selector, self.domain)
    }
}

/// Appends the field in canonical form, without line end, the value of `b=` taken out (§3.7).
pub(super) fn without_value(field: &[u8], value: &Range<usize>, how: Canonicalization, out: &mut Vec<u8>) {
    let field = field.strip_suffix(b"\r\n").unwrap_or(field);
    let end = value.end.min(field.len());
    let start = value.start.min(end);
    let (head, tail) = (field.get(..start).unwrap_or(&[]), field.get(end..).unwrap_or(&[]));
    how.header(&[head, tail].concat(), false, out);
}

fn canonicalizations(text: &str) -> Option<(Canonicalization, Canonicalization)> {
    let (header, body) = text.split_once('/').unwrap_or((text, "simple"));
    Some((Canonicalization::from_word(header)?, Canonicalization::from_word(body)?))
}

fn signed_fields(text: &str) -> Option<Vec<String>> {
    let fields: Vec<String> =
        colon_list(text).take(MAX_SIGNED_FIELDS + 1).map(name::field).collect::<Option<_>>()?;
    (fields.len() <= MAX_SIGNED_FIELDS).then_some(fields)
}

fn decimal(text: &str, digits: usize) -> Option<u64> {
    let well_formed = (1..=digits).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    well_formed.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY_HASH: &str = "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=";

    fn field(tags: &[(&str, &str)]) -> Vec<u8> {
        let mut all = vec![
            ("v", "1"),
            ("a", "rsa-sha256"),
            ("d", "example.com"),
            ("s", "sel"),
            ("h", "From:To"),
            ("bh", BODY_HASH),
            ("b", "AAAA"),
        ];
        for (tag, value) in tags {
            all.retain(|(known, _)| known != tag);
            if *value != "-" {
                all.push((tag, value));
            }
        }
        let list: Vec<String> = all.iter().map(|(tag, value)| format!("{tag}={value}")).collect();
        format!("DKIM-Signature: {}\r\n", list.join(";\r\n ")).into_bytes()
    }

    #[test]
    fn defaults() {
        let signature = Signature::parse(&field(&[])).unwrap();
        assert_eq!(signature.header_canonicalization, Canonicalization::Simple);
        assert_eq!(signature.body_canonicalization, Canonicalization::Simple);
        assert_eq!(signature.agent_domain, "example.com");
        assert_eq!(signature.fields, ["from", "to"]);
        assert_eq!(signature.key_name(), "sel._domainkey.example.com");
        assert_eq!((signature.body_length, signature.signed_at, signature.expires), (None, None, None));
    }

    #[test]
    fn one_word_canonicalization_leaves_the_body_simple() {
        let signature = Signature::parse(&field(&[("c", "Relaxed")])).unwrap();
        assert_eq!(signature.header_canonicalization, Canonicalization::Relaxed);
        assert_eq!(signature.body_canonicalization, Canonicalization::Simple);
    }

    #[test]
    fn the_value_of_b_is_taken_out_with_its_white_space() {
        let field = b"DKIM-Signature: v=1; b= AA\r\n AA ; d=x\r\n";
        let tags = TagList::parse(&field[15..]).unwrap();
        let span = tags.span("b").unwrap();
        let mut out = Vec::new();
        without_value(field, &(span.start + 15..span.end + 15), Canonicalization::Simple, &mut out);
        assert_eq!(out, b"DKIM-Signature: v=1; b=; d=x");
    }

    #[test]
    fn void_signatures() {
        let invalid = |tag| SignatureError::Invalid { tag };
        let missing = |tag| SignatureError::Missing { tag };
        let algorithm = |algorithm: &str| SignatureError::Algorithm { algorithm: algorithm.to_owned() };
        let many = vec!["from"; MAX_SIGNED_FIELDS + 1].join(":");
        for (tags, error) in [
            (vec![("v", "-")], missing("v")),
            (vec![("v", "2")], SignatureError::Version),
            (vec![("v", "1.0")], SignatureError::Version),
            (vec![("a", "-")], missing("a")),
            (vec![("a", "rsa-sha1")], algorithm("rsa-sha1")),
            (vec![("a", "ed25519-sha256")], algorithm("ed25519-sha256")),
            (vec![("a", "")], algorithm("")),
            (vec![("q", "dns/any")], SignatureError::Query),
            (vec![("d", "-")], missing("d")),
            (vec![("d", "")], invalid("d")),
            (vec![("d", "com")], invalid("d")),
            (vec![("d", "exa mple.com")], invalid("d")),
            (vec![("s", "-")], missing("s")),
            (vec![("s", "")], invalid("s")),
            (vec![("s", "a/b")], invalid("s")),
            (vec![("i", "nobody")], invalid("i")),
            (vec![("i", "@")], invalid("i")),
            (vec![("i", "@other.example")], SignatureError::AgentOutsideDomain),
            (vec![("i", "@notexample.com")], SignatureError::AgentOutsideDomain),
            (vec![("i", "@com.example")], SignatureError::AgentOutsideDomain),
            (vec![("c", "strict")], invalid("c")),
            (vec![("c", "simple/simple/simple")], invalid("c")),
            (vec![("c", "/simple")], invalid("c")),
            (vec![("c", "simple/")], invalid("c")),
            (vec![("h", "-")], missing("h")),
            (vec![("h", "")], invalid("h")),
            (vec![("h", "From::To")], invalid("h")),
            (vec![("h", "From:T o")], invalid("h")),
            (vec![("h", &many)], invalid("h")),
            (vec![("h", "To:Subject")], SignatureError::FromNotSigned),
            (vec![("bh", "-")], missing("bh")),
            (vec![("bh", "")], invalid("bh")),
            (vec![("bh", "AAAA")], invalid("bh")),
            (vec![("bh", "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8")], invalid("bh")),
            (vec![("b", "-")], missing("b")),
            (vec![("b", "")], invalid("b")),
            (vec![("b", "!")], invalid("b")),
            (vec![("l", "")], invalid("l")),
            (vec![("l", "-1")], invalid("l")),
            (vec![("l", "1x")], invalid("l")),
            (vec![("l", "99999999999999999999")], invalid("l")),
            (vec![("t", "now")], invalid("t")),
            (vec![("t", "1234567890123")], invalid("t")),
            (vec![("t", "5"), ("x", "5")], invalid("x")),
            (vec![("t", "5"), ("x", "4")], invalid("x")),
            (vec![("x", "+5")], invalid("x")),
        ] {
            assert_eq!(Signature::parse(&field(&tags)).unwrap_err(), error, "{tags:?}");
        }
        assert!(matches!(
            Signature::parse(b"DKIM-Signature: v=1; v=1").unwrap_err(),
            SignatureError::TagList(TagListError::Duplicate { .. })
        ));
        assert!(matches!(Signature::parse(b"DKIM-Signature").unwrap_err(), SignatureError::TagList(_)));
    }
}
