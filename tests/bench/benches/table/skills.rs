//! Skill calls.

use std::fs::Permissions;
use std::hint::black_box;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Instant;

use vak::{Host, Json};
use vak_test_support::{Site, components};

use crate::print::{Row, quantile};

/// Calls that are measured, and before them such that are not.
const CALLS: usize = 20_000;
const WARM_UP: usize = 2_000;

/// A call that computes, and one that could read files.
pub(crate) fn rows() -> Vec<Row> {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("token");
    std::fs::write(&secret, "s3cret").unwrap();
    std::fs::set_permissions(&secret, Permissions::from_mode(0o600)).unwrap();
    // All that it asks for, because it imports all of it; nothing is read.
    let rights = format!(
        "grants.clock = true\ngrants.http.'nowhere.invalid' = {{}}\ngrants.secrets.token = '{}'\n\
         grants.memory.notes = 'write'\ngrants.directories.'/d'.host = '{}'\n",
        secret.display(),
        folder.path().display()
    );
    let (echo, reach) = (site("hostile-skill", ""), site("hostile-reach", &rights));
    let text = "x".repeat(1_000);
    let echoed = format!(r#"{{"how":"politely","text":"{text}"}}"#);
    let computes = call(&echo, &echoed, &echoed);
    let reaches = call(&reach, &format!(r#"{{"do":"echo","text":"{text}"}}"#), &format!(r#"{{"ok":"{text}"}}"#));
    vec![
        Row::at_most("skill call, fresh instance, 1 KB in and out", computes, 15.0, "µs", String::new()),
        Row::at_most(
            "skill call, fresh instance, one directory and WASI, 1 KB in and out",
            reaches,
            60.0,
            "µs",
            format!("the call without WASI: {computes:.1} µs ({:.1}×)", reaches / computes),
        ),
    ]
}

fn site(name: &str, more: &str) -> Host {
    let component = components().join(format!("{name}.wasm"));
    let section = format!("[[skills]]\nname = 'measured'\ncomponent = '{}'\n", component.display());
    Site::new().section(&format!("{section}grants.log = true\n{more}")).host()
}

/// The median call, in microseconds.
fn call(host: &Host, input: &str, output: &str) -> f64 {
    let skills = host.skills();
    let skill = skills.values().next().unwrap();
    let (input, output) = (Json::parse(input).unwrap(), Json::parse(output).unwrap());
    let agent = "ada".parse().unwrap();
    let once = || {
        let begin = Instant::now();
        let answer = black_box(skill.invoke(&agent, &input).unwrap());
        let took = begin.elapsed().as_secs_f64() * 1e6;
        assert_eq!(answer, output);
        took
    };
    for _ in 0..WARM_UP {
        once();
    }
    let mut samples: Vec<_> = (0..CALLS).map(|_| once()).collect();
    quantile(&mut samples, 0.5)
}
