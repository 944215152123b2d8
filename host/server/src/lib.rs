//! The surfaces that a host serves to other processes: an HTTP server that
//! decides actions for applications, and a gateway for the Model Context
//! Protocol, on standard input and output or over HTTP, which stands between MCP
//! clients and the MCP servers they want to use.
//!
//! ```no_run
//! use std::sync::Arc;
//! use vak::{Config, Host};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let host = Host::builder(Config::load("vak.toml".as_ref(), &[])?).build()?;
//! // Speaks MCP on standard input and output until the client goes.
//! vak_server::mcp::serve_stdio(Arc::new(host), vec!["files-server".into(), "/work".into()]).await?;
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod client;
pub mod http;
pub mod mcp;
mod outgoing;

pub use client::{Client, ClientError};
