//! Verifying (RFC 6376 §6): first what has to be looked up, then the verdict.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use aecm_core::digest::DigestAlgorithm;
use aecm_core::embed::{TxtError, TxtResolver};
use aecm_core::limits::Limits;
use aecm_core::public_key::PublicKey;
use aecm_core::signature::{SignatureAlgorithm, Sm2Id};
use aecm_core::time::Time;

use super::canonical::Canonicalization;
use super::fields::{Field, Message, MessageError, Octets};
use super::key_record::KeyRecord;
use super::report::{Covered, Failure, Pass, Report, STRONG_KEY_BITS, SignatureReport};
use super::signature::{Signature, without_value};

/// Signatures that are looked at, from the top; more are counted and ignored.
pub const MAX_SIGNATURES: usize = 8;

/// What is asked of a signature beyond being right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyOptions {
    /// Bounds on the mail.
    pub limits: Limits,
    /// How far clocks may differ, for `t=` in the future and `x=` just past. Five minutes.
    pub clock_skew: Duration,
    /// The smallest RSA modulus that passes, in bits. 1,024: what verifiers have to accept (RFC 8301 §3.2);
    /// below 2,048 [`Pass::weak_key`] says so.
    pub minimum_key_bits: usize,
}

impl Default for VerifyOptions {
    fn default() -> Self {
        Self { limits: Limits::default(), clock_skew: Duration::from_secs(300), minimum_key_bits: 1024 }
    }
}

/// The TXT records that were looked up, by name.
#[derive(Clone, Debug, Default)]
pub struct Records(BTreeMap<String, Result<Vec<Vec<u8>>, TxtError>>);

impl Records {
    /// Nothing looked up yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes what the resolver said of `name` (one of [`Pending::names`]).
    pub fn insert(&mut self, name: &str, answer: Result<Vec<Vec<u8>>, TxtError>) {
        self.0.insert(name.to_ascii_lowercase(), answer);
    }
}

/// A mail whose signatures are read and hashed; only the keys are missing.
#[derive(Clone)]
pub struct Pending {
    candidates: Vec<Candidate>,
    ignored: usize,
    bare_lf: bool,
    minimum_key_bits: usize,
    /// The only `d=` that is looked up, where the others decide nothing.
    domain: Option<String>,
}

#[derive(Clone)]
struct Candidate {
    signature: Option<Signature>,
    covered: Vec<Covered>,
    // The canonical header fields that were signed, or why the signature has already failed.
    state: Result<Vec<u8>, Failure>,
}

/// Without the signed octets: a challenge mail's Subject is a secret (THREATS N9).
impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending")
            .field("names", &self.names())
            .field("ignored", &self.ignored)
            .finish_non_exhaustive()
    }
}

/// Reads and hashes; no key is needed yet.
///
/// # Errors
/// [`MessageError`] when the mail cannot be taken apart. A mail without signatures is no error: its report has
/// none.
pub fn prepare(message: &[u8], now: Time, options: &VerifyOptions) -> Result<Pending, MessageError> {
    let octets = Octets::new(message, &options.limits)?;
    let message = octets.take_apart(&options.limits)?;
    Ok(Pending::new(&message, octets.bare_lf, now, options))
}

/// [`prepare`], look up, [`Pending::check`].
///
/// # Errors
/// As [`prepare`]. A resolver that does not answer is a [`Failure`] of the signatures concerned.
pub async fn verify(
    message: &[u8],
    now: Time,
    options: &VerifyOptions,
    resolver: &dyn TxtResolver,
) -> Result<Report, MessageError> {
    let pending = prepare(message, now, options)?;
    Ok(pending.check(&pending.look_up(resolver).await))
}

impl Pending {
    pub(crate) fn new(message: &Message<'_>, bare_lf: bool, now: Time, options: &VerifyOptions) -> Self {
        let all: Vec<usize> = (0..message.fields.len())
            .filter(|at| message.fields.get(*at).is_some_and(|field| field.name == "dkim-signature"))
            .collect();
        let mut bodies = Bodies::default();
        let candidates = all
            .iter()
            .take(MAX_SIGNATURES)
            .filter_map(|at| {
                let field = message.fields.get(*at)?;
                Some(Candidate::new(message, *at, field, now, options, &mut bodies))
            })
            .collect();
        Self {
            candidates,
            ignored: all.len().saturating_sub(MAX_SIGNATURES),
            bare_lf,
            minimum_key_bits: options.minimum_key_bits,
            domain: None,
        }
    }

    /// Looks up signatures of `domain` alone: no stranger learns by a DNS query that the mail was read.
    pub(crate) fn only(mut self, domain: &str) -> Self {
        self.domain = Some(domain.to_ascii_lowercase());
        self
    }

    /// The names whose TXT records decide, each once.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for candidate in &self.candidates {
            if let (Ok(_), Some(signature)) = (&candidate.state, &candidate.signature) {
                if self.domain.as_ref().is_some_and(|domain| signature.domain != *domain) {
                    continue;
                }
                let name = signature.key_name();
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        names
    }

    /// The signatures that have not failed yet, and what they cover.
    pub(crate) fn alive(&self) -> impl Iterator<Item = (&Signature, &[Covered])> {
        self.candidates.iter().filter_map(|candidate| {
            let signature = candidate.signature.as_ref().filter(|_| candidate.state.is_ok())?;
            Some((signature, candidate.covered.as_slice()))
        })
    }

    /// Asks `resolver` for all [`names`](Self::names).
    pub async fn look_up(&self, resolver: &dyn TxtResolver) -> Records {
        let mut records = Records::new();
        for name in self.names() {
            let answer = resolver.txt(&name).await;
            records.insert(&name, answer);
        }
        records
    }

