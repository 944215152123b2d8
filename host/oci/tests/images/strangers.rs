//! Who gets credentials, where redirects lead, and documents that say too much or
//! nothing.

use std::sync::Arc;

use rustls::pki_types::PrivateKeyDer;
use tokio_rustls::TlsAcceptor;
use vak_oci::{Blob, Credentials, Image, Images, Location, OciError, Settings, Tagged};
use vak_types::Digest;

use super::nasty::{Answer, Request, Server, Then, answer, open_ended};
use super::{ada, open, part, parts, rules, settings, version};

const CONTENT: &[u8] = b"content";

async fn fetch(images: &Images) -> Result<bytes::Bytes, OciError> {
    images.fetch(&rules(), Blob::of(CONTENT), &part().1).await
}

fn redirect(to: &str) -> Answer {
    answer(307, &format!("Location: {to}"), b"")
}

#[tokio::test]
async fn credentials_are_not_carried_to_another_host() {
    let storage = Server::start(|_, _| answer(200, "", CONTENT)).await;
    let to = format!("http://{}/storage?signature=x", storage.host());
    let registry = Server::start(move |request, _| match request.header("authorization") {
        None => answer(401, "WWW-Authenticate: Basic realm=\"x\"", b""),
        Some(_) => redirect(&to),
    });
    let registry = registry.await;
    let images = Images::open(&registry.location(), ada("secret")).unwrap();
    for _ in 0..2 {
        assert_eq!(fetch(&images).await.unwrap(), CONTENT);
    }
    let authorizations: Vec<_> =
        registry.requests().iter().map(|it| it.header("authorization").map(str::to_owned)).collect();
    let basic = Some("Basic YWRhOnNlY3JldA==".to_owned());
    assert_eq!(authorizations, [None, basic.clone(), basic], "they are asked for once");
    assert!(
        storage
            .requests()
            .iter()
            .all(|request| request.path == "/storage?signature=x" && request.header("authorization").is_none())
    );

    let token = Settings { credentials: Some(Credentials::Token("t".to_owned().into())), ..settings() };
    assert_eq!(fetch(&Images::open(&registry.location(), token).unwrap()).await.unwrap(), CONTENT);
    assert_eq!(registry.requests().last().unwrap().header("authorization"), Some("Bearer t"));
    assert!(storage.requests().last().unwrap().header("authorization").is_none());
}

/// Nor does a challenge of another host get an answer.
#[tokio::test]
async fn another_host_gets_no_credentials_by_asking() {
    let storage = Server::start(|_, _| answer(401, "WWW-Authenticate: Basic realm=\"x\"", b"")).await;
    let to = format!("http://{}/", storage.host());
    let registry = Server::start(move |_, _| redirect(&to)).await;
    let error = fetch(&Images::open(&registry.location(), ada("secret")).unwrap()).await.unwrap_err();
    assert!(matches!(error, OciError::Unauthorized { .. }), "{error}");
    assert_eq!(storage.requests().len(), 1);
}

