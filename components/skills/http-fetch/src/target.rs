//! Where a request goes.

/// The parts of a URL that a request needs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Target<'a> {
    pub(crate) tls: bool,
    /// Host and port, as they stand there. The host checks them.
    pub(crate) authority: &'a str,
    /// From the `/` on, without a fragment.
    pub(crate) path: String,
}

/// Why a text is no URL to fetch.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TargetError {
    Scheme,
    Host,
    User,
    Character(char),
}

impl std::fmt::Display for TargetError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Scheme => f.write_str("`url` has to begin with `https://` or `http://`"),
            Self::Host => f.write_str("`url` names no host"),
            Self::User => f.write_str("`url` has a user in it; use the header `authorization`"),
            Self::Character(character) => {
                write!(f, "`url` has the character {character:?}, which has to be percent-encoded")
            }
        }
    }
}

impl<'a> Target<'a> {
    pub(crate) fn read(url: &'a str) -> Result<Self, TargetError> {
        // A line break would be a second header.
        let strange = |character: &char| {
            !character.is_ascii_graphic() || matches!(character, '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}')
        };
        if let Some(character) = url.chars().find(strange) {
            return Err(TargetError::Character(character));
        }
        let (scheme, rest) = url.split_once("://").ok_or(TargetError::Scheme)?;
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(TargetError::Scheme),
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, path) = rest.find(['/', '?']).map_or((rest, ""), |at| rest.split_at(at));
        if authority.contains('@') {
            return Err(TargetError::User);
        }
        if authority.is_empty() || authority.starts_with(':') {
            return Err(TargetError::Host);
        }
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Self { tls, authority, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_urls_apart() {
        let good = [
            ("https://example.org", (true, "example.org", "/")),
            ("HTTP://[::1]:8080/a?b=c#d", (false, "[::1]:8080", "/a?b=c")),
            ("https://example.org?q", (true, "example.org", "/?q")),
            ("https://example.org/@/#@", (true, "example.org", "/@/")),
        ];
        for (url, (tls, authority, path)) in good {
            assert_eq!(Target::read(url), Ok(Target { tls, authority, path: path.to_owned() }), "{url}");
        }
        let bad = [
            ("example.org", TargetError::Scheme),
            ("file:///etc/passwd", TargetError::Scheme),
            ("https:///x", TargetError::Host),
            ("https://:80/", TargetError::Host),
            ("https://a@b/", TargetError::User),
            ("https://a/\r\nx: y", TargetError::Character('\r')),
            ("https://ä.org/", TargetError::Character('ä')),
            ("https://a\\b/", TargetError::Character('\\')),
        ];
        for (url, error) in bad {
            assert_eq!(Target::read(url), Err(error), "{url}");
        }
    }
}
