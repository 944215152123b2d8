//! Scorers: how good is this step?

use crate::bindings::scorer as bindings;

pub use bindings::exports::vak::scorer::scorer::Assessment;
pub use bindings::vak::types::types::{Action, Attribute, AttributeValue, JudgeError};

#[cfg(feature = "configure")]
pub use crate::configure::{ConfigError, Configure};

/// A scorer. Export it with [`export_scorer!`](crate::export_scorer) or, when it
/// takes configuration,
/// [`export_configurable_scorer!`](crate::export_configurable_scorer).
pub trait Scorer {
    /// Assesses one action. The same action gives the same assessment.
    ///
    /// # Errors
    /// The scorer could not judge the action. The host takes it for the
    /// strictest assessment.
    fn evaluate(&self, action: &Action) -> Result<Assessment, JudgeError>;
}

impl Assessment {
    /// `value` from 0 (hopeless) to 1 (certain to help), and why.
    pub fn new(value: f64, reason: impl Into<String>) -> Self {
        Self { value, reason: reason.into() }
    }
}

/// Makes a type that is `Default` and [`Scorer`] this component's scorer.
#[macro_export]
macro_rules! export_scorer {
    ($scorer:ty) => {
        const _: () = {
            use $crate::scorer as sdk;

            #[cfg(target_arch = "wasm32")]
            #[global_allocator]
            static ALLOCATOR: $crate::arena::CallAllocator = $crate::arena::CallAllocator::new(true);

            struct Component;

            impl $crate::bindings::scorer::exports::vak::scorer::scorer::Guest for Component {
                fn evaluate(action: sdk::Action) -> Result<sdk::Assessment, sdk::JudgeError> {
                    // What a call allocates goes with its instance.
                    let action = core::mem::ManuallyDrop::new(action);
                    sdk::Scorer::evaluate(&<$scorer as Default>::default(), &action)
                }
            }

    $crate::bindings::scorer::export_scorer_component!(Component with_types_in $crate::bindings::scorer);
        };
    };
}

/// Makes a type that is [`Configure`] and [`Scorer`] this component's scorer.
#[cfg(feature = "configure")]
#[macro_export]
macro_rules! export_configurable_scorer {
    ($scorer:ty) => {
        const _: () = {
            use $crate::scorer as sdk;

            #[cfg(target_arch = "wasm32")]
            #[global_allocator]
            static ALLOCATOR: $crate::arena::CallAllocator = $crate::arena::CallAllocator::new(false);

            struct Component;

            $crate::export_configuration!($scorer, {
                #[cfg(target_arch = "wasm32")]
                ALLOCATOR.seal()
            });

            impl $crate::bindings::scorer::exports::vak::scorer::scorer::Guest for Component {
                fn evaluate(action: sdk::Action) -> Result<sdk::Assessment, sdk::JudgeError> {
                    // What a call allocates goes with its instance.
                    let action = core::mem::ManuallyDrop::new(action);
                    sdk::Scorer::evaluate(configured(), &action)
                }
            }

    $crate::bindings::scorer::export_scorer_component!(Component with_types_in $crate::bindings::scorer);
        };
    };
}
