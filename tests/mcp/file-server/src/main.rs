//! `vak-file-server ROOT`: an MCP server on standard input and output for the
//! text files below one folder. It knows nothing of VAK: it is what the
//! gateway is put in front of.

#![forbid(unsafe_code)]

mod files;
mod server;

use std::sync::Arc;

use anyhow::Context as _;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use rmcp::service::serve_server;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(root), None) = (arguments.next(), arguments.next()) else {
        anyhow::bail!("usage: vak-file-server ROOT");
    };
    let root = Dir::open_ambient_dir(&root, ambient_authority())
        .with_context(|| format!("opening `{}`", root.to_string_lossy()))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let served = runtime.block_on(async {
        let stdio = (tokio::io::stdin(), tokio::io::stdout());
        serve_server(server::FileServer::new(Arc::new(root)), stdio).await?.waiting().await?;
        Ok(())
    });
    // A thread may still wait for input that does not come.
    runtime.shutdown_background();
    served
}
