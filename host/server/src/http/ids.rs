//! Requests with an id: each is done once, and answered alike when it comes
//! again.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::watch;
use vak::ActionId;

use super::answer::Answer;
use super::parcel::{Parcel, Trace};
use super::problem::{Kind, Problem};

/// Longest answer that is kept, in bytes. Verdicts have some hundred; what a
/// skill gives may have a mebibyte.
const ANSWER_BYTES_MAX: usize = 16 << 10;

/// What a request asks for, without its id.
pub(crate) type Content = [u8; blake3::OUT_LEN];

/// An answer, for those who ask again.
#[derive(Debug)]
pub(crate) struct Known {
    /// `None` if it was too long.
    body: Option<Bytes>,
    /// For an allow: the parcel, and whether it has left.
    allowed: Option<(Weak<Parcel>, Trace)>,
}

impl Known {
    fn of(answer: &Answer) -> Self {
        let body = (answer.body.len() <= ANSWER_BYTES_MAX).then(|| answer.body.clone());
        let allowed = answer.parcel.as_ref().map(|parcel| (Arc::downgrade(parcel), parcel.trace()));
        Self { body, allowed }
    }

    /// The same answer once more. `None` if it never left and was withdrawn: then
    /// what was allowed must not be told to anybody.
    fn again(&self) -> Option<Result<Answer, Problem>> {
        let parcel = match &self.allowed {
            None => None,
            Some((parcel, trace)) => match parcel.upgrade() {
                Some(parcel) => Some(parcel),
                None if trace.has_left() => None,
                None => return None,
            },
        };
        let gone =
            || Problem::new(Kind::ResultGone, "it was asked for with this `id`; what became of it is in the log");
        let answer = self.body.clone().map(|body| Answer { body, parcel, lasting: true });
        Some(answer.ok_or_else(gone))
    }
}

/// Whose the ids are that are known of the log: nobody's who asks.
const BEFORE: &str = "before";

type Said = watch::Receiver<Option<Arc<Known>>>;

#[derive(Debug)]
struct Entry {
    number: u64,
    /// `None` if nobody knows any more.
    content: Option<Content>,
    space: Arc<str>,
    said: Said,
}

#[derive(Debug, Default)]
struct Table {
    entries: HashMap<ActionId, Entry>,
    /// By whose they are, in the order in which they came.
    orders: HashMap<Arc<str>, BTreeMap<u64, (Instant, ActionId)>>,
    next: u64,
}

/// The ids of the last while.
#[derive(Debug)]
pub(crate) struct Ids {
    /// For how long.
    time: Duration,
    /// How many of one client.
    most: usize,
    table: Arc<Mutex<Table>>,
}

/// Whose turn it is to do what is asked.
pub(crate) enum Claim {
    /// One's own; with what was withdrawn before, whose end has to be waited for:
    /// until then it holds what this may need.
    Mine(Turn, Option<Trace>),
    Theirs(Said),
}

/// The turn of whoever came first. Dropped without an answer, it is another's.
pub(crate) struct Turn {
    table: Arc<Mutex<Table>>,
    action: ActionId,
    number: u64,
    say: watch::Sender<Option<Arc<Known>>>,
}

impl Ids {
    pub(crate) fn new(time: Duration, most: usize) -> Self {
        Self { time, most, table: Arc::default() }
    }

    /// Claims an id of `space`.
    ///
    /// # Errors
    /// It was used for something else.
    pub(crate) fn claim(
        &self,
        space: &Arc<str>,
        action: &ActionId,
        content: Content,
        now: Instant,
    ) -> Result<Claim, Problem> {
        let mut table = lock(&self.table);
        table.forget_until(now);
        let mut before = None;
        if let Some(entry) = table.entries.get(action) {
            let withdrawn = entry.said.borrow().as_ref().is_some_and(|known| known.again().is_none());
            if !withdrawn && entry.content.is_some_and(|before| before != content) {
                let detail = "with this `id` another action was asked for; give each action its own";
                return Err(Problem::new(Kind::IdInUse, detail));
            }
            if !withdrawn {
                return Ok(Claim::Theirs(entry.said.clone()));
            }
            before = entry.said.borrow().as_ref().and_then(|known| Some(known.allowed.as_ref()?.1.clone()));
            table.remove(action);
        }
        table.make_room(space, self.most);
        let (say, said) = watch::channel(None);
        let number = table.insert(Arc::clone(space), action.clone(), Some(content), said, now + self.time);
        Ok(Claim::Mine(Turn { table: Arc::clone(&self.table), action: action.clone(), number, say }, before))
    }

