//! Where shared limits are counted.

use std::fmt;
use std::time::Duration;

use redis::{ConnectionAddr, IntoConnectionInfo as _};

use crate::Error;

/// Where shared limits are counted. Hosts that share have the same.
///
/// ```
/// let sharing = vak_limits_redis::Sharing::new("redis://127.0.0.1:6379/0", "vak", 50)?;
/// # Ok::<(), vak_limits_redis::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Sharing {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) database: i64,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) prefix: String,
    pub(crate) timeout: Duration,
}

impl Sharing {
    /// Longest time a decision may wait. More than a second is no decision path.
    pub const TIMEOUT_MS_MAX: u64 = 1_000;

    /// Longest prefix of keys: it is sent with each lease.
    pub const PREFIX_BYTES_MAX: usize = 64;

    /// `redis` is `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]`; all keys
    /// begin with `prefix`; no decision waits longer than `timeout_ms`.
    ///
    /// # Errors
    /// One of them is not possible. TLS and Unix sockets are not supported.
    pub fn new(redis: &str, prefix: &str, timeout_ms: u64) -> Result<Self, Error> {
        let address = |why: &str| Error::Address { why: why.to_owned() };
        let info = redis.into_connection_info().map_err(|error| address(&error.to_string()))?;
        let ConnectionAddr::Tcp(host, port) = info.addr() else {
            return Err(address("only TCP without TLS is supported"));
        };
        if prefix.len() > Self::PREFIX_BYTES_MAX {
            return Err(Error::Prefix { bytes: prefix.len() });
        }
        if !(1..=Self::TIMEOUT_MS_MAX).contains(&timeout_ms) {
            return Err(Error::Timeout { timeout_ms });
        }
        let settings = info.redis_settings();
        Ok(Self {
            host: host.clone(),
            port: *port,
            database: settings.db(),
            user: settings.username().map(str::to_owned),
            password: settings.password().map(str::to_owned),
            prefix: prefix.to_owned(),
            timeout: Duration::from_millis(timeout_ms),
        })
    }
}

/// Without the password.
impl fmt::Debug for Sharing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, database, prefix, timeout, .. } = self;
        write!(f, "Sharing({host}:{port}/{database}, `{prefix}`, {timeout:?})")
    }
}
