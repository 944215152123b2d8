//! Somebody who can put any bytes in the place of an index, and has no key.

use std::path::Path;

use vak_marketplace::{IndexError, Marketplace, Refreshed, Repository, RepositoryError, Source};
use vak_trust::PrivateKey;

use crate::stand::{Stand, copy, days_ago, name, now, seen};

/// That what is there now is refused, with these words, and that the reader has
/// what it had.
async fn refused(reader: &Marketplace, part: &str, still: &[&str]) {
    let error = reader.refresh().await.unwrap_err().to_string();
    assert!(error.contains(part), "{part}: {error}");
    assert_eq!(seen(&reader.index().await.unwrap()).await, still);
    assert_eq!(reader.catalogue().unwrap().search("", 0, 100).count, still.len());
}

async fn two_versions() -> (Stand, Marketplace) {
    let stand = Stand::new().await;
    stand.publish("one", "0.1.0").await;
    stand.keep("older");
    stand.publish("two", "0.1.0").await;
    let reader = stand.reader("copy");
    // With all of it, since the rest will not be to be had.
    reader.mirror().await.unwrap();
    stand.keep("newer");
    (stand, reader)
}

#[tokio::test]
async fn an_index_that_was_true_once_is_not_true_again() {
    let (stand, reader) = two_versions().await;
    stand.put_back("older");
    refused(&reader, "version", &["one", "two"]).await;
    // Who never saw the newer one can't know.
    let fresh = stand.reader("fresh");
    fresh.refresh().await.unwrap();
    assert_eq!(seen(&fresh.index().await.unwrap()).await, ["one"]);
}

#[tokio::test]
async fn an_old_index_can_be_shown_for_a_week() {
    let stand = Stand::at(days_ago(8)).await;
    let reader = stand.reader("copy");
    let error = reader.refresh().await.unwrap_err().to_string();
    assert!(error.contains("expired"), "{error}");
    assert!(matches!(reader.index().await, Err(IndexError::NoCopy)));
    // Who keeps it can sign it anew.
    stand.edit(async |_| ()).await;
    reader.refresh().await.unwrap();
}

#[tokio::test]
async fn a_copy_that_expired_is_not_believed_either() {
    let stand = Stand::at(days_ago(8)).await;
    // A copy has the same files in the same places.
    copy(&stand.index(), &stand.path("copy"));
    let error = stand.reader("copy").index().await.unwrap_err().to_string();
    assert!(error.contains("expired"), "{error}");
    // That nothing is new makes it no younger.
    assert_eq!(stand.reader("copy").refresh().await.unwrap(), Refreshed::Unchanged);
    assert!(stand.reader("copy").index().await.is_err());
}

#[tokio::test]
async fn a_clock_that_was_set_back_does_not_make_it_younger() {
    let stand = Stand::at(days_ago(6)).await;
    let reader = stand.reader("copy");
    reader.refresh().await.unwrap();
    assert_eq!(seen(&reader.index().await.unwrap()).await, [""; 0]);
    let later = now().checked_add(jiff::Span::new().hours(48)).unwrap();
    std::fs::write(stand.path("copy/latest_known_time.json"), serde_json::to_vec(&later).unwrap()).unwrap();
    let error = reader.index().await.unwrap_err().to_string();
    assert!(error.contains("time"), "{error}");
}

#[tokio::test]
async fn parts_of_two_indexes_are_no_index() {
    let (stand, _) = two_versions().await;
    let versions = |stand: &Stand, name: &str| -> Vec<String> {
        let files = std::fs::read_dir(stand.path(name).join("metadata")).unwrap();
        files.map(|file| file.unwrap().file_name().to_string_lossy().into_owned()).collect()
    };
    let newest = |name: &str, role: &str| {
        let of = |file: &String| file.strip_suffix(role)?.parse::<u64>().ok();
        versions(&stand, name).iter().filter_map(of).max().unwrap()
    };
    for role in [".targets.json", ".snapshot.json"] {
        stand.put_back("newer");
        let [old, new] = ["older", "newer"].map(|name| format!("{}{role}", newest(name, role)));
        std::fs::copy(stand.path("older/metadata").join(old), stand.index().join("metadata").join(new)).unwrap();
        let fresh = stand.reader(&format!("fresh{role}"));
        assert!(fresh.refresh().await.is_err(), "{role}");
        assert!(matches!(fresh.index().await, Err(IndexError::NoCopy)));
    }
}

