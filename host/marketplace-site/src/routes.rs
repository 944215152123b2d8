//! What can be asked.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use jiff::Timestamp;
use semver::Version;
use tokio::runtime::Handle;
use url::form_urlencoded;
use vak_marketplace::{Entry, IndexError};
use vak_types::Name;

use crate::answer::{ANEW, FOREVER, HEADERS, current};
use crate::files;
use crate::gate::Busy;
use crate::head::{STYLE, style_path};
use crate::pages::{self, PER_PAGE, Part, QUERY_BYTES_MAX};
use crate::problem::{Kind, Problem};
use crate::publish::{self, Uploads};
use crate::shown::Shown;
use crate::site::Site;

const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";

/// Highest number of a page: nothing has so many, and products of it stay small.
const PAGE_MAX: usize = 1_000_000;

/// What all handlers share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) site: Arc<Site>,
    pub(crate) uploads: Option<Arc<Uploads>>,
}

/// The pages and files of `site`. Without `uploads` nothing can be changed.
pub fn router(site: Arc<Site>, uploads: Option<Uploads>) -> Router {
    let shared = Shared { site, uploads: uploads.map(Arc::new) };
    let open = shared.uploads.is_some();
    let router = Router::new()
        .route("/", get(home))
        .route("/search", get(search))
        .route("/packages/{name}", get(package))
        .route("/packages/{name}/versions", get(versions))
        .route("/packages/{name}/advisories", get(of_package))
        .route("/packages/{name}/{version}", get(version))
        .route("/packages/{name}/{version}/manifest.json", get(manifest))
        .route("/publishers/{name}", get(publisher))
        .route("/advisories", get(advisories))
        .route("/api/search", get(api_search))
        .route("/health", get(health))
        .route("/index/metadata/{file}", get(files::metadata))
        .route("/index/targets/{file}", get(files::target))
        .route("/robots.txt", get(robots))
        .route(style_path(), get(style));
    let router = if open { router.route("/v1/packages", post(publish::publish)) } else { router };
    router
        .fallback(nothing)
        .method_not_allowed_fallback(method)
        .layer(middleware::from_fn(with_headers))
        .with_state(shared)
}

/// What no answer is without.
async fn with_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

/// What was asked for beside the path.
struct Asked {
    query: String,
    page: usize,
}

impl Asked {
    /// Of what is there twice the first counts. None if it can't be meant so.
    fn of(raw: Option<&str>) -> Option<Self> {
        let (mut query, mut page) = (None, None);
        for (key, value) in form_urlencoded::parse(raw.unwrap_or_default().as_bytes()) {
            match &*key {
                "q" => _ = query.get_or_insert_with(|| value.trim().to_owned()),
                "page" => _ = page.get_or_insert_with(|| value.parse().ok()),
                _ => {}
            }
        }
        let (query, page) = (query.unwrap_or_default(), page.unwrap_or(Some(1))?);
        ((1..=PAGE_MAX).contains(&page) && query.len() <= QUERY_BYTES_MAX).then_some(Self { query, page })
    }
}

impl Shared {
    /// Makes a page where it keeps nobody waiting. `make` gives none if there is
    /// nothing called `what`.
    async fn page(
        &self,
        headers: &HeaderMap,
        what: String,
        make: impl FnOnce(&Shown, bool) -> Result<Option<String>, IndexError> + Send + 'static,
    ) -> Response {
        let (shown, stale) = (self.site.shown(), self.site.is_stale());
        let of = Arc::clone(&shown);
        match self.site.gate.pass(move || make(&of, stale)).await {
            Ok(Ok(Some(page))) => current(headers, StatusCode::OK, HTML, page.into()),
            Ok(Ok(None)) => self.missing(headers, &what),
            Ok(Err(error)) => {
                tracing::warn!("a page could not be made: {error}");
                busy(&shown, stale)
            }
            Err(Busy) => busy(&shown, stale),
        }
    }

