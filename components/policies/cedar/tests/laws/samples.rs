//! Cedar's samples: every policy set with a schema, asked about every
//! principal, action and resource that its entities have.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use cedar_policy::{Context, Entities, EntityUid, PolicySet, Request, Schema};
use serde_json::Value;
use vak_policy_cedar::Cedar;
use vak_sdk::policy::{Effect as Said, Policy as _};

use crate::native::Expected;
use crate::{action, config, configure, configured};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/laws/samples")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&read(path)).unwrap()
}

/// A policy set, and what it is asked with.
struct Sample {
    name: String,
    policies: String,
    schema: String,
    entities: Value,
    /// By what is below `[request]`: requests differ in little.
    configured: RefCell<HashMap<String, Option<Cedar>>>,
}

impl Sample {
    fn new(name: String, policies: String, schema: String, entities: Value) -> Self {
        Self { name, policies, schema, entities, configured: RefCell::default() }
    }

    /// Compares us with Cedar on a request, and gives what Cedar decided.
    fn ask(&self, request: &Value) -> Option<Said> {
        let uid = |name: &str| request[name].as_str().unwrap().parse::<EntityUid>().unwrap();
        let (principal, asked, resource) = (uid("principal"), uid("action"), uid("resource"));
        let context = &request["context"];
        let about = format!("{} {request}", self.name);

        let schema: Schema = self.schema.parse().unwrap();
        let policies: PolicySet = self.policies.parse().unwrap();
        let entities = Entities::from_json_value(self.entities.clone(), Some(&schema)).unwrap();
        let parsed = Context::from_json_value(context.clone(), Some((&schema, &asked)));
        let native = parsed.ok().and_then(|context| {
            Request::new(principal.clone(), asked.clone(), resource.clone(), context, Some(&schema)).ok()
        });
        let expected = match &native {
            Some(native) => Expected::of(&policies, native, &entities),
            None => Expected::refused(),
        };

        let mapping = format!(
            "principal = '{}'\naction = '{}'\nresource = '{}'\ncontext = 'arguments'",
            principal.type_name(),
            asked.type_name(),
            resource.type_name()
        );
        let mut configured = self.configured.borrow_mut();
        let ours = configured.entry(mapping).or_insert_with_key(|mapping| {
            configure(&config(&self.policies, &self.schema, &self.entities.to_string(), mapping)).ok()
        });
        // Types between which the schema has no action at all are a mistake in a
        // configuration.
        let Some(ours) = ours else {
            assert!(native.is_none(), "{about}");
            return None;
        };
        let text = |uid: &EntityUid| uid.id().unescaped().to_owned();
        let action = action(&text(&principal), &text(&asked), &text(&resource), &plain(context).to_string());
        expected.check(&ours.evaluate(&action).unwrap(), &about);
        Some(expected.effect)
    }
}

/// A context without Cedar's escapes, which agents may not write: the schema
/// says what is meant.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(members) => match (members.get("__extn"), members.get("__entity")) {
            (Some(call), _) => call["arg"].clone(),
            (_, Some(entity)) => entity.clone(),
            _ => members.iter().map(|(name, value)| (name.clone(), plain(value))).collect(),
        },
        Value::Array(items) => items.iter().map(plain).collect(),
        _ => value.clone(),
    }
}

/// All policy sets of a folder, with its schema and its entities.
fn samples(folder: &Path) -> Vec<Sample> {
    let schema = read(&folder.join("schema.cedarschema"));
    let entities = ["entities.json", "entity.json"].map(|name| folder.join(name));
    let entities =
        entities.iter().find(|path| path.exists()).map_or_else(|| Value::Array(Vec::new()), |path| json(path));
    // Actions with attributes are no part of schemas any more, and Cedar refuses
    // them beside one. It has the actions from the schema.
    // Nor does it take what lacks an attribute that the schema wants.
    let parsed: Schema = schema.parse().unwrap();
    let conforms = |entity: &&Value| {
        let uid = entity["uid"].get("__entity").unwrap_or(&entity["uid"]);
        !uid["type"].as_str().unwrap().ends_with("Action")
            && Entities::from_json_value(Value::Array(vec![(*entity).clone()]), Some(&parsed)).is_ok()
    };
    let entities: Value = entities.as_array().unwrap().iter().filter(conforms).cloned().collect();
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let files = files.filter(|file| file.extension().is_some_and(|end| end == "cedar"));
    let sample = |file: PathBuf| {
        let name = file.strip_prefix(self::folder()).unwrap().display().to_string();
        Sample::new(name, read(&file), schema.clone(), entities.clone())
    };
    files.map(sample).collect()
}