fn each_file(folder: &Path, mut change: impl FnMut(&Path)) {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files.iter().for_each(|path| change(path));
}

#[tokio::test]
async fn no_byte_of_an_index_can_be_another() {
    let (stand, _) = two_versions().await;
    let mut paths = Vec::new();
    for folder in ["metadata", "targets"] {
        each_file(&stand.index().join(folder), |path| paths.push(path.to_owned()));
    }
    let (mut changed, mut ignored) = (0, 0);
    for (number, path) in paths.iter().enumerate() {
        let bytes = std::fs::read(path).unwrap();
        for at in [0, bytes.len() / 3, bytes.len() / 2, bytes.len().saturating_sub(1)] {
            let Some(old) = bytes.get(at) else { continue };
            let mut other = bytes.clone();
            other[at] = old ^ 1;
            std::fs::write(path, &other).unwrap();
            let fresh = stand.reader(&format!("fresh-{number}-{at}"));
            // Either somebody notices, or it is no part of what is read.
            match fresh.refresh().await {
                Err(_) => changed += 1,
                Ok(_) => match fresh.index().await {
                    Ok(index) => match index.entries().await {
                        Ok(entries) => {
                            ignored += 1;
                            assert_eq!(entries.len(), 2);
                        }
                        Err(_) => changed += 1,
                    },
                    Err(_) => changed += 1,
                },
            }
        }
        std::fs::write(path, bytes).unwrap();
    }
    assert!(changed > 20, "{changed} {ignored}");
}

#[tokio::test]
async fn nobody_else_signs() {
    let (stand, reader) = two_versions().await;
    // Another marketplace of the same name, whole and well signed.
    let other = Stand::new().await;
    other.publish("evil", "0.1.0").await;
    for _ in 0..9 {
        other.edit(async |_| ()).await;
    }
    std::fs::remove_dir_all(stand.index()).unwrap();
    copy(&other.index(), &stand.index());
    refused(&reader, "sign", &["one", "two"]).await;
    // With a second root that nobody before signed.
    stand.put_back("newer");
    std::fs::copy(other.index().join("metadata/1.root.json"), stand.index().join("metadata/2.root.json")).unwrap();
    stand.edit_fails(&other.key).await;
}

impl Stand {
    /// That a key that is none of its own can't sign the index.
    async fn edit_fails(&self, key: &PrivateKey) {
        std::fs::remove_file(self.index().join("metadata/2.root.json")).unwrap();
        let repository = Repository::open(&self.index()).await.unwrap();
        let edited = repository.edit().await.unwrap().finish().await.unwrap();
        let error = repository.commit(edited, key, now()).await.unwrap_err();
        assert!(matches!(error, RepositoryError::OtherKey { .. }), "{error}");
    }
}

#[tokio::test]
async fn keys_are_replaced_and_do_not_come_back() {
    let (stand, reader) = two_versions().await;
    let [new_root, new] = std::array::from_fn(|_| PrivateKey::generate().unwrap());
    let repository = Repository::open(&stand.index()).await.unwrap();
    let error = repository.rotate(&new_root, &new_root, &new, now()).await.unwrap_err();
    assert!(matches!(error, RepositoryError::OtherRootKey(_)), "{error}");
    let repository = Repository::open(&stand.index()).await.unwrap();
    drop(repository.rotate(&stand.root_key, &new_root, &new, now()).await.unwrap());
    assert_eq!(reader.refresh().await.unwrap(), Refreshed::Changed);
    assert_eq!(seen(&reader.index().await.unwrap()).await, ["one", "two"]);
    assert_eq!(reader.index().await.unwrap().header().key, new.public());
    stand.keep("rotated");

    // Who has the old keys makes a newer index with them.
    stand.put_back("newer");
    for _ in 0..5 {
        stand.edit(async |_| ()).await;
    }
    refused(&reader, "", &["one", "two"]).await;
    // Or, with the old root key, another second root.
    let evil = PrivateKey::generate().unwrap();
    let repository = Repository::open(&stand.index()).await.unwrap();
    let repository = repository.rotate(&stand.root_key, &evil, &evil, now()).await.unwrap();
    let edited = repository.edit().await.unwrap().finish().await.unwrap();
    drop(repository.commit(edited, &evil, now()).await.unwrap());
    refused(&reader, "", &["one", "two"]).await;

    stand.put_back("rotated");
    let old = Repository::open(&stand.index()).await.unwrap();
    let edited = old.edit().await.unwrap().finish().await.unwrap();
    assert!(old.commit(edited, &stand.key, now()).await.is_err());
    // From the first root on it takes both signatures of the second.
    let fresh = stand.reader("fresh");
    fresh.refresh().await.unwrap();
    assert_eq!(seen(&fresh.index().await.unwrap()).await, ["one", "two"]);
}

