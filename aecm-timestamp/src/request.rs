//! Timestamp requests (RFC 3161 §2.4.1).

use aecm_core::digest::DigestAlgorithm;
use aecm_core::limits::Limits;
use aecm_core::oid::ObjectIdentifier;
use aecm_core::tlv::{Reader, Rules, Tag, TlvError, write as w};

use crate::error::RequestError;

/// A request: the digest to be stamped, a nonce, and what is wanted of the answer.
///
/// ```text
/// TimeStampReq ::= SEQUENCE {
///   version        INTEGER { v1(1) },
///   messageImprint MessageImprint,
///   reqPolicy      TSAPolicyId OPTIONAL,
///   nonce          INTEGER OPTIONAL,
///   certReq        BOOLEAN DEFAULT FALSE,
///   extensions     [0] IMPLICIT Extensions OPTIONAL }
///
/// MessageImprint ::= SEQUENCE { hashAlgorithm AlgorithmIdentifier, hashedMessage OCTET STRING }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    digest: DigestAlgorithm,
    imprint: Vec<u8>,
    policy: Option<ObjectIdentifier>,
    nonce: Option<Vec<u8>>,
    certificates: bool,
    extensions: bool,
}

impl Request {
    /// Asks for a stamp on `imprint`, a value of `digest`, with certificates in the answer.
    ///
    /// The nonce is 64 random bits (THREATS T1).
    ///
    /// # Errors
    /// [`RequestError::ImprintLength`] when the imprint is not as long as the digest's values are.
    pub fn new(digest: DigestAlgorithm, imprint: &[u8], nonce: [u8; 8]) -> Result<Self, RequestError> {
        if imprint.len() != digest.output_size() {
            return Err(RequestError::ImprintLength { expected: digest.output_size(), found: imprint.len() });
        }
        Ok(Self {
            digest,
            imprint: imprint.to_vec(),
            policy: None,
            nonce: Some(minimal(&nonce)),
            certificates: true,
            extensions: false,
        })
    }

    /// As [`Request::new`], over `data` itself.
    ///
    /// ```
    /// use aecm_core::digest::DigestAlgorithm;
    /// use aecm_timestamp::Request;
    ///
    /// let request = Request::for_data(DigestAlgorithm::Sha256, b"a report", [7; 8]);
    /// assert_eq!(request.imprint(), DigestAlgorithm::Sha256.digest(b"a report"));
    /// ```
    #[must_use]
    pub fn for_data(digest: DigestAlgorithm, data: &[u8], nonce: [u8; 8]) -> Self {
        Self {
            digest,
            imprint: digest.digest(data),
            policy: None,
            nonce: Some(minimal(&nonce)),
            certificates: true,
            extensions: false,
        }
    }

    /// Asks without a nonce, so that any answer for this imprint will do: nobody can tell then whether it is fresh
    /// (THREATS T1).
    #[must_use]
    pub fn without_nonce(mut self) -> Self {
        self.nonce = None;
        self
    }

    /// Asks for a stamp under this policy and no other.
    #[must_use]
    pub fn with_policy(mut self, policy: ObjectIdentifier) -> Self {
        self.policy = Some(policy);
        self
    }

    /// Asks for an answer without certificates; whoever verifies the token needs them from elsewhere.
    #[must_use]
    pub fn without_certificates(mut self) -> Self {
        self.certificates = false;
        self
    }

    /// The digest algorithm of the imprint.
    #[must_use]
    pub fn digest(&self) -> DigestAlgorithm {
        self.digest
    }

    /// The digest to be stamped.
    #[must_use]
    pub fn imprint(&self) -> &[u8] {
        &self.imprint
    }

    /// The policy asked for.
    #[must_use]
    pub fn policy(&self) -> Option<&ObjectIdentifier> {
        self.policy.as_ref()
    }

    /// The nonce, unsigned big-endian without leading zeros.
    #[must_use]
    pub fn nonce(&self) -> Option<&[u8]> {
        self.nonce.as_deref()
    }

    /// Whether the answer has to carry the unit's certificate.
    #[must_use]
    pub fn wants_certificates(&self) -> bool {
        self.certificates
    }

    /// Whether the request has extensions; none are defined that an authority here would understand.
    #[must_use]
    pub fn has_extensions(&self) -> bool {
        self.extensions
    }

