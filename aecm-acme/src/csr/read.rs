//! Reading and verifying requests.

use aecm_core::certificate::KeyUsage;
use aecm_core::limits::Limits;
use aecm_core::mailbox::Mailbox;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::public_key::{KeyKind, PublicKey};
use aecm_core::signature::{SignatureAlgorithm, Sm2Id};
use aecm_core::suite::Purpose;
use aecm_core::tlv::{Reader, Rules, Tag, Tlv};

use super::{CsrError, exceeds};

/// A request whose form was checked; its signature is checked by [`CertificateRequest::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateRequest {
    der: Vec<u8>,
    info: Vec<u8>,
    subject: Vec<u8>,
    key: PublicKey,
    algorithm: SignatureAlgorithm,
    signature: Vec<u8>,
    mailboxes: Vec<Mailbox>,
    other_names: Vec<String>,
    common_name: Option<String>,
    key_usage: Option<KeyUsage>,
    extended_key_usage: Vec<ObjectIdentifier>,
}

#[derive(Default)]
struct Asked {
    mailboxes: Vec<Mailbox>,
    other_names: Vec<String>,
    key_usage: Option<KeyUsage>,
    extended_key_usage: Vec<ObjectIdentifier>,
}

impl CertificateRequest {
    /// Reads a request.
    ///
    /// # Errors
    /// [`CsrError`] when it is not DER, too large, names something else than mailboxes, or has a key or
    /// algorithm that is not known.
    pub fn parse(der: &[u8], limits: &Limits) -> Result<Self, CsrError> {
        let request = Self::parse_any(der, limits)?;
        if request.other_names.is_empty() { Ok(request) } else { Err(CsrError::Name) }
    }

    /// As [`CertificateRequest::parse`], for a request that may name anything: what is no mailbox is kept for
    /// show in [`CertificateRequest::other_names`].
    ///
    /// # Errors
    /// As [`CertificateRequest::parse`], but for other names.
    pub fn parse_any(der: &[u8], limits: &Limits) -> Result<Self, CsrError> {
        if der.len() > limits.certificate_bytes {
            return Err(CsrError::TooLarge { octets: der.len(), limit: limits.certificate_bytes });
        }
        let mut outer = Reader::new(der, Rules::Der, limits);
        let mut request = outer.sequence()?;
        outer.finish()?;
        let info = request.expect(Tag::SEQUENCE)?;
        let algorithm = request.algorithm()?;
        let signature = request.bit_string()?.to_vec();
        request.finish()?;

        let mut fields = info.reader()?;
        if fields.small()? != 0 {
            return Err(CsrError::Version);
        }
        let subject = fields.expect(Tag::SEQUENCE)?;
        let key = PublicKey::from_spki_der(fields.expect(Tag::SEQUENCE)?.bytes()).map_err(CsrError::Key)?;
        // RFC 2986 makes attributes mandatory; some clients leave the empty set out.
        let attributes = fields.context(0)?;
        fields.finish()?;
        let algorithm = SignatureAlgorithm::from_identifier(&algorithm, &key, None)
            .map_err(|_| CsrError::Algorithm(algorithm.oid))?;
        let asked = attributes.map(|set| extension_request(&set, limits)).transpose()?.unwrap_or_default();

        Ok(Self {
            der: der.to_vec(),
            info: info.bytes().to_vec(),
            common_name: common_name(&subject)?,
            subject: subject.bytes().to_vec(),
            key,
            algorithm,
            signature,
            mailboxes: asked.mailboxes,
            other_names: asked.other_names,
            key_usage: asked.key_usage,
            extended_key_usage: asked.extended_key_usage,
        })
    }

    /// Verifies that the holder of the private key signed this request. `sm2_id` matters to SM2 keys only;
    /// GM/T 0092 and we use the default.
    ///
    /// # Errors
    /// [`CsrError::Signature`], [`CsrError::Algorithm`] for SHA-1.
    pub fn verify(&self, sm2_id: Sm2Id<'_>) -> Result<(), CsrError> {
        if self.algorithm.digest().is_weak() {
            return Err(CsrError::Algorithm(self.algorithm.oid()));
        }
        self.key.verify(self.algorithm, sm2_id, &self.info, &self.signature).map_err(|_| CsrError::Signature)
    }

    /// The whole request.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// The Name in subject.
    #[must_use]
    pub fn subject_der(&self) -> &[u8] {
        &self.subject
    }

    /// The common name in subject, where there is one.
    #[must_use]
    pub fn common_name(&self) -> Option<&str> {
        self.common_name.as_deref()
    }

    /// The key to be certified.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.key
    }

    /// The algorithm of the signature.
    #[must_use]
    pub const fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// The mailboxes of subjectAltName.
    #[must_use]
    pub fn mailboxes(&self) -> &[Mailbox] {
        &self.mailboxes
    }

    /// The names of subjectAltName that are no mailboxes, for people: `DNS:example.org`. None after
    /// [`CertificateRequest::parse`].
    #[must_use]
    pub fn other_names(&self) -> &[String] {
        &self.other_names
    }

    /// The key usage asked for.
    #[must_use]
    pub const fn key_usage(&self) -> Option<KeyUsage> {
        self.key_usage
    }

    /// The extended key usages asked for.
    #[must_use]
    pub fn extended_key_usage(&self) -> &[ObjectIdentifier] {
        &self.extended_key_usage
    }

    /// The one purpose asked for; `None` where usages are mixed or missing, which asks for a dual-use
    /// certificate (RFC 8823 §3).
    #[must_use]
    pub fn purpose(&self) -> Option<Purpose> {
        let usage = self.key_usage?;
        let signing = KeyUsage::DIGITAL_SIGNATURE | KeyUsage::NON_REPUDIATION;
        let encrypting = KeyUsage::KEY_ENCIPHERMENT | KeyUsage::KEY_AGREEMENT;
        let one_of_two = usage == KeyUsage::KEY_ENCIPHERMENT || usage == KeyUsage::KEY_AGREEMENT;
        let sm2_superset = self.key.kind() == KeyKind::Sm2 && usage == encrypting;
        let mail = |wanted: Purpose| {
            self.extended_key_usage.iter().all(|usage| *usage == oid::EMAIL_PROTECTION).then_some(wanted)
        };
        if !exceeds(usage, signing) {
            if self.extended_key_usage == [oid::TIME_STAMPING] {
                Some(Purpose::Timestamp)
            } else {
                mail(Purpose::Sign)
            }
        } else if one_of_two || sm2_superset {
            mail(Purpose::Encrypt)
        } else {
            None
        }
    }
}

