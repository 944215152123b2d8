//! Where images are.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use url::{Host, Url};
use vak_types::printable;

/// Longest prefix of repositories: registries take names of 255 characters, and
/// a component's name is part of that.
const PREFIX_BYTES_MAX: usize = 180;

/// Why a text is no location.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no place for images: {why}")]
pub struct LocationError {
    text: String,
    why: String,
}

/// Where images are: in a registry, below a prefix, or in a folder.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Location {
    /// A registry of OCI.
    Registry(RegistryUrl),
    /// A folder with an OCI image layout, here or to be made.
    Layout(PathBuf),
}

/// The address of a registry and a prefix of its repositories, such as
/// `https://registry.example/vak`. It is `http` only on this machine.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RegistryUrl {
    origin: Url,
    prefix: String,
}

impl RegistryUrl {
    /// The address without the prefix.
    pub(crate) fn origin(&self) -> &Url {
        &self.origin
    }

    /// The prefix with a slash at its end, or nothing.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut url = Url::parse(text).map_err(|error| error.to_string())?;
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => return Err("`http` is for this machine alone; use `https`".to_owned()),
            other => return Err(format!("`{other}` is not `https`")),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("credentials do not belong in it".to_owned());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("it has a query or a fragment".to_owned());
        }
        let path = url.path().trim_start_matches('/');
        let path = path.strip_suffix('/').unwrap_or(path).to_owned();
        if path.len() > PREFIX_BYTES_MAX {
            return Err(format!("its path is longer than {PREFIX_BYTES_MAX} bytes"));
        }
        if !path.is_empty() && !path.split('/').all(is_repository) {
            return Err(
                "the parts of its path are lower-case letters and digits, with `-`, `_` or `.` between them".into()
            );
        }
        url.set_path("/");
        let prefix = if path.is_empty() { path } else { format!("{path}/") };
        Ok(Self { origin: url, prefix })
    }
}

/// One part of a repository's name, as the distribution specification has it:
/// letters and digits, and between them a dot, one or two underscores, or dashes.
pub(crate) fn is_repository(part: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separator = |text: &str| matches!(text, "." | "_" | "__") || text.bytes().all(|byte| byte == b'-');
    part.starts_with(alphanumeric)
        && part.ends_with(alphanumeric)
        && part.split(alphanumeric).all(|between| between.is_empty() || separator(between))
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl FromStr for Location {
    type Err = LocationError;

    /// An address with `https://`, a path that begins with `/`, `./` or `../`, or
    /// `oci:` and any path. A bare word could be meant as either.
    fn from_str(text: &str) -> Result<Self, LocationError> {
        let error = |why: String| LocationError { text: printable(text, 200), why };
        if text.contains('\0') {
            return Err(error("it has a zero byte".to_owned()));
        }
        match text.strip_prefix("oci:") {
            Some("") => return Err(error("the folder is missing".to_owned())),
            Some(path) => return Ok(Self::Layout(path.into())),
            None => {}
        }
        if ["/", "./", "../"].iter().any(|start| text.starts_with(start)) || matches!(text, "." | "..") {
            return Ok(Self::Layout(text.into()));
        }
        if !text.contains("://") {
            return Err(error(
                "it is neither `https://…` nor a folder, which begins with `/`, `./` or `oci:`".to_owned(),
            ));
        }
        RegistryUrl::parse(text).map(Self::Registry).map_err(error)
    }
}

impl fmt::Display for RegistryUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.prefix.trim_end_matches('/'))
    }
}

impl fmt::Debug for RegistryUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry(url) => url.fmt(f),
            Self::Layout(path) => write!(f, "oci:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_where_and_reads_it_again() {
        let cases = [
            ("https://registry.example/vak", "https://registry.example/vak"),
            ("https://Registry.Example:5000/a/b-c__d/", "https://registry.example:5000/a/b-c__d"),
            ("https://registry.example", "https://registry.example/"),
            ("http://127.0.0.1:5000/vak", "http://127.0.0.1:5000/vak"),
            ("http://[::1]:5000/vak", "http://[::1]:5000/vak"),
            ("http://localhost/vak", "http://localhost/vak"),
            ("/srv/images", "oci:/srv/images"),
            ("oci:images", "oci:images"),
            ("./images", "oci:./images"),
        ];
        for (text, written) in cases {
            let location: Location = text.parse().unwrap();
            assert_eq!(location.to_string(), written);
            assert_eq!(written.parse(), Ok(location));
        }
    }

    #[test]
    fn refuses_what_could_be_meant_otherwise() {
        let cases = [
            ("registry.example/vak", "neither"),
            ("http://registry.example/vak", "use `https`"),
            ("http://127.0.0.1.example/vak", "use `https`"),
            ("http://2130706434.example/", "use `https`"),
            ("ftp://registry.example/", "not `https`"),
            ("https://user:secret@registry.example/", "credentials"),
            ("https://registry.example/vak?x", "query"),
            ("https://registry.example/vak#x", "query"),
            ("https://registry.example/Vak", "lower-case"),
            ("https://registry.example/a//b", "lower-case"),
            ("https://registry.example/a/%2e%2e%2fb", "lower-case"),
            ("https://", "empty host"),
            ("oci:", "missing"),
            ("", "neither"),
            ("/a\0b", "zero"),
        ];
        for (text, why) in cases {
            let error = text.parse::<Location>().unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn knows_the_names_of_repositories() {
        for good in ["a", "rules", "no-shell", "a.b", "a_b", "a__b", "a---b", "7"] {
            assert!(is_repository(good), "{good}");
        }
        for bad in ["", "A", "a-", "-a", "a..b", "a___b", "a._b", "a/b", "é", "a b", "."] {
            assert!(!is_repository(bad), "{bad}");
        }
    }
}
