//! Adapters: what does this framework's message mean?

mod words;

use crate::bindings::adapter as bindings;

pub use bindings::exports::vak::adapter::adapter::{AdapterError, Answer, Ended, Ending, Info, Intake, Request};
pub use bindings::vak::types::verdicts::{Decision, Verdict};
pub use words::{each, need, object, one};

#[cfg(feature = "configure")]
pub use crate::configure::{ConfigError, Configure};

/// An adapter. Export it with [`export_adapter!`](crate::export_adapter) or, when
/// it takes configuration,
/// [`export_configurable_adapter!`](crate::export_configurable_adapter).
pub trait Adapter {
    /// Says which framework this adapter understands.
    fn describe(&self) -> Info;

    /// Reads one message, given as JSON.
    ///
    /// # Errors
    /// The message was not understood. The host denies it.
    fn ingest(&self, event: &str) -> Result<Intake, AdapterError>;

    /// Writes the framework's answer to `event`, as JSON, given one answer for
    /// each of its actions; none, where it asked for none.
    ///
    /// # Errors
    /// The message was not understood.
    fn render(&self, event: &str, answers: &[Answer]) -> Result<String, AdapterError>;
}

/// The functions of an adapter's interface, each on `$adapter`.
#[doc(hidden)]
#[macro_export]
macro_rules! adapter_functions {
    ($adapter:expr) => {
        impl $crate::bindings::adapter::exports::vak::adapter::adapter::Guest for Component {
            fn describe() -> sdk::Info {
                sdk::Adapter::describe($adapter)
            }

            fn ingest(event: String) -> Result<sdk::Intake, sdk::AdapterError> {
                sdk::Adapter::ingest($adapter, &event)
            }

            fn render(event: String, answers: Vec<sdk::Answer>) -> Result<String, sdk::AdapterError> {
                sdk::Adapter::render($adapter, &event, &answers)
            }
        }
    };
}

/// Makes a type that is `Default` and [`Adapter`] this component's adapter.
#[macro_export]
macro_rules! export_adapter {
    ($adapter:ty) => {
        const _: () = {
            use $crate::adapter as sdk;

            struct Component;

            $crate::adapter_functions!(&<$adapter as Default>::default());

    $crate::bindings::adapter::export_adapter_component!(Component with_types_in $crate::bindings::adapter);
        };
    };
}

/// Makes a type that is [`Configure`] and [`Adapter`] this component's adapter.
#[cfg(feature = "configure")]
#[macro_export]
macro_rules! export_configurable_adapter {
    ($adapter:ty) => {
        const _: () = {
            use $crate::adapter as sdk;

            struct Component;

            $crate::export_configuration!($adapter, ());

            $crate::adapter_functions!(configured());

    $crate::bindings::adapter::export_adapter_component!(Component with_types_in $crate::bindings::adapter);
        };
    };
}
