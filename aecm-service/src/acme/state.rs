//! What the server remembers: accounts, orders, authorizations, certificates, transfers, escrow, events.

mod codec;
mod history;
mod profile;
mod records;
mod relay;
mod room;
mod table;
mod trust;

use std::collections::BTreeSet;
use std::time::Duration;

use aecm_core::certificate::Certificate;
use aecm_core::mailbox::Mailbox;
use aecm_core::public_key::PublicKey;
use aecm_core::suite::{Purpose, Suite};
use aecm_core::time::Time;

use super::crl::CrlNumber;
use super::nonce::Nonces;

pub(super) use profile::Profile;
pub(super) use records::{
    Account, Authorization, AuthorizationState, ChallengeKind, Compromised, Issued, Order, Revocation,
    address, key_name,
};
pub(super) use relay::{Escrowed, Event, EventKind, Transfer, TransferState};
pub(super) use table::Table;

use self::table::Stored;
use crate::ca::SERIAL;
use crate::folder::Change;

/// An order and its challenge mail live this long (S/MIME BR §3.2.2.2: a random value at most 24 hours).
pub(super) const PENDING_LIFETIME: Duration = Duration::from_secs(86_400);
/// A valid authorization may be used again this long (S/MIME BR §4.2.1: 30 days by mail).
pub(super) const VALID_LIFETIME: Duration = Duration::from_secs(30 * 86_400);
/// How many wrong tokens an authorization bears (STANDARDS A2).
pub(super) const WRONG_TOKENS: u8 = 5;
/// How many pending authorizations an account has for one mailbox, each with a challenge mail. Not counted over
/// all accounts: a stranger could lock the owner out.
pub(super) const PENDING_PER_MAILBOX: usize = 20;

/// The reason keyCompromise (RFC 5280 §5.3.1).
pub(super) const KEY_COMPROMISE: u64 = 1;

/// Everything.
#[derive(Debug, Default)]
pub(super) struct State {
    /// A restart forgets them: their holders get badNonce with a fresh one.
    pub(super) nonces: Nonces,
    /// The serial numbers drawn for certificates that are not issued yet.
    pub(super) serials: BTreeSet<[u8; SERIAL]>,
    pub(super) accounts: Table<Account>,
    pub(super) orders: Table<Order>,
    pub(super) authorizations: Table<Authorization>,
    pub(super) certificates: Table<Issued>,
    pub(super) transfers: Table<Transfer>,
    /// By the mailbox.
    pub(super) escrow: Table<Escrowed>,
    pub(super) events: Table<Event>,
    /// Public keys whose private keys others have, by [`key_name`]; they outlive their certificates.
    pub(super) compromised: Table<Compromised>,
    /// By the name of the list.
    pub(super) crls: Table<CrlNumber>,
    /// Something was taken out that may not be readable in the folder any more.
    history: bool,
}

impl State {
    /// The tables by the names they have in the folder.
    fn tables(&mut self) -> [(&'static str, &mut dyn Stored); 9] {
        [
            ("account", &mut self.accounts),
            ("order", &mut self.orders),
            ("authorization", &mut self.authorizations),
            ("certificate", &mut self.certificates),
            ("transfer", &mut self.transfers),
            ("escrow", &mut self.escrow),
            ("event", &mut self.events),
            ("compromised", &mut self.compromised),
            ("crl", &mut self.crls),
        ]
    }

    /// The rows that changed since the last call.
    pub(super) fn take_changes(&mut self) -> Result<Vec<Change>, serde_json::Error> {
        let mut changes = Vec::new();
        for (name, table) in self.tables() {
            let rows = table.take_changes()?;
            changes.extend(rows.into_iter().map(|(id, row)| (name.to_owned(), id, row)));
        }
        Ok(changes)
    }

    /// Where nothing is kept, nothing need be remembered of what changed.
    pub(super) fn forget_changes(&mut self) {
        for (_, table) in self.tables() {
            table.forget_changes();
        }
    }

    /// The folder has to be written anew with the next change: what a removed row said goes with the journal.
    pub(super) fn forget_history(&mut self) {
        self.history = true;
    }

    /// Whether the folder is to be written anew; asked once.
    pub(super) fn take_history(&mut self) -> bool {
        core::mem::take(&mut self.history)
    }

    /// All rows.
    pub(super) fn rows(&mut self) -> Result<Vec<Change>, serde_json::Error> {
        let mut all = Vec::new();
        for (name, table) in self.tables() {
            let rows = table.rows()?;
            all.extend(rows.into_iter().map(|(id, row)| (name.to_owned(), id, row)));
        }
        Ok(all)
    }

    /// What the rows of a folder say, the later in place of the earlier.
    pub(super) fn restore(rows: Vec<Change>) -> Result<Self, String> {
        let mut state = Self::default();
        for (name, id, row) in rows {
            // Only a journal has removals: the process ended before it was written anew.
            if name == "escrow" && row.is_null() {
                state.history = true;
            }
            let mut tables = state.tables();
            let table = tables.iter_mut().find(|(known, _)| *known == name);
            let (_, table) = table.ok_or_else(|| format!("there is no table {name:?}"))?;
            table.restore(&id, row).map_err(|error| format!("{name} {id}: {error}"))?;
        }
        Ok(state)
    }

    /// The order's state word at `now` (RFC 8555 §7.1.6).
    pub(super) fn order_status(&self, order: &Order, now: Time) -> &'static str {
        if order.error.is_some() {
            return "invalid";
        }
        if order.finalizing.is_some() {
            return "processing";
        }
        if order.certificate.is_some() {
            return if order.ready_at.is_some_and(|ready| now < ready) { "processing" } else { "valid" };
        }
        let authorization = self.authorizations.get(&order.authorization).map(|found| found.status(now));
        match authorization {
            _ if now > order.expires => "invalid",
            Some("pending") => "pending",
            Some("valid") => "ready",
            _ => "invalid",
        }
    }

