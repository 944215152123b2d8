//! Lines for the host's operator. Needs the grant `log`.

#[cfg(any(feature = "policy", feature = "configurable-policy"))]
use crate::bindings::policy::vak::host::log;
#[cfg(all(feature = "skill", not(any(feature = "policy", feature = "configurable-policy"))))]
use crate::bindings::skill::vak::host::log;

pub use log::Level;

/// Writes one line. The host cuts it at 1,024 bytes and counts the call
/// against the component's limit.
pub fn write(level: Level, message: &str) {
    log::write(level, message);
}
