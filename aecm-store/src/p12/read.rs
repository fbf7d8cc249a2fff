//! Reading.

use aecm_core::certificate::Certificate;
use aecm_core::limits::Limits;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::password::{KeyDerivation, PasswordError, Pbes2};
use aecm_core::tlv::{AlgorithmId, Reader, Rules, Tag, TlvError};
use zeroize::Zeroizing;

use super::{CertificateBag, KeyBag, MAX_BAGS, MAX_DEPTH, MAX_OCTETS, Pkcs12, Pkcs12Error, Skipped, mac};

/// All derivations of a file together may take this many times what one of them may.
const WORK_FACTOR: u64 = 4;

/// How many iterations may still be spent on a file.
pub(super) struct Budget {
    /// For each derivation.
    each: u64,
    /// For all together.
    limit: u64,
    left: u64,
}

impl Budget {
    fn new(limits: &Limits) -> Self {
        let each = limits.pbkdf2_iterations;
        let limit = each.saturating_mul(WORK_FACTOR);
        Self { each, limit, left: limit }
    }

    pub(super) fn spend(&mut self, iterations: u64) -> Result<(), Pkcs12Error> {
        if iterations > self.each {
            let excess = PasswordError::Iterations { count: iterations, limit: self.each };
            return Err(Pkcs12Error::Password(excess));
        }
        self.left = self.left.checked_sub(iterations).ok_or(Pkcs12Error::Work { limit: self.limit })?;
        Ok(())
    }

    /// The work of a key of `length` octets; its parameters were held against the limit of one derivation.
    pub(super) fn spend_on(&mut self, derivation: &KeyDerivation, length: usize) -> Result<(), Pkcs12Error> {
        let left = self.left.checked_sub(derivation.work(length));
        self.left = left.ok_or(Pkcs12Error::Work { limit: self.limit })?;
        Ok(())
    }
}

struct Safes<'a> {
    password: &'a str,
    limits: &'a Limits,
    budget: Budget,
    bags: usize,
    found: Pkcs12,
}

/// ```text
/// PFX ::= SEQUENCE {                             -- RFC 7292 §4
///     version   INTEGER {v3(3)},
///     authSafe  ContentInfo,                     -- id-data: integrity by password
///     macData   MacData OPTIONAL }
/// ```
pub(super) fn file(
    octets: &[u8],
    password: &str,
    authenticated: bool,
    limits: &Limits,
) -> Result<Pkcs12, Pkcs12Error> {
    if octets.len() > MAX_OCTETS {
        return Err(Pkcs12Error::TooLarge { limit: MAX_OCTETS });
    }
    let mut outer = Reader::new(octets, Rules::Ber, limits);
    let mut fields = outer.sequence()?;
    outer.finish()?;
    let version = fields.small()?;
    if version != 3 {
        return Err(Pkcs12Error::Version { version });
    }
    let mut info = fields.sequence()?;
    let content_type = info.oid()?;
    if content_type != oid::DATA {
        return Err(Pkcs12Error::Content { content_type });
    }
    let content = data(&mut info)?;
    info.finish()?;
    let mac = fields.optional(Tag::SEQUENCE)?;
    fields.finish()?;
    let mut budget = Budget::new(limits);
    match mac {
        Some(mac) => mac::verify(&mac, &content, password, &mut budget, limits)?,
        None if authenticated => return Err(Pkcs12Error::NoMac),
        None => {}
    }
    let found = Pkcs12 { keys: Vec::new(), certificates: Vec::new(), crls: Vec::new(), skipped: Vec::new() };
    let mut safes = Safes { password, limits, budget, bags: 0, found };
    safes.authenticated(&content)?;
    Ok(safes.found)
}

/// `[0] EXPLICIT OCTET STRING`, put together where BER cut it; wiped, since safes hold keys.
fn data(info: &mut Reader<'_>) -> Result<Zeroizing<Vec<u8>>, Pkcs12Error> {
    let mut inner = explicit(info)?;
    let octets = Zeroizing::new(inner.octet_string()?.into_owned());
    inner.finish()?;
    Ok(octets)
}

