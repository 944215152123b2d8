//! What component authors need and a running host does not: starting a project,
//! building it, packing it.
//!
//! [`NewProject`] writes a project in one of three languages. [`Builder`] calls
//! the language's own tools, which it installs into the project where they are
//! missing. [`pack`] makes a package of what they produced: a component that
//! imports nothing its code does not call, and its manifest beside it. Signing
//! is [`Package::sign`](vak_trust::Package::sign).
//!
//! ```
//! use vak_author::{PackError, pack};
//!
//! let manifest = "name = 'a'\nversion = '0.1.0'\nkind = 'policy'\ndescription = ''\nlicense = 'MIT'";
//! assert!(matches!(pack(b"no wasm", manifest), Err(PackError::NotWasm)));
//! assert!(pack(b"\0asm\x0d\0\x01\0", manifest).is_ok());
//! ```

#![forbid(unsafe_code)]

mod build;
mod embedded;
mod language;
mod name;
mod new;
mod pack;

pub use build::{BuildError, Builder, Built};
pub use language::Language;
pub use name::{ProjectName, ProjectNameError};
pub use new::{NewError, NewProject};
pub use pack::{PackError, pack};
