//! A configuration as values that know where they stand.

use std::borrow::Cow;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Entries of a list or table. No mapping that somebody reads is larger.
const ENTRIES_MAX: usize = 256;

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
    /// `true`, `false` or a number, as JSON.
    Plain(String),
    Text(Cow<'a, str>),
    List(Vec<Node<'a>>),
    Table(Vec<(Key<'a>, Node<'a>)>),
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

/// Reads a TOML text.
pub(crate) fn read(text: &str) -> Result<Table<'_>, Problem> {
    let table = DeTable::parse(text)
        .map_err(|error| Problem::new(error.span().map_or(0, |span| span.start), error.message()))?;
    Ok(Table { at: 0, entries: entries(table.into_inner())? })
}

fn entries(table: DeTable<'_>) -> Result<Vec<(Key<'_>, Node<'_>)>, Problem> {
    let entry =
        |(key, value): (Spanned<_>, _)| Ok((Key { at: key.span().start, name: key.into_inner() }, node(value)?));
    table.into_iter().map(entry).collect()
}

fn node(value: Spanned<DeValue<'_>>) -> Result<Node<'_>, Problem> {
    let at = value.span().start;
    let number = |text: &str| match serde_json::from_str::<serde_json::Number>(text) {
        Ok(number) => Ok(Data::Plain(number.to_string())),
        Err(_) => Err(Problem::new(at, "JSON has no such number")),
    };
    let data = match value.into_inner() {
        DeValue::String(text) => Data::Text(text),
        DeValue::Boolean(value) => Data::Plain(value.to_string()),
        DeValue::Integer(integer) if integer.radix() == 10 => number(integer.as_str().trim_start_matches('+'))?,
        DeValue::Integer(_) => return Err(Problem::new(at, "write the number in decimal, as JSON does")),
        DeValue::Float(float) => number(float.as_str().trim_start_matches('+'))?,
        DeValue::Datetime(_) => return Err(Problem::new(at, "JSON has no dates; write a text")),
        DeValue::Array(items) => Data::List(items.into_iter().map(node).collect::<Result<_, _>>()?),
        DeValue::Table(table) => Data::Table(entries(table)?),
    };
    Ok(Node { at, data })
}

impl<'a> Node<'a> {
    pub(crate) fn wants(&self, wanted: &str) -> Problem {
        let found = match &self.data {
            Data::Plain(value) => value,
            Data::Text(_) => "a text",
            Data::List(_) => "a list",
            Data::Table(_) => "a table",
        };
        Problem::new(self.at, format!("wants {wanted}, found {found}"))
    }

    pub(crate) fn text(self) -> Result<Cow<'a, str>, Problem> {
        match self.data {
            Data::Text(text) => Ok(text),
            _ => Err(self.wants("a text")),
        }
    }

    /// A list, which has entries.
    pub(crate) fn list(self) -> Result<Vec<Self>, Problem> {
        match self.data {
            Data::List(list) if list.is_empty() => Err(Problem::new(self.at, "the list is empty")),
            Data::List(list) if list.len() > ENTRIES_MAX => {
                Err(Problem::new(self.at, format!("a list of {}; the most is {ENTRIES_MAX}", list.len())))
            }
            Data::List(list) => Ok(list),
            _ => Err(self.wants("a list")),
        }
    }

    pub(crate) fn table(self) -> Result<Table<'a>, Problem> {
        match self.data {
            Data::Table(entries) if entries.len() > ENTRIES_MAX => {
                Err(Problem::new(self.at, format!("a table of {}; the most is {ENTRIES_MAX}", entries.len())))
            }
            Data::Table(entries) => Ok(Table { at: self.at, entries }),
            _ => Err(self.wants("a table")),
        }
    }

    /// What `read` makes of a text, whose complaint is about this place.
    pub(crate) fn parse<T>(self, read: impl FnOnce(&str) -> Result<T, String>) -> Result<T, Problem> {
        let at = self.at;
        read(&self.text()?).map_err(|message| Problem { at, message })
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

    pub(crate) fn into_entries(self) -> Vec<(Key<'a>, Node<'a>)> {
        self.entries
    }

    /// Complains about what nobody took.
    pub(crate) fn finish(self, known: &[&str]) -> Result<(), Problem> {
        let Some((key, _)) = self.entries.iter().min_by_key(|(key, _)| key.at) else { return Ok(()) };
        let names: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
        Err(Problem::new(key.at, format!("unknown field `{}`; there are {}", key.name, names.join(", "))))
    }
}