    /// The verdict. A name that is not among `records` counts as not answered.
    #[must_use]
    pub fn check(&self, records: &Records) -> Report {
        let signatures = self
            .candidates
            .iter()
            .map(|candidate| SignatureReport {
                signature: candidate.signature.clone(),
                covered: candidate.covered.clone(),
                outcome: candidate.check(records, self.minimum_key_bits),
            })
            .collect();
        Report { signatures, ignored: self.ignored, bare_lf: self.bare_lf }
    }
}

impl Candidate {
    fn new(
        message: &Message<'_>,
        at: usize,
        field: &Field<'_>,
        now: Time,
        options: &VerifyOptions,
        bodies: &mut Bodies,
    ) -> Self {
        let signature = match Signature::parse(field.raw) {
            Ok(signature) => signature,
            Err(error) => {
                return Self { signature: None, covered: Vec::new(), state: Err(Failure::Signature(error)) };
            }
        };
        let (mut octets, covered) =
            signed_header(message, at, &signature.fields, signature.header_canonicalization);
        without_value(field.raw, &signature.value_span, signature.header_canonicalization, &mut octets);
        let state = check_before_key(&signature, message.body, now, options, bodies).map(|()| octets);
        Self { signature: Some(signature), covered, state }
    }

    fn check(&self, records: &Records, minimum_key_bits: usize) -> Result<Pass, Failure> {
        let octets = self.state.as_ref().map_err(Clone::clone)?;
        let Some(signature) = &self.signature else { return Err(Failure::Value) };
        let name = signature.key_name();
        let record = match records.0.get(&name) {
            Some(Ok(texts)) => KeyRecord::select(texts).map_err(Failure::KeyRecord)?,
            Some(Err(TxtError::NoRecords)) => return Err(Failure::NoKey { name }),
            Some(Err(error)) => return Err(Failure::Resolver { name, detail: error.to_string() }),
            None => return Err(Failure::Resolver { name, detail: "it was not asked for".to_owned() }),
        };
        if record.testing {
            return Err(Failure::Testing);
        }
        if record.exact_domain && signature.agent_domain != signature.domain {
            return Err(Failure::AgentDomain);
        }
        if record.bits < minimum_key_bits {
            return Err(Failure::ShortKey { bits: record.bits });
        }
        check_value(&record.key, octets, &signature.value)?;
        Ok(Pass { key_bits: record.bits, weak_key: record.bits < STRONG_KEY_BITS })
    }
}

fn check_value(key: &PublicKey, octets: &[u8], value: &[u8]) -> Result<(), Failure> {
    key.verify(SignatureAlgorithm::RsaPkcs1(DigestAlgorithm::Sha256), Sm2Id::Default, octets, value)
        .map_err(|_| Failure::Value)
}

fn check_before_key(
    signature: &Signature,
    body: &[u8],
    now: Time,
    options: &VerifyOptions,
    bodies: &mut Bodies,
) -> Result<(), Failure> {
    if signature.signed_at.is_some_and(|signed_at| signed_at > now.plus(options.clock_skew)) {
        return Err(Failure::SignedInTheFuture);
    }
    if signature.expires.is_some_and(|expires| expires.plus(options.clock_skew) < now) {
        return Err(Failure::Expired);
    }
    let (length, hash) = bodies.get(signature.body_canonicalization, body);
    if signature.body_length.is_some_and(|stated| usize::try_from(stated) != Ok(length)) {
        return Err(Failure::BodyLength);
    }
    if signature.body_hash != hash { Err(Failure::BodyHash) } else { Ok(()) }
}

/// Length and SHA-256 of the canonical body, computed once for each canonicalisation.
#[derive(Default)]
struct Bodies(Vec<(Canonicalization, usize, Vec<u8>)>);

impl Bodies {
    fn get(&mut self, how: Canonicalization, body: &[u8]) -> (usize, Vec<u8>) {
        if let Some((_, length, hash)) = self.0.iter().find(|(known, ..)| *known == how) {
            return (*length, hash.clone());
        }
        let canonical = how.body(body);
        let hash = DigestAlgorithm::Sha256.digest(&canonical);
        self.0.push((how, canonical.len(), hash.clone()));
        (canonical.len(), hash)
    }
}

/// The canonical form of the fields that `h=` picks, each name from the bottom up (§5.4.2), and what that
/// leaves uncovered. The signature field itself, at `own`, is never picked.
pub(super) fn signed_header(
    message: &Message<'_>,
    own: usize,
    names: &[String],
    how: Canonicalization,
) -> (Vec<u8>, Vec<Covered>) {
    let mut left: BTreeMap<&str, Vec<&Field<'_>>> = BTreeMap::new();
    for (at, field) in message.fields.iter().enumerate() {
        if at != own {
            left.entry(&field.name).or_default().push(field);
        }
    }
    let mut octets = Vec::new();
    let mut covered: Vec<Covered> = Vec::new();
    let mut index: BTreeMap<&str, usize> = BTreeMap::new();
    for name in names {
        let picked = left.get_mut(name.as_str()).and_then(Vec::pop);
        if let Some(field) = picked {
            how.header(field.raw, true, &mut octets);
        }
        let at = *index.entry(name).or_insert_with(|| {
            covered.push(Covered { name: name.clone(), fields: 0, uncovered: 0, oversigned: false });
            covered.len() - 1
        });
        if let Some(entry) = covered.get_mut(at) {
            match picked {
                Some(_) => entry.fields += 1,
                None => entry.oversigned = true,
            }
        }
    }
    for entry in &mut covered {
        entry.uncovered = left.get(entry.name.as_str()).map_or(0, Vec::len);
    }
    (octets, covered)
}
