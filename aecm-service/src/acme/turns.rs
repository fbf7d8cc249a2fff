//! Lists that are cut: what one account has much of does not push out what others have.

use std::collections::BTreeMap;

use serde_json::Value;

/// By turns of the accounts: the first of each, then the second of each; each with its turn, from 0.
pub(super) fn by_turns<T>(list: Vec<T>, account: impl Fn(&T) -> &str) -> Vec<(usize, T)> {
    let mut turns: BTreeMap<String, usize> = BTreeMap::new();
    let mut all: Vec<(usize, T)> = list
        .into_iter()
        .map(|item| {
            let next = turns.entry(account(&item).to_owned()).or_default();
            let turn = *next;
            *next = turn.saturating_add(1);
            (turn, item)
        })
        .collect();
    all.sort_by_key(|(turn, _)| *turn);
    all
}

/// Whether `item` fits into the octets that are left, a comma with it; takes them if so.
pub(super) fn takes_room(room: &mut usize, item: &Value) -> bool {
    let length = item.to_string().len().saturating_add(1);
    match room.checked_sub(length) {
        Some(left) => {
            *room = left;
            true
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_of_one_do_not_push_out_others() {
        let list = vec![("m", 9), ("m", 8), ("m", 7), ("a", 2), ("m", 1), ("b", 0), ("a", 0)];
        let turns = by_turns(list, |(account, _)| account);
        let expected = [
            (0, ("m", 9)),
            (0, ("a", 2)),
            (0, ("b", 0)),
            (1, ("m", 8)),
            (1, ("a", 0)),
            (2, ("m", 7)),
            (3, ("m", 1)),
        ];
        assert_eq!(turns, expected);
        assert!(by_turns(Vec::new(), |account: &String| account).is_empty());
    }

    #[test]
    fn what_does_not_fit_leaves_the_room_to_others() {
        let mut room = 10;
        let fits: Vec<bool> = ["12345", "123456789", "1", "1"]
            .into_iter()
            .map(|text| takes_room(&mut room, &Value::from(text)))
            .collect();
        assert_eq!((fits, room), (vec![true, false, false, false], 2));
        assert!(takes_room(&mut room, &Value::from(7)));
        assert_eq!(room, 0);
    }
}
