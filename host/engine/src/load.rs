//! What is asked of the engine and how it refuses.

use std::path::PathBuf;

use vak_trust::{Component, Verified};
use vak_types::{Capability, Failure, Granted, Kind, Name};

use crate::limits::CallLimits;

/// A component to be made ready, and what the operator says about it.
#[derive(Debug)]
pub struct Request<'a> {
    /// Its name in the configuration.
    pub name: &'a Name,
    /// The kind it is used as.
    pub kind: Kind,
    /// The component, verified.
    pub component: &'a Verified<Component>,
    /// Its configuration, where it takes one.
    pub config: Option<&'a str>,
    /// What the operator grants. It gets what it asked for of these.
    pub grants: &'a Granted,
    /// What one call may use.
    pub limits: CallLimits,
}

/// Why the engine could not start.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// wasmtime refused its settings, most often for want of address space.
    #[error("the WebAssembly engine could not start: {0}; is the address space limited (`ulimit -v`)?")]
    Wasmtime(String),
    /// The thread that stops calls could not be started.
    #[error("the thread that stops overlong calls could not be started: {0}")]
    Ticker(std::io::Error),
    /// The folder for compiled code cannot be used.
    #[error("the folder for compiled code `{}`: {source}", folder.display())]
    Cache {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// A component that was not made ready.
#[derive(Debug, thiserror::Error)]
#[error("component `{name}`: {problem}")]
pub struct LoadError {
    /// Its name in the configuration.
    pub name: Name,
    /// What is wrong with it.
    pub problem: Problem,
}

/// Why a component was not made ready.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// Its manifest says another kind than it is used as.
    #[error("is a {found}, used as a {expected}")]
    Kind {
        /// What it says it is.
        found: Kind,
        /// What it is used as.
        expected: Kind,
    },
    /// It does not export the interface of its kind.
    #[error("does not export `{interface}`, which every {kind} does")]
    Export {
        /// The missing interface.
        interface: &'static str,
        /// The kind it says it is.
        kind: Kind,
    },
    /// It imports something that its manifest does not ask for.
    #[error("imports `{import}`, which its manifest does not ask for")]
    Undeclared {
        /// The import.
        import: String,
    },
    /// It imports something it asks for and was not granted.
    #[error(
        "asks for `{capability}` (imports `{import}`), which is not granted; add it to its `grants` or choose another version"
    )]
    NotGranted {
        /// The missing right.
        capability: Capability,
        /// The import that needs it.
        import: String,
    },
    /// What is granted to it is not as it has to be.
    #[error("cannot be given what it is granted: {0}")]
    Grant(String),
    /// It is not a component this engine can compile.
    #[error("does not compile: {0}")]
    Compile(String),
    /// Its imports do not have the types that the host offers.
    #[error("does not link: {0}")]
    Link(String),
    /// It takes configuration and there is none.
    #[error("needs a configuration; set its `config`")]
    NeedsConfig,
    /// It takes no configuration and there is one.
    #[error("takes no configuration; remove its `config`")]
    TakesNoConfig,
    /// It refused its configuration.
    #[error("refuses its configuration{}: {message}", place(*.line, *.column))]
    Config {
        /// What it says.
        message: String,
        /// The line, from 1, where it says one.
        line: Option<u32>,
        /// The column, from 1, where it says one.
        column: Option<u32>,
    },
    /// It failed while it was configured.
    #[error("failed while it was configured: {0}")]
    Bake(Failure),
    /// A skill says something else of itself than its manifest does.
    #[error("says another {0} of itself than its manifest does; pack it again")]
    Tool(&'static str),
    /// It failed to start, or to say what it is.
    #[error("does not start: {0}")]
    Start(Failure),
}

fn place(line: Option<u32>, column: Option<u32>) -> String {
    match (line, column) {
        (Some(line), Some(column)) => format!(" at line {line}, column {column}"),
        (Some(line), None) => format!(" at line {line}"),
        _ => String::new(),
    }
}