    /// Takes note of actions that were decided before the server was started.
    /// They are not decided again, and what was answered is not known any more.
    pub(crate) fn remember(&self, actions: Vec<ActionId>, now: Instant) {
        let mut table = lock(&self.table);
        let (_, said) = watch::channel(Some(Arc::new(Known { body: None, allowed: None })));
        for action in actions {
            table.remove(&action);
            table.insert(BEFORE.into(), action, None, said.clone(), now + self.time);
        }
    }

    /// Forgets `answer`, if it still is the one that is known.
    pub(crate) fn forget(&self, action: &ActionId, answer: &Answer) {
        let mut table = lock(&self.table);
        let known = table.entries.get(action).and_then(|entry| entry.said.borrow().clone());
        if known.is_some_and(|known| known.body.as_ref() == Some(&answer.body)) {
            table.remove(action);
        }
    }

    /// Forgets what is older than it need be.
    pub(crate) fn tidy(&self, now: Instant) {
        lock(&self.table).forget_until(now);
    }
}

/// Waits for the answer of whoever came first. `None` if there is none, or it
/// was withdrawn: the id is to be claimed anew.
pub(crate) async fn heard(mut said: Said) -> Option<Result<Answer, Problem>> {
    let known = said.wait_for(Option::is_some).await.ok()?.clone();
    known?.again()
}

impl Turn {
    /// Tells the answer to all who wait for it, and those who come.
    pub(crate) fn say(self, answer: &Answer) {
        self.say.send_replace(Some(Arc::new(Known::of(answer))));
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.say.borrow().is_none() {
            let mut table = lock(&self.table);
            if table.entries.get(&self.action).is_some_and(|entry| entry.number == self.number) {
                table.remove(&self.action);
            }
        }
    }
}

impl Table {
    fn insert(&mut self, space: Arc<str>, action: ActionId, content: Option<Content>, said: Said, end: Instant) -> u64 {
        let number = self.next;
        self.next += 1;
        self.orders.entry(Arc::clone(&space)).or_default().insert(number, (end, action.clone()));
        self.entries.insert(action, Entry { number, content, space, said });
        number
    }

    fn remove(&mut self, action: &ActionId) {
        let Some(entry) = self.entries.remove(action) else { return };
        if let Some(order) = self.orders.get_mut(&entry.space) {
            order.remove(&entry.number);
            if order.is_empty() {
                self.orders.remove(&entry.space);
            }
        }
    }

    /// Forgets the first that is answered, if there are as many as there may be.
    /// While one is being done it must not be done again.
    fn make_room(&mut self, space: &Arc<str>, most: usize) {
        let Some(order) = self.orders.get(space).filter(|order| order.len() >= most) else { return };
        let mut first = order.values().map(|(_, action)| action);
        let answered =
            |action: &&ActionId| self.entries.get(*action).is_some_and(|entry| entry.said.borrow().is_some());
        if let Some(action) = first.find(answered).cloned() {
            self.remove(&action);
        }
    }

    fn forget_until(&mut self, now: Instant) {
        let over = |order: &BTreeMap<u64, (Instant, ActionId)>| {
            order.values().take_while(|(end, _)| *end <= now).map(|(_, action)| action.clone()).collect::<Vec<_>>()
        };
        let over: Vec<_> = self.orders.values().flat_map(over).collect();
        over.iter().for_each(|action| self.remove(action));
    }
}

