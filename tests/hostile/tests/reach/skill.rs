//! The skill `hostile-reach`, or another one, with grants.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};
use tempfile::TempDir;
use vak::Json;
use vak_engine::{CallLimits, Engine, LoadError, Request};
use vak_memory::Memory;
use vak_plugin::{Loaded, Skill, SkillError, load};
use vak_test_support::{components, publisher_key};
use vak_trust::{Manifest, Package, TrustPolicy, Unsigned, Validity};
use vak_types::{AgentId, Failure, FailureKind, Kind, Timestamp};

pub(crate) const NOW: Timestamp = Timestamp::from_nanos(1_800_000_000_000_000_000);

/// A component is compiled once for all tests.
pub(crate) fn engine() -> &'static Engine {
    static ENGINE: LazyLock<(Engine, TempDir)> = LazyLock::new(|| {
        let cache = tempfile::tempdir().unwrap();
        (Engine::new(Some(cache.path())).unwrap(), cache)
    });
    &ENGINE.0
}

/// What the skill asks for and is granted. It imports HTTP and secrets in any
/// case, so it always has one host that does not exist, and one secret. It
/// imports memory as well, and has a scope that nobody looks into.
pub(crate) struct Grants {
    pub(crate) name: String,
    pub(crate) requested: Value,
    pub(crate) granted: Value,
    pub(crate) limits: CallLimits,
    component: String,
    config: Option<String>,
    folder: TempDir,
}

impl Grants {
    pub(crate) fn new(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let requested = json!({ "log": true, "http": { "nowhere.invalid": {} }, "memory": { "unused": "read" } });
        let limits = CallLimits { wall_ms_max: 20_000, ..CallLimits::SKILL };
        let granted = requested.clone();
        let component = "hostile-reach".to_owned();
        let grants = Self { name: name.to_owned(), granted, requested, limits, component, config: None, folder };
        grants.secret("unused", "nobody reads this")
    }

    /// Another skill, which takes configuration.
    pub(crate) fn component(mut self, component: &str, config: &str) -> Self {
        (self.component, self.config) = (component.to_owned(), Some(config.to_owned()));
        self
    }

