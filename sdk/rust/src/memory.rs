//! What a skill remembers for the agent on whose behalf it is called: values by
//! key, in scopes that need a grant each.
//!
//! A call reads one state of a scope. What it changes becomes visible when it
//! has succeeded, all at once; a call that fails has changed nothing, and one
//! whose scope another call changed meanwhile fails.
//!
//! ```no_run
//! use vak_sdk::memory::{self, MemoryError};
//!
//! # fn main() -> Result<(), MemoryError> {
//! let seen = memory::get("greetings", "count")?;
//! let seen = seen.and_then(|bytes| String::from_utf8(bytes).ok()?.parse().ok()).unwrap_or(0_u32);
//! memory::set("greetings", "count", (seen + 1).to_string().as_bytes())?;
//! # Ok(()) }
//! ```

pub use crate::bindings::skill::vak::host::memory::MemoryError;

use crate::bindings::skill::vak::host::memory;

/// The value of `key`; `None` if there is none.
///
/// # Errors
/// The skill may not use the scope, or the key is not one: it has 1 to 256
/// bytes, none of them zero.
pub fn get(scope: &str, key: &str) -> Result<Option<Vec<u8>>, MemoryError> {
    memory::get(scope, key)
}

/// Gives `key` a value, of at most 65,536 bytes.
///
/// # Errors
/// The skill may not change the scope, the key or the value is not one, has a
/// secret of the skill in it, or there is no room: a scope has 16 MiB, and one
/// call changes 1 MiB at most.
pub fn set(scope: &str, key: &str, value: &[u8]) -> Result<(), MemoryError> {
    memory::set(scope, key, value)
}

/// Takes `key` and its value away.
///
/// # Errors
/// The skill may not change the scope, or the key is not one.
pub fn remove(scope: &str, key: &str) -> Result<(), MemoryError> {
    memory::remove(scope, key)
}

/// The first 256 keys that begin with `prefix` and come after `after`, in the
/// order of their bytes.
///
/// # Errors
/// The skill may not use the scope.
pub fn keys(scope: &str, prefix: &str, after: Option<&str>) -> Result<Vec<String>, MemoryError> {
    memory::keys(scope, prefix, after)
}
