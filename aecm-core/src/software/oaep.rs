//! RSAES-OAEP decryption with any two of the digests (RFC 8017 §7.1.2).

use alloc::vec::Vec;

use digest::{Digest, FixedOutputReset};
use rsa::Oaep;
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};

use crate::digest::DigestAlgorithm;
use crate::embed::{RandCore, Rng};
use crate::key::KeyError;

type Opened = Result<Vec<u8>, rsa::errors::Error>;

/// The outer error is for what everybody can see: digests that OAEP is not used with.
pub(super) fn decrypt(
    key: &rsa::PrivateKey,
    rng: &dyn Rng,
    (digest, mgf_digest): (DigestAlgorithm, DigestAlgorithm),
    label: &[u8],
    ciphertext: &[u8],
) -> Result<Opened, KeyError> {
    match digest {
        DigestAlgorithm::Sha1 => with_mgf::<Sha1>(key, rng, mgf_digest, label, ciphertext),
        DigestAlgorithm::Sha256 => with_mgf::<Sha256>(key, rng, mgf_digest, label, ciphertext),
        DigestAlgorithm::Sha384 => with_mgf::<Sha384>(key, rng, mgf_digest, label, ciphertext),
        DigestAlgorithm::Sha512 => with_mgf::<Sha512>(key, rng, mgf_digest, label, ciphertext),
        DigestAlgorithm::Sm3 => Err(KeyError::Unsupported("RSAES-OAEP with SM3")),
    }
}

fn with_mgf<D: Digest + FixedOutputReset>(
    key: &rsa::PrivateKey,
    rng: &dyn Rng,
    mgf_digest: DigestAlgorithm,
    label: &[u8],
    ciphertext: &[u8],
) -> Result<Opened, KeyError> {
    Ok(match mgf_digest {
        DigestAlgorithm::Sha1 => open::<D, Sha1>(key, rng, label, ciphertext),
        DigestAlgorithm::Sha256 => open::<D, Sha256>(key, rng, label, ciphertext),
        DigestAlgorithm::Sha384 => open::<D, Sha384>(key, rng, label, ciphertext),
        DigestAlgorithm::Sha512 => open::<D, Sha512>(key, rng, label, ciphertext),
        DigestAlgorithm::Sm3 => return Err(KeyError::Unsupported("MGF1 with SM3")),
    })
}

fn open<D, M>(key: &rsa::PrivateKey, rng: &dyn Rng, label: &[u8], ciphertext: &[u8]) -> Opened
where
    D: Digest + FixedOutputReset,
    M: Digest + FixedOutputReset,
{
    key.decrypt_blinded(
        &mut RandCore(rng),
        Oaep::<D, M>::new_with_mgf_hash_and_label(label.to_vec()),
        ciphertext,
    )
}
