//! What an account is trusted with for a mailbox, and how that ends.

use std::collections::BTreeSet;

use aecm_core::mailbox::Mailbox;
use aecm_core::suite::Purpose;
use aecm_core::time::Time;

use super::{Account, AuthorizationState, Issued, State, TransferState};

impl State {
    /// Whether the account has the private key of `issued`: a certificate for it was issued to the account, or
    /// a transfer brought it.
    pub(in crate::acme) fn holds(&self, account: &str, issued: &Issued) -> bool {
        let Some(key) = issued.key_name() else { return false };
        let by_transfer = self.accounts.get(account).is_some_and(|account| account.held.contains(&key));
        by_transfer
            || self.certificates.values().any(|other| {
                other.account == account && !other.disowned && other.key_name().as_ref() == Some(&key)
            })
    }

    /// A device of the mailbox is its owner's no more: the account proves the mailbox anew before it orders, holds
    /// none of its encrypting keys, and waits for none.
    pub(in crate::acme) fn disown(&mut self, account: &str, mailbox: &Mailbox, now: Time) {
        for authorization in self.authorizations.matching_mut(|authorization| {
            authorization.account == account
                && authorization.mailbox.matches(mailbox)
                && matches!(authorization.status(now), "valid" | "pending")
        }) {
            authorization.state = AuthorizationState::Revoked;
        }
        let mut keys = BTreeSet::new();
        for issued in self.certificates.values() {
            if issued.profile.purpose == Purpose::Encrypt && issued.mailbox.matches(mailbox) {
                keys.extend(issued.key_name());
            }
        }
        if let Some(account) = self.accounts.get_mut(account) {
            account.held.retain(|key| !keys.contains(key));
        }
        for issued in self
            .certificates
            .matching_mut(|issued| issued.account == account && issued.mailbox.matches(mailbox))
        {
            issued.disowned = true;
        }
        for transfer in self.transfers.matching_mut(|transfer| {
            transfer.account == account
                && transfer.mailbox.matches(mailbox)
                && matches!(transfer.status(now), "pending" | "answered")
        }) {
            transfer.state = TransferState::Refused;
            transfer.response = None;
        }
    }

    /// What the account says of the key of `issued` is to be believed: it holds the key, and has a valid proof of
    /// the mailbox.
    pub(in crate::acme) fn trusts(&self, account: &str, issued: &Issued, now: Time) -> bool {
        self.reusable(account, &issued.mailbox, now).is_some() && self.holds(account, issued)
    }

    /// An encrypting key that other accounts hold as well.
    pub(in crate::acme) fn is_shared(&self, issued: &Issued) -> bool {
        let key = issued.key_name();
        let by_transfer = |account: &Account| {
            account.id != issued.account && account.held.iter().any(|held| Some(held) == key.as_ref())
        };
        issued.profile.purpose == Purpose::Encrypt
            && (self.accounts.values().any(by_transfer)
                || self.certificates.values().any(|other| {
                    other.account != issued.account && !other.disowned && other.key_name() == key
                }))
    }

    /// Whether the account has a standing certificate for the mailbox.
    pub(in crate::acme) fn stands(&self, account: &str, mailbox: &Mailbox, now: Time) -> bool {
        self.certificates.values().any(|issued| {
            issued.account == account
                && issued.mailbox.matches(mailbox)
                && issued.revoked.is_none()
                && !issued.is_over(now)
        })
    }

    /// Accounts that have proofs of the mailbox and no standing certificate for it, but for the account that asks:
    /// they are on no list of devices, so nobody could remove them. They prove the mailbox anew.
    pub(in crate::acme) fn disown_unseen(&mut self, but: &str, mailbox: &Mailbox, now: Time) {
        let standing = self.certificates.values().filter(|issued| {
            issued.mailbox.matches(mailbox) && issued.revoked.is_none() && !issued.is_over(now)
        });
        let seen: BTreeSet<String> = standing.map(|issued| issued.account.clone()).collect();
        for authorization in self.authorizations.matching_mut(|authorization| {
            authorization.account != but
                && !seen.contains(&authorization.account)
                && authorization.mailbox.matches(mailbox)
                && matches!(authorization.status(now), "valid" | "pending")
        }) {
            authorization.state = AuthorizationState::Revoked;
        }
    }
}
