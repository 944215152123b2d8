//! Packages that must not get into the store, and stores that were tampered
//! with.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use vak_registry::{Change, InstallError, Outcome, Store};
use vak_trust::{Manifest, Package, PrivateKey, TrustPolicy, TrustSettings, TrustedKey, Validity};
use vak_types::{Digest, Name, Timestamp};

const SECOND: u64 = 1_000_000_000;
const NOW: Timestamp = Timestamp::from_nanos(1_800_000_000 * SECOND);

struct Site {
    folder: tempfile::TempDir,
    key: PrivateKey,
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn later(seconds: u64) -> Timestamp {
    Timestamp::from_nanos(NOW.as_nanos() + seconds * SECOND)
}

impl Site {
    /// A store with `rules` 1.0.0 in it.
    fn new() -> Self {
        let site = Self { folder: tempfile::tempdir().unwrap(), key: PrivateKey::generate().unwrap() };
        assert_eq!(site.install(site.package("rules", "1.0.0", "")).unwrap(), Outcome::New);
        site
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    fn store(&self) -> Store {
        Store::at(self.root())
    }

    fn trust(&self) -> TrustPolicy {
        TrustPolicy::of_publishers([self.key.public()])
    }

    fn unsigned(&self, name: &str, version: &str, more: &str) -> Package {
        let kind = if more.contains("secrets") { "skill" } else { "policy" };
        let manifest = format!(
            "name = '{name}'\nversion = '{version}'\nkind = '{kind}'\ndescription = ''\nlicense = 'MIT'\n{more}"
        );
        Package::unsigned(format!("{name} {version}").into_bytes(), &Manifest::from_toml(&manifest).unwrap())
    }

    fn package(&self, name: &str, version: &str, more: &str) -> Package {
        self.unsigned(name, version, more).sign(&self.key, Validity::since(NOW))
    }

    /// Installs, and nobody agrees to anything.
    fn install(&self, package: Package) -> Result<Outcome, InstallError> {
        self.store().install(package, &self.trust(), NOW, &mut |_| false)
    }

    /// A package is refused with this error, and every byte is as it was.
    #[track_caller]
    fn refuses(&self, package: Package, trust: &TrustPolicy, now: Timestamp, part: &str) {
        let before = snapshot(&self.root());
        let error = self.store().install(package, trust, now, &mut |_| false).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
        assert_eq!(snapshot(&self.root()), before, "{part}");
    }

    /// The installed `rules` can't be had, for this reason, until it is removed
    /// and installed again.
    #[track_caller]
    fn is_damaged(&self, part: &str) {
        let error = self.store().get(&name("rules")).unwrap_err().to_string();
        assert!(error.starts_with("the installed package `rules` is damaged: ") && error.contains(part), "{error}");
        assert!(error.ends_with("; run `vak remove rules` and install it again"), "{error}");
        assert!(self.store().list().unwrap().contains(&name("rules")));
        self.store().remove(&name("rules")).unwrap();
        self.install(self.package("rules", "1.0.0", "")).unwrap();
        assert_eq!(self.store().get(&name("rules")).unwrap().component, b"rules 1.0.0");
    }

    fn record(&self) -> PathBuf {
        self.root().join("names/rules.json")
    }

    fn blob(&self, bytes: &[u8]) -> PathBuf {
        self.root().join("blobs").join(Digest::of(bytes).to_hex())
    }
}

/// Every file, link and folder below `folder`, with what is in it.
fn snapshot(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            found.extend(snapshot(&path));
            found.insert(path, Vec::new());
        } else {
            let content = std::fs::read(&path).unwrap_or_default();
            found.insert(path, content);
        }
    }
    found
}

