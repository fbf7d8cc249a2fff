//! Signing (RFC 6376 §5): rsa-sha256, every canonicalisation.

use std::fmt;

use aecm_core::digest::DigestAlgorithm;
use aecm_core::key::{KeyError, Signer};
use aecm_core::limits::Limits;
use aecm_core::public_key::KeyKind;
use aecm_core::signature::SignatureAlgorithm;
use aecm_core::time::Time;
use base64ct::{Base64, Encoding};

use super::canonical::Canonicalization;
use super::fields::{MessageError, Octets};
use super::name;
use super::report::STRONG_KEY_BITS;
use super::verify::signed_header;

/// How a mail is signed.
#[derive(Clone, Debug)]
pub struct SignOptions {
    domain: String,
    selector: String,
    header: Canonicalization,
    body: Canonicalization,
    fields: Fields,
    signed_at: Option<Time>,
    expires: Option<Time>,
    // Hostile and odd signatures for tests; never written by the library.
    #[cfg(test)]
    pub(crate) extra_tags: String,
}

#[derive(Clone, Debug)]
enum Fields {
    Exactly(Vec<String>),
    Oversigned(Vec<String>),
}

/// Why a mail was not signed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignError {
    /// The mail cannot be taken apart.
    Message(MessageError),
    /// The mail has bare LF line ends; what is sent has CRLF, so sign that.
    BareLf,
    /// The domain or the selector is not one.
    Name {
        /// `d` or `s`.
        tag: &'static str,
    },
    /// The fields to sign do not contain From, or one is not a field name.
    Fields,
    /// The key is not RSA of at least 2,048 bits, which signers have to use (RFC 8301 §3.2).
    Key,
    /// The key did not sign.
    Signer(KeyError),
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(error) => write!(f, "the mail cannot be signed: {error}"),
            Self::BareLf => f.write_str("the mail cannot be signed with bare LF line ends; use CRLF"),
            Self::Name { tag } => write!(f, "the name for {tag}= of the DKIM signature is not valid"),
            Self::Fields => f.write_str("a DKIM signature has to cover From, and field names have no blanks"),
            Self::Key => f.write_str("DKIM signing takes an RSA key of at least 2,048 bits"),
            Self::Signer(error) => write!(f, "the DKIM key did not sign: {error}"),
        }
    }
}

impl std::error::Error for SignError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Message(error) => Some(error),
            Self::Signer(error) => Some(error),
            _ => None,
        }
    }
}

impl SignOptions {
    /// Signs for `domain` with the key under `selector._domainkey.domain`: relaxed/relaxed, the fields of
    /// RFC 6376 §5.4.1 that say who writes what to whom, oversigned, without times.
    #[must_use]
    pub fn new(domain: &str, selector: &str) -> Self {
        let fields =
            ["from", "to", "cc", "subject", "date", "message-id", "reply-to", "in-reply-to", "references"];
        Self {
            domain: domain.to_owned(),
            selector: selector.to_owned(),
            header: Canonicalization::Relaxed,
            body: Canonicalization::Relaxed,
            fields: Fields::Oversigned(fields.map(str::to_owned).to_vec()),
            signed_at: None,
            expires: None,
            #[cfg(test)]
            extra_tags: String::new(),
        }
    }

    /// `c=`.
    #[must_use]
    pub const fn canonicalization(mut self, header: Canonicalization, body: Canonicalization) -> Self {
        self.header = header;
        self.body = body;
        self
    }

    /// `h=`, exactly these names in this order.
    #[must_use]
    pub fn fields(mut self, names: &[&str]) -> Self {
        self.fields = Fields::Exactly(names.iter().map(|name| (*name).to_owned()).collect());
        self
    }

    /// `h=` names each of these once more often than the mail has it, so that none can be added (§8.15).
    #[must_use]
    pub fn oversigned_fields(mut self, names: &[&str]) -> Self {
        self.fields = Fields::Oversigned(names.iter().map(|name| (*name).to_owned()).collect());
        self
    }

    /// `t=`.
    #[must_use]
    pub const fn signed_at(mut self, time: Time) -> Self {
        self.signed_at = Some(time);
        self
    }

    /// `x=`.
    #[must_use]
    pub const fn expires(mut self, time: Time) -> Self {
        self.expires = Some(time);
        self
    }