    /// The same of a package.
    async fn package_page(
        &self,
        headers: &HeaderMap,
        name: &str,
        make: impl FnOnce(&Shown, bool, &Entry) -> Option<String> + Send + 'static,
    ) -> Response {
        let what = format!("no package `{}`, or no such version of it", cut(name));
        let Ok(name) = name.parse::<Name>() else { return self.missing(headers, &what) };
        let runtime = Handle::current();
        let make = move |shown: &Shown, stale: bool| {
            Ok(shown.entries.get(&runtime, &name)?.and_then(|entry| make(shown, stale, &entry)))
        };
        self.page(headers, what, make).await
    }

    fn missing(&self, headers: &HeaderMap, what: &str) -> Response {
        let page = pages::missing(&self.site.shown(), self.site.is_stale(), what);
        current(headers, StatusCode::NOT_FOUND, HTML, page.into())
    }
}

fn cut(text: &str) -> String {
    crate::cut::cut(text, 200).told()
}

fn busy(shown: &Shown, stale: bool) -> Response {
    let page = pages::busy(shown, stale);
    let mut response = current(&HeaderMap::new(), StatusCode::SERVICE_UNAVAILABLE, HTML, page.into());
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    response
}

async fn home(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    let make = |shown: &Shown, stale| Ok(Some(pages::home(shown, stale)));
    shared.page(&headers, String::new(), make).await
}

/// What `asked` finds: an empty query all packages, by name.
fn found(shown: &Shown, asked: &Asked) -> (Part, vak_marketplace::Found) {
    let part = Part { number: asked.page, len: PER_PAGE };
    let found = match asked.query.is_empty() {
        true => vak_marketplace::Found {
            lines: shown.packages.iter().skip(part.skip()).take(part.len).cloned().collect(),
            count: shown.packages.len(),
        },
        false => shown.catalogue.search(&asked.query, part.skip(), part.len),
    };
    (part, found)
}

async fn search(State(shared): State<Shared>, headers: HeaderMap, RawQuery(raw): RawQuery) -> Response {
    let Some(asked) = Asked::of(raw.as_deref()) else { return shared.missing(&headers, TOO_MUCH) };
    let make = move |shown: &Shown, stale| {
        let (part, found) = found(shown, &asked);
        Ok(Some(pages::results(shown, stale, &asked.query, part, &found.lines, found.count)))
    };
    shared.page(&headers, String::new(), make).await
}

/// What is said of queries that nobody types.
const TOO_MUCH: &str = "no such page: a query has up to 256 bytes, and pages are counted from 1 on";

async fn api_search(
    State(shared): State<Shared>,
    headers: HeaderMap,
    RawQuery(raw): RawQuery,
) -> Result<Response, Problem> {
    #[derive(serde::Serialize)]
    struct Answer {
        count: usize,
        page: usize,
        pages: usize,
        packages: Vec<vak_marketplace::Line>,
    }
    let asked = Asked::of(raw.as_deref()).ok_or_else(|| Problem::new(Kind::Malformed, TOO_MUCH))?;
    let shown = shared.site.shown();
    let work = move || {
        let (part, found) = found(&shown, &asked);
        let pages = part.of(found.count);
        let answer = Answer { count: found.count, page: part.number, pages, packages: found.lines };
        serde_json::to_vec(&answer).unwrap_or_default()
    };
    let busy = |Busy| Problem::new(Kind::Busy, "ask again in a while");
    Ok(current(&headers, StatusCode::OK, JSON, shared.site.gate.pass(work).await.map_err(busy)?))
}

async fn package(State(shared): State<Shared>, headers: HeaderMap, Path(name): Path<String>) -> Response {
    shared.package_page(&headers, &name, |shown, stale, entry| pages::package(shown, stale, entry, None)).await
}

async fn version(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Path((name, version)): Path<(String, String)>,
) -> Response {
    let version = version.parse::<Version>().ok();
    let make = move |shown: &Shown, stale, entry: &Entry| pages::package(shown, stale, entry, Some(&version?));
    shared.package_page(&headers, &name, make).await
}