#[test]
fn a_package_that_is_not_trusted_changes_nothing() {
    let site = Site::new();
    let trust = site.trust();
    let good = site.package("rules", "2.0.0", "");
    let other = site.package("other", "1.0.0", "");
    let bundle = good.bundle.clone().unwrap();
    let with_bundle = |bundle: &[u8]| Package { bundle: Some(bundle.to_vec()), ..good.clone() };
    site.refuses(Package { bundle: None, ..good.clone() }, &trust, NOW, "has no signature");
    site.refuses(with_bundle(&bundle[..bundle.len() / 2]), &trust, NOW, "not a bundle");
    site.refuses(with_bundle(b""), &trust, NOW, "has 0 bundles");
    site.refuses(with_bundle(other.bundle.as_ref().unwrap()), &trust, NOW, "over another component");
    let mut changed = good.clone();
    changed.component[0] ^= 1;
    site.refuses(changed, &trust, NOW, "over another component");
    let manifest = site.package("rules", "3.0.0", "").manifest;
    site.refuses(Package { manifest, ..good.clone() }, &trust, NOW, "over another manifest");
    let swapped = Package { component: good.manifest.clone(), manifest: good.component.clone(), ..good.clone() };
    site.refuses(swapped, &trust, NOW, "over another component");
    site.refuses(good.clone(), &TrustPolicy::of_publishers([]), NOW, "no trusted key made the signature");
    // A policy for development does not get the unsigned into the store.
    let development = TrustPolicy::development([site.key.public()]);
    site.refuses(Package { bundle: None, ..good.clone() }, &development, NOW, "has no signature");

    let key = TrustedKey {
        name: name("ann"),
        public: site.key.public(),
        roles: [vak_trust::Role::Publisher].into(),
        names: vec!["*".parse().unwrap()],
        may_permit: false,
    };
    let settings = || TrustSettings { keys: vec![key.clone()], ..TrustSettings::default() };
    let revoked = TrustSettings { revoked_keys: [site.key.public().id()].into(), ..settings() };
    site.refuses(good.clone(), &TrustPolicy::new(revoked).unwrap(), NOW, "the key of `ann` is revoked");
    for digest in [Digest::of(&good.component), Digest::of(&good.manifest)] {
        let revoked = TrustSettings { revoked_digests: [digest].into(), ..settings() };
        site.refuses(good.clone(), &TrustPolicy::new(revoked).unwrap(), NOW, "is revoked; choose another version");
    }
    let at = |time: Timestamp| jiff::Timestamp::from_nanosecond(time.as_nanos().into()).unwrap();
    let validity = Validity::new(at(NOW), Some(at(later(60)))).unwrap();
    let short = site.unsigned("rules", "2.0.0", "").sign(&site.key, validity);
    site.refuses(short.clone(), &trust, later(60), "expired at 2027-01-15T08:01:00Z");
    site.refuses(short, &trust, Timestamp::from_nanos(0), "which is still to come");
}

#[test]
fn names_that_read_like_an_installed_one_are_refused() {
    let site = Site::new();
    site.install(site.package("my-tool", "1.0.0", "")).unwrap();
    for (name, like) in [
        ("ru1es", "rules"),
        ("Rules", "rules"),
        ("RULES", "rules"),
        ("ruIes", "rules"),
        ("r-ules", "rules"),
        ("rule5", "rules"),
        ("my_tool", "my-tool"),
        ("mytool", "my-tool"),
        ("rny.t00l", "my-tool"),
    ] {
        let error =
            format!("the name `{name}` reads like that of the installed package `{like}`; remove that one first");
        site.refuses(site.package(name, "1.0.0", ""), &site.trust(), NOW, &error);
    }
    // The other way round, and not after the first is gone.
    site.store().remove(&name("rules")).unwrap();
    site.install(site.package("ru1es", "1.0.0", "")).unwrap();
    site.refuses(site.package("rules", "1.0.0", ""), &site.trust(), NOW, "like that of the installed package `ru1es`");
}

#[test]
fn names_that_are_paths_are_no_names() {
    for bad in ["..", ".", "../rules", "a/b", "/etc/passwd", ".hidden", "ru..les", "rulеs", "a\0b", ""] {
        let text = format!("name = {bad:?}\nversion = '1.0.0'\nkind = 'policy'\ndescription = ''\nlicense = 'MIT'")
            .replace("\\0", "\\u0000");
        let error = Manifest::from_toml(&text).unwrap_err().to_string();
        assert!(error.contains("name"), "{bad}: {error}");
    }
    // What is a name by its letters alone is not found, and nothing else is.
    let site = Site::new();
    std::fs::write(site.root().join("..json"), "x").unwrap();
    for odd in ["..", ".", ".."] {
        let error = site.store().get(&name(odd)).unwrap_err().to_string();
        assert_eq!(error, format!("no package `{odd}` is installed; run `vak install FILE`"));
        assert_eq!(site.store().remove(&name(odd)).unwrap_err().to_string(), error);
    }
}

