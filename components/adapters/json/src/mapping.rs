//! What a mapping file says.

use vak_sdk::adapter::{ConfigError, Decision};

use crate::condition::Condition;
use crate::node::{self, Data, Node, Problem, Table};
use crate::pointer::Pointers;
use crate::scope::{Reference, Scope};
use crate::text::Name;
use crate::value::{May, Value};

/// Bytes of a mapping file. No framework has so many kinds of messages.
const BYTES_MAX: usize = 1 << 20;

/// A whole mapping.
#[derive(Debug)]
pub struct Mapping {
    pub(crate) framework: String,
    pub(crate) versions: Vec<String>,
    pub(crate) entries: Vec<Entry>,
}

/// What one kind of message means.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) when: Vec<Condition>,
    /// Its own pointers: where a list is, its items have some too.
    pub(crate) scope: Scope,
    pub(crate) means: Means,
}

#[derive(Debug)]
pub(crate) enum Means {
    Asks(Box<Asks>),
    Tells(Box<Tells>),
    Passes { reply: Value },
}

/// It asks for one action, or for one for each item of a list.
#[derive(Debug)]
pub(crate) struct Asks {
    pub(crate) each: Option<Each>,
    pub(crate) operation: Name,
    pub(crate) resource: Name,
    pub(crate) arguments: Arguments,
    pub(crate) call: Option<Name>,
    pub(crate) session: Option<Name>,
    pub(crate) labels: Vec<Name>,
    pub(crate) replies: Replies,
}

/// The list whose items are meant.
#[derive(Debug)]
pub(crate) struct Each {
    pub(crate) list: Reference,
    /// What is said by items that are not meant.
    pub(crate) skip: Vec<Condition>,
}

/// Where the arguments are.
#[derive(Debug)]
pub(crate) enum Arguments {
    /// An object, or a text that holds one.
    At(Reference),
    /// Put together.
    Of(Value),
}

/// What is answered.
#[derive(Debug)]
pub(crate) struct Replies {
    pub(crate) allow: Value,
    /// Where an allow has other arguments, if it can have any.
    pub(crate) rewrite: Option<Value>,
    pub(crate) deny: Value,
    pub(crate) escalate: Value,
    pub(crate) backtrack: Value,
    /// Around the answers to all items.
    pub(crate) all: Option<Value>,
}

/// It tells how calls ended.
#[derive(Debug)]
pub(crate) struct Tells {
    pub(crate) each: Option<Each>,
    pub(crate) call: Name,
    pub(crate) session: Option<Name>,
    pub(crate) ending: Ending,
    pub(crate) output: Option<Reference>,
    pub(crate) detail: Option<Value>,
    pub(crate) reply: Value,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Ending {
    Succeeded,
    Failed,
    Unknown,
}

impl Mapping {
    /// Reads a mapping file.
    pub(crate) fn read(text: &str) -> Result<Self, ConfigError> {
        if text.len() > BYTES_MAX {
            let message = format!("the mapping has {} bytes; the most is {BYTES_MAX}", text.len());
            return Err(ConfigError { message, line: None, column: None });
        }
        node::read(text).and_then(Self::of).map_err(|problem| located(text, problem))
    }

    fn of(mut table: Table<'_>) -> Result<Self, Problem> {
        let framework = table.need("framework")?.parse(|text| match text.is_empty() {
            true => Err("the name is empty".to_owned()),
            false => Ok(text.to_owned()),
        })?;
        let version = |node: Node<'_>| node.text().map(std::borrow::Cow::into_owned);
        let versions = table.need("versions")?.list()?.into_iter().map(version).collect::<Result<_, _>>()?;
        let entries = table.need("message")?.list()?.into_iter().map(Entry::read).collect::<Result<_, _>>()?;
        table.finish(&["framework", "versions", "message"])?;
        Ok(Self { framework, versions, entries })
    }

