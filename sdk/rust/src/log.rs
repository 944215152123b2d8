//! Lines for the host's operator. Needs the grant `log`.

// A component has one kind, and the host offers all of them the same interface.
#[cfg(all(feature = "adapter", not(any(feature = "policy", feature = "scorer"))))]
use crate::bindings::adapter as bindings;
#[cfg(feature = "policy")]
use crate::bindings::policy as bindings;
#[cfg(all(feature = "scorer", not(feature = "policy")))]
use crate::bindings::scorer as bindings;
#[cfg(all(feature = "skill", not(any(feature = "policy", feature = "scorer", feature = "adapter"))))]
use crate::bindings::skill as bindings;

use bindings::vak::host::log;

pub use log::Level;

/// Writes one line. The host cuts it at 1,024 bytes and counts the call
/// against the component's limit.
pub fn write(level: Level, message: &str) {
    log::write(level, message);
}
