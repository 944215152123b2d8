//! What marketplaces withdrew, as the store keeps it.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use vak_registry::{InstallError, Revoked, Store, Withdrawal, WithdrawalKind, Withdrawals};
use vak_trust::{Manifest, Package, PrivateKey, TrustPolicy, Validity};
use vak_types::{Digest, KeyId, Name, Timestamp};

const NOW: Timestamp = Timestamp::from_nanos(1_800_000_000_000_000_000);

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn digest(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

fn withdrawal(component: &str, kind: WithdrawalKind, reason: &str) -> Withdrawal {
    Withdrawal {
        component: digest(component),
        name: name(component),
        version: "1.2.3".parse().unwrap(),
        kind,
        reason: reason.parse().unwrap(),
        advisory: None,
    }
}

fn of(components: &[Withdrawal]) -> Withdrawals {
    Withdrawals { components: components.to_vec(), keys: Vec::new() }
}

struct Site {
    _folder: tempfile::TempDir,
    store: Store,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(folder.path().join("state/store"));
        Self { _folder: folder, store }
    }

    fn record(&self, marketplace: &str) -> PathBuf {
        self.store.withdrawals_path().join(format!("{marketplace}.json"))
    }

    fn withdraw(&self, marketplace: &str, withdrawals: &Withdrawals) {
        self.store.withdraw(&name(marketplace), withdrawals).unwrap();
    }

    /// Which components are withdrawn.
    fn withdrawn(&self) -> BTreeSet<Digest> {
        self.store.withdrawals().unwrap().components().map(|by| by.what.component).collect()
    }
}

#[test]
fn any_marketplace_suffices_and_each_replaces_its_own_list() {
    let (site, revoked, yanked) = (Site::new(), WithdrawalKind::Revoked, WithdrawalKind::Yanked);
    assert!(site.withdrawn().is_empty());
    assert!(!site.store.forget_withdrawals(&name("a")).unwrap());
    assert!(!site.store.path().exists());
    site.withdraw("b", &of(&[withdrawal("one", revoked, "it leaks"), withdrawal("two", yanked, "a slip")]));
    site.withdraw("a", &of(&[withdrawal("one", yanked, "an old one")]));
    assert_eq!(site.withdrawn(), BTreeSet::from([digest("one"), digest("two")]));
    let all = site.store.withdrawals().unwrap();
    // Who revokes says more than who yanks, and of equals the first.
    let text = all.component(&digest("one")).unwrap().to_string();
    assert_eq!(text, "`one` 1.2.3 was revoked by marketplace `b`: it leaks");
    site.withdraw("a", &of(&[withdrawal("one", revoked, "so we hear")]));
    let all = site.store.withdrawals().unwrap();
    assert_eq!(all.component(&digest("one")).unwrap().marketplace, name("a"));
    site.withdraw("b", &of(&[]));
    assert_eq!(site.withdrawn(), BTreeSet::from([digest("one")]));
    assert!(site.store.forget_withdrawals(&name("a")).unwrap());
    assert!(site.withdrawn().is_empty());
    let mode = std::fs::metadata(site.record("b")).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode, 0o600);
}

#[test]
fn the_same_list_is_not_written_again() {
    use std::os::unix::fs::MetadataExt as _;
    let site = Site::new();
    let list = of(&[withdrawal("one", WithdrawalKind::Yanked, "a slip")]);
    let inode = || std::fs::metadata(site.record("a")).unwrap().ino();
    site.withdraw("a", &list);
    let before = inode();
    site.withdraw("a", &list);
    assert_eq!(inode(), before);
}

