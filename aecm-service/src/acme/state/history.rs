//! The events of a mailbox: a bounded number, and no flood of one kind pushes out what else happened.

use std::collections::BTreeMap;

use aecm_core::mailbox::Mailbox;

use super::State;
use super::relay::{Event, EventKind};

impl State {
    /// The number of the next event.
    pub(in crate::acme) fn next_event(&self) -> u64 {
        self.events.values().next_back().map_or(1, |last| last.number.saturating_add(1))
    }

    /// Enters an event, and keeps `most` of its mailbox: the oldest of the kind there is most of goes. A device that
    /// asks for keys again and again is remembered once.
    pub(in crate::acme) fn enter_event(&mut self, event: Event, most: usize) {
        let mailbox = event.mailbox.clone();
        if event.kind == EventKind::TransferRequested {
            self.events.extract(|known| {
                known.kind == event.kind
                    && known.account == event.account
                    && known.device == event.device
                    && known.mailbox.matches(&mailbox)
            });
        }
        self.events.insert(row(event.number), event);
        loop {
            let of_mailbox = self.events.values().filter(|event| event.mailbox.matches(&mailbox));
            let mut kinds: BTreeMap<&str, (usize, u64)> = BTreeMap::new();
            let mut all = 0_usize;
            for event in of_mailbox {
                all = all.saturating_add(1);
                let (count, _) = kinds.entry(event.kind.word()).or_insert((0, event.number));
                *count = count.saturating_add(1);
            }
            if all <= most {
                return;
            }
            // Of two kinds as frequent, the one with the older event.
            let oldest = kinds.values().max_by_key(|(count, first)| (*count, core::cmp::Reverse(*first)));
            let Some((_, first)) = oldest.copied() else { return };
            self.events.remove(&row(first));
        }
    }

    /// The latest events of these mailboxes, at most `most`, newest last: each mailbox has its share, and what one
    /// does not need the newest of the others have.
    pub(in crate::acme) fn latest_events(&self, mailboxes: &[&Mailbox], most: usize) -> Vec<&Event> {
        let of = |mailbox: &Mailbox| -> Vec<&Event> {
            self.events.values().rev().filter(|event| event.mailbox.matches(mailbox)).collect()
        };
        let share = most.checked_div(mailboxes.len()).unwrap_or(most);
        let (mut chosen, mut rest) = (Vec::new(), Vec::new());
        for mailbox in mailboxes {
            let events = of(mailbox);
            let (own, more) = events.split_at_checked(share).unwrap_or((&events, &[]));
            chosen.extend_from_slice(own);
            rest.extend_from_slice(more);
        }
        rest.sort_by_key(|event| core::cmp::Reverse(event.number));
        chosen.extend(rest.into_iter().take(most.saturating_sub(chosen.len())));
        chosen.sort_by_key(|event| event.number);
        chosen
    }
}

/// So that the order of the rows is that of the numbers.
fn row(number: u64) -> String {
    format!("{number:020}")
}

#[cfg(test)]
mod tests {
    use aecm_core::time::Time;

    use super::*;

    fn enter(state: &mut State, mailbox: &str, kind: EventKind, account: &str) {
        let event = Event {
            number: state.next_event(),
            time: Time::from_unix(0),
            kind,
            mailbox: mailbox.parse().unwrap(),
            device: None,
            account: account.to_owned(),
            certificate: None,
        };
        state.enter_event(event, 6);
    }

    fn kinds(state: &State, mailboxes: &[&str], most: usize) -> Vec<String> {
        let mailboxes: Vec<Mailbox> = mailboxes.iter().map(|text| text.parse().unwrap()).collect();
        let list = state.latest_events(&mailboxes.iter().collect::<Vec<_>>(), most);
        list.iter().map(|event| format!("{}:{}", event.mailbox.local(), event.kind.word())).collect()
    }

    #[test]
    fn a_flood_of_one_kind_pushes_out_its_own() {
        let mut state = State::default();
        for kind in [EventKind::DeviceAdded, EventKind::Rekeyed, EventKind::Revoked] {
            enter(&mut state, "a@example.test", kind, "mallory");
        }
        for _ in 0..50 {
            enter(&mut state, "a@example.test", EventKind::TransferAnswered, "mallory");
        }
        enter(&mut state, "a@example.test", EventKind::EscrowRecovered, "mallory");
        let expected = [
            "a:device-added",
            "a:rekeyed",
            "a:revoked",
            "a:transfer-answered",
            "a:transfer-answered",
            "a:escrow-recovered",
        ];
        assert_eq!(kinds(&state, &["a@example.test"], 6), expected);
        assert_eq!(state.events.len(), 6);
        assert_eq!(state.next_event(), 55, "no number twice");
    }

    #[test]
    fn requests_that_repeat_are_one() {
        let mut state = State::default();
        for account in ["one", "two", "one", "one"] {
            enter(&mut state, "a@example.test", EventKind::TransferRequested, account);
        }
        enter(&mut state, "a@EXAMPLE.test", EventKind::TransferRequested, "one");
        enter(&mut state, "b@example.test", EventKind::TransferRequested, "one");
        let mailbox: Mailbox = "a@example.test".parse().unwrap();
        let list = state.latest_events(&[&mailbox], 10);
        let accounts: Vec<&str> = list.iter().map(|event| event.account.as_str()).collect();
        assert_eq!(accounts, ["two", "one"], "the latest stands");
        assert_eq!(state.events.len(), 3);
    }

    #[test]
    fn a_busy_mailbox_leaves_room_for_the_others() {
        let mut state = State::default();
        enter(&mut state, "quiet@example.test", EventKind::DeviceAdded, "x");
        for _ in 0..6 {
            enter(&mut state, "busy@example.test", EventKind::Revoked, "x");
        }
        let both = kinds(&state, &["quiet@example.test", "busy@example.test"], 4);
        assert_eq!(both, ["quiet:device-added", "busy:revoked", "busy:revoked", "busy:revoked"]);
        assert_eq!(kinds(&state, &["quiet@example.test"], 4).len(), 1);
        assert!(kinds(&state, &[], 4).is_empty());
    }
}
