//! Configuration: read once, when a component is installed.

pub use crate::bindings::configure::exports::vak::types::configure::ConfigError;

/// How a component is made from its configuration text.
pub trait Configure: Sized {
    /// Called once, at installation. What is returned is there in every call.
    ///
    /// # Errors
    /// The text is not a valid configuration.
    fn configure(config: &str) -> Result<Self, ConfigError>;
}

/// What components of every kind with configuration share: `configured`, which
/// gives the configured value, and the export `configure`, which makes it and
/// then runs `$after`. Expands beside a `struct Component`.
#[doc(hidden)]
#[macro_export]
macro_rules! export_configuration {
    ($type:ty, $after:expr) => {
        static CONFIGURED: std::sync::OnceLock<$type> = std::sync::OnceLock::new();

        fn configured() -> &'static $type {
            // The host configures before it calls. A host that did not must get
            // a trap, which it turns into a deny, not an empty component.
            CONFIGURED.get().unwrap_or_else(|| panic!("called before `configure`"))
        }

        impl $crate::bindings::configure::exports::vak::types::configure::Guest for Component {
            fn configure(config: String) -> Result<(), sdk::ConfigError> {
                let value = <$type as sdk::Configure>::configure(&config)?;
                CONFIGURED.set(value).map_err(|_| sdk::ConfigError {
                    message: "configured twice".to_owned(),
                    line: None,
                    column: None,
                })?;
                $after;
                Ok(())
            }
        }

        $crate::bindings::configure::export_configurable!(Component with_types_in $crate::bindings::configure);
    };
}