fn folders() -> Vec<PathBuf> {
    let folders = fs::read_dir(folder()).unwrap().map(|folder| folder.unwrap().path());
    folders.filter(|folder| folder.join("schema.cedarschema").exists()).collect()
}

/// Whether Cedar's validator has something to say against it, or it has a
/// template.
fn invalid(sample: &Sample) -> bool {
    let schema: Schema = sample.schema.parse().unwrap();
    let policies: PolicySet = sample.policies.parse().unwrap();
    let result = cedar_policy::Validator::new(schema).validate(&policies, cedar_policy::ValidationMode::Strict);
    policies.num_of_templates() > 0 || !result.validation_passed_without_warnings()
}

#[test]
fn are_decided_as_cedar_does() {
    let (mut asked, mut refused, mut effects) = (0, Vec::new(), Vec::new());
    for folder in folders() {
        let contexts: Vec<_> = ["context.json", "context_deny.json"].map(|name| folder.join(name)).into();
        let contexts = contexts.iter().filter(|path| path.exists()).map(|path| json(path));
        let contexts: Vec<_> = contexts.chain([serde_json::json!({})]).collect();
        for sample in samples(&folder) {
            if invalid(&sample) {
                let config = config(&sample.policies, &sample.schema, "", "principal = 'User'\nresource = 'Photo'");
                assert!(configure(&config).is_err(), "{} is not valid", sample.name);
                refused.push(sample.name);
                continue;
            }
            let schema: Schema = sample.schema.parse().unwrap();
            let entities = Entities::from_json_value(sample.entities.clone(), Some(&schema)).unwrap();
            let uids: Vec<_> = entities.iter().map(|entity| entity.uid().to_string()).collect();
            let mut requests = Vec::new();
            for env in schema.request_envs() {
                let of = |wanted: &str| {
                    uids.iter().filter(|uid| uid.starts_with(&format!("{wanted}::\""))).cloned().collect::<Vec<_>>()
                };
                for principal in of(&env.principal().to_string()) {
                    for resource in of(&env.resource().to_string()) {
                        let action = env.action().to_string();
                        requests.extend(contexts.iter().map(|context| {
                            serde_json::json!({"principal": principal, "action": action, "resource": resource, "context": context})
                        }));
                    }
                }
            }
            let recorded = folder.join("request.json");
            requests.extend(recorded.exists().then(|| json(&recorded)));
            asked += requests.len();
            effects.extend(requests.iter().filter_map(|request| sample.ask(request)));
        }
    }
    refused.sort();
    let templates_and_mistakes = [
        "sample11/invalid_policy.cedar",
        "sample9/policy_bad.cedar",
        "sandbox_a/policies_1_bad.cedar",
        "sandbox_b/policies_5_bad.cedar",
        "sandbox_c/policies.cedar",
        "sandbox_c/policies_edited.cedar",
    ];
    assert_eq!(refused, templates_and_mistakes);
    assert!(asked > 200, "{asked}");
    for effect in [Said::Permit, Said::Forbid, Said::Abstain] {
        assert!(effects.iter().filter(|it| **it == effect).count() > 5, "{effect:?}");
    }
}

/// The requests that Cedar publishes with entities and an answer each.
#[test]
fn are_answered_as_recorded() {
    let mut asked = 0;
    for folder in folders() {
        let tests = ["tests-combined.json", "tests-error.json"].map(|name| folder.join(name));
        for test in tests.iter().filter(|path| path.exists()).flat_map(|path| json(path).as_array().unwrap().clone()) {
            let mut samples = samples(&folder);
            samples.retain(|sample| sample.name.ends_with("/policy.cedar"));
            let entities = test["entities"].as_array().unwrap().iter();
            let entities = entities.filter(|entity| !entity["uid"]["type"].as_str().unwrap().ends_with("Action"));
            let Sample { name, policies, schema, .. } = samples.remove(0);
            let sample = Sample::new(name, policies, schema, entities.cloned().collect());
            let effect = sample.ask(&test["request"]).unwrap();
            let recorded = match test["decision"].as_str().unwrap() {
                // Its forbid overflows, and Cedar skips it.
                "allow" if sample.name.starts_with("sample10/") => Said::Forbid,
                "allow" => Said::Permit,
                _ if test["reason"].as_array().unwrap().is_empty() => Said::Abstain,
                _ => Said::Forbid,
            };
            assert_eq!(effect, recorded, "{} {test}", sample.name);
            asked += 1;
        }
    }
    assert!(asked > 20, "{asked}");
}

