//! What is pushed is there, for us and for others.

use std::fs;

use oci_client::client::{ClientConfig, ClientProtocol, Config, ImageLayer};
use oci_client::manifest::{OciImageManifest, OciManifest};
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference};
use vak_oci::{Credentials, Image, Images, Location, OciError, Settings, Tagged};
use vak_types::Digest;

use super::{ada, component, open, part, parts, rules, settings, version};
use vak_test_support::Docker;

/// Where images of ours are in a registry.
fn at(docker: &Docker) -> Location {
    docker.location().parse().unwrap()
}

async fn pushed(images: &Images, ballast: usize) -> Image {
    images.push(&rules(), &version("1.0.0"), &parts(ballast), Tagged::Keep).await.unwrap()
}

async fn is_whole(images: &Images, image: &Image, ballast: usize) {
    let (name, parts, (_folder, part)) = (rules(), parts(ballast), part());
    assert_eq!(images.fetch(&name, image.component, &part).await.unwrap(), parts.component);
    assert_eq!(images.fetch(&name, image.package_manifest, &part).await.unwrap(), parts.manifest);
    assert_eq!(images.fetch(&name, image.signatures, &part).await.unwrap(), parts.signatures);
    assert!(!part.exists());
    assert_eq!(images.image(&name, image.manifest.digest).await.unwrap().only().unwrap(), *image);
    assert_eq!(images.tag(&name, &version("1.0.0")).await.unwrap(), Some(image.manifest.digest));
}

fn layout(folder: &tempfile::TempDir) -> Location {
    Location::Layout(folder.path().join("images/here"))
}

#[tokio::test]
async fn a_registry_gives_back_what_was_pushed() {
    let docker = Docker::start();
    let images = open(&at(&docker));
    let image = pushed(&images, 3_000_000).await;
    is_whole(&images, &image, 3_000_000).await;
    assert_eq!(pushed(&images, 3_000_000).await, image, "again is the same");
    is_whole(&images, &image, 3_000_000).await;
}

#[tokio::test]
async fn a_layout_gives_back_what_was_pushed() {
    let folder = tempfile::tempdir().unwrap();
    let images = open(&layout(&folder));
    let image = pushed(&images, 3_000).await;
    is_whole(&images, &image, 3_000).await;
    let index = || fs::read(folder.path().join("images/here/index.json")).unwrap();
    let before = index();
    assert_eq!(pushed(&images, 3_000).await, image, "again is the same");
    assert_eq!(index(), before);
}

#[tokio::test]
async fn a_version_is_published_once_unless_told_so() {
    let (docker, folder) = (Docker::start(), tempfile::tempdir().unwrap());
    for location in [at(&docker), layout(&folder)] {
        let images = open(&location);
        let first = pushed(&images, 1).await;
        let again = images.push(&rules(), &version("1.0.0"), &parts(2), Tagged::Keep).await;
        assert!(matches!(again, Err(OciError::Moved { present, .. }) if present == first.manifest.digest), "{again:?}");
        is_whole(&images, &first, 1).await;
        let moved = images.push(&rules(), &version("1.0.0"), &parts(2), Tagged::Move).await.unwrap();
        is_whole(&images, &moved, 2).await;
        // The tag is elsewhere; whoever knows the digests still has the first.
        let (_folder, part) = part();
        assert_eq!(images.fetch(&rules(), first.component, &part).await.unwrap(), parts(1).component);
        // Names and versions are apart.
        let other = images.push(&"other".parse().unwrap(), &version("1.0.0"), &parts(3), Tagged::Keep).await.unwrap();
        let build = images.push(&rules(), &version("1.0.0-rc.1+b.2"), &parts(4), Tagged::Keep).await.unwrap();
        assert_eq!(images.tag(&rules(), &version("1.0.0-rc.1+b.2")).await.unwrap(), Some(build.manifest.digest));
        assert_ne!(other.manifest, build.manifest);
        assert_eq!(images.tag(&rules(), &version("9.0.0")).await.unwrap(), None);
        is_whole(&images, &moved, 2).await;
    }
}

