//! The only crate that owns a wasmtime store: compiles, bakes, caches,
//! instantiates and meters components.
//!
//! A component enters as `Verified<Component>` and leaves as [`Prepared`]:
//! compiled here (compiled code from elsewhere is never accepted), with its
//! configuration baked into its memory, linked with exactly the grants it asked
//! for and was given. Each call then gets a fresh instance under
//! [`CallLimits`], and whatever goes wrong in it is a typed
//! [`Failure`](vak_types::Failure).
//!
//! ```
//! use vak_engine::{CallLimits, Engine, Problem, Request};
//! use vak_trust::{Manifest, Package, PrivateKey, TrustPolicy, Unsigned, Validity};
//! use vak_types::{Granted, Kind, Timestamp};
//!
//! let manifest = Manifest::from_toml(
//!     "name = 'empty'\nversion = '0.1.0'\nkind = 'policy'\ndescription = ''\nlicense = 'MIT'",
//! )?;
//! let key = PrivateKey::generate()?;
//! let now = Timestamp::from_nanos(1_800_000_000_000_000_000);
//! let empty_component = b"\0asm\x0d\0\x01\0".to_vec();
//! let package = Package::unsigned(empty_component, &manifest).sign(&key, Validity::since(now));
//! let verified = TrustPolicy::of_publishers([key.public()]).verify(package, Unsigned::Refuse, now)?;
//!
//! let engine = Engine::new(None)?;
//! let request = Request {
//!     name: &"empty".parse()?,
//!     kind: Kind::Policy,
//!     component: &verified,
//!     config: None,
//!     grants: &Granted::default(),
//!     limits: CallLimits::POLICY,
//! };
//! // It is signed, and it is still no policy.
//! let error = engine.prepare(&request, &|_, _| Ok(())).unwrap_err();
//! assert!(matches!(error.problem, Problem::Export { .. }));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bake;
mod cache;
mod engine;
mod failure;
mod imports;
mod limits;
mod load;
mod prepared;
mod prune;
mod sections;
mod sever;
mod state;
#[cfg(test)]
mod testing;
mod ticker;

pub use engine::{Engine, Link, Linking};
pub use failure::Stopped;
pub use limits::{CallLimits, TooMuch};
pub use load::{EngineError, LoadError, Problem, Request};
pub use prepared::Prepared;
pub use state::{CallState, HostCalls};
