//! Any DER or BER by its tags.

use aecm_core::limits::Limits;
use aecm_core::tlv::{Class, Reader, Rules, Tag, Tlv};

use super::{Node, hex, named, shown};
use crate::error::{At, Error};

/// Nodes of one tree; the rest is counted, not shown.
const NODES: usize = 1 << 16;

/// Shows any DER or BER: one value, or several in a row. OCTET STRINGs and BIT STRINGs that hold exactly one
/// constructed value in DER are looked into, as extensions and keys are built that way.
///
/// At most 65,536 nodes are shown; `[not shown]` stands for the rest.
///
/// # Errors
/// [`Error::Tlv`] for what is no ASN.1 at its outermost level, or beyond [`Limits::asn1_depth`] or
/// [`Limits::asn1_elements`]; [`Error::Limit`] beyond [`Limits::message_bytes`]. Values inside strings that cannot be
/// read are octets.
pub fn asn1(bytes: &[u8], limits: &Limits) -> Result<Node, Error> {
    if bytes.len() > limits.message_bytes {
        return Err(Error::Limit { what: "octets of a message", limit: limits.message_bytes });
    }
    let mut left = NODES;
    let mut reader = Reader::new(bytes, Rules::Ber, limits);
    let mut nodes = Vec::new();
    while !reader.is_empty() || nodes.is_empty() {
        let value = reader.any().at("ASN.1")?;
        nodes.push(node(&value, limits, limits.asn1_depth, &mut left)?);
    }
    if nodes.len() == 1 {
        return Ok(nodes.remove(0));
    }
    Ok(Node::new("values", bytes.len()).with(nodes))
}

/// As deep as values nest, which the depth bounds, strings included.
pub(super) fn node(value: &Tlv<'_>, limits: &Limits, depth: usize, left: &mut usize) -> Result<Node, Error> {
    *left = left.saturating_sub(1);
    let tag = value.tag();
    let mut node = Node::new(tag.to_string(), value.bytes().len());
    if tag.constructed {
        let mut reader = value.reader().at("ASN.1")?;
        while !reader.is_empty() {
            let inner = reader.any().at("ASN.1")?;
            if *left == 0 {
                node.children.push(Node::new("[not shown]", inner.bytes().len() + reader.rest().len()));
                break;
            }
            node.children.push(self::node(&inner, limits, depth.saturating_sub(1), left)?);
        }
        return Ok(node);
    }
    describe(value, &mut node);
    if let Some(inside) = inside(value).filter(|_| depth > 0 && *left > 0)
        && let Some(child) = whole(inside, limits, depth - 1, left)
    {
        node.value = None;
        node.children.push(child);
    }
    Ok(node)
}

fn describe(value: &Tlv<'_>, node: &mut Node) {
    let tag = value.tag();
    if tag.class != Class::Universal {
        node.value = Some(hex(value.content()));
        return;
    }
    node.value = match tag {
        Tag::OID => match value.oid() {
            Ok(oid) => {
                node.oid = Some(oid);
                None
            }
            Err(_) => Some(hex(value.content())),
        },
        Tag::NULL => None,
        Tag::BOOLEAN => Some(value.boolean().map_or_else(|_| hex(value.content()), |is| is.to_string())),
        Tag::INTEGER | Tag::ENUMERATED => {
            Some(value.small().map_or_else(|_| hex(value.content()), |number| number.to_string()))
        }
        Tag::UTC_TIME | Tag::GENERALIZED_TIME => {
            let text = || shown(&String::from_utf8_lossy(value.content()));
            Some(value.time().map_or_else(|_| text(), |time| time.to_string()))
        }
        Tag::BIT_STRING => Some(value.bits().map_or_else(|_| hex(value.content()), |(_, bits)| hex(bits))),
        _ => Some(value.text().map_or_else(|_| hex(value.content()), |text| format!("{:?}", shown(&text)))),
    };
}

/// The octets of a string that may hold a value.
fn inside<'a>(value: &Tlv<'a>) -> Option<&'a [u8]> {
    match value.tag() {
        Tag::OCTET_STRING => Some(value.content()),
        Tag::BIT_STRING => value.bits().ok().filter(|(unused, _)| *unused == 0).map(|(_, octets)| octets),
        _ => None,
    }
}

/// One constructed value in DER that fills the octets.
fn whole(octets: &[u8], limits: &Limits, depth: usize, left: &mut usize) -> Option<Node> {
    let mut inner_limits = limits.clone();
    inner_limits.asn1_depth = depth;
    let mut reader = Reader::new(octets, Rules::Der, &inner_limits);
    let value = reader.any().ok().filter(|value| value.tag().constructed)?;
    reader.finish().ok()?;
    let before = *left;
    let found = node(&value, &inner_limits, depth, left).ok();
    if found.is_none() {
        *left = before;
    }
    found
}

/// A value whose identifier says what it is, for the walk over CMS.
pub(super) fn algorithm(name: &str, algorithm: &aecm_core::tlv::AlgorithmId<'_>) -> Node {
    Node::new(name, algorithm.bytes.len()).oid(algorithm.oid).value(named(&algorithm.oid))
}
