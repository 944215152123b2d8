//! The gateway for the Model Context Protocol.
//!
//! To its clients it is an MCP server, on standard input and output or over
//! streamable HTTP, there also beside the rest of what `vak serve` serves; to its upstreams, MCP servers that run as its children or
//! are reached by a URL, it is the client. It offers the upstreams' tools,
//! resources and prompts, and the host's skills. Nothing else of an upstream
//! (completion, sampling, elicitation, tasks, subscriptions to single resources) passes, in either
//! direction.
//!
//! * The tool `x` of the upstream `files` is the operation `files/x` on the
//!   resource `mcp:files/x`. The upstream gets the arguments that were judged,
//!   written anew from the judged document, and of the client's `_meta`
//!   nothing.
//! * With `[[mcp.upstreams]]` that tool is offered as `files_x`. No upstream has
//!   `_` in its name then, so a name is read in one way.
//! * To read the resource `u` of `files` is the operation `files/resources/read`
//!   with the argument `/uri`; lists and prompts are operations likewise. A tool
//!   with such a name is neither listed nor called.
//! * A tool or prompt that is described otherwise than when it was accepted is
//!   neither listed nor asked for. The log has what was accepted before it counts.
//! * The skill `calculator` is the tool `vak_calculator`. Names that begin with
//!   `vak_` belong to the host: an upstream's tool with such a name is neither
//!   listed nor called, whatever skills there are, so neither kind can shadow
//!   the other.
//! * What a person approved is decided once the upstream is there: for one that is not,
//!   no yes is used up.
//! * After an allow there is always an outcome in the log, and the client gets
//!   the result only once it is there.
//! * The upstream inherits the gateway's environment and working directory, as
//!   it would have the client's without a gateway. It runs in a process group
//!   of its own, which ends with the session.

mod addresses;
mod call;
mod catalog;
mod changes;
mod client_wire;
mod connection;
mod described;
mod errand;
mod error;
mod forward;
mod gateway;
pub mod http;
mod keeper;
mod lines;
mod lives;
mod offers;
mod outstanding;
mod pages;
mod person;
mod pins;
mod provenance;
mod refusals;
mod remote;
mod routes;
mod screen;
mod serve;
mod session;
mod shared;
mod start;
mod stderr;
#[cfg(test)]
mod tests;
mod tools;
mod upstream;
mod upstream_wire;
mod upstreams;
mod wish;
mod writer;

pub(crate) use connection::Abandon;
pub(crate) use errand::{Company, Done, Errand, Undone};
pub use error::{McpError, PROMPTS};
pub(crate) use http::{Client, McpService};
pub(crate) use lives::Condition;
pub use pins::{Changed, Pin, PinError, Pins};
pub use serve::serve_stdio;
pub(crate) use upstream::Upstream;
pub(crate) use upstreams::Upstreams;
pub(crate) use wish::Wish;
