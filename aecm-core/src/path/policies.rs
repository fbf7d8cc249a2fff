//! Certificate policies: the valid policy graph of RFC 9618, which replaces the tree of RFC 5280 §6.1.
//!
//! A level of the graph has one node a policy, so that its size grows with the octets of the certificates and not
//! with the power of their number (CVE-2023-0464).

mod extensions;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use self::extensions::Extensions;
use super::{PathOptions, PathReason};
use crate::certificate::Certificate;
use crate::oid::{self, ObjectIdentifier};

/// A node of one level, whose valid_policy is its key there.
struct Node {
    expected: BTreeSet<ObjectIdentifier>,
    /// valid_policies of the level above.
    parents: BTreeSet<ObjectIdentifier>,
}

type Level = BTreeMap<ObjectIdentifier, Node>;

/// The state of RFC 5280 §6.1.2 as far as policies go.
struct State {
    /// Level 0 is the anchor's; `None` is the graph NULL.
    graph: Option<Vec<Level>>,
    explicit_policy: u64,
    inhibit_any: u64,
    policy_mapping: u64,
}

/// The user-constrained-policy-set of a path. `chain` goes from the leaf to the anchor.
///
/// # Errors
/// Why the path does not hold, and from which place of `chain` on.
pub(super) fn process(
    chain: &[&Certificate],
    options: &PathOptions,
) -> Result<Vec<ObjectIdentifier>, (PathReason, usize)> {
    let Some(((anchor, below), anchor_place)) = chain.split_last().zip(chain.len().checked_sub(1)) else {
        return Ok(Vec::new());
    };
    let settings = &options.policies;
    let length = u64::try_from(below.len()).unwrap_or(u64::MAX);
    let start = |set: bool| if set { 0 } else { length.saturating_add(1) };
    let mut state = State {
        graph: Some(Vec::from([Level::from([(oid::ANY_POLICY, Node::new(oid::ANY_POLICY, []))])])),
        explicit_policy: start(settings.explicit),
        inhibit_any: start(settings.inhibit_any),
        policy_mapping: start(settings.inhibit_mapping),
    };
    // What the anchor constrains counts as set by the embedder (RFC 5937 §3.2).
    state.constrain(&Extensions::of(anchor).map_err(|reason| (reason, anchor_place))?);

    for (place, certificate) in below.iter().enumerate().rev() {
        let last = place == 0;
        let own = !last && certificate.is_self_issued();
        let extensions = Extensions::of(certificate).map_err(|reason| (reason, place))?;
        state.descend(&extensions, own);
        if state.explicit_policy == 0 && state.graph.is_none() {
            return Err((PathReason::NoValidPolicy, place));
        }
        if last {
            return state.wrap_up(&extensions, &settings.initial).map_err(|reason| (reason, place));
        }
        state.map(&extensions).map_err(|reason| (reason, place))?;
        if !own {
            for counter in [&mut state.explicit_policy, &mut state.policy_mapping, &mut state.inhibit_any] {
                *counter = counter.saturating_sub(1);
            }
        }
        state.constrain(&extensions);
    }
    Ok(Vec::new())
}

impl Node {
    fn new(policy: ObjectIdentifier, parents: impl IntoIterator<Item = ObjectIdentifier>) -> Self {
        Self { expected: BTreeSet::from([policy]), parents: parents.into_iter().collect() }
    }
}

impl State {
    /// RFC 5280 §6.1.4 (i) and (j).
    fn constrain(&mut self, extensions: &Extensions) {
        for (counter, limit) in [
            (&mut self.explicit_policy, extensions.require_explicit),
            (&mut self.policy_mapping, extensions.inhibit_mapping),
            (&mut self.inhibit_any, extensions.inhibit_any),
        ] {
            *counter = limit.map_or(*counter, |limit| limit.min(*counter));
        }
    }

