//! Rows by id, with a note of those that changed since the last time anybody asked: what goes to disk.

use std::collections::{BTreeMap, BTreeSet};

use aecm_core::time::Time;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A table of the state.
#[derive(Clone, Debug)]
pub(in crate::acme) struct Table<T> {
    rows: BTreeMap<String, T>,
    changed: BTreeSet<String>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), changed: BTreeSet::new() }
    }
}

impl<T> Table<T> {
    pub(in crate::acme) fn get(&self, id: &str) -> Option<&T> {
        self.rows.get(id)
    }

    /// To change the row; it counts as changed.
    pub(in crate::acme) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        let row = self.rows.get_mut(id)?;
        self.changed.insert(id.to_owned());
        Some(row)
    }

    /// To change the rows that `wanted` says; they count as changed.
    pub(in crate::acme) fn matching_mut(
        &mut self,
        mut wanted: impl FnMut(&T) -> bool,
    ) -> impl Iterator<Item = &mut T> {
        let changed = &mut self.changed;
        self.rows.iter_mut().filter_map(move |(id, row)| {
            wanted(row).then(|| {
                changed.insert(id.clone());
                row
            })
        })
    }

    /// To change what is not kept on disk.
    pub(in crate::acme) fn get_transient(&mut self, id: &str) -> Option<&mut T> {
        self.rows.get_mut(id)
    }

    pub(in crate::acme) fn values(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.rows.values()
    }

    pub(in crate::acme) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(in crate::acme) fn insert(&mut self, id: String, row: T) {
        self.changed.insert(id.clone());
        self.rows.insert(id, row);
    }

    pub(in crate::acme) fn remove(&mut self, id: &str) -> Option<T> {
        let row = self.rows.remove(id)?;
        self.changed.insert(id.to_owned());
        Some(row)
    }

    /// Takes out rows until there are fewer than `most`: of those that `over` gives a time for, the oldest first.
    pub(in crate::acme) fn make_room(&mut self, most: usize, over: impl Fn(&T) -> Option<Time>) -> Vec<T> {
        if self.rows.len() < most {
            return Vec::new();
        }
        let aged = self.rows.iter().filter_map(|(id, row)| Some((over(row)?, id.clone())));
        let mut aged: Vec<(Time, String)> = aged.collect();
        aged.sort();
        let surplus = self.rows.len().saturating_sub(most).saturating_add(1);
        aged.iter().take(surplus).filter_map(|(_, id)| self.remove(id)).collect()
    }

    /// Takes out the rows that `over` says are over.
    pub(in crate::acme) fn extract(&mut self, mut over: impl FnMut(&T) -> bool) -> Vec<T> {
        let ids: Vec<String> =
            self.rows.iter().filter(|(_, row)| over(row)).map(|(id, _)| id.clone()).collect();
        ids.iter().filter_map(|id| self.remove(id)).collect()
    }
}

/// A table as the folder sees it.
pub(in crate::acme) trait Stored {
    /// The rows that changed since the last call: their ids and what they are now, `Null` for those removed.
    fn take_changes(&mut self) -> Result<Vec<(String, Value)>, serde_json::Error>;
    /// As if they had been taken.
    fn forget_changes(&mut self);
    /// All rows.
    fn rows(&self) -> Result<Vec<(String, Value)>, serde_json::Error>;
    /// Puts a row back that was read from the folder.
    fn restore(&mut self, id: &str, row: Value) -> Result<(), serde_json::Error>;
}

impl<T: Serialize + DeserializeOwned> Stored for Table<T> {
    fn take_changes(&mut self) -> Result<Vec<(String, Value)>, serde_json::Error> {
        let mut changes = Vec::with_capacity(self.changed.len());
        for id in &self.changed {
            let row = self.rows.get(id).map(serde_json::to_value).transpose()?.unwrap_or_default();
            changes.push((id.clone(), row));
        }
        self.changed.clear();
        Ok(changes)
    }

    fn forget_changes(&mut self) {
        self.changed.clear();
    }

    fn rows(&self) -> Result<Vec<(String, Value)>, serde_json::Error> {
        self.rows.iter().map(|(id, row)| Ok((id.clone(), serde_json::to_value(row)?))).collect()
    }

    fn restore(&mut self, id: &str, row: Value) -> Result<(), serde_json::Error> {
        if row.is_null() {
            self.rows.remove(id);
        } else {
            self.rows.insert(id.to_owned(), serde_json::from_value(row)?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_told_once() {
        let mut table = Table::<u8>::default();
        table.insert("a".to_owned(), 1);
        table.insert("b".to_owned(), 2);
        let all = table.take_changes().unwrap();
        assert_eq!(all, [("a".to_owned(), Value::from(1)), ("b".to_owned(), Value::from(2))]);
        assert!(table.take_changes().unwrap().is_empty());
        *table.get_mut("a").unwrap() = 3;
        assert_eq!(table.get("b"), Some(&2));
        assert!(table.get_mut("c").is_none());
        assert_eq!(table.extract(|row| *row == 2), [2]);
        let all = table.take_changes().unwrap();
        assert_eq!(all, [("a".to_owned(), Value::from(3)), ("b".to_owned(), Value::Null)]);
        // What only passes through memory is not told.
        *table.get_transient("a").unwrap() = 4;
        assert!(table.take_changes().unwrap().is_empty());
        assert!(table.remove("b").is_none());
        assert!(table.take_changes().unwrap().is_empty());
    }

    #[test]
    fn the_oldest_that_is_over_makes_room() {
        let mut table = Table::<i64>::default();
        for (id, row) in [("a", 30), ("b", 10), ("c", 0), ("d", 20)] {
            table.insert(id.to_owned(), row);
        }
        let over = |row: &i64| (*row > 0).then(|| Time::from_unix(*row));
        assert!(table.make_room(5, over).is_empty(), "there is room");
        assert_eq!(table.make_room(4, over), [10]);
        assert_eq!(table.make_room(2, over), [20, 30]);
        assert!(table.make_room(1, over).is_empty(), "what is not over stays");
        assert_eq!(table.len(), 1);
        assert_eq!(table.take_changes().unwrap().len(), 4);
    }

    #[test]
    fn rows_come_back() {
        let mut table = Table::<u8>::default();
        table.restore("a", Value::from(1)).unwrap();
        table.restore("b", Value::from(2)).unwrap();
        table.restore("a", Value::Null).unwrap();
        table.restore("gone", Value::Null).unwrap();
        assert_eq!(table.rows().unwrap(), [("b".to_owned(), Value::from(2))]);
        assert!(table.restore("c", Value::from("text")).is_err());
        assert!(table.take_changes().unwrap().is_empty(), "what was read need not be written");
    }
}
