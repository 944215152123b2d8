//! Who may upload.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use vak_types::{Digest, Name};

/// Most tokens.
const TOKENS_MAX: usize = 10_000;

/// Why tokens can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TokensError {
    /// The file cannot be read.
    #[error("the tokens, `{}`: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is not what it has to be.
    #[error("the tokens, `{}`: {source}", path.display())]
    Toml {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        source: toml::de::Error,
    },
    /// There are too many.
    #[error("there are {0} tokens; the most is {TOKENS_MAX}")]
    TooMany(usize),
    /// Whose it is could not be told.
    #[error("two tokens have the digest `{0}`; each needs its own")]
    Same(Digest),
}

/// A publisher's token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UploadToken {
    /// Whose it is.
    pub publisher: Name,
    /// The SHA-256 of the token. The token itself is nowhere.
    pub digest: Digest,
}

/// All tokens.
#[derive(Debug, Default)]
pub struct Tokens(HashMap<Digest, Name>);

impl Tokens {
    /// Tokens as they stand in a TOML file, under `[[tokens]]`.
    ///
    /// # Errors
    /// The file cannot be read, or two tokens could not be told apart.
    pub fn read(path: &Path) -> Result<Self, TokensError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            #[serde(default)]
            tokens: Vec<UploadToken>,
        }
        let io = |source| TokensError::Io { path: path.to_owned(), source };
        let text = std::fs::read_to_string(path).map_err(io)?;
        let toml = |source| TokensError::Toml { path: path.to_owned(), source };
        let File { tokens } = toml::from_str(&text).map_err(toml)?;
        Self::new(tokens)
    }

    /// These tokens.
    ///
    /// # Errors
    /// Two could not be told apart, or there are too many.
    pub fn new(tokens: Vec<UploadToken>) -> Result<Self, TokensError> {
        if tokens.len() > TOKENS_MAX {
            return Err(TokensError::TooMany(tokens.len()));
        }
        let mut known = HashMap::new();
        for UploadToken { publisher, digest } in tokens {
            if known.insert(digest, publisher).is_some() {
                return Err(TokensError::Same(digest));
            }
        }
        Ok(Self(known))
    }

    /// Whose `token` is. It is looked up by its digest: how long that takes says
    /// nothing of the token.
    pub(crate) fn publisher(&self, token: &[u8]) -> Option<&Name> {
        self.0.get(&Digest::of(token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_told_apart() {
        let folder = std::env::temp_dir().join(format!("vak-tokens-{}", std::process::id()));
        let read = |text: &str| {
            std::fs::write(&folder, text).unwrap();
            Tokens::read(&folder).map_err(|error| error.to_string())
        };
        let of = |publisher: &str, token: &str| {
            format!("[[tokens]]\npublisher = '{publisher}'\ndigest = '{}'\n", Digest::of(token.as_bytes()))
        };
        let tokens = read(&(of("acme", "a") + &of("acme", "b") + &of("other", "c"))).unwrap();
        assert_eq!(tokens.publisher(b"b").unwrap().as_str(), "acme");
        assert_eq!(tokens.publisher(b"d"), None);
        assert_eq!(tokens.publisher(of("acme", "a").as_bytes()), None);
        assert!(read(&(of("acme", "a") + &of("other", "a"))).unwrap_err().contains("two tokens"));
        assert!(read("[[token]]").unwrap_err().contains("unknown field"));
        assert!(read(&(of("acme", "a") + "scope = 1")).unwrap_err().contains("unknown field"));
        std::fs::remove_file(folder).unwrap();
    }
}