    /// Canonicalises and hashes; what is left is one RSA signature.
    ///
    /// # Errors
    /// [`SignError`] for mails, names and fields that cannot be signed.
    pub fn prepare(&self, message: &[u8]) -> Result<ToSign, SignError> {
        let limits = Limits::default();
        let octets = Octets::new(message, &limits).map_err(SignError::Message)?;
        if octets.bare_lf {
            return Err(SignError::BareLf);
        }
        let message = octets.take_apart(&limits).map_err(SignError::Message)?;
        let domain = name::domain(&self.domain).ok_or(SignError::Name { tag: "d" })?;
        let selector = name::selector(&self.selector).ok_or(SignError::Name { tag: "s" })?;
        let valid = |names: &[String]| names.iter().map(|name| name::field(name)).collect::<Option<Vec<_>>>();
        let names = match &self.fields {
            Fields::Exactly(names) => valid(names).ok_or(SignError::Fields)?,
            Fields::Oversigned(names) => valid(names)
                .ok_or(SignError::Fields)?
                .into_iter()
                .flat_map(|name| {
                    let times = message.named(&name).count() + 1;
                    std::iter::repeat_n(name, times)
                })
                .collect(),
        };
        if !names.iter().any(|name| name == "from") {
            return Err(SignError::Fields);
        }
        let body_hash = DigestAlgorithm::Sha256.digest(&self.body.body(message.body));
        let mut field = format!(
            "DKIM-Signature: v=1; a=rsa-sha256; c={}/{};\r\n d={domain};\r\n s={selector};",
            self.header, self.body
        );
        if let Some(time) = self.signed_at {
            field.push_str(&format!(" t={};", time.unix()));
        }
        if let Some(time) = self.expires {
            field.push_str(&format!(" x={};", time.unix()));
        }
        #[cfg(test)]
        field.push_str(&self.extra_tags);
        field.push_str("\r\n h=");
        push_names(&names, &mut field);
        field.push_str(";\r\n bh=");
        field.push_str(&Base64::encode_string(&body_hash));
        field.push_str(";\r\n b=");
        let (mut octets, _) = signed_header(&message, usize::MAX, &names, self.header);
        self.header.header(field.as_bytes(), false, &mut octets);
        Ok(ToSign { octets, field })
    }

    /// Signs with `signer` and returns the DKIM-Signature field, line end included, that goes in front of
    /// the mail.
    ///
    /// # Errors
    /// [`SignError`], [`Key`](SignError::Key) for keys that are not RSA or shorter than 2,048 bits.
    pub async fn sign(&self, message: &[u8], signer: &dyn Signer) -> Result<Vec<u8>, SignError> {
        match signer.public_key().kind() {
            KeyKind::Rsa { bits } if bits >= STRONG_KEY_BITS => {}
            _ => return Err(SignError::Key),
        }
        let to_sign = self.prepare(message)?;
        let value = signer.sign(ToSign::ALGORITHM, to_sign.octets()).await.map_err(SignError::Signer)?;
        Ok(to_sign.finish(&value))
    }

    /// [`sign`](Self::sign), and the mail behind its new field.
    ///
    /// # Errors
    /// As [`sign`](Self::sign).
    pub async fn sign_mail(&self, message: &[u8], signer: &dyn Signer) -> Result<Vec<u8>, SignError> {
        let mut mail = self.sign(message, signer).await?;
        mail.extend_from_slice(message);
        Ok(mail)
    }
}

/// A signature that only lacks its value.
#[derive(Clone)]
pub struct ToSign {
    octets: Vec<u8>,
    field: String,
}

/// Without the octets: they hold the Subject, which may be a secret (THREATS N9).
impl fmt::Debug for ToSign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToSign").field("field", &self.field).finish_non_exhaustive()
    }
}

impl ToSign {
    /// How [`octets`](Self::octets) are signed: rsa-sha256.
    pub const ALGORITHM: SignatureAlgorithm = SignatureAlgorithm::RsaPkcs1(DigestAlgorithm::Sha256);

    /// The octets to sign (not their digest).
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// The DKIM-Signature field with its line end.
    #[must_use]
    pub fn finish(self, value: &[u8]) -> Vec<u8> {
        let mut field = self.field;
        for (at, char) in Base64::encode_string(value).char_indices() {
            if at > 0 && at % 72 == 0 {
                field.push_str("\r\n ");
            }
            field.push(char);
        }
        field.push_str("\r\n");
        field.into_bytes()
    }
}

/// One line as long as it may be: some readers in the field (certbot-castle) split `h=` at the colons
/// without trimming. Only a line near the limit of RFC 5322 §2.1.1 (998) is folded.
fn push_names(names: &[String], out: &mut String) {
    let mut line = 3;
    for (at, name) in names.iter().enumerate() {
        if at > 0 {
            out.push(':');
            if line + name.len() > 900 {
                out.push_str("\r\n ");
                line = 1;
            }
        }
        out.push_str(name);
        line += name.len() + 1;
    }
}
