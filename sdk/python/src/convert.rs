//! Python's objects as JSON, and back.
//!
//! What reads differently to different readers is refused and not guessed: keys
//! that are no texts, numbers that JSON does not have, halves of characters. A
//! `dict` has each key once, so nothing can stand twice. Nothing of Python's runs
//! while an object is read, so it can't change meanwhile.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use serde_json::{Map, Number, Value};
use vak::Json;
use vak_types::printable;

use crate::errors::Error;

/// Longest path into an object that is quoted, in bytes.
const PATH_BYTES_MAX: usize = 256;

/// `object` as a document. `what` names it to whoever gave it.
pub(crate) fn json(object: &Bound<'_, PyAny>, what: &str) -> Result<Json, Error> {
    let mut reader = Reader { bytes_left: Json::BYTES_MAX };
    let value = reader.value(object, 0).map_err(|bad| bad.told(what))?;
    // Escapes make a text longer than it was counted.
    Json::from_value(&value).map_err(|error| Error::Argument(format!("{what}: {error}")))
}

/// A document as Python's own objects, new ones each time.
pub(crate) fn object<'py>(py: Python<'py>, json: &Json) -> PyResult<Bound<'py, PyAny>> {
    of_value(py, &json.to_value())
}

/// A tree as Python's own objects.
pub(crate) fn of_value<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(value) => PyBool::new(py, *value).to_owned().into_any(),
        Value::Number(number) => of_number(py, number)?,
        Value::String(text) => PyString::new(py, text).into_any(),
        Value::Array(items) => {
            let items = items.iter().map(|item| of_value(py, item)).collect::<PyResult<Vec<_>>>()?;
            PyList::new(py, items)?.into_any()
        }
        Value::Object(members) => {
            let dict = PyDict::new(py);
            for (key, value) in members {
                dict.set_item(key, of_value(py, value)?)?;
            }
            dict.into_any()
        }
    })
}

fn of_number<'py>(py: Python<'py>, number: &Number) -> PyResult<Bound<'py, PyAny>> {
    Ok(match (number.as_i64(), number.as_u64(), number.as_f64()) {
        (Some(number), ..) => number.into_pyobject(py)?.into_any(),
        (_, Some(number), _) => number.into_pyobject(py)?.into_any(),
        (.., number) => number.into_pyobject(py)?.into_any(),
    })
}

/// What of an object is no JSON, and where: the path from there to the top.
struct Bad {
    why: String,
    path: Vec<String>,
}

impl Bad {
    fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), path: Vec::new() }
    }

    fn below(mut self, step: &impl ToString) -> Self {
        self.path.push(step.to_string());
        self
    }

    fn told(self, what: &str) -> Error {
        let path: String = self.path.iter().rev().flat_map(|step| ["/", step]).collect();
        let place = match path.as_str() {
            "" => String::new(),
            path => format!(" at `{}`", printable(path, PATH_BYTES_MAX)),
        };
        Error::Argument(format!("{what}{place}: {}", self.why))
    }
}

struct Reader {
    /// Counted on the way, so that what is far too large is not copied first.
    bytes_left: usize,
}

impl Reader {
    fn value(&mut self, object: &Bound<'_, PyAny>, depth: usize) -> Result<Value, Bad> {
        self.take(1)?;
        if let Ok(text) = object.cast::<PyString>() {
            return self.text(text).map(Value::String);
        }
        if object.is_none() {
            return Ok(Value::Null);
        }
        // Before whole numbers: `True` is one of those too.
        if let Ok(value) = object.cast::<PyBool>() {
            return Ok(Value::Bool(value.is_true()));
        }
        if object.is_instance_of::<PyInt>() {
            return whole(object);
        }
        if let Ok(number) = object.cast::<PyFloat>() {
            let number = number.value();
            let refused = || Bad::new(format!("JSON has no number `{number}`"));
            return Number::from_f64(number).map(Value::Number).ok_or_else(refused);
        }
        self.deeper(object, depth)
    }

    fn deeper(&mut self, object: &Bound<'_, PyAny>, depth: usize) -> Result<Value, Bad> {
        let inside = || match depth < Json::DEPTH_MAX {
            true => Ok(depth + 1),
            false => Err(Bad::new(format!("it is nested deeper than {} levels, or contains itself", Json::DEPTH_MAX))),
        };
        if let Ok(dict) = object.cast::<PyDict>() {
            return self.members(dict, inside()?);
        }
        if let Ok(list) = object.cast::<PyList>() {
            return self.items(list.iter(), inside()?);
        }
        if let Ok(tuple) = object.cast::<PyTuple>() {
            return self.items(tuple.iter(), inside()?);
        }
        let class = object.get_type().name().map_or_else(|_| "?".to_owned(), |name| name.to_string());
        Err(Bad::new(format!(
            "`{}` is no JSON; give texts, numbers, booleans, None, lists, tuples and dicts",
            printable(&class, PATH_BYTES_MAX)
        )))
    }

    fn members(&mut self, dict: &Bound<'_, PyDict>, depth: usize) -> Result<Value, Bad> {
        let mut members = Map::new();
        for (key, value) in dict.iter() {
            let Ok(key) = key.cast::<PyString>() else {
                let shown = key.get_type().name().map_or_else(|_| "?".to_owned(), |name| name.to_string());
                return Err(Bad::new(format!("a key is a `{}`; JSON's are texts", printable(&shown, PATH_BYTES_MAX))));
            };
            let key = self.text(key)?;
            let value = self.value(&value, depth).map_err(|bad| bad.below(&key))?;
            if members.contains_key(&key) {
                // Two keys can be the same text where a class says that they differ.
                return Err(Bad::new("two of its keys are the same text").below(&key));
            }
            members.insert(key, value);
        }
        Ok(Value::Object(members))
    }

    fn items<'py>(&mut self, items: impl Iterator<Item = Bound<'py, PyAny>>, depth: usize) -> Result<Value, Bad> {
        let mut array = Vec::new();
        for (at, item) in items.enumerate() {
            array.push(self.value(&item, depth).map_err(|bad| bad.below(&at))?);
        }
        Ok(Value::Array(array))
    }

    fn text(&mut self, text: &Bound<'_, PyString>) -> Result<String, Bad> {
        let text = text.to_str().map_err(|_| Bad::new("a text has half of a surrogate pair, which is no character"))?;
        self.take(text.len() + 2)?;
        Ok(text.to_owned())
    }

    fn take(&mut self, bytes: usize) -> Result<(), Bad> {
        let too_long = || Bad::new(format!("it is longer than {} bytes", Json::BYTES_MAX));
        self.bytes_left = self.bytes_left.checked_sub(bytes).ok_or_else(too_long)?;
        Ok(())
    }
}

/// Only for `int` and what is derived of it, of which nothing is called.
fn whole(object: &Bound<'_, PyAny>) -> Result<Value, Bad> {
    if let Ok(number) = object.extract::<i64>() {
        return Ok(number.into());
    }
    match object.extract::<u64>() {
        Ok(number) => Ok(number.into()),
        Err(_) => Err(Bad::new("it is a whole number of more than 64 bits; give it as a text")),
    }
}
