//! Packages before anything of them is verified.

use std::sync::LazyLock;

use vak_author::pack as pack_with;
use vak_trust::{
    BundleError, Manifest, ManifestError, Package, PrivateKey, TrustError, TrustPolicy, Unsigned, Validity,
};
use vak_types::{Digest, Timestamp};

/// Signed at 2026-03-01, judged a little later.
const NOW: Timestamp = Timestamp::from_nanos(1_772_400_000_000_000_000);

const MANIFEST: &str = "name = 'a'\nversion = '1.0.0'\nkind = 'policy'\ndescription = ''\nlicense = 'MIT'\n";

/// The longest manifest.
const MANIFEST_BYTES_MAX: usize = 256 * 1024;

/// A key that everybody knows, so that the corpus has signatures that hold: its
/// 32 bytes are 7.
///
/// # Panics
/// There is no place for a file.
pub fn trusted_key() -> PrivateKey {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    std::fs::write(&path, [7; 32]).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    PrivateKey::read(&path).unwrap()
}

static KEY: LazyLock<PrivateKey> = LazyLock::new(trusted_key);
static TRUST: LazyLock<TrustPolicy> = LazyLock::new(|| TrustPolicy::of_publishers([KEY.public()]));
static DEVELOPMENT: LazyLock<TrustPolicy> = LazyLock::new(|| TrustPolicy::development([]));

fn sound() -> Package {
    Package::unsigned(b"\0asm\x0d\0\x01\0".to_vec(), &Manifest::from_toml(MANIFEST).unwrap())
}

/// A manifest has one packed form, which says all of it.
///
/// # Panics
/// It is not so.
pub fn manifest(bytes: &[u8]) {
    if let Ok(manifest) = Manifest::from_packed(bytes) {
        assert_eq!(manifest.to_packed(), bytes);
        check(&manifest);
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(manifest) = Manifest::from_toml(text) {
        check(&manifest);
    }
}

fn check(manifest: &Manifest) {
    let packed = manifest.to_packed();
    assert!(packed.len() <= MANIFEST_BYTES_MAX);
    assert_eq!(&Manifest::from_packed(&packed).unwrap(), manifest);
    assert!(manifest.widens(manifest).is_empty());
    assert_eq!(manifest.interface, manifest.kind.interface());
    let name = manifest.name.as_str();
    assert!(!name.contains("..") && !name.starts_with(['.', '-']) && !name.contains(['/', '\\']), "{name}");
}

/// Whatever stands in a signature file, only what was signed is believed.
///
/// # Panics
/// It is not so.
pub fn signatures(bytes: &[u8]) {
    let package = Package { bundle: Some(bytes.to_vec()), ..sound() };
    let (component, manifest) = package.digests();
    let claims = package.claims();
    let verified = TRUST.verify(package.clone(), Unsigned::Allow, NOW);
    if let Ok(verified) = &verified {
        assert_eq!(verified.signers(), [KEY.public().id()]);
        assert_eq!(verified.get().digest, component);
        // A signature of somebody unknown may have anything in it.
        for claims in claims.iter() {
            assert!(claims.iter().any(|claim| (claim.component, claim.manifest) == (component, manifest)));
        }
    }
    let validity = Validity::since(NOW);
    match (claims, package.countersign(&KEY, validity)) {
        (Ok(before), Ok(signed)) => {
            let after = signed.claims().unwrap();
            assert!((1..=16).contains(&before.len()) && after.len() <= before.len() + 1);
            assert_eq!(after.last().unwrap().validity, validity);
            // Whatever the others say, this one counts.
            TRUST.verify(signed.clone(), Unsigned::Refuse, NOW).unwrap();
            assert_eq!(signed.clone().countersign(&KEY, validity).unwrap().bundle, signed.bundle);
        }
        (Ok(before), Err(error)) => {
            assert!(matches!(error, BundleError::Bundles(17) | BundleError::TooLong { .. }), "{error}");
            assert!(before.len() == 16 || bytes.len() > 60_000);
        }
        (Err(_), Ok(signed)) => assert!(TRUST.verify(signed, Unsigned::Refuse, NOW).is_ok()),
        (Err(error), Err(_)) => assert!(!error.to_string().is_empty()),
    }
}

/// Three files of any bytes: two lengths, then the component, the manifest and
/// the signatures.
///
/// # Panics
/// Something is believed that should not be.
pub fn package(bytes: &[u8]) {
    let Some((lengths, rest)) = bytes.split_first_chunk::<4>() else { return };
    let length = |at: usize| usize::from(u16::from_le_bytes([lengths[at], lengths[at + 1]]));
    let (component, rest) = rest.split_at(length(0).min(rest.len()));
    let (manifest, bundle) = rest.split_at(length(2).min(rest.len()));
    let bundle = (!bundle.is_empty()).then(|| bundle.to_vec());
    let package = Package { component: component.to_vec(), manifest: manifest.to_vec(), bundle };
    match TRUST.verify(package.clone(), Unsigned::Allow, NOW) {
        Ok(verified) => {
            assert_eq!((verified.signer(), verified.get().digest), (Some(KEY.public().id()), Digest::of(component)));
            assert_eq!((&verified.get().bytes[..], &verified.get().manifest.to_packed()[..]), (component, manifest));
        }
        Err(TrustError::NotInDevelopment) => assert!(package.bundle.is_none()),
        Err(error) => assert!(package.bundle.is_some() && !matches!(error, TrustError::Unsigned), "{error}"),
    }
    // Without a signature it takes nothing but a manifest, and with one that is
    // nobody's nothing helps.
    match DEVELOPMENT.verify(package.clone(), Unsigned::Allow, NOW) {
        Ok(verified) => assert!(package.bundle.is_none() && verified.signers().is_empty()),
        Err(TrustError::Manifest(_)) => assert!(package.bundle.is_none()),
        Err(_) => assert!(package.bundle.is_some()),
    }
    let signed = package.sign(&KEY, Validity::since(NOW));
    let valid = Manifest::from_packed(manifest).is_ok();
    assert_eq!(TRUST.verify(signed, Unsigned::Refuse, NOW).is_ok(), valid);
}

/// Packing gives a component, and gives it back as it is.
///
/// # Panics
/// It is not so.
pub fn pack(bytes: &[u8]) {
    let Ok(package) = pack_with(bytes, MANIFEST) else { return };
    assert!(package.component.starts_with(b"\0asm\x0d\0\x01\0") && package.bundle.is_none());
    assert_eq!(package.manifest, sound().manifest);
    assert_eq!(pack_with(bytes, MANIFEST).unwrap().component, package.component, "it is another each time");
    assert_eq!(pack_with(&package.component, MANIFEST).unwrap().component, package.component);
    let not_a_manifest = pack_with(bytes, "");
    assert!(matches!(not_a_manifest, Err(vak_author::PackError::Manifest(ManifestError::Toml(_)))));
}
