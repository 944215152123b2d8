//! Which messages an entry of a mapping is about.

use crate::node::{Data, Node, Problem};
use crate::scope::{Reference, Scope, Sight, plain};

/// One thing that a message has to say.
#[derive(Debug)]
pub(crate) struct Condition {
    at: Reference,
    test: Test,
}

#[derive(Debug)]
enum Test {
    /// It is one of these, as JSON.
    Is(Vec<String>),
    StartsWith(String),
    Type(Type),
    Exists(bool),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Object,
    List,
    Text,
    Number,
    Bool,
    Null,
}

impl Condition {
    /// Reads the entries of `when`: pointers, each with the value or one of the
    /// values that has to stand there, or with a table that says more.
    pub(crate) fn read_all(node: Node<'_>, scope: &mut Scope) -> Result<Vec<Self>, Problem> {
        let at = node.at;
        let conditions = node.table()?.into_entries().into_iter().map(|(key, node)| {
            let pointer = scope.reference(&key.name).map_err(|message| Problem::new(key.at, message))?;
            if pointer.optional {
                return Err(Problem::new(key.at, "take the `?` away; what is missing is nothing that is compared"));
            }
            Ok(Self { at: pointer, test: Test::read(node)? })
        });
        let conditions: Vec<_> = conditions.collect::<Result<_, _>>()?;
        match conditions.is_empty() {
            true => Err(Problem::new(at, "it has no conditions; leave `when` out, or say what a message has to say")),
            false => Ok(conditions),
        }
    }

    /// Whether it is about a value that is said.
    pub(crate) fn names_a_value(&self) -> bool {
        matches!(self.test, Test::Is(_))
    }

    pub(crate) fn holds(&self, sight: Sight<'_, '_>) -> bool {
        let found = self.at.json(sight).ok().flatten();
        match (&self.test, found) {
            (Test::Exists(wanted), found) => found.is_some() == *wanted,
            (_, None) => false,
            (Test::Is(values), Some(json)) => values.iter().any(|value| same(value, json)),
            (Test::StartsWith(start), Some(json)) => {
                json.starts_with('"') && plain(json).is_some_and(|text| text.starts_with(start))
            }
            (Test::Type(wanted), Some(json)) => Type::of(json) == *wanted,
        }
    }
}

/// Whether two words of JSON mean the same: a text can be written in several ways.
fn same(value: &str, json: &str) -> bool {
    value == json || (value.starts_with('"') && json.starts_with('"') && plain(value) == plain(json))
}

impl Test {
    fn read(node: Node<'_>) -> Result<Self, Problem> {
        match node.data {
            Data::Table(_) => Self::read_table(node),
            Data::List(_) => Ok(Self::Is(node.list()?.into_iter().map(literal).collect::<Result<_, _>>()?)),
            _ => Ok(Self::Is(vec![literal(node)?])),
        }
    }

    fn read_table(node: Node<'_>) -> Result<Self, Problem> {
        const KNOWN: [&str; 3] = ["exists", "starts_with", "type"];
        let at = node.at;
        let mut table = node.table()?;
        let taken = KNOWN.map(|name| table.take(name));
        table.finish(&KNOWN)?;
        match taken {
            [Some(node), None, None] => match &node.data {
                Data::Plain(value) if value == "true" || value == "false" => Ok(Self::Exists(value == "true")),
                _ => Err(node.wants("`true` or `false`")),
            },
            [None, Some(node), None] => node.parse(|text| Ok(Self::StartsWith(text.to_owned()))),
            [None, None, Some(node)] => node.parse(Type::read).map(Self::Type),
            _ => Err(Problem::new(at, "say one of `exists`, `starts_with` and `type`")),
        }
    }
}

fn literal(node: Node<'_>) -> Result<String, Problem> {
    match node.data {
        Data::Plain(json) => Ok(json),
        Data::Text(text) => Ok(crate::value::quoted(&text)),
        Data::List(_) | Data::Table(_) => Err(node.wants("a text, a number or a truth value")),
    }
}

impl Type {
    fn read(name: &str) -> Result<Self, String> {
        Ok(match name {
            "object" => Self::Object,
            "list" => Self::List,
            "text" => Self::Text,
            "number" => Self::Number,
            "bool" => Self::Bool,
            "null" => Self::Null,
            other => {
                return Err(format!("`{other}` is no type; there are object, list, text, number, bool and null"));
            }
        })
    }

    fn of(json: &str) -> Self {
        match json.as_bytes().first() {
            Some(b'{') => Self::Object,
            Some(b'[') => Self::List,
            Some(b'"') => Self::Text,
            Some(b't' | b'f') => Self::Bool,
            Some(b'n') => Self::Null,
            _ => Self::Number,
        }
    }
}
