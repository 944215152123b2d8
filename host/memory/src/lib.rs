//! What agents remember between the calls of their skills.
//!
//! A [`Memory`] is one file. Each agent has scopes in it, by name, and a scope
//! has values by key. A call works on a [`Recall`]: what it reads is one state of
//! each scope, what it changes is seen by nobody until [`Recall::commit`], and
//! then all of it is there, or nothing because another call was quicker.
//!
//! ```
//! use vak_memory::{Memory, Refusal};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = tempfile::tempdir()?;
//! let memory = std::sync::Arc::new(Memory::at(folder.path().join("memory.sqlite")));
//! let (ada, notes) = ("ada".parse()?, "notes".parse()?);
//!
//! let mut call = memory.recall(&ada);
//! assert!(call.set(&notes, "city", b"Turin")?.is_ok());
//! call.commit()?;
//!
//! let mut call = memory.recall(&ada);
//! assert_eq!(call.get(&notes, "city")?, Ok(Some(b"Turin".to_vec())));
//! assert_eq!(call.get(&notes, "")?, Err(Refusal::Key));
//! // Another agent has scopes of its own.
//! assert_eq!(memory.recall(&"bob".parse()?).get(&notes, "city")?, Ok(None));
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod file;
mod memory;
mod recall;

pub use memory::{Held, Memory, MemoryError};
pub use recall::{CALL_BYTES_MAX, KEY_BYTES_MAX, KEYS_MAX, Recall, Refusal, SCOPE_BYTES_MAX, VALUE_BYTES_MAX};
