//! Allowed actions that wait for their outcome.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use vak::{ActionId, AgentId, Begun};

/// An allowed action whose outcome is not known yet.
#[derive(Debug)]
pub(crate) struct Open {
    /// Who may say what came of it.
    pub(crate) owner: Arc<str>,
    /// What that is said of.
    pub(crate) known_as: ActionId,
    pub(crate) begun: Begun,
}

/// How many may wait, and for how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) all: usize,
    pub(crate) per_agent: usize,
    pub(crate) time: Duration,
}

/// Those that wait. Each leaves once: whoever takes it records its outcome.
#[derive(Debug)]
pub(crate) struct Waiting {
    bounds: Bounds,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    /// By numbers that grow: in the order in which they came, which is that of
    /// their ends. Boxed, since the maps move what they have when they grow.
    open: BTreeMap<u64, Box<(Instant, Open)>>,
    numbers: HashMap<ActionId, u64>,
    of_agents: HashMap<AgentId, BTreeSet<u64>>,
    next: u64,
}

impl Waiting {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self { bounds, table: Mutex::default() }
    }

    /// Adds one, and gives those that give way to it: one with the same id, the
    /// first of its agent if that has too many, and the first of all if there
    /// are too many. So whoever never reports takes places from others last.
    /// Also gives the number that it has from here on.
    pub(crate) fn add(&self, open: Open, now: Instant) -> (u64, Vec<Open>) {
        let mut table = self.lock();
        let mut gone: Vec<_> = table.remove(&open.known_as).into_iter().collect();
        let first = table.of_agents.get(open.begun.agent()).filter(|of_agent| of_agent.len() >= self.bounds.per_agent);
        if let Some(number) = first.and_then(|of_agent| of_agent.first().copied()) {
            gone.extend(table.remove_number(number));
        }
        if table.open.len() >= self.bounds.all
            && let Some((&number, _)) = table.open.first_key_value()
        {
            gone.extend(table.remove_number(number));
        }
        (table.insert(open, now + self.bounds.time), gone)
    }

    /// Takes one out, if `who` may.
    pub(crate) fn take(&self, action: &ActionId, who: &str) -> Option<Open> {
        let mut table = self.lock();
        let number = *table.numbers.get(action)?;
        table.open.get(&number).filter(|waits| *waits.1.owner == *who)?;
        table.remove_number(number)
    }

    /// Takes one out, whoever it is for. By its number: by now another can have
    /// its id.
    pub(crate) fn withdraw(&self, number: u64) -> Option<Open> {
        self.lock().remove_number(number)
    }

    /// Takes those out that have waited too long.
    pub(crate) fn expired(&self, now: Instant) -> Vec<Open> {
        let mut table = self.lock();
        let mut expired = Vec::new();
        while let Some((&number, waits)) = table.open.first_key_value()
            && waits.0 <= now
        {
            expired.extend(table.remove_number(number));
        }
        expired
    }

    /// Takes all out.
    pub(crate) fn all(&self) -> Vec<Open> {
        std::mem::take(&mut *self.lock()).open.into_values().map(|waits| waits.1).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().open.len()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn insert(&mut self, open: Open, end: Instant) -> u64 {
        let number = self.next;
        self.next += 1;
        self.numbers.insert(open.known_as.clone(), number);
        match self.of_agents.get_mut(open.begun.agent()) {
            Some(of_agent) => drop(of_agent.insert(number)),
            None => drop(self.of_agents.insert(open.begun.agent().clone(), BTreeSet::from([number]))),
        }
        self.open.insert(number, Box::new((end, open)));
        number
    }

    fn remove(&mut self, action: &ActionId) -> Option<Open> {
        let number = *self.numbers.get(action)?;
        self.remove_number(number)
    }

    fn remove_number(&mut self, number: u64) -> Option<Open> {
        let (_, open) = *self.open.remove(&number)?;
        self.numbers.remove(&open.known_as);
        if let Some(of_agent) = self.of_agents.get_mut(open.begun.agent()) {
            of_agent.remove(&number);
            if of_agent.is_empty() {
                self.of_agents.remove(open.begun.agent());
            }
        }
        Some(open)
    }
}

#[cfg(test)]
mod tests {
    use vak::{ActionRequest, Decided, Receipt, Verdict};
    use vak_types::Timestamp;

    use super::*;

    fn open(agent: &str, id: &str) -> Open {
        let request = format!(r#"{{"agent": "{agent}", "session": "s", "operation": "o", "resource": "r"}}"#);
        let request: ActionRequest = serde_json::from_str(&request).unwrap();
        let verdict: Verdict =
            serde_json::from_str(r#"{"decision": "allow", "reasons": [], "unsigned": false}"#).unwrap();
        let receipt = Some(Receipt::Accepted { origin: "example.org/log".parse().unwrap(), seq: 1 });
        let decided = Decided { verdict, receipt, arguments: None, held: None };
        let known_as: ActionId = id.parse().unwrap();
        let action = request.at(known_as.clone(), Timestamp::default());
        Open { owner: "token/a".into(), known_as, begun: Begun::of(&action, decided).unwrap() }
    }

    fn ids(open: &[Open]) -> Vec<String> {
        let mut ids: Vec<_> = open.iter().map(|open| open.known_as.to_string()).collect();
        ids.sort();
        ids
    }

    fn waiting() -> Waiting {
        Waiting::new(Bounds { all: 4, per_agent: 2, time: Duration::from_secs(10) })
    }

    #[test]
    fn who_has_too_many_gives_way_first() {
        let (waiting, now) = (waiting(), Instant::now());
        let add = |agent, id| ids(&waiting.add(open(agent, id), now).1);
        assert!(add("ada", "1").is_empty() && add("ada", "2").is_empty());
        assert_eq!(add("ada", "3"), ["1"]);
        assert!(add("bob", "4").is_empty() && add("bob", "5").is_empty());
        assert_eq!(add("bob", "6"), ["4"]);
        // Full: the one that waits longest.
        assert_eq!(add("cyd", "7"), ["2"]);
        // The same id again is another action.
        assert_eq!(add("cyd", "7"), ["7"]);
        assert_eq!(waiting.len(), 4);
        assert_eq!(ids(&waiting.all()), ["3", "5", "6", "7"]);
        let table = waiting.lock();
        assert!(table.open.is_empty() && table.numbers.is_empty() && table.of_agents.is_empty());
    }

    #[test]
    fn each_is_taken_once_and_by_its_owner() {
        let (waiting, now) = (waiting(), Instant::now());
        let (number, _) = waiting.add(open("ada", "1"), now);
        let id = "1".parse().unwrap();
        assert!(waiting.take(&id, "token/b").is_none());
        assert!(waiting.take(&id, "token/a").is_some());
        assert!(waiting.take(&id, "token/a").is_none() && waiting.withdraw(number).is_none());
        assert!(waiting.lock().of_agents.is_empty());
    }

    #[test]
    fn nobody_waits_forever() {
        let (waiting, now) = (waiting(), Instant::now());
        waiting.add(open("ada", "1"), now);
        waiting.add(open("ada", "2"), now + Duration::from_secs(5));
        assert!(waiting.expired(now + Duration::from_secs(9)).is_empty());
        assert_eq!(ids(&waiting.expired(now + Duration::from_secs(10))), ["1"]);
        assert_eq!(ids(&waiting.expired(now + Duration::from_secs(15))), ["2"]);
    }
}
