//! What Python asks for, read once and checked before anybody is asked.

use std::collections::BTreeMap;
use std::str::FromStr;

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyInt, PyList, PyString, PyTuple};
use vak::{Able, AgentId, Json, Label, Name, SessionId};
use vak_types::{AttributeValue, Operation, Resource};

use crate::convert;
use crate::errors::Error;

/// An action that is to be decided, before it has a session.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) agent: AgentId,
    pub(crate) session: Option<SessionId>,
    pub(crate) operation: Operation,
    pub(crate) resource: Resource,
    pub(crate) arguments: Json,
    pub(crate) attributes: BTreeMap<String, AttributeValue>,
    pub(crate) labels: Vec<Label>,
    pub(crate) able: Able,
}

/// A skill that is to be run.
#[derive(Debug)]
pub(crate) struct Execute {
    pub(crate) agent: AgentId,
    pub(crate) session: Option<SessionId>,
    pub(crate) skill: Name,
    pub(crate) input: Json,
    pub(crate) labels: Vec<Label>,
}

/// A framework's message.
#[derive(Debug)]
pub(crate) struct Ingest {
    pub(crate) adapter: Name,
    pub(crate) agent: AgentId,
    pub(crate) session: Option<SessionId>,
    pub(crate) attributes: BTreeMap<String, AttributeValue>,
    pub(crate) labels: Vec<Label>,
    pub(crate) event: Json,
}

/// What Python may leave out.
pub(crate) struct Optional<'a, 'py> {
    pub(crate) session: Option<&'a str>,
    pub(crate) attributes: Option<&'a Bound<'py, PyAny>>,
    pub(crate) labels: Option<&'a Bound<'py, PyAny>>,
    pub(crate) able: Option<&'a Bound<'py, PyAny>>,
}

impl Asked {
    pub(crate) fn read(
        agent: &str,
        operation: &str,
        resource: &str,
        arguments: Option<&Bound<'_, PyAny>>,
        optional: &Optional<'_, '_>,
    ) -> Result<Self, Error> {
        Ok(Self {
            agent: text(agent)?,
            session: optional.session.map(text).transpose()?,
            operation: text(operation)?,
            resource: text(resource)?,
            arguments: arguments.map_or_else(|| Ok(Json::default()), |object| convert::json(object, "`arguments`"))?,
            attributes: optional.attributes.map(attributes).transpose()?.unwrap_or_default(),
            labels: optional.labels.map(labels).transpose()?.unwrap_or_default(),
            able: able(optional.able)?,
        })
    }
}

impl Execute {
    pub(crate) fn read(
        agent: &str,
        skill: &str,
        input: Option<&Bound<'_, PyAny>>,
        session: Option<&str>,
        given: Option<&Bound<'_, PyAny>>,
    ) -> Result<Self, Error> {
        Ok(Self {
            agent: text(agent)?,
            session: session.map(text).transpose()?,
            skill: text(skill)?,
            input: input.map_or_else(|| Ok(Json::default()), |object| convert::json(object, "`input`"))?,
            labels: given.map(labels).transpose()?.unwrap_or_default(),
        })
    }
}

impl Ingest {
    pub(crate) fn read(
        adapter: &str,
        agent: &str,
        event: &Bound<'_, PyAny>,
        optional: &Optional<'_, '_>,
    ) -> Result<Self, Error> {
        Ok(Self {
            adapter: text(adapter)?,
            agent: text(agent)?,
            session: optional.session.map(text).transpose()?,
            attributes: optional.attributes.map(attributes).transpose()?.unwrap_or_default(),
            labels: optional.labels.map(labels).transpose()?.unwrap_or_default(),
            event: convert::json(event, "`event`")?,
        })
    }
}

/// One of the checked texts.
pub(crate) fn text<T: FromStr<Err = vak_types::TextError>>(text: &str) -> Result<T, Error> {
    text.parse().map_err(Error::argument)
}

/// What whoever asks sees to.
pub(crate) fn able(words: Option<&Bound<'_, PyAny>>) -> Result<Able, Error> {
    let mut able = Able::default();
    let Some(words) = words else { return Ok(able) };
    for word in texts(words, "`able`")? {
        match word.as_str() {
            "arguments" => able.arguments = true,
            "headers" => able.headers = true,
            _ => return Err(Error::argument("`able` takes the words `arguments` and `headers`")),
        }
    }
    Ok(able)
}

fn labels(given: &Bound<'_, PyAny>) -> Result<Vec<Label>, Error> {
    texts(given, "`labels`")?.iter().map(|label| text(label)).collect()
}

fn attributes(given: &Bound<'_, PyAny>) -> Result<BTreeMap<String, AttributeValue>, Error> {
    let dict = given.cast::<PyDict>().map_err(|_| Error::argument("`attributes` has to be a dict"))?;
    let mut attributes = BTreeMap::new();
    for (key, value) in dict.iter() {
        let key = key.extract::<String>().map_err(|_| Error::argument("a key of `attributes` is no text"))?;
        let value = attribute(&key, &value)?;
        attributes.insert(key, value);
    }
    Ok(attributes)
}

fn attribute(key: &str, value: &Bound<'_, PyAny>) -> Result<AttributeValue, Error> {
    if let Ok(value) = value.cast::<PyBool>() {
        return Ok(AttributeValue::Boolean(value.is_true()));
    }
    let what = || format!("the attribute `{}`", vak_types::printable(key, 64));
    if value.is_instance_of::<PyInt>() {
        let number = value.extract().map(AttributeValue::Integer);
        return number.map_err(|_| Error::Argument(format!("{}: it is a whole number of more than 64 bits", what())));
    }
    if value.is_instance_of::<PyString>() {
        let text = value.extract().map(AttributeValue::Text);
        return text.map_err(|_| Error::Argument(format!("{}: it has half of a surrogate pair", what())));
    }
    texts(value, &what()).map(AttributeValue::Texts)
}

/// A list or tuple of texts. A text alone is none: its letters would be.
fn texts(given: &Bound<'_, PyAny>, what: &str) -> Result<Vec<String>, Error> {
    let refused = || Error::Argument(format!("{what} has to be a list or tuple of texts"));
    match given.is_instance_of::<PyList>() || given.is_instance_of::<PyTuple>() {
        true => given.extract().map_err(|_| refused()),
        false => Err(refused()),
    }
}
