//! The four kinds of component: WIT bindings on one side, the decision path's
//! ports on the other.
//!
//! [`load`] makes any kind ready. A [`Policy`] is a guard of the pipeline, a
//! [`Skill`] is called with JSON, a [`Scorer`] assesses an action and an
//! [`Adapter`] says what a framework's message asks for.
//!
//! ```no_run
//! use vak_engine::{Engine, Request};
//! use vak_pipeline::Standing;
//! use vak_plugin::{Loaded, load};
//! # fn request() -> Request<'static> { unimplemented!() }
//!
//! let engine = Engine::new(None)?;
//! match load(&engine, &request(), None)? {
//!     Loaded::Policy(policy) => println!("{}", policy.with_standing(Standing::RestrictOnly).describe()?.summary),
//!     Loaded::Skill(skill) => println!("{}", skill.tool().description),
//!     Loaded::Scorer(_) | Loaded::Adapter(_) => println!("loads"),
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod action;
mod adapter;
mod bindings;
mod load;
mod log;
mod memory;
mod policy;
mod scope;
mod scorer;
mod secrets;
mod session;
mod skill;

pub use adapter::{Adapter, AdapterError, Answer, EndedCall, Ending, Info, Intake, Wanted};
pub use load::{Loaded, load};
pub use policy::{Description, Near, Policy, Prospect, Rule};
pub use scope::Scope;
pub use scorer::{Assessment, Scorer};
pub use skill::{Skill, SkillError, Tool};