#[tokio::test]
async fn more_signatures_refer_to_the_same_image() {
    let (docker, folder) = (Docker::start(), tempfile::tempdir().unwrap());
    for location in [at(&docker), layout(&folder)] {
        let images = open(&location);
        let image = pushed(&images, 1).await;
        let mut parts = parts(1);
        parts.signatures = "[\"countersigned\"]".into();
        let more = images.push(&rules(), &version("1.0.0"), &parts, Tagged::Keep).await.unwrap();
        assert_eq!((more.manifest, more.component), (image.manifest, image.component));
        let listing = images.image(&rules(), image.manifest.digest).await.unwrap();
        assert_eq!(listing.signatures, [image.signatures, more.signatures]);
        assert_eq!(listing.package_manifests, [image.package_manifest]);
        assert!(matches!(listing.only(), Err(OciError::Referrers { count: 2, .. })));
    }
}

#[tokio::test]
async fn an_image_is_copied_byte_for_byte() {
    let (one, two, folder) = (Docker::start(), Docker::start(), tempfile::tempdir().unwrap());
    let (here, middle, there) = (open(&at(&one)), open(&layout(&folder)), open(&at(&two)));
    let image = pushed(&here, 500_000).await;
    here.copy(&rules(), &version("1.0.0"), &image, &middle, folder.path()).await.unwrap();
    middle.copy(&rules(), &version("1.0.0"), &image, &there, folder.path()).await.unwrap();
    drop(one);
    is_whole(&middle, &image, 500_000).await;
    is_whole(&there, &image, 500_000).await;
    // Not another image under the same version, and none with other bytes.
    let other = open(&Location::Layout(folder.path().join("other")));
    let other_image = pushed(&other, 5).await;
    let refused = other.copy(&rules(), &version("1.0.0"), &other_image, &middle, folder.path()).await;
    assert!(matches!(refused, Err(OciError::Moved { .. })), "{refused:?}");
    let mixed = Image { component: other_image.component, ..image };
    let refused = middle.copy(&rules(), &version("2.0.0"), &mixed, &other, folder.path()).await;
    assert!(matches!(refused, Err(OciError::WrongDigest { .. })), "{refused:?}");
    assert_eq!(other.tag(&rules(), &version("2.0.0")).await.unwrap(), None);
}

#[tokio::test]
async fn who_may_not_is_told_so() {
    let docker = Docker::with_password();
    let images = Images::open(&at(&docker), ada("a:secret")).unwrap();
    let image = pushed(&images, 100).await;
    is_whole(&images, &image, 100).await;
    let token = Credentials::Token("nonsense".to_owned().into());
    let token = Settings { credentials: Some(token), ..settings() };
    for settings in [settings(), ada("wrong"), token] {
        let images = Images::open(&at(&docker), settings).unwrap();
        let (_folder, part) = part();
        let refused = images.fetch(&rules(), image.component, &part).await;
        assert!(matches!(refused, Err(OciError::Unauthorized { .. })), "{refused:?}");
        let refused = images.push(&rules(), &version("2.0.0"), &parts(1), Tagged::Keep).await;
        assert!(matches!(refused, Err(OciError::Unauthorized { .. })), "{refused:?}");
        assert!(!part.exists());
    }
    let shown = format!("{:?}", ada("a:secret"));
    assert!(!shown.contains("secret"), "{shown}");
}

#[tokio::test]
async fn what_is_missing_and_what_is_no_component_is_said() {
    let (docker, folder) = (Docker::start(), tempfile::tempdir().unwrap());
    for location in [at(&docker), layout(&folder)] {
        let images = open(&location);
        let (_folder, part) = part();
        let blob = vak_oci::Blob::of(b"nowhere");
        for _ in 0..2 {
            let missing = images.fetch(&rules(), blob, &part).await;
            assert!(matches!(missing, Err(OciError::NotFound(_))), "{missing:?}");
            let missing = images.image(&rules(), blob.digest).await;
            assert!(matches!(missing, Err(OciError::NotFound(_))), "{missing:?}");
            let mut parts = parts(1);
            parts.component = "\0asm\x01\0\0\0".into();
            let module = images.push(&rules(), &version("1.0.0"), &parts, Tagged::Keep).await;
            assert!(matches!(module, Err(OciError::Malformed { .. })), "{module:?}");
            let name = "No-Repository".parse().unwrap();
            let unnameable = images.push(&name, &version("1.0.0"), &super::parts(1), Tagged::Keep).await;
            assert!(matches!(unnameable, Err(OciError::Name(_))), "{unnameable:?}");
            let long = version(&format!("1.0.0-{}", "a".repeat(130)));
            let unnameable = images.push(&rules(), &long, &super::parts(1), Tagged::Keep).await;
            assert!(matches!(unnameable, Err(OciError::Version(_))), "{unnameable:?}");
            pushed(&images, 1).await;
        }
    }
}

