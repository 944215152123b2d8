//! Skills: tools an agent can call.

use crate::bindings::skill as bindings;

pub use bindings::exports::vak::skill::skill::{SkillError, Tool};

/// A skill. Export it with [`export_skill!`](crate::export_skill).
pub trait Skill {
    /// Describes the tool.
    fn describe() -> Tool;

    /// Does the work. `input` and the result are JSON.
    ///
    /// # Errors
    /// [`SkillError::InvalidInput`] when the input is not what the schema asks
    /// for, [`SkillError::Failed`] when the work failed.
    fn invoke(input: &str) -> Result<String, SkillError>;
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

/// Makes a type that is [`Skill`] this component's skill.
#[macro_export]
macro_rules! export_skill {
    ($skill:ty) => {
        const _: () = {
            use $crate::skill as sdk;

            struct Component;

            impl $crate::bindings::skill::exports::vak::skill::skill::Guest for Component {
                fn describe() -> sdk::Tool {
                    <$skill as sdk::Skill>::describe()
                }

                fn invoke(input: String) -> Result<String, sdk::SkillError> {
                    <$skill as sdk::Skill>::invoke(&input)
                }
            }

            $crate::bindings::skill::export_skill_component!(
                Component with_types_in $crate::bindings::skill
            );
        };
    };
}
