//! Ways to get a component trusted that should not be.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use vak_trust::{Manifest, Package, PrivateKey, TrustPolicy, Unsigned};

const MANIFEST: &str = "name = 'a'\nversion = '1.0.0'\nkind = 'policy'\ndescription = ''\nlicense = 'MIT'\n";

fn package(component: &[u8], manifest: &str) -> Package {
    Package::unsigned(component.to_vec(), &Manifest::from_toml(manifest).unwrap())
}

#[track_caller]
fn refused(trust: &TrustPolicy, package: &Package, part: &str) {
    for unsigned in [Unsigned::Refuse, Unsigned::Allow] {
        // Allowing unsigned components never excuses a bad signature.
        if package.bundle.is_none() && unsigned == Unsigned::Allow {
            continue;
        }
        let error = trust.verify(package.clone(), unsigned).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn each_attack_has_its_error() {
    let key = PrivateKey::generate().unwrap();
    let other = PrivateKey::generate().unwrap();
    let trust = TrustPolicy::new([key.public()]);
    let good = package(b"one", MANIFEST).sign(&key);
    assert!(trust.verify(good.clone(), Unsigned::Refuse).is_ok());

    let stripped = Package { bundle: None, ..good.clone() };
    refused(&trust, &stripped, "has no signature");

    let unknown_key = package(b"one", MANIFEST).sign(&other);
    refused(&trust, &unknown_key, "no trusted key made this signature");

    let other_bytes = Package { component: b"two".to_vec(), ..good.clone() };
    refused(&trust, &other_bytes, "over another component");

    let widened = package(b"one", &format!("{MANIFEST}grants = ['log']"));
    let widened = Package { bundle: good.bundle.clone(), ..widened };
    refused(&trust, &widened, "over another manifest");

    let swapped = Package { component: good.manifest.clone(), manifest: good.component.clone(), ..good.clone() };
    refused(&trust, &swapped, "over another component");

    let text = String::from_utf8(good.bundle.clone().unwrap()).unwrap();
    let edits = [
        (text.replace("bundle.v0.3", "bundle.v0.2"), "media type"),
        (text.replace("in-toto", "in-tota"), "payload type"),
        (text.replace("\"payload\": \"", "\"payload\": \"*"), "not base64"),
        (text[..text.len() / 2].to_owned(), "not a bundle"),
        (text.replacen('{', "{\"extra\": 1,", 1), "unknown field"),
        (text.replace("\"sig\": \"", "\"sig\": \"AAAA"), "no trusted key"),
        (" ".repeat(70_000), "the most is"),
    ];
    for (bundle, part) in edits {
        refused(&trust, &Package { bundle: Some(bundle.into_bytes()), ..good.clone() }, part);
    }
}

#[test]
fn claiming_a_trusted_key_id_is_not_enough() {
    let key = PrivateKey::generate().unwrap();
    let other = PrivateKey::generate().unwrap();
    let forged = package(b"one", MANIFEST).sign(&other);
    let text = String::from_utf8(forged.bundle.clone().unwrap()).unwrap();
    let text = text.replace(&other.public().id().to_string(), &key.public().id().to_string());
    let forged = Package { bundle: Some(text.into_bytes()), ..forged };
    refused(&TrustPolicy::new([key.public()]), &forged, "no trusted key made this signature");
}

#[test]
fn signing_is_deterministic_and_files_round_trip() {
    let key = PrivateKey::generate().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.wasm");
    let signed = package(b"one", MANIFEST).sign(&key);
    assert_eq!(signed.bundle, package(b"one", MANIFEST).sign(&key).bundle);
    signed.write(&path).unwrap();
    let trust = TrustPolicy::new([key.public()]);
    assert!(trust.verify(Package::read(&path).unwrap(), Unsigned::Refuse).is_ok());

    // Packing anew must not leave the old signature beside new bytes.
    package(b"two", MANIFEST).write(&path).unwrap();
    assert!(Package::read(&path).unwrap().bundle.is_none());
}