/// `wkg` is this client, and a type for the configuration.
fn theirs() -> Client {
    // Whoever was first has installed the same.
    rustls::crypto::ring::default_provider().install_default().ok();
    let config = ClientConfig { protocol: ClientProtocol::Http, ..ClientConfig::default() };
    Client::try_from(config).unwrap()
}

#[tokio::test]
async fn another_client_reads_what_is_pushed() {
    let docker = Docker::start();
    let image = pushed(&open(&at(&docker)), 100).await;
    let client = theirs();
    let reference: Reference = format!("{}/vak/rules:1.0.0", docker.host()).parse().unwrap();
    let pulled = client.pull(&reference, &RegistryAuth::Anonymous, vec!["application/wasm"]).await.unwrap();
    assert_eq!(pulled.digest, Some(image.manifest.digest.to_string()));
    assert_eq!(pulled.layers.len(), 1);
    assert_eq!(pulled.layers[0].data, component(100));
    assert_eq!(pulled.config.media_type, "application/vnd.wasm.config.v0+json");
    let config: serde_json::Value = serde_json::from_slice(&pulled.config.data).unwrap();
    assert_eq!(
        config,
        serde_json::json!({
            "created": "1970-01-01T00:00:00Z",
            "architecture": "wasm",
            "os": "wasip2",
            "layerDigests": [image.component.digest],
            "component": {"exports": ["vak:policy/policy@0.1.0"], "imports": ["vak:host/log"]},
        })
    );
    let reference: Reference = format!("{}/vak/rules@{}", docker.host(), image.manifest.digest).parse().unwrap();
    let referrers = client.pull_referrers(&reference, Some("application/vnd.vak.signatures.v1+json")).await.unwrap();
    assert_eq!(referrers.manifests.len(), 1);
    let signatures: Reference =
        format!("{}/vak/rules@{}", docker.host(), referrers.manifests[0].digest).parse().unwrap();
    let (manifest, _) = client.pull_manifest(&signatures, &RegistryAuth::Anonymous).await.unwrap();
    let OciManifest::Image(manifest) = manifest else { panic!("{manifest}") };
    assert_eq!(manifest.subject.unwrap().digest, image.manifest.digest.to_string());
    assert_eq!(manifest.layers[0].digest, image.signatures.digest.to_string());
}

