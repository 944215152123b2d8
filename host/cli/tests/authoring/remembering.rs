//! Skills in JavaScript and Python that remember, and are told what they may not.

use std::fs;

use crate::project::{Project, ran, vak};

const JAVASCRIPT: &str = r"
import { get, set, keys } from 'vak:host/memory@0.1.0';

/** @type {import('../types/skill').Skill} */
export const skill = {
  describe: () => ({ description: 'Counts visits.', inputSchema: '{}' }),
  invoke() {
    const seen = get('visits', 'count');
    const count = Number(new TextDecoder().decode(seen ?? new Uint8Array())) + 1;
    set('visits', 'count', new TextEncoder().encode(String(count)));
    const refused = ['plans', 'others'].map((scope) => {
      try {
        return set(scope, 'key', new Uint8Array());
      } catch (error) {
        return /** @type {any} */ (error).payload;
      }
    });
    return JSON.stringify({ count, keys: keys('visits', '', undefined), refused });
  },
};
";

const PYTHON: &str = r#"
import json

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.skill import Tool
from wit_world.imports import memory


def refused(scope: str) -> str | None:
    try:
        return memory.set(scope, "key", b"")
    except Err as error:
        return error.value.name.lower().replace("_", "-")


class Skill(exports.Skill):
    def describe(self) -> Tool:
        return Tool("Counts visits.", "{}", None)

    def invoke(self, input: str) -> str:
        count = int(memory.get("visits", "count") or b"0") + 1
        memory.set("visits", "count", str(count).encode())
        told = [refused(scope) for scope in ["plans", "others"]]
        return json.dumps({"count": count, "keys": memory.keys("visits", "", None), "refused": told})
"#;

fn remembers(language: &str, source: &str, code: &str) {
    let project = Project::new("skill", language);
    project.edit("wit/world.wit", "// import vak:host/memory", "import vak:host/memory");
    let write = |file: &str, text: &str| {
        let path = project.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let manifest = fs::read_to_string(project.path().join("vak-component.toml")).unwrap();
    write("vak-component.toml", &format!("{manifest}\n[grants.memory]\nvisits = 'write'\nplans = 'read'\n"));
    write(source, code);
    fs::remove_dir_all(project.path().join("tests")).unwrap();
    let answer = |count: u32| {
        format!(r#"{{"output": {{"count": {count}, "keys": ["count"], "refused": ["read-only", "not-granted"]}}}}"#)
    };
    for (case, host, count) in [("first", "{}", 1), ("again", r#"{"memory": {"visits": {"count": "41"}}}"#, 42)] {
        write(&format!("tests/{case}/input.json"), "{}");
        write(&format!("tests/{case}/host.json"), host);
        write(&format!("tests/{case}/expected.json"), &answer(count));
    }
    let built = project.build();
    assert!(built.well, "{language}: {}", built.said);
    let tested = ran(vak().arg("test").arg(project.path()));
    assert!(tested.well && tested.said.contains("2 passed, 0 failed"), "{language}: {}", tested.said);
}

#[test]
fn javascript_remembers() {
    remembers("js", "src/skill.js", JAVASCRIPT);
}

#[test]
fn python_remembers() {
    remembers("python", "src/skill.py", PYTHON);
}
