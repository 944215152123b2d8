//! The product in a minute: a scripted MCP client speaks to an MCP file server
//! through `vak mcp`, then the log of it is shown and verified. Everything here
//! uses the real programs; run it with `cargo xtask demo`.

#![forbid(unsafe_code)]

mod session;
mod site;
mod table;

use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::site::Site;

fn main() -> Result<()> {
    let site = Site::lay_out()?;
    println!("\n1. An agent works on files and tools, through `vak mcp`\n");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(session::run(&site))?;

    println!("\n2. What the log says about it\n");
    table::print(&site.log())?;

    println!("\n3. One more decision, with its receipt (`vak decide`)\n");
    decide(&site)?;

    println!("\n4. Anybody can verify the log with its public key (`vak audit verify`)\n");
    verify(&site)?;

    let folder = site.folder.display();
    println!("\nEverything is in {folder}: change rules.toml and try");
    println!("  {} config check --config {folder}/vak.toml", site.vak.display());
    println!("  {} audit tail {}", site.vak.display(), site.log().display());
    Ok(())
}

fn decide(site: &Site) -> Result<()> {
    let action = site.folder.join("action.json");
    let mut decide = Command::new(&site.vak);
    decide.arg("decide").arg("--config").arg(site.config()).stdin(std::fs::File::open(&action)?);
    let output = decide.output().context("running `vak decide`")?;
    print!("{}", String::from_utf8_lossy(&output.stdout));
    // 1 says: decided, and not allowed.
    ensure!(output.status.code() == Some(1), "`vak decide` ended with {}", output.status);
    Ok(())
}

fn verify(site: &Site) -> Result<()> {
    let key = Command::new(&site.vak).args(["audit", "key", "--config"]).arg(site.config()).output()?;
    let path = site.folder.join("log.vkey");
    std::fs::write(&path, key.stdout)?;
    let verify = |log| Command::new(&site.vak).args(["audit", "verify", "--key"]).arg(&path).arg(log).status();
    ensure!(verify(site.log())?.success(), "the log does not verify");

    println!("\n   … and one flipped bit in a copy of it shows:\n");
    let copy = site.folder.join("tampered.sqlite");
    let mut bytes = std::fs::read(site.log())?;
    let word = b"write_file";
    let at = bytes.windows(word.len()).position(|window| window == word).context("no entry about write_file")?;
    bytes[at] ^= 1;
    std::fs::write(&copy, bytes)?;
    ensure!(!verify(copy)?.success(), "a changed log verifies");
    Ok(())
}