/// What is asked when `package` is to be installed, and that nothing changes
/// without a yes and everything with one.
#[track_caller]
fn asks(site: &Site, package: &Package, trust: &TrustPolicy, expected: &[&str]) {
    let before = snapshot(&site.root());
    let mut asked: Vec<Change> = Vec::new();
    let error = site
        .store()
        .install(package.clone(), trust, NOW, &mut |change| {
            asked.push(change.clone());
            false
        })
        .unwrap_err()
        .to_string();
    let [change] = &asked[..] else { panic!("{asked:?}") };
    let concerns: Vec<_> = change.concerns.iter().map(ToString::to_string).collect();
    assert_eq!(concerns, expected);
    assert_eq!(error, format!("`rules` was not replaced: {}", expected.join("; ")));
    assert_eq!(snapshot(&site.root()), before);
    let from = change.from.clone();
    let outcome = site.store().install(package.clone(), trust, NOW, &mut |_| true).unwrap();
    assert_eq!(outcome, Outcome::Replaced(from));
    let again = site.store().install(package.clone(), trust, NOW, &mut |_| false).unwrap();
    assert_eq!(again, Outcome::Unchanged);
}

#[test]
fn replacing_needs_a_yes_where_it_widens_goes_back_or_changes_hands() {
    let site = Site::new();
    let trust = site.trust();
    let newer = site.package("rules", "1.1.0", "");
    assert_eq!(site.install(newer).unwrap(), Outcome::Replaced("1.0.0".parse().unwrap()));
    asks(
        &site,
        &site.package("rules", "1.2.0", "[grants]\nlog = true"),
        &trust,
        &["it asks for more than the installed version: it may write lines to the host's log"],
    );
    // Asking for as much is no change, and for less neither.
    site.install(site.package("rules", "1.3.0", "[grants]\nlog = true")).unwrap();
    site.install(site.package("rules", "1.4.0", "")).unwrap();
    asks(&site, &site.package("rules", "1.3.9", ""), &trust, &["1.3.9 is older than the installed 1.4.0"]);
    asks(
        &site,
        &site.package("rules", "1.3.9-beta", "[grants]\nsecrets = ['a', 'b']"),
        &trust,
        &[
            "it asks for more than the installed version: it may read the secret `a`, it may read the secret `b`",
            "1.3.9-beta is older than the installed 1.3.9",
        ],
    );
    let other = PrivateKey::generate().unwrap();
    let both = TrustPolicy::of_publishers([site.key.public(), other.public()]);
    let (ann, bob) = (site.key.public().id(), other.public().id());
    let words = |from, to| {
        format!("the installed version was signed by `{from}`, this one is by `{to}`, who may be taking over the name")
    };
    let taken_over = site.unsigned("rules", "1.5.0", "").sign(&other, Validity::since(NOW));
    asks(&site, &taken_over, &both, &[&words(ann, bob)]);
    // Whoever signed before and signs again beside others is no stranger.
    let shared = site.package("rules", "1.6.0", "").countersign(&other, Validity::since(NOW)).unwrap();
    let outcome = site.store().install(shared, &both, NOW, &mut |_| false).unwrap();
    assert_eq!(outcome, Outcome::Replaced("1.5.0".parse().unwrap()));
    // The earlier publisher counts even when nobody believes it any more.
    asks(
        &site,
        &site.unsigned("rules", "1.7.0", "").sign(&other, Validity::since(NOW)),
        &TrustPolicy::of_publishers([other.public()]),
        &[&words(ann, bob)],
    );
}

#[test]
fn consent_is_for_what_is_there_when_it_is_given() {
    let site = Site::new();
    let (trust, store) = (site.trust(), site.store());
    let older = site.package("rules", "0.9.0", "");
    let mut asked = Vec::new();
    // Somebody else installs another version while one is asked.
    let outcome = store
        .install(older, &trust, NOW, &mut |change| {
            asked.push(change.from.to_string());
            if asked.len() == 1 {
                site.install(site.package("rules", "2.0.0", "")).unwrap();
            }
            true
        })
        .unwrap();
    assert_eq!(asked, ["1.0.0", "2.0.0"]);
    assert_eq!(outcome, Outcome::Replaced("2.0.0".parse().unwrap()));
}

