//! Making room: what is over goes where as much as may be is remembered, the oldest first; what stands stays.

use std::collections::BTreeSet;
use std::time::Duration;

use aecm_core::mailbox::Mailbox;
use aecm_core::suite::Purpose;
use aecm_core::time::Time;

use super::State;

/// An account that nothing hangs on is forgotten from then on, where room is needed.
const IDLE: Duration = Duration::from_secs(3_600);
/// How many events there are in all for each other row that may be.
const EVENTS_PER_ROW: usize = 20;

impl State {
    /// Orders that came to nothing, and those whose time is over, finished ones too.
    pub(in crate::acme) fn room_for_orders(&mut self, most: usize, now: Time) {
        if self.orders.len() < most {
            return;
        }
        let over = self.orders.values().filter(|order| {
            order.finalizing.is_none() && (now > order.expires || self.order_status(order, now) == "invalid")
        });
        let over: BTreeSet<String> = over.map(|order| order.id.clone()).collect();
        self.orders.make_room(most, |order| over.contains(&order.id).then_some(order.expires));
    }

    /// Authorizations that are decided against; gives the addresses of their challenge mails.
    pub(in crate::acme) fn room_for_authorizations(&mut self, most: usize, now: Time) -> Vec<Mailbox> {
        let gone = self.authorizations.make_room(most, |authorization| {
            let stands = matches!(authorization.status(now), "pending" | "valid");
            (!stands).then_some(authorization.created)
        });
        gone.into_iter().map(|authorization| authorization.from).collect()
    }

    /// Accounts with neither order, authorization, certificate nor transfer.
    pub(in crate::acme) fn room_for_accounts(&mut self, most: usize, now: Time) {
        if self.accounts.len() < most {
            return;
        }
        let mut busy: BTreeSet<String> = BTreeSet::new();
        busy.extend(self.orders.values().map(|order| order.account.clone()));
        busy.extend(self.authorizations.values().map(|authorization| authorization.account.clone()));
        busy.extend(self.certificates.values().map(|issued| issued.account.clone()));
        busy.extend(self.transfers.values().map(|transfer| transfer.account.clone()));
        self.accounts.make_room(most, |account| {
            let idle = now.since(account.created) >= IDLE && !busy.contains(&account.id);
            idle.then_some(account.created)
        });
    }

    /// Certificates that have expired; those of encrypting keys last, for old keys are known by them.
    pub(in crate::acme) fn room_for_certificates(&mut self, most: usize, now: Time) {
        for encrypting in [false, true] {
            self.certificates.make_room(most, |issued| {
                let wanted = (issued.profile.purpose == Purpose::Encrypt) == encrypting;
                let end = issued.leaf()?.not_after();
                (wanted && now > end).then_some(end)
            });
        }
        let events = most.saturating_mul(EVENTS_PER_ROW);
        self.events.make_room(events, |event| Some(event.time));
    }

    /// Transfers that are done, refused or expired.
    pub(in crate::acme) fn room_for_transfers(&mut self, most: usize, now: Time) {
        self.transfers.make_room(most, |transfer| {
            (!matches!(transfer.status(now), "pending" | "answered")).then_some(transfer.created)
        });
    }

    /// When the open orders of the account end.
    pub(in crate::acme) fn open_orders(&self, account: &str, now: Time) -> Vec<Time> {
        let open = |status: &str| matches!(status, "pending" | "ready" | "processing");
        let own = self.orders.values().filter(|order| order.account == account);
        own.filter(|order| open(self.order_status(order, now))).map(|order| order.expires).collect()
    }

    /// When the standing certificates of the account end.
    pub(in crate::acme) fn standing_certificates(&self, account: &str, now: Time) -> Vec<Time> {
        let own = self.certificates.values().filter(|issued| issued.account == account);
        own.filter(|issued| !issued.is_over(now))
            .filter_map(|issued| Some(issued.leaf()?.not_after()))
            .collect()
    }

    /// When the waiting transfers of the account end.
    pub(in crate::acme) fn waiting_transfers(&self, account: &str, now: Time) -> Vec<Time> {
        let own = self.transfers.values().filter(|transfer| transfer.account == account);
        own.filter(|transfer| matches!(transfer.status(now), "pending" | "answered"))
            .map(|transfer| transfer.expires)
            .collect()
    }
}