    /// Whether every message that asks can be answered with other arguments.
    pub(crate) fn rewrites(&self) -> bool {
        let rewrites = |entry: &Entry| match &entry.means {
            Means::Asks(asks) => asks.replies.rewrite.is_some(),
            Means::Tells(_) | Means::Passes { .. } => true,
        };
        self.entries.iter().all(rewrites)
    }
}

impl Entry {
    fn read(node: Node<'_>) -> Result<Self, Problem> {
        const KNOWN: [&str; 7] = ["name", "when", "asks", "replies", "tells", "passes", "reply"];
        let mut table = node.table()?;
        let (at, mut scope) = (table.at, Scope::default());
        let name = table.need("name")?.text()?.into_owned();
        let when =
            table.take("when").map(|node| Condition::read_all(node, &mut scope)).transpose()?.unwrap_or_default();
        let means = match ["asks", "tells", "passes"].map(|kind| table.take(kind)) {
            [Some(asks), None, None] => {
                let replies = table.need("replies")?;
                Means::Asks(Box::new(Asks::read(asks, replies, &mut scope)?))
            }
            [None, Some(tells), None] => Means::Tells(Box::new(Tells::read(tells, table.take("reply"), &mut scope)?)),
            [None, None, Some(passes)] => {
                match &passes.data {
                    Data::Plain(value) if value == "true" => {}
                    _ => return Err(passes.wants("`true`")),
                }
                // What says nothing that is known could ask for something.
                if !when.iter().any(Condition::names_a_value) {
                    let why = "a message passes by what it says: name a value in `when`";
                    return Err(Problem::new(passes.at, why));
                }
                Means::Passes { reply: reply(table.take("reply"), &mut scope)? }
            }
            _ => return Err(Problem::new(at, format!("`{name}` has to have one of `asks`, `tells` and `passes`"))),
        };
        table.finish(&KNOWN)?;
        Ok(Self { name, when, scope, means })
    }
}

impl Asks {
    fn read(node: Node<'_>, replies: Node<'_>, scope: &mut Scope) -> Result<Self, Problem> {
        const KNOWN: [&str; 8] = ["each", "skip", "operation", "resource", "arguments", "call", "session", "labels"];
        let mut table = node.table()?;
        let each = each(&mut table, scope)?;
        let needed = |node: Node<'_>, scope: &mut Scope| node.parse(|text| Name::read(text, scope, false));
        let asks = Self {
            operation: needed(table.need("operation")?, scope)?,
            resource: needed(table.need("resource")?, scope)?,
            arguments: Arguments::read(table.need("arguments")?, scope)?,
            call: table.take("call").map(|node| name(node, scope)).transpose()?,
            session: table.take("session").map(|node| name(node, scope)).transpose()?,
            labels: match table.take("labels") {
                Some(labels) => labels.list()?.into_iter().map(|node| name(node, scope)).collect::<Result<_, _>>()?,
                None => Vec::new(),
            },
            replies: Replies::read(replies, scope, each.is_some())?,
            each,
        };
        table.finish(&KNOWN)?;
        Ok(asks)
    }
}

impl Arguments {
    fn read(node: Node<'_>, scope: &mut Scope) -> Result<Self, Problem> {
        match node.data {
            Data::Text(_) => node.parse(|text| scope.reference(text)).map(Self::At),
            Data::Table(_) => Value::read(node, scope, May::Said).map(Self::Of),
            _ => Err(node.wants("a pointer to the arguments, or a table of them")),
        }
    }
}

impl Replies {
    fn read(node: Node<'_>, scope: &mut Scope, each: bool) -> Result<Self, Problem> {
        const KNOWN: [&str; 6] = ["allow", "rewrite", "deny", "escalate", "backtrack", "all"];
        let mut table = node.table()?;
        let mut places = Vec::new();
        let mut answer = |node: Node<'_>, scope: &mut Scope| {
            places.push(node.at);
            Value::read(node, scope, May::Answered)
        };
        let allow = answer(table.need("allow")?, scope)?;
        let rewrite = match table.take("rewrite") {
            Some(node) => {
                let at = node.at;
                let rewrite = answer(node, scope)?;
                if !rewrite.has_arguments() {
                    return Err(Problem::new(at, "`rewrite` has no `{arguments}`, so the others would be carried out"));
                }
                Some(rewrite)
            }
            None => allow.has_arguments().then(|| allow.clone()),
        };
        let deny_node = table.need("deny")?;
        let deny_at = deny_node.at;
        let deny = answer(deny_node, scope)?;
        let escalate = table.take("escalate").map(|node| answer(node, scope)).transpose()?;
        let backtrack = table.take("backtrack").map(|node| answer(node, scope)).transpose()?;
        let all = match table.take("all") {
            Some(node) if !each => return Err(Problem::new(node.at, "`all` is for `each`, which is not there")),
            Some(node) => {
                let at = node.at;
                let all = of_message(scope, |scope| Value::read(node, scope, May::Gathered))?;
                match all.has_answers() {
                    true => Some(all),
                    false => return Err(Problem::new(at, "`all` has no `{answers}`, so nobody would see them")),
                }
            }
            None => None,
        };
        table.finish(&KNOWN)?;
        let (escalate, backtrack) =
            (escalate.unwrap_or_else(|| deny.clone()), backtrack.unwrap_or_else(|| deny.clone()));
        let replies = Self { allow, rewrite, deny, escalate, backtrack, all };
        replies.are_told_apart().map_err(|message| Problem::new(deny_at, message))?;
        Ok(replies)
    }