fn extension_request(attributes: &Tlv<'_>, limits: &Limits) -> Result<Asked, CsrError> {
    let mut asked: Option<Asked> = None;
    let mut attributes = attributes.reader()?;
    let mut count = 0;
    while !attributes.is_empty() {
        count += 1;
        if count > limits.attributes {
            return Err(CsrError::ExtensionRequest);
        }
        let mut attribute = attributes.sequence()?;
        let kind = attribute.oid()?;
        let mut values = attribute.set()?;
        attribute.finish()?;
        if kind == oid::EXTENSION_REQUEST {
            if asked.is_some() || values.is_empty() {
                return Err(CsrError::ExtensionRequest);
            }
            asked = Some(extensions(&mut values.sequence()?, limits)?);
            if !values.is_empty() {
                return Err(CsrError::ExtensionRequest);
            }
        }
    }
    Ok(asked.unwrap_or_default())
}

fn extensions(list: &mut Reader<'_>, limits: &Limits) -> Result<Asked, CsrError> {
    let mut asked = Asked::default();
    let mut seen: Vec<ObjectIdentifier> = Vec::new();
    while !list.is_empty() {
        let mut extension = list.sequence()?;
        let kind = extension.oid()?;
        if seen.contains(&kind) || seen.len() >= limits.extensions {
            return Err(CsrError::Duplicate(kind));
        }
        seen.push(kind);
        if extension.peek()? == Some(Tag::BOOLEAN) {
            extension.boolean()?;
        }
        let value = extension.octet_string()?;
        extension.finish()?;
        let mut content = Reader::new(&value, Rules::Der, limits);
        match kind {
            oid::SUBJECT_ALT_NAME => {
                let mut names = content.sequence()?;
                while !names.is_empty() {
                    let name = names.any()?;
                    match mailbox(&name) {
                        Ok(mailbox) => asked.mailboxes.push(mailbox),
                        Err(CsrError::Name) => asked.other_names.push(shown(&name)),
                        Err(error) => return Err(error),
                    }
                }
            }
            oid::KEY_USAGE => {
                asked.key_usage = Some(KeyUsage::from_der(&value)?);
                continue;
            }
            oid::EXT_KEY_USAGE => {
                let mut usages = content.sequence()?;
                while !usages.is_empty() {
                    asked.extended_key_usage.push(usages.oid()?);
                }
            }
            _ => continue,
        }
        content.finish()?;
    }
    Ok(asked)
}

/// rfc822Name `[1]`, or otherName `[0]` with SmtpUTF8Mailbox (RFC 9598).
fn mailbox(name: &Tlv<'_>) -> Result<Mailbox, CsrError> {
    let utf8;
    let octets = if name.tag() == Tag::context_primitive(1) {
        name.content()
    } else if name.tag() == Tag::context(0) {
        let mut other = name.reader()?;
        if other.oid()? != oid::SMTP_UTF8_MAILBOX {
            return Err(CsrError::Name);
        }
        let mut value = other.expect(Tag::context(0))?.reader()?;
        utf8 = value.expect(Tag::UTF8_STRING)?;
        value.finish()?;
        other.finish()?;
        utf8.content()
    } else {
        return Err(CsrError::Name);
    };
    core::str::from_utf8(octets).ok().and_then(|text| text.parse().ok()).ok_or(CsrError::Name)
}

/// A GeneralName (RFC 5280 §4.2.1.6) for people.
fn shown(name: &Tlv<'_>) -> String {
    let text = || String::from_utf8_lossy(name.content()).into_owned();
    match name.tag().number {
        1 => format!("email:{}", text()),
        2 => format!("DNS:{}", text()),
        6 => format!("URI:{}", text()),
        7 => match name.content() {
            [a, b, c, d] => format!("IP:{}", std::net::Ipv4Addr::new(*a, *b, *c, *d)),
            octets => match <[u8; 16]>::try_from(octets) {
                Ok(octets) => format!("IP:{}", std::net::Ipv6Addr::from(octets)),
                Err(_) => "IP".to_owned(),
            },
        },
        4 => "a directory name".to_owned(),
        _ => "a name of another form".to_owned(),
    }
}

fn common_name(subject: &Tlv<'_>) -> Result<Option<String>, CsrError> {
    let mut names = subject.reader()?;
    let mut found = None;
    while !names.is_empty() {
        let mut set = names.set()?;
        while !set.is_empty() {
            let mut attribute = set.sequence()?;
            let kind = attribute.oid()?;
            let value = attribute.any()?;
            attribute.finish()?;
            if kind == oid::COMMON_NAME {
                found = Some(value.text()?.into_owned());
            }
        }
    }
    Ok(found)
}
