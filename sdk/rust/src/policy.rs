//! Policies: may this action happen?

use crate::bindings::policy as bindings;

pub use bindings::exports::vak::policy::policy::{Description, Effect, Finding, Rule};
pub use bindings::vak::types::types::{Action, Attribute, AttributeValue, JudgeError};

#[cfg(feature = "configurable-policy")]
pub use bindings::exports::vak::types::configure::ConfigError;

/// A policy. Export it with [`export_policy!`](crate::export_policy) or, when
/// it takes configuration,
/// [`export_configurable_policy!`](crate::export_configurable_policy).
pub trait Policy {
    /// Judges one action.
    ///
    /// # Errors
    /// The policy could not judge the action. The host denies it.
    fn evaluate(&self, action: &Action) -> Result<Finding, JudgeError>;

    /// Says what this policy contains.
    fn describe(&self) -> Description;
}

/// How a policy is made from its configuration text.
#[cfg(feature = "configurable-policy")]
pub trait Configure: Sized {
    /// Called once, at installation. What is returned is there in every call.
    ///
    /// # Errors
    /// The text is not a valid configuration.
    fn configure(config: &str) -> Result<Self, ConfigError>;
}

impl Finding {
    /// Nothing to say.
    pub fn abstain() -> Self {
        Self { effect: Effect::Abstain, rule: None, reason: String::new() }
    }

    /// It may happen, by `rule`.
    pub fn permit(rule: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { effect: Effect::Permit, rule: Some(rule.into()), reason: reason.into() }
    }

    /// A person should decide, by `rule`.
    pub fn escalate(rule: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { effect: Effect::Escalate, rule: Some(rule.into()), reason: reason.into() }
    }

    /// It must not happen, by `rule`.
    pub fn forbid(rule: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { effect: Effect::Forbid, rule: Some(rule.into()), reason: reason.into() }
    }
}

impl Description {
    /// A description without rules yet.
    pub fn of(summary: impl Into<String>) -> Self {
        Self { summary: summary.into(), rules: Vec::new() }
    }

    /// The same with one more rule.
    #[must_use]
    pub fn rule(mut self, id: impl Into<String>, effect: Effect, summary: impl Into<String>) -> Self {
        self.rules.push(Rule { id: id.into(), effect, summary: summary.into() });
        self
    }
}

/// Exports a policy's world. With both features on, which happens only where a
/// whole workspace is checked natively, there is no one world to export.
#[cfg(all(feature = "policy", not(feature = "configurable-policy")))]
#[doc(hidden)]
#[macro_export]
macro_rules! export_policy_world {
    ($component:ident) => {
        $crate::bindings::policy::export_policy_component!($component with_types_in $crate::bindings::policy);
    };
}

/// Exports nothing: see the other definition.
#[cfg(all(feature = "policy", feature = "configurable-policy"))]
#[doc(hidden)]
#[macro_export]
macro_rules! export_policy_world {
    ($component:ident) => {
        const _: fn() -> $crate::policy::Description =
            <$component as $crate::bindings::policy::exports::vak::policy::policy::Guest>::describe;
    };
}

/// Makes a type that is `Default` and [`Policy`] this component's policy.
#[cfg(feature = "policy")]
#[macro_export]
macro_rules! export_policy {
    ($policy:ty) => {
        const _: () = {
            use $crate::policy as sdk;

            #[cfg(target_arch = "wasm32")]
            #[global_allocator]
            static ALLOCATOR: $crate::arena::CallAllocator = $crate::arena::CallAllocator::new(true);

            struct Component;

            impl $crate::bindings::policy::exports::vak::policy::policy::Guest for Component {
                fn evaluate(action: sdk::Action) -> Result<sdk::Finding, sdk::JudgeError> {
                    // What a call allocates goes with its instance.
                    let action = core::mem::ManuallyDrop::new(action);
                    sdk::Policy::evaluate(&<$policy as Default>::default(), &action)
                }

                fn describe() -> sdk::Description {
                    sdk::Policy::describe(&<$policy as Default>::default())
                }
            }

            $crate::export_policy_world!(Component);
        };
    };
}

/// Makes a type that is [`Configure`] and [`Policy`] this component's policy.
#[cfg(feature = "configurable-policy")]
#[macro_export]
macro_rules! export_configurable_policy {
    ($policy:ty) => {
        const _: () = {
            use $crate::policy as sdk;

            #[cfg(target_arch = "wasm32")]
            #[global_allocator]
            static ALLOCATOR: $crate::arena::CallAllocator = $crate::arena::CallAllocator::new(false);

            static CONFIGURED: std::sync::OnceLock<$policy> = std::sync::OnceLock::new();

            struct Component;

            fn configured() -> &'static $policy {
                // The host configures before it calls. A host that did not must
                // get a trap, which it turns into a deny, not an empty policy.
                CONFIGURED.get().unwrap_or_else(|| panic!("called before `configure`"))
            }

            impl $crate::bindings::policy::exports::vak::policy::policy::Guest for Component {
                fn evaluate(action: sdk::Action) -> Result<sdk::Finding, sdk::JudgeError> {
                    // What a call allocates goes with its instance.
                    let action = core::mem::ManuallyDrop::new(action);
                    sdk::Policy::evaluate(configured(), &action)
                }

                fn describe() -> sdk::Description {
                    sdk::Policy::describe(configured())
                }
            }

            impl $crate::bindings::policy::exports::vak::types::configure::Guest for Component {
                fn configure(config: String) -> Result<(), sdk::ConfigError> {
                    let policy = <$policy as sdk::Configure>::configure(&config)?;
                    CONFIGURED.set(policy).map_err(|_| sdk::ConfigError {
                        message: "configured twice".to_owned(),
                        line: None,
                        column: None,
                    })?;
                    #[cfg(target_arch = "wasm32")]
                    ALLOCATOR.seal();
                    Ok(())
                }
            }

            $crate::bindings::policy::export_configurable_policy_component!(
                Component with_types_in $crate::bindings::policy
            );
        };
    };
}
