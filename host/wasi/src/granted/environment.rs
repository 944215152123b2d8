//! Variables of the host's environment, by name.

use vak_types::Effective;

/// Those that are granted, there and text.
pub(super) fn read(granted: &Effective) -> Vec<(String, String)> {
    let names = granted.environment().iter().map(|name| name.as_str().to_owned());
    names.filter_map(|name| Some((name.clone(), std::env::var(name).ok()?))).collect()
}
