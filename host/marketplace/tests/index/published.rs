//! What is published is found, fetched and verified.

use vak_marketplace::{Advisory, FetchError, Line, Refreshed, Repository, Severity, Source};
use vak_registry::WithdrawalKind;
use vak_trust::{TrustPolicy, Unsigned};

use crate::stand::{Stand, copy, name, now, seen, why};

#[tokio::test]
async fn what_was_published_is_the_same_on_the_other_side() {
    let stand = Stand::new().await;
    stand.publish("adder", "0.1.0").await;
    stand.publish("adder", "0.2.0").await;
    stand.publish("adder", "1.0.0-rc.1").await;
    let reader = stand.reader("copy");
    assert_eq!(reader.refresh().await.unwrap(), Refreshed::Changed);
    assert_eq!(reader.refresh().await.unwrap(), Refreshed::Unchanged);
    let found = reader.catalogue().unwrap().search("ADDER acme", 0, 10);
    assert_eq!(
        serde_json::to_value::<&Line>(&found.lines[0]).unwrap(),
        serde_json::json!({"name": "adder", "version": "0.2.0", "kind": "skill", "publisher": "acme", "description": "Does adder."})
    );
    let index = reader.index().await.unwrap();
    let entry = index.entry(&name("adder")).await.unwrap().unwrap();
    let versions = |range: &str| entry.choose(&range.parse().unwrap()).map(|release| release.version.to_string());
    assert_eq!(versions("^0.1").unwrap(), "0.1.0");
    assert_eq!(versions("*").unwrap(), "0.2.0");
    assert_eq!(versions(">=1.0.0-rc").unwrap(), "1.0.0-rc.1");
    assert!(matches!(versions("^2"), Err(FetchError::NoVersion { newest: Some(_), .. })));

    let release = entry.choose(&"^0.1".parse().unwrap()).unwrap();
    let package = release.fetch(&name("adder"), &stand.images(), stand.path("").as_path()).await.unwrap();
    let at = vak_types::Timestamp::from_nanos(u64::try_from(now().as_nanosecond()).unwrap());
    // Both signatures are in it: each is enough for who believes its maker.
    for key in [&stand.publisher, &stand.key] {
        let trust = TrustPolicy::of_publishers([key.public()]);
        let verified = trust.verify(package.clone(), Unsigned::Refuse, at).unwrap();
        assert_eq!(verified.signers(), [key.public().id()]);
        assert!(release.signers.contains(&key.public().id()));
    }
}

#[tokio::test]
async fn withdrawals_are_told_and_revocations_stand() {
    let stand = Stand::new().await;
    for version in ["0.1.0", "0.1.1", "0.1.2"] {
        stand.publish("adder", version).await;
    }
    let (adder, reader) = (name("adder"), stand.reader("copy"));
    let version = |patch| semver::Version::new(0, 1, patch);
    stand
        .edit(async |edit| {
            edit.withdraw(&adder, &version(2), why(WithdrawalKind::Yanked)).await.unwrap();
            edit.withdraw(&adder, &version(1), why(WithdrawalKind::Revoked)).await.unwrap();
            let advisory = Advisory {
                id: "M-1".parse().unwrap(),
                severity: Severity::High,
                affected: "<0.1.2".parse().unwrap(),
                title: "Sums are wrong".to_owned(),
                text: "All of them.".to_owned(),
                published: now(),
            };
            edit.advise(&adder, advisory).await.unwrap();
        })
        .await;
    reader.refresh().await.unwrap();
    let index = reader.index().await.unwrap();
    let entry = index.entry(&adder).await.unwrap().unwrap();
    assert_eq!(entry.current().unwrap().version, version(0));
    assert!(matches!(entry.choose(&"=0.1.1".parse().unwrap()), Err(FetchError::Withdrawn { .. })));
    assert_eq!(entry.advisories_of(&version(1)).count(), 1);
    assert_eq!(entry.advisories_of(&version(2)).count(), 0);
    // A pre-release of the version that is safe is not.
    assert_eq!(entry.advisories_of(&"0.1.2-rc.1".parse().unwrap()).count(), 1);
    let withdrawals = index.withdrawn().await.unwrap().to_withdrawals();
    let mut told: Vec<_> = withdrawals.components.iter().map(|it| (it.version.patch, it.kind)).collect();
    told.sort();
    assert_eq!(told, [(1, WithdrawalKind::Revoked), (2, WithdrawalKind::Yanked)]);

    let repository = Repository::open(&stand.index()).await.unwrap();
    let mut edit = repository.edit().await.unwrap();
    assert!(edit.restore(&adder, &version(1)).await.is_err());
    assert!(edit.withdraw(&adder, &version(1), why(WithdrawalKind::Yanked)).await.is_err());
    edit.restore(&adder, &version(2)).await.unwrap();
    let edited = edit.finish().await.unwrap();
    drop(repository.commit(edited, &stand.key, now()).await.unwrap());
    reader.refresh().await.unwrap();
    let entry = reader.index().await.unwrap().entry(&adder).await.unwrap().unwrap();
    assert_eq!(entry.current().unwrap().version, version(2));
}

#[tokio::test]
async fn an_index_is_split_as_it_grows_and_readers_follow() {
    let stand = Stand::new().await;
    stand.publish("template", "1.0.0").await;
    let reader = stand.reader("copy");
    reader.refresh().await.unwrap();
    let template = reader.index().await.unwrap().entry(&name("template")).await.unwrap().unwrap();
    // Entries need manifests of their own name; these are put in as who keeps
    // the index could, without images.
    let named = |number: usize| {
        let mut entry = template.clone();
        entry.name = name(&format!("skill-{number}"));
        let manifest = entry.releases[0].manifest.replace("template", &format!("skill-{number}"));
        entry.releases[0].manifest = manifest;
        entry
    };
    for batch in [0..400, 400..1_500] {
        stand
            .edit(async |edit| {
                for number in batch {
                    edit.put(named(number)).await.unwrap();
                }
            })
            .await;
    }
    assert_eq!(reader.refresh().await.unwrap(), Refreshed::Changed);
    let index = reader.index().await.unwrap();
    assert_eq!(reader.catalogue().unwrap().len(), 1_501);
    assert_eq!(index.entries().await.unwrap().len(), 1_501);
    assert_eq!(index.entry(&name("skill-77")).await.unwrap().unwrap(), named(77));
    let shards = std::fs::read_dir(stand.index().join("targets")).unwrap();
    let shards = shards.filter(|file| file.as_ref().unwrap().file_name().to_string_lossy().contains("packages-"));
    assert!(shards.count() > 8);
}

#[tokio::test]
async fn a_mirror_is_a_marketplace() {
    let stand = Stand::new().await;
    stand.publish("adder", "0.1.0").await;
    let mirror = stand.reader("mirror/index");
    mirror.mirror().await.unwrap();
    // What was there is gone; the mirror is all there is.
    std::fs::rename(stand.index(), stand.path("gone")).unwrap();
    copy(&stand.path("mirror/index"), &stand.path("elsewhere"));
    let source = Source::folder(stand.path("elsewhere"));
    let root = std::fs::read(stand.path("gone/metadata/1.root.json")).unwrap();
    let reader = vak_marketplace::Marketplace::new(name("market"), source, root, stand.path("copy"));
    reader.refresh().await.unwrap();
    assert_eq!(seen(&reader.index().await.unwrap()).await, ["adder"]);
}
