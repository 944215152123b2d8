//! Signatures of packages, judged by the host's code and by Python that was
//! written from `host/trust/FORMAT.md`: both say the same of sound ones and of
//! altered ones.

mod altered;

use std::os::unix::fs::PermissionsExt as _;

use vak_trust::{Manifest, Package, PrivateKey, TrustPolicy, Unsigned, Validity};
use vak_types::Timestamp;

use crate::verifiers::{filter, hex};

const SEED: [u8; 32] = [7; 32];

/// 2026-03-01T00:00:00Z, when everything here is signed and judged.
const NOW_S: u64 = 1_772_323_200;

fn key(seed: [u8; 32]) -> PrivateKey {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    std::fs::write(&path, seed).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    PrivateKey::read(&path).unwrap()
}

fn validity(expires_at: Option<&str>) -> Validity {
    let signed_at = jiff::Timestamp::from_second(NOW_S.cast_signed()).unwrap();
    Validity::new(signed_at, expires_at.map(|time| time.parse().unwrap())).unwrap()
}

fn package() -> Package {
    let text = "name = 'a'\nversion = '1.0.0'\nkind = 'policy'\ndescription = 'ä'\nlicense = 'MIT'";
    Package::unsigned(b"\0asm\x0d\0\x01\0".to_vec(), &Manifest::from_toml(text).unwrap())
}

fn with(bundle: impl Into<Vec<u8>>) -> Package {
    Package { bundle: Some(bundle.into()), ..package() }
}

/// What both say of each package; they agree.
fn judge(packages: &[Package]) -> Vec<bool> {
    let trust = TrustPolicy::of_publishers([key(SEED).public()]);
    let now = Timestamp::from_nanos(NOW_S * 1_000_000_000);
    let lines: Vec<_> = packages
        .iter()
        .map(|Package { component, manifest, bundle }| {
            format!("{},{},{}", hex(component), hex(manifest), hex(bundle.as_deref().unwrap()))
        })
        .collect();
    let public = hex(&ed25519_dalek::SigningKey::from_bytes(&SEED).verifying_key().to_bytes());
    let said = filter("judge_packages.py", &[&public, &NOW_S.to_string()], &lines);
    assert_eq!(said.len(), packages.len());
    let agreed = packages.iter().zip(said).map(|(package, said)| {
        let verified = trust.verify(package.clone(), Unsigned::Refuse, now);
        let bundle = String::from_utf8_lossy(package.bundle.as_deref().unwrap());
        assert_eq!(said == "verified", verified.is_ok(), "Python: {said}\nRust: {:?}\n{bundle}", verified.err());
        assert!(said == "verified" || said.starts_with("refused: "), "{said}");
        verified.is_ok()
    });
    agreed.collect()
}

#[test]
fn both_write_the_same_bytes_and_take_each_others() {
    for expires_at in [None, Some("2026-03-02T00:00:00Z"), Some("9998-12-31T23:59:59Z")] {
        let signed = package().sign(&key(SEED), validity(expires_at));
        let line = format!("{},{}", hex(&signed.component), hex(&signed.manifest));
        let mut arguments = vec![hex(&SEED), "2026-03-01T00:00:00Z".to_owned()];
        arguments.extend(expires_at.map(str::to_owned));
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let made = filter("sign_packages.py", &arguments, &[line]);
        assert_eq!(made, [hex(signed.bundle.as_deref().unwrap())], "{expires_at:?}");
        assert_eq!(judge(&[signed]), [true]);
    }
}

#[test]
fn several_signatures_count_as_both_read_them() {
    let sign = |seed: u8, expires_at| package().sign(&key([seed; 32]), validity(expires_at)).bundle.unwrap();
    let (own, other) = (sign(7, None), sign(8, None));
    let before = Validity::new(jiff::Timestamp::from_second(1).unwrap(), jiff::Timestamp::from_second(2).ok()).unwrap();
    let expired = package().sign(&key(SEED), before).bundle.unwrap();
    let elsewhere = Package { component: b"x".to_vec(), ..package() }.sign(&key(SEED), validity(None)).bundle.unwrap();
    let cases: [(&[&[u8]], bool); 12] = [
        (&[&own], true),
        (&[&other], false),
        (&[&other, &own], true),
        (&[&own, &other], true),
        (&[&own, &own], true),
        (&[&expired], false),
        (&[&expired, &own], true),
        (&[&own, &elsewhere], false),
        (&[&own, b"{}"], false),
        (&[&own, b"\r\n \t\n"], true),
        (&[own.trim_ascii_end(), own.trim_ascii_end()], true),
        (&[], false),
    ];
    let (bundles, expected): (Vec<_>, Vec<_>) = cases.iter().map(|(bundles, holds)| (bundles.concat(), *holds)).unzip();
    assert_eq!(judge(&bundles.into_iter().map(with).collect::<Vec<_>>()), expected);
    let many = |count: usize| with(own.repeat(count));
    assert_eq!(judge(&[many(16), many(17)]), [true, false]);
}

/// What the Sigstore project's Python client reads bundles with is strict about
/// fields that it does not know, and about those that it misses.
#[test]
fn bundles_are_read_by_what_sigstore_reads_them_with() {
    let signed = package().sign(&key(SEED), validity(None));
    let line = String::from_utf8(signed.bundle.unwrap()).unwrap().trim_end().to_owned();
    let wrong =
        [line.replace("\"hint\"", "\"hints\""), line.replace("v0.3", "v0.9"), line.replace("\"sig\"", "\"signature\"")];
    let said = filter("read_bundles.py", &[], &[&[line][..], &wrong].concat());
    let read = format!("{} application/vnd.in-toto+json", key(SEED).public().id());
    assert_eq!(said, [read.as_str(), "refused", "refused", "refused"]);
}
