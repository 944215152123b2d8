//! Settings from the environment and from flags, laid over the file.

use serde::Deserialize as _;
use toml::{Table, Value};

use crate::config::{Config, ConfigError};

/// Environment variables that start with this are settings: `VAK__AUDIT__KEY`
/// sets `audit.key`.
const PREFIX: &str = "VAK__";

/// One setting that replaces what the file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    origin: String,
    path: Vec<String>,
    value: String,
}

impl Override {
    /// The settings in this process's environment, in the order of their names.
    pub fn from_environment() -> Vec<Self> {
        let mut settings: Vec<_> = std::env::vars()
            .filter_map(|(name, value)| {
                let path = name.strip_prefix(PREFIX)?.to_ascii_lowercase();
                let path = path.split("__").map(str::to_owned).collect();
                Some(Self { origin: format!("the environment variable `{name}`"), path, value })
            })
            .collect();
        settings.sort_by(|one, other| one.path.cmp(&other.path));
        settings
    }

    /// A flag's value: `audit.key=log.key`.
    ///
    /// # Errors
    /// There is no `=` in it.
    pub fn from_flag(text: &str) -> Result<Self, ConfigError> {
        let origin = format!("the flag `--set {text}`");
        match text.split_once('=') {
            Some((path, value)) => {
                let path = path.split('.').map(str::to_owned).collect();
                Ok(Self { origin, path, value: value.to_owned() })
            }
            None => Err(ConfigError::Override { origin, message: "write `--set section.key=value`".to_owned() }),
        }
    }

    /// A number, boolean or list where the text reads as one, else a text.
    fn value(&self) -> Value {
        let parsed = toml::from_str::<Table>(&format!("value = {}", self.value)).ok();
        let parsed = parsed.and_then(|mut table| table.remove("value"));
        parsed.unwrap_or_else(|| Value::String(self.value.clone()))
    }

    fn fails(&self, message: impl Into<String>) -> ConfigError {
        ConfigError::Override { origin: self.origin.clone(), message: message.into() }
    }
}

/// Lays the overrides over the file one by one, so that an error names the
/// one that brought it.
pub(crate) fn apply(mut table: Table, overrides: &[Override]) -> Result<Config, ConfigError> {
    let mut config = Config::deserialize(table.clone()).map_err(|error| ConfigError::Override {
        origin: "the configuration".to_owned(),
        message: error.message().to_owned(),
    })?;
    for setting in overrides {
        set(&mut table, setting)?;
        config = Config::deserialize(table.clone()).map_err(|error| setting.fails(error.message()))?;
    }
    Ok(config)
}

fn set(table: &mut Table, setting: &Override) -> Result<(), ConfigError> {
    let Some((key, sections)) = setting.path.split_last() else {
        return Err(setting.fails("names no setting"));
    };
    let mut table = table;
    for section in sections {
        let inner = table.entry(section.clone()).or_insert_with(|| Value::Table(Table::new()));
        table = inner.as_table_mut().ok_or_else(|| {
            setting.fails(format!("`{section}` is a list or a value; only sections can be overridden"))
        })?;
    }
    table.insert(key.clone(), setting.value());
    Ok(())
}
