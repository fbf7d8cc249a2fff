//! Digests: which ones there are, their identifiers, and computing them.

use alloc::vec::Vec;
use core::fmt;

use aecm_sm::sm3::Sm3;
use digest::Digest;
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};

use crate::oid::{self, ObjectIdentifier};
use crate::tlv::write;

/// A digest algorithm that messages and certificates name.
///
/// ```
/// use aecm_core::digest::DigestAlgorithm;
///
/// let mut hasher = DigestAlgorithm::Sm3.hasher();
/// hasher.update(b"ab");
/// hasher.update(b"c");
/// assert_eq!(hasher.finish(), DigestAlgorithm::Sm3.digest(b"abc"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DigestAlgorithm {
    /// SHA-1 (FIPS 180-4): read in old messages, never written; see [`DigestAlgorithm::is_weak`].
    Sha1,
    /// SHA-256 (FIPS 180-4).
    Sha256,
    /// SHA-384 (FIPS 180-4).
    Sha384,
    /// SHA-512 (FIPS 180-4).
    Sha512,
    /// SM3 (GB/T 32905).
    Sm3,
}

impl DigestAlgorithm {
    /// All, the weak one last.
    pub const ALL: [Self; 5] = [Self::Sha256, Self::Sha384, Self::Sha512, Self::Sm3, Self::Sha1];

    /// The algorithm of an object identifier; nothing for MD5 and everything unknown.
    #[must_use]
    pub fn from_oid(oid: &ObjectIdentifier) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.oid() == *oid)
    }

    /// The object identifier.
    #[must_use]
    pub const fn oid(self) -> ObjectIdentifier {
        match self {
            Self::Sha1 => oid::SHA1,
            Self::Sha256 => oid::SHA256,
            Self::Sha384 => oid::SHA384,
            Self::Sha512 => oid::SHA512,
            Self::Sm3 => oid::SM3,
        }
    }

    /// The name people use: `SHA-256`, `SM3`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
            Self::Sm3 => "SM3",
        }
    }

    /// The size of a digest, in octets.
    #[must_use]
    pub const fn output_size(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 | Self::Sm3 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// Whether collisions are within reach (THREATS S9). Such a digest is computed and compared like any other;
    /// what it proves is for the caller's policy.
    #[must_use]
    pub const fn is_weak(self) -> bool {
        matches!(self, Self::Sha1)
    }

    /// The digest of `data`, of [`output_size`](Self::output_size) octets.
    #[must_use]
    pub fn digest(self, data: &[u8]) -> Vec<u8> {
        let mut hasher = self.hasher();
        hasher.update(data);
        hasher.finish()
    }

    /// Starts a digest over data that comes in pieces.
    #[must_use]
    pub fn hasher(self) -> Hasher {
        Hasher(match self {
            Self::Sha1 => State::Sha1(Sha1::new()),
            Self::Sha256 => State::Sha256(Sha256::new()),
            Self::Sha384 => State::Sha384(Sha384::new()),
            Self::Sha512 => State::Sha512(Sha512::new()),
            Self::Sm3 => State::Sm3(Sm3::new()),
        })
    }

    /// The AlgorithmIdentifier as we write it: parameters absent (RFC 5754 §2; GB/T 35275 and the published SM2
    /// messages agree for SM3).
    ///
    /// ```text
    /// AlgorithmIdentifier ::= SEQUENCE {   -- RFC 5280 §4.1.1.2
    ///     algorithm   OBJECT IDENTIFIER,
    ///     parameters  ANY DEFINED BY algorithm OPTIONAL }
    /// ```
    #[must_use]
    pub fn identifier_der(self) -> Vec<u8> {
        write::algorithm(&self.oid(), None)
    }
}

impl fmt::Display for DigestAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A digest in the making.
#[derive(Clone)]
pub struct Hasher(State);

#[derive(Clone)]
enum State {
    Sha1(Sha1),
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
    Sm3(Sm3),
}

impl Hasher {
    /// Takes the next octets.
    pub fn update(&mut self, data: &[u8]) {
        match &mut self.0 {
            State::Sha1(hash) => hash.update(data),
            State::Sha256(hash) => hash.update(data),
            State::Sha384(hash) => hash.update(data),
            State::Sha512(hash) => hash.update(data),
            State::Sm3(hash) => hash.update(data),
        }
    }

