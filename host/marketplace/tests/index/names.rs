//! Whose names are whose.

use vak_marketplace::{PublishError, Publisher, Repository, RepositoryError};
use vak_registry::WithdrawalKind;
use vak_trust::{Package, PrivateKey, Validity};

use crate::stand::{Stand, name, now, package, why};

async fn offered(stand: &Stand, package: Package, asked: Option<&str>) -> Result<(), PublishError> {
    let asked = asked.map(name);
    let repository = Repository::open(&stand.index()).await.unwrap();
    repository.publish(package, asked.as_ref(), &stand.images(), &stand.key, now()).await.map(drop)
}

#[tokio::test]
async fn a_name_belongs_to_who_began_it() {
    let stand = Stand::new().await;
    let other = PrivateKey::generate().unwrap();
    stand.publish("adder", "0.1.0").await;
    let names = vec!["evil-*".parse().unwrap(), "adder".parse().unwrap(), "ad*".parse().unwrap()];
    let evil = Publisher { keys: vec![other.public()], names };
    stand.edit(async |edit| edit.set_publisher(name("evil"), evil).unwrap()).await;

    let refused = async |package: Package, asked: Option<&str>| offered(&stand, package, asked).await.unwrap_err();
    let taken = refused(package(&other, "adder", "0.2.0"), None).await;
    assert!(matches!(taken, PublishError::Taken { .. }), "{taken}");
    // With the owner's package beside one's own signature neither.
    let at = vak_types::Timestamp::from_nanos(u64::try_from(now().as_nanosecond()).unwrap());
    let both = package(&stand.publisher, "adder", "0.2.0").countersign(&other, Validity::since(at)).unwrap();
    let taken = refused(both.clone(), Some("evil")).await;
    assert!(matches!(taken, PublishError::Taken { .. }), "{taken}");
    for like in ["adder.", "ad-der", "adder_"] {
        let error = refused(package(&other, like, "0.1.0"), None).await;
        assert!(matches!(error, PublishError::ReadsLike { .. }), "{like}: {error}");
    }
    let error = refused(package(&other, "summer", "0.1.0"), None).await;
    assert!(matches!(error, PublishError::Name { .. }), "{error}");
    let error = refused(package(&PrivateKey::generate().unwrap(), "free", "0.1.0"), None).await;
    assert!(matches!(error, PublishError::Trust(_)), "{error}");
    let error = refused(package(&stand.publisher, "free", "0.1.0"), Some("evil")).await;
    assert!(matches!(error, PublishError::OtherPublisher { .. }), "{error}");
    let error = refused(package(&stand.publisher, "adder", "0.1.0"), None).await;
    assert!(matches!(error, PublishError::Published { .. }), "{error}");
    let mut changed = package(&stand.publisher, "changed", "0.1.0");
    changed.component.push(0);
    assert!(matches!(refused(changed, None).await, PublishError::Trust(_)));
    // The owner goes on, also with somebody's signature beside.
    offered(&stand, both, None).await.unwrap();
    offered(&stand, package(&other, "evil-one", "0.1.0"), Some("evil")).await.unwrap();
}

#[tokio::test]
async fn what_was_withdrawn_does_not_come_back() {
    let stand = Stand::new().await;
    stand.publish("adder", "0.1.0").await;
    let (adder, version) = (name("adder"), semver::Version::new(0, 1, 0));
    stand.edit(async |edit| edit.withdraw(&adder, &version, why(WithdrawalKind::Revoked)).await.unwrap()).await;
    let mut again = package(&stand.publisher, "other", "0.1.0");
    again.component = package(&stand.publisher, "adder", "0.1.0").component;
    let at = vak_types::Timestamp::from_nanos(u64::try_from(now().as_nanosecond()).unwrap());
    let again = again.sign(&stand.publisher, Validity::since(at));
    assert!(matches!(offered(&stand, again, None).await, Err(PublishError::Withdrawn { .. })));
}

#[tokio::test]
async fn a_key_is_one_publishers_until_it_is_revoked() {
    let stand = Stand::new().await;
    let repository = Repository::open(&stand.index()).await.unwrap();
    let mut edit = repository.edit().await.unwrap();
    let same = Publisher { keys: vec![stand.publisher.public()], names: Vec::new() };
    assert!(matches!(edit.set_publisher(name("evil"), same), Err(RepositoryError::KeyTaken { .. })));
    edit.revoke_key(stand.publisher.public().id(), "it was lost".parse().unwrap());
    let edited = edit.finish().await.unwrap();
    drop(repository.commit(edited, &stand.key, now()).await.unwrap());
    let error = offered(&stand, package(&stand.publisher, "adder", "0.1.0"), None).await.unwrap_err();
    assert!(matches!(error, PublishError::Trust(_)), "{error}");
    let reader = stand.reader("copy");
    reader.refresh().await.unwrap();
    let withdrawn = reader.index().await.unwrap().withdrawn().await.unwrap();
    assert_eq!(withdrawn.to_withdrawals().keys.len(), 1);
}