#[test]
fn what_was_changed_on_disk_is_refused() {
    let site = Site::new();
    let package = site.package("rules", "1.0.0", "");
    let bundle = package.bundle.clone().unwrap();
    for bytes in [&package.component, &package.manifest, &bundle] {
        let path = site.blob(bytes);
        let digest = Digest::of(bytes);
        let changed = [&bytes[..bytes.len() - 1], b"~"].concat();
        std::fs::write(&path, &changed).unwrap();
        site.is_damaged(&format!("what is stored as `{digest}` is `{}`", Digest::of(&changed)));
        std::fs::write(&path, &bytes[..3]).unwrap();
        site.is_damaged("what is stored as");
        std::fs::write(&path, [&bytes[..], &vec![0; 300 << 10]].concat()).unwrap();
        let too_large = bytes != &package.component;
        site.is_damaged(if too_large { "larger than" } else { "what is stored as" });
        std::fs::remove_file(&path).unwrap();
        site.is_damaged(&format!("`{digest}` is missing"));
        // A link to the right bytes is a link all the same.
        let elsewhere = site.folder.path().join("elsewhere");
        std::fs::write(&elsewhere, bytes).unwrap();
        std::fs::remove_file(&path).unwrap();
        symlink(&elsewhere, &path).unwrap();
        site.is_damaged("this is not a file, or a link to one, which the store never has");
        assert_eq!(&std::fs::read(&elsewhere).unwrap(), bytes);
    }
}

#[test]
fn a_record_that_was_changed_is_refused() {
    let site = Site::new();
    site.install(site.package("other", "1.0.0", "")).unwrap();
    let other = std::fs::read(site.root().join("names/other.json")).unwrap();
    site.store().remove(&name("other")).unwrap();
    let text = std::fs::read_to_string(site.record()).unwrap();
    let key = site.key.public().id().to_string();
    let cases = [
        (text.replace("1.0.0", "1.0.1"), "its manifest is of `rules` 1.0.0"),
        (text.replace("\"format\":1", "\"format\":9"), "has the format 9"),
        (text.replace("{", "{ "), "not in canonical form"),
        (text.replace("{", "{\"extra\":1,"), "unknown field `extra`"),
        (text.replace(&key, "sha256:00"), "a digest is written"),
        (text[..text.len() / 2].to_owned(), "its record is not valid: EOF"),
        (String::new(), "its record is not valid: EOF"),
        ("x".repeat(5_000), "larger than 4096 bytes"),
        (String::from_utf8(other.clone()).unwrap(), "its record is of `other`"),
        // One package passed off as another.
        (String::from_utf8(other).unwrap().replace("other", "rules"), "is missing"),
    ];
    for (changed, part) in cases {
        std::fs::write(site.record(), changed).unwrap();
        site.is_damaged(part);
    }
    let elsewhere = site.folder.path().join("elsewhere");
    std::fs::rename(site.record(), &elsewhere).unwrap();
    symlink(&elsewhere, site.record()).unwrap();
    site.is_damaged("this is not a file, or a link to one");
    assert!(elsewhere.exists());
}

#[test]
fn one_package_is_not_passed_off_as_another() {
    let site = Site::new();
    site.install(site.package("other", "1.0.0", "")).unwrap();
    let other = std::fs::read_to_string(site.root().join("names/other.json")).unwrap();
    std::fs::write(site.record(), other.replace("\"other\"", "\"rules\"")).unwrap();
    site.is_damaged("its manifest is of `other` 1.0.0");
}

#[test]
fn a_damaged_package_is_not_replaced_unseen() {
    let site = Site::new();
    std::fs::write(site.record(), "{}").unwrap();
    let newer = site.package("rules", "2.0.0", "[grants]\nlog = true");
    site.refuses(newer.clone(), &site.trust(), NOW, "the installed package `rules` is damaged");
    // Its name counts all the same.
    site.refuses(site.package("ru1es", "1.0.0", ""), &site.trust(), NOW, "reads like");
    site.store().remove(&name("rules")).unwrap();
    site.install(newer).unwrap();
}

#[test]
fn folders_of_the_store_are_no_links() {
    for folder in ["names", "blobs", "aside"] {
        let site = Site::new();
        let elsewhere = site.folder.path().join("elsewhere");
        std::fs::rename(site.root().join(folder), &elsewhere).unwrap();
        symlink(&elsewhere, site.root().join(folder)).unwrap();
        let before = snapshot(&elsewhere);
        let part = format!("{folder}`: this is not a folder, or a link to one, which the store never has; remove it");
        let error = site.install(site.package("new", "1.0.0", "")).unwrap_err().to_string();
        assert!(error.contains(&part), "{error}");
        let error = site.store().remove(&name("rules")).unwrap_err().to_string();
        assert!(error.contains(&part), "{error}");
        if folder != "aside" {
            let error = site.store().get(&name("rules")).unwrap_err().to_string();
            assert!(error.contains(&part), "{error}");
        }
        assert_eq!(snapshot(&elsewhere), before);
    }
    let site = Site::new();
    std::fs::remove_file(site.root().join("lock")).unwrap();
    symlink(site.folder.path().join("made"), site.root().join("lock")).unwrap();
    assert!(site.store().list().is_err());
    assert!(!site.folder.path().join("made").exists());
}