/// The inside of the next value, `[0] EXPLICIT`.
fn explicit<'a>(reader: &mut Reader<'a>) -> Result<Reader<'a>, TlvError> {
    reader.expect(Tag::context(0))?.reader()
}

impl Safes<'_> {
    /// ```text
    /// AuthenticatedSafe ::= SEQUENCE OF ContentInfo          -- RFC 7292 §4.1
    /// ```
    fn authenticated(&mut self, content: &[u8]) -> Result<(), Pkcs12Error> {
        let mut outer = Reader::new(content, Rules::Ber, self.limits);
        let mut infos = outer.sequence()?;
        outer.finish()?;
        while !infos.is_empty() {
            // Each costs a derivation, so each counts.
            self.count()?;
            let mut info = infos.sequence()?;
            let content_type = info.oid()?;
            let safe = match content_type {
                oid::DATA => data(&mut info)?,
                oid::ENCRYPTED_DATA => self.encrypted(&mut info)?,
                _ => return Err(Pkcs12Error::Content { content_type }),
            };
            info.finish()?;
            self.contents(&safe)?;
        }
        Ok(())
    }

    /// ```text
    /// EncryptedData ::= SEQUENCE {                           -- RFC 5652 §8
    ///     version               INTEGER,
    ///     encryptedContentInfo  SEQUENCE {
    ///         contentType                 OBJECT IDENTIFIER,
    ///         contentEncryptionAlgorithm  AlgorithmIdentifier,
    ///         encryptedContent            [0] IMPLICIT OCTET STRING OPTIONAL },
    ///     unprotectedAttrs      [1] IMPLICIT SET OF Attribute OPTIONAL }
    /// ```
    fn encrypted(&mut self, info: &mut Reader<'_>) -> Result<Zeroizing<Vec<u8>>, Pkcs12Error> {
        let mut wrapper = explicit(info)?;
        let mut fields = wrapper.sequence()?;
        wrapper.finish()?;
        let version = fields.small()?;
        if version != 0 && version != 2 {
            return Err(Pkcs12Error::Version { version });
        }
        let mut encrypted = fields.sequence()?;
        let content_type = encrypted.oid()?;
        if content_type != oid::DATA {
            return Err(Pkcs12Error::Content { content_type });
        }
        let algorithm = encrypted.algorithm()?;
        let octets = match encrypted.context(0)? {
            Some(octets) => octets.octet_string()?,
            // Content from elsewhere: there is nothing like that.
            None => encrypted.expect(Tag::context_primitive(0))?.octet_string()?,
        };
        encrypted.finish()?;
        self.decrypt(&algorithm, &octets)
    }

    fn decrypt(
        &mut self,
        algorithm: &AlgorithmId<'_>,
        octets: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Pkcs12Error> {
        let scheme = Pbes2::from_algorithm(algorithm, self.limits)?;
        self.budget.spend_on(scheme.derivation(), scheme.cipher().key_size())?;
        Ok(scheme.decrypt(self.password.as_bytes(), octets)?)
    }

    fn count(&mut self) -> Result<(), Pkcs12Error> {
        self.bags += 1;
        if self.bags > MAX_BAGS { Err(Pkcs12Error::TooManyBags { limit: MAX_BAGS }) } else { Ok(()) }
    }

    /// ```text
    /// SafeContents ::= SEQUENCE OF SafeBag                   -- RFC 7292 §4.2
    /// SafeBag ::= SEQUENCE {
    ///     bagId          OBJECT IDENTIFIER,
    ///     bagValue       [0] EXPLICIT ANY DEFINED BY bagId,
    ///     bagAttributes  SET OF PKCS12Attribute OPTIONAL }
    /// ```
    fn contents(&mut self, safe: &[u8]) -> Result<(), Pkcs12Error> {
        let mut outer = Reader::new(safe, Rules::Ber, self.limits);
        // No recursion: what is nested is put aside here.
        let mut open = vec![outer.sequence()?];
        outer.finish()?;
        while let Some(bags) = open.last_mut() {
            if bags.is_empty() {
                open.pop();
                continue;
            }
            let mut bag = bags.sequence()?;
            self.count()?;
            let kind = bag.oid()?;
            let mut value = explicit(&mut bag)?;
            let attributes = match bag.optional(Tag::SET)? {
                Some(set) => Attributes::read(set.reader()?)?,
                None => Attributes::default(),
            };
            bag.finish()?;
            if kind == oid::SAFE_CONTENTS_BAG {
                if open.len() > MAX_DEPTH {
                    return Err(Pkcs12Error::Depth { limit: MAX_DEPTH });
                }
                open.push(value.sequence()?);
                value.finish()?;
            } else {
                self.bag(kind, value, attributes)?;
            }
        }
        Ok(())
    }

    fn bag(
        &mut self,
        kind: ObjectIdentifier,
        mut value: Reader<'_>,
        attributes: Attributes,
    ) -> Result<(), Pkcs12Error> {
        match kind {
            oid::KEY_BAG => {
                let pkcs8 = Zeroizing::new(value.expect(Tag::SEQUENCE)?.bytes().to_vec());
                self.key(pkcs8, attributes);
            }
            oid::SHROUDED_KEY_BAG => {
                let mut fields = value.sequence()?;
                let algorithm = fields.algorithm()?;
                let octets = fields.octet_string()?;
                fields.finish()?;
                let pkcs8 = self.decrypt(&algorithm, &octets)?;
                let mut whole = Reader::new(&pkcs8, Rules::Ber, self.limits);
                if whole.sequence().and_then(|_| whole.finish()).is_err() {
                    return Err(Pkcs12Error::Password(PasswordError::WrongPassword));
                }
                self.key(pkcs8, attributes);
            }
            oid::CERT_BAG | oid::CRL_BAG => {
                // CertBag and CRLBag alike: SEQUENCE { type, [0] EXPLICIT OCTET STRING }.
                let mut fields = value.sequence()?;
                let form = fields.oid()?;
                let known = if kind == oid::CERT_BAG { oid::X509_CERTIFICATE } else { oid::X509_CRL };
                if form == known {
                    let mut inner = explicit(&mut fields)?;
                    let octets = inner.octet_string()?.into_owned();
                    inner.finish()?;
                    fields.finish()?;
                    self.public(kind, octets, attributes);
                } else {
                    self.found.skipped.push(Skipped::Type(form));
                }
            }
            other => {
                self.found.skipped.push(Skipped::Bag(other));
                return Ok(());
            }
        }
        Ok(value.finish()?)
    }

    fn key(&mut self, pkcs8: Zeroizing<Vec<u8>>, attributes: Attributes) {
        let Attributes { friendly_name, local_key_id } = attributes;
        self.found.keys.push(KeyBag { pkcs8, friendly_name, local_key_id });
    }

    fn public(&mut self, kind: ObjectIdentifier, octets: Vec<u8>, attributes: Attributes) {
        if kind == oid::CRL_BAG {
            self.found.crls.push(octets);
            return;
        }
        let Attributes { friendly_name, local_key_id } = attributes;
        match Certificate::from_der(&octets) {
            Ok(certificate) => {
                self.found.certificates.push(CertificateBag { certificate, friendly_name, local_key_id });
            }
            Err(error) => self.found.skipped.push(Skipped::Certificate(error)),
        }
    }
}

/// The two attributes that are looked at; others are passed over, the first of several counts.
#[derive(Default)]
struct Attributes {
    friendly_name: Option<String>,
    local_key_id: Option<Vec<u8>>,
}

impl Attributes {
    fn read(mut set: Reader<'_>) -> Result<Self, TlvError> {
        let mut found = Self::default();
        while !set.is_empty() {
            let mut attribute = set.sequence()?;
            let kind = attribute.oid()?;
            let mut values = attribute.set()?;
            attribute.finish()?;
            if values.is_empty() {
                continue;
            }
            let value = values.any()?;
            match kind {
                oid::FRIENDLY_NAME if found.friendly_name.is_none() => {
                    // A name that is no text is none.
                    found.friendly_name = value.text().ok().map(std::borrow::Cow::into_owned);
                }
                oid::LOCAL_KEY_ID if found.local_key_id.is_none() => {
                    found.local_key_id = Some(value.octet_string()?.into_owned());
                }
                _ => {}
            }
        }
        Ok(found)
    }
}
