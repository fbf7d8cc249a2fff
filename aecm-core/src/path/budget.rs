//! What may be spent on looking for paths (THREATS A5).

use crate::limits::Limits;

/// What is left of the work that looking for paths may cost. One budget may serve all paths of a message, so that
/// many signers do not multiply the work: [`validate_within`](super::validate_within).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    signature_checks: usize,
    name_comparisons: usize,
}

/// The budget is spent.
pub(super) struct Spent;

impl Budget {
    /// [`Limits::signature_checks`] and [`Limits::name_comparisons`].
    #[must_use]
    pub const fn new(limits: &Limits) -> Self {
        Self { signature_checks: limits.signature_checks, name_comparisons: limits.name_comparisons }
    }

    /// How many signatures may still be checked.
    #[must_use]
    pub const fn signature_checks(&self) -> usize {
        self.signature_checks
    }

    /// How many names may still be compared.
    #[must_use]
    pub const fn name_comparisons(&self) -> usize {
        self.name_comparisons
    }

    pub(super) fn check_signature(&mut self) -> Result<(), Spent> {
        self.signature_checks = self.signature_checks.checked_sub(1).ok_or(Spent)?;
        Ok(())
    }

    pub(super) fn compare_names(&mut self, count: usize) -> Result<(), Spent> {
        match self.name_comparisons.checked_sub(count) {
            Some(left) => {
                self.name_comparisons = left;
                Ok(())
            }
            None => {
                self.name_comparisons = 0;
                Err(Spent)
            }
        }
    }
}