    /// No message may make a deny read like an allow.
    fn are_told_apart(&self) -> Result<(), String> {
        let stricter = [
            ("deny", &self.deny, Decision::Deny),
            ("escalate", &self.escalate, Decision::Escalate),
            ("backtrack", &self.backtrack, Decision::Backtrack),
        ];
        for allow in std::iter::once(&self.allow).chain(&self.rewrite) {
            for (name, value, decision) in stricter {
                if !value.differs(decision, allow, Decision::Allow) {
                    return Err(format!(
                        "`{name}` could read like an allow; have a member in both with a constant that is another"
                    ));
                }
            }
        }
        Ok(())
    }
}

impl Tells {
    fn read(node: Node<'_>, answer: Option<Node<'_>>, scope: &mut Scope) -> Result<Self, Problem> {
        const KNOWN: [&str; 7] = ["each", "skip", "call", "session", "ending", "output", "detail"];
        let mut table = node.table()?;
        let tells = Self {
            each: each(&mut table, scope)?,
            call: name(table.need("call")?, scope)?,
            session: table.take("session").map(|node| name(node, scope)).transpose()?,
            ending: table.need("ending")?.parse(|text| match text {
                "succeeded" => Ok(Ending::Succeeded),
                "failed" => Ok(Ending::Failed),
                "unknown" => Ok(Ending::Unknown),
                other => Err(format!("`{other}` is no ending; there are succeeded, failed and unknown")),
            })?,
            output: table.take("output").map(|node| node.parse(|text| scope.reference(text))).transpose()?,
            detail: table.take("detail").map(|node| Value::read(node, scope, May::Said)).transpose()?,
            reply: reply(answer, scope)?,
        };
        table.finish(&KNOWN)?;
        Ok(tells)
    }
}

fn each(table: &mut Table<'_>, scope: &mut Scope) -> Result<Option<Each>, Problem> {
    let list = table.take("each").map(|node| node.parse(|text| scope.reference(text))).transpose()?;
    scope.item = list.is_some().then(Pointers::default);
    let skip = match (&list, table.take("skip")) {
        (None, Some(node)) => return Err(Problem::new(node.at, "`skip` is for `each`, which is not there")),
        (Some(_), Some(node)) => {
            let at = node.at;
            let skip = Condition::read_all(node, scope)?;
            if !skip.iter().any(Condition::names_a_value) {
                return Err(Problem::new(at, "an item is skipped for what it says: name a value"));
            }
            skip
        }
        (_, None) => Vec::new(),
    };
    Ok(list.map(|list| Each { list, skip }))
}

fn name(node: Node<'_>, scope: &mut Scope) -> Result<Name, Problem> {
    node.parse(|text| Name::read(text, scope, true))
}

fn reply(node: Option<Node<'_>>, scope: &mut Scope) -> Result<Value, Problem> {
    match node {
        Some(node) => of_message(scope, |scope| Value::read(node, scope, May::Said)),
        None => Ok(Value::Table(Vec::new())),
    }
}

/// Reads what is about the message as a whole, so that it can't be about an item.
fn of_message<T>(scope: &mut Scope, read: impl FnOnce(&mut Scope) -> T) -> T {
    let item = scope.item.take();
    let read = read(scope);
    scope.item = item;
    read
}

fn located(text: &str, problem: Problem) -> ConfigError {
    // A reader may complain of a byte inside a character.
    let before = &text[..text.floor_char_boundary(problem.at)];
    let number = |count: usize| Some(u32::try_from(count).unwrap_or(u32::MAX));
    ConfigError {
        message: problem.message,
        line: number(before.matches('\n').count() + 1),
        column: number(before.rsplit('\n').next().unwrap_or("").chars().count() + 1),
    }
}
