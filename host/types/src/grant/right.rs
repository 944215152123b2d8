//! Rights one by one, in words.

use std::fmt;

use super::{Access, GuestPath, HostPattern, HttpAccess, Method, Requested, VariableName};
use crate::Name;

/// One right, as people are asked about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Right {
    /// To write to the host's log.
    Log,
    /// To see the time.
    Clock,
    /// To get unpredictable numbers.
    Randomness,
    /// To read an environment variable.
    Environment(VariableName),
    /// To read a secret.
    Secret(Name),
    /// To use what agents remember in a scope.
    Memory(Name, Access),
    /// To use a directory.
    Directory(GuestPath, Access),
    /// To send requests.
    Http(HostPattern, HttpAccess),
}

impl Requested {
    /// Everything that is asked for.
    pub fn rights(&self) -> Vec<Right> {
        self.beyond(&Self::default())
    }

    /// What is asked for here and was not by `other`.
    pub fn beyond(&self, other: &Self) -> Vec<Right> {
        let flags = [
            (self.log && !other.log, Right::Log),
            (self.clock && !other.clock, Right::Clock),
            (self.randomness && !other.randomness, Right::Randomness),
        ];
        let flags = flags.into_iter().filter(|(wider, _)| *wider).map(|(_, right)| right);
        let variables = self.environment.difference(&other.environment).cloned().map(Right::Environment);
        let secrets = self.secrets.difference(&other.secrets).cloned().map(Right::Secret);
        let memory = self.memory.iter().filter(|(scope, access)| other.memory.get(scope) < Some(access));
        let memory = memory.map(|(scope, access)| Right::Memory(scope.clone(), *access));
        let directories = self.directories.iter().filter(|(path, access)| other.directories.get(path) < Some(access));
        let directories = directories.map(|(path, access)| Right::Directory(path.clone(), *access));
        // All of it in one entry of the other: two that do so together are told
        // as wider, which costs a question and no right.
        let http = self.http.iter().filter(|(host, access)| {
            !other.http.iter().any(|(covering, given)| covering.covers(host) && given.covers(access))
        });
        let http = http.map(|(host, access)| Right::Http(host.clone(), access.clone()));
        flags.chain(variables).chain(secrets).chain(memory).chain(directories).chain(http).collect()
    }
}

/// Completes “it may …”.
impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log => f.write_str("write lines to the host's log"),
            Self::Clock => f.write_str("see what time it is"),
            Self::Randomness => f.write_str("get unpredictable numbers"),
            Self::Environment(name) => write!(f, "read the environment variable `{name}`"),
            Self::Secret(name) => write!(f, "read the secret `{name}`"),
            Self::Memory(scope, Access::Read) => write!(f, "read what agents remember in `{scope}`"),
            Self::Memory(scope, Access::Write) => write!(f, "read and change what agents remember in `{scope}`"),
            Self::Directory(path, Access::Read) => write!(f, "read files in `{path}`"),
            Self::Directory(path, Access::Write) => write!(f, "read and change files in `{path}`"),
            Self::Http(host, access) => http(f, host, access),
        }
    }
}

fn http(f: &mut fmt::Formatter<'_>, host: &HostPattern, access: &HttpAccess) -> fmt::Result {
    let methods: Vec<_> = access.methods.iter().copied().map(Method::as_str).collect();
    let ports: Vec<_> = access.ports.iter().map(ToString::to_string).collect();
    let noun = if ports.len() == 1 { "port" } else { "ports" };
    write!(f, "send {} requests to ", methods.join(", "))?;
    match host.as_str().strip_prefix("*.") {
        _ if host.as_str() == "*" => f.write_str("any host")?,
        Some(domain) => write!(f, "every host below `{domain}`")?,
        None => write!(f, "`{host}`")?,
    }
    write!(f, " on {noun} {}", ports.join(", "))?;
    if access.plain { f.write_str(", also without TLS") } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beyond(new: &str, old: &str) -> Vec<String> {
        let parse = |text: &str| serde_json::from_str::<Requested>(text).unwrap();
        parse(new).beyond(&parse(old)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_widens_is_said_in_words() {
        let cases: &[(&str, &str, &[&str])] = &[
            ("{}", r#"{"log": true}"#, &[]),
            (r#"{"log": true}"#, "{}", &["write lines to the host's log"]),
            (r#"{"secrets": ["a", "b"]}"#, r#"{"secrets": ["a"]}"#, &["read the secret `b`"]),
            (
                r#"{"memory": {"a": "write", "b": "read", "c": "read"}}"#,
                r#"{"memory": {"a": "read", "b": "write"}}"#,
                &["read and change what agents remember in `a`", "read what agents remember in `c`"],
            ),
            (
                r#"{"directories": {"/a": "write", "/b": "read"}}"#,
                r#"{"directories": {"/a": "read", "/b": "write"}}"#,
                &["read and change files in `/a`"],
            ),
            (
                r#"{"http": {"*.a.org": {}, "b.org": {"methods": ["GET", "POST"], "ports": [443, 8443]}, "*": {"plain": true, "ports": [80]}}}"#,
                r#"{"http": {"*.org": {}}}"#,
                &[
                    "send GET requests to any host on port 80, also without TLS",
                    "send GET, POST requests to `b.org` on ports 443, 8443",
                ],
            ),
            (
                r#"{"http": {"*.org": {}}}"#,
                r#"{"http": {"a.org": {}}}"#,
                &["send GET requests to every host below `org` on port 443"],
            ),
        ];
        for (new, old, expected) in cases {
            assert_eq!(beyond(new, old), *expected, "{new} beyond {old}");
        }
    }
}
