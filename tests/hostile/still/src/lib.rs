//! A policy that looks for what is none of a policy's business, through `std`:
//! the time, chance, files, the environment. It tells what it found, when it was
//! configured and when it judges, and permits.

#![cfg(target_os = "wasi")]

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime};

use vak_sdk::policy::{Action, ConfigError, Configure, Description, Finding, JudgeError, Policy};

struct Still {
    then: String,
}

impl Configure for Still {
    fn configure(config: &str) -> Result<Self, ConfigError> {
        if config == "print" {
            println!("being configured");
        }
        act(config);
        // Without standard input: a stream that it kept would not be there later.
        Ok(Self { then: found() })
    }
}

impl Policy for Still {
    fn evaluate(&self, action: &Action) -> Result<Finding, JudgeError> {
        act(&action.operation);
        let stdin = std::io::read_to_string(std::io::stdin()).unwrap_or_else(|error| error.to_string());
        Ok(Finding::permit("found", format!("{}; {}; stdin {stdin:?}", self.then, found())))
    }

    fn describe(&self) -> Description {
        Description::of("Looks around.")
    }
}

/// Everything that could differ between two calls.
fn found() -> String {
    let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
    let start = Instant::now();
    let ran = (0..9).map(|_| Instant::now()).any(|now| now != start);
    let map: HashMap<u8, ()> = (0..20).map(|number| (number, ())).collect();
    let order: Vec<u8> = map.into_keys().collect();
    let file = std::fs::read("/etc/passwd").map_err(|error| error.kind());
    let (variables, arguments) = (std::env::vars().count(), std::env::args().count());
    format!("time {time}, ran {ran}, order {order:?}, file {file:?}, {variables} variables, {arguments} arguments")
}

fn act(what: &str) {
    match what {
        "still/exit" => std::process::exit(0),
        "still/sleep" => std::thread::sleep(Duration::from_secs(1)),
        "still/print" => println!("printed"),
        "still/complain" => eprint!("complained"),
        "still/flood" => (0..10_000).for_each(|_| println!("still here")),
        "still/panic" => panic!("nobody granted me anything"),
        _ => {}
    }
}

vak_sdk::export_configurable_policy!(Still);
