//! Putting tokens into signed messages: id-aa-timeStampToken (RFC 3161 appendix A, EN 319 122-1 §5.3).

use aecm_core::digest::DigestAlgorithm;
use aecm_core::limits::Limits;
use aecm_core::oid;
use aecm_core::signature::SignatureAlgorithm;
use aecm_core::time::Time;
use aecm_smime::sign::{SignError, SignedDraft};

use crate::error::Error;
use crate::source::TimestampSource;
use crate::verify::{Subject, concerns};

/// The digest of the imprint for a signer: SM3 for SM2, SHA-256 for everything else (A12).
#[must_use]
pub const fn imprint_digest(signer: SignatureAlgorithm) -> DigestAlgorithm {
    match signer {
        SignatureAlgorithm::Sm2Sm3 => DigestAlgorithm::Sm3,
        _ => DigestAlgorithm::Sha256,
    }
}

/// Stamps the signature value of signer `index` (from 0) and adds the token to its unsigned attributes.
///
/// The imprint is over the octets of the signature value, not over the content (THREATS T7). A second call adds a
/// second stamp beside the first, for example one of the mailbox's own key beside that of an authority.
///
/// # Errors
/// [`Error`] of the source; [`Error::Token`] where what it gave cannot be read as a token or is not for this
/// signature; [`Error::Sign`] where there is no such signer. The draft is then as it was, and can be
/// sent without a stamp or stamped by another source.
///
/// # Cancel safety
/// Dropping the future leaves the draft as it was.
pub async fn stamp_signature(
    draft: &mut SignedDraft,
    index: usize,
    digest: DigestAlgorithm,
    source: &dyn TimestampSource,
    now: Time,
) -> Result<(), Error> {
    if index >= draft.signers() {
        return Err(SignError::NoSuchSigner { index }.into());
    }
    let imprint = digest.digest(draft.signature(index));
    let token = source.stamp(digest, &imprint, now).await?;
    // Whatever the source is: a token for something else would make the mail invalid for every reader.
    let subject = Subject::Digest { algorithm: digest, value: &imprint };
    concerns(&token, &subject, &Limits::default())?;
    Ok(draft.add_unsigned_attribute(index, oid::TIME_STAMP_TOKEN, token)?)
}
