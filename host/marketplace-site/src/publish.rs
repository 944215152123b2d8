//! The door for publishers: `POST /v1/packages`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{DefaultBodyLimit, FromRequest as _, FromRequestParts, Multipart, Request, State};
use axum::response::{IntoResponse as _, Response};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use vak_marketplace::{PublishError, Published};
use vak_oci::OciError;
use vak_serving::bearer;
use vak_trust::Package;
use vak_types::Name;

use crate::problem::{Kind, Problem};
use crate::routes::Shared;
use crate::tokens::Tokens;

/// Uploads at the same time: each may hold a component of 64 MiB in memory.
const UPLOADS_MAX: usize = 4;

/// How long a body may take: the largest at 5 Mbit/s.
const BODY_WITHIN: Duration = Duration::from_secs(120);

/// What the form's own lines may add to its fields, in bytes.
const FORM_BYTES: u64 = 8 << 10;

/// Largest body.
const BODY_BYTES_MAX: u64 =
    Package::COMPONENT_BYTES_MAX + Package::MANIFEST_BYTES_MAX + Package::BUNDLE_BYTES_MAX + FORM_BYTES;

/// Takes packages into an index.
#[async_trait::async_trait]
pub trait Publish: Send + Sync {
    /// Publishes `package` for `publisher`, who has shown a token. Nothing else of
    /// it was looked at.
    ///
    /// # Errors
    /// It is not accepted, or can't be taken now; nothing is published.
    async fn publish(self: Arc<Self>, publisher: Name, package: Package) -> Result<Published, PublishError>;
}

/// What uploads need.
pub struct Uploads {
    tokens: Tokens,
    publish: Arc<dyn Publish>,
    places: Arc<Semaphore>,
}

impl Uploads {
    /// Lets the holders of `tokens` upload what `publish` then takes.
    pub fn new(tokens: Tokens, publish: Arc<dyn Publish>) -> Self {
        Self { tokens, publish, places: Arc::new(Semaphore::new(UPLOADS_MAX)) }
    }
}

/// A publisher, known before anything of a body is read.
pub(crate) struct Known(Name, Arc<Uploads>);

impl FromRequestParts<Shared> for Known {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Problem> {
        let unauthorized =
            || Problem::new(Kind::Unauthorized, "send `Authorization: Bearer TOKEN` with a publisher's token");
        let uploads = shared.uploads.as_ref().ok_or_else(unauthorized)?;
        let token = bearer::token(&parts.headers).map_err(|_| unauthorized())?.ok_or_else(unauthorized)?;
        let publisher = uploads.tokens.publisher(token).ok_or_else(unauthorized)?;
        Ok(Self(publisher.clone(), Arc::clone(uploads)))
    }
}

/// Takes a form with the fields `component`, `manifest` and `signatures`, each
/// once.
pub(crate) async fn publish(
    State(_): State<Shared>,
    Known(publisher, uploads): Known,
    request: Request,
) -> Result<Response, Problem> {
    check(request.headers())?;
    let busy = |_| Problem::new(Kind::Busy, "others upload at the moment; ask again in a while");
    let place = Arc::clone(&uploads.places).try_acquire_owned().map_err(busy)?;
    let package = match timeout(BODY_WITHIN, read(request)).await {
        Ok(package) => package?,
        Err(_) => return Err(Problem::new(Kind::BodyTimedOut, format!("it has {} s", BODY_WITHIN.as_secs()))),
    };
    // Done to its end, whoever goes meanwhile: half of it would help nobody.
    let work = async move {
        let published = Arc::clone(&uploads.publish).publish(publisher, package).await;
        drop(place);
        published
    };
    let published =
        tokio::spawn(work).await.map_err(|error| internal(&error.to_string()))?.map_err(|error| problem(&error))?;
    let Published { name, version, publisher } = published;
    let body = serde_json::json!({ "name": name, "version": version.to_string(), "publisher": publisher }).to_string();
    Ok((StatusCode::CREATED, [(CONTENT_TYPE, "application/json")], body).into_response())
}

