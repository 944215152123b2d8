//! Every bit of a small package flipped, every byte left out, every length it
//! can be cut to: refused, or nothing is changed by it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use vak_trust::{Manifest, Package, PrivateKey, TrustError, TrustPolicy, Unsigned, Validity};
use vak_types::Timestamp;

const NOW: Timestamp = Timestamp::from_nanos(1_790_000_000_000_000_000);

struct Sound {
    trust: TrustPolicy,
    package: Package,
    signer: PrivateKey,
}

fn sound() -> Sound {
    let text =
        "name = 'a'\nversion = '1.0.0'\nkind = 'policy'\ndescription = ''\nlicense = 'MIT'\n[grants]\nlog = true";
    let signer = PrivateKey::generate().unwrap();
    let package = Package::unsigned(b"\0asm\x0d\0\x01\0".to_vec(), &Manifest::from_toml(text).unwrap());
    let package = package.sign(&signer, Validity::since(NOW));
    Sound { trust: TrustPolicy::of_publishers([signer.public()]), package, signer }
}

/// Every damage to `bytes`, with where it is.
fn damaged(bytes: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> {
    (0..bytes.len()).flat_map(move |at| {
        let flipped = (0..8).map(move |bit| {
            let mut bytes = bytes.to_vec();
            bytes[at] ^= 1 << bit;
            (at, bytes)
        });
        let without = [&bytes[..at], &bytes[at + 1..]].concat();
        flipped.chain([(at, without), (at, bytes[..at].to_vec())])
    })
}

#[test]
fn no_damage_to_component_or_manifest_is_taken() {
    let Sound { trust, package, .. } = sound();
    assert!(trust.verify(package.clone(), Unsigned::Refuse, NOW).is_ok());
    for (at, component) in damaged(&package.component) {
        let result = trust.verify(Package { component, ..package.clone() }, Unsigned::Refuse, NOW);
        assert!(matches!(result, Err(TrustError::OtherComponent { .. })), "{at}: {result:?}");
    }
    for (at, manifest) in damaged(&package.manifest) {
        let result = trust.verify(Package { manifest, ..package.clone() }, Unsigned::Refuse, NOW);
        assert!(matches!(result, Err(TrustError::OtherManifest { .. })), "{at}: {result:?}");
    }
}

#[test]
fn damage_to_signatures_is_refused_or_changes_nothing() {
    let Sound { trust, package, signer } = sound();
    let sound = package.bundle.clone().unwrap();
    let text = String::from_utf8(sound.clone()).unwrap();
    let id = signer.public().id().to_string();
    // What is not signed: two hints at the key, and the end of the line.
    let hints: Vec<_> = text.match_indices(&id).map(|(start, _)| start..start + id.len()).collect();
    assert_eq!(hints.len(), 2);
    let names = ["\"hint\"", ",\"keyid\"", ",\"tlogEntries\""];
    assert!(names.iter().all(|name| text.contains(name)));
    let (mut refused, mut harmless) = (0, 0);
    for (at, bundle) in damaged(&sound) {
        match trust.verify(Package { bundle: Some(bundle), ..package.clone() }, Unsigned::Allow, NOW) {
            Err(TrustError::Bundle(_) | TrustError::Unmet { .. }) => refused += 1,
            Err(error) => panic!("{at}: {error}"),
            Ok(verified) => {
                assert!(hints.iter().any(|hint| hint.contains(&at)) || at + 1 == sound.len(), "{at} of {text}");
                assert_eq!(verified.signers(), [signer.public().id()]);
                assert_eq!(verified.get().bytes, package.component);
                assert_eq!(verified.get().manifest.to_packed(), package.manifest);
                harmless += 1;
            }
        }
    }
    assert!(refused > 8_000 && harmless > 500, "{refused} refused, {harmless} harmless");
}
