//! How the server is.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use serde::Serialize;
use utoipa::ToSchema;

use super::problem::Problem;
use super::state::Shared;
use super::tools::Counts;
use super::who::{May, ToReadMetrics};

/// How each part is. Nothing that helps an attacker: no names, no versions.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// Whether it can do its work.
    ready: bool,
    log: Log,
    policies: Policies,
    configuration: Configuration,
    withdrawals: Withdrawals,
    server: Serving,
    /// Those whose tools can be called. Being down is theirs: the server is no less
    /// ready for it.
    upstreams: Counts,
}

/// The audit log.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Log {
    /// It takes entries.
    Writable,
    /// It has failed, so everything is denied until the host is started again.
    Stopped,
}

/// The policies that decide.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Policies {
    Loaded,
    /// Everything is denied.
    None,
}

/// What decides.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Configuration {
    /// What is configured.
    Current,
    /// What was configured before: what is now does not load.
    Stale,
}

/// What marketplaces withdrew.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Withdrawals {
    /// Nothing that decides or is called.
    None,
    /// Something, so what it would judge or do is denied.
    Some,
    /// It can't be read, so everything is denied.
    Unreadable,
}

/// The server itself.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Serving {
    Serving,
    /// It is stopping: what was asked is answered, and nothing new is taken.
    Draining,
}

impl Health {
    fn of(server: &Shared) -> Self {
        let now = server.now();
        let draining = server.house.is_draining();
        Self {
            ready: now.log_writable && now.policies > 0 && now.withdrawn.is_some() && !draining,
            log: if now.log_writable { Log::Writable } else { Log::Stopped },
            policies: if now.policies > 0 { Policies::Loaded } else { Policies::None },
            configuration: if now.stale { Configuration::Stale } else { Configuration::Current },
            withdrawals: match now.withdrawn {
                Some(0) => Withdrawals::None,
                Some(_) => Withdrawals::Some,
                None => Withdrawals::Unreadable,
            },
            server: if draining { Serving::Draining } else { Serving::Serving },
            upstreams: now.upstreams,
        }
    }

    fn into_response(self) -> Response {
        let status = if self.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        // Words alone: it always can be written.
        json(status, serde_json::to_vec(&self).unwrap_or_default())
    }
}

fn json(status: StatusCode, body: impl Into<axum::body::Body>) -> Response {
    (status, [(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body.into()).into_response()
}

/// How each part is.
#[utoipa::path(get, path = "/health", tag = "health", responses(
    (status = 200, description = "It can do its work.", body = Health),
    (status = 503, description = "It can't.", body = Health),
))]
pub(crate) async fn health(State(server): State<Shared>) -> Response {
    Health::of(&server).into_response()
}

/// Whether it should be sent requests.
#[utoipa::path(get, path = "/ready", tag = "health", responses(
    (status = 200, description = "Yes.", body = Health),
    (status = 503, description = "No.", body = Health),
))]
pub(crate) async fn ready(State(server): State<Shared>) -> Response {
    Health::of(&server).into_response()
}

/// Whether it answers at all. Another process would do no better where the log
/// has stopped, so that is no reason to say no.
#[utoipa::path(get, path = "/live", tag = "health", responses((status = 200, description = "Yes.", body = Live)))]
pub(crate) async fn live() -> Response {
    json(StatusCode::OK, serde_json::to_vec(&Live { live: true }).unwrap_or_default())
}

/// It answers.
#[derive(Serialize, ToSchema)]
pub(crate) struct Live {
    live: bool,
}

/// Counts and times, for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "health", security(("token" = [])), responses(
    (status = 200, description = "The text format.", body = String, content_type = "text/plain"),
    (status = 401, response = super::routes::Refused),
    (status = 403, response = super::routes::Refused),
))]
pub(crate) async fn metrics(State(server): State<Shared>, _: May<ToReadMetrics>) -> Result<Response, Problem> {
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    Ok(([(CONTENT_TYPE, kind)], server.metrics.print(&server.now())).into_response())
}

/// This description.
#[utoipa::path(get, path = "/openapi.json", tag = "health", responses(
    (status = 200, description = "OpenAPI.", content_type = "application/json", body = Object),
))]
pub(crate) async fn openapi(State(server): State<Shared>) -> Response {
    json(StatusCode::OK, server.openapi.clone())
}
