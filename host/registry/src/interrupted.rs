//! What is left when an operation on the disk fails, or the process dies there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use vak_trust::{Manifest, Package, PrivateKey, TrustPolicy, Unsigned, Validity};
use vak_types::{Name, Timestamp};

use crate::fault::testing::{Faults, with};
use crate::{InstallError, Outcome, Store, StoreError};

const NOW: Timestamp = Timestamp::from_nanos(1_800_000_000_000_000_000);

/// A store, its publisher and two versions of one package.
struct Site {
    folder: tempfile::TempDir,
    trust: TrustPolicy,
    old: Package,
    new: Package,
}

impl Site {
    fn new() -> Self {
        let key = PrivateKey::generate().unwrap();
        let package = |version: &str, content: &[u8]| {
            let manifest = format!("name = 'rules'\nversion = '{version}'\nkind = 'policy'\ndescription = ''");
            let manifest = Manifest::from_toml(&format!("{manifest}\nlicense = 'MIT'")).unwrap();
            Package::unsigned(content.to_vec(), &manifest).sign(&key, Validity::since(NOW))
        };
        Self {
            folder: tempfile::tempdir().unwrap(),
            trust: TrustPolicy::of_publishers([key.public()]),
            old: package("1.0.0", &[1; 5_000]),
            new: package("2.0.0", &[2; 9_000]),
        }
    }

    fn store(&self) -> Store {
        Store::at(self.root())
    }

    /// Two folders deep, so that both have to be made.
    fn root(&self) -> PathBuf {
        self.folder.path().join("state/store")
    }

    fn install(&self, package: &Package) -> Result<Outcome, InstallError> {
        self.store().install(package.clone(), &self.trust, NOW, &mut |_| false)
    }

    /// What is installed, which is whole.
    fn installed(&self) -> Option<Package> {
        let names = self.store().list().unwrap();
        assert!(names.len() <= 1, "{names:?}");
        let package = self.store().get(names.first()?).unwrap();
        self.trust.verify(package.clone(), Unsigned::Refuse, NOW).unwrap();
        Some(package)
    }

    /// Exactly the files of `package` are there and nothing aside.
    fn holds_only(&self, package: Option<&Package>) {
        let found = |folder: &str| -> BTreeSet<String> {
            let entries = std::fs::read_dir(self.root().join(folder)).unwrap();
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
        };
        let parts = package.map(|package| [&package.component, &package.manifest, package.bundle.as_ref().unwrap()]);
        let blobs = parts.iter().flatten().map(|part| vak_types::Digest::of(part).to_hex()).collect();
        assert_eq!(found("blobs"), blobs);
        assert!(found("aside").is_empty());
        assert_eq!(found("names").len(), usize::from(package.is_some()));
        assert_eq!(found("").len(), 4, "{:?}", found(""));
    }
}

fn same(one: Option<&Package>, other: Option<&Package>) -> bool {
    let parts = |package: &Package| (package.component.clone(), package.manifest.clone(), package.bundle.clone());
    one.map(parts) == other.map(parts)
}

fn damage_component(site: &Site) {
    let blobs = site.root().join("blobs");
    std::fs::write(blobs.join(vak_types::Digest::of(&site.old.component).to_hex()), "x").unwrap();
}

/// What a change starts with, what it does, and what it is to end with.
struct Case {
    what: &'static str,
    before: fn(&Site),
    from: fn(&Site) -> Option<&Package>,
    work: fn(&Site) -> Result<(), String>,
    to: fn(&Site) -> Option<&Package>,
}

fn words<T, E: ToString>(result: Result<T, E>) -> Result<(), String> {
    result.map(drop).map_err(|error| error.to_string())
}

fn rules() -> Name {
    "rules".parse().unwrap()
}

const CASES: &[Case] = &[
    Case {
        what: "a first installation",
        before: |_| {},
        from: |_| None,
        work: |site| words(site.install(&site.new)),
        to: |site| Some(&site.new),
    },
    Case {
        what: "a replacement",
        before: |site| drop(site.install(&site.old).unwrap()),
        from: |site| Some(&site.old),
        work: |site| words(site.install(&site.new)),
        to: |site| Some(&site.new),
    },
    Case {
        what: "the same once more",
        before: |site| drop(site.install(&site.old).unwrap()),
        from: |site| Some(&site.old),
        work: |site| words(site.install(&site.old)),
        to: |site| Some(&site.old),
    },
    Case {
        what: "a removal",
        before: |site| drop(site.install(&site.old).unwrap()),
        from: |site| Some(&site.old),
        // Trying again after it was done is not an error of the disk.
        work: |site| match site.store().remove(&rules()) {
            Err(StoreError::NotInstalled(_)) => Ok(()),
            removed => words(removed),
        },
        to: |_| None,
    },
];

