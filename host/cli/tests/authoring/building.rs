//! Every kind and language builds, exports its interface and imports no function
//! that it did not ask for.

use std::path::Path;

use wit_component::DecodedWasm;
use wit_parser::{InterfaceId, Resolve, WorldItem, WorldKey};

use crate::project::{Project, built};

/// The interfaces with functions that a component imports, and what it exports.
#[derive(Debug, PartialEq)]
pub(crate) struct Interfaces {
    pub(crate) imports: Vec<String>,
    exports: Vec<String>,
}

pub(crate) fn interfaces(component: &Path) -> Interfaces {
    let bytes = std::fs::read(component).unwrap();
    let DecodedWasm::Component(resolve, world) = wit_component::decode(&bytes).unwrap() else { panic!("no component") };
    let world = &resolve.worlds[world];
    let names = |items: Vec<(&WorldKey, &WorldItem)>| {
        let mut names: Vec<String> = items.into_iter().filter_map(|(key, item)| name(&resolve, key, item)).collect();
        names.sort();
        names
    };
    Interfaces { imports: names(world.imports.iter().collect()), exports: names(world.exports.iter().collect()) }
}

/// Nothing for an interface that has types alone: they are names, not rights.
/// Nothing either for what `componentize-py` made its snapshot with and leaves as
/// an export that nobody calls.
fn name(resolve: &Resolve, key: &WorldKey, item: &WorldItem) -> Option<String> {
    let has_functions = |id: InterfaceId| !resolve.interfaces[id].functions.is_empty();
    match item {
        WorldItem::Interface { id, .. } if *key == WorldKey::Name("exports".to_owned()) => {
            assert!(resolve.interfaces[*id].functions.keys().eq(["init"]));
            None
        }
        WorldItem::Interface { id, .. } if !has_functions(*id) => None,
        _ => Some(resolve.name_world_key(key)),
    }
}

fn check(kind: &'static str, language: &'static str) {
    let component = built(kind, language);
    let exports = vec![format!("vak:{kind}/{kind}@0.1.0")];
    assert_eq!(interfaces(&component), Interfaces { imports: Vec::new(), exports }, "{kind} in {language}");
    let manifest = std::fs::read_to_string(component.with_extension("manifest.json")).unwrap();
    assert!(manifest.starts_with(&format!(r#"{{"name":"thing","version":"0.1.0","kind":"{kind}","#)), "{manifest}");
}

#[test]
fn rust_builds_every_kind() {
    for kind in ["policy", "scorer", "adapter", "skill"] {
        check(kind, "rust");
    }
}

#[test]
fn javascript_builds_without_an_import() {
    check("policy", "js");
    check("skill", "js");
}

#[test]
fn python_builds_without_an_import() {
    check("policy", "python");
    check("skill", "python");
}

/// What the world asks for is imported, and nothing beside it.
#[test]
fn a_world_adds_imports_and_configuration() {
    let project = Project::new("scorer", "python");
    project.edit("wit/world.wit", "// import", "import");
    project.edit("wit/world.wit", "// export", "export");
    let configure =
        "class Configure(exports.Configure):\n    def configure(self, config: str) -> None:\n        pass\n\n\n";
    project.edit("src/scorer.py", "class Scorer(", &format!("{configure}class Scorer("));
    let ran = project.build();
    assert!(ran.well, "{}", ran.said);
    let found = interfaces(&project.path().join("dist/thing.wasm"));
    assert_eq!(found.imports, ["vak:host/log@0.1.0"]);
    assert_eq!(found.exports, ["vak:scorer/scorer@0.1.0", "vak:types/configure@0.1.0"]);
}

/// The same source gives the same bytes where a compiler can do that.
#[test]
fn rust_gives_the_same_bytes_in_another_folder() {
    let (one, other) = (Project::new("skill", "rust"), Project::new("skill", "rust"));
    let component = |project: &Project| {
        let ran = project.build();
        assert!(ran.well, "{}", ran.said);
        std::fs::read(project.path().join("dist/thing.wasm")).unwrap()
    };
    assert!(component(&one) == component(&other));
}
