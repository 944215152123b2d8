//! Policies: may this action happen?

use crate::bindings::policy as bindings;

pub use bindings::exports::vak::policy::policy::{
    Cap, Description, Effect, Finding, Header, Obligation, Redaction, Rule,
};
pub use bindings::vak::types::types::{Action, Attribute, AttributeValue, JudgeError};

#[cfg(feature = "configure")]
pub use crate::configure::{ConfigError, Configure};

#[cfg(feature = "nearest")]
pub use crate::bindings::nearest::exports::vak::policy::nearest::Near;
#[cfg(feature = "nearest")]
pub use crate::bindings::nearest::exports::vak::policy::outlook::Prospect;

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

    /// What it says under `session` there. A host asks for this alone where the
    /// policy is exported with `nearest`.
    fn asks_for_session(&self) -> bool {
        self.describe().session
    }
}

/// A policy that can say how far an action was from being permitted. Export it
/// with `export_configurable_policy!(Type, nearest)`.
#[cfg(feature = "nearest")]
pub trait Nearest {
    /// The rules that are nearest to permitting the action, the nearest first.
    /// It must not ask what the session did before.
    fn nearest(&self, action: &Action) -> Vec<Near>;

    /// What it could say of actions with these names, whatever else is in them.
    /// Anything but [`Prospect::Open`] has to be true of all of them.
    fn prospects(&self, _agent: &str, _operation: &str, _resource: &str) -> Prospect {
        Prospect::Open
    }
}

impl Finding {
    /// Nothing to say.
    pub fn abstain() -> Self {
        Self { effect: Effect::Abstain, rule: None, reason: String::new(), obligations: Vec::new() }
    }

    /// It may happen, by `rule`.
    pub fn permit(rule: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::of(Effect::Permit, rule, reason)
    }

    /// A person should decide, by `rule`.
    pub fn escalate(rule: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::of(Effect::Escalate, rule, reason)
    }

    /// It must not happen, by `rule`.
    pub fn forbid(rule: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::of(Effect::Forbid, rule, reason)
    }

    /// The same with something more that has to be done if the action is
    /// allowed.
    #[must_use]
    pub fn oblige(mut self, obligation: Obligation) -> Self {
        self.obligations.push(obligation);
        self
    }

    fn of(effect: Effect, rule: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { effect, rule: Some(rule.into()), reason: reason.into(), obligations: Vec::new() }
    }
}

impl Description {
    /// A description without rules yet.
    pub fn of(summary: impl Into<String>) -> Self {
        Self { summary: summary.into(), rules: Vec::new(), session: false, warnings: Vec::new() }
    }

    /// The same of a policy that asks what the session did before, see
    /// [`session`](crate::session).
    #[must_use]
    pub fn asking_for_session(self) -> Self {
        Self { session: true, ..self }
    }

    /// The same with one more thing that somebody should look at.
    #[must_use]
    pub fn warning(mut self, warning: impl Into<String>) -> Self {
        self.warnings.push(warning.into());
        self
    }

    /// The same with one more rule.
    #[must_use]
    pub fn rule(mut self, id: impl Into<String>, effect: Effect, summary: impl Into<String>) -> Self {
        self.rules.push(Rule { id: id.into(), effect, summary: summary.into() });
        self
    }
}

/// Makes a type that is `Default` and [`Policy`] this component's policy.
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

    $crate::bindings::policy::export_policy_component!(Component with_types_in $crate::bindings::policy);
        };
    };
}

/// Makes a type that is [`Configure`] and [`Policy`] this component's policy.
/// After `, nearest` it is `Nearest`, too.
#[cfg(feature = "configure")]
#[macro_export]
macro_rules! export_configurable_policy {
    ($policy:ty) => {
        $crate::export_configurable_policy!($policy, {});
    };
    ($policy:ty, nearest) => {
        $crate::export_configurable_policy!($policy, { $crate::export_nearest!($policy); });
    };
    ($policy:ty, { $($more:tt)* }) => {
        const _: () = {
            use $crate::policy as sdk;

            #[cfg(target_arch = "wasm32")]
            #[global_allocator]
            static ALLOCATOR: $crate::arena::CallAllocator = $crate::arena::CallAllocator::new(false);

            struct Component;

            $crate::export_configuration!($policy, {
                #[cfg(target_arch = "wasm32")]
                ALLOCATOR.seal()
            });

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

            $($more)*

    $crate::bindings::policy::export_policy_component!(Component with_types_in $crate::bindings::policy);
        };
    };
}

/// The exports `nearest`, `asks` and `outlook`. Expands beside a `struct Component` and `configured`.
#[cfg(feature = "nearest")]
#[doc(hidden)]
#[macro_export]
macro_rules! export_nearest {
    ($policy:ty) => {
        impl $crate::bindings::nearest::exports::vak::policy::nearest::Guest for Component {
            fn nearest(action: sdk::Action) -> Vec<sdk::Near> {
                let action = core::mem::ManuallyDrop::new(action);
                <$policy as sdk::Nearest>::nearest(configured(), &action)
            }
        }

        impl $crate::bindings::nearest::exports::vak::policy::asks::Guest for Component {
            fn session() -> bool {
                sdk::Policy::asks_for_session(configured())
            }
        }

        impl $crate::bindings::nearest::exports::vak::policy::outlook::Guest for Component {
            fn prospects(agent: String, operation: String, resource: String) -> sdk::Prospect {
                <$policy as sdk::Nearest>::prospects(configured(), &agent, &operation, &resource)
            }
        }

        $crate::bindings::nearest::export_nearest!(Component with_types_in $crate::bindings::nearest);
    };
}