/// Both ways to write a schema are one schema.
#[test]
fn schemas_may_be_json() {
    for folder in folders() {
        let path = folder.join("schema.cedarschema.json");
        if !path.exists() {
            continue;
        }
        for sample in samples(&folder).into_iter().filter(|sample| !invalid(sample)) {
            let schema: Schema = sample.schema.parse().unwrap();
            let env = schema.request_envs().next().unwrap();
            let mapping = format!(
                "principal = '{}'\naction = '{}'\nresource = '{}'",
                env.principal(),
                env.action().type_name(),
                env.resource()
            );
            let described = |schema: &str| configured(&config(&sample.policies, schema, "", &mapping)).describe();
            let (cedar, json) = (described(&sample.schema), described(&read(&path)));
            assert_eq!(format!("{:?}", cedar.rules), format!("{:?}", json.rules), "{}", sample.name);
        }
    }
}

/// What Cedar's language has: each of these is a policy set of its own. They come
/// without a schema, so this one declares what they look at.
#[test]
fn features_are_all_there() {
    let schema = r#"
        entity User in [Group] { suspended: Bool };
        entity Group;
        entity Account;
        entity Folder in [Folder, Account] { name: String, path: String, owner: User, public: Bool, visibility?: String };
        type Asked = {
            x: Long, y: Long, z: Long, age: Long, score: Long, admin: Bool, a: Bool, b: Bool, c: Bool, d: Bool, level: Long,
            scores: Set<Long>, tags: Set<String>, src_ip: __cedar::ipaddr, allowed: Bool, authenticated: Bool
        };
        action read, write, "delete" appliesTo { principal: User, resource: Folder, context: Asked };
    "#;
    let entities = r#"[
        {"uid": {"type": "User", "id": "alice"}, "attrs": {"suspended": false}, "parents": [{"type": "Group", "id": "admins"}]},
        {"uid": {"type": "User", "id": "bob"}, "attrs": {"suspended": true}, "parents": []},
        {"uid": {"type": "Folder", "id": "root"}, "attrs": {"name": "photo_1.jpg", "path": "/a/public/b", "owner": {"type": "User", "id": "alice"}, "public": true, "visibility": "public"}, "parents": [{"type": "Account", "id": "main"}]},
        {"uid": {"type": "Folder", "id": "b"}, "attrs": {"name": "b", "path": "/b", "owner": {"type": "User", "id": "bob"}, "public": false}, "parents": [{"type": "Folder", "id": "root"}]}
    ]"#;
    let context = serde_json::json!({
        "x": 1, "y": -4, "z": 2, "age": 30, "score": 5, "admin": false, "a": true, "b": true, "c": false, "d": false, "level": 2,
        "scores": [10, 20], "tags": ["b", "z"], "src_ip": "9.9.9.9", "allowed": false, "authenticated": true
    });
    let mut permitted = 0;
    for file in fs::read_dir(folder().join("features")).unwrap().map(|file| file.unwrap().path()) {
        let name = file.display().to_string();
        // One has the types of a namespace.
        let policies = read(&file).replace("App::Org::", "");
        let templates = policies.parse::<PolicySet>().unwrap().num_of_templates();
        assert_eq!(templates, 0, "{name}");
        let sample = Sample::new(name, policies, schema.to_owned(), serde_json::from_str(entities).unwrap());
        let mut context = context.clone();
        for (address, count) in [("9.9.9.9", 0), ("10.1.1.1", 1), ("127.0.0.1", 2)] {
            context["src_ip"] = address.into();
            context["x"] = (i64::MAX * i64::from(count == 2)).into();
            context["y"] = if count == 2 { 1.into() } else { (-3).into() };
            for principal in ["alice", "bob", "eve"] {
                for action in ["read", "write", "delete", "none"] {
                    for resource in ["root", "b", "c"] {
                        let request = serde_json::json!({
                            "principal": format!("User::\"{principal}\""),
                            "action": format!("Action::\"{action}\""),
                            "resource": format!("Folder::\"{resource}\""),
                            "context": context,
                        });
                        permitted += usize::from(sample.ask(&request) == Some(Said::Permit));
                    }
                }
            }
        }
    }
    assert!(permitted > 200, "{permitted}");
}
