//! What a component says of itself.

use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use vak_types::{Capability, Json, Kind, LimitSettings, Name, Requested, Right, printable};

use crate::bundle::QUOTE_BYTES_MAX;

/// A manifest is a page of text and some schemas at the most.
pub(crate) const BYTES_MAX: usize = 256 * 1024;

/// Longest description, in bytes: a paragraph.
const DESCRIPTION_BYTES_MAX: usize = 2_048;

/// Longest licence expression or interface name, in bytes.
const WORD_BYTES_MAX: usize = 256;

/// Longest address of the sources, in bytes.
const SOURCE_BYTES_MAX: usize = 1_024;

/// Longest schema, in bytes: agents are shown those of tools.
const SCHEMA_BYTES_MAX: usize = 64 * 1024;

/// Longest description of a tool, in bytes: it goes into every prompt.
const TOOL_DESCRIPTION_BYTES_MAX: usize = 4_096;

/// Most rights of one kind. A component that needs more asks for a wider one.
const RIGHTS_MAX: usize = 64;

/// Why a manifest was refused.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Not the TOML that a manifest is written in.
    #[error("the manifest is not valid: {0}")]
    Toml(#[from] toml::de::Error),
    /// Not the JSON that a packed manifest is.
    #[error("the packed manifest is not valid: {}", printable(&.0.to_string(), QUOTE_BYTES_MAX))]
    Json(#[from] serde_json::Error),
    /// A field or the whole is too long.
    #[error("the manifest's {field} has {bytes} bytes; the most is {bytes_max}")]
    TooLong {
        /// Which part.
        field: &'static str,
        /// Its length.
        bytes: usize,
        /// The longest allowed.
        bytes_max: usize,
    },
    /// The packed bytes are not the one way to write this manifest.
    #[error("the packed manifest is not in canonical form; pack it again")]
    NotCanonical,
    /// The interface is not one of this kind that the host knows.
    #[error("the manifest says the interface `{found}`; a {kind} for this host has `{expected}`")]
    Interface {
        /// What it says.
        found: String,
        /// Its kind.
        kind: Kind,
        /// What this host calls.
        expected: &'static str,
    },
    /// A kind asks for what it can never have.
    #[error("a {kind} can't ask for `{capability}`: its answers depend on its input alone; remove it from [grants]")]
    Ceiling {
        /// Its kind.
        kind: Kind,
        /// What it asks for.
        capability: Capability,
    },
    /// A name that is a path on some systems, or hides a file.
    #[error("the name `{0}` must begin with a letter or digit and have no `..` in it")]
    Name(Name),
    /// More rights than anybody could weigh.
    #[error("the manifest asks for {count} rights; the most is {RIGHTS_MAX} of each kind; ask for wider ones")]
    TooManyRights {
        /// How many of one kind.
        count: usize,
    },
    /// A text that could deceive whoever reads it.
    #[error("the manifest's {field} has a control character or one that hides text; remove it")]
    Deceptive {
        /// Which part.
        field: &'static str,
    },
    /// A schema that is none.
    #[error("the manifest's {field} is not a JSON object")]
    NotASchema {
        /// Which part.
        field: &'static str,
    },
    /// Only skills are tools.
    #[error("a {kind} has no [tool]; only a skill has")]
    NoTool {
        /// Its kind.
        kind: Kind,
    },
}

/// What a component says of itself. Written as `vak-component.toml`, packed as
/// canonical JSON. What it asks for is a request: the operator decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// What it is called.
    pub name: Name,
    /// Its semantic version.
    #[serde(with = "version_text")]
    pub version: Version,
    /// What it is. Must agree with the interface that it exports.
    pub kind: Kind,
    /// The interface that it exports, with its version. That of its kind if the
    /// author leaves it out.
    #[serde(default)]
    pub interface: String,
    /// What it does.
    pub description: String,
    /// An SPDX licence expression.
    pub license: String,
    /// Where its sources are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Rights it asks for. An import that is not covered by one is refused.
    #[serde(default, skip_serializing_if = "is_default")]
    pub grants: Requested,
    /// What a call may use, where that differs from what its kind gets.
    #[serde(default, skip_serializing_if = "is_default")]
    pub limits: LimitSettings,
    /// JSON Schema of its configuration, for people and editors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_schema: Option<Json>,
    /// What agents are told about a skill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<Tool>,
}

/// What agents are told about a skill. The component says the same, or is not
/// loaded: so it can be read, and compared, without running anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// What it does and when to use it.
    pub description: String,
    /// JSON Schema of its input.
    pub input_schema: Json,
    /// JSON Schema of its output, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Json>,
}

impl Manifest {
    /// Reads the form that people write.
    ///
    /// # Errors
    /// The text is not a manifest.
    pub fn from_toml(text: &str) -> Result<Self, ManifestError> {
        at_most("text", text.len(), BYTES_MAX)?;
        let mut manifest: Self = toml::from_str(text)?;
        if manifest.interface.is_empty() {
            manifest.kind.interface().clone_into(&mut manifest.interface);
        }
        manifest.check()?.packable()
    }

