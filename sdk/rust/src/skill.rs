//! Skills: tools an agent can call.

use crate::bindings::skill as bindings;

pub use bindings::exports::vak::skill::skill::{SkillError, Tool};

#[cfg(feature = "configure")]
pub use crate::configure::{ConfigError, Configure};

/// A skill. Export it with [`export_skill!`](crate::export_skill) or, when it
/// takes configuration,
/// [`export_configurable_skill!`](crate::export_configurable_skill).
pub trait Skill {
    /// Describes the tool.
    fn describe(&self) -> Tool;

    /// Does the work. `input` and the result are JSON.
    ///
    /// # Errors
    /// [`SkillError::InvalidInput`] when the input is not what the schema asks
    /// for, [`SkillError::Failed`] when the work failed.
    fn invoke(&self, input: &str) -> Result<String, SkillError>;
}

impl Tool {
    /// A tool without an output schema.
    pub fn new(description: impl Into<String>, input_schema: &serde_json::Value) -> Self {
        Self { description: description.into(), input_schema: input_schema.to_string(), output_schema: None }
    }

    /// The same with an output schema.
    #[must_use]
    pub fn output(mut self, schema: &serde_json::Value) -> Self {
        self.output_schema = Some(schema.to_string());
        self
    }
}

/// The functions of a skill's interface, each on `$skill`.
#[doc(hidden)]
#[macro_export]
macro_rules! skill_functions {
    ($skill:expr) => {
        impl $crate::bindings::skill::exports::vak::skill::skill::Guest for Component {
            fn describe() -> sdk::Tool {
                sdk::Skill::describe($skill)
            }

            fn invoke(input: String) -> Result<String, sdk::SkillError> {
                sdk::Skill::invoke($skill, &input)
            }
        }
    };
}

/// Makes a type that is `Default` and [`Skill`] this component's skill.
#[macro_export]
macro_rules! export_skill {
    ($skill:ty) => {
        const _: () = {
            use $crate::skill as sdk;

            struct Component;

            $crate::skill_functions!(&<$skill as Default>::default());

    $crate::bindings::skill::export_skill_component!(Component with_types_in $crate::bindings::skill);
        };
    };
}

/// Makes a type that is [`Configure`] and [`Skill`] this component's skill.
#[cfg(feature = "configure")]
#[macro_export]
macro_rules! export_configurable_skill {
    ($skill:ty) => {
        const _: () = {
            use $crate::skill as sdk;

            struct Component;

            $crate::export_configuration!($skill, ());

            $crate::skill_functions!(configured());

    $crate::bindings::skill::export_skill_component!(Component with_types_in $crate::bindings::skill);
        };
    };
}
