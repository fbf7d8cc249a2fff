//! What is to be renewed.

use core::time::Duration;

use aecm_store::Slot;

/// Greylisting may hold a challenge mail back for a quarter of an hour.
const DEADLINE: Duration = Duration::from_secs(30 * 60);

/// What is to be renewed, and how long it may take.
///
/// ```
/// use aecm::RenewPlan;
///
/// let every_slot = RenewPlan::all();
/// let slot = "classic-encrypt-mv".parse()?;
/// let new_key = RenewPlan::slot(slot).rekey();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenewPlan {
    slots: Option<Vec<Slot>>,
    rekey: bool,
    deadline: Duration,
    wait: Duration,
}

impl RenewPlan {
    /// Every slot that has a certificate.
    #[must_use]
    pub const fn all() -> Self {
        Self { slots: None, rekey: false, deadline: DEADLINE, wait: Duration::ZERO }
    }

    /// One slot.
    #[must_use]
    pub fn slot(slot: Slot) -> Self {
        Self::slots_of([slot])
    }

    /// These slots.
    #[must_use]
    pub fn slots_of(slots: impl IntoIterator<Item = Slot>) -> Self {
        Self { slots: Some(slots.into_iter().collect()), ..Self::all() }
    }

    /// Makes new encrypting keys too, instead of certifying those there are again. The owner's other devices are
    /// told, and have to ask for the new key.
    #[must_use]
    pub const fn rekey(mut self) -> Self {
        self.rekey = true;
        self
    }

    /// How long obtaining the certificates may take; 30 minutes unless said otherwise.
    #[must_use]
    pub const fn within(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// How long to wait, where another device has changed the encrypting key, until it is given; not at all unless
    /// said otherwise.
    #[must_use]
    pub const fn wait_for_transfer(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    pub(crate) fn slots(&self) -> Option<&[Slot]> {
        self.slots.as_deref()
    }

    /// What it asks for, so that the same call is known again.
    pub(crate) fn call(&self) -> String {
        let mut slots: Vec<String> = self.slots.iter().flatten().map(ToString::to_string).collect();
        slots.sort();
        let slots = if self.slots.is_none() { "all".to_owned() } else { slots.join(" ") };
        if self.rekey { format!("rekey {slots}") } else { slots }
    }

    pub(crate) const fn rekeys(&self) -> bool {
        self.rekey
    }

    pub(crate) const fn deadline(&self) -> Duration {
        self.deadline
    }

    pub(crate) const fn wait(&self) -> Duration {
        self.wait
    }
}