    /// Another skill, which takes none.
    pub(crate) fn plain_component(mut self, component: &str) -> Self {
        component.clone_into(&mut self.component);
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn with(mut self, right: &str) -> Self {
        (self.requested[right], self.granted[right]) = (json!(true), json!(true));
        self
    }

    pub(crate) fn wall_ms(mut self, wall_ms_max: u64) -> Self {
        self.limits.wall_ms_max = wall_ms_max;
        self
    }

    pub(crate) fn secret(mut self, name: &str, value: &str) -> Self {
        let file = self.path().join(name);
        std::fs::write(&file, value).unwrap();
        restrict(&file, 0o600);
        self.granted["secrets"][name] = json!(file);
        let names: Vec<_> = self.granted["secrets"].as_object().unwrap().keys().cloned().collect();
        self.requested["secrets"] = json!(names);
        self
    }

    pub(crate) fn directory(mut self, guest: &str, host: &Path, access: &str) -> Self {
        self.requested["directories"][guest] = json!(access);
        self.granted["directories"][guest] = json!({ "host": host, "access": access });
        self
    }

    /// Requests to `host` on `port`, without TLS, with GET.
    pub(crate) fn http(mut self, host: &str, port: u16, private: bool) -> Self {
        self.requested["http"][host] = json!({ "ports": [port], "plain": true });
        self.granted["http"][host] = json!({ "ports": [port], "plain": true, "private": private });
        self
    }

    pub(crate) fn try_load(&self) -> Result<Skill, LoadError> {
        let memory = Arc::new(Memory::at(self.path().join("memory.sqlite")));
        self.try_load_with(Some(&memory))
    }

    pub(crate) fn try_load_with(&self, memory: Option<&Arc<Memory>>) -> Result<Skill, LoadError> {
        let text =
            format!("name = '{}'\nversion = '0.1.0'\nkind = 'skill'\ndescription = ''\nlicense = 'MIT'", self.name);
        let mut manifest = Manifest::from_toml(&text).unwrap();
        manifest.grants = serde_json::from_value(self.requested.clone()).unwrap();
        let grants = serde_json::from_value(self.granted.clone()).unwrap();
        let component = std::fs::read(components().join(format!("{}.wasm", self.component))).unwrap();
        let key = publisher_key();
        let package = Package::unsigned(component, &manifest).sign(&key, Validity::since(NOW));
        let component = &TrustPolicy::of_publishers([key.public()]).verify(package, Unsigned::Refuse, NOW).unwrap();
        let (name, limits) = (&self.name.parse().unwrap(), self.limits);
        let config = self.config.as_deref();
        let request = Request { name, kind: Kind::Skill, component, config, grants: &grants, limits };
        match load(engine(), &request, memory)? {
            Loaded::Skill(skill) => Ok(skill),
            other => panic!("{other:?}"),
        }
    }

    /// Remembers in `memory`.
    pub(crate) fn remembering(&self, memory: &Arc<Memory>) -> Remembering {
        Remembering(self.try_load_with(Some(memory)).unwrap_or_else(|error| panic!("{error}")))
    }

    pub(crate) fn load(&self) -> Skill {
        self.try_load().unwrap_or_else(|error| panic!("{error}"))
    }
}

/// A skill that is called by one agent and another.
pub(crate) struct Remembering(pub(crate) Skill);

impl Remembering {
    pub(crate) fn call(&self, agent: &str, input: &Value) -> Result<Value, Failure> {
        match self.0.invoke(&agent.parse().unwrap(), &Json::parse(&input.to_string()).unwrap()) {
            Ok(output) => Ok(output.to_value()),
            Err(SkillError::Stopped(failure)) => Err(failure),
            Err(error) => panic!("{input}: {error}"),
        }
    }

    pub(crate) fn reach(&self, agent: &str, input: &Value) -> Result<Value, String> {
        answer(input, self.call(agent, input).unwrap_or_else(|failure| panic!("{input}: {failure}")))
    }

    pub(crate) fn failure(&self, agent: &str, input: &Value) -> Failure {
        self.call(agent, input).unwrap_err()
    }

    /// The skill itself says that it failed.
    pub(crate) fn fails(&self, agent: &str, input: &Value) {
        let answer = self.0.invoke(&agent.parse().unwrap(), &Json::parse(&input.to_string()).unwrap());
        assert!(matches!(answer, Err(SkillError::Failed(_))), "{answer:?}");
    }
}

/// Who calls where it does not matter.
pub(crate) fn ada() -> AgentId {
    "ada".parse().unwrap()
}

pub(crate) fn restrict(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// What came of what it was to do: its answer, or what it was told.
pub(crate) fn reach(skill: &Skill, input: &Value) -> Result<Value, String> {
    let output = skill
        .invoke(&ada(), &Json::parse(&input.to_string()).unwrap())
        .unwrap_or_else(|error| panic!("{input}: {error}"));
    answer(input, output.to_value())
}

fn answer(input: &Value, output: Value) -> Result<Value, String> {
    match output {
        Value::Object(mut members) => match members.remove("ok") {
            Some(value) => Ok(value),
            None => Err(members["err"].as_str().unwrap().to_owned()),
        },
        other => panic!("{input}: {other}"),
    }
}

/// How the call was stopped.
pub(crate) fn stopped(skill: &Skill, input: &Value) -> Failure {
    match skill.invoke(&ada(), &Json::parse(&input.to_string()).unwrap()) {
        Err(SkillError::Stopped(failure)) => failure,
        other => panic!("{input}: {other:?}"),
    }
}

pub(crate) fn stopped_as(skill: &Skill, input: &Value, kind: FailureKind, message: &str) {
    let failure = stopped(skill, input);
    assert_eq!(failure.kind, kind, "{input}: {failure}");
    assert!(failure.message.contains(message), "{input}: {failure}");
}
