//! `cargo xtask demo | test | bench | build-components`: everything a newcomer,
//! a developer and CI run, each as one command that installs what it needs.

#![forbid(unsafe_code)]

mod bench;
mod components;
mod demo;
mod run;
mod test;
mod tools;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  demo              build everything, govern an agent session, verify its log
  test              everything CI runs
  test NAME…        only these checks: fmt, clippy, rust, doc
  bench             print the benchmark table
  bench NAME…       only these parts: policy, reused, engines, javascript, limits, trust, skills, adapters, decisions,
                    durable, gateway, server, python, audit
  build-components  build and sign the first-party and test components";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["demo"] => demo::run(),
        ["test", checks @ ..] => test::run(checks),
        ["bench", sections @ ..] => bench::run(sections),
        ["build-components"] => components::build(),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