#[test]
fn what_is_damaged_is_an_error_until_its_list_comes_again() {
    let site = Site::new();
    let list = of(&[withdrawal("one", WithdrawalKind::Revoked, "it leaks")]);
    site.withdraw("a", &list);
    let whole = std::fs::read(site.record("a")).unwrap();
    let record = site.record("a");
    let damages: [(&dyn Fn(), &str); 6] = [
        (&|| std::fs::write(&record, &whole[..whole.len() - 1]).unwrap(), "EOF while parsing"),
        (&|| std::fs::write(&record, "").unwrap(), "EOF while parsing"),
        (&|| std::fs::write(&record, vec![b' '; (16 << 20) + 1]).unwrap(), "larger than 16777216 bytes"),
        (&|| symlink("/dev/zero", &record).unwrap(), "not a file, or a link"),
        (&|| std::fs::create_dir(&record).unwrap(), "not a file, or a link"),
        (
            &|| std::fs::write(&record, String::from_utf8_lossy(&whole).replace("\"a\"", "\"b\"")).unwrap(),
            "its record is of `b`",
        ),
    ];
    for (damage, part) in damages {
        std::fs::remove_file(&record).unwrap();
        damage();
        let error = site.store.withdrawals().unwrap_err().to_string();
        assert!(error.starts_with("what marketplace `a` withdrew is damaged: ") && error.contains(part), "{error}");
        // Others can still say more, and it stays an error.
        site.withdraw("b", &of(&[]));
        assert!(site.store.withdrawals().is_err());
        if record.is_dir() {
            std::fs::remove_dir(&record).unwrap();
        }
        site.withdraw("a", &list);
        assert_eq!(site.withdrawn(), BTreeSet::from([digest("one")]));
    }
    for stray in ["a.json.bak", "notes", ".json", "a b.json", "\u{430}.json"] {
        let path = site.store.withdrawals_path().join(stray);
        std::fs::write(&path, &whole).unwrap();
        let error = site.store.withdrawals().unwrap_err().to_string();
        assert!(error.ends_with("this is no record of what a marketplace withdrew; remove it"), "{error}");
        std::fs::remove_file(path).unwrap();
    }
    std::fs::set_permissions(site.store.withdrawals_path(), PermissionsExt::from_mode(0o777)).unwrap();
    assert!(site.store.withdrawals().unwrap_err().to_string().contains("others could change it"));
}

#[test]
fn so_many_marketplaces_and_no_more() {
    let site = Site::new();
    for number in 0..64 {
        site.withdraw(&format!("m{number}"), &of(&[]));
    }
    let error = site.store.withdraw(&name("m64"), &of(&[])).unwrap_err().to_string();
    assert!(error.starts_with("65 marketplaces"), "{error}");
    site.withdraw("m7", &of(&[withdrawal("one", WithdrawalKind::Yanked, "a slip")]));
    assert_eq!(site.withdrawn().len(), 1);
}

#[test]
fn what_is_withdrawn_is_not_installed() {
    let (site, key) = (Site::new(), PrivateKey::generate().unwrap());
    let manifest = "name = 'rules'\nversion = '1.0.0'\nkind = 'policy'\ndescription = ''\nlicense = 'MIT'";
    let package = Package::unsigned(b"rules".to_vec(), &Manifest::from_toml(manifest).unwrap());
    let package = package.sign(&key, Validity::since(NOW));
    let trust = TrustPolicy::of_publishers([key.public()]);
    let install = || site.store.install(package.clone(), &trust, NOW, &mut |_| true);
    site.withdraw("a", &of(&[withdrawal("rules", WithdrawalKind::Yanked, "a slip")]));
    assert!(matches!(install(), Err(InstallError::Withdrawn(_))));
    let keys = vec![Revoked { key: key.public().id(), reason: "stolen".parse().unwrap() }];
    site.withdraw("a", &Withdrawals { components: Vec::new(), keys });
    assert!(matches!(install(), Err(InstallError::KeyRevoked(_))));
    let keys = vec![Revoked { key: KeyId::from_digest(digest("other")), reason: "stolen".parse().unwrap() }];
    site.withdraw("a", &Withdrawals { components: Vec::new(), keys });
    std::fs::write(site.record("b"), "x").unwrap();
    assert!(matches!(install(), Err(InstallError::Store(_))));
    std::fs::remove_file(site.record("b")).unwrap();
    install().unwrap();
    // Nothing of what is withdrawn is garbage.
    assert!(site.record("a").exists());
}

/// While lists come and go, also those of others: nobody sees one that is half
/// there, or misses one that stays.
#[test]
fn readers_see_whole_lists() {
    let site = Site::new();
    let many = |kind| of(&(0..50).map(|number| withdrawal(&format!("c{number}"), kind, "x")).collect::<Vec<_>>());
    site.withdraw("stays", &of(&[withdrawal("one", WithdrawalKind::Revoked, "it leaks")]));
    site.withdraw("changes", &many(WithdrawalKind::Yanked));
    let end = AtomicBool::new(false);
    std::thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                while !end.load(Ordering::Relaxed) {
                    let count = site.withdrawn().len();
                    assert!([1, 51].contains(&count), "{count}");
                    assert!(site.withdrawn().contains(&digest("one")));
                }
            });
        }
        for round in 0..60 {
            match round % 3 {
                0 => site.withdraw("changes", &many(WithdrawalKind::Revoked)),
                1 => drop(site.store.forget_withdrawals(&name("changes")).unwrap()),
                _ => site.withdraw("changes", &many(WithdrawalKind::Yanked)),
            }
        }
        end.store(true, Ordering::Relaxed);
    });
}
