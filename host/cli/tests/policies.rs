//! `vak policy` and `vak explain`, as whoever writes rules uses them.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::PathBuf;
use std::process::{Command, Stdio};

use futures_executor::block_on;
use vak_test_support::Site;

const RULES: &str = "
[[rule]]
id = 'work'
effect = 'permit'
operations = ['files/*']

[[rule]]
id = 'no-secrets'
effect = 'forbid'
reason = 'secrets stay where they are'
when = [{ argument = '/path', matches = '**/.env' }]

[[rule]]
id = 'ask'
effect = 'escalate'
operations = ['mail/*']
when = [{ argument = '/path', equals = '' }]
";

/// Ends with `code`; both streams.
#[track_caller]
fn run(site: &Site, arguments: &[&str], input: &str, code: i32) -> String {
    use std::io::Write as _;

    let mut command = Command::new(env!("CARGO_BIN_EXE_vak"));
    command.args(arguments).current_dir(site.path());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap_or(());
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].map(|stream| String::from_utf8(stream).unwrap()).concat();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    said
}

fn action(operation: &str, path: &str) -> String {
    format!(
        r#"{{"agent": "ada", "session": "s1", "operation": "{operation}", "resource": "r", "arguments": {{"path": "{path}"}}}}"#
    )
}

