//! A skill that keeps notes as files in `/notes`, the folder that it was
//! granted: `{"operation": "write", "name": "plan.md", "text": "…"}`. A note has a
//! name and no path, and is a regular file.

mod name;
mod schema;
mod store;

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Value, json};
use vak_sdk::skill::{Skill, SkillError, Tool};

use name::NoteName;
use store::{Store, StoreError};

/// Where the granted folder is seen.
const FOLDER: &str = "/notes";

#[derive(Default)]
struct Notes;

#[derive(Debug, Deserialize)]
#[serde(tag = "operation", rename_all = "lowercase", deny_unknown_fields)]
enum Input {
    List {},
    Read { name: NoteName },
    Write { name: NoteName, text: String },
    Append { name: NoteName, text: String },
    Remove { name: NoteName },
    Search { text: String },
}

impl Skill for Notes {
    fn describe(&self) -> Tool {
        schema::tool()
    }

    fn invoke(&self, input: &str) -> Result<String, SkillError> {
        let input: Input = serde_json::from_str(input).map_err(|error| SkillError::InvalidInput(error.to_string()))?;
        let store = Store::at(PathBuf::from(FOLDER));
        run(&store, &input).map(|told| told.to_string()).map_err(|error| match error {
            StoreError::TooLong { .. } | StoreError::Nothing => SkillError::InvalidInput(error.to_string()),
            _ => SkillError::Failed(error.to_string()),
        })
    }
}

fn run(store: &Store, input: &Input) -> Result<Value, StoreError> {
    Ok(match input {
        Input::List {} => {
            let notes = store.list()?;
            json!({ "notes": notes.iter().map(|(name, bytes)| json!({ "name": name, "bytes": bytes })).collect::<Vec<_>>() })
        }
        Input::Read { name } => json!({ "text": store.read(name)? }),
        Input::Write { name, text } => json!({ "bytes": store.write(name, text)? }),
        Input::Append { name, text } => json!({ "bytes": store.append(name, text)? }),
        Input::Remove { name } => {
            store.remove(name)?;
            json!({ "removed": name.as_str() })
        }
        Input::Search { text } => {
            let (found, more) = store.search(text)?;
            let found = found.iter().map(|found| json!({ "name": found.name, "line": found.line, "text": found.text }));
            json!({ "found": found.collect::<Vec<_>>(), "more": more })
        }
    })
}

vak_sdk::export_skill!(Notes);
