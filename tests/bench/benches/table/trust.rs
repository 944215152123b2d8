//! Verifying packages, and loading installed ones.

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use vak::{Config, Host};
use vak_test_support::{Site, components, publisher_key};
use vak_trust::{Manifest, Package, TrustPolicy, Unsigned, Validity};
use vak_types::{Digest, Timestamp};

use crate::print::{Row, quantile};

/// Packages installed and loaded.
const INSTALLED: usize = 100;

/// Bytes of the component that is verified.
const BYTES: usize = 100_000;

const NOW: Timestamp = Timestamp::from_nanos(1_790_000_000_000_000_000);

/// One verification, and the start of a host with many components.
pub(crate) fn rows() -> Vec<Row> {
    vec![verifying(), loading()]
}

fn manifest(name: &str) -> Manifest {
    let text = format!("name = '{name}'\nversion = '1.0.0'\nkind = 'policy'\ndescription = ''\nlicense = 'MIT'");
    Manifest::from_toml(&text).unwrap()
}

/// Bytes in memory in, a verified component out.
fn verifying() -> Row {
    let key = publisher_key();
    let component = (0..BYTES).map(|at| ((at * at) >> 7) as u8).collect();
    let package = Package::unsigned(component, &manifest("measured")).sign(&key, Validity::since(NOW));
    let trust = TrustPolicy::of_publishers([key.public()]);
    let clone = || package.clone();
    let verify = millis(2_000, clone, |package| trust.verify(package, Unsigned::Refuse, NOW).unwrap());
    let hash = millis(2_000, || (), |()| Digest::of(&package.component));
    let text = format!("hashing it: {hash:.3} ms ({:.2}×)", verify / hash);
    Row::at_most("verify signature and digests of a 100 KB component", verify, 0.3, "ms", text)
}

/// Everything a host does when it starts but opening its log. The components
/// are one policy with another custom section each, so that every one has its
/// own digest and its own compiled code.
fn loading() -> Row {
    let sections =
        (0..INSTALLED).map(|number| format!("[[policies]]\nname = 'p-{number:02}'\npackage = 'p-{number:02}'\n"));
    let site = Site::new().section(&sections.collect::<String>());
    let config = Config::load(&site.config(), &[]).unwrap();
    let key = publisher_key();
    let (store, trust) = (config.store(), config.trust_policy().unwrap());
    let policy = std::fs::read(components().join("no-shell.wasm")).unwrap();
    for number in 0..INSTALLED {
        let component = with_section(&policy, u8::try_from(number).unwrap());
        let package = Package::unsigned(component, &manifest(&format!("p-{number:02}")));
        store.install(package.sign(&key, Validity::since(NOW)), &trust, NOW, &mut |_| false).unwrap();
    }
    let start = |config: Config| {
        let checked = Host::builder(config).clock(|| NOW).check().unwrap();
        assert_eq!(checked.policies.len(), INSTALLED);
        checked
    };
    let first = Instant::now();
    drop(start(config.clone()));
    let first = first.elapsed().as_secs_f64();
    let load = millis(20, || config.clone(), start);
    let floor = millis(20, || (), |()| read_all(&site.path().join("state")));
    let text = format!("reading all files of it: {floor:.1} ms ({:.1}×); compiling them: {first:.1} s", load / floor);
    Row::at_most("load of 100 installed components at start, from the cache", load, 150.0, "ms", text)
}

/// The component with a custom section that holds `byte`.
fn with_section(component: &[u8], byte: u8) -> Vec<u8> {
    // Id 0, its length, the length of its name, its name, its content.
    [component, &[0, 3, 1, b'n', byte]].concat()
}

fn read_all(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => read_all(&path),
            false => drop(black_box(std::fs::read(path).unwrap())),
        }
    }
}

/// The median of so many runs, in milliseconds, without preparing them and
/// without dropping what they made.
fn millis<T, R>(runs: usize, prepare: impl Fn() -> T, run: impl Fn(T) -> R) -> f64 {
    let mut samples: Vec<_> = (0..runs)
        .map(|_| {
            let prepared = prepare();
            let begin = Instant::now();
            let made = black_box(run(prepared));
            let took = begin.elapsed().as_secs_f64() * 1e3;
            drop(made);
            took
        })
        .collect();
    quantile(&mut samples, 0.5)
}