#[tokio::test]
async fn what_others_put_beside_an_image_stays() {
    let docker = Docker::start();
    let client = theirs();
    let reference: Reference = format!("{}/vak/rules:1.0.0", docker.host()).parse().unwrap();
    // As another tool pushes a component, with a list of what refers to it.
    let layer = ImageLayer::new(component(7).to_vec(), "application/wasm".to_owned(), None);
    let config = Config::new("{}", "application/vnd.wasm.config.v0+json".to_owned(), None);
    let layers = [layer];
    let mut manifest = OciImageManifest::build(&layers, &config, None);
    manifest.media_type = Some("application/vnd.oci.image.manifest.v1+json".to_owned());
    client.push(&reference, &layers, config, &RegistryAuth::Anonymous, Some(manifest)).await.unwrap();
    let images = open(&at(&docker));
    let digest = images.tag(&rules(), &version("1.0.0")).await.unwrap().unwrap();
    let listing = images.image(&rules(), digest).await.unwrap();
    assert_eq!(listing.component, vak_oci::Blob::of(&component(7)));
    assert!(listing.signatures.is_empty());

    let image = images.push(&rules(), &version("1.0.1"), &parts(7), Tagged::Keep).await.unwrap();
    let tag: Reference =
        format!("{}/vak/rules:sha256-{}", docker.host(), image.manifest.digest.to_hex()).parse().unwrap();
    let media_type = "application/vnd.oci.image.index.v1+json";
    let (index, _) = client.pull_manifest_raw(&tag, &RegistryAuth::Anonymous, &[media_type]).await.unwrap();
    let mut index: serde_json::Value = serde_json::from_slice(&index).unwrap();
    let theirs = serde_json::json!({
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": digest.to_string(),
        "size": listing.manifest.size,
        "artifactType": "application/vnd.example",
        "platform": {"architecture": "wasm", "os": "wasip2"},
        "data": "e30=",
    });
    index["manifests"].as_array_mut().unwrap().push(theirs.clone());
    index["annotations"] = serde_json::json!({"example": "theirs"});
    client.push_manifest_raw(&tag, index.to_string().into_bytes(), media_type.parse().unwrap()).await.unwrap();

    let mut more = parts(7);
    more.signatures = "[8]".into();
    images.push(&rules(), &version("1.0.1"), &more, Tagged::Keep).await.unwrap();
    let (index, _) = client.pull_manifest_raw(&tag, &RegistryAuth::Anonymous, &[media_type]).await.unwrap();
    let index: serde_json::Value = serde_json::from_slice(&index).unwrap();
    assert_eq!(index["annotations"]["example"], "theirs");
    let entries = index["manifests"].as_array().unwrap();
    assert_eq!(entries.len(), 4);
    assert!(entries.contains(&theirs));
    let listing = images.image(&rules(), image.manifest.digest).await.unwrap();
    assert_eq!((listing.package_manifests.len(), listing.signatures.len()), (1, 2));
}

/// Debian's registry checks nothing when it reads.
#[tokio::test]
async fn a_registry_whose_disk_changed_is_not_believed() {
    let docker = Docker::start();
    let images = open(&at(&docker));
    let image = pushed(&images, 1_000).await;
    let file = docker.blob_file(&image.component.digest.to_hex());
    let mut bytes = fs::read(&file).unwrap();
    bytes[500] ^= 1;
    let actual = Digest::of(&bytes);
    fs::write(&file, &bytes).unwrap();
    let (_folder, part) = part();
    let changed = images.fetch(&rules(), image.component, &part).await.unwrap_err();
    assert!(matches!(changed, OciError::WrongDigest { actual: a, .. } if a == actual), "{changed}");
    assert!(!part.exists());
    fs::write(&file, &bytes[..700]).unwrap();
    let cut = images.fetch(&rules(), image.component, &part).await.unwrap_err();
    assert!(cut.is_transient(), "{cut}");
}

/// Many at once push their own versions of one name, and sign one image.
#[tokio::test(flavor = "multi_thread")]
async fn many_push_at_once() {
    const MANY: usize = 6;
    let (docker, folder) = (Docker::start(), tempfile::tempdir().unwrap());
    for location in [at(&docker), layout(&folder)] {
        let image = pushed(&open(&location), 1).await;
        let push = |number: usize| {
            let location = location.clone();
            tokio::spawn(async move {
                let images = open(&location);
                let mut same = parts(1);
                same.signatures = format!("[{number}, 0]").into();
                while let Err(error) = images.push(&rules(), &version("1.0.0"), &same, Tagged::Keep).await {
                    assert!(matches!(error, OciError::Contended(_)), "{error}");
                }
                let own = version(&format!("1.0.{}", number + 1));
                images.push(&rules(), &own, &parts(number + 10), Tagged::Keep).await.unwrap();
            })
        };
        let pushing: Vec<_> = (0..MANY).map(push).collect();
        for pushing in pushing {
            pushing.await.unwrap();
        }
        let images = open(&location);
        let listing = images.image(&rules(), image.manifest.digest).await.unwrap();
        // A registry has no way to write a list unless it was changed: who writes
        // last on an old list loses what came between.
        assert!(listing.signatures.len() <= MANY + 1 && !listing.signatures.is_empty());
        for number in 0..MANY {
            assert!(images.tag(&rules(), &version(&format!("1.0.{}", number + 1))).await.unwrap().is_some());
        }
        if matches!(location, Location::Layout(_)) {
            assert_eq!(listing.signatures.len(), MANY + 1);
        }
    }
}
