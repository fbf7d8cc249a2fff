//! CMS by its standard's types.

use aecm_core::certificate::Certificate;
use aecm_core::limits::Limits;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::tlv::{Reader, Rules};

use super::asn1::{algorithm, asn1, node};
use super::{Node, hex, named, shown};
use crate::cms::{
    Attribute, CompressedData, EncryptedData, Enveloped, Identifier, Originator, RecipientInfo, SignedData,
    SignerInfo, content_info,
};
use crate::error::Error;

/// Shows a CMS message of any content type, in BER or DER: SignedData, EnvelopedData, AuthEnvelopedData,
/// EncryptedData and CompressedData by their fields, every other by its tags. Content that is itself CMS is shown
/// too, as deep as [`Limits::crypto_layers`]; nothing is decrypted.
///
/// # Errors
/// [`Error::Tlv`], [`Error::Structure`] or [`Error::Limit`] for what is no ContentInfo that can be read. What lies
/// further in and cannot be read is shown as octets.
pub fn cms(bytes: &[u8], limits: &Limits) -> Result<Node, Error> {
    let mut left =
        Left { layers: limits.crypto_layers, nodes: MAX_NODES, inflated: limits.decompressed_bytes };
    layer(bytes, limits, &mut left)
}

/// Nodes shown of values by their tags, in one message.
const MAX_NODES: usize = 65_536;

/// What may still be shown of a message: counters for the whole of it, whatever its structure (THREATS A1, E7).
struct Left {
    /// Layers further in.
    layers: usize,
    /// Nodes of values by their tags.
    nodes: usize,
    /// Octets of decompressed content.
    inflated: usize,
}

/// One layer further in, with the counters it may use; `None` where that is too deep.
fn deeper(bytes: &[u8], limits: &Limits, left: &mut Left) -> Option<Node> {
    let outer = left.layers;
    left.layers = outer.checked_sub(1)?;
    let shown = layer(bytes, limits, left).ok();
    left.layers = outer;
    shown
}

fn layer(bytes: &[u8], limits: &Limits, left: &mut Left) -> Result<Node, Error> {
    let (content_type, _) = content_info(bytes, limits)?;
    let root = Node::new(named(&content_type), bytes.len()).oid(content_type);
    Ok(match content_type {
        oid::SIGNED_DATA | oid::GM_SIGNED_DATA => {
            signed(&SignedData::parse(bytes, limits)?, root, limits, left)
        }
        oid::ENVELOPED_DATA | oid::AUTH_ENVELOPED_DATA | oid::GM_ENVELOPED_DATA => {
            enveloped(&Enveloped::parse(bytes, limits)?, root)
        }
        oid::ENCRYPTED_DATA | oid::GM_ENCRYPTED_DATA => {
            let encrypted = EncryptedData::parse(bytes, limits)?;
            root.with([
                algorithm("contentEncryptionAlgorithm", encrypted.cipher()),
                encrypted_content(&encrypted.content_type(), encrypted.ciphertext()),
            ])
        }
        oid::COMPRESSED_DATA => compressed(&CompressedData::parse(bytes, limits)?, root, limits, left),
        _ => {
            let tree = asn1(bytes, limits)?;
            // [0] is the content.
            root.with(tree.children.into_iter().skip(1).flat_map(|content| content.children))
        }
    })
}

fn signed(signed: &SignedData<'_>, root: Node, limits: &Limits, left: &mut Left) -> Node {
    let mut root =
        root.with(signed.digest_algorithms().iter().map(|digest| algorithm("digestAlgorithm", digest)));
    let mut inner =
        Node::new("encapContentInfo", 0).oid(signed.content_type()).value(named(&signed.content_type()));
    match signed.content() {
        Some(content) => {
            inner.size = content.len();
            inner.children.extend(content_of(&content, &signed.content_type(), limits, left));
        }
        None => inner.value = Some(format!("{}, detached", named(&signed.content_type()))),
    }
    root.children.push(inner);
    root.children.extend(signed.certificate_spans().iter().map(|octets| certificate(octets)));
    root.children.extend(signed.crls().iter().map(|crl| Node::new("crl", crl.len())));
    root.children.extend(signed.signers().iter().map(|info| signer(info, limits, left)));
    root
}

fn certificate(octets: &[u8]) -> Node {
    let node = Node::new("certificate", octets.len());
    match Certificate::from_der(octets) {
        Ok(certificate) => node.value(shown(&certificate.subject_text())).with([
            Node::new("issuer", certificate.issuer_der().len()).value(shown(&certificate.issuer_text())),
            Node::new("serialNumber", certificate.serial().len()).value(hex(certificate.serial())),
            Node::new("validity", 0).value(format!(
                "{} to {}",
                certificate.not_before(),
                certificate.not_after()
            )),
            algorithm("signatureAlgorithm", &certificate.signature_algorithm()),
        ]),
        Err(_) => node.value("[cannot be read]"),
    }
}

fn signer(info: &SignerInfo<'_>, limits: &Limits, left: &mut Left) -> Node {
    let mut attributes = |name: &str, list: &[Attribute<'_>]| {
        let size = list.iter().flat_map(|one| &one.values).map(|value| value.len()).sum();
        (!list.is_empty())
            .then(|| Node::new(name, size).with(list.iter().map(|one| attribute(one, limits, left))))
    };
    Node::new("SignerInfo", info.signature().len())
        .with([
            identifier("sid", info.sid()),
            algorithm("digestAlgorithm", info.digest_algorithm()),
            algorithm("signatureAlgorithm", info.signature_algorithm()),
            Node::new("signature", info.signature().len()).value(hex(info.signature())),
        ])
        .with(attributes("signedAttrs", info.attributes()))
        .with(attributes("unsignedAttrs", info.unsigned_attributes()))
}

