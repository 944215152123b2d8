//! Pages as they come over HTTP.

use bytes::Bytes;
use hyper::Method;
use vak_test_site::{Made, Market, hostile, shelf};

use crate::served::{Served, request};

/// The most that a page may weigh, with its style.
const BYTES_MAX: usize = 100_000;

async fn shown() -> (Market, Served) {
    let market = tokio::task::spawn_blocking(|| {
        let market = Market::new();
        market.put(shelf(&market).into_iter().chain([hostile(&market)]));
        market
    });
    let market = market.await.unwrap();
    let served = Served::of(&market, &[]).await;
    (market, served)
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_say_first_what_has_to_be_known() {
    let (_market, served) = shown().await;
    let cases: &[(&str, &[&str])] = &[
        ("/", &["11 packages by 2 publishers", "http-fetch", "role=\"search\""]),
        (
            "/packages/calculator",
            &["Nothing but answer.", "vak add calculator<", "this marketplace", "at least 1 characters", "required"],
        ),
        (
            "/packages/http-fetch",
            &[
                "see what time it is",
                "vak add http-fetch<",
                "href=\"https://code.example.org/acme/http-fetch\"",
                "nofollow noopener",
            ],
        ),
        (
            "/packages/http-fetch/0.4.0",
            &["1 advisory affects this version", "There is a newer version", "vak add http-fetch@=0.4.0<"],
        ),
        (
            "/packages/http-fetch/0.3.0",
            &["This version is yanked", "It can’t be installed", "Version 0.4.1 can be used"],
        ),
        ("/packages/csv-query", &["This version is revoked, and no other can be used", "A crafted table"]),
        ("/packages/office-rules", &["Policy"]),
        ("/packages/calculator/versions", &["4 versions", "1.0.1"]),
        ("/packages/http-fetch/advisories", &["&lt;0.4.1", "VAK-2026-0007", "Update to 0.4.1."]),
        ("/publishers/acme", &["Keys", "calculator"]),
        ("/advisories", &["201 advisories", "VAK-199"]),
        ("/search?q=fetch+page", &["1 package<", "http-fetch"]),
        ("/search?q=csv", &["withdrawn"]),
        ("/search", &["11 packages"]),
    ];
    for (path, parts) in cases {
        let page = served.get(path).await;
        assert_eq!(page.status(), 200, "{path}");
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        for part in *parts {
            assert!(page.text().contains(part), "{path} lacks {part}: {}", page.text());
        }
    }
    // What must not be installed has no command to install it.
    for path in ["/packages/csv-query", "/packages/http-fetch/0.3.0"] {
        assert!(!served.get(path).await.text().contains("vak add"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_others_is_more_than_text_or_heavier_than_a_page() {
    let (_market, served) = shown().await;
    let style = served.get("/").await;
    let style = style
        .text()
        .split("href=\"")
        .find(|part| part.starts_with("/style-"))
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let style = served.get(&style).await;
    assert_eq!((style.status(), style.header("content-type")), (200, "text/css; charset=utf-8"));
    assert!(style.header("cache-control").contains("immutable"));
    let query = "%3C/input%3E%3Cscript%3Ealert(1)%3C/script%3E%22+onfocus=alert(1)+%E2%80%AE%00%1B%5B2J";
    let version = "/packages/hostile/0.999.0-".to_owned() + &"x".repeat(60);
    for path in [
        "/packages/hostile",
        &version,
        "/packages/hostile/versions",
        "/packages/hostile/advisories",
        "/packages/hostile/advisories?page=40",
        "/advisories",
        "/advisories?page=3",
        "/",
        "/search?q=hostile",
        &format!("/search?q={query}"),
        &format!("/packages/{query}"),
        &format!("/publishers/{query}"),
        &format!("/{query}"),
    ] {
        let page = served.get(path).await;
        let (text, bytes) = (page.text(), page.0.body().len() + style.0.body().len());
        assert!(bytes <= BYTES_MAX, "{path} weighs {bytes}");
        for markup in ["<script", "<img", "<svg", "<!--", "href=\"javascript", "</input", " onfocus=alert(1) x=\"<"] {
            assert!(!text.contains(markup), "{path} has {markup}");
        }
        let unseen = |character: &char| {
            character.is_control() && *character != '\n' || ('\u{202a}'..='\u{202e}').contains(character)
        };
        assert_eq!(text.chars().find(unseen), None, "{path}");
    }
    // Its rights don't fit, and it says so.
    let page = served.get("/packages/hostile").await;
    assert!(page.text().contains("more rights than fit here"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_the_headers_that_hold_browsers_back() {
    let (_market, served) = shown().await;
    for path in [
        "/",
        "/packages/calculator",
        "/packages/nothing",
        "/nothing",
        "/health",
        "/api/search",
        "/index/metadata/root.json",
        "/index/x",
        "/v1/packages",
    ] {
        let answer = served.get(path).await;
        let policy = answer.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "style-src 'self'",
            "img-src 'none'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert_eq!(
            (answer.header("x-content-type-options"), answer.header("referrer-policy")),
            ("nosniff", "no-referrer"),
            "{path}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_not_found() {
    let (_market, served) = shown().await;
    let long = format!("/search?q={}", "a".repeat(300));
    let longer = format!("/packages/{}", "a".repeat(10_000));
    for path in [
        "/packages/nothing",
        "/packages/calculator/9.9.9",
        "/packages/calculator/one",
        "/packages/Calculator",
        "/packages/..%2f..",
        "/packages/a%2fb",
        "/publishers/nobody",
        "/publishers/%2e%2e",
        "/nothing",
        "/search?page=0",
        "/search?page=-1",
        "/search?page=99999999999999999999",
        "/search?page=x",
        &long,
        &longer,
        "/packages/%ff%fe",
        "/packages/",
        "//example.org",
        "/packages/calculator/",
    ] {
        let page = served.get(path).await;
        assert!([400, 404].contains(&page.status()), "{path}: {}", page.status());
    }
    // Beyond the last page there is nothing, and nothing breaks.
    assert!(served.get("/search?q=hash&page=1000000").await.text().contains("There is no such page"));
    assert_eq!(served.get("/packages/calculator/versions?page=999999").await.status(), 200);
    // What is there twice, or is no UTF-8, is something or other, but no failure.
    assert_eq!(served.get("/search?q=hash&q=notes&page=1&page=x").await.status(), 200);
    assert_eq!(served.get("/search?q=%ff%fe%zz&%%%==&&").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_read_and_nothing_else() {
    let (_market, served) = shown().await;
    let whole = served.get("/packages/calculator").await;
    let head = served.ask(request(Method::HEAD, "/packages/calculator", &[], Bytes::new())).await;
    assert_eq!((head.status(), head.0.body().len()), (200, 0));
    assert_eq!(head.header("content-length"), whole.0.body().len().to_string());
    for method in [
        Method::POST,
        Method::PUT,
        Method::DELETE,
        Method::PATCH,
        Method::OPTIONS,
        Method::TRACE,
        "SEARCH".parse().unwrap(),
    ] {
        for path in ["/", "/packages/calculator", "/index/metadata/timestamp.json", "/health"] {
            let answer = served.ask(request(method.clone(), path, &[], Bytes::new())).await;
            assert_eq!((answer.status(), answer.header("allow")), (405, "GET, HEAD"), "{method} {path}");
            assert_eq!(answer.header("content-type"), "application/problem+json");
        }
    }
    // What the browser has is not sent again, until it changes.
    let tag = whole.header("etag").to_owned();
    let again =
        served.ask(request(Method::GET, "/packages/calculator", &[("if-none-match", &tag)], Bytes::new())).await;
    assert_eq!((again.status(), again.0.body().len()), (304, 0));
    let other = served.ask(request(Method::GET, "/packages/notes", &[("if-none-match", &tag)], Bytes::new())).await;
    assert_eq!(other.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_search_too() {
    let (_market, served) = shown().await;
    let found = served.get("/api/search?q=fetch").await.json();
    assert_eq!((&found["count"], &found["page"], &found["pages"]), (&1.into(), &1.into(), &1.into()));
    assert_eq!(found["packages"][0]["name"], "http-fetch");
    assert_eq!(found["packages"][0]["version"], "0.4.1");
    let problem = served.get("/api/search?page=0").await;
    assert_eq!((problem.status(), problem.json()["type"].as_str()), (400, Some("urn:vak:problem:malformed")));
    let manifest = served.get("/packages/calculator/1.1.0/manifest.json").await;
    assert_eq!((manifest.header("content-type"), &manifest.json()["name"]), ("application/json", &"calculator".into()));
    assert_eq!(served.get("/health").await.json()["status"], "ok");
}

/// Many at once are all answered, or told that there are too many; and what is
/// cheap is answered meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_searches_is_answered_or_turned_away() {
    const SEARCHES: usize = 10_000;
    const AT_ONCE: usize = 400;
    let market = tokio::task::spawn_blocking(|| {
        let market = Market::new();
        market.put(vak_test_site::crowd(&market, 2_000).into_iter().chain([Made::default().entry(&market)]));
        market
    });
    let market = market.await.unwrap();
    let served = Served::of(&market, &[]).await;
    let floods = (0..AT_ONCE).map(|client| {
        let address = served.address;
        tokio::spawn(async move {
            let stream = tokio::net::TcpStream::connect(address).await.unwrap();
            let io = hyper_util::rt::TokioIo::new(stream);
            let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
            tokio::spawn(connection);
            let mut answered = 0;
            for at in 0..SEARCHES / AT_ONCE {
                sender.ready().await.unwrap();
                let path = format!("/search?q=tables+{}", (client * at) % 90);
                let answer = sender.send_request(request(Method::GET, &path, &[], Bytes::new())).await.unwrap();
                let status = answer.status().as_u16();
                assert!([200, 503].contains(&status), "{status}");
                answered += usize::from(status == 200);
                http_body_util::BodyExt::collect(answer.into_body()).await.unwrap();
            }
            answered
        })
    });
    let floods: Vec<_> = floods.collect();
    assert_eq!(served.get("/health").await.status(), 200);
    let mut answered = 0;
    for flood in floods {
        answered += flood.await.unwrap();
    }
    assert!(answered > SEARCHES / 2, "{answered}");
    assert_eq!(served.get("/packages/package").await.status(), 200);
}