fn case(site: &Site, name: &str, action: &str, expected: &str) -> PathBuf {
    let folder = site.path().join("cases");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(format!("{name}.json")), format!(r#"{{"action": {action}, {expected}}}"#)).unwrap();
    folder
}

#[test]
fn cases_are_judged_and_rules_without_one_named() {
    let site = Site::new().rules(RULES);
    case(&site, "allowed", &action("files/read", "/work/a"), r#""decision": "allow", "rule": "work""#);
    let secret = action("files/read", "/work/.env");
    case(&site, "secret", &secret, r#""decision": "deny", "policy": "rules", "rule": "no-secrets""#);
    let told = run(&site, &["policy", "test", "cases", "--junit", "report.xml"], "", 0);
    assert_eq!(
        told,
        "ok      allowed\nok      secret\n2 passed, 0 failed; 2 of 3 rules had a say\nno case  policy `rules`, rule `ask`\n"
    );
    // Nothing is decided by it, so there is no log.
    assert!(!site.path().join("state/audit.sqlite").exists());

    case(&site, "wrong", &secret, r#""decision": "allow", "rule": "work""#);
    case(&site, "wrong-rule", &secret, r#""decision": "deny", "rule": "work""#);
    let told = run(&site, &["policy", "test", "cases", "--junit", "report.xml"], "", 1);
    let why = "found deny by policy `rules`, rule `no-secrets`: ";
    for line in [
        &format!("FAILED  wrong: expected allow rule `work`, {why}"),
        &format!("FAILED  wrong-rule: expected deny rule `work`, {why}"),
        "2 passed, 2 failed",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    // Read by somebody else's parser.
    let report = "import sys, xml.etree.ElementTree as tree\nsuite = tree.parse(sys.argv[1]).getroot()\n\
                  print(suite.attrib['tests'], suite.attrib['failures'], [case.attrib['name'] for case in suite if len(case)])";
    let parsed = Command::new("python3").args(["-c", report]).arg(site.path().join("report.xml")).output().unwrap();
    assert_eq!(String::from_utf8(parsed.stdout).unwrap(), "4 2 ['wrong', 'wrong-rule']\n");

    std::fs::write(site.path().join("cases/wrong.json"), "{").unwrap();
    assert!(run(&site, &["policy", "test", "cases"], "", 2).contains("wrong.json`: EOF"));
    assert!(run(&site, &["policy", "test", "state"], "", 2).contains("has no cases"));
}

#[test]
fn what_another_configuration_would_change_is_shown() {
    let site = Site::new().rules(RULES);
    for (operation, path, code) in [("files/read", "/a", 0), ("files/read", "/.env", 1), ("mail/send", "/a", 1)] {
        run(&site, &["decide"], &action(operation, path), code);
    }
    assert_eq!(run(&site, &["policy", "diff", "vak.toml", "vak.toml"], "", 0), "3 actions, 0 differ\n");
    let stricter = RULES.replace("operations = ['files/*']", "operations = ['mail/*']");
    std::fs::write(site.path().join("new-rules.toml"), stricter).unwrap();
    let config = std::fs::read_to_string(site.config()).unwrap().replace("'rules.toml'", "'new-rules.toml'");
    std::fs::write(site.path().join("new.toml"), config).unwrap();
    let told = run(&site, &["policy", "diff", "vak.toml", "new.toml"], "", 1);
    let lines: Vec<_> = told.lines().collect();
    assert_eq!(lines.len(), 3, "{told}");
    assert!(lines[0].contains("ada  files/read  allow by policy `rules`, rule `work`"), "{told}");
    assert!(lines[0].contains("; now deny by host: no policy permits this action"), "{told}");
    assert!(lines[1].contains("mail/send  deny by host") && lines[1].contains("; now allow by"), "{told}");
    assert_eq!(lines[2], "3 actions, 2 differ");
    let some = ["policy", "diff", "vak.toml", "new.toml", "--from", "2", "--entries", "1"];
    assert!(run(&site, &some, "", 0).ends_with("1 actions, 0 differ\n"));
}

#[test]
fn a_verdict_is_explained_then_and_later() {
    let site = Site::new().rules(RULES);
    let told = run(&site, &["decide", "--explain"], &action("files/read", "/.env"), 1);
    for line in [
        "ada asked for files/read on r\n",
        "verdict  deny\n",
        "decides  forbids: policy `rules`, rule `no-secrets`: ",
        "secrets stay where they are",
        "signed by sha256:",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    let later = run(&site, &["explain", "1"], "", 0);
    let (_, voices) = told.split_once("verdict").unwrap();
    // What would have been nearest is asked of the policies, not of the log.
    let (voices, _) = voices.split_once("nearest  policy `rules`, rule `work`\n").unwrap();
    assert!(later.ends_with(voices) && later.contains("ada in session s1 asked for files/read on r"), "{later}");
    assert!(run(&site, &["explain", "0"], "", 2).contains("entry 0 is not a decision but of the kind `configuration`"));
    assert!(run(&site, &["explain", "2"], "", 2).contains("entry 2 is not in the log, which has 2"));
}

/// What a person answered is told beside the verdict, and counts when rules are
/// tried on what was decided.
#[test]
fn an_answer_is_shown_and_replayed() {
    let rules = RULES.replace("when = [{ argument = '/path', equals = '' }]", "reason = 'who is it for?'");
    let site = Site::new().rules(&rules.replace("['files/*']", "['files/*', 'mail/*']"));
    run(&site, &["decide"], &action("mail/send", "/a"), 1);
    let host = site.host();
    let waiting = host.approvals();
    let [one] = &waiting[..] else { panic!("{waiting:?}") };
    // What another process escalated, which has the same log.
    let (seq, asked) = (one.seq.to_string(), one.action.clone());
    block_on(host.approve(one.seq, &"grace".parse().unwrap(), "for\nbob")).unwrap();
    assert!(block_on(host.decide_approved(one.seq, &asked, vak::Able::default())).unwrap().verdict.is_allow());
    host.close().unwrap();

    let told = run(&site, &["explain", &seq], "", 0);
    assert!(told.contains("verdict  escalate\n"), "{told}");
    assert!(told.contains("approved by grace in entry 3: for\\nbob\nagain    allow in entry 4\n"), "{told}");
    let told = run(&site, &["explain", "4"], "", 0);
    for line in [
        "verdict  allow\ndecides  permits: policy `rules`, rule `ask`: asked a person, who agreed: who is it for?\n",
        "approved by grace in entry 3: for\\nbob\n         to what entry 1 asked\n",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    let log = "state/audit.sqlite";
    let told = run(&site, &["audit", "query", log, "--kind", "approval"], "", 0);
    assert!(told.contains("ada           approved   of 1  by grace  for\\nbob"), "{told}");
    let told = run(&site, &["audit", "query", log, "--kind", "approval", "--json"], "", 0);
    let json: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&json["body"]["by"], &json["body"]["answer"]), (&"grace".into(), &"approved".into()));
    run(&site, &["audit", "export", log, "--format", "csv", "-o", "log.csv"], "", 0);
    let csv = std::fs::read_to_string(site.path().join("log.csv")).unwrap();
    assert!(csv.lines().any(|line| line.starts_with("\"3\",") && line.ends_with("\"1\",\"approved\"")), "{csv}");
    let key = run(&site, &["audit", "key"], "", 0);
    let told = run(&site, &["audit", "verify", log, "--key", key.trim()], "", 0);
    assert!(told.contains("1 answers of persons, and no verdict counts on another"), "{told}");

    // Two actions: the one that was asked, and the same with an answer.
    assert_eq!(run(&site, &["policy", "diff", "vak.toml", "vak.toml"], "", 0), "2 actions, 0 differ\n");
    let config = std::fs::read_to_string(site.config()).unwrap().replace("'rules.toml'", "'new-rules.toml'");
    std::fs::write(site.path().join("new.toml"), config).unwrap();
    let rules = std::fs::read_to_string(site.path().join("rules.toml")).unwrap();
    let diff = ["policy", "diff", "vak.toml", "new.toml"];
    // Another rule's question is not the one that was answered; another rule beside it changes nothing.
    std::fs::write(site.path().join("new-rules.toml"), rules.replace("'ask'", "'ask-legal'")).unwrap();
    let told = run(&site, &diff, "", 1);
    let now = "; now escalate by policy `rules`, rule `ask-legal`";
    assert!(told.contains("allow by policy `rules`, rule `ask`") && told.contains(now), "{told}");
    assert!(told.ends_with("2 actions, 1 differ\n"), "{told}");
    let beside = format!("{rules}[[rule]]\nid = 'more'\neffect = 'permit'\noperations = ['x']\n");
    std::fs::write(site.path().join("new-rules.toml"), beside).unwrap();
    assert_eq!(run(&site, &diff, "", 0), "2 actions, 0 differ\n");
}

#[test]
fn a_check_says_what_would_surprise() {
    let site = Site::new().rules(RULES);
    assert!(!run(&site, &["config", "check"], "", 0).contains("warning"));
    assert_eq!(run(&site, &["config", "check", "--json"], "", 0), "[]\n");
    let told = |site: &Site| {
        let told = run(site, &["config", "check", "--json"], "", 1);
        let surprises: serde_json::Value = serde_json::from_str(&told).unwrap();
        let code = |surprise: &serde_json::Value| {
            let about = surprise["about"].as_str().map(|about| format!(" {about}")).unwrap_or_default();
            format!("{}{about}", surprise["code"].as_str().unwrap())
        };
        surprises.as_array().unwrap().iter().map(code).collect::<Vec<_>>()
    };
    assert_eq!(told(&Site::new()), ["no-policies"]);
    assert_eq!(told(&Site::new().rules("[[rule]]\nid = 'no'\neffect = 'forbid'\n")), ["no-permit-rule"]);

    let config = std::fs::read_to_string(site.config()).unwrap();
    std::fs::write(site.path().join("rules.toml"), "[[rule]]\nid = 'all'\neffect = 'permit'\n").unwrap();
    // The key may have its policies permit, and this one does not.
    let config = config.replace("config = 'rules.toml'\nmay_permit = true", "config = 'rules.toml'");
    std::fs::write(site.config(), config).unwrap();
    assert_eq!(told(&site), ["nothing-permits", "permits-in-vain rules", "policy-warning rules"]);
    assert!(run(&site, &["config", "check"], "", 1).contains("warning: `rules`: all its rules permit, and it may not"));

    let scoped = "agents = ['ada', 'bob']\noperations = ['files/*', 'filez/*', 'skill/*', 'skill/calculator', 'skill/x']\n\
                  [mcp]\nagent = 'ada'\nupstream = 'files'";
    let site = Site::new().skill("calculator").rules(RULES).section(scoped);
    assert_eq!(told(&site), ["unknown-operation rules", "unknown-operation rules", "unknown-agent rules"]);
}

/// What a policy says of its own rules is passed on, also of one without a say.
#[test]
fn a_check_says_which_rules_do_nothing() {
    let rules = "
[[rule]]
id = 'none'
effect = 'forbid'
operations = ['files/**']

[[rule]]
id = 'some'
effect = 'permit'
operations = ['files/read_*']

[[rule]]
id = 'odd'
effect = 'permit'
operations = ['mail/*']
when = [{ argument = '/n', at_least = 2 }, { argument = '/n', equals = 1 }]
";
    let site = Site::new().rules(rules);
    let warned = [
        "rule `some` (line 7) changes no verdict: rule `none` (line 2) forbids all that it is for",
        "rule `odd` (line 12) never applies: nothing meets all that it wants of the argument `/n`",
    ];
    let told = run(&site, &["config", "check"], "", 1);
    for warning in warned {
        assert!(told.contains(&format!("warning: `rules`: {warning}\n")), "{told}");
    }
    let told = run(&site, &["config", "check", "--json"], "", 1);
    let expected =
        warned.map(|message| serde_json::json!({ "code": "policy-warning", "about": "rules", "message": message }));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&told).unwrap(), serde_json::json!(expected));

    let config = std::fs::read_to_string(site.config()).unwrap();
    let mut twice = config.clone();
    let shadow = config.split_once("[[policies]]").unwrap().1.replace("'rules'\n", "'tried'\nmode = 'shadow'\n");
    std::fs::write(site.path().join("fine.toml"), RULES).unwrap();
    twice = twice.replace("'rules.toml'", "'fine.toml'") + "[[policies]]" + &shadow.replace("may_permit = true", "");
    std::fs::write(site.config(), twice).unwrap();
    assert!(run(&site, &["config", "check"], "", 1).contains("warning: `tried`: rule `some`"));
}

#[test]
fn a_denial_comes_with_the_rules_that_were_near() {
    let rules = "
[[rule]]
id = 'work'
effect = 'permit'
reason = 'work is fine'
operations = ['files/read_*']
when = [{ argument = '/path', within = '/work' }]

[[rule]]
id = 'mail'
effect = 'permit'
operations = ['mail/*']
";
    let site = Site::new().rules(rules);
    let told = run(&site, &["decide", "--explain"], &action("files/read_file", "/etc/passwd"), 1);
    let near = "nearest  policy `rules`, rule `work`\n         argument `/path` is `/etc/passwd`, wanted within `/work`\n\
                nearest  policy `rules`, rule `mail`\n         operation is `files/read_file`, wanted `mail/*`\n";
    assert!(told.ends_with(near), "{told}");
    assert!(!run(&site, &["decide", "--explain"], &action("mail/send", "/"), 0).contains("nearest"));

    let outweighed = format!("{rules}[[rule]]\nid = 'no'\neffect = 'forbid'\noperations = ['mail/send']\n");
    let site = Site::new().rules(&outweighed);
    let told = run(&site, &["decide", "--explain"], &action("mail/send", "/"), 1);
    let near = "nearest  policy `rules`, rule `mail`\n         permits it, and something stricter outweighs it\n";
    assert!(told.contains(near), "{told}");
}

/// A description is longer than what a call may answer.
#[test]
fn thousands_of_rules_load() {
    let rule = |number| format!("[[rule]]\nid = 'rule-{number}'\neffect = 'permit'\noperations = ['o-{number}']\n");
    let site = Site::new().rules(&(0..5_000).map(rule).collect::<String>());
    assert!(run(&site, &["config", "check"], "", 0).contains("policy rules: 5000 rules (5000 permit"));
    let told = run(&site, &["decide", "--explain"], &action("o-4999x", "/"), 1);
    assert!(told.contains("rule `rule-4999`\n         operation is `o-4999x`, wanted `o-4999`\n"), "{told}");
}