fn problem(error: &PublishError) -> Problem {
    let told = |kind| Problem::new(kind, error.to_string());
    match error {
        PublishError::Published { .. } => told(Kind::Exists),
        PublishError::OtherPublisher { .. } | PublishError::Taken { .. } | PublishError::Name { .. } => {
            told(Kind::NotYours)
        }
        PublishError::Trust(_)
        | PublishError::Bundle(_)
        | PublishError::Kind { .. }
        | PublishError::ReadsLike { .. }
        | PublishError::Withdrawn { .. }
        | PublishError::Registry(OciError::Malformed { .. } | OciError::Name(_) | OciError::Version(_)) => {
            told(Kind::Refused)
        }
        PublishError::Registry(error) => {
            tracing::warn!("a package could not be pushed: {error}");
            Problem::new(Kind::Busy, "the registry does not take it at the moment; ask again in a while")
        }
        PublishError::Settings(_) | PublishError::Repository(_) => internal(&error.to_string()),
    }
}

fn internal(why: &str) -> Problem {
    tracing::error!("an upload failed inside the server: {why}");
    Problem::new(Kind::Internal, "the server's log says more; nothing is published if the index does not have it")
}

/// What can be said before a body is read.
fn check(headers: &HeaderMap) -> Result<(), Problem> {
    // A few bytes could become any number.
    if headers.contains_key(CONTENT_ENCODING) {
        return Err(Problem::new(Kind::MediaType, "send it as it is, without `Content-Encoding`"));
    }
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    match length {
        None => Err(Problem::new(Kind::LengthRequired, "send `Content-Length`")),
        Some(length) if length > BODY_BYTES_MAX => {
            Err(Problem::new(Kind::TooLarge, format!("it may have {BODY_BYTES_MAX} bytes")))
        }
        Some(_) => Ok(()),
    }
}

/// A part of the form.
const PARTS: [(&str, u64); 3] = [
    ("component", Package::COMPONENT_BYTES_MAX),
    ("manifest", Package::MANIFEST_BYTES_MAX),
    ("signatures", Package::BUNDLE_BYTES_MAX),
];

async fn read(mut request: Request) -> Result<Package, Problem> {
    let bytes_max = usize::try_from(BODY_BYTES_MAX).unwrap_or(usize::MAX);
    DefaultBodyLimit::apply(DefaultBodyLimit::max(bytes_max), &mut request);
    let form = Multipart::from_request(request, &()).await;
    let mut form = form.map_err(|_| Problem::new(Kind::MediaType, "send `multipart/form-data` with its boundary"))?;
    let mut parts: [Option<Vec<u8>>; 3] = [None, None, None];
    while let Some(field) = form.next_field().await.map_err(|error| malformed(&error))? {
        let name = field.name().unwrap_or_default();
        let place = PARTS.iter().position(|(part, _)| *part == name);
        let place = place.ok_or_else(|| Problem::new(Kind::Malformed, format!("there is no field `{name}`")))?;
        if parts[place].is_some() {
            return Err(Problem::new(Kind::Malformed, format!("the field `{name}` is there twice")));
        }
        parts[place] = Some(whole(field, PARTS[place].0, PARTS[place].1).await?);
    }
    match parts {
        [Some(component), Some(manifest), Some(signatures)] => {
            Ok(Package { component, manifest, bundle: Some(signatures) })
        }
        _ => Err(Problem::new(Kind::Malformed, "send the fields `component`, `manifest` and `signatures`")),
    }
}

/// All of a field, unless it is too large.
async fn whole(mut field: Field<'_>, name: &str, bytes_max: u64) -> Result<Vec<u8>, Problem> {
    if field.headers().contains_key("content-transfer-encoding") {
        return Err(Problem::new(Kind::MediaType, format!("send the field `{name}` as it is")));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|error| malformed(&error))? {
        if (bytes.len() + chunk.len()) as u64 > bytes_max {
            return Err(Problem::new(Kind::TooLarge, format!("the field `{name}` may have {bytes_max} bytes")));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn malformed(error: &MultipartError) -> Problem {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Kind::TooLarge, format!("it may have {BODY_BYTES_MAX} bytes")),
        _ => Problem::new(Kind::Malformed, error.body_text()),
    }
}
