//! The tree of an ASN.1 value, bounded in depth and number.

use aecm_core::limits::Limits;
use aecm_core::oid;
use aecm_core::tlv::{Class, Reader, Rules, Tag, Tlv, TlvError};
use aecm_smime::inspect;
use serde_json::{Map, Value};

use crate::cli::show::hex;
use crate::cli::text::Text;
use crate::cli::{Failure, errors};

/// One thing inside another.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// `SEQUENCE`, `[0]`, `text/plain`.
    pub(super) kind: String,
    /// Octets of the content.
    pub(super) size: usize,
    /// Where it starts, in octets from the start of the outermost.
    pub(super) offset: Option<usize>,
    /// What it is called, where that is known.
    pub(super) label: Option<String>,
    /// An object identifier, dotted.
    pub(super) oid: Option<String>,
    /// What it says, where it is short and no secret.
    pub(super) value: Option<String>,
    pub(super) children: Vec<Self>,
}

/// How much is still shown.
#[derive(Debug)]
pub(super) struct Budget {
    left: usize,
    depth: usize,
    spent: bool,
}

/// More than anybody reads; some two megabytes of JSON.
const MAX_NODES: usize = 10_000;
/// Neither the tree nor those who read its JSON shall overflow their stacks.
const MAX_DEPTH: usize = 48;
/// Octets of a number or of octets that are shown.
const MAX_SHOWN: usize = 32;
/// Letters of a text that are shown.
const MAX_TEXT: usize = 256;

impl Budget {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { left: MAX_NODES, depth: limits.asn1_depth.min(MAX_DEPTH), spent: false }
    }

    /// Whether something was left out.
    pub(super) const fn is_spent(&self) -> bool {
        self.spent
    }

    /// Room for one more, at that depth.
    pub(super) fn take(&mut self, depth: usize) -> bool {
        if self.left == 0 || depth >= self.depth {
            self.spent = true;
            return false;
        }
        self.left -= 1;
        true
    }
}

/// The tree of the one value that `der` is, in BER or DER.
pub(super) fn asn1(der: &[u8], limits: &Limits, secret: bool, budget: &mut Budget) -> Result<Node, Failure> {
    let wrong =
        |error: TlvError| errors::tlv(&error, format!("the ASN.1 cannot be read to its end: {error}"));
    let mut reader = Reader::new(der, Rules::Ber, limits);
    let value = reader.any().map_err(wrong)?;
    reader.finish().map_err(wrong)?;
    let mut walk = Walk { limits, secret, budget };
    walk.node(&value, 0).map_err(wrong)
}

/// The tree of a CMS message by its fields; nothing where it is none that can be read.
pub(super) fn cms(der: &[u8], limits: &Limits, budget: &mut Budget) -> Option<Node> {
    let mut limits = limits.clone();
    limits.asn1_depth = limits.asn1_depth.min(MAX_DEPTH);
    limits.crypto_layers = limits.crypto_layers.min(MAX_DEPTH / 4);
    let node = inspect::cms(der, &limits).ok()?;
    Some(converted(&node, 0, budget))
}

fn converted(node: &inspect::Node, depth: usize, budget: &mut Budget) -> Node {
    let mut children = Vec::new();
    for child in &node.children {
        if !budget.take(depth + 1) {
            break;
        }
        children.push(converted(child, depth + 1, budget));
    }
    Node {
        kind: node.name.clone(),
        size: node.size,
        offset: None,
        label: node.oid_name().map(str::to_owned),
        oid: node.oid.as_ref().map(ToString::to_string),
        value: node.value.clone(),
        children,
    }
}

struct Walk<'a> {
    limits: &'a Limits,
    secret: bool,
    budget: &'a mut Budget,
}

