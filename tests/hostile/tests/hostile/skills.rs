//! What a skill can do wrong: every call is allowed, fails, and is recorded as
//! failed.

use std::time::{Duration, Instant};

use vak::{BuildError, Caller, Host, InvokeError, Json};
use vak_audit::{Body, LogReader, Status};
use vak_engine::{CallLimits, LoadError, Problem};
use vak_hostile::{manifest, publish, verified};
use vak_plugin::SkillError;
use vak_test_support::{Site, components};
use vak_trust::{Manifest, Package, Tool};
use vak_types::FailureKind::{self, Fuel, HostCalls, Malformed, Memory, Output, Stack, TimeOut, Trap};

fn site(more: &str) -> Site {
    let component = components().join("hostile-skill.wasm");
    Site::new().rules("[[rule]]\nid = 'all'\neffect = 'permit'\n").section(&format!(
        "[[skills]]\nname = 'hostile'\ncomponent = '{}'\ngrants.log = true\n{more}",
        component.display()
    ))
}

fn invoke(host: &Host, input: &str) -> Result<Json, InvokeError> {
    let caller = Caller { agent: "ada".parse().unwrap(), session: "s1".parse().unwrap(), labels: Vec::new() };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let name = "hostile".parse().unwrap();
    runtime.block_on(host.invoke(&caller, &name, Json::parse(input).unwrap()))
}

/// The newest entry of the log, which is an outcome.
fn outcome(host: &Host) -> vak_audit::Outcome {
    let reader = LogReader::open(&host.log()).unwrap();
    let newest = reader.entries(reader.size().unwrap() - 1, 1).next().unwrap().unwrap();
    match newest.body {
        Body::Outcome(_, outcome) => outcome,
        other => panic!("{other:?}"),
    }
}

fn stopped(host: &Host, how: &str, kind: FailureKind, limits: &CallLimits) {
    let start = Instant::now();
    let error = invoke(host, &format!("{{\"how\": \"{how}\"}}")).unwrap_err();
    let took = start.elapsed();
    println!("{how:30} {kind:12} {took:10.2?}  {error}");
    match &error {
        InvokeError::Skill(SkillError::Stopped(failure)) => assert_eq!(failure.kind, kind, "{how}: {failure}"),
        error => panic!("{how}: {error}"),
    }
    assert!(took < Duration::from_millis(limits.wall_ms_max) * 10 + Duration::from_secs(2), "{how} took {took:?}");

    let recorded = outcome(host);
    assert_eq!((recorded.status, recorded.result), (Status::Failed, None), "{how}");
    assert_eq!(recorded.detail, error.to_string(), "{how}");

    let echo = "{\"how\":\"politely\"}";
    assert_eq!(invoke(host, echo).unwrap().as_str(), echo, "after {how}");
    assert_eq!(outcome(host).status, Status::Succeeded, "after {how}");
}

#[test]
fn each_misbehaviour_is_a_failed_outcome() {
    // Little enough fuel to run out before the time does on a slow machine, too.
    let site = site(
        "limits = { fuel_max = 100_000_000, wall_ms_max = 30_000, memory_bytes_max = 33_554_432, output_bytes_max = 1_048_576, host_calls_max = 1_000 }",
    );
    let host = site.host();
    let cases = [
        ("spin", Fuel),
        ("call-host", HostCalls),
        ("log-too-long", Output),
        ("hoard", Memory),
        ("recurse", Stack),
        ("recurse-in-frames", Trap),
        ("panic", Trap),
        ("result-too-long", Output),
        ("error-too-long", Output),
        ("no-json", Malformed),
        ("repeated-key", Malformed),
        ("too-deep", Malformed),
    ];
    for (how, kind) in cases {
        stopped(&host, how, kind, &CallLimits::SKILL);
    }
    let report = verified(&host);
    assert_eq!((report.decisions, report.outcomes), (2 * cases.len() as u64, 2 * cases.len() as u64));
}

