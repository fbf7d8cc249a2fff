//! Walking from the outside in: decrypt, look inside, verify nothing yet.
//!
//! Whom a signature is to be bound to is known only at the end, when the protected From has come out.

use aecm_core::certificate::Certificate;
use zeroize::Zeroizing;

use super::{OpenError, OpenOptions};
use crate::cipher::ContentCipher;
use crate::cms::{Form, SignedData};
use crate::decrypt::{Content, Decrypted, decrypt};
use crate::mime::{CmsKind, Entity, MimeError, Protection};
use crate::tolerance::Tolerance;
use crate::verify::SignedReport;

/// One layer of a mail, from the outside in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Layer {
    /// It was encrypted.
    Encrypted(EncryptedLayer),
    /// It is signed.
    Signed(SignedLayer),
    /// A kind of CMS that is not opened here, such as CompressedData; nothing further in was read.
    Unsupported {
        /// The kind.
        kind: CmsKind,
    },
}

/// A layer that was encrypted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EncryptedLayer {
    /// The content cipher.
    pub cipher: ContentCipher,
    /// The certificate whose key opened it.
    pub recipient: Certificate,
    /// The standard of the message.
    pub form: Form,
    /// Whether the cipher's tag vouches for the content. CBC has none.
    pub authenticated: bool,
    /// What was forgiven.
    pub tolerances: Vec<Tolerance>,
}

/// A layer that is signed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SignedLayer {
    /// Whether the content stood in the clear (multipart/signed).
    pub clear: bool,
    /// What the verifier found. Its `content` is empty: see [`Opened::content`](super::Opened::content).
    pub report: SignedReport,
    /// What was forgiven, in MIME and CMS.
    pub tolerances: Vec<Tolerance>,
}

/// What the walk found.
pub(super) struct Walked {
    pub(super) layers: Vec<Found>,
    /// The octets inside the innermost layer; none where that has no content.
    pub(super) content: Option<Zeroizing<Vec<u8>>>,
    /// A layer is of a MIME structure that nothing can be said about.
    pub(super) broken: bool,
}

/// One layer, its signature not yet verified.
pub(super) enum Found {
    Encrypted(EncryptedLayer),
    Signed {
        cms: Vec<u8>,
        /// The detached content, for multipart/signed.
        detached: Option<Zeroizing<Vec<u8>>>,
        micalg: Option<String>,
        tolerances: Vec<Tolerance>,
    },
    Unsupported(CmsKind),
}

/// What one look at an entity says to do.
enum Step {
    Leaf,
    Broken,
    Layer(Found, Option<Zeroizing<Vec<u8>>>),
    Decrypt(Vec<u8>, Vec<Tolerance>),
}

pub(super) async fn walk(mail: &[u8], options: &OpenOptions<'_>) -> Result<Walked, OpenError> {
    let limits = &options.policy.limits;
    if mail.len() > limits.message_bytes {
        return Err(MimeError::TooLarge { found: mail.len(), limit: limits.message_bytes }.into());
    }
    let mut layers = Vec::new();
    let mut current = Zeroizing::new(mail.to_vec());
    loop {
        let (found, inside) = match look(&current, layers.is_empty(), options)? {
            Step::Leaf => return Ok(Walked { layers, content: Some(current), broken: false }),
            Step::Broken => return Ok(Walked { layers, content: None, broken: true }),
            Step::Layer(found, inside) => (found, inside),
            Step::Decrypt(..) if layers.len() >= limits.crypto_layers => {
                return Err(OpenError::TooManyLayers { limit: limits.crypto_layers });
            }
            Step::Decrypt(cms, tolerances) => {
                let (layer, content) = unwrap(&cms, tolerances, options).await?;
                (Found::Encrypted(layer), Some(content))
            }
        };
        if layers.len() >= limits.crypto_layers {
            return Err(OpenError::TooManyLayers { limit: limits.crypto_layers });
        }
        layers.push(found);
        match inside {
            Some(inside) => current = inside,
            None => return Ok(Walked { layers, content: None, broken: false }),
        }
    }
}

/// What protects `octets`. Only the outermost entity has to be readable as MIME; inside encryption anything
/// may lie.
fn look(octets: &[u8], outermost: bool, options: &OpenOptions<'_>) -> Result<Step, OpenError> {
    let limits = &options.policy.limits;
    let entity = match Entity::parse(octets, limits) {
        Ok(entity) => entity,
        Err(source) if outermost => return Err(source.into()),
        Err(_) => return Ok(Step::Leaf),
    };
    let protection = match entity.protection(limits) {
        Ok(protection) => protection,
        Err(MimeError::TooManyParts { limit }) => return Err(MimeError::TooManyParts { limit }.into()),
        Err(_) => return Ok(Step::Broken),
    };
    Ok(match protection {
        Protection::None => Step::Leaf,
        Protection::ClearSigned { content, signature: cms, micalg, tolerances } => {
            let content = Zeroizing::new(content.to_vec());
            let detached = Some(content.clone());
            Step::Layer(Found::Signed { cms, detached, micalg, tolerances }, Some(content))
        }
        Protection::Cms { kind: CmsKind::SignedData, cms, tolerances } => {
            let signed = SignedData::parse(&cms, limits)?;
            // certs-only and a detached signature alone have nothing inside.
            let inside = signed.content().map(|content| Zeroizing::new(content.into_owned()));
            drop(signed);
            Step::Layer(Found::Signed { cms, detached: None, micalg: None, tolerances }, inside)
        }
        Protection::Cms { kind: CmsKind::EnvelopedData | CmsKind::AuthEnvelopedData, cms, tolerances } => {
            Step::Decrypt(cms, tolerances)
        }
        Protection::Cms { kind, .. } => Step::Layer(Found::Unsupported(kind), None),
    })
}

async fn unwrap(
    cms: &[u8],
    mut tolerances: Vec<Tolerance>,
    options: &OpenOptions<'_>,
) -> Result<(EncryptedLayer, Zeroizing<Vec<u8>>), OpenError> {
    let decrypted = decrypt(cms, options.keys, &options.policy.limits).await?;
    tolerances.extend(&decrypted.tolerances);
    let (authenticated, content) = match decrypted.content {
        Content::Authenticated(content) => (true, content),
        // Held back by `report::judge` unless a valid signature inside vouches for it.
        Content::Unauthenticated(content) => (false, content.into_unauthenticated()),
    };
    let Decrypted { cipher, recipient, form, .. } = decrypted;
    Ok((EncryptedLayer { cipher, recipient, form, authenticated, tolerances }, content))
}
