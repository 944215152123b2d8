//! Resources and prompts, as clients see them.
//!
//! Each list and each reading is an operation that is decided, such as
//! `files/resources/read` with the address as the argument `/uri`. What no policy
//! could ever allow is not offered. With several upstreams, the resource
//! `file:///x` of `files` has the address `files+file:///x`, and the prompt `p` is
//! called `files_p`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::join_all;
use rmcp::model::{
    ErrorCode, ErrorData, GetPromptResponse, InputRequiredResult, Prompt, ReadResourceResponse, Resource,
    ResourceTemplate, ResultType,
};
use serde_json::{Value, json};
use tokio::time::timeout;
use vak::{Config, refusal};
use vak_types::{AgentId, Json, printable};

use super::addresses::PLUS;
use super::call::{bad_name, panicked, unrecorded};
use super::connection::Abandon;
use super::errand::{Company, Done, Errand, Undone};
use super::error::RequestError;
use super::person::{Answered, BeforeClient};
use super::refusals::Cause;
use super::session::Session;
use super::shared::Shared;
use super::upstream::Upstream;
use super::upstreams::{LIST_LIMIT, SEPARATOR};
use super::wish::{Given, Wish};

/// Longest quote of a client's text, in bytes.
const QUOTE_BYTES_MAX: usize = 256;

/// Requests of one client.
pub(crate) struct Offers {
    pub(crate) shared: Arc<Shared>,
    pub(crate) session: Arc<Session>,
    pub(crate) abandon: Abandon,
    /// Who may be asked about a request for one thing. Of lists nobody is asked.
    pub(crate) person: Option<BeforeClient>,
    pub(crate) answered: Option<Answered>,
}

/// What an upstream gave, or the question that has to be answered before.
enum Reply {
    Given(Given),
    Put(Box<InputRequiredResult>),
}

/// What an agent is told that there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Offered {
    pub(crate) resources: bool,
    pub(crate) prompts: bool,
}

/// The answers that were given under one configuration, to the agents that the
/// operator names. The library asks for each request over HTTP, and to ask the
/// policies would cost more than to decide.
#[derive(Default)]
pub(crate) struct LastOffered(Mutex<Option<Answers>>);

struct Answers {
    config: Arc<Config>,
    by_agent: HashMap<AgentId, Offered>,
}

impl Shared {
    /// What this agent is told that there is, under the configuration as it is now.
    pub(crate) fn offered(&self, agent: &AgentId) -> Offered {
        let now = self.host.config();
        let mut last = self.last_offered.0.lock().unwrap_or_else(PoisonError::into_inner);
        let answers = last.take().filter(|answers| Arc::ptr_eq(&answers.config, &now));
        let mut answers = answers.unwrap_or_else(|| Answers { config: now, by_agent: HashMap::new() });
        let ask = || Offered {
            resources: self.may_ever(agent, &Wish::Resource),
            prompts: self.may_ever(agent, &Wish::Prompt),
        };
        let offered = match answers.by_agent.get(agent) {
            Some(offered) => *offered,
            None => *answers.by_agent.entry(agent.clone()).or_insert_with(ask),
        };
        *last = Some(answers);
        offered
    }

    /// Whether some upstream could ever be asked for this by this agent.
    pub(crate) fn may_ever(&self, agent: &AgentId, wish: &Wish) -> bool {
        self.upstreams.all().iter().any(|upstream| self.may_ever_of(upstream, agent, wish))
    }

    fn may_ever_of(&self, upstream: &Upstream, agent: &AgentId, wish: &Wish) -> bool {
        let operation = wish.operation(&upstream.name);
        let names = (operation.parse(), format!("mcp:{operation}").parse());
        matches!(names, (Ok(operation), Ok(resource)) if self.host.may_ever(agent, &operation, &resource))
    }
}

impl Offers {
    pub(crate) async fn resources(&self) -> Result<Vec<Resource>, ErrorData> {
        let lists = self.lists(Wish::Resources).await?.into_iter().filter_map(|(_, given)| match given {
            Given::Resources(list) => Some(list),
            _ => None,
        });
        Ok(lists.flatten().collect())
    }

