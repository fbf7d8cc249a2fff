//! The parts of a mail, and the CMS in them.

use aecm_core::header;
use aecm_core::limits::Limits;
use aecm_smime::mime::{Entity, Protection};

use super::tree::{Budget, Node};
use crate::cli::{Failure, kind};

/// Header fields that say what a mail is about.
const SHOWN: [&str; 5] = ["from", "to", "cc", "date", "subject"];

pub(super) fn tree(octets: &[u8], limits: &Limits, budget: &mut Budget) -> Result<Node, Failure> {
    let entity = Entity::parse(octets, limits)?;
    let mut node = part(&entity, limits, budget, 0)?;
    let mut fields: Vec<Node> = Vec::new();
    for name in SHOWN {
        for field in entity.headers().get_all(name) {
            fields.push(Node {
                kind: format!("header {}", field.name),
                size: field.value_raw.len(),
                value: Some(header::decoded(field.value_raw).trim().chars().take(256).collect()),
                ..Node::default()
            });
        }
    }
    node.children.splice(0..0, fields);
    node.label = Some("mail".to_owned());
    Ok(node)
}

fn part(entity: &Entity<'_>, limits: &Limits, budget: &mut Budget, depth: usize) -> Result<Node, Failure> {
    let mut node = Node { kind: entity.essence().to_owned(), size: entity.body().len(), ..Node::default() };
    if !budget.take(depth) {
        return Ok(node);
    }
    match entity.protection(limits) {
        Ok(Protection::ClearSigned { content, signature, .. }) => {
            node.label = Some("signed".to_owned());
            if let Ok(inside) = Entity::parse(content, limits) {
                node.children.push(part(&inside, limits, budget, depth + 1)?);
            }
            node.children.push(cms(&signature, limits, budget)?);
        }
        Ok(Protection::Cms { kind, cms: octets, .. }) => {
            node.label = Some(kind.to_string());
            node.children.push(cms(&octets, limits, budget)?);
        }
        Ok(_) => inner(entity, &mut node, limits, budget, depth)?,
        Err(error) => {
            node.value = Some(error.to_string());
            inner(entity, &mut node, limits, budget, depth)?;
        }
    }
    Ok(node)
}

fn inner(
    entity: &Entity<'_>,
    node: &mut Node,
    limits: &Limits,
    budget: &mut Budget,
    depth: usize,
) -> Result<(), Failure> {
    let parts = if entity.essence() == "message/rfc822" {
        vec![entity.body()]
    } else {
        entity.parts(limits).unwrap_or_default()
    };
    for octets in parts {
        if let Ok(inside) = Entity::parse(octets, limits) {
            node.children.push(part(&inside, limits, budget, depth + 1)?);
        }
    }
    Ok(())
}

fn cms(octets: &[u8], limits: &Limits, budget: &mut Budget) -> Result<Node, Failure> {
    super::node(octets, kind::of(octets, limits), limits, budget)
}
