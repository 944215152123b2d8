//! Lines for the host's operator. Needs the grant `log`.

// A component has one kind, and the host offers all of them the same interface.
#[cfg(any(feature = "policy", feature = "configurable-policy"))]
use crate::bindings::policy as bindings;

#[cfg(not(any(feature = "policy", feature = "configurable-policy")))]
use others::bindings;

#[cfg(not(any(feature = "policy", feature = "configurable-policy")))]
mod others {
    #[cfg(any(feature = "adapter", feature = "configurable-adapter"))]
    pub(super) use crate::bindings::adapter as bindings;
    #[cfg(all(
        any(feature = "scorer", feature = "configurable-scorer"),
        not(any(feature = "adapter", feature = "configurable-adapter"))
    ))]
    pub(super) use crate::bindings::scorer as bindings;
    #[cfg(not(any(
        feature = "adapter",
        feature = "configurable-adapter",
        feature = "scorer",
        feature = "configurable-scorer"
    )))]
    pub(super) use crate::bindings::skill as bindings;
}

use bindings::vak::host::log;

pub use log::Level;

/// Writes one line. The host cuts it at 1,024 bytes and counts the call
/// against the component's limit.
pub fn write(level: Level, message: &str) {
    log::write(level, message);
}
