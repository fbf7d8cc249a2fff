//! Walking from the outside in: decrypt, look inside, verify nothing yet.
//!
//! Whom a signature is to be bound to is known only at the end, when the protected From has come out.

use aecm_core::digest::sha256;
use zeroize::Zeroizing;

use super::{OpenError, OpenOptions};
use crate::cipher::ContentCipher;
use crate::cms::{CompressedData, Form, SignedData};
use crate::decrypt::{Content, DecryptError, DecryptOptions, Decrypted, OpenedBy, decrypt_within};
use crate::mime::{CmsKind, Entity, MimeError, Protection};
use crate::tolerance::Tolerance;
use crate::verify::{Reason, SignedReport, Verdict};

/// One layer of a mail, from the outside in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Layer {
    /// It was encrypted.
    Encrypted(EncryptedLayer),
    /// It is signed.
    Signed(SignedLayer),
    /// It was compressed (RFC 3274), which protects nothing.
    Compressed(CompressedLayer),
    /// A kind of CMS that is not opened here, such as DigestedData; nothing further in was read.
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
    /// What opened it.
    pub opened_by: OpenedBy,
    /// The standard of the message.
    pub form: Form,
    /// Whether the cipher's tag vouches for the content. CBC has none.
    pub authenticated: bool,
    /// SHA-256 of what came out. None where that is withheld (THREATS E1).
    pub content_sha256: Option<[u8; 32]>,
    /// What was forgiven.
    pub tolerances: Vec<Tolerance>,
}

impl EncryptedLayer {
    /// The verdict on this layer alone: [`Verdict::Valid`] where a tag vouches for the content, else
    /// [`Verdict::Unauthenticated`]; a signature further in may vouch for it all the same.
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        if self.authenticated { Verdict::Valid } else { Verdict::Unauthenticated }
    }

    /// Why that is the verdict.
    #[must_use]
    pub fn reasons(&self) -> &'static [Reason] {
        if self.authenticated { &[] } else { &[Reason::Unauthenticated] }
    }
}

/// A layer that was compressed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CompressedLayer {
    /// Octets before and after decompression.
    pub octets: (usize, usize),
    /// SHA-256 of what came out.
    pub content_sha256: [u8; 32],
    /// What was forgiven.
    pub tolerances: Vec<Tolerance>,
}

/// A layer that is signed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SignedLayer {
    /// Whether the content stood in the clear (multipart/signed).
    pub clear: bool,
    /// What the verifier found, with the digest of the content. Its `content` is empty: see
    /// [`Opened::content`](super::Opened::content).
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
    /// A layer was decrypted without authentication.
    pub(super) unauthenticated: bool,
}