fn lock(table: &Mutex<Table>) -> MutexGuard<'_, Table> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: Duration = Duration::from_secs(10);

    fn answer(body: impl Into<Bytes>) -> Answer {
        Answer { body: body.into(), parcel: None, lasting: true }
    }

    fn claim(ids: &Ids, id: &str, content: u8, now: Instant) -> Result<Claim, Problem> {
        ids.claim(&"token/a".into(), &id.parse().unwrap(), [content; 32], now)
    }

    #[track_caller]
    fn mine(ids: &Ids, id: &str, now: Instant) -> Turn {
        match claim(ids, id, 0, now).unwrap() {
            Claim::Mine(turn, _) => turn,
            Claim::Theirs(_) => panic!("`{id}` is known"),
        }
    }

    async fn theirs(ids: &Ids, id: &str, now: Instant) -> Option<Result<Answer, Problem>> {
        match claim(ids, id, 0, now).unwrap() {
            Claim::Mine(..) => panic!("`{id}` is not known"),
            Claim::Theirs(said) => heard(said).await,
        }
    }

    #[tokio::test]
    async fn who_comes_second_hears_what_the_first_is_told() {
        let (ids, now) = (Ids::new(TIME, 10), Instant::now());
        let turn = mine(&ids, "1", now);
        let Claim::Theirs(said) = claim(&ids, "1", 0, now).unwrap() else { panic!("it is being done") };
        let waiting = tokio::spawn(heard(said));
        assert_eq!(claim(&ids, "1", 1, now).err().unwrap().kind, Kind::IdInUse);
        turn.say(&answer("done"));
        assert_eq!(waiting.await.unwrap().unwrap().unwrap().body, "done");
        assert_eq!(theirs(&ids, "1", now).await.unwrap().unwrap().body, "done");
        assert_eq!(claim(&ids, "1", 1, now).err().unwrap().kind, Kind::IdInUse);
    }

    #[tokio::test]
    async fn what_gave_no_answer_is_another_s() {
        let (ids, now) = (Ids::new(TIME, 10), Instant::now());
        let turn = mine(&ids, "1", now);
        let Claim::Theirs(said) = claim(&ids, "1", 0, now).unwrap() else { panic!("it is being done") };
        drop(turn);
        assert!(heard(said).await.is_none());
        mine(&ids, "1", now).say(&answer("done"));
        assert!(theirs(&ids, "1", now).await.is_some());
    }

    #[tokio::test]
    async fn ids_are_forgotten_in_time_and_number() {
        let (ids, now) = (Ids::new(TIME, 2), Instant::now());
        let slow = mine(&ids, "1", now);
        mine(&ids, "2", now).say(&answer("2"));
        // The first that is answered makes room.
        mine(&ids, "3", now).say(&answer("3"));
        assert!(matches!(claim(&ids, "1", 0, now).unwrap(), Claim::Theirs(_)));
        slow.say(&answer("1"));
        assert!(theirs(&ids, "3", now).await.is_some());
        mine(&ids, "2", now).say(&answer("2"));
        mine(&ids, "3", now + TIME).say(&answer("3"));
        ids.tidy(now + TIME + TIME);
        let table = lock(&ids.table);
        assert!(table.entries.is_empty() && table.orders.is_empty());
    }

    #[tokio::test]
    async fn what_was_decided_before_is_not_decided_again() {
        let (ids, now) = (Ids::new(TIME, 2), Instant::now());
        ids.remember(["1", "2", "3", "1"].map(|id| id.parse().unwrap()).to_vec(), now);
        for id in ["1", "2", "3"] {
            assert_eq!(theirs(&ids, id, now).await.unwrap().err().unwrap().kind, Kind::ResultGone);
        }
        mine(&ids, "4", now).say(&answer("4"));
        mine(&ids, "1", now + TIME).say(&answer("1"));
        assert!(theirs(&ids, "1", now + TIME).await.unwrap().is_ok());
    }

    #[tokio::test]
    async fn a_long_answer_is_not_given_again() {
        let (ids, now) = (Ids::new(TIME, 2), Instant::now());
        mine(&ids, "1", now).say(&answer(vec![b' '; ANSWER_BYTES_MAX + 1]));
        assert_eq!(theirs(&ids, "1", now).await.unwrap().err().unwrap().kind, Kind::ResultGone);
    }
}
