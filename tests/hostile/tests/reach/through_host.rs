//! The same through a host and its configuration, as an agent calls it.

use vak::{Caller, InvokeError, Json};
use vak_hostile::{manifest, publish};
use vak_plugin::SkillError;
use vak_test_support::{Site, components};
use vak_types::FailureKind;

use crate::skill::restrict;

#[test]
fn an_agent_reaches_what_the_configuration_grants() {
    let site = Site::new().rules("[[rule]]\nid = 'all'\neffect = 'permit'\n");
    let notes = site.path().join("notes");
    std::fs::create_dir(&notes).unwrap();
    std::fs::write(notes.join("file"), "of the site").unwrap();
    std::fs::write(site.path().join("token"), "s3cret").unwrap();
    restrict(&site.path().join("token"), 0o600);
    let grants = "log = true\nclock = true\nsecrets = ['token']\nmemory.notes = 'write'\ndirectories.'/d' = 'read'\nhttp.'nowhere.invalid' = {}";
    let component = std::fs::read(components().join("hostile-reach.wasm")).unwrap();
    let component = publish(site.path(), component, &manifest("skill", grants));
    let section = format!(
        "[[skills]]\nname = 'reach'\ncomponent = '{}'\nlimits.wall_ms_max = 1_000\n\
         [skills.grants]\nlog = true\nclock = true\nsecrets.token = 'token'\nmemory.notes = 'write'\n\
         directories.'/d'.host = 'notes'\nhttp.'nowhere.invalid' = {{}}\n",
        component.display()
    );
    let site = site.section(&section);
    let host = site.host();
    // The host's own executor has one thread, and no timers.
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let caller = Caller { agent: "ada".parse().unwrap(), session: "s1".parse().unwrap(), labels: Vec::new() };
    let invoke =
        |input: &str| runtime.block_on(host.invoke(&caller, &"reach".parse().unwrap(), Json::parse(input).unwrap()));
    assert_eq!(invoke(r#"{"do":"read","path":"/d/file"}"#).unwrap().as_str(), r#"{"ok":"of the site"}"#);
    assert_eq!(invoke(r#"{"do":"secret","name":"token"}"#).unwrap().as_str(), r#"{"ok":"[secret token]"}"#);
    let remember = |step: &str| invoke(&format!(r#"{{"do":"remember","steps":[{step}]}}"#)).unwrap();
    assert_eq!(remember(r#"["set","notes","k","v"]"#).as_str(), r#"{"ok":[null]}"#);
    assert_eq!(remember(r#"["get","notes","k"]"#).as_str(), r#"{"ok":["v"]}"#);
    let held = host.config().memory().held().unwrap();
    assert_eq!((held[0].agent.as_str(), held[0].scope.as_str(), held[0].values), ("ada", "notes", 1));
    match invoke(r#"{"do":"sleep","ms":600000}"#) {
        Err(InvokeError::Skill(SkillError::Stopped(failure))) => assert_eq!(failure.kind, FailureKind::TimeOut),
        other => panic!("{other:?}"),
    }
}