#[tokio::test]
async fn redirects_have_an_end_and_go_nowhere_else() {
    let server = Server::start(|_, _| redirect("/again")).await;
    let error = fetch(&open(&server.location())).await.unwrap_err();
    assert!(matches!(error, OciError::Redirect(_)), "{error}");
    assert_eq!(server.requests().len(), 6);
    for to in
        ["http://registry.example/", "ftp://127.0.0.1/", "file:///etc/passwd", "http://u:p@127.0.0.1/", "http://", ""]
    {
        let server = Server::start(move |_, _| redirect(to)).await;
        let error = fetch(&open(&server.location())).await.unwrap_err();
        assert!(matches!(error, OciError::Redirect(_)), "{error}");
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn who_was_asked_in_secret_redirects_to_nobody_who_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let certified = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let authorities = folder.path().join("ca.pem");
    std::fs::write(&authorities, certified.cert.pem()).unwrap();
    let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
    let tls = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let tls = tls.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let tls = tls.with_single_cert(vec![certified.cert.der().clone()], key).unwrap();
    let tls = TlsAcceptor::from(Arc::new(tls));

    let plain = Server::start(|_, _| answer(200, "", CONTENT)).await;
    let to = format!("http://{}/", plain.host());
    let server =
        Server::with(Some(tls), move |_, number| if number == 0 { answer(200, "", CONTENT) } else { redirect(&to) });
    let server = server.await;
    let believing = Settings { authorities: Some(authorities), ..settings() };
    let images = Images::open(&server.location(), believing).unwrap();
    assert_eq!(fetch(&images).await.unwrap(), CONTENT);
    let error = fetch(&images).await.unwrap_err();
    assert!(matches!(error, OciError::Redirect(_)), "{error}");
    assert!(plain.requests().is_empty());
    // Who does not believe it does not ask it.
    let error = fetch(&open(&server.location())).await.unwrap_err();
    assert!(matches!(error, OciError::Unreachable { .. }), "{error}");
    assert_eq!(server.requests().len(), 2);
    let nobody = Settings { authorities: Some(folder.path().join("none.pem")), ..settings() };
    assert!(matches!(Images::open(&server.location(), nobody), Err(OciError::Settings(_))));
}

/// A registry and its issuer of tokens in one.
fn with_issuer(token: &'static str) -> impl Fn(&Request, usize) -> Answer + Send + Sync + 'static {
    move |request, _| {
        let host = request.header("host").unwrap();
        match request.header("authorization") {
            _ if request.path.starts_with("/token") => answer(200, "", token.as_bytes()),
            Some("Bearer good") => answer(200, "", CONTENT),
            _ => {
                answer(401, &format!("WWW-Authenticate: Bearer realm=\"http://{host}/token?a=b\",service=\"s t\""), b"")
            }
        }
    }
}

#[tokio::test]
async fn a_token_is_asked_for_and_used_again() {
    let server = Server::start(with_issuer(r#"{"token": "good", "expires_in": 60}"#)).await;
    let images = Images::open(&server.location(), ada("secret")).unwrap();
    for _ in 0..3 {
        assert_eq!(fetch(&images).await.unwrap(), CONTENT);
    }
    let requests = server.requests();
    assert_eq!(requests.len(), 5);
    assert_eq!(requests[1].path, "/token?a=b&scope=repository%3Avak%2Frules%3Apull&service=s+t");
    assert_eq!(requests[1].header("authorization"), Some("Basic YWRhOnNlY3JldA=="));
    // Without a password it is a token for anybody.
    assert_eq!(fetch(&open(&server.location())).await.unwrap(), CONTENT);
}

#[tokio::test]
async fn nonsense_about_credentials_is_an_error() {
    for token in [r#"{"token": "a\r\nb"}"#, r#"{"token": ""}"#, "{}", "<html>", r#"{"token": "bad"}"#] {
        let server = Server::start(with_issuer(token)).await;
        let error = fetch(&open(&server.location())).await.unwrap_err();
        assert!(matches!(error, OciError::Challenge(_) | OciError::Unauthorized { .. }), "{error}");
        assert!(server.requests().len() <= 3);
    }
    let other = Server::start(|_, _| answer(200, "", br#"{"token": "good"}"#)).await;
    for header in [
        "",
        "WWW-Authenticate: ",
        "WWW-Authenticate: Bearer",
        "WWW-Authenticate: Bearer realm=\"",
        "WWW-Authenticate: Bearer realm=\"http://registry.example/\"",
        "WWW-Authenticate: Negotiate",
        "WWW-Authenticate: \u{e9}\u{202e}",
        &format!("WWW-Authenticate: Bearer realm=\"http://localhost:1/{}\"", "a".repeat(9_000)),
        // Another host on the same machine: not for a password.
        &format!("WWW-Authenticate: Bearer realm=\"http://{}/\"", other.host().replace("127.0.0.1", "localhost")),
    ] {
        let header = header.to_owned();
        let server = Server::start(move |_, _| answer(401, &header, b"")).await;
        let error = fetch(&Images::open(&server.location(), ada("secret")).unwrap()).await.unwrap_err();
        assert!(matches!(error, OciError::Challenge(_) | OciError::Unauthorized { .. }), "{error}");
        assert!(!error.to_string().contains("secret") && error.to_string().len() < 500, "{error}");
    }
    assert!(other.requests().is_empty());
    // An issuer that says more and more.
    let server = Server::start(|request, _| {
        let realm = format!("WWW-Authenticate: Bearer realm=\"http://{}/token\"", request.header("host").unwrap());
        if request.path.starts_with("/token") { open_ended(b"{", Then::Endless) } else { answer(401, &realm, b"") }
    });
    let error = fetch(&open(&server.await.location())).await.unwrap_err();
    assert!(matches!(error, OciError::TooLarge { .. }), "{error}");
}

/// What a server has of one image: the paths of its manifests and their bytes.
fn serving(manifest: String, list: Answer) -> impl Fn(&Request, usize) -> Answer + Send + Sync + 'static {
    let path = format!("/v2/vak/rules/manifests/{}", Digest::of(manifest.as_bytes()));
    move |request, _| match request.path.as_str() {
        at if at == path => answer(200, "", manifest.as_bytes()),
        at if at.starts_with("/v2/vak/rules/referrers/") => list.clone(),
        _ => answer(404, "", b""),
    }
}

const GOOD: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
"config":{"mediaType":"application/vnd.wasm.config.v0+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},
"layers":[{"mediaType":"application/wasm","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2}]}"#;

async fn looked_at(manifest: &str, list: Answer) -> Result<(), OciError> {
    let server = Server::start(serving(manifest.to_owned(), list)).await;
    open(&server.location()).image(&rules(), Digest::of(manifest.as_bytes())).await.map(|_| ())
}

#[tokio::test]
async fn malformed_manifests_are_refused() {
    let none = || answer(404, "", b"");
    looked_at(GOOD, none()).await.unwrap();
    let layers = GOOD.find("\"layers\":[").unwrap() + 10;
    let layer = &GOOD[layers..GOOD.rfind(']').unwrap()];
    for bad in [
        String::new(),
        "[]".to_owned(),
        "[".repeat(100_000),
        format!("{GOOD}x"),
        GOOD.replace("\"schemaVersion\":2", "\"schemaVersion\":1"),
        GOOD.replace("\"schemaVersion\":2", "\"schemaVersion\":2,\"schemaVersion\":2"),
        GOOD.replace("image.manifest", "image.index"),
        GOOD.replace("vnd.wasm.config.v0", "vnd.oci.image.config.v1"),
        GOOD.replace("application/wasm\"", "application/vnd.oci.image.layer.v1.tar+gzip\""),
        GOOD.replace("\"size\":2", "\"size\":-2"),
        GOOD.replace("\"size\":2", "\"size\":2.5"),
        GOOD.replace("\"size\":2", "\"size\":18446744073709551616"),
        GOOD.replace("\"size\":2", "\"size\":99999999999"),
        GOOD.replace("sha256:44", "sha512:44"),
        GOOD.replace("sha256:44", "sha256:4"),
        GOOD.replace("sha256:44136fa3", "sha256:44136FA3"),
        GOOD.replace(layer, ""),
        GOOD.replace(layer, &format!("{layer},{layer}")),
    ] {
        let error = looked_at(&bad, none()).await.unwrap_err();
        assert!(matches!(error, OciError::Malformed { .. }), "{bad}: {error}");
        assert!(error.to_string().len() < 500);
    }
}

#[tokio::test]
async fn malformed_lists_are_refused() {
    let entry = |artifact_type: &str| {
        format!(
            r#"{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{}","size":3,"artifactType":"{artifact_type}"}}"#,
            Digest::of(GOOD.as_bytes())
        )
    };
    let list = |entries: &str| format!(r#"{{"schemaVersion":2,"manifests":[{entries}]}}"#);
    looked_at(GOOD, answer(200, "", list("").as_bytes())).await.unwrap();
    looked_at(GOOD, answer(200, "", list(&entry("application/vnd.example")).as_bytes())).await.unwrap();
    let signatures = entry("application/vnd.vak.signatures.v1+json");
    for bad in [
        String::new(),
        "{}".to_owned(),
        list("1"),
        list("{}"),
        list(&signatures.replace("\"size\":3", "\"size\":-3")),
        list(&signatures.replace("sha256", "sha1")),
        list(&signatures.replace("image.manifest", "image.index")),
        // It refers to itself, and is no referrer.
        list(&signatures),
        list(&vec![signatures.as_str(); 40].join(",")),
    ] {
        let error = looked_at(GOOD, answer(200, "", bad.as_bytes())).await.unwrap_err();
        assert!(matches!(error, OciError::Malformed { .. }), "{bad}: {error}");
    }
    // Pages have an end too.
    let more = answer(200, "Link: </v2/vak/rules/referrers/more>; rel=\"next\"", list("").as_bytes());
    let error = looked_at(GOOD, more).await.unwrap_err();
    assert!(matches!(error, OciError::TooLarge { .. }), "{error}");
    let more = answer(200, "Link: <http://registry.example/>; rel=\"next\"", list("").as_bytes());
    let error = looked_at(GOOD, more).await.unwrap_err();
    assert!(matches!(error, OciError::Redirect(_)), "{error}");
}

#[tokio::test]
async fn a_manifest_is_that_of_its_digest_and_has_an_end() {
    let server = Server::start(|_, _| answer(200, "", GOOD.as_bytes())).await;
    let error = open(&server.location()).image(&rules(), Digest::of(b"other")).await.unwrap_err();
    assert!(matches!(error, OciError::WrongDigest { .. }), "{error}");
    let server = Server::start(|_, _| open_ended(b"{", Then::Endless)).await;
    let images = open(&server.location());
    let error = images.image(&rules(), Digest::of(b"other")).await.unwrap_err();
    assert!(matches!(error, OciError::TooLarge { .. }), "{error}");
    let error = images.tag(&rules(), &version("1.0.0")).await.unwrap_err();
    assert!(matches!(error, OciError::TooLarge { .. }), "{error}");
}

/// The tag is moved between the look at it and the end of the push.
#[tokio::test]
async fn a_tag_that_somebody_moves_meanwhile_is_noticed() {
    let server = Server::start(|request, number| match request.method.as_str() {
        "GET" if number == 0 => answer(404, "", b""),
        "GET" if request.path.ends_with("/manifests/1.0.0") => answer(200, "", GOOD.as_bytes()),
        "GET" => answer(404, "", b""),
        "HEAD" => answer(200, "", b""),
        _ => answer(201, "OCI-Subject: x", b""),
    });
    let server = server.await;
    let moved = open(&server.location()).push(&rules(), &version("1.0.0"), &parts(1), Tagged::Keep).await;
    assert!(
        matches!(&moved, Err(OciError::Moved { present, .. }) if *present == Digest::of(GOOD.as_bytes())),
        "{moved:?}"
    );
}

#[tokio::test]
async fn a_push_goes_nowhere_else_and_ends() {
    let upload = |headers: &'static str| {
        move |request: &Request, _: usize| match request.method.as_str() {
            "POST" => answer(202, headers, b""),
            _ => answer(404, "", b""),
        }
    };
    for headers in ["Location: http://registry.example/", "", "Location: file:///x", "Location: http://"] {
        let server = Server::start(upload(headers)).await;
        let refused = open(&server.location()).push(&rules(), &version("1.0.0"), &parts(1), Tagged::Keep).await;
        assert!(matches!(refused, Err(OciError::Redirect(_))), "{refused:?}");
    }
    // What is uploaded elsewhere is uploaded without credentials.
    let storage = Server::start(|_, _| answer(403, "", b"")).await;
    let to = format!("Location: http://{}/upload?a=b", storage.host());
    let server = Server::start(move |request, _| match request.method.as_str() {
        _ if request.header("authorization").is_none() => answer(401, "WWW-Authenticate: Basic realm=\"x\"", b""),
        "POST" => answer(202, &to, b""),
        _ => answer(404, "", b""),
    });
    let server = server.await;
    let images = Images::open(&server.location(), ada("secret")).unwrap();
    let refused = images.push(&rules(), &version("1.0.0"), &parts(1), Tagged::Keep).await;
    assert!(matches!(refused, Err(OciError::Forbidden { .. })), "{refused:?}");
    let requests = storage.requests();
    assert!(requests.len() == 1 && requests[0].header("authorization").is_none());
    assert!(requests[0].path.starts_with("/upload?a=b&digest=sha256%3A"), "{requests:?}");
    // An error that has no end.
    let server = Server::start(|request, _| match request.method.as_str() {
        "POST" => Answer { then: Then::Endless, ..answer(400, "Content-Length: 99999999999", b"[") },
        _ => answer(404, "", b""),
    });
    let refused = open(&server.await.location()).push(&rules(), &version("1.0.0"), &parts(1), Tagged::Keep).await;
    assert!(matches!(refused, Err(OciError::Status { status: 400, .. })), "{refused:?}");
    // A redirect of what is uploaded is not followed.
    let server = Server::start(
        |request, _| if request.method == "POST" { redirect("/elsewhere") } else { answer(404, "", b"") },
    );
    let refused = open(&server.await.location()).push(&rules(), &version("1.0.0"), &parts(1), Tagged::Keep).await;
    assert!(matches!(refused, Err(OciError::Redirect(_))), "{refused:?}");
}

#[tokio::test]
async fn a_registry_that_lists_referrers_itself_has_no_tag_for_them() {
    let server = Server::start(|request, _| match request.method.as_str() {
        "GET" => answer(404, "", b""),
        "HEAD" => answer(200, "", b""),
        _ => answer(201, "OCI-Subject: sha256:x", b""),
    });
    let server = server.await;
    let lost = open(&server.location()).push(&rules(), &version("1.0.0"), &parts(1), Tagged::Keep).await;
    assert!(matches!(lost, Err(OciError::NotFound(_))), "{lost:?}");
    let puts: Vec<_> =
        server.requests().into_iter().filter(|request| request.method == "PUT").map(|it| it.path).collect();
    assert_eq!(puts.len(), 4);
    assert!(puts.iter().all(|path| !path.contains("/sha256-")), "{puts:?}");
    assert!(puts[3].ends_with("/manifests/1.0.0"), "the tag comes last");
}

/// A layout that somebody else has written to.
#[tokio::test]
async fn a_layout_is_read_through_no_link_and_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("images");
    let images = open(&Location::Layout(path.clone()));
    let image: Image = images.push(&rules(), &version("1.0.0"), &parts(100), Tagged::Keep).await.unwrap();
    let blob = path.join("blobs/sha256").join(image.component.digest.to_hex());
    let bytes = std::fs::read(&blob).unwrap();
    let fetch = async || images.fetch(&rules(), image.component, &part().1).await.unwrap_err();

    std::fs::write(&blob, b"other").unwrap();
    assert!(matches!(fetch().await, OciError::WrongDigest { .. }));
    std::fs::write(&blob, [&bytes[..], b"x"].concat()).unwrap();
    assert!(matches!(fetch().await, OciError::TooLarge { .. }));
    std::fs::remove_file(&blob).unwrap();
    let outside = folder.path().join("outside");
    std::fs::write(&outside, &bytes).unwrap();
    std::os::unix::fs::symlink(&outside, &blob).unwrap();
    assert!(matches!(fetch().await, OciError::NotPlain { .. }));
    std::fs::remove_file(&blob).unwrap();
    assert!(matches!(fetch().await, OciError::NotFound(_)));
    std::fs::create_dir(&blob).unwrap();
    assert!(matches!(fetch().await, OciError::NotPlain { .. }));
    std::fs::remove_dir(&blob).unwrap();
    // Who pushes the same again mends it.
    images.push(&rules(), &version("1.0.0"), &parts(100), Tagged::Keep).await.unwrap();
    assert_eq!(images.fetch(&rules(), image.component, &part().1).await.unwrap(), bytes);

    for (file, text) in [
        ("index.json", "{"),
        ("index.json", "[]"),
        ("oci-layout", "{}"),
        ("oci-layout", r#"{"imageLayoutVersion":"2.0.0"}"#),
    ] {
        let before = std::fs::read(path.join(file)).unwrap();
        std::fs::write(path.join(file), text).unwrap();
        let error = images.tag(&rules(), &version("1.0.0")).await.unwrap_err();
        assert!(matches!(error, OciError::Malformed { .. }), "{error}");
        let refused = images.push(&rules(), &version("1.0.0"), &parts(1), Tagged::Move).await;
        assert!(matches!(refused, Err(OciError::Malformed { .. })), "{refused:?}");
        std::fs::write(path.join(file), before).unwrap();
    }
    let names: Vec<_> = std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    // A folder that is no layout is not read as one.
    let elsewhere = open(&Location::Layout(folder.path().to_owned()));
    assert_eq!(elsewhere.tag(&rules(), &version("1.0.0")).await.unwrap(), None);
}
