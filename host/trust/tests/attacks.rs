//! Ways to get a component trusted that should not be.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use jiff::{SignedDuration, Timestamp};
use vak_trust::{Manifest, Package, PrivateKey, TrustPolicy, TrustSettings, TrustedKey, Unsigned, Validity};

const MANIFEST: &str = "name = 'a'\nversion = '1.0.0'\nkind = 'policy'\ndescription = ''\nlicense = 'MIT'\n";

/// When everything here happens.
fn now() -> Timestamp {
    Timestamp::from_second(1_790_000_000).unwrap()
}

/// The same as the host has it.
fn here() -> vak_types::Timestamp {
    vak_types::Timestamp::from_nanos(u64::try_from(now().as_nanosecond()).unwrap())
}

fn hours(hours: i64) -> Timestamp {
    now() + SignedDuration::from_hours(hours)
}

fn always() -> Validity {
    Validity::new(hours(-1), None).unwrap()
}

fn package(component: &[u8], manifest: &str) -> Package {
    Package::unsigned(component.to_vec(), &Manifest::from_toml(manifest).unwrap())
}

fn key() -> PrivateKey {
    PrivateKey::generate().unwrap()
}

/// A policy from the text of a `[trust]` section, in which each `{NAME}` stands
/// for the public key of that name.
fn policy(text: &str, keys: &[(&str, &PrivateKey)]) -> TrustPolicy {
    let text = keys.iter().fold(text.to_owned(), |text, (name, key)| {
        text.replace(&format!("{{{name}}}"), &key.public().to_string())
            .replace(&format!("{{{name}.id}}"), &key.public().id().to_string())
    });
    TrustPolicy::new(toml::from_str::<TrustSettings>(&text).unwrap()).unwrap()
}