    /// Reads the packed form.
    ///
    /// # Errors
    /// The bytes are not a manifest, or not the one way to write it.
    pub fn from_packed(bytes: &[u8]) -> Result<Self, ManifestError> {
        at_most("text", bytes.len(), BYTES_MAX)?;
        let manifest: Self = serde_json::from_slice(bytes)?;
        match manifest.to_packed() == bytes {
            true => manifest.check(),
            false => Err(ManifestError::NotCanonical),
        }
    }

    /// The packed form: compact JSON, fields in the order of this type, what is
    /// left out left out.
    pub fn to_packed(&self) -> Vec<u8> {
        // Texts, numbers, and maps with text keys: it always has a JSON form.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The same with what agents are told about the skill.
    ///
    /// # Errors
    /// It is no skill, or `tool` is too long or has no schemas.
    pub fn with_tool(self, tool: Tool) -> Result<Self, ManifestError> {
        Self { tool: Some(tool), ..self }.check()?.packable()
    }

    /// What this version asks for beyond what `old` did.
    pub fn widens(&self, old: &Self) -> Vec<Right> {
        self.grants.beyond(&old.grants)
    }

    /// Text grows by what has to be escaped in JSON.
    fn packable(self) -> Result<Self, ManifestError> {
        at_most("packed form", self.to_packed().len(), BYTES_MAX).map(|()| self)
    }

    fn check(self) -> Result<Self, ManifestError> {
        let name = self.name.as_str();
        if name.contains("..") || !name.starts_with(|first: char| first.is_ascii_alphanumeric()) {
            return Err(ManifestError::Name(self.name));
        }
        text("description", &self.description, DESCRIPTION_BYTES_MAX)?;
        text("license", &self.license, WORD_BYTES_MAX)?;
        text("interface", &self.interface, WORD_BYTES_MAX)?;
        text("source", self.source.as_deref().unwrap_or_default(), SOURCE_BYTES_MAX)?;
        let expected = self.kind.interface();
        if self.interface != expected {
            return Err(ManifestError::Interface { found: self.interface, kind: self.kind, expected });
        }
        self.check_grants()?;
        schema("config_schema", self.config_schema.as_ref())?;
        match &self.tool {
            Some(_) if self.kind != Kind::Skill => return Err(ManifestError::NoTool { kind: self.kind }),
            Some(tool) => {
                text("tool.description", &tool.description, TOOL_DESCRIPTION_BYTES_MAX)?;
                schema("tool.input_schema", Some(&tool.input_schema))?;
                schema("tool.output_schema", tool.output_schema.as_ref())?;
            }
            None => {}
        }
        Ok(self)
    }

    fn check_grants(&self) -> Result<(), ManifestError> {
        let kind = self.kind;
        if let Some(capability) = self.grants.capabilities().into_iter().find(|capability| !capability.is_for(kind)) {
            return Err(ManifestError::Ceiling { kind, capability });
        }
        let Requested { environment, secrets, directories, http, .. } = &self.grants;
        let access = http.values().flat_map(|access| [access.methods.len(), access.ports.len()]);
        let counts = [environment.len(), secrets.len(), directories.len(), http.len()].into_iter().chain(access);
        match counts.max().filter(|count| *count > RIGHTS_MAX) {
            Some(count) => Err(ManifestError::TooManyRights { count }),
            None => Ok(()),
        }
    }
}

/// A text that is shown to people or models: not too long, and what it seems to
/// be.
fn text(field: &'static str, text: &str, bytes_max: usize) -> Result<(), ManifestError> {
    at_most(field, text.len(), bytes_max)?;
    match is_deceptive(text) {
        false => Ok(()),
        true => Err(ManifestError::Deceptive { field }),
    }
}

/// Whether people don't see all of a text, or see another. Line breaks are fine
/// in a paragraph.
fn is_deceptive(text: &str) -> bool {
    let lines = text.replace(['\n', '\t'], " ");
    printable(&lines, usize::MAX) != lines || lines.contains(is_hidden)
}

/// Characters that models read and people don't see: tags, which spell all of
/// ASCII, and the like.
fn is_hidden(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// The same of every text in a document.
fn has_deceptive(value: &Value) -> bool {
    match value {
        Value::String(text) => is_deceptive(text),
        Value::Array(items) => items.iter().any(has_deceptive),
        Value::Object(members) => members.iter().any(|(key, value)| is_deceptive(key) || has_deceptive(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn schema(field: &'static str, schema: Option<&Json>) -> Result<(), ManifestError> {
    let Some(schema) = schema else { return Ok(()) };
    at_most(field, schema.as_str().len(), SCHEMA_BYTES_MAX)?;
    match schema.to_value() {
        value if has_deceptive(&value) => Err(ManifestError::Deceptive { field }),
        Value::Object(_) => Ok(()),
        _ => Err(ManifestError::NotASchema { field }),
    }
}

fn at_most(field: &'static str, bytes: usize, bytes_max: usize) -> Result<(), ManifestError> {
    match bytes > bytes_max {
        true => Err(ManifestError::TooLong { field, bytes, bytes_max }),
        false => Ok(()),
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

mod version_text {
    use semver::Version;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(version: &Version, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(version)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Version, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "name = 'rules'\nversion = '0.1.0'\nkind = 'policy'\ndescription = 'd'\nlicense = 'MIT'\n";

    #[test]
    fn refuses_what_it_does_not_know() {
        let skill = TEXT.replace("'policy'", "'skill'");
        let many: Vec<_> = (0..=RIGHTS_MAX).map(|number| format!("'V{number}'")).collect();
        let cases = [
            (format!("{TEXT}grant = ['log']"), "unknown field `grant`"),
            (format!("{TEXT}[grants]\nroot = true"), "unknown field `root`"),
            (TEXT.replace("'rules'", "'../rules'"), "character '/'"),
            (TEXT.replace("'rules'", "'..'"), "the name `..` must begin with"),
            (TEXT.replace("'rules'", "'.rules'"), "the name `.rules` must begin with"),
            (TEXT.replace("'rules'", "'ru..les'"), "the name `ru..les` must begin with"),
            (TEXT.replace("'rules'", "'rulеs'"), "character 'е'"),
            (TEXT.replace("'0.1.0'", "'1'"), "unexpected end of input"),
            (TEXT.replace("'policy'", "'plugin'"), "unknown variant `plugin`"),
            (TEXT.replace("'d'", &format!("'{}'", "d".repeat(3_000))), "description has 3000 bytes"),
            (TEXT.replace("'d'", "\"safe\\u202Eelif\""), "description has a control character"),
            (format!("{TEXT}source = \"x\\u001b[2J\""), "source has a control character"),
            (TEXT.replace("'MIT'", "\"MIT\\u0000\""), "license has a control character"),
            (TEXT.replace("'d'", "\"d\\U000E0041\""), "description has a control character"),
            (
                format!("{skill}[tool]\ndescription = \"\\u061C\"\ninput_schema = {{}}"),
                "tool.description has a control",
            ),
            (
                format!("{skill}[tool]\ndescription = ''\ninput_schema = {{ a = [{{ b = \"\\u202E\" }}] }}"),
                "tool.input_schema has a control character",
            ),
            (format!("{TEXT}[config_schema]\n\"\\u200B\" = 1"), "config_schema has a control character"),
            (
                format!("{TEXT}interface = 'vak:policy/policy@9.0.0'"),
                "a policy for this host has `vak:policy/policy@0.1.0`",
            ),
            (format!("{TEXT}[grants.directories]\n'/a' = 'read'"), "a policy can't ask for `directories`"),
            (format!("{TEXT}[grants]\nclock = true"), "a policy can't ask for `clock`"),
            (format!("{skill}[grants.directories]\n'/a/../b' = 'read'"), "`/a/../b` is not a path"),
            (format!("{skill}[grants.http.'a.org:80']"), "`a.org:80` is not a host"),
            (format!("{skill}[grants]\nenvironment = [{}]", many.join(",")), "asks for 65 rights"),
            (format!("{TEXT}[tool]\ndescription = ''\ninput_schema = {{}}"), "a policy has no [tool]"),
            (format!("{skill}[tool]\ndescription = ''\ninput_schema = 1"), "input_schema is not a JSON object"),
            (format!("{TEXT}[limits]\nfuel = 1"), "unknown field `fuel`"),
        ];
        for (text, part) in cases {
            let error = Manifest::from_toml(&text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn has_one_packed_form() {
        let text = format!(
            "{}source = 'https://example.org'\n[grants]\nlog = true\nsecrets = ['b', 'a', 'a']\n[limits]\nfuel_max = 5\n\
             [config_schema]\nb = 1\na = 2\n",
            TEXT.replace("'policy'", "'skill'")
        );
        let manifest = Manifest::from_toml(&text).unwrap();
        let packed = manifest.to_packed();
        assert_eq!(
            String::from_utf8_lossy(&packed),
            r#"{"name":"rules","version":"0.1.0","kind":"skill","interface":"vak:skill/skill@0.1.0","description":"d","license":"MIT","source":"https://example.org","grants":{"log":true,"secrets":["a","b"]},"limits":{"fuel_max":5},"config_schema":{"a":2,"b":1}}"#
        );
        assert_eq!(Manifest::from_packed(&packed).unwrap(), manifest);
        let text = String::from_utf8(packed).unwrap();
        for other in [
            text.replace(':', ": "),
            text.replace(r#"["a","b"]"#, r#"["b","a"]"#),
            text.replace(r#"["a","b"]"#, r#"["a","b","b"]"#),
            text.replace(r#""log":true"#, r#""log":true,"clock":false"#),
            format!("{text} "),
        ] {
            assert!(matches!(Manifest::from_packed(other.as_bytes()), Err(ManifestError::NotCanonical)), "{other}");
        }
    }

    proptest::proptest! {
        #[test]
        fn reading_never_panics(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            assert!(Manifest::from_packed(&bytes).is_err());
        }
    }
}
