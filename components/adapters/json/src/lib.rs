//! Understands the messages of any framework, as a mapping file says what they
//! mean. `MAPPING.md` is its reference.
//!
//! A mapping names kinds of messages by what stands at JSON pointers in them, and
//! says of each whether it asks for actions, tells how calls ended, or passes. A
//! message that fits none is an error, which the host denies.
//!
//! Three things are not left to whoever writes one. What goes into a name from a
//! message can't pass for another part of that name. No message can make a deny read
//! like an allow: their templates have to differ in a constant. And a message passes
//! only by a value that it says.

mod condition;
mod mapping;
mod message;
mod node;
mod pointer;
mod scope;
mod text;
mod value;

use vak_sdk::adapter::{Adapter, AdapterError, Answer, ConfigError, Configure, Info, Intake};

pub use self::mapping::Mapping;

impl Configure for Mapping {
    fn configure(config: &str) -> Result<Self, ConfigError> {
        Self::read(config)
    }
}

impl Adapter for Mapping {
    fn describe(&self) -> Info {
        Info { framework: self.framework.clone(), versions: self.versions.clone(), rewrites: self.rewrites() }
    }

    fn ingest(&self, event: &str) -> Result<Intake, AdapterError> {
        Self::ingest(self, event)
    }

    fn render(&self, event: &str, answers: &[Answer]) -> Result<String, AdapterError> {
        Self::render(self, event, answers)
    }
}

vak_sdk::export_configurable_adapter!(Mapping);