    pub(crate) async fn templates(&self) -> Result<Vec<ResourceTemplate>, ErrorData> {
        let lists = self.lists(Wish::Templates).await?.into_iter().filter_map(|(_, given)| match given {
            Given::Templates(list) => Some(list),
            _ => None,
        });
        Ok(lists.flatten().collect())
    }

    pub(crate) async fn prompts(&self) -> Result<Vec<Prompt>, ErrorData> {
        let lists = self.lists(Wish::Prompts).await?.into_iter().filter_map(|(upstream, given)| match given {
            Given::Prompts(list) => Some((upstream, list)),
            _ => None,
        });
        let prefixes = self.shared.upstreams.prefixes();
        let renamed = |(upstream, list): (Arc<Upstream>, Vec<Prompt>)| {
            list.into_iter().map(move |mut prompt| {
                if prefixes {
                    prompt.name = format!("{}{SEPARATOR}{}", upstream.name, prompt.name);
                }
                prompt
            })
        };
        Ok(lists.flat_map(renamed).collect())
    }

    pub(crate) async fn read(mut self, uri: &str) -> Result<ReadResourceResponse, ErrorData> {
        let found = match self.shared.upstreams.prefixes() {
            true => uri.split_once(PLUS).and_then(|(name, uri)| Some((self.shared.upstreams.named(name)?, uri))),
            false => self.shared.upstreams.all().first().map(|upstream| (upstream, uri)),
        };
        let found = found.map(|(upstream, uri)| (Arc::clone(upstream), uri));
        let nothing = || {
            let uri = printable(uri, QUOTE_BYTES_MAX);
            ErrorData::resource_not_found(format!("there is no resource `{uri}`"), None)
        };
        let (upstream, uri) = found.ok_or_else(nothing)?;
        let (person, answered) = (self.person.take(), self.answered.take());
        match self.ask(&upstream, Wish::Resource, json!({ "uri": uri }), person, answered).await? {
            Reply::Put(question) => Ok((*question).into()),
            Reply::Given(Given::Resource(mut result)) => {
                result.result_type.get_or_insert(ResultType::COMPLETE);
                Ok(result.into())
            }
            _ => Err(nothing()),
        }
    }

    pub(crate) async fn prompt(mut self, name: &str, arguments: Option<Value>) -> Result<GetPromptResponse, ErrorData> {
        let found = match self.shared.upstreams.prefixes() {
            true => name.split_once(SEPARATOR).and_then(|(of, name)| Some((self.shared.upstreams.named(of)?, name))),
            false => self.shared.upstreams.all().first().map(|upstream| (upstream, name)),
        };
        let found = found.map(|(upstream, name)| (Arc::clone(upstream), name));
        let nothing = || {
            let name = printable(name, QUOTE_BYTES_MAX);
            ErrorData::invalid_params(format!("there is no prompt `{name}`"), None)
        };
        let (upstream, name) = found.ok_or_else(nothing)?;
        let asked = json!({ "name": name, "arguments": arguments.unwrap_or_else(|| json!({})) });
        let (person, answered) = (self.person.take(), self.answered.take());
        match self.ask(&upstream, Wish::Prompt, asked, person, answered).await? {
            Reply::Put(question) => Ok((*question).into()),
            Reply::Given(Given::Prompt(mut result)) => {
                result.result_type.get_or_insert(ResultType::COMPLETE);
                Ok(result.into())
            }
            _ => Err(nothing()),
        }
    }