#[test]
fn a_store_that_others_can_write_to_is_refused() {
    for folder in ["", "names", "blobs", "aside"] {
        let site = Site::new();
        std::fs::set_permissions(site.root().join(folder), PermissionsExt::from_mode(0o770)).unwrap();
        let error = site.install(site.package("new", "1.0.0", "")).unwrap_err().to_string();
        assert!(error.contains("has mode 0770, so others could change it; run `chmod 700` on it"), "{error}");
        if folder != "aside" {
            let error = site.store().get(&name("rules")).unwrap_err().to_string();
            assert!(error.contains("has mode 0770"), "{error}");
        }
    }
}

#[test]
fn a_pipe_holds_nobody_up() {
    let site = Site::new();
    let path = site.blob(&site.package("rules", "1.0.0", "").component);
    std::fs::remove_file(&path).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    site.is_damaged("this is not a file");
}

#[test]
fn garbage_does_no_harm() {
    let site = Site::new();
    for number in 0..2_500 {
        let folder = ["", "names", "blobs", "aside"][number % 4];
        std::fs::write(site.root().join(folder).join(format!("garbage {number}")), "x").unwrap();
        std::fs::write(site.root().join(folder).join(format!("{number}.json.tmp")), "x").unwrap();
        std::fs::write(site.root().join("blobs").join(Digest::of(&number.to_le_bytes()).to_hex()), "x").unwrap();
        std::fs::create_dir(site.root().join("names").join(format!("{number}.json"))).unwrap();
    }
    assert_eq!(site.store().list().unwrap(), [name("rules")]);
    site.install(site.package("rules", "2.0.0", "")).unwrap();
    assert_eq!(site.store().get(&name("rules")).unwrap().component, b"rules 2.0.0");
    // What is named like a blob, or was left aside, is cleared away.
    let blobs = std::fs::read_dir(site.root().join("blobs")).unwrap();
    assert_eq!(blobs.filter(|entry| entry.as_ref().unwrap().file_name().len() == 64).count(), 3);
    assert_eq!(std::fs::read_dir(site.root().join("aside")).unwrap().count(), 0);
}

#[test]
fn a_store_that_cannot_be_written_says_so() {
    let site = Site::new();
    let package = site.package("rules", "1.0.0", "");
    let file = site.folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    for (root, part) in [(file.join("store"), "Not a directory"), ("/proc/vak/store".into(), "No such file")] {
        let error = Store::at(&root).install(package.clone(), &site.trust(), NOW, &mut |_| true);
        let error = error.unwrap_err().to_string();
        assert!(error.starts_with(&format!("the store, at `{}`: {part}", root.display())), "{error}");
    }
    let error = Store::at(&file).list().unwrap_err().to_string();
    assert!(error.contains("this is not a folder"), "{error}");
    // What is not there holds nothing, and reading makes nothing.
    let nothing = site.folder.path().join("nothing");
    assert!(Store::at(&nothing).list().unwrap().is_empty());
    assert!(Store::at(&nothing).get(&name("rules")).is_err());
    assert!(!nothing.exists());
}

#[test]
fn readers_and_writers_at_once_see_whole_packages() {
    let site = Site::new();
    let versions: Vec<_> = (1..=4).map(|number| site.package("rules", &format!("{number}.0.0"), "")).collect();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (site, done) = (&site, &done);
        for _ in 0..2 {
            scope.spawn(move || {
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    let package = site.store().get(&name("rules")).unwrap();
                    site.trust().verify(package, vak_trust::Unsigned::Refuse, NOW).unwrap();
                }
            });
        }
        let writers: Vec<_> = versions
            .chunks(2)
            .map(|versions| {
                scope.spawn(move || {
                    for _ in 0..25 {
                        for version in versions {
                            site.store().install(version.clone(), &site.trust(), NOW, &mut |_| true).unwrap();
                        }
                    }
                })
            })
            .collect();
        let ended: Vec<_> = writers.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(ended.iter().all(Result::is_ok));
    });
}