#[track_caller]
fn refused(trust: &TrustPolicy, package: &Package, part: &str) {
    for unsigned in [Unsigned::Refuse, Unsigned::Allow] {
        // Allowing unsigned components never excuses a bad signature.
        if package.bundle.is_none() && unsigned == Unsigned::Allow {
            continue;
        }
        let error = trust.verify(package.clone(), unsigned, here()).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[track_caller]
fn taken(trust: &TrustPolicy, package: &Package) -> usize {
    trust.verify(package.clone(), Unsigned::Refuse, here()).unwrap().signers().len()
}

/// A bundle with its payload changed, signed anew by `key`: what a publisher's
/// own broken or hostile tool could make.
fn resigned(bundle: &[u8], key: &PrivateKey, change: impl Fn(String) -> String) -> Vec<u8> {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use ed25519_dalek::Signer as _;

    let mut bundle: serde_json::Value = serde_json::from_slice(bundle).unwrap();
    let envelope = &mut bundle["dsseEnvelope"];
    let payload = STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap();
    let payload = change(String::from_utf8(payload).unwrap());
    let kind = "application/vnd.in-toto+json";
    let signed = format!("DSSEv1 {} {kind} {} {payload}", kind.len(), payload.len());
    let signature = ed25519_dalek::SigningKey::from_bytes(&key.seed()).sign(signed.as_bytes());
    envelope["payload"] = STANDARD.encode(payload).into();
    envelope["signatures"][0]["sig"] = STANDARD.encode(signature.to_bytes()).into();
    serde_json::to_vec(&bundle).unwrap()
}

#[test]
fn each_attack_has_its_error() {
    let (key, other) = (key(), key());
    let trust = TrustPolicy::of_publishers([key.public()]);
    let good = package(b"one", MANIFEST).sign(&key, always());
    assert_eq!(taken(&trust, &good), 1);

    let stripped = Package { bundle: None, ..good.clone() };
    refused(&trust, &stripped, "has no signature");
    let error = trust.verify(stripped, Unsigned::Allow, here()).unwrap_err().to_string();
    assert!(error.contains("`allow_unsigned` is for development"), "{error}");

    let unknown_key = package(b"one", MANIFEST).sign(&other, always());
    refused(&trust, &unknown_key, "no trusted key made the signature that names `sha256:");

    let other_bytes = Package { component: b"two".to_vec(), ..good.clone() };
    refused(&trust, &other_bytes, "over another component");

    let widened = package(b"one", &format!("{MANIFEST}[grants]\nlog = true"));
    let widened = Package { bundle: good.bundle.clone(), ..widened };
    refused(&trust, &widened, "over another manifest");

    let swapped = Package { component: good.manifest.clone(), manifest: good.component.clone(), ..good.clone() };
    refused(&trust, &swapped, "over another component");

    let bundle = good.bundle.clone().unwrap();
    let text = String::from_utf8(bundle.clone()).unwrap();
    let half = text.len() / 2;
    let edits = [
        (text.replace("bundle.v0.3", "bundle.v0.2"), "media type"),
        (text.replace("in-toto", "in-tota"), "payload type"),
        (text.replace("\"payload\":\"", "\"payload\":\"*"), "not base64"),
        (text[..half].to_owned(), "not a bundle"),
        (String::new(), "has 0 bundles"),
        (text.repeat(17), "has 17 bundles"),
        (text.replacen('{', "{\"extra\": 1,", 1), "unknown field"),
        (text.replace("\"sig\":\"", "\"sig\":\"AAAA"), "no trusted key"),
        (" ".repeat(70_000), "the most is"),
    ];
    for (bundle, part) in edits {
        refused(&trust, &Package { bundle: Some(bundle.into_bytes()), ..good.clone() }, part);
    }

    let swap = |text: String| {
        text.replace("component.wasm", "x").replace("manifest.json", "component.wasm").replace('x', "manifest.json")
    };
    let payloads: [(&dyn Fn(String) -> String, &str); 6] = [
        (&swap, "not about one `component.wasm` and one `manifest.json`"),
        (&|text| text.replace("urn:vak:component:v1", "urn:vak:component:v2"), "predicate type"),
        (&|text| text.replace("Statement/v1", "Statement/v0.1"), "statement type"),
        (&|text| text.replace("signedAt", "signedAs"), "unknown field `signedAs`"),
        (
            &|text| text.replace("\"signedAt\"", "\"expiresAt\":\"1970-01-01T00:00:00Z\",\"signedAt\""),
            "expires before it was made",
        ),
        (&|text| text.replace("sha256", "sha512"), "unknown field `sha512`"),
    ];
    for (change, part) in payloads {
        refused(&trust, &Package { bundle: Some(resigned(&bundle, &key, change)), ..good.clone() }, part);
    }
}

#[test]
fn claiming_a_trusted_key_id_is_not_enough() {
    let (key, other) = (key(), key());
    let forged = package(b"one", MANIFEST).sign(&other, always());
    let text = String::from_utf8(forged.bundle.clone().unwrap()).unwrap();
    let text = text.replace(&other.public().id().to_string(), &key.public().id().to_string());
    let forged = Package { bundle: Some(text.into_bytes()), ..forged };
    refused(&TrustPolicy::of_publishers([key.public()]), &forged, "no trusted key made the signature");
}

#[test]
fn a_signature_counts_only_in_its_time() {
    let key = key();
    let trust = TrustPolicy::of_publishers([key.public()]);
    let cases = [
        (hours(-2), Some(hours(-1)), Some("expired at")),
        (hours(-2), Some(hours(0)), Some("expired at")),
        (hours(1), None, Some("still to come")),
        (hours(-2), Some(hours(1)), None),
    ];
    for (signed_at, expires_at, part) in cases {
        let package = package(b"one", MANIFEST).sign(&key, Validity::new(signed_at, expires_at).unwrap());
        match part {
            Some(part) => refused(&trust, &package, part),
            None => assert_eq!(taken(&trust, &package), 1),
        }
    }
}

#[test]
fn revoked_keys_and_digests_count_for_nothing() {
    let key = key();
    let good = package(b"one", MANIFEST).sign(&key, always());
    let (component, manifest) = good.digests();
    let keys = "keys = [{ name = 'acme', public = '{acme}' }]";
    let named = [("acme", &key)];
    refused(&policy(&format!("{keys}\nrevoked_keys = ['{{acme.id}}']"), &named), &good, "the key of `acme` is revoked");
    for digest in [component, manifest] {
        let trust = format!("{keys}\nrevoked_digests = ['{digest}']\ndevelopment = true");
        let trust = policy(&trust, &named);
        refused(&trust, &good, "is revoked; choose another version");
        // Not without its signature either.
        let stripped = Package { bundle: None, ..good.clone() };
        let error = trust.verify(stripped, Unsigned::Allow, here()).unwrap_err().to_string();
        assert!(error.contains("is revoked"), "{error}");
    }
}

#[test]
fn it_takes_the_signatures_that_the_rules_name() {
    let (maker, shop, ann, bob, eve) = (key(), key(), key(), key(), key());
    let text = "
        keys = [
            { name = 'maker', public = '{maker}', names = ['a', 'b'] },
            { name = 'shop', public = '{shop}', roles = ['marketplace'] },
            { name = 'ann', public = '{ann}', roles = ['reviewer'] },
            { name = 'bob', public = '{bob}', roles = ['reviewer'] },
        ]
        [[rules]]
        names = ['a*']
        require = { all_of = [{ role = 'publisher' }, { role = 'marketplace' }] }
        [[rules]]
        kinds = ['policy']
        require = { at_least = { count = 2, of = [{ role = 'reviewer' }] } }
    ";
    let trust = policy(text, &[("maker", &maker), ("shop", &shop), ("ann", &ann), ("bob", &bob)]);
    let signed = |manifest: &str, keys: &[&PrivateKey]| {
        keys.iter().fold(package(b"one", manifest), |package, key| package.countersign(key, always()).unwrap())
    };
    let skill = MANIFEST.replace("policy", "skill");

    // Both rules name the policy `a`, the first alone the skill `a`.
    assert_eq!(taken(&trust, &signed(MANIFEST, &[&maker, &shop, &ann, &bob])), 4);
    assert_eq!(taken(&trust, &signed(&skill, &[&shop, &maker])), 2);
    for keys in [&[&maker, &shop, &ann][..], &[&maker, &ann, &bob], &[&shop, &ann, &bob], &[&maker, &shop, &ann, &ann]]
    {
        refused(&trust, &signed(MANIFEST, keys), "it needs a signature by (");
    }
    // A signature more does no harm, and gives nothing.
    refused(&trust, &signed(&skill, &[&eve, &maker]), "no trusted key made the signature");
    assert_eq!(taken(&trust, &signed(&skill, &[&eve, &maker, &shop])), 2);

    // No rule names the skill `b`: a publisher's is enough, and needed.
    let other = skill.replace("'a'", "'b'");
    assert_eq!(taken(&trust, &signed(&other, &[&maker])), 1);
    refused(&trust, &signed(&other, &[&shop]), "it needs a signature by a publisher");
    // Its key is good for some names only.
    let third = skill.replace("'a'", "'c'");
    refused(&trust, &signed(&third, &[&maker]), "`maker` may not sign components of this name");

    // The publisher's key comes first, whoever signed first.
    let verified = trust.verify(signed(&skill, &[&shop, &maker]), Unsigned::Refuse, here()).unwrap();
    assert_eq!(verified.signer(), Some(maker.public().id()));
}

#[test]
fn only_some_publishers_policies_may_permit() {
    let (acme, shop) = (key(), key());
    let text = "keys = [{ name = 'acme', public = '{acme}'MORE },
                        { name = 'shop', public = '{shop}', roles = ['marketplace'], may_permit = true }]";
    let package = package(b"one", MANIFEST).sign(&acme, always()).countersign(&shop, always()).unwrap();
    for (more, may) in [("", false), (", may_permit = false", false), (", may_permit = true", true)] {
        let trust = policy(&text.replace("MORE", more), &[("acme", &acme), ("shop", &shop)]);
        assert_eq!(trust.verify(package.clone(), Unsigned::Refuse, here()).unwrap().may_permit(), may, "{more}");
    }
}

#[test]
fn settings_that_contradict_themselves_are_refused() {
    let key = key().public();
    let trusted = |name: &str| format!("{{ name = '{name}', public = '{key}' }}");
    let cases = [
        (format!("keys = [{}, {}]", trusted("a"), trusted("b")), "`b` stands twice"),
        ("rules = [{ require = { key = 'nobody' } }]".to_owned(), "no trusted key is named `nobody`"),
        ("rules = [{ require = { all_of = [] } }]".to_owned(), "`all_of` names nobody"),
    ];
    for (text, part) in cases {
        let error = TrustPolicy::new(toml::from_str(&text).unwrap()).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    for unknown in ["allow_all = true", "rules = [{ require = { nobody = 'x' } }]", "keys = [{ name = 'a' }]"] {
        assert!(toml::from_str::<TrustSettings>(unknown).is_err(), "{unknown}");
    }
    let roles: Result<TrustedKey, _> = toml::from_str(&format!("name = 'a'\npublic = '{key}'\nroles = ['root']"));
    assert!(roles.is_err());
}

#[test]
fn signing_is_deterministic_and_files_round_trip() {
    let key = key();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.wasm");
    let signed = package(b"one", MANIFEST).sign(&key, always());
    assert_eq!(signed.bundle, package(b"one", MANIFEST).sign(&key, always()).bundle);
    signed.write(&path).unwrap();
    let trust = TrustPolicy::of_publishers([key.public()]);
    assert_eq!(taken(&trust, &Package::read(&path).unwrap()), 1);

    // Packing anew must not leave the old signature beside new bytes.
    package(b"two", MANIFEST).write(&path).unwrap();
    assert!(Package::read(&path).unwrap().bundle.is_none());
}