    /// The digest of everything taken.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        match self.0 {
            State::Sha1(hash) => hash.finalize().to_vec(),
            State::Sha256(hash) => hash.finalize().to_vec(),
            State::Sha384(hash) => hash.finalize().to_vec(),
            State::Sha512(hash) => hash.finalize().to_vec(),
            State::Sm3(hash) => hash.finalize().to_vec(),
        }
    }
}

impl fmt::Debug for Hasher {
    /// Shows the algorithm only: the state is made of what was hashed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            State::Sha1(_) => "Hasher(SHA-1)",
            State::Sha256(_) => "Hasher(SHA-256)",
            State::Sha384(_) => "Hasher(SHA-384)",
            State::Sha512(_) => "Hasher(SHA-512)",
            State::Sm3(_) => "Hasher(SM3)",
        })
    }
}

/// SHA-256 of `data`, as an array: what names content and certificates in reports.
///
/// ```
/// use aecm_core::digest::{DigestAlgorithm, sha256};
///
/// assert_eq!(sha256(b"abc").as_slice(), DigestAlgorithm::Sha256.digest(b"abc"));
/// ```
#[must_use]
pub fn sha256(data: &[u8]) -> [u8; 32] {
    Sha256::digest(data).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    fn hex(octets: &[u8]) -> String {
        octets.iter().map(|octet| alloc::format!("{octet:02x}")).collect()
    }

    /// The "abc" examples of FIPS 180-4 and GB/T 32905 annex A.1.
    #[test]
    fn published_digests_of_abc() {
        let expected = [
            (DigestAlgorithm::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (DigestAlgorithm::Sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                DigestAlgorithm::Sha384,
                "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
            ),
            (
                DigestAlgorithm::Sha512,
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd\
                 454d4423643ce80e2a9ac94fa54ca49f",
            ),
            (DigestAlgorithm::Sm3, "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
        ];
        for (algorithm, digest) in expected {
            assert_eq!(hex(&algorithm.digest(b"abc")), digest, "{algorithm}");
            assert_eq!(digest.len(), 2 * algorithm.output_size(), "{algorithm}");
        }
    }

    #[test]
    fn pieces_give_the_digest_of_the_whole() {
        let data = [0x5a; 300];
        for algorithm in DigestAlgorithm::ALL {
            for cut in [0, 1, 63, 64, 65, 127, 128, 129, 300] {
                let mut hasher = algorithm.hasher();
                hasher.update(&data[..cut]);
                hasher.update(&data[cut..]);
                assert_eq!(hasher.finish(), algorithm.digest(&data), "{algorithm} cut at {cut}");
            }
        }
    }

    #[test]
    fn identifiers_lead_back_and_have_no_parameters() {
        for algorithm in DigestAlgorithm::ALL {
            assert_eq!(DigestAlgorithm::from_oid(&algorithm.oid()), Some(algorithm));
        }
        assert_eq!(hex(&DigestAlgorithm::Sm3.identifier_der()), "300a06082a811ccf55018311");
        assert_eq!(hex(&DigestAlgorithm::Sha256.identifier_der()), "300b0609608648016503040201");
    }

    #[test]
    fn other_identifiers_are_no_digests() {
        let md5 = ObjectIdentifier::new_unwrap("1.2.840.113549.2.5");
        assert_eq!(DigestAlgorithm::from_oid(&md5), None);
        assert_eq!(DigestAlgorithm::from_oid(&oid::SM2_WITH_SM3), None);
        assert_eq!(DigestAlgorithm::from_oid(&oid::SHA256_WITH_RSA), None);
    }

    #[test]
    fn only_sha_1_is_weak() {
        let weak: Vec<_> = DigestAlgorithm::ALL.into_iter().filter(|algorithm| algorithm.is_weak()).collect();
        assert_eq!(weak, [DigestAlgorithm::Sha1]);
    }

    #[test]
    fn debug_of_a_hasher_shows_no_state() {
        let mut hasher = DigestAlgorithm::Sha256.hasher();
        hasher.update(b"secret");
        assert_eq!(alloc::format!("{hasher:?}"), "Hasher(SHA-256)");
    }
}
