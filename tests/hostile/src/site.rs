//! Putting hostile components into a host's folder.

use std::path::{Path, PathBuf};

use vak_test_support::{Site, components, publisher_key};
use vak_trust::{Manifest, Package, Validity};
use vak_types::Timestamp;

/// Settings with so much wall time that on a slow machine, too, it is the limit
/// in question that ends a call.
pub const PATIENT: &str = "limits = { wall_ms_max = 10_000 }";

/// With the policy `name` from the folder of components, which may permit, is
/// granted `log` and has `config` as its configuration. `more` is further TOML.
#[must_use]
pub fn install(site: Site, name: &str, config: &str, more: &str) -> Site {
    std::fs::write(site.path().join("hostile.txt"), config).unwrap();
    let component = components().join(format!("{name}.wasm"));
    let section = section(&component, &format!("config = 'hostile.txt'\ngrants.log = true\n{more}"));
    site.section(&section)
}

/// A policy `hostile` that may permit, and `more` of its settings.
pub fn section(component: &Path, more: &str) -> String {
    format!("[[policies]]\nname = 'hostile'\ncomponent = '{}'\nmay_permit = true\n{more}\n", component.display())
}

/// A manifest of `kind` that asks for `grants`, such as `log = true`.
pub fn manifest(kind: &str, grants: &str) -> Manifest {
    let text = format!(
        "name = 'hostile'\nversion = '0.1.0'\nkind = '{kind}'\ndescription = ''\nlicense = 'MIT'\n[grants]\n{grants}"
    );
    Manifest::from_toml(&text).unwrap()
}

/// Signs `component` with the key that every [`Site`] trusts and writes it to
/// `folder`.
pub fn publish(folder: &Path, component: Vec<u8>, manifest: &Manifest) -> PathBuf {
    let path = folder.join("hostile.wasm");
    Package::unsigned(component, manifest)
        .sign(&publisher_key(), Validity::since(Timestamp::from_nanos(0)))
        .write(&path)
        .unwrap();
    path
}
