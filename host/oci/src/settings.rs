//! Who asks a registry, whom it believes, and how long it waits.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use zeroize::Zeroizing;

/// How long to wait for a registry, and how often to ask again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Until a connection is made.
    pub connect: Duration,
    /// Without a byte in either direction.
    pub idle: Duration,
    /// For a whole call: a blob with all its attempts, or a whole push.
    pub whole: Duration,
    /// How often the same is asked for, at least once.
    pub attempts: u32,
    /// About how long the first wait between two attempts is; each next one is
    /// twice as long.
    pub backoff: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            // 64 MiB at a quarter of a megabyte a second, and some waits.
            whole: Duration::from_secs(300),
            attempts: 5,
            backoff: Duration::from_millis(300),
        }
    }
}

/// Who asks a registry.
#[derive(Clone)]
pub enum Credentials {
    /// Somebody with a password, which is given to the registry or, where it says
    /// so, to the issuer of its tokens.
    Password {
        /// The name.
        user: String,
        /// The password.
        password: Zeroizing<String>,
    },
    /// Whoever has a token of the registry. It is given to nobody else.
    Token(Zeroizing<String>),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Password { user, .. } => f.debug_struct("Password").field("user", user).finish_non_exhaustive(),
            Self::Token(_) => f.debug_struct("Token").finish_non_exhaustive(),
        }
    }
}

/// How a registry is spoken to.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Who asks. `None` is anybody.
    pub credentials: Option<Credentials>,
    /// How long to wait.
    pub limits: Limits,
    /// A PEM file of the authorities that certify registries. `None` means
    /// Mozilla's.
    pub authorities: Option<PathBuf>,
}
