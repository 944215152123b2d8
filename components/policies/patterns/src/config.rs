//! The TOML text and what is wrong with it.

use toml::Spanned;
use vak_sdk::policy::ConfigError;

use crate::globs::Globs;
use crate::guard::{Configured, Guard, Kind, Reaction};
use crate::{injection, paths, personal, secrets, shell, sql, ssrf};

/// What all texts of one action may have together. Looking through a byte takes
/// all guards some hundred instructions, and a call has 20 million. An operator
/// who raises the fuel of the policy can raise this as well.
const TEXT_BYTES: usize = 64 << 10;

/// The host takes no more arguments than this.
const TEXT_BYTES_MAX: usize = 1 << 20;

/// More texts than anybody exempts by hand. Each is compared with each hit.
const ALLOW_MAX: usize = 1_000;

/// A checked configuration.
pub(crate) struct Config {
    pub(crate) text_bytes_max: usize,
    pub(crate) guards: Vec<Configured>,
}

#[derive(serde::Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Document {
    text_bytes_max: Option<Spanned<usize>>,
    secrets: Secrets,
    #[serde(rename = "personal-data")]
    personal_data: PersonalData,
    shell: Shell,
    sql: Sql,
    paths: Paths,
    ssrf: Ssrf,
    #[serde(rename = "prompt-injection")]
    prompt_injection: PromptInjection,
}

#[derive(serde::Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum EffectText {
    Forbid,
    Escalate,
    Redact,
}

/// A table with the keys that every guard has, and its own.
macro_rules! table {
    ($name:ident { $($key:ident: $type:ty),* $(,)? }) => {
        #[derive(serde::Deserialize, Default)]
        #[serde(deny_unknown_fields, default)]
        struct $name {
            enabled: Option<bool>,
            effect: Option<Spanned<EffectText>>,
            operations: Option<Spanned<Vec<String>>>,
            allow: Option<Spanned<Vec<String>>>,
            $($key: Option<Spanned<$type>>,)*
        }

        impl $name {
            fn configured(
                self,
                kind: &'static Kind,
                make: impl FnOnce(&Self) -> Result<Box<dyn Guard + Send + Sync>, Located>,
            ) -> Result<Option<Configured>, Located> {
                let guard = make(&self)?;
                let common = Common { effect: self.effect, operations: self.operations, allow: self.allow };
                let configured = common.configured(kind, guard)?;
                Ok(self.enabled.unwrap_or(true).then_some(configured))
            }
        }
    };
}

table!(Secrets { entropy: f64, entropy_bytes_min: usize });
table!(PersonalData { kinds: Vec<String>, });
table!(Shell { commands: Vec<String>, });
table!(Sql { queries: Vec<String>, dialects: Vec<String>, });
table!(Paths { paths: Vec<String>, roots: Vec<String>, });
table!(Ssrf { allow_hosts: Vec<String>, });
table!(PromptInjection { labels: Vec<String>, });

struct Common {
    effect: Option<Spanned<EffectText>>,
    operations: Option<Spanned<Vec<String>>>,
    allow: Option<Spanned<Vec<String>>>,
}

/// A message and the byte it is about.
type Located = (Option<usize>, String);

impl Common {
    fn configured(self, kind: &'static Kind, guard: Box<dyn Guard + Send + Sync>) -> Result<Configured, Located> {
        let reaction = match self.effect {
            None => kind.default,
            Some(effect) => {
                let at = effect.span().start;
                match effect.into_inner() {
                    EffectText::Forbid => Reaction::Forbid,
                    EffectText::Escalate => Reaction::Escalate,
                    EffectText::Redact if kind.redactable => Reaction::Redact,
                    EffectText::Redact => {
                        let message = format!("`{}` cannot redact; choose `forbid` or `escalate`", kind.name);
                        return Err((Some(at), message));
                    }
                }
            }
        };
        let operations = checked(self.operations.as_ref(), |globs| Globs::parse("operations", globs))?;
        let allow = checked(self.allow.as_ref(), |allow| match allow.len() {
            0..=ALLOW_MAX => Ok(allow),
            count => Err(format!("`allow` has {count} texts; the most is {ALLOW_MAX}")),
        })?;
        let operations = operations.unwrap_or_else(|| Globs::of(&["**"]));
        Ok(Configured { kind, reaction, operations, allow: allow.unwrap_or_default(), guard })
    }
}

/// A value as `check` makes it, or its message with its place.
fn checked<T: Clone, U>(
    value: Option<&Spanned<T>>,
    check: impl FnOnce(T) -> Result<U, String>,
) -> Result<Option<U>, Located> {
    let checked =
        value.map(|value| check(value.get_ref().clone()).map_err(|message| (Some(value.span().start), message)));
    checked.transpose()
}

/// Reads the configuration text.
pub(crate) fn parse(text: &str) -> Result<Config, ConfigError> {
    let document: Document = toml::from_str(text)
        .map_err(|error| located(text, error.span().map(|span| span.start), error.message().to_owned()))?;
    check(document).map_err(|(at, message)| located(text, at, message))
}

fn located(text: &str, at: Option<usize>, message: String) -> ConfigError {
    let before = at.and_then(|at| text.get(..at));
    let number = |count: usize| u32::try_from(count + 1).unwrap_or(u32::MAX);
    ConfigError {
        message,
        line: before.map(|before| number(before.matches('\n').count())),
        column: before.map(|before| number(before.rsplit('\n').next().unwrap_or("").chars().count())),
    }
}

