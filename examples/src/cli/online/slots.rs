//! The slots of a mailbox, for people and for programs.

use aecm::core::certificate::Certificate;
use aecm::core::time::Time;
use aecm::store::{EntryState, Slot};
use aecm::{Mailbox, Provisioned};
use serde_json::{Value, json};

use super::stop::{Done, Stop};
use crate::cli::show::hex;
use crate::table::Table;

/// A slot and what is in it.
pub(in crate::cli) struct Row {
    pub(in crate::cli) slot: Slot,
    pub(in crate::cli) state: &'static str,
    pub(in crate::cli) certificate: Option<Certificate>,
}

/// What the mailbox has.
pub(in crate::cli) async fn of(mailbox: &Mailbox, now: Time) -> Done<Vec<Row>> {
    let entries = mailbox.entries().await.map_err(|error| Stop::error("vault", error.to_string()))?;
    let rows = entries.into_iter().filter_map(|entry| {
        let state = match (entry.state, &entry.certificate) {
            (EntryState::Pending, _) => "pending",
            (EntryState::Active, Some(certificate)) if now > certificate.not_after() => "expired",
            (EntryState::Active, _) => "present",
            _ => return None,
        };
        Some(Row { slot: entry.slot, state, certificate: entry.certificate })
    });
    Ok(rows.collect())
}

/// The same, with what a call came to.
pub(in crate::cli) fn note(rows: &mut [Row], provisioned: &Provisioned) {
    for report in &provisioned.slots {
        let of_report = |row: &&mut Row| row.slot.suite == report.suite && row.slot.purpose == report.purpose;
        if let Some(row) = rows.iter_mut().find(of_report) {
            row.state = report.state.word();
        }
    }
}

/// `slots[]`: one object a slot.
pub(in crate::cli) fn to_json(rows: &[Row]) -> Value {
    let slot = |row: &Row| {
        json!({
            "slot": row.slot.to_string(),
            "suite": row.slot.suite.word(),
            "purpose": row.slot.purpose.word(),
            "level": row.slot.level.word(),
            "device": row.slot.device.as_ref().map(ToString::to_string),
            "state": row.state,
            "serial": row.certificate.as_ref().map(|certificate| hex(certificate.serial())),
            "not_after": row.certificate.as_ref().map(|certificate| certificate.not_after().to_string()),
        })
    };
    rows.iter().map(slot).collect()
}

/// The same as a table.
pub(in crate::cli) fn to_text(rows: &[Row]) -> String {
    let mut table = Table::new(["slot", "state", "serial", "valid until"]);
    for row in rows {
        let of =
            |text: fn(&Certificate) -> String| row.certificate.as_ref().map_or_else(|| "-".to_owned(), text);
        let serial = of(|certificate| hex(certificate.serial()));
        let until = of(|certificate| certificate.not_after().to_string());
        table.row([row.slot.to_string(), row.state.to_owned(), serial, until]);
    }
    table.to_string()
}
