//! The four kinds of component: WIT bindings on one side, the decision path's
//! ports on the other.
//!
//! [`load`] makes any kind ready. A [`Policy`] is a guard of the pipeline, a
//! [`Skill`] is called with JSON; scorers and adapters are checked against
//! their interfaces and can be loaded, and nothing calls them yet.
//!
//! ```no_run
//! use vak_engine::{Engine, Request};
//! use vak_pipeline::Standing;
//! use vak_plugin::{Loaded, load};
//! # fn request() -> Request<'static> { unimplemented!() }
//!
//! let engine = Engine::new(None)?;
//! match load(&engine, &request())? {
//!     Loaded::Policy(policy) => println!("{}", policy.with_standing(Standing::RestrictOnly).describe()?.summary),
//!     Loaded::Skill(skill) => println!("{}", skill.tool().description),
//!     Loaded::Scorer(_) | Loaded::Adapter(_) => println!("loads"),
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bindings;
mod load;
mod log;
mod policy;
mod skill;

pub use load::{Adapter, Loaded, Scorer, load};
pub use policy::{Description, Policy, Rule};
pub use skill::{Skill, SkillError, Tool};
