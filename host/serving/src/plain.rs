//! A router by itself.

use axum::Router;
use axum::response::{IntoResponse as _, Response};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, TRANSFER_ENCODING};
use hyper::service::Service as _;
use hyper::{Request, StatusCode};
use hyper_util::service::TowerToHyperService;
use tokio::time::timeout;

use crate::connection::Answers;
use crate::house::House;

/// Answers with a router, which needs to know nothing of connections.
#[derive(Clone)]
pub struct Plain {
    router: TowerToHyperService<Router>,
    house: House,
}

impl Plain {
    /// Answers with `router`, within the limits of `house`.
    pub fn new(router: Router, house: &House) -> Self {
        Self { router: TowerToHyperService::new(router), house: house.clone() }
    }
}

impl Answers for Plain {
    type Link = ();

    async fn answer(&self, request: Request<Incoming>, (): &()) -> Response {
        // Two lengths are two requests to somebody. With this header there may have
        // been a `Content-Length` too, and nobody can tell any more.
        if request.headers().contains_key(TRANSFER_ENCODING) {
            let text = "send `Content-Length`, and no `Transfer-Encoding`\n";
            return (StatusCode::LENGTH_REQUIRED, [(CONNECTION, "close")], text).into_response();
        }
        match timeout(self.house.limits().request_within, self.router.call(request)).await {
            Ok(Ok(response)) => response,
            Err(_) => (StatusCode::GATEWAY_TIMEOUT, [(CONNECTION, "close")], "it took too long\n").into_response(),
        }
    }
}
