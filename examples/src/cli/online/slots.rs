//! The slots of a mailbox, for people and for programs.

use aecm::SlotReport;
use aecm::store::{DeviceId, Slot};
use aecm_core::suite::{Level, Purpose, Suite};
use serde_json::{Value, json};

use super::stop::{Done, Stop};
use super::words;
use crate::cli::terminal;
use crate::table::Table;

/// What the mailbox has, with what a call came to.
pub(in crate::cli) fn with(mut all: Vec<SlotReport>, outcomes: &[SlotReport]) -> Vec<SlotReport> {
    for outcome in outcomes {
        match all.iter_mut().find(|slot| slot.slot().same_place(&outcome.slot())) {
            Some(slot) => {
                slot.state = outcome.state;
                slot.failure.clone_from(&outcome.failure);
            }
            None => all.push(outcome.clone()),
        }
    }
    all
}

/// `slots[]`: one object a slot.
pub(in crate::cli) fn to_json(slots: &[SlotReport]) -> Vec<Value> {
    let slot = |slot: &SlotReport| {
        json!({
            "slot": slot.slot().to_string(),
            "suite": slot.suite.word(),
            "purpose": slot.purpose.word(),
            "level": slot.level.word(),
            "device": slot.device.as_ref().map(ToString::to_string),
            "state": slot.state.word(),
            "serial": slot.serial(),
            "not_after": slot.not_after().map(|time| time.to_string()),
            "failure": slot.failure.as_ref().map(|error| {
                json!({ "reason": words::of(error), "message": terminal::words(&error.to_string()) })
            }),
        })
    };
    slots.iter().map(slot).collect()
}

/// The same as a table.
pub(in crate::cli) fn to_text(slots: &[SlotReport]) -> String {
    let mut table = Table::new(["slot", "state", "valid until", "serial"]);
    for slot in slots {
        let until = slot.not_after().map_or_else(|| "-".to_owned(), |time| time.to_string());
        let serial = slot.serial().unwrap_or_else(|| "-".to_owned());
        table.row([slot.slot().to_string(), slot.state.word().to_owned(), until, serial]);
    }
    let mut text = table.to_string();
    for slot in slots {
        if let Some(error) = &slot.failure {
            text.push_str(&format!("{}: {}\n", slot.slot(), terminal::words(&error.to_string())));
        }
    }
    text
}

/// Why the slots that cannot be used cannot: their states, and what failed.
pub(in crate::cli) fn reasons(slots: &[SlotReport]) -> Vec<&'static str> {
    let unusable = slots.iter().filter(|slot| !slot.state.is_usable());
    unusable
        .flat_map(|slot| [Some(slot.state.word()), slot.failure.as_deref().map(words::of)])
        .flatten()
        .collect()
}

/// A slot by its words; without a device it is this one's.
pub(in crate::cli) fn parse(text: &str, device: &DeviceId) -> Done<Slot> {
    let whole: Option<Slot> = text.parse().ok();
    whole.or_else(|| short(text, device)).ok_or_else(|| {
        let message =
            format!("{text:?} is no slot like sm2-sign-mv, classic-encrypt-mv or sm2-sign-mv@DEVICE");
        Stop::error("slot-malformed", message)
    })
}

fn short(text: &str, device: &DeviceId) -> Option<Slot> {
    let mut words = text.split('-');
    let suite = Suite::from_word(words.next()?)?;
    let purpose = Purpose::from_word(words.next()?)?;
    let level = words.next().map_or(Some(Level::Mailbox), Level::from_word)?;
    words.next().is_none().then(|| Slot::new(suite, purpose, level, device))
}