fn attribute(attribute: &Attribute<'_>, limits: &Limits, left: &mut Left) -> Node {
    let size = attribute.values.iter().map(|value| value.len()).sum();
    let mut shown = Node::new("attribute", size);
    match attribute.oid {
        Some(oid) => shown = shown.oid(oid).value(named(&oid)),
        None => shown = shown.value(format!("[type too large] {}", hex(attribute.oid_octets))),
    }
    for value in &attribute.values {
        // A token is CMS of its own.
        let signed = |found: &ObjectIdentifier| [oid::SIGNED_DATA, oid::GM_SIGNED_DATA].contains(found);
        let token = attribute.is(&oid::TIME_STAMP_TOKEN)
            && content_info(value, limits).is_ok_and(|(content_type, _)| signed(&content_type));
        let inside = if token { deeper(value, limits, left) } else { None };
        shown.children.extend(inside.or_else(|| value_of(value, limits, left)));
    }
    shown
}

/// A value by its tags; octets alone where nothing more is to be shown.
fn value_of(octets: &[u8], limits: &Limits, left: &mut Left) -> Option<Node> {
    if left.nodes == 0 {
        return Some(Node::new("[not shown]", octets.len()));
    }
    let value = Reader::new(octets, Rules::Ber, limits).any().ok()?;
    node(&value, limits, limits.asn1_depth, &mut left.nodes).ok()
}

fn enveloped(enveloped: &Enveloped<'_>, root: Node) -> Node {
    root.with(enveloped.recipients().iter().map(recipient)).with([
        algorithm("contentEncryptionAlgorithm", enveloped.cipher()),
        encrypted_content(&enveloped.content_type(), enveloped.ciphertext()),
    ])
}

fn encrypted_content(content_type: &ObjectIdentifier, ciphertext: Option<&[u8]>) -> Node {
    let size = ciphertext.map_or(0, <[u8]>::len);
    let node = Node::new("encryptedContent", size).oid(*content_type);
    if ciphertext.is_some() { node.value(named(content_type)) } else { node.value("[absent]") }
}

fn recipient(info: &RecipientInfo<'_>) -> Node {
    match info {
        RecipientInfo::KeyTransport { rid, algorithm: transport, encrypted_key } => {
            Node::new("KeyTransRecipientInfo", encrypted_key.len())
                .with([identifier("rid", rid), algorithm("keyEncryptionAlgorithm", transport)])
        }
        RecipientInfo::KeyAgreement(agreement) => {
            let originator = match &agreement.originator {
                Originator::Key { algorithm, key } => {
                    Node::new("originatorKey", key.len()).oid(algorithm.oid).value(hex(key))
                }
                Originator::Certificate(id) => identifier("originator", id),
            };
            let keys = agreement.keys.iter().map(|(rid, key)| {
                Node::new("RecipientEncryptedKey", key.len()).with([identifier("rid", rid)])
            });
            Node::new("KeyAgreeRecipientInfo", agreement.keys.iter().map(|(_, key)| key.len()).sum())
                .with([originator, algorithm("keyEncryptionAlgorithm", &agreement.algorithm)])
                .with(keys)
        }
        RecipientInfo::KeyEncryptionKey { id, algorithm: wrap, encrypted_key } => {
            Node::new("KEKRecipientInfo", encrypted_key.len()).with([
                Node::new("keyIdentifier", id.len()).value(hex(id)),
                algorithm("keyEncryptionAlgorithm", wrap),
            ])
        }
        RecipientInfo::Password { derivation, algorithm: wrap, encrypted_key } => {
            Node::new("PasswordRecipientInfo", encrypted_key.len())
                .with(derivation.as_ref().map(|one| algorithm("keyDerivationAlgorithm", one)))
                .with([algorithm("keyEncryptionAlgorithm", wrap)])
        }
        RecipientInfo::Other(octets) => Node::new("RecipientInfo", octets.len()).value("[of another kind]"),
    }
}

fn identifier(name: &str, id: &Identifier<'_>) -> Node {
    match id {
        Identifier::IssuerAndSerial { issuer, serial } => {
            let issuer_text = aecm_core::certificate::name_text(issuer);
            Node::new(name, issuer.len() + serial.len()).value(format!(
                "{} serial {}",
                shown(&issuer_text),
                hex(serial)
            ))
        }
        Identifier::SubjectKeyIdentifier(id) => {
            Node::new(name, id.len()).value(format!("key identifier {}", hex(id)))
        }
    }
}

fn compressed(compressed: &CompressedData<'_>, root: Node, limits: &Limits, left: &mut Left) -> Node {
    let mut inner = Node::new("encapContentInfo", compressed.compressed_len()).oid(compressed.content_type());
    let mut bounded = limits.clone();
    bounded.decompressed_bytes = left.inflated;
    match compressed.decompress(&bounded) {
        Ok(content) => {
            left.inflated = left.inflated.saturating_sub(content.len());
            inner.value = Some(format!("{} octets decompressed", content.len()));
            let outer = left.layers;
            left.layers = outer.min(limits.decompression_layers);
            inner.children.extend(content_of(&content, &compressed.content_type(), limits, left));
            left.layers = outer;
        }
        Err(error) => inner.value = Some(format!("[{error}]")),
    }
    root.with([algorithm("compressionAlgorithm", compressed.algorithm()), inner])
}

/// What content is, where it is CMS again or the type of something known.
fn content_of(
    content: &[u8],
    content_type: &ObjectIdentifier,
    limits: &Limits,
    left: &mut Left,
) -> Option<Node> {
    if [oid::DATA, oid::GM_DATA].contains(content_type) {
        return deeper(content, limits, left);
    }
    value_of(content, limits, left)
}