/// One layer, its signature not yet verified.
pub(super) enum Found {
    Encrypted(EncryptedLayer),
    Compressed(CompressedLayer),
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
enum Look {
    Leaf,
    Broken,
    Layer(Found, Option<Zeroizing<Vec<u8>>>),
    Decrypt(Vec<u8>, Vec<Tolerance>),
    Decompress(Vec<u8>, Vec<Tolerance>),
}

/// What became of it.
enum Step {
    Leaf,
    Broken,
    Layer(Found, Option<Zeroizing<Vec<u8>>>),
}

pub(super) async fn walk(mail: &[u8], options: &OpenOptions<'_>) -> Result<Walked, OpenError> {
    let limits = &options.policy.limits;
    if mail.len() > limits.message_bytes {
        return Err(MimeError::TooLarge { found: mail.len(), limit: limits.message_bytes }.into());
    }
    let mut layers = Vec::new();
    let mut current = Zeroizing::new(mail.to_vec());
    // Whether a layer further out was decrypted without authentication.
    let mut unauthenticated = false;
    // Of all passwords in all layers (THREATS E6).
    let mut iterations = limits.pbkdf2_iterations;
    loop {
        let step = match step(&current, &layers, options, &mut iterations).await {
            // What lies in there an attacker may have bent: what is wrong with it must not be told from a wrong
            // key (THREATS E1). That there is too much of it says no more than content that can be read does, whose
            // verdict is `Unauthenticated`.
            Err(error) if error.is_limit() => return Err(error),
            Ok(Step::Broken) | Err(_) if unauthenticated => return Err(DecryptError::Failed.into()),
            step => step?,
        };
        let (found, inside) = match step {
            Step::Leaf => {
                return Ok(Walked { layers, content: Some(current), broken: false, unauthenticated });
            }
            Step::Broken => return Ok(Walked { layers, content: None, broken: true, unauthenticated }),
            Step::Layer(found, inside) => (found, inside),
        };
        unauthenticated |= matches!(&found, Found::Encrypted(layer) if !layer.authenticated);
        layers.push(found);
        match inside {
            Some(inside) => current = inside,
            None => return Ok(Walked { layers, content: None, broken: false, unauthenticated }),
        }
    }
}

/// Looks at `octets` and takes the next layer off.
async fn step(
    octets: &[u8],
    layers: &[Found],
    options: &OpenOptions<'_>,
    iterations: &mut u64,
) -> Result<Step, OpenError> {
    let limits = &options.policy.limits;
    let step = look(octets, layers.is_empty(), options)?;
    let full = layers.len() >= limits.crypto_layers;
    Ok(match step {
        Look::Leaf => Step::Leaf,
        Look::Broken => Step::Broken,
        _ if full => return Err(OpenError::TooManyLayers { limit: limits.crypto_layers }),
        Look::Layer(found, inside) => Step::Layer(found, inside),
        Look::Decrypt(cms, tolerances) => {
            let (layer, content) = unwrap(&cms, tolerances, options, iterations).await?;
            Step::Layer(Found::Encrypted(layer), Some(content))
        }
        Look::Decompress(cms, tolerances) => {
            let compressed = layers.iter().filter(|layer| matches!(layer, Found::Compressed(_))).count();
            if compressed >= limits.decompression_layers {
                return Err(OpenError::TooManyLayers { limit: limits.decompression_layers });
            }
            let (layer, content) = decompress(&cms, tolerances, options)?;
            Step::Layer(Found::Compressed(layer), Some(content))
        }
    })
}

/// What protects `octets`. Only the outermost entity has to be readable as MIME; inside encryption anything
/// may lie.
fn look(octets: &[u8], outermost: bool, options: &OpenOptions<'_>) -> Result<Look, OpenError> {
    let limits = &options.policy.limits;
    let entity = match Entity::parse(octets, limits) {
        Ok(entity) => entity,
        Err(source) if outermost => return Err(source.into()),
        Err(_) => return Ok(Look::Leaf),
    };
    let protection = match entity.protection(limits) {
        Ok(protection) => protection,
        Err(MimeError::TooManyParts { limit }) => return Err(MimeError::TooManyParts { limit }.into()),
        Err(_) => return Ok(Look::Broken),
    };
    Ok(match protection {
        Protection::None => Look::Leaf,
        Protection::ClearSigned { content, signature: cms, micalg, tolerances } => {
            let content = Zeroizing::new(content.to_vec());
            let detached = Some(content.clone());
            Look::Layer(Found::Signed { cms, detached, micalg, tolerances }, Some(content))
        }
        Protection::Cms { kind: CmsKind::SignedData, cms, tolerances } => {
            let signed = SignedData::parse(&cms, limits)?;
            // certs-only and a detached signature alone have nothing inside.
            let inside = signed.content().map(|content| Zeroizing::new(content.into_owned()));
            drop(signed);
            Look::Layer(Found::Signed { cms, detached: None, micalg: None, tolerances }, inside)
        }
        Protection::Cms {
            kind: CmsKind::EnvelopedData | CmsKind::AuthEnvelopedData | CmsKind::EncryptedData,
            cms,
            tolerances,
        } => Look::Decrypt(cms, tolerances),
        Protection::Cms { kind: CmsKind::CompressedData, cms, tolerances } if options.decompress => {
            Look::Decompress(cms, tolerances)
        }
        Protection::Cms { kind, .. } => Look::Layer(Found::Unsupported(kind), None),
    })
}

async fn unwrap(
    cms: &[u8],
    mut tolerances: Vec<Tolerance>,
    options: &OpenOptions<'_>,
    iterations: &mut u64,
) -> Result<(EncryptedLayer, Zeroizing<Vec<u8>>), OpenError> {
    let how = DecryptOptions {
        limits: options.policy.limits.clone(),
        bare_keys: options.bare_keys.to_vec(),
        secret_keys: options.secret_keys.to_vec(),
        passwords: options.passwords.to_vec(),
        sm2_form: options.sm2_form,
        ..DecryptOptions::default()
    };
    let decrypted = decrypt_within(cms, options.keys, &how, iterations).await?;
    tolerances.extend(&decrypted.tolerances);
    let (authenticated, content) = match decrypted.content {
        Content::Authenticated(content) => (true, content),
        // Held back by `report::judge` unless a valid signature inside vouches for it.
        Content::Unauthenticated(content) => (false, content.into_unauthenticated()),
    };
    let Decrypted { cipher, opened_by, form, .. } = decrypted;
    let content_sha256 = Some(sha256(&content));
    Ok((EncryptedLayer { cipher, opened_by, form, authenticated, content_sha256, tolerances }, content))
}

fn decompress(
    cms: &[u8],
    mut tolerances: Vec<Tolerance>,
    options: &OpenOptions<'_>,
) -> Result<(CompressedLayer, Zeroizing<Vec<u8>>), OpenError> {
    let limits = &options.policy.limits;
    let compressed = CompressedData::parse(cms, limits)?;
    let content = compressed.decompress(limits)?;
    tolerances.extend(compressed.tolerances());
    let octets = (compressed.compressed_len(), content.len());
    Ok((CompressedLayer { octets, content_sha256: sha256(&content), tolerances }, content))
}
