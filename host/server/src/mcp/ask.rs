//! One request for something that is no tool, from the client's to the answer
//! it may have.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use futures_util::FutureExt as _;
use rmcp::model::{ErrorCode, ErrorData, ResultType};
use serde_json::Value;
use vak::{Outcome, refusal};
use vak_types::Json;

use super::call::{bad_name, panicked, request, unrecorded};
use super::connection::Abandon;
use super::forward::{Allowed, Refused};
use super::provenance;
use super::refusals::Cause;
use super::session::Session;
use super::shared::Shared;
use super::upstream::Upstream;
use super::wish::{Given, Wish};

/// A request that is to be made. It is run on a task that nobody drops.
pub(crate) struct Ask {
    pub(crate) shared: Arc<Shared>,
    pub(crate) session: Arc<Session>,
    pub(crate) upstream: Arc<Upstream>,
    pub(crate) wish: Wish,
    pub(crate) arguments: Value,
    pub(crate) abandon: Abandon,
}

impl Ask {
    /// Decides, carries out, records, and only then answers.
    pub(crate) async fn run(self) -> Result<Given, ErrorData> {
        let Self { shared, session, upstream, wish, arguments, abandon } = self;
        let (host, refusals) = (&*shared.host, &*shared.refusals);
        let arguments = Json::from_value(&arguments).map_err(|error| {
            refusals.count(Cause::Arguments);
            ErrorData::invalid_params(error.to_string(), None)
        })?;
        let request = request(&wish.operation(&upstream.name), session.caller(), None, arguments);
        let request = request.map_err(|error| bad_name(&error.into()))?;
        let decided = AssertUnwindSafe(Allowed::decide(host, request, wish, None, None)).catch_unwind().await;
        let allowed = match decided {
            Ok(Ok(allowed)) => allowed,
            Ok(Err(Refused::Verdict(verdict))) => {
                return Err(ErrorData::new(ErrorCode::INVALID_REQUEST, refusal(&verdict), None));
            }
            Ok(Err(Refused::Person(error))) => {
                return Err(ErrorData::new(ErrorCode::INVALID_REQUEST, error.to_string(), None));
            }
            Ok(Err(Refused::Stamp(error))) => return Err(bad_name(&error)),
            Err(_) => return Err(panicked("the decision failed inside the host; nothing was carried out")),
        };
        let start = Instant::now();
        let asked = AssertUnwindSafe(allowed.ask(&upstream, &abandon)).catch_unwind().await;
        let (outcome, answer) = match asked {
            Ok(Ok(given)) => marked(given, &upstream),
            Ok(Err(error)) => (error.outcome(), Err(error.into_error())),
            Err(_) => {
                let why = "the gateway failed while the request was under way";
                (Outcome::unknown(why), Err(panicked(why)))
            }
        };
        upstream.label.iter().for_each(|label| session.hears(label.clone()));
        let recorded = AssertUnwindSafe(allowed.conclude(host, outcome, start.elapsed())).catch_unwind().await;
        match recorded {
            Ok(Ok(())) => answer,
            Ok(Err(error)) => Err(unrecorded(&error)),
            Err(_) => Err(panicked("the outcome could not be recorded; the result is withheld")),
        }
    }
}

/// How it ended, and what the client gets, which says where it comes from.
fn marked(mut given: Given, upstream: &Upstream) -> (Outcome, Result<Given, ErrorData>) {
    let trusted = upstream.label.is_none();
    match &mut given {
        Given::Resource(result) => {
            result.result_type.get_or_insert(ResultType::COMPLETE);
            result.meta = Some(provenance::of(result.meta.take(), &upstream.name, trusted));
        }
        Given::Prompt(result) => {
            result.result_type.get_or_insert(ResultType::COMPLETE);
            result.meta = Some(provenance::of(result.meta.take(), &upstream.name, trusted));
        }
        Given::Resources(_) | Given::Templates(_) | Given::Prompts(_) => {}
    }
    match serde_json::to_value(&given) {
        Ok(value) => (Outcome::succeeded(value.to_string().as_bytes()), Ok(given)),
        Err(error) => {
            let why = format!("the result could not be written as JSON: {error}");
            (Outcome::unknown(&why), Err(ErrorData::internal_error(why, None)))
        }
    }
}