    /// A valid authorization of that account for that mailbox that can be used again.
    pub(super) fn reusable(&self, account: &str, mailbox: &Mailbox, now: Time) -> Option<&Authorization> {
        self.reusable_all(account, mailbox, now).next()
    }

    /// The valid authorizations of that account for that mailbox.
    pub(super) fn reusable_all(
        &self,
        account: &str,
        mailbox: &Mailbox,
        now: Time,
    ) -> impl Iterator<Item = &Authorization> {
        self.authorizations.values().filter(move |authorization| {
            authorization.account == account
                && authorization.mailbox.matches(mailbox)
                && authorization.status(now) == "valid"
        })
    }

    /// When the pending authorizations of that account for that mailbox end.
    pub(super) fn pending(&self, account: &str, mailbox: &Mailbox, now: Time) -> impl Iterator<Item = Time> {
        let pending = self.authorizations.values().filter(move |authorization| {
            authorization.account == account
                && authorization.mailbox.matches(mailbox)
                && authorization.status(now) == "pending"
        });
        pending.map(|authorization| authorization.expires)
    }

    /// When the pending authorizations of that account end.
    pub(super) fn pending_of(&self, account: &str, now: Time) -> impl Iterator<Item = Time> {
        let own = self.authorizations.values().filter(move |authorization| authorization.account == account);
        own.filter(move |authorization| authorization.status(now) == "pending")
            .map(|authorization| authorization.expires)
    }

    /// Whether `key` is certified, or about to be, for another purpose or another mailbox.
    pub(super) fn certified_otherwise(&self, key: &PublicKey, purpose: Purpose, mailbox: &Mailbox) -> bool {
        let issued = self.certificates.values().filter_map(|issued| {
            let leaf = issued.leaf().and_then(Certificate::public_key)?;
            Some((leaf, issued.profile.purpose, &issued.mailbox))
        });
        let under_way = self.orders.values().filter_map(|order| {
            let (key, purpose) = order.finalizing.as_ref()?;
            Some((key, *purpose, &order.mailbox))
        });
        issued
            .chain(under_way)
            .any(|(other, used_for, of)| other == key && (used_for != purpose || !of.matches(mailbox)))
    }

    /// Whether a certificate was issued for `key`.
    pub(super) fn certified(&self, key: &PublicKey) -> bool {
        self.certificates.values().any(|issued| issued.leaf().and_then(Certificate::public_key) == Some(key))
    }

    /// Whether a certificate of that key was revoked because others have the private key.
    pub(super) fn compromised(&self, key: &PublicKey) -> bool {
        self.compromised.get(&key_name(key.spki_der())).is_some()
            || self.certificates.values().any(|issued| {
                issued.revoked.is_some_and(|revocation| revocation.reason == KEY_COMPROMISE)
                    && issued.leaf().and_then(Certificate::public_key) == Some(key)
            })
    }

    /// The one certificate of the one encrypting key that a mailbox has in a suite, if it has one: the latest.
    pub(super) fn active_encryption(&self, mailbox: &Mailbox, suite: Suite, now: Time) -> Option<&Issued> {
        self.certificates
            .values()
            .filter(|issued| {
                issued.profile.purpose == Purpose::Encrypt
                    && issued.profile.suite == suite
                    && issued.mailbox.matches(mailbox)
                    && issued.is_active(now)
            })
            .max_by_key(|issued| issued.number)
    }

    /// The number of the next certificate.
    pub(super) fn next_number(&self) -> u64 {
        let last = self.certificates.values().map(|issued| issued.number).max();
        last.map_or(1, |last| last.saturating_add(1))
    }

    /// Forgets the orders that came to nothing and the authorizations that are over; gives the addresses whose
    /// challenge mails nobody need answer any more.
    pub(super) fn forget_expired(&mut self, now: Time) -> Vec<Mailbox> {
        self.orders.extract(|order| {
            now > order.expires && order.certificate.is_none() && order.finalizing.is_none()
        });
        let over = self.authorizations.extract(|authorization| now > authorization.expires);
        over.into_iter().map(|authorization| authorization.from).collect()
    }

    /// What the account's device last called itself for that mailbox.
    pub(super) fn device(&self, account: &str, mailbox: &Mailbox) -> Option<String> {
        let issued = self
            .certificates
            .values()
            .filter(|issued| issued.account == account && issued.mailbox.matches(mailbox))
            .filter_map(|issued| Some((issued.number, issued.device.as_ref()?)))
            .max_by_key(|(number, _)| *number);
        let ordered = || {
            let own = self
                .orders
                .values()
                .filter(|order| order.account == account && order.mailbox.matches(mailbox));
            let named = own.filter_map(|order| Some((order.expires, order.device.as_ref()?)));
            named.max_by_key(|(expires, _)| *expires).map(|(_, device)| device)
        };
        issued.map(|(_, device)| device).or_else(ordered).cloned()
    }

    /// The account with that key.
    pub(super) fn account_by_thumbprint(&self, thumbprint: &str) -> Option<&Account> {
        self.accounts.values().find(|account| account.thumbprint == thumbprint)
    }
}
