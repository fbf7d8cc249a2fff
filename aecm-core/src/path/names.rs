//! Name constraints (RFC 5280 §4.2.1.10, §6.1.3 (b) and (c); RFC 9598 §6).
//!
//! Each certificate's names are held against the constraints of each CA above it. That is the same as the
//! intersection of permitted and the union of excluded subtrees that the standard computes.

mod form;

use alloc::vec::Vec;

use self::form::{Form, Name, Subtree};
use super::PathReason;
use super::budget::{Budget, Spent};
use crate::certificate::{Certificate, name};
use crate::limits::Limits;
use crate::oid;
use crate::tlv::{Reader, Rules, Tag, TlvError, TlvErrorKind};

/// The constraints of one CA.
///
/// ```text
/// NameConstraints ::= SEQUENCE {
///     permittedSubtrees       [0]     GeneralSubtrees OPTIONAL,
///     excludedSubtrees        [1]     GeneralSubtrees OPTIONAL }
///
/// GeneralSubtrees ::= SEQUENCE SIZE (1..MAX) OF GeneralSubtree
///
/// GeneralSubtree ::= SEQUENCE {
///     base                    GeneralName,
///     minimum         [0]     BaseDistance DEFAULT 0,
///     maximum         [1]     BaseDistance OPTIONAL }
/// ```
pub(super) struct NameConstraints<'a> {
    permitted: Vec<Subtree<'a>>,
    excluded: Vec<Subtree<'a>>,
}

/// Why names do not hold.
pub(super) enum Fault {
    Reason(PathReason),
    Spent,
}

impl From<Spent> for Fault {
    fn from(_: Spent) -> Self {
        Self::Spent
    }
}

impl<'a> NameConstraints<'a> {
    /// The constraints that `ca` puts on what is below it.
    pub(super) fn of(ca: &'a Certificate) -> Result<Option<Self>, PathReason> {
        let Some(extension) = ca.extension(&oid::NAME_CONSTRAINTS) else { return Ok(None) };
        match Self::read(extension.value) {
            Ok(Some(constraints)) => Ok(Some(constraints)),
            Ok(None) => Err(PathReason::UnsupportedNameConstraints),
            Err(_) => Err(PathReason::MalformedExtension(oid::NAME_CONSTRAINTS)),
        }
    }

    // `None` for a base distance, which this profile does not use: not known here, so not ignored.
    fn read(value: &'a [u8]) -> Result<Option<Self>, TlvError> {
        let mut reader = Reader::new(value, Rules::Der, &Limits::default());
        let whole = reader.expect(Tag::SEQUENCE)?;
        reader.finish()?;
        let mut fields = whole.reader()?;
        if fields.is_empty() {
            return Err(whole.fail(TlvErrorKind::Truncated));
        }
        let mut lists = [Vec::new(), Vec::new()];
        for (number, list) in (0..).zip(&mut lists) {
            let Some(subtrees) = fields.context(number)? else { continue };
            let mut subtrees = subtrees.reader()?;
            loop {
                let mut subtree = subtrees.sequence()?;
                let base = subtree.any()?;
                let minimum = subtree.context(0)?.map_or(Ok(0), |value| value.small())?;
                let maximum = subtree.context(1)?;
                subtree.finish()?;
                if minimum != 0 || maximum.is_some() {
                    return Ok(None);
                }
                list.push(Subtree::read(&base)?);
                if subtrees.is_empty() {
                    break;
                }
            }
        }
        fields.finish()?;
        let [permitted, excluded] = lists;
        Ok(Some(Self { permitted, excluded }))
    }

    fn allow(&self, name: &Name<'_>, budget: &mut Budget) -> Result<(), Fault> {
        budget.compare_names(self.permitted.len() + self.excluded.len())?;
        let unknown = |subtree: &Subtree<'_>| match subtree.form {
            Form::Other(kind) => name.other() == Some(kind),
            Form::Unknown(number) => name.unknown() == Some(number),
            _ => false,
        };
        if self.permitted.iter().chain(&self.excluded).any(unknown) {
            return Err(Fault::Reason(PathReason::UnsupportedNameConstraints));
        }
        let mut permitting = self.permitted.iter().filter(|subtree| name.is_of(&subtree.form)).peekable();
        let permitted = permitting.peek().is_none() || permitting.any(|subtree| subtree.contains(name));
        if !permitted || self.excluded.iter().any(|subtree| subtree.may_contain(name)) {
            return Err(Fault::Reason(PathReason::NameConstraints));
        }
        Ok(())
    }
}

/// Holds all names of `certificate` against all `constraints` above it.
pub(super) fn check(
    certificate: &Certificate,
    constraints: &[NameConstraints<'_>],
    budget: &mut Budget,
) -> Result<(), Fault> {
    if constraints.is_empty() {
        return Ok(());
    }
    for name in names(certificate) {
        for of_one_ca in constraints {
            of_one_ca.allow(&name, budget)?;
        }
    }
    Ok(())
}

fn names(certificate: &Certificate) -> Vec<Name<'_>> {
    let mut names = Vec::new();
    let subject = certificate.subject_der();
    // An empty subject has no name to constrain.
    if subject != [0x30, 0x00] {
        names.push(Name::Directory(subject));
    }
    // The addresses that count as the holder's where subjectAltName has none are constrained as such.
    if !certificate.has_san_mailbox() {
        names.extend(name::email_attributes(subject).into_iter().map(Name::Mailbox));
    }
    if let Some(extension) = certificate.extension(&oid::SUBJECT_ALT_NAME) {
        let mut reader = Reader::new(extension.value, Rules::Der, &Limits::default());
        // The certificate was read: its alternative names have the shape they must have.
        let Ok(mut list) = reader.sequence() else { return names };
        while let Ok(value) = list.any() {
            names.push(Name::read(&value));
        }
    }
    names
}