fn check(document: Document) -> Result<Config, Located> {
    let text_bytes_max = checked(document.text_bytes_max.as_ref(), |bytes| match bytes {
        1..=TEXT_BYTES_MAX => Ok(bytes),
        _ => Err(format!("`text_bytes_max` is a number from 1 to {TEXT_BYTES_MAX}")),
    })?;
    let guards = [
        document.secrets.configured(&secrets::KIND, secrets_of)?,
        document.personal_data.configured(&personal::KIND, personal_of)?,
        document.shell.configured(&shell::KIND, shell_of)?,
        document.sql.configured(&sql::KIND, sql_of)?,
        document.paths.configured(&paths::KIND, paths_of)?,
        document.ssrf.configured(&ssrf::KIND, ssrf_of)?,
        document.prompt_injection.configured(&injection::KIND, injection_of)?,
    ];
    let guards = guards.into_iter().flatten().collect();
    Ok(Config { text_bytes_max: text_bytes_max.unwrap_or(TEXT_BYTES), guards })
}

type Made = Result<Box<dyn Guard + Send + Sync>, Located>;

fn secrets_of(table: &Secrets) -> Made {
    let bits = checked(table.entropy.as_ref(), |bits| match (0.0..=8.0).contains(&bits) {
        true => Ok(bits),
        false => Err("`entropy` is a number of bits a character, from 0 to 8".to_owned()),
    })?;
    let bytes_min = checked(table.entropy_bytes_min.as_ref(), |bytes| match bytes {
        8..=1_000 => Ok(bytes),
        _ => Err("`entropy_bytes_min` is a number from 8 to 1000".to_owned()),
    })?;
    Ok(Box::new(secrets::Secrets::new(bits, bytes_min)))
}

fn personal_of(table: &PersonalData) -> Made {
    let personal = checked(table.kinds.as_ref(), |kinds| personal::PersonalData::of(&kinds))?;
    Ok(Box::new(personal.unwrap_or_default()))
}

fn shell_of(table: &Shell) -> Made {
    let commands = checked(table.commands.as_ref(), |globs| Globs::pointers("commands", globs))?;
    Ok(Box::new(shell::Shell::new(commands)))
}

fn sql_of(table: &Sql) -> Made {
    let queries = checked(table.queries.as_ref(), |globs| Globs::pointers("queries", globs))?;
    let dialects = checked(table.dialects.as_ref(), |names| sql::dialects(&names))?;
    Ok(Box::new(sql::Sql::new(queries, dialects)))
}

fn paths_of(table: &Paths) -> Made {
    let pointers = checked(table.paths.as_ref(), |globs| Globs::pointers("paths", globs))?;
    let roots = checked(table.roots.as_ref(), |roots| paths::roots(&roots))?;
    Ok(Box::new(paths::Paths::new(pointers, roots.unwrap_or_default())))
}

fn ssrf_of(table: &Ssrf) -> Made {
    let hosts = checked(table.allow_hosts.as_ref(), |hosts| ssrf::hosts(&hosts))?;
    Ok(Box::new(ssrf::Ssrf::new(hosts.unwrap_or_default())))
}

fn injection_of(table: &PromptInjection) -> Made {
    let labels = checked(table.labels.as_ref(), Ok)?;
    Ok(Box::new(injection::PromptInjection::new(labels)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_text_is_all_guards() {
        let names: Vec<_> = parse("").ok().unwrap().guards.iter().map(|guard| guard.kind.name).collect();
        assert_eq!(names, ["secrets", "personal-data", "shell", "sql", "paths", "ssrf", "prompt-injection"]);
        assert_eq!(parse("[secrets]\nenabled = false\n").ok().unwrap().guards.len(), 6);
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        let cases = [
            ("[secret]\n", (1, 2), "unknown field `secret`"),
            ("[secrets]\nefect = 'forbid'\n", (2, 1), "unknown field `efect`"),
            ("[secrets]\neffect = 'permit'\n", (2, 10), "unknown variant `permit`"),
            ("[shell]\neffect = 'redact'\n", (2, 10), "`shell` cannot redact"),
            ("[shell]\ncommands = ['command']\n", (2, 12), "write `/command`"),
            ("[sql]\n\noperations = []\n", (3, 14), "`operations` is empty"),
            ("[sql]\ndialects = ['cobol']\n", (2, 12), "`cobol` is no dialect"),
            ("[paths]\nroots = ['work']\n", (2, 9), "`work` is no absolute path"),
            ("[personal-data]\nkinds = ['shoe-size']\n", (2, 9), "`shoe-size`"),
            ("[secrets]\nentropy = 9.5\n", (2, 11), "bits a character"),
            ("[ssrf]\nallow_hosts = ['a b']\n", (2, 15), "`a b` is no host"),
            ("text_bytes_max = 0\n", (1, 18), "from 1 to"),
        ];
        for (text, (line, column), part) in cases {
            let error = parse(text).err().unwrap_or_else(|| panic!("took {text}"));
            assert!(error.message.contains(part), "{text}: {}", error.message);
            assert_eq!((error.line, error.column), (Some(line), Some(column)), "{text}");
        }
    }
}