#[test]
fn wall_time_ends_what_fuel_does_not() {
    let limits = CallLimits { wall_ms_max: 100, ..CallLimits::SKILL };
    let site = site("limits = { fuel_max = 1_000_000_000_000, wall_ms_max = 100, memory_bytes_max = 33554432 }");
    stopped(&site.host(), "spin", TimeOut, &limits);
}

#[test]
fn an_error_of_its_own_is_quoted_harmlessly() {
    let site = site("");
    let host = site.host();
    let error = invoke(&host, "{\"how\": \"error\"}").unwrap_err();
    assert!(matches!(error, InvokeError::Skill(SkillError::Failed(_))), "{error}");
    assert_eq!(error.to_string(), "not\\u{1b}[2J today");
    assert_eq!(outcome(&host).detail, error.to_string());
}

/// A skill whose schema is `schema`.
fn described(schema: &str) -> Vec<u8> {
    let text = format!(
        r#"(component
  (core module $m
    (memory (export "memory") 1)
    (data (i32.const 8) "\40\00\00\00\00\00\00\00\40\00\00\00\{:02x}\00\00\00")
    (data (i32.const 64) "{}")
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
    (func (export "describe") (result i32) (i32.const 8))
    (func (export "invoke") (param i32 i32) (result i32) unreachable))
  (core instance $i (instantiate $m))
  (type $tool (record
    (field "description" string) (field "input-schema" string) (field "output-schema" (option string))))
  (type $skill-error (variant (case "invalid-input" string) (case "failed" string)))
  (func $describe (result $tool) (canon lift (core func $i "describe") (memory (core memory $i "memory"))))
  (func $invoke (param "input" string) (result (result string (error $skill-error))) (canon lift
    (core func $i "invoke") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (instance $skill
    (export "tool" (type $tool)) (export "skill-error" (type $skill-error))
    (export "describe" (func $describe)) (export "invoke" (func $invoke)))
  (export "vak:skill/skill@0.1.0" (instance $skill)))"#,
        schema.len(),
        schema.replace('"', "\\22"),
    );
    wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_schema_that_is_none_keeps_the_host_from_starting() {
    let start = |schema: &str| {
        let site = Site::new();
        let component = publish(site.path(), described(schema), &manifest("skill", ""));
        let section = format!("[[skills]]\nname = 'hostile'\ncomponent = '{}'", component.display());
        site.section(&section).try_host().map(drop)
    };
    start("{\"type\": \"object\"}").unwrap();
    for schema in ["", "anything", "[]", "{\"type\": 1, \"type\": 2}"] {
        match start(schema) {
            Err(BuildError::Load(LoadError { problem: Problem::Start(failure), .. })) => {
                assert_eq!(failure.kind, Malformed, "{schema}: {failure}");
            }
            other => panic!("{schema}: {other:?}"),
        }
    }
}

/// What people read before they install a skill is what agents are told.
#[test]
fn a_skill_is_what_its_manifest_says() {
    let package = Package::read(&components().join("calculator.wasm")).unwrap();
    let honest = Manifest::from_packed(&package.manifest).unwrap();
    let tool = honest.tool.clone().expect("packing fills it in");
    let schema = |text: &str| Json::parse(text).unwrap();
    let said = [
        (tool.clone(), None),
        (Tool { description: "Adds.".to_owned(), ..tool.clone() }, Some("description")),
        (Tool { input_schema: schema("{}"), ..tool.clone() }, Some("input schema")),
        (Tool { output_schema: None, ..tool }, Some("output schema")),
    ];
    for (tool, differs) in said {
        let site = Site::new();
        let component = publish(site.path(), package.component.clone(), &honest.clone().with_tool(tool).unwrap());
        let section = format!("[[skills]]\nname = 'hostile'\ncomponent = '{}'", component.display());
        match (site.section(&section).try_host().map(drop), differs) {
            (Ok(()), None) => {}
            (Err(BuildError::Load(LoadError { problem: Problem::Tool(part), .. })), Some(expected)) => {
                assert_eq!(part, expected);
            }
            (other, differs) => panic!("{differs:?}: {other:?}"),
        }
    }
}