impl Walk<'_> {
    fn node(&mut self, value: &Tlv<'_>, depth: usize) -> Result<Node, TlvError> {
        let mut node = Node {
            kind: value.tag().to_string(),
            size: value.content().len(),
            offset: Some(value.offset()),
            ..Node::default()
        };
        if value.tag().constructed {
            let mut reader = value.reader()?;
            while !reader.is_empty() {
                let child = reader.any()?;
                if !self.budget.take(depth + 1) {
                    break;
                }
                node.children.push(self.node(&child, depth + 1)?);
            }
        } else {
            self.leaf(value, &mut node, depth);
        }
        Ok(node)
    }

    fn leaf(&mut self, value: &Tlv<'_>, node: &mut Node, depth: usize) {
        match value.tag() {
            Tag::OID => {
                if let Ok(oid) = value.oid() {
                    node.label = oid::name(&oid).map(str::to_owned);
                    node.oid = Some(oid.to_string());
                }
            }
            Tag::INTEGER | Tag::ENUMERATED => node.value = self.number(value),
            Tag::BOOLEAN => node.value = value.boolean().ok().map(|yes| yes.to_string()),
            Tag::UTC_TIME | Tag::GENERALIZED_TIME => {
                node.value = value.time().ok().map(|time| time.to_string());
            }
            Tag::OCTET_STRING => self.octets(value.content(), node, depth),
            Tag::BIT_STRING => {
                if let Ok((0, octets)) = value.bits() {
                    self.octets(octets, node, depth);
                }
            }
            tag if tag.class == Class::Universal => {
                node.value = value.text().ok().map(|text| text.chars().take(MAX_TEXT).collect());
            }
            tag if tag.class == Class::ContextSpecific => self.octets(value.content(), node, depth),
            _ => {}
        }
    }

    /// Of a private key only what everybody may know: versions.
    fn number(&self, value: &Tlv<'_>) -> Option<String> {
        let small = value.small().ok();
        if self.secret {
            return small.filter(|number| *number < 8).map(|number| number.to_string());
        }
        let octets = value.integer().ok()?;
        small
            .map(|number| number.to_string())
            .or_else(|| (octets.len() <= MAX_SHOWN).then(|| format!("0x{}", hex(octets))))
    }

    /// Octets, which may hold a value of their own.
    fn octets(&mut self, octets: &[u8], node: &mut Node, depth: usize) {
        let mut reader = Reader::new(octets, Rules::Der, self.limits);
        // Anything short parses as something; a structure does not by accident.
        let inside = reader.any().ok().filter(|inside| {
            reader.is_empty() && (inside.tag() == Tag::SEQUENCE || inside.tag() == Tag::SET)
        });
        if let Some(inside) = inside
            && self.budget.take(depth + 1)
            && let Ok(child) = self.node(&inside, depth + 1)
        {
            node.children.push(child);
        } else if !self.secret && octets.len() <= MAX_SHOWN {
            node.value = Some(hex(octets));
        }
    }
}

impl Node {
    pub(super) fn into_json(self) -> Value {
        let mut members = Map::new();
        members.insert("type".to_owned(), self.kind.into());
        members.insert("size".to_owned(), self.size.into());
        let mut add = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                members.insert(name.to_owned(), value);
            }
        };
        add("offset", self.offset.map(Value::from));
        add("name", self.label.map(Value::from));
        add("oid", self.oid.map(Value::from));
        add("value", self.value.map(Value::from));
        let children: Vec<Value> = self.children.into_iter().map(Self::into_json).collect();
        add("children", Some(children.into()));
        Value::Object(members)
    }

    pub(super) fn rows(&self, text: &mut Text, depth: usize) {
        let parts = [self.label.as_deref(), self.oid.as_deref(), self.value.as_deref()];
        let says: Vec<&str> = parts.into_iter().flatten().collect();
        text.branch(depth, &format!("{} ({}) {}", self.kind, self.size, says.join(" ")));
        self.children.iter().for_each(|child| child.rows(text, depth + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aecm_core::tlv::write;

    #[test]
    fn a_tree_names_what_it_knows_and_is_bounded() {
        let limits = Limits::default();
        let der = write::sequence(&[
            &write::oid(&oid::DATA),
            &write::octet_string(&write::sequence(&[&write::small(7)])),
        ]);
        let mut budget = Budget::new(&limits);
        let node = asn1(&der, &limits, false, &mut budget).unwrap();
        assert_eq!(node.children[0].label.as_deref(), Some("id-data"));
        assert_eq!(node.children[1].children[0].children[0].value.as_deref(), Some("7"));
        assert!(!budget.is_spent());

        let wide = write::sequence(&vec![write::null().as_slice(); MAX_NODES + 1]);
        let node = asn1(&wide, &limits, false, &mut Budget::new(&limits)).unwrap();
        assert_eq!(node.children.len(), MAX_NODES);
        // However deep the limits let it be.
        let mut limits = Limits::default();
        limits.asn1_depth = 1_000_000;
        let mut deep = write::null();
        for _ in 0..5_000 {
            deep = write::sequence(&[&deep]);
        }
        let mut budget = Budget::new(&limits);
        asn1(&deep, &limits, false, &mut budget).unwrap().into_json();
        assert!(budget.is_spent());
    }

    #[test]
    fn nothing_of_a_private_key_is_shown() {
        let limits = Limits::default();
        let der =
            write::sequence(&[&write::small(0), &write::octet_string(b"secret"), &write::small(65_537)]);
        let node = asn1(&der, &limits, true, &mut Budget::new(&limits)).unwrap();
        let shown: Vec<_> = node.children.iter().map(|child| child.value.as_deref()).collect();
        assert_eq!(shown, [Some("0"), None, None]);
    }
}
