//! The buckets of many subjects.

use hashbrown::HashTable;
use vak_types::Action;

use crate::Rate;
use crate::bucket::Bucket;
use crate::subject::Subject;

/// Buckets by limit and subject. A subject without a bucket has a full one, so
/// a full bucket can go at any time, and does when a sweep comes by.
///
/// Buckets keep their slot for as long as they live, so settling a reservation
/// needs no look-up. A slot may have a new tenant by then; reservation ids are
/// never used twice in a table, so the new one does not know the id.
#[derive(Debug, Default)]
pub(crate) struct Table {
    index: HashTable<usize>,
    slots: Vec<Option<Entry>>,
    vacant: Vec<usize>,
    /// The slot the next sweep starts at.
    next: usize,
    /// The id of the last reservation.
    last_id: u64,
}

#[derive(Debug)]
struct Entry {
    hash: u64,
    limit: usize,
    subject: Subject,
    bucket: Bucket,
}

impl Table {
    /// The slot of the bucket that the limit number `limit` keeps for `action`.
    pub(crate) fn find(&self, hash: u64, limit: usize, action: &Action) -> Option<usize> {
        let is_same = |slot: &usize| {
            self.slots[*slot].as_ref().is_some_and(|entry| entry.limit == limit && entry.subject.is_of(action))
        };
        self.index.find(hash, is_same).copied()
    }

    /// Adds a bucket, which must not be there yet, and returns its slot.
    pub(crate) fn insert(&mut self, hash: u64, limit: usize, subject: Subject, rate: Rate, now_ns: u64) -> usize {
        let entry = Some(Entry { hash, limit, subject, bucket: Bucket::full(rate, now_ns) });
        let slot = match self.vacant.pop() {
            Some(slot) => {
                self.slots[slot] = entry;
                slot
            }
            None => {
                self.slots.push(entry);
                self.slots.len() - 1
            }
        };
        let slots = &self.slots;
        self.index.insert_unique(hash, slot, |slot| slots[*slot].as_ref().map_or(0, |entry| entry.hash));
        slot
    }

    /// The bucket in `slot`, while it is there.
    pub(crate) fn bucket(&mut self, slot: usize) -> Option<&mut Bucket> {
        self.slots[slot].as_mut().map(|entry| &mut entry.bucket)
    }

    /// Takes an action out of the bucket in `slot` and returns the id to settle
    /// it under.
    pub(crate) fn take(&mut self, slot: usize) -> u64 {
        self.last_id += 1;
        let id = self.last_id;
        if let Some(bucket) = self.bucket(slot) {
            bucket.take(id);
        }
        id
    }

    /// How many slots there are, empty ones included.
    pub(crate) fn slots(&self) -> usize {
        self.slots.len()
    }

    /// Looks at the next `count` slots in turn, drops what is full by `now_ns`
    /// and returns how many that were.
    pub(crate) fn sweep(&mut self, count: usize, now_ns: u64) -> usize {
        (0..count.min(self.slots.len())).filter(|_| self.sweep_next(now_ns)).count()
    }

    fn sweep_next(&mut self, now_ns: u64) -> bool {
        let slot = self.next % self.slots.len();
        self.next = slot + 1;
        let Some(entry) = &mut self.slots[slot] else { return false };
        entry.bucket.advance(now_ns);
        if !entry.bucket.is_full() {
            return false;
        }
        if let Ok(indexed) = self.index.find_entry(entry.hash, |other| *other == slot) {
            indexed.remove();
        }
        self.slots[slot] = None;
        self.vacant.push(slot);
        true
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use vak_types::{ActionRequest, Json, Timestamp};

    use super::*;
    use crate::Per;

    fn action(agent: &str, session: &str, operation: &str) -> Action {
        ActionRequest {
            agent: agent.parse().unwrap(),
            session: session.parse().unwrap(),
            operation: operation.parse().unwrap(),
            resource: "r".parse().unwrap(),
            arguments: Json::default(),
            attributes: Default::default(),
            labels: Vec::new(),
        }
        .at("a-1".parse().unwrap(), Timestamp::from_nanos(0))
    }

    /// The worst that a hash can do: every key has the same.
    const HASH: u64 = 7;

    #[test]
    fn tells_keys_apart_when_their_hashes_are_equal() {
        let names = [("a", "bc", "bc"), ("ab", "c", "c"), ("a", "c", "bc"), ("a", "bc", "c"), ("ab", "bc", "bc")];
        let actions = names.map(|(agent, session, operation)| action(agent, session, operation));
        let rate = Rate::new(1, 1, Duration::from_secs(1)).unwrap();
        for per in [Per::Agent, Per::Operation, Per::AgentAndOperation, Per::Session, Per::Host] {
            let key = |action: &Action| match per {
                Per::Agent => vec![action.agent.to_string()],
                Per::Operation => vec![action.operation.to_string()],
                Per::AgentAndOperation => vec![action.agent.to_string(), action.operation.to_string()],
                Per::Session => vec![action.agent.to_string(), action.session.to_string()],
                Per::Host => vec![],
            };
            for one in &actions {
                let mut table = Table::default();
                let slot = table.insert(HASH, 0, Subject::of(per, one), rate, 0);
                for other in &actions {
                    assert_eq!(
                        table.find(HASH, 0, other) == Some(slot),
                        key(one) == key(other),
                        "{one:?} and {other:?}"
                    );
                    assert_eq!(table.find(HASH, 1, other), None);
                }
            }
        }
    }

    #[test]
    fn drops_what_is_full_and_takes_the_slot_again() {
        let rate = Rate::new(2, 1, Duration::from_nanos(10)).unwrap();
        let mut table = Table::default();
        let [first, second, third] = ["a", "b", "c"].map(|agent| action(agent, "s", "x"));
        let insert = |table: &mut Table, action: &Action| {
            let slot = table.insert(HASH, 0, Subject::of(Per::Agent, action), rate, 0);
            (slot, table.take(slot))
        };
        let (slot, id) = insert(&mut table, &first);
        insert(&mut table, &second);
        table.take(1);
        assert_eq!(table.sweep(2, 9), 0);
        assert_eq!(table.sweep(2, 10), 1);
        assert_eq!((table.find(HASH, 0, &first), table.find(HASH, 0, &second)), (None, Some(1)));
        assert_eq!(table.index.len(), 1);
        // The next tenant of the slot does not take back what the last one left.
        assert_eq!(insert(&mut table, &third).0, slot);
        table.bucket(slot).unwrap().give_back(id);
        assert!(!table.bucket(slot).unwrap().is_full());
        assert_eq!(table.slots(), 2);
    }
}