#[tokio::test]
async fn a_root_that_nobody_before_signed_is_never_begun_with() {
    let (stand, reader) = two_versions().await;
    let evil = Stand::new().await;
    evil.publish("evil", "0.1.0").await;
    // Signed by its own keys alone, as the second root; and longer than any.
    let root = std::fs::read_to_string(evil.index().join("metadata/1.root.json")).unwrap();
    for padding in [0, 300 << 10] {
        stand.put_back("newer");
        let next = format!("{}{root}", " ".repeat(padding)).replacen("\"version\":1", "\"version\":2", 1);
        std::fs::write(stand.index().join("metadata/2.root.json"), next).unwrap();
        let timestamp = stand.index().join("metadata/timestamp.json");
        // Another timestamp, so that all of it is looked at.
        let text = std::fs::read_to_string(&timestamp).unwrap();
        std::fs::write(&timestamp, format!("{text}{}", " ".repeat(padding % 7 + 1))).unwrap();
        drop(reader.refresh().await);
        assert!(!stand.path("copy/metadata/2.root.json").exists());
        assert!(!stand.path("copy/metadata/root.json").exists());
        assert_eq!(seen(&reader.index().await.unwrap()).await, ["one", "two"]);
    }
}

#[tokio::test]
async fn another_marketplaces_index_is_not_taken_for_ones_own() {
    let stand = Stand::new().await;
    let source = Source::folder(stand.index());
    let reader = Marketplace::new(name("other"), source, stand.root(), stand.path("copy"));
    assert!(matches!(reader.refresh().await, Err(IndexError::OtherName { .. })));
    assert!(matches!(reader.index().await, Err(IndexError::NoCopy)));
}

#[tokio::test]
async fn a_refresh_that_is_cut_leaves_what_was_there() {
    let (stand, _) = two_versions().await;
    let reader = stand.reader("cut");
    stand.put_back("older");
    reader.mirror().await.unwrap();
    stand.put_back("newer");
    // Each file that is missing cuts it at another place.
    let mut files = Vec::new();
    for folder in ["metadata", "targets"] {
        each_file(&stand.index().join(folder), |path| files.push(path.to_owned()));
    }
    let mut cuts = 0;
    for path in files.iter().filter(|path| !path.to_string_lossy().ends_with("root.json")) {
        let bytes = std::fs::read(path).unwrap();
        std::fs::remove_file(path).unwrap();
        let refreshed = stand.reader("cut").refresh().await;
        std::fs::write(path, bytes).unwrap();
        match refreshed {
            Err(_) => {
                cuts += 1;
                assert_eq!(seen(&reader.index().await.unwrap()).await, ["one"]);
            }
            // It is no part of the newer index, or comes when it is needed.
            Ok(_) => {
                stand.put_back("older");
                std::fs::remove_dir_all(stand.path("cut")).unwrap();
                reader.mirror().await.unwrap();
                stand.put_back("newer");
            }
        }
    }
    assert!(cuts >= 4, "{cuts}");
    reader.refresh().await.unwrap();
    assert_eq!(seen(&reader.index().await.unwrap()).await, ["one", "two"]);
}

#[tokio::test]
async fn a_copy_without_its_memory_does_not_forget_quietly() {
    let (stand, reader) = two_versions().await;
    let timestamp = stand.path("copy/metadata/timestamp.json");
    for other in ["", "{}", "{\"signed\":1}"] {
        std::fs::write(&timestamp, other).unwrap();
        stand.put_back("older");
        let error = reader.refresh().await.unwrap_err();
        assert!(matches!(error, IndexError::Damaged(_)), "{other}: {error}");
    }
}
