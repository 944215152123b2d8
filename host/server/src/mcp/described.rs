//! What agents are told of in an upstream's words, and ask for by its name.

use rmcp::model::{ClientRequest, ListPromptsRequest, ListToolsRequest, Prompt, ServerResult, Tool};
use serde::Serialize;
use vak::Described;
use vak_types::Name;

use super::pages::List;
use super::tools;

/// A tool or a prompt.
pub(crate) trait Describes: Serialize + Clone + Send + 'static {
    const WHAT: Described;
    const LIST: List<Self>;

    fn name(&self) -> &str;

    /// What it says of itself, for a person to look at.
    fn words(&self) -> &str;

    /// `_meta` is no part of what is compared: it may hold anything, and change.
    fn without_meta(self) -> Self;

    /// Those that can be asked for, each once.
    fn usable(upstream: &Name, listed: Vec<Self>) -> Vec<Self>;
}

impl Describes for Tool {
    const WHAT: Described = Described::Tool;
    const LIST: List<Self> = List {
        what: "tools",
        request: |params| ClientRequest::ListToolsRequest(ListToolsRequest::with_param(params)),
        page: |answer| match answer {
            ServerResult::ListToolsResult(page) => Some((page.tools, page.next_cursor)),
            _ => None,
        },
    };

    fn name(&self) -> &str {
        &self.name
    }

    fn words(&self) -> &str {
        self.description.as_deref().unwrap_or_default()
    }

    fn without_meta(mut self) -> Self {
        self.meta = None;
        self
    }

    fn usable(upstream: &Name, listed: Vec<Self>) -> Vec<Self> {
        tools::callable(upstream, listed)
    }
}

impl Describes for Prompt {
    const WHAT: Described = Described::Prompt;
    const LIST: List<Self> = List {
        what: "prompts",
        request: |params| ClientRequest::ListPromptsRequest(ListPromptsRequest::with_param(params)),
        page: |answer| match answer {
            ServerResult::ListPromptsResult(page) => Some((page.prompts, page.next_cursor)),
            _ => None,
        },
    };

    fn name(&self) -> &str {
        &self.name
    }

    fn words(&self) -> &str {
        self.description.as_deref().unwrap_or_default()
    }

    fn without_meta(mut self) -> Self {
        self.meta = None;
        self
    }

    fn usable(upstream: &Name, listed: Vec<Self>) -> Vec<Self> {
        tools::each_once(upstream, listed, |_| None)
    }
}