#[test]
fn whatever_fails_one_version_is_installed_whole() {
    for Case { what, before, from, work, to } in CASES {
        let site = Site::new();
        before(&site);
        let (done, operations) = with(None, || work(&site));
        done.unwrap();
        site.holds_only(to(&site));
        for (number, operation) in operations.iter().copied().enumerate() {
            for faults in [Faults::Only(number), Faults::From(number)] {
                let site = Site::new();
                before(&site);
                let (result, _) = with(Some(faults), || work(&site));
                let case = format!("{what}, {faults:?}, {operation}");
                let installed = site.installed();
                let (old, new) = (same(installed.as_ref(), from(&site)), same(installed.as_ref(), to(&site)));
                match result {
                    // Only removing what is not needed any more may fail unseen.
                    Ok(()) => assert!(new && operation == "remove", "{case}"),
                    Err(error) => {
                        assert!((old || new) && error.ends_with("no storage space"), "{case}: {error}");
                    }
                }
                work(&site).unwrap_or_else(|error| panic!("{case}: {error}"));
                assert!(same(site.installed().as_ref(), to(&site)), "{case}");
                // Garbage goes with the next change at the latest.
                site.install(&site.new).unwrap();
                site.holds_only(Some(&site.new));
            }
        }
    }
}

#[test]
fn a_damaged_file_is_put_right_by_installing_the_same_again() {
    let site = Site::new();
    site.install(&site.old).unwrap();
    damage_component(&site);
    assert!(site.store().get(&rules()).is_err());
    assert_eq!(site.install(&site.old).unwrap(), Outcome::Unchanged);
    assert!(same(site.installed().as_ref(), Some(&site.old)));
    site.holds_only(Some(&site.old));
}

/// The order is what a crash of the whole machine depends on: a file is on disk
/// before it has its name, and all files before the record.
#[test]
fn everything_is_on_disk_before_it_counts() {
    let site = Site::new();
    let place = ["make file", "write", "sync file", "rename"];
    let made = ["make folder", "sync folder", "sync folder", "make lock"];
    let folders = ["make folder", "sync folder"].repeat(3);
    let blobs = place.repeat(3);
    let record = [&["sync folder"][..], &place, &["sync folder"]].concat();
    let (result, operations) = with(None, || site.install(&site.old));
    result.unwrap();
    assert_eq!(operations, [&made[..], &folders, &blobs, &record].concat());

    let (result, operations) = with(None, || site.install(&site.new));
    result.unwrap();
    assert_eq!(operations, [&["make folder", "make lock"][..], &blobs, &record, &["remove"; 3]].concat());

    let (result, operations) = with(None, || site.store().remove(&rules()));
    result.unwrap();
    assert_eq!(operations, ["make lock", "remove", "sync folder", "remove", "remove", "remove"]);
}

/// Of what a marketplace withdrew the old list counts or the new one, and an
/// installation that is interrupted forgets none of it.
#[test]
fn whatever_fails_a_list_of_withdrawals_is_whole() {
    let list = |count: usize| crate::Withdrawals {
        components: (0..count)
            .map(|number| crate::Withdrawal {
                component: vak_types::Digest::of(&[number.to_be_bytes()[7]]),
                name: rules(),
                version: semver::Version::new(1, 0, 0),
                kind: crate::WithdrawalKind::Revoked,
                reason: "it leaks".parse().unwrap(),
                advisory: None,
            })
            .collect(),
        keys: Vec::new(),
    };
    let shop: Name = "shop".parse().unwrap();
    let withdrawn = |site: &Site| site.store().withdrawals().unwrap().components().count();
    for before in [None, Some(1)] {
        let prepared = || {
            let site = Site::new();
            before.iter().for_each(|count| site.store().withdraw(&shop, &list(*count)).unwrap());
            site
        };
        let work = |site: &Site| site.store().withdraw(&shop, &list(3));
        let whole = prepared();
        let (done, operations) = with(None, || work(&whole));
        done.unwrap();
        let last: Vec<_> = operations.iter().rev().take(5).rev().copied().collect();
        assert_eq!(last, ["make file", "write", "sync file", "rename", "sync folder"]);
        for number in 0..operations.len() {
            for faults in [Faults::Only(number), Faults::From(number)] {
                let site = prepared();
                let (result, _) = with(Some(faults), || work(&site));
                assert!(result.is_err(), "{faults:?}");
                assert!([before.unwrap_or(0), 3].contains(&withdrawn(&site)), "{faults:?}");
                work(&site).unwrap();
                assert_eq!(withdrawn(&site), 3);
                let (_, _) = with(Some(Faults::Only(number)), || site.install(&site.new));
                assert_eq!(withdrawn(&site), 3);
            }
        }
    }
}

#[test]
fn what_is_missing_is_made_with_mode_0700() {
    use std::os::unix::fs::PermissionsExt as _;

    let site = Site::new();
    site.install(&site.old).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    for folder in ["", "blobs", "names", "aside"] {
        assert_eq!(mode(&site.root().join(folder)), 0o700, "{folder}");
    }
    assert_eq!(mode(&site.root().join("names/rules.json")), 0o600);
}
