//! A configuration as values that know where they stand, whichever text they
//! were read from.

use std::borrow::Cow;

use crate::number::Number;

/// Bytes of a text in a configuration. The host cuts reasons there, and names
/// and patterns that long are not read by anybody.
pub(crate) const TEXT_BYTES_MAX: usize = 1_024;

/// Entries of a list. Each may be looked at in a call.
pub(crate) const LIST_MAX: usize = 256;

/// What is wrong, and at which byte of the text.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) at: usize,
    pub(crate) message: String,
}

/// A value and the byte it starts at.
#[derive(Debug)]
pub(crate) struct Node<'a> {
    pub(crate) at: usize,
    pub(crate) data: Data<'a>,
}

#[derive(Debug)]
pub(crate) enum Data<'a> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'a, str>),
    List(Vec<Node<'a>>),
    Table(Vec<(Key<'a>, Node<'a>)>),
    /// A TOML date or time, which JSON does not have.
    Date,
}

/// The name of an entry and the byte it starts at.
#[derive(Debug)]
pub(crate) struct Key<'a> {
    pub(crate) at: usize,
    pub(crate) name: Cow<'a, str>,
}

/// The entries of a table that were not taken yet.
#[derive(Debug)]
pub(crate) struct Table<'a> {
    pub(crate) at: usize,
    entries: Vec<(Key<'a>, Node<'a>)>,
}

impl Problem {
    pub(crate) fn new(at: usize, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }
}

impl<'a> Node<'a> {
    fn wanted(&self, wanted: &str) -> Problem {
        let found = match self.data {
            Data::Null => "null",
            Data::Bool(_) => "a boolean",
            Data::Number(_) => "a number",
            Data::Text(_) => "a text",
            Data::List(_) => "a list",
            Data::Table(_) => "a table",
            Data::Date => "a date",
        };
        Problem::new(self.at, format!("wants {wanted}, found {found}"))
    }

    pub(crate) fn text(self) -> Result<Cow<'a, str>, Problem> {
        match self.data {
            Data::Text(text) => match text.len() > TEXT_BYTES_MAX {
                true => {
                    Err(Problem::new(self.at, format!("a text of {} bytes; the most is {TEXT_BYTES_MAX}", text.len())))
                }
                false => Ok(text),
            },
            _ => Err(self.wanted("a text")),
        }
    }

    pub(crate) fn bool(self) -> Result<bool, Problem> {
        match self.data {
            Data::Bool(value) => Ok(value),
            _ => Err(self.wanted("`true` or `false`")),
        }
    }

    pub(crate) fn number(self) -> Result<Number, Problem> {
        match self.data {
            Data::Number(number) => Ok(number),
            _ => Err(self.wanted("a number")),
        }
    }

    /// A list, which has entries: an empty one reads as "none" to some and as
    /// "any" to others.
    pub(crate) fn list(self) -> Result<Vec<Node<'a>>, Problem> {
        match self.data {
            Data::List(list) if list.is_empty() => {
                Err(Problem::new(self.at, "the list is empty; leave it out, or say what is in it"))
            }
            Data::List(list) if list.len() > LIST_MAX => {
                Err(Problem::new(self.at, format!("a list of {}; the most is {LIST_MAX}", list.len())))
            }
            Data::List(list) => Ok(list),
            _ => Err(self.wanted("a list")),
        }
    }

    pub(crate) fn table(self) -> Result<Table<'a>, Problem> {
        match self.data {
            Data::Table(entries) => Ok(Table { at: self.at, entries }),
            _ => Err(self.wanted("a table")),
        }
    }

    /// Itself as a list of one, where one or several are fine.
    pub(crate) fn listed(self) -> Self {
        match self.data {
            Data::List(_) => self,
            _ => Self { at: self.at, data: Data::List(vec![self]) },
        }
    }

    /// What `read` makes of each entry of a list.
    pub(crate) fn each<T>(self, mut read: impl FnMut(Node<'a>) -> Result<T, Problem>) -> Result<Box<[T]>, Problem> {
        self.list()?.into_iter().map(&mut read).collect()
    }

    /// What `read` makes of a text, whose complaint is about this place.
    pub(crate) fn parse<T>(self, read: impl FnOnce(&str) -> Result<T, String>) -> Result<T, Problem> {
        let at = self.at;
        let text = self.text()?;
        read(&text).map_err(|message| Problem { at, message })
    }
}

impl<'a> Table<'a> {
    pub(crate) fn take(&mut self, name: &str) -> Option<Node<'a>> {
        let at = self.entries.iter().position(|(key, _)| key.name == name)?;
        Some(self.entries.swap_remove(at).1)
    }

    pub(crate) fn need(&mut self, name: &str) -> Result<Node<'a>, Problem> {
        self.take(name).ok_or_else(|| Problem::new(self.at, format!("missing field `{name}`")))
    }

    pub(crate) fn text(&mut self, name: &str) -> Result<Cow<'a, str>, Problem> {
        self.take(name).map_or(Ok(Cow::Borrowed("")), Node::text)
    }

    pub(crate) fn flag(&mut self, name: &str) -> Result<Option<bool>, Problem> {
        self.take(name).map(Node::bool).transpose()
    }

    /// The names that were not taken yet.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(key, _)| &*key.name)
    }

    /// Whether a table stands under `name`.
    pub(crate) fn has_table(&self, name: &str) -> bool {
        self.entries.iter().any(|(key, node)| key.name == name && matches!(node.data, Data::Table(_)))
    }

    /// Where the first of `names` stands.
    pub(crate) fn place(&self, names: &[&str]) -> usize {
        let keys = self.entries.iter().map(|(key, _)| key).filter(|key| names.contains(&&*key.name));
        keys.map(|key| key.at).min().unwrap_or(self.at)
    }

    /// Complains about what nobody took.
    pub(crate) fn finish(self, known: &[&str]) -> Result<(), Problem> {
        match self.entries.is_empty() {
            true => Ok(()),
            false => Err(self.unknown(known)),
        }
    }

    /// The first field that is not in `known`, or does not belong here.
    pub(crate) fn unknown(&self, known: &[&str]) -> Problem {
        let keys = self.entries.iter().map(|(key, _)| key);
        let key = keys.min_by_key(|key| (known.contains(&&*key.name), key.at));
        let (at, name) = key.map_or((self.at, ""), |key| (key.at, &*key.name));
        match known.contains(&name) {
            true => Problem::new(at, format!("`{name}` does not belong here")),
            false => Problem::new(at, format!("unknown field `{name}`, expected {}", listed(known))),
        }
    }
}

/// `a`, `b` or `c`.
pub(crate) fn listed(names: &[&str]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => quoted.concat(),
    }
}