    /// RFC 9618 §5.4 (d), RFC 5280 §6.1.3 (e): the level of the next certificate.
    fn descend(&mut self, extensions: &Extensions, own: bool) {
        let Some(policies) = &extensions.policies else {
            self.graph = None;
            return;
        };
        let Some(above) = self.graph.as_ref().and_then(|levels| levels.last()) else { return };
        // Who expects what.
        let mut expecting: BTreeMap<ObjectIdentifier, Vec<ObjectIdentifier>> = BTreeMap::new();
        for (policy, node) in above {
            for expected in &node.expected {
                expecting.entry(*expected).or_default().push(*policy);
            }
        }
        let mut level = Level::new();
        for policy in policies.iter().filter(|policy| **policy != oid::ANY_POLICY) {
            let parents = match expecting.get(policy) {
                Some(parents) => parents.clone(),
                None if above.contains_key(&oid::ANY_POLICY) => Vec::from([oid::ANY_POLICY]),
                None => continue,
            };
            level.insert(*policy, Node::new(*policy, parents));
        }
        if policies.contains(&oid::ANY_POLICY) && (self.inhibit_any > 0 || own) {
            for (policy, parents) in expecting {
                level.entry(policy).or_insert_with(|| Node::new(policy, parents));
            }
        }
        if let Some(levels) = &mut self.graph {
            levels.push(level);
        }
        self.prune();
    }

    /// RFC 9618 §5.5 (b), RFC 5280 §6.1.4 (a).
    fn map(&mut self, extensions: &Extensions) -> Result<(), PathReason> {
        let mappings = &extensions.mappings;
        let any = |(issuer, subjects): (&ObjectIdentifier, &BTreeSet<ObjectIdentifier>)| {
            *issuer == oid::ANY_POLICY || subjects.contains(&oid::ANY_POLICY)
        };
        if mappings.iter().any(any) {
            return Err(PathReason::MalformedExtension(oid::POLICY_MAPPINGS));
        }
        let Some(level) = self.graph.as_mut().and_then(|levels| levels.last_mut()) else { return Ok(()) };
        for (issuer, subjects) in mappings {
            if self.policy_mapping == 0 {
                level.remove(issuer);
            } else if let Some(node) = level.get_mut(issuer) {
                node.expected.clone_from(subjects);
            } else if level.contains_key(&oid::ANY_POLICY) {
                // A node of anyPolicy has the node of anyPolicy above it as its parent.
                let node = Node { expected: subjects.clone(), parents: BTreeSet::from([oid::ANY_POLICY]) };
                level.insert(*issuer, node);
            }
        }
        self.prune();
        Ok(())
    }

    /// Takes out what has no child, from the bottom up. The last level stays as it is.
    fn prune(&mut self) {
        let Some(levels) = &mut self.graph else { return };
        let mut needed: Option<BTreeSet<ObjectIdentifier>> = None;
        for level in levels.iter_mut().rev() {
            if let Some(needed) = &needed {
                level.retain(|policy, _| needed.contains(policy));
            }
            needed = Some(level.values().flat_map(|node| node.parents.iter().copied()).collect());
        }
        // Each node has a parent, so that an empty level empties those above.
        if levels.last().is_none_or(Level::is_empty) {
            self.graph = None;
        }
    }

    /// RFC 9618 §5.6, RFC 5280 §6.1.5 (a) and (b).
    fn wrap_up(
        mut self,
        extensions: &Extensions,
        initial: &[ObjectIdentifier],
    ) -> Result<Vec<ObjectIdentifier>, PathReason> {
        self.explicit_policy = self.explicit_policy.saturating_sub(1);
        if extensions.require_explicit == Some(0) {
            self.explicit_policy = 0;
        }
        let mut authority = BTreeSet::new();
        let levels = self.graph.unwrap_or_default();
        let from_any = |node: &Node| node.parents.len() == 1 && node.parents.contains(&oid::ANY_POLICY);
        for level in levels.iter().skip(1) {
            let nodes = level.iter().filter(|(policy, node)| **policy != oid::ANY_POLICY && from_any(node));
            authority.extend(nodes.map(|(policy, _)| *policy));
        }
        if levels.len() > 1 && levels.last().is_some_and(|level| level.contains_key(&oid::ANY_POLICY)) {
            authority.insert(oid::ANY_POLICY);
        }
        let any = authority.contains(&oid::ANY_POLICY);
        let user: Vec<ObjectIdentifier> = if initial.is_empty() || initial.contains(&oid::ANY_POLICY) {
            authority.into_iter().collect()
        } else {
            let allowed: BTreeSet<_> = initial.iter().copied().collect();
            allowed.into_iter().filter(|policy| any || authority.contains(policy)).collect()
        };
        if self.explicit_policy == 0 && user.is_empty() {
            return Err(PathReason::NoValidPolicy);
        }
        Ok(user)
    }
}
