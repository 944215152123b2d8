//! VAK for Python: the host in process, and a client of a server, as the native
//! part of the package `vak`.
//!
//! What Python asks is read once (`asked.rs`, `convert.rs`), done by a host
//! (`opened.rs`) or a server (`remote.rs`), waited for in a thread or an event loop
//! (`run.rs`, `awaitable.rs`), and becomes a decision that has one outcome
//! (`allowed.rs`, `decision.rs`). No answer is an allow that the host or the server
//! did not give, and an allow that Python did not get is undone.
//!
//! ```python
//! with vak.Host("vak.toml") as host:
//!     with host.decide("ada", "files/read", "notes", {"path": "/work/a"}) as decision:
//!         read(**decision.arguments)
//! ```

mod allowed;
mod approvals;
mod asked;
mod awaitable;
mod bell;
mod client;
mod convert;
mod decision;
mod errors;
mod execution;
mod host;
mod ingested;
mod opened;
mod process;
mod remote;
mod run;
mod runtime;
mod verdict;

/// What the package `vak` is made of.
#[pyo3::pymodule]
mod _native {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::approvals::{Standing, Waiting};
    #[pymodule_export]
    use crate::awaitable::Awaitable;
    #[pymodule_export]
    use crate::client::{AsyncClient, Client};
    #[pymodule_export]
    use crate::decision::{AsyncDecision, Decision};
    #[pymodule_export]
    use crate::execution::Execution;
    #[pymodule_export]
    use crate::host::{AsyncHost, Host};
    #[pymodule_export]
    use crate::ingested::Ingested;
    #[pymodule_export]
    use crate::verdict::{Reason, Receipt, Verdict};

    /// Closes what is open when Python ends.
    #[pyfunction]
    fn close_all(py: Python<'_>) -> PyResult<()> {
        crate::opened::close_all(py)
    }

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        // Without these nothing could be told.
        module.py().import("vak._errors")?;
        let close = module.getattr("close_all")?;
        module.py().import("atexit")?.call_method1("register", (close,))?;
        module.delattr("close_all")
    }
}
