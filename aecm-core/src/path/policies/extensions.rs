//! The extensions that concern certificate policies.

use alloc::collections::{BTreeMap, BTreeSet};

use super::super::PathReason;
use crate::certificate::Certificate;
use crate::limits::Limits;
use crate::oid::{self, ObjectIdentifier};
use crate::tlv::{Reader, Rules, Tag, TlvError, TlvErrorKind};

#[derive(Default)]
pub(super) struct Extensions {
    /// certificatePolicies; `None` where it is absent. Identifiers too large to name are left out: nobody asks
    /// for them.
    pub(super) policies: Option<BTreeSet<ObjectIdentifier>>,
    /// policyMappings: subjectDomainPolicies by issuerDomainPolicy.
    pub(super) mappings: BTreeMap<ObjectIdentifier, BTreeSet<ObjectIdentifier>>,
    pub(super) require_explicit: Option<u64>,
    pub(super) inhibit_mapping: Option<u64>,
    pub(super) inhibit_any: Option<u64>,
}

impl Extensions {
    pub(super) fn of(certificate: &Certificate) -> Result<Self, PathReason> {
        let mut found = Self::default();
        if certificate.extension(&oid::CERTIFICATE_POLICIES).is_some() {
            found.policies = Some(certificate.policy_oids().iter().copied().collect());
        }
        for oid in [oid::POLICY_MAPPINGS, oid::POLICY_CONSTRAINTS, oid::INHIBIT_ANY_POLICY] {
            let Some(extension) = certificate.extension(&oid) else { continue };
            let mut reader = Reader::new(extension.value, Rules::Der, &Limits::default());
            match oid {
                oid::POLICY_MAPPINGS => found.mappings(&mut reader),
                oid::POLICY_CONSTRAINTS => found.constraints(&mut reader),
                _ => found.inhibit(&mut reader),
            }
            .and_then(|()| reader.finish())
            .map_err(|_| PathReason::MalformedExtension(oid))?;
        }
        Ok(found)
    }

    /// ```text
    /// PolicyMappings ::= SEQUENCE SIZE (1..MAX) OF SEQUENCE {
    ///     issuerDomainPolicy      CertPolicyId,
    ///     subjectDomainPolicy     CertPolicyId }
    /// ```
    fn mappings(&mut self, reader: &mut Reader<'_>) -> Result<(), TlvError> {
        let mut list = reader.sequence()?;
        loop {
            let mut pair = list.sequence()?;
            let (issuer, subject) = (pair.expect(Tag::OID)?, pair.expect(Tag::OID)?);
            pair.finish()?;
            // What cannot be named cannot be asked for, but its issuer's policy is mapped away all the same.
            match (issuer.oid(), subject.oid()) {
                (Ok(issuer), Ok(subject)) => {
                    self.mappings.entry(issuer).or_default().insert(subject);
                }
                (Ok(issuer), Err(error)) if error.kind() == TlvErrorKind::OidTooLarge => {
                    self.mappings.entry(issuer).or_default();
                }
                (Err(error), _) if error.kind() == TlvErrorKind::OidTooLarge => {}
                (Err(error), _) | (_, Err(error)) => return Err(error),
            }
            if list.is_empty() {
                return Ok(());
            }
        }
    }

    /// ```text
    /// PolicyConstraints ::= SEQUENCE {
    ///     requireExplicitPolicy           [0] SkipCerts OPTIONAL,
    ///     inhibitPolicyMapping            [1] SkipCerts OPTIONAL }
    /// ```
    fn constraints(&mut self, reader: &mut Reader<'_>) -> Result<(), TlvError> {
        let whole = reader.expect(Tag::SEQUENCE)?;
        let mut fields = whole.reader()?;
        if fields.is_empty() {
            return Err(whole.fail(TlvErrorKind::Truncated));
        }
        self.require_explicit = fields.context(0)?.map(|value| value.small()).transpose()?;
        self.inhibit_mapping = fields.context(1)?.map(|value| value.small()).transpose()?;
        fields.finish()
    }

    /// ```text
    /// InhibitAnyPolicy ::= SkipCerts
    ///
    /// SkipCerts ::= INTEGER (0..MAX)
    /// ```
    fn inhibit(&mut self, reader: &mut Reader<'_>) -> Result<(), TlvError> {
        self.inhibit_any = Some(reader.small()?);
        Ok(())
    }
}