/// The manifest as it was signed.
async fn manifest(
    State(shared): State<Shared>,
    Path((name, version)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let missing = || Problem::new(Kind::NotFound, "there is no such package or version");
    let (name, version) = (name.parse::<Name>().ok(), version.parse::<Version>().ok());
    let (name, version) = name.zip(version).ok_or_else(missing)?;
    let (shown, runtime) = (shared.site.shown(), Handle::current());
    let work = move || shown.entries.get(&runtime, &name);
    let busy = || Problem::new(Kind::Busy, "ask again in a while");
    let entry = shared.site.gate.pass(work).await.map_err(|Busy| busy())?.map_err(|error| {
        tracing::warn!("a manifest could not be read: {error}");
        busy()
    })?;
    let manifest = entry.and_then(|entry| Some(entry.release(&version)?.manifest.clone())).ok_or_else(missing)?;
    Ok(([(CONTENT_TYPE, HeaderValue::from_static(JSON)), (CACHE_CONTROL, ANEW)], manifest).into_response())
}

async fn versions(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Path(name): Path<String>,
    RawQuery(raw): RawQuery,
) -> Response {
    let Some(asked) = Asked::of(raw.as_deref()) else { return shared.missing(&headers, TOO_MUCH) };
    let make = move |shown: &Shown, stale, entry: &Entry| Some(pages::versions(shown, stale, entry, asked.page));
    shared.package_page(&headers, &name, make).await
}

async fn of_package(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Path(name): Path<String>,
    RawQuery(raw): RawQuery,
) -> Response {
    let Some(asked) = Asked::of(raw.as_deref()) else { return shared.missing(&headers, TOO_MUCH) };
    let make = move |shown: &Shown, stale, entry: &Entry| Some(pages::of_package(shown, stale, entry, asked.page));
    shared.package_page(&headers, &name, make).await
}

async fn publisher(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Path(text): Path<String>,
    RawQuery(raw): RawQuery,
) -> Response {
    let what = format!("no publisher `{}`", cut(&text));
    let Ok(name) = text.parse::<Name>() else { return shared.missing(&headers, &what) };
    let Some(asked) = Asked::of(raw.as_deref()) else { return shared.missing(&headers, TOO_MUCH) };
    let make = move |shown: &Shown, stale| Ok(pages::publisher(shown, stale, &name, asked.page));
    shared.page(&headers, what, make).await
}

async fn advisories(State(shared): State<Shared>, headers: HeaderMap, RawQuery(raw): RawQuery) -> Response {
    let Some(asked) = Asked::of(raw.as_deref()) else { return shared.missing(&headers, TOO_MUCH) };
    let make = move |shown: &Shown, stale| Ok(Some(pages::advisories(shown, stale, asked.page)));
    shared.page(&headers, String::new(), make).await
}

/// Whether it serves, and what.
async fn health(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    #[derive(serde::Serialize)]
    struct Health {
        status: &'static str,
        packages: usize,
        expires: Timestamp,
    }
    let shown = shared.site.shown();
    let expires = shown.index.expires();
    let status = match shared.site.is_stale() {
        true => "the index in the folder does not verify; the one before is served",
        false if expires < Timestamp::now() => "the index has expired",
        false => "ok",
    };
    let health = Health { status, packages: shown.packages.len(), expires };
    current(&headers, StatusCode::OK, JSON, serde_json::to_vec(&health).unwrap_or_default())
}

async fn style() -> Response {
    let headers = [(CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8")), (CACHE_CONTROL, FOREVER)];
    (headers, STYLE).into_response()
}

async fn robots() -> &'static str {
    "User-agent: *\nDisallow: /search\nDisallow: /api/\n"
}

async fn nothing(State(shared): State<Shared>, headers: HeaderMap, request: Request) -> Response {
    match for_programs(request.uri().path()) {
        true => Problem::new(Kind::NotFound, "there is nothing at this address").into_response(),
        false => shared.missing(&headers, "nothing at this address"),
    }
}

async fn method(request: Request) -> Response {
    let mut response = Problem::new(Kind::Method, "this address does not take it").into_response();
    let allowed = if request.uri().path() == "/v1/packages" { "POST" } else { "GET, HEAD" };
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

fn for_programs(path: &str) -> bool {
    ["/v1/", "/api/", "/index/"].iter().any(|start| path.starts_with(start))
}
