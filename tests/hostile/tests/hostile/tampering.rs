//! Files that are not what their publisher signed never reach the compiler.

use std::path::PathBuf;

use vak::BuildError;
use vak_hostile::section;
use vak_test_support::{Site, components, publisher_key};
use vak_trust::{Package, PrivateKey, TrustError, Validity};
use vak_types::Timestamp;

const NOW: Timestamp = Timestamp::from_nanos(0);

type Tamper = fn(&mut Package);
type Expected = fn(&TrustError) -> bool;

struct Tampered {
    site: Site,
    component: PathBuf,
}

/// A copy of `rules` that `tamper` was let at.
fn tampered(tamper: impl FnOnce(&mut Package)) -> Tampered {
    let site = Site::new();
    let mut package = Package::read(&components().join("rules.wasm")).unwrap();
    tamper(&mut package);
    let component = site.path().join("rules.wasm");
    package.write(&component).unwrap();
    std::fs::write(site.path().join("rules.toml"), "").unwrap();
    Tampered { site, component }
}

fn other() -> Package {
    Package::read(&components().join("calculator.wasm")).unwrap()
}

#[test]
fn nothing_is_compiled_that_is_not_vouched_for() {
    let cases: &[(&str, Tamper, Expected)] = &[
        (
            "truncated",
            |package| package.component.truncate(1_000),
            |it| matches!(it, TrustError::OtherComponent { .. }),
        ),
        ("emptied", |package| package.component.clear(), |it| matches!(it, TrustError::OtherComponent { .. })),
        ("extended", |package| package.component.push(0), |it| matches!(it, TrustError::OtherComponent { .. })),
        ("first bit", |package| package.component[0] ^= 1, |it| matches!(it, TrustError::OtherComponent { .. })),
        (
            "last bit",
            |package| *package.component.last_mut().unwrap() ^= 0x80,
            |it| matches!(it, TrustError::OtherComponent { .. }),
        ),
        (
            "signature of another component",
            |package| package.bundle = other().bundle,
            |it| matches!(it, TrustError::OtherComponent { .. }),
        ),
        (
            "manifest of another component",
            |package| package.manifest = other().manifest,
            |it| matches!(it, TrustError::OtherManifest { .. }),
        ),
        (
            "manifest that asks for more",
            |package| {
                let manifest = String::from_utf8(package.manifest.clone()).unwrap();
                package.manifest = manifest
                    .replace("\"license\":\"Apache-2.0\"", "\"license\":\"Apache-2.0\",\"grants\":{\"log\":true}")
                    .into();
            },
            |it| matches!(it, TrustError::OtherManifest { .. }),
        ),
        (
            "signature of a stranger",
            |package| *package = package.clone().sign(&PrivateKey::generate().unwrap(), Validity::since(NOW)),
            |it| matches!(it, TrustError::Unmet { .. }),
        ),
        ("no signature", |package| package.bundle = None, |it| matches!(it, TrustError::Unsigned)),
        (
            "truncated signature",
            |package| package.bundle.as_mut().unwrap().truncate(500),
            |it| matches!(it, TrustError::Bundle(_)),
        ),
    ];
    for (name, tamper, expected) in cases {
        // A broken signature is refused even where none is asked for.
        let allowing = if *name == "no signature" { "" } else { "allow_unsigned = true" };
        for unsigned in ["", allowing] {
            let Tampered { site, component } = tampered(*tamper);
            let site = site.section(&section(&component, &format!("config = 'rules.toml'\n{unsigned}")));
            match site.try_host() {
                Err(BuildError::Trust { source, .. }) => assert!(expected(&source), "{name}: {source}"),
                Err(error) => panic!("{name}: {error}"),
                Ok(_) => panic!("{name}: loads"),
            }
            let compiled: Vec<_> = std::fs::read_dir(site.path().join("state/compiled"))
                .unwrap()
                .map(|file| file.unwrap().file_name())
                .collect();
            assert_eq!(compiled, ["key"], "{name}");
        }
    }
}

#[test]
fn an_untouched_copy_loads() {
    let Tampered { site, component } =
        tampered(|package| *package = package.clone().sign(&publisher_key(), Validity::since(NOW)));
    assert_eq!(site.section(&section(&component, "config = 'rules.toml'")).host().policies().len(), 1);
}
