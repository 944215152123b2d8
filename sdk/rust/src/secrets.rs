//! Secrets that the operator keeps for this skill. Each needs a grant.

pub use crate::bindings::skill::vak::host::secrets::SecretError;

use crate::bindings::skill::vak::host::secrets;

/// The secret `name`, such as the token of a service.
///
/// The host replaces it by `[secret NAME]` in what the skill logs, prints and
/// answers. That finds no secret that was encoded or cut up, so keep it where it
/// is needed.
///
/// # Errors
/// The skill may not have it: its manifest does not ask for it, or the operator
/// did not grant it.
///
/// ```no_run
/// # fn main() -> Result<(), vak_sdk::secrets::SecretError> {
/// let token = vak_sdk::secrets::get("weather-token")?;
/// let header = format!("Bearer {token}");
/// # drop(header); Ok(()) }
/// ```
pub fn get(name: &str) -> Result<String, SecretError> {
    secrets::get(name)
}