    /// The request in DER.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let mut parts = vec![w::small(1), imprint_der(self.digest, &self.imprint)];
        parts.extend(self.policy.as_ref().map(w::oid));
        parts.extend(self.nonce.as_deref().map(w::integer_bytes));
        if self.certificates {
            parts.push(w::boolean(true));
        }
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        w::sequence(&parts)
    }

    /// Reads a request, as an authority does.
    ///
    /// # Errors
    /// [`RequestError`]: malformed, another version, or a digest that is not known.
    pub fn from_der(der: &[u8], limits: &Limits) -> Result<Self, RequestError> {
        let mut outer = Reader::new(der, Rules::Der, limits);
        let mut reader = outer.sequence()?;
        outer.finish()?;
        if reader.small()? != 1 {
            return Err(RequestError::Version);
        }
        let (digest, imprint) = read_imprint(&mut reader)?;
        let digest = digest.ok_or(RequestError::UnknownDigest)?;
        if imprint.len() != digest.output_size() {
            return Err(RequestError::ImprintLength { expected: digest.output_size(), found: imprint.len() });
        }
        let policy = if reader.peek()? == Some(Tag::OID) { Some(reader.oid()?) } else { None };
        let nonce =
            if reader.peek()? == Some(Tag::INTEGER) { Some(unsigned(reader.integer()?)?) } else { None };
        let certificates = reader.peek()? == Some(Tag::BOOLEAN) && reader.boolean()?;
        let extensions = reader.context(0)?.is_some();
        reader.finish()?;
        Ok(Self { digest, imprint, policy, nonce, certificates, extensions })
    }
}

/// A number without leading zeros.
fn minimal(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|octet| **octet == 0).count();
    number.get(zeros..).filter(|rest| !rest.is_empty()).unwrap_or(&[0]).to_vec()
}

/// `MessageImprint`, the digest's parameters absent.
pub(crate) fn imprint_der(digest: DigestAlgorithm, imprint: &[u8]) -> Vec<u8> {
    w::sequence(&[&digest.identifier_der(), &w::octet_string(imprint)])
}

/// Reads a `MessageImprint`; the digest is `None` where it is not known.
pub(crate) fn read_imprint(reader: &mut Reader<'_>) -> Result<(Option<DigestAlgorithm>, Vec<u8>), TlvError> {
    let mut imprint = reader.sequence()?;
    let algorithm = imprint.algorithm()?;
    let value = imprint.octet_string()?.into_owned();
    imprint.finish()?;
    let known = DigestAlgorithm::from_oid(&algorithm.oid).filter(|_| algorithm.parameters_absent_or_null());
    Ok((known, value))
}

/// The octets of a non-negative INTEGER without leading zeros.
pub(crate) fn unsigned(content: &[u8]) -> Result<Vec<u8>, RequestError> {
    match content {
        [0, rest @ ..] if !rest.is_empty() => Ok(rest.to_vec()),
        [first, ..] if *first < 0x80 => Ok(content.to_vec()),
        _ => Err(RequestError::Nonce),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let limits = Limits::default();
        let policy = ObjectIdentifier::new_unwrap("1.2.3.4.1");
        for nonce in [[0; 8], [0xff; 8], [0, 0, 0, 0, 0, 0, 0x80, 1], [0x7f, 0, 0, 0, 0, 0, 0, 0]] {
            let request = Request::new(DigestAlgorithm::Sm3, &[7; 32], nonce).unwrap().with_policy(policy);
            assert_eq!(Request::from_der(&request.to_der(), &limits).unwrap(), request);
        }
    }

    #[test]
    fn t2_an_imprint_of_the_wrong_length_is_refused() {
        for length in [0, 20, 31, 33, 64] {
            assert!(Request::new(DigestAlgorithm::Sha256, &vec![1; length], [1; 8]).is_err(), "{length}");
        }
    }

    #[test]
    fn malformed_requests_are_refused() {
        let limits = Limits::default();
        let good = Request::new(DigestAlgorithm::Sha256, &[7; 32], [1; 8]).unwrap().to_der();
        for end in 0..good.len() {
            assert!(Request::from_der(&good[..end], &limits).is_err(), "cut at {end}");
        }
        let mut longer = good.clone();
        longer.push(0);
        assert!(Request::from_der(&longer, &limits).is_err());
        let negative = w::sequence(&[
            &w::small(1),
            &imprint_der(DigestAlgorithm::Sha256, &[7; 32]),
            &w::tlv(Tag::INTEGER, &[0x80]),
        ]);
        assert_eq!(Request::from_der(&negative, &limits), Err(RequestError::Nonce));
        let version = w::sequence(&[&w::small(2), &imprint_der(DigestAlgorithm::Sha256, &[7; 32])]);
        assert_eq!(Request::from_der(&version, &limits), Err(RequestError::Version));
    }
}