    /// The lists of all upstreams that have some and may be asked. One that fails
    /// takes no other's away.
    async fn lists(&self, wish: Wish) -> Result<Vec<(Arc<Upstream>, Given)>, ErrorData> {
        let agent = self.session.caller().agent;
        let all = self.shared.upstreams.all();
        let asked = all.iter().filter(|upstream| self.shared.may_ever_of(upstream, &agent, &wish));
        let lists = join_all(asked.map(|upstream| self.list(upstream, wish.clone()))).await;
        let (mut given, mut failed) = (Vec::new(), None);
        for list in lists {
            match list {
                Ok(list) => given.extend(list),
                Err(error) => {
                    tracing::warn!("something is missing from a list: {}", error.message);
                    failed.get_or_insert(error);
                }
            }
        }
        match failed {
            Some(error) if given.is_empty() => Err(error),
            _ => Ok(given),
        }
    }

    async fn list(&self, upstream: &Arc<Upstream>, wish: Wish) -> Result<Option<(Arc<Upstream>, Given)>, ErrorData> {
        let has = upstream.has(&wish, &self.abandon);
        let late = || RequestError::Late { upstream: upstream.name.clone() };
        let has = match self.shared.upstreams.all().len() {
            1 => has.await,
            _ => timeout(LIST_LIMIT, has).await.unwrap_or_else(|_| Err(late())),
        };
        match has.map_err(RequestError::into_error)? {
            true => match self.ask(upstream, wish, json!({}), None, None).await? {
                Reply::Given(given) => Ok(Some((Arc::clone(upstream), given))),
                Reply::Put(_) => Err(panicked("somebody was asked about a list")),
            },
            false => Ok(None),
        }
    }

    async fn ask(
        &self,
        upstream: &Arc<Upstream>,
        wish: Wish,
        arguments: Value,
        person: Option<BeforeClient>,
        answered: Option<Answered>,
    ) -> Result<Reply, ErrorData> {
        let ask = Ask {
            shared: Arc::clone(&self.shared),
            session: Arc::clone(&self.session),
            upstream: Arc::clone(upstream),
            abandon: self.abandon.clone(),
            person,
            answered,
        };
        // On a task that nobody drops, whatever the client does meanwhile.
        let asked = self.shared.calls.spawn(ask.run(wish, arguments)).await;
        asked.map_err(|_| ErrorData::internal_error("the request failed inside the gateway", None))?
    }
}

/// One request of one upstream.
struct Ask {
    shared: Arc<Shared>,
    session: Arc<Session>,
    upstream: Arc<Upstream>,
    abandon: Abandon,
    person: Option<BeforeClient>,
    answered: Option<Answered>,
}

impl Ask {
    /// Decides, carries out, records, and only then answers.
    async fn run(self, wish: Wish, arguments: Value) -> Result<Reply, ErrorData> {
        let Self { shared, session, upstream, abandon, person, answered } = self;
        let arguments = Json::from_value(&arguments).map_err(|error| {
            shared.refusals.count(Cause::Arguments);
            ErrorData::invalid_params(error.to_string(), None)
        })?;
        let (host, caller) = (&shared.host, session.caller());
        let errand = match answered {
            None => Errand::new(host, &upstream, wish, caller, arguments, None).await.map(Errand::or_approved),
            Some(answered) => Errand::again(host, &upstream, wish, &caller, &arguments, answered).await,
        };
        let company = Company { progress: None, person, abandon, hears: |label| session.hears(label) };
        let done = match errand {
            Ok(errand) => errand.run(company).await,
            Err(undone) => Err(undone),
        };
        let refused = |why: String| ErrorData::new(ErrorCode::INVALID_REQUEST, why, None);
        match done {
            Ok(Done { given, .. }) => given.map(Reply::Given).map_err(RequestError::into_error),
            Err(Undone::Put(question)) => Ok(Reply::Put(question)),
            Err(Undone::Name(error)) => Err(bad_name(&error)),
            Err(Undone::Refused(verdict, _)) => Err(refused(refusal(&verdict))),
            Err(Undone::Person(error)) => Err(refused(error.to_string())),
            Err(Undone::Unreached(error)) => {
                shared.refusals.count(Cause::Unreached);
                Err(error.into_error())
            }
            Err(Undone::Unrecorded(error)) => Err(unrecorded(&error)),
            Err(Undone::Panicked(why)) => Err(panicked(why)),
        }
    }
}
